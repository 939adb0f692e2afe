"""Work through the candidates: claim, read again, judge, and pass the messages to the outbox.

A sweep sends nothing without its own claim, and only data that was read under the claim decides.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime

from coupa_core.clock import Deadline
from coupa_core.errors import ServiceError
from coupa_core.ledger import BASELINE, DRY_RUN
from coupa_core.model import DocumentKey
from coupa_core.parallel import map_parallel
from coupa_core.sweep.claimed import Claimed
from coupa_core.sweep.dependencies import FirstRunPolicy, SweepDependencies
from coupa_core.sweep.facts import FactFinder
from coupa_core.sweep.judge import judge, with_stamps
from coupa_core.sweep.outbox import NEVER, Outbox
from coupa_core.sweep.plan import Candidate, Priority
from coupa_core.sweep.progress import Progress
from coupa_core.sweep.reach import Reach
from coupa_core.sweep.reads import Reads
from coupa_core.sweep.rows import SweepRows
from coupa_core.sweep.sender import Sender
from coupa_core.sweep.shapes import Judged, Role, SweepPolicy

BATCH = 50
"""Approvals that are claimed together: as many as one request to Coupa takes."""

MAX_TOGETHER = 250
"""Approvals of one person that are claimed together, to become one message."""


class Work:
    """The work of one sweep.

    Args:
        deps: the services and settings of the sweep.
        progress: the tally of this sweep.
        deadline: the deadline for approvals that Coupa lists; the others have until the end of the sweep.
        suspect: the last send of the previous sweep failed or has an unknown outcome.
        paused_until: the sweep sends nothing before; None when there is no pause.
        first_run: how the backlog is treated; None after the first run.
        since: when a sweep last saw everything.
        began_at: when the bridge began, by Coupa's clock; None after the first run.
        reach: the people whom messages reach.

    Attributes:
        rows: the ledger's rows, with the writes of this sweep.
        sender: sends the messages; it knows whether sending failed, or pauses.
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
        self.sender = Sender(deps, progress, deadline=deadline, suspect=suspect, paused_until=paused_until)
        self._outbox = Outbox(
            deps,
            progress,
            rows=self.rows,
            sender=self.sender,
            over=self._over,
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
        self._reads = Reads(deps, progress, self._policy)

    def run(self, candidates: Sequence[Candidate]) -> None:
        """Work through the candidates in order, until the deadline or the allowed rate ends it.

        Approvals that Coupa no longer lists come last, in time that is reserved for them.

        Args:
            candidates: from the plan.
        """
        listed = [candidate for candidate in candidates if candidate.priority is not Priority.GONE]
        queue = deque(bundles(listed, over=self._over))
        may_begin = bool(queue) and (self._policy.silence or self.sender.may_begin())
        try:
            while may_begin and queue and self._room() > self._facts.waiting:
                self._batch(_take_bundles(queue, self._room() - self._facts.waiting), behind=len(queue))
        finally:
            self._send_kept(behind=len(queue), is_last=True)
        self._progress.count("left_for_later", sum(map(len, queue)))
        self.sender.deadline = self._progress.deadline
        gone = deque([candidate] for candidate in candidates if candidate.priority is Priority.GONE)
        while gone and not self._progress.is_over and self._progress.deadline.left_s() > 0:
            self._batch(_take_bundles(gone, BATCH))
        self._send_kept(is_last=True)
        self._progress.count("closings_left", len(gone))
        self._reads.log_missing_lines()

    def _room(self) -> int:
        """Return how many messages may still go out; a silent sweep is limited by time only."""
        if not self._policy.silence:
            return self.sender.room()
        has_time = self.sender.deadline.left_s() > 0
        return BATCH if has_time and not (self._progress.is_over or self._progress.has_stopped_sending) else 0

    def _batch(self, candidates: Sequence[Candidate], *, behind: int = 0) -> None:
        """Claim some approvals, read them again, judge each, and send the messages.

        Cards with facts wait for those of later batches, so that one call reads the facts of fifty.
        """
        workers, began_s = self._deps.workers, self._deps.clock.monotonic()
        claims = map_parallel(self.rows.claim, candidates, workers=workers)
        claimed = [
            Claimed(candidate, entry)
            for candidate, entry in zip(candidates, claims, strict=True)
            if entry is not None
        ]
        deadline = self.sender.deadline.within(self._deps.lease.margin_s)
        try:
            whole = self._reads.read(claimed, deadline) if claimed else []
            self._give_back_unread([one for one in claimed if one not in whole])
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
        """Send the cards that wait for facts, once they are enough or can wait no longer."""
        while due := self._facts.due(self.sender.deadline, is_last=is_last):
            self._outbox.deliver(due, behind=behind)
            self.rows.record()

    def _give_back_unread(self, claimed: Iterable[Claimed]) -> None:
        """Give back the approvals that could not be read, without the others of the batch."""
        for one in claimed:
            failure = one.found.failed.get(one.read.approval.id)
            if failure is None:
                self._give_back(one, "approval_unreadable")
            else:
                self.rows.fail(one.entry, failure)

    def _give_back(self, claimed: Claimed, cause: str) -> None:
        """End the claim of an approval that was not read."""
        if claimed.is_gone and claimed.candidate.entry is not None:
            self._progress.count("unreadable")
            self.rows.undo(claimed.entry, claimed.candidate.entry)
        else:
            self.rows.give_back(claimed.entry, cause)

    def _judged(self, claimed: Claimed) -> Judged | None:
        """Judge one approval; None after a failure."""
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

    def _judge(self, claimed: Claimed) -> Judged:
        deps, read = self._deps, claimed.read
        entry = claimed.entry
        if read.is_known:
            entry = with_stamps(entry, read.approval, read.document, deps.coupa.now())
        before = claimed.candidate.entry.state if claimed.candidate.entry else None
        read.is_outcome_told = claimed.key in self._outcomes
        return judge(entry, read, before=before, policy=self._policy, now=deps.clock.now())


def bundles(candidates: Sequence[Candidate], *, over: int) -> list[list[Candidate]]:
    """Group the candidates that may become one message to one person; the order stays.

    Args:
        candidates: in their order.
        over: more notices than this to one person become one message.
    """
    number = Counter(key for candidate in candidates for key in candidate.people)
    late = Counter(key for candidate in candidates if candidate.is_late for key in candidate.people)
    crowded = {key for key, count in number.items() if count > over}
    crowded_late = crowded | {key for key, count in late.items() if count > 1 and over < NEVER}
    found: list[list[Candidate]] = []
    together: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        many = sorted((crowded_late if candidate.is_late else crowded).intersection(candidate.people))
        bundle = next((together[key] for key in many if key in together), None)
        if bundle is None or len(bundle) >= MAX_TOGETHER:
            found.append(bundle := [])
        bundle.append(candidate)
        together |= dict.fromkeys(many, bundle)
    return found


def _take_bundles(queue: deque[list[Candidate]], room: int) -> list[Candidate]:
    """Take the next candidates: each group needs at least one message, and there is room for so many."""
    taken: list[Candidate] = []
    while queue and room > 0 and len(taken) < BATCH:
        taken += queue.popleft()
        room -= 1
    return taken
