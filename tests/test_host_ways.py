"""The local host's deaths, time-outs, ends and crowds are those observed on Azure's host."""

from __future__ import annotations

import os
import signal
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from proof.processes import is_alive
from standin import ROOT, StandIn, eventually, launched, started, write_app

from sandbox.timers import FolderMemory

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SHORT = '{"version": "2.0", "functionTimeout": "00:00:03"}'


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    return write_app(tmp_path / "app")


def new_worker(host: StandIn, old: int) -> None:
    """Wait until another worker serves; a call that comes at the moment of a death may die with it."""
    eventually(lambda: host.answer("pid") == 200 and host.worker() != old)


def test_workers_that_are_killed_one_after_the_other_are_each_replaced(app_dir: Path) -> None:
    with started(app_dir) as host:
        for _ in range(9):
            killed = host.worker()
            os.kill(killed, signal.SIGKILL)
            new_worker(host, killed)


def test_workers_that_die_at_their_start_are_started_ever_more_slowly_until_the_host_gives_up(
    app_dir: Path,
) -> None:
    write_app(app_dir, "import os\nos._exit(3)\n")

    with launched(app_dir) as process:
        printed, log = process.communicate(timeout=120)

    waits = [float(line.split()[-2]) for line in log.splitlines() if "another is started in" in line]
    assert (process.returncode, printed) == (1, "")
    assert waits == [0, 0.5, 1, 2, 4, 8]
    assert "died at its start again and again" in log


def test_a_call_past_its_time_restarts_the_worker_and_leaves_its_neighbour_hanging_to_its_own(
    app_dir: Path,
) -> None:
    write_app(app_dir, host_json=SHORT)

    with started(app_dir) as host:
        served = host.hold("served")
        hanging = host.hold("hanging")
        served.let_go()
        time.sleep(1)
        neighbour = host.hold("neighbour")

        assert [call.result() for call in (served, hanging, neighbour)] == [200, 500, 500]
        assert min(hanging.seconds, neighbour.seconds) >= 5
        eventually(lambda: host.answer("pid") == 200)
        assert len([line for line in host.log if "is restarted, because a call does not end" in line]) == 2
        assert host.said("Timeout value of 3 s exceeded by 'Functions.wait'")


def test_a_call_that_ends_soon_after_its_time_is_failed_and_the_worker_stays(app_dir: Path) -> None:
    write_app(app_dir, host_json=SHORT)

    with started(app_dir) as host:
        worker = host.worker()
        call = host.hold("late")
        eventually(lambda: host.said("Initiating cancellation"))
        call.let_go()

        assert call.result() == 500
        assert host.worker() == worker


def test_sigterm_lets_what_is_in_flight_end_and_serves_what_comes_meanwhile(app_dir: Path) -> None:
    with started(app_dir, POLL_SCHEDULE="* * * * * *") as host:
        eventually(host.ticks)
        call = host.hold("long")
        host.process.terminate()
        eventually(lambda: host.said("told to end"))
        time.sleep(1.2)
        runs = len(host.ticks())
        time.sleep(1.2)
        meanwhile = host.answer("pid")
        call.let_go()

        assert (call.result(), meanwhile) == (200, 200)
        assert host.process.wait(20) == 0
        assert len(host.ticks()) == runs


def test_a_host_that_nobody_uses_serves_on_after_sigterm_for_as_long_as_it_drains(app_dir: Path) -> None:
    with started(app_dir, "--drain", "3", POLL_SCHEDULE="* * * * * *") as host:
        eventually(host.ticks)
        host.process.terminate()
        told = time.monotonic()
        eventually(lambda: host.said("told to end"))
        time.sleep(1.2)
        runs = len(host.ticks())
        meanwhile = host.answer("pid")

        assert host.process.wait(20) == 0
        assert (meanwhile, len(host.ticks())) == (200, runs)
        assert time.monotonic() - told >= 3


