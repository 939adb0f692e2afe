"""Send all messages of a sweep, and write the outcome of each into its row.

Many messages to one person become one. The row records a new notice after Moveworks accepted it: after a
crash the notice may come twice, and is never lost. The row records a reminder or an escalation before it is
sent: after a crash it may be lost, and never comes twice.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial

from coupa_core.clock import Deadline
from coupa_core.errors import Refused, ServiceError, Throttled, Unavailable, Unknown
from coupa_core.ledger import (
    Entry,
    State,
    answered,
    closing_done,
    delivered,
    escalated,
    not_reminded,
    put,
    refused,
    reminded,
)
from coupa_core.notice import Notice
from coupa_core.parallel import map_parallel
from coupa_core.sweep.compose import MessageItem, compose, is_short, shown_facts
from coupa_core.sweep.dependencies import Progress, SweepDependencies, SweepRows
from coupa_core.sweep.questions import closed_by
from coupa_core.sweep.shapes import CARDS, DECIDING, Judged, Message, MessageKind

DEFAULT_PAUSE_S = 60.0

NEWS = (
    MessageKind.CLOSING,
    MessageKind.OUTCOME,
    MessageKind.ESCALATION,
    MessageKind.QUESTION,
    MessageKind.ANSWER,
)
"""The kinds that go out before cards: information only, and an answer with its card."""

ALONE = (MessageKind.ANSWER,)
"""The kinds that are never joined with others: they have buttons."""

MARKED_FIRST = (MessageKind.REMINDER, MessageKind.ESCALATION)
"""The kinds that the row records before they are sent."""

NEVER = sys.maxsize
"""The limit where messages to one person are never joined."""

logger = logging.getLogger(__name__)


class SendStatus(StrEnum):
    """How a send ended."""

    SENT = "sent"
    REFUSED = "refused"
    """Moveworks refused this notice; nothing was sent."""
    UNKNOWN = "unknown"
    """The notice may have arrived."""
    UNSENT = "unsent"
    """Nothing was sent, for a reason that is not the notice's."""


@dataclass(frozen=True)
class SendResult:
    """How a send ended, and the cause where it failed."""

    status: SendStatus
    cause: str = ""


@dataclass
class Delivery:
    """The messages of one approval under our claim, while they are sent.

    Attributes:
        judged: the judgement.
        entry: the row as it was last written.
        owed: the messages that are not sent yet.
        refused: the keys of the people for whom Moveworks refused the notice.
        cause: of the last refusal.
        is_begun: the row records what must be recorded before sending.
        is_over: nothing is left to do, or the claim is lost.
    """

    judged: Judged
    entry: Entry
    owed: list[Message]
    refused: list[str] = field(default_factory=list)
    cause: str = ""
    is_begun: bool = False
    is_over: bool = False

    def has(self, *kinds: MessageKind) -> bool:
        """Tell whether a message of these kinds is not sent yet."""
        return not self.is_over and any(message.kind in kinds for message in self.owed)

    def keys(self, kind: MessageKind) -> list[str]:
        """Return the keys of the readers of one kind that is not sent yet."""
        return [message.person.key for message in self.owed if message.kind is kind]

    def order(self, today: date) -> tuple[date, int]:
        """Return its place in a list: by wanted day, then by id."""
        document = self.judged.document
        return ((document.wanted_on(today) if document else None) or date.max, self.entry.approval_id)


Letter = list[tuple[Delivery, Message]]
"""The messages that one person gets as one."""


# ---------------------------------------------------------------------- outcome and row


_Change = Callable[[Delivery, Message, datetime], Entry]


