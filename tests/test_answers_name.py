"""An answer names its request among ten cards, in each language, to each person who may know it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from azure.functions.decorators.function_app import Function
from bridge import JAMIE, KEY, ROBIN, World
from surface import surface

from coupa_core.authority import TokenKeys
from coupa_core.decide.answers import Outcome
from coupa_core.documents import COMMENT_SCOPE
from coupa_core.notice.catalogue import LANGUAGES, texts
from sandbox.coupa.world import Line
from sandbox.moveworks import Delivered

MONTH_S = 31 * 86_400
TITLE = "Laptops"
SETTINGS = {"COMMENTS": "on", "STEP_UP_OVER": '{"*": 5000}'}


class Room:
    """A bridge, and a person who has a card."""

    def __init__(self, language: str, **details: Any) -> None:
        self.language = language
        self.world = World(settings=SETTINGS)
        self.world.person(JAMIE, default_locale=language)
        self.number = self.world.requisition(JAMIE, title=TITLE, **details)
        [self.card] = self.world.announced()

    @property
    def coupa(self) -> Any:
        return self.world.coupa.world

    @property
    def approval_id(self) -> int:
        return int(self.card.slots["approval_id"])

    def click(self, verb: str = "approve", actor: str = JAMIE, **more: Any) -> dict[str, Any]:
        """Press a button of the card, and return what is answered."""
        return self.world.click(self.card, actor, verb, **more).body

    def ask(self, actor: str = JAMIE) -> dict[str, Any]:
        """Ask the requester, and return what is answered."""
        return self.world.ask(self.card, actor).body

    @property
    def name(self) -> str:
        """Return kind and number, as on the card."""
        return f"{texts(self.language)['noun.requisition']} {self.number}"


Happens = Callable[[Room], object]
Press = Callable[[Room], dict[str, Any]]


def press(verb: str, reason: str | None = None) -> Press:
    return lambda room: room.click(verb, reason=reason)


def nothing(_: Room) -> None:
    """Leave everything as it is."""


def decided_by_robin(room: Room) -> None:
    room.coupa.decide_in_coupa(room.approval_id, by=room.world.person(ROBIN), decision="rejected")


def edited(price: str) -> Happens:
    return lambda room: room.coupa.edit_line(room.number, 0, unit_price=price)


def a_month_passes(room: Room) -> None:
    room.world.clock.advance(MONTH_S)


def fault(status: int, **how: Any) -> Happens:
    return lambda room: room.world.coupa.front.fail("answer", status=status, **how)


def own_question(room: Room) -> dict[str, Any]:
    world = room.world
    room.number = world.requisition([JAMIE, ROBIN], requester=JAMIE, title=TITLE)
    route = {"approval_id": str(room.approval_id + 1)}
    return world.ask(world.call("get_approval", query={"approver_email": JAMIE}, route=route).body).body


AWAY = fault(503, times=None)
REFUSED = fault(422, method="PUT", body='{"errors": {"base": ["Closed"]}}')
ANSWERED: dict[str, tuple[Happens, Press, dict[str, Any]]] = {
    "approved": (nothing, Room.click, {}),
    "rejected": (nothing, press("reject", "Too dear"), {}),
    "held": (nothing, press("hold"), {"holdable": True}),
    "approved, twice": (Room.click, Room.click, {}),
    "already_decided": (decided_by_robin, Room.click, {}),
    "changed": (edited("901.00"), Room.click, {}),
    "step_up": (edited("9000.00"), Room.click, {}),
    "reason_required": (nothing, press("reject"), {}),
    "reason_too_long": (nothing, press("reject", "x" * 300), {}),
    "expired": (a_month_passes, Room.click, {}),
    "expired, a question": (a_month_passes, Room.ask, {}),
    "refused_by_coupa": (REFUSED, Room.click, {}),
    "unconfirmed": (fault(503, method="GET", skip=2, times=None), Room.click, {}),
    "commented": (nothing, Room.ask, {}),
    "not_your_approval": (nothing, own_question, {}),
    "not_holdable": (nothing, press("hold"), {}),
    "coupa_503": (AWAY, Room.click, {}),
    "coupa_503, a question": (AWAY, Room.ask, {}),
}
"""What is answered, what happens before, what is pressed, and what kind of request it takes."""

BY_NUMBER = ("expired", "reason_required", "coupa_503", "approved, twice", "already_decided")
"""Where nothing but kind and number is known: Coupa was not asked, or not for the document."""


def missing(language: str) -> list[str]:
    """Return what is answered without the name of the request, or with more than one, or otherwise."""
    wrong = []
    for name, (happens, pressed, details) in ANSWERED.items():
        room = Room(language, **details)
        happens(room)
        body = pressed(room)
        said, message = body.get("outcome") or body["error"], body["message"]
        is_named = message.count(room.name) == 1
        if not name.startswith(BY_NUMBER):
            is_named = is_named and message.count(TITLE) == 1
        if said != name.partition(",")[0] or not is_named:
            wrong.append(f"{name}: {said}: {message}")
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_about_one_request_names_it_once(language: str) -> None:
    assert missing(language) == []


def test_every_outcome_is_among_them_but_those_that_stand_elsewhere() -> None:
    elsewhere = {Outcome.NOT_YOUR_TURN, Outcome.NOT_ASKABLE}

    assert {name.partition(",")[0] for name in ANSWERED} >= set(Outcome) - elsewhere


def test_two_requests_of_one_title_and_amount_are_told_apart() -> None:
    world = World()
    numbers = [world.requisition(JAMIE), world.requisition(JAMIE)]

    first, second = (world.click(card, JAMIE).body["message"] for card in world.announced())

    assert first.replace(str(numbers[0]), str(numbers[1])) == second != first


def test_of_several_each_is_named_also_what_could_not_be_decided() -> None:
    world = World()
    numbers = [world.requisition(JAMIE, holdable=number == 0) for number in range(2)]
    cards = world.announced()
    items = [{"id": card.slots["approval_id"], "token": card.slots["action_token"]} for card in cards]

    body = {"decision": "hold", "items": items}
    told = world.call("decide", headers={"X-Actor-Email": JAMIE}, json=body).body["items"]

    assert [each.get("outcome") or each["error"] for each in told] == ["held", "not_holdable"]
    assert all(str(number) in each["message"] for number, each in zip(numbers, told, strict=True))


# ---------------------------------------------------------------------- to nobody else


def by_somebody_else(world: World, card: Delivered) -> list[dict[str, Any]]:
    """Return what Robin is answered, of whom Coupa asks nothing, with Jamie's card and without a token."""
    bare = {"approval_id": card.slots["approval_id"]}
    forged = {**bare, "action_token": card.slots["action_token"][:-2] + "AA"}
    return [
        world.click(slots, ROBIN, verb, reason=reason).body
        for slots in (card.slots, bare, forged)
        for verb, reason in (("approve", None), ("reject", "no"), ("hold", None))
    ]


