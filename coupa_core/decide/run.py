"""Carry out the clicks of one person, one or several: check them, send each once, read back, and record.

A single click is a list of one. The reads, the audit log and the read-back are for all clicks at once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from coupa_core.audit_log import EventKind
from coupa_core.clock import Clock, Deadline
from coupa_core.decide.answers import Answer, Click, Outcome, SeveralAnswers
from coupa_core.decide.calls import CONFIRMS, kept_s, last_permit_s, reads_of
from coupa_core.decide.check import Checks, RequestCase, waiting
from coupa_core.decide.ended import done, ended, is_ours, reason_for
from coupa_core.decide.ports import Admission, CoupaDecisions, DecisionPolicy, Recorder
from coupa_core.decide.rows import RequestRows
from coupa_core.decide.waits import waits
from coupa_core.errors import (
    BridgeError,
    Busy,
    CallerError,
    Denied,
    Malformed,
    Refused,
    ServiceError,
    Unavailable,
    Unknown,
)
from coupa_core.ledger import Ledger
from coupa_core.model import DONE_STATUS, REQUISITION, Approval, Chain, Verb
from coupa_core.notice import Style, is_blank
from coupa_core.parallel import map_parallel

BUDGET_S = 10.0
"""The whole answer comes within this; Moveworks gives up at 16 s.

Source: https://developer.moveworks.com/creator-studio/api-configuration/
"""

RECORDING_S = 1.0
"""The last part of the budget, for the audit log and the ledger; Coupa has had its time."""

MAX_AT_ONCE = 20
"""The most decisions in one request: as many as a list shows, and as five calls a second allow in time."""

logger = logging.getLogger(__name__)


@dataclass
class Decision(RequestCase):
    """A click on its way through Coupa.

    Attributes:
        words: the reason as it was sent.
        is_clean: Coupa's answer was that of a decision that took effect.
        refusal: Coupa's refusal.
        chain: the approval chain as it was read back.
        is_confirmed: Coupa's record says that this click decided.
        waits: the parts of the wait, in seconds by name; empty unless confirmed.
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

        It was pending just before. Where our client's user is unknown, a note with exactly our words proves
        it.
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


