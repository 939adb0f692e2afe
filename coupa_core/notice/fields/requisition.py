"""The fields of a purchase requisition."""

from __future__ import annotations

from coupa_core.documents import Requisition
from coupa_core.notice.fields.field_set import FieldSet, Value
from coupa_core.notice.fields.lines import how_many, without_contract
from coupa_core.notice.style import Style


def _values(document: Requisition, style: Style) -> dict[str, Value]:
    off = [line for line in document.lines if line.is_off_catalogue]
    return {
        "need_by": style.day(document.need_by_date),
        "off_catalogue": how_many(off, document, style),
        "no_contract": without_contract(document, style),
    }


FIELDS = FieldSet(
    head=("id", "title", "requester", "amount", "need_by"),
    shown=(
        *("creator", "items", "supplier", "account", "off_catalogue", "no_contract", "justification"),
        *("department", "why", "approved", "next", "attachments", "comment"),
    ),
    on_demand=("submitted", "status"),
    values=_values,
    unsigned={
        "off_catalogue": (
            "where a line was found says nothing of its price, and buyers move it into a catalogue"
        ),
        "no_contract": "buyers add the contract that it falls under while it waits",
    },
)
