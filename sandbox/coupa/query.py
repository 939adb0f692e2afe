"""Coupa's query language over records: filters with operators, order, pages, and `fields`.

It knows nothing about any one resource: a `View` names the attributes that a record serves. It is strict,
so that a misspelt name never looks like an empty result: it refuses an unknown filter, an unknown name in
`fields` and a value that does not fit.

Where Coupa's public pages are silent, this simulator decides: `fields` may name a collection with hyphens,
and gets nothing of it, because Coupa and Moveworks publish collections with underscores only.

Sources, read 2026-11, under
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
    get-started-with-the-api/querying-options     up to 50 records, offset, limit, order_by, dir, fields
    get-started-with-the-api/api-operators        the operators, and that text operators are not for dates
    get-started-with-the-api/arguments            underscores for dashes; the samples use both
    get-started-with-the-api/api-return-formats   `fields=["id",{"invoice_lines":["id","line_num"]}]`
"""

from __future__ import annotations

import json
import operator as compares
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeVar

from sandbox.coupa.world import DELETED, Record, Table

PAGE: Final = 50
"""Records in one answer; a larger `limit` is capped."""

ZONE: Final = timezone(timedelta(hours=-8))
"""The company's time zone, in which Coupa serves times."""

CONTROLS: Final = frozenset({"limit", "offset", "order_by", "dir", "fields", "return_object"})

_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?)?")
_KEY = re.compile(r"([a-z0-9_-]+)((?:\[[a-z_-]+\])*)")
_MISSING: Final = object()
_TEXT = frozenset({"contains", "starts_with", "ends_with"})

R = TypeVar("R", bound=Record)
Project = Callable[[Any], dict[str, Any]]
Test = Callable[[Any], bool]
_Part = tuple[str, str, Project | None, bool]
"""One attribute: its served name, its name in the record, its association's view, whether it had hyphens."""


