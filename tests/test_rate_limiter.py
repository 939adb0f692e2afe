"""Permits for Coupa: one rate for all processes, people before sweeps, no call that cannot end in time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from bridge import JAMIE, ROBIN, World
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_contract import at_once
from unruly import before

from coupa_core.clock import Deadline, SystemClock, time_left_s, until
from coupa_core.decide.calls import last_permit_s
from coupa_core.errors import Busy, Conflict, ServiceError, Unavailable, Unknown
from coupa_core.ledger import LedgerStore, MemoryStore, Note
from coupa_core.rate_limiter import (
    ALONE_S,
    FIRST_S,
    MAX_AHEAD_S,
    NAME,
    SLOW_S,
    TABLE_S,
    YIELD_S,
    RateLimiter,
)
from sandbox.clock import ManualClock

CLICK_S = 9.0
"""A click's time for Coupa."""
PERMITS_S = last_permit_s(CLICK_S, FIRST_S, reads=2)
"""Until its last turn, where nothing is known yet of how long calls take."""


def counted(store: MemoryStore) -> Counter[str]:
    """Count what is asked of a store from now on."""
    asked: Counter[str] = Counter()
    for method in ("note", "save_note"):
        before(store, method, lambda *_, method=method: asked.update([method]))
    return asked


def away_once(*failures: ServiceError) -> MemoryStore:
    """Return a store that fails so often before it answers."""
    left = list(failures)

    def fail(name: str) -> None:
        if left:
            raise left.pop()

    store = MemoryStore()
    before(store, "note", fail)
    return store


def stile(store: LedgerStore, clock: ManualClock, per_second: int = 5) -> RateLimiter:
    """Return what a new process would have."""
    return RateLimiter(store, clock=clock, per_second=per_second)


def most_in_a_second(times: Sequence[float]) -> int:
    """Return how many starts lie in one second, at most."""
    return max((sum(start <= other < start + 1 for other in times) for start in times), default=0)


# One rate.


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    per_second=st.integers(1, 25),
    steps=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["person", "sweep"]),
            st.integers(1, 6),
            st.floats(0, 3),
        ),
        min_size=1,
        max_size=25,
    ),
)
def test_no_second_sees_more_than_the_rate_whoever_asks_in_whatever_process(
    per_second: int, steps: list[tuple[int, str, int, float]]
) -> None:
    clock, store = ManualClock(), MemoryStore()
    processes = [stile(store, clock, per_second) for _ in range(3)]
    starts: list[float] = []
    for which, who, number, pause_s in steps:
        clock.advance(pause_s)
        process = processes[which]
        if who == "sweep":
            for _ in range(number):
                assert process.wait(Deadline(clock, 50))
                starts.append(clock.monotonic())
            continue
        try:
            turns = process.admit(number, number, within_s=8)
        except Busy:
            continue
        began_s = clock.monotonic()
        with turns:
            for _ in range(number):
                assert process.wait(Deadline(clock, 10))
                starts.append(clock.monotonic())
        assert clock.monotonic() - began_s <= 8 + 1e-6

    # One more where a sweep has used a turn half a step late.
    assert most_in_a_second(starts) <= per_second + 1


def test_processes_that_are_admitted_at_once_share_the_rate(store: LedgerStore) -> None:
    """Each process is a store's client of its own; the row is the same."""
    begun_s: list[float] = []

    def begin(_: int) -> bool:
        process = RateLimiter(store, clock=SystemClock(), per_second=5)
        begun_s.append(SystemClock().monotonic())
        return _admitted(process)

    given = at_once(8, begin)
    late_s = max(begun_s) - min(begun_s)  # a busy machine lets some ask later than others

    assert [each for each in given if isinstance(each, ServiceError)] == []
    # Each takes 4 of 5 permits per second, within the next 2 seconds: 2 or 3 who ask at once.
    assert 2 <= sum(each is True for each in given) <= (2 + late_s) * 5 / 4 + 1


def _admitted(process: RateLimiter) -> bool:
    try:
        process.admit(4, 4, within_s=2)
    except Busy:
        return False
    return True


