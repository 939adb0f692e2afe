"""One bad record stops nobody: it waits with its cause, and all others are told in the same sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from bridge import World
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_answers import BIG, ODD_ANSWERS, name_of
from unruly import before, failing

from coupa_core.errors import (
    Conflict,
    Denied,
    Malformed,
    Refused,
    ServiceError,
    Throttled,
    Unavailable,
    Unknown,
)
from coupa_core.halving import MAX_ALONE, by_halves
from coupa_core.ledger import MAX_REFUSALS, MINIMAL_AFTER, State

PEOPLE = [f"person{number}@example.com" for number in range(4)]
DAY_S = 86_400
JSON = {"Content-Type": "application/json"}


def crowd(number: int, **settings_: str) -> tuple[World, dict[int, int]]:
    """Return a world with so many requisitions, and the id of each one's approval."""
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "100000", "COUPA_MAX_PER_SECOND": "25", **settings_})
    documents = [world.requisition(PEOPLE[each % len(PEOPLE)]) for each in range(number)]
    by_document = {row.document.id: key for key, row in world.coupa.world.approvals.rows.items()}
    return world, {document: by_document[document] for document in documents}


def poison(world: World, number: int, resource: str = "requisitions", **how: Any) -> None:
    """Let Coupa fail whenever this record is among those that are asked for."""
    how = {"kind": "answer", "status": 500, "headers": JSON, "body": "{}", **how}
    asked = rf"id\[in\]=(?:\d+,)*{number}(?:,|&|$)"
    world.coupa.front.fail(how.pop("kind"), path=f"/api/{resource}$", query=asked, times=None, **how)


def told(world: World) -> list[int]:
    """Return the approvals of which a card was sent, in order."""
    return sorted(int(each.slots["approval_id"]) for each in world.moveworks.delivered)


# Coupa.


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    ODD_ANSWERS,
    ids=name_of,
)
@pytest.mark.parametrize("place", [0, 26, 79])
def test_a_requisition_that_cannot_be_read_keeps_nobody_else_from_being_told(
    how: dict[str, Any], place: int
) -> None:
    world, approvals = crowd(80)
    document = list(approvals)[place]
    poison(world, document, **how)

    world.sweep()

    assert told(world) == sorted(each for key, each in approvals.items() if key != document)
    row = world.entry(approvals[document])
    assert (row.state, row.failures) == (State.RETRY, 1)
    assert row.cause.startswith("document_")


@pytest.mark.slow
def test_several_that_cannot_be_read_wait_and_all_others_are_told() -> None:
    world, approvals = crowd(60)
    bad = [list(approvals)[place] for place in (0, 1, 7, 30, 58, 59)]
    for document in bad:
        poison(world, document)

    world.minutes(2)

    assert told(world) == sorted(each for key, each in approvals.items() if key not in bad)


@pytest.mark.slow
def test_too_many_lines_at_once_are_asked_for_in_smaller_parts() -> None:
    world, approvals = crowd(50)
    world.coupa.front.fail(
        "answer",
        status=200,
        headers=JSON,
        body=BIG,
        path="/api/requisitions$",
        query=r"id\[in\]=\d+(?:,\d+){3,}",
        times=None,
    )

    world.sweep()

    assert told(world) == sorted(approvals.values())


@pytest.mark.slow
def test_an_approval_that_cannot_be_read_waits_alone_and_is_parked_with_an_alarm_in_the_end() -> None:
    world, approvals = crowd(30)
    bad = approvals[list(approvals)[11]]
    poison(world, bad, "approvals")
    for _ in range(MAX_REFUSALS):
        world.sweep()
        world.clock.advance(3_700)

    assert told(world) == sorted(set(approvals.values()) - {bad})
    assert (world.entry(bad).state, world.entry(bad).cause) == (State.PARKED, "coupa_500")


def test_an_approval_that_breaks_the_list_keeps_nobody_else_from_being_told() -> None:
    world, approvals = crowd(80)
    at_fault = approvals[min(approvals)]
    world.coupa.broken.add(("approval", at_fault))

    summary = world.sweep()

    assert told(world) == sorted(set(approvals.values()) - {at_fault})
    assert summary.counts["unreadable"] == 1
    assert not world.call("status").body["is_proved"]
    world.coupa.broken.clear()
    world.minutes(1)
    assert told(world) == sorted(approvals.values())


