"""The local host as processes, with an app of a few functions."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from proof.processes import children, wait_for

from sandbox.patience import at_most, end_group

ROOT = Path(__file__).parents[1]
WAIT_S = 60.0
"""How long anything may take on a machine that is busy."""

APP = """
    import logging, os, threading, time
    import azure.functions as func

    app = func.FunctionApp()
    anonymous = func.AuthLevel.ANONYMOUS

    @app.route("pid", auth_level=anonymous)
    def pid(req: func.HttpRequest) -> str:
        return str(os.getpid())

    @app.route("wait", auth_level=anonymous)
    def wait(req: func.HttpRequest) -> str:
        '''Say that it has begun, and end when somebody says so.'''
        name = req.params["name"]
        open(f"{name}.begun", "w").close()
        while not os.path.exists(f"{name}.go"):
            time.sleep(0.01)
        open(f"{name}.ended", "w").close()
        return "waited"

    @app.route("echo")
    def echo(req: func.HttpRequest) -> str:
        said = {name: value for name, value in req.headers.items()}
        return f"{len(req.get_body())} {said}"

    @app.route("time", auth_level=anonymous)
    def now(req: func.HttpRequest) -> str:
        return f"{time.time()} {time.monotonic()}"

    @app.timer_trigger(arg_name="timer", schedule="%POLL_SCHEDULE%")
    def poll(timer: func.TimerRequest) -> None:
        with open("ticks", "a") as ticks:
            ticks.write(f"{os.getppid()} {timer.past_due}\\n")
"""


def write_app(folder: Path, source: str = APP, *, host_json: str = '{"version": "2.0"}') -> Path:
    """Write an app into a folder and return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / "function_app.py").write_text(textwrap.dedent(source), encoding="utf-8")
    (folder / "host.json").write_text(host_json, encoding="utf-8")
    return folder


def eventually(what: Callable[[], object]) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: it is not so in time.
    """
    wait_for(what, "what is awaited")


@dataclass
class StandIn:
    """A host that runs."""

    process: subprocess.Popen[str]
    app_dir: Path
    printed: str = ""
    url: str = ""
    log: list[str] = field(default_factory=list)

    def worker(self) -> int:
        """Return the process of the worker: the host's only child."""
        [child] = wait_for(lambda: children(self.process.pid), "a worker")
        return child

    def get(self, path: str, **details: object) -> requests.Response:
        return requests.get(f"{self.url}/api/{path}", timeout=WAIT_S, **details)  # type: ignore[arg-type]

    def answer(self, path: str) -> int:
        """Ask a function and return the status; 0 when the connection was lost."""
        try:
            reply = self.get(path)
        except requests.ConnectionError:
            return 0
        assert reply.status_code < 400 or reply.content == b""
        return reply.status_code

    def hold(self, name: str) -> Call:
        """Begin a call that lasts until it is let go, and return when the function has begun."""
        call = self.call(name)
        eventually((self.app_dir / f"{name}.begun").exists)
        return call

    def call(self, name: str) -> Call:
        """Begin a call that lasts until it is let go."""
        call = Call(self, name)
        call.start()
        return call

    def said(self, text: str) -> bool:
        return any(text in line for line in list(self.log))

    def ticks(self) -> list[list[str]]:
        """Return the runs of the timer: the process of the host, and whether it was past due."""
        file = self.app_dir / "ticks"
        return [line.split() for line in file.read_text("utf-8").splitlines()] if file.exists() else []


class Call(threading.Thread):
    """A call of the function `wait`, from a thread of its own."""

    def __init__(self, host: StandIn, name: str) -> None:
        super().__init__(daemon=True)
        self._host, self._name = host, name
        self.status: int | None = None
        self.seconds = 0.0

    def run(self) -> None:
        begun = time.monotonic()
        self.status = self._host.answer(f"wait?name={self._name}")
        self.seconds = time.monotonic() - begun

    def let_go(self) -> None:
        (self._host.app_dir / f"{self._name}.go").touch()

    def result(self) -> int | None:
        """Wait for the answer, and return its status."""
        self.join(WAIT_S)
        return self.status


@contextmanager
def launched(app_dir: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run the host as a person would; the process and its workers are ended with the block."""
    command = [sys.executable, "-m", "sandbox.host", "--port", "0", "--app", str(app_dir), *arguments]
    environ = os.environ | {"SETTING": "set", "POLL_SCHEDULE": "0 0 0 1 1 *"} | settings
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        try:
            yield running
        finally:
            end_group(running.pid)


@contextmanager
def started(app_dir: Path, *arguments: str, **settings: str) -> Iterator[StandIn]:
    """Run the host, and wait until it has started."""
    with launched(app_dir, *arguments, **settings) as process:
        host = StandIn(process, app_dir)
        assert process.stdout is not None
        with at_most(WAIT_S, lambda: end_group(process.pid)):
            for line in process.stdout:
                host.printed += line
                if line.startswith("Host started on "):
                    host.url = line.split()[-1]
                    break
            else:
                raise AssertionError(host.printed)
        reader = threading.Thread(target=_read, args=[process, host.log], daemon=True)
        reader.start()
        yield host


def _read(process: subprocess.Popen[str], log: list[str]) -> None:
    assert process.stderr is not None
    try:
        log.extend(process.stderr)
    except ValueError:  # it was closed with the block
        return
