"""A message in Moveworks' markup as HTML that is safe to show: the tags that its samples prove, nothing else.

Source: https://docs.moveworks.com/api-reference/events-api, read 2026-11.
"""

from __future__ import annotations

import re

import nh3
from markupsafe import Markup


def shown(message: str, *, coupa_url: str) -> Markup:
    """Return the HTML of a message; a link into the simulated Coupa leads to that document on this page.

    Whatever else looks like a tag is left out, and a link may only lead to http and https.
    """
    here = re.compile(re.escape(coupa_url) + r"/requisition_headers/(\d+)")

    def attribute(tag: str, name: str, value: str) -> str | None:
        inside = here.fullmatch(value) if (tag, name) == ("a", "href") else None
        return f"#document-{inside[1]}" if inside else value

    html = nh3.clean(
        message,
        tags={"b", "i", "br", "ul", "li", "a"},
        attributes={"a": {"href"}},
        attribute_filter=attribute,
        url_schemes={"http", "https"},
        link_rel="noreferrer",
    )
    return Markup(html)  # nh3 has just cleaned it
