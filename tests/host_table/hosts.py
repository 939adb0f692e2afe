"""Three hosts for the rows: the local host, Microsoft's by `func`, and a deployed one.

The first two are processes of their own on loopback, with the app of `tests/host_app`; they end with the
block.

Source: https://learn.microsoft.com/azure/azure-functions/functions-core-tools-reference, read 2026-11.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from host_table.admin import MASTER
from host_table.keys import OWN_KEYS
from host_table.rows import Row, Sent, Stage
from host_table.wire import exchange, host_of
from sandbox.azurite import INSTALL_HINT, azurite, is_installed

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "tests" / "host_app"
START_S = 90.0
END_S = 10.0

KEYS = {
    "host_key": "key-of-the-host",
    "list_key": "key-of-list-approvals",
    "get_key": "key-of-get-approval",
    "decide_key": "key-of-decide",
    "ops_key": "key-of-status",
    "system_key": "key-of-the-system",
    "master_key": "key-of-the-master",
    "opens": "key-of-the-host",
    "master": "key-of-the-master",
}


class HostDidNotStart(Exception):
    """It ended or was silent; the message has what it printed last."""


class Host(Protocol):
    """What rows are played on.

    Attributes:
        name: for a person.
        is_ours: its app is the one of `tests/host_app`, which tells what reached it.
    """

    name: str
    is_ours: bool

    def left_out(self, row: Row, stage: Stage) -> str:
        """Return why a row is not played here; empty where it is."""

    def started(self, stage: Stage) -> contextlib.AbstractContextManager[tuple[str, Mapping[str, str]]]:
        """Start it so; the block has its address, and the keys that it knows.

        Raises:
            HostDidNotStart: it did not.
        """


@dataclass
class StandIn:
    """The stand-in of the sandbox.

    Attributes:
        command: what starts it.
    """

    name: str = "the stand-in"
    is_ours: bool = True
    command: Sequence[str] = (sys.executable, "-m", "sandbox.host")

    def left_out(self, row: Row, stage: Stage) -> str:
        """Leave out nothing."""
        return ""

    @contextlib.contextmanager
    def started(self, stage: Stage) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Start it, with all kinds of keys where the stage asks for them."""
        command = [*self.command, "--port", "0", "--app", str(APP)]
        if stage.asks_for_keys:
            for option in ("host", "system", "master"):
                name = "function" if option == "host" else option
                command += [f"--{name}-key", KEYS[f"{option}_key"]]
            for function, key in OWN_KEYS:
                command += ["--own-key", f"{function}={KEYS[key]}"]
        with _process(command, ROOT, os.environ | stage.environ) as (process, printed):
            end_s = time.monotonic() + START_S
            while time.monotonic() < end_s and process.poll() is None:
                for line in printed.lines():
                    if line.startswith("Host started on "):
                        yield line.split()[-1], KEYS
                        return
                time.sleep(0.02)
            raise HostDidNotStart(printed.last())


@dataclass
class CoreTools:
    """Microsoft's host in development mode, as `func start` runs it, on Azurite."""

    func: str
    name: str = "Microsoft's host (func start)"
    is_ours: bool = True

    def left_out(self, row: Row, stage: Stage) -> str:
        """Leave out what is right only where keys are asked for."""
        return "func start asks for no key" if row.about_keys else ""

    @contextlib.contextmanager
    def started(self, stage: Stage) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Start it on a free port."""
        if not is_installed():
            raise HostDidNotStart(INSTALL_HINT)
        with azurite() as storage, socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            taken.close()
            environ = {
                **os.environ,
                "FUNCTIONS_WORKER_RUNTIME": "python",
                "AzureWebJobsStorage": storage.connection_string,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "VIRTUAL_ENV": sys.prefix,
                **stage.environ,
            }
            with _process([self.func, "start", "--port", str(port)], APP, environ) as (process, printed):
                url = f"http://127.0.0.1:{port}"
                _wait_until_running(url, process, printed)
                yield url, KEYS


@dataclass
class Deployed:
    """A deployed app; of the rows those that only read or are refused.

    Attributes:
        url: its address, without a path.
        keys: known for it.
    """

    url: str
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    name: str = "the deployed app"
    is_ours: bool = False

    def left_out(self, row: Row, stage: Stage) -> str:
        """Leave out what would change something, needs another start, or is answered before the host."""
        reasons = {
            "the host would have to be started otherwise": not stage.asks_for_keys or bool(stage.environ),
            "it could change something": not row.changes_nothing,
            "a sweep would run if the host did not refuse it": row.sent.method == "POST"
            and MASTER in row.sent.headers,
            "it would put a key into an address, which is logged": "{" in row.sent.target,
            "no MASTER_KEY was given": bool(row.sent.keys) and not self.keys,
            "its key is not known": not row.sent.keys <= self.keys.keys(),
            "the product's functions do not tell what reached them": bool(row.saw),
            "App Service's front end answers it, or changes it on its way": row.at_front,
        }
        return next((reason for reason, is_so in reasons.items() if is_so), "")

    @contextlib.contextmanager
    def started(self, stage: Stage) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Take it as it is."""
        yield self.url, self.keys


class _Printed:
    """What a process prints, read as it comes, so that it never waits for a reader."""

    def __init__(self, stream: IO[str]) -> None:
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        with contextlib.suppress(ValueError):  # closed
            for line in stream:
                self._lines.append(line.rstrip())

    def lines(self) -> list[str]:
        return list(self._lines)

    def last(self) -> str:
        self._thread.join(1)
        return " / ".join(line for line in self._lines[-5:] if line) or "it printed nothing"


@contextlib.contextmanager
def _process(
    command: Sequence[str], folder: Path, environ: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], _Printed]]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environ),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout
    try:
        yield process, _Printed(process.stdout)
    finally:
        # The group, because the host has a worker, which would be left behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(END_S)
        process.stdout.close()


def _wait_until_running(url: str, process: subprocess.Popen[str], printed: _Printed) -> None:
    end_s = time.monotonic() + START_S
    asked = Sent(target="/admin/host/status")
    while time.monotonic() < end_s and process.poll() is None:
        answer = exchange(url, asked.pieces(host_of(url), {}))
        if answer.status == 200 and b'"Running"' in answer.body:
            return
        time.sleep(0.2)
    raise HostDidNotStart(printed.last())
