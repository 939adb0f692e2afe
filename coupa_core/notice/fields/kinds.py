"""The faces of all kinds."""

from __future__ import annotations

from coupa_core.model import DocumentKind
from coupa_core.notice.fields import common, contract, expense, form, invoice, order_change, requisition
from coupa_core.notice.fields.face import Face

FACES: dict[DocumentKind, Face] = {
    DocumentKind.REQUISITION: requisition.FACE,
    DocumentKind.EXPENSE: expense.FACE,
    DocumentKind.INVOICE: invoice.FACE,
    DocumentKind.ORDER_CHANGE: order_change.FACE,
    DocumentKind.CONTRACT: contract.FACE,
    DocumentKind.FORM: form.FACE,
    DocumentKind.OTHER: Face(head=("id",), on_demand=()),
}

HEAD = {kind: face.head for kind, face in FACES.items()}
"""The values in the first two lines of every card, which are no fields below them."""

DEFAULTS = {kind: face.shown for kind, face in FACES.items()}
"""The fields that are shown, in order, unless a setting says otherwise."""

NAMES = {kind: face.names for kind, face in FACES.items()}
"""The fields that a setting can name; those of the head are always shown."""

UNSIGNED: dict[str, str] = common.UNSIGNED | {
    name: why for face in FACES.values() for name, why in face.unsigned.items()
}
"""The fields of cards that are not signed, and why."""
