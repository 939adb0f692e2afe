"""Describe how a document changed since it was shown, by the figures that were kept. Pure."""

from __future__ import annotations

import json
from decimal import Decimal

from coupa_core.model import CoupaRecord, Currency, Document, Integer, Line, Number, Text, decimal_text
from coupa_core.notice.fields import label_of
from coupa_core.notice.style import Style
from coupa_core.notice.text import MAX_LINES, clean

MAX_FIGURES = 8_000
"""Characters of the figures; a property of a table row may have 32,000.

Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

BARE = "{}"
"""The figures of a card that shows only the number of a document."""


def shown_figures(document: Document) -> str:
    """Return the numbers of a document as canonical JSON of at most 8,000 characters.

    `{"currency", "lines": [[id, quantity, price, total]...], "number": of lines, "own": {id: currency},
    "total"}`; the lines are in the order of their ids, and of very many the last are left out. `own` has
    the currencies of lines that differ from the document's.
    """
    known = sorted((line for line in document.lines if line.id), key=lambda line: line.id or 0)
    rows = [[line.id, *map(decimal_text, _figures(line))] for line in known]
    code = _code(document.currency)
    codes = {line.id: _code(document.currency_of(line)) for line in known}
    while True:
        figures = {
            "currency": code,
            "lines": rows,
            "number": len(document.lines),
            "own": {line.id: codes[line.id] for line in known[: len(rows)] if codes[line.id] != code},
            "total": decimal_text(document.total),
        }
        text = json.dumps(figures, separators=(",", ":"), sort_keys=True)
        if len(text) <= MAX_FIGURES:
            return text
        rows = rows[: len(rows) * MAX_FIGURES // (len(text) + 1)]


def difference(before: str, document: Document, style: Style) -> list[str]:
    """Return the changes since the figures were kept, in a few lines; empty when they cannot be read.

    Args:
        before: the result of `shown_figures` then.
        document: as it is now.
        style: of the words.

    Returns:
        Plain texts such as `Amount: USD 100.00 → USD 120.00`, `Item 2: 3 → 5` and `+1 item`.
    """
    figures = _read(before)
    if figures is None:
        return []
    money, lines = document.currency, list[str]()
    if (figures.total, figures.currency) != (document.total, _code(money)):
        label = label_of("amount", document.kind, style)
        then = style.amount(figures.total, _then(figures.currency, money))
        lines.append(style.colon(label, _became(then, style.amount(document.total, money), style)))
    rows = {line.id: line for line in figures.lines}
    changed = [
        style.colon(style.say("item", number=place), words)
        for place, line in enumerate(document.lines, 1)
        if line.id in rows and (words := _change(rows[line.id], line, figures, document, style))
    ]
    more = len(changed) - MAX_LINES
    lines += [*changed[:MAX_LINES], style.more(more)] if more > 0 else changed
    came, went = _moves(figures, document)
    lines += [style.say("items.more", count=came)] if came else []
    lines += [style.say("items.less", count=went)] if went else []
    return lines


class _KeptFigures(CoupaRecord):
    """The figures as they were kept."""

    currency: Text
    total: Number
    number: Integer
    lines: list[Line]
    own: dict[int, Text] | None = None

    @property
    def knows_code(self) -> bool:
        """Tell whether the currencies of the lines were kept; older rows do not have them."""
        return self.own is not None

    def code_of(self, line: Line) -> str | None:
        """Return the currency in which a line was shown."""
        return (self.own or {}).get(line.id or 0, self.currency)


_KEYS = ("id", "quantity", "unit-price", "total")


def _read(text: str) -> _KeptFigures | None:
    """Read the kept figures; None where they are not valid."""
    try:
        raw = json.loads(text)
        rows = [dict(zip(_KEYS, row, strict=True)) for row in raw["lines"]]
        return _KeptFigures.model_validate({**raw, "lines": rows})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _moves(figures: _KeptFigures, document: Document) -> tuple[int, int]:
    """Return how many lines were added and removed, by id, or by number when an id is unknown."""
    before, now = {line.id for line in figures.lines}, {line.id for line in document.lines}
    if len(before) == figures.number and len(now) == len(document.lines) and None not in now:
        return len(now - before), len(before - now)
    grown = len(document.lines) - figures.number if figures.number is not None else 0
    return max(grown, 0), max(-grown, 0)


def _change(before: Line, now: Line, figures: _KeptFigures, document: Document, style: Style) -> str | None:
    """Describe the change of a line: quantity, price, both, or else the total, each in its own currency.

    A currency that changed with the document's is named once, there. Where the former currency of an amount
    is unknown, only the present amount is named.
    """
    money, then = document.currency_of(now), figures.code_of(before)
    pairs = zip(_KEYS[1:], _figures(before), _figures(now), strict=True)
    moved = [name for name, one, other in pairs if one != other]
    has_other_code = figures.knows_code and then != _code(money)
    follows = (then, _code(money)) == (figures.currency, _code(document.currency))
    if not moved and (follows or not has_other_code):
        return None
    if has_other_code and (before.unit_price is not None or now.unit_price is not None):
        moved.append("unit-price")
    named: list[str] = [name for name in ("quantity", "unit-price") if name in moved] or ["total"]
    was, became = _named(before, named, _then(then, money), style), _named(now, named, money, style)
    if not figures.knows_code and named != ["quantity"]:
        return became or style.say("nothing")
    return _became(was, became, style) if was or became else None


def _then(code: str | None, money: Currency | None) -> Currency | None:
    """Return the currency of a kept code; Coupa's number of decimals is known for the present one only."""
    return money if code == _code(money) else Currency(code=code)


def _named(line: Line, columns: list[str], money: Currency | None, style: Style) -> str:
    """Write the figures of these columns; empty where the line has none of them."""
    texts = {
        "quantity": None if line.quantity is None else style.number(line.quantity),
        "unit-price": style.amount(line.unit_price, money),
        "total": style.amount(line.total, money),
    }
    return " × ".join(filter(None, map(texts.get, columns)))


def _became(before: str | None, now: str | None, style: Style) -> str:
    nothing = style.say("nothing")
    return f"{before or nothing} → {now or nothing}"


def _figures(line: Line) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    return (line.quantity, line.unit_price, line.total)


def _code(money: Currency | None) -> str | None:
    return clean(money.code, 8) if money and money.code else None
