"""Schedules: read as the Functions host reads them, by the product and by the local host, and checked.

`samples/schedules.tsv` holds the answers of the host's own library.
"""

from __future__ import annotations

import doctest
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coupa_core import schedule
from coupa_core.schedule import EVERY_MINUTE, Schedule, read_schedule, timer_schedule
from sandbox import ncrontab

NOW = datetime(2026, 11, 28, 16, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One expression and the host's answer: `cron`, `constant` or `refused`, and the next times."""

    expression: str
    kind: str
    times: str
    why: str = ""
    """Of one that is refused."""


def _cases() -> list[Case]:
    rows = (Path(__file__).parent / "samples" / "schedules.tsv").read_text("utf-8").splitlines()
    cells = [[*row.split("\t"), "", ""] for row in rows if not row.startswith("#")]
    return [
        Case(row[0].replace("\\t", "\t"), row[1], *(("", row[3]) if row[1] == "refused" else (row[3],)))
        for row in cells
    ]


CASES = _cases()
CRON = [case for case in CASES if case.kind == "cron"]
OTHERS = [case for case in CASES if case.kind != "cron"]


def times(after: Callable[[datetime], datetime | None], number: int = 3) -> str:
    """Return the next times as the table writes them."""
    found = [NOW]
    for _ in range(number):
        following = after(found[-1])
        assert following is not None
        found.append(following)
    return " ".join(each.strftime("%Y-%m-%dT%H:%M:%S") for each in found[1:])


def ids(case: Case) -> str:
    return repr(case.expression)


def test_the_table_is_whole() -> None:
    assert len(CASES) == 55
    assert {case.kind for case in CASES} == {"cron", "constant", "refused"}


@pytest.mark.parametrize("case", CRON, ids=ids)
def test_an_expression_is_read_as_the_host_reads_it(case: Case) -> None:
    assert times(Schedule.of(case.expression).after) == case.times


@pytest.mark.parametrize("case", OTHERS, ids=ids)
def test_an_expression_that_the_host_refuses_is_none_and_neither_is_a_span(case: Case) -> None:
    with pytest.raises(ValueError, match=r"must be six fields|never comes|that the host does not know"):
        Schedule.of(case.expression)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_the_local_host_reads_all_that_the_host_reads(case: Case) -> None:
    if case.why == "never occurs":  # the host takes it, and waits for ever
        assert ncrontab.Schedule(case.expression).after(NOW) is None
    elif case.kind == "refused":
        with pytest.raises(ncrontab.ScheduleError):
            ncrontab.Schedule(case.expression)
    else:
        assert times(ncrontab.Schedule(case.expression).after) == case.times


MISREAD = {
    "0 0 0 * * FRI-MON": "range of weekdays",
    "0 0 22-2 * * *": "range of hours",
    "0 0 22-2/2 * * *": "range of hours",
    "0 50-10 * * * *": "range of minutes",
    "0 */0 * * * *": "step of minutes",
    "0 */61 * * * *": "step of minutes",
    "*/5 * * * *": "five fields",
    "0 9 * * 1-5": "five fields",
}
"""What the host takes, and means something that nobody would write so, or writes by mistake."""


@pytest.mark.parametrize("case", CRON, ids=ids)
def test_a_setting_is_taken_where_the_host_reads_what_is_written(case: Case) -> None:
    if case.expression in MISREAD:
        with pytest.raises(ValueError, match=MISREAD[case.expression]):
            read_schedule(case.expression)
    else:
        assert read_schedule(case.expression) == case.expression


@pytest.mark.parametrize("case", OTHERS, ids=ids)
def test_a_setting_that_the_host_refuses_is_refused_and_so_is_a_span_of_time(case: Case) -> None:
    with pytest.raises(ValueError, match="dedicated plans" if case.kind == "constant" else "must|has|never"):
        read_schedule(case.expression)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 * 22-6 * * *", "write 22-23,0-6 for 22-6"),
        ("0 * * * * SAT-TUE", "FRI,SAT,SUN,MON for FRI-MON"),
        ("0 0 8 * * 7", "they go from 0 to 6 (or names such as MON)"),
        ("0 0 9 31 2 *", "never comes: none of its months has such a day"),
        ("0 0 9 31 APR,JUN *", "never comes: none of its months has such a day"),
        ("00:05:00", "write 0 */5 * * * * for every five minutes"),
        ("*/5 * * * *", "must have six, the seconds first: write 0 */5 * * * *"),
        ("0 */x * * * *", "a step of minutes that is no number"),
        ("0 */60 * * * *", "a step of minutes that is not from 1 to 59, as in */5"),
        ("every minute", "must be six fields: second minute hour day month weekday"),
    ],
)
def test_a_wrong_schedule_is_told_how_to_be_written(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^(has|must|never)") as error:
        read_schedule(text)

    assert said in str(error.value)


ENDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def items(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    step = st.one_of(st.just(""), st.integers(0, most + 1).map("/{}".format))
    ranges = st.tuples(number, number).map(lambda ends: f"{ends[0]}-{ends[1]}")
    return st.tuples(st.one_of(st.just("*"), number.map(str), ranges), step).map("".join)


EXPRESSIONS = st.tuples(*(st.lists(items(*ends), min_size=1, max_size=2).map(",".join) for ends in ENDS)).map(
    " ".join
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS)
def test_the_product_and_the_local_host_agree_on_every_schedule(expression: str) -> None:
    try:
        ours = Schedule.of(expression)
    except ValueError as refused:
        if "never comes" in str(refused):
            assert ncrontab.Schedule(expression).after(NOW) is None
            return
        with pytest.raises(ncrontab.ScheduleError):
            ncrontab.Schedule(expression)
    else:
        assert times(ours.after, 2) == times(ncrontab.Schedule(expression).after, 2)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_no_text_is_shown_and_none_does_harm(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(has|must|never)") as error:
        read_schedule(f"CANARY{text}")

    assert "CANARY" not in str(error.value)


SELDOM = st.tuples(items(0, 59), items(0, 23)).map(lambda parts: f"0 {' '.join(parts)} * * *")


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(SELDOM, st.integers(1, 300).map(lambda minutes: timedelta(minutes=minutes)))
def test_the_longest_gap_between_two_runs_is_found(expression: str, limit: timedelta) -> None:
    local, at, gaps = ncrontab.Schedule(expression), NOW, [timedelta(0)]
    while at < NOW + timedelta(days=2) and gaps[-1] <= limit:
        following = local.after(at)
        assert following is not None
        at, before = following, at
        gaps.append(at - before if before > NOW else timedelta(0))

    assert Schedule.of(expression).is_within(limit) is (max(gaps) <= limit)


@pytest.mark.parametrize("text", [EVERY_MINUTE, "0 */14 * * * *", "0 * * 1-31 JAN-DEC 0-6"])
def test_a_schedule_without_a_long_gap_has_none_at_any_time_of_the_year(text: str) -> None:
    assert Schedule.of(text).is_within(timedelta(minutes=14))


@pytest.mark.parametrize(
    "text",
    [
        *("0 */15 * * * *", "0 0,20,40 * * * *", "0 * 8-17 * * *"),
        *("0 * * * * MON-FRI", "0 * * 1-30 * *", "0 * * * 1-11 *"),
    ],
)
def test_a_schedule_with_a_long_gap_at_some_time_of_the_year_is_told_apart(text: str) -> None:
    assert not Schedule.of(text).is_within(timedelta(minutes=14))


@pytest.mark.parametrize("given", [{}, {"POLL_SCHEDULE": ""}, {"POLL_SCHEDULE": " \u200b\r\n"}])
def test_without_a_setting_the_timer_runs_every_minute(given: dict[str, str]) -> None:
    assert timer_schedule(given) == "0 * * * * *"


def test_the_timer_runs_by_the_setting_and_every_minute_where_that_is_wrong() -> None:
    assert timer_schedule({"POLL_SCHEDULE": "\ufeff30 */5 * * * *\r"}) == "30 */5 * * * *"
    assert timer_schedule({"POLL_SCHEDULE": '"30 */5 * * * *"'}) == "0 * * * * *"
    assert timer_schedule({"POLL_SCHEDULE": "30 */5 * * *"}) == "0 * * * * *"


def test_the_example_in_the_docstring_holds() -> None:
    assert doctest.testmod(schedule).failed == 0
