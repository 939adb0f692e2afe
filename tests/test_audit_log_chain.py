"""The chain: the contents of a row and a head; every single change by a stranger is found."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from audit_log_contract import (
    DAY_S,
    FOREIGN_KEY,
    KEYS,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    audit_log_on,
    event,
    fill,
    forged,
    found,
    head_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from coupa_core.audit_log import (
    GENESIS,
    ROOT,
    AuditLog,
    Check,
    Fault,
    Head,
    MemoryAuditStore,
    Row,
    Seals,
    derived,
    link,
    read_head,
)
from sandbox.clock import ManualClock

SEALS = Seals(KEYS)
OLD, NEW = b"an old key of thirty-two bytes or so", b"a new key of thirty-two bytes or so"


# What is stored.


def test_a_row_carries_the_hash_of_the_one_before_and_a_seal_that_needs_the_key() -> None:
    head = Head(day=MONDAY, hash="0" * 64, before=ROOT)

    [first, second], after = link(head, [event(1), event(2)], nonce="n", seals=SEALS)

    text = (
        '{"day":"2026-11-23","event":{"approval_id":2,"at":"2026-11-23T09:00:00+00:00","generation":0,'
        '"kind":"intent"},"kid":"k1","nonce":"n","seq":2}'
    )
    own = hashlib.sha256(f"{first.hash}\n{text}".encode()).hexdigest()
    seal = hmac.new(KEYS["k1"], own.encode(), hashlib.sha256).hexdigest()
    assert (first.seq, first.prev) == (1, "0" * 64)
    assert second == Row(seq=2, text=text, prev=first.hash, hash=own, seal=seal)
    assert (after.seq, after.hash, after.before) == (2, own, ROOT)
    assert SEALS.hold("k1", text=after.text(), seal=after.seal) is True


def test_a_day_goes_on_where_it_ended() -> None:
    _, head = link(Head(day=MONDAY), [event(1)], nonce="n", seals=SEALS)

    [row], after = link(head, [event(2)], nonce="m", seals=SEALS)

    assert (row.seq, row.prev, after.seq) == (2, head.hash, 2)


def test_the_same_event_of_two_writers_has_two_hashes() -> None:
    [one], _ = link(Head(day=MONDAY), [event()], nonce="mine", seals=SEALS)
    [other], _ = link(Head(day=MONDAY), [event()], nonce="theirs", seals=SEALS)

    assert one.hash != other.hash


HEADS = [
    Head(day=ROOT),
    SEALS.sealed(
        Head(day=TUESDAY, seq=5, hash="ab", before=MONDAY, next=WEDNESDAY, is_followed=True, purged=0)
    ),
]


@pytest.mark.parametrize("head", HEADS)
def test_a_head_comes_back_as_it_was_written(head: Head) -> None:
    assert read_head(head.text(), seal=head.seal, etag="e") == replace(head, etag="e")


@pytest.mark.parametrize(
    "change",
    [
        {"day": None}, {"day": "soon"}, {"day": ""}, {"day": 5}, {"day": "20261124"},
        {"seq": "5"}, {"seq": True}, {"seq": None}, {"seq": 1.5},
        {"hash": 5}, {"hash": None}, {"before": ""}, {"before": 7}, {"next": "never"},
        {"is_followed": 1}, {"is_followed": None}, {"purged": "3"}, {"purged": False}, {"kid": None},
        {"seal": "x"}, {"etag": "x"}, {"more": 1},
        {"before": "2026-11-24"}, {"before": "2026-11-25"}, {"next": "2026-11-24"}, {"next": "2026-11-23"},
    ],
)  # fmt: skip
def test_what_is_no_head_is_not_read_as_one(change: dict[str, Any]) -> None:
    said = {**json.loads(HEADS[1].text()), **change}

    assert read_head(json.dumps(said, sort_keys=True, separators=(",", ":")), seal="", etag="") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", '"head"', "[" * 100_000, "{}"])
def test_what_is_no_json_of_ours_is_neither_head_nor_row(text: str) -> None:
    assert read_head(text, seal="", etag="") is None
    assert Row(1, text, "", "", "").values() == {}


@pytest.mark.parametrize("name", ["day", "seq", "hash", "before", "next", "is_followed", "purged", "kid"])
def test_a_head_that_lacks_something_is_not_read(name: str) -> None:
    said = json.loads(HEADS[1].text())
    del said[name]

    assert read_head(json.dumps(said, sort_keys=True, separators=(",", ":")), seal="", etag="") is None


def test_derived_keys_differ_from_their_origin_and_have_names_that_no_setting_can_have() -> None:
    keys = derived({"k1": OLD, "k2": NEW})

    assert list(keys) == [".k1", ".k2"]
    assert len({OLD, NEW, *keys.values()}) == 4
    assert derived({"k1": OLD}) == {".k1": keys[".k1"]}
    assert all(len(key) == 32 for key in keys.values())


# A record that is whole.


def test_a_record_that_nobody_touched_hangs_together() -> None:
    store = MemoryAuditStore()

    report = fill(store).verify()

    assert report.broken is None
    assert (report.days, report.rows, report.unsealed, report.unknown_kids) == (3, 12, 0, set())
    assert report.last == head_of(store, WEDNESDAY)
    first = next(store.rows(MONDAY))
    assert first.prev == GENESIS
    assert next(store.rows(TUESDAY)).prev == head_of(store, MONDAY).hash


def test_days_without_events_are_left_out() -> None:
    clock = ManualClock()
    audit_log = audit_log_on(MemoryAuditStore(), clock=clock)
    audit_log.append([event(1)])
    clock.advance(3 * DAY_S)
    audit_log.append([event(2)])

    assert [day for day, _ in audit_log.store.heads()] == [THURSDAY, MONDAY, ROOT]
    assert next(audit_log.store.rows(THURSDAY)).prev == head_of(audit_log.store, MONDAY).hash
    assert audit_log.verify().broken is None


def test_an_empty_record_has_nothing_broken_and_nothing_to_show() -> None:
    report = audit_log_on(MemoryAuditStore()).verify()

    assert (report.broken, report.last, report.rows) == (None, None, 0)


# What a stranger does to it. `found` says where, and what.


def put(store: MemoryAuditStore, day: date, *rows: Row) -> None:
    """Put rows where they say, whatever is there."""
    head, there = store.days[day]
    store.days[day] = head, {**there, **{row.seq: row for row in rows}}


def row_of(store: MemoryAuditStore, day: date, seq: int) -> Row:
    return store.days[day][1][seq]


def set_head(store: MemoryAuditStore, head: Head) -> None:
    store.days[head.day] = head, store.days[head.day][1]


Tamper = Callable[[MemoryAuditStore], object]


def spoil_a_row(spoiled: Callable[[Row], Row], day: date = TUESDAY, seq: int = 3) -> Tamper:
    return lambda store: put(store, day, spoiled(row_of(store, day, seq)))


def spoil_a_head(day: date, **claims: Any) -> Tamper:
    """Put up another head, which was sealed genuinely."""
    return lambda store: set_head(store, SEALS.sealed(replace(head_of(store, day), **claims)))


def remove(*places: int, day: date = TUESDAY) -> Tamper:
    """Remove some rows, or a whole day."""
    if not places:
        return lambda store: store.days.pop(day)
    return lambda store: [store.days[day][1].pop(seq) for seq in places]


def add(store: MemoryAuditStore) -> None:
    row = row_of(store, WEDNESDAY, 4)
    put(store, WEDNESDAY, forged(replace(row, seq=5, prev=row.hash), approval_id=99))


def add_by_unknown_key(store: MemoryAuditStore) -> None:
    head = replace(head_of(store, WEDNESDAY), etag="")
    [row], _ = link(head, [event(99)], nonce="n", seals=Seals({"x": FOREIGN_KEY}))
    put(store, WEDNESDAY, row)


def add_under_no_key(store: MemoryAuditStore) -> None:
    rows = store.days[TUESDAY][1]
    rows[3], rows[4], rows[5], rows[6] = replace(rows[2], seq=0), rows[3], rows[4], rows[5]


def swap(store: MemoryAuditStore) -> None:
    one, other = row_of(store, TUESDAY, 2), row_of(store, TUESDAY, 4)
    put(store, TUESDAY, replace(one, seq=4), replace(other, seq=2))


def copy_a_day(day: date, to: date) -> Tamper:
    return lambda store: store.days.update({to: store.days[day]})


def remove_a_head(store: MemoryAuditStore) -> None:
    store.days[TUESDAY] = None, store.days[TUESDAY][1]


def roll_back_a_head(store: MemoryAuditStore) -> None:
    spoil_a_head(WEDNESDAY, seq=2, hash=row_of(store, WEDNESDAY, 2).hash)(store)


change = spoil_a_row(lambda row: replace(row, text=row.text.replace('"approval_id":6', '"approval_id":9')))

TAMPERINGS: dict[str, tuple[Tamper, str]] = {
    "change": (change, "2026-11-24, row 3: changed (its hash is not that of its content)"),
    "change and hash": (
        spoil_a_row(lambda row: forged(row, verb="reject")),
        "2026-11-24, row 3: foreign seal (its seal is not by key k1)",
    ),
    "change and hash by an unknown key": (
        spoil_a_row(lambda row: forged(row, kid="x", verb="reject")),
        "2026-11-24, row 4: changed (it does not follow the row before it)",
    ),
    "change the last by an unknown key": (
        spoil_a_row(lambda row: forged(row, kid="x", verb="reject"), seq=5),
        "2026-11-24: head does not fit (its hash is not that of the last row)",
    ),
    "reseal": (
        spoil_a_row(lambda row: replace(row, seal="00")),
        "2026-11-24, row 3: foreign seal (its seal is not by key k1)",
    ),
    "remove": (remove(3), "2026-11-24, row 3: removed (the next that is there is row 4)"),
    "remove the end": (remove(4, 5), "2026-11-24, row 4: removed (the head knows of 5 rows)"),
    "remove the very end": (
        remove(4, day=WEDNESDAY),
        "2026-11-25, row 4: removed (the head knows of 4 rows)",
    ),
    "add": (add, "2026-11-25, row 5: added (its seal is not by key k1)"),
    "add a copy": (
        spoil_a_row(lambda row: replace(row, seq=5), WEDNESDAY, 2),
        "2026-11-25, row 5: added (it was written as 2026-11-25, row 2)",
    ),
    "add by an unknown key": (
        add_by_unknown_key,
        "2026-11-25: head does not fit (it knows of 4 rows only: rolled back)",
    ),
    "add under no key": (
        add_under_no_key,
        "2026-11-24, row 3: added (something lies here under a key that is no place)",
    ),
    "swap": (swap, "2026-11-24, row 2: reordered (it was written as 2026-11-24, row 4)"),
    "move from another day": (
        lambda store: put(store, TUESDAY, row_of(store, MONDAY, 3)),
        "2026-11-24, row 3: reordered (it was written as 2026-11-23, row 3)",
    ),
    "remove a day": (remove(), "2026-11-24: removed (the whole day that 2026-11-23 was followed by)"),
    "remove the first day": (
        remove(day=MONDAY),
        "2026-11-23: removed (the whole day that 0001-01-01 was followed by)",
    ),
    "remove the last day": (
        remove(day=WEDNESDAY),
        "2026-11-25: removed (the whole day that 2026-11-24 was followed by)",
    ),
    "remove the root": (
        remove(day=ROOT),
        "0001-01-01: removed (2026-11-23 says that this day was before it)",
    ),
    "add a day": (
        copy_a_day(MONDAY, date(2026, 11, 22)),
        "2026-11-22: added (0001-01-01 says that 2026-11-23 comes after it)",
    ),
    "add a later day": (
        copy_a_day(WEDNESDAY, THURSDAY),
        "2026-11-25: head does not fit (it does not know that 2026-11-26 came: rolled back)",
    ),
    "remove a head": (
        remove_a_head,
        "2026-11-24: head does not fit (the head is missing or cannot be read)",
    ),
    "roll back a head": (
        roll_back_a_head,
        "2026-11-25: head does not fit (it knows of 2 rows only: rolled back)",
    ),
    "roll back to the open day": (
        spoil_a_head(TUESDAY, next=None, is_followed=False),
        "2026-11-24: head does not fit (it does not know that 2026-11-25 came: rolled back)",
    ),
    "roll back a note": (
        spoil_a_head(TUESDAY, is_followed=False),
        "2026-11-24: head does not fit (it does not note that 2026-11-25 was begun: rolled back)",
    ),
    "another hash": (
        spoil_a_head(TUESDAY, hash="ab" * 32),
        "2026-11-24: head does not fit (its hash is not that of the last row)",
    ),
    "another day before": (
        spoil_a_head(WEDNESDAY, before=MONDAY),
        "2026-11-25: head does not fit (it does not say that 2026-11-24 was before it)",
    ),
    "forge a head": (
        lambda store: set_head(store, replace(head_of(store, TUESDAY), seq=4)),
        "2026-11-24: foreign seal (the seal of the head is not by key k1)",
    ),
}


def spoiled(tamper: Tamper) -> AuditLog:
    """Return a record of three days after something was done to it."""
    audit_log = fill(MemoryAuditStore())
    assert isinstance(audit_log.store, MemoryAuditStore)
    tamper(audit_log.store)
    return audit_log


@pytest.mark.parametrize("name", TAMPERINGS)
def test_the_first_broken_link_is_named(name: str) -> None:
    tamper, said = TAMPERINGS[name]

    assert found(spoiled(tamper)) == said


def test_of_two_broken_links_the_earlier_is_named() -> None:
    assert (
        found(spoiled(lambda store: (change(store), remove(day=MONDAY)(store))))
        == (TAMPERINGS["remove the first day"][1])
    )


def test_how_the_days_hang_together_is_always_checked() -> None:
    audit_log = spoiled(remove())

    assert audit_log.verify(since=WEDNESDAY).broken is not None
    assert audit_log.verify(until=MONDAY).broken is not None


def say(text: Callable[[Row], str]) -> Tamper:
    """Put another text in the place of a row's, with the hash of that text."""

    def other(row: Row) -> Row:
        own = hashlib.sha256(f"{row.prev}\n{text(row)}".encode()).hexdigest()
        return replace(row, text=text(row), hash=own)

    return spoil_a_row(other)


