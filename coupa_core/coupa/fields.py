"""What is asked of each kind of document: documented attributes only, since Coupa may refuse the others.

Sources: see `coupa_core.documents`. Not asked for: the answers to forms, which may be anybody's secrets; the
comments of invoices, which the schema has as one text; attachments of contracts, which are none of its.
"""

from __future__ import annotations

from typing import Any

from coupa_core.model import Kind

_PERSON = ["id", "login", "email", "firstname", "lastname", "fullname"]
_NAMES = ["login", "firstname", "lastname", "fullname"]
_CURRENCY = {"currency": ["code", "decimals"]}
_SUPPLIER = {"supplier": ["id", "name"]}
_FILES = {"attachments": ["id", "file", "url"]}
_COMMENTS = {"comments": ["id", "comments", "created-at", {"created-by": ["id", *_NAMES]}]}
_CHAIN = {
    "approvals": [
        "id",
        "status",
        "position",
        "parallel-group-name",
        "note",
        "approval-date",
        {"approver": [*_NAMES, "name"]},
        {"approved-by": ["id", *_NAMES]},
    ]
}
_TURN: list[Any] = [{"current-approval": ["id"]}, {"current-parallel-approvals": ["id"]}]
_COMMON: list[Any] = ["id", "status", "updated-at", _CURRENCY, {"created-by": _PERSON}]
_LINE: list[Any] = ["id", "line-num", "description", "quantity", "total", _CURRENCY, {"uom": ["code"]}]

DOCUMENT_FIELDS: dict[Kind, list[Any]] = {
    Kind.REQUISITION: [
        *_COMMON,
        "req-title",
        "justification",
        "total",
        "need-by-date",
        "submitted-at",
        "reject-reason-comment",
        {"requested-by": _PERSON},
        {"department": ["name"]},
        {"requisition-lines": [*_LINE, "unit-price", _SUPPLIER, _FILES]},
        _FILES,
        _COMMENTS,
        _CHAIN,
        *_TURN,
    ],
    Kind.EXPENSE: [
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
        {"expense-policy-violations": ["id", "limit-exceeded", "receipt-missing"]},
        {"expense-violations": ["id", "limit-exceeded", "receipt-missing"]},
        {
            "expense-lines": [
                "id",
                "line-number",
                "description",
                "amount",
                "merchant",
                "expense-date",
                "over-limit",
                "requires-receipt",
                _CURRENCY,
                {"expense-category": ["name"]},
                {"expense-artifacts": ["id", "image-file-name", "source-file-name"]},
            ]
        },
        _COMMENTS,
        _CHAIN,
    ],
    Kind.INVOICE: [
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
        {"payment-term": ["code"]},
        _SUPPLIER,
        {"requested-by": _PERSON},
        {"invoice-lines": [*_LINE, "price", "po-number"]},
        _FILES,
        _CHAIN,
    ],
    Kind.ORDER_CHANGE: [
        *_COMMON,
        "po-number",
        "order-header-id",
        "total",
        "supplier-initiated",
        "pending-cancel",
        "justification",
        _SUPPLIER,
        {"requester": _PERSON},
        {"order-line-changes": [*_LINE, "price", "pending-delete", _SUPPLIER, _FILES]},
        _FILES,
        _CHAIN,
        *_TURN,
    ],
    Kind.CONTRACT: [
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
    Kind.FORM: [
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
ORDER_FIELDS: list[Any] = ["id", {"order-lines": ["total", _CURRENCY]}]
