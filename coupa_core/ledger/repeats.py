"""An operator's words that people are told again: one note of the ledger, which every sweep reads.

A repeat names no approvals: whatever was told before it was asked for is told once more, by whichever sweep
comes to it. The time at which somebody was told says whether that is done, so that nothing is told twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.ledger.rules import Entry, PersonState, State
from coupa_core.model import stamp

REPEATS = "repeats"
"""The name of the note."""

MAX_REPEATS, MAX_NOTE = 20, 30_000
"""Repeats that are kept, and characters of all; a property of a table row may have 32,768.

Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

KEPT_FOR = timedelta(days=1)
"""So long a repeat is kept at least, so that the same word again is known."""


@dataclass(frozen=True)
class Repeat:
    """What was told before is told again.

    Attributes:
        key: fingerprint of the caller's name for it; the same one again is the same repeat.
        at: when it was asked for: what was told before is told again.
        people: who is told again.
        since: what was told before is not told again; None for everything.
        approvals: of how many somebody was to be told again then.
        waiting_for_pilot: of how many of them somebody has to wait until `PILOT` names them.
        nothing_for: of `people` those entries that named nobody who was to be told again.
    """

    key: str
    at: datetime
    people: Audience = EVERYBODY
    since: datetime | None = None
    approvals: int = 0
    waiting_for_pilot: int = 0
    nothing_for: tuple[str, ...] = ()

    def is_about(self, was: PersonState, address: str) -> bool:
        """Tell whether somebody is told again what they were told so."""
        return self.covers(was) and self.people.has(address)

    def covers(self, was: PersonState) -> bool:
        """Tell whether this was said before the repeat, and not too long before."""
        if was.at is None:  # it counts as told because it was there before the bridge began
            return bool(was.version) and self.since is None
        return was.at < self.at and (self.since is None or was.at >= self.since)

    def keys(self, entry: Entry) -> set[str]:
        """Return who may have to be told again of this approval, whoever is meant."""
        told = {} if entry.has_ended else entry.told
        return {key for key, each in told.items() if each.version and self.covers(each)}

    def is_same(self, other: Repeat) -> bool:
        """Tell whether another one asks for the same."""
        return (self.people, self.since) == (other.people, other.since)

    def includes(self, older: Repeat) -> bool:
        """Tell whether nothing is lost without an older one: this one tells all that it does."""
        has_all = self.people.is_everybody or (
            not older.people.is_everybody and set(older.people.entries) <= set(self.people.entries)
        )
        is_since = self.since is None or (older.since is not None and self.since <= older.since)
        return self.at > older.at and has_all and is_since


def mark_of(pilot: Audience, repeats: Iterable[Repeat]) -> str:
    """Return by which a row remembers whom messages reached when it was judged; empty for everybody, once."""
    # All of them: of two clocks that differ, an older one may come of age after a newer one.
    keys = ",".join(each.key for each in repeats)
    return "-".join(filter(None, (pilot.mark, keys and sha256(keys.encode()).hexdigest()[:16])))


def undone(
    repeats: Sequence[Repeat], rows: Iterable[Entry], pilot: Audience
) -> list[list[tuple[Repeat, str]]]:
    """Return for each approval that repeats may be about which they are, and the keys of whom they may mean.

    A row that was judged under all of them, and of which nobody is to be told anything, is done with.
    """
    mark = mark_of(pilot, repeats)
    left = (row for row in rows if row.state is not State.SENT or row.reach != mark)
    found = ([(each, key) for each in repeats for key in sorted(each.keys(row))] for row in left)
    return [pairs for pairs in found if pairs]


def key_of(name: str) -> str:
    """Return the fingerprint of the caller's name for a repeat."""
    return sha256(name.encode()).hexdigest()[:16]


def read_repeats(text: str) -> list[Repeat]:
    """Read the note; one that cannot be read has no repeats."""
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


def with_another(
    repeats: Sequence[Repeat], another: Repeat, waited_for: Callable[[], Collection[str]]
) -> list[Repeat] | None:
    """Return the repeats to keep; None where there is no room for one more.

    Where room is needed, those go that are a day old: first what is done, then what a later one tells, too.

    Args:
        repeats: in the order in which they were asked for.
        another: the new one.
        waited_for: returns the keys of those at which somebody may still have to be told again.
    """
    kept = [*repeats, another]
    old = [] if _fits(kept) else [each for each in repeats if each.at <= another.at - KEPT_FOR]
    needed = waited_for() if old else ()
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
