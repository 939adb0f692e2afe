"""The audit log's table beyond the contract: rows of a stranger, and lost answers.

The SDK is the real one throughout; it talks to Azurite, or to a relay in front of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from audit_log_contract import (
    DAY_S,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    audit_log_on,
    event,
    fill,
    found,
    head_of,
    stored,
)
from azure.data.tables import TableClient, UpdateMode
from proof.relay import ANSWERS, Relay, before
from werkzeug.wrappers import Response

from coupa_core.audit_log import MAX_ROWS, NAMES, ROOT, AuditLog, Event, EventKind, Head
from coupa_core.errors import Malformed, ServiceError, Unavailable, Unknown
from coupa_core.table_audit_log import HEAD, TableAuditStore, partition
from coupa_core.tables import CLICK_OPTIONS, SWEEP_OPTIONS, table_client
from sandbox.azurite import Azurite
from sandbox.serving import served

OPTIONS = [pytest.param(SWEEP_OPTIONS, id="sweep"), pytest.param(CLICK_OPTIONS, id="click")]


# How it lies in the table.


def test_a_day_is_a_partition_that_begins_with_its_head(table: TableClient) -> None:
    fill(TableAuditStore(table), [2, 1])

    keys = [(row["PartitionKey"], row["RowKey"]) for row in table.list_entities()]

    assert keys == [
        ("79738875_2026-11-24", "0000000000"),
        ("79738875_2026-11-24", "0000000001"),
        ("79738876_2026-11-23", "0000000000"),
        ("79738876_2026-11-23", "0000000001"),
        ("79738876_2026-11-23", "0000000002"),
        ("99989898_0001-01-01", "0000000000"),
    ]


def test_later_days_sort_first() -> None:
    days = [ROOT, date(999, 12, 31), date(2025, 12, 31), MONDAY, TUESDAY, date(2027, 1, 1), date.max]

    assert sorted(map(partition, days)) == [partition(day) for day in reversed(days)]


@pytest.mark.slow
def test_the_newest_day_is_found_by_one_request(azurite_server: Azurite) -> None:
    with relayed(azurite_server) as (audit_log, relay, direct):
        fill(direct.store, [1] * 9)
        relay.calls.clear()

        day, _ = next(audit_log.store.heads())

        assert day == date(2026, 12, 1)
        assert relay.count() == 1


def test_an_append_within_a_day_takes_two_requests(azurite_server: Azurite) -> None:
    with relayed(azurite_server) as (audit_log, relay, _):
        audit_log.append([event(1)])
        relay.calls.clear()

        audit_log.append([event(2), event(3)])

        assert [call.method for call in relay.calls] == ["GET", "POST"]


def test_the_first_append_of_a_day_takes_eight_requests(azurite_server: Azurite) -> None:
    with relayed(azurite_server) as (audit_log, relay, _):
        audit_log.append([event(1)])
        audit_log._clock.sleep(DAY_S)
        relay.calls.clear()

        audit_log.append([event(2)])

        assert relay.count() == 8


@pytest.mark.slow
def test_ninety_nine_of_the_longest_events_fit_into_one_transaction(azurite_server: Azurite) -> None:
    """4 MiB: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions."""
    texts = {name: "\U0001f600" * 256 for name in NAMES if Event.__dataclass_fields__[name].default == ""}
    longest = event(2**63, kind=EventKind.DECISION, document_id=2**63, **texts)
    with relayed(azurite_server) as (audit_log, relay, _):
        audit_log.append([longest] * MAX_ROWS)

        assert len(texts) == 13
        assert 3 * 2**20 < max(len(call.body) for call in relay.calls) < 4 * 2**20
        assert audit_log.verify().rows == MAX_ROWS


# What a stranger may leave there.


def spoil(table: TableClient, day: date, key: str, change: dict[str, Any]) -> None:
    """Store something else in some columns; None takes a column away."""
    row = {**table.get_entity(partition(day), key), **change}
    kept = {name: value for name, value in row.items() if value is not None}
    table.upsert_entity(kept, mode=UpdateMode.REPLACE)


@pytest.mark.slow
def test_rows_under_keys_that_are_no_places_are_found(table: TableClient) -> None:
    audit_log = fill(TableAuditStore(table))
    row = table.get_entity(partition(TUESDAY), "0000000002")
    for key in ("0000000002a", "00000000020", "2", "\u0661", "z"):
        table.create_entity({**row, "RowKey": key})
        assert "added" in found(audit_log)
        table.delete_entity(partition(TUESDAY), key)
    assert audit_log.verify().broken is None


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"row": None}, {"row": 5}, {"prev": None}, {"hash": 7}, {"seal": None}])
def test_a_row_whose_columns_are_missing_or_no_text_is_found(
    table: TableClient, change: dict[str, Any]
) -> None:
    audit_log = fill(TableAuditStore(table))
    row = {**table.get_entity(partition(TUESDAY), "0000000002"), **change}
    table.upsert_entity(
        {name: value for name, value in row.items() if value is not None}, mode=UpdateMode.REPLACE
    )

    assert found(audit_log).startswith("2026-11-24, row 2: ")


@pytest.mark.parametrize("change", [{"head": None}, {"head": 5}, {"head": "{}"}, {"seal": None}])
def test_a_head_that_cannot_be_read_is_found_and_nothing_is_appended_to_it(
    table: TableClient, change: dict[str, Any]
) -> None:
    audit_log = fill(TableAuditStore(table))
    head = {**table.get_entity(partition(WEDNESDAY), HEAD), **change}
    table.upsert_entity(
        {name: value for name, value in head.items() if value is not None}, mode=UpdateMode.REPLACE
    )

    assert found(audit_log).startswith("2026-11-25: ")
    with pytest.raises(Malformed) as caught:
        audit_log.append([event(9)])
    assert caught.value.code in ("audit_corrupt", "audit_broken")


def test_the_head_of_another_day_is_not_that_of_this_one(table: TableClient) -> None:
    audit_log = fill(TableAuditStore(table))
    head = table.get_entity(partition(TUESDAY), HEAD)
    table.upsert_entity({**head, "PartitionKey": partition(WEDNESDAY)}, mode=UpdateMode.REPLACE)

    assert found(audit_log) == "2026-11-25: head does not fit (the head is missing or cannot be read)"


@pytest.mark.slow
@pytest.mark.parametrize("key", ["!", "-000000001"])
def test_something_before_the_head_of_a_day_is_found(table: TableClient, key: str) -> None:
    audit_log = fill(TableAuditStore(table))
    table.create_entity({**table.get_entity(partition(TUESDAY), HEAD), "RowKey": key})

    assert found(audit_log) == "2026-11-24: head does not fit (the head is missing or cannot be read)"


@pytest.mark.parametrize("part", ["zzz", "79738876", "79738876_2026-11-24", "79738876_soon", "0_2026-11-24"])
def test_what_is_no_day_of_the_record_is_none_of_its_business(table: TableClient, part: str) -> None:
    audit_log = fill(TableAuditStore(table))
    table.create_entity({"PartitionKey": part, "RowKey": HEAD, "head": "{}"})

    assert audit_log.verify().broken is None
    assert len(stored(audit_log)) == 12


def test_columns_that_are_not_ours_are_ignored(table: TableClient) -> None:
    audit_log = fill(TableAuditStore(table))
    row = table.get_entity(partition(TUESDAY), "0000000002")
    table.upsert_entity({**row, "remark": "added by hand"})

    assert audit_log.verify().broken is None


# The table itself.


def test_only_writing_makes_the_table(table: TableClient) -> None:
    audit_log = audit_log_on(TableAuditStore(table))

    report = audit_log.verify()

    assert (report.broken, report.last) == (None, None)
    assert stored(audit_log) == []
    table.create_table()  # there was none


@pytest.mark.slow
def test_a_reader_who_may_not_make_a_table_can_check_the_record(azurite_server: Azurite) -> None:
    with relayed(azurite_server) as (audit_log, relay, direct):
        fill(direct.store)
        relay.fail("answer", method="POST", path="Tables", times=None, status=403)

        assert audit_log.verify().rows == 12


def test_a_table_deleted_under_us_is_made_again(table: TableClient) -> None:
    audit_log = audit_log_on(TableAuditStore(table))
    audit_log.append([event(1)])
    table.delete_table()

    audit_log.append([event(2)])

    assert stored(audit_log) == [(MONDAY, 1, 2)]


# Lost answers: the service does what it is asked, and something else is heard.


@contextmanager
def relayed(
    server: Azurite, options: Mapping[str, Any] = SWEEP_OPTIONS
) -> Iterator[tuple[AuditLog, Relay, AuditLog]]:
    """Yield a journal that goes through a relay, the relay, and a journal on the same table that does not."""
    name = f"t{time.monotonic_ns()}"
    with (
        before(server) as (connection, relay),
        table_client(connection=connection, account_url="", table=name, options=options) as through,
        table_client(connection=server.connection_string, account_url="", table=name) as past,
    ):
        yield (
            audit_log_on(TableAuditStore(through)),
            relay,
            audit_log_on(TableAuditStore(past), writer="direct"),
        )


def lose(relay: Relay, answer: str, *, times: int = 1, skip: int = 0) -> None:
    """Let transactions be done, and answered by an error or not at all, after some that are answered."""
    kind = "lose" if answer == "cut" else "replace"
    details = {} if answer == "cut" else {"status": int(answer)}
    relay.fail(kind, method="POST", path="batch", times=times, skip=skip, **details)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_rows_that_were_written_are_ours_though_the_answer_was_lost(
    azurite_server: Azurite, answer: str, options: Mapping[str, Any]
) -> None:
    with relayed(azurite_server, options) as (audit_log, relay, direct):
        audit_log.append([event(1)])
        lose(relay, answer)

        audit_log.append([event(2), event(3)])
        audit_log.append([event(4)])

        assert [number for _, _, number in stored(direct)] == [1, 2, 3, 4]
        assert direct.verify().broken is None


@pytest.mark.slow
@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_day_begins_once_though_an_answer_was_lost_at_any_step(
    azurite_server: Azurite, answer: str, step: int
) -> None:
    """The root, that it names Monday, Monday's head, the note of it, and the first rows."""
    with relayed(azurite_server, CLICK_OPTIONS) as (audit_log, relay, direct):
        lose(relay, answer, skip=step)

        audit_log.append([event(1), event(2)])

        assert not relay._faults, "the step was not reached"
        assert stored(direct) == [(MONDAY, 1, 1), (MONDAY, 2, 2)]
        assert [day for day, _ in direct.store.heads()] == [MONDAY, ROOT]
        assert direct.verify().broken is None


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS)
def test_rows_whose_answers_are_all_lost_are_ours_all_the_same(azurite_server: Azurite, answer: str) -> None:
    with relayed(azurite_server) as (audit_log, relay, direct):
        direct.append([event(1)])
        lose(relay, answer, times=99)

        audit_log.append([event(2)])

        assert [number for _, _, number in stored(direct)] == [1, 2]


