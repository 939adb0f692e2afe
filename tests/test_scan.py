"""A sweep's reads from Coupa: the changes, and the list of all pending approvals, part by part."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, World
from unruly import Spoiled, after, before

from coupa_core.ledger import Entry, Reading, State, Status
from coupa_core.sweep.scan import SMALL_CALLS

JSON = {"Content-Type": "application/json"}
MANY = 180
"""More than a list that is read in every sweep."""


class Fast(World):
    """A world in which Coupa may be asked often."""

    def __post_init__(self) -> None:
        self.settings = {"MOVEWORKS_MAX_PER_MINUTE": "110", "COUPA_MAX_PER_SECOND": "25", **self.settings}
        super().__post_init__()


def crowd(world: World, number: int = MANY) -> None:
    """Let so many approvals wait, of twelve people, all of them told, for so long that nothing is young."""
    for count in range(number):
        world.requisition(f"approver{count % 12}@example.com")
    for _ in range(20):
        world.sweep()
        world.clock.advance(60)
        if len(world.moveworks.delivered) >= number:
            break
    for seconds in (840, 60, 600):
        world.clock.advance(seconds)
        world.sweep()
    world.clock.advance(60)


def calls(world: World, work: Callable[[], object]) -> list[str]:
    """Return the paths that were asked of Coupa meanwhile, tokens aside."""
    before = len(world.coupa.front.calls)
    work()
    return [each.path for each in world.coupa.front.calls[before:] if each.path.startswith("/api/")]


def lists(world: World, work: Callable[[], object]) -> int:
    """Return how many pages of the list of all that waits were read meanwhile."""
    before = len(world.coupa.front.calls)
    work()
    return sum(
        "/api/approvals" in each.path and "status=pending" in each.query and "updated_at" not in each.query
        for each in world.coupa.front.calls[before:]
        if "id%5Bin%5D" not in each.query
    )


@pytest.mark.slow
def test_a_sweep_in_which_nothing_changed_asks_little_and_reads_no_list() -> None:
    world = Fast()
    crowd(world)

    assert lists(world, world.sweep) == 0
    assert len(calls(world, world.sweep)) <= 5
    assert world.store.status().is_complete


def test_a_small_list_is_read_in_every_sweep() -> None:
    world = Fast()
    crowd(world, 60)

    assert 1 <= lists(world, world.sweep) <= SMALL_CALLS
    assert world.store.status().last_complete_at == world.clock.now()


def test_what_is_new_is_told_in_the_next_sweep_though_no_list_is_read() -> None:
    world = Fast()
    crowd(world)
    world.requisition(JAMIE)

    world.clock.advance(1)

    assert lists(world, world.sweep) == 0
    assert world.moveworks.delivered[-1].recipient == JAMIE


@pytest.mark.slow
def test_what_is_decided_in_coupa_is_closed_in_the_next_sweep() -> None:
    world = Fast(settings={"CLOSING_NOTICE": "always"})
    crowd(world)
    row = world.store.open_entries().entries[0]
    world.in_coupa(row.approval_id, ROBIN)

    assert lists(world, world.sweep) == 0
    assert world.store.read(row.approval_id) is None
    assert world.moveworks.delivered[-1].recipient == "approver0@example.com"


@pytest.mark.slow
def test_an_edit_is_told_in_the_next_sweep() -> None:
    world = Fast()
    crowd(world)
    row = world.store.open_entries().entries[0]
    world.coupa.world.edit_line(row.document_id or 0, 0, quantity="3")

    assert lists(world, world.sweep) == 0
    assert "2,700" in world.moveworks.delivered[-1].message


@pytest.mark.slow
def test_the_whole_list_is_read_every_ten_minutes() -> None:
    world = Fast()
    crowd(world)
    read = []
    for _ in range(30):
        read.append(lists(world, world.sweep) > 0)
        world.clock.advance(60)

    assert 3 <= sum(read) <= 4


@pytest.mark.slow
def test_the_setting_says_how_often() -> None:
    world = Fast(settings={"FULL_LIST_MINUTES": "1"})
    crowd(world)

    assert lists(world, world.sweep) > 0


@pytest.mark.slow
def test_a_quiet_sweep_does_not_read_every_row() -> None:
    world, asked, rows = Fast(), list[str](), list[Entry]()
    crowd(world)
    before(world.store, "open_entries", lambda since="", *_: asked.append(since))
    after(world.store, "open_entries", lambda opened: rows.extend(opened.entries))

    world.sweep()

    assert asked
    assert all(asked)  # newer rows only
    assert len(rows) < 10


@pytest.mark.slow
def test_what_an_operator_changes_in_a_row_is_seen_by_a_sweep_that_keeps_rows() -> None:
    world = Fast()
    crowd(world)
    row = world.store.open_entries().entries[0]
    reply = world.call(
        "resend", route={"approval_id": str(row.approval_id)}, headers={"X-Actor-Email": "ops@example.com"}
    )

    assert reply.status == 200
    assert world.told() == ["approver0@example.com"]


@pytest.mark.slow
def test_a_row_that_another_process_changed_or_closed_is_read_anew() -> None:
    world = Fast()
    crowd(world)
    first, second = world.store.open_entries().entries[:2]
    world.in_coupa(first.approval_id, ROBIN)
    keeping = world.bridge
    world.restart()
    world.sweep()  # the other process
    world.bridge = keeping

    world.minutes(1)
    world.clock.advance(60)
    summary = world.sweep()

    assert world.store.read(first.approval_id) is None
    assert world.store.read(second.approval_id) is not None
    assert not summary.failure
    assert "lost_race" not in summary.counts


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 8])
def test_a_backlog_is_told_from_the_first_sweep_on_though_the_list_takes_several(workers: int) -> None:
    world = Fast(workers=workers)
    for count in range(700):
        world.requisition(f"approver{count}@example.com")
    world.coupa.front.latency_s = 0.25 if workers == 1 else 0.5
    sent = []
    for _ in range(40):
        before = len(world.moveworks.delivered)
        world.sweep()
        sent.append(len(world.moveworks.delivered) - before)
        world.clock.advance(61)
        if sum(sent) == 700:
            break

    assert sent[0] > 0
    assert Counter(each.recipient for each in world.moveworks.delivered).total() == 700
    assert all(sent)


def test_a_new_process_goes_on_where_the_list_was_left() -> None:
    world = Fast()
    for count in range(900):
        world.requisition(f"approver{count}@example.com")
    world.coupa.front.latency_s = 1.0
    first = lists(world, world.sweep)
    status = world.store.status()
    assert status.last_complete_at is None
    assert Reading.of(status.reading) is not None

    read = first
    for _ in range(10):
        world.restart()
        world.clock.advance(10)
        read += lists(world, world.sweep)
        if world.store.status().last_complete_at:
            break

    assert read <= 900 / 50 + 3


@pytest.mark.slow
def test_what_is_gone_is_closed_when_the_list_came_by_it_though_no_stamp_shows_it() -> None:
    world = Fast()
    crowd(world)
    row = world.store.open_entries().entries[0]
    world.coupa.world.approval(row.approval_id).status = "approved"  # and its stamp stays
    world.sweep()
    assert world.store.read(row.approval_id) is not None

    world.minutes(11)

    assert world.store.read(row.approval_id) is None


STAMPS = [
    pytest.param(lambda now: now - timedelta(minutes=30), id="late"),
    pytest.param(lambda now: now - timedelta(days=400), id="ancient", marks=pytest.mark.slow),
    pytest.param(lambda _: None, id="missing", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("stamped", STAMPS)
def test_what_only_the_list_shows_is_told_counted_and_makes_every_sweep_read_the_list_for_a_day(
    stamped: Callable[[datetime], Any], caplog: pytest.LogCaptureFixture
) -> None:
    world = Fast()
    crowd(world)
    world.minutes(3)
    for approval in world.coupa.world.approvals_of(world.requisition(JAMIE)):
        approval.updated_at = stamped(world.clock.now())
    caplog.set_level(logging.ERROR)

    minutes = 0
    while JAMIE not in {each.recipient for each in world.moveworks.delivered}:
        minutes += 1
        assert minutes <= 11
        world.sweep()
        world.clock.advance(60)

    assert "approvals missed by their stamps count=1" in caplog.text
    said = world.call("status").body["reading"]
    assert said["missed"] == 1
    assert lists(world, world.sweep) > 0
    world.clock.advance(86_400)
    world.minutes(3)
    assert lists(world, world.sweep) == 0
    assert world.call("status").body["reading"]["missed"] == 0


@pytest.mark.slow
def test_a_new_approval_that_the_list_shows_before_it_could_be_asked_for_is_not_missed() -> None:
    world = Fast(settings={"FULL_LIST_MINUTES": "1"})
    crowd(world)
    for _ in range(5):
        world.requisition(JAMIE)
        world.sweep()
        world.clock.advance(60)

    assert world.store.status().missed == 0


@pytest.mark.slow
def test_types_that_are_wanted_from_now_on_are_not_missed() -> None:
    world = Fast(settings={"DOCUMENT_TYPES": "RequisitionHeader"})
    crowd(world)
    ann = world.person("ann@example.com")
    for _ in range(3):
        world.coupa.world.add_document(approvable_type="InvoiceHeader", approvers=[ann])
    world.clock.advance(3600)
    world.change(DOCUMENT_TYPES="*")
    world.minutes(12)

    assert [each.recipient for each in world.moveworks.delivered[-3:]] == ["ann@example.com"] * 3
    assert world.store.status().missed == 0


def test_while_the_list_does_not_come_to_its_end_health_is_red_and_the_alarm_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Fast()
    crowd(world)
    world.coupa.front.latency_s = 21.0  # each question takes longer than half of the time of a part
    caplog.set_level(logging.ERROR)
    for _ in range(45):
        world.sweep()
        world.clock.advance(30)

    assert world.call("health").status == 503
    assert "list_late" in caplog.text or "no_list" in caplog.text


BROKEN: list[dict[str, Any]] = [
    {},
    {"began_at": "x"},
    {"began_at": "2026-11-23T09:00:00+00:00"},
    {"began_at": "2026-11-23T09:00:00+00:00", "asked_at": "2026-11-23T09:00:00+00:00", "unread": [[1]]},
    {
        "began_at": "2026-11-23T09:00:00+00:00",
        "asked_at": "2026-11-23T09:00:00+00:00",
        "unread": [],
        "failed": [],
        "of_another_release": 1,
    },
]


@pytest.mark.parametrize("values", BROKEN, ids=str)
def test_a_reading_that_cannot_be_understood_begins_anew(values: dict[str, Any]) -> None:
    assert Reading.of(values) is None
    world = Fast()
    world.requisition(JAMIE)
    world.store.save_status(Status(reading=values, edits={"RequisitionHeader": values}))

    assert world.told() == [JAMIE]


def test_a_reading_is_written_and_read_the_same() -> None:
    at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    reading = Reading(at, at, ["*"], [(1, 10**19 - 1)], [(3, 4)], 5, 6, "2026", was_clean=True)

    assert Reading.of(reading.values()) == reading


@pytest.mark.slow
def test_edits_of_many_types_take_turns_within_few_questions() -> None:
    world = Fast(settings={"DOCUMENT_TYPES": "*"})
    kinds = ["ExpenseReport", "InvoiceHeader", "OrderHeaderChange", "Contract", "EasyFormResponse"]
    for kind in kinds:
        for _ in range(3):
            world.coupa.world.add_document(approvable_type=kind, approvers=[world.person(JAMIE)])
    crowd(world)
    asked: Counter[str] = Counter()
    for _ in range(4):
        found = calls(world, world.sweep)
        assert len(found) <= 5
        asked.update(found)
        world.clock.advance(60)

    questions = {path: number for path, number in asked.items() if path != "/api/approvals"}
    assert len(questions) == 6


@pytest.mark.slow
def test_rows_of_closed_approvals_are_not_kept() -> None:
    world = Fast()
    crowd(world)
    for row in world.store.open_entries().entries[:10]:
        world.in_coupa(row.approval_id, ROBIN)
    world.sweep()
    states = Counter(row.state for row in world.store.open_entries().entries)

    assert states == {State.SENT: MANY - 10}
    world.clock.advance(60)
    assert world.sweep().counts.get("closed", 0) == 0


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(0, id="oldest", marks=pytest.mark.slow),
        pytest.param(MANY // 2, id="middle"),
        pytest.param(MANY - 1, id="newest", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("workers", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_an_approval_that_no_list_can_show_keeps_nobody_else_from_being_told(
    workers: int, place: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a page nor its ids come, whenever it is on it: it is found by halves."""
    caplog.set_level(logging.ERROR)
    world = Fast(workers=workers)
    for count in range(MANY):
        world.requisition(f"approver{count}@example.com")
    numbers = sorted(world.coupa.world.approvals.rows)
    world.coupa.poison = {("approvals", numbers[place]): "500"}
    world.coupa.spoils_ids = True
    world.coupa.poison |= {("approval", numbers[place]): "500"}

    for _ in range(8):
        world.sweep()
        world.clock.advance(61)
    told = {int(each.slots["approval_id"]) for each in world.moveworks.delivered}
    assert set(numbers) - told == {numbers[place]}
    row = world.entry(numbers[place])
    assert row.cause == "coupa_500"
    assert world.store.status().last_complete_at is not None

    world.clock.advance(3600)
    world.requisition(JAMIE)
    for _ in range(2):
        world.sweep()
        world.clock.advance(61)
    assert world.moveworks.delivered[-1].recipient == JAMIE


