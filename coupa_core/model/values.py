"""Read the values of Coupa's records tolerantly: a value that does not fit becomes None.

Field names are Coupa's own with underscores for hyphens; see the Core API's Approvals and Requisitions,
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import MAXYEAR, MINYEAR, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
    model_validator,
)

from coupa_core.clock import countable

MAX_ID = 10**19
"""Ids go into URLs and row keys: 1 to 19 digits, no sign, no leading zero."""

IdRange = tuple[int, int]
"""A range of ids, from the least to the greatest, both included."""

ALL_IDS: IdRange = (1, MAX_ID - 1)


def _lenient(value: Any, parse: Callable[[Any], Any]) -> Any:
    """Return None instead of an error for a value that does not fit."""
    try:
        return parse(value)
    except ValidationError:
        return None


def _whole(value: Any) -> Any:
    """Accept a whole number or its ASCII digits, and nothing that pydantic would convert.

    True is not 1, and a `Decimal` such as 1E+999999999 would be written out in full.
    """
    if isinstance(value, str):
        usable = value.isascii() and value.isdigit()
    else:
        usable = isinstance(value, int) and not isinstance(value, bool)
    if not usable:
        raise ValueError("no whole number")
    return value


def _decimal(value: Any) -> Any:
    """Read a decimal from text or number; at most 28 digits, 21 before the point, never NaN or infinity.

    Longer numbers could be neither compared nor written exactly in the default decimal context.

    Coupa sends decimals as strings ("13542.00"), its schema says numbers.
    Source: .../get-started-with-the-api/differences-between-xml-and-json-in-coupa
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("no decimal")  # noqa: TRY004 - pydantic wants a ValueError
    try:
        number = Decimal(_digits(str(value).strip()))
    except InvalidOperation as error:
        raise ValueError("no decimal") from error
    too_long = len(number.as_tuple().digits) > 28  # noqa: PLR2004
    if not number.is_finite() or too_long or number.adjusted() not in range(-28, 21):
        raise ValueError("no usable decimal")
    return number


def _digits(text: str) -> str:
    """Refuse a number that is too long, and the underscores that Python allows in numbers."""
    if len(text) > 64 or "_" in text:  # noqa: PLR2004 - a part of a number is another number
        raise ValueError("no usable decimal")
    return text


def only_readable(values: Any) -> Any:
    """Keep the objects of a list and drop other values; a value that is no list becomes an empty one."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _text_of(value: Any) -> Any:
    """Read a text, or a number as a text (login 4711 is a login)."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)[:64]
    return value


def _name_of(value: Any) -> Any:
    """Read a text that goes into a row: one that is too long for the row would block it."""
    text = _text_of(value)
    return text[:64] if isinstance(text, str) else text


def _locale_of(value: Any) -> Any:
    """Read the name of a locale, which goes into tokens; refuse any other text."""
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{2,20}", value) else None


def hyphenated(raw: Any) -> Any:
    """Return a record in which each name is spelt with hyphens, too.

    Answers are published with hyphens only, `fields` with both; where both came, the hyphenated one counts.
    """
    if not isinstance(raw, dict) or not any("_" in str(name) for name in raw):
        return raw
    return {str(name).replace("_", "-"): value for name, value in raw.items()} | raw


Lenient = WrapValidator(_lenient)
# The last of an Annotated is the outermost: `Lenient` must be it, or a fault of another fails the record.
Id = Annotated[int, Field(ge=1, lt=MAX_ID), BeforeValidator(_whole)]
MaybeId = Annotated[Id | None, Lenient]
Text = Annotated[str | None, BeforeValidator(_text_of), Lenient]
Name = Annotated[str | None, BeforeValidator(_name_of), Lenient]
Locale = Annotated[str | None, BeforeValidator(_locale_of), Lenient]
Number = Annotated[Decimal | None, BeforeValidator(_decimal), Lenient]
Integer = Annotated[int | None, BeforeValidator(_whole), Lenient]
Flag = Annotated[bool | None, Lenient]


class CoupaRecord(BaseModel):
    """A record of Coupa: unknown keys are ignored, and both spellings of a name are read.

    Attributes:
        asked: the attributes to ask for where another record holds this one; empty for all that are read.
        unasked: the fields that Coupa is not asked for: this kind has none of them, or nobody needs them.
    """

    asked: ClassVar[Sequence[Any]] = ()
    unasked: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _read_both_spellings(cls, raw: Any) -> Any:
        return hyphenated(raw)

    @classmethod
    def misses(cls, name: str, raw: Mapping[str, Any], read: Any) -> bool:
        """Tell whether Coupa gave a field in a form that could not be read.

        Args:
            name: of the field.
            raw: the record as Coupa gave it.
            read: the value as it was read.
        """
        given = raw.get(cls.model_fields[name].alias or name)
        return read is None and given not in (None, "", {})


def fingerprint(text: str) -> str:
    """Return 128 bits of SHA-256 as 22 characters that are safe in URLs and tables."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def stamp(text: str | None) -> datetime | None:
    """Read a time as Coupa writes it, with its offset; None for anything else, see `clock.countable`."""
    try:
        return countable(datetime.fromisoformat(text or ""))
    except ValueError:
        return None


def day_of(text: str | None) -> str | None:
    """Return the day of a date as Coupa wrote it; its hour and offset have no meaning."""
    return (text or "")[:10] or None


def date_of(text: str | None) -> date | None:
    """Return that day as a date; None for anything else, see `clock.countable`."""
    try:
        day = date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
    return day if MINYEAR < day.year < MAXYEAR else None


def decimal_text(number: Decimal | None) -> str | None:
    """Write equal amounts in the same way: 983.9 and 983.90."""
    return None if number is None else format(number.normalize(), "f")
