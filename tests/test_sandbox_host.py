"""The stand-in for the Functions host, where the table of the host's answers does not reach."""

from __future__ import annotations

import doctest
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
import requests

from sandbox import ncrontab, routing
from sandbox.clock import ManualClock
from sandbox.in_process import FunctionHost
from sandbox.ncrontab import Schedule, ScheduleError
from sandbox.serving import InProcess, served
from sandbox.timers import keep

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def echo(req: func.HttpRequest) -> func.HttpResponse:
    body = {
        "method": req.method,
        "url": req.url,
        "actor": req.headers.get("x-actor-email"),
        "params": dict(req.params),
        "route_params": dict(req.route_params),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(str(body), headers={"X-Answer": "yes"}, status_code=201)


def routed(handler: Callable[..., Any], route: str | None = "x", **details: Any) -> Any:
    """Return the functions of an app with this one HTTP function."""
    app = func.FunctionApp()
    app.route(route=route, **details)(handler)
    return app.get_functions()


def timed(
    handler: Callable[[func.TimerRequest], Any], schedule: str = "0 * * * * *", name: str = "poll"
) -> Any:
    """Return the functions of an app with this one timer function."""
    app = func.FunctionApp()
    app.function_name(name)(app.timer_trigger(arg_name="timer", schedule=schedule)(handler))
    return app.get_functions()


def call(host: FunctionHost, method: str, path: str, **details: Any) -> requests.Response:
    session = requests.Session()
    session.mount("http://host.test", InProcess(host.wsgi))
    return session.request(method, f"http://host.test{path}", timeout=5, **details)


def test_a_request_reaches_the_function_as_azure_would_hand_it_over() -> None:
    host = FunctionHost(routed(echo, "approvals/{approval_id}/approve", methods=["POST"]))

    answer = call(
        host,
        "POST",
        "/api/approvals/a%2Fb%20c/approve?q=1&q=2&empty=&r=%2B",
        headers={"X-Actor-Email": "ann@x.test"},
        data=b"{}",
    )

    assert (answer.status_code, answer.headers["X-Answer"]) == (201, "yes")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text == str(
        {
            "method": "POST",
            "url": "http://host.test/api/approvals/a%2Fb%20c/approve?q=1&q=2&empty=&r=%2B",
            "actor": "ann@x.test",
            "params": {"q": "1,2", "r": "+"},
            "route_params": {"approval_id": "a%2Fb c"},
            "body": "{}",
        }
    )


def test_a_parameter_is_never_empty() -> None:
    host = FunctionHost(routed(echo, "approvals/{approval_id}/approve"))

    assert call(host, "POST", "/api/approvals//approve").status_code == 404


def test_a_function_without_a_route_is_called_by_its_name_and_by_any_method() -> None:
    host = FunctionHost(routed(echo, None))

    assert [call(host, method, "/api/echo").status_code for method in ("GET", "DELETE")] == [201, 201]


def test_a_literal_wins_over_a_parameter_whatever_the_order() -> None:
    app = func.FunctionApp()

    @app.route(route="approvals/{approval_id}")
    def one(req: func.HttpRequest) -> str:
        return "one"

    @app.route(route="approvals/latest")
    def latest(req: func.HttpRequest) -> str:
        return "latest"

    host = FunctionHost(app.get_functions())

    assert call(host, "GET", "/api/approvals/latest").text == "latest"
    assert call(host, "GET", "/api/approvals/7").text == "one"


@pytest.mark.parametrize(("prefix", "path"), [("", "/x"), ("v1/bridge", "/v1/bridge/x")])
def test_the_prefix_is_that_of_the_app(prefix: str, path: str) -> None:
    host = FunctionHost(routed(echo), prefix=prefix)

    assert call(host, "GET", path).status_code == 201
    assert call(host, "GET", "/api/x").status_code == 404


def raising(req: func.HttpRequest) -> func.HttpResponse:
    raise LookupError("a secret of the inside")


def answering_a_dict(req: func.HttpRequest) -> Any:
    return {"status": "ok"}


def answering_nothing(req: func.HttpRequest) -> Any:
    return None


@pytest.mark.parametrize("handler", [raising, answering_a_dict, answering_nothing])
def test_what_a_function_may_not_do_answers_500_with_no_body_and_a_traceback_in_the_log(
    handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    host = FunctionHost(routed(handler))

    answer = call(host, "GET", "/api/x")

    assert (answer.status_code, answer.content) == (500, b"")
    assert "Traceback" in caplog.text
    assert f"Functions.{handler.__name__}" in caplog.text


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 10\r\n\r\nhalf",
        b"Transfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf",
    ],
)
def test_a_request_that_does_not_arrive_whole_is_refused_and_reaches_no_function(rest: bytes) -> None:
    reached: list[str] = []

    def reach(req: func.HttpRequest) -> str:
        reached.append(req.url)
        return "answer"

    host = FunctionHost(routed(reach, methods=["POST"]))

    with served(host.wsgi) as url, socket.create_connection(("127.0.0.1", int(url.split(":")[2]))) as caller:
        caller.settimeout(5)
        caller.sendall(b"POST /api/x HTTP/1.1\r\nHost: a\r\n" + rest)
        caller.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: caller.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert reached == []


