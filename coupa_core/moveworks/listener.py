"""Agent Studio's webhook listener: a notice as signed data, which a plugin there turns into chat.

It has the wire format; docs/creator_studio/listener.md says how to build the plugin.
A 2xx says that the listener has the request. Perhaps only its logs show a wrong signature: by the
documentation it answers 401, by Moveworks' own demo app a secured listener accepts the request first.

Sources:
    https://help.moveworks.com/api-reference/webhook-listeners/webhooks/send-a-webhook-to-a-webhook-listener
    https://help.moveworks.com/tool-studio/system-triggers/webhook-triggers/webhooks-listener
    https://github.com/moveworks/conversations-api-demo-app (README.md, app/test_notifications.py)
"""

from __future__ import annotations

import hashlib
import hmac
import json

from coupa_core.addresses import folded
from coupa_core.clock import Clock, Deadline
from coupa_core.errors import Refused
from coupa_core.http_client import HttpClient, ServiceResponse
from coupa_core.moveworks.channel import ANSWER_BYTES, HttpChannel
from coupa_core.moveworks.chat import chat_text
from coupa_core.notice import Notice
from coupa_core.pace import Pace

SCHEMA_VERSION = 1
"""The version of the payload; within a version fields may be added, and none is renamed or removed."""

SIGNATURE_HEADER = "X-Signature"
"""The header with the hexadecimal HMAC-SHA256 of the raw body.

The listener's builder chooses the name; this is the one of Moveworks' own client.
Source: https://github.com/moveworks/conversations-api-demo-app, app/test_notifications.py
"""

PER_SECOND = 3
"""The even rate of sends: at most 5 arrive within a second even when one is two thirds of a second late.

The documentation of 2025 allows 5 to all listeners together, that of 2026 says 50.
Source: https://help.moveworks.com/docs/webhooks-listener
"""

MAX_BODY = 1_000_000
"""The limit in bytes; a listener accepts a larger body and cannot read it, so nobody would be told.

Source: https://help.moveworks.com/tool-studio/system-triggers/webhook-triggers/webhooks-listener, "1 MB"
"""

PROBE = "probe"
"""The kind of a message without a recipient, which the listener filters out."""

LOOK_IN_THE_LOG = (
    "A listener may answer 200 to a signature that it then rejects: look for "
    "ErrorSignatureVerificationFailed in the listener's logs in Agent Studio."
)
"""The advice to operators; no answer of the listener contains it."""

_HINTS = {
    401: "check MOVEWORKS_LISTENER_SECRET, and the listener's signature verification",
    404: "check MOVEWORKS_LISTENER_ID, and MOVEWORKS_BASE_URL for your region",
}


class ListenerChannel(HttpChannel):
    """The webhook listener: one signed request for one person."""

    def __init__(
        self, http_client: HttpClient, *, listener_id: str, secret: str, pace: Pace, clock: Clock
    ) -> None:
        super().__init__(http_client, pace=pace, clock=clock, hints=_HINTS)
        self._path = f"/webhooks/v1/listeners/{listener_id}/notify"
        self._secret = secret.encode()
        self._spacing = Pace(clock, limit=1, period_s=1 / PER_SECOND)

    def acquire(self, deadline: Deadline) -> bool:
        """Wait for a place within the allowed rate, and then for the distance to the previous send."""
        return super().acquire(deadline) and self._spacing.wait(deadline)

    def send(self, notice: Notice, deadline: Deadline) -> None:
        """Send one notice to the listener.

        Raises:
            Refused: also when the body is too large; nothing was sent then.
        """
        self._accept(self._post(notice, deadline), "notify the listener")

    def probe(self, deadline: Deadline) -> None:
        """Send a signed message of the kind `probe`, without a recipient: it checks route, id and secret.

        There is no other check: a listener answers only to messages.
        """
        self._accept(self._post(Notice("", "", kind=PROBE), deadline), "ask the listener for a sign of life")

    def _post(self, notice: Notice, deadline: Deadline) -> ServiceResponse:
        body = json.dumps(payload(notice), separators=(",", ":")).encode()
        if len(body) > MAX_BODY:
            raise Refused("moveworks_too_large", f"a notice of {len(body)} bytes is too large for a listener")
        return self._http_client.send(
            "POST",
            self._path,
            headers={
                "Content-Type": "application/json",
                SIGNATURE_HEADER: hmac.new(self._secret, body, hashlib.sha256).hexdigest(),
            },
            body=body,
            deadline=deadline,
            max_bytes=ANSWER_BYTES,
        )


def payload(notice: Notice) -> dict[str, object]:
    """Return the payload for a listener; every field is always present, so that a plugin can map it.

    Returns:
        `schema_version` (a number), `buttons` (labels in the reader's language by action, only for the
        reader's actions), and texts: `delivery_id`, `kind`, `approver_email`, `message` in the markup of
        `notify`, `message_html` in that of the Events API, and, possibly empty, `approval_id`,
        `action_token`, `document_type`, `document_id`.
    """
    slots = notice.slots if notice.actions else {}
    return {
        "schema_version": SCHEMA_VERSION,
        "delivery_id": delivery_id(notice),
        "kind": notice.kind,
        "approver_email": notice.recipient,
        "message": chat_text(notice.text, colon=notice.colon),
        "message_html": notice.text,
        "approval_id": slots.get("approval_id", ""),
        "action_token": slots.get("action_token", ""),
        "document_type": notice.document_type,
        "document_id": notice.document_id,
        "buttons": {str(name): label for name, label in notice.actions.items()},
    }


def delivery_id(notice: Notice) -> str:
    """Return a 128-bit id that is the same for the same words to the same person about the same approval.

    A repeat after an unknown outcome has the same id, although its action token expires later, so a listener
    that debounces by it shows the notice once. A notice of a change or a withdrawal has other words.
    """
    what = [notice.kind, folded(notice.recipient), notice.slots.get("approval_id", ""), notice.text]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]
