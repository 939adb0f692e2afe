"""The benchmark measures the right things, in small: counts, not times."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bench import beside, deployed, instance, quiet, told
from bench.callers import Answer, Kind
from bench.crowd import measure
from bench.deployed import build_in
from bench.figures import Figures
from bench.guide import poll_once
from bench.instance import Case
from bench.instance import measure as measure_instance
from bench.ours import account, announce_all, bridge, quiet_sweep, settings_for
from bench.seen import Seen, compared, health_line, longest_red_s
from bench.services import is_list, services
from bench.sweeper import ROOT
from bench.watch import Health
from sandbox.azurite import Azurite

pytestmark = pytest.mark.slow


def test_both_manners_announce_everything_and_ours_with_fewer_calls(azurite_server: Azurite) -> None:
    with services() as around:
        around.enter(3)
        poll_once(around)
        assert around.calls() == (4, 1, 3)
        around.count_anew()

        bridge(settings_for(around, azurite_server.connection_string, f"t{uuid.uuid4().hex}")).sweep.run()

        api, token, sends = around.calls()
    assert (token, sends) == (1, 3)
    assert api <= 7


def test_a_quiet_sweep_is_measured_in_a_process_of_its_own(azurite_server: Azurite) -> None:
    with services() as around:
        around.enter(60)
        settings = settings_for(around, azurite_server.connection_string, f"t{uuid.uuid4().hex}")
        announce_all(settings, 60)
        around.count_anew()

        quiet = quiet_sweep(settings)

        api, _, sends = around.calls()
        accounted = account(settings)
    assert (accounted.total, accounted.unaccounted) == (60, 0)
    assert accounted.beside_s > 0
    assert (api <= 5, sends) == (True, 0)
    assert 10 < quiet.peak_mb < 150


@pytest.mark.parametrize(("figure", "missed"), [(8.0, 0), (7.9, 1)])
def test_a_missed_bound_is_counted(figure: float, missed: int, capsys: pytest.CaptureFixture[str]) -> None:
    figures = Figures()

    figures.bound("ratio", figure, at_least=8)

    assert figures.missed == missed
    assert ("MISSED" in capsys.readouterr().out) is bool(missed)


def test_the_figures_that_the_benchmark_prints_are_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    figures = Figures()
    figures.section("5,000 pending, nothing new")
    figures.show("seconds", "22.2")
    figures.bound("calls to Coupa", 103, at_most=103)
    figures.section("one click")
    figures.show("seconds", "1,000.5")

    read = beside.read_figures(capsys.readouterr().out)

    assert read == {
        "5,000 pending, nothing new: seconds": 22.2,
        "5,000 pending, nothing new: calls to Coupa": 103,
        "one click: seconds": 1000.5,
    }


def test_two_builds_are_compared_by_the_medians_of_what_both_measure() -> None:
    before = [{"click: seconds": 1.0, "click: calls": 4}, {"click: seconds": 3.0, "click: calls": 4}]
    now = [{"click: seconds": 1.0, "click: new": 1}, {"click: seconds": 2.0, "click: new": 1}]

    [line] = beside.compared(before, now)

    assert line.split() == ["click:", "seconds", "2", "1.5", "0.75"]


def test_a_figure_that_was_nothing_before_has_no_ratio() -> None:
    [line] = beside.compared([{"sends": 0}], [{"sends": 2}])

    assert line.split() == ["sends", "0", "2", "-"]


def test_a_folder_that_is_no_checkout_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert beside.main(tmp_path) == 2

    assert f"BESIDE={tmp_path}" in capsys.readouterr().out


def test_a_checkout_that_measures_nothing_is_named_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__main__.py").write_text("raise SystemExit('no Azurite here')", "utf-8")

    with pytest.raises(RuntimeError, match="no Azurite here"):
        beside.measured(tmp_path)


def test_a_crowd_is_answered_truthfully_and_keeps_the_rate_in_several_processes(
    azurite_server: Azurite,
) -> None:
    crowd = measure(azurite_server.connection_string, 3, 4)

    assert set(crowd.outcomes) == {"approved", "503 busy"}
    assert crowd.decided == crowd.outcomes["approved"] >= 4
    assert crowd.calls == 4 * crowd.decided  # who was told to come back has asked Coupa nothing
    assert crowd.refused == 0


def test_a_quiet_sweep_of_a_build_is_measured_on_what_it_has_announced_itself(
    azurite_server: Azurite,
) -> None:
    first, *later = quiet.measure(azurite_server.connection_string, ROOT, 60)

    assert len(later) == quiet.NEXT
    assert {each.calls - each.listed > 0 for each in (first, *later)} == {True}
    assert first.list_age_s is not None
    assert first.peak_mb < 150


def test_rows_that_were_made_elsewhere_are_those_of_the_services_approvals(azurite_server: Azurite) -> None:
    entered_at = (datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)
    with services() as around:
        settings = settings_for(around, azurite_server.connection_string, f"t{uuid.uuid4().hex}")
        rows, status = told.made(
            settings, 30, entered_at=entered_at, told_at=entered_at + timedelta(hours=23)
        )
        ids = around.fill(30, entered_at)
        told.keep(settings, rows[:-1], status)

        bridge(settings).sweep.run()

        assert around.told() == [rows[-1].approval_id]
        assert told.left(settings, ids) == sorted(ids)


def test_only_a_question_for_all_that_waits_counts_as_the_list() -> None:
    page = {"status": "pending_approval", "limit": "50"}

    assert is_list("/api/approvals", urlencode(page | {"id[lt]": "7", "dir": "desc"}))
    assert is_list("/api/approvals", urlencode(page | {"id[gt]": "7"}))
    assert not is_list("/api/approvals", urlencode(page | {"updated-at[gt_or_eq]": "2026-11-23"}))
    assert not is_list("/api/approvals", urlencode({"id[in]": "1,2"}))
    assert not is_list("/api/requisitions", urlencode(page))


def test_a_crowd_at_one_instance_is_counted_by_what_each_caller_heard(azurite_server: Azurite) -> None:
    case = Case(azurite_server.connection_string, call_s=0.0, rate=5)

    seen = measure_instance(case, build_in(ROOT, "now"), 8)

    kinds = seen.kinds
    assert set(kinds) <= {Kind.APPROVED, Kind.AGAIN}, seen.answers
    assert kinds[Kind.APPROVED] + kinds[Kind.AGAIN] == 8
    assert len(seen.decided) == kinds[Kind.APPROVED] >= 1
    assert (seen.unheard, seen.untrue) == (0, 0)
    assert len(seen.calls) == 4 * kinds[Kind.APPROVED]  # who was told to come back has asked Coupa nothing
    assert seen.server_errors.total() == kinds[Kind.AGAIN]


def test_the_host_refuses_what_goes_beyond_the_limits_of_the_build(
    azurite_server: Azurite, tmp_path: Path
) -> None:
    narrow = checkout_with(tmp_path, threads=1, running=1, outstanding=2)
    case = Case(azurite_server.connection_string, call_s=0.4, rate=25)

    seen = measure_instance(case, build_in(narrow, "narrow"), 6)

    assert seen.kinds[Kind.THROTTLED] == 4, seen.answers
    assert len(seen.decided) == seen.kinds[Kind.APPROVED] == 2
    assert seen.untrue == 0


def test_a_crowded_minute_has_all_crowds_and_what_health_said(
    azurite_server: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "MINUTE_S", 2.5)
    case = Case(azurite_server.connection_string, call_s=0.0, rate=25, rounds=2)

    seen = measure_instance(case, build_in(ROOT, "now"), 3)

    assert len({each.approval_id for each in seen.answers}) == 6
    assert [each.status for each in seen.health] == [200] * len(seen.health)
    assert len(seen.health) >= 2
    assert "times 200; " in health_line(seen)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(7, 200, "approved", 9.9), Kind.APPROVED),
        (Answer(7, 200, "approved", 10.1), Kind.LATE),
        (Answer(7, 503, "busy", 0.1), Kind.AGAIN),
        (Answer(7, 429, "too_many_calls", 0.1), Kind.AGAIN),
        (Answer(7, 429, "", 0.1, is_of_host=True), Kind.THROTTLED),
        (Answer(7, 429, "", 10.1, is_of_host=True), Kind.LATE),
        (Answer(7, 500, "", 0.1), Kind.FAILED),
        (Answer(7, 503, "coupa_timeout", 9.0), Kind.FAILED),
        (Answer(7, 200, "already_decided", 1.0), Kind.OTHER),
        (Answer(7, 0, "", 1.0), Kind.OTHER),
        (Answer(7, 0, "", 120.0), Kind.LATE),
    ],
)
def test_each_answer_is_one_kind_for_its_caller(answer: Answer, kind: Kind) -> None:
    assert answer.kind is kind


@pytest.mark.parametrize(
    ("answer", "decided", "unheard", "untrue"),
    [
        (Answer(7, 200, "approved", 1.0), [7], 0, 0),
        (Answer(7, 200, "approved", 12.0), [7], 1, 0),
        (Answer(7, 200, "approved", 1.0), [], 0, 1),
        (Answer(7, 200, "approved", 1.0), [7, 7], 0, 2),
        (Answer(7, 503, "busy", 1.0), [], 0, 0),
        (Answer(7, 503, "busy", 1.0), [7], 1, 1),
        (Answer(7, 503, "busy", 12.0), [7], 1, 1),
        (Answer(7, 500, "", 1.0), [7], 1, 0),
        (Answer(7, 429, "", 0.1, is_of_host=True), [7], 1, 1),
    ],
)
def test_what_coupa_decided_is_held_against_what_its_caller_heard(
    answer: Answer, decided: list[int], unheard: int, untrue: int
) -> None:
    seen = Seen([answer], decided)

    assert (seen.unheard, seen.untrue) == (unheard, untrue)


def test_the_longest_time_without_a_green_answer_ends_with_the_next_one() -> None:
    said = [
        Health(0, 200, 0.1),
        Health(1, 429, 0.0),
        Health(2, 503, 0.5),
        Health(3, 200, 0.1),
        Health(4, 0, 1.0),
    ]

    assert longest_red_s(said) == 1.5
    assert longest_red_s(said[:1]) == 0


def test_two_builds_are_compared_by_the_sums_of_their_runs() -> None:
    approved, busy, late = (
        Answer(1, 200, "approved", 1.0),
        Answer(2, 503, "busy", 1.0),
        Answer(3, 200, "approved", 11.0),
    )

    said = compared([Seen([approved, late], [1, 3])] * 2, [Seen([approved, busy], [1])] * 2, carried=3)

    assert said.strip() == (
        "of 4: approved in time 2 before, 2 now, ratio 1.00; answered in time 2 before, 4 now, ratio 2.00; "
        "the rate carries 3 in 10 s"
    )


def test_the_limits_are_those_that_a_checkout_is_deployed_with(tmp_path: Path) -> None:
    build = build_in(checkout_with(tmp_path, threads=3, running=4, outstanding=5), "before")

    assert (build.threads, build.running, build.outstanding) == (3, 4, 5)


def test_a_folder_without_limits_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert instance.main(["--beside", str(tmp_path)]) == 2

    assert f"{tmp_path} is no checkout of this project" in capsys.readouterr().out


def test_an_instance_that_does_not_start_is_named(tmp_path: Path) -> None:
    folder = checkout_with(tmp_path, threads=1, running=1, outstanding=1)
    (folder / "function_app.py").unlink()
    (folder / "function_app.py").write_text("raise SystemError('no app')", "utf-8")

    with pytest.raises(RuntimeError, match="no app"), deployed.instance(build_in(folder, "now"), {}):
        pass


def checkout_with(folder: Path, *, threads: int, running: int, outstanding: int) -> Path:
    """Make a checkout of this build with other limits."""
    for name in ("function_app.py", "coupa_core"):
        (folder / name).symlink_to(ROOT / name)
    http = {"routePrefix": "api", "maxConcurrentRequests": running, "maxOutstandingRequests": outstanding}
    (folder / "host.json").write_text(json.dumps({"version": "2.0", "extensions": {"http": http}}), "utf-8")
    (folder / "infra").mkdir()
    default = f"param httpConcurrency = number(readEnvironmentVariable('HTTP_CONCURRENCY', ''), {threads})\n"
    (folder / "infra" / "main.bicepparam").write_text(default, "utf-8")
    return folder