def _unchanged(case: Delivery, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    return case.entry


def _told(case: Delivery, message: Message, now: datetime) -> Entry:
    judged, key = case.judged, message.person.key
    facts = shown_facts(MessageItem(message, judged, case.entry))
    return delivered(
        case.entry, person=key, version=judged.version, to=judged.approver_key, now=now, facts=facts
    )


def _refused(case: Delivery, message: Message, now: datetime) -> Entry:
    # A refused address does not keep the other members of a group from being told.
    case.refused.append(message.person.key)
    return refused(case.entry, message.person.key, now=now)


def _heard(case: Delivery, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    return closing_done(case.entry, message.person.key)


def _put(case: Delivery, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    return put(case.entry, message.passes_on[0].id or 0)


def _answered(case: Delivery, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    key = message.person.key
    return answered(case.entry, closed_by(case.entry, key, message.passes_on), person=key)


_ONCE: dict[SendStatus, _Change] = {
    SendStatus.SENT: _unchanged,
    SendStatus.REFUSED: _unchanged,
    SendStatus.UNKNOWN: _unchanged,
}
_LAST: dict[SendStatus, _Change] = {
    SendStatus.SENT: _heard,
    SendStatus.REFUSED: _heard,
    SendStatus.UNKNOWN: _heard,
}

SETTLED: dict[MessageKind, dict[SendStatus, _Change]] = {
    MessageKind.ANNOUNCEMENT: {SendStatus.SENT: _told, SendStatus.REFUSED: _refused},
    MessageKind.REMINDER: _ONCE,
    MessageKind.ESCALATION: _ONCE,
    MessageKind.CLOSING: _LAST,
    MessageKind.OUTCOME: _LAST,
    MessageKind.QUESTION: {SendStatus.SENT: _put, SendStatus.REFUSED: _put, SendStatus.UNKNOWN: _put},
    MessageKind.ANSWER: {SendStatus.SENT: _answered, SendStatus.REFUSED: _refused},
}
"""How the row changes, by the kind of message and the outcome of the send.

A message without an entry is still owed. Where it may have arrived, the claim stays until its lease ends, so
that a second message is rare and late. Where it was surely not sent, the claim is given back, and a record
that was made before is undone.
"""


def _is_new(message: Message) -> bool:
    return message.kind is MessageKind.ANNOUNCEMENT


def _with(cases: Sequence[Delivery], *kinds: MessageKind) -> list[Delivery]:
    return [case for case in cases if case.has(*kinds)]


# ---------------------------------------------------------------------- the outbox


@dataclass
class Outbox:
    """The sender of one sweep.

    Attributes:
        over: more messages than this to one person become one; `NEVER` for no limit. All reminders to one
            person count as one.
        deadline: for all sending.
        suspect: the last send failed or has an unknown outcome.
        paused_until: nothing is sent before; None when there is no pause.
    """

    deps: SweepDependencies
    progress: Progress
    rows: SweepRows
    over: int
    deadline: Deadline
    suspect: bool
    paused_until: datetime | None
    _may: bool | None = None
    _messages: Counter[str] = field(default_factory=Counter)

    def alone(self, judged: Sequence[Judged]) -> set[int]:
        """Return the ids of the approvals that somebody gets as a whole card."""
        cases = [Delivery(one, one.entry, list(one.messages)) for one in judged]
        together = {
            (id(case), id(message)) for letter in self._crowds(cases, CARDS) for case, message in letter
        }
        return {
            case.judged.approval.id
            for case in cases
            for message in case.owed
            if message.kind in DECIDING and (id(case), id(message)) not in together
            if not is_short(case.entry, message.person)
        }

    def deliver(self, judged: Sequence[Judged], *, behind: int = 0) -> None:
        """Send all messages and end each claim; no approval of a large group delays the others.

        First one message about each approval goes out; more of them only while there is room for those
        behind. A later sweep tells the remaining people.

        Args:
            judged: the judgements.
            behind: how many approvals wait behind these.
        """
        cases = [Delivery(one, one.entry, list(one.messages)) for one in judged]
        self._each([case for case in cases if not case.owed], self._end, workers=self.deps.workers)
        today = self.deps.clock.now().date()
        cases = sorted((case for case in cases if case.owed), key=lambda case: case.order(today))
        for letter in self._crowds(cases, NEWS):
            self._say(letter)
        self._each(_with(cases, *NEWS), lambda case: self._all(case, NEWS))
        self._deliver_cards(_with(cases, *CARDS), behind)

    def _deliver_cards(self, cases: Sequence[Delivery], behind: int) -> None:
        crowds = self._crowds(cases, CARDS)
        together = {id(case) for letter in crowds for case, message in letter if _is_new(message)}
        new = _with(cases, MessageKind.ANNOUNCEMENT)
        self._each([case for case in new if id(case) not in together], self._next)
        for letter in crowds:
            self._say(letter)
        while new := _with(new, MessageKind.ANNOUNCEMENT):
            # The approvals behind may need all messages that this sweep can still send.
            must_yield = behind > 0 and 0 < self.room() < behind + len(new)
            leave = partial(self._give_back, cause="others_first")
            self._each(new, leave if must_yield else self._next)
        self._each(_with(cases, *CARDS), lambda case: self._all(case, CARDS))

    def _each(
        self, cases: Sequence[Delivery], work: Callable[[Delivery], None], *, workers: int | None = None
    ) -> None:
        """Work on each; one that fails is over, and stops no other."""

        def isolated(case: Delivery) -> None:
            def done() -> bool:
                work(case)
                return True

            if self.rows.isolate_errors(case.entry, done) is None:
                case.is_over = True

        # After a failed send one message goes alone first, so that a failure affects no other.
        map_parallel(isolated, cases, workers=workers or (1 if self.suspect else self.deps.workers))

    def _crowds(self, cases: Sequence[Delivery], kinds: Collection[MessageKind]) -> list[Letter]:
        """Return the messages that are joined, by person; a notice that was refused before goes alone."""
        found: dict[tuple[object, ...], Letter] = defaultdict(list)
        for case in _with(cases, *kinds):
            for message in case.owed:
                person, is_card = message.person, message.kind in CARDS
                is_refused = bool(case.entry.failures or case.entry.to(person.key).refusals)
                is_alone = message.kind in ALONE or (is_card and is_refused)
                if message.kind in kinds and not is_alone:
                    found[is_card or message.kind, person.key, person.address].append((case, message))
        return [letter for some in found.values() if (letter := self._together(some))]

    def _together(self, some: Letter) -> Letter:
        """Return the messages of one person that are joined: all if they are too many, else the reminders."""
        again = [(case, message) for case, message in some if message.kind is MessageKind.REMINDER]
        messages = len(some) - max(len(again) - 1, 0)
        if messages > self.over:
            return some
        return again if len(again) > 1 and self.over < NEVER else []

    def _all(self, case: Delivery, kinds: Collection[MessageKind]) -> None:
        while case.has(*kinds):
            self._say([(case, next(message for message in case.owed if message.kind in kinds))])

    def _next(self, case: Delivery) -> None:
        """Send one notice, to the decider who got the fewest messages in this sweep."""
        news = [message for message in case.owed if message.kind is MessageKind.ANNOUNCEMENT]
        message = min(news, key=lambda one: self._messages[one.person.key])
        self._messages[message.person.key] += 1
        self._say([(case, message)])

    # ------------------------------------------------------------------ one message

    def _say(self, letter: Letter) -> None:
        """Send one message under the claims of all its approvals, and write the outcome into each row."""
        marked = [case for case, message in letter if message.kind in MARKED_FIRST and not case.is_begun]
        self._each(marked, self._begin, workers=self.deps.workers)
        letter = [(case, message) for case, message in letter if not case.is_over]
        result = self._sent(letter) if letter else None
        if result is None:
            return
        if result.status is SendStatus.REFUSED and 1 < len(letter) <= self.over:
            # One of a few may be at fault: each reminder goes alone now, since it would not come again.
            letter = [(case, message) for case, message in letter if message.kind is not MessageKind.REMINDER]
        message_of = {id(case): message for case, message in letter}
        cases = [case for case, _ in letter]
        self._each(
            cases, lambda case: self._settle(case, message_of[id(case)], result), workers=self.deps.workers
        )

    def _begin(self, case: Delivery) -> None:
        """Record reminders and escalations before they are sent."""
        now = self.deps.clock.now()
        entry = reminded(case.entry, case.keys(MessageKind.REMINDER), now=now)
        case.is_begun = True
        self._write(case, escalated(entry, now=now) if case.has(MessageKind.ESCALATION) else entry)

    def _sent(self, letter: Letter) -> SendResult | None:
        """Compose and send the message; None when several cannot be joined, and each must go alone."""
        is_card, is_one = letter[0][1].kind in CARDS, len(letter) == 1
        try:
            notice = compose(
                [MessageItem(message, case.judged, case.entry) for case, message in letter], self.deps
            )
        except Exception:
            if is_card and is_one:
                raise  # the failure counts against the approval
            logger.exception("%s spoiled approvals=%d", "message" if is_one else "digest", len(letter))
            self.progress.count("spoiled", is_one)
            return SendResult(SendStatus.REFUSED, "spoiled") if is_one else None
        self.progress.count("digests", is_card and not is_one)
        result = self._send(notice, [case.entry for case, _ in letter])
        for case, message in letter if result.status is not SendStatus.UNSENT else ():
            first = "" if is_one else "digest"
            self.rows.note_notice(
                case.entry,
                message.person,
                verb=first if _is_new(message) else message.kind,
                outcome=result.status,
                cause=result.cause,
                version=case.judged.version,
                digest=case.judged.content,
            )
        return result

    def _settle(self, case: Delivery, message: Message, result: SendResult) -> None:
        """Write the outcome into the row, as `SETTLED` says; the last message ends the claim."""
        change = SETTLED[message.kind].get(result.status)
        if result.status is SendStatus.UNSENT:
            self._give_back(case, result.cause)
        elif change is None:
            case.is_over = True
        else:
            before, case.entry = case.entry, change(case, message, self.deps.clock.now())
            case.cause = result.cause or case.cause
            case.owed.remove(message)
            if case.entry is not before and (case.owed or message.kind is not MessageKind.ANNOUNCEMENT):
                self._write(case, case.entry)
            if not case.owed and not case.is_over:
                self._end(case)

    def _end(self, case: Delivery) -> None:
        """End the claim after the last message."""
        now = self.deps.clock.now()
        entry = case.judged.ended(case.entry, case.refused, cause=case.cause, now=now)
        if entry.state is State.CLOSED:
            self.rows.close(entry)
        else:
            self._write(case, entry)
        case.is_over = True

    def _write(self, case: Delivery, entry: Entry) -> None:
        stored = self.rows.commit(entry)
        if stored is None:
            self.progress.count("sent_unmarked", bool(case.judged.messages))
            case.is_over = True
        else:
            case.entry = stored

    def _give_back(self, case: Delivery, cause: str) -> None:
        """End the claim after a send that surely failed: the row is due as before."""
        case.is_over = True
        before = case.judged.entry
        entry = not_reminded(case.entry, before, case.keys(MessageKind.REMINDER))
        if case.keys(MessageKind.ESCALATION):
            entry = replace(entry, escalated_at=before.escalated_at)
        self.rows.give_back(entry, cause)

    # ------------------------------------------------------------------ Moveworks

    def room(self) -> int:
        """Return how many notices can still be sent in this sweep."""
        if self.progress.is_over or self.progress.has_stopped_sending or self.deadline.left_s() <= 0:
            return 0
        return self.deps.channel.free(self.deadline.left_s())

    def may_begin(self) -> bool:
        """Tell whether sending may begin: not in a pause, and after a failure only if Moveworks answers."""
        if self._may is None:
            self._may = self._asked()
        return self._may

    def _asked(self) -> bool:
        if self.paused_until is not None and self.deps.clock.now() < self.paused_until:
            self.progress.count("paused")
            return False
        self.paused_until = None
        if not self.suspect:
            return True
        try:
            self.deps.channel.probe(self.progress.deadline.within(self.deps.lease.send_s))
        except ServiceError as failure:
            self._back_off(failure)
            return False
        return True

    def _send(self, notice: Notice, under: Sequence[Entry]) -> SendResult:
        """Send a notice once, if all claims have enough of their lease left."""
        deps, has_stopped_sending = self.deps, self.progress.is_over or self.progress.has_stopped_sending
        if has_stopped_sending or not self.may_begin() or not deps.channel.acquire(self.deadline):
            return SendResult(SendStatus.UNSENT, "no_turn")
        if not all(entry.may_send(deps.clock.now(), deps.lease) for entry in under):
            self.progress.count("late")
            return SendResult(SendStatus.UNSENT, "lease_too_short")
        try:
            deps.channel.send(notice, self.progress.deadline.within(deps.lease.send_s))
        except Refused as failure:
            self.progress.count("refused")
            self.progress.record_failure(failure)
            return SendResult(SendStatus.REFUSED, failure.code)
        except Unavailable as failure:
            self._back_off(failure)
            return SendResult(SendStatus.UNSENT, failure.code)
        except Unknown as failure:
            self.progress.count("unknown")
            self._back_off(failure)
            return SendResult(SendStatus.UNKNOWN, failure.code)
        self.suspect = False
        self.progress.count("sent")
        return SendResult(SendStatus.SENT)

    def _back_off(self, failure: ServiceError) -> None:
        """Send nothing more in this sweep; after a 429, nothing before the pause ends."""
        self.progress.stop_sending(failure)
        if isinstance(failure, Throttled):
            pause_s = failure.retry_after_s or DEFAULT_PAUSE_S
            self.paused_until = self.deps.clock.now() + timedelta(seconds=pause_s)
        else:
            self.suspect = True
