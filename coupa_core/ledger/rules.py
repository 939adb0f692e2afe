"""The rows of the ledger and how they may change: pure functions from one row to the next.

absent --> CLAIMED --each told--> SENT --changed--> CLAIMED     SENT --decided here--> DECIDED
|  ^                                          any --gone from Coupa--> closed
|  +--lease and skew over--+                  closed --pending again--> CLAIMED, next round
+--refused--> RETRY (due later)
+--not its turn, people not readable now, not the hour to tell them--> WAITING
+--nobody to tell, refused or unknown too often--> PARKED (alarm; tried again daily)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

MAX_REFUSALS = 8
"""After so many refusals of the notice itself an approval is parked."""

MINIMAL_AFTER = 5
"""After so many refusals only the shortest form of the notice is tried."""

MAX_UNCERTAIN = 3
"""After so many sends of unknown outcome an approval is parked: the person may have got each of them."""

MUTED = "muted"
"""The cause of a row that waits because an operator wants nothing to be sent for it until `next_at`."""

QUIET, DIGEST, DRY_RUN = "quiet", "digest", "dry_run"
"""The causes of a row that waits for the hour at which people are told, or for sending to be switched on."""

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
class Entry:
    """One row: everything that the bridge remembers of one approval.

    Ids, hashes and times, and while it is open the amounts that were shown; no words and no names.

    Attributes:
        nonce: new for every write; by it a writer knows its own write again when the answer was lost.
        generation: how often the approval came back after it was closed or decided.
        seen_approval: Coupa's `updated-at` of the approval when it was last looked at, as Coupa wrote it.
        seen_document: the same of the document.
        told: who may decide, by key, and the version that Moveworks last accepted for each; empty for those
            who are not to be told, or not yet. After a release that names the same content otherwise, the new
            name and the old one, parted by a space.
        sent_to: the approver key of these versions.
        sent_at: when Moveworks last accepted one.
        attempted_at: when the last claim was made.
        lease_until: when the claim ends.
        next_at: when to look again.
        refusals: how often this notice was refused for its own sake.
        uncertain: how many claims of this version ended with an unknown outcome.
        cause: the code of the last failure, for operators.
        decision: what was decided through the bridge; with `decided_by` and `decided_at`.
        decision_key: fingerprint of the caller's idempotency key for that decision; without a decision, of
            one that was sent to Coupa and never confirmed.
        shown: the amounts and quantities that were shown, as `notice.shown_facts` writes them; no words.
        due_at: of what is not told yet: nobody is told before, because the next digest is then.
        reminders: how often those who were told this version were reminded of it.
        reminded_at: when they were last.
        escalated_at: when somebody else was told of the wait for this version.
        closed_at: when it was found to be over, or when the row was closed.
        ended_as: how the approval ended, while its row cannot be closed before somebody was told so.
        farewell: who is still to be told that a card of theirs is dead, by key, and as what: `shown`,
            `reassigned`, `ended`, or `requester`.
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
    told: Mapping[str, str] = field(default_factory=dict)
    sent_to: str = ""
    sent_at: datetime | None = None
    attempted_at: datetime | None = None
    lease_until: datetime | None = None
    next_at: datetime | None = None
    refusals: int = 0
    uncertain: int = 0
    cause: str = ""
    decision: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    decision_key: str = ""
    closed_at: datetime | None = None
    shown: str = ""
    due_at: datetime | None = None
    reminders: int = 0
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    ended_as: str = ""
    farewell: Mapping[str, str] = field(default_factory=dict)
    etag: str = field(default="", compare=False)

    def is_held(self, now: datetime, lease: Lease) -> bool:
        """Tell whether somebody's claim still stands, with the allowance for clocks that differ."""
        if self.state is not State.CLAIMED or self.lease_until is None or self.is_ahead(now, lease):
            return False
        return now < self.lease_until + timedelta(seconds=lease.skew_s)

    def is_ahead(self, now: datetime, lease: Lease) -> bool:
        """Tell whether the row is from later than now: the clock was put back, and its times mean nothing."""
        return self.attempted_at is not None and self.attempted_at > now + timedelta(seconds=lease.skew_s)

    def last_send(self, lease: Lease) -> datetime | None:
        """Return when the last send began at the latest, to count it against the allowed rate."""
        if self.lease_until is not None:
            return self.lease_until - timedelta(seconds=lease.margin_s)
        return self.attempted_at if self.refusals else self.sent_at

    @property
    def has_ended(self) -> bool:
        """Tell whether it was over before: when it waits again, a new round begins."""
        return bool(self.decision or self.ended_as)

    @property
    def last_words_at(self) -> datetime | None:
        """Return when those who were told last heard of it; None when nobody was told by us."""
        return max(filter(None, (self.sent_at, self.reminded_at)), default=None)

    def has_told(self, person: str, version: str) -> bool:
        """Tell whether this version is the last that somebody was told."""
        return version in self.told.get(person, "").split()

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


def told(entry: Entry, *, person: str, version: str, to: str, now: datetime, shown: str = "") -> Entry:
    """Record, under the claim, that Moveworks accepted this version for one person."""
    if not any(entry.has_told(each, version) for each in entry.told):
        entry = replace(entry, reminders=0, reminded_at=None, escalated_at=None)
    everybody = {**entry.told, person: version}
    return replace(entry, told=everybody, sent_to=to, sent_at=now, shown=shown, uncertain=0)


