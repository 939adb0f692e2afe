"""What a person sent with a form, and what to say when it cannot be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


class Mistake(Exception):
    """What was asked for cannot be done; the message says why, to the person."""


@dataclass(frozen=True)
class Done:
    """What became of a form.

    Attributes:
        place: the id of the element that shows it.
        said: one sentence; empty where the place itself says it.
        is_bad: whether it failed.
    """

    place: str
    said: str = ""
    is_bad: bool = False


class Form:
    """The fields of a form, by name."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def text(self, name: str, *, limit: int = 500) -> str:
        """Return a text without spaces around it; empty when it is not there.

        Raises:
            Mistake: it is longer than `limit` characters.
        """
        value = self._fields.get(name, "").strip()
        if len(value) > limit:
            raise Mistake(f"{name.capitalize()} is longer than {limit} characters.")
        return value

    def needed(self, name: str, *, limit: int = 500) -> str:
        """Return a text that must be there.

        Raises:
            Mistake: it is empty or too long.
        """
        value = self.text(name, limit=limit)
        if not value:
            raise Mistake(f"{name.capitalize()} is missing.")
        return value

    def number(self, name: str) -> int:
        """Return a whole number.

        Raises:
            Mistake: it is none.
        """
        value = self.needed(name, limit=19)
        if not (value.isascii() and value.isdigit()):
            raise Mistake(f"{name.capitalize()} must be a whole number.")
        return int(value)

    def decimal(self, name: str) -> str:
        """Return an amount or a quantity as it was written.

        Raises:
            Mistake: it is no number above zero.
        """
        value = self.needed(name, limit=20)
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise Mistake(f"{name.capitalize()} must be a number such as 12.50.") from None
        if not number.is_finite() or number <= 0 or number.adjusted() > 12:
            raise Mistake(f"{name.capitalize()} must be above zero, and not astronomical.")
        return value
