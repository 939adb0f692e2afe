"""What is in a Coupa instance, and what people do to it at Coupa's own screens.

It knows nothing of HTTP: `sandbox.coupa.server` says which attributes are served, and under which names.

Where Coupa's public pages are silent, this simulator decides:

* whoever belongs to a parallel step must approve before the next step has its turn;
* nobody decided what was still open when a document is rejected, withdrawn or gets a new chain, and no
  published status says so: those approvals are gone, as they are when a chain is regenerated;
* a draft shows its chain as pending, without times, as in Coupa's sample of requisition 97.

Sources, read 2026-11, under
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
    resources/transactional-resources/approvals-api-(approvals)
    resources/transactional-resources/requisitions-api-example-calls
    resources/transactional-resources/delegates-api
"""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar
from urllib.parse import quote

from sandbox.clock import Clock

PENDING, ON_HOLD, APPROVED, REJECTED = "pending_approval", "on_hold", "approved", "rejected"
REQUISITION = "RequisitionHeader"
DELETED: Final = object()
"""As a raw value: the key is not served."""

_DECIMALS = {"JPY": 0, "KRW": 0, "BHD": 3, "KWD": 3}
_PEOPLE = frozenset(
    ["created-by", "requested-by", "expensed-by", "submitted-by", "requester", "contract-owner", "submitter"]
)
"""Attributes of documents that are users."""

_LAG = timedelta(seconds=2)
"""How far `updated-at` is behind `approval-date` in real answers: one to three seconds."""


class NotAllowed(Exception):
    """Coupa refuses an action on a record that exists."""


@dataclass(frozen=True)
class Group:
    """Marks an approver as an approval group; users and groups may have the same number."""

    id: int


Approver: TypeAlias = int | Group
"""A user's id, or a group."""


@dataclass(frozen=True)
class Line:
    """A requisition line as it is entered: a quantity at a price, or an amount."""

    description: str
    quantity: str | None = None
    unit_price: str | None = None
    amount: str | None = None
    supplier: str | None = None
    account: str | Sequence[str] | None = None
    """Names of several for a line that is split."""
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
    """Whatever is served: attributes, further ones by their served name, and raw keys that override."""

    extra: dict[str, Any] = field(default_factory=dict, repr=False)
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(kw_only=True, eq=False)
class Reference(Record):
    """A record of which nothing is known but its id and its attributes."""

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
    """Somebody acts for somebody else from `start_date` until `end_date`."""

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
    """What somebody wrote on a document."""

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
        """Whether the chain waits for it."""
        return self.status in {PENDING, ON_HOLD}

    @property
    def delegates(self) -> list[Record]:
        """One approval per delegate of today; public samples show none, ids are the delegations'."""
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
    """What is to be approved; `type` is its class name in `approvable-type`."""

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
        """The approvals whose turn it is: what is open at the lowest position."""
        opened = [each for each in self.approvals if each.is_open]
        first = min((each.position for each in opened), default=0)
        return [each for each in opened if each.position == first]

    @property
    def current_approval(self) -> Approval | None:
        """The first approval whose turn it is."""
        return next(iter(self.turn), None)

    @property
    def current_parallel_approvals(self) -> list[Approval]:
        """Every approval whose turn it is, when the step is a parallel one."""
        return [each for each in self.turn if each.parallel_group_name]

    @property
    def current_approver_association(self) -> list[User]:
        """The users whose turn it is; it is there to filter by and never served."""
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
    """What somebody wants to buy."""

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


R = TypeVar("R", bound=Record)


class Table(Generic[R]):
    """Records by id, with the ids in order.

    Attributes:
        indexes: by served name of a number, what finds the ids of the records that have it.
    """

    def __init__(self) -> None:
        self.rows: dict[int, R] = {}
        self.ids: list[int] = []
        self.indexes: dict[str, Callable[[int], list[int]]] = {}

    def put(self, number: int, row: R) -> R:
        """Add a record under a new id and return it."""
        if number in self.rows:
            raise ValueError(f"id {number} is taken")
        self.rows[number] = row
        insort(self.ids, number)
        return row

    def drop(self, number: int) -> None:
        """Forget a record."""
        del self.rows[number]
        self.ids.remove(number)


