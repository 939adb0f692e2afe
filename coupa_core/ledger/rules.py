"""The rows of the ledger and how they may change: pure functions from one row to the next.

absent --> CLAIMED --each told--> SENT --changed--> CLAIMED     SENT --decided here--> DECIDED
|  ^                                          any --gone from Coupa--> closed
|  +--lease and skew over--+                  closed --pending again--> CLAIMED, next round
+--refused--> RETRY (due later)
+--not its turn, people not readable now, not the hour to tell them--> WAITING
+--nobody to tell, refused or unknown too often--> PARKED (alarm; tried again daily)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from coupa_core.addresses import folded, same_address
from coupa_core.model import ON_HOLD, DocumentKey, Verb

MAX_REFUSALS = 8
"""After so many failures or refusals of the notice itself an approval is parked."""

MAX_QUESTIONS = 20
"""Open questions that a row keeps; of more the oldest of whoever asked most are left to Coupa."""

MINIMAL_AFTER = 5
"""After so many of them only the shortest form of the notice is tried."""

MAX_UNCERTAIN = 3
"""After so many sends of unknown outcome an approval is parked: the person may have got each of them."""

MUTED = "muted"
"""The cause of a row that waits because an operator wants nothing to be sent for it until `next_at`."""

QUIET, DIGEST, DRY_RUN = "quiet", "digest", "dry_run"
"""The causes of a row that waits for the hour at which people are told, or for sending to be switched on."""

STOPPED = "stopped_"
"""Stands before the status of a document that does not wait, in the cause of a row that waits for it."""

PILOT = "pilot"
"""The cause of a row that waits for people whom `PILOT` does not name."""

BASELINE = "baseline"
"""The cause of a row that counts as told because it was there before the bridge began."""

PARKED_FOR = timedelta(days=1)
KEEP_CLOSED = timedelta(days=90)
_BACKOFF_CAP = timedelta(minutes=60)


class State(StrEnum):
    """Where an approval stands between Coupa and its approver."""

    CLAIMED = "claimed"
    SENT = "sent"
    RETRY = "retry"
    WAITING = "waiting"
    PARKED = "parked"
    DECIDED = "decided"
    CLOSED = "closed"


@dataclass(frozen=True)
class Lease:
    """How long a claim holds, and the times that scale with it, all in seconds.

    Attributes:
        length_s: from the claim on.
        margin_s: what must be left of it when a send begins.
        send_s: how long a send may take; less than the margin, so that it ends under the claim.
        skew_s: how far the clocks of two pollers may differ; waited on top before a takeover.
    """

    length_s: float = 120

    @property
    def margin_s(self) -> float:
        """A third of the lease: 40 s of 120."""
        return self.length_s / 3

    @property
    def send_s(self) -> float:
        """A sixth of the lease: 20 s of 120."""
        return self.length_s / 6

    @property
    def skew_s(self) -> float:
        """A quarter of the lease: 30 s of 120."""
        return self.length_s / 4


@dataclass(frozen=True, kw_only=True)
class PersonState:
    """What belongs to one person who may decide.

    Attributes:
        version: the last that Moveworks accepted for them; empty where there is none, or not yet. After a
            release that names the same content otherwise, the new name and the old one, parted by a space.
        to: the key of the approver as whom, or in whose place, they were asked.
        at: when; None for what counts as told because it was there before the bridge began.
        since: when they were first told of it in this round, of whatever version; None for not, or for a row
            that was written before it was kept.
        facts: the amounts and quantities that they were shown, as `notice.shown_facts` writes them; no words.
        reminders: how often they were reminded of this version.
        reminded_at: when they were last.
        refusals: how often Moveworks refused what is to be said to them.
        retry_at: until then they are not tried again.
    """

    version: str = ""
    to: str = ""
    at: datetime | None = None
    since: datetime | None = None
    facts: str = ""
    reminders: int = 0
    reminded_at: datetime | None = None
    refusals: int = 0
    retry_at: datetime | None = None

    def has(self, version: str) -> bool:
        """Tell whether this version is the last that they were told."""
        return version in self.version.split()

    @property
    def was_sent(self) -> bool:
        """Tell whether a message told them so: it does not only count as told."""
        return bool(self.version) and self.at is not None

    @property
    def last_words_at(self) -> datetime | None:
        """Return when they last heard of it; None when we told them nothing."""
        return max(filter(None, (self.at, self.reminded_at)), default=None) if self.at else None


NOTHING = PersonState()


@dataclass(frozen=True, kw_only=True)
class OpenQuestion:
    """A question that is open: a comment of ours in Coupa that was not answered yet.

    Attributes:
        by: the key of whoever asks.
        of: the key of the person who is to answer.
        on: the id of the record that has the comment: the document, or the order that it changes.
        is_put: the person who is to answer was told in chat, or cannot be.
    """

    by: str
    of: str
    on: int
    is_put: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row: everything that the bridge remembers of one approval.

    Ids, hashes and times, and while it is open the amounts that were shown; no words and no names.

    Attributes:
        nonce: new for every write; by it a writer knows its own write again when the answer was lost.
        generation: how often the approval came back after it was closed or decided.
        seen_approval: Coupa's `updated-at` of the approval when it was last looked at, as Coupa wrote it.
        seen_document: the same of the document.
        wanted_by: the days by which a decision is worth most, as the document had them then.
        told: who may decide, by key, and what each of them was told; nothing for those who are not to be
            told, or not yet.
        sent_to: whom Coupa asked when it was last told.
        first_told_at: when the first of them was told, from which the wait counts; see `told`.
        attempted_at: when the last claim was made.
        lease_until: when the claim ends.
        next_at: when to look again.
        failures: how often it could not be read or worked on, for its own sake.
        uncertain: how many claims of this version ended with an unknown outcome.
        cause: the code of the last failure, for operators.
        decision: what was decided through the bridge; with `decided_by` and `decided_at`.
        decision_key: fingerprint of the caller's idempotency key for that decision; without a decision, of
            one that was sent to Coupa and never confirmed.
        due_at: of what is not told yet: nobody is told before, because the next digest is then.
        escalated_at: when somebody else was told of this wait.
        closed_at: when it was found to be over, or when the row was closed.
        ended_as: how the approval ended, while its row cannot be closed before somebody was told so.
        farewell: who is still to be told that a card of theirs is dead, by key, and as what: `shown`,
            `reassigned`, `ended`, or `requester`.
        questions: what was asked about it and not answered, by the ids of our comments in Coupa.
        reach: the mark of whom messages reached when it was last judged; see `sweep.reach`.
        etag: the store's mark of this write; empty for a row that is not stored yet.
    """

    approval_id: int
    state: State
    nonce: str
    document_type: str = ""
    document_id: int | None = None
    generation: int = 0
    seen_approval: str = ""
    seen_document: str = ""
    wanted_by: tuple[date, ...] = ()
    told: Mapping[str, PersonState] = field(default_factory=dict)
    sent_to: str = ""
    first_told_at: datetime | None = None
    attempted_at: datetime | None = None
    lease_until: datetime | None = None
    next_at: datetime | None = None
    failures: int = 0
    uncertain: int = 0
    cause: str = ""
    decision: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_key: str = ""
    closed_at: datetime | None = None
    due_at: datetime | None = None
    escalated_at: datetime | None = None
    ended_as: str = ""
    farewell: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[int, OpenQuestion] = field(default_factory=dict)
    reach: str = ""
    etag: str = field(default="", compare=False)

    def is_held(self, now: datetime, lease: Lease) -> bool:
        """Tell whether somebody's claim still stands, with the allowance for clocks that differ."""
        if self.state is not State.CLAIMED or self.lease_until is None or self.is_ahead(now, lease):
            return False
        return now < self.lease_until + timedelta(seconds=lease.skew_s)

    def is_ahead(self, now: datetime, lease: Lease) -> bool:
        """Tell whether the row is from later than now: the clock was put back, and its times mean nothing."""
        return self.attempted_at is not None and self.attempted_at > now + timedelta(seconds=lease.skew_s)

    def sends(self, lease: Lease) -> list[datetime]:
        """Return when messages may have gone out for it at the latest, to count them against the rate."""
        times = [at for each in self.told.values() for at in (each.at, each.reminded_at) if at]
        if self.lease_until is not None:
            times.append(self.lease_until - timedelta(seconds=lease.margin_s))
        elif self.attempted_at and any(each.refusals for each in self.told.values()):
            times.append(self.attempted_at)
        return times

    @property
    def document_key(self) -> DocumentKey:
        """Return which document the approval was about when it was last looked at."""
        return (self.document_type, self.document_id)

    @property
    def has_ended(self) -> bool:
        """Tell whether it was over before: when it waits again, a new round begins."""
        return bool(self.decision or self.ended_as)

    @property
    def told_at(self) -> datetime | None:
        """Return when the last of them was told."""
        return max((each.at for each in self.told.values() if each.at), default=None)

    @property
    def is_told(self) -> bool:
        """Tell whether anybody knows of it, or counts as told."""
        return any(each.version for each in self.told.values())

    def to(self, person: str) -> PersonState:
        """Return what somebody was told; nothing for those who may not decide."""
        return self.told.get(person, NOTHING)

    def has_told(self, person: str, version: str) -> bool:
        """Tell whether this version is the last that somebody was told."""
        return self.to(person).has(version)

    def is_decided_by(self, address: str, *, since: datetime) -> bool:
        """Tell whether this address decided it in chat, at that time or later."""
        is_late = self.decided_at is not None and self.decided_at >= since
        return bool(self.decision) and is_late and same_address(self.decided_by, address)

    def may_send(self, now: datetime, lease: Lease) -> bool:
        """Tell whether enough of our own claim is left to begin a send."""
        return self.lease_until is not None and now <= self.lease_until - timedelta(seconds=lease.margin_s)


