"""People with a card that is out of date get one closing notice, if they may be told: shortly, and once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from bridge import ALEX, JAMIE, ROBIN, SAM, World, offered
from unruly import ENDLESS, Dying, Raced

from coupa_core import notice
from coupa_core.ledger import MemoryStore, State
from sandbox.coupa.world import Line
from sandbox.moveworks import Delivered

Store = TypeVar("Store", Dying, Raced)
ALWAYS = {"CLOSING_NOTICE": "always"}
GROUPS = {"CLOSING_NOTICE": "groups"}
TELL = {"TELL_REQUESTER": "on"}


def shown(world: World, *approvers: object) -> list[Delivered]:
    world.requisition(*(approvers or (JAMIE,)))
    return world.announced()


def told(world: World, minutes: float = 1) -> list[tuple[str, str]]:
    """Let a minute pass, sweep, and return who was told what."""
    world.clock.advance(60 * minutes)
    return [(each.recipient, each.message) for each in world.announced()]


# Who is told.


def test_a_colleague_who_took_it_is_named_to_the_others_of_the_group() -> None:
    world = World(settings=GROUPS)
    jamie, _ = shown(world, world.group(JAMIE, ROBIN))
    world.click(jamie, JAMIE)

    [(person, said)] = told(world)

    assert person == ROBIN
    assert "Approved by Jamie Doe" in said
    assert told(world) == []
    assert world.store.open_entries().entries == []


def test_a_message_that_it_is_over_has_no_buttons_and_the_card_answers_what_happened() -> None:
    world = World(settings=GROUPS)
    jamie, robin = shown(world, world.group(JAMIE, ROBIN))
    world.click(jamie, JAMIE, "reject", reason="too dear")
    [last] = world.announced()

    assert (last.recipient, last.slots, "Rejected by Jamie Doe" in last.message) == (ROBIN, {}, True)
    said = world.click(robin, ROBIN).body
    assert (said["outcome"], "Rejected by Jamie Doe" in said["message"]) == ("already_decided", True)


@pytest.mark.parametrize(("setting", "number"), [("never", 0), ("groups", 0), ("always", 1)])
def test_somebody_whose_own_card_died_is_told_where_the_setting_says_so(setting: str, number: int) -> None:
    world = World(settings={"CLOSING_NOTICE": setting})
    [card] = shown(world)
    world.in_coupa(card, by=ROBIN)

    assert len(told(world)) == number


@pytest.mark.parametrize(("setting", "number"), [("never", 0), ("groups", 1), ("always", 1)])
def test_the_others_of_a_group_are_told_unless_nobody_is_to_be(setting: str, number: int) -> None:
    world = World(settings={"CLOSING_NOTICE": setting})
    jamie, _ = shown(world, world.group(JAMIE, ROBIN))
    world.click(jamie, JAMIE)

    assert len(told(world)) == number


@pytest.mark.parametrize("where", ["from chat", "in Coupa"])
def test_who_decided_is_not_told_of_it(where: str) -> None:
    world = World(settings=ALWAYS)
    [card] = shown(world)
    if where == "from chat":
        world.click(card, JAMIE)
    else:
        world.in_coupa(card, by=JAMIE)

    assert told(world) == []
    assert world.store.open_entries().entries == []


def test_a_request_that_was_put_on_hold_elsewhere_is_called_so() -> None:
    world, card = offered(holdable=True, settings=ALWAYS)
    world.click(card, JAMIE, "hold")
    assert told(world) == []

    world.requisition(world.group(ROBIN, ALEX), holdable=True)
    card, _ = world.announced()
    world.coupa.world.hold(int(card.slots["approval_id"]), by=world.person(ALEX))

    [(person, said)] = told(world)
    assert (person, "Put on hold" in said) == (ROBIN, True)


def test_whose_approval_was_given_to_somebody_else_is_told_so_and_the_other_gets_the_card() -> None:
    world = World(settings=ALWAYS)
    [card] = shown(world)
    world.coupa.world.reassign(int(card.slots["approval_id"]), to=world.person(ROBIN))
    world.clock.advance(60)

    jamie, robin = world.announced()

    assert (jamie.recipient, jamie.slots, "Passed to somebody else" in jamie.message) == (JAMIE, {}, True)
    assert (robin.recipient, "needs your approval" in robin.message) == (ROBIN, True)
    assert told(world) == []


def reassigned(store: MemoryStore) -> World:
    """Return a world in which one of Jamie's two approvals was given to Robin, and the other was edited."""
    world = World(store=store, settings=ALWAYS)
    [given], [edited] = shown(world), shown(world)
    world.coupa.world.reassign(int(given.slots["approval_id"]), to=world.person(ROBIN))
    document = world.coupa.world.approval(int(edited.slots["approval_id"])).document
    world.coupa.world.edit_line(document.id, 0, unit_price="901.00")
    world.clock.advance(60)
    return world


