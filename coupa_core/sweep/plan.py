"""Choose what a sweep claims: new approvals, approvals that changed, and rows that are due.

Pure: it reads and writes nothing. `scan` passes in what Coupa returns; the ledger's rows are known before.
An approval that is no candidate needs no work.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from coupa_core.authority import Deciders
from coupa_core.cadence import Cadence
from coupa_core.ledger import DIGEST, DRY_RUN, MUTED, PILOT, QUIET, Entry, Lease, State
from coupa_core.model import Approval, Comment, DocumentKey, IdRange
from coupa_core.sweep.due import is_due_again
from coupa_core.sweep.questions import comment_places, has_answer
from coupa_core.sweep.shapes import MAX_DECIDERS

USUAL = Cadence()

APPROVAL_FAILED = ("coupa_", "not_json")
"""The prefixes of a row's cause if Coupa could not return the approval itself."""


class Priority(IntEnum):
    """The order in which candidates are claimed."""

    OWED = 0
    """Nobody was told yet, or the outcome is unknown."""
    UNBLOCKED = 1
    """The approval waited for its turn, and another approval of its document changed."""
    TOUCHED = 2
    """People were told of it, and it changed in Coupa."""
    DUE = 3
    """It waits, and its next check is due."""
    SILENT = 4
    """A reminder, an escalation or a closing notice may be due."""
    GONE = 5
    """Coupa no longer lists it."""


@dataclass(frozen=True)
class Candidate:
    """One approval to claim, read and judge.

    Attributes:
        approval: as listed, or made from the row; only its ids count, because it was read before the claim.
        entry: the row as it was read, or None.
        priority: its place in the order.
        people: the keys of its deciders, as far as they are known before the claim.
        is_late: a reminder may be due.
    """

    approval: Approval
    entry: Entry | None
    priority: Priority
    people: Collection[str] = ()
    is_late: bool = False

    @property
    def failures(self) -> int:
        """Return the number of earlier failures, unknown outcomes and refusals."""
        row = self.entry
        if row is None:
            return 0
        return row.failures + row.uncertain + max((each.refusals for each in row.told.values()), default=0)


