"""The input and the answers of a click: each outcome has a text of the catalogue. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from coupa_core import notice
from coupa_core.documents import parse_document
from coupa_core.endings import End
from coupa_core.errors import BridgeError
from coupa_core.model import Approval, Bar, Document, Verb
from coupa_core.notice import Style, ended_as, known_as


class Outcome(StrEnum):
    """The outcome of a click; each is an answer, not a failure."""

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
    NOT_ASKABLE = "not_askable"


DONE = {Verb.APPROVE: Outcome.APPROVED, Verb.REJECT: Outcome.REJECTED, Verb.HOLD: Outcome.HELD}

BARRED = {
    Bar.OWN: Outcome.NOT_YOUR_APPROVAL,
    Bar.ENTERED: Outcome.NOT_YOUR_APPROVAL,
    Bar.UNNAMED: Outcome.STEP_UP,
    Bar.TOO_GREAT: Outcome.STEP_UP,
    Bar.UNSTATED: Outcome.STEP_UP,
    Bar.SENSITIVE: Outcome.STEP_UP,
}

LED = (Outcome.EXPIRED, Outcome.REASON_REQUIRED, Outcome.REASON_TOO_LONG, Outcome.REFUSED_BY_COUPA)
"""The outcomes whose text follows the document's name; all other texts contain the name, or must not."""


@dataclass(frozen=True)
class Click:
    """One decision as it arrived.

    Attributes:
        actor: the person's e-mail address in the chat.
        token: the action token from the notice.
        reason: the person's own words.
        key: the caller's idempotency key; the same key gets the stored answer.
        known_by: how the caller was authenticated: `key` or `key+entra`.
        request_id: identifies the request for callers and operators.
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
    """A question of an approver to the requester; its other fields are those of a click.

    Attributes:
        comment: the person's own words.
        key: the caller's idempotency key; the same one writes the same words once.
    """

    approval_id: int
    actor: str
    comment: str
    token: str | None = None
    key: str = ""
    known_by: str = "key"
    request_id: str = ""
    verb: ClassVar[str] = "comment"


@dataclass(frozen=True)
class Answer:
    """The answer to a person: the outcome, one sentence, and further fields."""

    outcome: Outcome
    message: str
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SeveralAnswers:
    """The answers to several clicks of one person.

    Attributes:
        ends: for each click its answer, or the error for which it was not decided.
        names: for each click the document's name for an error; empty if the person may not know it.
        style: the person's style, as far as it is known.
    """

    ends: list[Answer | BridgeError]
    names: list[str]
    style: Style


@dataclass(frozen=True)
class AnswerWriter:
    """Writes the answer to one click, in the person's language.

    Attributes:
        style: the person's style, as far as it is known.
        approval: as Coupa has it; None if unread.
        document: as Coupa has it; None if unread.
    """

    style: Style
    approval: Approval | None = None
    document: Document | None = None

    @property
    def name(self) -> str:
        """Return the document's name: `Purchase request 5001, “Laptops”, USD 1,800.00`; empty if unknown."""
        document, approval = self.document, self.approval
        if document is None and approval is not None:
            document = parse_document(approval.approvable_type or "", {"id": approval.approvable_id})
        return known_as(document, self.style) if document else ""

    @property
    def what(self) -> str:
        """Return the name as part of a sentence."""
        return self.name or self.style.say("this")

    def answer(
        self, outcome: Outcome, key: str = "", details: dict[str, str] | None = None, **texts: str
    ) -> Answer:
        """Return an answer with the outcome's own sentence, or with another text of the catalogue.

        A sentence without a placeholder for the name follows the name, so that each answer has it once.
        """
        text = self.style.say(key or f"answer.{outcome}", what=self.what, **texts)
        if outcome in LED:
            text = self.style.colon(self.name, text)
        return Answer(outcome, text, details or {})

    def over(self, end: End, **details: str) -> Answer:
        """Answer how it ended before this click; the click changed nothing."""
        how = ended_as(end, self.what, self.style)
        return self.answer(Outcome.ALREADY_DECIDED, details=details, how=how)


def too_long(room: int, length: int, writer: AnswerWriter) -> Answer:
    """Return the answer to words that are too long for Coupa."""
    style = writer.style
    return writer.answer(Outcome.REASON_TOO_LONG, length=style.number(length), room=style.number(room))


def refused_by_coupa(user_message: str, writer: AnswerWriter, link: str) -> Answer:
    """Return the answer to a refusal of Coupa, with Coupa's words if it has some."""
    words = notice.clean(user_message, notice.LONG)
    key = "" if words else "answer.refused_without_words"
    return writer.answer(Outcome.REFUSED_BY_COUPA, key, {"link": link}, words=words)


def summary(verb: Verb, ends: Sequence[Answer | BridgeError], style: Style) -> str:
    """Return one line about the outcomes of several clicks."""
    outcomes = [end.outcome for end in ends if isinstance(end, Answer)]
    done, unsure = outcomes.count(DONE[verb]), outcomes.count(Outcome.UNCONFIRMED)
    left = len(ends) - done - unsure
    if done == len(ends):
        return style.say(f"several.{verb}", count=done)
    sentences = [style.say(f"some.{verb}", count=len(ends), done=style.number(done))]
    sentences += [style.say("some.unsure", count=style.number(unsure))] if unsure else []
    sentences += [style.say("some.left", count=style.number(left))] if left else []
    return style.sentences(*sentences)


def parse_verb(text: str) -> Verb | None:
    """Return the verb that a text names, or None."""
    return Verb(text) if text in set(Verb) else None
