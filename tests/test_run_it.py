"""Each line under "Run it" in docs/local.md, run as it is written, in a copy of its files."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from ports import own_ports

from coupa_core.settings import HOST_STORAGE, NAMES
from sandbox.azurite import INSTALL_HINT, WELL_KNOWN_PORTS, is_installed
from sandbox.command_line import take_settings
from sandbox.patience import at_most, end_group
from sandbox.services import APP_PORT, COUPA_PORT, MOVEWORKS_PORT, is_free

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("coupa_core", "sandbox", "scripts", "Makefile", "function_app.py", "host.json", "pyproject.toml")
STAYS_UP = {"-m sandbox": "Ctrl-C ends this", "-m sandbox.host": "Host started"}
"""Commands that go on until they are stopped, and what each says when it is ready."""

PORTS = (COUPA_PORT, MOVEWORKS_PORT, APP_PORT, *WELL_KNOWN_PORTS)
WAIT_S = 90.0
LINE_S = 600.0
"""The longest time that a line may take which does not stay up."""


def written() -> list[str]:
    """Return the lines, without their comments, in the order of the page."""
    part = (ROOT / "docs" / "local.md").read_text("utf-8").partition("\n## Run it\n")[2]
    lines = [line for block in re.findall(r"```\n(.*?)```", part, re.DOTALL) for line in block.splitlines()]
    return [line.partition("#")[0].strip() for line in lines if line.strip()]


def copied(folder: Path) -> Path:
    """Return a copy of what the lines need, with the environment and the node modules of this one."""
    for name in NEEDED:
        here = ROOT / name
        if here.is_dir():
            shutil.copytree(here, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        else:
            shutil.copy2(here, folder / name)
    for path in (*ROOT.glob("requirements*.txt"), ROOT / "local.settings.json.example"):
        shutil.copy2(path, folder / path.name)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "sandbox" / "node_modules").symlink_to(ROOT / "sandbox" / "node_modules")
    return folder


@contextmanager
def staying(line: str, ready: str, folder: Path, environ: dict[str, str]) -> Iterator[None]:
    """Run a command until the block ends; it begins when the command says that it is ready."""
    log = folder / f"{ready.split(maxsplit=1)[0]}.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {line}"], cwd=folder, env=environ, stdout=out, stderr=out
        )
        try:
            end = time.monotonic() + WAIT_S
            while ready not in log.read_text("utf-8"):
                assert process.poll() is None, log.read_text("utf-8")
                assert time.monotonic() < end, log.read_text("utf-8")
                time.sleep(0.2)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            with at_most(30, process.kill):
                process.wait()


def ended(line: str, folder: Path, environ: dict[str, str]) -> tuple[int, str]:
    """Run a line to its end; return its status and what it printed."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with at_most(LINE_S, lambda: end_group(process.pid)):
        printed, _ = process.communicate()
    return process.returncode, printed


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason=INSTALL_HINT)
def test_each_line_works_as_it_is_written(tmp_path: Path) -> None:
    folder, lines = copied(tmp_path), written()
    ours = (*NAMES, HOST_STORAGE)
    environ = {name: value for name, value in os.environ.items() if name not in ours}
    environ |= {"PYTHON": sys.executable, "PYTHONUNBUFFERED": "1"}

    def run(rest: list[str]) -> None:
        if not rest:
            url = f"http://127.0.0.1:{APP_PORT}/api/approvals?approver_email=robin@example.com"
            with urlopen(url, timeout=20) as reply:
                assert json.load(reply)["count"] == 1
            return
        line, *others = rest
        ready = next((said for ends, said in STAYS_UP.items() if re.search(rf"{ends}( |$)", line)), "")
        if ready:
            with staying(line, ready, folder, environ):
                run(others)
        else:
            status, printed = ended(line, folder, environ)
            assert status == 0, f"{line}\n{printed}"
            run(others)

    assert len(lines) == 6
    with own_ports() as is_alone:
        if not is_alone or not all(map(is_free, PORTS)):
            pytest.skip("a port that the lines name is taken on this machine")
        run(lines)


def test_the_environment_wins_over_the_file_as_with_core_tools(tmp_path: Path) -> None:
    file, environ = tmp_path / "local.settings.json", {"TELL_REQUESTER": "on"}
    file.write_text(json.dumps({"Values": {"TELL_REQUESTER": "off", "AUDIT": "optional"}}), "utf-8-sig")

    take_settings(file, environ)

    assert environ == {"TELL_REQUESTER": "on", "AUDIT": "optional"}


@pytest.mark.parametrize("said", [{"IsEncrypted": True}, {"Values": {"DIGEST_OVER": 5}}])
def test_a_file_of_others_than_plain_texts_is_refused(said: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps(said))

    with pytest.raises(ValueError, match=r"local\.settings\.json: its Values must be plain texts"):
        take_settings(file, {})
