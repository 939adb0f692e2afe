"""When records that a sweep keeps are read anew."""

from __future__ import annotations

import logging

from coupa_core.clock import Clock, Deadline
from coupa_core.errors import ServiceError

KEEP_S = 300.0
"""How long a sweep keeps members and delegations."""

STALE_S = 3600.0
"""How long a sweep still uses them when they cannot be read anew."""

READ_S = 5.0
"""The most seconds of a sweep for reading them: some approvals need none of them."""

AGAIN_S = 60.0
"""How long after a failure a sweep does not ask for them again."""

logger = logging.getLogger(__name__)


class Keeping:
    """The age of one kind of records, and the pause after a failure.

    Args:
        what: the records, for the log.
        clock: measures the age.
        keep_s: how long records are kept; 0 reads each time.
    """

    def __init__(self, what: str, clock: Clock, keep_s: float) -> None:
        self._what = what
        self._clock = clock
        self._keep_s = keep_s
        self._failed_at_s = float("-inf")

    def now_s(self) -> float:
        """Return the time on the clock of `read_at_s`."""
        return self._clock.monotonic()

    def is_fresh(self, read_at_s: float) -> bool:
        """Tell whether records that were read then are used as they are."""
        return self.now_s() - read_at_s < self._keep_s

    def is_stale(self, read_at_s: float) -> bool:
        """Tell whether records that were read then are too old even where no others can be read."""
        return self.now_s() - read_at_s >= STALE_S

    def in_time(self, deadline: Deadline) -> Deadline:
        """Return the deadline for reads that are kept; a click, which keeps nothing, has its own."""
        return deadline.within(READ_S) if self._keep_s else deadline

    def has_just_failed(self) -> bool:
        """Tell whether another call so soon after a failure would only cost the sweep time."""
        return self.now_s() - self._failed_at_s < min(AGAIN_S, self._keep_s)

    def note_failure(self, failure: ServiceError) -> None:
        """Remember and log that the records could not be read."""
        self._failed_at_s = self.now_s()
        logger.warning("%s not read code=%s cause=%s", self._what, failure.code, failure)
