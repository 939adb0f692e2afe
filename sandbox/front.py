"""The front of every simulator: a record of the traffic, latency, and faults on demand.

It does not know the meaning of the simulators. A fault is matched by method and path, in the order in which
the faults were added, and is removed after `times` uses.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, cast
from urllib.parse import unquote

from werkzeug.exceptions import ClientDisconnected, HTTPException
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from sandbox.clock import Clock, RealClock

StartResponse = Callable[..., Any]
Environ = dict[str, Any]

FaultKind = Literal["cut", "lose", "answer", "slow", "drip", "replace", "truncate"]

DRIPS = "sandbox.drips"
"""A list in the environment of a request; an answer that is sent in pieces adds to it."""

_PIECES = 50


class ConnectionCut(Exception):
    """The connection ended without an answer; says whether the caller saw a timeout instead."""

    def __init__(self, *, timed_out: bool = False) -> None:
        super().__init__("the simulator cut the connection")
        self.timed_out = timed_out


@dataclass
class Fault:
    """One fault, and how often it occurs.

    Attributes:
        kind: `cut` ends the connection before the request is handled; `lose` handles it and ends the
            connection without an answer; `answer` answers with `status`, `headers`, `body` and handles
            nothing; `slow` handles it and answers `seconds` later; `drip` handles it and sends the body in
            fifty pieces, each after a fiftieth of `seconds`; `replace` handles it and answers with
            `status`, `headers`, `body` instead; `truncate` handles it and sends half of the body.
        method: HTTP method, or `*` for any.
        path: regular expression searched for in the path.
        query: the same for the query, decoded.
        sent: the same for the body of the request.
        times: how many requests it affects; None means until cleared.
        skip: how many matching requests pass first.
    """

    kind: FaultKind
    method: str = "*"
    path: str = ""
    query: str = ""
    sent: str = ""
    times: int | None = 1
    skip: int = 0
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0

    def meets(self, method: str, path: str, query: str = "", sent: str = "") -> bool:
        """Tell whether the fault affects this request."""
        wanted = ((self.path, path), (self.query, query), (self.sent, sent))
        return self.method in ("*", method) and all(re.search(*each) for each in wanted)


@dataclass(frozen=True)
class Call:
    """One request as it arrived, and the status of its answer (0 when the connection was cut)."""

    method: str
    path: str
    query: str
    status: int
    at: datetime
    headers: dict[str, str]
    body: bytes


class Handler(Protocol):
    """A simulator: a request in, a response out."""

    def __call__(self, request: Request) -> Response:
        """Answer one request."""
        ...


class Front:
    """The WSGI application of a simulator: it records, delays, breaks, and calls the handler."""

    def __init__(self, handler: Handler, *, clock: Clock | None = None) -> None:
        self._handler = handler
        self.clock: Clock = clock or RealClock()
        self.is_dated = True
        """Whether answers have a date."""
        self.latency_s = 0.0
        """One way, in seconds: the wait of every request before it is handled and again before its answer."""
        self.calls: list[Call] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def fail(self, kind: FaultKind, **details: Any) -> Fault:
        """Add a fault, with the fields of `Fault` as keywords, and return it."""
        fault = Fault(kind, **details)
        with self._lock:
            self._faults.append(fault)
        return fault

    def heal(self) -> None:
        """Remove every fault."""
        with self._lock:
            self._faults.clear()

    def count(self, method: str = "*", path: str = "") -> int:
        """Return how many recorded requests have this method and match this path expression."""
        wanted = Fault("cut", method=method, path=path)
        return sum(wanted.meets(call.method, call.path) for call in self.calls)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, as WSGI."""
        request = Request(environ)
        try:
            body = request.get_data(cache=True)
        except ClientDisconnected as gone:
            raise ConnectionResetError from gone  # the server logs no caller that closed the connection
        fault = self._take(request, body) if self._faults else None
        status = 0
        try:
            response = self._answer(request, fault)
            status = response.status_code
        except ConnectionCut:
            connection = cast("socket.socket | None", environ.get("werkzeug.socket"))
            if connection is None:
                raise
            connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError from None  # to the server, the caller closed the connection
        finally:
            # The raw path shows the bytes of the request; the handler sees the decoded one.
            path = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or request.path).split("?")[0]
            call = Call(
                method=request.method,
                path=path,
                query=request.query_string.decode("latin-1"),
                status=status,
                at=self.clock.now(),
                headers=dict(request.headers),
                body=body,
            )
            with self._lock:
                self.calls.append(call)
        if self.is_dated:
            response.headers.setdefault("Date", http_date(self.clock.now()))
        return response(environ, start_response)

    def _take(self, request: Request, body: bytes) -> Fault | None:
        query, sent = unquote(request.query_string.decode("latin-1")), body.decode(errors="replace")
        with self._lock:
            for fault in self._faults:
                if not fault.meets(request.method, request.path, query, sent):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None

    def _answer(self, request: Request, fault: Fault | None) -> Response:
        timeout_s = cast("float | None", request.environ.get("sandbox.timeout_s"))
        waited_s = 2 * self.latency_s + (fault.seconds if fault else 0.0)
        if fault and fault.kind == "cut":
            raise ConnectionCut
        if fault and fault.kind == "answer":
            self._wait(waited_s, timeout_s)
            return Response(fault.body, status=fault.status, headers=fault.headers)
        self._wait(self.latency_s, timeout_s)
        try:
            response = self._handler(request)
        except HTTPException as refused:
            response = Response.force_type(refused.get_response(request.environ))
        if fault and fault.kind == "drip":
            request.environ.get(DRIPS, []).append(True)
            response.response = self._drips(response.get_data(), fault.seconds)
            return response
        self._wait(waited_s - self.latency_s, timeout_s)
        if fault and fault.kind == "lose":
            raise ConnectionCut
        if fault and fault.kind == "replace":
            return Response(fault.body, status=fault.status, headers=fault.headers)
        if fault and fault.kind == "truncate":
            whole = response.get_data()
            response.set_data(whole[: len(whole) // 2])
        return response

    def _drips(self, whole: bytes, seconds: float) -> Iterator[bytes]:
        size = max(1, -(-len(whole) // _PIECES))
        for start in range(0, len(whole), size):
            self.clock.sleep(seconds / _PIECES)
            yield whole[start : start + size]

    def _wait(self, seconds: float, timeout_s: float | None) -> None:
        """Let time pass; an in-process caller whose time-out is shorter gets a timeout."""
        if seconds <= 0:
            return
        if timeout_s is not None and seconds > timeout_s:
            self.clock.sleep(timeout_s)
            raise ConnectionCut(timed_out=True)
        self.clock.sleep(seconds)
