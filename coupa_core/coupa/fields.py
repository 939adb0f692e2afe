"""The fields to read of each kind of document: documented attributes only, since Coupa may refuse others.

Sources: see `coupa_core.documents`. Not asked for: the answers to forms, which may be anybody's secrets; the
comments of invoices, which the schema has as one text; attachments of contracts, which are none of its.

Collections are spelt with underscores, as Coupa and Moveworks publish them (`{"invoice_lines": [...]}`):
whether Coupa gives anything for a hyphenated one is not published. All others keep their hyphens.
Source: "API Return Formats", .../the-coupa-core-api/get-started-with-the-api/api-return-formats, and the
installable plugins under https://github.com/moveworks/developer-docs
"""

from __future__ import annotations

from typing import Any

from coupa_core.model import DocumentKind

_PERSON = ["id", "login", "email", "firstname", "lastname", "fullname"]
_NAMES = ["login", "firstname", "lastname", "fullname"]
_CURRENCY = {"currency": ["code", "decimals"]}
_SUPPLIER = {"supplier": ["id", "name"]}
_FILES = {"attachments": ["id", "file", "url"]}
COMMENT_FIELDS: list[Any] = ["id", "comments", "created-at", {"created-by": ["id", *_NAMES]}]
COMMENTS = {"comments": COMMENT_FIELDS}
_ASKED = {"approver": [*_NAMES, "name"]}
_CHAIN = {
    "approvals": [
        "id",
        "status",
        "position",
        "parallel-group-name",
        "note",
        "approval-date",
        _ASKED,
        {"approved-by": ["id", *_NAMES]},
    ]
}
_TURN: list[Any] = [{"current-approval": ["id"]}, {"current_parallel_approvals": ["id"]}]
_COMMON: list[Any] = ["id", "status", "updated-at", _CURRENCY, {"created-by": _PERSON}]
_LINE: list[Any] = ["id", "line-num", "description", "quantity", "total", _CURRENCY, {"uom": ["code"]}]

_CODING: list[Any] = [
    {"account": ["id", "name", "code"]},
    {"account_allocations": [{"account": ["id", "name", "code"]}]},
]
_BUYING: list[Any] = [*_CODING, {"commodity": ["name"]}, {"contract": ["id"]}]
"""The accounts of lines, and their commodities and contracts.

Sources: Requisition Line, Requisition Amount Line, Req Line Allocation, Invoice Line, Expense Lines, and
Purchase Order Line Change.
"""

DOCUMENT_FIELDS: dict[DocumentKind, list[Any]] = {
    DocumentKind.REQUISITION: [
        *_COMMON,
        "req-title",
        "justification",
        "total",
        "need-by-date",
        "submitted-at",
        "line-count",
        "reject-reason-comment",
        {"requested-by": _PERSON},
        {"department": ["name"]},
        {"requisition_lines": [*_LINE, "unit-price", "source-type", _SUPPLIER, _FILES, *_BUYING]},
        _FILES,
        COMMENTS,
        _CHAIN,
        *_TURN,
    ],
    DocumentKind.EXPENSE: [
        *_COMMON,
        "title",
        "total",
        "start-date",
        "end-date",
        "submitted-at",
        "audit-score",
        "auditor-note",
        {"expensed-by": _PERSON},
        {"submitted-by": _PERSON},
        {"expense_policy_violations": ["id", "limit-exceeded", "receipt-missing"]},
        {"expense_violations": ["id", "limit-exceeded", "receipt-missing"]},
        {
            "expense_lines": [
                "id",
                "line-number",
                "description",
                "amount",
                "merchant",
                "expense-date",
                "over-limit",
                "requires-receipt",
                _CURRENCY,
                *_CODING,
                {"expense-category": ["name"]},
                {"expense_artifacts": ["id", "image-file-name", "source-file-name"]},
            ]
        },
        COMMENTS,
        _CHAIN,
    ],
    DocumentKind.INVOICE: [
        *_COMMON,
        "invoice-number",
        "invoice-date",
        "document-type",
        "total-with-taxes",
        "net-due-date",
        "discount-due-date",
        "discount-percent",
        "tolerance-failures",
        "internal-note",
        "image-scan",
        "line-count",
        {"payment-term": ["code"]},
        _SUPPLIER,
        {"requested-by": _PERSON},
        {"contract": ["id"]},
        {"invoice_lines": [*_LINE, "price", "po-number", *_BUYING]},
        _FILES,
        _CHAIN,
    ],
    DocumentKind.ORDER_CHANGE: [
        *_COMMON,
        "po-number",
        "order-header-id",
        "total",
        "supplier-initiated",
        "pending-cancel",
        "justification",
        _SUPPLIER,
        {"requester": _PERSON},
        {
            "order_line_changes": [
                *_LINE,
                "price",
                "pending-delete",
                _SUPPLIER,
                _FILES,
                *_BUYING,
                {"department": ["name"]},
            ]
        },
        _FILES,
        _CHAIN,
        *_TURN,
    ],
    DocumentKind.CONTRACT: [
        *_COMMON,
        "name",
        "number",
        "description",
        "minimum-value",
        "maximum-value",
        "min-commit",
        "max-commit",
        "start-date",
        "end-date",
        "term-type",
        "no-of-renewals",
        "renewal-length-value",
        "renewal-length-unit",
        _SUPPLIER,
        {"contract-owner": _PERSON},
        {"submitter": _PERSON},
        {"department": ["name"]},
        *_TURN,
    ],
    DocumentKind.FORM: [
        "id",
        "status",
        "name",
        "submitted-at",
        "updated-at",
        {"requested-by": _PERSON},
        {"created-by": _PERSON},
        _CHAIN,
        *_TURN,
    ],
}
ORDER_FIELDS: list[Any] = ["id", {"order_lines": ["total", _CURRENCY]}]
