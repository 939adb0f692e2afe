"""The routes by which a person sees what waits for them, and what they decided."""

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
        inbox: what waits.
        history: what was decided.
        note: leaves one line of who was served by whom.
    """

    def __init__(self, *, inbox: Inbox, history: History, note: Callable[[Request, str], None]) -> None:
        self._inbox = inbox
        self._history = history
        self._note = note

    @property
    def routes(self) -> Routes:
        """Return the handlers by the names of their routes."""
        return {
            "list_approvals": self.waiting,
            "get_approval": self.one,
            "list_decisions": self.decided,
        }

    def waiting(self, request: Request) -> Reply:
        """List what waits."""
        actor = actor_of(request)
        found = self._inbox.waiting_for(actor)
        self._note(request, actor)
        cards = [_written(card) for card in found.cards]
        answer = {"count": found.total, "is_complete": found.is_complete, "unreadable": found.unreadable}
        return Reply(200, answer | {"message": found.message, "approvals": cards})

    def one(self, request: Request) -> Reply:
        """Show one approval."""
        approval_id = approval_id_of(request)
        actor = actor_of(request)
        card = self._inbox.show(actor, approval_id)
        if card is None:
            raise CallerError("not_found", "No such approval waits for this person.", status=404)
        self._note(request, actor)
        return Reply(200, _written(card))

    def decided(self, request: Request) -> Reply:
        """List what was decided."""
        actor = actor_of(request)
        found = self._history.decided_by(actor)
        self._note(request, actor)
        answer = {"count": found.count, "is_complete": found.is_complete, "message": found.message}
        return Reply(200, answer | {"decisions": [_written(each) for each in found.decisions]})


def _written(card: InboxItem | PastDecision) -> dict[str, Any]:
    """Write a card, or a decision; ids are texts, as in slots, and what is not known is left out."""
    answer = {name: value for name, value in asdict(card).items() if value is not None}
    return answer | {name: str(answer[name]) for name in ("approval_id", "document_id") if name in answer}
