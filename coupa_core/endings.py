"""Read how an approval and its document ended from Coupa's records, never by inference. Pure.

Where Coupa does not say how, the ending is `ENDED`: it no longer waits, for an unknown reason. This module
tells nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from coupa_core.model import APPROVED, DONE_STATUS, PENDING, Approval, Document, Verb, stamp


class Ending(StrEnum):
    """The end of an approval that somebody was shown."""

    APPROVED = "approved"
    REJECTED = "rejected"
    ON_HOLD = "on_hold"
    WITHDRAWN = "withdrawn"
    DRAFT = "draft"
    """It went back to the requester, and Coupa does not say why."""
    DISPUTED = "disputed"
    VOIDED = "voided"
    ELSEWHERE = "elsewhere"
    """The document waits for somebody else."""
    REASSIGNED = "reassigned"
    ENDED = "ended"
    """Not known."""


@dataclass(frozen=True)
class End:
    """An ending: how, by whom, when and why, as far as Coupa says; `words` are the decider's.

    `key` is that of the user whom Coupa recorded: our client's, for decisions in chat.
    """

    ending: Ending
    by: str = ""
    at: datetime | None = None
    words: str = ""
    key: str | None = None


NEWS = (Ending.APPROVED, Ending.REJECTED, Ending.DISPUTED, Ending.VOIDED)
"""The endings that the requester is told; a requester who withdrew the document knows that."""

_OF_STEP = {
    APPROVED: Ending.APPROVED,
    DONE_STATUS[Verb.REJECT]: Ending.REJECTED,
    DONE_STATUS[Verb.HOLD]: Ending.ON_HOLD,
}
_OF_DOCUMENT = {
    PENDING: Ending.ELSEWHERE,
    "withdrawn": Ending.WITHDRAWN,
    "draft": Ending.DRAFT,
    "disputed": Ending.DISPUTED,
    "voided": Ending.VOIDED,
    "on_hold": Ending.ON_HOLD,
    "rejected": Ending.REJECTED,
    **dict.fromkeys(("approved", "ordered", "partially_received", "received"), Ending.APPROVED),
}
"""Source: the statuses of RequisitionHeader and InvoiceHeader in R39_Purchasing_API.json and
R39_Invoicing_API.json; a requisition has none for "rejected" and goes back to draft.
"""


def end_of(approval: Approval, document: Document | None) -> End:
    """Return the end for the people who were shown this approval: by its own record, else its document's."""
    if ending := _OF_STEP.get(approval.status or ""):
        return _decided(ending, approval, document)
    return end_of_document(document)


def end_of_document(document: Document | None, also: Iterable[Approval] = ()) -> End:
    """Return the end of the whole document.

    Args:
        document: the document; None if it was not read.
        also: approvals of it, for a document that does not name them.
    """
    ending = _OF_DOCUMENT.get(document.status or "") if document else None
    if document is None or ending is None:
        return End(Ending.ENDED)
    steps = [*document.approvals, *also]
    rejected = _last(steps, DONE_STATUS[Verb.REJECT])
    if ending is Ending.DRAFT:
        why = document.rejection
        if rejected is not None and _is_current(rejected.approval_date, document):
            ending = Ending.REJECTED
        elif why is not None and _is_current(why.created_at, document):
            key = why.created_by.key if why.created_by else None
            return End(Ending.REJECTED, why.author, stamp(why.created_at), why.words, key)
    last = {Ending.APPROVED: _last(steps, APPROVED), Ending.REJECTED: rejected}.get(ending)
    return _decided(ending, last, document) if last else End(ending)


def has_stopped(document: Document | None) -> bool:
    """Tell whether a document certainly does not wait for approval, regardless of its approvals."""
    return document is not None and document.status not in (None, PENDING)


def _decided(ending: Ending, step: Approval, document: Document | None) -> End:
    """Return Coupa's words about a step: the reason of a rejection without a note is the comment about it.

    Only a comment after the last submission counts, by the user who rejected it; that is our client for
    decisions in chat.
    """
    key = step.approved_by.key if step.approved_by else None
    end = End(ending, step.decided_by, stamp(step.approval_date), step.decision_words, key)
    why = document.rejection if document and ending is Ending.REJECTED and not step.note else None
    if document is None or why is None or why.created_by is None or key is None:
        return end
    is_theirs = why.created_by.key == key and _is_current(why.created_at, document)
    return replace(end, by=why.author or end.by, words=why.words) if is_theirs else end


def _last(steps: Iterable[Approval], status: str) -> Approval | None:
    never = datetime.min.replace(tzinfo=UTC)
    found = [step for step in steps if step.status == status]
    return max(found, key=lambda step: stamp(step.approval_date) or never, default=None)


def _is_current(at: str | None, document: Document) -> bool:
    """Tell whether something came after the document was submitted for the last time, as far as known."""
    decided, submitted = stamp(at), stamp(document.submitted_at)
    return decided is None or submitted is None or decided >= submitted
