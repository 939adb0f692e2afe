"""The time of messages: the hours, the days, each person's clock, and clocks that are set."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import tzset
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coupa_core.cadence import (
    Cadence,
    hours,
    read_days,
    read_hour,
    read_hours,
    read_zone,
    read_zones,
    reading,
)

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
LONDON, TOKYO = "Europe/London", "Asia/Tokyo"
ANN = "ann@example.com"
MINUTE = timedelta(minutes=1)
NIGHT = (time(20), time(7))
WEEKDAYS = frozenset(range(5))


def at(text: str, zone: str = BERLIN, *, fold: int = 0) -> datetime:
    """Return the moment at which the clocks of a zone show this."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def shown(moment: datetime, zone: str = BERLIN) -> str:
    """Return what the clocks of a zone show, with their offset."""
    assert moment.tzinfo is UTC
    return f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %z}"


@pytest.fixture(params=["UTC", TOKYO, LONDON])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Set the clock of this machine to a zone: what a person is told must not depend on it."""
    with monkeypatch.context() as environment:
        environment.setenv("TZ", request.param)
        tzset()
        yield request.param
    tzset()


def test_the_examples_of_the_readers_are_true() -> None:
    results = [doctest.testmod(each) for each in (hours, reading)]

    assert all(each.attempted and not each.failed for each in results)


# Where somebody lives.


def test_an_address_beats_its_domain_and_a_domain_the_zone_of_everybody() -> None:
    plan = Cadence(zone=BERLIN, zones={"ann@x.test": NEW_YORK, "x.test": LORD_HOWE})

    assert plan.zone_of(" Ann@X.test ") == NEW_YORK
    assert plan.zone_of("bob@x.test") == LORD_HOWE
    assert plan.zone_of("ann@sub.x.test") == plan.zone_of("ann@y.test") == plan.zone_of("") == BERLIN


# Quiet hours and working days.


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-27T19:59", "Fri 2026-11-27 19:59 +0100"),
        ("2026-11-27T20:00", "Mon 2026-11-30 07:00 +0100"),
        ("2026-11-27T21:00", "Mon 2026-11-30 07:00 +0100"),
        ("2026-11-28T12:00", "Mon 2026-11-30 07:00 +0100"),
        ("2026-11-29T23:59", "Mon 2026-11-30 07:00 +0100"),
        ("2026-11-30T06:59", "Mon 2026-11-30 07:00 +0100"),
        ("2026-11-30T07:00", "Mon 2026-11-30 07:00 +0100"),
        ("2026-11-30T23:00", "Tue 2026-12-01 07:00 +0100"),
        ("2028-02-28T23:00", "Tue 2028-02-29 07:00 +0100"),
        ("2028-02-29T23:00", "Wed 2028-03-01 07:00 +0100"),
    ],
)
def test_a_night_and_a_weekend_are_waited_out(moment: str, opening: str) -> None:
    plan = Cadence(zone=BERLIN, quiet=NIGHT, working_days=WEEKDAYS)

    assert shown(plan.open_at(ANN, at(moment))) == opening


def test_quiet_hours_within_a_day_leave_the_morning_and_the_evening() -> None:
    plan = Cadence(zone=BERLIN, quiet=(time(12), time(13, 30)))

    hours = ("11:59", "12:00", "13:29", "13:30")
    opened = [plan.open_at(ANN, at(f"2026-11-27T{hour}")) for hour in hours]
    assert [shown(each)[15:20] for each in opened] == ["11:59", "13:30", "13:30", "13:30"]


def test_without_quiet_hours_a_working_day_begins_at_midnight() -> None:
    plan = Cadence(zone=BERLIN, working_days=WEEKDAYS)

    assert shown(plan.open_at(ANN, at("2026-11-28T12:00"))) == "Mon 2026-11-30 00:00 +0100"


def test_without_anything_every_moment_is_open() -> None:
    moment = at("2026-11-28T03:07:08.000009")

    assert Cadence().open_at(ANN, moment) == moment


def test_each_person_has_the_hours_of_their_own_zone() -> None:
    plan = Cadence(zone=BERLIN, zones={"x.test": NEW_YORK}, quiet=NIGHT)
    moment = at("2026-11-27T21:00")

    assert shown(plan.open_at("ann@x.test", moment)) == shown(moment)
    assert shown(plan.open_at("ann@y.test", moment)) == "Sat 2026-11-28 07:00 +0100"


@pytest.mark.parametrize(
    ("zone", "quiet", "moment", "fold", "opening"),
    [
        # Berlin, from 02:00 to 03:00: an hour less of the night; quiet hours that end in what is skipped.
        (BERLIN, NIGHT, "2027-03-27T22:00", 0, "Sun 2027-03-28 07:00 +0200"),
        (BERLIN, (time(22), time(2, 30)), "2027-03-28T01:00", 0, "Sun 2027-03-28 03:00 +0200"),
        # Berlin, from 03:00 to 02:00: an hour more; and an hour that is shown twice.
        (BERLIN, NIGHT, "2026-10-24T22:00", 0, "Sun 2026-10-25 07:00 +0100"),
        (BERLIN, (time(22), time(2, 30)), "2026-10-25T01:00", 0, "Sun 2026-10-25 02:30 +0200"),
        (BERLIN, (time(22), time(2, 30)), "2026-10-25T02:10", 1, "Sun 2026-10-25 02:30 +0100"),
        (BERLIN, (time(2, 30), time(7)), "2026-10-25T02:40", 0, "Sun 2026-10-25 02:00 +0100"),
        # London, at the offset of UTC before one change and after the other.
        (LONDON, NIGHT, "2027-03-27T22:00", 0, "Sun 2027-03-28 07:00 +0100"),
        (LONDON, (time(22), time(1, 30)), "2027-03-28T00:30", 0, "Sun 2027-03-28 02:00 +0100"),
        (LONDON, NIGHT, "2026-10-24T22:00", 0, "Sun 2026-10-25 07:00 +0000"),
        (LONDON, (time(22), time(1, 30)), "2026-10-25T00:30", 0, "Sun 2026-10-25 01:30 +0100"),
        (NEW_YORK, NIGHT, "2027-03-13T22:00", 0, "Sun 2027-03-14 07:00 -0400"),
        (NEW_YORK, (time(22), time(2, 30)), "2027-03-13T23:00", 0, "Sun 2027-03-14 03:00 -0400"),
        (NEW_YORK, NIGHT, "2026-10-31T22:00", 0, "Sun 2026-11-01 07:00 -0500"),
        (NEW_YORK, (time(22), time(1, 30)), "2026-11-01T01:15", 1, "Sun 2026-11-01 01:30 -0500"),
        # Lord Howe, half an hour: from 02:00 to 02:30, and back to 01:30.
        (LORD_HOWE, (time(22), time(2, 15)), "2026-10-04T01:00", 0, "Sun 2026-10-04 02:30 +1100"),
        (LORD_HOWE, (time(1, 45), time(7)), "2027-04-04T01:50", 0, "Sun 2027-04-04 01:30 +1030"),
        # A zone that left out a whole day.
        ("Pacific/Apia", NIGHT, "2011-12-29T22:00", 0, "Sat 2011-12-31 07:00 +1400"),
    ],
)
@pytest.mark.usefixtures("machine")
def test_clocks_that_are_set_neither_wake_nor_keep_anybody(
    zone: str, quiet: tuple[time, time], moment: str, fold: int, opening: str
) -> None:
    plan = Cadence(zone=zone, quiet=quiet)

    assert shown(plan.open_at(ANN, at(moment, zone, fold=fold)), zone) == opening


def test_a_minute_that_is_open_once_a_week_is_found_after_the_one_that_was_skipped() -> None:
    plan = Cadence(zone=BERLIN, quiet=(time(2, 31), time(2, 30)), working_days=frozenset({6}))

    assert shown(plan.open_at(ANN, at("2027-03-21T02:31"))) == "Sun 2027-04-04 02:30 +0200"


HOURS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
QUIET = st.none() | st.tuples(HOURS, HOURS).filter(lambda pair: pair[0] != pair[1])
DAYS = st.frozensets(st.integers(0, 6), min_size=1)
ZONES = st.sampled_from(
    [
        *(BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Etc/GMT+12", "Pacific/Kiritimati", "Asia/Kathmandu"),
        *("America/St_Johns", "Asia/Beirut", "Africa/Casablanca", "Pacific/Chatham"),
    ]
)
CHANGES = [
    *(at("2027-03-28T03:00"), at("2026-10-25T03:00", fold=1)),
    *(at("2027-03-14T03:00", NEW_YORK), at("2026-11-01T02:00", NEW_YORK, fold=1)),
    *(at("2026-10-04T02:30", LORD_HOWE), at("2027-04-04T02:00", LORD_HOWE, fold=1)),
    *(at("2028-02-29T00:00"), at("2026-12-31T23:59")),
]
NEAR_CHANGES = st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds),
    st.sampled_from(CHANGES),
    st.integers(-3 * 86400, 3 * 86400),
)
MOMENTS = NEAR_CHANGES | st.builds(
    datetime.fromtimestamp, st.integers(1_600_000_000, 2_400_000_000), tz=st.just(UTC)
)


def is_open(plan: Cadence, moment: datetime) -> bool:
    """Say by the clock and the calendar alone, minute by minute, whether the person may be told."""
    local = moment.astimezone(ZoneInfo(plan.zone))
    minute = 60 * local.hour + local.minute
    quiet = range(0)
    if plan.quiet:
        begin, end = (60 * hour.hour + hour.minute for hour in plan.quiet)
        quiet = range(begin, end if begin < end else end + 1440)
    return local.weekday() in plan.working_days and minute not in quiet and minute + 1440 not in quiet


@pytest.mark.slow
@given(moment=MOMENTS, zone=ZONES, quiet=QUIET, days=DAYS)
@example(CHANGES[0] - MINUTE, BERLIN, (time(3, 30), time(2, 30)), frozenset({6}))
def test_the_result_is_open_not_before_and_the_first_such(
    moment: datetime, zone: str, quiet: tuple[time, time] | None, days: frozenset[int]
) -> None:
    plan = Cadence(zone=zone, quiet=quiet, working_days=days)

    opening = plan.open_at(ANN, moment)

    assert opening >= moment
    assert opening.tzinfo is UTC
    assert is_open(plan, opening)
    assert plan.open_at(ANN, opening) == opening
    while (opening := opening - MINUTE) >= moment:
        assert not is_open(plan, opening)


# The hour of the digest.


@pytest.mark.parametrize(
    ("digest", "since", "told"),
    [
        (time(9), "2026-11-25T08:59", "Wed 2026-11-25 09:00 +0100"),
        (time(9), "2026-11-25T09:00", "Wed 2026-11-25 09:00 +0100"),
        (time(9), "2026-11-25T09:01", "Thu 2026-11-26 09:00 +0100"),
        (time(9), "2026-11-27T09:01", "Mon 2026-11-30 09:00 +0100"),
        (time(9), "2026-11-28T09:00", "Mon 2026-11-30 09:00 +0100"),
        # in quiet hours: put off to their end, together with what came up to then
        (time(6), "2026-11-25T05:00", "Wed 2026-11-25 07:00 +0100"),
        (time(6), "2026-11-25T06:30", "Wed 2026-11-25 07:00 +0100"),
        (time(6), "2026-11-25T07:00", "Wed 2026-11-25 07:00 +0100"),
        (time(6), "2026-11-25T07:01", "Thu 2026-11-26 07:00 +0100"),
        (time(21), "2026-11-27T12:00", "Mon 2026-11-30 07:00 +0100"),
        (time(21), "2026-11-28T12:00", "Mon 2026-11-30 07:00 +0100"),
    ],
)
def test_a_digest_goes_out_at_its_hour_of_the_next_working_day(digest: time, since: str, told: str) -> None:
    plan = Cadence(zone=BERLIN, quiet=NIGHT, working_days=WEEKDAYS, digest_at=digest)

    assert shown(plan.announce_at(ANN, at(since))) == told


@pytest.mark.parametrize(
    ("digest", "since", "told"),
    [
        (None, "2026-11-26T02:00", "Thu 2026-11-26 07:00 +0900"),
        (time(9), "2026-11-26T05:00", "Thu 2026-11-26 09:00 +0900"),
        (time(6), "2026-11-26T05:00", "Thu 2026-11-26 07:00 +0900"),
        (time(6), "2026-11-26T06:30", "Thu 2026-11-26 07:00 +0900"),
    ],
)
def test_a_person_in_another_zone_is_told_by_their_own_clock(
    digest: time | None, since: str, told: str
) -> None:
    plan = Cadence(zone=BERLIN, zones={"ken@example.jp": TOKYO}, quiet=NIGHT, digest_at=digest)

    assert shown(plan.announce_at("ken@example.jp", at(since, TOKYO)), TOKYO) == told


def test_without_a_digest_hour_only_quiet_hours_are_waited_for() -> None:
    plan = Cadence(zone=BERLIN, quiet=NIGHT)

    assert shown(plan.announce_at(ANN, at("2026-11-25T12:00"))) == "Wed 2026-11-25 12:00 +0100"
    assert shown(plan.announce_at(ANN, at("2026-11-25T21:00"))) == "Thu 2026-11-26 07:00 +0100"


def test_a_digest_hour_that_is_skipped_comes_after_the_skip_and_one_shown_twice_comes_once() -> None:
    plan = Cadence(zone=BERLIN, digest_at=time(2, 30))

    assert shown(plan.announce_at(ANN, at("2027-03-28T01:00"))) == "Sun 2027-03-28 03:30 +0200"
    assert shown(plan.announce_at(ANN, at("2026-10-25T01:00"))) == "Sun 2026-10-25 02:30 +0200"
    assert shown(plan.announce_at(ANN, at("2026-10-25T02:10", fold=1))) == "Mon 2026-10-26 02:30 +0100"


@given(since=MOMENTS, zone=ZONES, quiet=QUIET, days=DAYS, digest=HOURS)
def test_what_is_new_is_told_at_the_first_digest_that_is_open_and_not_before_it(
    since: datetime, zone: str, quiet: tuple[time, time] | None, days: frozenset[int], digest: time
) -> None:
    plan = Cadence(zone=zone, quiet=quiet, working_days=days, digest_at=digest)
    around = [since.astimezone(ZoneInfo(zone)).date() + timedelta(days=count) for count in range(-9, 10)]
    hours = [datetime.combine(day, digest, ZoneInfo(zone)) for day in around if day.weekday() in days]

    told = plan.announce_at(ANN, since)

    assert told == min(each for each in (plan.open_at(ANN, hour) for hour in hours) if each >= since)
    assert told.tzinfo is UTC
    assert is_open(plan, told)
    assert plan.announce_at(ANN, told) == told


def examples() -> list[list[str]]:
    """Return the rows of the page's table."""
    page = Path(__file__).parents[1] / "docs" / "cadence.md"
    table = page.read_text("utf-8").partition("<!-- examples -->\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]


@pytest.mark.parametrize(("since", "need_by", "told", "with_digest"), examples())
def test_the_examples_of_the_page_are_true(since: str, need_by: str, told: str, with_digest: str) -> None:
    plan = Cadence(zone=BERLIN, quiet=NIGHT, working_days=WEEKDAYS)
    moment = at(since[4:])
    day = None if need_by == "-" else date.fromisoformat(need_by)

    def announced(plan: Cadence) -> str:
        return shown(moment if plan.is_urgent(day, ANN, moment) else plan.announce_at(ANN, moment))[:20]

    assert shown(moment)[:20] == since
    assert announced(plan) == told
    assert announced(replace(plan, digest_at=time(9))) == with_digest


# What is needed soon.


@pytest.mark.parametrize(
    ("need_by", "days", "urgent"),
    [
        (None, 1, False),
        (date(2026, 11, 20), 1, True),
        (date(2026, 11, 27), 1, True),
        (date(2026, 11, 28), 1, True),
        (date(2026, 11, 29), 1, False),
        (date(2026, 11, 29), 2, True),
        (date(2026, 11, 20), 0, False),
    ],
)
def test_what_is_needed_within_some_days_or_was_is_urgent(
    need_by: date | None, days: int, *, urgent: bool
) -> None:
    plan = Cadence(zone=BERLIN, urgent_within=timedelta(days=days))

    assert plan.is_urgent(need_by, ANN, at("2026-11-27T21:00")) is urgent


def test_a_day_is_near_by_the_calendar_of_the_person() -> None:
    plan = Cadence(zone=BERLIN, zones={"x.test": "Pacific/Kiritimati", "y.test": "Etc/GMT+12"})
    now = at("2028-02-28T11:00", "UTC")

    near = {
        who: plan.is_urgent(date(2028, 3, 1), f"ann@{who}", now) for who in ("x.test", "y.test", "z.test")
    }

    assert near == {"x.test": True, "y.test": False, "z.test": False}


def test_the_day_that_is_an_hour_short_counts_as_a_day() -> None:
    plan = Cadence(zone=BERLIN)

    assert plan.is_urgent(date(2027, 3, 29), ANN, at("2027-03-28T00:30"))
    assert not plan.is_urgent(date(2027, 3, 29), ANN, at("2027-03-27T23:30"))


@pytest.mark.parametrize(
    ("zone", "need_by", "since", "told"),
    [
        # It is urgent a day before the person's own midnight, which comes before their next open hour.
        (BERLIN, date(2026, 11, 29), "2026-11-27T22:00", "Sat 2026-11-28 00:00 +0100"),
        (NEW_YORK, date(2026, 11, 29), "2026-11-27T22:00", "Sat 2026-11-28 00:00 -0500"),
        (TOKYO, date(2026, 11, 29), "2026-11-27T22:00", "Sat 2026-11-28 00:00 +0900"),
        (LONDON, date(2027, 3, 29), "2027-03-27T22:00", "Sat 2027-03-27 23:00 +0000"),
        # It is not urgent before they are awake, or needed on no day.
        (BERLIN, date(2026, 12, 20), "2026-11-27T22:00", "Mon 2026-11-30 07:00 +0100"),
        (NEW_YORK, None, "2026-11-27T22:00", "Mon 2026-11-30 07:00 -0500"),
        # It was open anyway.
        (TOKYO, date(2026, 12, 20), "2026-11-27T12:00", "Fri 2026-11-27 12:00 +0900"),
    ],
)
@pytest.mark.usefixtures("machine")
def test_what_becomes_urgent_at_night_is_told_when_it_does_by_the_persons_own_clock(
    zone: str, need_by: date | None, since: str, told: str
) -> None:
    plan = Cadence(zone=LORD_HOWE, zones={ANN: zone}, quiet=NIGHT, working_days=WEEKDAYS)

    assert shown(plan.told_at(need_by, ANN, at(since, zone)), zone) == told


def test_without_urgency_what_is_needed_soon_waits_for_the_morning() -> None:
    plan = Cadence(zone=BERLIN, quiet=NIGHT, urgent_within=timedelta(0))

    assert (
        shown(plan.told_at(date(2026, 11, 27), ANN, at("2026-11-27T22:00"))) == "Sat 2026-11-28 07:00 +0100"
    )


# Reminders and escalation.


@pytest.mark.parametrize(
    ("plan", "last", "due"),
    [
        (Cadence(zone=LONDON), "2027-03-25T12:00", "Fri 2027-03-26 09:00 +0000"),
        (Cadence(zone=LONDON, quiet=NIGHT), "2027-03-25T12:00", "Fri 2027-03-26 07:00 +0000"),
        (Cadence(zone=LONDON, digest_at=time(8)), "2027-03-25T12:00", "Fri 2027-03-26 08:00 +0000"),
        (Cadence(zone=LONDON), "2027-03-26T00:00", "Mon 2027-03-29 09:00 +0100"),
        (Cadence(zone=LONDON), "2027-03-26T12:00", "Mon 2027-03-29 09:00 +0100"),
        (Cadence(zone=LONDON), "2027-03-29T00:30", None),
    ],
)
@pytest.mark.usefixtures("machine")
def test_a_reminder_before_a_wanted_day_comes_in_the_morning_of_a_later_day(
    plan: Cadence, last: str, due: str | None
) -> None:
    plan = replace(plan, working_days=WEEKDAYS, remind_before=(1, 0))

    found = plan.countdown_at([date(2027, 3, 29)], last=at(last, LONDON), address=ANN)

    assert (found and shown(found, LONDON)) == due


def test_without_a_person_the_first_morning_of_all_zones_counts() -> None:
    plan = Cadence(zone=BERLIN, zones={ANN: TOKYO, "bob@x.test": NEW_YORK}, remind_before=(0,))
    day, last = date(2026, 11, 27), at("2026-11-24T12:00", "UTC")

    assert plan.countdown_at([day], last=last) == at("2026-11-27T09:00", TOKYO)
    after = at("2026-11-27T09:00", TOKYO)
    assert plan.countdown_at([day], last=last, after=after) == at("2026-11-27T09:00", BERLIN)
    assert plan.countdown_at([day], last=last, address="bob@x.test") == at("2026-11-27T09:00", NEW_YORK)
    assert plan.countdown_at([], last=last) is None
    assert replace(plan, remind_before=()).countdown_at([day], last=last) is None


def test_reminders_come_after_gaps_that_double_and_then_no_more() -> None:
    plan = Cadence(remind_after=timedelta(hours=24), remind_max=3)
    told = at("2026-11-25T09:00", "UTC")

    due, last = [], told
    for count in range(4):
        moment = plan.reminder_at(last=last, reminders=count)
        due.append(moment and (moment - told) / timedelta(days=1))
        last = moment or last

    assert due == [1, 3, 7, None]


def test_reminders_keep_to_quiet_hours_and_count_from_when_they_were_given() -> None:
    """These are the figures of docs/cadence.md."""
    plan = Cadence(zone=BERLIN, quiet=NIGHT, working_days=WEEKDAYS, remind_after=timedelta(hours=24))
    last = at("2026-11-25T12:00")
    given: list[str] = []

    while due := plan.reminder_at(last=last, reminders=len(given)):
        last = plan.open_at(ANN, due)
        given.append(shown(last)[:20])

    assert given == ["Thu 2026-11-26 12:00", "Mon 2026-11-30 07:00", "Fri 2026-12-04 07:00"]


def test_reminders_and_escalations_are_off_unless_asked_for() -> None:
    moment = at("2026-11-25T09:00")

    assert Cadence().reminder_at(last=moment, reminders=0) is None
    assert Cadence().escalation_at(first=moment) is None


def test_an_escalation_comes_so_long_after_the_first_notice() -> None:
    plan = Cadence(escalate_after=timedelta(hours=48))

    assert plan.escalation_at(first=at("2026-11-25T09:00")) == at("2026-11-27T09:00")


def test_what_is_due_is_said_in_utc_whatever_zone_the_last_time_is_in() -> None:
    plan = Cadence(remind_after=timedelta(hours=1), escalate_after=timedelta(hours=2))
    told = at("2026-11-25T09:00").astimezone(ZoneInfo(TOKYO))

    due = [plan.reminder_at(last=told, reminders=0), plan.escalation_at(first=told)]

    assert [each and shown(each) for each in due] == [
        "Wed 2026-11-25 10:00 +0100",
        "Wed 2026-11-25 11:00 +0100",
    ]


def test_what_is_due_after_the_end_of_the_calendar_is_never_due() -> None:
    plan = Cadence(remind_after=timedelta(hours=720), remind_max=100, escalate_after=timedelta(days=900))

    assert plan.reminder_at(last=at("2026-11-25T09:00"), reminders=99) is None
    assert plan.reminder_at(last=datetime(9999, 12, 30, tzinfo=UTC), reminders=0) is None
    assert plan.escalation_at(first=datetime(9999, 1, 1, tzinfo=UTC)) is None


# What the settings may say.


def test_a_cadence_without_an_open_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="working day"):
        Cadence(working_days=frozenset())
    with pytest.raises(ValueError, match="quiet hours"):
        Cadence(quiet=(time(7), time(7)))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("MON, tue ,Sat", {0, 1, 5}),
        ("sun-thu", {6, 0, 1, 2, 3}),
        ("mon - sun", set(range(7))),
        ("tue-mon", set(range(7))),
        ("fri-fri", {4}),
        ("mon-wed,tue", {0, 1, 2}),
    ],
)
def test_days_are_read(text: str, days: set[int]) -> None:
    assert read_days(text) == days


