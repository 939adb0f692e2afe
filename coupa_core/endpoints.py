"""The routes' meaning, without an HTTP library: a request as plain values in, status and JSON out.

It checks what a caller sent and says what a result or an error is in HTTP; the use cases decide.
A business outcome is 200, a caller's mistake 400, 401, 403 or 404, ours or a neighbour's failure 5xx.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from coupa_core.decide import Click, Decide, parse_verb
from coupa_core.errors import BridgeError, CallerError, Denied, Malformed, Refused, SettingsError
from coupa_core.inbox import Card, Inbox
from coupa_core.model import Verb
from coupa_core.report import Report

MAX_BODY = 32 * 1024
MAX_TEXT = {"actor_email": 254, "action_token": 1_000, "reason": 8_000, "decision": 20}

_ID = re.compile(r"[1-9][0-9]{0,18}")
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\]{1,64}@[A-Za-z0-9.-]{1,190}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """One HTTP request, after the host has matched its route and asked for its key."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    route: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    """One HTTP answer: a status and JSON."""

    status: int
    body: dict[str, Any]

    def text(self) -> str:
        """Return the body as it goes out."""
        return json.dumps(self.body)


class Endpoints:
    """The routes, by the names of their functions."""

    def __init__(self, *, decide: Decide, inbox: Inbox, report: Report) -> None:
        self._decide = decide
        self._inbox = inbox
        self._report = report
        self._routes: Mapping[str, Callable[[Request], Reply]] = {
            "health": self._health,
            "list_approvals": self._list,
            "get_approval": self._show,
            "approve": lambda request: self._click(request, Verb.APPROVE),
            "reject": lambda request: self._click(request, Verb.REJECT),
            "hold": lambda request: self._click(request, Verb.HOLD),
            "decision": lambda request: self._click(request, None),
            "notifications": self._relay,
            "status": self._status,
            "trace": self._trace,
        }

    def handle(self, name: str, request: Request) -> Reply:
        """Answer one request; never raises for anything that a caller or a neighbour can cause."""
        try:
            return self._routes[name](request)
        except BridgeError as error:
            return refusal(name, error)

    def _health(self, request: Request) -> Reply:  # noqa: ARG002 - every route takes a request
        is_healthy = self._report.is_healthy()
        return Reply(200 if is_healthy else 503, {"status": "ok" if is_healthy else "failing"})

    def _list(self, request: Request) -> Reply:
        found = self._inbox.waiting_for(_actor(request, {}))
        count = found.total
        message = "You have no open approvals in Coupa."
        if count:
            message = f"You have {count} open approval{'' if count == 1 else 's'} in Coupa."
        cards = [_card(card) for card in found.cards]
        return Reply(200, {"count": count, "message": message, "approvals": cards})

    def _show(self, request: Request) -> Reply:
        approval_id = _approval_id(request)
        card = self._inbox.show(_actor(request, {}), approval_id)
        if card is None:
            raise CallerError("not_found", "No such approval waits for this person.", status=404)
        return Reply(200, _card(card))

    def _click(self, request: Request, verb: Verb | None) -> Reply:
        approval_id = _approval_id(request)
        body = _body(request, {"actor_email", "action_token", "reason", *(["decision"] if not verb else [])})
        verb = verb or parse_verb(body.get("decision", ""))
        if verb is None:
            raise CallerError("bad_decision", "decision must be approve, reject or hold.")
        answer = self._decide.decide(
            Click(
                approval_id=approval_id,
                verb=verb,
                actor=_actor(request, body),
                token=_agreed(
                    "action_token",
                    _header(request, "x-action-token"),
                    body.get("action_token"),
                    request.query.get("action_token"),
                ),
                reason=_agreed("reason", body.get("reason"), request.query.get("reason")) or "",
            )
        )
        told = {"outcome": answer.outcome.value, "message": answer.message, "approval_id": str(approval_id)}
        return Reply(200, told | answer.details)

    def _relay(self, request: Request) -> Reply:  # noqa: ARG002 - every route takes a request
        raise CallerError("relay_off", "Relaying messages is not enabled on this bridge.", status=403)

    def _status(self, request: Request) -> Reply:  # noqa: ARG002 - every route takes a request
        return Reply(200, self._report.status())

    def _trace(self, request: Request) -> Reply:
        row = self._report.trace(_approval_id(request))
        if row is None:
            raise CallerError("not_found", "The bridge has never seen this approval.", status=404)
        return Reply(200, row)


def refusal(name: str, error: BridgeError) -> Reply:
    """Say an error to the caller, and to the operator under the same request id.

    A caller's mistake and a wrong setting are named; of a neighbour's failure only the code is.
    """
    request_id = uuid.uuid4().hex
    if isinstance(error, CallerError):
        status, message = error.status, str(error)
        logger.info("refused route=%s code=%s request_id=%s", name, error.code, request_id)
    else:
        status = 500 if isinstance(error, SettingsError) else 503
        message = (
            f"The bridge is not configured: {error}."
            if isinstance(error, SettingsError)
            else "Coupa or the bridge's memory is out of reach; nothing was decided. Please try again soon."
        )
        logger.error("failed route=%s code=%s request_id=%s cause=%s", name, error.code, request_id, error)
    if isinstance(error, Refused | Denied | Malformed):
        status = 502  # the neighbour answered, and asking again is no use before somebody has acted
    return Reply(status, {"error": error.code, "message": message, "request_id": request_id})


def _card(card: Card) -> dict[str, Any]:
    """Write a card; ids are texts, as in slots."""
    return {name: str(value) for name, value in asdict(card).items() if value is not None}


def _approval_id(request: Request) -> int:
    text = request.route.get("approval_id", "")
    if not _ID.fullmatch(text):
        raise CallerError("bad_approval_id", "approval_id must be a number of 1 to 19 digits.")
    return int(text)


def _actor(request: Request, body: Mapping[str, str]) -> str:
    """Return who acts: named by the connector, never guessed."""
    actor = _agreed(
        "actor_email",
        _header(request, "x-actor-email"),
        body.get("actor_email"),
        request.query.get("user_email"),
        request.query.get("approver_email"),
        fold=True,
    )
    if actor is None:
        raise CallerError("no_actor", "Who acts is missing: send X-Actor-Email.", status=403)
    if not _EMAIL.fullmatch(actor) or not actor.isprintable():
        raise CallerError("bad_actor", "X-Actor-Email is no e-mail address.")
    return actor


def _agreed(name: str, *given: str | None, fold: bool = False) -> str | None:
    """Return the one value that was given, once or more; two that differ are refused."""
    values = [value.strip() for value in given if value is not None and value.strip()]
    different = {value.casefold() if fold else value for value in values}
    if len(different) > 1:
        raise CallerError("ambiguous", f"{name} is given twice, and differently.")
    return _capped(name, values[0]) if values else None


def _capped(name: str, value: str) -> str:
    if len(value) > MAX_TEXT[name]:
        raise CallerError("field_too_long", f"{name} is longer than {MAX_TEXT[name]} characters.")
    return value


def _header(request: Request, name: str) -> str | None:
    for key, value in request.headers.items():
        if key.lower() == name:
            return value
    return None


def _body(request: Request, known: set[str]) -> dict[str, str]:
    """Read a JSON object of known texts, or nothing.

    Raises:
        CallerError: says what is wrong with the body.
    """
    if len(request.body) > MAX_BODY:
        raise CallerError("body_too_large", f"The body is larger than {MAX_BODY} bytes.", status=413)
    if not request.body.strip():
        return {}
    kind = (_header(request, "content-type") or "application/json").lower().replace(" ", "")
    charset = kind.partition("charset=")[2].strip('"') or "utf-8"
    if kind.split(";")[0] != "application/json" or charset not in ("utf-8", "utf8"):
        raise CallerError("bad_content_type", "The body must be application/json in UTF-8.")
    if (_header(request, "content-encoding") or "identity").lower() != "identity":
        raise CallerError("bad_encoding", "The body must not be compressed.")
    try:
        body = json.loads(
            request.body.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_int=float,  # a number of thousands of digits is refused like any other, not by its length
        )
    except (ValueError, RecursionError) as error:
        raise CallerError("bad_json", f"The body is no valid JSON: {_short(error)}.") from error
    if not isinstance(body, dict):
        raise CallerError("bad_body", "The body must be a JSON object.")
    return {name: _known_text(name, value, known) for name, value in body.items()}


def _known_text(name: str, value: Any, known: set[str]) -> str:
    """Return the text of a field that may be there; null is no text."""
    if name not in known:
        raise CallerError("unknown_field", f"The body may hold {', '.join(sorted(known))} only.")
    if not isinstance(value, str | None):
        raise CallerError("bad_field", f"{name} must be a text.")
    return _capped(name, value or "")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: a raw template could smuggle a second actor in behind the first."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _short(error: Exception) -> str:
    """Name the fault without repeating the body."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)
