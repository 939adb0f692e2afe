"""A click as the approver makes it: its effect in Coupa, and the answer to the person."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bridge import JAMIE, KEY, LISTENER, ROBIN, SAM, World, offered
from unruly import after, away, before, once

from coupa_core.authority import TOKEN_LIFE, Capacity, Decider, Offer, TokenKeys
from coupa_core.decide import Click, reason_for
from coupa_core.ledger import Entry, Lease, Note, State, claimed
from coupa_core.model import Verb
from sandbox.coupa.world import Group, Line
from sandbox.moveworks import Delivered

JSON = {"Content-Type": "application/json"}

[(KID, SECRET)] = json.loads(KEY).items()
SIGNER = TokenKeys({KID: base64.b64decode(SECRET)})

NAME = "Purchase request 5001, “Laptops”, USD 1,800.00"
BY_ROBIN = "Nothing was changed. Approved by Robin Doe on Nov 23, 2026 at 9:00 AM: Purchase request 5001."


@pytest.mark.parametrize(
    ("verb", "status", "outcome", "sentence"),
    [
        ("approve", "approved", "approved", f"Approved: {NAME}. It is fully approved."),
        ("reject", "rejected", "rejected", f"Rejected: {NAME}. Coupa has your reason."),
        ("hold", "on_hold", "held", f"Put on hold: {NAME}."),
    ],
)
def test_a_click_does_in_coupa_what_the_button_says(
    verb: str, status: str, outcome: str, sentence: str
) -> None:
    world, card = offered(holdable=True)

    reply = world.click(card, JAMIE, verb, reason="because")

    assert (reply.status, reply.body["outcome"], reply.body["message"]) == (200, outcome, sentence)
    assert world.approval(card).status == status
    assert world.approval(card).note == f"Jamie Doe <{JAMIE}> via Moveworks: because"
    assert world.puts() == 1


def test_a_click_costs_four_calls_to_coupa() -> None:
    world, card = offered()
    calls = world.coupa.front.count(path="/api/")

    world.click(card, JAMIE)

    assert world.coupa.front.count(path="/api/") - calls == 4


@pytest.mark.parametrize("login", ["api-client", ""])
def test_a_repeated_click_has_the_same_answer_and_no_second_effect(login: str) -> None:
    world, card = offered(settings={"COUPA_CLIENT_LOGIN": login})

    first, second = world.click(card, JAMIE), world.click(card, JAMIE)

    assert first.body["outcome"] == second.body["outcome"] == "approved"
    assert second.body["message"] == "Approved: Purchase request 5001."
    assert world.puts() == 1


def test_the_other_button_after_the_first_says_what_was_decided() -> None:
    world, card = offered()
    world.click(card, JAMIE, "reject", reason="too dear")

    reply = world.click(card, JAMIE, "approve")

    assert reply.body["outcome"] == "already_decided"
    assert reply.body["message"].startswith("Nothing was changed. Rejected by Jamie Doe on Nov 23, 2026")
    assert world.puts() == 1


@pytest.mark.parametrize("login", ["api-client", ""])
@pytest.mark.parametrize("second", ["wrong supplier", "x" * 5_000, "dear", "too"])
def test_a_second_reason_is_not_said_to_have_arrived(second: str, login: str) -> None:
    world, card = offered(settings={"COUPA_CLIENT_LOGIN": login})
    world.click(card, JAMIE, "reject", reason="too: dear")

    reply = world.click(card, JAMIE, "reject", reason=second)

    assert reply.body["outcome"] == "already_decided"
    assert reply.body["message"].startswith("Nothing was changed. Rejected ")
    assert str(world.approval(card).note).endswith(": too: dear")
    assert world.puts() == 1


def test_the_same_reason_again_is_said_to_have_arrived() -> None:
    world, card = offered()
    world.click(card, JAMIE, "reject", reason="too dear")

    reply = world.click(card, JAMIE, "reject", reason=" too\ndear ")

    assert reply.body["message"] == "Rejected: Purchase request 5001. Coupa has your reason."
    assert world.click(card, JAMIE, "reject", reason="a").body["outcome"] == "already_decided"


def test_words_to_a_second_approval_are_not_swallowed() -> None:
    world, card = offered()
    world.click(card, JAMIE)

    assert world.click(card, JAMIE, reason="only for May").body["outcome"] == "already_decided"


@pytest.mark.parametrize("length", [215, 8_000, 8_001, 10_000, 30_000])
def test_a_reason_of_any_length_that_does_not_fit_is_answered_with_the_true_numbers(length: int) -> None:
    world = World()
    world.coupa.world.users.rows[world.person(JAMIE)].default_locale = "de"
    card = world.offer()

    reply = world.click(card, JAMIE, "reject", reason="x" * length)

    number = f"{length:,}".replace(",", ".")
    assert (reply.status, reply.body["outcome"]) == (200, "reason_too_long")
    room = 255 - len(f"Jamie Doe <{JAMIE}> via Moveworks: ")
    said = f"Bestellanforderung 5001, „Laptops“, 1.800,00 USD: Das sind {number} Zeichen, und {room} passen;"
    assert reply.body["message"].startswith(said)
    assert world.puts() == 0


def test_what_was_decided_in_coupa_is_answered_with_who_and_when() -> None:
    world, card = offered()
    world.in_coupa(card)

    reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == "already_decided"
    assert reply.body["message"] == BY_ROBIN
    assert (reply.body["status"], reply.body["decided_by"]) == ("approved", "Robin Doe")
    assert reply.body["decided_at"].startswith("2026-11-23T")


@pytest.mark.parametrize(
    ("written", "is_time"),
    [
        *((text, True) for text in ("2026-11-23T01:02:03-08:00", "2026-11-23T01:02:03.250Z")),
        ("2026-11-23T01:02:00+05:30", True),
        *((text, False) for text in ("soon", "2026-11-23", "2026-11-23T01:02:03", "2026-13-23T01:02:03Z")),
        ("2026-11-23<01:02:03-08:00", False),
    ],
)
def test_when_it_was_decided_is_answered_as_coupa_wrote_it_where_it_is_a_time(
    written: str, *, is_time: bool
) -> None:
    world, card = offered()
    world.in_coupa(card)
    world.approval(card).raw["approval-date"] = written

    assert (world.click(card, JAMIE).body.get("decided_at") or None) == (written if is_time else None)


def test_what_ended_without_a_decider_is_answered_all_the_same() -> None:
    world, card = offered()
    world.coupa.world.hold(world.approval(card).id)

    reply = world.click(card, JAMIE)

    assert reply.body["message"] == "Nothing was changed. Put on hold: Purchase request 5001."


@pytest.mark.parametrize("actor", [ROBIN, "jamie@example.org", "jamie+x@example.com", "xjamie@example.com"])
def test_nobody_but_the_approver_decides(actor: str) -> None:
    world, card = offered()
    world.person(ROBIN)

    reply = world.click(card, actor)

    assert reply.body["outcome"] == "not_your_approval"
    assert world.puts() == 0


def test_the_approvers_address_may_differ_in_capitals() -> None:
    world, card = offered()

    assert world.click(card, "Jamie@EXAMPLE.com").body["outcome"] == "approved"


def test_an_approver_who_left_does_not_decide() -> None:
    world, card = offered()
    world.coupa.world.users.rows[world.person(JAMIE)].active = False

    assert world.click(card, JAMIE).body["outcome"] == "not_your_approval"
    assert world.puts() == 0


@pytest.mark.parametrize(("role", "part"), [("requested_by", "asked for"), ("created_by", "entered")])
def test_whoever_asked_for_the_purchase_does_not_decide_on_it(role: str, part: str) -> None:
    world = World()
    details = {"requester": JAMIE} if role == "requested_by" else {"created_by": world.person(JAMIE)}
    card = world.offer(JAMIE, **details)

    reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == "not_your_approval"
    said = f"You {part} this yourself, so please decide in Coupa."
    assert reply.body["message"].endswith(said)
    assert said in card.message
    assert "Purchase request 5001 is waiting for approval" in card.message
    assert world.puts() == 0


def test_after_a_reassignment_the_old_approver_does_not_decide_and_the_new_one_needs_an_own_card() -> None:
    world, card = offered()
    world.coupa.world.reassign(world.approval(card).id, to=world.person(ROBIN))

    assert world.click(card, JAMIE).body["outcome"] == "not_your_approval"
    assert world.click(card, ROBIN).body["outcome"] == "not_your_approval"
    assert world.puts() == 0
    [new] = world.announced()
    assert world.click(new, ROBIN).body["outcome"] == "approved"


def grouped(*members: str) -> tuple[World, dict[str, Delivered]]:
    """Return a world in which a group was told of one request, and each member's card."""
    world = World()
    world.requisition(world.group(*members))
    return world, {card.recipient: card for card in world.announced()}


