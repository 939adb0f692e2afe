"""The checks of a click: the token, and what Coupa says now. It changes nothing anywhere.

Coupa sees only our client and would take anybody's decision, so every check is made here, on a live read.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from coupa_core import notice
from coupa_core.authority import TOKEN_LIFE, Capacity, Decider, Offer, TokenKeys, is_requester
from coupa_core.clock import Clock, Deadline
from coupa_core.decide.answers import Answer, Click, Outcome, answer_of
from coupa_core.decide.ended import ended
from coupa_core.decide.ports import Deciders, Decisions, Policy
from coupa_core.errors import CallerError, Malformed, ServiceError
from coupa_core.journal import Event
from coupa_core.journal import Kind as EventKind
from coupa_core.ledger import Entry, Ledger
from coupa_core.model import Approval, Document, Kind, Verb, digest, has_turn, version

OWN_REQUEST = "You asked for this purchase yourself, so somebody else has to decide on it."

AHEAD = timedelta(days=1)
"""A token that lives for longer than this beyond its life was signed by a clock that went wrong."""

logger = logging.getLogger(__name__)


@dataclass
class Case:
    """What is known about a click so far; each check adds to it.

    Attributes:
        click: as it arrived.
        offer: what its token says.
        approval: as Coupa has it.
        decider: as whom the person decides.
        content: digest of the document.
        generation: round of the approval.
    """

    click: Click
    offer: Offer | None = None
    approval: Approval | None = None
    decider: Decider | None = None
    content: str = ""
    generation: int = 0

    def event(self, kind: EventKind, *, at: datetime, outcome: str = "", cause: str = "") -> Event:
        """Return what the audit record keeps of it."""
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
        )


class Checks:
    """Everything that must hold before a decision is sent.

    Args:
        coupa: where the approval is.
        directory: who may decide it.
        ledger: which round it is in.
        clock: the time.
        keys: that verify action tokens; None when tokens are off.
        policy: what the operator has settled.
    """

    def __init__(
        self,
        *,
        coupa: Decisions,
        directory: Deciders,
        ledger: Ledger,
        clock: Clock,
        keys: TokenKeys | None,
        policy: Policy,
    ) -> None:
        self._coupa = coupa
        self._directory = directory
        self._ledger = ledger
        self._clock = clock
        self._keys = keys
        self._policy = policy

    def offer(self, click: Click) -> Offer | None:
        """Read the token; every fault has the same error, so that it teaches nothing.

        Raises:
            CallerError: it is missing where it is required, or not valid for this approval.
        """
        if self._keys is None or (click.token is None and not self._policy.token_required):
            return None
        offer = self._keys.verify(click.token or "")
        latest = self._clock.now() + TOKEN_LIFE + AHEAD
        if offer is None or offer.approval_id != click.approval_id or offer.expires_at > latest:
            raise CallerError("token_refused", "The action token is missing or not valid here.", status=403)
        return offer

    def refuse(self, case: Case, deadline: Deadline) -> Answer | None:
        """Compare the click with what Coupa says now; None when it may be carried out.

        Raises:
            CallerError: the approval does not exist, or cannot be held.
            ServiceError: Coupa could not be asked.
        """
        case.approval = approval = self._coupa.approval(case.click.approval_id, deadline)
        if approval is None:
            if case.offer is None:
                raise CallerError("not_found", "There is no such approval in Coupa.", status=404)
            return answer_of(Outcome.ALREADY_DECIDED, "This request is no longer waiting: it was withdrawn.")
        case.decider = decider = self._decider(case, approval, deadline)
        if decider is None:
            return answer_of(Outcome.NOT_YOUR_APPROVAL)
        if not approval.is_pending:
            return ended(case.click, approval)
        document = self._coupa.document(approval, deadline)
        if document is None:
            raise Malformed("coupa_document", f"Coupa does not return the document of {approval.id}")
        siblings = self._coupa.pending_of(document, deadline) if document.kind is Kind.OTHER else []
        if not has_turn(approval, document, siblings):
            return answer_of(Outcome.NOT_YOUR_TURN)
        return self._forbid(case, approval, document, decider) or self._compare(
            case, approval, document, decider
        )

    def _decider(self, case: Case, approval: Approval, deadline: Deadline) -> Decider | None:
        """Return as whom the person decides; None when it is not theirs, or the token is somebody else's."""
        decider = self._directory.decider(case.click.actor, approval, deadline)
        if decider is None:
            return None
        if case.offer is None:
            # A notice goes to no address that two users share; without one nobody has looked yet.
            return None if self._directory.shared([decider.address], deadline) else decider
        fits = (case.offer.approver_key, case.offer.person) == (approval.approver_key, decider.key)
        return decider if fits else None

    def _forbid(self, case: Case, approval: Approval, document: Document, decider: Decider) -> Answer | None:
        """Refuse what the operator's rules, or Coupa's, do not let this person do here."""
        if not self._policy.allow_self and is_requester(decider, document, self._policy.emails):
            return answer_of(Outcome.NOT_YOUR_APPROVAL, OWN_REQUEST)
        if self._policy.limits.forbid(document):
            return answer_of(Outcome.STEP_UP, details={"link": self._link(document)})
        if case.click.verb is Verb.HOLD and not approval.holdable:
            raise CallerError("not_holdable", "Coupa does not let this approval be put on hold.")
        return None

    def _compare(self, case: Case, approval: Approval, document: Document, decider: Decider) -> Answer | None:
        """Refuse when the person was shown other content, or an earlier round."""
        offer, row = case.offer, self._row(approval.id)
        case.content = digest(document)
        case.generation = row.generation if row else (offer.generation if offer else 0)
        if offer is None or self._keys is None:
            return None
        if (offer.content, offer.generation) == (case.content, case.generation):
            return None
        token = self._keys.offer(
            approval.id,
            approver_key=offer.approver_key,
            person=offer.person,
            content=case.content,
            generation=case.generation,
            now=self._clock.now(),
        )
        shown = notice.Shown(
            name=decider.firstname or decider.name,
            for_whom=approval.asked_name if decider.capacity is not Capacity.APPROVER else "",
            is_changed=True,
        )
        text = notice.announcement(document, link=self._link(document), shown=shown)
        return answer_of(Outcome.CHANGED, details={"content": text, "action_token": token})

    def _link(self, document: Document) -> str:
        return notice.link_to(document, base_url=self._policy.link_base)

    def _row(self, approval_id: int) -> Entry | None:
        """Return the row; without the store Coupa's own state still decides, so a click goes on."""
        try:
            return self._ledger.round_of(approval_id)
        except ServiceError as error:
            logger.warning("decision without ledger approval_id=%d code=%s", approval_id, error.code)
            return None