def test_a_text_alone_is_an_answer() -> None:
    def text(req: func.HttpRequest) -> str:
        return "wörd"

    answer = call(FunctionHost(routed(text)), "GET", "/api/x")

    assert (answer.status_code, answer.text) == (200, "wörd")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_json_is_announced_as_the_function_says() -> None:
    def in_mimetype(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("{}", mimetype="application/json")

    def in_header(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("{}", headers={"Content-Type": "application/problem+json"})

    kinds = [
        call(FunctionHost(routed(handler)), "GET", "/api/x").headers["Content-Type"]
        for handler in (in_mimetype, in_header)
    ]

    assert kinds == ["application/json", "application/problem+json"]


def test_a_context_is_handed_over_only_if_asked_for() -> None:
    def asks(req: func.HttpRequest, context: func.Context) -> str:
        return f"{context.function_name} {len(context.invocation_id)}"

    assert call(FunctionHost(routed(asks)), "GET", "/api/x").text == "asks 36"
    assert call(FunctionHost(routed(echo)), "GET", "/api/x").status_code == 201


def test_a_coroutine_function_is_awaited() -> None:
    async def slow(req: func.HttpRequest) -> str:
        return "awaited"

    assert call(FunctionHost(routed(slow)), "GET", "/api/x").text == "awaited"


def test_a_function_with_a_parameter_that_is_no_binding_loads_no_function_at_all() -> None:
    def extra(req: func.HttpRequest, retries: int = 3) -> str:
        return "never"

    functions = routed(extra)

    with pytest.raises(ValueError, match="retries"):
        FunctionHost(functions)


def queued() -> Any:
    """Return the functions of an app with this one function of a queue."""
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="q", connection="c")
    def queued(message: func.QueueMessage) -> None: ...

    return app.get_functions()


@pytest.mark.parametrize(
    ("functions", "said"),
    [(queued(), "queueTrigger"), (routed(echo, "x/{id:int}"), "route"), (routed(echo, "{*rest}"), "route")],
    ids=["a queue", "a constraint", "a rest"],
)
def test_a_trigger_or_a_route_this_stand_in_does_not_know_is_refused(functions: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FunctionHost(functions)


def test_an_empty_key_opens_nothing() -> None:
    host = FunctionHost(routed(echo), function_key="")

    assert call(host, "GET", "/api/x?code=").status_code == 401


@pytest.mark.parametrize(
    ("key", "method", "query", "status", "moved"),
    [
        ("k", "POST", "?advance=900", 200, [900.0]),
        ("k", "POST", "?advance=-1", 400, []),
        ("k", "POST", "?advance=999999999", 400, []),
        ("k", "POST", "?advance=nan", 400, []),
        ("k", "POST", "", 400, []),
        ("k", "GET", "?advance=900", 404, []),
        ("", "POST", "?advance=900", 401, []),
    ],
)
def test_time_is_moved_by_whoever_has_the_key(
    key: str, method: str, query: str, status: int, moved: list[float]
) -> None:
    asked: list[float] = []
    host = FunctionHost(routed(echo), function_key="k", advance=asked.append)

    answer = call(host, method, f"/admin/clock{query}", headers={"x-functions-key": key})

    assert (answer.status_code, asked) == (status, moved)


def test_time_stands_on_its_own_where_it_cannot_be_moved() -> None:
    assert call(FunctionHost(routed(echo)), "POST", "/admin/clock?advance=900").status_code == 404


def test_a_timer_is_fired_by_hand_in_the_background() -> None:
    release, ran = threading.Event(), threading.Event()
    requests_seen: list[func.TimerRequest] = []

    def tick(timer: func.TimerRequest) -> None:
        requests_seen.append(timer)
        release.wait(5)
        ran.set()

    host = FunctionHost(timed(tick))

    answer = call(host, "POST", "/admin/functions/poll", json={"input": "ignored"})
    was_running = not ran.is_set()
    release.set()

    assert answer.status_code == 202
    assert was_running
    assert ran.wait(5)
    assert [timer.past_due for timer in requests_seen] == [False]


def test_firing_by_hand_can_wait_for_the_end_and_says_how_it_ended() -> None:
    runs: list[str] = []

    def good(timer: func.TimerRequest) -> None:
        runs.append("good")

    def bad(timer: func.TimerRequest) -> None:
        raise LookupError("no")

    def wordy(timer: func.TimerRequest) -> str:
        return "a timer has nobody to answer"

    answers = [
        call(FunctionHost(timed(handler)), "POST", "/admin/functions/poll?wait=1", json={}).status_code
        for handler in (good, bad, wordy)
    ]

    assert answers == [200, 500, 500]
    assert runs == ["good"]


def test_firing_in_python_says_whether_the_run_succeeded() -> None:
    def bad(timer: func.TimerRequest) -> None:
        raise LookupError("no")

    host = FunctionHost(timed(bad))

    assert host.fire("poll") is False
    assert FunctionHost(timed(lambda timer: None)).fire("poll") is True
    with pytest.raises(KeyError):
        host.fire("other")


@pytest.mark.parametrize("environ", [{}, {"POLL_SCHEDULE": ""}, {"POLL_SCHEDULE": "every minute"}])
def test_a_timer_without_a_usable_schedule_is_named_and_does_not_run(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    host = FunctionHost(timed(lambda timer: None, "%POLL_SCHEDULE%"), environ=environ)

    assert host.timers == {}
    assert "The 'poll' function is in error" in caplog.text
    assert "POLL_SCHEDULE" in caplog.text or "every minute" in caplog.text
    assert call(host, "POST", "/admin/functions/poll", json={}).status_code == 404


def test_a_schedule_comes_from_the_setting_it_names() -> None:
    host = FunctionHost(timed(lambda timer: None, "%S%"), environ={"S": "30 * * * * *"})

    assert host.timers["poll"].after(NINE) == NINE + timedelta(seconds=30)


def test_timers_run_on_schedule_once_started_and_go_on_after_a_failure() -> None:
    clock, runs, done = ManualClock(NINE), list[datetime](), threading.Event()

    def tick(timer: func.TimerRequest) -> None:
        runs.append(clock.now())
        if len(runs) == 3:
            host.stop_timers()
            done.set()
        raise LookupError("no")

    host = FunctionHost(timed(tick), clock=clock)
    host.start_timers()

    assert done.wait(5)
    assert runs == [NINE + timedelta(minutes=minute) for minute in (1, 2, 3)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 * * * * *", datetime(2026, 11, 23, 9, 1, tzinfo=UTC)),
        ("*/15 * * * * *", datetime(2026, 11, 23, 9, 0, 15, tzinfo=UTC)),
        ("0 30 8 * * MON-FRI", datetime(2026, 11, 24, 8, 30, tzinfo=UTC)),
        ("0 0 9 1 * 1", datetime(2027, 2, 1, 9, 0, tzinfo=UTC)),  # a Monday that is the first
    ],
)
def test_a_schedule_has_six_fields_seconds_first_in_utc(expression: str, expected: datetime) -> None:
    assert Schedule(expression).after(NINE) == expected


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "* * * * * * *", "00:60:00", "0:0", "soon", "25:00", "0 1, * * * *", "0 */ * * * *"],
)
def test_what_the_host_would_not_take_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule(expression)