def claimed(entry: Entry, *, now: datetime, lease: Lease) -> Entry:
    """Take the right to look and to send. A claim that somebody left behind counts as an unknown outcome."""
    left_behind = entry.state is State.CLAIMED and entry.etag != ""
    return replace(
        entry,
        state=State.CLAIMED,
        attempted_at=now,
        lease_until=now + timedelta(seconds=lease.length_s),
        uncertain=entry.uncertain + 1 if left_behind else entry.uncertain,
        next_at=None,
    )


def delivered(entry: Entry, *, person: str, version: str, to: str, now: datetime, facts: str = "") -> Entry:
    """Record, under the claim, that Moveworks accepted this version for one person.

    The wait begins with the first who is told, and anew when Coupa asks somebody else, or with another
    version after an escalation: nothing else may put an escalation off.
    """
    is_news = entry.escalated_at is not None and not any(each.has(version) for each in entry.told.values())
    if entry.first_told_at is None or entry.sent_to != to or is_news:
        entry = replace(entry, first_told_at=now, escalated_at=None)
    before = entry.to(person)
    since = before.since if before.to == to else None
    known = PersonState(version=version, to=to, at=now, since=since or now, facts=facts)
    return replace(entry, told={**entry.told, person: known}, sent_to=to, uncertain=0)


