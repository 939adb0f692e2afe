"""The lines of a document as texts: each line, and summaries of all lines."""

from __future__ import annotations

from collections.abc import Sequence

from coupa_core.documents import ExpenseLine, OrderLineChange
from coupa_core.model import Currency, Document, Line
from coupa_core.notice.style import Style
from coupa_core.notice.text import SHORT, clean


def item(line: Line, currency: Currency | None, style: Style) -> str:
    """Return name, quantity times price, and total of a line, without unknown parts."""
    name = _quoted(line, style)
    if isinstance(line, ExpenseLine) and (about := _about(line, style)):
        name += f" ({about})"
    if isinstance(line, OrderLineChange) and line.pending_delete:
        name = style.say("deleted", item=name)
    parts = []
    if line.quantity is not None:
        unit = clean(line.uom.code, 12) if line.uom and line.uom.code else ""
        parts.append(f"{style.number(line.quantity)}{f' {unit}' if unit else ''}")
    if line.unit_price is not None:
        parts.append(str(style.amount(line.unit_price, currency)))
    text = " × ".join(parts)
    total = style.amount(line.total, currency)
    if total and len(parts) != 1:
        text = f"{text} = {total}" if text else total
    return style.colon(name, text)


def brief(line: Line, currency: Currency | None, style: Style) -> str:
    """Return the name of a line and its amount."""
    total = style.amount(line.total, currency)
    return style.colon(_quoted(line, style), total)


def _quoted(line: Line, style: Style) -> str:
    """Return the description of a line in quotation marks, so that it does not look like a label."""
    name = line_name(line)
    return style.quote(name) if name else style.say("untitled")


def _about(line: ExpenseLine, style: Style) -> str:
    """Return merchant, category and date, without the one that serves as the line's name."""
    merchant = clean(line.merchant, SHORT)
    category = clean(line.expense_category.name if line.expense_category else None, SHORT)
    sentences = [(merchant, style.quote(merchant)), (category, category)]
    about = [shown for text, shown in sentences if text and text != line_name(line)]
    return style.join(*about, style.day(line.expense_date))


def line_name(line: Line) -> str:
    """Return the name of a line; for an expense without a description its merchant or category."""
    texts = [line.description]
    if isinstance(line, ExpenseLine):
        texts += [line.merchant, line.expense_category.name if line.expense_category else None]
    return next((name for text in texts if (name := clean(text, SHORT))), "")


def account(document: Document, style: Style) -> str | None:
    """Return the account of the lines, or the number of accounts; None where one is unknown.

    Accounts that different fields identify cannot be compared, and count as unknown, too.
    """
    charged = [line.accounts for line in document.lines]
    found = {each.key: each for accounts in charged for each in accounts}
    known_by = {key and key[0] for key in found}
    if document.lacks_lines or not all(charged) or None in known_by or len(known_by) != 1:
        return None
    first, *others = found.values()
    if others:
        return style.say("accounts", count=len(found))
    code, name = clean(first.code, SHORT), clean(first.name, SHORT)
    return f"{code} ({name})" if code and name and code != name else code or name


def without_contract(document: Document, style: Style) -> str | None:
    """Return the number of lines without a contract; None for none."""
    return how_many([line for line in document.lines if line.lacks_contract], document, style)


def how_many(some: Sequence[Line], document: Document, style: Style) -> str | None:
    """Return the number of these lines out of all; None where `some` is empty or lines are missing."""
    if not some or document.lacks_lines:
        return None
    number, total = len(some), len(document.lines)
    if number == total:
        return style.say("items.all", count=total)
    return style.say("items.of", count=number, total=style.number(total))
