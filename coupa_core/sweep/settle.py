"""Change a row by the outcome of a send, by the table `ROW_CHANGES`. It writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from coupa_core.ledger import Entry, answered, closing_done, delivered, put, refused
from coupa_core.sweep.compose import MessageItem, figures_of
from coupa_core.sweep.questions import closed_by
from coupa_core.sweep.sender import SendStatus
from coupa_core.sweep.shapes import Judged, Message, MessageKind


@dataclass(eq=False)
class Delivery:
    """The messages of one approval under our claim, while they are sent; it equals only itself.

    Attributes:
        judged: the judgement.
        entry: the row as it was last written.
        owed: the messages that are not sent yet.
        refused: the keys of the people for whom Moveworks refused the notice.
        cause: the cause of the last refusal.
        is_begun: the row has the records that must precede a send.
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


_Change = Callable[[Delivery, Message, datetime], Entry]


def _unchanged(delivery: Delivery, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    return delivery.entry


def _record_announcement(delivery: Delivery, message: Message, now: datetime) -> Entry:
    judged, key = delivery.judged, message.person.key
    figures = figures_of(MessageItem(message, judged, delivery.entry))
    return delivered(
        delivery.entry, person=key, version=judged.version, to=judged.approver_key, now=now, figures=figures
    )


def _record_refusal(delivery: Delivery, message: Message, now: datetime) -> Entry:
    # A refused address does not keep the other members of a group from being told.
    delivery.refused.append(message.person.key)
    return refused(delivery.entry, message.person.key, now=now)


def _close_notice(delivery: Delivery, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    return closing_done(delivery.entry, message.person.key)


def _record_put(delivery: Delivery, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    return put(delivery.entry, message.passes_on[0].id or 0)


def _record_answer(delivery: Delivery, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    key = message.person.key
    return answered(delivery.entry, closed_by(delivery.entry, key, message.passes_on), person=key)


_ONCE: dict[SendStatus, _Change] = {
    SendStatus.SENT: _unchanged,
    SendStatus.REFUSED: _unchanged,
    SendStatus.UNKNOWN: _unchanged,
}
_LAST: dict[SendStatus, _Change] = {
    SendStatus.SENT: _close_notice,
    SendStatus.REFUSED: _close_notice,
    SendStatus.UNKNOWN: _close_notice,
}

ROW_CHANGES: dict[MessageKind, dict[SendStatus, _Change]] = {
    MessageKind.ANNOUNCEMENT: {SendStatus.SENT: _record_announcement, SendStatus.REFUSED: _record_refusal},
    MessageKind.REMINDER: _ONCE,
    MessageKind.ESCALATION: _ONCE,
    MessageKind.CLOSING: _LAST,
    MessageKind.OUTCOME: _LAST,
    MessageKind.QUESTION: {
        SendStatus.SENT: _record_put,
        SendStatus.REFUSED: _record_put,
        SendStatus.UNKNOWN: _record_put,
    },
    MessageKind.ANSWER: {SendStatus.SENT: _record_answer, SendStatus.REFUSED: _record_refusal},
}
"""The change of the row by the kind of message and the outcome of the send.

A message without an entry is still owed. If it may have arrived, the claim stays until its lease ends, so
that a second message is rare and late. If it was certainly not sent, the outbox gives the claim back, and
undoes an earlier record.
"""
