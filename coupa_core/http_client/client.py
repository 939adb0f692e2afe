"""Send one request, once, within its deadline and the allowed rate."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Protocol

import requests
from urllib3.exceptions import NewConnectionError

from coupa_core import correlation
from coupa_core.clock import Clock, Deadline, until
from coupa_core.connections import session as new_session
from coupa_core.errors import (
    ServiceError,
    Unavailable,
    Unknown,
)
from coupa_core.hiding import texts_of
from coupa_core.http_client.response import ServiceResponse

CONNECT_S = 5.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""The size limit of an answer: far above fifty full documents; a larger one is a fault of the service."""

ID_HEADER = "X-Request-Id"
"""The header that identifies the click or the sweep of a request.

Coupa's documentation has no such header, and neither service is expected to use it: it is for gateways and
logs on the way. A recipient ignores an unknown header. Source:
https://www.rfc-editor.org/rfc/rfc9110#section-5.1
"""

_CHUNK = 64 * 1024
_OK = range(200, 300)


class Rate(Protocol):
    """An allowed rate: one process's own, or one that all processes keep together."""

    def wait(self, deadline: Deadline) -> bool:
        """Wait for the next permit and take it; False, at once, when none comes before the deadline."""
        ...

    def learn(self, took_s: float) -> None:
        """Add the duration of a call, from its permit to its end, to the mean."""
        ...


class HttpClient:
    """The connection to one service.

    Args:
        name: `coupa` or `moveworks`; the prefix of error codes.
        base_url: scheme and host; nothing else is ever contacted, redirects are not followed.
        clock: for deadlines and waiting.
        pace: the allowed rate, or None for no limit.
        session: kept for its connections; made here unless a test brings its own transport.
        use_proxy: whether a proxy of the environment is used; it is not for a loopback address.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        clock: Clock,
        pace: Rate | None = None,
        session: requests.Session | None = None,
        use_proxy: bool = True,
    ) -> None:
        self.name = name
        self._base_url = base_url
        self._clock = clock
        self._pace = pace
        self._session = session or new_session(use_proxy=use_proxy)

    def send(
        self,
        method: str,
        path: str,
        *,
        deadline: Deadline,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        payload: object = None,
        body: bytes | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> ServiceResponse:
        """Send one request once, and return the answer, of any status.

        Args:
            method: HTTP method.
            path: begins with `/`; the caller must have checked it.
            deadline: the deadline for the wait for the allowed rate and for the whole exchange, however slow
                the service is. An earlier one in the context (`clock.until`) takes precedence.
            headers: `Authorization` and the like.
            params: query parameters, encoded here.
            form: a form body.
            payload: a JSON body.
            body: a body that goes out byte for byte, as something signed must; its type is in `headers`.
            max_bytes: the largest answer that is read.

        Raises:
            Unavailable: certainly not sent: no connection, or no time left.
            Unknown: sent, without a complete answer.
        """
        with until(deadline) as holds:
            if self._pace and not self._pace.wait(holds):
                raise Unavailable(
                    f"{self.name}_pace", f"{self.name}: no permit within the allowed rate in time"
                )
            left_s = holds.left_s()
            if left_s <= 0:
                raise Unavailable(f"{self.name}_late", f"{self.name}: no time left for {method} {path}")
            under, is_error = correlation.current(), True
            begun_s = self._clock.monotonic()
            named = {ID_HEADER: under.id} if under else {}
            try:
                with self._session.request(
                    method,
                    self._base_url + path,
                    params=params,
                    data=form if body is None else body,
                    json=payload,
                    headers={"Accept": "application/json", **named, **(headers or {})},
                    timeout=(min(CONNECT_S, left_s), left_s),
                    allow_redirects=False,
                    auth=_keep_headers,
                    stream=True,
                ) as response:
                    answer = self._read(response, holds, max_bytes)
                    is_error = response.status_code not in _OK
            except requests.RequestException as error:
                raise self._failure(error, f"{method} {path}", holds) from error
            finally:
                if self._pace:
                    self._pace.learn(self._clock.monotonic() - begun_s)
                if under:
                    under.called(self.name, is_error=is_error)
        lower = {name.lower(): value for name, value in response.headers.items()}
        sent = texts_of([headers, params, form, payload, body])
        return ServiceResponse(response.status_code, lower, answer, tuple(sent))

    def close_idle(self) -> None:
        """Drop kept connections, so that the next request does not meet one that the other side has left."""
        self._session.close()

    def _read(self, response: requests.Response, deadline: Deadline, max_bytes: int) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > max_bytes:
                raise Unknown(f"{self.name}_too_large", f"{self.name} answered more than {max_bytes} bytes")
            if deadline.left_s() <= 0:
                raise Unknown(f"{self.name}_timeout", f"{self.name} did not finish its answer in time")
        return bytes(body)

    def _failure(self, error: requests.RequestException, what: str, deadline: Deadline) -> ServiceError:
        """Distinguish a request that certainly was not sent from one with an unknown outcome."""
        if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
            return Unavailable(
                f"{self.name}_unreachable", f"{self.name} cannot be reached for {what} ({_error_kind(error)})"
            )
        late = isinstance(error, requests.Timeout) or deadline.left_s() <= 0
        return Unknown(
            f"{self.name}_{'timeout' if late else 'lost'}",
            f"{self.name} did not answer {what} ({_error_kind(error)})",
        )


def _error_kind(error: requests.RequestException) -> str:
    return type(error).__name__


def _never_connected(error: requests.RequestException) -> bool:
    """Tell whether no byte of the request can have left this machine."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    cause = getattr(reason, "args", (None,))[0] if reason is not None else None
    return isinstance(reason, NewConnectionError) or isinstance(cause, ssl.SSLCertVerificationError)


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Return the request unchanged: without an `auth`, requests lets a .netrc file replace the headers."""
    return request
