"""Agent Studio's webhook listener: the signed data, the accepted answers, the meaning of each failure."""

from __future__ import annotations

import doctest
import hashlib
import hmac
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bridge import LISTENER, MOVEWORKS, SETTINGS, World
from test_moveworks_channel import channel, send
from werkzeug.wrappers import Request, Response

from coupa_core.clock import Deadline
from coupa_core.errors import Refused
from coupa_core.http_client import HttpClient
from coupa_core.model import Verb
from coupa_core.moveworks import chat, listener
from coupa_core.notice import Notice
from sandbox.serving import InProcess

SECRET = SETTINGS["MOVEWORKS_LISTENER_SECRET"]
PATH = f"/webhooks/v1/listeners/{LISTENER['MOVEWORKS_LISTENER_ID']}/notify"
NOTICE = Notice(
    "ann@example.com",
    '<b>Purchase request</b>:<br>- <i>Amount</i>: 5 €<br><a href="https://acme.test">Open in Coupa</a>',
    {"approval_id": "85001", "action_token": "v1.k1.x.y"},
    document_type="RequisitionHeader",
    document_id="5001",
    actions={Verb.APPROVE: "Approve", Verb.REJECT: "Reject"},
)
"""A notice as the bridge renders it."""


ROOT = Path(__file__).resolve().parent.parent


def over_listener(**settings: str) -> World:
    """Return a world whose bridge tells people through the listener."""
    return World(settings=LISTENER | settings)


def sent(world: World) -> dict[str, Any]:
    """Return the payload that was sent last."""
    payload: dict[str, Any] = json.loads(world.moveworks.front.calls[-1].body)
    return payload


def outcomes(world: World) -> list[tuple[str, str]]:
    """Return what the listener's log says of each event, with the cause."""
    return [(line.outcome, line.cause) for line in world.moveworks.listener.log]


def test_one_notice_is_one_signed_request_with_all_that_a_plugin_needs() -> None:
    world = over_listener()

    send(world, NOTICE)

    (call,) = world.moveworks.front.calls
    assert (call.method, call.path, call.query) == ("POST", PATH, "")
    assert call.headers["Content-Type"] == "application/json"
    assert "Authorization" not in call.headers
    assert call.headers["X-Signature"] == hmac.new(SECRET.encode(), call.body, hashlib.sha256).hexdigest()
    assert json.loads(call.body) == {
        "schema_version": 1,
        "delivery_id": sent(world)["delivery_id"],
        "kind": "announcement",
        "approver_email": "ann@example.com",
        "message": "*Purchase request*:\n- Amount: 5 €\nOpen in Coupa: https://acme.test",
        "message_html": NOTICE.text,
        "approval_id": "85001",
        "action_token": "v1.k1.x.y",
        "document_type": "RequisitionHeader",
        "document_id": "5001",
        "buttons": {"approve": "Approve", "reject": "Reject"},
    }
    (delivered,) = world.moveworks.inbox("ann@example.com")
    assert (delivered.message, delivered.slots) == (sent(world)["message"], NOTICE.slots)


def test_a_refusal_that_repeats_our_request_names_nobody() -> None:
    """The body goes out as bytes, so that it can be signed; what it holds is hidden as over events."""

    def refuse(request: Request) -> Response:
        body = request.get_data(as_text=True)
        return Response(json.dumps({"message": f"cannot take {body}, a.k.a. ANN@EXAMPLE.COM"}), status=400)

    world = over_listener()
    http_client: HttpClient = channel(world)._http_client  # type: ignore[attr-defined]
    http_client._session.mount(MOVEWORKS, InProcess(Request.application(refuse)))

    with pytest.raises(Refused) as caught:
        send(world, NOTICE)

    said = str(caught.value)
    assert "cannot take" in said
    assert "ann@example.com" not in said.lower()
    assert "v1.k1.x.y" not in said
    assert "Purchase request" not in said


def test_the_body_is_compact_and_ascii_so_that_it_can_be_signed_anywhere() -> None:
    world = over_listener()

    send(world, replace(NOTICE, text="💳 Ärger &lt;b&gt; \u2028"))

    body = world.moveworks.front.calls[-1].body
    assert body == json.dumps(json.loads(body), separators=(",", ":")).encode("ascii")
    assert [each.message for each in world.moveworks.delivered] == ["💳 Ärger &lt;b&gt; \u2028"]


