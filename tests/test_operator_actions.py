"""An operator's actions on one approval: send again, un-park, mute; and the next sweep after them."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from bridge import JAMIE, World
from ledger_contract import HOUR, row
from unruly import away, before

from coupa_core.endpoints import Reply
from coupa_core.errors import Conflict
from coupa_core.ledger import Entry, PersonState, State

OPS = "ops@example.com"


def told(**more: Any) -> tuple[World, int]:
    """Return a world in which Jamie was told, and the approval's id."""
    world = World(**more)
    document = world.requisition(JAMIE)
    world.sweep()
    return world, world.approval_id(document)


def order(world: World, act: str, number: int, body: dict[str, Any] | None = None, actor: str = OPS) -> Reply:
    headers = {"X-Actor-Email": actor, "X-Request-Id": "req-9"} if actor else {}
    parts = {"json": body} if body is not None else {}
    return world.call(act, headers=headers, route={"approval_id": str(number)}, **parts)


def recorded(world: World) -> list[dict[str, Any]]:
    """Return what the audit record has of operators."""
    days = [day for day, _ in world.audit_store.heads()]
    said = [each.values()["event"] for day in reversed(days) for each in world.audit_store.rows(day)]
    return [each for each in said if each["kind"] == "operator"]


def parked(world: World, number: int, **fields: Any) -> None:
    """Set the approval aside, as after many refusals."""
    changes = {"state": State.PARKED, "cause": "unknown_outcomes", "told": {}, "uncertain": 3, **fields}
    world.store.replace(replace(world.entry(number), **changes))


def test_what_is_sent_again_is_told_by_the_next_sweep_once() -> None:
    world, number = told()
    assert world.announced() == []

    reply = order(world, "resend", number)

    assert (reply.status, reply.body["state"]) == (200, "retry")
    assert reply.body["next_at"] == world.clock.now().isoformat()
    [card] = world.announced()
    assert card.recipient == JAMIE
    assert world.announced() == []
    assert world.click(card, JAMIE).body["outcome"] == "approved"


def test_what_is_parked_is_tried_by_the_next_sweep_with_nothing_counted_against_it() -> None:
    world, number = told()
    parked(world, number, next_at=world.clock.now() + HOUR)
    assert world.announced() == []

    reply = order(world, "unpark", number)

    assert (reply.status, reply.body["state"]) == (200, "retry")
    assert [card.recipient for card in world.announced()] == [JAMIE]
    after = world.entry(number)
    assert (after.state, after.uncertain, after.failures) == (State.SENT, 0, 0)


def test_while_it_is_muted_nothing_is_sent_even_when_it_changes_and_afterwards_it_is() -> None:
    world, number = told()
    document = world.coupa.world.approval(number).approvable_id
    reply = order(world, "mute", number, {"hours": 2})
    world.clock.advance(60)
    world.coupa.world.edit_line(document, 0, unit_price="2000.00")
    world.coupa.world.touch(number)

    quiet = [world.announced() for _ in range(3)]
    world.clock.advance(2 * 3600)

    assert (reply.status, reply.body["cause"]) == (200, "muted")
    assert quiet == [[], [], []]
    assert [card.recipient for card in world.announced()] == [JAMIE]


def test_a_mute_that_ends_without_a_change_tells_nobody_again() -> None:
    world, number = told()
    order(world, "mute", number, {"hours": 0.5})
    world.clock.advance(1801)

    assert world.announced() == []
    assert world.entry(number).state is State.SENT


def test_a_mute_of_no_hours_ends_one() -> None:
    world, number = told()
    order(world, "mute", number, {"hours": 720})

    order(world, "mute", number, {"hours": 0})
    world.sweep()

    assert world.entry(number).state is State.SENT


def test_what_an_operator_does_is_recorded_before_it_is_done() -> None:
    world, number = told()
    order(world, "mute", number, {"hours": 8})

    [said] = recorded(world)

    assert {name: said[name] for name in ("actor", "verb", "cause", "outcome", "known_by", "request_id")} == {
        "actor": OPS,
        "verb": "mute",
        "cause": "8 hours",
        "outcome": "asked",
        "known_by": "key",
        "request_id": "req-9",
    }
    assert said["approval_id"] == number
    assert f"{OPS}, an operator, muted it (8 hours)." in world.story(number)


