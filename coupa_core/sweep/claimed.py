"""An approval under our claim, and the data that was read since."""

from __future__ import annotations

from coupa_core.ledger import Entry
from coupa_core.model import DocumentKey, FoundApprovals
from coupa_core.sweep.plan import Candidate, Priority
from coupa_core.sweep.shapes import FreshRead


class Claimed:
    """An approval under our claim, and the data that was read since."""

    def __init__(self, candidate: Candidate, entry: Entry) -> None:
        self.candidate = candidate
        self.entry = entry
        self.read = FreshRead(approval=candidate.approval)
        self.is_gone = candidate.priority is Priority.GONE
        self.found = FoundApprovals()

    @property
    def key(self) -> DocumentKey:
        """Return the key of its document."""
        return self.read.approval.document_key

    @property
    def is_named(self) -> bool:
        """Tell whether its document was known before it was read."""
        return self.candidate.approval.approvable_id is not None

    def apply_found(self) -> bool:
        """Take over the approval that was read; False if the read says nothing about it."""
        found = self.found
        approval = found.by_id.get(self.read.approval.id)
        if approval is not None:
            self.read.approval, self.read.is_known = approval, True
        return approval is not None or not (found.unreadable or self.read.approval.id in found.failed)
