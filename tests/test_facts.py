"""Facts beside a document are on the card where they are certain, and nowhere else."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
from bridge import ALEX, ROBIN, SAM, World
from goldens import CHAIN, REQUEST, readable, request
from goldens import card as golden
from hypothesis import example, given, settings
from hypothesis import strategies as st
from proof.malformed import ODDITIES
from unruly import away, before

from coupa_core.clock import Deadline
from coupa_core.coupa import Access, FactReader, unread_of
from coupa_core.documents import SCOPES, parse_document, required_scopes
from coupa_core.facts import FACT_RESOURCES, Fact, FactAnswer, Facts, Price, Standing
from coupa_core.ledger import State
from coupa_core.model import REQUISITION, Currency
from coupa_core.notice import MAX_MESSAGE
from coupa_core.sensitive import Sensitive
from coupa_core.sweep.facts import FACT_S
from sandbox.clock import ManualClock
from sandbox.coupa.server import EVERY
from sandbox.coupa.world import Line

ALL = ",".join(Fact)
PAGE = Path(__file__).parents[1] / "docs" / "notices.md"
RECORDED = [fact for fact in Fact if fact is not Fact.OPEN_REQUESTS]


class Office(World):
    """A world with an open budget period, whose budget lines are told apart by two segments."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.period = self.coupa.world.add_period("FY26 Q4")


def world(facts: str = ALL, **more: str) -> Office:
    return Office(settings={"FACTS": facts, **more})


def laptop(one: Office, **changes: Any) -> Line:
    """Return a line that leads to every fact."""
    details: dict[str, Any] = {
        "quantity": "2",
        "unit_price": "900.00",
        "supplier": "ACME",
        "item": "LAPTOP",
        "uom": "EA",
        "account": "HQ-IT-Assets",
        "period": one.period,
    }
    return Line("Laptop", **(details | changes))


def asks(one: Office, *lines: Line, requester: str = SAM, **more: Any) -> int:
    return one.requisition(ROBIN, requester=requester, lines=lines or [laptop(one)], **more)


def budget(one: Office, **changes: Any) -> int:
    attributes: dict[str, Any] = {
        "period": one.period,
        "account": "HQ-IT",
        "currency": "USD",
        "remaining": "66883.00",
        "pending_requisitions_amount": "1800.00",
    }
    return one.coupa.world.add_reference("budget_lines", **(attributes | changes))


def ordered(one: Office, **changes: Any) -> int:
    attributes: dict[str, Any] = {
        "item": "LAPTOP",
        "supplier": "ACME",
        "currency": "USD",
        "uom": "EA",
        "price": "850.00",
        "status": "ordered",
        "created_at": "2026-10-05T10:00:00-07:00",
    }
    return one.coupa.world.add_reference("purchase_order_lines", **(attributes | changes))


def offered(one: Office, **changes: Any) -> int:
    attributes: dict[str, Any] = {
        "item": "LAPTOP",
        "supplier": "ACME",
        "currency": "USD",
        "price": "820.00",
    }
    return one.coupa.world.add_reference("supplier_items", **(attributes | changes))


def standing(one: Office, **changes: Any) -> int:
    attributes: dict[str, Any] = {
        "id": one.coupa.world.named("supplier", "ACME"),
        "status": "active",
        "on_hold": False,
        "buyer_hold": False,
    }
    return one.coupa.world.add_reference("suppliers", **(attributes | changes))


RECORD_OF: dict[Fact, Callable[..., int]] = {
    Fact.BUDGET: budget,
    Fact.LAST_PRICE: ordered,
    Fact.AGREED_PRICE: offered,
    Fact.SUPPLIER_STATUS: lambda one, **changes: standing(one, **{"on_hold": True, **changes}),
}
LABELS = {
    Fact.OPEN_REQUESTS: "Requester’s other open requests",
    Fact.BUDGET: "Budget line in Coupa",
    Fact.LAST_PRICE: "Last order price",
    Fact.AGREED_PRICE: "Agreed price",
    Fact.SUPPLIER_STATUS: "Supplier status",
}
TWIN = "Possible duplicate (same supplier and amount)"


def said(text: str) -> dict[str, str]:
    """Return the facts that a card says, by their labels."""
    parts = [line.partition(": ") for line in lines_of(text)]
    return {label: value for label, _, value in parts if label in (*LABELS.values(), TWIN)}


def lines_of(text: str) -> list[str]:
    return [line.removeprefix("- ") for line in readable(text).splitlines()]


def card(one: Office) -> dict[str, str]:
    """Run one sweep, and return the facts of the one card that it sent."""
    [notice] = one.announced()
    return said(notice.message)


def known(one: Office) -> None:
    """Let Coupa know something for every fact."""
    for fact in RECORDED:
        RECORD_OF[fact](one)


# ---------------------------------------------------------------------- each on a card


def test_a_card_shows_each_fact_that_is_known() -> None:
    one = world()
    known(one)
    other = asks(one, laptop(one, quantity="1"), laptop(one, quantity="1"))
    one.announced()

    asks(one)

    shown = card(one)
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

    assert set(card(one)) - {TWIN} == {LABELS[fact]}


def test_without_the_setting_nothing_is_read_and_nothing_is_shown() -> None:
    one = world("")
    known(one)
    asks(one)

    assert card(one) == {}
    paths = {call.path for call in one.coupa.front.calls}
    assert not paths & {f"/api/{FACT_RESOURCES[fact]}" for fact in RECORDED}


def test_several_lines_name_their_prices() -> None:
    one = world("last_price,agreed_price")
    ordered(one)
    ordered(one, item="DOCK", price="200.00")
    offered(one, item="DOCK", price="190.00")
    dock = replace(laptop(one), description="Dock", item="DOCK", unit_price="210.00")
    asks(one, laptop(one), dock)

    [notice] = one.announced()

    lines = [line for line in lines_of(notice.message) if "price" in line]
    assert lines == [
        "Last order price: Laptop: USD 850.00 (Oct 5, 2026)",
        "Last order price: Dock: USD 200.00 (Oct 5, 2026)",
        "Agreed price: Dock: USD 190.00",
    ]


