"""`make demo` as a person sees it: a process, its output, and its end."""

from __future__ import annotations

import fcntl
import html
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from ports import shared_ports

from sandbox.azurite import is_installed
from sandbox.patience import at_most
from sandbox.services import APP_PORT, COUPA_PORT, MOVEWORKS_PORT

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
STORY = [
    "One sweep: each request is announced to the person whose turn it is.",
    "to jamie@example.com:",
    "to robin@example.com:",
    "A second sweep announces nothing.",
    "(nothing was sent)",
    "mallory@example.com -> approve: 200 not_your_approval",
    "jamie@example.com -> approve: 200 approved",
    "The next sweep tells the next step's approver, Robin.",
    "to robin@example.com:",
    "robin@example.com -> reject: 200 reason_required",
    "robin@example.com -> reject: 200 rejected",
    "The next sweep tells Sam what became of the chairs.",
    "to sam@example.com:",
    "Your request was rejected by Robin Vega",
    "1 approval is waiting for you in Coupa.",
    "Robin Vega <robin@example.com> via Moveworks: Two are enough; take the cheaper model.",
    "Coupa took 2 decisions; 4 notices were sent.",
]

STORIES = {
    "jamie": ["MacBook Pro Retina 15", "Approve", "Next: Robin Vega.", "Approve", "approved, HTTP 200"],
    "robin": [
        "Office chairs",
        "Reject: Two are enough",
        "Do I have any approvals in Coupa?",
        "1 approval is",
    ],
    "mallory": ["Approve", "not waiting for your decision", "not your approval, HTTP 200"],
    "sam": ["rejected by Robin Vega"],
}
"""What each one finds in the chat on the page after the story, in order."""


@pytest.fixture(autouse=True)
def _one_at_a_time() -> Iterator[None]:
    """Every demo wants the same ports first, so the tests of this file take turns in all processes."""
    with Path(__file__).open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


@contextmanager
def demo(*arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    with shared_ports():
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.demo", *arguments],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                with at_most(20, process.kill):
                    process.wait()
            assert process.stdout
            process.stdout.close()


def told(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run the demo to its end; return its status and what it printed."""
    with demo("--exit", *arguments, environment=environment) as process:
        output, _ = process.communicate(timeout=110)
    return process.returncode, output


def in_order(lines: list[str], text: str) -> bool:
    """Tell whether the lines stand in the text, one after the other."""
    return re.search(".*".join(map(re.escape, lines)), text, re.DOTALL) is not None


def shown_in_readme() -> list[str]:
    block = (ROOT / "README.md").read_text("utf-8").partition("<!-- transcript -->\n```\n")[2]
    return block.partition("\n```")[0].splitlines()


@contextmanager
def taken(*ports: int) -> Iterator[None]:
    """Hold ports, where somebody else does not already."""
    held = []
    for port in ports:
        holder = socket.socket()
        # A connection of an earlier run may still linger on the port.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", port))
            holder.listen()
        except OSError:
            holder.close()
        else:
            held.append(holder)
    try:
        yield
    finally:
        for holder in held:
            holder.close()


def without(program: str, folder: Path) -> str:
    """Return a PATH on which that program is not found, and everything else of the same folders is."""
    kept = []
    for number, place in enumerate(os.environ["PATH"].split(os.pathsep)):
        if not (Path(place) / program).exists():
            kept.append(place)
            continue
        other = folder / str(number)
        other.mkdir()
        for each in Path(place).iterdir():
            if each.name != program:
                (other / each.name).symlink_to(each)
        kept.append(str(other))
    return os.pathsep.join(kept)


def test_without_azurite_and_with_its_ports_taken_the_story_is_the_same(tmp_path: Path) -> None:
    with shared_ports(), taken(COUPA_PORT, MOVEWORKS_PORT, APP_PORT):
        status, output = told(environment={"PATH": without("node", tmp_path)})

    assert status == 0, output
    assert "table store   in memory, gone when the app ends." in output
    for port in (COUPA_PORT, MOVEWORKS_PORT, APP_PORT):
        assert f"(port {port} is taken; using " in output
    assert in_order(STORY, output), output


@pytest.fixture
def core_tools(tmp_path: Path) -> str:
    """Return a PATH with a stand-in for Core Tools, which serves with the local host."""
    func = tmp_path / "func"
    func.write_text(
        "#!/bin/sh\n"
        f'[ "$1 $2" = "start --port" ] && exec {sys.executable} -m sandbox.host --port "$3"\n'
        'echo "unknown arguments: $*"; exit 2\n'
    )
    func.chmod(0o755)
    return f"{tmp_path}{os.pathsep}{os.environ['PATH']}"


def test_a_story_that_fails_names_the_last_error_of_the_app_at_once() -> None:
    status, output = told(environment={"NOTICE_LANGUAGE": "klingon", "LANGUAGE": "fr_FR:fr"})

    assert status == 1
    assert "The story broke off: the function app answers 'settings'" in output
    assert re.search(r"The function app's last error: .*cause=NOTICE_LANGUAGE: must be a locale", output)


@pytest.mark.parametrize(
    ("how", "is_listener"),
    [(signal.SIGINT, False), (signal.SIGTERM, True)],
    ids=["on its own", "listener, func"],
)
def test_the_story_is_told_and_all_that_it_names_stays_up_until_it_is_stopped(
    how: signal.Signals, *, is_listener: bool, core_tools: str
) -> None:
    arguments = ["--channel", "listener"] if is_listener else []
    with demo(*arguments, environment={"PATH": core_tools} if is_listener else None) as process:
        assert process.stdout
        lines = []
        with at_most(110, process.kill):
            for line in process.stdout:
                lines.append(line)
                if line.startswith("People:"):
                    break
        output = "".join(lines)
        urls = re.findall(r"(?:curl '?|browser:\n  )(http://[^ '\n]+)", output)
        statuses = [requests.get(url, timeout=10).status_code for url in urls if "APPROVAL_ID" not in url]
        chats = {
            who: requests.get(urls[0], params={"as": f"{who}@example.com"}, timeout=10) for who in STORIES
        }
        # An address of Coupa, as the story prints it, shows the document to a person.
        [opened, *_] = re.findall(r"Open in Coupa: (\S+)", output)
        document = requests.get(opened, timeout=10)
        process.send_signal(how)
        rest = process.communicate(timeout=20)[0]

    assert in_order(STORY, output), output
    assert ("table store   Azurite" in output) is is_installed()
    if is_listener:
        assert "| *💳 Sam Stinson asks for “Office chairs”, EUR 1,558.00*" in output
        assert ("function app  func start" in output) is is_installed()
    else:
        assert in_order(shown_in_readme(), output), output
    assert process.returncode == 0, output + rest
    assert "Traceback" not in output + rest
    assert statuses == [200, 200, 200, 200, 200]
    for who, heard in STORIES.items():
        assert in_order(heard, html.unescape(chats[who].text).partition('id="turns"')[2]), who
    assert '<article id="document"' in document.text
    assert "MacBook Pro Retina 15" in document.text.partition("<article")[2]
    _assert_gone(urls)


def _assert_gone(urls: list[str]) -> None:
    end = time.monotonic() + 10
    ports = {int(match[1]) for url in urls if (match := re.search(r":(\d+)(?:/|$)", url))}
    while time.monotonic() < end:
        if not any(_answers(port) for port in ports):
            return
        time.sleep(0.1)
    raise AssertionError(f"still there: {ports}")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
