"""Count the overdue messages: pending approvals that should have been announced, and were not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from coupa_core.ledger.age import age_s
from coupa_core.ledger.entry import DIGEST, DRY_RUN, MUTED, PILOT, QUIET, STOPPED, Entry, State
from coupa_core.model import UNREAD, Approval, stamp

MAY_WAIT = ("not_your_turn", QUIET, DIGEST, DRY_RUN, MUTED, PILOT)
"""Causes for which nobody needs to be told yet."""

UNSEEN = "no_row"
"""The cause of an approval without a row: no sweep has handled it yet."""

LATE_LIST = "list_late"
"""The cause for unknown approvals: the list of pending approvals was last read to its end too long ago."""

UNLISTED = "no_list"
"""The cause where the state is unknown: Coupa did not list everything, or the ledger does not answer."""

MOVES = (UNSEEN, "no_turn", "others_first", "lease_too_short", State.CLAIMED)
"""Causes that end by themselves while messages go out: the allowed rate is the limit."""

AWAY = ("429", "late", "lost", "pace", "timeout", "unreachable")
"""The endings of the codes of a service that does not answer; its 5xx count, too."""

STUCK_AFTER = timedelta(minutes=15)
"""The time after which a cause that blocks all its messages raises an alarm."""


@dataclass(frozen=True)
class Owed:
    """The number of overdue messages.

    Attributes:
        count: the number of approvals.
        oldest_s: the age of the oldest of them in seconds, as far as it is known.
        causes: the number of approvals by cause, the most frequent first.
    """

    count: int = 0
    oldest_s: float = 0.0
    causes: Mapping[str, int] = field(default_factory=dict)


def owed(rows: Iterable[Entry], unseen: Iterable[Approval], now: datetime) -> Owed:
    """Count the overdue messages.

    Parked approvals have raised their own alarm, and are not counted.

    Args:
        rows: the open rows.
        unseen: pending approvals without a row.
        now: aware UTC.
    """
    causes: Counter[str] = Counter()
    oldest_s = 0.0
    waits: list[tuple[Approval | None, Entry | None]] = [(None, row) for row in rows]
    for approval, row in [*waits, *((approval, None) for approval in unseen)]:
        cause = _cause(row)
        if cause:
            causes[cause] += 1
            oldest_s = max(oldest_s, age_s(approval, row, now))
    return Owed(causes.total(), oldest_s, dict(causes.most_common()))


def _cause(row: Entry | None) -> str:
    """Return the cause for which a message is still owed; empty if none is owed."""
    if row is None:
        return UNSEEN
    if row.ended_as:
        return ""  # it has ended
    if row.state in (State.RETRY, State.CLAIMED):
        return row.cause or row.state
    if row.state is State.WAITING and row.cause not in MAY_WAIT and not row.cause.startswith(STOPPED):
        return row.cause
    return ""


def clock_of(cause: str) -> str:
    """Return the cause whose duration is measured: a service that is away fails in many ways.

    >>> clock_of("document_coupa_502"), clock_of("coupa_late"), clock_of("document_coupa_404")
    ('coupa', 'coupa', 'coupa_404')
    """
    code = cause.removeprefix(UNREAD)
    service, _, way = code.partition("_")
    return service if way in AWAY or (way.isdigit() and way.startswith("5")) else code


def since(before: Mapping[str, str], due: Owed | None, *, has_sent: bool, now: datetime) -> dict[str, str]:
    """Return the time since which each cause has blocked all its messages.

    Args:
        before: the result for the previous sweep, by `clock_of`.
        due: the overdue messages now; None after an incomplete read: then no cause ends.
        has_sent: this sweep sent a message.
        now: aware UTC.
    """
    causes = map(clock_of, due.causes) if due is not None else [*before, UNLISTED]
    return {
        cause: now.isoformat() if begun is None or begun > now or is_moving else begun.isoformat()
        for cause in causes
        for begun in [stamp(before.get(cause))]
        for is_moving in [has_sent and cause in MOVES]
    }


def stuck(begun: Mapping[str, str], now: datetime) -> list[str]:
    """Return the causes, by `clock_of`, that have blocked messages for too long."""
    return [cause for cause, text in begun.items() if (at := stamp(text)) and now - at >= STUCK_AFTER]


def is_late(last_complete_at: datetime | None, now: datetime, *, minutes: int) -> bool:
    """Tell whether the list of pending approvals was read to its end too long ago, or by a wrong clock.

    Args:
        last_complete_at: when it was read to its end.
        now: aware UTC.
        minutes: between two readings; three times as long is too long, and less than 15 minutes never is.
    """
    limit = max(STUCK_AFTER, 3 * timedelta(minutes=minutes))
    return last_complete_at is None or abs(now - last_complete_at) >= limit
