"""The card of one approval, for a notice, a list and a click alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from coupa_core.authority import Right, TokenKeys
from coupa_core.content import content_hash as content_of
from coupa_core.facts import NO_FACTS, Facts
from coupa_core.model import Approval, Comment, Document
from coupa_core.notice.cards import Notice, about, acting, with_sign
from coupa_core.notice.difference import difference
from coupa_core.notice.facts import fact_fields
from coupa_core.notice.fields import amount_of, fields, numbered
from coupa_core.notice.markup import MAX_MESSAGE, Card
from coupa_core.notice.style import Style
from coupa_core.notice.text import LONG, MAX_LINES, SHORT, clean


@dataclass(frozen=True, kw_only=True)
class ApprovalRequest:
    """The request to one person about one approval.

    Attributes:
        approval: the approval, whose turn has come.
        document: the document, as far as it could be read.
        right: the reader, and the reader's actions in chat.
        generation: the generation of the approval.
        is_unread: the document cannot be shown now.
        is_short: the card has only texts that cannot fail to render, and none that others wrote.
        is_changed: the reader was shown other content before.
        shown: the figures of that content, as `shown_figures` returned them; empty when they are unknown.
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
        style: the style of the deployment.
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
            text = about(document, sentence, style, notes=notes, fields=(*known, *beside), endings=(ending,))
            if len(text) <= MAX_MESSAGE:
                return text
    least = filter(None, [amount_of(document, style), *_answers(request, style)])
    card = Card(headline=sentence, notes=tuple(least), endings=(ending,))
    return with_sign(document, card, style)


def _request(request: ApprovalRequest, style: Style) -> str:
    """Return the request to the reader, and in which role."""
    named = numbered(request.document, style)
    if request.right.bar and request.right.bar.is_of_asker:
        return style.say("asked.own", document=named)
    if request.waited is not None:
        sentence = style.say("reminder", document=named, age=style.age(request.waited))
    else:
        sentence = style.say("changed" if request.is_changed else "asked", document=named)
    return sentence + acting(request.right, request.document, request.approval, style)


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
    """Return the reason and the place for a decision elsewhere; empty if there are buttons."""
    if request.is_unread:
        return style.say("unread")
    if request.right.bar:
        return style.say(f"bar.{request.right.bar}")
    is_elsewhere = request.is_listed and request.right.actions and not style.list_decides
    return style.say("elsewhere") if is_elsewhere else ""
