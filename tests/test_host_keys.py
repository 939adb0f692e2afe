"""Keys of the stand-in where the table of the host's answers does not reach."""

from __future__ import annotations

import azure.functions as func
import pytest

from sandbox.calls import Answer
from sandbox.function_host import Functions
from sandbox.in_process import FunctionHost
from sandbox.invocation import info_of
from sandbox.keys import Keys
from sandbox.requested import Requested

pytestmark = pytest.mark.slow

ALL = Keys(host="host", own=(("read", "own"), ("read", "ops")), system="system", master="master")


def asked(keys: Keys, path: str, key: str = "", method: str = "GET") -> int:
    """Ask an app with a route and a timer, and return the status."""
    app = func.FunctionApp()

    @app.route("read", methods=["GET"])
    def read(req: func.HttpRequest) -> str:
        return "read"

    @app.timer_trigger(arg_name="timer", schedule="0 * * * * *")
    def poll(timer: func.TimerRequest) -> None: ...

    functions = Functions([info_of(each) for each in app.get_functions()], lambda _: Answer(200), keys=keys)
    headers = [("x-functions-key", key)] if key else []
    return functions.answer(Requested(method, path, "", headers)).status


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
    assert [asked(ALL, path, key, method) for key in ("own", "host", "master")] == [401, 403, status]


@pytest.mark.parametrize("keys", [Keys(), Keys(host="host")])
def test_where_there_is_no_master_key_the_hosts_opens_admin_and_without_keys_everybody_may(
    keys: Keys,
) -> None:
    assert asked(keys, "/admin/host/status", keys.host or "") == 200


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
