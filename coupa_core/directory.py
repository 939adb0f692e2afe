"""Look up who may decide an approval in Coupa's records: members of groups, and present delegates.

Sweeps keep the records for some minutes; a click always reads afresh. The directory decides no approval and
sends nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar, cast

from coupa_core.addresses import folded, spellings
from coupa_core.audience import Audience
from coupa_core.authority import Capacity, Decider, Deciders, EmailMap, decider_at, decider_of, find_deciders
from coupa_core.clock import Clock, Deadline
from coupa_core.errors import Denied, Refused, ServiceError
from coupa_core.halving import PartialResult, by_halves
from coupa_core.model import Approval, Delegation, Member, Person, user_id

KEEP_S = 300.0
"""How long a sweep keeps members and delegations."""

STALE_S = 3600.0
"""How long a sweep still uses them when they cannot be read anew."""

READ_S = 5.0
"""The most seconds of a sweep for reading them: some approvals need none of them."""

AGAIN_S = 60.0
"""How long after a failure a sweep does not ask for them again."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


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
class SharedAddresses:
    """Addresses that belong to more than one user of Coupa, and addresses that could not be looked up.

    Attributes:
        shared: addresses of several active users.
        unknown: the error of each lookup that failed, by address.
    """

    shared: set[str] = field(default_factory=set)
    unknown: dict[str, ServiceError] = field(default_factory=dict)


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


@dataclass(frozen=True)
class _Acting:
    """The delegations that hold now.

    Attributes:
        listed: the delegations; without a delegate where that person could not be read.
        unknown: the error of each such read, by the id of the delegate.
    """

    listed: list[Delegation] = field(default_factory=list)
    unknown: dict[int, ServiceError] = field(default_factory=dict)


@dataclass
class _KeptDelegations:
    """The delegations, None where they may not be read, and the time of the read on the monotonic clock."""

    at_s: float = float("-inf")
    value: _Acting | None = field(default_factory=_Acting)
    failure: ServiceError | None = None
    """The error of the read."""


_Members = tuple[list[Person], ServiceError | None]
"""The known members of a group, and the error for the others."""


