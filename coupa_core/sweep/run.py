"""Run one sweep: announce every pending approval to its deciders, or record why not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from coupa_core.clock import Deadline, until
from coupa_core.correlation import Correlation, correlated
from coupa_core.errors import ServiceError, one_line
from coupa_core.ledger import (
    KEEP_CLOSED,
    LATE_LIST,
    REPEATS,
    UNSEEN,
    Entry,
    OpenRows,
    Owed,
    Reading,
    Status,
    age_s,
    clock_of,
    is_late,
    owed,
    read_repeats,
    since,
    stuck,
)
from coupa_core.model import Approval, stamp
from coupa_core.moveworks import RATE_WINDOW_S
from coupa_core.release import RELEASE
from coupa_core.sweep.dependencies import FirstRunPolicy, SweepDependencies
from coupa_core.sweep.plan import Candidate, Plan
from coupa_core.sweep.progress import Progress, Summary
from coupa_core.sweep.reach import Reach
from coupa_core.sweep.scan import Scan
from coupa_core.sweep.work import Work

SWEEP_S = 50.0
"""The time limit of a sweep, however slow the services are; the next one continues."""

MARKING_S = 2.0
"""The last part of the limit, in seconds: it is for rows and status, without Coupa and Moveworks."""

CLOSING_S = 5.0
"""Seconds that are reserved for closing: even under a constant backlog, rows of ended approvals must go."""

AGES = {"pending_1h": 3_600, "pending_1d": 86_400, "pending_7d": 7 * 86_400}
"""The names of counts, each with its upper age limit in seconds; `pending_older` has the rest."""

MAX_PAUSE = timedelta(minutes=20)
"""A pause that ends later than any real one means that the clock was put back; the sweep ignores it."""

MAX_LEFT = 1_000
"""The most new approvals that are kept in memory for the next sweep."""

_PURGE_EVERY = timedelta(days=1)

logger = logging.getLogger(__name__)


class Sweep:
    """The timer's use case. One object serves many runs, one after the other, and keeps the rows between."""

    def __init__(self, deps: SweepDependencies) -> None:
        self.deps = deps
        self._rows = OpenRows(deps.ledger.store)
        self._knows_rate = False
        self._owed_since: dict[str, str] = {}
        self._left: list[Approval] = []

    def run(self) -> Summary:
        """Run one sweep.

        Returns:
            The result. The failure of a service is in it and in the log, and is never raised.
        """
        progress = Progress(self.deps.clock, seconds=SWEEP_S - MARKING_S)
        is_complete = False
        with correlated(Correlation()) as under, until(Deadline(self.deps.clock, SWEEP_S)):
            try:
                is_complete = self._sweep(progress)
            except ServiceError as failure:
                progress.record_failure(failure)
                if not progress.is_watched:
                    self._watch(None, None, progress)
        summary = progress.summary(under, is_complete=is_complete)
        logger.log(logging.INFO if is_complete and not summary.failure else logging.ERROR, "%s", summary)
        return summary

    def _sweep(self, progress: Progress) -> bool:
        """Read, compare, announce and close; return whether every read succeeded."""
        deps, now = self.deps, self.deps.clock.now()
        status = deps.ledger.store.status()
        self._owed_since = status.owed_since or self._owed_since
        scan = Scan(deps, progress, status)
        # A new reading of the list repairs whatever is wrong with the rows in memory.
        aside = self._open_rows(progress, whole=scan.is_at_the_beginning)
        is_first = self._is_first_run(status)
        self._remember_rate(self._rows.by_id.values(), now)
        began_at = (status.first_run_at or deps.coupa.now()) if is_first and not deps.is_dry else None
        reach = self._reach(now)
        candidates = self._candidates(scan, progress, aside, reach=reach.id, now=now)
        work = Work(
            deps,
            progress,
            deadline=progress.deadline.within(progress.deadline.left_s() - CLOSING_S),
            suspect=status.suspect,
            paused_until=_pause(status, now),
            first_run=deps.first_run if is_first else None,
            since=max(filter(None, (status.last_complete_at, status.changes_known_until)), default=now),
            began_at=began_at,
            reach=reach,
        )
        work.run(candidates)
        rows = work.rows
        self._rows.keep(rows.written, doubtful=rows.lost | rows.missed)
        tried = rows.written.keys() | rows.lost
        left = [candidate for candidate in candidates if candidate.approval.id not in tried]
        due = self._take_stock(scan, progress, left, status)
        read = scan.status_fields(left, rows.written)
        self._watch(
            due if scan.has_all else None, read["last_complete_at"] or scan.reading.began_at, progress
        )
        ended = Status(
            **read,
            last_sweep_at=deps.clock.now(),
            paused_until=work.sender.paused_until,
            suspect=work.sender.suspect,
            # One bad record must not keep the first run from ending: later approvals would count as backlog.
            first_run=is_first and (deps.is_dry or not scan.is_whole or bool(scan.reading.left)),
            first_run_at=began_at,
            purged_at=status.purged_at,
            counts=progress.counts(),
            failure=progress.failure,
            version=RELEASE,
            last_began_at=now,
            owed=dict(due.causes) if not deps.is_dry else {},
            owed_since=self._owed_since,
            oldest_owed_s=due.oldest_s,
        )
        deps.ledger.store.save_status(ended)
        self._keep_house(ended, progress)
        # A connection that idles until the next sweep may be gone by then, and with it a message.
        deps.channel.close_idle()
        return scan.has_all

    def _candidates(
        self, scan: Scan, progress: Progress, aside: Sequence[int], *, reach: str, now: datetime
    ) -> list[Candidate]:
        """Read Coupa, and compare it with the rows."""
        deps, known = self.deps, self._rows.by_id
        plan = Plan(known, now=now, lease=deps.lease, cadence=deps.cadence, is_dry=deps.is_dry, reach=reach)
        plan.add_left_over(self._left)
        plan.add_ids(aside)
        scan.run(plan, known.values(), audits=not aside)
        candidates = plan.candidates()
        for name, number in (("seen", len(plan.seen)), ("held", plan.held), ("quiet", plan.quiet)):
            progress.count(name, number)
        return candidates

    def _take_stock(self, scan: Scan, progress: Progress, left: Sequence[Candidate], status: Status) -> Owed:
        """Count what waits, keep the approvals without a row, and return the messages that are owed."""
        unseen = [candidate.approval for candidate in left if candidate.entry is None]
        scan.count_left(unseen)
        self._left = unseen[:MAX_LEFT]
        self._count_ages(unseen, progress)
        due = owed(self._rows.by_id.values(), unseen, self.deps.clock.now())
        return _with_unread(due, scan.reading, status, self.deps.clock.now())

    def _is_first_run(self, status: Status) -> bool:
        """Tell whether the pending approvals are the backlog from before the bridge, and record it."""
        deps = self.deps
        is_first = status.first_run or (status.last_sweep_at is None and not self._rows.by_id)
        if is_first and not status.first_run and deps.first_run is not FirstRunPolicy.ANNOUNCE:
            # Once rows have been written, only this field shows that the first run has not ended.
            deps.ledger.store.save_status(replace(status, first_run=True))
        return is_first

    def _reach(self, now: datetime) -> Reach:
        """Return the people whom messages reach, with the operators' repeats."""
        repeats = read_repeats(self.deps.ledger.store.note(REPEATS).text)
        # A request from a clock ahead of ours waits: messages of this sweep would count as told before it.
        return Reach(self.deps.pilot, [each for each in repeats if each.at <= now])

    def _watch(self, due: Owed | None, listed_at: datetime | None, progress: Progress) -> None:
        """Raise an alarm when messages are owed for long and none of them goes out."""
        progress.is_watched = True
        now, has_sent = self.deps.clock.now(), bool(progress.counts().get("sent"))
        if self.deps.is_dry and due is not None:
            due = Owed()
        self._owed_since = since(self._owed_since, due, has_sent=has_sent, now=now)
        late = stuck(self._owed_since, now)
        if listed_at is not None and is_late(listed_at, now, minutes=self.deps.full_list_minutes):
            late.append(LATE_LIST)
        if late:
            _raise_alarm(due or Owed(), late)

    def _open_rows(self, progress: Progress, *, whole: bool) -> list[int]:
        """Read the open rows; set aside unreadable ones, so that they are made anew from Coupa's data.

        Returns:
            Ids of the approvals whose rows were set aside.
        """
        corrupt = self._rows.read(whole=whole)
        for each in corrupt:
            key = one_line(each.key, 40)
            logger.error("ledger row set aside key=%s cause=%s", key, one_line(each.cause, 200))
            progress.count("set_aside")
            try:
                self.deps.ledger.store.set_aside(each)
            except ServiceError as failure:
                progress.record_failure(failure)
        return [each.approval_id for each in corrupt if each.approval_id is not None]

    def _remember_rate(self, entries: Iterable[Entry], now: datetime) -> None:
        """Count the sends of an earlier process against the allowed rate."""
        if self._knows_rate:
            return
        self._knows_rate = True
        for entry in entries:
            for sent_at in entry.sends(self.deps.lease):
                age_s = max(0.0, (now - sent_at).total_seconds())
                if age_s < RATE_WINDOW_S:
                    self.deps.channel.remember(age_s)

    def _count_ages(self, unseen: Iterable[Approval], progress: Progress) -> None:
        """Count pending approvals by age: open rows that have not ended, and new approvals without a row."""
        now = self.deps.clock.now()
        waiting = [(None, row) for row in self._rows.by_id.values() if not row.has_ended]
        for approval, row in [*waiting, *((approval, None) for approval in unseen)]:
            progress.count(age_group(age_s(approval, row, now)))

    def _keep_house(self, ended: Status, progress: Progress) -> None:
        """Once a day delete old closed rows and old events; a failure does not affect the sweep."""
        now = self.deps.clock.now()
        if ended.purged_at is not None and now < ended.purged_at + _PURGE_EVERY:
            return
        store, audit_log, days = self.deps.ledger.store, self.deps.audit_log, self.deps.keep_audit_days
        noted = replace(ended, purged_at=now)

        def purge_rows() -> None:
            progress.count("purged", store.purge_closed(now - KEEP_CLOSED))

        def purge_record() -> None:
            audit_log.purge(keep_days=days, deadline=progress.deadline)

        def note() -> None:
            store.save_status(replace(noted, counts=progress.counts(), failure=progress.failure))

        # The status is written first: a purge that never ends would cost every sweep its time.
        steps: list[Callable[[], object]] = [lambda: store.save_status(noted), purge_rows, purge_record, note]
        for step in steps:
            try:
                with until(progress.deadline):
                    step()
            except ServiceError as failure:
                progress.record_failure(failure)  # the purge of tomorrow goes on


