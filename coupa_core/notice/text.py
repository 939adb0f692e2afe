"""Texts that others wrote, made harmless: one line each, capped, without what chat programs act on."""

from __future__ import annotations

import re
import unicodedata

SHORT, NOTE, LONG = 80, 200, 500
"""Characters that are kept of a name or a title, of a remark, and of a text."""

MAX_LINES = 5
"""Lines, names and steps that are shown of many; the others are counted."""

_WEB = re.compile(r"(?i)http(s?)://")
_SCHEME = re.compile(r"(?i)(?<!hxxp)(?<!hxxps)://")
_WWW = re.compile(r"(?i)www\.")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_RIGHT_TO_LEFT = ("R", "AL")
_ISOLATE, _END = "\u2068", "\u2069"


def clean(text: str | None, limit: int) -> str:
    """Make a text of others one harmless line of at most `limit` characters.

    Spaces, tabs and newlines become one space; control, bidirectional and zero-width characters vanish; what
    chat programs would turn into a link or a mention is defused. A line with letters that run from right to
    left is isolated by two characters more, so that it does not turn around what stands beside it.
    Source: Unicode Standard Annex #9, section 2.4. Markup is escaped later, when the card is rendered.
    """
    kept = "".join(
        " " if char.isspace() else char
        for char in (text or "")[: 4 * limit]
        if char.isspace() or unicodedata.category(char) not in _HIDDEN
    )
    line = " ".join(kept.split())
    line = _WWW.sub("www[.]", _SCHEME.sub("[:]//", _WEB.sub(r"hxxp\1://", line)))
    line = line.replace("<@", "< @").replace("<!", "< !").replace("](", "] (")
    line = line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    turns = any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in line)
    return f"{_ISOLATE}{line}{_END}" if turns else line
