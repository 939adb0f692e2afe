"""The allowed requests of a caller, and the form of each answer in HTTP."""

from __future__ import annotations

import base64
import json
import logging
from datetime import datetime
from typing import Any

import pytest
from bridge import SETTINGS, World
from description import operations

from coupa_core.clock import time_left_s
from coupa_core.documents import COMMENT_SCOPE
from coupa_core.endpoints import BOUNDS_S, MAX_BODY, Reply
from coupa_core.errors import Unknown
from coupa_core.ledger import REPEATS, Entry, MemoryStore, Note, Status
from coupa_core.release import RELEASE
from coupa_core.routes import ROUTES
from coupa_core.sweep.run import MARKING_S, SWEEP_S
from sandbox.moveworks import Delivered

JAMIE = "jamie@example.com"


@pytest.fixture
def world() -> World:
    """Return a world with one request for Jamie."""
    world = World()
    world.requisition(JAMIE)
    return world


@pytest.fixture
def card(world: World) -> Delivered:
    """Return Jamie's card."""
    [card] = world.announced()
    return card


@pytest.fixture
def card_in(world: World, card: Delivered) -> tuple[World, Delivered]:
    """Return both."""
    return world, card


def sent(world: World, card: Delivered, body: bytes | str, *, name: str = "approve", **headers: str) -> Reply:
    """Click with a body and headers of one's own; a header's underscores are hyphens."""
    given = {"X-Action-Token": card.slots["action_token"], "X-Actor-Email": JAMIE}
    given |= {key.replace("_", "-"): value for key, value in headers.items()}
    raw = body.encode() if isinstance(body, str) else body
    return world.call(name, headers=given, route={"approval_id": card.slots["approval_id"]}, body=raw)


IDS = [
    "0",
    "-1",
    "01",
    "1" * 20,
    "1.0",
    "1e3",
    "abc",
    "",
    " 1",
    "1 ",
    "1\n",
    "\uff11",
    "0x1",
    "../1",
    "1?x=1",
    "1%20",
]


@pytest.mark.parametrize("approval_id", IDS)
@pytest.mark.parametrize("name", [route.name for route in ROUTES if "{approval_id}" in route.path])
def test_an_id_is_one_to_nineteen_digits(world: World, name: str, approval_id: str) -> None:
    calls = len(world.coupa.front.calls)

    reply = world.call(name, headers={"X-Actor-Email": JAMIE}, route={"approval_id": approval_id})

    assert (reply.status, reply.body["error"]) == (400, "bad_approval_id")
    assert len(world.coupa.front.calls) == calls


BODIES = [
    ("{", "bad_json"),
    ('{"reason": "a", "reason": "b"}', "bad_json"),
    ('{"reason": NaN}', "bad_json"),
    ("[" * 100_000, "body_too_large"),
    ('{"reason":' * 3_000, "bad_json"),
    (b"\xff\xfe", "bad_json"),
    (b'\xef\xbb\xbf{"reason": "a"}', "bad_json"),
    ("[]", "bad_body"),
    ('"text"', "bad_body"),
    ("null", "bad_body"),
    ('{"reason": 7}', "bad_field"),
    ('{"reason": ["a"]}', "bad_field"),
    ('{"reason": "' + "x" * 40_000 + '"}', "body_too_large"),
    ('{"actor_email": "' + "x" * 255 + '"}', "field_too_long"),
    ('{"actor": "jamie@example.com"}', "unknown_field"),
    ('{"decision": "approve"}', "unknown_field"),
    ('{"actor": null}', "unknown_field"),
    ('{"reason": ' + "7" * 5_000 + "}", "bad_field"),
]