class Decide:
    """The use case.

    Args:
        checks: run before a decision is sent.
        coupa: takes the decisions.
        permits: the rate limiter of Coupa.
        ledger: keeps them in rows.
        audit_log: records them.
        clock: the time.
        policy: of the operator.
        workers: how many decisions are sent at the same time; 1 sends them in order, without threads.
    """

    def __init__(
        self,
        *,
        checks: Checks,
        coupa: CoupaDecisions,
        permits: Admission,
        ledger: Ledger,
        audit_log: Recorder,
        clock: Clock,
        policy: DecisionPolicy,
        workers: int,
    ) -> None:
        self._checks = checks
        self._coupa = coupa
        self._permits = permits
        self._ledger = ledger
        self._audit_log = audit_log
        self._clock = clock
        self._policy = policy
        self._workers = workers

    def decide(self, click: Click) -> Answer:
        """Carry out one click.

        Raises:
            CallerError: the token is missing or wrong, the approval does not exist or cannot be held, or the
                action is switched off.
            ServiceError: Coupa or the audit log did not answer, and nothing was decided.
        """
        answers = self.decide_all([click])
        [end] = answers.ends
        if isinstance(end, BridgeError):
            end.language, end.about = answers.style.language, answers.names[0]
            raise end
        return end

    def decide_all(self, clicks: Sequence[Click]) -> SeveralAnswers:
        """Carry out clicks of one person on different approvals, each independently of the others.

        Returns:
            For each click its answer, or the error that `decide` would raise: then it was not decided. All
            are in one language.
        """
        deadline = Deadline(self._clock, BUDGET_S - RECORDING_S)
        rows = RequestRows(self._ledger, deadline)
        style = self._checks.style_for(clicks)
        cases = [Decision(click, style, clicked_at=self._clock.now()) for click in clicks]
        for case in cases:
            self._enter(case, rows)
        entered = waiting(cases)
        if entered:
            self._take_permits(entered, rows, deadline)
        self._audit_log.record([event for case in cases for event in case.events], required=False)
        for case in cases:
            case.log()
            if case.approval is None and isinstance(case.end, BridgeError):
                self._checks.look_up(case, rows)
        return SeveralAnswers(
            ends=[case.result for case in cases],
            names=[case.name for case in cases],
            style=next((each.style for each in entered), style),
        )

    def style_of(self, token: str | None) -> Style:
        """Return the style for a person of whom only a token is known."""
        return self._checks.style_of(token)

    def _take_permits(self, cases: list[Decision], rows: RequestRows, deadline: Deadline) -> None:
        """Check and carry out as many clicks as get permits; the others are answered at once."""
        repeats = [case for case in cases if case.is_repeat]  # these are read back, and never sent again
        fresh = [case for case in cases if not case.is_repeat]
        reads, confirms = reads_of(cases), CONFIRMS if fresh else 0
        least = reads + min(1, len(fresh)) + confirms
        try:
            within_s = last_permit_s(deadline.left_s(), self._permits.call_s, reads=reads)
            permits = self._permits.admit(least, reads + len(fresh) + confirms, within_s=within_s)
        except Busy as busy:
            for case in cases:
                case.end = busy
            return
        number = len(permits) - reads - confirms
        for case in fresh[number:]:
            case.end = Busy("too many decisions in one request for the allowed rate", retry_after_s=1)
        checking, deciding = permits.split(reads)
        entered = repeats + fresh[:number]
        with checking:
            self._checks.refuse(entered, rows, self._before(deadline, calls=2))
        for case in entered:
            case.note_refusal(at=self._clock.now())
        with deciding:
            self._carry_out(waiting(entered), rows, deadline)

    def _before(self, deadline: Deadline, *, calls: int) -> Deadline:
        """Return an earlier deadline, which leaves the time for so many calls after it."""
        return deadline.within(deadline.left_s() - calls * kept_s(self._permits.call_s))

    def _check_time(self, deadline: Deadline) -> None:
        """Begin no decision that could not be read back in time; raises `Unavailable`."""
        if self._before(deadline, calls=2).left_s() <= 0:
            raise Unavailable("decide_late", "no time left to decide; nothing was decided")

    def _enter(self, case: Decision, rows: RequestRows) -> None:
        """Make the checks that need no call to Coupa: the token, the same request before, the reason."""
        click = case.click
        if click.verb not in self._policy.style.actions:
            text = "This cannot be done from chat here; please use Coupa."
            case.end = CallerError("action_off", text, status=403)
        else:
            self._checks.admit(case, rows)
        if case.end is None:
            try:
                case.before = rows.before(click)
            except CallerError as error:
                case.end = error
        is_silent = click.verb is Verb.REJECT and is_blank(click.reason)
        if case.end is None and is_silent and self._policy.reason_required:
            self._checks.look_up(case, rows)
            case.end = case.writer.answer(Outcome.REASON_REQUIRED)
        case.note_refusal(at=self._clock.now())

    def _carry_out(self, cases: list[Decision], rows: RequestRows, deadline: Deadline) -> None:
        """Record the intents, send each decision once, and trust only Coupa's state afterwards."""
        try:
            if cases:
                self._check_time(deadline)
                intents = [case.event(EventKind.INTENT, at=self._clock.now()) for case in cases]
                self._audit_log.record(intents, required=self._policy.audit_required)
        except ServiceError as error:
            for case in cases:
                case.end = error
            return
        map_parallel(lambda case: self._send(case, deadline), cases, workers=self._workers)
        sent = waiting(cases)
        self._read_back(sent, deadline)
        for case in waiting(sent):
            self._settle(case)
        map_parallel(lambda case: self._remember(case, rows), sent, workers=self._workers)

    def _remember(self, case: Decision, rows: RequestRows) -> None:
        if case.is_confirmed:
            rows.remember(case.click, self._clock)
        elif isinstance(case.end, Answer) and case.end.outcome is Outcome.UNCONFIRMED:
            rows.remember_try(case.click)

    def _send(self, case: Decision, deadline: Deadline) -> None:
        """Send one decision; a click whose decision surely was not sent ends here."""
        approval, decider = case.subject
        click = case.click
        try:
            self._check_time(deadline)
            case.words = reason_for(click, decider, asked=approval.asked_name)
            answered = self._coupa.decide(
                click.approval_id,
                click.verb,
                reason=case.words,
                deadline=self._before(deadline, calls=1),
            )
            # A gateway may answer 200 for a decision that Coupa refused.
            case.is_clean = answered in (approval.id, approval.approvable_id)
        except (Refused, Denied) as error:
            # A gateway may have answered so after Coupa took the decision: Coupa's state afterwards counts.
            case.refusal = error
        except Unknown as error:
            logger.warning("decision unknown approval_id=%d code=%s", click.approval_id, error.code)
        except ServiceError as error:
            self._fail(case, error)

    def _read_back(self, cases: list[Decision], deadline: Deadline) -> None:
        """Read the approvals again: with their documents, or alone where those confirm nothing.

        A document shows more in the same call: how far it has come, and who is next.
        """
        chains = self._chains(cases, deadline)
        for case in cases:
            approval, _ = case.subject
            chain = (
                chains.get(approval.approvable_id or 0) if approval.approvable_type == REQUISITION else None
            )
            step = chain.step(approval.id) if chain else None
            if step is not None and case.confirms(step):
                case.after, case.chain = step, chain
        rest = [case for case in cases if case.after is None]
        try:
            found = self._coupa.approvals([case.click.approval_id for case in rest], deadline)
        except ServiceError as error:
            for case in rest:
                self._lose(case, error)
            return
        for case in rest:
            number = case.click.approval_id
            case.after = found.by_id.get(number)
            if number in found.failed:
                self._lose(case, found.failed[number])
            elif case.after is None and found.unreadable:
                self._lose(case, Malformed("coupa_record", "Coupa answered with something else"))

    def _chains(self, cases: list[Decision], deadline: Deadline) -> dict[int, Chain]:
        approvals = [case.subject[0] for case in cases]
        numbers = [each.approvable_id for each in approvals if each.approvable_type == REQUISITION]
        try:
            return self._coupa.chains(
                [number for number in numbers if number is not None],
                deadline.within(deadline.left_s() / 2),
            )
        except ServiceError as error:
            logger.warning("documents not read back code=%s", error.code)
            return {}

    def _settle(self, case: Decision) -> None:
        """Answer a decision that may have taken effect."""
        after = case.after
        if after is None or after.is_pending:
            self._settle_untaken(case)
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

    def _settle_untaken(self, case: Decision) -> None:
        """Answer a decision that Coupa did not take, as far as Coupa says."""
        refusal = case.refusal
        if refusal is None:
            self._end(case, case.writer.answer(Outcome.UNCONFIRMED))
        elif answer := self._checks.refused(case, refusal):
            self._end(case, answer, cause=refusal.code)
        else:
            self._fail(case, refusal)

    def _lose(self, case: Decision, error: ServiceError) -> None:
        logger.warning("decision unconfirmed approval_id=%d code=%s", case.click.approval_id, error.code)
        self._end(case, case.writer.answer(Outcome.UNCONFIRMED), cause=error.code)

    def _fail(self, case: Decision, error: ServiceError) -> None:
        case.end = error
        case.note(EventKind.DECISION, at=self._clock.now(), outcome="failed", cause=error.code)

    def _end(self, case: Decision, answer: Answer, *, cause: str = "") -> None:
        case.end = answer
        case.note(EventKind.DECISION, at=self._clock.now(), outcome=answer.outcome, cause=cause)
