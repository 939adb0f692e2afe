"""How long approvals waited: by ISO week, type and approver."""

from __future__ import annotations

import csv
import io
import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from bridge import SETTINGS, World
from ledger_contract import HOUR, NOW, row
from proof.relay import before

from coupa_core.app import Overrides, build
from coupa_core.audit_log import Event, EventKind, Row
from coupa_core.clock import SystemClock
from coupa_core.endpoints import Request
from coupa_core.ledger import Entry, LedgerStore, MemoryStore, State
from coupa_core.report import CycleTimes, as_csv
from coupa_core.settings import read_settings
from sandbox.azurite import Azurite
from sandbox.clock import ManualClock

BEA = "bea@example.com"
MONDAY = date(2026, 11, 23)


class Record:
    """The audit record as far as it is read here."""

    def __init__(self, *events: Event, clock: ManualClock | None = None) -> None:
        self.asked: list[date] = []
        self._events = events
        self._clock = clock

    def rows(self, day: date) -> Iterator[Row]:
        self.asked.append(day)
        if self._clock:
            self._clock.advance(60)
        for seq, each in enumerate((each for each in self._events if each.at.date() == day), 1):
            said = each.values() | ({"approval_id": "x"} if each.cause == "spoiled" else {})
            yield Row(seq, json.dumps({"event": said}), "", "", "")


def event(kind: EventKind, at: datetime, outcome: str, approval_id: int = 7, **fields: Any) -> Event:
    return Event(kind=kind, at=at, outcome=outcome, approval_id=approval_id, **fields)


def closed_row(store: LedgerStore, number: int = 7, **fields: Any) -> None:
    """Store the row of an approval that ended: told two hours ago, closed now."""
    given = {
        "document_type": "RequisitionHeader",
        "sent_to": "user:12",
        "first_told_at": NOW - 2 * HOUR,
        **fields,
    }
    entry: Entry = row(number, **{"closed_at": NOW, **given})
    store.archive(row(**{**vars(entry), "etag": store.insert(entry)}))


def table(store: LedgerStore, record: Record | None = None, **days: Any) -> dict[str, Any]:
    clock = ManualClock(NOW)
    times = CycleTimes(store=store, record=record or Record(), clock=clock)
    return times.table(days.get("since"), days.get("until"))


def line(**fields: Any) -> dict[str, Any]:
    given = {"week": "2026-W48", "document_type": "RequisitionHeader", "approver": "user:12", "count": 1}
    waited_s = fields.pop("waited_s", 7200.0)
    return {**given, "median_s": waited_s, "p95_s": waited_s, "longest_s": waited_s, **fields}


def test_a_wait_goes_from_the_notice_to_the_end(store: LedgerStore) -> None:
    closed_row(store)

    assert table(store) == {"from": "2026-09-28", "to": "2026-11-23", "is_complete": True, "rows": [line()]}


def test_what_was_withdrawn_waited_for_no_decision() -> None:
    store = MemoryStore()
    closed_row(store, cause="gone")
    closed_row(store, 8, cause="gone", decision="approve", decided_at=NOW)

    assert table(store)["rows"] == [line()]


def test_a_decision_ends_the_wait_before_the_sweep_that_closes_the_row() -> None:
    store = MemoryStore()
    closed_row(store, 1, decision="approve", decided_at=NOW - HOUR)
    store.insert(row(2, state=State.DECIDED, decided_at=NOW, first_told_at=NOW - HOUR, sent_to="group:3"))
    store.insert(row(3, state=State.SENT, first_told_at=NOW - HOUR))

    assert table(store)["rows"] == [
        line(document_type="", approver="group:3", waited_s=3600.0),
        line(waited_s=3600.0),
    ]


def test_the_first_notice_counts_even_when_a_later_version_was_told() -> None:
    store = MemoryStore()
    closed_row(store)
    notices = [event(EventKind.NOTICE, NOW - hours * HOUR, "sent") for hours in (5, 3)]
    others = [
        event(EventKind.NOTICE, NOW - 9 * HOUR, "refused"),
        event(EventKind.NOTICE, NOW - 9 * HOUR, "sent", generation=1),
        event(EventKind.NOTICE, NOW - 9 * HOUR, "sent", 8),
        event(EventKind.NOTICE, NOW - 9 * HOUR, "sent", cause="spoiled"),
    ]

    assert table(store, Record(*notices, *others))["rows"] == [line(waited_s=5 * 3600.0)]


def test_a_decision_whose_row_is_gone_is_known_from_the_record_alone() -> None:
    record = Record(
        event(EventKind.NOTICE, NOW - 4 * HOUR, "sent"),
        event(EventKind.DECISION, NOW - HOUR, "approved", document_type="RequisitionHeader"),
        event(EventKind.DECISION, NOW, "already_decided"),
    )

    assert table(MemoryStore(), record)["rows"] == [line(approver="", waited_s=3 * 3600.0)]