def test_threads_of_one_process_ask_the_table_together() -> None:
    held, store = threading.Event(), MemoryStore()
    before(store, "note", lambda _: held.wait(5))
    asked = counted(store)
    process = RateLimiter(store, clock=SystemClock(), per_second=5)
    with ThreadPoolExecutor(16) as pool:
        futures = [pool.submit(_admitted, process) for _ in range(16)]
        while len(process._asks) < 15:
            pass
        held.set()
        admitted = [future.result() for future in futures]

    assert admitted.count(True) in (2, 3)
    assert (asked["note"], asked["save_note"]) <= (1, 2)


def test_a_request_costs_two_calls_to_the_table_and_a_sweep_one_for_a_second_of_calls() -> None:
    clock, store = ManualClock(), MemoryStore()
    asked, process = counted(store), stile(store, clock)

    process.admit(4, 4, within_s=6)
    assert asked == {"note": 1, "save_note": 1}

    clock.advance(60)
    asked.clear()
    for _ in range(50):
        assert process.wait(Deadline(clock, 50))
    assert asked == {"note": 1, "save_note": 10}


def test_no_conversation_with_the_table_holds_the_others_of_a_process_for_long() -> None:
    """A sweep has fifty seconds, and a click that waits until it has spoken has ten."""
    clock, lefts = ManualClock(), list[float]()

    def watched() -> RateLimiter:
        store = MemoryStore()
        for method in ("note", "save_note"):
            before(store, method, lambda *_: lefts.append(time_left_s()))
        return stile(store, clock)

    with until(Deadline(clock, 50)):
        assert watched().wait(Deadline(clock, 50))
    with until(Deadline(clock, 1)):
        assert watched().admit(1, 1, within_s=6)

    assert lefts == [TABLE_S, TABLE_S, 1, 1]


@pytest.mark.parametrize("step_s", [-3600, -600, -20, 600])
def test_a_clock_that_is_set_keeps_nobody_waiting_for_what_was_owed(step_s: float) -> None:
    """What a process owes is on its own clock, which nobody sets; its row is on the wall clock."""
    clock = ManualClock()
    process = stile(MemoryStore(), clock)
    process.owe(0)
    clock.advance(1)
    clock.step(step_s)

    assert len(process.admit(4, 4, within_s=PERMITS_S)) == 4


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_clock_that_is_set_keeps_nobody_waiting_at_a_process_that_keeps_turns_alone(step_s: float) -> None:
    clock = ManualClock()
    process = stile(away_once(Unavailable("ledger_500", "away")), clock)
    process.admit(4, 4, within_s=PERMITS_S)
    clock.advance(1)
    clock.step(step_s)

    assert len(process.admit(4, 4, within_s=PERMITS_S)) == 4


class Impatient(ManualClock):
    """A clock that nobody may put to sleep so often in a row."""

    def __init__(self) -> None:
        super().__init__()
        self.naps = 0

    def sleep(self, seconds: float) -> None:
        self.naps += 1
        assert self.naps < 100, "it sleeps again and again and comes no further"
        super().sleep(seconds)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(passed_s=st.floats(0, 1e7), per_second=st.integers(1, 25), is_alone=st.booleans())
def test_a_sweep_that_gives_way_comes_to_its_turn_at_any_time_of_the_clock(
    *, passed_s: float, per_second: int, is_alone: bool
) -> None:
    """What is left to wait may be shorter than what the clock can show."""
    clock = Impatient()
    clock.advance(passed_s)
    store = away_once(*[Unavailable("ledger_500", "away")] * (1_000 if is_alone else 0))
    process, other = stile(store, clock, per_second), stile(store, clock, per_second)
    for _ in range(8):
        process.owe(0)
        other.wait(Deadline(clock, 60))
        clock.naps = 0
        assert process.wait(Deadline(clock, 60))


# Who is admitted.


