"""The machine's clock is aware and steady; a deadline passes once and only gets earlier."""

from __future__ import annotations

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.clock import Clock, Deadline, SystemClock, time_left_s, until
from sandbox.clock import ManualClock, ShiftedClock


def test_the_machines_clock_is_aware_utc_and_is_now() -> None:
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_sleeping_lets_the_monotonic_seconds_pass() -> None:
    clock = SystemClock()
    before = clock.monotonic()

    clock.sleep(0.01)

    assert 0.01 <= clock.monotonic() - before < 1


def test_a_deadline_counts_down_and_stays_passed() -> None:
    clock = ManualClock()
    deadline = Deadline(clock, 10)

    assert deadline.left_s() == 10
    clock.advance(7)
    assert deadline.left_s() == 3
    clock.advance(3)
    assert deadline.left_s() == 0
    clock.advance(5)
    assert deadline.left_s() == -5


def test_setting_the_wall_clock_does_not_move_a_deadline() -> None:
    clock = ManualClock()
    deadline = Deadline(clock, 10)

    clock.step(-3600)
    assert deadline.left_s() == 10
    clock.step(7200)
    assert deadline.left_s() == 10


@pytest.mark.parametrize(("seconds", "left_s"), [(3, 3), (10, 10), (60, 10), (0, 0), (-1, -1)])
def test_a_share_of_a_deadline_is_never_later_than_the_whole(seconds: float, left_s: float) -> None:
    clock: Clock = ManualClock()

    share = Deadline(clock, 10).within(seconds)

    assert share.left_s() == left_s


def test_a_share_of_a_passed_deadline_has_passed() -> None:
    clock = ManualClock()
    deadline = Deadline(clock, 1)
    clock.advance(2)

    assert deadline.within(5).left_s() == -1


def test_a_shifted_clock_runs_on_from_where_it_was_moved_to() -> None:
    clock = ShiftedClock()
    before, before_s = clock.now(), clock.monotonic()

    clock.advance(3600)
    clock.advance(-7200)

    assert timedelta(seconds=3600) <= clock.now() - before < timedelta(seconds=3660)
    assert 3600 <= clock.monotonic() - before_s < 3660


@pytest.mark.slow
def test_the_time_of_a_whole_process_can_be_moved() -> None:
    """In a process of its own: there is no way back."""
    program = """
from sandbox.timeshift import ProcessTime
from coupa_core.clock import SystemClock
moved, clock = ProcessTime(), SystemClock()
wall, steady = clock.now(), clock.monotonic()
moved.set_ahead(86_400)
print((clock.now() - wall).days, int((clock.monotonic() - steady) // 86_400))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout.split()) == (0, ["1", "1"]), done.stderr


# The deadline of what is under way.


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 20)), max_size=8))
def test_what_is_part_of_something_never_ends_after_it(parts: list[tuple[float, float]]) -> None:
    clock, ends, blocks = ManualClock(), [], ExitStack()
    with blocks:
        assert time_left_s() == math.inf
        for seconds, passing in parts:
            holds = blocks.enter_context(until(Deadline(clock, seconds)))
            ends.append(clock.monotonic() + seconds)
            left_s = min(ends) - clock.monotonic()
            assert time_left_s() == pytest.approx(left_s)
            assert holds.left_s() == pytest.approx(left_s)
            assert Deadline(clock, math.inf).left_s() == pytest.approx(left_s)
            clock.advance(passing)
    assert time_left_s() == math.inf


def test_a_later_deadline_that_was_made_before_does_not_hold() -> None:
    clock = ManualClock()
    late = Deadline(clock, 60)

    with until(Deadline(clock, 10)), until(late) as holds:
        assert holds.left_s() == 10


def test_threads_have_the_deadline_of_the_context_that_they_are_given() -> None:
    clock = ManualClock()
    with ThreadPoolExecutor(1) as pool, until(Deadline(clock, 10)):
        assert pool.submit(copy_context().run, time_left_s).result() == 10
        assert pool.submit(time_left_s).result() == math.inf
