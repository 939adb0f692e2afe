"""The lookup of deciders: the cached answers, their lifetime, and the answers that a click reads anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from bridge import World

from coupa_core.authority import Capacity, Decider, EmailMap
from coupa_core.clock import Deadline
from coupa_core.coupa import Coupa
from coupa_core.directory import KEEP_S, STALE_S, Directory, MemoizedPeople, ReachablePeople
from coupa_core.errors import Refused, ServiceError
from coupa_core.model import Approval
from sandbox.coupa.world import Group

ANN, BOB = "ann@example.com", "bob@example.com"


@dataclass
class Office:
    """A Coupa with one approval of Ann's, and a directory on it."""

    keep_s: float = KEEP_S
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        coupa = self.world.bridge.sweep.deps.coupa
        assert isinstance(coupa, Coupa)
        self.coupa = coupa
        self.look_up_by(EmailMap())

    def look_up_by(self, emails: EmailMap) -> None:
        """Begin a directory with this map of addresses."""
        self.directory = Directory(self.coupa, clock=self.world.clock, emails=emails, keep_s=self.keep_s)

    def approval(self, *approvers: Any) -> Approval:
        number = self.world.requisition(*(approvers or (ANN,)))
        found = self.coupa.approval(self.world.coupa.world.approvals_of(number)[0].id, self.soon())
        assert found is not None
        return found

    def soon(self) -> Deadline:
        return Deadline(self.world.clock, 30)

    def deciders(self, approval: Approval) -> tuple[list[str], bool]:
        """Return the addresses of those who may decide, and whether that is certain."""
        deciders = self.directory.deciders_of([approval], self.soon())[approval.id]
        return [person.address for person in deciders.people], deciders.is_certain

    def delegate(self, **raw: Any) -> None:
        number = self.world.delegation(ANN, BOB)
        self.world.coupa.world.delegations.rows[number].raw.update(raw)

    def keys(self, *emails: str) -> list[str]:
        """Return the keys of people, who are made on first mention."""
        return [f"user:{self.world.person(each)}" for each in emails]

    def fail(self, path: str, status: int = 500) -> None:
        self.world.coupa.front.fail("answer", path=path, status=status, times=None, body="{}")

    def fail_for(self, query: str) -> None:
        """Let Coupa fail whenever these are among the users that are asked for."""
        query = query.replace("[in]", r"\[in\]")
        self.world.coupa.front.fail("answer", path="/api/users$", query=query, times=None, body="{}")

    def capacity(self, actor: str, approval: Approval) -> Capacity | None:
        decider = self.directory.decider(actor, approval, self.soon())
        return decider.capacity if decider else None


def test_nobody_is_asked_when_nothing_waits() -> None:
    office = Office()

    assert office.directory.deciders_of([], office.soon()) == {}
    assert office.world.coupa.front.calls == []


def test_delegations_are_read_once_in_some_minutes_for_announcing() -> None:
    office = Office()
    approval = office.approval()
    for _ in range(3):
        assert office.deciders(approval) == ([ANN], True)
    assert office.world.coupa.front.count(path="/api/delegations") == 1

    office.world.clock.advance(KEEP_S)
    office.delegate()

    assert office.deciders(approval) == ([ANN, BOB], True)


def test_delegations_that_cannot_be_read_anew_are_used_for_an_hour_and_then_are_uncertain() -> None:
    office = Office()
    office.delegate()
    approval = office.approval()
    office.deciders(approval)
    office.fail("/api/delegations")

    office.world.clock.advance(STALE_S - 60)
    assert office.deciders(approval) == ([ANN, BOB], True)
    office.world.clock.advance(120)
    assert office.deciders(approval) == ([ANN], False)


def test_members_that_cannot_be_read_anew_are_used_for_an_hour_and_then_are_uncertain() -> None:
    office = Office()
    group = office.world.coupa.world.add_group(name="Buyers", members=[office.world.person(BOB)])
    office.world.coupa.world.delete_field("group", group, "users")
    approval = office.approval(Group(group))
    assert office.deciders(approval) == ([BOB], True)
    office.fail("/api/users")

    office.world.clock.advance(STALE_S - 60)
    assert office.deciders(approval) == ([BOB], True)
    office.world.clock.advance(120)
    assert office.deciders(approval) == ([], False)


