"""The messages: announcement, reminder, digest, closing follow-up and receipt. Pure.

They decide nothing about who is told or when, and nothing about delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from coupa_core.documents import Invoice
from coupa_core.model import APPROVED, Approval, Document, Verb
from coupa_core.notice.catalogue import ICONS
from coupa_core.notice.fields import amount_of, asked, fields, label_of, person, status
from coupa_core.notice.markup import MAX_MESSAGE, Card, Entry, Field, Link
from coupa_core.notice.style import Style, link_to
from coupa_core.notice.text import SHORT, clean

MAX_ENTRIES = 10
"""Approvals that a digest names; the others are counted."""


@dataclass(frozen=True)
class Notice:
    """A message ready to send.

    Attributes:
        recipient: the e-mail of the one person who gets it.
        text: in the channel's markup, 1 to 20,000 characters.
        slots: what comes back with a click, by the names that the event declares.
        kind: what sort of message it is, in one word.
        document_type: Coupa's class name of what it is about; empty when it is about none or several.
        document_id: the document's number in Coupa; empty likewise.
    """

    recipient: str
    text: str
    slots: dict[str, str]
    kind: str = "announcement"
    document_type: str = ""
    document_id: str = ""


def slots(approval_id: int, token: str | None) -> dict[str, str]:
    """Return the slots that the event declares; values are texts, and no token is no slot."""
    return {"approval_id": str(approval_id)} | ({"action_token": token} if token else {})


@dataclass(frozen=True)
class Shown:
    """What a notice says about its reader, beside the document.

    Attributes:
        name: for the greeting; possibly empty.
        for_whom: the group, or the person for whom the reader acts; empty for the approver.
        is_changed: the reader was shown other content before.
        in_coupa_only: the amount is too great to decide in chat.
    """

    name: str = ""
    for_whom: str = ""
    is_changed: bool = False
    in_coupa_only: bool = False


# ---------------------------------------------------------------------- about one approval


def announcement(
    approval: Approval, document: Document, *, style: Style, shown: Shown, changes: Iterable[str] = ()
) -> str:
    """Say what waits for the reader, with what is needed to decide.

    Args:
        approval: whose turn it is.
        document: what is to be approved.
        style: of the deployment.
        shown: about the reader.
        changes: what changed, as `difference` says it.

    Returns:
        A text in the style's markup; the short form when the long one would not fit.
    """
    headline = _headline(document, "changed" if shown.is_changed else "pending", style, shown)
    return _whole(approval, document, headline=headline, notes=tuple(changes), style=style, shown=shown)


def reminder(approval: Approval, document: Document, *, style: Style, shown: Shown, waited: timedelta) -> str:
    """Say once more what waits, and for how long it has."""
    headline = _headline(document, "reminder", style, shown, age=style.age(waited))
    return _whole(approval, document, headline=headline, notes=(), style=style, shown=shown)


def minimal(document: Document, *, style: Style, shown: Shown) -> str:
    """Say only that something waits, which, how much if known, and where: it cannot fail to render."""
    known = {"id": str(document.id), "amount": style.amount(document.total, document.currency)}
    card = Card(
        greeting=_greeting(style, shown),
        headline=_headline(document, "pending", style, shown),
        fields=tuple(
            Field(label_of(name, document.kind, style), value) for name, value in known.items() if value
        ),
        ending=style.say("coupa_only") if shown.in_coupa_only else "",
        link=_open(document, style),
    )
    return style.markup.render(card)


def _whole(
    approval: Approval,
    document: Document,
    *,
    headline: str,
    notes: tuple[str, ...],
    style: Style,
    shown: Shown,
) -> str:
    """Render everything that there is to say, or else the short form."""
    card = Card(
        greeting=_greeting(style, shown),
        headline=headline,
        notes=notes,
        fields=fields(approval, document, style),
        ending=_ending(approval, style, shown),
        link=_open(document, style),
    )
    text = style.markup.render(card)
    return text if len(text) <= MAX_MESSAGE else minimal(document, style=style, shown=shown)


def _ending(approval: Approval, style: Style, shown: Shown) -> str:
    """Say what can be done from chat."""
    if shown.in_coupa_only:
        return style.say("coupa_only")
    verbs = [verb for verb in style.actions if verb is not Verb.HOLD or approval.holdable]
    words = [style.say(f"verb.{verb}") for verb in verbs]
    return style.say("actions", verbs=style.choice(words)) if words else ""


def _greeting(style: Style, shown: Shown) -> str:
    name = clean(shown.name, SHORT)
    return style.say("hi", name=name) if name else style.say("hi.nobody")


def _headline(document: Document, key: str, style: Style, shown: Shown, **values: str) -> str:
    said = f"{ICONS[document.kind]} {style.say(key, noun=noun_of(document, style), **values)}"
    whom = clean(shown.for_whom, SHORT)
    return f"{said} {style.say('for', who=whom)}" if whom else said


def noun_of(document: Document, style: Style) -> str:
    """Return what kind of thing a document is, such as an invoice or a credit note."""
    is_credit = isinstance(document, Invoice) and document.is_credit_note
    return style.say("noun.credit_note" if is_credit else f"noun.{document.kind}")


def name_of(document: Document, style: Style) -> str:
    """Name a document in a sentence: `Purchase request 14170 (Laptops)`."""
    title = clean(document.title, SHORT)
    named = f"{noun_of(document, style)} {document.id}"
    return f"{named} ({title})" if title else named


def _open(document: Document, style: Style) -> Link:
    return Link(style.say("open"), link_to(document, style=style))


# ---------------------------------------------------------------------- about several


@dataclass(frozen=True)
class Waiting:
    """One approval in a digest.

    Attributes:
        document: what is to be approved.
        since: when it began to wait for this person; None when nobody knows.
    """

    document: Document
    since: datetime | None = None


def digest(items: Sequence[Waiting], *, style: Style, now: datetime, total: int | None = None) -> str:
    """List several approvals of one person in one message, in the order given.

    Args:
        items: what waits; the first ten are named.
        style: of the deployment.
        now: aware; ages are counted up to it.
        total: how many wait, when there are more than the items.

    Returns:
        A text with number, kind, title, amount, requester and age of each, and how many more there are.
    """
    count = max(total or 0, len(items))
    named = items[:MAX_ENTRIES]
    while True:
        more = count - len(named)
        card = Card(
            headline=style.count("digest", count),
            entries=tuple(_entry(each, style, now) for each in named),
            ending=style.say("more", count=more) if more else "",
            link=Link(style.say("open"), style.base_url),
        )
        text = style.markup.render(card)
        if len(text) <= MAX_MESSAGE or not named:
            return text
        named = named[:-1]


def _entry(waiting: Waiting, style: Style, now: datetime) -> Entry:
    document = waiting.document
    name = f"{noun_of(document, style)} {document.id}"
    said = [
        clean(document.title, SHORT),
        amount_of(document, style),
        person(document.requested_by),
        style.say("waiting", age=style.age(now - waiting.since)) if waiting.since else None,
    ]
    text = ", ".join(each for each in said if each) or status(document.status, style)
    return Entry(Link(name, link_to(document, style=style)), text)


# ---------------------------------------------------------------------- when it is over


class Ending(StrEnum):
    """How an approval that somebody was shown came to an end."""

    APPROVED = "approved"
    REJECTED = "rejected"
    ON_HOLD = "on_hold"
    WITHDRAWN = "withdrawn"
    REASSIGNED = "reassigned"
    ENDED = "ended"


def closing(
    document: Document, ending: Ending, *, style: Style, by: str = "", at: datetime | None = None
) -> str:
    """Tell somebody that a card of theirs is dead: what happened, by whom and when, as far as it is known."""
    who = style.say("by", who=clean(by, SHORT)) if by else ""
    time = style.say("at", time=style.moment(at)) if at else ""
    said = style.say(f"closed.{ending}", document=name_of(document, style), by=who, at=time)
    return style.markup.render(
        Card(notes=(f"{said} {style.say('closed.idle')}",), link=_open(document, style))
    )


def receipt(
    document: Document, verb: Verb, *, style: Style, following: Sequence[Approval] | None = None
) -> str:
    """Confirm a decision to whoever made it, and say how it goes on.

    Args:
        document: as it is after the decision.
        verb: what was decided.
        style: of the deployment.
        following: whose turn it is now; None when it is not known.
    """
    said = [style.say(f"did.{verb}", document=name_of(document, style))]
    if verb is Verb.APPROVE and document.status == APPROVED:
        said.append(style.say("then.approved"))
    elif verb is Verb.APPROVE and following:
        said.append(style.say("then.next", who=style.few(asked(each) for each in following)))
    elif document.status:
        said.append(style.say("then.status", status=status(document.status, style)))
    return style.markup.render(Card(notes=(" ".join(said),)))
