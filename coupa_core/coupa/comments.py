"""Read Coupa's comments, and write comments and decisions."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from coupa_core.clock import Deadline
from coupa_core.coupa.fields import COMMENT_FIELDS, COMMENTS
from coupa_core.coupa.rows import PAGE, Rows, id_of, in_pages, path_id
from coupa_core.documents import DOCUMENT_MODELS, Readable, parse_document
from coupa_core.errors import Malformed, ServiceError
from coupa_core.http_client import ServiceResponse
from coupa_core.model import ALL_IDS, Comment, Document, IdRange, Verb, parse_comment

_COMMENT_FIELDS: list[Any] = [*COMMENT_FIELDS, "commentable-id"]


logger = logging.getLogger(__name__)


class Writes(Rows):
    """The reads of comments, and all writes."""

    def decide(self, approval_id: int, verb: Verb, *, reason: str, deadline: Deadline) -> int:
        """Approve, reject or hold, once.

        Args:
            approval_id: a pending approval.
            verb: the action.
            reason: the text that Coupa shows as our comment; a query parameter.
            deadline: the deadline for the exchange.

        Returns:
            The id of the record in Coupa's answer, 0 for no record. Sources differ on whether it is the
            approval or its document; an answer without either did not come from Coupa, and proves nothing.

        Raises:
            Refused: Coupa refused; usually the approval is no longer pending.
            Unavailable: the request was certainly not sent.
            Unknown: the decision may have taken effect; read the approval.

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
            document: a document of a kind that takes comments; see `commented_on`.
            text: the comment; `@[User:<id>]` mentions a user, whom Coupa then notifies.
            deadline: the deadline for the exchange.

        Returns:
            The id of the comment in Coupa's answer; 0 for any other answer, which proves nothing.

        Raises:
            Refused: Coupa refused.
            Unavailable: the request was certainly not sent.
            Unknown: the comment may have been written.

        Source: "Comments API", .../the-coupa-core-api/resources/shared-resources/comments-api
        """
        resource = DOCUMENT_MODELS[document.type].comments_at
        path = f"/api/{resource}/{path_id(document.commented_on or 0)}/comments"
        reply = self._access.send("POST", path, {}, deadline, payload={"comments": text})
        if not reply.ok:
            raise self._access.failure(reply, "POST", "comments", f"comment on {document.type} {document.id}")
        return _answered_id(reply)

    def comments(
        self, places: Iterable[tuple[str, int]], deadline: Deadline, *, since: int = 1
    ) -> dict[tuple[str, int], tuple[Comment, ...]]:
        """Read the comments on documents, fifty documents of a type in a request.

        Args:
            places: the type of each document, and the id of the record that has its comments.
            deadline: the deadline for all requests.
            since: the least id of a wanted comment; a filter only where comments have a list.

        Returns:
            The comments by place, without places that could not be read.

        Raises:
            ServiceError: no place could be read.

        Source: "Comments API", .../the-coupa-core-api/resources/shared-resources/comments-api, which names
        `commentable-type` and `commentable-id`. Only a public client shows that they filter a list (IBM's
        agent-ready tools, "get_all_comments").
        """
        found: dict[tuple[str, int], tuple[Comment, ...]] = {}
        failure: ServiceError | None = None
        wanted: dict[str, set[int]] = defaultdict(set)
        for kind, number in places:
            wanted[kind].add(number)
        for kind, numbers in wanted.items():
            source = DOCUMENT_MODELS[kind]
            try:
                read = (
                    self._comments_in_list(source, numbers, since, deadline)
                    if source.comments_as
                    else (self._comments_in_documents(kind, numbers, deadline))
                )
            except ServiceError as error:
                failure = error
                logger.warning("comments not read type=%s code=%s cause=%s", kind, error.code, error)
            else:
                found |= {(kind, number): each for number, each in read.items()}
        if failure is not None and not found:
            raise failure
        return found

    def _comments_in_documents(
        self, kind: str, numbers: Iterable[int], deadline: Deadline
    ) -> dict[int, tuple[Comment, ...]]:
        """Read the comments that come with their documents."""
        rows = self._by_ids(DOCUMENT_MODELS[kind].resource, ["id", COMMENTS], numbers, deadline).rows
        documents = (parse_document(kind, row, client=self._client) for row in rows)
        return {each.id: each.comments for each in documents if each}

    def _comments_in_list(
        self, source: type[Readable], numbers: Iterable[int], since: int, deadline: Deadline
    ) -> dict[int, tuple[Comment, ...]]:
        """Read the comments from the list of comments."""
        ordered = sorted(numbers)
        found: dict[int, list[Comment]] = {number: [] for number in ordered}
        for some in in_pages(ordered):
            named = ",".join(map(path_id, some))
            asked = {"commentable_type": source.comments_as, "commentable_id[in]": named}
            for comment in self._newest_comments(asked, since, deadline):
                if comment.commentable_id in found:
                    found[comment.commentable_id].append(comment)
        return {number: tuple(each[::-1]) for number, each in found.items()}

    def _newest_comments(self, asked: Mapping[str, str], since: int, deadline: Deadline) -> Iterator[Comment]:
        """Yield the comments page by page, the newest first, until a page is not full."""
        ids: IdRange | None = (since, ALL_IDS[1])
        while ids is not None:
            rows, ids, failure = self._rows_of(
                "comments", _COMMENT_FIELDS, asked, ids, deadline, newest_first=True
            )
            if failure is not None:
                raise failure
            yield from filter(None, (parse_comment(row, client=self._client) for row in rows))
            ids = ids if len(rows) == PAGE else None


def _answered_id(reply: ServiceResponse) -> int:
    """Return the id of the record in Coupa's answer, or 0."""
    try:
        return id_of(reply.json())
    except Malformed:
        return 0