def test_any_member_decides_for_a_group_and_the_others_are_told_by_whom_it_was_done() -> None:
    world, cards = grouped(JAMIE, ROBIN)

    first = world.click(cards[JAMIE], JAMIE)
    second = world.click(cards[ROBIN], ROBIN)

    assert first.body["outcome"] == "approved"
    note = f'Jamie Doe <{JAMIE}> via Moveworks as member of "Buyers"'
    assert world.approval(cards[JAMIE]).note == note
    assert second.body["outcome"] == "already_decided"
    assert second.body["decided_by"] == "Jamie Doe"
    assert world.puts() == 1


@pytest.mark.parametrize("is_embedded", [True, False])
def test_a_former_member_does_not_decide_whatever_was_known_before(*, is_embedded: bool) -> None:
    world, cards = grouped(JAMIE, ROBIN)
    coupa = world.coupa.world
    [group] = coupa.groups.rows.values()
    jamie = coupa.users.rows[world.person(JAMIE)]
    group.users.remove(jamie)
    jamie.extra["approval-groups"].clear()
    if not is_embedded:
        coupa.delete_field("group", group.id, "users")

    assert world.click(cards[JAMIE], JAMIE).body["outcome"] == "not_your_approval"
    assert world.click(cards[ROBIN], ROBIN).body["outcome"] == "approved"


def delegated(start_h: float, end_h: float, **more: Any) -> tuple[World, dict[str, Delivered]]:
    """Return a world in which Robin acts for Jamie between two times in hours from now, and the cards."""
    world = World()
    world.delegation(JAMIE, ROBIN, start=timedelta(hours=start_h), end=timedelta(hours=end_h), **more)
    world.requisition(JAMIE)
    return world, {card.recipient: card for card in world.announced()}


def test_a_delegate_decides_for_the_approver_and_coupa_says_for_whom() -> None:
    world, cards = delegated(-1, 1)

    reply = world.click(cards[ROBIN], ROBIN, "reject", reason="too dear")

    assert set(cards) == {JAMIE, ROBIN}
    assert reply.body["outcome"] == "rejected"
    assert world.coupa.decisions[0].reason == (
        f'Robin Doe <{ROBIN}> via Moveworks as delegate of "Jamie Doe": too dear'
    )


@pytest.mark.parametrize("name", ["IT: Hardware", "G: Boss <boss@acme.test> via Moveworks: yes", '"A": B'])
def test_no_name_of_a_group_becomes_the_words_of_whoever_decided(name: str) -> None:
    world = World()
    group = world.coupa.world.add_group(name=name, members=[world.person(JAMIE)])
    card = world.offer(Group(group), ROBIN)

    world.click(card, JAMIE)

    [following] = world.announced()
    [line] = [each for each in following.message.split("<br>") if "Approved by" in each]
    assert re.fullmatch(r"- <i>Approved by</i>: Jamie Doe \(Nov [0-9]+, 2026\)", line)


