"""Texts that others wrote, made harmless: one line each, capped, without what chat programs act on."""

from __future__ import annotations

import html
import re
import unicodedata

SHORT, NOTE, LONG = 80, 200, 500
"""Characters that are kept of a name or a title, of a remark, and of a text."""

MAX_LINES = 5
"""Lines, names and steps that are shown of many; the others are counted."""

_WEB = re.compile(r"(?i)http(s?)://")
_SCHEME = re.compile(r"(?i)(?<!hxxp)(?<!hxxps)://")
_WWW = re.compile(r"(?i)www\.")
_DOT = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]+\.)+[^\W\d_]{2,}"  # an e-mail address: it stays as it is
    r"|(?<=[\w-])[.\u3002\uff0e\uff61]"  # what could be a dot in the name of a host, and in none of a file
    r"(?!(?i:pdf|docx?|xlsx?|pptx?|csv|txt|png|jpe?g|msg|eml)(?!\w|[.\u3002\uff0e\uff61]\w))(?=[^\W\d_]{2})"
)
_MENTION = re.compile(r"<(?=[@!#]|users/)")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_RIGHT_TO_LEFT = ("R", "AL")
_ISOLATE, _END = "\u2068", "\u2069"


def clean(text: str | None, limit: int) -> str:
    """Make a text of others one harmless line of at most `limit` characters.

    Spaces, tabs and newlines become one space; control, bidirectional and zero-width characters vanish; what
    chat programs would turn into a link or a mention is defused, also a bare `evil.example`. A line with
    letters that run from right to left is isolated by two characters more, so that it does not turn around
    what stands beside it.
    Source: Unicode Standard Annex #9, section 2.4. Markup is escaped later, when the card is rendered.
    """
    kept = "".join(
        " " if char.isspace() else char
        for char in (text or "")[: 4 * limit]
        if char.isspace() or unicodedata.category(char) not in _HIDDEN
    )
    line = " ".join(kept.split())
    line = _WWW.sub("www[.]", _SCHEME.sub("[:]//", _WEB.sub(r"hxxp\1://", line)))
    line = _DOT.sub(lambda found: found[0] if "@" in found[0] else "[.]", line)
    line = _MENTION.sub("< ", line).replace("](", "] (")
    line = line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    turns = any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in line)
    return f"{_ISOLATE}{line}{_END}" if turns else line


def plain(text: str, limit: int) -> str:
    """Make somebody else's plain text Moveworks' HTML: harmless, and with its own lines."""
    lines = [html.escape(clean(line, limit)) for line in text.splitlines()]
    return "<br>".join(lines).removesuffix("<br>")


def safe_html(text: str) -> str:
    """Keep the markup that Moveworks' samples show, links over https included, and nothing else."""
    import nh3  # noqa: PLC0415 - only where the relay may send markup

    kept = nh3.clean(
        text,
        tags={"b", "i", "br", "ul", "li", "a"},
        attributes={"a": {"href"}},
        url_schemes={"https"},
        link_rel=None,
    )
    return kept.strip()