def test_every_field_is_there_also_in_a_message_that_nobody_can_decide_on() -> None:
    world = over_listener()

    send(world, NOTICE)
    full = sent(world)
    send(world, Notice("ann@example.com", "3 wait for you", {}, kind="digest"))
    bare = sent(world)

    assert list(bare) == list(full)
    assert (bare["kind"], bare["approval_id"], bare["action_token"], bare["buttons"]) == (
        "digest",
        "",
        "",
        {},
    )
    assert [each.slots for each in world.moveworks.delivered] == [NOTICE.slots, {}]


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<b>A</b><br>- <i>B</i>: c", "*A*\n- B: c"),
        ("one<ul><li>A</li><li>B</li></ul>", "one\n- A\n- B"),
        (
            '<a href="https://a.test/?x=1&amp;y=2">A &amp; B</a>',
            "A &amp; B: https://a.test/?x=1&amp;y=2",
        ),
        ("&lt;script&gt; &amp;lt; O&#x27;Neil &quot;x&quot;", '&lt;script&gt; &amp;lt; O\'Neil "x"'),
        ("", ""),
    ],
)
def test_the_markup_of_events_becomes_that_of_notify_and_no_text_becomes_markup(
    markup: str, shown: str
) -> None:
    assert chat.chat_text(markup) == shown


def test_whatever_coupa_says_arrives_without_a_tag() -> None:
    world = over_listener()
    delivered = world.offer("ann@example.com", title="<b>A & B</b> <a href='https://evil.test'>*x*</a>")

    assert "<" not in delivered.message
    assert "&lt;b&gt;A &amp; B" in delivered.message
    assert world.moveworks.markup_faults == []


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(chat).failed == 0


def test_a_repeat_has_the_same_delivery_id_though_its_token_expires_later() -> None:
    again = replace(
        NOTICE, slots=dict(NOTICE.slots) | {"action_token": "v1.k1.later.z"}, recipient="Ann@Example.com"
    )

    assert listener.delivery_id(again) == listener.delivery_id(NOTICE)


@pytest.mark.parametrize(
    "other",
    [
        replace(NOTICE, recipient="bob@example.com"),
        replace(NOTICE, text="<b>Purchase request changed</b>"),
        replace(NOTICE, slots=dict(NOTICE.slots) | {"approval_id": "85002"}),
        replace(NOTICE, kind="reminder"),
    ],
)
def test_another_person_approval_kind_or_text_has_another_delivery_id(other: Notice) -> None:
    assert listener.delivery_id(other) != listener.delivery_id(NOTICE)


@pytest.mark.parametrize(("window_s", "shown"), [(0, 2), (300, 1)])
def test_a_repeat_after_a_lost_answer_is_shown_once_by_a_listener_that_debounces(
    window_s: float, shown: int
) -> None:
    world = over_listener()
    world.moveworks.listener.debounce_s = window_s
    world.requisition("ann@example.com")
    world.moveworks.front.fail("lose")

    for _ in range(6):
        world.sweep()
        world.clock.advance(60)

    kinds = [json.loads(call.body)["kind"] for call in world.moveworks.front.calls]
    assert kinds.count("announcement") == 2
    assert len(world.moveworks.delivered) == shown


def test_a_wrong_secret_may_look_like_success_and_then_only_the_listeners_log_shows_it() -> None:
    world = over_listener(MOVEWORKS_LISTENER_SECRET="another-one")
    world.moveworks.listener.rejects_quietly = True

    send(world, NOTICE)

    assert world.moveworks.delivered == []
    assert outcomes(world) == [("received", ""), ("rejected", "ErrorSignatureVerificationFailed")]
    assert "ErrorSignatureVerificationFailed" in listener.LOOK_IN_THE_LOG


def test_a_body_that_the_listener_could_not_read_is_refused_before_it_is_sent() -> None:
    world = over_listener()

    send(world, replace(NOTICE, text="é" * 80_000))
    with pytest.raises(Refused) as caught:
        send(world, replace(NOTICE, text="é" * 90_000))

    assert caught.value.code == "moveworks_too_large"
    assert [len(call.body) <= 1_000_000 for call in world.moveworks.front.calls] == [True]


def test_a_sign_of_life_checks_id_and_secret_and_tells_nobody() -> None:
    world = over_listener()

    channel(world).probe(Deadline(world.clock, 20.0))

    (call,) = world.moveworks.front.calls
    assert (call.method, call.path, call.status) == ("POST", PATH, 200)
    assert (sent(world)["kind"], sent(world)["approver_email"], sent(world)["message"]) == ("probe", "", "")
    assert outcomes(world) == [("received", ""), ("filtered", "")]
    assert world.moveworks.delivered == []