def test_of_very_many_prices_the_first_are_named_and_the_others_counted() -> None:
    one = world("agreed_price")
    for number in range(7):
        offered(one, item=f"ITEM{number}")
    asks(one, *[laptop(one, item=f"ITEM{number}") for number in range(7)])

    [notice] = one.announced()

    lines = [line for line in lines_of(notice.message) if line.startswith("Agreed price")]
    assert lines == [*["Agreed price: Laptop: USD 820.00"] * 5, "Agreed price: +2 more"]


def test_open_requests_are_counted_with_their_sums_by_currency() -> None:
    one = world("open_requests")
    asks(one, laptop(one, quantity="3", supplier="Hale"))
    asks(one, laptop(one, quantity="1", supplier="Hale"))
    asks(one, laptop(one, quantity="1", supplier="Hale"), currency="EUR")
    asks(one, requester=ALEX)
    asks(one, submitted=False)
    one.announced()

    asks(one)

    assert card(one)["Requester’s other open requests"] == "3 (EUR 900.00, USD 3,600.00)"


def test_a_sum_that_is_not_known_leaves_the_number() -> None:
    one = world("open_requests")
    other = asks(one)
    one.coupa.world.override(("requisition", other), {"total": "a lot"})
    one.announced()

    asks(one)

    assert card(one) == {"Requester’s other open requests": "1"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"on_hold": True}, "ACME: on hold"),
        ({"buyer_hold": True}, "ACME: orders held for the buyer’s review"),
        ({"status": "inactive"}, "ACME: inactive"),
        ({"status": "Inactive "}, "ACME: inactive"),
        ({"on_hold": True, "status": "inactive"}, "ACME: on hold, inactive"),
    ],
)
def test_a_supplier_that_is_not_free_is_named(changes: dict[str, Any], words: str) -> None:
    one = world("supplier_status")
    standing(one, **changes)
    asks(one)

    assert card(one) == {"Supplier status": words}


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("InvoiceHeader", {"invoice_number": "INV-1"}),
        ("OrderHeaderChange", {"po_number": "7"}),
        ("Contract", {"name": "Frame"}),
    ],
)
def test_the_supplier_of_every_kind_that_has_one_is_looked_at(kind: str, details: dict[str, Any]) -> None:
    one = world("supplier_status", DOCUMENT_TYPES="*")
    number = standing(one, on_hold=True)
    one.coupa.world.add_document(
        approvable_type=kind,
        approvers=[one.person(ROBIN)],
        supplier={"id": number, "name": "ACME"},
        **details,
    )

    assert card(one) == {"Supplier status": "ACME: on hold"}


def test_a_reminder_shows_facts_too() -> None:
    one = world("budget", REMIND_AFTER_HOURS="24")
    budget(one)
    asks(one)
    first = card(one)
    one.clock.advance(25 * 3_600)

    assert card(one) == first != {}


def test_facts_are_told_in_the_readers_language() -> None:
    one = world("budget,supplier_status")
    known(one)
    one.person(ROBIN, default_locale="de")
    asks(one)

    [notice] = one.announced()

    assert "Status des Lieferanten: ACME: gesperrt" in lines_of(notice.message)
    assert "66.883,00 USD verbleibend" in notice.message


# ---------------------------------------------------------------------- known for sure, or not there


def _only(record: Callable[..., int], one: Office, **changes: Any) -> Line:
    record(one, **changes)
    return laptop(one)


def _closed(one: Office) -> Line:
    closed = one.coupa.world.add_period("FY26 Q3", is_open=False)
    budget(one, period=closed)
    return laptop(one, period=closed)


def _unclear(one: Office) -> Line:
    ordered(one)
    later = ordered(one, price="700.00")
    one.coupa.world.override(("purchase_order_lines", later), {"supplier": None})
    return laptop(one)


def _unmarked(one: Office) -> Line:
    unmarked = one.coupa.world.add_period("FY26", marks=())
    budget(one, period=unmarked)
    return laptop(one, period=unmarked)


