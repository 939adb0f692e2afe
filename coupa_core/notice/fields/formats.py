"""A document's amounts, lists and codes as texts."""

from __future__ import annotations

from collections.abc import Iterable

from coupa_core.documents import Contract
from coupa_core.model import Document
from coupa_core.notice.style import Style
from coupa_core.notice.text import SHORT, clean


def amount_of(document: Document, style: Style) -> str | None:
    """Return the amount of a document: of a contract its range, of an order change both totals."""
    amounts = stated_amounts(document, style)
    if isinstance(document, Contract):
        return style.between(amounts["minimum_value"], amounts["maximum_value"])
    total, before = amounts["total"], amounts.get("old_total")
    return f"{before} → {total}" if before and total and before != total else total


def stated_amounts(document: Document, style: Style) -> dict[str, str | None]:
    """Return the amounts of a document by name."""
    return {name: style.amount(amount, document.currency) for name, amount in document.amounts.items()}


def listed(names: Iterable[str], style: Style) -> str | None:
    """Return the number of names and the first few of them; None without any."""
    every = [clean(name, SHORT) for name in names]
    if not every:
        return None
    few = style.few(every)
    count = style.number(len(every))
    return f"{count} ({few})" if few else count


def status(text: str | None, style: Style) -> str:
    """Return the text for a status of Coupa; for an unknown status its code as words."""
    key = f"status.{text}"
    return style.say(key) if style.has(key) else in_words(text)


def in_words(text: str | None) -> str:
    """Return a code of Coupa as words: `auto_renew` as `Auto renew`."""
    return clean((text or "").replace("_", " ").capitalize(), SHORT)
