"""The answer to "Do I have any approvals in Coupa?"."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from bridge import JAMIE, ROBIN, World, offered
from odd_answers import ODD_ANSWERS, name_of

from coupa_core.endpoints import Reply
from coupa_core.inbox import MAX_CARDS, MAX_PAGES, WHOLE
from coupa_core.routes import CLICK_S
from sandbox.coupa.world import Group


def shown(world: World, email: str, approval_id: Any) -> Reply:
    headers = {"X-Actor-Email": email}
    return world.call("get_approval", headers=headers, route={"approval_id": str(approval_id)})


def first_approval(world: World, number: int) -> int:
    """Return the id of the first step of a document."""
    found: int = world.coupa.world.approvals_of(number)[0].id
    return found


def test_a_person_sees_what_waits_for_them_and_nothing_else() -> None:
    world = World()
    mine, later, others = world.requisition(JAMIE), world.requisition(ROBIN, JAMIE), world.requisition(ROBIN)

    reply = world.listed(JAMIE)

    assert (reply.status, reply.body["count"]) == (200, 1)
    assert reply.body["message"] == "1 approval is waiting for you in Coupa. Total: USD 1,800.00."
    [card] = reply.body["approvals"]
    assert card["approval_id"] == str(first_approval(world, mine))
    assert "USD 1,800.00</b>" in card["text"]
    assert {later, others} & {int(card["document_id"])} == set()


def test_nothing_waits_for_somebody_without_approvals() -> None:
    world = World()
    world.person(JAMIE)

    assert world.listed(JAMIE).body == {
        "count": 0,
        "is_complete": True,
        "unreadable": 0,
        "message": "Nothing is waiting for your approval in Coupa.",
        "approvals": [],
    }


def test_the_list_and_a_card_come_without_tokens_where_these_are_off() -> None:
    world = World(settings={"ACTION_TOKEN": "off"})
    number = world.requisition(JAMIE)

    assert "action_token" not in world.listed(JAMIE).body["approvals"][0]
    assert "action_token" not in shown(world, JAMIE, first_approval(world, number)).body


@pytest.mark.parametrize("email", ["nobody@example.com", "gone@example.com", "twice@example.com"])
def test_an_unknown_an_inactive_and_a_shared_address_see_nothing(email: str) -> None:
    world = World()
    gone, twice = world.person("gone@example.com"), world.person("twice@example.com")
    world.requisition(gone)
    world.requisition(twice)
    world.coupa.world.users.rows[gone].active = False
    world.coupa.world.add_user(email="TWICE@example.com", firstname="An", lastname="Other")

    assert world.listed(email).body["count"] == 0


def test_a_group_with_the_number_of_a_user_is_not_that_user() -> None:
    world = World()
    person, other = world.person(JAMIE), world.person(ROBIN)
    group = world.coupa.world.add_group(name="Buyers", members=[other])
    assert group == person
    world.requisition(Group(group))

    assert world.listed(JAMIE).body["count"] == 0


def test_a_member_sees_what_waits_for_the_group_and_decides_from_the_list() -> None:
    world = World()
    group = world.group(JAMIE, ROBIN)
    number = world.requisition(group)

    [card] = world.listed(ROBIN).body["approvals"]

    assert "(for Buyers)" in card["text"]
    assert shown(world, JAMIE, first_approval(world, number)).status == 200
    assert world.click(card, JAMIE).body["outcome"] == "not_your_approval"
    assert world.click(card, ROBIN).body["outcome"] == "approved"


def test_a_member_whom_the_group_itself_does_not_name_sees_nothing_of_it() -> None:
    world = World()
    group = world.group(JAMIE, ROBIN)
    world.coupa.world.groups.rows[group.id].users.pop(0)
    world.requisition(group)

    assert world.listed(JAMIE).body["count"] == 0


def test_the_list_is_found_by_the_chats_address() -> None:
    world = World(settings={"EMAIL_MAP": json.dumps({JAMIE: "j.doe@chat.example"})})
    world.requisition(JAMIE)

    assert world.listed("j.doe@chat.example").body["count"] == 1
    assert world.listed(JAMIE).body["count"] == 0


def test_a_long_list_shows_the_oldest_and_the_number_of_all() -> None:
    world = World()
    numbers = [world.requisition(JAMIE) for _ in range(MAX_CARDS + 3)]

    reply = world.listed(JAMIE)

    assert reply.body["count"] == MAX_CARDS + 3
    assert [int(card["document_id"]) for card in reply.body["approvals"]] == numbers[:MAX_CARDS]


def test_documents_of_other_types_are_listed_when_it_is_the_persons_turn() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    jamie, robin = world.person(JAMIE), world.person(ROBIN)
    for kind in ("InvoiceHeader", "Contract", "ReceiptRequest"):
        world.coupa.world.add_document(approvable_type=kind, approvers=[jamie, robin])

    assert world.listed(JAMIE).body["count"] == 3
    assert world.listed(ROBIN).body["count"] == 0


def test_what_is_of_a_closed_type_is_shown_by_its_number_and_spoils_no_other() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    for kind in ("InvoiceHeader", "Contract"):
        world.coupa.world.add_document(approvable_type=kind, approvers=[world.person(JAMIE)])
    world.coupa.front.fail("answer", path="/api/invoices", status=403, times=None)

    reply = world.listed(JAMIE)

    assert [card["document_type"] for card in reply.body["approvals"]] == ["Contract", "InvoiceHeader"]
    assert (reply.body["count"], reply.body["unreadable"]) == (2, 1)
    assert reply.body["message"] == "2 approvals are waiting for you in Coupa. Cannot be read right now: 1."


def test_language_zone_fields_and_links_are_those_of_the_settings() -> None:
    choices = {
        "NOTICE_LANGUAGE": "de",
        "TIME_ZONE": "Europe/Berlin",
        "NOTICE_FIELDS": '{"RequisitionHeader": ["title", "submitted"]}',
        "LINK_TEMPLATE": '{"*": "https://portal.test/{type}/{id}"}',
    }
    world = World(settings=choices)
    number = world.requisition(JAMIE)

    [card] = world.listed(JAMIE).body["approvals"]

    assert card["link"] == f"https://portal.test/RequisitionHeader/{number}"
    assert card["text"] == "<br>".join(
        [
            "<b>💳 Sam Doe beantragt „Laptops“, 1.800,00 USD</b>",
            "Bestellanforderung 5001 wartet auf Ihre Genehmigung",
            "- <i>Eingereicht am</i>: 23.11.2026",
            f'<a href="{card["link"]}">In Coupa öffnen</a>',
        ]
    )


def test_one_approval_is_shown_to_its_approver() -> None:
    world = World()
    number = first_approval(world, world.requisition(JAMIE))

    reply = shown(world, JAMIE, number)

    assert reply.status == 200
    assert reply.body["approval_id"] == str(number)
    assert world.click(reply.body, JAMIE).body["outcome"] == "approved"


def test_one_approval_is_not_shown_to_others_nor_before_its_turn_nor_afterwards() -> None:
    world = World()
    number = world.requisition(JAMIE, ROBIN)
    first, second = (each.id for each in world.coupa.world.approvals_of(number))
    done = first_approval(world, world.requisition(JAMIE))
    world.in_coupa(done)

    for email, approval_id in ((ROBIN, first), (ROBIN, second), (JAMIE, done), (JAMIE, 4711)):
        reply = shown(world, email, approval_id)
        assert (reply.status, reply.body["error"]) == (404, "not_found")


def test_when_coupa_does_not_answer_the_list_is_a_failure_not_an_empty_one() -> None:
    world = World()
    world.requisition(JAMIE)
    world.coupa.front.fail("answer", path="/api/approvals", status=500, times=None)

    assert world.listed(JAMIE).status == 503


def ids(reply: Reply) -> list[int]:
    """Return the documents of a list, in its order."""
    return [int(card["document_id"]) for card in reply.body["approvals"]]


def test_what_is_needed_soon_comes_first_then_what_waits_for_longest() -> None:
    world = World()
    now = world.clock.now()
    oldest = world.requisition(JAMIE, need_by="2027-06-01T00:00:00-08:00")
    world.clock.advance(86_400)
    plain = world.requisition(JAMIE)
    world.clock.advance(86_400)
    tomorrow = world.requisition(JAMIE, need_by=(now + timedelta(days=3)).isoformat())
    late = world.requisition(JAMIE, need_by="2026-11-01T00:00:00-08:00")
    in_a_week = world.requisition(JAMIE, need_by=(now + timedelta(days=9)).isoformat())
    later = world.requisition(JAMIE, need_by=(now + timedelta(days=10)).isoformat())
    nonsense = world.requisition(JAMIE, need_by="soon")

    reply = world.listed(JAMIE)

    assert ids(reply) == [late, tomorrow, in_a_week, oldest, plain, later, nonsense]
    assert reply.body["message"] == (
        "7 approvals are waiting for you in Coupa. Total: USD 12,600.00. "
        "The oldest has been waiting for 2 days."
    )


def test_a_card_says_how_old_it_is_and_by_when_it_is_needed() -> None:
    world = World()
    dated = world.requisition(JAMIE, need_by="2026-12-01T00:00:00-08:00")
    world.clock.advance(86_390)
    young = world.listed(JAMIE)
    world.clock.advance(10)
    day = world.listed(JAMIE)
    world.clock.advance(86_400 * 4)

    [card] = world.listed(JAMIE).body["approvals"]
    alone = shown(world, JAMIE, first_approval(world, dated)).body

    assert young.body["message"] == "1 approval is waiting for you in Coupa. Total: USD 1,800.00."
    assert day.body["message"] == (
        "1 approval is waiting for you in Coupa. Total: USD 1,800.00. It has been waiting for 1 day."
    )
    assert (card["age_days"], card["need_by"]) == (alone["age_days"], alone["need_by"]) == (5, "2026-12-01")


def test_what_coupa_does_not_say_of_age_and_date_is_left_out() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    number = world.requisition(JAMIE)
    approval = first_approval(world, number)
    for kind, each, field in (("requisition", number, "submitted-at"), ("approval", approval, "updated-at")):
        world.coupa.world.delete_field(kind, each, field)
    other = world.coupa.world.add_document(approvable_type="InvoiceHeader", approvers=[world.person(JAMIE)])
    world.clock.advance(86_400)

    reply = world.listed(JAMIE)

    [invoice, requisition] = reply.body["approvals"]
    assert ids(reply) == [other, number]  # the age of an invoice is that of its approval
    assert invoice["age_days"] == 1
    assert {"age_days", "need_by"}.isdisjoint(requisition)


def test_a_clock_behind_coupas_makes_nothing_younger_than_new() -> None:
    world = World()
    world.requisition(JAMIE)
    world.clock.step(-3 * 86_400)

    [card] = world.listed(JAMIE).body["approvals"]

    assert card["age_days"] == 0


def test_the_list_of_many_invoices_asks_once_for_those_who_share_them() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    for _ in range(12):
        world.coupa.world.add_document(approvable_type="InvoiceHeader", approvers=[world.person(JAMIE)])
    before = len(world.coupa.front.calls)

    assert world.listed(JAMIE).body["count"] == 12
    # the token, delegations, those who share the documents; the person and approvals until there are no more
    assert len(world.coupa.front.calls) - before == 3 + 2 * 2


def twins(**more: Any) -> tuple[World, int]:
    """Return a world in which an approval of Jamie's waits, and another active user has Jamie's address."""
    world = World(**more)
    number = world.requisition(JAMIE)
    world.coupa.world.add_user(email=JAMIE.upper(), firstname="An", lastname="Other")
    return world, first_approval(world, number)


def test_a_shared_address_gets_neither_a_list_nor_a_card_nor_a_token() -> None:
    world, approval = twins()

    listed = world.listed(JAMIE).body
    assert (listed["count"], listed["is_complete"], listed["approvals"]) == (0, False, [])
    assert listed["message"].startswith("This e-mail address belongs to more than one person in Coupa")
    reply = shown(world, JAMIE, approval)
    assert (reply.status, reply.body["error"]) == (404, "not_found")
    assert world.announced() == []


@pytest.mark.parametrize("kind", ["group", "delegate"])
def test_a_shared_address_gets_no_card_of_a_group_and_none_as_a_delegate(kind: str) -> None:
    world = World()
    coupa, jamie = world.coupa.world, world.person(JAMIE)
    if kind == "group":
        number = world.requisition(Group(coupa.add_group(name="Buyers", members=[jamie])))
    else:
        number = world.requisition(ROBIN)
        world.delegation(ROBIN, jamie)
    approval = first_approval(world, number)
    assert shown(world, JAMIE, approval).status == 200

    coupa.add_user(email=JAMIE)

    assert shown(world, JAMIE, approval).status == 404
    assert world.listed(JAMIE).body["count"] == 0


def test_without_a_token_a_shared_address_neither_decides_nor_asks() -> None:
    world, approval = twins(settings={"ACTION_TOKEN": "off", "COMMENTS": "on"})
    slots = {"approval_id": str(approval)}

    click, question = world.click(slots, JAMIE), world.ask(slots)

    assert click.body["outcome"] == question.body["outcome"] == "not_your_approval"
    shared = "This e-mail address belongs to more than one person in Coupa"
    assert [each.body["message"].startswith(shared) for each in (click, question)] == [True, True]
    assert world.coupa.front.count("PUT") == 0


@pytest.mark.parametrize(
    ("locales", "begins"), [(("de", "de_CH"), "This"), (("de", "de"), "Diese E-Mail"), (("de", None), "This")]
)
def test_those_who_share_an_address_are_told_in_their_language_where_it_is_one(
    locales: tuple[str, str | None], begins: str
) -> None:
    world, _ = twins()
    users = [each for each in world.coupa.world.users.rows.values() if (each.email or "").lower() == JAMIE]
    for user, locale in zip(users, locales, strict=True):
        user.default_locale = locale

    assert world.listed(JAMIE).body["message"].startswith(begins)


def test_the_button_of_a_card_decides_though_its_address_has_become_shared_and_no_list_denies_it() -> None:
    world, card = offered()
    world.coupa.world.add_user(email=JAMIE.upper(), firstname="An", lastname="Other")

    assert "belongs to more than one person" in world.listed(JAMIE).body["message"]
    assert world.click(card, JAMIE).body["outcome"] == "approved"


def test_a_story_says_that_a_shared_address_is_nobodys_in_chat() -> None:
    world, approval = twins()

    said = world.story(approval, is_live=True)

    assert any("another user has this address" in line for line in said)


def test_an_inactive_namesake_shares_nothing() -> None:
    world, approval = twins()
    [namesake] = [each for each in world.coupa.world.users.rows.values() if each.email == JAMIE.upper()]
    namesake.active = False

    assert world.click(shown(world, JAMIE, approval).body, JAMIE).body["outcome"] == "approved"


# Many, and slow.

PAGE_JSON = {"Content-Type": "application/json"}


def crowd(number: int, call_s: float = 0.0) -> tuple[World, list[int]]:
    """Return a world in which so many wait for one person and a call takes so long, and their documents."""
    world = World()
    numbers = [world.requisition(JAMIE) for _ in range(number)]
    world.coupa.front.latency_s = call_s / 2
    return world, numbers


def in_time(world: World) -> Reply:
    """Ask for Jamie's list, which comes in time."""
    began_s = world.clock.monotonic()
    reply = world.listed(JAMIE)
    assert world.clock.monotonic() - began_s < CLICK_S
    return reply


