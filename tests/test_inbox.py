"""The answer to "Do I have any approvals in Coupa?"."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from bridge import World

from coupa_core.endpoints import Reply
from coupa_core.inbox import MAX_CARDS
from sandbox.coupa.world import Group

JAMIE, ROBIN = "jamie@example.com", "robin@example.com"


def asked(world: World, email: str) -> Reply:
    """Ask for a person's list."""
    return world.call("list_approvals", query={"approver_email": email})


def shown(world: World, email: str, approval_id: Any) -> Reply:
    """Ask for one approval."""
    headers = {"X-Actor-Email": email}
    return world.call("get_approval", headers=headers, route={"approval_id": str(approval_id)})


def first_approval(world: World, number: int) -> int:
    """Return the id of the first step of a document."""
    found: int = world.coupa.world.approvals_of(number)[0].id
    return found


def test_a_person_sees_what_waits_for_them_and_nothing_else() -> None:
    world = World()
    mine, later, others = world.requisition(JAMIE), world.requisition(ROBIN, JAMIE), world.requisition(ROBIN)

    reply = asked(world, JAMIE)

    assert (reply.status, reply.body["count"]) == (200, 1)
    assert reply.body["message"] == "You have 1 open approval in Coupa."
    [card] = reply.body["approvals"]
    assert card["approval_id"] == str(first_approval(world, mine))
    assert "<i>Amount</i>: USD 1,800.00" in card["text"]
    assert {later, others} & {int(card["document_id"])} == set()


def test_nothing_waits_for_somebody_without_approvals() -> None:
    world = World()
    world.person(JAMIE)

    assert asked(world, JAMIE).body == {
        "count": 0,
        "message": "You have no open approvals in Coupa.",
        "approvals": [],
    }


def test_a_card_of_the_list_decides() -> None:
    world = World()
    world.requisition(JAMIE)
    [card] = asked(world, JAMIE).body["approvals"]

    reply = world.click(card, JAMIE)

    assert reply.body["outcome"] == "approved"
    assert asked(world, JAMIE).body["count"] == 0


def test_the_list_and_a_card_come_without_tokens_where_these_are_off() -> None:
    world = World(settings={"ACTION_TOKEN": "off"})
    number = world.requisition(JAMIE)

    assert "action_token" not in asked(world, JAMIE).body["approvals"][0]
    assert "action_token" not in shown(world, JAMIE, first_approval(world, number)).body


@pytest.mark.parametrize("email", ["nobody@example.com", "gone@example.com", "twice@example.com"])
def test_an_unknown_an_inactive_and_a_shared_address_see_nothing(email: str) -> None:
    world = World()
    gone, twice = world.person("gone@example.com"), world.person("twice@example.com")
    world.requisition(gone)
    world.requisition(twice)
    world.coupa.world.users.rows[gone].active = False
    world.coupa.world.add_user(email="TWICE@example.com", firstname="An", lastname="Other")

    assert asked(world, email).body["count"] == 0


def test_a_group_with_the_number_of_a_user_is_not_that_user() -> None:
    world = World()
    person, other = world.person(JAMIE), world.person(ROBIN)
    group = world.coupa.world.add_group(name="Buyers", members=[other])
    assert group == person
    world.requisition(Group(group))

    assert asked(world, JAMIE).body["count"] == 0


def test_a_member_sees_what_waits_for_the_group_and_decides_from_the_list() -> None:
    world = World()
    group = world.coupa.world.add_group(name="Buyers", members=[world.person(JAMIE), world.person(ROBIN)])
    number = world.requisition(Group(group))

    [card] = asked(world, ROBIN).body["approvals"]

    assert "(for Buyers)" in card["text"]
    assert shown(world, JAMIE, first_approval(world, number)).status == 200
    assert world.click(card, JAMIE).body["outcome"] == "not_your_approval"
    assert world.click(card, ROBIN).body["outcome"] == "approved"


def test_a_delegate_of_today_sees_what_waits_for_the_approver() -> None:
    world = World()
    now = world.clock.now()
    world.coupa.world.add_delegation(
        delegator=world.person(JAMIE),
        delegate=world.person(ROBIN),
        start=now - timedelta(hours=1),
        end=now + timedelta(hours=1),
    )
    world.requisition(JAMIE)

    assert asked(world, ROBIN).body["count"] == 1
    world.clock.advance(3600)
    assert asked(world, ROBIN).body["count"] == 0
    assert asked(world, JAMIE).body["count"] == 1


