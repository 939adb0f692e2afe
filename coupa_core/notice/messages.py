"""Compose every message: the card of a notice, of a list and of a click, and all others.

Pure. This module does not decide who is told, when, or what they may do, and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from coupa_core.authority import Right, TokenKeys
from coupa_core.content import content_hash as content_of
from coupa_core.endings import End, Ending
from coupa_core.facts import NO_FACTS, Facts
from coupa_core.marks import read_mark
from coupa_core.model import Approval, Comment, Document
from coupa_core.notice.catalogue import ICONS
from coupa_core.notice.difference import difference
from coupa_core.notice.facts import fact_fields
from coupa_core.notice.fields import (
    amount_of,
    asked,
    details,
    fields,
    headline,
    known_as,
    name_of,
    numbered,
    person,
    priced,
)
from coupa_core.notice.markup import MAX_MESSAGE, Card, Field, Link, ListItem, render
from coupa_core.notice.style import Style, link_to
from coupa_core.notice.sums import sums
from coupa_core.notice.text import LONG, MAX_LINES, SHORT, clean

MAX_ENTRIES = 10
"""The most approvals that one message names; the others are counted."""

YOUNG = timedelta(minutes=1)
"""A shorter wait is not mentioned."""


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


# ---------------------------------------------------------------------- about one approval


@dataclass(frozen=True, kw_only=True)
class ApprovalRequest:
    """The request to one person about one approval.

    Attributes:
        approval: the approval, whose turn has come.
        document: as far as it could be read.
        right: the reader, and the reader's actions in chat.
        generation: of the approval.
        is_unread: the document cannot be shown now.
        is_short: the card has only texts that cannot fail to render, and none that others wrote.
        is_changed: the reader was shown other content before.
        shown: the facts of that content, as `shown_facts` returned them; empty when they are unknown.
        facts: further information, which is shown and not signed.
        waited: the length of the wait, for a reminder.
        is_listed: it is an item of the list that the reader asked for.
        answers: comments by the requester since the reader asked; the card comes again with them.
    """

    approval: Approval
    document: Document
    right: Right
    generation: int = 0
    is_unread: bool = False
    is_short: bool = False
    is_changed: bool = False
    shown: str = ""
    facts: Facts = NO_FACTS
    waited: timedelta | None = None
    is_listed: bool = False
    answers: tuple[Comment, ...] = ()


def compose(request: ApprovalRequest, *, style: Style, keys: TokenKeys | None, now: datetime) -> Notice:
    """Return the notice to one person about one approval, for chat, list and click alike.

    Args:
        request: the request to the person.
        style: of the deployment.
        keys: sign the token; None for a notice without a token.
        now: aware; the token is valid from then on.
    """
    reader, document = request.right.decider, request.document
    style = style.to(reader.locale, reader.address)
    slots = {"approval_id": str(request.approval.id)}
    if keys is not None:
        # A card without content allows no decision, but the person may ask.
        content = "" if request.is_unread else content_of(document)
        slots["action_token"] = keys.offer(
            request.right, request.approval, content=content, generation=request.generation, now=now
        )
    return Notice(
        reader.address,
        _text(request, style),
        slots,
        kind="answer" if request.answers else "announcement" if request.waited is None else "reminder",
        document_type=document.type,
        document_id=str(document.id),
        actions={name: style.say(f"button.{name}") for name in _offered(request, style)},
        colon=style.say("colon"),
    )


def _offered(request: ApprovalRequest, style: Style) -> list[str]:
    """Return the reader's actions: a reader who may decide may also ask, where somebody can answer."""
    decisions, asked = list(map(str, request.right.actions)), request.document.answerer
    if not (decisions and style.asks) or request.document.commented_on is None or asked is None:
        return decisions
    return [*decisions, "ask"] if asked.key != request.right.decider.key else decisions


def _text(request: ApprovalRequest, style: Style) -> str:
    document, sentence, ending = request.document, _request(request, style), _ending(request, style)
    # The facts of an earlier card may contain sensitive content.
    if not (request.is_short or request.is_unread or document.is_sensitive):
        changes = difference(request.shown, document, style) if request.is_changed else []
        notes = [*_answers(request, style), *changes]
        known = fields(request.approval, document, style)
        for beside in dict.fromkeys((fact_fields(request.facts, document, style), ())):
            text = _about(document, sentence, style, notes=notes, fields=(*known, *beside), endings=(ending,))
            if len(text) <= MAX_MESSAGE:
                return text
    least = filter(None, [amount_of(document, style), *_answers(request, style)])
    card = Card(headline=sentence, notes=tuple(least), endings=(ending,))
    return _signed(document, card, style)


