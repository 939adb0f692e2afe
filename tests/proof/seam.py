"""The one place that every outbound call passes, and where it can be made to fail.

It knows the steps by name and number only; a schedule chooses the step that fails, and the fault.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
from requests.adapters import BaseAdapter

from coupa_core.errors import Conflict, Unavailable, Unknown
from sandbox.clock import ManualClock

KILLS = ("kill_before", "kill_after")
GARBAGE = {
    "empty": ("", "application/json"),
    "html": ("<html><title>Maintenance</title></html>", "text/html"),
    "xml": ("<errors><error>No results</error></errors>", "application/xml"),
    "truncated": ('[{"id": 85001, "status": "pend', "application/json"),
    "wrong_type": ('{"approvals": 7}', "application/json"),
}
REFUSALS = ("429", "500", "502", "503", "504")
HTTP_MODES = ("refuse", "lose", "slow", *REFUSALS, *GARBAGE)
ODD_MODES = ("400", "403", "404", "429 120", "huge")
"""Further answers of a service: a number is a status, and a second one its `Retry-After`."""

HUGE = 17 * 1024 * 1024
STORE_MODES = ("refuse", "lose", "conflict")


class Killed(BaseException):
    """The process ended here."""


@dataclass
class Seam:
    """Counts steps and asks the schedule what happens at each.

    Attributes:
        decide: given the step's number and name, returns a mode or None.
        pause: called before each step, so that a scheduler can let somebody else run.
    """

    decide: Callable[[int, str], str | None] = lambda number, name: None
    pause: Callable[[str], None] = lambda name: None
    steps: list[str] = field(default_factory=list)
    faults: int = 0

    def enter(self, name: str) -> str | None:
        """Register a step and return how it fails, or None."""
        self.pause(name)
        self.steps.append(name)
        mode = self.decide(len(self.steps) - 1, name)
        self.faults += mode is not None
        return mode


def modes_of(name: str) -> tuple[str, ...]:
    """Return the ways in which a step can fail, by its name."""
    return (*KILLS, *(STORE_MODES if name.startswith("store") else HTTP_MODES))


class Door(BaseAdapter):
    """A `requests` transport that passes the seam, and then the one inside."""

    def __init__(self, name: str, inside: BaseAdapter, seam: Seam, clock: ManualClock) -> None:
        super().__init__()
        self._name = name
        self._inside = inside
        self._seam = seam
        self._clock = clock

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        path = request.path_url.partition("?")[0]
        mode = self._seam.enter(f"{self._name} {request.method} {path}")
        if mode is None:
            return self._inside.send(request, *args, **options)
        if mode == "kill_before":
            raise Killed
        if mode == "refuse":
            raise requests.ConnectTimeout("refused by the seam", request=request)
        if mode == "hang":
            self._out_of_patience(options)
            raise requests.ReadTimeout("nothing came", request=request)
        if mode.partition(" ")[0].isdigit():
            status, _, wait_s = mode.partition(" ")
            reply = _reply(request, int(status), "<html><title>Sorry</title></html>", "text/html")
            reply.headers.update({"Retry-After": wait_s} if wait_s else {})
            return reply
        self._inside.send(request, *args, **options)
        if mode == "kill_after":
            raise Killed
        if mode == "lose":
            raise requests.ConnectionError("lost by the seam", request=request)
        if mode == "slow":
            self._out_of_patience(options)
            raise requests.ReadTimeout("too slow", request=request)
        if mode == "huge":
            return _reply(request, 200, f"[{' ' * HUGE}]", "application/json")
        return _reply(request, 200, *GARBAGE[mode])

    def close(self) -> None:
        """Nothing is held open."""

    def _out_of_patience(self, options: dict[str, Any]) -> None:
        timeout = options.get("timeout")
        self._clock.advance(float(timeout[1] if isinstance(timeout, tuple) else timeout or 0))


def _reply(request: requests.PreparedRequest, status: int, body: str, kind: str) -> requests.Response:
    reply = requests.Response()
    reply.status_code = status
    reply.headers.update({"Content-Type": kind})
    reply.raw = io.BytesIO(body.encode())
    reply.url, reply.request = request.url or "", request
    return reply


class SeamStore:
    """A store of any kind whose calls pass the seam, and then the one inside.

    Args:
        inside: a store.
        seam: what is passed.
        step: how a call's name begins as a step.
        code: how the codes of its errors begin.
        writes: the methods that know a conflict.
        committed: is told what was written by `insert` and `replace`.
        late: keeps the writes that arrive when their writer has given up.
    """

    def __init__(
        self,
        inside: object,
        seam: Seam,
        *,
        step: str = "",
        code: str,
        writes: Collection[str],
        committed: Callable[[Any], object] = lambda entry: None,
        late: list[Callable[[], object]] | None = None,
    ) -> None:
        self._inside, self._seam = inside, seam
        self._step, self._code, self._writes = step, code, writes
        self._committed, self._late = committed, late

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a method of the one inside that passes the seam first."""
        return partial(self.through, method)

    def through(self, method: str, *args: Any, **more: Any) -> Any:
        """Pass the seam, and do what was asked, unless the schedule says otherwise."""
        mode, is_write = self._seam.enter(f"{self._step}{method}"), method in self._writes
        if mode == "kill_before":
            raise Killed
        if mode == "refuse" or (mode in ("conflict", "late") and not is_write):
            raise Unavailable(f"{self._code}_503", "refused by the seam")
        if mode == "hang":
            raise Unknown(f"{self._code}_timeout", "nothing came")
        work = partial(getattr(self._inside, method), *args, **more)
        if mode == "late" and self._late is not None:
            self._late.append(work)
            raise Unknown(f"{self._code}_lost", "under way")
        done = work()
        if method in ("insert", "replace"):
            self._committed(args[0])
        if mode == "kill_after":
            raise Killed
        if mode == "lose":
            raise Unknown(f"{self._code}_lost", "lost by the seam")
        if mode == "conflict":
            # The SDK repeats a write after a lost answer, and gets a conflict with its own.
            raise Conflict(f"{self._code}_conflict", "exists already")
        return done


Choice = Mapping[int, str]


def at(choices: Choice) -> Callable[[int, str], str | None]:
    """Return a schedule that fails the steps with these numbers."""
    return lambda number, _: choices.get(number)
