"""The Functions host as processes of its own: started, and ended in each of its known ways."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import requests

from coupa_core.settings import NAMES
from sandbox.patience import at_most, end_group

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
"""Whatever a process is waited for comes within this, also on a machine that has much else to do."""

ANSWER_S = 90.0
"""A sweep ends within 50 s."""


class Host:
    """A running host and its one worker.

    Args:
        environment: the app's settings; those of whoever runs this are left out.
        app: folder of function_app.py.
        options: of `sandbox.host`, beside the port.

    Attributes:
        process: the host; its worker is its only child.
        url: where it listens.
        left: workers that were seen and may live on.

    Raises:
        RuntimeError: it did not start.
    """

    def __init__(
        self, environment: Mapping[str, str], *, app: Path = ROOT, options: Sequence[str] = ()
    ) -> None:
        left_out = {*NAMES, "PYTHONDONTWRITEBYTECODE"}  # so many start: what they import is compiled once
        own = {name: value for name, value in os.environ.items() if name not in left_out}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.host", "--port", "0", "--app", str(app), *options],
            cwd=ROOT,
            env={**own, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.left: set[int] = set()
        assert self.process.stdout
        with at_most(PATIENCE_S, lambda: end_group(self.process.pid)):
            started = next((line for line in self.process.stdout if line.startswith("Host started")), None)
        if started is None:
            self.end()
            raise RuntimeError("the local host did not start")
        self.url = started.split()[-1]

    @property
    def worker(self) -> int:
        """Return the id of the worker's process, when there is one.

        Raises:
            TimeoutError: none came.
        """
        [pid] = wait_for(lambda: children(self.process.pid), "a worker")
        self.left.add(pid)
        return pid

    # ------------------------------------------------------------------ deaths

    def kill_worker(self) -> None:
        """Kill the worker; the host lives, and starts another."""
        _end(self.worker)

    def kill(self) -> None:
        """Kill the host; its worker is left behind."""
        self.left.update(children(self.process.pid))
        self.process.kill()
        self.process.wait()

    def fail(self) -> None:
        """End both at once, as a machine that fails."""
        self.kill()
        for pid in self.left:
            _end(pid)

    def drain(self) -> None:
        """Ask the host to end, as a deployment does, and do not wait for it."""
        self.left.update(children(self.process.pid))
        self.process.terminate()

    def await_exit(self) -> int:
        """Wait until the host has ended by itself, and return its status.

        Raises:
            subprocess.TimeoutExpired: it did not.
        """
        return self.process.wait(PATIENCE_S)

    def await_workers(self) -> None:
        """Wait until every worker that was seen has ended by itself.

        Raises:
            TimeoutError: one did not.
        """
        wait_for(lambda: not any(map(is_alive, self.left)), "the end of the worker that was left behind")

    def await_another_worker(self, than: int) -> None:
        """Wait until that worker has ended and another is there.

        Raises:
            TimeoutError: that did not come.
        """
        wait_for(lambda: not is_alive(than) and self.worker != than, "another worker")

    def freeze(self) -> None:
        """Stop host and worker, as a machine that is not given any time."""
        for pid in (self.process.pid, self.worker):
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let both go on."""
        for pid in (self.process.pid, *self.left):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def end(self) -> None:
        """End whatever still runs; doing so twice is no fault."""
        if self.process.returncode is None:
            self.fail()
        for pid in self.left:
            _end(pid)
        if self.process.stdout:
            self.process.stdout.close()

    # ------------------------------------------------------------------ requests

    def fire(self) -> int:
        """Run a sweep and return the status that the host answered; 0 where the connection broke."""
        return self.post("/admin/functions/poll_approvals?wait=1")

    def advance(self, seconds: float) -> None:
        """Move the app's time forward."""
        if seconds > 0:
            assert self.post(f"/admin/clock?advance={round(seconds)}") == 200, "the clock cannot be moved"

    def post(self, path: str) -> int:
        """Send a request of an administrator and return the status; 0 where the connection broke."""
        try:
            return requests.post(f"{self.url}{path}", json={}, timeout=ANSWER_S).status_code
        except requests.ConnectionError:
            return 0


def children(pid: int) -> list[int]:
    """Return the processes that a process has started; none where it is gone.

    Source: https://man7.org/linux/man-pages/man5/proc_tid_children.5.html
    """
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        found = [int(each) for thread in threads for each in (thread / "children").read_text("ascii").split()]
    except OSError:
        return []
    return [each for each in found if is_alive(each)]


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has taken leave of does not."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return False
    return said.rpartition(")")[2].split()[0] not in {"Z", "X"}


def wait_for(found: Callable[[], T], what: str) -> T:
    """Wait until something is true, and return it.

    Raises:
        TimeoutError: it did not come.
    """
    late_s = time.monotonic() + PATIENCE_S
    while not (said := found()):
        if time.monotonic() > late_s:
            raise TimeoutError(f"{what} did not come within {PATIENCE_S:.0f} s")
        time.sleep(0.005)
    return said


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), f"the end of process {pid}")
