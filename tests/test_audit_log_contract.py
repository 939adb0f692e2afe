"""One contract for both stores of the audit log, and the audit log that makes them safe."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from audit_log_contract import (
    DAY_S,
    FOREIGN_KEY,
    KEYS,
    MONDAY,
    NOW,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    LossyAuditStore,
    audit_log_on,
    event,
    fill,
    full_event,
    head_of,
    stored,
)
from unruly import before, failing, once

from coupa_core.audit_log import (
    GENESIS,
    MAX_ROWS,
    ROOT,
    AuditLog,
    AuditStore,
    Event,
    Head,
    MemoryAuditStore,
    Row,
    Seals,
    link,
)
from coupa_core.audit_log.store import _TURN_S
from coupa_core.clock import Deadline, SystemClock, until
from coupa_core.errors import Conflict, Malformed, ServiceError, Unavailable, Unknown
from sandbox.clock import ManualClock

SEALS = Seals(KEYS)
UNCERTAIN: list[ServiceError] = [Unknown("x", "lost"), Unavailable("x", "refused"), Conflict("x", "changed")]
BY_NAME = [pytest.param(error, id=type(error).__name__) for error in UNCERTAIN]


# The contract of a store.


def begin(store: AuditStore, day: date = MONDAY, size: int = 2) -> tuple[list[Row], Head]:
    """Store the first rows of a day, and return them and the head."""
    rows, head = link(Head(day=day), [event(each) for each in range(size)], nonce="n", seals=SEALS)
    return rows, store.write(head, rows)


def test_what_was_never_stored_is_not_there(audit_store: AuditStore) -> None:
    assert audit_store.head(MONDAY) is None
    assert list(audit_store.heads()) == []
    assert list(audit_store.rows(MONDAY)) == []
    assert audit_store.erase(MONDAY, with_head=True) == 0


def test_rows_and_head_come_back_as_they_were_written(audit_store: AuditStore) -> None:
    rows, head = link(Head(day=MONDAY, before=ROOT), [full_event(), event(2)], nonce="n", seals=SEALS)

    written = audit_store.write(head, rows)

    assert written == head
    assert written.etag
    assert audit_store.head(MONDAY) == head
    assert head_of(audit_store, MONDAY).etag == written.etag
    assert list(audit_store.rows(MONDAY)) == rows


@pytest.mark.parametrize("head", [Head(day=ROOT), Head(day=date.max, seq=7, before=MONDAY, purged=3)])
def test_a_head_may_be_of_any_day_and_without_rows(audit_store: AuditStore, head: Head) -> None:
    audit_store.write(head)

    assert audit_store.head(head.day) == head
    assert list(audit_store.heads()) == [(head.day, head)]


def test_a_head_without_an_etag_must_be_new(audit_store: AuditStore) -> None:
    rows, head = begin(audit_store)
    more, after = link(replace(head, etag=""), [event(9)], nonce="m", seals=SEALS)

    with pytest.raises(Conflict):
        audit_store.write(after, more)

    assert audit_store.head(MONDAY) == head
    assert list(audit_store.rows(MONDAY)) == rows


def test_a_head_is_replaced_only_with_its_current_etag_and_nothing_is_half_done(
    audit_store: AuditStore,
) -> None:
    rows, old = begin(audit_store)
    more, after = link(old, [event(8)], nonce="m", seals=SEALS)
    new = audit_store.write(after, more)
    late, too_late = link(replace(new, etag=old.etag), [event(9)], nonce="l", seals=SEALS)

    with pytest.raises(Conflict):
        audit_store.write(too_late, late)

    assert new.etag not in ("", old.etag)
    assert audit_store.head(MONDAY) == new
    assert list(audit_store.rows(MONDAY)) == [*rows, *more]


def test_a_row_is_never_written_over(audit_store: AuditStore) -> None:
    rows, head = begin(audit_store)

    with pytest.raises(Conflict):
        audit_store.write(replace(head, seq=9), [replace(rows[1], text="{}")])

    assert audit_store.head(MONDAY) == head
    assert list(audit_store.rows(MONDAY)) == rows


@pytest.mark.slow
def test_rows_come_in_the_order_of_their_places_and_from_where_they_are_asked_for(
    audit_store: AuditStore,
) -> None:
    head = audit_store.write(Head(day=MONDAY))
    for start in range(0, 1_188, MAX_ROWS):
        rows, after = link(head, [event(start + each) for each in range(MAX_ROWS)], nonce="n", seals=SEALS)
        head = audit_store.write(after, rows)

    assert [row.seq for row in audit_store.rows(MONDAY)] == list(range(1, 1_189))
    assert [row.seq for row in audit_store.rows(MONDAY, after=1_186)] == [1_187, 1_188]
    assert list(audit_store.rows(MONDAY, after=1_188)) == []


def test_days_come_newest_first_and_earlier_ones_on_their_own(audit_store: AuditStore) -> None:
    for day in (TUESDAY, ROOT, date(2025, 12, 31), THURSDAY, MONDAY):
        audit_store.write(Head(day=day))

    days = [THURSDAY, TUESDAY, MONDAY, date(2025, 12, 31), ROOT]
    assert [day for day, _ in audit_store.heads()] == days
    assert [day for day, _ in audit_store.heads(before=TUESDAY)] == days[2:]
    assert [day for day, _ in audit_store.heads(before=WEDNESDAY)] == days[1:]
    assert all(head == Head(day=day) for day, head in audit_store.heads())


def test_a_day_can_be_erased_with_and_without_its_head(audit_store: AuditStore) -> None:
    for day in (MONDAY, TUESDAY, WEDNESDAY):
        begin(audit_store, day, MAX_ROWS)

    assert audit_store.erase(MONDAY, with_head=False) == MAX_ROWS
    assert audit_store.erase(TUESDAY, with_head=True) == MAX_ROWS

    assert audit_store.head(MONDAY) is not None
    assert [day for day, _ in audit_store.heads()] == [WEDNESDAY, MONDAY]
    assert [len(list(audit_store.rows(day))) for day in (MONDAY, TUESDAY, WEDNESDAY)] == [0, 0, MAX_ROWS]


@pytest.mark.slow
def test_more_rows_than_are_erased_at_once_are_all_erased(audit_store: AuditStore) -> None:
    audit_log_on(audit_store).append([event(each) for each in range(250)])

    assert audit_store.erase(MONDAY, with_head=False) == 250
    assert list(audit_store.rows(MONDAY)) == []


# The journal on top: appending.


def test_events_are_appended_in_their_order(audit_store: AuditStore) -> None:
    audit_log = audit_log_on(audit_store)

    audit_log.append([event(1), event(2)])
    audit_log.append([event(3)])

    assert stored(audit_log) == [(MONDAY, 1, 1), (MONDAY, 2, 2), (MONDAY, 3, 3)]
    assert audit_log.verify().broken is None


@pytest.mark.slow
def test_more_events_than_fit_at_once_are_appended_one_lot_after_the_other(
    audit_store: AuditStore,
) -> None:
    audit_log = audit_log_on(audit_store)

    audit_log.append([event(each) for each in range(1, 301)])

    assert stored(audit_log) == [(MONDAY, each, each) for each in range(1, 301)]
    assert audit_log.verify().rows == 300


def test_nothing_to_append_stores_nothing(audit_store: AuditStore) -> None:
    audit_log_on(audit_store).append([])

    assert list(audit_store.heads()) == []


def test_each_append_tells_the_log_where_the_record_ends(
    audit_store: AuditStore, caplog: pytest.LogCaptureFixture
) -> None:
    audit_log = audit_log_on(audit_store)

    with caplog.at_level(logging.INFO):
        audit_log.append([event(1), event(2)])

    end = head_of(audit_store, MONDAY)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("coupa_core")] == [
        f"audit day=2026-11-23 seq=2 hash={end.hash} prev={GENESIS}"
    ]


def test_the_day_is_that_of_the_append_and_an_event_keeps_its_own_time(audit_store: AuditStore) -> None:
    clock = ManualClock()
    audit_log = audit_log_on(audit_store, clock=clock)
    clock.advance(DAY_S)

    audit_log.append([event(1)])

    [(day, row)] = audit_log.rows(since=MONDAY, until=TUESDAY)
    assert day == TUESDAY
    assert row.values()["event"]["at"] == NOW.isoformat()


@pytest.mark.slow
def test_threads_of_two_processes_lose_nothing_and_repeat_nothing(audit_store: AuditStore) -> None:
    """Two journals on one store, as two processes have them, and four threads on each; pauses are real."""
    audit_logs = [audit_log_on(audit_store, writer=name) for name in "ab"]
    for audit_log in audit_logs:
        audit_log._clock = SystemClock()
    gate = threading.Barrier(8)

    def work(index: int) -> None:
        gate.wait()
        for turn in range(3):
            audit_logs[index % 2].append([event(index * 10 + turn), event(1_000 + index * 10 + turn)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))

    numbers = sorted(number for _, _, number in stored(audit_logs[0]))
    wanted = [index * 10 + turn for index in range(8) for turn in range(3)]
    assert numbers == sorted([*wanted, *(1_000 + number for number in wanted)])
    assert audit_logs[0].verify().broken is None


# The journal on top: lost answers.


def appending(store: AuditStore) -> AuditLog:
    """Return a journal whose day is open: what follows is about appending alone."""
    audit_log = audit_log_on(store)
    audit_log.append([event(1)])
    return audit_log


@pytest.mark.parametrize("error", BY_NAME)
def test_our_own_rows_are_known_again_when_the_answer_is_lost(error: ServiceError) -> None:
    store = LossyAuditStore()
    audit_log = appending(store)
    store.asked.clear()
    store.lose("write", error, is_done=True)

    audit_log.append([event(2), event(3)])

    assert [number for _, _, number in stored(audit_log)] == [1, 2, 3]
    assert store.asked.count("write") == 1


@pytest.mark.parametrize("error", BY_NAME)
def test_our_own_rows_are_known_again_behind_those_of_somebody_else(error: ServiceError) -> None:
    store = LossyAuditStore()
    audit_log, theirs = appending(store), audit_log_on(store, writer="theirs")
    store.lose("write", error, is_done=True)
    once(store, "write", lambda: store.let_in("head", lambda: theirs.append([event(9)])))

    audit_log.append([event(2)])

    assert [number for _, _, number in stored(audit_log)] == [1, 2, 9]


@pytest.mark.parametrize("error", BY_NAME)
def test_rows_that_were_not_written_are_tried_again(error: ServiceError) -> None:
    store = LossyAuditStore()
    audit_log = appending(store)
    store.lose("write", error, is_done=False)

    audit_log.append([event(2)])

    assert [number for _, _, number in stored(audit_log)] == [1, 2]


@pytest.mark.parametrize("error", BY_NAME)
def test_rows_that_are_never_written_raise_after_some_tries(error: ServiceError) -> None:
    store = LossyAuditStore()
    audit_log = appending(store)
    store.asked.clear()
    store.lose("write", error, is_done=False, times=99)

    with pytest.raises(type(error)):
        audit_log.append([event(2)])

    assert store.asked.count("write") == (24 if isinstance(error, Conflict) else 2)
    assert [number for _, _, number in stored(audit_log)] == [1]


def test_somebody_quicker_is_followed_not_written_over() -> None:
    store = LossyAuditStore()
    audit_log, theirs = appending(store), audit_log_on(store, writer="theirs")
    store.let_in("write", lambda: theirs.append([event(9)]))

    audit_log.append([event(2)])

    assert [number for _, _, number in stored(audit_log)] == [1, 9, 2]
    assert audit_log.verify().broken is None


def test_the_same_event_of_somebody_else_is_not_taken_for_ours() -> None:
    store = LossyAuditStore()
    audit_log, theirs = appending(store), audit_log_on(store, writer="theirs")
    store.lose("write", Conflict("x", "changed"), is_done=False)
    store.let_in("write", lambda: MemoryAuditStore.write(store, *_linked(store, theirs, [event(2)])))

    audit_log.append([event(2)])

    assert [number for _, _, number in stored(audit_log)] == [1, 2, 2]


def _linked(store: AuditStore, audit_log: AuditLog, events: list[Event]) -> tuple[Head, list[Row]]:
    rows, head = link(head_of(store, MONDAY), events, nonce=audit_log._new_nonce(), seals=SEALS)
    return head, rows


def test_a_store_that_cannot_be_read_is_not_asked_for_long() -> None:
    store = LossyAuditStore()
    audit_log = appending(store)
    store.asked.clear()
    store.lose("head", Unknown("x", "lost"), is_done=False, times=99)

    with pytest.raises(Unknown):
        audit_log.append([event(2)])

    assert store.asked == ["head", "head"]


def test_a_thread_that_hangs_does_not_hold_up_the_others_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coupa_core.audit_log.store._TURN_S", 0.01)
    audit_log = audit_log_on(MemoryAuditStore())

    with audit_log._turn:
        audit_log.append([event(1)])

    assert stored(audit_log) == [(MONDAY, 1, 1)]
    assert not audit_log._turn.locked()


def test_nobody_waits_for_a_thread_that_hangs_when_their_own_time_is_over() -> None:
    audit_log = audit_log_on(MemoryAuditStore())
    began_s = time.monotonic()

    with audit_log._turn, until(Deadline(SystemClock(), 0.0)):
        audit_log.append([event(1)])

    assert stored(audit_log) == [(MONDAY, 1, 1)]
    assert time.monotonic() - began_s < _TURN_S


def test_the_turn_is_given_back_after_a_failure() -> None:
    store = LossyAuditStore()
    audit_log = appending(store)
    store.lose("head", Malformed("x", "unreadable"), is_done=False)

    with pytest.raises(Malformed):
        audit_log.append([event(2)])

    assert not audit_log._turn.locked()


def test_the_pauses_between_races_are_short_and_differ() -> None:
    store = LossyAuditStore()
    clock = ManualClock()
    pauses: list[float] = []
    clock.sleep = pauses.append  # type: ignore[method-assign,assignment]
    audit_log = AuditLog(store, seals=SEALS, clock=clock, chance=random.Random(2), new_nonce=lambda: "n")
    store.lose("write", Conflict("x", "changed"), is_done=False, times=99)

    with pytest.raises(Conflict):
        audit_log.append([event(1)])

    assert len(set(pauses)) == len(pauses) == 23
    assert max(pauses) <= 0.3
    assert sum(pauses) < 5


# Required or not.


def test_what_can_be_stored_is_recorded_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    audit_log = audit_log_on(MemoryAuditStore())

    assert audit_log.record([event(1)], required=True)
    assert audit_log.record([event(2)], required=False)

    assert [number for _, _, number in stored(audit_log)] == [1, 2]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_what_is_required_and_cannot_be_stored_raises_and_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = LossyAuditStore()
    store.lose("head", Unknown("audit_503", "lost"), is_done=False, times=99)

    with pytest.raises(Unknown):
        audit_log_on(store).record([event(1)], required=True)

    assert caplog.records == []


def test_what_is_not_required_and_cannot_be_stored_is_in_the_log_as_a_whole(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = LossyAuditStore()
    store.lose("head", Unknown("audit_503", "lost"), is_done=False, times=99)

    assert not audit_log_on(store).record([full_event(), event(2, actor="a\nb")], required=False)

    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [line.count("\n") for line in lines] == [0, 0]
    assert [json.loads(line) for line in lines] == [
        {"audit_event_not_stored": "audit_503", "event": full_event().values()},
        {"audit_event_not_stored": "audit_503", "event": event(2, actor="a b").values()},
    ]


@pytest.mark.parametrize("required", [True, False])
def test_a_mistake_of_ours_is_not_taken_for_a_store_that_is_away(*, required: bool) -> None:
    with pytest.raises(AttributeError):
        audit_log_on(MemoryAuditStore()).record([None], required=required)  # type: ignore[list-item]


# Midnight. What any order of steps does is in proof/midnights.py.


def late_evening() -> ManualClock:
    """Return a clock that shows 23:59:59 on Monday."""
    clock = ManualClock()
    clock.advance(15 * 3600 - 1)
    return clock


def test_a_late_writer_does_not_append_to_a_day_that_was_followed(audit_store: AuditStore) -> None:
    """The late one has read Monday's head when the other begins Tuesday; it goes on after the other."""
    late, early = late_evening(), late_evening()
    early.advance(2)
    audit_log = audit_log_on(audit_store, clock=late)
    audit_log.append([event(1)])
    other = audit_log_on(audit_store, clock=early, writer="other")
    asked: list[date] = []

    def meanwhile(head: Head, _: object = ()) -> None:
        if not asked:
            asked.append(head.day)
            other.append([event(2)])

    before(audit_store, "write", meanwhile)
    audit_log.append([event(3)])

    assert asked == [MONDAY]
    assert stored(audit_log) == [(MONDAY, 1, 1), (TUESDAY, 1, 2), (TUESDAY, 2, 3)]
    assert audit_log.verify().broken is None


