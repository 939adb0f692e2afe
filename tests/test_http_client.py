"""One HTTP exchange over a real socket, and everything that can go wrong in it."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.wrappers import Request, Response

from coupa_core.clock import Deadline, SystemClock
from coupa_core.correlation import Correlation, correlated
from coupa_core.errors import (
    Denied,
    Malformed,
    Refused,
    ServiceError,
    Throttled,
    Unavailable,
    Unknown,
    one_line,
)
from coupa_core.http_client import HttpClient, ServiceResponse, error_text, failure_of
from coupa_core.pace import Pace
from sandbox.clock import ManualClock
from sandbox.serving import served

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CLOCK = SystemClock()


@contextmanager
def wire_to(url: str, *, use_proxy: bool = False) -> Iterator[HttpClient]:
    """Yield a wire and drop its connections afterwards."""
    http_client = HttpClient(name="coupa", base_url=url, clock=CLOCK, use_proxy=use_proxy)
    try:
        yield http_client
    finally:
        http_client.close_idle()


def exchanged(
    answer: Callable[[Request], Response], *, seconds: float = 5, **parts: object
) -> ServiceResponse:
    """Send one request to a server that answers so."""
    with served(Request.application(answer)) as url, wire_to(url) as http_client:
        return http_client.send("GET", "/x", deadline=Deadline(CLOCK, seconds), **parts)  # type: ignore[arg-type]


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection by hand."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                connection.recv(65536)
                talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def test_an_exchange_sends_what_it_is_given_and_returns_what_it_gets() -> None:
    def answer(request: Request) -> Response:
        query, header = request.query_string.decode(), request.headers["X-A"]
        seen = f"{request.path} {query} {header} {request.accept_mimetypes}"
        return Response(seen, status=207, headers={"X-Answer": "yes"})

    reply = exchanged(answer, params={"q": "a b&c=ü"}, headers={"X-A": "1"})

    assert reply.body.decode() == "/x q=a+b%26c%3D%C3%BC 1 application/json"
    assert (reply.status, reply.ok, reply.headers["x-answer"]) == (207, True, "yes")


def test_a_body_goes_out_byte_for_byte_under_the_type_it_is_given() -> None:
    def answer(request: Request) -> Response:
        return Response(request.get_data(), headers={"X-Type": request.headers["Content-Type"]})

    body = b'{"b":1,\r\n "a":"\xc3\xbc \\u00fc"}'
    reply = exchanged(answer, body=body, headers={"Content-Type": "application/json"})

    assert (reply.body, reply.headers["x-type"]) == (body, "application/json")


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    reply = exchanged(lambda _: Response(status=302, headers={"Location": "http://127.0.0.1:1/elsewhere"}))

    assert (reply.status, reply.ok) == (302, False)


@pytest.mark.parametrize(("status", "errors"), [(200, 0), (204, 0), (302, 1), (401, 1), (404, 1), (500, 1)])
def test_a_request_names_what_it_belongs_to_and_is_counted_there(status: int, errors: int) -> None:
    seen: list[str | None] = []

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("X-Request-Id"))
        return Response(status=status)

    with correlated(Correlation("click-1")) as under:
        exchanged(answer)
    exchanged(answer)  # a tool's, that belongs to nothing

    assert seen == ["click-1", None]
    assert under.counts() == {"coupa_calls": 1, "coupa_errors": errors}


def test_credentials_of_the_machine_do_not_replace_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    netrc = f"{tmp_path}/netrc"
    with open(netrc, "w", encoding="utf-8") as file:  # noqa: PTH123 - the path is a text for the environment
        file.write("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", netrc)

    def answer(request: Request) -> Response:
        return Response(request.headers["Authorization"])

    with served(Request.application(answer)) as url, wire_to(url, use_proxy=True) as http_client:
        headers = {"Authorization": "Bearer ours"}
        reply = http_client.send("GET", "/x", deadline=Deadline(CLOCK, 5), headers=headers)

    assert reply.body == b"Bearer ours"


@pytest.mark.parametrize("use_proxy", [True, False])
def test_a_proxy_of_the_environment_is_used_only_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, *, use_proxy: bool
) -> None:
    seen: list[str] = []

    def proxy(request: Request) -> Response:
        seen.append(request.environ["RAW_URI"])
        return Response("from the proxy")

    with (
        served(Request.application(proxy)) as proxy_url,
        served(Request.application(lambda _: Response("direct"))) as url,
    ):
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy_url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with wire_to(url, use_proxy=use_proxy) as http_client:
            reply = http_client.send("GET", "/x", deadline=Deadline(CLOCK, 5))

    assert (reply.body == b"from the proxy") is use_proxy
    assert seen == ([f"{url}/x"] if use_proxy else [])


# What did not leave, and what may have.


def test_without_a_connection_the_request_surely_did_not_leave() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with wire_to(f"http://127.0.0.1:{port}") as http_client, pytest.raises(Unavailable) as caught:
        http_client.send("PUT", "/x", deadline=Deadline(CLOCK, 5))

    assert caught.value.code == "coupa_unreachable"


def test_without_time_left_nothing_is_sent() -> None:
    with wire_to("http://127.0.0.1:1") as http_client, pytest.raises(Unavailable) as caught:
        http_client.send("PUT", "/x", deadline=Deadline(CLOCK, 0))

    assert caught.value.code == "coupa_late"


def test_without_a_turn_in_time_nothing_is_sent() -> None:
    clock = ManualClock()
    pace = Pace(clock, limit=1, period_s=60)
    http_client = HttpClient(name="coupa", base_url="http://127.0.0.1:1", clock=clock, pace=pace)
    pace.wait(Deadline(clock, 1))

    with pytest.raises(Unavailable) as caught:
        http_client.send("GET", "/x", deadline=Deadline(clock, 59))
    http_client.close_idle()

    assert caught.value.code == "coupa_pace"
    assert clock.monotonic() == 0


class Learning(Pace):
    """A rate that keeps what it hears."""

    def learn(self, took_s: float) -> None:
        self.heard = [*getattr(self, "heard", []), took_s]


@pytest.mark.parametrize("is_answered", [True, False])
def test_the_rate_hears_how_long_a_call_took_whether_it_was_answered_or_not(*, is_answered: bool) -> None:
    pace = Learning(CLOCK, limit=9, period_s=60)

    def answer(connection: socket.socket) -> None:
        time.sleep(0.3)
        if is_answered:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with raw_server(answer) as url:
        http_client = HttpClient(name="coupa", base_url=url, clock=CLOCK, pace=pace)
        with contextlib.suppress(Unknown):
            http_client.send("GET", "/x", deadline=Deadline(CLOCK, 5))
        http_client.close_idle()

    assert 0.3 <= pace.heard[0] < 5
    assert len(pace.heard) == 1


def test_a_request_that_was_begun_is_a_call_and_one_that_waited_in_vain_is_none() -> None:
    clock = ManualClock()
    busy = Pace(clock, limit=1, period_s=60)
    busy.wait(Deadline(clock, 1))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with correlated(Correlation()) as under:
        for seconds, pace in ((0, None), (1, busy), (5, None)):
            http_client = HttpClient(name="moveworks", base_url=url, clock=clock, pace=pace)
            with pytest.raises(Unavailable):
                http_client.send("GET", "/x", deadline=Deadline(clock, seconds))
            http_client.close_idle()

    assert under.counts() == {"moveworks_calls": 1, "moveworks_errors": 1}


TALKS: dict[str, Callable[[socket.socket], None]] = {
    "nothing": lambda connection: None,
    "half a status line": lambda connection: connection.sendall(b"HTTP/1.1 2"),
    "no HTTP": lambda connection: connection.sendall(b"220 smtp ready\r\n\r\n"),
    "half a body": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[1,"),
    "half a chunk": lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[1,"
    ),
    "no gzip": lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n[1,"
    ),
}


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS.keys())
def test_without_a_whole_answer_the_outcome_is_unknown(talk: Callable[[socket.socket], None]) -> None:
    under = Correlation()
    with (
        correlated(under),
        raw_server(talk) as url,
        wire_to(url) as http_client,
        pytest.raises(Unknown) as caught,
    ):
        http_client.send("PUT", "/x", deadline=Deadline(CLOCK, 5))

    assert caught.value.code == "coupa_lost"
    assert under.counts() == {"coupa_calls": 1, "coupa_errors": 1}


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    with correlated(Correlation()) as under, pytest.raises(Unknown) as caught:
        exchanged(lambda _: Response(b"x" * 200_000), max_bytes=100_000)

    assert caught.value.code == "coupa_too_large"
    assert under.counts() == {"coupa_calls": 1, "coupa_errors": 1}


def test_an_answer_that_unpacks_to_too_much_is_not_read_to_its_end() -> None:
    bomb = gzip.compress(b"x" * 50_000_000)

    with pytest.raises(Unknown) as caught:
        exchanged(lambda _: Response(bomb, headers={"Content-Encoding": "gzip"}), max_bytes=1_000_000)

    assert len(bomb) < 100_000
    assert caught.value.code == "coupa_too_large"


def test_an_error_names_the_request_and_shows_no_header_query_or_body() -> None:
    with wire_to("http://127.0.0.1:1") as http_client, pytest.raises(ServiceError) as caught:
        http_client.send(
            "POST",
            "/path",
            deadline=Deadline(CLOCK, 5),
            headers={"Authorization": "Bearer canary"},
            params={"reason": "canary"},
            payload={"message": "canary"},
        )

    assert "POST /path" in str(caught.value)
    assert "canary" not in str(caught.value)


# What an answer means.


def reply(status: int = 200, body: bytes | str = b"", **headers: str) -> ServiceResponse:
    """Return an answer; a header's underscores are hyphens."""
    names = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return ServiceResponse(status, names, body.encode() if isinstance(body, str) else body)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (301, Denied, "coupa_redirect"),
        (400, Refused, "coupa_400"),
        (401, Denied, "coupa_401"),
        (403, Denied, "coupa_403"),
        (404, Refused, "coupa_404"),
        (409, Refused, "coupa_409"),
        (422, Refused, "coupa_422"),
        (429, Throttled, "coupa_429"),
        (500, Unknown, "coupa_500"),
        (502, Unknown, "coupa_502"),
        (503, Unknown, "coupa_503"),
        (504, Unknown, "coupa_504"),
        (199, Unknown, "coupa_199"),
    ],
)
def test_a_status_says_what_to_do_next(status: int, kind: type[ServiceError], code: str) -> None:
    failure = failure_of(reply(status), name="coupa", what="read it", now=NOW, hint="do this")

    assert type(failure) is kind
    assert (failure.code, failure.status) == (code, status)
    assert str(failure).startswith(f"coupa answered {status} to read it")
    assert "(do this)" in str(failure)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("Mon, 23 Nov 2026 09:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 08:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 10, None),
        ("\u0663", None),
        ("Mon, 99 Nov 2026 09:01:00 GMT", None),
        ("Mon, 23 Nov 2026 09:01:00 -0000", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str, seconds: float | None) -> None:
    assert reply(429, Retry_After=value).retry_after_s(NOW) == seconds


def test_the_services_clock_is_read_from_date() -> None:
    assert reply(Date="Mon, 23 Nov 2026 09:00:05 GMT").ahead_s(NOW) == 5
    assert reply(Date="Mon, 23 Nov 2026 08:59:00 GMT").ahead_s(NOW) == -60
    assert reply(Date="today").ahead_s(NOW) is None
    assert reply().ahead_s(NOW) is None


@pytest.mark.parametrize(
    "body", ["", "<html>", "{", "[NaN]", '{"a": Infinity}', b"\xff\xfe", "[" * 100_000, "1" * 5_000]
)
def test_what_is_no_json_is_malformed_and_not_shown(body: str | bytes) -> None:
    answer = reply(200, body, Content_Type="text/html; charset=utf-8")
    with pytest.raises(Malformed) as caught:
        answer.json()

    assert f"answered 200 with {len(answer.body)} bytes of text/html, not JSON" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"errors": {"base": ["Not pending"], "status": ["is wrong"]}}', "Not pending; is wrong"),
        ('{"error": {"code": "INVALID", "message": "no such event"}}', "INVALID; no such event"),
        ('{"code": "INVALID", "message": "no such event"}', "INVALID; no such event"),
        ('["one", ["two"]]', "one; two"),
        ('"plain"', "plain"),
        ("7", ""),
        ('{"errors": {"b": {"c": {"d": {"e": "too deep"}}}}}', ""),
        ('{"access_token": "not for a log", "error": "odd"}', "odd"),
        ("<error>R&amp;D &#60;closed&#62;</error>", "R&D <closed>"),
        ("<errors><error>No results</error><error>at all</error></errors>", "No results; at all"),
        ("<html><head><title>503 Sorry</title></head>", "503 Sorry"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><error>&x;</error>', "&x;"),
        ("", ""),
        ("plain text", ""),
        (b"\xff\xfe<title>odd</title>", "odd"),
        ('{"message": "a\\nb\\u202ec\\u0000"}', "a b c"),
    ],
)
def test_the_services_words_are_found_in_json_xml_and_html(body: str | bytes, words: str) -> None:
    assert error_text(reply(400, body)) == words


