"""What waits for one person: the answer to "Do I have any approvals in Coupa?", each item ready to decide.

It reads Coupa live and never the ledger's memory of who was told; it knows nothing of HTTP.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Protocol

from coupa_core import notice
from coupa_core.authority import TokenKeys, is_approver, same_address
from coupa_core.clock import Clock, Deadline
from coupa_core.ledger import Ledger
from coupa_core.model import Approval, Document, DocumentKey, Kind, Person, digest, has_turn

BUDGET_S = 10.0
"""The whole answer comes within this; see `decide`."""

MAX_CARDS = 20
"""Items that are shown at once; a chat answer with more is unreadable."""


@dataclass(frozen=True)
class Card:
    """One approval, ready to show and to decide.

    Attributes:
        approval_id: as in the slot of a notice.
        document_type: Coupa's class name.
        document_id: in Coupa.
        text: Moveworks markup, as in a notice.
        link: where the document is in Coupa.
        action_token: offers the decision to the approver; None when tokens are off.
    """

    approval_id: int
    document_type: str
    document_id: int
    text: str
    link: str
    action_token: str | None


@dataclass(frozen=True)
class Cards:
    """The approvals that wait for a person: the first ones as cards, and how many there are."""

    cards: list[Card]
    total: int


class Requests(Protocol):
    """Coupa, as far as a person's list needs it; every method raises `ServiceError` on failure."""

    def people(self, email: str, deadline: Deadline) -> list[Person]:
        """Return the users with this e-mail address."""
        ...

    def pending_for(self, user_id: int, deadline: Deadline) -> list[Approval]:
        """Return the pending approvals that ask this user."""
        ...

    def pending_of(self, document: Document, deadline: Deadline) -> list[Approval]:
        """Return the pending approvals of one document."""
        ...

    def approval(self, approval_id: int, deadline: Deadline) -> Approval | None:
        """Read one approval."""
        ...

    def documents(self, approvals: list[Approval], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the documents of approvals, by (type, id)."""
        ...


class Inbox:
    """The use case; its parts are those of `decide`."""

    def __init__(
        self, *, coupa: Requests, ledger: Ledger, clock: Clock, keys: TokenKeys | None, style: notice.Style
    ) -> None:
        self._coupa = coupa
        self._ledger = ledger
        self._clock = clock
        self._keys = keys
        self._style = style

    def waiting_for(self, email: str) -> Cards:
        """Return what waits for this person now, oldest first; nothing for an unknown or inactive person.

        Raises:
            ServiceError: Coupa or the ledger could not be asked.
        """
        deadline = Deadline(self._clock, BUDGET_S)
        people = [
            person
            for person in self._coupa.people(email, deadline)
            if same_address(person.email, email) and person.active is not False and person.id is not None
        ]
        if len(people) != 1:
            return Cards([], 0)  # two people with one address: nobody can tell whose approvals these are
        approvals = self._coupa.pending_for(people[0].id or 0, deadline)
        waiting = self._with_turn(approvals, deadline)
        return Cards([self._card(*pair) for pair in waiting[:MAX_CARDS]], len(waiting))

    def show(self, email: str, approval_id: int) -> Card | None:
        """Return one approval that waits for this person now, or None.

        Raises:
            ServiceError: Coupa or the ledger could not be asked.
        """
        deadline = Deadline(self._clock, BUDGET_S)
        approval = self._coupa.approval(approval_id, deadline)
        if approval is None or not approval.is_pending or not is_approver(email, approval):
            return None
        pairs = self._with_turn([approval], deadline)
        return self._card(*pairs[0]) if pairs else None

    def _with_turn(self, approvals: list[Approval], deadline: Deadline) -> list[tuple[Approval, Document]]:
        """Keep the approvals whose turn it is, with their documents."""
        documents = self._coupa.documents(approvals, deadline)
        siblings: dict[DocumentKey, list[Approval]] = defaultdict(list)
        for key, document in documents.items():
            if document.kind is Kind.OTHER:
                siblings[key] = self._coupa.pending_of(document, deadline)
        pairs = []
        for approval in sorted(approvals, key=lambda approval: approval.id):
            found = documents.get(approval.document_key)
            if found and has_turn(approval, found, siblings[approval.document_key]):
                pairs.append((approval, found))
        return pairs

    def _card(self, approval: Approval, document: Document) -> Card:
        link = notice.link_to(document, style=self._style)
        token = None
        if self._keys is not None:
            token = self._keys.offer(
                approval.id,
                approver_key=approval.approver_key or "",
                content=digest(document),
                generation=self._ledger.round_of(approval.id).generation,
                now=self._clock.now(),
            )
        text = notice.announcement(approval, document, style=self._style)
        return Card(approval.id, document.type, document.id, text, link, token)
