"""The parts that all rooms of a sweep share: the services, the tally of the sweep, and the ledger's rows."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, TypeVar

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.audit_log import AuditLog, Event, EventKind
from coupa_core.authority import Decider, Rules, TokenKeys
from coupa_core.cadence import Cadence
from coupa_core.clock import Clock, Deadline
from coupa_core.correlation import Correlation, current
from coupa_core.coupa import Coupa, FactReader
from coupa_core.directory import Directory
from coupa_core.errors import BridgeError, Conflict, ServiceError
from coupa_core.ledger import Entry, Lease, Ledger, State, failed, released
from coupa_core.notice import Notice, Style
from coupa_core.sweep.plan import Candidate
from coupa_core.sweep.shapes import ClosingNoticePolicy

R = TypeVar("R")

logger = logging.getLogger(__name__)


class FirstRunPolicy(StrEnum):
    """How the first sweep treats the approvals that waited before the bridge began."""

    ANNOUNCE = "announce"
    DIGEST = "digest"
    BASELINE = "baseline"


class Channel(Protocol):
    """The port to people's chat; each Moveworks channel implements it."""

    def free(self, within_s: float) -> int:
        """Return how many notices the allowed rate still takes within that many seconds."""
        ...

    def acquire(self, deadline: Deadline) -> bool:
        """Wait for the next send that the rate allows; return False at once where none is free in time."""
        ...

    def remember(self, seconds_ago: float) -> None:
        """Count a notice that another process sent."""
        ...

    def send(self, notice: Notice, deadline: Deadline) -> None:
        """Hand over a notice, once; returning means that Moveworks took it on.

        Raises:
            Refused: this notice is at fault; nothing was sent.
            Unavailable: nothing was sent, and it is not the notice's fault.
            Unknown: it may have been sent.
        """
        ...

    def probe(self, deadline: Deadline) -> None:
        """Check that Moveworks answers, without sending anything; raises `ServiceError` when it does not."""
        ...

    def close_idle(self) -> None:
        """Drop kept connections."""
        ...


@dataclass(frozen=True, kw_only=True)
class SweepDependencies:
    """The services and settings that a sweep uses.

    Attributes:
        coupa: where approvals are.
        facts: reads what Coupa knows beside a document.
        directory: looks up who may decide.
        rules: decide what each person can do in chat.
        channel: sends messages to people.
        ledger: the rows, one for each approval.
        audit_log: keeps an event for each message.
        keep_audit_days: how many days events are kept; 0 keeps them for ever.
        clock: the time.
        lease: of claims.
        keys: sign action tokens; None when tokens are off.
        style: of the notices.
        cadence: the hours at which people may be disturbed.
        closing_notice: which people learn that a card of theirs is out of date.
        tells_requester: the requester learns how the document ended.
        escalate_to: who receives escalations: `manager`, or an address.
        first_run: how the first sweep treats the backlog.
        full_list_minutes: how often a sweep reads the whole list of pending approvals, where it is not small.
        is_dry: the sweep sends nothing and records the messages that it would send.
        pilot: only these people receive messages.
        workers: how many claims and sends run at the same time; 1 runs them in order, without threads.
    """

    coupa: Coupa
    facts: FactReader
    directory: Directory
    rules: Rules
    channel: Channel
    ledger: Ledger
    audit_log: AuditLog
    keep_audit_days: int
    clock: Clock
    lease: Lease
    keys: TokenKeys | None
    style: Style
    cadence: Cadence
    closing_notice: ClosingNoticePolicy
    tells_requester: bool
    escalate_to: str
    first_run: FirstRunPolicy
    full_list_minutes: int
    is_dry: bool
    pilot: Audience = EVERYBODY
    workers: int = 25