def documents_asked(world: World) -> list[int]:
    """Return the ids of the requisitions that Coupa was asked for."""
    queries = [unquote(call.query) for call in world.coupa.front.calls if call.path == "/api/requisitions"]
    found = [re.search(r"id\[in\]=([\d,]+)", query) for query in queries]
    return [int(number) for each in found if each for number in each[1].split(",")]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "call_s"), [(1_300, 0.1), (200, 1.0)])
def test_who_has_very_many_gets_a_page_and_their_number_in_time(number: int, call_s: float) -> None:
    world, numbers = crowd(number, call_s)

    reply = in_time(world)

    assert reply.status == 200
    count, is_complete = reply.body["count"], reply.body["is_complete"]
    assert count == number if is_complete else WHOLE < count < number
    assert is_complete == (number == 1_300)
    assert reply.body["message"] == (
        f"{'' if is_complete else 'At least '}{count:,} approvals are waiting for you in Coupa. "
        "Those that were read come to USD 36,000.00. "
        "Some of these may not be your turn yet. 20 are shown."
    )
    assert ids(reply) == documents_asked(world) == numbers[:MAX_CARDS]
    assert world.click(reply.body["approvals"][-1], JAMIE).body["outcome"] == "approved"


def test_a_list_that_one_question_covers_is_in_order_and_counted_exactly() -> None:
    world, numbers = crowd(WHOLE - 2)
    world.requisition(ROBIN, JAMIE)
    urgent = world.requisition(JAMIE, need_by=world.clock.now().isoformat())
    world.clock.advance(3 * 86_400)

    reply = world.listed(JAMIE)

    assert ids(reply) == [urgent, *numbers[: MAX_CARDS - 1]]
    assert reply.body["message"] == (
        "49 approvals are waiting for you in Coupa. Total: USD 88,200.00. "
        "The oldest has been waiting for 3 days."
    )


