"""One id from the caller through the bridge to its services and back, and the calls made under it."""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.functions.decorators.function_app import Function
from bridge import World, offered
from canaries import FUNCTION_KEY
from surface import JAMIE, ROBIN, Sent, surface

from coupa_core.correlation import Correlation, correlated, current, trace_id
from sandbox.front import Call

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
FRESH = re.compile(r"[0-9a-f]{32}")


def ids_of(sent: list[Sent]) -> set[str]:
    """Return which ids stand on requests, from their bytes; empty for a request without one."""
    heads = [each.raw.partition(b"\r\n\r\n")[0].decode("latin-1") for each in sent]
    return {"".join(re.findall(r"(?im)^x-request-id: (.*?)\r?$", head)) for head in heads}


def lines(caplog: pytest.LogCaptureFixture, begin: str) -> list[str]:
    """Return the lines of the bridge that begin so."""
    records = [each for each in caplog.records if each.name.startswith("coupa_core")]
    return [text for each in records if (text := each.getMessage()).startswith(begin)]


def counts_in(line: str) -> dict[str, int]:
    """Return the calls and errors that a line names."""
    return {name: int(number) for name, number in re.findall(r"\b(\w+_(?:calls|errors))=(\d+)", line)}


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"X-Request-Id": "mw-5f1c.7_A"}, "mw-5f1c.7_A"),
        ({"X-Request-Id": "a" * 64}, "a" * 64),
        ({"traceparent": f"00-{TRACE}-{PARENT}-01"}, TRACE),
        ({"Idempotency-Key": "action-instance-9"}, "action-instance-9"),
        ({"X-Request-Id": "first", "traceparent": f"00-{TRACE}-{PARENT}-01"}, "first"),
        ({"traceparent": f"00-{TRACE}-{PARENT}-01", "Idempotency-Key": "third"}, TRACE),
        ({"traceparent": "00-no-trace-01", "Idempotency-Key": "third"}, "third"),
        ({"X-Request-Id": "a" * 65}, None),
        ({"X-Request-Id": "two words"}, None),
        ({"X-Request-Id": "x?code=secret&y"}, None),
        ({"X-Request-Id": "caf\xe9"}, None),
        ({}, None),
    ],
    ids=lambda part: str(part)[:40],
)
def test_one_id_stands_on_the_request_the_calls_the_record_the_log_and_the_answer(
    functions: list[Function],
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
    named: str | None,
) -> None:
    world, card = offered()
    with surface(functions, world) as app, caplog.at_level(logging.DEBUG):
        reply = app.click(card, "approve", headers=headers, params={"reason": "confidential & true"})
        sent = app.coupa.sent()

    assert reply.json()["outcome"] == "approved"
    answered = reply.headers["X-Request-Id"]
    assert answered == named if named else FRESH.fullmatch(answered)
    assert [each.target.partition(" ")[0] for each in sent].count("PUT") == 1
    assert ids_of(sent) == {answered}
    [decision] = lines(caplog, "decision approval_id=")
    [calls] = lines(caplog, "calls route=approve ")
    for line in (decision, calls):
        assert re.findall(r" request_id=(\S+)", line) == [answered]
    record = world.bridge.sweep.deps.audit_log.store
    events = [row.values()["event"] for row in record.rows(world.clock.now().date())]
    by_kind = {each["kind"]: each.get("request_id") for each in events}
    assert (by_kind["intent"], by_kind["decision"]) == (answered, answered)
    for private in (FUNCTION_KEY, card.slots["action_token"], "confidential", "?", "Bearer", JAMIE):
        assert [text for text in lines(caplog, "") if private in text] == []


def test_a_failure_has_the_same_id_in_its_body_its_head_and_the_log(
    functions: list[Function], caplog: pytest.LogCaptureFixture
) -> None:
    world, card = offered()
    world.coupa.front.fail("answer", method="GET", path="/api/approvals", status=400, times=None)
    with surface(functions, world) as app, caplog.at_level(logging.INFO):
        reply = app.click(card, "approve", headers={"X-Request-Id": "mw-1"})

    assert (reply.status_code, reply.headers["X-Request-Id"], reply.json()["request_id"]) == (
        502,
        "mw-1",
        "mw-1",
    )
    [failed], [calls] = lines(caplog, "failed route="), lines(caplog, "calls route=")
    assert "request_id=mw-1" in failed
    assert calls.startswith("calls route=approve status=502 request_id=mw-1 ")
    assert counts_in(calls) == {"coupa_calls": 2, "coupa_errors": 1}