@dataclass(frozen=True)
class Summary:
    """The result of a sweep.

    Attributes:
        is_complete: every page of pending approvals came, and the ledger answered to the end.
        failure: code of the first thing that went wrong, or empty.
        counts: by name, such as `seen`, `sent`, `unchanged`, `not_your_turn`, `no_recipient`, `parked`.
        duration_s: in seconds.
        sweep_id: identifies the sweep in its calls to the services.
    """

    is_complete: bool
    failure: str
    counts: dict[str, int]
    duration_s: float
    sweep_id: str = ""

    def __str__(self) -> str:
        """Write one line for the log."""
        numbers = " ".join(f"{name}={number}" for name, number in sorted(self.counts.items()) if number)
        outcome = "complete" if self.is_complete else "incomplete"
        failure = f" failure={self.failure}" if self.failure else ""
        name = f" sweep_id={self.sweep_id}" if self.sweep_id else ""
        return f"sweep {outcome}{failure} duration_s={self.duration_s:.1f}{name} {numbers}".rstrip()


class Progress:
    """The running tally of one sweep; safe to use from several threads."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._clock = clock
        self._began_s = clock.monotonic()
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._misses = 0
        self.deadline = Deadline(clock, seconds)
        self.failure = ""
        self.is_watched = False
        """The messages that are still owed have been counted."""
        self.is_over = False
        """A failure ended the sweep: it claims and sends nothing more."""
        self.has_stopped_sending = False
        """A failure ended all sending; work that needs no message goes on."""

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count."""
        with self._lock:
            self._counts[name] += number

    def record_failure(self, failure: BridgeError) -> None:
        """Remember the first failure, and log each one with its code and cause."""
        with self._lock:
            self.failure = self.failure or failure.code
        logger.warning("sweep hampered code=%s cause=%s", failure.code, failure)

    def abort(self, failure: BridgeError) -> None:
        """Begin nothing more in this sweep."""
        self.is_over = True
        self.record_failure(failure)

    def stop_sending(self, failure: BridgeError) -> None:
        """Send nothing more in this sweep."""
        self.has_stopped_sending = True
        self.record_failure(failure)

    def record_missed_row(self, failure: ServiceError) -> bool:
        """Record that the store did not take one row; the second time means that the store is down.

        Returns:
            Whether the row itself is at fault (400, 413): such a row waits, and the sweep goes on.
        """
        is_of_the_row = failure.status in (400, 413)
        with self._lock:
            self._misses += not is_of_the_row
            is_down = self._misses > 1
        self.count("rows_missed")
        if is_down:
            self.abort(failure)
        else:
            self.record_failure(failure)
        return is_of_the_row

    def counts(self) -> dict[str, int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)

    def summary(self, under: Correlation, *, is_complete: bool) -> Summary:
        """Return the result of the sweep, with the calls that it made."""
        duration_s = self._clock.monotonic() - self._began_s
        return Summary(is_complete, self.failure, self.counts() | under.counts(), duration_s, under.id)