@pytest.mark.parametrize(("body", "code"), BODIES, ids=lambda value: str(value)[:24])
def test_a_body_that_is_not_as_it_must_be_is_refused_with_the_cause(
    world: World, card: Delivered, body: bytes | str, code: str
) -> None:
    reply = sent(world, card, body)

    assert (reply.status, reply.body["error"]) == (413 if code == "body_too_large" else 400, code)
    assert reply.body["message"].endswith(".")
    assert world.puts() == 0


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ('{"reason": "a", "reason": "b"}', "a key stands twice"),
        ('{"reason": -Infinity}', "-Infinity is no JSON"),
        (b'{"reason": "\xe9"}', "not UTF-8"),
        ("[" * 30_000, "nested too deep"),
        ('{"reason"', "at character 9"),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_what_is_wrong_with_it(
    world: World, card: Delivered, body: bytes | str, cause: str
) -> None:
    reply = sent(world, card, body)

    assert reply.body["error"] == "bad_json"
    assert cause in reply.body["message"]


def test_half_a_character_in_the_query_is_refused_as_in_the_body(world: World, card: Delivered) -> None:
    reply = world.call(
        "reject",
        headers={"X-Actor-Email": card.recipient, "X-Action-Token": card.slots["action_token"]},
        route={"approval_id": card.slots["approval_id"]},
        query={"reason": "too dear \ud800"},
    )

    assert (reply.status, reply.body["error"]) == (400, "bad_field")
    assert "reason has half a character" in reply.body["message"]


def test_a_body_of_the_largest_size_is_read_and_one_more_byte_is_too_much(
    world: World, card: Delivered
) -> None:
    body = '{"reason": "too dear"}'

    too_much = sent(world, card, body.ljust(MAX_BODY + 1), name="reject")
    largest = sent(world, card, body.ljust(MAX_BODY), name="reject")

    assert (too_much.status, too_much.body["error"]) == (413, "body_too_large")
    assert largest.body["outcome"] == "rejected"


WITH_A_BODY = [name for name, each in operations().items() if "requestBody" in each]


@pytest.mark.parametrize("name", WITH_A_BODY)
@pytest.mark.parametrize("coding", ["chunked", "Chunked"])
def test_a_body_that_azure_dropped_is_asked_for_with_its_length_and_nothing_is_done(
    name: str, coding: str
) -> None:
    """Azure hands an empty body on, so a comment would be lost in silence, or a decision not be seen."""
    world = World(settings={"COMMENTS": "on", "RELAY_DOMAINS": "example.com"})
    world.coupa.desk.granted_scopes |= {COMMENT_SCOPE}
    world.requisition(JAMIE, holdable=True)
    [card] = world.announced()
    rows, told = world.store.open_entries(), len(world.moveworks.front.calls)

    reply = sent(world, card, b"", name=name, Transfer_Encoding=coding, Idempotency_Key="once")

    assert (reply.status, reply.body["error"]) == (411, "length_required")
    assert "send Content-Length" in reply.body["message"]
    assert (world.puts(), world.store.open_entries()) == (0, rows)
    assert len(world.moveworks.front.calls) == told


def test_a_body_in_chunks_that_arrives_all_the_same_is_read(world: World, card: Delivered) -> None:
    """Should a host hand it on one day, nobody is refused."""
    reply = sent(world, card, '{"reason": "too dear"}', name="reject", Transfer_Encoding="chunked")

    assert reply.body["outcome"] == "rejected"


def test_another_transfer_encoding_of_nothing_is_no_body(world: World, card: Delivered) -> None:
    reply = sent(world, card, b"", Transfer_Encoding="identity")

    assert reply.body["outcome"] == "approved"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content_Type": "text/plain"}, "bad_content_type"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, "bad_content_type"),
        ({"Content_Type": "application/json; charset=latin-1"}, "bad_content_type"),
        ({"Content_Encoding": "gzip"}, "bad_encoding"),
    ],
)
def test_a_body_in_another_form_is_refused(
    world: World, card: Delivered, headers: dict[str, str], code: str
) -> None:
    reply = sent(world, card, "{}", **headers)

    assert (reply.status, reply.body["error"]) == (400, code)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON",
        'application/json; charset="UTF-8"',
        "application/json;charset=utf8",
    ],
)
@pytest.mark.parametrize("body", ["", "  ", "{}", '{"reason": null}'])
def test_a_body_may_be_empty_and_json_in_utf8_however_it_is_announced(
    world: World, card: Delivered, kind: str, body: str
) -> None:
    reply = sent(world, card, body, Content_Type=kind, Content_Encoding="identity")

    assert reply.body["outcome"] == "approved"


