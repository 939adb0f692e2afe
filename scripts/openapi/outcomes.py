"""Examples of the outcomes of a click, of several clicks, and of a message."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, tuple[str, Any]] = {
    "approved": (
        "Approved",
        {
            "outcome": "approved",
            "message": "Approved: Purchase request 5001, “Laptops”, USD 14,060.40.",
            "approval_id": "85301",
        },
    ),
    "approved_and_next": (
        "Approved, with the next approver",
        {
            "outcome": "approved",
            "message": "Approved: Purchase request 5001, “Laptops”, USD 14,060.40. Next: Robin Vega.",
            "approval_id": "85301",
            "document_status": "pending_approval",
            "next_approver": "Robin Vega",
        },
    ),
    "approved_at_last": (
        "Approved by the last approver",
        {
            "outcome": "approved",
            "message": "Approved: Purchase request 5001, “Laptops”, USD 14,060.40. It is fully approved.",
            "approval_id": "85301",
            "document_status": "approved",
        },
    ),
    "all_decided": (
        "All decided",
        {
            "message": "Approved: 2 requests.",
            "items": [
                {
                    "outcome": "approved",
                    "message": (
                        "Approved: Purchase request 5001, “Laptops”, USD 14,060.40. It is fully approved."
                    ),
                    "approval_id": "85301",
                    "document_status": "approved",
                },
                {
                    "outcome": "approved",
                    "message": "Approved: Purchase request 5002, “Laptops”, USD 14,060.40. Next: Robin Vega.",
                    "approval_id": "85302",
                    "document_status": "pending_approval",
                    "next_approver": "Robin Vega",
                },
            ],
        },
    ),
    "some_decided": (
        "One decided, one refused",
        {
            "message": "Approved: 1 of 2 requests. Not decided by you: 1.",
            "items": [
                {
                    "outcome": "approved",
                    "message": (
                        "Approved: Purchase request 5001, “Laptops”, USD 14,060.40. It is fully approved."
                    ),
                    "approval_id": "85301",
                    "document_status": "approved",
                },
                {
                    "approval_id": "85302",
                    "error": "token_refused",
                    "message": "The action token is missing or not valid here.",
                },
            ],
        },
    ),
    "commented": (
        "Question written in Coupa",
        {
            "outcome": "commented",
            "message": (
                "Asked: your comment is in Coupa and mentions the requester: Purchase request 5001, "
                "“Laptops”, USD 14,060.40."
            ),
            "approval_id": "85301",
        },
    ),
    "not_askable": (
        "No comments on this type in Coupa",
        {
            "outcome": "not_askable",
            "message": (
                "Coupa takes no comments from here on this, so nothing was asked: Contract 7001. "
                "Please open it in Coupa."
            ),
            "approval_id": "85301",
            "link": "https://acme.coupahost.com/contracts/7001",
        },
    ),
    "comment_unconfirmed": (
        "Coupa did not confirm the comment",
        {
            "outcome": "unconfirmed",
            "message": (
                "Coupa has not confirmed your comment yet: Purchase request 5001, “Laptops”, USD "
                "14,060.40. Please check in Coupa before you ask again."
            ),
            "approval_id": "85301",
        },
    ),
    "rejected": (
        "Rejected",
        {
            "outcome": "rejected",
            "message": "Rejected: Purchase request 5001, “Laptops”, USD 14,060.40. Coupa has your reason.",
            "approval_id": "85301",
        },
    ),
    "held": (
        "Put on hold",
        {
            "outcome": "held",
            "message": "Put on hold: Purchase request 5001, “Laptops”, USD 14,060.40.",
            "approval_id": "85301",
        },
    ),
    "already_decided": (
        "Already decided by somebody else",
        {
            "outcome": "already_decided",
            "message": (
                "Nothing was changed. Approved by Robin Vega on Nov 23, 2026 at 1:02 AM: Purchase "
                "request 5001."
            ),
            "approval_id": "85301",
            "status": "approved",
            "decided_by": "Robin Vega",
            "decided_at": "2026-11-23T01:02:03-08:00",
        },
    ),
    "not_your_approval": (
        "Approval of another person",
        {
            "outcome": "not_your_approval",
            "message": "This is not waiting for your decision, so nothing was changed.",
            "approval_id": "85301",
        },
    ),
    "not_your_turn": (
        "An earlier step is still open",
        {
            "outcome": "not_your_turn",
            "message": (
                "It is not your turn yet, so nothing was changed: Purchase request 5001, “Laptops”, "
                "USD 14,060.40."
            ),
            "approval_id": "85301",
        },
    ),
    "changed": (
        "Content changed since the notice",
        {
            "outcome": "changed",
            "message": (
                "This has changed since you saw it, so nothing was decided: Purchase request 5001, "
                "“Laptops”, USD 15,000.00. Please look again, then decide."
            ),
            "approval_id": "85301",
            "content": (
                "<b>💳 Sam Stinson asks for “Laptops”, USD 15,000.00, by Dec 1, 2026</b><br>Purchase "
                "request 5001 has changed and still needs your approval<br>Amount: USD 14,060.40 → "
                "USD 15,000.00<br>- <i>Supplier</i>: Apple<br><a "
                'href="https://acme.coupahost.com/requisition_headers/5001">Open in Coupa</a>'
            ),
            "action_token": "v1.2026a.eyJhIjo4NTMwMX0.bmV3LXNpZ25hdHVyZQ",
        },
    ),
    "expired": (
        "Action token too old",
        {
            "outcome": "expired",
            "message": (
                "Purchase request 5001: This button is too old. Please ask for your open approvals, "
                "or decide in Coupa."
            ),
            "approval_id": "85301",
        },
    ),
    "reason_required": (
        "Reason missing",
        {
            "outcome": "reason_required",
            "message": (
                "Purchase request 5001: Please give a reason, so that the requester knows what to change."
            ),
            "approval_id": "85301",
        },
    ),
    "reason_too_long": (
        "Reason too long for Coupa",
        {
            "outcome": "reason_too_long",
            "message": (
                "Purchase request 5001, “Laptops”, USD 14,060.40: This is 300 characters long and "
                "200 fit, so nothing was sent. Please shorten it."
            ),
            "approval_id": "85301",
        },
    ),
    "refused_by_coupa": (
        "Refused by Coupa's rules",
        {
            "outcome": "refused_by_coupa",
            "message": (
                "Purchase request 5001, “Laptops”, USD 14,060.40: Coupa does not accept this, so "
                "nothing was changed: Budget line 7 is closed."
            ),
            "approval_id": "85301",
            "link": "https://acme.coupahost.com/requisition_headers/5001",
        },
    ),
    "step_up": (
        "Amount too high to decide in chat",
        {
            "outcome": "step_up",
            "message": (
                "Purchase request 5001, “Laptops”, USD 14,060.40: This amount is too high to decide "
                "in chat; please decide in Coupa."
            ),
            "approval_id": "85301",
            "link": "https://acme.coupahost.com/requisition_headers/5001",
        },
    ),
    "unconfirmed": (
        "Coupa did not confirm the decision",
        {
            "outcome": "unconfirmed",
            "message": (
                "Coupa has not confirmed this yet: Purchase request 5001, “Laptops”, USD 14,060.40. "
                "Please check in Coupa before you try again."
            ),
            "approval_id": "85301",
        },
    ),
}
"""The summary and the body of each example, by name."""
