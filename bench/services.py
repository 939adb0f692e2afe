"""Coupa and Moveworks in a process of their own, so that they do not slow down the measured process."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import parse_qsl

from bench.callers import Card
from bench.tempo import Tempo
from sandbox.clock import Clock, RealClock
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import Line, World
from sandbox.moveworks import MoveworksSimulator
from sandbox.patience import at_most
from sandbox.serving import served

CLIENT_ID, CLIENT_SECRET, API_KEY = "client", "secret", "api-key"
EVENT_ID = "5d4a2f6e-0000-4000-8000-000000000001"

ENDING_S = 10.0

PEOPLE = 500
"""The approvers, where too many approvals wait for one person."""


def fill(world: World, approvals: int) -> list[int]:
    """Add this many requisitions for many approvers; return the approvals' ids, the same ones each time."""
    requester = world.add_user(email="alex@example.com", firstname="Alex", lastname="Reed")
    people = [
        world.add_user(email=f"person{number}@example.com", firstname=f"P{number}", lastname="Fox")
        for number in range(min(PEOPLE, approvals))
    ]
    for number in range(approvals):
        world.add_requisition(
            requested_by=requester,
            justification="Because we need it.",
            lines=[Line("Laptop", quantity="2", unit_price="900.00", supplier="ACME")] * 3,
            approvers=[people[number % len(people)]],
        )
    return [*world.approvals.ids]


def is_list(path: str, query: str) -> bool:
    """Tell whether a call reads the list of all pending approvals, or a part of it.

    >>> is_list("/api/approvals", "status=pending_approval&id%5Blt%5D=7"), is_list("/api/approvals", "id=7")
    (True, False)
    """
    asked = {name.replace("-", "_") for name, _ in parse_qsl(query)}
    narrow = {"id", "id[in]", "updated_at[gt_or_eq]", "updated_at[gt]", "approvable_id[in]"}
    return path == "/api/approvals" and "status" in asked and not asked & narrow


@dataclass
class Services:
    """The services, as the measuring process sees them."""

    coupa_url: str
    moveworks_url: str
    _pipe: Connection

    def enter(self, approvals: int) -> None:
        """Add this many requisitions for one approver, entered and last edited a day ago."""
        self._ask("enter", approvals)

    def be_slow(self, latency_s: float) -> None:
        """Set the latency each way, in seconds."""
        self._ask("be_slow", latency_s)

    def fill(self, approvals: int, at: datetime) -> list[int]:
        """Add this many requisitions for many approvers, entered and edited at one time; return the ids."""
        ids: list[int] = self._ask("fill", approvals, at)
        return ids

    def add(self) -> int:
        """Add one more, entered now; return the approval's id."""
        number: int = self._ask("add")
        return number

    def remove(self, approvals: list[int]) -> None:
        """Let approvals vanish without a trace."""
        self._ask("remove", approvals)

    def told(self) -> list[int]:
        """Return the approvals of the accepted messages, in order, each as often as it was accepted."""
        ids: list[int] = self._ask("told")
        return ids

    def cards(self) -> list[Card]:
        """Return the slots of the accepted messages, in order."""
        cards: list[Card] = self._ask("cards")
        return cards

    def jump(self, ahead_s: float) -> None:
        """Move the fast time forward."""
        self._ask("jump", ahead_s)

    def allow(self, per_second: int) -> None:
        """Let Coupa refuse requests beyond this number in a second."""
        self._ask("allow", per_second)

    def count_anew(self) -> None:
        """Forget the calls so far."""
        self._ask("count_anew")

    def answered(self) -> list[tuple[float, int]]:
        """Return the time, in seconds, and the status of each answer of Coupa's API."""
        answered: list[tuple[float, int]] = self._ask("answered")
        return answered

    def listed(self) -> int:
        """Return the number of calls that asked for pending approvals, without ids and without a time."""
        number: int = self._ask("listed")
        return number

    def decided(self) -> int:
        """Return the number of decisions that Coupa has applied."""
        return len(self.decided_ids())

    def decided_ids(self) -> list[int]:
        """Return the approvals of the decisions that Coupa has applied, in order, each as often as it did."""
        ids: list[int] = self._ask("decided_ids")
        return ids

    def calls(self) -> tuple[int, int, int]:
        """Return the calls to Coupa's API, for its token, and the notices at Moveworks."""
        api, token, sends = self._ask("calls")
        return api, token, sends

    def _ask(self, name: str, *arguments: Any) -> Any:
        self._pipe.send((name, *arguments))
        return self._pipe.recv()


