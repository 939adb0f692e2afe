"""The ledger's rows in one sweep, and their events: every claim and write of a sweep goes through here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from coupa_core.audit_log import Event, EventKind
from coupa_core.authority import Decider
from coupa_core.correlation import current
from coupa_core.errors import Conflict, ServiceError
from coupa_core.ledger import Entry, State, failed, released
from coupa_core.sweep.dependencies import SweepDependencies
from coupa_core.sweep.plan import Candidate
from coupa_core.sweep.progress import Progress

R = TypeVar("R")

logger = logging.getLogger(__name__)


class SweepRows:
    """The ledger's rows in one sweep, and their events; safe to use from several threads."""

    def __init__(self, deps: SweepDependencies, progress: Progress) -> None:
        self._deps = deps
        self._progress = progress
        self._events: list[Event] = []
        self.written: dict[int, Entry | None] = {}
        """The rows after the writes of this sweep, by approval id; None for one that it closed."""
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
                # Even if this claim has no result, the next sweep knows the document.
                fresh = replace(fresh, document_type=kind, document_id=document)
            entry = deps.ledger.claim(fresh, approval_id=number, now=deps.clock.now(), lease=deps.lease)
        except Conflict as conflict:
            logger.warning("claim failed approval_id=%d cause=%s", number, conflict)
            entry = None
        except ServiceError as failure:
            self._note_missed(number, failure)
            return None
        if entry is None:
            self._note_lost(number)
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
            self._note_lost(entry.approval_id)
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
            self._note_missed(entry.approval_id, failure)

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
            self._note_missed(entry.approval_id, failure)  # nothing is sent without a record
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
            self._note_lost(entry.approval_id)

    def _note_lost(self, number: int) -> None:
        self._progress.count("lost_race")
        self.lost.add(number)

    def _note_missed(self, number: int, failure: ServiceError) -> None:
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