@pytest.mark.parametrize(
    ("start_h", "end_h", "more"),
    [(1, 2, {}), (-2, -1, {}), (-1, 1, {"approval_delegate": False})],
    ids=["not yet", "over", "not for approvals"],
)
def test_a_delegation_that_does_not_hold_gives_no_right(
    start_h: float, end_h: float, more: dict[str, Any]
) -> None:
    world, cards = delegated(start_h, end_h, **more)

    assert set(cards) == {JAMIE}
    assert world.click(cards[JAMIE], ROBIN).body["outcome"] == "not_your_approval"
    assert world.puts() == 0


def test_two_people_with_one_address_do_not_decide_without_a_card() -> None:
    world = World(settings={"ACTION_TOKEN": "optional"})
    number = world.requisition(JAMIE)
    slots = {"approval_id": str(world.coupa.world.approvals_of(number)[0].id)}
    twin = world.coupa.world.add_user(email=JAMIE.upper(), firstname="Jay", lastname="Me")

    assert world.click(slots, JAMIE).body["outcome"] == "not_your_approval"
    world.coupa.world.users.rows[twin].active = False
    assert world.click(slots, JAMIE).body["outcome"] == "approved"


@pytest.mark.parametrize("settings", [{}, {"ACTION_TOKEN": "optional"}], ids=["token", "no token"])
def test_the_delegate_of_an_approver_without_an_address_is_told_listed_and_can_decide(
    settings: dict[str, str],
) -> None:
    world = World(settings=settings)
    silent = world.coupa.world.add_user(email="", firstname="Jo", lastname="Doe")
    world.delegation(silent, ROBIN)
    card = world.offer(silent)

    listed = world.call("list_approvals", headers={"X-Actor-Email": ROBIN}).body
    slots = {"approval_id": card.slots["approval_id"]} if settings else card.slots

    assert (card.recipient, listed["count"]) == (ROBIN, 1)
    assert world.click(slots, ROBIN).body["outcome"] == "approved"


def test_the_delegate_of_somebody_inactive_has_no_right_and_nobody_is_asked_about_it() -> None:
    world = World(settings={"ACTION_TOKEN": "optional"})
    gone = world.coupa.world.add_user(email=JAMIE, firstname="Jo", lastname="Doe", active=False)
    world.delegation(gone, ROBIN)
    number = world.requisition(gone)
    slots = {"approval_id": str(world.coupa.world.approvals_of(number)[0].id)}
    world.coupa.front.fail("answer", path="/api/delegations", status=500, times=None)

    assert world.click(slots, ROBIN).body["outcome"] == "not_your_approval"


def test_whoever_asked_for_the_purchase_alone_gets_the_card_without_buttons_and_decides_in_coupa() -> None:
    world, card = offered(requester=JAMIE, settings=LISTENER)
    [call] = [each for each in world.moveworks.front.calls if each.path.endswith("/notify")]
    [item] = world.call("list_approvals", headers={"X-Actor-Email": JAMIE}).body["approvals"]

    said = world.click(item, JAMIE).body

    assert json.loads(call.body)["buttons"] == {}
    assert "please decide in Coupa" in card.message
    assert item["text"].count("please decide in Coupa") == 1
    assert (said["outcome"], "please decide in Coupa" in said["message"]) == ("not_your_approval", True)
    assert said["link"].startswith("https://acme.coupahost.com/requisition_headers/")
    assert world.puts() == 0


def test_the_listeners_buttons_are_what_the_settings_leave() -> None:
    world = World(settings={**LISTENER, "ACTIONS": "approve"})
    world.requisition(JAMIE)
    world.announced()
    [call] = [each for each in world.moveworks.front.calls if each.path.endswith("/notify")]

    assert json.loads(call.body)["buttons"] == {"approve": "Approve"}


def test_the_chats_address_may_be_another_than_coupas() -> None:
    world, card = offered(settings={"EMAIL_MAP": json.dumps({JAMIE: "j.doe@chat.example"})})

    assert card.recipient == "j.doe@chat.example"
    assert world.click(card, JAMIE).body["outcome"] == "not_your_approval"
    assert world.click(card, "J.Doe@chat.example").body["outcome"] == "approved"


CHEAP = "Approved: Purchase request 5001, “Laptops”, USD 1,000.00. It is fully approved."


@pytest.mark.parametrize(
    ("limits", "price", "outcome", "sentence"),
    [
        ('{"USD": 1000}', "500.00", "approved", CHEAP),
        (
            '{"USD": 1000}',
            "500.01",
            "step_up",
            "This amount is too high to decide in chat; please decide in Coupa.",
        ),
        ('{"EUR": 1000}', "1.00", "step_up", "in a currency with a limit for chat; please decide in Coupa."),
        ('{"EUR": 1, "*": 1000}', "500.00", "approved", CHEAP),
    ],
)
def test_an_amount_above_the_limit_is_decided_in_coupa_and_the_notice_says_so(
    limits: str, price: str, outcome: str, sentence: str
) -> None:
    world = World(settings={"STEP_UP_OVER": limits})
    number = world.requisition(JAMIE, lines=[Line("Laptop", quantity="2", unit_price=price)])
    [card] = world.announced()

    reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == outcome
    assert reply.body["message"].endswith(sentence)
    assert (sentence in card.message) is (outcome == "step_up")
    link = f"https://acme.coupahost.com/requisition_headers/{number}"
    assert reply.body.get("link") == (link if outcome == "step_up" else None)
    assert world.puts() == (outcome == "approved")


def test_an_amount_that_is_not_known_is_decided_in_coupa_where_there_are_limits() -> None:
    world = World(settings={"STEP_UP_OVER": '{"*": 1000}'})
    number = world.requisition(JAMIE)
    world.coupa.world.delete_field("requisition", number, "total")
    [card] = world.announced()

    assert world.click(card, JAMIE).body["outcome"] == "step_up"


def test_a_setting_lets_people_decide_on_what_they_asked_for() -> None:
    world, card = offered(requester=JAMIE, settings={"ALLOW_SELF_APPROVAL": "on"})

    assert world.click(card, JAMIE).body["outcome"] == "approved"


