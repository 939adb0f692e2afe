"""Whether it is the hour to tell somebody: at once, at the end of quiet hours, with the next digest. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from coupa_core.authority import Decider
from coupa_core.cadence import Cadence
from coupa_core.ledger import DIGEST, QUIET, Entry, State
from coupa_core.sweep.judge import Tell

GRACE = timedelta(minutes=5)
"""What is first seen, or due again, so shortly after the hour of the digest still belongs to it.

Whoever is told in a digest is told some seconds after the hour, and so would be due the day after next.
"""


@dataclass(frozen=True)
class Postpone:
    """Somebody is to be told, and not at this hour."""

    entry: Entry
    cause: str
    until: datetime


def timed(tell: Tell, *, cadence: Cadence, now: datetime, since: datetime) -> Tell | Postpone:
    """Keep those who may be told now; what is needed soon may be told at any hour.

    Args:
        tell: who is to be told.
        cadence: of the deployment.
        now: aware UTC.
        since: when everything was last seen: what is new came after it.
    """
    needed_on, entry = tell.document.needed_on, tell.entry
    urgent = {each.key for each in tell.people if cadence.is_urgent(needed_on, each.address, now)}
    if cadence.digest_at is None:
        entry = replace(entry, due_at=None) if entry.due_at else entry
    elif entry.due_at is None:
        began = min(since + timedelta.resolution, now - GRACE)
        due_at = min(cadence.announce_at(each.address, began) for each in tell.people)
        entry = replace(entry, due_at=due_at)
    due_at = entry.due_at or now
    hours = {
        each.key: now if each.key in urgent else cadence.told_at(needed_on, each.address, max(now, due_at))
        for each in tell.people
    }
    people = tuple(each for each in tell.people if hours[each.key] <= now)
    later = min((hour for hour in hours.values() if hour > now), default=None)
    if later is not None and not people:
        return Postpone(entry, DIGEST if due_at > now else QUIET, later)
    return replace(tell, entry=entry, people=people, later=later)


def to_remind(entry: Entry, people: Iterable[Decider], *, cadence: Cadence, now: datetime) -> list[Decider]:
    """Return who of those who were told is to be reminded now."""
    last = entry.last_words_at
    due = cadence.reminder_at(last=last, reminders=entry.reminders) if last and entry.sent_at else None
    if due is None:
        return []
    due -= GRACE if cadence.digest_at else timedelta(0)
    if due > now:
        return []
    return [
        each
        for each in people
        if entry.told.get(each.key)
        and cadence.announce_at(each.address, due) <= now
        and cadence.open_at(each.address, now) <= now
    ]


def must_escalate(entry: Entry, *, cadence: Cadence, now: datetime) -> bool:
    """Tell whether somebody else is to be told now that this version has waited for too long."""
    if entry.sent_at is None or entry.escalated_at is not None:
        return False
    due = cadence.escalation_at(first=entry.sent_at)
    return due is not None and due <= now and cadence.open_at("", now) <= now


def is_silent(entry: Entry, people: Iterable[Decider], *, cadence: Cadence, now: datetime) -> bool:
    """Tell whether everybody was told, and so long ago that something is to be said once more."""
    if entry.state is not State.SENT:
        return False
    return bool(to_remind(entry, people, cadence=cadence, now=now)) or must_escalate(
        entry, cadence=cadence, now=now
    )
