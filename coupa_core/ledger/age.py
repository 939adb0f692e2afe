"""Compute the least time that an approval has waited, by the stamps of Coupa and the row. Pure."""

from __future__ import annotations

from datetime import datetime

from coupa_core.ledger.entry import Entry
from coupa_core.model import Approval, stamp


def age_s(approval: Approval | None, row: Entry | None, now: datetime) -> float:
    """Return the least time of its wait in seconds: Coupa does not say when an approval's turn came.

    The age counts from the earliest of Coupa's present `updated-at`, the one at our last check, and our first
    notice. Every change moves the first stamp, so an approval that nobody was told of may have waited longer.
    """
    times = [
        stamp(approval.updated_at) if approval else None,
        stamp(row.seen_approval) if row else None,
        row.first_told_at if row else None,
    ]
    return max(0.0, (now - min((time for time in times if time), default=now)).total_seconds())