def test_a_sign_of_life_tells_nobody_either_where_the_event_filter_was_forgotten() -> None:
    world = over_listener()
    world.moveworks.listener.ignored_kinds = frozenset()

    channel(world).probe(Deadline(world.clock, 20.0))

    assert outcomes(world)[-1] == ("failed", "approver_email is empty")
    assert world.moveworks.delivered == []


@pytest.mark.slow
def test_an_outage_of_hours_parks_nobody_and_ends_with_one_message_each() -> None:
    """Were the sign of life a real notice, each sweep of the outage would leave one of unknown outcome."""
    world = over_listener()
    for number in range(20):
        world.requisition(f"person{number}@example.com")
    world.moveworks.front.fail("answer", status=503, times=None)
    for _ in range(120):
        world.sweep()
        world.clock.advance(60)

    world.moveworks.front.heal()
    for _ in range(4):
        world.sweep()
        world.clock.advance(60)

    told = [each.recipient for each in world.moveworks.delivered]
    assert sorted(told) == sorted(f"person{number}@example.com" for number in range(20))


def test_both_rates_are_kept_the_minutes_and_three_a_second_evenly() -> None:
    world = over_listener(MOVEWORKS_MAX_PER_MINUTE="10")
    deadline = Deadline(world.clock, 59.0)

    taken_at = []
    while channel(world).acquire(deadline):
        taken_at.append(world.clock.monotonic())

    assert taken_at == pytest.approx([number / 3 for number in range(10)])
    assert channel(world).free(0.0) == 0


def test_a_sweep_over_the_listener_is_never_throttled() -> None:
    world = over_listener(MOVEWORKS_MAX_PER_MINUTE="100")
    world.moveworks.listener.max_per_second = 5
    for number in range(30):
        world.requisition(f"person{number}@example.com")

    world.sweep()

    assert len(world.moveworks.delivered) == 30
    assert {call.status for call in world.moveworks.front.calls} == {200}


def test_every_kind_of_message_reaches_a_listener_and_is_named_in_its_guide() -> None:
    world = World(
        settings={
            **LISTENER,
            "REMIND_AFTER_HOURS": "24",
            "ESCALATE_AFTER_HOURS": "24",
            "ESCALATE_TO": "desk@example.com",
            "CLOSING_NOTICE": "always",
            "TELL_REQUESTER": "on",
            "DIGEST_OVER": "2",
            "RELAY_DOMAINS": "example.com",
            "COMMENTS": "on",
        }
    )
    number = world.requisition("ann@example.com")
    world.sweep()
    world.ask(sent(world), "ann@example.com")
    world.minutes(1)
    world.coupa.world.add_comment("requisition", number, by=world.person("sam@example.com"), text="So.")
    world.minutes(1)
    world.clock.advance(24 * 3600)
    world.sweep()
    [approval] = world.coupa.world.approvals_of(number)
    world.in_coupa(approval.id, "robin@example.com")
    for _ in range(3):
        world.requisition("ann@example.com")
    world.minutes(1)
    world.call("notifications", json={"recipients": ["ann@example.com"], "message": "hello"})
    world.bridge.sweep.deps.channel.probe(Deadline(world.clock, 10))

    kinds = {json.loads(call.body)["kind"] for call in world.moveworks.front.calls}

    assert kinds == {
        *("announcement", "reminder", "digest", "escalation", "closing", "outcome", "relay", "probe"),
        *("question", "answer"),
    }
    guide = (ROOT / "docs" / "creator_studio" / "listener.md").read_text("utf-8")
    [row] = [line for line in guide.splitlines() if line.startswith("| `kind` |")]
    assert set(re.findall(r"`(\w+)`", row)) == {"kind", *kinds}


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("fr", "Ouvrir dans Coupa : https://"),
        ("ja", "Coupaで開く：https://"),
        ("en", "Open in Coupa: https://"),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"DIGEST_OVER": "1"}], ids=["card", "digest"])
def test_a_link_stands_behind_the_colon_of_the_reader_s_language(
    settings: dict[str, str], locale: str, said: str
) -> None:
    world = World(settings=LISTENER | settings)
    world.person("ann@example.com", default_locale=locale)
    for _ in range(2):
        world.requisition("ann@example.com")
    world.sweep()

    assert said in sent(world)["message"]
