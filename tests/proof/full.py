"""The proofs at full size, cut into jobs that can run beside each other."""

from __future__ import annotations

import itertools
import traceback
import uuid
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from coupa_core.ledger import LedgerStore
from coupa_core.table_ledger import TableStore
from coupa_core.tables import table_client
from proof import (
    backlog,
    clicks,
    crashes,
    deaths,
    kills,
    load,
    machine,
    malformed,
    midnights,
    outages,
    pages,
    people,
    poison,
    relay,
    resources,
    schedules,
    slowness,
    stamps,
    times,
    versions,
)
from proof.audit import Tally
from proof.seam import Choice
from sandbox.azurite import azurite

SCHEDULES = 2_500
"""Of each weather."""
NIGHTS = 1_000
"""Of each weather of the audit record."""
CHUNK = 250
DAYS = 100
"""Seeds of groups' days."""

KILLS, KILLS_IN_A_WORLD = 200, 50


@dataclass(frozen=True)
class Job:
    """One piece of one row of the table."""

    row: str
    work: Callable[..., Tally]
    arguments: tuple[object, ...] = ()


def every_fault(approvals: int, part: int, parts: int, scene: crashes.Scene = crashes.PLAIN) -> Tally:
    """Do a part of the enumeration in memory."""
    choices = itertools.islice(crashes.points(approvals, scene=scene), part, None, parts)
    return crashes.enumerate_faults(approvals, choices, scene=scene)


def every_fault_on_azurite(approvals: int) -> Tally:
    """Do the enumeration on the real store, each run on a table of its own."""
    with azurite() as server, ExitStack() as clients:

        def new_store() -> LedgerStore:
            client = table_client(
                connection=server.connection_string, account_url="", table=f"t{uuid.uuid4().hex}"
            )
            return TableStore(clients.enter_context(client))

        return crashes.enumerate_faults(approvals, crashes.points(approvals), new_store=new_store)


def every_choice(
    approvals: int, choices: Callable[[int], Iterable[Choice]], part: int = 0, parts: int = 1
) -> Tally:
    """Do a part of what a function names."""
    return crashes.enumerate_faults(approvals, itertools.islice(choices(approvals), part, None, parts))


def other_order(sweep: crashes.Sweep, approvals: int) -> Tally:
    """Do the enumeration with another order, under the same faults."""
    return crashes.enumerate_faults(approvals, crashes.points(approvals, sweep=sweep), sweep=sweep)


def weather(name: str, first: int, last: int) -> Tally:
    [found] = [each for each in schedules.WEATHERS if each.name == name]
    return schedules.run_schedules(range(first, last), found)


def every_lost_answer() -> Tally:
    """Lose the answer of every write of a sweep in every manner, before the real SDK."""
    with azurite() as server:
        return total(
            relay.losing(server, method, answer, number)
            for method in ("POST", "PUT")
            for answer in relay.ANSWERS
            for number in range(relay.APPROVALS)
        )


