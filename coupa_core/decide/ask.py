"""A question before deciding: one comment in Coupa that mentions the requester and names who asks.

The person and the token are checked as for a click; turn, amount and content do not matter for a question.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from coupa_core.clock import Clock, Deadline
from coupa_core.decide.answers import Answer, Outcome, Question
from coupa_core.decide.calls import reads_of
from coupa_core.decide.check import Case, Checks
from coupa_core.decide.ended import comment_for
from coupa_core.decide.ports import Admission, Decisions, Policy, Recorder
from coupa_core.decide.run import BUDGET_S, CONFIRMING_S, RECORDING_S, TURNS_S
from coupa_core.errors import BridgeError, CallerError, ServiceError, Unknown
from coupa_core.journal import Kind as EventKind
from coupa_core.model import Document, stamp

SAME = timedelta(hours=1)
"""The same words again within this are the same question: its answer was lost, or it was clicked twice."""

logger = logging.getLogger(__name__)


class Ask:
    """The use case; its parts are those of `Decide`."""

    def __init__(
        self,
        *,
        checks: Checks,
        coupa: Decisions,
        turns: Admission,
        journal: Recorder,
        clock: Clock,
        policy: Policy,
    ) -> None:
        self._checks = checks
        self._coupa = coupa
        self._turns = turns
        self._journal = journal
        self._clock = clock
        self._policy = policy

    def ask(self, question: Question) -> Answer:
        """Put a question on the document, once.

        Raises:
            CallerError: asking is off, the token is missing or wrong, the approval does not exist, or Coupa
                names nobody to ask.
            Busy: there is no room at Coupa now, and nothing was written.
            ServiceError: Coupa or the audit record could not be asked, and nothing was written.
        """
        case = Case(question, self._checks.style_for([question]))
        deadline = Deadline(self._clock, BUDGET_S - RECORDING_S)
        try:
            self._enter(case)
            if case.end is None:
                reads = reads_of([case])
                with self._turns.admit(reads + 1, reads + 1, within_s=TURNS_S):
                    self._check(case, deadline)
                    if case.end is None:
                        self._carry_out(case, question, deadline)
        finally:
            self._journal.record(case.events, required=False)
        end = case.said
        if isinstance(end, BridgeError):
            end.language = case.style.language
            raise end
        logger.info(
            "comment approval_id=%d outcome=%s request_id=%s",
            question.approval_id,
            end.outcome,
            question.request_id,
        )
        return end

    def _enter(self, case: Case) -> None:
        """Look at what needs no question to Coupa."""
        if not self._policy.comments:
            text = "Asking by comment is not enabled on this bridge."
            case.end = CallerError("comments_off", text, status=403)
            return
        self._checks.admit(case)
        case.note_refusal(at=self._clock.now())

    def _check(self, case: Case, deadline: Deadline) -> None:
        self._checks.meet([case], deadline.within(deadline.left_s() - CONFIRMING_S))
        if case.end is None and self._checks.asked_for(case):
            case.end = case.speaker.answer(Outcome.NOT_YOUR_APPROVAL, "answer.own_question")
        if case.end is None:
            case.end = self._checks.overlong(case)
        if case.end is None and self._checks.requester(case) is None:
            case.end = CallerError("no_requester", "Coupa names nobody to ask about this request.")
        case.note_refusal(at=self._clock.now())

    def _carry_out(self, case: Case, question: Question, deadline: Deadline) -> None:
        """Record the intent, write the comment once, and say what is known of it."""
        approval, decider = case.subject
        document, requester = case.document, self._checks.requester(case)
        assert document is not None  # noqa: S101 - what is not refused has both
        assert requester is not None  # noqa: S101
        text = comment_for(question, decider, asked=approval.asked_name, requester=requester)
        if self._is_there(document, text):
            case.end = case.speaker.answer(Outcome.COMMENTED)
            self._note(case, Outcome.COMMENTED, cause="written_before")
            return
        intent = case.event(EventKind.INTENT, at=self._clock.now())
        self._journal.record([intent], required=self._policy.audit_required)
        cause = ""
        try:
            is_written = self._coupa.comment(document.id, text, deadline) > 0
        except Unknown as error:
            is_written, cause = False, error.code
            logger.warning("comment unknown approval_id=%d code=%s", question.approval_id, error.code)
        except ServiceError as error:
            case.end = self._checks.refused(case, error)
            self._note(case, case.end.outcome if case.end else "failed", cause=error.code)
            if case.end is None:
                raise
            return
        if is_written:
            answer = case.speaker.answer(Outcome.COMMENTED)
        else:
            answer = case.speaker.answer(Outcome.UNCONFIRMED, "answer.comment_lost")
        case.end = answer
        self._note(case, answer.outcome, cause=cause)

    def _note(self, case: Case, outcome: str, *, cause: str) -> None:
        case.note(EventKind.DECISION, at=self._clock.now(), outcome=outcome, cause=cause)

    def _is_there(self, document: Document, text: str) -> bool:
        """Tell whether the same person has just asked the same."""
        since = self._coupa.now() - SAME
        same = [said for said in document.comments if said.comments == text and said.by_us is not False]
        return any(at is not None and at >= since for at in map(stamp, (said.created_at for said in same)))
