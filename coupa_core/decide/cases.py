"""A click or a question on its way: the data so far, and the answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from coupa_core import notice
from coupa_core.audit_log import Event, EventKind
from coupa_core.authority import Decider, Offer, Right, TokenKeys
from coupa_core.decide.answers import Answer, AnswerWriter, Click, Outcome, Question
from coupa_core.decide.rows import Before
from coupa_core.errors import BridgeError, Busy, CallerError, ServiceError
from coupa_core.ledger import Entry
from coupa_core.model import Approval, Document, version


@dataclass
class RequestCase:
    """A click or a question while it is checked; each check adds to it.

    Attributes:
        click: as it arrived.
        style: the person's style, as far as it is known.
        before: the effect of the same request before.
        offer: the content of its token.
        noted: the document by the ledger, if Coupa was not asked.
        approval: as Coupa has it.
        decider: the person as a decider.
        right: the actions that the person has in chat.
        document: as Coupa has it.
        content: the hash of the signed content.
        generation: the generation of the approval.
        row: the row of the approval; None if the ledger does not answer.
        after: the approval as it was read back.
        end: the answer, or the error for which nothing was decided; None while it goes on.
        events: the events for the audit log.
    """

    click: Click | Question
    style: notice.Style
    before: Before = Before.NOTHING
    offer: Offer | None = None
    noted: Document | None = None
    approval: Approval | None = None
    decider: Decider | None = None
    right: Right | None = None
    document: Document | None = None
    content: str = ""
    generation: int = 0
    row: Entry | None = None
    after: Approval | None = None
    end: Answer | BridgeError | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def is_repeat(self) -> bool:
        """Tell whether the same request decided it before, by the ledger."""
        return self.before is Before.DECIDED

    @property
    def result(self) -> Answer | BridgeError:
        """Return the answer or the error; call this only after the end."""
        assert self.end is not None  # noqa: S101
        is_unknown = self.after is None and isinstance(self.end, Busy | ServiceError)
        if is_unknown and self.before is not Before.NOTHING:
            # An earlier send may have decided: the answer must not say that nothing was decided.
            return self.writer.answer(Outcome.UNCONFIRMED)
        return self.end

    @property
    def writer(self) -> AnswerWriter:
        """Return a writer of answers with the data so far."""
        return AnswerWriter(
            self.style, self.approval, self.document or (None if self.approval else self.noted)
        )

    @property
    def name(self) -> str:
        """Return the document's name for an error; empty if the person may not know it."""
        is_theirs = self.decider is not None or self.approval is None
        return self.writer.name if is_theirs else ""

    @property
    def subject(self) -> tuple[Approval, Decider]:
        """Return the approval and the decider; only a click that is not refused has both."""
        assert self.approval is not None  # noqa: S101
        assert self.decider is not None  # noqa: S101
        return self.approval, self.decider

    def note(self, kind: EventKind, *, at: datetime, outcome: str, cause: str = "") -> None:
        """Keep an event for the audit log."""
        self.events.append(self.event(kind, at=at, outcome=outcome, cause=cause))

    def note_refusal(self, *, at: datetime) -> None:
        """Keep an event for a refusal; the failure of a service is no refusal."""
        if isinstance(self.end, Answer):
            self.note(EventKind.REFUSAL, at=at, outcome=self.end.outcome)
        elif isinstance(self.end, CallerError):
            self.note(EventKind.REFUSAL, at=at, outcome="refused", cause=self.end.code)

    def event(self, kind: EventKind, *, at: datetime, outcome: str = "", cause: str = "") -> Event:
        """Return an event of this click for the audit log."""
        click, offer, approval = self.click, self.offer, self.approval
        approver_key = (approval.approver_key if approval else None) or ""
        shown = version(approver_key=approver_key, content=self.content, generation=self.generation)
        return Event(
            kind=kind,
            at=at,
            approval_id=click.approval_id,
            document_type=(approval.approvable_type if approval else None) or "",
            document_id=approval.approvable_id if approval else None,
            actor=click.actor,
            known_by=f"{click.known_by}+token" if offer else click.known_by,
            capacity=self.decider.capacity if self.decider else "",
            verb=click.verb,
            outcome=outcome,
            cause=cause,
            version=shown if self.content else "",
            digest=self.content,
            generation=self.generation,
            token_key=offer.kid if offer else "",
            request_id=click.request_id,
            state_before=(approval.status if approval else None) or "",
            state_after=(self.after.status if self.after else None) or "",
        )


C = TypeVar("C", bound=RequestCase)


def waiting(cases: Iterable[C]) -> list[C]:
    """Return the cases that have not ended."""
    return [case for case in cases if case.end is None]


def end_all(cases: Iterable[RequestCase], error: ServiceError) -> None:
    """End the cases that have not ended, by an error."""
    for case in waiting(cases):
        case.end = error


def is_holder(case: RequestCase, keys: TokenKeys | None) -> bool:
    """Tell whether the token names this person."""
    return case.offer is not None and keys is not None and keys.is_held_by(case.offer, case.click.actor)
