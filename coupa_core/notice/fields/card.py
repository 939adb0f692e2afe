"""The fields of a card, with their labels."""

from __future__ import annotations

from coupa_core.model import Approval, Document, DocumentKind
from coupa_core.notice.fields.common import common_values
from coupa_core.notice.fields.face import Value
from coupa_core.notice.fields.kinds import FACES
from coupa_core.notice.markup import Field
from coupa_core.notice.style import Style


def fields(approval: Approval, document: Document, style: Style) -> tuple[Field, ...]:
    """Return the fields of a document that the settings name, without unknown values."""
    face, values = FACES[document.kind], values_of(approval, document, style)
    shown: list[Field] = []
    for name in style.fields.get(document.type, face.shown):
        value = values[name] if name not in face.head else None
        label = label_of(name, document.kind, style)
        shown += [Field(label, text) for text in (value if isinstance(value, list) else [value]) if text]
    return tuple(shown)


def values_of(approval: Approval, document: Document, style: Style) -> dict[str, Value]:
    """Return all values of a document by field name; empty or None where a value is unknown."""
    return common_values(approval, document, style) | FACES[document.kind].values(document, style)


def label_of(name: str, kind: DocumentKind, style: Style) -> str:
    """Return the label of a field, for its kind if there is one; empty where the value needs no label."""
    keys = (f"label.{name}.{kind}", f"label.{name}")
    return next((style.say(key) for key in keys if style.has(key)), "")
