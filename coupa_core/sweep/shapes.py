"""The shapes of a judgement: the policy and what was read go in; messages and the next row come out."""

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
"""People of one approval that are told: many more do not fit into a row, and are no group that approves."""

LOOK_AGAIN = timedelta(minutes=5)
"""At the latest after this, what waits for its turn or for a recipient is looked at again."""

LOOK_UP_AGAIN = timedelta(minutes=1)
"""After this, people who could not be looked up are looked up again."""

MANAGER = "manager"
"""Stands for the approver's manager in Coupa, as the one who is told of a long wait."""

NOBODY = Deciders((), is_certain=False)


class ClosingNoticePolicy(StrEnum):
    """Who is told that a card which was shown has died: nobody, groups only, everybody."""

    NEVER = "never"
    GROUPS = "groups"
    ALWAYS = "always"


class Role(StrEnum):
    """As what somebody is told that it is over, as the row keeps it."""

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
"""The kinds that tell somebody that something waits; several of one reader fit into one message."""

DECIDING = (*CARDS, MessageKind.ANSWER)
"""The kinds by which somebody can decide."""


@dataclass(frozen=True)
class Message:
    """Something to be said to somebody about one approval.

    Attributes:
        kind: what sort of message it is.
        person: who reads it.
        role: the reader's, where it is over.
        passes_on: the comments of others that it is about: a question, or its answer.
        decides: whoever hears of somebody's silence may decide it, too.
    """

    kind: MessageKind
    person: Decider
    role: str = ""
    passes_on: tuple[Comment, ...] = ()
    decides: bool = False


Due = tuple[datetime, Message | None]
"""What is said, and from when on; nothing where it is only to be seen then whether something can be."""


@dataclass(frozen=True, kw_only=True)
class SweepPolicy:
    """What a deployment wants.

    Attributes:
        cadence: when people are told.
        rules: what each person can do from chat.
        closing_policy: who is told that a card has died.
        tells_requester: whoever asked for a purchase is told how it ended.
        escalate_to: who is told of a long wait: `manager`, or an address.
        silence: why nobody is told anything, `dry_run` or `baseline`; empty where people are told.
        since: when everything was last seen: what is new came after it.
        began_at: when the bridge began, by Coupa's clock: what was touched later is no backlog; None for long
            ago.
        reach: whom messages reach.
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
        """Tell whether anybody may be told how something ended."""
        return self.silence != DRY_RUN and (
            self.closing_policy is not ClosingNoticePolicy.NEVER or self.tells_requester
        )


@dataclass(kw_only=True)
class FreshRead:
    """What was read after the claim, filled in as it is read.

    Attributes:
        approval: as read, or as it was listed where Coupa does not know it.
        is_known: Coupa does.
        document: None when Coupa does not return it.
        siblings: the document's open approvals, where they tell whose turn it is; None when unread.
        deciders: who may decide.
        shared: addresses that belong to more than one user of Coupa.
        unknown: addresses of which nobody can tell.
        known: whom of those the chat can reach who are to hear that it is over, or what they are asked.
        managers: of whom Coupa asks, where a long wait is told to them.
        is_outcome_told: this sweep has told the requester how the document ended.
        asked: the keys of those whom any pending approval of the same document asks, read for rows that owe a
            farewell; None when nobody can tell.
        comments: on the document; None when they could not be read, or nobody wants to know them.
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
        """Tell whether Coupa still takes a decision on it."""
        return self.is_known and self.approval.is_pending


@dataclass(frozen=True)
class ApprovalCase:
    """One approval while it is judged.

    Attributes:
        entry: the claimed row.
        read: what was read after the claim.
        before: the state of the row before the claim; None when there was no row.
        policy: of the deployment.
        now: aware UTC.
    """

    entry: Entry
    read: FreshRead
    before: State | None
    policy: SweepPolicy
    now: datetime

    @property
    def is_unsure(self) -> bool:
        """Tell whether somebody may decide of whom nobody knows whether the address is theirs alone."""
        return any(person.address in self.read.unknown for person in self.read.deciders.people)

    def reached(self, people: Iterable[Decider]) -> list[Decider]:
        """Return those whom messages reach."""
        return [each for each in people if self.policy.reach.has(each.address)]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What becomes of one approval.

    Attributes:
        entry: the claimed row, with those who may decide now; in its next round when the approval came back.
        approval: as read.
        document: the same, as far as it can be shown.
        rest: how the claim ends when everything has been said, as a rule of the ledger.
        messages: what is said now, in no order.
        unsaid: who would be told now if anybody were.
        again: when the rest can be said; None for never, or for the ledger's rule to say.
        counts: for the summary.
        approver_key: whom Coupa asks.
        content: digest of the document.
        version: what the row remembers.
        unread: why only type and number of the document are shown; empty when it was read.
        facts: what is known beside the document; they decide nothing.
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

    def saying(self, dues: Iterable[Due], now: datetime, *, entry: Entry | None = None) -> Judged:
        """Return it with more to say: what is due now, and again when the next of the others is."""
        dues = list(dues)
        again = [self.again] if self.again else []
        return replace(
            self,
            entry=entry or self.entry,
            messages=(*self.messages, *(message for hour, message in dues if message and hour <= now)),
            again=min([*again, *(hour for hour, _ in dues if hour > now)], default=None),
        )

    def counted(self, name: str) -> Judged:
        """Return it with a count for the summary, where nothing is said."""
        return self if self.messages else replace(self, counts=(*self.counts, name))

    def is_changed_for(self, person: Decider) -> bool:
        """Tell whether the person was shown other content of the same approver's approval before.

        What came back as it was, released from hold or opened again, is no change. Nor is anything to
        somebody who was told its number only.
        """
        was = self.entry.to(person.key)
        if not was.version or was.facts == BARE or was.to != self.approver_key:
            return False
        rounds = (
            model.version(approver_key=self.approver_key, content=self.content, generation=number)
            for number in range(self.entry.generation + 1)
        )
        return not any(map(was.has, rounds))

    def ended(self, entry: Entry, refused: Collection[str], *, cause: str, now: datetime) -> Entry:
        """Return the row after the messages; what is left is looked at again at its hour.

        Args:
            entry: the claimed row as it was last written.
            refused: who takes no notice of it now.
            cause: why not.
            now: aware UTC.
        """
        row = ledger.held_back(entry, refused, cause=cause, now=now) if refused else self.rest(entry)
        if self.again is None or not (self.version or row.state is State.WAITING):
            return row  # a rule of its own says when it is tried again
        return replace(row, next_at=min(row.next_at or self.again, self.again))
