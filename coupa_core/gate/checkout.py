"""Find the release that a deployment should have: the one of the folder that the gate runs from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import coupa_core
from coupa_core.release import release_in

_LETTERS = 12
"""Of a commit's name, as `scripts/package.py` writes them."""

_PATIENCE_S = 10.0


def releases_of(package: Path = Path(coupa_core.__file__).parent) -> tuple[str, ...]:
    """Return the names that a deployment from here may have, the most exact one first.

    A package that GitHub made names its commit, one that was made on a machine does not.

    Args:
        package: the folder `coupa_core`.
    """
    release = release_in(package)
    commit = "" if "+" in release else _commit_of(package)
    return (f"{release}+{commit[:_LETTERS]}", release) if commit else (release,)


def _commit_of(folder: Path) -> str:
    """Return the commit that is checked out; empty without a commit or without git."""
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "-C", str(folder), "rev-parse", "--verify", "--quiet", "HEAD"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
