"""Coupa over HTTP: pending approvals, documents, people, the three decisions, and comments.

It knows Coupa's resources and nothing of notices or the ledger. Reads are repeated within the caller's
deadline; a decision is sent once, and the caller reads back.

Sources: "Coupa Core API" (approvals, requisitions, querying options, operators),
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice, repeat
from typing import Any, NamedTuple

from coupa_core.clock import Deadline
from coupa_core.coupa.access import Access
from coupa_core.coupa.fields import COMMENT_FIELDS, COMMENTS, DOCUMENT_FIELDS, ORDER_FIELDS
from coupa_core.documents import READABLE, Order, OrderChange, Readable, enabled, parse_document
from coupa_core.errors import BridgeError, Denied, Malformed, Refused, ServiceError
from coupa_core.halving import MAX_ALONE, PartialResult, by_halves
from coupa_core.http_client import ServiceResponse
from coupa_core.model import (
    ALL_IDS,
    DONE_STATUS,
    MAX_ID,
    OPEN,
    PENDING,
    Approval,
    Chain,
    Comment,
    Delegation,
    Document,
    DocumentKey,
    DocumentKind,
    FoundApprovals,
    IdRange,
    Listing,
    Member,
    Naming,
    Page,
    Unreadable,
    Verb,
    parse_approval,
    parse_chain,
    parse_comment,
    parse_delegation,
    parse_person,
)
from coupa_core.sensitive import Sensitive

PLAIN_S = 3_600.0
"""How long documents are read without the fields for facts, after none could be read with them."""

PAGE = 50
"""Records in one answer, and ids in one question. Source: "Querying options"."""

_USER_FIELDS = ["id", "login", "email", "firstname", "lastname", "fullname", "active", "default-locale"]
_REPORT_FIELDS: list[Any] = [*_USER_FIELDS, {"manager": ["id"]}]
_MEMBER_FIELDS: list[Any] = [*_USER_FIELDS, {"approval_groups": ["id"]}]
APPROVAL_FIELDS: list[Any] = [
    "id",
    "status",
    "approvable-type",
    "approvable-id",
    "approver-id",
    "approver-type",
    "type",
    "approval-date",
    "position",
    "parallel-group-name",
    "holdable",
    "note",
    "created-at",
    "updated-at",
    {"approver": [*_USER_FIELDS, "name", {"users": _USER_FIELDS}]},
    {"approved-by": ["id", "login", "email", "fullname"]},
    {"updated-by": ["id"]},
    {"delegate": _USER_FIELDS},
    {"delegates": ["id", {"approver": _USER_FIELDS}]},
]
_DELEGATION_FIELDS = [
    "id",
    "delegator-id",
    "delegate-id",
    "start-date",
    "end-date",
    "approval-delegate",
    {"delegate": _USER_FIELDS},
]
CHAIN_FIELDS = [
    "id",
    "status",
    {"approvals": APPROVAL_FIELDS},
    {"current-approval": ["id"]},
    {"current_parallel_approvals": ["id"]},
]
_COMMENT_FIELDS: list[Any] = [*COMMENT_FIELDS, "commentable-id"]
_CLOSED_TO_US = ("coupa_400", "coupa_403", "coupa_404")
"""Statuses that concern one resource: its scope or module is missing, or it does not know an attribute."""

_UNORDERED = "coupa_pages"

logger = logging.getLogger(__name__)


class _Rows(NamedTuple):
    """One page of raw rows.

    Attributes:
        rows: of the answer.
        rest: the ids that are not read yet; None for no more.
        failure: the error for which the rest is unknown: a wrong order, or missing rows.
    """

    rows: list[Any]
    rest: IdRange | None = None
    failure: ServiceError | None = None


class Coupa:
    """One Coupa instance.

    Args:
        access: requests with our client's rights.
        types: approvable types that we look at; `("*",)` for all.
        client: the login of our client's user in Coupa, which identifies our own texts; empty where it is
            unknown.
        sensitive: finds the documents that chat may not show; None for none.
        fields: the fields to read of each kind of document, with those for facts. A document that cannot be
            read with them is read without those for facts.
    """

    def __init__(
        self,
        access: Access,
        *,
        types: tuple[str, ...],
        client: str = "",
        sensitive: Sensitive | None = None,
        fields: Mapping[DocumentKind, list[Any]] = DOCUMENT_FIELDS,
    ) -> None:
        self._access = access
        self.types = types
        self._client = client
        self._sensitive = sensitive or Sensitive()
        self._fields = fields
        self._plain_until: datetime | None = None
        self.read_plainly = 0
        """The count of documents that were read without the fields for facts."""

    # ------------------------------------------------------------------ approvals

    def now(self) -> datetime:
        """Return the time by Coupa's clock."""
        return self._access.now()

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

    # ------------------------------------------------------------------ documents and people

    def documents(self, naming: Iterable[Naming], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the documents that are named, each type from its own resource, fifty at once, by (type, id).

        A document of an unknown type has type and id only. A document or a type that cannot be read gives
        `Unreadable` documents, and affects no other. A document that Coupa does not return is left out. A
        sensitive document is redacted, also where only its approval is sensitive; a document that a row
        names, and no approval, needs `redacted` as well.

        Raises:
            ServiceError: Coupa answers nothing useful at all.
        """
        named = list(naming)
        sensitive = {
            each.document_key for each in named if isinstance(each, Approval) and self._sensitive.asks(each)
        }
        documents: dict[DocumentKey, Document] = {}
        wanted: dict[str, set[int]] = defaultdict(set)
        for kind, number in (each.document_key for each in named):
            if number is not None and kind in READABLE:
                wanted[kind].add(number)
            elif number is not None:
                documents[kind, number] = Document(type=kind, id=number)
        for place, (kind, numbers) in enumerate(wanted.items()):
            # A type that takes long leaves time for the others.
            share = deadline.within(deadline.left_s() / (len(wanted) - place))
            documents |= self._of_type(kind, numbers, share, is_alone=len(wanted) == 1)
        _see_that_coupa_answers(documents.values(), sum(map(len, wanted.values())))
        return {key: each.redacted() if key in sensitive else each for key, each in documents.items()}

    def redacted(self, document: Document, approval: Approval | None) -> Document:
        """Return the document, redacted where chat may not show it for this approval."""
        return self._sensitive.redact_for(approval, document)

    def document(self, approval: Approval, deadline: Deadline) -> Document | None:
        """Read the document of one approval; None when Coupa does not know it.

        Raises:
            ServiceError: Coupa did not answer usefully, or does not let us read it.
        """
        kind, number = approval.document_key
        if number is None:
            return None
        if kind not in READABLE:
            return Document(type=kind, id=number)
        read = self._documents(kind, [number], deadline)
        for failure in read.failed.values():
            raise failure
        document = self._parsed(kind, read.rows, deadline).get((kind, number))
        if isinstance(document, Unreadable) and document.failure:
            raise document.failure
        return self.redacted(document, approval) if document else None

    def chains(self, ids: Iterable[int], deadline: Deadline) -> dict[int, Chain]:
        """Read the approval chains of requisitions, fifty at once, by the requisition's id.

        An unreadable chain is left out.

        Raises:
            ServiceError: Coupa answers nothing useful at all.
        """
        rows = self._by_ids("requisitions", CHAIN_FIELDS, ids, deadline).rows
        chains = (parse_chain(row, client=self._client) for row in rows)
        return {chain.id: chain for chain in chains if chain}

    def readable(self, types: Iterable[str]) -> list[str]:
        """Return which of these types of documents are wanted and can be read."""
        return list(enabled(set(types) if "*" in self.types else set(types) & set(self.types)))

    def edited(
        self, kind: str, since: str, ids: IdRange, deadline: Deadline
    ) -> tuple[dict[DocumentKey, str], IdRange | None]:
        """Read one page, newest first, of the documents of a type that were touched since a stamp.

        The page has documents that wait, or went back to draft.

        Args:
            kind: one of those that are `readable`.
            since: a time as Coupa wrote it.
            ids: the least and the greatest that may be read.
            deadline: for the page.

        Returns:
            `updated-at` by (type, id), and the ids that are not read yet; None for no more.

        Raises:
            ServiceError: the page did not come.
        """
        asked = {"status[in]": f"{PENDING},draft", "updated_at[gt_or_eq]": since}
        rows, rest, failure = self._rows_of(
            READABLE[kind].resource,
            ["id", "updated-at"],
            asked,
            ids,
            deadline,
            insists=False,
            newest_first=True,
        )
        if failure is not None:
            raise failure
        documents = [document for row in rows if (document := parse_document(kind, row))]
        return {(kind, each.id): each.updated_at or "" for each in documents}, rest

    def people(self, emails: Iterable[str], deadline: Deadline, *, insists: bool = True) -> list[Member]:
        """Return the users with these e-mail addresses, with the groups that they approve in.

        Args:
            emails: of users of Coupa.
            deadline: for all pages.
            insists: repeats after an unusable answer; otherwise the caller asks about fewer.

        Raises:
            ServiceError: Coupa did not answer usefully.
        """
        wanted = sorted(set(emails))
        found: list[Member] = []
        for start in range(0, len(wanted), PAGE):
            asked = {"email[in]": ",".join(wanted[start : start + PAGE])}
            found += _people(self._keyset("users", _MEMBER_FIELDS, asked, deadline, insists=insists))
        return found

    def users(self, ids: Iterable[int], deadline: Deadline) -> PartialResult[int, Member]:
        """Return the users with these ids, each with the id of its manager, and the ids that cannot be read.

        Raises:
            ServiceError: Coupa answers nothing useful at all.
        """
        read = self._by_ids("users", _REPORT_FIELDS, ids, deadline)
        return PartialResult(_people(read.rows), read.failed)

    def members(self, groups: Mapping[int, str | None], deadline: Deadline) -> dict[int, list[Member]]:
        """Return the members of approval groups, by the id of the group.

        Asked by the groups that each user names as `approval-groups`. Where Coupa refuses that filter, each
        group is read by its id, and taken only if it has the expected name: whether approval groups and user
        groups share their numbers is not documented.

        Args:
            groups: the name of each group by its id.
            deadline: for all pages.

        Raises:
            ServiceError: Coupa did not answer usefully.
        """
        found: dict[int, list[Member]] = {number: [] for number in groups}
        try:
            for person in self._users_in(sorted(groups), deadline):
                for group in person.approval_groups:
                    if group.id in found:
                        found[group.id].append(person)
        except Refused as refused:
            if refused.status != 400:  # noqa: PLR2004
                raise
            return {number: self._group(number, name, deadline) for number, name in groups.items()}
        return found

    def _users_in(self, groups: list[int], deadline: Deadline) -> Iterator[Member]:
        for start in range(0, len(groups), PAGE):
            numbers = ",".join(path_id(number) for number in groups[start : start + PAGE])
            asked = {"approval_groups[id][in]": numbers}
            yield from _people(self._keyset("users", _MEMBER_FIELDS, asked, deadline))

    def _group(self, number: int, name: str | None, deadline: Deadline) -> list[Member]:
        """Return the users of one group, if it has the expected name."""
        row = self._one("user_groups", number, ["id", "name", {"users": _USER_FIELDS}], deadline)
        if not isinstance(row, dict) or name is None or row.get("name") != name:
            return []
        users = row.get("users")
        return _people(users if isinstance(users, list) else [])

    def delegations(self, deadline: Deadline) -> list[Delegation]:
        """Return the delegations that end today or later; the caller checks which of them hold.

        Raises:
            ServiceError: Coupa did not answer usefully; 403 or 404 where this client may not read them.
        """
        yesterday = (self.now() - timedelta(days=1)).isoformat(timespec="seconds")
        rows = self._keyset("delegations", _DELEGATION_FIELDS, {"end_date[gt_or_eq]": yesterday}, deadline)
        return [delegation for delegation in map(parse_delegation, rows) if delegation]

    # ------------------------------------------------------------------ decisions

    def decide(self, approval_id: int, verb: Verb, *, reason: str, deadline: Deadline) -> int:
        """Approve, reject or hold, once.

        Args:
            approval_id: a pending approval.
            verb: which of Coupa's actions.
            reason: the text that Coupa shows as our comment; a query parameter.
            deadline: for the exchange.

        Returns:
            The id of the record that Coupa answered with, 0 for no record. Sources differ on whether that is
            the approval or its document; anything else did not come from Coupa, and proves nothing.

        Raises:
            Refused: Coupa said no; usually it is not pending any more.
            Unavailable: surely not sent.
            Unknown: it may have taken effect; read the approval.

        Source: Approvals API, "Approve", "Reject", "Hold".
        """
        path = f"/api/approvals/{path_id(approval_id)}/{verb.value}"
        reply = self._access.send("PUT", path, {"reason": reason}, deadline)
        if not reply.ok:
            raise self._access.failure(reply, "PUT", "approvals", f"{verb.value} approval {approval_id}")
        return _answered_id(reply)

    def comment(self, document: Document, text: str, deadline: Deadline) -> int:
        """Write a comment on a document, once; Coupa shows our client as its author.

        Args:
            document: of a kind that takes comments; see `commented_on`.
            text: of the comment; `@[User:<id>]` mentions a user, whom Coupa then notifies.
            deadline: for the exchange.

        Returns:
            The id of the comment that Coupa answered with; 0 for anything else, which proves nothing.

        Raises:
            Refused: Coupa said no.
            Unavailable: surely not sent.
            Unknown: it may have taken effect.

        Source: "Comments API", .../the-coupa-core-api/resources/shared-resources/comments-api
        """
        path = f"/api/{READABLE[document.type].comments_at}/{path_id(document.commented_on or 0)}/comments"
        reply = self._access.send("POST", path, {}, deadline, payload={"comments": text})
        if not reply.ok:
            raise self._access.failure(reply, "POST", "comments", f"comment on {document.type} {document.id}")
        return _answered_id(reply)

    def comments(
        self, places: Iterable[tuple[str, int]], deadline: Deadline, *, since: int = 1
    ) -> dict[tuple[str, int], tuple[Comment, ...]]:
        """Read the comments on documents, fifty documents of a kind in one call.

        Args:
            places: the type of each document, and the id of the record that has its comments.
            deadline: for all calls.
            since: the least id of a comment that is of interest, where they can be asked for by it.

        Returns:
            The comments by place, without places that could not be read.

        Raises:
            ServiceError: no place could be read.

        Source: "Comments API", .../the-coupa-core-api/resources/shared-resources/comments-api, which names
        `commentable-type` and `commentable-id`; that a list is filtered by them is seen in a public client
        only (IBM's agent-ready tools, "get_all_comments").
        """
        found: dict[tuple[str, int], tuple[Comment, ...]] = {}
        failure: ServiceError | None = None
        wanted: dict[str, set[int]] = defaultdict(set)
        for kind, number in places:
            wanted[kind].add(number)
        for kind, numbers in wanted.items():
            source = READABLE[kind]
            try:
                read = (
                    self._beside(source, numbers, since, deadline)
                    if source.comments_as
                    else (self._inside(kind, numbers, deadline))
                )
            except ServiceError as error:
                failure = error
                logger.warning("comments not read type=%s code=%s cause=%s", kind, error.code, error)
            else:
                found |= {(kind, number): each for number, each in read.items()}
        if failure is not None and not found:
            raise failure
        return found

    def _inside(
        self, kind: str, numbers: Iterable[int], deadline: Deadline
    ) -> dict[int, tuple[Comment, ...]]:
        """Read the comments that come with their documents."""
        rows = self._by_ids(READABLE[kind].resource, ["id", COMMENTS], numbers, deadline).rows
        documents = (parse_document(kind, row, client=self._client) for row in rows)
        return {each.id: each.comments for each in documents if each}

    def _beside(
        self, source: type[Readable], numbers: Iterable[int], since: int, deadline: Deadline
    ) -> dict[int, tuple[Comment, ...]]:
        """Read the comments from a separate list."""
        ordered = sorted(numbers)
        found: dict[int, list[Comment]] = {number: [] for number in ordered}
        for start in range(0, len(ordered), PAGE):
            some = ",".join(path_id(number) for number in ordered[start : start + PAGE])
            asked = {"commentable_type": source.comments_as, "commentable_id[in]": some}
            for comment in self._newest_comments(asked, since, deadline):
                if comment.commentable_id in found:
                    found[comment.commentable_id].append(comment)
        return {number: tuple(each[::-1]) for number, each in found.items()}

    def _newest_comments(self, asked: Mapping[str, str], since: int, deadline: Deadline) -> Iterator[Comment]:
        """Yield the pages of the list of comments, the newest first, as long as a page is full."""
        ids: IdRange | None = (since, ALL_IDS[1])
        while ids is not None:
            rows, ids, failure = self._rows_of(
                "comments", _COMMENT_FIELDS, asked, ids, deadline, newest_first=True
            )
            if failure is not None:
                raise failure
            yield from filter(None, (parse_comment(row, client=self._client) for row in rows))
            ids = ids if len(rows) == PAGE else None

    # ------------------------------------------------------------------ reading

    def _of_type(
        self, kind: str, numbers: Iterable[int], deadline: Deadline, *, is_alone: bool
    ) -> dict[DocumentKey, Document]:
        """Read documents of one type; all are `Unreadable` where the type is, or takes too long."""
        try:
            return self._read(kind, numbers, deadline)
        except ServiceError as failure:
            is_out_of_time = deadline.left_s() <= 0 and not is_alone
            if not failure.may_be_of_one and not is_out_of_time:
                raise
            return _unreadable(kind, numbers, failure)

    def _read(self, kind: str, numbers: Iterable[int], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read documents of one type; each that cannot be read is `Unreadable`."""
        read = self._documents(kind, numbers, deadline)
        failures = list(read.failed.values())
        if failures and not read.rows and all(each.code in _CLOSED_TO_US for each in failures):
            raise failures[0]  # the type seems to be at fault
        documents = self._parsed(kind, read.rows, deadline)
        for number, failure in read.failed.items():
            documents |= _unreadable(kind, [number], failure, alone=True)
        return documents

    def _documents(self, kind: str, ids: Iterable[int], deadline: Deadline) -> PartialResult[int, Any]:
        """Return the rows of documents of one type; where the fields for facts fail, read without them.

        Raises:
            ServiceError: Coupa answers nothing useful at all.
        """
        source, numbers = READABLE[kind], sorted(set(ids))
        plain, fields = DOCUMENT_FIELDS[source.kind], self._fields[source.kind]
        if fields == plain:
            return self._by_ids(source.resource, plain, numbers, deadline)
        if self._plain_until is not None and self.now() < self._plain_until:
            self.read_plainly += len(numbers)
            return self._by_ids(source.resource, plain, numbers, deadline)
        try:
            read = self._by_ids(source.resource, fields, numbers, deadline)
        except ServiceError as failure:
            if not _may_be_of_fields(failure):
                raise
            read = PartialResult(failed=dict.fromkeys(numbers, failure))
        left = {number: each for number, each in read.failed.items() if _may_be_of_fields(each)}
        if not left:
            return read
        try:
            again = self._plainly(kind, left, deadline)
        except ServiceError:
            if not read.rows:
                raise
            return read
        if len(again.rows) > 1 and not read.rows:  # one may be at fault itself
            self._plain_until = self.now() + timedelta(seconds=PLAIN_S)
        known = {number: each for number, each in read.failed.items() if number not in left}
        return PartialResult([*read.rows, *again.rows], {**known, **again.failed})

    def _plainly(
        self, kind: str, left: Mapping[int, ServiceError], deadline: Deadline
    ) -> PartialResult[int, Any]:
        """Read documents again without the fields for facts; keep the cause of each."""
        source = READABLE[kind]
        read = self._by_ids(source.resource, DOCUMENT_FIELDS[source.kind], left, deadline)
        if read.rows:
            cause = next(iter(left.values()))
            text = "documents read without what leads to facts code=%s type=%s documents=%d cause=%s"
            logger.error(text, cause.code, kind, len(read.rows), cause)
            self.read_plainly += len(read.rows)
        return read

    def _parsed(self, kind: str, rows: Iterable[Any], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Parse documents of one type; a change of an order gets the order's total beside it."""
        documents: dict[DocumentKey, Document] = {}
        for row in rows:
            if document := parse_document(kind, row, client=self._client):
                documents[kind, document.id] = document
        changes = {key: each for key, each in documents.items() if isinstance(each, OrderChange)}
        documents |= self._with_old_totals(changes, deadline)
        return {key: self._sensitive.redact(each) for key, each in documents.items()}

    def _with_old_totals(
        self, changes: Mapping[DocumentKey, OrderChange], deadline: Deadline
    ) -> dict[DocumentKey, Document]:
        """Add the present totals of the orders; where orders are closed to us, a change is shown without.

        An order that fails for another reason may be readable a moment later. A change with the order's total
        has other content than one without it, so such a change counts as unreadable, too.
        """
        orders = {each.order_header_id for each in changes.values() if each.order_header_id}
        try:
            read = self._by_ids("purchase_orders", ORDER_FIELDS, orders, deadline)
        except (Denied, Refused) as failure:
            logger.warning("orders not readable code=%s cause=%s", failure.code, failure)
            return {}
        parsed = [Order.model_validate(row) for row in read.rows if isinstance(row, dict)]
        found = {order.id: order for order in parsed}
        documents: dict[DocumentKey, Document] = {}
        for key, each in changes.items():
            why = read.failed.get(each.order_header_id or 0)
            order = found.get(each.order_header_id)
            if why is not None and why.code not in _CLOSED_TO_US:
                documents |= _unreadable(each.type, [each.id], why, alone=True)
            elif order is not None:
                total = order.total_in(each.currency)
                documents[key] = each.model_copy(update={"old_total": total})
        return documents

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
    ) -> _Rows:
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
            if failure.code == _UNORDERED or not failure.may_be_of_one:
                raise
        named = self._rows_of("approvals", ["id"], asked, ids, deadline, newest_first=newest_first)
        numbers = list(map(id_of, named.rows))
        if named.failure is not None or 0 in numbers:
            raise Malformed(_UNORDERED, "Coupa did not list the ids of approvals")
        read = self._by_ids("approvals", APPROVAL_FIELDS, numbers, deadline)
        unread = [None for cause in read.failed.values() if cause.may_be_of_one]
        why = next((cause for cause in read.failed.values() if not cause.may_be_of_one), None)
        return _Rows([*read.rows, *unread], named.rest, why)

    def _wants(self, approval: Approval) -> bool:
        return "*" in self.types or approval.approvable_type in self.types

    def _keyset(
        self,
        resource: str,
        fields: list[Any],
        asked: Mapping[str, str],
        deadline: Deadline,
        *,
        insists: bool = True,
    ) -> Iterator[Any]:
        """Yield the rows of all pages, each page asked for by the last id of the one before."""
        ids: IdRange | None = ALL_IDS
        while ids is not None:
            rows, ids, failure = self._rows_of(resource, fields, asked, ids, deadline, insists=insists)
            yield from rows
            if failure is not None:
                raise failure

    def _rows_of(
        self,
        resource: str,
        fields: list[Any],
        asked: Mapping[str, str],
        ids: IdRange,
        deadline: Deadline,
        *,
        insists: bool = True,
        newest_first: bool = False,
    ) -> _Rows:
        """Return one page of the rows with these ids.

        The last page is the empty one: Coupa may answer fewer rows than it is asked for.
        """
        low, high = ids
        query = {
            **asked,
            "id[gt]": str(low - 1),
            **({} if high == ALL_IDS[1] else {"id[lt]": str(high + 1)}),
            "order_by": "id",
            "dir": "desc" if newest_first else "asc",
            "limit": str(PAGE),
            "fields": _compact(fields),
        }
        body = self._access.read(resource, f"/api/{resource}", query, deadline, insists=insists)
        rows = rows_in(body, resource)
        numbers = [number for number in map(id_of, rows) if number]
        if not numbers and len(rows) < PAGE:
            return _Rows(rows)  # paging cannot go past rows without an id, and they do not fill a page
        is_ordered = numbers == sorted(numbers, reverse=newest_first)
        if not numbers or not is_ordered or not low <= min(numbers) <= max(numbers) <= high:
            failure = Malformed(_UNORDERED, f"Coupa did not page {resource} by id between {low} and {high}")
            return _Rows(rows, failure=failure)
        rest = (low, numbers[-1] - 1) if newest_first else (numbers[-1] + 1, high)
        return _Rows(rows, rest if rest[0] <= rest[1] else None)

    def _by_ids(
        self, resource: str, fields: list[Any], ids: Iterable[int], deadline: Deadline
    ) -> PartialResult[int, Any]:
        """Return the rows with these ids, fifty at once, fewer where that fails."""
        numbers = sorted(set(ids))

        def ask(some: Sequence[int]) -> list[Any]:
            query = {
                "id[in]": ",".join(path_id(number) for number in some),
                "limit": str(PAGE),
                "fields": _compact(fields),
            }
            insists = len(numbers) == 1
            body = self._access.read(resource, f"/api/{resource}", query, deadline, insists=insists)
            return rows_in(body, resource)

        def ask_all(some: Sequence[int]) -> list[Any]:
            """Ask again for missing rows: Coupa may answer fewer rows than it is asked for."""
            rows = ask(some)
            left = set(some) - set(map(id_of, rows))
            has_come = len(left) < len(some)
            while left and has_come:
                more = [row for row in ask(sorted(left)) if id_of(row) in left]
                rows += more
                left -= set(map(id_of, more))
                has_come = bool(more)
            return rows

        found: PartialResult[int, Any] = PartialResult()
        for start in range(0, len(numbers), PAGE):
            part = by_halves(numbers[start : start + PAGE], ask_all)
            found.rows += part.rows
            found.failed |= part.failed
        return found

    def _one(self, resource: str, number: int, fields: list[Any], deadline: Deadline) -> Any:
        """Return one record, or None when Coupa answers 404 or another record."""
        try:
            path = f"/api/{resource}/{path_id(number)}"
            row = self._access.read(resource, path, {"fields": _compact(fields)}, deadline)
        except Refused as refused:
            if refused.status == 404:  # noqa: PLR2004
                return None
            raise
        if not isinstance(row, dict) or id_of(row) != number:
            raise Malformed("coupa_record", f"Coupa did not answer with {resource} {number}")
        return row


def _see_that_coupa_answers(documents: Iterable[Document], asked: int) -> None:
    """Raise the failure of all documents of the question, where Coupa itself is at fault."""
    failures = [each.failure for each in documents if isinstance(each, Unreadable) and each.failure]
    is_away = len(failures) >= MAX_ALONE or not all(each.may_be_of_one for each in failures)
    if failures and is_away and len(failures) == asked:
        raise failures[0]


def _unreadable(
    kind: str, numbers: Iterable[int], failure: ServiceError, *, alone: bool = False
) -> dict[DocumentKey, Document]:
    """Return unreadable documents, with the cause: a closed type, or one failure."""
    scope = READABLE[kind].scope
    is_closed = not alone and failure.code in _CLOSED_TO_US
    logger.error(
        "documents not readable code=%s type=%s scope=%s cause=%s", failure.code, kind, scope, failure
    )
    return {
        (kind, number): Unreadable(
            type=kind,
            id=number,
            scope=scope,
            failure=None if is_closed else failure,
            is_at_fault=alone and failure.may_be_of_one,
        )
        for number in numbers
    }


def _may_be_of_fields(failure: ServiceError) -> bool:
    """Tell whether a field of the question may be at fault, and not the resource or the time."""
    return failure.may_be_of_one and failure.status not in (403, 404)


def path_id(number: int) -> str:
    """Return an id as it may stand in a URL: 1 to 19 digits, nothing else.

    Raises:
        Malformed: it is not such a number.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < MAX_ID:
        raise Malformed("coupa_id", "an id is not a number of 1 to 19 digits")
    return str(number)


def rows_in(body: Any, resource: str) -> list[Any]:
    """Return the rows of a list; an error object with status 200 must not look like an empty list."""
    if not isinstance(body, list):
        raise Malformed("coupa_list", f"Coupa answered {resource} with {type(body).__name__}, not a list")
    return body


def id_of(row: Any) -> int:
    """Return the id of a raw row, or 0."""
    number = row.get("id") if isinstance(row, dict) else None
    if isinstance(number, str) and number.isascii() and number.isdigit():
        number = int(number[:20])
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < MAX_ID:
        return number
    return 0


def _answered_id(reply: ServiceResponse) -> int:
    """Return the id of the record that Coupa answered with, or 0."""
    try:
        return id_of(reply.json())
    except Malformed:
        return 0


def _people(rows: Iterable[Any]) -> list[Member]:
    return [person for person in map(parse_person, rows) if person]


def _compact(fields: list[Any]) -> str:
    return json.dumps(fields, separators=(",", ":"))
