"""The composition root: built on the first call, and clear about a setting that is missing."""

from __future__ import annotations

import base64
import json
import logging
import random
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from audit_log_contract import event, stored
from bridge import LISTENER, SETTINGS

from coupa_core import app
from coupa_core.audit_log import MemoryAuditStore
from coupa_core.endpoints import Reply, Request
from coupa_core.ledger import Entry, MemoryStore, State
from coupa_core.moveworks import EventsChannel, ListenerChannel
from coupa_core.routes import ROUTES
from coupa_core.settings import read_settings
from coupa_core.table_audit_log import TableAuditStore
from coupa_core.table_ledger import TableStore
from sandbox.azurite import Azurite
from sandbox.clock import ManualClock

REQUIRED = [
    "COUPA_BASE_URL",
    "COUPA_CLIENT_ID",
    "COUPA_CLIENT_SECRET",
    "MOVEWORKS_EVENT_ID",
    "MOVEWORKS_API_KEY",
    "ACTION_TOKEN_KEYS",
    "LEDGER_CONNECTION",
]
CONNECTION = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:1/a;"


OF_THE_LISTENER = ["MOVEWORKS_LISTENER_ID", "MOVEWORKS_LISTENER_SECRET"]


@pytest.fixture(autouse=True)
def _built_anew() -> Iterator[None]:
    app._built.clear()
    yield
    app._built.clear()


def configure(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def call(name: str, **parts: Any) -> Reply:
    empty: dict[str, Any] = {"headers": {}, "query": {}, "route": {}, "body": b""}
    return app.handle(name, **{**empty, **parts})


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_setting_is_named_by_the_sweep_and_by_each_call_and_no_value_is_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, missing: str
) -> None:
    configure(monkeypatch, {name: value for name, value in SETTINGS.items() if name != missing})

    with caplog.at_level(logging.DEBUG):
        app.sweep()
        replies = [call(route.name) for route in ROUTES if route.caller]

    complaint = f"{missing}: is missing"
    assert f"sweep not possible: {complaint}" in caplog.text
    for reply in replies:
        assert reply.status == 500
        assert reply.body["message"] == f"The bridge is not configured: {complaint}."
    said = caplog.text + "".join(reply.text() for reply in replies)
    for name in ("COUPA_CLIENT_SECRET", "MOVEWORKS_API_KEY", "ACTION_TOKEN_KEYS", "COUPA_BASE_URL"):
        assert SETTINGS[name] not in said
    assert call("health") == Reply(503, {"status": "failing", "cause": "settings"})


@pytest.mark.parametrize(
    ("schedule", "cause"),
    [
        ("0 0 0 31 2 *", "schedule_never"),
        ("0 0 0 30 FEB *", "schedule_never"),
        ("0 0 0 * * 7", "schedule_refused"),
        ("0 0 22-6 * * *", "schedule_refused"),
        ("'0 * * * * *'", "schedule_refused"),
        ("00:05:00", "schedule_refused"),
        ("0 0 */4 * * *", "rare_schedule"),
        ("0 0 0 29 2 *", "rare_schedule"),
        ("0 * * * * *", "no_sweep_yet"),
    ],
)
def test_health_says_what_is_wrong_with_the_schedule(
    monkeypatch: pytest.MonkeyPatch, schedule: str, cause: str
) -> None:
    configure(monkeypatch, {**SETTINGS, "POLL_SCHEDULE": schedule})

    assert call("health") == Reply(503, {"status": "failing", "cause": cause})


