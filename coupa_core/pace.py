"""A rate that one process keeps by itself: so many starts in any window.

It knows no service. `rate_limiter` keeps a rate that all processes share.
"""

from __future__ import annotations

import threading
from collections import deque

from coupa_core.clock import Clock, Deadline


class Pace:
    """An allowed rate: at most `limit` starts in any window of `period_s`, across threads.

    Bursts up to the limit are allowed; a call that does not fit before the caller's deadline is not started.
    """

    def __init__(self, clock: Clock, *, limit: int, period_s: float) -> None:
        self._clock = clock
        self._limit = limit
        self._period_s = period_s
        self._starts: deque[float] = deque(maxlen=limit)
        self._lock = threading.Lock()

    def wait(self, deadline: Deadline) -> bool:
        """Wait for the next free start and take it.

        Returns:
            False, at once, when the next start is beyond the deadline; nothing is taken then.
        """
        with self._lock:
            now = self._clock.monotonic()
            start = max(now, self._next())
            if start - now > deadline.left_s():
                return False
            self._starts.append(start)
        if start > now:
            self._clock.sleep(start - now)
        return True

    def learn(self, took_s: float) -> None:
        """Ignore how long a call took; this rate does not depend on it."""

    def free(self, within_s: float) -> int:
        """Return how many starts could still be taken within that many seconds."""
        with self._lock:
            until = self._clock.monotonic() + within_s
            taken = sum(1 for start in self._starts if start + self._period_s > until)
            return self._limit - taken

    def remember(self, seconds_ago: float) -> None:
        """Count a start that another process made."""
        with self._lock:
            merged = sorted([*self._starts, self._clock.monotonic() - seconds_ago])
            self._starts = deque(merged, maxlen=self._limit)

    def _next(self) -> float:
        full = len(self._starts) == self._limit
        return self._starts[0] + self._period_s if full else float("-inf")