class Plan:
    """The candidates of one sweep; each answer of Coupa adds to them.

    Args:
        rows: the open rows, by approval id.
        now: aware UTC.
        lease: the length of claims.
        cadence: the hours at which people may be disturbed.
        is_dry: the sweep sends nothing.
        reach: the mark of the present reach; a row that was judged under another one is a candidate again.

    Attributes:
        seen: ids of the approvals that Coupa listed as pending in this sweep.
        new: the approvals without a row, by id.
        held: how many rows another process has claimed, or wait for an hour that has not come.
        quiet: how many listed approvals need no work.
    """

    def __init__(
        self,
        rows: Mapping[int, Entry],
        *,
        now: datetime,
        lease: Lease,
        cadence: Cadence = USUAL,
        is_dry: bool = False,
        reach: str = "",
    ) -> None:
        self._rows = rows
        self._now = now
        self._lease = lease
        self._cadence = cadence
        self._is_dry = is_dry
        self._reach = reach
        self._by_document: dict[DocumentKey, list[Entry]] = defaultdict(list)
        for row in rows.values():
            self._by_document[row.document_key].append(row)
        self._numbers = sorted(rows)
        self._people: dict[int, Collection[str]] = {}
        self._changed: dict[int, Approval] = {}
        self._touched: set[int] = set()
        self._moved: set[DocumentKey] = set()
        self._gone: set[int] = set()
        self.seen: set[int] = set()
        self.new: dict[int, Approval] = {}
        self.held = self.quiet = 0

    # ------------------------------------------------------------------ input from Coupa

    def add_pending(self, approvals: Iterable[Approval], deciders_of: Mapping[int, Deciders]) -> None:
        """Add pending approvals.

        Args:
            approvals: as listed.
            deciders_of: the deciders of each, by approval id.
        """
        for approval in approvals:
            number, deciders = approval.id, deciders_of.get(approval.id)
            row = self._rows.get(number)
            self.seen.add(number)
            self._gone.discard(number)
            is_moved = row is None or (approval.updated_at or "") != row.seen_approval
            if row is None:
                self.new[number] = approval
            if is_moved:
                self._moved.add(approval.document_key)
            if is_moved or (row is not None and _has_other_deciders(row, deciders)):
                self._touched.add(number)
                self._changed[number] = approval
            if deciders is not None and deciders.keys and number in self._changed:
                self._people[number] = deciders.keys

    def add_left_over(self, approvals: Iterable[Approval]) -> None:
        """Add approvals that an earlier sweep listed and left without a row."""
        self.new |= {approval.id: approval for approval in approvals if approval.id not in self._rows}

    def add_ids(self, numbers: Iterable[int]) -> None:
        """Add approvals by id alone; an existing row takes precedence."""
        self.new = {number: Approval(id=number) for number in numbers if number not in self._rows} | self.new

    def mark_gone(self, numbers: Iterable[int]) -> None:
        """Mark approvals that are no longer pending, or are missing from the list."""
        for number in numbers:
            row = self._rows.get(number)
            if number not in self.seen:
                self.new.pop(number, None)
            if row is not None and number not in self.seen:
                self._gone.add(number)
                self._moved.add(row.document_key)

    def unlisted(self, ids: IdRange) -> list[int]:
        """Return the ids of rows in this range whose approvals Coupa has not listed."""
        low, high = bisect_left(self._numbers, ids[0]), bisect_right(self._numbers, ids[1])
        return [number for number in self._numbers[low:high] if number not in self.seen]

    def awaits_answer(self, row: Entry) -> bool:
        """Tell whether a row has an open question whose answer could be sent now."""
        is_open = row.state in (State.SENT, State.RETRY, State.WAITING) and not row.ended_as
        is_held = row.next_at is not None and row.next_at > self._now
        return bool(row.questions) and is_open and not is_held and not self._is_dry

    def add_comments(self, comments: Mapping[tuple[str, int], Sequence[Comment]]) -> None:
        """Add comments on documents: a row whose question is answered becomes a candidate."""
        for row in filter(self.awaits_answer, self._rows.values()):
            written = [each for place in comment_places(row) for each in comments.get(place, ())]
            if has_answer(row, written):
                self._touched.add(row.approval_id)

    def add_edits(self, stamps: Mapping[DocumentKey, str]) -> None:
        """Add the times of edits to documents: an edit need not touch their approvals."""
        for key, text in stamps.items():
            self._touched |= {row.approval_id for row in self._by_document[key] if row.seen_document != text}

    # ------------------------------------------------------------------ output

    def candidates(self) -> list[Candidate]:
        """Return the candidates in the order in which they are claimed."""
        self.held = self.quiet = 0
        candidates = [self._candidate(approval, None, Priority.OWED) for approval in self.new.values()]
        for row in self._rows.values():
            priority = self._priority(row)
            if priority is not None:
                approval = self._changed.get(row.approval_id) or _approval_of_row(row)
                candidates.append(self._candidate(approval, row, priority))
        return _sorted(candidates)

    def _candidate(self, approval: Approval, row: Entry | None, priority: Priority) -> Candidate:
        people = self._people.get(approval.id) or (row.told.keys() if row else ())
        return Candidate(approval, row, priority, people, is_late=row is not None and self._is_late(row))

    def _priority(self, row: Entry) -> Priority | None:
        """Return the priority of a row; None when it needs no work."""
        if row.is_held(self._now, self._lease):
            self.held += 1
            return None
        if row.approval_id in self._gone or (row.ended_as and row.approval_id not in self.seen):
            priority = self._priority_if_gone(row)
        else:
            priority = self._priority_if_pending(row)
            self.quiet += priority is None and row.approval_id in self.seen
        return priority

    def _is_due(self, row: Entry) -> bool:
        is_ahead = row.is_ahead(self._now, self._lease)
        return is_ahead or (row.next_at is not None and row.next_at <= self._now)

    def _priority_if_gone(self, row: Entry) -> Priority | None:
        waits = row.next_at is not None and row.next_at > self._now
        if waits and row.ended_as and row.cause == QUIET:
            self.held += 1  # only a closing notice is left, to somebody in quiet hours
            return None
        if waits and row.state in (State.RETRY, State.PARKED) and row.cause.startswith(APPROVAL_FAILED):
            self.quiet += 1  # Coupa could not return the approval; the next try is later
            return None
        return Priority.GONE

    def _priority_if_pending(self, row: Entry) -> Priority | None:
        priority = self._priority_by_state(row)
        return Priority.SILENT if priority is None and self._is_late(row) else priority

    def _is_late(self, row: Entry) -> bool:
        """Tell whether a reminder may be due."""
        return not self._is_dry and is_due_again(row, cadence=self._cadence, now=self._now)

    def _priority_by_state(self, row: Entry) -> Priority | None:
        is_due = self._is_due(row)
        is_touched = row.approval_id in self._touched or self._has_other_reach(row)
        if row.state is State.CLAIMED or row.ended_as:
            return Priority.OWED
        if row.state is State.WAITING:
            has_changed = is_touched or row.document_key in self._moved
            return self._priority_if_waiting(row, has_changed=has_changed, is_due=is_due)
        if row.state in (State.RETRY, State.PARKED):
            # An approval that was sent too often is not sent again only because somebody touched it.
            is_mended = row.state is State.PARKED and is_touched and not row.uncertain
            return Priority.OWED if is_due or is_mended else None
        # Coupa may list a decided approval for two reasons: it was listed just before, or it waits again.
        is_again = row.state is State.DECIDED and row.approval_id in self.seen
        return Priority.TOUCHED if is_touched or is_again else None

    def _has_other_reach(self, row: Entry) -> bool:
        """Tell whether the reach has changed since a row was judged; decided rows do not count."""
        return row.reach != self._reach and row.state is not State.DECIDED

    def _priority_if_waiting(self, row: Entry, *, has_changed: bool, is_due: bool) -> Priority | None:
        is_the_hour = row.cause in (QUIET, DIGEST) and is_due
        if is_the_hour or (row.cause == DRY_RUN and not self._is_dry):
            return Priority.OWED
        if has_changed and row.cause != MUTED:
            return Priority.UNBLOCKED
        return Priority.DUE if is_due else None


