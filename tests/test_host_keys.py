"""Keys, admin and what is added to a request are as on Azure's host."""

from __future__ import annotations

from typing import Any

import azure.functions as func
import pytest

from sandbox.administration import VERSION
from sandbox.calls import Answer, HttpCall
from sandbox.function_host import Functions
from sandbox.in_process import FunctionHost
from sandbox.invocation import info_of
from sandbox.keys import Keys
from sandbox.requested import Requested

pytestmark = pytest.mark.no_cover

ALL = Keys(host="host", own=(("read", "own"), ("read", "ops")), system="system", master="master")


def functions(keys: Keys) -> tuple[Functions, list[Any]]:
    """Return an app with two routes, a page for everybody and a timer, and the calls that reach it."""
    app = func.FunctionApp()

    @app.route("read", methods=["GET"])
    def read(req: func.HttpRequest) -> str:
        return "read"

    @app.route("write", methods=["POST"])
    def write(req: func.HttpRequest) -> str:
        return "written"

    @app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def health(req: func.HttpRequest) -> str:
        return "well"

    @app.timer_trigger(arg_name="timer", schedule="0 * * * * *")
    def poll(timer: func.TimerRequest) -> None: ...

    calls: list[Any] = []

    def run(call: Any) -> Answer:
        calls.append(call)
        return Answer(200)

    return Functions([info_of(each) for each in app.get_functions()], run, keys=keys), calls


def asked(
    keys: Keys,
    path: str,
    *headers: tuple[str, str],
    method: str = "GET",
    query: str = "",
    body: bytes = b"",
) -> tuple[Answer, list[Any]]:
    app, calls = functions(keys)
    return app.answer(Requested(method, path, query, list(headers), lambda: body)), calls


@pytest.mark.parametrize(
    ("status", "headers", "query"),
    [
        (401, [], ""),
        (401, [("x-functions-key", "wrong")], ""),
        (401, [("x-functions-key", "")], ""),
        (401, [("x-functions-key", "system")], ""),
        (401, [("Authorization", "Bearer host")], ""),
        (200, [("x-functions-key", "host")], ""),
        (200, [("X-Functions-Key", "own")], ""),
        (200, [("x-functions-key", "ops")], ""),
        (200, [("x-functions-key", "master")], ""),
        (200, [], "code=host"),
        (200, [], "CODE=own"),
        (200, [], "code=host&code=wrong"),
        (401, [], "code=wrong&code=host"),
        (200, [("x-functions-key", "host"), ("x-functions-key", "wrong")], ""),
        (401, [("x-functions-key", "wrong"), ("x-functions-key", "host")], ""),
        (401, [("x-functions-key", "wrong")], "code=host"),
        (401, [("x-functions-key", "")], "code=host"),
        (200, [("x-functions-key", "host")], "code=wrong"),
    ],
)
def test_a_key_opens_a_function_or_is_401_with_nothing_said(
    status: int, headers: list[tuple[str, str]], query: str
) -> None:
    answer, calls = asked(ALL, "/api/read", *headers, query=query)

    assert (answer.status, answer.body, len(calls)) == (status, b"", int(status == 200))
    assert answer.headers == []


def test_a_functions_own_key_opens_no_other_and_everybody_may_see_what_is_anonymous() -> None:
    own = ("x-functions-key", "own")

    assert asked(ALL, "/api/write", own, method="POST")[0].status == 401
    assert asked(ALL, "/api/health", ("x-functions-key", "wrong"))[0].status == 200


@pytest.mark.parametrize("path", ["/api/read", "/api/health", "/api/unknown", "/API/READ/"])
def test_another_method_is_404_before_any_key_is_looked_at(path: str) -> None:
    for method in ("DELETE", "HEAD", "OPTIONS"):
        answer, _ = asked(ALL, path, method=method)
        assert (answer.status, answer.headers) == (404, [])


JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize(
    ("status", "key", "kind", "body"),
    [
        (401, None, JSON, b"{}"),
        (401, "own", JSON, b"{}"),
        (403, "host", JSON, b"{}"),
        (403, "system", JSON, b"{}"),
        (202, "master", JSON, b"{}"),
        (202, "master", ("content-type", "application/json; charset=utf-8"), b'{"input": ""}'),
        (415, "master", ("Content-Type", "text/plain"), b"{}"),
        (415, "master", ("X", "y"), b"{}"),
        (400, "master", JSON, b""),
        (400, "master", JSON, b"[]"),
        (400, "master", JSON, b"{"),
    ],
)
def test_a_timer_is_fired_by_the_master_key_and_an_object(
    status: int, key: str | None, kind: tuple[str, str], body: bytes
) -> None:
    headers = [kind, *([("x-functions-key", key)] if key else [])]

    answer, _ = asked(ALL, "/admin/functions/poll", *headers, method="POST", body=body)

    assert (answer.status, answer.body) == (status, b"")
    assert answer.headers == ([("WWW-Authenticate", "Bearer")] if status == 401 else [])


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/admin/host/status", "GET", 200),
        ("/admin/host/keys", "GET", 200),
        ("/admin/functions", "GET", 200),
        ("/admin/functions/read", "GET", 200),
        ("/admin/functions/poll/status", "GET", 200),
        ("/admin/functions/unknown/status", "GET", 404),
        ("/admin/functions/poll", "PUT", 500),
    ],
)
def test_admin_is_for_the_master_key(path: str, method: str, status: int) -> None:
    refused = [asked(ALL, path, ("x-functions-key", key), method=method)[0].status for key in ("own", "host")]

    assert refused == [401, 403]
    assert asked(ALL, path, ("x-functions-key", "master"), method=method)[0].status == status


@pytest.mark.parametrize("path", ["/admin/host/ping", "/admin/warmup"])
def test_anybody_may_ask_whether_the_host_is_there(path: str) -> None:
    assert asked(ALL, path)[0].status == 200


@pytest.mark.parametrize("keys", [Keys(), Keys(host="host")])
def test_where_there_is_no_master_key_the_hosts_opens_admin_and_without_keys_everybody_may(
    keys: Keys,
) -> None:
    sent = [("x-functions-key", "host")] if keys.host else []

    assert asked(keys, "/admin/host/status", *sent)[0].status == 200


def test_the_function_sees_the_key_forged_headers_and_what_the_host_adds() -> None:
    _, [call] = asked(
        ALL,
        "/api/read",
        ("Host", "a"),
        ("X-MS-CLIENT-PRINCIPAL-NAME", "ceo@example.com"),
        ("x-azure-functions-invocationid", "forged"),
        query="code=host&q=1&q=2&empty=",
    )

    assert isinstance(call, HttpCall)
    assert call.url == "http://a/api/read?code=host&q=1&q=2&empty="
    assert call.params == {"code": "host", "q": "1,2"}
    assert call.headers["x-ms-client-principal-name"] == "ceo@example.com"
    assert call.headers["x-azure-functions-invocationid"] == f"forged,{call.invocation_id}"
    assert call.headers["x-azure-functions-hostversion"] == VERSION
    assert "traceparent" not in call.headers


def test_the_root_is_a_page() -> None:
    answer, _ = asked(ALL, "/")

    assert (answer.status, answer.headers) == (200, [("Content-Type", "text/html")])
    assert answer.body.startswith(b"<!DOCTYPE html>")


def test_the_same_rules_hold_in_one_process() -> None:
    app = func.FunctionApp()

    @app.route("read")
    def read(req: func.HttpRequest) -> str:
        return "read"

    host = FunctionHost(app.get_functions(), function_key="host", function_keys={"read": "own"})

    statuses = [
        host.answer(Requested("GET", "/api/read", f"code={key}", [])).status for key in ("host", "own", "x")
    ]
    assert statuses == [200, 200, 401]
