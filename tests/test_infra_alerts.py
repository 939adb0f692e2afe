"""Each alert is raised by its own fault, by nothing else, and ends after the repair.

The queries are the deployed ones; the bridge writes the lines, on the simulators.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from audit_log_contract import rewrite
from bridge import World
from infra.rules import of_type
from infra.snapshots import loaded
from infra.watch import ALERTS, PLACES, ROOT, Watch, watched

from coupa_core import app
from coupa_core.audit_log import MemoryAuditStore
from coupa_core.errors import Unavailable
from coupa_core.ledger import MemoryStore, Status
from infra import kusto

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class LockableStore(MemoryStore):
    """A store that can be closed to the app, as a table without the role is."""

    is_locked = False

    def status(self) -> Status:
        """Refuse while locked."""
        if self.is_locked:
            raise Unavailable("ledger_403", "cannot read: the table service answered 403")
        return super().status()


@pytest.fixture
def store() -> LockableStore:
    return LockableStore()


@contextmanager
def working(store: LockableStore) -> Iterator[Watch]:
    """Watch a bridge that has worked well for 20 minutes."""
    world = World(store=store)
    world.requisition("robin@example.com")
    with pytest.MonkeyPatch.context() as patch, watched(world) as watch:
        patch.setattr(app, "_built", [world.bridge])
        watch.sweeps(20)
        assert [name for name, _ in watch.mails] == ["audit-begun"]
        watch.mails.clear()
        yield watch


@pytest.fixture
def watch(store: LockableStore) -> Iterator[Watch]:
    """Yield the watch over such a bridge."""
    with working(store) as watch:
        yield watch


def click(watch: Watch) -> int:
    """Approve what the last notice offers, and return the status of the answer."""
    card = watch.world.moveworks.delivered[-1]
    headers = {"X-Actor-Email": card.recipient, "X-Action-Token": card.slots["action_token"]}
    return watch.call("POST", f"approvals/{card.slots['approval_id']}/approve", headers=headers).status_code


def test_while_all_is_well_nothing_is_raised(watch: Watch) -> None:
    assert watch.call("GET", "health").status_code == 200
    assert click(watch) == 200
    watch.sweeps(2)

    assert watch.raised() == set()
    assert len(watch.tables["traces"]) > 20


def coupa_answers_500(watch: Watch) -> None:
    watch.world.coupa.front.fail("answer", status=500, times=None)


def coupa_is_cut_off(watch: Watch) -> None:
    watch.world.coupa.front.fail("cut", times=None)


def coupa_refuses_the_client(watch: Watch) -> None:
    watch.world.coupa.front.fail("answer", status=401, times=None)


def coupa_lacks_a_scope(watch: Watch) -> None:
    watch.world.coupa.front.fail("answer", path="/api/", status=403, times=None)


def moveworks_refuses_the_key(watch: Watch) -> None:
    watch.world.moveworks.front.fail("answer", status=401, times=None)


def moveworks_answers_500(watch: Watch) -> None:
    watch.world.moveworks.front.fail("answer", status=500, times=None)


def moveworks_is_cut_off(watch: Watch) -> None:
    watch.world.moveworks.front.fail("cut", times=None)


def moveworks_is_elsewhere(watch: Watch) -> None:
    details = {"status": 302, "headers": {"Location": "https://elsewhere.test"}}
    watch.world.moveworks.front.fail("answer", times=None, **details)


def moveworks_does_not_know_the_event(watch: Watch) -> None:
    watch.world.moveworks.event_id = "another"


def moveworks_refuses_the_message(watch: Watch) -> None:
    watch.world.moveworks.front.fail("answer", path="send", status=400, times=None)


def moveworks_loses_the_answer(watch: Watch) -> None:
    watch.world.moveworks.front.fail("lose", path="send", times=None)


@pytest.mark.parametrize(
    ("breaks", "minutes", "raised"),
    [
        (coupa_answers_500, 11, {"no-complete-sweep"}),
        (coupa_is_cut_off, 11, {"no-complete-sweep"}),
        (coupa_refuses_the_client, 11, {"no-complete-sweep", "credentials-refused"}),
        (coupa_lacks_a_scope, 11, {"no-complete-sweep", "credentials-refused"}),
        (moveworks_refuses_the_key, 20, {"credentials-refused", "not-told"}),
        (moveworks_is_elsewhere, 2, {"credentials-refused"}),
        (moveworks_does_not_know_the_event, 20, {"credentials-refused", "not-told"}),
        (moveworks_answers_500, 12, {"moveworks-out-of-reach", "outcome-unknown"}),
        (moveworks_is_cut_off, 12, {"moveworks-out-of-reach", "outcome-unknown"}),
        # Eight refusals, each time later: 1, 2, 4 ... 60 minutes.
        (moveworks_refuses_the_message, 200, {"approval-parked", "not-told"}),
        (moveworks_loses_the_answer, 2, {"outcome-unknown"}),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_what_breaks_raises_its_alert_until_it_is_mended(
    watch: Watch, breaks: Callable[[Watch], None], minutes: int, raised: set[str]
) -> None:
    event_id = watch.world.moveworks.event_id
    watch.world.requisition("jamie@example.com")
    breaks(watch)
    seen: set[str] = set()
    for _ in range(minutes):
        watch.sweeps(1)
        seen |= watch.raised()
    assert seen == raised

    watch.world.coupa.front.heal()
    watch.world.moveworks.front.heal()
    watch.world.moveworks.event_id = event_id
    watch.sweeps(20)

    assert watch.raised() == set()


def test_a_table_without_rights_is_a_refused_credential(watch: Watch, store: LockableStore) -> None:
    store.is_locked = True
    watch.sweeps(11)
    assert watch.raised() == {"no-complete-sweep", "credentials-refused"}

    store.is_locked = False
    watch.sweeps(20)
    assert watch.raised() == set()


def test_a_bridge_that_stands_still_raises_the_alert_of_missing_sweeps(watch: Watch) -> None:
    watch.world.clock.advance(601)

    assert watch.raised() == {"no-complete-sweep"}

    watch.sweeps(1)
    assert watch.raised() == set()


def test_a_decision_that_cannot_be_read_back_raises_the_alert_of_unknown_outcomes(watch: Watch) -> None:
    front = watch.world.coupa.front
    front.fail("lose", method="PUT", times=None)
    for path in ("/approvals", "/requisitions"):
        front.fail("cut", method="GET", path=path, times=None, skip=1)

    assert click(watch) == 200
    watch.sweeps(1)
    assert watch.raised() == {"outcome-unknown"}

    front.heal()
    watch.sweeps(20)
    assert watch.raised() == set()


def test_a_few_wrong_keys_are_a_mistake_and_many_are_an_alarm(watch: Watch) -> None:
    path = "approvals?approver_email=robin@example.com"
    for _ in range(19):
        assert watch.call("GET", path, key="wrong").status_code == 401
    assert watch.raised() == set()

    watch.call("GET", path, key="wrong")
    assert watch.raised() == {"refused-callers"}

    watch.sweeps(20)
    assert watch.raised() == set()


def test_wrong_tokens_count_as_refused_callers_too(watch: Watch) -> None:
    headers = {"X-Actor-Email": "robin@example.com", "X-Action-Token": "v1.k1.made.up"}
    for _ in range(20):
        assert watch.call("POST", "approvals/1/approve", headers=headers).status_code == 403

    assert watch.raised() == {"refused-callers"}


def test_clicks_that_end_with_5xx_raise_their_alert(watch: Watch) -> None:
    watch.world.coupa.front.fail("answer", status=500, times=None)
    for _ in range(3):
        assert click(watch) == 503

    assert watch.raised() == {"server-errors"}

    watch.world.coupa.front.heal()
    watch.sweeps(20)
    assert watch.raised() == set()


def test_health_that_is_red_is_not_counted_as_a_server_error(watch: Watch) -> None:
    watch.world.clock.advance(901)
    for _ in range(5):
        assert watch.call("GET", "health").status_code == 503

    assert watch.raised() == {"no-complete-sweep"}


def is_raised(watch: Watch) -> bool:
    """Tell whether the availability test raises its alert now."""
    return "health" in watch.raised()


def test_one_crowded_minute_is_no_outage_even_where_it_meets_every_place(watch: Watch) -> None:
    for minute in range(20):
        watch.sweeps(1)
        if minute % 5 == 0:
            for place in PLACES:
                watch.probe(place, full=minute == 5)
        assert not is_raised(watch)


def test_a_host_that_stays_full_is_told_within_a_quarter_of_an_hour(watch: Watch) -> None:
    told_after = []
    for minute in range(15):
        watch.sweeps(1)
        if minute % 5 == 0:
            for place in PLACES:
                watch.probe(place, full=True)
        told_after += [minute] if is_raised(watch) else []

    assert told_after[0] == 5  # with the second question of each place
    for _ in range(4):
        watch.sweeps(5)
        for place in PLACES:
            watch.probe(place)
    assert not is_raised(watch)


def test_one_place_that_cannot_reach_the_app_is_no_outage(watch: Watch) -> None:
    for _ in range(4):
        watch.sweeps(5)
        for place in PLACES:
            watch.probe(place, full=place == PLACES[0])

    assert not is_raised(watch)


def test_a_bridge_that_stops_sweeping_is_told_by_the_availability_test(watch: Watch) -> None:
    for _ in range(5):
        watch.world.clock.advance(300)
        for place in PLACES:
            watch.probe(place)

    assert is_raised(watch)


def test_each_place_asks_as_often_as_the_window_of_its_alert_takes_for_granted() -> None:
    [test] = of_type(loaded()["events-all"], "Microsoft.Insights/webtests")

    assert (test["properties"]["Frequency"], len(test["properties"]["Locations"])) == (300, len(PLACES))
    [alert] = [each for each in ALERTS if each["name"] == "health"]
    assert alert["window"] == "PT15M"


def approves(watch: Watch, email: str) -> int:
    """Approve, in one person's name, all that waits for them, by the key alone."""
    headers = {"X-Actor-Email": email}
    statuses = []
    for card in watch.call("GET", "approvals", headers=headers).json()["approvals"]:
        signed = {**headers, "X-Action-Token": card.get("action_token", "")}
        path = f"approvals/{card['approval_id']}/approve"
        statuses.append(watch.call("POST", path, headers=signed).status_code)
    return statuses.count(200)


