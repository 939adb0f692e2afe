"""The parts of every message: one card, several lines, and the cut to the size limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from coupa_core.authority import Right
from coupa_core.model import Approval, Document
from coupa_core.notice.catalogue import ICONS
from coupa_core.notice.fields import details, headline
from coupa_core.notice.markup import MAX_MESSAGE, Card, Field, Link, render
from coupa_core.notice.style import Style, link_to
from coupa_core.notice.text import SHORT, clean

MAX_ENTRIES = 10
"""The most approvals that one message names; the others are counted."""


@dataclass(frozen=True)
class Notice:
    """A message ready to send.

    Attributes:
        recipient: the e-mail of the one person who gets it.
        text: in Moveworks' HTML, 1 to 20,000 characters.
        slots: values that come back with a click, by the names that the event declares; all are texts.
        kind: of the message, in one word.
        document_type: Coupa's class name of the document; empty for no document, or several.
        document_id: the document's number in Coupa; empty likewise.
        actions: the reader's actions for the approval of the slots, a decision or `ask`, each with the label
            of its button in the reader's language.
        colon: the reader's language's separator of label and value.
    """

    recipient: str
    text: str
    slots: Mapping[str, str] = field(default_factory=dict)
    kind: str = "announcement"
    document_type: str = ""
    document_id: str = ""
    actions: Mapping[str, str] = field(default_factory=dict)
    colon: str = ": "


def about(
    document: Document,
    sentence: str,
    style: Style,
    *,
    notes: Sequence[str] = (),
    fields: tuple[Field, ...] = (),
    endings: tuple[str, ...] = (),
) -> str:
    """Render a card that begins with requester and title; without a title, with the request."""
    first = headline(document, style)
    lines = (sentence,) if first else tuple(filter(None, [details(document, style)]))
    card = Card(headline=first or sentence, notes=(*lines, *notes), fields=fields, endings=endings)
    return with_sign(document, card, style)


def with_sign(document: Document, card: Card, style: Style) -> str:
    """Render a card about one document, with its sign and its link."""
    head = f"{ICONS[document.kind]} {card.headline}"
    link = Link(style.say("open"), link_to(document, style=style))
    return render(replace(card, headline=head, link=link, colon=style.say("colon")))


def acting(right: Right, document: Document, approval: Approval, style: Style) -> str:
    """Return for whom the reader acts; empty for nobody, or where the name could reveal the subject."""
    whom = "" if document.is_sensitive else clean(right.decider.acts_for(approval), SHORT)
    return style.say("for.group" if approval.is_for_group else "for", who=whom) if whom else ""


def several(head: str, sentences: Sequence[str], style: Style) -> str:
    """Put several sentences into one message, one line each: the first ten, and the number of others."""

    def some(number: int) -> Card:
        return Card(
            headline=head,
            notes=tuple(sentences[:number]),
            endings=(others(len(sentences) - number, style),),
            link=Link(style.say("open"), style.base_url),
        )

    return fitting(some)


def others(number: int, style: Style) -> str:
    """Return the line with the number of further items; empty for none."""
    return style.more(number) if number > 0 else ""


def fitting(some: Callable[[int], Card]) -> str:
    """Render a message that names at most ten, and fewer where texts of others would make it too long."""
    texts = (render(some(number)) for number in range(MAX_ENTRIES, -1, -1))
    return next(text for text in texts if len(text) <= MAX_MESSAGE)
