"""The routes for decisions, and for questions before a decision."""

from __future__ import annotations

from collections.abc import Callable

from coupa_core.decide import Answer, Ask, Click, Decide, Question, summary
from coupa_core.endpoints.bodies import ClickBody, CommentBody, DecisionBody, SeveralBody
from coupa_core.endpoints.body import read, read_with_actor
from coupa_core.endpoints.reply import Reply, Routes, refusal
from coupa_core.endpoints.request import Request, actor_of, approval_id_of, idempotency_key, single, token_of
from coupa_core.errors import CallerError
from coupa_core.model import Verb
from coupa_core.notice import is_blank


class Decisions:
    """The handlers.

    Args:
        decide: the use case of a click.
        ask: the use case of a question.
        known_by: how callers are authenticated, for the audit log.
        note: logs the caller and the person of a request.
    """

    def __init__(
        self, *, decide: Decide, ask: Ask, known_by: str, note: Callable[[Request, str], None]
    ) -> None:
        self._decide = decide
        self._ask = ask
        self._known_by = known_by
        self._note = note

    @property
    def routes(self) -> Routes:
        """Return the handlers by route name."""
        return {
            "approve": self.approve,
            "reject": self.reject,
            "hold": self.hold,
            "decision": self.decision,
            "decide": self.decide,
            "comment": self.comment,
        }

    def approve(self, request: Request) -> Reply:
        """Approve one approval."""
        return self._by_route(request, Verb.APPROVE)

    def reject(self, request: Request) -> Reply:
        """Reject one approval."""
        return self._by_route(request, Verb.REJECT)

    def hold(self, request: Request) -> Reply:
        """Put one approval on hold."""
        return self._by_route(request, Verb.HOLD)

    def _by_route(self, request: Request, verb: Verb) -> Reply:
        approval_id = approval_id_of(request)
        actor, body = read_with_actor(request, ClickBody)
        return self._click(request, approval_id, verb, actor, body)

    def decision(self, request: Request) -> Reply:
        """Make the decision that the body names, on one approval."""
        approval_id = approval_id_of(request)
        actor, body = read_with_actor(request, DecisionBody)
        return self._click(request, approval_id, body.verb, actor, body)

    def _click(self, request: Request, approval_id: int, verb: Verb, actor: str, body: ClickBody) -> Reply:
        answer = self._decide.decide(
            Click(
                approval_id=approval_id,
                verb=verb,
                actor=actor,
                token=token_of(request, body.action_token),
                reason=single("reason", body.reason, request.query.get("reason")) or "",
                key=idempotency_key(request),
                known_by=self._known_by,
                request_id=request.id,
            )
        )
        self._note(request, actor)
        return Reply(200, _json(approval_id, answer))

    def decide(self, request: Request) -> Reply:
        """Make the same decision on several approvals, with one answer for each."""
        actor, body = read_with_actor(request, SeveralBody)
        key = idempotency_key(request)
        clicks = [
            Click(
                approval_id=int(each.id),
                verb=body.verb,
                actor=actor,
                token=single("token", each.token),
                reason=body.reason or "",
                key=key,
                known_by=self._known_by,
                request_id=request.id,
            )
            for each in body.items
        ]
        answers = self._decide.decide_all(clicks)
        if any(isinstance(end, Answer) for end in answers.ends):
            self._note(request, actor)
        items = []
        for click, end, about in zip(clicks, answers.ends, answers.names, strict=True):
            if isinstance(end, Answer):
                items.append(_json(click.approval_id, end))
            else:
                fault = refusal("decide", end, request_id=request.id, style=answers.style, about=about).body
                error = {name: fault[name] for name in ("error", "message")}
                items.append({"approval_id": str(click.approval_id)} | error)
        return Reply(200, {"message": summary(body.verb, answers.ends, answers.style), "items": items})

    def comment(self, request: Request) -> Reply:
        """Ask the requester a question."""
        approval_id = approval_id_of(request)
        body = read(request, CommentBody)
        comment = single("comment", body.comment, request.query.get("comment")) or ""
        if is_blank(comment):
            raise CallerError("no_comment", "comment must say what you would like to know.")
        actor = actor_of(request, body.actor_email)
        answer = self._ask.ask(
            Question(
                approval_id=approval_id,
                actor=actor,
                comment=comment,
                token=token_of(request, body.action_token),
                key=idempotency_key(request),
                known_by=self._known_by,
                request_id=request.id,
            )
        )
        self._note(request, actor)
        return Reply(200, _json(approval_id, answer))


def _json(approval_id: int, answer: Answer) -> dict[str, str]:
    body = {"outcome": answer.outcome.value, "message": answer.message, "approval_id": str(approval_id)}
    return body | answer.details
