"""The attributes that the client requests: of a document those of its model, of other records these lists.

The models have documented attributes only, because Coupa may refuse others. The client does not request the
answers of forms, which may hold secrets; the comments of invoices, which the schema has as one text; and the
attachments of contracts, which the resource lacks.

Collections have underscores, as Coupa and Moveworks publish them (`{"invoice_lines": [...]}`); no source says
whether hyphens work there. All other attributes keep their hyphens.
Source: "API Return Formats", .../the-coupa-core-api/get-started-with-the-api/api-return-formats, and the
installable plugins under https://github.com/moveworks/developer-docs
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from coupa_core.documents import DOCUMENT_MODELS
from coupa_core.model import Comment, CoupaRecord, DocumentKind


def attributes_of(record: type[CoupaRecord]) -> list[Any]:
    """Return the attributes of a record's model: `["id", {"supplier": ["id", "name"]}]`."""
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
    """Yield the record types within a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, CoupaRecord):
        yield annotation
    for each in get_args(annotation):
        yield from _records_in(each)


COMMENT_FIELDS = list(Comment.asked)
COMMENTS = {"comments": COMMENT_FIELDS}
DOCUMENT_FIELDS: dict[DocumentKind, list[Any]] = {
    each.kind: attributes_of(each) for each in DOCUMENT_MODELS.values()
}
ORDER_FIELDS: list[Any] = ["id", {"order_lines": ["total", {"currency": ["code", "decimals"]}]}]
USER_FIELDS = ["id", "login", "email", "firstname", "lastname", "fullname", "active", "default-locale"]
REPORT_FIELDS: list[Any] = [*USER_FIELDS, {"manager": ["id"]}]
MEMBER_FIELDS: list[Any] = [*USER_FIELDS, {"approval_groups": ["id"]}]
APPROVAL_FIELDS: list[Any] = [
    "id",
    "status",
    "approvable-type",
    "approvable-id",
    "approver-id",
    "approver-type",
    "type",
    "approval-date",
    "position",
    "parallel-group-name",
    "holdable",
    "note",
    "created-at",
    "updated-at",
    {"approver": [*USER_FIELDS, "name", {"users": USER_FIELDS}]},
    {"approved-by": ["id", "login", "email", "fullname"]},
    {"updated-by": ["id"]},
    {"delegate": USER_FIELDS},
    {"delegates": ["id", {"approver": USER_FIELDS}]},
]
DELEGATION_FIELDS = [
    "id",
    "delegator-id",
    "delegate-id",
    "start-date",
    "end-date",
    "approval-delegate",
    {"delegate": USER_FIELDS},
]
CHAIN_FIELDS = [
    "id",
    "status",
    {"approvals": APPROVAL_FIELDS},
    {"current-approval": ["id"]},
    {"current_parallel_approvals": ["id"]},
]
