"""Answer "Do I have any approvals in Coupa?": the approvals that wait for one person, each ready to decide.

It reads Coupa live and never the ledger's record of who was told; it knows nothing of HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from coupa_core import notice
from coupa_core.authority import Right, Rules, TokenKeys
from coupa_core.clock import Clock, Deadline
from coupa_core.coupa import Coupa
from coupa_core.directory import Directory
from coupa_core.documents import parse_document
from coupa_core.inbox.page import MAX_CARDS, InboxItem, InboxPage, how_many
from coupa_core.inbox.reads import Asked, DocumentReads, Waiting, oldest, theirs
from coupa_core.ledger import Ledger
from coupa_core.model import (
    Listing,
    Member,
    has_turn,
)
from coupa_core.rate_limiter import RateLimiter
from coupa_core.routes import CLICK_S

LISTED_S = 6.5
"""The part of the time limit until the end of listing; the rest is for people and documents."""

READ_S = 9.0
"""The part of the time limit until documents are read; the rest is for the ledger and the answer."""

PERMITS_S = 7.0
"""The part of the time limit until the last permit of a request."""

LISTING, SHOWING = 4, 2
"""The calls to Coupa: the person, their principals, the list, its documents; an approval, its document."""

logger = logging.getLogger(__name__)


class Inbox:
    """The use case; its parts are those of `decide`."""

    def __init__(
        self,
        *,
        coupa: Coupa,
        permits: RateLimiter,
        directory: Callable[[], Directory],
        ledger: Ledger,
        clock: Clock,
        keys: TokenKeys | None,
        rules: Rules,
        style: notice.Style,
    ) -> None:
        self._coupa = coupa
        self._reads = DocumentReads(coupa)
        self._permits = permits
        self._directory = directory
        self._rules = rules
        self._ledger = ledger
        self._clock = clock
        self._keys = keys
        self._style = style

    def waiting_for(self, email: str) -> InboxPage:
        """Return the approvals that wait for a person; none for an unknown or inactive person, or for two.

        Raises:
            Busy: there is no room at Coupa now.
            ServiceError: Coupa or the ledger could not be asked.
        """
        deadline = Deadline(self._clock, CLICK_S)
        with self._permits.admit(LISTING, LISTING, within_s=PERMITS_S):
            return self._waiting_for(email, deadline)

    def _waiting_for(self, email: str, deadline: Deadline) -> InboxPage:
        more = deadline.within(LISTED_S)
        documents_by = deadline.within(READ_S)
        directory = self._directory()
        owners = directory.owners(email, deadline)
        if len(owners) != 1:
            # Two people with one address: nobody can tell whose approvals these are, or that there are none.
            style = self._style.to_all(each.default_locale or "" for each in owners)
            key = "bar.shared" if owners else "list.none"
            return InboxPage([], 0, is_complete=not owners, message=style.say(key))
        [person] = owners
        listing = self._listed(person, directory, documents_by, more)
        if listing.failure and not listing.approvals and not listing.unreadable:
            raise listing.failure
        deciders_of = directory.deciders_of(listing.approvals, documents_by)
        mine, unknown = theirs(email, listing.approvals, deciders_of)
        read = self._reads.read(mine, documents_by)
        found = sorted(read.found, key=lambda each: each.order)
        unreadable = listing.unreadable + unknown + len(read.unread)
        total = len(found) + unreadable + read.unchecked
        cards = [self._card(each) for each in found[:MAX_CARDS]]
        minimal = [card for each in read.unread if (card := self._minimal(each))]
        answer = InboxPage(
            cards=[*cards, *minimal][:MAX_CARDS],
            total=total,
            oldest_days=oldest(found),
            is_complete=listing.is_complete,
            unchecked=read.unchecked,
            unreadable=unreadable,
        )
        if not answer.is_exact:
            answer = replace(answer, oldest_days=oldest(found[:MAX_CARDS]))
        style = self._style.to(person.default_locale or "")
        together = notice.sums((each.document for each in found), style, number=len(found))
        return replace(answer, message=how_many(answer, together, style))

    def _listed(self, person: Member, directory: Directory, deadline: Deadline, more: Deadline) -> Listing:
        """List the approvals that ask this person; incomplete if it is unknown for whom else they act."""
        keys, failure = directory.approver_keys(person, more)
        listing = self._coupa.pending_for(keys, deadline, more=more)
        if listing.failure:
            logger.warning("list not complete code=%s cause=%s", listing.failure.code, listing.failure)
        listing.failure = listing.failure or failure
        return listing

    def show(self, email: str, approval_id: int) -> InboxItem | None:
        """Return one approval that waits for this person now, or None.

        Raises:
            Busy: there is no room at Coupa now.
            ServiceError: Coupa or the ledger could not be asked.
        """
        deadline = Deadline(self._clock, CLICK_S)
        with self._permits.admit(SHOWING, SHOWING, within_s=PERMITS_S):
            return self._show(email, approval_id, deadline)

    def _show(self, email: str, approval_id: int, deadline: Deadline) -> InboxItem | None:
        approval = self._coupa.approval(approval_id, deadline)
        if approval is None or not approval.is_pending:
            return None
        decider = self._directory().decider(email, approval, deadline)
        document = self._coupa.documents([approval], deadline).get(approval.document_key) if decider else None
        if decider is None or document is None:
            return None
        siblings = self._coupa.siblings([document] if document.needs_siblings else [], deadline)
        if not has_turn(approval, document, siblings.get(approval.document_key, ())):
            return None
        return self._card(Waiting(approval, document, decider, self._coupa.now()))

    def _card(self, waiting: Waiting) -> InboxItem:
        request = notice.ApprovalRequest(
            approval=waiting.approval,
            document=waiting.document,
            right=self._rules.right(waiting.decider, waiting.approval, waiting.document),
            generation=self._ledger.current_row(waiting.approval.id).generation if self._keys else 0,
            is_listed=True,
        )
        return self._shown(request, age_days=waiting.age_days, need_by=waiting.need_by)

    def _minimal(self, asked: Asked) -> InboxItem | None:
        """Show the data without the document, and no token: the reader does not see the content to decide."""
        approval = asked.approval
        document = parse_document(approval.approvable_type or "", {"id": approval.approvable_id})
        if document is None:
            return None
        right = Right(asked.decider)
        return self._shown(
            notice.ApprovalRequest(
                approval=approval, document=document, right=right, is_unread=True, is_listed=True
            )
        )

    def _shown(
        self, request: notice.ApprovalRequest, *, age_days: int | None = None, need_by: date | None = None
    ) -> InboxItem:
        keys = None if request.is_unread else self._keys
        sentences = notice.compose(request, style=self._style, keys=keys, now=self._clock.now())
        return InboxItem(
            approval_id=request.approval.id,
            document_type=request.document.type,
            document_id=request.document.id,
            text=sentences.text,
            link=notice.link_to(request.document, style=self._style),
            action_token=sentences.slots.get("action_token"),
            age_days=age_days,
            need_by=need_by.isoformat() if need_by else None,
        )
