"""The decisions key alone reads pending approvals and decides nothing; the log counts the readers."""

from __future__ import annotations

import base64
import json
import logging
import re
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, SETTINGS, World
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.pseudonym import Pseudonyms
from coupa_core.settings import read_settings

CLIENT = "0f2504e0-4f89-41d3-9a0c-0305e82c3301"
CONNECTOR = {"ENTRA_CLIENTS": json.dumps({"decisions": [CLIENT]}), "WEBSITE_AUTH_ENABLED": "True"}
OPERATORS = {"ENTRA_CLIENTS": json.dumps({"operators": [CLIENT]}), "WEBSITE_AUTH_ENABLED": "True"}
ELSEWHERE = "To decide, use the buttons of its own message, if you got one, or open it in Coupa."


def principal(client: str) -> dict[str, str]:
    """Return the header in which App Service names the application."""
    said = {"claims": [{"typ": "azp", "val": client}]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(said).encode()).decode()}


def cards_for(world: World, email: str, **headers: str) -> list[dict[str, Any]]:
    """Return the items of a person's list."""
    reply = world.call("list_approvals", headers={"X-Actor-Email": email, **headers})
    assert reply.status == 200
    found: list[dict[str, Any]] = reply.body["approvals"]
    return found


def card_of(world: World, email: str, approval_id: str) -> dict[str, Any]:
    """Return one item, asked for by its id."""
    reply = world.call("get_approval", headers={"X-Actor-Email": email}, route={"approval_id": approval_id})
    assert reply.status == 200
    return dict(reply.body)


@pytest.mark.parametrize(
    ("given_settings", "gives", "decides"),
    [
        ({"LIST_TOKENS": ""}, False, False),
        ({"LIST_TOKENS": "off"}, False, False),
        ({"LIST_TOKENS": " On "}, True, True),
        ({"LIST_TOKENS": "", **CONNECTOR}, True, True),
        ({"LIST_TOKENS": "off", **CONNECTOR}, False, False),
        ({"LIST_TOKENS": "", **OPERATORS}, False, False),
        ({"LIST_TOKENS": "off", "ACTION_TOKEN": "optional"}, False, True),
        ({"LIST_TOKENS": "off", "ACTION_TOKEN": "off"}, False, True),
    ],
)
def test_a_list_decides_where_somebody_vouches_for_the_caller_or_no_token_is_asked_for(
    given_settings: dict[str, str], *, gives: bool, decides: bool
) -> None:
    settings = read_settings({**SETTINGS, **given_settings})

    assert (settings.list_tokens_are_given, settings.list_decides) == (gives, decides)


@pytest.mark.slow
def test_a_leaked_decisions_key_reads_every_list_and_decides_nothing() -> None:
    """All that a stranger with the key can try: list, show, and decide in every way there is."""
    world = World(settings={"LIST_TOKENS": ""})
    for email in (JAMIE, ROBIN):
        world.requisition(email)

    for email in (JAMIE, ROBIN):
        [card] = cards_for(world, email)
        again = card_of(world, email, card["approval_id"])
        assert again == card
        assert "action_token" not in card
        for verb in ("approve", "reject", "hold"):
            assert world.click(card, email, verb, reason="I say so").status == 403
        several = {"decision": "approve", "actor_email": email, "items": [{"id": card["approval_id"]}]}
        [item] = world.call("decide", json=several).body["items"]
        assert item["error"] == "token_refused"

    assert world.puts() == 0


def test_the_message_of_its_own_decides_whatever_the_list_does() -> None:
    world = World(settings={"LIST_TOKENS": "off"})
    notice = world.offer()

    assert ELSEWHERE not in notice.message
    assert world.click(notice, JAMIE).body["outcome"] == "approved"


