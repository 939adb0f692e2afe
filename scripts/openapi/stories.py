"""The answer to operators about one approval: its history, and its row."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from openapi.schema import Answer, left_out


class PersonTold(Answer):
    """The state of one person."""

    version: str = left_out(description="Fingerprint of what they were shown.")
    to: str = left_out(description="Whom Coupa asked then: `user:<id>` or `group:<id>`.")
    at: datetime = left_out()
    since: datetime = left_out(
        description="When they were first told of it in this round, of whatever version."
    )
    reminders: int = left_out()
    reminded_at: datetime = left_out()
    refusals: int = left_out(description="How often Moveworks refused what is to be said to them.")
    retry_at: datetime = left_out()


class OpenQuestion(Answer):
    """One open question."""

    by: str = left_out(description="Who asks, as `user:<id>`.")
    of: str = left_out(description="Who is to answer, as `user:<id>`.")
    on: int = left_out(description="Id of the record that has the comment.")
    is_put: bool = left_out(description="The person who is to answer was told in chat, or cannot be.")


class Row(Answer):
    """A row of the ledger without private fields."""

    approval_id: str = left_out()
    document_id: str = left_out()
    state: Literal["claimed", "sent", "retry", "waiting", "parked", "decided", "closed"]
    document_type: str = left_out()
    generation: int = left_out(description="Which round it is.")
    seen_approval: str = left_out(description="Coupa's time of the last change that was looked at.")
    seen_document: str = left_out(description="The same of the document.")
    wanted_by: list[date] = left_out(
        description="The days by which a decision is wanted, as the document had them then."
    )
    told: dict[str, PersonTold] = left_out(
        description="Who may decide, by `user:<id>`, and what each was told; empty for nobody yet."
    )
    sent_to: str = left_out(description="Whom Coupa asked then: `user:<id>` or `group:<id>`.")
    first_told_at: datetime = left_out()
    attempted_at: datetime = left_out()
    lease_until: datetime = left_out()
    next_at: datetime = left_out()
    failures: int = left_out(description="How often it could not be read or worked on.")
    uncertain: int = left_out()
    cause: str = left_out(description="Code of the last failure.")
    decision: str = left_out()
    decided_at: datetime = left_out()
    closed_at: datetime = left_out()
    due_at: datetime = left_out(description="When the next digest tells of it; nobody is told before.")
    escalated_at: datetime = left_out(description="When somebody else was told of this wait.")
    reach: str = left_out(description="A mark of whom messages reached when it was last judged.")
    ended_as: str = left_out(description="How the approval ended, while somebody is still to be told so.")
    farewell: dict[str, str] = left_out(
        description="Who is still to be told that a card of theirs is dead, by `user:<id>`, and as what.",
    )
    questions: dict[str, OpenQuestion] = left_out(
        description="What was asked about it and not answered, by the ids of the comments in Coupa."
    )


class Event(Answer):
    """One sentence about the past or the present."""

    at: datetime | None = Field(description="When that was; null for what holds now.")
    text: str = Field(description="One sentence.")


class Trace(Answer):
    """The history of one approval."""

    approval_id: str
    story: list[Event]
    row: Row = left_out()