def _sorted(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Sort by priority, then by earlier failures, then alternate between the newest and the oldest.

    A new approval then does not wait behind a backlog, and an old one does not wait for ever.
    """
    alike: dict[tuple[int, int], deque[Candidate]] = defaultdict(deque)
    for candidate in sorted(candidates, key=lambda candidate: candidate.approval.id):
        alike[candidate.priority, candidate.failures].append(candidate)
    ordered: list[Candidate] = []
    for _, waiting in sorted(alike.items()):
        while waiting:
            ordered.append(waiting.pop())
            if waiting:
                ordered.append(waiting.popleft())
    return ordered


def _approval_of_row(row: Entry) -> Approval:
    """Return an approval that has only the ids of the row."""
    return Approval.model_validate(
        {"id": row.approval_id, "approvable-type": row.document_type, "approvable-id": row.document_id}
    )


def _has_other_deciders(row: Entry, deciders: Deciders | None) -> bool:
    """Tell whether the deciders have changed since the row was written; no stamp of Coupa shows that."""
    is_settled = row.state in (State.SENT, State.PARKED) or row.cause == PILOT
    if deciders is None or not deciders.is_certain or not is_settled:
        return False
    return deciders.keys != row.told.keys() and len(deciders.keys) <= MAX_DECIDERS
