"""The answers to operators."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from openapi.schema import Answer, left_out


class PendingCount(Answer):
    """The number of pending approvals in Coupa."""

    total: int = Field(description="Approvals that Coupa lists now.")
    accounted: int
    unaccounted: int
    is_complete: bool = Field(description="Every page came.")
    failure: str = Field(description="Code of what ended the list early, or empty.")
    unreadable: int = Field(description="Records without a usable id.")
    median_s: float = left_out(description="Of the time that they have waited at least.")
    p95_s: float = left_out()
    longest_s: float = left_out()


class Group(Answer):
    """The approvals in one list with one cause."""

    place: str
    cause: str = Field(description="A code such as `not_your_turn`, or empty.")
    count: int
    median_s: float = left_out(description="Of the time that they have waited at least.")
    p95_s: float = left_out()
    longest_s: float = left_out()


class Standing(Answer):
    """The state of one approval."""

    approval_id: str
    place: str = Field(description="The list it belongs to.")
    cause: str = left_out()
    document_type: str = left_out()
    document_id: str = left_out()
    asked: str = left_out(description="Whom Coupa asks: `user:<id>` or `group:<id>`.")
    told: list[str] = left_out(description="Who was told, by `user:<id>`.")
    sent_at: datetime = left_out()
    next_at: datetime = left_out()
    lease_until: datetime = left_out()
    age_s: int = Field(description="Seconds that it has waited at least.")


class Reading(Answer):
    """The progress through the list of pending approvals."""

    began_at: datetime | None
    calls: int | None = Field(description="Pages that came.")
    left: int | None = Field(description="Approvals on them that nobody could be told of yet.")
    unread: int = Field(description="Ranges of ids that are still to be read; 0 when it was read to its end.")
    failed: int = Field(description="Ranges of ids of which Coupa gave no list.")
    missed: int = Field(description="Approvals that only this list showed, because Coupa's stamps did not.")
    distrusted_until: datetime | None = Field(
        description="Until then every sweep reads the list, because of these."
    )


class Owed(Answer):
    """The overdue messages."""

    count: int
    oldest_s: int = Field(description="For how long the oldest waits, in seconds.")
    causes: dict[str, int] = Field(description="How many for each cause; `no_row` was not come to yet.")
    since: dict[str, datetime] = Field(
        description=(
            "Since when there is each cause and nothing of it goes out; `no_list` where not "
            "everything could be looked at."
        )
    )
    stuck: list[str] = Field(
        description="The causes of 15 minutes and more: health is red, and there is an alert."
    )


class Pilot(Answer):
    """The pilot, and the approvals that wait for it."""

    is_on: bool = Field(description="Only the people of `PILOT` are told anything.")
    waiting: int = Field(
        description=(
            "Approvals that wait for nothing but that it names others or is empty. Where "
            "somebody inside is still to be told (their hours, `DRY_RUN`, a failure), that cause "
            "stands in `groups`, and others may wait beside them."
        )
    )


class Round(Answer):
    """The progress of an operator's repeat."""

    asked_at: datetime
    approvals: int = Field(description="Of how many somebody was to be told again then.")
    left: int = Field(
        description=(
            "Of how many somebody is still to be told again, at this word or an earlier one, "
            "whatever they wait for: the allowed rate, their hours, PILOT, DRY_RUN."
        )
    )
    is_complete: bool = Field(
        description=(
            "False where not everybody could be looked up in Coupa: `left` then counts all who may be meant."
        )
    )


class Rates(Answer):
    """The rate at Moveworks."""

    moveworks_per_minute: int = Field(description="Our share of Moveworks' rate.")
    used_last_minute: int = Field(description="As far as the ledger's open rows know.")
    left: int


class Limits(Answer):
    """The limits of the Functions host."""

    max_concurrent: int | None = left_out(description="Requests that are handed on at once.")
    max_outstanding: int | None = left_out(description="Requests that are let in; one more is answered 429.")
    function_timeout_s: float | None = left_out(description="Seconds after which a call ends the worker.")
    threads: int = left_out(description="Threads of the worker.")


class Status(Answer):
    """The state of the bridge and of all approvals."""

    is_healthy: bool
    is_proved: bool = Field(
        description=(
            "Coupa listed everything, nothing older than 15 minutes is without a row, and "
            "nothing has been owed for so long."
        )
    )
    pending: PendingCount
    unaccounted: list[str] = Field(
        description="Ids of approvals that should have been seen and were not; at most 100."
    )
    groups: list[Group] = Field(description="How many stand where, and why.")
    lists: dict[str, list[Standing]] = left_out(
        description=(
            "At most 100 of each, oldest first, by place: announced, claimed, retry, waiting, "
            "parked, decided, gone, not_seen_yet, row_unreadable, unaccounted."
        ),
    )
    approvals: list[Standing] = left_out(
        description="With `full`, all of them in the order of ids, at most 5000."
    )
    next_after: str | None = left_out(description="With `full`, `after` of the next page; null on the last.")
    last_complete_at: datetime | None = left_out()
    last_sweep_at: datetime | None = left_out()
    last_began_at: datetime | None = left_out(description="When the last sweep began.")
    last_version: str = left_out(
        description=(
            "The release whose sweep it was: the version, and where it was packed from a commit, the commit."
        ),
    )
    reading: Reading = left_out(
        description=(
            "How far the list of everything that waits was read when the last sweep ended. It is "
            "read in parts, besides what changed."
        ),
    )
    paused_until: datetime | None = left_out()
    is_moveworks_suspect: bool = left_out(description="The last send did not come back clean.")
    failure: str = Field(description="Code of what ended the last sweep early, or empty.")
    counts: dict[str, int] = Field(description="What the last sweep saw and did, by name.")
    owed: Owed = Field(
        description=(
            "Pending approvals of which somebody should have been told and was not, at the last "
            "sweep's end. What waits for its turn or hour, or is parked, is not among them."
        )
    )
    pilot: Pilot
    repeat: Round | None = Field(description="The last word of an operator that people are told again.")
    rates: Rates
    versions: dict[str, str] = Field(description="Of the package and of the ledger's rows.")
    limits: Limits = Field(
        description=(
            "What the host lets in at once and for how long, in each instance; null for without "
            "a limit, and empty where that cannot be read."
        )
    )


class Wait(Answer):
    """The waits of approvals of one kind in one week."""

    week: str = Field(description="ISO 8601, UTC, of the end of the wait.")
    document_type: str
    approver: str = Field(
        description=("Who was asked: `user:<id>` or `group:<id>`; empty where only the audit record is left.")
    )
    count: int
    median_s: float
    p95_s: float
    longest_s: float


class CycleTimes(Answer):
    """The waits of approvals."""

    from_: date = Field(alias="from")
    to: date
    is_complete: bool = Field(description="The whole audit record of these days was read.")
    rows: list[Wait]


class Changed(Answer):
    """A row after an operator's action."""

    approval_id: str
    state: Literal["retry", "waiting"]
    cause: str
    next_at: datetime | None = Field(description="From when on a sweep looks at it.")


class Repeat(Answer):
    """The effect of an operator's repeat."""

    approvals: int = Field(description="Of how many approvals somebody who is meant is told again.")
    waiting_for_pilot: int = Field(
        description="Of how many of them somebody is told only when PILOT names them, or is empty."
    )
    nothing_for: list[str] = Field(
        description="Who of `people` has nothing to be told again, as it is compared: perhaps misspelt.",
        max_length=100,
    )
    asked_at: datetime = Field(description="What was told before is told again.")
    is_new: bool = Field(description="False where the same Idempotency-Key asked for it before.")