def stolen(world: World, card: Delivered, actor: str = ROBIN) -> list[str]:
    """Return what somebody hears on every route who uses a card that is not theirs."""
    slots = card.slots
    headers = {"X-Actor-Email": actor, "X-Action-Token": slots["action_token"]}
    route = {"approval_id": slots["approval_id"]}
    item = {"id": slots["approval_id"], "token": slots["action_token"]}
    bodies = [
        world.call(name, headers=headers, route=route, json=json).body
        for name, json in (
            ("approve", {}),
            ("reject", {}),
            ("reject", {"reason": "no"}),
            ("hold", {}),
            ("decision", {"decision": "reject"}),
            ("comment", {"comment": "Why?"}),
        )
    ]
    for verb in ("approve", "reject", "hold"):
        body = {"decision": verb, "items": [item]}
        told = world.call("decide", headers={"X-Actor-Email": actor}, json=body).body
        bodies += [told, *told["items"]]
    return [each["message"] for each in bodies]


def vanished(world: World) -> None:
    [approval] = world.coupa.world.approvals.rows.values()
    world.coupa.world.withdraw(approval.document.id)


def switched_off(world: World) -> None:
    world.settings |= {"ACTIONS": "approve", "COMMENTS": "off"}
    world.restart()


MEANWHILE: dict[str, Callable[[World], object]] = {
    "nothing": lambda world: None,
    "it is too old": lambda world: world.clock.advance(MONTH_S),
    "Coupa is away": lambda world: world.coupa.front.fail("answer", status=503, times=None),
    "it vanished": vanished,
    "it is switched off": switched_off,
}


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_with_the_card_of_somebody_else_nobody_learns_what_it_is_about(meanwhile: str) -> None:
    world = World(settings={"COMMENTS": "on"})
    world.person(ROBIN)
    number = world.requisition(JAMIE, title="Secret plan")
    [card] = world.announced()
    MEANWHILE[meanwhile](world)

    said = stolen(world, card)

    assert len(said) == 12
    known = ("Secret", str(number), "Purchase request", "1,800")
    assert [each for each in said if any(word in each for word in known)] == []


