"""The ledger's rows during one request. After one failure the request does not call the ledger again.

Coupa's own state decides; the rows only add the generation, the same request again, and a note for the sweep.
A store that is out of reach must not use up the ten seconds of the answer row by row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto

from coupa_core.addresses import same_address
from coupa_core.clock import Clock, Deadline
from coupa_core.decide.answers import Click
from coupa_core.errors import CallerError, Conflict, ServiceError, Unavailable, Unknown
from coupa_core.ledger import Entry, Ledger, OpenQuestion, State, asked, decided, tried
from coupa_core.model import Approval, fingerprint

ASKED = "asked"
"""The name of the note that keeps the comments that were just sent, and the keys of their requests."""

_RECORD_TRIES = 3
_AGAIN_S = 0.25

logger = logging.getLogger(__name__)


class Before(Enum):
    """The effect of the same request before, as far as the ledger knows."""

    NOTHING = auto()
    TRIED = auto()
    """It sent a decision with an unknown outcome."""
    DECIDED = auto()


class RequestRows:
    """The rows of the approvals of one request.

    Args:
        ledger: the ledger.
        deadline: the deadline for calls to the ledger.
    """

    def __init__(self, ledger: Ledger, deadline: Deadline) -> None:
        self._ledger = ledger
        self._deadline = deadline
        self._failure: ServiceError | None = None
        self._current_rows: dict[int, Entry | None] = {}

    def current_row(self, approval_id: int) -> Entry | None:
        """Return the row of the present generation, read once; None without the ledger."""
        if approval_id not in self._current_rows:
            self._current_rows[approval_id] = self._read_current_row(approval_id)
        return self._current_rows[approval_id]

    def _read_current_row(self, approval_id: int) -> Entry | None:
        try:
            self._check_ledger()
            return self._ledger.current_row(approval_id)
        except ServiceError as error:
            self._log_failure(error, approval_id)
            return None

    def before(self, click: Click) -> Before:
        """Return the effect of the same request before; without the ledger it is unknown.

        Raises:
            CallerError: its key was used for another decision.
        """
        row = self._stored(click.approval_id) if click.key else None
        if row is None or row.decision_key != fingerprint(click.key):
            return Before.NOTHING
        if not row.decision:
            return Before.TRIED
        if not _is_decision_of(click, row):
            raise CallerError("key_reused", "This Idempotency-Key was used for another decision.")
        return Before.DECIDED

    def has_decided(self, click: Click) -> bool:
        """Tell whether this person decided so before, by any request; False without the ledger."""
        row = self._stored(click.approval_id)
        return row is not None and _is_decision_of(click, row)

    def _stored(self, approval_id: int) -> Entry | None:
        """Return the row of an approval as it is, open or closed; None without the ledger."""
        try:
            self._check_ledger()
            store = self._ledger.store
            return store.read(approval_id) or store.read_closed(approval_id)
        except ServiceError as error:
            self._log_failure(error, approval_id)
            return None

    def remember(self, click: Click, clock: Clock) -> None:
        """Record the decision in the row, for the sweep and for the same request again."""
        key, now = fingerprint(click.key) if click.key else "", clock.now()
        self._change_row(
            click.approval_id,
            lambda row: decided(row, decision=click.verb.value, by=click.actor, now=now, key=key),
        )

    def remember_try(self, click: Click) -> None:
        """Record that the request sent a decision that was not confirmed, for the same request again."""
        if click.key:
            key = fingerprint(click.key)
            # A sweep that has the claim would tell people twice if the row changed under it.
            self._change_row(
                click.approval_id, lambda row: None if row.state is State.CLAIMED else tried(row, key=key)
            )

    def may_send(self, words: Mapping[str, datetime], clock: Clock) -> bool:
        """Tell whether no other request has sent the same comment; True without the ledger."""
        return self._ask_about_words(lambda: self._ledger.take_words(ASKED, words, now=clock.now()))

    def was_not_sent(self, words: Collection[str]) -> None:
        """Allow another request to send the same comment."""
        self._ask_about_words(lambda: self._ledger.give_back(ASKED, words))

    def _ask_about_words(self, ask: Callable[[], bool | None]) -> bool:
        while True:
            try:
                self._check_ledger()
                return ask() is not False
            except Conflict:
                continue  # others were quicker, and are done now
            except ServiceError as error:
                self._remember_failure(error)
                logger.warning("question without ledger code=%s", error.code)
                return True

    def remember_question(
        self, approval: Approval, number: int, question: OpenQuestion, clock: Clock
    ) -> bool:
        """Record an open question for the sweep; False after a failure.

        While a sweep has the claim this waits: a change of the row would make it repeat its messages.

        Args:
            approval: the subject of the question.
            number: the id of our comment in Coupa.
            question: the question.
            clock: the time.
        """
        kind, document = approval.document_key

        def change(row: Entry) -> Entry | None:
            if row.state is State.CLAIMED:
                return None
            row = asked(row, number, question, now=clock.now())
            return row if row.document_id else replace(row, document_type=kind, document_id=document)

        while not self._change_row(approval.id, change, what="question"):
            clock.sleep(_AGAIN_S)
        return self._failure is None

    def _change_row(
        self, number: int, change: Callable[[Entry], Entry | None], *, what: str = "decision"
    ) -> bool:
        """Change a row; False if the change leaves it as it is."""
        try:
            for _ in range(_RECORD_TRIES):
                self._check_ledger()
                row = change(self._ledger.store.read(number) or self._ledger.begin(number))
                if row is None:
                    return False
                if self._ledger.commit(row) is not None:
                    break
        except ServiceError as error:
            self._remember_failure(error)
            logger.error("%s not recorded approval_id=%d code=%s", what, number, error.code)  # noqa: TRY400 - the cause is a code
        return True

    def _check_ledger(self) -> None:
        if self._failure:
            raise self._failure
        if self._deadline.left_s() <= 0:
            raise Unavailable("ledger_late", "no time left for the ledger")

    def _log_failure(self, error: ServiceError, approval_id: int) -> None:
        self._remember_failure(error)
        logger.warning("decision without ledger approval_id=%d code=%s", approval_id, error.code)

    def _remember_failure(self, error: ServiceError) -> None:
        """Stop all calls to the ledger, unless only this row could not be read."""
        if isinstance(error, Unavailable | Unknown):
            self._failure = error


def _is_decision_of(click: Click, row: Entry) -> bool:
    """Tell whether a row has this decision by this person."""
    return row.decision == click.verb and same_address(row.decided_by, click.actor)
