"""Past decisions: which of them are one person's, in which order, and how they are shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from coupa_core import notice
from coupa_core.addresses import same_address
from coupa_core.documents import parse_document
from coupa_core.endings import End, Ending
from coupa_core.model import DONE_STATUS, Approval, Document, DocumentKey, Member, Unreadable, stamp

DAYS = 30
"""How many days back decisions are read."""

MAX_SHOWN = 20
"""Decisions that are shown at once; a chat answer with more is unreadable."""

STATUS = {verb.value: status for verb, status in DONE_STATUS.items()}

_NEVER = datetime.min.replace(tzinfo=UTC)


class MadeIn(StrEnum):
    """The place where a decision was made."""

    CHAT = "chat"
    COUPA = "coupa"


@dataclass(frozen=True)
class PastDecision:
    """One decision, ready to show.

    Attributes:
        approval_id: in Coupa.
        document_type: Coupa's class name.
        document_id: in Coupa; None where nobody knows it.
        status: the state of the approval: `approved`, `rejected` or `on_hold`.
        decided_at: ISO 8601; None where Coupa does not say.
        made_in: `chat` or `coupa`.
        text: all this in a line, in the person's language, with the document's name of today.
        link: where the document is in Coupa.
    """

    approval_id: int
    document_type: str
    document_id: int | None
    status: str
    decided_at: str | None
    made_in: MadeIn
    text: str
    link: str


@dataclass(frozen=True)
class PastDecisions:
    """The recent decisions of a person.

    Attributes:
        decisions: the newest first.
        count: how many are known.
        is_complete: these are all that can be found; if not, there are at least so many. As a delegate or a
            member of a group that the person is no longer, they may have decided more in Coupa.
        message: all this in a line, in the person's language.
    """

    decisions: list[PastDecision]
    count: int
    is_complete: bool
    message: str


@dataclass(frozen=True)
class Made:
    """One decision as it was found."""

    approval_id: int
    status: str
    at: datetime | None
    place: MadeIn
    document_key: DocumentKey
    approval: Approval | None = None

    @property
    def key(self) -> tuple[int, str]:
        """Return the identity of a decision: an approval that came back may have several."""
        return (self.approval_id, self.status)


@dataclass(frozen=True)
class Known:
    """The known decisions of a person.

    Attributes:
        made: in any order.
        is_complete: all were found that Coupa's present approvers show.
        gap: the key of a sentence about lookups that failed; empty for none.
    """

    made: Sequence[Made] = ()
    is_complete: bool = True
    gap: str = ""


def made_by(approval: Approval, person: Member, email: str, since: datetime) -> Made | None:
    """Return an approval of Coupa as this person's decision; None where somebody else made it, or long ago.

    Coupa names our client for every decision from chat, and the note that our client left the person.
    """
    at, by, status = stamp(approval.approval_date), approval.approved_by, approval.status or ""
    if status not in STATUS.values() or (at is not None and at < since):
        return None  # a stamp moves without a decision, too
    place = None
    if approval.signed and any(same_address(approval.signed.address, each) for each in (email, person.email)):
        place = MadeIn.CHAT
    elif not approval.by_us and by is not None and by.key == person.key:
        place = MadeIn.COUPA
    return Made(approval.id, status, at, place, approval.document_key, approval) if place else None


def joined(ours: Sequence[Made], theirs: Sequence[Made]) -> list[Made]:
    """Join the decisions of our rows and of Coupa; of the same decision only our row says how it was made."""
    made = {each.key: each for each in theirs}
    for each in ours:
        # A click on what no sweep had seen left a row that does not name its document.
        known = made.get(each.key, each)
        made[each.key] = replace(each, document_key=known.document_key, approval=known.approval)
    return list(made.values())


def newest(made: Iterable[Made]) -> list[Made]:
    """Return those that are shown, the newest first."""
    return sorted(made, key=lambda each: (each.at or _NEVER, each.approval_id), reverse=True)[:MAX_SHOWN]


def show(made: Made, document: Document | None, style: notice.Style) -> PastDecision:
    """Show one decision without an amount: the document's amount at that time is no longer known."""
    kind, number = made.document_key
    if document is None or isinstance(document, Unreadable):
        document = parse_document(kind, {"id": number})
    what = notice.name_of(document, style, quoted=True) if document else style.say("this")
    sentence = notice.ended_as(End(Ending(made.status), at=made.at), what, style)
    return PastDecision(
        approval_id=made.approval_id,
        document_type=kind,
        document_id=number,
        status=made.status,
        decided_at=made.at.isoformat() if made.at else None,
        made_in=made.place,
        text=f"{sentence} · {style.say(f'history.{made.place}')}",
        link=notice.link_to(document, style=style) if document else style.base_url,
    )


def how_many(known: Known, shown: int, style: notice.Style) -> str:
    """Describe the number of decisions, the number of shown ones, and failed lookups."""
    count, days = len(known.made), style.number(DAYS)
    if count:
        key = "history.count" if known.is_complete else "history.at_least"
        sentences = [style.say(key, count=count, days=days)]
    elif known.gap == "bar.shared":
        return style.say(known.gap)
    else:
        sentences = [style.say("history.none" if known.is_complete else "history.none_known", days=days)]
    if shown < count:
        sentences.append(style.say("list.shown", count=shown))
    if known.gap:
        sentences.append(style.say(known.gap))
    return style.sentences(*sentences)
