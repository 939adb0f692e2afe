"""One request, byte for byte, and its answer; also requests that no client would send."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

TIMEOUT_S = 60.0
"""For each wait."""

CLOSING_S = 3.0
"""How long a connection that is to be closed may still be open."""


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: 0 where nothing came.
        headers: names in lower case; of a repeated one, all values.
        error: why nothing came.
        is_closed: the other side closed the connection soon after.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: str = ""
    is_closed: bool = False

    def header(self, name: str) -> str | None:
        """Return a header's value, several joined by commas; None where it is absent."""
        values = [value for each, value in self.headers if each == name.lower()]
        return ", ".join(values) if values else None


def host_of(url: str) -> str:
    """Return the value of the header Host for this address."""
    return urlsplit(url).netloc


def exchange(
    url: str, pieces: Iterable[bytes], *, method: str = "GET", timeout_s: float = TIMEOUT_S
) -> Answer:
    """Send bytes and read one answer; a connection that breaks before is an answer of status 0.

    Args:
        url: of the host: scheme, name and port.
        pieces: of the request; an answer that comes before the last one ends the sending.
        method: of the request, since an answer to HEAD has no body.
        timeout_s: for each wait.
    """
    try:
        with _connected(url, timeout_s) as connection:
            _send(connection, pieces)
            return _read(connection, method)
    except (OSError, HTTPException) as error:
        return Answer(0, error=f"{type(error).__name__}: {error}")


def _connected(url: str, timeout_s: float) -> socket.socket:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    connection = socket.create_connection((parts.hostname or "", port), timeout_s)
    if parts.scheme == "https":
        return ssl.create_default_context().wrap_socket(connection, server_hostname=parts.hostname)
    return connection


def _send(connection: socket.socket, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        if select.select([connection], [], [], 0)[0]:
            return
        try:
            connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return  # what the other side had to say may be there all the same


def _read(connection: socket.socket, method: str) -> Answer:
    response = HTTPResponse(connection, method=method)
    response.begin()
    headers = tuple((name.lower(), value) for name, value in response.getheaders())
    body = response.read()
    wants_close = response.getheader("Connection", "").lower() == "close"
    return Answer(response.status, headers, body, is_closed=wants_close and _is_closed(connection))


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(CLOSING_S)
    end_s = time.monotonic() + CLOSING_S
    try:
        while time.monotonic() < end_s:
            if not connection.recv(65_536):
                return True
    except TimeoutError:
        return False
    except OSError:
        return True  # reset: closed, too
    return False