class World:
    """One Coupa instance. Every method holds the lock, so that it may be used while it is served."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lock = threading.RLock()
        self.users: Table[User] = Table()
        self.groups: Table[ApprovalGroup] = Table()
        self.delegations: Table[Delegation] = Table()
        self.approvals: Table[Approval] = Table()
        self.documents: dict[str, Table[Document]] = {REQUISITION: Table()}
        self.references: dict[str, Table[Reference]] = {}
        """Budget lines, order lines and the like, by the names of their resources."""
        self._periods: dict[int, Record] = {}
        self._delegations_of: dict[int, list[Delegation]] = {}
        self._named: dict[tuple[str, str], Record] = {}
        # Users and groups begin alike on purpose: an id says nothing without its type.
        self._user_ids, self._group_ids, self._delegation_ids = count(101), count(101), count(1)
        self._document_ids, self._approval_ids = count(5001), count(85001)
        self._line_ids, self._comment_ids, self._named_ids = count(12001), count(471), count(31)
        self.approvals.indexes["approvable-id"] = self._ids_for
        self._metrics = self._user(2, "metrics@coupa.example", "Coupa", "Metrics", active=True)

    def now(self) -> datetime:
        """Return the time in whole seconds, as Coupa keeps it."""
        return self._clock.now().replace(microsecond=0)

    # ------------------------------------------------------------------ people

    def add_user(
        self,
        *,
        email: str,
        firstname: str = "",
        lastname: str = "",
        active: bool = True,
        manager: int | None = None,
        default_locale: str | None = None,
        id: int | None = None,  # noqa: A002 - it is the attribute's name
    ) -> int:
        """Add a person and return the id; the login is what stands before the `@`."""
        with self.lock:
            number = id or next(self._user_ids)
            added = self._user(number, email, firstname, lastname, active=active)
            added.manager = None if manager is None else self.users.rows[manager]
            added.default_locale = default_locale
            return self.users.put(number, added).id

    def add_group(self, *, name: str, members: Sequence[int]) -> int:
        """Add an approval group and return its id."""
        with self.lock:
            users = [self.users.rows[each] for each in members]
            number = next(self._group_ids)
            group = self.groups.put(number, ApprovalGroup(id=number, name=name, users=users))
            for each in users:
                each.extra["approval-groups"].append(group)
            return number

    def join(self, group: int, user: int) -> None:
        """Make somebody a member of an approval group."""
        with self.lock:
            found, who = self.groups.rows[group], self.users.rows[user]
            if who not in found.users:
                found.users.append(who)
                who.extra["approval-groups"].append(found)

    def leave(self, group: int, user: int) -> None:
        """End somebody's membership of an approval group."""
        with self.lock:
            found, who = self.groups.rows[group], self.users.rows[user]
            if who in found.users:
                found.users.remove(who)
                who.extra["approval-groups"].remove(found)

    def add_delegation(
        self,
        *,
        delegator: int,
        delegate: int,
        start: datetime,
        end: datetime,
        approval_delegate: bool = True,
    ) -> int:
        """Let somebody act for somebody else and return the delegation's id."""
        with self.lock:
            number = next(self._delegation_ids)
            added = Delegation(
                id=number,
                delegator=self.users.rows[delegator],
                delegate=self.users.rows[delegate],
                start_date=start,
                end_date=end,
                approval_delegate=approval_delegate,
            )
            self._delegations_of.setdefault(delegator, []).append(added)
            return self.delegations.put(number, added).id

    def end_delegation(self, number: int) -> None:
        """Let a delegation end now."""
        with self.lock:
            self.delegations.rows[number].end_date = self.now()

    # ------------------------------------------------------------------ what documents refer to

    def named(self, kind: str, name: str) -> int:
        """Return the id of the supplier, item or account of this name, made on first mention."""
        with self.lock:
            found = self._name(kind, name)
            assert found is not None
            return int(found.extra["id"])

    def add_period(self, name: str, *, marks: Sequence[int] = (1, 2), is_open: bool = True) -> int:
        """Add a budget period and return its id; its budget lines are told apart by the marked segments."""
        with self.lock:
            number = next(self._named_ids)
            self._periods[number] = Record(
                extra={
                    "id": number,
                    "name": name,
                    "is-open": is_open,
                    "account-type": _CHART,
                    **{f"segment-{each}": True for each in marks},
                }
            )
            return number

    def add_reference(self, resource: str, **attributes: Any) -> int:
        """Add a record of a resource such as `budget_lines` and return its id.

        Args:
            resource: its name.
            attributes: as raw JSON, with underscores for hyphens; `id` for a chosen one. The id of a period
                stands for the period, a name for a supplier, an item or a unit, a code for a currency, and
                `account`, a code, for the segments.
        """
        with self.lock:
            number = attributes.pop("id", None) or next(self._document_ids)
            kept: dict[str, Any] = {"id": number}
            for name, value in attributes.items():
                if name in ("supplier", "item", "uom") and isinstance(value, str):
                    kept[name] = self._name(name, value)
                elif name == "currency" and isinstance(value, str):
                    kept[name] = self._currency(value)
                elif name == "period":
                    kept[name] = self._periods.get(value)
                elif name == "account":
                    kept |= _segments(value)
                else:
                    kept |= _record({name: value}).extra
            table = self.references.setdefault(resource, Table())
            return table.put(number, Reference(id=number, extra=kept)).id

    # ------------------------------------------------------------------ documents

    def add_requisition(
        self,
        *,
        requested_by: int,
        created_by: int | None = None,
        title: str = "Laptops",
        justification: str | None = None,
        currency: str = "USD",
        lines: Sequence[Line] = (),
        approvers: Sequence[Approver | Sequence[Approver]] = (),
        need_by: datetime | str | None = None,
        department: str | None = None,
        ship_to: str | None = None,
        submitted: bool = True,
        holdable: bool = False,
        **more: Any,
    ) -> int:
        """Add a requisition with its whole chain and return its id.

        `approvers` are the steps in order, and a sequence within is a parallel step. `submitted=False` leaves
        a draft, whose approvals are listed as pending all the same. `more` are further attributes of the
        resource with underscores for hyphens, and `id` for a chosen one.
        """
        with self.lock:
            number, now = more.pop("id", None) or next(self._document_ids), self.now()
            named: dict[str, Any] = {"department": self._name("department", department)}
            named |= {"ship-to-address": self._name("address", ship_to), "need-by-date": need_by}
            money = self._currency(currency)
            requester = self.users.rows[requested_by]
            document = Requisition(
                id=number,
                type=REQUISITION,
                status=PENDING if submitted else "draft",
                created_at=now,
                updated_at=now,
                steps=approvers,
                req_title=title,
                justification=justification,
                currency=money,
                requested_by=requester,
                created_by=requester if created_by is None else self.users.rows[created_by],
                requisition_lines=[self._line(place, each, money) for place, each in enumerate(lines, 1)],
                submitted_at=now if submitted else None,
                extra={"attachments": [], **named, **self._attributes(more)},
            )
            return self._add(document, holdable=holdable)

    def add_document(
        self,
        *,
        approvable_type: str,
        approvers: Sequence[Approver | Sequence[Approver]],
        status: str = PENDING,
        holdable: bool = False,
        **more: Any,
    ) -> int:
        """Add a document of another type and return its id.

        Args:
            approvable_type: its class name, such as `InvoiceHeader`.
            approvers: as for a requisition.
            status: of the document.
            holdable: whether its approvals may be put on hold.
            more: its attributes as raw JSON, with underscores for hyphens; `id` for a chosen one, and the
                id of a user for an attribute that is a person.
        """
        with self.lock:
            number, now = more.pop("id", None) or next(self._document_ids), self.now()
            document = Document(
                id=number,
                type=approvable_type,
                status=status,
                created_at=now,
                updated_at=now,
                steps=approvers,
                extra=self._attributes(more),
            )
            return self._add(document, holdable=holdable)

    def edit_document(self, kind: str, number: int, **changes: Any) -> None:
        """Change attributes of a document of another type, as raw JSON; its approvals stay as they are."""
        with self.lock:
            document = self.documents[kind].rows[number]
            document.extra |= self._attributes(changes)
            self._move(document)

    def requisition(self, rid: int) -> Requisition:
        """Return a requisition, live.

        Raises:
            KeyError: there is none.
        """
        with self.lock:
            found = self.documents[REQUISITION].rows[rid]
            assert isinstance(found, Requisition)
            return found

    def document(self, number: int) -> Document:
        """Return the document with this id, live; a requisition before any other type.

        Raises:
            KeyError: there is none.
        """
        with self.lock:
            for table in self.documents.values():
                if number in table.rows:
                    return table.rows[number]
            raise KeyError(number)

    def approval(self, aid: int) -> Approval:
        """Return an approval, live.

        Raises:
            KeyError: there is none, or none any more.
        """
        with self.lock:
            return self.approvals.rows[aid]

    def approvals_of(self, number: int) -> list[Approval]:
        """Return a document's approvals in the order of its chain."""
        with self.lock:
            return list(self.document(number).approvals)

    # ------------------------------------------------------------------ what people do in Coupa

    def decide_in_coupa(
        self, aid: int, *, by: int, decision: Literal["approved", "rejected"], note: str = ""
    ) -> None:
        """Approve or reject as Coupa's own screen does.

        Raises:
            NotAllowed: the approval is not open.
        """
        with self.lock:
            approval = self.decide(aid, status=decision, by=by, note=note or None, in_turn=False)
            if note and decision == REJECTED:
                self.comment(approval.document, by=by, text=note)

    def decide(self, aid: int, *, status: str, by: int, note: str | None, in_turn: bool) -> Approval:
        """Apply a decision, or put on hold, and let the chain go on.

        Args:
            aid: an approval that exists.
            status: what becomes of it: approved, rejected or on_hold.
            by: who acts; `approver` stays whoever it was assigned to.
            note: why.
            in_turn: whether it must be the approval's turn, on a document that waits for approvals.

        Raises:
            NotAllowed: not pending any more, or not its turn.
        """
        with self.lock:
            approval, now = self.approvals.rows[aid], self.now()
            document = approval.document
            if not approval.is_open:
                raise NotAllowed("The approval is not pending")
            if in_turn and (document.status != PENDING or approval not in document.turn):
                raise NotAllowed("The approval is not the current one")
            approval.status, approval.note = status, note
            approval.updated_by, who = self.users.rows[by], self.users.rows[by]
            approval.updated_at = document.updated_at = now + _LAG
            if status == ON_HOLD:
                return approval
            approval.approved_by, approval.approval_date = who, now
            if status == REJECTED:
                self._reject(document, note)
            elif all(not each.is_open for each in document.approvals):
                document.status = APPROVED
            return approval

    def reassign(self, aid: int, *, to: Approver) -> None:
        """Give an approval to somebody else; it keeps its id."""
        with self.lock:
            approval = self.approvals.rows[aid]
            approval.approver = self._approver(to)
            approval.delegations = self._delegations_for(approval.approver)
            self._move(approval)

    def escalate(self, aid: int, *, to: Approver) -> int:
        """Hand an approval up: it is `escalated`, and a new one takes its place. Return the new id."""
        with self.lock:
            old = self.approvals.rows[aid]
            old.status = "escalated"
            self._move(old)
            new = self._approval(
                old.document, to, old.position, old.parallel_group_name, holdable=old.holdable
            )
            old.document.approvals.remove(new)
            old.document.approvals.insert(old.document.approvals.index(old) + 1, new)
            return new.id

    def hold(self, aid: int, *, by: int | None = None) -> None:
        """Put an approval on hold at the screen, as its approver or as somebody else."""
        with self.lock:
            approval = self.approvals.rows[aid]
            who = approval.approver if by is None else self.users.rows[by]
            approval.status, approval.updated_by = ON_HOLD, who if isinstance(who, User) else None
            self._move(approval)

    def reopen(self, aid: int) -> None:
        """Make an approval pending again under the same id, and its document wait again."""
        with self.lock:
            approval = self.approvals.rows[aid]
            approval.status, approval.note = PENDING, None
            approval.approved_by = approval.approval_date = None
            approval.document.status = PENDING
            self._move(approval)

    def touch(self, aid: int) -> None:
        """Move an approval's `updated-at` and nothing else, as Coupa's own jobs do."""
        with self.lock:
            approval = self.approvals.rows[aid]
            before = approval.updated_at or self.now()
            approval.updated_at = max(self.now(), before + timedelta(seconds=1))
            approval.updated_by = self._metrics

    def edit_line(
        self,
        rid: int,
        line_index: int,
        *,
        quantity: str | None = None,
        unit_price: str | None = None,
        amount: str | None = None,
        description: str | None = None,
        account: str | Sequence[str] | None = None,
    ) -> None:
        """Change a line of a requisition; its approvals stay as they are."""
        with self.lock:
            line = self.requisition(rid).requisition_lines[line_index]
            changes = {"quantity": quantity, "unit_price": unit_price, "amount": amount}
            changes["description"] = description
            for name, value in changes.items():
                if value is not None:
                    setattr(line, name, value)
            if account is not None:
                line.extra |= self._charged_to(account)
            self._move(self.requisition(rid))

    def add_comment(self, kind: str, number: int, by: int, text: str) -> int:
        """Comment on a document and return the comment's id."""
        with self.lock:
            document = self._find(kind, number)
            assert isinstance(document, Document)
            return self.comment(document, by=by, text=text)

    def comment(self, document: Document, *, by: int, text: str) -> int:
        """Comment on a document that is at hand and return the comment's id."""
        with self.lock:
            added = Comment(
                id=next(self._comment_ids),
                commentable_id=document.id,
                commentable_type=document.type,
                comments=text,
                created_by=self.users.rows[by],
                created_at=self.now(),
            )
            document.comments.append(added)
            return added.id

    def edit_comment(self, number: int, text: str | None) -> None:
        """Write a comment anew, or delete it, by its id; Coupa lets its author do both."""
        with self.lock:
            for table in self.documents.values():
                for document in table.rows.values():
                    for each in [each for each in document.comments if each.id == number]:
                        if text is None:
                            document.comments.remove(each)
                        else:
                            each.comments = text

    def submit(self, rid: int) -> None:
        """Submit a draft: its approvals get their times."""
        with self.lock:
            document = self.requisition(rid)
            document.status, document.submitted_at, document.rejected = PENDING, self.now(), False
            for each in document.approvals:
                each.created_at = self.now()
                self._move(each)
            self._move(document)

    def withdraw(self, number: int) -> None:
        """Take a document back: its open approvals are gone."""
        with self.lock:
            document = self.document(number)
            document.status = "withdrawn"
            self._clear(document)
            self._move(document)

    def restart_chain(self, number: int) -> None:
        """Clear a document's approvals and ask the same approvers again under new ids.

        Source: "restart_approvals" of the Invoices API, which says so of invoices.
        """
        with self.lock:
            document = self.document(number)
            holdable = any(each.holdable for each in document.approvals)
            self._clear(document, every=True)
            document.status = PENDING
            if isinstance(document, Requisition):
                document.rejected = False
            self._ask(document, holdable=holdable)
            self._move(document)

    # ------------------------------------------------------------------ malformed answers, and a summary

    def override(self, target: tuple[str, int], raw: Mapping[str, Any]) -> None:
        """Serve these raw JSON values instead of a record's own; filters still see its own.

        Args:
            target: kind (`approval`, `requisition`, `user`, `group`, `document`, or the resource of a
                reference) and id.
            raw: served keys, with hyphens, and their values.
        """
        with self.lock:
            self._find(*target).raw.update(raw)

    def delete_field(self, kind: str, number: int, key: str) -> None:
        """Never serve this key of a record."""
        with self.lock:
            self._find(kind, number).raw[key] = DELETED

    def state(self) -> dict[str, Any]:
        """Return documents with their chains, for people: `{type: [{id, status, title, chain}]}`."""
        with self.lock:
            return {
                kind: [_summary(table.rows[each]) for each in table.ids]
                for kind, table in self.documents.items()
            }

    # ------------------------------------------------------------------ parts

    def _attributes(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """Return raw JSON as it is kept: objects are records, and a number for a person is that user.

        An invoice counts its lines, as a requisition does.
        """
        kept = _record(more).extra
        if isinstance(kept.get("invoice-lines"), list):
            kept.setdefault("line-count", len(kept["invoice-lines"]))
        for name in _PEOPLE & kept.keys():
            if isinstance(kept[name], int):
                kept[name] = self.users.rows[kept[name]]
        return kept

    def _find(self, kind: str, number: int) -> Record:
        tables: dict[str, Mapping[int, Record]] = {
            "approval": self.approvals.rows,
            "user": self.users.rows,
            "group": self.groups.rows,
            "requisition": self.documents[REQUISITION].rows,
        }
        tables |= {name: table.rows for name, table in self.references.items()}
        return self.document(number) if kind == "document" else tables[kind][number]

    def _ids_for(self, number: int) -> list[int]:
        """Return the approvals of every document with this id, whatever its type."""
        tables = self.documents.values()
        return [each.id for table in tables if number in table.rows for each in table.rows[number].approvals]

    def _user(self, number: int, email: str, firstname: str, lastname: str, *, active: bool) -> User:
        return User(
            id=number,
            login=email.partition("@")[0],
            email=email,
            firstname=firstname,
            lastname=lastname,
            active=active,
            created_at=self.now(),
            updated_at=self.now(),
            extra={"approval-groups": [], "user-groups": []},
        )

    def _name(self, kind: str, name: str | None) -> Record | None:
        """Return the department, supplier or whatever has this name; the same one each time."""
        if name is None:
            return None
        found = self._named.get((kind, name))
        if found is None:
            found = Record(extra={"id": next(self._named_ids), "name": name, "code": name})
            if kind == "account":
                found.extra |= {**_segments(name), "account-type": _CHART}
            if kind == "item":
                found.extra["uom"] = self._name("uom", "EA")
            self._named[kind, name] = found
        return found

    def _currency(self, code: str) -> Record:
        found = self._name("currency", code)
        assert found is not None
        found.extra["decimals"] = _DECIMALS.get(code, 2)
        return found

    def _line(self, place: int, entered: Line, currency: Record) -> RequisitionLine:
        named: dict[str, Any] = {
            kind: self._name(kind, value)
            for kind in ("supplier", "commodity", "contract", "uom", "item")
            for value in [getattr(entered, kind)]
        }
        named |= self._charged_to(entered.account) | {"source-type": entered.source_type}
        named["period"] = self._periods.get(entered.period or 0)
        return RequisitionLine(
            id=next(self._line_ids),
            line_num=place,
            description=entered.description,
            quantity=entered.quantity,
            unit_price=entered.unit_price,
            amount=entered.amount,
            currency=currency,
            extra={**named, "attachments": [_file(name) for name in entered.attachments]},
        )

    def _charged_to(self, account: str | Sequence[str] | None) -> dict[str, Any]:
        """Return the account of a line, or those that it is split between; then it has none of its own."""
        one = account if isinstance(account, str) else None
        several = () if one else account or ()
        return {
            "account": self._name("account", one),
            "account-allocations": [
                Record(extra={"id": part, "account": self._name("account", name)})
                for part, name in enumerate(several, 1)
            ],
        }

    def _add(self, document: Document, *, holdable: bool) -> int:
        self.documents.setdefault(document.type, Table()).put(document.id, document)
        self._ask(document, holdable=holdable)
        return document.id

    def _ask(self, document: Document, *, holdable: bool) -> None:
        """Create the whole chain at once; every approval of it is pending from the start."""
        for position, step in enumerate(document.steps, 1):
            if isinstance(step, int | Group):
                self._approval(document, step, position, None, holdable=holdable)
                continue
            for each in step:
                self._approval(document, each, position, f"Parallel {position}", holdable=holdable)

    def _approval(
        self, document: Document, asked: Approver, position: int, parallel: str | None, *, holdable: bool
    ) -> Approval:
        approver = self._approver(asked)
        at = None if document.status == "draft" else self.now()
        approval = Approval(
            id=next(self._approval_ids),
            document=document,
            approver=approver,
            position=position,
            parallel_group_name=parallel,
            delegations=self._delegations_for(approver),
            clock=self._clock,
            created_at=at,
            updated_at=at,
            holdable=holdable,
            extra={"approval-chain-id": 33, "reasons": []},
        )
        document.approvals.append(approval)
        return self.approvals.put(approval.id, approval)

    def _approver(self, asked: Approver) -> User | ApprovalGroup:
        return self.groups.rows[asked.id] if isinstance(asked, Group) else self.users.rows[asked]

    def _delegations_for(self, approver: User | ApprovalGroup) -> list[Delegation]:
        return self._delegations_of.setdefault(approver.id, []) if isinstance(approver, User) else []

    def _reject(self, document: Document, note: str | None) -> None:
        """Send a requisition back to its requester: there is no status `rejected` for it."""
        self._clear(document)
        if isinstance(document, Requisition):
            document.status, document.rejected, document.reject_reason_comment = "draft", True, note
        else:
            document.status = REJECTED

    def _clear(self, document: Document, *, every: bool = False) -> None:
        gone = [each for each in document.approvals if every or each.is_open]
        document.approvals = [each for each in document.approvals if each not in gone]
        for each in gone:
            self.approvals.drop(each.id)

    def _move(self, record: Approval | Document) -> None:
        record.updated_at = max(self.now(), record.updated_at or self.now())


_CHART: Final = Record(extra={"id": 1, "name": "Acme"})
"""The one chart of accounts."""


def _segments(code: str) -> dict[str, Any]:
    """Return the segments of an account: its code is "all segments concatenated with a hyphen".

    Source: resources/reference-data-resources/accounts-api-(accounts), "code"
    """
    return {f"segment-{number}": text for number, text in enumerate(code.split("-"), 1)}


def _file(name: str) -> Record:
    """Return an attachment as Coupa's sample shows it: the name is the end of an address."""
    address = f"https://files.example.com/attachment_files/files/79/original/{quote(name)}"
    return Record(
        extra={"id": 325, "type": "AttachmentFile", "intent": "Internal", "file": address, "url": ""}
    )


def _record(raw: Mapping[str, Any]) -> Record:
    """Return an object of raw JSON, and the objects in it, as records."""

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return _record(value)
        return [kept(each) for each in value] if isinstance(value, list) else value

    return Record(extra={name: kept(value) for name, value in _hyphenated(raw).items()})


def _hyphenated(names: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("_", "-"): value for key, value in names.items()}


def _summary(document: Document) -> dict[str, Any]:
    return {
        "id": document.id,
        "status": document.status,
        "title": getattr(document, "req_title", document.extra.get("title")),
        "total": str(getattr(document, "total", document.extra.get("total"))),
        "chain": [
            {
                "id": each.id,
                "position": each.position,
                "status": each.status,
                "approver": each.approver.email if isinstance(each.approver, User) else each.approver.name,
                "approved_by": each.approved_by.fullname if each.approved_by else None,
                "note": each.note,
                "is_turn": document.status == PENDING and each in document.turn,
            }
            for each in document.approvals
        ],
    }