def test_a_day_that_was_named_and_never_begun_stays_empty(audit_store: AuditStore) -> None:
    clock = late_evening()
    audit_log_on(audit_store, clock=clock).append([event(1)])
    audit_store.write(SEALS.sealed(replace(head_of(audit_store, MONDAY), next=TUESDAY)))
    clock.advance(2 * DAY_S)

    audit_log_on(audit_store, clock=clock).append([event(2)])

    assert stored(audit_log_on(audit_store)) == [(MONDAY, 1, 1), (WEDNESDAY, 1, 2)]
    assert [day for day, _ in audit_store.heads()] == [WEDNESDAY, TUESDAY, MONDAY, ROOT]
    report = audit_log_on(audit_store).verify()
    assert (report.broken, report.days) == (None, 2)


# A record that is damaged where it should go on: a new seal must not hide it.


def test_nothing_is_appended_when_the_day_that_goes_on_has_vanished() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    del store.days[WEDNESDAY]

    with pytest.raises(Malformed) as caught:
        audit_log.append([event(9)])

    assert caught.value.code == "audit_broken"
    assert "2026-11-25" in str(caught.value)
    assert "AUDIT_TABLE" in str(caught.value)


def test_nothing_is_appended_when_the_day_before_has_vanished() -> None:
    store = MemoryAuditStore()
    clock = late_evening()
    audit_log_on(store, clock=clock).append([event(1)])
    clock.advance(2)
    store.write(SEALS.sealed(replace(head_of(store, MONDAY), next=TUESDAY)))
    store.write(SEALS.sealed(Head(day=TUESDAY, hash=head_of(store, MONDAY).hash, before=MONDAY)))
    del store.days[MONDAY]

    with pytest.raises(Malformed):
        audit_log_on(store, clock=clock).append([event(9)])


