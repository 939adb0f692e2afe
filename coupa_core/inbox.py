"""What waits for one person: the answer to "Do I have any approvals in Coupa?", each item ready to decide.

It reads Coupa live and never the ledger's memory of who was told; it knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from coupa_core import notice
from coupa_core.authority import Capacity, Circle, Decider, Rules, TokenKeys, decider_at
from coupa_core.clock import Clock, Deadline
from coupa_core.content import digest
from coupa_core.ledger import Ledger
from coupa_core.model import Approval, Document, DocumentKey, Kind, Member, has_turn, stamp

BUDGET_S = 10.0
"""The whole answer comes within this; see `decide`."""

MAX_CARDS = 20
"""Items that are shown at once; a chat answer with more is unreadable."""

TURNS_S = 7.0
"""Of the budget, until the last turn of a request at Coupa."""

LISTING, SHOWING = 4, 2
"""Calls to Coupa: who it is, for whom they act, what waits, its documents; the approval, its document."""

NEAR = timedelta(days=7)
"""A need-by date within this, or in the past, comes before everything else in the list."""


@dataclass(frozen=True)
class Card:
    """One approval, ready to show and to decide.

    Attributes:
        approval_id: as in the slot of a notice.
        document_type: Coupa's class name.
        document_id: in Coupa.
        text: Moveworks markup, as in a notice.
        link: where the document is in Coupa.
        action_token: offers the decision to the approver, or, where that is for Coupa only, nothing but a
            question and the reason why; None when tokens are off, or not given by a list.
        age_days: whole days since it began to wait; None where Coupa does not say.
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
class Cards:
    """The approvals that wait for a person: the first ones as cards, and what is true of all.

    Attributes:
        cards: what is needed soon comes first, then what waits for longest.
        total: how many there are.
        oldest_days: how many whole days the oldest has waited; None for none, or where Coupa does not say.
    """

    cards: list[Card]
    total: int
    oldest_days: int | None = None


