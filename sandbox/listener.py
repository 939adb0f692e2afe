"""Agent Studio's webhook listener, by its documentation: a request in, an event, a plugin, a log.

It follows the documentation of any listener (arbitrary JSON in) and of the listener that docs/creator_studio
describes: the event filter and the compound action. It shows nothing in a chat; it returns who is told.

Where the documentation is silent or contradicts itself, there is a switch, or the stricter reading:

* a wrong signature is answered 401 as the reference says, or 200 with a line in the log as Moveworks' demo
  app says (`rejects_quietly`);
* a body that is not JSON is refused with 400;
* of several events with one debounce key, the first one passes;
* a request that was refused with 429 does not count towards the limit; every other request does.

Sources, read 2026-11:
    https://help.moveworks.com/api-reference/webhook-listeners/webhooks/send-a-webhook-to-a-webhook-listener
    https://help.moveworks.com/tool-studio/system-triggers/webhook-triggers/webhooks-listener
    https://help.moveworks.com/docs/webhook-logs-troubleshooting-guide
    https://github.com/moveworks/conversations-api-demo-app (README.md)
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.clock import Clock

MAX_BODY = 1_000_000
UNSECURED_EVERY_S = 10.0

RECEIVED, PROCESSED, TRIGGERED = (
    "listener.webhook.trigger",
    "listener.webhook.processor.update",
    "listener.webhook.plugin.trigger",
)
BAD_SIGNATURE = "ErrorSignatureVerificationFailed"


@dataclass(frozen=True)
class LogLine:
    """One line of the listener's log.

    Attributes:
        event: the name of the log event.
        outcome: `received`, `rejected`, `filtered`, `debounced`, `published`, `completed` or `failed`.
        cause: the reason, when the event went no further.
    """

    event: str
    outcome: str
    cause: str
    at: datetime


@dataclass(frozen=True)
class Notification:
    """The values of a plugin's `notify` step: the person, the message, and the slots of a button."""

    email: str
    message: str
    slots: dict[str, str]


class PluginError(Exception):
    """A step of the plugin failed; nobody is told."""


Plugin = Callable[[Any], Notification]


def notify_approver(payload: Any) -> Notification:
    """Do what the compound action of docs/creator_studio/listener.md does with a payload.

    Raises:
        PluginError: the payload lacks a value that the steps need.
    """
    if not isinstance(payload, dict):
        raise PluginError("the payload is no object")
    for name in ("approver_email", "message", "approval_id"):
        if not isinstance(payload.get(name), str):
            raise PluginError(f"{name} is missing")
    for name in ("approver_email", "message"):
        if not payload[name]:
            raise PluginError(f"{name} is empty")
    slots = {name: str(payload.get(name, "")) for name in ("approval_id", "action_token")}
    return Notification(
        payload["approver_email"],
        payload["message"],
        {name: value for name, value in slots.items() if value},
    )


class Listener:
    """One listener, with its verification, filter, debounce and plugin.

    Args:
        clock: its time.
        listener_id: the id in its URL.
        secret: the secret of its signature; empty leaves the listener unsecured.
        show: shows a notification to a person.
    """

    def __init__(
        self, *, clock: Clock, listener_id: str, secret: str, show: Callable[[Notification], None]
    ) -> None:
        self.listener_id = listener_id
        self.secret = secret
        self.signature_header = "X-Signature"
        self.rejects_quietly = False
        """Answer 200 to a wrong signature, and report it only in the log."""
        self.max_per_second: int | None = 5
        """Requests that the organisation may send in a second, or None; an unsecured one takes 1 in 10 s."""
        self.retry_after: str | None = None
        """The value of `Retry-After` with a 429; Moveworks documents none."""
        self.ignored_kinds: frozenset[str] = frozenset({"probe"})
        """The event filter: events of these kinds stop here."""
        self.debounce_s: float = 0
        """The window in which a second event with the same `delivery_id` stops here."""
        self.plugin: Plugin | None = notify_approver
        """The plugin that an event triggers; None for none, as before a plugin is published."""
        self.log: list[LogLine] = []
        """The log, in order."""
        self._clock = clock
        self._show = show
        self._accepted_at: deque[float] = deque()
        self._seen: dict[str, float] = {}
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        """Answer one request to the listener's URL."""
        with self._lock:
            if not self._has_room():
                headers = {"Retry-After": self.retry_after} if self.retry_after is not None else {}
                return _error(429, "RATE_LIMIT_EXCEEDED", "Too many requests", headers)
            return self._receive(request)

    def _has_room(self) -> bool:
        limit, window_s = (self.max_per_second, 1.0) if self.secret else (1, UNSECURED_EVERY_S)
        now = self._clock.monotonic()
        while self._accepted_at and now - self._accepted_at[0] >= window_s:
            self._accepted_at.popleft()
        if limit is not None and len(self._accepted_at) >= limit:
            return False
        self._accepted_at.append(now)
        return True

    def _receive(self, request: Request) -> Response:
        body = request.get_data()
        self._note(RECEIVED, "received")
        if self.secret and not self._is_signed(request, body):
            self._note(PROCESSED, "rejected", BAD_SIGNATURE)
            if self.rejects_quietly:
                return _received()
            return _error(401, BAD_SIGNATURE, "Signature verification failed")
        if request.mimetype != "application/json":
            self._note(PROCESSED, "rejected", "content type")
            return _error(400, "BAD_REQUEST", "Content-Type must be application/json")
        try:
            payload = json.loads(body)
        except ValueError:
            self._note(PROCESSED, "rejected", "no JSON")
            return _error(400, "BAD_REQUEST", "The body is no JSON")
        # A larger body is accepted, too; but no expression that refers to it has a value then.
        self._process(payload if len(body) <= MAX_BODY else None)
        return _received()

    def _is_signed(self, request: Request, body: bytes) -> bool:
        wanted = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted.encode(), request.headers.get(self.signature_header, "").encode())

    def _process(self, payload: Any) -> None:
        fields = payload if isinstance(payload, dict) else {}
        if fields.get("kind") in self.ignored_kinds:
            self._note(PROCESSED, "filtered")
            return
        if self._is_repeated(str(fields.get("delivery_id", ""))):
            self._note(PROCESSED, "debounced")
            return
        self._note(PROCESSED, "published")
        if self.plugin is None:
            return
        try:
            self._show(self.plugin(payload))
        except PluginError as failure:
            self._note(TRIGGERED, "failed", str(failure))
        else:
            self._note(TRIGGERED, "completed")

    def _is_repeated(self, key: str) -> bool:
        now = self._clock.monotonic()
        last = self._seen.get(key)
        if key and last is not None and now - last < self.debounce_s:
            return True
        self._seen[key] = now
        return False

    def _note(self, event: str, outcome: str, cause: str = "") -> None:
        self.log.append(LogLine(event, outcome, cause, self._clock.now()))


def _received() -> Response:
    return _json({"message": "Event received successfully", "status": "RECEIVED"}, 200)


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return _json({"error": {"code": code, "message": message}}, status, headers)


def _json(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json", headers=headers)
