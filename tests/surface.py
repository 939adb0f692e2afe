"""The real surface for hostile tests: the local host on a loopback socket, and the bytes of all that leaves.

The simulators are behind sockets as well, and each connection keeps its received bytes unchanged.
"""

from __future__ import annotations

import io
import json
import random
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from wsgiref.types import WSGIApplication

import requests
from azure.functions.decorators.function_app import Function
from bridge import SETTINGS, World
from canaries import FUNCTION_KEY
from werkzeug.serving import WSGIRequestHandler, make_server

from coupa_core import app
from coupa_core.settings import read_settings
from sandbox.in_process import FunctionHost
from sandbox.moveworks import Delivered
from sandbox.serving import served

JAMIE, ROBIN, SAM = "jamie@example.com", "robin@example.com", "sam@example.com"


@dataclass(frozen=True)
class Sent:
    """One request as it was on the wire."""

    raw: bytes

    @property
    def target(self) -> str:
        """Return the method and the target of the request line, as they were."""
        line = self.raw.partition(b"\r\n")[0].decode("latin-1")
        return line.removesuffix(" HTTP/1.1")

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


class _Keeping(io.RawIOBase):
    """The reading side of a connection that keeps what it reads."""

    def __init__(self, connection: socket.socket, kept: bytearray) -> None:
        self._connection, self._kept = connection, kept

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        number = self._connection.recv_into(buffer)
        self._kept += bytes(buffer[:number])
        return number


@dataclass
class Tap:
    """A server and all that reached it, one entry for each connection, which carries one request."""

    url: str
    connections: list[bytearray] = field(default_factory=list)

    def sent(self) -> list[Sent]:
        return [Sent(bytes(kept)) for kept in self.connections]

    def clear(self) -> None:
        self.connections.clear()


@contextmanager
def tapped(application: WSGIApplication) -> Iterator[Tap]:
    """Serve an application on a loopback socket and keep every byte that it receives."""
    tap = Tap("")

    class Handler(WSGIRequestHandler):
        def setup(self) -> None:
            super().setup()
            kept = bytearray()
            tap.connections.append(kept)
            self.rfile = io.BufferedReader(_Keeping(self.connection, kept))

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Stay silent."""

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    tap.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield tap
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Surface:
    """One function app behind HTTP, and its services.

    Attributes:
        url: of the host, without `/api`.
        world: the services, and what people do there.
        coupa: what reached Coupa.
        moveworks: what reached Moveworks.
    """

    url: str
    world: World
    coupa: Tap
    moveworks: Tap
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def call(
        self, method: str, path: str, *, headers: Mapping[str, Any] | None = None, **parts: Any
    ) -> requests.Response:
        """Send one request with the function key; the path comes after `/api/` and is sent as it is."""
        request = requests.Request(method, self.url, headers=headers, **parts)
        prepared = self.session.prepare_request(request)
        query = (prepared.url or "").partition("?")[2]
        prepared.url = f"{self.url}/api/{path}{'?' if query else ''}{query}"
        prepared.headers.setdefault("x-functions-key", FUNCTION_KEY)
        return self.session.send(prepared, timeout=20, allow_redirects=False)

    def click(
        self, card: Delivered, verb: str, *, actor: str | None = None, **parts: Any
    ) -> requests.Response:
        headers = {
            "X-Actor-Email": actor or card.recipient,
            "X-Action-Token": card.slots["action_token"],
            **parts.pop("headers", {}),
        }
        return self.call("POST", f"approvals/{card.slots['approval_id']}/{verb}", headers=headers, **parts)

    def raw(self, *pieces: bytes) -> bytes:
        """Send bytes over a socket and return all that comes back."""
        host, port = self.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as caller:
            try:
                for piece in pieces:
                    caller.sendall(piece)
                caller.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: caller.recv(65_536), b""))
            except (BrokenPipeError, ConnectionResetError):
                return b""  # it would not read to the end

    def messages(self) -> list[str]:
        """Return the messages that went to Moveworks, from the bytes."""
        sent = [each for each in self.moveworks.sent() if each.target.endswith("/messages/send")]
        return [json.loads(each.body)["message"] for each in sent]


@contextmanager
def surface(
    functions: Sequence[Function],
    world: World,
    settings: Mapping[str, str] | None = None,
    *,
    coupa_app: WSGIApplication | None = None,
    moveworks_app: WSGIApplication | None = None,
    function_key: str = FUNCTION_KEY,
    function_keys: Mapping[str, str] | None = None,
) -> Iterator[Surface]:
    """Serve the app while the block runs, with simulators of that world behind sockets.

    Args:
        functions: of the app.
        world: the services.
        settings: what differs from the tests' own; with `LEDGER_CONNECTION` the store is that one's.
        coupa_app: stands in front of Coupa, or in its place.
        moveworks_app: the same for Moveworks.
        function_key: the host's key.
        function_keys: keys of single functions.
    """
    world.moveworks.max_per_minute = None
    with (
        tapped(coupa_app or world.coupa.front) as coupa,
        tapped(moveworks_app or world.moveworks.front) as moveworks,
    ):
        given = {
            **SETTINGS,
            "COUPA_BASE_URL": coupa.url,
            "MOVEWORKS_BASE_URL": moveworks.url,
            "MOVEWORKS_MAX_PER_MINUTE": "10000",
            **(settings or {}),
        }
        store = None if "LEDGER_CONNECTION" in (settings or {}) else world.store
        parts = app.Overrides(world.clock, random.Random(1), store=store, workers=1)
        world.bridge = app.build(read_settings(given), parts)
        served_before = app._built[:]
        app._built[:] = [world.bridge]
        host = FunctionHost(functions, function_key=function_key, function_keys=function_keys)
        try:
            with served(host.wsgi) as url:
                yield Surface(url, world, coupa, moveworks)
        finally:
            app._built[:] = served_before  # of the surface around this one, which goes on
