"""Sum up several documents: one sum for each currency. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, localcontext

from coupa_core.model import Currency, Document
from coupa_core.notice.style import Style
from coupa_core.notice.text import MAX_LINES


def sums(documents: Iterable[Document], style: Style, *, number: int) -> str:
    """Return the sums of several documents by currency: `USD 40,210.00 and EUR 1,800.00`.

    Args:
        documents: the known documents.
        style: the reader's style.
        number: the number of all documents; those without an amount that can be added are counted.

    Returns:
        Empty where no amount can be added.
    """
    totals: dict[str, tuple[Decimal, Currency]] = {}
    left = number
    with localcontext(prec=60):  # a sum may have more than 28 digits, and nothing is rounded
        for amount, currency in filter(None, (each.worth for each in documents)):
            code = (currency.code or "").strip().upper()
            before, first = totals.get(code, (Decimal(0), currency))
            totals[code] = (before + amount, first)
            left -= 1
    amounts = [str(style.amount(*each)) for each in totals.values()]
    more = len(amounts) - MAX_LINES
    words = style.series([*amounts[:MAX_LINES], *([style.more(more)] if more > 0 else [])])
    return style.say("sums.without", sums=words, count=style.number(left)) if words and left > 0 else words