def test_the_services_words_are_one_short_line() -> None:
    assert len(error_text(reply(400, '{"message": "' + "many words " * 1_000 + '"}'))) == 200
    assert one_line("a\r\nb\tc\x1b[31m\u202e", 80) == "a b c [31m"
    assert one_line("x" * 90, 80) == "x" * 79 + "…"


@pytest.mark.parametrize(
    "parts",
    [
        {"headers": {"Authorization": "Bearer CANARY of/32 & more+characters"}},
        {"form": {"client_secret": "CANARY of/32 & more+characters"}},
        {"params": {"reason": "CANARY of/32 & more+characters"}},
        {"payload": {"context": {"slots": {"a": "CANARY of/32 & more+characters"}}, "recipients": ["x"]}},
        {"body": b'{"slots": [{"a": "CANARY of/32 & more+characters"}]}'},
    ],
    ids=["header", "form", "query", "body", "signed body"],
)
def test_what_was_sent_is_not_told_when_the_service_repeats_it(parts: dict[str, Any]) -> None:
    """The forms in which it may be repeated are those of `test_hiding.py`."""
    repeated = quote("CANARY of/32 & more+characters", safe="")

    answer = exchanged(
        lambda _: Response(json.dumps({"message": f"cannot take {repeated} here"}), status=400), **parts
    )

    assert error_text(answer) == "cannot take [hidden] here"


