"""Read Coupa for one sweep: the changes since the last one, and a part of the list of pending approvals.

Coupa's stamps show the changes, in any status; they cost calls for changed approvals only. The list is read
part by part over several sweeps and needs no stamp: it shows approvals that are gone, and checks the stamps.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from coupa_core.errors import ServiceError
from coupa_core.ledger import STOPPED, Entry, Reading, Status
from coupa_core.model import ALL_IDS, Approval, IdRange, Page, stamp
from coupa_core.parallel import map_parallel
from coupa_core.ranges import Ranges
from coupa_core.sweep.dependencies import SweepDependencies
from coupa_core.sweep.edits import OVERLAP, EditReads
from coupa_core.sweep.plan import Candidate, Plan
from coupa_core.sweep.progress import Progress
from coupa_core.sweep.questions import comment_places

READING_S = 25.0
"""The most seconds of a sweep for reading the list; the other half is for sending."""

CHANGES_S = 10.0
"""The most of these seconds for changes."""

CHANGES_PAGES = 20
"""Pages of changed approvals in one sweep; beyond that, the list has the older ones."""

ANSWERS_S = 5.0
"""The most of these seconds for answers to questions."""

EDITS_CALLS = 4
"""Calls about edited documents in one sweep, where the list is not small; the types alternate."""

SMALL_CALLS = 3
"""A list that takes at most so many calls is read in every sweep."""

LATE_S = 5.0
"""How many seconds longer a page may take that was requested in time."""

YOUNG = timedelta(minutes=1)
"""The age below which a change may be missing in Coupa's answer, because Coupa commits it later."""

DISTRUST = timedelta(days=1)
"""How long every sweep reads the list after Coupa's stamps did not show an approval."""

logger = logging.getLogger(__name__)


class _Course(NamedTuple):
    """The reading of the list, whether this sweep continues it, and whether the list is small."""

    reading: Reading
    is_reading: bool = True
    is_small: bool = False


