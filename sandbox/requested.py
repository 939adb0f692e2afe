"""A request as the host has read it, up to its body, which is read when a function needs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, unquote

MAX_BODY = 104_857_600
"""Bytes; a longer body makes the host fail."""


class BadRequest(Exception):
    """The request is refused with a status, and the connection is closed."""

    def __init__(self, status: int = 400) -> None:
        super().__init__(status)
        self.status = status


class TooLarge(Exception):
    """The body is longer than `MAX_BODY`."""


@dataclass(frozen=True)
class Requested:
    """A request.

    Attributes:
        method: unchanged.
        path: the raw path, without dot segments.
        query: the raw query, without the question mark.
        headers: in their order, unchanged.
        read: returns the body, once; raises `BadRequest` when it does not arrive completely, and `TooLarge`.
        scheme: `http` or `https`.
    """

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    read: Callable[[], bytes] = bytes
    scheme: str = "http"

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """Return names and values of the query, in their order."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def url(self) -> str:
        """Return the whole URL, with a key in it if there is one."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.header('host') or ''}{self.path}{query}"

    def header(self, name: str) -> str | None:
        """Return the first header with a name in lower case."""
        return next((value for each, value in self.headers if each.lower() == name), None)


def without_dots(path: str) -> str:
    """Resolve dot segments, also encoded ones; an encoded slash separates no segments.

    >>> without_dots("/api/x/%2e%2E/health"), without_dots("/api/..%2fhealth"), without_dots("/..")
    ('/api/health', '/api/..%2fhealth', '/')
    """
    kept: list[str] = []
    parts = path.removeprefix("/").split("/")
    for place, part in enumerate(parts):
        plain = unquote(part)
        is_dots = plain in {".", ".."} and "%2f" not in part.lower()
        if not is_dots:
            kept.append(part)
            continue
        if plain == ".." and kept:
            kept.pop()
        if place == len(parts) - 1:
            kept.append("")
    return "/" + "/".join(kept)
