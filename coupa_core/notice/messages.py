"""The messages while something waits: announcement, reminder, escalation and digest. Pure.

They decide nothing about who is told or when, and nothing about delivery; `endings` has what comes after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coupa_core.documents import Invoice
from coupa_core.model import Approval, Bar, Document, Verb
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
        actions: what the reader can do from chat with an approval that the slots name.
    """

    recipient: str
    text: str
    slots: dict[str, str]
    kind: str = "announcement"
    document_type: str = ""
    document_id: str = ""
    actions: tuple[Verb, ...] = tuple(Verb)


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
        bar: why the reader cannot decide it in chat.
        is_listed: it is an item of the list that the reader asked for.
        is_unread: the document cannot be read now.
    """

    name: str = ""
    for_whom: str = ""
    is_changed: bool = False
    bar: Bar | None = None
    is_listed: bool = False
    is_unread: bool = False


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


def escalation(
    approval: Approval,
    document: Document,
    *,
    style: Style,
    waited: timedelta,
    waits_for: str,
    name: str = "",
) -> str:
    """Tell somebody who cannot decide for how long an approval has waited for whom.

    Args:
        approval: what waits; it names who is asked where `waits_for` is empty.
        document: what is to be approved.
        style: of the deployment.
        waited: for how long.
        waits_for: the name of the person or group that must decide.
        name: of the reader; without one nobody is greeted.
    """
    who = clean(waits_for, SHORT) or asked(approval)
    suffix = "" if who else ".nobody"
    said = {"document": name_of(document, style), "who": who, "age": style.age(waited)}
    known = {"amount": amount_of(document, style), "requester": person(document.requested_by)}
    card = Card(
        greeting=greeting(name, style),
        headline=f"{ICONS[document.kind]} {style.say(f'escalation{suffix}', **said)}",
        fields=_brief(known, document, style),
        endings=(style.say(f"informed{suffix}", who=who),),
        link=opening(document, style),
    )
    return style.markup.render(card)


@dataclass(frozen=True)
class Overdue:
    """One approval that has waited for long: what `escalation` says of it."""

    approval: Approval
    document: Document
    waited: timedelta
    waits_for: str = ""


def escalations(items: Sequence[Overdue], *, style: Style, name: str = "") -> str:
    """Say of several approvals in one message what `escalation` says of one; the first ten are named."""
    said = []
    for each in items:
        who = clean(each.waits_for, SHORT) or asked(each.approval)
        parts = {"document": name_of(each.document, style), "who": who, "age": style.age(each.waited)}
        said.append(style.say("escalation" if who else "escalation.nobody", **parts))
    return several("escalations", said, style=style, name=name)


def minimal(document: Document, *, style: Style, shown: Shown) -> str:
    """Say only that something waits, which, how much if known, and where: it cannot fail to render."""
    known = {"id": str(document.id), "amount": amount_of(document, style)}
    ending = f"bar.{shown.bar}" if shown.bar else "unread" if shown.is_unread else ""
    card = Card(
        greeting=_greeting(style, shown),
        headline=_headline(document, "pending", style, shown),
        fields=_brief(known, document, style),
        endings=(style.say(ending),) if ending else (),
        link=opening(document, style),
    )
    return style.markup.render(card)


def _brief(known: Mapping[str, str | None], document: Document, style: Style) -> tuple[Field, ...]:
    """Return a few fields by their names, those that are known."""
    return tuple(Field(label_of(name, document.kind, style), value) for name, value in known.items() if value)


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
        endings=(_ending(approval, style, shown),),
        link=opening(document, style),
    )
    text = style.markup.render(card)
    return text if len(text) <= MAX_MESSAGE else minimal(document, style=style, shown=shown)


def _ending(approval: Approval, style: Style, shown: Shown) -> str:
    """Say what can be done from chat."""
    if shown.bar:
        return style.say(f"bar.{shown.bar}")
    verbs = [verb for verb in style.actions if verb is not Verb.HOLD or approval.holdable]
    words = [style.say(f"verb.{verb}") for verb in verbs]
    if words and shown.is_listed and not style.list_decides:
        return style.say("elsewhere")
    return style.say("actions", verbs=style.choice(words)) if words else ""


def greeting(name: str, style: Style) -> str:
    """Greet somebody by name; nothing where there is none."""
    known = clean(name, SHORT)
    return style.say("hi", name=known) if known else ""


def _greeting(style: Style, shown: Shown) -> str:
    return greeting(shown.name, style) or style.say("hi.nobody")


def _headline(document: Document, key: str, style: Style, shown: Shown, **values: str) -> str:
    said = f"{ICONS[document.kind]} {style.say(key, noun=noun_of(document, style), **values)}"
    whom = clean(shown.for_whom, SHORT)
    return f"{said} {style.say('for', who=whom)}" if whom else said


def noun_of(document: Document, style: Style, *, key: str = "noun") -> str:
    """Return what kind of thing a document is, such as an invoice; by the key `your`, as the reader's."""
    is_credit = isinstance(document, Invoice) and document.is_credit_note
    return style.say(f"{key}.credit_note" if is_credit else f"{key}.{document.kind}")


def name_of(document: Document, style: Style, *, key: str = "noun") -> str:
    """Name a document in a sentence: `Purchase request 14170 (Laptops)`."""
    title = clean(document.title, SHORT)
    named = f"{noun_of(document, style, key=key)} {document.id}"
    return f"{named} ({title})" if title else named


def opening(document: Document, style: Style) -> Link:
    """Return the link to a document."""
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


def digest(
    items: Sequence[Waiting], *, style: Style, now: datetime, total: int | None = None, name: str = ""
) -> str:
    """List several approvals of one person in one message, in the order given, and say how to decide.

    Args:
        items: what waits; the first ten are named.
        style: of the deployment.
        now: aware; ages are counted up to it.
        total: how many wait, when there are more than the items.
        name: of the reader; without one nobody is greeted.

    Returns:
        A text with number, kind, title, amount, requester and age of each, and how many more there are.
    """
    count = max(total or 0, len(items))
    named = items[:MAX_ENTRIES]
    while True:
        more = count - len(named) if named else 0
        card = Card(
            greeting=greeting(name, style),
            headline=style.count("digest", count),
            entries=tuple(_entry(each, style, now) for each in named),
            endings=(
                style.more(more) if more else "",
                _how_to_decide(style),
            ),
            link=Link(style.say("open"), style.base_url),
        )
        text = style.markup.render(card)
        if len(text) <= MAX_MESSAGE or not named:
            return text
        named = named[:-1]


def _how_to_decide(style: Style) -> str:
    """Say where what a digest lists can be decided: it has no buttons itself."""
    if not style.actions:
        return ""
    return style.say("decide", question=style.say("ask")) if style.list_decides else style.say("decide.coupa")


def several(headline: str, sentences: Sequence[str], *, style: Style, name: str) -> str:
    """Say several things in one message, one line each: the first ten, and how many more there are.

    Ten sentences of capped names fit into a message, whatever is escaped in them.
    """
    more = len(sentences) - MAX_ENTRIES
    card = Card(
        greeting=greeting(name, style),
        headline=style.count(headline, len(sentences)),
        notes=tuple(sentences[:MAX_ENTRIES]),
        endings=(style.more(more) if more > 0 else "",),
        link=Link(style.say("open"), style.base_url),
    )
    return style.markup.render(card)


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
