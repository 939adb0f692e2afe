"""The product's routes, methods and levels of keys, each with a handler that returns its request.

The product's own function_app.py gives them. No handler decides anything or calls a service; a query makes
one wait, or end its worker, for the rows about crowds and deaths:

    ?wait=sweep     until the timer function has run
    ?together=8     until eight have begun at once, and half a second more
    ?end=worker     kills the process that runs it

`HOST_APP_BROKEN` makes the import fail, and `HOST_APP_SCHEDULE` is the timer's schedule.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import azure.functions as func

PRODUCT = Path(__file__).resolve().parents[2] / "function_app.py"
YEARLY = "0 0 0 1 1 *"
PATIENCE_S = 20.0

Handler = Callable[[func.HttpRequest], func.HttpResponse]


@dataclass(frozen=True)
class Route:
    """An HTTP function of the product.

    Attributes:
        template: of its path, without the prefix.
    """

    function: str
    template: str
    method: str
    is_anonymous: bool


@dataclass
class Crowd:
    """Who runs in this worker.

    Attributes:
        running: handlers that run now.
        most: how many ran at once, at most.
        sweeps: how often the timer function ran.
    """

    running: int = 0
    most: int = 0
    sweeps: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    @contextlib.contextmanager
    def one_more(self) -> Iterator[None]:
        """Count a handler while the block runs."""
        with self.changed:
            self.running += 1
            self.most = max(self.most, self.running)
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self.running -= 1

    def wait_for_sweep(self) -> None:
        """Return when the timer function has run."""
        with self.changed:
            self.changed.wait_for(lambda: self.sweeps, PATIENCE_S)

    def wait_for_others(self, number: int) -> None:
        """Return some time after so many ran at once, so that one more would be seen."""
        with self.changed:
            self.changed.wait_for(lambda: self.most >= number, PATIENCE_S)
        time.sleep(0.5)

    def sweep(self) -> None:
        """Let all go on that wait for it."""
        with self.changed:
            self.sweeps += 1
            self.changed.notify_all()


def routes() -> list[Route]:
    """Return the HTTP functions of the product.

    Raises:
        ImportError: the product cannot be imported.
        ValueError: a function has no method or several, which no row is made for.
    """
    spec = importlib.util.spec_from_file_location("product_function_app", PRODUCT)
    if spec is None or spec.loader is None:
        raise ImportError(f"{PRODUCT.name} cannot be read")
    sys.path.append(
        str(PRODUCT.parent)
    )  # for what the product imports; its function_app.py stays behind ours
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = []
    for function in module.app.get_functions():
        trigger = function.get_trigger().get_dict_repr()
        if trigger["type"] != "httpTrigger":
            continue
        [method] = trigger["methods"]
        is_anonymous = trigger["authLevel"] == func.AuthLevel.ANONYMOUS
        found.append(Route(function.get_function_name(), trigger["route"], method.value, is_anonymous))
    return found


def handler(name: str) -> Handler:
    """Return a handler that answers as this function what reached it."""

    def answer(req: func.HttpRequest) -> func.HttpResponse:
        if req.params.get("end") == "worker":
            os.kill(os.getpid(), signal.SIGKILL)
        with crowd.one_more():
            if req.params.get("wait") == "sweep":
                crowd.wait_for_sweep()
            if "together" in req.params:
                crowd.wait_for_others(int(req.params["together"]))
            body = req.get_body()
            reached = {
                "function": name,
                "method": req.method,
                "url": req.url,
                "headers": {key.lower(): value for key, value in req.headers.items()},
                "params": dict(req.params),
                "route": dict(req.route_params),
                "bytes": len(body),
                "body": body[:100].decode("latin-1"),
                "running": crowd.running,
                "most": crowd.most,
                "sweeps": crowd.sweeps,
            }
        return func.HttpResponse(
            json.dumps(reached), mimetype="application/json", headers={"X-Function": name}
        )

    return answer


if os.environ.get("HOST_APP_BROKEN"):
    raise ImportError("this app is to be one that cannot be imported")

crowd = Crowd()
app = func.FunctionApp()
ROUTES = routes()
for route in ROUTES:
    level = func.AuthLevel.ANONYMOUS if route.is_anonymous else func.AuthLevel.FUNCTION
    decorated = app.route(route.template, methods=[route.method], auth_level=level, trigger_arg_name="req")
    app.function_name(route.function)(decorated(handler(route.function)))


@app.timer_trigger(arg_name="timer", schedule=os.environ.get("HOST_APP_SCHEDULE", YEARLY))
def poll_approvals(timer: func.TimerRequest) -> None:
    """Let go on who waits."""
    crowd.sweep()