def test_nothing_is_appended_to_a_head_that_somebody_has_forged() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    head, rows = store.days[WEDNESDAY]
    assert head is not None
    store.days[WEDNESDAY] = replace(head, seq=3, hash=rows[3].hash), {each: rows[each] for each in (1, 2, 3)}

    with pytest.raises(Malformed):
        audit_log.append([event(9)])


def test_nothing_is_appended_to_a_day_whose_head_is_gone() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    store.days[WEDNESDAY] = None, store.days[WEDNESDAY][1]

    with pytest.raises(Malformed):
        audit_log.append([event(9)])


# The check, while others append.


def test_rows_that_are_appended_during_the_check_are_no_fault() -> None:
    store = LossyAuditStore()
    audit_log = appending(store)

    def meanwhile() -> None:
        audit_log.append([event(2), event(3)])
        store.let_in("head", lambda: audit_log.append([event(4)]))

    store.let_in("rows", meanwhile)

    report = audit_log.verify(since=MONDAY)

    assert (report.broken, report.rows) == (None, 4)


def test_a_day_that_is_begun_during_the_check_is_checked_too() -> None:
    store = LossyAuditStore()
    clock = late_evening()
    audit_log = audit_log_on(store, clock=clock)
    audit_log.append([event(1)])
    clock.advance(2)
    store.let_in("rows", lambda: audit_log.append([event(2)]))

    report = audit_log.verify(since=MONDAY)

    assert (report.broken, report.days, report.rows) == (None, 2, 2)


def test_a_head_that_vanishes_during_the_check_is_a_fault() -> None:
    store = LossyAuditStore()
    audit_log = appending(store)
    store.let_in("head", lambda: store.days.pop(MONDAY))

    report = audit_log.verify(since=MONDAY)

    assert str(report.broken) == "2026-11-23: head does not fit (the head is missing or cannot be read)"


# What is old is forgotten.


@pytest.mark.slow
def test_whole_days_that_are_older_are_purged_and_a_tombstone_says_how_many(
    audit_store: AuditStore,
) -> None:
    audit_log = fill(audit_store, [3, 5, 4, 2])  # it is Thursday
    tuesday = head_of(audit_store, TUESDAY)

    purged = audit_log.purge(keep_days=1)

    assert purged == 8
    assert [(day, seq) for day, seq, _ in stored(audit_log)] == [
        *((WEDNESDAY, seq) for seq in (1, 2, 3, 4)),
        *((THURSDAY, seq) for seq in (1, 2)),
    ]
    assert [day for day, _ in audit_store.heads()] == [THURSDAY, WEDNESDAY, TUESDAY]
    tombstone = head_of(audit_store, TUESDAY)
    assert (tombstone.purged, tombstone.hash) == (8, tuesday.hash)
    report = audit_log.verify()
    assert (report.broken, report.rows, report.purged) == (None, 6, tombstone)


