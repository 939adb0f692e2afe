"""Write numbers in a locale: exactly, with every decimal, in the groups that its readers expect. Pure.

Symbols, groups and the place of a currency's code are CLDR's, as Babel has them; the digits are put together
here. `babel.numbers.format_decimal` rounds to the decimals of a pattern, and takes apostrophes for quotes:
with CLDR 48, which has them between the groups of Swiss numbers, it writes 1'234'567 as 1234567.

Sources: https://www.unicode.org/reports/tr35/tr35-numbers.html (number symbols, number patterns);
https://cldr.unicode.org/downloads/cldr-48#numbers-1 (the Swiss apostrophe)
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import get_currency_precision

_PAIR = 2
_NARROW, _HARD = "\u202f", "\u00a0"


@dataclass(frozen=True)
class Numerals:
    """The symbols of a locale in numbers.

    Attributes:
        group: between groups of digits.
        point: before the decimals.
        last: the number of digits in the last group.
        others: the number of digits in each group before it.
        code_leads: a currency's code stands before its amount.
        percent: the text after a percentage.
    """

    group: str
    point: str
    last: int
    others: int
    code_leads: bool
    percent: str

    def number(self, number: Decimal, decimals: int = 0) -> str:
        """Write a number with at least so many decimals, and with all its own; trailing zeros do not count.

        >>> numerals("de_AT").number(Decimal("1234567.125"), 2), numerals("en_IN").number(Decimal("-1234567"))
        ('1.234.567,125', '-12,34,567')
        """
        whole, _, fraction = f"{number.copy_abs():f}".partition(".")
        fraction = fraction.rstrip("0").ljust(decimals, "0")
        sign = "-" if number < 0 else ""
        return f"{sign}{self._grouped(whole)}{self.point if fraction else ''}{fraction}"

    def amount(self, number: Decimal, decimals: int) -> str:
        """Write an amount of money as `number` does, but never with a single decimal.

        >>> numerals("en_US").amount(Decimal("1250.5"), 0), numerals("en_US").amount(Decimal("1250.00"), 0)
        ('1,250.50', '1,250')
        """
        is_whole = number == number.to_integral_value()
        return self.number(number, decimals if is_whole else max(decimals, _PAIR))

    def _grouped(self, digits: str) -> str:
        groups = [digits[-self.last :]]
        rest = digits[: -self.last]
        while rest:
            groups.append(rest[-self.others :])
            rest = rest[: -self.others]
        return self.group.join(reversed(groups))


@lru_cache(maxsize=64)
def numerals(language: str) -> Numerals:
    """Return how a locale such as `de_CH` writes numbers.

    A space between groups is a hard space, so that no number is broken in two; some chat programs show a box
    for the narrow one.
    """
    locale = Locale.parse(language)
    symbols = locale.number_symbols["latn"]
    pattern = locale.decimal_formats[None]
    return Numerals(
        group=symbols["group"].replace(_NARROW, _HARD),
        point=symbols["decimal"],
        last=pattern.grouping[0],
        others=pattern.grouping[1],
        code_leads=locale.currency_formats["standard"].pattern.startswith("¤"),
        percent=locale.percent_formats[None].suffix[0],
    )


@lru_cache(maxsize=512)
def decimals_of(code: str) -> int:
    """Return the decimals of a currency by its code; two for a code that is not known.

    CLDR's are those that people use: since release 48 none for HUF, IDR and COP, of which ISO 4217 has two.
    """
    return get_currency_precision(code)
