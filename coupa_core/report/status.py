"""Report whether the bridge works, and prove it: every pending approval of Coupa is accounted for.

It shows ids, keys of people, states, times and codes; no purchase data and no address.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.clock import Clock, Deadline
from coupa_core.directory import ReachablePeople
from coupa_core.errors import ServiceError
from coupa_core.ledger import (
    PILOT,
    REPEATS,
    UNSEEN,
    Entry,
    Lease,
    LedgerStore,
    Opened,
    Repeat,
    State,
    Status,
    age_s,
    read_repeats,
    stuck,
    undone,
)
from coupa_core.model import Approval, Listing, stamp
from coupa_core.report.figures import spread
from coupa_core.report.health import STALE_AFTER, Cause, cause_of, not_yet

MAX_ROWS = 100
"""The most approvals in each list for operators."""

MAX_FULL = 5_000
"""The approvals in one page when all are requested."""

LIST_S = 100.0
"""The seconds for listing Coupa's approvals: 500 pages at 5 a second. Azure ends an answer after 230 s.

Source: https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout
"""

PEOPLE_S = 8.0
"""The seconds for looking up the people who are still to be told again."""

RATE_WINDOW_S = 60.0

_LISTS = {
    State.SENT: "announced",
    State.CLAIMED: "claimed",
    State.RETRY: "retry",
    State.WAITING: "waiting",
    State.PARKED: "parked",
    State.DECIDED: "decided",
    State.CLOSED: "gone",
}
_WITHOUT_ROW = ("not_seen_yet", "row_unreadable", "unaccounted")
LISTS = (*_LISTS.values(), *_WITHOUT_ROW)
"""The names of the lists: by the state of the row, or why there is none."""


class Pending(Protocol):
    """The port to Coupa."""

    def pending(self, deadline: Deadline) -> Listing:
        """List every pending approval; the listing has the failure of a page, which is not raised."""
        ...


class PeopleLookup(Protocol):
    """The port to the directory."""

    def known(self, keys: Iterable[str], deadline: Deadline) -> ReachablePeople:
        """Return the people whom the chat can reach; raises `ServiceError`."""
        ...


@dataclass(frozen=True)
class _Standing:
    """The state of one approval.

    Attributes:
        approval_id: of Coupa.
        approval: as listed now; None when Coupa does not list it.
        row: of the ledger, or None.
        place: the list it belongs to.
        age_s: since the earliest time that is known of its wait.
    """

    approval_id: int
    approval: Approval | None
    row: Entry | None
    place: str
    age_s: float

    @property
    def cause(self) -> str:
        """Return the cause as a code; empty for none."""
        return self.row.cause if self.row else ""

    def values(self) -> dict[str, Any]:
        """Return its JSON values for operators; ids are texts, as in slots."""
        row, approval = self.row, self.approval
        document_id = (row.document_id if row else None) or (approval.approvable_id if approval else None)
        shown = {
            "approval_id": str(self.approval_id),
            "place": self.place,
            "cause": self.cause,
            "document_type": (row.document_type if row else "")
            or (approval.approvable_type if approval else None),
            "document_id": document_id and str(document_id),
            "asked": (approval.approver_key if approval else None) or (row.sent_to if row else None),
            "told": [key for key, told in row.told.items() if told.was_sent] if row else [],
            "sent_at": json_time(row.told_at) if row else None,
            "next_at": json_time(row.next_at) if row else None,
            "lease_until": json_time(row.lease_until) if row else None,
            "age_s": round(self.age_s),
        }
        return {name: value for name, value in shown.items() if value not in (None, "", [])}


class StatusReport:
    """The use case.

    Args:
        store: the ledger's rows.
        coupa: lists pending approvals.
        directory: makes a lookup of people that reads afresh.
        clock: the time.
        lease: the length of claims.
        max_per_minute: our share of Moveworks' rate.
        full_list_minutes: how often the list of pending approvals is read.
        versions: of the software, by name.
        limits: how many requests the host lets in at once, and for how long; empty where that is not known.
        pilot: the only people who receive messages.
        is_rare: the schedule leaves longer gaps than health allows.
    """

    def __init__(
        self,
        *,
        store: LedgerStore,
        coupa: Pending,
        directory: Callable[[], PeopleLookup],
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
        """Return the cause where pending approvals may be unseen, or a message is long overdue.

        Without a store the bridge is not healthy.

        Args:
            version: the release whose sweep the last one must have been; empty for any.
            since: the earliest time at which that sweep must have begun, and then ended complete; None for
                any.

        Returns:
            The first cause; None where all is well.
        """
        try:
            status = self._store.status()
        except ServiceError:
            return Cause.LEDGER
        asked = not_yet(status, version=version, since=since, rare=self._is_rare)
        return asked or self._cause_of(status)

    def _cause_of(self, status: Status) -> Cause | None:
        minutes = self._full_list_minutes
        return cause_of(status, self._clock.now(), full_list_minutes=minutes, rare=self._is_rare)

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
        standings, now = self._standings(status, opened, listing), self._clock.now()
        pending = [each for each in standings if each.approval is not None]
        unaccounted = [str(each.approval_id) for each in pending if each.place == "unaccounted"]
        # The ids count, and not the number: others may have been left for later.
        unseen = [
            each
            for each in pending
            if each.place in ("unaccounted", "not_seen_yet") and not _is_young(each.approval, now)
        ]
        late = stuck(status.owed_since, now)
        answer = {
            "is_healthy": self._cause_of(status) is None,
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
            "groups": _groups(standings),
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
        return answer | (_page(standings, after) if full else {"lists": _lists(standings)})

    def _standings(self, status: Status, opened: Opened, listing: Listing) -> list[_Standing]:
        """Return the state of each approval that Coupa lists or the ledger has, in the order of ids."""
        listed = {approval.id: approval for approval in listing.approvals}
        rows = {row.approval_id: row for row in opened.entries}
        corrupt = {int(each.key) for each in opened.corrupt if each.key.isascii() and each.key.isdigit()}
        now = self._clock.now()
        old = {
            number
            for number, approval in listed.items()
            if number not in rows and number not in corrupt and not _is_young(approval, now)
        }
        # The last sweep counted the approvals that it left for later; any more are unaccounted for.
        known = max(status.counts.get("left_for_later", 0), status.owed.get(UNSEEN, 0))
        lost = old if len(old) > known else set()

        def place(number: int) -> str:
            if number in rows:
                is_gone = number not in listed and listing.is_complete
                return _LISTS[State.CLOSED if is_gone else rows[number].state]
            if number in corrupt:
                return "row_unreadable"
            return "unaccounted" if number in lost else "not_seen_yet"

        return [
            _Standing(number, approval, row, place(number), age_s(approval, row, now))
            for number in sorted(listed.keys() | rows.keys())
            for approval, row in [(listed.get(number), rows.get(number))]
        ]

    def _repeat(self, repeats: Sequence[Repeat], rows: Iterable[Entry]) -> dict[str, Any] | None:
        """Return the last request to tell people again, and the number of approvals that it still concerns.

        All requests count, and all reasons for waiting. A row has only keys of people, so those who cannot be
        looked up now count, too.
        """
        if not repeats:
            return None
        pending = undone(repeats, rows, self._pilot)
        named = [pair for pairs in pending if not _is_of_all(pairs) for pair in pairs]
        known = self._known({key for _, key in named})
        left = sum(any(known.may_be_in(repeat.people, key) for repeat, key in pairs) for pairs in pending)
        answer = {"asked_at": json_time(repeats[-1].at), "approvals": repeats[-1].approvals, "left": left}
        return answer | {"is_complete": not known.unknown}

    def _known(self, keys: Collection[str]) -> ReachablePeople:
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


def _is_of_all(pairs: Iterable[tuple[Repeat, str]]) -> bool:
    return any(repeat.people.is_everybody for repeat, _ in pairs)


def _is_young(approval: Approval | None, now: datetime) -> bool:
    """Tell whether it was touched so lately that no sweep needs to have seen it."""
    touched = stamp(approval.updated_at) if approval else None
    return touched is not None and now - touched < STALE_AFTER


def _groups(standings: Iterable[_Standing]) -> list[dict[str, Any]]:
    """Count by place and cause."""
    ages: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in standings:
        ages[each.place, each.cause].append(each.age_s)
    return [
        {"place": place, "cause": cause, "count": len(found), **spread(found)}
        for (place, cause), found in sorted(ages.items())
    ]


def _lists(standings: Iterable[_Standing]) -> dict[str, list[dict[str, Any]]]:
    """Return the beginning of each list that is not empty, oldest first."""
    lists: dict[str, list[dict[str, Any]]] = {}
    room = Counter(dict.fromkeys(LISTS, MAX_ROWS))
    for each in sorted(standings, key=lambda each: -each.age_s):
        if room[each.place] > 0:
            room[each.place] -= 1
            lists.setdefault(each.place, []).append(each.values())
    return lists


def _page(standings: list[_Standing], after: int) -> dict[str, Any]:
    """Return one page of all approvals, by id."""
    later = [each for each in standings if each.approval_id > after]
    page = later[:MAX_FULL]
    next_after = str(page[-1].approval_id) if len(later) > MAX_FULL else None
    return {"approvals": [each.values() for each in page], "next_after": next_after}


def json_time(time: datetime | None) -> str | None:
    """Write a time as JSON has it."""
    return time.isoformat() if time else None
