"""Claim, read again, judge: which approvals somebody is told of now, and what becomes of the others.

Nothing is sent without an own claim, and nothing counts as sent before Moveworks took it.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from coupa_core.authority import Circle
from coupa_core.errors import ServiceError
from coupa_core.ledger import DRY_RUN, Entry, failed, parked, recorded, sent, waiting
from coupa_core.model import Approval, Document, DocumentKey, Found
from coupa_core.parallel import each
from coupa_core.sweep.closing import Closing, Parting
from coupa_core.sweep.deliver import Delivery, Errand
from coupa_core.sweep.judge import (
    Close,
    Fail,
    Park,
    Same,
    Shown,
    Tell,
    Verdict,
    Wait,
    judge,
    left_out,
    recipients_of,
    seen,
)
from coupa_core.sweep.plan import Look
from coupa_core.sweep.ports import Backlog, Kit
from coupa_core.sweep.progress import Progress
from coupa_core.sweep.rows import Rows
from coupa_core.sweep.sending import Sending
from coupa_core.sweep.timing import Postpone, must_escalate, put_off, timed, to_remind

BATCH = 50
"""Approvals that are claimed together: as many as one question to Coupa takes."""

MAX_TOGETHER = 250
"""Approvals of one person that are claimed together, to become one message."""

LOOK_AGAIN = timedelta(minutes=5)
"""At the latest after this, an approval that waits for its turn or for a recipient is looked at again."""

NOBODY = Circle((), is_certain=False)


@dataclass(frozen=True)
class _Held:
    """An approval that we hold a claim on."""

    look: Look
    entry: Entry


@dataclass(frozen=True)
class _Case:
    """A judged approval.

    Attributes:
        entry: the claimed row, as far as the verdict goes.
        approval: as read after the claim; None when Coupa does not know it.
        document: the same.
        verdict: what it needs.
    """

    entry: Entry
    approval: Approval | None
    document: Document | None
    verdict: Verdict | Postpone


@dataclass(frozen=True)
class _Truth:
    """What Coupa said after the claims were made."""

    found: Found = field(default_factory=Found)
    documents: dict[DocumentKey, Document] = field(default_factory=dict)
    circles: dict[int, Circle] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


class Announcing:
    """The announcing part of one sweep.

    Args:
        kit: what a sweep works with.
        progress: of this sweep.
        rows: the ledger's.
        sending: the way out.
        closing: for those whose card has died.
        backlog: what becomes of what waited before the bridge began; None when that is long ago.
        since: when everything was last seen.
    """

    def __init__(
        self,
        kit: Kit,
        progress: Progress,
        *,
        rows: Rows,
        sending: Sending,
        closing: Closing,
        backlog: Backlog | None,
        since: datetime,
    ) -> None:
        self._kit = kit
        self._progress = progress
        self._rows = rows
        self._sending = sending
        self._closing = closing
        self._is_silent = kit.is_dry or backlog is Backlog.BASELINE
        self._since = since
        together = backlog is Backlog.DIGEST or kit.cadence.digest_at is not None
        self._over = 1 if together else kit.cadence.digest_over or sys.maxsize
        self._delivery = Delivery(kit, progress, rows=rows, sending=sending, over=self._over)

    def run(
        self,
        looks: Iterable[Look],
        siblings: Mapping[DocumentKey, list[Approval]],
        circles: Mapping[int, Circle],
    ) -> None:
        """Go through the looks in order, until the deadline or the allowed rate ends it.

        Args:
            looks: from the plan.
            siblings: the listed approvals of each document.
            circles: who may decide each listed approval.
        """
        queue = deque(bundles(looks, circles, over=self._over))
        if queue and (self._is_silent or self._sending.may_begin()):
            while queue and self._room() > 0:
                self._batch(_take(queue, self._room()), siblings, behind=queue)
        self._progress.count("left_for_later", sum(map(len, queue)))

    def _room(self) -> int:
        """Return how many messages may still go out; a silent sweep has only its time."""
        if not self._is_silent:
            return self._sending.room()
        return 0 if self._progress.is_over or self._sending.deadline.left_s() <= 0 else BATCH

    def _batch(
        self, looks: list[Look], siblings: Mapping[DocumentKey, list[Approval]], *, behind: Sized
    ) -> None:
        """Claim some approvals, read them again, and settle each."""
        claims = each(self._rows.claim, looks, workers=self._kit.workers)
        held = [_Held(look, entry) for look, entry in zip(looks, claims, strict=True) if entry is not None]
        if not held:
            return
        try:
            truth = self._read(held)
        except ServiceError as failure:
            self._progress.stop(failure)
            cause = failure.code
            each(lambda claim: self._rows.give_back(claim.entry, cause), held, workers=self._kit.workers)
            return
        judged = [case for claim in held if (case := self._judged(claim, truth, siblings))]
        cases = self._parted(judged)
        # Telling how something ended is sending, too: while Moveworks is under suspicion one goes alone.
        workers = 1 if self._sending.suspect else self._kit.workers
        errands = each(self._settled, cases, workers=workers)
        self._delivery.deliver([errand for errand in errands if errand is not None], behind=len(behind))
        self._rows.record()

    def _read(self, held: list[_Held]) -> _Truth:
        """Read what was claimed, after the claim: the list may be old by now."""
        listed = [claim.look.approval for claim in held]
        deadline = self._sending.deadline.within(self._kit.lease.margin_s)
        coupa, truth = self._kit.coupa, _Truth()
        reads: list[Callable[[], None]] = [
            lambda: truth.found.update(coupa.approvals([approval.id for approval in listed], deadline)),
            lambda: truth.documents.update(coupa.documents(listed, deadline)),
        ]
        each(lambda read: read(), reads, workers=self._kit.workers)
        directory, pending = (
            self._kit.directory,
            [one for one in truth.found.by_id.values() if one.is_pending],
        )
        truth.circles.update(directory.circles(pending, deadline))
        addresses = {person.address for circle in truth.circles.values() for person in circle.people}
        sharing = directory.sharing(addresses, deadline)
        truth.shared.update(sharing.shared)
        truth.unknown.update(sharing.unknown)
        return truth

    def _judged(
        self, claim: _Held, truth: _Truth, siblings: Mapping[DocumentKey, list[Approval]]
    ) -> _Case | None:
        """Judge one approval; None when it was given back."""
        approval = truth.found.by_id.get(claim.look.approval.id)
        failure = truth.found.failed.get(claim.look.approval.id)
        if failure is not None:
            self._rows.fail(claim.entry, failure)
            return None
        if approval is None and truth.found.unreadable:
            self._rows.give_back(claim.entry, "approval_unreadable")
            return None
        return self._rows.guarded(claim.entry, lambda: self._judge(claim, approval, truth, siblings))

    def _judge(
        self,
        claim: _Held,
        approval: Approval | None,
        truth: _Truth,
        siblings: Mapping[DocumentKey, list[Approval]],
    ) -> _Case:
        kit = self._kit
        key = (approval or claim.look.approval).document_key
        document = truth.documents.get(key)
        entry = seen(claim.entry, approval, document, kit.coupa.now())
        circle = truth.circles.get(entry.approval_id, NOBODY)
        verdict: Verdict | Postpone = judge(
            entry,
            approval,
            document,
            siblings=siblings.get(key, ()),
            before=claim.look.entry.state if claim.look.entry else None,
            circle=circle,
            recipients=recipients_of(
                circle, document, shared=truth.shared | truth.unknown, emails=kit.rules.emails
            )
            if document
            else (),
        )
        is_unsure = any(person.address in truth.unknown for person in circle.people)
        has_nobody = isinstance(verdict, Park) and verdict.cause == "shared_address"
        if is_unsure and (has_nobody or isinstance(verdict, Same)):
            verdict = Wait("people_unread")
        if isinstance(verdict, Shown | Park):
            self._rows.note_rights(entry, verdict.entry)
            entry = left_out(entry, verdict.entry, approval, tells=kit.closing_notice)
        if isinstance(verdict, Tell) and not self._is_silent:
            verdict = timed(
                replace(verdict, entry=entry), cadence=kit.cadence, now=kit.clock.now(), since=self._since
            )
            entry = verdict.entry
        if is_unsure and isinstance(verdict, Tell):
            again = kit.clock.now() + LOOK_AGAIN
            verdict = replace(verdict, later=min(verdict.later or again, again))
        return _Case(entry, approval, document, verdict)

    def _parted(self, cases: list[_Case]) -> list[_Case]:
        """Tell those whose card has died, before all else, and leave out whose row was lost."""
        if self._kit.is_dry:
            return cases
        partings = {
            case.entry.approval_id: Parting(case.entry, case.approval, case.document)
            for case in cases
            if case.entry.farewell and not isinstance(case.verdict, Close)
        }
        if not partings:
            return cases
        try:
            self._closing.part(list(partings.values()))
        except ServiceError as failure:
            self._progress.stop(failure)
        kept = []
        for case in cases:
            parting = partings.get(case.entry.approval_id)
            if parting is None:
                kept.append(case)
            elif not parting.is_lost:
                kept.append(replace(case, entry=parting.entry))
        return kept

    def _settled(self, case: _Case) -> Errand | None:
        """Write what one approval needs; what somebody must be told of is an errand."""
        return self._rows.guarded(case.entry, lambda: self._settle(case))

    def _settle(self, case: _Case) -> Errand | None:
        now, entry = self._kit.clock.now(), case.entry
        match case.verdict:
            case Close(cause):
                self._closing.end(entry, case.approval, case.document, cause=cause)
            case Wait(cause):
                self._progress.count(cause)
                self._rows.commit(waiting(entry, cause=cause, until=now + LOOK_AGAIN))
            case Fail(cause):
                self._progress.count("unread")
                self._rows.commit(failed(entry, cause=cause, now=now))
            case Postpone(tell) as postponed:
                if errand := self._silence(tell, entry):
                    return replace(errand, then=postponed)
                self._progress.count("not_the_hour")
                self._rows.commit(put_off(postponed, entry, now=now))
            case Park(_, cause):
                self._progress.count(cause)
                self._rows.commit(parked(entry, cause=cause, now=now))
            case Tell() as tell if self._is_silent:
                self._keep_silent(tell, entry)
            case Tell() as tell:
                return Errand(tell, entry, list(tell.people))
            case same:
                return self._unchanged(same, entry)
        return None

    def _unchanged(self, same: Same, entry: Entry) -> Errand | None:
        """Remind those who were told, and tell of their silence, when it is time."""
        if errand := self._silence(same, entry):
            return errand
        if same.unread:
            self._rows.commit(parked(entry, cause=same.unread, now=self._kit.clock.now()))
            return None
        self._progress.count("unchanged")
        self._rows.commit(sent(entry, until=self._closing.hour(entry)))
        return None

    def _silence(self, shown: Same | Tell, entry: Entry) -> Errand | None:
        """Say who was told and is silent, and whether somebody else is told of that; None for nobody."""
        if self._is_silent:
            return None
        now, cadence = self._kit.clock.now(), self._kit.cadence
        told = [person for person in shown.everybody if entry.has_told(person.key, shown.version)]
        people = to_remind(entry, told, cadence=cadence, now=now)
        escalates = must_escalate(entry, cadence=cadence, now=now)
        if not people and not escalates:
            return None
        return Errand(shown, entry, people, is_reminder=True, escalates=escalates)

    def _keep_silent(self, tell: Tell, entry: Entry) -> None:
        """Record what would be sent in a trial, or what was there before the bridge began."""
        what = DRY_RUN if self._kit.is_dry else Backlog.BASELINE.value
        for person in tell.people:
            self._progress.count(what)
            self._rows.note_notice(entry, person, outcome=what, version=tell.version, digest=tell.content)
        if self._kit.is_dry:
            self._rows.commit(waiting(entry, cause=DRY_RUN, until=None))
        else:
            keys = [person.key for person in tell.people]
            self._rows.commit(recorded(entry, keys, version=tell.version))


def bundles(looks: Iterable[Look], circles: Mapping[int, Circle], *, over: int) -> list[list[Look]]:
    """Keep together what is for one person, where it may become one message; the order stays.

    Args:
        looks: in order.
        circles: who may decide each approval.
        over: how many notices to one person are too many.
    """
    wanted = [(look, circles.get(look.approval.id, NOBODY).keys) for look in looks]
    number = Counter(key for _, keys in wanted for key in keys)
    found: list[list[Look]] = []
    together: dict[str, list[Look]] = {}
    for look, keys in wanted:
        crowded = min((key for key in keys if number[key] > over), default="")
        if not crowded or len(together.get(crowded, ())) >= MAX_TOGETHER:
            together.pop(crowded, None)
        if crowded in together:
            together[crowded].append(look)
        else:
            found.append([look])
            if crowded:
                together[crowded] = found[-1]
    return found


def _take(queue: deque[list[Look]], room: int) -> list[Look]:
    """Take what is looked at next: one message each at least, and no more than there is room for."""
    taken: list[Look] = []
    while queue and room > 0 and len(taken) < BATCH:
        taken += queue.popleft()
        room -= 1
    return taken