def test_what_a_stranger_wrote_is_shown_on_one_short_line() -> None:
    day = "\x1b[2J\n" + "x" * 5_000

    line = found(spoiled(say(lambda row: json.dumps({**json.loads(row.text), "day": day}))))

    assert line.isprintable()
    assert len(line) < 400


@pytest.mark.parametrize("text", ["", "{}", '{"event": 5}', '["event"]', "[" * 100_000, '"\\ud800"'])
def test_a_row_that_is_none_but_has_the_hash_of_one_is_changed(text: str) -> None:
    assert found(spoiled(say(lambda _: text))) == TAMPERINGS["change"][1]


def test_half_a_surrogate_pair_does_not_end_the_check() -> None:
    half = spoil_a_row(lambda row: replace(row, text="\ud800", seal="\ud800"))

    assert found(spoiled(half)) == TAMPERINGS["change"][1]


def test_a_kid_that_is_no_text_is_a_key_that_is_not_known() -> None:
    kid = say(lambda row: json.dumps({**json.loads(row.text), "kid": [1]}, separators=(",", ":")))

    assert found(spoiled(kid)) == TAMPERINGS["change and hash by an unknown key"][1]


# Any single tampering is found.

FIELDS = ("text", "prev", "hash", "seal")
QUICKLY = settings(max_examples=400, deadline=None, derandomize=True)


