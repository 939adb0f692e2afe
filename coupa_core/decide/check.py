"""Check clicks: the token, and Coupa's present state. Nothing is changed anywhere.

Several clicks of one person are read together and judged one by one; a single click is a list of one.

Coupa sees only our client and would take anybody's decision, so every check is made here, on a live read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from coupa_core import notice
from coupa_core.audit_log import Event, EventKind
from coupa_core.authority import TOKEN_LIFE, Decider, Offer, Right, TokenKeys, is_same
from coupa_core.clock import Clock, Deadline
from coupa_core.content import content_hashes
from coupa_core.decide.ahead import Ahead, read_ahead
from coupa_core.decide.answers import (
    BARRED,
    Answer,
    AnswerWriter,
    Click,
    Outcome,
    Question,
    refused_by_coupa,
    too_long,
)
from coupa_core.decide.ended import ended, room_of
from coupa_core.decide.ports import CoupaDecisions, DeciderLookup, DecisionPolicy
from coupa_core.decide.rows import Before, RequestRows
from coupa_core.documents import parse_document
from coupa_core.endings import End, end_of_document, has_stopped
from coupa_core.errors import BridgeError, Busy, CallerError, Denied, Malformed, Refused, ServiceError
from coupa_core.ledger import Entry
from coupa_core.model import (
    MAX_ID,
    PENDING,
    Approval,
    Bar,
    Document,
    DocumentKey,
    DocumentKind,
    FoundApprovals,
    Member,
    Person,
    Unreadable,
    has_turn,
    version,
)
from coupa_core.parallel import start_in_background

logger = logging.getLogger(__name__)

VANISHED_S = 2.0
"""The seconds for finding out how approvals ended that Coupa no longer has."""

OWNERS_S = 2.0
"""The seconds for finding out the language of a person who may not decide."""

AHEAD = timedelta(days=1)
"""A token whose expiry is further away than its life and this was signed by a wrong clock."""


@dataclass
class RequestCase:
    """A click or a question while it is checked; each check adds to it.

    Attributes:
        click: as it arrived.
        style: the person's, as far as it is known.
        before: the effect of the same request before.
        offer: the content of its token.
        noted: the document by the ledger, where Coupa was not asked.
        approval: as Coupa has it.
        decider: the person as a decider.
        right: the actions that the person has in chat.
        document: as Coupa has it.
        content: the hash of the signed content.
        generation: of the approval.
        row: of the approval; None where the ledger does not answer.
        after: the approval as it was read back.
        end: the answer, or the error for which nothing was decided; None while it goes on.
        events: for the audit log.
    """

    click: Click | Question
    style: notice.Style
    before: Before = Before.NOTHING
    offer: Offer | None = None
    noted: Document | None = None
    approval: Approval | None = None
    decider: Decider | None = None
    right: Right | None = None
    document: Document | None = None
    content: str = ""
    generation: int = 0
    row: Entry | None = None
    after: Approval | None = None
    end: Answer | BridgeError | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def is_repeat(self) -> bool:
        """Tell whether the same request decided it before, by the ledger."""
        return self.before is Before.DECIDED

    @property
    def result(self) -> Answer | BridgeError:
        """Return the answer or the error; call this only after the end."""
        assert self.end is not None  # noqa: S101
        is_unknown = self.after is None and isinstance(self.end, Busy | ServiceError)
        if is_unknown and self.before is not Before.NOTHING:
            # An earlier send may have decided: the answer must not say that nothing was decided.
            return self.writer.answer(Outcome.UNCONFIRMED)
        return self.end

    @property
    def writer(self) -> AnswerWriter:
        """Return the writer of answers, by the data so far."""
        return AnswerWriter(
            self.style, self.approval, self.document or (None if self.approval else self.noted)
        )

    @property
    def name(self) -> str:
        """Return the document's name for an error; empty where the person may not know it."""
        is_theirs = self.decider is not None or self.approval is None
        return self.writer.name if is_theirs else ""

    @property
    def subject(self) -> tuple[Approval, Decider]:
        """Return the approval and the decider; only a click that is not refused has both."""
        assert self.approval is not None  # noqa: S101
        assert self.decider is not None  # noqa: S101
        return self.approval, self.decider

    def note(self, kind: EventKind, *, at: datetime, outcome: str, cause: str = "") -> None:
        """Keep an event for the audit log."""
        self.events.append(self.event(kind, at=at, outcome=outcome, cause=cause))

    def note_refusal(self, *, at: datetime) -> None:
        """Keep an event for a refusal; the failure of a service is no refusal."""
        if isinstance(self.end, Answer):
            self.note(EventKind.REFUSAL, at=at, outcome=self.end.outcome)
        elif isinstance(self.end, CallerError):
            self.note(EventKind.REFUSAL, at=at, outcome="refused", cause=self.end.code)

    def event(self, kind: EventKind, *, at: datetime, outcome: str = "", cause: str = "") -> Event:
        """Return an event of this click for the audit log."""
        click, offer, approval = self.click, self.offer, self.approval
        approver_key = (approval.approver_key if approval else None) or ""
        shown = version(approver_key=approver_key, content=self.content, generation=self.generation)
        return Event(
            kind=kind,
            at=at,
            approval_id=click.approval_id,
            document_type=(approval.approvable_type if approval else None) or "",
            document_id=approval.approvable_id if approval else None,
            actor=click.actor,
            known_by=f"{click.known_by}+token" if offer else click.known_by,
            capacity=self.decider.capacity if self.decider else "",
            verb=click.verb,
            outcome=outcome,
            cause=cause,
            version=shown if self.content else "",
            digest=self.content,
            generation=self.generation,
            token_key=offer.kid if offer else "",
            request_id=click.request_id,
            state_before=(approval.status if approval else None) or "",
            state_after=(self.after.status if self.after else None) or "",
        )


