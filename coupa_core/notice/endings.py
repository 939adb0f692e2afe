"""The messages when it is over: closing follow-up, outcome and receipt. Pure.

They decide nothing about who is told or when, and nothing about delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from coupa_core.endings import Ending
from coupa_core.model import APPROVED, Approval, Document, Verb
from coupa_core.notice.fields import asked, status
from coupa_core.notice.markup import Card
from coupa_core.notice.messages import greeting, name_of, opening, several
from coupa_core.notice.style import Style
from coupa_core.notice.text import SHORT, clean


def closing(
    document: Document,
    ending: Ending,
    *,
    style: Style,
    by: str = "",
    at: datetime | None = None,
    name: str = "",
) -> str:
    """Tell somebody that a card of theirs is dead: what happened, by whom and when, as far as it is known.

    Args:
        document: what was to be approved.
        ending: what happened.
        style: of the deployment.
        by: the name of whoever did it.
        at: aware; when.
        name: of the reader; without one nobody is greeted.
    """
    said = _closed(Ended(document, ending, by, at), style)
    return _sentence(f"{said} {style.say('closed.idle')}", document, style, name)


def outcome(
    document: Document,
    ending: Ending,
    *,
    style: Style,
    by: str = "",
    at: datetime | None = None,
    name: str = "",
) -> str:
    """Tell the requester what became of the request, by whom and when, as far as it is known.

    Args:
        document: what was asked for.
        ending: what happened.
        style: of the deployment.
        by: the name of whoever did it.
        at: aware; when.
        name: of the requester; without one nobody is greeted.
    """
    return _sentence(_decided(Ended(document, ending, by, at), style), document, style, name)


@dataclass(frozen=True)
class Ended:
    """One approval that is over: what `closing` and `outcome` say of it.

    Attributes:
        document: what was to be approved.
        ending: what happened.
        by: the name of whoever did it.
        at: aware; when.
    """

    document: Document
    ending: Ending
    by: str = ""
    at: datetime | None = None


def closings(items: Sequence[Ended], *, style: Style, name: str = "") -> str:
    """Say of several cards in one message what `closing` says of one; the first ten are named."""
    said = [_closed(each, style) for each in items]
    return several("closings", said, style=style, name=name)


def outcomes(items: Sequence[Ended], *, style: Style, name: str = "") -> str:
    """Say of several requests in one message what `outcome` says of one; the first ten are named."""
    said = [_decided(each, style) for each in items]
    return several("outcomes", said, style=style, name=name)


def _closed(ended: Ended, style: Style) -> str:
    named = name_of(ended.document, style)
    return style.say(f"closed.{ended.ending}", document=named, **_told(ended.by, ended.at, style))


def _decided(ended: Ended, style: Style) -> str:
    own, named = f"outcome.{ended.ending}", name_of(ended.document, style, key="your")
    key = own if style.has(own) else f"closed.{ended.ending}"
    return style.say(key, document=named, **_told(ended.by, ended.at, style))


def _told(by: str, at: datetime | None, style: Style) -> dict[str, str]:
    """Return who did it and when, as parts of a sentence; empty where that is not known."""
    who = clean(by, SHORT)
    return {
        "by": style.say("by", who=who) if who else "",
        "at": style.say("at", time=style.moment(at)) if at else "",
    }


def _sentence(said: str, document: Document, style: Style, name: str) -> str:
    card = Card(greeting=greeting(name, style), notes=(said,), link=opening(document, style))
    return style.markup.render(card)


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
