"""Reminders, countdowns and escalations: when one may be due, by arithmetic alone. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from coupa_core.cadence import Cadence
from coupa_core.ledger import DIGEST, PILOT, QUIET, Entry, PersonState, State

GRACE = timedelta(minutes=5)
"""What is first seen, or due again, so shortly after the hour of the digest still belongs to it.

Whoever is told in a digest is told some seconds after the hour, and so would be due the day after next.
"""


def is_due_again(entry: Entry, *, cadence: Cadence, now: datetime) -> bool:
    """Tell whether something may have to be said once more about what somebody was told.

    By arithmetic alone: whose hour it is, and who may still decide, is for `judge` to say. Where it cannot be
    said yet, the row says in `next_at` when it can. Others may still be owed the first message: nobody waits
    for them.
    """
    is_held = entry.next_at is not None and entry.next_at > now
    if not is_held and (entry.farewell or any(not each.is_put for each in entry.questions.values())):
        return True
    is_refused = any(each.refusals for each in entry.told.values()) and not entry.uncertain
    may_be = {
        State.SENT: True,
        State.WAITING: entry.cause in (QUIET, DIGEST, PILOT),
        State.RETRY: is_refused,
        State.PARKED: is_refused,
    }
    if not may_be.get(entry.state):
        return False
    # What was due already when it was last looked at has its hour in the row.
    covered_at = entry.attempted_at if is_held else None
    dues = [each for each in _dues(entry, cadence) if covered_at is None or each > covered_at]
    # A morning that had come was judged for everybody, and who has it later has an hour in the row.
    after = entry.attempted_at if is_held or entry.next_at is None else None
    mornings = [_countdown_at(entry, each, cadence, after=after) for each in entry.told.values()]
    return any(due <= now for due in (*dues, *filter(None, mornings)))


def must_escalate(entry: Entry, cadence: Cadence, now: datetime) -> bool:
    """Tell whether somebody else is to be told that this approval has waited for too long."""
    due = _escalation_at(entry, cadence)
    return due is not None and due <= now


def reminders(
    entry: Entry, told: PersonState, cadence: Cadence, address: str | None = None
) -> list[datetime]:
    """Return when somebody is reminded next: of their silence, and of a day that comes near.

    Args:
        entry: the row.
        told: what they were told of it.
        cadence: when people are told.
        address: theirs, for their own calendar; None for that of whoever comes first.
    """
    dues = (_reminder_at(told, cadence), _countdown_at(entry, told, cadence, address=address))
    return [due for due in dues if due is not None]


def _dues(entry: Entry, cadence: Cadence) -> list[datetime]:
    """Return since when people are silent for too long, and when that is escalated."""
    dues = [_reminder_at(each, cadence) for each in entry.told.values()]
    return [due for due in (*dues, _escalation_at(entry, cadence)) if due is not None]


def _reminder_at(told: PersonState, cadence: Cadence) -> datetime | None:
    last = told.last_words_at
    due = cadence.reminder_at(last=last, reminders=told.reminders) if last else None
    return due - GRACE if due and cadence.digest_at else due


def _countdown_at(
    entry: Entry,
    told: PersonState,
    cadence: Cadence,
    *,
    address: str | None = None,
    after: datetime | None = None,
) -> datetime | None:
    last = told.last_words_at
    if last is None:
        return None
    return cadence.countdown_at(entry.wanted_by, last=last, address=address, after=after)


def _escalation_at(entry: Entry, cadence: Cadence) -> datetime | None:
    if entry.first_told_at is None or entry.escalated_at is not None:
        return None
    return cadence.escalation_at(first=entry.first_told_at)