@pytest.mark.parametrize("options", OPTIONS)
def test_rows_that_the_service_never_writes_raise(
    azurite_server: Azurite, options: Mapping[str, Any]
) -> None:
    with relayed(azurite_server, options) as (audit_log, relay, direct):
        direct.append([event(1)])
        relay.fail("cut", method="POST", path="batch", times=None)

        with pytest.raises(Unknown) as caught:
            audit_log.append([event(2)])

        assert caught.value.code == "audit_lost"
        assert [number for _, _, number in stored(direct)] == [1]
        assert relay.count("POST", "batch") == 2


def test_rows_of_somebody_else_are_not_taken_for_ours(azurite_server: Azurite) -> None:
    """The answer to ours is an error, nothing was done, and another writer comes in between."""
    with relayed(azurite_server, CLICK_OPTIONS) as (audit_log, relay, direct):
        direct.append([event(1)])
        relay.between = lambda: direct.append([event(2)])
        relay.fail("answer", method="POST", path="batch", status=503)

        audit_log.append([event(2)])

        assert [number for _, _, number in stored(direct)] == [1, 2, 2]
        assert direct.verify().broken is None


# A service that refuses, says nothing, or is not there.

OPERATIONS: dict[str, Callable[[TableAuditStore], object]] = {
    "head": lambda store: store.head(MONDAY),
    "heads": lambda store: list(store.heads()),
    "rows": lambda store: list(store.rows(MONDAY)),
    "write": lambda store: store.write(Head(day=MONDAY)),
    "replace": lambda store: store.write(Head(day=MONDAY, etag="e")),
    "erase": lambda store: store.erase(MONDAY, with_head=True),
}


