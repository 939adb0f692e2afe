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
from coupa_core.sweep.compose import MessageItem, compose_message, is_short
from coupa_core.sweep.dependencies import SweepDependencies
from coupa_core.sweep.progress import Progress
from coupa_core.sweep.rows import SweepRows
from coupa_core.sweep.sender import Sender, SendResult, SendStatus
from coupa_core.sweep.settle import ROW_CHANGES, Delivery
from coupa_core.sweep.shapes import CARDS, DECIDING, Judged, Message, MessageKind

BEFORE_CARDS = (
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


def _owing(deliveries: Sequence[Delivery], *kinds: MessageKind) -> list[Delivery]:
    return [delivery for delivery in deliveries if delivery.has(*kinds)]


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
        deliveries = [Delivery(one, one.entry, list(one.messages)) for one in judged]
        together = {
            (delivery, id(message))
            for letter in self._letters(deliveries, CARDS)
            for delivery, message in letter
        }
        return {
            delivery.judged.approval.id
            for delivery in deliveries
            for message in delivery.owed
            if message.kind in DECIDING and (delivery, id(message)) not in together
            if not is_short(delivery.entry, message.person)
        }

    def deliver(self, judged: Sequence[Judged], *, behind: int = 0) -> None:
        """Send all messages and end each claim; no approval of a large group delays the others.

        Each approval gets its first message; further ones go out only while the approvals behind have room.
        A later sweep tells the remaining people.

        Args:
            judged: the judgements.
            behind: how many approvals wait behind these.
        """
        deliveries = [Delivery(one, one.entry, list(one.messages)) for one in judged]
        self._run_each(
            [delivery for delivery in deliveries if not delivery.owed], self._end, workers=self.deps.workers
        )
        today = self.deps.clock.now().date()
        deliveries = sorted(
            (delivery for delivery in deliveries if delivery.owed), key=lambda delivery: delivery.order(today)
        )
        for letter in self._letters(deliveries, BEFORE_CARDS):
            self._send_message(letter)
        self._run_each(
            _owing(deliveries, *BEFORE_CARDS), lambda delivery: self._send_all(delivery, BEFORE_CARDS)
        )
        self._deliver_cards(_owing(deliveries, *CARDS), behind)

    def _deliver_cards(self, deliveries: Sequence[Delivery], behind: int) -> None:
        crowds = self._letters(deliveries, CARDS)
        together = {delivery for letter in crowds for delivery, message in letter if _is_new(message)}
        new = _owing(deliveries, MessageKind.ANNOUNCEMENT)
        self._run_each([delivery for delivery in new if delivery not in together], self._send_next)
        for letter in crowds:
            self._send_message(letter)
        while new := _owing(new, MessageKind.ANNOUNCEMENT):
            # The approvals behind may need all messages that this sweep can still send.
            must_yield = behind > 0 and 0 < self.sender.room() < behind + len(new)
            leave = partial(self._give_back, cause="others_first")
            self._run_each(new, leave if must_yield else self._send_next)
        self._run_each(_owing(deliveries, *CARDS), lambda delivery: self._send_all(delivery, CARDS))

    def _run_each(
        self, deliveries: Sequence[Delivery], work: Callable[[Delivery], None], *, workers: int | None = None
    ) -> None:
        """Do the work for each approval; a failure ends only its own."""

        def isolated(delivery: Delivery) -> None:
            def done() -> bool:
                work(delivery)
                return True

            if self.rows.isolate_errors(delivery.entry, done) is None:
                delivery.is_over = True

        # After a failed send one message goes alone first, so that a failure affects no other.
        map_parallel(
            isolated, deliveries, workers=workers or (1 if self.sender.suspect else self.deps.workers)
        )

    def _letters(self, deliveries: Sequence[Delivery], kinds: Collection[MessageKind]) -> list[Letter]:
        """Join messages by person; a notice that was refused before goes alone."""
        found: dict[tuple[object, ...], Letter] = defaultdict(list)
        for delivery in _owing(deliveries, *kinds):
            for message in delivery.owed:
                person, is_card = message.person, message.kind in CARDS
                is_refused = bool(delivery.entry.failures or delivery.entry.to(person.key).refusals)
                is_alone = message.kind in ALONE or (is_card and is_refused)
                if message.kind in kinds and not is_alone:
                    found[is_card or message.kind, person.key, person.address].append((delivery, message))
        return [letter for some in found.values() if (letter := self._joined(some))]

    def _joined(self, some: Letter) -> Letter:
        """Return the messages of one person to join: all if they are too many, else the reminders."""
        again = [(delivery, message) for delivery, message in some if message.kind is MessageKind.REMINDER]
        messages = len(some) - max(len(again) - 1, 0)
        if messages > self.over:
            return some
        return again if len(again) > 1 and self.over < NEVER else []

    def _send_all(self, delivery: Delivery, kinds: Collection[MessageKind]) -> None:
        while delivery.has(*kinds):
            self._send_message(
                [(delivery, next(message for message in delivery.owed if message.kind in kinds))]
            )

    def _send_next(self, delivery: Delivery) -> None:
        """Send one notice, to the decider who got the fewest messages in this sweep."""
        news = [message for message in delivery.owed if message.kind is MessageKind.ANNOUNCEMENT]
        message = min(news, key=lambda one: self._messages[one.person.key])
        self._messages[message.person.key] += 1
        self._send_message([(delivery, message)])

    # ------------------------------------------------------------------ one message

    def _send_message(self, letter: Letter) -> None:
        """Send one message under the claims of all its approvals, and write the outcome into each row."""
        marked = [
            delivery for delivery, message in letter if message.kind in MARKED_FIRST and not delivery.is_begun
        ]
        self._run_each(marked, self._record_first, workers=self.deps.workers)
        letter = [(delivery, message) for delivery, message in letter if not delivery.is_over]
        if not letter:
            return
        result = self._compose_and_send(letter)
        if result is None:
            return  # the messages cannot be joined, and are still owed: each goes alone
        if result.status is SendStatus.REFUSED and 1 < len(letter) <= self.over:
            # One of a few may be at fault: each reminder goes alone now, because no later sweep repeats it.
            letter = [
                (delivery, message)
                for delivery, message in letter
                if message.kind is not MessageKind.REMINDER
            ]
        message_of = dict(letter)
        self._run_each(
            [delivery for delivery, _ in letter],
            lambda delivery: self._settle(delivery, message_of[delivery], result),
            workers=self.deps.workers,
        )

    def _record_first(self, delivery: Delivery) -> None:
        """Record reminders and escalations before they are sent."""
        now = self.deps.clock.now()
        entry = reminded(delivery.entry, delivery.keys(MessageKind.REMINDER), now=now)
        delivery.is_begun = True
        self._write(delivery, escalated(entry, now=now) if delivery.has(MessageKind.ESCALATION) else entry)

    def _compose_and_send(self, letter: Letter) -> SendResult | None:
        """Compose and send the message; None when several cannot be joined, and each must go alone."""
        is_card, is_one = letter[0][1].kind in CARDS, len(letter) == 1
        try:
            notice = compose_message(
                [MessageItem(message, delivery.judged, delivery.entry) for delivery, message in letter],
                self.deps,
            )
        except Exception:
            if is_card and is_one:
                raise  # the failure counts against the approval
            logger.exception("%s spoiled approvals=%d", "message" if is_one else "digest", len(letter))
            self.progress.count("spoiled", is_one)
            return SendResult(SendStatus.REFUSED, "spoiled") if is_one else None
        self.progress.count("digests", is_card and not is_one)
        result = self.sender.send(notice, [delivery.entry for delivery, _ in letter])
        for delivery, message in letter if result.status is not SendStatus.UNSENT else ():
            first = "" if is_one else "digest"
            self.rows.note_notice(
                delivery.entry,
                message.person,
                verb=first if _is_new(message) else message.kind,
                outcome=result.status,
                cause=result.cause,
                version=delivery.judged.version,
                digest=delivery.judged.content,
            )
        return result

    def _settle(self, delivery: Delivery, message: Message, result: SendResult) -> None:
        """Write the outcome into the row by `ROW_CHANGES`; the last message ends the claim."""
        change = ROW_CHANGES[message.kind].get(result.status)
        if result.status is SendStatus.UNSENT:
            self._give_back(delivery, result.cause)
        elif change is None:
            delivery.is_over = True
        else:
            before, delivery.entry = delivery.entry, change(delivery, message, self.deps.clock.now())
            delivery.cause = result.cause or delivery.cause
            delivery.owed.remove(message)
            if delivery.entry is not before and (
                delivery.owed or message.kind is not MessageKind.ANNOUNCEMENT
            ):
                self._write(delivery, delivery.entry)
            if not delivery.owed and not delivery.is_over:
                self._end(delivery)

    def _end(self, delivery: Delivery) -> None:
        """End the claim after the last message."""
        now = self.deps.clock.now()
        entry = delivery.judged.row_after(delivery.entry, delivery.refused, cause=delivery.cause, now=now)
        if entry.state is State.CLOSED:
            self.rows.close(entry)
        else:
            self._write(delivery, entry)
        delivery.is_over = True

    def _write(self, delivery: Delivery, entry: Entry) -> None:
        stored = self.rows.commit(entry)
        if stored is None:
            self.progress.count("sent_unmarked", bool(delivery.judged.messages))
            delivery.is_over = True
        else:
            delivery.entry = stored

    def _give_back(self, delivery: Delivery, cause: str) -> None:
        """End the claim after a send that certainly failed: the row is due as before."""
        delivery.is_over = True
        before = delivery.judged.entry
        entry = not_reminded(delivery.entry, before, delivery.keys(MessageKind.REMINDER))
        if delivery.keys(MessageKind.ESCALATION):
            entry = replace(entry, escalated_at=before.escalated_at)
        self.rows.give_back(entry, cause)
