"""The entry point of all routes: check the caller, call the handler, translate errors."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from coupa_core.callers import Callers
from coupa_core.clock import Clock, Deadline, until
from coupa_core.correlation import Correlation, correlated
from coupa_core.decide import Ask, Decide
from coupa_core.endpoints.body import json_of
from coupa_core.endpoints.decisions import Decisions
from coupa_core.endpoints.lists import Lists
from coupa_core.endpoints.messages import Messages
from coupa_core.endpoints.operators import Operators
from coupa_core.endpoints.reply import Reply, Routes, refusal
from coupa_core.endpoints.request import Request, request_id
from coupa_core.errors import BridgeError
from coupa_core.history import History
from coupa_core.inbox import Inbox
from coupa_core.notice import Style
from coupa_core.operator_actions import OperatorActions
from coupa_core.pseudonym import Pseudonyms
from coupa_core.relay import Relay
from coupa_core.repeat import Repeats
from coupa_core.report import CycleTimes, StatusReport, Trace
from coupa_core.routes import ROUTES, Caller

BOUNDS_S: Mapping[str, float] = {each.name: each.bound_s for each in ROUTES}
"""The time limit of each route in seconds, however slow a service is."""

_TOKEN_ROUTES = ("approve", "reject", "hold", "decision", "comment")
"""Routes that take the action token of one approval."""

_PERSON_ROUTES = (*_TOKEN_ROUTES, "decide", "list_approvals", "get_approval")
"""Routes whose answers a person reads in chat, errors included."""

logger = logging.getLogger(__name__)


class Endpoints:
    """The HTTP endpoints of the bridge; the arguments are their use cases."""

    def __init__(
        self,
        *,
        decide: Decide,
        ask: Ask,
        inbox: Inbox,
        history: History,
        report: StatusReport,
        trace: Trace,
        cycle_times: CycleTimes,
        operator_actions: OperatorActions,
        repeats: Repeats,
        relay: Relay,
        callers: Callers,
        clock: Clock,
        people: Pseudonyms,
    ) -> None:
        self._callers = callers
        self._clock = clock
        self._people = people
        self._decide = decide
        known_by = callers.known_by
        self._lists = Lists(inbox=inbox, history=history, note=self._note)
        self._decisions = Decisions(decide=decide, ask=ask, known_by=known_by, note=self._note)
        self._messages = Messages(relay=relay, known_by=known_by)
        self._operators = Operators(
            report=report,
            trace=trace,
            cycle_times=cycle_times,
            operator_actions=operator_actions,
            repeats=repeats,
            known_by=known_by,
        )
        self._routes: Routes = {
            **self._lists.routes,
            **self._decisions.routes,
            **self._messages.routes,
            **self._operators.routes,
        }

    def handle(self, name: str, request: Request) -> Reply:
        """Answer one request. Never raises for a caller's mistake or a service's failure."""
        deadline = Deadline(self._clock, BOUNDS_S[name])
        with correlated(Correlation(request_id(request))) as under, until(deadline):
            request = replace(request, id=under.id)
            try:
                if name != "health":
                    self._callers.check(name, request.principal)
                reply = self._routes[name](request)
            except BridgeError as error:
                style = self._style_of(name, request, error) if name in _PERSON_ROUTES else None
                reply = refusal(name, error, request_id=under.id, style=style, about=error.about)
        if counts := under.counts():
            calls = " ".join(f"{each}={number}" for each, number in counts.items())
            logger.info("calls route=%s status=%d request_id=%s %s", name, reply.status, under.id, calls)
        return replace(reply, request_id=under.id)

    def _style_of(self, name: str, request: Request, error: BridgeError) -> Style:
        """Return the style for the person's language, as the error or the action token gives it."""
        style = self._decide.style_of(_unverified_token(request) if name in _TOKEN_ROUTES else None)
        return replace(style, language=error.language or style.language)

    def _note(self, request: Request, actor: str) -> None:
        """Log caller and person, so that operators see a caller that acts for many people."""
        client = self._callers.client(request.principal)
        logger.info(
            "served caller=%s known_by=%s client=%s person=%s request_id=%s",
            *(Caller.DECISIONS, self._callers.known_by, client, self._people.of(actor), request.id),
        )


def _unverified_token(request: Request) -> str | None:
    """Return the request's action token from any place, only to choose the language; it proves nothing."""
    if given := request.header("x-action-token") or request.query.get("action_token"):
        return given
    body = json_of(request.body)
    token = body.get("action_token") if isinstance(body, dict) else None
    return token if isinstance(token, str) else None
