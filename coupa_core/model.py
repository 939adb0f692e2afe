"""What Coupa's answers mean to us: approvals, and the one face of the documents they decide.

Nothing here does I/O or renders; `documents` has the kinds. A field that is missing, null or of a wrong type
becomes None and never spoils its neighbours; only what has no usable id cannot be read at all.

Field names are Coupa's own with underscores for hyphens; see the Core API's Approvals and Requisitions,
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Protocol, Self
from urllib.parse import unquote

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    model_validator,
)

from coupa_core.clock import countable
from coupa_core.errors import BridgeError, ServiceError
from coupa_core.marks import VIA_CHAT, Signed, read_mark
from coupa_core.visible import first_seen

MAX_ID = 10**19
"""Ids go into URLs and row keys: 1 to 19 digits, no sign, no leading zero."""

APPROVED = "approved"
PENDING = "pending_approval"
"""The only actionable status of an approval, and the status of a document that waits for approvals.

Source: Coupa Core API, Approvals, "status". The full list is not public: any other is closed or unknown.
"""

ON_HOLD = "on_hold"
"""The status of an approval that was put on hold: a guess by the action's name, Coupa does not publish it."""

OPEN = (PENDING, ON_HOLD)
"""The statuses of an approval that nobody has decided yet: it keeps its place in the chain, and its turn."""

REQUISITION = "RequisitionHeader"
"""The class name by which Coupa calls a requisition in `approvable-type`."""


_NO_END = "9999-"
_MENTION = re.compile(r"@\[User:[0-9]+\] ?")

DocumentKey = tuple[str, int | None]
"""Type and id of a document, as an approval names them."""

IdRange = tuple[int, int]
"""The least and the greatest id, both of them in it."""

ALL_IDS: IdRange = (1, MAX_ID - 1)


class Naming(Protocol):
    """Whatever names a document: an approval, or the ledger's row of one."""

    @property
    def document_key(self) -> DocumentKey:
        """Return which document it is about."""
        ...


class Bar(StrEnum):
    """Why somebody who may decide an approval cannot do so from chat."""

    OWN = "own"
    """They asked for it themselves."""
    ENTERED = "entered"
    """They entered it, or sent it in, for somebody else, or Coupa does not say for whom."""
    UNNAMED = "unnamed"
    """Coupa does not say who asked for it: it may be they."""
    TOO_GREAT = "too_great"
    """One of its figures is above the limit."""
    UNSTATED = "unstated"
    """There are limits, and one of its figures cannot be compared with them."""
    SENSITIVE = "sensitive"
    """A setting keeps what it is about from chat."""
    SHARED = "shared"
    """Their address belongs to another user of Coupa, too: nobody can tell who writes."""

    @property
    def is_of_asker(self) -> bool:
        """Tell whether they asked for it or entered it: they are told only where nobody else decides."""
        return self in (Bar.OWN, Bar.ENTERED)


class Kind(StrEnum):
    """What an approval is about, as far as this version knows how to show it."""

    REQUISITION = "requisition"
    EXPENSE = "expense"
    INVOICE = "invoice"
    ORDER_CHANGE = "order_change"
    CONTRACT = "contract"
    FORM = "form"
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
        number = Decimal(_digits(str(value).strip()))
    except InvalidOperation as error:
        raise ValueError("no decimal") from error
    too_long = len(number.as_tuple().digits) > 28  # noqa: PLR2004
    if not number.is_finite() or too_long or number.adjusted() not in range(-28, 21):
        raise ValueError("no usable decimal")
    return number


def _digits(text: str) -> str:
    """Refuse what is too long to be read whole, and the underscores that Python allows in a number."""
    if len(text) > 64 or "_" in text:  # noqa: PLR2004 - a part of a number is another number
        raise ValueError("no usable decimal")
    return text


def only_readable(values: Any) -> Any:
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


