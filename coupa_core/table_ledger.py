"""The ledger's rows in Azure Table Storage.

It reads and writes rows; `ledger` has the rules.
Open and closed rows live in two partitions, so that a sweep reads the open ones only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

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
    OpenQuestion,
    PersonState,
    State,
    Status,
)
from coupa_core.tables import Table

SCHEMA = 1
"""The version of the row format; a row of a later version is refused."""

J = TypeVar("J")

OPEN, CLOSED, ASIDE, STATUS = "open", "closed", "aside", "status"
"""The partitions."""

_TEXT, _NUMBER, _TIME, _DAYS, _MAP = "text", "number", "time", "days", "map"
_KINDS = {
    "nonce": _TEXT,
    "document_type": _TEXT,
    "document_id": _TEXT,  # ids go beyond the 32 bits that a table's plain integer holds
    "generation": _NUMBER,
    "seen_approval": _TEXT,
    "seen_document": _TEXT,
    "wanted_by": _DAYS,
    "sent_to": _TEXT,
    "first_told_at": _TIME,
    "attempted_at": _TIME,
    "lease_until": _TIME,
    "next_at": _TIME,
    "failures": _NUMBER,
    "uncertain": _NUMBER,
    "cause": _TEXT,
    "decision": _TEXT,
    "decided_by": _TEXT,
    "decided_at": _TIME,
    "decision_key": _TEXT,
    "closed_at": _TIME,
    "due_at": _TIME,
    "escalated_at": _TIME,
    "ended_as": _TEXT,
    "farewell": _MAP,
    "reach": _TEXT,
}
_LATE_WRITES = timedelta(minutes=1)
"""How far before a mark rows are read once more: an earlier write may become visible later."""

_MAX_FACTS = 24_000
"""Characters of shown figures in one row: a text in a table takes 32,768. The oldest figures are left out.

Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""


