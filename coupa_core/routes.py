"""The table of routes: where each is, which callers it is for, and how long it may take.

`function_app.py` makes the Azure functions of it, `callers` asks it who may call, and `make docs` writes
`openapi.yaml`, `docs/api.md` and which key opens which function (`infra/functions_of_keys.json`) from it. It
imports nothing heavy, because the host reads it before it knows any function.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Caller(StrEnum):
    """The kinds of callers, by the names of their keys."""

    DECISIONS = "decisions"
    """The connector of the chat: lists, decisions, questions."""
    RELAY = "relay"
    """A system whose messages the bridge hands on."""
    OPERATORS = "operators"
    """People who look after the bridge."""


@dataclass(frozen=True)
class Route:
    """One route, and the Azure function behind it.

    Attributes:
        name: of the function, of the operation in `openapi.yaml`, and of the handler in `endpoints`.
        method: of HTTP.
        path: below `/api/`.
        caller: the kind of caller that it is for; None for anybody, without a key.
        bound_s: seconds within which it answers, whatever a neighbour does; None for those of a click.
            Azure ends a request after 230 s.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    caller: Caller | None
    bound_s: float | None = None


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
