"""The kinds of documents: the turn, the changes of the content hash, and the totals of their parts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from goldens import CHAIN, RECORDS, approval, document

from coupa_core.content import content_hash
from coupa_core.documents import DOCUMENT_MODELS, Invoice, Order, enabled, kind_of, parse_document
from coupa_core.model import Attachment, Currency, DocumentKind, Unreadable, has_turn

NAMES_ITS_TURN = ["RequisitionHeader", "OrderHeaderChange", "Contract", "EasyFormResponse"]
BY_POSITION = ["InvoiceHeader", "ExpenseReport"]


@pytest.mark.parametrize("kind", NAMES_ITS_TURN)
def test_most_kinds_name_whose_turn_it_is_and_must_themselves_wait(kind: str) -> None:
    assert has_turn(approval(id=853), document(kind), [])
    assert has_turn(approval(id=854), document(kind), [])
    assert not has_turn(approval(id=855), document(kind), [])
    assert not has_turn(approval(id=853), document(kind, status="draft"), [])
    assert not has_turn(
        approval(id=853), document(kind, current_approval=None, current_parallel_approvals=None), []
    )


@pytest.mark.parametrize("kind", BY_POSITION)
def test_invoices_and_expense_reports_show_the_turn_by_the_positions_of_their_chain(kind: str) -> None:
    later = {**CHAIN[1], "id": 855, "position": 3, "parallel-group-name": None}
    chain = [*CHAIN, later, {**later, "id": 856, "position": 4, "parallel-group-name": "CFO"}]

    shown = document(kind, approvals=chain)

    assert has_turn(approval(id=853), shown, [])
    assert has_turn(approval(id=856), shown, [])
    assert not has_turn(approval(id=852), shown, [])
    assert not has_turn(approval(id=855), shown, [])
    assert not has_turn(approval(id=853), document(kind, approvals=chain, status="draft"), [])


@pytest.mark.parametrize("kind", BY_POSITION)
def test_without_its_chain_it_is_nobodys_turn(kind: str) -> None:
    assert not has_turn(approval(id=853), document(kind, approvals=None), [approval(id=853)])


def test_in_a_document_that_cannot_be_read_it_is_nobodys_turn() -> None:
    closed = Unreadable(type="InvoiceHeader", id=14170, scope="core.invoice.read")

    assert not has_turn(approval(id=853), closed, [approval(id=853)])


@pytest.mark.parametrize("kind", DOCUMENT_MODELS)
def test_a_document_that_was_only_touched_has_the_same_digest(kind: str) -> None:
    assert content_hash(document(kind, updated_at="2027-01-01T00:00:00Z")) == content_hash(document(kind))


def test_an_order_whose_line_changes_its_supplier_has_another_digest() -> None:
    [line, *rest] = RECORDS["OrderHeaderChange"]["order-line-changes"]
    other = document("OrderHeaderChange", order_line_changes=[{**line, "supplier": {"id": 8}}, *rest])

    assert content_hash(other) != content_hash(document("OrderHeaderChange"))


def test_documents_of_two_kinds_never_have_one_digest() -> None:
    bare = [parse_document(kind, {"id": 7}) for kind in DOCUMENT_MODELS]

    assert len({content_hash(each) for each in bare if each}) == len(DOCUMENT_MODELS)


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ([{"total": "80.00"}, {"total": "20.5"}], "100.50"),
        ([{"total": "80.00"}, {"total": None}], None),
        ([{"total": "0.00"}], "0.00"),
        ([{"total": "1.00", "currency": {"code": "USD"}}, {"total": "2.00"}], "3.00"),
        ([{"total": "1.00", "currency": {"code": "KWD"}}], None),
        ([{"total": "1.00", "currency": "KWD"}], None),
        ([{"total": "1.00"}, "x"], None),
        ([{"total": "1.00"}, {"total": "1,000.00"}], None),
        ({"1": {"total": "1.00"}}, None),
        ([], None),
        (None, None),
    ],
)
def test_an_order_comes_to_the_sum_of_its_lines_when_each_has_a_total_in_its_currency(
    lines: Any, total: str | None
) -> None:
    order = Order.model_validate({"id": 1, "order-lines": lines})

    assert order.total_in(Currency(code="USD")) == (Decimal(total) if total else None)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ({"file": "https://f.test/a/offer.pdf", "url": "https://x.test/y"}, "offer.pdf"),
        ({"file": None, "url": "https://x.test/y"}, "y"),
        ({"file": "", "url": "https://x.test"}, "x.test"),
        ({"file": "a/b%20c.pdf"}, "b c.pdf"),
        ({}, ""),
    ],
)
def test_an_attachment_is_called_by_the_end_of_its_address(raw: dict[str, Any], name: str) -> None:
    assert Attachment.model_validate(raw).name == name


def test_the_orders_of_an_invoice_are_named_once() -> None:
    invoice = document("InvoiceHeader", invoice_lines=[{"po-number": each} for each in ("2", "1", None, "2")])

    assert isinstance(invoice, Invoice)
    assert invoice.orders == ["2", "1"]


def test_types_that_can_be_read_are_told_from_the_others() -> None:
    assert enabled(("InvoiceHeader", "Other", "RequisitionHeader")) == ["RequisitionHeader", "InvoiceHeader"]
    assert enabled(("*",)) == list(DOCUMENT_MODELS)
    assert (kind_of("Contract"), kind_of("Other")) == (DocumentKind.CONTRACT, DocumentKind.OTHER)
    assert len({source.scope for source in DOCUMENT_MODELS.values()}) == len(DOCUMENT_MODELS)
