"""What Coupa's answers mean to us: approvals and the documents they decide, parsed once and tolerantly.

Nothing here does I/O or renders. A field that is missing, null or of a wrong type becomes None and never
spoils its neighbours; only an approval without a usable id cannot be read at all.

Field names are Coupa's own with underscores for hyphens; see the Core API's Approvals and Requisitions,
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WrapValidator

from coupa_core.errors import BridgeError

MAX_ID = 10**19
"""Ids go into URLs and row keys: 1 to 19 digits, no sign, no leading zero."""

PENDING = "pending_approval"
"""The only actionable status of an approval, and the status of a document that waits for approvals.

Source: Coupa Core API, Approvals, "status". The full list is not public: any other is closed or unknown.
"""

REQUISITION = "RequisitionHeader"
"""The class name by which Coupa calls a requisition in `approvable-type`."""


DocumentKey = tuple[str, int | None]
"""Type and id of a document, as an approval names them."""


class Kind(StrEnum):
    """What an approval is about, as far as this version knows how to show it."""

    REQUISITION = "requisition"
    OTHER = "document"


def _lenient(value: Any, parse: Callable[[Any], Any]) -> Any:
    """Turn what does not fit into None instead of an error."""
    try:
        return parse(value)
    except ValidationError:
        return None


def _whole(value: Any) -> Any:
    """Take a whole number or its ASCII digits, and nothing that pydantic would turn into one.

    True is not 1, and a `Decimal` such as 1E+999999999 would be written out in full.
    """
    if isinstance(value, str):
        usable = value.isascii() and value.isdigit()
    else:
        usable = isinstance(value, int) and not isinstance(value, bool)
    if not usable:
        raise ValueError("no whole number")
    return value


def _decimal(value: Any) -> Any:
    """Read a decimal from text or number; at most 28 digits, 21 before the point, never NaN or infinity.

    More could be neither compared nor written exactly in the default decimal context.

    Coupa sends decimals as strings ("13542.00"), its schema says numbers.
    Source: .../get-started-with-the-api/differences-between-xml-and-json-in-coupa
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("no decimal")  # noqa: TRY004 - pydantic wants a ValueError
    try:
        number = Decimal(str(value).strip()[:64])
    except InvalidOperation as error:
        raise ValueError("no decimal") from error
    too_long = len(number.as_tuple().digits) > 28  # noqa: PLR2004
    if not number.is_finite() or too_long or number.adjusted() not in range(-28, 21):
        raise ValueError("no usable decimal")
    return number


def _only_readable(values: Any) -> Any:
    """Keep the objects of a list; anything else in it is dropped, and no list is an empty one."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _text_of(value: Any) -> Any:
    """Read a text; a number is one too (login 4711 is a login)."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)[:64]
    return value


def _name_of(value: Any) -> Any:
    """Read a text that goes into a row: what is too long for a row would block it."""
    text = _text_of(value)
    return text[:64] if isinstance(text, str) else text


_Lenient = WrapValidator(_lenient)
# The last of an Annotated is the outermost: `_Lenient` must be, or a fault in the others spoils the record.
Id = Annotated[int, Field(ge=1, lt=MAX_ID), BeforeValidator(_whole)]
MaybeId = Annotated[Id | None, _Lenient]
Text = Annotated[str | None, BeforeValidator(_text_of), _Lenient]
Name = Annotated[str | None, BeforeValidator(_name_of), _Lenient]
Number = Annotated[Decimal | None, BeforeValidator(_decimal), _Lenient]
Integer = Annotated[int | None, BeforeValidator(_whole), _Lenient]
Flag = Annotated[bool | None, _Lenient]


