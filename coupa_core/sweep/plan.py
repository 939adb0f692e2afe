"""What a sweep has to look at, worked out from Coupa's list and the ledger's rows.

Pure: it asks nobody and writes nothing. What is not named in the plan needs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from coupa_core.authority import Circle
from coupa_core.cadence import Cadence
from coupa_core.ledger import DIGEST, DRY_RUN, MUTED, QUIET, Entry, Lease, State
from coupa_core.model import Approval, DocumentKey, Listing
from coupa_core.sweep.judge import MAX_CIRCLE, is_due_again

USUAL = Cadence()

UNTOLD = ("coupa_", "not_json")
"""So begins the cause of a row of which Coupa could not say what became of the approval itself."""


class Urgency(IntEnum):
    """Who is looked at first."""

    OWED = 0
    """Nobody may have been told yet."""
    UNBLOCKED = 1
    """It waited for its turn, and its document's approvals changed."""
    TOUCHED = 2
    """It was told, and Coupa says that something changed."""
    DUE = 3
    """It waits, and was not looked at for a while."""
    SILENT = 4
    """It was told long ago, and nothing was heard; or a farewell is owed."""
    GONE = 5
    """Coupa does not list it any more."""


@dataclass(frozen=True)
class Look:
    """One approval to claim, read and judge.

    Attributes:
        approval: as listed; good for ids only, because it was read before the claim.
        entry: the row as it was read, or None.
        urgency: who is looked at first.
    """

    approval: Approval
    entry: Entry | None
    urgency: Urgency

    @property
    def order(self) -> tuple[int, int, int]:
        """Sort by urgency, then what never went wrong, then the oldest."""
        trouble = _trouble(self.entry) if self.entry else 0
        return (self.urgency, trouble, self.approval.id)


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        looks: in order.
        closings: rows whose approval a complete list no longer holds.
        held: how many are claimed by somebody who may still be at work.
        quiet: how many need nothing.
    """

    looks: list[Look] = field(default_factory=list)
    closings: list[Entry] = field(default_factory=list)
    held: int = 0
    quiet: int = 0


def _trouble(row: Entry) -> int:
    """Count what went wrong with a row."""
    return row.failures + row.uncertain + max((each.refusals for each in row.told.values()), default=0)


def make_plan(
    listing: Listing,
    entries: Iterable[Entry],
    *,
    edited: Mapping[DocumentKey, str],
    circles: Mapping[int, Circle],
    now: datetime,
    lease: Lease,
    cadence: Cadence = USUAL,
    is_dry: bool = False,
) -> Plan:
    """Compare what Coupa lists with what the ledger holds.

    Args:
        listing: pending approvals, complete or not; absence counts only in a complete one.
        entries: the open rows.
        edited: stamps of documents that were touched lately.
        circles: who may decide each listed approval.
        now: aware UTC.
        lease: of claims.
        cadence: when people are told.
        is_dry: nothing is sent.
    """
    listed = {approval.id: approval for approval in listing.approvals}
    rows = {entry.approval_id: entry for entry in entries}
    gone = [row for key, row in rows.items() if key not in listed] if listing.is_complete else []
    moved = _moved(listed, rows, gone)
    looks: list[Look] = []
    held = quiet = 0
    for key, approval in listed.items():
        row = rows.get(key)
        if row is not None and row.is_held(now, lease):
            held += 1
            continue
        is_ahead = row is not None and row.is_ahead(now, lease)
        is_due = is_ahead or (row is not None and row.next_at is not None and row.next_at <= now)
        is_touched = row is not None and (
            _is_touched(approval, row) or _is_edited(row, edited) or _is_others(row, circles.get(key))
        )
        has_moved = approval.document_key in moved
        urgency = _urgency(row, is_touched=is_touched, has_moved=has_moved, is_due=is_due, is_dry=is_dry)
        if urgency is None and row and not is_dry and is_due_again(row, cadence=cadence, now=now):
            urgency = Urgency.SILENT
        if urgency is None:
            quiet += 1
        else:
            looks.append(Look(approval, row, urgency))
    unread = [row for row in gone if _is_unread(row, now)]
    quiet += len(unread)
    free = [row for row in gone if not row.is_held(now, lease) and not _is_asleep(row, now)]
    closings = [row for row in free if row not in unread]
    held += len(gone) - len(free)
    return Plan(sorted(looks, key=lambda look: look.order), closings, held, quiet)


def _is_asleep(row: Entry, now: datetime) -> bool:
    """Tell whether all that is left is to tell somebody how it ended, who may not be disturbed now."""
    return bool(row.ended_as) and row.cause == QUIET and row.next_at is not None and row.next_at > now


def _is_unread(row: Entry, now: datetime) -> bool:
    """Tell whether Coupa could not say how it ended, and is not to be asked again yet."""
    waits = row.state in (State.RETRY, State.PARKED) and row.next_at is not None and row.next_at > now
    return waits and row.cause.startswith(UNTOLD)


def _urgency(
    row: Entry | None, *, is_touched: bool, has_moved: bool, is_due: bool, is_dry: bool
) -> Urgency | None:
    """Say how urgent a look is; None when none is needed."""
    if row is None or row.state is State.CLAIMED or row.ended_as:
        return Urgency.OWED
    if row.state is State.WAITING:
        return _of_waiting(row, has_changed=is_touched or has_moved, is_due=is_due, is_dry=is_dry)
    if row.state in (State.RETRY, State.PARKED):
        # What was sent too often is not sent again because somebody touched it.
        is_mended = row.state is State.PARKED and is_touched and not row.uncertain
        return Urgency.OWED if is_due or is_mended else None
    # A decided approval that is still listed either was listed just before, or waits again.
    return Urgency.TOUCHED if is_touched or row.state is State.DECIDED else None


def _of_waiting(row: Entry, *, has_changed: bool, is_due: bool, is_dry: bool) -> Urgency | None:
    is_the_hour = row.cause in (QUIET, DIGEST) and is_due
    if is_the_hour or (row.cause == DRY_RUN and not is_dry):
        return Urgency.OWED
    if has_changed and row.cause != MUTED:
        return Urgency.UNBLOCKED
    return Urgency.DUE if is_due else None


def _moved(listed: Mapping[int, Approval], rows: Mapping[int, Entry], gone: list[Entry]) -> set[DocumentKey]:
    """Return the documents of which an approval came, went or was touched: somebody's turn may have come."""
    moved: set[DocumentKey] = {(row.document_type, row.document_id) for row in gone}
    for key, approval in listed.items():
        row = rows.get(key)
        if row is None or _is_touched(approval, row):
            moved.add(approval.document_key)
    return moved


def _is_touched(approval: Approval, row: Entry) -> bool:
    return (approval.updated_at or "") != row.seen_approval


def _is_edited(row: Entry, edited: Mapping[DocumentKey, str]) -> bool:
    return edited.get((row.document_type, row.document_id), row.seen_document) != row.seen_document


def _is_others(row: Entry, circle: Circle | None) -> bool:
    """Tell whether other people may decide than when the row was written: no stamp of Coupa's shows that."""
    if circle is None or not circle.is_certain or row.state not in (State.SENT, State.PARKED):
        return False
    return circle.keys != row.told.keys() and len(circle.keys) <= MAX_CIRCLE
