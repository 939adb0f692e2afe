"""The ledger's rows in Azure Table Storage.

It reads and writes rows; `ledger` has the rules.
Open and closed rows live in two partitions, so that a sweep reads the open ones only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import UpdateMode

from coupa_core.addresses import folded
from coupa_core.errors import Conflict
from coupa_core.ledger import (
    NOTHING_KNOWN,
    Corrupt,
    Entry,
    Note,
    Opened,
    Status,
)
from coupa_core.table_ledger.rows import is_readable, read_row, write_row
from coupa_core.table_ledger.values import read_time, time_text
from coupa_core.tables import Table

OPEN, CLOSED, ASIDE, STATUS = "open", "closed", "aside", "status"
"""The partitions."""

_LATE_WRITES = timedelta(minutes=1)
"""How far before a position rows are read again: an earlier write may become visible later."""


class TableStore(Table):
    """The rows in one table."""

    CODES = "ledger"

    def open_entries(self, since: str = "", known: Mapping[int, Entry] = NOTHING_KNOWN) -> Opened:
        """Return the rows that are not closed, and those that cannot be read.

        A position is the greatest `Timestamp` that was seen, which the service sets with every write.
        Source:
            https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
        """
        entries: list[Entry] = []
        corrupt: list[Corrupt] = []
        where = "PartitionKey eq @part"
        parameters: dict[str, Any] = {"part": OPEN}
        if since:
            where += " and Timestamp ge @since"
            parameters["since"] = datetime.fromisoformat(since) - _LATE_WRITES
        with self._talking("list the open rows") as client:
            for row in client.query_entities(
                where, parameters=parameters
            ):  # a page in memory, not all of them
                written_at = row.metadata["timestamp"]
                since = max(since, written_at.astimezone(UTC).isoformat() if written_at else "")
                try:
                    entries.append(_known_row(row, known) or read_row(row))
                except ValueError as error:
                    corrupt.append(Corrupt(row["RowKey"], str(error)))
        entries.sort(key=lambda entry: entry.approval_id)
        return Opened(entries, corrupt, since)

    def read(self, approval_id: int) -> Entry | None:
        """Return the open row of an approval; an unreadable row raises `Conflict`, and a sweep repairs it."""
        return self._read(OPEN, approval_id)

    def read_closed(self, approval_id: int) -> Entry | None:
        """Return the closed row of an approval; one that cannot be read counts as none."""
        try:
            return self._read(CLOSED, approval_id)
        except Conflict:
            return None

    def closed_entries(self, *, since: datetime, until: datetime) -> list[Entry]:
        """Return the rows that were closed in that time; one that cannot be read is left out."""
        with self._talking("list the closed rows") as client:
            rows = list(
                client.query_entities(
                    "PartitionKey eq @part and closed_at ge @since and closed_at lt @until",
                    parameters={"part": CLOSED, "since": since.isoformat(), "until": until.isoformat()},
                )
            )
        return [read_row(row) for row in rows if is_readable(row)]

    def decided_entries(self, *, by: str, since: datetime) -> list[Entry]:
        """Return the rows that this address decided since then, without unreadable ones.

        The service searches both partitions. Rows of release 0.2 have the
        address as the caller wrote it.
        """
        theirs = "( decided_by eq @by or decided_by eq @given )"  # the SDK takes "@given)" for a name
        where = f"PartitionKey eq @part and decided_at ge @since and {theirs}"
        asked = {"since": since.astimezone(UTC).isoformat(), "by": folded(by), "given": by}
        found: list[Entry] = []
        with self._talking("list what somebody decided") as client:
            for part in (OPEN, CLOSED):
                rows = client.query_entities(where, parameters={**asked, "part": part})
                found += [read_row(row) for row in rows if is_readable(row)]
        return [row for row in found if row.is_decided_by(by, since=since)]

    def insert(self, entry: Entry) -> str:
        """Store a new row and return its etag."""
        with self._talking(f"insert row {entry.approval_id}") as client:
            return str(client.create_entity(write_row(OPEN, entry))["etag"])

    def replace(self, entry: Entry) -> str:
        """Store a row over the one that has its etag and return the new etag."""
        with self._talking(f"replace row {entry.approval_id}") as client:
            stored = client.update_entity(
                write_row(OPEN, entry),
                mode=UpdateMode.REPLACE,
                etag=entry.etag,
                match_condition=MatchConditions.IfNotModified,
            )
            return str(stored["etag"])

    def archive(self, entry: Entry) -> None:
        """Write the closed row, then delete the open one if it is still the one that was read.

        A crash between the two leaves both: the open one is closed again by the next sweep.
        """
        with self._talking(f"archive row {entry.approval_id}") as client:
            client.upsert_entity(write_row(CLOSED, entry), mode=UpdateMode.REPLACE)
            client.delete_entity(
                {"PartitionKey": OPEN, "RowKey": str(entry.approval_id)},
                etag=entry.etag,
                match_condition=MatchConditions.IfNotModified,
            )

    def set_aside(self, corrupt: Corrupt) -> None:
        """Move a row that cannot be read to a partition of its own, with the cause.

        If another sweep was quicker and has written a new row, that row stays.
        """
        with self._talking(f"set aside row {corrupt.key}") as client:
            try:
                row = client.get_entity(OPEN, corrupt.key)
            except ResourceNotFoundError:
                return
            if is_readable(row):
                return
            client.upsert_entity({**row, "PartitionKey": ASIDE, "aside_cause": corrupt.cause[:500]})
            client.delete_entity(
                row, etag=row.metadata["etag"], match_condition=MatchConditions.IfNotModified
            )

    def purge_closed(self, before: datetime) -> int:
        """Delete the rows that were closed before that time, a hundred at once."""
        where = "PartitionKey eq @part and closed_at lt @before"
        return self._purge("purge closed rows", where, {"part": CLOSED, "before": before.isoformat()})

    def status(self) -> Status:
        """Return the status of the last sweep; one that cannot be read counts as none."""
        with self._talking("read the status") as client:
            try:
                row = client.get_entity(STATUS, "sweep")
            except ResourceNotFoundError:
                return Status()
        try:
            return _status(json.loads(row["status"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return Status()

    def save_status(self, status: Status) -> None:
        """Store the status of this sweep."""
        text = json.dumps({item.name: time_text(getattr(status, item.name)) for item in fields(status)})
        with self._talking("save the status") as client:
            client.upsert_entity(
                {"PartitionKey": STATUS, "RowKey": "sweep", "status": text}, mode=UpdateMode.REPLACE
            )

    def note(self, name: str) -> Note:
        """Return a shared text."""
        with self._talking(f"read note {name}") as client:
            try:
                row = client.get_entity(STATUS, name)
            except ResourceNotFoundError:
                return Note()
        return Note(str(row.get("note", "")), str(row.metadata["etag"]))

    def save_note(self, name: str, note: Note) -> str:
        """Store a shared text over the one that was read and return its etag."""
        row = {"PartitionKey": STATUS, "RowKey": name, "note": note.text}
        with self._talking(f"save note {name}") as client:
            if not note.etag:
                return str(client.create_entity(row)["etag"])
            stored = client.update_entity(
                row,
                mode=UpdateMode.REPLACE,
                etag=note.etag,
                match_condition=MatchConditions.IfNotModified,
            )
            return str(stored["etag"])

    def _read(self, partition: str, approval_id: int) -> Entry | None:
        with self._talking(f"read row {approval_id}") as client:
            try:
                row = client.get_entity(partition, str(approval_id))
            except ResourceNotFoundError:
                return None
        try:
            return read_row(row)
        except ValueError as error:
            raise Conflict("ledger_corrupt", f"row {approval_id} cannot be read: {error}") from error


def _known_row(row: Any, known: Mapping[int, Entry]) -> Entry | None:
    """Return the known row if it was not written since."""
    key = str(row["RowKey"])
    entry = known.get(int(key)) if key.isascii() and key.isdigit() else None
    return entry if entry is not None and entry.etag == row.metadata["etag"] else None


def _status(values: dict[str, Any]) -> Status:
    """Read a status; raises AttributeError, TypeError or ValueError when it is not one of ours.

    Unknown fields are left out and missing ones have their defaults, because two releases run at the same
    time during a deployment, and a status that counts as none would begin a first run.
    """
    blank = Status()
    known = {item.name for item in fields(Status)}
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            continue
        if name.endswith(("_at", "_until")):
            read[name] = None if value is None else read_time(name, value)
        elif type(value) is type(getattr(blank, name)):
            read[name] = value
        else:
            raise TypeError(f"{name} is of a wrong type")
    return Status(**read)
