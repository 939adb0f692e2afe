"""The audit log on top of a store of rows: safe against races, lost answers and midnight."""

from __future__ import annotations

import json
import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import takewhile
from typing import Protocol

from coupa_core.audit_log.chain import ROOT, Head, Row, Seals, link
from coupa_core.audit_log.check import Broken, Check, CheckReport, Fault, Place
from coupa_core.audit_log.events import Event, folded
from coupa_core.clock import Clock, Deadline, time_left_s
from coupa_core.errors import Conflict, Malformed, ServiceError, Unavailable, Unknown

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


class AuditStore(Protocol):
    """The port to the stored rows; each method raises `Unavailable` or `Unknown` when there is no answer."""

    def head(self, day: date) -> Head | None:
        """Return the head of a day, or None; raises `Malformed` when it cannot be read."""
        ...

    def heads(self, *, before: date | None = None) -> Iterator[tuple[date, Head | None]]:
        """Yield each stored day, the newest first, and its head if it can be read.

        Args:
            before: earlier days only.
        """
        ...

    def rows(self, day: date, *, after: int = 0) -> Iterator[Row]:
        """Yield the rows of a day from the place after that one, by their keys, without holding them all."""
        ...

    def write(self, head: Head, rows: Sequence[Row] = ()) -> Head:
        """Store new rows and the head of their day, all or nothing, and return the head with its etag.

        Raises:
            Conflict: a row exists; or the head does, and this one has no etag; or it has another etag.
        """
        ...

    def erase(self, day: date, *, with_head: bool) -> int:
        """Delete the rows of a day, then its head if asked for, and return how many rows."""
        ...


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
        nonce = self._new_nonce()
        maybe: Head | None = None
        prev = ""
        races = failures = 0
        while True:
            try:
                head = self._open_head()
                # An answer was lost: the row itself shows it. It is read after the head: any later write
                # must fit that head, so ours cannot arrive afterwards.
                if maybe and self._is_stored(maybe):
                    return maybe, prev
                rows, maybe = link(head, events, nonce=nonce, seals=self._seals)
                prev = head.hash
                try:
                    return self.store.write(maybe, rows), prev
                except Conflict:
                    # The head has changed: our write changed it, or it can no longer arrive.
                    if self._is_stored(maybe):
                        return maybe, prev
                    maybe = None
                    raise
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

    def _is_stored(self, tried: Head) -> bool:
        """Tell whether the last row of a transaction is stored, which means that all its rows are."""
        row = next(self.store.rows(tried.day, after=tried.seq - 1), None)
        return row is not None and row.hash == tried.hash

    def _open_head(self) -> Head:
        """Return the head of the day to append to, when no earlier day can grow any more.

        At midnight one writer after the other may take any of these steps, and die after it:

        1. the day before names the next one, once and for all: from now on nothing is appended to it;
        2. the next one's head is stored, without rows;
        3. the day before notes that it was: if it vanishes now, that is no beginning but a loss;
        4. rows are appended.
        """
        today = self._clock.now().date()
        head = self.store.head(today)
        newest = (today, head) if head and not head.next else next(self.store.heads(), None)
        head = self._sound(*newest) if newest else self.store.write(self._seals.kept(Head(day=ROOT)))
        while head.next or head.day < today:
            head = self._next_head(head, today)
        if head.before and head.seq == 0:
            before = self._sound(head.before, self.store.head(head.before))
            if not before.is_followed:
                self.store.write(self._seals.kept(replace(before, is_followed=True)))
        return head

    def _next_head(self, head: Head, today: date) -> Head:
        """Return the stored head of the day after."""
        if head.next is None:
            head = self.store.write(self._seals.kept(replace(head, next=today)))
        day = head.next or today
        found = self.store.head(day)
        if found is None and not head.is_followed:
            begun = Head(day=day, hash=head.hash, before=head.day, kid=head.kid)
            found = self.store.write(self._seals.kept(begun))
        return self._sound(day, found)

    def _sound(self, day: date, head: Head | None) -> Head:
        """Return a head after checking its seal: a new seal over a forged head would hide the forgery.

        A seal with an unknown key does not count: a stranger can make one, under any name.

        Raises:
            Malformed: it is missing, cannot be read, or its seal does not hold here.
        """
        if head is None or head.day != day or self._seals.holds(head) is False:
            raise Malformed(
                "audit_broken",
                f"the audit record has no sound head of {day}: check it, keep its table as it is, and name "
                "another in AUDIT_TABLE",
            )
        if self._seals.holds(head) is None:
            raise Malformed(
                "audit_foreign",
                f"the audit record ends on {day} with a seal by key {folded(head.kid)}, which is not known "
                "here: if that was a key of yours, put it back behind the first one until something has been "
                "recorded; if not, keep the table as it is, and name another in AUDIT_TABLE",
            )
        return head

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
        """Delete the rows of whole days that are older, and return how many.

        The head of the last of them stays and records how many were purged, which distinguishes a purge from
        a loss. Its seal must be valid, so days whose key is gone wait for a later day whose key is known.

        Args:
            keep_days: 0 keeps them for ever.
            deadline: no further day is begun after it; the next purge goes on.

        Raises:
            Conflict, Unavailable, Unknown: the next purge goes on. A day that fails does not stop the others;
            the
                first failure is raised at the end.
        """
        if keep_days == 0:
            return 0
        limit = self._clock.now().date() - timedelta(days=keep_days)
        old = [(day, head) for day, head in self.store.heads(before=limit) if head is None or head.next]
        last = self._last_known(old)
        if last is None:
            return 0
        if last.purged is None or last.kid != self._seals.kid:
            count = _count(head for day, head in old if head and day <= last.day)
            self.store.write(self._seals.on(replace(self._sound(last.day, last), purged=count)))
        days = [day for day, _ in reversed(old) if day <= last.day]
        return self._erase(days, last.day, deadline)

    def _erase(self, days: Iterable[date], last: date, deadline: Deadline | None) -> int:
        """Delete the rows of these days, and the heads of all but the last; return how many rows."""
        purged, failures = 0, list[ServiceError]()
        for day in takewhile(lambda _: deadline is None or deadline.left_s() > 0, days):
            try:
                purged += self.store.erase(day, with_head=day < last)
            except ServiceError as failure:
                failures.append(failure)
        if purged:
            logger.info("audit purged=%s up to day=%s", purged, last)
        if failures:
            raise failures[0]
        return purged

    def _last_known(self, days: Iterable[tuple[date, Head | None]]) -> Head | None:
        """Return the first head with a valid seal; None for none."""
        known = (head for day, head in days if head and day > ROOT and self._seals.holds(head) is not None)
        return next(known, None)

    def _stored(self) -> list[tuple[date, Head | None]]:
        """Return the stored days, the oldest first, from the last purged one on."""
        days: list[tuple[date, Head | None]] = []
        for day, head in self.store.heads():
            days.append((day, head))
            if head and head.purged is not None:
                break
        return days[::-1]


def _count(heads: Iterable[Head]) -> int:
    """Return the number of rows of purged days, with those of earlier purges; the newest day comes first."""
    total = 0
    for head in heads:
        total += head.seq if head.purged is None else head.purged
        if head.purged is not None:
            break
    return total