class Requests(Protocol):
    """Coupa, as far as a person's list needs it; every method raises `ServiceError` on failure."""

    def now(self) -> datetime:
        """Return the time by Coupa's clock, from which ages are counted; its stamps are of that clock."""
        ...

    def pending_for(self, keys: Iterable[str], deadline: Deadline) -> list[Approval]:
        """Return the pending approvals that ask one of these users or groups."""
        ...

    def siblings(
        self, documents: Iterable[Document], deadline: Deadline
    ) -> dict[DocumentKey, list[Approval]]:
        """Return the pending approvals of documents, by (type, id)."""
        ...

    def approval(self, approval_id: int, deadline: Deadline) -> Approval | None:
        """Read one approval."""
        ...

    def documents(self, approvals: list[Approval], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the documents of approvals, by (type, id)."""
        ...


class Admission(Protocol):
    """The way to turns at Coupa."""

    def admit(self, least: int, most: int, *, within_s: float) -> AbstractContextManager[object]:
        """Keep turns of which the last comes within so many seconds; raises `Busy` at once."""
        ...


class Circles(Protocol):
    """Who may decide, by a fresh read."""

    def owner(self, address: str, deadline: Deadline) -> Member | None:
        """Return the one active user whom the chat knows by this address; raises `ServiceError`."""
        ...

    def delegators(self, user_id: int, deadline: Deadline) -> list[int]:
        """Return for whom this user acts now; raises `ServiceError`."""
        ...

    def circles(self, approvals: Iterable[Approval], deadline: Deadline) -> dict[int, Circle]:
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
        coupa: Requests,
        turns: Admission,
        directory: Callable[[], Circles],
        ledger: Ledger,
        clock: Clock,
        keys: TokenKeys | None,
        rules: Rules,
        style: notice.Style,
    ) -> None:
        self._coupa = coupa
        self._turns = turns
        self._directory = directory
        self._rules = rules
        self._ledger = ledger
        self._clock = clock
        self._keys = keys
        self._style = style

    def waiting_for(self, email: str) -> Cards:
        """Return what waits for this person now; nothing for an unknown or inactive person.

        Raises:
            Busy: there is no room at Coupa now.
            ServiceError: Coupa or the ledger could not be asked.
        """
        deadline = Deadline(self._clock, BUDGET_S)
        with self._turns.admit(LISTING, LISTING, within_s=TURNS_S):
            return self._waiting_for(email, deadline)

    def _waiting_for(self, email: str, deadline: Deadline) -> Cards:
        directory = self._directory()
        person = directory.owner(email, deadline)
        if person is None:
            return Cards([], 0)  # two people with one address: nobody can tell whose approvals these are
        approvals = self._coupa.pending_for(_keys_of(person, directory, deadline), deadline)
        circles = directory.circles(approvals, deadline)
        found = []
        for approval, document in self._with_turn(approvals, deadline):
            decider = decider_at(email, circles[approval.id].people)
            if decider is not None:
                found.append(_Waiting(approval, document, decider, self._coupa.now()))
        found.sort(key=lambda each: each.order)
        ages = [each.age_days for each in found if each.age_days is not None]
        cards = [self._card(each) for each in found[:MAX_CARDS]]
        return Cards(cards, len(found), max(ages, default=None))

    def show(self, email: str, approval_id: int) -> Card | None:
        """Return one approval that waits for this person now, or None.

        Raises:
            Busy: there is no room at Coupa now.
            ServiceError: Coupa or the ledger could not be asked.
        """
        deadline = Deadline(self._clock, BUDGET_S)
        with self._turns.admit(SHOWING, SHOWING, within_s=TURNS_S):
            return self._show(email, approval_id, deadline)

    def _show(self, email: str, approval_id: int, deadline: Deadline) -> Card | None:
        approval = self._coupa.approval(approval_id, deadline)
        if approval is None or not approval.is_pending:
            return None
        decider = self._directory().decider(email, approval, deadline)
        pairs = self._with_turn([approval], deadline) if decider else []
        return self._card(_Waiting(*pairs[0], decider, self._coupa.now())) if decider and pairs else None

    def _with_turn(self, approvals: list[Approval], deadline: Deadline) -> list[tuple[Approval, Document]]:
        """Keep the approvals whose turn it is, with their documents."""
        documents = self._coupa.documents(approvals, deadline)
        unsaid = [document for document in documents.values() if document.kind is Kind.OTHER]
        siblings = self._coupa.siblings(unsaid, deadline)
        pairs = []
        for approval in approvals:
            found = documents.get(approval.document_key)
            if found and has_turn(approval, found, siblings.get(approval.document_key, ())):
                pairs.append((approval, found))
        return pairs

    def _card(self, waiting: _Waiting) -> Card:
        approval, document, decider = waiting.approval, waiting.document, waiting.decider
        link = notice.link_to(document, style=self._style)
        bar = self._rules.bar(decider, document)
        token = None
        if self._keys is not None:
            token = self._keys.offer(
                approval.id,
                approver_key=approval.approver_key or "",
                person=decider.key,
                content="" if bar else digest(document),
                generation=self._ledger.round_of(approval.id).generation,
                now=self._clock.now(),
            )
        shown = notice.Shown(
            name=decider.firstname or decider.name,
            for_whom=approval.asked_name if decider.capacity is not Capacity.APPROVER else "",
            bar=bar,
            is_listed=True,
        )
        text = notice.announcement(approval, document, style=self._style, shown=shown)
        return Card(
            approval_id=approval.id,
            document_type=document.type,
            document_id=document.id,
            text=text,
            link=link,
            action_token=token,
            age_days=waiting.age_days,
            need_by=waiting.need_by.isoformat() if waiting.need_by else None,
        )


@dataclass(frozen=True)
class _Waiting:
    """One approval of the list, and its place there."""

    approval: Approval
    document: Document
    decider: Decider
    now: datetime

    @property
    def since(self) -> datetime | None:
        """Return when it began to wait, as far as Coupa says."""
        return stamp(self.document.submitted_at) or stamp(self.approval.updated_at)

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
        """Return its place: what is needed soon by that day, then what waits for longest."""
        is_near = self.need_by is not None and self.need_by <= (self.now + NEAR).date()
        return (
            self.need_by if self.need_by and is_near else date.max,
            self.since or datetime.max.replace(tzinfo=UTC),
            self.approval.id,
        )


def _keys_of(person: Member, directory: Circles, deadline: Deadline) -> list[str]:
    """Return whose approvals this person may decide: own ones, the groups', and those of delegators."""
    groups = [f"group:{group.id}" for group in person.approval_groups if group.id is not None]
    others = [f"user:{number}" for number in directory.delegators(person.id or 0, deadline)]
    return [f"user:{person.id}", *groups, *others]