def test_of_a_longer_list_the_page_is_in_order_and_its_oldest_is_told() -> None:
    world = World()
    soon = (world.clock.now() + timedelta(days=3)).isoformat()
    numbers = [world.requisition(JAMIE, need_by=soon if each == 7 else None) for each in range(WHOLE + 1)]
    world.clock.advance(2 * 86_400)

    reply = world.listed(JAMIE)

    assert ids(reply) == [numbers[7], *numbers[:7], *numbers[8:MAX_CARDS]]
    assert reply.body["message"] == (
        "51 approvals are waiting for you in Coupa. Those that were read come to USD 36,000.00. "
        "Some of these may not be your turn yet. "
        "The oldest shown has been waiting for 2 days. 20 are shown."
    )


def test_a_page_is_filled_from_the_next_ones_where_it_is_not_yet_the_persons_turn() -> None:
    world = World()
    later = [world.requisition(ROBIN, JAMIE) for _ in range(MAX_CARDS - 1)]
    now = [world.requisition(JAMIE) for _ in range(2 * MAX_CARDS)]

    reply = world.listed(JAMIE)

    assert ids(reply) == now[:MAX_CARDS]
    assert reply.body["count"] == len(now)
    assert set(later) <= set(documents_asked(world))


def test_who_has_no_turn_yet_in_a_long_list_is_told_so_after_some_pages() -> None:
    world = World()
    for _ in range(MAX_PAGES * MAX_CARDS + 10):
        world.requisition(ROBIN, JAMIE)

    reply = world.listed(JAMIE)

    assert (reply.body["count"], reply.body["approvals"]) == (10, [])
    assert reply.body["message"] == (
        "10 approvals are waiting for you in Coupa. Some of these may not be your turn yet. "
        "None that was looked at is your turn now."
    )


