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
"""An approval is parked after so many failures, or refusals of the notice itself."""

MAX_QUESTIONS = 20
"""The most open questions that a row keeps; beyond that, it drops the oldest of the person who asked most."""

MINIMAL_AFTER = 5
"""After so many failures or refusals, only the shortest form of the notice is tried."""

MAX_UNCERTAIN = 3
"""An approval is parked after so many sends of unknown outcome: the person may have got each of them."""

MUTED = "muted"
"""The cause of a row that an operator has muted until `next_at`."""

QUIET, DIGEST, DRY_RUN = "quiet", "digest", "dry_run"
"""The causes of a row that waits for quiet hours to end, for the digest, or for the end of the dry run."""

STOPPED = "stopped_"
"""The prefix of a row's cause where the document does not wait for approval; its status follows."""

PILOT = "pilot"
"""The cause of a row whose deciders are not in the pilot."""

BASELINE = "baseline"
"""The cause of a row of the backlog that counts as told."""

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
        margin_s: how much of it must be left when a send begins.
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
    """The state of one decider in the row.

    Attributes:
        version: the last one that Moveworks accepted for them; empty for none. After a release that names the
            same content otherwise, the new name and the old one, with a space between.
        to: the key of the approver whom Coupa asked, who may be the person, their group or their delegator.
        at: when they were told; None for the backlog that counts as told.
        since: when they were first told in this generation, of any version; None for never, or in a row of an
            older release.
        facts: the amounts and quantities that they were shown, as `notice.shown_facts` writes them, without
            words.
        reminders: the number of reminders of this version.
        reminded_at: when they were last reminded.
        refusals: how often Moveworks refused a message to them.
        retry_at: when the next try may be.
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
        """Tell whether they were last told of this version."""
        return version in self.version.split()

    @property
    def was_sent(self) -> bool:
        """Tell whether a message was sent; the backlog only counts as told."""
        return bool(self.version) and self.at is not None

    @property
    def last_words_at(self) -> datetime | None:
        """Return the time of their last message; None for no message."""
        return max(filter(None, (self.at, self.reminded_at)), default=None) if self.at else None


NOTHING = PersonState()


@dataclass(frozen=True, kw_only=True)
class OpenQuestion:
    """An open question: a comment of ours in Coupa without an answer yet.

    Attributes:
        by: the key of the person who asks.
        of: the key of the person who must answer.
        on: the id of the record that has the comment: the document, or the order that it changes.
        is_put: the person who must answer was told in chat, or cannot be told.
    """

    by: str
    of: str
    on: int
    is_put: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One row: everything that the bridge keeps about one approval.

    It has ids, hashes and times, and while it is open the amounts that were shown; no words and no names.

    Attributes:
        nonce: new for every write, so that a writer recognises its own write after a lost answer.
        generation: how often the approval came back after it was closed or decided.
        seen_approval: Coupa's `updated-at` of the approval at the last check, as Coupa wrote it.
        seen_document: the same stamp of the document.
        wanted_by: the document's wanted days at the last check.
        told: the state of each decider, by key; `NOTHING` for one who was not told yet.
        sent_to: the key of the approver at the last notice.
        first_told_at: when the first decider was told; the wait counts from then, see `delivered`.
        attempted_at: when the last claim was made.
        lease_until: when the claim ends.
        next_at: when it is due again.
        failures: how often reading or judging it failed because of the approval itself.
        uncertain: how many claims of this version ended with an unknown outcome.
        cause: the code of the last failure, for operators.
        decision: what was decided through the bridge; with `decided_by` and `decided_at`.
        decision_key: fingerprint of the caller's idempotency key for that decision; without a decision, of
            one that was sent to Coupa and never confirmed.
        due_at: the hour of the digest for which a new approval waits.
        escalated_at: when the wait was escalated.
        closed_at: when a sweep found that it had ended, or when the row was closed.
        ended_as: how the approval ended, while closing notices keep its row open.
        farewell: the closing notices that are still owed: the reason by the key of the reader. Reasons are
            `shown`, `reassigned`, `ended` and `requester`.
        questions: the open questions, by the ids of our comments in Coupa.
        reach: the mark of the reach at the last judgement; see `sweep.reach`.
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
        """Tell whether a claim still holds, with the allowance for clocks that differ."""
        if self.state is not State.CLAIMED or self.lease_until is None or self.is_ahead(now, lease):
            return False
        return now < self.lease_until + timedelta(seconds=lease.skew_s)

    def is_ahead(self, now: datetime, lease: Lease) -> bool:
        """Tell whether the row is from the future: the clock was put back, and its times mean nothing."""
        return self.attempted_at is not None and self.attempted_at > now + timedelta(seconds=lease.skew_s)

    def sends(self, lease: Lease) -> list[datetime]:
        """Return the latest times at which messages may have gone out, to count them against the rate."""
        times = [at for each in self.told.values() for at in (each.at, each.reminded_at) if at]
        if self.lease_until is not None:
            times.append(self.lease_until - timedelta(seconds=lease.margin_s))
        elif self.attempted_at and any(each.refusals for each in self.told.values()):
            times.append(self.attempted_at)
        return times

    @property
    def document_key(self) -> DocumentKey:
        """Return the key of the document at the last check."""
        return (self.document_type, self.document_id)

    @property
    def has_ended(self) -> bool:
        """Tell whether it has ended: if it waits again, a new generation begins."""
        return bool(self.decision or self.ended_as)

    @property
    def told_at(self) -> datetime | None:
        """Return when the last decider was told."""
        return max((each.at for each in self.told.values() if each.at), default=None)

    @property
    def is_told(self) -> bool:
        """Tell whether anybody was told, or counts as told."""
        return any(each.version for each in self.told.values())

    def to(self, person: str) -> PersonState:
        """Return the state of a person; `NOTHING` for one who is no decider."""
        return self.told.get(person, NOTHING)

    def has_told(self, person: str, version: str) -> bool:
        """Tell whether a person was last told of this version."""
        return self.to(person).has(version)

    def is_decided_by(self, address: str, *, since: datetime) -> bool:
        """Tell whether this address decided it in chat, at that time or later."""
        is_late = self.decided_at is not None and self.decided_at >= since
        return bool(self.decision) and is_late and same_address(self.decided_by, address)

    def may_send(self, now: datetime, lease: Lease) -> bool:
        """Tell whether enough of our own claim is left to begin a send."""
        return self.lease_until is not None and now <= self.lease_until - timedelta(seconds=lease.margin_s)


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


def delivered(entry: Entry, *, person: str, version: str, to: str, now: datetime, facts: str = "") -> Entry:
    """Record, under the claim, that Moveworks accepted this version for one person.

    The wait begins with the first person who is told. It begins anew when Coupa asks somebody else, or with
    another version after an escalation; nothing else may put an escalation off.
    """
    is_news = entry.escalated_at is not None and not any(each.has(version) for each in entry.told.values())
    if entry.first_told_at is None or entry.sent_to != to or is_news:
        entry = replace(entry, first_told_at=now, escalated_at=None)
    before = entry.to(person)
    since = before.since if before.to == to else None
    known = PersonState(version=version, to=to, at=now, since=since or now, facts=facts)
    return replace(entry, told={**entry.told, person: known}, sent_to=to, uncertain=0)


def sent(entry: Entry, *, until: datetime | None = None) -> Entry:
    """End the claim: everybody has been told, or needs no message.

    A row whose people all only count as told keeps that cause after every check.

    Args:
        entry: the claimed row.
        until: when a closing notice that is still owed may be sent; None for at once.
    """
    cause = BASELINE if entry.is_told and entry.told_at is None else ""
    ended = settled(entry, State.SENT)
    return replace(ended, failures=0, uncertain=0, due_at=None, next_at=until, cause=cause)


def reserved(entry: Entry) -> Entry:
    """End the claim: everybody in the pilot has been told; the others wait until the pilot includes them."""
    return replace(waiting(entry, cause=PILOT, until=None), failures=0, uncertain=0, due_at=None)


def recorded(entry: Entry, people: Iterable[str], *, version: str) -> Entry:
    """End the claim of a backlog approval: its people count as told, without a message."""
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


def closing_owed(entry: Entry, people: Mapping[str, str]) -> Entry:
    """Add the people who are owed a closing notice, each with the reason."""
    return replace(entry, farewell={**entry.farewell, **people})


def closing_done(entry: Entry, person: str) -> Entry:
    """Remove a person who got the closing notice, or cannot be told."""
    return replace(entry, farewell={key: role for key, role in entry.farewell.items() if key != person})


def asked(entry: Entry, number: int, question: OpenQuestion, *, now: datetime) -> Entry:
    """Add an open question; a row that no sweep has checked becomes due, so that one finds it.

    Args:
        entry: a row without a claim.
        number: the id of our comment.
        question: the question.
        now: aware UTC.
    """
    kept = {**entry.questions, number: question}
    while len(kept) > MAX_QUESTIONS:
        numbers = Counter(each.by for each in kept.values())
        del kept[min(each for each, its in kept.items() if numbers[its.by] == max(numbers.values()))]
    is_new = entry.state is State.RETRY and entry.next_at is None
    return replace(entry, questions=kept, next_at=now if is_new else entry.next_at)


def put(entry: Entry, number: int) -> Entry:
    """Record that the person who must answer a question was told, or cannot be told."""
    known = {key: replace(each, is_put=True) for key, each in entry.questions.items() if key == number}
    return replace(entry, questions={**entry.questions, **known})


def answered(entry: Entry, numbers: Collection[int], *, person: str = "") -> Entry:
    """Remove questions: their answers have arrived, or nobody waits for them any more.

    Args:
        entry: the claimed row.
        numbers: the ids of our comments.
        person: the key of the person who got the answers; earlier refusals for them no longer count.
    """
    left = {key: each for key, each in entry.questions.items() if key not in numbers}
    known = {
        key: replace(each, refusals=0, retry_at=None) if key == person else each
        for key, each in entry.told.items()
    }
    return replace(entry, questions=left, told=known)


def deciding(entry: Entry, people: Iterable[str], *, is_certain: bool) -> Entry:
    """Set the deciders; a person who is removed is told again on coming back.

    Args:
        entry: the claimed row.
        people: keys.
        is_certain: a person outside this list surely may not decide.
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
    """Give the claim back because the approval itself is at fault: later each time, then parked."""
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
    """Return how long to wait after so many failures in a row: 1, 2, 4 ... 60 minutes."""
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
        told=_without_facts(entry),
        questions=entry.questions if cause == ON_HOLD else {},
    )


