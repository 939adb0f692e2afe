"""Stamps at the ends of the calendar and half characters in Coupa's answers break one card at most.

Times near year 1 and year 9999 overflow when a zone or a day is added; half a surrogate pair is in no UTF-8.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, World

from coupa_core import http_client
from coupa_core.endpoints import Reply
from coupa_core.model import Delegation

ENDS = [
    *("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "9999-01-01T00:00:00+14:00"),
    *("0001-01-01T00:00:00+12:00", "0001-01-01T00:00:00Z", "0001-12-31T00:00:00-14:00"),
]
HALF = "\ud83d"
ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"]


def spoil(world: World, request: int, values: dict[str, Any]) -> None:
    """Write something else into a document, its approvals, lines and comments, as Coupa would send it."""
    document = world.coupa.world.requisition(request)
    for record in (document, *world.coupa.world.approvals_of(request)):
        record.raw |= values


def everything(world: World, number: str) -> list[Reply]:
    jamie, route = {"X-Actor-Email": JAMIE}, {"approval_id": number}
    return [
        world.call("list_approvals", headers=jamie),
        world.call("get_approval", headers=jamie, route=route),
        world.call("trace", route=route, query={"live": "1"}),
        world.call("status", query={"full": "1"}),
        world.call("cycle_times"),
    ]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("stamp", ENDS)
def test_a_stamp_at_an_end_of_the_calendar_stops_no_sweep_and_no_route(
    stamp: str, zone: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {
        "TIME_ZONE": zone,
        "REMIND_AFTER_HOURS": "1",
        "ESCALATE_AFTER_HOURS": "2",
        "ESCALATE_TO": ROBIN,
    }
    world = World(settings={**settings, "CLOSING_NOTICE": "always", "TELL_REQUESTER": "on"})
    first = world.requisition(ROBIN, JAMIE)
    [step, _] = world.coupa.world.approvals_of(first)
    world.in_coupa(step.id)
    names = ("submitted-at", "updated-at", "created-at", "approval-date", "need-by-date")
    spoil(world, first, dict.fromkeys(names, stamp))
    world.requisition(JAMIE)

    with caplog.at_level(logging.ERROR):
        cards = world.announced()
        replies = everything(world, cards[0].slots["approval_id"])
        for _ in range(2):
            world.clock.advance(7_300)
            world.sweep()
        clicks = [world.click(card, JAMIE) for card in cards]
        world.sweep()
        replies += everything(world, cards[0].slots["approval_id"])

    assert [card.recipient for card in cards] == [JAMIE, JAMIE]
    assert [reply.body["outcome"] for reply in clicks] == ["approved", "approved"]
    assert {reply.status for reply in replies} <= {200, 404}
    assert caplog.messages == []


@pytest.mark.parametrize("stamp", ENDS)
def test_a_day_that_cannot_be_counted_is_shown_as_it_was_written(stamp: str) -> None:
    world = World(settings={"NOTICE_FIELDS": '{"RequisitionHeader": ["id", "submitted"]}'})
    request = world.requisition(JAMIE)
    spoil(world, request, {"submitted-at": stamp})

    [card] = world.announced()

    assert f"{stamp[:4].lstrip('0')}<br>" in card.message


@pytest.mark.parametrize(
    "name",
    [
        *("title", "req-title", "justification", "status", "note", "parallel-group-name", "submitted-at"),
        *("updated-at", "approval-date", "need-by-date", "department", "currency"),
    ],
)
def test_half_a_character_in_an_answer_spoils_nothing_else(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    number = world.coupa.world.add_user(email=JAMIE, firstname=f"J{HALF}", lastname=HALF)
    world.people[JAMIE] = number
    odd = world.requisition(JAMIE)
    world.coupa.world.comment(world.coupa.world.requisition(odd), by=number, text=f"why{HALF}?")
    if name != "status":
        spoil(
            world, odd, {name: {"name": HALF, "code": HALF} if name in ("department", "currency") else HALF}
        )
    world.requisition(JAMIE)

    with caplog.at_level(logging.ERROR):
        cards = world.announced()
        replies = everything(world, cards[0].slots["approval_id"])
        clicks = [world.click(card, JAMIE, "reject", reason="why?") for card in cards]

    assert len(cards) == 2
    for reply in (*replies, *clicks):
        reply.text().encode()
        assert reply.status == 200
    assert [reply.body["outcome"] for reply in clicks] == ["rejected", "rejected"]
    assert HALF not in "".join(card.message for card in cards)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("end", "is_active"),
    [
        ("9999-12-31T00:00:00-08:00", True),
        ("9999-12-31T23:59:59-12:00", True),
        ("9998-12-31T23:59:59-12:00", True),
        ("2026-11-23T09:00:00Z", False),
        ("0001-01-01T00:00:00Z", False),
        ("9999", False),
        (None, False),
    ],
)
def test_a_delegation_until_9999_has_no_end(end: str | None, is_active: bool) -> None:  # noqa: FBT001
    raw = {"approval-delegate": True, "start-date": "2026-01-01T00:00:00Z", "end-date": end}

    delegation = Delegation.model_validate(raw)

    assert delegation.is_active(datetime(2026, 11, 23, 9, tzinfo=UTC)) is is_active


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 -1200"])
def test_a_date_at_the_end_of_the_calendar_says_nothing_of_a_clock(date: str) -> None:
    reply = http_client.ServiceResponse(429, {"date": date, "retry-after": date}, b"")

    now = datetime(2026, 11, 23, 9, tzinfo=UTC)

    assert (reply.ahead_s(now), reply.retry_after_s(now)) == (None, None)
