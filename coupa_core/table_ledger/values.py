"""Read and write the values of columns.

Every reader raises a ValueError that names the column.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, TypeVar

J = TypeVar("J")


def time_text(value: Any) -> Any:
    """Write a time; any other value stays as it is."""
    return value.isoformat() if isinstance(value, datetime) else value


def json_text(value: Any) -> str:
    """Write JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def read_text(name: str, value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")  # noqa: TRY004 - one error for every fault of a row
    return value


def read_number(name: str, value: Any) -> int:
    """Read a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} is no number")  # noqa: TRY004 - as above
    return value


def read_time(name: str, value: Any) -> datetime:
    """Read a time with its zone."""
    time = datetime.fromisoformat(read_text(name, value))
    if time.tzinfo is None:
        raise ValueError(f"{name} has no time zone")
    return time


def read_dates(name: str, value: Any) -> tuple[date, ...]:
    """Read days with spaces between."""
    return tuple(map(date.fromisoformat, read_text(name, value).split()))


def read_json(name: str, value: Any, kind: type[J]) -> J:
    """Read JSON of one kind."""
    try:
        parsed = json.loads(read_text(name, value))
    except RecursionError as error:
        raise ValueError(f"{name} is nested too deep") from error
    if not isinstance(parsed, kind):
        raise ValueError(f"{name} is no {'map' if kind is dict else 'list'}")  # noqa: TRY004 - as above
    return parsed


def read_map(name: str, value: Any) -> dict[str, str]:
    """Read a map of texts."""
    parsed = read_json(name, value, dict)
    return {key: read_text(f"{name} of {key}"[:80], each) for key, each in parsed.items()}
