"""The requests of an administrator to the host, under `/admin`.

Two requests are ours and not Azure's: `POST /admin/functions/NAME` with `?wait=1` answers 200 or 500 when the
run has ended, and `POST /admin/clock?advance=SECONDS` moves the time of the app.

Sources, read 2026-11:
    https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
    https://github.com/Azure/azure-functions-host (HostController.cs, FunctionsController.cs)
"""

from __future__ import annotations

import json
import threading
from typing import Any, Protocol

from sandbox.calls import Answer, FunctionInfo
from sandbox.keys import Keys, key_in
from sandbox.requested import BadRequest, Requested, TooLarge

VERSION = "4.1037.0"
"""The version of Azure's host whose answers were observed."""
MAX_ADVANCE_S = 366 * 86_400
"""The longest move of the clock by one request."""


class Administered(Protocol):
    """An administrator's view of the functions of an app."""

    keys: Keys
    infos: dict[str, FunctionInfo]
    errors: dict[str, str]

    def fire(self, name: str) -> bool:
        """Run a timer function now; returns whether it succeeded."""
        ...

    def is_timer(self, name: str) -> bool:
        """Tell whether there is such a timer with a valid schedule."""
        ...

    def advance(self, seconds: float) -> bool:
        """Move the app's time forward; False where it cannot be moved."""
        ...


def administer(app: Administered, request: Requested, path: list[str]) -> Answer:
    """Answer one request; `path` begins with `admin`."""
    place = [each.lower() for each in path[1:]]
    if place in (["host", "ping"], ["warmup"]):
        return Answer(200)
    refused = app.keys.refused_admin(key_in(request.headers, request.pairs))
    if refused is not None:
        return Answer(refused, [("WWW-Authenticate", "Bearer")] if refused == 401 else [])
    if place[:1] == ["functions"] and len(path) > 2:
        return _function(app, request, path[2], place[2:])
    if (request.method, place) == ("POST", ["clock"]):
        return _move_clock(app, request)
    said = _read(app, place) if request.method == "GET" else None
    return Answer(404) if said is None else _json(said)


def _read(app: Administered, place: list[str]) -> Any:
    match place:
        case ["functions"]:
            return [_described(info) for info in app.infos.values()]
        case ["host", "status"]:
            return {"id": "stand-in", "state": "Running", "version": VERSION, "errors": []}
        case ["host", "keys"]:
            return {"keys": [{"name": "default", "value": app.keys.host}]}
    return None


def _function(app: Administered, request: Requested, name: str, rest: list[str]) -> Answer:
    if name not in app.infos or rest not in ([], ["status"]):
        return Answer(404)
    if rest:
        error = app.errors.get(name)
        return _json({"errors": [error]} if error else {}) if request.method == "GET" else Answer(404)
    if request.method == "POST":
        return _fire(app, request, name)
    if request.method == "GET":
        return _json(_described(app.infos[name]))
    return Answer(500 if request.method == "PUT" else 404)


def _fire(app: Administered, request: Requested, name: str) -> Answer:
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return Answer(415)
    try:
        if not isinstance(json.loads(request.read()), dict):
            return Answer(400)
    except (ValueError, BadRequest, TooLarge):
        return Answer(400)
    if not app.is_timer(name):
        return Answer(404)
    if ("wait", "1") in request.pairs:
        return Answer(200 if app.fire(name) else 500)
    threading.Thread(target=app.fire, args=[name], daemon=True).start()
    return Answer(202)


def _move_clock(app: Administered, request: Requested) -> Answer:
    said = dict(request.pairs).get("advance", "")
    if not (said.isascii() and said.isdigit()) or int(said) > MAX_ADVANCE_S:
        return Answer(400)
    return Answer(200 if app.advance(float(said)) else 404)


def _described(info: FunctionInfo) -> dict[str, Any]:
    return {"name": info.name, "language": "python", "config": {"bindings": [info.trigger]}}


def _json(said: Any) -> Answer:
    headers = [("Content-Type", "application/json; charset=utf-8")]
    return Answer(200, headers, json.dumps(said, default=str).encode())
