"""Who may decide, looked up: what is kept, for how long, and what a click never takes from memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from bridge import World

from coupa_core.authority import EmailMap
from coupa_core.clock import Deadline
from coupa_core.coupa import Coupa
from coupa_core.directory import KEEP_S, STALE_S, AskedOnce, Directory
from coupa_core.errors import Refused
from coupa_core.model import Approval
from sandbox.coupa.world import Group

ANN, BOB = "ann@example.com", "bob@example.com"


@dataclass
class Office:
    """A Coupa with one approval of Ann's, and a directory on it."""

    keep_s: float = KEEP_S
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        coupa = self.world.bridge.sweep.kit.coupa
        assert isinstance(coupa, Coupa)
        self.coupa = coupa
        self.directory = Directory(self.coupa, clock=self.world.clock, emails=EmailMap(), keep_s=self.keep_s)

    def approval(self, *approvers: Any) -> Approval:
        number = self.world.requisition(*(approvers or (ANN,)))
        found = self.coupa.approval(self.world.coupa.world.approvals_of(number)[0].id, self.soon())
        assert found is not None
        return found

    def soon(self) -> Deadline:
        return Deadline(self.world.clock, 30)

    def circle(self, approval: Approval) -> tuple[list[str], bool]:
        """Return the addresses of those who may decide, and whether that is certain."""
        circle = self.directory.circles([approval], self.soon())[approval.id]
        return [person.address for person in circle.people], circle.is_certain

    def delegate(self, **raw: Any) -> None:
        now = self.world.clock.now()
        number = self.world.coupa.world.add_delegation(
            delegator=self.world.person(ANN),
            delegate=self.world.person(BOB),
            start=now - timedelta(days=1),
            end=now + timedelta(days=9),
        )
        self.world.coupa.world.delegations.rows[number].raw.update(raw)

    def fail(self, path: str, status: int = 500) -> None:
        self.world.coupa.front.fail("answer", path=path, status=status, times=None, body="{}")


def test_nobody_is_asked_when_nothing_waits() -> None:
    office = Office()

    assert office.directory.circles([], office.soon()) == {}
    assert office.world.coupa.front.calls == []


def test_delegations_are_read_once_in_some_minutes_for_announcing() -> None:
    office = Office()
    approval = office.approval()
    for _ in range(3):
        assert office.circle(approval) == ([ANN], True)
    assert office.world.coupa.front.count(path="/api/delegations") == 1

    office.world.clock.advance(KEEP_S)
    office.delegate()

    assert office.circle(approval) == ([ANN, BOB], True)


def test_delegations_that_cannot_be_read_anew_are_used_for_an_hour_and_then_are_uncertain() -> None:
    office = Office()
    office.delegate()
    approval = office.approval()
    office.circle(approval)
    office.fail("/api/delegations")

    office.world.clock.advance(STALE_S - 60)
    assert office.circle(approval) == ([ANN, BOB], True)
    office.world.clock.advance(120)
    assert office.circle(approval) == ([ANN], False)


def test_members_that_cannot_be_read_anew_are_used_for_an_hour_and_then_are_uncertain() -> None:
    office = Office()
    group = office.world.coupa.world.add_group(name="Buyers", members=[office.world.person(BOB)])
    office.world.coupa.world.delete_field("group", group, "users")
    approval = office.approval(Group(group))
    assert office.circle(approval) == ([BOB], True)
    office.fail("/api/users")

    office.world.clock.advance(STALE_S - 60)
    assert office.circle(approval) == ([BOB], True)
    office.world.clock.advance(120)
    assert office.circle(approval) == ([], False)


@pytest.mark.parametrize(
    "raw", [{"delegator-id": None, "delegator": None}, {"delegator-id": "x", "delegator": {"id": None}}]
)
def test_a_delegation_of_nobody_is_nobodys(raw: dict[str, Any]) -> None:
    office = Office()
    office.delegate(**raw)
    nobody = office.approval().model_copy(update={"approver": None, "approver_id": None})

    assert office.circle(nobody) == ([], True)
    assert office.circle(office.approval()) == ([ANN], True)


def test_members_of_whom_it_is_not_known_whether_they_are_active_are_looked_up() -> None:
    office = Office()
    coupa = office.world.coupa.world
    ann, bob = office.world.person(ANN), office.world.person(BOB)
    group = coupa.add_group(name="Buyers", members=[ann, bob])
    coupa.users.rows[bob].active = False
    users = [{"id": ann, "email": ANN}, {"id": bob, "email": BOB}, {"login": "nobody"}]
    coupa.override(("group", group), {"users": users})
    approval = office.approval(Group(group))
    assert office.circle(approval) == ([ANN], True)

    for user in (ann, bob):
        coupa.users.rows[user].extra["approval-groups"].clear()
    office.directory = Directory(office.coupa, clock=office.world.clock, emails=EmailMap())
    assert office.circle(approval) == ([ANN], True)


def test_a_group_without_a_number_has_no_members() -> None:
    office = Office()
    group = Group(office.world.coupa.world.add_group(name="Buyers", members=[]))
    nameless = office.approval(group).model_copy(update={"approver": None, "approver_id": None})

    assert office.circle(nameless) == ([], False)
    assert office.directory.decider(ANN, nameless, office.soon()) is None


def test_another_refusal_of_the_delegations_is_a_failure_and_no_answer() -> None:
    office = Office(keep_s=0)
    office.delegate()
    approval = office.approval()
    office.fail("/api/delegations", 400)

    assert office.circle(approval) == ([ANN], False)
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
    for email in (ANN, BOB):
        office.world.person(email)
    office.world.coupa.world.add_user(email=BOB.upper(), firstname="B", lastname="B")

    for _ in range(2):
        assert office.directory.shared([ANN, BOB], office.soon()) == {BOB}
    assert office.world.coupa.front.count(path="/api/users") == 1
    office.world.clock.advance(KEEP_S)
    office.directory.shared([ANN], office.soon())
    assert office.world.coupa.front.count(path="/api/users") == 2


def test_an_address_of_two_people_is_shared_by_the_map_too() -> None:
    office = Office()
    office.directory.emails = EmailMap({ANN: BOB})
    for email in (ANN, BOB):
        office.world.person(email)

    assert office.directory.shared([BOB], office.soon()) == {BOB}


def test_an_address_is_shared_in_each_way_that_it_is_written() -> None:
    office = Office()
    for email in (ANN, ANN.upper()):
        office.world.coupa.world.add_user(email=email)

    assert office.directory.shared([ANN, ANN.upper()], office.soon()) == {ANN, ANN.upper()}


def test_each_question_is_asked_once_in_a_request_and_its_failure_is_an_answer_too() -> None:
    office = Office()
    ann = office.world.person(ANN)
    people = AskedOnce(office.coupa)

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
    assert len(office.world.coupa.front.calls) == calls + 1

    office.world.coupa.front.fail("answer", path="users", status=400, times=None)
    for _ in range(2):
        with pytest.raises(Refused):
            people.people(["bob@example.com"], office.soon())
    assert len(office.world.coupa.front.calls) == calls + 2
