#!/usr/bin/env python3
"""Puts the deployed files into build/package: the code, and requirements.txt.

The cloud installs from requirements.txt; its hashes make pip refuse any other file. The script lists the
files to take, because a list of files to leave out is easily incomplete. It needs only Python, so that it
runs beside the deployment's credentials without packages of others.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "build" / "package"


def main() -> None:
    """Create the folder anew."""
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    for name in ("function_app.py", "host.json", "requirements.txt"):
        shutil.copy2(ROOT / name, TARGET / name)
    shutil.copytree(
        ROOT / "coupa_core",
        TARGET / "coupa_core",
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )
    (TARGET / "coupa_core" / "release.txt").write_text(release() + "\n")
    print(TARGET.relative_to(ROOT))


def release() -> str:
    """Return the version, and the commit where GitHub gives it: the deployment waits for its sweep."""
    source = (ROOT / "coupa_core" / "__init__.py").read_text("utf-8")
    version = re.findall(r'^__version__ = "(.+)"$', source, re.MULTILINE)[0]
    commit = os.environ.get("GITHUB_SHA", "")[:12]
    return f"{version}+{commit}" if commit else version


if __name__ == "__main__":
    main()
