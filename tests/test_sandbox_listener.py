"""The simulated listener follows Moveworks' published rules, on both sides of their contradictions."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
import requests

from sandbox.clock import ManualClock
from sandbox.connector import Connector
from sandbox.control import moveworks_with_handles
from sandbox.moveworks import Delivered, MoveworksSimulator
from sandbox.serving import InProcess

SECRET = "secret"
PAYLOAD = {"approver_email": "ann@x.test", "message": "*PO 12*", "approval_id": "7", "action_token": "t"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def mw(clock: ManualClock) -> MoveworksSimulator:
    return MoveworksSimulator(
        clock=clock, api_key="key", event_id="e", listener_id="mine", listener_secret=SECRET
    )


def signed(body: bytes, *, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "X-Signature": signature}


def notify(
    mw: MoveworksSimulator,
    payload: Any = PAYLOAD,
    *,
    listener_id: str = "mine",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> requests.Response:
    """Send a payload, signed as it must be unless other headers are given."""
    body = json.dumps(payload).encode() if body is None else body
    session = requests.Session()
    session.mount("http://moveworks.test", InProcess(mw.front))
    return session.post(
        f"http://moveworks.test/webhooks/v1/listeners/{listener_id}/notify",
        data=body,
        headers=signed(body) if headers is None else headers,
        timeout=5,
    )


def outcomes(mw: MoveworksSimulator) -> list[tuple[str, str]]:
    return [(line.outcome, line.cause) for line in mw.listener.log]


def test_a_signed_event_is_received_and_told_with_what_a_button_brings_back(
    mw: MoveworksSimulator, clock: ManualClock
) -> None:
    answer = notify(mw)

    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Event received successfully", "status": "RECEIVED"},
    )
    slots = {"approval_id": "7", "action_token": "t"}
    assert mw.inbox("ann@x.test") == [Delivered("ann@x.test", "*PO 12*", slots, clock.now())]
    assert [line.event for line in mw.listener.log] == [
        "listener.webhook.trigger",
        "listener.webhook.processor.update",
        "listener.webhook.plugin.trigger",
    ]
    assert outcomes(mw) == [("received", ""), ("published", ""), ("completed", "")]


BODY = json.dumps(PAYLOAD).encode()
WRONG = [
    {"Content-Type": "application/json"},
    signed(BODY) | {"X-Signature": ""},
    signed(BODY, secret="other"),
    signed(BODY + b" "),
    signed(BODY) | {"X-Signature": "sha256=" + signed(BODY)["X-Signature"]},
]


@pytest.mark.parametrize("headers", WRONG)
def test_a_signature_that_is_missing_or_not_of_these_bytes_is_answered_401(
    mw: MoveworksSimulator, headers: dict[str, str]
) -> None:
    answer = notify(mw, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "ErrorSignatureVerificationFailed"
    assert mw.delivered == []


@pytest.mark.parametrize("headers", WRONG)
def test_or_it_is_answered_200_and_rejected_in_the_log_only(
    mw: MoveworksSimulator, headers: dict[str, str]
) -> None:
    mw.listener.rejects_quietly = True

    answer = notify(mw, headers=headers)

    assert (answer.status_code, answer.json()["status"]) == (200, "RECEIVED")
    assert outcomes(mw) == [("received", ""), ("rejected", "ErrorSignatureVerificationFailed")]
    assert mw.delivered == []


def test_the_signature_may_be_asked_for_in_another_header(mw: MoveworksSimulator) -> None:
    mw.listener.signature_header = "X-Hook-Signature"
    signature = signed(BODY)["X-Signature"]

    refused = notify(mw)
    accepted = notify(mw, headers={"Content-Type": "application/json", "X-Hook-Signature": signature})

    assert [refused.status_code, accepted.status_code] == [401, 200]


def test_a_listener_that_does_not_exist_is_answered_404_with_an_empty_body(mw: MoveworksSimulator) -> None:
    unknown = notify(mw, listener_id="other")
    nobody = notify(MoveworksSimulator(api_key="key", event_id="e"))

    assert [(each.status_code, each.content) for each in (unknown, nobody)] == [(404, b""), (404, b"")]


def test_a_listener_is_only_posted_to(mw: MoveworksSimulator) -> None:
    session = requests.Session()
    session.mount("http://moveworks.test", InProcess(mw.front))

    answer = session.get("http://moveworks.test/webhooks/v1/listeners/mine/notify", timeout=5)

    assert answer.status_code == 404
    assert mw.listener.log == []


@pytest.mark.parametrize(
    ("body", "kind"), [(b"{message}", "application/json"), (BODY, "text/plain"), (b"", "application/json")]
)
def test_what_is_no_json_is_refused(mw: MoveworksSimulator, body: bytes, kind: str) -> None:
    answer = notify(mw, body=body, headers=signed(body) | {"Content-Type": kind})

    assert answer.status_code == 400
    assert outcomes(mw)[-1][0] == "rejected"


@pytest.mark.parametrize("payload", [[], "text", 12, None, {}, {"anything": {"goes": [1]}}])
def test_a_listener_takes_any_json_and_what_the_plugin_lacks_is_in_the_log(
    mw: MoveworksSimulator, payload: Any
) -> None:
    answer = notify(mw, payload)

    assert answer.status_code == 200
    assert outcomes(mw)[-1][0] == "failed"
    assert mw.delivered == []


def test_before_a_plugin_is_published_an_event_triggers_nothing(mw: MoveworksSimulator) -> None:
    mw.listener.plugin = None

    assert notify(mw).status_code == 200
    assert outcomes(mw)[-1] == ("published", "")
    assert mw.delivered == []


@pytest.mark.parametrize("name", ["approver_email", "message", "approval_id"])
def test_the_plugin_needs_whom_what_and_which(mw: MoveworksSimulator, name: str) -> None:
    notify(mw, {key: value for key, value in PAYLOAD.items() if key != name})
    notify(mw, PAYLOAD | {name: 12})

    assert outcomes(mw).count(("failed", f"{name} is missing")) == 2
    assert mw.delivered == []


@pytest.mark.parametrize("name", ["approver_email", "message"])
def test_the_plugin_fails_for_nobody_and_for_nothing_to_say(mw: MoveworksSimulator, name: str) -> None:
    notify(mw, PAYLOAD | {name: ""})

    assert outcomes(mw)[-1] == ("failed", f"{name} is empty")


def test_a_message_about_no_single_approval_is_told_without_slots(mw: MoveworksSimulator) -> None:
    notify(mw, PAYLOAD | {"approval_id": "", "action_token": ""})

    assert [each.slots for each in mw.delivered] == [{}]


def test_a_person_nobody_knows_is_told_nothing_and_the_log_says_so(mw: MoveworksSimulator) -> None:
    mw.known = {"ann@x.test"}

    notify(mw, PAYLOAD | {"approver_email": "eve@x.test"})

    assert outcomes(mw)[-1] == ("failed", "mw.get_user_by_email: user not found")
    assert mw.delivered == []


def test_the_event_filter_drops_a_sign_of_life_at_the_door(mw: MoveworksSimulator) -> None:
    notify(mw, PAYLOAD | {"kind": "probe"})
    mw.listener.ignored_kinds = frozenset()
    notify(mw, PAYLOAD | {"kind": "probe"})

    assert outcomes(mw)[1] == ("filtered", "")
    assert len(mw.delivered) == 1


def test_a_body_above_a_megabyte_is_received_and_cannot_be_read(mw: MoveworksSimulator) -> None:
    frame = len(json.dumps(PAYLOAD | {"message": ""}).encode())

    for size in (1_000_000, 1_000_001):
        assert notify(mw, PAYLOAD | {"message": "x" * (size - frame)}).status_code == 200

    assert outcomes(mw)[2] == ("completed", "")
    assert outcomes(mw)[5] == ("failed", "the payload is no object")


def test_a_secured_listener_takes_five_a_second_whatever_becomes_of_them(
    mw: MoveworksSimulator, clock: ManualClock
) -> None:
    first = [notify(mw, headers=WRONG[0]).status_code, *(notify(mw).status_code for _ in range(5))]
    clock.advance(0.9)
    refused = notify(mw)
    clock.advance(0.1)

    assert first == [401, 200, 200, 200, 200, 429]
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert "Retry-After" not in refused.headers
    assert notify(mw).status_code == 200


def test_an_unsecured_listener_takes_anything_but_only_one_in_ten_seconds(clock: ManualClock) -> None:
    mw = MoveworksSimulator(clock=clock, api_key="key", event_id="e", listener_id="mine")
    as_json = {"Content-Type": "application/json"}

    statuses = []
    for pause_s in (0.0, 9.9, 0.1):
        clock.advance(pause_s)
        statuses.append(notify(mw, headers=as_json).status_code)

    assert statuses == [200, 429, 200]


def test_a_429_says_when_to_retry_only_if_told_to(mw: MoveworksSimulator) -> None:
    mw.listener.max_per_second = 0
    mw.listener.retry_after = "7"

    assert notify(mw).headers["Retry-After"] == "7"


def test_the_limit_can_be_lifted(mw: MoveworksSimulator) -> None:
    mw.listener.max_per_second = None

    assert {notify(mw).status_code for _ in range(60)} == {200}


def test_the_limits_of_events_and_listener_are_counted_apart(mw: MoveworksSimulator) -> None:
    mw.max_per_minute = 0

    assert notify(mw).status_code == 200


def test_a_debounced_event_is_received_and_triggers_nothing_within_the_window(
    mw: MoveworksSimulator, clock: ManualClock
) -> None:
    mw.listener.debounce_s = 300
    first, other = PAYLOAD | {"delivery_id": "a"}, PAYLOAD | {"delivery_id": "b"}

    for payload, pause_s in ((first, 0), (first, 299), (other, 0), (first, 1), (PAYLOAD, 0), (PAYLOAD, 0)):
        clock.advance(pause_s)
        assert notify(mw, payload).status_code == 200

    ends = [outcome for outcome, _ in outcomes(mw) if outcome in ("published", "debounced")]
    assert ends == ["published", "debounced", "published", "published", "published", "published"]


def test_a_tag_in_a_notification_is_recorded_and_shown_all_the_same(mw: MoveworksSimulator) -> None:
    notify(mw, PAYLOAD | {"message": "<b>PO 12</b>"})

    assert mw.markup_faults == ["tag in notify: <b>PO 12</b>"]
    assert len(mw.delivered) == 1


def test_the_connector_presses_the_buttons_of_what_came_over_the_listener(mw: MoveworksSimulator) -> None:
    notify(mw)
    asked: list[requests.PreparedRequest] = []

    class Bridge(InProcess):
        def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
            asked.append(request)
            return super().send(request, *args, **options)

    session = requests.Session()
    session.mount("http://bridge.test", Bridge(mw.front))
    Connector("http://bridge.test", session=session).decide(
        mw.delivered[0], clicker="ann@x.test", decision="approve"
    )

    assert asked[0].path_url == "/api/approvals/7/approve"
    assert asked[0].headers["X-Action-Token"] == "t"


def test_people_can_look_at_the_listeners_log(mw: MoveworksSimulator) -> None:
    notify(mw, headers=WRONG[0])
    session = requests.Session()
    session.mount("http://moveworks.test", InProcess(moveworks_with_handles(mw)))

    log = session.get("http://moveworks.test/_sandbox/listener", timeout=5).json()

    assert log[-1] == {
        "event": "listener.webhook.processor.update",
        "outcome": "rejected",
        "cause": "ErrorSignatureVerificationFailed",
    }
