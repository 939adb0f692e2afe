"""Read the data of claimed approvals: documents, steps, people, comments. Only this data decides.

It judges nothing and ends no claim: an unreadable approval is missing in the result.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial

from coupa_core.authority import Deciders
from coupa_core.clock import Deadline
from coupa_core.directory import ReachablePeople
from coupa_core.documents import DOCUMENT_MODELS
from coupa_core.endings import has_stopped
from coupa_core.errors import ServiceError
from coupa_core.halving import by_halves
from coupa_core.model import (
    Approval,
    Comment,
    Document,
    DocumentKey,
    FoundApprovals,
)
from coupa_core.parallel import map_parallel
from coupa_core.sweep.claimed import Claimed
from coupa_core.sweep.closings import closings_owed
from coupa_core.sweep.dependencies import SweepDependencies
from coupa_core.sweep.due import must_escalate
from coupa_core.sweep.judge import showable
from coupa_core.sweep.progress import Progress
from coupa_core.sweep.questions import comment_places
from coupa_core.sweep.shapes import MANAGER, NOBODY, FreshRead, SweepPolicy

LINES_MISSING = "lines_missing"
"""The count of documents with fewer lines than Coupa counts."""

logger = logging.getLogger(__name__)


class Reads:
    """The reads of one sweep under its claims.

    Args:
        deps: the services and settings of the sweep.
        progress: the tally of this sweep.
        policy: says which people to look up.
    """

    def __init__(self, deps: SweepDependencies, progress: Progress, policy: SweepPolicy) -> None:
        self._deps = deps
        self._progress = progress
        self._policy = policy
        self._incomplete: set[DocumentKey] = set()

    def log_missing_lines(self) -> None:
        """Log once the number of documents with fewer lines than Coupa counts."""
        if self._incomplete:
            self._progress.count(LINES_MISSING, len(self._incomplete))
            kind, number = min(self._incomplete, key=str)
            text = "lines missing code=coupa_lines documents=%d, such as type=%s document_id=%s"
            logger.error(text, len(self._incomplete), kind, number)

    def read(self, claimed: Sequence[Claimed], deadline: Deadline) -> Sequence[Claimed]:
        """Read the claimed approvals, and return those that could be read whole.

        Raises:
            ServiceError: every request failed.
        """
        documents = self._read_named(claimed, deadline)
        whole = [one for one in claimed if one.apply_found()]
        self._read_documents(whole, documents, deadline)
        self._read_people([one for one in whole if one.read.is_pending], deadline)
        self._read_people_still_asked(whole, deadline)
        self._read_comments([one for one in whole if one.read.is_pending and one.entry.questions], deadline)
        whole = [one for one in whole if one.read.approval.id not in one.found.failed]
        self._read_known(whole, deadline)
        return whole

    def _read_named(self, claimed: Sequence[Claimed], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the approvals and, at the same time, the documents that the listing names."""
        coupa, documents = self._deps.coupa, dict[DocumentKey, Document]()
        listed = [one.read.approval for one in claimed if not one.is_gone]
        # An approval that no list could name is read alone: a record with a wrong id could stand for two.
        together = [one for one in claimed if one.is_named]
        alone = [[one] for one in claimed if not one.is_named]

        def read_some(some: Sequence[Claimed]) -> None:
            found = coupa.approvals([one.read.approval.id for one in some], deadline)
            for one in some:
                one.found = found

        reads: list[Callable[[], None]] = [
            *(partial(read_some, some) for some in (together, *alone)),
            lambda: documents.update(coupa.documents(listed, deadline)),
        ]
        map_parallel(lambda read: read(), reads, workers=self._deps.workers)
        return documents

    def _read_documents(
        self, whole: Sequence[Claimed], documents: dict[DocumentKey, Document], deadline: Deadline
    ) -> None:
        """Read the other documents, and redact those that chat may not show."""
        coupa = self._deps.coupa
        documents |= coupa.documents(self._without_document(whole), deadline)
        self._incomplete |= {key for key, each in documents.items() if each.lines_left_out}
        for one in whole:
            document, approval = documents.get(one.key), one.read.approval if one.read.is_known else None
            one.read.document = coupa.redacted(document, approval) if document else None

    def _read_people(self, waiting: Sequence[Claimed], deadline: Deadline) -> None:
        """Read whose turn it is, the deciders and their addresses, and the readers of escalations."""
        directory = self._deps.directory
        deciders_of = directory.deciders_of([one.read.approval for one in waiting], deadline)
        people = [person for deciders in deciders_of.values() for person in deciders.people]
        sharing = directory.sharing({person.address for person in people}, deadline)
        siblings = self._read_siblings(self._without_turn(waiting), deadline)
        managers = self._look_up(directory.managers, self._overdue_approvers(waiting), deadline)
        for one in waiting:
            steps = siblings.get(one.key, ())
            one.read.siblings = None if isinstance(steps, ServiceError) else steps
            one.read.deciders = deciders_of.get(one.read.approval.id, NOBODY)
            one.read.shared = sharing.shared | sharing.unknown.keys()
            one.read.unknown = sharing.unknown.keys()
            one.read.managers = managers

    def _without_document(self, claimed: Iterable[Claimed]) -> list[Approval]:
        """Return the approvals whose documents are still to be read.

        For an approval that is gone the document matters only where closing notices are on. An approval that
        was known by its id alone needs its document, too.
        """
        tells_of_ends = self._policy.tells_of_ends
        return [
            one.read.approval
            for one in claimed
            if (one.is_gone and (tells_of_ends or one.read.is_pending)) or not one.is_named
        ]

    def _read_people_still_asked(self, read: Iterable[Claimed], deadline: Deadline) -> None:
        """Read the people whom other pending steps of the documents ask: they get no closing notice.

        If this read fails, no closing notice goes out yet. An approval that has ended then counts as a
        failure and is tried again; a pending one goes on, so that its deciders are told.
        """
        owed = [one for one in read if self._owes_closings(one)]
        siblings = self._read_siblings({one.key: _document_or_stub(one.read) for one in owed}, deadline)
        failed = {key: each for key, each in siblings.items() if isinstance(each, ServiceError)}
        steps = {key: each for key, each in siblings.items() if not isinstance(each, ServiceError)}
        asked = self._people_asked(steps, deadline)
        for one in owed:
            failure = failed.get(one.key)
            if failure is not None and not one.read.is_pending:
                one.found = FoundApprovals(failed={one.read.approval.id: failure})
            one.read.asked = asked.get(one.key)

    def _owes_closings(self, one: Claimed) -> bool:
        """Tell whether somebody is owed a closing notice, although the document may still ask them."""
        is_named, has_ended = one.read.approval.approvable_id is not None, has_stopped(one.read.document)
        return is_named and not has_ended and bool(closings_owed(one.entry, one.read, policy=self._policy))

    def _people_asked(
        self, steps: Mapping[DocumentKey, Sequence[Approval]], deadline: Deadline
    ) -> dict[DocumentKey, set[str] | None]:
        """Return the keys of the people whom the pending steps of each document ask; None if uncertain."""
        pending = [step for each in steps.values() for step in each if step.is_pending]
        deciders_of = self._deps.directory.deciders_of(pending, deadline)
        return {
            key: _keys_of([deciders_of[step.id] for step in each if step.is_pending])
            for key, each in steps.items()
        }

    def _read_comments(self, asked_about: Sequence[Claimed], deadline: Deadline) -> None:
        """Read the comments for open questions, unless they come with the document."""
        separate = [one for one in asked_about if not _has_comments(one)]
        found = self._read_separate_comments(separate, deadline)
        for one in asked_about:
            document, places = one.read.document, comment_places(one.entry)
            if _has_comments(one):
                one.read.comments = document.comments if document else None
            elif places <= found.keys():
                one.read.comments = [each for place in places for each in found[place]]

    def _read_separate_comments(
        self, asked_about: Sequence[Claimed], deadline: Deadline
    ) -> Mapping[tuple[str, int], Sequence[Comment]]:
        """Return the comments that do not come with their documents, by place; empty after a failure."""
        if not asked_about:
            return {}
        places = {place for one in asked_about for place in comment_places(one.entry)}
        since = min(number for one in asked_about for number in one.entry.questions)
        try:
            return self._deps.coupa.comments(places, deadline, since=since)
        except ServiceError as failure:
            self._progress.record_failure(failure)
            return {}

    def _read_known(self, whole: Sequence[Claimed], deadline: Deadline) -> None:
        """Look up the readers of closing notices and of questions."""
        owed = {key for one in whole for key in closings_owed(one.entry, one.read, policy=self._policy)}
        owed |= {each.of for one in whole for each in one.entry.questions.values() if not each.is_put}
        known = self._look_up(self._deps.directory.known, owed, deadline)
        for one in whole:
            one.read.known = known

    def _without_turn(self, waiting: Iterable[Claimed]) -> dict[DocumentKey, Document]:
        """Return the documents that do not show whose turn it is."""
        found: dict[DocumentKey, Document] = {}
        for one in waiting:
            document, _ = showable(one.entry, one.read.approval, one.read.document)
            has_number = one.read.approval.approvable_id is not None
            if document is not None and document.needs_siblings and has_number:
                found[one.key] = document
        return found

    def _read_siblings(
        self, asked: Mapping[DocumentKey, Document], deadline: Deadline
    ) -> Mapping[DocumentKey, Sequence[Approval] | ServiceError]:
        """Return the open approvals of each document, or its error."""

        def read_some(some: Sequence[DocumentKey]) -> Iterable[tuple[DocumentKey, list[Approval]]]:
            documents = [asked[key] for key in some]
            return self._deps.coupa.siblings(documents, deadline, insists=len(asked) == 1).items()

        try:
            read = by_halves(list(asked), read_some)
        except ServiceError as failure:
            self._progress.record_failure(failure)
            return dict.fromkeys(asked, failure)
        return {**read.failed, **dict(read.rows)}

    def _overdue_approvers(self, waiting: Iterable[Claimed]) -> set[str]:
        """Return the keys of the approvers whose managers may receive an escalation now."""
        cadence, now = self._deps.cadence, self._deps.clock.now()
        if self._policy.silence or self._policy.escalate_to != MANAGER or cadence.open_at("", now) > now:
            return set()
        late = (one.read.approval.approver_key for one in waiting if must_escalate(one.entry, cadence, now))
        return {key for key in late if key}

    def _look_up(
        self,
        read_some: Callable[[Iterable[str], Deadline], ReachablePeople],
        keys: Collection[str],
        deadline: Deadline,
    ) -> ReachablePeople:
        """Look people up; a failure delays only messages to these people."""
        if not keys:
            return ReachablePeople()
        try:
            known = read_some(sorted(keys), deadline)
        except ServiceError as failure:
            self._progress.record_failure(failure)
            known = ReachablePeople(unknown=dict.fromkeys(keys, failure))
        self._progress.count("people_unread", len(known.unknown))
        return known


def _has_comments(claimed: Claimed) -> bool:
    """Tell whether the comments on a document come with it."""
    kind = DOCUMENT_MODELS.get(claimed.entry.document_type)
    return kind is None or not kind.comments_as


def _keys_of(some: Sequence[Deciders]) -> set[str] | None:
    """Return the keys of all these people; None if some of them are not known for certain."""
    if not all(deciders.is_certain for deciders in some):
        return None
    return {key for deciders in some for key in deciders.keys}


def _document_or_stub(read: FreshRead) -> Document:
    """Return the document, or a stub with its type and number."""
    kind, number = read.approval.document_key
    return read.document or Document.model_validate({"approvable-type": kind, "id": number})
