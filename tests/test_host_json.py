"""The local host takes the limits of host.json and of the settings over it as Azure's host does."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from typing import Any

import pytest
from standin import launched, started, write_app

from sandbox import host_json
from sandbox.host_json import HostJson, read_host_json
from sandbox.worker_process import threads

pytestmark = pytest.mark.slow

CONCURRENT = "AzureFunctionsJobHost__extensions__http__maxConcurrentRequests"
OUTSTANDING = "AzureFunctionsJobHost__extensions__http__maxOutstandingRequests"
TIMEOUT = "AzureFunctionsJobHost__functionTimeout"


def read(folder: Path, said: Any, **environ: str) -> HostJson:
    text = said if isinstance(said, str) else json.dumps(said)
    (folder / "host.json").write_text(text, encoding="utf-8")
    return read_host_json(folder, environ)


def http(**values: Any) -> dict[str, Any]:
    return {"version": "2.0", "extensions": {"http": values}}


def test_the_values_of_the_file_are_taken(tmp_path: Path) -> None:
    said = http(maxConcurrentRequests=7, maxOutstandingRequests="9", routePrefix="")

    assert read(tmp_path, {**said, "functionTimeout": "00:02:00"}) == HostJson("", 7, 9, 120.0)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"extensions": None},
        {"extensions": 7},
        {"extensions": {"http": None}, "functionTimeout": None},
        http(maxConcurrentRequests=None, maxOutstandingRequests=None, routePrefix=None),
        http(maxConcurrentRequests=-1, maxOutstandingRequests="-1"),
        "\ufeff{}",
    ],
)
def test_what_is_not_said_is_the_default_and_minus_one_is_no_limit(tmp_path: Path, said: Any) -> None:
    assert read(tmp_path, said) == HostJson("api", None, None, 1800.0)


def test_a_byte_order_mark_and_the_case_of_names_do_not_matter(tmp_path: Path) -> None:
    assert read(tmp_path, '\ufeff{"Extensions": {"HTTP": {"MaxConcurrentRequests": 3}}}').at_once == 3


def test_settings_win_over_the_file_in_any_case_and_a_blank_one_counts_as_none(tmp_path: Path) -> None:
    said = {**http(maxConcurrentRequests=7, maxOutstandingRequests=9), "functionTimeout": "00:05:00"}
    over = {CONCURRENT.upper(): " 5 ", OUTSTANDING.lower(): "6", TIMEOUT: "00:00:03"}

    assert read(tmp_path, said, **over) == HostJson("api", 5, 6, 3.0)
    assert read(tmp_path, said, **dict.fromkeys(over, " ")) == HostJson("api", 7, 9, 300.0)
    assert read(tmp_path, said, AzureFunctionsJobHost__extensions__http__routePrefix="v9").prefix == "v9"


def test_settings_count_without_a_file(tmp_path: Path) -> None:
    assert read_host_json(tmp_path, {CONCURRENT: "5"}) == HostJson("api", 5)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:02:00", 120.0),
        ("0.00:02:00", 120.0),
        ("1.00:00:00", 86_400.0),
        (" 0:0:1 ", 1.0),
        ("00:02", 120.0),
        ("00:00:01.5", 1.5),
        ("-1", None),
        (-1, None),
    ],
)
def test_a_time_is_read_as_net_reads_it(tmp_path: Path, text: object, seconds: float | None) -> None:
    assert read(tmp_path, {"functionTimeout": text}).timeout_s == seconds


@pytest.mark.parametrize(
    "text",
    ["", "2 minutes", 120, "-2", "24:00:00", "00:60:00", "00:00:60", "00:00:00", "00:00:00.9", "1:2:3:4"],
)
def test_a_time_that_azure_refuses_or_reads_as_days_is_refused(tmp_path: Path, text: object) -> None:
    with pytest.raises(
        ValueError, match=r"^functionTimeout in host\.json is .*: write hours, minutes"
    ) as told:
        read(tmp_path, {"functionTimeout": text})

    assert "\n" not in str(told.value)


@pytest.mark.parametrize("number", [0, -2, 1.5, "many", "", "\u0665", True, 2**31, "9" * 5000])
@pytest.mark.parametrize("name", ["maxConcurrentRequests", "maxOutstandingRequests"])
def test_a_number_that_is_no_limit_is_refused(tmp_path: Path, name: str, number: object) -> None:
    with pytest.raises(ValueError, match=f"^extensions.http.{name} in host.json is .*: write a whole number"):
        read(tmp_path, http(**{name: number}))


def test_a_setting_that_is_wrong_is_named_as_it_was_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^{CONCURRENT} is '0': write a whole number above 0, or -1"):
        read(tmp_path, {}, **{CONCURRENT: "0"})


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "3", "null", "[" * 100_000, '{"a": ' * 100_000])
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"host\.json (is not JSON|must be an object)"):
        read(tmp_path, text)


def test_bytes_that_are_no_text_and_a_folder_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "host.json"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not JSON in UTF-8"):
        read_host_json(tmp_path, {})

    file.unlink()
    file.mkdir()
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        read_host_json(tmp_path, {})


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("100", 100), (" 8 ", 8), ("1000", 1000)])
def test_so_many_threads_as_the_setting_says(text: str, number: int) -> None:
    assert threads({"PYTHON_THREADPOOL_THREAD_COUNT": text}) == number


@pytest.mark.parametrize("text", ["", "0", "-3", "many", "1.5"])
def test_another_number_of_threads_is_pythons_own(text: str) -> None:
    assert threads({"PYTHON_THREADPOOL_THREAD_COUNT": text}) is None
    assert threads({}) is None


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(host_json).failed == 0


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        ("{", {}, "is not JSON"),
        ("[]", {}, "must be an object"),
        ('{"functionTimeout": "2 minutes"}', {}, "functionTimeout in host.json is '2 minutes': write"),
        ("{}", {OUTSTANDING: "0"}, f"{OUTSTANDING} is '0': write a whole number above 0"),
    ],
)
def test_a_host_that_cannot_read_its_limits_says_so_in_one_line(
    tmp_path: Path, text: str, settings: dict[str, str], said: str
) -> None:
    app_dir = write_app(tmp_path / "app", host_json=text)

    with launched(app_dir, **settings) as running:
        printed, log = running.communicate(timeout=60)

    assert (running.returncode, printed) == (1, "")
    assert log.startswith("The host does not start: ")
    assert said in log
    assert log.count("\n") == 1


@pytest.mark.parametrize("text", ["{", "[]", '{"Values": 5}', '{"Values": {"A": 5}}', "[" * 100_000])
def test_a_settings_file_that_cannot_be_used_is_said_in_one_line(tmp_path: Path, text: str) -> None:
    app_dir = write_app(tmp_path / "app")
    (file := tmp_path / "local.settings.json").write_text(text, "utf-8")

    with launched(app_dir, "--settings", str(file)) as running:
        printed, log = running.communicate(timeout=60)

    assert (running.returncode, printed) == (1, "")
    assert log.startswith("The host does not start: ")
    assert log.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--state", "{file}"),
        ("--port", "70000"),
        ("--lease", "-1"),
        ("--lease", "nan"),
        ("--settings", "/none"),
    ],
)
def test_an_option_that_cannot_be_used_ends_the_host_without_a_traceback(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    app_dir = write_app(tmp_path / "app")
    (file := tmp_path / "a file").touch()

    with launched(app_dir, *(each.format(file=file) for each in arguments)) as running:
        printed, log = running.communicate(timeout=60)

    assert running.returncode in (1, 2)
    assert printed == ""
    assert "Traceback" not in log


def test_a_file_with_a_byte_order_mark_days_and_nothing_said_starts_the_host(tmp_path: Path) -> None:
    text = '\ufeff{"functionTimeout": "0.00:02:00", "extensions": null}'

    with started(write_app(tmp_path / "app", host_json=text)) as host:
        assert host.answer("pid") == 200


def test_a_time_by_a_setting_ends_a_call(tmp_path: Path) -> None:
    with started(write_app(tmp_path / "app"), **{TIMEOUT: "00:00:02"}) as host:
        assert host.hold("hanging").result() == 500
