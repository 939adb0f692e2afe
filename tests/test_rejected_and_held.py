"""A return to draft is a rejection only where Coupa says so, and people read the truth about a hold."""

from __future__ import annotations

import pytest
from bridge import World
from goldens import CLIENT, request

from coupa_core.endings import Ending, end_of_document
from sandbox.coupa.world import Group
from sandbox.moveworks import Delivered

ANN, BOB, SAM = "ann@example.com", "bob@example.com", "sam@example.com"
SETTINGS = {"CLOSING_NOTICE": "always", "TELL_REQUESTER": "on"}
BEFORE, SUBMITTED, AFTER = "2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"


def told(world: World) -> list[tuple[str, str]]:
    """Return who is told what by the next sweeps."""
    said: list[Delivered] = []
    for _ in range(2):
        world.clock.advance(400)
        said += world.announced()
    return [(each.recipient, each.message) for each in said]


def test_a_rejection_of_which_the_chain_lists_no_step_is_told_with_its_words() -> None:
    """Who rejected it knows."""
    world = World(settings=SETTINGS)
    number = world.requisition([ANN, BOB])
    world.announced()
    first = world.coupa.world.approvals_of(number)[0]
    world.clock.advance(60)
    world.in_coupa(first.id, ANN, "rejected", note="too dear")
    world.coupa.world._clear(world.coupa.world.requisition(number), every=True)

    said = dict(told(world))

    assert set(said) == {BOB, SAM}
    assert "Rejected by Ann Doe" in said[BOB]
    assert "Your request was rejected by Ann Doe" in said[SAM]
    assert "Reason given: too dear" in said[SAM]


@pytest.mark.parametrize(
    ("at", "submitted", "words", "ending"),
    [
        (AFTER, SUBMITTED, "too dear", Ending.REJECTED),
        (AFTER, None, "too dear", Ending.REJECTED),
        (BEFORE, SUBMITTED, "too dear", Ending.DRAFT),  # of the round before, and taken back in this one
        (None, SUBMITTED, "too dear", Ending.DRAFT),
        (AFTER, SUBMITTED, "Please hurry", Ending.DRAFT),
    ],
)
def test_the_last_reason_of_a_rejection_counts_where_its_comment_came_after_the_last_submission(
    at: str | None, submitted: str | None, words: str, ending: Ending
) -> None:
    comment = {"id": 1, "comments": words, "created-at": at, "created-by": {"fullname": "Robin"}}
    document = request(
        status="draft",
        approvals=[],
        submitted_at=submitted,
        comments=[comment],
        reject_reason_comment="too dear",
    )

    end = end_of_document(document)

    expected = ("Robin", "too dear") if ending is Ending.REJECTED else ("", "")
    assert (end.ending, end.by, end.words) == (ending, *expected)


def test_the_words_of_a_rejection_from_chat_are_those_of_the_person() -> None:
    text = "Kim Park <kim@acme.test> via Moveworks: too dear"
    comment = {"id": 1, "comments": text, "created-at": AFTER, "created-by": CLIENT}

    end = end_of_document(
        request(status="draft", approvals=[], comments=[comment], reject_reason_comment=text)
    )

    assert (end.ending, end.by, end.words) == (Ending.REJECTED, "Kim Park", "too dear")


def test_a_request_that_went_back_to_draft_is_not_called_withdrawn() -> None:
    world = World(settings=SETTINGS)
    number = world.requisition(ANN)
    world.announced()
    document = world.coupa.world.requisition(number)
    document.status = "draft"
    world.coupa.world.touch(document.approvals[0].id)
    document.updated_at = world.coupa.world.now()

    [(person, said)] = told(world)

    assert (person, "Back in draft: " in said, "ithdrawn" in said) == (ANN, True, False)


def held(*, by: str | None, members: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return who is told what after an approval of Ann's, or of a group, was put on hold at the screen."""
    world = World(settings=SETTINGS)
    group = [world.person(each) for each in members]
    asked = Group(world.coupa.world.add_group(name="Buyers", members=group)) if members else ANN
    number = world.requisition(asked, holdable=True)
    world.announced()
    world.clock.advance(60)
    step = world.coupa.world.approvals_of(number)[0]
    world.coupa.world.hold(step.id, by=world.person(by) if by else None)
    if by is None:
        world.coupa.world.touch(step.id)  # a job of Coupa's
    return told(world)


def test_who_put_it_on_hold_at_the_screen_is_not_told_of_it() -> None:
    assert held(by=ANN) == []
    assert held(by=None) == []


def test_the_others_hear_of_a_hold_and_not_that_nothing_is_left_to_do() -> None:
    [(person, said)] = held(by=ANN, members=(ANN, BOB))

    assert (person, "Put on hold: " in said) == (BOB, True)
    assert "It cannot be decided while it is on hold." in said
    assert "nothing left" not in said


def test_after_a_hold_from_chat_by_a_delegate_the_approver_hears_of_it() -> None:
    world = World(settings=SETTINGS)
    world.delegation(ANN, BOB)
    world.requisition(ANN, holdable=True)
    card = next(each for each in world.announced() if each.recipient == BOB)

    world.click(card, BOB, "hold")

    assert [person for person, _ in told(world)] == [ANN]
