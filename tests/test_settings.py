"""The settings: defaults, every mistake by name and all at once, and never a value in an error."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_origin

import pytest

from coupa_core.cadence import Cadence
from coupa_core.documents import LEAST_SCOPES
from coupa_core.errors import SettingsError
from coupa_core.model import Verb
from coupa_core.routes import Caller
from coupa_core.settings import HOST_STORAGE, NAMES, Settings, is_loopback, read_settings

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(1, 33))).decode()
ADDRESS = "https://acme.table.core.windows.net"
REFERENCE = "@Microsoft.KeyVault(SecretUri=https://canary.vault.azure.net/secrets/x)"
APP, OTHER_APP = "3F2504E0-4f89-41d3-9a0c-0305e82c3301", "0f8fad5b-d9cb-469f-a165-70867728950e"
ENTRA = json.dumps({"decisions": [APP]})
LEAST = {
    "COUPA_BASE_URL": "https://acme.coupahost.com",
    "COUPA_CLIENT_ID": "client",
    "COUPA_CLIENT_SECRET": "coupa-secret",
    "MOVEWORKS_EVENT_ID": "5a0c8a52-9f0e-4d8c-9b06-5ab4d8b7a111",
    "MOVEWORKS_API_KEY": "moveworks-secret",
    "ACTION_TOKEN_KEYS": json.dumps({"k1": KEY}),
    HOST_STORAGE: "UseDevelopmentStorage=true",
}


HELD_BACK = {
    "action_token": "required",
    "actions": (Verb.APPROVE, Verb.REJECT, Verb.HOLD),
    "allow_self_approval": "off",
    "audit": "required",
    "audit_keep_days": 2555,
    "closing_notice": "groups",
    "comments": "off",
    "document_types": ("RequisitionHeader",),
    "dry_run": "off",
    "entra_clients": {},
    "escalate_after_hours": 0,
    "facts": (),
    "first_run": "announce",
    "list_tokens": "",
    "pilot": (),
    "reject_reason": "required",
    "relay_domains": (),
    "relay_html": "off",
    "remind_after_hours": 0,
    "step_up_over": {},
    "tell_requester": "off",
}
"""Defaults by which something is closed, kept, or told to nobody: none may change unseen."""


def complaints(environment: dict[str, str]) -> dict[str, str]:
    """Return what the error says, by setting."""
    with pytest.raises(SettingsError) as error:
        read_settings(environment)
    return dict(part.split(": ", 1) for part in re.split("; (?=[A-Z_]+: )", str(error.value)))


def test_the_required_settings_are_enough_and_the_rest_has_defaults() -> None:
    settings = read_settings(LEAST)

    given = {name.lower() for name in LEAST} | {"ledger_connection"}
    defaults = {name: field.default for name, field in Settings.model_fields.items() if name not in given}
    assert {name: getattr(settings, name) for name in defaults} == defaults
    assert {name: getattr(settings, name) for name in HELD_BACK} == HELD_BACK
    assert settings.storage == "UseDevelopmentStorage=true"
    assert settings.coupa_client_secret.get_secret_value() == "coupa-secret"
    assert settings.moveworks_api_key.get_secret_value() == "moveworks-secret"
    assert settings.action_token_keys["k1"].get_secret_value() == KEY


def test_an_empty_environment_names_every_required_setting() -> None:
    assert complaints({}) == dict.fromkeys(
        [*(LEAST.keys() - {HOST_STORAGE}), "LEDGER_CONNECTION"], "is missing"
    )


@pytest.mark.parametrize("name", sorted(LEAST.keys() - {HOST_STORAGE}))
@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_an_empty_value_counts_as_missing(name: str, value: str) -> None:
    assert complaints(LEAST | {name: value}) == {name: "is missing"}


def test_mistakes_of_every_kind_are_named_at_once() -> None:
    said = complaints(
        {
            "COUPA_BASE_URL": "ftp://x.test",
            "COUPA_CLIENT_SECRET": REFERENCE,
            "COUPA_MAX_PER_SECOND": "26",
            "DOCUMENT_TYPES": "Requisition Header",
            "CLAIM_LEASE_S": "soon",
            "LEDGER_TABLE": "x",
        }
    )

    assert said.keys() == {
        *("COUPA_BASE_URL", "COUPA_CLIENT_ID", "COUPA_CLIENT_SECRET", "COUPA_MAX_PER_SECOND"),
        *("DOCUMENT_TYPES", "CLAIM_LEASE_S", "LEDGER_TABLE", "LEDGER_CONNECTION"),
        *("MOVEWORKS_EVENT_ID", "MOVEWORKS_API_KEY", "ACTION_TOKEN_KEYS"),
    }


def of_no_kind() -> Iterator[tuple[str, str]]:
    """Yield what no number and no choice takes, for each setting that is one."""
    for field_name, field in Settings.model_fields.items():
        wrong: list[str] = []
        if field.annotation in (int, float):
            [(least, most)] = [
                (low.ge, high.le)
                for low in field.metadata
                for high in field.metadata
                if hasattr(low, "ge") and hasattr(high, "le")
            ]
            wrong = [str(least - 1), str(most + 1), "CANARY", "nan", "inf", f"{least}.5"]
            wrong = wrong if field.annotation is int else wrong[:-1]
        elif get_origin(field.annotation) is Literal:
            wrong = ["CANARY", "2", "yes"]
        yield from ((field_name.upper(), each) for each in wrong)


WRONG = [
    *of_no_kind(),
    *(("COUPA_BASE_URL", url) for url in (
        "CANARY", "CANARY.test", "http://CANARY.test", "http://10.0.0.1", "http://127.0.0.1.CANARY.test",
        "https://CANARY@x.test", "https://u:CANARY@x.test", "https://:CANARY@x.test", "https://@CANARY.test",
        "https://x.test/CANARY", "https://x.test?CANARY", "https://x.test/#CANARY", "https://CANA RY.test",
        "https://x.test:CANARY", "https://x.test:99999", "https://x.test:0", "https://", "https:///CANARY",
        "https://[CANARY]", "https://[CANARY", "https://a\u2100CANARY.test", "https://x.test\\@CANARY.test",
        "ftp://CANARY.test", "https://:443",
    )),
    ("MOVEWORKS_BASE_URL", "http://CANARY.test"),
    *(("EMAIL_MAP", value) for value in (
        "CANARY", "[]", '["CANARY@x.test"]', '{"CANARY@x.test": 5}', '{"CANARY": "b@x.test"}', "[" * 10_000,
        '{"a@x.test": "CANARY@x.test", "A@x.test": "b@x.test"}',
        '{"a@x.test": "CANARY@x.test", "b@x.test": "canary@x.test"}',
        '{"@x.test": "CANARY@y.test"}', '{"CANARY@x.test": "@y.test"}', '{"@": "@CANARY.test"}',
        '{"@x.test": "@CANARY.test", "@X.test": "@y.test"}', '{"a b@x.test": "CANARY@x.test"}',
        '{"@m\u00fcller.test": "@CANARY.test", "@xn--mller-kva.test": "@y.test"}',
    )),
    *(("STEP_UP_OVER", value) for value in (
        "CANARY", "{}", "[]", "10000", '{"USD": "CANARY"}', '{"USD": -1}', '{"USD": 1e9}', '{"US": 1}',
        '{"USD": 1.00001}', '{"USD": NaN}', '{"USD": true}', '{"USD": 1, "usd": 2}', '{"CANARY": 1}',
        '{"USD": 1e99999999999999999999}', "[" * 10_000,
    )),
    ("SENSITIVE", '{"groups": "CANARY"}'),
    *(("RELAY_DOMAINS", value) for value in ("CANARY", "@CANARY.test", "x.test,,y.test", "CA RY.x", "*")),
    *(("DOCUMENT_TYPES", names) for names in ("CANARY-1", "A,,B", "A,", "7CANARY", "A" * 62, "A,*B", "A B")),
    *(("NOTICE_FIELDS", fields) for fields in (
        "CANARY", "[]", '{"CANARY": ["title"]}', '{"RequisitionHeader": ["CANARY"]}',
        '{"RequisitionHeader": []}', '{"RequisitionHeader": "CANARY"}', '{"RequisitionHeader": [7, "x"]}',
        '{"RequisitionHeader": ["title", "title"]}', '{"RequisitionHeader": ["violations"]}',
        '{"Contract": ["title"], "Contract": ["amount"]}', '{"EasyFormResponse": ["items"]}',
        '{"ReceiptRequest": ["id"]}',
    )),
    *(("ACTIONS", actions) for actions in (
        "CANARY", "approve,CANARY", "approve,approve", "approve,", "approve reject",
    )),
    *(("LINK_TEMPLATE", template) for template in (
        "CANARY", "[]", '{"*": 7}', '{"CANARY 1": "{base}/{id}"}', '{"*": "{base}/{id}", "*": "{base}/{id}"}',
        *(json.dumps({"*": each}) for each in (
            "CANARY", "{CANARY}", "{base}/{CANARY}", "{base}/{id.CANARY}", "{base}/{id!r}", "{base}/{id:>9}",
            "{base}/{}", "{base}/{0}", "{base}/{", "{base}/}", "http://CANARY.test/{id}", "javascript:CANARY",
            "{base}/{id}/CANARY x", "{base}/{id}/\u00e9CANARY", "{base}/{base.__class__}", "{base}/{id[0]}",
        )),
    )),
    *(("NOTICE_LANGUAGE", language) for language in (
        "CANARY", "sv", "zh_TW", "xx_CANARY", "fr_FR:de", "_", "C", "c", "POSIX", "en_US_POSIX", "en_Shaw",
        "en_XX", "de_DE.UTF-8", "de@euro", "und", "root", "english",
    )),
    *(("TIME_ZONE", zone) for zone in (
        "CANARY", "Europe/CANARY", "../CANARY", "/etc/CANARY", "Europe", "+01:00",
    )),
    *(("TIME_ZONES", zones) for zones in (
        "CANARY", "[]", "[" * 10_000, '{"CANARY": "UTC"}', '{"x.test": "CANARY"}', '{"x.test": 5}',
        '{"CANARY.test": "UTC", "canary.test": "UTC"}',
    )),
    *(("QUIET_HOURS", hours) for hours in ("CANARY", "20:00", "20:00-CANARY", "20:00-20:00", "20:00-24:00")),
    *(("WORKING_DAYS", days) for days in ("CANARY", "mon,CANARY", "mon-", ",", "monday")),
    *(("DIGEST_AT", hour) for hour in ("CANARY", "9", "24:00", "09:00 CANARY")),
    *(("REMIND_BEFORE_DAYS", days) for days in ("CANARY", "31", "003", "-1", "1.5", "3,CANARY", "\u0663")),
    *(("ESCALATE_TO", who) for who in (
        "CANARY", "managers", "@CANARY.test", "a@CANARY", "a@CANARY.test,b@x.test", "A <a@CANARY.test>",
        "a@b@CANARY.test", "\u00e9@CANARY.test", "a b@CANARY.test",
    )),
    *(("PILOT", people) for people in (
        "CANARY", "CANARY@", "a@x.test,CANARY", "CANARY.test;b.test", "*", "a@x.test CANARY.test",
    )),
    *((name, secret) for name in ("COUPA_CLIENT_SECRET", "MOVEWORKS_API_KEY", "MOVEWORKS_LISTENER_SECRET")
      for secret in ("CANARY\n1", "CANARY\t1", "CANARY\u200b1", "1\ufeffCANARY", "CANARY\u2019")),
    *(("MOVEWORKS_EVENT_ID", event) for event in (
        "../CANARY", "CANARY/send", "CANARY?x", "C" * 65, "CANARY\u0661",
    )),
    *(("LEDGER_CONNECTION", url) for url in (
        "CANARY", "http://CANARY.test", "https://x.test/CANARY", "https://u:CANARY@x.test",
        "https://x.table.test?CANARY", "https://x.blob.core.windows.net", "https://x.table.test/CANARY",
    )),
    *(("LEDGER_TABLE", name) for name in ("CANARY-1", "1CANARY", "ab", "C" * 64, "CANARY\u00e9")),
    *((name, keys) for name in ("ACTION_TOKEN_KEYS", "AUDIT_KEYS") for keys in (
        "CANARY", KEY, "{}", "[]", f'{{"k1": "{KEY}", "k1": "{OTHER}"}}', '{"k1": 5}', '{"k1": ""}',
        *(json.dumps(each) for each in (
            {"": KEY}, {"k.1": KEY}, {".k1": KEY}, {"k" * 17: KEY}, {"k1": "CANARY!!"}, {"k1": "CANAR\u00e9"},
            {"k1": KEY[:-4]}, {"k1": KEY, "k2": "Q0FOQVJZ"},
        )),
    )),
    *(("LIST_TOKENS", choice) for choice in ("1", "entra")),
    *(("AUDIT", mode) for mode in ("off", "CANARY required")),
    *(("AUDIT_TABLE", name) for name in ("CANARY-1", "ab", "C" * 64, "approvals", "Approvals")),
    *(("POLL_SCHEDULE", schedule) for schedule in (
        "CANARY", "* * * * *", "0 * * * * * CANARY", "00:01:00", "99 99 * * * *", "0 0 8 * * 7",
        "0\t* * * * *", "0\u00a0* * * * *", "0 * 22-6 * * *", "0 * * * * SAT-TUE", "0 0 9 31 2 *",
    )),
    *(("ENTRA_CLIENTS", clients) for clients in (
        "CANARY", "{}", "[]", APP, '{"decisions": []}', f'{{"CANARY": ["{APP}"]}}', f'{{"relay": "{APP}"}}',
        '{"decisions": ["CANARY"]}', f'{{"decisions": ["{APP} {APP}"]}}', f'{{"relay": ["{APP}", 7]}}',
        f'{{"relay": ["{APP}"], "relay": ["{APP}"]}}',
    )),
    *((name, ",") for name in ("DOCUMENT_TYPES", "ACTIONS", "RELAY_DOMAINS", "STEP_UP_OVER", "AUDIT_KEYS")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_named_and_not_shown(name: str, value: str) -> None:
    said = complaints(LEAST | {"WEBSITE_AUTH_ENABLED": "True", name: value})

    assert list(said) == [name]
    assert "CANARY" not in str(said)
    assert KEY not in str(said)


def test_every_number_has_limits_and_every_choice_is_tried() -> None:
    kinds = dict(of_no_kind())

    assert {"COUPA_MAX_PER_SECOND", "CLAIM_LEASE_S", "DRY_RUN", "ACTION_TOKEN"} <= kinds.keys()
    assert len(kinds) > 20


def test_no_value_is_shown_when_everything_is_wrong() -> None:
    canaries = {name: f"c4n4ry{number}é /{'x' * 80}" for number, name in enumerate(NAMES)}

    with pytest.raises(SettingsError) as error:
        read_settings(canaries)

    assert "c4n4ry" not in str(error.value)
    assert error.value.code == "settings"
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_no_secret_is_shown_when_the_settings_are_printed() -> None:
    more = {"LEDGER_CONNECTION": "AccountKey=ledger-secret", "AUDIT_KEYS": json.dumps({"a1": OTHER})}
    settings = read_settings(LEAST | more)

    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        for secret in ("coupa-secret", "moveworks-secret", "ledger-secret", KEY, OTHER):
            assert secret not in shown


@pytest.mark.parametrize("name", [*LEAST, "LEDGER_CONNECTION", "COUPA_CLIENT_LOGIN"])
def test_a_key_vault_reference_that_was_not_resolved_is_named_as_such(name: str) -> None:
    said = complaints(LEAST | {name: f" {REFERENCE} "})

    assert "Key Vault" in said.pop(name)
    assert said.keys() <= {"LEDGER_CONNECTION"}
    assert "canary" not in str(said)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://acme.coupahost.com", "https://acme.coupahost.com"),
        (" https://acme.coupahost.com/ ", "https://acme.coupahost.com"),
        ("HTTPS://acme.test:8443", "https://acme.test:8443"),
        ("http://127.0.0.1:7071", "http://127.0.0.1:7071"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_base_url_is_https_or_this_machine_and_loses_its_last_slash(given: str, url: str) -> None:
    settings = read_settings(LEAST | {"COUPA_BASE_URL": given, "MOVEWORKS_BASE_URL": given})

    assert (settings.coupa_base_url, settings.moveworks_base_url) == (url, url)


def test_only_names_and_addresses_of_this_machine_are_loopback() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.1.2.3", "::1")))
    assert not any(map(is_loopback, ("acme.test", "10.0.0.1", "0.0.0.0", "127.1", "localhost.acme.test", "")))


@pytest.mark.parametrize(
    ("environment", "storage"),
    [
        ({"LEDGER_CONNECTION": "memory"}, "memory"),
        ({"LEDGER_CONNECTION": "AccountName=own"}, "AccountName=own"),
        ({"LEDGER_CONNECTION": "AccountName=own", HOST_STORAGE: ""}, "AccountName=own"),
        ({"LEDGER_CONNECTION": HOST_STORAGE}, "UseDevelopmentStorage=true"),
        ({"LEDGER_CONNECTION": ""}, "UseDevelopmentStorage=true"),
        ({"LEDGER_CONNECTION": " ", HOST_STORAGE: " AccountName=host "}, "AccountName=host"),
    ],
)
def test_the_ledger_lives_where_told_or_in_the_storage_of_the_host(
    environment: dict[str, str], storage: str
) -> None:
    assert read_settings(LEAST | environment).storage == storage


@pytest.mark.parametrize("named", [{}, {"LEDGER_CONNECTION": HOST_STORAGE}])
def test_without_any_storage_the_ledger_is_missing_unless_its_account_is_named(named: dict[str, str]) -> None:
    bare = LEAST | {HOST_STORAGE: " "} | named

    assert complaints(bare) == {"LEDGER_CONNECTION": "is missing"}


@pytest.mark.parametrize(
    ("given", "storage", "address"),
    [("AccountName=a", "AccountName=a", ""), (ADDRESS, "", ADDRESS), (f"{ADDRESS}/", "", f"{ADDRESS}/")],
)
def test_a_ledger_is_reached_by_a_connection_string_or_by_its_address(
    given: str, storage: str, address: str
) -> None:
    settings = read_settings(LEAST | {"LEDGER_CONNECTION": given})

    assert (settings.storage, settings.ledger_account_url) == (storage, address)


LISTENER = {"MOVEWORKS_LISTENER_ID": "coupa_approvals-1", "MOVEWORKS_LISTENER_SECRET": "hush hush"}
EVENTS = ("MOVEWORKS_EVENT_ID", "MOVEWORKS_API_KEY")
BARE = {name: value for name, value in LEAST.items() if name not in EVENTS}


def test_the_channel_is_the_one_whose_id_is_given() -> None:
    events, listener = read_settings(LEAST), read_settings(BARE | LISTENER)

    assert (events.moveworks_channel, listener.moveworks_channel) == ("events", "listener")
    assert listener.moveworks_listener_secret.get_secret_value() == "hush hush"
    assert complaints(BARE) == dict.fromkeys(EVENTS, "is missing")


@pytest.mark.parametrize("name", sorted(LISTENER))
@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_what_a_listener_lacks_is_named(name: str, value: str) -> None:
    assert complaints(BARE | LISTENER | {name: value}) == {name: "is missing"}


def test_of_an_event_and_a_listener_one_must_go() -> None:
    assert complaints(LEAST | LISTENER) == {
        "MOVEWORKS_LISTENER_ID": "stands beside MOVEWORKS_EVENT_ID, and people are told through one of them: "
        "take away MOVEWORKS_EVENT_ID, or this one"
    }
    left = {**LISTENER, "MOVEWORKS_LISTENER_ID": ""}
    assert read_settings(LEAST | left).moveworks_channel == "events", (
        "a secret that is left over is no choice"
    )


@pytest.mark.parametrize(
    "listener",
    ["../CANARY", "CANARY/notify", "https://x.test/CANARY", "C" * 129, "CANARY\u0661", "CANARY 1"],
)
def test_a_wrong_id_of_a_listener_is_named_and_not_shown(listener: str) -> None:
    said = complaints(BARE | LISTENER | {"MOVEWORKS_LISTENER_ID": listener})

    assert list(said) == ["MOVEWORKS_LISTENER_ID"]
    assert "CANARY" not in str(said)


@pytest.mark.parametrize(
    "name", ["COUPA_CLIENT_SECRET", "MOVEWORKS_API_KEY", "MOVEWORKS_LISTENER_SECRET", "MOVEWORKS_LISTENER_ID"]
)
@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {}\t"])
def test_a_line_break_around_a_secret_or_an_id_is_taken_away(name: str, around: str) -> None:
    own = BARE | LISTENER if "LISTENER" in name else LEAST
    settings = read_settings(own | {name: around.format("the-value")})

    value = getattr(settings, name.lower())
    assert getattr(value, "get_secret_value", lambda: value)() == "the-value"


def test_what_the_operator_settles_about_decisions_is_read() -> None:
    settings = read_settings(
        LEAST
        | {
            "EMAIL_MAP": '{"ann@corp.test": "ann@x.test", "@corp.test": "@y.test"}',
            "STEP_UP_OVER": '{"usd": 10000, "*": 0.50}',
            "ALLOW_SELF_APPROVAL": " ON ",
            "RELAY_DOMAINS": "X.test, mail.corp.example",
        }
    )

    assert settings.email_map == {"ann@corp.test": "ann@x.test", "@corp.test": "@y.test"}
    assert settings.step_up_over == {"USD": Decimal(10000), "*": Decimal("0.50")}
    assert settings.allow_self_approval == "on"
    assert settings.relay_domains == ("x.test", "mail.corp.example")


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, LEAST_SCOPES),
        ({"COMMENTS": "on"}, f"{LEAST_SCOPES} core.comment.write"),
    ],
)
def test_writing_comments_is_asked_for_only_where_it_is_on(given: dict[str, str], asked: str) -> None:
    assert read_settings(LEAST | given).asked_scopes == asked


@pytest.mark.parametrize("value", ["weather", "budget,", "budget,budget", "on"])
def test_an_unknown_fact_is_named_with_those_there_are(value: str) -> None:
    names = "open_requests, budget, last_price, agreed_price, supplier_status"

    assert complaints(LEAST | {"FACTS": value}) == {"FACTS": f"must be some of {names}, each once"}


@pytest.mark.parametrize("blank", ["", " ", "\u200b"])
def test_a_blank_lets_nobody_relay_and_names_no_client(blank: str) -> None:
    settings = read_settings(LEAST | {"RELAY_DOMAINS": blank, "ENTRA_CLIENTS": blank})

    assert (settings.relay_domains, settings.entra_clients) == ((), {})


@pytest.mark.parametrize("value", ["", "False", "no", " ", '"True"', "@Microsoft.KeyVault(x)"])
def test_entra_clients_are_refused_while_app_service_does_not_stand_in_front(value: str) -> None:
    said = complaints(LEAST | {"ENTRA_CLIENTS": ENTRA, "WEBSITE_AUTH_ENABLED": value})

    assert said == {"ENTRA_CLIENTS": "needs App Service authentication in front of the app, and that is off"}


def test_entra_clients_are_read_while_app_service_stands_in_front() -> None:
    named = {"decisions": [APP, OTHER_APP], "operators": [OTHER_APP]}
    settings = read_settings(LEAST | {"ENTRA_CLIENTS": json.dumps(named), "WEBSITE_AUTH_ENABLED": "True\r"})

    assert settings.entra_clients == {
        Caller.DECISIONS: (APP.lower(), OTHER_APP),
        Caller.OPERATORS: (OTHER_APP,),
    }


@pytest.mark.parametrize("mode", ["off", "OFF", " Off "])
def test_without_action_tokens_no_keys_are_needed_but_those_of_the_audit_record(mode: str) -> None:
    bare = LEAST | {"ACTION_TOKEN": mode, "ACTION_TOKEN_KEYS": ""}

    assert complaints(bare) == {
        "AUDIT_KEYS": "is missing, and there are no ACTION_TOKEN_KEYS to make it from"
    }
    settings = read_settings(bare | {"AUDIT_KEYS": json.dumps({"a1": KEY})})
    assert (settings.action_token, settings.action_token_keys) == ("off", {})
    assert settings.audit_keys["a1"].get_secret_value() == KEY


def test_keys_of_action_tokens_that_are_off_still_seal_the_audit_record() -> None:
    assert read_settings(LEAST | {"ACTION_TOKEN": "off"}).audit_keys == {}


@pytest.mark.parametrize(
    "names",
    [
        {"AUDIT_TABLE": "Approvals"},
        {"LEDGER_TABLE": "audit"},
        {"LEDGER_TABLE": "one", "AUDIT_TABLE": "ONE"},
    ],
)
def test_the_audit_record_and_the_ledger_do_not_share_a_table(names: dict[str, str]) -> None:
    assert complaints(LEAST | names) == {"AUDIT_TABLE": "must not be the ledger's table"}


@pytest.mark.parametrize("mode", ["required", "optional", ""])
def test_with_action_tokens_keys_are_needed(mode: str) -> None:
    said = complaints(LEAST | {"ACTION_TOKEN": mode, "ACTION_TOKEN_KEYS": ""})

    assert said == {"ACTION_TOKEN_KEYS": "is missing"}


def test_the_first_key_stays_first() -> None:
    settings = read_settings(LEAST | {"ACTION_TOKEN_KEYS": json.dumps({"new-2": OTHER, "old_1": KEY})})

    assert list(settings.action_token_keys) == ["new-2", "old_1"]


@pytest.mark.parametrize(
    ("name", "value", "field", "read"),
    [
        ("DOCUMENT_TYPES", "*", "document_types", ("*",)),
        ("DOCUMENT_TYPES", " A , Easy::Form ", "document_types", ("A", "Easy::Form")),
        ("COUPA_MAX_PER_SECOND", "25", "coupa_max_per_second", 25),
        ("CLAIM_LEASE_S", "0001.5", "claim_lease_s", 1.5),
        ("POLL_SCHEDULE", "*/15 * * * * *", "poll_schedule", "*/15 * * * * *"),
        (
            "NOTICE_FIELDS",
            '{"ExpenseReport": ["title", "amount"], "Contract": ["status"]}',
            "notice_fields",
            {"ExpenseReport": ("title", "amount"), "Contract": ("status",)},
        ),
        ("ACTIONS", " Reject, APPROVE ", "actions", (Verb.APPROVE, Verb.REJECT)),
        ("LINK_TEMPLATE", '{"*": "{base}/x?a={id}"}', "link_template", {"*": "{base}/x?a={id}"}),
        (
            "LINK_TEMPLATE",
            '{"*": "https://go.test/?t={type}&i={id}", "Easy::Form": "{base}/{{f}}/{id}"}',
            "link_template",
            {"*": "https://go.test/?t={type}&i={id}", "Easy::Form": "{base}/{{f}}/{id}"},
        ),
        ("NOTICE_LANGUAGE", "de", "notice_language", "de"),
        ("NOTICE_LANGUAGE", "en-GB", "notice_language", "en_GB"),
        ("NOTICE_LANGUAGE", "DE_ch", "notice_language", "de_CH"),
        ("TIME_ZONE", "America/Los_Angeles", "time_zone", "America/Los_Angeles"),
        ("ESCALATE_TO", " Manager ", "escalate_to", "manager"),
        ("ESCALATE_TO", "Desk@x.test", "escalate_to", "Desk@x.test"),
        ("CLOSING_NOTICE", " Always ", "closing_notice", "always"),
        ("TELL_REQUESTER", "On", "tell_requester", "on"),
        ("FIRST_RUN", "Baseline", "first_run", "baseline"),
        *(("DRY_RUN", value, "dry_run", "on") for value in ("on", "1", " True ")),
        *(("DRY_RUN", value, "dry_run", "off") for value in ("OFF", "0", "false")),
        ("LEDGER_TABLE", "abc", "ledger_table", "abc"),
        ("AUDIT", " Optional ", "audit", "optional"),
        ("AUDIT_TABLE", "audit2", "audit_table", "audit2"),
        ("AUDIT_KEEP_DAYS", "0", "audit_keep_days", 0),
    ],
)
def test_a_right_value_is_read(name: str, value: str, field: str, read: Any) -> None:
    assert getattr(read_settings(LEAST | {name: value}), field) == read


def test_unless_told_otherwise_people_are_told_at_once_and_neither_reminded_nor_escalated() -> None:
    assert read_settings(LEAST).cadence == Cadence()


def test_what_the_settings_say_of_when_people_are_told_is_one_cadence() -> None:
    settings = read_settings(
        LEAST
        | {
            "TIME_ZONE": "Europe/Berlin",
            "TIME_ZONES": '{"X.test": "America/New_York"}',
            "QUIET_HOURS": "20:00-07:00",
            "WORKING_DAYS": "Mon-Fri",
            "URGENT_WITHIN_DAYS": "0",
            "DIGEST_OVER": "5",
            "DIGEST_AT": "09:00",
            "REMIND_AFTER_HOURS": "24",
            "REMIND_MAX": "2",
            "REMIND_BEFORE_DAYS": "1, 3",
            "ESCALATE_AFTER_HOURS": "72",
        }
    )

    assert settings.cadence == Cadence(
        zone="Europe/Berlin",
        zones={"x.test": "America/New_York"},
        quiet=(time(20), time(7)),
        working_days=frozenset(range(5)),
        urgent_within=timedelta(0),
        digest_over=5,
        digest_at=time(9),
        remind_after=timedelta(days=1),
        remind_max=2,
        remind_before=(3, 1),
        escalate_after=timedelta(days=3),
    )


def test_the_fields_can_be_given_already_parsed() -> None:
    environment = LEAST | {"ACTION_TOKEN_KEYS": {"k1": KEY}, "DOCUMENT_TYPES": ("A",)}

    settings = Settings.model_validate(environment)

    assert settings.document_types == ("A",)
    assert settings.action_token_keys["k1"].get_secret_value() == KEY


@pytest.mark.parametrize(
    ("types", "more"),
    [
        ("RequisitionHeader", ""),
        ("ReceiptRequest", ""),
        ("InvoiceHeader", " core.invoice.read"),
        ("Contract,ExpenseReport", " core.expense.read core.contract.read"),
        (
            "*",
            "".join(
                f" core.{name}.read"
                for name in ("expense", "invoice", "purchase_order", "contract", "easy_form_response")
            ),
        ),
    ],
)
def test_the_scopes_follow_the_document_types(types: str, more: str) -> None:
    assert read_settings(LEAST | {"DOCUMENT_TYPES": types}).asked_scopes == LEAST_SCOPES + more


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "NOTICE_FIELDS",
            '{"Contract": ["title"], "ExpenseReport": ["bogus"]}',
            "entry 2 may have each once of account, amount,",
        ),
        (
            "NOTICE_FIELDS",
            '{"Bogus": ["title"]}',
            "entry 1 has a type without fields; there are RequisitionHeader,",
        ),
        (
            "LINK_TEMPLATE",
            '{"*": "{base}/{number}"}',
            "entry 1 may have {base}, {type} and {id} in braces, nothing else",
        ),
        (
            "NOTICE_LANGUAGE",
            "sv",
            "must be a locale such as en_US or de_CH, of one of the languages en, de, fr",
        ),
        ("TIME_ZONE", "Berlin", "must be an IANA time zone such as Europe/Berlin"),
        ("QUIET_HOURS", "8pm-7am", "must be two different hours such as 20:00-07:00, from 00:00 to 23:59"),
        ("WORKING_DAYS", "weekdays", "must be days such as mon-fri or mon,wed,sat, of mon, tue, wed,"),
        ("DIGEST_AT", "9am", "must be an hour such as 09:00, from 00:00 to 23:59"),
        ("REMIND_BEFORE_DAYS", "3;1", "must be numbers of days such as 3,1, from 0 to 30"),
        ("TIME_ZONES", '{"x.test": "CET+1"}', "must be an IANA time zone such as Europe/Berlin"),
        ("TIME_ZONES", '{"berlin": "UTC"}', "must be a JSON object from e-mail addresses or domains to IANA"),
        ("ESCALATE_TO", "the boss", "must be manager or one e-mail address"),
        ("DRY_RUN", "yes", "must be on or off"),
        ("ACTIONS", "delegate", "must be some of approve, reject, hold, each once"),
    ],
)
def test_a_mistake_says_what_would_be_right(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(LEAST | {name: value})

    assert str(error.value).startswith(f"{name}: {said}")


# fmt: off
TAKEN = {
    # https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html (POSIX)
    *("ARFLAGS", "CC", "CDPATH", "CFLAGS", "CHARSET"),
    *("COLUMNS", "DATEMSK", "DEAD", "EDITOR", "ENV", "EXINIT"),
    *("FC", "FCEDIT", "FFLAGS", "GET", "GFLAGS", "HISTFILE"),
    *("HISTORY", "HISTSIZE", "HOME", "IFS", "LANG", "LEX"),
    *("LFLAGS", "LINENO", "LINES", "LISTER", "LOGNAME", "LPDEST", "MAIL", "MAILCHECK", "MAILER", "MAILPATH"),
    *("MAILRC", "MAKEFLAGS", "MAKESHELL", "MANPATH", "MBOX", "MORE", "MSGVERB", "NLSPATH", "NPROC", "OLDPWD"),
    *("OPTARG", "OPTERR", "OPTIND", "PAGER", "PATH"),
    *("PPID", "PRINTER", "PROCLANG", "PROJECTDIR", "PS1", "PS2"),
    *("PS3", "PS4", "PWD", "RANDOM", "SECONDS", "SHELL"),
    *("TERM", "TERMCAP", "TERMINFO", "TMPDIR", "TZ", "USER"),
    *("VISUAL", "YACC", "YFLAGS"),
    # https://www.gnu.org/software/gettext/manual/html_node/Setting-the-POSIX-Locale.html, ld.so, bash
    *("LANGUAGE", "OUTPUT_CHARSET", "TEXTDOMAIN", "TEXTDOMAINDIR"),
    *("UID", "EUID", "GROUPS", "HOSTNAME", "SHLVL"),
    # https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
    *("CREDENTIALS_DIRECTORY", "EXIT_CODE", "EXIT_STATUS", "INVOCATION_ID", "JOURNAL_STREAM", "MAINPID"),
    *("MANAGERPID", "NOTIFY_SOCKET", "PIDFILE", "REMOTE_ADDR", "REMOTE_PORT", "SERVICE_RESULT"),
    # Windows: https://learn.microsoft.com/windows/deployment/usmt/usmt-recognized-environment-variables
    *("ALLUSERSPROFILE", "APPDATA", "COMPUTERNAME", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA"),
    *("LOGONSERVER", "NUMBER_OF_PROCESSORS", "OS", "PATHEXT"),
    *("PROMPT", "PUBLIC", "SESSIONNAME", "TEMP", "TMP"),
    *("USERDOMAIN", "USERNAME", "USERPROFILE", "WINDIR"),
    # https://learn.microsoft.com/azure/azure-functions/functions-app-settings, App Service, runners
    *("APPLICATIONINSIGHTS_CONNECTION_STRING", "CI", "DEBUG", "PORT", "PROJECT", "REGION_NAME", "SETTINGS"),
}
PREFIXES = (
    *("LC_", "LD_", "DYLD_", "XDG_", "BASH", "COMP_"),
    *("LISTEN_", "SYSTEMD_", "MONITOR_", "PYTHON", "PIP_", "UV_"),
    *("AZURE_", "AZD_", "AZUREWEBJOBS", "FUNCTIONS_"),
    *("WEBSITE_", "APPSETTING_", "SCM_", "CONTAINER_", "WEBJOBS_"),
    *("SERVICE_", "MSI_", "IDENTITY_", "SQLCONNSTR_", "CUSTOMCONNSTR_", "GITHUB_", "RUNNER_", "ACTIONS_"),
    *("DOCKER_", "GIT_", "SSH_", "OTEL_", "PROCESSOR_", "PROGRAM", "SYSTEM", "HTTP_", "HTTPS_", "NO_PROXY"),
)
# fmt: on


def test_no_setting_has_a_name_that_something_else_gives_a_meaning() -> None:
    assert [name for name in NAMES if name in TAKEN or name.startswith(PREFIXES)] == []


@pytest.mark.parametrize("languages", ["fr", "fr_FR:fr", "C", "de_CH", ""])
def test_the_language_of_a_machine_is_not_that_of_notices(
    languages: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", languages)
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")

    assert read_settings(os.environ | LEAST).notice_language == "en_US"


def test_every_setting_is_read_where_it_has_an_effect() -> None:
    root = Path(__file__).parents[1] / "coupa_core"
    code = "".join(file.read_text("utf-8") for file in root.rglob("*.py"))

    assert [name for name in NAMES if not re.search(rf"\.{name.lower()}\b", code)] == []


def test_every_setting_has_a_name_of_its_own_and_a_description() -> None:
    assert len(set(NAMES)) == len(Settings.model_fields)
    assert all(name.isupper() for name in NAMES)
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_settings_do_not_change_after_they_are_read() -> None:
    settings = read_settings(LEAST)

    with pytest.raises(ValueError, match="frozen"):
        settings.action_token = "off"