def every_kill(seed: int) -> Tally:
    """Kill the app, one world after the other: two at a time would be too slow for their short leases."""
    return total(kills.killing(KILLS_IN_A_WORLD, seed + part) for part in range(KILLS // KILLS_IN_A_WORLD))


def every_event() -> Tally:
    """What is told again, and what is not."""
    return total(map(versions.happening, versions.EVENTS))


def every_time() -> Tally:
    return total(times.every_time())


def every_crowd(first: int, last: int) -> Tally:
    whole = Tally()
    for crowd in clicks.CROWDS:
        for seed in range(first, last):
            tally = clicks.crowding(crowd, seed)
            if tally.false_answers or tally.lost:
                tally.missed.append(f"{crowd.name}, seed {seed}")
            whole.add(tally)
    return whole


def nights(name: str, first: int, last: int) -> Tally:
    """Let writers of the audit record meet around some midnights."""
    [found] = [each for each in midnights.WEATHERS if each.name == name]
    return midnights.nights(range(first, last), found)


def lying(name: str, seed: int) -> Tally:
    """Live with stamps that lie."""
    [found] = [each for each in stamps.LIES if each.name == name]
    return stamps.lying(found, seed)


def every_paging() -> Tally:
    """Pages that are short, repeat, shrink or go backwards."""
    return each(lambda way, most_rows: poison.paging(way, most_rows=most_rows), poison.PAGES)


def each(work: Callable[..., Tally], cases: Iterable[tuple[Any, ...]]) -> Tally:
    """Do every case; one that fails is named, and is not the end of the others."""
    whole = Tally()
    for case in cases:
        try:
            tally = work(*case)
        except AssertionError as wrong:
            tally = Tally(runs=1, missed=[f"{case}: {wrong}"])
        whole.add(tally)
    return whole


def total(tallies: Iterable[Tally]) -> Tally:
    """Add some tallies up; there must be one."""
    whole = Tally()
    for each in tallies:
        whole.add(each)
    assert whole.runs > 0
    return whole


def jobs(seed: int) -> list[Job]:
    """Return every job, the long ones first, so that all processes end at the same time."""
    random = [
        Job(f"random: {each.name}", weather, (each.name, first, min(first + CHUNK, seed + SCHEDULES)))
        for each in schedules.WEATHERS
        for first in range(seed, seed + SCHEDULES, CHUNK)
    ]
    return [
        Job("SIGKILL, Azurite", every_kill, (seed,)),
        Job("an hour at the allowed rate, 5,000 pending", load.hour),
        Job("any fault or kill, 4 approvals, Azurite", every_fault_on_azurite, (4,)),
        *(Job(piece.name, deaths.run, (piece,)) for piece in deaths.pieces()),
        *(Job("any fault or kill, 60 approvals", every_fault, (60, part, 8)) for part in range(8)),
        *(
            Job("every ordered pair of kills", every_choice, (1, crashes.pairs_of_kills, part, 4))
            for part in range(4)
        ),
        *random,
        Job("any fault or kill, 1 approval, Azurite", every_fault_on_azurite, (1,)),
        Job("any fault or kill, 4 approvals", every_fault, (4, 0, 1)),
        Job("any fault or kill, 1 approval", every_fault, (1, 0, 1)),
        Job("any fault or kill, 4 approvals, listener", every_fault, (4, 0, 1, crashes.LISTENER)),
        Job("any fault or kill, a digest of 4", every_fault, (4, 0, 1, crashes.DIGEST)),
        Job("state machine", machine.run_machine, (400,)),
        *(Job("a service away for 24 h", outages.outage, away) for away in outages.AWAY),
        Job("first run: 5,000 for 400 people", backlog.first_run),
        Job("lists of 0 to 5,000", each, (pages.of_length, [(length,) for length in pages.LENGTHS])),
        *(Job("a backlog under a slow Coupa", slowness.first_backlog, cell) for cell in slowness.GRID),
        *(Job("a new one under a slow Coupa", slowness.one_new, (5_000, call_s)) for call_s in (1.0, 2.0)),
        *(Job("a pass under a slow Coupa", slowness.whole_pass, cell) for cell in slowness.PASSES),
        *(Job("stamps that lie", lying, (lie.name, seed)) for lie in stamps.LIES),
        *(
            Job("groups, zones, edits, refusals", people.days, (range(first, first + 50),))
            for first in range(seed, seed + DAYS, 50)
        ),
        Job("Coupa broken for two hours", each, (resources.breaking, resources.CASES)),
        Job("poison, by a sweep", each, (poison.sweeping, poison.CASES)),
        Job("poison, by a click", each, (poison.clicking, poison.CASES)),
        Job("pages that are odd", every_paging),
        Job("any odd answer, 4 approvals", every_choice, (4, crashes.odd_points)),
        Job("lists that change while read", each, (pages.moving, [(seed + more,) for more in range(40)])),
        Job("a page that fails", each, (pages.failing, [*itertools.product(range(3), pages.FAILURES)])),
        Job("the store's answer lost, real SDK", every_lost_answer),
        Job("what is told again", every_event),
        Job("midnights, zones, set clocks", every_time),
        Job("crowds of clicks", every_crowd, (seed, seed + 100)),
        Job("malformed fields", each, (malformed.spoiling, [*malformed.cases()])),
        *(Job(each.name, nights, (each.name, seed, seed + NIGHTS)) for each in midnights.WEATHERS),
        *(
            Job("(send, then record: any fault)", other_order, (crashes.send_first, number))
            for number in (1, 4)
        ),
        *(
            Job("(record, then send: any fault)", other_order, (crashes.record_first, number))
            for number in (1, 4)
        ),
    ]


QUIET = {
    "an hour at the allowed rate, 5,000 pending",
    f"random: {schedules.CALM.name}",
    "first run: 5,000 for 400 people",
    "lists of 0 to 5,000",
    "lists that change while read",
    "a page that fails",
    "the store's answer lost, real SDK",
    "what is told again",
    "midnights, zones, set clocks",
    "malformed fields",
    "a backlog under a slow Coupa",
    "a new one under a slow Coupa",
    "a pass under a slow Coupa",
    "stamps that lie",
    "Coupa broken for two hours",
    "poison, by a sweep",
    "pages that are odd",
    *(each.name for each in midnights.WEATHERS),
}
"""Rows in which no outcome of a send is unknown."""


def run(job: Job) -> Tally:
    """Do a job; an assertion that fails is a miss, not the end of the others."""
    try:
        return job.work(*job.arguments)
    except Exception:  # noqa: BLE001 - named in the table
        return Tally(missed=[f"{job.row} {job.arguments}: {traceback.format_exc(limit=-3)}"])