def test_a_purge_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    audit_log = fill(MemoryAuditStore(), [3, 5, 4, 2])

    with caplog.at_level(logging.INFO):
        audit_log.purge(keep_days=1)
        audit_log.purge(keep_days=1)

    told = [message for message in caplog.messages if "purged" in message]
    assert told == ["audit purged=8 up to day=2026-11-24"]


@pytest.mark.slow
def test_a_later_purge_moves_the_tombstone_on(audit_store: AuditStore) -> None:
    audit_log = fill(audit_store, [3, 5, 4, 2])
    audit_log.purge(keep_days=2)
    assert head_of(audit_store, MONDAY).purged == 3

    assert audit_log.purge(keep_days=1) == 5
    assert audit_log.purge(keep_days=1) == 0

    assert audit_store.head(MONDAY) is None
    assert head_of(audit_store, TUESDAY).purged == 8
    assert audit_log.verify().broken is None


@pytest.mark.parametrize("keep_days", [0, 3, 2555, 36_500])
def test_nothing_younger_is_purged_and_with_0_nothing_at_all(audit_store: AuditStore, keep_days: int) -> None:
    audit_log = fill(audit_store, [3, 5, 4, 2])

    assert audit_log.purge(keep_days=keep_days) == 0

    assert len(stored(audit_log)) == 14
    assert audit_log.verify().purged is None


