"""A person's recent decisions: from our rows and from Coupa, only their own, and as many as can be known."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.data.tables import TableClient
from bridge import JAMIE, ROBIN, SAM, World
from description import operations
from ledger_contract import NOW, full_row, put, put_raw, row
from openapi_schema_validator import OAS30Validator
from unruly import away, before

from coupa_core.callers import CALLER_OF
from coupa_core.clock import time_left_s
from coupa_core.endpoints import Reply
from coupa_core.history import DAYS, MAX_READ, MAX_SHOWN, OURS_S
from coupa_core.ledger import LedgerStore, State, decided
from coupa_core.routes import Caller
from coupa_core.table_ledger import CLOSED, TableStore
from coupa_core.table_ledger import write_row as _row

LINK = "https://acme.coupahost.com/requisition_headers/"


def asked(world: World, who: str = JAMIE) -> Reply:
    """Ask what somebody decided; the answer is as the description says."""
    reply = world.call("list_decisions", headers={"X-Actor-Email": who})
    if reply.status == 200:
        schema = operations()["list_decisions"]["responses"]["200"]["content"]["application/json"]["schema"]
        OAS30Validator(schema).validate(json.loads(reply.text()))
        assert set(reply.body) <= set(schema["properties"])
    return reply


def said(reply: Reply) -> list[tuple[str, str, str]]:
    """Return number, status and place of each decision, in their order."""
    assert reply.status == 200, reply.body
    return [(each["document_id"], each["status"], each["made_in"]) for each in reply.body["decisions"]]


def in_chat(world: World, verb: str = "approve", *approvers: Any, **details: Any) -> int:
    """Let Jamie decide a new request in chat, and return its number."""
    number = world.requisition(*(approvers or (JAMIE,)), **details)
    card = next(each for each in world.announced() if each.recipient == JAMIE)
    assert world.click(card, JAMIE, verb, reason="Too dear." if verb == "reject" else None).status == 200
    world.clock.advance(60)
    return number


def in_coupa(world: World, *approvers: Any, by: str = JAMIE, **details: Any) -> int:
    """Let somebody decide a new request in Coupa, and return its number."""
    number = world.requisition(*(approvers or (JAMIE,)), **details)
    [approval] = world.coupa.world.approvals_of(number)
    decision = details.get("decision", "approved")
    world.in_coupa(approval.id, by=by, decision=decision)
    world.clock.advance(60)
    return number


def test_what_was_decided_in_chat_and_in_coupa_comes_newest_first() -> None:
    world = World()
    laptops, desks = in_chat(world, title="Laptops"), in_coupa(world, title="Desks")
    chairs = in_chat(world, "reject", title="Chairs")

    reply = asked(world)

    assert said(reply) == [
        (str(chairs), "rejected", "chat"),
        (str(desks), "approved", "coupa"),
        (str(laptops), "approved", "chat"),
    ]
    newest = reply.body["decisions"][0]
    assert newest["text"] == "Rejected on Nov 23, 2026 at 9:02 AM: “Chairs” · in chat"
    assert newest["link"] == f"{LINK}{chairs}"
    assert datetime.fromisoformat(newest["decided_at"]) - NOW < timedelta(minutes=3)
    assert (reply.body["count"], reply.body["is_complete"]) == (3, True)
    assert reply.body["message"] == "3 decisions of yours were found for the last 30 days."


def test_it_is_the_same_before_and_after_the_sweep_closed_the_row(store: LedgerStore) -> None:
    world = World(store=store)
    number = in_chat(world)
    open_ = asked(world).body
    world.sweep()

    assert store.read(int(open_["decisions"][0]["approval_id"])) is None
    assert asked(world).body == open_
    assert said(asked(world)) == [(str(number), "approved", "chat")]


def test_what_was_put_on_hold_is_a_decision_too() -> None:
    world = World()
    number = in_chat(world, "hold", holdable=True)

    assert said(asked(world)) == [(str(number), "on_hold", "chat")]


def test_a_reader_reads_their_own_language_and_hours() -> None:
    world = World(settings={"TIME_ZONES": '{"jamie@example.com": "Europe/Berlin"}'})
    world.person(JAMIE, default_locale="de")
    in_chat(world)

    reply = asked(world)

    assert reply.body["message"] == "Für die letzten 30 Tage wurde 1 Entscheidung von Ihnen gefunden."
    assert reply.body["decisions"][0]["text"] == "Genehmigt am 23.11.2026 um 10:00 Uhr: „Laptops“ · im Chat"


def test_no_amount_is_said_because_what_it_came_to_then_is_not_known() -> None:
    world = World()
    number = in_chat(world, "approve", [JAMIE, ROBIN])
    world.coupa.world.edit_line(number, 0, unit_price="950.00")

    assert "1," not in asked(world).body["decisions"][0]["text"].partition("M: ")[2]


# Whose they are.


def test_nobody_sees_what_a_colleague_of_the_group_or_a_later_step_decided() -> None:
    world = World()
    group = world.group(JAMIE, ROBIN)
    theirs = in_coupa(world, group, by=ROBIN)
    mine = in_chat(world, "approve", group)

    assert said(asked(world)) == [(str(mine), "approved", "chat")]
    assert said(asked(world, ROBIN)) == [(str(theirs), "approved", "coupa")]
    assert said(asked(world, SAM)) == []


def test_what_a_delegate_decides_is_the_delegates() -> None:
    world = World()
    world.delegation(ROBIN, JAMIE)
    chat, coupa = in_chat(world, "approve", ROBIN), in_coupa(world, ROBIN, by=JAMIE)

    assert said(asked(world)) == [(str(coupa), "approved", "coupa"), (str(chat), "approved", "chat")]
    assert said(asked(world, ROBIN)) == []


def test_words_that_look_like_our_mark_make_nobody_the_decider() -> None:
    world = World()
    number = world.requisition([JAMIE, ROBIN])
    for approval in world.coupa.world.approvals_of(number):
        world.in_coupa(approval.id, note=f"Jamie Doe <{JAMIE}> via Moveworks")

    assert said(asked(world)) == []


@pytest.mark.parametrize("login", ["api-client", ""])
def test_a_decision_from_chat_is_known_by_our_row_whether_or_not_our_client_is(login: str) -> None:
    world = World(settings={"COUPA_CLIENT_LOGIN": login})
    number = in_chat(world)

    assert said(asked(world)) == [(str(number), "approved", "chat")]


def test_without_our_row_the_mark_of_our_client_says_who_decided() -> None:
    world = World()
    number = in_chat(world)
    world.sweep()
    world.store.purge_closed(world.clock.now() + timedelta(days=1))

    assert said(asked(world)) == [(str(number), "approved", "chat")]
    assert said(asked(world, ROBIN)) == []


def test_of_somebody_whom_coupa_does_not_know_or_knows_twice_nothing_is_told_and_nothing_denied() -> None:
    world = World()
    in_chat(world)
    world.coupa.world.add_user(email=JAMIE, firstname="Other", lastname="Jamie")

    for who, begins in ((JAMIE, "This e-mail address belongs to"), ("nobody@example.com", "No decision of")):
        reply = asked(world, who)
        assert (said(reply), reply.body["is_complete"]) == ([], False)
        assert reply.body["message"].startswith(begins)


def test_capitals_make_nobody_another_person(store: LedgerStore) -> None:
    world = World(store=store)
    number = in_chat(world)

    assert said(asked(world, "Jamie@Example.com")) == [(str(number), "approved", "chat")]


def test_the_doors_are_those_of_the_list() -> None:
    assert CALLER_OF["list_decisions"] is CALLER_OF["list_approvals"] is Caller.DECISIONS
    assert World().call("list_decisions").body["error"] == "no_actor"


# How much.


def test_what_is_older_than_a_month_is_left_out_though_it_was_touched_since() -> None:
    world = World()
    old = in_coupa(world)
    chat = in_chat(world)
    world.clock.advance(DAYS * 86_400)
    for number in (old, chat):
        world.coupa.world.touch(world.coupa.world.approvals_of(number)[0].id)
    new = in_coupa(world)

    assert said(asked(world)) == [(str(new), "approved", "coupa")]


def test_of_hundreds_the_newest_twenty_are_shown_in_time() -> None:
    world = World()
    numbers = [in_coupa(world) for _ in range(MAX_READ + 50)]
    asked_before, began = world.coupa.front.count(), world.clock.monotonic()

    reply = asked(world)

    assert [number for number, _, _ in said(reply)] == [str(each) for each in numbers[: -MAX_SHOWN - 1 : -1]]
    assert (reply.body["count"], reply.body["is_complete"]) == (MAX_READ, False)
    assert reply.body["message"] == ("You made at least 200 decisions in the last 30 days. 20 are shown.")
    assert world.coupa.front.count() - asked_before <= 10
    assert world.clock.monotonic() - began < 10


def test_of_fewer_than_that_the_number_is_exact() -> None:
    world = World()
    for _ in range(MAX_SHOWN + 5):
        in_coupa(world)

    reply = asked(world)

    assert (reply.body["count"], reply.body["is_complete"], len(reply.body["decisions"])) == (25, True, 20)
    assert reply.body["message"] == "25 decisions of yours were found for the last 30 days. 20 are shown."


# What cannot be read.

OURS_ALONE = "Coupa cannot be asked right now, so only what you decided in chat is known."


@pytest.mark.parametrize("path", ["/api/users", "/api/approvals"])
def test_while_coupa_is_away_what_was_decided_in_chat_is_known(path: str) -> None:
    world = World()
    number = in_chat(world)
    in_coupa(world)
    world.coupa.front.fail("answer", path=path, status=503, times=None)

    reply = asked(world)

    assert said(reply) == [(str(number), "approved", "chat")]
    assert reply.body["is_complete"] is False
    assert reply.body["message"] == f"You made at least 1 decision in the last 30 days. {OURS_ALONE}"
    assert "Purchase request" in reply.body["decisions"][0]["text"]


def test_a_coupa_that_is_slow_costs_its_part_of_the_answer_and_no_more_than_the_time() -> None:
    world = World()
    number = in_chat(world)
    world.coupa.front.fail("slow", seconds=30, times=None)
    began = world.clock.monotonic()

    reply = asked(world)

    assert world.clock.monotonic() - began <= 10
    assert said(reply) == [(str(number), "approved", "chat")]
    assert OURS_ALONE in reply.body["message"]


def test_where_nothing_is_known_and_coupa_is_away_nobody_is_told_that_they_decided_nothing() -> None:
    world = World()
    world.coupa.front.fail("answer", status=503, times=None)

    reply = asked(world)

    assert reply.body["message"] == (
        f"No decision of yours from the last 30 days can be found right now. {OURS_ALONE}"
    )


def test_our_rows_get_their_part_of_the_time_and_leave_the_rest_to_coupa() -> None:
    lefts: list[float] = []

    world = World()
    before(world.store, "decided_entries", lambda **_: lefts.append(time_left_s()))

    asked(world)

    assert lefts == [pytest.approx(OURS_S, abs=0.5)]


def test_while_our_rows_are_away_coupa_says_what_it_knows() -> None:
    world = World()
    away(world.store, "decided_entries")
    chat, coupa = in_chat(world), in_coupa(world)

    reply = asked(world)

    assert said(reply) == [(str(coupa), "approved", "coupa"), (str(chat), "approved", "chat")]
    assert (reply.body["count"], reply.body["is_complete"]) == (2, False)
    assert reply.body["message"] == (
        "You made at least 2 decisions in the last 30 days. "
        "What you decided in chat cannot be looked up right now, so something may be missing."
    )


def test_while_both_are_away_it_is_a_failure_and_no_empty_list() -> None:
    world = World()
    away(world.store, "decided_entries")
    world.coupa.front.fail("answer", status=503, times=None)

    assert asked(world).status == 503


def test_where_delegations_cannot_be_read_the_list_is_not_complete() -> None:
    world = World()
    number = in_chat(world)
    world.coupa.front.fail("answer", path="/api/delegations", status=500, times=None)

    reply = asked(world)

    assert said(reply) == [(str(number), "approved", "chat")]
    assert reply.body["is_complete"] is False


def test_a_second_page_that_fails_leaves_what_came_before() -> None:
    world = World()
    for _ in range(60):
        in_coupa(world)
    world.coupa.front.fail("answer", path="/api/approvals", query=r"id(\[|%5B)lt", status=503, times=None)

    reply = asked(world)

    assert (reply.body["count"], reply.body["is_complete"]) == (50, False)


def test_a_record_that_cannot_be_read_spoils_no_other() -> None:
    world = World()
    broken, number = in_coupa(world), in_coupa(world)
    [approval] = world.coupa.world.approvals_of(broken)
    world.coupa.world.override(("approval", approval.id), {"id": None})

    reply = asked(world)

    assert said(reply) == [(str(number), "approved", "coupa")]
    assert reply.body["is_complete"] is False


def test_a_time_or_a_document_that_cannot_be_read_is_left_out_of_the_sentence() -> None:
    world = World()
    number = in_coupa(world)
    [approval] = world.coupa.world.approvals_of(number)
    world.coupa.world.override(("approval", approval.id), {"approval-date": "yesterday"})
    world.coupa.front.fail("answer", path="/api/requisitions", status=500, times=None)

    [only] = asked(world).body["decisions"]

    assert only["text"] == f"Approved: Purchase request {number} · in Coupa"
    assert "decided_at" not in only


def test_documents_that_do_not_come_are_called_by_their_numbers() -> None:
    world = World()
    number = in_chat(world)
    world.coupa.front.fail("answer", path="/api/requisitions", status=503, times=None)

    [only] = asked(world).body["decisions"]

    assert f": Purchase request {number} · in chat" in only["text"]


def test_while_no_document_at_all_can_be_read_the_decisions_are_told_all_the_same() -> None:
    world = World()
    numbers = [in_coupa(world), in_coupa(world), in_chat(world)]
    world.coupa.front.fail("lose", path="/api/requisitions", times=None)

    decisions = asked(world).body["decisions"]

    assert [each["document_id"] for each in decisions] == [str(each) for each in reversed(numbers)]
    assert all(f": Purchase request {each['document_id']} · in " in each["text"] for each in decisions)


def test_a_decision_on_what_names_no_document_has_the_way_into_coupa() -> None:
    world = World()
    number = in_coupa(world)
    [approval] = world.coupa.world.approvals_of(number)
    world.coupa.world.override(("approval", approval.id), {"approvable-id": None})

    [only] = asked(world).body["decisions"]

    assert only["text"].endswith(": this request · in Coupa")
    assert (only["link"], "document_id" in only) == ("https://acme.coupahost.com", False)


def test_a_click_that_no_sweep_had_seen_finds_its_document_in_coupa() -> None:
    world = World(settings={"ACTION_TOKEN": "optional"})
    number = world.requisition(JAMIE)
    [approval] = world.coupa.world.approvals_of(number)
    assert world.click({"approval_id": str(approval.id)}, JAMIE).body["outcome"] == "approved"

    assert said(asked(world)) == [(str(number), "approved", "chat")]


# The rows.


def test_rows_are_found_by_who_decided_and_when(store: LedgerStore) -> None:
    done = [decided(row(number), decision="approve", by="Ann@Example.com", now=NOW) for number in (1, 2)]
    late = decided(row(3), decision="reject", by="ann@example.com", now=NOW + timedelta(days=1))
    others = [row(4), decided(row(5), decision="approve", by="bob@example.com", now=NOW)]
    put(store, [done[0], late, *others])
    put(store, [done[1]], are_closed=True)

    def found(by: str, since: datetime) -> list[int]:
        return sorted(each.approval_id for each in store.decided_entries(by=by, since=since))

    assert found("ann@example.com", NOW) == found("ANN@example.com", NOW) == [1, 2, 3]
    assert found("ann@example.com", NOW + timedelta(seconds=1)) == [3]
    assert found("eve@example.com", NOW) == []


def test_a_row_of_the_release_before_is_found_by_the_address_as_it_was_written(table: TableClient) -> None:
    store = TableStore(table)
    store.status()
    old = {**_row(CLOSED, decided(row(1), decision="approve", by="x", now=NOW)), "decided_by": "Ann@X.test"}
    put_raw(table, [old])

    assert len(store.decided_entries(by="Ann@X.test", since=NOW)) == 1


def test_a_row_that_cannot_be_read_is_left_out(table: TableClient) -> None:
    store = TableStore(table)
    store.status()
    good = _row(CLOSED, decided(row(1), decision="approve", by=JAMIE, now=NOW))
    put_raw(table, [good, {**good, "RowKey": "2", "schema": 99}])
    unheard = _row(CLOSED, decided(row(3), decision="escalate", by=JAMIE, now=NOW))
    put_raw(table, [unheard])
    world = World(store=store)
    world.person(JAMIE)

    assert [each["approval_id"] for each in asked(world).body["decisions"]] == ["1"]


def test_a_row_that_is_open_and_closed_at_once_is_one_decision(table: TableClient) -> None:
    store = TableStore(table)
    done = decided(full_row(), decision="approve", by=JAMIE, now=NOW)
    put(store, [done])
    put(store, [done], are_closed=True)
    world = World(store=store)
    world.person(JAMIE)

    assert done.state is State.DECIDED
    assert asked(world).body["count"] == 1
