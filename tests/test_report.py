"""What operators and the health check are told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from ledger_contract import HOUR, NOW, full_row, row

from coupa_core.errors import Unavailable
from coupa_core.ledger import LedgerStore, MemoryStore, State, Status
from coupa_core.report import MAX_ROWS, Report
from sandbox.clock import ManualClock


class SilentStore(MemoryStore):
    """A store that does not answer."""

    def status(self) -> Status:
        """Fail."""
        raise Unavailable("ledger_503", "the store does not answer")


def report_on(store: LedgerStore, clock: ManualClock | None = None) -> Report:
    """Return a report on a store, at the time of the clock."""
    return Report(store=store, clock=clock or ManualClock(NOW))


def test_the_bridge_is_healthy_until_a_complete_sweep_is_fifteen_minutes_old() -> None:
    store, clock = MemoryStore(), ManualClock(NOW)
    store.save_status(Status(last_complete_at=NOW))
    report = report_on(store, clock)

    assert report.is_healthy()
    clock.advance(15 * 60 - 0.001)
    assert report.is_healthy()
    clock.advance(0.001)
    assert not report.is_healthy()


def test_without_any_complete_sweep_the_bridge_is_not_healthy() -> None:
    store = MemoryStore()
    assert not report_on(store).is_healthy()

    store.save_status(Status(last_sweep_at=NOW))

    assert not report_on(store).is_healthy()


def test_without_its_store_the_bridge_is_not_healthy() -> None:
    assert not report_on(SilentStore()).is_healthy()


def test_without_its_store_there_is_no_status() -> None:
    with pytest.raises(Unavailable):
        report_on(SilentStore()).status()


def test_the_status_says_how_the_last_sweep_went_and_where_approvals_stand(store: LedgerStore) -> None:
    store.save_status(
        Status(
            last_complete_at=NOW - HOUR,
            last_sweep_at=NOW,
            paused_until=NOW + HOUR,
            suspect=True,
            counts={"sent": 2},
            failure="coupa_503",
        )
    )
    for entry in (
        row(1),
        row(2, state=State.PARKED, cause="moveworks_400", refusals=8),
        row(3, state=State.RETRY, next_at=NOW),
        row(4, state=State.WAITING, cause="no_recipient"),
        row(3_000_000_000, state=State.WAITING, cause="no_recipient"),
        row(6, state=State.WAITING, cause="not_their_turn"),
    ):
        store.insert(entry)

    assert report_on(store).status() == {
        "is_healthy": False,
        "last_complete_at": "2026-11-23T08:00:00+00:00",
        "last_sweep_at": "2026-11-23T09:00:00+00:00",
        "paused_until": "2026-11-23T10:00:00+00:00",
        "is_moveworks_suspect": True,
        "failure": "coupa_503",
        "counts": {"sent": 2},
        "states": {
            "claimed": 0,
            "sent": 1,
            "retry": 1,
            "waiting": 3,
            "parked": 1,
            "decided": 0,
            "closed": 0,
        },
        "no_recipient": ["4", "3000000000"],
        "parked": [{"approval_id": 2, "state": "parked", "cause": "moveworks_400", "refusals": 8}],
        "retry": [{"approval_id": 3, "state": "retry", "next_at": "2026-11-23T09:00:00+00:00"}],
    }


def test_before_the_first_sweep_the_status_is_empty_and_not_healthy(store: LedgerStore) -> None:
    status = report_on(store).status()

    assert status["is_healthy"] is False
    assert status["last_complete_at"] is None
    assert set(status["states"].values()) == {0}
    assert (status["parked"], status["retry"], status["no_recipient"]) == ([], [], [])


def test_of_many_rows_a_hundred_are_shown_and_all_are_counted() -> None:
    store = MemoryStore()
    for number in range(1, 151):
        store.insert(row(number, state=State.PARKED))
        store.insert(row(1000 + number, state=State.RETRY, cause="no_recipient"))

    status = report_on(store).status()

    assert status["states"]["parked"] == 150
    assert [len(status[name]) for name in ("parked", "retry", "no_recipient")] == [MAX_ROWS] * 3


def test_a_trace_shows_an_open_row_before_a_closed_one(store: LedgerStore) -> None:
    store.archive(row(etag=store.insert(row(cause="before"))))
    assert report_on(store).trace(7) == {"approval_id": 7, "state": "sent"}

    store.insert(row(generation=1))

    assert report_on(store).trace(7) == {"approval_id": 7, "state": "sent", "generation": 1}


def test_there_is_no_trace_of_an_approval_that_was_never_seen(store: LedgerStore) -> None:
    assert report_on(store).trace(7) is None


def test_a_trace_shows_everything_but_the_person_and_what_is_only_for_the_machine(store: LedgerStore) -> None:
    store.insert(full_row())

    trace = report_on(store).trace(7)

    assert trace is not None
    assert set(vars(full_row())) - set(trace) == {"nonce", "etag", "decided_by", "decision_key"}
    assert trace["decision"] == "reject"
    assert trace["sent_at"] == NOW.isoformat()
    assert "example.com" not in json.dumps(trace)


def test_numbers_that_do_not_fit_into_31_bits_are_shown_as_text(store: LedgerStore) -> None:
    store.insert(row(3_000_000_000, document_id=9_223_372_036_854_775_807))
    store.insert(row(7, document_id=2**31 - 1))

    large, small = report_on(store).trace(3_000_000_000), report_on(store).trace(7)

    assert large is not None
    assert small is not None
    assert (large["approval_id"], large["document_id"]) == ("3000000000", "9223372036854775807")
    assert (small["approval_id"], small["document_id"]) == (7, 2**31 - 1)


def test_the_health_of_one_moment_does_not_last() -> None:
    store, clock = MemoryStore(), ManualClock(NOW)
    store.save_status(Status(last_complete_at=NOW))
    clock.advance(HOUR.total_seconds())

    assert not report_on(store, clock).status()["is_healthy"]

    store.save_status(Status(last_complete_at=clock.now() - timedelta(minutes=14)))
    assert report_on(store, clock).status()["is_healthy"]
