"""How far one sweep is: its deadline, its counts, and what went wrong; in the end, one line."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass

from coupa_core.clock import Clock, Deadline
from coupa_core.correlation import Correlation
from coupa_core.errors import BridgeError, ServiceError

AGES = {"pending_1h": 3_600, "pending_1d": 86_400, "pending_7d": 7 * 86_400}
"""Counts of listed approvals that have waited for less than so many seconds; then comes `pending_older`."""

LEFT_UNDONE = ("left_for_later", "lost_race", "released", "unknown", "spoiled", "rows_missed")
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
        sweep_id: by which it is found again in the calls to its neighbours.
    """

    is_complete: bool
    failure: str
    counts: dict[str, int]
    duration_s: float
    sweep_id: str = ""

    def __str__(self) -> str:
        """Write one line for the log."""
        numbers = " ".join(f"{name}={number}" for name, number in sorted(self.counts.items()) if number)
        outcome = "complete" if self.is_complete else "incomplete"
        failure = f" failure={self.failure}" if self.failure else ""
        name = f" sweep_id={self.sweep_id}" if self.sweep_id else ""
        return f"sweep {outcome}{failure} duration_s={self.duration_s:.1f}{name} {numbers}".rstrip()


class Progress:
    """The running tally of one sweep; safe to use from several threads."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._clock = clock
        self._began_s = clock.monotonic()
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._misses = 0
        self.deadline = Deadline(clock, seconds)
        self.failure = ""
        self.is_watched = False
        """What is owed at its end has been looked at."""
        self.is_over = False
        """Something failed that ends the sweep for everybody: nothing more is claimed or sent."""

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count."""
        with self._lock:
            self._counts[name] += number

    def hamper(self, failure: BridgeError) -> None:
        """Remember the first failure, and log each one with its code and cause."""
        with self._lock:
            self.failure = self.failure or failure.code
        logger.warning("sweep hampered code=%s cause=%s", failure.code, failure)

    def stop(self, failure: BridgeError) -> None:
        """Begin nothing more in this sweep."""
        self.is_over = True
        self.hamper(failure)

    def miss(self, failure: ServiceError) -> None:
        """Note that the store did not take one row; it is down when that happens twice.

        What it refuses for the row's own sake (400, 413) never ends a sweep: that row waits.
        """
        with self._lock:
            is_of_the_row = failure.status in (400, 413)
            self._misses += not is_of_the_row
            is_down = self._misses > 1
        self.count("rows_missed")
        if is_down:
            self.stop(failure)
        else:
            self.hamper(failure)

    def came_through(self) -> bool:
        """Tell whether nothing failed and nothing was left for later."""
        with self._lock:
            return not self.failure and not any(self._counts[name] for name in LEFT_UNDONE)

    def has_left(self) -> bool:
        """Tell whether something was not even tried."""
        with self._lock:
            return self.is_over or bool(self._counts["left_for_later"])

    def counts(self) -> dict[str, int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)

    def summary(self, under: Correlation, *, is_complete: bool) -> Summary:
        """Return what became of the sweep, with the calls that it made."""
        duration_s = self._clock.monotonic() - self._began_s
        counts = self.counts() | under.counts()
        return Summary(is_complete, self.failure, counts, duration_s, under.id)


def age_group(age_s: float) -> str:
    """Return the name of the count for an approval that waits so long.

    >>> age_group(59), age_group(3_600), age_group(8 * 86_400)
    ('pending_1h', 'pending_1d', 'pending_older')
    """
    return next((name for name, limit_s in AGES.items() if age_s < limit_s), "pending_older")
