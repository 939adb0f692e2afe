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
            "The first problem found; only with `failing`.\n"
            "`settings`: a setting is missing or wrong, and the log names it; "
            "`schedule_refused`: the host refuses `POLL_SCHEDULE`; `schedule_never`: "
            "`POLL_SCHEDULE` has no next run; `ledger`: the table store does not answer; "
            "`bad_since`: `since` is not a time; `other_version`: another release runs; "
            "`rare_schedule`: `POLL_SCHEDULE` leaves 15 minutes or more between sweeps; "
            "`no_sweep_yet`: the timer has never run; `no_sweep`: the timer has not run for 15 "
            "minutes; `not_swept_yet`: no sweep fits `version` and `since`; `sweep_failing`: "
            "sweeps run, and their calls fail; `list_late`: the last complete reading of all "
            "pending approvals is too old; `owed`: messages are more than 15 minutes overdue.\n"
        ),
    )


class Error(Answer):
    """An error."""

    error: str = Field(description="A stable error code.", pattern="^[a-z][a-z0-9_]*$")
    message: str = Field(description="The correction to make; never a value of the request.")
    request_id: str = Field(description="The id of the request, as in the bridge's log.")


class Card(Answer):
    """One approval, ready to show and to decide."""

    approval_id: str
    document_type: str = Field(description="Coupa's class name of the document, such as `RequisitionHeader`.")
    document_id: str
    text: str = Field(
        description="The request to decide, in the markup of a notice (`b`, `i`, `br`, `a href`)."
    )
    link: str = Field(description="The address of the document in Coupa.")
    action_token: str = left_out(
        description=(
            "The right to decide this content. Absent if tokens are disabled, if the bridge "
            "cannot read the document now, or if the list has no tokens (`LIST_TOKENS`). A client "
            "shows buttons only if it is present."
        ),
    )
    age_days: int = left_out(
        description="Whole days since the person's turn began. Absent if Coupa does not state it.",
        ge=0,
    )
    need_by: date = left_out(description="The need-by date. Absent if nobody gave one.")


class Inbox(Answer):
    """The pending approvals of a person."""

    count: int = Field(
        description=(
            "Number of pending approvals that the bridge listed. Above 50 it includes approvals "
            "whose turn may not have come yet."
        ),
        ge=0,
    )
    is_complete: bool = Field(description="Whether the list is complete; if not, there are at least `count`.")
    unreadable: int = Field(
        description=(
            "Number of the `count` approvals that the bridge cannot read now. The list shows "
            "their type, number and link, as far as these are known and fit."
        ),
        ge=0,
    )
    message: str = Field(description="One sentence for the person.")
    approvals: list[Card] = Field(max_length=MAX_CARDS)


class PastDecision(Answer):
    """One decision of a person."""

    approval_id: str
    document_type: str
    document_id: str = left_out(description="Coupa's id of the document. Absent if unknown.")
    status: Literal["approved", "rejected", "on_hold"] = Field(description="Status of the approval.")
    decided_at: datetime = left_out(description="Time of the decision. Absent if Coupa does not state it.")
    made_in: Literal["chat", "coupa"]
    text: str = Field(description="One line for the person, in their language, without markup.")
    link: str = Field(json_schema_extra={"format": "uri"})


class History(Answer):
    """The decisions of a person."""

    count: int = Field(description="Number of known decisions of the last 30 days.", ge=0)
    is_complete: bool = Field(
        description=(
            "Whether the count is complete; if not, there are at least `count`. The bridge finds "
            "decisions that the person made in Coupa as a delegate or as a member of a group only "
            "while the person is one."
        )
    )
    message: str = Field(
        description="One sentence for the person; it names each source that could not be read."
    )
    decisions: list[PastDecision] = Field(max_length=20)


class _After(Answer):
    """The optional fields of the answer to a click."""

    content: str = left_out(description="With `changed`: the new content, as in a notice.")
    action_token: str = left_out(description="With `changed`: the action token of the new content.")
    link: str = left_out(
        description=(
            "The address of the document in Coupa; present if the person must decide or ask there, or if "
            "Coupa refuses the decision."
        ),
    )
    status: str = left_out(description="With `already_decided`: the status in Coupa.")
    decided_by: str = left_out(description="With `already_decided`: the decider, if Coupa states it.")
    decided_at: str = left_out(description="With `already_decided`: the time, as Coupa writes it.")
    document_status: str = left_out(description="After a decision on a requisition: its status in Coupa.")
    next_approver: str = left_out(description="After an approval: the next approver, if any.")


class Decision(_After):
    """The outcome of a click or a question."""

    outcome: str = Field(json_schema_extra={"enum": [*Outcome]})
    message: str = Field(description="One sentence for the person.")
    approval_id: str


class OneDecision(_After):
    """The outcome of one of several clicks."""

    approval_id: str
    outcome: str = left_out(description="As in the answer to one decision; absent with `error`.")
    error: str = left_out(
        description="A stable error code, if the approval was not decided; absent with `outcome`.",
        pattern="^[a-z][a-z0-9_]*$",
    )
    message: str = Field(description="One sentence for the person.")


class Decisions(Answer):
    """The outcomes of several clicks."""

    message: str = Field(description="One sentence for the person.")
    items: list[OneDecision] = Field(
        description="Outcome of each, in the order of the request.",
        min_length=1,
        max_length=MAX_AT_ONCE,
    )


class Accepted(Answer):
    """The outcome of a message."""

    accepted: int = Field(description="Number of recipients whose message Moveworks accepted.", ge=0)
    recipients: dict[str, Literal["accepted", "refused", "unknown", "not_sent"]] = Field(
        description="Result for each recipient, by e-mail address; a message with `unknown` may have arrived."
    )