class QueryError(Exception):
    """The query is refused; the message has the name at fault."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name, self.message = name, message


@dataclass(frozen=True, eq=False)
class View:
    """The served attributes of a record, by served name.

    Attributes:
        leaves: attributes with a value.
        nested: attributes that hold a record or a list of them; several views when the record may have one
            of several classes, which `of` distinguishes.
        joins: attributes that only filters may use.
        nil: leaves that are always null here.
        of: the class name of the records, when it matters.
    """

    leaves: frozenset[str]
    nested: Mapping[str, tuple[View, ...]] = field(default_factory=dict)
    joins: Mapping[str, tuple[View, ...]] = field(default_factory=dict)
    nil: frozenset[str] = frozenset()
    of: str = ""


# ---------------------------------------------------------------------- values


def stamp(at: datetime) -> str:
    """Write a time as Coupa does: whole seconds and an offset.

    >>> stamp(datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    '2026-11-23T01:00:00-08:00'
    """
    return at.astimezone(ZONE).isoformat(timespec="seconds")


def parse_date(text: str) -> datetime | None:
    """Read a date; without a time it is midnight, without an offset it is UTC; None for any other text.

    >>> parse_date("2026-11-23")
    datetime.datetime(2026, 11, 23, 0, 0, tzinfo=datetime.timezone.utc)
    """
    if not _DATE.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _get(record: Record, attribute: str, name: str) -> Any:
    value = getattr(record, attribute, _MISSING)
    return record.extra.get(name) if value is _MISSING else value


def _plain(value: Any) -> Any:
    if type(value) is datetime:
        return stamp(value)
    if type(value) is Record:
        return {name: _plain(each) for name, each in value.extra.items()}
    if type(value) is list:
        return [_plain(each) for each in value]
    return str(value) if type(value) is Decimal else value


def _hyphens(name: str) -> str:
    return name.replace("_", "-")


# ---------------------------------------------------------------------- served attributes


@lru_cache(maxsize=512)
def projection(view: View, fields: str | None) -> Project:
    """Return the function that turns a record into the requested JSON.

    Args:
        view: the view of the resource.
        fields: the query parameter: a JSON list of names and of objects that hold lists; None for all.

    Raises:
        QueryError: it is not such a list, or a name in it is unknown.
    """
    if fields is None:
        return _project((view,), None)
    try:
        asked = json.loads(fields)
    except ValueError:
        raise QueryError("fields", "is not valid JSON") from None
    return _project((view,), asked)


def _project(views: tuple[View, ...], asked: Any) -> Project:
    """Return the projection for records of any of these views."""
    spelt: frozenset[str] = frozenset()
    if asked is not None:
        asked, spelt = _flatten(asked)
        known = {name for view in views for name in view.leaves | view.nested.keys()}
        unknown = sorted(asked.keys() - known)
        if unknown:
            raise QueryError("fields", f"unknown attribute {unknown[0]}")
    if len(views) == 1:
        return _project_one(views[0], asked, spelt)
    by_class = {view.of: _project_one(view, asked, spelt) for view in views}
    return lambda record: by_class[type(record).__name__](record)


def _flatten(asked: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the nested list of each name, or None for a plain name, and the names that came with hyphens."""
    if not isinstance(asked, list):
        raise QueryError("fields", "is not a list")
    said: dict[str, Any] = {}
    for each in asked:
        if isinstance(each, str):
            said[each] = None
        elif isinstance(each, dict):
            said |= each
        else:
            raise QueryError("fields", "holds something else than names and objects")
    flat = {_hyphens(name): inner for name, inner in said.items()}
    return flat, frozenset(name for name in said if "-" in name)


def _project_one(view: View, asked: dict[str, Any] | None, spelt: frozenset[str]) -> Project:
    names = [*sorted(view.leaves), *view.nested] if asked is None else asked
    parts: list[_Part] = []
    for name in names:
        inner = asked[name] if asked is not None else None
        if name in view.nested:
            deeper = _project(view.nested[name], inner)
            parts.append((name, name.replace("-", "_"), deeper, name in spelt))
        elif name in view.leaves:
            if inner:
                raise QueryError("fields", f"{name} is not an association")
            parts.append((name, name.replace("-", "_"), None, False))
    nulls = dict.fromkeys(name for name in names if name in view.nil)
    is_whole = asked is None

    def run(record: Record) -> dict[str, Any]:
        served = _serve(record, parts) | nulls
        return _overridden(served, record.raw, is_whole=is_whole) if record.raw else served

    return run


def _serve(record: Record, parts: list[_Part]) -> dict[str, Any]:
    """Return the JSON of a record."""
    served: dict[str, Any] = {}
    for name, attribute, deeper, is_hyphenated in parts:
        value = getattr(record, attribute, _MISSING)  # the same as `_get`, with one call less for speed
        if value is _MISSING:
            value = record.extra.get(name)
        if deeper is None:
            served[name] = _plain(value)
        elif type(value) is list:
            if not is_hyphenated:
                served[name] = [deeper(each) for each in value]
        else:
            served[name] = None if value is None else deeper(value)
    return served


def _overridden(served: dict[str, Any], raw: Mapping[str, Any], *, is_whole: bool) -> dict[str, Any]:
    for name, value in raw.items():
        if value is DELETED:
            served.pop(name, None)
        elif is_whole or name in served:
            served[name] = value
    return served


# ---------------------------------------------------------------------- selection of records


def select(view: View, table: Table[R], query: Mapping[str, str]) -> list[R]:
    """Return one page of the records that meet every condition.

    Args:
        view: the view of the resource.
        table: its records.
        query: decoded query parameters.

    Raises:
        QueryError: a parameter is unknown or its value does not fit.
    """
    order, is_down = _hyphens(query.get("order_by", "id")), query.get("dir", "asc") == "desc"
    if order not in view.leaves:
        raise QueryError("order_by", f"unknown attribute {order}")
    if query.get("dir", "asc") not in {"asc", "desc"}:
        raise QueryError("dir", "is neither asc nor desc")
    offset, limit = _number("offset", query, 0), min(PAGE, _number("limit", query, PAGE))
    conditions = [_condition(view, table, key, value) for key, value in query.items() if key not in CONTROLS]
    ids = _narrow(table.ids, [each.on_id for each in conditions if each.on_id])
    by_cost = sorted(conditions, key=lambda each: not each.is_rare)
    tests = [each.test for each in by_cost if each.on_id is None]
    if order != "id":
        rows = _meeting((table.rows[each] for each in ids if each in table.rows), tests)
        ordered = sorted(rows, key=lambda row: _sort_key(_get(row, order.replace("-", "_"), order)))
        return (ordered[::-1] if is_down else ordered)[offset : offset + limit]
    rows = _meeting(map(table.rows.__getitem__, reversed(ids) if is_down else ids), tests)
    return list(islice(rows, offset, offset + limit))


@dataclass(frozen=True)
class _Condition:
    """One filter: a test of a record, or (operator, numbers) for a test of the record's own id.

    Attributes:
        is_rare: few records usually meet it, so that it is tested first.
    """

    test: Test
    on_id: tuple[str, list[int]] | None = None
    is_rare: bool = False


def _meeting(rows: Iterable[R], tests: list[Test]) -> Iterator[R]:
    """Return the rows that meet every test, one by one, so that a page reads no more rows than it needs."""
    for test in tests:
        rows = filter(test, rows)
    return iter(rows)


def _narrow(ids: list[int], wanted: list[tuple[str, list[int]]]) -> list[int]:
    """Return the ids that meet the conditions on the id itself, ascending, without looking at each."""
    low, high = 0, len(ids)
    chosen: set[int] | None = None
    for operator, numbers in wanted:
        if operator == "in":
            chosen = set(numbers) if chosen is None else chosen & set(numbers)
        elif operator in {"gt", "gt_or_eq"}:
            low = max(low, (bisect_right if operator == "gt" else bisect_left)(ids, numbers[0]))
        else:
            high = min(high, (bisect_left if operator == "lt" else bisect_right)(ids, numbers[0]))
    if chosen is None:
        return ids[low:high]
    found = []
    for each in sorted(chosen):
        place = bisect_left(ids, each, low, high) if low < high else high
        if place < high and ids[place] == each:
            found.append(each)
    return found


def _number(name: str, query: Mapping[str, str], default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise QueryError(name, "is not a number")
    return int(text)


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value)


# ---------------------------------------------------------------------- conditions


def _condition(view: View, table: Table[Any], key: str, text: str) -> _Condition:
    """Parse one filter, such as `updated-at[gt]` or `requested_by[email]`."""
    found = _KEY.fullmatch(key)
    if found is None:
        raise QueryError(key, "unknown attribute")
    path = [found[1], *re.findall(r"[a-z_-]+", found[2])]
    operator = path.pop() if len(path) > 1 and path[-1] in _TESTS else "eq"
    path = [_hyphens(each) for each in path]
    _check_path(view, path, key)
    test = _test(path[-1], operator, text, key)
    if path == ["id"] and operator in {"eq", "in", "gt", "gt_or_eq", "lt", "lt_or_eq"}:
        return _Condition(
            test, ("in" if operator == "eq" else operator, _expected("id", operator, text, key))
        )
    if len(path) == 1 and operator in {"eq", "in"} and path[0] in table.indexes:
        numbers = _expected(path[0], operator, text, key)
        return _Condition(test, ("in", [each for one in numbers for each in table.indexes[path[0]](one)]))
    if len(path) == 1:
        name, attribute = path[0], path[0].replace("-", "_")
        if operator in _TIMES and _is_date(name):
            at = _expected(name, operator, text, key)[0]
            return _Condition(_in_time(name, attribute, _TIMES[operator], at, test), is_rare=True)
        if operator == "eq" and name == "status":
            return _Condition(lambda record: bool(_get(record, attribute, name) == text))
        return _Condition(lambda record: test(_get(record, attribute, name)))
    return _Condition(lambda record: any(test(value) for value in _walk(record, path)))


def _in_time(
    name: str, attribute: str, compare: Callable[[Any, Any], bool], at: datetime, test: Test
) -> Test:
    """Return a test of a time that is fast for times, which all records but raw JSON have."""

    def run(record: Any) -> bool:
        value = getattr(record, attribute, None)
        return compare(value, at) if type(value) is datetime else test(_get(record, attribute, name))

    return run


def _check_path(view: View, path: list[str], key: str) -> None:
    for name in path[:-1]:
        views = view.nested.get(name) or view.joins.get(name)
        if views is None:
            raise QueryError(key, "unknown attribute")
        if len(views) > 1:
            raise QueryError(key, f"{name} may be of several classes and cannot be filtered through")
        view = views[0]
    if path[-1] not in view.leaves:
        raise QueryError(key, "unknown attribute")


def _walk(record: Any, path: list[str]) -> Iterator[Any]:
    value = _get(record, path[0].replace("-", "_"), path[0])
    if len(path) == 1:
        yield value
        return
    for each in value if isinstance(value, list) else [value]:
        if each is not None:
            yield from _walk(each, path[1:])


def _is_date(name: str) -> bool:
    return name.endswith(("-at", "-date"))


def _is_number(name: str) -> bool:
    return name in {"id", "position", "line-num", "line-count"} or name.endswith("-id")


def _expected(name: str, operator: str, text: str, key: str) -> list[Any]:
    """Return the values to compare with, in the attribute's type, which its name shows."""
    texts = text.split(",") if operator in {"in", "not_in"} else [text]
    if operator == "blank" or operator in _TEXT:
        if _is_date(name):
            raise QueryError(key, f"{operator} is not for dates")
        if operator == "blank" and text not in {"true", "false"}:
            raise QueryError(key, "is neither true nor false")
        return texts
    if _is_number(name):
        if not all(re.fullmatch(r"-?[0-9]{1,19}", each) for each in texts):
            raise QueryError(key, "is not a number")
        return [int(each) for each in texts]
    if _is_date(name):
        dates = [parse_date(each) for each in texts]
        if None in dates:
            raise QueryError(key, "is not a date")
        return dates
    return [each.casefold() for each in texts] if name == "email" else texts


_TESTS: Final[dict[str, Callable[[Any, list[Any]], bool]]] = {
    "eq": lambda value, wanted: bool(value == wanted[0]),
    "not_eq": lambda value, wanted: bool(value != wanted[0]),
    "in": lambda value, wanted: value in wanted,
    "not_in": lambda value, wanted: value not in wanted,
    "gt": lambda value, wanted: bool(value > wanted[0]),
    "lt": lambda value, wanted: bool(value < wanted[0]),
    "gt_or_eq": lambda value, wanted: bool(value >= wanted[0]),
    "lt_or_eq": lambda value, wanted: bool(value <= wanted[0]),
    "contains": lambda value, wanted: wanted[0] in str(value),
    "starts_with": lambda value, wanted: str(value).startswith(wanted[0]),
    "ends_with": lambda value, wanted: str(value).endswith(wanted[0]),
    "blank": lambda value, wanted: (value in ("", [])) is (wanted[0] == "true"),
}


_TIMES: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gt": compares.gt,
    "lt": compares.lt,
    "gt_or_eq": compares.ge,
    "lt_or_eq": compares.le,
}


def _test(name: str, operator: str, text: str, key: str) -> Test:
    """Return a test of one value; as in SQL, only `blank` is true for null."""
    wanted, compare = _expected(name, operator, text, key), _TESTS[operator]
    if operator == "blank":
        return lambda value: compare("" if value is None else value, wanted)
    if operator in _TEXT:
        return lambda value: value is not None and compare(_comparable(value, name), wanted)

    def run(value: Any) -> bool:
        if value is None:
            return False
        if isinstance(value, bool):
            return compare(str(value).lower(), wanted)
        if isinstance(value, Decimal):
            try:
                return compare(value, [Decimal(each) for each in wanted])
            except InvalidOperation:
                raise QueryError(key, "is not a number") from None
        return compare(_comparable(value, name), wanted)

    return run


def _comparable(value: Any, name: str) -> Any:
    """Return a value for a comparison: raw JSON holds dates as text, and e-mail addresses ignore case."""
    if not isinstance(value, str):
        return value
    if _is_date(name):
        return parse_date(value) or datetime.min.replace(tzinfo=UTC)
    return value.casefold() if name == "email" else value
