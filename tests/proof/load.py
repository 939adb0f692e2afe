"""Thousands of waiting approvals, slow neighbours, and an hour of arrivals at the allowed rate."""

from __future__ import annotations

import gc
import tracemalloc
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

from coupa_core.endpoints import Request
from coupa_core.journal import Head, MemoryJournal, Row
from coupa_core.ledger import Entry, MemoryStore
from proof.audit import Tally, Traffic, audit
from proof.rig import Rig

LATENCY_S = 0.05
"""One way: a call takes a tenth of a second."""

MAX_GROWTH = 1.05
"""How much more memory the bridge may hold at the end than half an hour before."""


class _Forgetful(MemoryStore):
    """A store that keeps no closed rows, so that only what the bridge itself holds is weighed."""

    def archive(self, entry: Entry) -> None:
        """Close, and forget."""
        super().archive(entry)
        self.purge_closed(datetime.max.replace(tzinfo=UTC))


class _Unread(MemoryJournal):
    """A record that keeps no rows, for the same reason."""

    def write(self, head: Head, rows: Sequence[Row] = ()) -> Head:
        """Append, and forget."""
        written = super().write(head, rows)
        self.days[head.day] = written, {}
        return written


def hour(*, pending: int = 5000, minutes: int = 60, a_minute: int = 100) -> Tally:
    """Sweep each minute, while as many come in as may be told, and as many are decided in Coupa.

    Args:
        pending: how many wait, and were told, before the hour begins.
        minutes: how long it takes.
        a_minute: arrivals and decisions.
    """
    rig = Rig(store=_Forgetful(), journal=_Unread())
    world = rig.coupa.world
    waiting: deque[int] = deque()
    poller, traffic = rig.poller(), Traffic()

    def enter(number: int) -> None:
        for each in range(number):
            waiting.append(world.approvals_of(rig.request(each % len(rig.people)))[0].id)

    tracemalloc.start()
    enter(pending)
    while len(rig.moveworks.delivered) < pending:
        poller.sweep()
        rig.clock.advance(60)
    traffic.gather(rig)
    rig.coupa.front.latency_s = rig.moveworks.front.latency_s = LATENCY_S
    held: dict[int, int] = {}
    for minute in range(minutes):
        began_s = rig.clock.monotonic()
        enter(a_minute)
        poller.sweep()
        for _ in range(a_minute):
            world.decide_in_coupa(waiting.popleft(), by=rig.people[0], decision="approved")
        rig.clock.advance(60 - (rig.clock.monotonic() - began_s))
        health = poller.bridge.endpoints.handle("health", Request())
        assert health.status == 200, f"health is red in minute {minute}"
        traffic.gather(rig)
        if minute in (minutes // 2, minutes - 1):
            held[minute] = _held_bytes()
    tracemalloc.stop()
    traffic.check(rig)
    rig.coupa.front.latency_s = rig.moveworks.front.latency_s = 0
    for _ in range(5):
        poller.sweep()
        rig.clock.advance(60)
    half, end = held.values()
    assert end <= half * MAX_GROWTH, f"memory grew from {half} to {end} bytes"
    return audit(rig, steps=len(poller.seam.steps), faults=0)


def _held_bytes() -> int:
    """Return what code of the bridge has allocated and still holds."""
    gc.collect()
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/coupa_core/*")])
    return sum(statistic.size for statistic in snapshot.statistics("filename"))
