"""The gate asks a deployment over HTTP, and tells its faults apart, each by a code and a sentence."""

from __future__ import annotations

import json
import runpy
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from bridge import World
from werkzeug.wrappers import Request, Response

from coupa_core import __version__, gate
from coupa_core.gate import __main__ as command
from coupa_core.gate import asking, checkout, health
from coupa_core.hosting import THREADS
from coupa_core.report import Cause
from sandbox.clock import ManualClock
from sandbox.serving import served

MASTER, OPERATORS = "canary-master-key", "canary-operators-key"
LIMITS = {"max_concurrent": 100, "max_outstanding": 100, "function_timeout_s": 120.0, "threads": 100}


def said(body: Any, status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(json.dumps(body), status=status, mimetype="application/json")


def ill(cause: str | None = None) -> Response:
    """Return what health answers when it is red."""
    return said({"status": "failing"} | ({"cause": cause} if cause else {}), 503)


WELL = said({"status": "ok"})


@dataclass
class Deployment:
    """What stands at the address: answers by path, in their order; the last one stays.

    Attributes:
        answers: by path; other paths are 404 without a body.
        is_earlier: its health knows no query, as that of 0.2.0.
        asked: the paths, in order.
        keys: sent with each.
    """

    answers: dict[str, list[Response]]
    is_earlier: bool = False
    asked: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)

    def wsgi(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.args.get("since") == health.UNREADABLE and not self.is_earlier:
            return ill("bad_since")(environ, start_response)
        self.asked.append(request.path)
        self.queries.append(dict(request.args))
        self.keys.append(request.headers.get("x-functions-key", ""))
        left = self.answers.get(request.path, [Response(status=404)])
        return (left.pop(0) if len(left) > 1 else left[0])(environ, start_response)


@dataclass
class Told:
    """How the command ended.

    Attributes:
        clock: what the command went by.
    """

    status: int
    out: str
    clock: ManualClock
    waited_s: float

    def codes(self, verdict: str = "wrong") -> list[str]:
        lines = [line.split(None, 1) for line in self.out.splitlines()]
        return [rest.partition(":")[0] for kind, rest in lines if kind == verdict]


Run = Callable[..., Told]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return the command: it asks what stands at an address, with a clock that only moves when it waits."""

    def asked(
        answers: dict[str, list[Response]] | Deployment, *arguments: str, path: str = "", **keys: str
    ) -> Told:
        clock = ManualClock()
        began = clock.monotonic()
        place = answers if isinstance(answers, Deployment) else Deployment(answers)
        with served(place.wsgi) as url:
            status = command.main([url + path, *arguments], environment=keys, clock=clock)
        out = capsys.readouterr().out
        assert not [key for key in keys.values() if key and key in out]
        return Told(status, out, clock, clock.monotonic() - began)

    return asked


def test_what_works_passes_in_one_line_that_says_no_more_than_is_known(run: Run) -> None:
    since = "2026-12-01T08:00:00Z"

    told = run({"/api/health": [WELL]}, "--version", "1.2.3+abc", "--since", since)
    last = run({"/api/health": [WELL]}, "--version", "1.2.3+abc", "--since", "")

    assert (told.status, told.waited_s) == (0, 0)
    assert told.out == (
        f"ok    health: a complete sweep that began at {since} or later has ended, by 1.2.3+abc, and nothing "
        "is owed for 15 minutes or longer; what DRY_RUN or PILOT holds back does not count as owed\n"
    )
    assert last.out.startswith(
        "ok    health: a sweep ended in the last 15 minutes, by 1.2.3+abc, and nothing"
    )


def of_release(*names: str) -> Callable[[Any, Any], Any]:
    """Return a deployment whose health knows itself by these names."""

    @Request.application
    def front(request: Request) -> Response:
        if request.args.get("since") == health.UNREADABLE:
            return ill("bad_since")
        return WELL if request.args.get("version", names[0]) in names else ill("other_version")

    return front


@pytest.mark.parametrize("red", [False, True])
def test_an_earlier_release_is_red_also_where_it_is_green(run: Run, red: bool) -> None:  # noqa: FBT001 - the case
    """That of 0.2.0 has the version of this one until the next release, and takes any query."""
    told = run(Deployment({"/api/health": [ill() if red else WELL]}, is_earlier=True), "--wait", "30")

    assert (told.status, told.codes(), told.waited_s) == (1, ["earlier_release"], 30)


@pytest.mark.parametrize(
    ("answers", "arguments", "status", "notes"),
    [
        ("1.2.3+0123456789ab", [], 0, []),
        ("1.2.3", [], 0, ["1.2.3 answers without a commit: which one it is was not compared"]),
        ("1.2.3+fedcba987654", [], 1, ["asked again until it passes"]),
        ("1.2.4", [], 1, ["asked again until it passes"]),
        ("1.2.4", ["--version", "1.2.4+abc"], 1, ["asked again until it passes"]),
        ("1.2.4+abc", ["--version", "1.2.4+abc"], 0, []),
        ("1.2.4", ["--version", "any"], 0, ["which release answers was not compared"]),
    ],
)
def test_the_release_is_compared_with_the_folder_that_the_gate_runs_from(  # noqa: PLR0917 - two fixtures
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: str,
    arguments: list[str],
    status: int,
    notes: list[str],
) -> None:
    monkeypatch.setattr(command, "releases_of", lambda: ("1.2.3+0123456789ab", "1.2.3"))

    with served(of_release(answers)) as url:
        ended = command.main([url, "--wait", "9", *arguments], environment={}, clock=ManualClock())
    lines = capsys.readouterr().out.splitlines()

    assert ended == status
    assert [line.partition(": ")[2] for line in lines if line.startswith("note")] == notes
    if status:
        wanted = arguments[1] if arguments else "1.2.3+0123456789ab or 1.2.3"
        assert f"wrong other_version: another release answers than {wanted}: " in lines[-1]


def test_what_is_wrong_after_another_name_of_the_release_is_said_of_the_release(
    monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setattr(command, "releases_of", lambda: ("1.2.3+0123456789ab", "1.2.3"))

    told = run({"/api/health": [ill("other_version"), ill("not_swept_yet")]}, "--wait", "0")

    assert told.codes() == ["not_swept_yet"]


def package(folder: Path) -> Path:
    (folder / "coupa_core").mkdir()
    return folder / "coupa_core"


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_folders_release_is_the_version_with_its_commit_or_the_bare_one(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    folder = package(tmp_path)
    assert checkout.releases_of(folder) == (__version__,)  # no commit yet

    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "x")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert checkout.releases_of(folder) == (f"{__version__}+{commit[:12]}", __version__)

    (folder / "release.txt").write_text("1.2.3+abc\n")  # it was packed, and says itself what it is
    assert checkout.releases_of(folder) == ("1.2.3+abc",)


def test_without_a_git_that_answers_the_folder_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / "not-there"))
    assert checkout.releases_of(package(tmp_path)) == (__version__,)

    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert checkout.releases_of(tmp_path / "coupa_core") == (__version__,)


@pytest.mark.parametrize("path", ["/", "/api", "/api/"])
def test_the_address_may_end_with_a_slash_or_with_the_prefix(run: Run, path: str) -> None:
    assert run({"/api/health": [WELL]}, path=path).status == 0


def test_a_sweep_from_now_on_is_asked_for_and_what_else_is_wanted(run: Run) -> None:
    place = Deployment({"/api/health": [WELL]})

    told = run(place)
    run(place, "--since", "2026-12-01T08:00:00Z", "--version", "1.2.3+abc")
    run(place, "--since", "", "--version", "any")

    assert place.queries == [
        {"since": told.clock.now().isoformat(), "version": checkout.releases_of()[0]},
        {"since": "2026-12-01T08:00:00Z", "version": "1.2.3+abc"},
        {},
    ]


def test_what_health_says_is_told_in_a_sentence_for_each_cause(run: Run) -> None:
    for cause in Cause:
        told = run({"/api/health": [ill(cause)]}, "--wait", "0", "--version", "1.2.3")

        assert (told.status, told.codes()) == (1, [cause.value])
        assert told.out == f"wrong {cause}: {gate.SAYS[cause].format(cause='1.2.3')}\n"
    assert len(set(gate.SAYS.values())) == len(gate.SAYS)


HOST_PAGE = [Response("<html>Your Functions 4.0 app is up and running</html>")]
OTHER_PAGE = [Response("<html>parked</html>")]
BOTH = "no_app_or_wrong_address"
NO_APP = {"/admin/host/ping": [Response()], "/": HOST_PAGE}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (NO_APP, "no_app"),
        ({"/": HOST_PAGE}, "no_app"),
        ({"/": [Response("<h1>Your Azure Function App is up and running.</h1>")]}, "no_app"),
        ({"/admin/host/ping": [Response(status=401)], "/": [Response(status=401)]}, BOTH),
        ({"/admin/host/ping": [Response(status=403)]}, BOTH),
        ({"/": [Response(status=401)]}, BOTH),
        ({"/": [Response("<h1>Functions of our town hall</h1>")]}, "wrong_address"),
        ({"/admin/host/ping": OTHER_PAGE, "/": OTHER_PAGE}, "wrong_address"),
        ({**dict.fromkeys(("/api/health", "/admin/host/ping"), OTHER_PAGE), "/": HOST_PAGE}, "wrong_address"),
        ({"/": OTHER_PAGE}, "wrong_address"),
        ({}, "wrong_address"),
        ({"/api/health": OTHER_PAGE}, "wrong_address"),
        ({"/api/health": [said(["ok"])]}, "wrong_address"),
        ({"/api/health": [said({"status": "ok"}, 404)]}, "wrong_address"),
        ({"/api/health": [Response(status=301, headers={"Location": "/api/elsewhere"})]}, "wrong_address"),
        ({"/api/health": [ill()]}, "earlier_release"),
        ({"/api/health": [ill("of-a-later-release")]}, "other_version"),
        ({"/api/health": [Response(status=500)]}, "worker_ends"),
        ({"/api/health": [Response(status=503)]}, "not_started"),
        ({"/api/health": [Response(status=502)]}, "not_started"),
        ({"/api/health": [Response(status=401)]}, "refused"),
        ({"/api/health": [Response("Site Disabled", status=403)]}, "refused"),
    ],
)
def test_what_stands_in_the_place_of_health_is_told_apart(
    run: Run, answers: dict[str, list[Response]], code: str
) -> None:
    told = run(answers, "--wait", "0")

    assert (told.status, told.codes()) == (1, [code])
    assert "{" not in told.out


def test_where_nobody_answers_the_cause_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with served(Deployment({}).wsgi) as url:
        pass  # nobody is there any more

    status = command.main([url, "--wait", "0"], environment={}, clock=ManualClock())

    assert (status, capsys.readouterr().out) == (
        1,
        "wrong unreachable: nothing answers at this address: Connection refused\n",
    )


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (TimeoutError("timed out"), "no answer in time"),
        (ssl.SSLError(1, "x"), "TLS: no agreement"),
        (URLError(ssl.SSLError(1, "x")), "TLS: no agreement"),
        (URLError("odd"), "URLError"),
        (OSError(113, "No route to host"), "No route to host"),
        (OSError("odd"), "OSError"),
        (ValueError(f"bad header {MASTER}"), "ValueError"),
    ],
)
def test_why_no_answer_came_is_said_without_what_was_sent(error: Exception, cause: str) -> None:
    assert asking._cause(error) == cause


def test_an_answer_that_is_cut_off_is_no_answer() -> None:
    def cut(environ: Any, start_response: Any) -> list[bytes]:
        start_response(environ["PATH_INFO"][1:], [("Content-Length", "100")])
        return [b"half"]

    with served(cut) as url:
        for status in ("200 OK", "503 Service Unavailable"):
            answer = gate.Deployment(url).get(f"/{status}".replace(" ", "%20"))
            assert (answer.status, answer.failure) == (0, "IncompleteRead")


def test_what_is_not_there_yet_is_waited_for_and_what_it_waits_for_is_told_once(run: Run) -> None:
    answers = [
        *([Response(status=503)] * 2),
        *([ill("ledger")] * 2),
        *([ill("not_swept_yet")] * 9),
        WELL,
    ]

    told = run({"/api/health": answers})

    assert (told.status, told.waited_s) == (0, 13 * health.PAUSE_S)
    assert told.codes("note") == ["not_started", "ledger", "not_swept_yet"]
    assert told.codes("ok") == ["health"]


def test_waiting_ends_with_what_is_still_wrong(run: Run) -> None:
    told = run({"/api/health": [ill("not_swept_yet")]}, "--wait", "95")

    assert (told.status, told.codes(), told.waited_s) == (1, ["not_swept_yet"], 95)


@pytest.mark.parametrize("cause", ["settings", "schedule_never", "schedule_refused", "rare_schedule"])
def test_what_only_an_operator_can_mend_is_waited_for_no_longer_than_a_minute(run: Run, cause: str) -> None:
    told = run({"/api/health": [ill(cause)]}, "--wait", "600")

    assert (told.codes(), told.waited_s) == ([cause], health.MINUTE_S)


@pytest.mark.parametrize("wait", ["0", "600"])
def test_a_crowd_is_quiet_for_a_minute_and_told_after_it(run: Run, wait: str) -> None:
    crowded = [Response(status=429, headers={"X-FUNCTION-SCALEOUT": "1"})]

    passing = run({"/api/health": [*crowded * 5, WELL]}, "--wait", wait)
    lasting = run({"/api/health": crowded}, "--wait", wait)

    assert (passing.status, passing.codes("note")) == (0, ["crowd"])
    assert (lasting.status, lasting.codes(), lasting.waited_s) == (1, ["crowd"], health.MINUTE_S)


HOST_OK = said({"state": "Running"})
PLANNED = said({"config": {"bindings": [{"type": "timerTrigger", "schedule": "0 * * * * *"}]}})
OF_TIMER = "/admin/functions/poll_approvals"


def host(timer: Response | None = None, function: Response | None = None) -> dict[str, list[Response]]:
    """Return what a host with an open /admin answers."""
    return {
        "/api/health": [ill("no_sweep_yet")],
        "/admin/host/status": [HOST_OK],
        f"{OF_TIMER}/status": [timer or said({})],
        OF_TIMER: [function or PLANNED],
    }


def scheduled(schedule: Any) -> Response:
    """Return how the host has the timer with a schedule."""
    return said({"config": {"bindings": [{"type": "timerTrigger", "schedule": schedule}]}})


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        (host(said({"errors": ["The schedule expression is invalid."]})), "timer_in_error"),
        (host(Response(status=404)), "no_timer"),
        (host(function=said({"isDisabled": True})), "timer_off"),
        (host(function=scheduled("0 0 0 31 2 *")), "timer_never"),
        ({**host(), "/admin/host/status": [said({"errors": ["No storage."]})]}, "host_error"),
    ],
)
def test_with_the_master_key_the_host_is_asked_of_its_timer(
    run: Run, answers: dict[str, list[Response]], code: str
) -> None:
    place = Deployment(answers)

    told = run(place, "--wait", "0", MASTER_KEY=f" {MASTER}\n")

    assert told.codes()[:2] == ["no_sweep_yet", code]
    assert [key for path, key in zip(place.asked, place.keys, strict=True) if path == "/api/health"] == [""]
    assert {key for path, key in zip(place.asked, place.keys, strict=True) if "/admin/" in path} == {MASTER}


@pytest.mark.parametrize(
    "function",
    [
        PLANNED,
        scheduled("%POLL_SCHEDULE%"),
        scheduled(None),
        said({"config": {"bindings": ["x", {"schedule": "0 * * * * *"}]}}),
    ],
)
def test_a_timer_of_which_the_host_says_nothing_wrong_runs(run: Run, function: Response) -> None:
    told = run({**host(said({"errors": None}), function), "/api/health": [WELL]}, MASTER_KEY=MASTER)

    assert (told.status, told.codes("ok")) == (0, ["health", "timer"])


UNHEARD = [
    *(Response(status=status) for status in (301, 401, 403, 429, 500, 503)),
    Response("{", status=200),
    said([]),
    said({"errors": 7}),
]


@pytest.mark.parametrize("answer", UNHEARD)
@pytest.mark.parametrize("path", [f"{OF_TIMER}/status", OF_TIMER])
def test_a_timer_of_which_the_host_says_nothing_readable_is_not_said_to_run(
    run: Run, path: str, answer: Response
) -> None:
    told = run({**host(), "/api/health": [WELL], path: [answer]}, MASTER_KEY=MASTER)

    assert (told.status, told.codes("ok"), told.codes("note")[-1]) == (0, ["health"], "admin_silent")
    assert ("cannot be read" if answer.status_code == 200 else f"HTTP {answer.status_code}") in told.out


@pytest.mark.parametrize(
    "function",
    [
        Response(status=404),
        said({}),
        said({"config": 7}),
        said({"config": {"bindings": 7}}),
        said({"config": {"bindings": ["x"]}}),
    ],
)
def test_a_timer_without_a_schedule_that_can_be_read_is_not_said_to_come(
    run: Run, function: Response
) -> None:
    told = run({**host(function=function), "/api/health": [WELL]}, MASTER_KEY=MASTER)

    assert (told.status, told.codes("ok"), told.codes("note")[-1]) == (0, ["health"], "admin_silent")


def test_a_host_that_hangs_is_not_heard(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    get = asking.Deployment.get

    def hanging(self: asking.Deployment, path: str, *arguments: Any, **options: Any) -> asking.HttpAnswer:
        if path.endswith("poll_approvals/status"):
            return asking.HttpAnswer(0, failure="no answer in time")
        return get(self, path, *arguments, **options)

    monkeypatch.setattr(asking.Deployment, "get", hanging)

    told = run({**host(), "/api/health": [WELL]}, MASTER_KEY=MASTER)

    assert (told.codes("ok"), told.codes("note")[-1]) == (["health"], "admin_silent")
    assert "no answer in time" in told.out


@pytest.mark.parametrize("state", ["Error", "Offline", "Stopped"])
def test_a_host_in_error_is_red_also_where_it_names_no_cause(run: Run, state: str) -> None:
    answers = {**host(), "/api/health": [WELL], "/admin/host/status": [said({"state": state, "errors": []})]}

    told = run(answers, MASTER_KEY=MASTER)

    assert (told.status, told.codes(), told.codes("ok")) == (1, ["host_error"], ["health"])
    assert f"its state is {state.lower()}" in told.out


@pytest.mark.parametrize("answer", [said({}), said({"state": 7}), said([]), Response("<html>")])
def test_a_host_that_names_no_state_is_not_heard(run: Run, answer: Response) -> None:
    told = run({**host(), "/api/health": [WELL], "/admin/host/status": [answer]}, MASTER_KEY=MASTER)

    assert (told.codes("ok"), told.codes("note")[-1]) == (["health"], "admin_silent")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_admin_that_is_closed_is_said_and_is_no_fault(run: Run, status: int) -> None:
    """The templates close it."""
    told = run({"/api/health": [WELL], "/admin/host/status": [Response(status=status)]}, MASTER_KEY=MASTER)

    assert (told.status, told.codes("note")) == (0, ["admin_closed"])


def test_an_admin_that_fails_is_said(run: Run) -> None:
    told = run({"/api/health": [WELL], "/admin/host/status": [Response(status=500)]}, MASTER_KEY=MASTER)

    assert (told.status, told.codes("note")) == (0, ["admin_silent"])
    assert "HTTP 500" in told.out


def test_with_the_operators_key_the_numbers_of_the_deployment_are_judged(run: Run) -> None:
    place = Deployment({"/api/health": [WELL], "/api/status": [said({"limits": LIMITS, "failure": ""})]})

    told = run(place, OPERATORS_KEY=OPERATORS)

    assert (told.status, told.codes("ok")) == (0, ["health", "host.json"])
    assert dict(zip(place.asked, place.keys, strict=True)) == {"/api/health": "", "/api/status": OPERATORS}


@pytest.mark.parametrize(
    ("status", "verdict", "code"),
    [
        (said({"limits": {**LIMITS, "threads": 8}}), "wrong", "host.json"),
        (said({"limits": {**LIMITS, "max_concurrent": 0}}), "wrong", "host.json"),
        (said({"limits": {**LIMITS, "max_outstanding": -2}}), "wrong", "host.json"),
        (said({"limits": {**LIMITS, "max_outstanding": None}}), "wrong", "host.json"),
        (said({"limits": {**LIMITS, "threads": 0}}), "wrong", "host.json"),
        (said({"limits": {**LIMITS, "function_timeout_s": 30}}), "wrong", "host.json"),
        (said({"limits": {}}), "wrong", "limits"),
        (said({"limits": 7}), "wrong", "limits"),
        (said({"limits": {**LIMITS, "threads": None}}), "wrong", "limits"),
        (said({"limits": {**LIMITS, "threads": "8"}}), "wrong", "limits"),
        (said({"limits": {**LIMITS, "max_concurrent": True}}), "wrong", "limits"),
        (said({"limits": {**LIMITS, "max_concurrent": 1.5}}), "wrong", "limits"),
        (said({"limits": {**LIMITS, "function_timeout_s": "120"}}), "wrong", "limits"),
        (said({}), "note", "limits"),
        (said({"limits": LIMITS, "failure": "coupa_token_401"}), "note", "last_sweep"),
        (Response(status=401), "wrong", "operators_key"),
        (said({"error": "settings", "message": "X: is missing."}, 500), "note", "status"),
        (Response(status=429), "note", "status"),
        (Response("<html>", status=200), "note", "status"),
        (said({"error": "no_caller", "message": "The request has no Entra token."}, 401), "note", "status"),
    ],
)
def test_the_status_says_what_does_not_fit(run: Run, status: Response, verdict: str, code: str) -> None:
    told = run({"/api/health": [WELL], "/api/status": [status]}, OPERATORS_KEY=OPERATORS)

    assert code in told.codes(verdict)
    assert told.status == (1 if verdict == "wrong" else 0)


def test_a_401_is_said_with_all_its_causes_and_the_key_is_not_blamed_for_a_missing_token(run: Run) -> None:
    of_host = run({"/api/health": [WELL], "/api/status": [Response(status=401)]}, OPERATORS_KEY=OPERATORS)
    of_app = run(
        {"/api/health": [WELL], "/api/status": [said({"error": "no_caller"}, 401)]}, OPERATORS_KEY=OPERATORS
    )

    assert "infra/keys.bicepparam" in of_host.out
    assert "wait ten minutes" in of_host.out
    assert "Entra" in of_host.out
    assert "a token of Entra" in of_app.out
    assert "keys.bicepparam" not in of_app.out


GROUPS = [
    {"place": "waiting", "cause": "dry_run", "count": 3},
    {"place": "waiting", "cause": "pilot", "count": 2},
    7,
]


@pytest.mark.parametrize(
    ("part", "note"),
    [
        ({"groups": GROUPS}, "dry_run: DRY_RUN is on, and nobody is told while it is: 3 wait"),
        (
            {"pilot": {"is_on": True, "waiting": 2}},
            "pilot: PILOT is on, and only those whom it names are told: 2 wait",
        ),
        ({"owed": {"count": 4}}, "owed: 4 approvals have an owed message now"),
        ({"owed": {"count": 1}}, "owed: 1 approval has an owed message now"),
        ({"groups": 7, "pilot": {"is_on": False}, "owed": {"count": "4"}}, ""),
        ({"groups": [], "pilot": 7, "owed": 7}, ""),
    ],
)
def test_who_is_not_told_although_health_is_green_is_named(run: Run, part: dict[str, Any], note: str) -> None:
    place = {"/api/health": [WELL], "/api/status": [said({"limits": LIMITS, **part})]}

    told = run(place, "--version", "1.2.3+abc", OPERATORS_KEY=OPERATORS)

    assert told.status == 0
    assert told.out.count("note ") == bool(note)
    assert note in told.out


def test_the_message_of_a_setting_and_the_failure_of_a_sweep_are_shown(run: Run) -> None:
    missing = said({"error": "settings", "message": "The bridge is not configured: X: is missing."}, 500)

    of_settings = run({"/api/health": [WELL], "/api/status": [missing]}, OPERATORS_KEY=OPERATORS)
    of_coupa = run(
        {"/api/health": [WELL], "/api/status": [said({"failure": "coupa_401"})]}, OPERATORS_KEY=OPERATORS
    )

    assert "status: cannot be read: The bridge is not configured: X: is missing." in of_settings.out
    assert "the last sweep ended with coupa_401" in of_coupa.out


def test_a_redirect_takes_no_key_along(run: Run) -> None:
    away = Response(status=302, headers={"Location": "/elsewhere"})
    place = Deployment({"/api/health": [WELL], "/admin/host/status": [away], "/api/status": [away]})

    run(place, MASTER_KEY=MASTER, OPERATORS_KEY=OPERATORS)

    assert "/elsewhere" not in place.asked


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["approvals.example.com"],
        ["ftp://approvals.example.com"],
        ["https://"],
        ["https://approvals.example.com/?code=canary-master-key"],
        ["https://user:canary-master-key@approvals.example.com"],
        ["https://approvals.example.com", "--wait", "long"],
        ["http://approvals.example.com"],  # a key would be read on its way
    ],
)
def test_called_wrongly_it_asks_nobody_and_ends_with_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments, environment={"MASTER_KEY": MASTER}, clock=ManualClock())

    assert ended.value.code == 2
    assert MASTER not in "".join(capsys.readouterr())


def test_keys_come_by_the_environment_and_by_no_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--help"])

    out = capsys.readouterr().out
    assert "MASTER_KEY in the environment" in out
    assert "-key" not in out


@contextmanager
def bridged(world: World) -> Iterator[str]:
    """Serve health and status of a whole bridge."""

    @Request.application
    def front(request: Request) -> Response:
        reply = world.call(request.path.rpartition("/")[2], query=dict(request.args))
        return Response(reply.text(), status=reply.status, mimetype=reply.mimetype)

    with served(front) as url:
        yield url


def test_a_whole_bridge_passes_after_a_sweep_and_says_why_not_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(THREADS, "100")
    world = World()
    world.requisition("jamie@example.com")

    def gate_says(url: str) -> tuple[int, str]:
        arguments = [url, "--wait", "0", "--since", began]
        status = command.main(arguments, environment={"OPERATORS_KEY": "x"}, clock=ManualClock())
        return status, capsys.readouterr().out

    with bridged(world) as url:
        began = world.clock.now().isoformat()
        before = gate_says(url)
        world.coupa.front.fail("answer", status=500, times=None)
        world.sweep()
        failing = gate_says(url)
        world.coupa.front.heal()
        world.sweep()
        after = gate_says(url)

    assert before[0] == failing[0] == 1
    assert before[1].startswith("wrong not_swept_yet:")
    assert failing[1].startswith("wrong sweep_failing:")
    assert "the last sweep ended with coupa_500" in failing[1]
    assert after[0] == 0
    assert after[1].startswith(f"note  version: {__version__} answers without a commit")
    assert "\nok    health:" in after[1]


@pytest.mark.parametrize(
    ("settings", "note"),
    [
        ({"DRY_RUN": "on"}, "dry_run: DRY_RUN is on, and nobody is told while it is: 1 wait"),
        ({"PILOT": "robin@example.com"}, "pilot: PILOT is on, and only those whom it names are told: 1 wait"),
    ],
)
def test_of_a_whole_bridge_that_tells_nobody_it_is_not_said_that_people_are_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], note: str
) -> None:
    monkeypatch.setenv(THREADS, "100")
    world = World(settings=settings)
    world.requisition("jamie@example.com")
    since = world.clock.now().isoformat()
    world.sweep()

    with bridged(world) as url:
        arguments = [url, "--wait", "0", "--since", since]
        status = command.main(arguments, environment={"OPERATORS_KEY": "x"}, clock=ManualClock())
    out = capsys.readouterr().out

    assert status == 0
    assert f"note  {note}" in out
    assert "all is told" not in out


def test_it_runs_on_a_python_without_packages() -> None:
    """Nobody's package runs beside the deployment's rights."""
    root = Path(gate.__file__).parents[2]
    with served(of_release(*checkout.releases_of())) as url:
        done = subprocess.run(
            [sys.executable, "-SE", "-m", "coupa_core.gate", url],
            cwd=root,
            env={"NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert (done.returncode, done.stderr) == (0, "")
    assert "ok    health:" in done.stdout


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gate", "no address"])

    with pytest.raises(SystemExit) as ended, pytest.warns(RuntimeWarning):
        runpy.run_module("coupa_core.gate", run_name="__main__")

    assert ended.value.code == 2
