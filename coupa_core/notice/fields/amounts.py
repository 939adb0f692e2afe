"""The amounts of a document as texts."""

from __future__ import annotations

from coupa_core.documents import Contract
from coupa_core.model import Document
from coupa_core.notice.style import Style


def amount_of(document: Document, style: Style) -> str | None:
    """Return the amount of a document; for a contract its range, for a change of an order both totals."""
    amounts = stated_amounts(document, style)
    if isinstance(document, Contract):
        return style.between(amounts["minimum_value"], amounts["maximum_value"])
    total, before = amounts["total"], amounts.get("old_total")
    return f"{before} → {total}" if before and total and before != total else total


def stated_amounts(document: Document, style: Style) -> dict[str, str | None]:
    """Return the amounts of a document as texts, by their names."""
    return {name: style.amount(amount, document.currency) for name, amount in document.amounts.items()}
