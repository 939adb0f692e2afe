"""One reader for each setting: all parts of the app read an odd text in the same way."""

from __future__ import annotations

import contextlib
import doctest
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spellings import AROUND, BASE, BLANKS, INSIDE, QUOTED, RIGHT

from coupa_core import app, environment
from coupa_core.app import Overrides
from coupa_core.audit import command as audit
from coupa_core.clock import SystemClock
from coupa_core.doctor import Verdict, examine
from coupa_core.environment import environment_of, setting, trimmed
from coupa_core.errors import SettingsError
from coupa_core.hosting import HOST_JSON
from coupa_core.settings import HOST_STORAGE, NAMES, Settings, read_settings

ROOT = Path(__file__).resolve().parents[1]
FUNCTION_APP = compile((ROOT / "function_app.py").read_text("utf-8"), "function_app.py", "exec")
MISTAKES = {"in quotes": QUOTED, "invisible": INSIDE}


@pytest.fixture(autouse=True)
def _built_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    app._built.clear()
    yield
    app._built.clear()


def in_the_app() -> str:
    """Return what the app says of its settings at a call; nothing when they are right."""
    app._built.clear()
    reply = app.handle("get_approval", headers={}, query={}, route={}, body=b"")
    if reply.body["error"] != "settings":
        return ""
    return str(reply.body["message"]).removeprefix("The bridge is not configured: ").removesuffix(".")


def in_the_doctor() -> str:
    """Return the same of the doctor, which also looks at host.json, no setting of the app."""
    overrides, said = Overrides(SystemClock(), random.Random(1)), []
    for finding in examine(environment_of(Path.cwd()), overrides):
        if finding.subject in ("settings", "the rest"):
            break
        if finding.verdict is Verdict.WRONG and finding.subject != HOST_JSON:
            said.append(f"{finding.subject}: {finding.text.partition('; ')[0]}")
    return "; ".join(said)


def in_the_audit_command() -> str:
    """Return the same of the audit command, which in this test has no table to read."""
    try:
        audit._settings()
    except SettingsError as error:
        return str(error).removesuffix("LEDGER_CONNECTION: memory keeps nothing that this command could read")
    return ""


def understood() -> Settings | str:
    """Return what the settings of the environment are, or what is wrong with them, if all readers agree."""
    triggers = indexed()
    assert triggers.pop("health")[1] is func.AuthLevel.ANONYMOUS
    [schedule] = [value for kind, value in triggers.values() if kind == "schedule"]
    assert {value for kind, value in triggers.values() if kind == "level"} == {func.AuthLevel.FUNCTION}
    said = {in_the_app(), in_the_doctor(), in_the_audit_command()}
    [complaint] = said
    if complaint:
        return complaint
    settings = read_settings(environment_of(Path.cwd()))
    assert schedule == settings.poll_schedule
    return settings


def indexed() -> dict[str, tuple[str, object]]:
    """Return what the host would find in the app now: the schedule or the level of each function."""
    loaded: dict[str, Any] = {"__name__": "function_app"}
    exec(FUNCTION_APP, loaded)  # anew, as in a process of its own
    found: dict[str, tuple[str, object]] = {}
    for function in loaded["app"].get_functions():
        trigger = function.get_trigger().get_dict_repr()
        kind = "schedule" if "schedule" in trigger else "level"
        found[function.get_function_name()] = kind, trigger.get("schedule", trigger.get("authLevel"))
    return found


@contextlib.contextmanager
def given_as(**values: str) -> Iterator[None]:
    """Set these and the least that is needed while the block runs."""
    with pytest.MonkeyPatch.context() as machine:
        own = {"MOVEWORKS_EVENT_ID": ""} if trimmed(values.get("MOVEWORKS_LISTENER_ID", "")) else {}
        for name, value in (BASE | own | values).items():
            machine.setenv(name, value)
        yield