def written() -> tuple[MemoryAuditStore, list[Head]]:
    """Return a record of several days, one of them purged, and every head that it ever had."""
    store, ever = MemoryAuditStore(), []
    clock = ManualClock()
    keep = store.write

    def write(head: Head, rows: Any = ()) -> Head:
        stored = keep(head, rows)
        ever.append(stored)
        return stored

    store.write = write  # type: ignore[method-assign]
    audit_log = audit_log_on(store, clock=clock)
    for size in (2, 3, 1, 4, 2):
        audit_log.append([event(each) for each in range(size)])
        audit_log.append([event(50)])
        clock.advance(DAY_S)
    assert audit_log.purge(keep_days=4) > 0
    assert audit_log.verify().broken is None
    return store, ever


BASE, EVER = written()


@st.composite
def tampered(draw: st.DrawFn) -> MemoryAuditStore:
    """Return the record after one thing was done to it by somebody without a key."""
    store = MemoryAuditStore()
    store.days = {day: (head, dict(rows)) for day, (head, rows) in BASE.days.items()}
    days = sorted(store.days)
    places = [(day, seq) for day in days for seq in store.days[day][1]]
    kind = draw(
        st.sampled_from(["row", "forge", "remove", "add", "swap", "day", "head", "old head", "no head"])
    )
    day, seq = draw(st.sampled_from(places))
    row = row_of(store, day, seq)
    if kind == "row":
        name = draw(st.sampled_from(FIELDS))
        put(store, day, Row(**{**vars(row), name: draw(other(getattr(row, name)))}))
    elif kind == "forge":
        put(store, day, forged(row, kid=draw(st.sampled_from(["k1", "x"])), outcome="forged"))
    elif kind == "remove":
        del store.days[day][1][seq]
    elif kind == "add":
        target = draw(st.sampled_from(days[1:]))  # rows of a purged day are nobody's
        last = max(store.days[target][1], default=0)
        copy = replace(row, seq=last + 1)
        put(store, target, draw(st.sampled_from([copy, forged(copy), forged(copy, kid="x")])))
    elif kind == "swap":
        there, place = draw(st.sampled_from([each for each in places if each != (day, seq)]))
        put(store, day, replace(row_of(store, there, place), seq=seq))
        put(store, there, replace(row, seq=place))
    else:
        tamper_with_a_day(draw, store, draw(st.sampled_from(days)), kind)
    return store


