"""What is said to one person as text: about one approval, or about several in one message.

It decides neither who is told nor when, and raises whatever goes wrong: the outbox goes on without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from coupa_core import notice
from coupa_core.authority import Decider, Right
from coupa_core.documents import READABLE
from coupa_core.endings import End, Ending, end_of, end_of_document
from coupa_core.ledger import MINIMAL_AFTER, Entry
from coupa_core.model import Document, stamp
from coupa_core.sweep.kit import Kit
from coupa_core.sweep.shapes import CARDS, DECIDING, Judged, Kind, Message, Role


@dataclass(frozen=True)
class Item:
    """One message, the approval that it is about, and the row as it was last written."""

    message: Message
    judged: Judged
    entry: Entry

    @property
    def document(self) -> Document:
        """Return what it is about, as far as anybody knows."""
        if self.judged.document:
            return self.judged.document
        kind, number = self.entry.document_type, self.entry.document_id or self.entry.approval_id
        return READABLE.get(kind, Document).model_validate({"approvable-type": kind, "id": number})

    @property
    def since(self) -> datetime | None:
        """Return since when it waits for whom it is about, as far as Coupa or the row tells: never before."""
        entry, approval = self.entry, self.judged.approval
        if self.message.kind is Kind.REMINDER:
            was = entry.to(self.message.person.key)
            return was.since or was.at
        if self.message.kind is not Kind.ANNOUNCEMENT:
            return entry.first_told_at
        begun = self.document.waits_since(approval)
        if entry.sent_to not in ("", approval.approver_key):
            # It was given to somebody else, not after it was touched for the last time.
            touched = stamp(approval.updated_at)
            return max(begun, touched) if begun and touched else touched
        return begun or entry.first_told_at


def compose(items: Sequence[Item], kit: Kit) -> notice.Notice:
    """Return what is said to one person.

    Args:
        items: one, or several for this person: announcements and reminders, or all of one other kind.
        kit: of the sweep.
    """
    first, now = items[0], kit.clock.now()
    person, kind, is_one = first.message.person, first.message.kind, len(items) == 1
    if kind in DECIDING and is_one:
        return notice.compose(_turn(first, kit, now), style=kit.style, keys=kit.keys, now=now)
    style = kit.style.to(person.locale, person.address)
    waiting = [
        notice.Waiting(each.document, each.since, each.judged.approval, _right(each, kit)) for each in items
    ]
    match kind:
        case Kind.ESCALATION:
            text = notice.escalation(waiting, style=style, now=now)
        case Kind.CLOSING:
            text = notice.closing([_end_of(each) for each in items], style=style)
        case Kind.OUTCOME:
            text = notice.outcome([_end_of(each) for each in items], style=style)
        case Kind.QUESTION:
            asked = [notice.Question(each.document, each.message.passes_on[0]) for each in items]
            text = notice.question(asked, style=style)
        case _:
            is_again = all(each.message.kind is Kind.REMINDER for each in items)
            text = notice.digest(waiting, style=style, now=now, is_again=is_again)
    return notice.Notice(
        person.address,
        text,
        kind="digest" if kind in CARDS else kind,
        document_type=first.document.type if is_one else "",
        document_id=str(first.document.id) if is_one else "",
        colon=style.say("colon"),
    )


def _right(item: Item, kit: Kit) -> Right | None:
    """Return what the reader can do from chat with what waits; None for somebody who does not decide it."""
    message, judged = item.message, item.judged
    if message.kind not in DECIDING and not message.decides:
        return None
    # Of what cannot be read nobody knows what may be done with it, so that nothing is offered.
    person = message.person
    return Right(person) if judged.unread else kit.rules.right(person, judged.approval, item.document)


def _turn(item: Item, kit: Kit, now: datetime) -> notice.Turn:
    """Return what somebody is asked; after several refusals in its shortest form."""
    judged, entry, person = item.judged, item.entry, item.message.person
    was, is_new = entry.to(person.key), item.message.kind is Kind.ANNOUNCEMENT
    return notice.Turn(
        approval=judged.approval,
        document=item.document,
        right=_right(item, kit) or Right(person),
        generation=entry.generation,
        is_unread=bool(judged.unread),
        is_short=is_short(entry, person),
        is_changed=is_new and judged.is_changed_for(person),
        shown=was.facts,
        facts=judged.facts,
        waited=now - (item.since or now) if item.message.kind is Kind.REMINDER else None,
        answers=item.message.passes_on,
    )


def is_short(entry: Entry, person: Decider) -> bool:
    """Tell whether somebody gets a card in its shortest form: the whole one was refused several times."""
    return max(entry.failures, entry.to(person.key).refusals) >= MINIMAL_AFTER


def _end_of(item: Item) -> notice.Ended:
    """Return what happened, as this person is told it."""
    role, approval = item.message.role, item.judged.approval
    if role in (Role.REASSIGNED, Role.ENDED):
        return notice.Ended(item.document, End(Ending(role)))
    is_whole = role == Role.REQUESTER
    end = end_of_document(item.document, [approval]) if is_whole else end_of(approval, item.document)
    return notice.Ended(item.document, end)


def shown_facts(item: Item) -> str:
    """Return the figures that the card shows, for the row."""
    is_bare = item.judged.unread or item.document.is_sensitive
    return notice.BARE if is_bare else notice.shown_facts(item.document)