def test_one_caller_who_approves_for_forty_people_in_some_minutes_is_an_alarm(watch: Watch) -> None:
    people = [f"person{number}@example.com" for number in range(40)]
    for email in people:
        watch.world.requisition(email)
    watch.sweeps(1)
    seen = []
    for email in people:
        watch.world.clock.advance(5)
        assert approves(watch, email) == 1
        seen.append("many-people" in watch.raised())

    assert watch.raised() == {"many-people"}
    assert seen.index(True) == 29  # with the thirtieth person
    lines = [row["message"] for row in watch.tables["traces"] if row["message"].startswith("served ")]
    assert len(lines) == 80
    assert not any("person1" in line or "@" in line for line in lines)

    watch.sweeps(20)
    assert watch.raised() == set()


def test_many_requests_for_few_people_are_no_alarm(watch: Watch) -> None:
    for number in range(120):
        headers = {"X-Actor-Email": f"person{number % 29}@example.com"}
        assert watch.call("GET", "approvals", headers=headers).status_code == 200

    assert watch.raised() == set()


def record_of(watch: Watch) -> MemoryAuditStore:
    """Return the audit record, which somebody with rights to its table could change."""
    audit_log = watch.world.audit_store
    assert isinstance(audit_log, MemoryAuditStore)
    return audit_log


