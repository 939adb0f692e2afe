"""Claim, read again, send, mark: how approvers are told, at least once and almost never twice.

Nothing is sent without an own claim, and nothing counts as sent before Moveworks took it. When Moveworks
falters, the rest of the sweep sends nothing, and the next one asks for a sign of life before it sends again.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from coupa_core import notice
from coupa_core.authority import Capacity, Circle, Decider
from coupa_core.clock import Deadline
from coupa_core.errors import Conflict, Refused, ServiceError, Throttled, Unavailable, Unknown
from coupa_core.journal import Event, Kind
from coupa_core.ledger import (
    MINIMAL_AFTER,
    Entry,
    State,
    parked,
    refused,
    released,
    sent,
    told,
    waiting,
)
from coupa_core.model import Approval, Document, DocumentKey, Found
from coupa_core.sweep.judge import Close, Park, Same, Tell, Wait, judge, recipients_of, seen
from coupa_core.sweep.plan import Look
from coupa_core.sweep.ports import Kit
from coupa_core.sweep.progress import Progress

BATCH = 50
"""Approvals that are claimed together: as many as one question to Coupa takes."""

LOOK_AGAIN = timedelta(minutes=5)
"""At the latest after this, an approval that waits for its turn or for a recipient is looked at again."""

DEFAULT_PAUSE_S = 60.0
NOBODY = Circle((), is_certain=False)

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class _Held:
    """An approval that we hold a claim on."""

    look: Look
    entry: Entry


@dataclass(frozen=True)
class _Truth:
    """What Coupa said after the claims were made."""

    found: Found = field(default_factory=Found)
    documents: dict[DocumentKey, Document] = field(default_factory=dict)
    circles: dict[int, Circle] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)


class Announcing:
    """The announcing part of one sweep.

    Attributes:
        suspect: the last send did not come back clean.
        paused_until: nothing is sent before; None when nothing is paused.
    """

    def __init__(
        self,
        kit: Kit,
        progress: Progress,
        *,
        deadline: Deadline,
        suspect: bool,
        paused_until: datetime | None,
    ) -> None:
        self._kit = kit
        self._progress = progress
        self._deadline = deadline
        self._stops = False
        self._events: list[Event] = []
        self.suspect = suspect
        self.paused_until = paused_until

    def run(self, looks: Iterable[Look], siblings: Mapping[DocumentKey, list[Approval]]) -> None:
        """Go through the looks in order, until the deadline or the allowed rate ends it.

        Args:
            looks: from the plan.
            siblings: the listed approvals of each document.
        """
        queue = deque(looks)
        if queue and self._may_begin():
            while queue and not self._stops:
                room = self._kit.channel.free(self._deadline.left_s())
                if room <= 0 or self._deadline.left_s() <= 0:
                    break
                self._batch([queue.popleft() for _ in range(min(BATCH, room, len(queue)))], siblings)
        self._progress.count("left_for_later", len(queue))

    def _may_begin(self) -> bool:
        """Tell whether anything may be sent now: not while paused, and not before a sign of life."""
        if self.paused_until is not None and self._kit.clock.now() < self.paused_until:
            self._progress.count("paused")
            return False
        self.paused_until = None
        if not self.suspect:
            return True
        try:
            self._kit.channel.probe(Deadline(self._kit.clock, self._kit.lease.send_s))
        except ServiceError as failure:
            self._falter(failure)
            return False
        return True

    def _batch(self, looks: list[Look], siblings: Mapping[DocumentKey, list[Approval]]) -> None:
        """Claim some approvals, read them again, and settle each."""
        held = [claim for claim in self._each(self._claim, looks) if claim is not None]
        if not held:
            return
        try:
            truth = self._read(held)
        except ServiceError as failure:
            self._stop(failure)
            cause = failure.code
            self._each(lambda claim: self._give_back(claim.entry, cause), held)
            return
        # While Moveworks is under suspicion one send goes alone, and a failure spares the others.
        self._each(lambda claim: self._settle(claim, truth, siblings), held, alone=self.suspect)
        self._record()

    def _record(self) -> None:
        """Write what happened to the audit record, after the marks: a late mark could repeat a message."""
        events, self._events = self._events, []
        if events and not self._kit.journal.record(events, required=False):
            self._progress.count("audit_lost", len(events))

    def _note(self, entry: Entry, kind: Kind, **said: str) -> None:
        self._events.append(
            Event(
                kind=kind,
                at=self._kit.clock.now(),
                approval_id=entry.approval_id,
                document_type=entry.document_type,
                document_id=entry.document_id,
                generation=entry.generation,
                **said,
            )
        )

    def _note_rights(self, before: Entry, after: Entry) -> None:
        """Record that other people may decide than when the row was written."""
        added, removed = after.told.keys() - before.told.keys(), before.told.keys() - after.told.keys()
        if before.told and (added or removed):
            changes = [f"+{key}" for key in sorted(added)] + [f"-{key}" for key in sorted(removed)]
            self._note(after, Kind.RIGHTS, outcome="changed", cause=" ".join(changes))

    def _claim(self, look: Look) -> _Held | None:
        """Claim one approval; None when somebody else has it, or the store does not answer."""
        if self._stops:
            return None
        try:
            entry = self._kit.ledger.claim(
                look.entry, approval_id=look.approval.id, now=self._kit.clock.now(), lease=self._kit.lease
            )
        except Conflict as conflict:
            logger.warning("claim failed approval_id=%d cause=%s", look.approval.id, conflict)
            entry = None
        except ServiceError as failure:
            self._stop(failure)
            return None
        if entry is None:
            self._progress.count("lost_race")
            return None
        return _Held(look, entry)

    def _read(self, held: list[_Held]) -> _Truth:
        """Read what was claimed, after the claim: the list may be old by now."""
        listed = [claim.look.approval for claim in held]
        deadline = self._deadline.within(self._kit.lease.margin_s)
        coupa, truth = self._kit.coupa, _Truth()
        reads: list[Callable[[], None]] = [
            lambda: truth.found.update(coupa.approvals([approval.id for approval in listed], deadline)),
            lambda: truth.documents.update(coupa.documents(listed, deadline)),
        ]
        self._each(lambda read: read(), reads)
        directory, pending = (
            self._kit.directory,
            [one for one in truth.found.by_id.values() if one.is_pending],
        )
        truth.circles.update(directory.circles(pending, deadline))
        addresses = {person.address for circle in truth.circles.values() for person in circle.people}
        truth.shared.update(directory.shared(addresses, deadline))
        return truth

    def _settle(self, claim: _Held, truth: _Truth, siblings: Mapping[DocumentKey, list[Approval]]) -> None:
        """Judge one approval and do what it needs; whatever goes wrong stays with this one."""
        approval = truth.found.by_id.get(claim.look.approval.id)
        if approval is None and truth.found.unreadable:
            self._give_back(claim.entry, "approval_unreadable")
            return
        try:
            self._judge(claim, approval, truth, siblings)
        except ServiceError as failure:
            self._stop(failure)  # the store: nothing can be recorded, so nothing more is sent
        except Exception:
            # One bad record must never block the others, whatever is wrong with it.
            logger.exception("approval spoiled approval_id=%d", claim.entry.approval_id)
            self._progress.count("spoiled")
            self._commit(refused(claim.entry, cause="internal", now=self._kit.clock.now()))

    def _judge(
        self,
        claim: _Held,
        approval: Approval | None,
        truth: _Truth,
        siblings: Mapping[DocumentKey, list[Approval]],
    ) -> None:
        now = self._kit.clock.now()
        key = (approval or claim.look.approval).document_key
        document = truth.documents.get(key)
        entry = seen(claim.entry, approval, document, self._kit.coupa.now())
        circle = truth.circles.get(entry.approval_id, NOBODY)
        verdict = judge(
            entry,
            approval,
            document,
            siblings=siblings.get(key, ()),
            before=claim.look.entry.state if claim.look.entry else None,
            circle=circle,
            recipients=recipients_of(circle, document, shared=truth.shared, emails=self._kit.emails)
            if document
            else (),
        )
        match verdict:
            case Close(cause):
                is_closed = self._kit.ledger.close(entry, cause=cause, now=now)
                self._progress.count("closed" if is_closed else "lost_race")
            case Wait(cause):
                self._progress.count(cause)
                self._commit(waiting(entry, cause=cause, until=now + LOOK_AGAIN))
            case Same(judged):
                self._progress.count("unchanged")
                self._note_rights(entry, judged)
                self._commit(sent(judged))
            case Park(judged, cause):
                self._progress.count(cause)
                self._note_rights(entry, judged)
                self._alarm(self._commit(parked(judged, cause=cause, now=now)))
            case tell:
                self._note_rights(entry, tell.entry)
                self._tell(tell)

    def _tell(self, tell: Tell) -> None:
        """Send a notice to each person under the claim, and record what came of it after each."""
        kit, entry = self._kit, tell.entry
        refusal: Refused | None = None
        for person in tell.people:
            if self._stops or not kit.channel.wait_turn(self._deadline):
                self._give_back(entry, "no_turn")
                return
            if not entry.may_send(kit.clock.now(), kit.lease):
                self._progress.count("late")
                self._give_back(entry, "lease_too_short")
                return
            try:
                kit.channel.send(self._notice(tell, person), Deadline(kit.clock, kit.lease.send_s))
            except Refused as failure:
                # One address that Moveworks does not take keeps nobody else of the group from being told.
                self._progress.count("refused")
                self._progress.hamper(failure)
                self._note_notice(tell, person, outcome="refused", cause=failure.code)
                refusal = failure
                continue
            except Unavailable as failure:
                self._falter(failure)
                self._give_back(entry, failure.code)
                return
            except Unknown as failure:
                # It may have arrived: the claim stays until its lease ends; a repeat is rare and late.
                self._progress.count("unknown")
                self._note_notice(tell, person, outcome="unknown", cause=failure.code)
                self._falter(failure)
                return
            self.suspect = False
            self._progress.count("sent")
            now = kit.clock.now()
            self._note_notice(tell, person, outcome="sent")
            entry = told(entry, person=person.key, version=tell.version, to=tell.approver_key, now=now)
            is_last = person is tell.people[-1] and refusal is None
            stored = self._commit(sent(entry) if is_last else entry)
            if stored is None:
                self._progress.count("sent_unmarked")
                return
            entry = stored
        if refusal is not None:
            self._alarm(self._commit(refused(entry, cause=refusal.code, now=kit.clock.now())))

    def _note_notice(self, tell: Tell, person: Decider, *, outcome: str, cause: str = "") -> None:
        self._note(
            tell.entry,
            Kind.NOTICE,
            actor=person.address,
            capacity=person.capacity,
            outcome=outcome,
            cause=cause,
            version=tell.version,
            digest=tell.content,
        )

    def _notice(self, tell: Tell, person: Decider) -> notice.Notice:
        """Render the notice; after several refusals its shortest form."""
        kit, approval, document = self._kit, tell.approval, tell.document
        shown = notice.Shown(
            name=person.firstname or person.name,
            for_whom=approval.asked_name if person.capacity is not Capacity.APPROVER else "",
            is_changed=tell.is_changed_for(person),
            in_coupa_only=kit.limits.forbid(document),
        )
        if tell.entry.refusals >= MINIMAL_AFTER:
            text = notice.minimal(document, style=kit.style, shown=shown)
        else:
            text = notice.announcement(approval, document, style=kit.style, shown=shown)
        token = None
        if kit.keys:
            token = kit.keys.offer(
                approval.id,
                approver_key=tell.approver_key,
                person=person.key,
                content=tell.content,
                generation=tell.entry.generation,
                now=kit.clock.now(),
            )
        return notice.Notice(
            person.address,
            text,
            notice.slots(approval.id, token),
            document_type=document.type,
            document_id=str(document.id),
        )

    def _falter(self, failure: ServiceError) -> None:
        """Send nothing more in this sweep; after a 429 nothing before the pause is over."""
        self._stop(failure)
        if isinstance(failure, Throttled):
            pause_s = failure.retry_after_s or DEFAULT_PAUSE_S
            self.paused_until = self._kit.clock.now() + timedelta(seconds=pause_s)
        else:
            self.suspect = True

    def _stop(self, failure: ServiceError) -> None:
        self._stops = True
        self._progress.hamper(failure)

    def _give_back(self, entry: Entry, cause: str) -> None:
        """End the claim without counting against the approval; if even that fails, its lease ends it."""
        self._progress.count("released")
        try:
            self._commit(released(entry, cause=cause, now=self._kit.clock.now()))
        except ServiceError as failure:
            self._stop(failure)

    def _commit(self, entry: Entry) -> Entry | None:
        stored = self._kit.ledger.commit(entry)
        if stored is None:
            logger.warning("row changed by another approval_id=%d", entry.approval_id)
            self._progress.count("lost_race")
        return stored

    def _alarm(self, entry: Entry | None) -> None:
        """Make a parked approval visible."""
        if entry is not None and entry.state is State.PARKED:
            self._progress.count("parked")
            logger.error("approval parked approval_id=%d cause=%s", entry.approval_id, entry.cause)

    def _each(self, work: Callable[[T], R], items: list[T], *, alone: bool = False) -> list[R]:
        """Do the same with each item: at the same time, or one after the other."""
        if alone or self._kit.workers == 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(min(self._kit.workers, len(items))) as pool:
            # The context carries the host's invocation id into the threads, for the log.
            futures = [pool.submit(copy_context().run, work, item) for item in items]
        return [future.result() for future in futures]