@pytest.mark.parametrize(("per_second", "number"), [(5, 7), (10, 14), (25, 30)])
def test_what_can_be_finished_is_admitted_and_the_others_are_told_at_once_when_to_come_back(
    per_second: int, number: int
) -> None:
    """As operations.md has it."""
    clock, store = ManualClock(), MemoryStore()
    processes = [stile(store, clock, per_second) for _ in range(4)]
    admitted, told = 0, []
    for each in range(30):
        try:
            processes[each % 4].admit(4, 4, within_s=PERMITS_S)
            admitted += 1
        except Busy as busy:
            told.append(busy.retry_after_s)

    assert (admitted, clock.monotonic()) == (number, 0)
    assert set(told) <= {1}
    clock.advance(1)
    assert processes[0].admit(4, 4, within_s=PERMITS_S)


@pytest.mark.parametrize(("call_s", "number"), [(0.01, 10), (0.2, 9), (0.4, 7), (1.0, 5), (30.0, 5)])
def test_the_quicker_coupa_answers_the_more_of_a_crowd_are_let_in(call_s: float, number: int) -> None:
    """A call that takes longer than a second counts as one: there is a door even where Coupa hangs."""
    process = stile(MemoryStore(), ManualClock())
    for _ in range(50):
        process.learn(call_s)
    within_s = last_permit_s(CLICK_S, process.call_s, reads=2)

    for _ in range(number):
        process.admit(4, 4, within_s=within_s)
    with pytest.raises(Busy):
        process.admit(4, 4, within_s=within_s)

    assert process.call_s == pytest.approx(min(call_s, SLOW_S), abs=0.01)


def test_one_slow_answer_hardly_matters_and_ten_are_believed() -> None:
    process = stile(MemoryStore(), ManualClock())
    for _ in range(50):
        process.learn(0.2)
    process.learn(60)
    after_one_s = process.call_s
    for _ in range(10):
        process.learn(60)

    assert after_one_s == pytest.approx(0.3, abs=0.01)
    assert process.call_s > 0.8


def test_as_many_as_fit_are_given_where_fewer_will_do() -> None:
    process = stile(MemoryStore(), ManualClock(), 2)

    assert len(process.admit(3, 20, within_s=4.01)) == 9
    with pytest.raises(Busy):
        process.admit(3, 20, within_s=4)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    per_second=st.integers(1, 25),
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 30), st.floats(0, 2)), min_size=1, max_size=25
    ),
)
def test_however_people_come_and_go_no_second_sees_more_than_the_rate(
    per_second: int, steps: list[tuple[int, int, float]]
) -> None:
    clock, store = ManualClock(), MemoryStore()
    processes = [stile(store, clock, per_second) for _ in range(3)]
    starts: list[float] = []
    for which, number, pause_s in steps:
        clock.advance(pause_s)
        with processes[which].admit(number, number, within_s=60):
            for _ in range(number):
                assert processes[which].wait(Deadline(clock, 60))
                starts.append(clock.monotonic())

    assert most_in_a_second(starts) <= per_second


def starts_of(process: RateLimiter, clock: ManualClock, number: int, *, first: int = 0) -> list[float]:
    """Return when the calls of a request begin, in steps since it came, and the first ones were split off."""
    began_s, starts = clock.monotonic(), []
    for turns in process.admit(number, number, within_s=60).split(first):
        with turns:
            for _ in range(len(turns)):
                assert process.wait(Deadline(clock, 60))
                starts.append(round((clock.monotonic() - began_s) / process.step_s, 3))
    return starts


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_where_the_turn_before_was_free_two_calls_begin_together_and_the_last_turn_stays_empty(
    first: int,
) -> None:
    clock, store = ManualClock(), MemoryStore()
    process = stile(store, clock)
    assert starts_of(process, clock, 4) == [0, 1, 2, 3]  # nobody knows what was before
    clock.advance(3 * process.step_s)

    assert starts_of(process, clock, 4, first=first) == [0, 0, 1, 2]
    assert starts_of(process, clock, 4) == [2, 3, 4, 5]  # two steps after the last call, one of them empty


@pytest.mark.parametrize(("per_second", "number"), [(5, 6), (3, 4), (1, 2), (5, 1)])
def test_a_request_that_needs_more_than_a_second_begins_one_call_after_the_other(
    per_second: int, number: int
) -> None:
    clock = ManualClock()
    process = stile(MemoryStore(), clock, per_second)
    starts_of(process, clock, 1)
    clock.advance(60)

    assert starts_of(process, clock, number) == list(range(number))


