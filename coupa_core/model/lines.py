"""The parts of a document: lines, accounts, suppliers and attachments."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Self
from urllib.parse import unquote

from pydantic import BeforeValidator, ModelWrapValidatorHandler, PrivateAttr, model_validator

from coupa_core.model.people import somebody
from coupa_core.model.values import (
    CoupaRecord,
    Integer,
    Lenient,
    MaybeId,
    Number,
    Text,
    hyphenated,
    only_readable,
)


class Currency(CoupaRecord):
    """A currency by its ISO 4217 code, with Coupa's number of decimals where it gives one."""

    code: Text = None
    decimals: Integer = None


class Supplier(CoupaRecord):
    """A supplier."""

    id: MaybeId = None
    name: Text = None


class Named(CoupaRecord):
    """A record of which only the name matters, such as a department."""

    name: Text = None


class Account(Named):
    """An account: all segments make the code, and the name is a nickname.

    Source: Coupa Core API, Accounts, .../resources/reference-data-resources/accounts-api-(accounts)
    """

    id: MaybeId = None
    code: Text = None

    @property
    def key(self) -> tuple[str, int | str] | None:
        """Return the field that identifies it, with its value; None where Coupa gives none."""
        known = {"id": self.id, "code": self.code, "name": self.name}
        return next(((by, value) for by, value in known.items() if value), None)


class Unit(CoupaRecord):
    """The unit of a quantity."""

    code: Text = None


def _parts(values: Any) -> Any:
    """Read a list of objects; any other value, in it or instead of it, becomes an unknown part."""
    if values in (None, ""):
        return []
    return [somebody(value) or {} for value in values] if isinstance(values, list) else [{}]


class Agreement(CoupaRecord):
    """The contract of a purchase."""

    id: MaybeId = None


MaybeCurrency = Annotated[Currency | None, Lenient]
MaybeAgreement = Annotated[Agreement | None, BeforeValidator(somebody), Lenient]
MaybeSupplier = Annotated[Supplier | None, BeforeValidator(somebody), Lenient]
MaybeNamed = Annotated[Named | None, BeforeValidator(somebody), Lenient]
MaybeAccount = Annotated[Account | None, BeforeValidator(somebody), Lenient]


class Allocation(CoupaRecord):
    """A part of a line that is split between accounts.

    Source: Coupa Core API, Req Line Allocation, "account".
    """

    account: MaybeAccount = None


class Attachment(CoupaRecord):
    """A file or a link at a document: `file` and `url` are addresses that end with the name.

    Source: Coupa Core API, Attachment File, and the sample in "Receipts API Example Calls".
    """

    id: MaybeId = None
    file: Text = None
    url: Text = None

    @property
    def name(self) -> str:
        """Return the name of the file or of the link's target; possibly empty."""
        address = self.file or self.url or ""
        if "://" in address:
            address = address.partition("://")[2].partition("?")[0].partition("#")[0]
        return unquote(address.rstrip("/").rpartition("/")[2])


class Line(CoupaRecord):
    """One line of a document; an amount line has no quantity."""

    id: MaybeId = None
    line_num: Text = None
    description: Text = None
    quantity: Number = None
    unit_price: Number = None
    total: Number = None
    currency: MaybeCurrency = None
    supplier: MaybeSupplier = None
    uom: Annotated[Unit | None, Lenient] = None
    attachments: Annotated[tuple[Attachment, ...], BeforeValidator(only_readable)] = ()
    account: MaybeAccount = None
    account_allocations: Annotated[tuple[Allocation, ...], BeforeValidator(_parts)] = ()
    commodity: MaybeNamed = None
    department: MaybeNamed = None
    contract: MaybeAgreement = None
    _is_unclear: bool = PrivateAttr(default=False)

    @model_validator(mode="wrap")
    @classmethod
    def _note_what_is_unclear(cls, raw: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        line = read(raw)
        given = hyphenated(raw) if isinstance(raw, dict) else {}
        names = ("quantity", "unit_price", "total", "currency")
        line._is_unclear = any(cls.misses(name, given, getattr(line, name)) for name in names)  # noqa: SLF001 - its own
        return line

    @property
    def is_unclear(self) -> bool:
        """Tell whether a figure or a currency cannot be read, so that the amount is unknown."""
        return self._is_unclear

    @property
    def terms(self) -> tuple[str | bool | None, ...]:
        """Return the further signed content of the line."""
        return ()

    @property
    def accounts(self) -> list[Account]:
        """Return the accounts of the line, those of its parts where it is split; empty for no account."""
        split = [each.account or Account() for each in self.account_allocations]
        return split or ([self.account] if self.account else [])

    @property
    def lacks_contract(self) -> bool:
        """Tell whether Coupa says explicitly that it has no contract."""
        return "contract" in self.model_fields_set and self.contract is None

    @property
    def worth(self) -> Decimal | None:
        """Return the amount of the line: the greater of its total and of price times quantity, by size."""
        stated = [self.total] if self.total is not None else []
        if self.unit_price is not None:
            stated.append(self.unit_price * (1 if self.quantity is None else self.quantity))
        return None if self.is_unclear else max(stated, key=abs, default=None)


@dataclass(frozen=True)
class Figure:
    """An amount that a card states; None where Coupa states none that can be read."""

    amount: Decimal | None
    currency: Currency | None


def key_of(supplier: Supplier | None) -> int | str | None:
    """Return the key of a supplier."""
    return supplier.id or supplier.name if supplier else None
