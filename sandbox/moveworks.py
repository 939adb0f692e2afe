"""Moveworks' Events API, by its reference: a notice in, an inbox for each person out.

It sends nothing to a chat and presses no buttons: `sandbox.connector` does that. `sandbox.listener` simulates
Moveworks' webhook listener; its messages end in the same inboxes.

Where the reference is silent, this simulator decides, and always for the stricter reading:

* unknown fields are refused, in the body and in `context`;
* a request that was refused with 429 does not count towards the limit, one refused with 400 or 404 does;
* the HTTP status of each documented error code is the one in the OpenAPI description that fits.

Sources, read 2026-11:
    https://docs.moveworks.com/api-reference/events-api/events-api/events/send-message-for-event
    https://docs.moveworks.com/agent-studio/classic-plugins-troubleshooting/events-rest-api-errors.md
    https://help.moveworks.com/api-reference/events-api/rate-limits.md
    https://help.moveworks.com/api-reference/events-api/message-delivery.md
    https://help.moveworks.com/api-reference/errors.md
"""

from __future__ import annotations

import hmac
import json
import re
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.clock import Clock, RealClock
from sandbox.front import Front
from sandbox.listener import Listener, Notification, PluginError

MAX_RECIPIENTS = 500
MAX_MESSAGE_CHARS = 20_000
WINDOW_S = 60.0

_SEND = re.compile(r"/rest/v1/events/(?P<event_id>[^/]+)/messages/send")
_NOTIFY = re.compile(r"/webhooks/v1/listeners/(?P<listener_id>[^/]+)/notify")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_PAIRED = re.compile(r"<(?:(?P<opened>b|i|ul|li|a href=\"[^\"<>]+\")|/(?P<closed>b|i|ul|li|a))>")
_WRONG_TYPE = "One or more fields have an incorrect data-type"


@dataclass(frozen=True)
class Delivered:
    """One message in one person's inbox."""

    recipient: str
    message: str
    slots: dict[str, str]
    at: datetime


@dataclass(frozen=True)
class _Notice:
    """The body of a send that passed every check."""

    message: str
    recipients: list[str]
    slots: dict[str, str]


class _RefusedError(Exception):
    """The answer is an error of this status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class MoveworksSimulator:
    """One organisation at Moveworks, with one published event and one listener.

    Args:
        clock: its time.
        api_key: the key that is required as `Authorization: Bearer <key>`.
        event_id: the event that exists; any other is unknown.
        listener_id: the listener that exists; any other is unknown.
        listener_secret: the secret of its signature; empty leaves it unsecured.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        api_key: str,
        event_id: str,
        listener_id: str = "",
        listener_secret: str = "",
    ) -> None:
        self.clock: Clock = clock or RealClock()
        self.api_key = api_key
        self.event_id = event_id
        self.front = Front(self._handle, clock=self.clock)
        """The WSGI application."""
        self.max_per_minute: int | None = 120
        """Allowed requests of the organisation in any 60 s; None for no limit."""
        self.retry_after: str | None = None
        """The value of `Retry-After` with a 429; Moveworks documents none, only "sleep for 60 seconds"."""
        self.known: set[str] | None = None
        """The people in the identity system, casefolded; messages to others are dropped, silently."""
        self.slots: frozenset[str] | None = frozenset({"approval_id", "action_token"})
        """The slots that the event declares; None for any."""
        self.flat_errors = False
        """The error pages nest `{"code", "message"}` under `error`; the OpenAPI schemas have it flat."""
        self.listener = Listener(
            clock=self.clock, listener_id=listener_id, secret=listener_secret, show=self._show
        )
        """The webhook listener, with its switches and its log."""
        self.delivered: list[Delivered] = []
        """The messages, one for each recipient, in order."""
        self.markup_faults: list[str] = []
        """Parts of messages that are not markup of an official sample; they are delivered all the same."""
        self._accepted_at: deque[float] = deque()
        self._lock = threading.Lock()

    def inbox(self, email: str) -> list[Delivered]:
        """Return the messages to one person, oldest first; letter case does not matter."""
        return [each for each in self.delivered if each.recipient.casefold() == email.casefold()]

    def _handle(self, request: Request) -> Response:
        notify = _NOTIFY.fullmatch(request.path)
        if notify and request.method == "POST":
            known = notify["listener_id"] == self.listener.listener_id
            return self.listener.handle(request) if known else Response(status=404)
        try:
            return _json(self._route(request), 200)
        except _RefusedError as refused:
            error = {"code": refused.code, "message": refused.message}
            response = _json(error if self.flat_errors else {"error": error}, refused.status)
            if refused.status == 429 and self.retry_after is not None:
                response.headers["Retry-After"] = self.retry_after
            return response

    def _route(self, request: Request) -> dict[str, Any]:
        if request.method == "GET" and request.path == "/rest/v1/auth/test":
            self._authenticate(request)
            return {"Message": "Successfully authenticated"}
        send = _SEND.fullmatch(request.path)
        if send is None or request.method != "POST":
            raise _RefusedError(404, "NOT_FOUND", "No such endpoint")
        self._authenticate(request)
        with self._lock:
            self._count_request()
        if send["event_id"] != self.event_id:
            raise _RefusedError(404, "INVALID_EVENT_ID", "Event not found")
        notice = _parse(request)
        undeclared = notice.slots.keys() - self.slots if self.slots is not None else set()
        if undeclared:
            raise _RefusedError(400, "BAD_REQUEST", f"Slots not declared in the event: {sorted(undeclared)}")
        self._deliver(notice)
        return {"data": {"status": "RECEIVED"}}

    def _authenticate(self, request: Request) -> None:
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {self.api_key}".encode()):
            raise _RefusedError(401, "Unauthorized", "Token validation failed")

    def _count_request(self) -> None:
        now = self.clock.monotonic()
        while self._accepted_at and now - self._accepted_at[0] >= WINDOW_S:
            self._accepted_at.popleft()
        if self.max_per_minute is not None and len(self._accepted_at) >= self.max_per_minute:
            raise _RefusedError(429, "RATE_LIMIT_EXCEEDED", "Too many requests")
        self._accepted_at.append(now)

    def _deliver(self, notice: _Notice) -> None:
        now = self.clock.now()
        with self._lock:
            self.markup_faults += markup_faults(notice.message)
            for recipient in notice.recipients:
                if self._knows(recipient):
                    self.delivered.append(Delivered(recipient, notice.message, dict(notice.slots), now))

    def _show(self, told: Notification) -> None:
        """Do what `mw.get_user_by_email` and `notify` do."""
        if not self._knows(told.email):
            raise PluginError("mw.get_user_by_email: user not found")
        with self._lock:
            # The notify steps of Moveworks' own plugins are written in Markdown; none has a tag.
            self.markup_faults += [f"tag in notify: {told.message}"] if "<" in told.message else []
            self.delivered.append(Delivered(told.email, told.message, dict(told.slots), self.clock.now()))

    def _knows(self, email: str) -> bool:
        return self.known is None or email.casefold() in self.known