def test_a_setting_lets_people_reject_without_a_reason() -> None:
    world, card = offered(settings={"REJECT_REASON": "optional"})

    assert world.click(card, JAMIE, "reject").body["outcome"] == "rejected"


def keyed(world: World, card: Delivered, verb: str, key: str, actor: str = JAMIE) -> Any:
    headers = {
        "X-Actor-Email": actor,
        "X-Action-Token": card.slots.get("action_token", ""),
        "Idempotency-Key": key,
    }
    route = {"approval_id": card.slots["approval_id"]}
    return world.call(verb, headers=headers, route=route, json={"reason": "because"})


def test_the_same_request_again_gets_the_same_answer_for_one_question_to_coupa() -> None:
    world, card = offered()
    first = keyed(world, card, "approve", "one")
    calls = len(world.coupa.front.calls)

    again = keyed(world, card, "approve", "one")
    assert len(world.coupa.front.calls) == calls + 1
    world.clock.advance(60)
    world.sweep()  # closes the row
    calls = len(world.coupa.front.calls)
    closed = keyed(world, card, "approve", "one")

    assert again.body == closed.body
    assert again.body["message"] == "Approved: Purchase request 5001."
    assert first.body["outcome"] == again.body["outcome"] == "approved"
    assert len(world.coupa.front.calls) == calls + 1
    assert world.puts() == 1


@pytest.mark.parametrize("mode", ["required", "off"])
def test_the_same_request_after_it_was_opened_again_decides_nothing_and_says_how_it_is(mode: str) -> None:
    world, card = offered(settings={"ACTION_TOKEN": mode})
    keyed(world, card, "reject", "one")
    world.coupa.world.reopen(world.approval(card).id)

    reply = keyed(world, card, "reject", "one")

    assert (reply.body["outcome"], world.puts()) == ("changed", 1)
    assert reply.body["message"].startswith("This was opened again after you decided: Purchase request")
    assert "Laptops" in reply.body["content"]
    assert world.approval(card).status == "pending_approval"
    fresh = {name: reply.body[name] for name in ("action_token",) if name in reply.body}
    assert bool(fresh) is (mode == "required")
    assert world.click({**card.slots, **fresh}, JAMIE).body["outcome"] == "approved"


def test_the_same_request_after_somebody_else_decided_the_opened_one_says_who() -> None:
    world, card = offered()
    keyed(world, card, "reject", "one")
    number = world.approval(card).id
    world.coupa.world.reopen(number)
    world.in_coupa(number)

    reply = keyed(world, card, "reject", "one")

    assert reply.body["outcome"] == "already_decided"
    assert reply.body["message"] == BY_ROBIN


def test_the_same_request_is_answered_though_the_delegation_has_ended_since() -> None:
    world = World()
    world.delegation(JAMIE, ROBIN, end=timedelta(minutes=1))
    world.requisition(JAMIE)
    _, card = world.announced()
    first = keyed(world, card, "approve", "one", actor=ROBIN)
    world.clock.advance(120)

    assert first.body["outcome"] == "approved"
    assert keyed(world, card, "approve", "one", actor=ROBIN).body["outcome"] == "approved"
    assert keyed(world, card, "approve", "two", actor=ROBIN).body["outcome"] == "not_your_approval"


@pytest.mark.parametrize(
    ("spoil", "outcome"),
    [
        (lambda world: world.coupa.front.fail("answer", status=400, times=None), "unconfirmed"),
        (lambda world: world.coupa.world.approvals.ids.clear(), "already_decided"),
    ],
)
def test_the_same_request_claims_nothing_that_coupa_does_not_say(
    spoil: Callable[[World], object], outcome: str
) -> None:
    world, card = offered(settings={"ACTION_TOKEN": "off"})
    keyed(world, card, "approve", "one")
    spoil(world)

    assert keyed(world, card, "approve", "one").body["outcome"] == outcome


def test_a_key_that_was_used_for_another_decision_is_refused() -> None:
    world, card = offered()
    keyed(world, card, "approve", "one")

    reply = keyed(world, card, "reject", "one")

    assert (reply.status, reply.body["error"]) == (400, "key_reused")


def test_another_key_is_another_request() -> None:
    world, card = offered()
    keyed(world, card, "approve", "one")

    assert keyed(world, card, "reject", "two").body["outcome"] == "already_decided"
    assert keyed(world, card, "approve", "three").body["outcome"] == "approved"
    assert world.puts() == 1


def test_without_the_ledger_the_same_request_again_is_checked_again() -> None:
    world, card = offered()
    keyed(world, card, "approve", "one")
    away(world.store, "read")

    assert keyed(world, card, "approve", "one").body["outcome"] == "approved"
    assert world.puts() == 1


def test_before_its_turn_an_approval_is_not_decided() -> None:
    world = World(settings={"ACTION_TOKEN": "optional"})
    number = world.requisition(JAMIE, ROBIN)
    later = world.coupa.world.approvals_of(number)[1].id

    reply = world.click({"approval_id": str(later)}, ROBIN)

    assert reply.body["outcome"] == "not_your_turn"
    assert world.puts() == 0


def test_changed_content_is_shown_with_a_button_that_works() -> None:
    world, card = offered()
    world.coupa.world.edit_line(world.approval(card).document.id, 0, unit_price="9000.00")

    reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == "changed"
    assert "Amount: USD 1,800.00 → USD 18,000.00" in reply.body["content"]
    assert world.puts() == 0
    again = {"approval_id": card.slots["approval_id"], "action_token": reply.body["action_token"]}
    assert world.click(card, JAMIE).body["outcome"] == "changed"
    assert world.click(again, JAMIE).body["outcome"] == "approved"


def test_an_older_button_shows_the_request_without_a_difference_that_its_reader_did_not_see() -> None:
    world, card = offered()
    world.coupa.world.edit_line(world.approval(card).document.id, 0, unit_price="5000.00")
    world.clock.advance(60)
    world.sweep()
    world.coupa.world.edit_line(world.approval(card).document.id, 0, unit_price="9000.00")

    content = world.click(card, JAMIE).body["content"]

    assert ("18,000.00" in content, "→" in content) == (True, False)


