"""The answers to operators."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from openapi.schema import Answer, left_out


class PendingCount(Answer):
    """The number of pending approvals in Coupa."""

    total: int = Field(description="Number of approvals that Coupa lists now.")
    accounted: int
    unaccounted: int
    is_complete: bool = Field(description="Whether the bridge got every page.")
    failure: str = Field(description="Code of the failure that ended the list early, or empty.")
    unreadable: int = Field(description="Number of records without a usable id.")
    median_s: float = left_out(description="Median of the minimum waits, in seconds.")
    p95_s: float = left_out(description="95th percentile of the minimum waits, in seconds.")
    longest_s: float = left_out(description="Longest minimum wait, in seconds.")


class Group(Answer):
    """The approvals in one list with one cause."""

    place: str
    cause: str = Field(description="A code such as `not_your_turn`, or empty.")
    count: int
    median_s: float = left_out(description="Median of the minimum waits, in seconds.")
    p95_s: float = left_out(description="95th percentile of the minimum waits, in seconds.")
    longest_s: float = left_out(description="Longest minimum wait, in seconds.")


class Standing(Answer):
    """The state of one approval."""

    approval_id: str
    place: str = Field(description="The list that has the approval.")
    cause: str = left_out()
    document_type: str = left_out()
    document_id: str = left_out()
    asked: str = left_out(description="The approver: `user:<id>` or `group:<id>`.")
    told: list[str] = left_out(description="The people who were told, as `user:<id>`.")
    sent_at: datetime = left_out()
    next_at: datetime = left_out()
    lease_until: datetime = left_out()
    age_s: int = Field(description="Minimum wait of the approval, in seconds.")


class Reading(Answer):
    """The progress through the list of pending approvals."""

    began_at: datetime | None
    calls: int | None = Field(description="Number of pages that Coupa returned.")
    left: int | None = Field(description="Number of approvals on these pages that have no row yet.")
    unread: int = Field(description="Number of ranges of ids still to read; 0 at the end of the list.")
    failed: int = Field(description="Number of ranges of ids that Coupa did not list.")
    missed: int = Field(
        description="Number of approvals that only this list showed: Coupa's stamps are older."
    )
    distrusted_until: datetime | None = Field(
        description="Until then every sweep reads the list, because of missed approvals."
    )


class Owed(Answer):
    """The overdue messages."""

    count: int
    oldest_s: int = Field(description="Age of the oldest one, in seconds.")
    causes: dict[str, int] = Field(
        description="Number for each cause; `no_row`: no sweep has reached the approval yet."
    )
    since: dict[str, datetime] = Field(
        description=(
            "Time since which no message of a cause was sent, by cause; `no_list`: the bridge could "
            "not check every approval."
        )
    )
    stuck: list[str] = Field(
        description="The causes that are 15 minutes old or older: `health` answers 503, and an alert fires."
    )


class Pilot(Answer):
    """The pilot, and the approvals that wait for it."""

    is_on: bool = Field(description="Whether only the people of `PILOT` receive messages.")
    waiting: int = Field(
        description=(
            "Number of approvals whose remaining recipients are all outside of the pilot. If a "
            "recipient inside is still to be told (quiet hours, `DRY_RUN`, a failure), `groups` has "
            "that cause, and recipients outside may wait too."
        )
    )


class RepeatProgress(Answer):
    """The progress of an operator's repeat."""

    asked_at: datetime
    approvals: int = Field(description="Number of approvals that the request concerned.")
    left: int = Field(
        description=(
            "Number of approvals with a notice still to repeat, by this request or an earlier one, "
            "for any cause: the allowed rate, quiet hours, PILOT, DRY_RUN."
        )
    )
    is_complete: bool = Field(
        description=(
            "False if the bridge could not look up every person in Coupa: `left` then counts all "
            "who may be concerned."
        )
    )


class Rates(Answer):
    """The rate at Moveworks."""

    moveworks_per_minute: int = Field(description="The bridge's share of Moveworks' rate.")
    used_last_minute: int = Field(
        description="Messages of the last minute, according to the ledger's open rows."
    )
    left: int