@pytest.mark.parametrize("ending", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
def test_sigint_or_a_second_sigterm_ends_host_and_worker_at_once(
    app_dir: Path, ending: list[signal.Signals]
) -> None:
    with started(app_dir) as host:
        worker = host.worker()
        call = host.hold("long")
        for each in ending:
            host.process.send_signal(each)
            time.sleep(0.5)

        assert host.process.wait(20) == 0
        assert call.result() == 0
        eventually(lambda: not is_alive(worker))


def test_a_killed_host_leaves_its_worker_behind_until_what_it_runs_has_ended(app_dir: Path) -> None:
    with started(app_dir) as host:
        worker = host.worker()
        call = host.hold("long")
        host.process.kill()
        host.process.wait(20)
        assert call.result() == 0
        time.sleep(0.5)
        was_there = is_alive(worker)
        call.let_go()
        eventually(lambda: not is_alive(worker))

    assert was_there
    assert (app_dir / "long.ended").exists()


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import not_there\n", "ModuleNotFoundError: No module named 'not_there'"),
        (
            "import azure.functions as func\n",
            "ValueError: function_app.py must have one FunctionApp, and has 0",
        ),
        (
            "import azure.functions as func\napp = func.FunctionApp()\nother = func.FunctionApp()\n",
            "ValueError: function_app.py must have one FunctionApp, and has 2",
        ),
    ],
)
def test_an_app_that_cannot_be_loaded_leaves_a_host_with_no_functions(
    app_dir: Path, source: str, cause: str
) -> None:
    write_app(app_dir, source)

    with started(app_dir) as host:
        state = requests.get(f"{host.url}/admin/host/status", timeout=20).json()["state"]

        assert host.printed.startswith(f"0 functions loaded: {cause}\n")
        assert [host.answer(path) for path in ("pid", "health")] == [404, 404]
        assert state == "Running"
        eventually(lambda: host.said("Traceback"))


def set_back(state: Path, planned: str) -> None:
    (state / "poll.status.json").write_text(f'{{"last": null, "next": "{planned}"}}', "utf-8")


def test_a_time_that_passed_while_nobody_was_there_is_made_up_for_by_one_run(app_dir: Path) -> None:
    state = app_dir.parent / "state"
    state.mkdir()
    set_back(state, "2020-01-01T00:00:00+00:00")

    with started(app_dir, "--state", str(state)) as host:
        eventually(host.ticks)
        time.sleep(1)
        ticks = host.ticks()
    with started(app_dir, "--state", str(state)) as again:
        time.sleep(1)
        later = again.ticks()

    assert [past_due for _, past_due in ticks] == ["True"]
    assert later == ticks


SPOILED = ["{", "[]", "null", '{"holder": [], "until": {}}', "\0" * 500, "\udcff", "[" * 100_000]


