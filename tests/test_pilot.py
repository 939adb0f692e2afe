"""The pilot: only the people whom it names are told; new approvals of others wait, and none is lost."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest
from bridge import World
from hypothesis import given, settings
from hypothesis import strategies as st

from coupa_core.audience import EVERYBODY, audience_of, read_audience
from coupa_core.ledger import PILOT, LedgerStore, State

ANN, BOB, EVA, TOM = "ann@example.com", "bob@example.com", "eva@example.de", "tom@far.example"
PEOPLE = (ANN, BOB, EVA, TOM)
BOSS, OPS, SAM = "boss@example.com", "ops@example.com", "sam@example.com"
HOUR_S = 3600


def live(world: World, number: int) -> str:
    """Return the story of an approval, as operators read it."""
    return " ".join(world.story(number, is_live=True))


@pytest.mark.slow
def test_only_those_it_names_are_told_and_all_are_when_it_widens_and_is_emptied(
    store: LedgerStore,
) -> None:
    world = World(store=store, settings={"PILOT": ANN})
    for person in PEOPLE:
        world.requisition(person)

    said = [world.told(), world.told()]
    waiting = {row.approval_id: (row.state, row.cause) for row in world.store.open_entries().entries}
    status = world.call("status").body
    world.change(PILOT="ann@example.com, Example.DE")
    said += [world.told(), world.told()]
    world.change(PILOT="")
    said += [world.told(), world.told()]

    assert said == [[ANN], [], [EVA], [], [BOB, TOM], []]
    assert Counter(waiting.values()) == {(State.SENT, ""): 1, (State.WAITING, PILOT): 3}
    assert status["pilot"] == {"is_on": True, "waiting": 3}
    assert status["owed"]["count"] == 0
    assert (status["is_healthy"], status["is_proved"]) == (True, True)
    assert world.call("status").body["pilot"] == {"is_on": False, "waiting": 0}


@pytest.mark.slow
def test_of_a_group_those_inside_are_told_and_the_others_wait(store: LedgerStore) -> None:
    world = World(store=store, settings={"PILOT": f"{ANN},{EVA}"})
    number = world.approval_id(world.requisition(world.group(*PEOPLE)))

    assert world.told() == [ANN, EVA]
    assert (world.row().state, world.row().cause) == (State.WAITING, PILOT)
    story = live(world, int(number))
    assert "Somebody is still to be told: PILOT is on and does not name everybody who may decide" in story
    assert f"{TOM} (user:{world.person(TOM)}, member, not told, not in PILOT, can approve, reject)" in story
    assert world.told() == []
    world.change(PILOT=f"{ANN},{EVA},{TOM}")
    assert world.told() == [TOM]
    world.change(PILOT="")
    assert world.told() == [BOB]
    assert world.row().state is State.SENT


@pytest.mark.slow
def test_nobody_is_looked_at_again_while_it_stays_as_it_is() -> None:
    world = World(settings={"PILOT": ANN})
    for person in PEOPLE:
        world.requisition(person)
    world.requisition(world.group(ANN, TOM))
    world.sweep()
    world.clock.advance(30)  # what changed just before is looked at once more
    world.sweep()
    for minutes in (1, 20, 24 * 60):
        world.clock.advance(minutes * 60)
        before = {row.approval_id: row.nonce for row in world.store.open_entries().entries}
        world.sweep()
        assert {row.approval_id: row.nonce for row in world.store.open_entries().entries} == before


def test_who_joins_a_group_or_acts_for_an_approver_is_told_where_the_pilot_has_them() -> None:
    world = World(settings={"PILOT": ANN})
    group = world.group(TOM)
    world.requisition(group)
    world.requisition(BOB)
    assert world.told() == []

    world.coupa.world.join(group.id, world.person(ANN))
    world.delegation(BOB, ANN, start=timedelta(days=-1))
    world.clock.advance(6 * 60)

    assert world.told() == [ANN, ANN]


def test_the_delegate_of_somebody_inside_waits_when_outside() -> None:
    world = World(settings={"PILOT": ANN})
    world.delegation(ANN, TOM, start=timedelta(days=-1))
    world.requisition(ANN)

    assert world.told() == [ANN]
    world.change(PILOT=f"{ANN},{TOM}")
    assert world.told() == [TOM]


def test_whoever_asks_is_answered_and_decides_whether_the_pilot_has_them_or_not() -> None:
    world = World(settings={"PILOT": ANN})
    world.requisition(TOM)
    assert world.told() == []

    listed = world.listed(TOM).body

    [card] = listed["approvals"]
    assert world.click(card, TOM).body["outcome"] == "approved"
    assert world.told() == []
    world.change(PILOT="")
    assert world.told() == []


def test_of_what_ended_meanwhile_nobody_is_told_when_it_widens() -> None:
    world = World(settings={"PILOT": ANN, "CLOSING_NOTICE": "always", "TELL_REQUESTER": "on"})
    document = world.requisition(world.group(ANN, TOM))
    assert world.told() == [ANN]
    number = world.approval_id(document)
    world.in_coupa(number, TOM)

    assert world.told() == [ANN]  # that it is over for her; the requester is outside, as Tom is
    world.change(PILOT="")
    assert world.told() == []
    assert world.store.open_entries().entries == []


def test_a_change_reaches_those_inside_and_waits_for_the_others() -> None:
    world = World(settings={"PILOT": ANN})
    document = world.requisition(world.group(ANN, TOM))
    assert world.told() == [ANN]
    world.clock.advance(60)
    world.coupa.world.edit_line(document, 0, unit_price="1000.00")

    assert world.told() == [ANN]
    world.change(PILOT="")
    [late] = world.announced()

    assert late.recipient == TOM
    assert "2,000.00" in late.message
    assert "→" not in late.message


def test_of_the_only_approver_who_waits_for_what_is_new_nobody_says_that_others_wait() -> None:
    world = World()
    document = world.requisition(TOM)
    assert world.told() == [TOM]
    number = world.approval_id(document)
    world.change(PILOT=ANN)
    world.clock.advance(60)
    world.coupa.world.edit_line(document, 0, unit_price="1000.00")
    assert world.told() == []

    story = live(world, int(number))

    assert f"Told so far were user:{world.person(TOM)}. Somebody is still to be told: PILOT is on" in story
    assert "others" not in story


@pytest.mark.parametrize("more", [{"QUIET_HOURS": "00:00-23:59"}, {"DRY_RUN": "on"}])
def test_where_somebody_inside_waits_too_the_story_says_that_those_outside_wait_for_the_pilot(
    more: dict[str, str],
) -> None:
    world = World(settings={"PILOT": ANN, **more})
    number = world.approval_id(world.requisition(world.group(ANN, TOM)))
    world.requisition(TOM)
    assert world.told() == []

    assert "PILOT is on, too: whoever it does not name is told once it names them" in live(world, int(number))
    # Only what waits for nothing else is counted, as its description says.
    assert world.call("status").body["pilot"]["waiting"] == (0 if "DRY_RUN" in more else 1)


def test_when_it_narrows_nobody_outside_hears_more_and_their_cards_stay_good() -> None:
    world = World(settings={"REMIND_AFTER_HOURS": "24", "CLOSING_NOTICE": "always"})
    document = world.requisition(world.group(ANN, TOM))
    cards = {each.recipient: each for each in world.announced()}
    world.change(PILOT=ANN)
    assert world.told() == []
    world.clock.advance(25 * HOUR_S)

    assert world.told() == [ANN]  # the reminder
    world.clock.advance(60)
    world.coupa.world.edit_line(document, 0, unit_price="1000.00")
    assert world.told() == [ANN]
    assert world.click(cards[TOM], TOM).body["outcome"] == "changed"
    world.clock.advance(25 * HOUR_S)
    world.change(PILOT="")
    assert Counter(world.told()) == {ANN: 1, TOM: 1}


def test_a_reminder_that_was_due_outside_comes_once_it_widens() -> None:
    world = World(settings={"REMIND_AFTER_HOURS": "24", "REMIND_MAX": "1"})
    world.requisition(TOM)
    assert world.told() == [TOM]
    world.change(PILOT=ANN)
    world.sweep()
    for _ in range(3):
        assert world.told(after_s=24 * HOUR_S) == []
    world.change(PILOT="")

    assert world.told() == [TOM]
    assert world.told() == []


@pytest.mark.parametrize("to", ["manager", BOSS])
def test_a_long_wait_is_told_to_somebody_outside_once_the_pilot_has_them(to: str) -> None:
    world = World(settings={"PILOT": ANN, "ESCALATE_AFTER_HOURS": "72", "ESCALATE_TO": to})
    boss = world.person(BOSS)
    world.person(ANN, manager=boss) if to == "manager" else world.person(ANN)
    world.requisition(ANN)
    assert world.told() == [ANN]
    world.clock.advance(73 * HOUR_S)
    assert [world.told(), world.told()] == [[], []]

    world.change(PILOT="")

    assert world.told() == [BOSS]
    assert world.told(after_s=2 * HOUR_S) == []


def test_a_question_goes_out_by_coupa_alone_to_a_requester_outside_and_the_answer_comes_back() -> None:
    world = World(settings={"PILOT": ANN, "COMMENTS": "on"})
    document = world.requisition(ANN)
    [card] = world.announced()
    asked = world.ask(card, ANN)
    assert asked.status == 200
    assert world.told(after_s=60) == []
    requisition = world.coupa.world.requisition(document)
    world.coupa.world.comment(requisition, by=world.person(SAM), text="One each.")
    world.clock.advance(60)

    [answer] = world.announced()

    assert answer.recipient == ANN
    assert "One each." in answer.message


def test_an_answer_waits_for_somebody_outside_who_asked_from_their_list() -> None:
    world = World(settings={"PILOT": ANN, "COMMENTS": "on"})
    document = world.requisition(TOM)
    world.sweep()
    [card] = world.listed(TOM).body["approvals"]
    world.ask(card, TOM)
    requisition = world.coupa.world.requisition(document)
    world.coupa.world.comment(requisition, by=world.person(SAM), text="One each.")
    assert world.told(after_s=600) == []

    world.change(PILOT="")
    assert world.told() == [TOM]
    world.clock.advance(600)
    [answer] = world.announced()

    assert "One each." in answer.message


def test_the_digest_of_those_who_come_in_waits_for_its_hour() -> None:
    world = World(settings={"PILOT": ANN, "DIGEST_AT": "09:00"})
    world.clock.advance(-world.clock.now().timestamp() % (24 * HOUR_S))  # midnight
    world.requisition(world.group(ANN, TOM))
    assert world.told() == []
    assert world.told(after_s=10 * HOUR_S) == [ANN]
    world.change(PILOT="")
    assert world.told() == []
    world.clock.advance(23 * HOUR_S + 60)

    assert world.told() == [TOM]


def test_a_trial_of_a_pilot_notes_only_those_who_would_be_told() -> None:
    world = World(settings={"PILOT": ANN, "DRY_RUN": "on"})
    world.requisition(world.group(ANN, TOM))
    summary = world.sweep()
    days = [day for day, _ in world.audit_store.heads()]
    events = [each.values()["event"] for day in days for each in world.audit_store.rows(day)]

    assert summary.counts["dry_run"] == 1
    assert [each["actor"] for each in events if each["kind"] == "notice"] == [ANN]
    world.change(DRY_RUN="off")
    assert world.told() == [ANN]


def test_what_an_operator_muted_stays_muted_when_it_widens() -> None:
    world = World(settings={"PILOT": ANN})
    number = world.approval_id(world.requisition(TOM))
    world.sweep()
    world.call("mute", headers={"X-Actor-Email": OPS}, route={"approval_id": str(number)}, json={"hours": 2})

    world.change(PILOT="")
    assert world.told() == []
    world.clock.advance(2 * HOUR_S + 1)

    assert world.told() == [TOM]


def test_a_message_of_unknown_outcome_is_not_repeated_because_the_pilot_changed() -> None:
    world = World(settings={"PILOT": ANN})
    world.requisition(ANN)
    world.moveworks.front.fail("lose", method="POST", times=3)
    for _ in range(8):
        world.sweep()
        world.clock.advance(200)
    world.moveworks.front.heal()
    assert world.row().state is State.PARKED

    world.change(PILOT="")

    assert world.told() == []


def test_what_cannot_be_read_is_an_alarm_for_somebody_outside_and_is_told_once_it_widens() -> None:
    world = World(settings={"PILOT": ANN})
    document = world.requisition(TOM)
    world.coupa.world.override(("requisition", document), {"id": None})
    for _ in range(9):
        world.sweep()
        world.clock.advance(HOUR_S)
    assert world.row().state is State.PARKED
    assert world.moveworks.delivered == []

    world.change(PILOT="")

    assert world.told() == [TOM]


# ---------------------------------------------------------------------- any groups, zones and changes


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[list[str]], dict[str, str], str, list[list[str]]]:
    """Return who approves what, where they live, which hours are quiet, and whom the pilot has in turn."""
    someone = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True)
    zones = st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"])
    return (
        draw(st.lists(someone, min_size=1, max_size=4)),
        {person: draw(zones) for person in PEOPLE},
        draw(st.sampled_from(["", "18:00-08:00"])),
        draw(
            st.lists(
                st.lists(
                    st.sampled_from([*PEOPLE, "example.com", "example.de"]),
                    min_size=1,
                    max_size=3,
                    unique=True,
                ),
                min_size=1,
                max_size=3,
            )
        ),
    )


@pytest.mark.slow
@given(stories())
@settings(max_examples=25, deadline=None)
def test_nobody_outside_is_ever_told_and_in_the_end_each_is_told_once_of_each(
    story: tuple[list[list[str]], dict[str, str], str, list[list[str]]],
) -> None:
    groups, zones, quiet, pilots = story
    world = World(settings={"TIME_ZONES": json.dumps(zones), "QUIET_HOURS": quiet})
    wanted: Counter[tuple[str, str]] = Counter()
    heard: Counter[tuple[str, str]] = Counter()
    for members in groups:
        number = world.requisition(world.group(*members))
        approval = world.approval_id(number)
        wanted.update((member, str(approval)) for member in members)
    for named in [*pilots, []]:
        world.change(PILOT=",".join(named))
        for _ in range(4 if named else 13):
            said = [(each.recipient, each.slots["approval_id"]) for each in world.announced()]
            assert all(audience_of(named).has(who) for who, _ in said)
            heard.update(said)
            world.clock.advance(2 * HOUR_S)

    assert heard == wanted


# ---------------------------------------------------------------------- who is meant


ADDRESS = st.builds("{}@{}".format, st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.just("x.example"))


@pytest.mark.slow
@given(ADDRESS, st.sampled_from([" {} ", "@{}", "{}"]))
def test_a_domain_means_all_its_people_and_an_address_one(address: str, written: str) -> None:
    domain = address.partition("@")[2]

    assert read_audience(written.format(domain.upper())).has(address.upper())
    assert read_audience(f"b@y.example,{address}").has(address)
    assert not read_audience(f"y.example,{address}x").has(address)


def test_a_domain_does_not_speak_for_its_subdomains_and_nobody_named_is_everybody() -> None:
    assert not read_audience("example.com").has("ann@mail.example.com")
    assert read_audience(" ") == EVERYBODY
    assert EVERYBODY.has(ANN)
    assert (EVERYBODY.id, read_audience(ANN).id != read_audience(BOB).id) == ("", True)
    assert read_audience("a.de,b.de").id == read_audience("b.de,a.de,b.de").id


@pytest.mark.parametrize(
    "text", ["example", "ann@", "@", ",", "ann@example.com,", "a.com;b.com", "*", "a b.com"]
)
def test_what_is_neither_an_address_nor_a_domain_is_named_by_its_place(text: str) -> None:
    place = 2 if text == "ann@example.com," else 1
    wrong = (
        f"entry {place} is neither an e-mail address such as ann@example.com nor a domain such as example.com"
    )

    with pytest.raises(ValueError, match=wrong):
        read_audience(text)
