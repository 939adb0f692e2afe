"""A sweep end to end: the messages, and the work that remains when a service or a record is bad."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from bridge import ALEX, JAMIE, ROBIN, World
from canaries import API_KEY
from kinds import KINDS, enter
from unruly import Spoiled, after, away, before, failing, once

from coupa_core.endpoints import Request
from coupa_core.errors import Conflict
from coupa_core.ledger import Entry, State, Status
from coupa_core.sweep import Summary
from sandbox.coupa.world import Line


def state_of(world: World, approval_id: int) -> str:
    """Return where an approval stands, and why."""
    row = world.entry(approval_id)
    return f"{row.state.value} {row.cause}".strip()


def world_of_three() -> World:
    """Return a world in which a request waits for each of three people."""
    world = World()
    for person in (JAMIE, ROBIN, ALEX):
        world.requisition(person)
    return world


# Everybody, once.


@pytest.mark.slow
def test_120_approvals_on_three_pages_are_told_once_each_and_not_again_by_a_new_process() -> None:
    world = World()
    people = [f"person{number}@example.com" for number in range(120)]
    for person in people:
        world.requisition(person)

    first, second = world.told(), world.told()
    third = world.minutes(1)
    world.restart()

    assert (sorted(first), second, third) == (sorted(people[:120]), [], [[]])
    assert world.minutes(2) == [[], []]
    by_approval = Counter(each.slots["approval_id"] for each in world.moveworks.delivered)
    assert set(by_approval.values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 50, 51, 100])
def test_new_approvals_cost_three_calls_to_coupa_for_fifty_and_five(number: int) -> None:
    world = World()
    for _ in range(number):
        world.requisition(JAMIE)

    world.sweep()

    assert world.coupa.front.count("GET", "/api/") <= 3 * math.ceil(number / 50) + 5


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 10])
def test_as_many_threads_as_there_may_be_tell_the_same(workers: int) -> None:
    world = World(workers=workers)
    for number in range(60):
        world.requisition(f"person{number}@example.com")

    assert sorted(world.told()) == sorted(f"person{number}@example.com" for number in range(60))
    assert world.told() == []


# Whose turn it is.


def test_only_the_current_step_is_told_and_the_next_one_when_it_becomes_current() -> None:
    world = World()
    number = world.requisition(JAMIE, ROBIN)
    first, second = (world.approval_id(number, step) for step in (0, 1))

    assert world.told() == [JAMIE]
    assert state_of(world, second) == "waiting not_your_turn"
    world.in_coupa(first, JAMIE)
    assert world.minutes(1) == [[ROBIN]]


def test_parallel_steps_are_told_together() -> None:
    world = World()
    world.requisition([JAMIE, ROBIN], ALEX)

    assert world.told() == [JAMIE, ROBIN]


def test_a_draft_is_told_to_nobody_until_it_is_submitted() -> None:
    world = World()
    number = world.requisition(JAMIE, submitted=False)

    assert world.told() == []
    world.coupa.world.submit(number)
    assert world.minutes(1) == [[JAMIE]]


def test_what_waits_is_looked_at_again_within_minutes_though_nothing_seems_touched() -> None:
    """A document may begin to wait without a new stamp on the approval."""
    world = World()
    number = world.requisition(JAMIE, submitted=False)
    world.minutes(2)
    world.coupa.world.requisition(number).status = "pending_approval"

    told = world.minutes(6)

    assert [JAMIE] in told


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world, user: setattr(world.coupa.world.users.rows[user], "active", False),
        lambda world, user: world.coupa.world.override(("user", user), {"email": ""}),
        lambda world, user: world.coupa.world.override(("user", user), {"email": "no address"}),
    ],
    ids=["inactive", "without an address", "with no address"],
)
def test_somebody_who_cannot_be_told_is_counted_and_never_replaced(
    spoil: Callable[[World, int], object],
) -> None:
    world = World()
    number = world.requisition(JAMIE)
    spoil(world, world.person(JAMIE))

    assert world.told() == []
    assert state_of(world, world.approval_id(number)) == "parked no_recipient"
    assert world.store.status().counts["no_recipient"] == 1
    [parked] = world.bridge.endpoints.handle("status", Request()).body["lists"]["parked"]
    assert parked["cause"] == "no_recipient"


def test_somebody_who_can_be_told_again_is_told_at_once() -> None:
    world = World()
    world.requisition(JAMIE)
    user = world.coupa.world.users.rows[world.person(JAMIE)]
    user.active = False
    assert world.minutes(3) == [[], [], []]

    user.active = True

    assert world.minutes(2) == [[JAMIE], []]


@pytest.mark.parametrize("is_embedded", [True, False])
def test_every_active_member_of_a_group_is_told_once(*, is_embedded: bool) -> None:
    world = World()
    group = world.group(JAMIE, ROBIN, ALEX)
    world.coupa.world.users.rows[world.person(ALEX)].active = False
    if not is_embedded:
        world.coupa.world.delete_field("group", group.id, "users")
    world.requisition(group)

    assert world.minutes(3) == [[JAMIE, ROBIN], [], []]
    assert "(for Buyers)" in world.moveworks.delivered[0].message


def test_whoever_joins_a_group_is_told_of_what_waits_and_nobody_else_again() -> None:
    world = World()
    group = world.group(JAMIE)
    world.requisition(group)
    assert world.told() == [JAMIE]

    world.coupa.world.groups.rows[group.id].users.append(world.coupa.world.users.rows[world.person(ROBIN)])

    assert world.minutes(2) == [[ROBIN], []]


def test_a_group_without_members_is_parked_and_told_when_it_has_one() -> None:
    world = World()
    group = world.group()
    number = world.requisition(group)
    world.requisition(ALEX)

    assert world.told() == [ALEX]
    assert state_of(world, world.approval_id(number)) == "parked no_recipient"

    member = world.coupa.world.users.rows[world.person(JAMIE)]
    world.coupa.world.groups.rows[group.id].users.append(member)
    assert world.minutes(1) == [[JAMIE]]


def test_members_who_cannot_be_read_now_are_told_later_and_the_others_go_on() -> None:
    world = World()
    group = world.group(JAMIE)
    world.coupa.world.delete_field("group", group.id, "users")
    number = world.requisition(group)
    world.coupa.front.fail("answer", path="/api/users$", status=503, times=8)
    world.requisition(ALEX)

    told = world.minutes(10)

    assert sorted(chain(*told)) == [ALEX, JAMIE]
    assert state_of(world, world.approval_id(number)) == "sent"


def test_a_member_whom_moveworks_does_not_take_keeps_nobody_else_from_being_told() -> None:
    world = World()
    number = world.requisition(world.group(JAMIE, ROBIN, ALEX))
    world.moveworks.front.fail("answer", method="POST", status=400, skip=1, times=1)

    assert world.told() == [ALEX, JAMIE]
    assert state_of(world, world.approval_id(number)) == "retry moveworks_400"
    assert world.minutes(2) == [[ROBIN], []]


def test_a_group_that_does_not_fit_into_the_rate_is_told_over_two_minutes_and_nobody_twice() -> None:
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "2"})
    world.requisition(world.group(JAMIE, ROBIN, ALEX))

    assert sorted(chain(*world.minutes(4))) == [ALEX, JAMIE, ROBIN]


def delegate(world: World, *, start_h: float, end_h: float, to: str = ROBIN, **more: Any) -> int:
    """Let somebody act for Jamie between two times in hours from now."""
    return world.delegation(JAMIE, to, start=timedelta(hours=start_h), end=timedelta(hours=end_h), **more)


def test_every_delegate_of_today_is_told_beside_the_approver() -> None:
    world = World()
    delegate(world, start_h=-1, end_h=5)
    delegate(world, start_h=-2, end_h=1, to=ALEX)
    world.requisition(JAMIE)

    assert world.minutes(2) == [[ALEX, JAMIE, ROBIN], []]
    to_robin = next(each for each in world.moveworks.delivered if each.recipient == ROBIN)
    assert "(for Jamie Doe)" in to_robin.message


def test_a_delegation_that_begins_while_a_request_waits_is_told_within_minutes() -> None:
    world = World()
    world.requisition(JAMIE)
    assert world.told() == [JAMIE]
    delegate(world, start_h=0.5, end_h=5)

    told = world.minutes(40)

    assert [minute for minute in told if minute] == [[ROBIN]]
    assert told.index([ROBIN]) in range(29, 36)


@pytest.mark.parametrize(
    "raw",
    [
        {"start-date": None},
        {"end-date": "2027-01-01T00:00:00"},
        {"approval-delegate": None},
        {"delegate": {"id": None}, "delegate-id": None},
    ],
    ids=str,
)
def test_a_delegation_that_cannot_be_judged_gives_no_right_and_spoils_nothing(raw: dict[str, Any]) -> None:
    world = World()
    number = delegate(world, start_h=-1, end_h=5)
    world.coupa.world.delegations.rows[number].raw.update(raw)
    world.requisition(JAMIE)

    assert world.told() == [JAMIE]


def test_a_delegate_of_whom_only_the_id_is_known_is_looked_up() -> None:
    world = World()
    number = delegate(world, start_h=-1, end_h=5)
    world.coupa.world.delegations.rows[number].raw["delegate"] = {"id": world.person(ROBIN)}
    world.requisition(JAMIE)

    assert world.told() == [JAMIE, ROBIN]


@pytest.mark.parametrize("status", [403, 404])
def test_where_delegations_are_not_readable_the_delegates_are_those_whom_the_approval_names(
    status: int,
) -> None:
    world = World()
    delegate(world, start_h=-1, end_h=5)
    world.coupa.front.fail("answer", path="/api/delegations", status=status, times=None)
    world.requisition(JAMIE)

    cards = {card.recipient: card for card in world.announced()}

    assert set(cards) == {JAMIE, ROBIN}
    assert world.click(cards[ROBIN], ROBIN).body["outcome"] == "approved"


@pytest.mark.slow
def test_while_delegations_are_out_of_reach_the_approver_is_told_and_no_delegate_twice() -> None:
    world = World()
    delegate(world, start_h=-1, end_h=500)
    world.requisition(JAMIE)
    world.coupa.front.fail("answer", path="/api/delegations", status=503, times=8)
    assert world.told() == [JAMIE]
    assert [minute for minute in world.minutes(6) if minute] == [[ROBIN]]
    world.coupa.front.fail("answer", path="/api/delegations", status=503, times=None)

    told = world.minutes(90)

    assert [minute for minute in told if minute] == []


def test_nobody_is_told_at_an_address_that_two_people_share() -> None:
    world = World()
    number = world.requisition(JAMIE)
    twin = world.coupa.world.add_user(email=JAMIE, firstname="Jay", lastname="Me")

    assert world.told() == []
    assert state_of(world, world.approval_id(number)) == "parked shared_address"

    world.coupa.world.users.rows[twin].active = False
    world.clock.advance(24 * 3600)
    assert world.told() == [JAMIE]


def test_other_documents_have_a_generic_notice_with_a_link() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    jamie, robin = world.person(JAMIE), world.person(ROBIN)
    number = world.coupa.world.add_document(approvable_type="ReceiptRequest", approvers=[jamie, robin])

    [card] = world.announced()

    assert card.recipient == JAMIE
    assert f"Request {number} needs your approval" in card.message
    assert 'href="https://acme.coupahost.com"' in card.message


@pytest.mark.parametrize(("kind", "fields"), KINDS.items())
def test_each_kind_of_document_is_told_to_whose_turn_it_is_and_decided(
    kind: str, fields: dict[str, Any]
) -> None:
    world = World(settings={"DOCUMENT_TYPES": kind})
    enter(world, kind, JAMIE, ROBIN)

    [card] = world.announced()

    assert card.recipient == JAMIE
    assert next(iter(fields.values())) in card.message
    assert world.click(card, ROBIN).body["outcome"] == "not_your_approval"
    assert world.click(card, JAMIE).body["outcome"] == "approved"
    assert world.told(after_s=60) == [ROBIN]


@pytest.mark.parametrize(("kind", "fields"), KINDS.items())
def test_an_edit_of_any_kind_is_noticed_by_its_stamp_and_spoils_the_old_button(
    kind: str, fields: dict[str, Any]
) -> None:
    world = World(settings={"DOCUMENT_TYPES": kind})
    number = enter(world, kind, JAMIE)
    [card] = world.announced()
    assert world.minutes(2) == [[], []]
    name, value = list(fields.items())[-1]

    world.coupa.world.edit_document(kind, number, **{name: value.replace("9", "8").replace("New", "Other")})
    outcome = world.click(card, JAMIE).body["outcome"]

    assert outcome == "changed"
    assert world.minutes(2) == [[JAMIE], []]
    assert "has changed and still needs" in world.moveworks.delivered[-1].message


def test_a_comment_on_a_document_of_another_kind_tells_nobody_anything() -> None:
    world = World(settings={"DOCUMENT_TYPES": "ExpenseReport"})
    number = enter(world, "ExpenseReport", JAMIE)
    world.sweep()

    world.coupa.world.edit_document("ExpenseReport", number, auditor_note="Looks fine")

    assert world.minutes(2) == [[], []]


def test_a_steady_state_of_all_kinds_reads_no_document_and_asks_once_for_the_edits_of_each() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    for kind in KINDS:
        for _ in range(3):
            enter(world, kind, JAMIE)
    world.requisition(JAMIE)
    world.minutes(2)
    before = len(world.coupa.front.calls)

    assert world.minutes(1) == [[]]

    asked = world.coupa.front.calls[before:]
    assert [call for call in asked if "id%5Bin%5D" in call.query] == []
    # Each until there are no more: all were edited within the ten minutes that are asked about once more.
    assert Counter(call.path for call in asked if call.method == "GET") == dict.fromkeys(
        [
            "/api/approvals",
            "/api/contracts",
            "/api/easy_form_responses",
            "/api/expense_reports",
            "/api/invoices",
            "/api/purchase_order_changes",
            "/api/requisitions",
        ],
        2,
    )


@pytest.mark.parametrize("status", [403, 404, 400])
def test_a_kind_that_cannot_be_read_waits_with_the_scope_and_the_others_go_on(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    invoice = enter(world, "InvoiceHeader", JAMIE)
    enter(world, "Contract", JAMIE)
    world.requisition(JAMIE)
    world.coupa.front.fail("answer", path="/api/invoices", times=None, status=status, body="{}")

    assert world.told() == [JAMIE, JAMIE]

    number = world.approval_id(invoice)
    assert state_of(world, number) == "waiting unreadable:core.invoice.read"
    assert world.store.status().counts["unreadable:core.invoice.read"] == 1
    assert (
        f"documents not readable code=coupa_{status} type=InvoiceHeader scope=core.invoice.read"
        in caplog.text
    )
    assert world.minutes(2) == [[], []]
    world.coupa.front.heal()
    assert world.minutes(5).count([JAMIE]) == 1


# What ends.


def test_what_was_decided_elsewhere_is_closed_with_how_it_ended_and_purged_after_ninety_days() -> None:
    world = World()
    done, gone = world.approval_id(world.requisition(JAMIE)), world.requisition(ROBIN)
    withdrawn = world.approval_id(gone)
    world.sweep()
    world.in_coupa(done, ALEX, "rejected")
    world.coupa.world.withdraw(gone)

    world.minutes(1)

    assert state_of(world, done) == "closed rejected"
    assert state_of(world, withdrawn).startswith("closed ")
    world.clock.advance(timedelta(days=91).total_seconds())
    world.sweep()
    assert world.store.read_closed(done) is None
    assert world.store.status().counts["purged"] == 2


def test_a_row_is_not_closed_while_coupas_answer_about_it_cannot_be_read() -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    world.sweep()
    world.in_coupa(number, ALEX)
    world.coupa.world.override(("approval", number), {"id": None})

    world.minutes(1)

    assert state_of(world, number) == "sent"
    assert world.store.status().counts["unreadable"] == 1


def test_a_row_is_not_closed_while_coupa_says_that_the_approval_waits() -> None:
    """A list may leave out what still waits; asked for by id, Coupa says so."""
    world = World(settings={"DOCUMENT_TYPES": "*"})
    number = world.approval_id(world.requisition(JAMIE))
    world.sweep()
    world.settings = {"DOCUMENT_TYPES": "InvoiceHeader"}
    world.restart()

    world.minutes(1)

    assert state_of(world, number) == "sent"
    assert world.store.status().counts["unlisted"] == 1


@pytest.mark.slow
def test_without_time_left_closing_goes_on_in_the_next_sweep() -> None:
    world = World()
    numbers = [world.approval_id(world.requisition(JAMIE)) for _ in range(120)]
    world.minutes(3)
    for number in numbers:
        world.in_coupa(number, ALEX)
    after(world.store, "archive", lambda _: world.clock.advance(0.6))

    world.sweep()
    counts = world.store.status().counts
    world.minutes(1)

    assert (counts["closed"], counts["closings_left"]) == (100, 20)
    assert {state_of(world, number) for number in numbers} == {"closed approved"}


def test_a_backlog_that_fills_every_minute_leaves_time_for_closing() -> None:
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "10"})
    world.moveworks.front.latency_s = 2.5
    done = world.approval_id(world.requisition(JAMIE))
    world.sweep()
    for _ in range(100):
        world.requisition(ROBIN)
    world.minutes(1)
    world.in_coupa(done, ALEX)

    world.minutes(1)

    assert state_of(world, done) == "closed approved"


def test_a_failure_while_closing_closes_nothing_and_is_told() -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    world.sweep()
    world.clock.advance(60)
    world.in_coupa(number, ALEX)
    world.coupa.front.fail("answer", path="/api/approvals", skip=1, status=400, times=None)

    summary = world.sweep()

    assert summary.failure == "coupa_400"
    assert state_of(world, number) == "retry coupa_400"


# Bad records and bad services.


def test_a_requisition_that_coupa_does_not_return_waits_and_the_others_are_told() -> None:
    world = World()
    missing = world.requisition(JAMIE)
    world.requisition(ROBIN)
    world.coupa.world.override(("requisition", missing), {"id": None})

    assert world.told() == [ROBIN]
    assert state_of(world, world.approval_id(missing)) == "retry document_missing"


def test_an_approval_that_cannot_be_read_after_the_claim_is_given_back() -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    page = json.dumps([{"id": None}])
    world.coupa.front.fail("replace", path="/api/approvals$", skip=2, status=200, body=page)

    assert world.told() == []
    assert state_of(world, number) == "retry approval_unreadable"
    assert world.minutes(1) == [[JAMIE]]


def test_an_error_that_nobody_thought_of_spoils_one_approval_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE, title="odd"))
    world.requisition(ROBIN)
    compose = __import__("coupa_core.notice", fromlist=["notice"]).compose

    def broken(turn: Any, **more: Any) -> Any:
        if turn.document.title == "odd":
            raise ZeroDivisionError
        return compose(turn, **more)

    monkeypatch.setattr("coupa_core.notice.compose", broken)

    assert world.told() == [ROBIN]
    assert state_of(world, number) == "retry internal"
    assert f"approval spoiled approval_id={number}" in caplog.text


@pytest.mark.slow
def test_a_notice_that_moveworks_refuses_comes_later_each_time_then_shorter_then_never(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE, justification="Because."))
    world.moveworks.front.fail("answer", method="POST", times=None, status=400, body='{"error": "no"}')
    tried: list[int] = []
    for minute in range(140):
        before = world.moveworks.front.count("POST")
        world.sweep()
        if world.moveworks.front.count("POST") > before:
            tried.append(minute)
        world.clock.advance(60)

    waits = [later - earlier for earlier, later in pairwise(tried)]
    assert waits == [*(2**number for number in range(6)), 60]
    bodies = [call.body.decode() for call in world.moveworks.front.calls if call.method == "POST"]
    assert ["Because." in body for body in bodies] == [True] * 5 + [False] * 3
    assert state_of(world, number) == "parked moveworks_400"
    assert f"approval parked approval_id={number}" in caplog.text
    world.moveworks.front.heal()
    world.clock.advance(timedelta(days=1).total_seconds())
    assert world.told() == [JAMIE]


def test_one_refused_notice_does_not_hold_up_the_others() -> None:
    world = world_of_three()
    world.moveworks.front.fail("answer", method="POST", status=400)

    assert world.told() == [ALEX, ROBIN]


@pytest.mark.parametrize("status", [401, 404, 403])
def test_a_wrong_key_or_event_stops_the_sending_and_counts_against_no_approval(status: int) -> None:
    world = world_of_three()
    world.moveworks.front.fail("answer", times=None, status=status)

    for _ in range(20):
        world.sweep()
        world.clock.advance(60)

    assert world.moveworks.front.count("POST") == 1
    assert world.moveworks.front.count("GET") == 19
    rows = world.store.open_entries().entries
    assert (rows[0].state, rows[0].cause) == (State.RETRY, f"moveworks_{status}")
    assert {row.failures for row in rows} == {0}
    world.moveworks.front.heal()
    assert sorted(world.told()) == [ALEX, JAMIE, ROBIN]


@pytest.mark.parametrize(("retry_after", "pause_s"), [(None, 60), ("120", 120), ("0", 60), ("9999999", 900)])
def test_after_a_429_nothing_is_sent_for_as_long_as_moveworks_says(
    retry_after: str | None, pause_s: int
) -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    headers = {"Retry-After": retry_after} if retry_after else {}
    world.moveworks.front.fail("answer", method="POST", status=429, headers=headers)
    world.sweep()
    began_s = world.clock.monotonic()

    world.restart()  # the pause is remembered by the ledger, not by the process
    for passed_s in (pause_s / 2, pause_s - 5):
        assert world.told(after_s=began_s + passed_s - world.clock.monotonic()) == []
    assert world.told(after_s=10) == [JAMIE]

    assert world.moveworks.front.count("POST") == 2
    row = world.entry(number)
    assert (row.failures, row.uncertain) == (0, 0)


def test_an_edit_that_nobody_could_be_told_of_for_a_long_time_is_told_in_the_end() -> None:
    world = World()
    number = world.requisition(JAMIE)
    world.announced()
    world.clock.advance(3600)
    world.sweep()
    world.moveworks.front.fail("answer", method="POST", status=429, headers={"Retry-After": "900"})
    world.requisition(ROBIN)
    world.sweep()  # Moveworks wants a pause of a quarter of an hour

    world.coupa.world.edit_line(number, 0, unit_price="950.00")

    assert sorted(chain(*world.minutes(20))) == [JAMIE, ROBIN]


def test_a_pause_that_a_wrong_clock_left_behind_is_ignored() -> None:
    world = World()
    world.store.save_status(Status(paused_until=world.clock.now() + timedelta(days=3)))
    world.requisition(JAMIE)

    assert world.told() == [JAMIE]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "status"), [("lose", 0), ("cut", 0), ("answer", 500), ("answer", 503)])
def test_a_send_of_unknown_outcome_waits_for_its_lease_and_is_parked_after_three(
    kind: Any, status: int
) -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    world.moveworks.front.fail(kind, method="POST", times=None, status=status)
    times = []
    for _ in range(60):
        before = world.moveworks.front.count("POST")
        world.sweep()
        if world.moveworks.front.count("POST") > before:
            times.append(world.clock.monotonic())
        world.clock.advance(10)

    assert len(times) == 3
    assert all(later - earlier >= 150 for earlier, later in pairwise(times))
    assert state_of(world, number) == "parked unknown_outcomes"


def test_after_an_unknown_outcome_the_next_sweep_asks_for_a_sign_of_life_and_then_sends_the_others() -> None:
    world = world_of_three()
    world.moveworks.front.fail("lose", method="POST")

    assert world.told() == [JAMIE]  # it arrived; its answer did not
    assert world.minutes(1) == [[ALEX, ROBIN]]
    assert world.moveworks.front.count("GET", "/auth/test") == 1
    assert world.minutes(3) == [[], [JAMIE], []]  # told once more, because nobody can know


@pytest.mark.slow
def test_the_allowed_rate_is_kept_across_sweeps_and_processes() -> None:
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "7"})
    for _ in range(30):
        world.requisition(JAMIE)

    for _ in range(30):
        world.sweep()
        world.restart()
        world.clock.advance(13)

    times = sorted(each.at for each in world.moveworks.delivered)
    assert len(times) == 30
    for start in times:
        assert sum(start <= time < start + timedelta(seconds=60) for time in times) <= 7


@pytest.mark.slow
def test_a_sweep_ends_in_time_and_the_next_one_goes_on_with_what_is_left() -> None:
    world = World()
    numbers = [world.approval_id(world.requisition(JAMIE)) for _ in range(60)]
    world.moveworks.front.latency_s = 1.0
    durations = []
    for _ in range(4):
        began_s = world.clock.monotonic()
        world.sweep()
        durations.append(world.clock.monotonic() - began_s)
        world.clock.advance(30)

    told = [int(each.slots["approval_id"]) for each in world.moveworks.delivered]
    assert max(durations) < 55
    assert sorted(told) == numbers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("<errors><error>x</error></errors>", 200),
        ("<html>", 200),
        ("{}", 200),
        ("", 500),
        ("[{", 200),
        ("", 200),
    ],
)
def test_when_coupa_answers_nonsense_nothing_is_closed_or_sent_and_the_line_is_clear(
    body: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    world.sweep()
    world.clock.advance(60)
    world.coupa.front.fail("answer", path="/api/", times=None, status=status, body=body)

    with caplog.at_level(logging.INFO):
        summary = world.sweep()

    assert not summary.is_complete
    assert summary.failure
    assert f"sweep incomplete failure={summary.failure}" in caplog.text
    assert state_of(world, number) == "sent"
    assert len(world.moveworks.delivered) == 1


def test_edits_are_asked_for_in_whole_seconds_as_coupa_writes_them() -> None:
    world = World()
    world.clock.advance(0.123456)
    number = world.requisition(JAMIE)
    world.minutes(2)
    world.coupa.world.edit_line(number, 0, unit_price="950.00")

    assert world.minutes(1) == [[JAMIE]]
    assert world.store.status().failure == ""


def test_in_the_first_backlog_only_the_edits_since_its_beginning_are_asked_about() -> None:
    """Else every document that waits is listed in each sweep until the backlog is through."""
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "2"})
    for _ in range(60):
        world.requisition(JAMIE)
    world.clock.advance(3600)
    began = world.clock.now()
    world.minutes(5)

    asked = [
        parse_qs(call.query)["updated_at[gt_or_eq]"][0]
        for call in world.coupa.front.calls
        if "updated_at" in unquote(call.query)
    ]

    assert asked
    assert all(began - datetime.fromisoformat(each) <= timedelta(minutes=11) for each in asked)


def test_when_only_the_question_for_edits_fails_the_sweep_goes_on() -> None:
    world = World()
    world.requisition(JAMIE)
    world.sweep()
    world.clock.advance(60)
    world.requisition(ROBIN)
    world.coupa.front.fail("answer", path="/api/requisitions", status=400)

    [told] = [world.told()]

    assert told == [ROBIN]
    assert world.store.status().failure == "coupa_400"


# The ledger.


def test_a_spoiled_approval_that_cannot_be_noted_as_such_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.requisition(JAMIE)

    def broken(*_: object, **__: object) -> str:
        ends.append(away(world.store, "replace"))
        raise ZeroDivisionError

    ends: list[Callable[[], None]] = []
    with monkeypatch.context() as patch:
        patch.setattr("coupa_core.notice.compose", broken)
        assert world.sweep().failure == "ledger_503"
    for end in reversed(ends):
        end()

    assert world.told(after_s=200) == [JAMIE]


@pytest.mark.parametrize("method", ["open_entries", "insert"])
def test_without_the_store_nothing_is_sent(method: str) -> None:
    world = World()
    for _ in range(2):
        world.requisition(JAMIE)
    end = away(world.store, method)

    assert world.told() == []
    assert world.moveworks.front.count("POST") == 0
    end()
    assert world.minutes(1) == [[JAMIE, JAMIE]]


def test_when_two_claims_cannot_be_written_no_more_is_claimed() -> None:
    world = world_of_three()
    away(world.store, "insert")

    assert world.told() == []
    assert world.store.status().counts["rows_missed"] == 2


def test_when_two_marks_cannot_be_written_no_more_is_sent_and_the_lease_decides() -> None:
    world = world_of_three()
    end = away(world.store, "replace")

    assert world.told() == [JAMIE, ROBIN]
    end()

    assert sorted(chain(*world.minutes(4))) == sorted([JAMIE, ROBIN, ALEX])


def test_when_a_claim_cannot_be_given_back_its_lease_ends_it() -> None:
    world = World()
    world.requisition(JAMIE)
    world.coupa.front.fail("answer", path="/api/requisitions", times=None, status=500)
    end = away(world.store, "replace")
    world.sweep()
    world.coupa.front.heal()
    end()

    assert [*chain(*world.minutes(4))] == [JAMIE]


def test_a_claim_that_clashes_with_a_row_that_cannot_be_read_leaves_the_others_alone() -> None:
    world = World()
    clashing = world.approval_id(world.requisition(JAMIE))
    world.requisition(ROBIN)
    unreadable = Conflict("ledger_corrupt", "the row cannot be read")
    failing(world.store, "insert", unreadable, when=lambda entry: entry.approval_id == clashing)
    failing(world.store, "read", unreadable, when=lambda number: number == clashing)

    assert world.told() == [ROBIN]
    assert world.store.status().counts["lost_race"] == 1


def test_a_row_that_cannot_be_read_is_set_aside_and_made_anew_from_coupa(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Spoiled()
    world = World(store=store)
    number = world.approval_id(world.requisition(JAMIE))
    world.requisition(ROBIN)
    world.sweep()
    store.causes = {number: "schema 2 is not 1"}
    end = away(store, "set_aside")

    assert world.minutes(1) == [[]]
    end()
    assert world.minutes(1) == [[JAMIE]]  # its row said to whom it was sent; nobody can read that
    assert f"ledger row set aside key={number} cause=schema 2 is not 1" in caplog.text


def test_a_status_that_cannot_be_saved_is_told_and_costs_nothing() -> None:
    world = World()
    world.requisition(JAMIE)
    end = away(world.store, "save_status")

    summary = world.sweep()

    assert (len(world.moveworks.delivered), summary.failure) == (1, "ledger_503")
    end()
    assert world.minutes(1) == [[]]


def test_somebody_elses_claim_is_left_alone_until_its_lease_and_the_skew_are_over() -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    deps = world.bridge.sweep.deps
    assert deps.ledger.claim(None, approval_id=number, now=world.clock.now(), lease=deps.lease)

    assert world.told(after_s=149) == []
    assert world.store.status().counts["held"] == 1
    assert world.told(after_s=1) == [JAMIE]


def test_nothing_is_sent_when_too_little_of_the_claim_is_left() -> None:
    """The wait for the allowed rate is longer than the claim may wait."""
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "1", "CLAIM_LEASE_S": "15"})
    number = world.approval_id(world.requisition(ROBIN))
    world.requisition(JAMIE)
    assert world.told() == [JAMIE]

    assert world.told(after_s=20) == []
    assert world.store.status().counts["late"] == 1
    assert state_of(world, number) == "retry lease_too_short"
    assert world.told(after_s=60) == [ROBIN]


def test_without_tokens_the_notice_has_none() -> None:
    world = World(settings={"ACTION_TOKEN": "off"})

    assert set(world.offer(JAMIE).slots) == {"approval_id"}


def test_a_row_that_changes_under_a_claim_is_not_overwritten() -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    once(world.store, "replace", lambda: world.store.replace(world.entry(number)))

    world.sweep()

    assert world.store.status().counts["sent_unmarked"] == 1
    assert state_of(world, number) == "claimed"


def test_two_closings_at_once_close_once() -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    world.sweep()
    world.clock.advance(60)
    world.in_coupa(number, ALEX)

    def too(entry: Entry) -> None:
        end()
        world.store.archive(entry)

    end = before(world.store, "archive", too)
    world.sweep()

    assert world.store.status().counts["lost_race"] == 1
    assert state_of(world, number) == "closed approved"


def test_a_claimed_approval_that_ended_meanwhile_is_closed_without_a_word() -> None:
    world = World()
    number = world.approval_id(world.requisition(JAMIE))
    once(world.store, "insert", lambda: world.in_coupa(number, ALEX))

    assert world.told() == []
    assert state_of(world, number) == "closed approved"


# The summary.


def test_the_summary_is_one_line_with_counts() -> None:
    summary = Summary(
        is_complete=False, failure="coupa_500", counts={"seen": 3, "sent": 0, "closed": 1}, duration_s=1.26
    )

    assert str(summary) == "sweep incomplete failure=coupa_500 duration_s=1.3 closed=1 seen=3"
    assert (
        str(Summary(is_complete=True, failure="", counts={}, duration_s=0)) == "sweep complete duration_s=0.0"
    )


def test_the_summary_counts_what_waits_by_how_long_it_has_waited() -> None:
    world = World()
    ages = {"pending_older": 9 * 86_400, "pending_7d": 6 * 86_400, "pending_1d": 2 * 3_600, "pending_1h": 59}
    now = world.clock.now()
    for count, age_s in enumerate(ages.values(), 1):
        for _ in range(count):
            [approval] = world.coupa.world.approvals_of(world.requisition(JAMIE))
            approval.raw["updated-at"] = (now - timedelta(seconds=age_s)).isoformat()

    summary = world.sweep()

    assert {name: summary.counts[name] for name in ages} == dict(zip(ages, (1, 2, 3, 4), strict=True))
    assert " pending_1d=3 pending_1h=4 pending_7d=2 pending_older=1 seen=10 " in str(summary)


def test_a_touch_in_coupa_does_not_make_an_approval_young_that_was_seen_before() -> None:
    world = World()
    [approval] = world.coupa.world.approvals_of(world.requisition(JAMIE))
    world.sweep()
    world.clock.advance(2 * 3_600)
    approval.raw["updated-at"] = world.clock.now().isoformat()

    counts = world.sweep().counts

    assert (counts.get("pending_1d"), counts.get("pending_1h")) == (1, None)


def test_no_log_line_has_a_person_a_text_or_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.requisition(JAMIE, title="confidential title", lines=[Line("confidential line", amount="5")])
    with caplog.at_level(logging.DEBUG):
        world.sweep()
        world.moveworks.front.fail("answer", times=None, status=400)
        world.requisition(ROBIN)
        world.minutes(3)

    [card] = world.moveworks.delivered
    for secret in (JAMIE, ROBIN, "confidential", card.slots["action_token"], API_KEY):
        assert secret not in caplog.text
    assert "sweep complete" in caplog.text


def test_a_quiet_sweep_is_information_and_a_hampered_one_an_error(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    with caplog.at_level(logging.INFO):
        world.sweep()
        world.coupa.front.fail("answer", path="/api/approvals", times=None, status=400)
        world.sweep()

    lines = [
        (record.levelname, record.message[:16]) for record in caplog.records if "duration_s" in record.message
    ]
    assert lines == [("INFO", "sweep complete d"), ("ERROR", "sweep incomplete")]


# Great groups.


def _crowded(*, groups: int, members: int, others: int, workers: int = 1, **settings: str) -> World:
    """Return a world in which a great group is asked several times, and then many people once each."""
    world = World(workers=workers, settings={"MOVEWORKS_MAX_PER_MINUTE": "100", **settings})
    world.moveworks.max_per_minute = None
    group = world.group(*(f"buyer{number}@example.com" for number in range(members)))
    for _ in range(groups):
        world.requisition(group)
    for number in range(others):
        world.requisition(f"other{number}@example.com")
    return world


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 25])
def test_a_great_group_keeps_nobody_waiting_who_is_asked_alone(workers: int) -> None:
    world = _crowded(groups=9, members=200, others=70, workers=workers)

    first = world.minutes(1)[0]

    others = {f"other{number}@example.com" for number in range(70)}
    assert others <= set(first)
    assert len(first) > len(others) + 9  # and the group has the rest


@pytest.mark.slow
def test_a_great_group_is_told_to_the_last_while_others_keep_coming() -> None:
    world = _crowded(groups=2, members=30, others=0, MOVEWORKS_MAX_PER_MINUTE="10")
    told: Counter[str] = Counter()

    for minute in range(40):
        for number in range(10):
            world.requisition(f"late{minute}-{number}@example.com")
        told.update(world.minutes(1)[0])

    buyer = {who: number for who, number in told.items() if who.startswith("buyer")}
    assert (len(buyer), set(buyer.values())) == (30, {2})
    assert sum(number for who, number in told.items() if who.startswith("late")) >= 300


def test_what_is_needed_soon_is_told_first_and_each_member_once_before_anybody_twice() -> None:
    world = World()
    group = world.group(JAMIE, ROBIN, ALEX)
    later = [world.requisition(group, title=f"Chairs {number}") for number in range(3)]
    soon = world.requisition("pat@example.com", title="Desk", need_by="2026-11-25")

    world.sweep()

    documents = [each.message.split("Purchase request ")[1][:4] for each in world.moveworks.delivered]
    assert documents[:4] == [str(soon), *map(str, later)]
    assert {each.recipient for each in world.moveworks.delivered[1:4]} == {JAMIE, ROBIN, ALEX}
