"""The plan of a sweep: the candidates and their order, the closed rows, and the rows that need nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coupa_core.authority import Capacity, Decider, Deciders
from coupa_core.ledger import MUTED, Entry, Lease, PersonState, State
from coupa_core.model import ALL_IDS, REQUISITION, Approval, DocumentKey
from coupa_core.sweep import Candidate, Plan, Priority

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
STAMP, LATER = "2026-11-23T00:00:00-08:00", "2026-11-23T00:30:00-08:00"

MINE = (REQUISITION, 70)


def listed(number: int = 7, *, document: int | None = 70, updated_at: str | None = STAMP) -> Approval:
    return Approval(
        id=number,
        status="pending_approval",
        approvable_type=REQUISITION,
        approvable_id=document,
        updated_at=updated_at,
    )


def row(state: State, number: int = 7, *, document: int | None = 70, **fields: Any) -> Entry:
    fields = {"seen_approval": STAMP, "seen_document": STAMP, "document_type": REQUISITION, **fields}
    return Entry(approval_id=number, state=state, nonce="n", document_id=document, etag="e", **fields)


@dataclass(frozen=True)
class Made:
    """What a plan came to."""

    candidates: list[Candidate]
    closings: list[Entry | None]
    held: int
    quiet: int


def plan(
    approvals: Iterable[Approval],
    rows: Iterable[Entry] = (),
    *,
    edited: Mapping[DocumentKey, str] | None = None,
    deciders_of: Mapping[int, Deciders] | None = None,
    is_complete: bool = True,
) -> Made:
    """Plan with what Coupa lists; a complete list has all ids in it."""
    made = Plan({each.approval_id: each for each in rows}, now=NOW, lease=Lease())
    made.add_pending(approvals, deciders_of or {})
    made.add_edits(edited or {})
    if is_complete:
        made.mark_gone(made.unlisted(ALL_IDS))
    candidates = made.candidates()
    gone = [candidate for candidate in candidates if candidate.priority is Priority.GONE]
    return Made(
        [candidate for candidate in candidates if candidate not in gone],
        [each.entry for each in gone],
        made.held,
        made.quiet,
    )


def priority(entry: Entry, **details: Any) -> Priority | None:
    """Return how urgent the look at one approval is."""
    edited = details.pop("edited", None)
    candidates = plan([listed(**details)], [entry], edited=edited).candidates
    return candidates[0].priority if candidates else None


def test_nothing_listed_and_nothing_known_needs_nothing() -> None:
    assert plan([]) == Made([], [], 0, 0)


def test_an_approval_without_a_row_is_owed() -> None:
    (candidate,) = plan([listed()]).candidates

    assert (candidate.approval, candidate.entry, candidate.priority) == (listed(), None, Priority.OWED)


def test_an_approval_that_was_told_and_not_touched_needs_nothing() -> None:
    made = plan([listed()], [row(State.SENT)])

    assert (made.candidates, made.closings, made.quiet) == ([], [], 1)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (row(State.RETRY, next_at=NOW), Priority.OWED),
        (row(State.RETRY, next_at=AFTER), None),
        (row(State.RETRY), None),
        (row(State.WAITING, next_at=BEFORE), Priority.DUE),
        (row(State.WAITING, next_at=AFTER), None),
        (row(State.PARKED, next_at=NOW), Priority.OWED),
        (row(State.PARKED, next_at=AFTER), None),
        (row(State.DECIDED), Priority.TOUCHED),
        (row(State.SENT), None),
    ],
)
def test_what_is_not_touched_is_looked_at_when_it_is_due(entry: Entry, expected: Priority | None) -> None:
    assert priority(entry) is expected


def test_what_is_muted_is_looked_at_when_its_time_is_over_and_not_because_it_was_touched() -> None:
    """Nor because a sibling left: an operator wants it quiet until then."""
    quiet, over = (row(State.WAITING, cause=MUTED, next_at=time) for time in (AFTER, BEFORE))

    assert priority(quiet, updated_at=LATER) is None
    assert priority(quiet, edited={70: LATER}) is None
    assert plan([listed()], [quiet, row(State.SENT, 8)]).candidates == []
    assert priority(over, updated_at=LATER) is Priority.DUE


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.SENT, Priority.TOUCHED),
        (State.DECIDED, Priority.TOUCHED),
        (State.PARKED, Priority.OWED),
        (State.WAITING, Priority.UNBLOCKED),
        (State.RETRY, None),
    ],
)
@pytest.mark.parametrize(
    "touch",
    [{"updated_at": LATER}, {"updated_at": None}, {"edited": {MINE: LATER}}, {"edited": {MINE: ""}}],
    ids=str,
)
def test_a_touch_of_the_approval_or_its_document_is_looked_at_and_a_retry_waits_for_its_time(
    touch: dict[str, Any], state: State, expected: Priority | None
) -> None:
    assert priority(row(state, next_at=AFTER), **touch) is expected


@pytest.mark.parametrize(
    ("entry", "edited"),
    [
        (row(State.SENT), {MINE: STAMP}),
        (row(State.SENT), {(REQUISITION, 71): LATER}),
        (row(State.SENT, document=None), {MINE: LATER}),
        (row(State.SENT, document_type="InvoiceHeader"), {MINE: LATER}),
    ],
)
def test_an_edit_of_another_document_or_one_already_seen_needs_nothing(
    entry: Entry, edited: dict[DocumentKey, str]
) -> None:
    assert priority(entry, edited=edited) is None


def test_a_claim_of_somebody_who_may_still_be_at_work_is_left_alone() -> None:
    lease = Lease()
    ended = NOW - timedelta(seconds=lease.skew_s)
    held = row(State.CLAIMED, 1, lease_until=ended + timedelta(seconds=1))
    left = row(State.CLAIMED, 2, lease_until=ended)
    nobodys = row(State.CLAIMED, 3)

    made = plan([listed(1), listed(2), listed(3)], [held, left, nobodys])

    assert {candidate.approval.id for candidate in made.candidates} == {2, 3}
    assert {candidate.priority for candidate in made.candidates} == {Priority.OWED}
    assert made.held == 1


@pytest.mark.parametrize(
    "change",
    [
        {"approvals": [listed(2)], "rows": []},
        {"approvals": [listed(2), listed(1, updated_at=LATER)], "rows": [row(State.SENT, 1)]},
        {"approvals": [listed(2), listed(1)], "rows": []},
    ],
    ids=["went", "touched", "came"],
)
def test_an_approval_that_waits_is_looked_at_when_its_document_moves(change: dict[str, Any]) -> None:
    waits = row(State.WAITING, 2, next_at=AFTER)
    gone = row(State.SENT, 1) if not change["rows"] and len(change["approvals"]) == 1 else None
    rows = [waits, *change["rows"], *([gone] if gone else [])]

    candidates = {
        candidate.approval.id: candidate.priority for candidate in plan(change["approvals"], rows).candidates
    }

    assert candidates[2] is Priority.UNBLOCKED


def test_an_approval_that_waits_is_not_moved_by_another_document() -> None:
    rows = [row(State.WAITING, 2, next_at=AFTER), row(State.SENT, 1, document=71)]

    made = plan([listed(2), listed(3, document=72)], rows)

    assert [candidate.approval.id for candidate in made.candidates] == [3]


def test_a_complete_list_closes_what_it_no_longer_holds() -> None:
    told, held = row(State.SENT, 1), row(State.CLAIMED, 2, lease_until=NOW)

    made = plan([], [told, held])

    assert made.closings == [told]
    assert made.held == 1


def test_an_incomplete_list_closes_nothing_and_moves_nothing() -> None:
    rows = [row(State.SENT, 1), row(State.WAITING, 2, next_at=AFTER)]

    made = plan([listed(2)], rows, is_complete=False)

    assert (made.candidates, made.closings, made.quiet) == ([], [], 1)


def test_who_was_never_told_comes_first_then_what_never_went_wrong_newest_and_oldest_by_turns() -> None:
    rows = [
        row(State.WAITING, 1, next_at=NOW, document=1),
        row(State.SENT, 2, seen_approval="", document=2),
        row(State.WAITING, 3, seen_approval="", document=3),
        row(State.RETRY, 4, next_at=NOW, failures=1, document=4),
        row(State.CLAIMED, 5, uncertain=1, lease_until=NOW - timedelta(hours=1), document=5),
        row(State.RETRY, 6, next_at=NOW, document=6),
    ]

    made = plan([listed(number, document=number) for number in range(1, 9)], rows)

    assert [candidate.approval.id for candidate in made.candidates] == [8, 6, 7, 5, 4, 3, 2, 1]


def test_an_approval_that_is_listed_twice_is_looked_at_once() -> None:
    assert len(plan([listed(), listed()]).candidates) == 1


def deciders(*keys: str, is_certain: bool = True) -> Deciders:
    people = tuple(Decider(key, f"{key}@example.com", "", "", Capacity.MEMBER) for key in keys)
    return Deciders(people, is_certain)


@pytest.mark.parametrize(
    ("state", "may_decide", "is_looked_at"),
    [
        (State.SENT, deciders("user:1"), False),
        (State.SENT, deciders("user:1", "user:2"), True),
        (State.SENT, deciders("user:2"), True),
        (State.SENT, deciders(), True),
        (State.SENT, deciders("user:2", is_certain=False), False),
        (State.SENT, deciders(*(f"user:{number}" for number in range(201))), False),
        (State.PARKED, deciders("user:2"), True),
        (State.WAITING, deciders("user:2"), False),
        (State.RETRY, deciders("user:2"), False),
    ],
)
def test_when_other_people_may_decide_it_is_looked_at_though_no_stamp_of_coupas_moved(
    state: State, may_decide: Deciders, *, is_looked_at: bool
) -> None:
    told = row(state, told={"user:1": PersonState(version="v1")}, next_at=AFTER)

    candidates = plan([listed()], [told], deciders_of={7: may_decide}).candidates

    assert bool(candidates) is is_looked_at


def test_what_was_sent_too_often_is_not_sent_again_because_it_was_touched() -> None:
    doubtful = row(State.PARKED, uncertain=3, next_at=AFTER)

    assert priority(doubtful, updated_at=LATER) is None


def test_of_a_part_of_the_list_only_what_lies_in_it_is_gone() -> None:
    told = {number: row(State.SENT, number, document=number) for number in (3, 5, 7, 9)}
    made = Plan(told, now=NOW, lease=Lease())
    made.add_pending([listed(5, document=5)], {})

    made.mark_gone(made.unlisted((4, 7)))

    assert [(candidate.approval.id, candidate.priority) for candidate in made.candidates()] == [
        (7, Priority.GONE)
    ]


def test_what_is_listed_is_not_gone_whatever_was_said_before() -> None:
    """Coupa answered the question about changes before it was asked for the list, or after."""
    made = Plan({7: row(State.SENT)}, now=NOW, lease=Lease())
    made.mark_gone([7, 8])
    made.add_pending([listed()], {})
    made.mark_gone([7])

    assert made.candidates() == []


def test_a_look_that_nobody_listed_names_its_document_and_its_people_by_the_row() -> None:
    due = row(State.RETRY, next_at=NOW, told={"user:1": PersonState()})
    made = Plan({7: due}, now=NOW, lease=Lease())

    [candidate] = made.candidates()

    assert (candidate.approval.id, candidate.approval.document_key, set(candidate.people)) == (
        7,
        MINE,
        {"user:1"},
    )


@pytest.mark.parametrize(
    ("entry", "is_looked_at"),
    [
        (row(State.WAITING, ended_as="approved", cause="quiet", next_at=AFTER), False),
        (row(State.WAITING, ended_as="approved", cause="quiet", next_at=NOW), True),
        (row(State.RETRY, ended_as="approved", cause="no_turn", next_at=NOW), True),
        (row(State.RETRY, cause="coupa_500", next_at=AFTER), False),
        (row(State.PARKED, cause="not_json", next_at=AFTER), False),
        (row(State.RETRY, cause="document_coupa_500", next_at=AFTER), True),
        (row(State.PARKED, cause="no_recipient", next_at=AFTER), True),
    ],
)
def test_what_is_gone_waits_only_for_an_hour_or_for_coupa_to_say_how_it_ended(
    entry: Entry, *, is_looked_at: bool
) -> None:
    made = Plan({7: entry}, now=NOW, lease=Lease())
    made.mark_gone([7])

    assert [candidate.priority for candidate in made.candidates()] == [Priority.GONE] * is_looked_at