def test_without_the_ledger_coupas_own_state_decides(caplog: pytest.LogCaptureFixture) -> None:
    world, card = offered()
    away(world.store, "read")

    with caplog.at_level(logging.WARNING):
        reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == "approved"
    assert "decision without ledger" in caplog.text
    assert "decision not recorded" in caplog.text


@pytest.mark.parametrize(("clashes", "recorded"), [(2, "approve"), (3, "")])
def test_a_decision_that_somebody_else_records_at_the_same_time_is_tried_again_and_then_left(
    clashes: int, recorded: str
) -> None:
    world, card = offered()
    write, left = world.store.replace, [True] * clashes

    def meanwhile(entry: Entry) -> None:
        if entry.decision and left:
            left.pop()
            write(world.row(card))

    before(world.store, "replace", meanwhile)

    assert world.click(card, JAMIE).body["outcome"] == "approved"
    assert (world.row(card).decision, left) == (recorded, [])


def test_a_hold_that_coupa_does_not_offer_is_the_callers_mistake() -> None:
    world, card = offered()

    reply = world.click(card, JAMIE, "hold")

    assert (reply.status, reply.body["error"]) == (400, "not_holdable")
    assert world.puts() == 0


@pytest.mark.parametrize("verb", ["approve", "hold"])
def test_an_action_that_is_switched_off_is_refused_before_coupa_is_asked(verb: str) -> None:
    world, card = offered(holdable=True, settings={"ACTIONS": "reject"})
    calls = len(world.coupa.front.calls)

    reply = world.click(card, JAMIE, verb, reason="because")

    assert (reply.status, reply.body["error"]) == (403, "action_off")
    assert len(world.coupa.front.calls) == calls
    assert world.click(card, JAMIE, "reject", reason="because").body["outcome"] == "rejected"


def test_a_document_that_cannot_be_read_any_more_is_not_decided_blindly() -> None:
    world = World(settings={"DOCUMENT_TYPES": "InvoiceHeader"})
    world.coupa.world.add_document(
        approvable_type="InvoiceHeader", approvers=[world.person(JAMIE)], requested_by=world.person(SAM)
    )
    [card] = world.announced()
    world.coupa.front.fail("answer", path="/api/invoices", status=403, body="{}", times=None)

    reply = world.click(card, JAMIE)

    assert (reply.status, reply.body["error"]) == (502, "coupa_unreadable")
    assert world.puts() == 0


# Tokens. Who may do what with which token is in `test_auth_matrix.py`, cell by cell.


def test_a_button_signed_with_the_key_before_the_last_still_works() -> None:
    world, card = offered()
    newer = {"k2": base64.b64encode(b"another secret of thirty-two bytes").decode()}
    world.settings = {"ACTION_TOKEN_KEYS": json.dumps(newer | json.loads(KEY))}
    world.restart()

    assert world.click(card, JAMIE).body["outcome"] == "approved"


@pytest.mark.parametrize("mode", ["optional", "off"])
def test_a_token_may_be_left_out_where_the_settings_say_so(mode: str) -> None:
    world, card = offered()
    world.settings = {"ACTION_TOKEN": mode}
    world.restart()

    assert world.click({"approval_id": card.slots["approval_id"]}, JAMIE).body["outcome"] == "approved"


def test_with_optional_tokens_a_wrong_one_is_still_refused() -> None:
    world, card = offered()
    world.settings = {"ACTION_TOKEN": "optional"}
    world.restart()

    assert world.click({**card.slots, "action_token": "x"}, JAMIE).status == 403


def test_an_approval_that_coupa_does_not_know_is_not_found_or_ended_nobody_knows_how() -> None:
    world = World(settings={"ACTION_TOKEN": "optional"})
    offer = Offer(
        approval_id=4711,
        approver_key="user:1",
        person="user:1",
        content="x",
        generation=0,
        expires_at=world.clock.now() + TOKEN_LIFE,
    )
    token = SIGNER.sign(offer)

    without = world.click({"approval_id": "4711"}, JAMIE)
    having = world.click({"approval_id": "4711", "action_token": token}, JAMIE)

    assert (without.status, without.body["error"]) == (404, "not_found")
    assert having.body["outcome"] == "already_decided"
    assert having.body["message"] == "Nothing was changed. No longer waiting for you: this request."


def test_a_document_that_coupa_does_not_return_is_a_failure_and_nothing_is_decided() -> None:
    world, card = offered()
    world.coupa.front.fail("answer", path="/api/requisitions", status=200, body="[]")

    reply = world.click(card, JAMIE)

    assert (reply.status, reply.body["error"]) == (502, "coupa_document")
    assert world.puts() == 0


# What Coupa does with the decision.


@pytest.mark.parametrize("body", ["", "<html>", '{"approvals": 7}', '{"id": 12}'])
def test_a_200_that_did_not_come_from_coupa_is_no_decision_of_ours(body: str) -> None:
    world, card = offered()

    robin = {"id": 7, "fullname": "Robin Doe"}
    ended = {"id": int(card.slots["approval_id"]), "status": "rejected", "approved-by": robin}
    world.coupa.front.fail("answer", method="PUT", status=200, body=body)
    world.coupa.front.fail(
        "answer", method="GET", path="/api/approvals", skip=1, status=200, body=json.dumps([ended])
    )

    reply = world.click(card, JAMIE, "reject", reason="too dear")

    assert reply.body["outcome"] == "already_decided"
    assert reply.body["decided_by"] == "Robin Doe"