def test_no_other_page_is_read_when_little_time_is_left() -> None:
    world = World()
    for _ in range(3 * MAX_CARDS):
        world.requisition(ROBIN, JAMIE)
    world.coupa.front.fail("slow", path="/api/requisitions$", seconds=6.5)

    reply = world.listed(JAMIE)

    assert reply.status == 200
    assert len(documents_asked(world)) == MAX_CARDS


# One at fault.


def poison(world: World, number: int, resource: str = "requisitions", **how: Any) -> None:
    """Let Coupa fail whenever this record is among those that are asked for by their ids."""
    how = {"kind": "answer", "status": 500, "headers": PAGE_JSON, "body": "{}", **how}
    query = rf"id\[in\]=(?:\d+,)*{number}(?:,|&|$)"
    world.coupa.front.fail(how.pop("kind"), path=f"/api/{resource}$", query=query, times=None, **how)


@pytest.mark.parametrize(
    "how",
    ODD_ANSWERS,
    ids=name_of,
)
@pytest.mark.parametrize("number", [3, WHOLE, WHOLE + 20])
def test_one_document_that_cannot_be_read_is_shown_by_its_number_and_the_others_are_shown(
    number: int, how: dict[str, Any]
) -> None:
    world, numbers = crowd(number)
    bad = numbers[1]
    poison(world, bad, **how)

    reply = world.listed(JAMIE)

    assert (reply.status, reply.body["count"], reply.body["unreadable"]) == (200, number, 1)
    others = [each for each in numbers if each != bad]
    if number == 3:
        assert ids(reply) == [*others, bad]
        card = reply.body["approvals"][-1]
        assert (card["document_type"], card["document_id"]) == ("RequisitionHeader", str(bad))
        assert card["link"] in card["text"]
        assert f"Purchase request {bad} needs your approval" in card["text"]
        assert "This cannot be shown here right now; please open it in Coupa." in card["text"]
        assert "Laptop" not in card["text"]
        assert "action_token" not in card
        assert reply.body["message"] == (
            "3 approvals are waiting for you in Coupa. Those that were read come to USD 3,600.00. "
            "Cannot be read right now: 1."
        )
    else:
        assert ids(reply) == others[:MAX_CARDS]