def sent(entry: Entry, *, until: datetime | None = None) -> Entry:
    """End the claim: everybody has been told, or has nothing new to be told.

    A row of which all only count as told says so after every look, and not only after the first.

    Args:
        entry: the claimed row.
        until: when a farewell that is still owed may be told; None for at once.
    """
    cause = BASELINE if entry.is_told and entry.told_at is None else ""
    ended = settled(entry, State.SENT)
    return replace(ended, failures=0, uncertain=0, due_at=None, next_at=until, cause=cause)


def reserved(entry: Entry) -> Entry:
    """End the claim: everybody in the pilot has been told, and the others wait until it has them, too."""
    return replace(waiting(entry, cause=PILOT, until=None), failures=0, uncertain=0, due_at=None)


def recorded(entry: Entry, people: Iterable[str], *, version: str) -> Entry:
    """End the claim of what was there before the bridge began: it counts as told, and nobody was."""
    known = {**entry.told, **dict.fromkeys(people, PersonState(version=version))}
    return sent(replace(entry, told=known, sent_to="", first_told_at=None))


def reminded(entry: Entry, people: Iterable[str], *, now: datetime) -> Entry:
    """Record, under the claim and before it is sent, that people are reminded: once at most, crash or not."""
    known = {
        key: replace(each, reminders=each.reminders + 1, reminded_at=now)
        for key in people
        if (each := entry.told.get(key))
    }
    return replace(entry, told={**entry.told, **known})


