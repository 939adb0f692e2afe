"""The error answers of routes: the case of each, and its possible errors."""

from __future__ import annotations

from openapi.parts import Failure

BODY = (
    *("bad_json", "bad_body", "bad_field", "unknown_field"),
    *("field_too_long", "bad_content_type", "bad_encoding"),
)
WHO = ("bad_actor", "ambiguous")
CALLER = ("caller_refused", "route_closed")

INVALID = "The request is invalid; the message says what to correct."
UNDECIDED = f"{INVALID} No decision was made."
UNCHANGED = f"{INVALID} Nothing was changed."

FAILURES = {
    "NoKey": Failure(
        401,
        (
            "The function key is missing or wrong: the Functions host answers without a body.\n"
            "If the settings name applications: the request has no Entra token of an application.\n"
        ),
        ("no_caller",),
    ),
    "BadActor": Failure(
        400,
        INVALID,
        (*WHO, "field_too_long"),
    ),
    "BadIdOrActor": Failure(
        400,
        INVALID,
        ("bad_approval_id", *WHO, "field_too_long"),
    ),
    "BadClick": Failure(
        400,
        UNDECIDED,
        ("bad_approval_id", *BODY, *WHO, "not_holdable", "bad_key", "key_reused"),
    ),
    "BadDecision": Failure(
        400,
        UNDECIDED,
        ("bad_approval_id", *BODY, *WHO, "bad_decision", "not_holdable", "bad_key", "key_reused"),
    ),
    "BadClicks": Failure(
        400,
        UNDECIDED,
        ("bad_items", "bad_item_id", *BODY, *WHO, "bad_decision", "bad_key"),
    ),
    "BadComment": Failure(
        400,
        f"{INVALID} The bridge wrote no comment.",
        ("no_comment", "bad_approval_id", *BODY, *WHO),
    ),
    "BadMessage": Failure(
        400,
        f"{INVALID} The bridge sent no message.",
        (*BODY, "bad_recipients", "bad_message", "html_not_allowed", "context_not_allowed", "html_no_switch"),
    ),
    "BadStatus": Failure(
        400,
        INVALID,
        ("bad_switch", "bad_after"),
    ),
    "BadTrace": Failure(
        400,
        INVALID,
        ("bad_approval_id", "bad_switch"),
    ),
    "BadDays": Failure(
        400,
        INVALID,
        ("bad_day", "bad_format", "bad_range"),
    ),
    "BadOrder": Failure(
        400,
        UNCHANGED,
        ("bad_approval_id", *BODY, *WHO),
    ),
    "BadMute": Failure(
        400,
        UNCHANGED,
        ("bad_approval_id", *BODY, *WHO, "bad_hours"),
    ),
    "BadRepeat": Failure(
        400,
        UNCHANGED,
        (*BODY, *WHO, "bad_key", "no_key", "bad_people", "bad_since", "since_to_come", "nobody_to_tell"),
    ),
    "RepeatConflict": Failure(
        409,
        (
            "An earlier request with other parameters has the same Idempotency-Key, or the "
            "bridge has no room for another repeat. Nothing was changed."
        ),
        ("repeat_reused", "too_many_rounds"),
    ),
    "OrderRefused": Failure(
        403,
        "The request names no actor, or this application may not call the route.",
        ("no_actor", *CALLER),
    ),
    "NoRow": Failure(
        404,
        "The bridge has no open row of this approval. Without a body, the path does not exist.",
        ("no_open_row",),
    ),
    "OrderConflict": Failure(
        409,
        "The state of the row does not allow this action. Nothing was changed.",
        ("row_claimed", "row_decided", "row_changed"),
    ),
    "UnparkConflict": Failure(
        409,
        "The state of the row does not allow this action. Nothing was changed.",
        ("row_claimed", "row_decided", "row_not_parked", "row_changed"),
    ),
    "NoActor": Failure(403, "The request names no actor.", ("no_actor",)),
    "ClickRefused": Failure(
        403,
        (
            "The request names no actor, the action token is not valid for this approval, the "
            "settings do not allow this action in chat, or this application may not call the "
            "route. Every fault of a token has the same message."
        ),
        ("no_actor", "token_refused", "action_off", *CALLER),
    ),
    "CommentRefused": Failure(
        403,
        (
            "Questions are disabled, the request names no actor, the action token is not valid "
            "for this approval, or this application may not call the route."
        ),
        ("comments_off", "no_actor", "token_refused", *CALLER),
    ),
    "RelayRefused": Failure(
        403,
        "The relay is disabled, a recipient is not allowed, or this application may not call the route.",
        ("relay_off", "recipient_not_allowed", *CALLER),
    ),
    "CallerRefused": Failure(
        403,
        "If the settings name applications: this application may not call the route.",
        (*CALLER,),
    ),
    "NotWaiting": Failure(
        404,
        "This person has no such pending approval. Without a body, the path does not exist.",
        ("not_found_for_person",),
    ),
    "NoSuchApproval": Failure(
        404,
        (
            "Coupa has no such approval, and the request has no valid action token for it. "
            "Without a body, the path does not exist."
        ),
        ("not_found",),
    ),
    "NeverSeen": Failure(
        404,
        "The bridge has no record of this approval. Without a body, the path does not exist.",
        ("not_found_in_ledger",),
    ),
    "NoLength": Failure(
        411,
        (
            "The caller sent a chunked body, and Azure Functions drops such a body. Nothing was "
            "done; send Content-Length."
        ),
        ("length_required",),
    ),
    "TooLarge": Failure(413, "The body exceeds the limit.", ("body_too_large",)),
    "Crowd": Failure(
        429,
        (
            "The concurrent requests exceed the limit of the Functions host. The host answers "
            "before it checks the key, without a body and without Retry-After. No decision was "
            "made; retry in a minute."
        ),
        (),
    ),
    "TooMany": Failure(
        429,
        (
            "The allowed rate is used up, or Moveworks asks for a pause. Without a body, more "
            "requests come at once than the Functions host accepts."
        ),
        ("relay_rate", "relay_paused"),
    ),
    "NotConfigured": Failure(
        500,
        (
            "A setting is missing or wrong; the message names it. Without a body, the process "
            "ended during the request, and the outcome is unknown. Retry: the same decision "
            "takes effect once."
        ),
        ("settings",),
    ),
    "ServiceRefuses": Failure(
        502,
        "Coupa refuses, and a retry fails until an operator has corrected the cause. No decision was made.",
        ("coupa_403",),
    ),
    "OutOfReach": Failure(
        503,
        (
            "Coupa or the table store is unavailable, or the requests exceed Coupa's rate at "
            "this moment (`busy`). No decision was made; retry soon."
        ),
        ("busy", "coupa_unreachable"),
        headers={
            "Retry-After": {
                "description": "With `busy`: the number of seconds before a retry.",
                "schema": {"type": "integer", "minimum": 1},
                "example": 2,
            }
        },
    ),
    "LedgerOutOfReach": Failure(503, "The table store is unavailable; retry soon.", ("ledger_lost",)),
    "RelayOutOfReach": Failure(503, "Moveworks is unavailable; retry soon.", ("moveworks_unreachable",)),
}
"""The failures by name; one without errors comes from the Functions host and has no body."""
