"""Convert between a row of the table and an `Entry`."""

from __future__ import annotations

import sys
from typing import Any

from coupa_core.ledger import Entry, OpenQuestion, State
from coupa_core.table_ledger.columns import read_columns, write_columns
from coupa_core.table_ledger.people import read_people, write_people
from coupa_core.table_ledger.values import json_text, read_json

SCHEMA = 1
"""The version of the row format; a row of a later version is refused."""


def write_row(partition: str, entry: Entry) -> dict[str, Any]:
    """Write a row without empty values."""
    row: dict[str, Any] = {
        "PartitionKey": partition,
        "RowKey": str(entry.approval_id),
        "schema": SCHEMA,
        "state": entry.state.value,
        **write_columns(entry),
    }
    if entry.questions:
        row["questions"] = json_text(
            {number: [each.by, each.of, each.on, each.is_put] for number, each in entry.questions.items()}
        )
    return row | write_people(entry.told)


def read_row(row: Any) -> Entry:
    """Read a row.

    Raises:
        ValueError: a later schema, an unknown state, or a field of a wrong type; the text names it.
    """
    if row.get("schema") != SCHEMA:
        raise ValueError(f"schema {row.get('schema')!r} is not {SCHEMA}")
    key = str(row["RowKey"])
    if not key.isascii() or not key.isdigit():
        raise ValueError("the row key is no approval id")
    values = read_columns(row)
    if "document_type" in values:
        values["document_type"] = sys.intern(values["document_type"])  # the same few in many thousand rows
    values.setdefault("nonce", "")
    values |= read_people(row)
    if "questions" in row:
        values["questions"] = _questions(row["questions"])
    return Entry(
        approval_id=int(key), state=State(row.get("state")), etag=str(row.metadata["etag"]), **values
    )


def is_readable(row: Any) -> bool:
    """Tell whether a row can be read."""
    try:
        read_row(row)
    except ValueError:
        return False
    return True


def _questions(value: Any) -> dict[int, OpenQuestion]:
    """Read the open questions; raises ValueError."""
    found = {}
    for key, parsed in read_json("questions", value, dict).items():
        match parsed:
            case [str(by), str(of), int(on), bool(is_put), *_] if key.isascii() and key.isdigit():
                found[int(key)] = OpenQuestion(by=by, of=of, on=on, is_put=is_put)
            case _:
                raise ValueError("questions cannot be read")
    return found
