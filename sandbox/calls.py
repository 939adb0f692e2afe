"""What the host and its worker say to each other, and the line they say it on.

Between Azure's host and its worker this is gRPC; here it is a pair of sockets that carry pickled messages.
Nobody else can write to it.
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
    """What the host knows of a function.

    Attributes:
        name: of the function.
        trigger: the trigger's binding: `type`, and as the type has them `route`, `methods`, `authLevel`
            (texts in upper case as the decorators have them) or `schedule`.
    """

    name: str
    trigger: dict[str, Any]


@dataclass(frozen=True)
class Load:
    """What the worker is to load.

    Attributes:
        app_dir: folder of function_app.py.
        environ: the environment of the host, which has taken settings into it.
        ahead_s: by how many seconds the app's time is ahead; None where it cannot be moved.
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
    """A request for a function; `headers` and `params` are joined by commas where they came twice."""

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
    """What a function or the host answers.

    Attributes:
        status: HTTP status; 500 where a function failed.
        headers: as they are sent.
        body: of the answer.
        of_function: a function made it; the server sends it in chunks then, as Azure's does.
        is_last: the connection is closed after it.
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
    """By how many seconds the app's time is to be ahead of the machine's."""

    seconds: float


Call = HttpCall | TimerCall
Message = Load | Loaded | NotLoaded | HttpCall | TimerCall | Done | Ahead


class Channel:
    """One end of the line; any thread may send, one receives."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._file = end.makefile("rb")
        self._turn = threading.Lock()

    def send(self, message: Message) -> None:
        """Say something.

        Raises:
            OSError: the other end is gone.
        """
        data = pickle.dumps(message)
        with self._turn:
            self._end.sendall(_LENGTH.pack(len(data)))
            self._end.sendall(data)

    def receive(self) -> Message | None:
        """Return what the other end said next; None when it is gone."""
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
        """Hang up: the other end receives nothing more."""
        with contextlib.suppress(OSError):  # it hung up first
            self._end.shutdown(socket.SHUT_RDWR)
        self._end.close()
