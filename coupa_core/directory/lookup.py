"""The directory: who may decide an approval, by Coupa's records of people, groups and delegations."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence

from coupa_core.authority import Capacity, Decider, Deciders, EmailMap, decider_at, decider_of, find_deciders
from coupa_core.clock import Clock, Deadline
from coupa_core.directory.addresses import Addresses, SharedAddresses
from coupa_core.directory.cache import KEEP_S
from coupa_core.directory.delegations import ActiveDelegations, CachedDelegations, Delegations, delegate_id
from coupa_core.directory.groups import Groups, Members, embedded
from coupa_core.directory.people import PeopleSource, ReachablePeople
from coupa_core.errors import ServiceError
from coupa_core.halving import PartialResult
from coupa_core.model import Approval, Delegation, Member, Person, user_id

logger = logging.getLogger(__name__)


class Directory:
    """Looks up people.

    Args:
        people: the source.
        clock: measures the age of the cache.
        emails: maps Coupa's addresses to the chat's.
        keep_s: how long the cache is used, in seconds; 0 disables it.
    """

    def __init__(
        self, people: PeopleSource, *, clock: Clock, emails: EmailMap, keep_s: float = KEEP_S
    ) -> None:
        self._people = people
        self.emails = emails
        self._lock = threading.Lock()
        self._delegations = Delegations(people, clock=clock, keep_s=keep_s)
        self._groups = Groups(people, clock=clock, keep_s=keep_s)
        self._addresses = Addresses(people, clock=clock, emails=emails, keep_s=keep_s, lock=self._lock)

    def deciders_of(self, approvals: Iterable[Approval], deadline: Deadline) -> dict[int, Deciders]:
        """Return the deciders of each approval. Never raises: a failed read makes the deciders uncertain."""
        wanted = list(approvals)
        with self._lock:
            delegations = (
                self._delegations.read(deadline) if any(map(_may_delegate, wanted)) else CachedDelegations()
            )
            groups = self._groups.read(wanted, deadline)
        by_delegator: dict[int, list[Delegation]] = {}
        now = self._people.now()
        for each in delegations.value.listed if delegations.value else ():
            if each.of is not None and each.is_active(now):
                by_delegator.setdefault(each.of, []).append(each)
        return {each.id: self._deciders(each, delegations, by_delegator, groups) for each in wanted}

    def shared(self, addresses: Iterable[str], deadline: Deadline) -> set[str]:
        """Return which of these addresses in chat have more than one active owner in Coupa.

        Raises:
            ServiceError: the lookup of an address failed.
        """
        sharing = self.sharing(addresses, deadline)
        for failure in sharing.unknown.values():
            raise failure
        return sharing.shared

    def sharing(self, addresses: Iterable[str], deadline: Deadline) -> SharedAddresses:
        """Return which addresses are shared, and which are unknown; see `Addresses.sharing`."""
        return self._addresses.sharing(addresses, deadline)

    def owners(self, address: str, deadline: Deadline) -> list[Member]:
        """Return the active users with this address in chat; see `Addresses.owners`."""
        return self._addresses.owners(address, deadline)

    def known(self, keys: Iterable[str], deadline: Deadline) -> ReachablePeople:
        """Return the people with these keys whom messages can reach, and the errors of failed lookups.

        Args:
            keys: `user:<id>`; other keys are ignored.
            deadline: for all calls.

        Returns:
            The active users who alone own their address in chat.

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
        """Return the managers of people by Coupa's records.

        Args:
            keys: `user:<id>` of the people; other keys are ignored.
            deadline: for all calls.

        Returns:
            The managers who are `known`, by the keys of the people. People without one, and people who are
            their own manager, are left out.

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
        """Return the actor as a decider of the approval now; None where the actor is no decider.

        An address with several active owners is no decider's. The approval itself identifies most deciders;
        for the others the directory reads members and delegates.

        Args:
            actor: the e-mail address in chat.
            approval: the approval as Coupa has it now.
            deadline: for all calls.
            is_vouched_for: an action token names this person, so the address was checked when the token was
                signed.

        Raises:
            ServiceError: Coupa did not answer.
        """
        quick = find_deciders(approval, members=embedded(approval) or (), delegates=(), emails=self.emails)
        found = decider_at(actor, quick)
        if found is None:
            deciders = self.deciders_of([approval], deadline)[approval.id]
            found = decider_at(actor, deciders.people)
            if found is None and deciders.failure is not None:
                raise deciders.failure
        if found is None or is_vouched_for:
            return found
        return None if self.shared([found.address], deadline) else found

    def approver_keys(self, person: Member, deadline: Deadline) -> tuple[list[str], ServiceError | None]:
        """Return the approver keys that mean a person, and the error where delegations could not be read."""
        try:
            others = self.delegators(person.id or 0, deadline)
        except ServiceError as failure:
            logger.warning("delegations not read code=%s cause=%s", failure.code, failure)
            return person.keys, failure
        return [*person.keys, *(f"user:{number}" for number in others)], None

    def delegators(self, user_id: int, deadline: Deadline) -> list[int]:
        """Return the ids of the users whose active delegate this user is; empty where access is denied.

        Raises:
            ServiceError: Coupa did not answer.
        """
        active = self._delegations.listed(deadline) or ActiveDelegations()
        return sorted({each.of for each in active.listed if each.of and delegate_id(each) == user_id})

    def _deciders(
        self,
        approval: Approval,
        delegations: CachedDelegations,
        by_delegator: Mapping[int, list[Delegation]],
        groups: Mapping[int, Members],
    ) -> Deciders:
        number = approval.asked_id or 0
        if approval.is_for_group:
            in_approval = embedded(approval)
            known = groups.get(number) if in_approval is None else (in_approval, None)
            if known is None:
                return self._found(approval, is_certain=False)
            members, failure = known
            return self._found(approval, failure, members=members)
        if delegations.value is None:
            return self._found(approval, delegates=_named_delegates(approval))
        if not _may_delegate(approval):
            return self._found(approval)
        for_this = by_delegator.get(number, ())
        delegates = [each.delegate for each in for_this if each.delegate]
        unread = [delegations.value.unknown.get(delegate_id(each) or 0) for each in for_this]
        return self._found(approval, next(filter(None, unread), delegations.failure), delegates=delegates)

    def _found(
        self,
        approval: Approval,
        failure: ServiceError | None = None,
        *,
        members: Sequence[Person] = (),
        delegates: Sequence[Person] = (),
        is_certain: bool = True,
    ) -> Deciders:
        people = find_deciders(approval, members=members, delegates=delegates, emails=self.emails)
        return Deciders(people, is_certain=is_certain and failure is None, failure=failure)


def _by_key(failed: Mapping[int, ServiceError]) -> dict[str, ServiceError]:
    """Return the errors of failed lookups by user key."""
    return {f"user:{number}": failure for number, failure in failed.items()}


def _may_delegate(approval: Approval) -> bool:
    """Tell whether the approver may have delegates; an inactive approver has none."""
    who = approval.approver
    return not approval.is_for_group and who is not None and who.active is not False


def _named_delegates(approval: Approval) -> list[Person]:
    """Return the delegates that the approval itself names."""
    named = [approval.delegate, *(each.approver for each in approval.delegates)]
    return [person for person in named if person is not None]
