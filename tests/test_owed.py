"""Owed messages are watched by themselves, whatever delays them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from bridge import JAMIE, ROBIN, World
from ledger_contract import NOW, row, told_of
from unruly import away

from coupa_core.ledger import MUTED, STUCK_AFTER, Entry, Owed, State, owed, since, stuck
from coupa_core.model import Approval
from sandbox.clock import ManualClock

MINUTE = timedelta(minutes=1)


def minutes(world: World, number: int) -> int:
    """Sweep each minute; return how many messages went out."""
    before = len(world.moveworks.delivered)
    for _ in range(number):
        world.minutes(1)
    return len(world.moveworks.delivered) - before


def is_green(world: World) -> bool:
    """Ask for health."""
    return world.call("health").status == 200


def alarms(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines for which the alert asks."""
    return [each.getMessage() for each in caplog.records if each.getMessage().startswith("owed ")]


# What counts.

CASES: list[tuple[Entry | None, str]] = [
    (None, "no_row"),
    (row(1, state=State.RETRY, cause="document_coupa_500"), "document_coupa_500"),
    (row(1, state=State.RETRY), "retry"),
    (row(1, state=State.CLAIMED), "claimed"),
    (row(1, state=State.WAITING, cause="people_unread"), "people_unread"),
    (row(1, state=State.WAITING, cause="not_your_turn"), ""),
    (row(1, state=State.WAITING, cause="quiet"), ""),
    (row(1, state=State.WAITING, cause="digest"), ""),
    (row(1, state=State.WAITING, cause=MUTED), ""),
    (row(1, state=State.SENT, told=told_of("v1", at=NOW)), ""),
    (row(1, state=State.PARKED, cause="no_recipient"), ""),
    (row(1, state=State.DECIDED), ""),
]


@pytest.mark.parametrize(("entry", "cause"), CASES)
def test_what_waits_for_its_hour_or_has_had_its_alarm_is_not_owed(entry: Entry | None, cause: str) -> None:
    touched_at = (NOW - 5 * MINUTE).isoformat()
    rows = [replace(entry, seen_approval=touched_at)] if entry else []
    unseen = [] if entry else [Approval.model_validate({"id": 1, "updated-at": touched_at})]

    due = owed(rows, unseen, NOW)

    assert due == (Owed(1, 300.0, {cause: 1}) if cause else Owed())


def test_causes_come_with_the_most_frequent_first() -> None:
    unseen = [Approval.model_validate({"id": number}) for number in (2, 3)]

    due = owed([row(1, state=State.RETRY, cause="odd")], unseen, NOW)

    assert list(due.causes.items()) == [("no_row", 2), ("odd", 1)]


def test_a_cause_is_stuck_after_a_quarter_of_an_hour_and_not_while_a_backlog_moves() -> None:
    clock = ManualClock(NOW)
    due = Owed(2, 0.0, {"no_row": 1, "document_coupa_500": 1})
    begun = since({}, due, has_sent=True, now=clock.now())
    clock.advance(STUCK_AFTER.total_seconds())

    assert stuck(since(begun, due, has_sent=False, now=clock.now()), clock.now()) == [
        "no_row",
        "coupa",
    ]
    assert stuck(since(begun, due, has_sent=True, now=clock.now()), clock.now()) == ["coupa"]
    assert since(begun, Owed(), has_sent=False, now=clock.now()) == {}


def test_a_service_that_fails_in_other_ways_each_time_is_one_cause() -> None:
    ways = ["document_coupa_500", "coupa_timeout", "coupa_429", "coupa_pace", "coupa_late"]
    begun: dict[str, str] = {}
    for minute, way in enumerate(ways * 4):
        now = NOW + minute * MINUTE
        begun = since(begun, Owed(1, 0.0, {way: 1}), has_sent=True, now=now)

    assert stuck(begun, now) == ["coupa"]
    assert stuck(since(begun, Owed(1, 0.0, {"coupa_404": 1}), has_sent=False, now=now), now) == []