def tamper_with_a_day(draw: st.DrawFn, store: MemoryAuditStore, day: date, kind: str) -> None:
    head = head_of(store, day)
    if kind == "day":
        del store.days[day]
    elif kind == "head":
        claims = {
            "seq": st.integers(0, 9),
            "hash": other(head.hash),
            "seal": other(head.seal),
            "before": st.none() | st.dates(),
            "next": st.none() | st.dates(),
            "is_followed": st.booleans(),
            "purged": st.none() | st.integers(0, 9),
        }
        name = draw(st.sampled_from(sorted(claims)))
        value = draw(claims[name].filter(lambda value: value != getattr(head, name)))
        set_head(store, Head(**{**vars(head), name: value}))
    elif kind == "old head":
        old = [each for each in EVER if each.day in store.days and each != head_of(store, each.day)]
        set_head(store, draw(st.sampled_from(old)))
    else:
        store.days[day] = None, store.days[day][1]


def other(text: str) -> st.SearchStrategy[str]:
    """Return texts that differ from this one in one place, or in everything."""
    at = st.integers(0, len(text) - 1)
    return st.just("") | at.map(
        lambda index: text[:index] + ("0" if text[index] != "0" else "1") + text[index + 1 :]
    )


@pytest.mark.slow
@QUICKLY
@given(tampered())
def test_any_single_tampering_is_found(store: MemoryAuditStore) -> None:
    assert audit_log_on(store).verify().broken is not None


