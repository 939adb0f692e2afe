"""What one claimed approval needs: its row and what was read become messages and the next row.

Pure: it asks nobody and writes nothing. Who is told of what, and at which hour, is decided here alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from coupa_core import authority, ledger, model
from coupa_core.addresses import same_address
from coupa_core.authority import Capacity, Circle, Decider, Rules
from coupa_core.cadence import Cadence
from coupa_core.content import digests
from coupa_core.directory import Known
from coupa_core.endings import NEWS, end_of, end_of_document, has_stopped
from coupa_core.errors import Denied, Refused
from coupa_core.facts import NO_FACTS, Facts
from coupa_core.ledger import (
    BASELINE,
    DIGEST,
    DRY_RUN,
    MAX_UNCERTAIN,
    MINIMAL_AFTER,
    PILOT,
    QUIET,
    STOPPED,
    Entry,
    State,
    Told,
)
from coupa_core.model import ON_HOLD, Approval, Comment, Document, Unreadable, stamp
from coupa_core.sweep.questions import MAX_ANSWERS, heard
from coupa_core.sweep.reach import ALL, Reach

MAX_CIRCLE = 200
"""People of one approval that are told: many more do not fit into a row, and are no group that approves."""

SETTLING = timedelta(seconds=10)
"""Coupa's stamps are whole seconds: what changed so lately is looked at once more."""

GRACE = timedelta(minutes=5)
"""What is first seen, or due again, so shortly after the hour of the digest still belongs to it.

Whoever is told in a digest is told some seconds after the hour, and so would be due the day after next.
"""

LOOK_AGAIN = timedelta(minutes=5)
"""At the latest after this, what waits for its turn or for a recipient is looked at again."""

LOOK_UP_AGAIN = timedelta(minutes=1)
"""After this, people who could not be looked up are looked up again."""

NOBODY_AGAIN = timedelta(hours=1)
"""After this, it is seen whether somebody can be reminded again who cannot be told now."""

LOOK_UP_FOR = timedelta(days=1)
"""So long after the end whoever cannot be looked up is tried again: then it is no news any more."""

MANAGER = "manager"
"""Stands for the approver's manager in Coupa, as the one who is told of a long wait."""

MISSING, HIDDEN = f"{model.UNREAD}missing", f"{model.UNREAD}hides_turn"
"""The causes of what cannot be shown: Coupa returns no document, or nobody can tell whose turn it is."""

NOBODY = Circle((), is_certain=False)


class Tells(StrEnum):
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


class Kind(StrEnum):
    """The kinds of messages."""

    ANNOUNCEMENT = "announcement"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    CLOSING = "closing"
    OUTCOME = "outcome"
    QUESTION = "question"
    ANSWER = "answer"


CARDS = (Kind.ANNOUNCEMENT, Kind.REMINDER)
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

    kind: Kind
    person: Decider
    role: str = ""
    passes_on: tuple[Comment, ...] = ()
    decides: bool = False


Due = tuple[datetime, Message | None]
"""What is said, and from when on; nothing where it is only to be seen then whether something can be."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a deployment wants.

    Attributes:
        cadence: when people are told.
        rules: what each person can do from chat.
        tells: who is told that a card has died.
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
    tells: Tells
    tells_requester: bool
    escalate_to: str
    silence: str
    since: datetime
    began_at: datetime | None = None
    reach: Reach = ALL

    @property
    def tells_of_ends(self) -> bool:
        """Tell whether anybody may be told how something ended."""
        return self.silence != DRY_RUN and (self.tells is not Tells.NEVER or self.tells_requester)


@dataclass(kw_only=True)
class Read:
    """What was read after the claim, filled in as it is read.

    Attributes:
        approval: as read, or as it was listed where Coupa does not know it.
        is_known: Coupa does.
        document: None when Coupa does not return it.
        siblings: the document's open approvals, where they tell whose turn it is; None when unread.
        circle: who may decide.
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
    circle: Circle = NOBODY
    shared: Collection[str] = ()
    unknown: Collection[str] = ()
    known: Known = field(default_factory=Known)
    managers: Known = field(default_factory=Known)
    is_outcome_told: bool = False
    asked: Collection[str] | None = ()
    comments: Sequence[Comment] | None = None

    @property
    def is_pending(self) -> bool:
        """Tell whether Coupa still takes a decision on it."""
        return self.is_known and self.approval.is_pending


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
        """Tell whether the person was told other content of the same approver's approval before.

        What came back as it was, released from hold or opened again, is no change.
        """
        was = self.entry.to(person.key)
        if not was.version or was.to != self.approver_key:
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


