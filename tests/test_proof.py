"""The proofs in small: `make proof` runs the same at full size."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys

import pytest
from proof import (
    clicks,
    crashes,
    kills,
    load,
    machine,
    malformed,
    midnights,
    outages,
    pages,
    people,
    poison,
    relay,
    resources,
    schedules,
    slowness,
    stamps,
    times,
    versions,
)
from proof.callers import APPROVE, Answer, Caller
from proof.dying import CLICK, SWEEP, Kind, dying, stage_of
from proof.full import total
from proof.mutations import MUTATIONS, ROOT, Mutation
from proof.reckoning import reckon
from proof.rig import Rig
from proof.takeovers import TimersHost, TimersHostFrozen, TimersHostKilled, past_due, taking_over
from proof.ways import Drained, HostKilled, MachineDies, NeighboursTimeout, OwnTimeout, WorkerKilled

from coupa_core.tables import table_client
from sandbox.azurite import Azurite
from sandbox.coupa.server import Paging

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("scene", "approvals", "way"),
    [
        (crashes.PLAIN, 2, "/events/"),
        (crashes.LISTENER, 1, "/webhooks/v1/listeners/coupa-approvals/notify"),
        (crashes.DIGEST, 3, "/events/"),
    ],
    ids=["event", "listener", "digest"],
)
def test_nothing_is_lost_by_a_fault_or_a_kill_at_any_step_and_a_kill_repeats_one_message_at_most(
    scene: crashes.Scene, approvals: int, way: str
) -> None:
    in_a_message = approvals if scene.is_for_one else 1
    seen = set[str]()
    for choice in crashes.points(approvals, scene=scene):
        tally, steps = crashes.run(approvals, choice, scene=scene)
        [(number, mode)] = choice.items()
        assert (tally.lost, tally.unexplained) == (0, 0), choice
        assert tally.repeated <= in_a_message, choice
        # Nobody can know of a message whose sender died with its answer: the count must see it.
        if mode == "kill_after" and steps[number].startswith("moveworks POST"):
            assert tally.repeated == in_a_message, choice
            assert scene is not crashes.DIGEST or tally.sent == 2
            seen.add(steps[number])

    assert seen
    assert all(way in step for step in seen)


def test_nothing_is_lost_by_two_kills() -> None:
    pairs = list(crashes.pairs_of_kills(1))

    whole = crashes.enumerate_faults(1, random.Random(3).sample(pairs, 100))

    assert (whole.runs, whole.lost, whole.unexplained) == (100, 0, 0)
    assert whole.worst <= 3


def test_nothing_is_lost_by_a_kill_at_any_step_on_the_real_store(table_stores: crashes.NewStore) -> None:
    whole = crashes.enumerate_faults(1, crashes.points(1, kills_only=True), new_store=table_stores)

    assert whole.runs > 20
    assert (whole.lost, whole.unexplained) == (0, 0)


def test_a_relay_that_records_first_loses_and_one_that_sends_first_repeats() -> None:
    """The harness can see a loss: it must, with an order that loses."""
    order = crashes.record_first
    recorded = crashes.enumerate_faults(1, crashes.points(1, sweep=order), sweep=order)
    order = crashes.send_first
    sent = crashes.enumerate_faults(1, crashes.points(1, sweep=order), sweep=order)

    assert recorded.lost > 0
    assert (sent.lost, sent.repeated > 0) == (0, True)


@pytest.mark.parametrize("weather", schedules.WEATHERS, ids=lambda weather: weather.name)
def test_nothing_is_lost_by_random_schedules(weather: schedules.Weather) -> None:
    whole = schedules.run_schedules(range(30), weather)

    assert (whole.lost, whole.unexplained, whole.false_answers) == (0, 0, 0)
    assert whole.repeated == 0 or weather is not schedules.CALM


@pytest.mark.parametrize(("weather", "seed"), schedules.LEARNED_FROM)
def test_a_schedule_that_once_lost_does_not_any_more(weather: schedules.Weather, seed: int) -> None:
    tally = schedules.Schedule(seed, weather).run()

    assert (tally.lost, tally.unexplained, tally.false_answers) == (0, 0, 0)


@pytest.mark.parametrize(("who", "how"), outages.AWAY)
def test_what_is_owed_is_told_in_order_after_an_outage(who: str, how: str) -> None:
    tally = outages.outage(who, how, minutes=90)

    assert (tally.lost, tally.repeated) == (0, 0)


def test_nothing_is_lost_by_an_odd_answer_at_any_call() -> None:
    whole = crashes.enumerate_faults(1, crashes.odd_points(1))

    assert whole.runs > 20
    assert (whole.lost, whole.unexplained) == (0, 0)


@pytest.mark.parametrize(("thing", "how"), poison.SOME)
def test_one_poisoned_thing_keeps_nobody_else_from_being_told_in_the_same_sweep(thing: str, how: str) -> None:
    tally = poison.sweeping(thing, how)

    assert tally.lost == 0


@pytest.mark.parametrize(("thing", "how"), poison.SOME)
def test_one_poisoned_thing_keeps_nobody_else_from_deciding(thing: str, how: str) -> None:
    tally = poison.clicking(thing, how)

    assert tally.false_answers == 0


@pytest.mark.parametrize(("way", "most_rows"), poison.PAGES)
def test_no_manner_of_paging_loses_or_repeats(way: Paging, most_rows: int | None) -> None:
    tally = poison.paging(way, most_rows=most_rows)

    assert (tally.lost, tally.repeated) == (0, 0)


@pytest.mark.parametrize("call_s", slowness.CALLS_S)
def test_a_backlog_goes_out_from_the_first_sweep_on_however_slow_coupa_is(call_s: float) -> None:
    tally = slowness.first_backlog(2_000, call_s, 4)

    assert tally.repeated == 0


def test_a_new_approval_is_told_in_its_sweep_though_the_whole_list_does_not_fit_into_one() -> None:
    """Whoever lists everything before anything else tells nobody: 2,600 take longer than a sweep."""
    tally = slowness.one_new(2_600, 1.0, news=2)

    assert tally.repeated == 0


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_pass_finds_what_nothing_else_can_though_it_takes_many_sweeps(*, is_killed: bool) -> None:
    tally = slowness.whole_pass(800, 1.0, is_killed)

    assert (tally.lost, tally.repeated) == (0, 0)


@pytest.mark.parametrize("lie", stamps.LIES, ids=lambda lie: lie.name)
def test_all_are_told_in_time_whatever_coupas_stamps_say(lie: stamps.Lie) -> None:
    tally = stamps.lying(lie, 1, background=120, minutes=8)

    assert (tally.lost, tally.repeated) == (0, 0)


def test_before_is_what_each_person_was_shown_and_each_is_reminded_as_the_settings_say() -> None:
    whole = people.days(range(4))

    assert (whole.lost, whole.missed) == (0, [])


@pytest.mark.parametrize(("resource", "way"), resources.SOME)
def test_whatever_of_coupa_is_broken_is_an_alarm_in_time_that_clears(resource: str, way: str) -> None:
    tally = resources.breaking(resource, way)

    assert tally.lost == 0


def test_no_time_or_zone_or_set_clock_loses_or_repeats() -> None:
    whole = total(times.some_times())

    assert (whole.lost, whole.repeated) == (0, 0)


@pytest.mark.parametrize("approvals", [0, 1, 49, 50, 51, 100])
def test_a_list_of_any_length_is_told_once(approvals: int) -> None:
    tally = pages.of_length(approvals)

    assert (tally.sent, tally.lost, tally.repeated) == (approvals, 0, 0)


def test_a_list_that_changes_while_it_is_read_loses_nothing() -> None:
    whole = total(map(pages.moving, range(5)))

    assert (whole.lost, whole.repeated) == (0, 0)


@pytest.mark.parametrize(
    ("page", "mode"),
    [(place % 3, mode) for place, mode in enumerate(pages.FAILURES)] + [(0, "lose"), (2, "lose")],
)
def test_nothing_is_closed_when_a_page_does_not_come(page: int, mode: str) -> None:
    tally = pages.failing(page, mode)

    assert (tally.lost, tally.repeated) == (0, 0)


@pytest.mark.parametrize("event", versions.EVENTS, ids=lambda event: event.name)
def test_what_matters_is_told_again_and_nothing_else(event: versions.Event) -> None:
    tally = versions.happening(event)

    assert tally.lost == 0


@pytest.mark.parametrize("crowd", clicks.CROWDS, ids=lambda crowd: crowd.name)
def test_any_crowd_of_clicks_has_one_effect_and_true_answers(crowd: clicks.Crowd) -> None:
    whole = total(clicks.crowding(crowd, seed) for seed in range(15))

    assert (whole.lost, whole.false_answers) == (0, 0)


@pytest.mark.parametrize(("crowd", "seed"), clicks.LEARNED_FROM)
def test_a_crowd_that_once_got_a_false_answer_does_not_any_more(crowd: clicks.Crowd, seed: int) -> None:
    assert clicks.crowding(crowd, seed).false_answers == 0


def test_a_spoiled_field_keeps_nobody_else_from_being_told() -> None:
    """Every field of every kind of record, each in some of the ways, so that every kind meets every way."""
    some = list(itertools.islice(malformed.cases(), None, None, 3))
    assert {(kind, oddity) for kind, _, oddity in some} == {
        (kind, oddity) for kind, _, oddity in malformed.cases()
    }
    assert {(kind, field) for kind, field, _ in some} == {
        (kind, field) for kind, field, _ in malformed.cases()
    }

    whole = total(malformed.spoiling(*case) for case in some)

    assert whole.runs == len(some)


REPLAY = """
from proof.schedules import CALM, Schedule
for seed in (1, 41, 49):
    schedule = Schedule(seed, CALM, is_lively=True)
    schedule.run()
    print(schedule.rig.moveworks.delivered, [call.query for call in schedule.rig.coupa.front.calls])
