"""Check the chain of stored rows, and find the first fault. Pure.

It receives heads and rows in the order of time, one at a time, and keeps none of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from coupa_core.audit_log.chain import GENESIS, Head, Row, Seals, row_hash
from coupa_core.audit_log.events import event_text
from coupa_core.errors import BridgeError

Place = tuple[date, int]
"""The position of a row: the day of the chain, and its place there."""


class Fault(StrEnum):
    """The faults of a link."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    REORDERED = "reordered"
    HEAD = "head does not fit"
    FOREIGN = "foreign seal"
    ANOTHER = "not what was noted"


class Broken(BridgeError):
    """The first fault of a broken chain.

    Attributes:
        day: of the chain.
        seq: the place of the row; None where the fault concerns the whole day or its head.
        fault: the kind of fault.
    """

    def __init__(self, day: date, seq: int | None, fault: Fault, detail: str) -> None:
        place = f"{day}" if seq is None else f"{day}, row {seq}"
        super().__init__("audit_broken", f"{place}: {fault} ({event_text(detail)})")
        self.day = day
        self.seq = seq
        self.fault = fault


@dataclass
class CheckReport:
    """The result of a check.

    Attributes:
        days: the number of whole days, without empty ones.
        rows: the number of rows with valid links.
        unsealed: the number of rows whose key is no longer known.
        unknown_kids: unknown keys of rows and heads that nothing confirms; empty when all is well.
        anchored: the number of rows that match an anchor outside of the store.
        purged: the head of the last day that was deleted because of its age, or None.
        last: the last head; a copy of its hash elsewhere is an anchor.
        broken: the first fault, or None.
    """

    days: int = 0
    rows: int = 0
    unsealed: int = 0
    anchored: int = 0
    unknown_kids: set[str] = field(default_factory=set)
    purged: Head | None = None
    last: Head | None = None
    broken: Broken | None = None


