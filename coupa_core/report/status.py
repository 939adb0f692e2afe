"""Report whether the bridge works, and prove it: every pending approval of Coupa is accounted for.

It shows ids, keys of people, states, times and codes; no purchase data and no address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.clock import Clock, Deadline
from coupa_core.directory import Directory, ReachablePeople
from coupa_core.errors import ServiceError
from coupa_core.ledger import (
    PILOT,
    REPEATS,
    Entry,
    Lease,
    LedgerStore,
    Repeat,
    Status,
    read_repeats,
    stuck,
    undone,
)
from coupa_core.model import Listing
from coupa_core.moveworks import RATE_WINDOW_S
from coupa_core.report.figures import spread
from coupa_core.report.health import Cause, failing_cause, unmet_cause
from coupa_core.report.states import (
    MAX_ROWS,
    approval_states,
    groups_of,
    is_young,
    json_time,
    lists_of,
    page_of,
)

LIST_S = 100.0
"""The time limit for listing Coupa's approvals: 500 pages at 5 a second. Azure ends an answer after 230 s.

Source: https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout
"""

PEOPLE_S = 8.0
"""The time limit for looking up the people who are still to be told again."""


class Pending(Protocol):
    """The port to Coupa."""

    def pending(self, deadline: Deadline) -> Listing:
        """List every pending approval; the listing has the failure of a page, which is not raised."""
        ...


class StatusReport:
    """The use case.

    Args:
        store: the ledger's rows.
        coupa: lists pending approvals.
        directory: makes an uncached lookup of people.
        clock: the time.
        lease: the length of claims.
        max_per_minute: our share of Moveworks' rate.
        full_list_minutes: how often the list of pending approvals is read.
        versions: of the software, by name.
        limits: the host's limits of concurrency and duration; empty if unknown.
        pilot: the only people who receive messages.
        is_rare: the schedule leaves longer gaps than health allows.
    """

    def __init__(
        self,
        *,
        store: LedgerStore,
        coupa: Pending,
        directory: Callable[[], Directory],
        clock: Clock,
        lease: Lease,
        max_per_minute: int,
        full_list_minutes: int,
        versions: Mapping[str, str],
        limits: Mapping[str, float | None] | None = None,
        pilot: Audience = EVERYBODY,
        is_rare: bool = False,
    ) -> None:
        self._store = store
        self._coupa = coupa
        self._directory = directory
        self._clock = clock
        self._lease = lease
        self._max_per_minute = max_per_minute
        self._full_list_minutes = full_list_minutes
        self._versions = dict(versions)
        self._limits = dict(limits or {})
        self._pilot = pilot
        self._is_rare = is_rare

    def complaint(self, *, version: str = "", since: datetime | None = None) -> Cause | None:
        """Return the cause for which pending approvals may be unseen, or a message is long overdue.

        Without a store the bridge is not healthy.

        Args:
            version: the required release of the last sweep; empty for any.
            since: the earliest time at which that sweep must have begun, and then ended complete; None for
                any.

        Returns:
            The first cause; None if all is well.
        """
        try:
            status = self._store.status()
        except ServiceError:
            return Cause.LEDGER
        unmet = unmet_cause(status, version=version, since=since, rare=self._is_rare)
        return unmet or self._failing_cause(status)

    def _failing_cause(self, status: Status) -> Cause | None:
        minutes = self._full_list_minutes
        return failing_cause(status, self._clock.now(), full_list_minutes=minutes, rare=self._is_rare)

    def status(self, *, full: bool = False, after: int = 0) -> dict[str, Any]:
        """Account for every pending approval of Coupa from the ledger.

        The rows are read before the list: otherwise an approval that is closed in between would have no row.

        Args:
            full: return all approvals, page by page, instead of the lists.
            after: with `full`, only approvals with a greater id.

        Returns:
            JSON values: how the last sweep went, `pending` with how many are accounted for, `is_proved`,
            `unaccounted` (ids), `groups` (how many stand where and why, and for how long), `lists` of at
            most 100 each, oldest first, or with `full` `approvals` and `next_after`; `pilot` (is it on, and
            how many approvals wait for nothing but that it widens), `repeat` (the last one), `rates`,
            `versions`, `limits`.

        Raises:
            ServiceError: the store does not answer.
        """
        status = self._store.status()
        opened = self._store.open_entries()
        repeats = read_repeats(self._store.note(REPEATS).text)
        listing = self._coupa.pending(Deadline(self._clock, LIST_S))
        now = self._clock.now()
        states = approval_states(status, opened, listing, now)
        pending = [each for each in states if each.approval is not None]
        unaccounted = [str(each.approval_id) for each in pending if each.place == "unaccounted"]
        # The ids count, and not the number: others may have been left for later.
        unseen = [
            each
            for each in pending
            if each.place in ("unaccounted", "not_seen_yet") and not is_young(each.approval, now)
        ]
        late = stuck(status.owed_since, now)
        answer = {
            "is_healthy": self._failing_cause(status) is None,
            "is_proved": listing.is_complete and not listing.unreadable and not unseen and not late,
            "pending": {
                "total": len(pending),
                "accounted": len(pending) - len(unaccounted),
                "unaccounted": len(unaccounted),
                "is_complete": listing.is_complete,
                "failure": listing.failure.code if listing.failure else "",
                "unreadable": listing.unreadable,
                **spread(each.age_s for each in pending),
            },
            "unaccounted": unaccounted[:MAX_ROWS],
            "groups": groups_of(states),
            "last_complete_at": json_time(status.last_complete_at),
            "last_sweep_at": json_time(status.last_sweep_at),
            "last_began_at": json_time(status.last_began_at),
            "last_version": status.version,
            "reading": _reading(status),
            "paused_until": json_time(status.paused_until),
            "is_moveworks_suspect": status.suspect,
            "failure": status.failure,
            "counts": status.counts,
            "owed": {
                "count": sum(status.owed.values()),
                "oldest_s": round(status.oldest_owed_s),
                "causes": status.owed,
                "since": status.owed_since,
                "stuck": late,
            },
            "pilot": {
                "is_on": not self._pilot.is_everybody,
                "waiting": sum(row.cause == PILOT and not row.has_ended for row in opened.entries),
            },
            "repeat": self._repeat(repeats, opened.entries),
            "rates": self._rates(opened.entries),
            "versions": self._versions,
            "limits": self._limits,
        }
        return answer | (page_of(states, after) if full else {"lists": lists_of(states)})

    def _repeat(self, repeats: Sequence[Repeat], rows: Iterable[Entry]) -> dict[str, Any] | None:
        """Return the last request to tell people again, and the number of approvals that it still concerns.

        All requests count, and all reasons for waiting. A row has only keys of people, so those who cannot be
        looked up now count, too.
        """
        if not repeats:
            return None
        pending = undone(repeats, rows, self._pilot)
        named = [pair for pairs in pending if not _is_for_everybody(pairs) for pair in pairs]
        known = self._look_up({key for _, key in named})
        left = sum(any(known.may_be_in(repeat.people, key) for repeat, key in pairs) for pairs in pending)
        answer = {"asked_at": json_time(repeats[-1].at), "approvals": repeats[-1].approvals, "left": left}
        return answer | {"is_complete": not known.unknown}

    def _look_up(self, keys: Collection[str]) -> ReachablePeople:
        """Look people up; after a failure all of them are unknown."""
        if not keys:
            return ReachablePeople()
        try:
            return self._directory().known(sorted(keys), Deadline(self._clock, PEOPLE_S))
        except ServiceError as failure:
            return ReachablePeople(unknown=dict.fromkeys(keys, failure))

    def _rates(self, rows: Iterable[Entry]) -> dict[str, int]:
        """Return our share of Moveworks' rate, and its use by the ledger, as a sweep counts it."""
        now, used = self._clock.now(), 0
        for row in rows:
            used += sum((now - at).total_seconds() < RATE_WINDOW_S for at in row.sends(self._lease))
        limit = self._max_per_minute
        return {"moveworks_per_minute": limit, "used_last_minute": used, "left": max(0, limit - used)}


def _reading(status: Status) -> dict[str, Any]:
    """Return the progress through the list at the end of the last sweep."""
    answer = {name: status.reading.get(name) for name in ("began_at", "calls", "left")}
    ranges = [len(status.reading.get(name) or ()) for name in ("unread", "failed")]
    trust = {"missed": status.missed, "distrusted_until": json_time(status.distrusted_until)}
    return answer | {"unread": ranges[0], "failed": ranges[1], **trust}


def _is_for_everybody(pairs: Iterable[tuple[Repeat, str]]) -> bool:
    return any(repeat.people.is_everybody for repeat, _ in pairs)
