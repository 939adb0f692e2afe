"""When a timer function runs: Azure's six-field cron expressions, and the loop that keeps to one.

It keeps no status between runs of the process, so nothing is ever reported past due.

Sources, read 2026-11:
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer
    https://github.com/Azure/azure-webjobs-sdk-extensions (TimerListener.cs: what follows an overrun)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from croniter import CroniterError, croniter

from sandbox.clock import Clock

_RANGE = r"(?:\d+|[A-Za-z]{3})(?:-(?:\d+|[A-Za-z]{3}))?"
_ITEM = rf"(?:\*|{_RANGE})(?:/\d+)?"
_SIX_FIELDS = re.compile(rf"{_ITEM}(?:,{_ITEM})*(?:\s+{_ITEM}(?:,{_ITEM})*){{5}}")


class ScheduleError(ValueError):
    """A schedule that the host cannot run by; the message says why."""


class Schedule:
    """A six-field expression: second, minute, hour, day, month, day of the week; all in UTC.

    Raises:
        ScheduleError: it has not six fields, or one of them cannot be read.
    """

    def __init__(self, expression: str) -> None:
        if not _SIX_FIELDS.fullmatch(expression.strip()):
            raise ScheduleError(f"{expression!r} is no six-field schedule")
        self._expression = expression.strip()
        try:
            croniter(self._expression, second_at_beginning=True, day_or=False)
        except CroniterError as error:
            raise ScheduleError(f"{expression!r} is no six-field schedule") from error

    def after(self, moment: datetime) -> datetime:
        """Return the first time after a moment, aware UTC.

        >>> from datetime import UTC
        >>> Schedule("*/20 * * * * *").after(datetime(2026, 11, 23, 9, 0, 20, tzinfo=UTC)).second
        40
        """
        # Day and day of the week must both match, unlike in a Unix crontab.
        times = croniter(self._expression, moment, second_at_beginning=True, day_or=False)
        return times.get_next(datetime)


def resolve(text: str, environ: Mapping[str, str]) -> str:
    """Put settings where a binding names them as `%NAME%`.

    Raises:
        ScheduleError: a setting is missing or empty; the message names it.
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if not environ.get(name):
            raise ScheduleError(f"'%{name}%' did not resolve to a value: set {name}")
        return environ[name]

    return re.sub(r"%([^%]+)%", value, text)


def keep(
    schedule: Schedule,
    run: Callable[[], object],
    clock: Clock,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Call `run` at each time of the schedule until stopped, never twice at once.

    The next time is counted from the start of a run. A run that lasted past it, however long, is followed
    by one run at once, and then by the schedule again.

    Args:
        schedule: when.
        run: what; must not raise.
        clock: tells the time and lets it pass.
        stopped: asked before each run.
    """
    started = clock.now()
    while True:
        due = schedule.after(started)
        clock.sleep(max(0.0, (due - clock.now()).total_seconds()))
        if stopped():
            return
        started = max(due, clock.now())  # a sleep that ended early must not find the same time again
        run()