@pytest.mark.slow
def test_an_edited_document_that_no_list_can_show_hides_no_other_edit() -> None:
    world = Fast()
    crowd(world)
    first, second, *_ = world.store.open_entries().entries
    for row in (first, second):
        world.coupa.world.edit_line(row.document_id or 0, 0, quantity="3")
    world.coupa.poison = {("requisition-header", first.document_id or 0): "truncated"}
    before = len(world.moveworks.delivered)

    for _ in range(12):
        world.sweep()
        world.clock.advance(61)

    told = [each.slots["approval_id"] for each in world.moveworks.delivered[before:]]
    assert str(second.approval_id) in told
    stored = world.entry(first.approval_id)
    assert stored.failures > 0


@pytest.mark.slow
def test_what_comes_after_the_backlog_was_baselined_is_told_however_long_the_list_is() -> None:
    world = Fast(settings={"FIRST_RUN": "baseline", "DRY_RUN": "on"})
    for count in range(MANY):
        world.requisition(f"approver{count % 12}@example.com")
    world.minutes(3)
    world.change(DRY_RUN="off")
    world.sweep()
    world.clock.advance(180)
    world.requisition(JAMIE)
    world.sweep()

    assert [each.recipient for each in world.moveworks.delivered] == [JAMIE]


def test_a_draft_whose_steps_have_no_stamps_yet_is_not_missed() -> None:
    world = Fast()
    crowd(world)
    world.coupa.world.withdraw(world.requisition(JAMIE))
    draft = world.requisition(JAMIE)
    for approval in world.coupa.world.approvals_of(draft):
        approval.updated_at = None
    world.coupa.world.document(draft).status = "draft"
    world.minutes(12)

    assert world.store.status().missed == 0


