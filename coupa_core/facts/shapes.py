"""The facts there are, and the records that they are read from. Pure; `matching` has the rules.

Every source is a page of the Core API,
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api/resources
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from coupa_core.model import (
    Account,
    CoupaRecord,
    Flag,
    Lenient,
    Line,
    MaybeCurrency,
    MaybeId,
    MaybeSupplier,
    Name,
    Number,
    Step,
    Text,
    Unit,
)

SEGMENTS = range(1, 21)
"""The segments that an account of Coupa may have."""


class Fact(StrEnum):
    """The facts that there are; each needs one more call to Coupa for fifty documents."""

    OPEN_REQUESTS = "open_requests"
    """The requester's other open requests, and a possible duplicate."""
    BUDGET = "budget"
    """The budget line that all lines are charged to."""
    LAST_PRICE = "last_price"
    """The price in the last order of the same item from the same supplier."""
    AGREED_PRICE = "agreed_price"
    """The price in the supplier's catalogue."""
    SUPPLIER_STATUS = "supplier_status"
    """A supplier that is on hold, or not active."""


FACT_RESOURCES = {
    Fact.OPEN_REQUESTS: "requisitions",
    Fact.BUDGET: "budget_lines",
    Fact.LAST_PRICE: "purchase_order_lines",
    Fact.AGREED_PRICE: "supplier_items",
    Fact.SUPPLIER_STATUS: "suppliers",
}
"""The resource of each fact."""


# ---------------------------------------------------------------------- the lines of a requisition


def _texts(segments: Any) -> Any:
    return {number: text for number, text in segments.items() if isinstance(text, str) and text.strip()}


def _marked(segments: Any) -> Any:
    """Return the segments that are marked; None where one says neither that it is nor that it is not."""
    is_clear = all(is_marked in (True, False, None) for is_marked in segments.values())
    return {number for number, is_marked in segments.items() if is_marked} if is_clear else None


class _Segmented(CoupaRecord):
    """Gathers `segment-1` to `segment-20`, whichever way they are spelt."""

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, raw: Any) -> Any:
        return raw | {"segments": _numbered(raw, "segment")}


def _numbered(raw: dict[str, Any], name: str) -> dict[int, Any]:
    """Return the fields with a number from 1 to 20 after their name."""
    spelt = {key.replace("_", "-"): value for key, value in raw.items()}
    return {number: spelt.get(f"{name}-{number}") for number in SEGMENTS}


Segments = Annotated[dict[int, str], BeforeValidator(_texts)]


class Charged(Account, _Segmented):
    """The account of a line, with its text in each segment of a chart of accounts.

    Source: .../reference-data-resources/accounts-api-(accounts)
    """

    unasked: ClassVar[frozenset[str]] = frozenset({"account_type", "segments"})

    account_type: Annotated[Step | None, Lenient] = None
    segments: Segments = Field(default_factory=dict)


class Period(_Segmented):
    """A budget period: whether it is open, and which segments its budget lines are told apart by.

    Source: .../shared-resources/budget-period-api, "segment-1 ... boolean", "is-open"
    """

    id: MaybeId = None
    name: Text = None
    is_open: Flag = None
    account_type: Annotated[Step | None, Lenient] = None
    segments: Annotated[frozenset[int] | None, BeforeValidator(_marked)] = None


def _object(value: Any) -> Any:
    """Read a value that is not an object as an empty one."""
    return value if value is None or isinstance(value, dict) else {}


MaybePeriod = Annotated[Period | None, BeforeValidator(_object), Lenient]
MaybeUnit = Annotated[Unit | None, Lenient]


class RequestLine(Line):
    """A line of a requisition: what of it leads to facts is there only where those are asked for.

    Source: .../transactional-resources/requisitions-api-(requisitions)/requisition-line-api, "item",
    "account", "account-allocations", "period: Budget period"
    """

    item: Annotated[Step | None, Lenient] = None
    account: Annotated[Charged | None, BeforeValidator(_object), Lenient] = None
    period: MaybePeriod = None

    @property
    def pair(self) -> tuple[int, int] | None:
        """Return the ids of item and supplier; None where there are none, or no price for them."""
        item = self.item.id if self.item else None
        supplier = self.supplier.id if self.supplier else None
        return None if item is None or supplier is None or self.unit_price is None else (item, supplier)


# ---------------------------------------------------------------------- the records of facts