def test_approvals_that_were_not_asked_about_for_want_of_rate_count_nothing_against_anybody() -> None:
    world, approvals = crowd(8)
    last = list(approvals.values())[-1]
    asked = {"path": "/api/approvals$", "query": r"id\[in\]=", "times": None}
    world.coupa.front.fail("answer", status=429, skip=2, **asked)
    poison(world, last, "approvals")

    world.sweep()

    assert told(world) == sorted(approvals.values())[:4]
    assert {world.entry(each).failures for each in approvals.values()} == {0}
    world.coupa.front.heal()
    world.minutes(1)
    assert told(world) == sorted(approvals.values())


def test_who_has_to_decide_what_cannot_be_read_is_told_by_number_and_then_anew() -> None:
    world, approvals = crowd(2)
    document = list(approvals)[1]
    bad = approvals[document]
    poison(world, document)
    for _ in range(MINIMAL_AFTER):
        world.sweep()
        world.clock.advance(3_700)
    assert bad not in told(world)

    world.sweep()

    [card] = [each for each in world.moveworks.delivered if each.slots["approval_id"] == str(bad)]
    assert str(document) in card.message
    assert "Laptop" not in card.message
    assert world.click(card, card.recipient).body.get("outcome") != "approved"
    assert (world.entry(bad).state, world.entry(bad).cause) == (State.PARKED, "document_coupa_500")

    world.told(after_s=DAY_S)
    assert (world.entry(bad).state, told(world).count(bad)) == (State.PARKED, 1)

    world.coupa.front.heal()
    world.told(after_s=DAY_S)
    assert (world.entry(bad).state, told(world).count(bad)) == (State.SENT, 2)
    assert "Laptop" in world.moveworks.delivered[-1].message
    assert "has changed" not in world.moveworks.delivered[-1].message


def test_a_type_that_fails_spoils_no_other() -> None:
    world, approvals = crowd(5, DOCUMENT_TYPES="RequisitionHeader,InvoiceHeader")
    world.coupa.world.add_document(
        approvable_type="InvoiceHeader", approvers=[world.person(PEOPLE[0])], invoice_number="I-1"
    )
    world.coupa.front.fail("answer", status=500, path="/api/invoices$", times=None)

    world.sweep()

    assert told(world) == sorted(approvals.values())


@pytest.mark.parametrize("status", [400, 500])
def test_an_address_that_cannot_be_looked_up_keeps_only_its_owner_waiting(status: int) -> None:
    world, approvals = crowd(12)
    world.coupa.front.fail("answer", status=status, path="/api/users$", query="person2@", times=None)

    world.sweep()

    waiting = {each for place, each in enumerate(approvals.values()) if place % 4 == 2}
    assert told(world) == sorted(set(approvals.values()) - waiting)
    assert {(world.entry(each).state, world.entry(each).cause) for each in waiting} == {
        (State.WAITING, "people_unread")
    }

    world.coupa.front.heal()
    world.told(after_s=600)
    assert told(world) == sorted(approvals.values())


@pytest.mark.parametrize("age_s", [0, 60], ids=["just edited", "unchanged for a minute"])
def test_of_a_group_all_are_told_but_whose_address_cannot_be_looked_up(age_s: float) -> None:
    world = World()
    world.requisition(world.group(*PEOPLE))
    world.clock.advance(age_s)
    world.coupa.front.fail("answer", status=400, path="/api/users$", query="person2@", times=None)

    assert world.told() == [PEOPLE[0], PEOPLE[1], PEOPLE[3]]
    row = world.entry(int(world.moveworks.delivered[0].slots["approval_id"]))
    assert (row.state, row.cause) == (State.WAITING, "people_unread")

    world.clock.advance(600)
    assert world.announced() == []
    world.coupa.front.heal()
    assert world.told(after_s=600) == [PEOPLE[2]]


