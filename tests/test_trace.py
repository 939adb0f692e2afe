"""The reason why somebody did or did not get a message: the story of one approval, in words."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, World
from ledger_contract import HOUR, NOW, full_row, row, told_of
from unruly import away, before

from coupa_core.audit_log import Event, EventKind, MemoryAuditStore, Row
from coupa_core.ledger import Lease, PersonState, State, Status
from coupa_core.report.story import by_time, describe_row
from coupa_core.report.trace import MAX_DAYS
from coupa_core.report.words import describe_event, why

BEA, CAL, DEE = (f"{name}@example.com" for name in ("bea", "cal", "dee"))


def waiting(*approvers: Any, **more: Any) -> tuple[World, int]:
    """Return a world in which a request waits, for Jamie unless others are named, and its first approval."""
    world = World(**more)
    return world, world.approval_id(world.requisition(*(approvers or (JAMIE,))))


def told(**more: Any) -> tuple[World, int]:
    """Return the same after one sweep."""
    world, number = waiting(**more)
    world.sweep()
    return world, number


# Why somebody was told or not.


def test_the_approver_was_told() -> None:
    world, number = told()

    assert world.story(number) == [
        f"{JAMIE} was told, as approver: Moveworks took the message.",
        (
            f"Everybody who is to be told has this version: user:{world.people[JAMIE]}. "
            "Nothing more is sent until it changes."
        ),
    ]


def test_it_is_not_the_approvers_turn() -> None:
    world = World()
    second = world.approval_id(world.requisition(JAMIE, ROBIN), 1)
    world.sweep()

    [line] = world.story(second)

    assert line.startswith(
        "Nobody is told for now: it is not this approver's turn yet, because an earlier step"
    )
    assert line.endswith("(not_your_turn). It is looked at again by 2026-11-23 09:05:01 UTC.")


def test_there_is_nobody_to_tell() -> None:
    world = World()
    number = world.approval_id(world.requisition(world.group()))
    world.sweep()

    [line] = world.story(number)

    assert line.startswith("It is parked, with an alarm: Coupa names nobody who can be told")
    assert "at once when an operator un-parks it" in line


def test_members_were_told_and_a_colleague_took_it() -> None:
    world = World()
    number = world.approval_id(world.requisition(world.group(BEA, CAL)))
    cards = world.announced()
    world.clock.advance(60)
    world.click(cards[1], CAL)
    world.minutes(1)

    lines = world.story(number)

    assert lines[:2] == [f"{who} was told, as member: Moveworks took the message." for who in (BEA, CAL)]
    assert lines[2:4] == [
        f"{CAL} clicked approve, and the decision was sent to Coupa.",
        f"{CAL} approved it, and Coupa confirmed that.",
    ]
    assert lines[4] == "It does not wait any more: in Coupa it is approved, decided through the bridge."


def test_a_delegate_was_told() -> None:
    world, number = waiting()
    world.delegation(JAMIE, DEE)
    world.sweep()

    assert f"{DEE} was told, as delegate: Moveworks took the message." in world.story(number)


def test_moveworks_refused_the_message_and_took_it_later() -> None:
    world, number = waiting()
    world.moveworks.front.fail("answer", method="POST", status=400)
    world.sweep()
    between = world.story(number)
    world.told(after_s=120)

    refused = f"{JAMIE} was not told, as approver: Moveworks refused the message (moveworks_400)."
    assert between[0] == refused
    assert between[1].startswith("The people who were not told yet are told from 2026-11-23 09:01:0")
    assert between[1].endswith("after 1 of 8 refusals: Moveworks refused the message (moveworks_400).")
    assert world.story(number)[:2] == [
        refused,
        f"{JAMIE} was told, as approver: Moveworks took the message.",
    ]


def test_it_is_parked_after_many_refusals() -> None:
    world, number = waiting()
    world.moveworks.front.fail("answer", method="POST", status=400, times=None)
    for _ in range(8):
        world.sweep()
        world.clock.advance(3700)

    lines = world.story(number)

    assert len([line for line in lines if "was not told" in line]) == 8
    assert lines[-1].startswith("No sweep has seen everything lately")
    assert lines[-2].startswith("It is parked, with an alarm: Moveworks refused the message (moveworks_400).")


def test_the_outcome_is_unknown_and_the_claim_has_not_ended() -> None:
    world, number = waiting()
    world.moveworks.front.fail("lose", method="POST")
    world.sweep()
    waits = " ".join(world.story(number))
    world.clock.advance(150)

    assert f"Whether {JAMIE} was told, as approver is not known" in waits
    assert "may have arrived" in waits
    assert "nothing is sent again before 2026-11-23 09:02:3" in waits
    assert "the next one tells whoever may not have been told" in " ".join(world.story(number))


def test_moveworks_wanted_a_pause() -> None:
    world, number = waiting()
    world.moveworks.front.fail("answer", method="POST", status=429, headers={"Retry-After": "300"})
    world.sweep()

    lines = world.story(number)

    assert lines[0].endswith("Moveworks asked for fewer messages (moveworks_429).")
    assert lines[1].startswith("Nothing is sent to anybody before 2026-11-23 09:05:0")


def test_it_was_decided_in_coupa() -> None:
    world, number = told()
    world.in_coupa(number, JAMIE)
    world.minutes(1)

    last = world.story(number)[-1]

    assert last == "It does not wait any more: in Coupa it is approved, not decided through the bridge."


def test_of_an_id_that_nobody_knows_there_is_no_story() -> None:
    world, _ = told()

    for query in ({}, {"live": "1"}):
        reply = world.call("trace", route={"approval_id": "4711"}, query=query)
        assert (reply.status, reply.body["message"]) == (404, "The bridge has never seen this approval.")


# What Coupa says now.


def test_asked_live_coupa_says_who_may_decide_and_who_of_them_was_told() -> None:
    world, number = told()

    *_, now, people = world.story(number, is_live=True)

    key = f"user:{world.people[JAMIE]}"
    document = world.coupa.world.approval(number).approvable_id
    assert (
        now
        == f"Coupa, asked now, waits for {key} to decide RequisitionHeader {document}, and it is its turn."
    )
    assert people == f"Who may decide now: {JAMIE} ({key}, approver, told, can approve, reject)."


def test_what_the_bridge_has_not_seen_is_said_to_be_new() -> None:
    world = World()
    second = world.approval_id(world.requisition(JAMIE, ROBIN), 1)

    lines = world.story(second, is_live=True)

    assert lines[0] == "The bridge has not seen it yet."
    assert lines[1].endswith("and it is not its turn yet.")
    assert f"{ROBIN} (user:{world.people[ROBIN]}, approver, not told, can approve, reject)" in lines[2]
    assert lines[3].startswith("No sweep has seen everything lately")


def test_a_document_of_another_type_has_its_turn_by_its_siblings() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    document = world.coupa.world.add_document(
        approvable_type="InvoiceHeader", approvers=[world.person(JAMIE), world.person(ROBIN)]
    )
    world.sweep()
    first, second = (world.approval_id(document, step) for step in (0, 1))

    assert any("it is its turn" in line for line in world.story(first, is_live=True))
    assert any("it is not its turn yet" in line for line in world.story(second, is_live=True))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda world, number: world.coupa.world.approvals.drop(number), "does not know it"),
        (
            lambda world, number: world.coupa.world.decide_in_coupa(
                number, decision="rejected", by=world.people[JAMIE]
            ),
            "has it as rejected",
        ),
        (
            lambda world, number: world.coupa.front.fail("answer", status=503, times=None),
            "could not be asked now (coupa_503)",
        ),
        (
            lambda world, number: world.coupa.front.fail(
                "replace", status=200, body="[]", path="/api/requisitions", times=None
            ),
            "does not return RequisitionHeader",
        ),
        (
            lambda world, number: world.coupa.front.fail(
                "answer", status=503, path="/api/delegations", times=None
            ),
            "This may be incomplete",
        ),
        (
            lambda world, number: world.coupa.world.override(
                ("user", world.people[JAMIE]), {"active": False}
            ),
            "nobody who can be told",
        ),
    ],
    ids=["gone", "decided", "away", "no document", "doubt", "nobody"],
)
def test_what_coupa_says_otherwise_is_in_the_story(change: Any, said: str) -> None:
    world, number = told()
    change(world, number)

    assert any(said in line for line in world.story(number, is_live=True))


# The row, and the record.


def test_a_story_has_the_row_without_what_is_only_for_the_machine_and_without_who_decided() -> None:
    world = World()
    world.store.insert(full_row())

    body = world.call("trace", route={"approval_id": "7"}).body

    assert set(vars(full_row())) - set(body["row"]) == {*("nonce", "etag", "decided_by", "decision_key")}
    assert (body["approval_id"], body["row"]["document_id"]) == ("7", "9223372036854775807")
    assert body["row"]["first_told_at"] == (NOW - HOUR).isoformat()


def test_an_approval_that_came_back_has_both_rounds_in_its_story() -> None:
    world = World()
    first = row(cause="before", first_told_at=NOW)
    world.store.archive(
        row(etag=world.store.insert(first), state=State.CLOSED, cause="approved", closed_at=NOW)
    )
    world.store.insert(row(generation=1, told={"user:12": PersonState(version="v", at=NOW + HOUR)}))

    lines = world.story(7)

    assert lines[0] == "An earlier round ended: approved. The approval came back."
    assert lines[1].startswith("Everybody who is to be told has this version: user:12.")


def test_a_record_that_cannot_be_read_is_said_and_the_row_still_tells() -> None:
    world, number = told()
    away(world.audit_store, "rows", "audit_503")

    lines = world.story(number)

    assert "The audit record could not be read (audit_503)." in lines
    assert any(line.startswith("Everybody who is to be told") for line in lines)


def test_only_days_that_can_hold_something_are_read_and_never_more_than_a_month() -> None:
    world, asked = World(), list[date]()
    before(world.audit_store, "rows", lambda day, **_: asked.append(day))
    today = world.clock.now().date()
    world.store.insert(row(1, first_told_at=NOW - timedelta(days=1)))
    world.store.insert(row(2, first_told_at=NOW - timedelta(days=90)))
    closed = row(3, etag=world.store.insert(row(3)), closed_at=NOW - timedelta(days=50))
    world.store.archive(closed)

    world.story(1)
    assert asked == [today + timedelta(days=back) for back in (1, 0, -1)]
    asked.clear()
    lines = world.story(2)
    assert len(asked) == MAX_DAYS
    assert f"The audit record before {asked[-1]} was not read." in lines
    asked.clear()
    world.story(3)
    assert asked == [today - timedelta(days=back) for back in (49, 50)]


def test_a_reading_that_takes_too_long_ends_with_what_was_read() -> None:
    world = World()
    before(world.audit_store, "rows", lambda *_, **__: world.clock.advance(15))
    world.store.insert(row(first_told_at=NOW - timedelta(days=9)))

    assert any(line.startswith("The audit record before 2026-11-23") for line in world.story(7))


def test_rows_of_the_record_about_others_or_without_a_sound_event_are_left_out() -> None:
    world, number = told()
    stored = world.audit_store
    assert isinstance(stored, MemoryAuditStore)
    today = world.clock.now().date()
    head, rows = stored.days[today]
    text = rows[1].text
    strangers = [
        text.replace(f'"approval_id":{number}', f'"approval_id":{number}9'),
        text.replace('"at":"2026', '"at":"never'),
        f'no JSON "approval_id":{number}',
    ]
    extra = {place: Row(place, each, "", "", "") for place, each in enumerate(strangers, 2)}
    stored.days[today] = head, {**rows, **extra}

    assert len(world.story(number)) == 2


# Words.

LEASE = Lease()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"kind": "decision", "outcome": "held", "actor": "a"},
            "a put it on hold, and Coupa confirmed that.",
        ),
        (
            {"kind": "decision", "outcome": "new", "actor": "a", "verb": "approve", "cause": "x"},
            "a's decision to approve it ended as new (x).",
        ),
        (
            {"kind": "refusal", "outcome": "refused", "cause": "token_refused", "verb": "reject"},
            "somebody clicked reject and was refused: the action token was missing or not valid.",
        ),
        (
            {"kind": "refusal", "outcome": "new", "actor": "{actor}"},
            "{actor} clicked decide and was refused: new.",
        ),
        ({"kind": "rights", "cause": "+user:1"}, "Who may decide changed: +user:1."),
        (
            {"kind": "operator", "actor": "o", "verb": "mute", "cause": "8 hours", "outcome": "asked"},
            "o, an operator, muted it (8 hours).",
        ),
        (
            {"kind": "operator", "actor": "o", "verb": "new", "outcome": "failed"},
            "o, an operator, new, and that was not done.",
        ),
        ({"kind": "later", "outcome": "done"}, "later: done."),
    ],
)
def test_every_event_is_a_sentence(said: dict[str, str], sentence: str) -> None:
    assert describe_event(said) == sentence


@pytest.mark.parametrize("kind", EventKind)
def test_no_kind_of_event_is_without_words(kind: EventKind) -> None:
    said = Event(kind=kind, at=NOW, actor="a@x.test", outcome="sent", cause="c").values()

    assert describe_event(said).endswith(".")


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        ("no_turn", "the allowed rate of messages was used up (no_turn)"),
        ("moveworks_503", "Moveworks did not answer as it should (moveworks_503)"),
        ("coupa_500", "Coupa did not answer as it should (coupa_500)"),
        ("of a later version", "the cause is of a later version"),
        ("", "the cause is not recorded"),
    ],
)
def test_every_cause_means_something(cause: str, text: str) -> None:
    assert why(cause) == text


@pytest.mark.parametrize(
    ("entry", "begins"),
    [
        (row(told={}), "There is nobody left who is to be told."),
        (row(told=told_of("", "v", at=NOW)), "Everybody who is to be told has this version: user:2."),
        (row(state=State.RETRY), "The people who were not told yet are told from now on."),
        (
            row(state=State.WAITING, cause="muted", next_at=NOW),
            "An operator muted it: nothing is sent for it before 2026-11-23 09:00:00 UTC.",
        ),
        (row(state=State.CLAIMED), "A sweep left it without an outcome"),
        (
            row(state=State.DECIDED, decision="reject", decided_at=NOW),
            "The ledger has the decision through the bridge: reject.",
        ),
        (
            row(state=State.CLOSED, cause="gone"),
            "It does not wait any more: Coupa does not know it any more, not decided through the bridge; ",
        ),
    ],
)
def test_every_state_is_a_sentence(entry: Any, begins: str) -> None:
    lines = describe_row(entry, status=Status(), now=NOW, lease=LEASE)

    assert lines[0].text.startswith(begins)


def test_whoever_may_decide_and_got_no_message_is_named() -> None:
    lines = describe_row(row(told=told_of("", "v", at=NOW)), status=Status(), now=NOW, lease=LEASE)

    assert lines[1].text.startswith("user:1 may decide and got no message")
    assert by_time(reversed(lines))[-1].text in {line.text for line in lines}


def test_a_switch_that_is_none_is_refused() -> None:
    reply = World().call("trace", route={"approval_id": "7"}, query={"live": "maybe"})

    assert (reply.status, reply.body["error"]) == (400, "bad_switch")
