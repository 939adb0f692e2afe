"""The routes by which people list their approvals and decisions, and the route of health."""

from __future__ import annotations

from typing import Any

from openapi.answers import Card, Health, History, Inbox
from openapi.parameters import ACTOR, ORDER
from openapi.parts import Operation, Response

OPERATIONS: dict[str, Operation] = {
    "health": Operation(
        brief=(
            "alive or not, and by a code why not; 503 when no complete sweep ended in the last 15 minutes"
        ),
        summary="Tell whether the bridge works",
        description=(
            "Needs no key and tells no more than a cause. It is red when no complete sweep ended "
            "in the last 15 minutes, or none as it is asked for."
        ),
        tag="Operators",
        is_open=True,
        parameters=("Version", "Since"),
        answers=(
            Response(200, "A complete sweep ended in the last 15 minutes.", Health, example={"status": "ok"}),
            Response(
                503,
                "No complete sweep ended in the last 15 minutes, or the bridge is not configured.",
                Health,
                example={"status": "failing", "cause": "no_sweep"},
            ),
        ),
        failures=("Crowd",),
    ),
    "list_approvals": Operation(
        brief=(
            "what waits for a person, what is needed soon first, then what waits for longest; "
            "each with the card's text, its age and an action token. At most 20, with the number "
            'of all, or "at least" so many; of more than 50 only a page is read'
        ),
        summary="List what waits for a person",
        description=(
            "Reads Coupa at once. At most 20 items are returned; `count` says how many there "
            "are, or at least how many where `is_complete` is false: then the time ran out, or "
            "Coupa did not answer, while they were listed.\n"
            "Of more than 50 only about 20 documents are read: the first by their ids that are "
            "the person's turn. The others count, whether or not it is the person's turn yet.\n"
            "What cannot be read now is shown last, by its type, number and link alone, and "
            "without a token; it keeps no other from being shown.\n"
            "They can be decided from here only where they have an `action_token` "
            "(`LIST_TOKENS`).\n"
        ),
        tag="Approvals",
        parameters=(*ACTOR, "RequestId"),
        answers=(
            Response(
                200,
                (
                    "The person's open approvals; first what is needed within a week, then what waits "
                    "for longest, and last what cannot be read. Of more than 50 those that are shown are "
                    "in that order. None for a person whom Coupa does not know."
                ),
                Inbox,
                {"one": "InboxOfOne", "part": "InboxInPart", "none": "InboxEmpty"},
            ),
        ),
        failures=("BadActor", "NoKey", "NoActor", "Crowd", "NotConfigured", "NeighbourRefuses", "OutOfReach"),
    ),
    "get_approval": Operation(
        brief="one of them",
        summary="Show one approval to its approver",
        description=(
            "Reads Coupa at once, as the list does. It answers 404 for what does not wait for this person."
        ),
        tag="Approvals",
        parameters=ORDER,
        answers=(Response(200, "The approval, ready to show and to decide.", Card, {"card": "Card"}),),
        failures=(
            "BadIdOrActor",
            "NoKey",
            "NoActor",
            "NotWaiting",
            "Crowd",
            "NotConfigured",
            "NeighbourRefuses",
            "OutOfReach",
        ),
    ),
    "list_decisions": Operation(
        brief=(
            "what a person decided in the last 30 days, in chat or in Coupa, newest first: at "
            "most 20, with the number of all that are known"
        ),
        summary="List what a person decided lately",
        description=(
            "What this person decided in the last 30 days, in chat or in Coupa, newest first: "
            "from the bridge's own record, and from what Coupa has of approvals that asked the "
            "person, a group of theirs, or somebody for whom they act now. At most 20 items are "
            "returned; `count` says how many are known, or at least how many where `is_complete` "
            "is false: then not everything could be asked, or more than 200 approvals were "
            "decided.\n"
            "A document is called by its name of today, and no amount is said: what it came to "
            "then is not kept.\n"
        ),
        tag="Approvals",
        parameters=(*ACTOR, "RequestId"),
        answers=(
            Response(
                200,
                (
                    "The person's decisions, as far as they are known; none for a person whom Coupa does "
                    "not know."
                ),
                History,
                {"two": "HistoryOfTwo", "ours": "HistoryWithoutCoupa", "none": "HistoryEmpty"},
            ),
        ),
        failures=("BadActor", "NoKey", "NoActor", "Crowd", "NotConfigured", "NeighbourRefuses", "OutOfReach"),
    ),
}

