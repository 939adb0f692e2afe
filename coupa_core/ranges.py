"""Read a list by ranges of ids: newest first, by several workers, in parts, past unlistable records.

A page that fails keeps nobody from the rest of the list: its range is halved, down to the one at fault.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable

from coupa_core.clock import Deadline
from coupa_core.errors import BridgeError, ServiceError
from coupa_core.halving import MAX_ALONE
from coupa_core.model import ALL_IDS, IdRange
from coupa_core.parallel import map_parallel

SPLIT_OVER = 100
"""Ids in a range, at least, of which an idle worker takes half."""

FAR_AWAY = 2**31 - 2
"""An id that nobody has, and that fits into 32 bits."""

MAX_RANGES = 100
"""The most ranges that are kept in one text of the table; beyond that, adjoining ranges are joined."""


class Ranges:
    """Ranges of ids that are still to be read.

    Args:
        unread: the ranges to read.
        failed: those that failed before; they come last.
        ask: reads the newest page of a range, and returns the ids that are left behind it; None for no more.
        alone: takes in an id that cannot be listed.
        newest: returns the greatest known id, where a range without an upper limit is split.
        begins: the deadline for the start of a page.
        calls: the most requests.
        alone_for: the number of pages that one worker reads alone; a small list is not worth more calls.

    Attributes:
        unread: the ranges that are still to be read.
        failed: the ranges that failed.
        came: how many pages came.
        asked: the number of requests.
        failure: the first failure.
    """

    def __init__(
        self,
        unread: Iterable[IdRange],
        failed: Iterable[IdRange] = (),
        *,
        ask: Callable[[IdRange], IdRange | None],
        alone: Callable[[int], None],
        newest: Callable[[], int],
        begins: Deadline,
        calls: int = sys.maxsize,
        alone_for: int = sys.maxsize,
    ) -> None:
        self.unread, self.failed = list(unread), list(failed)
        self.came = self.asked = 0
        self.failure: BridgeError | None = None
        self._ask, self._alone, self._newest = ask, alone, newest
        self._begins, self._calls, self._alone_for = begins, calls, alone_for
        self._lock = threading.Condition()
        self._working = self._idle = self._in_a_row = 0
        self._stops = False

    @property
    def is_complete(self) -> bool:
        """Tell whether everything was read."""
        return not self.unread and not self.failed

    @property
    def is_cut_off(self) -> bool:
        """Tell whether the service answers nothing useful now."""
        return self._stops

    @property
    def was_silent(self) -> bool:
        """Tell whether a part is unread because a request failed or no page came.

        A part that is left only because the list is long does not count.
        """
        return bool(self.failed) or (not self.came and not self.is_complete)

    def read(self, *, workers: int) -> None:
        """Read until everything is read, time is up, or the service answers nothing useful."""
        map_parallel(lambda _: self._work(), range(workers), workers=workers)
        if len(self.unread) + len(self.failed) > MAX_RANGES:
            self.unread, self.failed = _joined([*self.unread, *self.failed]), []
        self.unread.sort(reverse=True)

    def _work(self) -> None:
        while (ids := self._next()) is not None:
            rest, failed, has_come = [ids], list[IdRange](), False
            try:
                left = self._ask(ids)
                rest, has_come = ([left] if left is not None else []), True
            except BridgeError as failure:
                rest, failed = self._apart(ids, failure)
            finally:
                with self._lock:
                    self._working -= 1
                    self.came += has_come
                    self._in_a_row = 0 if has_come else self._in_a_row
                    is_shared = self._idle > len(self.unread) and self.came > self._alone_for
                    self.unread += [half for one in rest for half in (_halves(one) if is_shared else [one])]
                    self.failed += failed
                    self._lock.notify_all()

    def _next(self) -> IdRange | None:
        """Take the newest range, one that failed after all others; None when there is nothing to do."""
        with self._lock:
            while self._working and not self.unread and not self._is_over:
                self._idle += 1
                self._lock.wait()
                self._idle -= 1
            ranges = self.unread or self.failed
            if self._is_over or not ranges:
                return None
            ids = max(ranges)
            ranges.remove(ids)
            self._working += 1
            self.asked += 1
            return ids

    @property
    def _is_over(self) -> bool:
        return self._stops or self.asked >= self._calls or self._begins.left_s() <= 0

    def _apart(self, ids: IdRange, failure: BridgeError) -> tuple[list[IdRange], list[IdRange]]:
        """Return the ranges to read next and last; blame a record only where the service answers others."""
        if self._begins.left_s() <= 0 and self.came:
            return [ids], []  # it was begun too late
        self.failure = self.failure or failure
        self._in_a_row += 1
        low, high = ids
        is_of_one = isinstance(failure, ServiceError) and failure.may_be_of_one
        is_doubtful = low == high or not self.came or self._in_a_row % MAX_ALONE == 0
        if not is_of_one or (is_doubtful and not self._is_alive()):
            self._stops = True
            return [ids], []
        if low == high:
            self._alone(low)
            return [], []
        middle = max(self._newest(), 2 * low) if high == ALL_IDS[1] else (low + high) // 2
        return [(low, middle)], [(middle + 1, high)]

    def _is_alive(self) -> bool:
        """Request an id that does not exist: an empty answer shows that the service works."""
        nobodys = max(FAR_AWAY, 2 * self._newest())
        self.asked += 1
        try:
            self._ask((nobodys, nobodys))
        except BridgeError:
            return False
        return True


def _halves(ids: IdRange) -> list[IdRange]:
    """Return the newer and the older half of a range; a small one stays whole."""
    low, high = ids
    middle = (low + high) // 2
    return [(middle + 1, high), (low, middle)] if high - low > SPLIT_OVER else [ids]


def _joined(ranges: Iterable[IdRange]) -> list[IdRange]:
    """Return the same ids in as few ranges as there can be.

    >>> _joined([(7, 9), (1, 3), (4, 5)])
    [(1, 5), (7, 9)]
    """
    joined: list[IdRange] = []
    for low, high in sorted(ranges):
        if joined and joined[-1][1] + 1 >= low:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined
