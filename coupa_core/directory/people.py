"""People in Coupa's records: the source that is asked, and people as they were found."""

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
        """Return the time by Coupa's clock, as its last answer showed it; our time where none did."""
        ...

    def members(self, groups: Mapping[int, str | None], deadline: Deadline) -> Mapping[int, Sequence[Person]]:
        """Return the members of approval groups, by the id of the group; the given names confirm the ids."""
        ...

    def users(self, ids: Iterable[int], deadline: Deadline) -> PartialResult[int, Member]:
        """Return the users with these ids, each with its manager's id, and the ids that cannot be read."""
        ...

    def delegations(self, deadline: Deadline) -> list[Delegation]:
        """Return the delegations that may hold now."""
        ...

    def people(self, emails: Iterable[str], deadline: Deadline, *, insists: bool = True) -> Sequence[Member]:
        """Return the users with these e-mail addresses, with the groups that they approve in."""
        ...


class MemoizedPeople:
    """A source of people for one request: it asks each question once, and keeps failures, too.

    Twenty decisions then cost no more questions than one, and each is judged as if it came alone.
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
        """Return the delegations that may hold now."""
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
    """People whom the chat can reach, and people who could not be looked up.

    Attributes:
        people: by their own keys, or, for managers, by the keys of those whom they manage.
        unknown: the error of each lookup that failed, by the same keys. A person in neither cannot be
            reached.
    """

    people: dict[str, Decider] = field(default_factory=dict)
    unknown: dict[str, ServiceError] = field(default_factory=dict)

    def may_be_in(self, audience: Audience, key: str) -> bool:
        """Tell whether an audience includes a person, or may include one who could not be looked up."""
        person = self.people.get(key)
        is_meant = person is not None and audience.has(person.address)
        return audience.is_everybody or key in self.unknown or is_meant

    def is_known_later(self, key: str) -> bool:
        """Tell whether a later lookup may succeed: this one failed, and not by a refusal."""
        why = self.unknown.get(key)
        return why is not None and not isinstance(why, Denied | Refused)
