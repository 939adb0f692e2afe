"""Answer "What did I decide?": one person's recent decisions, from our own rows and from Coupa.

Our rows have the decisions in chat, and Coupa has the others; where one fails, the answer has the other
alone. The audit log is not read: it is sorted by days, for everybody and for years, and a chat answer has
seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from coupa_core import notice
from coupa_core.addresses import same_address
from coupa_core.clock import Clock, Deadline, until
from coupa_core.documents import parse_document
from coupa_core.endings import End, Ending
from coupa_core.errors import Busy, ServiceError
from coupa_core.ledger import Entry
from coupa_core.model import (
    DONE_STATUS,
    Approval,
    Document,
    DocumentKey,
    Listing,
    Member,
    Naming,
    Unreadable,
    stamp,
)

READ_S = 9.0
"""So long is read, of the ten seconds of an answer; see `decide`."""

DAYS = 30
"""So far back is looked, in days."""

MAX_SHOWN = 20
"""Decisions that are shown at once; a chat answer with more is unreadable."""

MAX_READ = 200
"""Approvals that are read of Coupa at most, the newest by their ids first: four pages."""

OURS_S = 3.0
"""Of these, for our own rows."""

LISTED_S = 4.0
"""Of the rest, until the end of listing at Coupa; what is left is for the names of documents."""

PERMITS_S = 5.0
"""Until the last turn of a request at Coupa."""

CALLS = 4
"""Calls to Coupa: who it is, for whom they act, what they decided, its documents."""

_STATUS = {verb.value: status for verb, status in DONE_STATUS.items()}
_NEVER = datetime.min.replace(tzinfo=UTC)

logger = logging.getLogger(__name__)


class Place(StrEnum):
    """Where a decision was made."""

    CHAT = "chat"
    COUPA = "coupa"


@dataclass(frozen=True)
class PastDecision:
    """One decision, ready to show.

    Attributes:
        approval_id: in Coupa.
        document_type: Coupa's class name.
        document_id: in Coupa; None where nobody knows it.
        status: what became of the approval: `approved`, `rejected` or `on_hold`.
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
    made_in: Place
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
class _Made:
    """One decision as it was found."""

    approval_id: int
    status: str
    at: datetime | None
    place: Place
    document_key: DocumentKey
    approval: Approval | None = None

    @property
    def key(self) -> tuple[int, str]:
        """Return what tells one decision from another: an approval that came back may have several."""
        return (self.approval_id, self.status)


@dataclass(frozen=True)
class _Known:
    """The known decisions of a person.

    Attributes:
        made: in any order.
        is_complete: all were found that Coupa's present approvers show.
        gap: the key of a sentence about lookups that failed; empty for none.
    """

    made: Sequence[_Made] = ()
    is_complete: bool = True
    gap: str = ""


