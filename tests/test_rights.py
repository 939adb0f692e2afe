"""Deciders and their rights: one answer for messages, list, click, trace and preview.

Every world is one approval among people of all kinds. In each of them, Coupa refuses every decision by a rule
of its own: so a click that reaches Coupa has passed all our rules, and changes nothing.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from bridge import LISTENER, World

from coupa_core.addresses import folded
from coupa_core.doctor import preview
from sandbox.coupa.world import Group, Line

pytestmark = pytest.mark.slow

SAM, EVE = "sam@example.com", "eve@example.com"
VERBS = ("approve", "reject", "hold")
NO = '{"errors": {"base": ["Blocked: supplier is on hold"]}}'
EMAIL_MAP = {"@corp.example": "@acme.test", "lee@corp.example": "l.park@acme.test"}

STATES = {
    # as Coupa has it, and as the chat writes it
    "plain": ("ann@example.com", "Ann@Example.com"),
    "idn": ("jorg@m\u00fcller.example", "jorg@xn--mller-kva.example"),
    "ascii": ("jorg@xn--mller-kva.example", "jorg@M\u00dcLLER.example"),
    "underscore": ("kim@sub_net.acme.test", "kim@sub_net.acme.test"),
    "domain": ("bob@corp.example", "bob@acme.test"),
    "mapped": ("lee@corp.example", "l.park@acme.test"),
    "no e-mail": ("", "nobody@example.com"),
    "inactive": ("gone@example.com", "gone@example.com"),
    "shared": ("office@example.com", "office@example.com"),
}
SECONDS = {
    "nobody": ("", ""),
    "plain": ("robin@example.com", "robin@example.com"),
    "idn": ("r@b\u00fccher.example", "r@xn--bcher-kva.example"),
    "no e-mail": ("", "none@example.com"),
    "inactive": ("left@example.com", "left@example.com"),
    "shared": ("desk@example.com", "desk@example.com"),
}
ASKERS = ("somebody", "first", "second", "unnamed")
SHAPES = ("user", "group", "parallel")
SETTINGS = (
    {"ACTIONS": "approve,reject"},
    {"ACTIONS": "approve,reject,hold"},
    {"ACTIONS": "approve"},
    {"ACTIONS": "approve,reject", "STEP_UP_OVER": '{"USD": 1000}'},
    {"ACTIONS": "approve,reject,hold", "STEP_UP_OVER": '{"USD": 5000}'},
    {"ACTIONS": "reject,hold", "ALLOW_SELF_APPROVAL": "on"},
)


@dataclass(frozen=True)
class Case:
    """One world, by what is special in it."""

    shape: str
    first: str
    second: str
    asker: str
    settings: dict[str, str]
    is_holdable: bool


def cases(shape: str) -> Iterator[Case]:
    """Yield every world of a shape; the settings go round, so that each meets all people."""
    people = itertools.product(STATES, SECONDS, ASKERS)
    for number, (first, second, asker) in enumerate(people):
        settings = SETTINGS[(number + len(shape)) % len(SETTINGS)]
        yield Case(shape, first, second, asker, settings, number % 7 < 4)


WORLDS = sum(len(list(cases(shape))) for shape in SHAPES)


def user_of(world: World, address: str, name: str, state: str) -> int:
    """Enter a user of Coupa."""
    add = world.coupa.world.add_user
    number = add(email=address, firstname=name, lastname="Doe", active=state != "inactive")
    if state == "shared":
        add(email=address.upper(), firstname="Twin", lastname="Doe")
    return number


def entered(case: Case) -> World:
    """Return a world in which one approval waits."""
    world = World(
        settings={
            **case.settings,
            "EMAIL_MAP": json.dumps(EMAIL_MAP),
            **LISTENER,
            "ACTION_TOKEN": "optional",
        }
    )
    first = user_of(world, STATES[case.first][0], "First", case.first)
    second = None
    if case.second != "nobody":
        second = user_of(world, SECONDS[case.second][0], "Second", case.second)
    sam = world.person(SAM)
    asker = {"first": first, "second": second or sam}.get(case.asker, sam)
    approver: Any = first
    if case.shape == "group":
        members = [each for each in (first, second) if each is not None]
        approver = Group(world.coupa.world.add_group(name="Buyers", members=members))
    elif second is not None and case.shape == "user":
        world.delegation(first, second)
    elif second is not None:
        approver = [first, second]
    number = world.coupa.world.add_requisition(
        requested_by=asker,
        approvers=[approver],
        holdable=case.is_holdable,
        lines=[Line("Laptop", quantity="2", unit_price="900.00")],
    )
    if case.asker == "unnamed":
        world.coupa.world.override(("requisition", number), {"requested-by": None, "created-by": None})
    world.coupa.front.fail("answer", method="PUT", status=422, body=NO, times=None)
    return world


class Homes:
    """What each home of the rule says in one world: told, listed, clicked, traced and previewed."""

    def __init__(self, case: Case) -> None:
        self.world = world = entered(case)
        foreseen = preview(world.read_settings(), world.overrides()).notices
        world.sweep()
        calls = [each for each in world.moveworks.front.calls if each.path.endswith("/notify")]
        told = [json.loads(each.body) for each in calls]
        self.numbers = [str(each) for each in world.coupa.world.approvals.ids]
        self.addresses = [each for each in (STATES[case.first][1], SECONDS[case.second][1], SAM) if each]
        self.foreseen = {
            (folded(each.recipient), each.slots["approval_id"]): each.actions for each in foreseen
        }
        self.cards = {(folded(each["approver_email"]), each["approval_id"]): each for each in told}
        self.stories = {each: self._story(each) for each in self.numbers}

    def _story(self, number: str) -> str:
        reply = self.world.call("trace", route={"approval_id": number}, query={"live": "1"})
        texts = [str(each["text"]) for each in reply.body["story"]]
        return next(text for text in texts if text.startswith("Who may"))

    def listed(self, actor: str) -> dict[str, dict[str, str]]:
        """Return the list of one person, by approval."""
        reply = self.world.call("list_approvals", headers={"X-Actor-Email": actor})
        return {each["approval_id"]: each for each in reply.body["approvals"]}

    def taken(self, actor: str, slots: dict[str, str]) -> list[str]:
        """Return which clicks of one person are taken by all rules of ours."""
        replies = {verb: self.world.click(slots, actor, verb, reason="because") for verb in VERBS}
        assert {reply.status for reply in replies.values()} <= {200, 400, 403}
        return [verb for verb, reply in replies.items() if reply.body.get("outcome") == "refused_by_coupa"]

    def traced(self, actor: str, number: str) -> list[str]:
        """Return what the trace says that one person can do."""
        people = re.findall(r"(\S+@\S+) \([^()]*?told, (?:can ([a-z, ]+)|[^()]*)", self.stories[number])
        found = [can for address, can in people if folded(address) == folded(actor)]
        return found[0].split(", ") if found and found[0] else []

    def disagreements(self) -> Iterator[str]:
        """Yield where two homes differ."""
        sent = {key[0] for key in self.cards}
        if sent != {key[0] for key in self.foreseen}:
            yield f"previewed for {self.foreseen} and told {sent}"
        for actor in self.addresses:
            listed = self.listed(actor)
            for number in self.numbers:
                can = self.taken(actor, {"approval_id": number})
                for each in self._of_one(actor, number, listed.get(number), can):
                    yield f"{actor} on {number} can {can}: {each}"

    def _of_one(self, actor: str, number: str, item: dict[str, str] | None, can: list[str]) -> Iterator[str]:
        key = (folded(actor), number)
        card, actions = self.cards.get(key), self.foreseen.get(key)
        if item is None and (can or actions is not None):
            yield "not in the list"
        if item is not None and ("please decide in Coupa" in item["text"]) is bool(can):
            yield f"the list says {item['text']}"
        if actions is not None and list(actions) != can:
            yield f"previewed with {actions}"
        if set(card["buttons"] if card else ()) != (set(can) if actions else set()):
            yield f"the card is {card}"
        if self.traced(actor, number) != can:
            yield f"traced as {self.stories[number]}"
        for slots in filter(None, (card, item)):
            if self.taken(actor, slots) != can:
                yield f"another answer with the token of {slots}"


def differences(worlds: list[Case]) -> list[str]:
    """Return where two homes differ in any of these worlds."""
    return [f"{case}: {each}" for case in worlds for each in Homes(case).disagreements()]


def test_in_every_eleventh_world_all_homes_of_the_rule_agree() -> None:
    sample = [case for shape in SHAPES for number, case in enumerate(cases(shape)) if number % 11 == 0]

    assert differences(sample) == []


@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("shape", SHAPES)
def test_whoever_is_told_can_click_whoever_can_click_is_listed_and_nobody_is_offered_what_is_refused(
    shape: str, part: int
) -> None:
    others = [case for number, case in enumerate(cases(shape)) if number % 11]

    assert differences(others[part::5]) == []


def test_the_worlds_are_many() -> None:
    assert WORLDS == 648
