"""Both ways into Moveworks: what is sent, what counts as accepted, and what each failure means."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from bridge import LISTENER, SETTINGS, World
from canaries import API_KEY

from coupa_core.clock import Deadline
from coupa_core.errors import Denied, Refused, ServiceError, Throttled, Unavailable, Unknown
from coupa_core.http_client import HttpClient
from coupa_core.moveworks import Channel, EventsChannel, ListenerChannel
from coupa_core.notice import Notice
from coupa_core.pace import Pace

EVENT = SETTINGS["MOVEWORKS_EVENT_ID"]
NOTICE = Notice(
    "ann@example.com", "<b>Purchase request</b> 5 €", {"approval_id": "85001", "action_token": "v1.k1.x.y"}
)


@dataclass(frozen=True)
class Way:
    """A way into Moveworks.

    Attributes:
        hints: what a status says that is no fault of a notice.
        wrong: a status by the setting whose wrong value has it.
        made: makes its channel, with the named arguments that both take.
    """

    settings: dict[str, str]
    hints: dict[int, str]
    wrong: dict[str, int]
    made: Callable[..., Channel] = field(repr=False)


OVER_EVENTS = Way(
    {},
    {
        401: "check MOVEWORKS_API_KEY, and MOVEWORKS_BASE_URL for your region",
        404: "check MOVEWORKS_EVENT_ID",
    },
    {"MOVEWORKS_API_KEY": 401, "MOVEWORKS_EVENT_ID": 404},
    lambda http_client, **more: EventsChannel(http_client, event_id=EVENT, api_key=API_KEY, **more),
)
OVER_LISTENER = Way(
    LISTENER,
    {
        401: "check MOVEWORKS_LISTENER_SECRET, and the listener's signature verification",
        404: "check MOVEWORKS_LISTENER_ID, and MOVEWORKS_BASE_URL for your region",
    },
    {"MOVEWORKS_LISTENER_SECRET": 401, "MOVEWORKS_LISTENER_ID": 404},
    lambda http_client, **more: ListenerChannel(
        http_client, listener_id="coupa-approvals", secret=SETTINGS["MOVEWORKS_LISTENER_SECRET"], **more
    ),
)
WAYS = {"events": OVER_EVENTS, "listener": OVER_LISTENER}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


@pytest.fixture
def world(way: Way) -> World:
    return World(settings=dict(way.settings))


def channel(world: World) -> Channel:
    return world.bridge.sweep.deps.channel


def send(world: World, notice: Notice = NOTICE, *, within_s: float = 20.0) -> None:
    channel(world).send(notice, Deadline(world.clock, within_s))


def fails(world: World, **fault: Any) -> ServiceError:
    """Return what a send raises when Moveworks has this fault."""
    world.moveworks.front.fail(**fault)
    with pytest.raises(ServiceError) as caught:
        send(world)
    return caught.value


def test_one_message_goes_to_one_recipient_exactly_as_documented() -> None:
    world = World()

    send(world)

    (call,) = world.moveworks.front.calls
    assert (call.method, call.path) == ("POST", f"/rest/v1/events/{EVENT}/messages/send")
    assert call.query == ""
    assert call.headers["Authorization"] == f"Bearer {API_KEY}"
    assert call.headers["Content-Type"] == "application/json"
    assert json.loads(call.body) == {
        "message": "<b>Purchase request</b> 5 €",
        "recipients": ["ann@example.com"],
        "context": {"slots": {"approval_id": "85001", "action_token": "v1.k1.x.y"}},
    }
    (delivered,) = world.moveworks.inbox("ann@example.com")
    assert (delivered.message, delivered.slots) == (NOTICE.text, NOTICE.slots)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '{"data": {"status": "RECEIVED"}}'),
        (200, '{"message": "Event received successfully", "status": "RECEIVED"}'),
        (200, ""),
        (200, "<html>OK</html>"),
        (200, '{"error": {"code": "X", "message": "none"}}'),
        (201, "{}"),
        (202, "null"),
        (204, ""),
    ],
)
def test_any_2xx_is_accepted_whatever_the_body_says(world: World, status: int, body: str) -> None:
    world.moveworks.front.fail("replace", status=status, body=body)

    send(world)

    assert len(world.moveworks.delivered) == 1


@pytest.mark.parametrize("status", [400, 405, 409, 413, 415, 422])
def test_a_refused_notice_is_the_fault_of_the_notice(world: World, status: int) -> None:
    failure = fails(world, kind="answer", status=status)

    assert isinstance(failure, Refused)
    assert failure.code == f"moveworks_{status}"


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_wrong_key_target_or_address_is_no_fault_of_the_notice(world: World, way: Way, status: int) -> None:
    headers = {"Location": "https://elsewhere.example.com/"}

    failure = fails(world, kind="answer", status=status, headers=headers)

    assert isinstance(failure, Denied)
    assert {403: "moveworks answered 403", 302: "check the base URL", **way.hints}[status] in str(failure)
    assert API_KEY not in str(failure)
    assert SETTINGS["MOVEWORKS_LISTENER_SECRET"] not in str(failure)


@pytest.mark.parametrize("place", [0, 1])
def test_what_moveworks_really_answers_to_a_wrong_setting_is_denied(way: Way, place: int) -> None:
    setting, status = list(way.wrong.items())[place]
    world = World(settings={**way.settings, setting: "another-one"})

    with pytest.raises(Denied) as caught:
        send(world)

    [call] = world.moveworks.front.calls
    assert caught.value.code == f"moveworks_{status}"
    assert setting in str(caught.value)
    assert "another-one" not in str(caught.value).replace(call.path, "")
    assert world.moveworks.delivered == []


def test_moveworks_own_words_are_told_in_one_short_line() -> None:
    body = json.dumps({"error": {"code": "BAD_REQUEST", "message": "no\nsuch\x1b[31m field" + 300 * " ."}})

    failure = fails(World(), kind="answer", status=400, body=body)

    assert str(failure).startswith(
        "moveworks answered 400 to send a message: BAD_REQUEST; no such [31m field"
    )
    assert len(str(failure)) < 300


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        *(
            ({"kind": "answer", "status": status, "body": "<title>Bad</title>"}, f"moveworks_{status}")
            for status in (500, 502, 503, 504)
        ),
        ({"kind": "cut"}, "moveworks_lost"),
        ({"kind": "lose"}, "moveworks_lost"),
        ({"kind": "slow", "seconds": 100.0}, "moveworks_timeout"),
        ({"kind": "replace", "status": 200, "body": "x" * 300_000}, "moveworks_too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["kind"],
)
def test_a_message_without_a_clear_answer_may_have_been_sent_and_is_not_sent_again(
    world: World, fault: dict[str, Any], code: str
) -> None:
    failure = fails(world, **fault)

    assert isinstance(failure, Unknown)
    assert failure.code == code
    assert world.moveworks.front.count("POST") == 1
    assert world.clock.monotonic() <= 20.0


def test_a_refused_connection_means_that_nothing_was_sent(world: World, way: Way) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    nobody = way.made(
        HttpClient(name="moveworks", base_url=f"http://127.0.0.1:{port}", clock=world.clock, use_proxy=False),
        pace=Pace(world.clock, limit=1, period_s=60.0),
        clock=world.clock,
    )

    with pytest.raises(Unavailable) as caught:
        nobody.send(NOTICE, Deadline(world.clock, 20.0))

    assert caught.value.code == "moveworks_unreachable"


def test_without_time_left_nothing_is_sent(world: World) -> None:
    with pytest.raises(Unavailable):
        send(world, within_s=0)

    assert world.moveworks.front.calls == []


@pytest.mark.parametrize(
    ("header", "pause_s"),
    [(None, 60.0), ("0", 60.0), ("7", 7.0), ("soon", 60.0), ("-5", 60.0), ("100000", 900.0)],
)
def test_too_many_requests_say_for_how_long_to_pause(
    world: World, header: str | None, pause_s: float
) -> None:
    headers = {} if header is None else {"Retry-After": header}

    failure = fails(world, kind="answer", status=429, headers=headers)

    assert isinstance(failure, Throttled)
    assert failure.retry_after_s == pause_s


def test_a_pause_may_be_given_as_a_date(world: World) -> None:
    until = format_datetime(world.clock.now() + timedelta(seconds=90), usegmt=True)

    failure = fails(world, kind="answer", status=429, headers={"Retry-After": until})

    assert isinstance(failure, Throttled)
    assert failure.retry_after_s == 90.0


def test_a_sign_of_life_sends_nothing_and_checks_the_key() -> None:
    world = World()

    channel(world).probe(Deadline(world.clock, 20.0))

    (call,) = world.moveworks.front.calls
    assert (call.method, call.path) == ("GET", "/rest/v1/auth/test")
    assert call.headers["Authorization"] == f"Bearer {API_KEY}"
    assert world.moveworks.delivered == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "answer", "status": 401}, Denied),
        ({"kind": "answer", "status": 404}, Denied),
        ({"kind": "answer", "status": 429}, Throttled),
        ({"kind": "answer", "status": 503}, Unknown),
        ({"kind": "slow", "seconds": 100.0}, Unknown),
    ],
    ids=lambda value: str(value)[:40],
)
def test_no_sign_of_life_says_what_is_wrong(
    world: World, fault: dict[str, Any], kind: type[ServiceError]
) -> None:
    world.moveworks.front.fail(**fault)

    with pytest.raises(kind):
        channel(world).probe(Deadline(world.clock, 20.0))


def test_the_allowed_rate_counts_what_is_taken_and_what_another_process_took() -> None:
    world = World(settings={"MOVEWORKS_MAX_PER_MINUTE": "3"})
    deadline = Deadline(world.clock, 30.0)
    channel(world).remember(50.0)

    assert channel(world).acquire(deadline)
    assert channel(world).free(0.0) == 1
    assert channel(world).free(10.0) == 2
    assert channel(world).acquire(deadline)
    assert channel(world).acquire(deadline)

    assert world.clock.monotonic() == 10.0
    assert not channel(world).acquire(deadline)
    assert world.clock.monotonic() == 10.0


def test_idle_connections_are_dropped_and_made_anew(world: World) -> None:
    channel(world).close_idle()
    send(world)

    assert len(world.moveworks.delivered) == 1
