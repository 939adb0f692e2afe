"""The routes by which operators change something."""

from __future__ import annotations

from typing import Any

from coupa_core.endpoints.bodies import MuteBody, OrderBody, RepeatBody
from openapi.parameters import ACTOR, ORDER
from openapi.parts import ON_A_BODY, Operation, RequestBody, Response
from openapi.reports import Changed, Repeat

OPERATIONS: dict[str, Operation] = {
    "resend": Operation(
        brief="operators: tell everybody again",
        summary="Send again",
        description=(
            "For operators; recorded in the audit record.\n"
            "Forgets who was told, so that the next sweep tells everybody again; not while a "
            "sweep is at work on it.\n"
        ),
        tag="Operators",
        parameters=ORDER,
        body=RequestBody(OrderBody, {"actor_email": "ops@example.com"}, is_required=False),
        answers=(
            Response(200, "The row was changed; the next sweep does the rest.", Changed, {"resend": "Due"}),
        ),
        failures=(
            "BadOrder",
            "NoKey",
            "OrderRefused",
            "NoRow",
            "OrderConflict",
            *ON_A_BODY,
            "NeighbourRefuses",
            "LedgerOutOfReach",
        ),
    ),
    "resend_all": Operation(
        brief=(
            "operators: tell everybody of everything again, once for each `Idempotency-Key`, or "
            'only some: `{"people": ["example.de"], "since": "2026-12-01T08:00:00Z"}`'
        ),
        summary="Tell everybody of everything again",
        description=(
            "For operators; recorded in the audit record.\n"
            "The next sweeps tell each approval that still waits once more to those who may "
            "decide it and were told, in the allowed rate and at their hours; buttons that were "
            "sent before stay valid.\n"
            "It is for a rollout in which Moveworks took messages for people outside of its "
            "launch list, which shows them to nobody.\n"
            "The same `Idempotency-Key` again is the same request: it tells nobody twice.\n"
        ),
        tag="Operators",
        parameters=(*ACTOR, "RepeatKey", "RequestId"),
        body=RequestBody(
            RepeatBody,
            {"people": ["example.de", "ann@example.com"], "since": "2026-12-01T08:00:00Z"},
            is_required=False,
        ),
        answers=(
            Response(
                200,
                "The sweeps do the rest; `GET status` says in `repeat` how far they are.",
                Repeat,
                {"repeat": "Repeated"},
            ),
        ),
        failures=(
            "BadRepeat",
            "NoKey",
            "OrderRefused",
            "RepeatConflict",
            *ON_A_BODY,
            "NeighbourRefuses",
            "LedgerOutOfReach",
        ),
    ),
    "unpark": Operation(
        brief="operators: try a parked approval again",
        summary="Try a parked approval again",
        description=(
            "For operators; recorded in the audit record.\n"
            "Makes it due now, with no refusal counted against it.\n"
        ),
        tag="Operators",
        parameters=ORDER,
        body=RequestBody(OrderBody, {"actor_email": "ops@example.com"}, is_required=False),
        answers=(
            Response(200, "The row was changed; the next sweep does the rest.", Changed, {"unpark": "Due"}),
        ),
        failures=(
            "BadOrder",
            "NoKey",
            "OrderRefused",
            "NoRow",
            "UnparkConflict",
            *ON_A_BODY,
            "NeighbourRefuses",
            "LedgerOutOfReach",
        ),
    ),
    "mute": Operation(
        brief='operators: send nothing for `{"hours": 8}`',
        summary="Send nothing for some hours",
        description=(
            "For operators; recorded in the audit record.\n"
            "Whatever changes, nothing is sent for it until then; 0 hours end an earlier mute.\n"
        ),
        tag="Operators",
        parameters=ORDER,
        body=RequestBody(MuteBody, {"hours": 8}, is_required=True),
        answers=(
            Response(200, "The row was changed; the next sweep does the rest.", Changed, {"mute": "Muted"}),
        ),
        failures=(
            "BadMute",
            "NoKey",
            "OrderRefused",
            "NoRow",
            "OrderConflict",
            *ON_A_BODY,
            "NeighbourRefuses",
            "LedgerOutOfReach",
        ),
    ),
}

EXAMPLES: dict[str, tuple[str, Any]] = {
    "Due": (
        "Due now",
        {"approval_id": "85301", "state": "retry", "cause": "", "next_at": "2026-11-23T09:00:00+00:00"},
    ),
    "Repeated": (
        "Told again from the next sweep on",
        {
            "approvals": 41,
            "waiting_for_pilot": 0,
            "nothing_for": [],
            "asked_at": "2026-11-23T09:00:00+00:00",
            "is_new": True,
        },
    ),
    "Muted": (
        "Muted for eight hours",
        {
            "approval_id": "85301",
            "state": "waiting",
            "cause": "muted",
            "next_at": "2026-11-23T17:00:00+00:00",
        },
    ),
}
