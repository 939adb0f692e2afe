"""Coupa's approvals: those that wait, those of documents or people, and chains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice, repeat
from typing import Any

from coupa_core.clock import Deadline
from coupa_core.coupa.attributes import APPROVAL_FIELDS, CHAIN_FIELDS
from coupa_core.coupa.rows import PAGE, UNORDERED, RowPage, Rows, id_of, path_id
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
        """List every pending approval of the wanted types, by keyset pages, which no leaving row shifts.

        Never raises for a failing page: the rows that came before it are returned with the failure. A record
        that cannot be read is counted, and hides no other where Coupa lists the ids of its page.
        """
        return self._listed(self._readable(self._asked({}), deadline, deadline))

    def page(self, ids: IdRange, deadline: Deadline, *, since: str = "") -> Page:
        """Read one page of the approvals with these ids, newest first.

        Args:
            ids: the least and the greatest that may be read.
            deadline: for the page.
            since: a time as Coupa wrote it, for approvals of any status that were touched since; without it,
                the pending ones.

        Raises:
            ServiceError: the page did not come, nor did its ids.
        """
        asked = self._asked({})
        if since:
            asked = {**asked, "updated_at[gt_or_eq]": since}
            del asked["status"]
        rows, rest, failure = self._page(asked, ids, deadline, newest_first=True)
        page = Page(rest=rest, failure=failure)
        for approval in map(parse_approval, rows):
            if approval is None:
                page.unreadable += 1
            elif not self._wants(approval) or not (since or approval.is_pending):
                page.unasked += 1
            else:
                (page.pending if approval.is_pending else page.ended).append(approval)
        return page

    def open_of(self, document: Document, deadline: Deadline) -> list[Approval]:
        """Return the approvals of one document that nobody has decided.

        Raises:
            ServiceError: the list did not come complete.
        """
        return self.siblings([document], deadline)[document.type, document.id]

    def siblings(
        self, documents: Iterable[Document], deadline: Deadline, *, insists: bool = True
    ) -> dict[DocumentKey, list[Approval]]:
        """Return the approvals of documents that nobody has decided, by (type, id): some may be on hold.

        Args:
            documents: of any types.
            deadline: for all pages.
            insists: repeats after an unusable answer; otherwise the caller asks about fewer.

        Raises:
            ServiceError: the list did not come complete.
        """
        found: dict[DocumentKey, list[Approval]] = {(each.type, each.id): [] for each in documents}
        numbers = sorted({path_id(number) for _, number in found if number is not None})
        for start in range(0, len(numbers), PAGE):
            asked = self._asked({"approvable_id[in]": ",".join(numbers[start : start + PAGE])}, OPEN)
            rows = self._keyset("approvals", APPROVAL_FIELDS, asked, deadline, insists=insists)
            listing = self._listed(rows, OPEN)
            if listing.failure:
                raise listing.failure
            for approval in listing.approvals:
                if approval.document_key in found:
                    found[approval.document_key].append(approval)
        return found

    def pending_for(self, keys: Iterable[str], deadline: Deadline, *, more: Deadline) -> Listing:
        """List the pending approvals that ask one of these users or groups, as far as they come in time.

        Never raises for a failing page: the rows that came are returned with the failure. A record that
        cannot be read is counted, and affects no other where Coupa lists the ids of its page.

        Args:
            keys: `user:<id>` and `group:<id>`; a group may have the same number as a user.
            deadline: for the first page; without that page there is nothing to show.
            more: for all other pages, so that time is left for further reads.
        """
        deadlines = chain([deadline], repeat(more))
        return self._asking(
            keys, lambda of: self._listed(self._readable(self._asked(of), next(deadlines), more))
        )

    def decided_for(self, keys: Iterable[str], since: datetime, deadline: Deadline, *, most: int) -> Listing:
        """List the approvals that asked one of these users or groups and were decided since then.

        Never raises for a failing page: the rows that came are returned with the failure. The caller checks
        who
        decided: a colleague of a group, or a delegate, may have. A stamp moves without a decision, too, so
            the
        decision may be older.

        Args:
            keys: `user:<id>` and `group:<id>`; a group may have the same number as a user.
            since: aware.
            deadline: for all pages.
            most: the most approvals to read, the newest ids first; a full list may go on.

        Sources: Querying, the sample with `status[in]` and `updated-at[gt_or_eq]` on approvals; `approver-id`
        in https://github.com/moveworks/developer-docs, connectors/coupa. That `approved-by` can be read
        is not published.
        """
        lately = {"updated_at[gt_or_eq]": since.isoformat(timespec="seconds")}
        statuses = (DONE_STATUS[Verb.APPROVE], DONE_STATUS[Verb.REJECT])

        def read(of: Mapping[str, str]) -> Listing:
            asked = self._asked({**of, **lately}, statuses)
            rows = self._readable(asked, deadline, deadline, newest_first=True)
            return self._listed(islice(rows, most), None)

        return self._asking(keys, read)

    def _asking(self, keys: Iterable[str], read: Callable[[Mapping[str, str]], Listing]) -> Listing:
        """List the approvals that ask one of these users or groups, fifty in a question, until one fails."""
        wanted = set(keys)
        numbers = sorted({key.partition(":")[2] for key in wanted})
        found = Listing()
        for start in range(0, len(numbers), PAGE):
            part = read({"approver_id[in]": ",".join(numbers[start : start + PAGE])})
            theirs = [each for each in part.approvals if each.approver_key in wanted]
            found.approvals += theirs
            found.unreadable += part.unreadable
            found.unasked += part.unasked + len(part.approvals) - len(theirs)
            found.failure = part.failure
            if found.failure:
                break
        return found

    def approvals(self, ids: Iterable[int], deadline: Deadline) -> FoundApprovals:
        """Read approvals by id, fifty at once, of any status; the result has the failures.

        Raises:
            ServiceError: Coupa answers nothing useful at all.
        """
        wanted = set(ids)
        read = self._by_ids("approvals", APPROVAL_FIELDS, wanted, deadline)
        found = FoundApprovals(failed=read.failed)
        for row in read.rows:
            approval = parse_approval(row, client=self._client)
            if approval is None or approval.id not in wanted:
                # Either may stand for an approval of the question: then absence proves nothing.
                found.unreadable += 1
            else:
                found.by_id[approval.id] = approval
        return found

    def approval(self, approval_id: int, deadline: Deadline) -> Approval | None:
        """Read one approval; None when Coupa does not know it.

        Raises:
            ServiceError: Coupa did not answer usefully.
        """
        row = self._one("approvals", approval_id, APPROVAL_FIELDS, deadline)
        return parse_approval(row, client=self._client)

    def chains(self, ids: Iterable[int], deadline: Deadline) -> dict[int, Chain]:
        """Read the approval chains of requisitions, fifty at once, by the requisition's id.

        An unreadable chain is left out.

        Raises:
            ServiceError: Coupa answers nothing useful at all.
        """
        rows = self._by_ids("requisitions", CHAIN_FIELDS, ids, deadline).rows
        chains = (parse_chain(row, client=self._client) for row in rows)
        return {chain.id: chain for chain in chains if chain}

    def _asked(self, more: Mapping[str, str], statuses: Sequence[str] = (PENDING,)) -> dict[str, str]:
        """Return the question for approvals of the wanted types with one of these statuses."""
        kinds = {} if "*" in self.types else {"approvable_type[in]": ",".join(self.types)}
        status = {"status": statuses[0]} if len(statuses) == 1 else {"status[in]": ",".join(statuses)}
        return {**status, **more, **kinds}

    def _listed(self, rows: Iterable[Any], statuses: Sequence[str] | None = (PENDING,)) -> Listing:
        """Keep the rows of approvals that have one of these statuses and a wanted type, and are readable.

        Without statuses, any counts.
        """
        listing = Listing()
        try:
            for row in rows:
                approval = parse_approval(row, client=self._client)
                if approval is None:
                    listing.unreadable += 1
                elif not self._wants(approval) or (statuses and approval.status not in statuses):
                    listing.unasked += 1
                else:
                    listing.approvals.append(approval)
        except BridgeError as failure:
            listing.failure = failure
        return listing

    def _readable(
        self, asked: Mapping[str, str], deadline: Deadline, more: Deadline, *, newest_first: bool = False
    ) -> Iterator[Any]:
        """Yield the rows of approvals of all pages, and None for each that cannot be read.

        Raises:
            ServiceError: a page did not come, nor did its ids.
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
        """Return the rows of one page of approvals, None for each that cannot be read.

        A page that fails does not show its ids, so the ids are read first, and then their rows.

        Raises:
            ServiceError: the page did not come, nor did its ids.
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

    def _wants(self, approval: Approval) -> bool:
        return "*" in self.types or approval.approvable_type in self.types