def test_the_record_knows_better_than_the_row_when_it_was_decided() -> None:
    store = MemoryStore()
    closed_row(store)
    record = Record(event(EventKind.DECISION, NOW - HOUR, "approved"))

    assert table(store, record)["rows"] == [line(waited_s=3600.0)]


def test_what_was_never_announced_or_ended_outside_the_days_is_not_counted() -> None:
    store = MemoryStore()
    closed_row(store, 1, first_told_at=None)
    closed_row(store, 2, closed_at=NOW + timedelta(days=1))
    closed_row(store, 3, closed_at=NOW - timedelta(days=1))

    assert table(store, since=MONDAY, until=MONDAY)["rows"] == []


def test_weeks_are_those_of_iso_8601_in_utc_and_figures_are_of_each_group() -> None:
    store = MemoryStore()
    new_year = datetime(2027, 1, 1, 0, 30, tzinfo=UTC)
    closed_row(store, 1, closed_at=new_year, first_told_at=new_year - HOUR)
    for number, hours in enumerate((1, 2, 10), 2):
        closed_row(store, number, first_told_at=NOW - hours * HOUR)

    rows = table(store, since=MONDAY, until=date(2027, 1, 1))["rows"]

    assert rows == [
        line(count=3, median_s=7200.0, p95_s=36_000.0, longest_s=36_000.0),
        line(week="2026-W53", waited_s=3600.0),
    ]


def test_the_days_of_the_record_are_read_once_and_two_weeks_further_back() -> None:
    record = Record()

    table(MemoryStore(), record, since=MONDAY, until=MONDAY)

    assert record.asked == [MONDAY + timedelta(days=back) for back in range(1, -15, -1)]


def test_a_reading_that_takes_too_long_is_said_not_to_be_complete() -> None:
    clock = ManualClock(NOW)
    times = CycleTimes(store=MemoryStore(), record=Record(clock=clock), clock=clock)

    assert times.table(None, None)["is_complete"] is False


def test_as_csv_the_rows_have_a_header_and_no_formula() -> None:
    store = MemoryStore()
    closed_row(store, document_type="=cmd|'/C calc'!A0")

    read = list(csv.reader(io.StringIO(as_csv(table(store)))))

    assert read[0] == ["week", "document_type", "approver", "count", "median_s", "p95_s", "longest_s"]
    assert read[1] == ["2026-W48", "'=cmd|'/C calc'!A0", "user:12", "1", "7200.0", "7200.0", "7200.0"]


def test_operators_read_it_as_json_and_as_csv() -> None:
    world = World()
    group = world.group(BEA)
    card = world.offer(group)
    world.clock.advance(3600)
    world.click(card, BEA)
    world.sweep()

    as_json = world.call("cycle_times", query={"from": "2026-11-01", "to": "2026-11-30"})
    as_text = world.call("cycle_times", query={"format": "csv"})

    [shown] = as_json.body["rows"]
    assert (shown["approver"], shown["document_type"], shown["count"]) == (
        f"group:{group.id}",
        "RequisitionHeader",
        1,
    )
    assert 3590 < shown["median_s"] < 3610
    assert (as_json.mimetype, as_text.mimetype) == ("application/json", "text/csv")
    assert as_text.text().splitlines()[1].startswith(f"2026-W48,RequisitionHeader,group:{group.id},1,")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": "last week"}, "bad_day"),
        ({"to": "2026-13-01"}, "bad_day"),
        ({"format": "xml"}, "bad_format"),
        ({"from": "2027-01-01", "to": "2026-01-01"}, "bad_range"),
        ({"to": "1999-12-31"}, "bad_range"),
    ],
)
def test_what_is_asked_for_wrongly_is_refused(query: dict[str, str], code: str) -> None:
    reply = World().call("cycle_times", query=query)

    assert (reply.status, reply.body["error"]) == (400, code)


@pytest.mark.slow
@pytest.mark.parametrize(("route", "asked"), [("cycle_times", "closed_at"), ("status", "PartitionKey")])
def test_what_scans_rows_has_more_time_than_the_table_service_takes(
    azurite_server: Azurite, route: str, asked: str
) -> None:
    """Five seconds, and some for the way; a click would wait for two."""
    changed = {"LEDGER_TABLE": f"t{time.monotonic_ns()}", "COUPA_BASE_URL": "http://127.0.0.1:1"}
    with before(azurite_server) as (connection, relay):
        settings = read_settings({**SETTINGS, **changed, "LEDGER_CONNECTION": connection})
        bridge = build(settings, Overrides(SystemClock(), random.Random(1)))
        relay.fail("slow", method="GET", path=r"\(\)", query=asked, seconds=5.3)

        began_s = time.monotonic()
        reply = bridge.endpoints.handle(route, Request())

    assert reply.status == 200, reply.body
    assert time.monotonic() - began_s > 5