def sent(entry: Entry, *, until: datetime | None = None) -> Entry:
    """End the claim: everybody has been told, or has nothing new to be told.

    Args:
        entry: the claimed row.
        until: when a farewell that is still owed may be told; None for at once.
    """
    return replace(settled(entry, State.SENT), refusals=0, uncertain=0, due_at=None, next_at=until)


def recorded(entry: Entry, people: Iterable[str], *, version: str) -> Entry:
    """End the claim of what was there before the bridge began: it counts as told, and nobody was."""
    known = {**entry.told, **dict.fromkeys(people, version)}
    return replace(sent(entry), told=known, sent_to="", sent_at=None, cause=BASELINE)


def reminded(entry: Entry, *, now: datetime) -> Entry:
    """Record, under the claim and before it is sent, that people are reminded: once at most, crash or not."""
    return replace(entry, reminders=entry.reminders + 1, reminded_at=now)


def escalated(entry: Entry, *, now: datetime) -> Entry:
    """Record, under the claim and before it is sent, that somebody else is told of the wait."""
    return replace(entry, escalated_at=now)


def owing(entry: Entry, people: Mapping[str, str]) -> Entry:
    """Note who is to be told that a card of theirs is dead."""
    return replace(entry, farewell={**entry.farewell, **people})


def parted(entry: Entry, person: str) -> Entry:
    """Note that one of them knows, or cannot be told."""
    return replace(entry, farewell={key: role for key, role in entry.farewell.items() if key != person})


def deciding(entry: Entry, people: Iterable[str], *, is_certain: bool) -> Entry:
    """Note who may decide; whoever no longer may is forgotten, so that a return is told again.

    Args:
        entry: the claimed row.
        people: keys.
        is_certain: somebody who is not among them surely may not decide.
    """
    now = {key: entry.told.get(key, "") for key in people}
    return replace(entry, told=now if is_certain else {**entry.told, **now})


def renamed(entry: Entry, *, old: str, new: str) -> Entry:
    """Name what was told as `old` by `new`, too: the same content, and nobody is told again.

    The old name stays beside it, because the button that was told has it.
    """
    names = {key: f"{new} {name}" if name == old else name for key, name in entry.told.items()}
    return replace(entry, told=names)


def waiting(entry: Entry, *, cause: str, until: datetime | None) -> Entry:
    """Record that there is nobody to tell yet; look again at the latest at `until`, if it names a time."""
    return replace(settled(entry, State.WAITING), cause=cause, next_at=until)


def released(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Give the claim back for a reason that is not the approval's own: due at once, not counted."""
    return replace(settled(entry, State.RETRY), cause=cause, next_at=now)


def refused(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Give the claim back because the notice itself was refused: later each time, then parked."""
    refusals = entry.refusals + 1
    if refusals >= MAX_REFUSALS:
        return parked(replace(entry, refusals=refusals), cause=cause, now=now)
    pause = min(timedelta(minutes=2 ** (refusals - 1)), _BACKOFF_CAP)
    return replace(settled(entry, State.RETRY), refusals=refusals, cause=cause, next_at=now + pause)


def parked(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Set the approval aside for operators to see; tried again after a day."""
    return replace(settled(entry, State.PARKED), cause=cause, next_at=now + PARKED_FOR)


def decided(entry: Entry, *, decision: str, by: str, now: datetime, key: str = "") -> Entry:
    """Record a decision that Coupa confirmed."""
    return replace(
        settled(entry, State.DECIDED), decision=decision, decided_by=by, decided_at=now, decision_key=key
    )


def tried(entry: Entry, *, key: str) -> Entry:
    """Record that the request with this key sent a decision of which nobody knows what became."""
    return replace(entry, decision_key=key)


def closed(entry: Entry, *, cause: str, now: datetime) -> Entry:
    """Record how the approval ended outside, or that it is gone."""
    return replace(settled(entry, State.CLOSED), cause=cause, closed_at=entry.closed_at or now, shown="")


def next_round(entry: Entry) -> Entry:
    """Begin anew: the approval waits again after it was decided or closed, and old tokens must not fit."""
    return replace(
        entry,
        generation=entry.generation + 1,
        decision="",
        decided_by="",
        decided_at=None,
        decision_key="",
        closed_at=None,
        refusals=0,
        uncertain=0,
        shown="",
        due_at=None,
        reminders=0,
        reminded_at=None,
        escalated_at=None,
        ended_as="",
        farewell={},
    )


def resent(entry: Entry, *, now: datetime) -> Entry:
    """Forget who was told, at an operator's word: the next sweep tells everybody again."""
    return unparked(replace(entry, told=dict.fromkeys(entry.told, "")), now=now)


def unparked(entry: Entry, *, now: datetime) -> Entry:
    """Make it due now, at an operator's word, with nothing counted against it."""
    return replace(settled(entry, State.RETRY), next_at=now, refusals=0, uncertain=0)


def muted(entry: Entry, *, until: datetime) -> Entry:
    """Send nothing until then, at an operator's word."""
    return waiting(entry, cause=MUTED, until=until)


def settled(entry: Entry, state: State) -> Entry:
    """End the claim."""
    return replace(entry, state=state, lease_until=None, next_at=None, cause="")