NOTHING: dict[str, tuple[Fact, Callable[[Office], Any]]] = {
    "no account": (Fact.BUDGET, lambda one: budget(one) and laptop(one, account=None)),
    "a split account": (
        Fact.BUDGET,
        lambda one: budget(one) and laptop(one, account=("HQ-IT", "HQ-IT-Assets")),
    ),
    "no period": (Fact.BUDGET, lambda one: budget(one) and laptop(one, period=None)),
    "a closed period": (Fact.BUDGET, _closed),
    "a period that marks no segment": (Fact.BUDGET, _unmarked),
    "two budget lines": (Fact.BUDGET, lambda one: budget(one) and budget(one) and laptop(one)),
    "a budget line of another segment": (Fact.BUDGET, lambda one: _only(budget, one, account="HQ-HR")),
    "a budget line without a segment": (Fact.BUDGET, lambda one: _only(budget, one, account="HQ")),
    "a budget in another currency": (Fact.BUDGET, lambda one: _only(budget, one, currency="EUR")),
    "a budget in no currency": (Fact.BUDGET, lambda one: _only(budget, one, currency=None)),
    "a budget without a figure": (Fact.BUDGET, lambda one: _only(budget, one, remaining="much")),
    "a price in another currency": (Fact.LAST_PRICE, lambda one: _only(ordered, one, currency="EUR")),
    "a later price in another currency": (
        Fact.LAST_PRICE,
        lambda one: ordered(one) and _only(ordered, one, currency="EUR"),
    ),
    "a price in no currency": (Fact.LAST_PRICE, lambda one: _only(ordered, one, currency=None)),
    "a price of another unit": (Fact.LAST_PRICE, lambda one: _only(ordered, one, uom="BOX")),
    "a price of another supplier": (Fact.LAST_PRICE, lambda one: _only(ordered, one, supplier="Hale")),
    "a later order from nobody knows whom": (Fact.LAST_PRICE, _unclear),
    "a price that cannot be read": (Fact.LAST_PRICE, lambda one: _only(ordered, one, price="cheap")),
    "an order without a status": (Fact.LAST_PRICE, lambda one: _only(ordered, one, status=None)),
    "a last price below zero": (Fact.LAST_PRICE, lambda one: _only(ordered, one, price="-5.00")),
    "an agreed price below zero": (Fact.AGREED_PRICE, lambda one: _only(offered, one, price="-5.00")),
    "no item": (Fact.LAST_PRICE, lambda one: ordered(one) and laptop(one, item=None)),
    "an amount": (
        Fact.LAST_PRICE,
        lambda one: ordered(one) and laptop(one, quantity=None, unit_price=None, amount="900.00"),
    ),
    "two agreed prices": (Fact.AGREED_PRICE, lambda one: offered(one) and _only(offered, one, price="1.00")),
    "an agreed price with tiers": (Fact.AGREED_PRICE, lambda one: _only(offered, one, price_tier_2="700.00")),
    "an agreed price elsewhere": (Fact.AGREED_PRICE, lambda one: _only(offered, one, currency="EUR")),
    "an agreed price in no currency": (Fact.AGREED_PRICE, lambda one: _only(offered, one, currency=None)),
    "an agreed price of another unit": (
        Fact.AGREED_PRICE,
        lambda one: offered(one) and laptop(one, uom="BOX"),
    ),
    "an agreed price of no item": (Fact.AGREED_PRICE, lambda one: _only(offered, one, item=None)),
    "an agreed price that is none": (Fact.AGREED_PRICE, lambda one: _only(offered, one, price=None)),
    "a supplier that is free": (Fact.SUPPLIER_STATUS, lambda one: standing(one) and laptop(one)),
    "a supplier that is not there": (Fact.SUPPLIER_STATUS, laptop),
    "a supplier of which nothing is said": (
        Fact.SUPPLIER_STATUS,
        lambda one: _only(standing, one, status=None, on_hold="perhaps", buyer_hold=[]),
    ),
    "no supplier": (
        Fact.SUPPLIER_STATUS,
        lambda one: standing(one, on_hold=True) and laptop(one, supplier=None),
    ),
    "nobody else's requests": (Fact.OPEN_REQUESTS, laptop),
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_said_of_what_is_not_known_for_sure(name: str) -> None:
    fact, arrange = NOTHING[name]
    one = world(fact)
    line = arrange(one)
    asks(one, line)

    assert card(one) == {}


@pytest.mark.parametrize(
    "status",
    [
        "cancelled",
        "Cancelled",
        "CANCELED",
        "voided",
        "Rejected",
        "draft",
        "pending_approval",
        "error",
        "not_ordered",
        "buyer_hold",
    ],
)
def test_what_was_never_ordered_is_no_last_order(status: str) -> None:
    one = world("last_price")
    ordered(one)
    ordered(one, price="1.00", status=status)
    asks(one)

    assert card(one) == {LABELS[Fact.LAST_PRICE]: "USD 850.00 (Oct 5, 2026)"}


@pytest.mark.parametrize(
    "raw",
    [
        {"period": None},
        {"period": {"id": None}},
        {"period": "odd"},
        {"segment-1": None},
        {"segment-1": 7},
        {"segment-1": None, "segment-2": None, "period": None},
    ],
)
def test_a_second_budget_line_that_may_be_the_one_leaves_none(raw: dict[str, Any]) -> None:
    one = world("budget")
    budget(one)
    one.coupa.world.override(("budget_lines", budget(one, remaining="1.00")), raw)
    asks(one)

    assert card(one) == {}


def test_a_period_whose_marks_cannot_be_read_tells_no_budget_lines_apart() -> None:
    one = world("budget")
    period = {"id": one.period, "name": "FY26 Q4", "is-open": True, "segment-1": True, "segment-2": "perhaps"}
    one.coupa.world.override(("budget_lines", budget(one, account="HQ-HR")), {"period": period})
    _serve_line(one, asks(one), {"period": period})

    assert card(one) == {}


def test_a_price_of_several_lines_of_one_item_is_said_once() -> None:
    one = world("last_price,agreed_price")
    ordered(one)
    offered(one)
    asks(one, laptop(one), laptop(one, quantity="1"))

    [notice] = one.announced()

    assert [line for line in lines_of(notice.message) if "price" in line] == [
        "Last order price: Laptop: USD 850.00 (Oct 5, 2026)",
        "Agreed price: Laptop: USD 820.00",
    ]


def test_a_budget_line_of_another_chart_of_accounts_is_another() -> None:
    one = world("budget")
    rid = asks(one)
    budget(one)
    _serve_line(one, rid, {"account": {"segment-1": "HQ", "segment-2": "IT", "account-type": {"id": 2}}})

    assert card(one) == {}


def _serve_line(one: Office, rid: int, served: dict[str, Any]) -> None:
    requisition = one.coupa.world.requisition(rid)
    for line in requisition.requisition_lines:
        line.raw.update(served)


def test_a_line_that_is_split_beside_an_account_is_of_no_one_budget() -> None:
    one = world("budget")
    budget(one)
    split, whole = asks(one), asks(one)
    _serve_line(one, split, {"account-allocations": [{"id": 1}, {"id": 2}]})

    shown = {f"/{whole}" in notice.message: said(notice.message) for notice in one.announced()}

    assert shown[False] == {}
    assert set(shown[True]) == {"Budget line in Coupa"}


@pytest.mark.parametrize(
    ("account", "is_one"), [("HQ-IT-Services", True), ("HQ-HR-Assets", False), (None, False)]
)
def test_a_request_shows_a_budget_once_and_where_all_its_lines_share_it(
    account: str | None, *, is_one: bool
) -> None:
    one = world("budget")
    budget(one)
    budget(one, account="HQ-HR")
    asks(one, laptop(one), laptop(one, account=account))

    assert set(card(one)) == ({LABELS[Fact.BUDGET]} if is_one else set())


def test_a_segment_with_a_comma_is_not_asked_for_and_matches_all_the_same() -> None:
    one = world("budget")
    budget(one, account="HQ-Research, Development")
    asks(one, laptop(one, account="HQ-Research, Development-Assets"))

    assert "Research, Development" in card(one)["Budget line in Coupa"]
    [call] = [call for call in one.coupa.front.calls if call.path == "/api/budget_lines"]
    assert "segment_1" in call.query
    assert "segment_2" not in call.query


@pytest.mark.parametrize(
    ("changes", "is_twin"),
    [
        ({}, True),
        ({"requester": ALEX}, False),
        ({"currency": "EUR"}, False),
        ({"quantity": "3"}, False),
        ({"supplier": "Hale"}, False),
        ({"supplier": None}, False),
        ({"days": 31}, False),
        ({"days": 29}, True),
        ({"submitted": False}, False),
        ({"submitted-at": "soon"}, False),
        ({"total": "0.00"}, False),
    ],
)
def test_a_duplicate_is_of_the_same_suppliers_and_total_within_thirty_days(
    changes: dict[str, Any],
    is_twin: bool,  # noqa: FBT001 - a parameter of the table above
) -> None:
    """Whoever else asked for the same is found only where the question is about them, too."""
    one = world("open_requests")
    details = {"quantity": changes.get("quantity", "2"), "supplier": changes.get("supplier", "ACME")}
    other = asks(
        one,
        laptop(one, **details),
        requester=changes.get("requester", SAM),
        currency=changes.get("currency", "USD"),
        submitted=changes.get("submitted", True),
    )
    raw: dict[str, Any] = {name: changes[name] for name in ("submitted-at", "total") if name in changes}
    one.coupa.world.override(("requisition", other), raw)
    one.announced()
    one.clock.advance(86_400 * changes.get("days", 0))

    asks(one)

    assert (TWIN in card(one)) is is_twin


@pytest.mark.parametrize("together", [True, False])
def test_a_request_of_somebody_else_is_no_duplicate_whatever_is_read_beside_it(
    together: bool,  # noqa: FBT001 - both ways
) -> None:
    one = world("open_requests")
    asks(one)
    first = [] if together else one.announced()
    asks(one, requester=ALEX)

    shown = [said(notice.message) for notice in [*first, *one.announced()]]

    assert shown == [{}, {}]


def cut(one: Office, rid: int) -> None:
    """Let Coupa say that a request has one line more than it gives."""
    one.coupa.world.override(("requisition", rid), {"line-count": 2})


@pytest.mark.parametrize(
    ("settings", "shown"), [({}, "1 (USD 1,800.00)"), ({"SENSITIVE": '{"commodities": ["Legal"]}'}, "1")]
)
def test_a_request_whose_lines_did_not_all_come_is_no_duplicate_and_its_sum_may_be_sensitive(
    settings: dict[str, str], shown: str
) -> None:
    one = world("open_requests", **settings)
    cut(one, asks(one, laptop(one, commodity="IT")))
    one.announced()

    asks(one, laptop(one, commodity="IT"))

    assert card(one) == {LABELS[Fact.OPEN_REQUESTS]: shown}


# ---------------------------------------------------------------------- what is asked, and how often


def test_a_full_page_is_no_number_and_a_duplicate_all_the_same() -> None:
    one = world("open_requests", DIGEST_OVER="1")
    for _ in range(49):
        asks(one)
    one.announced()

    asks(one)

    assert set(card(one)) == {TWIN}


@pytest.mark.parametrize("fact", [Fact.BUDGET, Fact.AGREED_PRICE])
def test_what_needs_the_whole_answer_is_not_said_where_the_page_is_full(fact: Fact) -> None:
    one = world(fact)
    for _ in range(49):
        RECORD_OF[fact](one, **({"remaining": "1.00"} if fact is Fact.BUDGET else {}))
    asks(one)
    whole = card(one)
    RECORD_OF[fact](one)
    asks(one)

    assert (whole, card(one)) == ({} if fact is Fact.BUDGET else {LABELS[fact]: "USD 820.00"}, {})


def test_a_list_that_was_cut_short_is_no_number() -> None:
    one = world("open_requests")
    for quantity in ("5", "6", "7"):
        asks(one, laptop(one, quantity=quantity))
    one.announced()
    one.coupa.most_rows = 3
    asks(one)

    assert card(one) == {}


def test_the_newest_order_is_known_only_in_the_order_that_was_asked_for() -> None:
    one = world("last_price")
    asks(one)
    about = {"item": {"id": one.coupa.world.named("item", "LAPTOP")}, "currency": {"code": "USD"}}
    about |= {"supplier": {"id": one.coupa.world.named("supplier", "ACME")}, "uom": {"code": "EA"}}
    about |= {"status": "ordered"}
    rows = [{**about, "id": 1, "price": "700.00"}, {**about, "id": 2, "price": "850.00"}]
    one.coupa.front.fail("answer", path="purchase_order_lines", status=200, body=json.dumps(rows))
    one.coupa.front.fail("answer", path="purchase_order_lines", status=200, body=json.dumps(rows[::-1]))

    backwards = card(one)
    asks(one)

    assert (backwards, card(one)) == ({}, {"Last order price": "USD 850.00"})


def reads(one: Office) -> int:
    return one.coupa.front.count("GET")


@settings(max_examples=8, deadline=None)
@given(facts=st.sets(st.sampled_from(list(Fact)), max_size=5), number=st.integers(0, 101))
def test_a_fact_costs_a_sweep_no_more_than_one_call_for_fifty_documents(
    facts: set[Fact], number: int
) -> None:
    def calls(chosen: set[Fact]) -> int:
        one = world(",".join(chosen))
        known(one)
        for each in range(number):
            asks(one, requester=f"sam{each % 7}@example.com")
        sent = len(one.announced())
        assert sent == number
        return reads(one)

    assert calls(facts) - calls(set()) <= len(facts) * math.ceil(number / 50)


def fact_calls(one: Office, since: int = 0) -> list[int]:
    """Return how often each fact that has a resource of its own was asked for."""
    paths = [call.path for call in one.coupa.front.calls[since:]]
    return [paths.count(f"/api/{FACT_RESOURCES[fact]}") for fact in RECORDED]


def edited(one: Office, number: int, places: Iterable[int]) -> None:
    """Tell so many people, then touch every approval and change some prices: the next sweep looks at all."""
    rids = [asks_of(one, f"p{each}@example.com") for each in range(number)]
    one.announced()
    for _ in range(3):
        one.clock.advance(120)
        one.sweep()
    for rid in rids:
        one.coupa.world.touch(one.coupa.world.approvals_of(rid)[0].id)
    for place in places:
        one.coupa.world.edit_line(rids[place], 0, unit_price="950.00")
    one.clock.advance(60)


def asks_of(one: Office, approver: str, **more: Any) -> int:
    """Let somebody else than Robin be asked."""
    return one.requisition(approver, requester=SAM, lines=[laptop(one)], **more)


def test_the_cards_of_a_sweep_are_asked_about_together_however_much_is_looked_at() -> None:
    one = world()
    known(one)
    edited(one, 110, (5, 60, 105))
    since = len(one.coupa.front.calls)

    sent = one.announced()

    assert [set(said(notice.message)) >= {LABELS[Fact.BUDGET]} for notice in sent] == [True] * 3
    assert fact_calls(one, since) == [1] * len(RECORDED)


def test_a_digest_asks_for_no_fact_and_the_cards_beside_it_do() -> None:
    one = world(DIGEST_OVER="3")
    known(one)
    for _ in range(5):
        asks(one)
    [digest] = one.announced()
    since = len(one.coupa.front.calls)
    for _ in range(5):
        asks(one)
    alone = asks_of(one, ALEX)

    to_alex, to_robin = one.announced()

    assert said(digest.message) == said(to_robin.message) == {}
    assert f"/{alone}" in to_alex.message
    assert LABELS[Fact.BUDGET] in said(to_alex.message)
    calls = one.coupa.front.calls
    assert fact_calls(one) == fact_calls(one, since) == [1] * len(RECORDED)
    [asked] = [call for call in calls if "requested_by" in call.query]
    assert asked in calls[since:]


def test_cards_that_wait_for_each_other_are_sent_while_their_claims_hold() -> None:
    one = world("budget", COUPA_MAX_PER_SECOND="1", CLAIM_LEASE_S="60")
    budget(one)
    for number in range(60):
        asks_of(one, f"p{number}@example.com")
        asks_of(one, f"p{number}@example.com", submitted=False)

    sent = one.announced()

    assert len(sent) == 60
    assert one.store.status().counts.get("late", 0) == 0


def test_a_batch_that_cannot_be_read_keeps_no_card_of_an_earlier_one_from_being_sent() -> None:
    one = world("budget")
    budget(one)
    edited(one, 60, (0, 59))
    batches: list[object] = []
    coupa = one.bridge.sweep.deps.coupa
    away(coupa, "approvals", "coupa_down", when=lambda *_: len(batches) > 1)
    before(coupa, "approvals", lambda ids, _: batches.append(ids))

    sent = one.announced()

    assert (len(batches), len(sent)) == (2, 2)


LONG = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)


