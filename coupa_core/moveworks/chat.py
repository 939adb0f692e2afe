"""Convert the markup of the Events API into that of Agent Studio's `notify`: lines, and `*` around bold text.

Every tag of a notice is ours, and every text in it is escaped, so that text never becomes markup.

Source: https://github.com/moveworks/developer-docs, plugins/ukg-notify-on-pto-submission, the notify step
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_LOOKALIKES = str.maketrans({"*": "\u2217", "`": "\u2035", "~": "\u223c"})
_UNDERLINE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_MARKS_A_LINE = re.compile(r"[#>=|+]|--")
_JOINER = "\u2060"
"""An invisible character that keeps a markup character from being the first of its line."""

_OPENS = {"br": "\n", "li": "\n- ", "b": "*"}


def chat_text(markup: str, *, colon: str = ": ") -> str:
    r"""Turn the markup of the Events API into that of `notify`.

    `&`, `<` and `>` stay escaped: Markdown, Slack and HTML all show the characters, and none takes them for
    markup. A text's own stars, backticks, tildes, and underlines around words become similar characters: no
    escape works in every chat program, and some show a backslash.

    Args:
        markup: in the markup of the Events API.
        colon: the separator between the text of a link and its address.

    >>> chat_text('<b>PO 12</b>:<br>- <i>Title</i>: 2 &lt; 3 &quot;new&quot;')
    '*PO 12*:\n- Title: 2 &lt; 3 "new"'
    >>> chat_text('<a href="https://acme.coupahost.com">Open in Coupa</a>')
    'Open in Coupa: https://acme.coupahost.com'
    """
    writer = _Writer(colon)
    writer.feed(markup)
    writer.close()
    return "".join(writer.parts)


class _Writer(HTMLParser):
    """Writes the text while it parses the markup."""

    def __init__(self, colon: str) -> None:
        super().__init__(convert_charrefs=True)
        self._colon = colon
        self.parts: list[str] = []
        self._url = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append(_OPENS.get(tag, ""))
        if tag == "a":
            self._url = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "b":
            self.parts.append("*")
        if tag == "a" and self._url:
            self.parts.append(f"{self._colon}{html.escape(self._url, quote=False)}")

    def handle_data(self, data: str) -> None:
        text = _UNDERLINE.sub(lambda found: "\uff3f" * len(found[0]), data.translate(_LOOKALIKES))
        begins_a_line = next(filter(None, reversed(self.parts)), "\n").endswith("\n")
        joiner = _JOINER if begins_a_line and _MARKS_A_LINE.match(text) else ""
        self.parts.append(joiner + html.escape(text, quote=False))
