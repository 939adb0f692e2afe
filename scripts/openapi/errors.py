"""Examples of errors: a summary, and the sentence that the caller reads."""

from __future__ import annotations

ERRORS = {
    "bad_switch": ("A switch that is none", "full must be 1 or 0."),
    "bad_after": ("No id", "after must be an approval id."),
    "bad_day": ("No day", "from must be a day such as 2026-11-23."),
    "bad_format": ("Another format", "format must be json or csv."),
    "bad_range": ("Days too far apart", "from must be a day up to 366 days before to."),
    "bad_hours": ("No such time", "hours must be a number from 0 to 720."),
    "row_claimed": (
        "A sweep is at work",
        "A sweep is at work on this approval; please try again in a few minutes.",
    ),
    "row_decided": ("Decided already", "This approval was decided through the bridge."),
    "row_not_parked": ("Not parked", "This approval is not parked."),
    "row_changed": (
        "Somebody was quicker",
        "Somebody else changed this approval at the same time; please try again.",
    ),
    "no_open_row": ("No open row", "The bridge has no open row of this approval."),
    "bad_approval_id": ("No id", "approval_id must be a number of 1 to 19 digits."),
    "bad_json": ("No JSON", "The body is no valid JSON: Expecting value at character 0."),
    "bad_body": ("No object", "The body must be a JSON object."),
    "bad_field": ("A field of a wrong type", "reason must be a text."),
    "unknown_field": (
        "A field that does not exist",
        "The body may hold action_token, actor_email, reason only.",
    ),
    "field_too_long": (
        "A value that is too long",
        "actor_email is longer than 254 characters.",
    ),
    "bad_content_type": (
        "Another kind of body",
        "The body must be application/json in UTF-8.",
    ),
    "bad_encoding": ("A compressed body", "The body must not be compressed."),
    "bad_actor": ("No e-mail address", "X-Actor-Email is no e-mail address."),
    "ambiguous": ("Two values that differ", "actor_email is given twice, and differently."),
    "bad_decision": ("Another decision", "decision must be approve, reject or hold."),
    "bad_items": (
        "No list, too long, or one of them twice",
        'items must be 1 to 20 of {"id": "...", "token": "..."} with different ids.',
    ),
    "bad_item_id": ("No id", "id must be a number of 1 to 19 digits."),
    "no_comment": ("Nothing is asked", "comment must say what you would like to know."),
    "comments_off": ("Asking is off", "Asking by comment is not enabled on this bridge."),
    "action_off": (
        "The action is switched off",
        "This cannot be done from chat here; please use Coupa.",
    ),
    "not_holdable": (
        "Coupa does not let it be held",
        ("Purchase request 5001, “Laptops”, USD 14,060.40: Coupa does not let this approval be put on hold."),
    ),
    "no_actor": ("Nobody is named", "Who acts is missing: send X-Actor-Email."),
    "token_refused": ("No good token", "The action token is missing or not valid here."),
    "relay_off": ("Relaying is off", "Relaying messages is not enabled on this bridge."),
    "relay_rate": (
        "Too many messages",
        "Too many messages at once; nothing was sent. Please try again in a minute.",
    ),
    "relay_paused": (
        "Moveworks wants a pause",
        "Moveworks wants a pause; nothing was sent. Please try again in a minute.",
    ),
    "recipient_not_allowed": (
        "A recipient of another domain",
        "A recipient is not of an allowed domain; nothing was sent.",
    ),
    "bad_recipients": ("No addresses", "recipients must be a list of e-mail addresses."),
    "bad_message": (
        "Too short or too long",
        "message must be of 1 to 20000 characters when written.",
    ),
    "context_not_allowed": (
        "A message that would have buttons",
        (
            "This bridge relays text without slots, which would put buttons under words that it "
            "has not composed; leave context out. It announces approvals itself."
        ),
    ),
    "html_not_allowed": (
        "Plain text only",
        "This bridge relays plain text only; leave html out.",
    ),
    "html_no_switch": ("A switch that is none", "html must be true or false."),
    "bad_key": (
        "A key that is too long",
        "Idempotency-Key must be of at most 200 printable characters.",
    ),
    "key_reused": (
        "A key of another decision",
        "This Idempotency-Key was used for another decision.",
    ),
    "no_key": (
        "No name for this round",
        (
            "Idempotency-Key is missing: send a name of your choice for this round, such as "
            "launch-2026-12-01. The same one again tells nobody twice."
        ),
    ),
    "bad_people": (
        "Neither addresses nor domains",
        (
            "people must be a list of 1 to 100 e-mail addresses such as ann@example.com, or "
            "domains such as example.com."
        ),
    ),
    "bad_since": (
        "No time with its zone",
        "since must be a time with its zone such as 2026-12-01T08:00:00Z.",
    ),
    "since_to_come": (
        "A time that is to come",
        (
            "since must not be in the future: nothing was told after it. Give the time of the "
            "first message that is to be told again."
        ),
    ),
    "nobody_to_tell": (
        "Nobody who is named has anything to be told again",
        (
            "Nothing was done: nobody whom people names was told of anything that waits now, or "
            "not since then. Look for a misspelt address or domain."
        ),
    ),
    "repeat_reused": (
        "A name of another round",
        "This Idempotency-Key was used for other people or another time; choose a new one.",
    ),
    "too_many_rounds": (
        "No room for another round",
        (
            "There is no room for another round: twenty fit, fewer with many people; each is "
            "kept for a day, and longer while somebody waits for it (PILOT, DRY_RUN). Wait until "
            "they are told, or name fewer people at once."
        ),
    ),
    "no_caller": (
        "No token of an application",
        "The request has no Entra token of an application.",
    ),
    "caller_refused": (
        "An application of another kind of caller",
        "This application may not call this route.",
    ),
    "route_closed": (
        "A kind of caller without applications",
        "No application may call this route.",
    ),
    "not_found": ("Not in Coupa", "There is no such approval in Coupa."),
    "not_found_for_person": (
        "Not waiting for this person",
        "No such approval waits for this person.",
    ),
    "not_found_in_ledger": ("Never seen", "The bridge has never seen this approval."),
    "length_required": (
        "A body in chunks",
        (
            "The body was sent in chunks, and Azure Functions drops such a body: send "
            "Content-Length in place of Transfer-Encoding. Nothing was done."
        ),
    ),
    "body_too_large": ("Too large", "The body is larger than 32768 bytes."),
    "settings": (
        "A setting is missing",
        "The bridge is not configured: MOVEWORKS_API_KEY: is missing.",
    ),
    "coupa_403": (
        "A scope is missing",
        "This cannot be done from here at this moment; nothing was decided. Please use Coupa.",
    ),
    "busy": (
        "More people than the rate allows",
        ("Too many people are deciding at this moment; nothing was decided. Please try again in a moment."),
    ),
    "coupa_unreachable": (
        "Coupa is out of reach",
        ("Coupa or the bridge's memory is out of reach; nothing was decided. Please try again soon."),
    ),
    "ledger_lost": (
        "The table store is out of reach",
        ("Coupa or the bridge's memory is out of reach; nothing was decided. Please try again soon."),
    ),
    "moveworks_unreachable": (
        "Moveworks is out of reach",
        "Moveworks is out of reach; nothing was sent. Please try again soon.",
    ),
}
"""The examples by name; the name is the error's code unless `CODES` has another."""

CODES = {
    "no_open_row": "not_found",
    "bad_item_id": "bad_approval_id",
    "html_no_switch": "bad_field",
    "since_to_come": "bad_since",
    "repeat_reused": "key_reused",
    "not_found_for_person": "not_found",
    "not_found_in_ledger": "not_found",
}
"""The codes of further examples of one error."""
