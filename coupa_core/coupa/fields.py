"""The attributes that Coupa is asked for of each kind of document: those that its model reads.

Only documented attributes stand in the models, since Coupa may refuse others. Not asked for: the answers to
forms, which may be anybody's secrets; the comments of invoices, which the schema has as one text; attachments
of contracts, which are none of its.

Collections are spelt with underscores, as Coupa and Moveworks publish them (`{"invoice_lines": [...]}`):
whether Coupa gives anything for a hyphenated one is not published. All others keep their hyphens.
Source: "API Return Formats", .../the-coupa-core-api/get-started-with-the-api/api-return-formats, and the
installable plugins under https://github.com/moveworks/developer-docs
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from coupa_core.documents import READABLE
from coupa_core.model import Comment, CoupaRecord, DocumentKind


def attributes_of(record: type[CoupaRecord]) -> list[Any]:
    """Return what Coupa is asked for of a record: `["id", {"supplier": ["id", "name"]}]`."""
    unasked = {name for each in record.__mro__ for name in vars(each).get("unasked", ())}
    found: list[Any] = []
    for name, field in record.model_fields.items():
        if name in unasked:
            continue
        spelt = field.alias or name
        inner = next(_records_in(field.annotation), None)
        if inner is None:
            found.append(spelt)
        else:
            spelt = spelt.replace("-", "_") if get_origin(field.annotation) is tuple else spelt
            found.append({spelt: list(inner.asked) or attributes_of(inner)})
    return found


def _records_in(annotation: Any) -> Iterator[type[CoupaRecord]]:
    """Yield the record that a type holds."""
    if isinstance(annotation, type) and issubclass(annotation, CoupaRecord):
        yield annotation
    for each in get_args(annotation):
        yield from _records_in(each)


COMMENT_FIELDS = list(Comment.asked)
COMMENTS = {"comments": COMMENT_FIELDS}
DOCUMENT_FIELDS: dict[DocumentKind, list[Any]] = {
    each.kind: attributes_of(each) for each in READABLE.values()
}
ORDER_FIELDS: list[Any] = ["id", {"order_lines": ["total", {"currency": ["code", "decimals"]}]}]
