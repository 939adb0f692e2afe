"""The routes of each kind of caller, cell by cell, through HTTP: the key and the application."""

from __future__ import annotations

import base64
import json
import runpy
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.functions.decorators.function_app import Function
from bridge import World
from canaries import FUNCTION_KEY
from description import operations
from spellings import BASE, RIGHT
from surface import Surface, surface

from coupa_core import app
from coupa_core.callers import CALLER_OF
from coupa_core.routes import ROUTES
from sandbox.in_process import FunctionHost
from sandbox.serving import served

ROOT = Path(__file__).resolve().parents[1]
KIND_OF = {(each.method, each.path): each.caller for each in ROUTES if each.caller}
KINDS = ("decisions", "relay", "operators")
KEY_OF = {kind: f"{FUNCTION_KEY}-{kind}" for kind in KINDS}
CLIENT_OF = {kind: f"{number}f2504e0-4f89-41d3-9a0c-0305e82c3301" for number, kind in enumerate(KINDS)}
STRANGE_CLIENT = "9f2504e0-4f89-41d3-9a0c-0305e82c3301"
ENTRA = {
    "ENTRA_CLIENTS": json.dumps({kind: [client] for kind, client in CLIENT_OF.items()}),
    "WEBSITE_AUTH_ENABLED": "True",
}


def vouched(client: str, *claims: str) -> str:
    """Return what App Service writes of a token's client, and of a person with such claims."""
    said = [{"typ": "azp", "val": client}, *({"typ": name, "val": "x"} for name in claims)]
    return base64.b64encode(json.dumps({"claims": said}).encode()).decode()


CLIENTS = {
    "none": "",
    "no principal": "x",
    "a person": vouched(CLIENT_OF["decisions"], "scp"),
    "a stranger": vouched(STRANGE_CLIENT),
    **{kind: vouched(client) for kind, client in CLIENT_OF.items()},
}
WITH_ENTRA = list(product(KINDS, ("none", "wrong", *KINDS), CLIENTS))


def asked(surface: Surface, method: str, path: str, **headers: str) -> tuple[int, str]:
    """Send a request with these headers only, and return its status and the code of a refusal."""
    host = surface.url.removeprefix("http://")
    caller = HTTPConnection(host, timeout=20)
    sent = {name.replace("_", "-"): value for name, value in headers.items() if value}
    caller.request(method, f"/api/{path.format(approval_id=7)}", headers=sent)
    reply = caller.getresponse()
    body = reply.read()
    caller.close()
    return reply.status, json.loads(body).get("error", "") if body else ""


@pytest.fixture(scope="module")
def served_once(functions: Sequence[Function]) -> Iterator[Surface]:
    """Serve the app behind keys of three kinds and Entra clients of three kinds."""
    keys = {name: KEY_OF[kind] for name, kind in CALLER_OF.items()}
    with surface(functions, World(), ENTRA, function_keys=keys) as it:
        yield it


@pytest.fixture
def guarded(served_once: Surface) -> Surface:
    """Return it; other tests here put another app in its place."""
    app._built[:] = [served_once.world.bridge]
    return served_once


@pytest.mark.parametrize(("kind", "key", "client"), WITH_ENTRA)
def test_under_entra_each_kind_of_caller_needs_its_key_and_its_application(
    guarded: Surface, kind: str, key: str, client: str
) -> None:
    before = len(guarded.world.coupa.front.calls)
    given = {"x_functions_key": KEY_OF.get(key, key if key != "none" else "")}
    given["x_ms_client_principal"] = CLIENTS[client]
    routes = [route for route, of in KIND_OF.items() if of == kind]

    said = {asked(guarded, *route, **given) for route in routes}

    if key != kind:
        assert said == {(401, "")}
    elif client in ("none", "no principal", "a person"):
        assert said == {(401, "no_caller")}
    elif client != kind:
        assert said == {(403, "caller_refused")}
    else:
        assert not {status for status, _ in said} & {401}
        assert not {code for _, code in said} & {"no_caller", "caller_refused", "route_closed"}
    assert key == client == kind or len(guarded.world.coupa.front.calls) == before


@pytest.mark.parametrize("named", KINDS)
def test_under_entra_a_kind_of_caller_without_applications_is_closed(
    functions: Sequence[Function], named: str
) -> None:
    settings = ENTRA | {"ENTRA_CLIENTS": json.dumps({named: [CLIENT_OF[named]]})}

    with surface(functions, World(), settings) as it:
        for (method, path), kind in KIND_OF.items():
            for client in CLIENT_OF.values():
                given = {"x_functions_key": FUNCTION_KEY, "x_ms_client_principal": vouched(client)}
                _, code = asked(it, method, path, **given)
                is_its_own = kind == named and client == CLIENT_OF[named]
                assert (code in ("route_closed", "caller_refused")) is not is_its_own
                assert kind == named or code == "route_closed"


def test_each_route_is_for_the_callers_of_its_chapter() -> None:
    """The chapters of openapi.yaml are written beside the table of routes, and not made from it."""
    chapters = {
        "Approvals": "decisions",
        "Decisions": "decisions",
        "Messages": "relay",
        "Operators": "operators",
    }

    assert {
        name: chapters[each["tags"][0]] for name, each in operations().items() if name != "health"
    } == CALLER_OF


class Door:
    """One address behind which the app of any environment can be put."""

    def __init__(self) -> None:
        self.url = ""
        self._wsgi: Any = None

    def wsgi(self, environ: Any, start_response: Any) -> Any:
        return self._wsgi(environ, start_response)

    def put(self, settings: dict[str, str]) -> None:
        """Find the functions anew, and let the next request read these settings, as a new process would."""
        app._built.clear()
        with pytest.MonkeyPatch.context() as machine:
            for name, value in settings.items():
                machine.setenv(name, value)
            functions = runpy.run_path(str(ROOT / "function_app.py"))["app"].get_functions()
            self._wsgi = FunctionHost(functions, function_key=FUNCTION_KEY).wsgi


SAFE = {**BASE, "COUPA_BASE_URL": "http://127.0.0.1:9", "MOVEWORKS_BASE_URL": "http://127.0.0.1:9"}


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    made = Door()
    with served(made.wsgi) as made.url:
        yield made
    app._built.clear()


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
def test_no_setting_opens_a_door_when_it_is_blank(door: Door, name: str) -> None:
    routes = list(KIND_OF) if name.startswith(("ENTRA", "POLL")) else list(KIND_OF)[::7]
    for blank in (" ", "\t", "\r", "\u00a0", ",", '""'):
        with pytest.MonkeyPatch.context() as machine:
            settings = {**SAFE, name: blank}
            door.put(settings)
            for each, value in settings.items():
                machine.setenv(each, value)
            for method, path in routes:
                url = f"{door.url}/api/{path.format(approval_id=7)}"
                assert requests.request(method, url, timeout=20).status_code == 401, (path, repr(blank))
            with_key = {"x-functions-key": FUNCTION_KEY}
            known = requests.get(f"{door.url}/api/approvals", headers=with_key, timeout=20)
            assert known.json()["error"] in ("no_actor", "settings"), repr(blank)
