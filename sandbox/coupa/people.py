"""The people of an instance, and what documents refer to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sandbox.coupa.instance import Instance, Table
from sandbox.coupa.raw import CHART, record, segments_of
from sandbox.coupa.records import ApprovalGroup, Approver, Delegation, Group, Record, Reference, User


class People(Instance):
    """People, groups, delegations, and records by name."""

    def add_user(
        self,
        *,
        email: str,
        firstname: str = "",
        lastname: str = "",
        active: bool = True,
        manager: int | None = None,
        default_locale: str | None = None,
        id: int | None = None,  # noqa: A002 - it is the attribute's name
    ) -> int:
        """Add a person and return the id; the login is the part before the `@`."""
        with self.lock:
            number = id or next(self._user_ids)
            added = self._user(number, email, firstname, lastname, active=active)
            added.manager = None if manager is None else self.users.rows[manager]
            added.default_locale = default_locale
            return self.users.put(number, added).id

    def add_group(self, *, name: str, members: Sequence[int]) -> int:
        """Add an approval group and return its id."""
        with self.lock:
            users = [self.users.rows[each] for each in members]
            number = next(self._group_ids)
            group = self.groups.put(number, ApprovalGroup(id=number, name=name, users=users))
            for each in users:
                each.extra["approval-groups"].append(group)
            return number

    def join(self, group: int, user: int) -> None:
        """Add somebody to an approval group."""
        with self.lock:
            found, who = self.groups.rows[group], self.users.rows[user]
            if who not in found.users:
                found.users.append(who)
                who.extra["approval-groups"].append(found)

    def leave(self, group: int, user: int) -> None:
        """Remove somebody from an approval group."""
        with self.lock:
            found, who = self.groups.rows[group], self.users.rows[user]
            if who in found.users:
                found.users.remove(who)
                who.extra["approval-groups"].remove(found)

    def add_delegation(
        self,
        *,
        delegator: int,
        delegate: int,
        start: datetime,
        end: datetime,
        approval_delegate: bool = True,
    ) -> int:
        """Add a delegation and return its id."""
        with self.lock:
            number = next(self._delegation_ids)
            added = Delegation(
                id=number,
                delegator=self.users.rows[delegator],
                delegate=self.users.rows[delegate],
                start_date=start,
                end_date=end,
                approval_delegate=approval_delegate,
            )
            self._delegations_of.setdefault(delegator, []).append(added)
            return self.delegations.put(number, added).id

    def end_delegation(self, number: int) -> None:
        """End a delegation now."""
        with self.lock:
            self.delegations.rows[number].end_date = self.now()

    def add_period(self, name: str, *, marks: Sequence[int] = (1, 2), is_open: bool = True) -> int:
        """Add a budget period and return its id; the marked segments distinguish its budget lines."""
        with self.lock:
            number = next(self._named_ids)
            self._periods[number] = Record(
                extra={
                    "id": number,
                    "name": name,
                    "is-open": is_open,
                    "account-type": CHART,
                    **{f"segment-{each}": True for each in marks},
                }
            )
            return number

    def add_reference(self, resource: str, **attributes: Any) -> int:
        """Add a record of a resource such as `budget_lines` and return its id.

        Args:
            resource: its name.
            attributes: as raw JSON, with underscores for hyphens; `id` for a chosen one. The id of a period
                means the period, a name means a supplier, an item or a unit, a code means a currency, and
                `account`, a code, means the segments.
        """
        with self.lock:
            number = attributes.pop("id", None) or next(self._document_ids)
            kept: dict[str, Any] = {"id": number}
            for name, value in attributes.items():
                if name in ("supplier", "item", "uom") and isinstance(value, str):
                    kept[name] = self._name(name, value)
                elif name == "currency" and isinstance(value, str):
                    kept[name] = self._currency(value)
                elif name == "period":
                    kept[name] = self._periods.get(value)
                elif name == "account":
                    kept |= segments_of(value)
                else:
                    kept |= record({name: value}).extra
            table = self.references.setdefault(resource, Table())
            return table.put(number, Reference(id=number, extra=kept)).id

    def _approver(self, asked: Approver) -> User | ApprovalGroup:
        return self.groups.rows[asked.id] if isinstance(asked, Group) else self.users.rows[asked]

    def _delegations_for(self, approver: User | ApprovalGroup) -> list[Delegation]:
        return self._delegations_of.setdefault(approver.id, []) if isinstance(approver, User) else []
