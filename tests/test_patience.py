"""No wait for a process lasts for ever, also where a process that is left behind holds its pipe."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import standin
from proof import processes
from standin import started, write_app

from bench.services import services
from sandbox.patience import at_most, end_group

pytestmark = pytest.mark.slow

HANGS = "import threading\nthreading.Event().wait()\n"
LEAVES_ONE = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {HANGS!r}])\n"


@pytest.mark.parametrize("code", [HANGS, LEAVES_ONE])
def test_whoever_reads_a_pipe_reads_its_end_in_time(code: str) -> None:
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    with at_most(2, lambda: end_group(process.pid)):
        assert process.communicate()[0] == b""


def test_nobody_is_ended_who_was_in_time() -> None:
    ended: list[str] = []

    with at_most(0.2, lambda: ended.append("ended")):
        pass
    time.sleep(0.4)

    assert ended == []


def test_a_group_that_is_gone_is_no_fault() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    process.wait(60)

    end_group(process.pid)


def test_a_host_whose_app_hangs_at_its_import_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app_dir = write_app(tmp_path / "app", HANGS)
    monkeypatch.setattr(standin, "WAIT_S", 2)
    monkeypatch.setattr(processes, "PATIENCE_S", 2)

    with pytest.raises(AssertionError), started(app_dir):
        pass
    with pytest.raises(RuntimeError, match="did not start"):
        processes.Host({}, app=app_dir)


def test_services_that_do_not_start_are_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.services._host", sys.exit)  # in the new process, too

    with pytest.raises(EOFError), services():
        pass
