"""The benchmark measures what it says, in small: counts, not times."""

from __future__ import annotations

import uuid

import pytest

from bench.__main__ import Figures
from bench.guide import poll_once
from bench.neighbours import neighbours
from bench.ours import account, announce_all, bridge, quiet_sweep, settings_for
from sandbox.azurite import Azurite


def test_both_manners_announce_everything_and_ours_with_fewer_calls(azurite_server: Azurite) -> None:
    with neighbours() as around:
        around.enter(3)
        poll_once(around)
        assert around.calls() == (4, 1, 3)
        around.count_anew()

        bridge(settings_for(around, azurite_server.connection_string, f"t{uuid.uuid4().hex}")).sweep.run()

        api, token, sends = around.calls()
    assert (token, sends) == (1, 3)
    assert api <= 6


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