# Who acts.


@pytest.mark.parametrize(
    "parts",
    [
        {"headers": {"X-Actor-Email": JAMIE}},
        {"headers": {"x-actor-email": f" {JAMIE} "}},
        {"json": {"actor_email": JAMIE}},
        {"query": {"user_email": JAMIE}},
        {"headers": {"X-Actor-Email": JAMIE}, "json": {"actor_email": "Jamie@Example.com"}},
    ],
)
def test_the_actor_comes_in_the_header_the_body_or_the_query(
    world: World, card: Delivered, parts: dict[str, Any]
) -> None:
    signed = {"X-Action-Token": card.slots["action_token"], **parts.get("headers", {})}

    route = {"approval_id": card.slots["approval_id"]}
    reply = world.call("approve", route=route, **{**parts, "headers": signed})

    assert reply.body["outcome"] == "approved"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({}, "no_actor"),
        ({"headers": {"X-Actor-Email": ""}}, "no_actor"),
        ({"headers": {"X-Actor-Email": "jamie"}}, "bad_actor"),
        ({"headers": {"X-Actor-Email": "a@b@c"}}, "bad_actor"),
        ({"headers": {"X-Actor-Email": "Jamie <jamie@example.com>"}}, "bad_actor"),
        ({"headers": {"X-Actor-Email": "jamie@example.com,robin@example.com"}}, "bad_actor"),
        ({"headers": {"X-Actor-Email": "x" * 65 + "@example.com"}}, "bad_actor"),
        ({"headers": {"X-Actor-Email": "x@" + "x" * 253}}, "field_too_long"),
        ({"json": {"actor_email": "jamie\x00@example.com"}}, "bad_actor"),
        ({"json": {"actor_email": "jamie\u200b@example.com"}}, "bad_actor"),
        ({"json": {"actor_email": "\ud800@example.com"}}, "bad_field"),
        ({"headers": {"X-Actor-Email": "{{meta_info.user.email_addr}}"}}, "bad_actor"),
        ({"headers": {"X-Actor-Email": JAMIE}, "json": {"actor_email": "robin@example.com"}}, "ambiguous"),
        ({"json": {"actor_email": JAMIE}, "query": {"user_email": "robin@example.com"}}, "ambiguous"),
    ],
)
def test_without_one_clear_actor_nothing_is_decided(
    world: World, card: Delivered, parts: dict[str, Any], code: str
) -> None:
    signed = {"X-Action-Token": card.slots["action_token"], **parts.get("headers", {})}

    route = {"approval_id": card.slots["approval_id"]}
    reply = world.call("approve", route=route, **{**parts, "headers": signed})

    assert reply.status in (400, 401, 403)
    assert reply.body["error"] == code
    assert world.puts() == 0


@pytest.mark.parametrize("place", ["header", "body", "query"])
def test_the_token_and_the_reason_come_where_the_connector_can_put_them(
    world: World, card: Delivered, place: str
) -> None:
    token = card.slots["action_token"]
    parts: dict[str, Any] = {
        "header": {"headers": {"X-Action-Token": token}, "query": {"reason": "too dear"}},
        "body": {"json": {"action_token": token, "reason": "too dear"}},
        "query": {"query": {"action_token": token, "reason": "too dear"}},
    }[place]
    headers = {"X-Actor-Email": JAMIE, **parts.pop("headers", {})}

    reply = world.call("reject", headers=headers, route={"approval_id": card.slots["approval_id"]}, **parts)

    assert reply.body["outcome"] == "rejected"


