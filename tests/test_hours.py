"""At which hour people are told: quiet hours, working days, what is needed soon, the hour of the digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bridge import World

from coupa_core.ledger import State
from sandbox.coupa.world import Group
from sandbox.moveworks import Delivered

JAMIE, ROBIN, ALEX = "jamie@example.com", "robin@example.com", "alex@example.com"
NIGHTS = {"QUIET_HOURS": "20:00-07:00", "WORKING_DAYS": "mon-fri"}


def at(text: str) -> datetime:
    """Return a time of the week of the tests, which begins on Monday, November 23, 2026."""
    day, _, hour = text.partition(" ")
    number = ("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day)
    return datetime(2026, 11, 23 + number, int(hour[:2]), int(hour[3:]), tzinfo=UTC)


def later(world: World, text: str) -> list[Delivered]:
    """Let time pass until then, sweep, and return what was told."""
    world.clock.advance((at(text) - world.clock.now()).total_seconds())
    return world.announced()


def row_of(world: World, place: int = -1) -> tuple[State, str]:
    """Return where one of the open rows stands, and why."""
    row = world.store.open_entries().entries[place]
    return row.state, row.cause


def test_what_comes_at_night_is_told_in_the_morning_and_only_then() -> None:
    world = World(settings=NIGHTS)
    later(world, "mon 19:59")
    world.requisition(JAMIE)

    assert later(world, "mon 20:00") == []
    assert row_of(world) == (State.WAITING, "quiet")
    assert later(world, "tue 06:59") == []
    [told] = later(world, "tue 07:00")
    assert told.recipient == JAMIE
    assert later(world, "tue 07:05") == []


def test_what_comes_on_friday_evening_is_told_on_monday() -> None:
    world = World(settings=NIGHTS)
    later(world, "fri 19:00")
    world.requisition(JAMIE)
    world.requisition(JAMIE)

    assert later(world, "fri 21:00") == []
    assert later(world, "sun 12:00") == []
    world.clock.advance(timedelta(hours=19).total_seconds())
    assert len(world.announced()) == 2


def test_what_is_needed_soon_is_told_at_any_hour() -> None:
    world = World(settings=NIGHTS)
    later(world, "sat 12:00")
    world.requisition(JAMIE, need_by=at("sun 12:00"))
    world.requisition(ROBIN, need_by=at("sun 12:00") + timedelta(days=9))

    assert [each.recipient for each in later(world, "sat 12:01")] == [JAMIE]


def test_what_becomes_urgent_while_it_waits_is_told_then() -> None:
    world = World(settings=NIGHTS)
    later(world, "fri 21:00")
    world.requisition(JAMIE, need_by=at("sun 12:00"))
    assert later(world, "fri 21:01") == []

    assert len(later(world, "sat 00:00")) == 1


def test_what_becomes_urgent_before_the_hour_of_the_digest_does_not_wait_for_it() -> None:
    world = World(settings={"DIGEST_AT": "16:00", "WORKING_DAYS": "mon-fri"})
    later(world, "fri 17:00")
    world.requisition(JAMIE, need_by=at("sun 12:00"))
    assert later(world, "fri 17:10") == []

    assert len(later(world, "sat 00:00")) == 1


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "soon"])
def test_a_day_that_makes_no_sense_is_no_reason_not_to_be_told(day: str) -> None:
    world = World(settings=NIGHTS)
    later(world, "mon 21:00")
    number = world.requisition(JAMIE)
    world.coupa.world.override(("requisition", number), {"need-by-date": day})
    later(world, "mon 21:01")

    later(world, "tue 07:00")

    assert len(world.moveworks.delivered) == 1


def test_near_is_what_the_setting_says() -> None:
    world = World(settings={**NIGHTS, "URGENT_WITHIN_DAYS": "0"})
    later(world, "sat 12:00")
    world.requisition(JAMIE, need_by=at("sat 12:00"))

    assert later(world, "sat 12:01") == []


def test_each_member_of_a_group_is_told_in_the_morning_of_their_own_zone() -> None:
    zones = f'{{"{ALEX}": "America/New_York", "example.com": "Europe/Berlin"}}'
    world = World(settings={**NIGHTS, "TIME_ZONES": zones})
    group = world.coupa.world.add_group(name="Buyers", members=[world.person(JAMIE), world.person(ALEX)])
    later(world, "tue 02:00")
    world.requisition(Group(group))

    assert later(world, "tue 02:01") == []
    assert [each.recipient for each in later(world, "tue 06:01")] == [JAMIE]
    assert row_of(world) == (State.WAITING, "quiet")
    assert later(world, "tue 11:59") == []
    assert [each.recipient for each in later(world, "tue 12:00")] == [ALEX]
    assert row_of(world) == (State.SENT, "")


def test_an_approval_that_was_edited_or_decided_while_it_waited_is_told_as_it_is_or_not_at_all() -> None:
    world = World(settings=NIGHTS)
    later(world, "mon 21:00")
    edited, decided = world.requisition(JAMIE), world.requisition(JAMIE)
    later(world, "mon 21:01")
    world.coupa.world.edit_line(edited, 0, unit_price="1234.00")
    [approval] = world.coupa.world.approvals_of(decided)
    world.coupa.world.decide_in_coupa(approval.id, by=world.person(JAMIE), decision="approved")

    assert later(world, "mon 22:00") == []
    [told] = later(world, "tue 07:00")
    assert "2,468.00" in told.message
    assert "changed" not in told.message


def test_after_a_night_without_moveworks_the_morning_makes_up_for_it() -> None:
    world = World(settings=NIGHTS)
    later(world, "mon 21:00")
    world.requisition(JAMIE)
    later(world, "mon 21:01")
    world.moveworks.front.fail("answer", status=401, method="POST", times=1)

    assert later(world, "tue 07:00") == []
    assert [each.recipient for each in later(world, "tue 07:01")] == [JAMIE]


# The hour of the digest.


def test_new_approvals_wait_for_the_hour_of_the_digest_and_come_as_one_message() -> None:
    world = World(settings={"DIGEST_AT": "16:00"})
    world.sweep()
    first = world.requisition(JAMIE, title="Chairs")
    assert later(world, "mon 10:00") == []
    world.requisition(JAMIE, title="Desks")
    world.requisition(ROBIN, title="Lamps")
    assert later(world, "mon 12:00") == []
    assert row_of(world, 0) == (State.WAITING, "digest")

    jamie, robin = later(world, "mon 16:00")

    assert jamie.slots == {}
    assert all(part in jamie.message for part in ("Chairs", "Desks", f'/{first}"', "2 approvals"))
    assert robin.slots["approval_id"]  # one alone comes with its buttons
    assert later(world, "mon 16:01") == []


def test_what_comes_after_the_hour_waits_for_the_next_day() -> None:
    world = World(settings={"DIGEST_AT": "16:00"})
    later(world, "mon 16:10")
    world.requisition(JAMIE)

    assert later(world, "mon 16:20") == []
    assert later(world, "tue 15:59") == []
    assert len(later(world, "tue 16:00")) == 1


def test_what_comes_in_the_minute_before_the_hour_still_belongs_to_it() -> None:
    world = World(settings={"DIGEST_AT": "16:00"})
    later(world, "mon 15:59")
    world.requisition(JAMIE)

    assert len(later(world, "mon 16:00")) == 1


def test_what_came_while_nobody_looked_is_told_when_somebody_looks_again_after_the_hour() -> None:
    world = World(settings={"DIGEST_AT": "16:00"})
    later(world, "mon 15:00")
    world.requisition(JAMIE)

    assert len(later(world, "mon 18:00")) == 1


def test_a_digest_that_moveworks_did_not_take_is_made_up_for_the_same_day() -> None:
    world = World(settings={"DIGEST_AT": "16:00"})
    world.sweep()
    world.requisition(JAMIE)
    world.requisition(JAMIE)
    later(world, "mon 10:00")
    world.moveworks.front.fail("answer", status=401, method="POST", times=1)

    assert later(world, "mon 16:00") == []
    assert len(later(world, "mon 16:01")) == 1


def test_what_is_needed_soon_does_not_wait_for_the_digest() -> None:
    world = World(settings={"DIGEST_AT": "16:00"})
    world.sweep()
    world.requisition(JAMIE, need_by=at("tue 12:00"))

    assert len(later(world, "mon 10:00")) == 1


def test_when_the_digest_is_switched_off_what_waited_for_it_is_told_when_it_is_due() -> None:
    world = World(settings={"DIGEST_AT": "16:00"})
    world.sweep()
    world.requisition(JAMIE)
    later(world, "mon 10:00")
    world.settings = {}
    world.restart()
    world.requisition(ROBIN)

    assert [each.recipient for each in later(world, "mon 10:01")] == [ROBIN]
    assert [each.recipient for each in later(world, "mon 16:00")] == [JAMIE]


@pytest.mark.parametrize("settings", [NIGHTS, {"DIGEST_AT": "16:00"}])
def test_status_accounts_for_what_waits_for_its_hour(settings: dict[str, str]) -> None:
    world = World(settings=settings)
    later(world, "mon 20:30")
    world.requisition(JAMIE)
    later(world, "mon 20:31")

    body = world.call("status").body

    [group] = body["groups"]
    assert (body["is_proved"], group["place"], group["count"]) == (True, "waiting", 1)
    assert group["cause"] == ("quiet" if "QUIET_HOURS" in settings else "digest")
