"""One sweep: every pending approval is announced to its approver, or it is recorded why not."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from coupa_core.clock import Deadline, until
from coupa_core.correlation import Correlation, correlated
from coupa_core.errors import ServiceError, one_line
from coupa_core.ledger import KEEP_CLOSED, Entry, Owed, Status, age_s, owed, since, stuck
from coupa_core.model import UNREADABLE, Approval, DocumentKey, Listing, stamp
from coupa_core.release import RELEASE
from coupa_core.sweep.kit import Backlog, Kit, Progress, Summary
from coupa_core.sweep.plan import Look, Urgency, make_plan
from coupa_core.sweep.work import Work

SWEEP_S = 50.0
"""A sweep ends within so many seconds, whatever its neighbours do; the next one goes on."""

MARKING_S = 2.0
"""Of these, the last ones, for marking rows and for the status: Coupa and Moveworks have had their time."""

CLOSING_S = 5.0
"""Of these, kept for closing: a backlog that fills every minute must not leave dead rows behind."""

AGES = {"pending_1h": 3_600, "pending_1d": 86_400, "pending_7d": 7 * 86_400}
"""Counts of listed approvals that have waited for less than so many seconds; then comes `pending_older`."""

OVERLAP = timedelta(minutes=10)
"""How far back edits are asked for once more: Coupa may commit a row late."""

RATE_WINDOW_S = 60.0
"""How far back the ledger's rows are counted against the allowed rate, once in a process."""

MAX_PAUSE = timedelta(minutes=20)
"""A pause further away than any that is set means that the clock was put back; it is ignored."""

_PURGE_EVERY = timedelta(days=1)

logger = logging.getLogger(__name__)