def _locale_of(value: Any) -> Any:
    """Read the name of a locale; it goes into tokens, and nothing else is one."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{2,20}", value) else None


def hyphenated(raw: Any) -> Any:
    """Return a record with each name in hyphens, too, whichever way Coupa spells it.

    Answers are published with hyphens only, `fields` with both; where both came, the hyphenated one counts.
    """
    if not isinstance(raw, dict) or not any("_" in str(name) for name in raw):
        return raw
    return {str(name).replace("_", "-"): value for name, value in raw.items()} | raw


Lenient = WrapValidator(_lenient)
# The last of an Annotated is the outermost: `Lenient` must be, or a fault in the others spoils the record.
Id = Annotated[int, Field(ge=1, lt=MAX_ID), BeforeValidator(_whole)]
MaybeId = Annotated[Id | None, Lenient]
Text = Annotated[str | None, BeforeValidator(_text_of), Lenient]
Name = Annotated[str | None, BeforeValidator(_name_of), Lenient]
Locale = Annotated[str | None, BeforeValidator(_locale_of), Lenient]
Number = Annotated[Decimal | None, BeforeValidator(_decimal), Lenient]
Integer = Annotated[int | None, BeforeValidator(_whole), Lenient]
Flag = Annotated[bool | None, Lenient]


class Record(BaseModel):
    """A piece of a Coupa answer: unknown keys are ignored, and both spellings of a name are read."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _read_both_spellings(cls, raw: Any) -> Any:
        return hyphenated(raw)

    @classmethod
    def misses(cls, name: str, raw: Mapping[str, Any], read: Any) -> bool:
        """Tell whether Coupa gave a field in a form that was not read.

        Args:
            name: of the field.
            raw: the record as Coupa gave it.
            read: what was read of the field.
        """
        given = raw.get(cls.model_fields[name].alias or name)
        return read is None and given not in (None, "", {})


class ApprovalGroup(Record):
    """A group that approves, as a user's record names it."""

    id: MaybeId = None


class Person(Record):
    """A Coupa user, or what is left of one when fields are missing."""

    id: MaybeId = None
    login: Text = None
    email: Text = None
    firstname: Text = None
    lastname: Text = None
    fullname: Text = None
    active: Flag = None
    default_locale: Locale = None

    @property
    def key(self) -> str | None:
        """Return `user:<id>`, by which rows and tokens know the person."""
        return f"user:{self.id}" if self.id is not None else None

    @property
    def name(self) -> str:
        """Return the best name of which something can be seen, or else the login; possibly empty."""
        parts = " ".join(filter(None, map(first_seen, (self.firstname, self.lastname))))
        return first_seen(self.fullname, parts, self.login)


def _is_client(who: Person | None, info: ValidationInfo) -> bool | None:
    """Tell whether somebody is our client's user, by the login; None where either is not known."""
    if not info.context or who is None or who.login is None:
        return None
    return bool(who.login == info.context)


def user_id(key: str) -> int | None:
    """Return the id of a person's key; None for what is no `user:<id>`.

    >>> user_id("user:7"), user_id("group:7"), user_id("user:07")
    (7, None, None)
    """
    found = re.fullmatch(r"user:([1-9][0-9]{0,18})", key)
    return int(found[1]) if found else None


class Approver(Person):
    """Who must decide: a user, or an approval group that has a name and users and no e-mail.

    Source: Coupa Core API schema, "approver: can be one of multiple objects: User, ApprovalGroup".
    """

    group_name: Annotated[Text, Field(alias="name")] = None
    users: Annotated[list[Person], BeforeValidator(only_readable)] = []


MaybePerson = Annotated[Person | None, Lenient]


def _somebody(value: Any) -> Any:
    """Read whatever stands for a person and is no object as somebody who cannot be told."""
    return value if value is None or isinstance(value, dict) else {}


Asker = Annotated[Person | None, BeforeValidator(_somebody), Lenient]
"""Who asked for something: what cannot be read is somebody unknown, and not nobody."""


class Member(Person):
    """A user as the resource `users` has it: with the groups that it approves in, and its manager.

    Source: https://compass.coupa.com/_dita_/en-us/documentation/plat/integ/coupa_core_api/topics/users_api_users.dita
    """

    approval_groups: Annotated[list[ApprovalGroup], BeforeValidator(only_readable)] = []
    manager: MaybePerson = None

    @property
    def keys(self) -> list[str]:
        """Return as whom approvals ask this person: `user:<id>`, and `group:<id>` of each group."""
        groups = [f"group:{group.id}" for group in self.approval_groups if group.id is not None]
        return [f"user:{self.id}", *groups]


