"""The six kinds of documents as Coupa's people enter them: the fields of each, with an example.

It makes the attributes that the simulated Coupa keeps; it shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from sandbox.coupa.world import REQUISITION, Approver, Line, World
from sandbox.page.form import Form
from sandbox.page.formats import CURRENCIES

Mode = Literal["text", "long", "decimal", "number", "day", "check"]
Steps = list[Approver | list[Approver]]


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Attributes:
        example: the first value: a text, or a number of days from now.
        most: the largest number of characters.
    """

    name: str
    label: str
    mode: Mode = "text"
    example: str | int = ""
    is_needed: bool = True
    most: int = 255

    def shown(self, today: date) -> str:
        """Return the example as the form shows it."""
        is_day = isinstance(self.example, int)
        return (today + timedelta(days=int(self.example))).isoformat() if is_day else str(self.example)

    def read(self, form: Form) -> str:
        """Return the entered value; empty for an optional field without one.

        Raises:
            Mistake: the value does not fit the field.
        """
        if self.mode == "day":
            return form.day(self.name)
        if self.is_needed and self.mode == "decimal":
            return form.decimal(self.name)
        return (form.needed if self.is_needed else form.text)(self.name, limit=self.most)


@dataclass(frozen=True)
class Entered:
    """A form that was read.

    Attributes:
        values: by the names of the fields of the kind.
        asker: Coupa's user id of the requester.
    """

    values: Mapping[str, str]
    currency: str
    asker: int
    steps: Steps

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def number(self, name: str) -> Decimal:
        """Return an amount or a quantity."""
        return Decimal(self.values[name])

    def money(self, amount: Decimal) -> str:
        """Return an amount with the decimals of the currency, and at least two."""
        return str(amount.quantize(Decimal(1).scaleb(-max(2, CURRENCIES[self.currency]))))


@dataclass(frozen=True)
class Kind:
    """A kind of document.

    Attributes:
        key: its name in addresses.
        type: Coupa's class name.
        name: its name for people.
        who: the name of the requester's role.
        is_money: it has a currency.
        enter: adds a document to a world and returns its id.
    """

    key: str
    type: str
    name: str
    who: str
    fields: tuple[Field, ...]
    enter: Callable[[World, Entered], int]
    is_money: bool = True


def _requisition(world: World, entered: Entered) -> int:
    line = Line(
        entered["title"],
        quantity=entered["quantity"],
        unit_price=entered["price"],
        supplier=entered["supplier"] or None,
    )
    return world.add_requisition(
        requested_by=entered.asker,
        title=entered["title"],
        justification=entered["justification"] or None,
        currency=entered.currency,
        lines=[line],
        approvers=entered.steps,
        need_by=_noon(entered["needed_by"]),
    )


def _expenses(world: World, entered: Entered) -> int:
    amount, day = entered.money(entered.number("amount")), entered["day"]
    lacks = bool(entered["no_receipt"])
    line: dict[str, Any] = {
        "id": 1,
        "line-number": "1",
        "description": entered["what"],
        "amount": amount,
        "merchant": entered["merchant"],
        "expense-date": _noon(day),
        "requires-receipt": True,
        "currency": _money(entered),
        "expense-category": {"name": entered["category"]},
        "expense-artifacts": [] if lacks else [{"id": 1, "source-file-name": "receipt.pdf"}],
    }
    violations = [{"id": 1, "limit-exceeded": None, "receipt-missing": True}] if lacks else []
    return world.add_document(
        approvable_type="ExpenseReport",
        approvers=entered.steps,
        title=entered["title"],
        total=amount,
        currency=_money(entered),
        expensed_by=entered.asker,
        created_by=entered.asker,
        submitted_by=entered.asker,
        start_date=_noon(day),
        end_date=_noon(day),
        expense_policy_violations=violations,
        expense_lines=[line],
    )


def _invoice(world: World, entered: Entered) -> int:
    net = entered.number("quantity") * entered.number("price")
    line = {
        "id": 1,
        "line-num": "1",
        "description": entered["what"],
        "quantity": entered["quantity"],
        "price": entered["price"],
        "total": entered.money(net),
        "po-number": entered["order"] or None,
        "currency": _money(entered),
    }
    return world.add_document(
        approvable_type="InvoiceHeader",
        approvers=entered.steps,
        invoice_number=entered["number"],
        document_type="Invoice",
        invoice_date=world.now().isoformat(),
        net_due_date=_noon(entered["due"]),
        total_with_taxes=entered.money(net + entered.number("tax")),
        tax_amount=entered.money(entered.number("tax")),
        internal_note=entered["note"] or None,
        currency=_money(entered),
        supplier={"id": 5, "name": entered["supplier"]},
        requested_by=entered.asker,
        created_by=entered.asker,
        invoice_lines=[line],
    )


def _order_change(world: World, entered: Entered) -> int:
    """Add the present order and its change."""
    price, supplier = entered.number("price"), {"id": 5, "name": entered["supplier"]}

    def line(quantity: str) -> dict[str, Any]:
        return {
            "id": 1,
            "line-num": "1",
            "description": entered["what"],
            "quantity": quantity,
            "price": entered["price"],
            "total": entered.money(price * Decimal(quantity)),
            "currency": _money(entered),
        }

    shared: dict[str, Any] = {
        "po_number": entered["order"],
        "currency": _money(entered),
        "supplier": supplier,
        "requester": entered.asker,
        "created_by": entered.asker,
    }
    order = world.add_document(
        approvable_type="OrderHeader",
        approvers=[],
        status="issued",
        order_lines=[line(entered["before"])],
        **shared,
    )
    return world.add_document(
        approvable_type="OrderHeaderChange",
        approvers=entered.steps,
        order_header_id=order,
        total=line(entered["after"])["total"],
        justification=entered["justification"] or None,
        order_line_changes=[line(entered["after"])],
        **shared,
    )


