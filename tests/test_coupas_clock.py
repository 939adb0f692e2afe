"""Coupa's times are compared with Coupa's clock, whatever the bridge's own clock shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bridge import JAMIE, ROBIN, World
from hypothesis import example, given, settings
from hypothesis import strategies as st

MINUTE = 60.0


def delegating(*, coupa_ahead_s: float, starts_s: float = -3_600.0, ends_s: float = 3_600.0) -> World:
    """Return a world in which Robin acts for Jamie, from and until so many seconds from Coupa's now."""
    world = World(coupa_ahead_s=coupa_ahead_s)
    world.delegation(JAMIE, ROBIN, start=timedelta(seconds=starts_s), end=timedelta(seconds=ends_s))
    world.requisition(JAMIE)
    return world


@pytest.mark.parametrize("ahead_s", [-10 * MINUTE, 0.0, 10 * MINUTE])
def test_a_delegation_that_has_ended_by_coupas_clock_lets_nobody_decide(ahead_s: float) -> None:
    world = delegating(coupa_ahead_s=ahead_s, ends_s=5 * MINUTE)
    cards = world.announced()
    assert [card.recipient for card in cards] == [JAMIE, ROBIN]
    world.clock.advance(10 * MINUTE)

    assert world.click(cards[1], ROBIN).body["outcome"] == "not_your_approval"
    assert world.listed(ROBIN).body["count"] == 0
    assert world.click(cards[0], JAMIE).body["outcome"] == "approved"


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    ahead_s=st.integers(-900, 900).map(float),
    starts_s=st.integers(-1_200, 1_200).map(float),
    lasts_s=st.integers(1, 1_200).map(float),
)
@example(ahead_s=600.0, starts_s=-900.0, lasts_s=600.0)
@example(ahead_s=-600.0, starts_s=-900.0, lasts_s=600.0)
@example(ahead_s=-600.0, starts_s=-60.0, lasts_s=600.0)
def test_a_delegate_decides_while_coupas_clock_says_so_and_at_no_other_time(
    ahead_s: float, starts_s: float, lasts_s: float
) -> None:
    near_s = 10.0  # what passes while they are asked
    for edge_s in (starts_s, starts_s + lasts_s):
        if abs(edge_s) <= near_s:
            return
    is_now = starts_s < 0 < starts_s + lasts_s
    world = delegating(coupa_ahead_s=ahead_s, starts_s=starts_s, ends_s=starts_s + lasts_s)

    told = [card.recipient for card in world.announced()]
    cards = world.listed(ROBIN).body["approvals"]

    assert told == ([JAMIE, ROBIN] if is_now else [JAMIE])
    assert len(cards) == is_now
    if is_now:
        assert world.click(cards[0], ROBIN).body["outcome"] == "approved"


def test_without_a_date_in_coupas_answers_our_own_clock_counts() -> None:
    world = delegating(coupa_ahead_s=0.0, ends_s=5 * MINUTE)
    world.coupa.front.is_dated = False

    assert [card.recipient for card in world.announced()] == [JAMIE, ROBIN]
    world.clock.advance(10 * MINUTE)
    assert world.listed(ROBIN).body["count"] == 0


def test_the_same_question_within_an_hour_of_coupas_clock_is_asked_once() -> None:
    world = World(coupa_ahead_s=-7_200.0, settings={"COMMENTS": "on"})
    number = world.requisition(JAMIE)
    [card] = world.announced()

    assert [world.ask(card).body["outcome"] for _ in range(2)] == ["commented"] * 2
    assert len(world.coupa.world.requisition(number).comments) == 1


def test_an_age_is_counted_from_coupas_now() -> None:
    world = World(coupa_ahead_s=-86_400.0 - 60)
    world.requisition(JAMIE)

    [card] = world.listed(JAMIE).body["approvals"]

    assert card["age_days"] == 0