def test_what_is_not_known_ends_nothing_and_a_time_from_ahead_or_no_time_counts_from_now() -> None:
    begun = {"odd": NOW.isoformat(), "ahead": (NOW + 9 * MINUTE).isoformat(), "none": "yesterday"}

    after = since(begun, None, has_sent=False, now=NOW + MINUTE)

    later = (NOW + MINUTE).isoformat()
    assert after == {"odd": NOW.isoformat(), "ahead": later, "none": later, "no_list": later}


# What becomes of it.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/approvals", 500), ("/api/approvals", 429), ("/api/requisitions", 404), ("/api/users", 400)],
)
def test_two_hours_without_a_resource_are_an_alarm_within_twenty_minutes_which_clears(
    path: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.requisition(JAMIE)
    minutes(world, 5)
    for _ in range(4):
        world.requisition(ROBIN)
    headers = {"Retry-After": "3600"} if status == 429 else {}
    world.coupa.front.fail("answer", path=path, status=status, headers=headers, times=None)

    assert minutes(world, 19) == 0
    assert re.fullmatch(r"owed count=\d+ oldest_s=\d+ causes=\S+:\S+", alarms(caplog)[-1])
    assert not is_green(world)
    minutes(world, 100)
    assert not is_green(world)
    world.coupa.front.heal()
    world.clock.advance(600)
    minutes(world, 70)

    assert {each.recipient for each in world.moveworks.delivered} == {JAMIE, ROBIN}
    assert is_green(world)
    caplog.clear()
    minutes(world, 1)
    assert alarms(caplog) == []


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, 401, 404, 429])
def test_while_moveworks_takes_nothing_the_alarm_names_what_is_owed(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    for _ in range(3):
        world.requisition(JAMIE)
    world.moveworks.front.fail("answer", status=status, headers={"Retry-After": "300"}, times=None)

    minutes(world, 14)
    assert alarms(caplog) == []
    assert minutes(world, 5) == 0

    assert "count=3" in alarms(caplog)[-1] or "moveworks" in alarms(caplog)[-1]
    assert not is_green(world)
    said = world.call("status").body
    assert (said["is_proved"], said["owed"]["count"]) == (False, 3)
    world.moveworks.front.heal()
    assert minutes(world, 10) == 3
    assert is_green(world)


def test_a_store_that_takes_no_row_is_an_alarm_though_it_can_note_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    away(world.store, "insert")
    away(world.store, "save_status")
    world.requisition(JAMIE)

    assert minutes(world, 19) == 0

    assert alarms(caplog)[-1].startswith("owed count=1")
    assert not is_green(world)


@pytest.mark.slow
def test_a_backlog_that_goes_out_as_fast_as_it_may_is_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "2"})
    for number in range(40):
        world.requisition(f"p{number}@example.com")

    minutes(world, 18)

    assert alarms(caplog) == []
    assert is_green(world)
    assert world.call("status").body["owed"]["causes"]["no_row"] > 0


@pytest.mark.slow
def test_one_record_at_fault_is_an_alarm_until_its_people_know_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    number = world.requisition(JAMIE)
    world.requisition(ROBIN)
    world.coupa.front.fail("answer", path="/api/requisitions", query=rf"\b{number}\b", status=500, times=None)

    minutes(world, 20)
    assert "causes=document_coupa_500:1" in alarms(caplog)[-1]
    minutes(world, 15)

    assert {each.recipient for each in world.moveworks.delivered} == {JAMIE, ROBIN}
    assert world.call("status").body["owed"]["stuck"] == []


def test_a_trial_owes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = World(settings={"DRY_RUN": "on"})
    world.requisition(JAMIE)

    minutes(world, 20)

    assert alarms(caplog) == []
    assert is_green(world)


@pytest.mark.slow
def test_another_process_goes_on_counting(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.requisition(JAMIE)
    world.moveworks.front.fail("answer", status=500, times=None)
    for _ in range(19):
        world.restart()
        minutes(world, 1)

    assert alarms(caplog)
