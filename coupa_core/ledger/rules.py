"""How a row may change: pure functions from one row to the next.

absent --> CLAIMED --each told--> SENT --changed--> CLAIMED     SENT --decided here--> DECIDED
|  ^                                          any --gone from Coupa--> closed
|  +--lease and skew over--+                  closed --pending again--> CLAIMED, next generation
+--refused--> RETRY (due later)
+--not its turn, people not readable now, not the hour to tell them--> WAITING
+--nobody to tell, refused or unknown too often--> PARKED (alarm; tried again daily)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from coupa_core.addresses import folded
from coupa_core.ledger.entry import BASELINE, MUTED, NOTHING, PILOT, Entry, Lease, PersonState, State
from coupa_core.model import ON_HOLD, Verb

MAX_REFUSALS = 8
"""The failures, or refusals of the notice itself, after which an approval is parked."""

MINIMAL_AFTER = 5
"""The failures or refusals after which only the shortest form of the notice is tried."""

MAX_UNCERTAIN = 3
"""The sends of unknown outcome after which an approval is parked: the person may have got each of them."""

PARKED_FOR = timedelta(days=1)
_BACKOFF_CAP = timedelta(minutes=60)


def claimed(entry: Entry, *, now: datetime, lease: Lease) -> Entry:
    """Take the claim. A claim that another process left behind counts as an unknown outcome."""
    left_behind = entry.state is State.CLAIMED and entry.etag != ""
    return replace(
        entry,
        state=State.CLAIMED,
        attempted_at=now,
        lease_until=now + timedelta(seconds=lease.length_s),
        uncertain=entry.uncertain + 1 if left_behind else entry.uncertain,
        next_at=None,
    )


def delivered(entry: Entry, *, person: str, version: str, to: str, now: datetime, figures: str = "") -> Entry:
    """Record, under the claim, that Moveworks accepted this version for one person.

    The wait begins with the first person who is told. It begins anew when Coupa asks somebody else, or with
    another version after an escalation; nothing else may put an escalation off.
    """
    is_news = entry.escalated_at is not None and not any(each.has(version) for each in entry.told.values())
    if entry.first_told_at is None or entry.sent_to != to or is_news:
        entry = replace(entry, first_told_at=now, escalated_at=None)
    before = entry.to(person)
    since = before.since if before.to == to else None
    known = PersonState(version=version, to=to, at=now, since=since or now, figures=figures)
    return replace(entry, told={**entry.told, person: known}, sent_to=to, uncertain=0)


def sent(entry: Entry) -> Entry:
    """End the claim: everybody has been told, or needs no message.

    A row whose people were all only counted as told keeps that cause after every check.
    """
    cause = BASELINE if entry.is_told and entry.told_at is None else ""
    ended = settled(entry, State.SENT)
    return replace(ended, failures=0, uncertain=0, due_at=None, next_at=None, cause=cause)


def reserved(entry: Entry) -> Entry:
    """End the claim: everybody in the pilot has been told; the others wait until the pilot includes them."""
    return replace(waiting(entry, cause=PILOT, until=None), failures=0, uncertain=0, due_at=None)


def recorded(entry: Entry, people: Iterable[str], *, version: str) -> Entry:
    """End the claim of a backlog approval: its people count as told without a message."""
    known = {**entry.told, **dict.fromkeys(people, PersonState(version=version))}
    return sent(replace(entry, told=known, sent_to="", first_told_at=None))


def reminded(entry: Entry, people: Iterable[str], *, now: datetime) -> Entry:
    """Record a reminder under the claim, before it is sent: it goes out at most once, even after a crash."""
    known = {
        key: replace(each, reminders=each.reminders + 1, reminded_at=now)
        for key in people
        if (each := entry.told.get(key))
    }
    return replace(entry, told={**entry.told, **known})


def not_reminded(entry: Entry, before: Entry, people: Iterable[str]) -> Entry:
    """Undo the record of a reminder under the claim: nothing was sent."""
    known = {
        key: replace(entry.to(key), reminders=was.reminders, reminded_at=was.reminded_at)
        for key in people
        if (was := before.told.get(key))
    }
    return replace(entry, told={**entry.told, **known})


def escalated(entry: Entry, *, now: datetime) -> Entry:
    """Record an escalation under the claim, before it is sent."""
    return replace(entry, escalated_at=now)


def closing_added(entry: Entry, people: Mapping[str, str]) -> Entry:
    """Add the people who are owed a closing notice, each with the reason."""
    return replace(entry, farewell={**entry.farewell, **people})


def closing_done(entry: Entry, person: str) -> Entry:
    """Remove a person who got the closing notice, or cannot be told."""
    return replace(entry, farewell={key: role for key, role in entry.farewell.items() if key != person})


def deciding(entry: Entry, people: Iterable[str], *, is_certain: bool) -> Entry:
    """Set the deciders; a person who is removed and comes back is told again.

    Args:
        entry: the claimed row.
        people: the keys of the deciders.
        is_certain: a person outside this list certainly may not decide.
    """
    now = {key: entry.to(key) for key in people}
    return replace(entry, told=now if is_certain else {**entry.told, **now})


def renamed(entry: Entry, *, old: str, new: str) -> Entry:
    """Add a second name to a version: the content is the same, so nobody is told again.

    The old name stays beside the new one, because buttons that were sent contain it.
    """
    names = {
        key: replace(each, version=f"{new} {old}") if each.version == old else each
        for key, each in entry.told.items()
    }
    return replace(entry, told=names)


def waiting(entry: Entry, *, cause: str, until: datetime | None) -> Entry:
    """End the claim without a message; the row is due again at `until`, if that is a time."""
    return replace(settled(entry, State.WAITING), cause=cause, next_at=until)


def released(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Give the claim back for a reason outside the approval: due at once, without a failure."""
    return replace(settled(entry, State.RETRY), cause=cause, next_at=now)


