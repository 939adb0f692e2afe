"""The state of each approval, by its row and Coupa's list: its list for operators, cause and age. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coupa_core.ledger import UNSEEN, Entry, Opened, State, Status, age_s
from coupa_core.model import Approval, Listing, stamp
from coupa_core.report.figures import spread
from coupa_core.report.health import STALE_AFTER

MAX_ROWS = 100
"""The most approvals in each list for operators."""

MAX_FULL = 5_000
"""The approvals in one page when all are requested."""

_LISTS = {
    State.SENT: "announced",
    State.CLAIMED: "claimed",
    State.RETRY: "retry",
    State.WAITING: "waiting",
    State.PARKED: "parked",
    State.DECIDED: "decided",
    State.CLOSED: "gone",
}
_WITHOUT_ROW = ("not_seen_yet", "row_unreadable", "unaccounted")
LISTS = (*_LISTS.values(), *_WITHOUT_ROW)
"""The names of the lists: by the state of the row, or why there is none."""

_NOT_LISTED, _NO_ROW = Approval(id=1), Entry(approval_id=1, state=State.CLOSED, nonce="")
"""Blank values for what there is not: nothing of them is shown."""


@dataclass(frozen=True)
class ApprovalState:
    """The state of one approval.

    Attributes:
        approval_id: Coupa's id.
        approval: as listed now; None when Coupa does not list it.
        row: the ledger's row, or None.
        place: the name of its list.
        age_s: the seconds since the earliest known time of its wait.
    """

    approval_id: int
    approval: Approval | None
    row: Entry | None
    place: str
    age_s: float

    @property
    def cause(self) -> str:
        """Return the cause as a code; empty for none."""
        return self.row.cause if self.row else ""

    def values(self) -> dict[str, Any]:
        """Return its JSON values for operators; ids are texts, as in slots."""
        approval, row = self.approval or _NOT_LISTED, self.row or _NO_ROW
        document_id = row.document_id or approval.approvable_id
        shown = {
            "approval_id": str(self.approval_id),
            "place": self.place,
            "cause": self.cause,
            "document_type": row.document_type or approval.approvable_type,
            "document_id": document_id and str(document_id),
            "asked": approval.approver_key or row.sent_to,
            "told": [key for key, told in row.told.items() if told.was_sent],
            "sent_at": json_time(row.told_at),
            "next_at": json_time(row.next_at),
            "lease_until": json_time(row.lease_until),
            "age_s": round(self.age_s),
        }
        return {name: value for name, value in shown.items() if value not in (None, "", [])}


def approval_states(status: Status, opened: Opened, listing: Listing, now: datetime) -> list[ApprovalState]:
    """Return the state of each approval that Coupa lists or the ledger has, in the order of ids."""
    listed = {approval.id: approval for approval in listing.approvals}
    rows = {row.approval_id: row for row in opened.entries}
    corrupt = {each.approval_id for each in opened.corrupt if each.approval_id is not None}
    without = {number: listed[number] for number in listed.keys() - rows.keys() - corrupt}
    old = {number for number, approval in without.items() if not is_young(approval, now)}
    # The last sweep counted the approvals that it left for later; any more are unaccounted for.
    known = max(status.counts.get("left_for_later", 0), status.owed.get(UNSEEN, 0))
    places = dict.fromkeys(without, "not_seen_yet") | dict.fromkeys(corrupt, "row_unreadable")
    places |= dict.fromkeys(old if len(old) > known else (), "unaccounted")
    places |= {number: _place_of(row, listing, is_listed=number in listed) for number, row in rows.items()}
    return [
        ApprovalState(number, approval, row, places[number], age_s(approval, row, now))
        for number in sorted(listed.keys() | rows.keys())
        for approval, row in [(listed.get(number), rows.get(number))]
    ]


def _place_of(row: Entry, listing: Listing, *, is_listed: bool) -> str:
    """Return the list of an approval with a row."""
    is_gone = not is_listed and listing.is_complete
    return _LISTS[State.CLOSED if is_gone else row.state]


def is_young(approval: Approval | None, now: datetime) -> bool:
    """Tell whether it changed so recently that a sweep may not have seen it yet."""
    touched = stamp(approval.updated_at) if approval else None
    return touched is not None and now - touched < STALE_AFTER


def groups_of(states: Iterable[ApprovalState]) -> list[dict[str, Any]]:
    """Count by place and cause."""
    ages: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in states:
        ages[each.place, each.cause].append(each.age_s)
    return [
        {"place": place, "cause": cause, "count": len(found), **spread(found)}
        for (place, cause), found in sorted(ages.items())
    ]


def lists_of(states: Iterable[ApprovalState]) -> dict[str, list[dict[str, Any]]]:
    """Return the beginning of each list that is not empty, oldest first."""
    lists: dict[str, list[dict[str, Any]]] = {}
    room = Counter(dict.fromkeys(LISTS, MAX_ROWS))
    for each in sorted(states, key=lambda each: -each.age_s):
        if room[each.place] > 0:
            room[each.place] -= 1
            lists.setdefault(each.place, []).append(each.values())
    return lists


def page_of(states: list[ApprovalState], after: int) -> dict[str, Any]:
    """Return one page of all approvals, by id."""
    later = [each for each in states if each.approval_id > after]
    page = later[:MAX_FULL]
    next_after = str(page[-1].approval_id) if len(later) > MAX_FULL else None
    return {"approvals": [each.values() for each in page], "next_after": next_after}


def json_time(time: datetime | None) -> str | None:
    """Write a time as JSON has it."""
    return time.isoformat() if time else None
