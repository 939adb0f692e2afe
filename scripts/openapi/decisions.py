"""The routes by which people decide and ask, and the route that relays messages."""

from __future__ import annotations

from coupa_core.endpoints.bodies import ClickBody, CommentBody, DecisionBody, MessageBody, SeveralBody
from openapi.answers import Accepted, Decision, Decisions
from openapi.parameters import ACTOR, CLICK
from openapi.parts import ON_A_BODY, Operation, RequestBody, Response

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
        answers=(Response(200, "Outcome of the decision.", Decision, {each: each for each in examples}),),
        failures=(
            *(bad, "NoKey", "ClickRefused", "NoSuchApproval", *ON_A_BODY),
            *("ServiceRefuses", "OutOfReach"),
        ),
    )


OPERATIONS: dict[str, Operation] = {
    "approve": click(
        brief="approve",
        summary="Approve",
        description=(
            "The bridge approves for the actor if the approval is pending, the actor may decide it, and the "
            "content is as shown to them. A repeated approval by the same person gets the same answer."
        ),
        examples=("approved", "approved_and_next", "approved_at_last", *UNDECIDED, *TOO_LARGE, *REFUSED),
    ),
    "reject": click(
        brief="reject, with a reason",
        summary="Reject, with a reason",
        description=(
            "The bridge rejects for the actor, under the same conditions as it approves. The reason is "
            "required unless the settings make it optional, and the requester reads it."
        ),
        examples=("rejected", "reason_required", *UNDECIDED, *REFUSED),
    ),
    "hold": click(
        brief="put on hold, if Coupa allows it",
        summary="Put on hold",
        description=(
            "The bridge puts the approval on hold for the actor, if Coupa allows a hold. A person can still "
            "decide it later."
        ),
        examples=("held", *UNDECIDED, *REFUSED),
    ),
    "decision": click(
        brief='approve, reject or hold, by a field of the body: `{"decision": "approve"}`',
        summary="Approve, reject or hold, by the body",
        description="One route for all buttons of a connector; the body names the decision.",
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
            'decide up to 20 approvals: `{"decision": "approve", "items": [{"id": "853", "token": '
            '"..."}]}`; the bridge checks and answers each separately'
        ),
        summary="Decide several at once",
        description=(
            "The bridge checks each approval separately, decides it once, and answers in the order "
            "of the request: with an `outcome`, or with an `error` if it did not decide that "
            "approval.\n"
            "The answer is 200 for every mix of outcomes and comes within ten seconds. An approval "
            "that did not reach Coupa in time is not decided, and the caller may send it again.\n"
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
            Response(
                200, "Outcome of each decision.", Decisions, {"all": "all_decided", "some": "some_decided"}
            ),
        ),
        failures=("BadClicks", "NoKey", "NoActor", "NoLength", "TooLarge", "Crowd", "NotConfigured"),
    ),
    "comment": Operation(
        brief=(
            "ask the requester of a requisition, expense report, invoice or order change: "
            '`{"comment": "Why ten?"}` becomes a comment in Coupa, and the bridge sends the answer to '
            "the approver, with the buttons; off unless `COMMENTS=on`"
        ),
        summary="Ask the requester",
        description=(
            "The bridge writes one comment in Coupa, which mentions the requester and names the "
            "approver who asks. The comment stands on the requisition, expense report, invoice, or "
            "purchase order to change.\n"
            "The bridge also sends the question to the requester in chat, if the chat reaches them. "
            "The requester answers with a newer comment, and the bridge sends it to the approver, "
            "with the buttons.\n"
            "This route is disabled unless the setting `COMMENTS` enables it. The bridge does not "
            "write the same question twice within an hour.\n"
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
                "Outcome of the question.",
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
            "ServiceRefuses",
            "OutOfReach",
        ),
    ),
    "notifications": Operation(
        brief=(
            "relay a message to people of allowed domains, without slots ([decision "
            "19](decisions/0019-the-relay-sends-at-once.md)); off unless `RELAY_DOMAINS` names one"
        ),
        summary="Relay a message",
        description=(
            "The bridge sends a message to people through Moveworks.\n"
            "This route is disabled unless the setting `RELAY_DOMAINS` names a domain. It needs a "
            "function key of its own.\n"
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
                "Moveworks accepted the message for every recipient.",
                Accepted,
                example={"accepted": 1, "recipients": {"jamie@example.com": "accepted"}},
            ),
            Response(
                207,
                "Moveworks did not accept the message for every recipient; the body has each result.",
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
