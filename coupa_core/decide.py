"""The click's use case: one person decides one approval, once, on the content that the person was shown.

Coupa sees only our client and would take anybody's decision, so every check is made here, on a live read.
It knows nothing of HTTP; `endpoints` gives the answers their status.
"""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from coupa_core import notice
from coupa_core.authority import Offer, TokenKeys, is_approver, is_requester
from coupa_core.clock import Clock, Deadline
from coupa_core.errors import CallerError, Malformed, Refused, ServiceError, Unavailable, Unknown
from coupa_core.ledger import Entry, Ledger, decided
from coupa_core.model import DONE_STATUS, VIA_CHAT, Approval, Document, Kind, Verb, digest, has_turn

BUDGET_S = 10.0
"""The whole answer comes within this; Moveworks gives up at 16 s.

Source: https://developer.moveworks.com/creator-studio/api-configuration/
"""

READING_S = 6.0
"""Of the budget, for the reads before the decision."""

CONFIRMING_S = 2.0
"""Of the budget, kept for reading back."""

MAX_REASON = 255
"""Characters of a reason that are sent; Coupa publishes no limit."""

_RECORD_TRIES = 3

logger = logging.getLogger(__name__)


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
    UNCONFIRMED = "unconfirmed"


_DONE = {Verb.APPROVE: Outcome.APPROVED, Verb.REJECT: Outcome.REJECTED, Verb.HOLD: Outcome.HELD}

SENTENCES = {
    Outcome.APPROVED: "Done: you approved this request.",
    Outcome.REJECTED: "Done: you rejected this request, and Coupa has your reason.",
    Outcome.HELD: "Done: you put this request on hold.",
    Outcome.NOT_YOUR_APPROVAL: "This request is not waiting for your decision, so nothing was changed.",
    Outcome.NOT_YOUR_TURN: "This request is not waiting for you at the moment, so nothing was changed.",
    Outcome.CHANGED: "This request changed after it was shown to you; please look at it again, then decide.",
    Outcome.EXPIRED: "This button is too old; ask for your open approvals to decide on the current state.",
    Outcome.REASON_REQUIRED: "Please give a reason, so that the requester knows what to mend.",
    Outcome.UNCONFIRMED: "Coupa has not confirmed the decision yet; please check the request in Coupa.",
}
OWN_REQUEST = "You asked for this purchase yourself, so somebody else has to decide on it."


@dataclass(frozen=True)
class Click:
    """One decision as it arrived: who, what, and on which approval."""

    approval_id: int
    verb: Verb
    actor: str
    token: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Answer:
    """What the person is told: the outcome, one sentence, and what goes with it."""

    outcome: Outcome
    message: str
    details: dict[str, str] = field(default_factory=dict)


class Decisions(Protocol):
    """Coupa, as far as a decision needs it; every method raises `ServiceError` on failure."""

    def approval(self, approval_id: int, deadline: Deadline) -> Approval | None:
        """Read one approval."""
        ...

    def document(self, approval: Approval, deadline: Deadline) -> Document | None:
        """Read the document of an approval."""
        ...

    def pending_of(self, document: Document, deadline: Deadline) -> list[Approval]:
        """Return the pending approvals of one document."""
        ...

    def decide(self, approval_id: int, verb: Verb, *, reason: str, deadline: Deadline) -> int:
        """Decide, once; returns the id of the record that Coupa answered with, or 0."""
        ...


