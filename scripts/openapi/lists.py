"""The routes by which people list their approvals and decisions, and the route of health."""

from __future__ import annotations

from typing import Any

from openapi.answers import Card, Health, History, Inbox
from openapi.parameters import ACTOR, ORDER
from openapi.parts import Operation, Response

OPERATIONS: dict[str, Operation] = {
    "health": Operation(
        brief=(
            "health of the bridge; 503 with the cause as a code if no sweep ended in the last 15 minutes, "
            "the last complete read of the list is too old, messages are overdue, a setting is wrong, or the "
            "ledger does not answer"
        ),
        summary="Show the health of the bridge",
        description=(
            "This route needs no key and states only a cause. It answers 503 if no sweep ended in "
            "the last 15 minutes, if the last complete read of the list is too old, if messages are overdue, "
            "if a setting is wrong, if the ledger does not answer, or if no sweep fits `version` and `since`."
        ),
        tag="Operators",
        is_open=True,
        parameters=("Version", "Since"),
        answers=(
            Response(200, "The bridge works.", Health, example={"status": "ok"}),
            Response(
                503,
                "The bridge does not work, or no sweep fits the request; `cause` gives the first problem.",
                Health,
                example={"status": "failing", "cause": "no_sweep"},
            ),
        ),
        failures=("Crowd",),
    ),
    "list_approvals": Operation(
        brief=(
            "a person's pending approvals, first those needed soon, then the oldest; each with the "
            "card's text, its age and an action token. At most 20, with the number of all, or the "
            "least number; of more than 50 the bridge reads only a page"
        ),
        summary="List a person's pending approvals",
        description=(
            "The bridge reads Coupa during the request and returns at most 20 approvals. `count` "
            "is their total number, or the least number if `is_complete` is false: then the time "
            "ran out, or Coupa did not answer.\n"
            "Above 50 approvals the bridge reads only about 20 documents: the first ones, by id, "
            "whose turn has come. `count` includes all others, whether or not their turn has "
            "come.\n"
            "An approval that the bridge cannot read now comes last, with its type, number and "
            "link only, and without a token; the others are not affected.\n"
            "A person can decide an approval from this list only if it has an `action_token` "
            "(`LIST_TOKENS`).\n"
        ),
        tag="Approvals",
        parameters=(*ACTOR, "RequestId"),
        answers=(
            Response(
                200,
                (
                    "The person's pending approvals: first those needed within a week, then the oldest, "
                    "and last those that the bridge cannot read. Above 50 this order holds for the "
                    "approvals in the answer. The list is empty for a person whom Coupa does not know."
                ),
                Inbox,
                {"one": "InboxOfOne", "part": "InboxInPart", "none": "InboxEmpty"},
            ),
        ),
        failures=("BadActor", "NoKey", "NoActor", "Crowd", "NotConfigured", "ServiceRefuses", "OutOfReach"),
    ),
    "get_approval": Operation(
        brief="one pending approval of a person",
        summary="Show one approval to its approver",
        description=(
            "The bridge reads Coupa during the request. It answers 404 for an approval that is not this "
            "person's pending approval."
        ),
        tag="Approvals",
        parameters=ORDER,
        answers=(Response(200, "The approval, with its card and its action token.", Card, {"card": "Card"}),),
        failures=(
            "BadIdOrActor",
            "NoKey",
            "NoActor",
            "NotWaiting",
            "Crowd",
            "NotConfigured",
            "ServiceRefuses",
            "OutOfReach",
        ),
    ),
    "list_decisions": Operation(
        brief=(
            "a person's decisions of the last 30 days, in chat or in Coupa, newest first: at most "
            "20, with the number of all known ones"
        ),
        summary="List a person's recent decisions",
        description=(
            "The bridge returns the decisions that this person made in the last 30 days, in chat "
            "or in Coupa, newest first. It reads them from its own record, and from Coupa's "
            "approvals of the person, of their groups, and of those for whom they act now. It "
            "returns at most 20. `count` is the number of known decisions, or the least number if "
            "`is_complete` is false: then the bridge could not read every source, or there are "
            "more than 200 decided approvals.\n"
            "Each document has its current name. There is no amount, because the bridge does not "
            "keep the amount at the time of the decision.\n"
        ),
        tag="Approvals",
        parameters=(*ACTOR, "RequestId"),
        answers=(
            Response(
                200,
                ("The person's known decisions. The list is empty for a person whom Coupa does not know."),
                History,
                {"two": "HistoryOfTwo", "ours": "HistoryWithoutCoupa", "none": "HistoryEmpty"},
            ),
        ),
        failures=("BadActor", "NoKey", "NoActor", "Crowd", "NotConfigured", "ServiceRefuses", "OutOfReach"),
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
        "An incomplete list, with one unreadable approval",
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
        "No pending approval",
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
        "Coupa is unavailable",
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
        "No decision",
        {
            "count": 0,
            "is_complete": True,
            "message": "No decision of yours was found for the last 30 days.",
            "decisions": [],
        },
    ),
    "Card": ("A purchase request", {**_CARD, "need_by": "2026-12-01"}),
}
