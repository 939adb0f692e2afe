"""Answer "Do I have any approvals in Coupa?": the approvals that wait for one person, each ready to decide.

It reads Coupa live and never the ledger's record of who was told; it knows nothing of HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from coupa_core import notice
from coupa_core.authority import Decider, Deciders, Right, Rules, TokenKeys, decider_at
from coupa_core.clock import Clock, Deadline
from coupa_core.documents import parse_document
from coupa_core.errors import ServiceError
from coupa_core.halving import by_halves
from coupa_core.ledger import Ledger
from coupa_core.model import (
    Approval,
    Document,
    DocumentKey,
    DocumentKind,
    Listing,
    Member,
    Unreadable,
    has_turn,
)

BUDGET_S = 10.0
"""The whole answer comes within this; see `decide`."""

MAX_CARDS = 20
"""Items that are shown at once; a chat answer with more is unreadable."""

WHOLE = 50
"""So many documents come with one question. Of a list that is not longer all are read, so that its order and
its number are exact; of a longer one only those of a page.
"""

LOOKS = 3
"""Pages of documents that are read at most, where most of those read are not the person's turn."""

LISTED_S = 6.5
"""Of the budget, until the end of listing; the rest is for people and documents."""

READ_S = 9.0
"""Of the budget, until the end of reading documents; the rest is for the ledger and the answer."""

LOOK_S = 2.0
"""The least seconds that must be left for another page of documents."""

PERMITS_S = 7.0
"""Of the budget, until the last turn of a request at Coupa."""

LISTING, SHOWING = 4, 2
"""Calls to Coupa: who it is, for whom they act, what waits, its documents; the approval, its document."""

