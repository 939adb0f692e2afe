"""The days of the audit log: which one grows, how the next begins, and which are purged."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import takewhile

from coupa_core.audit_log.chain import ROOT, Head, Seals
from coupa_core.audit_log.events import event_text
from coupa_core.audit_log.port import AuditStore
from coupa_core.clock import Clock, Deadline
from coupa_core.errors import Malformed, ServiceError

logger = logging.getLogger(__name__)


class Days:
    """The heads of the days.

    Args:
        store: where the rows are.
        seals: the keys.
        clock: says which day it is.
    """

    def __init__(self, store: AuditStore, *, seals: Seals, clock: Clock) -> None:
        self._store = store
        self._seals = seals
        self._clock = clock

    def open_head(self) -> Head:
        """Return the head of the day to append to, when no earlier day can grow any more.

        At midnight one writer after the other may take any of these steps, and die after it:

        1. the day before names the next one, once and for all: from now on nothing is appended to it;
        2. the next one's head is stored, without rows;
        3. the day before notes that it was: if it vanishes now, that is no beginning but a loss;
        4. rows are appended.
        """
        today = self._clock.now().date()
        head = self._store.head(today)
        newest = (today, head) if head and not head.next else next(self._store.heads(), None)
        head = self._sound(*newest) if newest else self._store.write(self._seals.resealed(Head(day=ROOT)))
        while head.next or head.day < today:
            head = self._next_head(head, today)
        if head.before and head.seq == 0:
            before = self._sound(head.before, self._store.head(head.before))
            if not before.is_followed:
                self._store.write(self._seals.resealed(replace(before, is_followed=True)))
        return head

    def _next_head(self, head: Head, today: date) -> Head:
        """Return the stored head of the day after."""
        if head.next is None:
            head = self._store.write(self._seals.resealed(replace(head, next=today)))
        day = head.next or today
        found = self._store.head(day)
        if found is None and not head.is_followed:
            begun = Head(day=day, hash=head.hash, before=head.day, kid=head.kid)
            found = self._store.write(self._seals.resealed(begun))
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
                f"the audit record ends on {day} with a seal by key {event_text(head.kid)}, which is not "
                "known here: if that was a key of yours, put it back behind the first one until something "
                "has been recorded; if not, keep the table as it is, and name another in AUDIT_TABLE",
            )
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
        old = [(day, head) for day, head in self._store.heads(before=limit) if head is None or head.next]
        last = self._last_known(old)
        if last is None:
            return 0
        if last.purged is None or last.kid != self._seals.kid:
            count = _count(head for day, head in old if head and day <= last.day)
            self._store.write(self._seals.sealed(replace(self._sound(last.day, last), purged=count)))
        days = [day for day, _ in reversed(old) if day <= last.day]
        return self._erase(days, last.day, deadline)

    def _erase(self, days: Iterable[date], last: date, deadline: Deadline | None) -> int:
        """Delete the rows of these days, and the heads of all but the last; return how many rows."""
        purged, failures = 0, list[ServiceError]()
        for day in takewhile(lambda _: deadline is None or deadline.left_s() > 0, days):
            try:
                purged += self._store.erase(day, with_head=day < last)
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


def _count(heads: Iterable[Head]) -> int:
    """Return the number of rows of purged days, with those of earlier purges; the newest day comes first."""
    total = 0
    for head in heads:
        total += head.seq if head.purged is None else head.purged
        if head.purged is not None:
            break
    return total
