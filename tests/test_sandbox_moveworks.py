"""The simulator follows Moveworks' published rules; the connector sends the requests of Creator Studio."""

from __future__ import annotations

import doctest
import socket
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Request, Response

from sandbox import moveworks
from sandbox.clock import ManualClock
from sandbox.connector import Connector
from sandbox.moveworks import Delivered, MoveworksSimulator, markup_faults
from sandbox.serving import InProcess, served

EVENT = "5a0c8a52-9f0e-4d8c-9b06-5ab4d8b7a111"
AUTH = {"Authorization": "Bearer key"}
NOTICE = {"message": "PO 12", "recipients": ["ann@x.test"]}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def mw(clock: ManualClock) -> MoveworksSimulator:
    return MoveworksSimulator(clock=clock, api_key="key", event_id=EVENT)


def send(
    mw: MoveworksSimulator, notice: Any = NOTICE, *, event_id: str = EVENT, **sent: Any
) -> requests.Response:
    session = requests.Session()
    session.mount("http://moveworks.test", InProcess(mw.front))
    sent = {"headers": AUTH, "json": notice, "timeout": 5} | sent
    return session.post(f"http://moveworks.test/rest/v1/events/{event_id}/messages/send", **sent)


def get(mw: MoveworksSimulator, path: str, headers: dict[str, str]) -> requests.Response:
    session = requests.Session()
    session.mount("http://moveworks.test", InProcess(mw.front))
    return session.get(f"http://moveworks.test{path}", headers=headers, timeout=5)


def test_a_notice_is_answered_received_and_lands_in_each_recipients_inbox(
    mw: MoveworksSimulator, clock: ManualClock
) -> None:
    slots = {"approval_id": "7", "action_token": "t"}
    notice = {"message": "PO 12", "recipients": ["ann@x.test", "Bob@x.test"], "context": {"slots": slots}}

    answer = send(mw, notice)

    assert (answer.status_code, answer.json()) == (200, {"data": {"status": "RECEIVED"}})
    assert [each.recipient for each in mw.delivered] == ["ann@x.test", "Bob@x.test"]
    assert mw.inbox("bob@X.test") == [Delivered("Bob@x.test", "PO 12", slots, clock.now())]
    assert mw.inbox("eve@x.test") == []


@pytest.mark.parametrize("context", [None, {}, {"slots": {}}])
def test_a_notice_about_no_single_approval_needs_no_slots(
    mw: MoveworksSimulator, context: dict[str, Any] | None
) -> None:
    notice = {"message": "3 approvals are waiting for you", "recipients": ["ann@x.test"]}

    answer = send(mw, notice if context is None else notice | {"context": context})

    assert answer.status_code == 200
    assert [each.slots for each in mw.inbox("ann@x.test")] == [{}]


@pytest.mark.parametrize("sent", [{}, {"Authorization": "key"}, {"Authorization": "Bearer other"}])
def test_a_key_that_is_missing_wrong_or_without_bearer_fails_token_validation(
    mw: MoveworksSimulator, sent: dict[str, str]
) -> None:
    for answer in (send(mw, headers=sent), get(mw, "/rest/v1/auth/test", sent)):
        assert answer.status_code == 401
        assert answer.json()["error"] == {"code": "Unauthorized", "message": "Token validation failed"}
    assert mw.delivered == []


def test_a_key_can_be_tested_without_sending(mw: MoveworksSimulator) -> None:
    answer = get(mw, "/rest/v1/auth/test", AUTH)

    assert answer.status_code == 200
    assert "Message" in answer.json()


def test_an_event_that_does_not_exist_is_not_found(mw: MoveworksSimulator) -> None:
    answer = send(mw, event_id="00000000-0000-0000-0000-000000000000")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "INVALID_EVENT_ID")


def test_an_endpoint_that_does_not_exist_is_not_found(mw: MoveworksSimulator) -> None:
    assert get(mw, f"/rest/v1/events/{EVENT}/messages/send", AUTH).status_code == 404
    assert get(mw, "/rest/v1/messages/send", AUTH).status_code == 404


@pytest.mark.parametrize(
    "notice",
    [
        [],
        {"recipients": ["ann@x.test"]},
        {"message": "", "recipients": ["ann@x.test"]},
        {"message": 12, "recipients": ["ann@x.test"]},
        {"message": "PO 12"},
        {"message": "PO 12", "recipients": []},
        {"message": "PO 12", "recipients": "ann@x.test"},
        {"message": "PO 12", "recipients": {"ann@x.test": 1}},
        {"message": "PO 12", "recipients": [12]},
        {"message": "PO 12", "recipients": [["ann@x.test"]]},
        {"message": "PO 12", "recipients": ["ann"]},
        NOTICE | {"sender": "bot"},
        NOTICE | {"context": []},
        NOTICE | {"context": {"slots": []}},
        NOTICE | {"context": {"slots": {"approval_id": 7}}},
        NOTICE | {"context": {"approval_id": "7"}},
        NOTICE | {"context": {"slots": {"undeclared": "7"}}},
    ],
)
def test_a_body_that_is_not_as_described_is_refused_whole(mw: MoveworksSimulator, notice: Any) -> None:
    answer = send(mw, notice)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert mw.delivered == []


