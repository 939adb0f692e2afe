"""Compute when a person may be disturbed, and when announcements, reminders and escalations are due.

Pure: times come in and go out, as aware UTC. A time is closed while the person's clock shows quiet hours, or
their calendar no working day; otherwise it is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from coupa_core.addresses import folded

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY = timedelta(days=1)
_NINE = time(9)
_AROUND = range(-len(DAYS) - 1, len(DAYS) + 2)
"""Offsets of days around today that certainly include a past and a future working day."""


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """When and how often a deployment disturbs people.

    Coupa does not say in which time zone a user lives: its Users API has `default-locale` and no zone.
    Zones are therefore settings.
    Source: https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
    (Users API)

    Attributes:
        zone: IANA zone of everybody who is not in `zones`.
        zones: IANA zone by e-mail address or domain in lower case; an address beats its domain.
        quiet: begin and end of the quiet hours, on every day; they may cross midnight.
        working_days: at least one; Monday is 0.
        urgent_within: an approval that is needed within this time is told at any hour; zero for never.
        digest_over: more messages than this to one person in one sweep become one; 0 for never.
        digest_at: the hour for which new approvals wait.
        remind_after: from the announcement to the first reminder; then the gap doubles each time.
        remind_max: the most reminders of one version after silence.
        remind_before: reminders come so many working days before a wanted day, too.
        escalate_after: from the announcement to the escalation.

    Raises:
        ValueError: no working day, or quiet hours that begin when they end: the search would not end.
    """

    zone: str = "UTC"
    zones: Mapping[str, str] = field(default_factory=dict)
    quiet: tuple[time, time] | None = None
    working_days: frozenset[int] = frozenset(range(len(DAYS)))
    urgent_within: timedelta = _DAY
    digest_over: int = 10
    digest_at: time | None = None
    remind_after: timedelta | None = None
    remind_max: int = 3
    remind_before: tuple[int, ...] = ()
    escalate_after: timedelta | None = None

    def __post_init__(self) -> None:
        if not self.working_days & set(range(len(DAYS))):
            raise ValueError("a week needs a working day")
        if self.quiet and self.quiet[0] == self.quiet[1]:
            raise ValueError("quiet hours must leave some of the day")

    def zone_of(self, address: str) -> str:
        """Return the IANA zone in which a person lives, by e-mail address; a domain is not its subdomains."""
        own = folded(address)
        return self.zones.get(own) or self.zones.get(own.rpartition("@")[2]) or self.zone

    def open_at(self, address: str, at: datetime) -> datetime:
        """Return the earliest open time for this person from `at` on: `at` itself when it is open.

        Quiet hours hold on every day: those of Friday evening reach into Saturday, and those of Sunday into
        Monday. With Monday to Friday, 20:00 to 07:00, a message of Friday 21:00 waits for Monday 07:00.
        An hour that a clock skips or has twice is quiet where the clock shows a quiet hour.
        """
        zone, moment = ZoneInfo(self.zone_of(address)), at.astimezone(UTC)
        while True:
            wall = moment.astimezone(zone).replace(tzinfo=None)
            opening = moment + (self._open_wall(wall) - wall)
            change = _next_clock_change(zone, moment, opening)
            if change is None:
                return opening
            moment = change  # the clock changed on the way: search again from there

    def _open_wall(self, wall: datetime) -> datetime:
        """Return the next open time on a wall clock that is never set."""
        while True:
            if wall.weekday() not in self.working_days:
                wall = datetime.combine(wall.date() + _DAY, time())
            elif until := self._quiet_until(wall):
                wall = until
            else:
                return wall

    def _quiet_until(self, wall: datetime) -> datetime | None:
        if self.quiet is None:
            return None
        begin, end = self.quiet
        is_quiet = begin <= wall.time() < end if begin < end else not end <= wall.time() < begin
        until = datetime.combine(wall.date(), end)
        return (until if until > wall else until + _DAY) if is_quiet else None

    def announce_at(self, address: str, since: datetime) -> datetime:
        """Return when an approval that is new since then is announced: at the next digest hour or open time.

        The digest hour is on the person's clock, on working days. A digest hour within quiet hours moves to
        their end, and approvals that come until then are part of it. An hour that a day has twice counts the
        first time; a skipped hour is as long after the skip as it would have been.
        """
        if self.digest_at is None:
            return self.open_at(address, since)
        zone = ZoneInfo(self.zone_of(address))
        today = since.astimezone(zone).date()
        days = [today + count * _DAY for count in _AROUND]
        hours = [
            datetime.combine(day, self.digest_at, zone).astimezone(UTC)
            for day in days
            if day.weekday() in self.working_days
        ]
        put_off = self.open_at(address, max(hour for hour in hours if hour < since))
        if put_off >= since:
            return put_off
        return self.open_at(address, min(hour for hour in hours if hour >= since))

    def is_urgent(self, need_by: date | None, address: str, now: datetime) -> bool:
        """Tell whether an approval is needed so soon, by the person's calendar, that any hour will do."""
        if need_by is None or not self.urgent_within:
            return False
        local = now.astimezone(ZoneInfo(self.zone_of(address)))
        return need_by <= (local + self.urgent_within).date()

    def told_at(self, need_by: date | None, address: str, since: datetime) -> datetime:
        """Return when an approval that is not urgent yet is announced: once it is urgent, or when open."""
        opening = self.open_at(address, since)
        if need_by is None or not self.urgent_within:
            return opening
        midnight = datetime.combine(need_by, time(), ZoneInfo(self.zone_of(address)))
        return min(opening, midnight.astimezone(UTC) - self.urgent_within)

    def reminder_at(self, *, last: datetime, reminders: int) -> datetime | None:
        """Return when the next reminder is due; None for no reminder.

        Args:
            last: when this person was last told or reminded of this version.
            reminders: the number of earlier reminders of it.
        """
        if self.remind_after is None or reminders >= self.remind_max:
            return None
        try:
            gap: timedelta = self.remind_after * 2**reminders
            return last.astimezone(UTC) + gap
        except OverflowError:  # later than any calendar
            return None

    def countdown_at(
        self,
        wanted_by: Iterable[date],
        *,
        last: datetime,
        address: str | None = None,
        after: datetime | None = None,
    ) -> datetime | None:
        """Return when the next reminder before a wanted day is due; None for no reminder.

        It is due in the morning, on a later day than the person's last message: after a message on the day
        itself no reminder is needed, and days that were missed make one reminder.

        Args:
            wanted_by: the days from which to count back.
            last: when they were last told or reminded of this version.
            address: for the person's own calendar; None for the earliest calendar of all.
            after: reminders that were due at this time or before do not count.
        """
        days = {
            _working_day_before(day, number, self.working_days)
            for day in wanted_by
            for number in self.remind_before
        }
        if not days:
            return None
        mornings = []
        for zone in {self.zone, *self.zones.values()} if address is None else {self.zone_of(address)}:
            heard_on = last.astimezone(ZoneInfo(zone)).date()
            mornings += [_first_time(day, self._morning, zone) for day in days if day > heard_on]
        return min((each for each in mornings if after is None or each > after), default=None)

    @property
    def _morning(self) -> time:
        """Return the hour of the morning reminders: that of the digest, or the end of quiet hours."""
        if self.digest_at is not None:
            return self.digest_at
        return self.quiet[1] if self.quiet else _NINE

    def escalation_at(self, *, first: datetime) -> datetime | None:
        """Return when a wait that began with this first notice is escalated; None for never."""
        if self.escalate_after is None:
            return None
        try:
            return first.astimezone(UTC) + self.escalate_after
        except OverflowError:
            return None


