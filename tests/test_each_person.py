"""What belongs to one person is theirs alone: what they were shown, their reminders, what was refused.

Random days of groups in several zones are in `proof/people.py`; here is what these do not tell apart.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from azure.data.tables import TableClient, UpdateMode
from bridge import JAMIE, ROBIN, World
from ledger_contract import NOW, full_row

from coupa_core.ledger import MAX_REFUSALS, Entry, LedgerStore, MemoryStore, PersonState, State
from coupa_core.sweep.shapes import MAX_DECIDERS
from coupa_core.table_ledger import OPEN, TableStore
from coupa_core.table_ledger import write_row as _row
from sandbox.coupa.world import Group
from sandbox.moveworks import Delivered

pytestmark = pytest.mark.slow

DESK = "desk@example.com"
MINUTE_S, HOUR_S = 60, 3600


@dataclass
class Team:
    """A request that waits for a group."""

    world: World
    group: int
    request: int

    def price(self, price: int) -> None:
        """Let somebody edit the price of the only line."""
        self.world.coupa.world.edit_line(self.request, 0, unit_price=f"{price}.00")

    def join(self, email: str) -> None:
        self.world.coupa.world.join(self.group, self.world.person(email))

    def row(self) -> Entry:
        [row] = self.world.store.open_entries().entries
        return row

    def told(self, hours: float, *, step_s: float = MINUTE_S) -> list[tuple[int, str, Delivered]]:
        """Sweep for hours; return minute, recipient and message of all that was sent."""
        sent = []
        for number in range(1, int(hours * HOUR_S / step_s) + 1):
            self.world.clock.advance(step_s)
            sent += [(number, each.recipient, each) for each in self.world.announced()]
        return sent


def team(*members: str, store: LedgerStore | None = None, **more: str) -> Team:
    """Return a request of 1,800 for a group, which nobody was told of yet."""
    world = World(settings=more, store=store or MemoryStore())
    group = world.coupa.world.add_group(name="Buyers", members=[world.person(each) for each in members])
    return Team(world, group, world.requisition(Group(group)))


def refuse(world: World, email: str, *, times: int | None = None) -> None:
    """Let Moveworks refuse whatever is for one person."""
    world.moveworks.front.fail(
        "answer", method="POST", status=400, body='{"error":"bad"}', sent=email, times=times
    )


# What was shown.


def asleep_until_morning() -> Team:
    """Return a request that Jamie was shown at 1,800; Robin, who is awake, was shown 2,000 since."""
    zones = {JAMIE: "UTC", ROBIN: "Asia/Tokyo"}
    here = team(JAMIE, ROBIN, TIME_ZONES=json.dumps(zones), QUIET_HOURS="12:00-17:00")
    here.told(0.1)
    here.world.clock.advance(3 * HOUR_S)  # noon in London, and evening in Tokyo
    here.price(1000)
    assert [who for _, who, _ in here.told(0.1)] == [ROBIN]
    here.price(1200)
    return here


def test_before_is_what_this_person_was_shown_and_not_what_a_colleague_was() -> None:
    here = asleep_until_morning()

    sent = {who: said.message for _, who, said in here.told(6, step_s=10 * MINUTE_S)}

    assert "2,000.00 → USD 2,400.00" in sent[ROBIN]
    assert "1,800.00 → USD 2,400.00" in sent[JAMIE]


def test_a_click_on_an_old_card_says_before_of_what_this_person_was_shown() -> None:
    here = team(JAMIE, ROBIN)
    card = next(said for _, who, said in here.told(0.1) if who == JAMIE)
    refuse(here.world, JAMIE)
    here.price(1000)
    assert [who for _, who, _ in here.told(0.1)] == [ROBIN]
    here.price(1200)

    answer = here.world.click(card, JAMIE).body

    assert answer["outcome"] == "changed"
    assert "1,800.00 → USD 2,400.00" in answer["content"]


# When they are reminded.


def test_an_escalation_counts_from_the_first_who_was_told_whoever_joins_and_whatever_is_edited() -> None:
    here = team(JAMIE, ESCALATE_AFTER_HOURS="72", ESCALATE_TO=DESK)
    here.told(1, step_s=HOUR_S)
    sent = []
    for number in range(4):
        here.join(f"joins{number}@example.com")
        here.price(1000 + number)
        sent += [(24 * number + hour, who) for hour, who, _ in here.told(24, step_s=HOUR_S)]

    assert [hour for hour, who in sent if who == DESK] == [72]


def test_what_some_still_wait_for_keeps_no_reminder_from_the_others() -> None:
    """Robin sleeps all day on; Jamie, who was told, is reminded meanwhile."""
    zones = {JAMIE: "UTC", ROBIN: "Asia/Tokyo"}
    here = team(
        JAMIE,
        ROBIN,
        TIME_ZONES=json.dumps(zones),
        QUIET_HOURS="18:00-15:00",
        REMIND_AFTER_HOURS="1",
        REMIND_MAX="1",
    )
    here.world.clock.advance(6.5 * HOUR_S)  # 15:30 in London, past midnight in Tokyo

    sent = [who for _, who, _ in here.told(2, step_s=10 * MINUTE_S)]

    assert sent == [JAMIE, JAMIE]
    assert (here.row().state, here.row().cause) == (State.WAITING, "quiet")


# What was refused.


def test_one_member_whom_moveworks_refuses_keeps_no_reminder_and_no_escalation_from_the_others() -> None:
    here = team(
        JAMIE, ROBIN, REMIND_AFTER_HOURS="24", REMIND_MAX="2", ESCALATE_AFTER_HOURS="48", ESCALATE_TO=DESK
    )
    refuse(here.world, ROBIN)

    sent = [(hour, who) for hour, who, _ in here.told(24 * 4, step_s=HOUR_S)]

    assert sent == [(1, JAMIE), (25, JAMIE), (49, DESK), (73, JAMIE)]
    assert here.row().state is State.PARKED


def test_whom_moveworks_refuses_is_tried_later_each_time_then_shorter_then_daily_and_alone() -> None:
    here = team(JAMIE, ROBIN)
    refuse(here.world, ROBIN, times=MAX_REFUSALS - 1)

    sent = [(minute, who) for minute, who, _ in here.told(4)]

    assert sent[0] == (1, JAMIE)
    assert [who for _, who in sent] == [JAMIE, ROBIN]
    assert here.row().to(f"user:{here.world.person(ROBIN)}").refusals == 0
    assert here.row().state is State.SENT


def test_a_reminder_that_is_refused_counts_against_nobody() -> None:
    here = team(JAMIE, REMIND_AFTER_HOURS="24", REMIND_MAX="3")
    here.told(0.1)
    refuse(here.world, JAMIE, times=1)

    sent = here.told(24 * 4, step_s=HOUR_S)

    assert [hour for hour, _, _ in sent] == [24 + 48]
    assert here.row().to(f"user:{here.world.person(JAMIE)}").refusals == 0


# Rows of the release before.


def test_after_the_upgrade_nobody_is_told_again_and_reminders_go_on_where_they_were(
    table: TableClient,
) -> None:
    store = TableStore(table)
    here = team(JAMIE, ROBIN, store=store, REMIND_AFTER_HOURS="24", REMIND_MAX="2")
    here.told(25, step_s=HOUR_S)
    raw = dict(next(iter(table.query_entities(f"PartitionKey eq '{OPEN}'"))))
    figures = json.loads(raw["cards"])[0][1]
    for name in ("people", "cards", "first_told_at"):
        del raw[name]
    table.upsert_entity({**raw, "shown": figures}, mode=UpdateMode.REPLACE)
    here.world.restart()

    sent = [(hour, who) for hour, who, _ in here.told(72, step_s=HOUR_S)]
    assert sent == [(48, JAMIE), (48, ROBIN)]
    here.price(1200)
    changed = [said.message for _, _, said in here.told(1, step_s=HOUR_S)]
    assert ["1,800.00 → USD 2,400.00" in message for message in changed] == [True, True]


def test_the_release_before_reads_the_rows_of_this_one() -> None:
    """It takes the columns that it knows, and those it needs are there, for whoever has to go back."""
    written = _row(OPEN, full_row())

    assert json.loads(written["told"]) == {"user:12": "v1:abc", "user:3": ""}
    assert (written["schema"], written["sent_to"], written["sent_at"]) == (1, "group:3", NOW.isoformat())
    assert (written["reminders"], written["reminded_at"]) == (2, (NOW - timedelta(minutes=5)).isoformat())


def test_the_largest_group_fits_into_a_row_and_the_newest_figures_are_kept(table: TableClient) -> None:
    """A text takes 32,768 characters; 200 people, each of another version, with the longest figures."""
    people = {
        f"user:{10**18 + number}": PersonState(
            version="v" * 22 + " " + "w" * 22,
            to="group:1234567890123456789",
            at=NOW + timedelta(microseconds=number + 1),
            figures=json.dumps([number, "x" * 7_900]),
            reminders=3,
            reminded_at=NOW + timedelta(microseconds=1),
            refusals=8,
            retry_at=NOW + timedelta(microseconds=1),
            since=NOW + timedelta(microseconds=1),
        )
        for number in range(MAX_DECIDERS)
    }
    store = TableStore(table)
    row = full_row()

    store.insert(replace(row, told=people))

    kept = store.read(row.approval_id)
    assert kept is not None
    with_figures = [key for key, each in kept.told.items() if each.figures]
    assert with_figures == list(people)[-3:]
    assert {key: replace(each, figures="") for key, each in kept.told.items()} == {
        key: replace(each, figures="") for key, each in people.items()
    }
