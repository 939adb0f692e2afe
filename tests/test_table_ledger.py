"""The table store beyond the contract: unreadable rows, and answers that are lost or make no sense.

The SDK is the real one throughout; it talks to Azurite, or to a small server in front of it.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.data.tables import EdmType, EntityProperty, TableClient
from ledger_contract import NOW, full_row, ledger_on, put_raw, row
from proof.relay import ANSWERS, Relay, lose, relayed
from slow import slow
from werkzeug.wrappers import Response

from coupa_core import tables
from coupa_core.azure_sdk import Identity
from coupa_core.clock import Deadline, SystemClock, until
from coupa_core.errors import Conflict, ServiceError, SettingsError, Unavailable, Unknown
from coupa_core.ledger import Corrupt, Entry, Lease, PersonState, State, Status
from coupa_core.sweep.run import SWEEP_S
from coupa_core.table_ledger import ASIDE, CLOSED, OPEN, STATUS, TableStore
from coupa_core.table_ledger import write_row as _row
from coupa_core.tables import CLICK_OPTIONS, SWEEP_OPTIONS, table_client
from sandbox.azurite import Azurite
from sandbox.serving import served

SOUND: dict[str, Any] = {"PartitionKey": OPEN, "RowKey": "7", "schema": 1, "state": "sent", "nonce": "n"}
TEXTS = (
    "nonce",
    "document_type",
    "document_id",
    "seen_approval",
    "seen_document",
    "wanted_by",
    "told",
    "sent_to",
    "cause",
    "decision",
    "decided_by",
    "decision_key",
    "ended_as",
    "farewell",
    "reach",
)
NUMBERS = ("generation", "failures", "uncertain")
TIMES = (
    *("first_told_at", "attempted_at", "lease_until", "next_at", "decided_at", "closed_at"),
    *("due_at", "escalated_at"),
)
PEOPLE = {"told": '{"user:1":"v"}', "people": '{"user:1":[0]}', "cards": '[["user:1",""]]'}
"""Columns of what somebody was told."""

LATER = "2026-11-23T09:00:00"

OF_0_2_0: dict[str, Any] = {
    "PartitionKey": OPEN,
    "RowKey": "7",
    "schema": 1,
    "state": "sent",
    "nonce": "6f1c",
    "document_type": "RequisitionHeader",
    "document_id": "41",
    "seen_approval": "2026-11-23T01:02:03-08:00",
    "seen_document": "2026-11-23T01:02:04-08:00",
    "told": '{"user:1":"v1","user:2":"v1","user:3":""}',
    "sent_to": "group:3",
    "sent_at": "2026-11-23T09:00:00+00:00",
    "attempted_at": "2026-11-23T09:00:00+00:00",
    "refusals": 1,
    "shown": '{"total":"1800"}',
    "reminders": 2,
    "reminded_at": "2026-11-23T10:00:00+00:00",
}
"""A row as release 0.2.0 wrote it."""

SPOILED: list[tuple[dict[str, Any], str]] = [
    *(({name: 5}, f"{name} is no text") for name in TEXTS),
    *(({name: "5"}, f"{name} is no number") for name in NUMBERS),
    ({"questions": 5}, "questions is no text"),
    ({"questions": "[]"}, "questions is no map"),
    *(
        ({"questions": text}, "questions cannot be read")
        for text in (
            '{"471": ["user:1"]}',
            '{"471": ["user:1", 2, 5, true]}',
            '{"x": ["user:1", "user:2", 5, true]}',
        )
    ),
    ({"generation": True}, "generation is no number"),
    ({"generation": 1.5}, "generation is no number"),
    ({"generation": EntityProperty(5, EdmType.INT64)}, "generation is no number"),
    *(({name: 5}, f"{name} is no text") for name in TIMES),
    *(({name: "2026-11-23T09:00:00"}, f"{name} has no time zone") for name in TIMES),
    ({"next_at": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
    ({"next_at": NOW}, "next_at is no text"),
    ({"wanted_by": "2026-12-01 soon"}, "Invalid isoformat string: 'soon'"),
    *(
        ({"told": '{"user:1":"v"}', name: 5}, f"{name} is no text")
        for name in ("sent_at", "reminded_at", "shown")
    ),
    *(({"told": '{"user:1":"v"}', name: "5"}, f"{name} is no number") for name in ("reminders", "refusals")),
    ({**PEOPLE, "people": "[]"}, "people is no map"),
    ({**PEOPLE, "cards": None}, "cards is no text"),
    ({**PEOPLE, "cards": "{}"}, "cards is no list"),
    *(
        ({**PEOPLE, **change}, f"people or cards cannot be read: {error}")
        for change, error in (
            ({"people": "{}"}, "KeyError"),
            ({"people": '{"user:1":[1]}'}, "IndexError"),
            ({"people": '{"user:1":5}'}, "TypeError"),
            ({"people": '{"user:1":[]}'}, "TypeError"),
        )
    ),
    ({**PEOPLE, "people": '{"user:1":[0,5]}'}, "at is no text"),
    ({**PEOPLE, "people": f'{{"user:1":[0,"{LATER}"]}}'}, "at has no time zone"),
    ({**PEOPLE, "people": '{"user:1":[0,null,"1"]}'}, "reminders is no number"),
    ({**PEOPLE, "people": '{"user:1":[0,null,0,5]}'}, "reminded_at is no text"),
    ({**PEOPLE, "people": '{"user:1":[0,null,0,null,"1"]}'}, "refusals is no number"),
    ({**PEOPLE, "people": '{"user:1":[0,null,0,null,0,5]}'}, "retry_at is no text"),
    ({**PEOPLE, "cards": '[[5,""]]'}, "to is no text"),
    ({**PEOPLE, "cards": '[["user:1",5]]'}, "facts is no text"),
    ({"document_id": "PO-1"}, "invalid literal for int() with base 10: 'PO-1'"),
    ({"told": "x"}, "Expecting value: line 1 column 1 (char 0)"),
    ({"told": "[]"}, "told is no map"),
    ({"told": "[" * 30_000}, "told is nested too deep"),
    ({"told": '{"user:1": 5}'}, "told of user:1 is no text"),
    ({"state": "flying"}, "'flying' is not a valid State"),
    ({"state": None}, "None is not a valid State"),
    ({"schema": 2}, "schema 2 is not 1"),
    ({"schema": None}, "schema None is not 1"),
    ({"schema": "1"}, "schema '1' is not 1"),
]
BY_FIELD = [
    pytest.param(change, cause, id=f"{next(iter(change))}-{index}")
    for index, (change, cause) in enumerate(SPOILED)
]


def stored(change: Mapping[str, Any] | None = None, **keys: str) -> dict[str, Any]:
    """Return a row as it lies in the table, with something else in it; None takes a column away."""
    whole = {**SOUND, **(change or {}), **keys}
    return {name: value for name, value in whole.items() if value is not None}


def store_with(table: TableClient, *rows: dict[str, Any]) -> TableStore:
    """Return a store on a table that holds these rows."""
    table.create_table()
    for each in rows:
        table.upsert_entity(each)
    return TableStore(table)


# Rows that cannot be read.


@pytest.mark.parametrize(("second", "figures"), [("v1", '{"total":"1800"}'), ("v0", "")])
def test_a_row_of_release_0_2_0_gives_each_what_is_surely_theirs(
    table: TableClient, second: str, figures: str
) -> None:
    table.create_table()
    table.upsert_entity({**OF_0_2_0, "told": f'{{"user:1":"v1","user:2":"{second}","user:3":""}}'})

    [row] = TableStore(table).open_entries().entries

    common = PersonState(
        to="group:3", at=NOW, figures=figures, reminders=2, reminded_at=NOW + timedelta(hours=1)
    )
    assert row.told == {
        "user:1": replace(common, version="v1"),
        "user:2": replace(common, version=second),
        "user:3": PersonState(),
    }
    assert (row.first_told_at, row.failures, row.sent_to) == (NOW, 1, "group:3")


@pytest.mark.parametrize(("change", "cause"), BY_FIELD)
def test_a_row_that_cannot_be_read_is_named_and_the_others_come_back(
    table: TableClient, change: dict[str, Any], cause: str
) -> None:
    store = store_with(table, stored(RowKey="6"), stored(change), stored(RowKey="8"))

    opened = store.open_entries()

    assert [each.approval_id for each in opened.entries] == [6, 8]
    assert opened.corrupt == [Corrupt("7", cause)]
    with pytest.raises(Conflict) as caught:
        store.read(7)
    assert caught.value.code == "ledger_corrupt"
    assert cause in str(caught.value)


@pytest.mark.parametrize("key", ["approval 7", "-7", "7.0", "\u0667", "o'neil"])
def test_a_row_whose_key_is_no_id_is_corrupt(table: TableClient, key: str) -> None:
    store = store_with(table, stored(RowKey=key), stored(RowKey="8"))

    opened = store.open_entries()

    assert opened.corrupt == [Corrupt(key, "the row key is no approval id")]
    assert [each.approval_id for each in opened.entries] == [8]


def test_columns_that_are_not_ours_are_ignored(table: TableClient) -> None:
    store = store_with(table, stored({"remark": "added by hand"}))

    assert store.read(7) == row()


def test_a_row_without_a_nonce_can_be_read(table: TableClient) -> None:
    store = store_with(table, stored({"nonce": None}))

    assert store.read(7) == row(nonce="")


@pytest.mark.parametrize("change", [{"state": "flying"}, {"schema": 2}, {"next_at": NOW}])
def test_a_row_set_aside_keeps_everything_and_the_cause(table: TableClient, change: dict[str, Any]) -> None:
    store = store_with(table, stored(change), stored(RowKey="8"))
    [corrupt] = store.open_entries().corrupt

    store.set_aside(corrupt)

    assert store.read(7) is None
    opened = store.open_entries()
    assert (opened.corrupt, [each.approval_id for each in opened.entries]) == ([], [8])
    aside = table.get_entity(ASIDE, "7")
    assert aside == {**stored(change), "PartitionKey": ASIDE, "aside_cause": corrupt.cause}


def test_a_row_set_aside_makes_room_for_a_new_one(table: TableClient) -> None:
    store = store_with(table, stored({"state": "flying"}))
    ledger = ledger_on(store)

    store.set_aside(Corrupt("7", "x" * 1000))

    assert ledger.claim(None, approval_id=7, now=NOW, lease=Lease()) is not None
    assert table.get_entity(ASIDE, "7")["aside_cause"] == "x" * 500


def test_a_row_that_another_sweep_made_anew_is_not_set_aside(table: TableClient) -> None:
    store = store_with(table, stored({"state": "flying"}))
    [corrupt] = store.open_entries().corrupt
    store.set_aside(corrupt)
    store.insert(row(cause="anew"))

    store.set_aside(corrupt)

    assert store.read(7) == row(cause="anew")


def test_a_row_that_is_made_anew_during_the_setting_aside_stays(azurite_server: Azurite) -> None:
    with relayed(azurite_server) as (store, front, direct):
        direct.insert(row())
        direct._client.upsert_entity(stored({"state": "flying"}))
        front.between = lambda: direct._client.upsert_entity(stored({"cause": "anew"}))

        with pytest.raises(Conflict):
            store.set_aside(Corrupt("7", "state"))

        assert direct.read(7) == row(cause="anew")


def test_a_closed_row_that_cannot_be_read_counts_as_none(table: TableClient) -> None:
    store = store_with(table, stored({"generation": "5"}, PartitionKey=CLOSED))

    assert store.read_closed(7) is None
    assert ledger_on(store).begin(7).generation == 0


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        "{",
        "null",
        "[]",
        '"sweep"',
        '{"later": 1}',
        '{"last_sweep_at": 5}',
        '{"last_sweep_at": "soon"}',
        '{"last_complete_at": "2026-11-23T09:00:00"}',
        '{"suspect": "no"}',
        '{"edits_known_until": 5}',
        '{"counts": []}',
        '{"failure": null}',
    ],
)
def test_a_status_that_cannot_be_read_counts_as_none(table: TableClient, text: object) -> None:
    store = store_with(table, stored({"status": text}, PartitionKey=STATUS, RowKey="sweep"))

    assert store.status() == Status()


@pytest.mark.parametrize(
    "text", ['{"failure": "x"}', '{"failure": "x", "later": 1}', '{"failure": "x", "later_at": "soon"}']
)
def test_a_status_of_another_release_is_read_as_far_as_it_is_known(table: TableClient, text: str) -> None:
    store = store_with(table, stored({"status": text}, PartitionKey=STATUS, RowKey="sweep"))

    assert store.status() == Status(failure="x")


def test_what_has_its_default_value_is_not_stored() -> None:
    assert _row(OPEN, row()) == SOUND
    assert set(_row(OPEN, full_row())) == {
        *("PartitionKey", "RowKey", "schema", "state", "people", "cards", "questions", "since"),
        *(*TEXTS, *NUMBERS, *TIMES),
        *("sent_at", "reminders", "reminded_at"),  # for the release before
    }


# The table itself.


def test_the_table_is_made_on_first_use(table: TableClient) -> None:
    first, second = TableStore(table), TableStore(table)

    first.insert(row())

    assert second.read(7) == row()


def test_a_table_deleted_under_us_is_made_again(table: TableClient) -> None:
    store = TableStore(table)
    ledger = ledger_on(store)
    gone = ledger.commit(row(8))
    assert gone is not None
    table.delete_table()

    assert ledger.commit(row()) is not None
    assert ledger.commit(gone) is None
    assert [each.approval_id for each in store.open_entries().entries] == [7]


def test_a_sweep_after_the_table_was_deleted_fails_once(table: TableClient) -> None:
    store = TableStore(table)
    store.insert(row())
    table.delete_table()

    with pytest.raises(Conflict):
        store.open_entries()

    assert store.open_entries().entries == []


# Lost answers: the service does what it is asked, and something else is heard.


REPEATS = [pytest.param(SWEEP_OPTIONS, id="sweep"), pytest.param(CLICK_OPTIONS, id="click")]


@pytest.mark.parametrize("options", REPEATS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_row_that_was_inserted_is_ours_though_the_answer_was_lost(
    azurite_server: Azurite, answer: str, options: Mapping[str, Any]
) -> None:
    with relayed(azurite_server, options) as (store, relay, direct):
        store.status()
        lose(relay, "POST", answer)

        entry = ledger_on(store).claim(None, approval_id=7, now=NOW, lease=Lease())

        assert entry is not None
        assert entry == direct.read(7)
        assert entry.uncertain == 0
        assert relay.count("GET", r"RowKey=%277%27|RowKey='7'") == 2  # of the closed row, and to read back


@pytest.mark.parametrize("options", REPEATS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_row_that_was_replaced_is_ours_though_the_answer_was_lost(
    azurite_server: Azurite, answer: str, options: Mapping[str, Any]
) -> None:
    with relayed(azurite_server, options) as (store, relay, direct):
        before = ledger_on(direct).commit(full_row())
        assert before is not None
        lose(relay, "PUT", answer)
        ledger = ledger_on(store)
        ledger._new_nonce = lambda: "ours"

        after = ledger.commit(replace(before, cause="ours"))

        now = direct.read(7)
        assert after is not None
        assert now is not None
        assert after == now == replace(before, cause="ours", nonce="ours")
        assert after.etag == now.etag != before.etag


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_row_that_was_archived_is_closed_though_the_answer_was_lost(
    azurite_server: Azurite, answer: str, method: str
) -> None:
    with relayed(azurite_server) as (store, relay, direct):
        entry = row(etag=direct.insert(row()))
        lose(relay, method, answer)

        assert ledger_on(store).close(entry, cause="gone", now=NOW)

        assert direct.read(7) is None
        assert direct.read_closed(7) is not None


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_closing_that_was_broken_off_can_be_repeated(azurite_server: Azurite, method: str) -> None:
    with relayed(azurite_server, CLICK_OPTIONS) as (store, relay, direct):
        entry = row(etag=direct.insert(row()))
        lose(relay, method, "cut")
        with pytest.raises(Unknown):
            ledger_on(store).close(entry, cause="gone", now=NOW)
        assert (direct.read(7) is None) is (method == "DELETE")

        assert ledger_on(store).close(entry, cause="gone", now=NOW)

        assert direct.read(7) is None
        assert direct.read_closed(7) is not None


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_write_whose_answers_are_all_lost_is_ours_all_the_same(
    azurite_server: Azurite, method: str
) -> None:
    with relayed(azurite_server) as (store, relay, direct):
        etag = direct.insert(row()) if method == "PUT" else ""
        store.status()
        lose(relay, method, "503", times=99)

        entry = ledger_on(store).commit(row(cause="ours", etag=etag))

        assert entry is not None
        assert entry == direct.read(7)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_write_that_the_service_never_does_raises(azurite_server: Azurite, method: str) -> None:
    with relayed(azurite_server, CLICK_OPTIONS) as (store, relay, direct):
        etag = direct.insert(row()) if method == "PUT" else ""
        store.status()
        relay.fail("cut", method=method, times=None)

        with pytest.raises(Unknown):
            ledger_on(store).commit(row(cause="ours", etag=etag))

        assert direct.read(7) == (row() if etag else None)
        assert relay.count(method, r"/t") == 3


def test_somebody_elses_row_is_not_taken_for_ours(azurite_server: Azurite) -> None:
    with relayed(azurite_server) as (store, relay, direct):
        direct.insert(row(nonce="theirs"))
        store.status()
        relay.fail("replace", method="POST", status=503)

        assert ledger_on(store).commit(row()) is None

        assert direct.read(7) == row(nonce="theirs")


# A service that refuses, says nothing, or is not there.

OPERATIONS: dict[str, Callable[[TableStore], object]] = {
    "open_entries": lambda store: store.open_entries(),
    "read": lambda store: store.read(7),
    "read_closed": lambda store: store.read_closed(7),
    "insert": lambda store: store.insert(row()),
    "replace": lambda store: store.replace(row(etag="e")),
    "archive": lambda store: store.archive(row(etag="e")),
    "set_aside": lambda store: store.set_aside(Corrupt("7", "state")),
    "purge_closed": lambda store: store.purge_closed(NOW),
    "closed_entries": lambda store: store.closed_entries(since=NOW, until=NOW),
    "status": lambda store: store.status(),
    "save_status": lambda store: store.save_status(Status()),
}


@contextmanager
def answering(response: Response) -> Iterator[TableStore]:
    """Yield a store whose service gives one answer to everything; it believes that its table exists."""
    with served(response) as url, client_of(url) as client:
        store = TableStore(client)
        store._exists = True
        yield store


def client_of(url: str, options: Mapping[str, Any] = CLICK_OPTIONS) -> TableClient:
    """Return the client of a service at that address."""
    connection = f"AccountName=a;AccountKey=a2V5;TableEndpoint={url}/a;DefaultEndpointsProtocol=http"
    return table_client(connection=connection, account_url="", table="approvals", options=options)


def failure_of(work: Callable[[TableStore], object], store: TableStore) -> ServiceError:
    """Return what the operation raised."""
    with pytest.raises(ServiceError) as caught:
        work(store)
    return caught.value


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("status", [400, 401, 403, 413, 429])
def test_a_refusal_did_nothing(name: str, status: int) -> None:
    with answering(Response(status=status)) as store:
        failure = failure_of(OPERATIONS[name], store)

    assert type(failure) is Unavailable
    assert (failure.code, failure.status) == (f"ledger_{status}", status)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("status", [302, 408, 500, 502, 503, 504])
def test_any_other_failure_leaves_open_what_happened(name: str, status: int) -> None:
    with answering(Response(status=status)) as store:
        failure = failure_of(OPERATIONS[name], store)

    assert type(failure) is Unknown
    assert (failure.code, failure.status) == (f"ledger_{status}", status)


def test_a_refusal_says_the_services_reason() -> None:
    body = '{"odata.error":{"code":"AuthorizationFailure","message":{"lang":"en","value":"secret"}}}'
    with answering(Response(body, status=403, mimetype="application/json")) as store:
        failure = failure_of(OPERATIONS["read"], store)

    assert str(failure) == "cannot read row 7: the table service answered 403 AuthorizationFailure"


def test_the_services_reason_is_one_line() -> None:
    body = '{"odata.error":{"code":"Odd\\r\\nforged=1\\u001b[2J","message":{"lang":"en","value":"secret"}}}'
    with answering(Response(body, status=403, mimetype="application/json")) as store:
        failure = failure_of(OPERATIONS["read"], store)

    assert str(failure) == "cannot read row 7: the table service answered 403 Odd forged=1 [2J"


def test_a_table_that_may_not_be_made_is_a_refusal() -> None:
    with served(Response(status=403)) as url, client_of(url) as client:
        failure = failure_of(OPERATIONS["insert"], TableStore(client))

    assert type(failure) is Unavailable
    assert failure.code == "ledger_403"


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_answer_that_is_not_the_table_services_is_no_answer(name: str) -> None:
    with answering(Response("<html>Please sign in</html>", mimetype="text/html")) as store:
        failure = failure_of(OPERATIONS[name], store)

    assert type(failure) is Unknown


def test_a_service_that_is_not_there_is_told_quickly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    begin = time.monotonic()

    with client_of(f"http://127.0.0.1:{port}") as client:
        failures = [failure_of(work, TableStore(client)) for work in OPERATIONS.values()]

    assert {(type(failure), failure.code) for failure in failures} == {(Unknown, "ledger_lost")}
    assert time.monotonic() - begin < 5


def test_a_service_that_says_nothing_is_not_waited_for() -> None:
    begin = time.monotonic()

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with client_of(url, {**CLICK_OPTIONS, "read_timeout": 0.2}) as client:
            failure = failure_of(OPERATIONS["read"], TableStore(client))

    assert type(failure) is Unknown
    assert time.monotonic() - begin < 2


def test_a_single_row_is_waited_for_no_longer_than_a_click_has_time() -> None:
    tries = CLICK_OPTIONS["retry_total"] + 1

    assert tries * (CLICK_OPTIONS["connection_timeout"] + CLICK_OPTIONS["read_timeout"]) <= 3


def test_all_tries_of_a_request_end_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent service could else hold a sweep for three times what it waits for one answer."""
    assert tables.REQUEST_S <= SWEEP_S / 2
    monkeypatch.setattr(tables, "REQUEST_S", 1.0)
    begin = time.monotonic()

    with slow("silent") as (url, _), client_of(url, {**SWEEP_OPTIONS, "read_timeout": 0.6}) as client:
        failure = failure_of(OPERATIONS["open_entries"], TableStore(client))

    assert type(failure) is Unknown
    assert time.monotonic() - begin < 1.6  # three tries alone would take 1.8


