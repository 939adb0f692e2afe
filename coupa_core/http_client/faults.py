"""Classify an answer other than 2xx by the way to go on, with the cause in the service's own words."""

from __future__ import annotations

import html
import re
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import requests

from coupa_core.errors import (
    Denied,
    Malformed,
    Refused,
    ServiceError,
    Throttled,
    Unknown,
    one_line,
)
from coupa_core.hiding import for_people, without
from coupa_core.http_client.response import ServiceResponse

_REFUSAL_STATUSES = (400, 409, 422)
"""The statuses of a refusal by the service itself; 400 in JSON or XML only, since every gateway has its own.

Source: "Approvals API", actions, on 400 with the validation errors,
.../the-coupa-core-api/resources/transactional-resources/approvals-api
"""
_INTERNAL_KEYS = frozenset({"backtrace", "debug", "exception", "sql", "stack", "stacktrace", "trace"})
"""The keys of an error body whose values are not for people."""
_WORDED = ("errors", "error", "error_description", "message", "code", "title", "detail")


def failure_of(
    reply: ServiceResponse, *, name: str, what: str, now: datetime, hint: str = ""
) -> ServiceError:
    """Return the error for an answer other than 2xx; its class says how to go on.

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
            is_considered=_is_by_service(reply),
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
    """Return the sentences for people in which a service's rules refuse a request; empty without any.

    A broken page, an error of a gateway, or an exception has no such sentences. Source: as for `error_text`.
    """
    try:
        body = reply.json()
    except Malformed:
        words = _texts_in(reply, "error") if _is_xml(reply) else []
    else:
        words = _words(body.get("errors"), 0, but=_INTERNAL_KEYS) if isinstance(body, dict) else []
    return _line([word for word in words if for_people(word)], reply, 500)


def _is_by_service(reply: ServiceResponse) -> bool:
    """Tell whether the service itself refused, and not a gateway before it."""
    if reply.status != requests.codes.bad_request:
        return reply.status in _REFUSAL_STATUSES
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
    """Write words as one line, without the values that we sent."""
    return one_line(without("; ".join(words)[:20_000], reply.sent), limit)


def _words(value: Any, depth: int, *, but: AbstractSet[str] = frozenset()) -> list[str]:
    """Collect the texts of an error body, three levels deep: deeper texts are not messages."""
    if isinstance(value, str):
        return [value]
    if depth > 3:  # noqa: PLR2004
        return []
    return [word for item in _first_values(value, but) for word in _words(item, depth + 1, but=but)]


def _first_values(value: Any, but: AbstractSet[str]) -> list[Any]:
    """Return the first values of a list, or of a map without some of its names."""
    if isinstance(value, dict):
        return [item for name, item in list(value.items())[:10] if name.casefold() not in but]
    return value[:5] if isinstance(value, list) else []
