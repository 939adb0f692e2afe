"""The functions of one app as the host sees them: the function for each request, and the time of each timer.

Sources, read 2026-11:
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger
    https://github.com/Azure/azure-functions-host (HttpThrottleMiddleware.cs, AuthenticationLevelHandler.cs)
"""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.administration import VERSION, administer
from sandbox.admission import CROWDED, Admission
from sandbox.calls import Answer, Call, FunctionInfo, HttpCall, TimerCall
from sandbox.clock import Clock, RealClock
from sandbox.keys import Keys, key_in
from sandbox.ncrontab import Schedule, ScheduleError, resolve
from sandbox.requested import BadRequest, Requested, TooLarge
from sandbox.routing import Route, segments
from sandbox.timers import FolderMemory, NoMemory, keep

HOME = b"<!DOCTYPE html><html><head><title>Functions</title></head><body>The host is running.</body></html>"

logger = logging.getLogger("host")


@dataclass(frozen=True)
class Endpoint:
    """An HTTP function, and the requests that it answers; no methods means any."""

    name: str
    route: Route
    methods: tuple[str, ...]
    is_anonymous: bool


class Functions:
    """The functions of one app, callable by request and by name.

    Args:
        functions: the functions of the app.
        run: runs a call and returns its answer; raises nothing.
        prefix: `extensions.http.routePrefix` of host.json.
        keys: the keys, and the functions that they open.
        admission: admits requests.
        environ: the values of `%NAME%` in a schedule; the environment by default.
        clock: the clock of the timers.
        advance: moves the app's time forward by this many seconds; None where it cannot be moved.
        storage: the folder of the timers' status and locks; None remembers nothing.
        lease_s: how long the lock of a timer outlives its host, in seconds.

    Raises:
        ValueError: the host does not know a trigger or a route; then none of the app's functions loads.
    """

    def __init__(
        self,
        functions: Iterable[FunctionInfo],
        run: Callable[[Call], Answer],
        *,
        prefix: str = "api",
        keys: Keys | None = None,
        admission: Admission | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        advance: Callable[[float], None] | None = None,
        storage: Path | None = None,
        lease_s: float = 60.0,
    ) -> None:
        self._run = run
        self.keys = keys or Keys()
        self._advance = advance
        self._admission = admission or Admission()
        self._environ = os.environ if environ is None else environ
        self._clock: Clock = clock or RealClock()
        self._storage, self._lease_s = storage, lease_s
        self._stopped = threading.Event()
        self._keepers: list[threading.Thread] = []
        self.infos: dict[str, FunctionInfo] = {}
        self.errors: dict[str, str] = {}
        self.endpoints: list[Endpoint] = []
        self.timers: dict[str, Schedule] = {}
        for info in functions:
            self._add(info, prefix)
        self.endpoints.sort(key=lambda endpoint: endpoint.route.precedence)

    def _add(self, info: FunctionInfo, prefix: str) -> None:
        trigger: dict[str, Any] = info.trigger
        if trigger["type"] == "httpTrigger":
            route = Route(trigger.get("route") or info.name, prefix=prefix)
            is_anonymous = str(trigger["authLevel"]).lower() == "anonymous"
            methods = tuple(trigger.get("methods") or ())
            self.endpoints.append(Endpoint(info.name, route, methods, is_anonymous))
        elif trigger["type"] == "timerTrigger":
            try:
                self.timers[info.name] = Schedule(resolve(trigger["schedule"], self._environ))
            except ScheduleError as error:
                self.errors[info.name] = str(error)
                logger.error("The '%s' function is in error and will not run: %s", info.name, error)  # noqa: TRY400
        else:
            raise ValueError(f"{info.name}: {trigger['type']} is not known to this stand-in")
        self.infos[info.name] = info

    def start_timers(self) -> None:
        """Run every timer's schedule, each in a thread that ends with the process."""
        for name in self.timers:
            thread = threading.Thread(target=self._keep, args=[name], name=f"timer {name}", daemon=True)
            self._keepers.append(thread)
            thread.start()

    def _keep(self, name: str) -> None:
        schedule = self.timers[name]
        if schedule.after(self._clock.now()) is None:
            logger.warning("The timer '%s' is never due: its schedule names no day that comes", name)
        memory = FolderMemory(self._storage, name, lease_s=self._lease_s) if self._storage else NoMemory()
        try:
            keep(schedule, partial(self.fire, name), self._clock, stopped=self._stopped.is_set, memory=memory)
        finally:
            memory.release()

    def stop_timers(self) -> None:
        """Start no more runs; other hosts get each timer when its run has ended."""
        self._stopped.set()

    @property
    def keeps_timers(self) -> bool:
        """Tell whether a timer still runs."""
        return any(thread.is_alive() for thread in self._keepers)

    def is_timer(self, name: str) -> bool:
        """Tell whether there is such a timer with a valid schedule."""
        return name in self.timers

    def fire(self, name: str, past_due: bool = False) -> bool:  # noqa: FBT001, FBT002 - a timer has one flag
        """Run a timer function now, in this thread; returns whether it succeeded.

        Raises:
            KeyError: there is no such function.
        """
        return self._run(TimerCall(str(uuid.uuid4()), self.infos[name].name, past_due)).status == 200

    def advance(self, seconds: float) -> bool:
        """Move the app's time forward; False where it cannot be moved."""
        if self._advance is None:
            return False
        self._advance(seconds)
        return True

    def answer(self, request: Requested) -> Answer:
        """Answer one request."""
        path = segments(request.path)
        if path[0].lower() == "admin":
            return administer(self, request, path)
        with self._admission.turn() as is_in:
            if not is_in:
                return CROWDED
            if request.path == "/":
                return Answer(200, [("Content-Type", "text/html")], HOME)
            return self._serve(request, path)

    def _serve(self, request: Requested, path: list[str]) -> Answer:
        for endpoint in self.endpoints:
            route_params = endpoint.route.match(path)
            if route_params is None or (endpoint.methods and request.method not in endpoint.methods):
                continue
            if not endpoint.is_anonymous and not self.keys.open(
                key_in(request.headers, request.pairs), endpoint.name
            ):
                return Answer(401)
            try:
                return self._run(self._call(request, endpoint.name, route_params))
            except TooLarge:
                return Answer(500, is_last=True)
            except BadRequest as error:
                return Answer(error.status, is_last=True)
        return Answer(404)

    def _call(self, request: Requested, function: str, route_params: dict[str, str]) -> HttpCall:
        invocation_id = str(uuid.uuid4())
        added = [
            ("X-Azure-Functions-HostVersion", VERSION),
            ("X-Azure-Functions-InvocationId", invocation_id),
        ]
        headers = joined((name.lower(), value) for name, value in [*request.headers, *added])
        # The host leaves empty values out of the query.
        params = {name: value for name, value in joined(request.pairs).items() if value}
        body = request.read()
        return HttpCall(
            invocation_id, function, request.method, request.url, headers, params, route_params, body
        )


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return names and values; the values of a repeated name are joined by commas.

    >>> joined([("a", "1"), ("b", ""), ("a", "2")])
    {'a': '1,2', 'b': ''}
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
