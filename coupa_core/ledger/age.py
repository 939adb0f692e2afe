"""How long an approval has waited at least, by what Coupa and the row say. Pure."""

from __future__ import annotations

from datetime import datetime

from coupa_core.ledger.rules import Entry
from coupa_core.model import Approval, stamp


def age_s(approval: Approval | None, row: Entry | None, now: datetime) -> float:
    """Return for how many seconds it waits at least: Coupa does not say when an approval's turn came.

    From the earliest of Coupa's `updated-at` now, the one at our last look, and our first notice. Whatever
    touches the approval moves the first, so that one that nobody was told of may have waited for longer.
    """
    times = [
        stamp(approval.updated_at) if approval else None,
        stamp(row.seen_approval) if row else None,
        row.first_told_at if row else None,
    ]
    return max(0.0, (now - min((time for time in times if time), default=now)).total_seconds())