def test_the_only_one_that_cannot_be_read_is_told_in_german_too() -> None:
    world = World(settings={"NOTICE_LANGUAGE": "de"})
    poison(world, world.requisition(JAMIE))

    reply = world.listed(JAMIE)

    assert reply.body["message"] == ("1 Genehmigung wartet in Coupa auf Sie. Gerade nicht lesbar: 1.")
    [card] = reply.body["approvals"]
    assert "Das lässt sich hier gerade nicht anzeigen. Bitte öffnen Sie es in Coupa." in card["text"]


def test_when_no_document_can_be_read_all_are_shown_by_their_numbers() -> None:
    world, numbers = crowd(WHOLE + 20)
    world.coupa.front.fail("answer", path="/api/requisitions$", status=500, times=None)

    reply = world.listed(JAMIE)

    assert (reply.status, ids(reply)) == (200, numbers[:MAX_CARDS])
    assert (reply.body["count"], reply.body["unreadable"]) == (WHOLE + 20, MAX_CARDS)


def test_a_document_that_is_not_there_and_one_without_a_number_are_counted() -> None:
    world, numbers = crowd(3)
    world.coupa.world.delete_field("approval", first_approval(world, numbers[2]), "approvable-id")
    world.coupa.world.documents["RequisitionHeader"].drop(numbers[1])

    reply = world.listed(JAMIE)

    assert ids(reply) == numbers[:2]
    assert (reply.body["count"], reply.body["unreadable"]) == (3, 2)


