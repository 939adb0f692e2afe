"""Name the cause for which the bridge is not healthy, as a public code: it names no person and no service."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from coupa_core.ledger import Reading, Status, is_late, stuck
from coupa_core.release import RELEASE
from coupa_core.schedule import Schedule

STALE_AFTER = timedelta(minutes=15)
"""The age of the last sweep from which the bridge counts as failing."""

_A_SWEEP = timedelta(minutes=1)
"""The time that a sweep may take until health sees its end."""


class Cause(StrEnum):
    """The first cause of a failure; `coupa_core.gate` has the remedy for each."""

    SETTINGS = "settings"
    SCHEDULE_REFUSED = "schedule_refused"
    SCHEDULE_NEVER = "schedule_never"
    LEDGER = "ledger"
    BAD_SINCE = "bad_since"
    OTHER_VERSION = "other_version"
    RARE_SCHEDULE = "rare_schedule"
    NO_SWEEP_YET = "no_sweep_yet"
    NO_SWEEP = "no_sweep"
    NOT_SWEPT_YET = "not_swept_yet"
    SWEEP_FAILING = "sweep_failing"
    LIST_LATE = "list_late"
    OWED = "owed"


def is_rare(schedule: str) -> bool:
    """Tell whether a schedule is too rare for health: it leaves 15 minutes or more between some sweeps."""
    return not Schedule.of(schedule).is_within(STALE_AFTER - _A_SWEEP)


def failing_cause(status: Status, now: datetime, *, full_list_minutes: int, rare: bool) -> Cause | None:
    """Return the cause for which people may not be told, by the end of the last sweep; None if all is well.

    A sweep from the far future means that the clock was put back.

    Args:
        status: the status of the last sweep.
        now: aware UTC.
        full_list_minutes: how often the list of pending approvals is read.
        rare: the schedule leaves longer gaps than health allows.
    """
    last = status.last_sweep_at
    if last is None:
        return Cause.RARE_SCHEDULE if rare else Cause.NO_SWEEP_YET
    if abs(now - last) >= STALE_AFTER:
        return Cause.RARE_SCHEDULE if rare else Cause.NO_SWEEP
    reading = Reading.of(status.reading)
    listed_at = status.last_complete_at or (reading.began_at if reading else None)
    if is_late(listed_at, now, minutes=full_list_minutes):
        return Cause.SWEEP_FAILING if status.failure else Cause.LIST_LATE
    if stuck(status.owed_since, now):
        return Cause.SWEEP_FAILING if status.failure else Cause.OWED
    return None


def unmet_cause(status: Status, *, version: str, since: datetime | None, rare: bool) -> Cause | None:
    """Return the cause for which the last sweep does not meet the request; None if it does.

    Args:
        status: the status of the last sweep.
        version: the required release of that sweep; empty for any.
        since: the earliest time at which it must have begun, and then ended complete; None for any time.
        rare: the schedule leaves longer gaps than health allows.
    """
    is_its = not version or status.version == version
    if not is_its and version != RELEASE:
        return Cause.OTHER_VERSION
    if not is_its or (since and (status.last_began_at is None or status.last_began_at < since)):
        return Cause.RARE_SCHEDULE if rare else Cause.NOT_SWEPT_YET
    return Cause.SWEEP_FAILING if since and not status.is_complete else None
