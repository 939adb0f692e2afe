"""The messages between the host and its worker, and the connection that carries them.

Azure's host and its worker use gRPC; here it is a pair of sockets that carry pickled messages.
No other process can write to it.
"""

from __future__ import annotations

import contextlib
import pickle
import socket
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LENGTH = struct.Struct("!Q")


@dataclass(frozen=True)
class FunctionInfo:
    """The host's description of a function.

    Attributes:
        name: of the function.
        trigger: the trigger's binding: `type`, and depending on the type `route`, `methods`, `authLevel`
            (texts in upper case as the decorators have them) or `schedule`.
    """

    name: str
    trigger: dict[str, Any]


@dataclass(frozen=True)
class Load:
    """The app that the worker should load.

    Attributes:
        app_dir: folder of function_app.py.
        environ: the environment of the host, including the settings that it loaded.
        ahead_s: how many seconds the app's time is ahead; None where it cannot be moved.
    """

    app_dir: Path
    environ: dict[str, str]
    ahead_s: float | None = None


@dataclass(frozen=True)
class Loaded:
    """The worker has imported the app."""

    functions: list[FunctionInfo]


@dataclass(frozen=True)
class NotLoaded:
    """The worker could not import the app; the cause in one line."""

    cause: str


@dataclass(frozen=True)
class HttpCall:
    """A request for a function; values of repeated `headers` and `params` are joined by commas."""

    invocation_id: str
    function: str
    method: str
    url: str
    headers: dict[str, str]
    params: dict[str, str]
    route_params: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class TimerCall:
    """A run of a timer function."""

    invocation_id: str
    function: str
    past_due: bool


@dataclass(frozen=True)
class Answer:
    """The answer of a function or of the host.

    Attributes:
        status: HTTP status; 500 where a function failed.
        headers: as sent.
        body: the body of the answer.
        of_function: a function made the answer; the server then sends it in chunks, as Azure's does.
        is_last: the connection closes after it.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    of_function: bool = False
    is_last: bool = False


@dataclass(frozen=True)
class Done:
    """The answer to a call."""

    invocation_id: str
    answer: Answer


@dataclass(frozen=True)
class Ahead:
    """The number of seconds that the app's time should be ahead of the machine's."""

    seconds: float


Call = HttpCall | TimerCall
Message = Load | Loaded | NotLoaded | HttpCall | TimerCall | Done | Ahead


class Channel:
    """One end of the connection; any thread may send, one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._file = end.makefile("rb")
        self._turn = threading.Lock()

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            OSError: the other end is gone.
        """
        data = pickle.dumps(message)
        with self._turn:
            self._end.sendall(_LENGTH.pack(len(data)))
            self._end.sendall(data)

    def receive(self) -> Message | None:
        """Return the next message of the other end; None when it is gone."""
        try:
            head = self._file.read(_LENGTH.size)
            if len(head) < _LENGTH.size:
                return None
            [length] = _LENGTH.unpack(head)
            data = self._file.read(length)
        except OSError:
            return None
        if len(data) < length:
            return None
        message: Message = pickle.loads(data)
        return message

    def close(self) -> None:
        """Close this end: the other end receives nothing more."""
        with contextlib.suppress(OSError):  # the other end closed first
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()
