"""Read decisions back, and answer them: only what Coupa says afterwards counts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from coupa_core.audit_log import EventKind
from coupa_core.clock import Clock, Deadline
from coupa_core.coupa import Coupa
from coupa_core.decide.answers import Answer, Click, Outcome
from coupa_core.decide.cases import RequestCase
from coupa_core.decide.check import Checks
from coupa_core.decide.ended import done, ended, is_ours
from coupa_core.decide.waits import waits
from coupa_core.errors import Denied, Malformed, Refused, ServiceError
from coupa_core.model import DONE_STATUS, REQUISITION, Approval, Chain, DocumentKey

logger = logging.getLogger(__name__)


@dataclass
class DecisionCase(RequestCase):
    """A click on its way through Coupa.

    Attributes:
        words: the reason as it was sent.
        is_clean: Coupa's answer was that of a decision that took effect.
        refusal: Coupa's refusal.
        chain: the approval chain as it was read back.
        is_confirmed: Coupa's record says that this click decided.
        waits: the parts of the wait in seconds, by name; empty unless confirmed.
    """

    click: Click
    clicked_at: datetime = field(kw_only=True)
    words: str = ""
    is_clean: bool = False
    refusal: Refused | Denied | None = None
    chain: Chain | None = None
    is_confirmed: bool = False
    waits: dict[str, float] = field(default_factory=dict)

    def confirms(self, after: Approval) -> bool:
        """Tell whether this click ended the approval, by its state afterwards.

        It was pending just before. If our client's user is unknown, a note with exactly our words proves it.
        """
        done_so = after.status == DONE_STATUS[self.click.verb]
        has_our_words = after.by_us is None and after.note == self.words
        return done_so and (self.is_clean or is_ours(self.click, after) or has_our_words)

    def log(self) -> None:
        """Log the outcome in one line; an error is logged where it is answered."""
        if isinstance(self.end, Answer):
            logger.info(
                "decision approval_id=%d verb=%s outcome=%s request_id=%s%s",
                self.click.approval_id,
                self.click.verb,
                self.end.outcome,
                self.click.request_id,
                "".join(f" {name}={seconds:.1f}" for name, seconds in self.waits.items()),
            )


class Confirm:
    """The last part of a click.

    Args:
        checks: write the answer to a refusal of Coupa.
        coupa: the client that reads decisions back.
        clock: the time.
    """

    def __init__(self, checks: Checks, coupa: Coupa, clock: Clock) -> None:
        self._checks = checks
        self._coupa = coupa
        self._clock = clock

    def read(self, cases: Sequence[DecisionCase], deadline: Deadline) -> None:
        """Read the approvals again: with their documents, and alone if these confirm nothing.

        A document shows its progress and the next approvers in the same call.
        """
        chains = self._read_chains(cases, deadline)
        for case in cases:
            approval, _ = case.subject
            chain = chains.get(approval.document_key)
            step = chain.step(approval.id) if chain else None
            if step is not None and case.confirms(step):
                case.after, case.chain = step, chain
        self._read_alone([case for case in cases if case.after is None], deadline)

    def _read_alone(self, rest: Sequence[DecisionCase], deadline: Deadline) -> None:
        """Read the approvals without their documents."""
        try:
            found = self._coupa.approvals([case.click.approval_id for case in rest], deadline)
        except ServiceError as error:
            for case in rest:
                self._end_unconfirmed(case, error)
            return
        for case in rest:
            number = case.click.approval_id
            case.after = found.by_id.get(number)
            if number in found.failed:
                self._end_unconfirmed(case, found.failed[number])
            elif case.after is None and found.unreadable:
                self._end_unconfirmed(case, Malformed("coupa_record", "Coupa answered with something else"))

    def _read_chains(self, cases: Sequence[DecisionCase], deadline: Deadline) -> dict[DocumentKey, Chain]:
        """Return the approval chains of requisitions, by (type, id); other documents have none."""
        keys = [case.subject[0].document_key for case in cases]
        numbers = [number for kind, number in keys if kind == REQUISITION and number is not None]
        try:
            chains = self._coupa.chains(numbers, deadline.within(deadline.left_s() / 2))
        except ServiceError as error:
            logger.warning("documents not read back code=%s", error.code)
            return {}
        return {(REQUISITION, number): chain for number, chain in chains.items()}

    def settle(self, case: DecisionCase) -> None:
        """Answer a decision that may have taken effect."""
        after = case.after
        if after is None or after.is_pending:
            self._settle_not_taken(case)
            return
        case.is_confirmed = case.confirms(after)
        if case.is_confirmed:
            approval, decider = case.subject
            assert case.document is not None  # noqa: S101 - what has none has ended
            case.waits = waits(
                approval,
                case.document,
                case.row,
                person=decider.key,
                clicked_at=case.clicked_at,
                confirmed_at=self._clock.now(),
            )
            self._end(case, done(case.click, after, case.writer, case.chain))
        else:
            self._end(case, ended(case.click, after, case.writer))

    def _settle_not_taken(self, case: DecisionCase) -> None:
        """Answer a decision that Coupa seems not to have taken."""
        refusal = case.refusal
        if refusal is None:
            self._end(case, case.writer.answer(Outcome.UNCONFIRMED))
        elif answer := self._checks.refusal_answer(case, refusal):
            self._end(case, answer, cause=refusal.code)
        else:
            self.fail(case, refusal)

    def _end_unconfirmed(self, case: DecisionCase, error: ServiceError) -> None:
        logger.warning("decision unconfirmed approval_id=%d code=%s", case.click.approval_id, error.code)
        self._end(case, case.writer.answer(Outcome.UNCONFIRMED), cause=error.code)

    def fail(self, case: DecisionCase, error: ServiceError) -> None:
        """End a decision that certainly was not taken, with the error."""
        case.end = error
        case.note(EventKind.DECISION, at=self._clock.now(), outcome="failed", cause=error.code)

    def _end(self, case: DecisionCase, answer: Answer, *, cause: str = "") -> None:
        case.end = answer
        case.note(EventKind.DECISION, at=self._clock.now(), outcome=answer.outcome, cause=cause)