@pytest.mark.parametrize(
    "raw", [{"delegator-id": None, "delegator": None}, {"delegator-id": "x", "delegator": {"id": None}}]
)
def test_a_delegation_of_nobody_is_nobodys(raw: dict[str, Any]) -> None:
    office = Office()
    office.delegate(**raw)
    nobody = office.approval().model_copy(update={"approver": None, "approver_id": None})

    assert office.deciders(nobody) == ([], True)
    assert office.deciders(office.approval()) == ([ANN], True)


def test_members_of_whom_it_is_not_known_whether_they_are_active_are_looked_up() -> None:
    office = Office()
    coupa = office.world.coupa.world
    ann, bob = office.world.person(ANN), office.world.person(BOB)
    group = coupa.add_group(name="Buyers", members=[ann, bob])
    coupa.users.rows[bob].active = False
    users = [{"id": ann, "email": ANN}, {"id": bob, "email": BOB}, {"login": "nobody"}]
    coupa.override(("group", group), {"users": users})
    approval = office.approval(Group(group))
    assert office.deciders(approval) == ([ANN], True)

    for user in (ann, bob):
        coupa.users.rows[user].extra["approval-groups"].clear()
    office.directory = Directory(office.coupa, clock=office.world.clock, emails=EmailMap())
    assert office.deciders(approval) == ([ANN], True)


def test_a_group_without_a_number_has_no_members() -> None:
    office = Office()
    group = Group(office.world.coupa.world.add_group(name="Buyers", members=[]))
    nameless = office.approval(group).model_copy(update={"approver": None, "approver_id": None})

    assert office.deciders(nameless) == ([], False)
    assert office.directory.decider(ANN, nameless, office.soon()) is None


def test_another_refusal_of_the_delegations_is_a_failure_and_no_answer() -> None:
    office = Office(keep_s=0)
    office.delegate()
    approval = office.approval()
    office.fail("/api/delegations", 400)

    assert office.deciders(approval) == ([ANN], False)
    with pytest.raises(Refused):
        office.directory.decider(BOB, approval, office.soon())


def test_a_click_takes_nothing_from_memory() -> None:
    office = Office(keep_s=0)
    office.delegate()
    approval = office.approval()
    assert office.directory.decider(BOB, approval, office.soon()) is not None

    office.world.coupa.world.delegations.rows.clear()
    office.world.coupa.world.delegations.ids.clear()

    assert office.directory.decider(BOB, approval, office.soon()) is None


def test_which_addresses_are_shared_is_asked_once_in_some_minutes() -> None:
    office = Office()
    office.keys(ANN, BOB)
    office.world.coupa.world.add_user(email=BOB.upper(), firstname="B", lastname="B")

    for _ in range(2):
        assert office.directory.shared([ANN, BOB], office.soon()) == {BOB}
    assert office.world.coupa.front.count(path="/api/users") == 2  # each is followed by a look for more
    office.world.clock.advance(KEEP_S + 1)
    office.directory.shared([ANN], office.soon())
    assert office.world.coupa.front.count(path="/api/users") == 4


def test_whether_an_address_is_shared_is_a_failure_while_nobody_can_say() -> None:
    office = Office()
    office.keys(ANN, BOB)
    office.fail_for("email[in]=.*bob@")

    with pytest.raises(ServiceError):
        office.directory.shared([ANN, BOB], office.soon())
    assert office.directory.shared([ANN], office.soon()) == set()


def test_an_address_of_two_people_is_shared_by_the_map_too() -> None:
    office = Office()
    office.look_up_by(EmailMap({ANN: BOB}))
    office.keys(ANN, BOB)

    assert office.directory.shared([BOB], office.soon()) == {BOB}


def test_an_address_is_shared_in_each_way_that_it_is_written() -> None:
    office = Office()
    for email in (ANN, ANN.upper()):
        office.world.coupa.world.add_user(email=email)

    assert office.directory.shared([ANN, ANN.upper()], office.soon()) == {ANN, ANN.upper()}


