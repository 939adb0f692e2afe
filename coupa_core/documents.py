"""The kinds of documents: what Coupa calls the fields of each, and where they are read with which scope.

It adds to the common face in `model` only what an approver of that kind needs. No I/O.

Sources: the Core API's pages on Requisitions, Expense Reports, Expense Lines, Expense Violation, Invoices,
Invoice Line, Purchase Order Change, Purchase Order Line Change, Contracts and Easy Form Responses, under
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api/resources
and the release 39 schemas (R39_Purchasing_API.json, R39_Invoicing_API.json, R39_Expense_Reporting_API.json).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, ValidationError

from coupa_core.facts import FACT_RESOURCES, Fact, RequestLine
from coupa_core.model import (
    REQUISITION,
    Asker,
    Attachment,
    Comment,
    CoupaRecord,
    Currency,
    Document,
    DocumentKind,
    Flag,
    Integer,
    Lenient,
    Line,
    MaybeAgreement,
    MaybeId,
    MaybeNamed,
    MaybePerson,
    Number,
    Person,
    Text,
    date_of,
    day_of,
    decimal_text,
    only_readable,
    stamp,
)


class Readable(Document):
    """A document whose content can be read.

    Attributes:
        resource: its name in URLs.
        scope: the OAuth scope that reads it. Source: Coupa's list of scopes, as copied in
            https://github.com/rossumai/university, docs/learn/coupa/oauth-scopes.md
        comments_at: the resource whose records take comments on it; empty where Coupa's API has none.
            Source: "Comments API", .../resources/shared-resources/comments-api
        comments_as: the `commentable-type` by which its comments are listed, where they do not come with it.
    """

    resource: ClassVar[str]
    scope: ClassVar[str]
    comments_at: ClassVar[str] = ""
    comments_as: ClassVar[str] = ""

    @property
    def commented_on(self) -> int | None:
        """Return the id of the record that takes comments on it; None where Coupa's API takes none."""
        return self.id if self.comments_at else None


# ---------------------------------------------------------------------- requisitions


class RequisitionLine(RequestLine):
    """A line of a requisition, with the source of the item."""

    source_type: Text = None

    @property
    def is_off_catalogue(self) -> bool:
        """Tell whether somebody described it in their own words, instead of finding it in a catalogue.

        Source: Coupa Core API, Requisition Line, "source-type: Non-Catalog Request, Form".
        """
        return (self.source_type or "").strip().casefold() == "non-catalog request"


class Requisition(Readable):
    """A purchase requisition."""

    kind: ClassVar[DocumentKind] = DocumentKind.REQUISITION
    names_turn: ClassVar[bool] = True
    has_requester: ClassVar[bool] = True
    resource: ClassVar[str] = "requisitions"
    comments_at: ClassVar[str] = "requisitions"
    scope: ClassVar[str] = "core.requisition.read"

    title: Annotated[Text, Field(alias="req-title")] = None
    lines: Annotated[
        tuple[RequisitionLine, ...], BeforeValidator(only_readable), Field(alias="requisition-lines")
    ] = ()
    need_by_date: Text = None
    reject_reason_comment: Text = None

    @property
    def rejection(self) -> Comment | None:
        """Return the newest comment that says what Coupa has as the last reason of a rejection.

        That reason alone has no time, and outlives the next submission. The chain may not list the step that
        was rejected.
        Source: "Requisitions API", `reject-reason-comment`: "last reject reason comment".
        """
        reason = (self.reject_reason_comment or "").strip()
        same = [each for each in self.comments if reason and (each.comments or "").strip() == reason]
        dated = [(at, number, each) for number, each in enumerate(same) if (at := stamp(each.created_at))]
        return max(dated)[2] if dated else None

    @property
    def terms(self) -> dict[str, Any]:
        """Return when it is needed."""
        return {"need_by": day_of(self.need_by_date)}

    @property
    def needed_on(self) -> date | None:
        """Return the calendar day as Coupa wrote it: a date entered there is midnight in its zone."""
        return date_of(self.need_by_date)