@pytest.mark.parametrize("missing", OF_THE_LISTENER)
def test_a_missing_setting_of_the_listener_is_named_where_it_is_chosen(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    settings = SETTINGS | LISTENER | {"MOVEWORKS_API_KEY": ""}
    del settings[missing]
    configure(monkeypatch, settings)

    assert call("status").body["message"] == f"The bridge is not configured: {missing}: is missing."


@pytest.mark.parametrize(("channel", "kind"), [("events", EventsChannel), ("listener", ListenerChannel)])
def test_the_settings_choose_the_way_to_a_persons_chat(channel: str, kind: type[object]) -> None:
    told = LISTENER if channel == "listener" else {}
    bridge = app.build(read_settings(SETTINGS | told), _soon())

    assert isinstance(bridge.sweep.deps.channel, kind)


def test_a_setting_that_is_mended_is_read_at_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, {**SETTINGS, "COUPA_BASE_URL": "no url"})
    assert call("cycle_times").status == 500

    configure(monkeypatch, SETTINGS)

    assert call("cycle_times").status == 200


def test_the_bridge_is_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, SETTINGS)

    first, second = app._bridge(), app._bridge()

    assert first is second


def test_health_asks_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, SETTINGS)

    assert call("health") == Reply(503, {"status": "failing", "cause": "no_sweep_yet"})


def test_a_sweep_that_reaches_nobody_ends_with_a_clear_line(caplog: pytest.LogCaptureFixture) -> None:
    unreachable = {**SETTINGS, "COUPA_BASE_URL": "http://127.0.0.1:1"}
    app._built.append(app.build(read_settings(unreachable), _soon()))

    with caplog.at_level(logging.INFO):
        app.sweep()

    assert "sweep incomplete failure=coupa_unreachable" in caplog.text


def _soon() -> app.Overrides:
    """Return parts whose clock passes pauses at once."""
    return app.Overrides(ManualClock(), random.Random(1))


def test_the_vendors_chatter_is_kept_out_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, SETTINGS)

    app._bridge()

    assert not logging.getLogger("azure.core.pipeline.policies.http_logging_policy").isEnabledFor(
        logging.INFO
    )
    assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.DEBUG)


def test_the_ledger_is_in_memory_where_the_settings_say_so() -> None:
    bridge = app.build(read_settings(SETTINGS), _soon())

    store = bridge.sweep.deps.ledger.store
    assert isinstance(store, MemoryStore)
    assert bridge.endpoints._operators._report._store is store


@pytest.mark.parametrize(
    "settings",
    [
        {"LEDGER_CONNECTION": CONNECTION},
        {"LEDGER_CONNECTION": "", "AzureWebJobsStorage": CONNECTION},
        {"LEDGER_CONNECTION": "https://a.table.core.windows.net"},
    ],
)
def test_the_ledger_is_a_table_where_the_settings_say_so_and_a_click_waits_less(
    settings: dict[str, str],
) -> None:
    """Nothing is contacted: a client is made, and asks nobody."""
    bridge = app.build(read_settings({**SETTINGS, **settings}), _soon())

    patient, quick = bridge.sweep.deps.ledger.store, bridge.endpoints._operators._trace._store
    assert isinstance(patient, TableStore)
    assert isinstance(quick, TableStore)
    assert patient is not quick


def test_a_sweep_and_a_click_see_the_same_rows_on_azurite(azurite_server: Azurite) -> None:
    settings = {
        **SETTINGS,
        "LEDGER_CONNECTION": azurite_server.connection_string,
        "LEDGER_TABLE": f"t{uuid.uuid4().hex}",
    }
    bridge = app.build(read_settings(settings), _soon())
    entry = Entry(approval_id=7, state=State.SENT, nonce="n")

    bridge.sweep.deps.ledger.store.insert(entry)

    assert bridge.endpoints.handle("trace", Request(route={"approval_id": "7"})).status == 200


# The audit record.


def test_the_audit_record_is_in_memory_where_the_settings_say_so() -> None:
    sweeps, clicks = app.build_audit_logs(read_settings(SETTINGS), _soon())

    assert isinstance(sweeps.store, MemoryAuditStore)
    assert clicks.store is sweeps.store


def test_the_audit_record_is_where_a_test_says() -> None:
    store = MemoryAuditStore()
    settings = read_settings({**SETTINGS, "LEDGER_CONNECTION": CONNECTION})

    sweeps, clicks = app.build_audit_logs(settings, replace(_soon(), audit_store=store))

    assert sweeps.store is store
    assert clicks.store is store