def happens(watch: Watch) -> None:
    """Let something happen that is recorded: somebody is told."""
    watch.world.requisition("jamie@example.com")
    watch.sweeps(1)


def test_a_record_that_takes_no_event_is_an_alarm(watch: Watch) -> None:
    rewrite(watch.world.audit_store, kid="k0", actor="mallory@example.com")

    happens(watch)
    assert "audit-not-recorded" in watch.raised()


def test_a_decision_that_the_record_refuses_is_an_alarm(watch: Watch) -> None:
    rewrite(watch.world.audit_store, kid="k0", actor="mallory@example.com")

    assert click(watch) == 502
    assert watch.raised() == {"audit-not-recorded"}


def test_a_record_that_goes_on_twice_from_one_place_is_an_alarm(watch: Watch) -> None:
    audit_log = record_of(watch)
    before = deepcopy(audit_log.days)
    happens(watch)
    assert watch.raised() == set()

    audit_log.days = before
    happens(watch)
    assert watch.raised() == {"audit-set-back"}

    watch.sweeps(24 * 60, apart=60)
    watch.sweeps(20)
    assert watch.raised() == set()


def test_a_record_that_is_begun_anew_is_an_alarm(watch: Watch) -> None:
    record_of(watch).days.clear()

    happens(watch)
    assert watch.raised() == {"audit-begun", "audit-set-back"}  # on the zeros again, as this morning

    watch.sweeps(20)
    assert watch.raised() == {"audit-set-back"}