class CoupaQueries(Protocol):
    """Coupa, as far as past decisions need it."""

    def decided_for(self, keys: Iterable[str], since: datetime, deadline: Deadline, *, most: int) -> Listing:
        """Return what asked one of these users or groups and was decided since then; never raises."""
        ...

    def documents(self, naming: Iterable[Naming], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read documents, by (type, id); raises `ServiceError`."""
        ...

    def redacted(self, document: Document, approval: Approval | None) -> Document:
        """Return a document as chat may know it of this approval; None where nobody knows that."""
        ...


class Admission(Protocol):
    """The port to the rate limiter of Coupa."""

    def admit(self, least: int, most: int, *, within_s: float) -> AbstractContextManager[object]:
        """Reserve permits of which the last comes within so many seconds; raises `Busy` at once."""
        ...


class AddressOwners(Protocol):
    """The port to the directory, for a fresh read."""

    def owners(self, address: str, deadline: Deadline) -> list[Member]:
        """Return the active users whom the chat knows by this address; with two, it is nobody's.

        Raises:
            ServiceError: Coupa could not be asked.
        """
        ...

    def asked_as(self, person: Member, deadline: Deadline) -> tuple[list[str], ServiceError | None]:
        """Return as whom approvals ask somebody, also for others; and why nobody knows for which."""
        ...


class Decided(Protocol):
    """The ledger's rows."""

    def decided_entries(self, *, by: str, since: datetime) -> list[Entry]:
        """Return the rows with a decision by this person since then; raises `ServiceError`."""
        ...


class History:
    """The use case.

    Args:
        coupa: where approvals are.
        permits: the way to it.
        directory: returns whose an address is, read anew.
        store: the ledger's rows.
        clock: the time.
        style: of the answer.
    """

    def __init__(
        self,
        *,
        coupa: CoupaQueries,
        permits: Admission,
        directory: Callable[[], AddressOwners],
        store: Decided,
        clock: Clock,
        style: notice.Style,
    ) -> None:
        self._coupa = coupa
        self._permits = permits
        self._directory = directory
        self._store = store
        self._clock = clock
        self._style = style

    def decided_by(self, email: str) -> PastDecisions:
        """Return what this person decided lately; nothing for an unknown or inactive person.

        Raises:
            Busy, ServiceError: neither our rows nor Coupa can be asked.
        """
        deadline = Deadline(self._clock, READ_S)
        since = self._clock.now() - timedelta(days=DAYS)
        ours = self._ours(email, since, deadline)
        try:
            with self._permits.admit(CALLS, CALLS, within_s=PERMITS_S):
                return self._with_coupas(email, since, ours, deadline)
        except (Busy, ServiceError) as failure:
            if ours.gap:
                raise
            logger.warning("history without Coupa code=%s cause=%s", failure.code, failure)
            alone = replace(ours, is_complete=False, gap="history.ours")
            return self._told(alone, {}, self._style.to("", email))

    def _ours(self, email: str, since: datetime, deadline: Deadline) -> _Known:
        """Return what our rows know."""
        try:
            with until(deadline.within(OURS_S)):
                rows = self._store.decided_entries(by=email, since=since)
        except ServiceError as failure:
            logger.warning("history without ledger code=%s cause=%s", failure.code, failure)
            return _Known(is_complete=False, gap="history.coupas")
        made = [
            _Made(row.approval_id, status, row.decided_at, Place.CHAT, row.document_key)
            for row in rows
            if (status := _STATUS.get(row.decision))
        ]
        return _Known(list({each.key: each for each in made}.values()))

    def _with_coupas(self, email: str, since: datetime, ours: _Known, deadline: Deadline) -> PastDecisions:
        """Return what our rows know and what Coupa does.

        Raises:
            ServiceError: Coupa does not say who it is, or what they decided.
        """
        directory = self._directory()
        owners = directory.owners(email, deadline)
        person = owners[0] if len(owners) == 1 else None
        style = self._style.to((person.default_locale if person else None) or "", email)
        if person is None:
            # Of nobody, and of two people with one address, nobody can tell which decisions are theirs.
            gap = "bar.shared" if owners else ""
            return self._told(_Known(is_complete=False, gap=gap), {}, style)
        listing = self._listed(person, since, directory, deadline.within(LISTED_S))
        theirs = [made for each in listing.approvals if (made := _made(each, person, email, since))]
        number = len(listing.approvals) + listing.unreadable + listing.unasked
        is_all = listing.is_complete and not listing.unreadable and number < MAX_READ
        known = replace(ours, made=_joined(ours.made, theirs), is_complete=ours.is_complete and is_all)
        return self._told(known, self._documents(_newest(known.made), deadline), style)

    def _listed(
        self, person: Member, since: datetime, directory: AddressOwners, deadline: Deadline
    ) -> Listing:
        """List what asked this person and was decided; where some of it is not known, it is not complete.

        Raises:
            ServiceError: nothing came.
        """
        keys, failure = directory.asked_as(person, deadline)
        listing = self._coupa.decided_for(keys, since, deadline, most=MAX_READ)
        if listing.failure and not listing.approvals:
            raise listing.failure
        listing.failure = listing.failure or failure
        return listing

    def _documents(self, made: Sequence[_Made], deadline: Deadline) -> Mapping[DocumentKey, Document]:
        """Return the documents that can be read now; the others are called by their numbers."""
        try:
            read = self._coupa.documents(made, deadline) if made else {}
        except ServiceError as failure:
            logger.warning("history without documents code=%s cause=%s", failure.code, failure)
            return {}
        for each in made:
            if document := read.get(each.document_key):
                read[each.document_key] = self._coupa.redacted(document, each.approval)
        return read

    def _told(
        self, known: _Known, documents: Mapping[DocumentKey, Document], style: notice.Style
    ) -> PastDecisions:
        shown = [_shown(each, documents.get(each.document_key), style) for each in _newest(known.made)]
        return PastDecisions(shown, len(known.made), known.is_complete, _how_many(known, len(shown), style))


def _made(approval: Approval, person: Member, email: str, since: datetime) -> _Made | None:
    """Return an approval of Coupa as this person's decision; None where somebody else made it, or long ago.

    Coupa names our client for every decision from chat, and the note that our client left the person.
    """
    at, by, status = stamp(approval.approval_date), approval.approved_by, approval.status or ""
    if status not in _STATUS.values() or (at is not None and at < since):
        return None  # a stamp moves without a decision, too
    place = None
    if approval.signed and any(same_address(approval.signed.address, each) for each in (email, person.email)):
        place = Place.CHAT
    elif not approval.by_us and by is not None and by.key == person.key:
        place = Place.COUPA
    return _Made(approval.id, status, at, place, approval.document_key, approval) if place else None


def _joined(ours: Sequence[_Made], theirs: Sequence[_Made]) -> list[_Made]:
    """Join what our rows know and what Coupa does: of the same decision our row knows how it was made."""
    made = {each.key: each for each in theirs}
    for each in ours:
        # A click on what no sweep had seen left a row that does not name its document.
        known = made.get(each.key, each)
        made[each.key] = replace(each, document_key=known.document_key, approval=known.approval)
    return list(made.values())


def _newest(made: Iterable[_Made]) -> list[_Made]:
    return sorted(made, key=lambda each: (each.at or _NEVER, each.approval_id), reverse=True)[:MAX_SHOWN]


def _shown(made: _Made, document: Document | None, style: notice.Style) -> PastDecision:
    """Show one decision; what the document came to then nobody knows any more, so no amount is said."""
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


def _how_many(known: _Known, shown: int, style: notice.Style) -> str:
    """Say how many decisions there are, how many of them are shown, and what could not be looked up."""
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