def runs_of(lengths_s: list[float]) -> list[str]:
    """Return when runs of these lengths start, on a schedule of every minute from nine."""
    clock, starts = ManualClock(NINE), list[str]()

    def run(_past_due: object) -> None:
        starts.append(clock.now().strftime("%M:%S"))
        clock.advance(lengths_s[len(starts) - 1])

    keep(Schedule("0 * * * * *"), run, clock, stopped=lambda: len(starts) == len(lengths_s))
    return starts


def test_runs_shorter_than_the_interval_keep_to_it() -> None:
    assert runs_of([1, 59, 1]) == ["01:00", "02:00", "03:00"]


def test_an_overrun_is_followed_by_one_run_at_once_and_then_by_the_schedule() -> None:
    assert runs_of([200, 1, 1]) == ["01:00", "04:20", "05:00"]


class Hasty(ManualClock):
    """A clock whose sleep ends early, as an operating system's may."""

    def sleep(self, seconds: float) -> None:
        self.advance(seconds * 0.9 + 0.000_001)


def test_a_sleep_that_ends_early_does_not_run_the_same_time_twice() -> None:
    clock, starts = Hasty(NINE), list[datetime]()

    keep(
        Schedule("0 * * * * *"),
        lambda past_due: starts.append(clock.now()),
        clock,
        stopped=lambda: len(starts) == 2,
    )

    assert starts[1] - starts[0] > timedelta(seconds=59)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert [doctest.testmod(module).failed for module in (ncrontab, routing)] == [0, 0]
