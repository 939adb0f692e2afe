"""What is owed: pending approvals of which somebody should have been told, and was not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from coupa_core.ledger.age import age_s
from coupa_core.ledger.rules import DIGEST, DRY_RUN, MUTED, QUIET, Entry, State
from coupa_core.model import Approval, stamp

MAY_WAIT = ("not_your_turn", QUIET, DIGEST, DRY_RUN, MUTED)
"""Causes for which nobody is to be told yet."""

UNSEEN = "no_row"
"""The cause of what was not come to yet: nothing is known of it but that it waits."""

UNLISTED = "no_list"
"""Stands for what is not known, because Coupa did not list everything, or the ledger does not answer."""

MOVES = (UNSEEN, "no_turn", "others_first", "lease_too_short", State.CLAIMED)
"""Causes that end by themselves while messages go out: there are more than the allowed rate lets through."""

STUCK_AFTER = timedelta(minutes=15)
"""What is owed for so long, while nothing of it goes out, is an alarm."""


@dataclass(frozen=True)
class Owed:
    """How much is owed.

    Attributes:
        count: of approvals.
        oldest_s: for how long the oldest of them waits, as far as that is known, in seconds.
        causes: how many wait for which cause, the most frequent first.
    """

    count: int = 0
    oldest_s: float = 0.0
    causes: Mapping[str, int] = field(default_factory=dict)


def owed(approvals: Iterable[Approval], rows: Mapping[int, Entry], now: datetime) -> Owed:
    """Say what is owed of these pending approvals.

    What is set aside has had its alarm, and is not counted.

    Args:
        approvals: as Coupa listed them.
        rows: the ledger's, by approval id.
        now: aware UTC.
    """
    causes: Counter[str] = Counter()
    oldest_s = 0.0
    for approval in approvals:
        row = rows.get(approval.id)
        cause = _cause(row)
        if cause:
            causes[cause] += 1
            oldest_s = max(oldest_s, age_s(approval, row, now))
    return Owed(causes.total(), oldest_s, dict(causes.most_common()))


def _cause(row: Entry | None) -> str:
    """Return why somebody is still to be told; empty when nobody is."""
    if row is None:
        return UNSEEN
    if row.state in (State.RETRY, State.CLAIMED):
        return row.cause or row.state
    if row.state is State.WAITING and row.cause not in MAY_WAIT:
        return row.cause
    return ""


def since(before: Mapping[str, str], due: Owed | None, *, has_sent: bool, now: datetime) -> dict[str, str]:
    """Say since when there is each cause, and nothing of it goes out.

    Args:
        before: what this returned for the sweep before.
        due: what is owed now; None when not everything could be looked at, and nothing has ended.
        has_sent: a message went out.
        now: aware UTC.
    """
    causes = dict(due.causes) if due is not None else {**dict.fromkeys(before, 1), UNLISTED: 1}
    return {
        cause: now.isoformat() if begun is None or begun > now or is_moving else begun.isoformat()
        for cause in causes
        for begun in [stamp(before.get(cause))]
        for is_moving in [has_sent and cause in MOVES]
    }


def stuck(begun: Mapping[str, str], now: datetime) -> list[str]:
    """Return the causes for which something is owed for too long."""
    return [cause for cause, text in begun.items() if (at := stamp(text)) and now - at >= STUCK_AFTER]