@pytest.mark.parametrize("answer", ["document", "approval"])
def test_a_decision_is_known_as_ours_by_coupas_answer_where_no_note_is_served(answer: Any) -> None:
    world, card = offered()
    world.coupa.action_body = answer
    world.coupa.world.delete_field("approval", world.approval(card).id, "note")

    assert world.click(card, JAMIE).body["outcome"] == "approved"


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("cut", {}),
        ("answer", {"status": 500}),
        ("answer", {"status": 503}),
        ("answer", {"status": 504}),
        ("answer", {"status": 200, "body": "<html>"}),
    ],
)
def test_a_decision_that_took_no_effect_is_said_to_be_unconfirmed_and_not_sent_again(
    kind: Any, details: dict[str, Any]
) -> None:
    world, card = offered()
    world.coupa.front.fail(kind, method="PUT", **details)

    reply = world.click(card, JAMIE)

    assert (reply.status, reply.body["outcome"]) == (200, "unconfirmed")
    assert world.puts() == 1
    assert world.click(card, JAMIE).body["outcome"] == "approved"


@pytest.mark.parametrize("status", [300, 302, 307, 400, 403, 404, 409, 422, 500, 503])
def test_a_decision_that_took_effect_is_said_to_have_whatever_a_gateway_answers(status: int) -> None:
    world, card = offered()
    world.coupa.front.fail(
        "replace", method="PUT", path="/api/approvals/", status=status, headers=JSON, body="{}"
    )

    assert world.click(card, JAMIE).body["outcome"] == "approved"
    assert not world.approval(card).is_open


def _away(world: World) -> None:
    world.coupa.front.fail("answer", status=503, times=None)


def _used_up(world: World) -> None:
    note = world.store.note("turns")
    world.store.save_note("turns", Note(str(world.clock.now().timestamp() + 20), note.etag))
    world.restart()


@pytest.mark.parametrize("spoil", [_away, _used_up])
def test_what_was_sent_and_never_confirmed_is_not_said_to_be_undecided_when_asked_again(
    spoil: Callable[[World], None],
) -> None:
    world, card = offered()
    world.coupa.front.fail("lose", method="PUT", times=None)
    world.coupa.front.fail("cut", method="GET", skip=2, times=None)
    assert keyed(world, card, "approve", "one").body["outcome"] == "unconfirmed"
    world.coupa.front.heal()
    spoil(world)

    assert keyed(world, card, "approve", "one").body["outcome"] == "unconfirmed"
    assert keyed(world, card, "approve", "two").status == 503
    world.coupa.front.heal()
    world.clock.advance(60)
    assert keyed(world, card, "approve", "one").body["outcome"] == "approved"
    assert world.puts() == 1


def test_a_row_that_a_sweep_has_claimed_is_left_to_the_sweep() -> None:
    world, card = offered()
    world.store.replace(claimed(world.row(card), now=world.clock.now(), lease=Lease()))
    world.coupa.front.fail("lose", method="PUT", times=None)
    world.coupa.front.fail("cut", method="GET", skip=2, times=None)

    assert keyed(world, card, "approve", "one").body["outcome"] == "unconfirmed"
    assert (world.row(card).state, world.row(card).decision_key) == (State.CLAIMED, "")


def test_what_was_tried_may_be_tried_again() -> None:
    world, card = offered()
    world.coupa.front.fail("cut", method="PUT")
    assert keyed(world, card, "approve", "one").body["outcome"] == "unconfirmed"

    assert keyed(world, card, "approve", "one").body["outcome"] == "approved"


def test_what_was_tried_and_is_refused_then_is_a_failure() -> None:
    world, card = offered()
    world.coupa.front.fail("cut", method="PUT")
    keyed(world, card, "approve", "one")
    world.coupa.front.fail("answer", method="PUT", status=404, headers=JSON, body="{}")

    assert keyed(world, card, "approve", "one").status == 502


@pytest.mark.parametrize(
    ("status", "body", "answered"),
    [(403, "no", 502), (429, "no", 503), (400, "no", 502), (400, "<html>Bad</html>", 502), (404, "{}", 502)],
)
def test_a_decision_that_coupa_refuses_is_a_failure_and_never_called_out_of_reach(
    status: int, body: str, answered: int
) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="PUT", status=status, body=body)

    reply = world.click(card, JAMIE)

    said = "This cannot be done from here at this moment; nothing was decided. Please use Coupa."
    assert reply.status == answered
    assert (reply.body["message"] == f"{NAME}: {said}") is (answered == 502)
    assert world.approval(card).is_open
    assert world.puts() == 1


BLOCKED = "Blocked: supplier is on hold"
LINK = "https://acme.coupahost.com/requisition_headers/"


@pytest.mark.parametrize("status", [400, 409, 422])
@pytest.mark.parametrize(
    "body",
    [
        f'{{"errors": {{"base": ["{BLOCKED}"]}}}}',
        f'{{"errors": {{"warnings": "{BLOCKED}"}}}}',
        f'<?xml version="1.0"?><errors><error>{BLOCKED}</error></errors>',
    ],
    ids=["base", "warnings", "xml"],
)
def test_a_decision_that_a_rule_of_coupas_refuses_is_answered_with_its_words_and_the_link(
    status: int, body: str
) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="PUT", status=status, body=body)

    reply = world.click(card, JAMIE)

    said = reply.body
    assert (reply.status, said["outcome"]) == (200, "refused_by_coupa")
    assert said["message"] == f"{NAME}: Coupa does not accept this, so nothing was changed: {BLOCKED}"
    assert said["link"].startswith(LINK)
    assert world.approval(card).is_open
    assert world.puts() == 1


OURS = f"{NAME}: Coupa does not accept this, so nothing was changed. Please decide in Coupa."


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, "<html><head><title>422</title></head><body>PG::Error at /srv/coupa</body></html>"),
        (422, '{"error": "no"}'),
        (422, "{}"),
        (422, ""),
        (409, "no"),
        (400, '{"error": "no"}'),
        (400, '{"errors": {"base": ["NoMethodError: no (/srv/coupa/app/models/approval.rb:12)"]}}'),
        (400, '{"errors": {"backtrace": ["it broke here"], "exception": ["it broke"]}}'),
        (422, '{"errors": {"base": ["\\u200b \\u3164"]}}'),
        (422, "<errors><error>PG::UniqueViolation at db-7.internal</error></errors>"),
    ],
)
def test_a_refusal_of_coupas_without_words_for_people_is_said_in_ours(
    status: int, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="PUT", status=status, body=body)

    reply = world.click(card, JAMIE)

    assert (reply.status, reply.body["outcome"], reply.body["message"]) == (200, "refused_by_coupa", OURS)
    assert reply.body["link"].startswith(LINK)
    assert world.approval(card).is_open
    [logged] = [line for line in caplog.messages if line.startswith("refused by coupa")]
    assert f"code=coupa_{status}" in logged
    assert ("NoMethodError" in logged, "db-7" in logged) == ("NoMethodError" in body, "db-7" in body)


