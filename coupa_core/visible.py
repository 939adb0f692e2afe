"""Texts as they can be seen: what shows nothing vanishes, and spaces of every kind are spaces. Pure."""

from __future__ import annotations

import re
import unicodedata

_BLANK = re.compile(r"[\u115f\u1160\u2800\u3164\uffa0\U00016fe4\U0001d159]")
"""Letters, a mark and symbols that look like a space."""
_UNSEEN = re.compile(
    r"[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]"
)
"""Marks and tags that show nothing by themselves.

Source: https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point
"""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_JOINERS = "\u200c\u200d"
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_ROOM = re.compile(
    "[\u20a0-\u20cf\U0001f000-\U0001faff\U0001fc00-\U0001fffd\U00020000-\U0002fffd\U00030000-\U0003fffd]"
)
"""Where Unicode has room for currency signs, emoji and ideographs: one may be newer than Python's data.

Source: https://www.unicode.org/Public/UCD/latest/ucd/emoji/emoji-data.txt, Extended_Pictographic, for the
emoji; nothing there is ignorable or runs from right to left.
"""
_FLAG = re.compile(
    "\U0001f3f4(?:{})\U000e007f".format(
        "|".join(
            "".join(chr(0xE0000 + ord(letter)) for letter in region) for region in ("gbeng", "gbsct", "gbwls")
        )
    )
)
"""The flags of England, Scotland and Wales: tags spell nothing else that is in use.

Source: https://www.unicode.org/reports/tr51/#valid-emoji-tag-sequences
"""


def visible(text: str) -> str:
    """Keep visible characters, and a space for each character that looks like one."""
    return _shown(_UNSEEN.sub("", _BLANK.sub(" ", text)))


def is_blank(text: str | None) -> bool:
    """Tell whether nothing of a text can be seen."""
    return not visible(text or "").strip()


def first_seen(*names: str | None) -> str:
    """Return the first name of which something can be seen; empty for none."""
    return next((name for name in names if name and not is_blank(name)), "")


def words_of(text: str) -> str:
    """Return a person's own words as one line; empty if nothing in them is visible.

    Controls become a space. Other characters that show nothing vanish, but for those that spell: joiners,
    what chooses the form of a character, and the tags of a flag.
    """
    return "" if is_blank(text) else " ".join(_shown(_CONTROL.sub(" ", text)).split())


def _shown(text: str) -> str:
    flags = {place for found in _FLAG.finditer(text) for place in range(*found.span())}
    return "".join(
        " " if char.isspace() else char
        for place, char in enumerate(text)
        if char.isspace() or place in flags or not _is_hidden(char) or _joins(text, place)
    )


def _is_hidden(char: str) -> bool:
    category = unicodedata.category(char)
    return category in _HIDDEN and not (category == "Cn" and _ROOM.match(char))


def _joins(text: str, place: int) -> bool:
    """Tell whether there is a joiner that spells: between letters of a script that needs it, or in an emoji.

    Latin letters need none, so that no name of a host, no word and no emoji's name hides one.
    Source: https://www.unicode.org/reports/tr31/#Layout_and_Format_Control_Characters
    """
    around = (text[place - 1 : place], text[place + 1 : place + 2])
    return text[place] in _JOINERS and all(map(_needs_joiners, around))


def _needs_joiners(char: str) -> bool:
    return char > "\u02ff" and (unicodedata.category(char)[0] in "LMS" or _ROOM.match(char) is not None)
