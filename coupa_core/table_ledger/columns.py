"""The columns that hold one field of `Entry` each, read and written by a model of pydantic.

A new field of a known type needs nothing here; `rows` and `people` have the columns of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Annotated, Any, get_type_hints

from pydantic import PlainSerializer, PlainValidator, ValidationError, ValidationInfo, create_model

from coupa_core.ledger import Entry
from coupa_core.table_ledger.values import json_text, read_dates, read_map, read_number, read_text, read_time

ELSEWHERE = ("approval_id", "state", "told", "questions", "etag")
"""Fields without a column of their own, or with one that each row must have."""


def _column_type(read: Callable[[str, Any], Any], write: Callable[[Any], Any]) -> Any:
    """Return the type of a column from its reader and writer."""

    def validated(value: Any, info: ValidationInfo) -> Any:
        return read(info.field_name or "", value)

    return Annotated[Any, PlainValidator(validated), PlainSerializer(write)]


_COLUMN_TYPES: dict[Any, Any] = {
    str: _column_type(read_text, lambda value: value),
    int: _column_type(read_number, lambda value: value),
    # Ids go beyond the 32 bits that a table's plain integer holds.
    int | None: _column_type(lambda name, value: int(read_text(name, value)), lambda value: f"{value}"),
    datetime | None: _column_type(read_time, lambda value: value.isoformat()),
    tuple[date, ...]: _column_type(read_dates, lambda value: " ".join(day.isoformat() for day in value)),
    Mapping[str, str]: _column_type(read_map, lambda value: json_text(dict(value))),
}
"""The columns, by the types of fields."""


_HINTS = get_type_hints(Entry)
_FIELDS: dict[str, Any] = {
    item.name: (_COLUMN_TYPES[_HINTS[item.name]], None)
    for item in fields(Entry)
    if item.name not in ELSEWHERE
}
Columns = create_model("Columns", **_FIELDS)


def read_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields for which the row has columns.

    Raises:
        ValueError: a column is of a wrong type; the text names it.
    """
    try:
        read = Columns.model_validate(row)
    except ValidationError as error:
        cause = error.errors()[0]["ctx"]["error"]
        raise ValueError(str(cause)) from cause
    values = vars(read)
    return {name: values[name] for name in read.model_fields_set}


def write_columns(entry: Entry) -> dict[str, Any]:
    """Return the columns of a row, without empty values."""
    values = {name: value for name in _FIELDS if (value := getattr(entry, name))}
    columns: dict[str, Any] = Columns.model_construct(**values).model_dump(exclude_unset=True)
    return columns