def test_an_empty_record_has_nothing_to_purge(audit_store: AuditStore) -> None:
    assert audit_log_on(audit_store).purge(keep_days=1) == 0


def test_the_last_day_is_never_purged_however_old(audit_store: AuditStore) -> None:
    """The next event hangs on it."""
    audit_log = fill(audit_store, [1, 1])
    audit_log._clock.sleep(400 * DAY_S)

    assert audit_log.purge(keep_days=30) == 1
    audit_log.append([event(9)])

    assert [number for _, _, number in stored(audit_log)] == [2, 9]
    assert audit_log.verify().broken is None


def test_a_purge_that_was_broken_off_is_finished_by_the_next_one() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4, 2])
    come_back = failing(store, "erase", Unknown("audit_503", "lost"))
    with pytest.raises(Unknown):
        audit_log.purge(keep_days=1)
    come_back()

    assert [day for day, _, _ in stored(audit_log)] == [WEDNESDAY] * 4 + [THURSDAY] * 2
    assert audit_log.verify().broken is None
    assert audit_log.purge(keep_days=1) == 8

    assert head_of(store, TUESDAY).purged == 8
    assert [day for day, _ in store.heads()] == [THURSDAY, WEDNESDAY, TUESDAY]


def test_a_purge_stops_at_its_deadline_and_the_next_one_goes_on() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4, 2])
    clock = ManualClock()
    deadline = Deadline(clock, 1)
    before(store, "erase", lambda *_, **__: clock.advance(0.6))

    assert audit_log.purge(keep_days=1, deadline=deadline) == 3  # the root, and Monday
    assert audit_log.verify().broken is None
    assert audit_log.purge(keep_days=1) == 5


