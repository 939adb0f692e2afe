"""Decisions that are left to Coupa: large or unstated amounts, and requests that may be the decider's own."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from bridge import JAMIE, LISTENER, SAM, World, offered
from goldens import ASKER, approval, document
from hypothesis import given, settings
from hypothesis import strategies as st

from coupa_core.authority import Capacity, Decider, EmailMap, Limits, Rules
from coupa_core.decide.answers import BARRED
from coupa_core.documents import DOCUMENT_MODELS
from coupa_core.model import Bar, Document, Verb
from sandbox.coupa.world import Line
from sandbox.moveworks import Delivered

LIMITS = Limits({"USD": Decimal(10_000)})
USD = {"code": "USD", "decimals": 2}
ASKED_BY = {
    "RequisitionHeader": "requested_by",
    "ExpenseReport": "expensed_by",
    "InvoiceHeader": "requested_by",
    "OrderHeaderChange": "requester",
    "Contract": "submitter",
    "EasyFormResponse": "requested_by",
}
VALUES = ("minimum_value", "maximum_value", "min_commit", "max_commit")


def contract(*values: str | None) -> Document:
    """Return a contract with these values, in the order of `VALUES`."""
    return document("Contract", **dict(zip(VALUES, values, strict=True)))


def lineless(kind: str, **more: Any) -> Document:
    """Return the golden document of a kind without its lines."""
    names = ("requisition_lines", "expense_lines", "invoice_lines", "order_line_changes")
    return document(kind, **{name: [] for name in names}, line_count=None, **more)


@pytest.mark.parametrize(
    ("shown", "bar"),
    [
        (lineless("RequisitionHeader", total="10000.00"), None),
        (lineless("RequisitionHeader", total="10000.01"), Bar.TOO_GREAT),
        (lineless("RequisitionHeader", total=None), Bar.UNSTATED),
        (lineless("RequisitionHeader", total="a lot"), Bar.UNSTATED),
        (lineless("RequisitionHeader", total="5.00", currency={"code": "KWD"}), Bar.UNSTATED),
        (lineless("ExpenseReport", total="10000.00"), None),
        (lineless("ExpenseReport", total="10000.01"), Bar.TOO_GREAT),
        (lineless("InvoiceHeader", total_with_taxes="10000.00"), None),
        (lineless("InvoiceHeader", total_with_taxes="10000.01"), Bar.TOO_GREAT),
        (lineless("InvoiceHeader", total_with_taxes="-10000.00", document_type="Credit Note"), None),
        (lineless("InvoiceHeader", total_with_taxes="-10000.01", document_type="Credit Note"), Bar.TOO_GREAT),
        (lineless("OrderHeaderChange", total="120.00", old_total="10000.00"), None),
        (lineless("OrderHeaderChange", total="120.00", old_total="10000.01"), Bar.TOO_GREAT),
        (lineless("OrderHeaderChange", total="10000.01", old_total="120.00"), Bar.TOO_GREAT),
        (
            lineless("OrderHeaderChange", total="0.00", old_total="50000.00", pending_cancel=True),
            Bar.TOO_GREAT,
        ),
        (lineless("OrderHeaderChange", total="-50000.00", old_total="1.00"), Bar.TOO_GREAT),
        (lineless("OrderHeaderChange", total="120.00", old_total=None), Bar.UNSTATED),
        (contract("1.00", "10000.00", "1.00", "10000.00"), None),
        (contract("5000000.00", "0.00", None, None), Bar.TOO_GREAT),
        (contract("0.00", "0.00", None, "5000000.00"), Bar.TOO_GREAT),
        (contract("9000000.00", "1000.00", "1.00", "1.00"), Bar.TOO_GREAT),
        (contract("1.00", "1000.00", "5000000.00", "1.00"), Bar.TOO_GREAT),
        (contract("1.00", "0.00", "1.00", "1.00"), Bar.UNSTATED),
        (contract("1.00", "1000.00", "1.00", None), Bar.UNSTATED),
        (contract("1.00", "1000.00", "1.00", "much"), Bar.UNSTATED),
        (lineless("EasyFormResponse"), Bar.UNSTATED),
        (Document(type="Odd", id=7), Bar.UNSTATED),
    ],
)
def test_the_greatest_figure_of_a_card_counts_and_one_that_is_not_stated_is_too_great(
    shown: Document, bar: Bar | None
) -> None:
    assert LIMITS.bar(shown) is bar
    assert Limits().bar(shown) is None


@pytest.mark.parametrize(
    ("change", "bar"),
    [
        ({"total": "10000.00"}, None),
        ({"total": "10000.01"}, Bar.TOO_GREAT),
        ({"total": "-10000.01"}, Bar.TOO_GREAT),
        ({"total": "5.00", "currency": {"code": "KWD"}}, Bar.UNSTATED),
        ({"total": "5.00", "currency": None}, None),
        ({"total": None}, None),
        ({"total": None, "quantity": "10", "unit-price": "1000.00"}, None),
        ({"total": None, "quantity": "10", "unit-price": "1000.01"}, Bar.TOO_GREAT),
        ({"total": None, "unit-price": "10000.01"}, Bar.TOO_GREAT),
        ({"total": "5.00", "quantity": "10", "unit-price": "1000.01"}, Bar.TOO_GREAT),
        ({"total": "10000.01", "quantity": "10", "unit-price": "1.00"}, Bar.TOO_GREAT),
        ({"total": "99,999,999.00"}, Bar.UNSTATED),
        ({"total": "99,999,999.00", "unit-price": "1.00"}, Bar.UNSTATED),
        ({"total": "1000000000000000000000.00"}, Bar.UNSTATED),
        ({"total": {"amount": "5.00"}}, Bar.UNSTATED),
        ({"total": None, "quantity": "1,000", "unit-price": "9000.00"}, Bar.UNSTATED),
        ({"total": None, "quantity": "10", "unit-price": "99.999,00"}, Bar.UNSTATED),
        ({"total": "1_0"}, Bar.UNSTATED),
        ({"total": "9000.00", "currency": [{"code": "KWD"}]}, Bar.UNSTATED),
        ({"total": "9000.00", "currency": "USD"}, Bar.UNSTATED),
        ({"total": "9000.00", "currency": {}}, Bar.UNSTATED),
    ],
    ids=str,
)
def test_what_a_card_states_of_a_line_counts_in_the_currency_of_the_line(
    change: dict[str, Any], bar: Bar | None
) -> None:
    lines = [{"id": 1, "description": "Laptop", "currency": USD} | change]

    assert LIMITS.bar(document("RequisitionHeader", total="5.00", requisition_lines=lines)) is bar


@pytest.mark.parametrize(
    ("lines", "bar"),
    [
        (None, None),
        ([], None),
        ({"1": {"total": "5.00"}}, Bar.UNSTATED),
        ("none", Bar.UNSTATED),
        ([{"id": 1, "total": "5.00"}, "x"], Bar.UNSTATED),
        ([{"id": 1, "total": "5.00"}, None], Bar.UNSTATED),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("kind", "lines_are", "total_is"),
    [
        ("RequisitionHeader", "requisition_lines", "total"),
        ("ExpenseReport", "expense_lines", "total"),
        ("InvoiceHeader", "invoice_lines", "total_with_taxes"),
    ],
)
def test_lines_that_cannot_be_read_are_as_a_figure_that_is_not_stated(
    kind: str, lines_are: str, total_is: str, lines: Any, bar: Bar | None
) -> None:
    shown = {total_is: "5.00", lines_are: lines, "line_count": None}

    assert LIMITS.bar(document(kind, **shown)) is bar


@pytest.mark.parametrize("kind", ["RequisitionHeader", "InvoiceHeader"])
@pytest.mark.parametrize(
    ("count", "bar"), [(1, None), (2, Bar.UNSTATED), ("2", Bar.UNSTATED), ("many", None)]
)
def test_what_lines_come_to_that_did_not_come_is_not_stated(kind: str, count: Any, bar: Bar | None) -> None:
    small = {"total": "5.00", "total_with_taxes": "5.00", "requisition_lines": [{"id": 1}]}
    shown = document(kind, **small, invoice_lines=[{"id": 1}], line_count=count)

    assert LIMITS.bar(shown) is bar


FIGURES = {
    "RequisitionHeader": ("total",),
    "ExpenseReport": ("total",),
    "InvoiceHeader": ("total_with_taxes",),
    "OrderHeaderChange": ("total",),
    "Contract": VALUES,
}
AMOUNTS = st.sampled_from(
    [None, "", "x", "0.01", "9999.99", "10000.00", "-10000.00", "10000.01", "-5e6", "5e6"]
)


def asked_for(world: World, kind: str, **fields: Any) -> Delivered:
    """Enter a document of a kind that waits for Jamie, and return the card."""
    fields = {"currency": USD, ASKED_BY[kind]: world.person(SAM), **fields}
    world.coupa.world.add_document(approvable_type=kind, approvers=[world.person(JAMIE)], **fields)
    [card] = world.announced()
    return card


def stated(text: str | None) -> Decimal | None:
    """Return an amount as a person would read it."""
    return Decimal(text) if text and text != "x" else None


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(sorted(FIGURES)))
def test_whatever_a_card_states_above_the_limit_or_leaves_out_is_decided_in_coupa(
    data: st.DataObject, kind: str
) -> None:
    amounts = {name: data.draw(AMOUNTS, label=name) for name in FIGURES[kind]}
    figures = [stated(text) for text in amounts.values()]
    world = World(settings={"DOCUMENT_TYPES": kind, "STEP_UP_OVER": '{"USD": 10000}'})
    if kind == "OrderHeaderChange":
        old = data.draw(AMOUNTS, label="old")
        figures.append(stated(old))
        order = world.coupa.world.add_document(
            approvable_type="OrderHeader",
            approvers=[],
            status="issued",
            order_lines=[{"id": 1, "total": old}],
        )
        amounts["order_header_id"] = str(order)
    is_open = all(figure is not None and abs(figure) <= 10_000 for figure in figures)

    card = asked_for(world, kind, **amounts)
    listed = world.listed(JAMIE).body["approvals"][0]

    assert ("please decide in Coupa" in card.message) is not is_open
    assert listed["text"] == card.message
    for slots in (card.slots, listed):
        outcome = world.click(slots, JAMIE).body["outcome"]
        assert outcome == ("approved" if is_open else "step_up")
    assert world.puts() == is_open


def test_a_card_that_offers_no_decision_does_not_decide_when_the_limit_has_gone_either() -> None:
    world, card = offered(settings={"STEP_UP_OVER": '{"USD": 1000}', "COMMENTS": "on"})
    assert world.ask(card).body["outcome"] == "commented"
    world.settings.pop("STEP_UP_OVER")
    world.restart()

    reply = world.click(card, JAMIE)

    assert (reply.body["outcome"], world.puts()) == ("changed", 0)
    fresh = {**card.slots, "action_token": reply.body["action_token"]}
    assert world.click(fresh, JAMIE).body["outcome"] == "approved"


def test_the_listener_gets_no_buttons_for_what_is_decided_in_coupa() -> None:
    world = World(settings={**LISTENER, "STEP_UP_OVER": '{"USD": 1000}'})
    world.requisition(JAMIE)
    world.requisition(JAMIE, lines=[Line("Pen", quantity="1", unit_price="1.00")])
    world.announced()

    told = [json.loads(call.body) for call in world.moveworks.front.calls if call.path.endswith("/notify")]
    assert [(each["buttons"], bool(each["approval_id"]), bool(each["action_token"])) for each in told] == [
        ({}, False, False),
        ({"approve": "Approve", "reject": "Reject"}, True, True),
    ]


# ---------------------------------------------------------------------- whose request it is

DECIDER = Decider("user:42", "jamie@acme.test", "", "", Capacity.APPROVER)
OTHER = {"id": 7, "login": "sam", "email": "sam@acme.test"}
BY_NAME = {"fullname": "Sam Doe"}


@pytest.mark.parametrize("kind", DOCUMENT_MODELS)
@pytest.mark.parametrize(
    ("asked", "entered", "bar"),
    [
        (OTHER, OTHER, None),
        (OTHER, None, None),
        ({"id": 7}, None, None),
        ({"email": "sam@acme.test"}, None, None),
        (ASKER, OTHER, Bar.OWN),
        (OTHER, ASKER, Bar.ENTERED),
        (BY_NAME, ASKER, Bar.ENTERED),
        (None, None, Bar.UNNAMED),
        (BY_NAME, None, Bar.UNNAMED),
        (BY_NAME, OTHER, Bar.UNNAMED),
        (OTHER, BY_NAME, Bar.UNNAMED),
        ("Sam Doe", None, Bar.UNNAMED),
        ("Sam Doe", OTHER, Bar.UNNAMED),
        (OTHER, "Sam Doe", Bar.UNNAMED),
        ([ASKER], OTHER, Bar.UNNAMED),
        (OTHER, 7, Bar.UNNAMED),
        ({"id": "x", "email": ""}, None, Bar.UNNAMED),
    ],
    ids=str,
)
def test_nobody_decides_in_chat_on_what_may_be_their_own(
    kind: str, asked: Any, entered: Any, bar: Bar | None
) -> None:
    shown = document(kind, **{ASKED_BY[kind]: asked, "created_by": entered})

    assert bar_of(shown) is bar
    assert bar_of(shown, allow_self=True) is None


def bar_of(shown: Document, *, allow_self: bool = False) -> Bar | None:
    """Return what keeps the decider from deciding in chat, where there are no limits."""
    rules = Rules(actions=(Verb.APPROVE,), limits=Limits(), emails=EmailMap(), allow_self=allow_self)
    return rules.right(DECIDER, approval(), shown).bar


@pytest.mark.parametrize(
    ("kind", "bar"),
    [
        ("RequisitionHeader", Bar.UNNAMED),
        ("ExpenseReport", Bar.UNNAMED),
        ("InvoiceHeader", None),
        ("OrderHeaderChange", None),
        ("Contract", None),
        ("EasyFormResponse", None),
    ],
)
def test_who_entered_it_is_enough_only_where_coupa_may_know_of_no_requester(
    kind: str, bar: Bar | None
) -> None:
    assert bar_of(document(kind, **{ASKED_BY[kind]: None, "created_by": OTHER})) is bar


@pytest.mark.parametrize(
    ("sender", "bar"), [(ASKER, Bar.ENTERED), (OTHER, None), (BY_NAME, Bar.UNNAMED), ("Sam", Bar.UNNAMED)]
)
def test_whoever_sent_an_expense_report_in_asked_for_it_too(sender: Any, bar: Bar | None) -> None:
    report = document("ExpenseReport", expensed_by=OTHER, created_by=OTHER, submitted_by=sender)

    assert bar_of(report) is bar


def test_a_contracts_owner_is_not_taken_for_who_asked_for_it() -> None:
    shown = document("Contract", submitter=OTHER, created_by=OTHER, contract_owner=ASKER)

    assert bar_of(shown) is None


def test_a_type_that_is_not_read_may_be_anybodys() -> None:
    assert bar_of(Document(type="Odd", id=7)) is Bar.UNNAMED
    assert bar_of(Document(type="Odd", id=7), allow_self=True) is None


@pytest.mark.parametrize("fields", [(), ("requested-by", "created-by")])
def test_notice_list_and_click_agree_on_a_request_of_which_nobody_knows_whose_it_is(
    fields: tuple[str, ...],
) -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    if fields:
        number = world.requisition(JAMIE)
        for name in fields:
            world.coupa.world.delete_field("requisition", number, name)
    else:
        world.coupa.world.add_document(approvable_type="ReceiptRequest", approvers=[world.person(JAMIE)])
    [card] = world.announced()
    [listed] = world.listed(JAMIE).body["approvals"]

    reply = world.click(card, JAMIE)

    assert listed["text"] == card.message
    assert reply.body["message"].partition(": ")[2] in card.message
    assert reply.body["outcome"] == world.click(listed, JAMIE).body["outcome"] == "step_up"
    assert reply.body["link"].startswith("https://acme.coupahost.com")
    assert world.puts() == 0


def test_a_setting_lets_people_decide_on_what_nobody_knows_whose_it_is() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*", "ALLOW_SELF_APPROVAL": "on"})
    world.coupa.world.add_document(approvable_type="ReceiptRequest", approvers=[world.person(JAMIE)])
    [card] = world.announced()

    assert "decide in Coupa" not in card.message
    assert world.click(card, JAMIE).body["outcome"] == "approved"


def test_each_reason_why_chat_does_not_decide_has_its_outcome() -> None:
    assert BARRED.keys() == set(Bar) - {Bar.SHARED}  # by that address nobody is told, and nobody decides
