"""Time that runs faster than the machine's, the same in every process of a measurement.

A call that takes a second, a rate of five a second and a sweep of fifty seconds all shrink by the same
factor. The processor's work does not shrink: it counts as a multiple, against the measured build.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

ORIGIN = "BENCH_ORIGIN"
"""The variable with the begin of the fast time, in seconds since 1970."""

SPEED = "BENCH_SPEED"
"""The variable with the number of its seconds in one second."""


class Tempo:
    """The clock; a process may jump ahead, as if it had waited.

    Args:
        origin_s: its begin, in seconds since 1970.
        speed: the number of its seconds in one second.
    """

    def __init__(self, origin_s: float, speed: float) -> None:
        self.origin_s = origin_s
        self.speed = speed
        self.ahead_s = 0.0

    @classmethod
    def of_environment(cls) -> Tempo:
        """Return the clock that the parent process has set."""
        return cls(float(os.environ.get(ORIGIN, time.time())), float(os.environ.get(SPEED, "1")))

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that give another process this clock; its jumps must be told to it."""
        return {ORIGIN: repr(self.origin_s), SPEED: repr(self.speed)}

    def now(self) -> datetime:
        """Return its time as aware UTC."""
        return datetime.fromtimestamp(self.origin_s, UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return its seconds since the origin; the machine's clock must not be set meanwhile."""
        return (time.time() - self.origin_s) * self.speed + self.ahead_s

    def sleep(self, seconds: float) -> None:
        """Block until this many of its seconds have passed."""
        time.sleep(max(0.0, seconds) / self.speed)
