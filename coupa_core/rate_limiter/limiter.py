"""Give out permits: from the row that all processes share, or alone if the table does not answer."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from coupa_core.clock import Clock, Deadline, until
from coupa_core.errors import Busy, Conflict, ServiceError
from coupa_core.ledger import LedgerStore, Note
from coupa_core.rate_limiter.ask import PermitRequest
from coupa_core.rate_limiter.permits import Permits, current

NAME = "turns"
"""The name of the row that all processes share."""

MAX_AHEAD_S = 30.0
"""The limit for a permit in the future: a row beyond it comes from a wrong clock, and is ignored.

If clocks differ by less, people at the slower process wait, or get the answer `busy`; if they differ by more,
each process has its own rate.
"""

YIELD_S = 5.0
"""How long a sweep yields to people; then it takes permits like them, so that it ends in time."""

TABLE_S = 3.0
"""The time limit of one thread's calls to the table, in seconds: the other threads wait for its answer."""

ALONE_S = 10.0
"""How long a process limits the rate alone after the table did not answer."""

SLOW_S = 1.0
"""The longest that a call counts as: a Coupa that hangs must not shut out every click."""

FIRST_S = 0.4
"""How long a call takes, as far as a new process knows."""

_WEIGHT = 1 / 8  # of the last call in the mean: one slow call changes little, ten change much

_FRESH_S = 2.0
"""How long a process assumes that no other has written; if one has, the table refuses the write."""

_TRIES = 8

logger = logging.getLogger(__name__)


@dataclass
class _WrittenRow:
    """The row after the last write of this process."""

    note: Note = field(default_factory=Note)
    at_s: float = float("-inf")


