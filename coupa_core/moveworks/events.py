"""The Events API: a message to a person for a published event, whose slots come back with a click.

New tenants can no longer create events; for them there is the listener.
"""

from __future__ import annotations

from coupa_core.clock import Clock, Deadline
from coupa_core.http_client import HttpClient
from coupa_core.moveworks.channel import ANSWER_BYTES, HttpChannel
from coupa_core.notice import Notice
from coupa_core.pace import Pace

_HINTS = {
    401: "check MOVEWORKS_API_KEY, and MOVEWORKS_BASE_URL for your region",
    404: "check MOVEWORKS_EVENT_ID",
}


class EventsChannel(HttpChannel):
    """The Events API: one message to one person for one published event.

    It makes one call for each recipient, because no documentation says whether an unknown address makes a
    call for several fail.

    Source: https://docs.moveworks.com/api-reference/events-api/events-api/events/send-message-for-event
    """

    def __init__(
        self, http_client: HttpClient, *, event_id: str, api_key: str, pace: Pace, clock: Clock
    ) -> None:
        super().__init__(http_client, pace=pace, clock=clock, hints=_HINTS)
        self._path = f"/rest/v1/events/{event_id}/messages/send"
        self._headers = {"Authorization": f"Bearer {api_key}"}

    def send(self, notice: Notice, deadline: Deadline) -> None:
        """Send one message to one recipient."""
        reply = self._http_client.send(
            "POST",
            self._path,
            headers=self._headers,
            payload={
                "message": notice.text,
                "recipients": [notice.recipient],
                "context": {"slots": dict(notice.slots)},
            },
            deadline=deadline,
            max_bytes=ANSWER_BYTES,
        )
        self._accept(reply, "send a message")

    def probe(self, deadline: Deadline) -> None:
        """Check the key.

        Source: https://help.moveworks.com/api-reference/events-api/events-api/authentication/test-auth
        """
        reply = self._http_client.send(
            "GET", "/rest/v1/auth/test", headers=self._headers, deadline=deadline, max_bytes=ANSWER_BYTES
        )
        self._accept(reply, "check the key")
