"""The waiting time that a message states is true, and never too long."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from bridge import World
from goldens import approval, request
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.model import Document, stamp
from coupa_core.notice.catalogue import LANGUAGES
from coupa_core.notice.style import Style
from sandbox.moveworks import Delivered

ANN, BOB = "ann@example.com", "bob@example.com"
DAY = 86_400
UNITS = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))


@given(st.sampled_from(sorted(LANGUAGES)), st.integers(60, 4_000 * DAY))
def test_an_age_is_rounded_down_in_every_language(language: str, seconds: int) -> None:
    waited = timedelta(seconds=seconds)
    unit = max(each for each in UNITS if each <= waited)

    said = Style(language=language).age(waited)

    assert said == Style(language=language).age(waited // unit * unit)
    assert int(re.findall(r"\d+", said)[0]) == waited // unit


SUBMITTED, APPROVED, MADE = "2026-11-02T09:00:00Z", "2026-11-12T09:00:00Z", "2026-11-20T09:00:00Z"
TOUCHED = "2026-11-21T09:00:00Z"
MINE = {"id": 2, "position": 2, "parallel_group_name": None, "created_at": None, "updated_at": TOUCHED}
FIRST = {"id": 1, "position": 1, "status": "approved", "approval-date": APPROVED}
ME = {"id": 2, "position": 2, "status": "pending_approval"}


@pytest.mark.parametrize(
    ("mine", "chain", "submitted", "since"),
    [
        ({}, [FIRST, ME], SUBMITTED, APPROVED),
        ({}, [FIRST, ME], None, APPROVED),
        ({"created_at": SUBMITTED}, [FIRST, ME], SUBMITTED, APPROVED),
        ({"created_at": MADE}, [FIRST, ME], SUBMITTED, MADE),  # it was handed on
        ({}, [FIRST | {"approval-date": None}, ME], SUBMITTED, None),
        ({}, [FIRST | {"approval-date": SUBMITTED}, ME], APPROVED, APPROVED),  # submitted again
        ({}, [FIRST | {"position": 2}, ME], SUBMITTED, SUBMITTED),
        ({"parallel_group_name": "A"}, [FIRST | {"parallel-group-name": "A"}, ME], SUBMITTED, SUBMITTED),
        ({"position": None}, [FIRST, ME], SUBMITTED, APPROVED),
        ({}, [ME], SUBMITTED, SUBMITTED),
        ({}, [ME], None, TOUCHED),
        ({"updated_at": None}, [ME], None, None),
        ({}, [FIRST], SUBMITTED, None),
        ({"position": None}, [], SUBMITTED, None),
        ({"position": 1}, [], SUBMITTED, SUBMITTED),
    ],
)
def test_a_step_waits_since_its_turn_came(
    mine: dict[str, Any], chain: list[Any], submitted: str | None, since: str | None
) -> None:
    document = request(approvals=chain, submitted_at=submitted)

    assert document.waits_since(approval(**{**MINE, **mine})) == stamp(since)


def test_of_a_later_step_of_a_type_that_is_not_known_nothing_is_said() -> None:
    assert Document(type="Odd", id=7).waits_since(approval(**MINE)) is None


def after_a_week(world: World, number: int) -> Delivered:
    """Let Ann approve the first step after eight days, and return what Bob is told a minute later."""
    world.announced()
    world.clock.advance(8 * DAY)
    first = world.coupa.world.approvals_of(number)[0]
    world.in_coupa(first.id, ANN)
    world.clock.advance(60)
    return next(each for each in world.announced() if each.recipient == BOB)


def test_who_is_asked_second_is_not_said_to_have_waited_for_the_first() -> None:
    world = World()
    number = world.requisition(ANN, BOB)
    after_a_week(world, number)

    young = world.listed(BOB).body
    world.clock.advance(3 * DAY)
    old = world.listed(BOB).body

    assert young["message"] == "1 approval is waiting for you in Coupa. Total: USD 1,800.00."
    assert old["message"].endswith("It has been waiting for 3 days.")


def test_nor_is_it_in_a_digest() -> None:
    world = World(settings={"DIGEST_OVER": "1"})
    number = world.requisition(ANN, BOB)
    world.requisition(BOB, requester="zoe@example.com")
    world.announced()
    world.clock.advance(8 * DAY)
    world.requisition(BOB)
    first = world.coupa.world.approvals_of(number)[0]
    world.in_coupa(first.id, ANN)
    world.clock.advance(120)

    [digest] = [each for each in world.announced() if each.recipient == BOB]

    assert "2 approvals are waiting for you" in digest.message
    assert digest.message.count("waiting for 2 minutes") == 2


def test_who_is_given_an_approval_is_not_said_to_have_waited_for_another() -> None:
    world = World(settings={"DIGEST_OVER": "1"})
    given_away = [world.approval_id(world.requisition(ANN)) for _ in range(2)]
    world.announced()
    world.clock.advance(8 * DAY)
    for each in given_away:
        world.coupa.world.reassign(each, to=world.person(BOB))
    world.clock.advance(180)

    [digest] = [each for each in world.announced() if each.recipient == BOB]

    assert digest.message.count("waiting for 3 minutes") == 2


def test_a_reminder_counts_from_the_first_telling_whatever_was_edited_since() -> None:
    world = World(settings={"REMIND_AFTER_HOURS": "24"})
    number = world.requisition(ANN)
    world.announced()
    world.clock.advance(9 * DAY)
    world.sweep()
    world.coupa.world.edit_line(number, 0, unit_price="901.00")
    world.minutes(1)
    world.clock.advance(DAY)

    [reminder] = world.announced()

    assert "has been waiting for your approval for 10 days" in reminder.message


def test_a_round_that_begins_anew_counts_anew() -> None:
    world = World(settings={"REMIND_AFTER_HOURS": "24"})
    number = world.requisition(ANN, holdable=True)
    [card] = world.announced()
    world.clock.advance(9 * DAY)
    world.click(card, ANN, "hold")
    world.clock.advance(400)
    world.sweep()
    world.coupa.world.reopen(world.approval_id(number))
    world.clock.advance(400)
    world.sweep()
    world.clock.advance(DAY)

    [reminder] = world.announced()

    assert "has been waiting for your approval for 1 day" in reminder.message