def test_every_answer_has_an_id_even_where_nothing_is_configured(
    functions: list[Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    with surface(functions, World()) as app:
        healthy = app.call("GET", "health", headers={"X-Request-Id": "probe-1"})
        monkeypatch.setattr("coupa_core.app._built", [])
        answers = [
            app.call("GET", path, headers={"X-Request-Id": "probe-1"}) for path in ("health", "status")
        ]

    assert {each.headers["X-Request-Id"] for each in (healthy, *answers)} == {"probe-1"}
    assert answers[1].json()["request_id"] == "probe-1"


def test_a_sweeps_calls_to_both_services_have_the_id_of_its_line(
    functions: list[Function], caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    world.requisition(JAMIE)
    with surface(functions, world) as app, caplog.at_level(logging.INFO):
        sweeps = []
        for _ in range(2):
            world.requisition(ROBIN)
            world.sweep()
            sweeps.append((ids_of(app.coupa.sent()), ids_of(app.moveworks.sent())))
            app.coupa.clear()
            app.moveworks.clear()

    names = re.findall(r" sweep_id=(\S+)", "\n".join(lines(caplog, "sweep complete")))
    assert len(set(names)) == 2
    assert all(FRESH.fullmatch(name) for name in names)
    assert sweeps == [({name}, {name}) for name in names]


def tally(calls: list[Call], service: str) -> dict[str, int]:
    """Return the calls that arrived, and how many were not answered with 2xx."""
    errors = sum(call.status not in range(200, 300) for call in calls)
    return {f"{service}_calls": len(calls), f"{service}_errors": errors}


def test_a_sweep_counts_what_reached_its_services_whoever_made_the_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(workers=8)
    for number in range(30):
        world.requisition(f"person{number}@example.com")
    for front in (world.coupa.front, world.moveworks.front):
        front.fail("answer", status=500, times=1, skip=3)
        front.fail("cut", times=1, skip=5)
    with caplog.at_level(logging.INFO):
        summaries = [world.sweep() for _ in range(3)]

    arrived = Counter[str]()
    for front, name in ((world.coupa.front, "coupa"), (world.moveworks.front, "moveworks")):
        arrived.update(tally(front.calls, name))
    counted = sum((Counter(counts_in(str(each))) for each in summaries), Counter[str]())
    assert counted == arrived
    assert min(arrived.values()) >= 2
    ids = {call.headers["X-Request-Id"] for call in world.coupa.front.calls + world.moveworks.front.calls}
    assert ids == {each.sweep_id for each in summaries}


def test_a_request_counts_its_calls_and_one_without_any_leaves_no_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, card = offered()
    world.coupa.front.calls.clear()
    with caplog.at_level(logging.INFO):
        world.call("health")
        world.call("approve", headers={"X-Actor-Email": JAMIE}, route={"approval_id": "none"})
        assert lines(caplog, "calls ") == []
        world.click(card, JAMIE)

    [line] = lines(caplog, "calls ")
    assert counts_in(line) == tally(world.coupa.front.calls, "coupa")


def test_clicks_at_the_same_time_keep_their_ids_and_counts_apart(caplog: pytest.LogCaptureFixture) -> None:
    world = World(settings={"COUPA_MAX_PER_SECOND": "25"}, workers=4)
    for number in range(8):
        world.requisition(f"person{number}@example.com")
    cards = world.announced()
    world.coupa.front.calls.clear()
    together = threading.Barrier(len(cards))

    def click(number: int) -> str:
        card = cards[number]
        together.wait(10)
        headers = {"X-Actor-Email": card.recipient, "X-Request-Id": f"click-{number}"}
        headers["X-Action-Token"] = card.slots["action_token"]
        reply = world.call("approve", headers=headers, route={"approval_id": card.slots["approval_id"]})
        return str(reply.body["outcome"])

    with caplog.at_level(logging.INFO), ThreadPoolExecutor(len(cards)) as pool:
        assert list(pool.map(click, range(len(cards)))) == ["approved"] * len(cards)

    puts = [call for call in world.coupa.front.calls if call.method == "PUT"]
    assert len(puts) == len(cards)
    for call in puts:
        number = int(call.headers["X-Request-Id"].removeprefix("click-"))
        assert call.path.split("/")[3] == cards[number].slots["approval_id"]
    for line in lines(caplog, "calls route=approve"):
        [name] = re.findall(r"request_id=(\S+)", line)
        mine = [call for call in world.coupa.front.calls if call.headers["X-Request-Id"] == name]
        assert counts_in(line) == tally(mine, "coupa")


@pytest.mark.parametrize(
    "given",
    [
        "",
        "garbage",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f" 00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01\n",
        f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01",
    ],
)
def test_what_is_no_traceparent_has_no_trace_id(given: str) -> None:
    assert trace_id(given) == ""


@pytest.mark.parametrize("given", [f"00-{TRACE}-{PARENT}-00", f"01-{TRACE}-{PARENT}-01-more of tomorrow"])
def test_a_traceparent_of_this_or_a_later_version_has_a_trace_id(given: str) -> None:
    assert trace_id(given) == TRACE


def test_nothing_is_under_way_outside_of_a_block_and_the_outer_one_comes_back() -> None:
    outer, inner = Correlation("outer"), Correlation("inner")
    assert current() is None
    with correlated(outer):
        with correlated(inner):
            assert current() is inner
        assert current() is outer
    assert current() is None


def test_counts_hold_across_threads() -> None:
    correlation = Correlation()
    with ThreadPoolExecutor(8) as pool:
        for number in range(2_000):
            pool.submit(correlation.called, "coupa", is_error=number % 4 == 0)

    assert correlation.counts() == {"coupa_calls": 2_000, "coupa_errors": 500}
