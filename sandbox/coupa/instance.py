"""One Coupa instance: its tables and its clock."""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Generic, TypeVar

from sandbox.clock import Clock
from sandbox.coupa.raw import CHART, segments_of
from sandbox.coupa.records import (
    REQUISITION,
    Approval,
    ApprovalGroup,
    Delegation,
    Document,
    Record,
    Reference,
    User,
)

_DECIMALS = {"JPY": 0, "KRW": 0, "BHD": 3, "KWD": 3}

R = TypeVar("R", bound=Record)


class Table(Generic[R]):
    """Records by id, with the ids in order.

    Attributes:
        indexes: for the served name of a number, a function that finds the ids of the records with it.
    """

    def __init__(self) -> None:
        self.rows: dict[int, R] = {}
        self.ids: list[int] = []
        self.indexes: dict[str, Callable[[int], list[int]]] = {}

    def put(self, number: int, row: R) -> R:
        """Add a record under a new id and return it."""
        if number in self.rows:
            raise ValueError(f"id {number} is taken")
        self.rows[number] = row
        insort(self.ids, number)
        return row

    def drop(self, number: int) -> None:
        """Delete a record."""
        del self.rows[number]
        self.ids.remove(number)


class Instance:
    """The tables of one instance, and what finds records in them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.lock = threading.RLock()
        self.users: Table[User] = Table()
        self.groups: Table[ApprovalGroup] = Table()
        self.delegations: Table[Delegation] = Table()
        self.approvals: Table[Approval] = Table()
        self.documents: dict[str, Table[Document]] = {REQUISITION: Table()}
        self.references: dict[str, Table[Reference]] = {}
        """Budget lines, order lines and other records, by the names of their resources."""
        self._periods: dict[int, Record] = {}
        self._delegations_of: dict[int, list[Delegation]] = {}
        self._named: dict[tuple[str, str], Record] = {}
        # Users and groups share numbers on purpose: an id means nothing without its type.
        self._user_ids, self._group_ids, self._delegation_ids = count(101), count(101), count(1)
        self._document_ids, self._approval_ids = count(5001), count(85001)
        self._line_ids, self._comment_ids, self._named_ids = count(12001), count(471), count(31)
        self.approvals.indexes["approvable-id"] = self._ids_for
        self._metrics = self._user(2, "metrics@coupa.example", "Coupa", "Metrics", active=True)

    def now(self) -> datetime:
        """Return the time in whole seconds, as Coupa keeps it."""
        return self._clock.now().replace(microsecond=0)

    def _ids_for(self, number: int) -> list[int]:
        """Return the approvals of every document with this id, whatever its type."""
        tables = self.documents.values()
        return [each.id for table in tables if number in table.rows for each in table.rows[number].approvals]

    def _user(self, number: int, email: str, firstname: str, lastname: str, *, active: bool) -> User:
        return User(
            id=number,
            login=email.partition("@")[0],
            email=email,
            firstname=firstname,
            lastname=lastname,
            active=active,
            created_at=self.now(),
            updated_at=self.now(),
            extra={"approval-groups": [], "user-groups": []},
        )

    def _name(self, kind: str, name: str | None) -> Record | None:
        """Return the department, supplier or other record of this name; the same one each time."""
        if name is None:
            return None
        found = self._named.get((kind, name))
        if found is None:
            found = Record(extra={"id": next(self._named_ids), "name": name, "code": name})
            if kind == "account":
                found.extra |= {**segments_of(name), "account-type": CHART}
            if kind == "item":
                found.extra["uom"] = self._name("uom", "EA")
            self._named[kind, name] = found
        return found

    def _move(self, record: Approval | Document) -> None:
        record.updated_at = max(self.now(), record.updated_at or self.now())

    def named(self, kind: str, name: str) -> int:
        """Return the id of the supplier, item or account of this name, created on first use."""
        with self.lock:
            found = self._name(kind, name)
            assert found is not None
            return int(found.extra["id"])

    def _currency(self, code: str) -> Record:
        found = self._name("currency", code)
        assert found is not None
        found.extra["decimals"] = _DECIMALS.get(code, 2)
        return found