def test_a_call_that_was_not_foreseen_counts_as_the_turn_before() -> None:
    clock = ManualClock()
    process = stile(MemoryStore(), clock)
    with process.admit(1, 1, within_s=1):
        for _ in range(3):
            assert process.wait(Deadline(clock, 5))
    clock.advance(process.step_s)

    assert starts_of(process, clock, 4) == [0, 1, 2, 3]


def test_two_calls_begin_together_without_the_table_too() -> None:
    clock = ManualClock()
    process = stile(away_once(Unavailable("ledger_503", "away")), clock)

    assert starts_of(process, clock, 4) == [0, 0, 1, 2]
    assert starts_of(process, clock, 4) == [2, 3, 4, 5]


def test_turns_that_were_split_off_are_there_whatever_came_before() -> None:
    clock = ManualClock()
    process = stile(MemoryStore(), clock)
    first, then = process.admit(4, 4, within_s=6).split(2)
    for _ in range(6):  # others come meanwhile
        process.admit(4, 4, within_s=6)

    with first:
        for _ in range(4):  # two more than foreseen
            assert process.wait(Deadline(clock, 1))
    with then:
        assert process.wait(Deadline(clock, 0.3))
        assert process.wait(Deadline(clock, 0.3))
    assert clock.monotonic() < 1.1


def test_calls_that_were_not_foreseen_are_made_up_for_by_those_who_come_next() -> None:
    clock, store = ManualClock(), MemoryStore()
    process = stile(store, clock)
    with process.admit(1, 1, within_s=1):
        for _ in range(5):
            assert process.wait(Deadline(clock, 5))

    with process.admit(1, 1, within_s=5):
        assert process.wait(Deadline(clock, 5))
    assert clock.monotonic() == pytest.approx(1.0, abs=0.01)


def test_a_turn_beyond_the_deadline_is_not_waited_for_and_not_taken() -> None:
    clock = ManualClock()
    process = stile(MemoryStore(), clock, 1)
    process.admit(3, 3, within_s=5)
    turns = process.admit(1, 1, within_s=5)

    with turns:
        assert not process.wait(Deadline(clock, 1))
        assert (len(turns), clock.monotonic()) == (1, 0)
        assert process.wait(Deadline(clock, 4))


# Sweeps.


def test_a_sweep_lets_people_go_first_and_a_person_waits_for_one_second_of_it_at_most() -> None:
    clock, store = ManualClock(), MemoryStore()
    sweep, clicks = stile(store, clock), stile(store, clock)
    assert sweep.wait(Deadline(clock, 50))

    with clicks.admit(4, 4, within_s=6):
        assert clicks.wait(Deadline(clock, 6))
        assert clock.monotonic() <= 1.001

    assert sweep.wait(Deadline(clock, 50))
    assert 1.8 <= clock.monotonic() <= 1.801  # what it had left of its second is over


def test_a_sweep_takes_its_place_among_people_who_never_stop() -> None:
    clock, store = ManualClock(), MemoryStore()
    clicks = stile(store, clock)

    class Crowded(ManualClock):
        """Somebody clicks whenever there is room."""

        def sleep(self, seconds: float) -> None:
            clock.sleep(seconds)
            try:
                while True:
                    clicks.admit(4, 4, within_s=6.4)
            except Busy:
                return

        now = clock.now
        monotonic = clock.monotonic

    crowded = Crowded()
    crowded.sleep(0)
    sweep = RateLimiter(store, clock=crowded, per_second=5)

    assert sweep.wait(Deadline(clock, 50))

    assert YIELD_S <= clock.monotonic() <= YIELD_S + 8


@pytest.mark.parametrize("seconds", [0.5, YIELD_S + 0.5])
def test_a_sweep_that_gets_no_turn_in_time_is_told_so_without_waiting_for_nothing(seconds: float) -> None:
    clock, store = ManualClock(), MemoryStore()
    process = stile(store, clock)
    for _ in range(8):
        process.admit(4, 4, within_s=6.4)

    assert not process.wait(Deadline(clock, seconds))
    assert clock.monotonic() <= seconds


