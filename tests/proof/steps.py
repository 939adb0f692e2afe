"""The steps of a process, counted at the calls to its services, and an event at one of them.

A step is one request to Coupa, to Moveworks or to the table store. This module knows nothing of their
meaning, and nothing of the process but that it may end.
"""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast
from wsgiref.types import WSGIApplication

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

Wsgi = WSGIApplication

BEFORE, AFTER = "before", "after"
"""A step is not handled any more, or it is handled and its answer does not arrive."""

MOMENTS = (BEFORE, AFTER)

COMES_S = 300.0
"""Whatever comes has come within this: a host starts and sweeps."""


@dataclass(frozen=True)
class Point:
    """When it comes: at which request, counted from 0, and whether that is handled."""

    number: int
    moment: str

    def __str__(self) -> str:
        """Return it as the table names it."""
        return f"{self.moment} step {self.number}"


@dataclass
class _Plan:
    """What comes at a point.

    Attributes:
        ends: whoever asks is dead afterwards, so that nothing of what it still asks is handled.
        over: it has come.
    """

    point: Point
    comes: Callable[[], object]
    ends: bool
    over: threading.Event = field(default_factory=threading.Event)
    number: int = 0
    reached: str = ""


class Steps:
    """Counts the requests that pass the doors of the services, from `expect` to `forget`.

    Attributes:
        failures: what went wrong while something came.
        under_way: what services are at work on.
    """

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._plan: _Plan | None = None
        self.under_way: Counter[str] = Counter()
        self._lock = threading.Lock()

    def expect(self, point: Point, comes: Callable[[], object], *, ends: bool) -> None:
        """Count from now on, and let something come at a point, in the thread of the service."""
        self._plan = _Plan(point, comes, ends)

    def forget(self) -> str:
        """Count no more, and return at which step it came: empty where it did not."""
        with self._lock:
            plan, self._plan = self._plan, None
        if plan is None or not plan.reached:
            return ""
        if not plan.over.wait(COMES_S):
            self.failures.append(f"what came at {plan.reached} did not end within {COMES_S:.0f} s")
        return plan.reached

    def door(self, name: str, inside: Wsgi) -> Wsgi:
        def passed(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            step = step_of(name, environ)
            with self._lock:
                self.under_way[step] += 1
            try:
                return self._pass(step, inside, environ, start_response)
            finally:
                with self._lock:
                    self.under_way -= Counter([step])

        return passed

    def _pass(
        self, step: str, inside: Wsgi, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        plan = self._plan
        if plan is None:
            return inside(environ, start_response)
        with self._lock:
            is_it = plan.number == plan.point.number and plan is self._plan
            is_late = bool(plan.reached) and plan.ends and not plan.over.is_set()
            plan.number += 1
            if is_it and plan.point.moment == BEFORE:
                plan.reached = step
        if is_late:
            plan.over.wait(COMES_S)
            _cut(environ)
        if not is_it:
            return inside(environ, start_response)
        if plan.point.moment == BEFORE:
            self._let_come(plan)
            if plan.ends:
                _cut(environ)
            return inside(environ, start_response)
        answer = inside(environ, start_response)
        with self._lock:
            if plan is not self._plan:  # nobody waits any more for what comes
                return answer
            plan.reached = step
        self._let_come(plan)
        return answer

    def _let_come(self, plan: _Plan) -> None:
        try:
            plan.comes()
        except Exception as wrong:  # noqa: BLE001 - the run that hears of it is in another thread
            self.failures.append(f"{type(wrong).__name__}: {wrong}")
        finally:
            plan.over.set()


def step_of(name: str, environ: Environ) -> str:
    """Return what is asked of whom, without what differs from run to run.

    >>> step_of("coupa", {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/approvals/85001"})
    'coupa GET /api/approvals/N'
    >>> step_of("store", {"REQUEST_METHOD": "PUT", "PATH_INFO": "/account/t1(PartitionKey='a',RowKey='b')"})
    'store PUT'
    """
    step = f"{name} {environ['REQUEST_METHOD']}"
    return step if name == "store" else f"{step} {re.sub(r'[0-9a-f-]{9,}|[0-9]+', 'N', environ['PATH_INFO'])}"


def _cut(environ: Environ) -> None:
    """End the connection without an answer.

    Raises:
        ConnectionResetError: always; the server takes it for a caller that hung up.
    """
    environ["wsgi.input"].read(
        int(environ.get("CONTENT_LENGTH") or 0)
    )  # else it is taken for another request
    cast("socket.socket", environ["werkzeug.socket"]).shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError
