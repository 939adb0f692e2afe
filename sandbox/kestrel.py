"""The host's server: it reads HTTP/1.1 as Kestrel does, with Kestrel's limits.

Its refusals were observed on Azure's host. Source of the names:
https://learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/options, read 2026-11.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from io import BufferedReader

from sandbox.calls import Answer
from sandbox.requested import MAX_BODY, BadRequest, Requested, TooLarge, without_dots

MAX_REQUEST_LINE = 8_192
MAX_HEADERS_BYTES = 32_768
MAX_HEADERS = 100
IDLE_S = 130.0
"""How long an unused connection stays open, in seconds."""
_LINGER_S = 5.0
_PIECE = 65_536
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DATE = "%a, %d %b %Y %H:%M:%S GMT"


class Kestrel:
    """A server on a listening socket; each connection has a thread.

    Args:
        listening: the socket.
        answer: answers a request; an exception in it gives 500.
    """

    def __init__(self, listening: socket.socket, answer: Callable[[Requested], Answer]) -> None:
        self._listening = listening
        self._answer = answer
        self._lock = threading.Lock()
        self._busy = 0

    @property
    def busy(self) -> int:
        """Return the number of requests that have begun to arrive and have no answer yet."""
        return self._busy

    def start(self) -> None:
        """Serve in threads of its own, which end with the process."""
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # the socket is closed
            threading.Thread(target=self._serve, args=[connection], name="connection", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(IDLE_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.makefile("rb") as file:
                while file.peek(1):
                    with self._lock:
                        self._busy += 1
                    try:
                        is_open = self._serve_one(connection, file)
                    finally:
                        with self._lock:
                            self._busy -= 1
                    if not is_open:
                        _linger(connection)
                        return

    def _serve_one(self, connection: socket.socket, file: BufferedReader) -> bool:
        """Answer one request; returns whether the connection may have another."""
        try:
            line = read_line(file)
            headers = read_headers(file)
            body = Body(line, headers, connection, file)
            request = line.requested(headers, body)
        except BadRequest as error:
            connection.sendall(written(Answer(error.status, is_last=True)))
            return False
        try:
            answer = self._answer(request)
        except Exception:  # noqa: BLE001 - a fault of this server must not look like a lost connection
            answer = Answer(500, is_last=True)
        is_last = answer.is_last or not line.keeps_alive(headers) or not body.is_skipped()
        connection.sendall(
            written(answer, is_last=is_last, is_new=line.is_new, has_body=request.method != "HEAD")
        )
        return not is_last


class Line:
    """The first line of a request."""

    def __init__(self, method: str, target: str, version: str) -> None:
        self.method = method
        self.is_new = version == "HTTP/1.1"
        if version not in {"HTTP/1.0", "HTTP/1.1"}:
            raise BadRequest(505 if re.fullmatch(r"HTTP/\d\.\d", version) else 400)
        if not _TOKEN.fullmatch(method) or not target.isascii():
            raise BadRequest
        absolute = re.fullmatch(r"https?://[^/?#]+(.*)", target, re.IGNORECASE)
        target = (absolute[1] or "/") if absolute else target
        path, _, query = target.partition("?")
        if not path.startswith("/") or "%00" in path or "\0" in path:
            raise BadRequest
        self.path, self.query = without_dots(path), query

    def requested(self, headers: list[tuple[str, str]], body: Body) -> Requested:
        """Return the request that begins with this line.

        Raises:
            BadRequest: it does not have exactly one host.
        """
        hosts = [value for name, value in headers if name.lower() == "host"]
        if len(hosts) > 1 or (self.is_new and not hosts):
            raise BadRequest
        return Requested(self.method, self.path, self.query, headers, body.read)

    def keeps_alive(self, headers: list[tuple[str, str]]) -> bool:
        """Tell whether the caller wants to keep the connection."""
        said = ",".join(value for name, value in headers if name.lower() == "connection").lower()
        return "close" not in said if self.is_new else "keep-alive" in said


def read_line(file: BufferedReader) -> Line:
    """Read the first line.

    Raises:
        BadRequest: 414 it is too long; 400 it is invalid; 505 another version of HTTP.
    """
    line = file.readline(MAX_REQUEST_LINE)
    while line == b"\r\n":
        line = file.readline(MAX_REQUEST_LINE)
    if not line.endswith(b"\n"):
        raise BadRequest(414 if len(line) == MAX_REQUEST_LINE else 400)
    parts = line.decode("latin-1").rstrip("\r\n").split(" ")
    if len(parts) != 3:
        raise BadRequest
    return Line(*parts)


def read_headers(file: BufferedReader) -> list[tuple[str, str]]:
    """Read the headers, in their order.

    Raises:
        BadRequest: 431 they are too many or too long; 400 one is invalid.
    """
    headers: list[tuple[str, str]] = []
    left = MAX_HEADERS_BYTES + len(b"\r\n")  # the empty line that ends them does not count
    while True:
        line = file.readline(left + 1)
        left -= len(line)
        if left < 0:
            raise BadRequest(431)
        if line in {b"\r\n", b"\n"}:
            return headers
        if len(headers) == MAX_HEADERS:
            raise BadRequest(431)
        name, colon, value = line.decode("latin-1").rstrip("\r\n").partition(":")
        value = value.strip(" \t")
        if not line.endswith(b"\n") or not colon or not _TOKEN.fullmatch(name) or not _is_text(value):
            raise BadRequest
        headers.append((name, value))


def _is_text(value: str) -> bool:
    return value.isascii() and not any(each in value for each in "\0\r")


class Body:
    """The body of a request, which is read on demand.

    Raises:
        BadRequest: its length is missing or wrong.
    """

    def __init__(
        self, line: Line, headers: list[tuple[str, str]], connection: socket.socket, file: BufferedReader
    ) -> None:
        said = {name.lower(): value for name, value in headers}
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        coding = said.get("transfer-encoding")
        self._connection, self._file = connection, file
        self._is_chunked = coding is not None
        if coding is not None and coding.lower().rpartition(",")[2].strip() != "chunked":
            raise BadRequest
        if len(lengths) > 1 or (lengths and not re.fullmatch("[0-9]+", lengths[0])):
            raise BadRequest
        self._left = int(lengths[0]) if lengths and not self._is_chunked else 0
        self._is_read = not self._left and not self._is_chunked
        self._wants_sign = line.is_new and said.get("expect", "").lower() == "100-continue"

    def read(self) -> bytes:
        """Read all; a function sees nothing of a body in chunks, as in the observed version.

        Raises:
            BadRequest: it does not arrive completely.
            TooLarge: it is longer than `MAX_BODY`.
        """
        if self._is_read:
            return b""
        if self._left > MAX_BODY:
            raise TooLarge
        self._is_read = True
        if self._wants_sign:
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._is_chunked:
            self._read_chunks()
            return b""
        try:
            data = self._file.read(self._left)
        except TimeoutError as error:
            raise BadRequest(408) from error
        if len(data) < self._left:
            raise BadRequest
        return data

    def _read_chunks(self) -> None:
        total = 0
        while True:
            size, _, _ = self._file.readline(MAX_REQUEST_LINE).partition(b";")
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size.strip()):
                raise BadRequest
            length = int(size, 16)
            total += length
            if total > MAX_BODY:
                self._is_read = False
                raise TooLarge
            if not length:
                break
            if len(self._file.read(length)) < length or self._file.readline(3) != b"\r\n":
                raise BadRequest
        read_headers(self._file)

    def is_skipped(self) -> bool:
        """Skip the unread rest; False when it is too long, or does not arrive."""
        if self._is_read:
            return True
        if self._wants_sign or self._is_chunked or self._left > _PIECE:
            return False
        try:
            return len(self._file.read(self._left)) == self._left
        except OSError:
            return False


def written(answer: Answer, *, is_last: bool = True, is_new: bool = False, has_body: bool = True) -> bytes:
    """Return the bytes of an answer; a function's answer goes in chunks to callers that know chunks."""
    names = {name.lower() for name, _ in answer.headers}
    is_bare = answer.status in {204, 304} or answer.status < 200
    in_chunks = answer.of_function and is_new and not is_bare and "content-length" not in names
    head = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    head += [f"{name}: {value}" for name, value in answer.headers]
    if in_chunks:
        head.append("Transfer-Encoding: chunked")
    elif "content-length" not in names and not is_bare:
        head.append(f"Content-Length: {len(answer.body)}")
    head += ["Connection: close"] * is_last
    head += [f"Date: {time.strftime(_DATE, time.gmtime())}", "Server: Kestrel", "", ""]
    body = answer.body if has_body and not is_bare else b""
    if in_chunks and has_body:
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    return "\r\n".join(head).encode("latin-1") + body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _linger(connection: socket.socket) -> None:
    """Read what the caller still sends: a connection that is closed too early loses the answer, too."""
    end = time.monotonic() + _LINGER_S
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(_LINGER_S)
    while connection.recv(_PIECE) and time.monotonic() < end:
        pass
