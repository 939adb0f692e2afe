"""The content of a Coupa instance, and the actions of people at Coupa's own screens.

It knows nothing of HTTP: `sandbox.coupa.attributes` says which attributes are served, and under which names.
`records` has what an instance holds; `instance`, `people` and `documents` have what `World` is made of.

Where Coupa's public pages are silent, this simulator decides:

* all members of a parallel step must approve before the next step has its turn;
* nobody decided what was still open when a document is rejected, withdrawn or gets a new chain, and no
  published status says so: those approvals are gone, as they are when a chain is regenerated;
* a draft shows its chain as pending, without times, as in Coupa's sample of requisition 97.

Sources, read 2026-11, under
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
    resources/transactional-resources/approvals-api-(approvals)
    resources/transactional-resources/requisitions-api-example-calls
    resources/transactional-resources/delegates-api
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from sandbox.coupa.documents import Documents
from sandbox.coupa.instance import Table
from sandbox.coupa.raw import summary
from sandbox.coupa.records import (
    APPROVED,
    DELETED,
    ON_HOLD,
    PENDING,
    REJECTED,
    REQUISITION,
    Approval,
    Approver,
    Comment,
    Document,
    Group,
    Line,
    NotAllowed,
    Record,
    Requisition,
    User,
)

__all__ = [
    "APPROVED",
    "DELETED",
    "ON_HOLD",
    "PENDING",
    "REJECTED",
    "REQUISITION",
    "Approval",
    "Approver",
    "Document",
    "Group",
    "Line",
    "NotAllowed",
    "Record",
    "Requisition",
    "Table",
    "User",
    "World",
]

_LAG = timedelta(seconds=2)
"""The time by which `updated-at` is later than `approval-date` in real answers: one to three seconds."""


class World(Documents):
    """One Coupa instance. Every method holds the lock, so that tests can use it while it is served."""

    def decide_in_coupa(
        self, aid: int, *, by: int, decision: Literal["approved", "rejected"], note: str = ""
    ) -> None:
        """Approve or reject as Coupa's own screen does.

        Raises:
            NotAllowed: the approval is not open.
        """
        with self.lock:
            approval = self.decide(aid, status=decision, by=by, note=note or None, in_turn=False)
            if note and decision == REJECTED:
                self.comment(approval.document, by=by, text=note)

    def decide(self, aid: int, *, status: str, by: int, note: str | None, in_turn: bool) -> Approval:
        """Apply a decision, or put on hold, and let the chain go on.

        Args:
            aid: an approval that exists.
            status: the new status: approved, rejected or on_hold.
            by: the person who acts; `approver` stays the assigned one.
            note: the reason.
            in_turn: whether it must be the approval's turn, on a document that waits for approvals.

        Raises:
            NotAllowed: not pending any more, or not its turn.
        """
        with self.lock:
            approval, now = self.approvals.rows[aid], self.now()
            document = approval.document
            if not approval.is_open:
                raise NotAllowed("The approval is not pending")
            if in_turn and (document.status != PENDING or approval not in document.turn):
                raise NotAllowed("The approval is not the current one")
            approval.status, approval.note = status, note
            approval.updated_by, who = self.users.rows[by], self.users.rows[by]
            approval.updated_at = document.updated_at = now + _LAG
            if status == ON_HOLD:
                return approval
            approval.approved_by, approval.approval_date = who, now
            if status == REJECTED:
                self._reject(document, note)
            elif all(not each.is_open for each in document.approvals):
                document.status = APPROVED
            return approval

    def reassign(self, aid: int, *, to: Approver) -> None:
        """Assign an approval to somebody else; it keeps its id."""
        with self.lock:
            approval = self.approvals.rows[aid]
            approval.approver = self._approver(to)
            approval.delegations = self._delegations_for(approval.approver)
            self._move(approval)

    def escalate(self, aid: int, *, to: Approver) -> int:
        """Escalate an approval: it is `escalated`, and a new one takes its place. Return the new id."""
        with self.lock:
            old = self.approvals.rows[aid]
            old.status = "escalated"
            self._move(old)
            new = self._approval(
                old.document, to, old.position, old.parallel_group_name, holdable=old.holdable
            )
            old.document.approvals.remove(new)
            old.document.approvals.insert(old.document.approvals.index(old) + 1, new)
            return new.id

    def hold(self, aid: int, *, by: int | None = None) -> None:
        """Put an approval on hold at the screen, as its approver or as somebody else."""
        with self.lock:
            approval = self.approvals.rows[aid]
            who = approval.approver if by is None else self.users.rows[by]
            approval.status, approval.updated_by = ON_HOLD, who if isinstance(who, User) else None
            self._move(approval)

    def reopen(self, aid: int) -> None:
        """Make an approval pending again under the same id, and its document, too."""
        with self.lock:
            approval = self.approvals.rows[aid]
            approval.status, approval.note = PENDING, None
            approval.approved_by = approval.approval_date = None
            approval.document.status = PENDING
            self._move(approval)

    def touch(self, aid: int) -> None:
        """Move an approval's `updated-at` and nothing else, as Coupa's own jobs do."""
        with self.lock:
            approval = self.approvals.rows[aid]
            before = approval.updated_at or self.now()
            approval.updated_at = max(self.now(), before + timedelta(seconds=1))
            approval.updated_by = self._metrics

    def add_comment(self, kind: str, number: int, by: int, text: str) -> int:
        """Comment on a document and return the comment's id."""
        with self.lock:
            document = self._find(kind, number)
            assert isinstance(document, Document)
            return self.comment(document, by=by, text=text)

    def comment(self, document: Document, *, by: int, text: str) -> int:
        """Comment on a document record and return the comment's id."""
        with self.lock:
            added = Comment(
                id=next(self._comment_ids),
                commentable_id=document.id,
                commentable_type=document.type,
                comments=text,
                created_by=self.users.rows[by],
                created_at=self.now(),
            )
            document.comments.append(added)
            return added.id

    def edit_comment(self, number: int, text: str | None) -> None:
        """Edit or delete a comment, by its id; Coupa allows its author to do both."""
        with self.lock:
            for table in self.documents.values():
                for document in table.rows.values():
                    for each in [each for each in document.comments if each.id == number]:
                        if text is None:
                            document.comments.remove(each)
                        else:
                            each.comments = text

    def submit(self, rid: int) -> None:
        """Submit a draft: its approvals get their times."""
        with self.lock:
            document = self.requisition(rid)
            document.status, document.submitted_at, document.rejected = PENDING, self.now(), False
            for each in document.approvals:
                each.created_at = self.now()
                self._move(each)
            self._move(document)

    def withdraw(self, number: int) -> None:
        """Withdraw a document: its open approvals are gone."""
        with self.lock:
            document = self.document(number)
            document.status = "withdrawn"
            self._clear(document)
            self._move(document)

    def restart_chain(self, number: int) -> None:
        """Clear a document's approvals and ask the same approvers again under new ids.

        Source: "restart_approvals" of the Invoices API, which says so of invoices.
        """
        with self.lock:
            document = self.document(number)
            holdable = any(each.holdable for each in document.approvals)
            self._clear(document, every=True)
            document.status = PENDING
            if isinstance(document, Requisition):
                document.rejected = False
            self._ask(document, holdable=holdable)
            self._move(document)

    def override(self, target: tuple[str, int], raw: Mapping[str, Any]) -> None:
        """Serve these raw JSON values instead of a record's own; filters still use its own.

        Args:
            target: kind (`approval`, `requisition`, `user`, `group`, `document`, or the resource of a
                reference) and id.
            raw: served keys, with hyphens, and their values.
        """
        with self.lock:
            self._find(*target).raw.update(raw)

    def delete_field(self, kind: str, number: int, key: str) -> None:
        """Never serve this key of a record."""
        with self.lock:
            self._find(kind, number).raw[key] = DELETED

    def state(self) -> dict[str, Any]:
        """Return documents with their chains, for people: `{type: [{id, status, title, chain}]}`."""
        with self.lock:
            return {
                kind: [summary(table.rows[each]) for each in table.ids]
                for kind, table in self.documents.items()
            }

    def _reject(self, document: Document, note: str | None) -> None:
        """Send a requisition back to its requester: it has no status `rejected`."""
        self._clear(document)
        if isinstance(document, Requisition):
            document.status, document.rejected, document.reject_reason_comment = "draft", True, note
        else:
            document.status = REJECTED

    def _clear(self, document: Document, *, every: bool = False) -> None:
        gone = [each for each in document.approvals if every or each.is_open]
        document.approvals = [each for each in document.approvals if each not in gone]
        for each in gone:
            self.approvals.drop(each.id)

    def _find(self, kind: str, number: int) -> Record:
        tables: dict[str, Mapping[int, Record]] = {
            "approval": self.approvals.rows,
            "user": self.users.rows,
            "group": self.groups.rows,
            "requisition": self.documents[REQUISITION].rows,
        }
        tables |= {name: table.rows for name, table in self.references.items()}
        return self.document(number) if kind == "document" else tables[kind][number]
