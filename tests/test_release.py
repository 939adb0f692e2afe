"""The way from a tag to a release: its section of the changelog, the package, the list of its contents."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml
from locks import DEPLOYED

from coupa_core import __version__

ROOT = Path(__file__).parents[1]
CHANGELOG = """\
# Changelog

## [Unreleased]

- Not yet

## [1.2.3] - 2026-12-31

### Added

- A door, see [the plan](docs/plan.md#doors) and [the law](https://example.com/doors), and [below](#old)

## [1.2.2] - 2026-12-01

- A wall
"""
NOTES = (
    "### Added\n\n"
    "- A door, see [the plan]({}docs/plan.md#doors) and [the law](https://example.com/doors), "
    "and [below](#old)\n"
)
HERE = "https://git.example/house/blob/1.2.3"


def house(folder: Path, *, changelog: str = CHANGELOG) -> Path:
    """Make a repository at version 1.2.3 with the scripts of this one."""
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copytree(ROOT / "coupa_core", folder / "coupa_core")
    for name in ("Makefile", "function_app.py", "host.json", DEPLOYED):
        shutil.copy2(ROOT / name, folder)
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n', "utf-8")
    (folder / "CHANGELOG.md").write_text(changelog, "utf-8")
    return folder


def notes(folder: Path, *arguments: str) -> tuple[int, str]:
    """Return the status of the script and what it said; -I -S: as where nothing is installed."""
    command = [sys.executable, "-I", "-S", str(folder / "scripts" / "release_notes.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("arguments", "front"), [(["1.2.3"], ""), (["1.2.3", HERE], f"{HERE}/")])
def test_the_notes_are_the_section_of_the_tag(tmp_path: Path, arguments: list[str], front: str) -> None:
    assert notes(house(tmp_path), *arguments) == (0, NOTES.format(front))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tag", "changelog", "told"),
    [
        ("v1.2.3", CHANGELOG, "is not the version in pyproject.toml, 1.2.3"),
        ("1.2.2", CHANGELOG, "is not the version in pyproject.toml, 1.2.3"),
        ("", CHANGELOG, "make release-notes TAG="),
        ("1.2.3", "## [Unreleased]\n\n- A door\n", "has 0 headings for 1.2.3"),
        ("1.2.3", "## [11203] - 2026-12-31\n\n- A door\n", "has 0 headings for 1.2.3"),
        ("1.2.3", CHANGELOG.replace("[1.2.2]", "[1.2.3]"), "has 2 headings for 1.2.3"),
        ("1.2.3", "## [1.2.3]\n\n- A door\n", "has no day"),
        ("1.2.3", "## [1.2.3] - 2026-02-30\n\n- A door\n", "has no day"),
        ("1.2.3", "## [1.2.3] - 2026-12-31\n\n## [1.2.2] - 2026-12-01\n\n- A wall\n", "is empty"),
    ],
)
def test_a_tag_without_its_version_or_its_dated_section_is_refused(
    tmp_path: Path, tag: str, changelog: str, told: str
) -> None:
    status, said = notes(house(tmp_path, changelog=changelog), tag)

    assert status == 1
    assert told in said


def test_the_changelog_that_there_is_can_be_cut() -> None:
    versions = re.findall(
        r"^## \[(\d.*?)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    [(day, text)] = [(day, notes(ROOT, version)[1]) for version, day in versions if version == __version__]

    assert date.fromisoformat(day)
    assert text.startswith("### ")
    assert "\n## " not in text


@pytest.mark.slow
def test_a_version_is_the_same_wherever_it_stands() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    routes = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))

    assert project["version"] == routes["info"]["version"] == __version__


def test_the_workflow_publishes_the_package_the_list_and_the_notes(tmp_path: Path) -> None:
    """The gh and zip here are stand-ins, which write down what they are given."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"))
    steps = workflow["jobs"]["release"]["steps"]
    tools, repository = tmp_path / "tools", house(tmp_path)
    tools.mkdir()
    (tools / "zip").write_text('#!/bin/sh\nfind . -type f | sort > "$2"\n')
    (tools / "gh").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > asked\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    (tools / "python3").symlink_to(sys.executable)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "TAG": "1.2.3", "LINKS": HERE}
    (repository / "build").mkdir()
    (repository / "build" / "sbom.cdx.json").write_text("{}")

    for step in steps:
        if "run" in step:
            shell = ["bash", "-eo", "pipefail", "-c", step["run"]]
            subprocess.run(shell, env=environment, cwd=repository, check=True, capture_output=True)

    asked = (repository / "asked").read_text("utf-8").splitlines()
    packed = (repository / "build" / "coupa-approvals-1.2.3.zip").read_text("utf-8").splitlines()
    assert asked[:4] == ["release", "create", "1.2.3", "--verify-tag"]
    assert asked[-2:] == ["build/coupa-approvals-1.2.3.zip", "build/sbom.cdx.json"]
    assert (repository / asked[asked.index("--notes-file") + 1]).read_text("utf-8") == NOTES.format(
        f"{HERE}/"
    )
    assert {"./function_app.py", "./host.json", f"./{DEPLOYED}", "./coupa_core/release.txt"} <= set(packed)


def test_only_a_tag_that_could_be_a_version_begins_a_release() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"))

    begins = workflow[True]  # YAML reads the key `on` as a boolean
    assert begins == {"push": {"tags": ["[0-9]+.[0-9]+.[0-9]+"]}}