def not_reminded(entry: Entry, before: Entry, people: Iterable[str]) -> Entry:
    """Take back, under the claim, that people are reminded: nothing was sent."""
    known = {
        key: replace(entry.to(key), reminders=was.reminders, reminded_at=was.reminded_at)
        for key in people
        if (was := before.told.get(key))
    }
    return replace(entry, told={**entry.told, **known})


def escalated(entry: Entry, *, now: datetime) -> Entry:
    """Record, under the claim and before it is sent, that somebody else is told of the wait."""
    return replace(entry, escalated_at=now)


def closing_owed(entry: Entry, people: Mapping[str, str]) -> Entry:
    """Note who is to be told that a card of theirs is dead."""
    return replace(entry, farewell={**entry.farewell, **people})


def closing_done(entry: Entry, person: str) -> Entry:
    """Note that one of them knows, or cannot be told."""
    return replace(entry, farewell={key: role for key, role in entry.farewell.items() if key != person})


def asked(entry: Entry, number: int, question: OpenQuestion, *, now: datetime) -> Entry:
    """Note an open question; what was never looked at is due, so that a sweep sees it.

    Args:
        entry: of which no sweep has a claim.
        number: the id of our comment.
        question: who asks whom.
        now: aware UTC.
    """
    kept = {**entry.questions, number: question}
    while len(kept) > MAX_QUESTIONS:
        numbers = Counter(each.by for each in kept.values())
        del kept[min(each for each, its in kept.items() if numbers[its.by] == max(numbers.values()))]
    is_new = entry.state is State.RETRY and entry.next_at is None
    return replace(entry, questions=kept, next_at=now if is_new else entry.next_at)


def put(entry: Entry, number: int) -> Entry:
    """Note that whoever is to answer a question knows of it, or cannot be told."""
    known = {key: replace(each, is_put=True) for key, each in entry.questions.items() if key == number}
    return replace(entry, questions={**entry.questions, **known})


def answered(entry: Entry, numbers: Collection[int], *, person: str = "") -> Entry:
    """Forget questions: their answers have arrived, or nobody is left who waits for them.

    Args:
        entry: the claimed row.
        numbers: the ids of our comments.
        person: who got the answers; what Moveworks refused for them before counts no more.
    """
    left = {key: each for key, each in entry.questions.items() if key not in numbers}
    known = {
        key: replace(each, refusals=0, retry_at=None) if key == person else each
        for key, each in entry.told.items()
    }
    return replace(entry, questions=left, told=known)


def deciding(entry: Entry, people: Iterable[str], *, is_certain: bool) -> Entry:
    """Note who may decide; whoever no longer may is forgotten, so that a return is told again.

    Args:
        entry: the claimed row.
        people: keys.
        is_certain: somebody who is not among them surely may not decide.
    """
    now = {key: entry.to(key) for key in people}
    return replace(entry, told=now if is_certain else {**entry.told, **now})


def renamed(entry: Entry, *, old: str, new: str) -> Entry:
    """Name what was told as `old` by `new`, too: the same content, and nobody is told again.

    The old name stays beside it, because the button that was told has it.
    """
    names = {
        key: replace(each, version=f"{new} {old}") if each.version == old else each
        for key, each in entry.told.items()
    }
    return replace(entry, told=names)


def waiting(entry: Entry, *, cause: str, until: datetime | None) -> Entry:
    """Record that there is nobody to tell yet; look again at the latest at `until`, if it names a time."""
    return replace(settled(entry, State.WAITING), cause=cause, next_at=until)


