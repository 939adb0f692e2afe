#!/usr/bin/env python3
"""Copy the files of a deployment into build/package: the code, and requirements.txt.

Azure installs from requirements.txt, whose hashes make pip refuse other files. The script lists the files to
include, because a list of files to exclude is easily incomplete. It needs only Python: no third-party package
runs beside the credentials of the deployment.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "build" / "package"


def main() -> None:
    """Replace the folder."""
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
    """Return the version, with the commit on GitHub; the gate waits for a sweep of this release."""
    source = (ROOT / "coupa_core" / "__init__.py").read_text("utf-8")
    version = re.findall(r'^__version__ = "(.+)"$', source, re.MULTILINE)[0]
    commit = os.environ.get("GITHUB_SHA", "")[:12]
    return f"{version}+{commit}" if commit else version


if __name__ == "__main__":
    main()