class _Record(BaseModel):
    """A piece of a Coupa answer: unknown keys are ignored, hyphens are underscores."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
        hide_input_in_errors=True,
    )


class Named(_Record):
    """Something of which only the id and the name matter, such as a group."""

    id: MaybeId = None
    name: Text = None


class Person(_Record):
    """A Coupa user, or what is left of one when fields are missing."""

    id: MaybeId = None
    login: Text = None
    email: Text = None
    firstname: Text = None
    lastname: Text = None
    fullname: Text = None
    active: Flag = None

    @property
    def key(self) -> str | None:
        """Return `user:<id>`, by which rows and tokens know the person."""
        return f"user:{self.id}" if self.id is not None else None

    @property
    def name(self) -> str:
        """Return the best name there is, possibly empty."""
        parts = " ".join(part for part in (self.firstname, self.lastname) if part)
        return self.fullname or parts or self.login or ""


class Member(Person):
    """A user as the resource `users` has it: with the groups that it approves in."""

    approval_groups: Annotated[list[Named], BeforeValidator(_only_readable)] = []


class Approver(Person):
    """Who must decide: a user, or an approval group that has a name and users and no e-mail.

    Source: Coupa Core API schema, "approver: can be one of multiple objects: User, ApprovalGroup".
    """

    group_name: Annotated[Text, Field(alias="name")] = None
    users: Annotated[list[Person], BeforeValidator(_only_readable)] = []


MaybePerson = Annotated[Person | None, _Lenient]


class DelegateApproval(_Record):
    """A delegate as an approval names one: an approval of its own, with the delegate as its approver.

    Source: Coupa Core API, Approvals, "delegates: array of (delegate) approvals".
    """

    approver: MaybePerson = None


class Delegation(_Record):
    """Somebody acts for somebody else from one time until another.

    Source: Coupa Core API, Delegates, .../resources/transactional-resources/delegates-api
    """

    id: MaybeId = None
    delegator_id: MaybeId = None
    delegate_id: MaybeId = None
    delegator: MaybePerson = None
    delegate: MaybePerson = None
    start_date: Text = None
    end_date: Text = None
    approval_delegate: Flag = None

    @property
    def of(self) -> int | None:
        """Return the id of the user for whom the delegate acts."""
        return self.delegator_id or (self.delegator.id if self.delegator else None)

    def is_active(self, now: datetime) -> bool:
        """Tell whether it is for approvals and holds now; without both dates it never does.

        Each date carries its own offset; one without is no date that we could compare.
        """
        start, end = stamp(self.start_date), stamp(self.end_date)
        return self.approval_delegate is True and start is not None and end is not None and start <= now < end


class Approval(_Record):
    """One person's or group's step in the approval chain of one document."""

    id: Id
    status: Name = None
    approvable_type: Name = None
    approvable_id: MaybeId = None
    approver: Annotated[Approver | None, _Lenient] = None
    approver_id: MaybeId = None
    approver_type: Text = None
    approved_by: MaybePerson = None
    approval_date: Text = None
    delegate: MaybePerson = None
    delegates: Annotated[list[DelegateApproval], BeforeValidator(_only_readable)] = []
    position: Integer = None
    parallel_group_name: Text = None
    holdable: Flag = None
    note: Text = None
    updated_at: Name = None

    @property
    def is_pending(self) -> bool:
        """Tell whether Coupa still takes a decision on it."""
        return self.status == PENDING

    @property
    def document_key(self) -> DocumentKey:
        """Return which document it is about."""
        return (self.approvable_type or "", self.approvable_id)

    @property
    def is_for_group(self) -> bool:
        """Tell whether a group must decide; without a type, a name and no login mean a group."""
        if self.approver_type is not None:
            return self.approver_type != "User"
        who = self.approver
        return who is not None and who.login is None and who.email is None and who.group_name is not None

    @property
    def asked_id(self) -> int | None:
        """Return the id of the user or group that must decide, or None when Coupa did not say."""
        return (self.approver.id if self.approver else None) or self.approver_id

    @property
    def asked_name(self) -> str:
        """Return the name of the user or group that must decide, possibly empty."""
        who = self.approver
        return ((who.group_name if self.is_for_group else None) or who.name) if who else ""

    @property
    def approver_key(self) -> str | None:
        """Return `user:<id>` or `group:<id>`, or None when Coupa did not say who must decide."""
        number = self.asked_id
        if number is None:
            return None
        return f"{'group' if self.is_for_group else 'user'}:{number}"


class Currency(_Record):
    """A currency by its ISO 4217 code, with Coupa's number of decimals where it gives one."""

    code: Text = None
    decimals: Integer = None


class Supplier(_Record):
    """Who is paid."""

    id: MaybeId = None
    name: Text = None


