"""A click reads an approval and its document at the same time, where the ledger knows the document."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from bridge import JAMIE, ROBIN, SAM, SETTINGS, World
from unruly import away, before

from coupa_core.app import Overrides, build
from coupa_core.clock import SystemClock
from coupa_core.endpoints import Reply, Request
from coupa_core.errors import Unavailable
from coupa_core.ledger import MemoryStore
from coupa_core.parallel import start_in_background
from coupa_core.settings import read_settings
from sandbox.clock import RealClock
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import Line
from sandbox.moveworks import Delivered, MoveworksSimulator
from sandbox.serving import served

APPROVALS, DOCUMENTS = ("GET", "/api/approvals"), ("GET", "/api/requisitions")
PATIENCE_S = 10.0


# Over sockets: what goes out at the same time.


@dataclass
class Exchange:
    """A request to Coupa, and when it arrived and was answered."""

    what: tuple[str, str]
    request_id: str
    began_s: float
    ended_s: float = float("inf")


@dataclass
class Door:
    """Coupa's door, which notes who comes when, and may let a request wait for something.

    Attributes:
        holds: what a request waits for before it is handled, by method and path; it tells whether it came.
    """

    coupa: CoupaSimulator
    exchanges: list[Exchange] = field(default_factory=list)
    arrived: dict[tuple[str, str], threading.Event] = field(default_factory=dict)
    holds: dict[tuple[str, str], threading.Event] = field(default_factory=dict)
    waited_in_vain: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        what = (environ["REQUEST_METHOD"], environ["PATH_INFO"])
        exchange = Exchange(what, environ.get("HTTP_X_REQUEST_ID", ""), time.monotonic())
        self.exchanges.append(exchange)
        self.arrival(what).set()
        hold = self.holds.get(what)
        if hold is not None and not hold.wait(PATIENCE_S):
            self.waited_in_vain.append(what)
        try:
            return list(self.coupa.front(environ, start_response))
        finally:
            exchange.ended_s = time.monotonic()

    def arrival(self, what: tuple[str, str]) -> threading.Event:
        """Return what is set as soon as such a request is there."""
        return self.arrived.setdefault(what, threading.Event())

    def round_trips(self) -> int:
        """Return how many exchanges came one after the other: the longest row of which none overlap."""
        number, free_s = 0, float("-inf")
        for each in sorted(self.exchanges, key=lambda each: each.ended_s):
            if each.began_s >= free_s:
                number, free_s = number + 1, each.ended_s
        return number

    def asked(self) -> list[tuple[str, str]]:
        """Return what was asked, ids left out."""
        return sorted(
            (method, path.replace("/approve", "")) for method, path in (e.what for e in self.exchanges)
        )


@dataclass
class Office:
    """A bridge that is warm, as after its first sweep, and what it was told to hand out."""

    door: Door
    cards: list[Delivered]
    call: Callable[[str, Request], Reply]

    def click(self, card: Delivered) -> Reply:
        """Approve."""
        slots = card.slots
        headers = {"X-Actor-Email": JAMIE, "X-Action-Token": slots["action_token"], "X-Request-Id": "click"}
        return self.call("approve", Request(headers=headers, route={"approval_id": slots["approval_id"]}))

    def click_all(self) -> Reply:
        """Approve everything in one request."""
        items = [
            {"id": each.slots["approval_id"], "token": each.slots["action_token"]} for each in self.cards
        ]
        body = str({"decision": "approve", "items": items}).replace("'", '"').encode()
        return self.call("decide", Request(headers={"X-Actor-Email": JAMIE}, body=body))


@contextmanager
def office(requests: int = 1) -> Iterator[Office]:
    """Run real services, and a bridge that has announced so many requests to Jamie."""
    coupa = CoupaSimulator(
        clock=RealClock(),
        client_id=SETTINGS["COUPA_CLIENT_ID"],
        client_secret=SETTINGS["COUPA_CLIENT_SECRET"],
    )
    moveworks = MoveworksSimulator(
        clock=RealClock(), api_key=SETTINGS["MOVEWORKS_API_KEY"], event_id=SETTINGS["MOVEWORKS_EVENT_ID"]
    )
    jamie = coupa.world.add_user(email=JAMIE, firstname="Jamie", lastname="Doe")
    sam = coupa.world.add_user(email=SAM, firstname="Sam", lastname="Doe")
    for _ in range(requests):
        coupa.world.add_requisition(
            requested_by=sam, lines=[Line("Laptop", unit_price="900.00")], approvers=[jamie]
        )
    door = Door(coupa)
    with served(door) as coupa_url, served(moveworks.front) as moveworks_url:
        urls = {"COUPA_BASE_URL": coupa_url, "MOVEWORKS_BASE_URL": moveworks_url}
        bridge = build(
            read_settings({**SETTINGS, **urls, "COUPA_MAX_PER_SECOND": "25", "FIRST_RUN": "announce"}),
            Overrides(SystemClock(), random.Random(1), store=MemoryStore()),
        )
        bridge.sweep.run()
        assert len(moveworks.delivered) == requests
        door.exchanges.clear()
        door.arrived.clear()
        yield Office(door, moveworks.delivered, bridge.endpoints.handle)


@pytest.mark.slow
def test_one_click_waits_for_three_answers_of_coupa_one_after_the_other_and_no_more() -> None:
    with office() as around:
        around.door.coupa.front.latency_s = 0.1
        around.door.holds[APPROVALS] = around.door.arrival(DOCUMENTS)  # or a late thread would look like none

        reply = around.click(around.cards[0])

    approval = f"/api/approvals/{around.cards[0].slots['approval_id']}"
    assert reply.body["outcome"] == "approved"
    assert around.door.asked() == sorted([APPROVALS, DOCUMENTS, ("PUT", approval), DOCUMENTS])
    assert around.door.waited_in_vain == []
    assert around.door.round_trips() == 3


@pytest.mark.slow
def test_what_is_read_ahead_goes_out_under_the_id_of_its_click() -> None:
    with office() as around:
        around.click(around.cards[0])

    assert {each.request_id for each in around.door.exchanges} == {"click"}


@pytest.mark.slow
def test_several_clicks_read_all_documents_in_one_question_while_their_approvals_are_read() -> None:
    with office(5) as around:
        around.door.holds[APPROVALS] = around.door.arrival(DOCUMENTS)

        reply = around.click_all()

    assert {each["outcome"] for each in reply.body["items"]} == {"approved"}
    assert len(reply.body["items"]) == 5
    asked = around.door.asked()
    assert (asked.count(APPROVALS), asked.count(DOCUMENTS), len(asked)) == (1, 2, 8)
    assert around.door.waited_in_vain == []


@pytest.mark.slow
def test_nobody_waits_for_a_document_that_nobody_needs() -> None:
    with office() as around:
        approval = around.door.coupa.world.approval(int(around.cards[0].slots["approval_id"]))
        approval.status = "approved"
        around.door.holds[APPROVALS] = around.door.arrival(DOCUMENTS)
        around.door.holds[DOCUMENTS] = released = threading.Event()

        reply = around.click(around.cards[0])

        [document] = [each for each in around.door.exchanges if each.what == DOCUMENTS]
        has_ended = document.ended_s < float("inf")
        released.set()
    assert reply.body["outcome"] == "already_decided"
    assert not has_ended


# In this process: what counts.


def offered(number: int = 1, **more: Any) -> tuple[World, list[Delivered]]:
    """Return a world with threads, in which Jamie was told of so many requests."""
    world = World(**{"workers": 4, **more})
    for _ in range(number):
        world.requisition(JAMIE)
    cards = sorted(world.announced(), key=lambda card: int(card.slots["approval_id"]))
    world.clock.advance(60)
    world.coupa.front.calls.clear()
    return world, cards


def decided(world: World, cards: list[Delivered]) -> list[str]:
    """Approve all in one request, and return what each is told."""
    items = world.decide(cards, JAMIE).body["items"]
    return [each.get("outcome") or each["error"] for each in items]


def asked(world: World) -> list[str]:
    """Return what Coupa was asked to show, in order."""
    return [call.path.split("/")[2] for call in world.coupa.front.calls if call.method == "GET"]


def names(world: World, card: Delivered, **other: Any) -> None:
    """Let the ledger's row name another document."""
    world.store.replace(replace(world.row(card), **other))


