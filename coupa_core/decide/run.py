"""One click: checked, carried out once, read back, and recorded."""

from __future__ import annotations

import logging
from dataclasses import replace

from coupa_core.authority import Decider, TokenKeys, same_address
from coupa_core.clock import Clock, Deadline
from coupa_core.decide.answers import DONE, Answer, Click, Outcome, answer_of
from coupa_core.decide.check import Case, Checks
from coupa_core.decide.ended import ended, is_ours, reason_for
from coupa_core.decide.ports import Deciders, Decisions, Policy, Recorder
from coupa_core.errors import BridgeError, CallerError, Refused, ServiceError, Unavailable, Unknown
from coupa_core.journal import Kind as EventKind
from coupa_core.ledger import Ledger, decided
from coupa_core.model import DONE_STATUS, Approval, Verb, fingerprint

BUDGET_S = 10.0
"""The whole answer comes within this; Moveworks gives up at 16 s.

Source: https://developer.moveworks.com/creator-studio/api-configuration/
"""

READING_S = 6.0
"""Of the budget, for the reads before the decision."""

CONFIRMING_S = 2.0
"""Of the budget, kept for reading back."""

_RECORD_TRIES = 3

logger = logging.getLogger(__name__)


class Decide:
    """The use case.

    Args:
        coupa: where the decision is made.
        directory: who may make it.
        ledger: where it is remembered.
        journal: where it is recorded.
        clock: the time.
        keys: that verify action tokens; None when tokens are off.
        policy: what the operator has settled.
    """

    def __init__(
        self,
        *,
        coupa: Decisions,
        directory: Deciders,
        ledger: Ledger,
        journal: Recorder,
        clock: Clock,
        keys: TokenKeys | None,
        policy: Policy,
    ) -> None:
        self._checks = Checks(
            coupa=coupa, directory=directory, ledger=ledger, clock=clock, keys=keys, policy=policy
        )
        self._coupa = coupa
        self._ledger = ledger
        self._journal = journal
        self._clock = clock
        self._policy = policy

    def decide(self, click: Click) -> Answer:
        """Carry out one click.

        Raises:
            CallerError: the token is missing or wrong, the approval does not exist, or cannot be held.
            ServiceError: Coupa or the audit record could not be asked, and nothing was decided.
        """
        case, deadline = Case(click), Deadline(self._clock, BUDGET_S)
        try:
            answer = self._answer(case, deadline)
        except CallerError as error:
            self._note(case, EventKind.REFUSAL, outcome="refused", cause=error.code)
            raise
        logger.info(
            "decision approval_id=%d verb=%s outcome=%s request_id=%s",
            click.approval_id,
            click.verb,
            answer.outcome,
            click.request_id,
        )
        return answer

    def _answer(self, case: Case, deadline: Deadline) -> Answer:
        click = case.click
        case.offer = self._checks.offer(click)
        if case.offer and case.offer.expires_at <= self._clock.now():
            return self._refusal(case, answer_of(Outcome.EXPIRED))
        stored = self._stored(click)
        if stored is not None:
            return stored
        if click.verb is Verb.REJECT and self._policy.reason_required and not click.reason.strip():
            return self._refusal(case, answer_of(Outcome.REASON_REQUIRED))
        refusal = self._checks.refuse(case, deadline.within(READING_S))
        if refusal is not None:
            return self._refusal(case, refusal)
        assert case.approval is not None  # noqa: S101 - what is not refused has both
        assert case.decider is not None  # noqa: S101
        return self._carry_out(case, case.approval, case.decider, deadline)

    def _refusal(self, case: Case, answer: Answer) -> Answer:
        self._note(case, EventKind.REFUSAL, outcome=answer.outcome)
        return answer

    def _stored(self, click: Click) -> Answer | None:
        """Return the answer to the same request before; without the store every check is made again."""
        if not click.key:
            return None
        try:
            store = self._ledger.store
            row = store.read(click.approval_id) or store.read_closed(click.approval_id)
        except ServiceError as error:
            logger.warning("decision without ledger approval_id=%d code=%s", click.approval_id, error.code)
            return None
        if row is None or not row.decision or row.decision_key != fingerprint(click.key):
            return None
        if row.decision != click.verb or not same_address(row.decided_by, click.actor):
            raise CallerError("key_reused", "This Idempotency-Key was used for another decision.")
        return answer_of(DONE[click.verb])

    def _carry_out(self, case: Case, approval: Approval, decider: Decider, deadline: Deadline) -> Answer:
        """Record the intent, send the decision once, and believe only what Coupa says afterwards."""
        click = case.click
        if deadline.left_s() < 2 * CONFIRMING_S:
            raise Unavailable("decide_late", "no time left to decide; nothing was decided")
        intent = case.event(EventKind.INTENT, at=self._clock.now())
        self._journal.record([intent], required=self._policy.audit_required)
        refusal: Refused | None = None
        is_clean = False
        try:
            answered = self._coupa.decide(
                click.approval_id,
                click.verb,
                reason=reason_for(click, decider, asked=approval.asked_name),
                deadline=deadline.within(deadline.left_s() - CONFIRMING_S),
            )
            # A gateway may answer 200 for a decision that Coupa refused.
            is_clean = answered in (approval.id, approval.approvable_id)
        except Refused as error:
            refusal = error
        except Unknown as error:
            logger.warning("decision unknown approval_id=%d code=%s", click.approval_id, error.code)
        except BridgeError as error:
            self._note(case, EventKind.DECISION, outcome="failed", cause=error.code)
            raise
        after: Approval | None = None
        try:
            after = self._coupa.approval(click.approval_id, deadline)
        except ServiceError as error:
            logger.warning("decision unconfirmed approval_id=%d code=%s", click.approval_id, error.code)
            return self._decision(case, answer_of(Outcome.UNCONFIRMED), cause=error.code)
        if after is None or after.is_pending:
            if refusal is not None:
                self._note(case, EventKind.DECISION, outcome="failed", cause=refusal.code, after=after)
                raise refusal
            return self._decision(case, answer_of(Outcome.UNCONFIRMED), after=after)
        if after.status == DONE_STATUS[click.verb] and (is_clean or is_ours(click, after)):
            self._remember(click)
            return self._decision(case, answer_of(DONE[click.verb]), after=after)
        return self._decision(case, ended(click, after), after=after)

    def _decision(
        self, case: Case, answer: Answer, *, after: Approval | None = None, cause: str = ""
    ) -> Answer:
        self._note(case, EventKind.DECISION, outcome=answer.outcome, cause=cause, after=after)
        return answer

    def _note(
        self,
        case: Case,
        kind: EventKind,
        *,
        outcome: str,
        cause: str = "",
        after: Approval | None = None,
    ) -> None:
        """Record what became of it; what Coupa confirmed is not taken back when that fails."""
        event = case.event(kind, at=self._clock.now(), outcome=outcome, cause=cause)
        state_after = (after.status if after else None) or ""
        self._journal.record([replace(event, state_after=state_after)], required=False)

    def _remember(self, click: Click) -> None:
        """Note the decision in the row, for the sweep and for the same request again."""
        try:
            for _ in range(_RECORD_TRIES):
                row = self._ledger.store.read(click.approval_id) or self._ledger.begin(click.approval_id)
                key = fingerprint(click.key) if click.key else ""
                done = decided(row, decision=click.verb.value, by=click.actor, now=self._clock.now(), key=key)
                if self._ledger.commit(done) is not None:
                    return
        except ServiceError as error:
            logger.error("decision not recorded approval_id=%d code=%s", click.approval_id, error.code)  # noqa: TRY400 - the cause is a code