def test_people_are_known_by_their_keys_with_name_and_address_in_the_chat() -> None:
    office = Office()
    office.look_up_by(EmailMap({BOB: "bobby@example.com"}))
    ann, bob = office.keys(ANN, BOB)

    assert office.directory.known([bob, ann, bob], office.soon()).people == {
        ann: Decider(ann, ANN, "Ann Doe", "", Capacity.APPROVER),
        bob: Decider(bob, "bobby@example.com", "Bob Doe", "", Capacity.APPROVER),
    }


def test_nobody_is_known_who_is_inactive_or_without_an_address_of_their_own() -> None:
    office = Office()
    coupa = office.world.coupa.world
    gone = coupa.add_user(email="gone@example.com", active=False)
    mute = coupa.add_user(email="")
    twins = [coupa.add_user(email=email) for email in (BOB, BOB.upper())]
    ann = office.world.person(ANN)

    known = office.directory.known(
        [f"user:{each}" for each in (gone, mute, *twins, ann, 4711)], office.soon()
    )

    assert (list(known.people), known.unknown) == ([f"user:{ann}"], {})


@pytest.mark.parametrize(
    "keys", [[], ["group:101", "user:", "user:0", "user:x", "User:101", "101", ""]], ids=len
)
def test_nothing_is_asked_about_nobody(keys: list[str]) -> None:
    office = Office()
    office.world.person(ANN)

    assert office.directory.known(keys, office.soon()) == ReachablePeople()
    assert office.directory.managers(keys, office.soon()) == ReachablePeople()
    assert office.world.coupa.front.calls == []


def test_people_are_asked_for_fifty_at_once() -> None:
    office = Office()
    keys = office.keys(*(f"p{number}@example.com" for number in range(51)))

    assert list(office.directory.known(keys, office.soon()).people) == keys
    ids = [call for call in office.world.coupa.front.calls if "id%5Bin%5D" in call.query]
    assert len(ids) == 2


def test_the_manager_of_a_person_is_found_by_the_persons_key() -> None:
    office = Office()
    boss = office.world.person("boss@example.com")
    ann, bob = office.world.person(ANN, manager=boss), office.world.person(BOB, manager=boss)
    keys = [f"user:{each}" for each in (ann, bob, boss)]

    managers = office.directory.managers([*keys, "group:9"], office.soon()).people

    assert {key: manager.name for key, manager in managers.items()} == dict.fromkeys(keys[:2], "Boss Doe")
    assert {manager.key for manager in managers.values()} == {keys[2]}


def test_nobody_has_a_manager_whom_the_chat_cannot_reach_or_is_their_own() -> None:
    office = Office()
    coupa = office.world.coupa.world
    gone = coupa.add_user(email="gone@example.com", active=False)
    twin, _ = (coupa.add_user(email="twin@example.com") for _ in range(2))
    ann, bob = office.world.person(ANN, manager=gone), office.world.person(BOB, manager=twin)
    chief = office.world.person("chief@example.com")
    coupa.override(("user", chief), {"manager": {"id": chief}})
    odd = office.world.person("odd@example.com")
    coupa.override(("user", odd), {"manager": {"id": None}})

    keys = [f"user:{each}" for each in (ann, bob, chief, odd)]
    assert office.directory.managers(keys, office.soon()) == ReachablePeople()


@pytest.mark.parametrize("number", [1, 2])
def test_coupa_that_cannot_be_asked_about_people_is_a_failure_and_no_answer(number: int) -> None:
    office = Office()
    keys = office.keys(*(ANN, BOB)[:number])
    office.fail("/api/users", 400)

    for ask in (office.directory.known, office.directory.managers):
        found = ask(keys, office.soon())
        assert (found.people, {key: why.code for key, why in found.unknown.items()}) == (
            {},
            dict.fromkeys(keys, "coupa_400"),
        )


@pytest.mark.parametrize("status", [400, 500])
def test_coupa_that_knows_nothing_of_many_people_is_a_failure_of_its_own(status: int) -> None:
    office = Office()
    keys = office.keys(*(f"p{number}@example.com" for number in range(9)))
    office.fail("/api/users", status)

    for ask in (office.directory.known, office.directory.managers):
        with pytest.raises(ServiceError):
            ask(keys, office.soon())


