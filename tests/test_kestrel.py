"""The stand-in's server reads HTTP as Kestrel does, where the table of the host's answers does not reach."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sandbox.calls import Answer
from sandbox.kestrel import Kestrel
from sandbox.requested import BadRequest, Requested, TooLarge

pytestmark = pytest.mark.slow

HOST = b"Host: a\r\n"


@dataclass
class Served:
    """A server, and what has reached its functions."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    requests: list[Requested] = field(default_factory=list)

    def answer(self, request: Requested) -> Answer:
        self.requests.append(request)
        if request.path == "/ignored":
            return Answer(401)
        try:
            self.bodies.append(request.read())
        except TooLarge:
            return Answer(500, is_last=True)
        except BadRequest as error:
            return Answer(error.status, is_last=True)
        return Answer(200, [("X-Answer", "yes")], b"served", of_function=True)

    def raw(self, *pieces: bytes) -> list[bytes]:
        """Send bytes on one connection, and return the answers that came on it before it was closed."""
        with socket.create_connection(("127.0.0.1", self.port)) as caller:
            caller.settimeout(60)
            for piece in pieces:
                caller.sendall(piece)
            caller.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: caller.recv(65_536), b""))
        return [b"HTTP/1.1 " + each for each in said.split(b"HTTP/1.1 ")[1:]]


@pytest.fixture(scope="module")
def listening() -> Iterator[Served]:
    served = Served()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served.port = listener.getsockname()[1]
        Kestrel(listener, served.answer).start()
        yield served


@pytest.fixture
def server(listening: Served) -> Served:
    listening.bodies.clear()
    listening.requests.clear()
    return listening


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (200, b"GET /x HTTP/1.0\r\n\r\n"),
        (505, b"GET /x HTTP/2.0\r\n" + HOST + b"\r\n"),
        (400, b"GET /x HTTP/1.1\r\n" + HOST + HOST + b"\r\n"),
        (400, b"GET /x HTTP/1.1\r\n" + HOST + b"X Y: z\r\n\r\n"),
        (400, b"GET /x HTTP/1.1\r\n" + HOST + b"X: a\r\n folded\r\n\r\n"),
        (400, b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n"),
        (400, b"GET x HTTP/1.1\r\n" + HOST + b"\r\n"),
        (400, b"GET /x\r\n" + HOST + b"\r\n"),
        (200, b"GET http://b/x HTTP/1.1\r\n" + HOST + b"\r\n"),
        (400, b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 10\r\n\r\nhalf"),
        (400, b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n"),
        (400, b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhalf"),
    ],
)
def test_what_kestrel_refuses_is_refused_with_no_body_and_the_connection_is_closed(
    server: Served, status: int, request_: bytes
) -> None:
    [answer] = server.raw(request_)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nServer: Kestrel\r\n" in answer
    assert re.search(rb"\r\nDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", answer)
    if status != 200:
        assert answer.endswith(b"\r\n\r\n")
        assert b"\r\nContent-Length: 0\r\n" in answer
        assert b"\r\nConnection: close\r\n" in answer
        assert server.bodies == []


def test_a_body_in_chunks_is_read_to_its_end_and_handed_over_empty(server: Served) -> None:
    chunked = b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n"

    answers = server.raw(chunked + b"GET /y HTTP/1.1\r\n" + HOST + b"\r\n")

    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * 2
    assert server.bodies == [b"", b""]
    assert server.requests[0].header("transfer-encoding") == "chunked"


def test_a_connection_serves_several_requests_and_a_body_that_nobody_reads_is_skipped(server: Served) -> None:
    unread = b"POST /ignored HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nhalf"
    last = b"GET /x HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"

    answers = server.raw(unread + unread + last)

    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 401", b"HTTP/1.1 401", b"HTTP/1.1 200"]
    assert [request.path for request in server.requests] == ["/ignored", "/ignored", "/x"]


def test_an_answer_of_a_function_leaves_in_chunks_and_to_an_old_caller_whole(server: Served) -> None:
    [new] = server.raw(b"GET /x HTTP/1.1\r\n" + HOST + b"\r\n")
    [old] = server.raw(b"GET /x HTTP/1.0\r\n\r\n")
    [head] = server.raw(b"HEAD /x HTTP/1.1\r\n" + HOST + b"\r\n")

    assert new.endswith(b"\r\n\r\n6\r\nserved\r\n0\r\n\r\n")
    assert b"\r\nTransfer-Encoding: chunked\r\n" in new
    assert old.endswith(b"\r\n\r\nserved")
    assert b"\r\nContent-Length: 6\r\n" in old
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        (b"/api/./y", "/api/y"),
        (b"/../..", "/"),
        (b"/api/..", "/"),
        (b"/api/x/.", "/api/x/"),
    ],
)
def test_dot_segments_are_resolved_before_routing_and_encoded_slashes_part_nothing(
    server: Served, sent: bytes, path: str
) -> None:
    server.raw(b"GET " + sent + b"?a=.. HTTP/1.1\r\n" + HOST + b"\r\n")

    assert [(request.path, request.query) for request in server.requests] == [(path, "a=..")]


def test_a_caller_that_asks_first_is_told_to_go_on(server: Served) -> None:
    head = b"POST /x HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as caller:
        caller.settimeout(60)
        caller.sendall(head)
        told = caller.recv(100)
        caller.sendall(b"half")
        answer = caller.recv(65_536)

    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert server.bodies == [b"half"]