class Unit(_Record):
    """The unit of a quantity."""

    code: Text = None


MaybeCurrency = Annotated[Currency | None, _Lenient]


class Line(_Record):
    """One line of a document; an amount line has no quantity."""

    id: MaybeId = None
    line_num: Text = None
    description: Text = None
    quantity: Number = None
    unit_price: Number = None
    total: Number = None
    currency: MaybeCurrency = None
    supplier: Annotated[Supplier | None, _Lenient] = None
    uom: Annotated[Unit | None, _Lenient] = None


class Comment(_Record):
    """What somebody wrote on a document."""

    id: MaybeId = None
    comments: Text = None
    created_at: Text = None
    created_by: MaybePerson = None


class Step(_Record):
    """An approval as a document names it: its id, at least."""

    id: MaybeId = None


class Department(_Record):
    """The department that pays."""

    name: Text = None


class Document(_Record):
    """What is to be approved. Of a type that is not known yet, only `type` and `id` are there."""

    type: Annotated[str, Field(alias="approvable-type")] = REQUISITION
    id: Id
    status: Name = None
    req_title: Text = None
    justification: Text = None
    total: Number = None
    currency: MaybeCurrency = None
    requested_by: MaybePerson = None
    created_by: MaybePerson = None
    department: Annotated[Department | None, _Lenient] = None
    need_by_date: Text = None
    submitted_at: Text = None
    updated_at: Name = None
    reject_reason_comment: Text = None
    requisition_lines: Annotated[list[Line], BeforeValidator(_only_readable)] = []
    comments: Annotated[list[Comment], BeforeValidator(_only_readable)] = []
    current_approval: Annotated[Step | None, _Lenient] = None
    current_parallel_approvals: Annotated[list[Step], BeforeValidator(_only_readable)] = []

    @property
    def kind(self) -> Kind:
        """Return how far this version knows the document."""
        return Kind.REQUISITION if self.type == REQUISITION else Kind.OTHER

    def awaits(self, approval_id: int) -> bool:
        """Tell whether it is this approval's turn.

        A pending approval is not yet its approver's turn: Coupa lists every step of a chain as pending,
        even of a draft. The document must wait, and name the approval as current.
        Source: Coupa Core API, Requisitions, example calls (a draft with a pending approval).
        """
        current = [self.current_approval, *self.current_parallel_approvals]
        return self.status == PENDING and any(step and step.id == approval_id for step in current)


def _approvals(rows: Any) -> list[Approval]:
    """Read the approvals that a document names; one without a usable id is left out."""
    return [each for each in map(parse_approval, _only_readable(rows)) if each]


class Chain(_Record):
    """A document as far as its approvals go: its status, its steps, and whose turn it is."""

    id: Id
    status: Name = None
    approvals: Annotated[list[Approval], BeforeValidator(_approvals)] = []
    current_approval: Annotated[Step | None, _Lenient] = None
    current_parallel_approvals: Annotated[list[Step], BeforeValidator(_only_readable)] = []

    def step(self, approval_id: int) -> Approval | None:
        """Return one of its approvals; None when it is not among them."""
        return next((each for each in self.approvals if each.id == approval_id), None)

    @property
    def next_names(self) -> list[str]:
        """Return the names of those whose turn it is, as far as the document names them."""
        current = [self.current_approval, *self.current_parallel_approvals]
        ids = {step.id for step in current if step}
        names = [each.asked_name for each in self.approvals if each.id in ids and each.is_pending]
        return [name for name in dict.fromkeys(names) if name] if self.status == PENDING else []


class Verb(StrEnum):
    """What an approver can do with an approval, by the name of Coupa's action."""

    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"


DONE_STATUS = {Verb.APPROVE: "approved", Verb.REJECT: "rejected", Verb.HOLD: "on_hold"}
"""The status of an approval after the action; `on_hold` is a guess by its name, Coupa does not publish it."""


@dataclass
class Listing:
    """What a list of pending approvals brought.

    Attributes:
        approvals: in the order of ids, each pending and of a wanted type.
        failure: what ended the list early; None when every page came.
        unreadable: rows without a usable id.
        unasked: rows that do not match what was asked for, and are left out.
    """

    approvals: list[Approval] = field(default_factory=list)
    failure: BridgeError | None = None
    unreadable: int = 0
    unasked: int = 0

    @property
    def is_complete(self) -> bool:
        """Tell whether an approval that is not here is not pending, as far as Coupa says."""
        return self.failure is None