def test_what_a_sweep_took_and_did_not_use_is_over() -> None:
    clock, store = ManualClock(), MemoryStore()
    asked, process = counted(store), stile(store, clock)
    assert process.wait(Deadline(clock, 50))

    clock.advance(10)

    assert process.wait(Deadline(clock, 50))
    assert asked["save_note"] == 2


# When the row cannot be trusted.


@pytest.mark.parametrize("failure", [Unavailable("ledger_503", "away"), Unknown("ledger_timeout", "away")])
def test_without_the_table_a_process_keeps_the_rate_by_itself_and_asks_again_later(
    failure: ServiceError, caplog: pytest.LogCaptureFixture
) -> None:
    clock, store = ManualClock(), away_once(failure)
    asked, process = counted(store), stile(store, clock)
    starts = []
    for _ in range(20):
        assert process.wait(Deadline(clock, 50))
        starts.append(clock.monotonic())

    assert asked == {"note": 1}
    assert most_in_a_second(starts) <= 5
    assert f"turns kept alone code={failure.code}" in caplog.text
    clock.advance(ALONE_S)
    process.admit(1, 1, within_s=1)
    assert asked["save_note"] == 1


def test_a_row_that_others_keep_writing_is_tried_again_and_then_done_without() -> None:
    clock, store, times = ManualClock(), MemoryStore(), [3]
    asked = counted(store)

    def contested(*_: object) -> None:
        if times[0]:
            times[0] -= 1
            raise Conflict("ledger_conflict", "others")

    before(store, "save_note", contested)
    assert stile(store, clock).admit(4, 4, within_s=6)
    assert asked["save_note"] == 1

    times[0] = 1000
    assert stile(store, clock).admit(4, 4, within_s=6)
    assert asked["save_note"] == 1


@pytest.mark.parametrize("text", ["", "yesterday", "nan", "inf", "-1", "1e400"])
def test_a_row_that_says_nothing_lets_turns_begin_now(text: str) -> None:
    clock, store = ManualClock(), MemoryStore()
    store.save_note(NAME, Note(text))

    with stile(store, clock).admit(1, 1, within_s=0):
        pass


def test_a_clock_that_went_wrong_stops_nobody() -> None:
    clock, store = ManualClock(), MemoryStore()
    wrong = ManualClock(clock.now() + timedelta(seconds=MAX_AHEAD_S + 1))
    stile(store, wrong).admit(4, 4, within_s=6)

    assert stile(store, clock).admit(4, 4, within_s=1)


def test_a_clock_that_is_ahead_makes_others_wait_and_never_more_calls() -> None:
    clock, store = ManualClock(), MemoryStore()
    ahead = ManualClock(clock.now() + timedelta(seconds=2))
    stile(store, ahead).admit(1, 1, within_s=6)

    with stile(store, clock).admit(1, 1, within_s=6):
        pass
    with pytest.raises(Busy):
        stile(store, clock).admit(1, 1, within_s=1)


# Through the whole bridge.


def _busy(world: World) -> None:
    """Let others have taken every turn for a while."""
    later = world.clock.now() + timedelta(seconds=9)
    note = world.store.note(NAME)
    world.clock.advance(3)  # this process does not rely on what it wrote long ago
    world.store.save_note(NAME, replace(note, text=str((later + timedelta(seconds=3)).timestamp())))


def test_an_approver_who_comes_in_a_crowd_is_told_at_once_that_nothing_was_decided() -> None:
    world = World()
    card = world.offer()
    _busy(world)
    began_s = world.clock.monotonic()

    reply = world.click(card, JAMIE)

    assert (reply.status, reply.body["error"]) == (503, "busy")
    assert "nothing was decided" in reply.body["message"]
    assert int(reply.headers["Retry-After"]) == reply.retry_after_s > 0
    assert (world.puts(), world.clock.monotonic()) == (0, began_s)
    world.clock.advance(reply.retry_after_s)
    assert world.click(card, JAMIE).body["outcome"] == "approved"