def test_an_alert_that_is_added_needs_a_test_here() -> None:
    assert {alert["name"] for alert in ALERTS} == {
        *("no-complete-sweep", "not-told", "credentials-refused", "moveworks-out-of-reach"),
        *("approval-parked", "outcome-unknown", "refused-callers", "server-errors", "many-people"),
        *("audit-not-recorded", "audit-set-back", "audit-begun", "health"),
    }


def tiles() -> dict[str, str]:
    """Return the queries of the workbook by the name of their tile."""
    items = json.loads((ROOT / "infra" / "workbook.json").read_text("utf-8"))["items"]
    return {item["name"]: item["content"]["query"] for item in items if item["type"] == 3}


@pytest.fixture(scope="module")
def afternoon() -> Watch:
    """Return what was seen of some hours with a click and a message that Moveworks refuses."""
    with working(LockableStore()) as watch:
        click(watch)
        watch.world.requisition("jamie@example.com")
        moveworks_refuses_the_message(watch)
        watch.sweeps(200)
    return watch


@pytest.mark.parametrize("name", tiles())
def test_every_tile_of_the_workbook_shows_something_of_a_real_run(afternoon: Watch, name: str) -> None:
    rows = kusto.run(tiles()[name], afternoon.tables, now=afternoon.world.clock.now())

    assert rows
    columns = set().union(*rows)
    empty = {column for column in columns if all(row[column] in (None, "") for row in rows)}
    assert empty - {"no_recipient", "not_your_turn"} == set()


def test_the_tile_of_approvals_shows_who_waits_and_for_what() -> None:
    world = World()
    world.requisition("jamie@example.com", "robin@example.com")
    with watched(world) as watch:
        watch.sweeps(5)
        rows = kusto.run(tiles()["approvals"], watch.tables, now=world.clock.now())

    assert max(row["pending"] for row in rows) == 2
    assert sum(row["announced"] for row in rows) == 1
    assert max(row["not_your_turn"] or 0 for row in rows) == 1


def tile(watch: Watch, name: str) -> list[dict[str, Any]]:
    """Return what a tile shows of all that was watched."""
    return kusto.run(tiles()[name], watch.tables, now=watch.world.clock.now())


def test_the_tile_of_ages_moves_an_approval_on_as_it_waits() -> None:
    world = World()
    world.requisition("jamie@example.com")
    shown = []
    with watched(world) as watch:
        for passed_s in (0, 7_200, 2 * 86_400, 7 * 86_400):
            world.clock.advance(passed_s)
            world.sweep()
            shown.append(tile(watch, "pending-by-age")[-1])
        world.coupa.front.fail("answer", path="/api/approvals", status=500, times=None)
        world.clock.advance(600)
        world.sweep()
        last = tile(watch, "pending-by-age")[-1]

    names = ("under_1_hour", "under_1_day", "under_7_days", "older")
    assert [[each[name] for name in names] for each in shown] == [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    ]
    assert last == shown[-1]  # a sweep that could not list them all says nothing of their number


def test_the_tile_of_waits_splits_them_by_whom_they_waited_for(watch: Watch) -> None:
    watch.world.requisition("jamie@example.com")
    watch.world.clock.advance(240)
    watch.sweeps(1)
    watch.world.clock.advance(3_600)
    watch.world.coupa.front.latency_s = 0.5
    assert click(watch) == 200
    watch.world.coupa.front.latency_s = 0.0
    headers = {"X-Actor-Email": "robin@example.com", "X-Action-Token": "v1.k1.made.up"}
    watch.call("POST", "approvals/1/approve", headers=headers)

    [shown] = tile(watch, "waits")

    assert shown["decisions"] == 1
    assert 300 <= shown["queue_median_s"] == shown["queue_p95_s"] <= 310
    assert shown["click_median_s"] == shown["click_p95_s"] == 3_600
    assert 3 <= shown["write_median_s"] == shown["write_p95_s"] <= 10


