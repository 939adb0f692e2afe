"""Export the rows of the audit log as CSV or JSON Lines, one after the other, without keeping them.

It writes the rows as they are stored and does not check them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from datetime import date
from itertools import starmap
from typing import Any, TextIO

from coupa_core.audit_log import NAMES, Row

_OF_ROW = ("kid", "follows", "nonce")
COLUMNS = ("day", "seq", *NAMES, *_OF_ROW, "prev", "hash", "seal", "unreadable")
"""The columns of a row; `unreadable` has the text of an invalid row, and is empty otherwise."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")

WriteRow = Callable[[date, Row], object]


def write_rows(rows: Iterable[tuple[date, Row]], out: TextIO, *, style: str) -> int:
    """Write rows one after the other, in one of the `STYLES`, and return how many."""
    return sum(1 for _ in starmap(STYLES[style](out), rows))


def _csv(out: TextIO) -> WriteRow:
    """Write a header and a line for each row, all cells quoted.

    A cell that a spreadsheet could take for a formula has an apostrophe in front, and so has one that begins
    with an apostrophe: taking the first apostrophe away always gives the value back.

    Source: https://owasp.org/www-community/attacks/CSV_Injection, read 2026-11.
    """
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)

    def write_row(day: date, row: Row) -> object:
        values = _values_of(day, row)
        return writer.writerow([_without_formula(values.get(name, "")) for name in COLUMNS])

    return write_row


def _jsonl(out: TextIO) -> WriteRow:
    """Write a JSON object for each row, without empty values."""
    return lambda day, row: out.write(json.dumps(_values_of(day, row), ensure_ascii=False) + "\n")


STYLES: dict[str, Callable[[TextIO], WriteRow]] = {"csv": _csv, "jsonl": _jsonl}
"""The writers by the name of the format."""


def _values_of(day: date, row: Row) -> dict[str, Any]:
    """Return the values and the links of a row, by column."""
    values = row.values()
    event = values.get("event", {})
    return {
        "day": day.isoformat(),
        "seq": row.seq,
        **{name: event[name] for name in NAMES if name in event},
        **{name: values[name] for name in _OF_ROW if name in values},
        "prev": row.prev,
        "hash": row.hash,
        "seal": row.seal,
        **({} if values else {"unreadable": row.text}),
    }


def _without_formula(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