@pytest.mark.slow
def test_a_query_that_the_service_works_on_for_as_long_as_it_may_is_read(azurite_server: Azurite) -> None:
    """Five seconds, and some for the way."""
    with relayed(azurite_server) as (store, relay, direct):
        direct.insert(row())
        put_raw(direct._client, [_row(CLOSED, row(8, closed_at=NOW))])
        relay.fail("slow", method="GET", path=r"\(\)", times=None, seconds=5.3)

        with ThreadPoolExecutor(2) as pool:
            waiting = pool.submit(store.open_entries)
            ended = pool.submit(lambda: store.closed_entries(since=NOW, until=NOW.replace(year=2027)))

        assert waiting.result().entries == [row()]
        assert [each.approval_id for each in ended.result()] == [8]
        assert relay.count("GET", r"\(\)") == 2


# The client.


class NoIdentity:
    """A managed identity that gets no token, as on a machine without one."""

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        """Fail."""
        raise ClientAuthenticationError("no token: secret details")


def test_an_identity_without_a_token_did_nothing() -> None:
    with TableClient("https://localhost:1", "approvals", credential=NoIdentity(), **CLICK_OPTIONS) as client:
        failure = failure_of(OPERATIONS["insert"], TableStore(client))

    assert type(failure) is Unavailable
    assert failure.code == "ledger_identity"
    assert "secret" not in str(failure)