def test_the_tile_of_calls_shows_what_reached_each_service_by_sweeps_and_by_clicks(watch: Watch) -> None:
    fronts = {"coupa": watch.world.coupa.front, "moveworks": watch.world.moveworks.front}
    watch.world.requisition("jamie@example.com")
    for front in fronts.values():
        front.fail("answer", status=500, times=1)
        front.fail("cut", times=1, skip=1)
    watch.sweeps(5)
    click(watch)

    shown = tile(watch, "calls")

    for name, front in fronts.items():
        errors = sum(call.status not in range(200, 300) for call in front.calls)
        assert sum(row[f"{name}_calls"] for row in shown) == len(front.calls)
        assert sum(row[f"{name}_errors"] for row in shown) == errors >= 2


def test_the_tile_of_all_counts_takes_no_id_for_a_number(watch: Watch) -> None:
    names = {row["name"] for row in tile(watch, "sweep-counts")}

    assert {"seen", "sent", "pending_1h", "coupa_calls", "moveworks_calls"} <= names
    assert names.isdisjoint({"sweep_id", "duration_s"})
    begun = [row["message"] for row in watch.tables["traces"] if " sweep_id=" in row["message"]]
    assert any(re.search(r" sweep_id=\d", line) for line in begun)


@pytest.mark.skipif(
    not (shutil.which("node") and (kusto.SERVICE.parent / "node_modules").exists()),
    reason="the queries were not checked by Microsoft's service: `npm ci` in tests/infra installs it",
)
def test_microsofts_language_service_finds_nothing_in_any_query_and_sees_faults() -> None:
    queries = {alert["name"]: alert["query"] for alert in ALERTS} | tiles()
    faulty = {
        "keyword": "traces | summarize last = count() | project last",
        "column": "traces | where mesage == 'x'",
        "function": "traces | extend n = guess(message)",
        "type": "requests | where duration startswith 'x'",
    }

    done = subprocess.run(
        ["node", kusto.SERVICE],
        input=json.dumps(queries | faulty),
        capture_output=True,
        text=True,
        check=True,
    )

    said = json.loads(done.stdout)
    assert {name: each for name, each in said.items() if each and name not in faulty} == {}
    assert all(said[name] for name in faulty)
    assert len(queries) > 20


def test_the_interpreter_refuses_what_it_does_not_know() -> None:
    for query in (
        "traces | take 5",
        "traces | where guess(message)",
        "traces | summarize n = stdev(message)",
    ):
        with pytest.raises(ValueError, match=r"operator|function|aggregate"):
            kusto.run(query, {"traces": [{"message": "x"}]}, now=NOW)


def test_the_interpreter_groups_as_kusto_does() -> None:
    rows = [{"timestamp": NOW, "message": f"n={n}"} for n in (1, 2, 3)]
    query = (
        r'traces | extend n = toint(extract(@"n=(\d)", 1, message)) | summarize all = count(), top = max(n)'
    )

    assert kusto.run(query, {"traces": rows}, now=NOW) == [{"all": 3, "top": 3}]
    assert kusto.run(query, {"traces": []}, now=NOW) == [{"all": 0, "top": None}]
    assert kusto.run(f"{query} by bin(timestamp, 5m)", {"traces": []}, now=NOW) == []


# What is mailed.


def parked_mails(watch: Watch) -> list[tuple[str, str]]:
    """Return the mails about what was parked; that nothing was told before is mailed, too."""
    return [mail for mail in watch.mails if mail[0] == "approval-parked"]


def test_two_approvals_parked_eight_minutes_apart_are_two_mails_that_name_them(watch: Watch) -> None:
    moveworks_refuses_the_message(watch)
    watch.world.requisition("jamie@example.com")
    watch.sweeps(8)
    watch.world.requisition("bea@example.com")
    watch.sweeps(240)

    lines = [row for row in watch.tables["traces"] if row["message"].startswith("approval parked")]
    first, second = (re.findall(r"approval_id=(\d+)", row["message"])[0] for row in lines)
    assert first != second
    apart = lines[1]["timestamp"] - lines[0]["timestamp"]
    assert timedelta(minutes=7) < apart < timedelta(minutes=9)
    assert parked_mails(watch) == [("approval-parked", first), ("approval-parked", second)]


