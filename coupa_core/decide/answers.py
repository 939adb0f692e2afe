"""What a click says, and what the person is told: one sentence for each outcome. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from coupa_core import notice
from coupa_core.endings import End, Ending
from coupa_core.errors import BridgeError
from coupa_core.model import Bar, Verb


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
    REASON_TOO_LONG = "reason_too_long"
    STEP_UP = "step_up"
    REFUSED_BY_COUPA = "refused_by_coupa"
    UNCONFIRMED = "unconfirmed"
    COMMENTED = "commented"


DONE = {Verb.APPROVE: Outcome.APPROVED, Verb.REJECT: Outcome.REJECTED, Verb.HOLD: Outcome.HELD}

SENTENCES = {
    Outcome.APPROVED: "Done: you approved this request.",
    Outcome.REJECTED: "Done: you rejected this request, and Coupa has your reason.",
    Outcome.HELD: "Done: you put this request on hold.",
    Outcome.NOT_YOUR_APPROVAL: "This request is not waiting for your decision, so nothing was changed.",
    Outcome.NOT_YOUR_TURN: "This request is not waiting for you at the moment, so nothing was changed.",
    Outcome.CHANGED: "This request changed after it was shown to you; please look at it again, then decide.",
    Outcome.EXPIRED: "This button is too old; please ask for your open approvals, or decide in Coupa.",
    Outcome.REASON_REQUIRED: "Please give a reason, so that the requester knows what to mend.",
    Outcome.REASON_TOO_LONG: "Coupa keeps less than you wrote, so nothing was sent; please shorten it.",
    Outcome.REFUSED_BY_COUPA: "Coupa does not accept this; please look at the request there.",
    Outcome.STEP_UP: "This amount is above what can be approved from chat; please decide in Coupa.",
    Outcome.UNCONFIRMED: "Coupa has not confirmed the decision yet; please check the request in Coupa.",
    Outcome.COMMENTED: "Done: your comment is on the request in Coupa, and it mentions the requester.",
}
OWN_REQUEST = "You asked for this purchase yourself, so please decide in Coupa."
BARRED = {
    Bar.OWN: (Outcome.NOT_YOUR_APPROVAL, OWN_REQUEST),
    Bar.UNNAMED: (
        Outcome.STEP_UP,
        "Coupa does not say who asked for this, so please decide in Coupa.",
    ),
    Bar.TOO_GREAT: (Outcome.STEP_UP, SENTENCES[Outcome.STEP_UP]),
    Bar.UNSTATED: (
        Outcome.STEP_UP,
        "An amount of this is missing, or has no limit for chat; please decide in Coupa.",
    ),
}
"""How a click is answered that cannot be carried out in chat; the notice says the same from the start."""
OWN_QUESTION = "You asked for this purchase yourself, so there is nobody else to ask."
EARLIER_RELEASE = (
    "This button is of an earlier version of this service; please look at the request again, then decide."
)
WAITS_AGAIN = "This request had stopped and waits again; please look at it again, then decide."
REOPENED = "This request was opened again after you decided; please look at it again, then decide."
REPLACED = "This request has been replaced by a new one; your list has the current one."
GONE = {
    Ending.APPROVED: "This request is no longer waiting: it was approved{by}.",
    Ending.REJECTED: "This request is no longer waiting: it was rejected{by}.",
    Ending.ON_HOLD: "This request is no longer waiting: it was put on hold.",
    Ending.WITHDRAWN: "This request is no longer waiting: it was withdrawn.",
    Ending.DISPUTED: "This request is no longer waiting: it was disputed.",
    Ending.VOIDED: "This request is no longer waiting: it was voided.",
    Ending.ELSEWHERE: "This request now waits for somebody else.",
    Ending.ENDED: "This request is no longer waiting for you; please look in Coupa.",
}
"""How an approval ended that Coupa does not have any more, or whose document does not wait."""
COMMENT_LOST = "Coupa has not confirmed your comment yet; please look there before you ask again."

_DID = {Verb.APPROVE: "approved {}", Verb.REJECT: "rejected {}", Verb.HOLD: "put {} on hold"}


@dataclass(frozen=True)
class Click:
    """One decision as it arrived: who, what, and on which approval.

    Attributes:
        actor: e-mail in the chat.
        token: as in the notice's slot.
        reason: for Coupa's record.
        key: the caller's idempotency key; the same one again gets the stored answer.
        known_by: how the caller is known: `key` or `key+entra`.
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
class Question:
    """What an approver wants to know of the requester before deciding; otherwise as a click.

    Attributes:
        comment: the person's own words.
    """

    approval_id: int
    actor: str
    comment: str
    token: str | None = None
    known_by: str = "key"
    request_id: str = ""
    verb: ClassVar[str] = "comment"


@dataclass(frozen=True)
class Answer:
    """What the person is told: the outcome, one sentence, and what goes with it."""

    outcome: Outcome
    message: str
    details: dict[str, str] = field(default_factory=dict)


def answer_of(outcome: Outcome, message: str = "", details: dict[str, str] | None = None) -> Answer:
    """Return an answer with the outcome's own sentence, or another."""
    return Answer(outcome, message or SENTENCES[outcome], details or {})


def gone(end: End) -> Answer:
    """Return what is said of an approval that ended without a decision of its own."""
    by = notice.clean(end.by, notice.SHORT)
    text = GONE[end.ending].format(by=f" by {by}" if by else "")
    return answer_of(Outcome.ALREADY_DECIDED, text, {"decided_by": by} if by else {})


def too_long(room: int, length: int) -> Answer:
    """Return what is said to somebody of whose words not all would arrive."""
    text = f"This is {length} characters long, and {room} fit; nothing was sent. Please shorten it."
    return answer_of(Outcome.REASON_TOO_LONG, text)


def refused_by_coupa(said: str, link: str) -> Answer:
    """Return what is said of a decision or comment that Coupa's own rules refuse, with Coupa's words."""
    words = notice.clean(said, notice.LONG)
    return answer_of(Outcome.REFUSED_BY_COUPA, f"Coupa does not accept this: {words}", {"link": link})


def summary(verb: Verb, ends: Sequence[Answer | BridgeError]) -> str:
    """Say in one sentence what became of several requests."""
    outcomes = [end.outcome for end in ends if isinstance(end, Answer)]
    done, unsure = outcomes.count(DONE[verb]), outcomes.count(Outcome.UNCONFIRMED)
    left = len(ends) - done - unsure
    did = _DID[verb]
    if done == len(ends):
        everything = f"{'all ' if done > 1 else ''}{_requests(done)}"
        return f"Done: you {did.format(everything)}."
    some = f"{done} of {_requests(len(ends))}"
    parts = [f"you {did.format(some)}"]
    if unsure:
        parts.append(f"Coupa has not confirmed {unsure} yet")
    if left:
        participle = " ".join(did.format("").split())
        parts.append(f"{left} {'was' if left == 1 else 'were'} not {participle} by you")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _requests(number: int) -> str:
    return f"{number} request{'' if number == 1 else 's'}"


def parse_verb(text: str) -> Verb | None:
    """Return the decision that a text names, or None."""
    return Verb(text) if text in set(Verb) else None
