"""Messages for information: a question to the requester, a card that is out of date, how a request ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coupa_core.endings import End, Ending
from coupa_core.marks import read_mark
from coupa_core.model import Comment, Document
from coupa_core.notice.cards import several, with_sign
from coupa_core.notice.fields import known_as, priced
from coupa_core.notice.markup import Card
from coupa_core.notice.style import Style
from coupa_core.notice.text import LONG, SHORT, clean


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
        return several(
            style.say("questions", count=len(items)), [style.colon(*each) for each in parts], style
        )
    [(asks, words)] = parts
    notes = tuple(filter(None, (words, style.say("question.reply"))))
    return with_sign(items[0].document, Card(headline=asks, notes=notes), style)


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
        return several(style.say("closings", count=len(items)), sentences, style)
    # An approval on hold comes back to them: the message must not say that nothing is left to do.
    rest = style.say("closed.held" if items[0].end.ending is Ending.ON_HOLD else "closed.idle")
    return with_sign(items[0].document, Card(headline=sentences[0], notes=(rest,)), style)


def outcome(items: Sequence[Ended], *, style: Style) -> str:
    """Tell the requester how requests ended, by whom, when and why, as far as it is known."""
    sentences = [_ended(each, style, key="outcome") for each in items]
    why = [_reason(each, style) for each in items]
    if len(items) > 1:
        both = [" · ".join(filter(None, pair)) for pair in zip(sentences, why, strict=True)]
        return several(style.say("outcomes", count=len(items)), both, style)
    return with_sign(items[0].document, Card(headline=sentences[0], notes=tuple(filter(None, why))), style)


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
