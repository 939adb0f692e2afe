"""A small interpreter of the Kusto query language: as much of it as the queries of this project use.

It runs the deployed text of a query. It refuses every construct that it does not know, and never guesses. It
knows no keywords and no types; Microsoft's language service knows these, but no rows.

Source: https://learn.microsoft.com/kusto/query/ (each operator and function has a page of its name).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

SERVICE = Path(__file__).with_suffix(".js")
"""Asks that service."""

Row = dict[str, Any]
Value = Callable[[Row], Any]
Aggregate = Callable[[list[Row]], Any]

_TOKEN = re.compile(
    r"""\s*(?:(?P<verbatim>@"(?:[^"]|"")*")|(?P<string>"(?:[^"\\]|\\.)*")|(?P<span>\d+[smhd]\b)
    |(?P<number>\d+(?:\.\d+)?)|(?P<name>!?[A-Za-z_]\w*|mv-expand)|(?P<sign>==|!=|>=|<=|[-|(),=<>\[\]]))""",
    re.VERBOSE,
)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "startswith": lambda left, right: str(left).casefold().startswith(right.casefold()),
    "endswith": lambda left, right: str(left).casefold().endswith(right.casefold()),
    "!endswith": lambda left, right: not str(left).casefold().endswith(right.casefold()),
    "matches": lambda left, right: re.search(right, str(left)) is not None,
    "in": lambda left, right: left in right,
    "!in": lambda left, right: left not in right,
}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


def run(query: str, tables: dict[str, list[Row]], *, now: datetime) -> list[Row]:
    """Return the rows that a query yields.

    Args:
        query: its text.
        tables: rows by name; times are aware.
        now: what `now()` returns.

    Raises:
        ValueError: the query uses what this interpreter does not know.
    """
    reader = _Reader(re.sub(r"(?m)^\s*//.*$", "", query), now)
    rows = list(tables[reader.name()])
    while reader.take("|"):
        rows = reader.stage(rows)
    if reader.left:
        raise ValueError(f"not understood: {reader.left[0].text}")
    return rows


class _Reader:
    """A query as tokens, and what each stage makes of rows."""

    def __init__(self, query: str, now: datetime) -> None:
        self._now = now
        self.left = list(_tokens(query))  # its own, because they are taken from it

    def take(self, text: str) -> bool:
        """Take the next token if it is this one."""
        if self.left and self.left[0].text == text:
            self.left.pop(0)
            return True
        return False

    def name(self) -> str:
        """Take a name."""
        token = self.left.pop(0)
        if token.kind != "name":
            raise ValueError(f"a name is wanted, not {token.text}")
        return token.text

    def stage(self, rows: list[Row]) -> list[Row]:
        """Take one operator and apply it."""
        match self.name():
            case "where":
                holds = self._either()
                return [row for row in rows if holds(row)]
            case "extend":
                values = self._columns()
                return [_extended(row, values) for row in rows]
            case "project":
                values = self._columns()
                return [{name: value(row) for name, value in values.items()} for row in rows]
            case "mv-expand":
                column = self.name()
                return [{**row, column: each} for row in rows for each in row[column]]
            case "summarize":
                return self._summarize(rows)
            case unknown:
                raise ValueError(f"operator {unknown}")

    def _columns(self) -> dict[str, Value]:
        columns: dict[str, Value] = {}
        while True:
            named = len(self.left) > 1 and self.left[1].text == "="
            name = self.left[0].text
            if named:
                del self.left[:2]
            value = self._either()
            columns[name if named else _implied(name, columns)] = value
            if not self.take(","):
                return columns

    def _summarize(self, rows: list[Row]) -> list[Row]:
        wanted: dict[str, Aggregate] = {}
        while True:
            name = self.name()
            self._expect("=")
            wanted[name] = self._aggregate()
            if not self.take(","):
                break
        keys: dict[str, Value] = {}
        if self.take("by"):
            keys = self._columns()
        groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
        for row in rows:
            groups.setdefault(tuple(value(row) for value in keys.values()), []).append(row)
        return [
            dict(zip(keys, group, strict=True)) | {name: value(members) for name, value in wanted.items()}
            for group, members in groups.items()
        ]

    def _aggregate(self) -> Aggregate:
        function = self.name()
        self._expect("(")
        arguments = []
        while not self.take(")"):
            arguments.append(self._either())
            self.take(",")
        return partial(_aggregated, function, arguments)

    def _either(self) -> Value:
        sides = [self._both()]
        while self.take("or"):
            sides.append(self._both())
        return sides[0] if len(sides) == 1 else lambda row: any(side(row) for side in sides)

    def _both(self) -> Value:
        sides = [self._comparison()]
        while self.take("and"):
            sides.append(self._comparison())
        return sides[0] if len(sides) == 1 else lambda row: all(side(row) for side in sides)

    def _comparison(self) -> Value:
        left = self._value()
        if not self.left or self.left[0].text not in _COMPARISONS:
            return left
        sign = self.left.pop(0).text
        if sign == "matches":
            self._expect("regex")
        right = self._list() if sign in ("in", "!in") else self._value()
        return lambda row: _compared(_COMPARISONS[sign], left(row), right(row))

    def _list(self) -> Value:
        self._expect("(")
        values = [self._value()]
        while self.take(","):
            values.append(self._value())
        self._expect(")")
        return lambda row: [value(row) for value in values]

    def _value(self) -> Value:
        token = self.left.pop(0)
        if token.kind != "name":
            return _constant(_literal(token))
        if self.take("("):
            arguments = []
            while not self.take(")"):
                arguments.append(self._either())
                self.take(",")
            return self._call(token.text, arguments)
        if self.take("["):
            index = self._value()
            self._expect("]")
            return lambda row: row[token.text][index(row)]
        return lambda row: row[token.text]

    def _call(self, name: str, arguments: list[Value]) -> Value:
        if name == "now":
            return _constant(self._now)
        if name not in _FUNCTIONS:
            raise ValueError(f"function {name}")
        return lambda row: _FUNCTIONS[name](*(argument(row) for argument in arguments))

    def _expect(self, text: str) -> None:
        if not self.take(text):
            raise ValueError(f"{text} is wanted, not {self.left[0].text if self.left else 'the end'}")


@cache
def _tokens(query: str) -> tuple[_Token, ...]:
    return tuple(_read(query))


def _read(query: str) -> Iterable[_Token]:
    at = 0
    while query[at:].strip():
        found = _TOKEN.match(query, at)
        if found is None:
            raise ValueError(f"not understood: {query[at:].strip()[:30]}")
        at = found.end()
        # `mv-expand` is the one operator with a hyphen in its name.
        if found["name"] == "mv" and query.startswith("-expand", at):
            at += len("-expand")
            yield _Token("name", "mv-expand")
        else:
            yield _Token(str(found.lastgroup), str(found[str(found.lastgroup)]))


def _literal(token: _Token) -> Any:
    """Return the value of a text, a number or a time span."""
    match token.kind:
        case "verbatim":
            return token.text[2:-1].replace('""', '"')
        case "string":
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        case "span":
            return timedelta(**{_UNITS[token.text[-1]]: int(token.text[:-1])})
        case "number":
            return float(token.text) if "." in token.text else int(token.text)
    raise ValueError(f"a value is wanted, not {token.text}")


def _implied(name: str, columns: dict[str, Value]) -> str:
    """Name a column that has no name: a bare one keeps its own, `bin(timestamp, 5m)` that of its argument."""
    return "timestamp" if name == "bin" else name if name not in columns else f"{name}_{len(columns)}"


def _extended(row: Row, values: dict[str, Value]) -> Row:
    """Add columns; each sees the row as it was, as in Kusto."""
    return row | {name: value(row) for name, value in values.items()}


def _constant(value: Any) -> Value:
    return lambda row: value


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    """Compare; with null nothing holds."""
    return left is not None and right is not None and compare(left, right)


def _aggregated(function: str, arguments: list[Value], rows: list[Row]) -> Any:
    if function == "count":
        return len(rows)
    values = [value for row in rows if (value := arguments[0](row)) is not None]
    match function:
        case "dcount":
            return len(set(values))
        case "max":
            return max(values, default=None)
        case "sum":
            return sum(values)
        case "avg":
            return sum(values) / len(values) if values else None
        case "percentile":
            rank = -(-len(values) * arguments[1]({}) // 100)
            return sorted(values)[max(rank, 1) - 1] if values else None
    raise ValueError(f"aggregate {function}")


def _extract(pattern: str, group: int, source: Any) -> str:
    found = re.search(pattern, str(source))
    return found[group] if found else ""


def _number(kind: type[int | float], value: Any) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError):
        return None


def _bin(value: datetime, step: timedelta) -> datetime:
    start = datetime(2000, 1, 1, tzinfo=UTC)
    return start + (value - start) // step * step


def _datetime_diff(unit: str, later: datetime | None, earlier: datetime | None) -> int | None:
    if later is None or earlier is None:
        return None
    return int((later - earlier) / timedelta(**{f"{unit}s": 1}))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "extract": _extract,
    "extract_all": lambda pattern, source: [list(each) for each in re.findall(pattern, str(source))],
    "toint": partial(_number, int),
    "tolong": partial(_number, int),
    "todouble": partial(_number, float),
    "tostring": str,
    "coalesce": lambda *values: next((value for value in values if value not in (None, "")), None),
    "isnotnull": lambda value: value is not None,
    "isnotempty": lambda value: value not in (None, ""),
    "bin": _bin,
    "datetime_diff": _datetime_diff,
}
