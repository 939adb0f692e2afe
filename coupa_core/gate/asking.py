"""Send one request to a deployment; redirects are not followed, so that no key goes to another address."""

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

ANSWER_S = 30.0
"""The time limit of an answer, in seconds; a cold start takes some seconds."""

_KEY = "x-functions-key"


@dataclass(frozen=True)
class HttpAnswer:
    """The answer of a deployment.

    Attributes:
        status: the HTTP status; 0 for no answer.
        body: the body as it was received.
        failure: the cause for no answer; empty if there is one.
    """

    status: int
    body: bytes = b""
    failure: str = ""

    def json(self) -> Any:
        """Return the JSON value of the body; None if the body is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def json_object(self) -> dict[str, Any]:
        """Return the JSON object of the body; an empty one if the body is not an object."""
        value = self.json()
        return value if isinstance(value, dict) else {}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - as it is called
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follow no redirect."""


class Deployment:
    """A deployment.

    Args:
        url: its address, with or without `/api` at the end.

    Raises:
        ValueError: the address is invalid; the text has the valid form.
    """

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("URL must be such as https://your-function-app.azurewebsites.net")
        self._base = url.rstrip("/").removesuffix("/api")
        self.may_hold_keys = parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1")
        self._opener = urllib.request.build_opener(_NoRedirects)

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        key: str = "",
        within_s: float = ANSWER_S,
    ) -> HttpAnswer:
        """Send a GET.

        Args:
            path: the path, with its first slash.
            query: the query parameters; empty ones are left out.
            key: the key of a function or of the host, for the header.
            within_s: the time limit of each wait for data, in seconds.
        """
        encoded = urllib.parse.urlencode({name: value for name, value in (query or {}).items() if value})
        request = urllib.request.Request(f"{self._base}{path}{'?' if encoded else ''}{encoded}")  # noqa: S310 - checked
        if key:
            request.add_header(_KEY, key)
        try:
            with self._open(request, within_s) as answer:
                return HttpAnswer(answer.status or 0, answer.read())
        except (OSError, HTTPException, ValueError) as error:
            return HttpAnswer(0, failure=_cause(error))

    def _open(self, request: urllib.request.Request, within_s: float) -> addinfourl:
        """Return the answer, of any status."""
        try:
            answer: addinfourl = self._opener.open(request, timeout=within_s)
        except urllib.error.HTTPError as error:
            return error
        return answer


def _cause(error: Exception) -> str:
    """Return the cause for no answer, without the values that were sent."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLError):
        return f"TLS: {one_line(getattr(reason, 'reason', '') or 'no agreement', 100)}"
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    if isinstance(reason, OSError) and reason.strerror:
        return one_line(reason.strerror, 100)
    return type(error).__name__
