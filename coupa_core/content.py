"""Select the content of a document that is signed: an old button decides nothing that its card did not show.

All that a card shows is signed, except the fields that `notice.fields` calls unsigned, with the reason. It
renders nothing and compares nothing.
"""

from __future__ import annotations

import json
from typing import Any

from coupa_core.documents import (
    Contract,
    ExpenseLine,
    Form,
    Invoice,
    InvoiceLine,
    OrderChange,
    OrderLineChange,
)
from coupa_core.model import Document, Line, Person, decimal_text, fingerprint, key_of


def content_hash(document: Document) -> str:
    """Return the fingerprint of the content that is signed: 22 characters.

    People and suppliers count by their ids, days without their hour. 128 bits, because a requester writes the
    texts and could search for a collision.
    """
    return content_hashes(document)[0]


def content_hashes(document: Document) -> tuple[str, str]:
    """Return the fingerprint by today's recipe, and by that of version 0.1, by which its rows are known."""
    return _fingerprint(_signed(document)), _fingerprint(_signed_by_0_1(document))


def _fingerprint(content: dict[str, Any]) -> str:
    return fingerprint(json.dumps(content, separators=(",", ":"), ensure_ascii=True))


def _signed(document: Document) -> dict[str, Any]:
    return {
        "recipe": 2,
        "type": document.type,
        "id": document.id,
        "title": document.title or None,
        "justification": document.justification or None,
        "requester": _who(document.requested_by),
        "creator": _who(document.created_by),
        "supplier": key_of(document.supplier),
        "amounts": {name: decimal_text(amount) for name, amount in document.amounts.items()},
        "currency": document.currency.code if document.currency else None,
        "lines": _in_order([_line(line, document) for line in document.lines]),
        "terms": document.terms,
    }


def _line(line: Line, document: Document) -> list[Any]:
    currency = document.currency_of(line)
    return [
        line.id,
        line.description or None,
        decimal_text(line.quantity),
        line.uom.code if line.uom else None,
        decimal_text(line.unit_price),
        decimal_text(line.total),
        currency.code if currency else None,
        key_of(line.supplier),
        *line.terms,
    ]


def _in_order(lines: list[list[Any]]) -> list[list[Any]]:
    """Sort lines by all they say, because Coupa promises no order."""
    return sorted(lines, key=json.dumps)


def _who(person: Person | None) -> int | str | None:
    return person.id or person.name or None if person else None


# ---------------------------------------------------------------------- version 0.1
# A token lives for thirty days and a row as long as its approval waits: all below can go in the release after
# the next, and with it the second element of `content_hashes`.


def _signed_by_0_1(document: Document) -> dict[str, Any]:
    return {
        "type": document.type,
        "id": document.id,
        "total": decimal_text(document.total),
        "currency": document.currency.code if document.currency else None,
        "requester": document.requested_by.id if document.requested_by else None,
        "lines": _in_order([_line_of_0_1(line) for line in document.lines]),
        **_terms_of_0_1(document),
    }


def _line_of_0_1(line: Line) -> list[Any]:
    more: tuple[str | None, ...] = ()
    if isinstance(line, ExpenseLine):
        category = line.expense_category.name if line.expense_category else None
        more = (line.merchant, category, line.expense_date)
    elif isinstance(line, InvoiceLine):
        more = (line.po_number,)
    elif isinstance(line, OrderLineChange):
        more = ("deleted" if line.pending_delete else None,)
    return [
        line.id,
        decimal_text(line.quantity),
        decimal_text(line.unit_price),
        decimal_text(line.total),
        line.description,
        key_of(line.supplier),
        *more,
    ]


def _terms_of_0_1(document: Document) -> dict[str, Any]:
    match document:
        case Invoice():
            return {
                "number": document.title,
                "form": document.document_type,
                "supplier": key_of(document.supplier),
            }
        case OrderChange():
            return {"cancel": bool(document.pending_cancel), "supplier": key_of(document.supplier)}
        case Contract():
            values = (document.minimum_value, document.min_commit, document.max_commit)
            return {
                "name": document.title,
                "number": document.number,
                "supplier": key_of(document.supplier),
                "values": [decimal_text(each) for each in values],
                "dates": [document.start_date, document.end_date],
                "term": document.term_type,
                "renewal": [
                    document.no_of_renewals,
                    document.renewal_length_value,
                    document.renewal_length_unit,
                ],
            }
        case Form():
            return {"name": document.title}
        case _:
            return {}
