"""The one place that every outbound call passes, and where it can be made to fail.

It knows the steps by name and number only; which step fails, and how, is for a schedule to say.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import requests
from requests.adapters import BaseAdapter

from coupa_core.errors import Conflict, Unavailable, Unknown
from coupa_core.ledger import NOTHING_KNOWN, Corrupt, Entry, LedgerStore, Note, Opened, Status
from sandbox.clock import ManualClock

R = TypeVar("R")

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
"""Further answers of a neighbour: a number is a status, and a second one its `Retry-After`."""

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
        """Send, or fail as the schedule says."""
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
    """A ledger store that passes the seam, and then the one inside."""

    def __init__(self, inside: LedgerStore, seam: Seam, committed: Callable[[Entry], None]) -> None:
        self._inside = inside
        self._seam = seam
        self._committed = committed

    def _pass(self, name: str, work: Callable[[], R], *, writes: bool = False) -> R:
        mode = self._seam.enter(f"store {name}")
        if mode == "kill_before":
            raise Killed
        if mode == "refuse" or (mode == "conflict" and not writes):
            raise Unavailable("ledger_503", "refused by the seam")
        if mode == "hang":
            raise Unknown("ledger_timeout", "nothing came")
        done = work()
        if mode == "kill_after":
            raise Killed
        if mode == "lose":
            raise Unknown("ledger_lost", "lost by the seam")
        if mode == "conflict":
            # The SDK repeats an insert after a lost answer, and gets a conflict with its own write.
            raise Conflict("ledger_conflict", "exists already")
        return done

    def _write(self, entry: Entry, work: Callable[[Entry], str]) -> str:
        etag = work(entry)
        self._committed(entry)
        return etag

    def open_entries(self, since: str = "", known: Mapping[int, Entry] = NOTHING_KNOWN) -> Opened:
        """Pass."""
        return self._pass("open_entries", lambda: self._inside.open_entries(since, known))

    def read(self, approval_id: int) -> Entry | None:
        """Pass."""
        return self._pass("read", lambda: self._inside.read(approval_id))

    def read_closed(self, approval_id: int) -> Entry | None:
        """Pass."""
        return self._pass("read_closed", lambda: self._inside.read_closed(approval_id))

    def closed_entries(self, *, since: datetime, until: datetime) -> list[Entry]:
        """Pass."""
        return self._pass("closed_entries", lambda: self._inside.closed_entries(since=since, until=until))

    def decided_entries(self, *, by: str, since: datetime) -> list[Entry]:
        """Pass."""
        return self._pass("decided_entries", lambda: self._inside.decided_entries(by=by, since=since))

    def insert(self, entry: Entry) -> str:
        """Pass."""
        return self._pass("insert", lambda: self._write(entry, self._inside.insert), writes=True)

    def replace(self, entry: Entry) -> str:
        """Pass."""
        return self._pass("replace", lambda: self._write(entry, self._inside.replace), writes=True)

    def archive(self, entry: Entry) -> None:
        """Pass."""
        self._pass("archive", lambda: self._inside.archive(entry), writes=True)

    def set_aside(self, corrupt: Corrupt) -> None:
        """Pass."""
        self._pass("set_aside", lambda: self._inside.set_aside(corrupt))

    def purge_closed(self, before: datetime) -> int:
        """Pass."""
        return self._pass("purge_closed", lambda: self._inside.purge_closed(before))

    def status(self) -> Status:
        """Pass."""
        return self._pass("status", self._inside.status)

    def save_status(self, status: Status) -> None:
        """Pass."""
        self._pass("save_status", lambda: self._inside.save_status(status))

    def note(self, name: str) -> Note:
        """Pass."""
        return self._pass("note", lambda: self._inside.note(name))

    def save_note(self, name: str, note: Note) -> str:
        """Pass."""
        return self._pass("save_note", lambda: self._inside.save_note(name, note), writes=True)


Choice = Mapping[int, str]


def at(choices: Choice) -> Callable[[int, str], str | None]:
    """Return a schedule that fails the steps with these numbers."""
    return lambda number, _: choices.get(number)
