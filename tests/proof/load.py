"""Thousands of waiting approvals, slow services, and an hour of arrivals at the allowed rate."""

from __future__ import annotations

import gc
import sys
from collections import deque
from types import ModuleType

from coupa_core.app import Bridge
from coupa_core.audit_log import MemoryAuditStore
from coupa_core.endpoints import Request
from coupa_core.ledger import MemoryStore
from proof.audit import Tally, Traffic, audit
from proof.rig import Rig

LATENCY_S = 0.05
"""One way: a call takes a tenth of a second."""

MAX_GROWTH = 1.02
"""How much more memory the bridge may hold at the end than half an hour before."""


def hour(*, pending: int = 5000, minutes: int = 60, a_minute: int = 100) -> Tally:
    """Sweep each minute, while as many come in as may be told, and as many are decided in Coupa.

    Args:
        pending: how many wait, and were told, before the hour begins.
        minutes: how long it takes.
        a_minute: arrivals and decisions.
    """
    rig = Rig()
    world = rig.coupa.world
    waiting: deque[int] = deque()
    poller, traffic = rig.poller(), Traffic()

    def enter(number: int) -> None:
        for each in range(number):
            waiting.append(world.approvals_of(rig.request(each % len(rig.people)))[0].id)

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
            held[minute] = held_bytes(poller.bridge)
    traffic.check(rig)
    rig.coupa.front.latency_s = rig.moveworks.front.latency_s = 0
    for _ in range(5):
        poller.sweep()
        rig.clock.advance(60)
    half, end = held.values()
    assert end <= half * MAX_GROWTH, f"memory grew from {half} to {end} bytes"
    return audit(rig, steps=len(poller.seam.steps), faults=0)


def held_bytes(bridge: Bridge) -> int:
    """Return the size of all that a bridge and its modules hold, without the services and the tables."""
    gc.collect()
    modules = [(name.startswith("coupa_core"), vars(each)) for name, each in list(sys.modules.items())]
    seen = {id(names) for is_ours, names in modules if not is_ours}
    todo: list[object] = [bridge, *(names for is_ours, names in modules if is_ours)]
    size = 0
    while todo:
        each = todo.pop()
        if id(each) in seen or _is_fenced(each):
            continue
        seen.add(id(each))
        size += sys.getsizeof(each)
        todo += gc.get_referents(each)
    return size


def _is_fenced(each: object) -> bool:
    """Tell whether something is of the world around the bridge: of the harness, a simulator, a library."""
    if isinstance(each, type):
        return not each.__module__.startswith("coupa_core")
    around = type(each).__module__.startswith(("proof", "sandbox"))
    return around or isinstance(each, ModuleType | MemoryStore | MemoryAuditStore)
