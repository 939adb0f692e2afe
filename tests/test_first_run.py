"""Approvals that waited before the bridge began, and a trial that sends nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from bridge import ALEX, JAMIE, ROBIN, World
from proof.backlog import backlog_of
from unruly import away

from coupa_core.content import content_hashes
from coupa_core.ledger import State, Status
from sandbox.moveworks import Delivered


def backlog(world: World, number: int = 3) -> None:
    """Let approvals wait for Jamie, and one for Robin whose second step is Alex's."""
    for _ in range(number):
        world.requisition(JAMIE)
    world.requisition(ROBIN, ALEX)


def recorded(*approvers: str, **settings: str) -> tuple[World, int]:
    """Return a world in which one request was recorded in silence, and its number."""
    world = World(settings={"FIRST_RUN": "baseline", **settings})
    number = world.requisition(*approvers)
    world.sweep()
    return world, number


def minutes(world: World, number: int) -> list[Delivered]:
    """Run a sweep in each of some minutes and return what was told."""
    found: list[Delivered] = []
    for _ in range(number):
        world.clock.advance(60)
        found += world.announced()
    return found


def test_by_default_the_backlog_is_announced() -> None:
    world = World()
    backlog(world)

    assert [each.recipient for each in world.announced()] == [JAMIE, JAMIE, JAMIE, ROBIN]


def test_with_digest_each_person_gets_one_message_for_the_backlog_and_then_cards_again() -> None:
    world = World(settings={"FIRST_RUN": "digest"})
    backlog(world)

    jamie, robin = world.announced()

    assert ("3 approvals" in jamie.message, bool(robin.slots)) == (True, True)
    world.requisition(JAMIE)
    world.requisition(JAMIE)
    assert [bool(each.slots) for each in minutes(world, 1)] == [True, True]


@pytest.mark.slow
def test_a_thousand_for_80_people_are_80_messages_and_within_the_allowed_rate() -> None:
    """`make proof` does it with 5,000 for 400."""
    told, states, tried = backlog_of(approvals=1000, people=80, per_minute=20)

    assert set(Counter(told).values()) == {1}
    assert (len(told), tried) == (80, 80)  # none was turned away for the rate
    assert states == {State.SENT: 1000}


def test_with_baseline_the_backlog_is_recorded_in_silence_and_what_comes_later_is_told() -> None:
    world = World(settings={"FIRST_RUN": "baseline"})
    backlog(world)

    assert world.announced() == []
    later = world.requisition(JAMIE, title="Chairs")
    [told] = minutes(world, 1)
    assert f"{later}" in told.message
    assert minutes(world, 3) == []


def test_a_step_of_the_backlog_that_comes_up_later_is_told() -> None:
    world, number = recorded(ROBIN, ALEX)
    first, _ = world.coupa.world.approvals_of(number)
    world.in_coupa(first.id)

    assert [each.recipient for each in minutes(world, 1)] == [ALEX]


def test_a_change_to_the_backlog_is_told_as_what_is_pending_and_not_as_a_change_nobody_saw() -> None:
    world, number = recorded(JAMIE)
    world.clock.advance(60)
    world.coupa.world.edit_line(number, 0, unit_price="901.00")

    [told] = minutes(world, 1)

    assert ("changed" in told.message, "needs your approval" in told.message) == (False, True)


def test_nobody_is_reminded_of_the_backlog_or_told_that_it_is_over() -> None:
    settings = {"REMIND_AFTER_HOURS": "1", "CLOSING_NOTICE": "always"}
    world, number = recorded(JAMIE, **settings)
    world.clock.advance(3 * 3600)
    assert world.announced() == []
    world.coupa.world.withdraw(number)

    assert minutes(world, 2) == []


def test_people_can_decide_on_the_backlog_from_their_list() -> None:
    world, _ = recorded(JAMIE)

    [card] = world.listed(JAMIE).body["approvals"]
    slots = {"approval_id": card["approval_id"], "action_token": card["action_token"]}

    assert world.click(slots, JAMIE).body["outcome"] == "approved"


def test_the_story_of_the_backlog_says_why_nobody_was_told() -> None:
    world, _ = recorded(JAMIE)

    number = world.store.open_entries().entries[0].approval_id
    assert any("FIRST_RUN=baseline" in line for line in world.story(number))
    [group] = world.call("status").body["groups"]
    assert (group["place"], group["cause"]) == ("announced", "baseline")


def stories(world: World) -> str:
    """Return the story of the only approval, Coupa asked as well."""
    return " ".join(world.story(world.row().approval_id, is_live=True))


@pytest.mark.parametrize("release", ["this", "an earlier"])
def test_nobody_is_said_to_have_been_told_of_the_backlog_however_often_it_is_looked_at(release: str) -> None:
    world, number = recorded(JAMIE)
    row = world.row()
    if release != "this":  # it kept no cause after the second look
        world.store.replace(replace(row, cause=""))
    for _ in range(2):
        world.clock.advance(60)
        world.coupa.world.touch(row.approval_id)
        assert world.announced() == []
        said, status = stories(world), world.call("status").body
        assert ("Nobody was told" in said, "has this version" in said, ", not told," in said) == (
            True,
            False,
            True,
        )
        [group] = status["groups"]
        assert (group["place"], group["cause"]) == ("announced", "baseline")
        assert [each.get("told") for each in status["lists"]["announced"]] == [None]
    world.coupa.world.withdraw(number)
    world.clock.advance(60)
    world.sweep()
    assert "nobody had been told" in world.story(row.approval_id)[-1]


