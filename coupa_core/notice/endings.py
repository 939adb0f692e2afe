"""The messages when it is over: closing follow-up, outcome and receipt. Pure.

They decide nothing about who is told or when, and nothing about delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from coupa_core.model import APPROVED, Approval, Document, Verb
from coupa_core.notice.fields import asked, status
from coupa_core.notice.markup import Card
from coupa_core.notice.messages import greeting, name_of, opening
from coupa_core.notice.style import Style
from coupa_core.notice.text import SHORT, clean


class Ending(StrEnum):
    """How an approval that somebody was shown came to an end."""

    APPROVED = "approved"
    REJECTED = "rejected"
    ON_HOLD = "on_hold"
    WITHDRAWN = "withdrawn"
    REASSIGNED = "reassigned"
    ENDED = "ended"


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
    said = style.say(f"closed.{ending}", document=name_of(document, style), **_told(by, at, style))
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
    own = f"outcome.{ending}"
    named = name_of(document, style, key="your")
    said = style.say(own if style.has(own) else f"closed.{ending}", document=named, **_told(by, at, style))
    return _sentence(said, document, style, name)


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
