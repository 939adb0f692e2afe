"""One instance of a build under the local host, with the limits that the build is deployed with."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.callers import call
from sandbox.patience import at_most, end_group

ROOT = Path(__file__).resolve().parent.parent

THREADS = re.compile(r"readEnvironmentVariable\('HTTP_CONCURRENCY', ''\), ([0-9]+)\)")
"""The default in infra/main.bicepparam: the threads of an instance, by infra/modules/function-app.bicep."""

STARTED, EMPTY = "Host started", "0 functions loaded"
"""The output of the host when it serves, and when the app cannot be imported."""

SWEEPING_S = 300.0
STARTING_S = 90.0
ENDING_S = 15.0


@dataclass(frozen=True)
class Build:
    """A checkout, and the limits that it is deployed with.

    Attributes:
        name: its name in the table.
        folder: its folder.
        threads: of the worker.
        running: requests that the host hands to the worker at once.
        outstanding: requests that run or wait in the host; the host refuses any more.
    """

    name: str
    folder: Path
    threads: int
    running: int
    outstanding: int


def build_in(folder: Path, name: str) -> Build:
    """Read the limits that a checkout is deployed with.

    Raises:
        ValueError: it is not a checkout of this project.
    """
    try:
        http = json.loads((folder / "host.json").read_text("utf-8"))["extensions"]["http"]
        threads = THREADS.search((folder / "infra" / "main.bicepparam").read_text("utf-8"))
    except (OSError, KeyError) as error:
        raise ValueError(f"{folder} is no checkout of this project: {error}") from error
    if not threads:
        raise ValueError(f"{folder} has no default for HTTP_CONCURRENCY in infra/main.bicepparam")
    return Build(
        name,
        folder.resolve(),
        threads=int(threads[1]),
        running=http["maxConcurrentRequests"],
        outstanding=http["maxOutstandingRequests"],
    )


class Instance:
    """The processes of one instance: the host, and its worker."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._pid = pid

    def sweep(self) -> None:
        """Run one complete sweep.

        Raises:
            RuntimeError: it failed.
        """
        path = "/admin/functions/poll_approvals?wait=1"
        headers = {"Content-Type": "application/json"}
        status, _, _ = call(self.url, path, method="POST", headers=headers, body=b"{}", timeout_s=SWEEPING_S)
        if status != 200:
            raise RuntimeError(f"the sweep of the instance was answered with {status}")

    def peak_mb(self) -> float | None:
        """Return the largest memory of its worker, in millions of bytes; None where the system does not tell.

        Source: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html, VmHWM
        """
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text("ascii").split()
            record = Path(f"/proc/{children[0] if children else self._pid}/status").read_text("ascii")
            if found := re.search(r"VmHWM:\s+(\d+) kB", record):
                return int(found[1]) * 1024 / 1e6
        return None


@contextlib.contextmanager
def instance(build: Build, settings: Mapping[str, str], *, has_timers: bool = False) -> Iterator[Instance]:
    """Run one instance of a build while the block runs, under the host of this checkout.

    Args:
        build: the build to run.
        settings: of the app.
        has_timers: run its timers by their schedules.

    Raises:
        RuntimeError: it did not start.
    """
    command = [sys.executable, "-m", "sandbox.host", "--port", "0", "--app", str(build.folder)]
    process = subprocess.Popen(
        command if has_timers else [*command, "--no-timers"],
        cwd=ROOT,
        env={**os.environ, **settings, "PYTHON_THREADPOOL_THREAD_COUNT": str(build.threads)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout
        with at_most(STARTING_S, lambda: end_group(process.pid)):
            lines = list(_until_started(process.stdout))
        if not lines or not lines[-1].startswith(STARTED) or any(EMPTY in each for each in lines):
            raise RuntimeError(f"the host of {build.folder} did not start: {' '.join(lines)[-400:]}")
        yield Instance(lines[-1].split()[-1], process.pid)
    finally:
        process.send_signal(signal.SIGINT)  # not SIGTERM: the host would first finish abandoned calls
        with at_most(ENDING_S, lambda: end_group(process.pid)):
            process.communicate()


def _until_started(output: Iterator[str]) -> Iterator[str]:
    for line in output:
        yield line.strip()
        if line.startswith(STARTED):
            return