@pytest.mark.parametrize(
    ("act", "state", "status", "code"),
    [
        ("resend", State.CLAIMED, 409, "row_claimed"),
        ("unpark", State.CLAIMED, 409, "row_claimed"),
        ("mute", State.CLAIMED, 409, "row_claimed"),
        ("resend", State.DECIDED, 409, "row_decided"),
        ("mute", State.DECIDED, 409, "row_decided"),
        ("unpark", State.SENT, 409, "row_not_parked"),
        ("unpark", State.RETRY, 409, "row_not_parked"),
        ("unpark", State.WAITING, 409, "row_not_parked"),
        ("resend", None, 404, "not_found"),
        ("mute", None, 404, "not_found"),
    ],
)
def test_a_row_in_another_state_is_left_as_it_is(
    act: str, state: State | None, status: int, code: str
) -> None:
    world = World()
    if state is not None:
        world.store.insert(row(7, state=state, told={"user:1": PersonState(version="v")}))
    before = world.store.read(7)

    reply = order(world, act, 7, {"hours": 1} if act == "mute" else None)

    assert (reply.status, reply.body["error"]) == (status, code)
    assert world.store.read(7) == before
    assert recorded(world) == []


@pytest.mark.parametrize(
    ("act", "body", "actor", "status", "code"),
    [
        ("mute", {"hours": -1}, OPS, 400, "bad_hours"),
        ("mute", {"hours": 720.5}, OPS, 400, "bad_hours"),
        ("mute", {"hours": "8"}, OPS, 400, "bad_hours"),
        ("mute", {"hours": True}, OPS, 400, "bad_hours"),
        ("mute", {}, OPS, 400, "bad_hours"),
        ("mute", None, OPS, 400, "bad_hours"),
        ("resend", {"hours": 8}, OPS, 400, "unknown_field"),
        ("resend", {"actor_email": "x@example.com"}, OPS, 400, "ambiguous"),
        ("resend", None, "", 403, "no_actor"),
        ("unpark", None, "", 403, "no_actor"),
        ("mute", {"hours": 8}, "", 403, "no_actor"),
    ],
)
def test_an_order_that_is_not_as_it_must_be_is_refused(
    act: str, body: dict[str, Any] | None, actor: str, status: int, code: str
) -> None:
    world, number = told()
    before = world.store.read(number)

    reply = order(world, act, number, body, actor)

    assert (reply.status, reply.body["error"]) == (status, code)
    assert world.store.read(number) == before


@pytest.mark.parametrize(
    ("races", "becomes", "status", "code", "outcomes"),
    [
        (2, State.SENT, 200, None, ["asked"]),
        (3, State.SENT, 409, "row_changed", ["asked", "failed"]),
        (1, State.CLAIMED, 409, "row_claimed", ["asked", "failed"]),
    ],
)
def test_somebody_quicker_is_never_written_over(
    races: int, becomes: State, status: int, code: str | None, outcomes: list[str]
) -> None:
    world, number = told()
    left, other = [races], world.store.replace

    def race(entry: Entry) -> None:
        if left[0]:
            left[0] -= 1
            other(replace(world.entry(number), state=becomes, nonce=f"other-{left[0]}"))
            raise Conflict("ledger_conflict", "changed")

    before(world.store, "replace", race)

    reply = order(world, "resend", number)

    assert (reply.status, reply.body.get("error")) == (status, code)
    assert [each["outcome"] for each in recorded(world)] == outcomes


def test_a_row_that_vanished_meanwhile_is_not_made_anew() -> None:
    world, number = told()

    def vanish(entry: Entry) -> None:
        world.store.archive(entry)
        raise Conflict("ledger_conflict", "changed")

    before(world.store, "replace", vanish)

    assert order(world, "resend", number).status == 404
    assert world.store.read(number) is None


def test_what_cannot_be_recorded_is_not_done_unless_the_record_is_optional(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for settings, status in (({}, 503), ({"AUDIT": "optional"}, 200)):
        world, number = told(settings=settings)
        away(world.audit_store, "write", "audit_503")
        with caplog.at_level(logging.ERROR):
            reply = order(world, "resend", number)
        assert reply.status == status
        assert len(world.announced()) == (status == 200)
    assert '"verb": "resend"' in caplog.text
