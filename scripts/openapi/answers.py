"""The answers to people, to systems and to anybody."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from coupa_core.decide import MAX_AT_ONCE, Outcome
from coupa_core.inbox import MAX_CARDS
from coupa_core.report import Cause
from openapi.schema import Answer, left_out


class Health(Answer):
    """Whether the bridge works."""

    status: Literal["ok", "failing"]
    cause: str = left_out(
        json_schema_extra={"enum": [*Cause]},
        description=(
            "What is wrong first; only with `failing`.\n"
            "`settings`: a setting is missing or wrong, and the log names it; "
            "`schedule_refused`, `schedule_never`: `POLL_SCHEDULE` is one that the host refuses, "
            "or that never comes; `ledger`: the table store does not answer; `bad_since`: "
            "`since` is no time; `other_version`: another release runs here; `rare_schedule`: "
            "`POLL_SCHEDULE` leaves 15 minutes or more between sweeps; `no_sweep_yet`, "
            "`no_sweep`: the timer never ran, or not for 15 minutes; `not_swept_yet`: not since "
            "it was asked for; `sweep_failing`: sweeps run and do not get what they ask for; "
            "`list_late`: all that waits was last read too long ago; `owed`: people should have "
            "been told something 15 minutes ago.\n"
        ),
    )


class Error(Answer):
    """An error."""

    error: str = Field(description="A stable short code.", pattern="^[a-z][a-z0-9_]*$")
    message: str = Field(description="What to mend; never what was sent.")
    request_id: str = Field(description="The same as in the bridge's log.")


class Card(Answer):
    """One approval, ready to show and to decide."""

    approval_id: str
    document_type: str = Field(description="Coupa's class name of the document, such as `RequisitionHeader`.")
    document_id: str
    text: str = Field(
        description="What is to be decided, in the markup of a notice (`b`, `i`, `br`, `a href`)."
    )
    link: str = Field(description="Where the document is in Coupa.")
    action_token: str = left_out(
        description=(
            "Offers the decision to the approver; not there when tokens are off, when the "
            "document cannot be read now, or when the list does not give them (`LIST_TOKENS`). "
            "Offer buttons only where it is there."
        ),
    )
    age_days: int = left_out(
        description=("Whole days since it began to wait for the person; not there where Coupa does not say."),
        ge=0,
    )
    need_by: date = left_out(description="The day on which it is needed; not there where nobody said.")


class Inbox(Answer):
    """The pending approvals of a person."""

    count: int = Field(
        description=(
            "How many are open, as far as they were listed; of more than 50 also those that may "
            "not be the person's turn yet."
        ),
        ge=0,
    )
    is_complete: bool = Field(description="Whether all were listed; otherwise there are at least `count`.")
    unreadable: int = Field(
        description=(
            "How many of `count` cannot be read now. They are shown by type, number and link, as "
            "far as these are known and there is room."
        ),
        ge=0,
    )
    message: str = Field(description="One sentence for the person.")
    approvals: list[Card] = Field(max_length=MAX_CARDS)


class PastDecision(Answer):
    """One decision of a person."""

    approval_id: str
    document_type: str
    document_id: str = left_out(description="Left out where it is not known.")
    status: Literal["approved", "rejected", "on_hold"] = Field(description="What became of the approval.")
    decided_at: datetime = left_out(description="Left out where Coupa does not say.")
    made_in: Literal["chat", "coupa"]
    text: str = Field(description="One line for the person, in their language, without markup.")
    link: str = Field(json_schema_extra={"format": "uri"})


class History(Answer):
    """The decisions of a person."""

    count: int = Field(description="How many decisions of the last 30 days are known.", ge=0)
    is_complete: bool = Field(
        description=(
            "Whether these are all that can be found; otherwise there are at least `count`. What "
            "was decided in Coupa as a delegate, or as a member of a group, is found while the "
            "person still is one."
        )
    )
    message: str = Field(description="One sentence for the person; it says what could not be looked up.")
    decisions: list[PastDecision] = Field(max_length=20)


class _After(Answer):
    """The optional fields of the answer to a click."""

    content: str = left_out(description="With `changed`, what is to be decided now, as in a notice.")
    action_token: str = left_out(description="With `changed`, the token by which the new content is decided.")
    link: str = left_out(
        description=(
            "Where the request is in Coupa, where it has to be decided or asked about there, or "
            "Coupa refuses the decision."
        ),
    )
    status: str = left_out(description="With `already_decided`, Coupa's status.")
    decided_by: str = left_out(description="With `already_decided`, who decided, as far as Coupa says.")
    decided_at: str = left_out(description="With `already_decided`, when, as Coupa wrote it.")
    document_status: str = left_out(description="After a decision on a requisition, Coupa's status of it.")
    next_approver: str = left_out(description="After an approval, who is next; not there when nobody is.")


class Decision(_After):
    """The outcome of a click or a question."""

    outcome: str = Field(json_schema_extra={"enum": [*Outcome]})
    message: str = Field(description="One sentence for the person.")
    approval_id: str


class OneDecision(_After):
    """The outcome of one of several clicks."""

    approval_id: str
    outcome: str = left_out(description="As in the answer to one decision; not there with `error`.")
    error: str = left_out(
        description="Why this one was not decided, as a stable short code; not there with `outcome`.",
        pattern="^[a-z][a-z0-9_]*$",
    )
    message: str = Field(description="One sentence for the person.")


class Decisions(Answer):
    """The outcomes of several clicks."""

    message: str = Field(description="One sentence for the person.")
    items: list[OneDecision] = Field(
        description="What became of each, in the order of the request.", min_length=1, max_length=MAX_AT_ONCE
    )


class Accepted(Answer):
    """The outcome of a message."""

    accepted: int = Field(description="Number of recipients whose message Moveworks took.", ge=0)
    recipients: dict[str, Literal["accepted", "refused", "unknown", "not_sent"]] = Field(
        description="What became of each, by e-mail; after `unknown` it may have arrived."
    )
