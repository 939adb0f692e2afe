"""An operator's actions on one approval's row: send again, un-park, mute; recorded, and safe from races.

It sends nothing and asks Coupa nothing: the next sweep acts by the row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from coupa_core.audit_log import AuditLog, Event, EventKind
from coupa_core.clock import Clock
from coupa_core.errors import CallerError, ServiceError
from coupa_core.ledger import Entry, Ledger, State, muted, resent, unparked

MAX_HOURS = 720.0
"""The longest time of `mute`, in hours: 30 days."""

_TRIES = 3

logger = logging.getLogger(__name__)


class OperatorAction(StrEnum):
    """The actions of an operator."""

    RESEND = "resend"
    UNPARK = "unpark"
    MUTE = "mute"


@dataclass(frozen=True)
class ActionRequest:
    """A request of an operator.

    Attributes:
        approval_id: of Coupa.
        act: the action.
        actor: e-mail of the operator.
        hours: with `mute`, how long, 0 to 720, which `endpoints` checks; 0 ends it.
        known_by: how the caller was authenticated: `key` or `key+entra`.
        request_id: identifies the request for callers and operators.
    """

    approval_id: int
    act: OperatorAction
    actor: str
    hours: float = 0.0
    known_by: str = "key"
    request_id: str = ""


class OperatorActions:
    """The use case.

    Args:
        ledger: the ledger.
        audit_log: the audit log.
        clock: the time.
        audit_required: an action must be in the audit log before it is carried out.
    """

    def __init__(self, *, ledger: Ledger, audit_log: AuditLog, clock: Clock, audit_required: bool) -> None:
        self._ledger = ledger
        self._audit_log = audit_log
        self._clock = clock
        self._audit_required = audit_required

    def carry_out(self, request: ActionRequest) -> Entry:
        """Change the row as asked.

        Returns:
            The row as it is now.

        Raises:
            CallerError: there is no open row, or it is in no state for this; nothing was changed.
            ServiceError: the ledger or the audit log does not answer.
        """
        row = self._row(request)
        event = self._event(request, row)
        self._audit_log.record([event], required=self._audit_required)
        try:
            changed = self._change(request, row)
        except (CallerError, ServiceError) as error:
            failed = replace(event, outcome="failed", cause=error.code)
            self._audit_log.record([failed], required=False)
            raise
        logger.info("operator act=%s approval_id=%d", request.act, request.approval_id)
        return changed

    def _change(self, request: ActionRequest, row: Entry) -> Entry:
        for _ in range(_TRIES):
            stored = self._ledger.commit(self._rule(request)(row))
            if stored is not None:
                return stored
            row = self._row(request)
        raise CallerError(
            "row_changed",
            "Somebody else changed this approval at the same time; please try again.",
            status=409,
        )

    def _row(self, request: ActionRequest) -> Entry:
        """Return the row, if it allows this action."""
        row = self._ledger.store.read(request.approval_id)
        if row is None:
            raise CallerError("not_found", "The bridge has no open row of this approval.", status=404)
        if row.state is State.CLAIMED:
            text = "A sweep is at work on this approval; please try again in a few minutes."
            raise CallerError("row_claimed", text, status=409)
        if row.state is State.DECIDED:
            raise CallerError("row_decided", "This approval was decided through the bridge.", status=409)
        if request.act is OperatorAction.UNPARK and row.state is not State.PARKED:
            raise CallerError("row_not_parked", "This approval is not parked.", status=409)
        return row

    def _rule(self, request: ActionRequest) -> Callable[[Entry], Entry]:
        now: datetime = self._clock.now()
        match request.act:
            case OperatorAction.RESEND:
                return lambda row: resent(row, now=now)
            case OperatorAction.UNPARK:
                return lambda row: unparked(row, now=now)
        return lambda row: muted(row, until=now + timedelta(hours=request.hours))

    def _event(self, request: ActionRequest, row: Entry) -> Event:
        return Event(
            kind=EventKind.OPERATOR,
            at=self._clock.now(),
            approval_id=row.approval_id,
            document_type=row.document_type,
            document_id=row.document_id,
            generation=row.generation,
            actor=request.actor,
            known_by=request.known_by,
            verb=request.act,
            outcome="asked",
            cause=f"{request.hours:g} hours" if request.act is OperatorAction.MUTE else "",
            request_id=request.request_id,
        )
