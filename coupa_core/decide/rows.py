"""The ledger's rows as one request sees them. A ledger that fails once is left alone from then on.

Coupa's own state decides; the rows only add the round, the same request again, and a note for the sweep. A
store that is out of reach must not use up the ten seconds of the answer row by row.
"""

from __future__ import annotations

import logging

from coupa_core.addresses import same_address
from coupa_core.clock import Clock, Deadline
from coupa_core.decide.answers import Click
from coupa_core.errors import CallerError, ServiceError, Unavailable, Unknown
from coupa_core.ledger import Entry, Ledger, decided
from coupa_core.model import fingerprint

_RECORD_TRIES = 3

logger = logging.getLogger(__name__)


class Rows:
    """The rows of the approvals of one request.

    Args:
        ledger: where they are.
        deadline: after it nothing more is asked.
    """

    def __init__(self, ledger: Ledger, deadline: Deadline) -> None:
        self._ledger = ledger
        self._deadline = deadline
        self._failure: ServiceError | None = None

    def round_of(self, approval_id: int) -> Entry | None:
        """Return the row by which an approval is offered now; None without the ledger."""
        try:
            self._check()
            return self._ledger.round_of(approval_id)
        except ServiceError as error:
            self._fail(error, approval_id)
            return None

    def has_decided(self, click: Click) -> bool:
        """Tell whether the same request was carried out before; without the ledger nobody knows.

        Raises:
            CallerError: its key was used for another decision.
        """
        if not click.key:
            return False
        try:
            self._check()
            store = self._ledger.store
            row = store.read(click.approval_id) or store.read_closed(click.approval_id)
        except ServiceError as error:
            self._fail(error, click.approval_id)
            return False
        if row is None or not row.decision or row.decision_key != fingerprint(click.key):
            return False
        if row.decision != click.verb or not same_address(row.decided_by, click.actor):
            raise CallerError("key_reused", "This Idempotency-Key was used for another decision.")
        return True

    def remember(self, click: Click, clock: Clock) -> None:
        """Note the decision in the row, for the sweep and for the same request again."""
        number = click.approval_id
        try:
            for _ in range(_RECORD_TRIES):
                self._check()
                row = self._ledger.store.read(number) or self._ledger.begin(number)
                key = fingerprint(click.key) if click.key else ""
                noted = decided(row, decision=click.verb.value, by=click.actor, now=clock.now(), key=key)
                if self._ledger.commit(noted) is not None:
                    return
        except ServiceError as error:
            self._keep(error)
            logger.error("decision not recorded approval_id=%d code=%s", number, error.code)  # noqa: TRY400 - the cause is a code

    def _check(self) -> None:
        if self._failure:
            raise self._failure
        if self._deadline.left_s() <= 0:
            raise Unavailable("ledger_late", "no time left for the ledger")

    def _fail(self, error: ServiceError, approval_id: int) -> None:
        self._keep(error)
        logger.warning("decision without ledger approval_id=%d code=%s", approval_id, error.code)

    def _keep(self, error: ServiceError) -> None:
        """Leave the ledger alone from now on, unless it was only this row that could not be read."""
        if isinstance(error, Unavailable | Unknown):
            self._failure = error