def test_the_audit_record_is_a_table_beside_the_ledgers_and_a_click_waits_less() -> None:
    """Nothing is contacted: a client is made, and asks nobody."""
    settings = read_settings({**SETTINGS, "LEDGER_CONNECTION": CONNECTION, "AUDIT_TABLE": "audit2"})

    stores = [audit_log.store for audit_log in app.build_audit_logs(settings, _soon())]

    assert [type(store) for store in stores] == [TableAuditStore, TableAuditStore]
    assert stores[0] is not stores[1]
    assert {store._client.table_name for store in stores} == {"audit2"}  # type: ignore[attr-defined]


def test_a_sweep_and_a_click_write_one_audit_record_on_azurite(azurite_server: Azurite) -> None:
    table = {
        "LEDGER_CONNECTION": azurite_server.connection_string,
        "AUDIT_TABLE": f"t{uuid.uuid4().hex}",
    }
    sweeps, clicks = app.build_audit_logs(read_settings({**SETTINGS, **table}), _soon())

    sweeps.append([event(1)])
    clicks.append([event(2)])

    assert [number for _, _, number in stored(sweeps)] == [1, 2]
    assert clicks.verify().broken is None


OLD, NEW = ({kid: base64.b64encode(bytes([number]) * 32).decode()} for kid, number in (("o", 1), ("n", 2)))


@pytest.mark.parametrize(
    ("keys", "kid"),
    [
        ({"ACTION_TOKEN_KEYS": json.dumps(NEW | OLD)}, ".n"),
        ({"ACTION_TOKEN_KEYS": json.dumps(OLD), "AUDIT_KEYS": json.dumps(NEW)}, "n"),
        ({"ACTION_TOKEN": "off", "ACTION_TOKEN_KEYS": "", "AUDIT_KEYS": json.dumps(OLD | NEW)}, "o"),
    ],
)
def test_the_audit_record_is_sealed_with_its_own_keys_or_with_those_made_from_the_tokens(
    keys: dict[str, str], kid: str
) -> None:
    audit_log, _ = app.build_audit_logs(read_settings({**SETTINGS, **keys}), _soon())

    audit_log.append([event(1)])

    [(_, row)] = audit_log.rows(since=date.min, until=date.max)
    assert row.values()["kid"] == kid


def test_keys_of_tokens_that_rotate_carry_the_seals_over() -> None:
    store = MemoryAuditStore()
    parts = replace(_soon(), audit_store=store)
    before, _ = app.build_audit_logs(read_settings(SETTINGS | {"ACTION_TOKEN_KEYS": json.dumps(OLD)}), parts)
    before.append([event(1)])

    rotated = SETTINGS | {"ACTION_TOKEN_KEYS": json.dumps(NEW | OLD)}
    after, _ = app.build_audit_logs(read_settings(rotated), parts)
    after.append([event(2)])

    report = after.verify()
    assert (report.broken, report.rows, report.unsealed, report.unknown_kids) == (None, 2, 0, set())


def test_each_append_has_a_nonce_of_its_own_without_being_told() -> None:
    audit_log, _ = app.build_audit_logs(read_settings(SETTINGS), _soon())

    audit_log.append([event(1)])
    audit_log.append([event(2)])

    nonces = [row.values()["nonce"] for _, row in audit_log.rows(since=date.min, until=date.max)]
    assert len(set(nonces)) == 2
    assert all(len(nonce) == 32 for nonce in nonces)


@pytest.mark.parametrize("language", ["fr", "fr_FR:fr", "C"])
def test_a_machine_with_a_language_of_its_own_starts_the_app(
    monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    configure(monkeypatch, {**SETTINGS, "LANGUAGE": language, "LANG": "fr_FR.UTF-8", "LC_ALL": "C"})

    reply = call("health")

    assert reply.body["status"] in ("ok", "failing")
