"""Every field of a golden record is spoiled in every way: it is lost, its neighbours are not."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from goldens import APPROVAL, REQUEST, approval, request
from pydantic import BaseModel

from coupa_core.model import digest, parse_approval, parse_requisition

GONE = Ellipsis
BAD: dict[str, Any] = {
    "deleted": GONE,
    "null": None,
    "text": "~not it~",
    "number": -7.5,
    "list": [1, "two", None],
    "object": {"unexpected": {"shape": 1}},
    "boolean": True,
    "empty text": "",
    "empty list": [],
    "empty object": {},
    "huge text": "x" * 100_000,
    "huge number": Decimal("1e400"),
    "enormous exponent": Decimal("1e999999999999"),
    "twenty digits": 10**19,
    "nested": json.loads("[" * 400 + "]" * 400),
    "lone surrogate": "\ud83d",
}
Path = tuple[str | int, ...]


def paths(value: Any, above: Path = ()) -> list[Path]:
    """Name every field of a record, those inside its objects and lists too."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, each in inside for path in ((*above, key), *paths(each, (*above, key)))]


def spoiled(record: dict[str, Any], path: Path, bad: Any) -> dict[str, Any]:
    """Return a copy in which one field is something else."""
    result = copy.deepcopy(record)
    at: Any = result
    for key in path[:-1]:
        at = at[key]
    if bad is GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = bad
    return result


def values(read: BaseModel | None) -> dict[Path, Any]:
    """Return every value that was read, by the path at which Coupa sent it."""
    assert read is not None, "the record is lost"
    flat: dict[Path, Any] = {}

    def walk(value: Any, path: Path) -> None:
        inside = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, each in inside:
            walk(each, (*path, key))
        if not isinstance(value, dict | list):
            flat[path] = value

    walk(read.model_dump(by_alias=True), ())
    return flat


def values_outside(path: Path, read: BaseModel | None) -> dict[Path, Any]:
    """Return what was read of all other fields; an element of a list may go with what is in the list."""
    above = path[:-1] if isinstance(path[-1], int) else path
    return {at: value for at, value in values(read).items() if at[: len(above)] != above}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("path", [path for path in paths(APPROVAL) if path != ("id",)], ids=str)
def test_one_bad_field_of_an_approval_spoils_no_other(path: Path, bad: Any) -> None:
    read = parse_approval(spoiled(APPROVAL, path, bad))

    assert values_outside(path, read) == values_outside(path, approval())


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("path", [path for path in paths(REQUEST) if path != ("id",)], ids=str)
def test_one_bad_field_of_a_requisition_spoils_no_other(path: Path, bad: Any) -> None:
    read = parse_requisition(spoiled(REQUEST, path, bad))

    assert values_outside(path, read) == values_outside(path, request())
    assert read is not None
    assert len(digest(read)) == 22


@pytest.mark.parametrize("record", [APPROVAL, REQUEST], ids=["approval", "requisition"])
def test_the_corpus_spoils_every_field_that_is_read(record: dict[str, Any]) -> None:
    """Keep the corpus complete: a new field of the model must be in the golden record."""
    read = parse_approval(record) if record is APPROVAL else parse_requisition(record)

    assert {"approvable-type", *record} == {"approvable-type", *(path[0] for path in values(read))}
    assert [path for path, value in values(read).items() if value is None] == []


@pytest.mark.parametrize("parse", [parse_approval, parse_requisition])
@pytest.mark.parametrize(
    "bad",
    [
        *(0, -1, True, False, None, "", "0", "-7", "+7", " 7", "7.0", 7.0, 7.5, "1_0", "\uff11\uff12"),
        *("0x1", "7\n", [7], {}, 10**19, "9" * 20, "9" * 6000, Decimal(7), Decimal("1e9999999")),
        *(float("inf"), float("nan"), GONE),
    ],
    ids=lambda bad: repr(bad)[:24],
)
def test_only_an_unusable_id_loses_the_record(parse: Any, bad: Any) -> None:
    assert parse(spoiled(APPROVAL, ("id",), bad)) is None


@pytest.mark.parametrize(
    ("good", "number"), [(1, 1), ("007", 7), ("853", 853), (10**19 - 1, 10**19 - 1), ("9" * 19, 10**19 - 1)]
)
def test_an_id_is_one_to_nineteen_digits_and_becomes_the_plain_number(good: Any, number: int) -> None:
    assert approval(id=good).id == number
    assert request(id=good).id == number


@pytest.mark.parametrize("raw", [None, 7, "x", [], [APPROVAL], {}])
def test_what_is_no_record_is_none(raw: Any) -> None:
    assert parse_approval(raw) is None
    assert parse_requisition(raw) is None


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("13542.00", Decimal("13542.00")),
        (" 983.90 ", Decimal("983.90")),
        (983.9, Decimal("983.9")),
        (10, Decimal(10)),
        (Decimal("0.10"), Decimal("0.10")),
        ("-5", Decimal(-5)),
        ("1e3", Decimal("1e3")),
        ("9" * 21, Decimal("9" * 21)),
        ("NaN", None),
        (float("nan"), None),
        ("Infinity", None),
        (float("inf"), None),
        ("1e400", None),
        ("1e-400", None),
        ("1" + "0" * 21, None),
        ("1." + "3" * 28, None),
        ("9" * 5000, None),
        ("1,000.00", None),
        ("", None),
        (True, None),
        ([1], None),
        (None, None),
    ],
)
def test_a_decimal_is_read_exactly_from_text_or_number_or_not_at_all(
    raw: Any, number: Decimal | None
) -> None:
    read = request(total=raw).total

    assert str(read) == str(number)


@pytest.mark.parametrize(
    ("raw", "text"),
    [("jamie", "jamie"), (4711, "4711"), (Decimal("1.50"), "1.50"), (True, None), (["x"], None)],
)
def test_a_login_of_digits_is_a_login(raw: Any, text: str | None) -> None:
    person = approval(approver={"login": raw}).approver

    assert person is not None
    assert person.login == text
