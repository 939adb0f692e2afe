"""Random schedules: two pollers and a clicking person, interleaved at every I/O step, while the world moves.

A seed is the whole schedule: the same seed gives the same run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from greenlet import getcurrent, greenlet

from coupa_core.endpoints import Request
from coupa_core.model import Verb
from proof.audit import Tally, audit
from proof.rig import Rig, is_card, wrong_before
from proof.seam import KILLS, Killed, Seam, modes_of
from sandbox.coupa.world import Group, NotAllowed

ROUNDS = 8
FREEZE_S = 40.0
"""Standing still for so long just before a send is beyond the lease's margin: a repeat must be allowed."""


@dataclass(frozen=True)
class Weather:
    """How bad things are.

    Attributes:
        name: for the table.
        fault: chance that an I/O step fails.
        kill: chance that the process ends at an I/O step.
        outage: chance, in each round, that a service goes away or comes back.
        freeze: chance that a process stands still for minutes at an I/O step.
        steps_clock: whether the wall clock is set an hour forward or back now and then.
    """

    name: str
    fault: float = 0.0
    kill: float = 0.0
    outage: float = 0.0
    freeze: float = 0.0
    steps_clock: bool = False


CALM = Weather("no faults")
USUAL = Weather("1 % faults, 0.3 % kills", fault=0.01, kill=0.003, outage=0.1, steps_clock=True)
STORM = Weather("8 % faults, 3 % kills", fault=0.08, kill=0.03, outage=0.2, steps_clock=True)
FROZEN = Weather("8 % faults, 3 % kills, freezes", fault=0.08, kill=0.03, freeze=0.01)
WEATHERS = (CALM, USUAL, STORM, FROZEN)

LIVELY = {
    "REMIND_AFTER_HOURS": "1",
    "REMIND_MAX": "2",
    "ESCALATE_AFTER_HOURS": "1",
    "ESCALATE_TO": "desk@example.com",
    "CLOSING_NOTICE": "always",
    "TELL_REQUESTER": "on",
}
"""What every eighth schedule has beside announcements; it begins at nine o'clock on a Monday."""

HOURS = (
    {"DIGEST_OVER": "1"},
    {"DIGEST_OVER": "2", "QUIET_HOURS": "09:02-09:05"},
    {"DIGEST_AT": "09:04"},
    {"QUIET_HOURS": "09:03-09:30", "WORKING_DAYS": "mon-fri"},
)
"""One of these is added to it."""

LEARNED_FROM = (
    *((CALM, 4), (USUAL, 3), (USUAL, 35), (USUAL, 259), (STORM, 284)),
    *((STORM, 1154), (STORM, 1381), (STORM, 1691), (FROZEN, 1159)),
)
"""Schedules that once lost: two edits within a second, a watermark that moved too early, a clock put back, a
member of a group whose address could not be read."""


