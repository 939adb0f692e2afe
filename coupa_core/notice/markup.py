"""The parts of a message, and their rendering as Moveworks' HTML. Pure; this module chooses no words.

Source: https://docs.moveworks.com/api-reference/events-api, whose samples show `<b>`, `<i>`, `<br>` and
`<a href>`
"""

from __future__ import annotations

import html
from dataclasses import dataclass

MAX_MESSAGE = 20_000
"""Characters that Moveworks accepts in one message.

Source: https://docs.moveworks.com/api-reference/events-api/events-api/events/send-message-for-event
"""


@dataclass(frozen=True)
class Field:
    """One field: plain texts; the label is empty where the value needs none."""

    label: str
    value: str


@dataclass(frozen=True)
class Link:
    """A link: its address and its text."""

    text: str
    url: str


@dataclass(frozen=True)
class ListItem:
    """One item of a list: a link, and a text about it."""

    link: Link
    text: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """A message before it has a markup; every text is plain, and one line.

    Attributes:
        headline: the subject; on a phone often only this line is visible.
        notes: lines below the headline, such as changes.
        fields: of the document.
        entries: the items of a list.
        endings: the last lines, such as how to decide.
        link: to the document in Coupa.
        colon: the language's separator of label and value.
    """

    headline: str = ""
    notes: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    entries: tuple[ListItem, ...] = ()
    endings: tuple[str, ...] = ()
    link: Link | None = None
    colon: str = ": "


def render(card: Card) -> str:
    """Return the message in Moveworks' HTML: one line for each note, field and entry, all texts escaped."""
    lines = [f"<b>{html.escape(card.headline)}</b>"] if card.headline else []
    lines += [html.escape(note) for note in card.notes]
    lines += [f"- {_labelled(each, card.colon)}" for each in card.fields]
    for number, each in enumerate(card.entries, 1):
        text = html.escape(card.colon + each.text) if each.text else ""
        lines.append(f"{number}. {_link(each.link)}{text}")
    lines += [html.escape(each) for each in card.endings if each]
    lines += [_link(card.link)] if card.link else []
    return "<br>".join(lines)


def _labelled(field: Field, colon: str) -> str:
    value = html.escape(field.value)
    return f"<i>{html.escape(field.label)}</i>{colon}{value}" if field.label else value


def _link(link: Link) -> str:
    return f'<a href="{html.escape(link.url)}">{html.escape(link.text)}</a>'