def test_what_is_no_json_is_refused(mw: MoveworksSimulator) -> None:
    as_json = AUTH | {"Content-Type": "application/json"}

    broken = send(mw, json=None, data=b"{message}", headers=as_json)
    as_text = send(mw, json=None, data=b'{"message": "m", "recipients": ["ann@x.test"]}', headers=AUTH)

    assert [broken.status_code, as_text.status_code] == [400, 400]
    assert "Parsing of json payload failed" in broken.json()["error"]["message"]


def test_any_slot_passes_when_the_event_is_open(mw: MoveworksSimulator) -> None:
    mw.slots = None

    assert send(mw, NOTICE | {"context": {"slots": {"undeclared": "7"}}}).status_code == 200


@pytest.mark.parametrize(
    ("message_chars", "recipients", "status"),
    [(20_000, 1, 200), (20_001, 1, 400), (1, 500, 200), (1, 501, 400)],
)
def test_a_message_and_its_recipients_have_a_largest_size(
    mw: MoveworksSimulator, message_chars: int, recipients: int, status: int
) -> None:
    answer = send(mw, {"message": "é" * message_chars, "recipients": ["ann@x.test"] * recipients})

    assert answer.status_code == status
    if status == 400:
        assert answer.json()["error"]["code"] == "INVALID_VALUE_SIZE_TOO_LONG"


def test_the_organisation_may_send_120_requests_in_any_minute(
    mw: MoveworksSimulator, clock: ManualClock
) -> None:
    for _ in range(60):
        send(mw)
    clock.advance(30)
    for _ in range(60):
        send(mw)

    refused = send(mw)
    clock.advance(29.9)
    still_refused = send(mw)
    clock.advance(0.1)
    accepted = [send(mw).status_code for _ in range(61)]

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert "Retry-After" not in refused.headers
    assert still_refused.status_code == 429
    assert accepted == [200] * 60 + [429]
    assert len(mw.delivered) == 180


def test_a_429_says_when_to_retry_only_if_told_to(mw: MoveworksSimulator) -> None:
    mw.max_per_minute = 0
    mw.retry_after = "7"

    assert send(mw).headers["Retry-After"] == "7"


def test_the_limit_can_be_lifted(mw: MoveworksSimulator) -> None:
    mw.max_per_minute = None

    assert {send(mw).status_code for _ in range(130)} == {200}


def test_a_request_refused_for_its_content_counts_towards_the_limit(mw: MoveworksSimulator) -> None:
    mw.max_per_minute = 1

    assert [send(mw, {}).status_code, send(mw).status_code] == [400, 429]


def test_a_recipient_nobody_knows_is_accepted_and_dropped_in_silence(mw: MoveworksSimulator) -> None:
    mw.known = {"ann@x.test"}

    answer = send(mw, {"message": "PO 12", "recipients": ["ANN@x.test", "eve@x.test"]})

    assert answer.json() == {"data": {"status": "RECEIVED"}}
    assert [each.recipient for each in mw.delivered] == ["ANN@x.test"]


def test_errors_can_be_flat_as_in_the_openapi_description(mw: MoveworksSimulator) -> None:
    mw.flat_errors = True

    assert send(mw, headers={}).json() == {"code": "Unauthorized", "message": "Token validation failed"}


@pytest.mark.parametrize(
    "message",
    [
        "This is <b>bold</b> and <i>italics</i>.<br><br><ul><li>Lists</li></ul>",
        '<a href="https://moveworks.com/?a=1&amp;b=2">Links</a> :fire: 💸 2 &lt; 3 > 1',
    ],
)
def test_the_markup_of_the_official_samples_is_no_fault(mw: MoveworksSimulator, message: str) -> None:
    send(mw, {"message": message, "recipients": ["ann@x.test"]})

    assert mw.markup_faults == []


@pytest.mark.parametrize(
    "message",
    [
        "<p>text</p>",
        "2 < 3",
        "<script>",
        '<a onclick="x()">y</a>',
        '<a href="https://x.test" onclick="x()">y</a>',
        "<a href='https://x.test'>y</a>",
        "<b>cut",
        "<b><i>crossed</b></i>",
        "</b>",
        "cut <b",
    ],
)
def test_other_markup_is_recorded_and_delivered_all_the_same(mw: MoveworksSimulator, message: str) -> None:
    send(mw, {"message": message, "recipients": ["ann@x.test"]})

    assert mw.markup_faults
    assert len(mw.delivered) == 1


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(moveworks).failed == 0
    assert markup_faults("") == []