def test_of_several_clicks_in_one_request_only_the_one_that_cannot_be_read_fails() -> None:
    world, approvals = crowd(9)
    world.sweep()
    world.clock.advance(60)
    cards = [each for each in world.moveworks.delivered if each.recipient == PEOPLE[0]]
    by_approval = {each: document for document, each in approvals.items()}
    poison(world, by_approval[int(cards[1].slots["approval_id"])])

    reply = world.decide(cards, PEOPLE[0])

    said = [each.get("outcome") or each["error"] for each in reply.body["items"]]
    assert said == ["approved", "coupa_500", "approved"]


def test_a_document_whose_failure_passes_is_decided_in_the_same_request() -> None:
    world, _ = crowd(8)
    world.sweep()
    cards = [each for each in world.moveworks.delivered if each.recipient == PEOPLE[0]]
    world.coupa.front.fail("answer", status=500, method="GET", path="/api/requisitions$", times=1)

    reply = world.decide(cards, PEOPLE[0])

    assert [each["outcome"] for each in reply.body["items"]] == ["approved", "approved"]


@pytest.mark.parametrize("how", [{}, {"status": 200, "body": "<html>"}], ids=["500", "html"])
def test_an_approval_that_is_over_and_cannot_be_read_keeps_no_other_open(how: dict[str, Any]) -> None:
    world, approvals = crowd(12)
    world.sweep()
    world.clock.advance(60)
    bad = list(approvals.values())[5]
    for number in approvals.values():
        world.in_coupa(number, "boss@example.com")
    poison(world, bad, "approvals", **how)

    assert world.sweep().failure == ("not_json" if how else "coupa_500")
    assert [each.approval_id for each in world.store.open_entries().entries] == [bad]

    asked = world.coupa.front.count(path="/api/approvals$")
    assert world.sweep().failure == ""
    assert world.coupa.front.count(path="/api/approvals$") == asked + 1
    for _ in range(MAX_REFUSALS - 1):
        world.clock.advance(3_700)
        world.sweep()
    assert world.entry(bad).state is State.PARKED

    world.coupa.front.heal()
    world.told(after_s=DAY_S)
    assert world.store.open_entries().entries == []


def test_whose_manager_cannot_be_read_is_escalated_later_and_all_others_now() -> None:
    world = World(settings={"ESCALATE_AFTER_HOURS": "72"})
    boss, lost = world.person("boss@example.com"), world.person("lost@example.com")
    for person, manager in zip(PEOPLE[:2], (boss, lost), strict=True):
        world.person(person, manager=manager)
        world.requisition(person)
    world.announced()
    world.clock.advance(73 * 3_600)
    world.coupa.front.fail(
        "answer", status=500, path="/api/users$", query=rf"id\[in\]=(?:\d+,)*{lost}", times=None
    )

    assert world.told() == ["boss@example.com"]
    world.clock.advance(600)
    assert world.announced() == []

    world.coupa.front.heal()
    assert world.told(after_s=600) == ["lost@example.com"]


# The table.

NOT_TAKEN = Unavailable("ledger_413", "no", status=413)


@pytest.mark.slow
@pytest.mark.parametrize(
    "failure",
    [
        Unavailable("ledger_400", "no", status=400),
        NOT_TAKEN,
        Conflict("ledger_conflict", "no"),
        Unknown("ledger_503", "no", status=503),
    ],
    ids=lambda failure: failure.code,
)
@pytest.mark.parametrize("place", [0, 30, 59])
def test_a_row_that_the_table_does_not_take_keeps_nobody_else_from_being_told(
    failure: ServiceError, place: int
) -> None:
    world, approvals = crowd(60)
    bad = list(approvals.values())[place]
    end = failing(world.store, "insert", failure, when=lambda entry: entry.approval_id == bad)

    world.minutes(2)

    assert told(world) == sorted(set(approvals.values()) - {bad})
    end()
    world.minutes(1)
    assert told(world) == sorted(approvals.values())


def test_many_rows_that_the_table_refuses_for_their_own_sake_end_no_sweep() -> None:
    world, approvals = crowd(30)
    failing(world.store, "insert", NOT_TAKEN, when=lambda entry: entry.approval_id % 3 != 0)

    world.sweep()

    assert told(world) == [each for each in sorted(approvals.values()) if each % 3 == 0]


