"""Time as the rest of the package sees it: passed in, so that a test can move it.

It has no rules about the use of the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Protocol


def countable(time: datetime) -> datetime | None:
    """Return an aware time of the years 2 to 9998; None for any other.

    At the ends of the calendar another zone, or a day more, is an `OverflowError`. No event of ours is there.
    """
    in_calendar = MINYEAR < time.year < MAXYEAR
    return time if time.tzinfo and in_calendar else None


class Clock(Protocol):
    """The three things that anybody here asks of time."""

    def now(self) -> datetime:
        """Return the wall clock as aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment; never goes back when the wall clock is set."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the machine's time as aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block for that many seconds."""
        time.sleep(seconds)


class Deadline:
    """A moment after which a piece of work no longer counts, on the monotonic clock.

    One that is made for a part of some work (in a block of `until`) is never later than that of the whole.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._at = clock.monotonic() + min(seconds, time_left_s())

    def left_s(self) -> float:
        """Return the seconds that are left; zero or less when it has passed."""
        return self._at - self._clock.monotonic()

    def within(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and `seconds` from now."""
        return Deadline(self._clock, min(seconds, self.left_s()))


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def until(deadline: Deadline) -> Iterator[Deadline]:
    """Let nothing in the block wait beyond a deadline; one that is set around it and is earlier stays.

    It travels in the context, as `correlation` does: libraries between us and a socket take no deadline, and
    the socket asks for the time that is left.

    Yields:
        The deadline that holds in the block.
    """
    around = _current.get()
    holds = deadline if around is None or deadline.left_s() < around.left_s() else around
    before = _current.set(holds)
    try:
        yield holds
    finally:
        _current.reset(before)


def time_left_s() -> float:
    """Return the seconds until the deadline of the current work; infinity without a deadline."""
    holds = _current.get()
    return math.inf if holds is None else holds.left_s()
