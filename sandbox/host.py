"""A local stand-in for the Azure Functions host: serves a function app's routes and fires its timers.

It does not know this product; it serves any `function_app.py` of HTTP and timer functions. What it keeps of
Azure: route prefix, methods, keys of the host and of single functions, the two return types, what a failure
answers, schedules in UTC. What it leaves out: storage, leases between instances, scaling, other bindings.

`POST /admin/functions/{name}` fires a timer function now and answers 202, as Azure's host does; like there,
such a run does not wait for a scheduled one to end. `?wait=1` is ours, not Azure's: it answers 200 when the
run has ended, 500 when it raised. Another is `POST /admin/clock?advance=SECONDS`, which moves the time of the
app forward where `--movable-clock` allows it.

Sources, read 2026-11:
    https://learn.microsoft.com/azure/azure-functions/functions-reference-python
    https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
    https://github.com/Azure/azure-functions-host (AuthenticationLevelHandler.cs: header before query)
"""

from __future__ import annotations

import argparse
import hmac
import importlib
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import azure.functions as func
from azure.functions.decorators.function_app import Function
from werkzeug.wrappers import Request, Response

from sandbox.clock import Clock, RealClock
from sandbox.front import Environ, StartResponse
from sandbox.invocation import name_of, run_http, run_timer, run_timer_quietly, trigger_of
from sandbox.ncrontab import Schedule, ScheduleError, keep, resolve
from sandbox.routing import Route, segments
from sandbox.serving import served
from sandbox.timeshift import ProcessTime

MAX_ADVANCE_S = 366 * 86_400
"""The farthest that one request moves the clock."""

logger = logging.getLogger("host")


@dataclass(frozen=True)
class _Endpoint:
    """An HTTP function, and the requests it answers; no methods means any."""

    function: Function
    route: Route
    methods: tuple[str, ...]
    is_anonymous: bool


