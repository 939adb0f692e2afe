"""The wanted day of a decision: its field, the order that it makes, and the reminders before it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from bridge import ALEX, JAMIE, ROBIN, World
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ledger_contract import row

from coupa_core.cadence import Cadence
from coupa_core.documents import DOCUMENT_MODELS, parse_document
from coupa_core.ledger import LedgerStore, MemoryStore, PersonState
from coupa_core.model import Document
from coupa_core.sweep.due import is_due_again
from sandbox.coupa.world import Group
from sandbox.moveworks import Delivered

HOUR_S, DAY_S = 3600, 86_400
BEGIN = datetime(2026, 11, 23, 9, tzinfo=UTC)
"""A Monday; when every world begins."""
BUSY = (0, 6, 7, 8, 9, 10, 11, 14, 20)
"""The hours at which days here begin and end, quiet hours aside, and those beside them, in UTC."""


# Which day.


def document(kind: str, **fields: str) -> Document:
    found = parse_document(kind, {"id": 7} | {name.replace("_", "-"): text for name, text in fields.items()})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kind", "fields", "days"),
    [
        ("RequisitionHeader", {"need_by_date": "2026-12-01T00:00:00-08:00"}, ["2026-12-01"]),
        ("RequisitionHeader", {"need_by_date": "soon"}, []),
        ("RequisitionHeader", {"need_by_date": "9999-12-31"}, []),
        ("RequisitionHeader", {"need_by_date": "0001-01-01"}, []),
        ("RequisitionHeader", {}, []),
        ("InvoiceHeader", {"net_due_date": "2026-12-30T23:59:59-08:00"}, ["2026-12-30"]),
        (
            "InvoiceHeader",
            {"net_due_date": "2026-12-30", "discount_due_date": "2026-12-10"},
            ["2026-12-10", "2026-12-30"],
        ),
        ("InvoiceHeader", {"net_due_date": "2026-12-30", "discount_due_date": "2026-12-30"}, ["2026-12-30"]),
        # The day before which the employee hands it in: whoever decides has a report that was.
        ("ExpenseReport", {"report_due_date": "2026-12-01"}, []),
        ("Contract", {"end_date": "2026-12-01"}, []),
    ],
)
def test_the_day_by_which_a_decision_is_wanted_is_what_coupa_calls_so(
    kind: str, fields: dict[str, str], days: list[str]
) -> None:
    assert [day.isoformat() for day in document(kind, **fields).wanted_by] == days


@pytest.mark.parametrize("kind", [*DOCUMENT_MODELS, "Unheard"])
def test_a_document_that_says_nothing_is_wanted_by_no_day(kind: str) -> None:
    assert document(kind).wanted_on(BEGIN.date()) is None


@pytest.mark.parametrize(
    ("today", "day"),
    [
        ("2026-12-01", "2026-12-10"),
        ("2026-12-10", "2026-12-10"),
        ("2026-12-11", "2026-12-30"),
        ("2027-01-01", "2026-12-30"),
    ],
)
def test_what_counts_is_the_next_of_its_days_and_the_last_when_all_are_past(today: str, day: str) -> None:
    invoice = document("InvoiceHeader", net_due_date="2026-12-30", discount_due_date="2026-12-10")

    assert invoice.wanted_on(date.fromisoformat(today)) == date.fromisoformat(day)


# What it orders.


def invoice(world: World, **fields: Any) -> int:
    return world.coupa.world.add_document(
        approvable_type="InvoiceHeader",
        approvers=[world.person(JAMIE)],
        supplier={"id": 4, "name": "ACME"},
        total_with_taxes="900.00",
        currency={"code": "USD"},
        **fields,
    )


def mixed(world: World) -> list[int]:
    """Enter what is due, needed and rewarded on different days; return in which order it is wanted."""
    needed = world.requisition(JAMIE, need_by="2026-11-26")
    due = invoice(world, invoice_number="INV-1", net_due_date="2026-11-27T23:59:59-08:00")
    missed = {"discount_due_date": "2026-11-20", "net_due_date": "2026-11-28"}
    rewarded = {"discount_due_date": "2026-11-25", "net_due_date": "2026-12-30"}
    late = invoice(world, invoice_number="INV-2", **missed)
    early = invoice(world, invoice_number="INV-3", **rewarded)
    overdue = invoice(world, invoice_number="INV-4", net_due_date="2026-11-01")
    return [overdue, early, needed, due, late]


def test_the_list_has_invoices_by_discount_and_due_day_among_what_is_needed() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    wanted = mixed(world)

    reply = world.call("list_approvals", headers={"X-Actor-Email": JAMIE})

    assert [int(card["document_id"]) for card in reply.body["approvals"]] == wanted


def test_a_digest_has_them_in_the_same_order() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*", "DIGEST_OVER": "1"})
    wanted = mixed(world)

    [told] = world.announced()

    places = [told.message.index(f'/{number}"') for number in wanted]
    assert places == sorted(places)


# Who is reminded.


def next_hour(world: World) -> datetime:
    """Let it become the next full hour."""
    world.clock.advance(HOUR_S - (world.clock.now() - BEGIN).total_seconds() % HOUR_S)
    return world.clock.now()


@dataclass
class Reminded:
    """A world in which time goes by, an hour a step."""

    world: World
    sent: list[tuple[datetime, Delivered]] = field(default_factory=list)

    def passes(self, hours: int) -> None:
        """Sweep at every full hour; the sweeps themselves take some seconds."""
        for _ in range(hours):
            at = next_hour(self.world)
            self.sent += [(at, each) for each in self.world.announced()]

    def passes_by(self, days: int) -> None:
        """Sweep on each day at the hours at which somebody here may be reminded, and beside them."""
        for _ in range(24 * days):
            at = next_hour(self.world)
            if at.hour in BUSY:
                self.sent += [(at, each) for each in self.world.announced()]

    def reminders(self, who: str = JAMIE, zone: str = "UTC") -> list[str]:
        """Return when somebody was reminded, by the clocks of a zone."""
        return [
            f"{at.astimezone(ZoneInfo(zone)):%a %m-%d %H:%M}"
            for at, each in self.sent
            if each.recipient == who and "has been waiting for your approval" in each.message
        ]


def waits(need_by: str, *, store: LedgerStore | None = None, more: dict[str, str] | None = None) -> Reminded:
    """Return a request that was just announced."""
    world = World(
        settings={"REMIND_BEFORE_DAYS": "3,1", "WORKING_DAYS": "mon-fri", **(more or {})},
        store=store or MemoryStore(),
    )
    world.requisition(JAMIE, need_by=need_by)
    world.announced()
    return Reminded(world)


def at(hour: str) -> list[str]:
    """Return the reminders of what is needed on Tuesday, December 1, at this hour."""
    return [f"Thu 11-26 {hour}", f"Mon 11-30 {hour}"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("need_by", "more", "reminders"),
    [
        pytest.param("2026-12-01", {}, at("09:00"), id="so many working days before"),
        pytest.param("2026-11-30", {"REMIND_BEFORE_DAYS": ""}, [], id="without the setting"),
        pytest.param("2026-11-29", {"REMIND_BEFORE_DAYS": "0,1"}, ["Fri 11-27 09:00"], id="over days off"),
        pytest.param("2026-11-25", {}, ["Tue 11-24 09:00"], id="not for a morning before the notice"),
        pytest.param("2026-12-01", {"QUIET_HOURS": "20:00-07:00"}, at("07:00"), id="after quiet hours"),
        pytest.param(
            "2026-12-01", {"DIGEST_AT": "11:00", "QUIET_HOURS": "20:00-07:00"}, at("11:00"), id="a digest"
        ),
        pytest.param(
            "2026-12-01",
            {"DIGEST_AT": "06:00", "QUIET_HOURS": "20:00-07:00"},
            at("07:00"),
            id="a quiet digest",
        ),
        pytest.param("2026-12-01", {"TIME_ZONE": "Asia/Tokyo"}, at("00:00"), id="nine in Tokyo"),
        pytest.param(
            "2026-12-01", {"REMIND_AFTER_HOURS": "72", "REMIND_MAX": "1"}, at("09:00"), id="silent as long"
        ),
        pytest.param(
            "2026-12-11",
            {"REMIND_AFTER_HOURS": "1", "REMIND_MAX": "1"},
            ["Mon 11-23 10:00", "Tue 12-08 09:00", "Thu 12-10 09:00"],
            id="after all reminders of silence",
        ),
    ],
)
def test_people_are_reminded_before_the_day_at_their_own_hour_and_no_more(
    need_by: str, more: dict[str, str], reminders: list[str]
) -> None:
    here = waits(need_by, more=more)

    here.passes_by(19)

    own_notice = int("DIGEST_AT" in more)  # it waits for the hour of the digest, too
    assert here.reminders() == reminders
    assert len(here.sent) == own_notice + len(reminders)


@pytest.mark.slow
def test_whoever_is_told_on_the_day_itself_is_not_reminded_on_it() -> None:
    # At four in the morning there, a day before.
    here = waits("2026-11-24", more={"TIME_ZONE": "America/New_York"})

    here.passes_by(10)

    assert here.reminders() == []


@pytest.mark.slow
def test_an_invoice_is_counted_back_to_from_its_discount_and_from_its_due_day() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*", "REMIND_BEFORE_DAYS": "1", "WORKING_DAYS": "mon-fri"})
    invoice(world, invoice_number="INV-1", discount_due_date="2026-11-26", net_due_date="2026-12-03")
    here = Reminded(world)

    here.passes_by(14)

    assert here.reminders() == ["Wed 11-25 09:00", "Wed 12-02 09:00"]


@pytest.mark.slow
def test_a_day_that_moves_is_followed() -> None:
    here = waits("2026-12-01")
    here.passes_by(1)
    number = next(iter(here.world.coupa.world.documents["RequisitionHeader"].rows))
    here.world.coupa.world.edit_document("RequisitionHeader", number, need_by_date="2026-12-08")

    here.passes_by(18)

    assert here.reminders() == ["Thu 12-03 09:00", "Mon 12-07 09:00"]


@pytest.mark.slow
def test_a_new_process_reminds_nobody_twice_and_forgets_nobody(store: LedgerStore) -> None:
    here = waits("2026-12-01", store=store)
    here.passes(24 * 2 + 23)
    for _ in range(4):
        here.world.restart()
        here.passes(1)

    assert here.reminders() == ["Thu 11-26 09:00"]


@pytest.mark.slow
def test_whoever_was_not_told_is_not_reminded() -> None:
    world = World(settings={"REMIND_BEFORE_DAYS": "3,1", "FIRST_RUN": "baseline"})
    world.requisition(JAMIE, need_by="2026-12-01")
    here = Reminded(world)

    here.passes_by(10)

    assert here.sent == []


def test_after_a_decision_nobody_is_reminded() -> None:
    world = World(settings={"REMIND_BEFORE_DAYS": "3,1"})
    world.click(world.offer(need_by="2026-12-01"), JAMIE)
    here = Reminded(world)

    here.passes_by(10)

    assert here.sent == []


def test_what_was_missed_while_the_app_was_down_is_said_once() -> None:
    here = waits("2026-12-01")
    here.world.clock.advance(7 * DAY_S)  # past both days

    here.passes(5)

    assert here.reminders() == ["Mon 11-30 10:00"]


@pytest.mark.slow
def test_a_sweep_asks_coupa_no_more_than_without_the_setting_until_a_morning_comes() -> None:
    asked = []
    for setting in ("3,1", ""):
        here = waits("2026-12-01", more={"REMIND_BEFORE_DAYS": setting, "FULL_LIST_MINUTES": "60"})
        before = here.world.coupa.front.count()
        here.passes(24 * 2)
        asked.append(here.world.coupa.front.count() - before)

    assert asked[0] == asked[1]


def test_after_a_morning_in_one_zone_whoever_has_it_elsewhere_is_looked_at_at_their_hour_only() -> None:
    """The row says who is next: it is claimed once for each morning, not in every sweep between."""
    zones = {JAMIE: "Asia/Tokyo", ROBIN: "America/New_York"}
    world = World(settings={"REMIND_BEFORE_DAYS": "3", "TIME_ZONES": json.dumps(zones)})
    world.requisition(world.group(JAMIE, ROBIN), need_by="2026-11-28")
    world.announced()
    claims = set()
    here = Reminded(world)
    for _ in range(24 * 4):
        here.passes(1)
        claims.add(world.row().attempted_at)

    assert here.reminders(JAMIE, "Asia/Tokyo") == ["Wed 11-25 09:00"]
    assert here.reminders(ROBIN, "America/New_York") == ["Wed 11-25 09:00"]
    assert len(claims) <= 1 + 3  # the notice, and a look for each zone of the settings


# Whatever happens.

ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Asia/Kolkata"]
EVENTS = st.tuples(
    st.sampled_from(["move", "move", "join", "leave", "restart", "touch", "down"]),
    st.integers(0, 2),
    st.integers(1, 60),
    st.integers(0, 14),
)
"""What happens, to whom, for how many hours nothing else does, and how many days off the new day is."""


@dataclass
class Expected:
    """Who is to be reminded, reckoned apart from the product: from what each of them was seen to be told."""

    zones: dict[str, str]
    before: list[int]
    morning: time
    works: set[int]
    day: date
    last: dict[str, datetime] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)

    def marks(self) -> set[date]:
        found = set()
        for number in self.before:
            day, left = self.day, number
            while left or day.weekday() not in self.works:
                day -= timedelta(days=1)
                left -= 1 if left and day.weekday() in self.works else 0
            found.add(day)
        return found

    def now(self, at: datetime) -> set[str]:
        due = set()
        for who in self.last.keys() - self.owed:
            zone = ZoneInfo(self.zones[who])
            heard = self.last[who].astimezone(zone).date()
            mornings = [datetime.combine(day, self.morning, zone) for day in self.marks() if day > heard]
            here = at.astimezone(zone)
            is_open = here.weekday() in self.works and not self.is_quiet(here.time())
            due |= {who} if is_open and any(each <= at for each in mornings) else set()
        return due

    def hear(self, sent: list[Delivered], at: datetime) -> set[str]:
        """Take in what people were told, and return who was reminded."""
        reminded = {each.recipient for each in sent if "has been waiting for your approval" in each.message}
        told = {each.recipient for each in sent} - reminded
        assert told <= self.owed
        self.owed -= told
        self.last |= dict.fromkeys(told | reminded, at)
        return reminded

    def is_quiet(self, clock: time) -> bool:
        return self.morning == time(7) and (clock >= time(20) or clock < time(7))


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=3, max_size=3),
    before=st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True),
    quiet=st.booleans(),
    weekdays=st.booleans(),
    day=st.integers(0, 14),
    events=st.lists(EVENTS, max_size=6),
)
@example(["Asia/Tokyo", "America/New_York", "UTC"], [3, 1], True, True, 8, [("move", 0, 30, 4)])
@example(["UTC", "UTC", "UTC"], [1], True, True, 2, [("down", 0, 24, 7)])
@example(["Asia/Tokyo", "America/New_York", "UTC"], [1], False, False, 4, [("join", 2, 40, 0)])
def test_each_person_is_reminded_once_for_each_day_at_their_own_hour(  # noqa: PLR0917 - each is drawn
    zones: list[str],
    before: list[int],
    quiet: bool,  # noqa: FBT001 - drawn
    weekdays: bool,  # noqa: FBT001 - drawn
    day: int,
    events: list[tuple[str, int, int, int]],
) -> None:
    of = dict(zip((JAMIE, ROBIN, ALEX), zones, strict=True))
    world = World(
        settings={
            "REMIND_BEFORE_DAYS": ",".join(map(str, before)),
            "TIME_ZONES": json.dumps(of),
            "QUIET_HOURS": "20:00-07:00" if quiet else "",
            "WORKING_DAYS": "mon-fri" if weekdays else "mon-sun",
            "URGENT_WITHIN_DAYS": "0",
        }
    )
    group = world.group(JAMIE, ROBIN).id
    wanted = BEGIN.date() + timedelta(days=day)
    number = world.requisition(Group(group), need_by=wanted.isoformat())
    works = set(range(5 if weekdays else 7))
    expected = Expected(of, before, time(7) if quiet else time(9), works, wanted, owed={JAMIE, ROBIN})

    for what, which, hours, off in [("begin", 0, 1, 0), *events, ("wait", 0, 24 * 5, 0)]:
        happens(world, expected, (group, number), (what, [JAMIE, ROBIN, ALEX][which], off))
        for _ in range(hours):
            now = next_hour(world)
            due = expected.now(now)
            assert expected.hear(world.announced(), now) == due, f"{now}: wanted by {expected.day}"


def happens(world: World, expected: Expected, of: tuple[int, int], event: tuple[str, str, int]) -> None:
    """Let something happen to a group's request, and expect what follows."""
    coupa, (group, number), (what, who, off) = world.coupa.world, of, event
    members = expected.last.keys() | expected.owed
    wanted = world.clock.now().date() + timedelta(days=off)
    if what == "move" and wanted != expected.day:
        coupa.edit_document("RequisitionHeader", number, need_by_date=wanted.isoformat())
        expected.day, expected.owed = wanted, set(members)
    elif what == "join" and who not in members:
        coupa.join(group, world.person(who))
        expected.owed.add(who)
    elif what == "leave" and members - {who}:
        coupa.leave(group, world.person(who))
        expected.last.pop(who, None)
        expected.owed.discard(who)
    elif what == "down":
        world.clock.advance(off * 5 * HOUR_S)
    elif what == "restart":
        world.restart()
    elif what == "touch":
        coupa.touch(coupa.approvals_of(number)[0].id)