def _about(
    document: Document,
    sentence: str,
    style: Style,
    *,
    notes: Sequence[str] = (),
    fields: tuple[Field, ...] = (),
    endings: tuple[str, ...] = (),
) -> str:
    """Render a card that begins with who requests what; for a document without a title, with the request."""
    first = headline(document, style)
    lines = (sentence,) if first else tuple(filter(None, [details(document, style)]))
    card = Card(headline=first or sentence, notes=(*lines, *notes), fields=fields, endings=endings)
    return _signed(document, card, style)


def _signed(document: Document, card: Card, style: Style) -> str:
    """Render a card about one document, with its sign and its link."""
    head = f"{ICONS[document.kind]} {card.headline}"
    link = Link(style.say("open"), link_to(document, style=style))
    return render(replace(card, headline=head, link=link, colon=style.say("colon")))


def _request(request: ApprovalRequest, style: Style) -> str:
    """Return the request to the reader, and in which role."""
    named = numbered(request.document, style)
    if request.right.bar and request.right.bar.is_of_asker:
        return style.say("asked.own", document=named)
    if request.waited is not None:
        sentence = style.say("reminder", document=named, age=style.age(request.waited))
    else:
        sentence = style.say("changed" if request.is_changed else "asked", document=named)
    return sentence + _acting(request.right, request.document, request.approval, style)


def _acting(right: Right, document: Document, approval: Approval, style: Style) -> str:
    """Return for whom the reader acts; empty for nobody, or where the name could reveal the subject."""
    whom = "" if document.is_sensitive else clean(right.decider.acts_for(approval), SHORT)
    return style.say("for.group" if approval.is_for_group else "for", who=whom) if whom else ""


def _answers(request: ApprovalRequest, style: Style) -> list[str]:
    """Return the requester's answers, in their words; the shortest form says only that there is an answer.

    Of many comments the newest are shown, with the number of earlier ones.
    """
    sentences, earlier = [], len(request.answers) - MAX_LINES
    for each in request.answers[-MAX_LINES:]:
        who, words = clean(each.author, SHORT), clean(each.words, LONG)
        if request.is_short or request.document.is_sensitive or not (who and words):
            sentences.append(style.say("answered.there"))
        else:
            sentences.append(style.say("answered", who=who, words=style.quote(words)))
    return [*([style.more(earlier)] if earlier > 0 else []), *dict.fromkeys(sentences)]


def _ending(request: ApprovalRequest, style: Style) -> str:
    """Return why and where it is decided elsewhere; empty where there are buttons."""
    if request.is_unread:
        return style.say("unread")
    if request.right.bar:
        return style.say(f"bar.{request.right.bar}")
    is_elsewhere = request.is_listed and request.right.actions and not style.list_decides
    return style.say("elsewhere") if is_elsewhere else ""


# ---------------------------------------------------------------------- about several, or for information


@dataclass(frozen=True)
class Waiting:
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


def digest(items: Sequence[Waiting], *, style: Style, now: datetime, is_again: bool = False) -> str:
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
            endings=(_others(len(items) - number, style), how if style.actions else ""),
            link=Link(style.say("open"), style.base_url),
            colon=style.say("colon"),
        )

    return _fitting(some)


def _entry(waiting: Waiting, style: Style, now: datetime, *, marks: bool) -> ListItem:
    document, since = waiting.document, waiting.since
    is_old = since is not None and now - since >= YOUNG
    age = style.say("waiting", age=style.age(now - since)) if since and is_old else None
    sentence = style.join(amount_of(document, style), person(document.requested_by), age)
    if waiting.right and waiting.approval:
        sentence += _acting(waiting.right, waiting.document, waiting.approval, style)
    mark = style.say("decide.only_coupa") if marks and waiting.is_barred else None
    return ListItem(
        Link(name_of(document, style), link_to(document, style=style)), style.join(sentence, mark)
    )


def escalation(items: Sequence[Waiting], *, style: Style, now: datetime) -> str:
    """Tell somebody for how long approvals have waited, and for whom."""

    def waits(each: Waiting) -> str:
        who, age = _asked(each), style.age(now - (each.since or now))
        return style.say("escalation" if who else "escalation.nobody", who=who, age=age)

    if len(items) > 1:
        every = [style.colon(known_as(each.document, style), waits(each)) for each in items]
        return _several(style.say("escalations", count=len(items)), every, style)
    [one] = items
    who, waited = _asked(one), waits(one)
    sentence = style.colon(numbered(one.document, style), waited)
    # A reader who may decide it, too, as a delegate, gets a card of their own.
    notes = () if one.right else (style.say("informed" if who else "informed.nobody", who=who),)
    return _about(one.document, sentence, style, notes=notes)


