"""The members of approval groups whose approvals do not contain them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from coupa_core.clock import Clock, Deadline
from coupa_core.directory.cache import CachePolicy
from coupa_core.directory.people import PeopleSource
from coupa_core.errors import ServiceError
from coupa_core.model import Approval, Approver, Person

Members = tuple[list[Person], ServiceError | None]
"""The known members of a group, and the error for the others."""

logger = logging.getLogger(__name__)


class Groups:
    """Reads members, and caches them for sweeps.

    Args:
        people: the source.
        clock: measures the age of the cache.
        keep_s: how long the cache is used, in seconds; 0 disables it.
    """

    def __init__(self, people: PeopleSource, *, clock: Clock, keep_s: float) -> None:
        self._people = people
        self._policy = CachePolicy("groups", clock, keep_s)
        self._cached: dict[int, tuple[float, list[Person]]] = {}

    def read(self, approvals: Sequence[Approval], deadline: Deadline) -> dict[int, Members]:
        """Return the known members of groups whose approvals do not contain them, by group id."""
        asked = [each for each in approvals if each.is_for_group and embedded(each) is None]
        old = [each for each in asked if not self._is_fresh(each)]
        read = {} if not old or self._policy.has_just_failed() else self._read_anew(old, deadline)
        cached: dict[int, Members] = {
            number: (self._cached[number][1], None)
            for number in {each.asked_id or 0 for each in asked}
            if number in self._cached and not self._policy.is_stale(self._cached[number][0])
        }
        return read | cached

    def _is_fresh(self, approval: Approval) -> bool:
        cached = self._cached.get(approval.asked_id or 0)
        return cached is not None and self._policy.is_fresh(cached[0])

    def _read_anew(self, approvals: Iterable[Approval], deadline: Deadline) -> dict[int, Members]:
        """Read members, and cache those of the groups that were read completely."""
        asked, now_s = list(approvals), self._policy.now_s()
        try:
            found, failed = self._look_up(asked, self._policy.in_time(deadline))
        except ServiceError as failure:
            self._policy.note_failure(failure)
            return {each.asked_id: ([], failure) for each in asked if each.asked_id is not None}
        for number, why in failed.items():
            logger.warning("group not read group=%d code=%s", number, why.code)
        self._cached |= {number: (now_s, found[number]) for number in found.keys() - failed.keys()}
        return {number: (people, failed.get(number)) for number, people in found.items()}

    def _look_up(
        self, approvals: Iterable[Approval], deadline: Deadline
    ) -> tuple[dict[int, list[Person]], dict[int, ServiceError]]:
        """Read the members of groups: by group, or else by the ids of the users that the approval names.

        Returns:
            The members that were read, and the errors for the others, each by group id.
        """
        wanted = {each.asked_id: each.approver for each in approvals if each.asked_id is not None}
        names = {number: who.group_name if who else None for number, who in wanted.items()}
        members = self._people.members(names, deadline) if names else {}
        found: dict[int, list[Person]] = {}
        failed: dict[int, ServiceError] = {}
        for number, who in wanted.items():
            found[number] = list(members.get(number, ()))
            named = _named(who)
            if not found[number] and named:
                users = self._people.users(named, deadline)
                found[number] = list(users.rows)
                failed |= dict(zip([number], users.failed.values(), strict=False))
        return found, failed


def embedded(approval: Approval) -> list[Person] | None:
    """Return the members in the approval; None where a record lacks whether the user is active."""
    users = approval.approver.users if approval.approver else ()
    return list(users) if users and all(person.active is not None for person in users) else None


def _named(who: Approver | None) -> list[int]:
    """Return the ids of the group members that an approval names."""
    return [person.id for person in who.users if person.id is not None] if who else []
