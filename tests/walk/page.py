"""The commands of docs/operations.md: its blocks by the heading that they stand under."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"
WINDOWS = ROOT / "docs" / "operations-windows.md"


def blocks(page: Path = PAGE) -> dict[str, list[str]]:
    """Return the blocks of commands by the nearest heading above them, in the order of the page."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^#+ ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        inside = re.findall(r"^```(?:powershell)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if inside:
            found[heading.strip()] = inside
    return found
