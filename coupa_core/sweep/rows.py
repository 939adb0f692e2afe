"""The ledger's rows in one sweep: claimed, committed, given back, and what is recorded of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from coupa_core.authority import Decider
from coupa_core.correlation import current
from coupa_core.errors import Conflict, ServiceError
from coupa_core.journal import Event, Kind
from coupa_core.ledger import Entry, State, failed, released
from coupa_core.sweep.plan import Look
from coupa_core.sweep.ports import Kit
from coupa_core.sweep.progress import Progress

R = TypeVar("R")

logger = logging.getLogger(__name__)


class Rows:
    """The rows; safe to use from several threads."""

    def __init__(self, kit: Kit, progress: Progress) -> None:
        self._kit = kit
        self._progress = progress
        self._events: list[Event] = []
        self.written: dict[int, Entry] = {}
        """The rows that this sweep wrote, by approval id, as it left them."""

    def claim(self, look: Look) -> Entry | None:
        """Claim an approval; None when somebody else has it, or the store does not answer."""
        return self.claim_row(look.entry, look.approval.id)

    def claim_row(self, row: Entry | None, number: int) -> Entry | None:
        """Claim an approval by its row as it was read."""
        if self._progress.is_over:
            return None
        kit = self._kit
        try:
            entry = kit.ledger.claim(row, approval_id=number, now=kit.clock.now(), lease=kit.lease)
        except Conflict as conflict:
            logger.warning("claim failed approval_id=%d cause=%s", number, conflict)
            entry = None
        except ServiceError as failure:
            self._progress.miss(failure)
            return None
        if entry is None:
            self._progress.count("lost_race")
        else:
            self.written[number] = entry
        return entry

    def commit(self, entry: Entry) -> Entry | None:
        """Write a row; None when somebody else wrote first, and an alarm when it was set aside.

        Raises:
            ServiceError: the store does not answer.
        """
        stored = self._kit.ledger.commit(entry)
        if stored is not None:
            self.written[entry.approval_id] = stored
        if stored is None:
            logger.warning("row changed by another approval_id=%d", entry.approval_id)
            self._progress.count("lost_race")
        elif stored.state is State.PARKED:
            self._progress.count("parked")
            logger.error("approval parked approval_id=%d cause=%s", entry.approval_id, entry.cause)
        return stored

    def give_back(self, entry: Entry, cause: str) -> None:
        """End the claim without counting against the approval; if even that fails, its lease ends it."""
        self._progress.count("released")
        try:
            self.commit(released(entry, cause=cause, now=self._kit.clock.now()))
        except ServiceError as failure:
            self._progress.miss(failure)

    def fail(self, entry: Entry, failure: ServiceError) -> None:
        """End the claim of what could not be read: counted where it is at fault itself."""
        if not failure.may_be_of_one:
            self.give_back(entry, failure.code)
            return
        self._progress.count("unread")
        self._progress.hamper(failure)
        try:
            self.commit(failed(entry, cause=failure.code, now=self._kit.clock.now()))
        except ServiceError as error:
            self._progress.miss(error)

    def guarded(self, entry: Entry, work: Callable[[], R]) -> R | None:
        """Do something for one approval; whatever goes wrong stays with this one, and returns None."""
        try:
            return work()
        except ServiceError as failure:
            self._progress.miss(failure)  # what cannot be recorded is not sent
            return None
        except Exception:
            # One bad record must never block the others, whatever is wrong with it.
            logger.exception("approval spoiled approval_id=%d", entry.approval_id)
            self._progress.count("spoiled")
        try:
            self.commit(failed(entry, cause="internal", now=self._kit.clock.now()))
        except ServiceError as failure:
            self._progress.miss(failure)
        return None

    def close(self, entry: Entry, cause: str) -> None:
        """Move a row to the closed ones.

        Raises:
            ServiceError: the store does not answer.
        """
        is_closed = self._kit.ledger.close(entry, cause=cause, now=self._kit.clock.now())
        self._progress.count("closed" if is_closed else "lost_race")

    # ------------------------------------------------------------------ the audit record

    def note(self, entry: Entry, kind: Kind, **said: str) -> None:
        """Keep an event for the audit record, with the id of the sweep."""
        sweep = current()
        self._events.append(
            Event(
                kind=kind,
                at=self._kit.clock.now(),
                approval_id=entry.approval_id,
                document_type=entry.document_type,
                document_id=entry.document_id,
                generation=entry.generation,
                request_id=sweep.id if sweep else "",
                **said,
            )
        )

    def note_notice(self, entry: Entry, person: Decider, **said: str) -> None:
        """Keep what became of a notice to somebody."""
        self.note(entry, Kind.NOTICE, actor=person.address, capacity=person.capacity, **said)

    def note_rights(self, before: Entry, after: Entry) -> None:
        """Keep that other people may decide than when the row was written."""
        added, removed = after.told.keys() - before.told.keys(), before.told.keys() - after.told.keys()
        if before.told and (added or removed):
            changes = [f"+{key}" for key in sorted(added)] + [f"-{key}" for key in sorted(removed)]
            self.note(after, Kind.RIGHTS, outcome="changed", cause=" ".join(changes))

    def record(self) -> None:
        """Write the events, after the marks: a late mark could repeat a message."""
        events, self._events = self._events, []
        if events and not self._kit.journal.record(events, required=False):
            self._progress.count("audit_lost", len(events))
