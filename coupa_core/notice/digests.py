"""Messages about approvals that wait: several at once, or for somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coupa_core.authority import Right
from coupa_core.model import Approval, Document
from coupa_core.notice.cards import about, acting, fitting, others, several
from coupa_core.notice.fields import amount_of, asked, known_as, name_of, numbered, person
from coupa_core.notice.markup import Card, Link, ListItem
from coupa_core.notice.style import Style, link_to
from coupa_core.notice.sums import sums

YOUNG = timedelta(minutes=1)
"""A shorter wait is not mentioned."""


@dataclass(frozen=True)
class WaitingItem:
    """One approval that waits.

    Attributes:
        document: the document.
        since: when it began to wait; None when unknown.
        approval: the approval; names who is asked.
        right: the reader, and the reader's actions in chat; None for a reader who is no decider.
    """

    document: Document
    since: datetime | None = None
    approval: Approval | None = None
    right: Right | None = None

    @property
    def is_barred(self) -> bool:
        """Tell whether the reader can decide it in Coupa only."""
        return self.right is not None and not self.right.actions


def digest(items: Sequence[WaitingItem], *, style: Style, now: datetime, is_again: bool = False) -> str:
    """List several approvals of one person, in the order given, with their amounts and without buttons.

    Where some of them can be decided here, the others are marked.

    Args:
        items: the approvals; the first ten are named, and fewer where they would not fit into a message.
        style: of the reader.
        now: aware; ages are counted up to it.
        is_again: the reader is reminded of all of them.
    """
    head = style.say("digest.again" if is_again else "digest", count=len(items))
    together = sums((each.document for each in items), style, number=len(items))
    is_for_chat = not all(each.is_barred for each in items)
    decides = style.list_decides and is_for_chat
    # The reader's earlier cards have buttons, which still work.
    coupa = "elsewhere" if is_again and is_for_chat else "decide.coupa"
    how = style.say("decide", question=style.quote(style.say("ask"))) if decides else style.say(coupa)

    def some(number: int) -> Card:
        return Card(
            headline=style.colon(head, together),
            entries=tuple(_entry(each, style, now, marks=decides) for each in items[:number]),
            endings=(others(len(items) - number, style), how if style.actions else ""),
            link=Link(style.say("open"), style.base_url),
            colon=style.say("colon"),
        )

    return fitting(some)


def _entry(waiting: WaitingItem, style: Style, now: datetime, *, marks: bool) -> ListItem:
    document, since = waiting.document, waiting.since
    is_old = since is not None and now - since >= YOUNG
    age = style.say("waiting", age=style.age(now - since)) if since and is_old else None
    sentence = style.join(amount_of(document, style), person(document.requested_by), age)
    if waiting.right and waiting.approval:
        sentence += acting(waiting.right, waiting.document, waiting.approval, style)
    mark = style.say("decide.only_coupa") if marks and waiting.is_barred else None
    return ListItem(
        Link(name_of(document, style), link_to(document, style=style)), style.join(sentence, mark)
    )


def escalation(items: Sequence[WaitingItem], *, style: Style, now: datetime) -> str:
    """Tell somebody for how long approvals have waited, and for whom."""

    def waits(each: WaitingItem) -> str:
        who, age = _approver_name(each), style.age(now - (each.since or now))
        return style.say("escalation" if who else "escalation.nobody", who=who, age=age)

    if len(items) > 1:
        every = [style.colon(known_as(each.document, style), waits(each)) for each in items]
        return several(style.say("escalations", count=len(items)), every, style)
    [one] = items
    who, waited = _approver_name(one), waits(one)
    sentence = style.colon(numbered(one.document, style), waited)
    # A reader who may decide it, too, as a delegate, gets a card of their own.
    notes = () if one.right else (style.say("informed" if who else "informed.nobody", who=who),)
    return about(one.document, sentence, style, notes=notes)


def _approver_name(waiting: WaitingItem) -> str:
    """Return the name of the approver; empty where a group's name could reveal a sensitive subject."""
    return "" if waiting.approval is None or waiting.document.is_sensitive else asked(waiting.approval)
