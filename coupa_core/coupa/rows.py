"""Read the rows of a resource: keyset pages, records by their ids, one record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from coupa_core.clock import Deadline
from coupa_core.coupa.access import Access
from coupa_core.coupa.fields import DOCUMENT_FIELDS
from coupa_core.errors import Malformed, Refused, ServiceError
from coupa_core.halving import PartialResult, by_halves
from coupa_core.model import ALL_IDS, MAX_ID, DocumentKind, IdRange
from coupa_core.sensitive import Sensitive

PAGE = 50
"""The most records in an answer, and ids in a request. Source: "Querying options"."""

UNORDERED = "coupa_pages"

T = TypeVar("T")


class RowPage(NamedTuple):
    """One page of raw rows.

    Attributes:
        rows: the rows of the answer.
        rest: the range of ids that is not read yet; None for no more.
        failure: the error that makes the rest unknown: a wrong order, or missing rows.
    """

    rows: list[Any]
    rest: IdRange | None = None
    failure: ServiceError | None = None


class Rows:
    """The base class of all reads.

    Args:
        access: requests with our client's rights.
        types: the wanted approvable types; `("*",)` for all.
        client: the login of our client's user in Coupa, which identifies our own texts; empty if unknown.
        sensitive: redacts the documents that chat may not show; None for none.
        fields: the fields to request of each kind of document, those for facts included. After a failure a
            document is read without those for facts.
    """

    def __init__(
        self,
        access: Access,
        *,
        types: tuple[str, ...],
        client: str = "",
        sensitive: Sensitive | None = None,
        fields: Mapping[DocumentKind, list[Any]] = DOCUMENT_FIELDS,
    ) -> None:
        self._access = access
        self.types = types
        self._client = client
        self._sensitive = sensitive or Sensitive()
        self._fields = fields
        self._without_facts_until: datetime | None = None
        self.read_without_facts = 0
        """The number of documents that were read without the fields for facts."""

    def now(self) -> datetime:
        """Return the time by Coupa's clock."""
        return self._access.now()

    def _keyset(
        self,
        resource: str,
        fields: list[Any],
        asked: Mapping[str, str],
        deadline: Deadline,
        *,
        insists: bool = True,
    ) -> Iterator[Any]:
        """Yield the rows of all pages; each page begins after the last id of the one before."""
        ids: IdRange | None = ALL_IDS
        while ids is not None:
            rows, ids, failure = self._rows_of(resource, fields, asked, ids, deadline, insists=insists)
            yield from rows
            if failure is not None:
                raise failure

    def _rows_of(
        self,
        resource: str,
        fields: list[Any],
        asked: Mapping[str, str],
        ids: IdRange,
        deadline: Deadline,
        *,
        insists: bool = True,
        newest_first: bool = False,
    ) -> RowPage:
        """Return one page of the rows in this range of ids.

        Only an empty page is the last one, because Coupa may return fewer rows than requested.
        """
        low, high = ids
        query = {
            **asked,
            "id[gt]": str(low - 1),
            **({} if high == ALL_IDS[1] else {"id[lt]": str(high + 1)}),
            "order_by": "id",
            "dir": "desc" if newest_first else "asc",
            "limit": str(PAGE),
            "fields": _compact(fields),
        }
        body = self._access.read(resource, f"/api/{resource}", query, deadline, insists=insists)
        rows = rows_in(body, resource)
        numbers = [number for number in map(id_of, rows) if number]
        if not numbers and len(rows) < PAGE:
            return RowPage(rows)  # rows without ids cannot be paged, and these do not fill a page
        is_ordered = numbers == sorted(numbers, reverse=newest_first)
        if not numbers or not is_ordered or not low <= min(numbers) <= max(numbers) <= high:
            failure = Malformed(UNORDERED, f"Coupa did not page {resource} by id between {low} and {high}")
            return RowPage(rows, failure=failure)
        rest = (low, numbers[-1] - 1) if newest_first else (numbers[-1] + 1, high)
        return RowPage(rows, rest if rest[0] <= rest[1] else None)

    def _by_ids(
        self, resource: str, fields: list[Any], ids: Iterable[int], deadline: Deadline
    ) -> PartialResult[int, Any]:
        """Return the rows with these ids, fifty in a request, and fewer after a failure."""
        numbers = sorted(set(ids))

        def ask(some: Sequence[int]) -> list[Any]:
            query = {
                "id[in]": ",".join(path_id(number) for number in some),
                "limit": str(PAGE),
                "fields": _compact(fields),
            }
            insists = len(numbers) == 1
            body = self._access.read(resource, f"/api/{resource}", query, deadline, insists=insists)
            return rows_in(body, resource)

        def ask_all(some: Sequence[int]) -> list[Any]:
            """Request missing rows again, because Coupa may return fewer rows than requested."""
            rows = ask(some)
            left = set(some) - set(map(id_of, rows))
            has_come = len(left) < len(some)
            while left and has_come:
                more = [row for row in ask(sorted(left)) if id_of(row) in left]
                rows += more
                left -= set(map(id_of, more))
                has_come = bool(more)
            return rows

        found: PartialResult[int, Any] = PartialResult()
        for some in in_pages(numbers):
            part = by_halves(some, ask_all)
            found.rows += part.rows
            found.failed |= part.failed
        return found

    def _one(self, resource: str, number: int, fields: list[Any], deadline: Deadline) -> Any:
        """Return one record, or None when Coupa answers 404 or another record."""
        try:
            path = f"/api/{resource}/{path_id(number)}"
            row = self._access.read(resource, path, {"fields": _compact(fields)}, deadline)
        except Refused as refused:
            if refused.status == 404:  # noqa: PLR2004
                return None
            raise
        if not isinstance(row, dict) or id_of(row) != number:
            raise Malformed("coupa_record", f"Coupa did not answer with {resource} {number}")
        return row


def in_pages(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items in groups for one request each."""
    for start in range(0, len(items), PAGE):
        yield items[start : start + PAGE]


def path_id(number: int) -> str:
    """Return an id for a URL: 1 to 19 digits, nothing else.

    Raises:
        Malformed: the id is no such number.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < MAX_ID:
        raise Malformed("coupa_id", "an id is not a number of 1 to 19 digits")
    return str(number)


def rows_in(body: Any, resource: str) -> list[Any]:
    """Return the rows of a list; raises `Malformed` for anything else, also for an error with status 200."""
    if not isinstance(body, list):
        raise Malformed("coupa_list", f"Coupa answered {resource} with {type(body).__name__}, not a list")
    return body


def id_of(row: Any) -> int:
    """Return the id of a raw row, or 0."""
    number = row.get("id") if isinstance(row, dict) else None
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number[:20])
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < MAX_ID:
        return number
    return 0


def _compact(fields: list[Any]) -> str:
    return json.dumps(fields, separators=(",", ":"))