class DelegateApproval(Record):
    """A delegate as an approval names one: an approval of its own, with the delegate as its approver.

    Source: Coupa Core API, Approvals, "delegates: array of (delegate) approvals".
    """

    approver: MaybePerson = None


class Delegation(Record):
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

        Each date carries its own offset; one without is no date that we could compare. People enter
        an end in the year 9999 where there is none.
        """
        start, end = stamp(self.start_date), stamp(self.end_date)
        has_begun = start is not None and start <= now
        goes_on = (self.end_date or "").startswith(_NO_END) or (end is not None and now < end)
        return self.approval_delegate is True and has_begun and goes_on


class Approval(Record):
    """One person's or group's step in the approval chain of one document."""

    id: Id
    status: Name = None
    approvable_type: Name = None
    approvable_id: MaybeId = None
    approver: Annotated[Approver | None, Lenient] = None
    approver_id: MaybeId = None
    approver_type: Text = None
    type: Name = None
    approved_by: Asker = None
    approval_date: Text = None
    delegate: MaybePerson = None
    delegates: Annotated[list[DelegateApproval], BeforeValidator(only_readable)] = []
    position: Integer = None
    parallel_group_name: Text = None
    holdable: Flag = None
    note: Text = None
    created_at: Text = None
    updated_at: Name = None
    updated_by: MaybePerson = None
    _by_us: bool | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _note_hand(self, info: ValidationInfo) -> Self:
        self._by_us = _is_client(self.approved_by, info)
        return self

    @property
    def by_us(self) -> bool | None:
        """Tell whether Coupa recorded our own client as who decided; None where that is not known."""
        return self._by_us

    @property
    def signed(self) -> Signed | None:
        """Return who decided through us, with which words; None where our client did not write the note."""
        return read_mark(self.note, self.asked_name) if self.by_us else None

    @property
    def is_pending(self) -> bool:
        """Tell whether Coupa still takes a decision on it."""
        return self.status == PENDING

    @property
    def is_open(self) -> bool:
        """Tell whether nobody has decided it: it waits, or is on hold, and those after it have no turn."""
        return self.status in OPEN

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
        return first_seen(who.group_name if self.is_for_group else None, who.name) if who else ""

    @property
    def decided_by(self) -> str:
        """Return who decided: the person named in the note that we left, else the user whom Coupa recorded.

        Coupa records our client's user for every decision from chat.
        """
        if self.signed:
            return self.signed.name
        return self.approved_by.name if self.approved_by else ""

    @property
    def said(self) -> str:
        """Return what the decider wrote, without the mark that we put before it."""
        return self.signed.words if self.signed else self.note or ""

    def wordless(self) -> Self:
        """Return it as a step of a veiled document: who decided it and when, and nothing that they wrote."""
        signed = self.signed
        mark = f"{signed.name} <{signed.address}>{VIA_CHAT}" if signed else None
        return self.model_copy(update={"note": mark, "approver": None})

    @property
    def approver_key(self) -> str | None:
        """Return `user:<id>` or `group:<id>`, or None when Coupa did not say who must decide."""
        number = self.asked_id
        if number is None:
            return None
        return f"{'group' if self.is_for_group else 'user'}:{number}"


class Currency(Record):
    """A currency by its ISO 4217 code, with Coupa's number of decimals where it gives one."""

    code: Text = None
    decimals: Integer = None


class Supplier(Record):
    """Who is paid."""

    id: MaybeId = None
    name: Text = None


class Named(Record):
    """Something of which only the name is of interest, such as a department."""

    name: Text = None


class Account(Named):
    """What something is charged to: all segments make the code, and the name is a nickname.

    Source: Coupa Core API, Accounts, .../resources/reference-data-resources/accounts-api-(accounts)
    """

    id: MaybeId = None
    code: Text = None

    @property
    def key(self) -> int | str | None:
        """Return what tells one account from another; None where Coupa does not say which it is."""
        return self.id or self.code or self.name


def _only_approvals(values: Any, info: ValidationInfo) -> Any:
    """Keep the approvals of a chain that have an id."""
    read = (parse_approval(value, client=info.context or "") for value in only_readable(values))
    return [approval for approval in read if approval]


class Unit(Record):
    """The unit of a quantity."""

    code: Text = None