@settings(max_examples=25, deadline=None)
@example([(f"{number} {'Ä' * 57}",) * 4 for number in range(50)], Fact.BUDGET)
@given(
    segments=st.lists(st.tuples(LONG, LONG, LONG, LONG), min_size=1, max_size=50), fact=st.sampled_from(Fact)
)
def test_no_question_is_longer_than_gateways_take(
    segments: list[tuple[str, str, str, str]], fact: Fact
) -> None:
    """Common gateways take a request line of 8 KB."""
    far = 10**18
    period = {"id": far, "is-open": True, **{f"segment-{number}": True for number in range(1, 5)}}
    documents = [
        parse_document(
            REQUISITION,
            {
                "id": far + place,
                "requested-by": {"id": far + place},
                "requisition-lines": [
                    {
                        "unit-price": "1",
                        "item": {"id": far + place},
                        "supplier": {"id": far + place},
                        "period": period,
                        "account": {f"segment-{each + 1}": text for each, text in enumerate(texts)},
                    }
                ],
            },
        )
        for place, texts in enumerate(segments)
    ]
    asked: list[str] = []

    class Desk:
        withheld = ""

        def read(
            self, resource: str, path: str, query: dict[str, str], *_: object, **__: object
        ) -> list[Any]:
            asked.append(f"/api/{resource}?{urlencode(query)}")
            return []

    reader = FactReader(cast("Access", Desk()), [fact], sensitive=Sensitive())
    reader.ask(fact, [each for each in documents if each], Deadline(ManualClock(), 3.0))

    assert asked or fact is Fact.BUDGET  # a segment with a comma is not asked for
    assert all(len(each) <= 7_000 for each in asked)