@pytest.mark.parametrize("what", ["action_token", "reason"])
def test_two_values_that_differ_are_refused(world: World, card: Delivered, what: str) -> None:
    reply = world.call(
        "reject",
        headers={"X-Actor-Email": JAMIE},
        route={"approval_id": card.slots["approval_id"]},
        query={what: "one"},
        json={what: "two"},
    )

    assert (reply.status, reply.body["error"]) == (400, "ambiguous")


def test_a_reason_in_the_query_has_the_limit_of_one_in_the_body(world: World, card: Delivered) -> None:
    headers = {"X-Actor-Email": JAMIE, "X-Action-Token": card.slots["action_token"]}
    route = {"approval_id": card.slots["approval_id"]}

    reply = world.call("reject", headers=headers, route=route, query={"reason": "x" * 8_001})
    longer = world.call("reject", headers=headers, route=route, query={"reason": "x" * 40_000})

    assert (reply.status, reply.body["outcome"]) == (200, "reason_too_long")
    assert (longer.status, longer.body["error"]) == (400, "field_too_long")


@pytest.mark.parametrize(("decision", "outcome"), [("approve", "approved"), ("reject", "rejected")])
def test_one_route_takes_the_decision_from_the_body(
    world: World, card: Delivered, decision: str, outcome: str
) -> None:
    reply = sent(world, card, json.dumps({"decision": decision, "reason": "because"}), name="decision")

    assert reply.body["outcome"] == outcome


@pytest.mark.parametrize("body", ["", "{}", '{"decision": "APPROVE"}', '{"decision": "delete"}'])
def test_another_decision_is_refused(world: World, card: Delivered, body: str) -> None:
    reply = sent(world, card, body, name="decision")

    assert (reply.status, reply.body["error"]) == (400, "bad_decision")
    assert world.puts() == 0


# Answers.


def test_every_business_outcome_is_200_with_the_outcome_a_sentence_and_the_id(
    world: World, card: Delivered
) -> None:
    for actor, outcome in (("mallory@example.com", "not_your_approval"), (JAMIE, "approved")):
        reply = world.click(card, actor)

        assert reply.status == 200
        assert reply.body["outcome"] == outcome
        assert reply.body["approval_id"] == card.slots["approval_id"]
        assert reply.body["message"].endswith(".")


@pytest.mark.parametrize(
    ("status", "body", "answered"),
    [
        (500, "secret-in-a-body", 503),
        (403, '{"error": "secret-in-a-body"}', 502),
        (200, "<html>secret-in-a-body", 502),
    ],
)
def test_a_failure_of_coupa_is_a_code_for_the_caller_and_a_cause_in_the_log(
    card_in: tuple[World, Delivered],
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: str,
    answered: int,
) -> None:
    world, card = card_in
    world.coupa.front.fail(
        "answer", method="GET", path="/api/approvals", times=None, status=status, body=body
    )

    with caplog.at_level(logging.INFO):
        reply = world.click(card, JAMIE)

    assert reply.status == answered
    assert set(reply.body) == {"error", "message", "request_id"}
    assert "secret-in-a-body" not in reply.text()
    assert f"request_id={reply.body['request_id']}" in caplog.text
    assert reply.body["error"] in caplog.text