def test_a_word_of_the_query_language_is_told() -> None:
    answer = exchanged(
        lambda _: Response('{"errors": {"dir": ["sideways is unknown"]}}', status=400),
        params={"dir": "sideway"},
    )

    assert error_text(answer) == "sideways is unknown"


def test_the_content_type_of_an_answer_is_one_line_in_an_error() -> None:
    with pytest.raises(Malformed) as caught:
        reply(200, "x", Content_Type="text/html\x1b[31m\x85forged").json()

    assert "1 bytes of text/html [31m forged, not JSON" in str(caught.value)


# The allowed rate.


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    limit=st.integers(1, 5),
    waits=st.lists(st.floats(0, 90), min_size=1, max_size=40),
    patience=st.lists(st.floats(0, 120), min_size=40, max_size=40),
)
def test_no_window_sees_more_than_the_limit(limit: int, waits: list[float], patience: list[float]) -> None:
    clock = ManualClock()
    pace = Pace(clock, limit=limit, period_s=60)
    starts = []
    for wait, patient in zip(waits, patience, strict=False):
        clock.advance(wait)
        began = clock.monotonic()
        if pace.wait(Deadline(clock, patient)):
            starts.append(clock.monotonic())
        else:
            assert clock.monotonic() == began  # it does not wait for nothing
    assert starts or not any(patience[: len(waits)])
    for start in starts:
        # A microsecond for what floats lose.
        assert sum(start - 60 + 1e-6 < other <= start for other in starts) <= limit


def test_a_rate_counts_what_others_sent() -> None:
    clock = ManualClock()
    pace = Pace(clock, limit=2, period_s=60)
    pace.remember(10)
    pace.remember(50)

    assert [pace.free(within_s) for within_s in (0, 9, 10, 50)] == [0, 0, 1, 2]
    assert not pace.wait(Deadline(clock, 9))
    assert pace.wait(Deadline(clock, 10))
    assert clock.monotonic() == 10


def test_a_rate_holds_across_threads() -> None:
    pace = Pace(CLOCK, limit=10, period_s=60)
    taken: list[bool] = []
    threads = [
        threading.Thread(target=lambda: taken.append(pace.wait(Deadline(CLOCK, 1)))) for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(taken) == 10


def test_kept_connections_are_dropped() -> None:
    ports = set()

    class Keeping(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            ports.add(self.client_address[1])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Keeping) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        with wire_to(f"http://127.0.0.1:{server.server_port}") as http_client:
            for _ in range(3):
                http_client.send("GET", "/x", deadline=Deadline(CLOCK, 5))
            assert len(ports) == 1
            http_client.close_idle()
            http_client.send("GET", "/x", deadline=Deadline(CLOCK, 5))
        server.shutdown()

    assert len(ports) == 2
