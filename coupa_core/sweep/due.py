"""When reminders, countdowns and escalations are due, by arithmetic alone. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from coupa_core.cadence import Cadence
from coupa_core.ledger import DIGEST, PILOT, QUIET, Entry, PersonState, State

GRACE = timedelta(minutes=5)
"""An approval that is first seen, or due again, so shortly after the hour of a digest belongs to it.

A digest goes out some seconds after its hour; without this grace the next would come the day after next.
"""


def is_due_again(entry: Entry, *, cadence: Cadence, now: datetime) -> bool:
    """Tell whether a reminder, an escalation, a closing notice or a question may be due.

    This is arithmetic alone: `judge` decides whose hour it is, and who may still decide. Where a message must
    wait, the row has the hour in `next_at`. People who are still owed the first message delay nobody else.
    """
    is_held = entry.next_at is not None and entry.next_at > now
    if not is_held and (entry.farewell or any(not each.is_put for each in entry.questions.values())):
        return True
    if entry.state is State.SENT and entry.next_at is not None and not is_held:
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
    # A message that was due at the last judgement has its hour in the row.
    covered_at = entry.attempted_at if is_held else None
    dues = [each for each in _dues(entry, cadence) if covered_at is None or each > covered_at]
    # The last judgement covered every morning before it; people in later zones have an hour in the row.
    after = entry.attempted_at if is_held or entry.next_at is None else None
    mornings = [_countdown_at(entry, each, cadence, after=after) for each in entry.told.values()]
    return any(due <= now for due in (*dues, *filter(None, mornings)))


def must_escalate(entry: Entry, cadence: Cadence, now: datetime) -> bool:
    """Tell whether an escalation is due."""
    due = _escalation_at(entry, cadence)
    return due is not None and due <= now


def reminders(
    entry: Entry, told: PersonState, cadence: Cadence, address: str | None = None
) -> list[datetime]:
    """Return when a person's next reminders are due: after silence, and before a wanted day.

    Args:
        entry: the row.
        told: the person's state in the row.
        cadence: the reminder rules.
        address: for the person's own calendar; None for the earliest calendar of all.
    """
    dues = (_reminder_at(told, cadence), _countdown_at(entry, told, cadence, address=address))
    return [due for due in dues if due is not None]


def _dues(entry: Entry, cadence: Cadence) -> list[datetime]:
    """Return when reminders for silence and the escalation are due."""
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