# ---------------------------------------------------------------------- expense reports


class Receipt(Attachment):
    """An artifact, as Coupa calls the file at an expense line."""

    file: Annotated[Text, Field(alias="image-file-name")] = None
    source_file_name: Text = None

    @property
    def name(self) -> str:
        """Return the name that the file came with."""
        return self.source_file_name or self.file or ""


class ExpenseLine(Line):
    """One expense: an amount, without quantity or price."""

    line_num: Annotated[Text, Field(alias="line-number")] = None
    total: Annotated[Number, Field(alias="amount")] = None
    attachments: Annotated[
        tuple[Receipt, ...], BeforeValidator(only_readable), Field(alias="expense-artifacts")
    ] = ()
    merchant: Text = None
    expense_category: MaybeNamed = None
    expense_date: Text = None
    over_limit: Flag = None
    requires_receipt: Flag = None

    @property
    def terms(self) -> tuple[str | bool | None, ...]:
        """Return merchant, category and day, and whether it is over a limit of the policy."""
        category = self.expense_category.name if self.expense_category else None
        return (self.merchant, category, day_of(self.expense_date), self.over_limit is True)

    @property
    def lacks_receipt(self) -> bool:
        """Tell whether a receipt is demanded and none is there."""
        return self.requires_receipt is True and not self.attachments


class Violation(CoupaRecord):
    """One breach of the expense policy.

    Source: Coupa Core API, Expense Violation; R39 ExpensePolicyViolation has the same fields.
    """

    id: MaybeId = None
    limit_exceeded: Number = None
    receipt_missing: Flag = None


Violations = Annotated[tuple[Violation, ...], BeforeValidator(only_readable)]


class ExpenseReport(Readable):
    """An expense report: money that an employee spent and claims.

    It has no wanted day: `report-due-date` is the day before which the report "needs to be submitted", and a
    report that waits for a decision was submitted. Source: Coupa Core API, Expense Reports.

    Attributes:
        requested_by: the person who spent the money; others may have entered and submitted the report.
            Source: R39 ExpenseReport, "expensed-by", "created-by", "submitted-by".
    """

    kind: ClassVar[DocumentKind] = DocumentKind.EXPENSE
    has_requester: ClassVar[bool] = True
    resource: ClassVar[str] = "expense_reports"
    comments_at: ClassVar[str] = "expense_reports"
    scope: ClassVar[str] = "core.expense.read"

    requested_by: Annotated[Asker, Field(alias="expensed-by")] = None
    submitted_by: Asker = None
    lines: Annotated[
        tuple[ExpenseLine, ...], BeforeValidator(only_readable), Field(alias="expense-lines")
    ] = ()
    start_date: Text = None
    end_date: Text = None
    audit_score: Integer = None
    auditor_note: Text = None
    expense_policy_violations: Violations = ()
    expense_violations: Violations = ()

    @property
    def askers(self) -> list[Person]:
        """Return whose expenses they are, who entered them, and who sent them in."""
        return [*super().askers, *([self.submitted_by] if self.submitted_by else [])]

    @property
    def terms(self) -> dict[str, Any]:
        """Return the period, and what breaches the policy."""
        violations = (*self.expense_policy_violations, *self.expense_violations)
        return {
            "period": [day_of(self.start_date), day_of(self.end_date)],
            "violations": sorted(
                f"{decimal_text(each.limit_exceeded)} {each.receipt_missing is True}" for each in violations
            ),
        }


# ---------------------------------------------------------------------- invoices


class InvoiceLine(Line):
    """A line of an invoice, with its order."""

    unit_price: Annotated[Number, Field(alias="price")] = None
    po_number: Text = None

    @property
    def terms(self) -> tuple[str | bool | None, ...]:
        """Return the order that it is charged to."""
        return (self.po_number,)


class PaymentTerm(CoupaRecord):
    """When to pay, by its code."""

    code: Text = None