@pytest.mark.parametrize("route", ["list_approvals", "get_approval", "comment", "decide"])
def test_every_question_of_a_person_is_answered_at_once_in_a_crowd(route: str) -> None:
    world = World(settings={"COMMENTS": "on"})
    card = world.offer()
    _busy(world)
    calls = len(world.coupa.front.calls)
    body = {
        "comment": {"comment": "Why?", "action_token": card.slots["action_token"]},
        "decide": {
            "decision": "approve",
            "items": [{"id": card.slots["approval_id"], "token": card.slots["action_token"]}],
        },
    }.get(route, {})

    reply = world.call(
        route,
        headers={"X-Actor-Email": JAMIE},
        route={"approval_id": card.slots["approval_id"]},
        json=body,
    )

    said = reply.body["items"][0] if route == "decide" else reply.body
    assert said["error"] == "busy"
    assert len(world.coupa.front.calls) == calls


def test_of_many_decisions_at_a_low_rate_as_many_are_made_as_fit_and_the_others_are_told() -> None:
    world = World(settings={"COUPA_MAX_PER_SECOND": "1"})
    for _ in range(10):
        world.requisition(JAMIE)
    cards = world.announced()
    world.clock.advance(120)

    reply = world.decide(cards, JAMIE)

    said = [each.get("outcome") or each["error"] for each in reply.body["items"]]
    assert said == ["approved"] * 5 + ["busy"] * 5
    assert world.puts() == 5


def test_what_was_decided_before_is_never_said_to_be_undecided_because_it_is_busy() -> None:
    world = World()
    card = world.offer()
    world.clock.advance(60)
    headers = {"X-Actor-Email": JAMIE, "X-Action-Token": card.slots["action_token"], "Idempotency-Key": "k1"}
    route = {"approval_id": card.slots["approval_id"]}
    assert world.call("approve", headers=headers, route=route).body["outcome"] == "approved"
    _busy(world)

    reply = world.call("approve", headers=headers, route=route)

    assert (reply.body["outcome"], world.puts()) == ("unconfirmed", 1)


def test_many_that_were_decided_in_parts_are_all_said_to_be_decided_in_the_end() -> None:
    world = World(settings={"COUPA_MAX_PER_SECOND": "1"})
    for _ in range(6):
        world.requisition(JAMIE)
    cards = world.announced()
    said = []
    for order in (cards, cards[::-1], cards):
        world.clock.advance(120)
        reply = world.decide(order, JAMIE, **{"Idempotency-Key": "many"})
        said.append([each.get("outcome") or each["error"] for each in reply.body["items"]])

    assert said == [["approved"] * 5 + ["busy"], ["approved"] * 6, ["approved"] * 6]
    assert world.puts() == 6


@pytest.mark.parametrize("who", ["approver", "member", "delegate"])
@pytest.mark.parametrize("route", ["approve", "comment"])
def test_what_a_click_costs_is_foreseen(who: str, route: str) -> None:
    """Or a crowd of them would be admitted to more calls than there are turns."""
    world = World(settings={"COMMENTS": "on"})
    if who == "member":
        world.requisition(world.group(JAMIE))
    elif who == "delegate":
        world.requisition(ROBIN)
        world.delegation(ROBIN, JAMIE)
    else:
        world.requisition(JAMIE)
    card = next(each for each in world.announced() if each.recipient == JAMIE)
    world.clock.advance(60)
    before = len(world.coupa.front.calls)
    until = world.clock.now().timestamp()

    reply = world.call(
        route,
        headers={"X-Actor-Email": JAMIE, "X-Action-Token": card.slots["action_token"]},
        route={"approval_id": card.slots["approval_id"]},
        json={"comment": "Why?"} if route == "comment" else {},
    )

    assert reply.body["outcome"] in ("approved", "commented")
    kept = round((float(world.store.note(NAME).text) - until) * 5)
    assert len(world.coupa.front.calls) - before <= kept <= len(world.coupa.front.calls) - before + 1