def released(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Give the claim back for a reason that is not the approval's own: due at once, not counted."""
    return replace(settled(entry, State.RETRY), cause=cause, next_at=now)


def failed(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Give the claim back because the approval itself is at fault: later each time, then parked."""
    failures = entry.failures + 1
    if failures >= MAX_REFUSALS:
        return parked(replace(entry, failures=failures), cause=cause, now=now)
    return replace(
        settled(entry, State.RETRY), failures=failures, cause=cause, next_at=now + _pause(failures)
    )


def refused(entry: Entry, person: str, *, now: datetime) -> Entry:
    """Record, under the claim, that Moveworks took no notice for one person: later each time, then daily."""
    was = entry.to(person)
    refusals = was.refusals + 1
    pause = PARKED_FOR if refusals >= MAX_REFUSALS else _pause(refusals)
    return replace(entry, told={**entry.told, person: replace(was, refusals=refusals, retry_at=now + pause)})


def held_back(entry: Entry, people: Iterable[str], *, cause: str, now: datetime) -> Entry:
    """End the claim while some are to be told, none of them now, because Moveworks refused it for them.

    Args:
        entry: the claimed row.
        people: who is still to be told, each of them refused before.
        cause: why.
        now: aware UTC.
    """
    owed = [entry.to(key) for key in people]
    is_given_up = any(each.refusals >= MAX_REFUSALS for each in owed)
    until = min((each.retry_at for each in owed if each.retry_at), default=now)
    return replace(settled(entry, State.PARKED if is_given_up else State.RETRY), cause=cause, next_at=until)


def _pause(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row: 1, 2, 4 ... 60 minutes."""
    return min(timedelta(minutes=2 ** (failures - 1)), _BACKOFF_CAP)


def parked(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Set the approval aside for operators to see; tried again after a day."""
    return replace(settled(entry, State.PARKED), cause=cause, next_at=now + PARKED_FOR)


def decided(entry: Entry, *, decision: str, by: str, now: datetime, key: str = "") -> Entry:
    """Record a decision that Coupa confirmed; by whom as addresses are compared, to be found by."""
    return replace(
        settled(entry, State.DECIDED),
        decision=decision,
        decided_by=folded(by),
        decided_at=now,
        decision_key=key,
        questions=entry.questions if decision == Verb.HOLD else {},
    )


def tried(entry: Entry, *, key: str) -> Entry:
    """Record that the request with this key sent a decision of which nobody knows what became."""
    return replace(entry, decision_key=key)


def closed(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Record how the approval ended outside, or that it is gone."""
    return replace(
        settled(entry, State.CLOSED),
        cause=cause,
        closed_at=entry.closed_at or now,
        told=_without_facts(entry),
        questions=entry.questions if cause == ON_HOLD else {},
    )


def next_generation(entry: Entry) -> Entry:
    """Begin anew: the approval waits again after it was decided or closed, and old tokens must not fit.

    A question outlives a hold alone: whoever asked it waits for the answer to decide.
    """
    return replace(
        entry,
        told=_without_facts(entry),
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
    """Forget who was told, at an operator's word: the next sweep tells everybody again."""
    return unparked(replace(entry, told=dict.fromkeys(entry.told, NOTHING)), now=now)


def unparked(entry: Entry, *, now: datetime) -> Entry:
    """Make it due now, at an operator's word, with nothing counted against it."""
    known = {key: replace(each, refusals=0, retry_at=None) for key, each in entry.told.items()}
    return replace(settled(entry, State.RETRY), told=known, next_at=now, failures=0, uncertain=0)


def _without_facts(entry: Entry) -> dict[str, PersonState]:
    """Return what is kept of everybody once the round is over: which version, as whom and when."""
    return {
        key: PersonState(version=each.version, to=each.to, at=each.at) for key, each in entry.told.items()
    }


def muted(entry: Entry, *, until: datetime) -> Entry:
    """Send nothing until then, at an operator's word."""
    return waiting(entry, cause=MUTED, until=until)


def settled(entry: Entry, state: State) -> Entry:
    """End the claim."""
    return replace(entry, state=state, lease_until=None, next_at=None, cause="")
