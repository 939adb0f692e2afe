"""Services that are slow in every way over real sockets, and a whole bridge that calls them."""

from __future__ import annotations

import http.client
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from bridge import SETTINGS, services

from coupa_core.app import Bridge, Overrides, build, clients
from coupa_core.clock import SystemClock
from coupa_core.endpoints import Reply, Request
from coupa_core.settings import read_settings
from sandbox.clock import RealClock
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import Line
from sandbox.serving import served

APPROVER = "jamie@example.com"
PENDING = 30
"""Approvals that wait: more than a sweep has workers."""

_STEP_S = 0.05
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass
class Talk:
    """A connection whose request has been read, and whether anybody still wants an answer."""

    connection: socket.socket
    over: threading.Event

    def drip(self, text: bytes, *, size: int = 1) -> None:
        """Send it again and again, a little at a time, until nobody listens or the test is over."""
        while True:
            for start in range(0, len(text), size):
                self.connection.sendall(text[start : start + size])
                if self.over.wait(_STEP_S):
                    return


def _silent(talk: Talk) -> None:
    talk.over.wait()


def _dripping_status(talk: Talk) -> None:
    talk.connection.sendall(b"HTTP/1.1 200 ")
    talk.drip(b"O")


def _dripping_header(talk: Talk) -> None:
    talk.connection.sendall(_OK + b"X-A: ")
    talk.drip(b"a")


def _many_headers(talk: Talk) -> None:
    talk.connection.sendall(_OK)
    talk.drip(b"X: a\r\n")


def _continuing(talk: Talk) -> None:
    talk.drip(b"HTTP/1.1 100 Continue\r\n\r\n", size=25)


def _dripping_body(talk: Talk) -> None:
    talk.connection.sendall(_OK + b"Content-Length: 1000000\r\n\r\n")
    talk.drip(b" ")


def _endless_body(talk: Talk) -> None:
    talk.connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[]")
    talk.drip(b" ")


def _slow_body(talk: Talk) -> None:
    talk.connection.sendall(_OK + b"Content-Length: 10000000\r\n\r\n")
    talk.drip(b" " * 100, size=100)


