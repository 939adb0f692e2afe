"""Make texts of others harmless: one line each, capped, without links, mentions and emoji."""

from __future__ import annotations

import html
import re
import unicodedata
from html.parser import HTMLParser

from coupa_core.visible import visible

SHORT, NOTE, LONG = 80, 200, 500
"""The most characters of a name or a title, of a remark, and of a text."""

MAX_LINES = 5
"""The most lines, names and steps that are shown; the others are counted."""

_WEB = re.compile(r"(?i)http(s?)://")
_SCHEME = re.compile(r"(?i)(?<!hxxp)(?<!hxxps)://")
_WWW = re.compile(r"(?i)www\.")
_BETWEEN = r"[^\s\x00-,./:-@\[-^`{-\x7f]"
_DOT = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]+\.)+[^\W\d_]{2,}"  # an e-mail address stays as it is
    rf"|(?<={_BETWEEN})[.\u3002\uff0e\uff61]"  # a character that a program may read as a dot in a host's name
    r"(?!(?i:pdf|docx?|xlsx?|pptx?|csv|txt|png|jpe?g|msg|eml)(?!\w|[.\u3002\uff0e\uff61]\w))"  # of no file
    r"(?=[^\W\d_][^\s\x00-@\[-`{-\x7f])"  # a letter, and one more or a mark on it, as in .भारत
)
_EMOJI = re.compile(r":(?=[\w+'-]{1,64}:)")
_MENTION = re.compile(r"<(?=[@!#]|users/)")
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
_RIGHT_TO_LEFT = ("R", "AL")
_ISOLATE, _END = "\u2068", "\u2069"


def clean(text: str | None, limit: int) -> str:
    r"""Make a text of others one harmless line of at most `limit` characters.

    Spaces, tabs, newlines and similar characters become one space; control, bidirectional, zero-width and
    other invisible characters vanish. Texts that chat programs would turn into a link, a mention or an emoji
    are defused, also a bare `evil.example`. Two more characters isolate a line with letters that run from
    right to left, so that it does not reverse the text beside it.
    Source: Unicode Standard Annex #9, section 2.4. Markup is escaped later, when the card is rendered.

    >>> clean("See\nhttp://evil.example :+1:", 80)
    'See hxxp://evil[.]example \u2236+1:'
    """
    line = _defused(" ".join(visible(text or "").split())[: 4 * limit])
    return _isolated(line if len(line) <= limit else line[: limit - 1].rstrip() + "…")


def _defused(text: str) -> str:
    """Remove the characters that make a link, a mention or an emoji; letters and digits stay but `http`."""
    text = _WWW.sub("www[.]", _SCHEME.sub("[:]//", _WEB.sub(r"hxxp\1://", text)))
    text = _DOT.sub(lambda found: found[0] if "@" in found[0] else "[.]", text)
    return _EMOJI.sub("\u2236", _MENTION.sub("< ", text).replace("](", "] ("))


def _isolated(text: str) -> str:
    turns = any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text)
    return f"{_ISOLATE}{text}{_END}" if turns else text


def text_to_html(text: str, limit: int) -> str:
    """Convert a plain text of others to harmless HTML, with its own lines; empty for a blank text."""
    lines = [html.escape(clean(line, limit)) for line in text.splitlines()]
    return "<br>".join(lines).removesuffix("<br>") if any(lines) else ""


def safe_html(text: str) -> str:
    """Keep only the markup that Moveworks' samples show, with links over https.

    The text between the tags is defused like any text of others; only `<a>` makes a link. Empty when
    no character of it is visible.
    """
    import nh3  # noqa: PLC0415 - only where the relay may send markup

    kept = nh3.clean(
        _HALF_A_PAIR.sub("", text),
        tags={"b", "i", "br", "ul", "li", "a"},
        attributes={"a": {"href"}},
        url_schemes={"https"},
        link_rel=None,
    )
    harmless = _Harmless()
    harmless.feed(kept)
    harmless.close()
    return harmless.text()


class _Harmless(HTMLParser):
    """Write well-formed markup again, with harmless texts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._is_seen = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = "".join(f' {name}="{html.escape(visible(value or ""))}"' for name, value in attrs)
        self._parts.append(f"<{tag}{attributes}>")

    def handle_endtag(self, tag: str) -> None:
        self._parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        shown = visible(data)
        self._is_seen |= bool(shown.strip())
        self._parts.append(html.escape(_isolated(_defused(shown))))

    def text(self) -> str:
        return "".join(self._parts).strip() if self._is_seen else ""