def test_a_page_that_is_out_of_order_closes_nothing_and_is_read_again() -> None:
    world = World()
    for person in (JAMIE, ROBIN):
        world.requisition(person)
    known = world.coupa.world.approvals.ids
    rows = [{"id": number, "status": "pending_approval"} for number in known]
    world.coupa.front.fail(
        "answer", path="/api/approvals$", status=200, headers=JSON, body=json.dumps(rows), times=None
    )

    world.sweep()
    unread = [each.recipient for each in world.moveworks.delivered]
    world.coupa.front.heal()
    world.minutes(1)

    assert unread == []
    assert {each.recipient for each in world.moveworks.delivered} == {JAMIE, ROBIN}


@pytest.mark.slow
def test_what_comes_while_a_long_backlog_is_baselined_is_told() -> None:
    world = Fast(settings={"FIRST_RUN": "baseline"})
    for count in range(600):
        world.requisition(f"approver{count % 12}@example.com")
    world.clock.advance(3600)
    world.coupa.front.latency_s = 1.0
    world.sweep()
    assert world.store.status().first_run
    world.requisition(JAMIE)
    for _ in range(20):
        world.clock.advance(15)
        world.sweep()

    assert [each.recipient for each in world.moveworks.delivered] == [JAMIE]
    assert not world.store.status().first_run
    assert len(world.store.open_entries().entries) == 601


