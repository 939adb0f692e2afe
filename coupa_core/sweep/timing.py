"""Whether it is the hour to tell somebody: at once, at the end of quiet hours, with the next digest. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from coupa_core.authority import Decider
from coupa_core.cadence import Cadence
from coupa_core.ledger import DIGEST, QUIET, Entry, State, Told, held_back, waiting
from coupa_core.sweep.judge import Tell

GRACE = timedelta(minutes=5)
"""What is first seen, or due again, so shortly after the hour of the digest still belongs to it.

Whoever is told in a digest is told some seconds after the hour, and so would be due the day after next.
"""


BETWEEN = timedelta(minutes=5)
"""Between two looks for the sake of those who were told, while others are still owed it."""


@dataclass(frozen=True)
class Postpone:
    """Somebody is to be told, and not at this hour.

    Attributes:
        tell: who, and of what.
        cause: why not; empty when Moveworks refused it for each of them.
        until: the earliest hour of them.
    """

    tell: Tell
    cause: str
    until: datetime

    @property
    def entry(self) -> Entry:
        """Return the claimed row."""
        return self.tell.entry


def timed(tell: Tell, *, cadence: Cadence, now: datetime, since: datetime) -> Tell | Postpone:
    """Keep those who may be told now; what is needed soon may be told at any hour.

    Whoever Moveworks refused it for is tried again later, whoever else is told meanwhile.

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
        each.key: max(
            now if each.key in urgent else cadence.told_at(needed_on, each.address, max(now, due_at)),
            entry.to(each.key).retry_at or now,
        )
        for each in tell.people
    }
    people = tuple(each for each in tell.people if hours[each.key] <= now)
    later = min((hour for hour in hours.values() if hour > now), default=None)
    if later is None or people:
        return replace(tell, entry=entry, people=people, later=later)
    is_refused = all(is_held_back(entry, each, now) for each in tell.people)
    cause = "" if is_refused else DIGEST if due_at > now else QUIET
    return Postpone(replace(tell, entry=entry), cause, later)


def is_held_back(entry: Entry, person: Decider, now: datetime) -> bool:
    """Tell whether somebody is not tried yet again, because Moveworks refused it for them."""
    retry_at = entry.to(person.key).retry_at
    return retry_at is not None and retry_at > now


def to_remind(entry: Entry, people: Iterable[Decider], *, cadence: Cadence, now: datetime) -> list[Decider]:
    """Return who is to be reminded now, each by what they were told themselves."""
    return [each for each in people if _is_silent_for(entry.to(each.key), each, cadence=cadence, now=now)]


def _is_silent_for(told: Told, person: Decider, *, cadence: Cadence, now: datetime) -> bool:
    last = told.last_words_at
    due = cadence.reminder_at(last=last, reminders=told.reminders) if last else None
    if due is None:
        return False
    due -= GRACE if cadence.digest_at else timedelta(0)
    return (
        due <= now
        and cadence.announce_at(person.address, due) <= now
        and cadence.open_at(person.address, now) <= now
    )


def must_escalate(entry: Entry, *, cadence: Cadence, now: datetime) -> bool:
    """Tell whether somebody else is to be told now that this approval has waited for too long."""
    if entry.first_told_at is None or entry.escalated_at is not None:
        return False
    due = cadence.escalation_at(first=entry.first_told_at)
    return due is not None and due <= now and cadence.open_at("", now) <= now


def _waits_for_others(entry: Entry, now: datetime) -> bool:
    """Tell whether only some are still owed it, who are asleep or were refused, and it may be looked at."""
    if entry.attempted_at is not None and now < entry.attempted_at + BETWEEN:
        return False
    if entry.state is State.WAITING:
        return entry.cause in (QUIET, DIGEST)
    is_refused = any(each.refusals for each in entry.told.values())
    return entry.state in (State.RETRY, State.PARKED) and is_refused and not entry.uncertain


def put_off(postponed: Postpone, entry: Entry, *, now: datetime) -> Entry:
    """End the claim of what nobody may be told now.

    Args:
        postponed: whom it waits for.
        entry: the claimed row, as it was last written.
        now: aware UTC.
    """
    if postponed.cause:
        return waiting(entry, cause=postponed.cause, until=postponed.until)
    owed = [each.key for each in postponed.tell.people]
    return held_back(entry, owed, cause=entry.cause or "refused", now=now)


def is_silent(entry: Entry, people: Iterable[Decider], *, cadence: Cadence, now: datetime) -> bool:
    """Tell whether somebody was told so long ago that something is to be said once more.

    Others of the same approval may still be owed the first message: nobody waits for them.
    """
    if entry.state is not State.SENT and not _waits_for_others(entry, now):
        return False
    return bool(to_remind(entry, people, cadence=cadence, now=now)) or must_escalate(
        entry, cadence=cadence, now=now
    )
