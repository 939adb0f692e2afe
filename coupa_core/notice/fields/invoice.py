"""The fields of an invoice or a credit note."""

from __future__ import annotations

from coupa_core.documents import Invoice
from coupa_core.notice.fields.field_set import FieldSet, Value
from coupa_core.notice.fields.lines import without_contract
from coupa_core.notice.style import Style
from coupa_core.notice.text import LONG, SHORT, clean


def _values(document: Invoice, style: Style) -> dict[str, Value]:
    discount, percent = style.day(document.discount_due_date), style.percent(document.discount_percent)
    return {
        "invoice_date": style.day(document.invoice_date),
        "tolerance": clean(document.tolerance_failures, LONG),
        "due": due(document, style),
        "discount": f"{discount} ({percent})" if discount and percent else discount,
        "orders": style.few(clean(number, SHORT) for number in document.orders),
        "no_contract": None if document.contract else without_contract(document, style),
    }


def due(invoice: Invoice, style: Style) -> str | None:
    """Return the due date, with the payment terms."""
    day = style.day(invoice.net_due_date)
    term = clean(invoice.payment_term.code if invoice.payment_term else None, SHORT)
    return f"{day} ({term})" if day and term else day


FIELDS = FieldSet(
    head=("id", "title", "supplier", "amount", "due"),
    shown=(
        *("tolerance", "discount", "invoice_date", "orders", "items", "account", "requester"),
        *("justification", "why", "approved", "next", "attachments"),
    ),
    on_demand=("creator", "status", "no_contract"),
    values=_values,
)
