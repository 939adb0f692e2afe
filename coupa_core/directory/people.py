"""The port to Coupa's records of people, a memoizing source, and the people that a lookup found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar, cast

from coupa_core.audience import Audience
from coupa_core.authority import Decider
from coupa_core.clock import Deadline
from coupa_core.errors import Denied, Refused, ServiceError
from coupa_core.halving import PartialResult
from coupa_core.model import Delegation, Member, Person

T = TypeVar("T")


class PeopleSource(Protocol):
    """The port to Coupa's records of people; all methods but `now` raise `ServiceError` on failure."""

    def now(self) -> datetime:
        """Return the time by Coupa's clock from its last answer; our time without one."""
        ...

    def members(self, groups: Mapping[int, str | None], deadline: Deadline) -> Mapping[int, Sequence[Person]]:
        """Return the members of approval groups, by group id; the given names confirm the ids."""
        ...

    def users(self, ids: Iterable[int], deadline: Deadline) -> PartialResult[int, Member]:
        """Return the users with these ids, each with the manager's id, and the errors of the others."""
        ...

    def delegations(self, deadline: Deadline) -> list[Delegation]:
        """Return the delegations that may be active now."""
        ...

    def people(self, emails: Iterable[str], deadline: Deadline, *, insists: bool = True) -> Sequence[Member]:
        """Return the users with these e-mail addresses, each with the approval groups."""
        ...


class MemoizedPeople:
    """A source for one request that makes each lookup once, and remembers failures, too.

    So twenty decisions need no more lookups than one, and each gets the result that it would get alone.
    """

    def __init__(self, people: PeopleSource) -> None:
        self._people = people
        self._answers: dict[tuple[object, ...], object] = {}

    def now(self) -> datetime:
        """Return the time by Coupa's clock."""
        return self._people.now()

    def members(self, groups: Mapping[int, str | None], deadline: Deadline) -> Mapping[int, Sequence[Person]]:
        """Return the members of approval groups."""
        return self._once(("members", *groups.items()), lambda: self._people.members(groups, deadline))

    def users(self, ids: Iterable[int], deadline: Deadline) -> PartialResult[int, Member]:
        """Return the users with these ids."""
        wanted = tuple(ids)
        return self._once(("users", *wanted), lambda: self._people.users(wanted, deadline))

    def delegations(self, deadline: Deadline) -> list[Delegation]:
        """Return the delegations that may be active now."""
        return self._once(("delegations",), lambda: self._people.delegations(deadline))

    def people(self, emails: Iterable[str], deadline: Deadline, *, insists: bool = True) -> Sequence[Member]:
        """Return the users with these e-mail addresses."""
        wanted = tuple(emails)
        return self._once(("people", *wanted), lambda: self._people.people(wanted, deadline, insists=insists))

    def _once(self, question: tuple[object, ...], ask: Callable[[], T]) -> T:
        if question not in self._answers:
            try:
                self._answers[question] = ask()
            except ServiceError as failure:
                self._answers[question] = failure
        answer = self._answers[question]
        if isinstance(answer, ServiceError):
            raise answer
        return cast("T", answer)


@dataclass(frozen=True)
class ReachablePeople:
    """The people whom messages can reach, and the errors of failed lookups.

    Attributes:
        people: the people by their keys; managers by the keys of the people whom they manage.
        unknown: the error of each failed lookup, by the same keys. Messages cannot reach a person whose key
            is in neither.
    """

    people: dict[str, Decider] = field(default_factory=dict)
    unknown: dict[str, ServiceError] = field(default_factory=dict)

    def may_be_in(self, audience: Audience, key: str) -> bool:
        """Tell whether an audience includes a person, or may include one whose lookup failed."""
        person = self.people.get(key)
        is_meant = person is not None and audience.has(person.address)
        return audience.is_everybody or key in self.unknown or is_meant

    def is_known_later(self, key: str) -> bool:
        """Tell whether a later lookup may succeed: this one failed without a refusal."""
        why = self.unknown.get(key)
        return why is not None and not isinstance(why, Denied | Refused)