def _asked(waiting: Waiting) -> str:
    """Return the name of the approver; empty where a group's name could reveal a sensitive subject."""
    return "" if waiting.approval is None or waiting.document.is_sensitive else asked(waiting.approval)


@dataclass(frozen=True)
class QuestionItem:
    """A question of an approver to the requester.

    Attributes:
        document: its subject.
        comment: our comment in Coupa, with the mark of the person who asks.
    """

    document: Document
    comment: Comment

    def parts(self, style: Style) -> tuple[str, str]:
        """Return who asks about which document, and their words; no words for a sensitive document."""
        mark = read_mark(self.comment.comments)
        name, words = (mark.name or mark.address, mark.words) if mark else ("", "")
        asks = style.say("question", who=clean(name, SHORT), document=priced(self.document, style))
        return asks, "" if self.document.is_sensitive else style.quote(clean(words, LONG))


def question(items: Sequence[QuestionItem], *, style: Style) -> str:
    """Tell the requester about questions of approvers, and where to answer: by a comment in Coupa."""
    parts = [each.parts(style) for each in items]
    if len(items) > 1:
        return _several(
            style.say("questions", count=len(items)), [style.colon(*each) for each in parts], style
        )
    [(asks, words)] = parts
    notes = tuple(filter(None, (words, style.say("question.reply"))))
    return _signed(items[0].document, Card(headline=asks, notes=notes), style)


@dataclass(frozen=True)
class Ended:
    """One approval that has ended.

    Attributes:
        document: the document.
        end: how it ended.
    """

    document: Document
    end: End


def closing(items: Sequence[Ended], *, style: Style) -> str:
    """Tell a person that cards of theirs are out of date, and how each ended, as far as known."""
    sentences = [_ended(each, style) for each in items]
    if len(items) > 1:
        return _several(style.say("closings", count=len(items)), sentences, style)
    # An approval on hold comes back to them: the message must not say that nothing is left to do.
    rest = style.say("closed.held" if items[0].end.ending is Ending.ON_HOLD else "closed.idle")
    return _signed(items[0].document, Card(headline=sentences[0], notes=(rest,)), style)


def outcome(items: Sequence[Ended], *, style: Style) -> str:
    """Tell the requester how requests ended, by whom, when and why, as far as it is known."""
    sentences = [_ended(each, style, key="outcome") for each in items]
    why = [_reason(each, style) for each in items]
    if len(items) > 1:
        both = [" · ".join(filter(None, pair)) for pair in zip(sentences, why, strict=True)]
        return _several(style.say("outcomes", count=len(items)), both, style)
    return _signed(items[0].document, Card(headline=sentences[0], notes=tuple(filter(None, why))), style)


def _reason(one: Ended, style: Style) -> str:
    words = "" if one.document.is_sensitive else clean(one.end.words, LONG)
    return style.say("reason", words=words) if words else ""


def _ended(one: Ended, style: Style, *, key: str = "closed") -> str:
    return ended_as(one.end, known_as(one.document, style), style, key=key)


def ended_as(end: End, what: str, style: Style, *, key: str = "closed") -> str:
    """Return in one sentence how an approval ended; with the key `outcome`, for its requester."""
    who = clean(end.by, SHORT)
    told = {
        "by": style.say("by", who=who) if who else "",
        "at": style.say("at", time=style.moment(end.at)) if end.at else "",
    }
    return style.say(f"{key}.{end.ending}", document=what, **told)


def _several(head: str, sentences: Sequence[str], style: Style) -> str:
    """Put several sentences into one message, one line each: the first ten, and the number of others."""

    def some(number: int) -> Card:
        return Card(
            headline=head,
            notes=tuple(sentences[:number]),
            endings=(_others(len(sentences) - number, style),),
            link=Link(style.say("open"), style.base_url),
        )

    return _fitting(some)


def _others(number: int, style: Style) -> str:
    return style.more(number) if number > 0 else ""


def _fitting(some: Callable[[int], Card]) -> str:
    """Render a message that names at most ten, and fewer where texts of others would make it too long."""
    texts = (render(some(number)) for number in range(MAX_ENTRIES, -1, -1))
    return next(text for text in texts if len(text) <= MAX_MESSAGE)
