"""Compute the timer's runs as the Functions host does; schedules that it would misread are refused.

It knows six-field expressions, seconds first, in UTC. It does not run anything; the host does.
Only the standard library is imported, and nothing slow: the host asks for it while it finds the functions.

Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer, and the table of
expressions in tests/samples/schedules.tsv, which the host's own library answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise, product
from typing import NamedTuple

from coupa_core.environment import setting

EVERY_MINUTE = "0 * * * * *"

_MONTHS = "January February March April May June July August September October November December"
_WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday"
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SPAN = re.compile(r"-?[0-9.:]+")
_DAY_S = 86_400


class NeverComes(ValueError):
    """No day of any year is meant: the host takes such a schedule, and never runs the timer."""


class _Field(NamedTuple):
    """One of the six fields.

    Attributes:
        name: for people.
        least: the first value.
        most: the last value.
        words: the names of the values, in order; whoever writes may cut them short.
    """

    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()

    def value(self, text: str) -> int:
        """Read one number or name.

        Raises:
            ValueError: it is neither, or not one of this field.
        """
        if re.fullmatch("[0-9]{1,9}", text) and self.least <= int(text) <= self.most:
            return int(text)
        for number, word in enumerate(self.words, self.least):
            if text and word.upper().startswith(text.upper()):
                return number
        raise ValueError(f"has {self.name} that the host does not know: {self}")

    def __str__(self) -> str:
        """Describe the valid values."""
        words = f" (or names such as {self.words[1][:3].upper()})" if self.words else ""
        return f"they go from {self.least} to {self.most}{words}, as in *, 5, 1-5, 1,15 or */5"


_FIELDS = (
    _Field("seconds", 0, 59),
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("days", 1, 31),
    _Field("months", 1, 12, tuple(_MONTHS.split())),
    _Field("weekdays", 0, 6, tuple(_WEEKDAYS.split())),
)


class _Item(NamedTuple):
    """One entry of a field's list, as it is written: the ends of a range may be the wrong way round."""

    first: int
    last: int
    step: int

    def values(self) -> range:
        """Return the host's reading of it: it silently reverses a range, and takes step 0 as 1."""
        return range(min(self.first, self.last), max(self.first, self.last) + 1, max(1, self.step))


class Schedule(NamedTuple):
    """The times at which all six fields match, day and weekday both."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, moment: datetime) -> datetime:
        """Return the first time after a moment; in UTC, as the moment is.

        >>> Schedule.of("*/20 * * * * *").after(datetime(2026, 11, 23, 9, 0, 20)).second
        40
        """
        earliest = moment.replace(microsecond=0) + timedelta(seconds=1)
        day, floor = earliest.date(), earliest.time()
        while True:
            if self._has(day):
                for at in self._times():
                    if at >= floor:
                        return datetime.combine(day, at, moment.tzinfo)
            day, floor = day + timedelta(days=1), time.min

    def is_within(self, limit: timedelta) -> bool:
        """Tell whether no two runs in a row are further apart than that, which is less than a day."""
        if not all(self._has_all(field) for field in _FIELDS[3:]):
            return False
        at = [each.hour * 3600 + each.minute * 60 + each.second for each in self._times()]
        return (
            max(after - before for before, after in pairwise([*at, at[0] + _DAY_S])) <= limit.total_seconds()
        )

    def _times(self) -> Iterator[time]:
        fields = product(sorted(self.hours), sorted(self.minutes), sorted(self.seconds))
        return (time(hour, minute, second) for hour, minute, second in fields)

    def _has(self, day: date) -> bool:
        weekday = day.isoweekday() % 7
        return day.day in self.days and day.month in self.months and weekday in self.weekdays

    def _has_all(self, field: _Field) -> bool:
        return len(getattr(self, field.name)) == field.most - field.least + 1

    @classmethod
    def of(cls, text: str) -> Schedule:
        """Read a schedule as the host does, with its silent corrections.

        Raises:
            NeverComes: it never comes.
            ValueError: the host refuses it. Both say why, and show nothing of it.
        """
        texts = [each for each in text.split(" ") if each]  # a tab does not part fields
        if len(texts) == len(_FIELDS) - 1:
            texts.insert(0, "0")
        if len(texts) != len(_FIELDS):
            raise ValueError("must be six fields: second minute hour day month weekday, such as 0 * * * * *")
        sets = [
            frozenset(value for item in _items(each, field) for value in item.values())
            for each, field in zip(texts, _FIELDS, strict=True)
        ]
        schedule = cls(*sets)
        if min(schedule.days) > max(_LONGEST[month - 1] for month in schedule.months):
            raise NeverComes("never comes: none of its months has such a day")
        return schedule


def _items(text: str, field: _Field) -> list[_Item]:
    return [_item(entry, field) for entry in text.split(",")]


def _item(text: str, field: _Field) -> _Item:
    span, slash, step = text.partition("/")
    if slash and not re.fullmatch("[0-9]{1,9}", step):
        raise ValueError(f"has a step of {field.name} that is no number: {field}")
    first, dash, last = span.partition("-")
    every = int(step) if slash else 1
    if span == "*":
        return _Item(field.least, field.most, every)
    start = field.value(first)
    if dash:
        return _Item(start, field.value(last), every)
    return _Item(start, field.most if slash else start, every)


def read_schedule(text: str) -> str:
    """Check a schedule, and return it as it is written.

    Raises:
        ValueError: the host would refuse it, misread it or never reach it; says how to write it instead.
    """
    texts = text.split()
    if len(texts) == 1 and _SPAN.fullmatch(text):
        # "A TimeSpan can be used only for a function app that runs on an App Service Plan", says the source.
        raise ValueError(
            "must not be a span of time, which Azure takes on dedicated plans only: write 0 */5 * * * * for "
            "every five minutes"
        )
    if len(texts) == len(_FIELDS) - 1:
        raise ValueError(
            "has five fields and must have six, the seconds first: write 0 */5 * * * * for every five minutes"
        )
    Schedule.of(text)
    for each, field in zip(texts, _FIELDS, strict=True):
        for item in _items(each, field):
            _check(item, field)
    return text


def _check(item: _Item, field: _Field) -> None:
    if item.first > item.last:
        raise ValueError(
            f"has a range of {field.name} that ends before it begins, which the host turns round in silence: "
            "write 22-23,0-6 for 22-6, and FRI,SAT,SUN,MON for FRI-MON"
        )
    most = field.most - field.least
    if not 1 <= item.step <= most:
        raise ValueError(f"has a step of {field.name} that is not from 1 to {most}, as in */5")


def timer_schedule(environment: Mapping[str, str]) -> str:
    """Return by which schedule the host runs the timer.

    That is every minute where the setting is wrong: each sweep then says so, and does nothing else.

    Args:
        environment: names and values, such as `os.environ`.
    """
    try:
        return read_schedule(setting(environment, "POLL_SCHEDULE") or EVERY_MINUTE)
    except ValueError:
        return EVERY_MINUTE


def schedule_fault(environment: Mapping[str, str]) -> str:
    """Return the code of the schedule's fault; empty for none.

    Args:
        environment: names and values, such as `os.environ`.

    Returns:
        `schedule_never`, `schedule_refused` (by the host, or misread by it), or nothing.
    """
    try:
        read_schedule(setting(environment, "POLL_SCHEDULE") or EVERY_MINUTE)
    except NeverComes:
        return "schedule_never"
    except ValueError:
        return "schedule_refused"
    return ""
