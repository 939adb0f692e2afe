"""The common interface of the documents that approvals decide; `documents` has the kinds."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    model_validator,
)

from coupa_core.model.approvals import APPROVED, PENDING, Approval, DocumentKind
from coupa_core.model.chain import Step, current_of, is_before, only_approvals, place
from coupa_core.model.lines import (
    Attachment,
    Currency,
    Figure,
    Line,
    MaybeCurrency,
    MaybeNamed,
    MaybeSupplier,
)
from coupa_core.model.people import Asker, Person
from coupa_core.model.values import (
    CoupaRecord,
    Id,
    Integer,
    Lenient,
    Name,
    Number,
    Text,
    hyphenated,
    only_readable,
    stamp,
)
from coupa_core.model.written import Comment


class Document(CoupaRecord):
    """A document to approve, with the fields that all kinds share, whatever Coupa's names for them.

    A document of an unknown type has `type` and `id` only.

    Attributes:
        kind: as far as this version knows the type.
        names_turn: Coupa names the current approvals; otherwise the turn comes from the positions.
        has_requester: it always has a requester; where Coupa names none, the answer is incomplete.
    """

    kind: ClassVar[DocumentKind] = DocumentKind.OTHER
    names_turn: ClassVar[bool] = False
    has_requester: ClassVar[bool] = False
    unasked: ClassVar[frozenset[str]] = frozenset({"type"})

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
    approvals: Annotated[tuple[Approval, ...], BeforeValidator(only_approvals)] = ()
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
        """Tell whether it is redacted: chat may show that it waits, and nothing of its content."""
        return self._is_sensitive

    def redacted(self) -> Self:
        """Return it redacted: with its number, its state, its turn and the ids of its requesters only."""
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
        """Tell whether lines are missing or unreadable, so that their sum is unknown."""
        return self._hides_lines or self.lines_left_out > 0

    @property
    def lines_left_out(self) -> int:
        """Return how many lines are missing by Coupa's own count; 0 without a count.

        Source: Coupa Core API, Requisitions, "line-count: Requisition Header Line Count"; R39 InvoiceHeader.
        """
        return max(0, (self.line_count or 0) - len(self.lines))

    @property
    def terms(self) -> dict[str, Any]:
        """Return the further signed content of this kind, by field; plain values that JSON can hold."""
        return {}

    @property
    def askers(self) -> list[Person]:
        """Return the requester and the submitter, who may not decide on it, unless a setting allows it."""
        return [person for person in (self.requested_by, self.created_by) if person]

    @property
    def answerer(self) -> Person | None:
        """Return the person who answers questions about it: the requester, or else the submitter."""
        return next((each for each in (self.requested_by, self.created_by) if each and each.key), None)

    @property
    def commented_on(self) -> int | None:
        """Return the id of the record that takes comments on it; None where Coupa's API takes none."""
        return None

    @property
    def says_who_asked(self) -> bool:
        """Tell whether its requesters can be recognised: each of them has an id or an address."""
        if self.has_requester and self.requested_by is None:
            return False
        askers = self.askers
        return bool(askers) and all(each.id is not None or each.email for each in askers)

    @property
    def amounts(self) -> dict[str, Decimal | None]:
        """Return its amounts by name; None for an amount that Coupa does not state."""
        return {"total": self.total}

    @property
    def worth(self) -> tuple[Decimal, Currency] | None:
        """Return its amount as one that may be added to those of others; None where there is none."""
        total, currency = self.total, self.currency
        return (total, currency) if total is not None and currency and currency.code else None

    @property
    def figures(self) -> list[Figure]:
        """Return its figures: its own amounts, stated or not, and those of its lines.

        A line without an amount is allowed; a line with an unreadable amount counts as missing.
        """
        own = [Figure(amount, self.currency) for amount in self.amounts.values()]
        lines = [
            Figure(line.worth, self.currency_of(line))
            for line in self.lines
            if line.worth is not None or line.is_unclear
        ]
        return own + lines + ([Figure(None, None)] if self.lacks_lines else [])

    def currency_of(self, line: Line) -> Currency | None:
        """Return the currency of a line: its own, otherwise the document's."""
        return line.currency or self.currency

    @property
    def needed_on(self) -> date | None:
        """Return the day by which the goods are needed; None where it is not given."""
        return None

    @property
    def wanted_by(self) -> tuple[date, ...]:
        """Return the wanted days in their order; empty where Coupa states none."""
        return (self.needed_on,) if self.needed_on else ()

    def wanted_on(self, today: date) -> date | None:
        """Return the next wanted day; the last one when all are past."""
        return next((day for day in self.wanted_by if day >= today), max(self.wanted_by, default=None))

    @property
    def files(self) -> list[str]:
        """Return the names of the attachments of the document and its lines."""
        attached = [*self.attachments, *(each for line in self.lines for each in line.attachments)]
        return [each.name for each in attached]

    @property
    def rejection(self) -> Comment | None:
        """Return the comment with which it was rejected last; None where Coupa names none."""
        return None

    @property
    def approved(self) -> list[Approval]:
        """Return the steps that were approved before, in the order of the chain."""
        return sorted((each for each in self.approvals if each.status == APPROVED), key=place)

    def waits_since(self, approval: Approval) -> datetime | None:
        """Return since when a step that has the turn waits for its approver; None where Coupa does not say.

        It is the last of these times: the document was submitted, the step before was approved, the approval
        was created. The result is never before its turn: it is None for a step that may have an earlier one
        with an unknown time of approval.
        """
        is_shown = any(each.id == approval.id for each in self.approvals)
        if not is_shown and approval.position not in (0, 1):
            return None
        begun = [stamp(each.approval_date) for each in self.approved if is_before(each, approval)]
        if None in begun:
            return None
        known = [at for at in (*begun, stamp(self.submitted_at)) if at]
        made = stamp(approval.created_at)
        return max([*known, *([made] if made else [])]) if known else stamp(approval.updated_at)

    def around(self, approval: Approval) -> tuple[list[Approval], list[Approval]] | None:
        """Return the approvals at the same time as one, and those that come next; some may be on hold.

        None when the document does not show its chain, or not with this approval's turn.
        """
        left = [each for each in self.approvals if each.is_open]
        current = current_of(left)
        if approval.id not in current:
            return None
        beside = [each for each in left if each.id in current and each.id != approval.id]
        later = [each for each in left if each.id not in current]
        following = current_of(later)
        return beside, [each for each in later if each.id in following]

    @property
    def needs_siblings(self) -> bool:
        """Tell whether only the other open approvals of the document say whose turn it is."""
        return self.kind is DocumentKind.OTHER

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
        """Tell whether the document hides if it is this approval's turn: it names no step, or no status."""
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
"""The fields that stay in a redacted document; the link contains the order's number."""