def _next_clock_change(zone: ZoneInfo, begin: datetime, end: datetime) -> datetime | None:
    """Return the first time after `begin`, up to `end`, at which the zone's clocks are set; or None."""
    offset = begin.astimezone(zone).utcoffset()
    while begin < end:
        after = min(begin + _DAY, end)  # no zone sets its clocks twice within a day
        if after.astimezone(zone).utcoffset() != offset:
            while after - begin > timedelta.resolution:
                middle = begin + (after - begin) // 2
                if middle.astimezone(zone).utcoffset() == offset:
                    begin = middle
                else:
                    after = middle
            return after
        begin = after
    return None


@lru_cache(maxsize=10_000)
def _first_time(day: date, hour: time, zone: str) -> datetime:
    """Return the first time on a day at which a zone's clocks show this hour."""
    return datetime.combine(day, hour, ZoneInfo(zone)).astimezone(UTC)


@lru_cache(maxsize=10_000)
def _working_day_before(day: date, number: int, working_days: frozenset[int]) -> date:
    """Return the working day that is `number` before a day; 0 for the day itself, or the last one before it.

    >>> monday_to_friday = frozenset(range(5))
    >>> [str(_working_day_before(date(2026, 12, 7), number, monday_to_friday)) for number in (0, 1, 3)]
    ['2026-12-07', '2026-12-04', '2026-12-02']
    >>> str(_working_day_before(date(2026, 12, 6), 0, monday_to_friday))
    '2026-12-04'
    """
    left = number
    while left or day.weekday() not in working_days:
        day -= _DAY
        left -= bool(left) and day.weekday() in working_days
    return day
