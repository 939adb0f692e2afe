"""The HTTP request, and the parsing of its path, headers and query: ids, actors, tokens, switches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from coupa_core.addresses import folded, is_address
from coupa_core.correlation import Correlation, trace_id
from coupa_core.errors import CallerError

MAX_BODY = 32 * 1024
MAX_TEXT = {
    "actor_email": 254,
    "action_token": 1_000,
    "reason": MAX_BODY,
    "decision": 20,
    "message": 20_000,
    "comment": MAX_BODY,
    "token": 1_000,
}
"""The most characters of each field; the use cases have lower limits for reasons and questions."""

MAX_KEY = 200

ID = re.compile(r"[1-9][0-9]{0,18}")
"""An id in Coupa."""

_SWITCH = {"": False, "0": False, "false": False, "1": True, "true": True}
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Request:
    """One HTTP request, after the host has matched its route and checked its key.

    Its repr has the route and the id only, because the rest holds tokens and addresses.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    route: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    id: str = ""

    def header(self, name: str) -> str | None:
        """Return a header by its name in lower case."""
        for key, value in self.headers.items():
            if key.lower() == name:
                return value
        return None

    @property
    def principal(self) -> str:
        """Return the header in which App Service names the authenticated caller; empty without it."""
        return self.header("x-ms-client-principal") or ""


def request_id(request: Request) -> str:
    """Return the id of a request for answers and logs.

    It is the first of `X-Request-Id`, the trace id of `traceparent` and `Idempotency-Key`; a new one where
    the request has none that is safe to log.
    """
    given = (
        request.header("x-request-id")
        or trace_id(request.header("traceparent") or "")
        or request.header("idempotency-key")
    )
    return Correlation(given or "").id


def approval_id_of(request: Request) -> int:
    """Return the approval id of the path; raises `CallerError` where it is invalid."""
    text = request.route.get("approval_id", "")
    if not ID.fullmatch(text):
        raise CallerError("bad_approval_id", "approval_id must be a number of 1 to 19 digits.")
    return int(text)


def actor_of(request: Request, in_body: str | None = None) -> str:
    """Return the actor's e-mail address, as the connector gives it.

    Raises:
        CallerError: the actor is missing, ambiguous, or no e-mail address.
    """
    actor = single(
        "actor_email",
        request.header("x-actor-email"),
        in_body,
        request.query.get("user_email"),
        request.query.get("approver_email"),
        is_address=True,
    )
    if actor is None:
        raise CallerError("no_actor", "The actor is missing: send X-Actor-Email.", status=403)
    if not is_address(actor):
        raise CallerError("bad_actor", "X-Actor-Email is no e-mail address.")
    return actor


def token_of(request: Request, in_body: str | None) -> str | None:
    """Return the action token; raises `CallerError` where it is ambiguous or too long."""
    in_header, in_query = request.header("x-action-token"), request.query.get("action_token")
    return single("action_token", in_header, in_body, in_query)


def idempotency_key(request: Request) -> str:
    """Return the header `Idempotency-Key`, possibly empty; raises `CallerError` where it is invalid."""
    key = (request.header("idempotency-key") or "").strip()
    if len(key) > MAX_KEY or not key.isprintable():
        raise CallerError("bad_key", f"Idempotency-Key must be of at most {MAX_KEY} printable characters.")
    return key


def switch(request: Request, name: str) -> bool:
    """Return a boolean query parameter; raises `CallerError` where it is no boolean."""
    value = request.query.get(name, "").strip().lower()
    if value not in _SWITCH:
        raise CallerError("bad_switch", f"{name} must be 1 or 0.")
    return _SWITCH[value]


def day(request: Request, name: str) -> date | None:
    """Return a date of the query, or None; raises `CallerError` where it is no date."""
    text = request.query.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise CallerError("bad_day", f"{name} must be a day such as 2026-11-23.") from None


def single(name: str, *given: str | None, is_address: bool = False) -> str | None:
    """Return the value that a caller sent in one place or more; None where no place has one.

    Args:
        name: the field, for messages and its limit.
        given: the value in each place where the field may be sent.
        is_address: e-mail addresses are compared without case.

    Raises:
        CallerError: two values differ, or the value is too long or has a lone surrogate.
    """
    values = [value.strip() for value in given if value is not None and value.strip()]
    different = {folded(value) if is_address else value for value in values}
    if len(different) > 1:
        raise CallerError("ambiguous", f"{name} is given twice, with different values.")
    if not values:
        return None
    if _SURROGATE.search(values[0]):
        raise lone_surrogate(name)
    if len(values[0]) > MAX_TEXT[name]:
        raise too_long(name)
    return values[0]


def lone_surrogate(name: str) -> CallerError:
    """Return the error for a text with a lone surrogate, which JSON can hold and UTF-8 cannot.

    Source: https://www.rfc-editor.org/rfc/rfc8259#section-8.2
    """
    return CallerError("bad_field", f"{name} has half a character (a surrogate without its partner).")


def too_long(name: str) -> CallerError:
    """Return the error for a text that is too long."""
    return CallerError("field_too_long", f"{name} is longer than {MAX_TEXT[name]} characters.")
