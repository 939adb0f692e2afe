"""Microsoft's own Python runtime finds every function of this app, and can call each one.

Offline stand-ins cannot show this: one wrong import, parameter or annotation and the cloud loads no function.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from spellings import AROUND, BASE, BLANKS, INSIDE, QUOTED, RIGHT

from coupa_core.errors import SettingsError
from coupa_core.routes import ROUTES
from coupa_core.schedule import timer_schedule
from coupa_core.settings import EASY_AUTH, read_settings

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 13) or importlib.util.find_spec("azure_functions_runtime") is None,
    reason="needs Python 3.13 and azure-functions-runtime: run make test ALL=1 with python3.13 installed",
)

ROOT = Path(__file__).parents[1]
DRIVER = ROOT / "tests" / "runtime_driver.py"

CLICK = {"headers": {"x-actor-email": "ann@x.test", "x-action-token": "t"}, "body": {"reason": "because"}}
REQUESTS = {
    "list_approvals": {"query": {"approver_email": "ann@x.test"}},
    "get_approval": {"headers": {"x-actor-email": "ann@x.test"}},
    "list_decisions": {"headers": {"x-actor-email": "ann@x.test"}},
    "approve": CLICK,
    "reject": CLICK,
    "hold": CLICK,
    "decision": CLICK | {"body": {"decision": "approve"}},
    "decide": CLICK | {"body": {"decision": "approve", "items": [{"id": "7", "token": "t"}]}},
    "comment": CLICK | {"body": {"comment": "why?"}},
    "notifications": {"body": {"message": "hello", "recipients": ["ann@x.test"]}},
    "resend": {"headers": {"x-actor-email": "ann@x.test"}},
    "resend_all": {"headers": {"x-actor-email": "ann@x.test", "idempotency-key": "once"}},
    "unpark": {"headers": {"x-actor-email": "ann@x.test"}},
    "mute": {"headers": {"x-actor-email": "ann@x.test"}, "body": {"hours": 8}},
}


def drive(app_dir: Path, *only: str, **settings: str) -> tuple[int, dict[str, Any], str]:
    """Load and call an app, or some functions of it, in a process with no environment but these settings.

    Returns:
        The exit status, the report, and all that was written.
    """
    command = [sys.executable, str(DRIVER), str(app_dir), *only]
    requests = json.dumps(REQUESTS)
    ended = subprocess.run(
        command, input=requests, env=settings, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout.splitlines()[-1]), ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def product() -> dict[str, Any]:
    """The report on this repository's own app, with no settings at all."""
    _, report, _ = drive(ROOT)
    assert report["load_error"] is None
    return report


def test_the_runtime_finds_every_function_where_the_contract_has_it(product: dict[str, Any]) -> None:
    triggers = {name: each["trigger"] for name, each in product["functions"].items()}
    timer = triggers.pop("poll_approvals")

    assert (timer["type"], timer["schedule"]) == ("timerTrigger", "0 * * * * *")
    assert {name: (each["methods"], each["route"]) for name, each in triggers.items()} == {
        route.name: ([route.method], route.path) for route in ROUTES
    }


def test_the_schedule_comes_from_its_setting() -> None:
    _, report, _ = drive(ROOT, POLL_SCHEDULE="30 */5 * * * *")

    assert report["functions"]["poll_approvals"]["trigger"]["schedule"] == "30 */5 * * * *"


def test_only_health_is_open_to_anyone(product: dict[str, Any]) -> None:
    triggers = {name: each["trigger"] for name, each in product["functions"].items()}
    triggers.pop("poll_approvals")
    levels = {name: str(trigger["authLevel"]).lower() for name, trigger in triggers.items()}

    assert levels.pop("health") == "anonymous"
    assert set(levels.values()) <= {"function", "admin"}


def test_without_settings_health_still_answers_in_json(product: dict[str, Any]) -> None:
    invocation = product["functions"]["health"]["invocation"]

    assert invocation["error"] is None
    assert invocation["status_code"] in {200, 503}
    assert isinstance(json.loads(invocation["body"]), dict)


@pytest.mark.parametrize("name", [route.name for route in ROUTES if route.caller])
def test_without_settings_a_function_answers_which_one_is_missing(product: dict[str, Any], name: str) -> None:
    invocation = product["functions"][name]["invocation"]

    assert invocation["error"] is None
    assert invocation["status_code"] in {500, 503}
    assert invocation["content_type"].startswith("application/json")
    assert "COUPA_BASE_URL" in json.dumps(json.loads(invocation["body"]))


def test_without_settings_the_timer_fails_alone_if_at_all_and_names_what_is_missing(
    product: dict[str, Any],
) -> None:
    # The driver calls it first; that the others answered after it is asserted above.
    error = product["functions"]["poll_approvals"]["invocation"]["error"]

    assert error is None or "COUPA_BASE_URL" in error


def test_a_setting_that_is_there_is_told_to_nobody_when_another_is_missing() -> None:
    _, report, written = drive(ROOT, COUPA_CLIENT_SECRET="made-up-secret", MOVEWORKS_API_KEY="made-up-key")

    assert report["load_error"] is None
    assert "made-up" not in written