@pytest.mark.slow
def test_what_is_new_after_the_hour_waits_for_the_next_digest_though_the_list_was_read_before() -> None:
    world = Fast(settings={"DIGEST_AT": "09:30", "FULL_LIST_MINUTES": "60"})
    crowd(world)
    while world.clock.now().time() < time(9, 29):
        world.minutes(1)
    world.minutes(15)
    before = len(world.moveworks.delivered)
    world.requisition(JAMIE)
    world.minutes(3)

    assert len(world.moveworks.delivered) == before


@pytest.mark.slow
def test_a_row_that_is_set_aside_between_two_lists_is_made_anew_at_once() -> None:
    store = Spoiled()
    world = Fast(store=store)
    crowd(world)
    row = store.open_entries().entries[0]
    store.causes = {row.approval_id: "odd"}

    assert world.told() == ["approver0@example.com"]
    assert store.read(row.approval_id) is not None
    assert store.status().missed == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 400}], ids=str)
def test_while_coupa_does_not_say_what_changed_the_list_does(fault: dict[str, Any]) -> None:
    world = Fast()
    crowd(world)
    world.coupa.front.fail("answer", path="/api/approvals$", query="updated_at", times=None, **fault)
    world.requisition(JAMIE)

    world.minutes(2)

    assert world.moveworks.delivered[-1].recipient == JAMIE


@pytest.mark.slow
@pytest.mark.parametrize("number", [3, MANY])
def test_delegations_that_do_not_come_take_no_time_from_what_can_be_told(number: int) -> None:
    world = Fast()
    crowd(world, number)
    world.coupa.front.fail("slow", path="/api/delegations$", seconds=20, times=None)
    world.minutes(8)
    world.requisition(JAMIE)
    world.minutes(2)

    assert world.moveworks.delivered[-1].recipient == JAMIE


@pytest.mark.slow
def test_rows_that_were_given_back_unread_are_read_like_new_ones_when_coupa_is_back() -> None:
    world = Fast(settings={"DIGEST_OVER": "4"})
    crowd(world)
    world.coupa.front.fail("answer", path="/api/approvals$", query=r"id\[in\]", status=503, times=None)
    for _ in range(6):
        world.requisition(JAMIE)
    world.minutes(14)
    world.coupa.front.heal()
    before = len(world.moveworks.delivered)
    world.minutes(2)

    assert [each.recipient for each in world.moveworks.delivered[before:]] == [JAMIE]
