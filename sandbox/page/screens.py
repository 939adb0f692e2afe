"""Coupa's screens: the list, one document with its chain, groups, delegations.

It knows where each kind of document keeps the values of a screen, and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import PENDING, REQUISITION, Approval, Document, Record, Requisition, User
from sandbox.page.formats import CURRENCIES, day, money, quantity
from sandbox.page.kinds import KINDS, NAMES

SHOWN = 50
"""The number of listed documents, the newest ones."""

_ORDERS = "order_headers"
_PATH = re.compile(r"/(requisition_headers|invoices|expense_reports|contracts|order_headers)/([0-9]{1,19})")
"""The paths of documents on Coupa's own screens; a form has none."""


@dataclass(frozen=True)
class Face:
    """The served names of the attributes on the screen of a kind of document.

    Attributes:
        called: the attribute before the title.
        facts: more attributes, by their labels for people.
    """

    title: str
    asker: str = "requested-by"
    total: str = "total"
    lines: str = ""
    called: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


FACES = {
    REQUISITION: Face(
        "req-title",
        lines="requisition-lines",
        facts={"Needed by": "need-by-date", "Justification": "justification"},
    ),
    "ExpenseReport": Face(
        "title", "expensed-by", lines="expense-lines", facts={"From": "start-date", "Until": "end-date"}
    ),
    "InvoiceHeader": Face(
        "invoice-number",
        total="total-with-taxes",
        lines="invoice-lines",
        facts={"Tax": "tax-amount", "Due": "net-due-date", "Internal note": "internal-note"},
    ),
    "OrderHeaderChange": Face(
        "po-number",
        "requester",
        lines="order-line-changes",
        called="Order ",
        facts={"Justification": "justification"},
    ),
    "Contract": Face(
        "name",
        "submitter",
        total="maximum-value",
        facts={
            "Number": "number",
            "At least": "minimum-value",
            "At most": "maximum-value",
            "From": "start-date",
            "Until": "end-date",
            "Description": "description",
        },
    ),
    "EasyFormResponse": Face("name"),
}
_OTHER = Face("title")
_MONEY = {"tax-amount", "minimum-value", "maximum-value"}


