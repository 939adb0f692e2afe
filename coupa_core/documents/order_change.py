"""Order changes, as the Core API defines them: Purchase Order Change, Purchase Order Line Change."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from coupa_core.documents.readable import Readable
from coupa_core.model import (
    Asker,
    CoupaRecord,
    Currency,
    DocumentKind,
    Flag,
    Line,
    MaybeId,
    Number,
    Text,
    only_readable,
)


class OrderLineChange(Line):
    """A line of the order after the change."""

    unit_price: Annotated[Number, Field(alias="price")] = None
    pending_delete: Flag = None

    @property
    def terms(self) -> tuple[str | bool | None, ...]:
        """Return whether the change deletes the line."""
        return (self.pending_delete is True,)


class OrderChange(Readable):
    """A change of an issued purchase order. Comments are on the order, not on the change.

    Attributes:
        old_total: the order's total before the change; None when the order cannot be read or summed up.
    """

    unasked: ClassVar[frozenset[str]] = frozenset(
        {"department", "submitted_at", "comments", "line_count", "old_total"}
    )

    kind: ClassVar[DocumentKind] = DocumentKind.ORDER_CHANGE
    names_turn: ClassVar[bool] = True
    resource: ClassVar[str] = "purchase_order_changes"
    comments_at: ClassVar[str] = "purchase_orders"
    comments_as: ClassVar[str] = "OrderHeader"
    scope: ClassVar[str] = "core.purchase_order.read"

    title: Annotated[Text, Field(alias="po-number")] = None
    requested_by: Annotated[Asker, Field(alias="requester")] = None
    lines: Annotated[
        tuple[OrderLineChange, ...], BeforeValidator(only_readable), Field(alias="order-line-changes")
    ] = ()
    order_header_id: MaybeId = None
    supplier_initiated: Flag = None
    pending_cancel: Flag = None
    old_total: Number = None

    @property
    def commented_on(self) -> int | None:
        """Return the id of the order; None where Coupa does not give it."""
        return self.order_header_id

    @property
    def amounts(self) -> dict[str, Decimal | None]:
        """Return the order's totals before and after the change."""
        return {"old_total": self.old_total, "total": self.total}

    @property
    def worth(self) -> None:
        """Return None: the order's total is not the amount of the change, and each change would count it."""
        return None

    @property
    def terms(self) -> dict[str, Any]:
        """Return whether the change cancels the order, and whether the supplier started it."""
        return {"cancels": self.pending_cancel is True, "started_by": self.supplier_initiated is True}


def _all_or_none(lines: Any) -> Any:
    """Accept a list of readable lines; without one of them the sum would be wrong, so the list is empty."""
    return lines if lines == only_readable(lines) else []


class Order(CoupaRecord):
    """An issued purchase order, read for its total: Coupa documents totals of lines only."""

    id: MaybeId = None
    order_lines: Annotated[tuple[Line, ...], BeforeValidator(_all_or_none)] = ()

    def total_in(self, currency: Currency | None) -> Decimal | None:
        """Return the sum of the lines; None without lines, or when one has no total in this currency."""
        known = [
            line.total
            for line in self.order_lines
            if line.total is not None
            and not line.is_unclear
            and (line.currency is None or (currency is not None and line.currency.code == currency.code))
        ]
        return sum(known, Decimal(0)) if known and len(known) == len(self.order_lines) else None
