"""One HTTP request, and the reading of what a caller sends beside the body: ids, people, tokens, switches."""

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
"""Characters of each field; of a person's own words the use case says, in their language, how many fit."""

MAX_KEY = 200

ID = re.compile(r"[1-9][0-9]{0,18}")
"""An id of Coupa."""

_SWITCH = {"": False, "0": False, "false": False, "1": True, "true": True}
_HALF_A_PAIR = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True)
class Request:
    """One HTTP request, after the host has matched its route and asked for its key.

    It shows no more than its route and its id: tokens and people are in the rest.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    route: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    id: str = ""

    def header(self, name: str) -> str | None:
        """Return a header by its name in small letters."""
        for key, value in self.headers.items():
            if key.lower() == name:
                return value
        return None

    @property
    def principal(self) -> str:
        """Return what App Service says of the caller; empty where it says nothing."""
        return self.header("x-ms-client-principal") or ""


def request_id(request: Request) -> str:
    """Return by which id a request is spoken of.

    The caller's name for it, the trace that it belongs to, or the caller's name for this attempt; a new one
    when there is none that is safe to repeat.
    """
    given = (
        request.header("x-request-id")
        or trace_id(request.header("traceparent") or "")
        or request.header("idempotency-key")
    )
    return Correlation(given or "").id


def approval_id_of(request: Request) -> int:
    """Return the id in the path; raises `CallerError` where it is none."""
    text = request.route.get("approval_id", "")
    if not ID.fullmatch(text):
        raise CallerError("bad_approval_id", "approval_id must be a number of 1 to 19 digits.")
    return int(text)


def actor_of(request: Request, in_body: str | None = None) -> str:
    """Return who acts: named by the connector, never guessed.

    Raises:
        CallerError: nobody is named, several are, or it is no address.
    """
    actor = agreed(
        "actor_email",
        request.header("x-actor-email"),
        in_body,
        request.query.get("user_email"),
        request.query.get("approver_email"),
        of_address=True,
    )
    if actor is None:
        raise CallerError("no_actor", "Who acts is missing: send X-Actor-Email.", status=403)
    if not is_address(actor):
        raise CallerError("bad_actor", "X-Actor-Email is no e-mail address.")
    return actor


def token_of(request: Request, in_body: str | None) -> str | None:
    """Return the action token; raises `CallerError` where two differ, or it is too long."""
    in_header, in_query = request.header("x-action-token"), request.query.get("action_token")
    return agreed("action_token", in_header, in_body, in_query)


def idempotency_key(request: Request) -> str:
    """Return the caller's name for this very attempt, or nothing; raises `CallerError` where it is none."""
    key = (request.header("idempotency-key") or "").strip()
    if len(key) > MAX_KEY or not key.isprintable():
        raise CallerError("bad_key", f"Idempotency-Key must be of at most {MAX_KEY} printable characters.")
    return key


def switch(request: Request, name: str) -> bool:
    """Return a switch of the query; raises `CallerError` where it is neither on nor off."""
    value = request.query.get(name, "").strip().lower()
    if value not in _SWITCH:
        raise CallerError("bad_switch", f"{name} must be 1 or 0.")
    return _SWITCH[value]


def day(request: Request, name: str) -> date | None:
    """Return a day of the query, or None; raises `CallerError` where it is none."""
    text = request.query.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise CallerError("bad_day", f"{name} must be a day such as 2026-11-23.") from None


def agreed(name: str, *given: str | None, of_address: bool = False) -> str | None:
    """Return the one value that was given, once or more.

    Raises:
        CallerError: two differ, it is too long, or it has half a character.
    """
    values = [value.strip() for value in given if value is not None and value.strip()]
    different = {folded(value) if of_address else value for value in values}
    if len(different) > 1:
        raise CallerError("ambiguous", f"{name} is given twice, and differently.")
    if not values:
        return None
    if _HALF_A_PAIR.search(values[0]):
        raise half_a_character(name)
    if len(values[0]) > MAX_TEXT[name]:
        raise too_long(name)
    return values[0]


def half_a_character(name: str) -> CallerError:
    """Return the refusal of a text that is not of whole characters: JSON alone can hold half a pair.

    Source: https://www.rfc-editor.org/rfc/rfc8259#section-8.2
    """
    return CallerError("bad_field", f"{name} has half a character (a surrogate without its partner).")


def too_long(name: str) -> CallerError:
    """Return the refusal of a text that is too long."""
    return CallerError("field_too_long", f"{name} is longer than {MAX_TEXT[name]} characters.")
