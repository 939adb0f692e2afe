"""Connections share one deadline from the name to the last byte, and a session remembers nothing."""

from __future__ import annotations

import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from slow import WAYS, Talk, slow, stage
from tls import certificate, served_securely
from werkzeug.wrappers import Request, Response

from coupa_core.clock import Deadline, SystemClock, until
from coupa_core.connections import session
from coupa_core.errors import ServiceError, Unavailable, Unknown
from coupa_core.http_client import HttpClient
from coupa_core.table_ledger import TableStore
from coupa_core.tables import table_client
from sandbox.azurite import Azurite
from sandbox.serving import served

CLOCK = SystemClock()
SHORT_S = 0.5
MARGIN_S = 2.0
"""For a busy machine."""


def failure(url: str, *, seconds: float = SHORT_S, use_proxy: bool = False, **parts: Any) -> ServiceError:
    """Send one request that fails, and check that it did so in time."""
    http_client = HttpClient(name="coupa", base_url=url, clock=CLOCK, use_proxy=use_proxy)
    began_s = time.monotonic()
    with pytest.raises(ServiceError) as caught:
        http_client.send("PUT", "/x", deadline=Deadline(CLOCK, seconds), **parts)
    took_s = time.monotonic() - began_s
    http_client.close_idle()
    assert took_s < seconds + MARGIN_S
    return caught.value


# One deadline.


@pytest.mark.parametrize(
    "way", [way for way in WAYS if not way[0].isdigit() or way.startswith(("100", "2,"))]
)
def test_an_exchange_ends_at_its_deadline_and_its_outcome_is_not_known(way: str) -> None:
    with slow(way) as (url, _):
        caught = failure(url)

    wanted = Unavailable if way == "never accepts" else Unknown
    assert type(caught) is wanted, caught


def test_a_kept_connection_ends_in_time_as_well() -> None:
    def talk(each: Talk) -> None:
        each.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        each.connection.recv(65536)
        WAYS["drips a body"](each)

    WAYS["first well"] = talk
    try:
        with slow("first well") as (url, _):
            http_client = HttpClient(name="coupa", base_url=url, clock=CLOCK, use_proxy=False)
            assert http_client.send("GET", "/x", deadline=Deadline(CLOCK, 60)).body == b"ok"
            began_s = time.monotonic()
            with pytest.raises(Unknown) as caught:
                http_client.send("GET", "/x", deadline=Deadline(CLOCK, SHORT_S))
            http_client.close_idle()
    finally:
        del WAYS["first well"]

    assert caught.value.code == "coupa_timeout"
    assert time.monotonic() - began_s < SHORT_S + MARGIN_S


@contextmanager
def deaf() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_service_that_does_not_read_our_request_is_left_in_time() -> None:
    with deaf() as url:
        caught = failure(url, body=b"x" * 20_000_000)

    assert type(caught) is Unknown
    assert caught.code == "coupa_timeout"


def test_a_handshake_ends_in_time() -> None:
    with deaf() as url:
        caught = failure(url.replace("http:", "https:"))

    assert isinstance(caught, Unknown)


@pytest.mark.parametrize("way", ["drips a header", "drips a body"])
def test_behind_tls_the_deadline_holds_as_well(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def drip() -> Iterator[bytes]:
        while not over.wait(0.05):
            yield b" "

    def answer(_: Request) -> Response:
        if way == "drips a body":
            return Response(drip())
        over.wait(10)
        return Response()

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
    with served_securely(Request.application(answer), certificate(tmp_path)) as url:
        caught = failure(url, use_proxy=True)
        over.set()

    assert (type(caught), caught.code) == (Unknown, "coupa_timeout")


def test_behind_tls_an_answer_comes_and_a_foreign_certificate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_securely(Response("hello"), certificate(tmp_path)) as url:
        caught = failure(url, seconds=5)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "certificate.pem"))
        http_client = HttpClient(name="coupa", base_url=url, clock=CLOCK)
        large = http_client.send("POST", "/x", deadline=Deadline(CLOCK, 5), body=b"x" * 1_000_000)
        http_client.close_idle()

    assert type(caught) is Unavailable
    assert large.body == b"hello"


def test_a_proxy_that_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with slow("drips a header") as (url, hits):
        monkeypatch.setenv("HTTPS_PROXY", url)
        caught = failure("https://coupa.example", use_proxy=True)

    assert isinstance(caught, Unknown)
    assert hits[0].startswith(b"CONNECT coupa.example:443")