APP = """
    import json
    import azure.functions as func

    app = func.FunctionApp()

    @app.route(route="approvals/{approval_id}/approve", methods=["POST"])
    def approve(req: func.HttpRequest) -> func.HttpResponse:
        seen = [req.route_params["approval_id"], req.headers["X-Actor-Email"], req.get_json()]
        return func.HttpResponse(json.dumps(seen), mimetype="application/json", status_code=202)

    @app.timer_trigger(arg_name="timer", schedule="%POLL_SCHEDULE%")
    def poll(timer: func.TimerRequest) -> None:
        assert not timer.past_due
"""


def write_app(folder: Path, old: str = "", new: str = "") -> Path:
    """Write a small app, after one change to it."""
    source = textwrap.dedent(APP)
    assert old in source
    (folder / "function_app.py").write_text(source.replace(old, new, 1), encoding="utf-8")
    return folder


def test_the_driver_reports_an_app_that_works(tmp_path: Path) -> None:
    status, report, _ = drive(write_app(tmp_path))

    assert (status, report["load_error"]) == (0, None)
    assert report["functions"]["poll"]["invocation"]["error"] is None
    assert report["functions"]["approve"]["invocation"] == {
        "error": None,
        "status_code": 202,
        "content_type": "application/json",
        "body": '["7", "ann@x.test", {"reason": "because"}]',
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("import json", "import not_there", "not_there"),
        ("import json", "import os; os.environ['COUPA_BASE_URL']", "COUPA_BASE_URL"),
        ("req: func.HttpRequest", "req: func.HttpRequest, retries: int = 3", "retries"),
        ("-> func.HttpResponse", "-> func.HttpResponse | None", "annotation"),
        ('arg_name="timer"', 'arg_name="tick"', "poll"),
        ("app = func.FunctionApp()", "app, other = func.FunctionApp(), func.FunctionApp()", "More than one"),
        ("def poll(", "def approve(", "unique function name"),
    ],
)
def test_the_driver_reports_an_app_that_the_cloud_would_not_load(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    status, report, _ = drive(write_app(tmp_path, old, new))

    assert status == 1
    assert message in report["load_error"]
    assert report["functions"] == {}


def test_the_driver_reports_a_folder_without_an_app(tmp_path: Path) -> None:
    status, report, _ = drive(tmp_path)

    assert status == 1
    assert report["load_error"]


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("return func.HttpResponse(json.dumps(seen), ", "return dict(", "approve"),
        ("seen = [", "seen = 1 / 0, [", "approve"),
        ("assert not timer.past_due", "assert timer.past_due", "poll"),
        ("assert not timer.past_due", "return 'text'", "poll"),
    ],
)
def test_the_driver_reports_a_call_that_fails(tmp_path: Path, old: str, new: str, name: str) -> None:
    status, report, _ = drive(write_app(tmp_path, old, new))

    assert (status, report["load_error"]) == (1, None)
    assert report["functions"][name]["invocation"]["error"]


def understood(**settings: str) -> tuple[dict[str, str], str, str]:
    """Return what the runtime finds in the app with these settings.

    Returns:
        The levels of the HTTP functions, the timer's schedule, and what a call says of wrong settings.
    """
    _, report, _ = drive(ROOT, "get_approval", "health", **settings)
    assert report["load_error"] is None
    triggers = {name: each["trigger"] for name, each in report["functions"].items()}
    schedule = triggers.pop("poll_approvals")["schedule"]
    said = json.loads(report["functions"]["get_approval"]["invocation"]["body"])
    is_well = said["error"] != "settings"
    complaint = "" if is_well else said["message"]
    assert report["functions"]["health"]["invocation"]["status_code"] == 503  # it has never swept
    levels = {name: str(trigger["authLevel"]).lower() for name, trigger in triggers.items()}
    return levels, schedule, complaint.removeprefix("The bridge is not configured: ").removesuffix(".")


LOCKED = {each.name: "anonymous" if each.name == "health" else "function" for each in ROUTES}
SPELLINGS = [*BLANKS[1:], *AROUND, *QUOTED, *INSIDE, ","]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
def test_the_runtime_understands_every_setting_as_the_app_does(spelling: str) -> None:
    """All settings at once are blank, or have blanks or quotes around their right values."""
    given = {name: spelling.replace("{0}", "{}").replace("{}", right) for name, right in RIGHT.items()}
    # A company has one channel.
    given |= {EASY_AUTH: "True", "MOVEWORKS_LISTENER_ID": ""}
    try:
        read_settings(given)
        complaint = ""
    except SettingsError as error:
        complaint = str(error)

    assert understood(**given) == (LOCKED, timer_schedule(given), complaint)
    assert (complaint == "") is (spelling in AROUND)


ENTRA = ["ENTRA_CLIENTS", "ENTRA_CLIENT_IDS"]


@pytest.mark.parametrize("blank", [" ", "\t", "\r", "\u00a0"], ids=ascii)
def test_the_runtime_finds_every_door_locked_when_blanks_stand_for_the_clients(blank: str) -> None:
    assert understood(**BASE | dict.fromkeys(ENTRA, blank)) == (LOCKED, "0 * * * * *", "")


@pytest.mark.parametrize("schedule", ["99 99 * * * *", "0 0 8 * * 7", "0 * 22-6 * * *", "*/5 * * * *"])
def test_the_runtime_finds_the_timer_also_where_its_schedule_is_wrong(schedule: str) -> None:
    levels, found, complaint = understood(**BASE | {"POLL_SCHEDULE": schedule})

    assert (levels, found) == (LOCKED, "0 * * * * *")
    assert complaint.startswith("POLL_SCHEDULE: has ")
