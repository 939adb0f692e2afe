"""Names of a document for sentences, and the headline of its card."""

from __future__ import annotations

from coupa_core.documents import Invoice, Requisition
from coupa_core.model import Document, DocumentKind
from coupa_core.notice.fields.formats import amount_of
from coupa_core.notice.fields.invoice import due
from coupa_core.notice.fields.kinds import FIELD_SETS
from coupa_core.notice.fields.parties import asker
from coupa_core.notice.style import Style
from coupa_core.notice.text import SHORT, clean


def headline(document: Document, style: Style) -> str:
    """Return requester, title, amount and date in one line; empty for a document without a title."""
    title, who = clean(document.title, SHORT), asker(document, style)
    if not title:
        return ""
    if who:
        text = style.say(f"head.{_noun(document)}", who=who, what=style.quote(title))
    else:
        text = f"{style.say(f'noun.{_noun(document)}')} {style.quote(title)}"
    return style.join(text, _amount_and_date(document, style))


def details(document: Document, style: Style) -> str:
    """Return requester, amount and date of a document without a title."""
    if document.is_sensitive:
        return ""
    return style.join(asker(document, style), _amount_and_date(document, style))


def _amount_and_date(document: Document, style: Style) -> str:
    amount = amount_of(document, style)
    if amount is None and "amount" in FIELD_SETS[document.kind].head:
        amount = style.say("no_amount")
    return style.join(amount, _date(document, style))


def numbered(document: Document, style: Style) -> str:
    """Name a document by its kind and number: `Purchase request 14170`."""
    return f"{style.say(f'noun.{_noun(document)}')} {document.id}"


def name_of(document: Document, style: Style, *, quoted: bool = False) -> str:
    """Name a document by its title, and by kind where the title is a number: `Laptops`, `Invoice INV-118`."""
    title = clean(document.title, SHORT)
    if not title:
        return numbered(document, style)
    title = style.quote(title) if quoted else title
    is_number = document.kind in (DocumentKind.INVOICE, DocumentKind.ORDER_CHANGE)
    return f"{style.say(f'noun.{_noun(document)}')} {title}" if is_number else title


def priced(document: Document, style: Style) -> str:
    """Name a document as part of a sentence, with its amount: `“Laptops”, USD 1,800.00`."""
    return style.join(name_of(document, style, quoted=True), amount_of(document, style))


def known_as(document: Document, style: Style) -> str:
    """Name a document uniquely: `Purchase request 14170, “Laptops”, USD 1,800.00`.

    Two requests may have the same title and amount; the number is that of their cards.
    """
    title = clean(document.title, SHORT)
    quoted = style.quote(title) if title else None
    return style.join(numbered(document, style), quoted, amount_of(document, style))


def _noun(document: Document) -> str:
    is_credit = isinstance(document, Invoice) and document.is_credit_note
    return "credit_note" if is_credit else document.kind


def _date(document: Document, style: Style) -> str | None:
    match document:
        case Requisition():
            day, key = style.day(document.need_by_date), "by_day"
        case Invoice():
            day, key = due(document, style), "due_day"
        case _:
            return None
    return style.say(key, day=day) if day else None