def test_of_very_many_items_the_first_of_every_request_are_asked_for() -> None:
    one = world("agreed_price", DIGEST_OVER="0")
    offered(one, item="DOCK", price="190.00")
    many = [laptop(one, item=f"ITEM{number}") for number in range(60)]
    asks(one, *many)
    asks(one, laptop(one, item="DOCK"))
    asks(one, *many)

    shown = [said(notice.message) for notice in one.announced()]

    assert sorted(shown, key=len) == [{}, {}, {"Agreed price": "USD 190.00"}]


def test_a_click_reads_no_fact() -> None:
    def calls(facts: str) -> int:
        one = world(facts)
        known(one)
        asks(one)
        [notice] = one.announced()
        since = len(one.coupa.front.calls)
        assert one.click(notice, ROBIN).body["outcome"] == "approved"
        return len(one.coupa.front.calls) - since

    assert calls(ALL) == calls("")


def test_a_sweep_that_tells_nobody_reads_no_fact() -> None:
    one = world()
    known(one)
    asks(one)
    one.announced()
    resources = {f"/api/{FACT_RESOURCES[fact]}" for fact in RECORDED}
    since = len(one.coupa.front.calls)
    for approval in one.coupa.world.approvals.rows:
        one.coupa.world.touch(approval)

    assert one.announced() == []
    assert not resources & {call.path for call in one.coupa.front.calls[since:]}


# ---------------------------------------------------------------------- shown, and not signed


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
    one.settings["FACTS"] = ALL
    one.restart()

    assert one.announced() == []
    assert one.click(notice, ROBIN).body["outcome"] == "approved"


# ---------------------------------------------------------------------- and nothing that is sensitive


def test_of_what_is_sensitive_no_fact_is_read() -> None:
    one = world(SENSITIVE='{"suppliers": ["ACME"]}')
    known(one)
    asks(one)

    assert card(one) == {}
    assert not {f"/api/{FACT_RESOURCES[fact]}" for fact in RECORDED} & {
        call.path for call in one.coupa.front.calls
    }


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
    asks(one)
    hidden = laptop(one, supplier="Hale", commodity="Guns", account="HQ-Legal-Advice")
    asks(one, hidden, department="Legal")
    one.announced()

    asks(one)

    assert card(one)[LABELS[Fact.OPEN_REQUESTS]] == shown


