"""Find the facts of one document in Coupa's answers about many. Pure.

A fact is shown and never signed. A fact that is not certain is left out: it is ambiguous, has another
currency or unit, or may lie behind the end of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Context, Decimal, localcontext
from typing import TypeVar

from coupa_core.facts.shapes import (
    BudgetLine,
    Fact,
    FactAnswer,
    OrderedLine,
    RequestLine,
    Standing,
    SupplierItem,
)
from coupa_core.model import (
    PENDING,
    CoupaRecord,
    Currency,
    Document,
    DocumentKind,
    Figure,
    Line,
    Supplier,
    Unit,
    stamp,
)

TWINS_WITHIN = timedelta(days=30)
"""Two requests that were submitted further apart are not taken for the same."""

R = TypeVar("R", bound=CoupaRecord)


# ---------------------------------------------------------------------- the facts of a card


@dataclass(frozen=True)
class Others:
    """Open requests of somebody: how many, and their sums by currency; no sums where one is not known."""

    number: int
    sums: tuple[Figure, ...]


@dataclass(frozen=True)
class Price:
    """An earlier or agreed price of a unit of a line; `at` is its time, as Coupa wrote it."""

    line: Line
    amount: Decimal
    currency: Currency
    at: str = ""


@dataclass(frozen=True)
class HeldSupplier:
    """A supplier of a document that may not be free to be ordered from."""

    supplier: Supplier
    standing: Standing


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts of one document; each is empty where it is unknown.

    Attributes:
        others: the requester's other open requests; None for none, too.
        twins: open requests with the same suppliers and the same total.
        budget: the one line of an open period that everything is charged to.
        last_prices: of the last orders, by line.
        agreed_prices: of the catalogue, by line.
        held: suppliers that are on hold or inactive.
    """

    others: Others | None = None
    twins: tuple[Document, ...] = ()
    budget: BudgetLine | None = None
    last_prices: tuple[Price, ...] = ()
    agreed_prices: tuple[Price, ...] = ()
    held: tuple[HeldSupplier, ...] = ()


NO_FACTS = Facts()


def facts_of(document: Document, answers: Mapping[Fact, FactAnswer]) -> Facts:
    """Return the facts of one document from the answers."""

    def rows(fact: Fact, kind: type[R], *, whole: bool) -> list[R]:
        answer = answers.get(fact)
        if answer is None or (whole and not answer.is_whole):
            return []
        return [row for row in answer.rows if isinstance(row, kind)]

    return Facts(
        others=_others(document, rows(Fact.OPEN_REQUESTS, Document, whole=True)),
        twins=_twins(document, rows(Fact.OPEN_REQUESTS, Document, whole=False)),
        budget=_budget(document, rows(Fact.BUDGET, BudgetLine, whole=True)),
        last_prices=_last_prices(document, rows(Fact.LAST_PRICE, OrderedLine, whole=False)),
        agreed_prices=_agreed_prices(document, rows(Fact.AGREED_PRICE, SupplierItem, whole=True)),
        held=_held(document, rows(Fact.SUPPLIER_STATUS, Standing, whole=False)),
    )


def requester_of(document: Document) -> int | None:
    """Return who asks for a requisition, by the id in Coupa."""
    is_request = document.kind is DocumentKind.REQUISITION and document.requested_by is not None
    return document.requested_by.id if is_request and document.requested_by else None


def lines_of(document: Document) -> list[RequestLine]:
    """Return the lines of a requisition."""
    return [line for line in document.lines if isinstance(line, RequestLine)]


def suppliers_of(document: Document) -> dict[int, Supplier]:
    """Return who is paid by a document, or by its lines, by their ids."""
    every = [document.supplier, *(line.supplier for line in document.lines)]
    return {each.id: each for each in every if each and each.id is not None}


def _others(document: Document, found: Iterable[Document]) -> Others | None:
    """Return the requester's other requests, if the state and requester of all are known."""
    asker = requester_of(document)
    may_be = [each for each in found if each.id != document.id and requester_of(each) in (None, asker)]
    is_clear = all(requester_of(each) and each.status for each in may_be)
    others = {each.id: each for each in may_be if each.status == PENDING}
    if asker is None or not others or not is_clear:
        return None
    sums: dict[str, Decimal] = {}
    for each in others.values():
        code = _code(each.currency)
        if each.total is None or not code:
            return Others(len(others), ())
        with localcontext(Context(prec=100)):  # an amount is never rounded
            sums[code] = sums.get(code, Decimal(0)) + each.total
    moneys = {_code(each.currency): each.currency for each in others.values()}
    return Others(len(others), tuple(Figure(amount, moneys[code]) for code, amount in sorted(sums.items())))


