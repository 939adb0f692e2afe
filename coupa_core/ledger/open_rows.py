"""The open rows in memory, from sweep to sweep.

Every write is conditional, so a row that another process has changed does no harm: the write fails, and the
row is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from coupa_core.errors import Conflict
from coupa_core.ledger.entry import Entry
from coupa_core.ledger.store import Corrupt, LedgerStore


class OpenRows:
    """The rows that are not closed.

    Attributes:
        by_id: the rows by approval id, as they were last read or written here.
    """

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self._position = ""
        self._doubtful: set[int] = set()
        self.by_id: dict[int, Entry] = {}

    def read(self, *, whole: bool) -> list[Corrupt]:
        """Read the rows that were written since the last time, or all.

        Returns:
            Rows that cannot be read.

        Raises:
            ServiceError: the store does not answer.
        """
        opened = self._store.open_entries("" if whole else self._position, self.by_id)
        if whole or not self._position:
            self.by_id, self._doubtful = {}, set()
        self.by_id |= {entry.approval_id: entry for entry in opened.entries}
        for corrupt in opened.corrupt:
            self.by_id = {number: row for number, row in self.by_id.items() if str(number) != corrupt.key}
        self._position = opened.position
        for number in sorted(self._doubtful):
            with suppress(Conflict):  # an unreadable row is among the corrupt ones, now or soon
                self._put(number, self._store.read(number))
        self._doubtful = set()
        return opened.corrupt

    def keep(self, written: Mapping[int, Entry | None], *, doubtful: Iterable[int]) -> None:
        """Take over the rows that a sweep wrote.

        Args:
            written: the rows by approval id; None for one that was closed.
            doubtful: the ids of rows that another process wrote, or whose write has an unknown outcome.
        """
        for number, row in written.items():
            self._put(number, row)
        self._doubtful |= set(doubtful)

    def _put(self, number: int, row: Entry | None) -> None:
        if row is None:
            self.by_id.pop(number, None)
        else:
            self.by_id[number] = row