# ---------------------------------------------------------------------- the verdict


def judge(entry: Entry, read: Read, *, before: State | None, policy: Policy, now: datetime) -> Judged:
    """Say what one approval needs.

    Args:
        entry: the claimed row.
        read: what was read after the claim.
        before: the state of the row before the claim; None when there was no row.
        policy: of the deployment.
        now: aware UTC.
    """
    case = _Case(replace(entry, reach=policy.reach.mark), read, before, policy, now)
    if read.is_pending:
        return case.parting(case.pending(read.approval))
    return case.over((read.approval.status or "unknown") if read.is_known else "gone")


@dataclass(frozen=True)
class _Case:
    """One approval while it is judged; see `judge`."""

    entry: Entry
    read: Read
    before: State | None
    policy: Policy
    now: datetime

    def pending(self, approval: Approval) -> Judged:
        """Judge what waits."""
        document, unread = shown_of(self.entry, approval, self.read.document)
        if document is None:
            return replace(self._put_off(ledger.failed, unread, now=self.now), counts=("unread",))
        if self.entry.cause.startswith(model.UNREAD) and not (unread or isinstance(document, Unreadable)):
            # It can be read again: nothing counts against it.
            return replace(self, entry=replace(self.entry, cause="", failures=0)).pending(approval)
        cause = self._why_wait(approval, document)
        if cause:
            again = LOOK_UP_AGAIN if cause == "people_unread" else LOOK_AGAIN
            entry = self._stopped() if cause.startswith(STOPPED) else self.entry
            return replace(self._put_off(ledger.waiting, cause, until=self.now + again), entry=entry)
        rights = self.policy.rules.rights(self.read.circle, approval, document, shared=self.read.shared)
        recipients = [right.decider for right in authority.recipients(rights)]
        nobody = _why_nobody(approval, self.read.circle, recipients)
        if nobody == "shared_address" and self._is_unsure:
            return self._put_off(ledger.waiting, "people_unread", until=self.now + LOOK_UP_AGAIN)
        circle = Circle((), is_certain=True) if nobody == "group_too_large" else self.read.circle
        entry = ledger.deciding(self.entry, circle.keys, is_certain=circle.is_certain)
        if nobody:
            entry = _left_out(self.entry, entry, approval, tells=self.policy.tells)
            return replace(self._put_off(ledger.parked, nobody, now=self.now), entry=entry)
        if entry.has_ended:
            # It was over and is pending again: old tokens must not fit, and the approver is told anew.
            entry = ledger.next_round(entry)
        approver_key, (content, content_before) = approval.approver_key or "", digests(document)
        name, name_before = (
            model.version(approver_key=approver_key, content=each, generation=entry.generation)
            for each in (content, content_before)
        )
        entry = ledger.renamed(entry, old=name_before, new=name)
        judged = Judged(
            entry=_left_out(self.entry, entry, approval, tells=self.policy.tells),
            approval=approval,
            document=document,
            rest=partial(ledger.parked, cause=unread, now=self.now) if unread else ledger.sent,
            approver_key=approver_key,
            content=content,
            version=name,
            unread=unread,
        )
        return self._people(judged, recipients)

    def _people(self, judged: Judged, recipients: Sequence[Decider]) -> Judged:
        """Say who of the recipients is told now."""
        entry = judged.entry
        owed = [each for each in recipients if self._is_owed(judged, each)]
        if not owed and self._is_unsure:
            return self._put_off(ledger.waiting, "people_unread", until=self.now + LOOK_UP_AGAIN)
        if owed and entry.uncertain >= MAX_UNCERTAIN and self.before is not State.PARKED:
            return replace(self._put_off(ledger.parked, "unknown_outcomes", now=self.now), entry=entry)
        if self._is_silent:
            return self._unsaid(judged, owed)
        if owed:
            return self._telling(judged, owed, recipients)
        judged = self._once_more(judged, self._reached(recipients))
        return judged if judged.unread else judged.counted("unchanged")

    def _is_owed(self, judged: Judged, person: Decider) -> bool:
        """Tell whether somebody is to be told: of something new, or once more at an operator's word."""
        was = judged.entry.to(person.key)
        is_again = self.policy.reach.tells_again(was, person.address)
        return is_again or not was.has(judged.version)

    def _reached(self, people: Iterable[Decider]) -> list[Decider]:
        """Return those whom messages reach."""
        return [each for each in people if self.policy.reach.has(each.address)]

    def _unsaid(self, judged: Judged, owed: Sequence[Decider]) -> Judged:
        """Say what becomes of what would be told in a trial, or was there before the bridge began."""
        if not owed:
            return judged.counted("unchanged")
        rest = partial(ledger.waiting, cause=DRY_RUN, until=None)
        if self.policy.silence == BASELINE:
            keys = [each.key for each in owed]
            rest = partial(ledger.recorded, people=keys, version=judged.version)
        else:
            owed = self._reached(owed)
        return replace(judged, rest=rest, unsaid=tuple(owed))

    @property
    def _is_silent(self) -> bool:
        """Tell whether nobody is told of it: in a trial, or because it was there before the bridge began."""
        touched, began = stamp(self.read.approval.updated_at), self.policy.began_at
        is_news = touched is not None and began is not None and touched > began
        return bool(self.policy.silence) and not (is_news and self.policy.silence == BASELINE)

    @property
    def _is_unsure(self) -> bool:
        """Tell whether somebody may decide of whom nobody knows whether the address is theirs alone."""
        return any(person.address in self.read.unknown for person in self.read.circle.people)

    def _why_wait(self, approval: Approval, document: Document) -> str:
        """Say why nobody can be told yet; empty when somebody can."""
        if isinstance(document, Unreadable):
            return document.cause
        if has_stopped(document):
            status = document.status or ""
            return f"{STOPPED}{status if re.fullmatch(r'[a-z_]{1,40}', status) else 'otherwise'}"
        if self.read.siblings is None:
            return "turn_unread"
        if not model.has_turn(approval, document, self.read.siblings):
            return "not_your_turn"
        return "" if self.read.circle.people or self.read.circle.is_certain else "people_unread"

    def _stopped(self) -> Entry:
        """Return the row of what waits in a document that does not: a return begins a new round."""
        if not self.entry.is_told:
            return self.entry
        owed = farewells(self.entry, self.read, policy=self.policy)
        return ledger.owing(replace(ledger.next_round(self.entry), told={}), owed)

    def _put_off(self, rule: Callable[..., Entry], cause: str, **more: datetime) -> Judged:
        return Judged(
            entry=self.entry,
            approval=self.read.approval,
            document=self.read.document,
            rest=partial(rule, cause=cause, **more),
            counts=(cause,),
        )

    # ------------------------------------------------------------------ at which hour

    def _telling(self, judged: Judged, owed: Sequence[Decider], recipients: Sequence[Decider]) -> Judged:
        """Say who is told now, and when the others are: those asleep, and whom it was refused for.

        Those whom no message reaches are told when one does.
        """
        reached = self._reached(owed)
        now, entry = self.now, self._due(judged.entry, reached)
        hours = {each.key: self._hour(judged, entry, each) for each in reached}
        dues: list[Due] = [(hours[each.key], Message(Kind.ANNOUNCEMENT, each)) for each in reached]
        if self._is_unsure:
            dues.append((now + LOOK_UP_AGAIN, None))
        if hours and all((entry.to(key).retry_at or now) > now for key in hours):
            cause = entry.cause or "refused"
            rest = partial(ledger.held_back, people=list(hours), cause=cause, now=now)
            judged = replace(judged, rest=rest)
        elif any(hour > now for hour in hours.values()):
            waits_for_digest = min(hours.values()) > now and (entry.due_at or now) > now
            cause = DIGEST if waits_for_digest else QUIET
            judged = replace(judged, rest=partial(ledger.waiting, cause=cause, until=None))
        elif len(reached) < len(owed) and not judged.unread:
            judged = replace(judged, rest=ledger.reserved)
        told = [each for each in self._reached(recipients) if each.key not in hours]
        judged = self._once_more(judged.saying(dues, now, entry=entry), told, owed=hours)
        return judged.counted("not_the_hour" if hours else PILOT)

    def _due(self, entry: Entry, owed: Sequence[Decider]) -> Entry:
        """Note of what is new for which digest it waits."""
        cadence = self.policy.cadence
        if cadence.digest_at is None or not owed:
            return replace(entry, due_at=None)
        if entry.due_at is not None:
            return entry
        began = min(self.policy.since + timedelta.resolution, self.now - GRACE)
        return replace(entry, due_at=min(cadence.announce_at(each.address, began) for each in owed))

    def _hour(self, judged: Judged, entry: Entry, person: Decider) -> datetime:
        """Return when somebody may be told; what is needed soon at any hour."""
        cadence, now = self.policy.cadence, self.now
        needed_on = judged.document.needed_on if judged.document else None
        hour = now
        if not cadence.is_urgent(needed_on, person.address, now):
            hour = cadence.told_at(needed_on, person.address, max(now, entry.due_at or now))
        return max(hour, entry.to(person.key).retry_at or now)

    def _once_more(self, judged: Judged, told: Sequence[Decider], *, owed: Collection[str] = ()) -> Judged:
        """Add who is reminded, by what they were told themselves, and who hears of their silence.

        Args:
            judged: so far.
            told: who was told this version.
            owed: the keys of those who are told it now or later.
        """
        entry, people = judged.entry, {each.key: each for each in told}
        late = {
            key: was
            for key, was in entry.told.items()
            if key not in owed and any(due <= self.now for due in _reminders(entry, was, self.policy.cadence))
        }
        reminders = (self._reminder(people.get(key), entry, was) for key, was in late.items())
        dues = [due for due in reminders if due]
        if must_escalate(entry, self.policy.cadence, self.now):
            due = self._escalation(judged)
            dues += [due] if due else []
            entry = entry if due else ledger.escalated(entry, now=self.now)  # there is nobody to tell
        return self._asking(judged.saying(dues, self.now, entry=entry), people, owed)

    def _asking(self, judged: Judged, told: Mapping[str, Decider], owed: Collection[str]) -> Judged:
        """Add who is told of a question, and who hears an answer.

        Args:
            judged: so far.
            told: who was told this version, by key.
            owed: the keys of those who are told it now or later.
        """
        entry, comments, again = judged.entry, self.read.comments, self.now + LOOK_AGAIN
        is_sensitive = judged.document is not None and judged.document.is_sensitive
        if not entry.questions or judged.unread or is_sensitive:
            return judged
        if comments is None:
            return judged.saying([(again, None)], self.now)
        if entry.uncertain >= MAX_UNCERTAIN:  # whoever asked may have got it each time
            return replace(judged, entry=replace(entry, questions={}))
        is_certain = self.read.circle.is_certain and not self._is_unsure
        unreached = self.read.circle.keys - {each.key for each in self._reached(self.read.circle.people)}
        found = heard(entry, comments, told=told, others={*owed, *unreached}, is_certain=is_certain)
        dues: list[Due] = [(again, None)] if found.waits else []
        for key, said in found.answers.items():
            hour = self.policy.cadence.open_at(told[key].address, self.now)
            dues.append((hour, Message(Kind.ANSWER, told[key], passes_on=tuple(said[-MAX_ANSWERS:]))))
        entry = ledger.answered(entry, found.over)
        for number in found.hidden:  # deleted, or not shown by the list: an answer to it is no answer
            entry = ledger.put(entry, number)
        for question in found.put:
            due = self._question(entry.questions[question.id or 0].of, question)
            dues += [due] if due else []
            entry = entry if due else ledger.put(entry, question.id or 0)
        return judged.saying(dues, self.now, entry=entry)

    def _question(self, key: str, question: Comment) -> Due | None:
        """Return when somebody is told what they are asked; None where the chat cannot reach them."""
        person, why = self.read.known.people.get(key), self.read.known.unknown.get(key)
        if why is not None and not isinstance(why, Denied | Refused):
            return self.now + LOOK_AGAIN, None
        if person is None or not self.policy.reach.has(person.address):
            return None
        hour = self.policy.cadence.open_at(person.address, self.now)
        return hour, Message(Kind.QUESTION, person, passes_on=(question,))

    def _reminder(self, person: Decider | None, entry: Entry, was: Told) -> Due | None:
        """Return when somebody is reminded next; who cannot be told now, perhaps later; None for never."""
        if person is None:
            return self.now + NOBODY_AGAIN, None
        cadence = self.policy.cadence
        due = min(_reminders(entry, was, cadence, person.address), default=None)
        if due is None:
            return None  # it was somebody else's morning
        hour = max(cadence.announce_at(person.address, due), cadence.open_at(person.address, self.now))
        return hour, Message(Kind.REMINDER, person)

    def _escalation(self, judged: Judged) -> Due | None:
        """Return when who is told of the wait; None for nobody. A change that is told now comes first."""
        managers, key = self.read.managers, judged.approver_key
        if judged.messages or key in managers.unknown:
            return self.now + LOOK_AGAIN, None
        boss = managers.people.get(key)
        if self.policy.escalate_to != MANAGER:
            boss = Decider("", self.policy.escalate_to, "", "", Capacity.APPROVER)
        opening = self.policy.cadence.open_at("", self.now)
        if opening > self.now:
            return opening, None
        if boss is None:
            return None
        if not self.policy.reach.has(boss.address):
            return self.now + NOBODY_AGAIN, None
        decides = any(same_address(each.address, boss.address) for each in self.read.circle.people)
        return opening, Message(Kind.ESCALATION, boss, decides=decides)

    # ------------------------------------------------------------------ that it is over

    def over(self, cause: str) -> Judged:
        """Judge what no longer waits: the row stays open until those know who are to know."""
        entry, read = self.entry, self.read
        owed = farewells(entry, read, policy=self.policy)
        entry = replace(entry, questions={})  # there is nothing left to decide
        rest = partial(ledger.closed, cause=cause, now=self.now)
        if not owed or entry.uncertain >= MAX_UNCERTAIN:
            return Judged(entry=entry, approval=read.approval, document=read.document, rest=rest)
        if not entry.ended_as:
            entry = replace(entry, ended_as=cause, closed_at=self.now)
        entry = ledger.owing(replace(entry, farewell={}), owed)
        judged = Judged(
            entry=entry,
            approval=read.approval,
            document=read.document,
            rest=partial(_closed, now=self.now),
        )
        judged = self.parting(judged)
        return judged.counted("not_the_hour") if judged.again else judged

    def parting(self, judged: Judged) -> Judged:
        """Add who is told that it is over for them; who cannot be told, or knows, is not waited for."""
        if self.policy.silence == DRY_RUN:
            return judged
        owed = _of_others(judged.entry.farewell, self.read)
        dues = {key: self._farewell(judged, key, role) for key, role in owed.items()}
        entry = replace(judged.entry, farewell={key: role for key, role in owed.items() if dues[key]})
        return judged.saying([due for due in dues.values() if due], self.now, entry=entry)

    def _farewell(self, judged: Judged, key: str, role: str) -> Due | None:
        """Return when somebody is told that it is over; None where that is not possible, or not needed."""
        entry, person, why = judged.entry, self.read.known.people.get(key), self.read.known.unknown.get(key)
        is_late = entry.closed_at is not None and self.now >= entry.closed_at + LOOK_UP_FOR
        if why is not None and not isinstance(why, Denied | Refused) and not is_late:
            return self.now + LOOK_AGAIN, None
        if person is None or _knows(person, entry, judged) or not self.policy.reach.has(person.address):
            return None
        if self.read.asked is None and role != Role.REQUESTER:
            return None if is_late else (self.now + LOOK_AGAIN, None)
        kind = Kind.OUTCOME if role == Role.REQUESTER else Kind.CLOSING
        return self.policy.cadence.open_at(person.address, self.now), Message(kind, person, role)