class TableStore(Table):
    """The rows in one table."""

    CODES = "ledger"

    def open_entries(self, since: str = "", known: Mapping[int, Entry] = NOTHING_KNOWN) -> Opened:
        """Return the rows that are not closed, and those that cannot be read.

        A mark is the greatest `Timestamp` that was seen, which the service sets with every write.
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
                    entries.append(_kept(row, known) or _entry(row))
                except ValueError as error:
                    corrupt.append(Corrupt(row["RowKey"], str(error)))
        entries.sort(key=lambda entry: entry.approval_id)
        return Opened(entries, corrupt, since)

    def read(self, approval_id: int) -> Entry | None:
        """Return the open row of an approval; one that cannot be read is a conflict for the sweep to mend."""
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
        return [_entry(row) for row in rows if _is_readable(row)]

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
                found += [_entry(row) for row in rows if _is_readable(row)]
        return [row for row in found if row.is_decided_by(by, since=since)]

    def insert(self, entry: Entry) -> str:
        """Store a new row and return its etag."""
        with self._talking(f"insert row {entry.approval_id}") as client:
            return str(client.create_entity(_row(OPEN, entry))["etag"])

    def replace(self, entry: Entry) -> str:
        """Store a row over the one that has its etag and return the new etag."""
        with self._talking(f"replace row {entry.approval_id}") as client:
            stored = client.update_entity(
                _row(OPEN, entry),
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
            client.upsert_entity(_row(CLOSED, entry), mode=UpdateMode.REPLACE)
            client.delete_entity(
                {"PartitionKey": OPEN, "RowKey": str(entry.approval_id)},
                etag=entry.etag,
                match_condition=MatchConditions.IfNotModified,
            )

    def set_aside(self, corrupt: Corrupt) -> None:
        """Move a row that cannot be read to a partition of its own, with the cause.

        Another sweep may have been quicker, and may have made the row anew: that row stays.
        """
        with self._talking(f"set aside row {corrupt.key}") as client:
            try:
                row = client.get_entity(OPEN, corrupt.key)
            except ResourceNotFoundError:
                return
            if _is_readable(row):
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
        text = json.dumps({item.name: _json_value(getattr(status, item.name)) for item in fields(status)})
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
            return _entry(row)
        except ValueError as error:
            raise Conflict("ledger_corrupt", f"row {approval_id} cannot be read: {error}") from error


def _row(partition: str, entry: Entry) -> dict[str, Any]:
    """Write a row without its default values."""
    row: dict[str, Any] = {
        "PartitionKey": partition,
        "RowKey": str(entry.approval_id),
        "schema": SCHEMA,
        "state": entry.state.value,
    }
    for item in fields(entry):
        if item.name in _KINDS:
            value = getattr(entry, item.name)
            if value and value != item.default:
                row[item.name] = _WRITERS[_KINDS[item.name]](value)
    if entry.questions:
        row["questions"] = _text(
            {number: [each.by, each.of, each.on, each.is_put] for number, each in entry.questions.items()}
        )
    return row | _people(entry)


def _people(entry: Entry) -> dict[str, Any]:
    """Write the state of each person, in columns that release 0.2 can read, too, as far as it knows them.

    `told` has the versions; `people` has lists: place in `cards`, then when told, reminders, when reminded,
    refusals, when tried again. `cards` has each pair of an approver's key and shown figures once, and `since`
    when people were first told: with it `people` of a large group would be too long.
    `sent_at`, `reminders` and `reminded_at` are for release 0.2, which kept them of everybody together.
    """
    if not entry.told:
        return {}
    newest = sorted(
        entry.told.values(), key=lambda each: each.at.timestamp() if each.at else 0.0, reverse=True
    )
    cards: dict[tuple[str, str], int] = {}
    room = _MAX_FACTS
    for each in newest:
        if (each.to, each.facts) not in cards and len(each.facts) <= room:
            cards[each.to, each.facts] = len(cards)
            room -= len(each.facts)
    people: dict[str, list[Any]] = {}
    for key, each in entry.told.items():
        card = cards.get((each.to, each.facts))
        if card is None:
            card = cards.setdefault((each.to, ""), len(cards))
        values = [card, each.at, each.reminders, each.reminded_at, each.refusals, each.retry_at]
        people[key] = list(map(_json_value, values))
    since = {key: _json_value(each.since) for key, each in entry.told.items() if each.since}
    columns: dict[str, Any] = {
        "told": _text({key: each.version for key, each in entry.told.items()}),
        "people": _text({key: _trimmed(values) for key, values in people.items()}),
        "cards": _text(list(cards)),
        "since": _text(since) if since else "",
        "sent_at": _json_value(entry.told_at),
        "reminders": max(each.reminders for each in entry.told.values()),
        "reminded_at": _json_value(max((at for each in newest if (at := each.reminded_at)), default=None)),
    }
    return {name: value for name, value in columns.items() if value}


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _trimmed(values: list[Any]) -> list[Any]:
    """Remove empty values at the end."""
    while len(values) > 1 and not values[-1]:
        values.pop()
    return values


def _kept(row: Any, known: Mapping[int, Entry]) -> Entry | None:
    """Return the known row, where it was not written since."""
    key = str(row["RowKey"])
    entry = known.get(int(key)) if key.isascii() and key.isdigit() else None
    return entry if entry is not None and entry.etag == row.metadata["etag"] else None


def _entry(row: Any) -> Entry:
    """Read a row.

    Raises:
        ValueError: a later schema, an unknown state, or a field of a wrong type; says which.
    """
    if row.get("schema") != SCHEMA:
        raise ValueError(f"schema {row.get('schema')!r} is not {SCHEMA}")
    key = str(row["RowKey"])
    if not key.isascii() or not key.isdigit():
        raise ValueError("the row key is no approval id")
    values = {name: _READERS[kind](name, row[name]) for name, kind in _KINDS.items() if name in row}
    if "document_id" in values:
        values["document_id"] = int(values["document_id"])
    if "document_type" in values:
        values["document_type"] = sys.intern(values["document_type"])  # the same few in many thousand rows
    versions = _read_map("told", row["told"]) if "told" in row else {}
    if "people" in row:
        values["told"] = _read_people(row, versions)
    elif versions:
        values |= _of_release_0_2(row, versions)
    if "questions" in row:
        values["questions"] = _read_questions(row["questions"])
    values.setdefault("nonce", "")
    return Entry(
        approval_id=int(key), state=State(row.get("state")), etag=str(row.metadata["etag"]), **values
    )


def _read_people(row: Any, versions: dict[str, str]) -> dict[str, PersonState]:
    """Read the state of each person; raises ValueError, see `_entry`."""
    people, cards = _read_json("people", row["people"], dict), _read_json("cards", row.get("cards"), list)
    since = _read_map("since", row["since"]) if "since" in row else {}
    told = {}
    try:
        for key, version in versions.items():
            card, at, reminders, reminded_at, refusals, retry_at = [*people[key], *[None] * 6][:6]
            to, facts = cards[card]
            told[key] = PersonState(
                version=version,
                to=_read_text("to", to),
                at=at and _read_time("at", at),
                since=_read_time("since", since[key]) if key in since else None,
                facts=_read_text("facts", facts),
                reminders=_read_number("reminders", reminders or 0),
                reminded_at=reminded_at and _read_time("reminded_at", reminded_at),
                refusals=_read_number("refusals", refusals or 0),
                retry_at=retry_at and _read_time("retry_at", retry_at),
            )
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"people or cards cannot be read: {type(error).__name__}") from error
    return told


def _read_questions(value: Any) -> dict[int, OpenQuestion]:
    """Read the open questions; raises ValueError, see `_entry`."""
    found = {}
    for key, parsed in _read_json("questions", value, dict).items():
        match parsed:
            case [str(by), str(of), int(on), bool(is_put), *_] if key.isascii() and key.isdigit():
                found[int(key)] = OpenQuestion(by=by, of=of, on=on, is_put=is_put)
            case _:
                raise ValueError("questions cannot be read")
    return found


def _of_release_0_2(row: Any, versions: dict[str, str]) -> dict[str, Any]:
    """Read a row of release 0.2, which kept the figures and times of the last notice for everybody.

    Where people have different versions the figures could be anybody's, so nobody gets them.
    """
    at = _read_time("sent_at", row["sent_at"]) if "sent_at" in row else None
    reminded_at = _read_time("reminded_at", row["reminded_at"]) if "reminded_at" in row else None
    names = {version for version in versions.values() if version}
    common = PersonState(
        to=_read_text("sent_to", row.get("sent_to", "")),
        at=at,
        facts=_read_text("shown", row.get("shown", "")) if len(names) == 1 else "",
        reminders=_read_number("reminders", row.get("reminders", 0)),
        reminded_at=reminded_at,
    )
    return {
        "told": {
            key: replace(common, version=version) if version else PersonState()
            for key, version in versions.items()
        },
        "first_told_at": at,
        "failures": _read_number("refusals", row.get("refusals", 0)),
    }


def _is_readable(row: Any) -> bool:
    try:
        _entry(row)
    except ValueError:
        return False
    return True


def _status(values: dict[str, Any]) -> Status:
    """Read a status; raises AttributeError, TypeError or ValueError when it is not one of ours.

    A name that another release knows is left out, and one that it does not know has its default: both run at
    once during a deployment, and a status that counts as none would begin a first run.
    """
    blank = Status()
    known = {item.name for item in fields(Status)}
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            continue
        if name.endswith(("_at", "_until")):
            read[name] = None if value is None else _read_time(name, value)
        elif type(value) is type(getattr(blank, name)):
            read[name] = value
        else:
            raise TypeError(f"{name} is of a wrong type")
    return Status(**read)


def _json_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")  # noqa: TRY004 - one error for every fault of a row
    return value


def _read_number(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} is no number")  # noqa: TRY004 - as above
    return value


def _read_time(name: str, value: Any) -> datetime:
    time = datetime.fromisoformat(_read_text(name, value))
    if time.tzinfo is None:
        raise ValueError(f"{name} has no time zone")
    return time


def _read_days(name: str, value: Any) -> tuple[date, ...]:
    return tuple(map(date.fromisoformat, _read_text(name, value).split()))


def _read_json(name: str, value: Any, kind: type[J]) -> J:
    try:
        parsed = json.loads(_read_text(name, value))
    except RecursionError as error:
        raise ValueError(f"{name} is nested too deep") from error
    if not isinstance(parsed, kind):
        raise ValueError(f"{name} is no {'map' if kind is dict else 'list'}")  # noqa: TRY004 - as above
    return parsed


def _read_map(name: str, value: Any) -> dict[str, str]:
    parsed = _read_json(name, value, dict)
    return {key: _read_text(f"{name} of {key}"[:80], each) for key, each in parsed.items()}


_READERS: dict[str, Callable[[str, Any], Any]] = {
    _TEXT: _read_text,
    _NUMBER: _read_number,
    _TIME: _read_time,
    _DAYS: _read_days,
    _MAP: _read_map,
}
_WRITERS: dict[str, Callable[[Any], Any]] = {
    _TEXT: str,
    _NUMBER: int,
    _TIME: _json_value,
    _DAYS: lambda days: " ".join(day.isoformat() for day in days),
    _MAP: lambda value: _text(dict(value)),
}
