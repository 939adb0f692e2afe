"""Many notices for one person become one, and each of its approvals is known, decidable and told once."""

from __future__ import annotations

from collections import Counter

import pytest
from bridge import ALEX, JAMIE, ROBIN, World
from hypothesis import given, settings
from hypothesis import strategies as st
from unruly import ENDLESS, Dying

from coupa_core.ledger import MemoryStore, State
from sandbox.coupa.world import Line


def with_many(
    number: int, *, over: int = 3, workers: int = 1, store: MemoryStore | None = None, **settings: str
) -> World:
    """Return a world in which so many approvals wait for Jamie."""
    world = World(
        settings={"DIGEST_OVER": str(over), **settings}, workers=workers, store=store or MemoryStore()
    )
    for _ in range(number):
        world.requisition(JAMIE)
    return world


def states(world: World) -> Counter[State]:
    return Counter(row.state for row in world.store.open_entries().entries)


@pytest.mark.parametrize(("number", "messages"), [(3, 3), (4, 1)])
def test_more_than_so_many_become_one_message(number: int, messages: int) -> None:
    world = with_many(number)

    assert len(world.announced()) == messages
    assert world.announced() == []
    assert states(world) == {State.SENT: number}


@pytest.mark.parametrize("workers", [1, 10])
def test_200_approvals_for_one_person_in_one_sweep_are_one_message(workers: int) -> None:
    world = with_many(200, over=10, workers=workers)

    [told] = world.announced()

    assert "200 approvals are waiting for you" in told.message
    assert (told.recipient, told.slots) == (JAMIE, {})
    assert states(world) == {State.SENT: 200}


def test_never_is_a_choice() -> None:
    assert len(with_many(20, over=0).announced()) == 20


def test_those_who_get_few_get_them_one_by_one_beside_somebody_who_gets_many() -> None:
    world = with_many(4)
    world.requisition(ROBIN)
    world.requisition(ROBIN)

    told = world.announced()

    assert [(each.recipient, bool(each.slots)) for each in told] == [
        (JAMIE, False),
        (ROBIN, True),
        (ROBIN, True),
    ]


def test_a_group_is_told_one_by_one_and_its_busy_member_in_the_digest() -> None:
    world = with_many(3)
    world.requisition(world.group(JAMIE, ROBIN), title="Chairs")

    digest, single = world.announced()

    assert (digest.recipient, "4 approvals" in digest.message) == (JAMIE, True)
    assert (single.recipient, "Chairs" in single.message) == (ROBIN, True)
    assert states(world) == {State.SENT: 4}
    assert world.announced() == []


def test_the_audit_record_says_as_whom_somebody_was_told_in_a_digest() -> None:
    world = with_many(3)
    number = world.requisition(world.group(JAMIE, ROBIN))
    world.sweep()

    [approval] = world.coupa.world.approvals_of(number)

    assert any(f"{JAMIE} was told in a digest, as member" in line for line in world.story(approval.id))


def test_what_is_needed_first_stands_first() -> None:
    world = with_many(3)
    world.requisition(JAMIE, title="Ice cream", need_by=world.clock.now())

    [told] = world.announced()

    assert told.message.index("Ice cream") < told.message.index("Laptops")


def test_every_approval_of_a_digest_can_be_decided_from_the_list() -> None:
    world = with_many(12, over=10)
    [told] = world.announced()
    assert "Do I have any approvals in Coupa?" in told.message

    listed = world.listed(JAMIE).body["approvals"]
    decisions = [{"id": each["approval_id"], "token": each["action_token"]} for each in listed]
    said = world.call(
        "decide", headers={"X-Actor-Email": JAMIE}, json={"decision": "approve", "items": decisions}
    )

    assert (said.status, world.puts()) == (200, 12)


def test_one_approval_that_moveworks_will_not_take_does_not_keep_the_others_from_being_told() -> None:
    world = with_many(4)
    world.moveworks.front.fail("answer", method="POST", status=400, times=1)
    assert world.announced() == []
    assert states(world) == {State.RETRY: 4}

    world.clock.advance(61)

    assert len(world.announced()) == 4  # one by one, so that each has its own answer
    assert states(world) == {State.SENT: 4}


def test_after_a_lost_answer_the_digest_comes_once_more_when_the_claims_are_over() -> None:
    world = with_many(4)
    world.moveworks.front.fail("lose", method="POST", times=1)
    assert len(world.announced()) == 1
    world.clock.advance(60)
    assert world.announced() == []

    world.clock.advance(120)

    assert len(world.announced()) == 1
    assert states(world) == {State.SENT: 4}


