"""The whole way: the function app as a process, real HTTP, Azurite, simulators that know nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from bridge import LISTENER
from proof.stage import Stage, staged

from sandbox.azurite import Azurite
from sandbox.connector import Connector

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(azurite_server: Azurite) -> Iterator[Stage]:
    """Yield the services, and nobody between them yet."""
    with staged(azurite_server, options=("--no-timers",), is_counted=False) as stage:
        yield stage


def test_120_approvals_are_told_once_each_also_after_the_process_was_killed(stage: Stage) -> None:
    for _ in range(120):
        stage.enter()
    host = stage.start()
    host.fire()
    told = {(each.recipient, each.slots["approval_id"]) for each in stage.moveworks.delivered}
    host.fire()
    host.fail()
    stage.start().fire()

    wanted = {
        (each.approver.email, str(each.id))
        for each in stage.coupa.world.approvals.rows.values()
        if hasattr(each.approver, "email")
    }
    assert told == wanted
    assert len(wanted) == len(stage.moveworks.delivered) == 120


def test_people_decide_from_chat_and_ask_for_their_list(stage: Stage) -> None:
    host = stage.start()
    connector = Connector(host.url)
    for number in (0, 0, 1):
        stage.enter(number)
    host.fire()
    first, second, other = sorted(stage.moveworks.delivered, key=lambda each: each.slots["approval_id"])

    refused = connector.decide(other, clicker=first.recipient, decision="approve")
    approved = connector.decide(first, clicker=first.recipient, decision="approve")
    rejected = connector.decide(second, clicker=first.recipient, decision="reject", reason="too dear")
    left = connector.pending(first.recipient)
    health = requests.get(f"{host.url}/api/health", timeout=10)
    trace = requests.get(f"{host.url}/api/approvals/{first.slots['approval_id']}/trace", timeout=10)

    outcomes = [reply.json()["outcome"] for reply in (refused, approved, rejected)]
    assert outcomes == ["not_your_approval", "approved", "rejected"]
    assert [each.status for each in stage.coupa.world.approvals.rows.values()] == [
        "approved",
        "rejected",
        "pending_approval",
    ]
    assert left.json()["count"] == 0
    assert (health.status_code, trace.json()["row"]["decision"]) == (200, "approve")


def test_over_the_listener_people_are_told_once_and_decide_from_chat(stage: Stage) -> None:
    stage.settings |= LISTENER
    stage.moveworks.listener.debounce_s = 300
    for number in range(8):
        stage.enter(number % 4)
    host = stage.start()
    host.fire()
    host.fire()
    cards = sorted(stage.moveworks.delivered, key=lambda each: each.slots["approval_id"])
    connector = Connector(host.url)
    refused = connector.decide(cards[0], clicker=cards[1].recipient, decision="approve")
    approved = connector.decide(cards[0], clicker=cards[0].recipient, decision="approve")
    rejected = connector.decide(cards[1], clicker=cards[1].recipient, decision="reject", reason="no")

    outcomes = [reply.json()["outcome"] for reply in (refused, approved, rejected)]
    assert outcomes == ["not_your_approval", "approved", "rejected"]
    statuses = [each.status for each in stage.coupa.world.approvals.rows.values()]
    assert statuses == ["approved", "rejected", *(["pending_approval"] * 6)]
    assert len(cards) == len({each.slots["approval_id"] for each in cards}) == 8
    assert {line.outcome for line in stage.moveworks.listener.log} == {"received", "published", "completed"}
    assert stage.moveworks.markup_faults == []


def test_without_a_setting_the_functions_are_there_and_say_which(stage: Stage) -> None:
    del stage.settings["MOVEWORKS_API_KEY"]
    host = stage.start()
    host.fire()
    health = requests.get(f"{host.url}/api/health", timeout=10)
    listed = requests.get(f"{host.url}/api/approvals?approver_email=a@example.com", timeout=10)

    assert (health.status_code, health.json()) == (503, {"status": "failing", "cause": "settings"})
    assert listed.status_code == 500
    assert listed.json()["message"] == "The bridge is not configured: MOVEWORKS_API_KEY: is missing."
    assert stage.moveworks.delivered == []


@pytest.mark.parametrize("channel", ["events", "listener"])
def test_a_question_outlives_the_process_and_its_answer_comes_once_with_buttons_that_work(
    stage: Stage, channel: str
) -> None:
    stage.coupa.desk.granted_scopes |= {"core.comment.write"}
    stage.settings |= {"COMMENTS": "on", **(LISTENER if channel == "listener" else {})}
    stage.enter(0)
    host = stage.start()
    host.fire()
    [card] = stage.moveworks.delivered
    asked = requests.post(
        f"{host.url}/api/approvals/{card.slots['approval_id']}/comment",
        headers={"X-Actor-Email": card.recipient, "X-Action-Token": card.slots["action_token"]},
        json={"comment": "Why?"},
        timeout=16,
    )
    host.fail()
    host = stage.start()
    host.fire()
    host.fail()
    [number] = stage.coupa.world.documents["RequisitionHeader"].rows
    stage.coupa.world.add_comment("requisition", number, by=stage.requester, text="Because.")
    host = stage.start()
    host.fire()
    host.fire()
    [_, question, answer] = stage.moveworks.delivered
    connector = Connector(host.url)
    approved = connector.decide(answer, clicker=card.recipient, decision="approve")

    assert asked.json()["outcome"] == "commented"
    assert (question.recipient, "“Why?”" in question.message) == ("sam@example.com", True)
    assert (answer.recipient, "Sam Stinson answered: “Because.”" in answer.message) == (card.recipient, True)
    assert approved.json()["outcome"] == "approved"
    assert stage.moveworks.markup_faults == []


def test_several_are_decided_at_once_and_one_is_held_from_chat(stage: Stage) -> None:
    stage.settings["LIST_TOKENS"] = "on"
    for _ in range(3):
        stage.enter(0)
    held = list(stage.coupa.world.approvals.rows.values())[-1]
    held.holdable = True
    host = stage.start()
    host.fire()
    cards = sorted(stage.moveworks.delivered, key=lambda each: each.slots["approval_id"])
    connector, person = Connector(host.url), cards[0].recipient
    hold = connector.decide(cards[2], clicker=person, decision="hold")
    listed = connector.pending(person).json()["approvals"]
    items = [{"id": each["approval_id"], "token": each["action_token"]} for each in listed]
    several = requests.post(
        f"{host.url}/api/approvals/decide",
        headers={"X-Actor-Email": person},
        json={"decision": "approve", "items": items},
        timeout=16,
    )

    assert hold.json()["outcome"] == "held"
    assert several.json()["message"] == "Approved: 2 requests."
    statuses = [each.status for each in stage.coupa.world.approvals.rows.values()]
    assert statuses == ["approved", "approved", "on_hold"]
