"""The time of the simulators: the machine's time, or a time that a test moves by hand."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time as a simulator needs it."""

    def now(self) -> datetime:
        """Return the current time as aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let this many seconds pass."""
        ...


class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time as aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block for this many seconds."""
        time.sleep(seconds)


class ShiftedClock(RealClock):
    """The machine's clock, moved forward as a person asked; a sleep really sleeps."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the moved time as aware UTC."""
        return super().now() + timedelta(seconds=self._ahead_s)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds plus the moved seconds."""
        return super().monotonic() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Move it forward."""
        with self._lock:
            self._ahead_s += max(0.0, seconds)


class ManualClock:
    """A clock that stands still until a test moves it; a sleep moves it at once."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self._start = start
        self._passed_s = 0.0
        self._stepped_s = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return its present time, aware UTC."""
        with self._lock:
            return self._start + timedelta(seconds=self._passed_s + self._stepped_s)

    def monotonic(self) -> float:
        """Return the seconds by which it was advanced; steps of the wall clock do not count."""
        with self._lock:
            return self._passed_s

    def sleep(self, seconds: float) -> None:
        """Advance without waiting."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass."""
        with self._lock:
            self._passed_s += max(0.0, seconds)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator or a time server would."""
        with self._lock:
            self._stepped_s += seconds
