"""The field sets of all kinds of documents, and the fields of one card with their labels."""

from __future__ import annotations

from coupa_core.model import Approval, Document, DocumentKind
from coupa_core.notice.fields import common, contract, expense, invoice, order_change, requisition
from coupa_core.notice.fields.field_set import FieldSet, Value
from coupa_core.notice.markup import Field
from coupa_core.notice.style import Style

FIELD_SETS: dict[DocumentKind, FieldSet] = {
    DocumentKind.REQUISITION: requisition.FIELDS,
    DocumentKind.EXPENSE: expense.FIELDS,
    DocumentKind.INVOICE: invoice.FIELDS,
    DocumentKind.ORDER_CHANGE: order_change.FIELDS,
    DocumentKind.CONTRACT: contract.FIELDS,
    DocumentKind.FORM: FieldSet(
        head=("id", "title", "requester"),
        shown=("creator", "submitted", "why", "approved", "next"),
        on_demand=("status",),
    ),
    DocumentKind.OTHER: FieldSet(head=("id",), on_demand=()),
}

HEAD = {kind: each.head for kind, each in FIELD_SETS.items()}
"""The fields in the first two lines of every card, by kind."""

DEFAULTS = {kind: each.shown for kind, each in FIELD_SETS.items()}
"""The fields that a card shows below them by default, in order, by kind."""

NAMES = {kind: each.names for kind, each in FIELD_SETS.items()}
"""The fields that the setting NOTICE_FIELDS may name, by kind."""

UNSIGNED: dict[str, str] = common.UNSIGNED | {
    name: why for each in FIELD_SETS.values() for name, why in each.unsigned.items()
}
"""The fields that the content hash leaves out, each with the reason."""


def fields(approval: Approval, document: Document, style: Style) -> tuple[Field, ...]:
    """Return the fields below the head of a card, as the settings choose them, without unknown values."""
    field_set, values = FIELD_SETS[document.kind], values_of(approval, document, style)
    shown: list[Field] = []
    for name in style.fields.get(document.type, field_set.shown):
        value = values[name] if name not in field_set.head else None
        label = label_of(name, document.kind, style)
        shown += [Field(label, text) for text in (value if isinstance(value, list) else [value]) if text]
    return tuple(shown)


def values_of(approval: Approval, document: Document, style: Style) -> dict[str, Value]:
    """Return all values of a document by field; empty or None for an unknown value."""
    return common.common_values(approval, document, style) | FIELD_SETS[document.kind].values(document, style)


def label_of(name: str, kind: DocumentKind, style: Style) -> str:
    """Return the label of a field, for its kind where the catalogue has one; empty for no label."""
    keys = (f"label.{name}.{kind}", f"label.{name}")
    return next((style.say(key) for key in keys if style.has(key)), "")