_CARD = {
    "approval_id": "85301",
    "document_type": "RequisitionHeader",
    "document_id": "5001",
    "text": (
        "<b>💳 Sam Stinson asks for “Laptops”, USD 14,060.40, by Dec 1, 2026</b><br>Purchase "
        "request 5001 needs your approval<br>- <i>Supplier</i>: Apple<br><a "
        'href="https://acme.coupahost.com/requisition_headers/5001">Open in Coupa</a>'
    ),
    "link": "https://acme.coupahost.com/requisition_headers/5001",
    "action_token": "v1.2026a.eyJhIjo4NTMwMX0.c2lnbmF0dXJl",
    "age_days": 3,
}

EXAMPLES: dict[str, tuple[str, Any]] = {
    "InboxOfOne": (
        "One approval",
        {
            "count": 1,
            "is_complete": True,
            "unreadable": 0,
            "message": (
                "1 approval is waiting for you in Coupa. Total: USD 14,060.40. It has been waiting "
                "for 3 days."
            ),
            "approvals": [
                {**_CARD, "need_by": "2026-12-01"},
            ],
        },
    ),
    "InboxInPart": (
        "More than were listed in time, and one that cannot be read",
        {
            "count": 2,
            "is_complete": False,
            "unreadable": 1,
            "message": (
                "At least 2 approvals are waiting for you in Coupa. Those that were read come to USD "
                "14,060.40. The oldest shown has been waiting for 3 days. Cannot be read right now: "
                "1."
            ),
            "approvals": [
                _CARD,
                {
                    "approval_id": "85302",
                    "document_type": "RequisitionHeader",
                    "document_id": "5002",
                    "text": (
                        "<b>💳 Purchase request 5002 needs your approval</b><br>This cannot be shown here "
                        "right now; please open it in Coupa.<br><a "
                        'href="https://acme.coupahost.com/requisition_headers/5002">Open in Coupa</a>'
                    ),
                    "link": "https://acme.coupahost.com/requisition_headers/5002",
                },
            ],
        },
    ),
    "InboxEmpty": (
        "Nothing waits",
        {
            "count": 0,
            "is_complete": True,
            "unreadable": 0,
            "message": "Nothing is waiting for your approval in Coupa.",
            "approvals": [],
        },
    ),
    "HistoryOfTwo": (
        "One in Coupa, one in chat",
        {
            "count": 2,
            "is_complete": True,
            "message": "2 decisions of yours were found for the last 30 days.",
            "decisions": [
                {
                    "approval_id": "85302",
                    "document_type": "InvoiceHeader",
                    "document_id": "9001",
                    "status": "rejected",
                    "decided_at": "2026-11-23T09:12:00+00:00",
                    "made_in": "coupa",
                    "text": "Rejected on Nov 23, 2026 at 9:12 AM: Invoice “INV-118” · in Coupa",
                    "link": "https://acme.coupahost.com/invoices/9001",
                },
                {
                    "approval_id": "85301",
                    "document_type": "RequisitionHeader",
                    "document_id": "5001",
                    "status": "approved",
                    "decided_at": "2026-11-23T09:02:00+00:00",
                    "made_in": "chat",
                    "text": "Approved on Nov 23, 2026 at 9:02 AM: “Laptops” · in chat",
                    "link": "https://acme.coupahost.com/requisition_headers/5001",
                },
            ],
        },
    ),
    "HistoryWithoutCoupa": (
        "Coupa is away",
        {
            "count": 1,
            "is_complete": False,
            "message": (
                "You made at least 1 decision in the last 30 days. Coupa cannot be asked right now, "
                "so only what you decided in chat is known."
            ),
            "decisions": [
                {
                    "approval_id": "85301",
                    "document_type": "RequisitionHeader",
                    "document_id": "5001",
                    "status": "approved",
                    "decided_at": "2026-11-23T09:02:00+00:00",
                    "made_in": "chat",
                    "text": "Approved on Nov 23, 2026 at 9:02 AM: Purchase request 5001 · in chat",
                    "link": "https://acme.coupahost.com/requisition_headers/5001",
                }
            ],
        },
    ),
    "HistoryEmpty": (
        "Nothing was decided",
        {
            "count": 0,
            "is_complete": True,
            "message": "No decision of yours was found for the last 30 days.",
            "decisions": [],
        },
    ),
    "Card": ("A purchase request", {**_CARD, "need_by": "2026-12-01"}),
}