def test_of_several_words_of_coupas_only_those_for_people_are_shown() -> None:
    world, card = offered()
    body = '{"errors": {"exception": ["it broke"], "base": ["PG::Error", "Budget line 7 is closed"]}}'
    world.coupa.front.fail("answer", method="PUT", status=422, body=body)

    message = world.click(card, JAMIE).body["message"]

    assert message == f"{NAME}: Coupa does not accept this, so nothing was changed: Budget line 7 is closed"


@pytest.mark.slow
def test_coupas_words_are_made_harmless_and_capped() -> None:
    world, card = offered()
    words = "See :+1:\\n" + "x" * 10_000
    world.coupa.front.fail("answer", method="PUT", status=422, body=f'{{"errors": ["{words}"]}}')

    message = world.click(card, JAMIE).body["message"]

    assert "See" in message
    assert not any(each in message for each in (":+1:", "\n"))
    assert len(message) < 600


@pytest.mark.parametrize("text", [None, "", "  \n", "\u200b", "\u200d\u200c", "\u3164 \u2800", "\ufeff"])
def test_a_reject_needs_a_reason_and_one_of_which_nothing_can_be_seen_is_none(text: str | None) -> None:
    world, card = offered()

    assert world.click(card, JAMIE, "reject", reason=text).body["outcome"] == "reason_required"
    assert world.puts() == 0
    assert world.click(card, JAMIE, "approve", reason=text).body["outcome"] == "approved"
    assert world.approval(card).note == f"Jamie Doe <{JAMIE}> via Moveworks"


def test_a_long_name_and_address_give_way_to_the_words() -> None:
    name, address = "N" * 142, f"{'a' * 50}@{'b' * 50}.test"
    decider = Decider("user:7", address, name, "", Capacity.DELEGATE)
    click = Click(1, Verb.REJECT, address, reason="y" * 80)

    written = reason_for(click, decider, asked="G" * 100)

    assert len(written) <= 255
    assert written.endswith(f": {'y' * 80}")


def test_without_a_look_afterwards_nothing_is_claimed() -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="GET", skip=2, times=None, status=400)

    reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == "unconfirmed"
    assert not world.approval(card).is_open


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_coupas_own_screen_may_be_quicker(decision: Any) -> None:
    world, card = offered()
    coupa, number = world.coupa.world, world.approval(card).id
    once(coupa, "decide", lambda: coupa.decide_in_coupa(number, by=world.person(ROBIN), decision=decision))

    reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == "already_decided"
    assert reply.body["message"] == (
        BY_ROBIN.replace("Approved", decision.capitalize()).replace("Purchase request 5001", NAME)
    )


@pytest.mark.parametrize("seconds", [3.0, 6.5, 9.0, 30.0])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_the_answer_comes_within_ten_seconds_however_slow_coupa_is(method: str, seconds: float) -> None:
    world, card = offered()
    world.coupa.front.fail("slow", method=method, times=None, seconds=seconds)
    began_s = world.clock.monotonic()

    reply = world.click(card, JAMIE)

    assert world.clock.monotonic() - began_s <= 10
    assert reply.status in (200, 503)
    assert reply.body.get("outcome") in {None, "approved", "unconfirmed"}
    assert (reply.body.get("outcome") == "approved") <= (not world.approval(card).is_open)


def test_with_too_little_time_left_nothing_is_sent() -> None:
    world, card = offered()
    world.coupa.front.fail("slow", path="/api/approvals", seconds=5.0)
    before(world.store, "read", lambda _: world.clock.advance(3))

    reply = world.click(card, JAMIE)

    assert (reply.status, reply.body["error"]) == (503, "decide_late")
    assert world.puts() == 0


# The reason.


def reason(text: str, name: str = "Jamie Doe") -> str:
    decider = Decider("user:7", JAMIE, name, "Jamie", Capacity.APPROVER)
    return reason_for(Click(1, Verb.REJECT, JAMIE, reason=text), decider, asked="Robin Doe")


def test_no_name_can_pass_for_somebody_elses_address() -> None:
    assert reason(" ", name=f"Eve <{ROBIN}> via Moveworks") == f"Eve {ROBIN} <{JAMIE}> via Moveworks"


def test_the_reason_is_one_line() -> None:
    assert reason("a\r\n\tb\u2028c\x00d") == f"Jamie Doe <{JAMIE}> via Moveworks: a b c d"
    assert reason("a\u202eb\u200bc") == f"Jamie Doe <{JAMIE}> via Moveworks: abc"


@pytest.mark.parametrize("text", ["& = # % + ?", "né 💳", "a&reason=b", '"quoted"', "100 % + 5"])
def test_the_reason_reaches_coupa_as_it_was_written(text: str) -> None:
    world, card = offered()

    world.click(card, JAMIE, "reject", reason=text)

    assert world.approval(card).note == f"Jamie Doe <{JAMIE}> via Moveworks: {text}"


@pytest.mark.parametrize("login", ["api-client", "", "somebody-else"])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_note_in_coupa_that_only_looks_like_ours_is_its_authors(verb: str, login: str) -> None:
    """Whoever decides in Coupa can write any note: our mark counts where our client wrote it."""
    world, card = offered(settings={"COUPA_CLIENT_LOGIN": login})
    world.in_coupa(
        card,
        decision="approved" if verb == "approve" else "rejected",
        note=f"Jamie Doe <{JAMIE}> via Moveworks: cleared",
    )

    said = world.click(card, JAMIE, verb, reason="cleared").body

    assert (said["outcome"], said["decided_by"]) == ("already_decided", "Robin Doe")


