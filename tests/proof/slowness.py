"""A large backlog and a slow Coupa: messages go out in every sweep from the first on, and health is green.

The time is moved by hand, and each call moves it by its duration: parallel calls of a process count one after
the other here, which is worse than in reality.
"""

from __future__ import annotations

import logging
from typing import Any

from bridge import World

from proof.audit import Tally
from proof.seam import Killed
from sandbox.coupa.world import ON_HOLD, PENDING

ALLOWED = 100
"""Messages a minute."""

PEOPLE = 400
CALLS_S = (0.1, 0.25, 1.0, 2.0)
GRID = (
    *((5_000, call_s, 12, False) for call_s in CALLS_S),
    (5_000, 0.25, 12, True),
    (50_000, 0.25, 6, False),
    (50_000, 1.0, 6, False),
    (50_000, 2.0, 6, False),
)
"""How many wait, how long a call takes, for how many minutes it is swept, and if by a new process each."""

PASSES = ((3_000, 0.25, False), (3_000, 1.0, False), (3_000, 1.0, True))
"""How many wait, how long a call takes, and whether the process is killed now and then."""

PASS_MIN = 45
"""So soon a pass has come through them: its period, and half of each sweep with one call after the other."""

SIGNS = 12
"""Approvals that no question for changes can show, and as many that vanished without a trace."""

SETTINGS = {"MOVEWORKS_MAX_PER_MINUTE": str(ALLOWED)}


def waiting(pending: int, **settings: str) -> World:
    """Return a world in which so many wait for many people."""
    logging.getLogger("coupa_core").setLevel(logging.CRITICAL)
    world = World(settings={**SETTINGS, **settings})
    world.moveworks.max_per_minute = None
    for number in range(pending):
        world.requisition(f"person{number % PEOPLE}@example.com")
    return world


def minute(world: World) -> int:
    """Sweep once, let the rest of the minute pass, and return how many messages went out."""
    before, began_s = len(world.moveworks.delivered), world.clock.monotonic()
    world.sweep()
    world.clock.advance(60 - (world.clock.monotonic() - began_s))
    return len(world.moveworks.delivered) - before


def first_backlog(pending: int, call_s: float, minutes: int, is_new_each: bool = False) -> Tally:  # noqa: FBT001, FBT002
    """Sweep a backlog of which nobody was told, until all were or the minutes are over."""
    world = waiting(pending)
    world.coupa.front.latency_s = call_s / 2
    sent = []
    for number in range(minutes):
        if is_new_each:
            world.restart()
        sent.append(minute(world))
        assert sent[-1] > 0, f"nothing went out in sweep {number + 1}, after {sent[:-1]}"
        assert world.call("health").status == 200, f"health is red after sweep {number + 1}, with {sent}"
        if sum(sent) >= pending:
            break
    # The rate, less what the first minutes of an empty schedule and of a slow Coupa may take.
    floor = min(pending, minutes * ALLOWED * 0.6)
    assert sum(sent) >= floor, f"{sum(sent)} messages in {len(sent)} minutes: {sent}"
    assert max(sent) <= ALLOWED, f"more than the allowed rate: {sent}"
    told = [each.slots["approval_id"] for each in world.moveworks.delivered]
    steps = len(world.coupa.front.calls)
    return Tally(runs=1, steps=steps, sent=len(told), repeated=len(told) - len(set(told)), worst=1)


def told_before(pending: int, *, but: int = 0) -> World:
    """Return a world in which so many were told; as many as `but` wait on hold, all over the list."""
    world = waiting(pending, MOVEWORKS_MAX_PER_MINUTE="100000", COUPA_MAX_PER_SECOND="25")
    rows = world.coupa.world.approvals.rows
    held = world.coupa.world.approvals.ids[:: pending // but][:but] if but else []
    for number in held:
        rows[number].status = ON_HOLD
    for _ in range(10):
        world.sweep()
        world.clock.advance(60)
        if len(world.moveworks.delivered) == pending - but:
            break
    assert len(world.moveworks.delivered) == pending - but, "not all were told before it begins"
    world.clock.advance(3600)
    minute(world)
    for number in held:
        rows[number].status = PENDING
    return world


def one_new(pending: int, call_s: float, *, news: int = 6) -> Tally:
    """Let one more come in each minute where so many were told and a call takes long: the next sweep tells.

    The list of everything does not fit into a sweep.
    """
    world = told_before(pending)
    world.coupa.front.latency_s = call_s / 2
    repeated = 0
    for number in range(news):
        world.requisition("new@example.com")
        [newest] = world.coupa.world.approvals.ids[-1:]
        minute(world)
        told = [each.slots["approval_id"] for each in world.moveworks.delivered[pending:]]
        assert str(newest) in told, f"the new one of minute {number} was not told in its sweep"
        repeated = len(told) - len(set(told))
    return Tally(runs=1, steps=len(world.coupa.front.calls), sent=news, repeated=repeated, worst=1)


class Mortal:
    """The way to Coupa, on which the process that asks is killed at a call; else as it is."""

    def __init__(self, front: Any) -> None:
        self._front = front
        self.left: int | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Hand a request on, or end whoever asks."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Killed
        return self._front(environ, start_response)

    def __getattr__(self, name: str) -> Any:
        """Be what lies behind it."""
        return getattr(self._front, name)


def whole_pass(pending: int, call_s: float, is_killed: bool) -> Tally:  # noqa: FBT001
    """Let the pass find what nothing else can, and close what vanished, beside new ones that are told.

    Where it is killed, that happens in every third sweep, at one of its first calls.
    """
    world = told_before(pending, but=SIGNS)
    coupa = world.coupa.world
    ids = coupa.approvals.ids
    unseen = {each for each in ids if world.store.read(each) is None}
    vanished = ids[pending // SIGNS // 2 :: pending // SIGNS]
    for number in vanished:
        coupa.approval(number).document.status = "withdrawn"
        coupa.approvals.drop(number)
    mortal = Mortal(world.coupa.front)
    world.coupa.front = mortal  # type: ignore[assignment]
    world.restart()
    mortal._front.latency_s = call_s / 2
    kills = 0
    for number in range(PASS_MIN):
        world.requisition("new@example.com")
        mortal.left = 1 + number % 4 if is_killed and number % 3 == 2 else None
        try:
            minute(world)
        except Killed:
            kills += 1
            world.restart()
            world.clock.advance(30)
        told = {int(each.slots["approval_id"]) for each in world.moveworks.delivered}
        open_rows = [each for each in vanished if world.store.read(each)]
        if unseen <= told and not open_rows and (kills > 1 or not is_killed):
            break
    else:
        raise AssertionError(
            f"after {PASS_MIN} minutes {len(unseen - told)} were not found and {len(open_rows)} not closed"
        )
    mortal.left = None
    for _ in range(6):  # what a killed process had claimed waits for the end of its lease
        minute(world)
    told_ids = [int(each.slots["approval_id"]) for each in world.moveworks.delivered]
    lost = set(coupa.approvals.ids) - set(told_ids)
    assert world.call("health").status == 200, "health is red at the end"
    repeated = len(told_ids) - len(set(told_ids))
    return Tally(
        runs=1,
        steps=len(mortal.calls),
        faults=kills,
        sent=len(told_ids),
        lost=len(lost),
        repeated=0 if is_killed else repeated,
        worst=1,
    )