class Schedule:
    """One run of one seed."""

    def __init__(self, seed: int, weather: Weather, *, is_lively: bool = False) -> None:
        self._chance = random.Random(f"{weather.name}/{seed}")
        self._is_lively = is_lively
        more = {**LIVELY, **HOURS[seed // 8 % len(HOURS)]} if is_lively else {}
        self._weather = weather
        self._is_calm = False
        self._was_frozen = False
        self._away: set[str] = set()
        self._main = getcurrent()
        self.rig = Rig(settings={"COUPA_MAX_PER_SECOND": "25", **more})
        seam = Seam(decide=self._fate, pause=self._pause)
        self._seam = seam
        self._pollers = [self.rig.poller(seam), self.rig.poller(seam)]
        self._clicks = self.rig.poller(seam)
        self.false_answers = 0
        world, people = self.rig.coupa.world, self.rig.people
        self._group = world.add_group(name="Buyers", members=people[:2])

    def run(self) -> Tally:
        """Play the rounds, let everything come to rest, and count."""
        for _ in range(self._chance.randint(1, 3)):
            self._enter()
        for _ in range(ROUNDS):
            self._round()
        self._come_to_rest()
        tally = audit(
            self.rig, steps=len(self._seam.steps), faults=self._seam.faults, frozen=self._was_frozen
        )
        tally.false_answers = self.false_answers + self._double_decisions()
        if self._weather is CALM:  # elsewhere somebody may have been shown what nobody could mark
            tally.false_answers += len(wrong_before(self.rig.moveworks.delivered))
        return tally

    def _round(self) -> None:
        """Let some processes work at the same time, and the world move between their steps."""
        chance = self._chance
        works: list[Callable[[], object]] = [
            poller.sweep for poller in self._pollers if chance.random() < 0.8
        ]
        if any(map(is_card, self.rig.moveworks.delivered)) and chance.random() < 0.5:
            works.append(self._click)
        running = [greenlet(work) for work in works]
        while running:
            one = chance.choice(running)
            one.switch()
            if one.dead:
                running.remove(one)
            if chance.random() < 0.03:
                self._move()
        if chance.random() < self._weather.outage:
            self._away ^= {chance.choice(("coupa", "moveworks", "store"))}
        if self._weather.steps_clock and chance.random() < 0.05:
            self.rig.clock.step(chance.choice((-3600.0, 3600.0)))
        self.rig.clock.advance(chance.uniform(1, 90))
        if self._is_lively and chance.random() < 0.2:
            self.rig.clock.advance(chance.uniform(3000, 8000))

    def _come_to_rest(self) -> None:
        """No faults, and time enough for leases, pauses, and a clock that was put back."""
        self._is_calm = True
        for pause_s in (60, 60, 60, 4200, 60, 60, 60, 60):
            self.rig.clock.advance(pause_s)
            self._pollers[0].sweep()
        if self._is_lively:
            self._wait_for_the_hour()

    def _wait_for_the_hour(self) -> None:
        """Let it become the hour of the digest, and an hour at which people are told."""
        rig, now = self.rig, self.rig.clock.now()
        hour = rig.settings.cadence.announce_at("", now)
        if hour > now:
            rig.clock.advance((hour - now).total_seconds())
            for _ in range(4):
                self._pollers[0].sweep()
                rig.clock.advance(60)

    def _fate(self, number: int, name: str) -> str | None:
        if self._is_calm:
            return None
        chance, weather = self._chance, self._weather
        service = name.split(maxsplit=1)[0]
        if service in self._away:
            return chance.choice([mode for mode in modes_of(name) if mode not in KILLS])
        drawn = chance.random()
        if drawn < weather.kill:
            return chance.choice(KILLS)
        if drawn < weather.kill + weather.fault:
            return chance.choice([mode for mode in modes_of(name) if mode not in KILLS])
        return None

    def _pause(self, name: str) -> None:
        """Let the schedule pick who goes on; notice who stood still too long before a send."""
        if getcurrent() is self._main:
            return
        before_s = self.rig.clock.monotonic()
        if self._chance.random() < self._weather.freeze:
            self.rig.clock.advance(self._chance.uniform(130, 400))
        self._main.switch()
        if name.startswith("moveworks POST") and self.rig.clock.monotonic() - before_s > FREEZE_S:
            self._was_frozen = True

    def _enter(self) -> None:
        approvers: list[int | Group] = list(self._chance.sample(range(len(self.rig.people)), 2))
        if self._chance.random() < 0.25:
            approvers[0] = Group(self._group)
        self.rig.request(*approvers[: self._chance.randint(1, 2)])

    def _move(self) -> None:
        """Let somebody do something in Coupa."""
        world, chance = self.rig.coupa.world, self._chance
        owed = [each for each in world.approvals.rows.values() if each.is_open]
        if not owed or chance.random() < 0.2:
            self._enter()
            return
        approval = chance.choice(owed)
        person = chance.choice(self.rig.people)
        actions: list[Callable[[], object]] = [
            lambda: world.touch(approval.id),
            lambda: world.edit_line(approval.document.id, 0, unit_price=str(chance.randint(1, 999))),
            lambda: world.reassign(approval.id, to=person),
            lambda: world.decide_in_coupa(
                approval.id, by=person, decision=chance.choice(("approved", "rejected"))
            ),
            lambda: world.withdraw(approval.document.id),
            lambda: world.restart_chain(approval.document.id),
            lambda: world.join(self._group, person),
            lambda: world.leave(self._group, person),
            lambda: self._delegate(person),
        ]
        try:
            chance.choices(actions, weights=(3, 3, 2, 2, 1, 1, 1, 1, 1))[0]()
        except NotAllowed:
            return

    def _delegate(self, person: int) -> None:
        """Let somebody act for somebody else, since some minutes or from soon on, for minutes or days."""
        now, chance = self.rig.clock.now(), self._chance
        self.rig.coupa.world.add_delegation(
            delegator=chance.choice(self.rig.people),
            delegate=person,
            start=now + timedelta(minutes=chance.choice((-5, 10))),
            end=now + timedelta(minutes=chance.choice((20, 4000))),
        )

    def _click(self) -> None:
        """Click a card that somebody has got, as its recipient."""
        card = self._chance.choice([each for each in self.rig.moveworks.delivered if is_card(each)])
        verb = self._chance.choice((Verb.APPROVE, Verb.REJECT))
        approval_id = int(card.slots["approval_id"])
        headers = {"X-Actor-Email": card.recipient, "X-Action-Token": card.slots["action_token"]}
        request = Request(
            headers=headers, route={"approval_id": str(approval_id)}, body=b'{"reason": "because"}'
        )
        try:
            reply = self._clicks.bridge.endpoints.handle(verb.value, request)
        except Killed:
            self._clicks.start()
            return
        taken = {(decision.approval_id, decision.action) for decision in self.rig.coupa.decisions}
        claims = reply.body.get("outcome") in ("approved", "rejected")
        self.false_answers += claims and (approval_id, verb.value) not in taken

    def _double_decisions(self) -> int:
        """Count approvals on which Coupa took more than one decision from us."""
        numbers = [decision.approval_id for decision in self.rig.coupa.decisions]
        return len(numbers) - len(set(numbers))


def run_schedules(seeds: Iterable[int], weather: Weather) -> Tally:
    """Run some seeds and add the figures up."""
    total = Tally()
    for seed in seeds:
        tally = Schedule(seed, weather, is_lively=seed % 8 == 1).run()
        if tally.lost or tally.unexplained or tally.false_answers:
            tally.missed.append(f"{weather.name}, seed {seed}")
        total.add(tally)
    return total
