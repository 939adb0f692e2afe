"""Read documents at the same time as their approvals, because the ledger's rows name them.

A row is only a hint. A document that was read ahead counts only for an approval that itself names it; if a
row is absent, wrong or unreadable, the document is read after the approval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from coupa_core.clock import Deadline
from coupa_core.coupa import Coupa
from coupa_core.decide.rows import RequestRows
from coupa_core.errors import ServiceError
from coupa_core.model import MAX_ID, Document, DocumentKey, Unreadable
from coupa_core.parallel import map_parallel


@dataclass(frozen=True)
class Ahead:
    """The result of reading ahead.

    Attributes:
        keys: the keys of the requested documents.
        documents: the result of `Coupa.documents`.
        failure: the error that it raised instead.
    """

    keys: AbstractSet[DocumentKey] = frozenset()
    documents: Mapping[DocumentKey, Document] = field(default_factory=dict)
    failure: ServiceError | None = None

    def documents_for(self, wanted: AbstractSet[DocumentKey]) -> dict[DocumentKey, Document]:
        """Return those of the wanted documents that were read.

        A document may be missing or `Unreadable` only because of others in the same call that are not wanted.
        """
        return {
            key: document
            for key, document in self.documents.items()
            if key in wanted and not isinstance(document, Unreadable)
        }


def read_ahead(
    coupa: Coupa, rows: RequestRows, approval_ids: Sequence[int], deadline: Deadline, *, workers: int
) -> Ahead:
    """Read the rows of approvals, and the documents that they name; a failure is part of the result."""
    found = map_parallel(rows.current_row, approval_ids, workers=workers)
    named = [row for row in found if row is not None and 0 < (row.document_id or 0) < MAX_ID]
    keys = {row.document_key for row in named}
    try:
        return Ahead(keys, coupa.documents(named, deadline))
    except ServiceError as failure:
        return Ahead(keys, failure=failure)
