"""After a release that signs more of a card, nobody is told again, and old cards are shown once more."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from bridge import JAMIE, KEY, ROBIN, World
from kinds import KINDS, enter
from unruly import away

from coupa_core.authority import TOKEN_LIFE, Offer, TokenKeys
from coupa_core.clock import Deadline
from coupa_core.content import content_hashes
from coupa_core.model import version
from sandbox.moveworks import Delivered

[(KID, SECRET)] = json.loads(KEY).items()
SIGNER = TokenKeys({KID: base64.b64decode(SECRET)})


def upgraded(world: World | None = None) -> tuple[World, Delivered]:
    """Return a world in which version 0.1 told Jamie, whose bridge has been replaced since, and the card."""
    world = world or World()
    if not world.coupa.world.approvals.rows:
        world.requisition(JAMIE)
    card = next(each for each in world.announced() if each.recipient == JAMIE)
    number = int(card.slots["approval_id"])
    coupa, deadline = world.bridge.sweep.deps.coupa, Deadline(world.clock, 30)
    approval = coupa.approvals([number], deadline).by_id[number]
    [document] = coupa.documents([approval], deadline).values()
    _, content = content_hashes(document)
    key = approval.approver_key or ""
    row = world.entry(number)
    name = version(approver_key=key, content=content, generation=row.generation)
    world.store.replace(
        replace(row, told={key: replace(each, version=name) for key, each in row.told.items()})
    )
    offer = Offer(
        approval_id=number,
        approver_key=key,
        person=f"user:{world.person(JAMIE)}",
        content=content,
        generation=row.generation,
        expires_at=world.clock.now() + TOKEN_LIFE,
    )
    card.slots["action_token"] = SIGNER.sign(offer)
    world.restart()
    world.clock.advance(60)
    return world, card


def touched(world: World, card: Delivered) -> None:
    """Let Coupa touch the approval, so that the next sweep looks at it."""
    world.coupa.world.touch(int(card.slots["approval_id"]))
    world.clock.advance(60)


def edited(world: World, **changes: Any) -> None:
    """Change attributes of the only requisition."""
    [number] = world.coupa.world.documents["RequisitionHeader"].rows
    for name, value in changes.items():
        world.coupa.world.override(("requisition", number), {name.replace("_", "-"): value})
    world.coupa.world.edit_line(number, 0)
    world.clock.advance(60)


def test_nobody_is_told_again_because_the_recipe_changed() -> None:
    world, card = upgraded()
    for _ in range(3):
        touched(world, card)
        assert world.announced() == []

    row = world.row(card)
    assert [len(each.version.split()) for each in row.told.values()] == [2]


def looked_at(world: World, card: Delivered) -> None:
    touched(world, card)
    world.sweep()


def resent(world: World, card: Delivered) -> None:
    """Let an operator ask that everybody is told again; nobody knows now who was told what."""
    looked_at(world, card)
    headers = {"X-Actor-Email": "op@example.com"}
    world.call("resend", headers=headers, route={"approval_id": card.slots["approval_id"]})


def given_away_and_back(world: World, card: Delivered) -> None:
    number = int(card.slots["approval_id"])
    for email in (ROBIN, JAMIE):
        world.coupa.world.reassign(number, to=world.person(email))
        if email == ROBIN:
            looked_at(world, card)


def without_the_ledger(world: World, card: Delivered) -> None:
    looked_at(world, card)
    away(world.store, "read")


@pytest.mark.parametrize("title", ["Cars", None], ids=["edited", "not edited"])
@pytest.mark.parametrize(
    "meanwhile", [lambda *_: None, looked_at, resent, given_away_and_back, without_the_ledger]
)
def test_a_button_of_the_last_release_decides_nothing_that_its_card_may_not_have_shown(
    meanwhile: Callable[[World, Delivered], None], title: str | None
) -> None:
    world, card = upgraded()
    if title:
        edited(world, req_title=title)
    meanwhile(world, card)

    reply = world.click(card, JAMIE)

    assert (reply.body["outcome"], world.puts()) == ("changed", 0)
    assert (title or "Laptop") in reply.body["content"]
    fresh = {**card.slots, "action_token": reply.body["action_token"]}
    assert world.click(fresh, JAMIE).body["outcome"] == "approved"


def test_a_button_of_the_last_release_says_that_it_is_old_and_not_that_the_request_changed() -> None:
    world, card = upgraded()

    reply = world.click(card, JAMIE)

    assert "earlier version" in reply.body["message"]
    assert "needs your approval" in reply.body["content"]
    assert "changed" not in reply.body["content"]


def test_an_edit_of_the_amount_is_noticed_in_what_the_last_release_told() -> None:
    world, card = upgraded()
    [number] = world.coupa.world.documents["RequisitionHeader"].rows
    world.coupa.world.edit_line(number, 0, unit_price="901.00")

    assert world.click(card, JAMIE).body["outcome"] == "changed"
    world.clock.advance(60)
    [again] = world.announced()
    assert "1,802.00" in again.message
    assert world.click(card, JAMIE).body["outcome"] == "changed"
    assert world.click(again, JAMIE).body["outcome"] == "approved"


def test_members_who_were_told_by_the_last_release_are_reminded_of_the_same_version() -> None:
    world = World(settings={"REMIND_AFTER_HOURS": "24", "REMIND_MAX": "1"})
    world.requisition([JAMIE, ROBIN])
    world, card = upgraded(world)
    for _ in range(3):
        world.clock.advance(25 * 3600)
        world.sweep()

    reminders = [each for each in world.moveworks.delivered if "has been waiting" in each.message]
    assert sorted(each.recipient for each in reminders) == [JAMIE, ROBIN]
    assert card.recipient == JAMIE


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_kind_nobody_is_told_again_and_the_old_button_shows_the_card_once_more(
    kind: str,
) -> None:
    world = World(settings={"DOCUMENT_TYPES": kind})
    enter(world, kind, JAMIE)
    world, card = upgraded(world)
    touched(world, card)

    assert world.announced() == []
    reply = world.click(card, JAMIE)
    assert reply.body["outcome"] == "changed"
    fresh = {**card.slots, "action_token": reply.body["action_token"]}
    assert world.click(fresh, JAMIE).body["outcome"] == "approved"