class Sweep:
    """The timer's use case. One object serves many runs, one after the other."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self._knows_rate = False
        self._owed_since: dict[str, str] = {}

    def run(self) -> Summary:
        """Do one sweep.

        Returns:
            What was seen and done; a neighbour's failure is in it and in the log, never raised.
        """
        progress = Progress(self.kit.clock, seconds=SWEEP_S - MARKING_S)
        is_complete = False
        with correlated(Correlation()) as under, until(Deadline(self.kit.clock, SWEEP_S)):
            try:
                is_complete = self._sweep(progress)
            except ServiceError as failure:
                progress.hamper(failure)
                if not progress.is_watched:
                    self._watch(None, progress)
        summary = progress.summary(under, is_complete=is_complete)
        logger.log(logging.INFO if is_complete and not summary.failure else logging.ERROR, "%s", summary)
        return summary

    def _sweep(self, progress: Progress) -> bool:
        """List, compare, announce, close; return whether the list was complete."""
        kit, now = self.kit, self.kit.clock.now()
        status = kit.ledger.store.status()
        self._owed_since = status.owed_since or self._owed_since
        entries = self._open_rows(progress)
        is_first = status.first_run or (status.last_sweep_at is None and not entries)
        if is_first and not status.first_run and kit.first_run is not Backlog.ANNOUNCE:
            # Once rows have been written, nothing else would tell that the backlog is not yet through.
            kit.ledger.store.save_status(replace(status, first_run=True))
        self._remember_rate(entries, now)
        listing = kit.coupa.pending(progress.deadline)
        self._count(listing, progress)
        self._count_ages(listing, entries, progress)
        asked_at = kit.coupa.now()
        edited = self._edited(status, entries, progress)
        circles = kit.directory.circles(listing.approvals, progress.deadline)
        plan = make_plan(
            listing,
            entries,
            edited=edited,
            circles=circles,
            now=kit.clock.now(),
            lease=kit.lease,
            cadence=kit.cadence,
            is_dry=kit.is_dry,
        )
        progress.count("held", plan.held)
        progress.count("quiet", plan.quiet)
        pause = status.paused_until
        work = Work(
            kit,
            progress,
            deadline=progress.deadline.within(progress.deadline.left_s() - CLOSING_S),
            suspect=status.suspect,
            paused_until=pause if pause and pause <= now + MAX_PAUSE else None,
            backlog=kit.first_run if is_first else None,
            since=status.last_complete_at or now,
        )
        work.run([*plan.looks, *map(_gone, plan.closings)], circles)
        due = owed(
            listing.approvals, {row.approval_id: row for row in entries} | work.rows.written, kit.clock.now()
        )
        self._watch(due if listing.is_complete else None, progress)
        is_through = listing.is_complete and not plan.held and progress.came_through()
        left = Status(
            last_complete_at=kit.clock.now() if listing.is_complete else status.last_complete_at,
            last_sweep_at=kit.clock.now(),
            paused_until=work.paused_until,
            suspect=work.suspect,
            # Only a sweep that has looked at everything may forget which edits it was told of.
            # The first one knows all edits from before: whatever it tells, it reads afterwards.
            edits_known_until=asked_at if is_through or not entries else status.edits_known_until,
            # One bad record must not keep the first run from ending: what comes later would be swallowed.
            first_run=is_first and (kit.is_dry or not listing.is_complete or progress.has_left()),
            purged_at=status.purged_at,
            counts=progress.counts(),
            failure=progress.failure,
            version=RELEASE,
            last_began_at=now,
            owed=dict(due.causes),
            owed_since=self._owed_since,
            oldest_owed_s=due.oldest_s,
        )
        kit.ledger.store.save_status(left)
        self._keep_house(left, progress)
        # A connection that idles until the next sweep may be gone by then, and a message lost on it.
        kit.channel.close_idle()
        return listing.is_complete

    def _watch(self, due: Owed | None, progress: Progress) -> None:
        """Look at the end, whatever the means: say so when something is owed for long and does not go out."""
        progress.is_watched = True
        now, has_sent = self.kit.clock.now(), bool(progress.counts().get("sent"))
        if self.kit.is_dry:
            due = Owed() if due else None
        self._owed_since = since(self._owed_since, due, has_sent=has_sent, now=now)
        late = stuck(self._owed_since, now)
        if late:
            numbers = due.causes if due else {}
            causes = ",".join(f"{cause}:{numbers.get(cause, '?')}" for cause in late)
            count, oldest_s = sum(numbers.get(cause, 0) for cause in late), due.oldest_s if due else 0.0
            logger.error("owed count=%d oldest_s=%.0f causes=%s", count, oldest_s, causes)

    def _open_rows(self, progress: Progress) -> list[Entry]:
        """Read the ledger; a row that cannot be read is set aside and made anew from what Coupa says."""
        opened = self.kit.ledger.store.open_entries()
        for corrupt in opened.corrupt:
            key = one_line(corrupt.key, 40)
            logger.error("ledger row set aside key=%s cause=%s", key, one_line(corrupt.cause, 200))
            progress.count("set_aside")
            try:
                self.kit.ledger.store.set_aside(corrupt)
            except ServiceError as failure:
                progress.hamper(failure)
        return opened.entries

    def _remember_rate(self, entries: Iterable[Entry], now: datetime) -> None:
        """Count what an earlier process sent against the allowed rate."""
        if self._knows_rate:
            return
        self._knows_rate = True
        for entry in entries:
            for sent_at in entry.sends(self.kit.lease):
                age_s = max(0.0, (now - sent_at).total_seconds())
                if age_s < RATE_WINDOW_S:
                    self.kit.channel.remember(age_s)

    def _count(self, listing: Listing, progress: Progress) -> None:
        progress.count("seen", len(listing.approvals))
        progress.count("unreadable", listing.unreadable)
        progress.count("unasked", listing.unasked)
        if listing.failure:
            progress.hamper(listing.failure)

    def _count_ages(self, listing: Listing, entries: Iterable[Entry], progress: Progress) -> None:
        rows, now = {entry.approval_id: entry for entry in entries}, self.kit.clock.now()
        for approval in listing.approvals:
            progress.count(age_group(age_s(approval, rows.get(approval.id), now)))

    def _edited(self, status: Status, entries: Iterable[Entry], progress: Progress) -> dict[DocumentKey, str]:
        """Ask which documents were touched lately: an edit need not touch their approvals.

        It only adds looks. Without it an edit is found at the click, so its failure does not end the sweep.
        """
        readable = [entry for entry in entries if not entry.cause.startswith(UNREADABLE)]
        known = [time for entry in readable if (time := stamp(entry.seen_document))]
        since = status.edits_known_until or min(known, default=None)
        if since is None:
            return {}
        # Whole seconds, as Coupa writes its own stamps.
        asked = (since - OVERLAP).isoformat(timespec="seconds")
        types = {entry.document_type for entry in readable}
        edits = self.kit.coupa.edited_since(asked, types, progress.deadline)
        if edits.failure:
            progress.hamper(edits.failure)
        return edits.stamps

    def _keep_house(self, left: Status, progress: Progress) -> None:
        """Once a day delete what was closed long ago; the sweep has ended before, whatever becomes of it."""
        now = self.kit.clock.now()
        if left.purged_at is not None and now < left.purged_at + _PURGE_EVERY:
            return
        store, noted = self.kit.ledger.store, replace(left, purged_at=now)
        try:
            with until(progress.deadline):
                # Noted first: a purge that never comes to its end would take its time from every sweep.
                store.save_status(noted)
                progress.count("purged", store.purge_closed(now - KEEP_CLOSED))
                self.kit.journal.purge(keep_days=self.kit.keep_audit_days, deadline=progress.deadline)
        except ServiceError as failure:
            progress.hamper(failure)  # tomorrow's goes on
        store.save_status(replace(noted, counts=progress.counts(), failure=progress.failure))


def _gone(row: Entry) -> Look:
    """Return a look at what Coupa does not list any more."""
    named = {"id": row.approval_id, "approvable-type": row.document_type, "approvable-id": row.document_id}
    return Look(Approval.model_validate(named), row, Urgency.GONE)


def age_group(age_s: float) -> str:
    """Return the name of the count for an approval that waits so long.

    >>> age_group(59), age_group(3_600), age_group(8 * 86_400)
    ('pending_1h', 'pending_1d', 'pending_older')
    """
    return next((name for name, limit_s in AGES.items() if age_s < limit_s), "pending_older")