def test_no_answer_and_no_log_line_has_a_secret(
    world: World, card: Delivered, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = [
        SETTINGS["COUPA_CLIENT_SECRET"],
        SETTINGS["MOVEWORKS_API_KEY"],
        card.slots["action_token"],
    ]
    with caplog.at_level(logging.DEBUG):
        answers = [world.click(card, actor).text() for actor in ("mallory@example.com", JAMIE, JAMIE)]
        world.sweep()

    for secret in secrets:
        assert secret not in caplog.text
        assert not any(secret in answer for answer in answers)
    assert JAMIE not in caplog.text


def test_relaying_messages_is_off(world: World) -> None:
    reply = world.call("notifications", json={"message": "hello"})

    assert (reply.status, reply.body["error"]) == (403, "relay_off")


APP = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
ENTRA = {"ENTRA_CLIENTS": json.dumps({"decisions": [APP]}), "WEBSITE_AUTH_ENABLED": "True"}


def vouched(client: str) -> dict[str, str]:
    said = {"claims": [{"typ": "azp", "val": client}]}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(said).encode()).decode()}


def test_an_application_that_entra_vouches_for_decides_for_the_approver() -> None:
    world = World(settings=ENTRA)
    world.requisition(JAMIE)
    [card] = world.announced()
    headers = {"X-Actor-Email": JAMIE, "X-Action-Token": card.slots["action_token"], **vouched(APP)}

    reply = world.call("approve", headers=headers, route={"approval_id": card.slots["approval_id"]})

    assert reply.body["outcome"] == "approved"
    assert world.call("health").status == 200
    rows = world.audit_store.rows(world.clock.now().date())
    known_by = {row.values()["event"].get("known_by") for row in rows}
    assert known_by == {None, "key+entra+token"}


@pytest.mark.parametrize("key", ["x" * 201, "a\x07b"])
def test_an_idempotency_key_is_short_and_printable(world: World, card: Delivered, key: str) -> None:
    reply = sent(world, card, "{}", **{"Idempotency-Key": key})

    assert (reply.status, reply.body["error"]) == (400, "bad_key")
    assert world.puts() == 0


def ill(cause: str) -> Reply:
    """Return what health answers when it is red."""
    return Reply(503, {"status": "failing", "cause": cause})


def test_health_is_green_after_a_complete_sweep_and_red_without_one(world: World) -> None:
    assert world.call("health") == ill("no_sweep_yet")

    world.sweep()

    assert (world.call("health").status, world.call("health").body) == (200, {"status": "ok"})


def test_health_can_be_asked_of_a_release_and_from_a_time_on(world: World) -> None:
    world.sweep()
    since = world.clock.now().isoformat()
    world.clock.advance(60)
    asked = {"version": RELEASE, "since": since}
    assert world.call("health", query=asked) == ill("not_swept_yet")

    world.sweep()

    assert world.call("health", query=asked) == Reply(200, {"status": "ok"})
    assert world.call("health", query={"since": since.replace("+00:00", "Z")}).status == 200
    assert world.call("health", query={**asked, "version": "0.1.0"}) == ill("other_version")
    for time in ("soon", "2026-11-23", since.removesuffix("+00:00")):
        assert world.call("health", query={"since": time}) == ill("bad_since")
    later = world.clock.now().isoformat()
    assert world.call("health", query={"since": later}) == ill("not_swept_yet")


def test_health_says_that_sweeps_fail_and_that_the_timer_does_not_come(world: World) -> None:
    since = {"since": world.clock.now().isoformat()}
    world.coupa.front.fail("answer", status=500, times=None)
    world.sweep()
    assert world.call("health", query=since) == ill("sweep_failing")

    world.coupa.front.heal()
    world.sweep()
    assert world.call("health", query=since) == Reply(200, {"status": "ok"})

    world.clock.advance(16 * 60)
    assert world.call("health") == ill("no_sweep")


def test_operators_see_the_last_sweep_and_one_approvals_row(world: World, card: Delivered) -> None:
    status = world.call("status")
    trace = world.call("trace", route={"approval_id": card.slots["approval_id"]})
    unknown = world.call("trace", route={"approval_id": "4711"})

    assert (status.status, status.body["counts"]["sent"]) == (200, 1)
    assert (trace.status, trace.body["row"]["state"]) == (200, "sent")
    assert (unknown.status, unknown.body["error"]) == (404, "not_found")