def next_generation(entry: Entry) -> Entry:
    """Begin a new generation: the approval waits again after its end, and old tokens must not fit.

    Questions survive a hold only: the person who asked needs the answer to decide.
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
    """Forget who was told, because an operator asked for it: the next sweep tells everybody again."""
    return unparked(replace(entry, told=dict.fromkeys(entry.told, NOTHING)), now=now)


def unparked(entry: Entry, *, now: datetime) -> Entry:
    """Make the row due now, because an operator asked for it, and reset its counters."""
    known = {key: replace(each, refusals=0, retry_at=None) for key, each in entry.told.items()}
    return replace(settled(entry, State.RETRY), told=known, next_at=now, failures=0, uncertain=0)


def _without_facts(entry: Entry) -> dict[str, PersonState]:
    """Return the parts of each person's state that outlive a generation: version, approver and time."""
    return {
        key: PersonState(version=each.version, to=each.to, at=each.at) for key, each in entry.told.items()
    }


def muted(entry: Entry, *, until: datetime) -> Entry:
    """Send nothing until then, because an operator asked for it."""
    return waiting(entry, cause=MUTED, until=until)


def settled(entry: Entry, state: State) -> Entry:
    """End the claim."""
    return replace(entry, state=state, lease_until=None, next_at=None, cause="")
