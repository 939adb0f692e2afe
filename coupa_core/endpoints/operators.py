"""The routes for operators: reports, and actions on approvals."""

from __future__ import annotations

import re

from coupa_core.endpoints.bodies import MuteBody, OperatorActionBody, RepeatBody
from coupa_core.endpoints.body import read_with_actor
from coupa_core.endpoints.reply import Reply, Routes
from coupa_core.endpoints.request import Request, approval_id_of, day, idempotency_key, switch
from coupa_core.errors import CallerError
from coupa_core.model import stamp
from coupa_core.operator_actions import ActionRequest, OperatorAction, OperatorActions
from coupa_core.repeat import RepeatRequest, Repeats
from coupa_core.report import Cause, CycleTimes, StatusReport, Trace, as_csv

_NO_KEY = (
    "Idempotency-Key is missing: send a name of your choice for this repeat, such as launch-2026-12-01. "
    "The same one again tells nobody twice."
)


class Operators:
    """The handlers.

    Args:
        report: health, and the status of everything that is pending.
        trace: the history of one approval.
        cycle_times: how long approvals waited.
        operator_actions: the use case of an action on one approval.
        repeats: the use case of sending earlier notices once more.
        known_by: how callers are authenticated, for the audit log.
    """

    def __init__(
        self,
        *,
        report: StatusReport,
        trace: Trace,
        cycle_times: CycleTimes,
        operator_actions: OperatorActions,
        repeats: Repeats,
        known_by: str,
    ) -> None:
        self._report = report
        self._trace = trace
        self._cycle_times = cycle_times
        self._operator_actions = operator_actions
        self._repeats = repeats
        self._known_by = known_by

    @property
    def routes(self) -> Routes:
        """Return the handlers by route name."""
        return {
            "health": self.health,
            "status": self.status,
            "trace": self.trace,
            "cycle_times": self.cycle_times,
            "resend": self.resend,
            "resend_all": self.resend_all,
            "unpark": self.unpark,
            "mute": self.mute,
        }

    def health(self, request: Request) -> Reply:
        """Report whether the bridge works; a public route."""
        since = request.query.get("since")
        time = stamp(since)
        cause = self._report.complaint(version=request.query.get("version", ""), since=time)
        if since and time is None:
            cause = Cause.BAD_SINCE  # an unreadable condition counts as not met
        return Reply(503, {"status": "failing", "cause": cause}) if cause else Reply(200, {"status": "ok"})

    def status(self, request: Request) -> Reply:
        """Report on everything that is pending."""
        after = request.query.get("after") or "0"
        if not re.fullmatch(r"[0-9]{1,19}", after):
            raise CallerError("bad_after", "after must be an approval id.")
        return Reply(200, self._report.status(full=switch(request, "full"), after=int(after)))

    def trace(self, request: Request) -> Reply:
        """Return the history of one approval."""
        story = self._trace.trace(approval_id_of(request), live=switch(request, "live"))
        if story is None:
            raise CallerError("not_found", "The bridge has never seen this approval.", status=404)
        return Reply(200, story)

    def cycle_times(self, request: Request) -> Reply:
        """Report how long approvals waited."""
        since, until = day(request, "from"), day(request, "to")
        form = request.query.get("format") or "json"
        if form not in ("json", "csv"):
            raise CallerError("bad_format", "format must be json or csv.")
        table = self._cycle_times.table(since, until)
        return Reply(200, table, csv=as_csv(table) if form == "csv" else "")

    def resend(self, request: Request) -> Reply:
        """Have the next sweep send the notices of one approval again."""
        return self._act(request, OperatorAction.RESEND)

    def unpark(self, request: Request) -> Reply:
        """Have the next sweep try a parked approval again."""
        return self._act(request, OperatorAction.UNPARK)

    def mute(self, request: Request) -> Reply:
        """Send nothing about an approval for some hours."""
        return self._act(request, OperatorAction.MUTE)

    def _act(self, request: Request, action: OperatorAction) -> Reply:
        approval_id = approval_id_of(request)
        model = MuteBody if action is OperatorAction.MUTE else OperatorActionBody
        actor, body = read_with_actor(request, model)
        row = self._operator_actions.carry_out(
            ActionRequest(
                approval_id,
                action,
                actor,
                body.hours if isinstance(body, MuteBody) else 0.0,
                known_by=self._known_by,
                request_id=request.id,
            )
        )
        answer = {"approval_id": str(approval_id), "state": row.state.value, "cause": row.cause}
        return Reply(200, answer | {"next_at": row.next_at.isoformat() if row.next_at else None})

    def resend_all(self, request: Request) -> Reply:
        """Have the next sweeps send earlier notices once more."""
        actor, body = read_with_actor(request, RepeatBody)
        name = idempotency_key(request)
        if not name:
            raise CallerError("no_key", _NO_KEY)
        repeat, is_new = self._repeats.ask(
            RepeatRequest(
                name=name,
                actor=actor,
                people=body.audience,
                since=body.since,
                known_by=self._known_by,
                request_id=request.id,
            )
        )
        answer = {
            "nothing_for": list(repeat.nothing_for),
            "asked_at": repeat.at.isoformat(),
            "is_new": is_new,
        }
        counts = {"approvals": repeat.approvals, "waiting_for_pilot": repeat.waiting_for_pilot}
        return Reply(200, counts | answer)