def markup_faults(message: str) -> list[str]:
    """Return the parts of a message that are not markup of an official sample, in order.

    The page that lists the tags is not public. The samples prove `b`, `i`, `br`, `ul`, `li` and `a href`;
    every other `<`, a tag that is not closed and one closed out of turn are faults.

    >>> markup_faults('<b>PO 12</b><br><a href="https://a.test">open</a> 2 &lt; 3')
    []
    >>> markup_faults("<p>2 < 3 <b>so</i>")
    ['unknown tag: <p>2 < 3 <b>so</i>', 'unknown tag: < 3 <b>so</i>', 'closed out of turn: </i>']
    """
    faults: list[str] = []
    opened: list[str] = []
    for at in (found.start() for found in re.finditer("<", message)):
        tag = _PAIRED.match(message, at)
        if tag is None and not message.startswith("<br>", at):
            faults.append(f"unknown tag: {message[at : at + 40]}")
        elif tag and tag["opened"]:
            opened.append(tag["opened"].split()[0])
        elif tag and (not opened or opened.pop() != tag["closed"]):
            faults.append(f"closed out of turn: {tag[0]}")
    return faults + [f"not closed: <{name}>" for name in opened]


def _parse(request: Request) -> _Notice:
    """Check a send's body by the documentation, and return it.

    Raises:
        _RefusedError: 400, with the documented code and message.
    """
    if request.mimetype != "application/json":
        raise _RefusedError(400, "BAD_REQUEST", "Content-Type must be application/json")
    try:
        body = json.loads(request.get_data())
    except ValueError as error:
        raise _RefusedError(
            400, "BAD_REQUEST", "Parsing of json payload failed : invalid character"
        ) from error
    _check_fields(body, {"message", "recipients", "context"})
    message, recipients = body.get("message"), body.get("recipients")
    if not isinstance(message, str) or not message:
        raise _RefusedError(400, "BAD_REQUEST", _WRONG_TYPE)
    if not isinstance(recipients, list) or not recipients:
        raise _RefusedError(400, "BAD_REQUEST", _WRONG_TYPE)
    if len(message) > MAX_MESSAGE_CHARS or len(recipients) > MAX_RECIPIENTS:
        raise _RefusedError(400, "INVALID_VALUE_SIZE_TOO_LONG", "A value is too long")
    if not all(isinstance(each, str) and _EMAIL.fullmatch(each) for each in recipients):
        raise _RefusedError(400, "BAD_REQUEST", _WRONG_TYPE)
    return _Notice(message, recipients, _parse_slots(body.get("context", {})))


def _parse_slots(context: Any) -> dict[str, str]:
    _check_fields(context, {"slots"})
    slots = context.get("slots", {})
    if not isinstance(slots, dict) or not all(isinstance(value, str) for value in slots.values()):
        raise _RefusedError(400, "BAD_REQUEST", _WRONG_TYPE)
    return slots


def _check_fields(value: Any, allowed: set[str]) -> None:
    if not isinstance(value, dict):
        raise _RefusedError(400, "BAD_REQUEST", _WRONG_TYPE)
    if value.keys() - allowed:
        raise _RefusedError(400, "BAD_REQUEST", f"Unknown fields: {sorted(value.keys() - allowed)}")


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")