def test_a_purge_that_fails_costs_no_sweep_and_comes_again_tomorrow() -> None:
    asked: list[datetime] = []

    def fail(until: datetime) -> None:
        asked.append(until)
        raise Unknown("ledger_wait", "too slow")

    world = World()
    world.requisition(PEOPLE[0])
    before(world.store, "purge_closed", fail)

    world.minutes(2)

    status = world.store.status()
    assert (len(told(world)), len(asked), status.last_sweep_at) == (1, 1, world.clock.now())
    assert status.last_complete_at == world.clock.now()
    assert status.failure == ""
    world.told(after_s=DAY_S)
    assert (len(asked), world.store.status().failure) == (2, "ledger_wait")


def test_what_cannot_be_written_of_an_approval_that_cannot_be_read_is_tried_again() -> None:
    world, approvals = crowd(9)
    failing(world.store, "replace", NOT_TAKEN, when=lambda entry: entry.cause == "coupa_500")
    bad = list(approvals.values())[4]
    poison(world, bad, "approvals")

    world.sweep()

    assert told(world) == sorted(set(approvals.values()) - {bad})
    world.coupa.front.heal()
    world.told(after_s=600)
    assert told(world) == sorted(approvals.values())


def test_what_somebody_else_claims_while_it_cannot_be_read_is_left_to_them() -> None:
    world, approvals = crowd(5)
    world.sweep()
    bad = list(approvals.values())[2]
    quicker = Conflict("ledger_conflict", "somebody else was quicker")
    claims = lambda entry: entry.approval_id == bad and entry.state is State.CLAIMED  # noqa: E731
    failing(world.store, "replace", quicker, when=claims)
    for number in approvals.values():
        world.in_coupa(number, "boss@example.com")
    poison(world, bad, "approvals")

    world.minutes(1)

    rows = world.store.open_entries().entries
    assert [(each.approval_id, each.state) for each in rows] == [(bad, State.SENT)]


# Halves.


def asked(bad: set[int], failure: ServiceError, calls: list[int]) -> Callable[[Sequence[int]], list[int]]:
    def ask(some: Sequence[int]) -> list[int]:
        calls.append(len(some))
        if bad & set(some):
            raise failure
        return list(some)

    return ask


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    wanted=st.lists(st.integers(1, 99), max_size=50, unique=True),
    bad=st.sets(st.integers(1, 99), max_size=MAX_ALONE - 1),
)
def test_all_come_but_those_that_fail_alone(wanted: list[int], bad: set[int]) -> None:
    calls: list[int] = []

    found = by_halves(wanted, asked(bad, Unknown("coupa_500", "no"), calls))

    assert sorted(found.rows) == sorted(set(wanted) - bad)
    assert found.failed.keys() == bad & set(wanted)
    assert len(calls) <= 1 + 14 * len(found.failed)


def test_a_service_that_answers_nothing_is_down_after_few_questions() -> None:
    calls: list[int] = []

    with pytest.raises(Unknown):
        by_halves(range(50), asked(set(range(50)), Unknown("coupa_500", "no"), calls))

    assert len(calls) <= 20


@pytest.mark.parametrize(
    ("failure", "is_of_one"),
    [
        (Unknown("coupa_500", "no"), True),
        (Malformed("coupa_json", "no"), True),
        (Refused("coupa_400", "no", status=400), True),
        (Denied("coupa_403", "no", status=403), True),
        (Denied("coupa_401", "no", status=401), False),
        (Throttled("coupa_429", "no", status=429), False),
        (Unavailable("coupa_connect", "no"), False),
    ],
)
def test_only_an_answer_about_records_is_halved(failure: ServiceError, is_of_one: bool) -> None:  # noqa: FBT001
    calls: list[int] = []
    ask = asked({3}, failure, calls)

    if is_of_one:
        assert by_halves(range(8), ask).failed == {3: failure}
        return
    with pytest.raises(type(failure)):
        by_halves(range(8), ask)
    assert calls == [8]


def test_what_was_not_asked_any_more_is_told_apart_from_what_failed() -> None:
    late = Unavailable("coupa_late", "no time left")

    def ask(some: Sequence[int]) -> list[int]:
        if len(some) > 2:
            raise Unknown("coupa_500", "no")
        if 4 in some:
            raise late
        return list(some)

    found = by_halves(range(8), ask)

    assert (sorted(found.rows), found.failed) == ([0, 1, 2, 3], dict.fromkeys(range(4, 8), late))
