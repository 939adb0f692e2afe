"""Deaths of a single host, at each step of a sweep or a click, and their effects.

The steps are those of real processes, counted at the calls to their services: number by number, until there
are no more. The time of all is moved from sweep to sweep.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from proof.callers import APPROVE, REJECT, Answer, Caller
from proof.processes import ROOT
from proof.reckoning import Toll, reckon
from proof.stage import OK, ROUNDS, Stage, staged
from proof.steps import AFTER, MOMENTS, Point
from proof.ways import Way, hanging_app
from sandbox.azurite import Azurite

AT_ONCE = 2
"""Approvals that a sweep tells of."""

TRIES = 3
"""Where a death comes by the clock, a machine that is busy may not come to the step before."""

SWEEP, CLICK = "sweep", "click"

PLAYS = ((APPROVE, True), (REJECT, True), (REJECT, False), (APPROVE, False))
"""What is clicked, and whether the same click is tried again; else its approver looks at the list."""


@dataclass(frozen=True)
class Kind:
    """A way to die, and during what.

    Attributes:
        act: a sweep or a click.
        way: how.
        is_short_of_time: the app is the one with a function that hangs.
        has_both_moments: of each step; else the one and the other by turns.
        has_both_plays: each click is tried again, and another is not; else by turns.
    """

    act: str
    way: type[Way]
    is_short_of_time: bool = False
    has_both_moments: bool = False
    has_both_plays: bool = False

    @property
    def name(self) -> str:
        """Return it as the table names it."""
        return f"{self.way.name}, {self.act}"

    def points(self, number: int) -> list[Point]:
        moments = MOMENTS if self.has_both_moments else (MOMENTS[number % 2],)
        return [Point(number, each) for each in moments]

    def plays(self, point: Point) -> list[tuple[str, bool]]:
        """Return what is clicked, and whether it is tried again."""
        turn = (point.number + 2 * (point.moment == AFTER)) % len(PLAYS)
        return [PLAYS[turn], PLAYS[turn - 2]] if self.has_both_plays else [PLAYS[turn]]


@contextmanager
def stage_of(kind: Kind, server: Azurite, settings: Mapping[str, str] | None = None) -> Iterator[Stage]:
    """Yield a stage with one host, whose time can be moved."""
    with tempfile.TemporaryDirectory() as folder:
        app = hanging_app(Path(folder)) if kind.is_short_of_time else ROOT
        options = ("--no-timers", "--movable-clock", *kind.way.options)
        with staged(server, settings=settings, app=app, options=options) as stage:
            stage.start()
            yield stage


def dying(
    kind: Kind,
    server: Azurite,
    numbers: Iterable[int],
    *,
    settings: Mapping[str, str] | None = None,
) -> Toll:
    """Let deaths of a kind come at each moment of these steps, while there are so many, and reckon.

    Args:
        kind: of the deaths.
        server: the table service.
        numbers: of the steps, in order.
        settings: of the app, beside those of every stage.
    """
    with stage_of(kind, server, settings) as stage:
        whole = Toll()
        for number in numbers:
            tolls = [toll for point in kind.points(number) for toll in playing(stage, kind, point)]
            for each in tolls:
                whole.add(each)
            if not any(each.faults for each in tolls):
                break
        if not stage.rest():
            whole.missed.append("it did not come to rest")
        whole.add(reckon(stage))
        whole.missed[:] = [f"{kind.name}: {each}" for each in whole.missed]
        return whole


def playing(stage: Stage, kind: Kind, point: Point) -> Iterator[Toll]:
    """Let a death come at a point, once for each play of a click."""
    if kind.act == SWEEP:
        yield sweeping(stage, kind.way(), point)
    else:
        for verb, tries_again in kind.plays(point):
            yield clicking(stage, kind.way(), point, verb, tries_again=tries_again)


def sweeping(stage: Stage, way: Way, point: Point) -> Toll:
    """Let a death come in a sweep that has something to tell, and sweep on each minute."""
    way.prepare(stage)
    stage.clear()
    owed = [stage.enter() for _ in range(AT_ONCE)]
    stage.steps.expect(point, partial(die, stage, way), ends=way.ends)
    status = stage.host.fire()
    answer = Answer(status, "ended" if status == OK else "")
    toll = _after(stage, way, answer, point, f"sweep, {point}")
    is_at_rest = stage.rest()
    come_up = [number for number, _ in stage.news[-toll.faults :]] if toll.faults else []
    untold = [number for number in (*owed, *come_up) if not stage.told(number)]
    if untold or not is_at_rest:
        toll.missed.append(f"sweep, {point}: {untold} were not told in {ROUNDS} sweeps that ended")
    return toll


def clicking(stage: Stage, way: Way, point: Point, verb: str, *, tries_again: bool) -> Toll:
    """Let a death come in a click, once more where it came before the point, and let its caller go on."""
    whole = Toll()
    for _ in range(TRIES):
        toll, answer = _clicking(stage, way, point, verb, tries_again=tries_again)
        whole.add(toll)
        if toll.faults or answer.said:
            return whole
    whole.missed.append(f"{verb}, {point}: the death came too early, {TRIES} times")
    return whole


def _clicking(stage: Stage, way: Way, point: Point, verb: str, *, tries_again: bool) -> tuple[Toll, Answer]:
    way.prepare(stage)
    caller = Caller(stage, stage.card(), verb)
    stage.steps.expect(point, partial(die, stage, way), ends=way.ends)
    answer = caller.click()
    where = f"{verb}, {point}, {'tried again' if tries_again else 'not tried again'}"
    toll = _after(stage, way, answer, point, where)
    wrong = caller.click_again() if tries_again else caller.look()
    stage.pass_time(60)
    stage.host.fire()
    toll.false_answers += len(caller.untrue) + bool(wrong)
    toll.missed += [f"{where}: {each}" for each in (*caller.untrue, wrong) if each]
    return toll, answer


def die(stage: Stage, way: Way) -> None:
    """Let something come up in Coupa, so that the silence after a death can be measured, and let it come."""
    stage.come_up()
    way.come(stage)


def _after(stage: Stage, way: Way, said: Answer, point: Point, where: str) -> Toll:
    """Do what comes after a death, and return its first figures; none where it did not come."""
    step, toll = stage.steps.forget(), Toll(runs=1)
    if step:
        toll.faults = toll.steps = 1
        toll.reached.append((point.number, step))
        way.clear_up(stage)
        if not (str(said) in way.answers if way.answers else said.said):
            toll.false_answers += 1
            toll.missed.append(f"{where}: the caller was answered {said}")
    way.finish()
    stage.note_death()
    return toll