def _closed(entry: Entry, *, now: datetime) -> Entry:
    if entry.farewell:
        return ledger.waiting(entry, cause=QUIET, until=None)
    return ledger.closed(entry, cause=entry.ended_as, now=now)


# ---------------------------------------------------------------------- what is shown, and to whom


def shown_of(entry: Entry, approval: Approval, document: Document | None) -> tuple[Document | None, str]:
    """Return the document as far as it can be shown, and why no more of it can.

    Whoever has to decide is told at least that something waits, and where, when it could not be read for
    more than half an hour.

    Returns:
        No document while it is tried again, and the cause; only type and number after that.
    """
    cause = ""
    if document is None:
        cause = MISSING
    elif isinstance(document, Unreadable):
        cause = document.cause if document.is_at_fault else ""
    elif document.kind is not model.Kind.OTHER and document.hides_turn(approval.id):
        cause = HIDDEN
    if not cause:
        return document, ""
    if entry.failures < MINIMAL_AFTER:
        return None, cause
    kind, number = approval.document_key
    # Under the number of the approval itself no link may lead to the document of somebody else.
    return Document(type=kind, id=number) if number else Document(id=approval.id), cause


def _why_nobody(approval: Approval, circle: Circle, recipients: Collection[Decider]) -> str:
    """Say why nobody can be told; empty when somebody can."""
    if approval.approver_key is None or not circle.people:
        return "no_recipient"
    if len(circle.people) > MAX_CIRCLE:
        return "group_too_large"
    return "" if recipients else "shared_address"


