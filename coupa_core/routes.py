"""The table of routes: method, path, kind of caller and time limit of each.

`function_app.py` builds the Azure functions from it, `callers` looks up who may call, and `make docs` writes
`openapi.yaml`, `docs/api.md` and `infra/functions_of_keys.json` from it. It imports nothing heavy: the host
imports it while it indexes the functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Caller(StrEnum):
    """The kinds of callers; the value is the name of the function key."""

    DECISIONS = "decisions"
    """The connector in the chat: lists, decisions, questions."""
    RELAY = "relay"
    """A system whose messages the bridge relays."""
    OPERATORS = "operators"
    """People who operate the bridge."""


CLICK_S = 10.0
"""The time limit of a click, a list and a relayed message, in seconds; Moveworks gives up at 16 s.

Source: https://developer.moveworks.com/creator-studio/api-configuration/
"""


@dataclass(frozen=True)
class Route:
    """One route, and the Azure function behind it.

    Attributes:
        name: the name of the function, of the operation in `openapi.yaml` and of the handler in `endpoints`.
        method: the HTTP method.
        path: relative to `/api/`.
        caller: the kind of caller that may use it; None for a public route without a key.
        bound_s: the time limit of the answer in seconds, however slow a service is. Azure ends a request
            after 230 s.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    caller: Caller | None
    bound_s: float = CLICK_S


ROUTES = (
    Route("health", "GET", "health", None, bound_s=5.0),
    Route("list_approvals", "GET", "approvals", Caller.DECISIONS),
    Route("get_approval", "GET", "approvals/{approval_id}", Caller.DECISIONS),
    Route("list_decisions", "GET", "decisions", Caller.DECISIONS),
    Route("approve", "POST", "approvals/{approval_id}/approve", Caller.DECISIONS),
    Route("reject", "POST", "approvals/{approval_id}/reject", Caller.DECISIONS),
    Route("hold", "POST", "approvals/{approval_id}/hold", Caller.DECISIONS),
    Route("decision", "POST", "approvals/{approval_id}/decision", Caller.DECISIONS),
    Route("decide", "POST", "approvals/decide", Caller.DECISIONS),
    Route("comment", "POST", "approvals/{approval_id}/comment", Caller.DECISIONS),
    Route("notifications", "POST", "notifications", Caller.RELAY),
    Route("status", "GET", "status", Caller.OPERATORS, bound_s=110.0),
    Route("trace", "GET", "approvals/{approval_id}/trace", Caller.OPERATORS, bound_s=35.0),
    Route("cycle_times", "GET", "cycle-times", Caller.OPERATORS, bound_s=110.0),
    Route("resend", "POST", "approvals/{approval_id}/resend", Caller.OPERATORS),
    Route("resend_all", "POST", "approvals/resend", Caller.OPERATORS, bound_s=30.0),
    Route("unpark", "POST", "approvals/{approval_id}/unpark", Caller.OPERATORS),
    Route("mute", "POST", "approvals/{approval_id}/mute", Caller.OPERATORS),
)
