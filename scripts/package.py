#!/usr/bin/env python3
"""Puts what is deployed into build/package: the code, and requirements.lock as its requirements.txt.

The cloud installs from requirements.txt; hashes in it make pip refuse anything else.
A list of what is taken, because a list of what is left out forgets.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "build" / "package"


def main() -> None:
    """Make the folder anew."""
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    for name in ("function_app.py", "host.json"):
        shutil.copy2(ROOT / name, TARGET / name)
    shutil.copy2(ROOT / "requirements.lock", TARGET / "requirements.txt")
    shutil.copytree(
        ROOT / "coupa_core",
        TARGET / "coupa_core",
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )
    print(TARGET.relative_to(ROOT))


if __name__ == "__main__":
    main()