class Decide:
    """The use case.

    Args:
        coupa: where the decision is made.
        ledger: where it is recorded.
        clock: the time.
        keys: that verify action tokens; None when tokens are off.
        token_required: refuse a click without a token.
        style: of the notices, with the actions that are open to approvers.
    """

    def __init__(
        self,
        *,
        coupa: Decisions,
        ledger: Ledger,
        clock: Clock,
        keys: TokenKeys | None,
        token_required: bool,
        style: notice.Style,
    ) -> None:
        self._coupa = coupa
        self._ledger = ledger
        self._clock = clock
        self._keys = keys
        self._token_required = token_required
        self._style = style

    def decide(self, click: Click) -> Answer:
        """Carry out one click.

        Raises:
            CallerError: the token is missing or wrong, the approval does not exist or cannot be held, or the
                action is switched off.
            ServiceError: Coupa could not be asked, and nothing was decided.
        """
        deadline = Deadline(self._clock, BUDGET_S)
        if click.verb not in self._style.actions:
            raise CallerError("action_off", f"To {click.verb} is not enabled on this bridge.", status=403)
        offer = self._offer(click)
        if offer and offer.expires_at <= self._clock.now():
            return _answer(Outcome.EXPIRED)
        if click.verb is Verb.REJECT and not click.reason.strip():
            return _answer(Outcome.REASON_REQUIRED)
        checked = self._check(click, offer, deadline)
        answer = checked if isinstance(checked, Answer) else self._carry_out(click, checked, deadline)
        logger.info(
            "decision approval_id=%d verb=%s outcome=%s", click.approval_id, click.verb, answer.outcome
        )
        return answer

    def _offer(self, click: Click) -> Offer | None:
        """Read the token; every fault has the same error, so that it teaches nothing."""
        if self._keys is None or (click.token is None and not self._token_required):
            return None
        offer = self._keys.verify(click.token or "")
        if offer is None or offer.approval_id != click.approval_id:
            raise CallerError("token_refused", "The action token is missing or not valid here.", status=403)
        return offer

    def _check(self, click: Click, offer: Offer | None, deadline: Deadline) -> Answer | Approval:
        """Compare the click with what Coupa says now; return the approval when it may be decided."""
        reading = deadline.within(READING_S)
        approval = self._coupa.approval(click.approval_id, reading)
        if approval is None:
            if offer is None:
                raise CallerError("not_found", "There is no such approval in Coupa.", status=404)
            return _answer(Outcome.ALREADY_DECIDED, "This request is no longer waiting: it was withdrawn.")
        if not is_approver(click.actor, approval) or (offer and offer.approver_key != approval.approver_key):
            return _answer(Outcome.NOT_YOUR_APPROVAL)
        if not approval.is_pending:
            return self._ended(click, approval)
        document = self._coupa.document(approval, reading)
        if document is None:
            raise Malformed("coupa_document", f"Coupa does not return the document of {approval.id}")
        siblings = self._coupa.pending_of(document, reading) if document.kind is Kind.OTHER else []
        if not has_turn(approval, document, siblings):
            return _answer(Outcome.NOT_YOUR_TURN)
        if is_requester(click.actor, approval, document):
            return _answer(Outcome.NOT_YOUR_APPROVAL, OWN_REQUEST)
        if click.verb is Verb.HOLD and not approval.holdable:
            raise CallerError("not_holdable", "Coupa does not let this approval be put on hold.")
        return self._compare(approval, document, offer) or approval

    def _compare(self, approval: Approval, document: Document, offer: Offer | None) -> Answer | None:
        """Refuse when the person was shown other content, or an earlier round."""
        if offer is None or self._keys is None:
            return None
        content = digest(document)
        row = self._row(approval.id)
        generation = row.generation if row else offer.generation
        if (offer.content, offer.generation) == (content, generation):
            return None
        token = self._keys.offer(
            approval.id,
            approver_key=offer.approver_key,
            content=content,
            generation=generation,
            now=self._clock.now(),
        )
        text = notice.announcement(approval, document, style=self._style, changed=True)
        return _answer(Outcome.CHANGED, details={"content": text, "action_token": token})

    def _carry_out(self, click: Click, approval: Approval, deadline: Deadline) -> Answer:
        """Send the decision once, and believe only what Coupa says afterwards."""
        if deadline.left_s() < 2 * CONFIRMING_S:
            raise Unavailable("decide_late", "no time left to decide; nothing was decided")
        refusal: Refused | None = None
        is_clean = False
        try:
            answered = self._coupa.decide(
                click.approval_id,
                click.verb,
                reason=reason_for(click, name=approval.approver.name if approval.approver else ""),
                deadline=deadline.within(deadline.left_s() - CONFIRMING_S),
            )
            # A gateway may answer 200 for a decision that Coupa refused.
            is_clean = answered in (approval.id, approval.approvable_id)
        except Refused as error:
            refusal = error
        except Unknown as error:
            logger.warning("decision unknown approval_id=%d code=%s", click.approval_id, error.code)
        try:
            after = self._coupa.approval(click.approval_id, deadline)
        except ServiceError as error:
            logger.warning("decision unconfirmed approval_id=%d code=%s", click.approval_id, error.code)
            return _answer(Outcome.UNCONFIRMED)
        if after is None or after.is_pending:
            if refusal is not None:
                raise refusal
            return _answer(Outcome.UNCONFIRMED)
        if after.status == DONE_STATUS[click.verb] and (is_clean or _is_ours(click, after)):
            self._record(click)
            return _answer(_DONE[click.verb])
        return self._ended(click, after)

    def _ended(self, click: Click, approval: Approval) -> Answer:
        """Say how an approval ended: by this person's own earlier click, or otherwise."""
        if approval.status == DONE_STATUS[click.verb] and _is_ours(click, approval):
            return _answer(_DONE[click.verb])
        status = (approval.status or "closed").replace("_", " ")
        by = notice.clean(_decider(approval), notice.SHORT)
        at = approval.approval_date or ""
        sentence = f"This request is no longer waiting: it is {status}{f', by {by}' if by else ''}."
        details = {"status": approval.status or "", "decided_by": by, "decided_at": at}
        return _answer(Outcome.ALREADY_DECIDED, sentence, details)

    def _row(self, approval_id: int) -> Entry | None:
        """Return the row; without the store Coupa's own state still decides, so a click goes on."""
        try:
            return self._ledger.round_of(approval_id)
        except ServiceError as error:
            logger.warning("decision without ledger approval_id=%d code=%s", approval_id, error.code)
            return None

    def _record(self, click: Click) -> None:
        """Note the decision in the row; what Coupa confirmed is not taken back when that fails."""
        try:
            for _ in range(_RECORD_TRIES):
                row = self._ledger.store.read(click.approval_id) or self._ledger.begin(click.approval_id)
                done = decided(row, decision=click.verb.value, by=click.actor, now=self._clock.now())
                if self._ledger.commit(done) is not None:
                    return
        except ServiceError as error:
            logger.error("decision not recorded approval_id=%d code=%s", click.approval_id, error.code)  # noqa: TRY400 - the cause is a code


