"""What is owed: pending approvals of which somebody should have been told, and was not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from coupa_core.ledger.age import age_s
from coupa_core.ledger.rules import DIGEST, DRY_RUN, MUTED, PILOT, QUIET, STOPPED, Entry, State
from coupa_core.model import UNREAD, Approval, stamp

MAY_WAIT = ("not_your_turn", QUIET, DIGEST, DRY_RUN, MUTED, PILOT)
"""Causes for which nobody is to be told yet."""

UNSEEN = "no_row"
"""The cause of what was not come to yet: nothing is known of it but that it waits."""

LATE_LIST = "list_late"
"""Stands for what nobody may know of: the list of all that waits was last read to its end too long ago."""

UNLISTED = "no_list"
"""Stands for what is not known, because Coupa did not list everything, or the ledger does not answer."""

MOVES = (UNSEEN, "no_turn", "others_first", "lease_too_short", State.CLAIMED)
"""Causes that end by themselves while messages go out: there are more than the allowed rate lets through."""

AWAY = ("429", "late", "lost", "pace", "timeout", "unreachable")
"""So end the codes of a neighbour that does not answer; and with its 5xx."""

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


def owed(rows: Iterable[Entry], unseen: Iterable[Approval], now: datetime) -> Owed:
    """Say what is owed.

    What is set aside has had its alarm, and is not counted.

    Args:
        rows: the ledger's open ones.
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
    """Return why somebody is still to be told; empty when nobody is."""
    if row is None:
        return UNSEEN
    if row.ended_as:
        return ""  # nobody is to decide it any more
    if row.state in (State.RETRY, State.CLAIMED):
        return row.cause or row.state
    if row.state is State.WAITING and row.cause not in MAY_WAIT and not row.cause.startswith(STOPPED):
        return row.cause
    return ""


def clock_of(cause: str) -> str:
    """Return the cause under which it is counted for how long: a neighbour that is away fails in many ways.

    >>> clock_of("document_coupa_502"), clock_of("coupa_late"), clock_of("document_coupa_404")
    ('coupa', 'coupa', 'coupa_404')
    """
    code = cause.removeprefix(UNREAD)
    service, _, way = code.partition("_")
    return service if way in AWAY or (way.isdigit() and way.startswith("5")) else code


def since(before: Mapping[str, str], due: Owed | None, *, has_sent: bool, now: datetime) -> dict[str, str]:
    """Say since when there is each cause, and nothing of it goes out.

    Args:
        before: what this returned for the sweep before, by `clock_of`.
        due: what is owed now; None when not everything could be looked at, and nothing has ended.
        has_sent: a message went out.
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
    """Return the causes, by `clock_of`, for which something is owed for too long."""
    return [cause for cause, text in begun.items() if (at := stamp(text)) and now - at >= STUCK_AFTER]


def is_late(last_complete_at: datetime | None, now: datetime, *, minutes: int) -> bool:
    """Tell whether the list of all that waits was read to its end too long ago, or is said to be to come.

    Args:
        last_complete_at: when it was.
        now: aware UTC.
        minutes: between two readings; three times as long is too long, and less than 15 minutes never is.
    """
    limit = max(STUCK_AFTER, 3 * timedelta(minutes=minutes))
    return last_complete_at is None or abs(now - last_complete_at) >= limit
