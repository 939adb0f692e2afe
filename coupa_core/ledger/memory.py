"""A `LedgerStore` in memory, in its shortest form; its rows end with the process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from coupa_core.errors import Conflict
from coupa_core.ledger.entry import Entry
from coupa_core.ledger.status import Status
from coupa_core.ledger.store import NOTHING_KNOWN, Corrupt, Note, Opened


class MemoryStore:
    """A store in memory, for tests and for trying things out."""

    def __init__(self) -> None:
        self._open: dict[int, Entry] = {}
        self._closed: dict[int, Entry] = {}
        self._status = Status()
        self._notes: dict[str, Note] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def open_entries(self, since: str = "", known: Mapping[int, Entry] = NOTHING_KNOWN) -> Opened:  # noqa: ARG002
        """Return the rows that are not closed."""
        with self._lock:
            after = int(since or 0)
            rows = [self._open[key] for key in sorted(self._open) if _write_of(self._open[key]) > after]
            return Opened(rows, [], str(self._writes))

    def read(self, approval_id: int) -> Entry | None:
        """Return the open row of an approval."""
        with self._lock:
            return self._open.get(approval_id)

    def read_closed(self, approval_id: int) -> Entry | None:
        """Return the closed row of an approval."""
        with self._lock:
            return self._closed.get(approval_id)

    def closed_entries(self, *, since: datetime, until: datetime) -> list[Entry]:
        """Return the rows that were closed in that time."""
        with self._lock:
            return [row for row in self._closed.values() if row.closed_at and since <= row.closed_at < until]

    def decided_entries(self, *, by: str, since: datetime) -> list[Entry]:
        """Return the rows that this address decided since then."""
        with self._lock:
            rows = [*self._closed.values(), *self._open.values()]
            return [row for row in rows if row.is_decided_by(by, since=since)]

    def insert(self, entry: Entry) -> str:
        """Store a new row."""
        with self._lock:
            if entry.approval_id in self._open:
                raise Conflict("ledger_conflict", f"row {entry.approval_id} exists already")
            return self._put(entry)

    def replace(self, entry: Entry) -> str:
        """Store a row over the one that was read."""
        with self._lock:
            self._expect(entry)
            return self._put(entry)

    def archive(self, entry: Entry) -> None:
        """Move a row to the closed ones."""
        with self._lock:
            self._expect(entry)
            del self._open[entry.approval_id]
            self._closed[entry.approval_id] = entry

    def set_aside(self, corrupt: Corrupt) -> None:
        """Do nothing: no row in memory can be corrupt."""

    def purge_closed(self, before: datetime) -> int:
        """Delete rows closed before that time."""
        with self._lock:
            old = [key for key, row in self._closed.items() if row.closed_at and row.closed_at < before]
            for key in old:
                del self._closed[key]
            return len(old)

    def status(self) -> Status:
        """Return the status of the last sweep."""
        return self._status

    def save_status(self, status: Status) -> None:
        """Store the status of this sweep."""
        self._status = status

    def note(self, name: str) -> Note:
        """Return a shared text."""
        return self._notes.get(name, Note())

    def save_note(self, name: str, note: Note) -> str:
        """Store a shared text over the one that was read."""
        with self._lock:
            if self._notes.get(name, Note()).etag != note.etag:
                raise Conflict("ledger_conflict", f"note {name} was changed meanwhile")
            self._writes += 1
            self._notes[name] = replace(note, etag=f'W/"{self._writes}"')
            return self._notes[name].etag

    def _expect(self, entry: Entry) -> None:
        stored = self._open.get(entry.approval_id)
        if stored is None or stored.etag != entry.etag:
            raise Conflict("ledger_conflict", f"row {entry.approval_id} was changed meanwhile")

    def _put(self, entry: Entry) -> str:
        self._writes += 1
        etag = f'W/"{self._writes}"'
        self._open[entry.approval_id] = replace(entry, etag=etag)
        return etag


def _write_of(entry: Entry) -> int:
    return int(entry.etag.strip('W/"'))
