"""Work through the candidates: claim, read again, judge, and pass the messages to the outbox.

A sweep sends nothing without its own claim, and only data that was read under the claim decides.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from coupa_core.clock import Deadline
from coupa_core.directory import ReachablePeople
from coupa_core.documents import READABLE
from coupa_core.endings import has_stopped
from coupa_core.errors import ServiceError
from coupa_core.halving import by_halves
from coupa_core.ledger import BASELINE, DRY_RUN, Entry
from coupa_core.model import (
    Approval,
    Comment,
    Document,
    DocumentKey,
    DocumentKind,
    FoundApprovals,
    Unreadable,
)
from coupa_core.parallel import map_parallel
from coupa_core.sweep.closings import closings_owed
from coupa_core.sweep.dependencies import FirstRunPolicy, Progress, SweepDependencies, SweepRows
from coupa_core.sweep.due import must_escalate
from coupa_core.sweep.facts import FactFinder
from coupa_core.sweep.judge import judge, seen, shown_of
from coupa_core.sweep.outbox import NEVER, Outbox
from coupa_core.sweep.plan import Candidate, Priority
from coupa_core.sweep.questions import places_of
from coupa_core.sweep.reach import Reach
from coupa_core.sweep.shapes import MANAGER, NOBODY, FreshRead, Judged, Role, SweepPolicy

BATCH = 50
"""Approvals that are claimed together: as many as one question to Coupa takes."""

MAX_TOGETHER = 250
"""Approvals of one person that are claimed together, to become one message."""

LINES_MISSING = "lines_missing"
"""The count of documents that came with fewer lines than Coupa says they have."""

logger = logging.getLogger(__name__)


class _Claimed:
    """An approval under our claim, and the data that was read since."""

    def __init__(self, candidate: Candidate, entry: Entry) -> None:
        self.candidate = candidate
        self.entry = entry
        self.read = FreshRead(approval=candidate.approval)
        self.is_gone = candidate.priority is Priority.GONE
        self.found = FoundApprovals()

    @property
    def key(self) -> DocumentKey:
        """Return which document it is about."""
        return self.read.approval.document_key

    @property
    def is_named(self) -> bool:
        """Tell whether its document was known before it was read."""
        return self.candidate.approval.approvable_id is not None

    def takes_over(self) -> bool:
        """Take over the approval as it was found; False when nothing was found out about it."""
        found = self.found
        approval = found.by_id.get(self.read.approval.id)
        if approval is not None:
            self.read.approval, self.read.is_known = approval, True
        return approval is not None or not (found.unreadable or self.read.approval.id in found.failed)


class Work:
    """The work of one sweep.

    Args:
        deps: the services and settings of the sweep.
        progress: the tally of this sweep.
        deadline: for approvals that Coupa lists; the others have until the end of the sweep.
        suspect: the last send of the previous sweep failed or has an unknown outcome.
        paused_until: the sweep sends nothing before; None when there is no pause.
        first_run: how the backlog is treated; None after the first run.
        since: when a sweep last saw everything.
        began_at: when the bridge began, by Coupa's clock; None after the first run.
        reach: the people whom messages reach.

    Attributes:
        rows: the ledger's rows, with the writes of this sweep.
    """

    def __init__(
        self,
        deps: SweepDependencies,
        progress: Progress,
        *,
        deadline: Deadline,
        suspect: bool,
        paused_until: datetime | None,
        first_run: FirstRunPolicy | None,
        since: datetime,
        began_at: datetime | None,
        reach: Reach,
    ) -> None:
        self._deps = deps
        self._progress = progress
        self.rows = SweepRows(deps, progress)
        together = first_run is FirstRunPolicy.DIGEST or deps.cadence.digest_at is not None
        self._over = 1 if together else deps.cadence.digest_over or NEVER
        self._outbox = Outbox(
            deps,
            progress,
            rows=self.rows,
            over=self._over,
            deadline=deadline,
            suspect=suspect,
            paused_until=paused_until,
        )
        self._policy = SweepPolicy(
            cadence=deps.cadence,
            rules=deps.rules,
            closing_policy=deps.closing_notice,
            tells_requester=deps.tells_requester,
            escalate_to=deps.escalate_to,
            silence=DRY_RUN if deps.is_dry else BASELINE if first_run is FirstRunPolicy.BASELINE else "",
            since=since,
            began_at=began_at,
            reach=reach,
        )
        self._facts = FactFinder(deps, progress)
        self._outcomes: set[DocumentKey] = set()
        self._cut: set[DocumentKey] = set()

    @property
    def suspect(self) -> bool:
        """Tell whether the last send failed or has an unknown outcome."""
        return self._outbox.suspect

    @property
    def paused_until(self) -> datetime | None:
        """Return when sending may go on; None for at once."""
        return self._outbox.paused_until

    def run(self, candidates: Sequence[Candidate]) -> None:
        """Work through the candidates in order, until the deadline or the allowed rate ends it.

        Approvals that Coupa no longer lists come last, in time that is reserved for them.

        Args:
            candidates: from the plan.
        """
        listed = [candidate for candidate in candidates if candidate.priority is not Priority.GONE]
        queue = deque(bundles(listed, over=self._over))
        may_begin = bool(queue) and (self._policy.silence or self._outbox.may_begin())
        try:
            while may_begin and queue and self._room() > self._facts.waiting:
                self._batch(_take(queue, self._room() - self._facts.waiting), behind=len(queue))
        finally:
            self._send_kept(behind=len(queue), is_last=True)
        self._progress.count("left_for_later", sum(map(len, queue)))
        self._outbox.deadline = self._progress.deadline
        gone = deque([candidate] for candidate in candidates if candidate.priority is Priority.GONE)
        while gone and not self._progress.is_over and self._progress.deadline.left_s() > 0:
            self._batch(_take(gone, BATCH))
        self._send_kept(is_last=True)
        self._progress.count("closings_left", len(gone))
        self._report_cut()

    def _report_cut(self) -> None:
        """Log once how many documents came with fewer lines than Coupa says they have."""
        if self._cut:
            self._progress.count(LINES_MISSING, len(self._cut))
            kind, number = min(self._cut, key=str)
            text = "lines missing code=coupa_lines documents=%d, such as type=%s document_id=%s"
            logger.error(text, len(self._cut), kind, number)

    def _room(self) -> int:
        """Return how many messages may still go out; a silent sweep is limited by time only."""
        if not self._policy.silence:
            return self._outbox.room()
        has_time = self._outbox.deadline.left_s() > 0
        return BATCH if has_time and not (self._progress.is_over or self._progress.has_stopped_sending) else 0

    def _batch(self, candidates: Sequence[Candidate], *, behind: int = 0) -> None:
        """Claim some approvals, read them again, judge each, and send the messages.

        Cards with facts wait for those of later batches, so that one call reads the facts of fifty.
        """
        workers, began_s = self._deps.workers, self._deps.clock.monotonic()
        claims = map_parallel(self.rows.claim, candidates, workers=workers)
        claimed = [
            _Claimed(candidate, entry)
            for candidate, entry in zip(candidates, claims, strict=True)
            if entry is not None
        ]
        deadline = self._outbox.deadline.within(self._deps.lease.margin_s)
        try:
            whole = self._read(claimed, deadline) if claimed else []
        except ServiceError as failure:
            self._send_kept(is_last=True)  # earlier batches were read, and can be sent
            is_gone = claimed[0].is_gone  # a batch is of one sort
            (self._progress.record_failure if is_gone else self._progress.stop_sending)(failure)
            cause = failure.code
            map_parallel(lambda one: self._give_back(one, cause), claimed, workers=workers)
            whole = []
        judged = [one for case in whole if (one := self._judged(case))]
        others = self._facts.keep(judged, alone=self._outbox.alone(judged), began_s=began_s)
        self._send_kept(behind=behind)
        self._outbox.deliver(others, behind=behind + self._facts.waiting)
        self.rows.record()

    def _send_kept(self, *, behind: int = 0, is_last: bool = False) -> None:
        """Send the cards that wait for facts, when there are enough of them, or they can wait no longer."""
        while due := self._facts.due(self._outbox.deadline, is_last=is_last):
            self._outbox.deliver(due, behind=behind)
            self.rows.record()

    def _give_back(self, claimed: _Claimed, cause: str) -> None:
        """End the claim of an approval that was not read."""
        if claimed.is_gone and claimed.candidate.entry is not None:
            self._progress.count("unreadable")
            self.rows.undo(claimed.entry, claimed.candidate.entry)
        else:
            self.rows.give_back(claimed.entry, cause)

    def _judged(self, claimed: _Claimed) -> Judged | None:
        """Judge one approval; None when that failed."""
        judged = self.rows.isolate_errors(claimed.entry, lambda: self._judge(claimed))
        if judged is None:
            return None
        self.rows.note_rights(claimed.entry, judged.entry)
        for name in judged.counts:
            self._progress.count(name)
        self._progress.count("unlisted", claimed.is_gone and claimed.read.is_pending)
        if Role.REQUESTER in judged.entry.farewell.values():
            self._outcomes.add(claimed.key)
        for person in judged.unsaid:
            what = self._policy.silence
            self._progress.count(what)
            self.rows.note_notice(
                judged.entry, person, outcome=what, version=judged.version, digest=judged.content
            )
        return judged

    def _judge(self, claimed: _Claimed) -> Judged:
        deps, read = self._deps, claimed.read
        entry = claimed.entry
        if read.is_known:
            entry = seen(entry, read.approval, read.document, deps.coupa.now())
        before = claimed.candidate.entry.state if claimed.candidate.entry else None
        read.is_outcome_told = claimed.key in self._outcomes
        return judge(entry, read, before=before, policy=self._policy, now=deps.clock.now())

    # ------------------------------------------------------------------ reading after the claim

    def _read(self, claimed: Sequence[_Claimed], deadline: Deadline) -> Sequence[_Claimed]:
        """Read the claimed approvals; give back those that cannot be read, and return the others.

        Raises:
            ServiceError: Coupa answers nothing useful at all.
        """
        documents = self._read_named(claimed, deadline)
        whole = [one for one in claimed if one.takes_over()]
        self._read_documents(whole, documents, deadline)
        self._read_people([one for one in whole if one.read.is_pending], deadline)
        self._read_asked(whole, deadline)
        self._read_comments([one for one in whole if one.read.is_pending and one.entry.questions], deadline)
        whole = [one for one in whole if one.read.approval.id not in one.found.failed]
        self._read_known(whole, deadline)
        self._miss([one for one in claimed if one not in whole])
        return whole

    def _read_named(self, claimed: Sequence[_Claimed], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the approvals and, at the same time, the documents that the listing names."""
        coupa, documents = self._deps.coupa, dict[DocumentKey, Document]()
        listed = [one.read.approval for one in claimed if not one.is_gone]
        # An approval that no list could name is read alone: a record with a wrong id could stand for two.
        together = [one for one in claimed if one.is_named]
        alone = [[one] for one in claimed if not one.is_named]

        def ask(some: Sequence[_Claimed]) -> None:
            found = coupa.approvals([one.read.approval.id for one in some], deadline)
            for one in some:
                one.found = found

        reads: list[Callable[[], None]] = [
            *(partial(ask, some) for some in (together, *alone)),
            lambda: documents.update(coupa.documents(listed, deadline)),
        ]
        map_parallel(lambda read: read(), reads, workers=self._deps.workers)
        return documents

    def _read_documents(
        self, whole: Sequence[_Claimed], documents: dict[DocumentKey, Document], deadline: Deadline
    ) -> None:
        """Read the other documents, and redact those that chat may not show."""
        coupa = self._deps.coupa
        documents |= coupa.documents(self._wanted(whole), deadline)
        self._cut |= {key for key, each in documents.items() if each.lines_left_out}
        for one in whole:
            document, approval = documents.get(one.key), one.read.approval if one.read.is_known else None
            one.read.document = coupa.redacted(document, approval) if document else None

    def _read_people(self, waiting: Sequence[_Claimed], deadline: Deadline) -> None:
        """Read whose turn it is, the deciders and their addresses, and the readers of escalations."""
        directory = self._deps.directory
        deciders_of = directory.deciders_of([one.read.approval for one in waiting], deadline)
        people = [person for deciders in deciders_of.values() for person in deciders.people]
        sharing = directory.sharing({person.address for person in people}, deadline)
        siblings = self._siblings(self._without_turn(waiting), deadline)
        managers = self._looked_up(directory.managers, self._late(waiting), deadline)
        for one in waiting:
            steps = siblings.get(one.key, ())
            one.read.siblings = None if isinstance(steps, ServiceError) else steps
            one.read.deciders = deciders_of.get(one.read.approval.id, NOBODY)
            one.read.shared = sharing.shared | sharing.unknown.keys()
            one.read.unknown = sharing.unknown.keys()
            one.read.managers = managers

    def _wanted(self, claimed: Iterable[_Claimed]) -> list[Approval]:
        """Return the approvals whose documents are still to be read.

        For an approval that is gone the document matters only where closing notices are on. An approval that
        was known by its id alone needs its document, too.
        """
        closing_policy = self._policy.tells_of_ends
        return [
            one.read.approval
            for one in claimed
            if (one.is_gone and (closing_policy or one.read.is_pending)) or not one.is_named
        ]

    def _miss(self, claimed: Iterable[_Claimed]) -> None:
        """Give back the approvals that could not be read, without the others of the batch."""
        for one in claimed:
            failure = one.found.failed.get(one.read.approval.id)
            if failure is None:
                self._give_back(one, "approval_unreadable")
            else:
                self.rows.fail(one.entry, failure)

    def _read_asked(self, read: Iterable[_Claimed], deadline: Deadline) -> None:
        """Read whom else the documents ask, before closing notices: for these people it is not over.

        Where that cannot be read, no closing notice goes out yet. An approval that has ended then counts as a
        failure and is tried again; a pending one goes on, so that its deciders are told.
        """
        owed = [
            one
            for one in read
            if one.read.approval.approvable_id is not None
            and not has_stopped(one.read.document)
            and closings_owed(one.entry, one.read, policy=self._policy)
        ]
        siblings = self._siblings({one.key: _named(one.read) for one in owed}, deadline)
        steps = {
            key: [step for step in each if step.is_pending]
            for key, each in siblings.items()
            if not isinstance(each, ServiceError)
        }
        deciders_of = self._deps.directory.deciders_of(
            [step for each in steps.values() for step in each], deadline
        )
        for one in owed:
            failure = siblings.get(one.key)
            if isinstance(failure, ServiceError) and not one.read.is_pending:
                one.found = FoundApprovals(failed={one.read.approval.id: failure})
            asking = [deciders_of[step.id] for step in steps.get(one.key, ())]
            is_known = one.key in steps and all(deciders.is_certain for deciders in asking)
            one.read.asked = {key for deciders in asking for key in deciders.keys} if is_known else None

    def _read_comments(self, asked_about: Sequence[_Claimed], deadline: Deadline) -> None:
        """Read the comments for open questions, where they do not come with the document."""
        beside = [one for one in asked_about if not _has_comments(one)]
        found = self._comments_beside(beside, deadline)
        for one in asked_about:
            document, places = one.read.document, places_of(one.entry)
            if _has_comments(one):
                one.read.comments = document.comments if document else None
            elif places <= found.keys():
                one.read.comments = [each for place in places for each in found[place]]

    def _comments_beside(
        self, asked_about: Sequence[_Claimed], deadline: Deadline
    ) -> Mapping[tuple[str, int], Sequence[Comment]]:
        """Return the comments that do not come with their documents, by place; none where that fails."""
        if not asked_about:
            return {}
        places = {place for one in asked_about for place in places_of(one.entry)}
        since = min(number for one in asked_about for number in one.entry.questions)
        try:
            return self._deps.coupa.comments(places, deadline, since=since)
        except ServiceError as failure:
            self._progress.record_failure(failure)
            return {}

    def _read_known(self, whole: Sequence[_Claimed], deadline: Deadline) -> None:
        """Look up the readers of closing notices and of questions."""
        owed = {key for one in whole for key in closings_owed(one.entry, one.read, policy=self._policy)}
        owed |= {each.of for one in whole for each in one.entry.questions.values() if not each.is_put}
        known = self._looked_up(self._deps.directory.known, owed, deadline)
        for one in whole:
            one.read.known = known

    def _without_turn(self, waiting: Iterable[_Claimed]) -> dict[DocumentKey, Document]:
        """Return the documents that do not show whose turn it is."""
        found: dict[DocumentKey, Document] = {}
        for one in waiting:
            document, _ = shown_of(one.entry, one.read.approval, one.read.document)
            is_known = (
                document is None
                or isinstance(document, Unreadable)
                or document.kind is not DocumentKind.OTHER
            )
            if document is not None and not is_known and one.read.approval.approvable_id is not None:
                found[one.key] = document
        return found

    def _siblings(
        self, asked: Mapping[DocumentKey, Document], deadline: Deadline
    ) -> Mapping[DocumentKey, Sequence[Approval] | ServiceError]:
        """Return the open approvals of some documents, or the error of each that could not be read."""

        def ask(some: Sequence[DocumentKey]) -> Iterable[tuple[DocumentKey, list[Approval]]]:
            documents = [asked[key] for key in some]
            return self._deps.coupa.siblings(documents, deadline, insists=len(asked) == 1).items()

        try:
            read = by_halves(list(asked), ask)
        except ServiceError as failure:
            self._progress.record_failure(failure)
            return dict.fromkeys(asked, failure)
        return {**read.failed, **dict(read.rows)}

    def _late(self, waiting: Iterable[_Claimed]) -> set[str]:
        """Return the keys of the approvers whose managers may receive an escalation now."""
        cadence, now = self._deps.cadence, self._deps.clock.now()
        if self._policy.silence or self._policy.escalate_to != MANAGER or cadence.open_at("", now) > now:
            return set()
        late = (one.read.approval.approver_key for one in waiting if must_escalate(one.entry, cadence, now))
        return {key for key in late if key}

    def _looked_up(
        self,
        ask: Callable[[Iterable[str], Deadline], ReachablePeople],
        keys: Collection[str],
        deadline: Deadline,
    ) -> ReachablePeople:
        """Look people up; a failure delays only messages to these people."""
        if not keys:
            return ReachablePeople()
        try:
            known = ask(sorted(keys), deadline)
        except ServiceError as failure:
            self._progress.record_failure(failure)
            known = ReachablePeople(unknown=dict.fromkeys(keys, failure))
        self._progress.count("people_unread", len(known.unknown))
        return known


