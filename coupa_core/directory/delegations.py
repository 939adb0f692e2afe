"""Who acts for whom now, as Coupa's delegations say."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from coupa_core.clock import Clock, Deadline
from coupa_core.directory.kept import Keeping
from coupa_core.directory.people import PeopleSource
from coupa_core.errors import Denied, Refused, ServiceError
from coupa_core.halving import PartialResult
from coupa_core.model import Delegation, Member

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Acting:
    """The delegations that hold now.

    Attributes:
        listed: the delegations; without a delegate where that person could not be read.
        unknown: the error of each such read, by the id of the delegate.
    """

    listed: list[Delegation] = field(default_factory=list)
    unknown: dict[int, ServiceError] = field(default_factory=dict)


@dataclass
class KeptDelegations:
    """The delegations, None where they may not be read, and the time of the read on the monotonic clock."""

    at_s: float = float("-inf")
    value: Acting | None = field(default_factory=Acting)
    failure: ServiceError | None = None
    """The error of the read."""


class Delegations:
    """Reads delegations, and keeps them for a sweep.

    Args:
        people: the source.
        clock: measures the age of what is kept.
        keep_s: how long it is kept; 0 reads each time.
    """

    def __init__(self, people: PeopleSource, *, clock: Clock, keep_s: float) -> None:
        self._people = people
        self._keeping = Keeping("delegations", clock, keep_s)
        self._kept = KeptDelegations()

    def read(self, deadline: Deadline) -> KeptDelegations:
        """Return the delegations; without a value when this client may not read them."""
        kept, now_s = self._kept, self._keeping.now_s()
        if self._keeping.is_fresh(kept.at_s) or self._keeping.has_just_failed():
            return kept
        try:
            self._kept = KeptDelegations(now_s, self.listed(self._keeping.in_time(deadline)))
        except ServiceError as failure:
            self._keeping.note_failure(failure)
            if self._keeping.is_stale(kept.at_s):
                self._kept = KeptDelegations(failure=failure)
        return self._kept

    def listed(self, deadline: Deadline) -> Acting | None:
        """Read the delegations that hold now by Coupa's clock, which wrote their times.

        None when Coupa does not allow this client to: no list of scopes names delegations.

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
        vague = [each for each in active if _is_vague(each)]
        users = self._delegates(vague, deadline)
        known = {person.id: person for person in users.rows}
        return Acting([_completed(each, known) if each in vague else each for each in active], users.failed)

    def _delegates(self, vague: Sequence[Delegation], deadline: Deadline) -> PartialResult[int, Member]:
        """Read the full records of delegates."""
        asked = [number for each in vague if (number := delegate_id(each))]
        users: PartialResult[int, Member] = self._people.users(asked, deadline) if asked else PartialResult()
        for number, why in users.failed.items():
            logger.warning("delegate not read user=%d code=%s", number, why.code)
        return users


def delegate_id(delegation: Delegation) -> int | None:
    """Return the id of the user who acts."""
    return delegation.delegate_id or (delegation.delegate.id if delegation.delegate else None)


def _is_vague(delegation: Delegation) -> bool:
    """Tell whether Coupa left out the delegate's address, or whether they are active."""
    delegate = delegation.delegate
    return not delegate or None in (delegate.email, delegate.active)


def _completed(delegation: Delegation, known: Mapping[int | None, Member]) -> Delegation:
    """Return a delegation with the full record of its delegate; without one where it is unknown."""
    number = delegate_id(delegation)
    return delegation.model_copy(update={"delegate": known.get(number), "delegate_id": number})
