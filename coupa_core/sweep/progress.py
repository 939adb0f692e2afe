"""The running tally of one sweep, and its result."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import dataclass

from coupa_core.clock import Clock, Deadline
from coupa_core.correlation import Correlation
from coupa_core.errors import BridgeError, ServiceError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """The result of a sweep.

    Attributes:
        is_complete: every page of pending approvals was read, and the ledger answered to the end.
        failure: the code of the first failure, or empty.
        counts: by name, such as `seen`, `sent`, `unchanged`, `not_your_turn`, `no_recipient`, `parked`.
        duration_s: in seconds.
        sweep_id: identifies the sweep in its calls to the services.
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
        """The messages that are still owed have been counted."""
        self.is_over = False
        """A failure ended the sweep: it claims and sends nothing more."""
        self.has_stopped_sending = False
        """A failure ended all sending; work that needs no message goes on."""

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count."""
        with self._lock:
            self._counts[name] += number

    def record_failure(self, failure: BridgeError) -> None:
        """Remember the first failure, and log each one with its code and cause."""
        with self._lock:
            self.failure = self.failure or failure.code
        logger.warning("sweep hampered code=%s cause=%s", failure.code, failure)

    def abort(self, failure: BridgeError) -> None:
        """Begin nothing more in this sweep."""
        self.is_over = True
        self.record_failure(failure)

    def stop_sending(self, failure: BridgeError) -> None:
        """Send nothing more in this sweep."""
        self.has_stopped_sending = True
        self.record_failure(failure)

    def record_missed_row(self, failure: ServiceError) -> bool:
        """Record that the store did not take one row; the second time means that the store is down.

        Returns:
            Whether the row itself is at fault (400, 413): such a row waits, and the sweep goes on.
        """
        is_of_the_row = failure.status in (400, 413)
        with self._lock:
            self._misses += not is_of_the_row
            is_down = self._misses > 1
        self.count("rows_missed")
        if is_down:
            self.abort(failure)
        else:
            self.record_failure(failure)
        return is_of_the_row

    def counts(self) -> dict[str, int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)

    def summary(self, under: Correlation, *, is_complete: bool) -> Summary:
        """Return the result of the sweep, with the calls that it made."""
        duration_s = self._clock.monotonic() - self._began_s
        return Summary(is_complete, self.failure, self.counts() | under.counts(), duration_s, under.id)
