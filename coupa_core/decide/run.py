"""Carry out the clicks of one person, one or several: check them, send each once, read back, and record.

A single click is a list of one. The reads, the audit log and the read-back are for all clicks at once.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from coupa_core.audit_log import AuditLog, EventKind
from coupa_core.clock import Clock, Deadline
from coupa_core.coupa import Coupa
from coupa_core.decide.answers import Answer, Click, Outcome, SeveralAnswers
from coupa_core.decide.calls import CONFIRMS, kept_s, last_permit_s, reads_of
from coupa_core.decide.cases import waiting
from coupa_core.decide.check import Checks
from coupa_core.decide.confirm import Confirm, DecisionCase
from coupa_core.decide.ended import reason_for
from coupa_core.decide.policy import DecisionPolicy
from coupa_core.decide.rows import RequestRows
from coupa_core.errors import (
    BridgeError,
    Busy,
    CallerError,
    Denied,
    Refused,
    ServiceError,
    Unavailable,
    Unknown,
)
from coupa_core.ledger import Ledger
from coupa_core.model import Verb
from coupa_core.notice import Style, is_blank
from coupa_core.parallel import map_parallel
from coupa_core.rate_limiter import RateLimiter
from coupa_core.routes import CLICK_S

RECORDING_S = 1.0
"""The last part of the time limit, in seconds: it is for the audit log and the ledger, without Coupa."""

MAX_AT_ONCE = 20
"""The most decisions in one request: as many as a list shows, and as five calls a second allow in time."""

logger = logging.getLogger(__name__)


class Decide:
    """The use case.

    Args:
        checks: run before a decision is sent.
        coupa: takes the decisions.
        permits: the rate limiter of Coupa.
        ledger: keeps them in rows.
        audit_log: records them.
        clock: the time.
        policy: the operator's policy.
        workers: how many decisions are sent at the same time; 1 sends them in order, without threads.
    """

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
        workers: int,
    ) -> None:
        self._checks = checks
        self._confirm = Confirm(checks, coupa, clock)
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
        deadline = Deadline(self._clock, CLICK_S - RECORDING_S)
        rows = RequestRows(self._ledger, deadline)
        style = self._checks.style_for(clicks)
        cases = [DecisionCase(click, style, clicked_at=self._clock.now()) for click in clicks]
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
        """Return the style for the person whom a token names."""
        return self._checks.style_of(token)

    def _take_permits(self, cases: list[DecisionCase], rows: RequestRows, deadline: Deadline) -> None:
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
            self._checks.compare_all(entered, rows, self._earlier(deadline, calls=2))
        for case in entered:
            case.note_refusal(at=self._clock.now())
        with deciding:
            self._carry_out(waiting(entered), rows, deadline)

    def _earlier(self, deadline: Deadline, *, calls: int) -> Deadline:
        """Return an earlier deadline that leaves the time for this many calls."""
        return deadline.within(deadline.left_s() - calls * kept_s(self._permits.call_s))

    def _check_time(self, deadline: Deadline) -> None:
        """Raise `Unavailable` if a decision could not be read back in time."""
        if self._earlier(deadline, calls=2).left_s() <= 0:
            raise Unavailable("decide_late", "no time left to decide; nothing was decided")

    def _enter(self, case: DecisionCase, rows: RequestRows) -> None:
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

    def _carry_out(self, cases: list[DecisionCase], rows: RequestRows, deadline: Deadline) -> None:
        """Record the intents, send each decision once, and read Coupa's state afterwards."""
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
        self._confirm.read(sent, deadline)
        for case in waiting(sent):
            self._confirm.settle(case)
        map_parallel(lambda case: self._remember(case, rows), sent, workers=self._workers)

    def _remember(self, case: DecisionCase, rows: RequestRows) -> None:
        if case.is_confirmed:
            rows.remember(case.click, self._clock)
        elif isinstance(case.end, Answer) and case.end.outcome is Outcome.UNCONFIRMED:
            rows.remember_try(case.click)

    def _send(self, case: DecisionCase, deadline: Deadline) -> None:
        """Send one decision; a click whose decision certainly was not sent ends here."""
        approval, decider = case.subject
        click = case.click
        try:
            self._check_time(deadline)
            case.words = reason_for(click, decider, asked=approval.asked_name)
            answered = self._coupa.decide(
                click.approval_id,
                click.verb,
                reason=case.words,
                deadline=self._earlier(deadline, calls=1),
            )
            # A gateway may answer 200 for a decision that Coupa refused.
            case.is_clean = answered in (approval.id, approval.approvable_id)
        except (Refused, Denied) as error:
            # A gateway may have answered so after Coupa took the decision: Coupa's state afterwards counts.
            case.refusal = error
        except Unknown as error:
            logger.warning("decision unknown approval_id=%d code=%s", click.approval_id, error.code)
        except ServiceError as error:
            self._confirm.fail(case, error)