class Limits(Answer):
    """The limits of the Functions host."""

    max_concurrent: int | None = left_out(description="Number of requests that run at once.")
    max_outstanding: int | None = left_out(
        description="Number of requests that the host accepts; it answers further ones with 429."
    )
    function_timeout_s: float | None = left_out(
        description="Seconds after which the host ends a call, and the worker with it."
    )
    threads: int = left_out(description="Number of threads of the worker.")


class Status(Answer):
    """The state of the bridge and of all approvals."""

    is_healthy: bool
    is_proved: bool = Field(
        description=(
            "Coupa listed every approval, every approval older than 15 minutes has a row, and no "
            "message has been owed for that long."
        )
    )
    pending: PendingCount
    unaccounted: list[str] = Field(
        description="Ids of approvals that the bridge should have seen and has not; at most 100."
    )
    groups: list[Group] = Field(description="Number of approvals for each list and cause.")
    lists: dict[str, list[Standing]] = left_out(
        description=(
            "At most 100 approvals of each list, oldest first, by place: announced, claimed, retry, waiting, "
            "parked, decided, gone, not_seen_yet, row_unreadable, unaccounted."
        ),
    )
    approvals: list[Standing] = left_out(description="With `full`: all approvals by id, at most 5000.")
    next_after: str | None = left_out(description="With `full`: `after` of the next page; null on the last.")
    last_complete_at: datetime | None = left_out()
    last_sweep_at: datetime | None = left_out()
    last_began_at: datetime | None = left_out(description="Time at which the last sweep began.")
    last_version: str = left_out(
        description=(
            "The release that ran the last sweep: its version, and its commit if it was packed from one."
        ),
    )
    reading: Reading = left_out(
        description=(
            "Progress through the list of all pending approvals at the end of the last sweep. The "
            "sweeps read this list in parts, besides the changes."
        ),
    )
    paused_until: datetime | None = left_out()
    is_moveworks_suspect: bool = left_out(
        description="Whether the last send failed or has an unknown outcome."
    )
    failure: str = Field(description="Code of the failure that ended the last sweep early, or empty.")
    counts: dict[str, int] = Field(description="Counts of the last sweep, by name.")
    owed: Owed = Field(
        description=(
            "Pending approvals with an overdue message at the end of the last sweep. Approvals that "
            "wait for their turn or hour, and parked ones, do not count."
        )
    )
    pilot: Pilot
    repeat: RepeatProgress | None = Field(description="The last repeat that an operator requested.")
    rates: Rates
    versions: dict[str, str] = Field(description="Versions of the package and of the ledger's rows.")
    limits: Limits = Field(
        description=(
            "Limits of concurrency and duration in each instance of the host; null means no limit, "
            "and an empty object means that they cannot be read."
        )
    )


class Wait(Answer):
    """The waits of approvals of one kind in one week."""

    week: str = Field(description="ISO 8601 week of the end of the wait, UTC.")
    document_type: str
    approver: str = Field(
        description="The approver: `user:<id>` or `group:<id>`; empty if only the audit log is left."
    )
    count: int
    median_s: float
    p95_s: float
    longest_s: float


class CycleTimes(Answer):
    """The waits of approvals."""

    from_: date = Field(alias="from")
    to: date
    is_complete: bool = Field(description="Whether the bridge read the whole audit log of these days.")
    rows: list[Wait]


class Changed(Answer):
    """A row after an operator's action."""

    approval_id: str
    state: Literal["retry", "waiting"]
    cause: str
    next_at: datetime | None = Field(description="Time from which a sweep processes the row.")


class Repeat(Answer):
    """The effect of an operator's repeat."""

    approvals: int = Field(description="Number of approvals with a notice to repeat.")
    waiting_for_pilot: int = Field(
        description="Number of them with a recipient outside of PILOT, who has to wait."
    )
    nothing_for: list[str] = Field(
        description="Entries of `people` that match nobody who was told, as compared: check the spelling.",
        max_length=100,
    )
    asked_at: datetime = Field(description="Time of the request; the sweeps repeat earlier notices only.")
    is_new: bool = Field(description="False if an earlier call had the same Idempotency-Key.")
