"""What is looked at, step by step: claimed, read again, judged, and handed over to the outbox.

Nothing is said without an own claim, and only what was read under it decides what is said.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from coupa_core.clock import Deadline
from coupa_core.directory import Known
from coupa_core.documents import READABLE
from coupa_core.endings import has_stopped
from coupa_core.errors import ServiceError
from coupa_core.halving import by_halves
from coupa_core.ledger import BASELINE, DRY_RUN, Entry
from coupa_core.model import Approval, Comment, Document, DocumentKey, Found, Unreadable
from coupa_core.model import Kind as Sort
from coupa_core.parallel import each
from coupa_core.sweep.facts import Finder
from coupa_core.sweep.judge import (
    MANAGER,
    NOBODY,
    Judged,
    Policy,
    Read,
    Role,
    farewells,
    judge,
    must_escalate,
    seen,
    shown_of,
)
from coupa_core.sweep.kit import Backlog, Kit, Progress, Rows
from coupa_core.sweep.outbox import Outbox
from coupa_core.sweep.plan import Look, Urgency
from coupa_core.sweep.questions import places_of
from coupa_core.sweep.reach import Reach

BATCH = 50
"""Approvals that are claimed together: as many as one question to Coupa takes."""

MAX_TOGETHER = 250
"""Approvals of one person that are claimed together, to become one message."""

LINES_MISSING = "lines_missing"
"""Counts the documents that came with fewer lines than Coupa counts in them."""

logger = logging.getLogger(__name__)


class _Held:
    """An approval that we hold a claim on, and what has been read of it since."""

    def __init__(self, look: Look, entry: Entry) -> None:
        self.look = look
        self.entry = entry
        self.read = Read(approval=look.approval)
        self.is_gone = look.urgency is Urgency.GONE
        self.found = Found()

    @property
    def key(self) -> DocumentKey:
        """Return which document it is about."""
        return self.read.approval.document_key

    @property
    def is_named(self) -> bool:
        """Tell whether its document was known before it was read."""
        return self.look.approval.approvable_id is not None

    def takes_over(self) -> bool:
        """Take over what was found of it; False when that says nothing of it."""
        found = self.found
        approval = found.by_id.get(self.read.approval.id)
        if approval is not None:
            self.read.approval, self.read.is_known = approval, True
        return approval is not None or not (found.unreadable or self.read.approval.id in found.failed)


class Work:
    """The work of one sweep.

    Args:
        kit: what a sweep works with.
        progress: of this sweep.
        deadline: of what Coupa lists; what it does not list any more has until the sweep's own.
        suspect: the last send of the sweep before did not come back clean.
        paused_until: nothing is sent before; None when nothing is paused.
        backlog: what becomes of what waited before the bridge began; None when that is long ago.
        since: when everything was last seen.
        began_at: when the bridge began, by Coupa's clock; None when that is long ago.
        reach: whom messages reach.

    Attributes:
        rows: the ledger's, with what this sweep wrote.
    """

    def __init__(
        self,
        kit: Kit,
        progress: Progress,
        *,
        deadline: Deadline,
        suspect: bool,
        paused_until: datetime | None,
        backlog: Backlog | None,
        since: datetime,
        began_at: datetime | None,
        reach: Reach,
    ) -> None:
        self._kit = kit
        self._progress = progress
        self.rows = Rows(kit, progress)
        together = backlog is Backlog.DIGEST or kit.cadence.digest_at is not None
        self._over = 1 if together else kit.cadence.digest_over or sys.maxsize
        self._outbox = Outbox(
            kit,
            progress,
            rows=self.rows,
            over=self._over,
            deadline=deadline,
            suspect=suspect,
            paused_until=paused_until,
        )
        self._policy = Policy(
            cadence=kit.cadence,
            rules=kit.rules,
            tells=kit.closing_notice,
            tells_requester=kit.tells_requester,
            escalate_to=kit.escalate_to,
            silence=DRY_RUN if kit.is_dry else BASELINE if backlog is Backlog.BASELINE else "",
            since=since,
            began_at=began_at,
            reach=reach,
        )
        self._facts = Finder(kit, progress)
        self._outcomes: set[DocumentKey] = set()
        self._cut: set[DocumentKey] = set()

    @property
    def suspect(self) -> bool:
        """Tell whether the last send did not come back clean."""
        return self._outbox.suspect

    @property
    def paused_until(self) -> datetime | None:
        """Return when something may be sent again; None for at once."""
        return self._outbox.paused_until

    def run(self, looks: Sequence[Look]) -> None:
        """Go through the looks in order, until the deadline or the allowed rate ends it.

        What Coupa does not list any more comes last, in the time that is kept for it.

        Args:
            looks: from the plan.
        """
        listed = [look for look in looks if look.urgency is not Urgency.GONE]
        queue = deque(bundles(listed, over=self._over))
        may_begin = bool(queue) and (self._policy.silence or self._outbox.may_begin())
        while may_begin and queue and self._room() > 0:
            self._batch(_take(queue, self._room()), behind=len(queue))
        self._progress.count("left_for_later", sum(map(len, queue)))
        self._outbox.deadline = self._progress.deadline
        gone = deque([look] for look in looks if look.urgency is Urgency.GONE)
        while gone and not self._progress.is_over and self._progress.deadline.left_s() > 0:
            self._batch(_take(gone, BATCH))
        self._progress.count("closings_left", len(gone))
        self._report_cut()

    def _report_cut(self) -> None:
        """Say once of all documents that came with fewer lines than Coupa counts in them."""
        if self._cut:
            self._progress.count(LINES_MISSING, len(self._cut))
            kind, number = min(self._cut, key=str)
            text = "lines missing code=coupa_lines documents=%d, such as type=%s document_id=%s"
            logger.error(text, len(self._cut), kind, number)

    def _room(self) -> int:
        """Return how many messages may still go out; a silent sweep has only its time."""
        if not self._policy.silence:
            return self._outbox.room()
        has_time = self._outbox.deadline.left_s() > 0
        return BATCH if has_time and not (self._progress.is_over or self._progress.is_mute) else 0

    def _batch(self, looks: Sequence[Look], *, behind: int = 0) -> None:
        """Claim some approvals, read them again, judge each, and say what is to be said."""
        workers = self._kit.workers
        claims = each(self.rows.claim, looks, workers=workers)
        held = [_Held(look, entry) for look, entry in zip(looks, claims, strict=True) if entry is not None]
        deadline = self._outbox.deadline.within(self._kit.lease.margin_s)
        try:
            whole = self._read(held, deadline) if held else []
        except ServiceError as failure:
            is_gone = held[0].is_gone  # and so are all: Coupa has listed the others just before
            (self._progress.hamper if is_gone else self._progress.mute)(failure)
            cause = failure.code
            each(lambda one: self._give_back(one, cause), held, workers=workers)
            whole = []
        judged = [one for case in whole if (one := self._judged(case))]
        self._outbox.deliver(self._facts.beside(judged, deadline), behind=behind)
        self.rows.record()

    def _give_back(self, held: _Held, cause: str) -> None:
        """End the claim of what was not read."""
        if held.is_gone and held.look.entry is not None:
            self._progress.count("unreadable")
            self.rows.undo(held.entry, held.look.entry)
        else:
            self.rows.give_back(held.entry, cause)

    def _judged(self, held: _Held) -> Judged | None:
        """Judge one approval; None when it is spoiled."""
        judged = self.rows.guarded(held.entry, lambda: self._judge(held))
        if judged is None:
            return None
        self.rows.note_rights(held.entry, judged.entry)
        for name in judged.counts:
            self._progress.count(name)
        self._progress.count("unlisted", held.is_gone and held.read.is_pending)
        if Role.REQUESTER in judged.entry.farewell.values():
            self._outcomes.add(held.key)
        for person in judged.unsaid:
            what = self._policy.silence
            self._progress.count(what)
            self.rows.note_notice(
                judged.entry, person, outcome=what, version=judged.version, digest=judged.content
            )
        return judged

    def _judge(self, held: _Held) -> Judged:
        kit, read = self._kit, held.read
        entry = held.entry
        if read.is_known:
            entry = seen(entry, read.approval, read.document, kit.coupa.now())
        before = held.look.entry.state if held.look.entry else None
        read.is_outcome_told = held.key in self._outcomes
        return judge(entry, read, before=before, policy=self._policy, now=kit.clock.now())

    # ------------------------------------------------------------------ what is read after the claim

    def _read(self, held: Sequence[_Held], deadline: Deadline) -> Sequence[_Held]:
        """Read what was claimed, after the claim; what cannot be read is given back, and comes no further.

        Raises:
            ServiceError: Coupa answers nothing useful at all.
        """
        coupa, directory = self._kit.coupa, self._kit.directory
        documents = self._read_named(held, deadline)
        whole = [one for one in held if one.takes_over()]
        documents |= coupa.documents(self._wanted(whole), deadline)
        self._cut |= {key for key, each in documents.items() if each.lines_left_out}
        for one in whole:
            document, approval = documents.get(one.key), one.read.approval if one.read.is_known else None
            one.read.document = coupa.veiled(document, approval) if document else None
        self._read_people([one for one in whole if one.read.is_pending], deadline)
        self._read_asked(whole, deadline)
        self._read_comments([one for one in whole if one.read.is_pending and one.entry.questions], deadline)
        whole = [one for one in whole if one.read.approval.id not in one.found.failed]
        owed = {key for one in whole for key in farewells(one.entry, one.read, policy=self._policy)}
        owed |= {each.of for one in whole for each in one.entry.questions.values() if not each.is_put}
        known = self._looked_up(directory.known, owed, deadline)
        for one in whole:
            one.read.known = known
        self._miss([one for one in held if one not in whole])
        return whole

    def _read_named(self, held: Sequence[_Held], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the approvals, and at the same time the documents that are known to be theirs."""
        coupa, documents = self._kit.coupa, dict[DocumentKey, Document]()
        listed = [one.read.approval for one in held if not one.is_gone]
        # What no list could name is asked for alone: a record that says another id than its own stands in the
        # answer for both.
        together = [one for one in held if one.is_named]
        alone = [[one] for one in held if not one.is_named]

        def ask(some: Sequence[_Held]) -> None:
            found = coupa.approvals([one.read.approval.id for one in some], deadline)
            for one in some:
                one.found = found

        reads: list[Callable[[], None]] = [
            *(partial(ask, some) for some in (together, *alone)),
            lambda: documents.update(coupa.documents(listed, deadline)),
        ]
        each(lambda read: read(), reads, workers=self._kit.workers)
        return documents

    def _read_people(self, waiting: Sequence[_Held], deadline: Deadline) -> None:
        """Read whose turn it is, who may decide, at which addresses, and who is told of a long wait."""
        directory = self._kit.directory
        circles = directory.circles([one.read.approval for one in waiting], deadline)
        people = [person for circle in circles.values() for person in circle.people]
        sharing = directory.sharing({person.address for person in people}, deadline)
        siblings = self._siblings(self._without_turn(waiting), deadline)
        managers = self._looked_up(directory.managers, self._late(waiting), deadline)
        for one in waiting:
            steps = siblings.get(one.key, ())
            one.read.siblings = None if isinstance(steps, ServiceError) else steps
            one.read.circle = circles.get(one.read.approval.id, NOBODY)
            one.read.shared = sharing.shared | sharing.unknown.keys()
            one.read.unknown = sharing.unknown.keys()
            one.read.managers = managers

    def _wanted(self, held: Iterable[_Held]) -> list[Approval]:
        """Return of what the documents are still to be read.

        Of what is gone: how it ended is nobody's news by default. And of what was known by its id alone.
        """
        tells = self._policy.tells_of_ends
        return [
            one.read.approval
            for one in held
            if (one.is_gone and (tells or one.read.is_pending)) or not one.is_named
        ]

    def _miss(self, held: Iterable[_Held]) -> None:
        """Give back alone what could not be read, and no other of its batch."""
        for one in held:
            failure = one.found.failed.get(one.read.approval.id)
            if failure is None:
                self._give_back(one, "approval_unreadable")
            else:
                self.rows.fail(one.entry, failure)

    def _read_asked(self, read: Iterable[_Held], deadline: Deadline) -> None:
        """Read whom the documents ask of which somebody is to hear that it is over: to them it is not over.

        Where that cannot be read, nobody is told yet. What is over is then looked at again as a failure; what
        is pending goes on, so that those who are asked are told.
        """
        owed = [
            one
            for one in read
            if one.read.approval.approvable_id is not None
            and not has_stopped(one.read.document)
            and farewells(one.entry, one.read, policy=self._policy)
        ]
        siblings = self._siblings({one.key: _named(one.read) for one in owed}, deadline)
        steps = {
            key: [step for step in each if step.is_pending]
            for key, each in siblings.items()
            if not isinstance(each, ServiceError)
        }
        circles = self._kit.directory.circles([step for each in steps.values() for step in each], deadline)
        for one in owed:
            failure = siblings.get(one.key)
            if isinstance(failure, ServiceError) and not one.read.is_pending:
                one.found = Found(failed={one.read.approval.id: failure})
            asking = [circles[step.id] for step in steps.get(one.key, ())]
            is_known = one.key in steps and all(circle.is_certain for circle in asking)
            one.read.asked = {key for circle in asking for key in circle.keys} if is_known else None

    def _read_comments(self, asked_about: Sequence[_Held], deadline: Deadline) -> None:
        """Read the comments of what somebody has asked about, where they do not come with the document."""
        beside = {place for one in asked_about if not _has_comments(one) for place in places_of(one.entry)}
        found: Mapping[tuple[str, int], Sequence[Comment]] = {}
        if beside:
            since = min(number for one in asked_about for number in one.entry.questions)
            try:
                found = self._kit.coupa.comments(beside, deadline, since=since)
            except ServiceError as failure:
                self._progress.hamper(failure)
        for one in asked_about:
            document, places = one.read.document, places_of(one.entry)
            if _has_comments(one):
                one.read.comments = document.comments if document else None
            elif places <= found.keys():
                one.read.comments = [each for place in places for each in found[place]]

    def _without_turn(self, waiting: Iterable[_Held]) -> dict[DocumentKey, Document]:
        """Return the documents that do not tell whose turn it is."""
        found: dict[DocumentKey, Document] = {}
        for one in waiting:
            document, _ = shown_of(one.entry, one.read.approval, one.read.document)
            is_known = document is None or isinstance(document, Unreadable) or document.kind is not Sort.OTHER
            if document is not None and not is_known and one.read.approval.approvable_id is not None:
                found[one.key] = document
        return found

    def _siblings(
        self, asked: Mapping[DocumentKey, Document], deadline: Deadline
    ) -> Mapping[DocumentKey, Sequence[Approval] | ServiceError]:
        """Read the open approvals of some documents, or why they could not be read."""

        def ask(some: Sequence[DocumentKey]) -> Iterable[tuple[DocumentKey, list[Approval]]]:
            documents = [asked[key] for key in some]
            return self._kit.coupa.siblings(documents, deadline, insists=len(asked) == 1).items()

        try:
            read = by_halves(list(asked), ask)
        except ServiceError as failure:
            self._progress.hamper(failure)
            return dict.fromkeys(asked, failure)
        return {**read.failed, **dict(read.rows)}

    def _late(self, waiting: Iterable[_Held]) -> set[str]:
        """Return of whom the managers may be told that something has waited for too long."""
        cadence, now = self._kit.cadence, self._kit.clock.now()
        if self._policy.silence or self._policy.escalate_to != MANAGER or cadence.open_at("", now) > now:
            return set()
        late = (one.read.approval.approver_key for one in waiting if must_escalate(one.entry, cadence, now))
        return {key for key in late if key}

    def _looked_up(
        self, ask: Callable[[Iterable[str], Deadline], Known], keys: Collection[str], deadline: Deadline
    ) -> Known:
        """Look people up; a failure keeps only those from being told who had to be looked up."""
        if not keys:
            return Known()
        try:
            known = ask(sorted(keys), deadline)
        except ServiceError as failure:
            self._progress.hamper(failure)
            known = Known(unknown=dict.fromkeys(keys, failure))
        self._progress.count("people_unread", len(known.unknown))
        return known


