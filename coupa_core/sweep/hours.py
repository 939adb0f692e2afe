"""Choose the hour of each announcement, reminder and escalation.

Pure; see `judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from coupa_core import ledger
from coupa_core.addresses import same_address
from coupa_core.authority import Capacity, Decider
from coupa_core.ledger import DIGEST, PILOT, QUIET, Entry, PersonState
from coupa_core.sweep.due import GRACE, must_escalate, reminders
from coupa_core.sweep.questions import add_questions
from coupa_core.sweep.shapes import (
    LOOK_AGAIN,
    LOOK_UP_AGAIN,
    MANAGER,
    ApprovalCase,
    Due,
    Judged,
    Message,
    MessageKind,
)

NOBODY_AGAIN = timedelta(hours=1)
"""After this time, a person who cannot be told now is checked again."""


def announce(
    case: ApprovalCase, judged: Judged, owed: Sequence[Decider], recipients: Sequence[Decider]
) -> Judged:
    """Add the announcements: those of now, and the hours of the later ones (quiet hours, refusals).

    People outside the reach are told when messages reach them.
    """
    reached = case.reached(owed)
    now, entry = case.now, _with_digest_hour(case, judged.entry, reached)
    hours = {each.key: _announcement_hour(case, judged, entry, each) for each in reached}
    dues: list[Due] = [(hours[each.key], Message(MessageKind.ANNOUNCEMENT, each)) for each in reached]
    if case.is_unsure:
        dues.append((now + LOOK_UP_AGAIN, None))
    judged = replace(judged, rest=_claim_end(case, judged, entry, hours, leaves_out=len(reached) < len(owed)))
    told = [each for each in case.reached(recipients) if each.key not in hours]
    judged = add_reminders(case, judged.with_due(dues, now, entry=entry), told, owed=hours)
    return judged.with_count("not_the_hour" if hours else PILOT)


def _claim_end(
    case: ApprovalCase, judged: Judged, entry: Entry, hours: Mapping[str, datetime], *, leaves_out: bool
) -> Callable[[Entry], Entry]:
    """Return the rule that ends the claim.

    Args:
        case: the case.
        judged: the judgement so far.
        entry: the row.
        hours: the earliest hour of each person, by key.
        leaves_out: messages do not reach everybody who is owed one.
    """
    now = case.now
    if hours and all((entry.to(key).retry_at or now) > now for key in hours):
        return partial(ledger.held_back, people=list(hours), cause=entry.cause or "refused", now=now)
    if any(hour > now for hour in hours.values()):
        waits_for_digest = min(hours.values()) > now and (entry.due_at or now) > now
        return partial(ledger.waiting, cause=DIGEST if waits_for_digest else QUIET, until=None)
    if case.is_unsure and not judged.unread:
        return partial(ledger.waiting, cause="people_unread", until=None)
    return ledger.reserved if leaves_out and not judged.unread else judged.rest


def add_reminders(
    case: ApprovalCase, judged: Judged, told: Sequence[Decider], *, owed: Collection[str] = ()
) -> Judged:
    """Add the reminders that are due, and the escalation.

    Args:
        case: the case of an approval that somebody was told of.
        judged: the judgement so far.
        told: the people who were told this version.
        owed: the keys of the people who are told this version now or later.
    """
    entry, people = judged.entry, {each.key: each for each in told}
    late = {
        key: was
        for key, was in entry.told.items()
        if key not in owed and any(due <= case.now for due in reminders(entry, was, case.policy.cadence))
    }
    reminded = (_reminder(case, people.get(key), entry, was) for key, was in late.items())
    dues = [due for due in reminded if due]
    if must_escalate(entry, case.policy.cadence, case.now):
        due = _escalation(case, judged)
        dues += [due] if due else []
        entry = entry if due else ledger.escalated(entry, now=case.now)  # nobody receives it
    return add_questions(case, judged.with_due(dues, case.now, entry=entry), people, owed)


def _with_digest_hour(case: ApprovalCase, entry: Entry, owed: Sequence[Decider]) -> Entry:
    """Record the hour of the digest for which a new approval waits."""
    cadence = case.policy.cadence
    if cadence.digest_at is None or not owed:
        return replace(entry, due_at=None)
    if entry.due_at is not None:
        return entry
    began = min(case.policy.since + timedelta.resolution, case.now - GRACE)
    return replace(entry, due_at=min(cadence.announce_at(each.address, began) for each in owed))


def _announcement_hour(case: ApprovalCase, judged: Judged, entry: Entry, person: Decider) -> datetime:
    """Return the hour for a person; an urgent approval is announced at any hour."""
    cadence, now = case.policy.cadence, case.now
    needed_on = judged.document.needed_on if judged.document else None
    hour = now
    if not cadence.is_urgent(needed_on, person.address, now):
        hour = cadence.told_at(needed_on, person.address, max(now, entry.due_at or now))
    return max(hour, entry.to(person.key).retry_at or now)


def _reminder(case: ApprovalCase, person: Decider | None, entry: Entry, was: PersonState) -> Due | None:
    """Return the next reminder and its hour, or the next check of an unknown person; None for neither."""
    if person is None:
        return case.now + NOBODY_AGAIN, None
    cadence = case.policy.cadence
    due = min(reminders(entry, was, cadence, person.address), default=None)
    if due is None:
        return None  # the morning belonged to another time zone
    hour = max(cadence.announce_at(person.address, due), cadence.open_at(person.address, case.now))
    return hour, Message(MessageKind.REMINDER, person)


def _escalation(case: ApprovalCase, judged: Judged) -> Due | None:
    """Return the escalation and its hour; None without a reader. Other messages of this sweep go first."""
    managers, key = case.read.managers, judged.approver_key
    if judged.messages or key in managers.unknown:
        return case.now + LOOK_AGAIN, None
    reader = managers.people.get(key)
    if case.policy.escalate_to != MANAGER:
        reader = Decider("", case.policy.escalate_to, "", "", Capacity.APPROVER)
    opening = case.policy.cadence.open_at("", case.now)
    if opening > case.now:
        return opening, None
    if reader is None:
        return None
    if not case.policy.reach.has(reader.address):
        return case.now + NOBODY_AGAIN, None
    decides = any(same_address(each.address, reader.address) for each in case.read.deciders.people)
    return opening, Message(MessageKind.ESCALATION, reader, decides=decides)
