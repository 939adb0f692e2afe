"""Active delegations in Coupa: who may act for whom."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coupa_core.clock import Clock, Deadline
from coupa_core.directory.cache import CachePolicy
from coupa_core.directory.people import PeopleSource
from coupa_core.errors import Denied, Refused, ServiceError
from coupa_core.halving import PartialResult
from coupa_core.model import Delegation, Member

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ActiveDelegations:
    """The delegations that are active now.

    Attributes:
        listed: the delegations; without the delegate where this person could not be read.
        unknown: the error of each such read, by the id of the delegate.
    """

    listed: list[Delegation] = field(default_factory=list)
    unknown: dict[int, ServiceError] = field(default_factory=dict)


@dataclass
class CachedDelegations:
    """The last read: its time on the monotonic clock, and the delegations, None where access is denied."""

    at_s: float = float("-inf")
    value: ActiveDelegations | None = field(default_factory=ActiveDelegations)
    failure: ServiceError | None = None
    """The error of a failed read."""


class Delegations:
    """Reads delegations, and caches them for sweeps.

    Args:
        people: the source.
        clock: measures the age of the cache.
        keep_s: how long the cache is used, in seconds; 0 disables it.
    """

    def __init__(self, people: PeopleSource, *, clock: Clock, keep_s: float) -> None:
        self._people = people
        self._policy = CachePolicy("delegations", clock, keep_s)
        self._cached = CachedDelegations()

    def read(self, deadline: Deadline) -> CachedDelegations:
        """Return the delegations, cached or read; the value is None where this client may not read them."""
        cached, now_s = self._cached, self._policy.now_s()
        if self._policy.is_fresh(cached.at_s) or self._policy.has_just_failed():
            return cached
        try:
            self._cached = CachedDelegations(now_s, self.listed(self._policy.in_time(deadline)))
        except ServiceError as failure:
            self._policy.note_failure(failure)
            if self._policy.is_stale(cached.at_s):
                self._cached = CachedDelegations(failure=failure)
        return self._cached

    def listed(self, deadline: Deadline) -> ActiveDelegations | None:
        """Read the delegations that are active by Coupa's clock, which also wrote their times.

        Returns:
            None where Coupa denies this client access: no list of scopes names delegations.

        Raises:
            ServiceError: Coupa did not answer.
        """
        try:
            listed = self._people.delegations(deadline)
        except (Denied, Refused) as failure:
            if failure.status not in (403, 404):
                raise
            logger.info("delegations are not readable status=%s", failure.status)
            return None
        now = self._people.now()
        active = [each for each in listed if each.is_active(now)]
        incomplete = [each for each in active if _is_incomplete(each)]
        users = self._delegates(incomplete, deadline)
        known = {person.id: person for person in users.rows}
        return ActiveDelegations(
            [_completed(each, known) if each in incomplete else each for each in active], users.failed
        )

    def _delegates(self, incomplete: Sequence[Delegation], deadline: Deadline) -> PartialResult[int, Member]:
        """Read the full records of delegates."""
        asked = [number for each in incomplete if (number := delegate_id(each))]
        users: PartialResult[int, Member] = self._people.users(asked, deadline) if asked else PartialResult()
        for number, why in users.failed.items():
            logger.warning("delegate not read user=%d code=%s", number, why.code)
        return users


def delegate_id(delegation: Delegation) -> int | None:
    """Return the id of the delegate."""
    return delegation.delegate_id or (delegation.delegate.id if delegation.delegate else None)


def _is_incomplete(delegation: Delegation) -> bool:
    """Tell whether the record lacks the delegate's address or whether the delegate is active."""
    delegate = delegation.delegate
    return not delegate or None in (delegate.email, delegate.active)


def _completed(delegation: Delegation, known: Mapping[int | None, Member]) -> Delegation:
    """Return a delegation with the full record of its delegate; without a delegate where it is unknown."""
    number = delegate_id(delegation)
    return delegation.model_copy(update={"delegate": known.get(number), "delegate_id": number})