def _dripping_trailer(talk: Talk) -> None:
    talk.connection.sendall(_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n")
    talk.drip(b"X: a\r\n")


def _half_closed(talk: Talk) -> None:
    talk.connection.sendall(_OK + b"Content-Length: 10\r\n\r\n[")
    talk.connection.shutdown(socket.SHUT_WR)
    talk.over.wait()


def _half_a_body(talk: Talk) -> None:
    talk.connection.sendall(_OK + b"Content-Length: 10\r\n\r\n[")
    talk.over.wait()


def _refusing(status: str, retry_after: str = "") -> Callable[[Talk], None]:
    wait = f"Retry-After: {retry_after}\r\n" if retry_after else ""
    answer = f"HTTP/1.1 {status}\r\n{wait}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()
    return lambda talk: talk.connection.sendall(answer)


WAYS: dict[str, Callable[[Talk], None]] = {
    "silent": _silent,
    "never accepts": _silent,
    "drips a status": _dripping_status,
    "drips a header": _dripping_header,
    "headers without end": _many_headers,
    "100 without end": _continuing,
    "drips a body": _dripping_body,
    "body without end": _endless_body,
    "2,000 bytes a second": _slow_body,
    "drips a trailer": _dripping_trailer,
    "half a body, open": _half_a_body,
    "half-closed": _half_closed,
    "500": _refusing("500 Oops"),
    "429, Retry-After 20": _refusing("429 Slow", "20"),
    "503, Retry-After 75": _refusing("503 Away", "75"),
    "503, Retry-After 10^9": _refusing("503 Away", "1000000000"),
}
"""How a service can be slow."""


@contextmanager
def slow(way: str, *, at: str = "", behind: str = "") -> Iterator[tuple[str, list[bytes]]]:
    """Serve a service that is slow in a way, on loopback.

    Args:
        way: of `WAYS`.
        at: which requests, as a pattern on method and path such as `PUT /api/`.
        behind: the base URL of the service that answers the others.

    Yields:
        Its base URL, and the heads of the requests that it was slow with.
    """
    hits: list[bytes] = []
    with ExitStack() as stack:
        over = threading.Event()
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if way == "never accepts" and not behind:
            listener.listen(0)
            for _ in range(2):  # the queue is full with these
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(listener.getsockname())
        else:
            server = _Server(listener, over, WAYS[way], at, behind, hits)
            thread = threading.Thread(target=server.accept, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
        stack.callback(over.set)
        yield url, hits


@dataclass
class _Server:
    listener: socket.socket
    over: threading.Event
    way: Callable[[Talk], None]
    at: str
    behind: str
    hits: list[bytes]

    def accept(self) -> None:
        self.listener.settimeout(0.1)
        while not self.over.is_set():
            try:
                connection, _ = self.listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(60)
                head, body = _received(connection)
                if head and re.match(self.at, head.decode("latin-1")):
                    self.hits.append(head)
                    self.way(Talk(connection, self.over))
                elif head:
                    connection.sendall(self._forwarded(head, body))
        except OSError:
            return  # the bridge has hung up, as it should

    def _forwarded(self, head: bytes, body: bytes) -> bytes:
        line, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = line.split(" ")
        headers = dict(each.split(": ", 1) for each in lines)
        behind = http.client.HTTPConnection(urlsplit(self.behind).netloc, timeout=60)
        behind.request(method, path, body, headers)
        answer = behind.getresponse()
        text = answer.read()
        behind.close()
        passed = [f"{name}: {value}" for name, value in answer.getheaders() if name.lower() in _PASSED]
        said = [f"HTTP/1.1 {answer.status} Passed on", *passed, f"Content-Length: {len(text)}"]
        return "\r\n".join([*said, "Connection: close", "", ""]).encode("latin-1") + text


_PASSED = ("content-type", "date", "etag", "preference-applied")


def _received(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b"", b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while len(body) < int(length[1] if length else 0):
        body += connection.recv(65536)
    return head, body


@dataclass
class Stage:
    """Healthy services, and what a bridge needs to know of them."""

    coupa: CoupaSimulator
    coupa_url: str
    moveworks_url: str
    card: dict[str, str]

    def bridge(self, **changed: str) -> Bridge:
        """Return a new bridge, as a new process would build it."""
        given = _settings(self.coupa_url, self.moveworks_url) | changed
        return build(read_settings(given), Overrides(SystemClock(), random.Random(1)))

    def act(self, bridge: Bridge, action: str) -> Reply | None:
        """Click, list, relay a message or sweep; a sweep returns nothing."""
        if action == "sweep":
            bridge.sweep.run()
            return None
        headers = {"X-Actor-Email": APPROVER, "X-Action-Token": self.card.get("action_token", "")}
        route = {"approval_id": self.card.get("approval_id", "")}
        body = b'{"message": "hello", "recipients": ["%s"]}' % APPROVER.encode()
        requests = {
            "click": ("approve", Request(headers=headers, route=route)),
            "list": ("list_approvals", Request(query={"user_email": APPROVER})),
            "relay": ("notifications", Request(body=body)),
        }
        name, request = requests[action]
        return bridge.endpoints.handle(name, request)


def _settings(coupa_url: str, moveworks_url: str) -> dict[str, str]:
    changed = {
        "COUPA_BASE_URL": coupa_url,
        "COUPA_MAX_PER_SECOND": "25",
        "MOVEWORKS_BASE_URL": moveworks_url,
        "FIRST_RUN": "announce",
        "RELAY_DOMAINS": "example.com",
    }
    left_out = {"COUPA_CLIENT_LOGIN", "MOVEWORKS_MAX_PER_MINUTE", "CLOSING_NOTICE"}
    return {name: value for name, value in SETTINGS.items() if name not in left_out} | changed


@contextmanager
def stage() -> Iterator[Stage]:
    """Run healthy services, with approvals that wait and the card of one of them."""
    coupa, moveworks = services(RealClock())
    coupa.max_per_second = None
    moveworks.max_per_minute = None
    approver = coupa.world.add_user(email=APPROVER, firstname="Jamie", lastname="Fox")
    requester = coupa.world.add_user(email="sam@example.com", firstname="Sam", lastname="Stinson")
    for _ in range(PENDING):
        coupa.world.add_requisition(
            requested_by=requester, lines=[Line("Laptop", unit_price="900.00")], approvers=[approver]
        )
    with served(coupa.front) as coupa_url, served(moveworks.front) as moveworks_url:
        made = Stage(coupa, coupa_url, moveworks_url, {})
        found = made.act(made.bridge(), "list")
        assert found is not None
        made.card = found.body["approvals"][0]
        yield made


@dataclass(frozen=True)
class Ended:
    """How a cell went: the seconds, the answer, and whether the slow service was asked at all."""

    took_s: float
    reply: Reply | None
    was_asked: bool


@dataclass(frozen=True)
class Cell:
    """One service that is slow in one way, while one thing is done."""

    service: str
    way: str
    action: str

    def run(self, on: Stage) -> Ended:
        """Do it, and say how it went."""
        at, behind, setting = _PLACES[self.service]
        with slow(self.way, at=at, behind=getattr(on, behind) if behind else "") as (url, hits):
            value = TABLE.format(url) if setting == "LEDGER_CONNECTION" else url
            with identity_at(url) if not setting else nullcontext():
                bridge = on.bridge(
                    **{setting or "LEDGER_CONNECTION": value if setting else "https://acme.table.localhost"}
                )
                began_s = time.monotonic()
                reply = on.act(bridge, self.action)
                took_s = time.monotonic() - began_s
                return Ended(took_s, reply, bool(hits) or self.way == "never accepts")


@contextmanager
def identity_at(url: str) -> Iterator[None]:
    """Let this process have a managed identity, as App Service gives it.

    Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
    """
    clients._identity.cache_clear()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("IDENTITY_ENDPOINT", f"{url}/msi/token")
        environment.setenv("IDENTITY_HEADER", "header")
        environment.setenv("AZURE_CLIENT_ID", "client")
        yield
    clients._identity.cache_clear()


TABLE = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint={}/a"

_PLACES = {
    "Coupa's token": ("POST /oauth2", "coupa_url", "COUPA_BASE_URL"),
    "Coupa's API": ("[A-Z]+ /api/", "coupa_url", "COUPA_BASE_URL"),
    "Coupa's decision": ("PUT /api/", "coupa_url", "COUPA_BASE_URL"),
    "Moveworks": ("", "", "MOVEWORKS_BASE_URL"),
    "the table": ("", "", "LEDGER_CONNECTION"),
    "the identity": ("", "", ""),
}
_ACTIONS = {
    "Coupa's token": ("click", "list", "sweep"),
    "Coupa's API": ("click", "list", "sweep"),
    "Coupa's decision": ("click",),
    "Moveworks": ("relay", "sweep"),
    "the table": ("click", "list", "sweep"),
    "the identity": ("click", "list", "sweep"),
}
GRID = {(service, action): list(WAYS) for service, actions in _ACTIONS.items() for action in actions}
"""The ways, by service and action. Where some requests must be answered, `never accepts` is silence."""