def _twins(document: Document, found: Iterable[Document]) -> tuple[Document, ...]:
    mine, at = _likeness(document), stamp(document.submitted_at)
    if mine is None or at is None:
        return ()
    others = {each.id: each for each in found if each.id != document.id and each.status == PENDING}
    # Requests of other people are read only by chance, with other documents.
    return tuple(
        each
        for each in others.values()
        if _likeness(each) == mine
        and (its := stamp(each.submitted_at)) is not None
        and abs(at - its) <= TWINS_WITHIN
    )


def _likeness(document: Document) -> tuple[object, ...] | None:
    """Return payer, payee and amount of a requisition; None if unknown."""
    payees = [line.supplier.id if line.supplier else None for line in document.lines]
    is_clear = not document.lacks_lines and payees and None not in payees
    code, asker = _code(document.currency), requester_of(document)
    if asker is None or not (is_clear and document.total and code):
        return None
    return asker, frozenset(payees), document.total, code


def _budget(document: Document, found: Collection[BudgetLine]) -> BudgetLine | None:
    """Return the one line of an open period that pays every line of a document, in its currency."""
    lines = lines_of(document)
    paying = [each for each in found if any(map(each.may_pay, lines))]
    one = paying[0] if len(paying) == 1 and not document.lacks_lines else None
    if one is None or not all(one.pays(line) and not line.account_allocations for line in lines):
        return None
    is_open = one.period is not None and one.period.is_open is True
    is_known = one.remaining is not None and _code(one.currency) == _code(document.currency) != ""
    return one if is_open and is_known else None


def _last_prices(document: Document, found: Iterable[OrderedLine]) -> tuple[Price, ...]:
    """Return the price of the newest order line of each line's item from its supplier; newest come first."""
    orders = [each for each in found if not each.is_no_order]

    def newest(line: RequestLine, pair: tuple[int, int]) -> Price | None:
        last = next((each for each in orders if each.may_be(pair)), None)
        if last is None or not (last.price and last.status) or last.item is None or last.supplier is None:
            return None
        same = (last.item.id, last.supplier.id) == pair and _unit(last.uom) == _unit(line.uom)
        return _price(document, line, last.price, last.currency, last.created_at) if same else None

    return _each_price(document, newest)


def _agreed_prices(document: Document, found: Collection[SupplierItem]) -> tuple[Price, ...]:
    """Return the price of each line's item in the catalogue, where there is but one."""

    def agreed(line: RequestLine, pair: tuple[int, int]) -> Price | None:
        code = _code(document.currency_of(line))
        about = [each for each in found if each.may_be(pair) and _code(each.currency) in ("", code)]
        one = _one_of(about)
        if one is None or not one.price:
            return None
        units = {_unit(each.item.uom if each.item else None) for each in about}
        return _price(document, line, one.price, one.currency) if units == {_unit(line.uom)} else None

    return _each_price(document, agreed)


def _one_of(items: Sequence[SupplierItem]) -> SupplierItem | None:
    """Return an item of the catalogue where all say the same price, and none is vague."""
    is_one = len({each.price for each in items}) == 1 and not any(map(_is_vague, items))
    return items[0] if is_one else None


def _is_vague(each: SupplierItem) -> bool:
    """Tell whether it may be the price of something else, or of another quantity."""
    has_ids = each.item is not None and each.item.id and each.supplier is not None and each.supplier.id
    return each.has_tiers or not has_ids or not _code(each.currency)


def _each_price(
    document: Document, find: Callable[[RequestLine, tuple[int, int]], Price | None]
) -> tuple[Price, ...]:
    """Return the findings for a document's lines, one for each item of a supplier at its price."""
    known = [(line.pair, find(line, line.pair)) for line in lines_of(document) if line.pair is not None]
    once = {(pair, each.amount, each.currency.code, each.at): each for pair, each in reversed(known) if each}
    return tuple(reversed(once.values()))


def _price(
    document: Document, line: RequestLine, amount: Decimal, currency: Currency | None, at: str | None = None
) -> Price | None:
    """Return a price in the line's own currency; a refund is not a price."""
    is_same = _code(currency) == _code(document.currency_of(line))
    if currency is None or not (_code(currency) and is_same and amount > 0):
        return None
    return Price(line, amount, currency, at or "")


def _held(document: Document, found: Iterable[Standing]) -> tuple[HeldSupplier, ...]:
    suppliers = suppliers_of(document)
    return tuple(
        HeldSupplier(suppliers[each.id], each) for each in found if each.id in suppliers and not each.is_free
    )


def _code(currency: Currency | None) -> str:
    return (currency.code if currency else None) or ""


def _unit(unit: Unit | None) -> str:
    return (unit.code if unit else None) or ""