def test_a_duplicate_that_is_sensitive_is_not_named() -> None:
    one = world("open_requests", SENSITIVE='{"departments": ["Legal"]}')
    asks(one, department="Legal")
    one.announced()

    asks(one)

    assert card(one) == {LABELS[Fact.OPEN_REQUESTS]: "1"}


# ---------------------------------------------------------------------- a fact that cannot be read


@functools.cache
def duration_s(number: int) -> float:
    """Return how long a sweep of so many requests takes where every fact can be read."""
    one = world()
    known(one)
    for _ in range(number):
        asks(one)
    one.announced()
    return one.clock.monotonic()


FAILURES: dict[str, tuple[Any, dict[str, Any]]] = {
    "403": ("answer", {"status": 403, "body": '{"errors": {"base": ["The scope is missing"]}}'}),
    "404": ("answer", {"status": 404}),
    "400": ("answer", {"status": 400, "body": '{"errors": {"fields": ["unknown"]}}'}),
    "429": ("answer", {"status": 429, "headers": {"Retry-After": "1"}}),
    "500": ("answer", {"status": 500, "body": "<html>Sorry</html>"}),
    "503": ("answer", {"status": 503}),
    "a page": ("answer", {"status": 200, "body": "<html>Sorry</html>"}),
    "no list": ("answer", {"status": 200, "body": '{"errors": {}}'}),
    "half an answer": ("truncate", {}),
    "a cut line": ("cut", {}),
    "slow": ("slow", {"seconds": 30.0}),
    "garbage": ("answer", {"status": 200, "body": '[7, null, "odd", [], {}, {"id": "x"}]'}),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("fact", RECORDED)
def test_a_fact_that_cannot_be_read_is_left_out_and_the_others_are_said(fact: Fact, name: str) -> None:
    one = world()
    known(one)
    asks(one)
    kind, details = FAILURES[name]
    one.coupa.front.fail(kind, path=f"/api/{FACT_RESOURCES[fact]}$", times=None, **details)

    shown = card(one)

    assert set(shown) == {LABELS[each] for each in RECORDED if each is not fact}
    assert one.clock.monotonic() - duration_s(1) <= FACT_S
    assert one.coupa.front.count("GET", f"/api/{FACT_RESOURCES[fact]}$") == 1
    counts = one.store.status().counts
    assert counts.get("facts_unread", 0) == (name != "garbage")
    assert counts.get("fact_rows_unread", 0) == (6 if name == "garbage" else 0)
    assert one.store.status().failure == ""


@pytest.mark.parametrize("name", FAILURES)
def test_open_requests_that_cannot_be_read_are_left_out(name: str) -> None:
    one = world("open_requests")
    asks(one)
    one.announced()
    asks(one)
    kind, details = FAILURES[name]
    one.coupa.front.fail(kind, query=r"requested_by\[id\]\[in\]", times=None, **details)

    assert card(one) == {}


def tokens(one: Office) -> int:
    return one.coupa.front.count("POST", "/oauth2/token")


@pytest.mark.parametrize("kills", [False, True])
def test_a_scope_that_is_not_granted_costs_its_facts_and_nothing_else(
    kills: bool,  # noqa: FBT001 - whether a refusal ends every token
) -> None:
    one = world("open_requests,budget")
    one.coupa.failed_mint_kills_token = kills
    one.coupa.desk.granted_scopes = EVERY - {"core.budget.read"}
    one.restart()
    known(one)
    asks(one)
    one.announced()
    asks(one)

    [notice] = one.announced()

    assert set(said(notice.message)) == {LABELS[Fact.OPEN_REQUESTS], TWIN}
    assert one.store.status().failure == ""
    assert one.store.status().counts["facts_unread"] == 1
    assert one.click(notice, ROBIN).body["outcome"] == "approved"
    assert (tokens(one), fact_calls(one)[0]) == (2, 0)


def test_with_the_scopes_of_facts_a_sweep_asks_for_one_token_and_a_click_for_none() -> None:
    one = world()
    known(one)
    asks(one)
    [notice] = one.announced()

    one.click(notice, ROBIN)

    assert tokens(one) == 1


def test_a_client_that_lacks_what_the_bridge_needs_is_not_helped_by_asking_for_less() -> None:
    one = world("budget")
    one.coupa.desk.granted_scopes = EVERY - {"core.approval.read"}
    one.restart()

    assert one.sweep().failure == "coupa_token_400"


def refuse_what_leads_to_facts(one: Office, *, status: int = 400, of: int | None = None) -> None:
    """Let Coupa refuse each question for what leads to facts, or each that is about one request, too."""
    query = "account-type" if of is None else f"{of}.*account-type|account-type.*{of}"
    one.coupa.front.fail(
        "answer", path="/api/requisitions", query=query, times=None, status=status, body="{}"
    )


@pytest.mark.parametrize("status", [400, 422, 500])
def test_requests_that_cannot_be_read_with_what_leads_to_facts_are_read_without(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    one = world("budget,supplier_status")
    known(one)
    refuse_what_leads_to_facts(one, status=status)
    for _ in range(3):
        asks(one)

    sent = one.announced()

    assert [set(said(notice.message)) for notice in sent] == [{LABELS[Fact.SUPPLIER_STATUS]}] * 3
    assert one.store.status().counts["facts_unled"] == 3
    assert f"documents read without what leads to facts code=coupa_{status}" in caplog.text
    asks(one)
    so_far = reads(one)
    [notice] = one.announced()
    plain = world("")
    asks(plain)
    less = reads(plain)
    plain.announced()
    assert reads(one) - so_far <= reads(plain) - less + 1, "it is not tried again at once"
    assert one.click(notice, ROBIN).body["outcome"] == "approved"


def test_what_leads_to_facts_is_tried_again_after_an_hour() -> None:
    one = world("budget")
    known(one)
    refuse_what_leads_to_facts(one)
    asks(one)
    asks(one)
    first = [said(notice.message) for notice in one.announced()]
    one.coupa.front.heal()
    asks(one)
    second = card(one)
    one.clock.advance(3_600)
    asks(one)

    assert (first, second, set(card(one))) == ([{}, {}], {}, {LABELS[Fact.BUDGET]})


PLAIN = r"^(?!.*account-type).*requisition_lines"
"""A question for requisitions without what leads to facts."""


def test_requests_that_cannot_be_read_at_all_wait_as_they_would_without_facts() -> None:
    one = world("budget")
    one.coupa.front.fail(
        "answer", path="/api/requisitions", query="requisition_lines", times=None, status=500
    )
    for _ in range(4):
        asks(one)
    sent = one.announced()
    one.coupa.front.heal()
    one.clock.advance(600)

    assert (sent, len(one.announced())) == ([], 4)
    assert one.store.status().counts.get("parked", 0) == 0


def test_a_request_that_cannot_be_read_again_in_time_keeps_no_other_from_being_told() -> None:
    one = world("budget")
    known(one)
    odd = asks(one)
    asks(one)
    refuse_what_leads_to_facts(one, of=odd)
    one.coupa.front.fail("answer", path="/api/requisitions", query=PLAIN, times=None, status=429)

    [notice] = one.announced()

    assert f"/{odd}" not in notice.message


@pytest.mark.parametrize("first", [400, 429])
def test_requests_that_cannot_be_read_with_what_leads_to_facts_nor_without_wait(first: int) -> None:
    one = world("budget")
    asks(one)
    refuse_what_leads_to_facts(one, status=first)
    one.coupa.front.fail("answer", path="/api/requisitions", query=PLAIN, times=None, status=429, body="{}")

    assert one.announced() == []
    one.coupa.front.heal()
    one.clock.advance(600)
    assert len(one.announced()) == 1


def test_requests_that_coupa_does_not_return_without_what_leads_to_facts_are_not_said_to_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = world("budget")
    asks(one)
    refuse_what_leads_to_facts(one)
    one.coupa.front.fail("answer", path="/api/requisitions", query=PLAIN, times=None, status=200, body="[]")

    assert one.announced() == []
    assert "without what leads to facts" not in caplog.text
    assert one.store.status().counts.get("facts_unled", 0) == 0
    one.coupa.front.heal()
    one.clock.advance(600)
    assert len(one.announced()) == 1


def test_a_click_does_not_ask_for_what_leads_to_facts() -> None:
    one = world()
    known(one)
    asks(one)
    [notice] = one.announced()
    refuse_what_leads_to_facts(one)
    since = len(one.coupa.front.calls)

    assert one.click(notice, ROBIN).body["outcome"] == "approved"
    assert one.call("list_approvals", headers={"X-Actor-Email": ROBIN}).status == 200
    assert not any("account-type" in call.query for call in one.coupa.front.calls[since:])


ROWS: list[Any] = [None, 1, "x", [], {}, {"foo": 1}, {"id": None}]
WHOLE = (Fact.BUDGET, Fact.AGREED_PRICE)
"""Of these, and of the number of open requests, a row of which nothing is known may be the second."""


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("fact", RECORDED)
def test_a_row_that_cannot_be_read_is_counted_and_named_once(
    fact: Fact, row: Any, caplog: pytest.LogCaptureFixture
) -> None:
    one = world(fact)
    known(one)
    asks(one)
    append(one, fact, row)

    assert set(card(one)) == (set() if fact in WHOLE else {LABELS[fact]})
    assert one.store.status().counts["fact_rows_unread"] == 1
    assert caplog.text.count(f"rows of a fact not readable code=coupa_rows fact={fact} rows=1 of 2") == 1


def append(one: Office, fact: Fact, row: Any) -> None:
    """Let Coupa answer the question about a fact with one row more, at its end."""
    access = one.bridge.sweep.deps.facts._access
    read = access.read

    def more(resource: str, *arguments: Any, **options: Any) -> Any:
        rows = read(resource, *arguments, **options)
        return [*rows, row] if resource == FACT_RESOURCES[fact] and options.get("tries") == 1 else rows

    access.read = more  # type: ignore[method-assign]


@pytest.mark.parametrize("fact", RECORDED)
def test_rows_that_say_too_little_are_counted_and_named_by_the_doctor(fact: Fact) -> None:
    one = world(fact)
    known(one)
    asks(one)
    append(one, fact, {"id": 99_999})

    one.announced()

    assert one.store.status().counts["fact_rows_unread"] == 1
    assert unread_of([{"id": 1}, {"id": 2}], fact) == 2
    assert unread_of([{"id": 1}]) == 0


def test_one_request_that_cannot_be_read_with_what_leads_to_facts_says_nothing_of_the_others() -> None:
    one = world("budget")
    known(one)
    refuse_what_leads_to_facts(one, of=asks(one))
    assert set(card(one)) == set()
    one.clock.advance(60)
    asks(one)

    assert set(card(one)) == {LABELS[Fact.BUDGET]}


def test_a_row_that_is_known_to_be_of_another_item_spoils_no_price() -> None:
    one = world("agreed_price,last_price")
    known(one)
    other = one.coupa.world.named("item", "DOCK")
    asks(one)
    append(one, Fact.AGREED_PRICE, {"id": "odd", "item": {"id": other}, "price": 7})

    assert set(card(one)) == {LABELS[Fact.AGREED_PRICE], LABELS[Fact.LAST_PRICE]}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_request_that_cannot_be_read_leaves_no_number_and_a_duplicate_all_the_same(row: Any) -> None:
    one = world("open_requests")
    asks(one)
    one.announced()
    append(one, Fact.OPEN_REQUESTS, row)
    asks(one)

    assert set(card(one)) == {TWIN}
    assert one.store.status().counts["fact_rows_unread"] == 1


def test_a_request_in_no_known_state_spoils_the_number_of_its_requester_alone() -> None:
    one = world("open_requests")
    odd = asks(one)
    asks(one, requester=ALEX)
    one.announced()
    one.coupa.world.override(("requisition", odd), {"status": None})
    asks(one, laptop(one, quantity="5"))
    asks(one, laptop(one, quantity="5"), requester=ALEX)
    append(one, Fact.OPEN_REQUESTS, {"id": 10**9, "status": None, "requested-by": {"id": one.person(SAM)}})

    shown = [said(notice.message) for notice in one.announced()]

    assert sorted(map(len, shown)) == [0, 1]


def test_all_facts_together_take_a_sweep_no_longer_than_each_its_time() -> None:
    one = world()
    known(one)
    for _ in range(110):
        asks(one)
    for fact in RECORDED:
        one.coupa.front.fail("slow", path=f"/api/{FACT_RESOURCES[fact]}$", times=None, seconds=30.0)

    sent = one.announced()

    assert len(sent) == 110
    assert one.clock.monotonic() - duration_s(110) <= len(RECORDED) * FACT_S
    calls = [call for call in one.coupa.front.calls if call.path == "/api/budget_lines"]
    assert len(calls) == 1, "what was late is not asked for again"


def test_facts_are_read_at_the_same_time() -> None:
    one = world()
    one.workers = 8
    one.restart()
    known(one)
    asks(one)

    assert set(card(one)) == {LABELS[fact] for fact in RECORDED}


def test_what_coupa_denies_is_not_asked_for_again_in_the_same_sweep() -> None:
    one = world("supplier_status")
    known(one)
    for _ in range(60):
        asks(one)
    one.coupa.front.fail("answer", path="/api/suppliers", times=None, status=403)

    assert len(one.announced()) == 60
    assert one.coupa.front.count("GET", "/api/suppliers") == 1


def test_facts_never_take_the_time_that_a_claim_leaves_for_its_card() -> None:
    one = world(CLAIM_LEASE_S="3")
    known(one)
    asks(one)
    one.coupa.front.fail("slow", path="/api/suppliers", times=None, seconds=30.0)

    assert len(one.announced()) == 1


def test_a_fault_of_ours_in_a_fact_costs_no_card() -> None:
    class Odd(Standing):
        @property
        def is_free(self) -> bool:
            raise ArithmeticError

    class Reader:
        facts = (Fact.BUDGET, Fact.SUPPLIER_STATUS)

        def ask(self, fact: Fact, *_: object) -> FactAnswer:
            if fact is Fact.BUDGET:
                raise ArithmeticError
            return FactAnswer([Odd(id=one.coupa.world.named("supplier", "ACME"))], is_whole=True)

    one = world("supplier_status")
    one.bridge.sweep.deps = replace(one.bridge.sweep.deps, facts=cast("FactReader", Reader()))
    asks(one)

    assert card(one) == {}
    assert one.store.status().counts["facts_unread"] == 2
    [row] = one.store.open_entries().entries
    assert row.state is State.SENT


def spoiled() -> list[tuple[Fact, str, str]]:
    fields = {
        Fact.BUDGET: ["id", "period", "segment-1", "currency", "remaining", "pending-requisitions-amount"],
        Fact.LAST_PRICE: ["id", "item", "supplier", "currency", "uom", "price", "status", "created-at"],
        Fact.AGREED_PRICE: ["id", "item", "supplier", "currency", "price", "price-tier-1"],
        Fact.SUPPLIER_STATUS: ["id", "status", "on-hold", "buyer-hold"],
    }
    return [(fact, name, oddity) for fact in fields for name in fields[fact] for oddity in ODDITIES]


@pytest.mark.parametrize(("fact", "name", "oddity"), spoiled())
def test_a_spoiled_record_says_what_it_said_or_less_and_spoils_no_other(
    fact: Fact, name: str, oddity: str
) -> None:
    whole = whole_card()
    two = world()
    numbers: dict[Fact, int] = {each: RECORD_OF[each](two) for each in RECORDED}
    number = numbers[fact]
    resource = FACT_RESOURCES[fact]
    if oddity == "deleted":
        two.coupa.world.delete_field(resource, number, name)
    else:
        two.coupa.world.override((resource, number), {name: ODDITIES[oddity]})

    shown = card_of(two)

    label = LABELS[fact]
    assert {**shown, label: ""} == {**whole, label: ""}
    assert words(shown.get(label, "")) <= words(whole[label]) | ({"7.00"} if oddity == "a number" else set())


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\s,()]+", text))


@functools.cache
def whole_card() -> dict[str, str]:
    one = world()
    known(one)
    return card_of(one)


def card_of(one: Office) -> dict[str, str]:
    asks(one)
    return card(one)


@pytest.mark.parametrize("oddity", ODDITIES)
@pytest.mark.parametrize("name", ["item", "account", "period", "account-allocations", "supplier", "uom"])
def test_a_spoiled_line_says_less_and_is_told_all_the_same(name: str, oddity: str) -> None:
    one = world()
    known(one)
    rid = asks(one)
    _serve_line(one, rid, {name: ODDITIES[oddity]})

    shown = card(one)

    assert set(shown) <= {LABELS[fact] for fact in RECORDED}


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

    cards = [asked(length) for length in range(0, 481, 20)]

    assert all(len(text) <= MAX_MESSAGE for text, _ in cards)
    assert {said(text) == {} and text == plain for text, plain in cards} == {True, False}


# ---------------------------------------------------------------------- settings and scopes


@pytest.mark.parametrize("fact", Fact)
def test_a_fact_asks_for_its_scope_by_itself(fact: Fact) -> None:
    scope = SCOPES["GET", FACT_RESOURCES[fact]]

    settings = world(fact).read_settings()

    assert scope in {*settings.asked_scopes.split(), *settings.fact_scopes.split()}
    assert settings.asked_scopes == world("").read_settings().asked_scopes
    assert (settings.fact_scopes == "") is (fact is Fact.OPEN_REQUESTS)
    every = {*settings.asked_scopes.split(), *settings.fact_scopes.split()}
    assert every == set(required_scopes(["RequisitionHeader"], facts=[fact]))


def test_facts_are_each_named_once_and_come_in_our_order() -> None:
    assert world(" Budget , open_requests").read_settings().facts == (Fact.OPEN_REQUESTS, Fact.BUDGET)


def test_the_page_names_each_fact_with_its_resource_and_scope() -> None:
    table = PAGE.read_text("utf-8").partition("<!-- facts -->")[2].partition("\n\n")[0]

    rows = [re.findall(r"`([a-z._]+)`", line) for line in table.splitlines()[3:]]

    assert rows == [[fact.value, FACT_RESOURCES[fact], SCOPES["GET", FACT_RESOURCES[fact]]] for fact in Fact]
