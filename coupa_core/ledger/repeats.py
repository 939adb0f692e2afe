"""The operators' requests to tell people again: one note of the ledger, which every sweep reads.

A repeat names no approvals: sweeps send every notice from before the request once more. The time of a
person's last notice shows whether that is done, so nothing is sent twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.ledger.entry import Entry, PersonState, State
from coupa_core.model import stamp

REPEATS = "repeats"
"""The name of the note."""

MAX_REPEATS, MAX_NOTE = 20, 30_000
"""The most repeats in the note, and its most characters; a property of a table row may have 32,768.

Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

KEPT_FOR = timedelta(days=1)
"""The least time for which a repeat is kept, so that the same request is recognised."""


@dataclass(frozen=True)
class Repeat:
    """One request to tell people again.

    Attributes:
        key: the fingerprint of the caller's name for it; the same name is the same repeat.
        at: the time of the request; earlier notices are sent again.
        people: the people who are told again.
        since: still earlier notices are not sent again; None for no limit.
        approvals: the number of approvals that it concerned then.
        waiting_for_pilot: the number of those with a person outside the pilot, who has to wait.
        nothing_for: the entries of `people` that matched nobody who was told before.
    """

    key: str
    at: datetime
    people: Audience = EVERYBODY
    since: datetime | None = None
    approvals: int = 0
    waiting_for_pilot: int = 0
    nothing_for: tuple[str, ...] = ()

    def is_about(self, was: PersonState, address: str) -> bool:
        """Tell whether a person with this state is told again."""
        return self.covers(was) and self.people.has(address)

    def covers(self, was: PersonState) -> bool:
        """Tell whether the last notice was before the repeat, and not before `since`."""
        if was.at is None:  # it belongs to the backlog that counts as told
            return bool(was.version) and self.since is None
        return was.at < self.at and (self.since is None or was.at >= self.since)

    def keys(self, entry: Entry) -> set[str]:
        """Return the keys of the people who may be told again of this approval, regardless of `people`."""
        told = {} if entry.has_ended else entry.told
        return {key for key, each in told.items() if each.version and self.covers(each)}

    def is_same(self, other: Repeat) -> bool:
        """Tell whether another repeat asks for the same."""
        return (self.people, self.since) == (other.people, other.since)

    def includes(self, older: Repeat) -> bool:
        """Tell whether this repeat covers everything that an older one does."""
        has_all = self.people.is_everybody or (
            not older.people.is_everybody and set(older.people.entries) <= set(self.people.entries)
        )
        is_since = self.since is None or (older.since is not None and self.since <= older.since)
        return self.at > older.at and has_all and is_since


def reach_id(pilot: Audience, repeats: Iterable[Repeat]) -> str:
    """Return the id of a reach, which rows keep; empty for everybody and no repeat."""
    # The id has all repeats: with two clocks that differ, an older one may begin after a newer one.
    keys = ",".join(each.key for each in repeats)
    return "-".join(filter(None, (pilot.id, keys and sha256(keys.encode()).hexdigest()[:16])))


def undone(
    repeats: Sequence[Repeat], rows: Iterable[Entry], pilot: Audience
) -> list[list[tuple[Repeat, str]]]:
    """Return for each approval the repeats that may concern it, with the keys of the people concerned.

    A row that was judged under all repeats and needs no message is done.
    """
    wanted = reach_id(pilot, repeats)
    left = (row for row in rows if row.state is not State.SENT or row.reach != wanted)
    found = ([(each, key) for each in repeats for key in sorted(each.keys(row))] for row in left)
    return [pairs for pairs in found if pairs]


def key_of(name: str) -> str:
    """Return the fingerprint of the caller's name for a repeat."""
    return sha256(name.encode()).hexdigest()[:16]


def read_repeats(text: str) -> list[Repeat]:
    """Read the note; empty if it is invalid."""
    try:
        return [
            Repeat(
                key=str(values["key"]),
                at=datetime.fromisoformat(values["at"]),
                people=Audience(tuple(values["people"])),
                since=stamp(values["since"]),
                approvals=int(values["approvals"]),
                waiting_for_pilot=int(values.get("waiting_for_pilot", 0)),
                nothing_for=tuple(values["people"][place] for place in values.get("nothing_for", ())),
            )
            for values in json.loads(text or "[]")
        ]
    except (LookupError, TypeError, ValueError):
        return []


def add_repeat(
    repeats: Sequence[Repeat], another: Repeat, unfinished: Callable[[], Collection[str]]
) -> list[Repeat] | None:
    """Add a repeat, and return the repeats to keep; None if there is no room for one more.

    If room is needed, repeats that are a day old go: first those that are done, then those that a later one
    covers.

    Args:
        repeats: in the order of the requests.
        another: the new one.
        unfinished: returns the keys of the repeats that are not done.
    """
    kept = [*repeats, another]
    old = [] if _fits(kept) else [each for each in repeats if each.at <= another.at - KEPT_FOR]
    needed = unfinished() if old else ()
    for each in sorted(old, key=lambda each: each.key in needed):
        if not _fits(kept) and (each.key not in needed or any(later.includes(each) for later in kept)):
            kept.remove(each)
    return kept if _fits(kept) else None


def _fits(repeats: Sequence[Repeat]) -> bool:
    return len(repeats) <= MAX_REPEATS and len(write_repeats(repeats)) <= MAX_NOTE


def write_repeats(repeats: Iterable[Repeat]) -> str:
    """Write the note."""
    values = [
        {
            "key": each.key,
            "at": each.at.isoformat(),
            "people": list(each.people.entries),
            "since": each.since.isoformat() if each.since else None,
            "approvals": each.approvals,
            "waiting_for_pilot": each.waiting_for_pilot,
            "nothing_for": [each.people.entries.index(entry) for entry in each.nothing_for],
        }
        for each in repeats
    ]
    return json.dumps(values, separators=(",", ":"))
