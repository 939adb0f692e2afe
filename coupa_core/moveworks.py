"""Moveworks over HTTP: how a notice leaves, and what Moveworks' answer says about it.

It knows the wire format of the channel and nothing of approvals. The allowed rate is for the whole
organisation; when to pause and when to try again is for the sweep to decide, whose port `Channel` this fits.
The webhook listener is to be a second class here.
"""

from __future__ import annotations

from coupa_core.clock import Clock, Deadline
from coupa_core.errors import Denied, Refused, ServiceError, Throttled
from coupa_core.notice import Notice
from coupa_core.wire import Pace, Reply, Wire, failure_of

PAUSE_S = 60.0
"""How long nothing is sent after a 429 without `Retry-After`.

Source: https://help.moveworks.com/api-reference/events-api/rate-limits
"""

MAX_PAUSE_S = 900.0
"""A longer `Retry-After` is asked about again after a quarter of an hour."""

_NOT_THE_NOTICE = (404,)
_ANSWER_BYTES = 256 * 1024


class EventsChannel:
    """The Events API: one message to one person for one published event.

    One call for each recipient: whether an unknown address spoils a call for several is not documented.
    Any 2xx means accepted; the body decides nothing.

    Source: https://docs.moveworks.com/api-reference/events-api/events-api/events/send-message-for-event
    """

    def __init__(self, wire: Wire, *, event_id: str, api_key: str, pace: Pace, clock: Clock) -> None:
        self._wire = wire
        self._path = f"/rest/v1/events/{event_id}/messages/send"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._pace = pace
        self._clock = clock

    def free(self, within_s: float) -> int:
        """Return how many notices the allowed rate still takes within that many seconds."""
        return self._pace.free(within_s)

    def wait_turn(self, deadline: Deadline) -> bool:
        """Wait for a place within the allowed rate and take it."""
        return self._pace.wait(deadline)

    def remember(self, seconds_ago: float) -> None:
        """Count a notice that another process sent."""
        self._pace.remember(seconds_ago)

    def send(self, notice: Notice, deadline: Deadline) -> None:
        """Send one message to one recipient."""
        reply = self._wire.send(
            "POST",
            self._path,
            headers=self._headers,
            payload={
                "message": notice.text,
                "recipients": [notice.recipient],
                "context": {"slots": notice.slots},
            },
            deadline=deadline,
            max_bytes=_ANSWER_BYTES,
        )
        if not reply.ok:
            raise self._failure(reply, "send a message")

    def probe(self, deadline: Deadline) -> None:
        """Check the key.

        Source: https://help.moveworks.com/api-reference/events-api/events-api/authentication/test-auth
        """
        reply = self._wire.send(
            "GET", "/rest/v1/auth/test", headers=self._headers, deadline=deadline, max_bytes=_ANSWER_BYTES
        )
        if not reply.ok:
            raise self._failure(reply, "check the key")

    def close_idle(self) -> None:
        """Drop kept connections."""
        self._wire.close_idle()

    def _failure(self, reply: Reply, what: str) -> ServiceError:
        hints = {
            401: "check MOVEWORKS_API_KEY, and MOVEWORKS_BASE_URL for your region",
            404: "check MOVEWORKS_EVENT_ID",
        }
        failure = failure_of(
            reply,
            name="moveworks",
            what=what,
            now=self._clock.now(),
            hint=hints.get(reply.status, ""),
        )
        if isinstance(failure, Refused) and reply.status in _NOT_THE_NOTICE:
            return Denied(failure.code, str(failure), status=reply.status)
        if isinstance(failure, Throttled):
            failure.retry_after_s = min(failure.retry_after_s or PAUSE_S, MAX_PAUSE_S)
        return failure