def failed(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Give the claim back because the approval itself is at fault: later each time, then park it."""
    failures = entry.failures + 1
    if failures >= MAX_REFUSALS:
        return parked(replace(entry, failures=failures), cause=cause, now=now)
    return replace(
        settled(entry, State.RETRY), failures=failures, cause=cause, next_at=now + _pause(failures)
    )


def refused(entry: Entry, person: str, *, now: datetime) -> Entry:
    """Record a refusal for one person under the claim: the next try is later each time, then daily."""
    was = entry.to(person)
    refusals = was.refusals + 1
    pause = PARKED_FOR if refusals >= MAX_REFUSALS else _pause(refusals)
    return replace(entry, told={**entry.told, person: replace(was, refusals=refusals, retry_at=now + pause)})


def held_back(entry: Entry, people: Iterable[str], *, cause: str, now: datetime) -> Entry:
    """End the claim while Moveworks has refused the notice for all people who are still owed one.

    Args:
        entry: the claimed row.
        people: the keys of these people.
        cause: of the refusal.
        now: aware UTC.
    """
    owed = [entry.to(key) for key in people]
    is_given_up = any(each.refusals >= MAX_REFUSALS for each in owed)
    until = min((each.retry_at for each in owed if each.retry_at), default=now)
    return replace(settled(entry, State.PARKED if is_given_up else State.RETRY), cause=cause, next_at=until)


def _pause(failures: int) -> timedelta:
    """Return the pause after a number of failures in a row: 1, 2, 4 ... 60 minutes."""
    return min(timedelta(minutes=2 ** (failures - 1)), _BACKOFF_CAP)


def parked(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Park the approval for operators to see; it is tried again after a day."""
    return replace(settled(entry, State.PARKED), cause=cause, next_at=now + PARKED_FOR)


def decided(entry: Entry, *, decision: str, by: str, now: datetime, key: str = "") -> Entry:
    """Record a decision that Coupa confirmed; the address is stored as addresses are compared."""
    return replace(
        settled(entry, State.DECIDED),
        decision=decision,
        decided_by=folded(by),
        decided_at=now,
        decision_key=key,
        questions=entry.questions if decision == Verb.HOLD else {},
    )


def tried(entry: Entry, *, key: str) -> Entry:
    """Record that the request with this key sent a decision with an unknown outcome."""
    return replace(entry, decision_key=key)


def closed(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Record how the approval ended in Coupa, or that it is gone."""
    return replace(
        settled(entry, State.CLOSED),
        cause=cause,
        closed_at=entry.closed_at or now,
        told=_without_figures(entry),
        questions=entry.questions if cause == ON_HOLD else {},
    )


def next_generation(entry: Entry) -> Entry:
    """Begin a new generation: the approval waits again after its end, and old tokens must not fit.

    Questions survive a hold only: the person who asked needs the answer to decide.
    """
    return replace(
        entry,
        told=_without_figures(entry),
        first_told_at=None,
        generation=entry.generation + 1,
        decision="",
        decided_by="",
        decided_at=None,
        decision_key="",
        closed_at=None,
        failures=0,
        uncertain=0,
        due_at=None,
        escalated_at=None,
        ended_as="",
        farewell={},
    )


def resent(entry: Entry, *, now: datetime) -> Entry:
    """Remove the record of who was told, for an operator: the next sweep tells everybody again."""
    return unparked(replace(entry, told=dict.fromkeys(entry.told, NOTHING)), now=now)


def unparked(entry: Entry, *, now: datetime) -> Entry:
    """Make the row due now, for an operator, and reset its counters."""
    known = {key: replace(each, refusals=0, retry_at=None) for key, each in entry.told.items()}
    return replace(settled(entry, State.RETRY), told=known, next_at=now, failures=0, uncertain=0)


def _without_figures(entry: Entry) -> dict[str, PersonState]:
    """Return the parts of each person's state that outlive a generation: version, approver and time."""
    return {
        key: PersonState(version=each.version, to=each.to, at=each.at) for key, each in entry.told.items()
    }


def muted(entry: Entry, *, until: datetime) -> Entry:
    """Send nothing until this time, for an operator."""
    return waiting(entry, cause=MUTED, until=until)


def settled(entry: Entry, state: State) -> Entry:
    """End the claim."""
    return replace(entry, state=state, lease_until=None, next_at=None, cause="")
