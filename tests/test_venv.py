"""A virtual environment holds its lock and nothing else; the remains of an interrupted run are replaced."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


def wheel(folder: Path, version: str) -> str:
    """Make a package without content, and return its entry in a lock."""
    name = f"hollow-{version}"
    files = {
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: hollow\nVersion: {version}\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={urlsafe_b64encode(sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}\n"
        for path, text in files.items()
    )
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**files, f"{name}.dist-info/RECORD": record}.items():
            archive.writestr(inside, text)
    return f"hollow=={version} --hash=sha256:{sha256(path.read_bytes()).hexdigest()}\n"


class Environment:
    """A folder, a lock and packages on this disk for `scripts/venv`."""

    def __init__(self, base: Path) -> None:
        self.base, self.folder, self.lock = base, base / "venv", base / "requirements.txt"
        self.ask(wheel(base, "1"))

    def ask(self, entry: str) -> None:
        """Make this the lock."""
        self.lock.write_text("--only-binary :all:\n" + entry, "utf-8")

    def start(self, python: Path | None = None) -> subprocess.Popen[str]:
        """Begin to make the environment, in a process group of its own as a terminal does."""
        only_here = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.base), "PIP_CONFIG_FILE": os.devnull}
        return subprocess.Popen(
            [ROOT / "scripts" / "venv", self.folder, self.lock, python or sys.executable],
            env=os.environ | only_here,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def make(self, python: Path | None = None) -> tuple[int, str]:
        """Make the environment; return the status and what was said."""
        process = self.start(python)
        out, told = process.communicate(timeout=120)
        return process.returncode, out + told

    def holds(self) -> str:
        """Return the version that is installed, by asking the environment's own Python and pip."""
        command = [str(self.folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "freeze"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


def test_an_environment_holds_its_lock_and_is_made_anew_for_another(environment: Environment) -> None:
    made = environment.make()
    left = environment.folder / "left"
    left.touch()
    again = environment.make()

    assert made[0] == 0, made
    assert again == (0, "")
    assert (environment.holds(), left.exists()) == ("hollow==1", True)

    environment.ask(wheel(environment.base, "2"))
    # As in a shell where the environment is active: the interpreter lies in the folder that is replaced.
    other = environment.make(environment.folder / "bin" / "python")

    assert other[0] == 0, other
    assert (environment.holds(), left.exists()) == ("hollow==2", False)


def without_pip(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)


def without_python(folder: Path) -> None:
    for inside in ("bin", "include", "lib"):
        (folder / inside).mkdir(parents=True)


def with_a_python_that_is_gone(folder: Path) -> None:
    without_python(folder)
    (folder / "bin" / "python").symlink_to(folder / "nowhere")
    (folder / "pyvenv.cfg").touch()


@pytest.mark.parametrize("left_by", [without_pip, without_python, with_a_python_that_is_gone])
def test_an_environment_that_is_half_made_is_made_anew(
    environment: Environment, left_by: Callable[[Path], None]
) -> None:
    left_by(environment.folder)

    made = environment.make()

    assert made[0] == 0, made
    assert environment.holds() == "hollow==1"


def test_an_environment_that_was_interrupted_is_made_anew(environment: Environment) -> None:
    interrupted = environment.start()
    deadline = time.monotonic() + 60
    while not (environment.folder / "pyvenv.cfg").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(interrupted.pid, signal.SIGINT)
    interrupted.communicate(timeout=60)

    assert interrupted.returncode != 0
    assert environment.make()[0] == 0
    assert environment.holds() == "hollow==1"


def test_a_package_with_another_hash_is_refused_and_leaves_no_environment_that_counts(
    environment: Environment,
) -> None:
    good = environment.lock.read_text("utf-8")
    environment.ask(f"hollow==1 --hash=sha256:{'0' * 64}\n")

    status, told = environment.make()
    second = environment.make()

    assert status != 0
    assert "HASHES" in told
    assert second[0] != 0
    environment.lock.write_text(good, "utf-8")
    assert environment.make()[0] == 0


def test_a_folder_that_is_no_environment_is_left_alone(environment: Environment) -> None:
    environment.folder.mkdir()
    (environment.folder / "thesis.txt").write_text("years of work")

    status, told = environment.make()

    assert status == 1
    assert "is no virtual environment and is left alone" in told
    assert (environment.folder / "thesis.txt").exists()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_setup_that_is_interrupted_leaves_nothing_running_and_the_next_one_finishes(tmp_path: Path) -> None:
    """The stand-in for npm goes on after Ctrl-C, as npm does."""
    scripts, sandbox, told = tmp_path / "scripts", tmp_path / "sandbox", tmp_path / "pid"
    scripts.mkdir()
    sandbox.mkdir()
    shutil.copy(ROOT / "scripts" / "setup", scripts)
    (sandbox / "package-lock.json").write_text("{}")
    npm, venv = tmp_path / "npm", scripts / "venv"
    names = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "PYTHON": sys.executable}
    kept = {name: value for name, value in os.environ.items() if name not in ("VENV", "CHECKS", "LOCKS")}

    def begun(npm_does: str, venv_does: str) -> subprocess.Popen[str]:
        for script, body in ((npm, npm_does), (venv, venv_does)):
            script.write_text(f"#!/bin/sh\n{body}\n")
            script.chmod(0o755)
        return subprocess.Popen(
            [scripts / "setup"],
            env=kept | names,
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    interrupted = begun(
        f'trap "" INT; echo $$ > {told}.new; mv {told}.new {told}; exec sleep 300',
        f"touch {told}.venv; exec sleep 300",
    )
    deadline = time.monotonic() + 60
    while not (told.exists() and Path(f"{told}.venv").exists()) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(interrupted.pid, signal.SIGINT)
    try:
        interrupted.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(interrupted.pid, signal.SIGKILL)
        raise
    again = begun("mkdir node_modules", "exit 0")
    output, _ = again.communicate(timeout=60)

    assert interrupted.returncode != 0
    assert gone(int(told.read_text()))
    assert again.returncode == 0, output
    assert (sandbox / "node_modules" / ".installed").exists()
