"""One HTTP answer, and an error as an answer."""

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
    """One HTTP answer: a status and JSON, or a table as text.

    Attributes:
        request_id: by which callers and operators speak of the request; it goes out as `X-Request-Id`.
        retry_after_s: after how many seconds the caller may try again; 0 where nothing is known of it.
    """

    status: int
    body: dict[str, Any]
    csv: str = ""
    request_id: str = field(default="", compare=False)
    retry_after_s: int = 0

    @property
    def mimetype(self) -> str:
        """Return what the text is."""
        return "text/csv" if self.csv else "application/json"

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers as they go out, beside those of the text."""
        more = {"Retry-After": str(self.retry_after_s)} if self.retry_after_s else {}
        return {"X-Request-Id": self.request_id} | more

    def text(self) -> str:
        """Return the body as it goes out."""
        return self.csv or json.dumps(self.body)


Routes = Mapping[str, Callable[[Request], Reply]]
"""Handlers by the names of their routes."""


def refusal(
    name: str, error: BridgeError, *, request_id: str, style: Style | None = None, about: str = ""
) -> Reply:
    """Say an error to the caller, and to the operator under the same request id.

    A caller's mistake and a wrong setting are named; of a neighbour's failure only the code is.

    Args:
        name: of the route.
        error: what it raised.
        request_id: of the request.
        style: of the person who may read it; None where nobody but an operator does.
        about: the request that it is about, as that person may know it; empty where that is not known.
    """
    retry_after_s, key = 0, f"error.{error.code}"
    if isinstance(error, Busy):
        status, retry_after_s = 503, error.retry_after_s
        logger.warning("busy route=%s request_id=%s cause=%s", name, request_id, error)
    elif isinstance(error, CallerError):
        status = error.status
        logger.info("refused route=%s code=%s request_id=%s", name, error.code, request_id)
    else:
        status, key = 503, "error.out_of_reach"
        logger.error("failed route=%s code=%s request_id=%s cause=%s", name, error.code, request_id, error)
    if isinstance(error, Refused | Denied | Malformed):
        # The neighbour answered, and asking again is no use before somebody has acted.
        status, key = 502, "error.not_from_here"
    is_said = style is not None or not isinstance(error, CallerError)
    style = style or Style()
    message = style.colon(about, style.say(key)) if is_said and style.has(key) else str(error)
    if isinstance(error, SettingsError):
        status, message = 500, f"The bridge is not configured: {error}."
    body = {"error": error.code, "message": message, "request_id": request_id}
    return Reply(status, body, request_id=request_id, retry_after_s=retry_after_s)