def test_who_is_told_of_one_that_was_given_away_is_told_of_a_change_to_another_as_well() -> None:
    world = reassigned(MemoryStore())

    told_now = world.announced()

    assert [each.recipient for each in told_now] == [JAMIE, JAMIE, ROBIN]
    assert {bool(each.slots) for each in told_now[:2]} == {True, False}


@pytest.mark.slow
@pytest.mark.parametrize("writes", range(8))
def test_whatever_happens_to_the_rows_meanwhile_everybody_is_told_in_the_end(writes: int) -> None:
    for store in (Raced(), Dying()):
        world = reassigned(store)
        store.left = writes
        world.sweep()
        store.left = ENDLESS

        for _ in range(6):
            told(world)

        last = [each for each in world.moveworks.delivered if each.recipient == JAMIE]
        assert any("Passed to somebody else" in each.message for each in last)
        assert any("901.00" in each.message for each in last)
        assert "needs your approval" in world.moveworks.inbox(ROBIN)[-1].message


def test_who_leaves_a_group_is_told_that_it_does_not_wait_for_them() -> None:
    world = World(settings=ALWAYS)
    group = world.group(JAMIE, ROBIN)
    shown(world, group)
    world.coupa.world.leave(group.id, world.person(ROBIN))

    [(person, said)] = told(world, minutes=6)

    assert (person, "No longer waiting for you" in said) == (ROBIN, True)


def test_when_nobody_is_left_who_can_be_told_nobody_hears_that_it_is_over() -> None:
    world = World(settings=ALWAYS)
    [card] = shown(world)
    approval = world.coupa.world.approval(int(card.slots["approval_id"]))
    world.coupa.world.users.rows[world.person(JAMIE)].active = False
    world.coupa.world.touch(approval.id)

    assert told(world, minutes=6) == []
    assert world.store.open_entries().entries[0].state is State.PARKED


def test_who_was_never_shown_it_is_not_told_that_it_is_over() -> None:
    world = World(settings={**ALWAYS, "QUIET_HOURS": "08:00-12:00"})
    number = world.requisition(JAMIE)
    world.sweep()
    world.coupa.world.withdraw(number)

    assert told(world, minutes=300) == []


def test_somebody_who_is_not_active_any_more_is_left_out() -> None:
    world = World(settings=ALWAYS)
    [card] = shown(world)
    world.in_coupa(card, by=ROBIN)
    world.coupa.world.users.rows[world.person(JAMIE)].active = False

    assert told(world) == []
    assert world.store.open_entries().entries == []


def test_many_cards_that_died_are_one_message_to_each_of_those_who_were_shown_them() -> None:
    world = World(settings={**GROUPS, "DIGEST_OVER": "3"})
    group = world.group(JAMIE, ROBIN, ALEX)
    for _ in range(4):
        world.requisition(group)
    world.sweep()
    for row in world.store.open_entries().entries:
        world.in_coupa(row.approval_id, by=JAMIE)

    said = told(world)

    assert [(person, "4 approvals are no longer waiting for you" in text) for person, text in said] == [
        (ALEX, True),
        (ROBIN, True),
    ]
    assert said[0][1].count("Approved by Jamie Doe") == 4
    assert world.store.open_entries().entries == []