def _parts(values: Any) -> Any:
    """Read a list of objects; whatever else stands in it, or instead of it, is a part that is not known."""
    if values in (None, ""):
        return []
    return [_somebody(value) or {} for value in values] if isinstance(values, list) else [{}]


class Agreement(Record):
    """The contract under which something is bought."""

    id: MaybeId = None


MaybeCurrency = Annotated[Currency | None, Lenient]
MaybeAgreement = Annotated[Agreement | None, BeforeValidator(_somebody), Lenient]
MaybeSupplier = Annotated[Supplier | None, BeforeValidator(_somebody), Lenient]
MaybeNamed = Annotated[Named | None, BeforeValidator(_somebody), Lenient]
MaybeAccount = Annotated[Account | None, BeforeValidator(_somebody), Lenient]


class Allocation(Record):
    """A part of a line that is split between accounts.

    Source: Coupa Core API, Req Line Allocation, "account".
    """

    account: MaybeAccount = None


class Attachment(Record):
    """A file or a link at a document: `file` and `url` are addresses, of which the name is the last part.

    Source: Coupa Core API, Attachment File, and the sample in "Receipts API Example Calls".
    """

    id: MaybeId = None
    file: Text = None
    url: Text = None

    @property
    def name(self) -> str:
        """Return the name of the file, or of what the link leads to; possibly empty."""
        address = self.file or self.url or ""
        if "://" in address:
            address = address.partition("://")[2].partition("?")[0].partition("#")[0]
        return unquote(address.rstrip("/").rpartition("/")[2])


