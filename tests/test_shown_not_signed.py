"""Fields that a card shows and nobody signs: a change of them tells nobody anything, and breaks no button."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from bridge import World

from sandbox.coupa.world import DELETED, Line

JAMIE = "jamie@example.com"
LAPTOP = Line("Laptop", quantity="2", unit_price="900.00", account="IT", source_type="Non-Catalog Request")
CHAIR = Line("Chair", amount="100.00", account=["6100-HQ", "6200-LAB"], contract="C-7")


def told(world: World) -> str:
    """Return the one message of a sweep."""
    [notice] = world.announced()
    return notice.message


def test_a_card_of_the_sandbox_says_what_is_charged_what_is_unusual_and_why_somebody_is_asked() -> None:
    world = World()
    world.requisition(JAMIE, lines=[LAPTOP, CHAIR])
    world.coupa.world.override(("approval", 85001), {"type": "ManagementHierarchyApproval"})

    message = told(world)

    for field in (
        "<i>Account</i>: 3 accounts",
        "<i>Not from a catalogue</i>: 1 of 2 items",
        "<i>Without a contract</i>: 1 of 2 items",
        "<i>Why this step</i>: management hierarchy",
    ):
        assert field in message


def test_an_invoice_says_what_is_charged_and_who_chooses_its_fields_sees_the_contract() -> None:
    fields = '{"InvoiceHeader": ["account", "no_contract"]}'
    world = World(settings={"DOCUMENT_TYPES": "InvoiceHeader", "NOTICE_FIELDS": fields})
    world.coupa.world.add_document(
        approvable_type="InvoiceHeader",
        approvers=[world.person(JAMIE)],
        created_by=world.person("sam@example.com"),
        invoice_number="INV-1",
        invoice_lines=[{"id": 1, "account": {"id": 5, "code": "6400-IT", "name": "IT"}, "contract": None}],
    )

    message = told(world)

    assert "<i>Account</i>: 6400-IT (IT)<br>- <i>Without a contract</i>: 1 item" in message


def test_recoding_a_line_announces_nothing_again_and_the_old_button_still_decides() -> None:
    world = World()
    number = world.requisition(JAMIE, lines=[LAPTOP])
    [card] = world.announced()
    world.clock.advance(60)

    world.coupa.world.edit_line(number, 0, account=["6100-HQ", "6200-LAB"])

    assert world.announced() == []
    assert world.click(card, JAMIE).body["outcome"] == "approved"


@pytest.mark.parametrize(
    "change",
    [{"source-type": "Form"}, {"contract": {"id": 9}}, {"account": None, "account-allocations": []}],
    ids=str,
)
def test_nor_does_a_catalogue_a_contract_or_an_account_that_comes_or_goes(change: dict[str, Any]) -> None:
    world = World()
    number = world.requisition(JAMIE, lines=[LAPTOP])
    [card] = world.announced()
    world.clock.advance(60)

    world.coupa.world.requisition(number).requisition_lines[0].raw = change
    world.coupa.world.edit_line(number, 0)

    assert world.announced() == []
    assert world.click(card, JAMIE).body["outcome"] == "approved"


@pytest.mark.slow
def test_lines_that_do_not_come_are_counted_and_logged_once_in_a_sweep(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    numbers = [world.requisition(["jamie@example.com", "robin@example.com"]) for _ in range(60)]
    for number in numbers[:55]:
        world.coupa.world.override(("requisition", number), {"requisition-lines": DELETED})

    with caplog.at_level(logging.ERROR):
        summary = world.sweep()

    [said] = [each.getMessage() for each in caplog.records if "coupa_lines" in each.getMessage()]
    assert summary.counts["lines_missing"] == 55
    assert "lines_missing=55" in str(summary)
    what = f"type=RequisitionHeader document_id={numbers[0]}"
    assert said == f"lines missing code=coupa_lines documents=55, such as {what}"


@pytest.mark.parametrize("count", [DELETED, None, 0, 1, "1", "many", -3, True])
def test_a_count_of_lines_that_is_missing_or_odd_is_no_fault(count: Any) -> None:
    world = World()
    number = world.requisition(JAMIE)
    world.coupa.world.override(("requisition", number), {"line-count": count})

    summary = world.sweep()

    assert "lines_missing" not in summary.counts
    assert len(world.moveworks.delivered) == 1


def test_what_lines_that_did_not_come_are_worth_is_not_known() -> None:
    world = World(settings={"STEP_UP_OVER": '{"USD": 10000}'})
    number = world.requisition(JAMIE)
    world.coupa.world.override(("requisition", number), {"line-count": 2})
    [card] = world.announced()

    assert "every amount" in card.message
    assert world.click(card, JAMIE).body["outcome"] == "step_up"
    assert world.puts() == 0