def test_a_purged_day_is_told_from_one_that_was_deleted() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4, 2])
    for day in (ROOT, MONDAY, TUESDAY):
        del store.days[day]

    deleted = audit_log.verify().broken

    assert deleted is not None
    assert str(deleted) == "2026-11-24: removed (2026-11-25 says that this day was before it)"


def test_a_tombstone_that_is_gone_or_forged_is_found() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4, 2])
    audit_log.purge(keep_days=1)
    tombstone = head_of(store, TUESDAY)

    store.days[TUESDAY] = replace(tombstone, purged=7), {}
    forged = audit_log.verify()
    del store.days[TUESDAY]
    gone = audit_log.verify()

    assert str(forged.broken) == "2026-11-24: foreign seal (the seal of the head is not by key k1)"
    assert str(gone.broken) == "2026-11-24: removed (2026-11-25 says that this day was before it)"


def test_nobody_vouches_for_a_tombstone_by_an_unknown_key() -> None:
    """Whoever deletes old days and puts up a tombstone of their own does not get away with it."""
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4, 2])
    fake = Seals({"x": FOREIGN_KEY}).sealed(replace(head_of(store, TUESDAY), purged=8))
    store.days[TUESDAY] = fake, {}

    report = audit_log.verify()

    assert report.broken is None
    assert report.unknown_kids == {"x"}


def test_a_damaged_head_is_not_made_a_tombstone() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4, 2])
    store.days[TUESDAY] = replace(head_of(store, TUESDAY), seq=4), store.days[TUESDAY][1]

    with pytest.raises(Malformed):
        audit_log.purge(keep_days=1)

    assert len(store.days[MONDAY][1]) == 3


def test_an_old_day_without_a_head_is_purged_with_the_others() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4, 2])
    store.days[MONDAY] = None, store.days[MONDAY][1]

    assert audit_log.purge(keep_days=1) == 8
    assert head_of(store, TUESDAY).purged == 5


def test_rows_that_lie_in_a_purged_day_are_nobodys() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4, 2])
    rows = store.days[MONDAY][1]
    audit_log.purge(keep_days=2)
    store.days[MONDAY] = store.days[MONDAY][0], rows

    assert audit_log.verify().rows == 11
    assert next(day for day, _, _ in stored(audit_log)) == TUESDAY
    assert audit_log.purge(keep_days=2) == 3


# What is read back.


@pytest.mark.slow
def test_the_rows_of_some_days_are_read_and_no_others(audit_store: AuditStore) -> None:
    audit_log = fill(audit_store, [1, 2, 1, 1])

    assert stored(audit_log, since=TUESDAY, until=WEDNESDAY) == [
        *((TUESDAY, 1, 2), (TUESDAY, 2, 3), (WEDNESDAY, 1, 4))
    ]
    assert stored(audit_log, since=THURSDAY + timedelta(days=1)) == []


def test_the_rows_of_a_day_without_a_head_are_read_all_the_same() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store, [2, 1])
    store.days[MONDAY] = None, store.days[MONDAY][1]

    assert len(stored(audit_log)) == 3