class Invoice(Readable):
    """An invoice, or a credit note."""

    kind: ClassVar[DocumentKind] = DocumentKind.INVOICE
    resource: ClassVar[str] = "invoices"
    comments_at: ClassVar[str] = "invoices"
    comments_as: ClassVar[str] = "InvoiceHeader"
    scope: ClassVar[str] = "core.invoice.read"

    title: Annotated[Text, Field(alias="invoice-number")] = None
    total: Annotated[Number, Field(alias="total-with-taxes")] = None
    justification: Annotated[Text, Field(alias="internal-note")] = None
    lines: Annotated[
        tuple[InvoiceLine, ...], BeforeValidator(only_readable), Field(alias="invoice-lines")
    ] = ()
    document_type: Text = None
    invoice_date: Text = None
    net_due_date: Text = None
    discount_due_date: Text = None
    discount_percent: Number = None
    payment_term: Annotated[PaymentTerm | None, Lenient] = None
    tolerance_failures: Text = None
    image_scan: Text = None
    contract: MaybeAgreement = None

    @property
    def answerer(self) -> Person | None:
        """Return the requester: whoever entered an invoice may be a supplier, or a machine."""
        return self.requested_by if self.requested_by and self.requested_by.key else None

    @property
    def is_credit_note(self) -> bool:
        """Tell whether the supplier pays back; Coupa writes `Invoice` or `Credit Note`."""
        return "credit" in (self.document_type or "").casefold()

    @property
    def worth(self) -> tuple[Decimal, Currency] | None:
        """Return what it comes to; of a credit note nobody says whether Coupa writes it below zero."""
        return None if self.is_credit_note else super().worth

    @property
    def wanted_by(self) -> tuple[date, ...]:
        """Return the day until which paying early is rewarded, and the day on which it is due.

        Source: Coupa Core API, Invoices: "calculated based on the discount" and on the "net payment terms".
        """
        days = (date_of(self.discount_due_date), date_of(self.net_due_date))
        return tuple(sorted({day for day in days if day}))

    @property
    def orders(self) -> list[str]:
        """Return the numbers of the orders that the lines name, each once."""
        return list(dict.fromkeys(line.po_number for line in self.lines if line.po_number))

    @property
    def files(self) -> list[str]:
        """Return the names of the attachments, and of the scan first."""
        scan = [Attachment(file=self.image_scan).name] if self.image_scan else []
        return [*scan, *super().files]

    @property
    def terms(self) -> dict[str, Any]:
        """Return what form it has, its dates, and what Coupa's tolerances say."""
        return {
            "form": self.document_type,
            "invoice_date": day_of(self.invoice_date),
            "due": [day_of(self.net_due_date), self.payment_term.code if self.payment_term else None],
            "discount": [day_of(self.discount_due_date), decimal_text(self.discount_percent)],
            "tolerance": self.tolerance_failures or None,
        }


# ---------------------------------------------------------------------- purchase order changes


class OrderLineChange(Line):
    """A line of the order as it is to become."""

    unit_price: Annotated[Number, Field(alias="price")] = None
    pending_delete: Flag = None

    @property
    def terms(self) -> tuple[str | bool | None, ...]:
        """Return whether the line is to go."""
        return (self.pending_delete is True,)