@dataclass
class Found:
    """What was found of the approvals that were asked for by id.

    Attributes:
        by_id: those that Coupa knows.
        unreadable: rows without a usable id; while there are any, nothing is proved to be gone.
    """

    by_id: dict[int, Approval] = field(default_factory=dict)
    unreadable: int = 0

    def update(self, other: Found) -> None:
        """Take over what another answer brought."""
        self.by_id |= other.by_id
        self.unreadable += other.unreadable


def parse_approval(raw: Any) -> Approval | None:
    """Read one approval, or return None when it has no usable id."""
    try:
        return Approval.model_validate(raw)
    except ValidationError:
        return None


def parse_person(raw: Any) -> Member | None:
    """Read one user, or return None when it has no usable id."""
    person = Member.model_validate(raw) if isinstance(raw, dict) else None
    return person if person and person.id is not None else None


def parse_delegation(raw: Any) -> Delegation | None:
    """Read one delegation, or return None when it is no record at all."""
    return Delegation.model_validate(raw) if isinstance(raw, dict) else None


def parse_requisition(raw: Any) -> Document | None:
    """Read one requisition, or return None when it has no usable id."""
    if isinstance(raw, dict):
        raw = raw | {"approvable-type": REQUISITION}
    try:
        return Document.model_validate(raw)
    except ValidationError:
        return None


def parse_chain(raw: Any) -> Chain | None:
    """Read the approvals of one document, or return None when it has no usable id."""
    try:
        return Chain.model_validate(raw)
    except ValidationError:
        return None


def current_of(approvals: Iterable[Approval]) -> set[int]:
    """Return the ids whose turn it is among the pending approvals of one document that names no current one.

    The turn is with the lowest position, and with whoever is parallel to it.
    """
    pending = [approval for approval in approvals if approval.is_pending]
    if not pending:
        return set()
    first = min(pending, key=_place)
    group = first.parallel_group_name
    return {
        approval.id
        for approval in pending
        if _place(approval) == _place(first) or (group and approval.parallel_group_name == group)
    }


def has_turn(approval: Approval, document: Document, siblings: Iterable[Approval]) -> bool:
    """Tell whether the document waits for this approval now."""
    if document.kind is Kind.OTHER:
        others = [other for other in siblings if other.id != approval.id]
        return approval.id in current_of([approval, *others])
    return document.awaits(approval.id)


def _place(approval: Approval) -> int:
    return approval.position or 0


def digest(document: Document) -> str:
    """Return the fingerprint of the content that matters to the decision.

    Amount, currency, requester, and each line with supplier, quantity, price and description; not comments,
    codings or stamps. 128 bits, because a requester writes the text and could search for a collision.
    """
    content = {
        "type": document.type,
        "id": document.id,
        "total": _plain(document.total),
        "currency": document.currency.code if document.currency else None,
        "requester": document.requested_by.id if document.requested_by else None,
        "lines": sorted((_content(line) for line in document.requisition_lines), key=json.dumps),
    }
    return fingerprint(json.dumps(content, separators=(",", ":"), ensure_ascii=True))


def _content(line: Line) -> list[Any]:
    return [
        line.id,
        _plain(line.quantity),
        _plain(line.unit_price),
        _plain(line.total),
        line.description,
        line.supplier.id or line.supplier.name if line.supplier else None,
    ]


def version(*, approver_key: str, content: str, generation: int) -> str:
    """Return the name of what one approver is shown: who, which content, which round."""
    return fingerprint(f"{approver_key}|{content}|{generation}")


def fingerprint(text: str) -> str:
    """Return 128 bits of SHA-256 as 22 characters that are safe in URLs and tables."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def stamp(text: str | None) -> datetime | None:
    """Read a time as Coupa writes it, with its offset; None for anything else."""
    try:
        time = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else None


def _plain(number: Decimal | None) -> str | None:
    """Write equal amounts alike: 983.9 and 983.90."""
    return None if number is None else format(number.normalize(), "f")
