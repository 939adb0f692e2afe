"""A document of each kind but a requisition: what Coupa calls its fields, and one to enter into a world."""

from __future__ import annotations

from typing import Any

from bridge import SAM, World

KINDS: dict[str, dict[str, Any]] = {
    "ExpenseReport": {"title": "Sales fair", "total": "90.00"},
    "InvoiceHeader": {"invoice_number": "INV-1", "total_with_taxes": "90.00"},
    "OrderHeaderChange": {"po_number": "4500012", "total": "90.00"},
    "Contract": {"name": "Cleaning", "maximum_value": "90.00"},
    "EasyFormResponse": {"name": "New bank account"},
}
"""What a card shows of each, first its title."""

ASKED_BY = {
    "ExpenseReport": "expensed_by",
    "InvoiceHeader": "requested_by",
    "OrderHeaderChange": "requester",
    "Contract": "submitter",
    "EasyFormResponse": "requested_by",
}


def enter(world: World, kind: str, *approvers: str, requester: str = SAM, **fields: Any) -> int:
    """Enter a document of a kind, and return its id."""
    sam = world.person(requester)
    common = {"currency": {"code": "USD", "decimals": 2}, "created_by": sam, ASKED_BY[kind]: sam}
    asked = [world.person(each) for each in approvers]
    return world.coupa.world.add_document(
        approvable_type=kind, approvers=asked, **{**common, **KINDS[kind], **fields}
    )
