"""The answers to operators and to the health check: the proof that all pending approvals are known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bridge import World
from ledger_contract import HOUR, NOW, full_row, row, told_of

from coupa_core.clock import Deadline
from coupa_core.errors import Malformed, Unavailable
from coupa_core.ledger import (
    NOTHING_KNOWN,
    Corrupt,
    Entry,
    Lease,
    LedgerStore,
    MemoryStore,
    Opened,
    PersonState,
    State,
    Status,
)
from coupa_core.model import REQUISITION, Approval, Listing
from coupa_core.release import RELEASE
from coupa_core.report import MAX_FULL, MAX_ROWS, Cause, StatusReport, health
from coupa_core.report.figures import spread
from sandbox.clock import ManualClock
from sandbox.coupa.world import Group

JAMIE, ROBIN = "jamie@example.com", "robin@example.com"
OLD = (NOW - 2 * HOUR).isoformat()


class SilentStore(MemoryStore):
    """A store that does not answer."""

    def status(self) -> Status:
        """Fail."""
        raise Unavailable("ledger_503", "the store does not answer")


class Coupa:
    """A list of what waits."""

    def __init__(self, listing: Listing | None = None) -> None:
        self.listing = listing or Listing()

    def pending(self, deadline: Deadline) -> Listing:
        """Return it."""
        assert deadline.left_s() > 0
        return self.listing


def listed(number: int = 7, **fields: Any) -> Approval:
    """Return an approval as a list has it, touched two hours ago."""
    given = {"status": "pending_approval", "approvable_type": REQUISITION, "approvable_id": 70, **fields}
    return Approval(**{"id": number, "updated_at": OLD, "approver_id": 12, "approver_type": "User", **given})


def report_on(
    store: LedgerStore,
    clock: ManualClock | None = None,
    approvals: list[Approval] | None = None,
    *,
    full_list_minutes: int = 10,
    is_rare: bool = False,
    **listing: Any,
) -> StatusReport:
    """Return a report on a store and a list, at the time of the clock."""
    return StatusReport(
        store=store,
        coupa=Coupa(Listing(approvals or [], **listing)),
        directory=pytest.fail,
        clock=clock or ManualClock(NOW),
        lease=Lease(),
        max_per_minute=100,
        full_list_minutes=full_list_minutes,
        versions={"package": "1.2.3", "schema": "1"},
        is_rare=is_rare,
    )


def groups(said: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(each["place"], each["cause"]): each["count"] for each in said["groups"]}


LATER = NOW + HOUR / 4


@pytest.mark.parametrize(("name", "minutes"), [("last_sweep_at", 15), ("last_complete_at", 30)])
def test_the_bridge_is_healthy_until_a_sweep_or_the_whole_list_is_too_old(name: str, minutes: int) -> None:
    store, clock = MemoryStore(), ManualClock(NOW)
    times: dict[str, Any] = {"last_sweep_at": LATER, "last_complete_at": LATER, name: NOW}
    store.save_status(Status(**times))
    report = report_on(store, clock)
    clock.advance(minutes * 60 - 0.001)

    assert report.complaint() is None
    clock.advance(0.001)
    assert report.complaint() is not None


def test_the_list_may_be_older_where_it_is_read_more_seldom() -> None:
    store, clock = MemoryStore(), ManualClock(NOW)
    store.save_status(Status(last_sweep_at=NOW, last_complete_at=NOW - HOUR))

    assert report_on(store, clock, full_list_minutes=30).complaint() is None
    assert report_on(store, clock, full_list_minutes=20).complaint() is not None


@pytest.mark.parametrize("name", ["last_sweep_at", "last_complete_at"])
def test_a_sweep_from_far_ahead_is_no_sign_of_health(name: str) -> None:
    """The clock was put back: nobody knows how old that sweep is."""
    store = MemoryStore()
    times: dict[str, Any] = {"last_sweep_at": NOW, "last_complete_at": NOW, name: NOW + HOUR}
    store.save_status(Status(**times))

    assert report_on(store).complaint() is not None


def test_without_any_complete_sweep_the_bridge_is_not_healthy() -> None:
    store = MemoryStore()
    assert report_on(store).complaint() is not None

    store.save_status(Status(last_sweep_at=NOW))

    assert report_on(store).complaint() is not None


BEGAN = NOW - timedelta(seconds=20)
SWEPT = Status(
    last_complete_at=NOW, last_sweep_at=NOW, version="1+new", last_began_at=BEGAN, is_complete=True
)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (SWEPT, None),
        (replace(SWEPT, version="1+old"), Cause.NOT_SWEPT_YET),
        (replace(SWEPT, version=""), Cause.NOT_SWEPT_YET),
        (replace(SWEPT, last_began_at=BEGAN - timedelta(seconds=1)), Cause.NOT_SWEPT_YET),
        (replace(SWEPT, last_began_at=None), Cause.NOT_SWEPT_YET),
        (replace(SWEPT, is_complete=False), Cause.SWEEP_FAILING),
        (replace(SWEPT, last_complete_at=None), Cause.LIST_LATE),
    ],
)
def test_a_release_is_healthy_by_a_complete_sweep_that_it_began_itself(
    status: Status, cause: Cause | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coupa_core.report.health.RELEASE", "1+new")
    store = MemoryStore()
    store.save_status(status)

    assert report_on(store).complaint(version="1+new", since=BEGAN) is cause


def test_a_release_that_does_not_run_here_is_told_from_one_that_has_not_swept_yet() -> None:
    store = MemoryStore()
    store.save_status(SWEPT)
    report = report_on(store)

    assert report.complaint(version="2+other") is Cause.OTHER_VERSION
    assert report.complaint(version=RELEASE) is Cause.NOT_SWEPT_YET


WELL = Status(last_sweep_at=NOW, last_complete_at=NOW)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (WELL, None),
        (Status(), Cause.NO_SWEEP_YET),
        (replace(WELL, last_sweep_at=NOW - HOUR), Cause.NO_SWEEP),
        (replace(WELL, last_complete_at=NOW - HOUR), Cause.LIST_LATE),
        (replace(WELL, last_complete_at=None), Cause.LIST_LATE),
        (replace(WELL, last_complete_at=None, failure="coupa_500"), Cause.SWEEP_FAILING),
        (replace(WELL, owed_since={"no_row": (NOW - HOUR).isoformat()}), Cause.OWED),
        (
            replace(WELL, owed_since={"no_row": (NOW - HOUR).isoformat()}, failure="coupa_500"),
            Cause.SWEEP_FAILING,
        ),
        (replace(WELL, failure="coupa_500"), None),  # the next one may do
    ],
)
def test_what_is_wrong_is_said_by_its_cause(status: Status, cause: Cause | None) -> None:
    store = MemoryStore()
    store.save_status(status)
    report = report_on(store)

    assert report.complaint() is cause
    assert report.status()["is_healthy"] is (cause is None)


@pytest.mark.parametrize("status", [Status(), replace(WELL, last_sweep_at=NOW - HOUR)])
def test_a_schedule_that_health_cannot_keep_up_with_is_the_cause_of_its_own_silence(status: Status) -> None:
    store = MemoryStore()
    store.save_status(status)

    report = report_on(store, is_rare=True)

    assert report.complaint() is Cause.RARE_SCHEDULE
    assert report.complaint(since=NOW) is Cause.RARE_SCHEDULE


def test_a_rare_schedule_is_no_cause_while_its_sweeps_come() -> None:
    store = MemoryStore()
    store.save_status(WELL)

    assert report_on(store, is_rare=True).complaint() is None
    assert (health.is_rare("0 */14 * * * *"), health.is_rare("0 */15 * * * *")) == (False, True)


def test_without_its_store_the_bridge_is_not_healthy() -> None:
    assert report_on(SilentStore()).complaint() is Cause.LEDGER


def test_without_its_store_there_is_no_status() -> None:
    with pytest.raises(Unavailable):
        report_on(SilentStore()).status()


def test_the_status_says_how_the_last_sweep_went() -> None:
    store = MemoryStore()
    store.save_status(
        Status(
            last_complete_at=NOW - HOUR,
            last_sweep_at=NOW,
            paused_until=NOW + HOUR,
            suspect=True,
            counts={"sent": 2},
            failure="coupa_503",
            version="1.2.3+abc",
            last_began_at=NOW - HOUR,
            owed={"no_row": 2, "odd": 1},
            owed_since={"no_row": NOW.isoformat(), "odd": (NOW - HOUR).isoformat()},
            oldest_owed_s=60.4,
            reading={"began_at": "2026-11-23T08:59:00+00:00", "calls": 7, "left": 2, "unread": [[1, 9]]},
            missed=1,
            distrusted_until=NOW + HOUR,
        )
    )

    said = report_on(store).status()

    assert {name: said[name] for name in said if name not in ("pending", "groups", "lists", "rates")} == {
        "is_healthy": False,
        "is_proved": False,
        "unaccounted": [],
        "last_complete_at": "2026-11-23T08:00:00+00:00",
        "last_sweep_at": "2026-11-23T09:00:00+00:00",
        "last_began_at": "2026-11-23T08:00:00+00:00",
        "last_version": "1.2.3+abc",
        "paused_until": "2026-11-23T10:00:00+00:00",
        "is_moveworks_suspect": True,
        "failure": "coupa_503",
        "owed": {
            "count": 3,
            "oldest_s": 60,
            "causes": {"no_row": 2, "odd": 1},
            "since": {"no_row": NOW.isoformat(), "odd": (NOW - HOUR).isoformat()},
            "stuck": ["odd"],
        },
        "reading": {
            "began_at": "2026-11-23T08:59:00+00:00",
            "calls": 7,
            "left": 2,
            "unread": 1,
            "failed": 0,
            "missed": 1,
            "distrusted_until": "2026-11-23T10:00:00+00:00",
        },
        "counts": {"sent": 2},
        "pilot": {"is_on": False, "waiting": 0},
        "repeat": None,
        "versions": {"package": "1.2.3", "schema": "1"},
        "limits": {},
    }


ROWS = {
    1: row(
        1,
        told={"user:12": PersonState(version="v1", at=NOW - HOUR), "user:13": PersonState()},
        sent_to="group:3",
        first_told_at=NOW - HOUR,
    ),
    2: row(2, state=State.PARKED, cause="moveworks_400", failures=8, next_at=NOW + HOUR),
    3: row(3, state=State.RETRY, cause="moveworks_429", next_at=NOW),
    4: row(4, state=State.WAITING, cause="not_your_turn", next_at=NOW),
    5: row(5, state=State.WAITING, cause="of a later version", next_at=NOW),
    6: row(6, state=State.CLAIMED, lease_until=NOW),
    7: row(7, state=State.DECIDED, decision="approve"),
}


def test_every_pending_approval_is_accounted_for_by_place_and_cause(store: LedgerStore) -> None:
    for entry in ROWS.values():
        store.insert(entry)

    said = report_on(store, approvals=[listed(number) for number in [*ROWS, 3_000_000_000]]).status()

    assert groups(said) == {
        ("announced", ""): 1,
        ("claimed", ""): 1,
        ("decided", ""): 1,
        ("parked", "moveworks_400"): 1,
        ("retry", "moveworks_429"): 1,
        ("unaccounted", ""): 1,
        ("waiting", "not_your_turn"): 1,
        ("waiting", "of a later version"): 1,
    }
    assert said["unaccounted"] == ["3000000000"]
    assert (said["is_proved"], said["pending"]["total"], said["pending"]["accounted"]) == (False, 8, 7)
    assert said["lists"]["announced"] == [
        {
            "approval_id": "1",
            "place": "announced",
            "document_type": REQUISITION,
            "document_id": "70",
            "asked": "user:12",
            "told": ["user:12"],
            "sent_at": "2026-11-23T08:00:00+00:00",
            "age_s": 7200,
        }
    ]
    assert said["lists"]["unaccounted"][0]["approval_id"] == "3000000000"


def test_an_approval_without_a_row_is_new_for_as_long_as_a_sweep_may_take_to_see_it() -> None:
    store = MemoryStore()
    young = [listed(1, updated_at=(NOW - timedelta(minutes=14)).isoformat())]

    assert groups(report_on(store, approvals=young).status()) == {("not_seen_yet", ""): 1}
    for stamp in (OLD, None, "yesterday"):
        said = report_on(store, approvals=[listed(1, updated_at=stamp)]).status()
        assert (said["unaccounted"], said["is_proved"]) == (["1"], False)


def test_what_the_last_sweep_left_for_later_is_no_remainder_and_more_than_that_is() -> None:
    store = MemoryStore()
    store.save_status(Status(counts={"left_for_later": 2}))

    two = report_on(store, approvals=[listed(1), listed(2)]).status()
    three = report_on(store, approvals=[listed(1), listed(2), listed(3)]).status()

    assert groups(two) == {("not_seen_yet", ""): 2}
    assert three["unaccounted"] == ["1", "2", "3"]


def test_a_row_that_cannot_be_read_is_named_as_that() -> None:
    class Spoiled(MemoryStore):
        def open_entries(self, since: str = "", known: Mapping[int, Entry] = NOTHING_KNOWN) -> Opened:
            return Opened([], [Corrupt("7", "state"), Corrupt("x", "key")])

    said = report_on(Spoiled(), approvals=[listed(7)]).status()

    assert groups(said) == {("row_unreadable", ""): 1}
    assert said["is_proved"]


def test_what_coupa_no_longer_lists_is_gone_only_when_the_list_is_complete() -> None:
    store = MemoryStore()
    store.insert(row(1, told=told_of("v1")))
    failure = Malformed("coupa_list", "not a list")

    whole = report_on(store).status()
    cut = report_on(store, approvals=[listed(2, updated_at=NOW.isoformat())], failure=failure).status()

    assert (groups(whole), whole["is_proved"]) == ({("gone", ""): 1}, True)
    assert groups(cut) == {("announced", ""): 1, ("not_seen_yet", ""): 1}
    assert (cut["is_proved"], cut["pending"]["failure"], cut["pending"]["is_complete"]) == (
        False,
        "coupa_list",
        False,
    )


def test_a_record_of_coupa_without_an_id_leaves_no_proof() -> None:
    said = report_on(MemoryStore(), unreadable=1).status()

    assert (said["is_proved"], said["pending"]["unreadable"]) == (False, 1)


def test_ages_count_from_the_earliest_time_that_is_known() -> None:
    store = MemoryStore()
    store.insert(row(1, first_told_at=NOW - 3 * HOUR))
    store.insert(row(2, seen_approval=(NOW - 5 * HOUR).isoformat()))
    approvals = [listed(1), listed(2), listed(3), listed(4, updated_at=(NOW + HOUR).isoformat())]

    pending = report_on(store, approvals=approvals).status()["pending"]

    assert (pending["median_s"], pending["p95_s"], pending["longest_s"]) == (7200, 18_000, 18_000)


def test_the_rate_that_is_left_is_what_the_rows_of_the_last_minute_leave() -> None:
    store = MemoryStore()
    just = NOW - timedelta(seconds=59)
    store.insert(row(1, told=told_of("v", "v", at=just) | {"user:3": PersonState()}))
    store.insert(row(2, told=told_of("v", at=NOW - timedelta(seconds=60))))
    store.insert(row(3, state=State.RETRY, told=told_of("", refusals=1), attempted_at=just))
    store.insert(row(4, state=State.WAITING))

    assert report_on(store).status()["rates"] == {
        "moveworks_per_minute": 100,
        "used_last_minute": 3,
        "left": 97,
    }


def test_of_many_approvals_the_oldest_hundred_of_each_list_are_shown_and_all_are_counted() -> None:
    store = MemoryStore()
    for number in range(1, 151):
        store.insert(row(number, state=State.PARKED, first_told_at=NOW - timedelta(seconds=number)))
        store.insert(row(1000 + number, state=State.RETRY, cause="moveworks_400"))
    approvals = [listed(each, updated_at=None) for each in (*range(1, 151), *range(1001, 1151))]

    said = report_on(store, approvals=approvals).status()

    assert groups(said) == {("parked", ""): 150, ("retry", "moveworks_400"): 150}
    assert {name: len(shown) for name, shown in said["lists"].items()} == {
        "parked": MAX_ROWS,
        "retry": MAX_ROWS,
    }
    assert [each["age_s"] for each in said["lists"]["parked"]] == list(range(150, 50, -1))


def test_all_approvals_come_page_by_page_when_they_are_asked_for() -> None:
    store = MemoryStore()
    approvals = [listed(number) for number in range(1, MAX_FULL + 3)]
    report = report_on(store, approvals=approvals)

    first = report.status(full=True)
    second = report.status(full=True, after=int(first["next_after"]))

    seen = [each["approval_id"] for each in first["approvals"] + second["approvals"]]
    assert seen == [str(number) for number in range(1, MAX_FULL + 3)]
    assert second["next_after"] is None
    assert "lists" not in first
    assert first["pending"]["total"] == second["pending"]["total"] == MAX_FULL + 2


def test_no_address_and_nothing_that_is_only_for_the_machine_is_shown() -> None:
    store = MemoryStore()
    store.insert(full_row())

    said = json.dumps(report_on(store).status())

    assert "example.com" not in said
    assert "nonce" not in said


def test_after_sweeps_of_a_busy_coupa_nothing_is_left_over() -> None:
    world = World()
    members = [world.person("bea@example.com"), world.person("cal@example.com")]
    group = world.coupa.world.add_group(name="Buyers", members=members)
    world.requisition(JAMIE, ROBIN)
    world.requisition(Group(group))
    nobody = world.coupa.world.add_group(name="Nobody", members=[])
    world.requisition(Group(nobody))
    world.moveworks.front.fail("answer", method="POST", status=400, times=1)
    world.sweep()
    world.clock.advance(3600)

    said = world.call("status").body

    assert groups(said) == {
        ("announced", ""): 1,
        ("parked", "no_recipient"): 1,
        ("retry", "moveworks_400"): 1,
        ("waiting", "not_your_turn"): 1,
    }
    assert (said["pending"]["unaccounted"], said["pending"]["total"]) == (0, 4)
    assert Counter(each["place"] for each in world.call("status", query={"full": "1"}).body["approvals"]) == {
        "announced": 1,
        "parked": 1,
        "retry": 1,
        "waiting": 1,
    }


def test_where_coupa_is_away_the_status_still_says_what_the_ledger_knows() -> None:
    world = World()
    world.requisition(JAMIE)
    world.sweep()
    world.coupa.front.fail("answer", status=503, times=None)

    said = world.call("status")

    assert said.status == 200
    assert (said.body["is_proved"], said.body["pending"]["failure"]) == (False, "coupa_503")
    assert groups(said.body) == {("announced", ""): 1}


@pytest.mark.parametrize("query", [{"full": "yes"}, {"after": "-1"}, {"after": "x"}])
def test_a_status_that_is_asked_for_wrongly_is_refused(query: dict[str, str]) -> None:
    reply = World().call("status", query=query)

    assert (reply.status, reply.body["error"]) == (400, "bad_switch" if "full" in query else "bad_after")


def test_the_figures_are_among_the_values() -> None:
    assert spread([]) == {"median_s": 0.0, "p95_s": 0.0, "longest_s": 0.0}
    assert spread(range(1, 101)) == {"median_s": 50, "p95_s": 95, "longest_s": 100}
    assert spread([5.04]) == {"median_s": 5.0, "p95_s": 5.0, "longest_s": 5.0}