def fail_pages(world: World, *, after: int = 0, **how: Any) -> None:
    """Let pages of whole approvals fail, beginning with the one after this id; ids alone are listed."""
    query = rf'fields=\["id","status".*id\[gt\]={after}(?:&|$)|id\[gt\]={after}&.*fields=\["id","status"'
    how = {"kind": "answer", "status": 500, "headers": PAGE_JSON, "body": "{}", **how}
    world.coupa.front.fail(how.pop("kind"), path="/api/approvals$", query=query, times=None, **how)


@pytest.mark.parametrize(
    "how",
    ODD_ANSWERS,
    ids=name_of,
)
@pytest.mark.parametrize("place", [0, 30])
def test_one_approval_that_cannot_be_read_is_counted_and_the_others_are_shown(
    place: int, how: dict[str, Any]
) -> None:
    world, numbers = crowd(60)
    bad = first_approval(world, numbers[place])
    fail_pages(world, **how)
    poison(world, bad, "approvals", **how)

    reply = world.listed(JAMIE)

    assert (reply.status, reply.body["count"], reply.body["unreadable"]) == (200, 60, 1)
    assert reply.body["is_complete"]
    assert ids(reply) == [each for each in numbers if each != numbers[place]][:MAX_CARDS]


def test_a_page_that_fails_after_others_leaves_these() -> None:
    world, numbers = crowd(WHOLE + 20)
    world.coupa.front.fail("answer", path="/api/approvals$", skip=1, times=None, status=500)

    reply = world.listed(JAMIE)

    assert (reply.status, ids(reply)) == (200, numbers[:MAX_CARDS])
    assert (reply.body["count"], reply.body["is_complete"]) == (WHOLE, False)
    assert reply.body["message"] == (
        "At least 50 approvals are waiting for you in Coupa. Those that were read come to USD 90,000.00. "
        "20 are shown."
    )


