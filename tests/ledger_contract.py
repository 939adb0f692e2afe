"""Shared parts of the tests of the ledger: rows, threads that start together, stores that lose answers."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, TypeVar

from azure.data.tables import TableClient
from unruly import Lossy

from coupa_core.errors import ServiceError
from coupa_core.ledger import Entry, Ledger, LedgerStore, MemoryStore, OpenQuestion, PersonState, State
from coupa_core.table_ledger import CLOSED, OPEN, TableStore
from coupa_core.table_ledger import write_row as _row

T = TypeVar("T")

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def row(approval_id: int = 7, **fields: Any) -> Entry:
    """Return a row with every field at its default but those given."""
    return Entry(**{"approval_id": approval_id, "state": State.SENT, "nonce": "n", **fields})


def told_of(*versions: str, **fields: Any) -> dict[str, PersonState]:
    """Return who was told which version, for user 1, 2 and so on; the same of everybody besides."""
    return {f"user:{number}": PersonState(version=each, **fields) for number, each in enumerate(versions, 1)}


def full_row(approval_id: int = 7) -> Entry:
    """Return a row with no field at its default."""
    return Entry(
        approval_id=approval_id,
        state=State.PARKED,
        nonce="6f1c",
        document_type="RequisitionHeader",
        document_id=9_223_372_036_854_775_807,
        generation=3,
        seen_approval="2026-11-23T01:02:03-08:00",
        seen_document="2026-11-23T01:02:04-08:00",
        wanted_by=(date(2026, 12, 10), date(2026, 12, 30)),
        told={
            "user:12": PersonState(
                version="v1:abc",
                to="group:3",
                at=NOW,
                figures='{"currency":"USD","lines":[[1,"2","900","1800"]],"number":1,"total":"1800"}',
                reminders=2,
                reminded_at=NOW - timedelta(minutes=5),
                refusals=3,
                retry_at=NOW + timedelta(minutes=4),
                since=NOW - timedelta(days=3),
            ),
            "user:3": PersonState(),
        },
        sent_to="group:3",
        first_told_at=NOW - HOUR,
        attempted_at=NOW + timedelta(microseconds=1),
        lease_until=NOW.astimezone(timezone(timedelta(hours=5, minutes=45))) + HOUR,
        next_at=NOW + 2 * HOUR,
        failures=8,
        uncertain=2,
        cause="über'legen ☃",
        decision="reject",
        decided_by="søren.o'neil+å@example.com",
        decided_at=NOW - HOUR,
        decision_key="Zm9v",
        closed_at=NOW - 2 * HOUR,
        due_at=NOW + HOUR,
        escalated_at=NOW - timedelta(minutes=4),
        ended_as="approved",
        farewell={"user:12": "shown", "user:4": "requester"},
        questions={
            2**62: OpenQuestion(by="user:12", of="user:4", on=9_223_372_036_854_775_807),
            471: OpenQuestion(by="user:3", of="user:4", on=5, is_put=True),
        },
        reach="5f1c-77aa",
    )


def ledger_on(store: LedgerStore) -> Ledger:
    """Return a ledger whose nonces are different each time, and the same in each run."""
    numbers = itertools.count(1)
    return Ledger(store, new_nonce=lambda: f"nonce-{next(numbers)}")


def at_once(number: int, work: Callable[[int], T]) -> list[T | ServiceError]:
    """Do the work in so many threads that begin together; an error of ours is a result."""
    gate = threading.Barrier(number)

    def run(index: int) -> T | ServiceError:
        gate.wait()
        try:
            return work(index)
        except ServiceError as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def put(store: LedgerStore, entries: Iterable[Entry], *, are_closed: bool = False) -> None:
    if isinstance(store, TableStore):
        store.status()  # makes the table
        partition = CLOSED if are_closed else OPEN
        put_raw(store._client, [_row(partition, entry) for entry in entries])
        return
    for entry in entries:
        stored = Entry(**{**vars(entry), "etag": store.insert(entry)})
        if are_closed:
            store.archive(stored)


def put_raw(client: TableClient, rows: list[dict[str, Any]]) -> None:
    """Store rows as they are, a hundred at once."""
    for start in range(0, len(rows), 100):
        client.submit_transaction([("create", each) for each in rows[start : start + 100]])


class LossyStore(Lossy, MemoryStore):
    """A ledger's store whose answers get lost."""

    methods = ("read", "insert", "replace", "archive")
