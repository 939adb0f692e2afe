"""The host admits as many requests as the app can serve, and the doctor says where the numbers do not fit."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from bridge import SETTINGS

from coupa_core.app import Overrides
from coupa_core.app import use_cases as composition
from coupa_core.doctor import examine
from coupa_core.doctor.limits import limits
from coupa_core.endpoints import BOUNDS_S
from coupa_core.errors import SettingsError
from coupa_core.finding import Finding, Verdict
from coupa_core.hosting import (
    APP,
    CONCURRENT,
    ENOUGH_S,
    OUTSTANDING,
    THREADS,
    HostLimits,
    fits,
    limits_of,
    override_of,
)
from coupa_core.sweep.run import SWEEP_S
from sandbox.clock import ManualClock

HUNDRED = {THREADS: "100"}
EARLIER = {
    "version": "2.0",
    "functionTimeout": "00:05:00",
    "extensions": {"http": {"maxConcurrentRequests": 32, "maxOutstandingRequests": 100}},
}
"""What 0.2.0 was deployed with."""


def folder(path: Path, said: Any) -> Path:
    text = said if isinstance(said, str) else json.dumps(said)
    (path / "host.json").write_text(text, "utf-8")
    return path


def http(**numbers: Any) -> dict[str, Any]:
    """Return a host.json that says this of requests."""
    return {"functionTimeout": "00:02:00", "extensions": {"http": numbers}}


def texts(findings: Any, verdict: Verdict) -> str:
    return "\n".join(each.text for each in findings if each.verdict is verdict)


def test_what_is_deployed_fits_together_and_gives_the_app_its_time() -> None:
    [said] = fits(limits_of(APP, HUNDRED))

    assert said.verdict is Verdict.OK
    assert (limits_of(APP, {}).timeout_s, limits_of(APP, {}).outstanding) == (ENOUGH_S, 100)
    assert max(SWEEP_S, *BOUNDS_S.values()) + 10 <= ENOUGH_S


def test_the_settings_of_the_example_for_this_machine_fit_as_well() -> None:
    example = json.loads((APP / "local.settings.json.example").read_text("utf-8"))["Values"]

    assert [each.verdict for each in limits(example, APP, is_walk=False)] == [Verdict.OK]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:02:00", 120.0),
        ("00:02:00.5", 120.0),
        ("0:00:30", 30.0),
        ("1.00:00:00", 86_400.0),
        ("-1", None),
        (None, None),
    ],
)
def test_a_time_is_read_as_the_host_writes_it(tmp_path: Path, text: str | None, seconds: float) -> None:
    said = {} if text is None else {"functionTimeout": text}

    assert limits_of(folder(tmp_path, said), {}).timeout_s == seconds


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("{", "host.json: cannot be read as JSON"),
        ("[" * 100_000, "host.json: cannot be read as JSON"),
        (http(maxConcurrentRequests="many"), "maxConcurrentRequests must be a whole number"),
        (http(maxOutstandingRequests=-2), "maxOutstandingRequests must be a whole number"),
        (http(maxOutstandingRequests=1.5), "maxOutstandingRequests must be a whole number"),
        (http(maxOutstandingRequests=0), "maxOutstandingRequests must be a whole number above 0"),
        (http(maxConcurrentRequests=0), "maxConcurrentRequests must be a whole number above 0"),
        (http(maxConcurrentRequests=True), "maxConcurrentRequests must be a whole number above 0"),
        ([], "host.json: must be a JSON object"),
        (7, "host.json: must be a JSON object"),
        ({"functionTimeout": "00:99:00"}, "functionTimeout must be a time such as 00:02:00"),
        ({"functionTimeout": "24:00:00"}, "functionTimeout must be a time such as 00:02:00"),
        ({"functionTimeout": "2 minutes"}, "functionTimeout must be a time such as 00:02:00"),
        ({"functionTimeout": 120}, "functionTimeout must be a time such as 00:02:00"),
    ],
)
def test_what_the_host_would_not_take_is_named(tmp_path: Path, said: Any, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        limits_of(folder(tmp_path, said), {})

    found = list(limits(HUNDRED, tmp_path, is_walk=False))
    assert [each.verdict for each in found] == [Verdict.WRONG]
    assert found[0].subject == "host.json"
    assert found[0].text.endswith("; take the one that came with the release")


def test_without_a_file_that_is_said(tmp_path: Path) -> None:
    [said] = limits(HUNDRED, tmp_path, is_walk=False)

    assert (said.verdict, said.subject) == (Verdict.WRONG, "host.json")


@pytest.mark.parametrize(
    "said",
    [
        {"extensions": None},
        {"extensions": {"http": 7}},
        http(),
        http(maxConcurrentRequests=-1, maxOutstandingRequests=-1),
    ],
)
def test_a_file_that_says_nothing_of_it_lets_anybody_in(tmp_path: Path, said: Any) -> None:
    found = limits_of(folder(tmp_path, said), HUNDRED)

    assert (found.concurrent, found.outstanding) == (None, None)
    assert "lets any number of requests in, and the worker has 100 threads" in texts(
        fits(found), Verdict.WRONG
    )


@pytest.mark.parametrize("number", ["0", "-2", "many"])
def test_a_setting_with_a_number_that_cannot_work_is_named_itself(number: str) -> None:
    over = override_of(OUTSTANDING)

    [said] = limits({**HUNDRED, over: number}, APP, is_walk=False)

    assert (said.verdict, said.subject) == (Verdict.WRONG, over)
    assert said.text == "must be a whole number above 0; set 100, or take it away"


def test_a_setting_with_a_time_that_cannot_be_read_is_named_itself() -> None:
    [said] = limits({**HUNDRED, override_of("functionTimeout"): "2 minutes"}, APP, is_walk=False)

    assert (said.verdict, said.text) == (
        Verdict.WRONG,
        "must be a time such as 00:02:00; set it so, or take it away",
    )


def test_a_setting_wins_over_the_file_however_it_is_written() -> None:
    over = {
        "AzureFunctionsJobHost__extensions__http__maxOutstandingRequests": "50",
        "azurefunctionsjobhost__EXTENSIONS__http__maxConcurrentRequests": " 50\n",
        "AzureFunctionsJobHost__functionTimeout": "00:03:00",
        THREADS: "50",
    }

    assert limits_of(APP, over) == HostLimits(50, 50, 180.0, 50)
    assert limits_of(APP, {**dict.fromkeys(over, " "), **HUNDRED}) == limits_of(APP, HUNDRED)


@pytest.mark.parametrize("text", ["", "0", "-1", "many", "1.5", "1e2", "\uff11\uff10"])
def test_where_no_number_of_threads_is_given_the_worker_takes_its_own(text: str) -> None:
    assert limits_of(APP, {THREADS: text}).threads == min(32, (os.cpu_count() or 1) + 4)

    said = [each for each in limits({THREADS: text}, APP, is_walk=False) if each.subject == THREADS]
    assert [each.verdict for each in said] == ([Verdict.NOTE] if text else [])


@pytest.mark.parametrize(
    ("found", "verdict", "part"),
    [
        (
            HostLimits(0, 100, 120, 100),
            Verdict.WRONG,
            "maxConcurrentRequests is 0, with which nobody is served",
        ),
        (HostLimits(100, -1, 120, 100), Verdict.WRONG, "maxOutstandingRequests is -1, with which nobody"),
        (HostLimits(100, 100, 120, 0), Verdict.WRONG, f"{THREADS} is 0, with which nobody is served"),
        (HostLimits(100, 100, 120, 8), Verdict.WRONG, "lets 100 requests in, and the worker has 8 threads"),
        (HostLimits(32, 100, 120, 100), Verdict.WRONG, "lets 100 requests in and runs 32 of them"),
        (HostLimits(100, 100, 60, 100), Verdict.WRONG, "functionTimeout is 60 s, and the host then ends"),
        (HostLimits(100, 100, 119, 100), Verdict.WRONG, "functionTimeout is 119 s"),
        (HostLimits(100, 100, 300, 100), Verdict.NOTE, "functionTimeout is 300 s: a click that runs beside"),
        (HostLimits(100, 100, None, 100), Verdict.NOTE, "functionTimeout is not said"),
    ],
)
def test_numbers_that_do_not_fit_are_named_with_what_comes_of_it(
    found: HostLimits, verdict: Verdict, part: str
) -> None:
    [said] = fits(found)

    assert (said.verdict, said.subject) == (verdict, "host.json")
    assert part in said.text


@pytest.mark.parametrize(
    "found", [HostLimits(None, 8, 120, 8), HostLimits(8, 8, 120, 8), HostLimits(8, 8, 120, 100)]
)
def test_whoever_is_let_in_has_a_thread_and_that_is_enough(found: HostLimits) -> None:
    assert [each.verdict for each in fits(found)] == [Verdict.OK]


def examined(settings: dict[str, str], path: Path, *, is_walk: bool = False) -> list[Finding]:
    """Return what the doctor says before it asks anybody; a setting is missing, so it asks nobody."""
    given = {name: value for name, value in settings.items() if name != "MOVEWORKS_API_KEY"}
    parts = Overrides(ManualClock(), random.Random(1))
    return list(examine(given, parts, is_walk=is_walk, app=path))


def test_a_new_app_under_an_old_host_json_is_said_by_the_doctor(tmp_path: Path) -> None:
    found = examined({**SETTINGS, **HUNDRED}, folder(tmp_path, EARLIER))

    said = [each.text for each in found if each.subject == "host.json"]
    assert said[0].startswith("is that of 0.2.0 or earlier, under a later release")
    assert "runs 32 of them" in said[1]
    assert "functionTimeout is 300 s" in said[2]


def test_an_old_release_under_the_settings_of_new_templates_lets_in_whom_it_can_serve(tmp_path: Path) -> None:
    """Whoever goes back has the earlier host.json, and threads and doors of the later templates."""
    over = dict.fromkeys((THREADS, override_of(CONCURRENT), override_of(OUTSTANDING)), "100")

    [said] = fits(limits_of(folder(tmp_path, EARLIER), over))

    assert said.verdict is Verdict.NOTE
    assert said.text.startswith("functionTimeout is 300 s")


def test_settings_of_an_old_deployment_under_a_new_host_json_are_said_by_the_doctor() -> None:
    """The templates of 0.2.0 gave an instance eight threads."""
    found = examined({**SETTINGS, THREADS: "8"}, APP)

    assert "lets 100 requests in, and the worker has 8 threads" in texts(found, Verdict.WRONG)


@pytest.mark.parametrize("asked", ["", "8", "100", " 50 "])
def test_the_templates_make_one_number_of_the_variable(asked: str) -> None:
    found = examined({**SETTINGS, "HTTP_CONCURRENCY": asked, THREADS: "8"}, APP, is_walk=True)

    [said] = [each for each in found if each.subject == "host.json"]
    assert said.verdict is Verdict.OK
    assert said.text.startswith(f"{asked.strip() or '100'} requests are let in at once")


@pytest.mark.parametrize("asked", ["0", "101", "1000", "many", "-8", "8.5", "٨"])
def test_a_number_that_the_templates_refuse_is_named_before(asked: str) -> None:
    found = examined({**SETTINGS, "HTTP_CONCURRENCY": asked}, APP, is_walk=True)

    [said] = [each for each in found if each.subject == "HTTP_CONCURRENCY"]
    assert (said.verdict, said.text) == (Verdict.WRONG, "must be a whole number from 1 to 100")


@pytest.mark.parametrize(("value", "is_off"), [("1", True), (" True\n", True), ("false", False), ("", False)])
def test_a_timer_that_is_switched_off_is_named(value: str, is_off: bool) -> None:  # noqa: FBT001 - expected
    name = "AzureWebJobs.poll_approvals.Disabled"

    said = [each for each in examined({**SETTINGS, name: value}, APP) if each.subject == name]

    assert [each.verdict for each in said] == ([Verdict.WRONG] if is_off else [])


def test_the_status_shows_them_and_nothing_where_they_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(THREADS, "100")
    assert composition._limits() == {
        "max_concurrent": 100,
        "max_outstanding": 100,
        "function_timeout_s": 120.0,
        "threads": 100,
    }

    monkeypatch.setattr(composition, "APP", folder(tmp_path, "{"))
    assert composition._limits() == {}