class SweepRows:
    """The ledger's rows in one sweep, and their events; safe to use from several threads."""

    def __init__(self, deps: SweepDependencies, progress: Progress) -> None:
        self._deps = deps
        self._progress = progress
        self._events: list[Event] = []
        self.written: dict[int, Entry | None] = {}
        """The rows that this sweep wrote, by approval id, as it left them; None for one that it closed."""
        self.lost: set[int] = set()
        """Rows that another process wrote first, or that the store refuses because of their content."""
        self.missed: set[int] = set()
        """Rows whose last write has an unknown outcome."""

    def claim(self, candidate: Candidate) -> Entry | None:
        """Claim an approval; None when another process has it, or the store does not answer."""
        if self._progress.is_over:
            return None
        deps, number = self._deps, candidate.approval.id
        try:
            fresh = candidate.entry or deps.ledger.begin(number)
            kind, document = candidate.approval.document_key
            if fresh.document_id is None and document is not None:
                # Even if this claim comes to nothing, the next sweep knows the document.
                fresh = replace(fresh, document_type=kind, document_id=document)
            entry = deps.ledger.claim(fresh, approval_id=number, now=deps.clock.now(), lease=deps.lease)
        except Conflict as conflict:
            logger.warning("claim failed approval_id=%d cause=%s", number, conflict)
            entry = None
        except ServiceError as failure:
            self._miss(number, failure)
            return None
        if entry is None:
            self._lose(number)
        else:
            self.written[number] = entry
        return entry

    def commit(self, entry: Entry) -> Entry | None:
        """Write a row and raise an alarm when it is parked; None when another process wrote first.

        Raises:
            ServiceError: the store does not answer.
        """
        stored = self._deps.ledger.commit(entry)
        if stored is None:
            logger.warning("row changed by another approval_id=%d", entry.approval_id)
            self._lose(entry.approval_id)
            return None
        self.written[entry.approval_id] = stored
        if stored.state is State.PARKED:
            self._progress.count("parked")
            logger.error("approval parked approval_id=%d cause=%s", entry.approval_id, entry.cause)
        return stored

    def try_commit(self, entry: Entry) -> None:
        """End a claim, if the store answers; otherwise the lease ends it."""
        try:
            self.commit(entry)
        except ServiceError as failure:
            self._miss(entry.approval_id, failure)

    def give_back(self, entry: Entry, cause: str) -> None:
        """End the claim without counting against the approval."""
        self._progress.count("released")
        self.try_commit(released(entry, cause=cause, now=self._deps.clock.now()))

    def undo(self, entry: Entry, before: Entry) -> None:
        """End the claim and restore the row as it was read."""
        self.try_commit(replace(before, etag=entry.etag))

    def fail(self, entry: Entry, failure: ServiceError) -> None:
        """End the claim of an unreadable approval, and count the failure if the approval caused it."""
        if not failure.may_be_of_one:
            self.give_back(entry, failure.code)
            return
        self._progress.count("unread")
        self._progress.record_failure(failure)
        self.try_commit(failed(entry, cause=failure.code, now=self._deps.clock.now()))

    def isolate_errors(self, entry: Entry, work: Callable[[], R]) -> R | None:
        """Work on one approval; an error affects this approval only, and the result is None."""
        try:
            return work()
        except ServiceError as failure:
            self._miss(entry.approval_id, failure)  # nothing is sent without a record
        except Exception:
            # One bad record must never block the others.
            logger.exception("approval spoiled approval_id=%d", entry.approval_id)
            self._progress.count("spoiled")
            self.try_commit(failed(entry, cause="internal", now=self._deps.clock.now()))
        return None

    def close(self, entry: Entry) -> None:
        """Move a row to the closed rows.

        Raises:
            ServiceError: the store does not answer.
        """
        if self._deps.ledger.close(entry, cause=entry.cause, now=self._deps.clock.now()):
            self._progress.count("closed")
            self.written[entry.approval_id] = None
        else:
            self._lose(entry.approval_id)

    def _lose(self, number: int) -> None:
        self._progress.count("lost_race")
        self.lost.add(number)

    def _miss(self, number: int, failure: ServiceError) -> None:
        (self.lost if self._progress.record_missed_row(failure) else self.missed).add(number)

    # ------------------------------------------------------------------ the audit log

    def note(self, entry: Entry, kind: EventKind, **details: str) -> None:
        """Keep an event for the audit log, with the id of the sweep."""
        sweep = current()
        self._events.append(
            Event(
                kind=kind,
                at=self._deps.clock.now(),
                approval_id=entry.approval_id,
                document_type=entry.document_type,
                document_id=entry.document_id,
                generation=entry.generation,
                request_id=sweep.id if sweep else "",
                **details,
            )
        )

    def note_notice(self, entry: Entry, person: Decider, **details: str) -> None:
        """Keep an event for the outcome of a notice to one person."""
        self.note(entry, EventKind.NOTICE, actor=person.address, capacity=person.capacity, **details)

    def note_rights(self, before: Entry, after: Entry) -> None:
        """Keep an event where the deciders have changed since the row was written."""
        added, removed = after.told.keys() - before.told.keys(), before.told.keys() - after.told.keys()
        if before.told and (added or removed):
            changes = [f"+{key}" for key in sorted(added)] + [f"-{key}" for key in sorted(removed)]
            self.note(after, EventKind.RIGHTS, outcome="changed", cause=" ".join(changes))

    def record(self) -> None:
        """Write the events after the rows: a row that is written late could repeat a message."""
        events, self._events = self._events, []
        if events and not self._deps.audit_log.record(events, required=False):
            self._progress.count("audit_lost", len(events))
