"""Coupa's screens as they are seen: documents with their chains, groups, delegations, and whom to choose."""

from __future__ import annotations

from typing import Any

from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import PENDING, Approval, Document, Requisition, User

SHOWN = 25
"""Documents that are shown, the newest ones."""

CURRENCIES = ("USD", "EUR", "JPY", "KWD")


class Screens:
    """What can be seen in Coupa.

    Args:
        coupa: the simulator.
        people: Coupa's user ids by e-mail.
    """

    def __init__(self, coupa: CoupaSimulator, people: dict[str, int]) -> None:
        self._world = coupa.world
        self._people = people

    def view(self) -> dict[str, Any]:
        """Return what is to be seen: `documents` (newest first), `groups`, `delegations`, whom to choose."""
        with self._world.lock:
            return {
                "documents": [self._document(each) for each in self._newest()],
                "people": self._all_people(),
                "approvers": [*self._all_people(), *self._all_groups()],
                "groups": [
                    {
                        "id": group.id,
                        "name": group.name,
                        "members": [self._person(each) for each in group.users],
                    }
                    for group in self._world.groups.rows.values()
                ],
                "delegations": self._delegations(),
                "currencies": CURRENCIES,
            }

    def _newest(self) -> list[Document]:
        documents = [each for table in self._world.documents.values() for each in table.rows.values()]
        return sorted(documents, key=lambda each: -each.id)[:SHOWN]

    def _document(self, document: Document) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": document.id,
            "type": document.type,
            "title": str(document.extra.get("title") or document.type),
            "status": document.status,
            "is_waiting": document.status == PENDING,
            "is_draft": document.status == "draft",
            "chain": [self._step(each) for each in document.approvals],
        }
        if isinstance(document, Requisition):
            shown |= {
                "title": document.req_title,
                "requester": document.requested_by.fullname,
                "total": f"{document.currency.extra['name']} {document.total:,}",
                "lines": document.requisition_lines,
                "why_back": document.reject_reason_comment if document.rejected else None,
            }
        return shown

    def _step(self, approval: Approval) -> dict[str, Any]:
        approver = approval.approver
        first = approver if isinstance(approver, User) else next(iter(approver.users), None)
        document = approval.document
        return {
            "id": approval.id,
            "position": approval.position,
            "is_parallel": bool(approval.parallel_group_name),
            "approver": approver.fullname if isinstance(approver, User) else f"{approver.name} (group)",
            "status": approval.status,
            "is_open": approval.is_open and document.status == PENDING,
            "is_turn": document.status == PENDING and approval in document.turn,
            "decided_by": approval.approved_by.fullname if approval.approved_by else None,
            "note": approval.note,
            "likely": first.id if first else None,
        }

    def _person(self, user: User) -> dict[str, Any]:
        return {"value": f"user-{user.id}", "id": user.id, "name": user.fullname}

    def _all_people(self) -> list[dict[str, Any]]:
        return [self._person(self._world.users.rows[number]) for number in self._people.values()]

    def _all_groups(self) -> list[dict[str, Any]]:
        groups = self._world.groups.rows.values()
        return [
            {"value": f"group-{each.id}", "id": each.id, "name": f"{each.name} (group)"} for each in groups
        ]

    def _delegations(self) -> list[dict[str, Any]]:
        now = self._world.now()
        return [
            {
                "id": each.id,
                "by": each.delegator.fullname,
                "to": each.delegate.fullname,
                "end": each.end_date,
                "is_on": each.start_date <= now < each.end_date,
            }
            for each in self._world.delegations.rows.values()
        ]
