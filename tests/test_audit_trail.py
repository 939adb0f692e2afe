"""The audit log of a run: who was told, who decided and as whom, and the refusals."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, World, offered
from unruly import after, away

from coupa_core.audit_log import EventKind
from sandbox.coupa.world import Group


def events(world: World, *kinds: EventKind) -> list[dict[str, Any]]:
    """Return the events in the record, of some kinds."""
    found = []
    for day, head in reversed(list(world.audit_store.heads())):
        assert head is not None
        found += [row.values()["event"] for row in world.audit_store.rows(day)]
    return [each for each in found if not kinds or each["kind"] in kinds]


def test_every_notice_is_recorded_with_who_was_told_as_whom_and_which_version() -> None:
    world = World()
    members = [world.person(JAMIE), world.person(ROBIN)]
    group = world.coupa.world.add_group(name="Buyers", members=members)
    number = world.requisition(Group(group))
    world.sweep()

    said = events(world)

    assert [(each["kind"], each["actor"], each["capacity"], each["outcome"]) for each in said] == [
        ("notice", JAMIE, "member", "sent"),
        ("notice", ROBIN, "member", "sent"),
    ]
    row = world.store.read(said[0]["approval_id"])
    assert row is not None
    assert {told.version for told in row.told.values()} == {each["version"] for each in said}
    assert (said[0]["document_type"], said[0]["document_id"]) == ("RequisitionHeader", number)
    assert len(said[0]["digest"]) == 22


@pytest.mark.parametrize(
    ("kind", "details", "outcome", "cause"),
    [
        ("answer", {"status": 400}, "refused", "moveworks_400"),
        ("lose", {}, "unknown", "moveworks_lost"),
    ],
)
def test_a_notice_that_did_not_come_clean_is_recorded_as_what_it_was(
    kind: Any, details: dict[str, Any], outcome: str, cause: str
) -> None:
    world = World()
    world.requisition(JAMIE)
    world.moveworks.front.fail(kind, method="POST", **details)
    world.sweep()

    [said] = events(world)

    assert (said["kind"], said["outcome"], said["cause"]) == ("notice", outcome, cause)


def test_a_decision_is_recorded_before_it_is_sent_and_after_it_was_read_back() -> None:
    world, card = offered()
    headers = {
        "X-Actor-Email": JAMIE,
        "X-Action-Token": card.slots["action_token"],
        "X-Request-Id": "req-7",
    }
    world.call("approve", headers=headers, route={"approval_id": card.slots["approval_id"]})

    intent, decision = events(world, EventKind.INTENT, EventKind.DECISION)

    both = {
        "actor": JAMIE,
        "capacity": "approver",
        "known_by": "key+token",
        "verb": "approve",
        "token_key": "k1",
        "request_id": "req-7",
        "state_before": "pending_approval",
    }
    for said in (intent, decision):
        assert {name: said[name] for name in both} == both
        assert said["version"] == events(world, EventKind.NOTICE)[0]["version"]
    assert (intent["kind"], "outcome" in intent) == ("intent", False)
    assert (decision["outcome"], decision["state_after"]) == ("approved", "approved")


@pytest.mark.parametrize(
    ("click", "outcome", "cause"),
    [
        (lambda world, card: world.click(card, ROBIN), "not_your_approval", None),
        (lambda world, card: world.click(card, JAMIE, "reject"), "reason_required", None),
        (
            lambda world, card: world.click({**card.slots, "action_token": "x"}, JAMIE),
            "refused",
            "token_refused",
        ),
        (lambda world, card: world.click(card, JAMIE, "hold"), "refused", "not_holdable"),
        (
            lambda world, card: (world.clock.advance(40 * 86_400), world.click(card, JAMIE)),
            "expired",
            None,
        ),
    ],
    ids=["stranger", "no reason", "token", "hold", "expired"],
)
def test_a_click_that_is_refused_is_recorded_with_who_tried_and_why(
    click: Any, outcome: str, cause: str | None
) -> None:
    world, card = offered()

    click(world, card)

    [said] = events(world, EventKind.REFUSAL)
    assert said["actor"] in (JAMIE, ROBIN)
    assert (said["outcome"], said.get("cause")) == (outcome, cause)
    assert events(world, EventKind.INTENT) == []


@pytest.mark.parametrize(
    ("fault", "outcome", "cause"),
    [
        ({"kind": "answer", "status": 400, "body": "{}"}, "refused_by_coupa", "coupa_400"),
        ({"kind": "answer", "status": 404, "body": "{}"}, "failed", "coupa_404"),
        ({"kind": "answer", "status": 429}, "failed", "coupa_429"),
        ({"kind": "cut"}, "unconfirmed", None),
    ],
)
def test_a_decision_that_did_not_happen_is_recorded_as_that(
    fault: dict[str, Any], outcome: str, cause: str | None
) -> None:
    world, card = offered()
    world.coupa.front.fail(**fault, method="PUT")

    world.click(card, JAMIE)

    [said] = events(world, EventKind.DECISION)
    assert (said["outcome"], said.get("cause")) == (outcome, cause)


def test_a_change_of_who_may_decide_is_recorded() -> None:
    world, _ = offered()
    world.clock.advance(600)
    world.delegation(JAMIE, ROBIN)
    world.sweep()

    [said] = events(world, EventKind.RIGHTS)

    assert (said["outcome"], said["cause"]) == ("changed", f"+user:{world.person(ROBIN)}")


def test_a_relayed_message_is_recorded_for_each_recipient() -> None:
    world = World(settings={"RELAY_DOMAINS": "example.com"})
    world.call("notifications", json={"message": "secret words", "recipients": [JAMIE, ROBIN]})

    said = events(world, EventKind.RELAY)

    assert [(each["actor"], each["outcome"]) for each in said] == [(JAMIE, "accepted"), (ROBIN, "accepted")]
    assert "secret words" not in json.dumps(said)


def test_what_cannot_be_recorded_before_is_not_decided() -> None:
    world, card = offered()
    come_back = away(world.audit_store, "write", "audit_503")

    reply = world.click(card, JAMIE)

    assert (reply.status, reply.body["error"]) == (503, "audit_503")
    assert world.puts() == 0
    come_back()
    assert world.click(card, JAMIE).body["outcome"] == "approved"


def test_where_the_record_is_optional_a_decision_goes_on_and_the_log_has_the_whole_event(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, card = offered(settings={"AUDIT": "optional"})
    away(world.audit_store, "write", "audit_503")

    with caplog.at_level(logging.ERROR):
        reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == "approved"
    lines = [each.getMessage() for each in caplog.records]
    lost = [json.loads(line)["event"] for line in lines if line.startswith('{"audit_event_not_stored"')]
    assert [each["kind"] for each in lost] == ["intent", "decision"]
    assert all(each["actor"] == JAMIE for each in lost)


def test_a_decision_whose_outcome_could_not_be_recorded_has_its_intent_and_the_log() -> None:
    world, card = offered()
    store = world.audit_store
    after(store, "write", lambda _: away(store, "write", "audit_503"))

    assert world.click(card, JAMIE).body["outcome"] == "approved"
    assert [each["kind"] for each in events(world, EventKind.INTENT, EventKind.DECISION)] == ["intent"]


def test_notices_that_cannot_be_recorded_are_sent_and_counted() -> None:
    world = World()
    away(world.audit_store, "write", "audit_503")

    world.offer()

    assert world.store.status().counts["audit_lost"] == 1


def test_old_days_are_deleted_once_a_day_and_a_failure_of_that_ends_no_sweep() -> None:
    world = World()
    away(world.audit_store, "heads", "audit_503", when=lambda before=None: before is not None)
    world.offer()
    assert world.store.status().failure == "audit_503"
    assert world.store.status().last_complete_at is not None

    world, _ = offered(settings={"AUDIT_KEEP_DAYS": "2"})
    for _ in range(4):
        world.clock.advance(86_400)
        world.requisition(ROBIN)
        world.sweep()
    days = {each["at"][:10] for each in events(world)}
    assert len(days) <= 4
    assert world.bridge.sweep.deps.audit_log.verify().broken is None
