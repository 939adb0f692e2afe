"""Coupa's stamps are wrong: behind, ahead, missing, of next year, out of order; yet all people are told.

The list is too long to be read in every sweep, and other people have been told already: the pass through the
list finds, within its period, each approval that a question for changes does not show.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge import World

from proof.audit import Tally
from sandbox.coupa.world import Group

BACKGROUND = 600
"""Approvals that wait and were told before: twelve pages."""

MINUTES = 45
WITHIN_MIN = 30
"""So soon everything new is told: two periods of the pass, and the sweeps that the second one takes."""

HALF_HOUR = timedelta(minutes=30)
Stamp = Callable[[datetime, random.Random], datetime | None]


@dataclass(frozen=True)
class Lie:
    """How stamps differ from the time that is.

    Attributes:
        name: for the table.
        stamp: what is written at a time.
        ahead_s: how far Coupa's whole clock is ahead, the date of its answers with it.
        is_truthful: the stamps agree with Coupa's own clock, so that nothing has to wait for the pass.
    """

    name: str
    stamp: Stamp | None = None
    ahead_s: float = 0.0
    is_truthful: bool = False


LIES = (
    Lie("true", is_truthful=True),
    Lie("Coupa's clock 30 min ahead", ahead_s=1800, is_truthful=True),
    Lie("Coupa's clock 30 min behind", ahead_s=-1800, is_truthful=True),
    Lie("30 min behind", lambda now, _: now - HALF_HOUR),
    Lie("30 min ahead", lambda now, _: now + HALF_HOUR),
    Lie("missing", lambda now, _: None),
    Lie("of next year", lambda now, _: now + timedelta(days=365)),
    Lie("of ten years ago", lambda now, _: now - timedelta(days=3650)),
    Lie("out of order", lambda now, chance: now + timedelta(seconds=chance.uniform(-7200, 7200))),
    Lie("now true, now missing", lambda now, chance: now if chance.random() < 0.5 else None),
)


class Days:
    """A world whose stamps lie, and whom it owes a card since which minute."""

    def __init__(self, lie: Lie, seed: int, *, background: int) -> None:
        logging.getLogger("coupa_core").setLevel(logging.CRITICAL)
        self._lie = lie
        self.chance = random.Random(f"{lie.name}/{seed}")
        self.world = World(
            settings={"MOVEWORKS_MAX_PER_MINUTE": "100000", "COUPA_MAX_PER_SECOND": "25"},
            coupa_ahead_s=lie.ahead_s,
        )
        self.world.moveworks.max_per_minute = None
        self.owed: dict[tuple[int, str], int] = {}
        self.entered: list[int] = []
        members = [self.world.person("a@example.com")]
        self._group = Group(self.world.coupa.world.add_group(name="Buyers", members=members))
        for number in range(background):
            self.world.requisition(f"person{number % 50}@example.com")
        for _ in range(4):
            self.sweep()

    def enter(self, minute: int) -> None:
        """Let a request come in, for a person or for a group."""
        person = f"new{minute}@example.com"
        if self.chance.random() < 0.2:
            self.world.requisition(self._group)
            person = "a@example.com"
        else:
            self.world.requisition(person)
        self.entered.append(self.world.coupa.world.approvals.ids[-1])
        self._changed(self.entered[-1], person, minute)

    def reassign(self, minute: int) -> None:
        """Give what came in to somebody else."""
        approval, person = self.chance.choice(self.entered), f"other{minute}@example.com"
        self.world.coupa.world.reassign(approval, to=self.world.person(person))
        for key in [key for key in self.owed if key[0] == approval]:
            del self.owed[key]
        self._changed(approval, person, minute)

    def _changed(self, approval: int, person: str, minute: int) -> None:
        self.owed[approval, person] = minute
        if self._lie.stamp is not None:
            row = self.world.coupa.world.approvals.rows[approval]
            row.updated_at = self._lie.stamp(self.world.clock.now(), self.chance)
            row.document.updated_at = row.updated_at or row.document.updated_at

    def sweep(self) -> None:
        before = len(self.world.moveworks.delivered)
        self.world.sweep()
        for each in self.world.moveworks.delivered[before:]:
            self.owed.pop((int(each.slots["approval_id"]), each.recipient), None)
        self.world.clock.advance(60)


def lying(lie: Lie, seed: int, *, background: int = BACKGROUND, minutes: int = MINUTES) -> Tally:
    """Let requests come in and be reassigned for a while under such stamps."""
    run = Days(lie, seed, background=background)
    bound, late = 1 if lie.is_truthful else WITHIN_MIN, list[str]()
    for minute in range(minutes + WITHIN_MIN + 5):
        drawn = run.chance.random() if minute < minutes else 1.0
        if drawn < 0.5:
            run.enter(minute)
        elif drawn < 0.65 and run.entered:
            run.reassign(minute)
        run.sweep()
        late += [f"{key} since minute {at}" for key, at in run.owed.items() if minute - at == bound]
    assert not late, f"not told within {bound} minutes: {late[:3]} ({len(late)})"
    told = [(each.slots["approval_id"], each.recipient) for each in run.world.moveworks.delivered]
    return Tally(
        runs=1,
        steps=len(run.world.coupa.front.calls),
        sent=len(told),
        lost=len(run.owed),
        repeated=len(told) - len(set(told)),
        worst=1,
    )