def test_the_record_that_is_tampered_with_is_whole_before() -> None:
    """Guard the guard: were it broken from the start, the property would hold for nothing."""
    report = audit_log_on(BASE).verify()

    assert report.broken is None
    assert (report.rows, report.purged is not None) == (14, True)
    assert len(EVER) > len(BASE.days)


def test_the_end_cut_off_together_with_an_old_head_is_not_found_without_an_anchor_from_outside() -> None:
    """What no chain can show: the table looks as it did an hour ago, genuinely."""
    store = MemoryAuditStore()
    audit_log = fill(store)
    an_hour_ago = head_of(store, WEDNESDAY)
    audit_log.append([event(99)])
    del store.days[WEDNESDAY][1][5]
    set_head(store, an_hour_ago)

    assert audit_log.verify().broken is None


# Keys that rotate.


def rotated() -> MemoryAuditStore:
    """Return a record whose Monday was sealed with an old key, and whose Tuesday was with a new one."""
    store = MemoryAuditStore()
    fill(store, [3], keys={"old": OLD})
    clock = ManualClock()
    clock.advance(DAY_S)
    audit_log_on(store, clock=clock, keys={"new": NEW, "old": OLD}).append([event(4), event(5)])
    return store


def test_the_first_key_seals_and_all_verify() -> None:
    store = rotated()

    report = audit_log_on(store, keys={"new": NEW, "old": OLD}).verify()

    assert [row.values()["kid"] for day in (MONDAY, TUESDAY) for row in store.rows(day)] == [
        *("old", "old", "old", "new", "new")
    ]
    assert (report.broken, report.unsealed, report.unknown_kids) == (None, 0, set())


def test_rows_of_a_key_that_is_gone_are_counted_and_their_hashes_still_checked() -> None:
    store = rotated()
    audit_log = audit_log_on(store, keys={"new": NEW})

    report = audit_log.verify()

    assert (report.broken, report.rows, report.unsealed) == (None, 5, 3)
    row = row_of(store, MONDAY, 2)
    put(store, MONDAY, replace(row, text=row.text.replace("intent", "notice")))
    assert found(audit_log) == "2026-11-23, row 2: changed (its hash is not that of its content)"


def test_the_kid_of_a_key_that_was_replaced_is_a_foreign_seal() -> None:
    report = audit_log_on(rotated(), keys={"old": NEW, "new": NEW}).verify()

    assert report.broken is not None
    assert report.broken.fault is Fault.FOREIGN


# The check on its own.


def test_a_check_takes_one_row_at_a_time_and_keeps_none() -> None:
    rows, head = link(Head(day=MONDAY), [event(each) for each in range(3)], nonce="n", seals=SEALS)
    check = Check(SEALS)
    check.begin(MONDAY, head)
    for row in rows:
        check.row(head, row)
    check.end(head)

    assert check.step(head, None) is None
    assert (check.seq, check.report.rows, check.report.days) == (3, 3, 1)
    assert rows[1] not in vars(check).values()
