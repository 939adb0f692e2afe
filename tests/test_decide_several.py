"""Several approvals decided in one request: each as if it were alone, and all within the time of one."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, SAM, World
from unruly import away, before, failing

from coupa_core.audit_log import EventKind, Head, Row
from coupa_core.decide import MAX_AT_ONCE
from coupa_core.endpoints import Reply
from coupa_core.errors import Malformed
from coupa_core.routes import CLICK_S

APPROVED = "Approved: Purchase request 5001, “Laptops”, USD 1,800.00. It is fully approved."


def listed(world: World, email: str = JAMIE) -> list[dict[str, str]]:
    """Return what waits for a person, as the items of a request."""
    cards = world.listed(email).body["approvals"]
    return [{"id": card["approval_id"], "token": card["action_token"]} for card in cards]


def offered(number: int, **more: Any) -> tuple[World, list[dict[str, str]]]:
    """Return a world in which so many requests wait for Jamie, and the items to decide them."""
    world = World(**more)
    for _ in range(number):
        world.requisition(JAMIE, holdable=True)
    return world, listed(world)


def decided(world: World, items: list[Any], verb: str = "approve", actor: str = JAMIE, **more: Any) -> Reply:
    key = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    body = {"decision": verb, "items": items, **more}
    return world.call("decide", headers={"X-Actor-Email": actor, **key}, json=body)


def said(reply: Reply) -> list[str]:
    """Return the outcome or the error of each item."""
    return [each.get("outcome") or each["error"] for each in reply.body["items"]]


def statuses(world: World, items: list[dict[str, str]]) -> list[str]:
    return [world.coupa.world.approval(int(each["id"])).status for each in items]


@pytest.mark.parametrize(
    ("verb", "status", "outcome", "sentence"),
    [
        ("approve", "approved", "approved", "Approved: 3 requests."),
        ("reject", "rejected", "rejected", "Rejected: 3 requests."),
        ("hold", "on_hold", "held", "Put on hold: 3 requests."),
    ],
)
def test_all_are_decided_and_answered_in_the_order_of_the_request(
    verb: str, status: str, outcome: str, sentence: str
) -> None:
    world, items = offered(3)
    items.reverse()

    reply = decided(world, items, verb, reason="budget")

    assert (reply.status, reply.body["message"]) == (200, sentence)
    assert [each["approval_id"] for each in reply.body["items"]] == [each["id"] for each in items]
    assert said(reply) == [outcome] * 3
    assert statuses(world, items) == [status] * 3
    assert {each.reason for each in world.coupa.decisions} == {f"Jamie Doe <{JAMIE}> via Moveworks: budget"}


def test_one_of_one_is_said_as_one() -> None:
    world, items = offered(1)

    reply = decided(world, items)

    assert reply.body == {
        "message": "Approved: 1 request.",
        "items": [
            {
                "outcome": "approved",
                "message": APPROVED,
                "approval_id": items[0]["id"],
                "document_status": "approved",
            }
        ],
    }


def test_twenty_cost_four_calls_and_a_put_each_and_less_than_ten_seconds_at_five_a_second() -> None:
    world, items = offered(MAX_AT_ONCE, settings={"COUPA_MAX_PER_SECOND": "5"})
    world.coupa.front.latency_s = 0.05
    world.clock.advance(60)
    calls, began_s = len(world.coupa.front.calls), world.clock.monotonic()

    reply = decided(world, items)

    assert said(reply) == ["approved"] * MAX_AT_ONCE
    assert len(world.coupa.front.calls) - calls == 3 + MAX_AT_ONCE
    assert world.clock.monotonic() - began_s <= CLICK_S


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 16])
@pytest.mark.parametrize("latency_s", [0.3, 0.6, 1.2, 4.0])
def test_what_cannot_be_sent_in_time_is_not_decided_and_said_to_be_so(workers: int, latency_s: float) -> None:
    world, items = offered(MAX_AT_ONCE, workers=workers)
    world.clock.advance(60)
    world.coupa.front.latency_s = latency_s
    began_s = world.clock.monotonic()

    reply = decided(world, items)

    if workers == 1:  # one clock for all threads adds up what they wait at the same time
        assert world.clock.monotonic() - began_s <= CLICK_S + 1e-6  # for what floats lose
    outcomes = dict(zip((each["id"] for each in items), said(reply), strict=True))
    sent = {str(each.approval_id) for each in world.coupa.decisions}
    assert len(world.coupa.decisions) == len(sent)
    late = {number for number, each in outcomes.items() if each not in ("approved", "unconfirmed")}
    assert late
    assert late & sent == set()
    assert {number for number, each in outcomes.items() if each == "approved"} <= sent
    for each in reply.body["items"]:
        assert each["approval_id"] not in late or "nothing was decided" in each["message"]


def test_several_at_the_same_time_are_each_sent_once() -> None:
    world, items = offered(MAX_AT_ONCE, workers=16)
    world.clock.advance(60)

    reply = decided(world, items)

    assert said(reply) == ["approved"] * MAX_AT_ONCE
    assert sorted(each.approval_id for each in world.coupa.decisions) == [int(each["id"]) for each in items]


def mixed() -> tuple[World, dict[str, dict[str, str]]]:
    """Return requests of which each has another fate when Jamie approves it, and the item for each."""
    world = World(settings={"STEP_UP_OVER": '{"USD": 5000}'})
    names = ("fine", "changed", "decided", "withdrawn", "forged", "stolen", "other_token", "reassigned")
    documents = {name: world.requisition(JAMIE) for name in names}
    documents["dear"] = world.requisition(JAMIE, requester=ROBIN)
    documents["own"] = world.requisition(JAMIE, requester=JAMIE)
    items = dict(zip(documents, listed(world), strict=True))
    coupa = world.coupa.world
    coupa.edit_line(documents["changed"], 0, unit_price="901.00")
    coupa.edit_line(documents["dear"], 0, unit_price="9000.00")
    coupa.decide_in_coupa(int(items["decided"]["id"]), by=world.person(ROBIN), decision="rejected")
    coupa.withdraw(documents["withdrawn"])
    coupa.reassign(int(items["reassigned"]["id"]), to=world.person(ROBIN))
    items["forged"]["token"] = items["forged"]["token"][:-2] + "AA"
    items["stolen"]["token"] = items["fine"]["token"]
    del items["other_token"]["token"]
    return world, items


def test_each_is_checked_alone_and_partial_success_is_said_as_such() -> None:
    world, items = mixed()

    reply = decided(world, list(items.values()))

    assert dict(zip(items, said(reply), strict=True)) == {
        "fine": "approved",
        "changed": "changed",
        "decided": "already_decided",
        "withdrawn": "already_decided",
        "forged": "token_refused",
        "stolen": "token_refused",
        "other_token": "token_refused",
        "reassigned": "not_your_approval",
        "dear": "step_up",
        "own": "not_your_approval",
    }
    assert reply.body["message"] == "Approved: 1 of 10 requests. Not decided by you: 9."
    assert world.puts() == 1
    changed = reply.body["items"][1]
    assert "1,802.00" in changed["content"]
    again = decided(world, [{"id": items["changed"]["id"], "token": changed["action_token"]}])
    assert said(again) == ["approved"]


def test_a_single_click_on_each_has_the_same_answer() -> None:
    together, items = mixed()
    alone, same = mixed()

    told = decided(together, list(items.values())).body["items"]
    assert len(told) == 10
    for each, item in zip(told, same.values(), strict=True):
        slots = {"approval_id": item["id"]} | ({"action_token": item["token"]} if "token" in item else {})
        reply = alone.click(slots, JAMIE).body
        each.pop("action_token", None)  # says when it was made
        reply.pop("action_token", None)
        assert {name: value for name, value in reply.items() if name != "request_id"} == {
            name: value for name, value in each.items() if name != "approval_id" or "outcome" in reply
        }


def test_a_rejection_without_a_reason_reaches_nobody() -> None:
    world, items = offered(2)
    calls = len(world.coupa.front.calls)

    reply = decided(world, items, "reject", reason=" ")

    assert said(reply) == ["reason_required"] * 2
    assert (
        reply.body["items"][0]["message"]
        == "Please give a reason, so that the requester knows what to change."
    )
    assert reply.body["message"] == "Rejected: 0 of 2 requests. Not decided by you: 2."
    assert len(world.coupa.front.calls) == calls


def test_what_coupa_does_not_let_be_held_does_not_keep_the_others() -> None:
    world = World()
    world.requisition(JAMIE)
    world.requisition(JAMIE, holdable=True)

    reply = decided(world, listed(world), "hold")

    assert said(reply) == ["not_holdable", "held"]
    assert reply.body["message"] == "Put on hold: 1 of 2 requests. Not decided by you: 1."


def test_members_and_delegates_decide_several_and_people_are_looked_up_once() -> None:
    world = World()
    group = world.group(ROBIN, SAM)
    world.delegation(JAMIE, ROBIN)
    for approver in (group, JAMIE, ROBIN) * 3:
        world.requisition(approver, requester="kim@example.com")
    items = listed(world, ROBIN)
    gets = world.coupa.front.count("GET")

    reply = decided(world, items, actor=ROBIN)

    assert said(reply) == ["approved"] * 9
    assert world.coupa.front.count("GET", "delegations") <= 2 * 3
    # approvals, documents, delegations until there are no more; and one read-back
    assert world.coupa.front.count("GET") - gets == 5


def test_a_failure_to_look_up_people_keeps_only_those_who_need_it() -> None:
    world = World()
    world.delegation(JAMIE, ROBIN)
    for approver in (JAMIE, ROBIN, JAMIE):
        world.requisition(approver)
    items = listed(world, ROBIN)
    asked = world.coupa.front.count("GET", "delegations")
    world.coupa.front.fail("answer", path="delegations", status=400, times=None)

    reply = decided(world, items, actor=ROBIN)

    assert said(reply) == ["coupa_400", "approved", "coupa_400"]
    assert world.coupa.front.count("GET", "delegations") - asked == 1


def test_documents_of_other_types_are_decided_among_the_rest_without_a_receipt() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    jamie, robin = world.person(JAMIE), world.person(ROBIN)
    for _ in range(2):
        world.coupa.world.add_document(
            approvable_type="InvoiceHeader", approvers=[jamie, robin], requested_by=world.person(SAM)
        )
    world.requisition(JAMIE)
    items = listed(world)
    gets = world.coupa.front.count("GET")

    reply = decided(world, items)

    assert said(reply) == ["approved"] * 3
    assert ["document_status" in each for each in reply.body["items"]].count(True) == 1
    # approvals, documents, those who share them; requisitions and approvals read back
    assert world.coupa.front.count("GET") - gets == 5


def test_without_those_who_share_a_document_only_it_is_not_decided() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*", "ALLOW_SELF_APPROVAL": "on"})
    world.coupa.world.add_document(approvable_type="ReceiptRequest", approvers=[world.person(JAMIE)])
    world.requisition(JAMIE)
    items = sorted(listed(world), key=lambda item: int(item["id"]))
    world.coupa.front.fail("answer", path="/api/approvals$", skip=1, status=400)

    assert said(decided(world, items)) == ["coupa_400", "approved"]


def test_an_answer_with_another_approval_in_it_proves_no_absence() -> None:
    world, items = offered(2)
    kept = world.coupa.world.approval(int(items[0]["id"]))
    kept.raw["id"] = None

    assert said(decided(world, items)) == ["coupa_record", "approved"]


@pytest.mark.parametrize(
    ("path", "outcome"), [("/api/approvals", "coupa_400"), ("requisitions", "coupa_unreadable")]
)
def test_what_coupa_does_not_show_is_not_decided(path: str, outcome: str) -> None:
    world, items = offered(2)
    world.coupa.front.fail("answer", method="GET", path=path, status=400, times=None)

    reply = decided(world, items)

    assert (reply.status, said(reply)) == (200, [outcome] * 2)
    assert world.puts() == 0


@pytest.mark.parametrize(("status", "outcome"), [(500, "coupa_500"), (429, "coupa_429")])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_without_any_document_nothing_is_decided_and_the_failure_is_named(
    number: int, status: int, outcome: str
) -> None:
    world, items = offered(number)
    world.coupa.front.fail("answer", method="GET", path="requisitions", status=status, times=None)

    assert said(decided(world, items)) == [outcome] * number
    assert world.puts() == 0


def test_without_any_approval_nothing_is_decided_and_the_failure_is_named() -> None:
    world, items = offered(2)
    world.coupa.front.fail("answer", method="GET", path="/api/approvals", status=429, times=None)

    assert said(decided(world, items)) == ["coupa_429"] * 2
    assert world.puts() == 0


def test_an_approval_that_is_named_twice_is_refused_before_anything_is_decided() -> None:
    world, items = offered(2)

    reply = decided(world, [*items, items[0]])

    assert (reply.status, reply.body["error"], world.puts()) == (400, "bad_items", 0)


def test_each_decision_may_fail_in_its_own_way() -> None:
    world, items = offered(5)
    for skip, (kind, details) in enumerate(
        [("lose", {}), ("cut", {}), ("answer", {"status": 429}), ("answer", {"status": 404, "body": "{}"})]
    ):
        number = items[skip]["id"]
        world.coupa.front.fail(kind, method="PUT", path=f"/{number}/", **details)  # type: ignore[arg-type]

    reply = decided(world, items)

    assert said(reply) == ["approved", "unconfirmed", "coupa_429", "coupa_404", "approved"]
    assert reply.body["message"] == (
        "Approved: 2 of 5 requests. Not confirmed by Coupa yet: 1. Not decided by you: 2."
    )
    assert world.puts() == 5


def test_one_that_is_left_is_said_as_one() -> None:
    world, items = offered(2)
    items[0]["token"] = "x"

    reply = decided(world, items)

    assert reply.body["message"] == "Approved: 1 of 2 requests. Not decided by you: 1."


@pytest.mark.parametrize(
    ("fails", "outcome"), [("requisitions", "approved"), ("approvals", "approved"), ("", "unconfirmed")]
)
def test_what_is_not_read_back_at_all_is_claimed_by_nobody(fails: str, outcome: str) -> None:
    world, items = offered(2)
    read_before = 1 if fails else 2
    world.coupa.front.fail("lose", method="PUT", path=f"/{items[0]['id']}/")
    world.coupa.front.fail("answer", method="GET", path=fails, skip=read_before, times=None, status=400)

    reply = decided(world, items)

    assert said(reply) == [outcome] * 2
    assert statuses(world, items) == ["approved"] * 2


def test_a_read_back_with_another_record_in_its_place_confirms_nothing() -> None:
    world, items = offered(1)
    world.coupa.front.fail("answer", method="GET", skip=2, status=200, body="[]")
    world.coupa.front.fail("answer", method="GET", skip=2, status=200, body='[{"id": 1}]')

    assert said(decided(world, items)) == ["unconfirmed"]


def test_all_intents_are_recorded_at_once_and_before_anything_is_sent() -> None:
    writes: list[list[str]] = []

    world, items = offered(3)
    items[0]["token"] = "x"

    def note(_: Head, rows: Sequence[Row] = ()) -> None:
        if rows:
            writes.append([row.values()["event"]["kind"] for row in rows])
            assert world.puts() == 0 or "intent" not in writes[-1]

    before(world.audit_store, "write", note)

    decided(world, items)

    assert writes == [["intent", "intent"], ["refusal", "decision", "decision"]]


def rows_of(world: World, kind: EventKind) -> list[Row]:
    days = [day for day, _ in world.audit_store.heads()]
    return [row for day in days for row in world.audit_store.rows(day) if f'"{kind}"' in row.text]


def test_the_record_says_of_each_that_was_not_sent_in_time() -> None:
    world, items = offered(MAX_AT_ONCE)
    world.clock.advance(60)
    world.coupa.front.latency_s = 0.6

    reply = decided(world, items)

    assert len(rows_of(world, EventKind.INTENT)) == len(rows_of(world, EventKind.DECISION)) == MAX_AT_ONCE
    late = [row for row in rows_of(world, EventKind.DECISION) if '"decide_late"' in row.text]
    assert len(late) == said(reply).count("decide_late") > 0


def test_the_same_request_again_gets_the_same_answers_for_one_question_to_coupa() -> None:
    world, items = offered(3)
    decided(world, items, key="one")
    calls = len(world.coupa.front.calls)

    again = decided(world, items, key="one")
    assert len(world.coupa.front.calls) == calls + 1
    other = decided(world, items, "reject", reason="no", key="one")

    assert said(again) == ["approved"] * 3
    assert said(other) == ["key_reused"] * 3
    assert len(world.coupa.front.calls) == calls + 1
    assert len(world.coupa.decisions) == 3


def test_the_same_key_decides_what_is_left() -> None:
    world, items = offered(3)
    decided(world, items[:1], key="one")

    assert said(decided(world, items, key="one")) == ["approved"] * 3
    assert len(world.coupa.decisions) == 3


def test_a_ledger_that_is_away_is_asked_once_and_costs_no_decision(caplog: pytest.LogCaptureFixture) -> None:
    world, items = offered(MAX_AT_ONCE)
    asked: list[int] = []
    away(world.store, "read")
    before(world.store, "read", lambda _: world.clock.advance(1.0))
    before(world.store, "read", asked.append)

    with caplog.at_level(logging.WARNING):
        reply = decided(world, items, key="one")

    assert said(reply) == ["approved"] * MAX_AT_ONCE
    assert len(asked) == 1
    assert caplog.text.count("decision not recorded") == MAX_AT_ONCE


def test_a_ledger_that_is_slow_does_not_use_up_the_time_of_the_answer() -> None:
    world, items = offered(MAX_AT_ONCE)
    world.clock.advance(60)
    before(world.store, "read", lambda _: world.clock.advance(3.0))
    began_s = world.clock.monotonic()

    reply = decided(world, items)

    assert set(said(reply)) == {"decide_late"}
    assert world.clock.monotonic() - began_s < CLICK_S + 3
    assert world.puts() == 0


def test_a_row_that_cannot_be_read_keeps_no_other_from_being_remembered() -> None:
    world, items = offered(2)
    first, second = (int(each["id"]) for each in items)
    corrupt = Malformed("ledger_row", "a row cannot be read")
    failing(world.store, "read", corrupt, when=lambda number: bool(number == first))

    assert said(decided(world, items)) == ["approved"] * 2
    row = world.store.read(second)
    assert row is not None
    assert row.decision == "approve"


def test_the_answer_is_json_of_texts_and_names_the_request_in_the_log_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, items = offered(2)
    items[0]["token"] = "x"

    with caplog.at_level(logging.INFO, "coupa_core"):
        reply = decided(world, items)

    assert {type(value) for each in json.loads(reply.text())["items"] for value in each.values()} == {str}
    assert "refused route=decide code=token_refused" in caplog.text
    assert "outcome=approved" in caplog.text
    assert JAMIE not in caplog.text
