"""A fact that is not known for sure is not said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bridge import ALEX
from office import (
    LABELS,
    TWIN,
    Office,
    asks,
    budget,
    facts_on_card,
    laptop,
    offered,
    ordered,
    said,
    serve_line,
    standing,
    world,
)

from coupa_core.facts import Fact
from sandbox.coupa.world import Line


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
    "a supplier that is free": (Fact.SUPPLIER_STATUS, lambda one: _only(standing, one, on_hold=False)),
    "a supplier that is not there": (Fact.SUPPLIER_STATUS, laptop),
    "a supplier of which nothing is said": (
        Fact.SUPPLIER_STATUS,
        lambda one: _only(standing, one, status=None, on_hold="perhaps", buyer_hold=[]),
    ),
    "no supplier": (
        Fact.SUPPLIER_STATUS,
        lambda one: standing(one) and laptop(one, supplier=None),
    ),
    "nobody else's requests": (Fact.OPEN_REQUESTS, laptop),
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_said_of_what_is_not_known_for_sure(name: str) -> None:
    fact, arrange = NOTHING[name]
    one = world(fact)
    line = arrange(one)
    asks(one, line)

    assert facts_on_card(one) == {}


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

    assert facts_on_card(one) == {LABELS[Fact.LAST_PRICE]: "USD 850.00 (Oct 5, 2026)"}


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

    assert facts_on_card(one) == {}


ODD_PERIOD = {"name": "FY26 Q4", "is-open": True, "segment-1": True, "segment-2": "perhaps"}


@pytest.mark.parametrize(
    ("account", "served"),
    [
        ("HQ-IT", {"account": {"segment-1": "HQ", "segment-2": "IT", "account-type": {"id": 2}}}),
        ("HQ-HR", {"period": ODD_PERIOD}),
    ],
    ids=["another chart of accounts", "a period whose marks cannot be read"],
)
def test_a_budget_line_that_cannot_be_told_to_be_the_one_is_not_said(
    account: str, served: dict[str, Any]
) -> None:
    one = world("budget")
    number = budget(one, account=account)
    if "period" in served:
        served = {"period": {"id": one.period, **ODD_PERIOD}}
        one.coupa.world.override(("budget_lines", number), served)
    serve_line(one, asks(one), served)

    assert facts_on_card(one) == {}


def test_a_line_that_is_split_beside_an_account_is_of_no_one_budget() -> None:
    one = world("budget")
    budget(one)
    split, whole = asks(one), asks(one)
    serve_line(one, split, {"account-allocations": [{"id": 1}, {"id": 2}]})

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

    assert set(facts_on_card(one)) == ({LABELS[Fact.BUDGET]} if is_one else set())


def test_a_segment_with_a_comma_is_not_asked_for_and_matches_all_the_same() -> None:
    one = world("budget")
    budget(one, account="HQ-Research, Development")
    asks(one, laptop(one, account="HQ-Research, Development-Assets"))

    assert "Research, Development" in facts_on_card(one)["Budget line in Coupa"]
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
        ({"raw": {"submitted-at": "soon"}}, False),
        ({"raw": {"total": "0.00"}}, False),
    ],
    ids=str,
)
def test_a_duplicate_is_of_the_same_suppliers_and_total_within_thirty_days(
    changes: dict[str, Any], *, is_twin: bool
) -> None:
    one = world("open_requests")
    line = laptop(one, **{name: changes[name] for name in ("quantity", "supplier") if name in changes})
    details = {name: changes[name] for name in ("requester", "currency", "submitted") if name in changes}
    other = asks(one, line, **details)
    one.coupa.world.override(("requisition", other), changes.get("raw", {}))
    one.announced()
    one.clock.advance(86_400 * changes.get("days", 0))

    asks(one)

    assert (TWIN in facts_on_card(one)) is is_twin


@pytest.mark.parametrize("together", [True, False])
def test_a_request_of_somebody_else_is_no_duplicate_whatever_is_read_beside_it(*, together: bool) -> None:
    one = world("open_requests")
    asks(one)
    first = [] if together else one.announced()
    asks(one, requester=ALEX)

    shown = [said(notice.message) for notice in [*first, *one.announced()]]

    assert shown == [{}, {}]


@pytest.mark.parametrize(
    ("settings", "shown"), [({}, "1 (USD 1,800.00)"), ({"SENSITIVE": '{"commodities": ["Legal"]}'}, "1")]
)
def test_a_request_whose_lines_did_not_all_come_is_no_duplicate_and_its_sum_may_be_sensitive(
    settings: dict[str, str], shown: str
) -> None:
    one = world("open_requests", **settings)
    other = asks(one, laptop(one, commodity="IT"))
    one.coupa.world.override(("requisition", other), {"line-count": 2})
    one.announced()

    asks(one, laptop(one, commodity="IT"))

    assert facts_on_card(one) == {LABELS[Fact.OPEN_REQUESTS]: shown}
