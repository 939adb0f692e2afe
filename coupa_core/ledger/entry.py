"""One row of the ledger: its states, its fields, and their meaning. `rules` says how it may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from coupa_core.addresses import same_address
from coupa_core.model import DocumentKey

KEEP_CLOSED = timedelta(days=90)
"""How long closed rows are kept."""

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


class State(StrEnum):
    """The state of an approval between Coupa and its approver."""

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
        length_s: the length of a claim.
        margin_s: the part that must be left when a send begins.
        send_s: the time limit of a send; less than the margin, so that it ends under the claim.
        skew_s: the allowed difference between the clocks of two pollers; a takeover waits for it, too.
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
        version: the last one that Moveworks accepted for them; empty for none. After a release that changes
            the name of the same content, the new name and the old one, with a space between.
        to: the key of the approver whom Coupa asked, who may be the person, their group or their delegator.
        at: when they were told; None for the backlog that counts as told.
        since: when they were first told in this generation, of any version; None for never, or in a row of an
            older release.
        figures: the amounts and quantities that they were shown, as `notice.shown_figures` writes them,
            without words.
        reminders: the number of reminders of this version.
        reminded_at: when they were last reminded.
        refusals: how often Moveworks refused a message to them.
        retry_at: when the next try may be.
    """

    version: str = ""
    to: str = ""
    at: datetime | None = None
    since: datetime | None = None
    figures: str = ""
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
        cause: the code of the last failure or of the wait, for operators.
        decision: the decision through the bridge; with `decided_by` and `decided_at`.
        decision_key: fingerprint of the caller's idempotency key for that decision; without a decision, of
            one that was sent to Coupa and never confirmed.
        due_at: the hour of the digest for which a new approval waits.
        escalated_at: when the wait was escalated.
        closed_at: when a sweep found that it had ended, or when the row was closed.
        ended_as: how the approval ended, while closing notices keep its row open.
        farewell: the closing notices that are still owed: the reason by the key of the reader. Reasons are
            `shown`, `reassigned`, `ended` and `requester`.
        questions: the open questions, by the ids of our comments in Coupa.
        reach: the id of the reach at the last judgement; see `sweep.reach`.
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
