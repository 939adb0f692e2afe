"""The host's answers in the app's place, and the proof that a repeat is safe then: one click decides once."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from hosted import FUNCTION_KEY, ROOT, Hosted, hosted

from sandbox.azurite import Azurite

pytestmark = pytest.mark.slow

WAIT_S = 60.0
"""For what takes a moment; a machine that is busy takes longer."""


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < end, "it did not become so"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def running(azurite_server: Azurite) -> Iterator[Hosted]:
    """Run a bridge whose ledger and record outlive its worker."""
    tables = {name: f"t{uuid.uuid4().hex}" for name in ("LEDGER_TABLE", "AUDIT_TABLE")}
    with hosted(more={"LEDGER_CONNECTION": azurite_server.connection_string, **tables}) as place:
        yield place


@pytest.fixture
def place(running: Hosted) -> Hosted:
    """Return that bridge, and forget what Coupa was asked before."""
    running.coupa.front.heal()
    running.coupa.front.calls.clear()
    return running


def decided(place: Hosted) -> int:
    """Return how often Coupa was told to decide."""
    return sum(call.method == "PUT" for call in place.coupa.front.calls)


@pytest.mark.parametrize(
    ("verb", "outcome", "says"),
    [
        ("approve", "approved", "Approved"),
        ("reject", "rejected", "Rejected"),
        ("hold", "already_decided", "Put on hold"),  # Coupa does not say by whom
    ],
)
@pytest.mark.parametrize("key", ["", "the-click"], ids=["without a key", "with a key"])
def test_a_worker_that_dies_after_the_decision_is_a_500_and_the_same_click_again_decides_once(
    place: Hosted, verb: str, outcome: str, says: str, key: str
) -> None:
    email = place.approver()
    card = place.card(email)
    place.sweep()
    sent = {"headers": {"Idempotency-Key": key} if key else {}, "json": {"reason": "Two are enough."}}
    place.coupa.front.fail("slow", method="PUT", seconds=8)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(place.click, email, card, verb, **sent)
        until(lambda: place.coupa.world.approvals.rows[int(card["approval_id"])].status != "pending_approval")
        place.kill_worker()
        lost = first.result()
    again = place.click(email, card, verb, **sent)
    third = place.click(email, card, verb, **sent)

    assert (lost.status_code, lost.content) == (500, b"")
    for answer in (again, third):
        assert (answer.status_code, answer.json()["outcome"]) == (200, outcome)
        assert says in answer.json()["message"]
    until(lambda: decided(place) > 0)  # it is noted with its answer, which nobody waits for any more
    assert decided(place) == 1


def test_a_worker_that_dies_before_the_decision_is_a_500_and_the_same_click_again_decides(
    place: Hosted,
) -> None:
    email = place.approver()
    card = place.card(email)
    waiting = place.coupa.front.fail("slow", method="GET", path="/api/approvals", seconds=8)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(place.click, email, card)
        until(lambda: waiting.times == 0)
        place.kill_worker()
        lost = first.result()
    again = place.click(email, card)

    assert (lost.status_code, lost.content) == (500, b"")
    assert (again.status_code, again.json()["outcome"], decided(place)) == (200, "approved", 1)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Hosted]:
    """Run a bridge whose host lets one request in at a time."""
    for name in ("function_app.py", "coupa_core"):
        (tmp_path / name).symlink_to(ROOT / name)
    said = json.loads((ROOT / "host.json").read_text("utf-8"))
    said["extensions"]["http"] |= {"maxConcurrentRequests": 1, "maxOutstandingRequests": 1}
    (tmp_path / "host.json").write_text(json.dumps(said), "utf-8")
    with hosted(app=tmp_path) as running:
        yield running


def test_a_click_in_a_crowd_is_a_429_without_a_body_and_decides_once_when_it_is_tried_again(
    small: Hosted,
) -> None:
    email = small.approver()
    card = small.card(email)
    waiting = small.coupa.front.fail("slow", method="GET", seconds=8)

    with ThreadPoolExecutor(1) as pool:
        crowd = pool.submit(small.card, email)
        until(lambda: waiting.times == 0)
        refused = small.click(email, card)
        health = requests.get(f"{small.app_url}/api/health", timeout=60)
        crowd.result()
    again = small.click(email, card)
    third = small.click(email, card)

    for answer in (refused, health):
        assert (answer.status_code, answer.content) == (429, b"")
        assert "Retry-After" not in answer.headers
    assert [(each.status_code, each.json()["outcome"]) for each in (again, third)] == [(200, "approved")] * 2
    assert decided(small) == 1


@pytest.mark.parametrize("verb", ["approve", "reject", "comment", "decision"])
def test_a_body_in_chunks_is_asked_for_with_its_length_and_nothing_is_decided(
    place: Hosted, verb: str
) -> None:
    email = place.approver()
    card = place.card(email)
    calls = len(place.coupa.front.calls)
    body = json.dumps({"reason": "Two are enough.", "comment": "Why ten?", "decision": "reject"}).encode()

    refused = place.click(
        email, card, verb, data=iter([body[:10], body[10:]]), headers={"Content-Type": "application/json"}
    )

    assert (refused.status_code, refused.json()["error"]) == (411, "length_required")
    assert len(place.coupa.front.calls) == calls


def raw(url: str, sent: bytes) -> bytes:
    """Return what the host answers to these bytes."""
    there = urlsplit(url)
    with socket.create_connection((str(there.hostname), there.port or 80), timeout=WAIT_S) as connection:
        connection.sendall(sent)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    return answer


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (b"431", b"X-Long: " + b"a" * 40_000 + b"\r\n\r\n"),
        (b"400", b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        (b"400", b"Transfer-Encoding: gzip\r\n\r\n"),
    ],
    ids=["long headers", "two lengths", "another coding"],
)
def test_what_the_host_refuses_for_its_form_decides_nothing(
    place: Hosted, status: bytes, more: bytes
) -> None:
    card = place.card(place.approver())
    head = f"POST /api/approvals/{card['approval_id']}/approve HTTP/1.1\r\nHost: a\r\n"
    calls = len(place.coupa.front.calls)

    answer = raw(
        place.app_url, f"{head}x-functions-key: {FUNCTION_KEY}\r\nConnection: close\r\n".encode() + more
    )

    assert answer.split(b" ")[1] == status
    assert b"application/json" not in answer
    assert len(place.coupa.front.calls) == calls