def _has_comments(claimed: _Claimed) -> bool:
    """Tell whether the comments on a document come with it."""
    kind = READABLE.get(claimed.entry.document_type)
    return kind is None or not kind.comments_as


def _named(read: FreshRead) -> Document:
    """Return the document, or else its type and number alone."""
    kind, number = read.approval.document_key
    return read.document or Document.model_validate({"approvable-type": kind, "id": number})


def bundles(candidates: Sequence[Candidate], *, over: int) -> list[list[Candidate]]:
    """Group the candidates that may become one message to one person; the order stays.

    Args:
        candidates: in their order.
        over: more notices than this to one person become one message.
    """
    number = Counter(key for candidate in candidates for key in candidate.people)
    again = Counter(
        key for candidate in candidates if candidate.is_late and over < NEVER for key in candidate.people
    )
    found: list[list[Candidate]] = []
    together: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        many = [
            key for key in candidate.people if number[key] > over or (candidate.is_late and again[key] > 1)
        ]
        bundle = next((together[key] for key in sorted(many) if key in together), None)
        if bundle is None or len(bundle) >= MAX_TOGETHER:
            found.append(bundle := [])
        bundle.append(candidate)
        together |= dict.fromkeys(many, bundle)
    return found


def _take(queue: deque[list[Candidate]], room: int) -> list[Candidate]:
    """Take the next candidates: each group needs at least one message, and there is room for so many."""
    taken: list[Candidate] = []
    while queue and room > 0 and len(taken) < BATCH:
        taken += queue.popleft()
        room -= 1
    return taken
