"""The pages for a Moveworks builder as the tests read them: their sections, tables, lists and code blocks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "docs" / "creator_studio"
PAGES = {page.name: page.read_text("utf-8") for page in sorted(FOLDER.glob("*.md"))}


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE)


def tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a text as rows of cells, without their heads."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    rows = [
        [[cell.strip() for cell in line[1:-1].split(" | ")] for line in table.splitlines()] for table in found
    ]
    return [table[2:] for table in rows]


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of any level."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGES[page], re.DOTALL | re.MULTILINE)
    assert match, heading
    return match[1]


def lists(text: str) -> list[list[str]]:
    found = re.findall(r"(?:^- .*\n)+", text, re.MULTILINE)
    return [[line.removeprefix("- ") for line in each.splitlines()] for each in found]


MAPPERS: dict[str, dict[str, Any]] = {
    heading: yaml.safe_load(found[1])
    for heading in re.findall("^## (.*)$", PAGES["actions.md"], re.MULTILINE)
    if (found := re.search(r"^```yaml\n(.*?)^```$", section("actions.md", heading), re.DOTALL | re.MULTILINE))
}
"""The bodies by data mapper, by the action."""
