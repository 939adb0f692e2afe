"""Telling again, at an operator's request: all pending approvals, once, to the people who may decide them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest
from bridge import World
from hypothesis import given
from hypothesis import strategies as st
from test_operator_actions import recorded
from unruly import away, before

from coupa_core.audience import audience_of
from coupa_core.clock import countable
from coupa_core.endpoints import Reply
from coupa_core.errors import Conflict, Unavailable, Unknown
from coupa_core.ledger import (
    MAX_REPEATS,
    REPEATS,
    LedgerStore,
    MemoryStore,
    Note,
    Repeat,
    add_repeat,
    read_repeats,
    write_repeats,
)
from coupa_core.ledger.repeats import KEPT_FOR

ANN, BOB, EVA, OPS = "ann@example.com", "bob@example.com", "eva@example.de", "ops@example.com"
HOUR_S = 3600
SINCE = ("2026-01-01T00:00:00Z", None)


def again(
    world: World, name: str = "launch", body: dict[str, Any] | None = None, *, actor: str = OPS
) -> Reply:
    """Ask that people are told again."""
    sent = {"X-Actor-Email": actor, "Idempotency-Key": name, "X-Request-Id": "req-9"}
    parts = {"json": body} if body is not None else {}
    return world.call("resend_all", headers={key: each for key, each in sent.items() if each}, **parts)


def launched(store: LedgerStore | None = None, **settings: str) -> World:
    """Return a world in which Ann, Bob and Eva have been told, a minute ago."""
    world = World(store=store or MemoryStore(), settings=settings)
    for person in (ANN, BOB, EVA):
        world.requisition(person)
    assert world.told() == [ANN, BOB, EVA]
    world.clock.advance(60)
    return world


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["memory", "table"])
def test_everybody_is_told_again_once_and_old_buttons_stay_valid(
    kind: str, request: pytest.FixtureRequest
) -> None:
    made: Callable[[], LedgerStore] = MemoryStore
    if kind == "table":
        made = request.getfixturevalue("table_stores")
    world = launched(made())
    [old, *_] = sorted(world.moveworks.delivered, key=lambda each: each.recipient)

    reply = again(world)
    said = [world.told()]
    world.clock.advance(60)
    said += [world.told(), world.told()]

    assert (reply.status, reply.body["approvals"], reply.body["is_new"]) == (200, 3, True)
    assert said == [[ANN, BOB, EVA], [], []]
    assert world.click(old, ANN).body["outcome"] == "approved"


def test_no_round_is_dropped_before_it_is_a_day_old() -> None:
    world = launched()
    replies = [again(world, f"round {number}", {"people": [ANN]}) for number in range(MAX_REPEATS + 1)]

    assert [each.status for each in replies] == [200] * MAX_REPEATS + [409]
    assert replies[-1].body["error"] == "too_many_rounds"
    assert world.told() == [ANN]
    world.clock.advance(25 * HOUR_S)
    assert again(world, "another day").status == 200


WAITS = pytest.mark.parametrize(("setting", "waits", "ends"), [("PILOT", ANN, ""), ("DRY_RUN", "on", "off")])


@pytest.mark.slow
@WAITS
def test_a_round_for_which_somebody_waits_is_kept_until_they_are_told(
    setting: str, waits: str, ends: str
) -> None:
    world = launched()
    world.change(**{setting: waits})
    assert again(world, "old", {"people": [EVA]}).status == 200
    world.sweep()
    world.clock.advance(48 * HOUR_S)
    statuses = []
    for number in range(MAX_REPEATS):
        world.clock.advance(600)
        statuses.append(again(world, f"round {number}", {"people": [ANN]}).status)
    assert statuses == [200] * (MAX_REPEATS - 1) + [409]
    world.sweep()

    assert left_of(world) == (1 if setting == "PILOT" else 2)
    world.change(**{setting: ends})
    world.clock.advance(60)
    assert EVA in world.told()
    assert left_of(world) == 0


@pytest.mark.slow
def test_what_is_done_makes_room_beside_a_round_for_which_somebody_waits() -> None:
    world = launched()
    world.change(PILOT=ANN)
    again(world, "old", {"people": [EVA]})
    for number in range(MAX_REPEATS + 5):
        world.clock.advance(2 * HOUR_S)
        assert again(world, f"round {number}", {"people": [ANN]}).status == 200
        assert world.told() == [ANN]

    world.change(PILOT="")

    assert world.told() == [EVA]


def test_rounds_of_many_people_drop_none_for_which_somebody_waits() -> None:
    world = launched()
    world.change(PILOT=ANN)
    again(world, "old", {"people": [EVA]})
    world.clock.advance(48 * HOUR_S)
    people = [ANN, *(f"firstname.lastname{number:02}@subsidiary.example.com" for number in range(99))]
    replies = [again(world, f"round {number}", {"people": people}) for number in range(7)]

    assert {each.status for each in replies} == {200, 409}
    assert "(PILOT, DRY_RUN)" in replies[-1].body["message"]
    world.change(PILOT="")
    assert EVA in world.told()


@pytest.mark.slow
def test_a_later_round_for_the_same_people_takes_the_place_of_one_that_waits() -> None:
    world = launched()
    world.change(PILOT=ANN)
    for number in range(MAX_REPEATS + 5):
        world.clock.advance(2 * HOUR_S)
        assert (
            again(world, f"round {number}", {"people": [EVA, "example.com"]} if number else {}).status == 200
        )
        assert world.told() == [ANN]

    world.change(PILOT="")

    assert world.told() == [BOB, EVA]
    assert left_of(world) == 0


def test_where_nobody_can_be_looked_up_no_round_is_dropped() -> None:
    world = launched()
    world.change(DRY_RUN="on")
    for number in range(MAX_REPEATS):
        again(world, f"round {number}", {"people": [(ANN, BOB, EVA)[number % 3]], "since": SINCE[number % 2]})
    world.clock.advance(48 * HOUR_S)
    before = world.store.note(REPEATS).text
    world.coupa.front.fail("answer", status=503, path="/api/users", times=None)

    reply = again(world, "all")

    assert (reply.status, world.store.note(REPEATS).text) == (503, before)


def test_a_time_that_is_to_come_is_refused_and_takes_no_room() -> None:
    world = launched()

    reply = again(world, body={"since": "2099-01-01T00:00:00Z"})

    assert (reply.status, reply.body["error"]) == (400, "bad_since")
    assert "future" in reply.body["message"]
    assert (world.store.note(REPEATS).text, recorded(world)) == ("", [])


def stories(world: World) -> list[str]:
    """Return what a trace says of each open approval, with Coupa asked and without."""
    rows = world.store.open_entries().entries
    asked = [(row.approval_id, is_live) for row in rows for is_live in (False, True)]
    return [" ".join(world.story(number, is_live=is_live)) for number, is_live in asked]


@pytest.mark.parametrize("people", [[], ["example.com"]])
def test_the_trace_says_who_is_still_to_be_told_again(people: list[str]) -> None:
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "2"})
    for _ in range(6):
        world.requisition(ANN)
    while world.told():
        world.clock.advance(61)
    body = {"people": people} if people else None
    asked_at = f"{world.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    again(world, body=body)
    assert (world.told(), left_of(world)) == ([ANN, ANN], 4)

    said = stories(world)

    owed = [each for each in said if f"is told again, as asked at {asked_at}" in each]
    done = [each for each in said if "Nothing more is sent until it changes" in each]
    assert (len(owed), len(done), set(owed) & set(done)) == (2 * 4, 2 * 2, set())
    world.clock.advance(61)
    while world.told():
        world.clock.advance(61)
    assert ["told again" in each for each in stories(world)] == [False] * 12


def test_the_trace_names_who_is_told_again_at_one_word_and_who_perhaps_at_another() -> None:
    world = World()
    group = world.group(ANN, BOB)
    world.requisition(group)
    assert world.told() == [ANN, BOB]
    world.change(PILOT=ANN)
    world.clock.advance(60)
    again(world)
    assert world.told() == [ANN]
    world.clock.advance(60)
    again(world, "one", {"people": [ANN]})

    [said, _] = stories(world)

    assert f"Each of user:{world.person(BOB)} who may still decide is told again, as asked at" in said
    assert f"Each of user:{world.person(ANN)} who was named then and may still decide is told again" in said


def test_the_trace_of_what_waited_before_the_bridge_says_that_it_is_told_again() -> None:
    world = World(settings={"FIRST_RUN": "baseline"})
    world.requisition(ANN)
    world.sweep()
    again(world)

    said = stories(world)

    assert len(said) == 2
    for each in said:
        assert "Nobody was told: it waited before the bridge began" in each
        assert "is told again, as asked at" in each
        assert "A change to it" not in each


def test_a_round_that_does_not_fit_into_the_note_is_refused() -> None:
    world = launched()
    people = [ANN, *(f"firstname.lastname{number:05}@example.com" for number in range(99))]
    statuses = [again(world, f"round {number}", {"people": people}).status for number in range(9)]

    assert set(statuses) == {200, 409}
    assert statuses[0] == 200
    assert len(world.store.note(REPEATS).text) <= 30_000


def test_a_round_of_a_clock_that_is_ahead_is_done_when_its_time_has_come() -> None:
    world = launched()
    again(world)
    note = world.store.note(REPEATS)
    [early] = read_repeats(note.text)
    ahead = replace(early, key="0" * 16, at=early.at + timedelta(minutes=5), people=audience_of([BOB]))
    later = replace(early, people=audience_of([ANN]))
    world.store.save_note(REPEATS, replace(note, text=write_repeats([ahead, later])))

    first = world.told()
    world.clock.advance(600)

    assert (first, world.told()) == ([ANN], [BOB])


def test_the_new_buttons_work_and_the_card_shows_no_change() -> None:
    world = launched()
    again(world)

    [card, *_] = world.announced()

    assert "→" not in card.message
    assert world.click(card, ANN).body["outcome"] == "approved"


def test_the_same_name_again_tells_nobody_twice_and_another_one_does() -> None:
    world = launched()
    first = again(world)
    world.sweep()
    world.clock.advance(60)

    second = again(world)

    assert second.body == {**first.body, "is_new": False}
    assert world.told() == []
    assert again(world, "another").body["is_new"] is True
    assert world.told() == [ANN, BOB, EVA]


def test_a_name_that_stands_for_other_people_or_another_time_is_refused() -> None:
    world = launched()
    again(world, body={"people": [ANN]})

    for body in ({"people": [BOB]}, {}, {"people": [ANN], "since": "2026-11-23T00:00:00Z"}):
        reply = again(world, body=body)
        assert (reply.status, reply.body["error"]) == (409, "key_reused")
    assert again(world, body={"people": ["Ann@example.com"]}).status == 200


def test_only_those_who_are_named_are_told_again() -> None:
    world = launched()

    reply = again(world, body={"people": ["example.DE", f" {ANN} "]})

    assert (reply.body["approvals"], reply.body["nothing_for"]) == (2, [])
    assert world.told() == [ANN, EVA]
    assert world.told() == []


def test_a_person_who_has_nothing_to_be_told_again_is_named_each_time_it_is_asked() -> None:
    world = launched()
    people = ["example.de", "example.org", "anne@example.com", ANN]

    for _ in range(2):
        body = again(world, body={"people": people}).body
        assert (body["approvals"], body["nothing_for"]) == (2, ["example.org", "anne@example.com"])
    assert world.told() == [ANN, EVA]


@pytest.mark.parametrize(
    "body",
    [
        {"people": ["anne@example.com"]},
        {"people": ["example.org", "boss@example.com"]},
        {"people": [ANN], "since": "2026-11-23T09:00:30Z"},
    ],
)
def test_where_nobody_is_meant_who_was_told_anything_nothing_is_done(body: dict[str, Any]) -> None:
    world = launched()
    world.person("boss@example.com")

    reply = again(world, body=body)

    assert (reply.status, reply.body["error"]) == (400, "nobody_to_tell")
    assert "misspelt" in reply.body["message"]
    assert (world.store.note(REPEATS).text, recorded(world), world.told()) == ("", [], [])
    assert again(world).body["is_new"] is True


def test_who_is_outside_of_the_pilot_is_counted_and_waits() -> None:
    world = launched()
    world.change(PILOT=ANN)

    some = again(world, body={"people": [ANN, BOB]}).body
    every = again(world, "all").body

    assert (some["approvals"], some["waiting_for_pilot"], some["nothing_for"]) == (2, 1, [])
    assert (every["approvals"], every["waiting_for_pilot"]) == (3, 2)
    assert world.told() == [ANN]


@pytest.mark.parametrize(("status", "answered"), [(503, 503), (403, 502)])
def test_who_cannot_be_looked_up_is_not_said_to_have_nothing(status: int, answered: int) -> None:
    world = launched()
    world.coupa.front.fail("answer", status=status, path="/api/users", times=None)

    assert again(world, body={"people": [ANN]}).status == answered
    assert world.store.note(REPEATS).text == ""
    assert again(world).status == 200  # nobody needs to be looked up


def test_one_who_cannot_be_looked_up_is_in_the_way_only_where_they_may_be_meant() -> None:
    world = launched()
    unread = str(world.person(BOB))
    world.coupa.front.fail("answer", status=403, path="/api/users", query=unread, times=None)

    assert again(world, body={"people": [ANN, BOB]}).status == 502
    body = again(world, body={"people": [ANN]}).body
    assert (body["approvals"], body["nothing_for"]) == (1, [])


def test_a_user_whom_coupa_does_not_show_is_told_by_nobody_and_stops_nobody() -> None:
    world = launched()
    world.coupa.world.users.rows[world.person(BOB)].active = False

    body = again(world, body={"people": [ANN, BOB]}).body

    assert (body["approvals"], body["nothing_for"]) == (1, [BOB])


def test_only_what_was_told_since_then_is_told_again() -> None:
    world = launched()
    world.clock.advance(HOUR_S)
    since = world.clock.now().isoformat()
    world.requisition(BOB)
    assert world.told() == [BOB]
    world.clock.advance(60)

    reply = again(world, body={"since": since})

    assert reply.body["approvals"] == 1
    assert world.told() == [BOB]


def test_of_a_group_those_are_told_who_may_decide_now() -> None:
    world = World()
    group = world.group(ANN, BOB)
    world.requisition(group)
    assert world.told() == [ANN, BOB]
    world.clock.advance(60)
    world.coupa.world.leave(group.id, world.person(BOB))
    world.coupa.world.join(group.id, world.person(EVA))

    again(world)
    world.clock.advance(6 * 60)

    assert world.told() == [ANN, EVA]


def test_what_was_decided_or_is_not_its_turn_or_muted_is_told_to_nobody() -> None:
    world = World()
    for _ in range(2):
        world.requisition(ANN, BOB)
    decided, muted = world.announced()
    world.click(decided, ANN)
    assert world.told() == [BOB]
    number = {"approval_id": muted.slots["approval_id"]}
    world.call("mute", headers={"X-Actor-Email": OPS}, route=number, json={"hours": 2})
    world.clock.advance(60)

    assert again(world).body["approvals"] == 2
    assert world.told() == [BOB]
    assert world.told(after_s=2 * HOUR_S) == [ANN]


def test_what_waited_before_the_bridge_began_is_told_with_the_rest() -> None:
    world = World(settings={"FIRST_RUN": "baseline"})
    world.requisition(ANN)
    assert world.told() == []

    assert again(world, body={"since": "2026-01-01T00:00:00Z"}).body["approvals"] == 0
    assert world.told() == []
    assert again(world, "all").body["approvals"] == 1
    assert world.told() == [ANN]
    assert world.told() == []


def test_quiet_hours_hold_and_the_pilot_too() -> None:
    world = launched(QUIET_HOURS="20:00-07:00", PILOT="")
    world.change(PILOT=f"{ANN},{EVA}")
    world.clock.advance((21 - world.clock.now().hour) * HOUR_S)

    again(world)
    assert world.told() == []
    assert world.told(after_s=11 * HOUR_S) == [ANN, EVA]
    world.change(PILOT="")
    assert world.told() == [BOB]
    assert world.told() == []


def test_it_keeps_the_rate_and_the_status_says_how_far_it_is() -> None:
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "5"})
    for _ in range(12):
        world.requisition(ANN)
    while world.told():
        world.clock.advance(61)
    assert world.call("status").body["repeat"] is None

    asked_at = again(world).body["asked_at"]
    left = []
    sent = []
    for _ in range(4):
        left.append(world.call("status").body["repeat"])
        sent.append(len(world.told()))
        world.clock.advance(61)

    assert sent == [5, 5, 2, 0]
    said = {"asked_at": asked_at, "approvals": 12, "is_complete": True}
    assert left == [said | {"left": number} for number in (12, 7, 2, 0)]


def left_of(world: World) -> int:
    """Return of how many approvals somebody is still to be told again, as the status says."""
    repeat = world.call("status").body["repeat"]
    assert repeat["is_complete"]
    return int(repeat["left"])


@pytest.mark.slow
@pytest.mark.parametrize("people", [[], [ANN, EVA]])
def test_the_status_counts_who_is_still_to_be_told_whatever_they_wait_for(people: list[str]) -> None:
    body = {"people": people} if people else None
    number = len(people) or 3
    for setting, waits, ends in (
        ("DRY_RUN", "on", "off"),
        ("PILOT", "boss@example.com", ""),
        ("QUIET_HOURS", f"{World().clock.now():%H}:00-23:00", ""),
        ("DIGEST_AT", f"{World().clock.now() - timedelta(hours=1):%H}:30", ""),
    ):
        world = launched()
        world.change(**{setting: waits})
        again(world, body=body)
        before = left_of(world)
        said = (world.told(), left_of(world), world.told(), left_of(world))
        world.change(**{setting: ends})
        world.clock.advance(60)
        after = (len(world.told()), left_of(world))

        assert (setting, before, said, after) == (
            setting,
            number,
            ([], number, [], number),
            (number, 0) if setting not in ("QUIET_HOURS", "DIGEST_AT") else after,
        )
        world.clock.advance(24 * HOUR_S)
        world.sweep()
        assert (setting, left_of(world)) == (setting, 0)


def test_the_status_counts_who_is_still_to_be_told_while_moveworks_takes_nothing() -> None:
    world = launched()
    world.moveworks.front.fail("answer", status=429, times=None)
    again(world, body={"people": [BOB]})

    said = [left_of(world)]
    world.sweep()
    said.append(left_of(world))
    world.moveworks.front.heal()
    assert world.told(after_s=HOUR_S) == [BOB]

    assert [*said, left_of(world)] == [1, 1, 0]


def test_the_status_counts_for_all_rounds_that_are_not_done() -> None:
    world = launched()
    again(world, "one", {"people": [ANN]})
    again(world, "two", {"people": [ANN, EVA]})
    said = [left_of(world)]
    world.change(PILOT=EVA)
    assert world.told() == [EVA]
    said.append(left_of(world))
    again(world, "three", {"people": [EVA]})
    said.append(left_of(world))
    world.change(PILOT="")
    assert world.told() == [ANN, EVA]

    assert [*said, left_of(world)] == [2, 1, 2, 0]


def test_whoever_may_not_decide_any_more_is_no_longer_to_be_told() -> None:
    world = launched()
    world.coupa.world.users.rows[world.person(BOB)].active = False
    again(world)

    assert world.told() == [ANN, EVA]
    assert left_of(world) == 0


def test_where_people_cannot_be_looked_up_the_status_counts_all_who_may_be_meant() -> None:
    world = launched()
    again(world, body={"people": [ANN]})
    world.coupa.front.fail("answer", status=503, path="/api/users", times=None)

    repeat = world.call("status").body["repeat"]

    assert (repeat["left"], repeat["is_complete"]) == (3, False)


def test_two_at_once_for_different_people_are_both_heard() -> None:
    world = launched()

    again(world, "one", {"people": [ANN]})
    again(world, "two", {"people": [EVA]})

    assert world.told() == [ANN, EVA]


def test_a_new_one_of_a_wait_that_was_escalated_is_no_reason_to_escalate_again() -> None:
    world = launched(ESCALATE_AFTER_HOURS="24", ESCALATE_TO="boss@example.com")
    assert world.told(after_s=25 * HOUR_S) == ["boss@example.com"] * 3
    again(world)
    assert world.told() == [ANN, BOB, EVA]
    world.clock.advance(25 * HOUR_S)

    assert world.told() == []


def test_a_clock_that_is_behind_tells_later_and_never_twice() -> None:
    world = launched()
    ahead = again(world)
    world.clock.advance(-30)

    said = []
    for _ in range(4):
        said.append(world.told())
        world.clock.advance(20)

    assert ahead.status == 200
    assert sorted(said) == [[], [], [], [ANN, BOB, EVA]]


def test_what_an_operator_asks_for_is_recorded_before_it_is_done(caplog: pytest.LogCaptureFixture) -> None:
    world = launched()
    with caplog.at_level(logging.INFO):
        again(world, body={"people": ["example.com"], "since": "2026-11-01T00:00:00+02:00"})

    [said] = recorded(world)
    assert (said["actor"], said["verb"], said["outcome"], said["request_id"]) == (
        OPS,
        "resend_all",
        "asked",
        "req-9",
    )
    assert said["cause"] == "2 approvals since 2026-11-01T00:00:00+02:00 of example.com"
    assert "operator act=resend_all approvals=2" in caplog.messages


def test_without_a_record_nothing_is_done_unless_the_settings_say_so() -> None:
    world = World()
    world.requisition(ANN)
    world.sweep()
    world.clock.advance(60)
    away(world.audit_store, "write", "audit_503")

    assert again(world).status == 503
    assert world.told() == []
    world.change(AUDIT="optional")
    assert again(world).status == 200
    assert world.told() == [ANN]


def shaky(*plan: str) -> World:
    """Return a world in which the next writes of the note fail in these ways."""
    world, ways = launched(), list(plan)
    save = world.store.save_note

    def fail(name: str, note: Note) -> None:
        if name != REPEATS or not ways:
            return
        way = ways.pop(0)
        if way == "lost":
            save(name, note)
            raise Unknown("ledger_lost", "no answer")
        if way == "race":
            other = Repeat(key="another", at=world.clock.now(), people=audience_of([EVA]))
            save(name, Note(write_repeats([other]), note.etag))
        raise Conflict("ledger_conflict", "changed") if way == "race" else Unavailable("ledger_503", "no")

    before(world.store, "save_note", fail)
    return world


def test_a_lost_answer_and_a_lost_race_end_as_they_should() -> None:
    for plan in (["lost"], ["race"], ["no", "lost"]):
        world = shaky(*plan)
        reply = again(world)
        assert (reply.status, reply.body["is_new"]) == (200, True)
        assert world.told() == [ANN, BOB, EVA]
        assert world.told() == []


def test_where_the_note_cannot_be_written_nothing_is_told_and_the_record_says_so() -> None:
    world = shaky("no", "no", "no")

    assert again(world).status == 503
    assert world.told() == []
    assert [each["outcome"] for each in recorded(world)] == ["asked", "failed"]
    assert again(world).status == 200


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("", None, "no_key"),
        ("x" * 201, None, "bad_key"),
        ("a", {"people": []}, "bad_people"),
        ("a", {"people": "example.com"}, "bad_people"),
        ("a", {"people": [5]}, "bad_people"),
        ("a", {"people": ["example"]}, "bad_people"),
        ("a", {"people": ["example.com"] * 101}, "bad_people"),
        ("a", {"since": "yesterday"}, "bad_since"),
        ("a", {"since": "2026-11-23T00:00:00"}, "bad_since"),
        ("a", {"since": 5}, "bad_since"),
        ("a", {"hours": 5}, "unknown_field"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_changed(name: str, body: Any, code: str) -> None:
    world = launched()

    reply = again(world, name, body)

    assert (reply.status, reply.body["error"]) == (400, code)
    assert (world.told(), recorded(world)) == ([], [])


def test_nobody_asks_for_it_who_is_not_named() -> None:
    assert again(launched(), actor="").body["error"] == "no_actor"


TIMES = st.datetimes(timezones=st.just(UTC)).filter(countable)
REPEAT = st.builds(
    Repeat,
    key=st.text("0123456789abcdef", min_size=16, max_size=16),
    at=TIMES,
    people=st.lists(st.sampled_from([ANN, "example.de"]), unique=True).map(audience_of),
    since=st.none() | TIMES,
    approvals=st.integers(0, 99_999),
)


@pytest.mark.slow
@given(st.lists(REPEAT, max_size=MAX_REPEATS))
def test_what_is_written_is_read(repeats: list[Repeat]) -> None:
    assert read_repeats(write_repeats(repeats)) == repeats


@pytest.mark.slow
@given(st.lists(REPEAT, max_size=MAX_REPEATS + 2), REPEAT, st.data())
def test_no_round_goes_that_is_young_or_that_somebody_waits_for_unless_a_kept_one_tells_them(
    repeats: list[Repeat], another: Repeat, data: st.DataObject
) -> None:
    waited_for = {each.key for each in repeats if data.draw(st.booleans())}

    kept = add_repeat(repeats, another, lambda: waited_for)

    for each in repeats if kept else ():
        is_old = each.at <= another.at - KEPT_FOR
        is_told = any(later.includes(each) for later in kept or ())
        assert each in (kept or ()) or (is_old and (each.key not in waited_for or is_told))
    assert kept is None or (kept[-1] == another and len(kept) <= MAX_REPEATS)


@pytest.mark.parametrize("text", ["", "{", "[5]", "[{}]", '[{"key": "a", "at": 5}]', "5"])
def test_a_note_that_cannot_be_read_has_no_repeats(text: str) -> None:
    assert read_repeats(text) == []
