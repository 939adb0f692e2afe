"""The benchmark measures what it says, in small: counts, not times."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bench import beside, quiet, told
from bench.crowd import measure
from bench.figures import Figures
from bench.guide import poll_once
from bench.neighbours import is_list, neighbours
from bench.ours import account, announce_all, bridge, quiet_sweep, settings_for
from bench.sweeper import ROOT
from sandbox.azurite import Azurite

pytestmark = pytest.mark.no_cover  # it is slow, and quicker tests ask for every branch


def test_both_manners_announce_everything_and_ours_with_fewer_calls(azurite_server: Azurite) -> None:
    with neighbours() as around:
        around.enter(3)
        poll_once(around)
        assert around.calls() == (4, 1, 3)
        around.count_anew()

        bridge(settings_for(around, azurite_server.connection_string, f"t{uuid.uuid4().hex}")).sweep.run()

        api, token, sends = around.calls()
    assert (token, sends) == (1, 3)
    assert api <= 7


def test_a_quiet_sweep_is_measured_in_a_process_of_its_own(azurite_server: Azurite) -> None:
    with neighbours() as around:
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


def test_rows_that_were_made_elsewhere_are_those_of_the_neighbours_approvals(azurite_server: Azurite) -> None:
    entered_at = (datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)
    with neighbours() as around:
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