def test_a_token_of_an_earlier_version_names_it_to_nobody_before_coupa_says_who_it_is() -> None:
    world = World()
    number = world.requisition(JAMIE)
    [card] = world.announced()
    signer = TokenKeys({kid: base64.b64decode(secret) for kid, secret in json.loads(KEY).items()})
    offer = signer.verify(card.slots["action_token"])
    assert offer is not None
    card.slots["action_token"] = signer.sign(replace(offer, holder=""))

    silent, reasoned = (world.click(card, JAMIE, "reject", reason=each).body for each in (None, "Too dear"))

    assert (silent["outcome"], str(number) in silent["message"]) == ("reason_required", False)
    assert (reasoned["outcome"], str(number) in reasoned["message"]) == ("rejected", True)


@pytest.mark.parametrize("token", ["required", "off"])
def test_whoever_may_not_know_what_it_is_does_not_learn_it(token: str) -> None:
    world = World(settings={"ACTION_TOKEN": "off"} if token == "off" else {})
    world.person(ROBIN)
    number = world.requisition(JAMIE, title="Secret plan")
    if token == "off":
        [approval] = world.coupa.world.approvals_of(number)
        answers = [
            world.click({"approval_id": str(approval.id)}, ROBIN, verb).body
            for verb in ("approve", "reject", "hold")
        ]
    else:
        [card] = world.announced()
        answers = by_somebody_else(world, card)
        world.coupa.front.fail("answer", status=503, path="/api/users", times=None)
        answers += by_somebody_else(world, card)

    said = [each["message"] for each in answers]
    assert len(said) == (3 if token == "off" else 18)
    assert [each for each in said if "Secret" in each or str(number) in each] == []


def test_what_is_kept_from_chat_is_called_by_kind_and_number_alone() -> None:
    world = World()
    line = Line("Secret line", quantity="1", unit_price="900.00", supplier="Other")
    number = world.requisition(JAMIE, title="Secret plan", lines=[line], holdable=True)
    [card] = world.announced()
    world.settings["SENSITIVE"] = '{"suppliers": ["Other"]}'
    world.restart()

    said = [world.click(card, JAMIE, verb).body["message"] for verb in ("approve", "hold", "reject")]
    world.clock.advance(MONTH_S)
    said.append(world.click(card, JAMIE).body["message"])

    assert all(each.startswith(f"Purchase request {number}: ") for each in said)
    assert not any("Secret" in each or "900" in each for each in said)


# ---------------------------------------------------------------------- over HTTP


def test_over_http_clicks_questions_and_errors_name_it_too(functions: Sequence[Function]) -> None:
    world = World()
    world.coupa.desk.granted_scopes |= {COMMENT_SCOPE}
    number = world.requisition(JAMIE, title="Größe 5")
    with surface(functions, world, {"COMMENTS": "on"}) as app:
        [card] = world.announced()
        clicks = [
            app.click(card, "comment", json={"comment": "Why?"}),
            app.click(card, "reject"),
            app.click(card, "hold"),
            app.click(card, "approve"),
        ]

    assert [each.status_code for each in clicks] == [200, 200, 400, 200]
    name = f"Purchase request {number}, “Größe 5”, USD 1,800.00"
    assert [each.json()["message"] for each in clicks] == [
        f"Asked: your comment is in Coupa and mentions the requester: {name}.",
        f"Purchase request {number}: Please give a reason, so that the requester knows what to change.",
        f"{name}: Coupa does not let this approval be put on hold.",
        f"Approved: {name}. It is fully approved.",
    ]
