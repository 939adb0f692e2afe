"""The values of a person's form, and the message when its action is impossible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation


class Mistake(Exception):
    """The action is impossible; the message tells the person why.

    Args:
        said: one sentence.
        field: the name of the field with the mistake; empty when it is about the whole form.
    """

    def __init__(self, said: str, field: str = "") -> None:
        super().__init__(said)
        self.field = field


@dataclass(frozen=True)
class Done:
    """The outcome of a form.

    Attributes:
        place: the id of the element that shows it.
        said: one sentence; empty where the place itself shows it.
        is_bad: the action failed.
        screen: the screen of Coupa to show next; None for the present one.
    """

    place: str
    said: str = ""
    is_bad: bool = False
    screen: str | None = None


class Form:
    """The fields of a form, by name."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def text(self, name: str, *, limit: int = 500) -> str:
        """Return a text without spaces around it; empty when it is missing.

        Raises:
            Mistake: it is longer than `limit` characters.
        """
        value = self._fields.get(name, "").strip()
        if len(value) > limit:
            raise Mistake(f"{_label(name)} is longer than {limit} characters.", name)
        return value

    def needed(self, name: str, *, limit: int = 500) -> str:
        """Return a required text.

        Raises:
            Mistake: it is empty or too long.
        """
        value = self.text(name, limit=limit)
        if not value:
            raise Mistake(f"{_label(name)} is missing.", name)
        return value

    def number(self, name: str, *, most: int | None = None) -> int:
        """Return a whole number, from 1 to `most` where that is given.

        Raises:
            Mistake: it is not such a number.
        """
        value = self.needed(name, limit=19)
        if not (value.isascii() and value.isdigit()):
            raise Mistake(f"{_label(name)} must be a whole number.", name)
        if most is not None and not 1 <= int(value) <= most:
            raise Mistake(f"{_label(name)} must be from 1 to {most}.", name)
        return int(value)

    def hidden(self, name: str) -> int:
        """Return the number of the form's subject, which no person types.

        Raises:
            Mistake: it is not a number; the mistake is in no field.
        """
        try:
            return self.number(name)
        except Mistake as mistake:
            raise Mistake(str(mistake)) from None

    def decimal(self, name: str) -> str:
        """Return an amount or a quantity, unchanged.

        Raises:
            Mistake: it is not a number above zero.
        """
        value = self.needed(name, limit=20)
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise Mistake(f"{_label(name)} must be a number such as 12.50.", name) from None
        if not number.is_finite() or number <= 0 or number.adjusted() > 12:
            raise Mistake(f"{_label(name)} must be above zero, and not astronomical.", name)
        return value

    def day(self, name: str) -> str:
        """Return a calendar day as `2026-12-24`; empty when there is none.

        Raises:
            Mistake: it is not a day.
        """
        value = self.text(name, limit=10)
        try:
            return date.fromisoformat(value).isoformat() if value else ""
        except ValueError:
            raise Mistake(f"{_label(name)} must be a day such as 2026-12-24.", name) from None


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
