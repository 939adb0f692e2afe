"""The parameters of routes in the path, the headers and the query."""

from __future__ import annotations

from typing import Any

from coupa_core.endpoints.request import ID, MAX_KEY, MAX_TEXT

ID_IN_PATH = ("ApprovalId",)
ACTOR = ("ActorEmail", "UserEmail", "ApproverEmail")
CLICK = (
    *ID_IN_PATH,
    *ACTOR,
    "ActionToken",
    "ActionTokenInQuery",
    "ReasonInQuery",
    "IdempotencyKey",
    "RequestId",
)
ORDER = (*ID_IN_PATH, *ACTOR, "RequestId")

PARAMETERS: dict[str, dict[str, Any]] = {
    "Version": {
        "name": "version",
        "in": "query",
        "x-ms-summary": "Release",
        "description": "The release that must have run the last sweep, as in `last_version` of the status.",
        "schema": {"type": "string"},
        "example": "0.2.0",
    },
    "Since": {
        "name": "since",
        "in": "query",
        "x-ms-summary": "Begun After",
        "description": "The earliest start of the last sweep, which must be complete. RFC 3339.",
        "schema": {"type": "string"},
        "example": "2026-11-23T09:00:00Z",
    },
    "ApprovalId": {
        "name": "approval_id",
        "in": "path",
        "required": True,
        "x-ms-summary": "Approval ID",
        "description": "Coupa's id of the approval, 1 to 19 digits; the slot `approval_id` of the notice.",
        "schema": {"type": "string", "pattern": f"^{ID.pattern}$"},
        "example": "85301",
    },
    "ActorEmail": {
        "name": "X-Actor-Email",
        "in": "header",
        "required": False,
        "x-ms-summary": "Who Acts",
        "x-ms-visibility": "important",
        "description": (
            "E-mail address of the actor, as the chat platform has it for the signed-in user. "
            "Required in the header, the body or the query."
        ),
        "schema": {"type": "string", "format": "email", "maxLength": MAX_TEXT["actor_email"]},
        "example": "jamie@example.com",
    },
    "UserEmail": {
        "name": "user_email",
        "in": "query",
        "required": False,
        "x-ms-summary": "Who Acts (Query)",
        "x-ms-visibility": "advanced",
        "description": "E-mail address of the actor, for connectors that cannot send the header.",
        "schema": {"type": "string", "format": "email", "maxLength": MAX_TEXT["actor_email"]},
        "example": "jamie@example.com",
    },
    "ApproverEmail": {
        "name": "approver_email",
        "in": "query",
        "required": False,
        "x-ms-summary": "Who Acts (Query, Other Name)",
        "x-ms-visibility": "advanced",
        "description": "Alias of `user_email`.",
        "schema": {"type": "string", "format": "email", "maxLength": MAX_TEXT["actor_email"]},
        "example": "jamie@example.com",
    },
    "ActionToken": {
        "name": "X-Action-Token",
        "in": "header",
        "required": False,
        "x-ms-summary": "Action Token",
        "x-ms-visibility": "important",
        "description": (
            "The slot `action_token` of the notice. Required in the header, the body or the query, "
            "unless the settings make it optional."
        ),
        "schema": {"type": "string", "maxLength": MAX_TEXT["action_token"]},
        "example": "v1.2026a.eyJhIjo4NTMwMX0.c2lnbmF0dXJl",
    },
    "ActionTokenInQuery": {
        "name": "action_token",
        "in": "query",
        "required": False,
        "x-ms-summary": "Action Token (Query)",
        "x-ms-visibility": "advanced",
        "description": "The action token, for connectors that cannot send the header.",
        "schema": {"type": "string", "maxLength": MAX_TEXT["action_token"]},
        "example": "v1.2026a.eyJhIjo4NTMwMX0.c2lnbmF0dXJl",
    },
    "CommentInQuery": {
        "name": "comment",
        "in": "query",
        "required": False,
        "x-ms-summary": "Question (Query)",
        "x-ms-visibility": "advanced",
        "description": (
            "The question, for connectors that cannot put free text into a body. Azure refuses a "
            "URL of more than about 8,000 bytes."
        ),
        "schema": {"type": "string", "maxLength": 8000},
        "example": "Why ten of them?",
    },
    "ReasonInQuery": {
        "name": "reason",
        "in": "query",
        "required": False,
        "x-ms-summary": "Reason (Query)",
        "x-ms-visibility": "advanced",
        "description": (
            "The reason, for connectors that cannot send a body. Azure refuses a URL of more than "
            "about 8,000 bytes."
        ),
        "schema": {"type": "string", "maxLength": MAX_TEXT["reason"]},
        "example": "Please take the cheaper model.",
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "x-ms-summary": "Idempotency Key",
        "x-ms-visibility": "advanced",
        "description": (
            "A value that is the same for each retry of one request, such as Moveworks' "
            "`action_instance_id`. A decision takes effect once with or without it; with it, a "
            "retry never decides an approval that was opened again in the meantime. The bridge "
            "writes a question once within a day with it, and once within an hour without it."
        ),
        "schema": {"type": "string", "maxLength": MAX_KEY},
        "example": "2f1c4f0e-6a57-4a2b-9d0c-0e5b1d6a9c11",
    },
    "RepeatKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "x-ms-summary": "Name of This Repeat",
        "description": "A name of your choice for this repeat; a second call with it sends nothing more.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
        "example": "launch-2026-12-01",
    },
    "Full": {
        "name": "full",
        "in": "query",
        "required": False,
        "x-ms-summary": "All Approvals",
        "description": "`1` returns all approvals in pages, instead of the lists.",
        "schema": {"type": "string", "enum": ["0", "1", "false", "true"]},
        "example": "1",
    },
    "After": {
        "name": "after",
        "in": "query",
        "required": False,
        "x-ms-summary": "After Approval ID",
        "description": "With `full`: only approvals with a greater id; `next_after` of the previous page.",
        "schema": {"type": "string", "pattern": "^[0-9]{1,19}$"},
        "example": "85301",
    },
    "Live": {
        "name": "live",
        "in": "query",
        "required": False,
        "x-ms-summary": "Ask Coupa as Well",
        "description": "`1` also reads Coupa.",
        "schema": {"type": "string", "enum": ["0", "1", "false", "true"]},
        "example": "1",
    },
    "From": {
        "name": "from",
        "in": "query",
        "required": False,
        "x-ms-summary": "First Day",
        "description": "First day, UTC; by default eight weeks before `to`, at most 366 days before it.",
        "schema": {"type": "string", "format": "date"},
        "example": "2026-11-01",
    },
    "To": {
        "name": "to",
        "in": "query",
        "required": False,
        "x-ms-summary": "Last Day",
        "description": "Last day, UTC; by default today.",
        "schema": {"type": "string", "format": "date"},
        "example": "2026-11-30",
    },
    "Format": {
        "name": "format",
        "in": "query",
        "required": False,
        "x-ms-summary": "Format",
        "description": "Format of the answer; by default `json`.",
        "schema": {"type": "string", "enum": ["json", "csv"]},
        "example": "csv",
    },
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "required": False,
        "x-ms-summary": "Request ID",
        "x-ms-visibility": "advanced",
        "description": (
            "The caller's own id of this request; it is also in the answer, in the log and in the "
            "calls to Coupa.\n"
            "Without it the bridge uses the trace id of `traceparent`, or else `Idempotency-Key`. "
            "It replaces an id of more than 64 characters, or with characters other than letters, "
            "digits, `.`, `_` and `-`, by a new one.\n"
        ),
        "schema": {"type": "string", "maxLength": MAX_KEY},
        "example": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    },
}
"""The parameters by name."""
