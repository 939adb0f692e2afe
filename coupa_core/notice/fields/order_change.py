"""The fields of an order change."""

from __future__ import annotations

from coupa_core.documents import OrderChange
from coupa_core.notice.fields.field_set import FieldSet, Value
from coupa_core.notice.fields.parties import asker, person, suppliers
from coupa_core.notice.style import Style


def _values(document: OrderChange, style: Style) -> dict[str, Value]:
    starter, requester = asker(document, style), person(document.requested_by)
    supplier = style.few(suppliers(document))
    return {
        "started_by": starter,
        "requester": requester if requester != starter else None,
        "supplier": supplier if supplier != starter else None,
        "cancels": style.say("cancels") if document.pending_cancel else None,
    }


FIELDS = FieldSet(
    head=("id", "title", "started_by", "amount"),
    shown=(
        *("cancels", "supplier", "items", "account", "justification", "requester", "why", "approved", "next"),
        "attachments",
    ),
    values=_values,
)
