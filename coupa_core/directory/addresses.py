"""Map an address in chat to its owners: one active user of Coupa, several, or none."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from coupa_core.addresses import folded, spellings
from coupa_core.authority import EmailMap
from coupa_core.clock import Clock, Deadline
from coupa_core.directory.people import PeopleSource
from coupa_core.errors import ServiceError
from coupa_core.halving import by_halves
from coupa_core.model import Member


@dataclass(frozen=True)
class SharedAddresses:
    """Addresses that belong to more than one user of Coupa, and addresses that could not be looked up.

    Attributes:
        shared: the addresses of several active users.
        unknown: the error of each failed lookup, by address.
    """

    shared: set[str] = field(default_factory=set)
    unknown: dict[str, ServiceError] = field(default_factory=dict)


class Addresses:
    """Looks up owners, and caches for sweeps which addresses are shared.

    Args:
        people: the source.
        clock: measures the age of the cache.
        emails: maps Coupa's addresses to the chat's.
        keep_s: how long the cache is used, in seconds; 0 disables it.
        lock: the directory's lock, so that two threads do not make the same lookup at the same time.
    """

    def __init__(
        self, people: PeopleSource, *, clock: Clock, emails: EmailMap, keep_s: float, lock: threading.Lock
    ) -> None:
        self._people = people
        self._clock = clock
        self._emails = emails
        self._keep_s = keep_s
        self._lock = lock
        self._shared: dict[str, tuple[float, bool]] = {}

    def sharing(self, addresses: Iterable[str], deadline: Deadline) -> SharedAddresses:
        """Return which of these addresses in chat have more than one active owner, and which are unknown.

        Raises:
            ServiceError: every lookup failed.
        """
        with self._lock:
            fresh_s = self._clock.monotonic() - self._keep_s
            given = set(addresses)
            asked = [
                low
                for low in sorted(map(folded, given))
                if self._shared.get(low, (float("-inf"), False))[0] <= fresh_s
            ]

            def ask(some: Sequence[str]) -> list[tuple[str, bool]]:
                # A failed lookup of one address is repeated at once; one of several is split.
                owners = self._owners(some, deadline, insists=len(asked) == 1)
                return [(low, len(each) > 1) for low, each in owners.items()]

            found = by_halves(asked, ask)
            now_s = self._clock.monotonic()
            self._shared |= {low: (now_s, is_shared) for low, is_shared in found.rows}
            unknown = {each: found.failed[folded(each)] for each in given if folded(each) in found.failed}
            known = given - unknown.keys()
            return SharedAddresses(
                {address for address in known if self._shared[folded(address)][1]}, unknown
            )

    def owners(self, address: str, deadline: Deadline) -> list[Member]:
        """Return the active users with this address in chat; the caller accepts one owner only.

        Raises:
            ServiceError: Coupa did not answer.
        """
        return list(self._owners([address], deadline)[folded(address)].values())

    def _owners(
        self, addresses: Iterable[str], deadline: Deadline, *, insists: bool = True
    ) -> dict[str, dict[int | None, Member]]:
        """Return the active users with each address in chat, by address and by user id."""
        wanted = list(addresses)
        owners: dict[str, dict[int | None, Member]] = {folded(address): {} for address in wanted}
        mapped = [coupa for address in wanted for coupa in self._emails.from_chat(address)]
        candidates = {spelling for coupa in mapped for spelling in spellings(coupa)}
        for person in self._people.people(sorted(candidates), deadline, insists=insists):
            address = folded(self._emails.to_chat(person.email))
            if person.active is not False and address in owners:
                owners[address][person.id] = person
        return owners