def failing(world: World, number: int, **how: Any) -> None:
    """Let every question to Coupa that names this requisition fail."""
    how = {"kind": "answer", "status": 500, "times": None, **how}
    world.coupa.front.fail(
        how.pop("kind"), method="GET", path="/api/requisitions", query=rf"[=,]{number}\b", **how
    )


def test_a_row_that_names_another_document_costs_a_call_and_the_right_one_counts() -> None:
    world, cards = offered(2)
    names(world, cards[0], document_id=world.approval(cards[1]).document.id)

    reply = world.click(cards[0], JAMIE)

    assert reply.body["outcome"] == "approved"
    assert sorted(asked(world)) == ["approvals", *["requisitions"] * 3]
    assert world.coupa.world.approval(int(cards[1].slots["approval_id"])).is_open


def test_a_row_that_names_another_document_hides_no_change_of_the_right_one() -> None:
    world, cards = offered(2)
    names(world, cards[0], document_id=world.approval(cards[1]).document.id)
    world.coupa.world.edit_line(world.approval(cards[0]).document.id, 0, unit_price="9000.00")

    reply = world.click(cards[0], JAMIE)

    assert reply.body["outcome"] == "changed"
    assert "USD 18,000.00" in reply.body["content"]
    assert world.puts() == 0


def test_a_document_of_another_type_with_the_same_number_does_not_count() -> None:
    world, [card] = offered()
    names(world, card, document_type="ExpenseReport")

    assert world.click(card, JAMIE).body["outcome"] == "approved"
    assert sorted(asked(world))[-2:] == ["requisitions"] * 2