def _pause(status: Status, now: datetime) -> datetime | None:
    """Return the end of the pause; None for no pause."""
    pause = status.paused_until
    return pause if pause and pause <= now + MAX_PAUSE else None


def _raise_alarm(due: Owed, late: Sequence[str]) -> None:
    """Log the messages that are owed for too long, by cause; a `?` stands for an unknown number."""
    numbers = {cause: number for cause, number in due.causes.items() if clock_of(cause) in late}
    known = {clock_of(cause) for cause in numbers}
    causes = [f"{cause}:{number}" for cause, number in numbers.items()]
    causes += [f"{cause}:?" for cause in late if cause not in known]
    logger.error(
        "owed count=%d oldest_s=%.0f causes=%s", sum(numbers.values()), due.oldest_s, ",".join(causes)
    )


def _with_unread(due: Owed, reading: Reading, status: Status, now: datetime) -> Owed:
    """Add the approvals without a row in parts of the list that this sweep did not read."""
    before = Reading.of(status.reading)
    number = max(reading.left, before.left if before and not reading.is_complete else 0)
    more = number - due.causes.get(UNSEEN, 0)
    if more <= 0:
        return due
    oldest = stamp(reading.oldest or (before.oldest if before else ""))
    oldest_s = max(due.oldest_s, (now - oldest).total_seconds() if oldest else 0.0)
    return Owed(due.count + more, oldest_s, {**due.causes, UNSEEN: number})


def age_group(age_s: float) -> str:
    """Return the name of the count for an age.

    >>> age_group(59), age_group(3_600), age_group(8 * 86_400)
    ('pending_1h', 'pending_1d', 'pending_older')
    """
    return next((name for name, limit_s in AGES.items() if age_s < limit_s), "pending_older")
