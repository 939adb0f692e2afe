"""The input and output of a judgement: policy and fresh read go in, messages and the next row come out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from coupa_core import ledger, model
from coupa_core.authority import Decider, Deciders, Rules
from coupa_core.cadence import Cadence
from coupa_core.directory import ReachablePeople
from coupa_core.facts import NO_FACTS, Facts
from coupa_core.ledger import DRY_RUN, Entry, State
from coupa_core.model import Approval, Comment, Document
from coupa_core.notice import BARE
from coupa_core.sweep.reach import ALL, Reach

MAX_DECIDERS = 200
"""The most deciders of one approval that are told; many more do not fit into a row."""

LOOK_AGAIN = timedelta(minutes=5)
"""After this time at the latest, an approval without a turn or a recipient is checked again."""

LOOK_UP_AGAIN = timedelta(minutes=1)
"""After this time, people who could not be looked up are looked up again."""

MANAGER = "manager"
"""The value of ESCALATE_TO that means the approver's manager in Coupa."""

NOBODY = Deciders((), is_certain=False)


class ClosingNoticePolicy(StrEnum):
    """Which people learn that a card of theirs is out of date: nobody, members of groups, or everybody."""

    NEVER = "never"
    GROUPS = "groups"
    ALWAYS = "always"


class Role(StrEnum):
    """The reason for a closing notice to one person, as the row keeps it."""

    SHOWN = "shown"
    REASSIGNED = "reassigned"
    ENDED = "ended"
    REQUESTER = "requester"


class MessageKind(StrEnum):
    """The kinds of messages."""

    ANNOUNCEMENT = "announcement"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    CLOSING = "closing"
    OUTCOME = "outcome"
    QUESTION = "question"
    ANSWER = "answer"


CARDS = (MessageKind.ANNOUNCEMENT, MessageKind.REMINDER)
"""The kinds that announce a pending approval; several to one reader fit into one message."""

DECIDING = (*CARDS, MessageKind.ANSWER)
"""The kinds of messages with buttons."""


@dataclass(frozen=True)
class Message:
    """One message to one person about one approval.

    Attributes:
        kind: its kind.
        person: the reader.
        role: of a closing notice, the reason for it.
        passes_on: the comments in Coupa that it passes on: a question, or its answers.
        decides: of an escalation, whether the reader is a decider, too.
    """

    kind: MessageKind
    person: Decider
    role: str = ""
    passes_on: tuple[Comment, ...] = ()
    decides: bool = False


Due = tuple[datetime, Message | None]
"""A message and its earliest hour; without a message, the hour at which the approval is checked again."""


@dataclass(frozen=True, kw_only=True)
class SweepPolicy:
    """The settings that decide which messages are sent.

    Attributes:
        cadence: the hours at which people may be disturbed.
        rules: decide what each person can do in chat.
        closing_policy: which people learn that a card of theirs is out of date.
        tells_requester: the requester learns how the document ended.
        escalate_to: who receives escalations: `manager`, or an address.
        silence: why the sweep sends nothing, `dry_run` or `baseline`; empty where it sends.
        since: when a sweep last saw everything; a new approval came later.
        began_at: when the bridge began, by Coupa's clock; approvals that were touched later are not backlog.
            None after the first run.
        reach: the people whom messages reach.
    """

    cadence: Cadence
    rules: Rules
    closing_policy: ClosingNoticePolicy
    tells_requester: bool
    escalate_to: str
    silence: str
    since: datetime
    began_at: datetime | None = None
    reach: Reach = ALL

    @property
    def tells_of_ends(self) -> bool:
        """Tell whether closing notices may be sent."""
        return self.silence != DRY_RUN and (
            self.closing_policy is not ClosingNoticePolicy.NEVER or self.tells_requester
        )


