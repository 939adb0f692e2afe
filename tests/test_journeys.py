"""The whole way: the function app as a process, real HTTP, Azurite, simulators that know nothing of it."""

from __future__ import annotations

import signal

import pytest
import requests
from proof.kills import app, fire, neighbours

from sandbox.azurite import Azurite
from sandbox.connector import Connector


def test_120_approvals_are_told_once_each_also_after_the_process_was_killed(azurite_server: Azurite) -> None:
    """Azurite is started anew by `neighbours`; the fixture skips where it is not installed."""
    with neighbours() as world:
        world.coupa.front.latency_s = world.moveworks.front.latency_s = 0
        for number in range(120):
            world.enter(number)
        with app(world) as (process, url):
            fire(url, wait=True)
            told = {(each.recipient, each.slots["approval_id"]) for each in world.moveworks.delivered}
            fire(url, wait=True)
            process.send_signal(signal.SIGKILL)
            process.wait()
        with app(world) as (_, url):
            fire(url, wait=True)

    wanted = {
        (each.approver.email, str(each.id))
        for each in world.coupa.world.approvals.rows.values()
        if hasattr(each.approver, "email")
    }
    assert told == wanted
    assert len(wanted) == len(world.moveworks.delivered) == 120


def test_people_decide_from_chat_and_ask_for_their_list(azurite_server: Azurite) -> None:
    with neighbours() as world, app(world) as (_, url):
        connector = Connector(url)
        for number in (0, 0, 1):
            world.enter(number)
        fire(url, wait=True)
        first, second, other = sorted(world.moveworks.delivered, key=lambda each: each.slots["approval_id"])

        refused = connector.decide(other, clicker=first.recipient, decision="approve")
        approved = connector.decide(first, clicker=first.recipient, decision="approve")
        rejected = connector.decide(second, clicker=first.recipient, decision="reject", reason="too dear")
        left = connector.pending(first.recipient)
        health = requests.get(f"{url}/api/health", timeout=10)
        trace = requests.get(f"{url}/api/approvals/{first.slots['approval_id']}/trace", timeout=10)

    outcomes = [reply.json()["outcome"] for reply in (refused, approved, rejected)]
    assert outcomes == ["not_your_approval", "approved", "rejected"]
    assert [each.status for each in world.coupa.world.approvals.rows.values()] == [
        "approved",
        "rejected",
        "pending_approval",
    ]
    assert left.json()["count"] == 0
    assert (health.status_code, trace.json()["row"]["decision"]) == (200, "approve")


def test_over_the_listener_people_are_told_once_and_decide_from_chat(azurite_server: Azurite) -> None:
    with neighbours() as world:
        world.environment["MOVEWORKS_CHANNEL"] = "listener"
        world.moveworks.listener.debounce_s = 300
        for number in range(8):
            world.enter(number % 4)
        with app(world) as (_, url):
            fire(url, wait=True)
            fire(url, wait=True)
            cards = sorted(world.moveworks.delivered, key=lambda each: each.slots["approval_id"])
            connector = Connector(url)
            refused = connector.decide(cards[0], clicker=cards[1].recipient, decision="approve")
            approved = connector.decide(cards[0], clicker=cards[0].recipient, decision="approve")
            rejected = connector.decide(cards[1], clicker=cards[1].recipient, decision="reject", reason="no")

    outcomes = [reply.json()["outcome"] for reply in (refused, approved, rejected)]
    assert outcomes == ["not_your_approval", "approved", "rejected"]
    statuses = [each.status for each in world.coupa.world.approvals.rows.values()]
    assert statuses == ["approved", "rejected", *(["pending_approval"] * 6)]
    assert len(cards) == len({each.slots["approval_id"] for each in cards}) == 8
    assert {line.outcome for line in world.moveworks.listener.log} == {"received", "published", "completed"}
    assert world.moveworks.markup_faults == []


def test_without_a_setting_the_functions_are_there_and_say_which(azurite_server: Azurite) -> None:
    with neighbours() as world:
        del world.environment["MOVEWORKS_API_KEY"]
        with app(world) as (_, url):
            fire(url, wait=True)
            health = requests.get(f"{url}/api/health", timeout=10)
            listed = requests.get(f"{url}/api/approvals?approver_email=a@example.com", timeout=10)

    assert (health.status_code, health.json()) == (503, {"status": "failing", "cause": "settings"})
    assert listed.status_code == 500
    assert listed.json()["message"] == "The bridge is not configured: MOVEWORKS_API_KEY: is missing."
    assert world.moveworks.delivered == []


@pytest.mark.parametrize("channel", ["events", "listener"])
def test_a_question_outlives_the_process_and_its_answer_comes_once_with_buttons_that_work(
    azurite_server: Azurite, channel: str
) -> None:
    with neighbours() as world:
        world.coupa.desk.granted_scopes |= {"core.comment.write"}
        world.environment |= {"MOVEWORKS_CHANNEL": channel, "COMMENTS": "on"}
        world.enter(0)
        with app(world) as (process, url):
            fire(url, wait=True)
            [card] = world.moveworks.delivered
            asked = requests.post(
                f"{url}/api/approvals/{card.slots['approval_id']}/comment",
                headers={"X-Actor-Email": card.recipient, "X-Action-Token": card.slots["action_token"]},
                json={"comment": "Why?"},
                timeout=16,
            )
            process.send_signal(signal.SIGKILL)
            process.wait()
        with app(world) as (process, url):
            fire(url, wait=True)
            process.send_signal(signal.SIGKILL)
            process.wait()
        [number] = world.coupa.world.documents["RequisitionHeader"].rows
        world.coupa.world.add_comment("requisition", number, by=world.requester, text="Because.")
        with app(world) as (_, url):
            fire(url, wait=True)
            fire(url, wait=True)
            [_, question, answer] = world.moveworks.delivered
            connector = Connector(url)
            approved = connector.decide(answer, clicker=card.recipient, decision="approve")

    assert asked.json()["outcome"] == "commented"
    assert (question.recipient, "“Why?”" in question.message) == ("sam@example.com", True)
    assert (answer.recipient, "Sam Stinson answered: “Because.”" in answer.message) == (card.recipient, True)
    assert approved.json()["outcome"] == "approved"
    assert world.moveworks.markup_faults == []


def test_several_are_decided_at_once_and_one_is_held_from_chat(azurite_server: Azurite) -> None:
    with neighbours() as world:
        world.environment["LIST_TOKENS"] = "on"
        for _ in range(3):
            world.enter(0)
        held = list(world.coupa.world.approvals.rows.values())[-1]
        held.holdable = True
        with app(world) as (_, url):
            fire(url, wait=True)
            cards = sorted(world.moveworks.delivered, key=lambda each: each.slots["approval_id"])
            connector, person = Connector(url), cards[0].recipient
            hold = connector.decide(cards[2], clicker=person, decision="hold")
            listed = connector.pending(person).json()["approvals"]
            items = [{"id": each["approval_id"], "token": each["action_token"]} for each in listed]
            several = requests.post(
                f"{url}/api/approvals/decide",
                headers={"X-Actor-Email": person},
                json={"decision": "approve", "items": items},
                timeout=16,
            )

    assert hold.json()["outcome"] == "held"
    assert several.json()["message"] == "Approved: 2 requests."
    statuses = [each.status for each in world.coupa.world.approvals.rows.values()]
    assert statuses == ["approved", "approved", "on_hold"]
