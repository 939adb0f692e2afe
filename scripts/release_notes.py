#!/usr/bin/env python3
"""Print the section of CHANGELOG.md for the page of a release: release_notes.py TAG [ADDRESS].

It refuses a tag that is not the version of this commit, or that has no dated section in the changelog. It
prefixes links into the repository with ADDRESS, because the page of a release is elsewhere. It needs only
Python: no third-party package runs beside the right to publish.
"""

from __future__ import annotations

import re
import sys
import tomllib
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print the section; without one, exit with 1 and the next step."""
    if not 2 <= len(sys.argv) <= 3 or not sys.argv[1]:  # noqa: PLR2004
        sys.exit("A tag is needed: make release-notes TAG=1.2.3")
    tag, address = sys.argv[1], "".join(sys.argv[2:])
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    if tag != version:
        sys.exit(
            f"The tag {tag} is not the version in pyproject.toml, {version}: tag the commit that has it."
        )
    print(linked(section((ROOT / "CHANGELOG.md").read_text("utf-8"), version), address))


def section(changelog: str, version: str) -> str:
    """Return the text below the heading of a version, such as `## [1.2.3] - 2026-12-31`.

    Raises:
        SystemExit: there is not exactly one heading with a valid date, or its section is empty.
    """
    heading = rf"^## \[{re.escape(version)}\]([^\n]*)\n(.*?)(?=^## |\Z)"
    found: list[tuple[str, str]] = re.findall(heading, changelog, re.MULTILINE | re.DOTALL)
    if len(found) != 1:
        sys.exit(
            f"CHANGELOG.md has {len(found)} headings for {version}: write one, ## [{version}] - YYYY-MM-DD."
        )
    [(day, text)] = found
    try:
        date.fromisoformat(day.removeprefix(" - "))
    except ValueError:
        sys.exit(f"The heading of {version} in CHANGELOG.md has no day: write ## [{version}] - YYYY-MM-DD.")
    if not text.strip():
        sys.exit(
            f"The section of {version} in CHANGELOG.md is empty: say what the users of this release see."
        )
    return text.strip()


def linked(text: str, address: str) -> str:
    """Return the text with the address before each link into the repository."""
    return re.sub(r"\]\((?!\w+:|#)", f"]({address}/", text) if address else text


if __name__ == "__main__":
    main()