def _left_out(before: Entry, after: Entry, approval: Approval, *, tells: Tells) -> Entry:
    """Note who was shown the approval and may not decide it any more, where they are to be told."""
    if tells is not Tells.ALWAYS:
        return after
    gone = {
        key: Role.ENDED if approval.approver_key == was.to else Role.REASSIGNED
        for key, was in before.told.items()
        if was.version and was.to and key not in after.told
    }
    if not after.told:
        # Nobody is left who could be told: that is not how it ends.
        gone = {key: role for key, role in gone.items() if role is not Role.ENDED}
    return ledger.owing(after, gone) if gone else after


def farewells(entry: Entry, read: Read, *, policy: Policy) -> dict[str, str]:
    """Return who is to be told that it is over, as what; of what waits, at least those.

    Of what is over: those who were shown it, and whoever asked for it. Nobody whom the document asks again.
    """
    if policy.silence == DRY_RUN:
        return {}
    return _of_others(_owed_farewells(entry, read, policy), read)


def _of_others(owed: Mapping[str, str], read: Read) -> dict[str, str]:
    """Return the farewells without those whom the document still asks, now or in a later step."""
    asked = () if has_stopped(read.document) else read.asked or ()
    return {key: role for key, role in owed.items() if role == Role.REQUESTER or key not in asked}


