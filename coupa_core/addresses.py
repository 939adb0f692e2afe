"""E-mail addresses as this package compares them: capitals do not matter, everything else does.

It is the only home of that rule: nothing else folds an address. It does not say what an address is.
"""

from __future__ import annotations


def folded(address: str | None) -> str:
    """Return an address without regard to capitals, for comparing and as a key; empty for none.

    A capital becomes its small letter only where that letter's capital is the very same one. So two letters
    become one only if one is the other's capital: the Kelvin sign stays what it is although its small letter
    is "k", and neither "ß" nor a ligature becomes two letters, as they do in `casefold`.

    >>> folded(" Ann@Example.com "), folded("stra\u00dfe@a.test") == folded("strasse@a.test")
    ('ann@example.com', False)
    """
    return "".join(_small(letter) for letter in (address or "").strip())


def _small(letter: str) -> str:
    small = letter.lower()
    return small if small.upper() == letter else letter


def same_address(left: str | None, right: str | None) -> bool:
    """Tell whether two addresses are one; nobody's address, which is empty, is no address."""
    one = folded(left)
    return one != "" and one == folded(right)
