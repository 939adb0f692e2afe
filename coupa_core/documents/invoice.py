"""Invoices and credit notes, as the Core API defines them: Invoices, Invoice Line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from coupa_core.documents.readable import Readable
from coupa_core.model import (
    Attachment,
    CoupaRecord,
    Currency,
    DocumentKind,
    Lenient,
    Line,
    MaybeAgreement,
    Number,
    Person,
    Text,
    date_of,
    day_of,
    decimal_text,
    only_readable,
)


class InvoiceLine(Line):
    """A line of an invoice."""

    unasked: ClassVar[frozenset[str]] = frozenset({"supplier", "attachments", "department"})

    unit_price: Annotated[Number, Field(alias="price")] = None
    po_number: Text = None

    @property
    def terms(self) -> tuple[str | bool | None, ...]:
        """Return the number of the purchase order that the line is charged to."""
        return (self.po_number,)


class PaymentTerm(CoupaRecord):
    """A payment term, identified by its code."""

    code: Text = None


class Invoice(Readable):
    """An invoice, or a credit note."""

    unasked: ClassVar[frozenset[str]] = frozenset(
        {"department", "submitted_at", "comments", "current_approval", "current_parallel_approvals"}
    )

    kind: ClassVar[DocumentKind] = DocumentKind.INVOICE
    resource: ClassVar[str] = "invoices"
    comments_at: ClassVar[str] = "invoices"
    comments_as: ClassVar[str] = "InvoiceHeader"
    scope: ClassVar[str] = "core.invoice.read"

    title: Annotated[Text, Field(alias="invoice-number")] = None
    total: Annotated[Number, Field(alias="total-with-taxes")] = None
    justification: Annotated[Text, Field(alias="internal-note")] = None
    lines: Annotated[
        tuple[InvoiceLine, ...], BeforeValidator(only_readable), Field(alias="invoice-lines")
    ] = ()
    document_type: Text = None
    invoice_date: Text = None
    net_due_date: Text = None
    discount_due_date: Text = None
    discount_percent: Number = None
    payment_term: Annotated[PaymentTerm | None, Lenient] = None
    tolerance_failures: Text = None
    image_scan: Text = None
    contract: MaybeAgreement = None

    @property
    def answerer(self) -> Person | None:
        """Return the requester, because the creator of an invoice may be a supplier or a machine."""
        return self.requested_by if self.requested_by and self.requested_by.key else None

    @property
    def is_credit_note(self) -> bool:
        """Tell whether it is a credit note; Coupa's types are `Invoice` and `Credit Note`."""
        return "credit" in (self.document_type or "").casefold()

    @property
    def worth(self) -> tuple[Decimal, Currency] | None:
        """Return the total; None for a credit note, whose sign in Coupa is not documented."""
        return None if self.is_credit_note else super().worth

    @property
    def wanted_by(self) -> tuple[date, ...]:
        """Return the end of the early-payment discount and the due date, in order.

        Source: Coupa Core API, Invoices: "calculated based on the discount" and on the "net payment terms".
        """
        days = (date_of(self.discount_due_date), date_of(self.net_due_date))
        return tuple(sorted({day for day in days if day}))

    @property
    def orders(self) -> list[str]:
        """Return the distinct numbers of the purchase orders that the lines name."""
        return list(dict.fromkeys(line.po_number for line in self.lines if line.po_number))

    @property
    def files(self) -> list[str]:
        """Return the names of the scan and of the attachments, in this order."""
        scan = [Attachment(file=self.image_scan).name] if self.image_scan else []
        return [*scan, *super().files]

    @property
    def terms(self) -> dict[str, Any]:
        """Return the document type, the dates and the tolerance failures."""
        return {
            "form": self.document_type,
            "invoice_date": day_of(self.invoice_date),
            "due": [day_of(self.net_due_date), self.payment_term.code if self.payment_term else None],
            "discount": [day_of(self.discount_due_date), decimal_text(self.discount_percent)],
            "tolerance": self.tolerance_failures or None,
        }