class Line(Record):
    """One line of a document; an amount line has no quantity."""

    id: MaybeId = None
    line_num: Text = None
    description: Text = None
    quantity: Number = None
    unit_price: Number = None
    total: Number = None
    currency: MaybeCurrency = None
    supplier: MaybeSupplier = None
    uom: Annotated[Unit | None, Lenient] = None
    attachments: Annotated[tuple[Attachment, ...], BeforeValidator(only_readable)] = ()
    account: MaybeAccount = None
    account_allocations: Annotated[tuple[Allocation, ...], BeforeValidator(_parts)] = ()
    commodity: MaybeNamed = None
    department: MaybeNamed = None
    contract: MaybeAgreement = None
    _is_unclear: bool = PrivateAttr(default=False)

    @model_validator(mode="wrap")
    @classmethod
    def _note_what_is_unclear(cls, raw: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        line = read(raw)
        given = hyphenated(raw) if isinstance(raw, dict) else {}
        names = ("quantity", "unit_price", "total", "currency")
        line._is_unclear = any(cls.misses(name, given, getattr(line, name)) for name in names)  # noqa: SLF001 - its own
        return line

    @property
    def is_unclear(self) -> bool:
        """Tell whether Coupa gives a figure or a currency that cannot be read: its worth is not known."""
        return self._is_unclear

    @property
    def terms(self) -> tuple[str | bool | None, ...]:
        """Return what else of the line is signed."""
        return ()

    @property
    def accounts(self) -> list[Account]:
        """Return what the line is charged to: that of its parts where it is split; nothing for no account."""
        split = [each.account or Account() for each in self.account_allocations]
        return split or ([self.account] if self.account else [])

    @property
    def lacks_contract(self) -> bool:
        """Tell whether Coupa says that it is bought under no contract; it must say so."""
        return "contract" in self.model_fields_set and self.contract is None

    @property
    def worth(self) -> Decimal | None:
        """Return what the line comes to: the greater of its total and of price times quantity, by size."""
        stated = [self.total] if self.total is not None else []
        if self.unit_price is not None:
            stated.append(self.unit_price * (1 if self.quantity is None else self.quantity))
        return None if self.is_unclear else max(stated, key=abs, default=None)


class Comment(Record):
    """What somebody wrote on a document."""

    id: MaybeId = None
    commentable_id: MaybeId = None
    comments: Text = None
    created_at: Text = None
    created_by: Asker = None
    _by_us: bool | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _note_hand(self, info: ValidationInfo) -> Self:
        self._by_us = _is_client(self.created_by, info)
        return self

    @property
    def by_us(self) -> bool | None:
        """Tell whether Coupa has our own client as its author; None where that is not known."""
        return self._by_us

    @property
    def signed(self) -> Signed | None:
        """Return who wrote it through us; None where our client did not write it."""
        return read_mark(self.comments) if self.by_us else None

    @property
    def author(self) -> str:
        """Return who wrote it: the person for whom our client did, else whom Coupa recorded; maybe empty."""
        if self.signed:
            return self.signed.name
        return self.created_by.name if self.created_by else ""

    @property
    def words(self) -> str:
        """Return what was written, without the mark that we put before it, and without whom it mentions."""
        return self.signed.words if self.signed else _MENTION.sub("", self.comments or "")


class Step(Record):
    """An approval as a document names it: its id, at least."""

    id: MaybeId = None
    approver: Annotated[Approver | None, Lenient] = None


@dataclass(frozen=True)
class Figure:
    """An amount that a card states; None where Coupa states none that can be read."""

    amount: Decimal | None
    currency: Currency | None


class Document(Record):
    """What is to be approved: the face that every kind has, whatever Coupa calls its fields.

    Of a type that is not known, only `type` and `id` are there.

    Attributes:
        kind: how far this version knows the type.
        names_turn: Coupa names the current approvals; otherwise the turn comes from the positions.
        has_requester: it is always for somebody; where Coupa names nobody, the answer is incomplete.
    """

    kind: ClassVar[Kind] = Kind.OTHER
    names_turn: ClassVar[bool] = False
    has_requester: ClassVar[bool] = False

    type: Annotated[str, Field(alias="approvable-type")] = ""
    id: Id
    status: Name = None
    title: Text = None
    justification: Text = None
    total: Number = None
    currency: MaybeCurrency = None
    requested_by: Asker = None
    created_by: Asker = None
    supplier: MaybeSupplier = None
    department: MaybeNamed = None
    submitted_at: Text = None
    updated_at: Name = None
    lines: Annotated[tuple[Line, ...], BeforeValidator(only_readable)] = ()
    comments: Annotated[tuple[Comment, ...], BeforeValidator(only_readable)] = ()
    approvals: Annotated[tuple[Approval, ...], BeforeValidator(_only_approvals)] = ()
    attachments: Annotated[tuple[Attachment, ...], BeforeValidator(only_readable)] = ()
    current_approval: Annotated[Step | None, Lenient] = None
    current_parallel_approvals: Annotated[tuple[Step, ...], BeforeValidator(only_readable)] = ()
    line_count: Integer = None
    _hides_lines: bool = PrivateAttr(default=False)
    _is_sensitive: bool = PrivateAttr(default=False)

    @model_validator(mode="wrap")
    @classmethod
    def _note_unreadable_lines(cls, raw: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        document, name = read(raw), cls.model_fields["lines"].alias or "lines"
        given = hyphenated(raw).get(name) if isinstance(raw, dict) else None
        document._hides_lines = given is not None and given != only_readable(given)  # noqa: SLF001 - its own
        return document

    @property
    def is_sensitive(self) -> bool:
        """Tell whether it is veiled: chat may know that it waits, and nothing of what it is."""
        return self._is_sensitive

    def veiled(self) -> Self:
        """Return it with its number, its state, its turn and the ids of who asked, and without all else."""
        kept: dict[str, Any] = {name: getattr(self, name) for name in _STATE if hasattr(self, name)}
        for name in _ASKERS:
            who: Person | None = getattr(self, name, None)
            kept |= {name: Person(id=who.id, email=who.email)} if who else {}
        bare = type(self).model_construct(
            **kept,
            approvals=tuple(each.wordless() for each in self.approvals),
            current_approval=Step(id=self.current_approval.id) if self.current_approval else None,
            current_parallel_approvals=tuple(Step(id=each.id) for each in self.current_parallel_approvals),
        )
        bare._is_sensitive = True  # noqa: SLF001 - its own
        return bare

    @property
    def lacks_lines(self) -> bool:
        """Tell whether lines did not come, or cannot be read: what they come to is not known."""
        return self._hides_lines or self.lines_left_out > 0

    @property
    def lines_left_out(self) -> int:
        """Return how many lines it has, by Coupa's own count, that did not come with it; 0 without a count.

        Source: Coupa Core API, Requisitions, "line-count: Requisition Header Line Count"; R39 InvoiceHeader.
        """
        return max(0, (self.line_count or 0) - len(self.lines))

    @property
    def terms(self) -> dict[str, Any]:
        """Return what else a card of this kind shows, by its fields; plain values that JSON can hold."""
        return {}

    @property
    def askers(self) -> list[Person]:
        """Return who asked for it or entered it: nobody of them decides on it, unless a setting allows it."""
        return [person for person in (self.requested_by, self.created_by) if person]

    @property
    def answerer(self) -> Person | None:
        """Return who answers a question about it: whoever asked for it, or entered it."""
        return next((each for each in (self.requested_by, self.created_by) if each and each.key), None)

    @property
    def commented_on(self) -> int | None:
        """Return the id of the record that takes comments on it; None where Coupa's API takes none."""
        return None

    @property
    def says_who_asked(self) -> bool:
        """Tell whether somebody can be told from those who asked: each of them has an id or an address."""
        if self.has_requester and self.requested_by is None:
            return False
        askers = self.askers
        return bool(askers) and all(each.id is not None or each.email for each in askers)

    @property
    def amounts(self) -> dict[str, Decimal | None]:
        """Return what it comes to, by name; None for an amount that Coupa does not state."""
        return {"total": self.total}

    @property
    def worth(self) -> tuple[Decimal, Currency] | None:
        """Return what it comes to in one amount that may be added to those of others; None where none is."""
        total, currency = self.total, self.currency
        return (total, currency) if total is not None and currency and currency.code else None

    @property
    def figures(self) -> list[Figure]:
        """Return what it comes to: its own amounts, stated or not, and those of its lines.

        A line may state none; one of which the amount cannot be read is as one that is missing.
        """
        own = [Figure(amount, self.currency) for amount in self.amounts.values()]
        lines = [
            Figure(line.worth, self.currency_of(line))
            for line in self.lines
            if line.worth is not None or line.is_unclear
        ]
        return own + lines + ([Figure(None, None)] if self.lacks_lines else [])

    def currency_of(self, line: Line) -> Currency | None:
        """Return the currency of a line: its own, or else the document's."""
        return line.currency or self.currency

    @property
    def needed_on(self) -> date | None:
        """Return the day by which the goods are needed; None where nobody said."""
        return None

    @property
    def wanted_by(self) -> tuple[date, ...]:
        """Return the days by which a decision is worth most, in their order; none where Coupa states none."""
        return (self.needed_on,) if self.needed_on else ()

    def wanted_on(self, today: date) -> date | None:
        """Return the next of these days; the last of them when all are past."""
        return next((day for day in self.wanted_by if day >= today), max(self.wanted_by, default=None))

    @property
    def files(self) -> list[str]:
        """Return the names of what is attached to the document and to its lines."""
        attached = [*self.attachments, *(each for line in self.lines for each in line.attachments)]
        return [each.name for each in attached]

    @property
    def rejection(self) -> Comment | None:
        """Return the comment with which it was rejected last; None where Coupa names none."""
        return None

    @property
    def approved(self) -> list[Approval]:
        """Return the steps that were approved before, in the order of the chain."""
        return sorted((each for each in self.approvals if each.status == APPROVED), key=_place)

    def waits_since(self, approval: Approval) -> datetime | None:
        """Return since when a step that has the turn waits for its approver; None where Coupa does not say.

        Since the last of these: the document was submitted, the step before was approved, the approval was
        made. So it is never before its turn: of a step that may not be the first, of which nobody knows when
        the one before was approved, nothing is known.
        """
        is_shown = any(each.id == approval.id for each in self.approvals)
        if not is_shown and approval.position not in (0, 1):
            return None
        begun = [stamp(each.approval_date) for each in self.approved if _is_before(each, approval)]
        if None in begun:
            return None
        known = [at for at in (*begun, stamp(self.submitted_at)) if at]
        made = stamp(approval.created_at)
        return max([*known, *([made] if made else [])]) if known else stamp(approval.updated_at)

    def around(self, approval: Approval) -> tuple[list[Approval], list[Approval]] | None:
        """Return who is asked at the same time as an approver, and who comes next; some may be on hold.

        None when the document does not show its chain, or not with this approval's turn.
        """
        left = [each for each in self.approvals if each.is_open]
        current = current_of(left)
        if approval.id not in current:
            return None
        beside = [each for each in left if each.id in current - {approval.id}]
        later = [each for each in left if each.id not in current]
        following = current_of(later)
        return beside, [each for each in later if each.id in following]

    def awaits(self, approval_id: int) -> bool:
        """Tell whether it is this approval's turn.

        A pending approval is not yet its approver's turn: Coupa lists every step of a chain as pending,
        even of a draft. The document must wait, and name the approval as current; invoices and expense
        reports name none, and their own chain must show it at the lowest position.
        Source: Coupa Core API, Requisitions, example calls (a draft with a pending approval); the release 39
        schemas, in which InvoiceHeader and ExpenseReport have `approvals` only.
        """
        return self.status == PENDING and approval_id in self._current

    def hides_turn(self, approval_id: int) -> bool:
        """Tell whether nobody can say if it is this approval's turn: it names no step, or no status."""
        if not self._current:
            return self.status in (None, PENDING)
        return self.status is None and approval_id in self._current

    @property
    def _current(self) -> set[int]:
        if not self.names_turn:
            return set(current_of(self.approvals))
        steps = [self.current_approval, *self.current_parallel_approvals]
        return {step.id for step in steps if step and step.id}


_STATE = ("type", "id", "status", "submitted_at", "updated_at", "order_header_id")
_ASKERS = ("requested_by", "created_by", "submitted_by")
"""What is left of a document under a veil: the order's number is in the link to it."""

UNREADABLE = "unreadable:"
"""Stands before the scope in the cause of an approval that waits because its type cannot be read."""

UNREAD = "document_"
"""Stands before the code in the cause of an approval of which the document alone could not be read."""


class Unreadable(Document):
    """A document that Coupa does not let us read: of a closed type, or this one alone, or not now.

    Attributes:
        scope: that is probably missing, where no document of the type can be read.
        failure: why this one cannot be read, where its type is not closed to us.
        is_at_fault: the document is, and not the time or the connection.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    scope: str = ""
    failure: ServiceError | None = None
    is_at_fault: bool = False

    def veiled(self) -> Self:
        """Return it as it is: nothing of it is known."""
        return self

    @property
    def cause(self) -> str:
        """Return why its approval waits, for the operator."""
        return f"{UNREAD}{self.failure.code}" if self.failure else f"{UNREADABLE}{self.scope}"


class Chain(Record):
    """A document as far as its approvals go: its status, its steps, and whose turn it is."""

    id: Id
    status: Name = None
    approvals: Annotated[tuple[Approval, ...], BeforeValidator(_only_approvals)] = ()
    current_approval: Annotated[Step | None, Lenient] = None
    current_parallel_approvals: Annotated[tuple[Step, ...], BeforeValidator(only_readable)] = ()

    def step(self, approval_id: int) -> Approval | None:
        """Return one of its approvals; None when it is not among them."""
        return next((each for each in self.approvals if each.id == approval_id), None)

    @property
    def next_names(self) -> list[str]:
        """Return the names of those whose turn it is, as far as the document names them."""
        current = [self.current_approval, *self.current_parallel_approvals]
        ids = {step.id for step in current if step}
        names = [each.asked_name for each in self.approvals if each.id in ids and each.is_open]
        return [name for name in dict.fromkeys(names) if name] if self.status == PENDING else []


class Verb(StrEnum):
    """What an approver can do with an approval, by the name of Coupa's action."""

    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"


DONE_STATUS = {Verb.APPROVE: APPROVED, Verb.REJECT: "rejected", Verb.HOLD: ON_HOLD}
"""The status of an approval after the action."""


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
class Page:
    """One page of approvals, newest first.

    Attributes:
        pending: those that wait.
        ended: those that do not, where any status was asked for.
        unreadable: rows without a usable id.
        unasked: rows that do not match what was asked for, and are left out.
        rest: the ids that are left behind it; None for no more.
        failure: why nobody knows what is left behind it.
    """

    rest: IdRange | None = None
    failure: BridgeError | None = None
    pending: list[Approval] = field(default_factory=list)
    ended: list[Approval] = field(default_factory=list)
    unreadable: int = 0
    unasked: int = 0


@dataclass
class Found:
    """What was found of the approvals that were asked for by id.

    Attributes:
        by_id: those that Coupa knows.
        unreadable: rows without a usable id; while there are any, nothing is proved to be gone.
        failed: why each of the others could not be read.
    """

    by_id: dict[int, Approval] = field(default_factory=dict)
    unreadable: int = 0
    failed: dict[int, ServiceError] = field(default_factory=dict)


def parse_approval(raw: Any, *, client: str = "") -> Approval | None:
    """Read one approval, or return None when it has no usable id.

    Args:
        raw: as Coupa gave it.
        client: the login of our client's user in Coupa; empty where it is not known.
    """
    try:
        return Approval.model_validate(raw, context=client)
    except ValidationError:
        return None


def parse_person(raw: Any) -> Member | None:
    """Read one user, or return None when it has no usable id."""
    person = Member.model_validate(raw) if isinstance(raw, dict) else None
    return person if person and person.id is not None else None


def parse_comment(raw: Any, *, client: str = "") -> Comment | None:
    """Read one comment, or return None when it is no record at all; see `parse_approval`."""
    return Comment.model_validate(raw, context=client) if isinstance(raw, dict) else None


def parse_delegation(raw: Any) -> Delegation | None:
    """Read one delegation, or return None when it is no record at all."""
    return Delegation.model_validate(raw) if isinstance(raw, dict) else None


def parse_chain(raw: Any, *, client: str = "") -> Chain | None:
    """Read the approvals of one document, or return None when it has no usable id; see `parse_approval`."""
    try:
        return Chain.model_validate(raw, context=client)
    except ValidationError:
        return None


def current_of(approvals: Iterable[Approval]) -> set[int]:
    """Return the ids whose turn it is among the open approvals of one document that names no current one.

    The turn is with the lowest position, and with whoever is parallel to it. One that is on hold keeps it:
    it can be decided once it is released, and nobody after it before that.
    """
    left = [approval for approval in approvals if approval.is_open]
    if not left:
        return set()
    first = min(left, key=_place)
    group = first.parallel_group_name
    return {
        approval.id
        for approval in left
        if _place(approval) == _place(first) or (group and approval.parallel_group_name == group)
    }


def has_turn(approval: Approval, document: Document, siblings: Iterable[Approval]) -> bool:
    """Tell whether the document waits for this approval now; for an unknown type its open siblings count."""
    if isinstance(document, Unreadable):
        return False
    if document.kind is Kind.OTHER:
        others = [other for other in siblings if other.id != approval.id]
        return approval.id in current_of([approval, *others])
    return document.awaits(approval.id)


def _place(approval: Approval) -> int:
    return approval.position or 0


def _is_before(step: Approval, approval: Approval) -> bool:
    """Tell whether a step of a chain comes before another, or may; not where they are parallel."""
    group = approval.parallel_group_name
    is_beside = group is not None and step.parallel_group_name == group
    return not is_beside and (approval.position is None or _place(step) < _place(approval))


def key_of(supplier: Supplier | None) -> int | str | None:
    """Return what tells one supplier from another."""
    return supplier.id or supplier.name if supplier else None


def version(*, approver_key: str, content: str, generation: int) -> str:
    """Return the name of what one approver is shown: who, which content, which round."""
    return fingerprint(f"{approver_key}|{content}|{generation}")


def fingerprint(text: str) -> str:
    """Return 128 bits of SHA-256 as 22 characters that are safe in URLs and tables."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def stamp(text: str | None) -> datetime | None:
    """Read a time as Coupa writes it, with its offset; None for anything else, see `clock.countable`."""
    try:
        return countable(datetime.fromisoformat(text or ""))
    except ValueError:
        return None


def day_of(text: str | None) -> str | None:
    """Return the day of a date as Coupa wrote it, whose hour and offset mean nothing."""
    return (text or "")[:10] or None


def date_of(text: str | None) -> date | None:
    """Return that day as a date that can be counted from; None for anything else, see `clock.countable`."""
    try:
        day = date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
    return day if MINYEAR < day.year < MAXYEAR else None


def plain(number: Decimal | None) -> str | None:
    """Write equal amounts alike: 983.9 and 983.90."""
    return None if number is None else format(number.normalize(), "f")
