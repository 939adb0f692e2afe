"""A terminal in a folder that is an environment: blocks are pasted into bash, secrets are typed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sandbox.patience import at_most, end_group
from walk.page import ROOT

HERE = Path(__file__).parent
_BEGIN = f"import sys; sys.path.insert(0, {str(HERE)!r}); import stand_in; sys.exit(stand_in.main())\n"
TOOLS = ("az", "azd", "func", "gh", "make", "curl")
TAKEN = ("scripts", "infra", "coupa_core", "azure.yaml", "bridge.env.example")


class Folder:
    """A clone of the repository with a virtual environment, and stand-ins of the tools."""

    def __init__(self, path: Path) -> None:
        self.path, self.walk = path / "clone", path / "walk"
        self.path.mkdir()
        for name in TAKEN:
            (self.path / name).symlink_to(ROOT / name)
        (self.path / "tests").mkdir()  # by which func knows that it is not in the package
        tools = self.walk / "bin"
        tools.mkdir(parents=True)
        for name in TOOLS:
            script = tools / name
            script.write_text(f"#!{sys.executable} -SI\n{_BEGIN}", "utf-8")
            script.chmod(0o755)
        python = self.path / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        for each in (python, tools / "python3"):
            each.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
            each.chmod(0o755)

    def write(self, values: dict[str, str]) -> None:
        """Fill in lines of bridge.env by hand; a line that is not there is added."""
        file = self.path / "bridge.env"
        lines = file.read_text("utf-8").splitlines()
        lines = [line for line in lines if line.partition("=")[0] not in values]
        file.write_text("\n".join([*lines, *(f"{name}={value}" for name, value in values.items()), ""]))

    @property
    def cloud(self) -> dict[str, Any]:
        """What Azure and GitHub keep."""
        kept: dict[str, Any] = json.loads((self.walk / "cloud.json").read_text("utf-8"))
        return kept

    @property
    def errors(self) -> list[str]:
        """What the real tools would have refused."""
        file = self.walk / "errors"
        return file.read_text("utf-8").splitlines() if file.exists() else []

    @property
    def deployed(self) -> list[dict[str, Any]]:
        """The deployments of the app, in order."""
        return [each for each in self.cloud["deployments"] if each["file"] == "main"]


class Terminal:
    """One shell; what it is given in variables is gone with it."""

    def __init__(self, folder: Folder) -> None:
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        path = f"{folder.walk / 'bin'}:{os.environ['PATH']}"
        self.folder = folder
        self.shell = subprocess.Popen(
            [str(shutil.which("bash"))],
            cwd=folder.path,
            env={**kept, "PATH": path, "WALK": str(folder.walk), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def paste(self, block: str, *typed: str) -> tuple[str, bool]:
        """Paste a block, type what it reads, and return what it printed, and whether each command succeeded.

        A `read` takes the next line, as it does in a terminal without bracketed paste.
        """
        assert self.shell.stdin
        assert self.shell.stdout
        end = "the-end-of-the-block"
        told = "".join(f"{line}\n" for line in (block.rstrip("\n"), *typed))
        trap, mark = "trap 'FAILED=yes' ERR; FAILED=no\n", f'echo "{end} $FAILED"\n'
        self.shell.stdin.write(f"{trap}{told}{mark}")
        self.shell.stdin.flush()
        lines: list[str] = []
        with at_most(300, lambda: end_group(self.shell.pid)):
            for line in self.shell.stdout:
                if line.startswith(end):
                    return "".join(lines), line.split()[1] == "no"
                lines.append(line)
        raise AssertionError(f"the shell ended: {lines}")

    def close(self) -> None:
        """Close it."""
        with at_most(60, lambda: end_group(self.shell.pid)):
            self.shell.communicate()
