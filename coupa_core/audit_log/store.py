"""The audit log on top of a store of rows: safe against races, lost answers and midnight."""

from __future__ import annotations

import json
import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import takewhile

from coupa_core.audit_log.chain import Head, Row, Seals, link
from coupa_core.audit_log.check import Broken, Check, CheckReport, Fault, Place
from coupa_core.audit_log.days import Days
from coupa_core.audit_log.events import Event
from coupa_core.audit_log.port import AuditStore
from coupa_core.clock import Clock, Deadline, time_left_s
from coupa_core.errors import Conflict, ServiceError, Unavailable, Unknown

logger = logging.getLogger(__name__)

MAX_ROWS = 99
"""Rows that are written at once: a transaction holds a hundred, and one of these is the head.

Source: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""

_RACES = 24
"""The most races that an append may lose."""

_FAILURES = 2
"""The most failures of the store in an append: a click has ten seconds in all."""

_TURN_S = 1.0
_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.3


@dataclass
class _Attempt:
    """The writes of one append.

    Attributes:
        nonce: by which its rows are known again.
        maybe: the head that a write may have left; None where none can have.
        prev: the hash that the rows follow.
    """

    nonce: str
    maybe: Head | None = None
    prev: str = ""


class AuditLog:
    """The audit log: appends events, reads and checks the rows, and purges old ones.

    Args:
        store: where the rows are.
        seals: the keys.
        clock: says which day it is.
        chance: for the length of pauses.
        new_nonce: returns 128 random bits as text; a fresh one for each append.
    """

    def __init__(
        self,
        store: AuditStore,
        *,
        seals: Seals,
        clock: Clock,
        chance: random.Random,
        new_nonce: Callable[[], str],
    ) -> None:
        self.store = store
        self._seals = seals
        self._clock = clock
        self._chance = chance
        self._new_nonce = new_nonce
        # The lock only avoids races inside this process; the head's etag keeps the chain whole.
        self._turn = threading.Lock()
        self._days = Days(store, seals=seals, clock=clock)

    def record(self, events: Sequence[Event], *, required: bool) -> bool:
        """Append events, or at least leave them in the log.

        Args:
            events: in their order.
            required: the caller cannot go on without the events.

        Returns:
            Whether they are stored; if not, each is in the log as one line of JSON.

        Raises:
            ServiceError: as `append`, when required.
        """
        try:
            self.append(events)
        except ServiceError as error:
            if required:
                raise
            for event in events:
                lost = {"audit_event_not_stored": error.code, "event": event.values()}
                logger.error("%s", json.dumps(lost, ensure_ascii=False))  # noqa: TRY400 - it says the cause
            return False
        return True

    def append(self, events: Sequence[Event]) -> None:
        """Append events at the end of the chain: 99 at a time, all or none of these.

        The day of the chain is that of the clock, or a later one that somebody has begun.

        Raises:
            Conflict: other writers were always quicker.
            Unavailable, Unknown: the outcome of the write is not known.
            Malformed: the end of the chain is damaged.
        """
        for start in range(0, len(events), MAX_ROWS):
            has_turn = self._turn.acquire(timeout=max(0.0, min(_TURN_S, time_left_s())))
            try:
                head, prev = self._append(events[start : start + MAX_ROWS])
            finally:
                if has_turn:
                    self._turn.release()
            # This line is an anchor outside of the store: it has the end of the chain and the hash that was
            # there before. Two appends to one place mean that the store was set back in between.
            logger.info("audit day=%s seq=%s hash=%s prev=%s", head.day, head.seq, head.hash, prev)

    def _append(self, events: Sequence[Event]) -> tuple[Head, str]:
        """Return the head after the events, and the hash that the first of them follows."""
        attempt = _Attempt(self._new_nonce())
        races = failures = 0
        while True:
            try:
                return self._write(events, attempt)
            except Conflict:
                races += 1
                if races == _RACES:
                    raise
                longest_s = min(_PAUSE_S * 2**races, _LONGEST_PAUSE_S)
                self._clock.sleep(self._chance.uniform(0, longest_s))
            except (Unavailable, Unknown):
                failures += 1
                if failures == _FAILURES:
                    raise

    def _write(self, events: Sequence[Event], attempt: _Attempt) -> tuple[Head, str]:
        """Write the events once, unless an earlier attempt did."""
        head, maybe = self._days.open_head(), attempt.maybe
        # An answer was lost: the row itself shows it. It is read after the head: any later write
        # must fit that head, so ours cannot arrive afterwards.
        if maybe and self._is_stored(maybe):
            return maybe, attempt.prev
        rows, maybe = link(head, events, nonce=attempt.nonce, seals=self._seals)
        attempt.maybe, attempt.prev = maybe, head.hash
        try:
            return self.store.write(maybe, rows), head.hash
        except Conflict:
            # The head has changed: our write changed it, or it can no longer arrive.
            if self._is_stored(maybe):
                return maybe, head.hash
            attempt.maybe = None
            raise

    def _is_stored(self, tried: Head) -> bool:
        """Tell whether the last row of a transaction is stored, which means that all its rows are."""
        row = next(self.store.rows(tried.day, after=tried.seq - 1), None)
        return row is not None and row.hash == tried.hash

    def rows(self, *, since: date, until: date) -> Iterator[tuple[date, Row]]:
        """Yield the rows of these days, both included, in the order of time; not those of purged days.

        Raises:
            Unavailable, Unknown: the store does not answer.
        """
        for day, head in self._stored():
            if since <= day <= until and (head is None or head.purged is None):
                for row in self.store.rows(day):
                    yield day, row

    def verify(
        self,
        *,
        since: date = date.min,
        until: date = date.max,
        retired: Collection[str] = (),
        anchors: Mapping[Place, Collection[str]] | None = None,
    ) -> CheckReport:
        """Check the chain, while others may append to it.

        The links between days are always checked, the rows only of these days, both included. A purge that
        runs at the same time may look like a removal.

        Args:
            since: the first day whose rows are read.
            until: the last one.
            retired: keys that are gone; the operator vouches for their rows.
            anchors: hashes of rows from outside of the store, by day and place.

        Raises:
            Unavailable, Unknown, Malformed: the store does not answer as it should.
        """
        check = Check(self._seals, retired=retired, anchors=anchors)
        try:
            self._follow(check, since, until)
            check.close(since, until)
        except Broken as broken:
            check.report.broken = broken
        return check.report

    def _follow(self, check: Check, since: date, until: date) -> None:
        left = deque(self._stored())
        while left:
            head = check.begin(*left.popleft())
            if since <= head.day <= until and head.purged is None:
                head = self._check_rows(check, head)
            day = check.step(head, left[0][0] if left else None)
            if day and not (left and left[0][0] == day):
                found = self.store.head(day)  # it began after this check, or not yet
                if found:
                    check.report.last = self.store.head(head.day)  # which may have recorded it since
                    left.appendleft((day, found))
                elif left or head.is_followed:
                    raise Broken(day, None, Fault.REMOVED, f"the whole day that {head.day} was followed by")

    def _check_rows(self, check: Check, head: Head) -> Head:
        day = head.day
        for row in self.store.rows(day):
            check.row(head, row)
        if head.next is None:
            # Another writer may have appended meanwhile; all rows up to its head must be there.
            head = self.store.head(day) or check.begin(day, None)
            for row in takewhile(lambda row: row.seq <= head.seq, self.store.rows(day, after=check.seq)):
                check.row(head, row)
        check.end(head)
        return head

    def purge(self, *, keep_days: int, deadline: Deadline | None = None) -> int:
        """Delete the rows of whole days that are older, and return how many; see `Days.purge`."""
        return self._days.purge(keep_days=keep_days, deadline=deadline)

    def _stored(self) -> list[tuple[date, Head | None]]:
        """Return the stored days, the oldest first, from the last purged one on."""
        days: list[tuple[date, Head | None]] = []
        for day, head in self.store.heads():
            days.append((day, head))
            if head and head.purged is not None:
                break
        return days[::-1]