def test_an_account_url_means_the_apps_identity_and_nothing_is_contacted() -> None:
    url = "https://account.table.core.windows.net"

    with table_client(connection="not used", account_url=url, table="approvals") as client:
        assert client.url == url
        assert client.table_name == "approvals"
        assert isinstance(client.credential, Identity)


@pytest.mark.parametrize("connection", ["CANARY", "AccountName=a;AccountKey=", "BlobEndpoint=https://CANARY"])
def test_what_is_no_connection_string_is_a_wrong_setting_and_not_shown(connection: str) -> None:
    with pytest.raises(SettingsError) as caught:
        table_client(connection=connection, account_url="", table="approvals")

    assert str(caught.value) == "LEDGER_CONNECTION: is no connection string of a storage account"
    assert caught.value.__suppress_context__


def test_a_connection_string_contacts_nothing() -> None:
    with client_of("http://127.0.0.1:1") as client:
        assert client.table_name == "approvals"


# What was closed long ago.


OLD = 250
"""Rows: three transactions."""


@contextmanager
def purging(server: Azurite) -> Iterator[tuple[TableStore, Relay, TableStore]]:
    """Yield a store through a relay, on a table with old closed rows and a young one."""
    with relayed(server) as (store, relay, direct):
        old = [row(number, closed_at=NOW.replace(year=2020)) for number in range(1, OLD + 1)]
        put_raw(direct._client, [_row(CLOSED, each) for each in old])
        put_raw(direct._client, [_row(CLOSED, row(OLD + 1, closed_at=NOW))])
        yield store, relay, direct


