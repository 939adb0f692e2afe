"""Writers of the audit log, interleaved at every step around midnights, with clocks that differ.

They are killed, their answers are lost, and writes arrive long after their writers gave up. A seed is the
whole
schedule: the same seed gives the same run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from greenlet import getcurrent, greenlet

from coupa_core.audit_log import AuditLog, AuditStore, Event, EventKind, Head, MemoryAuditStore, Row, Seals
from coupa_core.errors import Conflict, ServiceError
from proof.audit import Tally
from proof.seam import Killed, Seam, SeamStore
from sandbox.clock import ManualClock

SEALS = Seals({"k1": b"a key of thirty-two bytes or more"})
MODES = ("kill_before", "kill_after", "refuse", "lose", "conflict", "late")
BEFORE_MIDNIGHT_S = 15 * 3600 - 30
"""From the start of the simulators' clock to half a minute before midnight."""


@dataclass(frozen=True)
class Weather:
    """How bad things are.

    Attributes:
        name: for the table.
        fault: chance that a step fails, or that its writer is killed.
        skew_s: how far the clocks of two writers may differ.
        pause_s: how long a writer waits between two appends, at most.
    """

    name: str
    fault: float = 0.0
    skew_s: float = 5.0
    pause_s: float = 20.0


CALM = Weather("audit record, no faults")
STORM = Weather("audit record, 15 % faults", fault=0.15)
ASTRAY = Weather("audit record, clocks days apart", fault=0.1, skew_s=200_000.0, pause_s=60_000.0)
WEATHERS = (CALM, STORM, ASTRAY)


class SeamAuditStore(SeamStore):
    """A store of the record that passes the seam, also within what it yields."""

    def heads(self, *, before: date | None = None) -> Iterator[tuple[date, Head | None]]:
        for day, head in list(self.through("heads", before=before)):
            self._seam.enter("a day of heads")
            yield day, head

    def rows(self, day: date, *, after: int = 0) -> Iterator[Row]:
        rows = list(self.through("rows", day, after=after))
        yield from rows[: len(rows) // 2]
        self._seam.enter("more rows")
        yield from rows[len(rows) // 2 :]


def seamed(inside: MemoryAuditStore, seam: Seam, late: list[Callable[[], object]]) -> AuditStore:
    """Return a store that passes the seam, and whose late writes arrive some time."""
    return cast("AuditStore", SeamAuditStore(inside, seam, code="audit", writes=("write",), late=late))


class Night:
    """One run of one seed."""

    def __init__(self, seed: int, weather: Weather) -> None:
        self._chance = random.Random(f"{weather.name}/{seed}")
        self._weather = weather
        self._main = getcurrent()
        self._seam = Seam(decide=self._fate, pause=lambda _: self._main.switch())
        self._late: list[Callable[[], object]] = []
        self._nonces = iter(range(1_000_000))
        self._is_calm = False
        self.store = MemoryAuditStore()
        self.acknowledged: list[int] = []
        self.false_alarms = 0

    def run(self) -> Tally:
        """Let three writers and a reader work until all have ended, and look at the record."""
        works = [lambda number=number: self._write(number) for number in range(3)]
        running = [greenlet(work) for work in [*works, self._read]]
        while running:
            one = self._chance.choice(running)
            one.switch()
            if one.dead:
                running.remove(one)
            if self._late and self._chance.random() < 0.1:
                self._arrive()
        while self._late:
            self._arrive()
        return self._tally()

    def _write(self, writer: int) -> None:
        clock = ManualClock()
        clock.advance(BEFORE_MIDNIGHT_S + self._chance.uniform(0, self._weather.skew_s))
        for turn in range(8):
            numbers = [writer * 1_000 + turn * 10 + each for each in range(self._chance.randint(1, 3))]
            audit_log = self._audit_log(seamed(self.store, self._seam, self._late), clock)
            try:
                audit_log.append([event(number, clock) for number in numbers])
            except (ServiceError, Killed):
                pass  # whether it was written is not known
            else:
                self.acknowledged += numbers
            clock.advance(self._chance.uniform(0, self._weather.pause_s))

    def _read(self) -> None:
        """Check again and again what the others are writing."""
        seam = Seam(pause=lambda _: self._main.switch())
        for _ in range(10):
            report = self._audit_log(seamed(self.store, seam, []), ManualClock()).verify()
            self.false_alarms += report.broken is not None
            self._main.switch()

    def _audit_log(self, store: AuditStore, clock: ManualClock) -> AuditLog:
        return AuditLog(
            store,
            seals=SEALS,
            clock=clock,
            chance=random.Random(1),
            new_nonce=lambda: f"nonce-{next(self._nonces)}",
        )

    def _fate(self, _: int, name: str) -> str | None:
        is_hit = "more" not in name and "day" not in name and self._chance.random() < self._weather.fault
        return self._chance.choice(MODES) if is_hit else None

    def _arrive(self) -> None:
        """Let a write arrive that its writer has given up."""
        work = self._late.pop(self._chance.randrange(len(self._late)))
        with suppress(Conflict):
            work()

    def _tally(self) -> Tally:
        audit_log = self._audit_log(self.store, ManualClock())
        rows = audit_log.rows(since=date.min, until=date.max)
        stored = Counter(int(row.values()["event"]["approval_id"]) for _, row in rows)
        self.false_alarms += audit_log.verify().broken is not None
        return Tally(
            runs=1,
            steps=len(self._seam.steps),
            faults=self._seam.faults,
            sent=stored.total(),
            lost=len(set(self.acknowledged) - set(stored)),
            repeated=sum(times - 1 for times in stored.values()),
            false_answers=self.false_alarms,
        )


def event(number: int, clock: ManualClock) -> Event:
    """Return an event that is known by its number."""
    return Event(kind=EventKind.INTENT, at=clock.now() - timedelta(seconds=1), approval_id=number)


def nights(seeds: Iterable[int], weather: Weather) -> Tally:
    """Run some schedules; one that misses is named."""
    whole = Tally()
    for seed in seeds:
        tally = Night(seed, weather).run()
        if tally.lost or tally.repeated or tally.false_answers:
            tally.missed.append(f"{weather.name}, seed {seed}")
        whole.add(tally)
    return whole