def _has_comments(held: _Held) -> bool:
    """Tell whether the comments on a document come with it."""
    kind = READABLE.get(held.entry.document_type)
    return kind is None or not kind.comments_as


def _named(read: Read) -> Document:
    """Return the document, or else its type and number alone."""
    kind, number = read.approval.document_key
    return read.document or Document.model_validate({"approvable-type": kind, "id": number})


def bundles(looks: Sequence[Look], *, over: int) -> list[list[Look]]:
    """Keep together what is for one person, where it may become one message; the order stays.

    Args:
        looks: in order.
        over: how many notices to one person are too many.
    """
    number = Counter(key for look in looks for key in look.people)
    found: list[list[Look]] = []
    together: dict[str, list[Look]] = {}
    for look in looks:
        crowded = min((key for key in look.people if number[key] > over), default="")
        bundle = together.get(crowded)
        if bundle is None or len(bundle) >= MAX_TOGETHER:
            found.append(bundle := [])
        bundle.append(look)
        if crowded:
            together[crowded] = bundle
    return found


def _take(queue: deque[list[Look]], room: int) -> list[Look]:
    """Take what is looked at next: one message each at least, and no more than there is room for."""
    taken: list[Look] = []
    while queue and room > 0 and len(taken) < BATCH:
        taken += queue.popleft()
        room -= 1
    return taken
