"""Facts beside a document are on the card where the setting says so, and are never signed."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from bridge import ALEX, ROBIN, SAM
from goldens import CHAIN, REQUEST, request
from goldens import card as golden
from kinds import enter
from office import (
    ALL,
    LABELS,
    PAGE,
    RECORDED,
    TWIN,
    Office,
    asks,
    budget,
    fact_calls,
    facts_on_card,
    known,
    laptop,
    lines_of,
    offered,
    ordered,
    said,
    standing,
    world,
)

from coupa_core.documents import SCOPES, required_scopes
from coupa_core.facts import FACT_RESOURCES, Fact, Facts, Price
from coupa_core.model import Currency
from coupa_core.notice import MAX_MESSAGE


def test_a_card_shows_each_fact_that_is_known() -> None:
    one = world()
    known(one)
    other = asks(one, laptop(one, quantity="1"), laptop(one, quantity="1"))
    one.announced()

    asks(one)

    shown = facts_on_card(one)
    assert shown == {
        "Supplier status": "ACME: on hold",
        TWIN: f"Purchase request {other} (Nov 23, 2026)",
        "Requester’s other open requests": "1 (USD 1,800.00)",
        "Budget line in Coupa": "FY26 Q4, HQ / IT: USD 66,883.00 remaining, USD 1,800.00 in pending requests",
        "Last order price": "USD 850.00 (Oct 5, 2026)",
        "Agreed price": "USD 820.00",
    }
    example = "\n".join(f"- {label}: {value}" for label, value in shown.items())
    assert example.replace(str(other), "14155") in PAGE.read_text("utf-8")


@pytest.mark.parametrize("fact", Fact)
def test_a_fact_is_shown_alone_where_it_alone_is_switched_on(fact: Fact) -> None:
    one = world(fact)
    known(one)
    asks(one, title="Chairs", requester=SAM)
    one.announced()

    asks(one)

    assert set(facts_on_card(one)) - {TWIN} == {LABELS[fact]}


@pytest.mark.parametrize(
    "settings", [{"FACTS": ""}, {"FACTS": ALL, "SENSITIVE": '{"suppliers": ["ACME"]}'}], ids=str
)
def test_without_the_setting_and_of_what_is_sensitive_nothing_is_read_and_nothing_is_shown(
    settings: dict[str, str],
) -> None:
    one = Office(settings=settings)
    known(one)
    asks(one)

    assert facts_on_card(one) == {}
    assert fact_calls(one) == [0] * len(RECORDED)


@pytest.mark.parametrize(
    ("items", "shown"),
    [
        (
            ["LAPTOP", "DOCK"],
            [
                "Last order price: Laptop: USD 850.00 (Oct 5, 2026)",
                "Last order price: Dock: USD 200.00 (Oct 5, 2026)",
                "Agreed price: Dock: USD 190.00",
            ],
        ),
        (
            ["DOCK", "DOCK"],
            ["Last order price: Dock: USD 200.00 (Oct 5, 2026)", "Agreed price: Dock: USD 190.00"],
        ),
        (
            [f"ITEM{number}" for number in range(7)],
            [*(f"Agreed price: Item{number}: USD 820.00" for number in range(5)), "Agreed price: +2 more"],
        ),
    ],
    ids=["of each item", "once of one item", "the first of very many"],
)
def test_several_lines_name_their_prices(items: list[str], shown: list[str]) -> None:
    one = world("last_price,agreed_price")
    ordered(one)
    ordered(one, item="DOCK", price="200.00")
    offered(one, item="DOCK", price="190.00")
    for number in range(7):
        offered(one, item=f"ITEM{number}")
    asks(one, *[replace(laptop(one, item=item), description=item.capitalize()) for item in items])

    [notice] = one.announced()

    assert [line for line in lines_of(notice.message) if "price" in line] == shown


def test_open_requests_are_counted_with_their_sums_by_currency() -> None:
    one = world("open_requests")
    asks(one, laptop(one, quantity="3", supplier="Hale"))
    asks(one, laptop(one, quantity="1", supplier="Hale"))
    asks(one, laptop(one, quantity="1", supplier="Hale"), currency="EUR")
    asks(one, requester=ALEX)
    asks(one, submitted=False)
    one.announced()

    asks(one)

    assert facts_on_card(one)["Requester’s other open requests"] == "3 (EUR 900.00, USD 3,600.00)"


def test_a_sum_that_is_not_known_leaves_the_number() -> None:
    one = world("open_requests")
    other = asks(one)
    one.coupa.world.override(("requisition", other), {"total": "a lot"})
    one.announced()

    asks(one)

    assert facts_on_card(one) == {"Requester’s other open requests": "1"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "on hold"),
        ({"on_hold": False, "buyer_hold": True}, "orders held for the buyer’s review"),
        ({"on_hold": False, "status": "Inactive "}, "inactive"),
        ({"status": "inactive"}, "on hold, inactive"),
    ],
)
def test_a_supplier_that_is_not_free_is_named(changes: dict[str, Any], words: str) -> None:
    one = world("supplier_status")
    standing(one, **changes)
    asks(one)

    assert facts_on_card(one) == {"Supplier status": f"ACME: {words}"}


@pytest.mark.parametrize("kind", ["InvoiceHeader", "OrderHeaderChange", "Contract"])
def test_the_supplier_of_every_kind_that_has_one_is_looked_at(kind: str) -> None:
    one = world("supplier_status", DOCUMENT_TYPES="*")
    enter(one, kind, ROBIN, supplier={"id": standing(one), "name": "ACME"})

    assert facts_on_card(one) == {"Supplier status": "ACME: on hold"}


def test_a_reminder_shows_facts_too() -> None:
    one = world("budget", REMIND_AFTER_HOURS="24")
    budget(one)
    asks(one)
    first = facts_on_card(one)
    one.clock.advance(25 * 3_600)

    assert facts_on_card(one) == first != {}


def test_facts_are_told_in_the_readers_language() -> None:
    one = world("budget,supplier_status")
    known(one)
    one.person(ROBIN, default_locale="de")
    asks(one)

    [notice] = one.announced()

    assert "Status des Lieferanten: ACME: gesperrt" in lines_of(notice.message)
    assert "66.883,00 USD verbleibend" in notice.message


def test_a_fact_that_changes_neither_nags_nor_spoils_a_button() -> None:
    one = world()
    known(one)
    rid = asks(one)
    [notice] = one.announced()
    one.coupa.world.references["budget_lines"].rows.popitem()
    one.coupa.world.references["budget_lines"].ids.clear()
    budget(one, remaining="-1.00")
    asks(one, requester=SAM, title="More")
    one.coupa.world.add_comment("requisition", rid, one.person(SAM), "Please")

    again = [each for each in one.announced() if each.slots == notice.slots]

    assert again == []
    assert one.click(notice, ROBIN).body["outcome"] == "approved"


def test_a_switched_fact_neither_nags_nor_spoils_a_button() -> None:
    one = world("")
    known(one)
    asks(one)
    [notice] = one.announced()
    one.change(FACTS=ALL)

    assert one.announced() == []
    assert one.click(notice, ROBIN).body["outcome"] == "approved"


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ('{"suppliers": ["Hale"]}', "2"),
        ('{"commodities": ["Guns"]}', "2"),
        ('{"accounts": ["HQ-Legal*"]}', "2"),
        ('{"departments": ["Legal"]}', "2"),
        ('{"groups": ["Board"]}', "2"),
        ('{"departments": ["HR"]}', "2 (USD 3,600.00)"),
    ],
)
def test_of_other_requests_that_may_be_sensitive_only_the_number_is_told(named: str, shown: str) -> None:
    one = world("open_requests", SENSITIVE=named)
    asks(one, laptop(one, supplier="Hale", commodity="Guns", account="HQ-Legal-Advice"), department="Legal")
    asks(one)
    one.announced()

    asks(one)

    assert facts_on_card(one)[LABELS[Fact.OPEN_REQUESTS]] == shown


@pytest.mark.slow
def test_a_duplicate_that_is_sensitive_is_not_named() -> None:
    one = world("open_requests", SENSITIVE='{"departments": ["Legal"]}')
    asks(one, department="Legal")
    one.announced()

    asks(one)

    assert facts_on_card(one) == {LABELS[Fact.OPEN_REQUESTS]: "1"}


def test_a_card_that_would_be_too_long_goes_without_its_facts() -> None:
    def asked(length: int) -> tuple[str, str]:
        step = {**CHAIN[0], "note": "&" * 200, "approver": {"fullname": "&" * 80}, "approved-by": None}
        lines = [{**REQUEST["requisition-lines"][0], "description": "&" * 80} for _ in range(6)]
        what = request(
            justification="&" * length,
            requisition_lines=lines,
            approvals=[step] * 6,
            attachments=[{"id": 1, "file": "&" * 80}] * 5,
            comments=[{"id": 1, "comments": "&" * 480}],
        )
        prices = tuple(Price(line, Decimal(820), Currency(code="USD")) for line in what.lines)
        return golden(what, facts=Facts(last_prices=prices, agreed_prices=prices)), golden(what)

    cards = [asked(length) for length in range(0, 481, 60)]

    assert all(len(text) <= MAX_MESSAGE for text, _ in cards)
    assert {said(text) == {} and text == plain for text, plain in cards} == {True, False}


@pytest.mark.parametrize("fact", Fact)
def test_a_fact_asks_for_its_scope_by_itself(fact: Fact) -> None:
    scope = SCOPES["GET", FACT_RESOURCES[fact]]

    settings = world(fact).read_settings()

    assert scope in {*settings.asked_scopes.split(), *settings.fact_scopes.split()}
    assert settings.asked_scopes == world("").read_settings().asked_scopes
    assert (settings.fact_scopes == "") is (fact is Fact.OPEN_REQUESTS)
    every = {*settings.asked_scopes.split(), *settings.fact_scopes.split()}
    assert every == {*required_scopes(["RequisitionHeader"]), scope}


def test_facts_are_each_named_once_and_come_in_our_order() -> None:
    assert world(" Budget , open_requests").read_settings().facts == (Fact.OPEN_REQUESTS, Fact.BUDGET)


def test_the_page_names_each_fact_with_its_resource_and_scope() -> None:
    table = PAGE.read_text("utf-8").partition("<!-- facts -->")[2].partition("\n\n")[0]

    rows = [re.findall(r"`([a-z._]+)`", line) for line in table.splitlines()[3:]]

    assert rows == [[fact.value, FACT_RESOURCES[fact], SCOPES["GET", FACT_RESOURCES[fact]]] for fact in Fact]