class Directory:
    """Looks up people.

    Args:
        people: the source.
        clock: measures the age of kept records.
        emails: maps Coupa's addresses to the chat's.
        keep_s: how long records are kept; 0 reads each time.
    """

    def __init__(
        self, people: PeopleSource, *, clock: Clock, emails: EmailMap, keep_s: float = KEEP_S
    ) -> None:
        self._people = people
        self._clock = clock
        self.emails = emails
        self._keep_s = keep_s
        self._delegations = _KeptDelegations()
        self._members: dict[int, tuple[float, list[Person]]] = {}
        self._shared: dict[str, tuple[float, bool]] = {}
        self._failed_at_s = {"delegations": float("-inf"), "groups": float("-inf")}
        self._lock = threading.Lock()

    def deciders_of(self, approvals: Iterable[Approval], deadline: Deadline) -> dict[int, Deciders]:
        """Return the deciders of each approval. Never raises: a failed read makes the deciders uncertain."""
        wanted = list(approvals)
        with self._lock:
            delegations = (
                self._read_delegations(deadline) if any(map(_may_delegate, wanted)) else _KeptDelegations()
            )
            groups = self._read_groups(wanted, deadline)
        acting: dict[int, list[Delegation]] = {}
        now = self._people.now()
        for each in delegations.value.listed if delegations.value else ():
            if each.of is not None and each.is_active(now):
                acting.setdefault(each.of, []).append(each)
        return {each.id: self._deciders(each, delegations, acting, groups) for each in wanted}

    def shared(self, addresses: Iterable[str], deadline: Deadline) -> set[str]:
        """Return which of the chat's addresses belong to more than one active user of Coupa.

        Raises:
            ServiceError: the lookup of one of them failed.
        """
        sharing = self.sharing(addresses, deadline)
        for failure in sharing.unknown.values():
            raise failure
        return sharing.shared

    def sharing(self, addresses: Iterable[str], deadline: Deadline) -> SharedAddresses:
        """Return which of the chat's addresses belong to more than one active user, and which are unknown.

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
                # For one address the question is repeated at once; several are asked about in smaller groups.
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
        """Return the active users whom the chat knows by this address; an address of two counts as nobody's.

        Raises:
            ServiceError: Coupa did not answer.
        """
        return list(self._owners([address], deadline)[folded(address)].values())

    def _owners(
        self, addresses: Iterable[str], deadline: Deadline, *, insists: bool = True
    ) -> dict[str, dict[int | None, Member]]:
        """Return the active users whom the chat knows by each address, by the address and their ids."""
        wanted = list(addresses)
        owners: dict[str, dict[int | None, Member]] = {folded(address): {} for address in wanted}
        mapped = [coupa for address in wanted for coupa in self.emails.from_chat(address)]
        candidates = {spelling for coupa in mapped for spelling in spellings(coupa)}
        for person in self._people.people(sorted(candidates), deadline, insists=insists):
            address = folded(self.emails.to_chat(person.email))
            if person.active is not False and address in owners:
                owners[address][person.id] = person
        return owners

    def known(self, keys: Iterable[str], deadline: Deadline) -> ReachablePeople:
        """Return the people with these keys whom the chat can reach, and those who could not be looked up.

        Args:
            keys: `user:<id>`; any other is ignored.
            deadline: for all calls.

        Returns:
            Active users with an address in the chat that belongs to nobody else; the others are left out.

        Raises:
            ServiceError: every lookup failed.
        """
        users = self._users(keys, deadline)
        found = [each for user in users.rows if (each := decider_of(user, Capacity.APPROVER, self.emails))]
        sharing = self.sharing((each.address for each in found), deadline)
        left_out = sharing.shared | sharing.unknown.keys()
        return ReachablePeople(
            {each.key: each for each in found if each.address not in left_out},
            _by_key(users.failed)
            | {each.key: sharing.unknown[each.address] for each in found if each.address in sharing.unknown},
        )

    def managers(self, keys: Iterable[str], deadline: Deadline) -> ReachablePeople:
        """Return the managers of people as Coupa has them, by the people's keys.

        Args:
            keys: `user:<id>`; any other is ignored.
            deadline: for all calls.

        Returns:
            The managers who are `known`, by the keys given. A person without such a manager, or who is their
            own manager, is left out.

        Raises:
            ServiceError: every lookup failed.
        """
        users = self._users(keys, deadline)
        manager_keys = {
            user.key: user.manager.key
            for user in users.rows
            if user.key and user.manager and user.manager.key and user.manager.key != user.key
        }
        known = self.known(manager_keys.values(), deadline)
        return ReachablePeople(
            {key: known.people[manager] for key, manager in manager_keys.items() if manager in known.people},
            _by_key(users.failed)
            | {
                key: known.unknown[manager]
                for key, manager in manager_keys.items()
                if manager in known.unknown
            },
        )

    def _users(self, keys: Iterable[str], deadline: Deadline) -> PartialResult[int, Member]:
        return self._people.users([number for key in keys if (number := user_id(key))], deadline)

    def decider(
        self, actor: str, approval: Approval, deadline: Deadline, *, is_vouched_for: bool = False
    ) -> Decider | None:
        """Return the person with this e-mail as a decider of the approval now; None for no decider.

        A person whose address another active user has, too, is none. The approval itself is enough for most
        people; for the others members and delegates are read.

        Args:
            actor: e-mail in the chat.
            approval: as Coupa has it now.
            deadline: for all calls.
            is_vouched_for: a token names this person, so the address was checked when the token was made.

        Raises:
            ServiceError: Coupa did not answer.
        """
        quick = find_deciders(approval, members=_embedded(approval) or (), delegates=(), emails=self.emails)
        found = decider_at(actor, quick)
        if found is None:
            deciders = self.deciders_of([approval], deadline)[approval.id]
            found = decider_at(actor, deciders.people)
            if found is None and deciders.failure is not None:
                raise deciders.failure
        if found is None or is_vouched_for:
            return found
        return None if self.shared([found.address], deadline) else found

    def asked_as(self, person: Member, deadline: Deadline) -> tuple[list[str], ServiceError | None]:
        """Return the keys under which approvals ask a person, and the error where delegations failed."""
        try:
            others = self.delegators(person.id or 0, deadline)
        except ServiceError as failure:
            logger.warning("delegations not read code=%s cause=%s", failure.code, failure)
            return person.keys, failure
        return [*person.keys, *(f"user:{number}" for number in others)], None

    def delegators(self, user_id: int, deadline: Deadline) -> list[int]:
        """Return the ids of the users for whom this one acts now; empty where delegations cannot be read.

        Raises:
            ServiceError: Coupa did not answer.
        """
        acting = self._listed_delegations(deadline) or _Acting()
        return sorted({each.of for each in acting.listed if each.of and _delegate_id(each) == user_id})

    def _deciders(
        self,
        approval: Approval,
        delegations: _KeptDelegations,
        acting: Mapping[int, list[Delegation]],
        groups: Mapping[int, _Members],
    ) -> Deciders:
        number = approval.asked_id or 0
        members: Sequence[Person] = ()
        delegates: Sequence[Person] = ()
        failure, is_certain = None, True
        if approval.is_for_group:
            embedded = _embedded(approval)
            known = groups.get(number) if embedded is None else (embedded, None)
            members, failure = known or ((), None)
            is_certain = known is not None
        elif delegations.value is None:
            delegates = _named_delegates(approval)
        elif _may_delegate(approval):
            for_this = acting.get(number, ())
            delegates = [each.delegate for each in for_this if each.delegate]
            unread = [delegations.value.unknown.get(_delegate_id(each) or 0) for each in for_this]
            failure = next(filter(None, unread), delegations.failure)
        people = find_deciders(approval, members=members, delegates=delegates, emails=self.emails)
        return Deciders(people, is_certain=is_certain and failure is None, failure=failure)

    def _read_delegations(self, deadline: Deadline) -> _KeptDelegations:
        """Return the delegations; without a value when this client may not read them."""
        kept, now_s = self._delegations, self._clock.monotonic()
        if now_s - kept.at_s < self._keep_s or self._has_just_failed("delegations"):
            return kept
        try:
            self._delegations = _KeptDelegations(now_s, self._listed_delegations(self._in_time(deadline)))
        except ServiceError as failure:
            self._note_failure("delegations", failure)
            if now_s - kept.at_s >= STALE_S:
                self._delegations = _KeptDelegations(failure=failure)
        return self._delegations

    def _in_time(self, deadline: Deadline) -> Deadline:
        """Return the deadline for reads that are kept; a click, which keeps nothing, has its own."""
        return deadline.within(READ_S) if self._keep_s else deadline

    def _has_just_failed(self, what: str) -> bool:
        """Tell whether another call so soon after a failure would only cost the sweep time."""
        return self._clock.monotonic() - self._failed_at_s[what] < min(AGAIN_S, self._keep_s)

    def _note_failure(self, what: str, failure: ServiceError) -> None:
        self._failed_at_s[what] = self._clock.monotonic()
        logger.warning("%s not read code=%s cause=%s", what, failure.code, failure)

    def _listed_delegations(self, deadline: Deadline) -> _Acting | None:
        """Read the delegations that hold now by Coupa's clock, which wrote their times.

        None when Coupa does not allow this client to: no list of scopes names delegations.
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
        vague = [
            each
            for each in active
            if not each.delegate or None in (each.delegate.email, each.delegate.active)
        ]
        asked = [number for each in vague if (number := _delegate_id(each))]
        users: PartialResult[int, Member] = self._people.users(asked, deadline) if asked else PartialResult()
        known = {person.id: person for person in users.rows}
        for number, why in users.failed.items():
            logger.warning("delegate not read user=%d code=%s", number, why.code)
        return _Acting([_completed(each, known) if each in vague else each for each in active], users.failed)

    def _read_groups(self, approvals: list[Approval], deadline: Deadline) -> dict[int, _Members]:
        """Return the members of groups whose approvals do not contain them, as far as known."""
        now_s = self._clock.monotonic()
        asked = [each for each in approvals if each.is_for_group and _embedded(each) is None]
        old = [
            each
            for each in asked
            if now_s - self._members.get(each.asked_id or 0, (float("-inf"), []))[0] >= self._keep_s
        ]
        read: dict[int, _Members] = {}
        if old and not self._has_just_failed("groups"):
            try:
                found, failed = self._look_up(old, self._in_time(deadline))
            except ServiceError as failure:
                self._note_failure("groups", failure)
                read = {each.asked_id: ([], failure) for each in old if each.asked_id is not None}
            else:
                for number, why in failed.items():
                    logger.warning("group not read group=%d code=%s", number, why.code)
                read = {number: (people, failed.get(number)) for number, people in found.items()}
                self._members |= {number: (now_s, found[number]) for number in found.keys() - failed.keys()}
        kept = {
            number: (members[1], None)
            for number in {each.asked_id or 0 for each in asked}
            if (members := self._members.get(number)) and now_s - members[0] < STALE_S
        }
        return read | kept

    def _look_up(
        self, approvals: Iterable[Approval], deadline: Deadline
    ) -> tuple[dict[int, list[Person]], dict[int, ServiceError]]:
        """Read the members of groups: by the group, or else by the users that the approval names.

        Returns:
            The members that could be read, and the errors for the others, each by the id of the group.
        """
        wanted = {each.asked_id: each.approver for each in approvals if each.asked_id is not None}
        names = {number: who.group_name if who else None for number, who in wanted.items()}
        members = self._people.members(names, deadline) if names else {}
        found: dict[int, list[Person]] = {}
        failed: dict[int, ServiceError] = {}
        for number, who in wanted.items():
            named = [person.id for person in who.users if person.id is not None] if who else []
            found[number] = list(members.get(number, ()))
            if not found[number] and named:
                users = self._people.users(named, deadline)
                found[number] = list(users.rows)
                failed |= dict(zip([number], users.failed.values(), strict=False))
        return found, failed