def test_whoever_cannot_be_looked_up_is_told_apart_from_all_others() -> None:
    office = Office()
    boss, lost = (office.world.person(f"{name}@example.com") for name in ("boss", "lost"))
    ann, bob = office.world.person(ANN, manager=boss), office.world.person(BOB, manager=lost)
    office.fail_for(f"id[in]=(?:.*,)?{lost}")

    known = office.directory.known([f"user:{each}" for each in (ann, lost, boss)], office.soon())
    managers = office.directory.managers([f"user:{each}" for each in (ann, bob, lost)], office.soon())

    assert known.people.keys() == {f"user:{ann}", f"user:{boss}"}
    assert known.unknown.keys() == {f"user:{lost}"}
    assert managers.people.keys() == {f"user:{ann}"}
    assert managers.unknown.keys() == {f"user:{bob}", f"user:{lost}"}


def test_whose_address_cannot_be_looked_up_is_not_known_now_either() -> None:
    office = Office()
    ann, bob = office.keys(ANN, BOB)
    office.fail_for("email[in]=.*bob@")

    known = office.directory.known([ann, bob], office.soon())

    assert (list(known.people), list(known.unknown)) == ([ann], [bob])


def test_of_one_address_coupa_is_asked_again_although_the_map_gives_it_two_names() -> None:
    office = Office()
    office.look_up_by(EmailMap({ANN: BOB}))
    office.keys(ANN, BOB)
    office.world.coupa.front.fail("answer", path="/api/users", status=500, times=1)

    assert office.directory.shared([BOB], office.soon()) == {BOB}


def test_a_member_who_cannot_be_looked_up_makes_only_that_group_uncertain() -> None:
    office = Office()
    coupa = office.world.coupa.world
    people = {email: office.world.person(email) for email in (ANN, BOB)}
    approvals = {}
    for email, number in people.items():
        group = coupa.add_group(name=f"Group of {email}", members=[number])
        coupa.override(("group", group), {"users": [{"id": number, "email": email}]})
        approvals[email] = office.approval(Group(group))
        coupa.users.rows[number].extra["approval-groups"].clear()
    office.fail_for(f"id[in]=(?:.*,)?{people[BOB]}")

    deciders_of = office.directory.deciders_of(approvals.values(), office.soon())

    assert [deciders_of[approvals[email].id].is_certain for email in (ANN, BOB)] == [True, False]
    assert office.capacity(ANN, approvals[ANN]) == Capacity.MEMBER
    with pytest.raises(ServiceError):
        office.capacity(BOB, approvals[BOB])


def test_a_delegate_who_cannot_be_looked_up_is_no_reason_to_forget_the_others() -> None:
    office = Office()
    office.delegate(
        **{"delegate": {"id": (lost := office.world.person("lost@example.com"))}, "delegate-id": lost}
    )
    office.delegate()
    office.fail_for(f"id[in]=(?:.*,)?{lost}")
    approval = office.approval()

    assert office.deciders(approval) == ([ANN, BOB], False)
    assert office.capacity(BOB, approval) == Capacity.DELEGATE
    with pytest.raises(ServiceError):
        office.capacity("lost@example.com", approval)
    assert office.directory.delegators(lost, office.soon()) == [approval.asked_id]

    office.world.coupa.front.heal()
    office.world.clock.advance(KEEP_S + 1)
    assert office.deciders(approval) == ([ANN, "lost@example.com", BOB], True)


def test_each_question_is_asked_once_in_a_request_and_its_failure_is_an_answer_too() -> None:
    office = Office()
    ann = office.world.person(ANN)
    people = MemoizedPeople(office.coupa)

    def ask() -> list[Any]:
        return [
            people.users([ann], office.soon()),
            people.people([ANN], office.soon()),
            people.members({101: "Buyers"}, office.soon()),
            people.delegations(office.soon()),
        ]

    first, calls = ask(), len(office.world.coupa.front.calls)
    assert ask() == first
    assert people.users([ann, 4711], office.soon()) == first[0]
    assert len(office.world.coupa.front.calls) == calls + 2  # who did not come is asked for once more

    office.world.coupa.front.fail("answer", path="users", status=400, times=None)
    for _ in range(2):
        with pytest.raises(Refused):
            people.people(["bob@example.com"], office.soon())
    assert len(office.world.coupa.front.calls) == calls + 3
