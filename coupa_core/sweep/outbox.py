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
from functools import partial

from coupa_core.ledger import (
    Entry,
    State,
    escalated,
    not_reminded,
    reminded,
)
from coupa_core.parallel import map_parallel
from coupa_core.sweep.compose import MessageItem, compose, is_short
from coupa_core.sweep.dependencies import SweepDependencies
from coupa_core.sweep.progress import Progress
from coupa_core.sweep.rows import SweepRows
from coupa_core.sweep.sender import Sender, SendResult, SendStatus
from coupa_core.sweep.settle import SETTLED, Delivery
from coupa_core.sweep.shapes import CARDS, DECIDING, Judged, Message, MessageKind

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


Letter = list[tuple[Delivery, Message]]
"""The messages that one person gets as one."""


def _is_new(message: Message) -> bool:
    return message.kind is MessageKind.ANNOUNCEMENT


def _owing(cases: Sequence[Delivery], *kinds: MessageKind) -> list[Delivery]:
    return [case for case in cases if case.has(*kinds)]


# ---------------------------------------------------------------------- the outbox


@dataclass
class Outbox:
    """The messages of one sweep.

    Attributes:
        over: more messages than this to one person become one; `NEVER` for no limit. All reminders to one
            person count as one.
    """

    deps: SweepDependencies
    progress: Progress
    rows: SweepRows
    sender: Sender
    over: int
    _messages: Counter[str] = field(default_factory=Counter)

    def alone(self, judged: Sequence[Judged]) -> set[int]:
        """Return the ids of the approvals that somebody gets as a card of their own."""
        cases = [Delivery(one, one.entry, list(one.messages)) for one in judged]
        together = {
            (id(case), id(message)) for letter in self._letters(cases, CARDS) for case, message in letter
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

        Each approval gets its first message; further ones go out only while the approvals behind have room.
        A later sweep tells the remaining people.

        Args:
            judged: the judgements.
            behind: how many approvals wait behind these.
        """
        cases = [Delivery(one, one.entry, list(one.messages)) for one in judged]
        self._run_each([case for case in cases if not case.owed], self._end, workers=self.deps.workers)
        today = self.deps.clock.now().date()
        cases = sorted((case for case in cases if case.owed), key=lambda case: case.order(today))
        for letter in self._letters(cases, NEWS):
            self._send_message(letter)
        self._run_each(_owing(cases, *NEWS), lambda case: self._send_all(case, NEWS))
        self._deliver_cards(_owing(cases, *CARDS), behind)

    def _deliver_cards(self, cases: Sequence[Delivery], behind: int) -> None:
        crowds = self._letters(cases, CARDS)
        together = {id(case) for letter in crowds for case, message in letter if _is_new(message)}
        new = _owing(cases, MessageKind.ANNOUNCEMENT)
        self._run_each([case for case in new if id(case) not in together], self._send_next)
        for letter in crowds:
            self._send_message(letter)
        while new := _owing(new, MessageKind.ANNOUNCEMENT):
            # The approvals behind may need all messages that this sweep can still send.
            must_yield = behind > 0 and 0 < self.sender.room() < behind + len(new)
            leave = partial(self._give_back, cause="others_first")
            self._run_each(new, leave if must_yield else self._send_next)
        self._run_each(_owing(cases, *CARDS), lambda case: self._send_all(case, CARDS))

    def _run_each(
        self, cases: Sequence[Delivery], work: Callable[[Delivery], None], *, workers: int | None = None
    ) -> None:
        """Do the work for each approval; a failure ends only its own."""

        def isolated(case: Delivery) -> None:
            def done() -> bool:
                work(case)
                return True

            if self.rows.isolate_errors(case.entry, done) is None:
                case.is_over = True

        # After a failed send one message goes alone first, so that a failure affects no other.
        map_parallel(isolated, cases, workers=workers or (1 if self.sender.suspect else self.deps.workers))

    def _letters(self, cases: Sequence[Delivery], kinds: Collection[MessageKind]) -> list[Letter]:
        """Join messages by person; a notice that was refused before goes alone."""
        found: dict[tuple[object, ...], Letter] = defaultdict(list)
        for case in _owing(cases, *kinds):
            for message in case.owed:
                person, is_card = message.person, message.kind in CARDS
                is_refused = bool(case.entry.failures or case.entry.to(person.key).refusals)
                is_alone = message.kind in ALONE or (is_card and is_refused)
                if message.kind in kinds and not is_alone:
                    found[is_card or message.kind, person.key, person.address].append((case, message))
        return [letter for some in found.values() if (letter := self._joined(some))]

    def _joined(self, some: Letter) -> Letter:
        """Return the messages of one person to join: all if they are too many, else the reminders."""
        again = [(case, message) for case, message in some if message.kind is MessageKind.REMINDER]
        messages = len(some) - max(len(again) - 1, 0)
        if messages > self.over:
            return some
        return again if len(again) > 1 and self.over < NEVER else []

    def _send_all(self, case: Delivery, kinds: Collection[MessageKind]) -> None:
        while case.has(*kinds):
            self._send_message([(case, next(message for message in case.owed if message.kind in kinds))])

    def _send_next(self, case: Delivery) -> None:
        """Send one notice, to the decider who got the fewest messages in this sweep."""
        news = [message for message in case.owed if message.kind is MessageKind.ANNOUNCEMENT]
        message = min(news, key=lambda one: self._messages[one.person.key])
        self._messages[message.person.key] += 1
        self._send_message([(case, message)])

    # ------------------------------------------------------------------ one message

    def _send_message(self, letter: Letter) -> None:
        """Send one message under the claims of all its approvals, and write the outcome into each row."""
        marked = [case for case, message in letter if message.kind in MARKED_FIRST and not case.is_begun]
        self._run_each(marked, self._record_first, workers=self.deps.workers)
        letter = [(case, message) for case, message in letter if not case.is_over]
        result = self._compose_and_send(letter) if letter else None
        if result is None:
            return
        if result.status is SendStatus.REFUSED and 1 < len(letter) <= self.over:
            # One of a few may be at fault: each reminder goes alone now, because no later sweep repeats it.
            letter = [(case, message) for case, message in letter if message.kind is not MessageKind.REMINDER]
        message_of = {id(case): message for case, message in letter}
        cases = [case for case, _ in letter]
        self._run_each(
            cases, lambda case: self._settle(case, message_of[id(case)], result), workers=self.deps.workers
        )

    def _record_first(self, case: Delivery) -> None:
        """Record reminders and escalations before they are sent."""
        now = self.deps.clock.now()
        entry = reminded(case.entry, case.keys(MessageKind.REMINDER), now=now)
        case.is_begun = True
        self._write(case, escalated(entry, now=now) if case.has(MessageKind.ESCALATION) else entry)

    def _compose_and_send(self, letter: Letter) -> SendResult | None:
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
        result = self.sender.send(notice, [case.entry for case, _ in letter])
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
        """Write the outcome into the row by `SETTLED`; the last message ends the claim."""
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
        entry = case.judged.row_after(case.entry, case.refused, cause=case.cause, now=now)
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
        """End the claim after a send that certainly failed: the row is due as before."""
        case.is_over = True
        before = case.judged.entry
        entry = not_reminded(case.entry, before, case.keys(MessageKind.REMINDER))
        if case.keys(MessageKind.ESCALATION):
            entry = replace(entry, escalated_at=before.escalated_at)
        self.rows.give_back(entry, cause)
