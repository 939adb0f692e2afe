"""Whether stored rows still hang together, and if not, where the first fault is. Pure.

It is shown heads and rows in the order of time, one at a time, and keeps none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from coupa_core.errors import BridgeError
from coupa_core.journal.chain import GENESIS, Head, Row, Seals, digest
from coupa_core.journal.events import folded


class Fault(StrEnum):
    """What is wrong with a link."""

    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    REORDERED = "reordered"
    HEAD = "head does not fit"
    FOREIGN = "foreign seal"


class Broken(BridgeError):
    """The chain is broken, and this is the first place.

    Attributes:
        day: of the chain.
        seq: place of the row; None when it is about the whole day or its head.
        fault: what is wrong.
    """

    def __init__(self, day: date, seq: int | None, fault: Fault, detail: str) -> None:
        place = f"{day}" if seq is None else f"{day}, row {seq}"
        super().__init__("audit_broken", f"{place}: {fault} ({folded(detail)})")
        self.day = day
        self.seq = seq
        self.fault = fault


@dataclass
class Report:
    """What a check has found.

    Attributes:
        days: how many days were found to be whole; those without rows are not counted.
        rows: how many rows were found to hang together.
        unsealed: rows whose key is not known here any more; a later seal vouches for them, too.
        unknown_kids: keys without which nobody vouches for the end of the record, or for what was purged.
        purged: the head of the last day that was deleted because of its age, or None.
        last: the last head; a note of it elsewhere is an anchor from outside.
        broken: the first fault, or None.
    """

    days: int = 0
    rows: int = 0
    unsealed: int = 0
    unknown_kids: set[str] = field(default_factory=set)
    purged: Head | None = None
    last: Head | None = None
    broken: Broken | None = None


class Check:
    """Follows the chain from its beginning. Every method raises `Broken` at a fault.

    For each day: `begin`; `row` for each row and `end`, unless the rows are not to be read; `step`.

    Args:
        seals: the keys.

    Attributes:
        report: what was found so far.
        seq: place of the last row that was shown.
    """

    def __init__(self, seals: Seals) -> None:
        self.report = Report()
        self.seq = 0
        self._seals = seals
        self._prev = GENESIS
        self._purged_by: set[str] = set()

    def begin(self, day: date, head: Head | None) -> Head:
        """Check how a day hangs on the one before, and return its head.

        Args:
            day: the next in the chain.
            head: as stored; None when it is missing or cannot be read.
        """
        if head is None:
            raise Broken(day, None, Fault.HEAD, "the head is missing or cannot be read")
        is_sealed = self._is_sealed(head)
        before = self.report.last
        if head.purged is not None:
            self._purged_by = set() if is_sealed else {folded(head.kid)}
            self.report.unknown_kids |= self._purged_by
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
        said = row.said()
        if not said or digest(row.prev, row.text) != row.hash:
            raise broken(Fault.CHANGED, "its hash is not that of its content")
        if (said.get("day"), said.get("seq")) != (day.isoformat(), seq):
            raise broken(Fault.REORDERED, f"it was written as {said.get('day')}, row {said.get('seq')}")
        if row.prev != self._prev:
            raise broken(Fault.CHANGED, "it does not follow the row before it")
        kid = str(said.get("kid"))
        is_sealed = self._seals.hold(kid, text=row.hash, seal=row.seal)
        if is_sealed is False:
            raise broken(Fault.FOREIGN, f"its seal is not by key {kid}")
        self._vouch(kid, is_sealed=is_sealed is True)
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
        self._vouch(head.kid, is_sealed=is_sealed)
        self.report.last = head
        self.report.days += head.seq > 0

    def step(self, head: Head, upcoming: date | None) -> date | None:
        """Return the day after, or None at the end.

        Args:
            head: of the day that was just looked at.
            upcoming: the earliest later day of which anything was there when the check began.
        """
        if head.next is None and upcoming:
            raise Broken(head.day, None, Fault.HEAD, f"it does not know that {upcoming} came: rolled back")
        if head.next and upcoming and upcoming < head.next:
            raise Broken(upcoming, None, Fault.ADDED, f"{head.day} says that {head.next} comes after it")
        return head.next

    def _is_sealed(self, head: Head) -> bool:
        """Tell whether a key that is known here has sealed a head."""
        is_sealed = self._seals.hold(head.kid, text=head.text(), seal=head.seal)
        if is_sealed is False:
            raise Broken(head.day, None, Fault.FOREIGN, f"the seal of the head is not by key {head.kid}")
        return is_sealed is True

    def _vouch(self, kid: str, *, is_sealed: bool) -> None:
        """Take a seal for all that is before it, but for a purge: that is said by one head alone."""
        if is_sealed:
            self.report.unknown_kids = set(self._purged_by)
        else:
            self.report.unknown_kids.add(folded(kid))
