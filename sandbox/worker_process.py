"""The worker: the process that imports an app and runs its functions, in a pool of threads.

Only a host starts it. It outlives a killed host until its running calls have ended.

Sources, read 2026-11:
    https://learn.microsoft.com/azure/azure-functions/functions-app-settings (PYTHON_THREADPOOL_THREAD_COUNT)
    https://github.com/Azure/azure-functions-python-worker (tp_max_workers_validator: at least 1)
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import azure.functions as func
from azure.functions.decorators.function_app import Function

from sandbox.calls import Ahead, Call, Channel, Done, HttpCall, Load, Loaded, NotLoaded, TimerCall
from sandbox.console import log_to_stderr
from sandbox.invocation import FAILED, info_of, run

THREADS = "PYTHON_THREADPOOL_THREAD_COUNT"

logger = logging.getLogger("host")


def load_functions(app_dir: Path) -> list[Function]:
    """Import a folder's function_app.py in its folder, and return the functions of its one app.

    Raises:
        Exception: any exception of the import.
        ValueError: there is no app or more than one, or two functions have the same name.
    """
    os.chdir(app_dir)
    sys.path.insert(0, str(app_dir))
    module = importlib.import_module("function_app")
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionApp)]
    if len(apps) != 1:
        raise ValueError(f"function_app.py must have one FunctionApp, and has {len(apps)}")
    return list(apps[0].get_functions())


def threads(environ: Mapping[str, str]) -> int | None:
    """Return the number of functions that run at once.

    None is Python's own number. Azure's worker takes it, too, for a value that is no whole number above 0.
    """
    said = environ.get(THREADS, "")
    try:
        number = int(said)
    except ValueError:
        number = 0
    if said and number < 1:
        logger.warning("%s is not a whole number above 0; the worker takes its own number", THREADS)
    return number if number >= 1 else None


def serve(channel: Channel) -> None:
    """Load the app and run the host's calls, until the host is gone; then end the running calls."""
    load = channel.receive()
    if not isinstance(load, Load):
        return  # the host has ended already
    os.environ.update(load.environ)
    move = _stand_still if load.ahead_s is None else _mover(load.ahead_s)
    functions: dict[str, Function] = {}
    try:
        loaded = load_functions(load.app_dir)
        infos = [info_of(function) for function in loaded]
    except Exception as error:
        logger.exception("The app cannot be loaded")
        channel.send(NotLoaded(f"{type(error).__name__}: {error}"))
    else:
        functions = {info.name: function for info, function in zip(infos, loaded, strict=True)}
        channel.send(Loaded(infos))

    def answer(call: Call) -> None:
        function = functions.get(call.function)
        reply = FAILED if function is None else run(function, call)
        try:
            channel.send(Done(call.invocation_id, reply))
        except OSError:
            logger.warning("Nobody waits for the answer of '%s' any more", call.function)

    pool = ThreadPoolExecutor(threads(os.environ), thread_name_prefix="function")
    while (message := channel.receive()) is not None:
        if isinstance(message, (HttpCall, TimerCall)):
            pool.submit(answer, message)
        elif isinstance(message, Ahead):
            move(message.seconds)
    pool.shutdown(cancel_futures=True)


def _mover(ahead_s: float) -> Callable[[float], None]:
    from sandbox.timeshift import ProcessTime  # noqa: PLC0415 - only where the time is moved

    process_time = ProcessTime()
    process_time.set_ahead(ahead_s)
    return process_time.set_ahead


def _stand_still(_seconds: float) -> None:
    """Do not move the time."""


def main(descriptor: int) -> None:
    """Run the worker at the other end of a connection, and end the process.

    Args:
        descriptor: of this side's end.
    """
    for each in (signal.SIGINT, signal.SIGTERM):  # a terminal sends them to both; the host decides
        signal.signal(each, lambda _signal, _frame: None)
    log_to_stderr()
    end = socket.socket(fileno=descriptor)
    end.set_inheritable(False)
    try:
        serve(Channel(end))
    except OSError:
        logger.warning("The host is gone")
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)  # an orderly end would wait for the left-over threads of a function
