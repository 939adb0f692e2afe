"""The models by type name, and the OAuth scopes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from coupa_core.documents.contract import Contract
from coupa_core.documents.expense import ExpenseReport
from coupa_core.documents.form import Form
from coupa_core.documents.invoice import Invoice
from coupa_core.documents.order_change import OrderChange
from coupa_core.documents.readable import Readable
from coupa_core.documents.requisition import Requisition
from coupa_core.facts import FACT_RESOURCES, Fact
from coupa_core.model import REQUISITION, Document, DocumentKind

DOCUMENT_MODELS: dict[str, type[Readable]] = {
    REQUISITION: Requisition,
    "ExpenseReport": ExpenseReport,
    "InvoiceHeader": Invoice,
    "OrderHeaderChange": OrderChange,
    "Contract": Contract,
    "EasyFormResponse": Form,
}
"""The models of the types whose content the bridge reads, by Coupa's class name."""

COMMENT_SCOPE = "core.comment.write"
ANSWER_SCOPE = "core.comment.read"
"""The scope for comments that do not come with their documents: on invoices and orders."""

SCOPES = {
    ("GET", "approvals"): "core.approval.read",
    ("PUT", "approvals"): "core.approval.write",
    ("GET", "users"): "core.user.read",
    ("GET", "user_groups"): "core.user_group.read",
    ("POST", "comments"): COMMENT_SCOPE,
    ("GET", "budget_lines"): "core.budget.read",
    ("GET", "purchase_order_lines"): "core.purchase_order.read",
    ("GET", "supplier_items"): "core.catalog.read",
    ("GET", "suppliers"): "core.supplier.read",
    ("GET", "comments"): ANSWER_SCOPE,
    **{("GET", each.resource): each.scope for each in DOCUMENT_MODELS.values()},
}
"""The scope of each request, by method and resource; no other place lists them.

Source: https://github.com/rossumai/university, docs/learn/coupa/oauth-scopes.md
"""

LEAST_SCOPES = (
    "core.approval.read core.approval.write core.requisition.read core.user.read core.user_group.read"
)
"""The scopes that Moveworks' own Coupa approvals need.

Source: https://help.moveworks.com/docs/coupa-approvals-access-requirements
"""


def required_scopes(types: Iterable[str], *, comments: bool = False) -> list[str]:
    """Return the scopes that a deployment needs, without duplicates.

    Args:
        types: the types of the setting DOCUMENT_TYPES.
        comments: whether approvers may ask questions by comment.
    """
    reading = [DOCUMENT_MODELS[name].scope for name in enabled(types)]
    commenting = comment_scopes(types) if comments else []
    return list(dict.fromkeys([*LEAST_SCOPES.split(), *reading, *commenting]))


def comment_scopes(types: Iterable[str]) -> list[str]:
    """Return the scopes for questions and answers on documents of these types."""
    needs_list = any(DOCUMENT_MODELS[name].comments_as for name in enabled(types))
    return [COMMENT_SCOPE, *([ANSWER_SCOPE] if needs_list else [])]


def scopes_of_facts(facts: Iterable[Fact]) -> list[str]:
    """Return the scopes for facts, one for each."""
    return [SCOPES["GET", FACT_RESOURCES[fact]] for fact in facts]


def enabled(types: Iterable[str]) -> list[str]:
    """Return the readable types among those of the setting DOCUMENT_TYPES, where `*` means all."""
    chosen = set(types)
    return [name for name in DOCUMENT_MODELS if name in chosen or "*" in chosen]


def kind_of(type_name: str) -> DocumentKind:
    """Return the kind of document of a type."""
    return DOCUMENT_MODELS[type_name].kind if type_name in DOCUMENT_MODELS else DocumentKind.OTHER


def parse_document(type_name: str, raw: Any, *, client: str = "") -> Document | None:
    """Parse one document of a type; None when it has no usable id.

    Args:
        type_name: Coupa's class name.
        raw: the JSON value of Coupa's answer.
        client: the login of our client's user in Coupa; empty where it is unknown.
    """
    if isinstance(raw, dict):
        raw = raw | {"approvable-type": type_name}
    try:
        return DOCUMENT_MODELS.get(type_name, Document).model_validate(raw, context=client)
    except ValidationError:
        return None
