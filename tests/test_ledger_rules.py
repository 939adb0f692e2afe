"""The allowed changes of a row: every rule, and the changes that no rule may make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_contract import HOUR, NOW, full_row, row, told_of

from coupa_core.ledger import (
    BASELINE,
    MAX_REFUSALS,
    MUTED,
    PILOT,
    Entry,
    Lease,
    OpenQuestion,
    PersonState,
    State,
    answered,
    asked,
    claimed,
    closed,
    closing_added,
    closing_done,
    decided,
    deciding,
    delivered,
    escalated,
    failed,
    held_back,
    muted,
    next_generation,
    not_reminded,
    parked,
    put,
    recorded,
    refused,
    released,
    reminded,
    renamed,
    resent,
    reserved,
    sent,
    settled,
    tried,
    unparked,
    waiting,
)
from coupa_core.ledger.questions import MAX_QUESTIONS
from coupa_core.model import DONE_STATUS, Verb
from sandbox.clock import ManualClock

LEASE = Lease()
HELD = replace(full_row(), state=State.CLAIMED, lease_until=NOW + timedelta(seconds=120), etag="e")
"""A claimed row with every field set: what a rule does not mention must stay."""

OPEN = replace(HELD, closed_at=None)

WITHOUT_FACTS = {"user:12": PersonState(version="v1:abc", to="group:3", at=NOW), "user:3": PersonState()}
"""What a row keeps of its people when the round is over."""

Rule = Callable[[Entry, datetime], Entry]

RULES: dict[str, Rule] = {
    "claimed": lambda entry, now: claimed(entry, now=now, lease=LEASE),
    "sent": lambda entry, now: sent(entry),
    "waiting": lambda entry, now: waiting(entry, cause="no_recipient", until=now),
    "released": lambda entry, now: released(entry, cause="paused", now=now),
    "failed": lambda entry, now: failed(entry, cause="internal", now=now),
    "parked": lambda entry, now: parked(entry, cause="uncertain", now=now),
    "decided": lambda entry, now: decided(entry, decision="approve", by="a@example.com", now=now),
    "closed": lambda entry, now: closed(entry, cause="gone", now=now),
    "next_generation": lambda entry, now: next_generation(entry),
    "settled": lambda entry, now: settled(entry, State.SENT),
    "muted": lambda entry, now: muted(entry, until=now),
}


def changes(before: Entry, after: Entry) -> dict[str, object]:
    """Return the fields that differ, with their new values."""
    return {name: value for name, value in vars(after).items() if value != vars(before)[name]}


# Claims.


def test_a_claim_holds_for_the_lease_from_now_on() -> None:
    entry = replace(full_row(), state=State.RETRY, etag="e")

    assert changes(entry, claimed(entry, now=NOW + HOUR, lease=LEASE)) == {
        "state": State.CLAIMED,
        "attempted_at": NOW + HOUR,
        "lease_until": NOW + HOUR + timedelta(seconds=120),
        "next_at": None,
    }


def test_taking_over_a_claim_counts_an_unknown_outcome() -> None:
    assert claimed(HELD, now=NOW, lease=LEASE).uncertain == HELD.uncertain + 1


def test_a_claim_that_was_never_stored_is_no_takeover() -> None:
    assert claimed(replace(HELD, etag=""), now=NOW, lease=LEASE).uncertain == HELD.uncertain


def test_a_claim_is_held_until_its_end_plus_the_skew_of_clocks() -> None:
    clock = ManualClock(NOW)
    entry = claimed(row(), now=clock.now(), lease=LEASE)

    clock.advance(149.999)
    assert entry.is_held(clock.now(), LEASE)
    clock.advance(0.001)
    assert not entry.is_held(clock.now(), LEASE)


def test_a_claim_from_later_than_clocks_can_differ_holds_nothing_because_the_clock_was_put_back() -> None:
    entry = claimed(row(), now=NOW, lease=LEASE)

    assert entry.is_held(NOW - timedelta(seconds=LEASE.skew_s), LEASE)
    assert not entry.is_held(NOW - timedelta(seconds=LEASE.skew_s + 1), LEASE)


@pytest.mark.parametrize("state", [state for state in State if state is not State.CLAIMED])
def test_only_a_claim_is_held(state: State) -> None:
    assert not replace(HELD, state=state).is_held(NOW, LEASE)


def test_a_claim_without_an_end_is_not_held() -> None:
    assert not replace(HELD, lease_until=None).is_held(NOW, LEASE)


def test_a_send_begins_only_while_the_margin_is_left() -> None:
    clock = ManualClock(NOW)
    entry = claimed(row(), now=clock.now(), lease=LEASE)

    assert entry.may_send(clock.now(), LEASE)
    clock.advance(80)
    assert entry.may_send(clock.now(), LEASE)
    clock.advance(0.001)
    assert not entry.may_send(clock.now(), LEASE)


def test_nothing_is_sent_without_a_claim() -> None:
    assert not row().may_send(NOW, LEASE)


@pytest.mark.slow
@given(st.floats(min_value=1, max_value=3600))
def test_a_send_ends_before_the_claim_does_and_before_anybody_may_take_over(length_s: float) -> None:
    lease = Lease(length_s)

    assert 0 < lease.send_s < lease.margin_s < lease.length_s
    assert lease.skew_s > 0


def test_the_times_of_the_usual_lease_are_those_of_the_documents() -> None:
    assert (LEASE.length_s, LEASE.margin_s, LEASE.send_s, LEASE.skew_s) == (120, 40, 20, 30)


# Outcomes.


def test_who_was_told_is_remembered_and_the_claim_goes_on() -> None:
    before = told_of("v1", "v1", to="group:3", at=NOW, since=NOW, figures="[]", reminders=2, refusals=4)
    once = PersonState(to="group:3", since=NOW, figures="{}")
    row = replace(HELD, told=before, escalated_at=None)

    after = delivered(row, person="user:2", version="v2", to="group:3", now=NOW + HOUR, figures="{}")

    assert changes(row, after) == {
        "told": {**before, "user:2": replace(once, version="v2", at=NOW + HOUR)},
        "uncertain": 0,
    }


def test_the_wait_begins_when_the_first_is_told_and_not_anew_with_each_who_joins() -> None:
    entry = delivered(row(), person="user:1", version="v1", to="group:3", now=NOW)
    entry = delivered(entry, person="user:2", version="v1", to="group:3", now=NOW + HOUR)
    entry = delivered(entry, person="user:1", version="v2", to="group:3", now=NOW + 2 * HOUR)

    assert (entry.first_told_at, entry.told_at) == (NOW, NOW + 2 * HOUR)


def test_after_an_escalation_another_version_begins_the_wait_anew_and_one_who_joins_does_not() -> None:
    entry = delivered(row(), person="user:1", version="v1", to="group:3", now=NOW)
    entry = replace(entry, escalated_at=NOW + HOUR)

    joined = delivered(entry, person="user:2", version="v1", to="group:3", now=NOW + 2 * HOUR)
    edited = delivered(entry, person="user:2", version="v2", to="group:3", now=NOW + 2 * HOUR)

    assert (joined.first_told_at, joined.escalated_at) == (NOW, NOW + HOUR)
    assert (edited.first_told_at, edited.escalated_at) == (NOW + 2 * HOUR, None)


def test_the_wait_begins_anew_when_somebody_else_is_asked() -> None:
    entry = replace(delivered(row(), person="user:1", version="v1", to="user:1", now=NOW), escalated_at=NOW)

    entry = delivered(entry, person="user:2", version="v2", to="user:2", now=NOW + HOUR)

    assert (entry.first_told_at, entry.escalated_at, entry.sent_to) == (NOW + HOUR, None, "user:2")


def test_the_wait_of_a_new_round_begins_with_its_own_first_message_though_the_same_is_asked() -> None:
    before = delivered(row(), person="user:1", version="v1", to="group:3", now=NOW, figures="{}")

    after = delivered(next_generation(before), person="user:1", version="v1", to="group:3", now=NOW + HOUR)

    assert (after.first_told_at, after.sent_to, after.to("user:1").figures) == (NOW + HOUR, "group:3", "")


def test_a_reminder_that_was_not_sent_leaves_the_one_before_it() -> None:
    before = row(told=told_of("v1", at=NOW, reminders=1, reminded_at=NOW + HOUR))

    after = reminded(before, ["user:1"], now=NOW + 2 * HOUR)

    assert after.to("user:1").reminders == 2
    assert not_reminded(after, before, ["user:1"]) == before


def test_a_reminder_is_counted_for_whoever_gets_it_and_taken_back_when_nothing_was_sent() -> None:
    before = row(told=told_of("v1", "v1", at=NOW))

    after = reminded(before, ["user:2", "user:9"], now=NOW + HOUR)

    assert after.told == {
        "user:1": before.told["user:1"],
        "user:2": PersonState(version="v1", at=NOW, reminders=1, reminded_at=NOW + HOUR),
    }
    assert not_reminded(after, before, ["user:2", "user:9"]) == before
    assert [after.to(key).last_words_at for key in ("user:1", "user:2", "user:9")] == [NOW, NOW + HOUR, None]


def test_who_may_no_longer_decide_is_forgotten_and_who_may_now_was_not_told() -> None:
    row = replace(HELD, told=told_of("v1", "v1"))

    after = deciding(row, ["user:2", "user:3"], is_certain=True)

    assert changes(row, after) == {"told": {"user:2": PersonState(version="v1"), "user:3": PersonState()}}


def test_while_nobody_knows_who_may_decide_nobody_is_forgotten() -> None:
    row = replace(HELD, told=told_of("v1"))

    assert deciding(row, ["user:3"], is_certain=False).told == {**told_of("v1"), "user:3": PersonState()}


def test_a_look_that_found_nothing_new_leaves_what_was_sent() -> None:
    assert changes(HELD, sent(HELD)) == {
        "state": State.SENT,
        "lease_until": None,
        "next_at": None,
        "cause": "",
        "failures": 0,
        "uncertain": 0,
        "due_at": None,
    }


def test_waiting_says_why_and_when_to_look_again() -> None:
    assert changes(HELD, waiting(HELD, cause="not_their_turn", until=NOW + HOUR)) == {
        "state": State.WAITING,
        "lease_until": None,
        "next_at": NOW + HOUR,
        "cause": "not_their_turn",
    }


def test_what_is_to_be_sent_again_is_due_with_nobody_told_and_nothing_counted() -> None:
    parked_row = replace(full_row(), told=told_of("v1", "", refusals=8, retry_at=NOW + HOUR))

    assert changes(parked_row, resent(parked_row, now=NOW)) == {
        **changes(parked_row, unparked(parked_row, now=NOW)),
        "told": told_of("", ""),
    }
    assert changes(parked_row, unparked(parked_row, now=NOW)) == {
        "state": State.RETRY,
        "lease_until": None,
        "told": told_of("v1", ""),
        "next_at": NOW,
        "failures": 0,
        "uncertain": 0,
        "cause": "",
    }


def test_a_muted_row_waits_until_its_time_and_keeps_who_was_told() -> None:
    after = muted(row(told=told_of("v1")), until=NOW + HOUR)

    assert (after.state, after.cause, after.next_at) == (State.WAITING, MUTED, NOW + HOUR)
    assert after.told == told_of("v1")


def test_a_released_claim_is_due_at_once_and_counts_nothing() -> None:
    assert changes(HELD, released(HELD, cause="paused", now=NOW + HOUR)) == {
        "state": State.RETRY,
        "lease_until": None,
        "next_at": NOW + HOUR,
        "cause": "paused",
    }


def test_a_failure_of_the_approval_is_counted() -> None:
    entry = replace(HELD, failures=0)

    assert changes(entry, failed(entry, cause="document_coupa_500", now=NOW)) == {
        "state": State.RETRY,
        "lease_until": None,
        "next_at": NOW + timedelta(minutes=1),
        "cause": "document_coupa_500",
        "failures": 1,
    }


def refused_once_more(entry: Entry) -> Entry:
    """Return a row after Moveworks refused the notice for user 1, and the claim ended with it."""
    return held_back(refused(entry, "user:1", now=NOW), ["user:1"], cause="moveworks_400", now=NOW)


@pytest.mark.parametrize(
    "again", [lambda entry: failed(entry, cause="moveworks_400", now=NOW), refused_once_more]
)
def test_it_is_tried_again_later_each_time_and_parked_after_eight(again: Callable[[Entry], Entry]) -> None:
    entry, pauses, states = row(), [], []

    for _ in range(MAX_REFUSALS + 1):
        entry = again(entry)
        assert entry.next_at is not None
        pauses.append((entry.next_at - NOW) / timedelta(minutes=1))
        states.append(entry.state)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 24 * 60, 24 * 60]
    assert states == [State.RETRY] * 7 + [State.PARKED] * 2
    assert (entry.failures + entry.to("user:1").refusals, entry.cause) == (9, "moveworks_400")


def test_a_refusal_counts_against_one_person_and_nobody_else() -> None:
    before = replace(HELD, told=told_of("v1", "v1"))

    assert changes(before, refused(before, "user:2", now=NOW)) == {
        "told": {
            **told_of("v1"),
            "user:2": PersonState(version="v1", refusals=1, retry_at=NOW + timedelta(minutes=1)),
        }
    }


def test_a_parked_approval_is_tried_again_after_a_day() -> None:
    assert changes(HELD, parked(HELD, cause="uncertain", now=NOW)) == {
        "state": State.PARKED,
        "lease_until": None,
        "next_at": NOW + timedelta(days=1),
        "cause": "uncertain",
    }


def test_a_decision_is_remembered_with_the_person_and_the_time() -> None:
    entry = replace(HELD, decision="", decided_by="")

    assert changes(entry, decided(entry, decision="approve", by="a@example.com", now=NOW, key="k")) == {
        "state": State.DECIDED,
        "lease_until": None,
        "next_at": None,
        "cause": "",
        "decision": "approve",
        "decided_by": "a@example.com",
        "decided_at": NOW,
        "decision_key": "k",
        "questions": {},
    }


def test_a_closed_row_says_why_and_when() -> None:
    assert changes(OPEN, closed(OPEN, cause="gone", now=NOW)) == {
        "state": State.CLOSED,
        "lease_until": None,
        "next_at": None,
        "cause": "gone",
        "closed_at": NOW,
        "told": WITHOUT_FACTS,
        "questions": {},
    }


def test_a_row_that_stayed_open_after_its_end_keeps_the_time_of_the_end() -> None:
    ended = replace(OPEN, closed_at=NOW - timedelta(hours=9))

    assert closed(ended, cause="approved", now=NOW).closed_at == NOW - timedelta(hours=9)


def test_a_new_round_forgets_the_decision_and_the_counters_and_has_a_number_of_its_own() -> None:
    assert changes(HELD, next_generation(HELD)) == {
        "generation": HELD.generation + 1,
        "decision": "",
        "decided_by": "",
        "decided_at": None,
        "decision_key": "",
        "closed_at": None,
        "told": WITHOUT_FACTS,
        "first_told_at": None,
        "failures": 0,
        "uncertain": 0,
        "due_at": None,
        "escalated_at": None,
        "ended_as": "",
        "farewell": {},
    }


def test_a_question_outlives_a_hold_and_nothing_else() -> None:
    for verb in Verb:
        here = decided(HELD, decision=verb, by="ann@example.com", now=NOW)
        there = closed(HELD, cause=DONE_STATUS[verb], now=NOW)

        kept = HELD.questions if verb is Verb.HOLD else {}
        assert (here.questions, there.questions, next_generation(here).questions) == (kept, kept, kept)


# Times that count against the rate.


def test_each_message_of_a_row_counts_against_the_rate_at_its_time() -> None:
    told = {
        **told_of("v1", at=NOW, reminded_at=NOW + HOUR),
        "user:2": PersonState(version="v1", at=NOW + 2 * HOUR),
        "user:3": PersonState(),
    }

    assert row(told=told).sends(LEASE) == [NOW, NOW + HOUR, NOW + 2 * HOUR]


def test_a_claim_in_flight_counts_at_the_last_time_at_which_it_may_send() -> None:
    held = claimed(row(), now=NOW, lease=LEASE)

    assert held.sends(LEASE) == [NOW + timedelta(seconds=80)]
    assert held.may_send(held.sends(LEASE)[0], LEASE)


@pytest.mark.parametrize(("refusals", "times"), [(0, []), (1, [NOW]), (2, [NOW])])
def test_a_send_that_was_refused_counts_at_the_time_of_its_claim(
    refusals: int, times: list[datetime]
) -> None:
    told = {"user:1": PersonState(refusals=refusals), "user:2": PersonState()}

    assert row(state=State.RETRY, attempted_at=NOW, told=told).sends(LEASE) == times
    assert row(state=State.RETRY, told=told).sends(LEASE) == []


# The backlog, the pilot, and people who need no card.


def test_a_row_of_the_backlog_counts_as_told_without_a_message_and_says_so_after_each_check() -> None:
    before = replace(HELD, told=told_of("v0", at=NOW), cause="late")

    after = recorded(before, ["user:2", "user:3"], version="v1")
    quiet = recorded(replace(HELD, told={}), ["user:2"], version="v1")

    assert after.told == {
        "user:1": PersonState(version="v0", at=NOW),
        "user:2": PersonState(version="v1"),
        "user:3": PersonState(version="v1"),
    }
    assert (after.state, after.sent_to, after.first_told_at, after.cause) == (State.SENT, "", None, "")
    assert (quiet.cause, quiet.told_at, quiet.is_told) == (BASELINE, None, True)
    assert sent(claimed(quiet, now=NOW, lease=LEASE)).cause == BASELINE
    assert [quiet.to(key).was_sent for key in ("user:2", "user:9")] == [False, False]
    assert after.to("user:1").was_sent


def test_a_row_of_which_everybody_was_told_names_no_cause_and_no_time_to_look_again() -> None:
    assert sent(HELD).next_at is None
    assert sent(row()).cause == ""


def test_the_people_outside_the_pilot_are_waited_for_with_nothing_counted() -> None:
    assert changes(HELD, reserved(HELD)) == {
        "state": State.WAITING,
        "lease_until": None,
        "next_at": None,
        "cause": PILOT,
        "failures": 0,
        "uncertain": 0,
        "due_at": None,
    }


def test_closing_notices_are_owed_until_each_reader_has_had_one() -> None:
    before = row(farewell={"user:1": "shown"})

    owed = closing_added(before, {"user:2": "ended", "user:1": "reassigned"})

    assert owed.farewell == {"user:1": "reassigned", "user:2": "ended"}
    assert closing_done(owed, "user:1").farewell == {"user:2": "ended"}
    assert closing_done(owed, "user:9") == owed


def test_an_escalation_is_noted_with_its_time_and_nothing_else() -> None:
    assert changes(HELD, escalated(HELD, now=NOW + HOUR)) == {"escalated_at": NOW + HOUR}


def test_a_version_gets_its_new_name_beside_the_old_one_for_whoever_has_exactly_that() -> None:
    told = {**told_of("v1", "v2", "v1 v0"), "user:4": PersonState()}

    names = {key: each.version for key, each in renamed(row(told=told), old="v1", new="w1").told.items()}

    assert names == {"user:1": "w1 v1", "user:2": "v2", "user:3": "v1 v0", "user:4": ""}
    after = renamed(row(told=told), old="v1", new="w1")
    assert [after.has_told("user:1", name) for name in ("w1", "v1", "w1 v1", "")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("refusals", "retry_at", "state", "due"),
    [
        ([1, 1], [2, 1], State.RETRY, NOW + HOUR),
        ([1, MAX_REFUSALS], [1, 24], State.PARKED, NOW + HOUR),
        ([1, MAX_REFUSALS - 1], [1, None], State.RETRY, NOW + HOUR),
        ([1, 1], [None, None], State.RETRY, NOW),
    ],
)
def test_people_who_were_refused_are_tried_at_the_first_time_of_any_of_them(
    refusals: list[int], retry_at: list[int | None], state: State, due: datetime
) -> None:
    told = {
        f"user:{number}": PersonState(refusals=times, retry_at=NOW + hours * HOUR if hours else None)
        for number, (times, hours) in enumerate(zip(refusals, retry_at, strict=True))
    }
    told["user:9"] = PersonState(refusals=MAX_REFUSALS, retry_at=NOW - HOUR)

    after = held_back(replace(HELD, told=told), ["user:0", "user:1"], cause="moveworks_400", now=NOW)

    assert (after.state, after.next_at, after.cause, after.told) == (state, due, "moveworks_400", told)


def test_being_told_again_by_another_approver_begins_a_persons_own_time_anew() -> None:
    before = row(
        told=told_of("v1", to="group:3", at=NOW, since=NOW, refusals=2, retry_at=NOW), sent_to="group:3"
    )

    same = delivered(before, person="user:1", version="v2", to="group:3", now=NOW + HOUR).to("user:1")
    other = delivered(before, person="user:1", version="v2", to="user:1", now=NOW + HOUR).to("user:1")

    assert (same.since, same.at, same.refusals, same.retry_at) == (NOW, NOW + HOUR, 0, None)
    assert (other.since, other.to) == (NOW + HOUR, "user:1")


# Questions.


def question(by: str = "user:1", *, is_put: bool = False) -> OpenQuestion:
    return OpenQuestion(by=by, of="user:4", on=5, is_put=is_put)


@pytest.mark.parametrize(
    ("state", "next_at", "due"),
    [
        (State.RETRY, None, NOW),
        (State.RETRY, NOW + HOUR, NOW + HOUR),
        (State.SENT, None, None),
        (State.WAITING, None, None),
    ],
)
def test_a_question_makes_a_row_due_that_no_sweep_has_checked(
    state: State, next_at: datetime | None, due: datetime | None
) -> None:
    after = asked(row(state=state, next_at=next_at), 471, question(), now=NOW)

    assert (after.questions, after.next_at, after.state) == ({471: question()}, due, state)


def test_beyond_twenty_questions_the_oldest_of_whoever_asked_most_goes() -> None:
    mine = {number: question("user:1") for number in range(100, 112)}
    theirs = {number: question("user:2") for number in range(1, 9)}
    full = row(questions={**mine, **theirs})

    after = asked(full, 200, question("user:2"), now=NOW)

    assert len(full.questions) == MAX_QUESTIONS
    assert after.questions.keys() == {*range(101, 112), *range(1, 9), 200}


def test_a_question_that_was_put_or_answered_changes_no_other() -> None:
    told = told_of("v1", "v1", refusals=3, retry_at=NOW + HOUR)
    before = row(questions={1: question(), 2: question("user:2"), 3: question()}, told=told)

    after_put = put(before, 2)
    after = answered(before, [1, 3, 9], person="user:1")

    assert after_put.questions == {1: question(), 2: question("user:2", is_put=True), 3: question()}
    assert put(before, 9) == before
    assert after.questions == {2: question("user:2")}
    assert after.told == {"user:1": PersonState(version="v1"), "user:2": told["user:2"]}
    assert answered(before, [2]).told == told


# Decisions.


def test_a_try_leaves_its_key_and_nothing_else() -> None:
    assert changes(HELD, tried(HELD, key="k2")) == {"decision_key": "k2"}


@pytest.mark.parametrize(
    ("decision", "address", "since", "is_theirs"),
    [
        ("approve", "Ann@Example.com ", NOW, True),
        ("approve", "ann@example.com", NOW - HOUR, True),
        ("approve", "ann@example.com", NOW + timedelta.resolution, False),
        ("approve", "bob@example.com", NOW, False),
        ("", "ann@example.com", NOW, False),
    ],
)
def test_a_decision_is_somebodys_by_address_and_time(
    decision: str, address: str, since: datetime, *, is_theirs: bool
) -> None:
    entry = row(decision=decision, decided_by="ann@example.com", decided_at=NOW)

    assert entry.is_decided_by(address, since=since) is is_theirs
    assert not replace(entry, decided_at=None).is_decided_by(address, since=since)


@pytest.mark.parametrize(
    ("fields", "is_over"), [({}, False), ({"decision": "hold"}, True), ({"ended_as": "approved"}, True)]
)
def test_a_row_has_ended_by_a_decision_here_or_by_its_end_in_coupa(
    fields: dict[str, Any], *, is_over: bool
) -> None:
    assert row(**fields).has_ended is is_over


# What no rule may do.

near = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - the zone is given beside
    max_value=datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
entries = st.builds(
    Entry,
    approval_id=st.integers(1, 2**63 - 1),
    state=st.sampled_from(State),
    nonce=st.text(max_size=3),
    generation=st.integers(0, 1000),
    told=st.dictionaries(
        st.sampled_from(["user:1", "user:2"]),
        st.builds(
            PersonState, version=st.sampled_from(["", "v1", "v2"]), figures=st.sampled_from(["", "{}"])
        ),
    ),
    sent_to=st.sampled_from(["", "user:1"]),
    lease_until=near | st.none(),
    next_at=near | st.none(),
    failures=st.integers(0, 20),
    uncertain=st.integers(0, 20),
    decision=st.sampled_from(["", "approve", "reject"]),
    etag=st.sampled_from(["", "e1"]),
)


def versions(entry: Entry) -> dict[str, str]:
    """Return what everybody has."""
    return {key: each.version for key, each in entry.told.items()}


@pytest.mark.slow
@given(entries, near, st.lists(st.sampled_from(sorted(RULES)), min_size=1, max_size=6))
def test_no_rule_changes_the_id_lowers_the_round_or_forgets_what_was_sent(
    entry: Entry, now: datetime, names: list[str]
) -> None:
    history = [entry]
    for name in names:
        history.append(RULES[name](history[-1], now))

    for name, (before, after) in zip(names, pairwise(history), strict=True):
        assert after.approval_id == before.approval_id
        assert after.etag == before.etag
        assert after.generation == before.generation + (name == "next_generation")
        assert after.sent_to == before.sent_to
        assert versions(after) == versions(before)
        if name not in ("failed", "sent", "next_generation"):
            assert after.failures == before.failures
        if name not in ("claimed", "sent", "next_generation"):
            assert after.uncertain == before.uncertain


@pytest.mark.slow
@given(entries, near, st.sampled_from(sorted(set(RULES) - {"claimed", "next_generation"})))
def test_every_outcome_ends_the_claim(entry: Entry, now: datetime, name: str) -> None:
    after = RULES[name](entry, now)

    assert after.state is not State.CLAIMED
    assert after.lease_until is None


@pytest.mark.slow
@given(entries, near, st.sampled_from(sorted(RULES)))
def test_no_rule_changes_the_row_that_it_was_given(entry: Entry, now: datetime, name: str) -> None:
    before = replace(entry)

    RULES[name](entry, now)

    assert entry == before
