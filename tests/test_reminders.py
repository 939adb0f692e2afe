"""A person who was told and does nothing is reminded, rarely and in time; in the end another is told."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest
from bridge import ALEX, JAMIE, ROBIN, World
from unruly import ENDLESS, Dying, Raced

from coupa_core.ledger import State
from sandbox.coupa.world import Group
from sandbox.moveworks import Delivered

BOSS = "boss@example.com"
DAILY = {"REMIND_AFTER_HOURS": "24", "REMIND_MAX": "3"}
HOUR_S = 3600


def after(world: World, hours: float) -> list[Delivered]:
    """Let hours pass, sweep, and return what was told."""
    world.clock.advance(hours * HOUR_S)
    return world.announced()


@pytest.mark.slow
def test_reminders_come_after_a_day_two_and_four_and_then_no_more() -> None:
    world = World(settings=DAILY)
    world.offer()

    hours = [hour for hour in range(1, 24 * 20) if after(world, 1)]

    assert hours == [24, 24 + 48, 24 + 48 + 96]


def test_a_reminder_says_how_long_it_has_waited_and_has_buttons_that_work() -> None:
    world = World(settings=DAILY)
    world.offer()

    [reminder] = after(world, 24)

    assert "has been waiting for your approval for 1 day" in reminder.message
    assert world.click(reminder, JAMIE).body["outcome"] == "approved"
    assert after(world, 100) == []


def test_without_the_setting_nobody_is_reminded() -> None:
    world = World()
    world.offer()

    assert after(world, 1000) == []


@pytest.mark.parametrize("how", ["from chat", "in Coupa", "withdrawn"])
def test_nobody_is_reminded_of_what_is_over(how: str) -> None:
    world = World(settings=DAILY)
    card = world.offer()
    approval = world.approval(card)
    world.clock.advance(24 * HOUR_S)
    if how == "from chat":
        world.click(card, JAMIE)
    elif how == "in Coupa":
        world.in_coupa(approval.id, JAMIE)
    else:
        world.coupa.world.withdraw(approval.document.id)

    assert world.announced() == []


def test_after_a_change_the_change_is_told_and_the_reminders_begin_anew() -> None:
    world = World(settings=DAILY)
    card = world.offer()
    approval = world.approval(card)
    after(world, 24)
    world.coupa.world.edit_line(approval.document.id, 0, unit_price="901.00")

    [changed] = after(world, 47)

    assert "changed" in changed.message
    assert after(world, 23) == []
    [reminder] = after(world, 1)
    assert "waiting for your approval for 3 days" in reminder.message


def test_a_change_that_was_not_yet_seen_is_told_instead_of_the_reminder() -> None:
    world = World(settings=DAILY)
    card = world.offer()
    approval = world.approval(card)
    world.coupa.world.edit_line(approval.document.id, 0, unit_price="901.00")

    [told] = after(world, 24)

    assert ("changed" in told.message, "has been waiting for your approval" in told.message) == (
        True,
        False,
    )


def test_a_reminder_waits_for_the_morning() -> None:
    world = World(settings={**DAILY, "REMIND_AFTER_HOURS": "12", "QUIET_HOURS": "20:00-07:00"})
    world.offer()  # at nine in the morning

    assert after(world, 12) == []
    assert after(world, 9) == []
    assert len(after(world, 1)) == 1


def test_a_reminder_waits_for_the_hour_of_the_digest_and_comes_in_it() -> None:
    world = World(settings={**DAILY, "DIGEST_AT": "10:00"})
    world.sweep()
    world.requisition(JAMIE, title="Chairs")
    after(world, 1)
    world.requisition(JAMIE, title="Desks")
    assert after(world, 23.5) == []

    [told] = after(world, 0.5)

    assert "2 approvals" in told.message
    assert ("Chairs" in told.message, "waiting for 1 day" in told.message) == (True, True)


@pytest.mark.parametrize(
    ("over", "old", "new", "lists", "cards"),
    [
        ("10", 1, 0, 0, 1),
        ("10", 2, 0, 1, 0),
        ("10", 9, 0, 1, 0),
        ("10", 12, 0, 1, 0),
        ("10", 1, 1, 0, 2),  # a new one has its buttons, and one that is reminded of has them, too
        ("10", 2, 1, 1, 1),
        ("10", 5, 9, 1, 9),  # ten messages
        ("10", 1, 10, 1, 0),  # would be eleven
        ("3", 2, 3, 1, 0),
        ("1", 1, 1, 1, 0),
        ("0", 3, 2, 0, 5),  # each alone, as the setting wants it
    ],
)
def test_reminders_of_one_person_are_one_message_and_count_as_one(
    over: str, old: int, new: int, lists: int, cards: int
) -> None:
    world = World(settings={**DAILY, "DIGEST_OVER": "0"})
    known = [world.requisition(JAMIE) for _ in range(old)]
    assert len(world.announced()) == old
    world.change(DIGEST_OVER=over)
    known += [world.requisition(JAMIE) for _ in range(new)]

    told = after(world, 24)

    assert [bool(each.slots) for each in told].count(True) == cards
    assert len(told) == lists + cards
    whole = " ".join(each.message for each in told)
    named = sum(whole.count(f"/{number}") for number in known)
    assert named == min(old + new, cards + 10)  # a list names ten
    assert {each.reminders for row in world.store.open_entries().entries for each in row.told.values()} == (
        {1} if not new else {0, 1}
    )
    assert after(world, 1) == []


def test_a_list_of_reminders_says_so_once_and_is_decided_from_the_list() -> None:
    world = World(settings={**DAILY, "DIGEST_OVER": "10"})
    world.requisition(JAMIE, title="Chairs")
    world.requisition(JAMIE, title="Desks")
    world.sweep()

    [told] = after(world, 24)

    assert told.message.startswith("<b>2 approvals are still waiting for you in Coupa: USD 3,600.00</b>")
    assert [told.message.count(each) for each in ("Chairs", "Desks", "waiting for 1 day")] == [1, 1, 2]
    cards = world.listed(JAMIE).body["approvals"]
    assert [world.click(card, JAMIE).body["outcome"] for card in cards] == ["approved", "approved"]
    assert after(world, 200) == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "To decide here, ask: “Do I have any approvals in Coupa?”"),
        ({"LIST_TOKENS": "off"}, "To decide, use the buttons of its own message, if you got one"),
        ({"LIST_TOKENS": "off", "STEP_UP_OVER": '{"*": 1}'}, "To decide, open each of them in Coupa."),
    ],
)
def test_a_list_of_reminders_says_where_each_is_decided(settings: dict[str, str], says: str) -> None:
    world = World(settings={**DAILY, "DIGEST_OVER": "10", **settings})
    world.requisition(JAMIE)
    world.requisition(JAMIE)
    cards = world.announced()

    [told] = after(world, 24)

    assert says in told.message
    is_barred = "STEP_UP_OVER" in settings
    assert [world.click(card, JAMIE).body["outcome"] for card in cards] == (
        ["step_up"] * 2 if is_barred else ["approved"] * 2
    )


@pytest.mark.slow
def test_each_of_a_group_gets_one_message_of_what_is_theirs_at_their_own_hour() -> None:
    """Robin is in both groups, in Tokyo; Alex in one, in New York; each is reminded in their own day."""
    zones = json.dumps({ROBIN: "Asia/Tokyo", ALEX: "America/New_York"})
    settings = {**DAILY, "REMIND_MAX": "1", "DIGEST_OVER": "10", "QUIET_HOURS": "20:00-07:00"}
    world = World(settings={**settings, "TIME_ZONES": zones})
    coupa, robin = world.coupa.world, world.person(ROBIN)
    first = coupa.add_group(name="Buyers", members=[world.person(JAMIE), robin])
    second = coupa.add_group(name="Desk", members=[robin, world.person(ALEX)])
    numbers = [world.requisition(Group(group)) for group in (first, first, second, second)]
    changed = world.requisition(Group(first))
    for _ in range(24):
        after(world, 1)
    coupa.edit_line(changed, 0, unit_price="901.00")
    sent = [each for _ in range(48) for each in after(world, 1)]

    lists = [(each.recipient, each.at, each.message) for each in sent if not each.slots]
    mine = {JAMIE: numbers[:2], ROBIN: numbers, ALEX: numbers[2:]}
    assert sorted(who for who, _, _ in lists) == sorted(mine)
    for who, at, message in lists:
        zone = {ROBIN: "Asia/Tokyo", ALEX: "America/New_York"}.get(who, "UTC")
        assert 7 <= at.astimezone(ZoneInfo(zone)).hour < 20
        assert [number for number in (*numbers, changed) if f"/{number}" in message] == mine[who]
    about_the_change = [each for each in sent if f"/{changed}" in each.message]
    assert [(each.recipient, "changed" in each.message) for each in about_the_change][:2] == [
        (JAMIE, True),
        (ROBIN, True),
    ]


@pytest.mark.slow
def test_reminders_of_one_person_come_together_however_many_others_are_reminded() -> None:
    world = World(settings={**DAILY, "DIGEST_OVER": "10", "MOVEWORKS_MAX_PER_MINUTE": "1000"})
    world.moveworks.max_per_minute = None
    people = [f"person{number}@example.com" for number in range(30)]
    for _ in range(3):
        for each in people:
            world.requisition(each)
    while world.announced():
        pass

    told = after(world, 24)

    assert sorted(each.recipient for each in told) == sorted(people)
    assert all("3 approvals are still waiting" in each.message for each in told)


@pytest.mark.parametrize("refused", [1, 2, 4])
def test_one_reminder_that_moveworks_will_not_take_costs_no_other(refused: int) -> None:
    world = World(settings={**DAILY, "DIGEST_OVER": "10", "REMIND_MAX": "1"})
    for _ in range(3):
        world.requisition(JAMIE)
    assert len(world.announced()) == 3
    world.moveworks.front.fail("answer", method="POST", status=400, body="{}", times=refused)

    told = after(world, 24)

    assert len(told) == max(0, 4 - refused)  # the list, then each alone
    assert all(each.slots for each in told)
    assert after(world, 200) == []


def test_a_list_of_reminders_that_may_have_arrived_is_not_repeated() -> None:
    world = World(settings={**DAILY, "DIGEST_OVER": "10", "REMIND_MAX": "1"})
    for _ in range(3):
        world.requisition(JAMIE)
    world.announced()
    world.moveworks.front.fail("lose", method="POST", times=1)

    assert len(after(world, 24)) == 1
    assert [after(world, 1) for _ in range(5)] == [[]] * 5


# When something fails.


@pytest.mark.slow
@pytest.mark.parametrize("writes", range(8))
@pytest.mark.parametrize(
    ("number", "settings"),
    [
        (1, {**DAILY, "REMIND_MAX": "1"}),
        (1, {"ESCALATE_AFTER_HOURS": "24", "ESCALATE_TO": BOSS}),
        (3, {**DAILY, "REMIND_MAX": "1", "DIGEST_OVER": "10"}),
    ],
    ids=["a reminder", "an escalation", "a list of reminders"],
)
def test_a_store_that_dies_meanwhile_costs_a_message_at_most_and_repeats_none(
    number: int, settings: dict[str, str], writes: int
) -> None:
    store = Dying()
    world = World(store=store, settings=settings)
    numbers = [world.requisition(JAMIE) for _ in range(number)]
    assert world.told() == [JAMIE] * number
    store.left = writes
    after(world, 24)
    store.left = ENDLESS

    for _ in range(5):
        after(world, 1)

    said = " ".join(each.message for each in world.moveworks.delivered[number:])
    assert [said.count(f"/{each}") <= 1 for each in numbers] == [True] * number
    assert {row.state for row in world.store.open_entries().entries} == {State.SENT}


@pytest.mark.parametrize(
    ("settings", "hours", "who"),
    [(DAILY, 24, JAMIE), ({"ESCALATE_AFTER_HOURS": "72", "ESCALATE_TO": BOSS}, 72, BOSS)],
)
def test_while_moveworks_is_away_a_reminder_or_an_escalation_is_only_put_off(
    settings: dict[str, str], hours: int, who: str
) -> None:
    world = World(settings=settings)
    world.offer()
    world.moveworks.front.fail("answer", method="POST", status=401, times=1)

    assert after(world, hours) == []
    assert [each.recipient for each in after(world, 0.1)] == [who]
    assert after(world, 47) == []


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["lose", "refuse"])
def test_a_reminder_that_was_refused_or_may_have_arrived_is_not_repeated(fault: str) -> None:
    world = World(settings=DAILY)
    world.offer()
    if fault == "lose":
        world.moveworks.front.fail("lose", method="POST", times=1)
    else:
        world.moveworks.front.fail("answer", method="POST", status=400, times=1)
    sent = len(after(world, 24))

    assert sent == (1 if fault == "lose" else 0)
    assert [hour for hour in range(1, 48) if after(world, 1)] == []
    assert len(after(world, 1)) == 1
    assert world.store.open_entries().entries[0].state is State.SENT


@pytest.mark.slow
@pytest.mark.parametrize("writes", [1, 2])
def test_when_somebody_else_writes_the_row_a_reminder_is_left_to_them(writes: int) -> None:
    store = Raced()
    world = World(store=store, settings={**DAILY, "DIGEST_OVER": "1"})
    world.offer()
    store.left = writes

    assert len(after(world, 24)) == writes - 1


@pytest.mark.parametrize(
    ("over", "waiting", "raced", "said"), [("1", 2, 2, []), ("2", 4, 1, ["3 approvals"])]
)
def test_rows_of_a_digest_that_somebody_else_writes_are_left_out_and_there_is_no_empty_one(
    over: str, waiting: int, raced: int, said: list[str]
) -> None:
    store = Raced()
    world = World(store=store, settings={**DAILY, "DIGEST_OVER": over})
    for _ in range(waiting):
        world.offer()
    store.left, store.times = waiting, raced  # after the claims

    told = after(world, 24)

    assert [text in each.message for each, text in zip(told, said, strict=True)] == [True] * len(said)


# Escalation.


def test_a_long_wait_is_told_once_to_the_approvers_manager_who_cannot_decide() -> None:
    world = World(settings={"ESCALATE_AFTER_HOURS": "72"})
    world.person(JAMIE, manager=world.person(BOSS))
    card = world.offer()
    assert after(world, 71) == []

    [told] = after(world, 1)

    assert (told.recipient, told.slots) == (BOSS, {})
    assert "Jamie Doe" in told.message
    assert "3 days" in told.message
    assert after(world, 500) == []
    assert "For your information only: Jamie Doe still has to decide." in told.message
    assert world.click(card, BOSS).body["outcome"] == "not_your_approval"


@pytest.mark.parametrize("to", ["manager", BOSS])
def test_a_manager_who_may_decide_it_too_is_not_told_that_it_is_for_information_only(to: str) -> None:
    world = World(settings={"ESCALATE_AFTER_HOURS": "72", "ESCALATE_TO": to})
    boss = world.person(BOSS)
    jamie = world.person(JAMIE, manager=boss)
    world.delegation(jamie, boss)
    world.requisition(JAMIE)
    assert len(world.announced()) == 2

    [told] = after(world, 72)

    assert (told.recipient, told.slots) == (BOSS, {})
    assert "waiting for Jamie Doe for 3 days" in told.message
    assert "information" not in told.message


def test_a_long_wait_is_told_to_whom_the_setting_names() -> None:
    world = World(settings={"ESCALATE_AFTER_HOURS": "72", "ESCALATE_TO": "desk@example.com"})
    group = world.group(JAMIE)
    world.requisition(group)
    world.announced()

    assert [each.recipient for each in after(world, 72)] == ["desk@example.com"]


@pytest.mark.parametrize("manager", [None, "inactive"])
def test_without_a_manager_who_can_be_told_nobody_is_and_it_is_not_asked_again(manager: str | None) -> None:
    world = World(settings={"ESCALATE_AFTER_HOURS": "72"})
    boss = world.person(BOSS, active=False) if manager else None
    world.person(JAMIE, manager=boss)
    world.offer()

    assert after(world, 72) == []
    asked = world.coupa.front.count("GET", "/api/users")
    assert after(world, 1) == []
    assert world.coupa.front.count("GET", "/api/users") == asked


@pytest.mark.parametrize("status", [503, 429])
def test_when_the_manager_cannot_be_read_the_reminder_goes_out_and_the_escalation_comes_later(
    status: int,
) -> None:
    world = World(settings={**DAILY, "REMIND_AFTER_HOURS": "72", "ESCALATE_AFTER_HOURS": "72"})
    world.person(JAMIE, manager=world.person(BOSS))
    world.offer()
    world.clock.advance(72 * HOUR_S)
    world.coupa.front.fail("answer", path="/api/users", status=status, skip=2, times=4)

    first = world.told()
    second = [each.recipient for each in after(world, 0.1)]

    assert (first, second) == ([JAMIE], [BOSS])


def test_reminder_and_escalation_come_together_when_both_are_due() -> None:
    world = World(settings={**DAILY, "REMIND_AFTER_HOURS": "72", "ESCALATE_AFTER_HOURS": "72"})
    world.person(JAMIE, manager=world.person(BOSS))
    world.offer()

    assert [each.recipient for each in after(world, 72)] == [BOSS, JAMIE]


def test_many_long_waits_are_one_message_to_the_same_manager() -> None:
    world = World(settings={"ESCALATE_AFTER_HOURS": "72", "DIGEST_OVER": "2"})
    for person in (JAMIE, ROBIN, ALEX):
        world.person(person, manager=world.person(BOSS))
        world.requisition(person)
    world.sweep()

    [told] = after(world, 72)

    assert told.recipient == BOSS
    assert "3 approvals have been waiting for a long time" in told.message
    assert all(f"waiting for {name} Doe for 3 days" in told.message for name in ("Jamie", "Robin", "Alex"))
    assert after(world, 100) == []


@pytest.mark.parametrize("number", [1, 3])
def test_an_escalation_that_cannot_be_written_keeps_no_reminder_back(
    number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object, **more: object) -> str:
        raise ZeroDivisionError

    settings = {**DAILY, "ESCALATE_AFTER_HOURS": "24", "ESCALATE_TO": BOSS, "DIGEST_OVER": "1"}
    world = World(settings=settings)
    for person in (JAMIE, ROBIN, ALEX)[:number]:
        world.requisition(person)
    world.sweep()
    monkeypatch.setattr("coupa_core.notice.escalation", broken)

    assert {each.recipient for each in after(world, 24)} == {JAMIE, ROBIN, ALEX}.intersection(
        (JAMIE, ROBIN, ALEX)[:number]
    )
    assert "message spoiled" in caplog.text


def test_an_escalation_waits_for_the_morning_and_a_new_version_may_be_escalated_again() -> None:
    world = World(settings={"ESCALATE_AFTER_HOURS": "12", "QUIET_HOURS": "20:00-07:00"})
    world.person(JAMIE, manager=world.person(BOSS))
    card = world.offer()
    assert after(world, 12) == []
    assert [each.recipient for each in after(world, 10)] == [BOSS]
    approval = world.approval(card)
    world.coupa.world.edit_line(approval.document.id, 0, unit_price="901.00")

    assert [each.recipient for each in after(world, 1)] == [JAMIE]
    assert [each.recipient for each in after(world, 24)] == [BOSS]


@pytest.mark.parametrize("waiting", [1, 2])
def test_the_story_tells_of_reminders_alone_or_in_a_list_and_of_escalations(waiting: int) -> None:
    world = World(settings={**DAILY, "ESCALATE_AFTER_HOURS": "24", "DIGEST_OVER": "10"})
    world.person(JAMIE, manager=world.person(BOSS))
    number, *_ = [world.offer().slots["approval_id"] for _ in range(waiting)]
    after(world, 24)

    story = world.story(number)
    assert any(f"{JAMIE} was reminded" in line for line in story)
    assert any(f"{BOSS} was told that it has waited for long" in line for line in story)


def test_waits_are_counted_from_the_first_notice_and_not_from_a_reminder() -> None:
    world = World(settings=DAILY)
    world.offer()
    [reminder] = after(world, 24)
    world.click(reminder, JAMIE)
    world.sweep()

    [row] = world.call("cycle_times").body["rows"]

    assert row["median_s"] == pytest.approx(24 * HOUR_S, abs=5)