# By arithmetic.


@given(
    hour=st.integers(0, 24 * 20),
    looked=st.integers(0, 400),
    now=st.integers(0, 400),
    days=st.lists(st.dates(date(2026, 11, 1), date(2026, 11, 30)), max_size=2, unique=True),
)
def test_a_row_is_looked_at_for_a_morning_that_came_after_the_last_look_and_for_no_other(
    hour: int, looked: int, now: int, days: list[date]
) -> None:
    cadence, told = Cadence(remind_before=(3, 1)), datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hour)
    at, seen = told + timedelta(hours=looked + now), told + timedelta(hours=looked)
    entry = row(wanted_by=tuple(days), told={"user:1": PersonState(version="v", at=told)}, attempted_at=seen)

    mornings = {
        datetime.combine(day - timedelta(days=number), time(9), UTC) for day in days for number in (3, 1)
    }
    is_due = any(seen < each <= at for each in mornings if each.date() > told.date())
    assert is_due_again(entry, cadence=cadence, now=at) is is_due


def test_a_row_of_the_release_before_that_names_no_day_is_left_in_peace() -> None:
    entry = row(told={"user:1": PersonState(version="v", at=BEGIN)}, attempted_at=BEGIN)

    assert not is_due_again(entry, cadence=Cadence(remind_before=(1,)), now=BEGIN + timedelta(days=90))