def reason_for(click: Click, *, name: str) -> str:
    """Return the reason that Coupa keeps: first the person, because Coupa records our client as the decider.

    Source: https://github.com/moveworks/developer-docs, plugins/coupa-expense-report-approval, on the reason
    that Coupa shows as a comment of the OAuth user.
    """
    person = f"{name} <{click.actor}>{VIA_CHAT}"
    text = f"{person}: {click.reason}" if click.reason.strip() else person
    plain = "".join(char if _is_plain(char) else " " for char in text[: 4 * MAX_REASON])
    return " ".join(plain.split())[:MAX_REASON]


def _is_plain(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _is_ours(click: Click, approval: Approval) -> bool:
    """Tell whether Coupa's note is the one that this person's click left."""
    person, mark, _ = (approval.note or "").partition(VIA_CHAT)
    return bool(mark) and person.casefold().endswith(f"<{click.actor}>".casefold())


def _decider(approval: Approval) -> str:
    """Return who decided: the person named in our own note, else the user whom Coupa recorded."""
    return approval.decided_by


def _answer(outcome: Outcome, message: str = "", details: dict[str, str] | None = None) -> Answer:
    return Answer(outcome, message or SENTENCES[outcome], details or {})


def parse_verb(text: str) -> Verb | None:
    """Return the decision that a text names, or None."""
    return Verb(text) if text in set(Verb) else None
