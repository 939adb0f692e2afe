"""The port to the stored rows of the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

from coupa_core.audit_log.chain import Head, Row


class AuditStore(Protocol):
    """The port to the stored rows; each method raises `Unavailable` or `Unknown` when there is no answer."""

    def head(self, day: date) -> Head | None:
        """Return the head of a day, or None; raises `Malformed` when it cannot be read."""
        ...

    def heads(self, *, before: date | None = None) -> Iterator[tuple[date, Head | None]]:
        """Yield each stored day, the newest first, and its head if it can be read.

        Args:
            before: earlier days only.
        """
        ...

    def rows(self, day: date, *, after: int = 0) -> Iterator[Row]:
        """Yield the rows of a day from the place after that one, by their keys, without holding them all."""
        ...

    def write(self, head: Head, rows: Sequence[Row] = ()) -> Head:
        """Store new rows and the head of their day, all or nothing, and return the head with its etag.

        Raises:
            Conflict: a row exists; or the head does, and this one has no etag; or it has another etag.
        """
        ...

    def erase(self, day: date, *, with_head: bool) -> int:
        """Delete the rows of a day, then its head if asked for, and return how many rows."""
        ...
