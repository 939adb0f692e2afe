"""The routes that list a person's pending approvals and past decisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from coupa_core.endpoints.reply import Reply, Routes
from coupa_core.endpoints.request import Request, actor_of, approval_id_of
from coupa_core.errors import CallerError
from coupa_core.history import History, PastDecision
from coupa_core.inbox import Inbox, InboxItem


class Lists:
    """The handlers.

    Args:
        inbox: the use case of pending approvals.
        history: the use case of past decisions.
        note: logs the caller and the person of a request.
    """

    def __init__(self, *, inbox: Inbox, history: History, note: Callable[[Request, str], None]) -> None:
        self._inbox = inbox
        self._history = history
        self._note = note

    @property
    def routes(self) -> Routes:
        """Return the handlers by route name."""
        return {
            "list_approvals": self.list_approvals,
            "get_approval": self.get_approval,
            "list_decisions": self.list_decisions,
        }

    def list_approvals(self, request: Request) -> Reply:
        """List the pending approvals of the actor."""
        actor = actor_of(request)
        found = self._inbox.waiting_for(actor)
        self._note(request, actor)
        cards = [_json(card) for card in found.cards]
        answer = {"count": found.total, "is_complete": found.is_complete, "unreadable": found.unreadable}
        return Reply(200, answer | {"message": found.message, "approvals": cards})

    def get_approval(self, request: Request) -> Reply:
        """Show one pending approval of the actor."""
        approval_id = approval_id_of(request)
        actor = actor_of(request)
        card = self._inbox.show(actor, approval_id)
        if card is None:
            raise CallerError("not_found", "No such approval waits for this person.", status=404)
        self._note(request, actor)
        return Reply(200, _json(card))

    def list_decisions(self, request: Request) -> Reply:
        """List the past decisions of the actor."""
        actor = actor_of(request)
        found = self._history.decided_by(actor)
        self._note(request, actor)
        answer = {"count": found.count, "is_complete": found.is_complete, "message": found.message}
        return Reply(200, answer | {"decisions": [_json(each) for each in found.decisions]})


def _json(card: InboxItem | PastDecision) -> dict[str, Any]:
    """Return a card or a decision as JSON: ids are texts, as in slots, and unknown values are left out."""
    answer = {name: value for name, value in asdict(card).items() if value is not None}
    return answer | {name: str(answer[name]) for name in ("approval_id", "document_id") if name in answer}