def left(store: TableStore) -> int:
    """Return how many of the old rows are there; the young one must be."""
    found = store.closed_entries(since=NOW.replace(year=2000), until=NOW.replace(year=2030))
    assert OLD + 1 in [each.approval_id for each in found]
    return len(found) - 1


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["500", "503", "504"])
@pytest.mark.parametrize("skip", range(3))
def test_a_purge_that_was_done_ends_well_though_the_answer_was_lost(
    azurite_server: Azurite, answer: str, skip: int
) -> None:
    with purging(azurite_server) as (store, relay, direct):
        relay.fail("replace", method="POST", path="batch", status=int(answer), skip=skip)

        assert store.purge_closed(NOW) == OLD

        assert left(direct) == 0


@pytest.mark.slow
def test_a_purge_whose_connection_broke_deletes_the_rest_and_says_so(azurite_server: Azurite) -> None:
    with purging(azurite_server) as (store, relay, direct):
        relay.fail("lose", method="POST", path="batch")

        failure = failure_of(lambda store: store.purge_closed(NOW), store)

        assert (type(failure), failure.code) == (Unknown, "ledger_lost")
        assert "rows deleted: 150, failures: 1" in str(failure)
        assert left(direct) == 0


@pytest.mark.slow
@pytest.mark.parametrize("skip", range(3))
def test_a_batch_that_cannot_be_deleted_keeps_no_other_from_it(azurite_server: Azurite, skip: int) -> None:
    with purging(azurite_server) as (store, relay, direct):
        relay.fail("answer", method="POST", path="batch", status=403, skip=skip)

        failure = failure_of(lambda store: store.purge_closed(NOW), store)

        size = 50 if skip == 2 else 100
        assert (type(failure), failure.code, failure.status) == (Unavailable, "ledger_403", 403)
        assert f"rows deleted: {OLD - size}, failures: 1" in str(failure)
        assert left(direct) == size
        assert store.purge_closed(NOW) == size