def _owed_farewells(entry: Entry, read: Read, policy: Policy) -> dict[str, str]:
    approval, document, owed = read.approval, read.document, dict(entry.farewell)
    if read.is_pending and not has_stopped(document):
        after = ledger.deciding(entry, read.circle.keys, is_certain=read.circle.is_certain)
        return dict(_left_out(entry, after, approval, tells=policy.tells).farewell)
    if entry.ended_as:
        return owed
    for key, was in entry.told.items():
        is_told = policy.tells is Tells.ALWAYS or (
            policy.tells is Tells.GROUPS and was.to.startswith("group:")
        )
        if is_told and was.version and was.to:
            owed[key] = Role.SHOWN
    asker = document.requested_by if document else None
    is_news = policy.tells_requester and not (read.is_outcome_told or read.is_pending)
    if is_news and asker and asker.key and end_of_document(document, [approval]).ending in NEWS:
        owed[asker.key] = Role.REQUESTER
    return owed


def _knows(person: Decider, entry: Entry, judged: Judged) -> bool:
    """Tell whether the person decided it, or its document, or put it on hold.

    Of a hold Coupa has nobody as who decided: it was whoever touched it last, where that is somebody who may
    decide and no job of Coupa's, or else, as far as anybody knows, whom Coupa asks.
    """
    if same_address(entry.decided_by, person.address):
        return True
    approval = judged.approval
    by = end_of(approval, judged.document).key
    if by is None and approval.status == ON_HOLD and not entry.decided_by:
        last = approval.updated_by.key if approval.updated_by else None
        by = last if last in entry.told else approval.approver_key
    return by == person.key