def client_of(url: str) -> TableClient:
    """Return the client of a service at that address."""
    connection = f"AccountName=a;AccountKey=a2V5;TableEndpoint={url}/a;DefaultEndpointsProtocol=http"
    return table_client(connection=connection, account_url="", table="audit", options=CLICK_OPTIONS)


def failure_of(work: Callable[[TableAuditStore], object], client: TableClient) -> ServiceError:
    """Return what the operation raised."""
    store = TableAuditStore(client)
    store._exists = True
    with pytest.raises(ServiceError) as caught:
        work(store)
    return caught.value


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Unavailable), (403, Unavailable), (429, Unavailable), (500, Unknown), (503, Unknown)],
)
def test_a_failure_says_whether_anything_happened(name: str, status: int, kind: type[ServiceError]) -> None:
    with served(Response(status=status)) as url, client_of(url) as client:
        failure = failure_of(OPERATIONS[name], client)

    assert type(failure) is kind
    assert (failure.code, failure.status) == (f"audit_{status}", status)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_answer_that_is_not_the_table_services_is_no_answer(name: str) -> None:
    page = Response("<html>Please sign in</html>", mimetype="text/html")
    with served(page) as url, client_of(url) as client:
        failure = failure_of(OPERATIONS[name], client)

    assert type(failure) is Unknown


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_service_that_is_not_there_is_told(name: str) -> None:
    with client_of("http://127.0.0.1:1") as client:
        failure = failure_of(OPERATIONS[name], client)

    assert (type(failure), failure.code) == (Unknown, "audit_lost")


