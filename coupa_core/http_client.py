"""HTTP to an upstream service: one send with a deadline, a rate and a size limit, and what failures mean.

It never repeats a request and knows no vendor: the clients do.
"""

from __future__ import annotations

import html
import json
import re
import ssl
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import requests
from urllib3.exceptions import NewConnectionError

from coupa_core import correlation
from coupa_core.clock import Clock, Deadline, countable, until
from coupa_core.connections import session as new_session
from coupa_core.errors import (
    Denied,
    Malformed,
    Refused,
    ServiceError,
    Throttled,
    Unavailable,
    Unknown,
    one_line,
)
from coupa_core.hiding import for_people, texts_of, without

CONNECT_S = 5.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Far above fifty full documents; an answer beyond it is a fault of the service."""

ID_HEADER = "X-Request-Id"
"""The header that identifies the click or the sweep of a request.

Coupa's documentation has no such header, and neither service is expected to use it: it is for gateways and
logs on the way. A recipient ignores an unknown header. Source:
https://www.rfc-editor.org/rfc/rfc9110#section-5.1
"""

_CHUNK = 64 * 1024
_OK = range(200, 300)
_CONSIDERED = (400, 409, 422)
"""The statuses of a refusal by the service itself; 400 in JSON or XML only, since every gateway has its own.

Source: "Approvals API", actions, on 400 with the validation errors,
.../the-coupa-core-api/resources/transactional-resources/approvals-api
"""
_INSIDE = frozenset({"backtrace", "debug", "exception", "sql", "stack", "stacktrace", "trace"})
"""Keys of an error body under which nothing is for people."""
_WORDED = ("errors", "error", "error_description", "message", "code", "title", "detail")


class Rate(Protocol):
    """An allowed rate: one process's own, or one that all processes keep together."""

    def wait(self, deadline: Deadline) -> bool:
        """Wait for the next turn and take it; False, at once, when none comes before the deadline."""
        ...

    def learn(self, took_s: float) -> None:
        """Take note of how long a call took, from its permit to its end."""
        ...


@dataclass(frozen=True)
class ServiceResponse:
    """The answer of a service: status, headers with lower-case names, and the whole body.

    Attributes:
        sent: the values of the request; a service that repeats them in an error must not put them in a log.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Tell whether it is any 2xx."""
        return self.status in _OK

    def json(self) -> Any:
        """Return the body as JSON, numbers with a point as `Decimal`.

        Raises:
            Malformed: empty, HTML, XML, cut off, not UTF-8, NaN, or nested without end.
        """
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, ArithmeticError, RecursionError) as error:
            kind = one_line(self.headers.get("content-type", "no content type").split(";")[0], 60)
            raise Malformed(
                "not_json", f"answered {self.status} with {len(self.body)} bytes of {kind}, not JSON"
            ) from error

    def retry_after_s(self, now: datetime) -> float | None:
        """Return how long to wait by `Retry-After`, given in seconds or as a date; None when it says nothing.

        Source: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
        """
        value = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", value):
            return float(value)
        at = _http_date(value)
        return max(0.0, (at - now).total_seconds()) if at else None

    def ahead_s(self, now: datetime) -> float | None:
        """Return how far the service's clock is ahead of ours, in whole seconds, by its `Date`.

        Source: https://www.rfc-editor.org/rfc/rfc9110#name-date
        """
        at = _http_date(self.headers.get("date", ""))
        return (at - now).total_seconds() if at else None


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
        """Send one request once and return whatever was answered, of any status.

        Args:
            method: HTTP method.
            path: begins with `/`; the caller vouches for it.
            deadline: for the whole exchange, whatever the service does, and for the wait for the allowed
                rate. An earlier one that is set around it (`clock.until`) holds.
            headers: `Authorization` and the like.
            params: query parameters, encoded here.
            form: a form body.
            payload: a JSON body.
            body: a body that goes out byte for byte, as something signed must; its type is in `headers`.
            max_bytes: the largest answer that is read.

        Raises:
            Unavailable: surely not sent: no connection, or no time left.
            Unknown: sent, and no whole answer came back.
        """
        with until(deadline) as holds:
            if self._pace and not self._pace.wait(holds):
                raise Unavailable(
                    f"{self.name}_pace", f"{self.name}: no turn within the allowed rate in time"
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
                    auth=_as_given,
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
        """Tell a request that surely never left from one whose outcome is unknown."""
        if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
            return Unavailable(
                f"{self.name}_unreachable", f"{self.name} cannot be reached for {what} ({_kind(error)})"
            )
        late = isinstance(error, requests.Timeout) or deadline.left_s() <= 0
        return Unknown(
            f"{self.name}_{'timeout' if late else 'lost'}",
            f"{self.name} did not answer {what} ({_kind(error)})",
        )


def failure_of(
    reply: ServiceResponse, *, name: str, what: str, now: datetime, hint: str = ""
) -> ServiceError:
    """Say what an answer other than 2xx means for what to do next.

    429 is `Throttled`, 401 and 403 `Denied`, other 4xx `Refused`, a redirect `Denied` (a wrong base URL), 5xx
    `Unknown`: a gateway may answer for a server that has done the work.
    """
    cause = error_text(reply)
    text = f"{name} answered {reply.status} to {what}"
    text += f": {cause}" if cause else ""
    text += f" ({hint})" if hint else ""
    wait_s = reply.retry_after_s(now)
    if reply.status == requests.codes.too_many_requests:
        return Throttled(f"{name}_429", text, status=reply.status, retry_after_s=wait_s)
    if reply.status in (requests.codes.unauthorized, requests.codes.forbidden):
        return Denied(f"{name}_{reply.status}", text, status=reply.status)
    if reply.status in range(300, 400):
        return Denied(f"{name}_redirect", f"{text} (check the base URL)", status=reply.status)
    if reply.status in range(400, 500):
        return Refused(
            f"{name}_{reply.status}",
            text,
            status=reply.status,
            is_considered=_is_considered(reply),
            user_message=validation_errors(reply),
        )
    return Unknown(f"{name}_{reply.status}", text, status=reply.status, retry_after_s=wait_s)


def error_text(reply: ServiceResponse) -> str:
    """Return the service's own words about an error, from JSON, XML or HTML, as one short line.

    Coupa answers `{"errors": {field: [text]}}` or `<errors><error>text</error></errors>`, and HTML when it is
    broken; Moveworks `{"error": {"code", "message"}}` or the same flat. The
    result repeats nothing that we sent, and nothing that could be an encoded credential.
    """
    try:
        body = reply.json()
    except Malformed:
        words = _texts_in(reply, "error|title")
    else:
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name in _WORDED}
        words = _words(body, 0)
    return _line(words, reply, 200)