def test_many_messages_of_which_one_is_somebody_elses_row_by_now_leave_that_one_out() -> None:
    store = Raced()
    world = World(store=store, settings={**ALWAYS, "DIGEST_OVER": "1"})
    for card in shown(world) + shown(world) + shown(world):
        world.in_coupa(card, by=ROBIN)
    store.left = 3  # after the claims

    assert ["3 approvals" in text for _, text in told(world)] == [True]
    assert len(world.store.open_entries().entries) == 1


# The requester.


@pytest.mark.parametrize(("verb", "ending"), [("approve", "approved"), ("reject", "rejected")])
def test_the_requester_is_told_the_outcome_of_the_whole_request_and_not_of_each_step(
    verb: str, ending: str
) -> None:
    world = World(settings=TELL)
    [card] = shown(world, JAMIE, ROBIN)
    world.click(card, JAMIE)
    [next_card] = world.announced()
    assert next_card.recipient == ROBIN
    world.click(next_card, ROBIN, verb, reason="too dear")

    [(person, said)] = told(world)

    assert (person, f"was {ending} by Robin Doe" in said) == (SAM, True)


def test_two_steps_that_end_together_tell_the_requester_once() -> None:
    world = World(settings=TELL)
    cards = shown(world, [JAMIE, ROBIN])
    for card in cards:
        world.in_coupa(card, by=card.recipient)

    assert [person for person, _ in told(world)] == [SAM]


def test_many_requests_that_ended_together_are_one_message_to_their_requester() -> None:
    world = World(settings={**TELL, "DIGEST_OVER": "2"})
    for card in shown(world, JAMIE) + shown(world, ROBIN) + shown(world, ALEX):
        world.in_coupa(card, by=card.recipient)

    [(person, said)] = told(world)

    assert (person, "3 of your requests have been decided" in said) == (SAM, True)


def test_a_requester_who_takes_it_back_knows_it() -> None:
    world = World(settings=TELL)
    number = world.requisition(JAMIE)
    world.sweep()
    world.coupa.world.withdraw(number)

    assert told(world) == []


# When.


def test_that_it_is_over_is_told_in_the_morning_by_the_readers_clock() -> None:
    zones = json.dumps({ROBIN: "Asia/Tokyo"})
    world = World(settings={**GROUPS, "QUIET_HOURS": "20:00-07:00", "TIME_ZONES": zones})
    jamie, _ = shown(world, world.group(JAMIE, ROBIN))  # nine here, eighteen there
    world.clock.advance(3 * 3600)
    world.click(jamie, JAMIE)

    assert told(world) == []
    assert world.store.open_entries().entries[0].cause == "quiet"
    assert told(world, minutes=9 * 60 + 30) == []
    [(person, said)] = told(world, minutes=40)
    assert (person, "9:00" in said or "21:00" in said) == (ROBIN, True)
    assert world.store.open_entries().entries == []


def test_the_time_of_the_end_is_that_of_the_end_and_not_of_the_morning() -> None:
    world = World(settings={**ALWAYS, "QUIET_HOURS": "20:00-07:00"})
    world.clock.advance(10 * 3600)
    [card] = shown(world)
    world.clock.advance(2 * 3600)
    world.in_coupa(card, by=ROBIN)
    told(world)
    assert told(world, minutes=12 * 60) != []

    closed = world.store.read_closed(int(card.slots["approval_id"]))

    assert closed is not None
    assert closed.closed_at is not None
    assert (closed.closed_at.hour, closed.cause) == (21, "approved")


# When something fails.