NEAR = timedelta(days=7)
"""An approval with a wanted day within this time, or in the past, comes first in the list."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class InboxItem:
    """One approval, ready to show and to decide.

    Attributes:
        approval_id: as in the slot of a notice.
        document_type: Coupa's class name.
        document_id: in Coupa.
        text: Moveworks markup, as in a notice.
        link: where the document is in Coupa.
        action_token: offers the decision to the approver, or, where that is for Coupa only, nothing but a
            question and the reason why; None when tokens are off, or not given by a list.
        age_days: whole days since it began to wait for the person; None where Coupa does not say.
        need_by: the day on which the goods are needed, as `2026-12-01`; None where nobody said.
    """

    approval_id: int
    document_type: str
    document_id: int
    text: str
    link: str
    action_token: str | None
    age_days: int | None
    need_by: str | None


@dataclass(frozen=True)
class InboxPage:
    """The approvals that wait for a person: a page as cards, and what is true of all.

    Attributes:
        cards: what is wanted soon comes first, then what waits for longest, then what cannot be read. Of a
            list longer than `WHOLE` these are the first by their ids that are the person's turn.
        total: how many there are, as far as they were listed.
        oldest_days: how many whole days the oldest has waited, or, where this is not exact, the oldest of
            the cards; None for none, or where Coupa does not say it of each.
        is_complete: all were listed; if not, there are at least so many.
        unchecked: how many of them may not be the person's turn yet, because only a page was read.
        unreadable: how many of them cannot be read now; not all of these have a card.
        message: all this in a line, in the person's language.
    """

    cards: list[InboxItem]
    total: int
    oldest_days: int | None = None
    is_complete: bool = True
    unchecked: int = 0
    unreadable: int = 0
    message: str = ""

    @property
    def is_exact(self) -> bool:
        """Tell whether everything was listed and read."""
        return self.is_complete and not self.unchecked and not self.unreadable


class CoupaQueries(Protocol):
    """Coupa, as far as a person's list needs it; every method raises `ServiceError` on failure."""

    def now(self) -> datetime:
        """Return the time by Coupa's clock, from which ages are counted; its stamps are of that clock."""
        ...

    def pending_for(self, keys: Iterable[str], deadline: Deadline, *, more: Deadline) -> Listing:
        """Return the pending approvals that ask one of these users or groups, as far as they come in time.

        Never raises; the first page has its own deadline, all others that for more.
        """
        ...

    def siblings(
        self, documents: Iterable[Document], deadline: Deadline, *, insists: bool = True
    ) -> dict[DocumentKey, list[Approval]]:
        """Return the approvals of documents that nobody has decided, by (type, id)."""
        ...

    def approval(self, approval_id: int, deadline: Deadline) -> Approval | None:
        """Read one approval."""
        ...

    def documents(self, approvals: list[Approval], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the documents of approvals, by (type, id)."""
        ...


class Admission(Protocol):
    """The port to the rate limiter of Coupa."""

    def admit(self, least: int, most: int, *, within_s: float) -> AbstractContextManager[object]:
        """Reserve permits of which the last comes within so many seconds; raises `Busy` at once."""
        ...


class DeciderLookup(Protocol):
    """The port to the directory, for a fresh read."""

    def owners(self, address: str, deadline: Deadline) -> list[Member]:
        """Return the active users whom the chat knows by this address; raises `ServiceError`."""
        ...

    def asked_as(self, person: Member, deadline: Deadline) -> tuple[list[str], ServiceError | None]:
        """Return as whom approvals ask somebody, also for others; and why nobody knows for which."""
        ...

    def deciders_of(self, approvals: Iterable[Approval], deadline: Deadline) -> dict[int, Deciders]:
        """Return who may decide each approval, by its id."""
        ...

    def decider(self, actor: str, approval: Approval, deadline: Deadline) -> Decider | None:
        """Return as whom the one person with this e-mail may decide an approval; raises `ServiceError`."""
        ...


class Inbox:
    """The use case; its parts are those of `decide`."""

    def __init__(
        self,
        *,
        coupa: CoupaQueries,
        permits: Admission,
        directory: Callable[[], DeciderLookup],
        ledger: Ledger,
        clock: Clock,
        keys: TokenKeys | None,
        rules: Rules,
        style: notice.Style,
    ) -> None:
        self._coupa = coupa
        self._permits = permits
        self._directory = directory
        self._rules = rules
        self._ledger = ledger
        self._clock = clock
        self._keys = keys
        self._style = style

    def waiting_for(self, email: str) -> InboxPage:
        """Return what waits for this person now; nothing for an unknown or inactive person, or for two.

        Raises:
            Busy: there is no room at Coupa now.
            ServiceError: Coupa or the ledger could not be asked.
        """
        deadline = Deadline(self._clock, BUDGET_S)
        with self._permits.admit(LISTING, LISTING, within_s=PERMITS_S):
            return self._waiting_for(email, deadline)

    def _waiting_for(self, email: str, deadline: Deadline) -> InboxPage:
        more = deadline.within(LISTED_S)
        documents_by = deadline.within(READ_S)
        directory = self._directory()
        owners = directory.owners(email, deadline)
        if len(owners) != 1:
            # Two people with one address: nobody can tell whose approvals these are, or that there are none.
            style = self._style.to_all(each.default_locale or "" for each in owners)
            key = "bar.shared" if owners else "list.none"
            return InboxPage([], 0, is_complete=not owners, message=style.say(key))
        [person] = owners
        listing = self._listed(person, directory, documents_by, more)
        if listing.failure and not listing.approvals and not listing.unreadable:
            raise listing.failure
        deciders_of = directory.deciders_of(listing.approvals, documents_by)
        mine, unknown = _theirs(email, listing.approvals, deciders_of)
        looked = self._look_at(mine, documents_by)
        found = sorted(looked.found, key=lambda each: each.order)
        unreadable = listing.unreadable + unknown + len(looked.unread)
        total = len(found) + unreadable + looked.unchecked
        cards = [self._card(each) for each in found[:MAX_CARDS]]
        minimal = [card for each in looked.unread if (card := self._minimal(each))]
        answer = InboxPage(
            cards=[*cards, *minimal][:MAX_CARDS],
            total=total,
            oldest_days=_oldest(found),
            is_complete=listing.is_complete,
            unchecked=looked.unchecked,
            unreadable=unreadable,
        )
        if not answer.is_exact:
            answer = replace(answer, oldest_days=_oldest(found[:MAX_CARDS]))
        style = self._style.to(person.default_locale or "")
        together = notice.sums((each.document for each in found), style, number=len(found))
        return replace(answer, message=how_many(answer, together, style))

    def _listed(
        self, person: Member, directory: DeciderLookup, deadline: Deadline, more: Deadline
    ) -> Listing:
        """List what asks this person; where nobody knows for whom else they act, it is not complete."""
        keys, failure = directory.asked_as(person, more)
        listing = self._coupa.pending_for(keys, deadline, more=more)
        if listing.failure:
            logger.warning("list not complete code=%s cause=%s", listing.failure.code, listing.failure)
        listing.failure = listing.failure or failure
        return listing

    def _look_at(self, asked: Sequence[_Asked], deadline: Deadline) -> _Looked:
        """Read the documents of a short list, or of a long one as many as make a page, and see whose turn."""
        looked = _Looked()
        size = len(asked) if len(asked) <= WHOLE else MAX_CARDS
        for look in range(LOOKS):
            some = asked[look * size : (look + 1) * size]
            is_enough = len(looked.found) >= MAX_CARDS or looked.failed_at_all
            if not some or (look and (is_enough or deadline.left_s() < LOOK_S)):
                break
            self._look(some, looked, deadline)
        looked.unchecked = len(asked) - looked.number
        return looked

    def _look(self, some: Sequence[_Asked], looked: _Looked, deadline: Deadline) -> None:
        """Read the documents of some approvals and add what is found; one at fault affects no other."""
        looked.number += len(some)
        try:
            documents = self._coupa.documents([each.approval for each in some], deadline)
        except ServiceError as failure:
            logger.warning("list without documents code=%s cause=%s", failure.code, failure)
            looked.unread += some
            looked.failed_at_all = True
            return
        siblings = self._siblings([each for each in documents.values() if _is_unsaid(each)], deadline)
        now = self._coupa.now()
        for each in some:
            key = each.approval.document_key
            document = documents.get(key)
            is_unknown = document is not None and _is_unsaid(document) and key not in siblings
            if document is None or isinstance(document, Unreadable) or is_unknown:
                looked.unread.append(each)
            elif has_turn(each.approval, document, siblings.get(key, ())):
                looked.found.append(_Waiting(each.approval, document, each.decider, now))

    def _siblings(
        self, documents: Sequence[Document], deadline: Deadline
    ) -> dict[DocumentKey, list[Approval]]:
        """Return the open approvals of documents of which these can be read."""

        def ask(some: Sequence[Document]) -> Iterable[tuple[DocumentKey, list[Approval]]]:
            return self._coupa.siblings(some, deadline, insists=len(documents) == 1).items()

        try:
            return dict(by_halves(documents, ask).rows)
        except ServiceError as failure:
            logger.warning("list without siblings code=%s cause=%s", failure.code, failure)
            return {}

    def show(self, email: str, approval_id: int) -> InboxItem | None:
        """Return one approval that waits for this person now, or None.

        Raises:
            Busy: there is no room at Coupa now.
            ServiceError: Coupa or the ledger could not be asked.
        """
        deadline = Deadline(self._clock, BUDGET_S)
        with self._permits.admit(SHOWING, SHOWING, within_s=PERMITS_S):
            return self._show(email, approval_id, deadline)

    def _show(self, email: str, approval_id: int, deadline: Deadline) -> InboxItem | None:
        approval = self._coupa.approval(approval_id, deadline)
        if approval is None or not approval.is_pending:
            return None
        decider = self._directory().decider(email, approval, deadline)
        document = self._coupa.documents([approval], deadline).get(approval.document_key) if decider else None
        if decider is None or document is None:
            return None
        siblings = self._coupa.siblings([document] if _is_unsaid(document) else [], deadline)
        if not has_turn(approval, document, siblings.get(approval.document_key, ())):
            return None
        return self._card(_Waiting(approval, document, decider, self._coupa.now()))

    def _card(self, waiting: _Waiting) -> InboxItem:
        request = notice.ApprovalRequest(
            approval=waiting.approval,
            document=waiting.document,
            right=self._rules.right(waiting.decider, waiting.approval, waiting.document),
            generation=self._ledger.current_row(waiting.approval.id).generation if self._keys else 0,
            is_listed=True,
        )
        return self._shown(request, age_days=waiting.age_days, need_by=waiting.need_by)

    def _minimal(self, asked: _Asked) -> InboxItem | None:
        """Show what is known without the document, and no token: nobody sees here what would be decided."""
        approval = asked.approval
        document = parse_document(approval.approvable_type or "", {"id": approval.approvable_id})
        if document is None:
            return None
        right = Right(asked.decider)
        return self._shown(
            notice.ApprovalRequest(
                approval=approval, document=document, right=right, is_unread=True, is_listed=True
            )
        )

    def _shown(
        self, request: notice.ApprovalRequest, *, age_days: int | None = None, need_by: date | None = None
    ) -> InboxItem:
        keys = None if request.is_unread else self._keys
        sentences = notice.compose(request, style=self._style, keys=keys, now=self._clock.now())
        return InboxItem(
            approval_id=request.approval.id,
            document_type=request.document.type,
            document_id=request.document.id,
            text=sentences.text,
            link=notice.link_to(request.document, style=self._style),
            action_token=sentences.slots.get("action_token"),
            age_days=age_days,
            need_by=need_by.isoformat() if need_by else None,
        )


def how_many(found: InboxPage, together: str, style: notice.Style) -> str:
    """Say how many approvals wait, what they come to, and for how long; only what is known of them.

    Args:
        found: the list, possibly not exact.
        together: the sums of those that were read; empty for none.
        style: of the reader.
    """
    count, shown = found.total, len(found.cards)
    if not count:
        return style.say("list.none" if found.is_complete else "list.none_readable")
    sentences = [style.say("list.count" if found.is_complete else "list.at_least", count=count)]
    if together:
        sentences.append(style.say("list.sums" if found.is_exact else "list.sums_read", sums=together))
    if found.unchecked:
        sentences.append(style.say("list.unchecked"))
    if found.oldest_days:
        sentences.append(_oldest_of(found, style))
    if found.unchecked and not shown:
        sentences.append(style.say("list.none_shown"))
    elif shown < count and not found.is_exact:
        sentences.append(style.say("list.shown", count=shown))
    if found.unreadable:
        sentences.append(style.say("list.unreadable", count=style.number(found.unreadable)))
    return style.sentences(*sentences)


def _oldest_of(found: InboxPage, style: notice.Style) -> str:
    """Say for how long the oldest waits: of all, or of those that are shown."""
    age = style.age(timedelta(days=found.oldest_days or 0))
    if found.is_exact:
        return style.say("list.oldest", age=age, count=found.total)
    return style.say("list.oldest_shown", age=age)


@dataclass(frozen=True)
class _Asked:
    """An approval that asks the person, and as whom they may decide it; its document is not read yet."""

    approval: Approval
    decider: Decider


def _theirs(
    email: str, approvals: Iterable[Approval], deciders_of: Mapping[int, Deciders]
) -> tuple[list[_Asked], int]:
    """Return what somebody may decide, and of how many nobody knows: the members of a group are not read."""
    ordered = sorted(approvals, key=lambda each: each.id)
    found = [(each, decider_at(email, deciders_of[each.id].people)) for each in ordered]
    asked = [_Asked(each, decider) for each, decider in found if decider is not None]
    return asked, sum(decider is None and not deciders_of[each.id].is_certain for each, decider in found)


@dataclass(frozen=True)
class _Waiting:
    """One approval of the list, and its place there."""

    approval: Approval
    document: Document
    decider: Decider
    now: datetime

    @property
    def since(self) -> datetime | None:
        """Return when it began to wait for them, as far as Coupa says."""
        return self.document.waits_since(self.approval)

    @property
    def age_days(self) -> int | None:
        """Return the whole days since then."""
        return max(0, (self.now - self.since).days) if self.since else None

    @property
    def need_by(self) -> date | None:
        """Return the day by which the goods are needed."""
        return self.document.needed_on

    @property
    def order(self) -> tuple[date, datetime, int]:
        """Return its place: what is wanted soon by that day, then what waits for longest."""
        day = self.document.wanted_on(self.now.date())
        is_near = day is not None and day <= (self.now + NEAR).date()
        return (
            day if day and is_near else date.max,
            self.since or datetime.max.replace(tzinfo=UTC),
            self.approval.id,
        )


def _oldest(waiting: Sequence[_Waiting]) -> int | None:
    """Return the greatest age in days; None where one is not known: it may be the oldest."""
    ages = [each.age_days for each in waiting]
    return None if None in ages else max(filter(None, ages), default=0 if ages else None)


@dataclass
class _Looked:
    """The result of reading documents.

    Attributes:
        found: approvals whose turn it is.
        unread: approvals whose turn is unknown.
        number: of all approvals that were checked.
        unchecked: the number of the others.
        failed_at_all: no document came; then the next page is not asked for either.
    """

    found: list[_Waiting] = field(default_factory=list)
    unread: list[_Asked] = field(default_factory=list)
    number: int = 0
    unchecked: int = 0
    failed_at_all: bool = False


def _is_unsaid(document: Document) -> bool:
    """Tell whether only the other approvals of a document say whose turn it is."""
    return document.kind is DocumentKind.OTHER and not isinstance(document, Unreadable)