@pytest.mark.slow
def test_rows_that_were_found_are_purged_though_the_next_cannot_be_listed(azurite_server: Azurite) -> None:
    with purging(azurite_server) as (store, relay, direct):
        relay.fail("answer", method="GET", path=r"\(\)", status=403, skip=1)

        failure = failure_of(lambda store: store.purge_closed(NOW), store)

        assert "rows deleted: 100, failures: 1" in str(failure)
        assert left(direct) == OLD - 100
        assert store.purge_closed(NOW) == OLD - 100


@pytest.mark.slow
def test_a_purge_ends_with_its_time_and_the_next_goes_on(azurite_server: Azurite) -> None:
    with purging(azurite_server) as (store, relay, direct):
        relay.fail("slow", method="POST", path="batch", seconds=5, skip=1)
        begin = time.monotonic()

        with until(Deadline(SystemClock(), 1.5)):
            failure = failure_of(lambda store: store.purge_closed(NOW), store)

        assert time.monotonic() - begin < 3
        assert "rows deleted: 100" in str(failure)
        assert 0 < left(direct) <= OLD - 100
        store.purge_closed(NOW)
        assert left(direct) == 0


def test_a_purge_beside_another_ends_well(azurite_server: Azurite) -> None:
    with purging(azurite_server) as (store, relay, direct):
        relay.between = lambda: direct._client.delete_entity(CLOSED, "1")

        assert store.purge_closed(NOW) == OLD

        assert left(direct) == 0


