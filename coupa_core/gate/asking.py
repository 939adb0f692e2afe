"""One request to a deployment: no redirect is followed, so that no key goes to another address."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.response import addinfourl

from coupa_core.errors import one_line

PATIENCE_S = 30.0
"""So long one answer may take; a cold start takes some seconds."""

_KEY = "x-functions-key"


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP; 0 where no answer came.
        body: as it came.
        failure: why no answer came; empty where one did.
    """

    status: int
    body: bytes = b""
    failure: str = ""

    def json(self) -> Any:
        """Return what the body is as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def said(self) -> dict[str, Any]:
        """Return the JSON object of the body; an empty one where it is none."""
        value = self.json()
        return value if isinstance(value, dict) else {}


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - as it is called
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follow nothing."""


class Asking:
    """A deployment.

    Args:
        url: its address, with or without `/api` at the end.

    Raises:
        ValueError: that is no address of one; says how it is written.
    """

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("URL must be such as https://your-function-app.azurewebsites.net")
        self._base = url.rstrip("/").removesuffix("/api")
        self.may_hold_keys = parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1")
        self._opener = urllib.request.build_opener(_Stay)

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        key: str = "",
        within_s: float = PATIENCE_S,
    ) -> Answer:
        """Ask for one thing.

        Args:
            path: with its first slash.
            query: what is asked for; what is empty is left out.
            key: of a function or of the host; goes into a header.
            within_s: seconds that each wait for the answer may take.
        """
        asked = urllib.parse.urlencode({name: value for name, value in (query or {}).items() if value})
        request = urllib.request.Request(f"{self._base}{path}{'?' if asked else ''}{asked}")  # noqa: S310 - checked
        if key:
            request.add_header(_KEY, key)
        try:
            with self._opened(request, within_s) as answer:
                return Answer(answer.status or 0, answer.read())
        except (OSError, HTTPException, ValueError) as error:
            return Answer(0, failure=_cause(error))

    def _opened(self, request: urllib.request.Request, within_s: float) -> addinfourl:
        """Return an answer of whatever status."""
        try:
            answer: addinfourl = self._opener.open(request, timeout=within_s)
        except urllib.error.HTTPError as error:
            return error
        return answer


def _cause(error: Exception) -> str:
    """Say why no answer came, without what was sent."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLError):
        return f"TLS: {one_line(getattr(reason, 'reason', '') or 'no agreement', 100)}"
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return one_line(reason.strerror, 100)
    return type(error).__name__
