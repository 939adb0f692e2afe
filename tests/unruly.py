"""Stores in memory that die, or in which somebody else is quicker, at a chosen write."""

from __future__ import annotations

from dataclasses import replace

from coupa_core.errors import Conflict, Unavailable
from coupa_core.ledger import Entry, MemoryStore

ENDLESS = 10**9


class Dying(MemoryStore):
    """A store that does not answer after so many more writes over a row.

    Attributes:
        left: how many it still takes.
    """

    left = ENDLESS

    def replace(self, entry: Entry) -> str:
        self._write()
        return super().replace(entry)

    def archive(self, entry: Entry) -> None:
        self._write()
        super().archive(entry)

    def _write(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unavailable("ledger_unreachable", "no answer")


class Raced(MemoryStore):
    """A store in which somebody else writes a row just before one of our writes.

    Attributes:
        left: how many of our writes come before that.
        times: how many of our writes it happens to, one after the other.
    """

    left = ENDLESS
    times = 1

    def replace(self, entry: Entry) -> str:
        self.left -= 1
        if -self.times <= self.left < 0:
            super().replace(replace(entry, nonce="somebody else"))
            raise Conflict("ledger_conflict", "changed meanwhile")
        return super().replace(entry)
