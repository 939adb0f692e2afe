"""Read Coupa's approvals: pending ones, those of documents or people, and approval chains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice, repeat
from typing import Any

from coupa_core.clock import Deadline
from coupa_core.coupa.fields import APPROVAL_FIELDS, CHAIN_FIELDS
from coupa_core.coupa.rows import UNORDERED, RowPage, Rows, id_of, in_pages, path_id
from coupa_core.errors import BridgeError, Malformed, ServiceError
from coupa_core.model import (
    ALL_IDS,
    DONE_STATUS,
    OPEN,
    PENDING,
    Approval,
    Chain,
    Document,
    DocumentKey,
    FoundApprovals,
    IdRange,
    Listing,
    Page,
    Verb,
    parse_approval,
    parse_chain,
)


class Approvals(Rows):
    """The reads of approvals."""

    def pending(self, deadline: Deadline) -> Listing:
        """List every pending approval of the wanted types, by keyset pages, which no ended approval shifts.

        Never raises for a failed page: the listing has the rows before it, and the failure. It counts
        unreadable records; they hide no others if Coupa lists the ids of their page.
        """
        return self._listed(self._readable(self._filters({}), deadline, deadline))

    def page(self, ids: IdRange, deadline: Deadline, *, since: str = "") -> Page:
        """Read one page of the approvals with these ids, newest first.

        Args:
            ids: the range of ids to read, both ends included.
            deadline: the deadline for the page.
            since: a time as Coupa wrote it: read approvals of any status that were updated since then; empty
                for the pending ones.

        Raises:
            ServiceError: neither the page nor its ids could be read.
        """
        asked = self._filters({})
        if since:
            asked = {**asked, "updated_at[gt_or_eq]": since}
            del asked["status"]
        rows, rest, failure = self._page(asked, ids, deadline, newest_first=True)
        page = Page(rest=rest, failure=failure)
        for approval in map(parse_approval, rows):
            if approval is None:
                page.unreadable += 1
            elif not self._is_wanted(approval) or not (since or approval.is_pending):
                page.unasked += 1
            else:
                (page.pending if approval.is_pending else page.ended).append(approval)
        return page

    def open_of(self, document: Document, deadline: Deadline) -> list[Approval]:
        """Return the undecided approvals of one document.

        Raises:
            ServiceError: the list could not be read completely.
        """
        return self.siblings([document], deadline)[document.type, document.id]

    def siblings(
        self, documents: Iterable[Document], deadline: Deadline, *, insists: bool = True
    ) -> dict[DocumentKey, list[Approval]]:
        """Return the undecided approvals of documents, by (type, id); some may be on hold.

        Args:
            documents: documents of any types.
            deadline: the deadline for all pages.
            insists: retry after an unusable answer; otherwise the caller splits the request.

        Raises:
            ServiceError: the list could not be read completely.
        """
        found: dict[DocumentKey, list[Approval]] = {(each.type, each.id): [] for each in documents}
        numbers = sorted({path_id(number) for _, number in found if number is not None})
        for some in in_pages(numbers):
            asked = self._filters({"approvable_id[in]": ",".join(some)}, OPEN)
            rows = self._keyset("approvals", APPROVAL_FIELDS, asked, deadline, insists=insists)
            listing = self._listed(rows, OPEN)
            if listing.failure:
                raise listing.failure
            for approval in listing.approvals:
                if approval.document_key in found:
                    found[approval.document_key].append(approval)
        return found

    def pending_for(self, keys: Iterable[str], deadline: Deadline, *, more: Deadline) -> Listing:
        """List the pending approvals of these users and groups, as many as the deadlines allow.

        Never raises for a failed page: the listing has the rows before it, and the failure. It counts
        unreadable records; they hide no others if Coupa lists the ids of their page.

        Args:
            keys: `user:<id>` and `group:<id>`; a group may have the same number as a user.
            deadline: the deadline for the first page, without which there is nothing to show.
            more: the deadline for all other pages, which leaves time for further reads.
        """
        deadlines = chain([deadline], repeat(more))
        return self._listed_for(
            keys, lambda of: self._listed(self._readable(self._filters(of), next(deadlines), more))
        )

    def decided_for(self, keys: Iterable[str], since: datetime, deadline: Deadline, *, most: int) -> Listing:
        """List the decided approvals of these users and groups that were updated since then.

        Never raises for a failed page: the listing has the rows before it, and the failure. The caller checks
        who decided, because another member of the group or a delegate may have, and when, because an update
        may be later than the decision.

        Args:
            keys: `user:<id>` and `group:<id>`; a group may have the same number as a user.
            since: aware.
            deadline: the deadline for all pages.
            most: the most approvals to read, the newest ids first; a full list may be incomplete.

        Sources: Querying, the sample with `status[in]` and `updated-at[gt_or_eq]` on approvals; `approver-id`
        in https://github.com/moveworks/developer-docs, connectors/coupa. That `approved-by` can be read
        is not published.
        """
        lately = {"updated_at[gt_or_eq]": since.isoformat(timespec="seconds")}
        statuses = (DONE_STATUS[Verb.APPROVE], DONE_STATUS[Verb.REJECT])

        def read(of: Mapping[str, str]) -> Listing:
            asked = self._filters({**of, **lately}, statuses)
            rows = self._readable(asked, deadline, deadline, newest_first=True)
            return self._listed(islice(rows, most), None)

        return self._listed_for(keys, read)

    def _listed_for(self, keys: Iterable[str], read: Callable[[Mapping[str, str]], Listing]) -> Listing:
        """List the approvals of these users and groups, fifty in a request, up to the first failure."""
        wanted = set(keys)
        numbers = sorted({key.partition(":")[2] for key in wanted})
        found = Listing()
        for some in in_pages(numbers):
            part = read({"approver_id[in]": ",".join(some)})
            theirs = [each for each in part.approvals if each.approver_key in wanted]
            found.approvals += theirs
            found.unreadable += part.unreadable
            found.unasked += part.unasked + len(part.approvals) - len(theirs)
            found.failure = part.failure
            if found.failure:
                break
        return found

    def approvals(self, ids: Iterable[int], deadline: Deadline) -> FoundApprovals:
        """Read approvals of any status by id, fifty in a request; the result has the failures.

        Raises:
            ServiceError: every request failed.
        """
        wanted = set(ids)
        read = self._by_ids("approvals", APPROVAL_FIELDS, wanted, deadline)
        found = FoundApprovals(failed=read.failed)
        for row in read.rows:
            approval = parse_approval(row, client=self._client)
            if approval is None or approval.id not in wanted:
                # Either may be one of the requested approvals, so the absence of an id proves nothing.
                found.unreadable += 1
            else:
                found.by_id[approval.id] = approval
        return found

    def approval(self, approval_id: int, deadline: Deadline) -> Approval | None:
        """Read one approval; None when Coupa does not know it.

        Raises:
            ServiceError: the request failed.
        """
        row = self._one("approvals", approval_id, APPROVAL_FIELDS, deadline)
        return parse_approval(row, client=self._client)

    def chains(self, ids: Iterable[int], deadline: Deadline) -> dict[int, Chain]:
        """Read the approval chains of requisitions by their ids, fifty in a request, without unreadable ones.

        Raises:
            ServiceError: every request failed.
        """
        rows = self._by_ids("requisitions", CHAIN_FIELDS, ids, deadline).rows
        chains = (parse_chain(row, client=self._client) for row in rows)
        return {chain.id: chain for chain in chains if chain}

    def _filters(self, more: Mapping[str, str], statuses: Sequence[str] = (PENDING,)) -> dict[str, str]:
        """Return the query filters for approvals of the wanted types with one of these statuses."""
        kinds = {} if "*" in self.types else {"approvable_type[in]": ",".join(self.types)}
        status = {"status": statuses[0]} if len(statuses) == 1 else {"status[in]": ",".join(statuses)}
        return {**status, **more, **kinds}

    def _listed(self, rows: Iterable[Any], statuses: Sequence[str] | None = (PENDING,)) -> Listing:
        """List the readable approvals of the wanted types with one of these statuses; None accepts any.

        The listing counts the others.
        """
        listing = Listing()
        try:
            for row in rows:
                approval = parse_approval(row, client=self._client)
                if approval is None:
                    listing.unreadable += 1
                elif not self._is_wanted(approval) or (statuses and approval.status not in statuses):
                    listing.unasked += 1
                else:
                    listing.approvals.append(approval)
        except BridgeError as failure:
            listing.failure = failure
        return listing

    def _readable(
        self, asked: Mapping[str, str], deadline: Deadline, more: Deadline, *, newest_first: bool = False
    ) -> Iterator[Any]:
        """Yield the rows of all pages, and None for each unreadable approval.

        Raises:
            ServiceError: neither a page nor its ids could be read.
        """
        ids: IdRange | None = ALL_IDS
        while ids is not None:
            rows, ids, failure = self._page(asked, ids, deadline, newest_first=newest_first)
            yield from rows
            if failure is not None:
                raise failure
            deadline = more

    def _page(
        self, asked: Mapping[str, str], ids: IdRange, deadline: Deadline, *, newest_first: bool = False
    ) -> RowPage:
        """Return the rows of one page, and None for each unreadable approval.

        After a failed page, its ids are read first, and then the rows by id.

        Raises:
            ServiceError: neither the page nor its ids could be read.
        """
        try:
            return self._rows_of(
                "approvals", APPROVAL_FIELDS, asked, ids, deadline, insists=False, newest_first=newest_first
            )
        except ServiceError as failure:
            if failure.code == UNORDERED or not failure.may_be_of_one:
                raise
        named = self._rows_of("approvals", ["id"], asked, ids, deadline, newest_first=newest_first)
        numbers = list(map(id_of, named.rows))
        if named.failure is not None or 0 in numbers:
            raise Malformed(UNORDERED, "Coupa did not list the ids of approvals")
        read = self._by_ids("approvals", APPROVAL_FIELDS, numbers, deadline)
        unread = [None for cause in read.failed.values() if cause.may_be_of_one]
        why = next((cause for cause in read.failed.values() if not cause.may_be_of_one), None)
        return RowPage([*read.rows, *unread], named.rest, why)

    def _is_wanted(self, approval: Approval) -> bool:
        return "*" in self.types or approval.approvable_type in self.types