def test_while_moveworks_is_away_the_row_stays_open_and_the_message_follows() -> None:
    world = World(settings=ALWAYS)
    [card] = shown(world)
    world.in_coupa(card, by=ROBIN)
    world.moveworks.front.fail("answer", status=401, times=2)

    assert told(world) == []
    assert world.store.open_entries().entries != []
    assert told(world) == []
    assert [person for person, _ in told(world)] == [JAMIE]
    assert world.store.open_entries().entries == []


@pytest.mark.parametrize(("fault", "arrives"), [("lose", 1), ("refuse", 0)])
def test_one_that_was_refused_or_may_have_arrived_is_not_said_again(fault: str, arrives: int) -> None:
    world = World(settings=ALWAYS)
    [card] = shown(world)
    world.in_coupa(card, by=ROBIN)
    if fault == "lose":
        world.moveworks.front.fail("lose", method="POST", times=1)
    else:
        world.moveworks.front.fail("answer", method="POST", status=400, times=1)

    assert len(told(world)) == arrives
    assert [told(world) for _ in range(5)] == [[]] * 5
    assert world.store.open_entries().entries == []


@pytest.mark.parametrize(("status", "is_told"), [(503, True), (429, True), (403, False)])
@pytest.mark.parametrize("others", [1, 2], ids=["one", "a group"])
def test_people_who_cannot_be_looked_up_now_are_told_later_and_never_if_coupa_forbids_it(
    others: int, status: int, *, is_told: bool
) -> None:
    world = World(settings=ALWAYS)
    [card, *_] = shown(world, *([JAMIE] if others == 1 else [world.group(JAMIE, ROBIN, ALEX)]))
    world.in_coupa(card, by=ROBIN if others == 1 else card.recipient)
    world.coupa.front.fail("answer", path="/api/users$", query=r"id\[in\]", status=status, times=None)
    assert told(world) == []
    world.coupa.front.heal()

    assert sum(len(told(world, 5)) for _ in range(3)) == (others if is_told else 0)
    assert world.store.open_entries().entries == []


def test_one_who_cannot_be_looked_up_keeps_nobody_else_from_hearing_and_is_waited_for_a_day() -> None:
    world = World(settings=GROUPS)
    shown(world, world.group(JAMIE, ROBIN, ALEX))
    [card] = [each for each in world.moveworks.delivered if each.recipient == JAMIE]
    world.click(card, JAMIE)
    lost = world.person(ALEX)
    world.coupa.front.fail("answer", path="/api/users$", query=rf"id\[in\]=(?:.*,)?{lost}", times=None)

    assert [person for person, _ in told(world)] == [ROBIN]
    assert [told(world, 6) for _ in range(3)] == [[]] * 3
    assert len(world.store.open_entries().entries) == 1

    told(world, 24 * 60)
    assert world.store.open_entries().entries == []


def ended_in(store: Store) -> tuple[Store, World]:
    """Return a store, and its world in which Robin decided at Coupa's screen what Jamie was shown."""
    world = World(store=store, settings=ALWAYS)
    [card] = shown(world)
    world.in_coupa(card, by=ROBIN)
    return store, world


@pytest.mark.parametrize("writes", range(4))
def test_a_store_that_dies_while_it_is_told_costs_nothing_but_a_repeat(writes: int) -> None:
    store, world = ended_in(Dying())
    store.left = writes
    first = len(told(world))
    store.left = ENDLESS

    rest = sum(len(told(world)) for _ in range(6))

    assert 1 <= first + rest <= 2
    assert world.store.open_entries().entries == []


@pytest.mark.parametrize(("writes", "arrives"), [(0, 0), (1, 1)])
def test_when_somebody_else_writes_the_row_the_end_is_left_to_them(writes: int, arrives: int) -> None:
    store, world = ended_in(Raced())
    store.left = writes

    assert len(told(world)) == arrives
    store.left = ENDLESS
    assert 1 <= arrives + sum(len(told(world)) for _ in range(6)) <= 2
    assert world.store.open_entries().entries == []