def test_a_proxy_of_another_kind_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        pool_classes_by_scheme = "its own"

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "proxy_manager_for", lambda *_, **__: Other())
    with session() as made:
        adapter: Any = made.get_adapter("https://x")
        manager = adapter.proxy_manager_for("socks5://127.0.0.1:1")

    assert manager.pool_classes_by_scheme == "its own"


def test_without_a_deadline_the_time_limits_of_requests_hold() -> None:
    with slow("silent") as (url, _), session() as made, pytest.raises(requests.ReadTimeout):
        made.get(url, timeout=(1, 0.1))
    with served(Response("hello")) as url, session() as made:
        assert made.get(url, timeout=None).text == "hello"


# Names and addresses.


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Return what replaces the system's resolver."""
    return lambda answer: monkeypatch.setattr(socket, "getaddrinfo", answer)


def test_a_resolver_that_hangs_is_waited_for_in_time_and_by_one_thread(
    resolver: Callable[[Callable[..., Any]], None],
) -> None:
    over = threading.Event()
    asked: list[str] = []

    def hang(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        over.wait(10)
        raise socket.gaierror("no such name")

    resolver(hang)
    with ThreadPoolExecutor(5) as pool:
        caught = list(pool.map(failure, ["http://coupa.example"] * 5))
    over.set()

    assert {type(each) for each in caught} == {Unavailable}
    assert asked == ["coupa.example"]


@pytest.mark.parametrize("error", [socket.gaierror("no such name"), UnicodeError("label too long")])
def test_a_name_that_does_not_exist_means_that_nothing_was_sent(
    resolver: Callable[[Callable[..., Any]], None], error: Exception
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise error

    resolver(refuse)

    assert failure("http://coupa.example").code == "coupa_unreachable"


def test_a_name_without_an_address_means_that_nothing_was_sent(
    resolver: Callable[[Callable[..., Any]], None],
) -> None:
    resolver(lambda *_, **__: [])

    assert failure("http://coupa.example").code == "coupa_unreachable"


@pytest.mark.slow
def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    resolver: Callable[[Callable[..., Any]], None],
) -> None:
    with slow("never accepts") as (dead, _), served(Response("hello")) as alive:

        def two(*_: Any, **__: Any) -> Any:
            ports = [int(url.rpartition(":")[2]) for url in (dead, alive)]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

        resolver(two)
        http_client = HttpClient(name="coupa", base_url="http://coupa.example", clock=CLOCK, use_proxy=False)
        reply = http_client.send("GET", "/x", deadline=Deadline(CLOCK, 6))
        http_client.close_idle()

    assert reply.body == b"hello"


# Nothing is remembered, and nothing is thrown away.


def test_no_cookie_is_kept() -> None:
    seen: list[str | None] = []

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("Cookie"))
        reply = Response("{}", mimetype="application/json")
        reply.set_cookie("session", "sticky")
        return reply

    with served(Request.application(answer)) as url:
        http_client = HttpClient(name="coupa", base_url=url, clock=CLOCK, use_proxy=False)
        for _ in range(2):
            http_client.send("GET", "/x", deadline=Deadline(CLOCK, 5))
        http_client.close_idle()
        connection = f"AccountName=a;AccountKey=a2V5;TableEndpoint={url}/a"
        with table_client(connection=connection, account_url="", table="approvals") as client:
            for _ in range(2):
                with pytest.raises(ServiceError):  # it is no table service
                    TableStore(client).status()

    assert len(seen) >= 4
    assert set(seen) == {None}


@pytest.mark.slow
def test_a_busy_sweep_throws_no_connection_away(
    azurite_server: Azurite, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with stage() as on:
        bridge = on.bridge(
            LEDGER_CONNECTION=azurite_server.connection_string,
            LEDGER_TABLE=f"t{uuid.uuid4().hex}",
            AUDIT_TABLE=f"t{uuid.uuid4().hex}",
            MOVEWORKS_MAX_PER_MINUTE="1000",
        )
        summary = bridge.sweep.run()

    assert summary.counts["sent"] > 25
    assert [record.message for record in caplog.records if "pool is full" in record.getMessage()] == []


def test_a_deadline_around_an_exchange_holds_for_it() -> None:
    with slow("silent") as (url, _), until(Deadline(CLOCK, SHORT_S)):
        http_client = HttpClient(name="coupa", base_url=url, clock=CLOCK, use_proxy=False)
        began_s = time.monotonic()
        with pytest.raises(Unknown):
            http_client.send("GET", "/x", deadline=Deadline(CLOCK, 60))
        http_client.close_idle()

    assert time.monotonic() - began_s < SHORT_S + MARGIN_S