def test_when_moveworks_is_away_the_digest_comes_later_and_nothing_counts_against_the_approvals() -> None:
    world = with_many(4)
    world.moveworks.front.fail("answer", status=401, times=2)
    world.announced()
    assert {each.refusals for row in world.store.open_entries().entries for each in row.told.values()} == {0}

    world.clock.advance(60)
    world.announced()
    world.clock.advance(60)

    assert len(world.announced()) == 1


def test_a_digest_takes_one_place_of_the_allowed_rate() -> None:
    world = with_many(40, over=10, MOVEWORKS_MAX_PER_MINUTE="2")
    world.requisition(ALEX)
    world.requisition(ROBIN)

    assert [each.recipient for each in world.announced()] == [JAMIE, ROBIN]
    world.clock.advance(60)
    assert [each.recipient for each in world.announced()] == [ALEX]


@pytest.mark.slow
def test_more_than_a_digest_can_hold_become_several() -> None:
    world = with_many(270, over=10)

    first, second = world.announced()

    assert ("250 approvals" in first.message, "20 approvals" in second.message) == (True, True)
    assert states(world) == {State.SENT: 270}


def test_a_digest_that_cannot_be_written_gives_way_to_a_notice_for_each(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object, **more: object) -> str:
        raise ZeroDivisionError

    world = with_many(4)
    monkeypatch.setattr("coupa_core.notice.digest", broken)

    assert [bool(each.slots) for each in world.announced()] == [True] * 4
    assert "digest spoiled approvals=4" in caplog.text


@pytest.mark.parametrize("writes", range(5))
def test_a_store_that_dies_after_a_digest_repeats_what_it_could_not_mark(writes: int) -> None:
    store = Dying()
    world = with_many(4, store=store)
    store.left = writes
    assert len(world.announced()) == 1
    store.left = ENDLESS
    world.clock.advance(200)

    again = world.announced()

    # Those that are left are few enough to come one by one.
    assert [bool(each.slots) for each in again] == ([False] if writes == 0 else [True] * (4 - writes))
    assert states(world) == {State.SENT: 4}


# What the reader can do from chat.


@pytest.mark.parametrize(
    ("settings", "requester"),
    [
        ({"STEP_UP_OVER": '{"*": 1}'}, "sam@example.com"),
        ({}, JAMIE),
        ({"ACTIONS": "hold"}, "sam@example.com"),
    ],
    ids=["too great", "own", "not holdable"],
)
def test_a_digest_of_what_is_decided_in_coupa_only_says_so(settings: dict[str, str], requester: str) -> None:
    world = World(settings={"DIGEST_OVER": "1", **settings})
    for _ in range(3):
        world.requisition(JAMIE, requester=requester)

    [told] = world.announced()

    assert "To decide, open each of them in Coupa." in told.message
    assert "decide here" not in told.message
    assert "to be decided" not in told.message


def test_a_digest_marks_what_can_be_decided_in_coupa_only() -> None:
    world = World(settings={"DIGEST_OVER": "1", "STEP_UP_OVER": '{"*": 2000}'})
    world.requisition(JAMIE)
    dear = world.requisition(JAMIE, title="Servers", lines=[Line("Server", quantity="1", unit_price="9000")])

    [told] = world.announced()

    entries = [line for line in told.message.split("<br>") if line[:1].isdigit()]
    assert [(f"/{dear}" in line, line.endswith(", to be decided in Coupa")) for line in entries] in (
        [(True, True), (False, False)],
        [(False, False), (True, True)],
    )
    assert "To decide here, ask: “Do I have any approvals in Coupa?”" in told.message


@pytest.mark.slow
@given(amounts=st.lists(st.sampled_from(["100", "5000"]), min_size=2, max_size=4))
@settings(max_examples=15, deadline=None)
def test_what_a_digest_says_of_each_is_what_the_list_says(amounts: list[str]) -> None:
    world = World(settings={"DIGEST_OVER": "1", "STEP_UP_OVER": '{"*": 2000}'})
    for number, amount in enumerate(amounts):
        lines = [Line("Desk", quantity="1", unit_price=amount)]
        world.requisition(JAMIE, title=f"Desk {number}", lines=lines)

    [told] = world.announced()

    listed = world.listed(JAMIE).body["approvals"]
    free = [each for each in listed if "please decide in Coupa" not in each["text"]]
    assert ("To decide here" in told.message) is bool(free)
    marked = told.message.count("to be decided in Coupa")
    assert marked == (len(amounts) - len(free) if free else 0)


def test_one_document_that_asks_twice_says_for_whom_each_is() -> None:
    world = World(settings={"DIGEST_OVER": "1"})
    world.delegation(ROBIN, JAMIE)
    world.requisition([JAMIE, ROBIN])

    told = [each.message for each in world.announced() if each.recipient == JAMIE]

    entries = [line for line in told[0].split("<br>") if line[:1].isdigit()]
    assert sorted(line.endswith("(for Robin Doe)") for line in entries) == [False, True]
