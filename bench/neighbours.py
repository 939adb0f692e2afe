"""Coupa and Moveworks in a process of their own, so that they do not slow down what is measured."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from sandbox.clock import RealClock
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import Line
from sandbox.moveworks import MoveworksSimulator
from sandbox.serving import served

CLIENT_ID, CLIENT_SECRET, API_KEY = "client", "secret", "api-key"
EVENT_ID = "5d4a2f6e-0000-4000-8000-000000000001"


@dataclass
class Neighbours:
    """The neighbours, as the measuring process sees them."""

    coupa_url: str
    moveworks_url: str
    _pipe: Connection

    def enter(self, approvals: int) -> None:
        """Let so many requisitions wait for somebody, entered and last edited a day ago."""
        self._ask("enter", approvals)

    def be_slow(self, latency_s: float) -> None:
        """Answer so many seconds later, each way."""
        self._ask("be_slow", latency_s)

    def allow(self, per_second: int) -> None:
        """Let Coupa refuse what goes beyond so many requests in a second."""
        self._ask("allow", per_second)

    def count_anew(self) -> None:
        """Forget the calls so far."""
        self._ask("count_anew")

    def answered(self) -> list[tuple[float, int]]:
        """Return when Coupa's API answered each call, in seconds, and with which status."""
        answered: list[tuple[float, int]] = self._ask("answered")
        return answered

    def decided(self) -> int:
        """Return how many decisions Coupa has applied."""
        number: int = self._ask("decided")
        return number

    def calls(self) -> tuple[int, int, int]:
        """Return the calls to Coupa's API, for its token, and the notices at Moveworks."""
        api, token, sends = self._ask("calls")
        return api, token, sends

    def _ask(self, name: str, *arguments: Any) -> Any:
        self._pipe.send((name, *arguments))
        return self._pipe.recv()


class _DayOld(RealClock):
    """The time, or a day before it."""

    is_old = False

    def now(self) -> datetime:
        return super().now() - timedelta(days=1 if self.is_old else 0)


class _Hosted:
    """The simulators, and what may be asked of them over the pipe."""

    def __init__(self) -> None:
        self._clock = _DayOld()
        self.coupa = CoupaSimulator(clock=self._clock, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        self.moveworks = MoveworksSimulator(api_key=API_KEY, event_id=EVENT_ID)
        self.moveworks.max_per_minute = None
        world = self.coupa.world
        self._approver = world.add_user(email="jamie@example.com", firstname="Jamie", lastname="Fox")
        self._requester = world.add_user(email="sam@example.com", firstname="Sam", lastname="Stinson")

    def enter(self, approvals: int) -> None:
        self._clock.is_old = True
        for _ in range(approvals):
            self.coupa.world.add_requisition(
                requested_by=self._requester,
                justification="Because we need it.",
                lines=[Line("Laptop", quantity="2", unit_price="900.00", supplier="ACME")] * 3,
                approvers=[self._approver],
            )
        self._clock.is_old = False

    def be_slow(self, latency_s: float) -> None:
        self.coupa.front.latency_s = self.moveworks.front.latency_s = latency_s

    def allow(self, per_second: int) -> None:
        self.coupa.max_per_second = per_second

    def answered(self) -> list[tuple[float, int]]:
        calls = [call for call in self.coupa.front.calls if call.path.startswith("/api/")]
        return sorted((call.at.timestamp(), call.status) for call in calls)

    def decided(self) -> int:
        return len(self.coupa.decisions)

    def count_anew(self) -> None:
        self.coupa.front.calls.clear()
        self.moveworks.front.calls.clear()

    def calls(self) -> tuple[int, int, int]:
        coupa, moveworks = self.coupa.front, self.moveworks.front
        return coupa.count(path="^/api/"), coupa.count(path="^/oauth2/"), moveworks.count("POST")


def _host(pipe: Connection) -> None:
    hosted = _Hosted()
    with served(hosted.coupa.front) as coupa_url, served(hosted.moveworks.front) as moveworks_url:
        pipe.send((coupa_url, moveworks_url))
        with contextlib.suppress(EOFError):  # the measuring process is gone
            while True:
                name, *arguments = pipe.recv()
                pipe.send(getattr(hosted, name)(*arguments))


@contextlib.contextmanager
def neighbours() -> Iterator[Neighbours]:
    """Run them while the block runs."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_host, args=(there,), daemon=True)
    process.start()
    try:
        coupa_url, moveworks_url = here.recv()
        yield Neighbours(coupa_url, moveworks_url, here)
    finally:
        process.terminate()
        process.join()
