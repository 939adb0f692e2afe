"""Documents that Coupa does not let us read, and the turn of an approval of any document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import ConfigDict

from coupa_core.errors import ServiceError
from coupa_core.model.approvals import Approval
from coupa_core.model.chain import current_of
from coupa_core.model.document import Document

UNREADABLE = "unreadable:"
"""The prefix of the cause for a type that cannot be read; the scope follows."""

UNREAD = "document_"
"""The prefix of the cause for a single document that could not be read; the error code follows."""


class Unreadable(Document):
    """A document that Coupa does not let us read: its type is closed to us, or this one alone failed.

    Attributes:
        scope: the scope that is probably missing, where no document of the type can be read.
        failure: the error of this document, where its type is not closed to us.
        is_at_fault: the document itself is at fault, and not time or connection.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    scope: str = ""
    failure: ServiceError | None = None
    is_at_fault: bool = False

    def redacted(self) -> Self:
        """Return itself: its content is unknown."""
        return self

    @property
    def needs_siblings(self) -> bool:
        """Return false: nothing says whose turn it is."""
        return False

    @property
    def cause(self) -> str:
        """Return the cause for which its approval waits."""
        return f"{UNREAD}{self.failure.code}" if self.failure else f"{UNREADABLE}{self.scope}"


def has_turn(approval: Approval, document: Document, siblings: Iterable[Approval]) -> bool:
    """Tell whether the document waits for this approval now; for an unknown type its open siblings count."""
    if isinstance(document, Unreadable):
        return False
    if document.needs_siblings:
        others = [other for other in siblings if other.id != approval.id]
        return approval.id in current_of([approval, *others])
    return document.awaits(approval.id)
