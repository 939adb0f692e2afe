"""The common part of the Moveworks channels: the allowed rate, and the meaning of answers other than 2xx.

It knows no approvals and no endpoint. The sweep decides when to pause and when to try again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from coupa_core.clock import Clock, Deadline
from coupa_core.errors import Denied, Refused, ServiceError, Throttled
from coupa_core.http_client import HttpClient, ServiceResponse, failure_of
from coupa_core.notice import Notice
from coupa_core.pace import Pace

RATE_WINDOW_S = 60.0
"""The seconds to which an allowed rate of messages refers."""

PAUSE_S = 60.0
"""How long nothing is sent after a 429 without `Retry-After`.

Source: https://help.moveworks.com/api-reference/events-api/rate-limits
"""

MAX_PAUSE_S = 900.0
"""The longest pause; after a longer `Retry-After` the bridge tries again after a quarter of an hour."""

ANSWER_BYTES = 256 * 1024

_NOT_THE_NOTICE = (404,)


class Channel(Protocol):
    """The port to people's chat; each Moveworks channel implements it."""

    def free(self, within_s: float) -> int:
        """Return how many notices the allowed rate still takes within that many seconds."""
        ...

    def acquire(self, deadline: Deadline) -> bool:
        """Wait for the next send that the rate allows; return False at once if none is free in time."""
        ...

    def remember(self, seconds_ago: float) -> None:
        """Count a notice that another process sent."""
        ...

    def send(self, notice: Notice, deadline: Deadline) -> None:
        """Send a notice once; a return means that Moveworks accepted it.

        Raises:
            Refused: this notice is at fault; nothing was sent.
            Unavailable: nothing was sent, and the notice is not at fault.
            Unknown: it may have been sent.
        """
        ...

    def probe(self, deadline: Deadline) -> None:
        """Check that Moveworks answers, without sending anything; raises `ServiceError` when it does not."""
        ...

    def close_idle(self) -> None:
        """Drop kept connections."""
        ...


class HttpChannel:
    """A way into Moveworks, within an allowed rate that is for the whole organisation.

    Args:
        http_client: the client of Moveworks.
        pace: the allowed rate.
        clock: the time.
        hints: the advice to operators, by status.
    """

    def __init__(
        self, http_client: HttpClient, *, pace: Pace, clock: Clock, hints: Mapping[int, str]
    ) -> None:
        self._http_client = http_client
        self._pace = pace
        self._clock = clock
        self._hints = hints

    def free(self, within_s: float) -> int:
        """Return how many notices the allowed rate still takes within that many seconds."""
        return self._pace.free(within_s)

    def acquire(self, deadline: Deadline) -> bool:
        """Wait for a place within the allowed rate and take it."""
        return self._pace.wait(deadline)

    def remember(self, seconds_ago: float) -> None:
        """Count a notice that another process sent."""
        self._pace.remember(seconds_ago)

    def close_idle(self) -> None:
        """Drop kept connections."""
        self._http_client.close_idle()

    def _accept(self, reply: ServiceResponse, what: str) -> None:
        """Accept any 2xx; the body is ignored.

        Raises:
            ServiceError: the class for any other answer, which says how to go on.
        """
        if reply.ok:
            return
        hint = self._hints.get(reply.status, "")
        failure = failure_of(reply, name="moveworks", what=what, now=self._clock.now(), hint=hint)
        raise _reclassified(failure)


def _reclassified(failure: ServiceError) -> ServiceError:
    """Correct the class of two answers: a 404 is about the setting, and a 429 always has a pause."""
    if isinstance(failure, Refused) and failure.status in _NOT_THE_NOTICE:
        return Denied(failure.code, str(failure), status=failure.status)
    if isinstance(failure, Throttled):
        failure.retry_after_s = min(failure.retry_after_s or PAUSE_S, MAX_PAUSE_S)
    return failure
