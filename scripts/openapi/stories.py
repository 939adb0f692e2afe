"""The answer to operators about one approval: its history, and its row."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from openapi.schema import Answer, left_out


class PersonTold(Answer):
    """The state of one person."""

    version: str = left_out(description="Name of the version that the person was shown.")
    to: str = left_out(description="The approver at that time: `user:<id>` or `group:<id>`.")
    at: datetime = left_out()
    since: datetime = left_out(
        description="Time of the first notice to the person in this round, of any version."
    )
    reminders: int = left_out()
    reminded_at: datetime = left_out()
    refusals: int = left_out(description="Number of messages to the person that Moveworks refused.")
    retry_at: datetime = left_out()


class OpenQuestion(Answer):
    """One open question."""

    by: str = left_out(description="The person who asks, as `user:<id>`.")
    of: str = left_out(description="The person who should answer, as `user:<id>`.")
    on: int = left_out(description="Id of the document in Coupa that has the comment.")
    is_put: bool = left_out(
        description="Whether the person who should answer was told in chat, or cannot be told."
    )


class Row(Answer):
    """A row of the ledger without private fields."""

    approval_id: str = left_out()
    document_id: str = left_out()
    state: Literal["claimed", "sent", "retry", "waiting", "parked", "decided", "closed"]
    document_type: str = left_out()
    generation: int = left_out(description="The round: the number of times that the approval came back.")
    seen_approval: str = left_out(description="Coupa's `updated-at` of the approval at the last check.")
    seen_document: str = left_out(description="Coupa's `updated-at` of the document at the last check.")
    wanted_by: list[date] = left_out(description="The days by which a decision was wanted at the last check.")
    told: dict[str, PersonTold] = left_out(
        description="State of each decider, by `user:<id>`; empty for a decider without a notice."
    )
    sent_to: str = left_out(description="The approver at that time: `user:<id>` or `group:<id>`.")
    first_told_at: datetime = left_out()
    attempted_at: datetime = left_out()
    lease_until: datetime = left_out()
    next_at: datetime = left_out()
    failures: int = left_out(description="Number of failed attempts to read or process the approval.")
    uncertain: int = left_out()
    cause: str = left_out(description="Code of the last failure.")
    decision: str = left_out()
    decided_at: datetime = left_out()
    closed_at: datetime = left_out()
    due_at: datetime = left_out(description="Time of the digest for which a new approval waits.")
    escalated_at: datetime = left_out(description="Time of the escalation of this wait.")
    reach: str = left_out(description="Mark of the reach at the last judgement of the approval.")
    ended_as: str = left_out(description="Ending of the approval, while a closing notice is owed.")
    farewell: dict[str, str] = left_out(
        description="Reasons of the closing notices that are owed, by `user:<id>` of the reader.",
    )
    questions: dict[str, OpenQuestion] = left_out(
        description="The open questions about the approval, by the ids of their comments in Coupa."
    )


class Event(Answer):
    """One sentence about the past or the present."""

    at: datetime | None = Field(description="Time of the event; null for the present state.")
    text: str = Field(description="One sentence.")


class Trace(Answer):
    """The history of one approval."""

    approval_id: str
    story: list[Event]
    row: Row = left_out()
