"""The times of a timer function: schedules as Azure's host reads them.

It accepts the host's input, with the host's silent corrections: a range that ends before it begins is
swapped, a step of 0 is a step of 1, and a time that never comes is waited for.

Sources, read 2026-11:
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer
    https://github.com/Azure/azure-webjobs-sdk-extensions (TimerSchedule.cs: cron first, then a span of time)
    https://github.com/atifaziz/NCrontab (CrontabFieldImpl.cs, CrontabField.cs)
    the table of expressions in tests/samples/schedules.tsv, which the host's own library answered
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

_WORDS = {
    4: "January February March April May June July August September October November December",
    5: "Sunday Monday Tuesday Wednesday Thursday Friday Saturday",
}
"""The names of months and weekdays, by the place of their field."""
_ENDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_SPAN = re.compile(r"(?:(?P<d>\d+)[.:])??(?P<h>\d+):(?P<m>\d+)(?::(?P<s>\d+))?|(?P<days>\d+)")
_SEARCHED = timedelta(days=366 * 41)
"""A 29 February on a given weekday comes once in 28 years, and once in 40 years around the year 2100."""


class ScheduleError(ValueError):
    """A schedule that the host cannot use; the message gives the reason."""


class Schedule:
    """A cron expression or a time span; all times in UTC.

    The fields are second, minute, hour, day, month and weekday; with five fields, the second is missing.

    Raises:
        ScheduleError: the host would not accept it.
    """

    def __init__(self, expression: str) -> None:
        fields = [field for field in expression.split(" ") if field]
        self._every: timedelta | None = None
        try:
            if len(fields) in (5, 6):
                self._allowed = [_values(field, place) for place, field in enumerate(fields, 6 - len(fields))]
                if len(fields) == 5:
                    self._allowed.insert(0, {0})
            else:
                self._every = _span(" ".join(fields))
        except ValueError as error:
            raise ScheduleError(f"{expression!r} is no schedule for the host: {error}") from error

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after a moment, aware UTC; None when there is none.

        >>> from datetime import UTC
        >>> Schedule("*/20 * * * * *").after(datetime(2026, 11, 23, 9, 0, 20, tzinfo=UTC)).second
        40
        """
        return self._next(moment) if self._every is None else moment + self._every

    def _next(self, moment: datetime) -> datetime | None:
        """Advance field by field, from the largest that does not match."""
        at, end = moment.replace(microsecond=0) + timedelta(seconds=1), moment + _SEARCHED
        seconds, minutes, hours, days, months, weekdays = self._allowed
        while at < end:
            if at.month not in months or at.day not in days or at.isoweekday() % 7 not in weekdays:
                at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif at.hour not in hours:
                at = at.replace(minute=0, second=0) + timedelta(hours=1)
            elif at.minute not in minutes:
                at = at.replace(second=0) + timedelta(minutes=1)
            elif at.second not in seconds:
                at += timedelta(seconds=1)
            else:
                return at
        return None


def _values(field: str, place: int) -> set[int]:
    least, most = _ENDS[place]
    found: set[int] = set()
    for item in field.split(","):
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            start, end = least, most
        else:
            start = _value(first, place)
            end = _value(last, place) if dash else most if slash else start
        low, high = sorted((start, end))
        if low < least or high > most:
            raise ValueError(f"{item!r} is not within {least} and {most}")
        found.update(range(low, high + 1, max(1, int(step)) if slash else 1))
    return found


def _value(text: str, place: int) -> int:
    if re.match("[0-9]", text):
        return int(text)
    for number, word in enumerate(_WORDS.get(place, "").split(), _ENDS[place][0]):
        if text and word.upper().startswith(text.upper()):
            return number
    raise ValueError(f"{text!r} is neither a number nor a name")


def _span(text: str) -> timedelta:
    """Read a span as .NET does: `hh:mm:ss`, or `dd:hh:mm` where the first is above 23; a number is days."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError("it has neither five nor six fields, nor is it a span of time")
    days, hours, minutes, seconds = (int(found[name] or 0) for name in "dhms")
    if found["days"]:
        days = int(found["days"])
    elif hours > 23 and not found["d"] and found["s"]:
        days, hours, minutes, seconds = hours, minutes, seconds, 0
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError("it is no span of time")
    every = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not every:
        raise ValueError("it is no time at all")
    return every


def resolve(text: str, environ: Mapping[str, str]) -> str:
    """Replace each `%NAME%` in a binding by its setting.

    Raises:
        ScheduleError: a setting is missing or empty; the message names it.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if not environ.get(name):
            raise ScheduleError(f"'%{name}%' did not resolve to a value: set {name}")
        return environ[name]

    return re.sub(r"%([^%]+)%", value, text)
