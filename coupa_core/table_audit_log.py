"""The rows of the audit log in Azure Table Storage.

It writes and reads rows; `audit_log` has the rules of the chain. Each day is a partition: first its head,
then its rows by their places. The newest day is the first partition, so that it is found at once.

Source: https://learn.microsoft.com/azure/storage/tables/table-storage-design-patterns#log-tail-pattern
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableEntity, UpdateMode

from coupa_core.audit_log import Head, Row, read_head
from coupa_core.errors import Malformed
from coupa_core.tables import Table

HEAD = "0" * 10
"""The key of a head; rows have theirs from 1 on."""

_LAST_DAY = 99999999


class TableAuditStore(Table):
    """The rows in one table. Only a write makes the table: a reader may not have the right to."""

    CODES = "audit"

    def head(self, day: date) -> Head | None:
        """Return the head of a day, or None.

        Raises:
            Malformed: it cannot be read.
        """
        with self._talking(f"read the head of {day}", makes=False) as client:
            try:
                row = client.get_entity(partition(day), HEAD)
            except ResourceNotFoundError:
                return None
        head = _head(row)
        if head is None:
            raise Malformed("audit_corrupt", f"the head of {day} cannot be read")
        return head

    def heads(self, *, before: date | None = None) -> Iterator[tuple[date, Head | None]]:
        """Yield each day that has rows, the newest first, by one request each."""
        last = partition(before) if before else ""
        while True:
            rows = self._found("list the days", "PartitionKey gt @last", {"last": last}, results_per_page=1)
            row = next(rows, None)
            if row is None:
                return
            last = row["PartitionKey"]
            day = _day(last)
            if day:
                yield day, _head(row)

    def rows(self, day: date, *, after: int = 0) -> Iterator[Row]:
        """Yield the rows of a day from the place after that one, page by page."""
        places = {"part": partition(day), "after": row_key(after)}
        where = "PartitionKey eq @part and RowKey gt @after"
        yield from map(_row, self._found(f"read the rows of {day}", where, places))

    def _found(
        self, what: str, where: str, values: Mapping[str, str], **options: Any
    ) -> Iterator[TableEntity]:
        with self._talking(what, makes=False) as client, suppress(ResourceNotFoundError):  # no table yet
            yield from client.query_entities(where, parameters=dict(values), **options)

    def write(self, head: Head, rows: Sequence[Row] = ()) -> Head:
        """Store new rows and the head of their day in one transaction, and return the head with its etag."""
        part = partition(head.day)
        operations: list[Any] = [("create", _stored_row(part, row)) for row in rows]
        if head.etag:
            condition = {"etag": head.etag, "match_condition": MatchConditions.IfNotModified}
            operations.append(("update", _stored_head(part, head), {"mode": UpdateMode.REPLACE, **condition}))
        else:
            operations.append(("create", _stored_head(part, head)))
        with self._talking(f"append to {head.day}") as client:
            return replace(head, etag=str(client.submit_transaction(operations)[-1]["etag"]))

    def erase(self, day: date, *, with_head: bool) -> int:
        """Delete the rows of a day a hundred at once; when all are gone its head, too, if asked for."""
        part, what = partition(day), f"erase {day}"
        where = "PartitionKey eq @part and RowKey ne @head"
        erased = self._purge(what, where, {"part": part, "head": HEAD})
        if with_head:
            with self._talking(what) as client:
                client.delete_entity(part, HEAD)
        return erased


def partition(day: date) -> str:
    """Return the partition of a day: later days sort first."""
    return f"{_LAST_DAY - int(day.isoformat().replace('-', '')):08d}_{day.isoformat()}"


def row_key(seq: int) -> str:
    """Return the key of the row at that place."""
    return f"{seq:0{len(HEAD)}d}"


def _day(part: str) -> date | None:
    """Return the day of a partition; None for one that is not ours."""
    try:
        day = date.fromisoformat(part.partition("_")[2])
    except ValueError:
        return None
    return day if partition(day) == part else None


def _stored_row(part: str, row: Row) -> dict[str, Any]:
    key = {"PartitionKey": part, "RowKey": row_key(row.seq)}
    return {**key, "row": row.text, "prev": row.prev, "hash": row.hash, "seal": row.seal}


def _row(stored: Mapping[str, Any]) -> Row:
    """Read a row as it is stored; the check of the chain finds its faults."""
    key = str(stored["RowKey"])
    seq = int(key) if key.isascii() and key.isdigit() and key == row_key(int(key)) else 0
    text, prev, own, seal = (str(stored.get(name, "")) for name in ("row", "prev", "hash", "seal"))
    return Row(seq, text, prev, own, seal)


def _stored_head(part: str, head: Head) -> dict[str, Any]:
    return {"PartitionKey": part, "RowKey": HEAD, "head": head.text(), "seal": head.seal}


def _head(stored: Any) -> Head | None:
    """Read a head; None where it cannot be the head of its day."""
    text, seal = str(stored.get("head", "")), str(stored.get("seal", ""))
    head = read_head(text, seal=seal, etag=str(stored.metadata["etag"]))
    is_its = head is not None and (partition(head.day), HEAD) == (stored["PartitionKey"], stored["RowKey"])
    return head if is_its else None