def test_the_store_returns_what_the_ledger_expects(table_store: TableStore) -> None:
    entry: Entry | None = ledger_on(table_store).commit(full_row())

    assert entry == table_store.read(7)


def test_a_row_that_nobody_has_written_since_is_taken_from_what_is_known(table: TableClient) -> None:
    store = TableStore(table)
    for number in (1, 2):
        store.insert(row(number, etag=""))
    first = store.open_entries()
    known = {entry.approval_id: entry for entry in first.entries}
    store.replace(replace(known[1], cause="elsewhere"))

    changed, same = store.open_entries(known=known).entries

    assert changed.cause == "elsewhere"
    assert same is known[2]
    assert [entry.approval_id for entry in store.open_entries(first.position, known).entries] == [1, 2]


def test_of_figures_that_do_not_fit_into_a_row_the_newest_are_kept(table_store: TableStore) -> None:
    told = {
        f"user:{number}": PersonState(
            version="v", to=f"user:{number}", at=NOW + timedelta(hours=number), figures="x" * 9_000
        )
        for number in range(1, 5)
    }
    table_store.insert(Entry(approval_id=7, state=State.SENT, nonce="n", told=told))

    [entry] = [table_store.read(7)]

    assert entry is not None
    assert {key: len(each.figures) for key, each in entry.told.items()} == {
        "user:1": 0,
        "user:2": 0,
        "user:3": 9_000,
        "user:4": 9_000,
    }
    assert {key: each.at for key, each in entry.told.items()} == {key: each.at for key, each in told.items()}