class Screens:
    """The views of Coupa.

    Args:
        coupa: the simulator.
        people: Coupa's user ids by e-mail.
    """

    def __init__(self, coupa: CoupaSimulator, people: dict[str, int]) -> None:
        self._world = coupa.world
        self._people = people

    def view(self, screen: str) -> dict[str, Any]:
        """Return the view: `screen` and its name, its content, and the people to choose from.

        An unknown document gives the list.
        """
        with self._world.lock:
            document = self._find(screen)
            kind = KINDS.get(screen.removeprefix("new/"))
            name = "document" if document else "new" if screen.startswith("new") else screen
            return {
                "screen": name if name in ("document", "new", "people") else "list",
                "document": self._document(document) if document else None,
                "documents": [self._row(each) for each in self._newest()],
                "kind": kind,
                "kinds": KINDS,
                "today": self._world.now().date(),
                "currencies": [{"value": code, "id": code, "name": code} for code in CURRENCIES],
                "people": self._all_people(),
                "approvers": [*self._all_people(), *self._all_groups()],
                "groups": [
                    {
                        "id": group.id,
                        "name": group.name,
                        "members": [self._person(each) for each in group.users],
                    }
                    for group in self._world.groups.rows.values()
                ],
                "delegations": self._delegations(),
            }

    def screen_of(self, path: str) -> str:
        """Return the screen for a path of Coupa's own screens; the list for an unknown path."""
        found = _PATH.fullmatch(path)
        if not found:
            return ""
        if found[1] != _ORDERS:
            return found[2]
        with self._world.lock:
            changes = self._world.documents.get("OrderHeaderChange")
            of_it = [
                each.id
                for each in (changes.rows.values() if changes else ())
                if str(each.extra.get("order-header-id")) == found[2]
            ]
            return str(of_it[-1]) if of_it else ""

    def _find(self, screen: str) -> Document | None:
        if not screen.isdigit():
            return None
        try:
            return self._world.document(int(screen))
        except KeyError:
            return None

    def _newest(self) -> list[Document]:
        """Return the entered documents; an order exists only for its change."""
        tables = [table for kind, table in self._world.documents.items() if kind != "OrderHeader"]
        documents = [each for table in tables for each in table.rows.values()]
        return sorted(documents, key=lambda each: -each.id)[:SHOWN]

    def _row(self, document: Document) -> dict[str, Any]:
        face = FACES.get(document.type, _OTHER)
        asker = _value(document, face.asker)
        return {
            "id": document.id,
            "kind": NAMES.get(document.type, document.type),
            "title": face.called + str(_value(document, face.title) or document.type),
            "status": document.status,
            "requester": asker.fullname if isinstance(asker, User) else None,
            "total": _amount(document, _value(document, face.total)),
            "turn": [_name(each.approver) for each in document.turn] if document.status == PENDING else [],
        }

    def _document(self, document: Document) -> dict[str, Any]:
        face = FACES.get(document.type, _OTHER)
        facts = {label: _fact(document, name) for label, name in face.facts.items()}
        is_back = isinstance(document, Requisition) and document.rejected
        supplier = document.extra.get("supplier")
        if isinstance(supplier, Record):
            facts = {"Supplier": supplier.extra.get("name"), **facts}
        facts |= {
            str(each.extra.get("widget-label")): each.extra.get("answer") for each in _answers(document)
        }
        return self._row(document) | {
            "facts": {label: value for label, value in facts.items() if value not in (None, "")},
            "lines": [_line(document, each) for each in _value(document, face.lines) or ()],
            "can_edit": isinstance(document, Requisition),
            "is_waiting": document.status == PENDING,
            "is_draft": document.status == "draft",
            "why_back": _value(document, "reject-reason-comment") if is_back else None,
            "chain": [self._step(each) for each in document.approvals],
            "comments": [
                {"who": each.created_by.fullname, "at": each.created_at, "text": each.comments}
                for each in document.comments
            ],
        }

    def _step(self, approval: Approval) -> dict[str, Any]:
        approver = approval.approver
        first = approver if isinstance(approver, User) else next(iter(approver.users), None)
        document = approval.document
        return {
            "id": approval.id,
            "position": approval.position,
            "is_parallel": bool(approval.parallel_group_name),
            "approver": _name(approver),
            "status": approval.status,
            "is_open": approval.is_open and document.status == PENDING,
            "is_turn": document.status == PENDING and approval in document.turn,
            "decided_by": approval.approved_by.fullname if approval.approved_by else None,
            "note": approval.note,
            "likely": first.id if first else None,
        }

    def _person(self, user: User) -> dict[str, Any]:
        return {"value": f"user-{user.id}", "id": user.id, "name": user.fullname}

    def _all_people(self) -> list[dict[str, Any]]:
        return [self._person(self._world.users.rows[number]) for number in self._people.values()]

    def _all_groups(self) -> list[dict[str, Any]]:
        groups = self._world.groups.rows.values()
        return [{"value": f"group-{each.id}", "id": each.id, "name": _name(each)} for each in groups]

    def _delegations(self) -> list[dict[str, Any]]:
        now = self._world.now()
        return [
            {
                "id": each.id,
                "by": each.delegator.fullname,
                "to": each.delegate.fullname,
                "end": each.end_date,
                "is_on": each.start_date <= now < each.end_date,
            }
            for each in self._world.delegations.rows.values()
        ]


def _value(record: Record, name: str) -> Any:
    """Return an attribute by its served name, from any part of the record; None when it has none."""
    if name in record.extra:
        return record.extra[name]
    return getattr(record, name.replace("-", "_"), None) if name else None


def _name(approver: Any) -> str:
    return approver.fullname if isinstance(approver, User) else f"{approver.name} (group)"


def _amount(document: Document, amount: Any) -> str:
    """Write an amount with its currency; a currency of a requisition keeps its code as its name."""
    currency = _value(document, "currency")
    if amount is None or not isinstance(currency, Record):
        return ""
    return money(amount, str(currency.extra.get("code") or currency.extra.get("name")))


def _line(document: Document, line: Record) -> dict[str, Any]:
    """Return a line: quantity and price for the form, and all that is `shown`."""
    number, price = _value(line, "quantity"), _value(line, "unit-price") or _value(line, "price")
    total = _value(line, "total")
    return {
        "description": _value(line, "description"),
        "quantity": number,
        "price": price,
        "shown": {
            "quantity": "" if number is None else quantity(number),
            "price": _amount(document, price),
            "total": _amount(document, _value(line, "amount") if total is None else total),
        },
    }


def _fact(document: Document, name: str) -> Any:
    """Return an attribute as text for the screen."""
    value = _value(document, name)
    if name in _MONEY:
        return _amount(document, value)
    return day(value) if value and name.endswith("-date") else value


def _answers(document: Document) -> Iterable[Record]:
    answers: list[Record] = document.extra.get("easy-form-widget-responses") or []
    return answers
