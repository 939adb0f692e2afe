"""The cost of deaths of processes: the states of the services and the audit log, compared at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise

from coupa_core.audit_log import EventKind
from proof.audit import Tally
from proof.stage import Stage


@dataclass
class Toll(Tally):
    """The figures of deaths of one kind; `faults` are the deaths, and `steps` those at which one came.

    Attributes:
        reached: the number and the name of the step at which each came.
        twice: approvals that were decided more than once.
        unrecorded: audit records that are not whole.
        waits_s: from each death until somebody was told of what came up then, in seconds.
    """

    reached: list[tuple[int, str]] = field(default_factory=list)
    twice: int = 0
    unrecorded: int = 0
    waits_s: list[float] = field(default_factory=list)

    @property
    def is_missed(self) -> bool:
        wrong = self.lost + self.unexplained + self.false_answers + self.twice + self.unrecorded
        return bool(wrong or self.missed)


def reckon(stage: Stage) -> Toll:
    """Return what became of everything on a stage, when it has come to rest."""
    worst, repeated, unexplained = repeats(stage)
    record, lost = broken_record(stage), untold(stage)
    twice = {each.approval_id for each in stage.coupa.decisions if len(stage.decided(each.approval_id)) > 1}
    wrong = {"lost": lost, "told again": unexplained, "decided twice": sorted(twice), "record": record}
    return Toll(
        sent=len(stage.moveworks.delivered),
        lost=len(lost),
        repeated=repeated,
        unexplained=len(unexplained),
        worst=worst,
        twice=len(twice),
        unrecorded=bool(record),
        waits_s=[stage.waited_s(number, at) for number, at in stage.news],
        missed=[f"{name}: {what}" for name, what in wrong.items() if what]
        + [f"at a step: {each}" for each in stage.steps.failures],
    )


def untold(stage: Stage) -> list[int]:
    """Return what waits in Coupa, was told to nobody, and is not set aside with an alarm."""
    waiting = [number for number, each in stage.coupa.world.approvals.rows.items() if each.is_open]
    lost = [number for number in waiting if not stage.told(number)]
    parked = stage.parked() if lost else set()
    return [number for number in lost if number not in parked]


def repeats(stage: Stage) -> tuple[int, int, list[int]]:
    """Return the most messages about one approval, how many came again, and whose had no reason."""
    sends: dict[int, list[datetime]] = {}
    for each in list(stage.moveworks.delivered):
        sends.setdefault(int(each.slots["approval_id"]), []).append(each.at)
    pairs = [(number, *pair) for number, times in sends.items() for pair in pairwise(times)]
    wrong = [number for number, *pair in pairs if not _is_explained(stage, number, *pair)]
    return max(map(len, sends.values()), default=0), len(pairs), wrong


def _is_explained(stage: Stage, number: int, sent: datetime, again: datetime) -> bool:
    """Tell whether whoever sent a message died before the mark was written, and another sent again."""
    died = next((each for each in stage.deaths if each.at >= sent), None)
    return died is not None and died.at <= again and number in died.claimed


def broken_record(stage: Stage) -> str:
    """Return what is wrong with the audit record; empty where it is whole.

    It hangs together, and names the intent of every decision that the app made in Coupa.
    """
    report = stage.audit_log.verify()
    if report.broken or report.unknown_kids or report.last is None:
        return str(report.broken or report.unknown_kids or "nothing is recorded")
    rows = stage.audit_log.rows(since=date.min, until=date.max)
    events = [row.values().get("event", {}) for _, row in rows]
    intents = {each.get("approval_id") for each in events if each.get("kind") == EventKind.INTENT}
    missing = {each.approval_id for each in stage.coupa.decisions} - intents
    return f"no intent of {sorted(missing)}" if missing else ""