class _Hosts:
    """The time of the simulators, or another one while a document is entered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.entered_at: datetime | None = None
        self.monotonic = clock.monotonic
        self.sleep = clock.sleep

    def now(self) -> datetime:
        return self.entered_at or self._clock.now()


class _Hosted:
    """The simulators, and the questions that the pipe allows."""

    def __init__(self, tempo: Tempo | None) -> None:
        self._tempo = tempo
        self._clock = _Hosts(tempo or RealClock())
        self.coupa = CoupaSimulator(clock=self._clock, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        self.moveworks = MoveworksSimulator(clock=self._clock, api_key=API_KEY, event_id=EVENT_ID)
        self.moveworks.max_per_minute = None
        world = self.coupa.world
        self._approver = world.add_user(email="jamie@example.com", firstname="Jamie", lastname="Fox")
        self._requester = world.add_user(email="sam@example.com", firstname="Sam", lastname="Stinson")

    def fill(self, approvals: int, at: datetime) -> list[int]:
        self._clock.entered_at = at
        ids = fill(self.coupa.world, approvals)
        self._clock.entered_at = None
        return ids

    def add(self) -> int:
        self._enter()
        return self.coupa.world.approvals.ids[-1]

    def remove(self, approvals: list[int]) -> None:
        world = self.coupa.world
        with world.lock:
            for each in approvals:
                world.approval(each).document.status = "withdrawn"
                world.approvals.drop(each)

    def told(self) -> list[int]:
        return [int(each.slots["approval_id"]) for each in self.moveworks.delivered]

    def cards(self) -> list[Card]:
        return [
            Card(each.recipient, int(each.slots["approval_id"]), each.slots["action_token"])
            for each in self.moveworks.delivered
        ]

    def jump(self, ahead_s: float) -> None:
        assert self._tempo
        self._tempo.ahead_s = ahead_s

    def enter(self, approvals: int) -> None:
        self._clock.entered_at = datetime.now(UTC) - timedelta(days=1)
        for _ in range(approvals):
            self._enter()
        self._clock.entered_at = None

    def _enter(self) -> None:
        self.coupa.world.add_requisition(
            requested_by=self._requester,
            justification="Because we need it.",
            lines=[Line("Laptop", quantity="2", unit_price="900.00", supplier="ACME")] * 3,
            approvers=[self._approver],
        )

    def be_slow(self, latency_s: float) -> None:
        self.coupa.front.latency_s = self.moveworks.front.latency_s = latency_s

    def allow(self, per_second: int) -> None:
        self.coupa.max_per_second = per_second

    def answered(self) -> list[tuple[float, int]]:
        calls = [call for call in self.coupa.front.calls if call.path.startswith("/api/")]
        return sorted((call.at.timestamp(), call.status) for call in calls)

    def listed(self) -> int:
        return sum(is_list(call.path, call.query) for call in self.coupa.front.calls)

    def decided_ids(self) -> list[int]:
        return [each.approval_id for each in self.coupa.decisions]

    def count_anew(self) -> None:
        self.coupa.front.calls.clear()
        self.moveworks.front.calls.clear()

    def calls(self) -> tuple[int, int, int]:
        coupa, moveworks = self.coupa.front, self.moveworks.front
        return coupa.count(path="^/api/"), coupa.count(path="^/oauth2/"), moveworks.count("POST")


def _host(pipe: Connection, tempo: Tempo | None) -> None:
    hosted = _Hosted(tempo)
    with served(hosted.coupa.front) as coupa_url, served(hosted.moveworks.front) as moveworks_url:
        pipe.send((coupa_url, moveworks_url))
        with contextlib.suppress(EOFError):  # the measuring process is gone
            while True:
                name, *arguments = pipe.recv()
                pipe.send(getattr(hosted, name)(*arguments))


@contextlib.contextmanager
def services(tempo: Tempo | None = None) -> Iterator[Services]:
    """Run them while the block runs, in the machine's time or in a faster one."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_host, args=(there, tempo), daemon=True)
    process.start()
    there.close()  # so that the end of the process ends a wait for its answer
    try:
        coupa_url, moveworks_url = here.recv()
        yield Services(coupa_url, moveworks_url, here)
    finally:
        process.terminate()
        with at_most(ENDING_S, process.kill):
            process.join()
