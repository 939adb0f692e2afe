"""A message in Moveworks' markup as the parts of a card, in HTML that is safe to show.

It keeps the tags that Moveworks' samples prove, and no others. It chooses no words: a card has the message's
words.

Source: https://docs.moveworks.com/api-reference/events-api, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import nh3
from markupsafe import Markup

_BREAK = re.compile(r"<br>|\n")
_FACT = re.compile(r"- <i>([^<]{1,200})</i>\s?[:：]\s?(.*)", re.DOTALL)
_BOLD = re.compile(r"<b>(.*)</b>", re.DOTALL)
_LINK = re.compile(r'<a href="[^"]*"[^>]*>[^<]*</a>')
_STARS = re.compile(r"\*(.*)\*", re.DOTALL)
_ADDRESS = re.compile(r'([^<>":]{1,80}): (https?://[^\s<>"]+)')
"""The listener's messages have stars for bold and addresses in full."""


@dataclass(frozen=True)
class Drawn:
    """A message, part by part; each is HTML that is safe to show.

    Attributes:
        title: its first line.
        lines: lines of text below it, such as the sentence about the request.
        facts: labels and values; the label is empty where the value needs none.
        links: the links into Coupa.
    """

    title: Markup
    lines: list[Markup] = field(default_factory=list)
    facts: list[tuple[Markup, Markup]] = field(default_factory=list)
    links: list[Markup] = field(default_factory=list)


def drawn(message: str, *, coupa_url: str, inside: Callable[[str], str]) -> Drawn:
    """Return the parts of a message.

    Args:
        message: in Moveworks' markup.
        coupa_url: the address of Coupa's screens.
        inside: returns this page's address for the path of a Coupa screen.
    """
    # Each line is cleaned alone: an open tag is closed at the end of its line.
    lines = [_linked(each, coupa_url) for each in _BREAK.split(message)]
    pieces = [shown(each, coupa_url=coupa_url, inside=inside) for each in lines]
    pieces = [each for each in pieces if each.strip()]
    first = pieces[0] if pieces else Markup()
    bold = _BOLD.fullmatch(first) or _STARS.fullmatch(first)
    card = Drawn(Markup(bold[1]) if bold and "<b>" not in bold[1] else first)
    for each in pieces[1:]:
        fact = _FACT.fullmatch(each)
        if fact:
            card.facts.append((Markup(fact[1]), Markup(fact[2])))
        elif each.startswith("- "):
            card.facts.append((Markup(), Markup(each[2:])))
        elif _LINK.fullmatch(each):
            card.links.append(each)
        else:
            card.lines.append(each)
    return card


def _linked(line: str, coupa_url: str) -> str:
    """Return a line with only a name and an address in Coupa as a link."""
    found = _ADDRESS.fullmatch(line)
    is_coupas = found is not None and found[2].startswith(f"{coupa_url}/")
    return f'<a href="{found[2]}">{found[1]}</a>' if found and is_coupas else line


def shown(message: str, *, coupa_url: str, inside: Callable[[str], str]) -> Markup:
    """Return the HTML of a message; a link into the simulated Coupa leads to its screen on this page.

    Any other tag is left out, and a link may only lead to http and https, or into the page.
    """

    def attribute(_tag: str, _name: str, value: str) -> str | None:
        is_coupas = value == coupa_url or value.startswith(f"{coupa_url}/")
        return inside(value.removeprefix(coupa_url)) if is_coupas else value

    html = nh3.clean(
        message,
        tags={"b", "i", "br", "ul", "li", "a"},
        attributes={"a": {"href"}},
        attribute_filter=attribute,
        url_schemes={"http", "https"},
        link_rel="noreferrer",
    )
    return Markup(html)
