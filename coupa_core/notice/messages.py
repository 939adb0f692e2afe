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
    """

    recipient: str
    text: str
    slots: dict[str, str]


def slots(approval_id: int, token: str | None) -> dict[str, str]:
    """Return the slots that the event declares; values are texts, and no token is no slot."""
    return {"approval_id": str(approval_id)} | ({"action_token": token} if token else {})


# ---------------------------------------------------------------------- about one approval


def announcement(
    approval: Approval,
    document: Document,
    *,
    style: Style,
    changed: bool = False,
    changes: Iterable[str] = (),
) -> str:
    """Say what waits for the approver, with what is needed to decide.

    Args:
        approval: whose turn it is.
        document: what is to be approved.
        style: of the deployment.
        changed: the approver was shown other content before.
        changes: what changed, as `difference` says it.

    Returns:
        A text in the style's markup; the short form when the long one would not fit.
    """
    key = "changed" if changed else "pending"
    return _whole(approval, document, _headline(document, key, style), tuple(changes), style)


def reminder(approval: Approval, document: Document, *, style: Style, waited: timedelta) -> str:
    """Say once more what waits, and for how long it has."""
    return _whole(
        approval, document, _headline(document, "reminder", style, age=style.age(waited)), (), style
    )


def minimal(approval: Approval, document: Document, *, style: Style) -> str:
    """Say only that something waits, which, how much if known, and where: it cannot fail to render."""
    known = {"id": str(document.id), "amount": style.amount(document.total, document.currency)}
    card = Card(
        greeting=_greeting(approval, style),
        headline=_headline(document, "pending", style),
        fields=tuple(
            Field(label_of(name, document.kind, style), value) for name, value in known.items() if value
        ),
        link=_open(document, style),
    )
    return style.markup.render(card)


def _whole(
    approval: Approval, document: Document, headline: str, notes: tuple[str, ...], style: Style
) -> str:
    """Render everything that there is to say, or else the short form."""
    verbs = [verb for verb in style.actions if verb is not Verb.HOLD or approval.holdable]
    card = Card(
        greeting=_greeting(approval, style),
        headline=headline,
        notes=notes,
        fields=fields(approval, document, style),
        ending=style.say("actions", verbs=style.choice([style.say(f"verb.{verb}") for verb in verbs]))
        if verbs
        else "",
        link=_open(document, style),
    )
    text = style.markup.render(card)
    return text if len(text) <= MAX_MESSAGE else minimal(approval, document, style=style)


def _greeting(approval: Approval, style: Style) -> str:
    who = approval.approver
    name = clean(who.firstname or who.fullname, SHORT) if who else ""
    return style.say("hi", name=name) if name else style.say("hi.nobody")


def _headline(document: Document, key: str, style: Style, **values: str) -> str:
    return f"{ICONS[document.kind]} {style.say(key, noun=noun_of(document, style), **values)}"


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
