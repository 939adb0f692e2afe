"""List the edited documents, page by page and type by type, over several sweeps."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from coupa_core.clock import Deadline
from coupa_core.ledger import Edits, Entry, Status
from coupa_core.model import ALL_IDS, UNREADABLE, DocumentKey, IdRange, stamp
from coupa_core.ranges import Ranges
from coupa_core.sweep.dependencies import SweepDependencies
from coupa_core.sweep.plan import Plan
from coupa_core.sweep.progress import Progress

OVERLAP = timedelta(minutes=10)
"""How far back a sweep asks for changes once more, because Coupa may commit a row late."""


class EditReads:
    """The reads of edited documents in one sweep.

    Args:
        deps: the services and settings of the sweep.
        progress: the tally of this sweep.
        status: the status of the last sweep.
        asked_at: the time of this sweep by Coupa's clock.
        begins: the deadline for the request of a page.
        ends: the deadline for the answer.
        lock: the lock of the plan, which other reads write at the same time.
    """

    def __init__(
        self,
        deps: SweepDependencies,
        progress: Progress,
        status: Status,
        *,
        asked_at: datetime,
        begins: Deadline,
        ends: Deadline,
        lock: threading.Lock,
    ) -> None:
        self._deps = deps
        self._progress = progress
        self._status = status
        self._asked_at = asked_at
        self._begins = begins
        self._ends = ends
        self._lock = lock
        self._edits: dict[str, Edits] = {}
        self._rows: Sequence[Entry] = ()

    def read(self, plan: Plan, rows: Sequence[Entry], *, calls: int) -> None:
        """List the edited documents: an edit need not touch their approvals.

        This only adds candidates. A click would find the edit, too, so a failure does not end the sweep.

        Args:
            plan: receives the data.
            rows: the open rows.
            calls: the limit of calls; the types alternate.
        """
        self._plan, self._rows = plan, rows
        rows = [row for row in rows if not row.cause.startswith(UNREADABLE)]
        progress_of = {
            kind: edits
            for kind in self._deps.coupa.readable(row.document_type for row in rows)
            if (edits := Edits.of(self._status.edits.get(kind), self._edits_known_until(kind, rows)))
        }
        for kind in sorted(progress_of, key=lambda each: progress_of[each].asked_at):
            ranges = self._read_type(kind, progress_of[kind], calls)
            calls -= ranges.asked
            if ranges.failure is not None:
                self._progress.record_failure(ranges.failure)
            if ranges.is_cut_off:
                return

    def _read_type(self, kind: str, edits: Edits, calls: int) -> Ranges:
        """Read pages of one type, within the number of calls."""
        since = (stamp(edits.since) or self._asked_at) - OVERLAP
        if not edits.unread:
            edits = replace(edits, asked_at=self._asked_at.isoformat(), left=False, unread=[ALL_IDS])

        def add(stamps: Mapping[DocumentKey, str]) -> None:
            with self._lock:
                self._plan.add_edits(stamps)

        def read_page(ids: IdRange) -> IdRange | None:
            stamps, rest = self._deps.coupa.edited(kind, since.isoformat(timespec="seconds"), ids, self._ends)
            add(stamps)
            return rest

        ranges = Ranges(
            edits.unread,
            ask=read_page,
            alone=lambda number: add({(kind, number): "unreadable"}),
            newest=lambda: max((row.document_id or 1 for row in self._rows), default=1),
            begins=self._begins,
            calls=calls,
        )
        ranges.read(workers=1)
        self._edits[kind] = replace(edits, unread=[*ranges.unread, *ranges.failed])
        return ranges

    def _edits_known_until(self, kind: str, rows: Iterable[Entry]) -> datetime | None:
        """Return the time until which edits of a type are known; for a type without an earlier progress."""
        if self._status.edits_known_until is not None:
            return self._status.edits_known_until
        known = [time for row in rows if row.document_type == kind and (time := stamp(row.seen_document))]
        return min(known, default=None)

    def status_fields(self, *, has_left_rows: bool) -> dict[str, Any]:
        """Return the progress for the status; the next sweep repeats it if a candidate was left for later."""
        edits = {kind: one for kind, one in self._status.edits.items() if Edits.of(one, None)}
        for kind, one in self._edits.items():
            was_left, is_over = one.left or has_left_rows, not one.unread
            since = one.asked_at if is_over and not was_left else one.since
            edits[kind] = asdict(replace(one, since=since, left=was_left and not is_over))
        known = [time for one in edits.values() if (time := stamp(one["since"]))]
        before = self._status.edits_known_until if self._rows else self._asked_at
        return {"edits": edits, "edits_known_until": min(known, default=before)}
