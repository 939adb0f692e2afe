"""What is said to one person as text: about one approval, or about several in one message.

It decides neither who is told nor when, and raises whatever goes wrong: the outbox goes on without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from coupa_core import notice
from coupa_core.authority import Right
from coupa_core.endings import end_of, end_of_document
from coupa_core.ledger import MINIMAL_AFTER, Entry
from coupa_core.model import Document, stamp
from coupa_core.sweep.judge import Judged, Kind, Message, Role
from coupa_core.sweep.kit import Kit


@dataclass(frozen=True)
class Item:
    """One message, the approval that it is about, and the row as it was last written."""

    message: Message
    judged: Judged
    entry: Entry

    @property
    def document(self) -> Document:
        """Return what it is about, as far as anybody knows."""
        number = self.entry.document_id or self.entry.approval_id
        return self.judged.document or Document(type=self.entry.document_type, id=number)

    @property
    def since(self) -> datetime | None:
        """Return since when it waits, as far as anybody knows."""
        if self.message.kind is not Kind.ANNOUNCEMENT:
            return self.entry.first_told_at
        return stamp(self.document.submitted_at) or stamp(self.judged.approval.updated_at)


def compose(items: Sequence[Item], kit: Kit) -> notice.Notice:
    """Return what is said to one person.

    Args:
        items: one, or several for this person: announcements and reminders, or all of one other kind.
        kit: of the sweep.
    """
    person, kind, now = items[0].message.person, items[0].message.kind, kit.clock.now()
    zone, name = kit.cadence.zone_of(person.address), person.firstname or person.name
    style = kit.style if kit.style.zone == zone else replace(kit.style, zone=zone)
    match kind:
        case Kind.ANNOUNCEMENT | Kind.REMINDER if len(items) == 1:
            return _card(items[0], kit, style, now)
        case Kind.ANNOUNCEMENT | Kind.REMINDER:
            waiting = [notice.Waiting(each.document, each.since) for each in items]
            text = notice.digest(waiting, style=style, now=now, name=name)
        case Kind.ESCALATION:
            text = _escalation(items, style, now, name)
        case _:
            text = _ended(items, style, name)
    one = items[0].document if len(items) == 1 else None
    return notice.Notice(
        person.address,
        text,
        {},
        kind=kind if kind not in (Kind.ANNOUNCEMENT, Kind.REMINDER) else "digest",
        document_type=one.type if one else "",
        document_id=str(one.id) if one else "",
    )


def _card(item: Item, kit: Kit, style: notice.Style, now: datetime) -> notice.Notice:
    """Render what somebody can decide by; after several refusals, or unread, its shortest form."""
    judged, entry, document, person = item.judged, item.entry, item.document, item.message.person
    approval, was = judged.approval, item.entry.to(item.message.person.key)
    # Of what cannot be read nobody knows what may be done with it, so that nothing is offered.
    right = Right(person) if judged.unread else kit.rules.right(person, approval, document)
    style = replace(style, actions=right.actions)
    is_new = item.message.kind is Kind.ANNOUNCEMENT
    shown = notice.Shown(
        name=person.firstname or person.name,
        for_whom=person.acts_for(approval),
        is_changed=is_new and judged.is_changed_for(person),
        bar=right.bar,
        is_unread=bool(judged.unread),
    )
    if max(entry.failures, was.refusals) >= MINIMAL_AFTER:
        text = notice.minimal(document, style=style, shown=shown)
    elif not is_new:
        waited = now - (was.at or now)
        text = notice.reminder(approval, document, style=style, shown=shown, waited=waited)
    else:
        changes = notice.difference(was.facts, document, style) if shown.is_changed else ()
        text = notice.announcement(approval, document, style=style, shown=shown, changes=changes)
    token = None
    if kit.keys:
        content = "" if judged.unread else judged.content
        token = kit.keys.offer(right, approval, content=content, generation=entry.generation, now=now)
    return notice.Notice(
        person.address,
        text,
        notice.slots(approval.id, token),
        kind=item.message.kind,
        document_type=document.type,
        document_id=str(document.id),
        actions=right.actions,
    )


def _escalation(items: Sequence[Item], style: notice.Style, now: datetime, name: str) -> str:
    overdue = [
        notice.Overdue(
            each.judged.approval,
            each.document,
            now - (each.since or now),
            each.judged.approval.asked_name,
        )
        for each in items
    ]
    if len(overdue) > 1:
        return notice.escalations(overdue, style=style, name=name)
    [one] = overdue
    return notice.escalation(
        one.approval, one.document, style=style, waited=one.waited, waits_for=one.waits_for, name=name
    )


def _ended(items: Sequence[Item], style: notice.Style, name: str) -> str:
    is_outcome = items[0].message.kind is Kind.OUTCOME
    ended = [_end_of(each) for each in items]
    if len(ended) > 1:
        return (notice.outcomes if is_outcome else notice.closings)(ended, style=style, name=name)
    [one] = ended
    say = notice.outcome if is_outcome else notice.closing
    return say(one.document, one.ending, style=style, by=one.by, at=one.at, name=name)


def _end_of(item: Item) -> notice.Ended:
    """Return what happened, as this person is told it."""
    role, approval = item.message.role, item.judged.approval
    if role in (Role.REASSIGNED, Role.ENDED):
        return notice.Ended(item.document, notice.Ending(role))
    is_whole = role == Role.REQUESTER
    end = end_of_document(item.document, [approval]) if is_whole else end_of(approval, item.document)
    return notice.Ended(item.document, end.ending, end.by, end.at)


def shown_facts(item: Item) -> str:
    """Return the figures that the card shows, for the row."""
    return notice.shown_facts(item.document)
