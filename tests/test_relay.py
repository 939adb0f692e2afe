"""Messages of other systems: their readers, their content, their rate, and the answer to each caller."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bridge import World
from unruly import away, failing

from coupa_core.endpoints import Reply
from coupa_core.errors import Conflict
from coupa_core.ledger import Note, Status

ANN, BOB = "ann@example.com", "bob@example.com"
ON = {"RELAY_DOMAINS": "example.com, corp.example"}


def relay(world: World, message: Any = "Hello", recipients: Any = (ANN,), **more: Any) -> Reply:
    """Ask for a message to be handed on."""
    return world.call("notifications", json={"message": message, "recipients": list(recipients), **more})


def sent(world: World) -> list[tuple[str, str]]:
    return [(each.recipient, each.message) for each in world.moveworks.delivered]


def test_it_is_off_unless_the_operator_switches_it_on() -> None:
    world = World()

    reply = relay(world)

    assert (reply.status, reply.body["error"]) == (403, "relay_off")
    assert sent(world) == []


def test_a_message_reaches_each_recipient_once_and_carries_no_slots() -> None:
    world = World(settings=ON)

    reply = relay(world, recipients=[ANN, "BOB@corp.example", ANN.upper()])

    assert (reply.status, reply.body["accepted"]) == (200, 2)
    assert reply.body["recipients"] == {ANN.upper(): "accepted", "BOB@corp.example": "accepted"}
    assert len(sent(world)) == 2
    assert [each.slots for each in world.moveworks.delivered] == [{}, {}]


@pytest.mark.parametrize(
    "stranger", ["eve@evil.example", "ann@example.com.evil.test", "ann@sub.example.com", "ann@notexample.com"]
)
def test_nothing_is_sent_when_one_address_is_of_another_domain(stranger: str) -> None:
    world = World(settings=ON)

    reply = relay(world, recipients=[ANN, stranger])

    assert (reply.status, reply.body["error"]) == (403, "recipient_not_allowed")
    assert sent(world) == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "bad_recipients"),
        ({"recipients": []}, "bad_recipients"),
        ({"recipients": ANN}, "bad_recipients"),
        ({"recipients": [5]}, "bad_recipients"),
        ({"recipients": ["ann"]}, "bad_recipients"),
        ({"recipients": [f"p{number}@example.com" for number in range(21)]}, "bad_recipients"),
        ({"recipients": [ANN]}, "bad_message"),
        ({"recipients": [ANN], "message": ""}, "bad_message"),
        ({"recipients": [ANN], "message": 5}, "bad_field"),
        ({"recipients": [ANN], "message": "x" * 20_001}, "field_too_long"),
        ({"recipients": [ANN], "message": "&" * 19_000}, "bad_message"),
        ({"recipients": [ANN], "message": "x", "html": "yes"}, "bad_field"),
        ({"recipients": [ANN], "message": "x", "html": True}, "html_not_allowed"),
        ({"recipients": [ANN], "message": "x", "slots": {"approval_id": "1"}}, "unknown_field"),
    ],
)
def test_what_is_wrong_with_a_message_is_said(body: dict[str, Any], error: str) -> None:
    world = World(settings=ON)

    reply = world.call("notifications", json=body)

    assert (reply.status, reply.body["error"]) == (400, error)
    assert sent(world) == []


def test_plain_text_keeps_its_lines_and_nothing_in_it_works() -> None:
    world = World(settings=ON)

    relay(world, message="Hi <b>Ann</b>\nsee http://evil.example\u202e\n")

    assert sent(world) == [(ANN, "Hi &lt;b&gt;Ann&lt;/b&gt;<br>see hxxp://evil[.]example")]
    assert world.moveworks.markup_faults == []


def test_markup_is_cut_down_to_the_tags_that_moveworks_shows() -> None:
    world = World(settings={**ON, "RELAY_HTML": "on"})
    hostile = (
        '<b onclick="x()">Hi</b><script>x()</script><img src=x onerror=y><a href="javascript:x()">a</a>'
        '<a href="https://example.com/?a=1&b=2" target=_blank>b</a><ul><li>1</ul><h1>big</h1>'
    )

    reply = relay(world, message=hostile, html=True)

    assert reply.status == 200
    assert sent(world) == [
        (
            ANN,
            '<b>Hi</b><a>a</a><a href="https://example.com/?a=1&amp;b=2">b</a><ul><li>1</li></ul>big',
        )
    ]


def test_its_share_of_the_rate_holds_across_processes_and_comes_back_after_a_minute() -> None:
    world = World(settings={**ON, "RELAY_MAX_PER_MINUTE": "3"})
    assert relay(world, recipients=[ANN, BOB]).status == 200
    world.restart()

    refused = relay(world, recipients=[ANN, BOB])

    assert (refused.status, refused.body["error"]) == (429, "relay_rate")
    assert relay(world, recipients=[ANN]).status == 200
    world.clock.advance(60)
    assert relay(world, recipients=[ANN, BOB]).status == 200
    assert len(sent(world)) == 5


def test_while_moveworks_wants_a_pause_nothing_is_relayed() -> None:
    world = World(settings=ON)
    world.store.save_status(Status(paused_until=world.clock.now() + timedelta(seconds=30)))

    reply = relay(world)

    assert (reply.status, reply.body["error"]) == (429, "relay_paused")
    world.clock.advance(31)
    assert relay(world).status == 200


@pytest.mark.parametrize(
    ("kind", "details", "first", "second"),
    [
        ("answer", {"status": 400}, "refused", "accepted"),
        ("answer", {"status": 401}, "not_sent", "not_sent"),
        ("answer", {"status": 500}, "unknown", "not_sent"),
        ("lose", {}, "unknown", "not_sent"),
    ],
)
def test_each_recipients_answer_is_true_when_moveworks_fails(
    kind: Any, details: dict[str, Any], first: str, second: str
) -> None:
    world = World(settings=ON)
    world.moveworks.front.fail(kind, method="POST", **details)

    reply = relay(world, recipients=[ANN, BOB])

    assert reply.status == 207
    assert reply.body["recipients"] == {ANN: first, BOB: second}
    assert reply.body["accepted"] == [first, second].count("accepted")


def test_without_the_ledger_nothing_is_relayed() -> None:
    world = World(settings=ON)
    away(world.store, "save_note")

    assert relay(world).status == 503
    assert sent(world) == []


def test_a_rate_that_another_process_wrote_meanwhile_is_read_again() -> None:
    world, others = World(settings=ON), iter(range(2))
    busy = Conflict("ledger_conflict", "others")
    failing(world.store, "save_note", busy, when=lambda *_: next(others, None) is not None)

    assert relay(world).status == 200


def test_a_rate_that_cannot_be_read_begins_anew() -> None:
    world = World(settings=ON)
    world.store.save_note("relay", Note("yesterday"))

    assert relay(world).status == 200


@pytest.mark.parametrize("context", [{"slots": {"approval_id": "7"}}, {"approval_id": "7"}, "x"])
def test_slots_would_put_buttons_under_words_that_are_not_ours_and_are_refused(context: Any) -> None:
    world = World(settings=ON)

    reply = relay(world, context=context)

    assert (reply.status, reply.body["error"]) == (400, "context_not_allowed")
    assert "leave context out" in reply.body["message"]
    assert sent(world) == []