C = TypeVar("C", bound=RequestCase)


def waiting(cases: Iterable[C]) -> list[C]:
    """Return the cases that have not ended."""
    return [case for case in cases if case.end is None]


class Checks:
    """The checks before a decision or a question is sent.

    Each check ends the cases that do not pass it; the failure of a service ends those that needed it.

    Args:
        coupa: has the approvals.
        directory: makes a lookup of deciders that reads afresh, one for each request.
        clock: the time.
        keys: verify action tokens; None when tokens are off.
        policy: of the operator.
        workers: how many reads run at the same time; 1 runs them in order, without threads.
    """

    def __init__(
        self,
        *,
        coupa: CoupaDecisions,
        directory: Callable[[], DeciderLookup],
        clock: Clock,
        keys: TokenKeys | None,
        policy: DecisionPolicy,
        workers: int,
    ) -> None:
        self._coupa = coupa
        self._directory = directory
        self._clock = clock
        self._keys = keys
        self._policy = policy
        self._workers = workers

    def style_of(self, token: str | None) -> notice.Style:
        """Return the style for a person of whom only a token is known."""
        offer = self._keys.verify(token or "") if self._keys else None
        return self._policy.style.to(offer.locale if offer else "")

    def style_for(self, clicks: Sequence[Click | Question]) -> notice.Style:
        """Return the style for a person before Coupa names them: that of the first valid token."""
        offers = [self._keys.verify(click.token or "") for click in clicks] if self._keys else []
        locale = next((offer.locale for offer in offers if offer), "")
        return self._policy.style.to(locale, clicks[0].actor)

    def admit(self, case: RequestCase, rows: RequestRows) -> None:
        """Verify the token; every fault has the same error, so that the error reveals nothing."""
        click, now = case.click, self._clock.now()
        if self._keys is None or (click.token is None and not self._policy.token_required):
            return
        offer = self._keys.verify(click.token or "")
        latest = now + TOKEN_LIFE + AHEAD
        if offer is None or offer.approval_id != click.approval_id or offer.expires_at > latest:
            text = "The action token is missing or not valid here."
            case.end = CallerError("token_refused", text, status=403)
            return
        case.offer = offer
        if offer.expires_at <= now:
            self.look_up(case, rows)
            case.end = case.writer.answer(Outcome.EXPIRED)

    def look_up(self, case: RequestCase, rows: RequestRows) -> None:
        """Read the document's type and number from the ledger, for an answer before Coupa is asked.

        Only the holder of a valid token, who was shown the card, may know which document it is.
        """
        row = rows.current_row(case.click.approval_id) if self._is_holder(case) else None
        if row is not None:
            case.noted = parse_document(row.document_type, {"id": row.document_id})

    def _is_holder(self, case: RequestCase) -> bool:
        """Tell whether the token names this person."""
        offer, keys = case.offer, self._keys
        return offer is not None and keys is not None and keys.is_held_by(offer, case.click.actor)

    def meet(
        self, cases: Sequence[RequestCase], deadline: Deadline, *, rows: RequestRows | None = None
    ) -> None:
        """Read the approvals and their documents; end the cases that are not pending, or not this person's.

        Args:
            cases: those that go on.
            deadline: for all reads.
            rows: name the documents, so that they are read at the same time; None reads them afterwards.
        """
        ahead = self._begin_documents(cases, rows, deadline) if rows else None
        found = self._found(cases, deadline)
        directory = self._directory()
        for case in waiting(cases):
            case.approval = found.by_id.get(case.click.approval_id)
        stranger = self._know(waiting(cases), directory, deadline)
        for case in waiting(cases):
            if case.approval is not None:
                self._meet(case, case.approval, rows, stranger)
            else:
                case.end = self._absent(case, found)
        self._read_documents([case for case in waiting(cases) if case.approval], ahead, deadline)
        soon = deadline.within(VANISHED_S)
        for case in waiting(cases):
            if case.approval is None:
                case.end = self._vanished(case, directory, rows, soon)

    def refuse(self, cases: Sequence[RequestCase], rows: RequestRows, deadline: Deadline) -> None:
        """Compare each click with Coupa's present state; cases that do not end here may be carried out."""
        self.meet(cases, deadline, rows=rows)
        siblings = self._siblings(waiting(cases), deadline)
        for case in waiting(cases):
            approval, _ = case.subject
            assert case.document is not None  # noqa: S101 - what has none has ended
            if has_stopped(case.document):
                case.end = case.writer.over(end_of_document(case.document, [approval]))
            elif not has_turn(approval, case.document, siblings.get(approval.document_key, ())):
                case.end = case.writer.answer(Outcome.NOT_YOUR_TURN)
            else:
                case.end = (
                    self._forbid(case, case.document)
                    or self._compare(case, case.document, rows)
                    or self.overlong(case)
                )

    def overlong(self, case: RequestCase) -> Answer | None:
        """Refuse words that are too long for Coupa."""
        approval, decider = case.subject
        room, length = room_of(case.click, decider, asked=approval.asked_name)
        return too_long(room, length, case.writer) if length > room else None

    def barred(self, case: RequestCase, bar: Bar, document: Document) -> Answer:
        """Answer why this can be done in Coupa only, with the link."""
        sentence = case.style.colon(case.writer.what, case.style.say(f"bar.{bar}"))
        return Answer(BARRED[bar], sentence, {"link": notice.link_to(document, style=case.style)})

    def refused(self, case: RequestCase, failure: ServiceError) -> Answer | None:
        """Return the answer where Coupa itself refuses, with its sentences; None for any other failure."""
        if not isinstance(failure, Refused) or not failure.is_considered or case.document is None:
            return None
        number, code = case.click.approval_id, failure.code
        logger.warning("refused by coupa approval_id=%d code=%s cause=%s", number, code, failure)
        link = notice.link_to(case.document, style=case.style)
        return refused_by_coupa(failure.user_message, case.writer, link)

    def asked_for(self, case: RequestCase) -> bool:
        """Tell whether the person is the requester; a person who entered it for another is not."""
        assert case.document is not None  # noqa: S101 - see `refuse`
        return is_same(case.subject[1], case.document.requested_by, self._policy.rules.emails)

    def answerer(self, case: RequestCase) -> Person | None:
        """Return the person who can answer a question about the document; None if that is the asker."""
        assert case.document is not None  # noqa: S101 - see `refuse`
        person = case.document.answerer
        is_own = person is not None and is_same(case.subject[1], person, self._policy.rules.emails)
        return None if is_own else person

    def _found(self, cases: Sequence[RequestCase], deadline: Deadline) -> FoundApprovals:
        ids = [case.click.approval_id for case in waiting(cases)]
        try:
            return self._coupa.approvals(ids, deadline)
        except ServiceError as error:
            _end(cases, error)
            return FoundApprovals()

    def _absent(self, case: RequestCase, found: FoundApprovals) -> BridgeError | None:
        """Return the error for an approval that was not found; None where Coupa had it once."""
        if case.click.approval_id in found.failed:
            return found.failed[case.click.approval_id]
        if found.unreadable:
            return Malformed("coupa_record", f"Coupa did not answer with approvals {case.click.approval_id}")
        if case.offer is None and not case.is_repeat:
            return CallerError("not_found", "There is no such approval in Coupa.", status=404)
        return None

    def _vanished(
        self, case: RequestCase, directory: DeciderLookup, rows: RequestRows | None, deadline: Deadline
    ) -> Answer:
        """Answer how an approval ended that Coupa no longer has, by the document that our row names.

        The answer does not say who ended it, because the person's right can no longer be checked. A person
        who was not shown the card learns only that it is over.
        """
        row = rows.current_row(case.click.approval_id) if rows else None
        try:
            document = self._document_of(row, deadline)
            if document is not None and document.status == PENDING:
                others = self._coupa.siblings([document], deadline).get((document.type, document.id), [])
                current = [each for each in others if each.is_pending and has_turn(each, document, others)]
                if any(directory.decider(case.click.actor, each, deadline) for each in current):
                    writer = replace(case.writer, document=document)
                    return writer.answer(Outcome.ALREADY_DECIDED, "answer.replaced")
        except ServiceError as failure:
            logger.warning("end not read approval_id=%d code=%s", case.click.approval_id, failure.code)
            document = None
        if not (case.is_repeat or self._is_holder(case)):
            document = None
        return replace(case.writer, document=document).over(End(end_of_document(document).ending))

    def _document_of(self, row: Entry | None, deadline: Deadline) -> Document | None:
        if row is None or not 0 < (row.document_id or 0) < MAX_ID:
            return None
        document = self._coupa.documents([row], deadline).get(row.document_key)
        return self._coupa.redacted(document, None) if document else None

    def _know(self, cases: Sequence[RequestCase], directory: DeciderLookup, deadline: Deadline) -> str:
        """Find the decider for each approval, and the person's language for all answers.

        Returns:
            The key of the text for approvals that the person may not decide.
        """
        asked = [case for case in cases if case.approval and not _is_told_again(case, case.approval)]
        known = [self._decider(case, directory, deadline) for case in asked]
        style, key = self._policy.style, ""
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

    def _owners(self, actor: str, directory: DeciderLookup, deadline: Deadline) -> list[Member]:
        try:
            return directory.owners(actor, deadline)
        except ServiceError as failure:
            logger.warning("reader not looked up code=%s", failure.code)
            return []

    def _meet(self, case: RequestCase, approval: Approval, rows: RequestRows | None, stranger: str) -> None:
        if _is_told_again(case, approval):
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
        documents = self._documents(cases, ahead.result() if ahead else Ahead(), deadline)
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

    def _documents(
        self, cases: Sequence[RequestCase], ahead: Ahead, deadline: Deadline
    ) -> Mapping[DocumentKey, Document]:
        """Return the documents that the approvals name: those that were read ahead, and the others."""
        wanted = {case.subject[0].document_key for case in cases}
        if wanted == ahead.keys:  # the same call: its failure counts, too
            if ahead.failure:
                _end(cases, ahead.failure)
            return ahead.documents
        came = ahead.came(wanted)
        rest = [case for case in cases if case.subject[0].document_key not in came]
        try:
            return came | self._coupa.documents([case.subject[0] for case in rest], deadline)
        except ServiceError as error:
            _end(rest, error)
            return came

    def _siblings(
        self, cases: Sequence[RequestCase], deadline: Deadline
    ) -> dict[DocumentKey, list[Approval]]:
        """Read the other open approvals of documents that do not show whose turn it is."""
        unsaid = [case for case in cases if case.document and case.document.kind is DocumentKind.OTHER]
        try:
            return self._coupa.siblings([case.document for case in unsaid if case.document], deadline)
        except ServiceError as error:
            _end(unsaid, error)
            return {}

    def _decider(self, case: RequestCase, directory: DeciderLookup, deadline: Deadline) -> Decider | None:
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

    def _forbid(self, case: RequestCase, document: Document) -> Answer | CallerError | None:
        """Refuse an action that the operator's rules or Coupa's do not allow this person."""
        approval, decider = case.subject
        case.right = self._policy.rules.right(decider, approval, document)
        if case.right.bar is not None:
            return self.barred(case, case.right.bar, document)
        if case.click.verb not in case.right.actions:  # actions that are switched off were refused before
            return CallerError("not_holdable", "Coupa does not let this approval be put on hold.")
        return None

    def _compare(self, case: RequestCase, document: Document, rows: RequestRows) -> Answer | None:
        """Refuse when the person was shown other content or an earlier generation, or has decided before."""
        offer = case.offer
        case.row = row = rows.current_row(case.click.approval_id)
        case.content, content_before = content_hashes(document)
        case.generation = row.generation if row else (offer.generation if offer else 0)
        if case.is_repeat:
            # The same request must not decide twice: the person must learn first that it waits again.
            return self._changed(case, document, "reopened")
        if offer is None or (offer.content, offer.generation) == (case.content, case.generation):
            return None
        if offer.content == case.content:
            return self._changed(case, document, "waits_again")
        is_of_0_1 = (offer.content, offer.generation) == (content_before, case.generation)
        return self._changed(case, document, "earlier_release" if is_of_0_1 else "changed")

    def _changed(self, case: RequestCase, document: Document, key: str) -> Answer:
        """Show the person the present card, with a new token where the click had one."""
        approval, decider = case.subject
        offer, row, shown = case.offer, case.row, ""
        assert case.right is not None  # noqa: S101 - see `_forbid`
        if offer is not None and row is not None:
            was = version(approver_key=offer.approver_key, content=offer.content, generation=offer.generation)
            # The row has the figures of this person's last card; for an older card they would be wrong.
            shown = row.to(decider.key).facts if row.has_told(decider.key, was) else ""
        card = notice.compose(
            notice.ApprovalRequest(
                approval=approval,
                document=document,
                right=case.right,
                generation=case.generation,
                is_changed=key not in ("earlier_release", "waits_again"),
                shown=shown,
            ),
            style=self._policy.style,
            keys=self._keys if offer else None,
            now=self._clock.now(),
        )
        token = card.slots.get("action_token")
        details = {"content": card.text} | ({"action_token": token} if token else {})
        return case.writer.answer(Outcome.CHANGED, f"answer.{key}", details)


def _is_told_again(case: RequestCase, approval: Approval) -> bool:
    return case.is_repeat and not approval.is_pending


def _end(cases: Iterable[RequestCase], error: ServiceError) -> None:
    for case in waiting(cases):
        case.end = error