def _by_key(failed: Mapping[int, ServiceError]) -> dict[str, ServiceError]:
    """Return the errors of users by the users' keys."""
    return {f"user:{number}": failure for number, failure in failed.items()}


def _may_delegate(approval: Approval) -> bool:
    """Tell whether the approver may have delegates; an inactive approver has none."""
    who = approval.approver
    return not approval.is_for_group and who is not None and who.active is not False


def _completed(delegation: Delegation, known: Mapping[int | None, Member]) -> Delegation:
    """Return a delegation with the full record of its delegate; without one where it is unknown."""
    number = _delegate_id(delegation)
    return delegation.model_copy(update={"delegate": known.get(number), "delegate_id": number})


def _embedded(approval: Approval) -> list[Person] | None:
    """Return the members that came with the approval; None unless each record says whether it is active."""
    users = approval.approver.users if approval.approver else ()
    return list(users) if users and all(person.active is not None for person in users) else None


def _delegate_id(delegation: Delegation) -> int | None:
    return delegation.delegate_id or (delegation.delegate.id if delegation.delegate else None)


def _named_delegates(approval: Approval) -> list[Person]:
    """Return the delegates whom the approval itself names: those who act for its approver."""
    named = [approval.delegate, *(each.approver for each in approval.delegates)]
    return [person for person in named if person is not None]