def test_a_member_whom_the_group_itself_does_not_name_sees_nothing_of_it() -> None:
    world = World()
    group = world.coupa.world.add_group(name="Buyers", members=[world.person(JAMIE), world.person(ROBIN)])
    world.coupa.world.groups.rows[group].users.pop(0)
    world.requisition(Group(group))

    assert asked(world, JAMIE).body["count"] == 0


def test_the_list_is_found_by_the_chats_address() -> None:
    world = World(settings={"EMAIL_MAP": json.dumps({JAMIE: "j.doe@chat.example"})})
    world.requisition(JAMIE)

    assert asked(world, "j.doe@chat.example").body["count"] == 1
    assert asked(world, JAMIE).body["count"] == 0


def test_an_amount_too_great_for_chat_is_said_in_the_list() -> None:
    world = World(settings={"STEP_UP_OVER": "USD:1"})
    world.requisition(JAMIE)

    [card] = asked(world, JAMIE).body["approvals"]

    assert "please decide in Coupa" in card["text"]


def test_a_long_list_shows_the_oldest_and_the_number_of_all() -> None:
    world = World()
    numbers = [world.requisition(JAMIE) for _ in range(MAX_CARDS + 3)]

    reply = asked(world, JAMIE)

    assert reply.body["count"] == MAX_CARDS + 3
    assert [int(card["document_id"]) for card in reply.body["approvals"]] == numbers[:MAX_CARDS]


def test_documents_of_other_types_are_listed_when_it_is_the_persons_turn() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    jamie, robin = world.person(JAMIE), world.person(ROBIN)
    for kind in ("InvoiceHeader", "Contract", "ReceiptRequest"):
        world.coupa.world.add_document(approvable_type=kind, approvers=[jamie, robin])

    assert asked(world, JAMIE).body["count"] == 3
    assert asked(world, ROBIN).body["count"] == 0


def test_what_cannot_be_read_is_not_listed_and_spoils_no_other() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    for kind in ("InvoiceHeader", "Contract"):
        world.coupa.world.add_document(approvable_type=kind, approvers=[world.person(JAMIE)])
    world.coupa.front.fail("answer", path="/api/invoices", status=403, times=None)

    [card] = asked(world, JAMIE).body["approvals"]

    assert card["document_type"] == "Contract"


