"""Find the known name that a misspelt one may mean.

It knows no setting: the names that there are come in. Only what is nearly one of them is taken for a mistake,
so that the names of other systems are left alone.
"""

from __future__ import annotations

import re
from functools import lru_cache

_ODD = re.compile(r"[^A-Z0-9]")
_SHORT, _MIDDLING = 7, 10
"""Up to so many letters only an `S` may be wrong, and then only one letter; in longer ones two."""


@lru_cache(1_024)  # an environment names the same things whenever it is read
def meant(name: str, known: tuple[str, ...], *, guarded: tuple[str, ...] = ()) -> str:
    """Return the nearest known name; empty if none is near.

    Args:
        name: the name as written.
        known: those that there are.
        guarded: those in which one letter may be wrong, however short they are.

    >>> meant("REMIND_AFTER_HOUR", ("REMIND_AFTER_HOURS",)), meant("time-zone", ("TIME_ZONE",))
    ('REMIND_AFTER_HOURS', 'TIME_ZONE')
    >>> meant("DELAY", ("RELAY",)), meant("PILOTS", ("PILOT",)), meant("HOME", ("PILOT",))
    ('', 'PILOT', '')
    >>> meant("TIMEZONES", ("TIME_ZONE", "TIME_ZONES"))
    'TIME_ZONES'
    >>> meant("PILO", ("PILOT",)), meant("PILO", ("PILOT",), guarded=("PILOT",))
    ('', 'PILOT')
    """
    near = [
        each for each in known if name != each and _is_near(name.upper(), each, is_guarded=each in guarded)
    ]
    return min(near, key=lambda each: _edits(_letters(name), _letters(each)), default="")


def _letters(name: str) -> str:
    return _ODD.sub("", name.upper())


def _is_near(name: str, known: str, *, is_guarded: bool) -> bool:
    words, others = name.split("_"), known.split("_")
    if sorted(words) == sorted(others) or (len(words) > 1 and words == others[:-1]):
        return True
    left, right = _letters(name), _letters(known)
    if left == right or left.removesuffix("S") == right.removesuffix("S"):
        return True
    if is_guarded and min(_edits(name, known), _edits(name, right)) <= 1:
        return True
    limit = 0 if len(right) <= _SHORT else 1 if len(right) <= _MIDDLING else 2
    return abs(len(left) - len(right)) <= limit and _edits(left, right) <= limit


def _edits(left: str, right: str) -> int:
    """Return how many letters must be put in, taken out, changed or swapped with the next one."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for place, letter in enumerate(left, 1):
        previous, row, older = row, [place], before
        for at, other in enumerate(right, 1):
            least = min(previous[at] + 1, row[at - 1] + 1, previous[at - 1] + (letter != other))
            if older and at > 1 and letter == right[at - 2] and left[place - 2] == other:
                least = min(least, older[at - 2] + 1)
            row.append(least)
        before = previous
    return row[-1]
