"""Measure the parts of the wait until a decision: for the notice, for the person, and for Coupa. Pure."""

from __future__ import annotations

from datetime import datetime

from coupa_core.ledger import Entry
from coupa_core.model import Approval, Document, stamp


def waits(
    approval: Approval,
    document: Document,
    row: Entry | None,
    *,
    person: str,
    clicked_at: datetime,
    confirmed_at: datetime,
) -> dict[str, float]:
    """Return the parts of the wait that are known, in seconds.

    Args:
        approval: as it was read before the decision.
        document: as it was read before the decision.
        row: the row of the approval; None if the ledger did not answer.
        person: the key of the decider.
        clicked_at: when the click arrived.
        confirmed_at: when Coupa's record said that it took effect.

    Returns:
        `queue_s` from when its turn came, as far as Coupa says, until the last notice; `click_s` from that
        notice until the click; `write_s` from the click until Coupa confirmed it. Only a person who was told
        has the first two, and the first needs a stamp of Coupa from before the notice.
    """
    parts = {}
    told_at = row.to(person).at if row is not None else None
    if row is not None and told_at is not None:
        begun_at = _turn_began_at(approval, document, row, told_at)
        if begun_at is not None:
            parts["queue_s"] = _seconds_between(begun_at, told_at)
        parts["click_s"] = _seconds_between(told_at, clicked_at)
    return {**parts, "write_s": _seconds_between(clicked_at, confirmed_at)}


def _turn_began_at(approval: Approval, document: Document, row: Entry, told_at: datetime) -> datetime | None:
    """Return when this step began to wait: when the document was submitted, or the step before approved.

    If Coupa says neither, this is the earliest stamp of the approval; it may have waited for longer.
    """
    turns = [stamp(document.submitted_at), *(stamp(step.approval_date) for step in document.approved)]
    if begun := [at for at in turns if at and at <= told_at]:
        return max(begun)
    seen = [stamp(approval.updated_at), stamp(row.seen_approval)]
    return min((at for at in seen if at and at <= told_at), default=None)


def _seconds_between(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
