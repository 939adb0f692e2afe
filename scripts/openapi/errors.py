"""Examples of errors: a summary, and the sentence that the caller reads."""

from __future__ import annotations

ERRORS = {
    "bad_switch": ("Not a switch value", "full must be 1 or 0."),
    "bad_after": ("Not an id", "after must be an approval id."),
    "bad_day": ("Not a day", "from must be a day such as 2026-11-23."),
    "bad_format": ("Unknown format", "format must be json or csv."),
    "bad_range": ("Days too far apart", "from must be a day up to 366 days before to."),
    "bad_hours": ("Hours out of range", "hours must be a number from 0 to 720."),
    "row_claimed": (
        "A sweep holds the claim",
        "A sweep is at work on this approval; please try again in a few minutes.",
    ),
    "row_decided": ("Already decided", "This approval was decided through the bridge."),
    "row_not_parked": ("Not parked", "This approval is not parked."),
    "row_changed": (
        "Concurrent change",
        "Somebody else changed this approval at the same time; please try again.",
    ),
    "no_open_row": ("No open row", "The bridge has no open row of this approval."),
    "bad_approval_id": ("Not an id", "approval_id must be a number of 1 to 19 digits."),
    "bad_json": ("Invalid JSON", "The body is no valid JSON: Expecting value at character 0."),
    "bad_body": ("Not a JSON object", "The body must be a JSON object."),
    "bad_field": ("Wrong type of a field", "reason must be a text."),
    "unknown_field": (
        "Unknown field",
        "The body may hold action_token, actor_email, reason only.",
    ),
    "field_too_long": (
        "Value too long",
        "actor_email is longer than 254 characters.",
    ),
    "bad_content_type": (
        "Wrong content type",
        "The body must be application/json in UTF-8.",
    ),
    "bad_encoding": ("Compressed body", "The body must not be compressed."),
    "bad_actor": ("Not an e-mail address", "X-Actor-Email is no e-mail address."),
    "ambiguous": ("Two different values", "actor_email is given twice, with different values."),
    "bad_decision": ("Unknown decision", "decision must be approve, reject or hold."),
    "bad_items": (
        "Not a list, too long, or a duplicate id",
        'items must be 1 to 20 of {"id": "...", "token": "..."} with different ids.',
    ),
    "bad_item_id": ("Not an id", "id must be a number of 1 to 19 digits."),
    "no_comment": ("No question", "comment must say what you would like to know."),
    "comments_off": ("Questions disabled", "Asking by comment is not enabled on this bridge."),
    "action_off": (
        "Action disabled",
        "This cannot be done from chat here; please use Coupa.",
    ),
    "not_holdable": (
        "Coupa does not allow a hold",
        ("Purchase request 5001, “Laptops”, USD 14,060.40: Coupa does not let this approval be put on hold."),
    ),
    "no_actor": ("No actor", "The actor is missing: send X-Actor-Email."),
    "token_refused": ("No valid action token", "The action token is missing or not valid here."),
    "relay_off": ("Relay disabled", "Relaying messages is not enabled on this bridge."),
    "relay_rate": (
        "Too many messages",
        "Too many messages at once; nothing was sent. Please try again in a minute.",
    ),
    "relay_paused": (
        "Moveworks asks for a pause",
        "Moveworks wants a pause; nothing was sent. Please try again in a minute.",
    ),
    "recipient_not_allowed": (
        "Recipient of another domain",
        "A recipient is not of an allowed domain; nothing was sent.",
    ),
    "bad_recipients": ("Not a list of addresses", "recipients must be a list of e-mail addresses."),
    "bad_message": (
        "Too short or too long",
        "message must be of 1 to 20000 characters when written.",
    ),
    "context_not_allowed": (
        "Message with slots",
        (
            "This bridge relays text without slots, which would put buttons under words that it "
            "has not composed; leave context out. It announces approvals itself."
        ),
    ),
    "html_not_allowed": (
        "Plain text only",
        "This bridge relays plain text only; leave html out.",
    ),
    "html_no_switch": ("Not a switch value", "html must be true or false."),
    "bad_key": (
        "Key too long",
        "Idempotency-Key must be of at most 200 printable characters.",
    ),
    "key_reused": (
        "Key of another decision",
        "This Idempotency-Key was used for another decision.",
    ),
    "no_key": (
        "No name for the repeat",
        (
            "Idempotency-Key is missing: send a name of your choice for this repeat, such as "
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
        "Not a time with a zone",
        "since must be a time with its zone such as 2026-12-01T08:00:00Z.",
    ),
    "since_to_come": (
        "Time in the future",
        (
            "since must not be in the future: nothing was told after it. Give the time of the "
            "first message that is to be told again."
        ),
    ),
    "nobody_to_tell": (
        "No notice to repeat",
        (
            "Nothing was done: nobody whom people names was told of anything that waits now, or "
            "not since then. Look for a misspelt address or domain."
        ),
    ),
    "repeat_reused": (
        "Name of another repeat",
        "This Idempotency-Key was used for other people or another time; choose a new one.",
    ),
    "too_many_rounds": (
        "No room for another repeat",
        (
            "There is no room for another repeat: twenty fit, fewer with many people; each is "
            "kept for a day, and longer while somebody waits for it (PILOT, DRY_RUN). Wait until "
            "they are told, or name fewer people at once."
        ),
    ),
    "no_caller": (
        "No Entra token of an application",
        "The request has no Entra token of an application.",
    ),
    "caller_refused": (
        "Application of another kind of caller",
        "This application may not call this route.",
    ),
    "route_closed": (
        "No application named for this kind of caller",
        "No application may call this route.",
    ),
    "not_found": ("Not in Coupa", "There is no such approval in Coupa."),
    "not_found_for_person": (
        "Not a pending approval of this person",
        "No such approval waits for this person.",
    ),
    "not_found_in_ledger": ("No record of the approval", "The bridge has never seen this approval."),
    "length_required": (
        "Chunked body",
        (
            "The body was sent in chunks, and Azure Functions drops such a body: send "
            "Content-Length in place of Transfer-Encoding. Nothing was done."
        ),
    ),
    "body_too_large": ("Too large", "The body is larger than 32768 bytes."),
    "settings": (
        "Missing setting",
        "The bridge is not configured: MOVEWORKS_API_KEY: is missing.",
    ),
    "coupa_403": (
        "Missing scope in Coupa",
        "This cannot be done from here at this moment; nothing was decided. Please use Coupa.",
    ),
    "busy": (
        "Rate of Coupa used up",
        ("Too many people are deciding at this moment; nothing was decided. Please try again in a moment."),
    ),
    "coupa_unreachable": (
        "Coupa is unavailable",
        ("Coupa or the bridge's memory is out of reach; nothing was decided. Please try again soon."),
    ),
    "ledger_lost": (
        "The table store is unavailable",
        ("Coupa or the bridge's memory is out of reach; nothing was decided. Please try again soon."),
    ),
    "moveworks_unreachable": (
        "Moveworks is unavailable",
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
