"""The host's side of its worker: it starts the worker, sends it calls, and replaces it when it dies or hangs.

The fate of a call whose worker is gone was observed on Azure's host. Where the worker died, the call fails at
once. Where the host ended the worker because of another call's time-out, the call hangs until its own
time-out.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic  # the original function: nobody moves the time of the host

from sandbox.calls import Ahead, Answer, Call, Channel, Done, Load, Loaded, Message, NotLoaded
from sandbox.spawning import Child

GRACE_S = 2.0
"""From the cancellation of a call, which Python ignores, to the end of its worker, in seconds."""
UNHEARD_S = 1.0
"""After this time, a dead worker whose connection is still open has left it to a process of its own."""
EARLY_S = 10.0
"""A worker that dies younger than this, without one answer, died at its start."""
RESTART_WAITS_S = (0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
"""The waits before each new worker while they die at their start; after the last one the host gives up."""

logger = logging.getLogger("host")


@dataclass(eq=False)
class _Process:
    """One worker, alive or not."""

    child: Child
    channel: Channel
    born: float = field(default_factory=monotonic)
    has_answered: bool = False
    is_lost: bool = False
    """It is dead, or this side ends it; nothing more is expected of it."""
    died: float | None = None


@dataclass(eq=False)
class _Flight:
    """A call without an answer so far; without a process, it waits for one."""

    call: Call
    due: float
    process: _Process | None = None
    is_cancelled: bool = False
    answer: Answer = field(default_factory=lambda: Answer(500))
    is_over: threading.Event = field(default_factory=threading.Event)


class WorkerGaveUp(Exception):
    """One worker after the other died at its start."""


class Worker:
    """The one worker of a host.

    Args:
        app_dir: folder of function_app.py.
        timeout_s: `functionTimeout`; None sets no limit for a call.
        is_movable: the app's time can be moved.
    """

    def __init__(self, app_dir: Path, *, timeout_s: float | None = None, is_movable: bool = False) -> None:
        self._app_dir = app_dir
        self._timeout_s = timeout_s
        self._ahead_s = 0.0 if is_movable else None
        self._lock = threading.Lock()
        self._flights: dict[str, _Flight] = {}
        self._process: _Process | None = None
        self._ready: _Process | None = None
        self._changed = threading.Event()
        self.loaded: Loaded | NotLoaded | None = None
        """The first worker's description of the app; None before it has arrived."""
        self._early_deaths = 0
        self._restart_at = 0.0
        self._has_given_up = False

    def start(self, child: Child | None = None) -> None:
        """Let a worker load the app; in the main thread, whose child it will be.

        Args:
            child: the process, if it runs already.
        """
        child = child or Child()
        self._process = process = _Process(child, Channel(child.line))
        self._say(process, Load(self._app_dir, dict(os.environ), self._ahead_s))
        threading.Thread(target=self._listen, args=[process], name="worker", daemon=True).start()

    def run(self, call: Call) -> Answer:
        """Run a call and wait for its answer; an empty 500 if it fails, hangs, or its worker dies."""
        begun = monotonic()
        flight = _Flight(call, begun + self._timeout_s if self._timeout_s else float("inf"))
        with self._lock:
            self._flights[call.invocation_id] = flight
            flight.process = process = self._ready
        self._changed.set()
        if process is not None:  # otherwise the next ready worker takes it
            self._say(process, flight.call)
        flight.is_over.wait()
        return flight.answer

    def advance(self, seconds: float) -> None:
        """Move the app's time forward, in this worker and in later ones."""
        with self._lock:
            self._ahead_s = (self._ahead_s or 0.0) + seconds
            ready = self._ready
        if ready is not None:
            self._tell_time(ready)

    @property
    def in_flight(self) -> int:
        """Return the number of calls without an answer."""
        return len(self._flights)

    def supervise(self, wait_s: float) -> None:
        """Do the due work: end calls and workers, start a worker; in the main thread, again and again.

        Args:
            wait_s: the longest wait when nothing is due.

        Raises:
            WorkerGaveUp: one worker after the other died at its start.
        """
        self._end_what_hangs()
        if self._has_given_up:
            raise WorkerGaveUp("The worker died at its start again and again; the host ends, too")
        self._bury()
        if self._process is None and monotonic() >= self._restart_at:
            self.start()
        self._changed.wait(wait_s)
        self._changed.clear()

    def _bury(self) -> None:
        process = self._process
        if process is None:
            return
        if process.is_lost:
            process.child.kill()
            process.channel.close()
            self._process = None
        elif process.child.is_over():
            process.died = process.died or monotonic()
            if monotonic() - process.died > UNHEARD_S:
                self._lost(process)

    def kill(self) -> None:
        """End the worker at once, with all its calls."""
        if self._process is not None:
            self._process.is_lost = True
            self._process.child.kill()

    def _say(self, process: _Process, message: Message) -> None:
        try:
            process.channel.send(message)
        except OSError:
            self._lost(process)

    def _tell_time(self, process: _Process) -> None:
        if self._ahead_s is not None:
            self._say(process, Ahead(self._ahead_s))

    def _listen(self, process: _Process) -> None:
        while (message := process.channel.receive()) is not None:
            if isinstance(message, Done):
                process.has_answered = True
                with self._lock:
                    flight = self._flights.get(message.invocation_id)
                    if flight is not None and flight.process is process and not flight.is_cancelled:
                        flight.answer = message.answer
                    if flight is not None:
                        self._land(flight)
            elif isinstance(message, (Loaded, NotLoaded)):
                self._take(process, message)
        self._lost(process)

    def _take(self, process: _Process, message: Loaded | NotLoaded) -> None:
        """Give the waiting calls to a worker that is ready."""
        self._tell_time(process)
        with self._lock:
            if process.is_lost:
                return
            self._ready = process
            waiting = [flight for flight in self._flights.values() if flight.process is None]
            for flight in waiting:
                flight.process = process
        self.loaded = self.loaded or message
        for flight in waiting:
            self._say(process, flight.call)
        self._changed.set()

    def _lost(self, process: _Process) -> None:
        """Fail the calls of a dead worker; the calls of a worker that this side ended hang."""
        with self._lock:
            if self._ready is process:
                self._ready = None
            if process.is_lost:
                return
            process.is_lost = True  # so that nothing happens twice
            lost = [flight for flight in self._flights.values() if flight.process is process]
            for flight in lost:
                self._land(flight)
        self._plan_restart(process, len(lost))
        self._changed.set()

    def _plan_restart(self, process: _Process, lost: int) -> None:
        if process.has_answered or monotonic() - process.born > EARLY_S:
            self._early_deaths = 0
        else:
            self._early_deaths += 1
        self._has_given_up = self._early_deaths >= len(RESTART_WAITS_S)
        if self._has_given_up:
            logger.error("The worker (pid %d) has died; %d calls fail", process.child.pid, lost)
            return
        wait_s = RESTART_WAITS_S[self._early_deaths]
        self._restart_at = monotonic() + wait_s
        logger.error(
            "The worker (pid %d) has died; %d calls fail; another is started in %g s",
            process.child.pid,
            lost,
            wait_s,
        )

    def _land(self, flight: _Flight) -> None:
        self._flights.pop(flight.call.invocation_id, None)
        flight.is_over.set()

    def _end_what_hangs(self) -> None:
        now = monotonic()
        with self._lock:
            late = [flight for flight in self._flights.values() if now >= flight.due]
            over = [flight for flight in late if now >= flight.due + GRACE_S]
        for flight in late:
            if not flight.is_cancelled:
                flight.is_cancelled = True
                logger.error(
                    "Timeout value of %g s exceeded by 'Functions.%s' (Id=%s). Initiating cancellation.",
                    self._timeout_s,
                    flight.call.function,
                    flight.call.invocation_id,
                )
        if not over:
            return
        process = self._process
        with self._lock:
            self._ready = None
            if process is not None:
                process.is_lost = True
        if process is not None:
            logger.error("The worker (pid %d) is restarted, because a call does not end", process.child.pid)
        self._restart_at = 0.0
        self._bury()
        with self._lock:
            for flight in over:
                self._land(flight)
