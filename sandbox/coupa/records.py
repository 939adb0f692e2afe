"""The records of a Coupa instance, and the tables of them, under the names of their resources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sandbox.clock import Clock

PENDING, ON_HOLD, APPROVED, REJECTED = "pending_approval", "on_hold", "approved", "rejected"
REQUISITION = "RequisitionHeader"
DELETED: Final = object()
"""As a raw value: the key is not served."""


class NotAllowed(Exception):
    """Coupa refuses an action on a record that exists."""


@dataclass(frozen=True)
class Group:
    """Marks an approver as an approval group; a user and a group may have the same number."""

    id: int


Approver: TypeAlias = int | Group
"""A user's id, or a group."""


@dataclass(frozen=True)
class Line:
    """A requisition line as a person enters it: a quantity at a price, or an amount."""

    description: str
    quantity: str | None = None
    unit_price: str | None = None
    amount: str | None = None
    supplier: str | None = None
    account: str | Sequence[str] | None = None
    """The accounts of a split line."""
    commodity: str | None = None
    contract: str | None = None
    source_type: str | None = None
    """`Non-Catalog Request` or `Form`; None for a line from the catalogue."""
    uom: str | None = None
    item: str | None = None
    period: int | None = None
    """A budget period, from `add_period`."""
    attachments: tuple[str, ...] = ()
    """Names of files."""


@dataclass(kw_only=True, eq=False)
class Record:
    """The base of all served records: attributes, more by their served name, and raw keys that override."""

    extra: dict[str, Any] = field(default_factory=dict, repr=False)
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(kw_only=True, eq=False)
class Reference(Record):
    """A record with only an id and its attributes."""

    id: int


@dataclass(kw_only=True, eq=False)
class User(Record):
    """A person, or the identity of an API client."""

    id: int
    login: str
    email: str
    firstname: str
    lastname: str
    active: bool
    created_at: datetime
    updated_at: datetime
    manager: User | None = None
    default_locale: str | None = None

    @property
    def fullname(self) -> str:
        """First and last name."""
        return f"{self.firstname} {self.lastname}".strip()


@dataclass(kw_only=True, eq=False)
class ApprovalGroup(Record):
    """A group that approves; it has a name and members, and no e-mail."""

    id: int
    name: str
    users: list[User]
    active: bool = True


@dataclass(kw_only=True, eq=False)
class Delegation(Record):
    """A delegation from `start_date` until `end_date`."""

    id: int
    delegator: User
    delegate: User
    start_date: datetime
    end_date: datetime
    approval_delegate: bool

    @property
    def delegator_id(self) -> int:
        """The delegator's id."""
        return self.delegator.id

    @property
    def delegate_id(self) -> int:
        """The delegate's id."""
        return self.delegate.id


@dataclass(kw_only=True, eq=False)
class Comment(Record):
    """A comment on a document."""

    id: int
    commentable_id: int
    commentable_type: str
    comments: str
    created_by: User
    created_at: datetime


@dataclass(kw_only=True, eq=False)
class Approval(Record):
    """One step of a document's chain, for one approver."""

    id: int
    document: Document = field(repr=False)
    approver: User | ApprovalGroup
    position: int
    parallel_group_name: str | None
    delegations: list[Delegation] = field(repr=False)
    clock: Clock = field(repr=False)
    created_at: datetime | None
    updated_at: datetime | None
    updated_by: User | None = None
    status: str = PENDING
    holdable: bool = False
    type: str = "ApprovalChainApproval"
    note: str | None = None
    approval_date: datetime | None = None
    approved_by: User | None = None

    @property
    def approvable_type(self) -> str:
        """The class name of the document."""
        return self.document.type

    @property
    def approvable_id(self) -> int:
        """The id of the document."""
        return self.document.id

    @property
    def approver_id(self) -> int:
        """The id of the assigned approver, whoever acted."""
        return self.approver.id

    @property
    def approver_type(self) -> str:
        """`User` or `ApprovalGroup`."""
        return type(self.approver).__name__

    @property
    def is_open(self) -> bool:
        """Tell whether the chain waits for it."""
        return self.status in {PENDING, ON_HOLD}

    @property
    def delegates(self) -> list[Record]:
        """One approval for each delegate of today, with the delegation's id; public samples show none."""
        if not self.delegations:
            return []
        now = self.clock.now()
        return [
            Record(extra={"id": each.id, "approver": each.delegate, "approver-id": each.delegate_id})
            for each in self.delegations
            if each.approval_delegate
            and each.delegator is self.approver
            and each.start_date <= now < each.end_date
        ]

    @property
    def delegate(self) -> User | None:
        """The first delegate of today."""
        return next((each.extra["approver"] for each in self.delegates), None)

    @property
    def delegate_id(self) -> int | None:
        """The first delegate's id."""
        return self.delegate.id if self.delegate else None


@dataclass(kw_only=True, eq=False)
class Document(Record):
    """A document to approve; `type` is its class name in `approvable-type`."""

    id: int
    type: str
    status: str
    created_at: datetime
    updated_at: datetime
    steps: Sequence[Approver | Sequence[Approver]] = field(repr=False)
    approvals: list[Approval] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    updated_by: User | None = None

    @property
    def turn(self) -> list[Approval]:
        """The approvals that have their turn: the open ones at the lowest position."""
        opened = [each for each in self.approvals if each.is_open]
        first = min((each.position for each in opened), default=0)
        return [each for each in opened if each.position == first]

    @property
    def current_approval(self) -> Approval | None:
        """The first approval that has its turn."""
        return next(iter(self.turn), None)

    @property
    def current_parallel_approvals(self) -> list[Approval]:
        """Every approval that has its turn, when the step is parallel."""
        return [each for each in self.turn if each.parallel_group_name]

    @property
    def current_approver_association(self) -> list[User]:
        """The users who have their turn; only filters use it, and it is never served."""
        return [each.approver for each in self.turn if isinstance(each.approver, User)]


@dataclass(kw_only=True, eq=False)
class RequisitionLine(Record):
    """A requisition line; one with an amount has no quantity and no price."""

    id: int
    line_num: int
    description: str
    quantity: str | None
    unit_price: str | None
    amount: str | None
    currency: Record

    @property
    def line_type(self) -> str:
        """Coupa's class name for the kind of line."""
        return "RequisitionQuantityLine" if self.amount is None else "RequisitionAmountLine"

    @property
    def total(self) -> Decimal:
        """The amount, or quantity times price, to the currency's decimals and at least two."""
        unit = Decimal(1).scaleb(-max(2, self.currency.extra["decimals"]))
        if self.amount is not None:
            return Decimal(self.amount).quantize(unit)
        return (Decimal(self.quantity or 0) * Decimal(self.unit_price or 0)).quantize(unit)


@dataclass(kw_only=True, eq=False)
class Requisition(Document):
    """A purchase request."""

    req_title: str
    justification: str | None
    currency: Record
    requested_by: User
    created_by: User
    requisition_lines: list[RequisitionLine]
    submitted_at: datetime | None
    rejected: bool = False
    reject_reason_comment: str | None = None

    @property
    def total(self) -> Decimal:
        """The sum of the lines."""
        return sum((each.total for each in self.requisition_lines), Decimal("0.00"))

    @property
    def line_count(self) -> int:
        """The number of lines."""
        return len(self.requisition_lines)
