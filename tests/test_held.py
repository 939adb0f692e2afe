"""A step on hold keeps its turn: nobody after it is told, listed, or let decide before it is released."""

from __future__ import annotations

from typing import Any

import pytest
from bridge import World
from goldens import approval, request
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.doctor import preview
from coupa_core.model import OPEN, PENDING, current_of
from sandbox.moveworks import Delivered

ANN, BOB, CY = "ann@example.com", "bob@example.com", "cy@example.com"
TYPES = ["InvoiceHeader", "ExpenseReport", "Supplier"]
SETTINGS = {"DOCUMENT_TYPES": "*", "ACTION_TOKEN": "optional", "ALLOW_SELF_APPROVAL": "on"}


def waits(world: World, kind: str, *approvers: str) -> list[int]:
    """Enter a document that names no current approval; return the ids of its steps."""
    number = world.coupa.world.add_document(
        approvable_type=kind,
        approvers=[world.person(each) for each in approvers],
        requested_by=world.person("sam@example.com"),
        created_by=world.person("sam@example.com"),
        holdable=True,
        total="100.00",
        currency={"code": "EUR"},
    )
    return [each.id for each in world.coupa.world.document(number).approvals]


def told(world: World) -> list[Delivered]:
    """Return what the sweeps of the next quarter of an hour tell."""
    said = []
    for _ in range(3):
        world.clock.advance(300)
        said += world.announced()
    return said


@pytest.mark.parametrize("kind", TYPES)
def test_nobody_has_the_turn_of_a_step_that_is_on_hold(kind: str) -> None:
    world = World(settings=SETTINGS)
    first, second = waits(world, kind, ANN, BOB)
    [card] = world.announced()

    assert world.click(card, ANN, "hold").body["outcome"] == "held"

    foreseen = preview(world.read_settings(), world.overrides()).notices
    assert (told(world), list(foreseen)) == ([], [])
    assert world.listed(BOB).body["approvals"] == []
    assert world.click({"approval_id": str(second)}, BOB).body["outcome"] == "not_your_turn"
    assert any("it is not its turn yet" in each for each in world.story(second, is_live=True))

    world.coupa.world.reopen(first)
    assert [each.recipient for each in told(world)] == [ANN]
    world.click({"approval_id": str(first)}, ANN)
    assert [each.recipient for each in told(world)] == [BOB]


def test_the_siblings_on_hold_are_read_with_the_others_at_no_further_call() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    first, _ = waits(world, "Supplier", ANN, BOB)
    world.sweep()
    calls = [each for each in world.coupa.front.calls if "approvable_id" in each.query]
    world.coupa.world.hold(first)
    world.clock.advance(300)
    world.sweep()

    later = [each for each in world.coupa.front.calls if "approvable_id" in each.query][len(calls) :]
    assert len(later) <= len(calls)


def test_a_card_names_the_colleague_and_the_next_one_whose_steps_are_on_hold() -> None:
    world = World()
    number = world.requisition([ANN, BOB], CY, holdable=True)
    _, beside, after = world.coupa.world.approvals_of(number)
    world.coupa.world.hold(beside.id)
    world.coupa.world.hold(after.id)

    [card] = world.announced()

    assert "Bob Doe, at the same time" in card.message
    assert "Cy Doe" in card.message
    assert "yours is the last" not in card.message


STEP = st.tuples(
    st.integers(0, 4), st.sampled_from([None, "A", "B"]), st.sampled_from([*OPEN, "approved", "escalated"])
)


@given(st.lists(STEP, max_size=6))
def test_whose_turn_it_is_does_not_change_when_steps_are_put_on_hold(steps: list[tuple[Any, ...]]) -> None:
    def chain(*, is_held: bool) -> list[Any]:
        return [
            approval(
                id=number,
                position=position,
                parallel_group_name=group,
                status=status if is_held or status not in OPEN else PENDING,
            )
            for number, (position, group, status) in enumerate(steps, 1)
        ]

    assert current_of(chain(is_held=True)) == current_of(chain(is_held=False))


def test_who_comes_next_counts_a_step_that_is_on_hold() -> None:
    mine = approval(id=1, position=1, parallel_group_name=None)
    chain = [
        {"id": 1, "status": "pending_approval", "position": 1},
        {"id": 2, "status": "on_hold", "position": 2},
    ]

    around = request(approvals=chain).around(mine)

    assert around is not None
    assert [each.id for each in around[1]] == [2]