@pytest.mark.parametrize("number", [0, -1, 10**30])
def test_a_row_that_names_no_possible_document_is_as_none(number: int) -> None:
    world, [card] = offered()
    names(world, card, document_id=number)

    assert world.click(card, JAMIE).body["outcome"] == "approved"


@pytest.mark.parametrize("how", ["away", "empty"])
def test_without_a_row_the_document_is_read_after_its_approval(how: str) -> None:
    store = MemoryStore()
    world, [card] = offered(store=store)
    if how == "away":
        away(store, "read")
    else:
        store._open.clear()

    assert world.click(card, JAMIE).body["outcome"] == "approved"
    assert asked(world) == ["approvals", "requisitions", "requisitions"]


@pytest.mark.parametrize("workers", [1, 4])
def test_the_row_is_read_once_before_the_decision(workers: int) -> None:
    world, [card] = offered(workers=workers)
    done: list[str] = []
    before(world.store, "read", lambda _: done.append("read"))
    before(world.coupa.world, "decide", lambda *_, **__: done.append("decide"))

    assert world.click(card, JAMIE).body["outcome"] == "approved"
    assert done[: done.index("decide")] == ["read"]


def test_without_threads_the_document_is_read_after_its_approval() -> None:
    world, [card] = offered(workers=1)

    assert world.click(card, JAMIE).body["outcome"] == "approved"
    assert asked(world) == ["approvals", "requisitions", "requisitions"]


FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"status": 403},
    "unknown": {"status": 404},
    "broken": {"status": 500},
    "busy": {"status": 503, "headers": {"Retry-After": "30"}},
    "too many": {"status": 429, "headers": {"Retry-After": "30"}},
    "cut": {"kind": "cut"},
    "no list": {"status": 200, "body": "{}"},
    "empty": {"status": 200, "body": "[]"},
    "not JSON": {"status": 200, "body": "<html>"},
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_document_that_fails_is_no_failure_where_it_is_not_needed(fault: str) -> None:
    world, cards = offered(3)
    approvals = [world.approval(card) for card in cards]
    world.in_coupa(world.approval(cards[0]).id, ROBIN)
    world.coupa.world.reassign(approvals[1].id, to=world.person(ROBIN))
    world.coupa.world.withdraw(approvals[2].document.id)
    for approval in approvals:
        failing(world, approval.document.id, **FAULTS[fault])

    told = [world.click(card, JAMIE).body.get("outcome") for card in cards]

    assert told == ["already_decided", "not_your_approval", "already_decided"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_document_that_fails_and_is_needed_is_answered_as_without_reading_ahead(fault: str) -> None:
    def told(workers: int) -> tuple[int, Any, int, int]:
        world, [card] = offered(workers=workers)
        failing(world, world.approval(card).document.id, **FAULTS[fault])
        reply = world.click(card, JAMIE)
        return reply.status, reply.body["error"], world.puts(), len(asked(world))

    assert told(4) == told(1)


def test_of_several_a_failing_document_that_nobody_needs_keeps_nobody() -> None:
    world, cards = offered(3)
    world.in_coupa(world.approval(cards[1]).id, ROBIN)
    failing(world, world.approval(cards[1]).document.id)

    assert decided(world, cards) == ["approved", "already_decided", "approved"]


@pytest.mark.parametrize("fault", FAULTS)
def test_of_several_what_failed_with_others_is_asked_for_again_alone(fault: str) -> None:
    world, cards = offered(2)
    world.in_coupa(world.approval(cards[1]).id, ROBIN)
    failing(world, world.approval(cards[1]).document.id, **FAULTS[fault])

    assert decided(world, cards) == ["approved", "already_decided"]


@pytest.mark.parametrize("fault", FAULTS)
def test_of_several_a_wrong_row_and_a_failing_document_keep_only_their_own(fault: str) -> None:
    world, cards = offered(3)
    names(world, cards[0], document_id=world.approval(cards[1]).document.id)
    failing(world, world.approval(cards[0]).document.id, **FAULTS[fault])

    told = decided(world, cards)

    assert told[0] != "approved"
    assert told[1:] == ["approved"] * 2
    assert world.puts() == 2


def test_the_same_request_again_reads_no_document() -> None:
    world, [card] = offered()
    slots = card.slots
    request = {
        "headers": {
            "X-Actor-Email": JAMIE,
            "X-Action-Token": slots["action_token"],
            "Idempotency-Key": "one",
        },
        "route": {"approval_id": slots["approval_id"]},
    }
    first = world.call("approve", **request)
    world.coupa.front.calls.clear()

    again = world.call("approve", **request)

    assert first.body["outcome"] == again.body["outcome"] == "approved"
    assert asked(world) == ["approvals"]


def test_what_is_begun_knows_what_is_under_way_and_keeps_its_failure_for_whoever_asks() -> None:
    name: ContextVar[str] = ContextVar("name")
    name.set("click")

    def fails() -> str:
        raise Unavailable("gone", name.get())

    assert start_in_background(name.get).result() == "click"
    with pytest.raises(Unavailable, match="click"):
        start_in_background(fails).result()
