"""What a notice consists of, and how it becomes text in a channel's markup. Pure; it chooses no words.

Sources: Moveworks' HTML, https://docs.moveworks.com/api-reference/events-api, whose samples show `<b>`,
`<i>`, `<br>` and `<a href>`; CommonMark 0.31, https://spec.commonmark.org/0.31.2/#backslash-escapes
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_MESSAGE = 20_000
"""Characters that Moveworks accepts in one message.

Source: https://docs.moveworks.com/api-reference/events-api/events-api/events/send-message-for-event
"""


@dataclass(frozen=True)
class Field:
    """One line of what is known: plain texts."""

    label: str
    value: str


@dataclass(frozen=True)
class Link:
    """Where to go, and what the link is called."""

    text: str
    url: str


@dataclass(frozen=True)
class Entry:
    """One line of a list: a link, and what is said of it."""

    link: Link
    text: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """A message before it has a markup; every text is plain, and one line.

    Attributes:
        greeting: to whom.
        headline: what it is about.
        notes: lines below the headline, such as what changed.
        fields: what is known.
        entries: a list of several.
        endings: last lines, such as what can be done.
        link: where to see it all.
    """

    greeting: str = ""
    headline: str = ""
    notes: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    entries: tuple[Entry, ...] = ()
    endings: tuple[str, ...] = ()
    link: Link | None = None


@dataclass(frozen=True, kw_only=True)
class Markup:
    """The marks of one channel.

    Attributes:
        name: of the markup.
        escape: makes a plain text harmless; the only way into a message.
        bold: marks an escaped text.
        italic: the same.
        link: makes an escaped text lead to a URL, which it escapes itself.
        newline: ends a line of a paragraph.
        item: ends a line of a list.
        section: parts a list from what is around it.
        paragraph: parts the greeting from what follows.
    """

    name: str
    escape: Callable[[str], str]
    bold: Callable[[str], str]
    italic: Callable[[str], str]
    link: Callable[[str, str], str]
    newline: str
    item: str
    section: str
    paragraph: str

    def render(self, card: Card) -> str:
        """Return the message: one line for each note, field and entry."""
        said = [self.escape(note) for note in card.notes]
        if card.headline:
            colon = ":" if card.fields or card.entries else ""
            said.insert(0, self.bold(self.escape(card.headline)) + colon)
        listed = [
            f"- {self.italic(self.escape(each.label))}: {self.escape(each.value)}" for each in card.fields
        ]
        for number, each in enumerate(card.entries, 1):
            link = self.link(self.escape(each.link.text), each.link.url)
            listed.append(f"{number}. {link}" + (f": {self.escape(each.text)}" if each.text else ""))
        ends = [self.escape(each) for each in card.endings if each]
        if card.link:
            ends.append(self.link(self.escape(card.link.text), card.link.url))
        sections = [self.newline.join(said), self.item.join(listed), self.newline.join(ends)]
        body = self.section.join(filter(None, sections))
        return self.paragraph.join(filter(None, [self.escape(card.greeting), body]))


def _html_link(text: str, url: str) -> str:
    return f'<a href="{html.escape(url)}">{text}</a>'


HTML = Markup(
    name="html",
    escape=html.escape,
    bold=lambda text: f"<b>{text}</b>",
    italic=lambda text: f"<i>{text}</i>",
    link=_html_link,
    newline="<br>",
    item="<br>",
    section="<br>",
    paragraph="<br><br>",
)
"""The part of HTML that Moveworks' samples show."""

_MARKS = re.compile(r"([\\`*_\[\]()<>#~|&])")
_LINE_START = re.compile(r"^(?:([-+=])|(\d{1,9})([.)]))")
_IN_TARGET = str.maketrans({char: f"%{ord(char):02X}" for char in " \n\\<>()"})


def _escape_markdown(text: str) -> str:
    """Escape what could mark a text, and what would make a line a list or a heading."""
    escaped = _MARKS.sub(r"\\\1", text)
    return _LINE_START.sub(lambda at: f"\\{at[1]}" if at[1] else f"{at[2]}\\{at[3]}", escaped)


MARKDOWN = Markup(
    name="markdown",
    escape=_escape_markdown,
    bold=lambda text: f"**{text}**",
    italic=lambda text: f"*{text}*",
    link=lambda text, url: f"[{text}]({url.translate(_IN_TARGET)})",
    newline="  \n",
    item="\n",
    section="\n\n",
    paragraph="\n\n",
)
"""CommonMark; two spaces before a newline keep the lines of a paragraph apart."""

PLAIN = Markup(
    name="plain",
    escape=str,
    bold=str,
    italic=str,
    link=lambda text, url: f"{text} ({url})",
    newline="\n",
    item="\n",
    section="\n",
    paragraph="\n\n",
)
"""No marks, for logs, tests and people."""
