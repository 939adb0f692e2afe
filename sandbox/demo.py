"""`make demo`: plays the whole story on this machine, and then keeps a sandbox to play with.

It starts Azurite, both simulators, and the function app as a process of its own: with `func start` where
Azure Functions Core Tools are installed, else on the local host.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from sandbox.azurite import AzuriteError
from sandbox.page import Page
from sandbox.page.kinds import NAMES
from sandbox.services import (
    APP_PORT,
    COUPA_PORT,
    MOVEWORKS_PORT,
    PAGE_PORT,
    PEOPLE,
    ROOT,
    Services,
    free_port,
    services,
)
from sandbox.serving import served
from sandbox.story import Story, StoryError, plain, sweep

EVERY_S = 10
LOG = ROOT / ".sandbox.log"
_ERROR = re.compile(r"\bERROR\b|\bcause=|\b\w+Error:")

# The demo starts each sweep; the app's own timer would start one each minute.
NEVER = {"POLL_SCHEDULE": "0 0 0 1 1 *"}

CADENCE = {
    "REMIND_AFTER_HOURS": "24",
    "ESCALATE_AFTER_HOURS": "72",
    "CLOSING_NOTICE": "always",
    "TELL_REQUESTER": "on",
}
"""The settings with which the page can show each kind of message when a person moves the time."""

SHOWN = {**CADENCE, "DOCUMENT_TYPES": ",".join(NAMES)}
"""The same, with every kind of document that the page can enter."""


@contextlib.contextmanager
def function_app(settings: dict[str, str], *, port: int, log: Path = LOG) -> Iterator[str]:
    """Run the function app while the block runs, and yield its base URL.

    Args:
        settings: the settings of the app.
        port: must be free.
        log: the file for its output.

    Raises:
        StoryError: it did not answer within a minute, or ended; the message has the end of its output.
    """
    func = core_tools()
    if func and settings["AzureWebJobsStorage"]:
        command = [func, "start", "--port", str(port)]
        print("  function app  func start")
    else:
        command = [sys.executable, "-m", "sandbox.host", "--port", str(port)]
        command += ["--no-timers", "--movable-clock"]
        print("  function app  local host (func start, where Azure Functions Core Tools are installed)")
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **settings}, stdout=output, stderr=output
        )
        try:
            _await(process, url, log)
            print(f"  listening     {url}  (log: {log.name})")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def core_tools() -> str | None:
    """Return the path of Azure Functions Core Tools, or None."""
    return shutil.which("func")


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(requests.RequestException):
            requests.get(f"{url}/api/health", timeout=2)
            return
        time.sleep(0.1)
    said = log.read_text("utf-8", "replace")[-2000:]
    raise StoryError(f"the function app did not start; it said:\n{said}")


def last_error(log: Path = LOG) -> str:
    """Return the last line of a log that reports an error; empty when there is none."""
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    return next((line.strip() for line in reversed(lines) if _ERROR.search(line)), "")


def stay(around: Services, app_url: str, page_url: str) -> None:
    """Sweep every ten seconds and print the new messages, until Ctrl-C."""
    wish = '{"title": "Desk", "price": "250", "approvers": ["jamie@example.com"]}'
    print(f"""
Everything stays up until Ctrl-C; a sweep runs every {EVERY_S} s. In a browser:
  {page_url}
In another terminal:
  curl {around.coupa_url}/_sandbox/state
  curl -X POST {around.coupa_url}/_sandbox/requisitions -d '{wish}'
  curl '{around.moveworks_url}/_sandbox/inbox?email=jamie@example.com'
  curl '{app_url}/api/approvals?approver_email=jamie@example.com'
  curl -X POST {app_url}/api/approvals/APPROVAL_ID/approve \\
       -H 'X-Actor-Email: jamie@example.com' -H 'X-Action-Token: ACTION_TOKEN'
  curl {app_url}/api/status
Settings: {", ".join(f"{name}={value}" for name, value in CADENCE.items())}; move the time on the page.
People: {", ".join(PEOPLE)}""")
    seen = len(around.moveworks.delivered)
    while True:
        time.sleep(EVERY_S)
        try:
            sweep(app_url)
        except (StoryError, requests.RequestException) as failure:  # a person may switch faults on
            print(f"\n{time.strftime('%H:%M:%S')} no sweep: {failure}")
        for each in around.moveworks.delivered[seen:]:
            print(f"\n{time.strftime('%H:%M:%S')} a notice for {each.recipient}:\n{plain(each.message)}")
        seen = len(around.moveworks.delivered)


def main() -> int:
    """Play the story; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description="The bridge on this machine.")
    parser.add_argument("--exit", action="store_true", help="end after the story")
    parser.add_argument("--channel", choices=("events", "listener"), default="events", help="into Moveworks")
    options = parser.parse_args()
    prepare_terminal()
    print("Starting the sandbox:")
    try:
        with (
            services(
                coupa_port=free_port(COUPA_PORT),
                moveworks_port=free_port(MOVEWORKS_PORT),
                tables_only=core_tools() is None,
            ) as around,
            function_app(
                {**around.settings(channel=options.channel), **NEVER, **SHOWN}, port=free_port(APP_PORT)
            ) as app_url,
        ):
            page = Page(around, app_url, log=LOG)
            Story(around, app_url, page.chats).tell()
            if not options.exit:
                with served(page, port=free_port(PAGE_PORT)) as page_url:
                    around.page_url = page_url
                    stay(around, app_url, page_url)
    except (StoryError, AzuriteError, requests.RequestException) as failure:
        print(f"\nThe story broke off: {failure}", file=sys.stderr)
        if isinstance(failure, StoryError) and last_error():
            print(f"The function app's last error: {last_error()}", file=sys.stderr)
        print(f"The function app's log is {LOG.name}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


def prepare_terminal() -> None:
    """Show each line at once, and end on SIGTERM as on Ctrl-C."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main())
