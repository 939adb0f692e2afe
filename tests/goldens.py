"""One approval, and one document of each kind, as Coupa returns them, with every field that we read."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any

from coupa_core.authority import Capacity, Decider, Right
from coupa_core.documents import parse_document
from coupa_core.model import REQUISITION, Approval, Bar, Document, Verb, parse_approval
from coupa_core.notice import ApprovalRequest, Style, compose

PERSON: dict[str, Any] = {
    "id": 42,
    "login": "jamie",
    "email": "jamie@acme.test",
    "firstname": "Jamie",
    "lastname": "Lee",
    "fullname": "Jamie Lee",
    "active": True,
    "default-locale": "en",
}
APPROVAL: dict[str, Any] = {
    "id": 853,
    "status": "pending_approval",
    "approvable-type": "RequisitionHeader",
    "approvable-id": 14170,
    "approver": {**PERSON, "name": "Buyers", "users": [{**PERSON, "id": 1}]},
    "approver-id": 42,
    "approver-type": "User",
    "type": "ApprovalChainApproval",
    "approved-by": {**PERSON},
    "approval-date": "2026-11-23T09:00:00-08:00",
    "delegate": {**PERSON},
    "delegates": [{"id": 9, "approver": {**PERSON}}],
    "position": 2,
    "parallel-group-name": "IT",
    "holdable": False,
    "note": "please",
    "updated-by": {**PERSON},
    "created-at": "2026-11-22T09:00:00-08:00",
    "updated-at": "2026-11-23T09:00:00-08:00",
}
ASKER: dict[str, Any] = {key: PERSON[key] for key in PERSON if key not in ("active", "default-locale")}
NAMES: dict[str, Any] = {key: PERSON[key] for key in ("login", "firstname", "lastname", "fullname")}
MONEY: dict[str, Any] = {"code": "USD", "decimals": 2}
CHAIN: list[dict[str, Any]] = [
    {
        "id": 852,
        "status": "approved",
        "position": 1,
        "parallel-group-name": "IT",
        "note": "Within the plan.",
        "approval-date": "2026-11-22T10:00:00-08:00",
        "approver": {**NAMES, "fullname": "Robin Hale", "name": "Buyers"},
        "approved-by": {**NAMES, "id": 41, "fullname": "Robin Hale"},
    },
    {
        "id": 853,
        "status": "pending_approval",
        "position": 2,
        "parallel-group-name": "CFO",
        "note": "",
        "approval-date": "",
        "approver": {**NAMES, "name": "Buyers"},
        "approved-by": {**NAMES, "id": 42},
    },
]
COMMENTS: list[dict[str, Any]] = [
    {
        "id": 1,
        "comments": "ok",
        "created-at": "2026-11-23T08:00:00-08:00",
        "created-by": {**NAMES, "id": 42},
    }
]
FILES: list[dict[str, Any]] = [
    {"id": 5, "file": "https://files.test/original/offer.pdf", "url": "https://acme.test"}
]
ACCOUNT: dict[str, Any] = {"id": 31, "name": "IT hardware", "code": "6400-IT"}
CODING: dict[str, Any] = {"account": ACCOUNT, "account-allocations": [{"account": ACCOUNT}]}
BUYING: dict[str, Any] = {**CODING, "commodity": {"name": "Hardware"}, "contract": {"id": 8}}
SUPPLIER: dict[str, Any] = {"id": 3, "name": "Apple"}
TURN: dict[str, Any] = {"current-approval": {"id": 853}, "current-parallel-approvals": [{"id": 854}]}
COMMON: dict[str, Any] = {
    "id": 14170,
    "status": "pending_approval",
    "updated-at": "2026-11-23T09:00:00-08:00",
    "created-by": {**ASKER, "id": 43},
}

REQUEST: dict[str, Any] = {
    **COMMON,
    "currency": MONEY,
    "req-title": "Laptops",
    "justification": "New hires",
    "total": "14060.41",
    "need-by-date": "2026-12-01T00:00:00-08:00",
    "submitted-at": "2026-11-22T09:00:00-08:00",
    "line-count": 1,
    "reject-reason-comment": "Two are enough.",
    "requested-by": {**ASKER},
    "department": {"name": "IT"},
    "requisition-lines": [
        {
            "id": 7,
            "line-num": "1",
            "description": "MacBook Pro",
            "quantity": "10",
            "unit-price": "1406.041",
            "total": "14060.41",
            "currency": MONEY,
            "supplier": SUPPLIER,
            "uom": {"code": "EA"},
            "attachments": [{"id": 6, "file": "https://files.test/original/specs.docx", "url": "x"}],
            "source-type": "Non-Catalog Request",
            **BUYING,
        }
    ],
    "attachments": FILES,
    "comments": COMMENTS,
    "approvals": CHAIN,
    **TURN,
}
EXPENSE: dict[str, Any] = {
    **COMMON,
    "currency": MONEY,
    "title": "Sales fair in Lyon",
    "total": "1240.50",
    "start-date": "2026-11-03",
    "end-date": "2026-11-05",
    "submitted-at": "2026-11-22T09:00:00-08:00",
    "audit-score": 26,
    "auditor-note": "Second report this month",
    "expensed-by": {**ASKER},
    "submitted-by": {**ASKER, "id": 44, "login": "kim", "email": "kim@acme.test"},
    "expense-policy-violations": [{"id": 1, "limit-exceeded": "80.00", "receipt-missing": False}],
    "expense-violations": [{"id": 2, "limit-exceeded": "0.00", "receipt-missing": True}],
    "expense-lines": [
        {
            "id": 546,
            "line-number": "1",
            "description": "Two nights",
            "amount": "980.00",
            "merchant": "Hotel des Arts",
            "expense-date": "2026-11-03T00:00:00-08:00",
            "over-limit": True,
            "requires-receipt": True,
            "currency": MONEY,
            "expense-category": {"name": "Lodging"},
            **CODING,
            "expense-artifacts": [{"id": 9, "image-file-name": "IMG_1.jpg", "source-file-name": "hotel.pdf"}],
        },
    ],
    "comments": COMMENTS,
    "approvals": CHAIN,
}
INVOICE: dict[str, Any] = {
    **COMMON,
    "currency": MONEY,
    "invoice-number": "INV-2026-118",
    "invoice-date": "2026-11-20",
    "document-type": "Invoice",
    "total-with-taxes": "11900.00",
    "net-due-date": "2026-12-20T00:00:00-08:00",
    "discount-due-date": "2026-12-01T00:00:00-08:00",
    "discount-percent": 2.5,
    "tolerance-failures": "Price of line 1 is 12% above the order",
    "internal-note": "Called the supplier",
    "image-scan": "scan-118.pdf",
    "line-count": 1,
    "contract": {"id": 8},
    "payment-term": {"code": "Net 30"},
    "supplier": {"id": 4, "name": "Hale & Sons"},
    "requested-by": {**ASKER},
    "invoice-lines": [
        {
            "id": 71,
            "line-num": "1",
            "description": "Office chairs",
            "quantity": "20.0",
            "price": "500.00",
            "total": "10000.00",
            "po-number": "4500012",
            "currency": MONEY,
            "uom": {"code": "EA"},
            **BUYING,
        }
    ],
    "attachments": FILES,
    "approvals": CHAIN,
}
ORDER_CHANGE: dict[str, Any] = {
    **COMMON,
    "currency": MONEY,
    "po-number": "4500012",
    "order-header-id": 2079,
    "total": "120.00",
    "supplier-initiated": True,
    "pending-cancel": True,
    "justification": "Steel has become dearer",
    "supplier": {"id": 4, "name": "Hale & Sons"},
    "requester": {**ASKER},
    "order-line-changes": [
        {
            "id": 81,
            "line-num": "1",
            "description": "Shelf",
            "quantity": "4",
            "price": "30.00",
            "total": "120.00",
            "pending-delete": True,
            "currency": MONEY,
            "supplier": SUPPLIER,
            "uom": {"code": "EA"},
            "attachments": FILES,
            "department": {"name": "Facilities"},
            **BUYING,
        }
    ],
    "attachments": FILES,
    "approvals": CHAIN,
    **TURN,
}
CONTRACT: dict[str, Any] = {
    **COMMON,
    "currency": MONEY,
    "name": "Cleaning of the head office",
    "number": "C-119",
    "description": "Daily, without windows",
    "minimum-value": "10000.00",
    "maximum-value": "48000.00",
    "min-commit": "5000.00",
    "max-commit": "6000.00",
    "start-date": "2027-01-01T00:00:00-08:00",
    "end-date": "2027-12-31T00:00:00-08:00",
    "term-type": "auto_renew",
    "no-of-renewals": 3,
    "renewal-length-value": 12,
    "renewal-length-unit": "months",
    "supplier": {"id": 5, "name": "Sparkle GmbH"},
    "contract-owner": {**ASKER, "fullname": "Kim Park"},
    "submitter": {**ASKER},
    "department": {"name": "Facilities"},
    **TURN,
}
FORM: dict[str, Any] = {
    **COMMON,
    "name": "New bank account of a supplier",
    "submitted-at": "2026-11-22T09:00:00-08:00",
    "requested-by": {**ASKER},
    "approvals": CHAIN,
    **TURN,
}
RECORDS: dict[str, dict[str, Any]] = {
    REQUISITION: REQUEST,
    "ExpenseReport": EXPENSE,
    "InvoiceHeader": INVOICE,
    "OrderHeaderChange": ORDER_CHANGE,
    "Contract": CONTRACT,
    "EasyFormResponse": FORM,
}


CLIENT = {"login": "approvals", "fullname": "Approvals Integration"}
"""The user of our client, by whom Coupa records what we write."""


def approval(**more: Any) -> Approval:
    """Return the golden approval with other values in some fields."""
    read = parse_approval(APPROVAL | {key.replace("_", "-"): value for key, value in more.items()})
    assert read is not None
    return read


def document(kind: str, **more: Any) -> Document:
    """Return the golden document of a type with other values in some fields."""
    raw = RECORDS[kind] | {key.replace("_", "-"): value for key, value in more.items()}
    read = parse_document(kind, raw, client=CLIENT["login"])
    assert read is not None
    return read


def request(**more: Any) -> Document:
    """Return the golden requisition with other values in some fields."""
    return document(REQUISITION, **more)


READER = Decider("user:42", "jamie@acme.test", "Jamie Lee", "", Capacity.APPROVER)
WHEN = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


def card(
    what: Document,
    style: Style | None = None,
    *,
    about: Approval | None = None,
    reader: Decider = READER,
    actions: tuple[Verb, ...] = (Verb.APPROVE, Verb.REJECT),
    bar: Bar | None = None,
    **more: Any,
) -> str:
    """Return the card of a document for somebody who can do these, in Moveworks' HTML."""
    right = Right(reader, () if bar else actions, bar)
    turn = ApprovalRequest(approval=about or approval(), document=what, right=right, **more)
    style = style or Style(base_url="https://acme.coupahost.com")
    return compose(turn, style=style, keys=None, now=WHEN).text


def readable(markup: str) -> str:
    """Return a message as a person reads it, one line each; a link has its address behind it."""
    text = re.sub(r'<a href="([^"]*)">([^<]*)</a>', r"\2 (\1)", markup.replace("<br>", "\n"))
    return html.unescape(re.sub(r"<[^<>]+>", "", text))