@pytest.mark.parametrize("text", SPOILED)
def test_a_spoiled_lock_is_nobodys_and_one_host_takes_it(
    app_dir: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (app_dir / "poll.lock.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    one, other = (FolderMemory(app_dir, "poll", lease_s=60) for _ in "ab")

    assert [one.is_ours(), other.is_ours(), one.is_ours()] == [True, False, True]
    assert caplog.text.count("poll.lock.json is not used") == 1
    one.release()
    assert other.is_ours()
    other.release()


@pytest.mark.parametrize(
    "text",
    [*SPOILED, '{"next": "2020-01-01T00:00:00"}', '{"next": 5}', '{"next": "soon"}', '{"next": null}'],
)
def test_a_spoiled_status_is_taken_as_absent_and_is_written_anew(app_dir: Path, text: str) -> None:
    file = app_dir / "poll.status.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    memory = FolderMemory(app_dir, "poll", lease_s=60)

    assert memory.next_time() is None
    memory.keep(None, NOON)
    assert memory.next_time() == NOON
    memory.release()


def two_more(host: StandIn) -> None:
    """Wait until the timer has run twice more."""
    before = len(host.ticks())
    eventually(lambda: len(host.ticks()) > before + 1)


def test_a_timer_goes_on_after_its_files_were_spoiled_or_taken_away(app_dir: Path) -> None:
    state = app_dir.parent / "state"
    state.mkdir()
    (state / "poll.lock.json").write_text("[]")
    set_back(state, "2020-01-01T00:00:00")

    with started(app_dir, "--state", str(state), POLL_SCHEDULE="* * * * * *") as host:
        eventually(host.ticks)
        (state / "poll.lock.json").write_text("{")
        two_more(host)
        # In one step: the host may write a file into the folder while it is emptied.
        state.rename(state.with_name("taken-away"))
        two_more(host)

        assert not host.said("Exception in thread")


def test_a_timer_whose_state_cannot_be_kept_says_so_once_and_goes_on_when_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock = tmp_path / "state" / "poll.lock.json"
    memory = FolderMemory(lock.parent, "poll", lease_s=60)
    lock.mkdir()

    assert [memory.is_ours() for _ in "abc"] == [False] * 3
    assert caplog.text.count("The state of the timers cannot be used") == 1
    lock.rmdir()
    assert memory.is_ours()
    (lock.parent / "poll.status.json").mkdir()
    memory.keep(None, NOON)
    assert memory.next_time() is None
    memory.release()


def test_a_time_that_is_still_to_come_is_waited_for(app_dir: Path) -> None:
    state = app_dir.parent / "state"

    with started(app_dir, "--state", str(state)) as host:
        eventually((state / "poll.status.json").exists)
        time.sleep(0.5)
        assert host.ticks() == []


def test_of_two_hosts_one_runs_the_timer_and_the_other_when_the_lock_of_the_dead_one_has_run_out(
    app_dir: Path,
) -> None:
    shared = ["--state", str(app_dir.parent / "state"), "--lease", "6"]
    often = {"POLL_SCHEDULE": "* * * * * *"}

    with started(app_dir, *shared, **often) as first:
        eventually(first.ticks)
        with started(app_dir, *shared, **often) as second:
            time.sleep(2.5)
            assert {pid for pid, _ in first.ticks()} == {str(first.process.pid)}
            first.process.kill()
            first.process.wait(20)
            died = time.monotonic()
            eventually(lambda: str(second.process.pid) in {pid for pid, _ in second.ticks()})
            silence_s = time.monotonic() - died

    assert silence_s > 3


def test_a_host_that_ends_in_order_leaves_the_timer_to_the_other_at_once(app_dir: Path) -> None:
    shared = ["--state", str(app_dir.parent / "state"), "--lease", "600"]
    often = {"POLL_SCHEDULE": "* * * * * *"}

    with started(app_dir, *shared, **often) as first:
        eventually(first.ticks)
        with started(app_dir, *shared, **often) as second:
            first.process.terminate()
            assert first.process.wait(20) == 0
            eventually(lambda: str(second.process.pid) in {pid for pid, _ in second.ticks()})


def test_a_host_that_was_stopped_past_its_lease_runs_the_timer_no_more(app_dir: Path) -> None:
    shared = ["--state", str(app_dir.parent / "state"), "--lease", "2"]
    often = {"POLL_SCHEDULE": "* * * * * *"}

    with started(app_dir, *shared, **often) as first:
        eventually(first.ticks)
        with started(app_dir, *shared, **often) as second:
            first.process.send_signal(signal.SIGSTOP)
            eventually(lambda: str(second.process.pid) in {pid for pid, _ in second.ticks()})
            first.process.send_signal(signal.SIGCONT)
            before = len(second.ticks())
            eventually(lambda: len(second.ticks()) >= before + 3)

            assert {pid for pid, _ in second.ticks()[before + 1 :]} == {str(second.process.pid)}


def ahead(host: StandIn) -> list[float]:
    wall, steady = (float(each) for each in host.get("time").text.split())
    return [wall - time.time(), steady - time.monotonic()]


def test_time_that_was_moved_holds_in_the_worker_and_in_the_next_one(app_dir: Path) -> None:
    with started(app_dir, "--movable-clock") as host:
        moved = [requests.post(f"{host.url}/admin/clock?advance=3600", timeout=20).status_code for _ in "ab"]
        here = ahead(host)
        killed = host.worker()
        os.kill(killed, signal.SIGKILL)
        new_worker(host, killed)
        there = ahead(host)

    assert moved == [200, 200]
    assert here == pytest.approx([7200, 7200], abs=30)
    assert there == pytest.approx([7200, 7200], abs=30)


def test_moved_time_makes_a_timer_due(app_dir: Path) -> None:
    with started(app_dir, "--movable-clock") as host:
        assert host.ticks() == []
        requests.post(f"{host.url}/admin/clock?advance={366 * 86_400}", timeout=20).raise_for_status()
        eventually(host.ticks)


def test_no_timer_runs_where_the_caller_fires_them(app_dir: Path) -> None:
    with started(app_dir, "--no-timers", POLL_SCHEDULE="* * * * * *") as host:
        time.sleep(1.5)
        assert host.ticks() == []
        assert (
            requests.post(f"{host.url}/admin/functions/poll?wait=1", json={}, timeout=20).status_code == 200
        )
        assert len(host.ticks()) == 1


def test_an_app_is_imported_in_its_folder_with_the_environment_and_the_settings_file(app_dir: Path) -> None:
    source = """
        import logging, os
        import azure.functions as func
        import beside_it

        app = func.FunctionApp()

        @app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
        def health(req: func.HttpRequest) -> str:
            logging.info("asked")
            return f"{beside_it.WORD} {os.environ['SETTING']} {os.environ['OF_FILE']} {os.getcwd()}"
    """
    write_app(app_dir, source, host_json='{"extensions": {"http": {"routePrefix": "v9"}}}')
    (app_dir / "beside_it.py").write_text("WORD = 'alive'\n", encoding="utf-8")
    file = app_dir / "local.settings.json"
    file.write_text('{"Values": {"OF_FILE": "read", "SETTING": "loses"}}', encoding="utf-8")

    with started(app_dir, "--settings", str(file)) as host:
        answer = requests.get(f"{host.url}/v9/health", timeout=20)
        eventually(lambda: host.said("asked"))

    assert host.url.startswith("http://127.0.0.1:")
    assert f"health: [GET] {host.url}/v9/health" in host.printed
    assert answer.text == f"alive set read {app_dir.resolve()}"
    [line] = [each for each in host.log if each.endswith("asked\n")]
    assert datetime.fromisoformat(line.split()[0]).tzinfo == UTC
    assert line.split()[1:] == ["INFO", "root:", "asked"]


def test_a_taken_port_is_said_in_one_line(app_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with launched(app_dir, "--port", port) as running:
            printed, log = running.communicate(timeout=60)

    assert (running.returncode, printed) == (1, "")
    assert log == f"Port {port} cannot be used: Address already in use\n"


def test_only_this_machine_is_served(app_dir: Path) -> None:
    with started(app_dir) as host:
        port = int(host.url.rsplit(":", 1)[1])
        listeners = Path("/proc/net/tcp").read_text(encoding="ascii")
        six = Path("/proc/net/tcp6")
        everywhere = six.read_text(encoding="ascii") if six.exists() else ""

    assert f"0100007F:{port:04X}" in listeners
    assert f"00000000:{port:04X}" not in listeners + everywhere


def test_the_host_imports_nothing_of_the_app_and_nothing_heavy() -> None:
    loaded = (
        "import sys; sys.argv = ['host']; import sandbox.command_line;"
        "print(sorted({'azure', 'werkzeug', 'requests', 'coupa_core'} & set(sys.modules)))"
    )
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    said = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert said.stdout == "[]\n"