class BudgetLine(_Segmented):
    """The rest of the budget of some segments in a period, by Coupa's own count.

    Source: .../reference-data-resources/budget-lines-api-(budget-lines), "remaining",
    "pending_requisitions_amount: Amount consumed by pending requisitions"
    """

    id: MaybeId = None
    period: MaybePeriod = None
    segments: Segments = Field(default_factory=dict)
    currency: MaybeCurrency = None
    remaining: Number = None
    pending_requisitions_amount: Number = None

    @property
    def is_usable(self) -> bool:
        """Tell whether it has its period and the remaining amount."""
        return self.period is not None and self.period.id is not None and self.remaining is not None

    def pays(self, line: RequestLine) -> bool:
        """Tell whether a line is charged to it: same period, same text in each segment that this marks."""
        mine, its, account = self.period, line.period, line.account
        if mine is None or its is None or account is None or mine.id is None or mine.id != its.id:
            return False
        marked = mine.segments or ()
        is_same = all(n in self.segments and self.segments[n] == account.segments.get(n) for n in marked)
        return bool(marked) and is_same and self.may_pay(line)

    def may_pay(self, line: RequestLine) -> bool:
        """Tell whether a line may be charged to it: nothing that both say is another."""
        mine, its, account = self.period or Period(), line.period or Period(), line.account or Charged()
        marked = mine.segments or its.segments or ()
        known_ids: list[set[object]] = [{self.segments.get(n), account.segments.get(n)} for n in marked]
        known_ids += [
            {mine.id, its.id},
            {each.account_type and each.account_type.id for each in (mine, account)},
        ]
        return all(len(each - {None}) <= 1 for each in known_ids)


class CatalogItem(CoupaRecord):
    """Something that is bought again and again, and its unit where that is asked for."""

    id: MaybeId = None
    uom: MaybeUnit = None


class _Priced(CoupaRecord):
    id: MaybeId = None
    item: Annotated[CatalogItem | None, Lenient] = None
    supplier: MaybeSupplier = None
    currency: MaybeCurrency = None
    price: Number = None

    @property
    def is_usable(self) -> bool:
        """Tell whether it has item, price and supplier."""
        return self.item is not None and self.supplier is not None and self.price is not None

    def may_be(self, pair: tuple[int, int]) -> bool:
        """Tell whether it is about an item of a supplier, or does not say that it is about another."""
        known_ids = (self.item.id if self.item else None, self.supplier.id if self.supplier else None)
        return all(mine in (None, wanted) for mine, wanted in zip(known_ids, pair, strict=True))


NO_ORDER = (
    *("cancel", "void", "reject", "declin", "denied", "draft", "pending", "error", "fail", "abandon"),
    *("withdraw", "delete", "not_", "not ", "on_hold", "buyer_hold", "supplier_window_hold", "currency_hold"),
)
"""How the states begin in which nothing was ordered, or not yet; Coupa writes `cancelled` and `canceled`."""


class OrderedLine(_Priced):
    """A line of a purchase order.

    Source: .../purchase-orders-api-(purchase_orders)/purchase-order-lines-api-da-5961-da-5961, under
    transactional-resources
    """

    uom: MaybeUnit = None
    created_at: Text = None
    status: Name = None

    @property
    def is_no_order(self) -> bool:
        """Tell whether nothing was ordered by it, or not any more."""
        return (self.status or "").strip().casefold().startswith(NO_ORDER)


class SupplierItem(_Priced):
    """The price that a supplier has agreed for an item.

    Source: .../suppliers-api-(suppliers)/supplier-items-api-(supplier_items), "price", "price-tier-1" to -20
    """

    has_tiers: bool = False

    @model_validator(mode="before")
    @classmethod
    def _note_tiers(cls, raw: Any) -> Any:
        return raw | {"has_tiers": any(_numbered(raw, "price-tier").values())}


class Standing(CoupaRecord):
    """The state of a supplier: whether orders are allowed.

    Sources: .../reference-data-resources/suppliers-api-(suppliers)-da-5797-da-5797, "on-hold", "buyer-hold",
    "status"; the supplier import has "active, inactive or draft", and "POs can not be created" on hold
    """

    id: MaybeId = None
    status: Name = None
    on_hold: Flag = None
    buyer_hold: Flag = None

    @property
    def is_usable(self) -> bool:
        """Tell whether it says anything of the supplier."""
        return self.status is not None or self.on_hold is not None or self.buyer_hold is not None

    @property
    def is_free(self) -> bool:
        """Tell whether there is nothing to say of it."""
        return not (self.on_hold or self.buyer_hold or self.is_inactive)

    @property
    def is_inactive(self) -> bool:
        """Tell whether Coupa has it as inactive."""
        return (self.status or "").strip().casefold() == "inactive"


@dataclass(frozen=True)
class FactAnswer:
    """Coupa's answer about one fact of some documents.

    Attributes:
        rows: in the order of the answer; an unreadable row has no values, or is left out.
        is_whole: no row is missing, as far as known.
        unread: the number of unreadable rows.
        came: the number of rows.
    """

    rows: Sequence[CoupaRecord]
    is_whole: bool
    unread: int = 0
    came: int = 0