class OrderChange(Readable):
    """A change of an order that was issued; comments stand on the order.

    Attributes:
        old_total: of the order as it is; None when the order cannot be read or summed up.
    """

    kind: ClassVar[DocumentKind] = DocumentKind.ORDER_CHANGE
    names_turn: ClassVar[bool] = True
    resource: ClassVar[str] = "purchase_order_changes"
    comments_at: ClassVar[str] = "purchase_orders"
    comments_as: ClassVar[str] = "OrderHeader"
    scope: ClassVar[str] = "core.purchase_order.read"

    title: Annotated[Text, Field(alias="po-number")] = None
    requested_by: Annotated[Asker, Field(alias="requester")] = None
    lines: Annotated[
        tuple[OrderLineChange, ...], BeforeValidator(only_readable), Field(alias="order-line-changes")
    ] = ()
    order_header_id: MaybeId = None
    supplier_initiated: Flag = None
    pending_cancel: Flag = None
    old_total: Number = None

    @property
    def commented_on(self) -> int | None:
        """Return the id of the order; None where Coupa does not name it."""
        return self.order_header_id

    @property
    def amounts(self) -> dict[str, Decimal | None]:
        """Return what the order comes to now, and after the change."""
        return {"old_total": self.old_total, "total": self.total}

    @property
    def worth(self) -> None:
        """Return nothing: what the order comes to is not what the change is, and counts again with each."""
        return None

    @property
    def terms(self) -> dict[str, Any]:
        """Return whether the order is to be cancelled, and whether the supplier wants the change."""
        return {"cancels": self.pending_cancel is True, "started_by": self.supplier_initiated is True}


def _whole(lines: Any) -> Any:
    """Take a list of objects, and none at all where one of them cannot be read: half a sum is none."""
    return lines if lines == only_readable(lines) else []


class Order(CoupaRecord):
    """An issued order, as far as its total goes: Coupa's page on orders shows totals of lines only."""

    id: MaybeId = None
    order_lines: Annotated[tuple[Line, ...], BeforeValidator(_whole)] = ()

    def total_in(self, currency: Currency | None) -> Decimal | None:
        """Return the sum of the lines; None when there are none, or one has no total in this currency."""
        known = [
            line.total
            for line in self.order_lines
            if line.total is not None
            and not line.is_unclear
            and (line.currency is None or (currency is not None and line.currency.code == currency.code))
        ]
        return sum(known, Decimal(0)) if known and len(known) == len(self.order_lines) else None


# ---------------------------------------------------------------------- contracts and forms


class Contract(Readable):
    """An agreement with a supplier. Coupa's resource has neither the chain nor comments nor attachments."""

    kind: ClassVar[DocumentKind] = DocumentKind.CONTRACT
    names_turn: ClassVar[bool] = True
    resource: ClassVar[str] = "contracts"
    scope: ClassVar[str] = "core.contract.read"

    title: Annotated[Text, Field(alias="name")] = None
    total: Annotated[Number, Field(alias="maximum-value")] = None
    requested_by: Annotated[Asker, Field(alias="submitter")] = None
    justification: Annotated[Text, Field(alias="description")] = None
    number: Text = None
    contract_owner: MaybePerson = None
    minimum_value: Number = None
    min_commit: Number = None
    max_commit: Number = None
    start_date: Text = None
    end_date: Text = None
    term_type: Text = None
    no_of_renewals: Integer = None
    renewal_length_value: Integer = None
    renewal_length_unit: Text = None

    @property
    def amounts(self) -> dict[str, Decimal | None]:
        """Return the ranges of value and commitment; Coupa has 0.00 where a contract states none."""
        each = (self.minimum_value, self.total, self.min_commit, self.max_commit)
        names = ("minimum_value", "maximum_value", "min_commit", "max_commit")
        return dict(zip(names, (amount or None for amount in each), strict=True))

    @property
    def worth(self) -> tuple[Decimal, Currency] | None:
        """Return its value; None where that is a range, or only bounded."""
        return super().worth if self.total and self.total == self.minimum_value else None

    @property
    def terms(self) -> dict[str, Any]:
        """Return what is agreed."""
        owner = self.contract_owner
        return {
            "number": self.number,
            "period": [day_of(self.start_date), day_of(self.end_date)],
            "term": self.term_type,
            "renewal": [self.no_of_renewals, self.renewal_length_value, self.renewal_length_unit],
            "owner": owner.id or owner.name if owner else None,
        }


class Form(Readable):
    """The answers to a form, of which only the name is read: they may hold bank accounts and the like."""

    kind: ClassVar[DocumentKind] = DocumentKind.FORM
    names_turn: ClassVar[bool] = True
    resource: ClassVar[str] = "easy_form_responses"
    scope: ClassVar[str] = "core.easy_form_response.read"

    title: Annotated[Text, Field(alias="name")] = None


