"""Approvals that Coupa no longer lists, documents that it does not return, turns that it does not show."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bridge import ALEX, JAMIE, ROBIN, World

from coupa_core.ledger import Entry, State

MINUTE_S, DAY_S = 60, 86_400


def swept(world: World, minutes: int) -> list[tuple[int, str, str]]:
    """Sweep for minutes, and return the minute, recipient and text of all that was said."""
    said = []
    for minute in range(1, minutes + 1):
        world.clock.advance(MINUTE_S)
        said += [(minute, each.recipient, each.message) for each in world.announced()]
    return said


def row_of(world: World, number: int) -> Entry:
    """Return the only open row of a document's approvals."""
    [approval] = world.coupa.world.approvals_of(number)
    row = world.store.read(approval.id)
    assert row is not None
    return row


# What cannot be shown.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"id": None}, "document_missing"),
        ({"current-approval": None}, "document_hides_turn"),
        ({"status": None}, "document_hides_turn"),
    ],
)
def test_what_cannot_be_shown_is_told_by_its_number_then_parked_and_told_whole_in_the_end(
    fields: dict[str, Any], cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    number = world.requisition(JAMIE)
    world.requisition(ROBIN)
    world.coupa.world.override(("requisition", number), fields)

    (_, first, _), (minute, second, text) = swept(world, 120)

    assert (first, second, 30 <= minute <= 60) == (ROBIN, JAMIE, True)
    assert (str(number) in text, "Laptop" in text, "open it in Coupa" in text) == (True, False, True)
    card = world.moveworks.delivered[-1]
    assert world.click(card, JAMIE).body.get("outcome") != "approved"
    row = row_of(world, number)
    assert (row.state, row.cause) == (State.PARKED, cause)
    assert f"approval parked approval_id={row.approval_id} cause={cause}" in caplog.text
    world.clock.advance(DAY_S)
    assert world.announced() == []

    world.coupa.world.requisition(number).raw.clear()
    world.clock.advance(DAY_S)

    [whole] = world.announced()
    assert (whole.recipient, "Laptop" in whole.message) == (JAMIE, True)
    assert row_of(world, number).state is State.SENT
    assert world.click(whole, JAMIE).body["outcome"] == "approved"


@pytest.mark.slow
def test_an_approval_that_names_no_document_is_told_by_its_own_number_and_leads_to_no_other() -> None:
    world = World()
    number = world.requisition(JAMIE)
    [approval] = world.coupa.world.approvals_of(number)
    world.coupa.world.override(("approval", approval.id), {"approvable-id": None})

    [(minute, who, text)] = swept(world, 90)

    assert (who, 30 <= minute <= 60) == (JAMIE, True)
    assert (str(approval.id) in text, "requisition_headers" in text) == (True, False)
    assert row_of(world, number).state is State.PARKED


def test_of_a_chain_that_hides_its_turn_only_the_first_who_is_asked_is_told() -> None:
    world = World()
    number = world.requisition(JAMIE, ROBIN)
    world.coupa.world.override(("requisition", number), {"current-approval": None})

    assert [who for _, who, _ in swept(world, 120)] == [JAMIE]


@pytest.mark.slow
def test_whose_turn_has_not_come_is_told_nothing_for_days() -> None:
    world = World()
    world.requisition(JAMIE, ROBIN)

    said = [each.recipient for _ in range(48) for each in _later(world, 3_600)]

    assert said == [JAMIE]


def _later(world: World, seconds: float) -> list[Any]:
    world.clock.advance(seconds)
    return world.announced()


@pytest.mark.parametrize("status", [500, 429])
def test_whose_turn_cannot_be_read_waits_and_everybody_else_is_told(status: int) -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    first, second = (
        world.coupa.world.add_document(approvable_type="ReceiptRequest", approvers=[world.person(each)])
        for each in (JAMIE, ALEX)
    )
    world.requisition(ROBIN)
    asked = {"path": "/api/approvals$", "times": None, "status": status}
    world.coupa.front.fail("answer", query=rf"approvable_id\[in\]=(?:\d+,)*{first}", **asked)

    told = {who for _, who, _ in swept(world, 1)}

    assert ROBIN in told
    assert JAMIE not in told
    row = row_of(world, first)
    assert (row.state, row.cause) == (State.WAITING, "turn_unread")
    world.coupa.front.heal()
    assert {who for _, who, _ in swept(world, 6)} | told == {JAMIE, ROBIN, ALEX}
    assert row_of(world, second).state is State.SENT


# What is gone.


def ended(world: World, number: int) -> list[int]:
    """Let so many requests be told, and then be approved in Coupa; return their approvals."""
    documents = [world.requisition(JAMIE) for _ in range(number)]
    approvals = [world.coupa.world.approvals_of(each)[0].id for each in documents]
    while any(world.store.read(each) is None for each in approvals):
        swept(world, 1)
    for each in approvals:
        world.in_coupa(each)
    world.clock.advance(MINUTE_S)
    return approvals


def test_the_document_of_what_is_gone_is_read_only_where_somebody_may_be_told() -> None:
    for settings, asked in ({"CLOSING_NOTICE": "never"}, 0), ({"CLOSING_NOTICE": "always"}, 1):
        world = World(settings=settings)
        ended(world, 3)
        before = sum("id%5Bin%5D" in call.query for call in world.coupa.front.calls if "requi" in call.path)

        world.sweep()

        after = sum("id%5Bin%5D" in call.query for call in world.coupa.front.calls if "requi" in call.path)
        assert after - before == asked
        assert world.store.open_entries().entries == []


@pytest.mark.slow
def test_a_batch_of_what_is_gone_that_cannot_be_read_leaves_its_rows_as_they_were_and_no_other() -> None:
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "1000"})
    world.moveworks.max_per_minute = None
    approvals = ended(world, 60)
    before = {each: world.store.read(each) for each in approvals}
    world.coupa.front.fail(
        "answer", path="/api/approvals$", query=rf"id\[in\]={approvals[0]}", status=429, times=None
    )

    summary = world.sweep()

    assert (summary.counts["closed"], summary.failure) == (10, "coupa_429")
    left = world.store.open_entries().entries
    assert [(row.state, row.next_at, row.told) for row in left] == [
        (was.state, was.next_at, was.told) for row in left if (was := before[row.approval_id])
    ]
    world.coupa.front.heal()
    world.clock.advance(MINUTE_S)
    world.sweep()
    assert world.store.open_entries().entries == []


