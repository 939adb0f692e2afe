"""Read the documents of a person's approvals, page by page, and see whose turn it is."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from coupa_core.authority import Decider, Deciders, decider_at
from coupa_core.clock import Deadline
from coupa_core.coupa import Coupa
from coupa_core.errors import ServiceError
from coupa_core.halving import by_halves
from coupa_core.inbox.page import MAX_CARDS
from coupa_core.model import Approval, Document, DocumentKey, Unreadable, has_turn

WHOLE = 50
"""The number of documents in one request. A list of at most this length is read whole, so that its order and
its number are exact; of a longer list only the documents of a page are read.
"""

MAX_PAGES = 3
"""Pages of documents that are read at most, where most of those read are not the person's turn."""

PAGE_S = 2.0
"""The least seconds that must be left for another page of documents."""

NEAR = timedelta(days=7)
"""An approval with a wanted day within this time, or in the past, comes first in the list."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """An approval that asks the person, and as whom they may decide it; its document is not read yet."""

    approval: Approval
    decider: Decider


def theirs(
    email: str, approvals: Iterable[Approval], deciders_of: Mapping[int, Deciders]
) -> tuple[list[Asked], int]:
    """Return a person's approvals, and the number of uncertain ones: the members of a group are not read."""
    ordered = sorted(approvals, key=lambda each: each.id)
    found = [(each, decider_at(email, deciders_of[each.id].people)) for each in ordered]
    asked = [Asked(each, decider) for each, decider in found if decider is not None]
    return asked, sum(decider is None and not deciders_of[each.id].is_certain for each, decider in found)


@dataclass(frozen=True)
class Waiting:
    """One approval of the list, and its place there."""

    approval: Approval
    document: Document
    decider: Decider
    now: datetime

    @property
    def since(self) -> datetime | None:
        """Return when it began to wait for them, as far as Coupa says."""
        return self.document.waits_since(self.approval)

    @property
    def age_days(self) -> int | None:
        """Return the whole days since then."""
        return max(0, (self.now - self.since).days) if self.since else None

    @property
    def need_by(self) -> date | None:
        """Return the day by which the goods are needed."""
        return self.document.needed_on

    @property
    def order(self) -> tuple[date, datetime, int]:
        """Return its sort key: documents that are wanted soon by that day, then by the longest wait."""
        day = self.document.wanted_on(self.now.date())
        is_near = day is not None and day <= (self.now + NEAR).date()
        return (
            day if day and is_near else date.max,
            self.since or datetime.max.replace(tzinfo=UTC),
            self.approval.id,
        )


def oldest(waiting: Sequence[Waiting]) -> int | None:
    """Return the greatest age in days; None if one is unknown: it may be the oldest."""
    ages = [each.age_days for each in waiting]
    return None if None in ages else max(filter(None, ages), default=0 if ages else None)


@dataclass
class DocumentsRead:
    """The result of reading documents.

    Attributes:
        found: approvals whose turn it is.
        unread: approvals whose turn is unknown.
        number: of all approvals that were checked.
        unchecked: the number of the others.
        failed_at_all: no document came; then the next page is not asked for either.
    """

    found: list[Waiting] = field(default_factory=list)
    unread: list[Asked] = field(default_factory=list)
    number: int = 0
    unchecked: int = 0
    failed_at_all: bool = False


class DocumentReads:
    """The reads of documents for a list."""

    def __init__(self, coupa: Coupa) -> None:
        self._coupa = coupa

    def read(self, asked: Sequence[Asked], deadline: Deadline) -> DocumentsRead:
        """Read the documents of a short list, or of a long one as many as make a page, and see whose turn."""
        read = DocumentsRead()
        size = len(asked) if len(asked) <= WHOLE else MAX_CARDS
        for page in range(MAX_PAGES):
            some = asked[page * size : (page + 1) * size]
            is_enough = len(read.found) >= MAX_CARDS or read.failed_at_all
            if not some or (page and (is_enough or deadline.left_s() < PAGE_S)):
                break
            self._read_page(some, read, deadline)
        read.unchecked = len(asked) - read.number
        return read

    def _read_page(self, some: Sequence[Asked], read: DocumentsRead, deadline: Deadline) -> None:
        """Read the documents of some approvals and add what is found; one at fault affects no other."""
        read.number += len(some)
        try:
            documents = self._coupa.documents([each.approval for each in some], deadline)
        except ServiceError as failure:
            logger.warning("list without documents code=%s cause=%s", failure.code, failure)
            read.unread += some
            read.failed_at_all = True
            return
        siblings = self._siblings([each for each in documents.values() if each.needs_siblings], deadline)
        now = self._coupa.now()
        for each in some:
            key = each.approval.document_key
            document = documents.get(key)
            is_unknown = document is not None and document.needs_siblings and key not in siblings
            if document is None or isinstance(document, Unreadable) or is_unknown:
                read.unread.append(each)
            elif has_turn(each.approval, document, siblings.get(key, ())):
                read.found.append(Waiting(each.approval, document, each.decider, now))

    def _siblings(
        self, documents: Sequence[Document], deadline: Deadline
    ) -> dict[DocumentKey, list[Approval]]:
        """Return the open approvals of documents of which these can be read."""

        def ask(some: Sequence[Document]) -> Iterable[tuple[DocumentKey, list[Approval]]]:
            return self._coupa.siblings(some, deadline, insists=len(documents) == 1).items()

        try:
            return dict(by_halves(documents, ask).rows)
        except ServiceError as failure:
            logger.warning("list without siblings code=%s cause=%s", failure.code, failure)
            return {}
