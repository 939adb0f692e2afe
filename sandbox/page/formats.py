"""The format of money, quantities, days and times on the page: as on the cards, in English."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

CURRENCIES = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
"""Decimals by code."""


def money(amount: Any, code: str) -> str:
    """Write an amount: `USD 1,800.00`, `JPY 1,800`; a finer unit price keeps its decimals."""
    number = Decimal(str(amount))
    decimals, needed = CURRENCIES.get(code, 2), _decimals(number)
    decimals = decimals if needed <= decimals else max(2, needed)
    return f"{code} {number:,.{decimals}f}"


def quantity(amount: Any) -> str:
    """Write a quantity without trailing zeros: `1,200`, `2.5`."""
    number = Decimal(str(amount))
    return f"{number:,.{_decimals(number)}f}"


def _decimals(number: Decimal) -> int:
    """Return the number of needed decimals."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def day(at: date | str) -> str:
    """Write a day: `Dec 1, 2026`; of a time, its day."""
    when = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{when:%b} {when.day}, {when.year}"


def weekday(at: date) -> str:
    """Write a day of the present weeks: `Monday, Nov 23`."""
    return f"{at:%A}, {at:%b} {at.day}"


def clock(at: datetime | str) -> str:
    """Write a time of day: `9:02 AM`."""
    when = _when(at)
    return f"{when.hour % 12 or 12}:{when:%M} {when:%p}"


def moment(at: datetime | str) -> str:
    """Write a time: `Nov 23, 2026 at 9:02 AM`."""
    return f"{day(_when(at))} at {clock(at)}"


def lately(at: datetime | str) -> str:
    """Write a time of the present weeks: `Nov 23, 9:02 AM`."""
    when = _when(at)
    return f"{when:%b} {when.day}, {clock(when)}"


def instant(at: datetime | str) -> str:
    """Write the time of a record of the present weeks: `Nov 23, 9:02:07 AM`."""
    when = _when(at)
    return f"{when:%b} {when.day}, {when.hour % 12 or 12}:{when:%M:%S %p}"


def _when(at: datetime | str) -> datetime:
    return datetime.fromisoformat(at) if isinstance(at, str) else at