@pytest.mark.parametrize(
    "text",
    ["", ",", "CANARY", "mon,CANARY", "mon-", "-mon", "mon-tue-wed", "monday", "mon,", "mon;tue", "0-4"],
)
def test_what_are_no_days_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be days such as mon-fri or mon,wed,sat, of mon, ") as error:
        read_days(text)

    assert "CANARY" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("20:00-07:00", NIGHT),
        (" 20:00 - 7:00 ", NIGHT),
        ("00:00-23:59", (time(0), time(23, 59))),
        ("", None),
        (" ", None),
    ],
)
def test_hours_are_read(text: str, hours: tuple[time, time] | None) -> None:
    assert read_hours(text) == hours


@pytest.mark.parametrize(
    "text",
    [
        *("CANARY", "20:00", "20:00-", "-07:00", "20:00-20:00", "20:00-24:00", "20-7", "20:00-07:00-08:00"),
        *("20:60-07:00", "\u0662\u0660:00-07:00", "20:00:30-07:00", "CANARY-07:00", "20:00\u201307:00"),
    ],
)
def test_what_are_no_hours_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be two different hours such as 20:00-07:00, ") as error:
        read_hours(text)

    assert "CANARY" not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("text", ["CANARY", "9", "09:0", "24:00", "09:60", "-9:00", "09:00-10:00", "9:00 pm"])