def validation_errors(reply: ServiceResponse) -> str:
    """Return why a service's rules refuse a request, in its own sentences for people; empty without any.

    A broken page, an error of a gateway, or an exception says nothing of the kind. Source: as for
    `error_text`.
    """
    try:
        body = reply.json()
    except Malformed:
        words = _texts_in(reply, "error") if _is_xml(reply) else []
    else:
        words = _words(body.get("errors"), 0, but=_INSIDE) if isinstance(body, dict) else []
    return _line([word for word in words if for_people(word)], reply, 500)


def _is_considered(reply: ServiceResponse) -> bool:
    """Tell whether the service itself refused, and not something on the way to it."""
    if reply.status != requests.codes.bad_request:
        return reply.status in _CONSIDERED
    try:
        return isinstance(reply.json(), dict)
    except Malformed:
        return _is_xml(reply)


def _is_xml(reply: ServiceResponse) -> bool:
    return b"<errors" in reply.body[:1_000]


def _texts_in(reply: ServiceResponse, elements: str) -> list[str]:
    page = reply.body[:20_000].decode("utf-8", "replace")
    found = re.findall(rf"<(?:{elements})\b[^>]{{0,80}}>([^<]{{1,300}})", page)
    return [html.unescape(word) for word in found]


def _line(words: list[str], reply: ServiceResponse, limit: int) -> str:
    """Write words as one line, without what we sent."""
    return one_line(without("; ".join(words)[:20_000], reply.sent), limit)


def _words(value: Any, depth: int, *, but: AbstractSet[str] = frozenset()) -> list[str]:
    """Collect the texts of an error body, three levels deep: what lies deeper is no message."""
    if isinstance(value, str):
        return [value]
    if depth > 3:  # noqa: PLR2004
        return []
    if isinstance(value, list):
        return [word for item in value[:5] for word in _words(item, depth + 1, but=but)]
    if isinstance(value, dict):
        kept = [item for name, item in list(value.items())[:10] if name.casefold() not in but]
        return [word for item in kept for word in _words(item, depth + 1, but=but)]
    return []


def _http_date(value: str) -> datetime | None:
    try:
        return countable(parsedate_to_datetime(value))
    except (ValueError, OverflowError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _kind(error: requests.RequestException) -> str:
    return type(error).__name__


def _never_connected(error: requests.RequestException) -> bool:
    """Tell whether no byte of the request can have left this machine."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    cause = getattr(reason, "args", (None,))[0] if reason is not None else None
    return isinstance(reason, NewConnectionError) or isinstance(cause, ssl.SSLCertVerificationError)


def _as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep the headers as they are: without an `auth`, requests would let a .netrc file replace them."""
    return request