def test_a_page_of_which_only_some_records_come_leaves_these_and_those_before() -> None:
    world, numbers = crowd(WHOLE + 20)
    fail_pages(world, after=first_approval(world, numbers[WHOLE - 1]))
    for fault in (
        {"query": r"id\[in\]=(?:\d+,){10}", "status": 500},
        {"query": rf"(?:^|&)id\[in\]=[\d,]*{first_approval(world, numbers[-1])}", "status": 429},
    ):
        headers = {"Retry-After": "60"}
        world.coupa.front.fail("answer", path="/api/approvals$", times=None, headers=headers, **fault)

    reply = world.listed(JAMIE)

    assert (reply.status, ids(reply)) == (200, numbers[:MAX_CARDS])
    assert (reply.body["count"], reply.body["is_complete"]) == (WHOLE + 10, False)
    assert reply.body["message"].startswith(
        "At least 60 approvals are waiting for you in Coupa. "
        "Those that were read come to USD 36,000.00. Some of these may"
    )


@pytest.mark.parametrize("body", ['[{"id": 2}, {"id": 1}]', '[{"id": "x"}]'])
def test_a_page_that_fails_and_whose_ids_make_no_sense_is_a_failure(body: str) -> None:
    world, _ = crowd(2)
    fail_pages(world)
    world.coupa.front.fail("answer", path="/api/approvals$", status=200, headers=PAGE_JSON, body=body)

    assert world.listed(JAMIE).status == 502


def test_pages_that_do_not_follow_one_another_are_not_taken_for_the_whole() -> None:
    world, _ = crowd(WHOLE + 1)
    twice = json.dumps([{"id": each} for each in range(1, WHOLE + 1)])
    world.coupa.front.fail(
        "answer", path="/api/approvals$", skip=1, status=200, headers=PAGE_JSON, body=twice, times=None
    )

    reply = world.listed(JAMIE)

    assert (reply.body["count"], reply.body["is_complete"]) == (WHOLE, False)


def test_a_last_page_that_fails_when_nothing_is_left_on_it_ends_the_list() -> None:
    world, numbers = crowd(WHOLE)
    fail_pages(world, after=first_approval(world, numbers[-1]))

    reply = world.listed(JAMIE)

    assert (reply.body["count"], reply.body["is_complete"]) == (WHOLE, True)


