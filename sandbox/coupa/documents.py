"""The documents of an instance, with their chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.coupa.instance import Table
from sandbox.coupa.people import People
from sandbox.coupa.raw import file, record
from sandbox.coupa.records import (
    PENDING,
    REQUISITION,
    Approval,
    Approver,
    Document,
    Group,
    Line,
    Record,
    Requisition,
    RequisitionLine,
)

_PEOPLE = frozenset(
    ["created-by", "requested-by", "expensed-by", "submitted-by", "requester", "contract-owner", "submitter"]
)
"""Attributes of documents that are users."""


class Documents(People):
    """Documents and their approvals."""

    def add_requisition(
        self,
        *,
        requested_by: int,
        created_by: int | None = None,
        title: str = "Laptops",
        justification: str | None = None,
        currency: str = "USD",
        lines: Sequence[Line] = (),
        approvers: Sequence[Approver | Sequence[Approver]] = (),
        need_by: datetime | str | None = None,
        department: str | None = None,
        ship_to: str | None = None,
        submitted: bool = True,
        holdable: bool = False,
        **more: Any,
    ) -> int:
        """Add a requisition with its whole chain and return its id.

        `approvers` are the steps in order; a sequence within is a parallel step. `submitted=False` leaves
        a draft, whose approvals are listed as pending all the same. `more` are more attributes of the
        resource with underscores for hyphens, and `id` for a chosen one.
        """
        with self.lock:
            number, now = more.pop("id", None) or next(self._document_ids), self.now()
            named: dict[str, Any] = {"department": self._name("department", department)}
            named |= {"ship-to-address": self._name("address", ship_to), "need-by-date": need_by}
            money = self._currency(currency)
            requester = self.users.rows[requested_by]
            document = Requisition(
                id=number,
                type=REQUISITION,
                status=PENDING if submitted else "draft",
                created_at=now,
                updated_at=now,
                steps=approvers,
                req_title=title,
                justification=justification,
                currency=money,
                requested_by=requester,
                created_by=requester if created_by is None else self.users.rows[created_by],
                requisition_lines=[self._line(place, each, money) for place, each in enumerate(lines, 1)],
                submitted_at=now if submitted else None,
                extra={"attachments": [], **named, **self._attributes(more)},
            )
            return self._add(document, holdable=holdable)

    def add_document(
        self,
        *,
        approvable_type: str,
        approvers: Sequence[Approver | Sequence[Approver]],
        status: str = PENDING,
        holdable: bool = False,
        **more: Any,
    ) -> int:
        """Add a document of another type and return its id.

        Args:
            approvable_type: its class name, such as `InvoiceHeader`.
            approvers: as for a requisition.
            status: of the document.
            holdable: whether its approvals may be put on hold.
            more: its attributes as raw JSON, with underscores for hyphens; `id` for a chosen one, and the
                id of a user for an attribute that is a person.
        """
        with self.lock:
            number, now = more.pop("id", None) or next(self._document_ids), self.now()
            document = Document(
                id=number,
                type=approvable_type,
                status=status,
                created_at=now,
                updated_at=now,
                steps=approvers,
                extra=self._attributes(more),
            )
            return self._add(document, holdable=holdable)

    def edit_document(self, kind: str, number: int, **changes: Any) -> None:
        """Change attributes of a document of another type, as raw JSON; its approvals stay as they are."""
        with self.lock:
            document = self.documents[kind].rows[number]
            document.extra |= self._attributes(changes)
            self._move(document)

    def requisition(self, rid: int) -> Requisition:
        """Return a requisition, live.

        Raises:
            KeyError: there is none.
        """
        with self.lock:
            found = self.documents[REQUISITION].rows[rid]
            assert isinstance(found, Requisition)
            return found

    def document(self, number: int) -> Document:
        """Return the document with this id, live; a requisition before any other type.

        Raises:
            KeyError: there is none.
        """
        with self.lock:
            for table in self.documents.values():
                if number in table.rows:
                    return table.rows[number]
            raise KeyError(number)

    def approval(self, aid: int) -> Approval:
        """Return an approval, live.

        Raises:
            KeyError: there is none, or none any more.
        """
        with self.lock:
            return self.approvals.rows[aid]

    def approvals_of(self, number: int) -> list[Approval]:
        """Return a document's approvals in the order of its chain."""
        with self.lock:
            return list(self.document(number).approvals)

    def edit_line(
        self,
        rid: int,
        line_index: int,
        *,
        quantity: str | None = None,
        unit_price: str | None = None,
        amount: str | None = None,
        description: str | None = None,
        account: str | Sequence[str] | None = None,
    ) -> None:
        """Change a line of a requisition; its approvals stay as they are."""
        with self.lock:
            line = self.requisition(rid).requisition_lines[line_index]
            changes = {"quantity": quantity, "unit_price": unit_price, "amount": amount}
            changes["description"] = description
            for name, value in changes.items():
                if value is not None:
                    setattr(line, name, value)
            if account is not None:
                line.extra |= self._charged_to(account)
            self._move(self.requisition(rid))

    def _attributes(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """Return raw JSON as the world keeps it: objects are records, and a number for a person is that user.

        An invoice counts its lines, as a requisition does.
        """
        kept = record(more).extra
        if isinstance(kept.get("invoice-lines"), list):
            kept.setdefault("line-count", len(kept["invoice-lines"]))
        for name in _PEOPLE & kept.keys():
            if isinstance(kept[name], int):
                kept[name] = self.users.rows[kept[name]]
        return kept

    def _line(self, place: int, entered: Line, currency: Record) -> RequisitionLine:
        named: dict[str, Any] = {
            kind: self._name(kind, value)
            for kind in ("supplier", "commodity", "contract", "uom", "item")
            for value in [getattr(entered, kind)]
        }
        named |= self._charged_to(entered.account) | {"source-type": entered.source_type}
        named["period"] = self._periods.get(entered.period or 0)
        return RequisitionLine(
            id=next(self._line_ids),
            line_num=place,
            description=entered.description,
            quantity=entered.quantity,
            unit_price=entered.unit_price,
            amount=entered.amount,
            currency=currency,
            extra={**named, "attachments": [file(name) for name in entered.attachments]},
        )

    def _charged_to(self, account: str | Sequence[str] | None) -> dict[str, Any]:
        """Return the account of a line, or the accounts of a split line, which has no account of its own."""
        one = account if isinstance(account, str) else None
        several = () if one else account or ()
        return {
            "account": self._name("account", one),
            "account-allocations": [
                Record(extra={"id": part, "account": self._name("account", name)})
                for part, name in enumerate(several, 1)
            ],
        }

    def _add(self, document: Document, *, holdable: bool) -> int:
        self.documents.setdefault(document.type, Table()).put(document.id, document)
        self._ask(document, holdable=holdable)
        return document.id

    def _ask(self, document: Document, *, holdable: bool) -> None:
        """Create the whole chain at once; every approval is pending from the start."""
        for position, step in enumerate(document.steps, 1):
            if isinstance(step, int | Group):
                self._approval(document, step, position, None, holdable=holdable)
                continue
            for each in step:
                self._approval(document, each, position, f"Parallel {position}", holdable=holdable)

    def _approval(
        self, document: Document, asked: Approver, position: int, parallel: str | None, *, holdable: bool
    ) -> Approval:
        approver = self._approver(asked)
        at = None if document.status == "draft" else self.now()
        approval = Approval(
            id=next(self._approval_ids),
            document=document,
            approver=approver,
            position=position,
            parallel_group_name=parallel,
            delegations=self._delegations_for(approver),
            clock=self._clock,
            created_at=at,
            updated_at=at,
            holdable=holdable,
            extra={"approval-chain-id": 33, "reasons": []},
        )
        document.approvals.append(approval)
        return self.approvals.put(approval.id, approval)
