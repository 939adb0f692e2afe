"""One contract for both stores, and the ledger that makes them safe against races and lost answers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from ledger_contract import HOUR, NOW, LossyStore, at_once, full_row, ledger_on, put, row, told_of

from coupa_core.errors import Conflict, ServiceError, Unavailable, Unknown
from coupa_core.ledger import (
    Corrupt,
    Entry,
    Lease,
    Ledger,
    LedgerStore,
    MemoryStore,
    Note,
    State,
    Status,
    claimed,
    closed,
    decided,
    delivered,
    next_generation,
    sent,
)
from sandbox.clock import ManualClock

LEASE = Lease()
ERRORS = [Unknown("x", "lost"), Unavailable("x", "refused"), Conflict("x", "changed")]
BY_NAME = [pytest.param(error, id=type(error).__name__) for error in ERRORS]


# The contract of a store.


def test_a_row_is_inserted_only_when_there_is_none(store: LedgerStore) -> None:
    etag = store.insert(row(cause="first"))

    with pytest.raises(Conflict):
        store.insert(row(cause="second"))

    stored = store.read(7)
    assert stored == row(cause="first")
    assert stored is not None
    assert stored.etag == etag


def test_a_row_is_replaced_only_with_the_current_etag(store: LedgerStore) -> None:
    old = store.insert(row())
    new = store.replace(row(cause="second", etag=old))

    with pytest.raises(Conflict):
        store.replace(row(cause="third", etag=old))

    assert old != new
    assert store.read(7) == row(cause="second")
    assert store.replace(row(cause="fourth", etag=new)) != new


def test_a_row_that_is_not_there_cannot_be_replaced(store: LedgerStore) -> None:
    old = store.insert(row(8))

    with pytest.raises(Conflict):
        store.replace(row(9, etag=old))

    assert store.read(9) is None


def test_a_replaced_row_forgets_what_the_new_one_leaves_out(store: LedgerStore) -> None:
    etag = store.insert(full_row())

    store.replace(row(etag=etag))

    assert store.read(7) == row()


def test_what_was_never_stored_is_none(store: LedgerStore) -> None:
    assert store.read(7) is None
    assert store.read_closed(7) is None
    assert store.open_entries().entries == []
    assert store.purge_closed(NOW) == 0


def test_an_archived_row_moves_to_the_closed_ones(store: LedgerStore) -> None:
    etag = store.insert(full_row())

    store.archive(closed(replace(full_row(), etag=etag), cause="gone", now=NOW))

    assert store.read(7) is None
    assert store.open_entries().entries == []
    assert store.read_closed(7) == closed(full_row(), cause="gone", now=NOW)


def test_a_row_that_changed_meanwhile_is_not_archived(store: LedgerStore) -> None:
    old = store.insert(row())
    store.replace(row(cause="newer", etag=old))

    with pytest.raises(Conflict):
        store.archive(row(state=State.CLOSED, etag=old))

    assert store.read(7) == row(cause="newer")


def test_a_row_can_be_archived_again_in_a_later_round(store: LedgerStore) -> None:
    store.archive(row(etag=store.insert(row())))
    store.archive(row(generation=1, etag=store.insert(row(generation=1))))

    assert store.read_closed(7) == row(generation=1)


def test_a_row_with_every_field_set_comes_back_as_it_was(store: LedgerStore) -> None:
    defaults = {each.name: each.default for each in fields(Entry)}
    unset = [name for name, value in vars(full_row()).items() if value == defaults[name] and name != "etag"]
    assert unset == []

    store.insert(full_row())

    stored = store.read(7)
    assert stored == full_row()
    assert store.open_entries().entries == [full_row()]
    assert stored is not None
    assert stored.lease_until is not None
    assert stored.lease_until.utcoffset() == timedelta(hours=5, minutes=45)


def test_a_row_with_every_field_at_its_default_comes_back_as_it_was(store: LedgerStore) -> None:
    store.insert(row(nonce=""))

    assert store.read(7) == row(nonce="")


def test_an_approval_id_may_have_nineteen_digits(store: LedgerStore) -> None:
    number = 9_223_372_036_854_775_807
    store.insert(row(number))

    stored = store.read(number)

    assert stored is not None
    assert stored.approval_id == number


def test_open_rows_come_in_the_order_of_ids_and_without_closed_ones(store: LedgerStore) -> None:
    for number in (10, 9, 100, 2):
        store.insert(row(number))
    store.archive(row(11, etag=store.insert(row(11))))

    opened = store.open_entries()

    assert [each.approval_id for each in opened.entries] == [2, 9, 10, 100]
    assert opened.corrupt == []
    assert all(each.etag for each in opened.entries)


@pytest.mark.slow
def test_more_rows_than_one_page_all_come_back(store: LedgerStore) -> None:
    put(store, [row(number) for number in range(1, 1101)])

    assert [each.approval_id for each in store.open_entries().entries] == list(range(1, 1101))


def test_the_rows_that_were_closed_in_a_time_are_found(store: LedgerStore) -> None:
    times = {1: NOW - HOUR, 2: NOW, 3: NOW + HOUR, 4: None}
    put(store, [row(number, closed_at=time) for number, time in times.items()], are_closed=True)
    put(store, [row(5)])

    found = store.closed_entries(since=NOW, until=NOW + HOUR)

    assert [(each.approval_id, each.closed_at) for each in found] == [(2, NOW)]


@pytest.mark.slow
def test_a_purge_deletes_exactly_the_older_closed_rows(store: LedgerStore) -> None:
    old = [row(number, closed_at=NOW - timedelta(microseconds=number)) for number in range(1, 251)]
    young = [row(number, closed_at=NOW + timedelta(seconds=number - 300)) for number in range(300, 305)]
    put(store, old + young, are_closed=True)
    store.insert(row(999, closed_at=NOW - HOUR))

    purged = store.purge_closed(NOW)

    assert purged == 250
    assert [number for number in range(1, 305) if store.read_closed(number)] == list(range(300, 305))
    assert store.read(999) is not None
    assert store.purge_closed(NOW) == 0


def test_without_a_sweep_the_status_is_empty(store: LedgerStore) -> None:
    assert store.status() == Status()


def test_a_status_with_every_field_set_comes_back_as_it_was(store: LedgerStore) -> None:
    status = Status(
        last_complete_at=NOW,
        last_sweep_at=NOW + timedelta(microseconds=5),
        paused_until=NOW + HOUR,
        suspect=True,
        edits_known_until=NOW,
        purged_at=NOW - HOUR,
        first_run=True,
        counts={"sent": 3, "größer": 0},
        failure="ledger_503",
        version="0.2.0+abc",
        last_began_at=NOW - HOUR,
    )
    store.save_status(Status(failure="older"))

    store.save_status(status)

    assert store.status() == status


def test_a_note_that_is_not_there_is_empty(store: LedgerStore) -> None:
    assert store.note("rate") == Note()


def test_a_note_is_written_over_the_one_that_was_read_and_over_no_other(store: LedgerStore) -> None:
    store.save_note("rate", Note("one"))
    first = store.note("rate")
    second = store.save_note("rate", replace(first, text="two"))

    for stale in (first, Note("three")):
        with pytest.raises(Conflict):
            store.save_note("rate", replace(stale, text="three"))

    assert store.note("rate") == Note("two", second)
    assert store.note("other") == Note()


def test_a_rate_is_shared_and_never_exceeded_by_many_at_once(store: LedgerStore) -> None:
    taken = at_once(8, lambda _: ledger_on(store).take("rate", 1, limit=3, window_s=60, now=NOW))

    assert 1 <= sum(each is True for each in taken) <= 3
    rest = [ledger_on(store).take("rate", 1, limit=3, window_s=60, now=NOW) for _ in range(4)]
    assert sum(each is True for each in taken) + sum(rest) == 3
    assert ledger_on(store).take("rate", 3, limit=3, window_s=60, now=NOW + timedelta(seconds=60))


def words_on(store: LedgerStore) -> Ledger:
    """Return a ledger of another process, whose nonces are its own."""
    return Ledger(store, new_nonce=lambda: uuid4().hex)


def taken_by(store: LedgerStore, *words: str, now: datetime = NOW) -> bool:
    """Take words for an hour, however often others are quicker."""
    while True:
        with suppress(Conflict):
            return words_on(store).take_words("asked", dict.fromkeys(words, now + HOUR), now=now)


def test_of_many_at_once_one_has_a_word_and_all_have_different_ones(store: LedgerStore) -> None:
    assert at_once(6, lambda _: taken_by(store, "same")).count(True) == 1
    assert at_once(4, lambda number: taken_by(store, f"word{number}")) == [True] * 4


class LostNotes(MemoryStore):
    """A store that writes a note and does not answer, once."""

    loses = True

    def save_note(self, name: str, note: Note) -> str:
        etag = super().save_note(name, note)
        if self.loses:
            self.loses = False
            raise Unknown("ledger_lost", "no answer")
        return etag


def test_a_word_whose_taking_was_not_answered_is_known_as_our_own() -> None:
    store = LostNotes()

    assert taken_by(store, "a")
    assert not store.loses
    assert not taken_by(store, "a")


def test_words_are_taken_all_or_none_until_they_are_given_back_or_their_time_has_come(
    store: LedgerStore,
) -> None:
    assert taken_by(store, "a", "b")
    assert not taken_by(store, "b", "c")
    assert taken_by(store, "c")
    words_on(store).give_back("asked", ["a", "b", "never"])
    assert taken_by(store, "b")
    assert not taken_by(store, "c")
    assert taken_by(store, "b", "c", now=NOW + HOUR)
    assert store.note("asked").text.count(":") == 2 * len(("b", "c"))


def test_a_note_of_words_stays_short_and_what_cannot_be_read_in_it_is_not_taken(store: LedgerStore) -> None:
    store.save_note("asked", Note("a a:b a:x:y a:1:2:3"))
    many = {f"{number:022}": NOW + timedelta(seconds=number) for number in range(1, 400)}

    assert taken_by(store, "a")
    assert words_on(store).take_words("asked", many, now=NOW)
    assert len(store.note("asked").text) < 30_000
    assert not taken_by(store, f"{399:022}")


def test_an_empty_status_replaces_a_full_one(store: LedgerStore) -> None:
    store.save_status(Status(failure="older", last_sweep_at=NOW))

    store.save_status(Status())

    assert store.status() == Status()


def test_setting_aside_what_is_not_there_does_nothing(store: LedgerStore) -> None:
    store.insert(row(8))

    store.set_aside(Corrupt("7", "no state"))

    assert store.read(8) == row(8)


@pytest.mark.slow
def test_of_64_that_insert_the_same_row_exactly_one_wins(store: LedgerStore) -> None:
    results = at_once(64, lambda index: store.insert(row(nonce=str(index))))

    won = [index for index, result in enumerate(results) if isinstance(result, str)]
    stored = store.read(7)
    assert len(won) == 1
    assert stored is not None
    assert stored.nonce == str(won[0])
    assert sum(isinstance(result, Conflict) for result in results) == 63


@pytest.mark.slow
def test_of_64_that_replace_the_same_row_exactly_one_wins(store: LedgerStore) -> None:
    etag = store.insert(row())

    results = at_once(64, lambda index: store.replace(row(nonce=str(index), etag=etag)))

    won = [index for index, result in enumerate(results) if isinstance(result, str)]
    stored = store.read(7)
    assert len(won) == 1
    assert stored is not None
    assert stored.nonce == str(won[0])
    assert sum(isinstance(result, Conflict) for result in results) == 63


# The ledger on top: claims.


def test_of_16_that_claim_a_new_approval_exactly_one_gets_it(store: LedgerStore) -> None:
    ledger = ledger_on(store)

    results = at_once(16, lambda _: ledger.claim(None, approval_id=7, now=NOW, lease=LEASE))

    won = [result for result in results if isinstance(result, Entry)]
    assert len(won) == 1
    assert won == [store.read(7)]
    assert results.count(None) == 15


def test_of_16_that_take_over_an_expired_claim_exactly_one_gets_it(store: LedgerStore) -> None:
    ledger = ledger_on(store)
    left = ledger.claim(None, approval_id=7, now=NOW, lease=LEASE)

    results = at_once(16, lambda _: ledger.claim(left, approval_id=7, now=NOW + HOUR, lease=LEASE))

    won = [result for result in results if isinstance(result, Entry)]
    assert len(won) == 1
    assert won == [store.read(7)]
    assert won[0].uncertain == 1
    assert results.count(None) == 15


def test_a_claim_holds_until_its_lease_and_the_skew_are_over(store: LedgerStore) -> None:
    clock = ManualClock()
    ledger = ledger_on(store)
    held = ledger.claim(None, approval_id=7, now=clock.now(), lease=LEASE)

    clock.advance(149.999)
    early = ledger.claim(store.read(7), approval_id=7, now=clock.now(), lease=LEASE)
    clock.advance(0.001)
    late = ledger.claim(store.read(7), approval_id=7, now=clock.now(), lease=LEASE)

    assert held is not None
    assert held.uncertain == 0
    assert early is None
    assert late is not None
    assert late.uncertain == 1
    assert late.lease_until == clock.now() + timedelta(seconds=120)


def test_the_first_claim_of_an_approval_counts_nothing(store: LedgerStore) -> None:
    entry = ledger_on(store).claim(None, approval_id=7, now=NOW, lease=LEASE)

    assert entry == Entry(
        approval_id=7,
        state=State.CLAIMED,
        nonce="nonce-1",
        attempted_at=NOW,
        lease_until=NOW + timedelta(seconds=120),
    )
    assert entry.etag


def test_an_approval_that_comes_back_begins_in_the_next_round(store: LedgerStore) -> None:
    ledger = ledger_on(store)
    first = ledger.claim(None, approval_id=7, now=NOW, lease=LEASE)
    assert first is not None
    marked = ledger.commit(sent(delivered(first, person="user:1", version="v1", to="user:1", now=NOW)))
    assert marked is not None
    done = ledger.commit(decided(marked, decision="reject", by="a@example.com", now=NOW))
    assert done is not None
    assert ledger.close(done, cause="gone", now=NOW)

    again = ledger.claim(None, approval_id=7, now=NOW + HOUR, lease=LEASE)

    assert again is not None
    assert (again.generation, again.decision, again.decided_by, again.closed_at) == (1, "", "", None)
    assert (again.told, again.sent_to) == (told_of("v1", to="user:1", at=NOW), "user:1")
    assert again.uncertain == 0
    assert store.read(7) == again


def test_an_approval_is_offered_in_the_round_in_which_it_would_begin(store: LedgerStore) -> None:
    ledger = ledger_on(store)

    assert ledger.current_row(7).generation == 0
    etag = store.insert(row(generation=2))
    assert ledger.current_row(7).generation == 2
    etag = store.replace(row(generation=2, decision="approve", etag=etag))
    assert ledger.current_row(7) == next_generation(row(generation=2, decision="approve"))
    store.archive(row(generation=2, etag=etag))
    assert ledger.current_row(7).generation == 3
    assert ledger.current_row(7).etag == ""


def test_closing_a_row_that_changed_meanwhile_is_left_to_the_next_sweep(store: LedgerStore) -> None:
    ledger = ledger_on(store)
    old = store.insert(row())
    store.replace(row(cause="newer", etag=old))

    assert not ledger.close(row(etag=old), cause="gone", now=NOW)

    assert store.read(7) == row(cause="newer")


def test_every_write_has_a_nonce_of_its_own(store: LedgerStore) -> None:
    ledger = ledger_on(store)

    first = ledger.commit(row())
    assert first is not None
    second = ledger.commit(first)
    assert second is not None
    ledger.close(second, cause="gone", now=NOW)

    gone = store.read_closed(7)
    assert gone is not None
    assert [first.nonce, second.nonce, gone.nonce] == ["nonce-1", "nonce-2", "nonce-3"]


# The ledger on top: lost answers.


@pytest.mark.parametrize("error", BY_NAME)
@pytest.mark.parametrize("method", ["insert", "replace"])
def test_our_own_write_is_known_again_when_its_answer_is_lost(method: str, error: ServiceError) -> None:
    store = LossyStore()
    etag = store.insert(row()) if method == "replace" else ""
    store.asked.clear()
    store.lose(method, error, is_done=True)

    stored = ledger_on(store).commit(row(cause="ours", etag=etag))

    assert stored is not None
    assert stored == store.read(7)
    assert (stored.cause, stored.nonce) == ("ours", "nonce-1")
    assert stored.etag not in ("", etag)
    assert store.asked[:2] == [method, "read"]
    assert store.asked.count(method) == 1


@pytest.mark.parametrize("error", [ERRORS[0], ERRORS[1]], ids=["Unknown", "Unavailable"])
def test_closing_says_when_its_answer_is_lost_and_may_be_repeated(error: ServiceError) -> None:
    store = LossyStore()
    entry = row(etag=store.insert(row()))
    store.lose("archive", error, is_done=True)

    with pytest.raises(type(error)):
        ledger_on(store).close(entry, cause="gone", now=NOW)

    assert store.read(7) is None
    assert store.read_closed(7) is not None


def test_a_closing_answered_with_a_conflict_is_taken_for_somebody_elses_write() -> None:
    store = LossyStore()
    entry = row(etag=store.insert(row()))
    store.lose("archive", Conflict("x", "changed"), is_done=True)

    assert not ledger_on(store).close(entry, cause="gone", now=NOW)
    assert store.read_closed(7) is not None


@pytest.mark.parametrize("error", BY_NAME)
@pytest.mark.parametrize("method", ["insert", "replace"])
def test_a_write_that_did_not_happen_is_tried_again(method: str, error: ServiceError) -> None:
    store = LossyStore()
    etag = store.insert(row()) if method == "replace" else ""
    store.asked.clear()
    store.lose(method, error, is_done=False, times=2)

    stored = ledger_on(store).commit(row(cause="ours", etag=etag))

    assert stored is not None
    assert stored == store.read(7)
    assert store.asked.count(method) == 3


@pytest.mark.parametrize("error", BY_NAME)
@pytest.mark.parametrize("method", ["insert", "replace"])
def test_a_write_that_never_happens_raises_after_three_tries(method: str, error: ServiceError) -> None:
    store = LossyStore()
    etag = store.insert(row()) if method == "replace" else ""
    store.asked.clear()
    store.lose(method, error, is_done=False, times=99)

    with pytest.raises(type(error)):
        ledger_on(store).commit(row(cause="ours", etag=etag))

    assert store.asked.count(method) == 3
    assert store.read(7) == (row() if etag else None)


@pytest.mark.parametrize("error", BY_NAME)
@pytest.mark.parametrize("method", ["insert", "replace"])
def test_somebody_elses_write_in_between_is_never_overwritten(method: str, error: ServiceError) -> None:
    store = LossyStore()
    theirs = ledger_on(store)
    etag = store.insert(row()) if method == "replace" else ""
    store.let_in(method, lambda: theirs.commit(row(cause="theirs", nonce="t", etag=etag)))
    store.lose(method, error, is_done=False)
    ours = ledger_on(store)
    ours._new_nonce = lambda: "ours"

    assert ours.commit(row(cause="ours", etag=etag)) is None

    stored = store.read(7)
    assert stored is not None
    assert stored.cause == "theirs"


def test_a_row_that_vanished_is_not_made_anew() -> None:
    store = MemoryStore()
    entry = row(etag=store.insert(row()))
    store.archive(entry)

    assert ledger_on(store).commit(entry) is None
    assert store.read(7) is None


@pytest.mark.parametrize("error", BY_NAME)
def test_reading_back_that_fails_raises(error: ServiceError) -> None:
    store = LossyStore()
    store.lose("insert", Unknown("x", "lost"), is_done=True)
    store.lose("read", error, is_done=False)

    with pytest.raises(type(error)):
        ledger_on(store).commit(row())


def test_a_claim_whose_answer_was_lost_is_ours() -> None:
    lossy = LossyStore()
    lossy.lose("insert", Unknown("x", "lost"), is_done=True)

    entry = ledger_on(lossy).claim(None, approval_id=7, now=NOW, lease=LEASE)

    assert entry is not None
    assert entry.uncertain == 0
    assert entry == replace(claimed(row(state=State.RETRY), now=NOW, lease=LEASE), nonce="nonce-1")