def test_who_cannot_be_told_for_whom_they_act_sees_their_own() -> None:
    world, numbers = crowd(2)
    world.coupa.front.fail("answer", path="/api/delegations", status=500, times=None)

    reply = world.listed(JAMIE)

    assert (reply.status, ids(reply)) == (200, numbers)
    assert reply.body["message"] == (
        "At least 2 approvals are waiting for you in Coupa. Those that were read come to USD 3,600.00."
    )
    assert world.listed("sam@example.com").status == 503


def test_where_not_all_could_be_read_nobody_is_told_that_nothing_waits() -> None:
    world = World()
    world.requisition(ROBIN, JAMIE)
    world.coupa.front.fail("answer", path="/api/delegations", status=500, times=None)

    reply = world.listed(JAMIE)

    assert (reply.status, reply.body["count"], reply.body["approvals"]) == (200, 0, [])
    assert reply.body["message"] == (
        "Nothing that could be read now is waiting for your approval; not everything could be read."
    )


def test_a_group_whose_members_cannot_be_read_is_counted_and_spoils_no_other() -> None:
    world = World()
    group = world.group(JAMIE)
    world.requisition(group)
    mine = world.requisition(JAMIE)
    world.coupa.world.delete_field("group", group.id, "users")
    world.coupa.front.fail(
        "answer", path="/api/users$", query=r"approval_groups\[id\]", status=500, times=None
    )

    reply = world.listed(JAMIE)

    assert (reply.status, ids(reply)) == (200, [mine])
    assert (reply.body["count"], reply.body["unreadable"]) == (2, 1)


@pytest.mark.parametrize("number", [1, 8])
def test_of_other_types_the_one_whose_chain_cannot_be_read_is_shown_by_its_number(number: int) -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    jamie = world.person(JAMIE)
    receipts = [
        world.coupa.world.add_document(approvable_type="ReceiptRequest", approvers=[jamie])
        for _ in range(number)
    ]
    mine = world.requisition(JAMIE)
    query = rf"approvable_id\[in\]=(?:\d+,)*{receipts[-1]}(?:,|&|$)"
    world.coupa.front.fail("answer", path="/api/approvals$", query=query, status=500, times=None)

    reply = world.listed(JAMIE)

    assert reply.status == 200
    assert set(ids(reply)) == {mine, *receipts}
    assert reply.body["unreadable"] == 1
    card = reply.body["approvals"][-1]
    assert (card["document_type"], card["document_id"]) == ("ReceiptRequest", str(receipts[-1]))
    assert "This cannot be shown here right now" in card["text"]


def test_when_no_chain_of_other_types_can_be_read_these_are_shown_by_their_numbers() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    jamie = world.person(JAMIE)
    receipts = [
        world.coupa.world.add_document(approvable_type="ReceiptRequest", approvers=[jamie]) for _ in range(3)
    ]
    mine = world.requisition(JAMIE)
    headers = {"Retry-After": "60"}
    world.coupa.front.fail(
        "answer", path="/api/approvals$", query="approvable_id", status=429, headers=headers, times=None
    )

    reply = world.listed(JAMIE)

    assert (reply.status, ids(reply)) == (200, [mine, *receipts])
    assert (reply.body["count"], reply.body["unreadable"]) == (4, 3)


@pytest.mark.slow
def test_one_that_cannot_be_read_among_very_many_costs_no_other_its_place_in_time() -> None:
    world, numbers = crowd(1_300, 0.1)
    poison(world, numbers[4])

    reply = in_time(world)

    assert (reply.status, reply.body["unreadable"]) == (200, 1)
    assert set(numbers[:MAX_CARDS]) <= {*ids(reply), numbers[4]}


def test_what_comes_too_late_is_shown_by_its_number() -> None:
    world, numbers = crowd(3)
    world.coupa.front.fail("slow", path="/api/requisitions$", seconds=30.0)

    reply = in_time(world)

    assert (reply.status, ids(reply)) == (200, numbers)
    assert reply.body["message"] == "3 approvals are waiting for you in Coupa. Cannot be read right now: 3."
