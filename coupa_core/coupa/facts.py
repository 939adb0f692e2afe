"""Read facts from Coupa: one request for each fact of up to fifty documents.

There is no retry and no second page, so that a fact has a fixed cost. An answer that fills its page may lack
rows, so it is incomplete. An unreadable row affects only the documents that it may concern.

Sources: the pages that `coupa_core.facts.shapes` names, and, under
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
get-started-with-the-api/querying-options ("up to 50 records per API GET"), .../api-operators ("in"), and
resources/reference-data-resources/budget-lines-api-(budget-lines)/budget-lines-api-example-calls ("period[")
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from coupa_core.clock import Deadline
from coupa_core.coupa.access import Access
from coupa_core.coupa.fields import DOCUMENT_FIELDS
from coupa_core.coupa.rows import PAGE, id_of, rows_in
from coupa_core.documents import SCOPES, parse_document
from coupa_core.errors import Denied
from coupa_core.facts import (
    FACT_RESOURCES,
    SEGMENTS,
    BudgetLine,
    Charged,
    Fact,
    FactAnswer,
    OrderedLine,
    Period,
    Standing,
    SupplierItem,
    lines_of,
    requester_of,
    suppliers_of,
)
from coupa_core.model import PENDING, REQUISITION, Document, DocumentKind
from coupa_core.sensitive import Sensitive

_SEGMENTS = [f"segment-{number}" for number in SEGMENTS]
_CHART: dict[str, Any] = {"account-type": ["id"]}
_ACCOUNT = ["id", "name", "code"]
_CURRENCY: dict[str, Any] = {"currency": ["code", "decimals"]}
_UNIT: dict[str, Any] = {"uom": ["code"]}
_SUPPLIER: dict[str, Any] = {"supplier": ["id"]}
_CODING: list[Any] = [{"account": _ACCOUNT}, {"account_allocations": [{"account": _ACCOUNT}]}]
_PERIOD: dict[str, Any] = {"period": ["id", "name", "is-open", *_SEGMENTS, _CHART]}

FACT_FIELDS: dict[Fact, list[Any]] = {
    Fact.OPEN_REQUESTS: [
        *("id", "status", "total", "submitted-at", "line-count"),
        _CURRENCY,
        {"requested-by": ["id"]},
        {"department": ["name"]},
        {"requisition_lines": ["id", {"supplier": ["id", "name"]}, {"commodity": ["name"]}, *_CODING]},
    ],
    Fact.BUDGET: ["id", "remaining", "pending_requisitions_amount", *_SEGMENTS, _CURRENCY, _PERIOD],
    Fact.LAST_PRICE: ["id", "price", "status", "created-at", _CURRENCY, _UNIT, _SUPPLIER, {"item": ["id"]}],
    Fact.AGREED_PRICE: [
        *("id", "price", *(f"price-tier-{number}" for number in SEGMENTS)),
        *(_CURRENCY, _SUPPLIER, {"item": ["id", _UNIT]}),
    ],
    Fact.SUPPLIER_STATUS: ["id", "status", "on-hold", "buyer-hold"],
}
"""The requested fields of each record: documented attributes only, collections with underscores."""

_ITEM: list[Any] = [{"item": ["id"]}]
_LINE_FIELDS: dict[Fact, list[Any]] = {
    Fact.BUDGET: [{"account": [*_SEGMENTS, _CHART]}, _PERIOD],
    Fact.LAST_PRICE: _ITEM,
    Fact.AGREED_PRICE: _ITEM,
}

_RECORDS: dict[Fact, type[BudgetLine | OrderedLine | SupplierItem | Standing]] = {
    Fact.BUDGET: BudgetLine,
    Fact.LAST_PRICE: OrderedLine,
    Fact.AGREED_PRICE: SupplierItem,
    Fact.SUPPLIER_STATUS: Standing,
}


MAX_FILTERS = 2_000
"""The most characters of all filters of a request: many gateways limit a request line to 8 KB."""


def document_fields(facts: Iterable[Fact]) -> dict[DocumentKind, list[Any]]:
    """Return the fields of each kind of document, with the fields of lines that these facts need."""
    lines = [each for fact in facts for each in _LINE_FIELDS.get(fact, [])]
    asked = merged(DOCUMENT_FIELDS[DocumentKind.REQUISITION], [{"requisition_lines": lines}] if lines else [])
    return DOCUMENT_FIELDS | {DocumentKind.REQUISITION: asked}


def merged(fields: list[Any], more: list[Any]) -> list[Any]:
    """Merge two lists of fields; a name with hyphens and the same with underscores are one field.

    >>> merged(["id", {"account": ["name"]}], ["id", {"account": ["code"]}, {"item": ["id"]}])
    ['id', {'account': ['name', 'code']}, {'item': ['id']}]
    """
    found: dict[str, tuple[str, list[Any] | None]] = {}
    for each in (*fields, *more):
        for name, inner in each.items() if isinstance(each, dict) else [(each, None)]:
            key = name.replace("_", "-")
            name, before = found.get(key, (name, None))  # noqa: PLW2901 - as it was written first
            found[key] = (name, inner if before is None else merged(before, inner or []))
    return [name if inner is None else {name: inner} for name, inner in found.values()]


class FactReader:
    """Reads facts.

    Args:
        access: requests with our client's rights.
        facts: the enabled facts.
        sensitive: redacts open requests that chat may not show.
    """

    def __init__(self, access: Access, facts: Sequence[Fact], *, sensitive: Sensitive) -> None:
        self._access = access
        self._sensitive = sensitive
        self.facts = tuple(facts)

    def ask(self, fact: Fact, documents: Sequence[Document], deadline: Deadline) -> FactAnswer:
        """Read one fact of up to fifty documents by one request; by none if no document leads to it.

        Raises:
            ServiceError: the request failed or was too slow, or Coupa gives no token with the scope.
        """
        asked = _QUESTIONS[fact](documents)
        if not asked:
            return FactAnswer((), is_whole=False)
        resource = FACT_RESOURCES[fact]
        if SCOPES["GET", resource] in self._access.withheld.split():
            raise Denied("coupa_scope", f"Coupa gave a token only without {self._access.withheld}")
        query = {
            **asked,
            "order_by": "id",
            "dir": "desc" if fact is Fact.LAST_PRICE else "asc",
            "limit": str(PAGE),
            "fields": json.dumps(FACT_FIELDS[fact], separators=(",", ":")),
        }
        body = self._access.read(resource, f"/api/{resource}", query, deadline, tries=1)
        answer = _answer(fact, rows_in(body, resource), documents)
        redacted = [
            self._sensitive.redact(each) if isinstance(each, Document) else each for each in answer.rows
        ]
        return replace(answer, rows=redacted)


def _answer(fact: Fact, rows: Sequence[Any], documents: Iterable[Document]) -> FactAnswer:
    """Parse the rows; a list in a wrong order has no result.

    The list of open requests is complete only if it has the documents themselves: a list that was cut ends
    before the newest requests, and the documents are usually among these.
    """
    numbers, counts = [number for row in rows if (number := id_of(row))], (unread_of(rows, fact), len(rows))
    if fact is Fact.OPEN_REQUESTS:
        return _open_requests_in(rows, numbers, counts, documents)
    if fact is Fact.LAST_PRICE and numbers != sorted(set(numbers), reverse=True):
        return FactAnswer((), False, *counts)
    records = [_RECORDS[fact].model_validate(row if isinstance(row, dict) else {}) for row in rows]
    return FactAnswer(records, len(rows) < PAGE, *counts)


def _open_requests_in(
    rows: Sequence[Any], numbers: list[int], counts: tuple[int, int], documents: Iterable[Document]
) -> FactAnswer:
    known = {each.id for each in documents if requester_of(each) and each.status == PENDING}
    requests = [each for row in rows if (each := parse_document(REQUISITION, row)) is not None]
    return FactAnswer(requests, len(requests) == len(rows) < PAGE and known <= set(numbers), *counts)


def unread_of(rows: Sequence[Any], fact: Fact | None = None) -> int:
    """Return the number of rows without an id or without the fields of the fact."""
    return sum(not (id_of(row) and (fact is None or _is_usable(fact, row))) for row in rows)


def _is_usable(fact: Fact, row: dict[str, Any]) -> bool:
    if fact is Fact.OPEN_REQUESTS:
        request = parse_document(REQUISITION, row)
        return request is not None and bool(requester_of(request) and request.status)
    return _RECORDS[fact].model_validate(row).is_usable


# ---------------------------------------------------------------------- the requests


def _open_requests(documents: Sequence[Document]) -> dict[str, str]:
    return _id_filter("requested_by[id][in]", map(requester_of, documents), {"status": PENDING})


def _budget(documents: Sequence[Document]) -> dict[str, str]:
    """Filter budget lines by their periods, and by the values of the segments that all periods mark.

    The answer may have further lines. A segment is no filter if a value has a comma, which no list can hold,
    or if the filter would make the request too long. The segment with the shortest filter comes first.
    """
    charged = [
        (line.period, line.account)
        for document in documents
        for line in lines_of(document)
        if line.account and line.period and line.period.id and not line.account_allocations
    ]
    asked = _id_filter("period[id][in]", (period.id for period, _ in charged), {})
    filters = (_segment_filter(number, charged) for number in SEGMENTS)
    for name, listed in sorted(filter(None, filters), key=lambda each: (len(urlencode([each])), *each)):
        if len(urlencode(asked | {name: listed})) <= MAX_FILTERS:
            asked[name] = listed
    return asked


def _segment_filter(number: int, charged: Sequence[tuple[Period, Charged]]) -> tuple[str, str] | None:
    """Return name and value of the filter by one segment; None for no filter."""
    values = {account.segments[number] for _, account in charged if number in account.segments}
    is_marked = bool(values) and all(number in (period.segments or ()) for period, _ in charged)
    if not is_marked or len(values) > PAGE or any("," in each for each in values):
        return None
    return f"segment_{number}[in]", ",".join(sorted(values))


def _prices(documents: Sequence[Document]) -> dict[str, str]:
    """Filter by items and suppliers; the first lines of all documents come before all second lines."""
    places = [(place, line.pair) for each in documents for place, line in enumerate(lines_of(each))]
    pairs = [pair for _, pair in sorted(places, key=lambda each: each[0]) if pair is not None]
    some = list(dict.fromkeys(pairs))[:PAGE]
    about = _id_filter("supplier[id][in]", (supplier for _, supplier in some), {})
    return _id_filter("item[id][in]", (item for item, _ in some), about)


def _suppliers(documents: Sequence[Document]) -> dict[str, str]:
    return _id_filter("id[in]", (number for each in documents for number in suppliers_of(each)), {})


def _id_filter(name: str, ids: Iterable[int | None], more: Mapping[str, str]) -> dict[str, str]:
    """Return a filter by up to fifty distinct ids, with the given filters; empty without ids."""
    some = list(dict.fromkeys(each for each in ids if each is not None))[:PAGE]
    return {name: ",".join(map(str, some)), **more} if some else {}


_QUESTIONS: dict[Fact, Callable[[Sequence[Document]], dict[str, str]]] = {
    Fact.OPEN_REQUESTS: _open_requests,
    Fact.BUDGET: _budget,
    Fact.LAST_PRICE: _prices,
    Fact.AGREED_PRICE: _prices,
    Fact.SUPPLIER_STATUS: _suppliers,
}
