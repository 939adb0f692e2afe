"""The error answers of routes: the case of each, and its possible errors."""

from __future__ import annotations

from openapi.parts import Failure

BODY = (
    *("bad_json", "bad_body", "bad_field", "unknown_field"),
    *("field_too_long", "bad_content_type", "bad_encoding"),
)
WHO = ("bad_actor", "ambiguous")
CALLER = ("caller_refused", "route_closed")

MEND = "The request cannot be served as it is; the message says what to mend."
UNDECIDED = f"{MEND} Nothing was decided."
UNCHANGED = f"{MEND} Nothing was changed."

FAILURES = {
    "NoKey": Failure(
        401,
        (
            "The function key is missing or wrong: the Functions host answers this, without a "
            "body.\n"
            "Where Entra is asked as well: no application is vouched for.\n"
        ),
        ("no_caller",),
    ),
    "BadActor": Failure(
        400,
        MEND,
        (*WHO, "field_too_long"),
    ),
    "BadIdOrActor": Failure(
        400,
        MEND,
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
        f"{MEND} Nothing was written.",
        ("no_comment", "bad_approval_id", *BODY, *WHO),
    ),
    "BadMessage": Failure(
        400,
        f"{MEND} Nothing was sent.",
        (*BODY, "bad_recipients", "bad_message", "html_not_allowed", "context_not_allowed", "html_no_switch"),
    ),
    "BadStatus": Failure(
        400,
        MEND,
        ("bad_switch", "bad_after"),
    ),
    "BadTrace": Failure(
        400,
        MEND,
        ("bad_approval_id", "bad_switch"),
    ),
    "BadDays": Failure(
        400,
        MEND,
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
            "The Idempotency-Key stands for another request, or there is no room for another "
            "round; nothing was changed."
        ),
        ("repeat_reused", "too_many_rounds"),
    ),
    "OrderRefused": Failure(
        403,
        "Nobody is named, or this application may not call.",
        ("no_actor", *CALLER),
    ),
    "NoRow": Failure(
        404,
        "The bridge has no open row of this approval. Without a body, the path does not exist.",
        ("no_open_row",),
    ),
    "OrderConflict": Failure(
        409,
        "The row is in no state for this; nothing was changed.",
        ("row_claimed", "row_decided", "row_changed"),
    ),
    "UnparkConflict": Failure(
        409,
        "The row is in no state for this; nothing was changed.",
        ("row_claimed", "row_decided", "row_not_parked", "row_changed"),
    ),
    "NoActor": Failure(403, "Nobody is named.", ("no_actor",)),
    "ClickRefused": Failure(
        403,
        (
            "Nobody is named, or the action token is not one for this approval. Every fault of a "
            "token has the same text."
        ),
        ("no_actor", "token_refused", "action_off", *CALLER),
    ),
    "CommentRefused": Failure(
        403,
        "Asking is off, nobody is named, or the action token is not one for this approval.",
        ("comments_off", "no_actor", "token_refused", *CALLER),
    ),
    "RelayRefused": Failure(
        403,
        "Relaying is off, or not to these recipients.",
        ("relay_off", "recipient_not_allowed", *CALLER),
    ),
    "CallerRefused": Failure(
        403,
        "Where Entra is asked as well, this application may not call.",
        (*CALLER,),
    ),
    "NotWaiting": Failure(
        404,
        "No such approval waits for this person. Without a body, the path does not exist.",
        ("not_found_for_person",),
    ),
    "NoSuchApproval": Failure(
        404,
        (
            "Coupa does not know the approval, and no token vouches that it ever did. Without a "
            "body, the path does not exist."
        ),
        ("not_found",),
    ),
    "NeverSeen": Failure(
        404,
        "The bridge has never seen this approval. Without a body, the path does not exist.",
        ("not_found_in_ledger",),
    ),
    "NoLength": Failure(
        411,
        (
            "The body was sent in chunks, which Azure Functions drops. Nothing was done; send it "
            "with Content-Length."
        ),
        ("length_required",),
    ),
    "TooLarge": Failure(413, "The body is too large.", ("body_too_large",)),
    "Crowd": Failure(
        429,
        (
            "More requests come at once than the host lets in; it answers so before it looks at "
            "the key, without a body and without Retry-After. Nothing was decided; try again in "
            "a minute."
        ),
        (),
    ),
    "TooMany": Failure(
        429,
        (
            "The allowed rate is used up, or Moveworks wants a pause. Without a body, more "
            "requests come at once than the host lets in."
        ),
        ("relay_rate", "relay_paused"),
    ),
    "NotConfigured": Failure(
        500,
        (
            "A setting is missing or wrong; the message names it. Without a body, the process "
            "that served the request ended under it, and what was decided is not known; try "
            "again, the same click decides once."
        ),
        ("settings",),
    ),
    "NeighbourRefuses": Failure(
        502,
        "Coupa refused, and asking again is no use before an operator has acted. Nothing was decided.",
        ("coupa_403",),
    ),
    "OutOfReach": Failure(
        503,
        (
            "Coupa or the bridge's memory is out of reach, or more people ask at this moment "
            "than Coupa's rate allows (`busy`). Nothing was decided; ask again soon."
        ),
        ("busy", "coupa_unreachable"),
        headers={
            "Retry-After": {
                "description": "With `busy`, after how many seconds there may be room.",
                "schema": {"type": "integer", "minimum": 1},
                "example": 2,
            }
        },
    ),
    "LedgerOutOfReach": Failure(
        503, "The bridge's memory is out of reach; ask again soon.", ("ledger_lost",)
    ),
    "RelayOutOfReach": Failure(503, "Moveworks is out of reach; ask again soon.", ("moveworks_unreachable",)),
}
"""The failures by name; one without errors comes from the Functions host and has no body."""
