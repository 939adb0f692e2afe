"""Read Coupa's users, groups and delegations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from coupa_core.clock import Deadline
from coupa_core.coupa.fields import DELEGATION_FIELDS, MEMBER_FIELDS, REPORT_FIELDS, USER_FIELDS
from coupa_core.coupa.rows import Rows, in_pages, path_id
from coupa_core.errors import Refused
from coupa_core.halving import PartialResult
from coupa_core.model import Delegation, Member, parse_delegation, parse_person


class People(Rows):
    """The reads of people."""

    def people(self, emails: Iterable[str], deadline: Deadline, *, insists: bool = True) -> list[Member]:
        """Return the users with these e-mail addresses, each with the approval groups.

        Args:
            emails: addresses in Coupa.
            deadline: the deadline for all pages.
            insists: retry after an unusable answer; otherwise the caller splits the request.

        Raises:
            ServiceError: the request failed.
        """
        wanted = sorted(set(emails))
        found: list[Member] = []
        for some in in_pages(wanted):
            asked = {"email[in]": ",".join(some)}
            found += _people(self._keyset("users", MEMBER_FIELDS, asked, deadline, insists=insists))
        return found

    def users(self, ids: Iterable[int], deadline: Deadline) -> PartialResult[int, Member]:
        """Return the users with these ids, each with the manager's id, and the errors of the others.

        Raises:
            ServiceError: every request failed.
        """
        read = self._by_ids("users", REPORT_FIELDS, ids, deadline)
        return PartialResult(_people(read.rows), read.failed)

    def members(self, groups: Mapping[int, str | None], deadline: Deadline) -> dict[int, list[Member]]:
        """Return the members of approval groups, by group id.

        The request filters users by `approval-groups`. If Coupa refuses this filter, each group is read by id
        and counts only with the expected name: Coupa does not document whether approval groups and user
        groups share ids.

        Args:
            groups: the name of each group by its id.
            deadline: the deadline for all pages.

        Raises:
            ServiceError: a request failed.
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
        for some in in_pages(groups):
            numbers = ",".join(map(path_id, some))
            asked = {"approval_groups[id][in]": numbers}
            yield from _people(self._keyset("users", MEMBER_FIELDS, asked, deadline))

    def _group(self, number: int, name: str | None, deadline: Deadline) -> list[Member]:
        """Return the users of one group, if it has the expected name."""
        row = self._one("user_groups", number, ["id", "name", {"users": USER_FIELDS}], deadline)
        if not isinstance(row, dict) or name is None or row.get("name") != name:
            return []
        users = row.get("users")
        return _people(users if isinstance(users, list) else [])

    def delegations(self, deadline: Deadline) -> list[Delegation]:
        """Return the delegations that end today or later; the caller checks which are active.

        Raises:
            ServiceError: the request failed; with 403 or 404 if this client may not read delegations.
        """
        yesterday = (self.now() - timedelta(days=1)).isoformat(timespec="seconds")
        rows = self._keyset("delegations", DELEGATION_FIELDS, {"end_date[gt_or_eq]": yesterday}, deadline)
        return [delegation for delegation in map(parse_delegation, rows) if delegation]


def _people(rows: Iterable[Any]) -> list[Member]:
    return [person for person in map(parse_person, rows) if person]
