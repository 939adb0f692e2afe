"""The local host answers each row of the table as Microsoft's host does, and a wrong answer is noticed."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from host_table import __main__ as runner
from host_table import crowds, play
from host_table.hosts import KEYS, ROOT, CoreTools, Deployed, StandIn
from host_table.keys import DEVELOPMENT as KEYLESS
from host_table.play import GROUPS, STAGES, Place, Result
from host_table.rows import DEVELOPMENT, PLAIN, Row, Sent, Stage
from host_table.wire import Answer, exchange
from werkzeug.wrappers import Request, Response

from sandbox.azurite import INSTALL_HINT, is_installed
from sandbox.serving import served

pytestmark = pytest.mark.slow

SINGLE = [row for groups in GROUPS.values() for rows in groups.values() for row in rows]
MASTER_KEY = "the-master-key-that-nobody-prints"


def wrong(results: list[Result]) -> dict[str, tuple[str, ...]]:
    return {each.name: each.wrong for each in results if each.wrong}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_the_stand_in_answers_each_row_as_the_host_does(stage: Stage) -> None:
    results = list(play.play(StandIn(), stage))

    assert results
    assert wrong(results) == {}
    assert [each.name for each in results if each.left_out] == []


def test_each_row_has_a_name_of_its_own() -> None:
    names = [row.name for row in SINGLE]

    assert len(names) > 100
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(0, error="refused"),
        Answer(418),
        Answer(200, (("x-function", "another"),), b"{}"),
        Answer(404, (("content-type", "application/json"),), b'{"error": "not_found"}'),
    ],
    ids=lambda answer: str(answer.status),
)
def test_no_row_takes_a_wrong_answer(answer: Answer) -> None:
    keys = {**KEYS, "host": "localhost"}

    assert [row.name for row in SINGLE if not row.wrong(answer, keys)] == []


def of_function(body: bytes, *headers: tuple[str, str]) -> Answer:
    return Answer(200, (("x-function", "health"), *headers), body)


@pytest.mark.parametrize(
    ("row", "right", "bad", "said"),
    [
        (
            Row("x", Sent(), 401, headers={"WWW-Authenticate": None}),
            Answer(401),
            Answer(401, (("www-authenticate", "Bearer"),)),
            "WWW-Authenticate 'Bearer', not none",
        ),
        (Row("x", Sent(), 404), Answer(404), Answer(404, body=b"no"), "body b'no', not b''"),
        (
            Row("x", Sent(), 400, closes=True),
            Answer(400, is_closed=True),
            Answer(400),
            "the connection stays open",
        ),
        (
            Row("x", Sent(), reaches="health", saw={"params.code": "{host_key}"}),
            of_function(b'{"params": {"code": "key-of-the-host"}}'),
            of_function(b'{"params": {}}'),
            "params.code none, not 'key-of-the-host'",
        ),
        (
            Row("x", Sent(), reaches="health", saw={"bytes": 0}),
            of_function(b'{"bytes": 0}'),
            of_function(b'{"bytes": 2}'),
            "bytes 2, not 0",
        ),
        (
            Row("x", Sent(), says={"state": "Running"}),
            Answer(200, body=b'{"state": "Running"}'),
            Answer(200, body=b"<p>"),
            "the body is no JSON",
        ),
    ],
)
def test_a_row_says_what_is_wrong_about_an_answer(row: Row, right: Answer, bad: Answer, said: str) -> None:
    assert row.wrong(right, KEYS) == []
    assert row.wrong(bad, KEYS) == [said]


def test_a_crowd_that_nobody_throttles_is_wrong_in_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "CROWD_S", 0.5)
    answer = Response('{"most": 150}', headers={"X-Function": "approve"})

    with served(answer) as url:
        results = list(play.crowd(Place(url, KEYS), crowds.Crowd("of all", 8, Sent(), running=4, refused=4)))

    assert wrong(results).keys() == {
        "of all, 4 are told 429 at once",
        "of all, 4 are served",
        "of all, 4 run at once",
    }


def test_a_host_that_does_not_start_is_wrong_in_each_row() -> None:
    dies = (sys.executable, "-c", "print('no such module'); raise SystemExit(1)")

    results = list(play.play(StandIn(command=dies), DEVELOPMENT))

    assert wrong(results).pop("the host starts: in development mode") == ("no such module",)
    assert wrong(results).keys() >= {row.name for row in KEYLESS}


# The runner.


@contextmanager
def another_host() -> Iterator[tuple[str, list[Request]]]:
    """Serve what answers everything alike; yields its address, and what reached it."""
    seen: list[Request] = []

    @Request.application
    def answer(request: Request) -> Response:
        seen.append(request)
        return Response("hello")

    with served(answer) as url:
        yield url, seen


def test_a_wrong_row_is_printed_and_ends_the_command_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY)
    with another_host() as (url, _):
        status = runner.main(["--url", url])

    printed = capsys.readouterr().out
    assert status == 1
    assert "WRONG keys: no key in the header opens nothing\n      status 200, not 401" in printed
    assert MASTER_KEY not in printed


def test_a_deployed_app_gets_nothing_that_could_change_it_and_no_key_in_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY)
    with another_host() as (url, seen):
        runner.main(["--url", url])

    with_key = [each for each in seen if MASTER_KEY in each.headers.get("x-functions-key", "")]
    assert len(seen) > 60
    assert [each.url for each in seen if MASTER_KEY in each.url] == []
    # What has the key and is no read: another method than the route has, or what the host refuses to run.
    assert {
        (each.method, each.path) for each in with_key if each.method not in {"GET", "HEAD", "OPTIONS"}
    } == {
        ("POST", "/api/status"),
        ("PUT", "/api/approvals/17"),
        ("PUT", "/api/approvals/17/approve"),
        ("PATCH", "/api/approvals/17/approve"),
        ("DELETE", "/api/approvals/17/approve"),
    }


def test_a_deployed_app_is_right_where_its_host_is_and_its_timer_has_not_run() -> None:
    with StandIn().started(PLAIN) as (url, _):
        deployed = Deployed(url, dict.fromkeys(("master_key", "master", "opens"), KEYS["master_key"]))
        results = [each for stage in STAGES for each in play.play(deployed, stage)]
        after = exchange(
            url, Sent(target="/api/status", headers=(("x-functions-key", "{opens}"),)).pieces("x", KEYS)
        )

    assert wrong(results) == {}
    assert sum(not each.left_out for each in results) > 60
    assert b'"sweeps": 0' in after.body


def test_without_a_key_a_deployed_app_gets_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MASTER_KEY", raising=False)
    with another_host() as (url, seen):
        runner.main(["--url", url])

    assert seen
    assert {each.headers.get("x-functions-key") for each in seen} <= {None, "", "wrong"}
    assert "no MASTER_KEY was given" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["http://bridge.example", "bridge.example", "ftp://bridge.example"])
def test_an_address_is_refused_that_is_none_or_would_show_the_key(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY)

    assert runner.main(["--url", url]) == 2

    printed = capsys.readouterr().out
    assert "https" in printed
    assert MASTER_KEY not in printed


def test_where_func_is_not_there_one_sentence_says_what_was_not_tried(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(runner, "STAGES", (DEVELOPMENT,))

    assert runner.main([]) == 0
    assert capsys.readouterr().out.endswith(
        f"the stand-in: {len(KEYLESS)} rows played, 0 wrong\n{runner.NOT_TRIED}\n"
    )


def test_where_func_is_there_it_is_started_and_rows_about_keys_are_left_out_by_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not is_installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(INSTALL_HINT)
    func = tmp_path / "func"
    func.write_text(
        textwrap.dedent(f"""\
            #!/bin/sh
            # func start --port N, in the folder of the app
            app=$PWD
            cd '{ROOT}' && exec '{sys.executable}' -m sandbox.host --app "$app" --port "$3"
        """),
        encoding="utf-8",
    )
    func.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(runner, "STAGES", (DEVELOPMENT,))
    monkeypatch.setitem(GROUPS, DEVELOPMENT, {"keys": GROUPS[PLAIN]["keys"], "development": KEYLESS})

    status = runner.main([])

    printed = capsys.readouterr().out
    assert status == 0, printed
    assert "left out, because func start asks for no key:\n  no key in the header opens nothing\n" in printed
    assert "Microsoft's host (func start): " in printed
    assert runner.NOT_TRIED not in printed


def test_func_is_preferred_to_the_stand_in_and_an_address_to_func(tmp_path: Path) -> None:
    func = tmp_path / "func"
    func.touch(0o755)
    environ: Mapping[str, str] = {"PATH": str(tmp_path)}

    assert isinstance(runner.chosen("", {"PATH": ""}), StandIn)
    assert isinstance(runner.chosen("", environ), CoreTools)
    assert isinstance(runner.chosen("https://bridge.example/api", environ), Deployed)
