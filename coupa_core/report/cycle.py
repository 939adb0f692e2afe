"""Measure how long approvals waited, from the first notice to the decision, by ISO week, type and approver.

The times come from closed and decided rows, and from the audit log, which has the first notice of a version
that was sent again, and decisions whose rows are gone.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from coupa_core.audit_log import EventKind, Row
from coupa_core.clock import Clock, Deadline
from coupa_core.errors import CallerError
from coupa_core.ledger import LedgerStore, State
from coupa_core.model import DONE_STATUS, stamp
from coupa_core.report.figures import spread

DEFAULT = timedelta(days=56)
MAX_RANGE = timedelta(days=366)
FIRST_DAY = date(2000, 1, 1)
"""A day before any notice; it is far from the ends of the calendar, where ranges cannot be computed."""

LOOK_BACK = timedelta(days=14)
"""How long before the range first notices are read from the audit log."""

READ_S = 60.0
"""The time limit for the audit log, of the 110 s of an answer, so that the ledger's rows have time, too."""

COLUMNS = ("week", "document_type", "approver", "count", "median_s", "p95_s", "longest_s")
_DONE = frozenset(DONE_STATUS.values()) | {"held"}
_FORMULA = ("=", "+", "-", "@")

GenerationKey = tuple[int, int]
"""An approval's id and its generation."""


class AuditRows(Protocol):
    """The port to the rows of the audit log."""

    def rows(self, day: date) -> Iterator[Row]:
        """Yield the rows of a day; raises `ServiceError`."""
        ...


@dataclass
class _Wait:
    """One approval's wait, as far as it is known."""

    document_type: str = ""
    approver: str = ""
    told_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass
class _RecordedTimes:
    """Times from the audit log.

    Attributes:
        first: the first notice of each generation.
        ended: the confirmed decision of each generation, and the type of its document.
        is_complete: all days were read.
    """

    first: dict[GenerationKey, datetime] = field(default_factory=dict)
    ended: dict[GenerationKey, tuple[datetime, str]] = field(default_factory=dict)
    is_complete: bool = True


class CycleTimes:
    """The use case.

    Args:
        store: the ledger's rows.
        record: the rows of the audit log.
        clock: the time.
    """

    def __init__(self, *, store: LedgerStore, record: AuditRows, clock: Clock) -> None:
        self._store = store
        self._record = record
        self._clock = clock

    def table(self, since: date | None, until: date | None) -> dict[str, Any]:
        """Return the waits that ended from one day to another, both included.

        Args:
            since: UTC; None for eight weeks before `until`.
            until: UTC; None for today.

        Returns:
            JSON values: `from`, `to`, `is_complete`, and `rows` by the names of `COLUMNS`: times in seconds,
            `approver` is `user:<id>`, `group:<id>`, or empty if only the audit log has the decision.

        Raises:
            CallerError: the days are in the wrong order, too far apart, or far from any day with an approval.
            ServiceError: the ledger or the audit log does not answer.
        """
        today = self._clock.now().date()
        until = until or today
        if not FIRST_DAY <= until <= today + MAX_RANGE:
            raise CallerError("bad_range", f"to must be a day from {FIRST_DAY} to a year from today.")
        since = since or until - DEFAULT
        if not timedelta(0) <= until - since <= MAX_RANGE:
            raise CallerError("bad_range", f"from must be a day up to {MAX_RANGE.days} days before to.")
        recorded = self._read(since, until)
        waits: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for each in self._waits(since, until, recorded):
            if each.told_at and each.ended_at and since <= each.ended_at.astimezone(UTC).date() <= until:
                week = f"{each.ended_at.astimezone(UTC):%G-W%V}"
                waited_s = max(0.0, (each.ended_at - each.told_at).total_seconds())
                waits[week, each.document_type, each.approver].append(waited_s)
        rows = [
            {**dict(zip(COLUMNS, key, strict=False)), "count": len(found), **spread(found)}
            for key, found in sorted(waits.items())
        ]
        days = {"from": since.isoformat(), "to": until.isoformat()}
        return {**days, "is_complete": recorded.is_complete, "rows": rows}

    def _waits(self, since: date, until: date, recorded: _RecordedTimes) -> Iterator[_Wait]:
        begin = datetime.combine(since, time(), UTC)
        # A row is closed by the first sweep after the decision, which may come late.
        end = datetime.combine(until, time(), UTC) + timedelta(days=8)
        rows = self._store.closed_entries(since=begin, until=end)
        rows += [row for row in self._store.open_entries().entries if row.state is State.DECIDED]
        left = dict(recorded.ended)
        for row in rows:
            if row.cause == "gone" and not row.decision:
                continue  # it was withdrawn without a decision
            key = (row.approval_id, row.generation)
            decided_at, _ = left.pop(key, (None, ""))
            notices = [at for at in (recorded.first.get(key), row.first_told_at) if at]
            yield _Wait(
                row.document_type,
                row.sent_to,
                min(notices, default=None),
                decided_at or row.decided_at or row.closed_at,
            )
        for key, (at, document_type) in left.items():
            yield _Wait(document_type, "", recorded.first.get(key), at)

    def _read(self, since: date, until: date) -> _RecordedTimes:
        """Read the audit log of these days, and of some earlier days, the newest first."""
        recorded, deadline = _RecordedTimes(), Deadline(self._clock, READ_S)
        day = until + timedelta(days=1)
        while day >= since - LOOK_BACK:
            if deadline.left_s() <= 0:
                recorded.is_complete = False
                break
            for row in self._record.rows(day):
                event = row.values().get("event", {})
                at, number = stamp(str(event.get("at"))), event.get("approval_id")
                if at and isinstance(number, int):
                    _add_event(recorded, event, (number, int(event.get("generation") or 0)), at)
            day -= timedelta(days=1)
        return recorded


_FIRST = (None, "digest")
"""The verbs of notices that may be the first of an approval; an announcement has none."""


def _add_event(recorded: _RecordedTimes, event: Mapping[str, Any], key: GenerationKey, at: datetime) -> None:
    outcome = event.get("outcome")
    if event.get("kind") == EventKind.NOTICE and outcome == "sent" and event.get("verb") in _FIRST:
        recorded.first[key] = min(at, recorded.first.get(key, at))
    elif event.get("kind") == EventKind.DECISION and outcome in _DONE:
        recorded.ended.setdefault(key, (at, str(event.get("document_type") or "")))


def as_csv(table: Mapping[str, Any]) -> str:
    """Write the rows with a header; a cell that could be read as a formula gets a quote in front."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in table["rows"]:
        writer.writerow([_without_formula(row[name]) for name in COLUMNS])
    return out.getvalue()


def _without_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
