"""Ask a question before a decision: one comment in Coupa that mentions the requester and names the person.

The person and the token are checked as for a click; turn, amount and content do not matter for a question.
The row keeps the open question: a sweep tells the requester in chat, and sends the answer to the person who
asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta

from coupa_core import notice
from coupa_core.audit_log import AuditLog, EventKind
from coupa_core.clock import Clock, Deadline
from coupa_core.coupa import Coupa
from coupa_core.decide.answers import Answer, Outcome, Question
from coupa_core.decide.calls import kept_s, last_permit_s, reads_of
from coupa_core.decide.cases import RequestCase
from coupa_core.decide.check import Checks
from coupa_core.decide.ended import comment_for
from coupa_core.decide.policy import DecisionPolicy
from coupa_core.decide.rows import RequestRows
from coupa_core.decide.run import RECORDING_S
from coupa_core.documents import DOCUMENT_MODELS
from coupa_core.errors import BridgeError, CallerError, ServiceError, Unknown
from coupa_core.ledger import Ledger, OpenQuestion
from coupa_core.model import Bar, Comment, Document, fingerprint, stamp
from coupa_core.rate_limiter import RateLimiter
from coupa_core.routes import CLICK_S

SAME = timedelta(hours=1)
"""The same words within this time are the same question: its answer was lost, or it was clicked twice."""

SENDING = timedelta(seconds=20)
"""How long other requests with the same words are held back; after that Coupa shows the words."""

KEY_KEPT = timedelta(days=1)
"""How long a request with the same Idempotency-Key and the same words sends nothing."""

READING_S = 2.0
"""The most seconds of the budget for comments that do not come with their document."""

NOTING_S = 1.5
"""The seconds of the budget that are reserved for the row."""

logger = logging.getLogger(__name__)


class Ask:
    """The use case; its arguments are those of `Decide`."""

    def __init__(
        self,
        *,
        checks: Checks,
        coupa: Coupa,
        permits: RateLimiter,
        ledger: Ledger,
        audit_log: AuditLog,
        clock: Clock,
        policy: DecisionPolicy,
    ) -> None:
        self._checks = checks
        self._coupa = coupa
        self._permits = permits
        self._ledger = ledger
        self._audit_log = audit_log
        self._clock = clock
        self._policy = policy

    def ask(self, question: Question) -> Answer:
        """Put a question on the document, once.

        Raises:
            CallerError: asking is off, the token is missing or wrong, or the approval does not exist.
            Busy: there is no room at Coupa now, and nothing was written.
            ServiceError: Coupa or the audit log did not answer, and nothing was written.
        """
        case = RequestCase(question, self._checks.style_for([question]))
        deadline = Deadline(self._clock, CLICK_S - RECORDING_S)
        rows = RequestRows(self._ledger, deadline)
        try:
            self._enter(case, rows)
            if case.end is None:
                reads = reads_of([case])
                within_s = last_permit_s(deadline.left_s(), self._permits.call_s, reads=reads, calls=1)
                with self._permits.admit(reads + 1, reads + 1, within_s=within_s):
                    self._check(case, deadline)
                    if case.end is None:
                        self._carry_out(case, question, rows, deadline)
        except BridgeError as error:
            case.end = error
        finally:
            self._audit_log.record(case.events, required=False)
        end = case.result
        if isinstance(end, BridgeError):
            if case.approval is None:
                self._checks.look_up(case, rows)
            end.language, end.about = case.style.language, case.name
            raise end
        logger.info(
            "comment approval_id=%d outcome=%s request_id=%s",
            question.approval_id,
            end.outcome,
            question.request_id,
        )
        return end

    def _enter(self, case: RequestCase, rows: RequestRows) -> None:
        """Make the checks that need no call to Coupa."""
        if not self._policy.comments:
            text = "Asking by comment is not enabled on this bridge."
            case.end = CallerError("comments_off", text, status=403)
            return
        self._checks.admit(case, rows)
        case.note_refusal(at=self._clock.now())

    def _check(self, case: RequestCase, deadline: Deadline) -> None:
        self._checks.read([case], deadline.within(deadline.left_s() - kept_s(self._permits.call_s)))
        if case.end is None and case.document is not None and case.document.is_sensitive:
            case.end = self._checks.bar_answer(case, Bar.SENSITIVE, case.document)
        if case.end is None and self._checks.is_requester(case):
            case.end = case.writer.answer(Outcome.NOT_YOUR_APPROVAL, "answer.own_question")
        if case.end is None:
            case.end = self._cannot_ask(case) or self._checks.check_length(case)
        case.note_refusal(at=self._clock.now())

    def _cannot_ask(self, case: RequestCase) -> Answer | None:
        """Return the answer if Coupa takes no comments or names nobody to ask; else None."""
        document = case.document
        assert document is not None  # noqa: S101 - what is not refused has one
        if document.commented_on is not None and self._checks.answerer(case) is not None:
            return None
        key = "answer.not_askable" if document.commented_on is None else "answer.nobody_to_ask"
        link = notice.link_to(document, style=case.style)
        return case.writer.answer(Outcome.NOT_ASKABLE, key, {"link": link})

    def _carry_out(
        self, case: RequestCase, question: Question, rows: RequestRows, deadline: Deadline
    ) -> None:
        """Write the comment, unless Coupa has the same, or another request may be writing it."""
        approval, decider = case.subject
        document, asked_of = case.document, self._checks.answerer(case)
        assert document is not None  # noqa: S101 - what is not refused has both
        assert asked_of is not None  # noqa: S101
        text = comment_for(question, decider, asked=approval.asked_name, requester=asked_of.id or 0)
        open_one = OpenQuestion(by=decider.key, of=asked_of.key or "", on=document.commented_on or 0)

        def remembered(number: int) -> Answer:
            is_noted = rows.remember_question(approval, number, open_one, self._clock)
            key = "answer.commented" if is_noted else "answer.commented_there"
            return case.writer.answer(Outcome.COMMENTED, key)

        same, may_be_sent = self._earlier(question, document, text, rows, deadline)
        if same is not None:
            self._note_question(case, Outcome.COMMENTED, cause="written_before")
            case.end = remembered(same)
        elif may_be_sent:
            self._note_question(case, Outcome.UNCONFIRMED, cause="sent_before")
            case.end = case.writer.answer(Outcome.UNCONFIRMED, "answer.comment_lost")
        else:
            with ExitStack() as if_not_sent:
                if_not_sent.callback(rows.was_not_sent, self._fingerprints(question, text))
                if self._send(case, document, text, remembered, deadline):
                    if_not_sent.pop_all()

    def _earlier(
        self, question: Question, document: Document, text: str, rows: RequestRows, deadline: Deadline
    ) -> tuple[int | None, bool]:
        """Look for the same comment by an earlier request; without one, no other may send it from now on.

        Returns:
            Its id, if Coupa has it; and whether another request is sending it, or sent it without an answer.
        """
        same = self._same_comment(document, text, deadline, SAME)
        if same is not None or rows.may_send(self._fingerprints(question, text), self._clock):
            return same, False
        return self._same_comment(document, text, deadline, KEY_KEPT), True

    def _fingerprints(self, question: Question, text: str) -> dict[str, datetime]:
        """Return the fingerprints by which other requests recognise this comment, each with its expiry."""
        now, what = self._clock.now(), f"{question.approval_id} {text}"
        words = {fingerprint(what): now + SENDING}
        return words | ({fingerprint(f"{question.key} {what}"): now + KEY_KEPT} if question.key else {})

    def _send(
        self,
        case: RequestCase,
        document: Document,
        text: str,
        remembered: Callable[[int], Answer],
        deadline: Deadline,
    ) -> bool:
        """Record the intent, write the comment, and answer.

        Returns:
            False if Coupa refused it.

        Raises:
            ServiceError: the comment was certainly not written.
        """
        intent = case.event(EventKind.INTENT, at=self._clock.now())
        self._audit_log.record([intent], required=self._policy.audit_required)
        cause = ""
        try:
            number = self._coupa.comment(document, text, deadline.within(deadline.left_s() - NOTING_S))
        except Unknown as error:
            number, cause = 0, error.code
            logger.warning("comment unknown approval_id=%d code=%s", case.click.approval_id, error.code)
        except ServiceError as error:
            case.end = self._checks.refusal_answer(case, error)
            self._note_question(case, case.end.outcome if case.end else "failed", cause=error.code)
            if case.end is None:
                raise
            return False
        if number:
            answer = remembered(number)
        else:
            answer = case.writer.answer(Outcome.UNCONFIRMED, "answer.comment_lost")
        case.end = answer
        self._note_question(case, answer.outcome, cause=cause)
        return True

    def _note_question(self, case: RequestCase, outcome: str, *, cause: str) -> None:
        case.note(EventKind.DECISION, at=self._clock.now(), outcome=outcome, cause=cause)

    def _same_comment(
        self, document: Document, text: str, deadline: Deadline, within: timedelta
    ) -> int | None:
        """Return the id of a recent comment in which this person asked the same; None for none."""
        since = self._coupa.now() - within
        for comment in self._read_comments(document, deadline):
            at = stamp(comment.created_at)
            if comment.comments == text and comment.by_us is not False and at is not None and at >= since:
                return comment.id
        return None

    def _read_comments(self, document: Document, deadline: Deadline) -> Sequence[Comment]:
        """Return the comments on a document; empty after a failure: asking twice does no harm."""
        if not DOCUMENT_MODELS[document.type].comments_as:
            return document.comments
        place = (document.type, document.commented_on or 0)
        try:
            return self._coupa.comments([place], deadline.within(READING_S)).get(place, ())
        except ServiceError as failure:
            logger.warning("comments not read code=%s", failure.code)
            return ()