@dataclass(kw_only=True)
class FreshRead:
    """The data that was read after the claim; the reader fills it in step by step.

    Attributes:
        approval: as read; as listed where Coupa does not return it.
        is_known: Coupa returned it.
        document: None when Coupa does not return it.
        siblings: the document's open approvals, where they show whose turn it is; None when unread.
        deciders: of the approval.
        shared: addresses that belong to more than one user of Coupa.
        unknown: addresses that could not be looked up.
        known: the readers of closing notices and questions, as far as they could be looked up.
        managers: of the approver, where they receive escalations.
        is_outcome_told: this sweep has already told the requester how the document ended.
        asked: the keys of everybody whom a pending approval of the same document asks, read for rows that owe
            a closing notice; None when that could not be read.
        comments: on the document; None when they were not needed, or could not be read.
    """

    approval: Approval
    is_known: bool = False
    document: Document | None = None
    siblings: Sequence[Approval] | None = ()
    deciders: Deciders = NOBODY
    shared: Collection[str] = ()
    unknown: Collection[str] = ()
    known: ReachablePeople = field(default_factory=ReachablePeople)
    managers: ReachablePeople = field(default_factory=ReachablePeople)
    is_outcome_told: bool = False
    asked: Collection[str] | None = ()
    comments: Sequence[Comment] | None = None

    @property
    def is_pending(self) -> bool:
        """Tell whether Coupa still accepts a decision."""
        return self.is_known and self.approval.is_pending


@dataclass(frozen=True)
class ApprovalCase:
    """The input for the judgement of one approval.

    Attributes:
        entry: the claimed row.
        read: the data that was read after the claim.
        before: the state of the row before the claim; None when there was no row.
        policy: the policy of the deployment.
        now: aware UTC.
    """

    entry: Entry
    read: FreshRead
    before: State | None
    policy: SweepPolicy
    now: datetime

    @property
    def is_unsure(self) -> bool:
        """Tell whether a decider has an address that may belong to two users."""
        return any(person.address in self.read.unknown for person in self.read.deciders.people)

    def reached(self, people: Iterable[Decider]) -> list[Decider]:
        """Return the people whom messages reach."""
        return [each for each in people if self.policy.reach.has(each.address)]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The result of the judgement of one approval.

    Attributes:
        entry: the claimed row with its present deciders; in its next generation when the approval came back.
        approval: as read.
        document: as far as it can be shown.
        rest: the ledger's rule that ends the claim after all messages.
        messages: to be sent now, in no order.
        unsaid: the people who would be told now in a sweep that sends.
        again: when the remaining messages can be sent; None for never, or if `rest` decides.
        counts: for the summary.
        approver_key: the user or group whom Coupa asks.
        content: the hash of the signed content.
        version: the name of this content for this approver and generation.
        unread: why the card shows only type and number of the document; empty when it was read.
        facts: further information for the card; no decision depends on it.
    """

    entry: Entry
    approval: Approval
    document: Document | None
    rest: Callable[[Entry], Entry]
    messages: tuple[Message, ...] = ()
    unsaid: tuple[Decider, ...] = ()
    again: datetime | None = None
    counts: tuple[str, ...] = ()
    approver_key: str = ""
    content: str = ""
    version: str = ""
    unread: str = ""
    facts: Facts = NO_FACTS

    def with_due(self, dues: Iterable[Due], now: datetime, *, entry: Entry | None = None) -> Judged:
        """Add the messages that are due now; `again` is when the next of the others is due."""
        dues = list(dues)
        again = [self.again] if self.again else []
        return replace(
            self,
            entry=entry or self.entry,
            messages=(*self.messages, *(message for hour, message in dues if message and hour <= now)),
            again=min([*again, *(hour for hour, _ in dues if hour > now)], default=None),
        )

    def with_count(self, name: str) -> Judged:
        """Add a count for the summary, unless it has a message."""
        return self if self.messages else replace(self, counts=(*self.counts, name))

    def is_changed_for(self, person: Decider) -> bool:
        """Tell whether the person was shown other content of the same approver's approval before.

        Content that comes back unchanged, released from hold or opened again, is no change. A person who was
        told only the number sees no change either.
        """
        was = self.entry.to(person.key)
        if not was.version or was.figures == BARE or was.to != self.approver_key:
            return False
        rounds = (
            model.version(approver_key=self.approver_key, content=self.content, generation=number)
            for number in range(self.entry.generation + 1)
        )
        return not any(map(was.has, rounds))

    def row_after(self, entry: Entry, refused: Collection[str], *, cause: str, now: datetime) -> Entry:
        """Return the row after the messages; it is due again when the next message is.

        Args:
            entry: the claimed row as it was last written.
            refused: the people for whom Moveworks refused the notice.
            cause: the cause of the refusal.
            now: aware UTC.
        """
        row = ledger.held_back(entry, refused, cause=cause, now=now) if refused else self.rest(entry)
        if self.again is None or not (self.version or row.state is State.WAITING):
            return row  # the rule has set the time of the next try
        return replace(row, next_at=min(row.next_at or self.again, self.again))
