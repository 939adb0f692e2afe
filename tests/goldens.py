"""One approval and one requisition with every field that the bridge reads, as Coupa sends them."""

from __future__ import annotations

from typing import Any

from coupa_core.model import Approval, Document, parse_approval, parse_requisition

PERSON: dict[str, Any] = {
    "id": 42,
    "login": "jamie",
    "email": "jamie@acme.test",
    "firstname": "Jamie",
    "lastname": "Lee",
    "fullname": "Jamie Lee",
    "active": True,
}
APPROVAL: dict[str, Any] = {
    "id": 853,
    "status": "pending_approval",
    "approvable-type": "RequisitionHeader",
    "approvable-id": 14170,
    "approver": {**PERSON, "name": "Buyers", "users": [{**PERSON, "id": 1}]},
    "approver-id": 42,
    "approver-type": "User",
    "approved-by": {**PERSON},
    "approval-date": "2026-11-23T09:00:00-08:00",
    "delegate": {**PERSON},
    "delegates": [{"approver": {**PERSON}}],
    "position": 2,
    "parallel-group-name": "IT",
    "holdable": False,
    "note": "please",
    "updated-at": "2026-11-23T09:00:00-08:00",
}
REQUEST: dict[str, Any] = {
    "id": 14170,
    "status": "pending_approval",
    "req-title": "Laptops",
    "justification": "New hires",
    "total": "14060.41",
    "currency": {"code": "USD", "decimals": 2},
    "requested-by": {**PERSON},
    "created-by": {**PERSON, "id": 43},
    "department": {"name": "IT"},
    "need-by-date": "2026-12-01T00:00:00-08:00",
    "submitted-at": "2026-11-22T09:00:00-08:00",
    "updated-at": "2026-11-23T09:00:00-08:00",
    "reject-reason-comment": "too dear",
    "requisition-lines": [
        {
            "id": 7,
            "line-num": "1",
            "description": "MacBook Pro",
            "quantity": "10",
            "unit-price": "1406.041",
            "total": "14060.41",
            "currency": {"code": "USD", "decimals": 2},
            "supplier": {"id": 3, "name": "Apple"},
            "uom": {"code": "EA"},
        }
    ],
    "comments": [
        {"id": 1, "comments": "ok", "created-at": "2026-11-23T08:00:00-08:00", "created-by": {**PERSON}}
    ],
    "current-approval": {"id": 853},
    "current-parallel-approvals": [{"id": 854}],
}


def approval(**more: Any) -> Approval:
    """Return the golden approval with other values in some fields."""
    read = parse_approval(APPROVAL | {key.replace("_", "-"): value for key, value in more.items()})
    assert read is not None
    return read


def request(**more: Any) -> Document:
    """Return the golden requisition with other values in some fields."""
    read = parse_requisition(REQUEST | {key.replace("_", "-"): value for key, value in more.items()})
    assert read is not None
    return read
