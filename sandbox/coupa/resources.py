"""The resources of Coupa's API: where each kind of record is served, and what opens it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.coupa.attributes import (
    APPROVAL,
    CHAIN,
    CURRENCY,
    DELEGATION,
    EXPENSE_LINE,
    INVOICE_LINE,
    ITEM,
    NAMED,
    ORDER_LINE,
    ORDER_LINE_CHANGE,
    PERIOD,
    REQUISITION_HEADER,
    SEGMENTS,
    SUPPLIER,
    USER,
    USER_GROUP,
    USER_SIMPLE,
    VIOLATION,
    document,
    view,
)
from sandbox.coupa.query import View
from sandbox.coupa.records import REQUISITION


@dataclass(frozen=True)
class Resource:
    """A resource: its XML root, the scope that reads it, and its attributes."""

    root: str
    scope: str | None
    view: View
    kind: str = ""
    """The class name of the documents of this resource."""
    is_shown: bool = True
    """Whether there is a path to one record."""


RESOURCES: Final[dict[str, Resource]] = {
    "approvals": Resource("approval", "core.approval.read", APPROVAL),
    "requisitions": Resource("requisition-header", "core.requisition.read", REQUISITION_HEADER, REQUISITION),
    "users": Resource("user", "core.user.read", USER),
    "user_groups": Resource("user-group", "core.user_group.read", USER_GROUP),
    "delegations": Resource("delegation", None, DELEGATION),
    "invoices": Resource(
        "invoice-header",
        "core.invoice.read",
        document(
            "invoice-number invoice-date document-type gross-total total-with-taxes tax-amount amount-due "
            "net-due-date discount-due-date discount-percent discount-amount internal-note supplier-note "
            "tolerance-failures image-scan image-scan-url image-scan-file-name line-count paid",
            "requested_by",
            parts="attachments approvals",
            currency=CURRENCY,
            supplier=SUPPLIER,
            payment_term=NAMED,
            contract=NAMED,
            invoice_lines=INVOICE_LINE,
        ),
        "InvoiceHeader",
    ),
    "expense_reports": Resource(
        "expense-report",
        "core.expense.read",
        document(
            "title submitted-at total reimbursable-total-amount start-date end-date is-trip audit-score "
            "auditor-note past-due report-due-date report-warnings reject-reason paid payment-channel",
            "submitted_by",
            "expensed_by",
            parts="comments approvals",
            currency=CURRENCY,
            reimbursable_total_currency=CURRENCY,
            expense_policy_violations=VIOLATION,
            expense_violations=VIOLATION,
            expense_lines=EXPENSE_LINE,
        ),
        "ExpenseReport",
    ),
    "contracts": Resource(
        "contract",
        "core.contract.read",
        document(
            "number name contract-type min-commit max-commit minimum-value maximum-value start-date end-date "
            "term-type description no-of-renewals renewal-length-value renewal-length-unit version "
            "termination-notice published-date",
            "contract_owner",
            "submitter",
            currency=CURRENCY,
            supplier=SUPPLIER,
            department=NAMED,
            **CHAIN,
        ),
        "Contract",
    ),
    "purchase_orders": Resource(
        "order-header",
        "core.purchase_order.read",
        document(
            "po-number version exported",
            "requester",
            currency=CURRENCY,
            supplier=SUPPLIER,
            order_lines=ORDER_LINE,
        ),
        "OrderHeader",
    ),
    "purchase_order_changes": Resource(
        "order-header-change",
        "core.purchase_order.read",
        document(
            "po-number order-header-id total supplier-initiated pending-cancel justification lines-count "
            "lines-pending-add-count lines-pending-delete-count version",
            "requester",
            parts="attachments approvals",
            currency=CURRENCY,
            supplier=SUPPLIER,
            department=NAMED,
            order_line_changes=ORDER_LINE_CHANGE,
            **CHAIN,
        ),
        "OrderHeaderChange",
    ),
    "budget_lines": Resource(
        "budget-line",
        "core.budget.read",
        view(
            "id description notes amount remaining pending-requisitions-amount error-on-overrun "
            f"overrun-calculation owner-is-approver created-at updated-at {SEGMENTS}",
            period=PERIOD,
            currency=CURRENCY,
            owner=USER_SIMPLE,
        ),
    ),
    "purchase_order_lines": Resource(
        "order-line",
        "core.purchase_order.read",
        view(
            "id line-num description quantity price total type status order-header-id order-header-number "
            "created-at updated-at",
            currency=CURRENCY,
            supplier=SUPPLIER,
            item=ITEM,
            uom=NAMED,
        ),
    ),
    "supplier_items": Resource(
        "supplier-item",
        "core.catalog.read",
        view(
            "id price savings-pct supplier-part-num created-at updated-at "
            + " ".join(f"price-tier-{number}" for number in range(1, 21)),
            currency=CURRENCY,
            supplier=SUPPLIER,
            item=ITEM,
            contract=NAMED,
        ),
    ),
    "suppliers": Resource(
        "supplier", "core.supplier.read", view("id name number status on-hold buyer-hold created-at")
    ),
    "easy_form_responses": Resource(
        "easy-form-response",
        "core.easy_form_response.read",
        document(
            "name submitted-at easy-form-id",
            "requested_by",
            parts="approvals",
            easy_form_widget_responses=view("id answer widget-label widget-type field-name type"),
            **CHAIN,
        ),
        "EasyFormResponse",
        is_shown=False,
    ),
}