def test_language_zone_fields_and_links_are_those_of_the_settings() -> None:
    choices = {
        "NOTICE_LANGUAGE": "de",
        "TIME_ZONE": "Europe/Berlin",
        "NOTICE_FIELDS": "RequisitionHeader=title,submitted",
        "LINK_TEMPLATE": "https://portal.test/{type}/{id}",
    }
    world = World(settings=choices)
    number = world.requisition(JAMIE)

    [card] = asked(world, JAMIE).body["approvals"]

    assert card["link"] == f"https://portal.test/RequisitionHeader/{number}"
    assert card["text"] == "<br>".join(
        [
            "Hallo Jamie,",
            "",
            "<b>💳 Bestellanforderung wartet auf Ihre Genehmigung</b>:",
            "- <i>Titel</i>: Laptops",
            "- <i>Eingereicht am</i>: 23.11.2026",
            "Hier möglich: genehmigen oder ablehnen.",
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
    world.coupa.world.decide_in_coupa(done, by=world.person(ROBIN), decision="approved")

    for email, approval_id in ((ROBIN, first), (ROBIN, second), (JAMIE, done), (JAMIE, 4711)):
        reply = shown(world, email, approval_id)
        assert (reply.status, reply.body["error"]) == (404, "not_found")


def test_when_coupa_does_not_answer_the_list_is_a_failure_not_an_empty_one() -> None:
    world = World()
    world.requisition(JAMIE)
    world.coupa.front.fail("answer", path="/api/approvals", status=500, times=None)

    assert asked(world, JAMIE).status == 503


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

    reply = asked(world, JAMIE)

    assert ids(reply) == [late, tomorrow, in_a_week, oldest, plain, later, nonsense]
    assert reply.body["message"] == "You have 7 open approvals in Coupa; the oldest has waited for 2 days."


def test_a_card_says_how_old_it_is_and_by_when_it_is_needed() -> None:
    world = World()
    dated = world.requisition(JAMIE, need_by="2026-12-01T00:00:00-08:00")
    world.clock.advance(86_399)
    young = asked(world, JAMIE)
    world.clock.advance(1)
    day = asked(world, JAMIE)
    world.clock.advance(86_400 * 4)

    [card] = asked(world, JAMIE).body["approvals"]
    alone = shown(world, JAMIE, first_approval(world, dated)).body

    assert young.body["message"] == "You have 1 open approval in Coupa."
    assert day.body["message"] == "You have 1 open approval in Coupa; it has waited for 1 day."
    assert (card["age_days"], card["need_by"]) == (alone["age_days"], alone["need_by"]) == (5, "2026-12-01")


def test_what_coupa_does_not_say_of_age_and_date_is_left_out() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    number = world.requisition(JAMIE)
    approval = first_approval(world, number)
    for kind, each, field in (("requisition", number, "submitted-at"), ("approval", approval, "updated-at")):
        world.coupa.world.delete_field(kind, each, field)
    other = world.coupa.world.add_document(approvable_type="InvoiceHeader", approvers=[world.person(JAMIE)])
    world.clock.advance(86_400)

    reply = asked(world, JAMIE)

    [invoice, requisition] = reply.body["approvals"]
    assert ids(reply) == [other, number]  # the age of an invoice is that of its approval
    assert invoice["age_days"] == 1
    assert {"age_days", "need_by"}.isdisjoint(requisition)


def test_a_clock_behind_coupas_makes_nothing_younger_than_new() -> None:
    world = World()
    world.requisition(JAMIE)
    world.clock.step(-3 * 86_400)

    [card] = asked(world, JAMIE).body["approvals"]

    assert card["age_days"] == 0


def test_the_list_of_many_invoices_asks_once_for_those_who_share_them() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    for _ in range(12):
        world.coupa.world.add_document(approvable_type="InvoiceHeader", approvers=[world.person(JAMIE)])
    before = len(world.coupa.front.calls)

    assert asked(world, JAMIE).body["count"] == 12
    # the token, the person, delegations, approvals, those who share the documents
    assert len(world.coupa.front.calls) - before == 5


def twins(**more: Any) -> tuple[World, int]:
    """Return a world in which an approval of Jamie's waits, and another active user has Jamie's address."""
    world = World(**more)
    number = world.requisition(JAMIE)
    world.coupa.world.add_user(email=JAMIE.upper(), firstname="An", lastname="Other")
    return world, first_approval(world, number)


def test_a_shared_address_gets_neither_a_list_nor_a_card_nor_a_token() -> None:
    world, approval = twins()

    assert asked(world, JAMIE).body["count"] == 0
    reply = shown(world, JAMIE, approval)
    assert (reply.status, reply.body["error"]) == (404, "not_found")
    assert world.announced() == []


@pytest.mark.parametrize("kind", ["group", "delegate"])
def test_a_shared_address_gets_no_card_of_a_group_and_none_as_a_delegate(kind: str) -> None:
    world = World()
    coupa, jamie, now = world.coupa.world, world.person(JAMIE), world.clock.now()
    if kind == "group":
        number = world.requisition(Group(coupa.add_group(name="Buyers", members=[jamie])))
    else:
        number = world.requisition(ROBIN)
        coupa.add_delegation(
            delegator=world.person(ROBIN), delegate=jamie, start=now, end=now + timedelta(days=1)
        )
    approval = first_approval(world, number)
    assert shown(world, JAMIE, approval).status == 200

    coupa.add_user(email=JAMIE)

    assert shown(world, JAMIE, approval).status == 404
    assert asked(world, JAMIE).body["count"] == 0


def test_without_a_token_a_shared_address_neither_decides_nor_asks() -> None:
    world, approval = twins(settings={"ACTION_TOKEN": "off", "COMMENTS": "on"})
    world.coupa.desk.granted_scopes |= {"core.comment.write"}
    headers, route = {"X-Actor-Email": JAMIE}, {"approval_id": str(approval)}

    click = world.call("approve", headers=headers, route=route)
    question = world.call("comment", headers=headers, route=route, json={"comment": "Why?"})

    assert click.body["outcome"] == question.body["outcome"] == "not_your_approval"
    assert world.coupa.front.count("PUT") == 0


def test_a_story_says_that_a_shared_address_is_nobodys_in_chat() -> None:
    world, approval = twins()

    said = world.call("trace", route={"approval_id": str(approval)}, query={"live": "1"}).body["story"]

    assert any("another user has this address" in line["text"] for line in said)


def test_an_inactive_namesake_shares_nothing() -> None:
    world, approval = twins()
    [namesake] = [each for each in world.coupa.world.users.rows.values() if each.email == JAMIE.upper()]
    namesake.active = False

    assert world.click(shown(world, JAMIE, approval).body, JAMIE).body["outcome"] == "approved"
