"""Read Coupa's documents: each kind from its own resource, fifty in a request."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from coupa_core.clock import Deadline
from coupa_core.coupa.fields import DOCUMENT_FIELDS, ORDER_FIELDS
from coupa_core.coupa.rows import Rows
from coupa_core.documents import DOCUMENT_MODELS, Order, OrderChange, Readable, enabled, parse_document
from coupa_core.errors import Denied, Refused, ServiceError
from coupa_core.halving import MAX_ALONE, PartialResult
from coupa_core.model import PENDING, Approval, Document, DocumentKey, IdRange, Naming, Unreadable

WITHOUT_FACTS_S = 3_600.0
"""How long documents are read without the fields for facts, after no document could be read with them."""

_CLOSED_CODES = ("coupa_400", "coupa_403", "coupa_404")
"""Errors of a whole resource: its scope or module is missing, or it does not know an attribute."""


logger = logging.getLogger(__name__)


class Documents(Rows):
    """The reads of documents."""

    def documents(self, naming: Iterable[Naming], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the named documents by (type, id), each type from its own resource, fifty in a request.

        A document of an unknown type has type and id only. A failed document or type results in `Unreadable`
        documents, and affects no others. Documents that Coupa does not return are left out. Sensitive
        documents are redacted, also where only the approval is sensitive; a document that only a row names
        must also pass through `redacted`.

        Raises:
            ServiceError: every request failed.
        """
        named = list(naming)
        sensitive = {
            each.document_key for each in named if isinstance(each, Approval) and self._sensitive.asks(each)
        }
        documents: dict[DocumentKey, Document] = {}
        wanted: dict[str, set[int]] = defaultdict(set)
        for kind, number in (each.document_key for each in named):
            if number is not None and kind in DOCUMENT_MODELS:
                wanted[kind].add(number)
            elif number is not None:
                documents[kind, number] = Document(type=kind, id=number)
        for place, (kind, numbers) in enumerate(wanted.items()):
            # A slow type leaves time for the others.
            share = deadline.within(deadline.left_s() / (len(wanted) - place))
            documents |= self._of_type(kind, numbers, share, is_alone=len(wanted) == 1)
        _raise_if_coupa_is_down(documents.values(), sum(map(len, wanted.values())))
        return {key: each.redacted() if key in sensitive else each for key, each in documents.items()}

    def redacted(self, document: Document, approval: Approval | None) -> Document:
        """Return the document, redacted where chat may not show it for this approval."""
        return self._sensitive.redact_for(approval, document)

    def document(self, approval: Approval, deadline: Deadline) -> Document | None:
        """Read the document of one approval; None when Coupa does not know it.

        Raises:
            ServiceError: the request failed, or Coupa denies access.
        """
        kind, number = approval.document_key
        if number is None:
            return None
        if kind not in DOCUMENT_MODELS:
            return Document(type=kind, id=number)
        read = self._documents(kind, [number], deadline)
        for failure in read.failed.values():
            raise failure
        document = self._parsed(kind, read.rows, deadline).get((kind, number))
        if isinstance(document, Unreadable) and document.failure:
            raise document.failure
        return self.redacted(document, approval) if document else None

    def readable(self, types: Iterable[str]) -> list[str]:
        """Return those of these types that are wanted and readable."""
        return list(enabled(set(types) if "*" in self.types else set(types) & set(self.types)))

    def edited(
        self, kind: str, since: str, ids: IdRange, deadline: Deadline
    ) -> tuple[dict[DocumentKey, str], IdRange | None]:
        """Read a page, newest first, of the pending and draft documents of a type that were updated since.

        Args:
            kind: a type that is `readable`.
            since: a time as Coupa wrote it.
            ids: the range of ids to read, both ends included.
            deadline: the deadline for the page.

        Returns:
            `updated-at` by (type, id), and the range of ids that is not read yet; None for no more.

        Raises:
            ServiceError: the page could not be read.
        """
        asked = {"status[in]": f"{PENDING},draft", "updated_at[gt_or_eq]": since}
        rows, rest, failure = self._rows_of(
            DOCUMENT_MODELS[kind].resource,
            ["id", "updated-at"],
            asked,
            ids,
            deadline,
            insists=False,
            newest_first=True,
        )
        if failure is not None:
            raise failure
        documents = [document for row in rows if (document := parse_document(kind, row))]
        return {(kind, each.id): each.updated_at or "" for each in documents}, rest

    def _of_type(
        self, kind: str, numbers: Iterable[int], deadline: Deadline, *, is_alone: bool
    ) -> dict[DocumentKey, Document]:
        """Read documents of one type; all are `Unreadable` if the type fails or is too slow."""
        try:
            return self._read(kind, numbers, deadline)
        except ServiceError as failure:
            is_out_of_time = deadline.left_s() <= 0 and not is_alone
            if not failure.may_be_of_one and not is_out_of_time:
                raise
            return _unreadable(kind, numbers, failure)

    def _read(self, kind: str, numbers: Iterable[int], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read documents of one type; each that fails is `Unreadable`."""
        read = self._documents(kind, numbers, deadline)
        failures = list(read.failed.values())
        if failures and not read.rows and all(each.code in _CLOSED_CODES for each in failures):
            raise failures[0]  # the type seems to be at fault
        documents = self._parsed(kind, read.rows, deadline)
        for number, failure in read.failed.items():
            documents |= _unreadable(kind, [number], failure, alone=True)
        return documents

    def _documents(self, kind: str, ids: Iterable[int], deadline: Deadline) -> PartialResult[int, Any]:
        """Return the rows of documents of one type; after a failure, read them without the fields for facts.

        Raises:
            ServiceError: every request failed.
        """
        source, numbers = DOCUMENT_MODELS[kind], sorted(set(ids))
        plain, fields = DOCUMENT_FIELDS[source.kind], self._fields[source.kind]
        if fields == plain:
            return self._by_ids(source.resource, plain, numbers, deadline)
        if self._without_facts_until is not None and self.now() < self._without_facts_until:
            self.read_without_facts += len(numbers)
            return self._by_ids(source.resource, plain, numbers, deadline)
        read = self._read_with_facts(source, fields, numbers, deadline)
        left = {number: each for number, each in read.failed.items() if _may_be_fields_fault(each)}
        if not left:
            return read
        try:
            again = self._read_without_facts(kind, left, deadline)
        except ServiceError:
            if not read.rows:
                raise
            return read
        if len(again.rows) > 1 and not read.rows:  # a single document may itself be at fault
            self._without_facts_until = self.now() + timedelta(seconds=WITHOUT_FACTS_S)
        known = {number: each for number, each in read.failed.items() if number not in left}
        return PartialResult([*read.rows, *again.rows], {**known, **again.failed})

    def _read_with_facts(
        self, source: type[Readable], fields: list[Any], numbers: Sequence[int], deadline: Deadline
    ) -> PartialResult[int, Any]:
        """Read documents with the fields for facts; if these may be at fault, each has the failure."""
        try:
            return self._by_ids(source.resource, fields, numbers, deadline)
        except ServiceError as failure:
            if not _may_be_fields_fault(failure):
                raise
            return PartialResult(failed=dict.fromkeys(numbers, failure))

    def _read_without_facts(
        self, kind: str, left: Mapping[int, ServiceError], deadline: Deadline
    ) -> PartialResult[int, Any]:
        """Read documents again without the fields for facts, and log the cause."""
        source = DOCUMENT_MODELS[kind]
        read = self._by_ids(source.resource, DOCUMENT_FIELDS[source.kind], left, deadline)
        if read.rows:
            cause = next(iter(left.values()))
            text = "documents read without what leads to facts code=%s type=%s documents=%d cause=%s"
            logger.error(text, cause.code, kind, len(read.rows), cause)
            self.read_without_facts += len(read.rows)
        return read

    def _parsed(self, kind: str, rows: Iterable[Any], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Parse documents of one type, redact them, and add the order's total to order changes."""
        documents: dict[DocumentKey, Document] = {}
        for row in rows:
            if document := parse_document(kind, row, client=self._client):
                documents[kind, document.id] = document
        changes = {key: each for key, each in documents.items() if isinstance(each, OrderChange)}
        documents |= self._with_old_totals(changes, deadline)
        return {key: self._sensitive.redact(each) for key, each in documents.items()}

    def _with_old_totals(
        self, changes: Mapping[DocumentKey, OrderChange], deadline: Deadline
    ) -> dict[DocumentKey, Document]:
        """Add the present totals of the orders to their changes; without access to orders, add none.

        After any other failure the order may be readable a moment later. The total is part of the signed
        content, so such a change counts as unreadable, too.
        """
        orders = {each.order_header_id for each in changes.values() if each.order_header_id}
        try:
            read = self._by_ids("purchase_orders", ORDER_FIELDS, orders, deadline)
        except (Denied, Refused) as failure:
            logger.warning("orders not readable code=%s cause=%s", failure.code, failure)
            return {}
        parsed = [Order.model_validate(row) for row in read.rows if isinstance(row, dict)]
        found = {order.id: order for order in parsed}
        documents: dict[DocumentKey, Document] = {}
        for key, each in changes.items():
            why = read.failed.get(each.order_header_id or 0)
            order = found.get(each.order_header_id)
            if why is not None and why.code not in _CLOSED_CODES:
                documents |= _unreadable(each.type, [each.id], why, alone=True)
            elif order is not None:
                total = order.total_in(each.currency)
                documents[key] = each.model_copy(update={"old_total": total})
        return documents


def _raise_if_coupa_is_down(documents: Iterable[Document], asked: int) -> None:
    """Raise the failure if all requested documents failed and Coupa itself is at fault."""
    failures = [each.failure for each in documents if isinstance(each, Unreadable) and each.failure]
    is_away = len(failures) >= MAX_ALONE or not all(each.may_be_of_one for each in failures)
    if failures and is_away and len(failures) == asked:
        raise failures[0]


def _unreadable(
    kind: str, numbers: Iterable[int], failure: ServiceError, *, alone: bool = False
) -> dict[DocumentKey, Document]:
    """Return unreadable documents, with the cause: no access to their type, or one failure."""
    scope = DOCUMENT_MODELS[kind].scope
    is_closed = not alone and failure.code in _CLOSED_CODES
    logger.error(
        "documents not readable code=%s type=%s scope=%s cause=%s", failure.code, kind, scope, failure
    )
    return {
        (kind, number): Unreadable(
            type=kind,
            id=number,
            scope=scope,
            failure=None if is_closed else failure,
            is_at_fault=alone and failure.may_be_of_one,
        )
        for number in numbers
    }


def _may_be_fields_fault(failure: ServiceError) -> bool:
    """Tell whether a requested field may be at fault, and not the resource or the time."""
    return failure.may_be_of_one and failure.status not in (403, 404)