def _contract(world: World, entered: Entered) -> int:
    return world.add_document(
        approvable_type="Contract",
        approvers=entered.steps,
        name=entered["name"],
        number=entered["number"],
        description=entered["description"] or None,
        minimum_value=entered.money(entered.number("least")),
        maximum_value=entered.money(entered.number("most")),
        start_date=_noon(entered["start"]),
        end_date=_noon(entered["end"]),
        currency=_money(entered),
        supplier={"id": 5, "name": entered["supplier"]},
        submitter=entered.asker,
        created_by=entered.asker,
        contract_owner=entered.asker,
    )


def _form(world: World, entered: Entered) -> int:
    answer = {"id": 1, "widget-label": entered["question"], "answer": entered["answer"]}
    return world.add_document(
        approvable_type="EasyFormResponse",
        approvers=entered.steps,
        name=entered["name"],
        submitted_at=world.now().isoformat(),
        requested_by=entered.asker,
        created_by=entered.asker,
        easy_form_widget_responses=[answer],
    )


def _money(entered: Entered) -> dict[str, Any]:
    return {"code": entered.currency, "decimals": CURRENCIES[entered.currency]}


def _noon(day: str) -> str | None:
    """Write a day as Coupa does, with a time; at noon it is the same day in all zones of its people."""
    return f"{day}T12:00:00+00:00" if day else None


_SUPPLIER = Field("supplier", "Supplier", example="Sitwell", most=100, is_needed=False)

KINDS: dict[str, Kind] = {
    each.key: each
    for each in (
        Kind(
            "request",
            REQUISITION,
            "Purchase request",
            "Requester",
            (
                Field("title", "Title", example="Standing desk"),
                Field("quantity", "Quantity", "decimal", "2"),
                Field("price", "Price each", "decimal", "489.50"),
                _SUPPLIER,
                Field("needed_by", "Needed by", "day", 14, is_needed=False),
                Field(
                    "justification", "Justification", "long", "My back hurts.", is_needed=False, most=4_000
                ),
            ),
            _requisition,
        ),
        Kind(
            "expenses",
            "ExpenseReport",
            "Expense report",
            "Whose expenses",
            (
                Field("title", "Title", example="Sales fair in Lyon"),
                Field("what", "What for", example="Two nights"),
                Field("merchant", "Merchant", example="Hotel des Arts", is_needed=False),
                Field("category", "Category", example="Lodging"),
                Field("amount", "Amount", "decimal", "318.40"),
                Field("day", "On", "day", -3),
                Field("no_receipt", "The receipt is missing", "check", is_needed=False),
            ),
            _expenses,
        ),
        Kind(
            "invoice",
            "InvoiceHeader",
            "Invoice",
            "Requester",
            (
                Field("number", "Invoice number", example="INV-2026-118", most=60),
                Field("supplier", "Supplier", example="Hale & Sons", most=100),
                Field("what", "What for", example="Office chairs"),
                Field("quantity", "Quantity", "decimal", "20"),
                Field("price", "Price each", "decimal", "210.00"),
                Field("tax", "Tax", "decimal", "336.00"),
                Field("order", "Order", example="4500012", is_needed=False, most=60),
                Field("due", "Due", "day", 21),
                Field("note", "Internal note", "long", "As agreed by phone.", is_needed=False, most=4_000),
            ),
            _invoice,
        ),
        Kind(
            "order-change",
            "OrderHeaderChange",
            "Change of an order",
            "Requester",
            (
                Field("order", "Order", example="4500012", most=60),
                Field("supplier", "Supplier", example="Hale & Sons", most=100),
                Field("what", "What for", example="Shelf, 2 m"),
                Field("price", "Price each", "decimal", "64.00"),
                Field("before", "Ordered so far", "decimal", "10"),
                Field("after", "To become", "decimal", "16"),
                Field(
                    "justification",
                    "Justification",
                    "long",
                    "The new office is larger.",
                    is_needed=False,
                    most=4_000,
                ),
            ),
            _order_change,
        ),
        Kind(
            "contract",
            "Contract",
            "Contract",
            "Submitter",
            (
                Field("name", "Name", example="Cleaning of the head office"),
                Field("number", "Contract number", example="C-119", most=60),
                Field("supplier", "Supplier", example="Sparkle GmbH", most=100),
                Field("least", "At least", "decimal", "10000.00"),
                Field("most", "At most", "decimal", "48000.00"),
                Field("start", "From", "day", 30),
                Field("end", "Until", "day", 395),
                Field(
                    "description",
                    "Description",
                    "long",
                    "Daily, without windows.",
                    is_needed=False,
                    most=4_000,
                ),
            ),
            _contract,
        ),
        Kind(
            "form",
            "EasyFormResponse",
            "Form",
            "Requester",
            (
                Field("name", "Form", example="New bank account of a supplier"),
                Field("question", "Question", example="Whose account is it?"),
                Field("answer", "Answer", "long", "Hale & Sons, Lyon", most=4_000),
            ),
            _form,
            is_money=False,
        ),
    )
}
"""The kinds by their names in addresses, the most common first."""

NAMES = {each.type: each.name for each in KINDS.values()}
"""The names for people, by Coupa's class name."""