@pytest.mark.parametrize("how", ["closing", "reassigned"])
def test_a_message_that_cannot_be_written_keeps_no_row_open_and_nobody_else_from_being_told(
    how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(settings=ALWAYS)
    [odd], [other] = shown(world, JAMIE), shown(world, JAMIE)
    closing = notice.closing

    def broken(items: Any, **more: Any) -> str:
        if str(items[0].document.id) in odd.message:
            raise ZeroDivisionError
        return closing(items, **more)

    monkeypatch.setattr(notice, "closing", broken)
    for card in (odd, other):
        if how == "closing":
            world.in_coupa(card, by=ROBIN)
        else:
            world.coupa.world.reassign(int(card.slots["approval_id"]), to=world.person(ROBIN))

    assert [person for person, _ in told(world) if person == JAMIE] == [JAMIE]
    assert "message spoiled" in caplog.text
    assert len(world.store.open_entries().entries) == (0 if how == "closing" else 2)


@pytest.mark.parametrize(
    ("is_returned", "words"), [(True, "Withdrawn"), (False, "No longer waiting")], ids=["returned", "not"]
)
def test_a_withdrawn_request_is_called_so_where_coupa_returns_it(*, is_returned: bool, words: str) -> None:
    world = World(settings=ALWAYS)
    number = world.requisition(JAMIE)
    world.sweep()
    world.coupa.world.withdraw(number)
    if not is_returned:
        world.coupa.front.fail("replace", path="/api/requisitions", times=None, status=200, body="[]")

    [(person, said)] = told(world)

    assert (person, f"Purchase request {number}" in said, words in said) == (JAMIE, True, True)


def test_the_allowed_rate_holds_for_those_messages_too() -> None:
    world = World(settings={**ALWAYS, "MOVEWORKS_MAX_PER_MINUTE": "3"})
    cards = shown(world) + shown(world) + shown(world)
    for card in cards:
        world.in_coupa(card, by=ROBIN)
    world.clock.advance(60)
    world.requisition(ROBIN)

    assert len(world.announced()) == 3
    assert len(told(world)) == 1
    assert world.store.open_entries().entries[-1].state is State.SENT


# When it comes back.


def test_what_comes_back_while_its_end_was_still_to_be_told_is_a_new_round() -> None:
    world = World(settings={**ALWAYS, "QUIET_HOURS": "20:00-07:00"})
    world.clock.advance(10.5 * 3600)
    [card] = shown(world)
    world.clock.advance(3600)
    approval = world.coupa.world.approval(int(card.slots["approval_id"]))
    before = approval.status
    approval.status = "escalated"
    told(world)
    assert world.store.open_entries().entries[0].ended_as == "escalated"
    approval.status = before
    world.coupa.world.touch(approval.id)

    [(person, said)] = told(world, minutes=11 * 60)

    assert (person, "needs your approval" in said) == (JAMIE, True)
    assert world.store.open_entries().entries[0].generation == 1
    assert world.click(card, JAMIE).body["outcome"] == "changed"


def test_an_amount_that_changed_is_shown_as_a_difference() -> None:
    world = World()
    number = world.requisition(JAMIE, lines=[Line("Laptop", quantity="1", unit_price="100.00")])
    world.sweep()
    world.clock.advance(60)
    world.coupa.world.edit_line(number, 0, unit_price="120.00")

    [changed] = world.announced()

    assert "Amount: USD 100.00 → USD 120.00" in changed.message
    assert "100" not in world.store.open_entries().entries[0].cause


# Whom the document still asks.


def given_away(world: World) -> None:
    number = world.requisition(JAMIE, JAMIE)
    world.sweep()
    world.coupa.world.reassign(world.coupa.world.approvals_of(number)[0].id, to=world.person(ROBIN))


def left_the_group(world: World) -> None:
    group = world.group(JAMIE, ROBIN)
    world.requisition(group, JAMIE)
    world.sweep()
    world.coupa.world.leave(group.id, world.person(JAMIE))


def delegation_ended(world: World) -> None:
    number = world.delegation(ROBIN, JAMIE)
    world.requisition(ROBIN, JAMIE)
    world.sweep()
    world.coupa.world.end_delegation(number)


def in_the_group_later(world: World) -> None:
    group = world.group(JAMIE, ALEX)
    number = world.requisition(JAMIE, group)
    world.sweep()
    world.coupa.world.reassign(world.coupa.world.approvals_of(number)[0].id, to=world.person(ROBIN))


LEFT_OUT = [given_away, left_the_group, delegation_ended, in_the_group_later]


@pytest.mark.parametrize("leave", LEFT_OUT)
def test_whoever_is_asked_in_a_later_step_hears_no_farewell(leave: Callable[[World], None]) -> None:
    world = World(settings=ALWAYS)
    leave(world)
    assert world.moveworks.inbox(JAMIE) != []

    assert [person for person, _ in told(world, 6) + told(world, 6) if person == JAMIE] == []
    assert not any(row.farewell for row in world.store.open_entries().entries)


@pytest.mark.parametrize("leave", LEFT_OUT)
def test_while_nobody_knows_whom_the_document_asks_nothing_is_said_of_its_end(
    leave: Callable[[World], None],
) -> None:
    world = World(settings=ALWAYS)
    leave(world)
    assert world.moveworks.inbox(JAMIE) != []
    world.clock.advance(360)
    world.coupa.front.fail("answer", status=503, times=ENDLESS, query=r"approvable_id\[in\]")

    first = world.announced()
    world.coupa.front.heal()
    later = told(world, 6)

    assert [each.recipient for each in first if each.recipient == JAMIE] == []
    assert [person for person, _ in later if person == JAMIE] == []


def test_where_nobody_is_left_out_nobody_asks_whom_the_document_asks() -> None:
    world = World(settings=ALWAYS)
    world.requisition(JAMIE, ROBIN)
    world.sweep()
    world.clock.advance(360)
    world.sweep()

    queries = [call.query for call in world.coupa.front.calls]
    assert len(queries) > 2
    assert not any("approvable_id%5Bin%5D" in query for query in queries)


def test_whoever_comes_back_before_the_morning_hears_no_farewell() -> None:
    world = World(settings={**ALWAYS, "QUIET_HOURS": "18:00-08:00"})
    group = world.group(JAMIE, ROBIN)
    world.requisition(group)
    world.sweep()
    world.clock.advance(12 * 3600)
    world.coupa.world.leave(group.id, world.person(JAMIE))
    assert told(world) == []
    world.coupa.world.join(group.id, world.person(JAMIE))

    assert [said for person, said in told(world, 14 * 60) if person == JAMIE and "No longer" in said] == []


@pytest.mark.parametrize("how", ["given away", "decided"])
def test_while_the_members_of_a_later_group_are_unknown_nobody_hears_that_it_is_over(how: str) -> None:
    world = World(settings=ALWAYS)
    group = world.group(JAMIE, ALEX)
    number = world.requisition(JAMIE, group)
    world.sweep()
    step = world.coupa.world.approvals_of(number)[0].id
    world.clock.advance(2 * 3600)
    if how == "given away":
        world.coupa.world.reassign(step, to=world.person(ROBIN))
    else:
        world.in_coupa(step)
    world.coupa.hidden_fields, world.coupa.hide_always = {"users"}, True
    world.coupa.front.fail("answer", status=503, times=ENDLESS, query="approval.groups")

    assert [said for person, said in told(world) + told(world, 6) if person == JAMIE] == []

    world.coupa.front.heal()
    assert not [said for _, said in told(world, 70) if "nothing left" in said or "No longer" in said]
