"""The hours of messages: quiet hours, working days, urgent approvals, the hour of the digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from bridge import ALEX, JAMIE, ROBIN, World

from coupa_core.ledger import State
from sandbox.moveworks import Delivered

NIGHTS = {"QUIET_HOURS": "20:00-07:00", "WORKING_DAYS": "mon-fri"}


def at(text: str) -> datetime:
    """Return a time of the tests' week, from Monday, November 23, 2026, or of the Monday after it."""
    day, _, hour = text.partition(" ")
    number = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "next").index(day)
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


DIGEST = {"DIGEST_AT": "16:00"}
CELLS: dict[str, tuple[dict[str, str], str, tuple[str, int] | None, dict[str, int]]] = {
    "a weekend is waited for": (NIGHTS, "fri 20:01", None, {"fri 21:00": 0, "sun 12:00": 0, "next 07:00": 1}),
    "needed soon": (NIGHTS, "sat 12:00", ("sun 12:00", 0), {"sat 12:01": 1}),
    "needed some day": (NIGHTS, "sat 12:00", ("sun 12:00", 9), {"sat 12:01": 0}),
    "it becomes urgent": (NIGHTS, "fri 21:00", ("sun 12:00", 0), {"fri 21:01": 0, "sat 00:00": 1}),
    "urgent before the digest": (
        DIGEST | {"WORKING_DAYS": "mon-fri"},
        "fri 17:00",
        ("sun 12:00", 0),
        {"fri 17:10": 0, "sat 00:00": 1},
    ),
    "near is what the setting says": (
        NIGHTS | {"URGENT_WITHIN_DAYS": "0"},
        "sat 12:00",
        ("sat 12:00", 0),
        {"sat 12:01": 0},
    ),
    "after the hour of the digest": (
        DIGEST,
        "mon 16:10",
        None,
        {"mon 16:20": 0, "tue 15:59": 0, "tue 16:00": 1},
    ),
    "the minute before the hour": (DIGEST, "mon 15:59", None, {"mon 16:00": 1}),
    "nobody looked at the hour": (DIGEST, "mon 15:00", None, {"mon 18:00": 1}),
    "needed soon, and a digest": (DIGEST, "mon 09:00", ("tue 12:00", 0), {"mon 10:00": 1}),
}
"""Settings, when it is entered, by when it is needed and days more, and how many are told at which hours."""


@pytest.mark.parametrize("name", CELLS)
def test_the_hour_goes_by_nights_weekends_the_digest_and_by_what_is_needed_soon(name: str) -> None:
    settings, entered, needed, hours = CELLS[name]
    world = World(settings=settings)
    later(world, entered)
    by = None if needed is None else at(needed[0]) + timedelta(days=needed[1])
    world.requisition(JAMIE, need_by=by)

    told = {text: len(later(world, text)) for text in hours}

    assert told == hours


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "soon"])
def test_a_day_that_makes_no_sense_is_no_reason_not_to_be_told(day: str) -> None:
    world = World(settings=NIGHTS)
    later(world, "mon 21:00")
    number = world.requisition(JAMIE)
    world.coupa.world.override(("requisition", number), {"need-by-date": day})
    later(world, "mon 21:01")

    later(world, "tue 07:00")

    assert len(world.moveworks.delivered) == 1


def test_each_member_of_a_group_is_told_in_the_morning_of_their_own_zone() -> None:
    zones = f'{{"{ALEX}": "America/New_York", "example.com": "Europe/Berlin"}}'
    world = World(settings={**NIGHTS, "TIME_ZONES": zones})
    group = world.group(JAMIE, ALEX)
    later(world, "tue 02:00")
    world.requisition(group)

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
    world.in_coupa(approval.id, by=JAMIE)

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
    world = World(settings=DIGEST)
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


def test_a_digest_that_moveworks_did_not_take_is_made_up_for_the_same_day() -> None:
    world = World(settings=DIGEST)
    world.sweep()
    world.requisition(JAMIE)
    world.requisition(JAMIE)
    later(world, "mon 10:00")
    world.moveworks.front.fail("answer", status=401, method="POST", times=1)

    assert later(world, "mon 16:00") == []
    assert len(later(world, "mon 16:01")) == 1


def test_when_the_digest_is_switched_off_what_waited_for_it_is_told_when_it_is_due() -> None:
    world = World(settings=DIGEST)
    world.sweep()
    world.requisition(JAMIE)
    later(world, "mon 10:00")
    world.settings = {}
    world.restart()
    world.requisition(ROBIN)

    assert [each.recipient for each in later(world, "mon 10:01")] == [ROBIN]
    assert [each.recipient for each in later(world, "mon 16:00")] == [JAMIE]


@pytest.mark.parametrize("settings", [NIGHTS, DIGEST])
def test_status_accounts_for_what_waits_for_its_hour(settings: dict[str, str]) -> None:
    world = World(settings=settings)
    later(world, "mon 20:30")
    world.requisition(JAMIE)
    later(world, "mon 20:31")

    body = world.call("status").body

    [group] = body["groups"]
    assert (body["is_proved"], group["place"], group["count"]) == (True, "waiting", 1)
    assert group["cause"] == ("quiet" if "QUIET_HOURS" in settings else "digest")
