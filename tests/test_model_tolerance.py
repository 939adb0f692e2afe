"""Every field of a golden record breaks in every way: it is lost, the other fields are not."""

from __future__ import annotations

import functools
import json
from decimal import Decimal
from typing import Any

import pytest
from goldens import APPROVAL, RECORDS, approval, card, document, request
from pydantic import BaseModel

from coupa_core.content import content_hash
from coupa_core.coupa.fields import APPROVAL_FIELDS, DOCUMENT_FIELDS
from coupa_core.documents import DOCUMENT_MODELS, parse_document
from coupa_core.model import has_turn, parse_approval
from coupa_core.notice import Style, difference, shown_figures

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
    "huge text": "x" * 30_000,
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
    # Not `deepcopy`, in which parts that are shared would all be spoiled at once.
    result: dict[str, Any] = json.loads(json.dumps(record))
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
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list | tuple)
            else ()
        )
        for key, each in inside:
            walk(each, (*path, key))
        if not isinstance(value, dict | list | tuple):
            flat[path] = value

    walk(read.model_dump(by_alias=True), ())
    return flat


def outside(path: Path, read: dict[Path, Any]) -> dict[Path, Any]:
    """Return what was read of all other fields; an element of a list may go with what is in the list."""
    above = path[:-1] if isinstance(path[-1], int) else path
    return {at: value for at, value in read.items() if at[: len(above)] != above}


APPROVAL_VALUES = values(approval())


@pytest.mark.slow
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("path", [path for path in paths(APPROVAL) if path != ("id",)], ids=str)
def test_one_bad_field_of_an_approval_spoils_no_other(path: Path, bad: Any) -> None:
    read = parse_approval(spoiled(APPROVAL, path, bad))

    assert outside(path, values(read)) == outside(path, APPROVAL_VALUES)


CASES = [(kind, path) for kind, record in RECORDS.items() for path in paths(record) if path != ("id",)]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "path"), CASES, ids=str)
def test_one_bad_field_of_a_document_spoils_no_other_and_can_be_shown(kind: str, path: Path) -> None:
    # A chain is made of approvals, of which one without an id is lost.
    lost = path[:2] if path[:1] == ("approvals",) and path[2:] == ("id",) else path
    good, figures, asked_for = (
        outside(lost, values(document(kind))),
        shown_figures(document(kind)),
        approval(),
    )
    shown: list[BaseModel] = []  # what is bad is mostly read as nothing, which need be shown once only
    for name, bad in BAD.items():
        read = parse_document(kind, spoiled(RECORDS[kind], path, bad))

        assert outside(lost, values(read)) == good, name
        assert read is not None
        if read in shown:
            continue
        shown.append(read)
        assert len(content_hash(read)) == 22, name
        assert has_turn(asked_for, read, []) in (True, False), name
        assert card(read, Style(), about=asked_for), name
        assert isinstance(difference(figures, read, Style()), list), name


def asked(fields: list[Any]) -> set[Path]:
    """Name every attribute that is asked for, those of associations too."""
    names: set[Path] = set()
    for each in fields:
        if isinstance(each, str):
            names.add((each,))
        else:
            names |= {
                (name.replace("_", "-"), *path) for name, inner in each.items() for path in asked(inner)
            }
    return names


def misspelt(fields: list[Any], record: dict[str, Any]) -> list[str]:
    """Name what is asked for in another spelling than the published one, by what the record holds."""
    wrong: list[str] = []
    for each in fields:
        for name, inner in each.items() if isinstance(each, dict) else [(each, None)]:
            value = record.get(name.replace("_", "-"))
            is_list = isinstance(value, list)
            wrong += [name] if ("-" if is_list else "_") in name else []
            part = value[0] if is_list and value else value
            wrong += misspelt(inner, part) if inner and isinstance(part, dict) else []
    return wrong


@pytest.mark.parametrize("kind", RECORDS)
def test_collections_are_asked_for_with_underscores_and_all_others_with_hyphens(kind: str) -> None:
    assert misspelt(DOCUMENT_FIELDS[DOCUMENT_MODELS[kind].kind], RECORDS[kind]) == []


@pytest.mark.parametrize("kind", RECORDS)
def test_an_answer_is_read_in_either_spelling(kind: str) -> None:
    def underscored(value: Any) -> Any:
        if isinstance(value, list):
            return [underscored(each) for each in value]
        if isinstance(value, dict):
            return {name.replace("-", "_"): underscored(each) for name, each in value.items()}
        return value

    assert parse_document(kind, underscored(RECORDS[kind])) == parse_document(kind, RECORDS[kind])
    approval_in_it = parse_approval(underscored(APPROVAL))
    assert approval_in_it == parse_approval(APPROVAL)


def test_where_both_spellings_come_the_published_one_counts() -> None:
    read = parse_approval({"id": 1, "approver_id": 7, "approver-id": 8})

    assert read is not None
    assert read.approver_id == 8


def named(record: dict[str, Any]) -> set[Path]:
    """Name every attribute of a record that has a value, whatever its place in a list."""
    inside = set(paths(record))
    ends = {path for path in inside if not any(other[: len(path)] == path for other in inside - {path})}
    return {tuple(key for key in path if isinstance(key, str)) for path in ends}


@pytest.mark.parametrize("kind", RECORDS)
def test_what_is_asked_for_is_what_the_corpus_has_and_all_of_it_is_read(kind: str) -> None:
    """Keep three lists alike: what Coupa is asked for, what the corpus spoils, and what the model reads."""
    record = RECORDS[kind]
    read = parse_document(kind, record)

    assert asked(DOCUMENT_FIELDS[DOCUMENT_MODELS[kind].kind]) == {
        path for path in named(record) if path[-1] != "active"
    }
    known: dict[Path, Any] = {
        tuple(key for key in path if isinstance(key, str)): value for path, value in values(read).items()
    }
    assert [path for path in named(record) if known.get(path) is None] == []


def test_the_corpus_spoils_every_field_of_an_approval_that_is_read() -> None:
    """Keep the corpus complete: a new field of the model must be in the golden record."""
    read = parse_approval(APPROVAL)

    assert {*APPROVAL} == {path[0] for path in values(read)}
    assert [path for path, value in values(read).items() if value is None] == []
    assert asked(APPROVAL_FIELDS) <= named(APPROVAL)


@pytest.mark.parametrize(
    "parse", [parse_approval, *(functools.partial(parse_document, kind) for kind in DOCUMENT_MODELS)]
)
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
    assert [kind for kind in DOCUMENT_MODELS if parse_document(kind, raw)] == []


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