# ---------------------------------------------------------------------- by type

READABLE: dict[str, type[Readable]] = {
    REQUISITION: Requisition,
    "ExpenseReport": ExpenseReport,
    "InvoiceHeader": Invoice,
    "OrderHeaderChange": OrderChange,
    "Contract": Contract,
    "EasyFormResponse": Form,
}
"""The types whose content can be read, by Coupa's class name."""


COMMENT_SCOPE = "core.comment.write"
ANSWER_SCOPE = "core.comment.read"
"""Reads the comments that do not come with their documents: of invoices, and of orders."""

SCOPES = {
    ("GET", "approvals"): "core.approval.read",
    ("PUT", "approvals"): "core.approval.write",
    ("GET", "users"): "core.user.read",
    ("GET", "user_groups"): "core.user_group.read",
    ("POST", "comments"): COMMENT_SCOPE,
    ("GET", "budget_lines"): "core.budget.read",
    ("GET", "purchase_order_lines"): "core.purchase_order.read",
    ("GET", "supplier_items"): "core.catalog.read",
    ("GET", "suppliers"): "core.supplier.read",
    ("GET", "comments"): ANSWER_SCOPE,
    **{("GET", each.resource): each.scope for each in READABLE.values()},
}
"""Which scope lets our client do what, by method and resource: the only home of that.

Source: https://github.com/rossumai/university, docs/learn/coupa/oauth-scopes.md
"""

LEAST_SCOPES = (
    "core.approval.read core.approval.write core.requisition.read core.user.read core.user_group.read"
)
"""The scopes of Moveworks' own Coupa approvals, and nothing more.

Source: https://help.moveworks.com/docs/coupa-approvals-access-requirements
"""


def required_scopes(types: Iterable[str], *, comments: bool = False, facts: Iterable[Fact] = ()) -> list[str]:
    """Return the scopes that a deployment needs, each once.

    Args:
        types: of the setting.
        comments: approvers may ask by a comment.
        facts: that are shown on cards.
    """
    reading = [READABLE[name].scope for name in enabled(types)]
    switched = switched_scopes(types, comments=comments, facts=facts)
    return list(dict.fromkeys([*LEAST_SCOPES.split(), *reading, *switched]))


def switched_scopes(types: Iterable[str], *, comments: bool, facts: Iterable[Fact]) -> list[str]:
    """Return the scopes that are needed for what is switched on, beside those that read and decide."""
    asking = comment_scopes(types) if comments else []
    return [*asking, *(SCOPES["GET", FACT_RESOURCES[fact]] for fact in facts)]


def comment_scopes(types: Iterable[str]) -> list[str]:
    """Return the scopes by which approvers ask, and hear the answers, about documents of these types."""
    is_beside = any(READABLE[name].comments_as for name in enabled(types))
    return [COMMENT_SCOPE, *([ANSWER_SCOPE] if is_beside else [])]


def enabled(types: Iterable[str]) -> list[str]:
    """Return the readable types among those of the setting, in which `*` stands for all."""
    chosen = set(types)
    return [name for name in READABLE if name in chosen or "*" in chosen]


def kind_of(type_name: str) -> DocumentKind:
    """Return the kind of a type."""
    return READABLE[type_name].kind if type_name in READABLE else DocumentKind.OTHER


def parse_document(type_name: str, raw: Any, *, client: str = "") -> Document | None:
    """Read one document of a type, or return None when it has no usable id.

    Args:
        type_name: Coupa's class name.
        raw: as Coupa gave it.
        client: the login of our client's user in Coupa; empty where it is not known.
    """
    if isinstance(raw, dict):
        raw = raw | {"approvable-type": type_name}
    try:
        return READABLE.get(type_name, Document).model_validate(raw, context=client)
    except ValidationError:
        return None
