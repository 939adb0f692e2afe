"""An `AuditStore` in memory, in its shortest form; its rows end with the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from coupa_core.audit_log.chain import Head, Row
from coupa_core.errors import Conflict


class MemoryAuditStore:
    """A store in memory, for tests and for trying things out.

    Attributes:
        days: the head and the rows of each day, by their places.
    """

    def __init__(self) -> None:
        self.days: dict[date, tuple[Head | None, dict[int, Row]]] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def head(self, day: date) -> Head | None:
        """Return the head of a day, or None."""
        return self.days[day][0] if day in self.days else None

    def heads(self, *, before: date | None = None) -> Iterator[tuple[date, Head | None]]:
        """Yield each day and its head, the newest first."""
        for day in sorted(self.days, reverse=True):
            if before is None or day < before:
                yield day, self.head(day)

    def rows(self, day: date, *, after: int = 0) -> Iterator[Row]:
        """Yield the rows of a day from the place after that one."""
        rows = dict(self.days[day][1]) if day in self.days else {}
        yield from (rows[place] for place in sorted(rows) if place > after)

    def write(self, head: Head, rows: Sequence[Row] = ()) -> Head:
        """Store new rows and the head of their day, all or nothing."""
        with self._lock:
            stored, there = self.days.get(head.day, (None, {}))
            if head.etag != (stored.etag if stored else "") or any(row.seq in there for row in rows):
                raise Conflict("audit_conflict", f"cannot append to {head.day}: it was changed meanwhile")
            self._writes += 1
            head = replace(head, etag=f'W/"{self._writes}"')
            self.days[head.day] = head, {**there, **{row.seq: row for row in rows}}
            return head

    def erase(self, day: date, *, with_head: bool) -> int:
        """Delete the rows of a day, and its head if asked for."""
        with self._lock:
            head, rows = self.days.pop(day, (None, {}))
            if not with_head:
                self.days[day] = head, {}
            return len(rows)
