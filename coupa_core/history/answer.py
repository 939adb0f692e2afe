"""Answer "What did I decide?": one person's recent decisions, from our own rows and from Coupa.

Our rows have the decisions in chat, and Coupa has the others; where one fails, the answer has the other
alone. The audit log is not read: it is sorted by days, for everybody and for years, and a chat answer has
seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from coupa_core import notice
from coupa_core.clock import Clock, Deadline, until
from coupa_core.coupa import Coupa
from coupa_core.directory import Directory
from coupa_core.errors import Busy, ServiceError
from coupa_core.history.decisions import (
    DAYS,
    STATUS,
    Known,
    Made,
    MadeIn,
    PastDecisions,
    how_many,
    joined,
    made_by,
    newest,
    show,
)
from coupa_core.ledger import LedgerStore
from coupa_core.model import (
    Document,
    DocumentKey,
    Listing,
    Member,
)
from coupa_core.rate_limiter import RateLimiter

READ_S = 9.0
"""The time for reading, of the ten seconds of an answer; see `decide`."""

MAX_READ = 200
"""Approvals that are read of Coupa at most, the newest by their ids first: four pages."""

OURS_S = 3.0
"""The part of the time for reading that is for our own rows."""

LISTED_S = 4.0
"""The part of the rest until the end of listing at Coupa; the remainder is for the names of documents."""

PERMITS_S = 5.0
"""The time until the last permit of a request."""

CALLS = 4
"""The calls to Coupa: the person, whom they act for, their decisions, the documents."""

logger = logging.getLogger(__name__)


class History:
    """The use case.

    Args:
        coupa: where approvals are.
        permits: the rate limiter of Coupa.
        directory: makes an uncached lookup of the owner of an address.
        store: the ledger's rows.
        clock: the time.
        style: the style of the answer.
    """

    def __init__(
        self,
        *,
        coupa: Coupa,
        permits: RateLimiter,
        directory: Callable[[], Directory],
        store: LedgerStore,
        clock: Clock,
        style: notice.Style,
    ) -> None:
        self._coupa = coupa
        self._permits = permits
        self._directory = directory
        self._store = store
        self._clock = clock
        self._style = style

    def decided_by(self, email: str) -> PastDecisions:
        """Return the recent decisions of a person; none for an unknown or inactive person.

        Raises:
            Busy, ServiceError: neither our rows nor Coupa can be asked.
        """
        deadline = Deadline(self._clock, READ_S)
        since = self._clock.now() - timedelta(days=DAYS)
        ours = self._ours(email, since, deadline)
        try:
            with self._permits.admit(CALLS, CALLS, within_s=PERMITS_S):
                return self._with_coupas(email, since, ours, deadline)
        except (Busy, ServiceError) as failure:
            if ours.gap:
                raise
            logger.warning("history without Coupa code=%s cause=%s", failure.code, failure)
            alone = replace(ours, is_complete=False, gap="history.ours")
            return self._answer(alone, {}, self._style.to("", email))

    def _ours(self, email: str, since: datetime, deadline: Deadline) -> Known:
        """Return the decisions in our rows."""
        try:
            with until(deadline.within(OURS_S)):
                rows = self._store.decided_entries(by=email, since=since)
        except ServiceError as failure:
            logger.warning("history without ledger code=%s cause=%s", failure.code, failure)
            return Known(is_complete=False, gap="history.coupas")
        made = [
            Made(row.approval_id, status, row.decided_at, MadeIn.CHAT, row.document_key)
            for row in rows
            if (status := STATUS.get(row.decision))
        ]
        return Known(list({each.key: each for each in made}.values()))

    def _with_coupas(self, email: str, since: datetime, ours: Known, deadline: Deadline) -> PastDecisions:
        """Return the decisions in our rows and in Coupa.

        Raises:
            ServiceError: Coupa does not say who it is, or what they decided.
        """
        directory = self._directory()
        owners = directory.owners(email, deadline)
        person = owners[0] if len(owners) == 1 else None
        style = self._style.to((person.default_locale if person else None) or "", email)
        if person is None:
            # Decisions cannot be assigned to an unknown person, or to one of two people with one address.
            gap = "bar.shared" if owners else ""
            return self._answer(Known(is_complete=False, gap=gap), {}, style)
        listing = self._listed(person, since, directory, deadline.within(LISTED_S))
        theirs = [made for each in listing.approvals if (made := made_by(each, person, email, since))]
        number = len(listing.approvals) + listing.unreadable + listing.unasked
        is_all = listing.is_complete and not listing.unreadable and number < MAX_READ
        known = replace(ours, made=joined(ours.made, theirs), is_complete=ours.is_complete and is_all)
        return self._answer(known, self._documents(newest(known.made), deadline), style)

    def _listed(self, person: Member, since: datetime, directory: Directory, deadline: Deadline) -> Listing:
        """List what asked this person and was decided; where some of it is not known, it is not complete.

        Raises:
            ServiceError: nothing came.
        """
        keys, failure = directory.approver_keys(person, deadline)
        listing = self._coupa.decided_for(keys, since, deadline, most=MAX_READ)
        if listing.failure and not listing.approvals:
            raise listing.failure
        listing.failure = listing.failure or failure
        return listing

    def _documents(self, made: Sequence[Made], deadline: Deadline) -> Mapping[DocumentKey, Document]:
        """Return the documents that can be read now; the others are called by their numbers."""
        try:
            read = self._coupa.documents(made, deadline) if made else {}
        except ServiceError as failure:
            logger.warning("history without documents code=%s cause=%s", failure.code, failure)
            return {}
        for each in made:
            if document := read.get(each.document_key):
                read[each.document_key] = self._coupa.redacted(document, each.approval)
        return read

    def _answer(
        self, known: Known, documents: Mapping[DocumentKey, Document], style: notice.Style
    ) -> PastDecisions:
        shown = [show(each, documents.get(each.document_key), style) for each in newest(known.made)]
        return PastDecisions(shown, len(known.made), known.is_complete, how_many(known, len(shown), style))
