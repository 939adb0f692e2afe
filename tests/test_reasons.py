"""A requester reads why a request was rejected, in the words and with the name of the decider, once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, SAM, World
from goldens import CLIENT, request

from coupa_core.endings import Ending, end_of_document
from sandbox.moveworks import Delivered

TELL = {"TELL_REQUESTER": "on", "CLOSING_NOTICE": "never"}
WHY = "Two are enough; take the cheaper model."


def offered_as(world: World, how: str) -> tuple[int, Delivered]:
    """Enter a request that Jamie may decide as somebody, and return it with Jamie's card."""
    asked: Any = {"group": None, "delegate": ROBIN}.get(how, JAMIE)
    if how == "group":
        asked = world.group(JAMIE, ROBIN)
    if how == "delegate":
        world.delegation(ROBIN, JAMIE, start=timedelta(days=-1))
    number = world.requisition(asked, requester=SAM)
    return number, next(each for each in world.announced() if each.recipient == JAMIE)


def at_the_screen(world: World, card: Delivered) -> None:
    """Let Jamie reject it in Coupa."""
    world.in_coupa(world.approval(card).id, JAMIE, "rejected", note=WHY)


def heard(world: World, *, minutes: float = 1) -> list[tuple[str, str]]:
    """Return who is told what by the sweep some minutes later."""
    world.clock.advance(60 * minutes)
    return [(each.recipient, each.message) for each in world.announced()]


@pytest.mark.parametrize("how", ["approver", "group", "delegate", "in Coupa"])
@pytest.mark.parametrize("has_note", [True, False])
def test_the_requester_hears_who_rejected_it_and_why_once(how: str, *, has_note: bool) -> None:
    world = World(settings=TELL)
    number, card = offered_as(world, how)
    if how == "in Coupa":
        at_the_screen(world, card)
    else:
        assert world.click(card, JAMIE, "reject", reason=WHY).body["outcome"] == "rejected"
    if not has_note:  # then Coupa has the reason as a comment alone
        world.approval(card).note = None

    [(person, said)] = heard(world)

    assert person == SAM
    assert f"Purchase request {number}, “Laptops”, USD 1,800.00" in said
    assert ("rejected by Jamie Doe" in said, said.count(f"Reason given: {WHY}")) == (True, 1)
    assert "via Moveworks" not in said
    assert [heard(world, minutes=100) for _ in range(3)] == [[]] * 3


def test_of_parallel_steps_the_reason_is_that_of_who_rejected() -> None:
    world = World(settings=TELL)
    world.requisition([JAMIE, ROBIN], requester=SAM)
    cards = {each.recipient: each for each in world.announced()}
    world.click(cards[JAMIE], JAMIE, "approve", reason="Fine with me.")
    world.click(cards[ROBIN], ROBIN, "reject", reason=WHY)

    [(_, said)] = heard(world)

    assert ("rejected by Robin Doe" in said, WHY in said, "Fine with me" in said) == (True, True, False)


def test_a_second_round_is_told_with_its_own_reason() -> None:
    world = World(settings=TELL)
    number, card = offered_as(world, "approver")
    world.click(card, JAMIE, "reject", reason="Too dear.")
    assert "Too dear." in heard(world)[0][1]
    world.coupa.world.restart_chain(number)
    [again] = [each for each in world.announced() if each.recipient == JAMIE]
    world.clock.advance(3600)
    world.click(again, JAMIE, "reject", reason=WHY)

    [(_, said)] = heard(world)

    assert ("Too dear." in said, WHY in said) == (False, True)


def test_the_requester_is_told_in_their_own_morning_with_the_reason() -> None:
    zones = json.dumps({SAM: "Asia/Tokyo"})
    world = World(settings={**TELL, "QUIET_HOURS": "20:00-07:00", "TIME_ZONES": zones})
    _, card = offered_as(world, "approver")
    world.clock.advance(4 * 3600)  # afternoon here, night there
    world.click(card, JAMIE, "reject", reason=WHY)

    assert heard(world) == []
    told = [each for _ in range(24) for each in heard(world, minutes=60)]
    assert [(person, WHY in said) for person, said in told] == [(SAM, True)]


@pytest.mark.parametrize("verb", ["hold", "approve"])
def test_what_somebody_says_for_the_record_of_a_step_that_ends_nothing_is_passed_to_nobody(verb: str) -> None:
    world = World(settings=TELL)
    card = world.offer(JAMIE, ROBIN, requester=SAM, holdable=True)
    world.click(card, JAMIE, verb, reason=WHY)

    said = heard(world)

    assert [person for person, _ in said] == ([ROBIN] if verb == "approve" else [])
    assert not any(WHY in text for person, text in said if person != ROBIN)


@pytest.mark.parametrize(
    "settings",
    [{"TELL_REQUESTER": "off"}, {"TELL_REQUESTER": "on", "SENSITIVE": '{"suppliers": ["ACME"]}'}],
    ids=["off", "sensitive"],
)
def test_where_the_deployment_keeps_it_from_chat_the_reason_is_kept_too(settings: dict[str, str]) -> None:
    world = World(settings={"CLOSING_NOTICE": "never", **settings})
    card = world.offer(requester=SAM)
    at_the_screen(world, card)

    said = heard(world)

    assert len(said) == (settings["TELL_REQUESTER"] == "on")
    assert [each for _, each in said if WHY in each or "Laptops" in each] == []


AFTER = "2026-11-23T10:00:00Z"
OURS = {**CLIENT, "id": 3}


@pytest.mark.parametrize(
    ("by", "note", "comment", "expected"),
    [
        (OURS, None, f"Kim <kim@acme.test> via Moveworks: {WHY}", ("Kim", WHY)),
        (
            CLIENT,
            "Ann <ann@acme.test> via Moveworks",
            f"Kim <kim@acme.test> via Moveworks: {WHY}",
            ("Ann", ""),
        ),
        ({"id": 7, "fullname": "Robin"}, None, WHY, ("Robin", "")),  # somebody else's words
        (None, None, WHY, ("", "")),
    ],
    ids=["ours", "ours, no words", "another user", "nobody known"],
)
def test_a_comment_is_a_reason_only_where_the_user_who_rejected_it_wrote_it(
    by: dict[str, Any] | None, note: str | None, comment: str, expected: tuple[str, str]
) -> None:
    step = {"id": 1, "status": "rejected", "approval-date": AFTER, "approved-by": by, "note": note}
    said = {"id": 1, "comments": comment, "created-at": AFTER, "created-by": OURS}
    document = request(
        status="draft", approvals=[step], comments=[said], reject_reason_comment=comment, submitted_at=None
    )

    end = end_of_document(document)

    assert (end.ending, end.by, end.words) == (Ending.REJECTED, *expected)
