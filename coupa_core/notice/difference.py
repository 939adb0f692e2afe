"""What changed since a document was shown: the facts that are kept, and the difference in words. Pure."""

from __future__ import annotations

import json
from decimal import Decimal

from coupa_core.model import Currency, Document, Integer, Line, Number, Record, Text, plain
from coupa_core.notice.fields import label_of
from coupa_core.notice.style import Style
from coupa_core.notice.text import MAX_LINES, clean

MAX_FACTS = 8_000
"""Characters of the facts; a property of a table row may have 32,000.

Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""


def shown_facts(document: Document) -> str:
    """Return the numbers of a document as canonical JSON of at most 8,000 characters.

    `{"currency", "lines": [[id, quantity, price, total]...], "number": of lines, "total"}`; the lines are in
    the order of their ids, and of very many the last are left out.
    """
    known = sorted((line for line in document.lines if line.id), key=lambda line: line.id or 0)
    rows = [[line.id, *map(plain, _figures(line))] for line in known]
    while True:
        facts = {
            "currency": _code(document),
            "lines": rows,
            "number": len(document.lines),
            "total": plain(document.total),
        }
        text = json.dumps(facts, separators=(",", ":"), sort_keys=True)
        if len(text) <= MAX_FACTS:
            return text
        rows = rows[: len(rows) * MAX_FACTS // (len(text) + 1)]


def difference(before: str, document: Document, style: Style) -> list[str]:
    """Say what changed since the facts were kept, in a few lines; nothing when they cannot be read.

    Args:
        before: what `shown_facts` returned then.
        document: as it is now.
        style: of the words.

    Returns:
        Plain texts such as `Amount: USD 100.00 → USD 120.00`, `Item 2: 3 → 5` and `+1 item`.
    """
    facts = _read(before)
    if facts is None:
        return []
    money, code = document.currency, _code(document)
    then = money if code == facts.currency else Currency(code=facts.currency)
    said = []
    if (facts.total, facts.currency) != (document.total, code):
        label = label_of("amount", document.kind, style)
        said.append(_was(label, style.amount(facts.total, then), style.amount(document.total, money), style))
    rows = {line.id: line for line in facts.lines}
    changed = [
        _was(
            style.say("item", number=place),
            *_told(rows[line.id], line, document.currency_of(line), style),
            style,
        )
        for place, line in enumerate(document.lines, 1)
        if line.id in rows and _figures(rows[line.id]) != _figures(line)
    ]
    more = len(changed) - MAX_LINES
    said += [*changed[:MAX_LINES], style.more(more)] if more > 0 else changed
    came, went = _moves(facts, document)
    said += [style.say("items.more", count=came)] if came else []
    said += [style.say("items.less", count=went)] if went else []
    return said


class _Facts(Record):
    """The facts as they were kept."""

    currency: Text
    total: Number
    number: Integer
    lines: list[Line]


_KEYS = ("id", "quantity", "unit-price", "total")


def _read(text: str) -> _Facts | None:
    """Read what was kept, or return None when it is nothing of ours."""
    try:
        raw = json.loads(text)
        rows = [dict(zip(_KEYS, row, strict=True)) for row in raw["lines"]]
        return _Facts.model_validate({**raw, "lines": rows})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _moves(facts: _Facts, document: Document) -> tuple[int, int]:
    """Return how many lines came and went: by their ids, or by their number when not all ids are known."""
    before, now = {line.id for line in facts.lines}, {line.id for line in document.lines}
    if len(before) == facts.number and len(now) == len(document.lines) and None not in now:
        return len(now - before), len(before - now)
    grown = len(document.lines) - facts.number if facts.number is not None else 0
    return max(grown, 0), max(-grown, 0)


def _told(before: Line, now: Line, money: Currency | None, style: Style) -> tuple[str | None, str | None]:
    """Write the figure of a line that changed: quantity, price, both, or else the total."""
    same = [one == other for one, other in zip(_figures(before), _figures(now), strict=True)]
    return _figure(before, same, money, style), _figure(now, same, money, style)


def _figure(line: Line, same: list[bool], money: Currency | None, style: Style) -> str | None:
    quantity = None if line.quantity is None else style.number(line.quantity)
    price = style.amount(line.unit_price, money)
    match same:
        case [False, True, _]:
            return quantity
        case [True, False, _]:
            return price
        case [True, True, _]:
            return style.amount(line.total, money)
    return " × ".join(filter(None, [quantity, price]))


def _was(label: str, before: str | None, now: str | None, style: Style) -> str:
    nothing = style.say("nothing")
    return style.colon(label, f"{before or nothing} → {now or nothing}")


def _figures(line: Line) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    return (line.quantity, line.unit_price, line.total)


def _code(document: Document) -> str | None:
    return clean(document.currency.code, 8) if document.currency and document.currency.code else None