class FunctionHost:
    """The functions of one app, callable as WSGI and by name.

    Args:
        functions: what `app.get_functions()` returned; an app can be asked only once.
        prefix: `extensions.http.routePrefix` of host.json.
        function_key: the host's key, which opens all routes; None asks for no key, as `func start` does.
        function_keys: keys of single functions by the functions' names; each opens its function only.
        environ: where `%NAME%` in a schedule is looked up; the environment by default.
        clock: what the timers go by.
        advance: moves the app's time forward by so many seconds; None where it cannot be moved.

    Raises:
        ValueError: the worker would refuse a function; then none of the app's loads.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        *,
        prefix: str = "api",
        function_key: str | None = None,
        function_keys: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        advance: Callable[[float], None] | None = None,
    ) -> None:
        self._function_key = function_key
        self._function_keys = function_keys or {}
        self._advance = advance
        self._environ = os.environ if environ is None else environ
        self._clock: Clock = clock or RealClock()
        self._stopped = threading.Event()
        self.endpoints: list[_Endpoint] = []
        self.timers: dict[str, tuple[Function, Schedule]] = {}
        for function in functions:
            self._add(function, prefix)
        self.endpoints.sort(key=lambda endpoint: endpoint.route.precedence)

    def _add(self, function: Function, prefix: str) -> None:
        trigger = trigger_of(function)
        if trigger["type"] == "httpTrigger":
            methods = tuple(method.value for method in trigger.get("methods") or ())
            route = Route(trigger.get("route") or name_of(function), prefix=prefix)
            is_anonymous = trigger["authLevel"] == func.AuthLevel.ANONYMOUS
            self.endpoints.append(_Endpoint(function, route, methods, is_anonymous))
        elif trigger["type"] == "timerTrigger":
            try:
                schedule = Schedule(resolve(trigger["schedule"], self._environ))
            except ScheduleError as error:
                logger.error("The '%s' function is in error and will not run: %s", name_of(function), error)  # noqa: TRY400
            else:
                self.timers[name_of(function)] = (function, schedule)
        else:
            raise ValueError(f"{name_of(function)}: {trigger['type']} is not known to this stand-in")

    def start_timers(self) -> None:
        """Keep every timer's schedule, each in a thread that ends with the process."""
        for name, (function, schedule) in self.timers.items():
            run = partial(run_timer_quietly, function)
            loop = partial(keep, schedule, run, self._clock, stopped=self._stopped.is_set)
            threading.Thread(target=loop, name=f"timer {name}", daemon=True).start()

    def stop_timers(self) -> None:
        """Start no further run."""
        self._stopped.set()

    def fire(self, name: str) -> None:
        """Run a timer function now, in this thread.

        Raises:
            KeyError: there is no such timer function, or its schedule did not resolve.
            Exception: whatever the function raised; it is logged.
        """
        run_timer(self.timers[name][0])

    def wsgi(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, as WSGI."""
        request = Request(environ)
        # Matched as it was on the wire: in PATH_INFO the server has already made a slash of %2F.
        raw_path = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or request.path).partition("?")[0]
        match segments(raw_path):
            case ["admin", "functions", name]:
                response = self._admin(request, name)
            case ["admin", "clock"]:
                response = self._move_clock(request)
            case path:
                response = self._serve(request, path, raw_path)
        return response(environ, start_response)

    def _admin(self, request: Request, name: str) -> Response:
        if not self._has_key(request):
            return Response(status=401)
        if name not in self.timers or request.method != "POST":
            return Response(status=404)
        run = partial(run_timer_quietly, self.timers[name][0])
        if request.args.get("wait") == "1":
            return Response(status=200 if run() else 500)
        threading.Thread(target=run, daemon=True).start()
        return Response(status=202)

    def _move_clock(self, request: Request) -> Response:
        if not self._has_key(request):
            return Response(status=401)
        if self._advance is None or request.method != "POST":
            return Response(status=404)
        seconds = request.args.get("advance", type=int)
        if seconds is None or not 0 <= seconds <= MAX_ADVANCE_S:
            return Response(status=400)
        self._advance(float(seconds))
        return Response(status=200)

    def _serve(self, request: Request, path: list[str], raw_path: str) -> Response:
        for endpoint in self.endpoints:
            route_params = endpoint.route.match(path)
            if route_params is None or (endpoint.methods and request.method not in endpoint.methods):
                continue
            own_key = self._function_keys.get(name_of(endpoint.function), "")
            if not endpoint.is_anonymous and not self._has_key(request, own_key):
                return Response(status=401)
            return run_http(endpoint.function, request, raw_path=raw_path, route_params=route_params)
        return Response(status=404)

    def _has_key(self, request: Request, own_key: str = "") -> bool:
        if self._function_key is None:
            return True
        sent = request.headers.get("x-functions-key", request.args.get("code", ""))
        keys = (self._function_key, own_key)
        return any(key and hmac.compare_digest(sent.encode(), key.encode()) for key in keys)


def load_functions(app_dir: Path) -> list[Function]:
    """Import a folder's function_app.py in its folder, and return the functions of its one app.

    Raises:
        Exception: whatever the import raised.
        ValueError: there is no app or more than one, or two functions share a name.
    """
    os.chdir(app_dir)
    sys.path.insert(0, str(app_dir))
    module = importlib.import_module("function_app")
    apps = [value for value in vars(module).values() if isinstance(value, func.FunctionApp)]
    if len(apps) != 1:
        raise ValueError(f"function_app.py must have one FunctionApp, and has {len(apps)}")
    return list(apps[0].get_functions())


def _route_prefix(app_dir: Path) -> str:
    try:
        settings = json.loads((app_dir / "host.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return "api"
    return str(settings.get("extensions", {}).get("http", {}).get("routePrefix", "api"))


def _print_functions(host: FunctionHost, base_url: str) -> None:
    print("Functions:\n")
    for endpoint in host.endpoints:
        methods = f"[{','.join(endpoint.methods)}] " if endpoint.methods else ""
        print(f"\t{name_of(endpoint.function)}: {methods}{base_url}/{endpoint.route.template}\n")
    for name in host.timers:
        print(f"\t{name}: timerTrigger\n")


def _exit_on_signal(_signal: int, _frame: object) -> None:
    # At once: an orderly end would wait for the pools of a function that is still running.
    os._exit(0)


def _log_to_stderr() -> None:
    logging.Formatter.converter = time.gmtime
    style = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format=style, datefmt="%Y-%m-%dT%H:%M:%S")


def take_settings(path: Path, environ: MutableMapping[str, str]) -> None:
    """Put the `Values` of a settings file into the environment, which wins, as with `func start`.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file

    Raises:
        ValueError: the file is no JSON, is encrypted, or has others than plain texts.
        OSError: it cannot be read.
    """
    said = json.loads(path.read_text("utf-8-sig"))
    values = said.get("Values", {})
    if said.get("IsEncrypted") or not all(isinstance(each, str) for each in values.values()):
        raise ValueError(f"{path.name}: its Values must be plain texts (see func settings decrypt)")
    for name, value in values.items():
        environ.setdefault(name, value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a function app until a signal ends the process.

    Returns:
        The exit status: 1 when the app does not load or the port is taken.
    """
    parser = argparse.ArgumentParser(prog="python -m sandbox.host", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=7071)
    parser.add_argument("--no-timers", action="store_true", help="leave the firing of timers to the caller")
    parser.add_argument("--movable-clock", action="store_true", help="let POST /admin/clock move the time")
    parser.add_argument("--settings", type=Path, help="file of local settings, as Core Tools keep them")
    parser.add_argument("--function-key", help="ask for this key, as Azure does")
    parser.add_argument(
        "--app", type=Path, default=Path(__file__).parents[1], help="folder of function_app.py"
    )
    options = parser.parse_args(arguments)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _exit_on_signal)
    _log_to_stderr()
    app_dir = options.app.resolve()
    try:
        if options.settings:
            take_settings(options.settings, os.environ)
        functions = load_functions(app_dir)
        host = FunctionHost(
            functions,
            prefix=_route_prefix(app_dir),
            function_key=options.function_key,
            advance=ProcessTime().advance if options.movable_clock else None,
        )
    except Exception as error:
        logger.exception("The app cannot be loaded")
        print(f"0 functions loaded: {type(error).__name__}: {error}", flush=True)
        return 1
    try:
        with socket.create_server(("127.0.0.1", options.port)):
            pass
    except OSError as error:
        print(f"Port {options.port} cannot be used: {os.strerror(error.errno or 0)}", file=sys.stderr)
        return 1
    with served(host.wsgi, port=options.port) as base_url:
        _print_functions(host, base_url)
        if not options.no_timers:
            host.start_timers()
        print(f"Host started on {base_url}", flush=True)
        while True:  # not one endless wait: a signal that comes just before it would not be acted on
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
