"""Approvals, each one a step of a chain; their actions, and the reasons that bar a decision in chat."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Protocol, Self

from pydantic import BeforeValidator, ValidationError

from coupa_core.model.people import NAMES, Approver, Asker, MaybePerson, Person
from coupa_core.model.values import (
    CoupaRecord,
    Flag,
    Id,
    Integer,
    Lenient,
    MaybeId,
    Name,
    Text,
    fingerprint,
    only_readable,
)
from coupa_core.model.written import Written
from coupa_core.visible import first_seen

APPROVED = "approved"
PENDING = "pending_approval"
"""The only actionable status of an approval, and the status of a document that waits for approvals.

Source: Coupa Core API, Approvals, "status". The full list is not public: any other is closed or unknown.
"""

ON_HOLD = "on_hold"
"""The status of an approval that was put on hold: a guess by the action's name, Coupa does not publish it."""

OPEN = (PENDING, ON_HOLD)
"""The statuses of an approval that nobody has decided yet: it keeps its place in the chain, and its turn."""

DocumentKey = tuple[str, int | None]
"""Type and id of a document, as an approval names them."""

REQUISITION = "RequisitionHeader"
"""The class name by which Coupa calls a requisition in `approvable-type`."""


class DocumentKind(StrEnum):
    """The kind of an approval's document, as far as this version can show it."""

    REQUISITION = "requisition"
    EXPENSE = "expense"
    INVOICE = "invoice"
    ORDER_CHANGE = "order_change"
    CONTRACT = "contract"
    FORM = "form"
    OTHER = "document"


class Naming(Protocol):
    """A record that names a document: an approval, or its row in the ledger."""

    @property
    def document_key(self) -> DocumentKey:
        """Return the key of its document."""
        ...


class Verb(StrEnum):
    """The actions of an approver, by the names of Coupa's actions."""

    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"


DONE_STATUS = {Verb.APPROVE: APPROVED, Verb.REJECT: "rejected", Verb.HOLD: ON_HOLD}
"""The status of an approval after the action."""


class Bar(StrEnum):
    """The reasons why a decider cannot decide in chat."""

    OWN = "own"
    """The decider requested it."""
    ENTERED = "entered"
    """The decider entered or submitted it for somebody else, or for a person whom Coupa does not name."""
    UNNAMED = "unnamed"
    """Coupa does not name the requester, who may be the decider."""
    TOO_GREAT = "too_great"
    """One of its figures is above the limit."""
    UNSTATED = "unstated"
    """One of its figures cannot be compared with the limits."""
    SENSITIVE = "sensitive"
    """A setting keeps the document from chat."""
    SHARED = "shared"
    """The decider's address belongs to another user of Coupa, too."""

    @property
    def is_of_asker(self) -> bool:
        """Tell whether the decider requested or entered it; they are told only where nobody else decides."""
        return self in (Bar.OWN, Bar.ENTERED)


class DelegateApproval(CoupaRecord):
    """A delegate as an approval names one: an approval of its own, with the delegate as its approver.

    Source: Coupa Core API, Approvals, "delegates: array of (delegate) approvals".
    """

    approver: MaybePerson = None


class Approval(Written):
    """One person's or group's step in the approval chain of one document."""

    asked: ClassVar[Sequence[Any]] = (
        *("id", "status", "position", "parallel-group-name", "note", "approval-date"),
        {"approver": [*NAMES, "name"]},
        {"approved-by": ["id", *NAMES]},
    )

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
    delegates: Annotated[tuple[DelegateApproval, ...], BeforeValidator(only_readable)] = ()
    position: Integer = None
    parallel_group_name: Text = None
    holdable: Flag = None
    note: Text = None
    created_at: Text = None
    updated_at: Name = None
    updated_by: MaybePerson = None

    @property
    def author_in_coupa(self) -> Person | None:
        """Return the user whom Coupa recorded as the decider, who is the author of the note."""
        return self.approved_by

    @property
    def text(self) -> str | None:
        """Return the note."""
        return self.note

    @property
    def acting_for(self) -> str:
        """Return the name of the approver, for whom others act."""
        return self.asked_name

    @property
    def is_pending(self) -> bool:
        """Tell whether Coupa still accepts a decision."""
        return self.status == PENDING

    @property
    def is_open(self) -> bool:
        """Tell whether nobody has decided it: it waits or is on hold, and later steps have no turn."""
        return self.status in OPEN

    @property
    def document_key(self) -> DocumentKey:
        """Return the key of its document."""
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
        """Return who decided: the person named in our note, otherwise the user whom Coupa recorded.

        Coupa records our client's user for every decision from chat.
        """
        if self.signed:
            return self.signed.name
        return self.approved_by.name if self.approved_by else ""

    @property
    def decision_words(self) -> str:
        """Return the decider's words, without our mark before them."""
        return self.signed.words if self.signed else self.note or ""

    def wordless(self) -> Self:
        """Return it as a step of a redacted document: who decided it and when, without any words."""
        mark = self.signed.mark if self.signed else None
        return self.model_copy(update={"note": mark, "approver": None})

    @property
    def approver_key(self) -> str | None:
        """Return `user:<id>` or `group:<id>`, or None when Coupa did not say who must decide."""
        number = self.asked_id
        if number is None:
            return None
        return f"{'group' if self.is_for_group else 'user'}:{number}"


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


def version(*, approver_key: str, content: str, generation: int) -> str:
    """Return the name of a version: the approver, the content and the generation."""
    return fingerprint(f"{approver_key}|{content}|{generation}")
