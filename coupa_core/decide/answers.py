"""What a click says, and what the person is told: one sentence for each outcome. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from coupa_core.model import Verb


class Outcome(StrEnum):
    """What became of a click. Each is an answer, not a failure."""

    APPROVED = "approved"
    REJECTED = "rejected"
    HELD = "held"
    ALREADY_DECIDED = "already_decided"
    NOT_YOUR_APPROVAL = "not_your_approval"
    NOT_YOUR_TURN = "not_your_turn"
    CHANGED = "changed"
    EXPIRED = "expired"
    REASON_REQUIRED = "reason_required"
    STEP_UP = "step_up"
    UNCONFIRMED = "unconfirmed"


DONE = {Verb.APPROVE: Outcome.APPROVED, Verb.REJECT: Outcome.REJECTED, Verb.HOLD: Outcome.HELD}

SENTENCES = {
    Outcome.APPROVED: "Done: you approved this request.",
    Outcome.REJECTED: "Done: you rejected this request, and Coupa has your reason.",
    Outcome.HELD: "Done: you put this request on hold.",
    Outcome.NOT_YOUR_APPROVAL: "This request is not waiting for your decision, so nothing was changed.",
    Outcome.NOT_YOUR_TURN: "This request is not waiting for you at the moment, so nothing was changed.",
    Outcome.CHANGED: "This request changed after it was shown to you; please look at it again, then decide.",
    Outcome.EXPIRED: "This button is too old; ask for your open approvals to decide on the current state.",
    Outcome.REASON_REQUIRED: "Please give a reason, so that the requester knows what to mend.",
    Outcome.STEP_UP: "This amount is above what can be approved from chat; please decide in Coupa.",
    Outcome.UNCONFIRMED: "Coupa has not confirmed the decision yet; please check the request in Coupa.",
}
OWN_REQUEST = "You asked for this purchase yourself, so somebody else has to decide on it."


@dataclass(frozen=True)
class Click:
    """One decision as it arrived: who, what, and on which approval.

    Attributes:
        actor: e-mail in the chat.
        token: as in the notice's slot.
        reason: for Coupa's record.
        key: the caller's idempotency key; the same one again gets the stored answer.
        known_by: how the caller is known: `key` or `entra`.
        request_id: by which callers and operators speak of this request.
    """

    approval_id: int
    verb: Verb
    actor: str
    token: str | None = None
    reason: str = ""
    key: str = ""
    known_by: str = "key"
    request_id: str = ""


@dataclass(frozen=True)
class Answer:
    """What the person is told: the outcome, one sentence, and what goes with it."""

    outcome: Outcome
    message: str
    details: dict[str, str] = field(default_factory=dict)


def answer_of(outcome: Outcome, message: str = "", details: dict[str, str] | None = None) -> Answer:
    """Return an answer with the outcome's own sentence, or another."""
    return Answer(outcome, message or SENTENCES[outcome], details or {})


def parse_verb(text: str) -> Verb | None:
    """Return the decision that a text names, or None."""
    return Verb(text) if text in set(Verb) else None
