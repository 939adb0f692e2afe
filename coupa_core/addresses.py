"""Validate and compare e-mail addresses; both rules have their only home here.

Capitals do not matter, nor how the domain is written (`müller.example` is `xn--mller-kva.example`);
everything else does. It does not know whose an address is.
"""

from __future__ import annotations

import re

import idna

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@[^\s\x00-,/:-@\[-^`{-\x7f]{1,190}")
_PUNYCODE = "xn--"


def is_address(text: object) -> bool:
    r"""Tell whether a text can be a person's address, for messages as for clicks.

    In the domain there may be letters of any script and underscores, as the names of some hosts have them.

    >>> is_address("jorg@m\u00fcller.example"), is_address("kim@sub_net.acme.test"), is_address("kim@")
    (True, True, False)
    """
    return isinstance(text, str) and text.isprintable() and _ADDRESS.fullmatch(text) is not None


def folded(address: str | None) -> str:
    r"""Return an address as it is compared, and used as a key; empty for none.

    A capital becomes its small letter only where that letter's capital is the very same one. So two letters
    become one only if one is the other's capital: the Kelvin sign stays what it is although its small letter
    is "k", and neither "ß" nor a ligature becomes two letters, as they do in `casefold`. Well-formed
    Punycode in the domain becomes the letters that it stands for.

    Source: RFC 5891, section 4.4 (a label and its other form are equivalent)

    >>> folded(" Ann@Example.com "), folded("stra\u00dfe@a.test") == folded("strasse@a.test")
    ('ann@example.com', False)
    >>> folded("jorg@XN--mller-kva.example") == folded("jorg@M\u00fcller.example")
    True
    """
    small = "".join(_small(letter) for letter in (address or "").strip())
    if _PUNYCODE not in small:
        return small
    name, at, domain = small.rpartition("@")
    return f"{name}{at}{'.'.join(map(_letters, domain.split('.')))}"


def spellings(address: str) -> set[str]:
    """Return how a system may have written an address: folded, with its domain in letters and in Punycode."""
    written = folded(address)
    name, at, domain = written.rpartition("@")
    return {written, f"{name}{at}{'.'.join(map(_punycode, domain.split('.')))}"}


def same_address(left: str | None, right: str | None) -> bool:
    """Tell whether two addresses are one; nobody's address, which is empty, is no address."""
    one = folded(left)
    return one != "" and one == folded(right)


def domain_of(address: str) -> str:
    """Return the domain of an address as it is compared, without the `@`; empty for none."""
    return folded(address).rpartition("@")[2]


def _small(letter: str) -> str:
    small = letter.lower()
    return small if small.upper() == letter else letter


def _punycode(label: str) -> str:
    try:
        return label if label.isascii() else idna.alabel(label).decode()
    except idna.IDNAError:
        return label


def _letters(label: str) -> str:
    """Decode a label in Punycode; return the label itself if the decoded text has another form, too."""
    if not label.startswith(_PUNYCODE):
        return label
    try:
        letters = idna.ulabel(label)
    except idna.IDNAError:
        return label
    return letters if _punycode(letters) == label and all(map(_is_small, letters)) else label


def _is_small(letter: str) -> bool:
    return _small(letter) == letter