def test_the_simulator_answers_over_a_socket_too(mw: MoveworksSimulator) -> None:
    with served(mw.front) as base_url:
        url = f"{base_url}/rest/v1/events/{EVENT}/messages/send"
        answer = requests.post(url, json=NOTICE, headers=AUTH, timeout=5)

    assert answer.json() == {"data": {"status": "RECEIVED"}}
    assert mw.front.count("POST", "/messages/send") == 1


def test_a_request_that_breaks_off_delivers_nothing_and_is_no_error_of_the_server(
    mw: MoveworksSimulator, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    head = f"POST /rest/v1/events/{EVENT}/messages/send HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n"
    with served(mw.front) as url, socket.create_connection(("127.0.0.1", int(url.split(":")[2]))) as caller:
        caller.settimeout(5)
        caller.sendall(head.encode() + b'{"message":')
        caller.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: caller.recv(4096), b""))

    assert (answer, mw.delivered) == (b"", [])
    assert (capsys.readouterr().err, caplog.text) == ("", "")


class Bridge:
    """A function app that remembers what it was asked."""

    def __init__(self, *, slow_s: float = 0.0) -> None:
        self.requests: list[Request] = []
        self.timeouts: list[float] = []
        self.session = requests.Session()
        self.session.mount("http://bridge.test", InProcess(self._answer))

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        request.get_data(cache=True)
        self.requests.append(request)
        self.timeouts.append(environ["sandbox.timeout_s"])
        return Response('{"outcome": "approved"}', mimetype="application/json")(environ, start_response)

    @property
    def last(self) -> Request:
        return self.requests[-1]


def test_a_click_sends_who_clicked_the_token_and_a_fresh_key_within_16_seconds() -> None:
    bridge = Bridge()
    connector = Connector("http://bridge.test/", session=bridge.session)
    delivered = Delivered("ann@x.test", "PO", {"approval_id": "7", "action_token": "t"}, ManualClock().now())

    answer = connector.decide(delivered, clicker="ann@x.test", decision="approve")
    connector.decide(delivered, clicker="ann@x.test", decision="approve")

    first, second = bridge.requests
    assert answer.json() == {"outcome": "approved"}
    assert (first.method, first.path, first.get_data()) == ("POST", "/api/approvals/7/approve", b"")
    assert first.headers["X-Actor-Email"] == "ann@x.test"
    assert first.headers["X-Action-Token"] == "t"
    assert first.headers["Idempotency-Key"] != second.headers["Idempotency-Key"]
    assert bridge.timeouts == [16.0, 16.0]


def test_a_reason_and_merged_options_travel_in_the_body() -> None:
    bridge = Bridge()
    connector = Connector("http://bridge.test", session=bridge.session)
    slots = {"approval_id": "7"}

    connector.decide(slots, clicker="ann@x.test", decision="reject", reason="too much")
    branch = bridge.last
    connector.decide(slots, clicker="ann@x.test", decision="hold", reason="later", merged=True)
    merged = bridge.last

    assert (branch.path, branch.get_json()) == ("/api/approvals/7/reject", {"reason": "too much"})
    assert merged.path == "/api/approvals/7/decision"
    assert merged.get_json() == {"decision": "hold", "reason": "later"}
    assert "X-Action-Token" not in merged.headers


def test_an_approval_id_cannot_leave_its_place_in_the_path() -> None:
    bridge = Bridge()

    Connector("http://bridge.test", session=bridge.session).decide(
        {"approval_id": "7/approve?x="}, clicker="ann@x.test", decision="reject"
    )

    assert bridge.last.environ["RAW_URI"] == "/api/approvals/7%2Fapprove%3Fx%3D/reject"


def test_the_function_key_goes_in_the_header_or_in_the_query() -> None:
    bridge = Bridge()

    Connector("http://bridge.test", function_key="k", session=bridge.session).pending("ann@x.test")
    in_header = bridge.last
    Connector("http://bridge.test", function_key="k", key_in="query", session=bridge.session).pending(
        "a+b@x.test"
    )
    in_query = bridge.last

    assert (in_header.headers["x-functions-key"], "code" in in_header.args) == ("k", False)
    assert ("x-functions-key" in in_query.headers, in_query.args["code"]) == (False, "k")
    assert (in_query.method, in_query.path) == ("GET", "/api/approvals")
    assert in_query.args["approver_email"] == "a+b@x.test"