def test_an_approval_that_is_parked_again_is_mailed_again(watch: Watch) -> None:
    moveworks_refuses_the_message(watch)
    watch.world.requisition("jamie@example.com")
    watch.sweeps(240)
    [mail] = parked_mails(watch)

    watch.sweeps(24 * 60, apart=5)

    assert parked_mails(watch) == [mail, mail]


def test_each_unknown_outcome_is_mailed_once_and_named(watch: Watch) -> None:
    decided = watch.world.moveworks.delivered[-1].slots["approval_id"]
    front = watch.world.coupa.front
    front.fail("lose", method="PUT", times=None)
    for path in ("/approvals", "/requisitions"):
        front.fail("cut", method="GET", path=path, times=None, skip=1)
    assert click(watch) == 200
    front.heal()
    watch.sweeps(8)
    watch.world.moveworks.front.fail("lose", path="send")
    watch.world.requisition("jamie@example.com")
    watch.sweeps(30)

    [line] = [row["message"] for row in watch.tables["traces"] if " unknown=1" in row["message"]]
    [sweep] = re.findall(r"sweep_id=(\S+)", line)
    assert watch.mails == [("outcome-unknown", decided), ("outcome-unknown", sweep)]


def test_a_record_set_back_twice_in_a_day_is_two_mails_and_begun_anew_another(watch: Watch) -> None:
    audit_log = record_of(watch)
    for _ in range(2):
        before = deepcopy(audit_log.days)
        happens(watch)
        audit_log.days = before
        happens(watch)
        watch.sweeps(30)
    places = [value for name, value in watch.mails if name == "audit-set-back"]
    assert (len(watch.mails), len(set(places))) == (2, 2)

    audit_log.days.clear()
    happens(watch)
    watch.sweeps(30)

    names = [name for name, _ in watch.mails[2:]]
    assert names == ["audit-set-back", "audit-begun"]


def test_a_state_is_mailed_when_it_begins_and_again_only_after_it_was_over(watch: Watch) -> None:
    for _ in range(2):
        coupa_answers_500(watch)
        watch.sweeps(40)
        watch.world.coupa.front.heal()
        watch.sweeps(30)

    assert watch.mails == [("no-complete-sweep", ""), ("not-told", "")] * 2


OWED = "owed count=3 oldest_s=%d causes=document_coupa_500:2,no_room:1"


def owes(watch: Watch, *, minutes: int, level: int = logging.ERROR) -> None:
    """Let sweeps write what they owe, as they do from 15 minutes on."""
    for minute in range(minutes):
        watch.sweeps(1)
        logging.getLogger("coupa_core.sweep").log(level, OWED, 900 + 60 * minute)


def test_what_is_owed_for_a_quarter_of_an_hour_is_mailed_within_five_minutes_more(watch: Watch) -> None:
    owes(watch, minutes=1)
    assert watch.raised() == {"not-told"}
    owes(watch, minutes=5)
    assert watch.mails == [("not-told", "")]

    owes(watch, minutes=60)
    assert watch.mails == [("not-told", "")]


def test_what_was_owed_and_is_told_is_over_by_itself(watch: Watch) -> None:
    owes(watch, minutes=10)
    watch.sweeps(10)
    assert watch.raised() == set()

    watch.sweeps(15)
    owes(watch, minutes=10)
    assert watch.mails == [("not-told", "")] * 2


def test_what_is_owed_for_less_is_no_alarm(watch: Watch) -> None:
    owes(watch, minutes=10, level=logging.WARNING)

    assert watch.raised() == set()


def test_the_alert_says_how_much_is_owed_for_how_long_and_why(watch: Watch) -> None:
    owes(watch, minutes=1)

    [alert] = [each for each in ALERTS if each["name"] == "not-told"]
    [row] = watch.rows_of(alert)
    assert (alert["severity"], alert["window"], alert["has_state"]) == (1, "PT10M", True)
    said = (row["owed"], row["oldest_s"], row["causes"])
    assert said == (3, 900, "document_coupa_500:2,no_room:1")
