"""The name of this release: the version and, if it was packed from a commit, the commit."""

from __future__ import annotations

from pathlib import Path

import coupa_core

FILE = "release.txt"
"""Beside this file in the package that is deployed; `scripts/package.py` writes it."""


def release_in(folder: Path) -> str:
    """Return the release that a folder was packed as; the bare version where it was not packed."""
    try:
        return (folder / FILE).read_text("utf-8").strip() or coupa_core.__version__
    except OSError:
        return coupa_core.__version__


RELEASE = release_in(Path(__file__).parent)
