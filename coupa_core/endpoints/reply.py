"""The HTTP response, and its making from an error."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coupa_core.endpoints.request import Request
from coupa_core.errors import BridgeError, Busy, CallerError, Denied, Malformed, Refused, SettingsError
from coupa_core.notice import Style

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reply:
    """One HTTP response: a status, and JSON or CSV.

    Attributes:
        request_id: the header `X-Request-Id`, which callers and operators quote.
        retry_after_s: the header `Retry-After` in seconds; 0 for none.
    """

    status: int
    body: dict[str, Any]
    csv: str = ""
    request_id: str = field(default="", compare=False)
    retry_after_s: int = 0

    @property
    def mimetype(self) -> str:
        """Return the content type."""
        return "text/csv" if self.csv else "application/json"

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers besides those of the body."""
        more = {"Retry-After": str(self.retry_after_s)} if self.retry_after_s else {}
        return {"X-Request-Id": self.request_id} | more

    def text(self) -> str:
        """Return the serialised body."""
        return self.csv or json.dumps(self.body)


Routes = Mapping[str, Callable[[Request], Reply]]
"""Handlers by route name."""


def refusal(
    name: str, error: BridgeError, *, request_id: str, style: Style | None = None, about: str = ""
) -> Reply:
    """Return an error as a response, and log it under the same request id.

    The message names a caller's mistake or an invalid setting; of a service's failure it has the code only.

    Args:
        name: the route.
        error: the error that the handler raised.
        request_id: the id of the request.
        style: the style of the person who may read the message; None where only operators read it.
        about: a name of the request for approval that this person knows; empty where it is unknown.
    """
    retry_after_s, own, words = 0, f"error.{error.code}", style or Style()

    def say(key: str) -> str:
        return words.colon(about, words.say(key)) if words.has(key) else str(error)

    match error:
        case Busy():
            status, message, retry_after_s = 503, say(own), error.retry_after_s
            logger.warning("busy route=%s request_id=%s cause=%s", name, request_id, error)
        case CallerError():
            status, message = error.status, str(error) if style is None else say(own)
            logger.info("refused route=%s code=%s request_id=%s", name, error.code, request_id)
        case SettingsError():
            status, message = 500, f"The bridge is not configured: {error}."
        case Refused() | Denied() | Malformed():
            # The service answered, so a repeat is useless until somebody has acted.
            status, message = 502, say("error.not_from_here")
        case _:
            status, message = 503, say("error.out_of_reach")
    if not isinstance(error, Busy | CallerError):
        logger.error("failed route=%s code=%s request_id=%s cause=%s", name, error.code, request_id, error)
    body = {"error": error.code, "message": message, "request_id": request_id}
    return Reply(status, body, request_id=request_id, retry_after_s=retry_after_s)
