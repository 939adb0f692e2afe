"""Callers that click at once over HTTP, and the answer to each of them."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

PATIENCE_S = 10.0
"""The time that a caller waits for an answer, in seconds."""

LISTENING_S = 120.0
"""The time that the connection stays open, to time an answer after the caller has given up, in seconds."""


class Kind(StrEnum):
    """A caller's reading of an answer; each click has exactly one."""

    APPROVED = "approved"
    AGAIN = "try again"
    THROTTLED = "host's 429"
    FAILED = "5xx"
    OTHER = "other"
    LATE = "late"


@dataclass(frozen=True)
class Card:
    """The slots of a message, which a click sends back."""

    actor: str
    approval_id: int
    action_token: str


@dataclass(frozen=True)
class Answer:
    """The answer to one click.

    Attributes:
        approval_id: the approval that was clicked.
        status: of HTTP; 0 where the connection ended without an answer.
        said: the outcome or the code of the error; empty for an answer without a body.
        seconds: until the whole answer was there, or the connection ended.
        is_of_host: the host itself refused the request; the app never saw it.
    """

    approval_id: int
    status: int
    said: str
    seconds: float
    is_of_host: bool = False

    @property
    def kind(self) -> Kind:
        """The caller's reading of it.

        >>> Answer(7, 503, "busy", 0.2).kind, Answer(7, 200, "approved", 10.1).kind
        (<Kind.AGAIN: 'try again'>, <Kind.LATE: 'late'>)
        """
        if self.seconds > PATIENCE_S:
            return Kind.LATE
        if self.is_of_host:
            return Kind.THROTTLED
        if self.said == "busy" or self.status == 429:
            return Kind.AGAIN
        if self.said == "approved":
            return Kind.APPROVED
        return Kind.FAILED if self.status >= 500 else Kind.OTHER


def click_at_once(url: str, cards: Sequence[Card]) -> list[Answer]:
    """Approve all of them at the same moment, each over a connection of its own; return the answers in order.

    Args:
        url: of the instance, without a path.
        cards: the cards to click.
    """
    together = threading.Barrier(len(cards), timeout=60)

    def click(card: Card) -> Answer:
        together.wait()
        return _approve(url, card)

    with ThreadPoolExecutor(len(cards)) as pool:
        return list(pool.map(click, cards))


def _approve(url: str, card: Card) -> Answer:
    began_s = time.monotonic()
    status, headers, body = call(
        url,
        f"/api/approvals/{card.approval_id}/approve",
        method="POST",
        headers={"X-Actor-Email": card.actor, "X-Action-Token": card.action_token},
        timeout_s=LISTENING_S,
    )
    seconds = time.monotonic() - began_s
    is_of_host = status == 429 and "x-function-scaleout" in headers
    return Answer(card.approval_id, status, _said(body), seconds, is_of_host)


def call(
    url: str,
    path: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float,
) -> tuple[int, dict[str, str], bytes]:
    """Ask once, over a connection of its own.

    Returns:
        Status, headers by their names in small letters, and body; the status 0 where no whole answer came.
    """
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout_s)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        return reply.status, {name.casefold(): value for name, value in reply.getheaders()}, reply.read()
    except (OSError, http.client.HTTPException):
        return 0, {}, b""
    finally:
        connection.close()


def _said(body: bytes) -> str:
    with suppress(ValueError):
        said = json.loads(body)
        return str(said.get("outcome") or said.get("error") or "")
    return ""