def test_while_moveworks_is_away_what_nobody_is_to_hear_of_is_closed_all_the_same() -> None:
    world = World()
    ended(world, 3)
    world.requisition(ALEX)
    world.moveworks.front.fail("answer", status=401, times=None)

    world.sweep()
    world.clock.advance(MINUTE_S)
    world.sweep()

    assert [row.cause for row in world.store.open_entries().entries] == ["moveworks_401"]


def test_what_is_gone_and_told_nobody_in_a_pause_keeps_when_and_how_it_ended() -> None:
    world = World(settings={"CLOSING_NOTICE": "always"})
    [number] = ended(world, 1)
    world.moveworks.front.fail("answer", method="POST", status=429, headers={"Retry-After": "300"})
    at = world.clock.now()

    assert swept(world, 4) == []
    assert [who for _, who, _ in swept(world, 3)] == [JAMIE]

    closed = world.store.read_closed(number)
    assert closed is not None
    assert closed.closed_at is not None
    assert closed.closed_at - at < timedelta(minutes=2)


def test_while_nobody_who_waits_can_be_read_what_is_gone_is_closed_all_the_same() -> None:
    world = World()
    gone = ended(world, 2)
    world.requisition(ALEX)
    world.coupa.front.fail("answer", path="/api/users$", status=429, times=None)

    summary = world.sweep()

    assert (summary.counts["closed"], summary.failure) == (2, "coupa_429")
    assert all(world.store.read(each) is None for each in gone)


# Who may not be disturbed.


@pytest.mark.slow
def test_a_night_of_reminders_costs_one_look_at_each_row() -> None:
    world = World(settings={"QUIET_HOURS": "20:00-07:00", "REMIND_AFTER_HOURS": "12", "REMIND_MAX": "1"})
    number = world.requisition(JAMIE)
    world.sweep()  # at nine in the morning
    looks = set()
    for _ in range(23 * 6):
        world.clock.advance(10 * MINUTE_S)
        assert world.announced() == [] or world.clock.now().hour == 7
        looks.add(row_of(world, number).attempted_at)

    assert len(looks) == 3  # when it was told, when it was due, and when it was said
    assert len(world.moveworks.delivered) == 2