@pytest.mark.parametrize("login", ["api-client", ""])
def test_a_decision_of_which_the_answer_was_lost_is_known_by_our_hand_or_our_exact_words(login: str) -> None:
    world, card = offered(settings={"COUPA_CLIENT_LOGIN": login})
    world.coupa.front.fail("lose", method="PUT")

    assert world.click(card, JAMIE, "reject", reason="too dear").body["outcome"] == "rejected"
    assert world.puts() == 1


def test_without_the_ledger_and_our_clients_name_an_own_decision_is_told_as_coupa_has_it() -> None:
    world, card = offered(settings={"COUPA_CLIENT_LOGIN": "", "ACTION_TOKEN": "off"})
    world.click(card, JAMIE)
    away(world.store, "read")

    said = world.click(card, JAMIE).body

    assert (said["outcome"], said["decided_by"]) == ("already_decided", "Approvals Integration")


def test_the_log_says_what_became_of_a_click_and_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    world, card = offered()

    with caplog.at_level(logging.INFO, "coupa_core"):
        world.click(card, JAMIE)

    assert f"decision approval_id={card.slots['approval_id']} verb=approve outcome=approved" in caplog.text
    assert JAMIE not in caplog.text


# The receipt.


def receipt(reply: Any) -> tuple[str, Any, Any]:
    """Return what a decision led to, as it is said."""
    body = reply.body
    return body["message"], body.get("document_status"), body.get("next_approver")


def test_after_a_step_the_answer_names_the_next_approver_and_at_last_that_there_is_none() -> None:
    world, card = offered(JAMIE, ROBIN)

    first = world.click(card, JAMIE)
    [next_card] = world.announced()
    last = world.click(next_card, ROBIN)

    done = f"Approved: {NAME}."
    assert receipt(first) == (f"{done} Next: Robin Doe.", "pending_approval", "Robin Doe")
    assert receipt(last) == (f"{done} It is fully approved.", "approved", None)


def test_who_is_next_may_be_a_group_or_several_people() -> None:
    world = World()
    group = Group(world.coupa.world.add_group(name="Buyers", members=[world.person(ROBIN)]))
    names = ("ann@example.com", "bob@example.com", "cem@example.com", "dee@example.com", "eve@example.com")
    world.requisition(JAMIE, group)
    world.requisition(JAMIE, list(names))
    first, second = world.announced()

    assert world.click(first, JAMIE).body["next_approver"] == "Buyers"
    assert world.click(second, JAMIE).body["next_approver"] == "Ann Doe, Bob Doe, Cem Doe, +2 more"


def test_a_parallel_step_is_next_until_everybody_in_it_has_decided() -> None:
    world = World()
    world.requisition([JAMIE, ROBIN])
    mine, _ = world.announced()

    assert world.click(mine, JAMIE).body["next_approver"] == "Robin Doe"


def test_a_rejection_says_what_the_request_is_now_and_a_hold_too() -> None:
    rejecting, card = offered(JAMIE, ROBIN)
    holding, held = offered(JAMIE, ROBIN, holdable=True)

    rejected = receipt(rejecting.click(card, JAMIE, "reject", reason="no"))
    on_hold = receipt(holding.click(held, JAMIE, "hold"))

    assert rejected == (f"Rejected: {NAME}. Coupa has your reason.", "draft", None)
    assert on_hold == (f"Put on hold: {NAME}.", "pending_approval", None)


@pytest.mark.parametrize(
    ("status", "says"), [("ordered", " It is fully approved."), ("pending_buyer_action", "")]
)
def test_what_coupa_made_of_the_request_meanwhile_is_said(status: str, says: str) -> None:
    world, card = offered()
    after(world.coupa.world, "decide", lambda decided: setattr(decided.document, "status", status))

    assert receipt(world.click(card, JAMIE)) == (f"Approved: {NAME}.{says}", status, None)


def test_a_name_that_is_next_is_one_harmless_line() -> None:
    world = World()
    nasty = world.person("x@example.com", firstname="Eve\n<@U1> http://evil.example\u202e" + "x" * 200)
    card = world.offer(JAMIE, nasty)

    name = world.click(card, JAMIE).body["next_approver"]

    assert len(name) <= 80
    assert name.isprintable()
    assert "http" not in name
    assert "<@" not in name


@pytest.mark.parametrize("raw", [{"approvals": None}, {"approvals": [7, {}, {"id": 3}]}, {"id": None}])
def test_where_the_document_does_not_show_the_approval_it_is_read_alone_and_there_is_no_receipt(
    raw: dict[str, Any],
) -> None:
    world, card = offered()
    after(world.coupa.world, "decide", lambda decided: decided.document.raw.update(raw))
    calls = world.coupa.front.count(path="/api/")

    reply = world.click(card, JAMIE)

    assert receipt(reply) == (f"Approved: {NAME}.", None, None)
    assert world.coupa.front.count(path="/api/") - calls == 5


def test_a_document_without_a_status_leaves_it_out_of_the_receipt() -> None:
    world, card = offered()
    after(world.coupa.world, "decide", lambda decided: decided.document.raw.update(status=None))

    assert receipt(world.click(card, JAMIE)) == (f"Approved: {NAME}.", None, None)


def test_a_document_that_shows_the_approval_without_our_note_does_not_confirm_a_lost_answer() -> None:
    """Somebody else may have approved it; only the approval's own note tells."""
    world, card = offered()
    coupa, number, robin = world.coupa.world, world.approval(card).id, world.person(ROBIN)
    world.coupa.front.fail("cut", method="PUT")
    client = world.bridge.endpoints._decide._coupa
    once(client, "decide", lambda: coupa.decide_in_coupa(number, by=robin, decision="approved"))

    reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == "already_decided"
    assert reply.body["decided_by"] == "Robin Doe"
