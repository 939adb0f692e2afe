"""Check clicks: the token, and Coupa's present state. Nothing is changed anywhere.

Several clicks of one person are read together and judged one by one; a single click is a list of one.

Coupa sees only our client and would take anybody's decision, so every check is made here, on a live read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from coupa_core import notice
from coupa_core.authority import TOKEN_LIFE, TokenKeys, is_same
from coupa_core.clock import Clock, Deadline
from coupa_core.content import content_hashes
from coupa_core.coupa import Coupa
from coupa_core.decide.answers import (
    BARRED,
    Answer,
    Click,
    Outcome,
    Question,
    refused_by_coupa,
    too_long,
)
from coupa_core.decide.cases import RequestCase, is_holder, waiting
from coupa_core.decide.ended import room_of
from coupa_core.decide.live import LiveReads
from coupa_core.decide.policy import DecisionPolicy
from coupa_core.decide.rows import RequestRows
from coupa_core.directory import Directory
from coupa_core.documents import parse_document
from coupa_core.endings import end_of_document, has_stopped
from coupa_core.errors import CallerError, Refused, ServiceError
from coupa_core.model import (
    Bar,
    Document,
    Person,
    has_turn,
    version,
)

logger = logging.getLogger(__name__)

AHEAD = timedelta(days=1)
"""A token whose expiry is further away than its life and this was signed by a wrong clock."""


class Checks:
    """The checks before a decision or a question is sent.

    Each check ends the cases that do not pass it; the failure of a service ends those that needed it.

    Args:
        coupa: the client that reads approvals.
        directory: makes an uncached lookup of deciders for each request.
        clock: the time.
        keys: the keys that verify action tokens; None when tokens are off.
        policy: the operator's policy.
        workers: how many reads run at the same time; 1 runs them in order, without threads.
    """

    def __init__(
        self,
        *,
        coupa: Coupa,
        directory: Callable[[], Directory],
        clock: Clock,
        keys: TokenKeys | None,
        policy: DecisionPolicy,
        workers: int,
    ) -> None:
        self._live = LiveReads(
            coupa=coupa, directory=directory, keys=keys, style=policy.style, workers=workers
        )
        self._clock = clock
        self._keys = keys
        self._policy = policy

    def style_of(self, token: str | None) -> notice.Style:
        """Return the style for the person whom a token names."""
        offer = self._keys.verify(token or "") if self._keys else None
        return self._policy.style.to(offer.locale if offer else "")

    def style_for(self, clicks: Sequence[Click | Question]) -> notice.Style:
        """Return the style for a person before Coupa names them: that of the first valid token."""
        offers = [self._keys.verify(click.token or "") for click in clicks] if self._keys else []
        locale = next((offer.locale for offer in offers if offer), "")
        return self._policy.style.to(locale, clicks[0].actor)

    def admit(self, case: RequestCase, rows: RequestRows) -> None:
        """Verify the token; every fault has the same error, so that the error reveals nothing."""
        click, now = case.click, self._clock.now()
        if self._keys is None or (click.token is None and not self._policy.token_required):
            return
        offer = self._keys.verify(click.token or "")
        latest = now + TOKEN_LIFE + AHEAD
        if offer is None or offer.approval_id != click.approval_id or offer.expires_at > latest:
            text = "The action token is missing or not valid here."
            case.end = CallerError("token_refused", text, status=403)
            return
        case.offer = offer
        if offer.expires_at <= now:
            self.look_up(case, rows)
            case.end = case.writer.answer(Outcome.EXPIRED)

    def look_up(self, case: RequestCase, rows: RequestRows) -> None:
        """Read the document's type and number from the ledger, for an answer before Coupa is asked.

        Only the holder of a valid token, who was shown the card, may know which document it is.
        """
        row = rows.current_row(case.click.approval_id) if is_holder(case, self._keys) else None
        if row is not None:
            case.noted = parse_document(row.document_type, {"id": row.document_id})

    def read(
        self, cases: Sequence[RequestCase], deadline: Deadline, *, rows: RequestRows | None = None
    ) -> None:
        """Read the approvals and their documents; see `LiveReads.read`."""
        self._live.read(cases, deadline, rows=rows)

    def compare_all(self, cases: Sequence[RequestCase], rows: RequestRows, deadline: Deadline) -> None:
        """Compare each click with Coupa's present state; cases that do not end here may be carried out."""
        self.read(cases, deadline, rows=rows)
        siblings = self._live.siblings(waiting(cases), deadline)
        for case in waiting(cases):
            approval, _ = case.subject
            assert case.document is not None  # noqa: S101 - what has none has ended
            if has_stopped(case.document):
                case.end = case.writer.over(end_of_document(case.document, [approval]))
            elif not has_turn(approval, case.document, siblings.get(approval.document_key, ())):
                case.end = case.writer.answer(Outcome.NOT_YOUR_TURN)
            else:
                case.end = (
                    self._check_rules(case, case.document)
                    or self._compare(case, case.document, rows)
                    or self.check_length(case)
                )

    def check_length(self, case: RequestCase) -> Answer | None:
        """Refuse words that are too long for Coupa."""
        approval, decider = case.subject
        room, length = room_of(case.click, decider, asked=approval.asked_name)
        return too_long(room, length, case.writer) if length > room else None

    def bar_answer(self, case: RequestCase, bar: Bar, document: Document) -> Answer:
        """Answer why this can be done in Coupa only, with the link."""
        sentence = case.style.colon(case.writer.what, case.style.say(f"bar.{bar}"))
        return Answer(BARRED[bar], sentence, {"link": notice.link_to(document, style=case.style)})

    def refusal_answer(self, case: RequestCase, failure: ServiceError) -> Answer | None:
        """Return the answer to a refusal by Coupa itself, with its sentences; None for any other failure."""
        if not isinstance(failure, Refused) or not failure.is_considered or case.document is None:
            return None
        number, code = case.click.approval_id, failure.code
        logger.warning("refused by coupa approval_id=%d code=%s cause=%s", number, code, failure)
        link = notice.link_to(case.document, style=case.style)
        return refused_by_coupa(failure.user_message, case.writer, link)

    def is_requester(self, case: RequestCase) -> bool:
        """Tell whether the person is the requester; a person who entered it for another is not."""
        assert case.document is not None  # noqa: S101 - see `compare_all`
        return is_same(case.subject[1], case.document.requested_by, self._policy.rules.emails)

    def answerer(self, case: RequestCase) -> Person | None:
        """Return the person who can answer a question about the document; None if that is the asker."""
        assert case.document is not None  # noqa: S101 - see `compare_all`
        person = case.document.answerer
        is_own = person is not None and is_same(case.subject[1], person, self._policy.rules.emails)
        return None if is_own else person

    def _check_rules(self, case: RequestCase, document: Document) -> Answer | CallerError | None:
        """Refuse an action that the rules of the operator or of Coupa do not allow this person."""
        approval, decider = case.subject
        case.right = self._policy.rules.right(decider, approval, document)
        if case.right.bar is not None:
            return self.bar_answer(case, case.right.bar, document)
        if case.click.verb not in case.right.actions:  # actions that are switched off were refused before
            return CallerError("not_holdable", "Coupa does not let this approval be put on hold.")
        return None

    def _compare(self, case: RequestCase, document: Document, rows: RequestRows) -> Answer | None:
        """Refuse if the person was shown other content or an earlier generation, or has decided before."""
        offer = case.offer
        case.row = row = rows.current_row(case.click.approval_id)
        case.content, content_before = content_hashes(document)
        case.generation = row.generation if row else (offer.generation if offer else 0)
        if case.is_repeat:
            # The same request must not decide twice: the person must learn first that it waits again.
            return self._changed_answer(case, document, "reopened")
        if offer is None or (offer.content, offer.generation) == (case.content, case.generation):
            return None
        if offer.content == case.content:
            return self._changed_answer(case, document, "waits_again")
        is_of_0_1 = (offer.content, offer.generation) == (content_before, case.generation)
        return self._changed_answer(case, document, "earlier_release" if is_of_0_1 else "changed")

    def _changed_answer(self, case: RequestCase, document: Document, key: str) -> Answer:
        """Show the person the present card, with a new token where the click had one."""
        approval, decider = case.subject
        offer, row, shown = case.offer, case.row, ""
        assert case.right is not None  # noqa: S101 - see `_check_rules`
        if offer is not None and row is not None:
            was = version(approver_key=offer.approver_key, content=offer.content, generation=offer.generation)
            # The row has the figures of this person's last card; for an older card they would be wrong.
            shown = row.to(decider.key).figures if row.has_told(decider.key, was) else ""
        card = notice.compose(
            notice.ApprovalRequest(
                approval=approval,
                document=document,
                right=case.right,
                generation=case.generation,
                is_changed=key not in ("earlier_release", "waits_again"),
                shown=shown,
            ),
            style=self._policy.style,
            keys=self._keys if offer else None,
            now=self._clock.now(),
        )
        token = card.slots.get("action_token")
        details = {"content": card.text} | ({"action_token": token} if token else {})
        return case.writer.answer(Outcome.CHANGED, f"answer.{key}", details)
