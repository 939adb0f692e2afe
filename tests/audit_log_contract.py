"""Shared parts of the tests of the audit log: events, an audit log with a clock to move, and forgeries."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from azure.data.tables import UpdateMode
from unruly import Lossy

from coupa_core.audit_log import (
    GENESIS,
    AuditLog,
    AuditStore,
    Event,
    EventKind,
    Head,
    MemoryAuditStore,
    Row,
    Seals,
    canonical,
    row_hash,
)
from coupa_core.table_audit_log import TableAuditStore, partition, row_key
from sandbox.clock import ManualClock

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""The beginning of the simulators' clock."""

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (23, 24, 25, 26))
DAY_S = 24 * 3600.0
KEYS = {"k1": b"one key of thirty-two bytes at least"}
FOREIGN_KEY = b"a stranger's own key, long enough for it"
HOSTILE = (
    '=cmd|"/c calc"!A1',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "'=1",
    'a "quoted", comma; semicolon',
    "über ☃ \U0001f600",
    "\uff1d1+1",
    "<script>&amp;",
    "{}[]:\\",
    "x" * 256,
)


def event(number: int = 7, **fields: Any) -> Event:
    """Return an event that is known by its number."""
    return Event(**{"kind": EventKind.INTENT, "at": NOW, "approval_id": number, **fields})


def full_event() -> Event:
    """Return an event with no field at its default."""
    return Event(
        kind=EventKind.DECISION,
        at=NOW,
        approval_id=9_223_372_036_854_775_807,
        document_type="RequisitionHeader",
        document_id=5001,
        actor="søren.o'neil+å@example.com",
        known_by="key+entra+token",
        capacity="delegate",
        verb="approve",
        outcome="approved",
        cause="coupa_503",
        version="v1:abc",
        digest="d1",
        generation=3,
        token_key="k1",
        request_id="0HM-1",
        state_before="pending_approval",
        state_after="approved",
    )


def audit_log_on(
    store: AuditStore,
    *,
    clock: ManualClock | None = None,
    keys: Mapping[str, bytes] = KEYS,
    writer: str = "w",
) -> AuditLog:
    """Return a journal whose nonces are different each time, and the same in each run."""
    count = itertools.count(1)
    return AuditLog(
        store,
        seals=Seals(keys),
        clock=clock or ManualClock(),
        chance=random.Random(1),
        new_nonce=lambda: f"{writer}-{next(count)}",
    )


def fill(store: AuditStore, days: Sequence[int] = (3, 5, 4), *, keys: Mapping[str, bytes] = KEYS) -> AuditLog:
    """Append so many events on Monday, Tuesday and so on, and return the journal, still on the last day."""
    clock = ManualClock()
    audit_log = audit_log_on(store, clock=clock, keys=keys)
    number = itertools.count(1)
    for index, size in enumerate(days):
        if index:
            clock.advance(DAY_S)
        audit_log.append([event(next(number)) for _ in range(size)])
    return audit_log


def stored(
    audit_log: AuditLog, *, since: date = date.min, until: date = date.max
) -> list[tuple[date, int, int]]:
    """Return day, place and number of each event in the record."""
    rows = audit_log.rows(since=since, until=until)
    return [(day, row.seq, row.values()["event"]["approval_id"]) for day, row in rows]


def head_of(store: AuditStore, day: date) -> Head:
    """Return the head of a day, which must be there."""
    head = store.head(day)
    assert head is not None
    return head


def found(audit_log: AuditLog) -> str:
    """Return what the check says of a broken record."""
    broken = audit_log.verify().broken
    assert broken is not None
    return str(broken)


def forged(row: Row, *, kid: str = "k1", **fields: Any) -> Row:
    """Return a row with something else in its event, hashed anew by somebody who has no key of ours."""
    said = json.loads(row.text)
    text = canonical({**said, "seq": row.seq, "kid": kid, "event": {**said["event"], **fields}})
    own = row_hash(row.prev, text)
    return replace(row, text=text, hash=own, seal=Seals({kid: FOREIGN_KEY}).of(own))


def put(store: AuditStore, head: Head, rows: Sequence[Row]) -> None:
    """Write a day as somebody does who may write to the table: nobody asks for an etag."""
    if isinstance(store, MemoryAuditStore):
        etag = head.etag or 'W/"theirs"'
        store.days[head.day] = replace(head, etag=etag), {row.seq: row for row in rows}
        return
    assert isinstance(store, TableAuditStore)
    part = partition(head.day)
    store.erase(head.day, with_head=False)
    stored = [{"RowKey": row_key(0), "head": head.text(), "seal": head.seal}]
    stored += [
        {"RowKey": row_key(row.seq), "row": row.text, "prev": row.prev, "hash": row.hash, "seal": row.seal}
        for row in rows
    ]
    for each in stored:
        store._client.upsert_entity({"PartitionKey": part, **each}, mode=UpdateMode.REPLACE)


def rewrite(store: AuditStore, *, kid: str, actor: str, **said: Any) -> None:
    """Make the whole record anew: another actor, every hash right, and seals of no key at all."""
    prev = GENESIS
    for day, head in sorted(store.heads()):
        assert head is not None
        rows = []
        for row in store.rows(day):
            old = json.loads(row.text)
            text = canonical({**old, **said, "kid": kid, "event": {**old["event"], "actor": actor}})
            own = row_hash(prev, text)
            rows.append(Row(row.seq, text, prev, own, "00"))
            prev = own
        put(store, replace(head, kid=kid, hash=prev, seal="00"), rows)


def silently(store: AuditStore, *, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Let an earlier version change its key between two days: its rows do not say what they follow."""
    fill(store, [2], keys=before)
    seals = Seals(after)
    monday = head_of(store, MONDAY)
    store.write(seals.sealed(replace(monday, next=TUESDAY, is_followed=True)))
    begun = store.write(seals.sealed(Head(day=TUESDAY, hash=monday.hash, before=MONDAY)))
    said = {"day": TUESDAY.isoformat(), "seq": 1, "kid": seals.kid, "nonce": "n", "event": event().values()}
    text = canonical(said)
    own = row_hash(monday.hash, text)
    store.write(
        seals.sealed(replace(begun, seq=1, hash=own)), [Row(1, text, monday.hash, own, seals.of(own))]
    )


class LossyAuditStore(Lossy, MemoryAuditStore):
    """A store of the audit record whose answers get lost."""

    methods = ("head", "rows", "write")
