"""Keys of the audit log that come and go: the rows that each key proves, and the rows without proof.

An attacker here may write anything to the table and has no key; an operator has the keys and may lose one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from audit_log_contract import (
    DAY_S,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    audit_log_on,
    event,
    fill,
    head_of,
    put,
    rewrite,
    silently,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from coupa_core.audit.anchors import read_anchors
from coupa_core.audit_log import (
    ROOT,
    AuditLog,
    AuditStore,
    Head,
    MemoryAuditStore,
    Seals,
)
from coupa_core.errors import Malformed
from sandbox.clock import ManualClock

OLD, NEW, NEWER = (
    f"the {name} key, of thirty-two bytes or more".encode() for name in ("old", "new", "newer")
)


def verdict(store: AuditStore, keys: Mapping[str, bytes], *retired: str) -> set[str]:
    """Return the keys for whose seals nobody vouches, of a record that is not broken otherwise."""
    report = audit_log_on(store, keys=keys).verify(retired=retired)
    assert report.broken is None
    return report.unknown_kids


def refused(audit_log: AuditLog) -> Malformed:
    with pytest.raises(Malformed) as caught:
        audit_log.append([event(99)])
    return caught.value


# A seal by an unknown key.


@pytest.mark.slow
def test_a_record_that_a_stranger_made_anew_stays_doubted_whatever_happens_next(
    audit_store: AuditStore,
) -> None:
    audit_log = fill(audit_store)
    rewrite(audit_store, kid="k0", actor="mallory@example.com")
    assert audit_log.verify().unknown_kids == {"k0"}

    assert refused(audit_log).code == "audit_foreign"
    audit_log._clock.sleep(DAY_S)
    assert refused(audit_log).code == "audit_foreign"

    assert audit_log.verify().unknown_kids == {"k0"}
    assert head_of(audit_store, WEDNESDAY).kid == "k0"


@pytest.mark.parametrize("follows", ["k0", "k1", "old"])
def test_a_stranger_cannot_vouch_for_a_stranger(follows: str) -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    rewrite(store, kid="k0", actor="mallory@example.com", follows=follows)

    assert audit_log.verify(retired=["k0"]).unknown_kids == {"k0"}


def test_what_is_refused_tells_an_operator_which_key_and_what_to_do() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    rewrite(store, kid="k0\naudit day=2026-11-25", actor="mallory@example.com")

    said = str(refused(audit_log))

    assert "a seal by key k0 audit day=2026-11-25, which is not known here" in said
    assert "put it back behind the first one" in said
    assert "name another in AUDIT_TABLE" in said
    assert said.isprintable()


def foreign_last_head(store: MemoryAuditStore) -> None:
    put(store, replace(head_of(store, WEDNESDAY), kid="k0", seal="00"), list(store.rows(WEDNESDAY)))


def foreign_middle_head(store: MemoryAuditStore) -> None:
    put(store, replace(head_of(store, TUESDAY), kid="k0", seal="00"), list(store.rows(TUESDAY)))


def foreign_empty_day(store: MemoryAuditStore) -> None:
    last = head_of(store, WEDNESDAY)
    put(store, replace(last, kid="k0", seal="00", next=THURSDAY), list(store.rows(WEDNESDAY)))
    put(store, Head(day=THURSDAY, hash=last.hash, before=WEDNESDAY, kid="k0", seal="00"), [])


def foreign_purge(store: MemoryAuditStore) -> None:
    for day in (ROOT, MONDAY):
        del store.days[day]
    put(store, replace(head_of(store, TUESDAY), purged=8, kid="k0", seal="00"), [])


@pytest.mark.parametrize("tamper", [foreign_last_head, foreign_middle_head, foreign_empty_day, foreign_purge])
def test_one_head_by_an_unknown_key_is_enough_for_doubt(tamper: Callable[[MemoryAuditStore], None]) -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    tamper(store)

    report = audit_log.verify()

    assert report.broken is None
    assert report.unknown_kids == {"k0"}


@pytest.mark.parametrize("tamper", [foreign_last_head, foreign_empty_day])
def test_nothing_is_built_on_an_end_by_an_unknown_key(tamper: Callable[[MemoryAuditStore], None]) -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    tamper(store)
    before = dict(store.days)

    assert refused(audit_log).code == "audit_foreign"
    assert store.days == before


def test_a_head_of_another_day_is_none() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    head, rows = store.days[TUESDAY]
    assert head is not None
    store.days[WEDNESDAY] = replace(head, next=None), rows

    assert refused(audit_log).code == "audit_broken"
    assert str(audit_log.verify().broken) == (
        "2026-11-25: head does not fit (the head is missing or cannot be read)"
    )


def test_an_end_by_an_unknown_key_is_doubted_also_where_its_rows_are_not_read() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    foreign_last_head(store)

    assert audit_log.verify(until=MONDAY).unknown_kids == {"k0"}


# Keys that rotate.


def rotate(store: AuditStore, keys: Mapping[str, bytes], *, days: float = 1, events: int = 2) -> AuditLog:
    """Append some events so many days after Monday, with those keys."""
    clock = ManualClock()
    clock.advance(days * DAY_S)
    audit_log = audit_log_on(store, clock=clock, keys=keys, writer=next(iter(keys)))
    if events:
        audit_log.append([event(each) for each in range(events)])
    return audit_log


def test_the_first_row_by_a_new_key_says_which_key_it_follows(audit_store: AuditStore) -> None:
    fill(audit_store, [2], keys={"old": OLD})

    rotate(audit_store, {"new": NEW, "old": OLD})

    assert [row.values().get("follows") for row in audit_store.rows(TUESDAY)] == ["old", None]
    assert all("follows" not in row.values() for row in audit_store.rows(MONDAY))


@pytest.mark.slow
def test_a_key_can_be_dropped_as_soon_as_something_was_recorded_since(audit_store: AuditStore) -> None:
    fill(audit_store, [2, 3], keys={"old": OLD})
    rotate(audit_store, {"new": NEW, "old": OLD}, events=1)

    audit_log = rotate(audit_store, {"new": NEW}, days=2)

    report = audit_log.verify()
    assert (report.broken, report.unknown_kids) == (None, set())
    assert (report.rows, report.unsealed) == (8, 5)


@pytest.mark.slow
def test_a_key_that_was_dropped_too_early_is_put_back_and_all_is_well(audit_store: AuditStore) -> None:
    fill(audit_store, [2], keys={"old": OLD})

    assert refused(rotate(audit_store, {"new": NEW}, events=0)).code == "audit_foreign"
    assert verdict(audit_store, {"new": NEW}) == {"old"}

    rotate(audit_store, {"new": NEW, "old": OLD})
    rotate(audit_store, {"new": NEW})

    assert verdict(audit_store, {"new": NEW}) == set()


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_key_that_rotates_in_the_middle_of_a_midnight_is_followed(steps: int) -> None:
    """The one with the old key dies after one of the steps by which a day begins."""
    store = MemoryAuditStore()
    fill(store, [2], keys={"old": OLD})
    seals = Seals({"old": OLD})
    monday = head_of(store, MONDAY)
    begin: list[Callable[[], Head]] = [
        lambda: store.write(seals.resealed(replace(monday, next=TUESDAY))),
        lambda: store.write(seals.resealed(Head(day=TUESDAY, hash=monday.hash, before=MONDAY))),
        lambda: store.write(seals.resealed(replace(head_of(store, MONDAY), is_followed=True))),
    ]
    for step in begin[:steps]:
        step()

    rotate(store, {"new": NEW, "old": OLD})

    assert next(store.rows(TUESDAY)).values()["follows"] == "old"
    assert verdict(store, {"new": NEW}) == set()


def test_an_instance_that_does_not_know_the_new_key_yet_records_nothing_and_breaks_nothing() -> None:
    store = MemoryAuditStore()
    fill(store, [2], keys={"old": OLD})
    rotate(store, {"new": NEW, "old": OLD}, days=0)

    assert refused(rotate(store, {"old": OLD}, days=0, events=0)).code == "audit_foreign"
    assert verdict(store, {"new": NEW, "old": OLD}) == set()


# A record of an earlier version, which did not say what it went on after.


def test_a_later_seal_alone_vouches_for_nothing_and_the_operator_may() -> None:
    store = MemoryAuditStore()
    silently(store, before={"old": OLD}, after={"new": NEW})

    assert verdict(store, {"new": NEW, "old": OLD}) == set()
    assert verdict(store, {"new": NEW}) == {"old"}
    assert verdict(store, {"new": NEW}, "old") == set()
    assert verdict(store, {"new": NEW}, "another") == {"old"}


def test_a_head_that_another_key_than_its_rows_sealed_is_doubted_until_it_is_named() -> None:
    store = MemoryAuditStore()
    silently(store, before={"old": OLD}, after={"new": NEW})
    rotate(store, {"newer": NEWER, "new": NEW}, days=2)

    assert verdict(store, {"newer": NEWER, "old": OLD}) == {"new"}
    assert verdict(store, {"newer": NEWER, "old": OLD}, "new") == set()


def test_naming_a_key_as_retired_vouches_for_no_end_and_for_no_purge() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store)
    rewrite(store, kid="old", actor="mallory@example.com")
    assert audit_log.verify(retired=["old"]).unknown_kids == {"old"}

    other = MemoryAuditStore()
    audit_log = fill(other)
    foreign_purge(other)
    assert audit_log.verify(retired=["k0"]).unknown_kids == {"k0"}


# What is purged.


def test_what_an_old_key_said_of_a_purge_is_sealed_anew_while_it_is_known() -> None:
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4], keys={"old": OLD})
    audit_log.purge(keep_days=1)
    audit_log = rotate(store, {"new": NEW, "old": OLD}, days=2)

    assert audit_log.purge(keep_days=1) == 0

    assert (head_of(store, MONDAY).kid, head_of(store, MONDAY).purged) == ("new", 3)
    assert verdict(store, {"new": NEW}) == set()


def test_days_whose_key_is_gone_are_purged_with_the_first_day_whose_key_is_not() -> None:
    store = MemoryAuditStore()
    fill(store, [3, 5], keys={"old": OLD})
    rotate(store, {"new": NEW, "old": OLD}, days=2)
    audit_log = rotate(store, {"new": NEW}, days=3)

    assert audit_log.purge(keep_days=1) == 0
    audit_log._clock.sleep(DAY_S)
    assert audit_log.purge(keep_days=1) == 10

    assert head_of(store, WEDNESDAY).purged == 10
    assert verdict(store, {"new": NEW}) == set()


def test_a_purge_makes_no_good_end_of_a_strangers_head() -> None:
    """Were it sealed anew, everything after it could be deleted, and the record would go on from there."""
    store = MemoryAuditStore()
    audit_log = fill(store, [3, 5, 4])
    audit_log._clock.sleep(30 * DAY_S)
    for day in (TUESDAY, WEDNESDAY):
        del store.days[day]
    foreign = replace(head_of(store, MONDAY), next=TUESDAY, is_followed=False, kid="k0", seal="00")
    put(store, foreign, list(store.rows(MONDAY)))

    assert audit_log.purge(keep_days=1) == 0

    assert refused(audit_log).code == "audit_foreign"
    assert audit_log.verify().unknown_kids == {"k0"}


# Any history of keys, honest or not.

POOL = {"a": OLD, "b": NEW, "c": NEWER}
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(POOL)), st.integers(1, 3), st.sampled_from([0.0, 0.3, 1.0, 2.0])),
    min_size=1,
    max_size=6,
)


def history(steps: list[tuple[str, int, float]]) -> MemoryAuditStore:
    """Append with one first key after the other; each knows the one before it."""
    store, clock, before = MemoryAuditStore(), ManualClock(), steps[0][0]
    for number, (kid, size, days) in enumerate(steps):
        clock.advance(days * DAY_S)
        keys = {kid: POOL[kid], before: POOL[before]}
        audit_log = audit_log_on(store, clock=clock, keys=keys, writer=f"w{number}")
        audit_log.append([event(each) for each in range(size)])
        before = kid
    return store


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(STEPS)
def test_whoever_has_the_last_key_can_check_every_honest_history(steps: list[tuple[str, int, float]]) -> None:
    last = steps[-1][0]

    assert verdict(history(steps), {last: POOL[last]}) == set()


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(steps=STEPS, kid=st.sampled_from(["k0", *POOL]), is_retired=st.booleans(), later=st.integers(0, 3))
def test_no_history_that_a_stranger_made_anew_is_ever_called_well(
    *, steps: list[tuple[str, int, float]], kid: str, is_retired: bool, later: int
) -> None:
    store = history(steps)
    last = steps[-1][0]
    keys = {last: POOL[last]}
    rewrite(store, kid=kid, actor="mallory@example.com", follows=last)
    clock = ManualClock()
    clock.advance(20 * DAY_S)
    audit_log = audit_log_on(store, clock=clock, keys=keys, writer="later")
    for _ in range(later):
        refused(audit_log)
        clock.advance(DAY_S)

    report = audit_log.verify(retired=[kid] if is_retired else [])

    assert report.broken or report.unknown_kids == {kid}


# Anchors from the log.


def anchored(caplog: pytest.LogCaptureFixture) -> dict[tuple[date, int], set[str]]:
    """Return what the log says of the appends so far."""
    return dict(read_anchors(record.getMessage() for record in caplog.records))


def test_what_was_noted_twice_of_one_place_cannot_both_be_true(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryAuditStore()
    with caplog.at_level(logging.INFO, logger="coupa_core"):
        audit_log = fill(store, [2])
        head, rows = store.days[MONDAY]
        audit_log.append([event(8)])
        store.days[MONDAY] = head, rows
        audit_log.append([event(9)])

    report = audit_log.verify(anchors=anchored(caplog))

    assert report.broken is not None
    assert str(report.broken).startswith("2026-11-23, row 3: not what was noted")


def test_anchors_of_days_that_are_not_read_or_were_purged_are_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryAuditStore()
    with caplog.at_level(logging.INFO, logger="coupa_core"):
        audit_log = fill(store, [3, 5, 4])
    anchors = anchored(caplog)
    gone = {(WEDNESDAY + timedelta(days=3), 1): {"ab"}}

    assert audit_log.verify(until=TUESDAY, anchors=anchors | gone).anchored == 2
    assert audit_log.verify(since=TUESDAY, anchors=anchors).anchored == 2
    assert audit_log.verify(anchors=gone).broken is not None
    audit_log.purge(keep_days=1)
    report = audit_log.verify(anchors=anchors)
    assert (report.broken, report.anchored) == (None, 2)


def test_a_whole_record_that_was_deleted_is_found_by_the_anchors() -> None:
    report = audit_log_on(MemoryAuditStore()).verify(anchors={(MONDAY, 2): {"ab" * 32}})

    assert str(report.broken) == "2026-11-23, row 2: removed (it was noted outside of the store: set back)"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("audit day=2026-11-23 seq=2 hash=" + "ab" * 32, 1),
        ('"2026-11-23T09:00:00Z","audit day=2026-11-23 seq=2 hash=' + "ab" * 32 + ' prev=00"', 1),
        ("audit day=2026-11-33 seq=2 hash=" + "ab" * 32, 0),
        ("audit day=2026-11-23 seq=2 hash=" + "ab" * 33, 0),
        ("audit purged=3 up to day=2026-11-23", 0),
        ("", 0),
    ],
)
def test_anchors_are_found_in_lines_of_any_form(line: str, found: int) -> None:
    assert len(read_anchors([line])) == found