def test_of_a_group_only_those_are_said_to_have_been_told_who_got_a_message() -> None:
    world = World(settings={"FIRST_RUN": "baseline"})
    group = world.group(JAMIE)
    world.requisition(group)
    world.sweep()
    world.coupa.world.join(group.id, world.person(ALEX))

    told = {each.recipient for _ in range(3) for each in minutes(world, 3)}
    said = stories(world)

    assert told == {ALEX}
    assert f"has this version: user:{world.person(ALEX)}." in said
    assert f"user:{world.person(JAMIE)} may decide and got no message" in said
    assert "FIRST_RUN=baseline" in said


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["digest", "baseline"])
def test_the_first_run_goes_on_until_the_backlog_is_through(mode: str) -> None:
    world = World(settings={"FIRST_RUN": mode})
    backlog(world, 60)
    world.coupa.front.fail("answer", path="/api/approvals", status=500, skip=1, times=None)
    world.sweep()
    world.restart()
    world.coupa.front.heal()

    told = minutes(world, 5)

    assert (Counter(each.recipient for each in told)[JAMIE] <= 1, mode == "digest") == (True, bool(told))


def test_the_first_run_ends_although_something_cannot_be_read_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(settings={"FIRST_RUN": "baseline", "DOCUMENT_TYPES": "*"})
    world.requisition(JAMIE)
    world.coupa.front.fail("answer", path="/api/(contracts|invoices)", status=403, times=None)
    spoiled = world.requisition(ROBIN)

    def broken(document: Any) -> tuple[str, str]:
        if document.id == spoiled:
            raise ZeroDivisionError
        return content_hashes(document)

    monkeypatch.setattr("coupa_core.sweep.judge.content_hashes", broken)
    assert world.announced() == []
    world.requisition(ALEX)

    assert [each.recipient for each in minutes(world, 1)] == [ALEX]


def test_a_ledger_that_has_rows_is_no_first_run_even_when_its_status_is_lost() -> None:
    world = World()
    world.requisition(JAMIE)
    world.sweep()
    world.store.save_status(Status())
    world.settings = {"FIRST_RUN": "baseline"}
    world.restart()
    world.requisition(ROBIN)

    assert [each.recipient for each in minutes(world, 1)] == [ROBIN]


def test_a_first_run_that_cannot_be_noted_does_not_begin() -> None:
    world = World(settings={"FIRST_RUN": "baseline"})
    away(world.store, "save_status", "ledger_unreachable")
    world.requisition(JAMIE)

    assert world.sweep().failure == "ledger_unreachable"
    assert world.store.open_entries().entries == []


# A trial.


@pytest.mark.parametrize("value", ["1", "on", "true"])
def test_a_trial_sends_nothing_and_says_what_it_would_send_to_whom(value: str) -> None:
    world = World(settings={"DRY_RUN": value})
    backlog(world)

    summary = world.sweep()

    assert world.moveworks.front.count("*") == 0
    assert (summary.counts["dry_run"], summary.counts["not_your_turn"]) == (4, 1)
    number = world.store.open_entries().entries[0].approval_id
    said = f"{JAMIE} was not told, as approver: DRY_RUN is on"
    assert any(said in line for line in world.story(number))
    groups = {each["cause"]: each["count"] for each in world.call("status").body["groups"]}
    assert groups == {"dry_run": 4, "not_your_turn": 1}


def test_a_trial_says_it_once_and_again_when_something_changed() -> None:
    world = World(settings={"DRY_RUN": "1"})
    number = world.requisition(JAMIE)
    world.clock.advance(60)
    world.sweep()
    world.clock.advance(60)
    world.sweep()
    world.clock.advance(60)
    quiet = world.sweep().counts.get("dry_run", 0)
    world.coupa.world.edit_line(number, 0, unit_price="901.00")
    world.clock.advance(60)

    assert (quiet, world.sweep().counts.get("dry_run", 0)) == (0, 1)


@pytest.mark.parametrize(("mode", "number"), [("announce", 4), ("digest", 2), ("baseline", 0)])
def test_after_a_trial_the_backlog_is_treated_as_on_the_first_run(mode: str, number: int) -> None:
    world = World(settings={"DRY_RUN": "1", "FIRST_RUN": mode})
    backlog(world)
    world.sweep()
    minutes(world, 2)
    world.settings = {"FIRST_RUN": mode}
    world.restart()

    assert len(minutes(world, 3)) == number


def test_in_a_trial_nobody_is_reminded_and_nobody_told_that_it_is_over() -> None:
    world = World(settings={"REMIND_AFTER_HOURS": "1", "CLOSING_NOTICE": "always", "TELL_REQUESTER": "on"})
    number = world.requisition(JAMIE)
    world.requisition(JAMIE)
    world.sweep()
    world.settings |= {"DRY_RUN": "on"}
    world.restart()
    world.clock.advance(2 * 3600)
    before = world.moveworks.front.count("*")
    [approval] = world.coupa.world.approvals_of(number)
    world.in_coupa(approval.id, decision="rejected")

    minutes(world, 2)

    assert world.moveworks.front.count("*") == before
    assert world.store.read_closed(approval.id) is not None


def test_in_a_trial_the_relay_sends_nothing_and_says_why() -> None:
    world = World(settings={"DRY_RUN": "1", "RELAY_DOMAINS": "example.com"})

    reply = world.call("notifications", json={"recipients": [JAMIE], "message": "hello"})

    assert (reply.status, reply.body["error"]) == (503, "dry_run")
    assert world.moveworks.front.count("*") == 0
