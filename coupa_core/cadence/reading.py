"""Read the settings of a cadence: zones, hours and days. A ValueError states the valid form."""

from __future__ import annotations

import re
from datetime import time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coupa_core.addresses import folded
from coupa_core.cadence.hours import DAYS
from coupa_core.environment import pairs_of

_MAX_BEFORE = 30
_NO_ZONES = (
    "must be a JSON object from e-mail addresses or domains to IANA time zones "
    'such as {"example.de": "Europe/Berlin"}'
)
_WHO = re.compile(r"([^\s@]+@)?([\w-]+\.)+[\w-]+")


def read_before(text: str) -> tuple[int, ...]:
    """Read numbers of days, each once, the greatest first.

    >>> read_before("1, 3,1"), read_before("30"), read_before("")
    ((3, 1), (30,), ())
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(re.fullmatch("[0-9]{1,2}", part) and int(part) <= _MAX_BEFORE for part in parts):
        raise ValueError(f"must be numbers of days such as 3,1, from 0 to {_MAX_BEFORE}")
    return tuple(sorted({int(part) for part in parts}, reverse=True))


def read_zone(text: str) -> str:
    """Read the name of a time zone.

    >>> read_zone("Europe/Berlin")
    'Europe/Berlin'
    """
    name = text.strip()
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ValueError("must be an IANA time zone such as Europe/Berlin") from None
    return name


def read_zones(text: str) -> dict[str, str]:
    """Read a JSON object of e-mail addresses or domains and their time zones.

    >>> read_zones('{"Example.de": "Europe/Berlin", "ann@example.de": "Asia/Tokyo"}')
    {'example.de': 'Europe/Berlin', 'ann@example.de': 'Asia/Tokyo'}
    """
    pairs = pairs_of(text)
    if pairs is None or not all(_WHO.fullmatch(who) for who, _ in pairs):
        raise ValueError(_NO_ZONES)
    zones = {folded(who): read_zone(zone if isinstance(zone, str) else "") for who, zone in pairs}
    if len(zones) < len(pairs):
        raise ValueError("must not name an address or a domain twice")
    return zones


def read_hour(text: str) -> time | None:
    """Read an hour of the day, or nothing.

    >>> read_hour("9:00"), read_hour("")
    (datetime.time(9, 0), None)
    """
    if not text.strip():
        return None
    found = re.fullmatch(r"\s*([0-9]{1,2}):([0-9]{2})\s*", text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:  # noqa: PLR2004 (a day's hours)
        raise ValueError("must be an hour such as 09:00, from 00:00 to 23:59")
    return time(int(found[1]), int(found[2]))


def read_hours(text: str) -> tuple[time, time] | None:
    """Read a range of hours, or nothing.

    >>> read_hours("20:00-07:00")
    (datetime.time(20, 0), datetime.time(7, 0))
    """
    if not text.strip():
        return None
    begin, _, end = text.partition("-")
    try:
        hours = read_hour(begin), read_hour(end)
    except ValueError:
        hours = None, None
    if hours[0] is None or hours[1] is None or hours[0] == hours[1]:
        raise ValueError("must be two different hours such as 20:00-07:00, from 00:00 to 23:59")
    return hours[0], hours[1]


def read_days(text: str) -> frozenset[int]:
    """Read days of the week and ranges of them; Monday is 0.

    >>> sorted(read_days("mon-wed, Sat")), sorted(read_days("sun-thu"))
    ([0, 1, 2, 5], [0, 1, 2, 3, 6])
    """
    days: set[int] = set()
    for part in text.lower().split(","):
        begin, dash, end = (each.strip() for each in part.partition("-"))
        if begin not in DAYS or (dash and end not in DAYS):
            raise ValueError(f"must be days such as mon-fri or mon,wed,sat, of {', '.join(DAYS)}")
        first, last = DAYS.index(begin), DAYS.index(end if dash else begin)
        days |= {(first + count) % len(DAYS) for count in range((last - first) % len(DAYS) + 1)}
    return frozenset(days)
