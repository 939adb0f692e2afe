"""The cache policy of a sweep: when cached records are fresh, stale, or read again."""

from __future__ import annotations

import logging

from coupa_core.clock import Clock, Deadline
from coupa_core.errors import ServiceError

KEEP_S = 300.0
"""How long a sweep uses cached members and delegations."""

STALE_S = 3600.0
"""How long a sweep still uses them when they cannot be read again."""

READ_S = 5.0
"""The time limit of such a read, so that approvals that need none of it do not wait."""

AGAIN_S = 60.0
"""The pause after a failed read."""

logger = logging.getLogger(__name__)


class CachePolicy:
    """The policy for one kind of records; it remembers the last failure.

    Args:
        what: the name of the records, for the log.
        clock: measures the age.
        keep_s: how long records are fresh, in seconds; 0 disables the cache.
    """

    def __init__(self, what: str, clock: Clock, keep_s: float) -> None:
        self._what = what
        self._clock = clock
        self._keep_s = keep_s
        self._failed_at_s = float("-inf")

    def now_s(self) -> float:
        """Return the time of the monotonic clock, on which `read_at_s` counts."""
        return self._clock.monotonic()

    def is_fresh(self, read_at_s: float) -> bool:
        """Tell whether records of this time are used without a new read."""
        return self.now_s() - read_at_s < self._keep_s

    def is_stale(self, read_at_s: float) -> bool:
        """Tell whether records of this time are too old even when a new read fails."""
        return self.now_s() - read_at_s >= STALE_S

    def in_time(self, deadline: Deadline) -> Deadline:
        """Return the deadline of a cached read; a click, which caches nothing, has its own."""
        return deadline.within(READ_S) if self._keep_s else deadline

    def has_just_failed(self) -> bool:
        """Tell whether the last failure is so recent that another read would only cost time."""
        return self.now_s() - self._failed_at_s < min(AGAIN_S, self._keep_s)

    def note_failure(self, failure: ServiceError) -> None:
        """Record and log a failed read."""
        self._failed_at_s = self.now_s()
        logger.warning("%s not read code=%s cause=%s", self._what, failure.code, failure)