def test_every_route_has_a_bound_and_everything_in_it_knows() -> None:
    """Whatever takes no deadline, such as the ledger, asks for the time that is left."""
    seen: dict[str, set[float]] = {}

    class Watching(MemoryStore):
        name = ""

        def status(self) -> Status:
            seen.setdefault(self.name, set()).add(time_left_s())
            return super().status()

        def read(self, approval_id: int) -> Entry | None:
            seen.setdefault(self.name, set()).add(time_left_s())
            return super().read(approval_id)

        def note(self, name: str) -> Note:
            if name == REPEATS:
                seen.setdefault(self.name, set()).add(time_left_s())
            return super().note(name)

        def closed_entries(self, *, since: datetime, until: datetime) -> list[Entry]:
            seen.setdefault(self.name, set()).add(time_left_s())
            return super().closed_entries(since=since, until=until)

    store = Watching()
    relay = {"RELAY_DOMAINS": "example.com"}
    world = World(store=store, settings={**relay, "COUPA_MAX_PER_SECOND": "25"})
    world.requisition("ann@example.com")
    (card,) = world.announced()
    number = {"approval_id": card.slots["approval_id"]}
    mine = {"X-Actor-Email": "ann@example.com", "X-Action-Token": card.slots["action_token"]}
    click = {"headers": {**mine, "Idempotency-Key": "a"}, "route": number}
    item = {"id": card.slots["approval_id"], "token": card.slots["action_token"]}
    asked: dict[str, dict[str, Any]] = {
        **{name: {"headers": mine, "route": number} for name in ("resend", "unpark")},
        "mute": {"headers": mine, "route": number, "json": {"hours": 1}},
        "resend_all": {"headers": {**mine, "Idempotency-Key": "once"}},
        "health": {},
        "status": {},
        "trace": {"route": number},
        "cycle_times": {},
        "list_approvals": {"query": {"user_email": "ann@example.com"}},
        "get_approval": {"headers": mine, "route": number},
        "list_decisions": {"headers": mine},
        "comment": {"headers": mine, "route": number, "json": {"comment": "Why?"}},
        "notifications": {"json": {"message": "hello", "recipients": ["ann@example.com"]}},
        "decide": {"headers": click["headers"], "json": {"items": [item], "decision": "hold"}},
        "decision": {**click, "json": {"decision": "hold"}},
        "hold": click,
        "reject": {**click, "json": {"reason": "no"}},
        "approve": click,
    }
    others = [route.name for route in ROUTES if route.name not in asked]
    for name in [*others, *asked]:
        store.name = name
        body = operations()[name].get("requestBody", {}).get("content", {}).get("application/json", {})
        example = {"json": body["example"]} if "example" in body else {}
        world.call(name, **asked.get(name, {**click, **example}))

    never = {"comment", "list_decisions"}  # these never look at the table
    unseen = {route.name for route in ROUTES} - set(seen) - never
    assert unseen == set(), "add a request that reads or writes the table to `asked`"
    for name, lefts in seen.items():
        if name:
            assert max(lefts) == pytest.approx(BOUNDS_S[name], abs=1), name


def test_a_sweep_has_a_bound_that_everything_in_it_knows_and_a_part_for_marking() -> None:
    lefts: list[float] = []

    class Watching(MemoryStore):
        def status(self) -> Status:
            lefts.append(time_left_s())
            return super().status()

        def purge_closed(self, before: datetime) -> int:
            lefts.append(time_left_s())
            raise Unknown("ledger_lost", "no answer")

    world = World(store=Watching())

    summary = world.sweep()

    assert lefts == pytest.approx([SWEEP_S, SWEEP_S - MARKING_S], abs=0.5)
    assert (summary.is_complete, summary.failure) == (True, "ledger_lost")
    assert world.store.status().last_sweep_at == world.clock.now()