class Scan:
    """The reads of one sweep.

    Args:
        deps: the services and settings of the sweep.
        progress: the tally of this sweep.
        status: the status of the last sweep.

    Attributes:
        reading: the progress through the list; it began in this sweep or before.
        has_all: every read of this sweep succeeded.
    """

    def __init__(self, deps: SweepDependencies, progress: Progress, status: Status) -> None:
        self._deps = deps
        self._progress = progress
        self._status = status
        self._begins = progress.deadline.within(READING_S)
        self._ends = progress.deadline.within(READING_S + LATE_S)
        self._asked_at = deps.coupa.now()
        self._now = deps.clock.now()
        self._changes: set[int] | None = None
        self._listed: set[int] = set()
        self._missed_by_stamps: set[int] = set()
        self._lock = threading.Lock()
        self._edits = EditReads(
            deps,
            progress,
            status,
            asked_at=self._asked_at,
            begins=self._begins,
            ends=self._ends,
            lock=self._lock,
        )
        self.reading, self._is_reading, self._is_small = self._course()
        self.has_all = self._audits = True

    @property
    def is_at_the_beginning(self) -> bool:
        """Tell whether a reading of the list begins."""
        return self._is_reading and not self.reading.calls

    @property
    def is_whole(self) -> bool:
        """Tell whether this sweep came to the end of the list without a failure."""
        return self._is_reading and self.reading.is_complete

    def run(self, plan: Plan, rows: Collection[Entry], *, audits: bool) -> None:
        """Read the changes, then a part of the list if it is due.

        Args:
            plan: receives the data.
            rows: the open rows.
            audits: check the stamps: an approval without a row is new, or the stamps missed it.
        """
        self._plan, self._rows, self._audits = plan, tuple(rows), audits
        calls = sys.maxsize if self._is_small else EDITS_CALLS
        read_edits = partial(self._edits.read, plan, self._rows, calls=calls)
        reads: list[Callable[[], None]] = [read_edits, self._read_answers]
        if not self._is_small:
            reads.insert(0, self._read_changes)
        map_parallel(lambda read: read(), reads, workers=self._deps.workers)
        if self._is_reading:
            self._read_list()

    # ------------------------------------------------------------------ changes

    def _read_changes(self) -> None:
        """List the changed approvals, newest first."""
        since = self._status.changes_known_until
        if since is None:
            return
        # Whole seconds, as Coupa writes its own stamps.
        text = (since - OVERLAP).isoformat(timespec="seconds")
        deadline, found = self._begins.within(CHANGES_S), set[int]()

        def read_page(ids: IdRange) -> IdRange | None:
            page = self._deps.coupa.page(ids, deadline, since=text)
            found.update(approval.id for approval in [*page.pending, *page.ended])
            self._add_page(page)
            return page.rest

        ranges = self._ranges([ALL_IDS], ask=read_page, begins=deadline, calls=CHANGES_PAGES)
        ranges.read(workers=1)
        self.has_all = self.has_all and not ranges.was_silent
        if ranges.failure is not None:
            self._progress.record_failure(ranges.failure)
        if ranges.is_complete:
            self._changes = found
        elif not self._is_reading:
            self.reading, self._is_reading = self._new_reading(), True  # the list has the lost pages

    def _ranges(self, unread: Iterable[IdRange], failed: Iterable[IdRange] = (), **more: Any) -> Ranges:
        """Return a reader of ranges of approvals; one that cannot be listed is read by its id."""

        def add_alone(number: int) -> None:
            with self._lock:
                self._progress.count("unreadable")
                self._plan.add_ids([number])

        return Ranges(unread, failed, alone=add_alone, newest=self._newest, **more)

    def _newest(self) -> int:
        return max([1, *(row.approval_id for row in self._rows), *self._plan.seen])

    def _read_answers(self) -> None:
        """Read the comments on documents with open questions: one call for fifty documents of a type.

        A comment need not touch its document. A failure only delays the answer.
        """
        rows = [row for row in self._rows if self._plan.awaits_answer(row)]
        if not rows:
            return
        since = min(number for row in rows for number in row.questions)
        places = {place for row in rows for place in comment_places(row)}
        try:
            comments = self._deps.coupa.comments(places, self._begins.within(ANSWERS_S), since=since)
        except ServiceError as failure:
            self._progress.record_failure(failure)
            return
        with self._lock:
            self._plan.add_comments(comments)

    # ------------------------------------------------------------------ the list

    def _new_reading(self) -> Reading:
        return Reading(self._now, self._asked_at, sorted(self._deps.coupa.types))

    def _course(self) -> _Course:
        """Return the reading that continues or begins; the last one if none is due."""
        status, now = self._status, self._now
        last, fresh = Reading.of(status.reading), self._new_reading()
        if last is None:
            return _Course(fresh)
        period = timedelta(minutes=self._deps.full_list_minutes)
        is_time = not timedelta(0) <= now - last.began_at < period - YOUNG / 2
        if last.unread or (last.failed and not is_time):
            return _Course(last)
        # The backlog is known when the list has been read; approvals that come later are new.
        is_first = status.first_run and not self._deps.is_dry
        is_distrusted = status.distrusted_until is not None and status.distrusted_until > now
        is_small = last.calls <= SMALL_CALLS and not last.failed
        if not (is_time or is_first or is_distrusted or is_small or last.left):
            return _Course(last, is_reading=False)
        is_clean = last.types == fresh.types and last.is_complete and not last.left
        return _Course(replace(fresh, was_clean=is_clean), is_small=is_small and not is_distrusted)

    def _read_list(self) -> None:
        """Read ranges of the list, several at the same time if the list is long."""
        reading = self.reading

        def read_page(ids: IdRange) -> IdRange | None:
            page = self._deps.coupa.page(ids, self._ends)
            self._add_page(page, listed=ids)
            return page.rest

        alone_for = SMALL_CALLS - reading.calls
        ranges = self._ranges(
            reading.unread, reading.failed, ask=read_page, begins=self._begins, alone_for=alone_for
        )
        ranges.read(workers=1 if self._is_small else self._deps.workers)
        reading.unread, reading.failed = ranges.unread, ranges.failed
        reading.calls += ranges.came
        self.has_all = self.has_all and not ranges.was_silent
        if ranges.failure is not None:
            self._progress.record_failure(ranges.failure)

    def _add_page(self, page: Page, *, listed: IdRange | None = None) -> None:
        """Add one page of changes, or of the list within these ids."""
        deciders_of = self._deps.directory.deciders_of(page.pending, self._ends)
        self._progress.count("unreadable", page.unreadable)
        self._progress.count("unasked", page.unasked)
        with self._lock:
            self._plan.add_pending(page.pending, deciders_of)
            self._plan.mark_gone(approval.id for approval in page.ended)
            if page.failure is not None:
                raise page.failure
            if listed is not None:
                self._listed |= {each.id for each in page.pending}
                self._missed_by_stamps |= {each.id for each in page.pending if self._is_missed(each)}
                low = page.rest[1] + 1 if page.rest else listed[0]
                self._plan.mark_gone(self._plan.unlisted((low, listed[1])))

    def _is_missed(self, approval: Approval) -> bool:
        """Tell whether the changes have missed a new approval."""
        if self._changes is None or not self._audits or not self.reading.was_clean:
            return False
        touched = stamp(approval.updated_at)
        is_old = touched is None or touched <= self._asked_at - YOUNG
        return is_old and approval.id in self._plan.new and approval.id not in self._changes

    # ------------------------------------------------------------------ the end

    def count_left(self, unseen: Iterable[Approval]) -> None:
        """Count the approvals without a row that are left for later; once, before `status_fields`."""
        self.reading.add_left([approval for approval in unseen if approval.id in self._listed])

    def status_fields(self, left: list[Candidate], written: Mapping[int, Entry | None]) -> dict[str, Any]:
        """Return the fields of the status that describe the reads.

        Args:
            left: the candidates that are left for later.
            written: the rows that this sweep wrote, by approval id.
        """
        left_ids = {candidate.approval.id for candidate in left}
        has_left_rows = any(candidate.entry is not None for candidate in left)
        missed = sum(_counts_as_missed(written.get(number)) for number in self._missed_by_stamps)
        if missed:
            logger.error("approvals missed by their stamps count=%d", missed)
        until = self._now + DISTRUST if missed else self._status.distrusted_until
        is_distrusted = until is not None and until > self._now
        return {
            "changes_known_until": self._changes_known(left_ids, has_left_rows=has_left_rows),
            "reading": self.reading.values(),
            "missed": self._status.missed + missed if is_distrusted else 0,
            "distrusted_until": until if is_distrusted else None,
            "last_complete_at": self._deps.clock.now() if self.is_whole else self._status.last_complete_at,
            "is_complete": self.has_all,
            **self._edits.status_fields(has_left_rows=has_left_rows),
        }

    def _changes_known(self, left_ids: set[int], *, has_left_rows: bool) -> datetime:
        """Return the time until which changes are known; the next sweep continues there."""
        known = self._status.changes_known_until or self._asked_at
        if self._changes is not None and not self._changes & left_ids:
            known = self._asked_at
        if self.is_whole and not self.reading.left and not has_left_rows:
            known = max(known, self.reading.asked_at)
        return known


def _counts_as_missed(row: Entry | None) -> bool:
    """Tell whether somebody should have been told of it before: not before its turn."""
    return row is not None and not (row.cause == "not_your_turn" or row.cause.startswith(STOPPED))
