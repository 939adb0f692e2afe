"""The process of `bench.sweeping`, as the measuring process sees it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.tempo import Tempo
from sandbox.patience import at_most

ROOT = Path(__file__).resolve().parent.parent

ANSWER_S = 1800.0
"""The longest wait for one sweep or for all announcements; a process that is silent for longer is killed."""


class Sweeper:
    """One process with the build of one checkout."""

    def __init__(self, process: subprocess.Popen[str], tempo: Tempo | None) -> None:
        self._process = process
        self._tempo = tempo

    def announce(self, approvals: int) -> None:
        """Announce this many approvals, which are all pending ones."""
        self._tell({"announce": approvals})
        self._hear()

    def sweep(self) -> dict[str, Any]:
        """Run one sweep and return its report."""
        self.begin()
        return self.end()

    def begin(self) -> None:
        """Begin a sweep."""
        self._tell({})

    def end(self) -> dict[str, Any]:
        """Wait for the end of the sweep and return its report."""
        return self._hear()

    def kill(self) -> None:
        """Kill the process, whatever it does."""
        self._process.kill()
        self._process.wait()

    def _tell(self, what: dict[str, Any]) -> None:
        assert self._process.stdin
        ahead = {"ahead_s": self._tempo.ahead_s} if self._tempo else {}
        self._process.stdin.write(json.dumps(what | ahead) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout
        with at_most(ANSWER_S, self._process.kill):
            line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that sweeps ended without an answer")
        said: dict[str, Any] = json.loads(line)
        return said


@contextlib.contextmanager
def sweeper(settings: Mapping[str, str], checkout: Path, tempo: Tempo | None = None) -> Iterator[Sweeper]:
    """Run it while the block runs.

    Args:
        settings: of the build.
        checkout: the folder of the build.
        tempo: the clock; None for the machine's.
    """
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "bench" / "sweeping.py")],
        env={**os.environ, **settings, **(tempo.environment if tempo else {}), "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Sweeper(process, tempo)
    finally:
        process.kill()
        process.communicate()
