"""Compose the text for one person: about one approval, or about several in one message.

It does not decide who is told, or when. It raises any error; the outbox goes on without that message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from coupa_core import notice
from coupa_core.authority import Decider, Right
from coupa_core.documents import DOCUMENT_MODELS
from coupa_core.endings import End, Ending, end_of, end_of_document
from coupa_core.ledger import MINIMAL_AFTER, Entry
from coupa_core.model import Document, stamp
from coupa_core.sweep.dependencies import SweepDependencies
from coupa_core.sweep.shapes import CARDS, DECIDING, Judged, Message, MessageKind, Role


@dataclass(frozen=True)
class MessageItem:
    """One message, the approval that it is about, and the row as it was last written."""

    message: Message
    judged: Judged
    entry: Entry

    @property
    def document(self) -> Document:
        """Return the document, or its type and number alone."""
        if self.judged.document:
            return self.judged.document
        kind, number = self.entry.document_type, self.entry.document_id or self.entry.approval_id
        return DOCUMENT_MODELS.get(kind, Document).model_validate({"approvable-type": kind, "id": number})

    @property
    def since(self) -> datetime | None:
        """Return the start of the wait for its approver, as far as Coupa or the row says; never too early."""
        entry, approval = self.entry, self.judged.approval
        if self.message.kind is MessageKind.REMINDER:
            was = entry.to(self.message.person.key)
            return was.since or was.at
        if self.message.kind is not MessageKind.ANNOUNCEMENT:
            return entry.first_told_at
        begun = self.document.waits_since(approval)
        if entry.sent_to not in ("", approval.approver_key):
            # It was reassigned, at the latest when it was last touched.
            touched = stamp(approval.updated_at)
            return max(begun, touched) if begun and touched else touched
        return begun or entry.first_told_at


def compose_message(items: Sequence[MessageItem], deps: SweepDependencies) -> notice.Notice:
    """Return the message to one person.

    Args:
        items: one, or several for this person: announcements and reminders, or all of one other kind.
        deps: the services and settings of the sweep.
    """
    first, now = items[0], deps.clock.now()
    person, kind, is_one = first.message.person, first.message.kind, len(items) == 1
    if kind in DECIDING and is_one:
        return notice.compose(_approval_request(first, deps, now), style=deps.style, keys=deps.keys, now=now)
    style = deps.style.to(person.locale, person.address)
    waiting = [
        notice.WaitingItem(each.document, each.since, each.judged.approval, _right(each, deps))
        for each in items
    ]
    match kind:
        case MessageKind.ESCALATION:
            text = notice.escalation(waiting, style=style, now=now)
        case MessageKind.CLOSING:
            text = notice.closing([_ended(each) for each in items], style=style)
        case MessageKind.OUTCOME:
            text = notice.outcome([_ended(each) for each in items], style=style)
        case MessageKind.QUESTION:
            asked = [notice.QuestionItem(each.document, each.message.passes_on[0]) for each in items]
            text = notice.question(asked, style=style)
        case _:
            is_again = all(each.message.kind is MessageKind.REMINDER for each in items)
            text = notice.digest(waiting, style=style, now=now, is_again=is_again)
    return notice.Notice(
        person.address,
        text,
        kind="digest" if kind in CARDS else kind,
        document_type=first.document.type if is_one else "",
        document_id=str(first.document.id) if is_one else "",
        colon=style.say("colon"),
    )


def _right(item: MessageItem, deps: SweepDependencies) -> Right | None:
    """Return the reader's right in chat; None for a reader who is no decider."""
    message, judged = item.message, item.judged
    if message.kind not in DECIDING and not message.decides:
        return None
    # For an unreadable document the allowed actions are unknown, so the card offers none.
    person = message.person
    return Right(person) if judged.unread else deps.rules.right(person, judged.approval, item.document)


def _approval_request(item: MessageItem, deps: SweepDependencies, now: datetime) -> notice.ApprovalRequest:
    """Return the request to one decider, after several refusals in its shortest form."""
    judged, entry, person = item.judged, item.entry, item.message.person
    was, is_new = entry.to(person.key), item.message.kind is MessageKind.ANNOUNCEMENT
    return notice.ApprovalRequest(
        approval=judged.approval,
        document=item.document,
        right=_right(item, deps) or Right(person),
        generation=entry.generation,
        is_unread=bool(judged.unread),
        is_short=is_short(entry, person),
        is_changed=is_new and judged.is_changed_for(person),
        shown=was.figures,
        facts=judged.facts,
        waited=now - (item.since or now) if item.message.kind is MessageKind.REMINDER else None,
        answers=item.message.passes_on,
    )


def is_short(entry: Entry, person: Decider) -> bool:
    """Tell whether a person gets the shortest card, because the whole one was refused several times."""
    return max(entry.failures, entry.to(person.key).refusals) >= MINIMAL_AFTER


def _ended(item: MessageItem) -> notice.Ended:
    """Return the closing notice for this reader."""
    role, approval = item.message.role, item.judged.approval
    if role in (Role.REASSIGNED, Role.ENDED):
        return notice.Ended(item.document, End(Ending(role)))
    is_whole = role == Role.REQUESTER
    end = end_of_document(item.document, [approval]) if is_whole else end_of(approval, item.document)
    return notice.Ended(item.document, end)


def figures_of(item: MessageItem) -> str:
    """Return the figures that the card shows, for the row."""
    is_bare = item.judged.unread or item.document.is_sensitive
    return notice.BARE if is_bare else notice.shown_figures(item.document)