@pytest.mark.parametrize(
    ("settings", "says", "decides"),
    [
        ({}, ELSEWHERE, False),
        ({"STEP_UP_OVER": '{"USD": 1}'}, "please decide in Coupa", False),
        ({"ACTIONS": "hold"}, "", False),
        ({"ACTION_TOKEN": "optional"}, "", True),
    ],
)
def test_a_card_in_a_list_without_tokens_says_where_it_is_decided_if_anywhere(
    settings: dict[str, str], says: str, *, decides: bool
) -> None:
    world = World(settings={"LIST_TOKENS": "off", **settings})
    world.requisition(JAMIE)

    [card] = cards_for(world, JAMIE)

    assert says in card["text"]
    assert ("To decide" in card["text"]) is (says == ELSEWHERE)
    # A token would outlive the setting: with it the key alone could decide after ACTION_TOKEN=required.
    assert "action_token" not in card
    assert (world.click(card, JAMIE).body.get("outcome") == "approved") is decides


# Who was served.


def served(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines of who was served."""
    lines = [record.getMessage() for record in caplog.records]
    return [line for line in lines if line.startswith("served ")]


def test_each_request_that_is_served_leaves_one_line_of_the_caller_and_a_pseudonym(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="coupa_core")
    world = World(settings={"COMMENTS": "on"})
    for _ in range(3):
        world.requisition(JAMIE)
    cards = cards_for(world, JAMIE)
    first, second, third = cards
    card_of(world, JAMIE, first["approval_id"])
    world.click(first, JAMIE)
    world.ask(second, JAMIE.upper(), "Which colour?")
    items = [{"id": each["approval_id"], "token": each["action_token"]} for each in (second, third)]
    world.call("decide", json={"decision": "approve", "actor_email": JAMIE, "items": items})
    world.call("get_approval", headers={"X-Actor-Email": ROBIN}, route={"approval_id": second["approval_id"]})
    world.click({"approval_id": third["approval_id"]}, ROBIN)

    lines = served(caplog)

    assert len(lines) == 5
    shape = re.compile(r"served caller=decisions known_by=key client=- person=([0-9a-f]{16}) request_id=\S+")
    assert len({match[1] for line in lines if (match := shape.fullmatch(line))}) == 1
    assert all(shape.fullmatch(line) for line in lines)
    assert not any(name in line.lower() for line in lines for name in ("jamie", "robin"))


def test_several_that_are_all_refused_leave_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="coupa_core")
    world = World()
    body = {"decision": "approve", "actor_email": JAMIE, "items": [{"id": "1"}]}

    assert world.call("decide", json=body).status == 200
    assert served(caplog) == []


def test_the_line_names_the_application_that_entra_vouches_for(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="coupa_core")
    world = World(settings={"LIST_TOKENS": "", **CONNECTOR})
    world.requisition(JAMIE)

    [card] = cards_for(world, JAMIE, **principal(CLIENT))

    assert card["action_token"]
    [line] = served(caplog)
    assert f" known_by=key+entra client={CLIENT} person=" in line


def test_nobody_passes_for_many_callers_by_a_header_of_their_own(caplog: pytest.LogCaptureFixture) -> None:
    """Without Entra in front the header is the caller's; it must not spread the people over many callers."""
    caplog.set_level(logging.INFO, logger="coupa_core")
    world = World()
    world.person(JAMIE)

    cards_for(world, JAMIE, **principal(CLIENT))

    [line] = served(caplog)
    assert " client=- " in line


@pytest.mark.slow
@given(st.emails())
def test_a_pseudonym_is_the_same_for_one_person_and_tells_nothing_without_the_key(address: str) -> None:
    people = Pseudonyms(b"one key")

    name = people.of(address)

    assert re.fullmatch(r"[0-9a-f]{16}", name)
    assert people.of(f" {address.upper() if address.isascii() else address} ") == name
    assert Pseudonyms(b"one key").of(address) == name
    assert Pseudonyms(b"another key").of(address) != name
    assert people.of(f"x{address}") != name
