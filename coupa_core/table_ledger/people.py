"""The columns with the state of each person, also in the form of release 0.2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from coupa_core.ledger import PersonState
from coupa_core.table_ledger.values import (
    json_text,
    read_json,
    read_map,
    read_number,
    read_text,
    read_time,
    time_text,
)

_MAX_FIGURES = 24_000
"""Characters of shown figures in one row: a text in a table takes 32,768. The oldest figures are left out.

Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""


def write_people(told: Mapping[str, PersonState]) -> dict[str, Any]:
    """Write the state of each person, in columns that release 0.2 can read, too, as far as it knows them.

    `told` has the versions; `people` has lists: place in `cards`, then when told, reminders, when reminded,
    refusals, when tried again. `cards` has each pair of an approver's key and shown figures once, and `since`
    when people were first told: with it `people` of a large group would be too long.
    `sent_at`, `reminders` and `reminded_at` are for release 0.2, which kept them of everybody together.
    """
    if not told:
        return {}
    cards = _cards(told.values())
    people: dict[str, list[Any]] = {}
    for key, each in told.items():
        card = cards.get((each.to, each.figures))
        if card is None:
            card = cards.setdefault((each.to, ""), len(cards))
        values = [card, each.at, each.reminders, each.reminded_at, each.refusals, each.retry_at]
        people[key] = _without_trailing_empty(list(map(time_text, values)))
    since = {key: time_text(each.since) for key, each in told.items() if each.since}
    columns: dict[str, Any] = {
        "told": json_text({key: each.version for key, each in told.items()}),
        "people": json_text(people),
        "cards": json_text(list(cards)),
        "since": json_text(since) if since else "",
        "sent_at": time_text(_latest(each.at for each in told.values())),
        "reminders": max(each.reminders for each in told.values()),
        "reminded_at": time_text(_latest(each.reminded_at for each in told.values())),
    }
    return {name: value for name, value in columns.items() if value}


def _cards(told: Iterable[PersonState]) -> dict[tuple[str, str], int]:
    """Return the place of each pair of approver and figures; the oldest figures may have no room."""
    cards: dict[tuple[str, str], int] = {}
    room = _MAX_FIGURES
    for each in sorted(told, key=lambda each: each.at.timestamp() if each.at else 0.0, reverse=True):
        if (each.to, each.figures) not in cards and len(each.figures) <= room:
            cards[each.to, each.figures] = len(cards)
            room -= len(each.figures)
    return cards


def _latest(times: Iterable[datetime | None]) -> datetime | None:
    return max(filter(None, times), default=None)


def _without_trailing_empty(values: list[Any]) -> list[Any]:
    """Remove empty values at the end."""
    while len(values) > 1 and not values[-1]:
        values.pop()
    return values


def read_people(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `Entry` that the columns about people hold, as far as there are such columns.

    Raises:
        ValueError: a column is of a wrong type; the text names it.
    """
    versions = read_map("told", row["told"]) if "told" in row else {}
    if "people" in row:
        return {"told": _read_states(row, versions)}
    return _read_release_0_2(row, versions) if versions else {}


def _read_states(row: Any, versions: dict[str, str]) -> dict[str, PersonState]:
    """Read the state of each person; raises ValueError."""
    people, cards = read_json("people", row["people"], dict), read_json("cards", row.get("cards"), list)
    since = read_map("since", row["since"]) if "since" in row else {}
    told = {}
    try:
        for key, version in versions.items():
            card, at, reminders, reminded_at, refusals, retry_at = [*people[key], *[None] * 6][:6]
            to, figures = cards[card]
            told[key] = PersonState(
                version=version,
                to=read_text("to", to),
                at=at and read_time("at", at),
                since=read_time("since", since[key]) if key in since else None,
                figures=read_text("facts", figures),
                reminders=read_number("reminders", reminders or 0),
                reminded_at=reminded_at and read_time("reminded_at", reminded_at),
                refusals=read_number("refusals", refusals or 0),
                retry_at=retry_at and read_time("retry_at", retry_at),
            )
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"people or cards cannot be read: {type(error).__name__}") from error
    return told


def _read_release_0_2(row: Any, versions: dict[str, str]) -> dict[str, Any]:
    """Read a row of release 0.2, which kept the figures and times of the last notice for everybody.

    If people have different versions the figures could be anybody's, so nobody gets them.
    """
    at = read_time("sent_at", row["sent_at"]) if "sent_at" in row else None
    reminded_at = read_time("reminded_at", row["reminded_at"]) if "reminded_at" in row else None
    names = {version for version in versions.values() if version}
    common = PersonState(
        to=read_text("sent_to", row.get("sent_to", "")),
        at=at,
        figures=read_text("shown", row.get("shown", "")) if len(names) == 1 else "",
        reminders=read_number("reminders", row.get("reminders", 0)),
        reminded_at=reminded_at,
    )
    return {
        "told": {
            key: replace(common, version=version) if version else PersonState()
            for key, version in versions.items()
        },
        "first_told_at": at,
        "failures": read_number("refusals", row.get("refusals", 0)),
    }
