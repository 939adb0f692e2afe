"""Midnights, changes to and from summer time, a leap day, far zones, and clocks that are set."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from proof.audit import Tally, audit
from proof.rig import Rig
from sandbox.clock import ManualClock
from sandbox.coupa import query

MOMENTS = {
    "midnight": datetime(2026, 11, 24, 0, 0, tzinfo=UTC),
    "midnight in California": datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
    "new year": datetime(2027, 1, 1, 0, 0, tzinfo=UTC),
    "leap day": datetime(2028, 2, 29, 0, 0, tzinfo=UTC),
    "end of leap day": datetime(2028, 3, 1, 0, 0, tzinfo=UTC),
    "summer time begins in the US": datetime(2026, 3, 8, 10, 0, tzinfo=UTC),
    "summer time ends in the US": datetime(2026, 11, 1, 9, 0, tzinfo=UTC),
    "summer time begins in Europe": datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    "summer time ends in Europe": datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
}
ZONES = tuple(range(-12, 15))
"""Hours from UTC, of Coupa's stamps."""

MANNERS: tuple[dict[str, Any], ...] = (
    {"zone": -8, "after": -7},
    {"zone": 2, "after": 1},
    *({"zone": -8, "step_s": step_s} for step_s in (3600.0, -3600.0, 0.0)),
)
"""How a moment passes: with a change of Coupa's zone, with the clock set forward or back, or as any other."""


def passing(moment: datetime, *, zone: int, after: int | None = None, step_s: float = 0.0) -> Tally:
    """Let ten minutes pass around a moment, with a new, an edited and a decided request in each.

    Args:
        moment: in the middle of them.
        zone: of Coupa's stamps, in hours from UTC.
        after: the zone from the moment on, where summer time begins or ends.
        step_s: how far the wall clock of the bridge is set at the moment.
    """
    rig = Rig(clock=ManualClock(moment - timedelta(minutes=5)), settings={"COUPA_MAX_PER_SECOND": "25"})
    poller = rig.poller()
    world = rig.coupa.world
    for minute in range(10):
        if minute == 5:
            rig.clock.step(step_s)
        with _zone(zone if minute < 5 or after is None else after):
            number = rig.request(minute % 6)
            poller.sweep()
            rig.clock.advance(30)
            world.edit_line(number, 0, unit_price=str(200 + minute))
            world.touch(world.approvals_of(number)[0].id)
            poller.sweep()
            rig.clock.advance(30)
            if minute % 3 == 0:
                world.decide_in_coupa(world.approvals_of(number)[0].id, by=rig.people[0], decision="approved")
    with _zone(zone if after is None else after):
        for _ in range(4):
            poller.sweep()
            rig.clock.advance(60)
        return audit(rig, steps=len(poller.seam.steps), faults=0)


def every_time() -> Iterator[Tally]:
    """Pass every moment in every manner, and one moment in every zone."""
    for moment, manner in itertools.product(MOMENTS.values(), MANNERS):
        yield passing(moment, **manner)
    for zone in ZONES:
        yield passing(MOMENTS["midnight"], zone=zone)


def some_times() -> Iterator[Tally]:
    """Pass every moment in one of the manners in turn, and one in the farthest zones and in between."""
    for moment, manner in zip(MOMENTS.values(), itertools.cycle(MANNERS), strict=False):
        yield passing(moment, **manner)
    for zone in ZONES[::13]:
        yield passing(MOMENTS["midnight"], zone=zone)


@contextmanager
def _zone(hours: int) -> Iterator[None]:
    """Let Coupa write its stamps in another zone."""
    before = query.ZONE
    query.ZONE = timezone(timedelta(hours=hours))  # type: ignore[misc]
    try:
        yield
    finally:
        query.ZONE = before  # type: ignore[misc]