def seen(entry: Entry, approval: Approval, document: Document | None, now: datetime) -> Entry:
    """Note in the row what was looked at: the next sweep can tell what was touched since, and what is due."""
    days = entry.wanted_by
    if document is not None and not isinstance(document, Unreadable):
        days = document.wanted_by
    return replace(
        entry,
        document_type=approval.approvable_type or "",
        document_id=approval.approvable_id,
        seen_approval=_settled(approval.updated_at, now),
        seen_document=_settled(document.updated_at, now) if document else "",
        wanted_by=days,
    )


def _settled(text: str | None, now: datetime) -> str:
    """Return a stamp; nothing for one so young that another change in its second would not show."""
    time = stamp(text)
    return "" if time is not None and time > now - SETTLING else text or ""


# ---------------------------------------------------------------------- what is due once more


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


def _dues(entry: Entry, cadence: Cadence) -> list[datetime]:
    """Return since when people are silent for too long, and when that is escalated."""
    dues = [_reminder_at(each, cadence) for each in entry.told.values()]
    return [due for due in (*dues, _escalation_at(entry, cadence)) if due is not None]


def _reminders(entry: Entry, told: Told, cadence: Cadence, address: str | None = None) -> list[datetime]:
    """Return when somebody is reminded next: of their silence, and of a day that comes near.

    Args:
        entry: the row.
        told: what they were told of it.
        cadence: when people are told.
        address: theirs, for their own calendar; None for that of whoever comes first.
    """
    dues = (_reminder_at(told, cadence), _countdown_at(entry, told, cadence, address=address))
    return [due for due in dues if due is not None]


def _reminder_at(told: Told, cadence: Cadence) -> datetime | None:
    last = told.last_words_at
    due = cadence.reminder_at(last=last, reminders=told.reminders) if last else None
    return due - GRACE if due and cadence.digest_at else due


def _countdown_at(
    entry: Entry, told: Told, cadence: Cadence, *, address: str | None = None, after: datetime | None = None
) -> datetime | None:
    last = told.last_words_at
    if last is None:
        return None
    return cadence.countdown_at(entry.wanted_by, last=last, address=address, after=after)


def _escalation_at(entry: Entry, cadence: Cadence) -> datetime | None:
    if entry.first_told_at is None or entry.escalated_at is not None:
        return None
    return cadence.escalation_at(first=entry.first_told_at)
