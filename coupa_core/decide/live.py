"""Read Coupa's present state for clicks: approvals, who may decide them, documents. It decides nothing.

The reads of several clicks are shared. A click ends here if its approval is over or somebody else's, or if
its data cannot be read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace

from coupa_core.authority import Decider, TokenKeys
from coupa_core.clock import Deadline
from coupa_core.coupa import Coupa
from coupa_core.decide.ahead import Ahead, read_ahead
from coupa_core.decide.answers import Answer, Click, Outcome
from coupa_core.decide.cases import RequestCase, end_all, is_holder, waiting
from coupa_core.decide.ended import ended
from coupa_core.decide.rows import RequestRows
from coupa_core.directory import Directory
from coupa_core.endings import End, end_of_document
from coupa_core.errors import BridgeError, CallerError, Denied, Malformed, ServiceError
from coupa_core.ledger import Entry
from coupa_core.model import (
    MAX_ID,
    PENDING,
    Approval,
    Document,
    DocumentKey,
    FoundApprovals,
    Member,
    Unreadable,
    has_turn,
)
from coupa_core.notice import Style
from coupa_core.parallel import start_in_background

VANISHED_S = 2.0
"""The time limit, in seconds, for reading how approvals ended that Coupa no longer has."""

OWNERS_S = 2.0
"""The time limit, in seconds, for looking up the language of a person who may not decide."""

logger = logging.getLogger(__name__)


class LiveReads:
    """The reads before a decision or a question.

    Args:
        coupa: the client that reads approvals.
        directory: makes an uncached lookup of deciders for each request.
        keys: the keys that verify action tokens; None when tokens are off.
        style: the style of the answers, for anybody.
        workers: how many reads run at the same time; 1 runs them in order, without threads.
    """

    def __init__(
        self,
        *,
        coupa: Coupa,
        directory: Callable[[], Directory],
        keys: TokenKeys | None,
        style: Style,
        workers: int,
    ) -> None:
        self._coupa = coupa
        self._directory = directory
        self._keys = keys
        self._style = style
        self._workers = workers

    def read(
        self, cases: Sequence[RequestCase], deadline: Deadline, *, rows: RequestRows | None = None
    ) -> None:
        """Read the approvals and their documents; end the cases that are not pending, or not this person's.

        Args:
            cases: the cases that have not ended.
            deadline: the deadline for all reads.
            rows: name the documents, so that they are read at the same time; None: they are read afterwards.
        """
        ahead = self._begin_documents(cases, rows, deadline) if rows else None
        found = self._read_approvals(cases, deadline)
        directory = self._directory()
        for case in waiting(cases):
            case.approval = found.by_id.get(case.click.approval_id)
        stranger = self._find_deciders(waiting(cases), directory, deadline)
        for case in waiting(cases):
            if case.approval is not None:
                self._end_if_over(case, case.approval, rows, stranger)
            else:
                case.end = self._absence_error(case, found)
        self._read_documents([case for case in waiting(cases) if case.approval], ahead, deadline)
        soon = deadline.within(VANISHED_S)
        for case in waiting(cases):
            if case.approval is None:
                case.end = self._vanished_answer(case, directory, rows, soon)

    def siblings(self, cases: Sequence[RequestCase], deadline: Deadline) -> dict[DocumentKey, list[Approval]]:
        """Read the other open approvals of documents that do not show whose turn it is."""
        without_turn = [case for case in cases if case.document and case.document.needs_siblings]
        try:
            return self._coupa.siblings([case.document for case in without_turn if case.document], deadline)
        except ServiceError as error:
            end_all(without_turn, error)
            return {}

    def _read_approvals(self, cases: Sequence[RequestCase], deadline: Deadline) -> FoundApprovals:
        ids = [case.click.approval_id for case in waiting(cases)]
        try:
            return self._coupa.approvals(ids, deadline)
        except ServiceError as error:
            end_all(cases, error)
            return FoundApprovals()

    def _absence_error(self, case: RequestCase, found: FoundApprovals) -> BridgeError | None:
        """Return the error for an approval that was not found; None if Coupa had it once."""
        if case.click.approval_id in found.failed:
            return found.failed[case.click.approval_id]
        if found.unreadable:
            return Malformed("coupa_record", f"Coupa did not answer with approvals {case.click.approval_id}")
        if case.offer is None and not case.is_repeat:
            return CallerError("not_found", "There is no such approval in Coupa.", status=404)
        return None

    def _vanished_answer(
        self, case: RequestCase, directory: Directory, rows: RequestRows | None, deadline: Deadline
    ) -> Answer:
        """Answer how an approval ended that Coupa no longer has, from the document that our row names.

        The answer does not say who ended it, because the person's right can no longer be checked. A person
        who was not shown the card learns only that it is over.
        """
        row = rows.current_row(case.click.approval_id) if rows else None
        try:
            document = self._document_of_row(row, deadline)
            if document is not None and document.status == PENDING:
                others = self._coupa.siblings([document], deadline).get((document.type, document.id), [])
                current = [each for each in others if each.is_pending and has_turn(each, document, others)]
                if any(directory.decider(case.click.actor, each, deadline) for each in current):
                    writer = replace(case.writer, document=document)
                    return writer.answer(Outcome.ALREADY_DECIDED, "answer.replaced")
        except ServiceError as failure:
            logger.warning("end not read approval_id=%d code=%s", case.click.approval_id, failure.code)
            document = None
        if not (case.is_repeat or is_holder(case, self._keys)):
            document = None
        return replace(case.writer, document=document).over(End(end_of_document(document).ending))

    def _document_of_row(self, row: Entry | None, deadline: Deadline) -> Document | None:
        if row is None or not 0 < (row.document_id or 0) < MAX_ID:
            return None
        document = self._coupa.documents([row], deadline).get(row.document_key)
        return self._coupa.redacted(document, None) if document else None

    def _find_deciders(self, cases: Sequence[RequestCase], directory: Directory, deadline: Deadline) -> str:
        """Set the decider of each approval, and the person's language for all answers.

        Returns:
            The catalogue key of the answer for approvals that the person may not decide.
        """
        asked = [case for case in cases if case.approval and not _is_answered_again(case, case.approval)]
        known = [self._decider(case, directory, deadline) for case in asked]
        style, key = self._style, ""
        person = next(filter(None, known), None)
        if person is not None:
            style = style.to(person.locale, person.address)
        elif unknown := waiting(asked):
            owners = self._owners(unknown[0].click.actor, directory, deadline.within(OWNERS_S))
            style = style.to_all((each.default_locale or "" for each in owners), unknown[0].click.actor)
            key = "bar.shared" if len(owners) > 1 else ""
        else:
            return key
        for case in cases:
            case.style = style
        return key

    def _owners(self, actor: str, directory: Directory, deadline: Deadline) -> list[Member]:
        try:
            return directory.owners(actor, deadline)
        except ServiceError as failure:
            logger.warning("reader not looked up code=%s", failure.code)
            return []

    def _decider(self, case: RequestCase, directory: Directory, deadline: Deadline) -> Decider | None:
        """Return the person as a decider, and set it on the case unless the token is somebody else's."""
        offer, approval = case.offer, case.approval
        assert approval is not None  # noqa: S101 - nobody is asked about what is not there
        try:
            found = directory.decider(case.click.actor, approval, deadline, is_vouched_for=offer is not None)
        except ServiceError as error:
            case.end = error
            return None
        if found is not None and (
            offer is None or (offer.approver_key, offer.person) == (approval.approver_key, found.key)
        ):
            case.decider = found
        return found

    def _end_if_over(
        self, case: RequestCase, approval: Approval, rows: RequestRows | None, stranger: str
    ) -> None:
        if _is_answered_again(case, approval):
            # A person who decided it may have lost the right since, and still learns how it ended.
            case.end = ended(case.click, approval, case.writer, is_own=True)
        elif case.decider is None:
            case.end = case.writer.answer(Outcome.NOT_YOUR_APPROVAL, stranger)
        elif not approval.is_pending:
            is_own = rows is not None and isinstance(case.click, Click) and rows.has_decided(case.click)
            case.end = ended(case.click, approval, case.writer, is_own=is_own)

    def _begin_documents(
        self, cases: Sequence[RequestCase], rows: RequestRows, deadline: Deadline
    ) -> Future[Ahead] | None:
        """Begin to read the documents that the rows name; a click that decided before needs none."""
        ids = [case.click.approval_id for case in cases if not case.is_repeat]
        if self._workers == 1 or not ids:
            return None
        return start_in_background(
            lambda: read_ahead(self._coupa, rows, ids, deadline, workers=self._workers)
        )

    def _read_documents(
        self, cases: Sequence[RequestCase], ahead: Future[Ahead] | None, deadline: Deadline
    ) -> None:
        if not cases:
            return  # nobody needs the documents that are being read
        documents = self._documents_of(cases, ahead.result() if ahead else Ahead(), deadline)
        for case in waiting(cases):
            approval, _ = case.subject
            case.document = documents.get(approval.document_key)
            if case.document is None:
                case.end = Malformed("coupa_document", f"Coupa does not return the document of {approval.id}")
            elif isinstance(case.document, Unreadable):
                text = f"Coupa does not show the document of {approval.id} (scope {case.document.scope})"
                case.end = case.document.failure or Denied("coupa_unreadable", text)
            else:  # the row by which it was read ahead does not say whom Coupa asks
                case.document = self._coupa.redacted(case.document, approval)

    def _documents_of(
        self, cases: Sequence[RequestCase], ahead: Ahead, deadline: Deadline
    ) -> Mapping[DocumentKey, Document]:
        """Return the documents of the approvals: those that were read ahead, and the others."""
        wanted = {case.subject[0].document_key for case in cases}
        if wanted == ahead.keys:  # the same call: its failure counts, too
            if ahead.failure:
                end_all(cases, ahead.failure)
            return ahead.documents
        came = ahead.documents_for(wanted)
        rest = [case for case in cases if case.subject[0].document_key not in came]
        try:
            return came | self._coupa.documents([case.subject[0] for case in rest], deadline)
        except ServiceError as error:
            end_all(rest, error)
            return came


def _is_answered_again(case: RequestCase, approval: Approval) -> bool:
    return case.is_repeat and not approval.is_pending
