"""The route that relays messages of other systems."""

from __future__ import annotations

from collections import Counter

from coupa_core.endpoints.bodies import MessageBody
from coupa_core.endpoints.body import read
from coupa_core.endpoints.reply import Reply, Routes
from coupa_core.endpoints.request import Request
from coupa_core.relay import Relay, RelayMessage, RelayResult


class Messages:
    """The handler.

    Args:
        relay: the use case.
        known_by: how callers are authenticated, for the audit log.
    """

    def __init__(self, *, relay: Relay, known_by: str) -> None:
        self._relay = relay
        self._known_by = known_by

    @property
    def routes(self) -> Routes:
        """Return the handlers by route name."""
        return {"notifications": self.notifications}

    def notifications(self, request: Request) -> Reply:
        """Relay a message."""
        self._relay.check_is_on()
        body = read(request, MessageBody)
        message = RelayMessage(
            body.message,
            tuple(body.recipients),
            body.html,
            known_by=self._known_by,
            request_id=request.id,
        )
        deliveries = self._relay.relay(message)
        counts = Counter(deliveries.values())
        answer = {"accepted": counts[RelayResult.ACCEPTED], "recipients": dict(deliveries)}
        return Reply(200 if counts[RelayResult.ACCEPTED] == len(deliveries) else 207, answer)
