"""The routes by which operators change something."""

from __future__ import annotations

from typing import Any

from coupa_core.endpoints.bodies import MuteBody, OperatorActionBody, RepeatBody
from openapi.parameters import ACTOR, ORDER
from openapi.parts import ON_A_BODY, Operation, RequestBody, Response
from openapi.reports import Changed, Repeat

OPERATIONS: dict[str, Operation] = {
    "resend": Operation(
        brief="operators: send the notices of an approval again",
        summary="Send the notices of an approval again",
        description=(
            "For operators; the audit log records the action.\n"
            "The bridge forgets who was told, so that the next sweep sends the notice to every "
            "decider again. It refuses the request while a sweep holds the claim of the approval.\n"
        ),
        tag="Operators",
        parameters=ORDER,
        body=RequestBody(OperatorActionBody, {"actor_email": "ops@example.com"}, is_required=False),
        answers=(
            Response(200, "The row was changed; the next sweep processes it.", Changed, {"resend": "Due"}),
        ),
        failures=(
            "BadOrder",
            "NoKey",
            "OrderRefused",
            "NoRow",
            "OrderConflict",
            *ON_A_BODY,
            "ServiceRefuses",
            "LedgerOutOfReach",
        ),
    ),
    "resend_all": Operation(
        brief=(
            "operators: send the notices of all pending approvals again, once for each "
            '`Idempotency-Key`, or only to some people: `{"people": ["example.de"], "since": '
            '"2026-12-01T08:00:00Z"}`'
        ),
        summary="Send the notices of all pending approvals again",
        description=(
            "For operators; the audit log records the action.\n"
            "The next sweeps send the notice of each pending approval once more to the deciders "
            "who were told, at the allowed rate and outside of quiet hours. Earlier buttons stay "
            "valid.\n"
            "Operators need it after a rollout in which Moveworks accepted messages for people "
            "outside of its launch list, and showed them to nobody.\n"
            "A call with the same `Idempotency-Key` is the same request: nobody gets a second "
            "repeat.\n"
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
                "The sweeps send the notices; `repeat` of `GET status` has the progress.",
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
            "ServiceRefuses",
            "LedgerOutOfReach",
        ),
    ),
    "unpark": Operation(
        brief="operators: make a parked approval due again",
        summary="Make a parked approval due again",
        description=(
            "For operators; the audit log records the action.\n"
            "The approval becomes due now, and its count of refusals starts at 0.\n"
        ),
        tag="Operators",
        parameters=ORDER,
        body=RequestBody(OperatorActionBody, {"actor_email": "ops@example.com"}, is_required=False),
        answers=(
            Response(200, "The row was changed; the next sweep processes it.", Changed, {"unpark": "Due"}),
        ),
        failures=(
            "BadOrder",
            "NoKey",
            "OrderRefused",
            "NoRow",
            "UnparkConflict",
            *ON_A_BODY,
            "ServiceRefuses",
            "LedgerOutOfReach",
        ),
    ),
    "mute": Operation(
        brief='operators: send no message about an approval for some hours: `{"hours": 8}`',
        summary="Mute an approval for some hours",
        description=(
            "For operators; the audit log records the action.\n"
            "The bridge sends no message about the approval until then, even if it changes; 0 "
            "hours end an earlier mute.\n"
        ),
        tag="Operators",
        parameters=ORDER,
        body=RequestBody(MuteBody, {"hours": 8}, is_required=True),
        answers=(
            Response(200, "The row was changed; the next sweep processes it.", Changed, {"mute": "Muted"}),
        ),
        failures=(
            "BadMute",
            "NoKey",
            "OrderRefused",
            "NoRow",
            "OrderConflict",
            *ON_A_BODY,
            "ServiceRefuses",
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
        "A repeat from the next sweep on",
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
