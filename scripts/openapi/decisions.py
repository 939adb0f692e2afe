"""The routes by which people decide and ask, and the route that relays messages."""

from __future__ import annotations

from coupa_core.endpoints.bodies import ClickBody, CommentBody, DecisionBody, MessageBody, SeveralBody
from openapi.answers import Accepted, Decision, Decisions
from openapi.parameters import ACTOR, CLICK
from openapi.parts import ON_A_BODY, Operation, RequestBody, Response

"""Failures of every route with a body."""

BY_ROUTE = RequestBody(ClickBody, {"reason": "Please take the cheaper model."}, is_required=False)

UNDECIDED = ("already_decided", "not_your_approval", "not_your_turn", "changed", "expired")
TOO_LARGE = ("step_up",)
REFUSED = ("reason_too_long", "refused_by_coupa", "unconfirmed")


def click(
    *,
    brief: str,
    summary: str,
    description: str,
    examples: tuple[str, ...],
    body: RequestBody = BY_ROUTE,
    bad: str = "BadClick",
) -> Operation:
    """Return the description of a route that decides one approval."""
    return Operation(
        brief=brief,
        summary=summary,
        description=description,
        tag="Decisions",
        parameters=CLICK,
        body=body,
        answers=(Response(200, "What became of the click.", Decision, {each: each for each in examples}),),
        failures=(
            *(bad, "NoKey", "ClickRefused", "NoSuchApproval", *ON_A_BODY),
            *("NeighbourRefuses", "OutOfReach"),
        ),
    )


OPERATIONS: dict[str, Operation] = {
    "approve": click(
        brief="approve",
        summary="Approve",
        description=(
            "Approves for whoever acts, where Coupa waits for them and the content is what they were shown. "
            "Approving again what the same person approved answers the same."
        ),
        examples=("approved", "approved_and_next", "approved_at_last", *UNDECIDED, *TOO_LARGE, *REFUSED),
    ),
    "reject": click(
        brief="reject, with a reason",
        summary="Reject, with a reason",
        description=(
            "Rejects for whoever acts, under the same conditions as an approval. The reason is required, and "
            "the requester reads it."
        ),
        examples=("rejected", "reason_required", *UNDECIDED, *REFUSED),
    ),
    "hold": click(
        brief="put on hold, where Coupa lets it be held",
        summary="Put on hold",
        description=(
            "Puts on hold for whoever acts, where Coupa lets this approval be held. It waits on, and can be "
            "decided later."
        ),
        examples=("held", *UNDECIDED, *REFUSED),
    ),
    "decision": click(
        brief='the same, as `{"decision": "approve"}` says',
        summary="Decide as the body says",
        description="For a connector that has one action for all buttons.",
        body=RequestBody(
            DecisionBody,
            {
                "approve": ("Approve", {"decision": "approve"}),
                "reject": ("Reject", {"decision": "reject", "reason": "Please take the cheaper model."}),
            },
            is_required=True,
            is_named=True,
        ),
        examples=(
            *("approved", "approved_and_next", "approved_at_last", "rejected", "held", "reason_required"),
            *(*UNDECIDED, *TOO_LARGE, *REFUSED),
        ),
        bad="BadDecision",
    ),
    "decide": Operation(
        brief=(
            'decide up to 20: `{"decision": "approve", "items": [{"id": "853", "token": '
            '"..."}]}`; each is checked alone and answered alone'
        ),
        summary="Decide several at once",
        description=(
            "Each approval is checked as if it had been sent alone, decided once, and answered "
            "alone, in the order of the request: with an `outcome`, or with an `error`, after "
            "which that one was not decided.\n"
            "The answer is 200 whatever became of them, and comes within ten seconds; what could "
            "not be sent in time was not decided, and may be sent again.\n"
        ),
        tag="Decisions",
        parameters=(*ACTOR, "IdempotencyKey", "RequestId"),
        body=RequestBody(
            SeveralBody,
            {
                "decision": "approve",
                "items": [
                    {"id": "85301", "token": "v1.2026a.eyJhIjo4NTMwMX0.c2lnbmF0dXJl"},
                    {"id": "85302", "token": "v1.2026a.eyJhIjo4NTMwMn0.c2lnbmF0dXJl"},
                ],
            },
            is_required=True,
        ),
        answers=(
            Response(200, "What became of each.", Decisions, {"all": "all_decided", "some": "some_decided"}),
        ),
        failures=("BadClicks", "NoKey", "NoActor", "NoLength", "TooLarge", "Crowd", "NotConfigured"),
    ),
    "comment": Operation(
        brief=(
            "ask the requester of a requisition, expense report, invoice or order change: "
            '`{"comment": "Why ten?"}` becomes a comment in Coupa, and the answer comes back '
            "with the buttons; off unless `COMMENTS=on`"
        ),
        summary="Ask the requester",
        description=(
            "Writes one comment in Coupa, which mentions the requester and names who asks: on a "
            "requisition, an expense report, an invoice, or the order that is to change.\n"
            "The requester is told in chat where the chat can reach them, and their answer, a "
            "newer comment, comes back to whoever asked, with the buttons.\n"
            "It is off unless the bridge's settings switch it on. The same words again within an "
            "hour are not written twice.\n"
        ),
        tag="Decisions",
        parameters=(
            "ApprovalId",
            *ACTOR,
            "ActionToken",
            "ActionTokenInQuery",
            "CommentInQuery",
            "IdempotencyKey",
            "RequestId",
        ),
        body=RequestBody(CommentBody, {"comment": "Why ten of them?"}, is_required=False),
        answers=(
            Response(
                200,
                "What became of the question.",
                Decision,
                {
                    "commented": "commented",
                    "not_askable": "not_askable",
                    "already_decided": "already_decided",
                    "not_your_approval": "not_your_approval",
                    "expired": "expired",
                    "reason_too_long": "reason_too_long",
                    "refused_by_coupa": "refused_by_coupa",
                    "unconfirmed": "comment_unconfirmed",
                },
            ),
        ),
        failures=(
            "BadComment",
            "NoKey",
            "CommentRefused",
            "NoSuchApproval",
            *ON_A_BODY,
            "NeighbourRefuses",
            "OutOfReach",
        ),
    ),
    "notifications": Operation(
        brief=(
            "relay a message to people of allowed domains, without slots ([decision "
            "19](decisions/0019-the-relay-sends-at-once.md)); off unless `RELAY_DOMAINS` names any"
        ),
        summary="Relay a message",
        description=(
            "Sends a message to people through Moveworks.\n"
            "It is off unless the bridge's settings switch it on, and then asks for a key of its "
            "own.\n"
        ),
        tag="Messages",
        parameters=("RequestId",),
        body=RequestBody(
            MessageBody,
            {"message": "The purchasing team is away on Friday.", "recipients": ["jamie@example.com"]},
            is_required=True,
        ),
        answers=(
            Response(
                200,
                "The message was handed to Moveworks for each recipient.",
                Accepted,
                example={"accepted": 1, "recipients": {"jamie@example.com": "accepted"}},
            ),
            Response(
                207,
                "Not every recipient's message was taken; what became of each is said.",
                Accepted,
                example={
                    "accepted": 1,
                    "recipients": {"jamie@example.com": "accepted", "robin@example.com": "refused"},
                },
            ),
        ),
        failures=(
            "BadMessage",
            "NoKey",
            "RelayRefused",
            "NoLength",
            "TooLarge",
            "TooMany",
            "NotConfigured",
            "RelayOutOfReach",
        ),
    ),
}
