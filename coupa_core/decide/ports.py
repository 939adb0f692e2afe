"""The ports of a decision, and the operator's policy; only `app` connects them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol

from coupa_core.audit_log import Event
from coupa_core.authority import Decider, Rules
from coupa_core.clock import Deadline
from coupa_core.model import (
    Approval,
    Chain,
    Comment,
    Document,
    DocumentKey,
    FoundApprovals,
    Member,
    Naming,
    Verb,
)
from coupa_core.notice import Style


class CoupaDecisions(Protocol):
    """The port to Coupa for decisions; every method but `now` raises `ServiceError` on failure."""

    def now(self) -> datetime:
        """Return the time by Coupa's clock, with which its stamps are compared."""
        ...

    def approvals(self, ids: Iterable[int], deadline: Deadline) -> FoundApprovals:
        """Read approvals by id."""
        ...

    def documents(self, naming: Iterable[Naming], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the documents that approvals, or rows, name, by (type, id)."""
        ...

    def redacted(self, document: Document, approval: Approval | None) -> Document:
        """Return the document, redacted where chat may not show it for this approval."""
        ...

    def siblings(
        self, documents: Iterable[Document], deadline: Deadline
    ) -> dict[DocumentKey, list[Approval]]:
        """Return the pending approvals of documents, by (type, id)."""
        ...

    def chains(self, ids: Iterable[int], deadline: Deadline) -> dict[int, Chain]:
        """Read how far the approvals of requisitions have come, by the requisition's id."""
        ...

    def decide(self, approval_id: int, verb: Verb, *, reason: str, deadline: Deadline) -> int:
        """Decide, once; returns the id of the record that Coupa answered with, or 0."""
        ...

    def comment(self, document: Document, text: str, deadline: Deadline) -> int:
        """Comment on a document, once; returns the id of the comment that Coupa answered with, or 0."""
        ...

    def comments(
        self, places: Iterable[tuple[str, int]], deadline: Deadline
    ) -> dict[tuple[str, int], tuple[Comment, ...]]:
        """Read the comments on documents, by type and the id of the record that has them."""
        ...


class Permits(Protocol):
    """Permits for calls to Coupa, reserved for one request; inside `with`, its calls use them."""

    def __len__(self) -> int:
        """Return how many are left."""
        ...

    def __enter__(self) -> object:
        """Let the calls of this context use them."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Let other calls be."""
        ...

    def split(self, number: int) -> tuple[Permits, Permits]:
        """Return the first permits and the others; the others stay reserved, whatever the first calls do."""
        ...


class Admission(Protocol):
    """The port to the rate limiter of Coupa."""

    def admit(self, least: int, most: int, *, within_s: float) -> Permits:
        """Reserve permits of which the last comes within so many seconds; raises `Busy` at once."""
        ...

    @property
    def call_s(self) -> float:
        """Return how long a call to Coupa takes at present, in seconds."""
        ...


class DeciderLookup(Protocol):
    """The port to the directory; every method raises `ServiceError` on failure."""

    def owners(self, address: str, deadline: Deadline) -> list[Member]:
        """Return the active users whom the chat knows by this address."""
        ...

    def decider(
        self, actor: str, approval: Approval, deadline: Deadline, *, is_vouched_for: bool = False
    ) -> Decider | None:
        """Return the person with this e-mail as a decider of the approval now; None for no decider."""
        ...


class Recorder(Protocol):
    """The port to the audit log."""

    def record(self, events: Sequence[Event], *, required: bool) -> bool:
        """Append events, or leave them in the log; raises `ServiceError` when required and not possible."""
        ...


@dataclass(frozen=True, kw_only=True)
class DecisionPolicy:
    """The operator's settings for decisions.

    Attributes:
        token_required: a click without a token is refused.
        reason_required: a rejection without a reason is refused.
        rules: decide what each person can do in chat.
        audit_required: nothing is decided that cannot be written to the audit log before.
        comments: approvers may ask the requester by a comment in Coupa.
        style: of the notices, with the actions that approvers have.
    """

    token_required: bool
    reason_required: bool
    rules: Rules
    audit_required: bool
    comments: bool
    style: Style