@pytest.mark.slow
def test_a_purge_beside_another_is_left_to_the_next_one(azurite_server: Azurite) -> None:
    with relayed(azurite_server) as (audit_log, relay, direct):
        fill(direct.store)
        for each in (audit_log, direct):
            each._clock.sleep(3 * DAY_S)
        relay.between = lambda: direct.purge(keep_days=1)

        with pytest.raises(ServiceError):
            audit_log.purge(keep_days=1)

        assert audit_log.purge(keep_days=1) == 0
        assert head_of(direct.store, TUESDAY).purged == 8
        assert direct.verify().broken is None


@contextmanager
def aged(server: Azurite) -> Iterator[tuple[AuditLog, Relay, AuditLog]]:
    """Yield a journal through a relay, at a time when Monday and Tuesday are old: 3 and 150 rows."""
    with relayed(server) as (audit_log, relay, direct):
        fill(direct.store, [3, 150, 4])
        for each in (audit_log, direct):
            each._clock.sleep(3 * DAY_S)
        yield audit_log, relay, direct


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["500", "503", "504"])
@pytest.mark.parametrize("skip", [1, 2, 3])
def test_a_purge_that_was_done_ends_well_though_the_answer_was_lost(
    azurite_server: Azurite, answer: str, skip: int
) -> None:
    """The first transaction is the tombstone."""
    with aged(azurite_server) as (audit_log, relay, direct):
        lose(relay, answer, skip=skip)

        assert audit_log.purge(keep_days=1) == 153

        assert not relay._faults, "the step was not reached"
        assert [day for day, _ in direct.store.heads()] == [WEDNESDAY, TUESDAY]
        assert len(stored(direct)) == 4
        assert direct.verify().broken is None


def test_a_day_that_cannot_be_purged_keeps_no_other_from_it(azurite_server: Azurite) -> None:
    with aged(azurite_server) as (audit_log, relay, direct):
        relay.fail("answer", method="POST", path="batch", status=403, skip=1)

        with pytest.raises(Unavailable) as caught:
            audit_log.purge(keep_days=1)

        assert caught.value.code == "audit_403"
        assert [day for day, _ in direct.store.heads()] == [WEDNESDAY, TUESDAY, MONDAY]
        assert list(direct.store.rows(TUESDAY)) == []
        assert direct.verify().broken is None
        assert audit_log.purge(keep_days=1) == 3
        assert [day for day, _ in direct.store.heads()] == [WEDNESDAY, TUESDAY]
        assert direct.verify().broken is None