"""


def test_a_seed_replays_a_run_exactly_in_another_process() -> None:
    """Sets of texts have another order in each process: nothing may go by it."""
    command = [sys.executable, "-c", REPLAY]
    environment = {**os.environ, "PYTHONPATH": "tests"}

    first, second = (
        subprocess.run(
            command, cwd=ROOT, env={**environment, "PYTHONHASHSEED": each}, capture_output=True, check=True
        ).stdout
        for each in ("2", "3")
    )

    assert first == second
    assert first.count(b"Delivered(") > 10


def test_whatever_people_do_those_who_are_owed_know() -> None:
    tally = machine.run_machine(40)

    assert (tally.lost, tally.unexplained) == (0, 0)


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("answer", relay.ANSWERS)
def test_a_write_whose_answer_was_lost_is_known_again_by_the_real_sdk(
    azurite_server: Azurite, method: str, answer: str
) -> None:
    tally = relay.losing(azurite_server, method, answer, 1)

    assert (tally.sent, tally.lost, tally.repeated) == (relay.APPROVALS, 0, 0)


def test_the_allowed_rates_are_kept_and_health_stays_green_under_load() -> None:
    tally = load.hour(pending=150, minutes=6, a_minute=100)

    assert (tally.lost, tally.repeated) == (0, 0)


def test_what_the_bridge_keeps_is_weighed_and_what_its_services_keep_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig()
    bridge = rig.poller().bridge
    before = load.held_bytes(bridge)

    rig.coupa.world.add_user(email="x" * 10_000, firstname="X", lastname="X")
    assert load.held_bytes(bridge) - before < 1_000

    monkeypatch.setattr("coupa_core.sweep.run.kept", ["x" * 10_000], raising=False)
    assert load.held_bytes(bridge) - before > 10_000


def test_a_killed_process_loses_nothing(azurite_server: Azurite) -> None:
    """Azurite is started anew by the proof; the fixture skips where it is not installed."""
    tally = kills.killing(2, seed=1)

    assert (tally.runs, tally.lost, tally.unexplained) == (2, 0, 0)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (Kind(CLICK, NeighboursTimeout, is_short_of_time=True), 8),
        (Kind(SWEEP, OwnTimeout, is_short_of_time=True), 15),
        (Kind(SWEEP, WorkerKilled), 19),
        (Kind(CLICK, WorkerKilled, has_both_moments=True), 8),
        (Kind(CLICK, Drained), 8),
        (Kind(SWEEP, HostKilled), 21),
        (Kind(SWEEP, MachineDies), 14),
    ],
    ids=lambda each: each.name if isinstance(each, Kind) else str(each),
)
def test_nothing_is_lost_by_a_death_of_the_host_or_its_worker(
    azurite_server: Azurite, kind: Kind, number: int
) -> None:
    toll = dying(kind, azurite_server, [number])

    assert toll.faults > 0
    assert not toll.is_missed, toll.missed


@pytest.mark.parametrize(("way", "number"), [(TimersHostKilled, 8), (TimersHostFrozen, 17)])
def test_another_host_takes_over_from_the_one_that_ran_the_timer(
    azurite_server: Azurite, way: type[TimersHost], number: int
) -> None:
    toll = taking_over(way, azurite_server, [number])

    assert toll.faults > 0
    assert not toll.is_missed, toll.missed


def test_an_hour_without_a_host_is_made_up_for_by_one_sweep_at_once(azurite_server: Azurite) -> None:
    toll = past_due(azurite_server, [9])

    assert toll.faults > 0
    assert not toll.is_missed, toll.missed


def test_a_claim_that_nobody_takes_over_is_seen_as_a_loss(azurite_server: Azurite) -> None:
    kind = Kind(SWEEP, WorkerKilled)

    toll = dying(kind, azurite_server, [17], settings={"CLAIM_LEASE_S": "3600"})

    assert toll.faults == 1
    assert toll.lost > 0


def test_whatever_is_wrong_at_the_end_is_counted(azurite_server: Azurite) -> None:
    with stage_of(Kind(SWEEP, WorkerKilled), azurite_server) as stage:
        caller = Caller(stage, decided := stage.card(), APPROVE)
        wrong = caller.click_again()
        told = stage.moveworks.delivered
        well = reckon(stage)
        assert (wrong, caller.untrue, well.is_missed, well.missed) == ("", [], False, [])

        told.append(told[0])
        assert (reckon(stage).unexplained, reckon(stage).is_missed) == (1, True)
        told.pop()

        kept, told[:] = told[:], [each for each in told if each.slots["approval_id"] == str(decided)]
        assert reckon(stage).lost == len(kept) - 1
        told[:] = kept

        stage.coupa.decisions.append(stage.coupa.decisions[0])
        assert (reckon(stage).twice, reckon(stage).unrecorded) == (1, 0)
        assert caller.look() != ""
        stage.coupa.decisions[-1] = stage.coupa.decisions[0]._replace(approval_id=decided - 1)
        assert (reckon(stage).twice, reckon(stage).unrecorded) == (0, 1)
        stage.coupa.decisions.pop()

        stage.approval(decided).status = "rejected"
        assert caller.click_again() != ""
        assert not caller._is_true(Answer(200, "approved"), 1)
        assert not caller._is_true(Answer(503, "coupa_503"), 0)

        audit = table_client(
            connection=azurite_server.connection_string,
            account_url="",
            table=stage.settings["AUDIT_TABLE"],
        )
        with audit as table:
            row = next(each for each in table.list_entities() if each["RowKey"].endswith("1"))
            table.delete_entity(row["PartitionKey"], row["RowKey"])
        assert reckon(stage).unrecorded == 1


@pytest.mark.parametrize("weather", midnights.WEATHERS, ids=lambda weather: weather.name)
def test_no_night_breaks_the_audit_record_or_loses_or_repeats_an_event(weather: midnights.Weather) -> None:
    whole = midnights.nights(range(60), weather)

    assert (whole.lost, whole.repeated, whole.false_answers) == (0, 0, 0)
    assert whole.sent > 1_000


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_each_rule_that_mutations_take_out_stands_in_the_code_and_names_a_test(mutation: Mutation) -> None:
    file, _, test = mutation.test.partition("::")
    head = f"def {test}(" if test else "def test_"

    assert (ROOT / "coupa_core" / mutation.file).read_text("utf-8").count(mutation.old) == 1
    assert head in (ROOT / "tests" / file).read_text("utf-8")
