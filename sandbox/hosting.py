"""The life of the host, from a worker that has loaded the app to the end of the last call."""

from __future__ import annotations

import argparse
import logging
import socket
from collections.abc import Callable, Sequence
from time import monotonic

from sandbox.admission import Admission
from sandbox.calls import FunctionInfo, Loaded, NotLoaded
from sandbox.clock import ShiftedClock
from sandbox.ending import Ending
from sandbox.function_host import Functions
from sandbox.host_json import HostJson
from sandbox.kestrel import Kestrel
from sandbox.keys import Keys
from sandbox.worker import Worker, WorkerGaveUp

DRAIN_S = 30.0
"""How long a host that should end waits for running calls, in seconds."""

logger = logging.getLogger("host")


def host(
    listening: socket.socket,
    worker: Worker,
    ending: Ending,
    options: argparse.Namespace,
    settings: HostJson,
) -> int:
    """Run as the host of a worker that has started, until a signal ends it.

    Args:
        listening: the socket for requests.
        worker: runs the functions.
        ending: tells whether a signal has asked for the end.
        options: of the command line.
        settings: of host.json.

    Returns:
        The exit status: 1 when no worker stays alive.
    """
    try:
        while worker.loaded is None and not ending.is_asked_for:
            worker.supervise(0.1)
        if worker.loaded is not None:
            functions = _functions(worker.loaded, _maker(worker, options, settings))
            _serve(listening, worker, ending, functions, options)
    except WorkerGaveUp as error:
        logger.critical("%s", error)
        return 1
    worker.kill()
    return 0


def _serve(
    listening: socket.socket,
    worker: Worker,
    ending: Ending,
    functions: Functions,
    options: argparse.Namespace,
) -> None:
    server = Kestrel(listening, functions.answer)
    server.start()
    base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    _print_functions(functions, base_url)
    if not options.no_timers:
        functions.start_timers()
    print(f"Host started on {base_url}", flush=True)
    while not ending.is_asked_for:
        worker.supervise(0.1)
    logger.info("The host is told to end; %d calls are in flight", worker.in_flight)
    functions.stop_timers()
    until = monotonic() + options.drain
    end = max(until, monotonic() + DRAIN_S)
    while monotonic() < until or (
        (server.busy or worker.in_flight or functions.keeps_timers) and monotonic() < end
    ):
        worker.supervise(0.02)


def _maker(
    worker: Worker, options: argparse.Namespace, settings: HostJson
) -> Callable[[Sequence[FunctionInfo]], Functions]:
    clock = ShiftedClock()

    def advance(seconds: float) -> None:
        clock.advance(seconds)
        worker.advance(seconds)

    def functions_of(infos: Sequence[FunctionInfo]) -> Functions:
        return Functions(
            infos,
            worker.run,
            prefix=settings.prefix,
            keys=Keys(options.function_key, options.own_key, options.system_key, options.master_key),
            admission=Admission(at_once=settings.at_once, outstanding=settings.outstanding),
            clock=clock,
            advance=advance if options.movable_clock else None,
            storage=options.state,
            lease_s=options.lease,
        )

    return functions_of


def _functions(
    loaded: Loaded | NotLoaded, functions_of: Callable[[Sequence[FunctionInfo]], Functions]
) -> Functions:
    """Return the functions of the app, or none when one cannot be loaded; the cause is printed."""
    if isinstance(loaded, NotLoaded):
        cause = loaded.cause
    else:
        try:
            return functions_of(loaded.functions)
        except ValueError as error:
            logger.exception("The app cannot be loaded")
            cause = f"{type(error).__name__}: {error}"
    print(f"0 functions loaded: {cause}", flush=True)
    return functions_of([])


def _print_functions(functions: Functions, base_url: str) -> None:
    print("Functions:\n")
    for endpoint in functions.endpoints:
        methods = f"[{','.join(endpoint.methods)}] " if endpoint.methods else ""
        print(f"\t{endpoint.name}: {methods}{base_url}/{endpoint.route.template}\n")
    for name in functions.timers:
        print(f"\t{name}: timerTrigger\n")