class Check:
    """Follows the chain from its beginning. Every method raises `Broken` at a fault.

    For each day: `begin`; `row` for each row and `end`, unless the rows are not to be read; `step`. Then
    `close`.

    A row with an unknown key is in doubt, even if a known seal follows: an earlier version appended its rows
    to any end. The next row removes the doubt when it `follows` that key: its writer had the key, and checked
    the seal.

    Args:
        seals: the keys.
        retired: keys that are gone; the operator vouches for their rows.
        anchors: hashes of rows from outside of the store, by day and place.

    Attributes:
        report: the result so far.
        seq: the place of the last row.
    """

    def __init__(
        self,
        seals: Seals,
        *,
        retired: Collection[str] = (),
        anchors: Mapping[Place, Collection[str]] | None = None,
    ) -> None:
        self.report = CheckReport()
        self.seq = 0
        self._seals = seals
        self._retired = retired
        self._noted = {place: set(hashes) for place, hashes in (anchors or {}).items()}
        self._prev = GENESIS
        self._by: str | None = None  # the unknown key that sealed the row before

    def begin(self, day: date, head: Head | None) -> Head:
        """Check the link from a day to the one before, and return its head.

        Args:
            day: the next in the chain.
            head: as stored; None when it is missing or cannot be read.
        """
        if head is None or head.day != day:
            raise Broken(day, None, Fault.HEAD, "the head is missing or cannot be read")
        is_sealed = self._is_sealed(head)
        before = self.report.last
        if head.purged is not None:
            if not is_sealed:  # only one head records a purge
                self._doubt(head.kid)
            self.report.purged = head
        elif head.before and before is None:
            raise Broken(head.before, None, Fault.REMOVED, f"{day} says that this day was before it")
        if before is not None and head.before != before.day:
            raise Broken(day, None, Fault.HEAD, f"it does not say that {before.day} was before it")
        if before is not None and head.seq and not before.is_followed:
            raise Broken(before.day, None, Fault.HEAD, f"it does not note that {day} was begun: rolled back")
        self._prev = before.hash if before else GENESIS
        self.seq = 0
        self.report.last = head
        return head

    def row(self, head: Head, row: Row) -> None:
        """Check the next row of a day.

        Args:
            head: of the day, read before the rows.
            row: the next by its key.
        """
        seq, day = self.seq + 1, head.day

        def broken(fault: Fault, detail: str) -> Broken:
            return Broken(day, seq, fault if seq <= head.seq else Fault.ADDED, detail)

        if row.seq < seq:
            raise Broken(day, seq, Fault.ADDED, "something lies here under a key that is no place")
        if row.seq > seq:
            raise broken(Fault.REMOVED, f"the next that is there is row {row.seq}")
        values = row.values()
        if not values or row_hash(row.prev, row.text) != row.hash:
            raise broken(Fault.CHANGED, "its hash is not that of its content")
        if (values.get("day"), values.get("seq")) != (day.isoformat(), seq):
            raise broken(Fault.REORDERED, f"it was written as {values.get('day')}, row {values.get('seq')}")
        if row.prev != self._prev:
            raise broken(Fault.CHANGED, "it does not follow the row before it")
        kid = str(values.get("kid"))
        is_sealed = self._seals.hold(kid, text=row.hash, seal=row.seal)
        if is_sealed is False:
            raise broken(Fault.FOREIGN, f"its seal is not by key {kid}")
        noted = self._noted.pop((day, seq), None)
        if noted and noted != {row.hash}:
            raise broken(Fault.ANOTHER, "another hash was noted outside of the store: set back")
        if self._by not in (None, kid, values.get("follows")):
            self._doubt_unless_retired(self._by)
        self._by = None if is_sealed else kid
        self.report.anchored += noted is not None
        self.report.unsealed += is_sealed is None
        self.report.rows += 1
        self._prev, self.seq = row.hash, seq

    def end(self, head: Head) -> None:
        """Check that the rows end where the head says.

        Args:
            head: of the day, read after the rows when rows may have been added.
        """
        is_sealed = self._is_sealed(head)
        if self.seq < head.seq:
            raise Broken(head.day, self.seq + 1, Fault.REMOVED, f"the head knows of {head.seq} rows")
        if self.seq > head.seq:
            raise Broken(head.day, None, Fault.HEAD, f"it knows of {head.seq} rows only: rolled back")
        if head.hash != self._prev:
            raise Broken(head.day, None, Fault.HEAD, "its hash is not that of the last row")
        if head.seq and not is_sealed and head.kid != self._by:  # otherwise the check of the rows covers it
            self._doubt_unless_retired(head.kid)
        self.report.last = head
        self.report.days += head.seq > 0

    def step(self, head: Head, upcoming: date | None) -> date | None:
        """Return the day after, or None at the end.

        Args:
            head: of the present day.
            upcoming: the earliest later day with a head or rows when the check began.
        """
        if head.next is None and upcoming:
            raise Broken(head.day, None, Fault.HEAD, f"it does not know that {upcoming} came: rolled back")
        if head.next and upcoming and upcoming < head.next:
            raise Broken(upcoming, None, Fault.ADDED, f"{head.day} says that {head.next} comes after it")
        return head.next

    def close(self, since: date, until: date) -> None:
        """Make the checks that need all days.

        Args:
            since: the first day whose rows were read.
            until: the last one.
        """
        last, purged = self.report.last, self.report.purged
        if self._by is not None:
            self._doubt(self._by)  # nothing comes after it
        if last is not None and not self._is_sealed(last):
            self._doubt(last.kid)
        first = max(since, purged.day + timedelta(days=1)) if purged else since
        missing = min((place for place in self._noted if first <= place[0] <= until), default=None)
        if missing:
            raise Broken(*missing, Fault.REMOVED, "it was noted outside of the store: set back")

    def _is_sealed(self, head: Head) -> bool:
        """Tell whether a known key has sealed a head."""
        is_sealed = self._seals.hold(head.kid, text=head.text(), seal=head.seal)
        if is_sealed is False:
            raise Broken(head.day, None, Fault.FOREIGN, f"the seal of the head is not by key {head.kid}")
        return is_sealed is True

    def _doubt_unless_retired(self, kid: str) -> None:
        if kid not in self._retired:
            self._doubt(kid)

    def _doubt(self, kid: str) -> None:
        self.report.unknown_kids.add(event_text(kid))