class RateLimiter:
    """Gives out permits.

    Args:
        store: the store of the row.
        clock: the time; processes share the wall clock.
        per_second: the rate of all processes together.
    """

    def __init__(self, store: LedgerStore, *, clock: Clock, per_second: int) -> None:
        self._store = store
        self._clock = clock
        self._per_second = per_second
        self.step_s = 1.0001 / per_second  # slightly more than its share, because clocks round
        self._asks: list[PermitRequest] = []
        self._seen = _WrittenRow()
        self._alone_until_s = float("-inf")
        self._call_s = FIRST_S
        self._own_at = float("-inf")  # on the monotonic clock, because no other process reads it
        self._spare: Permits | None = None
        self._table_lock = threading.Lock()  # one thread calls the table for all that wait
        self._sparing = threading.Lock()
        self._lock = threading.Lock()

    def admit(self, least: int, most: int, *, within_s: float) -> Permits:
        """Reserve permits for a person's request.

        Args:
            least: the number of calls that it needs.
            most: the number of calls that it would make.
            within_s: how far away the last one may be.

        Raises:
            Busy: so many are not free in time; nothing is reserved.
        """
        ask = PermitRequest(least, most, within_s)
        permits = self._ask_with_others(ask)
        if permits is None:
            raise Busy(
                "too many requests at this moment for the allowed rate",
                retry_after_s=max(1, math.ceil(ask.pause_s)),
            )
        return permits

    def learn(self, took_s: float) -> None:
        """Add the duration of a call, from its permit to its end, to the mean."""
        with self._lock:
            self._call_s += (min(took_s, SLOW_S) - self._call_s) * _WEIGHT

    @property
    def call_s(self) -> float:
        """Return the mean duration of recent calls, in seconds; at most `SLOW_S`."""
        return self._call_s

    def wait(self, deadline: Deadline) -> bool:
        """Wait for the next permit and take it: one of the calling request, or else a free one.

        Returns:
            False, at once, when none comes before the deadline.
        """
        permits = current.get()
        delay_s = (
            self._take_spare(deadline)
            if permits is None
            else permits.take(self._clock.monotonic(), within_s=deadline.left_s())
        )
        if delay_s is None:
            return False
        if delay_s > 0:
            self._clock.sleep(delay_s)
        return True

    def owe(self, delay_s: float) -> None:
        """Count a call beyond the reserved permits, so many seconds from now; later requests wait for it."""
        with self._lock:
            self._own_at = max(self._own_at, self._clock.monotonic() + delay_s) + self.step_s

    def _take_spare(self, deadline: Deadline) -> float | None:
        """Take a permit that no person needs, and return the seconds until it; None for none in time."""
        yields_until_s = self._clock.monotonic() + YIELD_S
        while True:
            with self._sparing:
                now_s = self._clock.monotonic()
                if self._spare is not None and self._spare.has_left(now_s):
                    return self._spare.take(now_s, within_s=deadline.left_s())
                yields = now_s < yields_until_s
                ask = PermitRequest(1, self._per_second, deadline.left_s(), yields=yields)
                before, self._spare = self._spare, self._ask_with_others(ask)
                if self._spare is not None:
                    self._spare.follow(before)
                    continue
            if not yields or ask.pause_s > deadline.left_s():
                return None
            self._clock.sleep(ask.pause_s)

    def _ask_with_others(self, ask: PermitRequest) -> Permits | None:
        """Request permits, together with the other threads that wait for the table."""
        with self._lock:
            self._asks.append(ask)
        with self._table_lock:
            if not ask.is_answered:
                with self._lock:
                    asks, self._asks = self._asks, []
                self._answer_all(sorted(asks, key=lambda each: each.yields))
        if not ask.number:
            return None
        return Permits(self, start_s=ask.start_s, number=ask.number, is_pair=ask.is_pair)

    def _answer_all(self, asks: Sequence[PermitRequest]) -> None:
        """Answer requests from the row; if the table does not answer, from a schedule of this process."""
        if self._clock.monotonic() >= self._alone_until_s:
            try:
                with until(Deadline(self._clock, TABLE_S)):
                    self._answer_together(asks)
            except ServiceError as failure:
                logger.warning("turns kept alone code=%s cause=%s", failure.code, failure)
                self._alone_until_s = self._clock.monotonic() + ALONE_S
            else:
                return
        with self._lock:
            now_s = self._clock.monotonic()
            self._own_at = self._give_permits(asks, self._own_at, now_s, now_s)

    def _answer_together(self, asks: Sequence[PermitRequest]) -> None:
        failure: ServiceError | None = None
        for _ in range(_TRIES):
            is_fresh = self._clock.monotonic() < self._seen.at_s + _FRESH_S
            note = self._seen.note if is_fresh else self._store.note(NAME)
            now, now_s = self._now(), self._clock.monotonic()
            with self._lock:
                own_s = self._own_at - now_s
            owed_s = max(0.0, own_s)
            # Without a debt it may be in the past: since then no permit was given, by the row or here.
            free_at = (
                max(_free_at(note, now), now) + owed_s if owed_s else max(_free_at(note, now), now + own_s)
            )
            then = self._give_permits(asks, free_at, now, now_s)
            if then == max(free_at, now):
                return
            text = f"{then:.6f}"
            try:
                etag = self._store.save_note(NAME, replace(note, text=text))
            except Conflict as error:
                failure, self._seen = error, _WrittenRow()
                continue
            self._seen = _WrittenRow(Note(text, etag), self._clock.monotonic())
            with self._lock:
                self._own_at -= owed_s
            return
        assert failure is not None  # noqa: S101
        raise failure

    def _give_permits(self, asks: Sequence[PermitRequest], free_at: float, now: float, now_s: float) -> float:
        """Give permits to requests from a time on; return when the next permit is free then.

        Args:
            asks: the requests.
            free_at: when the next permit is free, or was, on the clock of the schedule.
            now: the time on that clock.
            now_s: the same moment on the monotonic clock; a thread may read its answer much later.
        """
        for ask in asks:
            is_idle = free_at <= now - self.step_s
            free_at = ask.answer(max(free_at, now), now, self.step_s, is_idle=is_idle)
            ask.start_s = now_s + ask.delay_s
        return free_at

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _free_at(note: Note, now: float) -> float:
    """Return when the next permit is free, or was; now if the row is unreadable or wrong."""
    try:
        free_at = float(note.text)
    except ValueError:
        return now
    return free_at if free_at <= now + MAX_AHEAD_S else now