def test_what_is_no_hour_is_refused_without_being_shown(text: str) -> None:
    assert read_hour(" 9:05 ") == time(9, 5)

    with pytest.raises(ValueError, match=r"^must be an hour such as 09:00, from 00:00 to 23:59$"):
        read_hour(text)


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("{}", {}),
        ('{"x.test": "UTC"}', {"x.test": "UTC"}),
        ('{"Ann@X.test": " Europe/Berlin "}', {"ann@x.test": BERLIN}),
    ],
)
def test_zones_are_read(text: str, zones: dict[str, str]) -> None:
    assert read_zones(text) == zones


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("CANARY", "must be a JSON object"),
        ("[]", "must be a JSON object"),
        ('[["x.test", "UTC"]]', "must be a JSON object"),
        ("[" * 10_000, "must be a JSON object"),
        ('"CANARY"', "must be a JSON object"),
        ('{"CANARY": "UTC"}', "must be a JSON object"),
        ('{"@CANARY.test": "UTC"}', "must be a JSON object"),
        ('{"a@b@CANARY.test": "UTC"}', "must be a JSON object"),
        ('{"Europe/CANARY": "x.test"}', "must be a JSON object"),
        ('{"x.test": "CANARY"}', "must be an IANA time zone"),
        ('{"x.test": 5}', "must be an IANA time zone"),
        ('{"x.test": {"y.test": "UTC"}}', "must be an IANA time zone"),
        ('{"CANARY.test": "UTC", "canary.test": "UTC"}', "must not name an address or a domain twice"),
    ],
)
def test_what_are_no_zones_is_refused_without_being_shown(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}") as error:
        read_zones(text)

    assert "canary" not in str(error.value).lower()
    assert error.value.__cause__ is None


def test_a_zone_is_named_as_the_database_names_it() -> None:
    assert read_zone(" Europe/Berlin ") == BERLIN
    for wrong in ("", "Berlin", "+01:00", "/etc/localtime", "Europe"):
        with pytest.raises(ValueError, match=r"^must be an IANA time zone such as Europe/Berlin$"):
            read_zone(wrong)
