"""Host and worker on Azurite, killed together at random moments of sweeps that send to many at a time."""

from __future__ import annotations

import random
import time

from proof.processes import Host
from proof.reckoning import Toll, reckon
from proof.stage import Stage, staged
from sandbox.azurite import azurite

FIRE = "/admin/functions/poll_approvals"

LEASE_S = 6
"""Short, so that a run need not wait for minutes; the rest scales with it."""

LATENCY_S = 0.05
"""One way, so that a sweep takes a while to be killed in."""

PER_KILL = 12
"""New requests before each kill."""

KEPT = 6 * PER_KILL
"""So many that were told still wait: those of a lease and more, that others may find claimed."""

ROUNDS = 5
"""At most so many leases until everything has come to rest."""

EVENTS = 24
"""A sweep that was just fired is killed after fewer answers of Coupa and messages than this.

That is before its first, after its last, or between; counted, so that a busy machine has it killed there too.
"""

WITHIN_S = 2 * LATENCY_S + 0.05
"""How long after that: until what was under way is answered and marked."""

PATIENCE_S = 3.0
"""A sweep with less to do is killed then."""


def killing(kills: int, seed: int) -> Toll:
    """Kill the app so often, let it come to rest, and count."""
    chance = random.Random(seed)
    settings, options = {"CLAIM_LEASE_S": str(LEASE_S)}, ("--no-timers",)
    with (
        azurite(tables_only=True) as server,
        staged(server, settings=settings, options=options, is_counted=False) as stage,
    ):
        stage.coupa.front.latency_s = stage.moveworks.front.latency_s = LATENCY_S
        for _ in range(kills):
            for _ in range(PER_KILL):
                stage.enter()
            host = stage.start()
            enough = _events(stage) + chance.randrange(EVENTS)
            host.post(FIRE)
            _await_events(stage, enough)
            time.sleep(chance.uniform(0, WITHIN_S))
            host.fail()
            stage.leave(host)
            time.sleep(4 * LATENCY_S)  # what was on its way to the store arrives
            stage.note_death()
            _decide_what_was_told(stage)
        _rest(stage, stage.start())
        toll = reckon(stage)
        toll.runs = toll.faults = kills
        toll.steps = len(stage.coupa.front.calls) + len(stage.moveworks.front.calls)
        return toll


def _events(stage: Stage) -> int:
    """Return how often Coupa has answered and a message has taken effect."""
    return len(stage.coupa.front.calls) + len(stage.moveworks.delivered)


def _await_events(stage: Stage, number: int) -> None:
    """Wait until so many have come, or for too long."""
    late_s = time.monotonic() + PATIENCE_S
    while _events(stage) < number and time.monotonic() < late_s:
        time.sleep(0.002)


def _decide_what_was_told(stage: Stage) -> None:
    """Let Coupa's screen decide what was told a while ago, so that the list stays short."""
    told = {int(each.slots["approval_id"]) for each in stage.moveworks.delivered}
    stage.clear(sorted(told)[:-KEPT])


def _rest(stage: Stage, host: Host) -> None:
    for _ in range(ROUNDS):
        time.sleep(LEASE_S * 1.25 + 0.5)
        # The second looks again at what was changed within the first one's second.
        for _ in range(2):
            host.fire()
        if stage.is_at_rest():
            break
