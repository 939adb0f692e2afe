"""The open rows in memory: writes of others show, and unreadable rows cost nothing."""

from __future__ import annotations

from dataclasses import replace

from ledger_contract import row
from unruly import after, before, failing

from coupa_core.errors import Conflict
from coupa_core.ledger import Corrupt, MemoryStore, OpenRows, State


def kept(store: MemoryStore, *numbers: int) -> OpenRows:
    for number in numbers:
        store.insert(row(number, etag=""))
    rows = OpenRows(store)
    rows.read(whole=False)
    return rows


def test_a_new_process_reads_every_row() -> None:
    assert kept(MemoryStore(), 1, 2).by_id.keys() == {1, 2}


def test_what_another_process_wrote_shows_and_what_it_closed_when_all_is_read() -> None:
    store = MemoryStore()
    rows = kept(store, 1, 2)
    other = {entry.approval_id: entry for entry in store.open_entries().entries}
    store.replace(replace(other[1], cause="elsewhere"))
    store.archive(other[2])
    store.insert(row(3, etag=""))

    rows.read(whole=False)
    assert rows.by_id[1].cause == "elsewhere"
    assert rows.by_id.keys() == {1, 2, 3}
    rows.read(whole=True)
    assert rows.by_id.keys() == {1, 3}


def test_a_row_that_was_lost_to_another_is_read_by_itself() -> None:
    store = MemoryStore()
    rows = kept(store, 1, 2)
    store.archive(store.open_entries().entries[0])

    rows.keep({}, doubtful=[1, 2])
    rows.read(whole=False)

    assert rows.by_id.keys() == {2}


def test_what_a_sweep_wrote_and_closed_is_kept_so() -> None:
    rows = kept(MemoryStore(), 1, 2)

    rows.keep({1: row(1, state=State.PARKED), 2: None, 7: None}, doubtful=[])

    assert {number: entry.state for number, entry in rows.by_id.items()} == {1: State.PARKED}


def test_a_row_that_cannot_be_read_stops_no_other() -> None:
    store = MemoryStore()
    rows = OpenRows(store)
    spoiled, unreadable = Corrupt("1", "odd"), Conflict("ledger_corrupt", "row 1 cannot be read")
    after(store, "open_entries", lambda opened: opened.corrupt.append(spoiled) if not since[-1] else None)
    since: list[str] = []
    before(store, "open_entries", lambda position="", *_: since.append(position))
    failing(store, "read", unreadable, when=lambda number: number == 1)
    store.insert(row(2, etag=""))
    rows.read(whole=True)
    rows.keep({}, doubtful=[1, 2])

    assert rows.read(whole=False) == []
    assert rows.read(whole=True) == [spoiled]
    assert rows.by_id.keys() == {2}