def test_each_setting_has_a_right_value_here() -> None:
    assert list(RIGHT) == [*NAMES, HOST_STORAGE]
    assert all([BLANKS, AROUND, *MISTAKES.values()]), "something to try of each kind"
    assert [name for name, value in RIGHT.items() if not trimmed(value)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_a_blank_setting_is_unset_for_all(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with given_as():
        monkeypatch.delenv(name, raising=False)
        unset = understood()

    for blank in BLANKS:
        with given_as(**{name: blank}):
            assert understood() == unset, repr(blank)


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_blanks_around_a_right_value_are_taken_away_by_all(name: str) -> None:
    with given_as(**{name: RIGHT[name]}):
        right = understood()

    assert isinstance(right, Settings)
    for around in AROUND:
        with given_as(**{name: around.replace("{}", RIGHT[name])}):
            assert understood() == right, repr(around)


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", RIGHT)
def test_quotes_around_a_value_and_invisible_marks_in_it_are_refused_by_all(name: str, mistake: str) -> None:
    for spelling in MISTAKES[mistake]:
        with given_as(**{name: spelling.replace("{0}", "{}").replace("{}", RIGHT[name])}):
            said = understood()

        assert isinstance(said, str)
        complaints = dict(part.split(": ", 1) for part in said.split("; "))
        assert mistake in complaints[name], repr(spelling)
        assert RIGHT[name] not in said


@pytest.mark.parametrize("name", RIGHT)
def test_a_reference_that_nobody_resolved_is_refused_by_all(name: str) -> None:
    with given_as(**{name: "@Microsoft.KeyVault(SecretUri=https://canary.example)"}):
        said = understood()

    assert isinstance(said, str)
    assert f"{name}: the Key Vault reference is not resolved" in said
    assert "canary" not in said


WRONG = [
    "99 99 * * * *",
    "0 0 8 * * 7",
    "0\t* * * * *",
    "0 * 22-6 * * *",
    "0 * * * * SAT-TUE",
    "0 0 9 31 2 *",
]
WRONG += ['"0 * * * * *"', "*/5 * * * *", "00:05:00", "@daily"]


@pytest.mark.parametrize("schedule", WRONG)
def test_a_wrong_schedule_closes_every_door_and_each_sweep_says_so(
    schedule: str, caplog: pytest.LogCaptureFixture
) -> None:
    with given_as(POLL_SCHEDULE=schedule):
        said = understood()
        assert indexed()["poll_approvals"] == ("schedule", "0 * * * * *")
        replies = {
            name: app.handle(name, headers={}, query={}, route={}, body=b"")
            for name in indexed().keys() - {"poll_approvals"}
        }
        app.sweep()
        app.sweep()

    assert str(said).startswith("POLL_SCHEDULE: ")
    assert replies.pop("health").status == 503
    assert {(reply.status, reply.body["error"]) for reply in replies.values()} == {(500, "settings")}
    assert caplog.messages[-2:] == [f"sweep not possible: {said}"] * 2


RUNS = st.text("".join(BLANKS), max_size=5)


@given(RUNS, RUNS)
def test_any_run_of_blanks_is_nothing_and_is_taken_from_both_ends(before: str, after: str) -> None:
    assert setting({"A": before + after}, "A") == ""
    assert setting({"A": f"{before}a b{after}"}, "A") == "a b"
    assert setting({}, "A") == ""


@given(st.text())
def test_a_text_that_is_read_shows_what_it_is_and_is_not_quoted(text: str) -> None:
    try:
        read = setting({"A": text}, "A")
    except ValueError as error:
        assert str(error)  # noqa: PT017 - either of the two
    else:
        assert read == trimmed(read) == trimmed(text)
        assert read.isprintable()


def write(values: object, **more: object) -> None:
    Path("local.settings.json").write_text(json.dumps({"Values": values, **more}), encoding="utf-8-sig")


def test_a_blank_variable_does_not_hide_what_the_file_says_from_any_command() -> None:
    write({"CLAIM_LEASE_S": 60, "TELL_REQUESTER": "on", "DIGEST_OVER": None, "AUDIT": "optional"})

    with given_as(TELL_REQUESTER=" \u200b", AUDIT="required"):
        assert (in_the_doctor(), in_the_audit_command()) == ("", "")
        settings = read_settings(environment_of(Path.cwd()))

    assert (settings.claim_lease_s, settings.tell_requester, settings.audit) == (60, "on", "required")
    assert settings.digest_over == int(BASE["DIGEST_OVER"])


@pytest.mark.parametrize("value", [True, 5, 0.5])
def test_a_number_or_a_switch_in_the_file_is_read_as_json_writes_it(value: object) -> None:
    write({"DRY_RUN": value})

    assert environment_of(Path.cwd())["DRY_RUN"] == json.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "5", "null", "[" * 100_000, '{"Values": []}', '{"Values": null}', "\udcff"),
        *('{"Values": {"A": {}}}', '{"Values": {"A": []}}', '{"IsEncrypted": true, "Values": {"A": "x"}}'),
    ],
)
def test_a_file_that_cannot_be_read_is_one_message_for_all_commands(text: str) -> None:
    Path("local.settings.json").write_text(text, "utf-8", errors="surrogateescape")

    with pytest.raises(SettingsError, match=r"^local\.settings\.json: cannot be read") as of_the_doctor:
        environment_of(Path.cwd())
    with pytest.raises(SettingsError) as of_the_audit_command:
        audit._settings()

    assert str(of_the_doctor.value) == str(of_the_audit_command.value)


def test_a_file_without_values_says_nothing() -> None:
    Path("local.settings.json").write_text('{"IsEncrypted": false}', "utf-8")

    with given_as():
        assert in_the_doctor() == ""


def test_the_example_in_the_docstring_holds() -> None:
    assert doctest.testmod(environment).failed == 0
