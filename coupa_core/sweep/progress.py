"""How far one sweep is: its deadline, its counts, and what went wrong; in the end, one line."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass

from coupa_core.clock import Clock, Deadline
from coupa_core.errors import BridgeError

LEFT_UNDONE = ("left_for_later", "lost_race", "released", "unknown", "spoiled")
"""Counts of what the next sweep must look at again."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """What a sweep saw and did.

    Attributes:
        is_complete: every page of pending approvals came, and the ledger answered to the end.
        failure: code of the first thing that went wrong, or empty.
        counts: by name, such as `seen`, `sent`, `unchanged`, `not_your_turn`, `no_recipient`, `parked`.
        duration_s: in seconds.
    """

    is_complete: bool
    failure: str
    counts: dict[str, int]
    duration_s: float

    def __str__(self) -> str:
        """Write one line for the log."""
        numbers = " ".join(f"{name}={number}" for name, number in sorted(self.counts.items()) if number)
        outcome = "complete" if self.is_complete else "incomplete"
        failure = f" failure={self.failure}" if self.failure else ""
        return f"sweep {outcome}{failure} duration_s={self.duration_s:.1f} {numbers}".rstrip()


class Progress:
    """The running tally of one sweep; safe to use from several threads."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._clock = clock
        self._began_s = clock.monotonic()
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self.deadline = Deadline(clock, seconds)
        self.failure = ""

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count."""
        with self._lock:
            self._counts[name] += number

    def hamper(self, failure: BridgeError) -> None:
        """Remember the first failure, and log each one with its code and cause."""
        with self._lock:
            self.failure = self.failure or failure.code
        logger.warning("sweep hampered code=%s cause=%s", failure.code, failure)

    def came_through(self) -> bool:
        """Tell whether nothing failed and nothing was left for later."""
        with self._lock:
            return not self.failure and not any(self._counts[name] for name in LEFT_UNDONE)

    def counts(self) -> dict[str, int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)

    def summary(self, *, is_complete: bool) -> Summary:
        """Return what became of the sweep."""
        duration_s = self._clock.monotonic() - self._began_s
        return Summary(is_complete, self.failure, self.counts(), duration_s)
