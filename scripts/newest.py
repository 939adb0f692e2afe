#!/usr/bin/env python3
"""Show how the newest versions differ from the locks, and which newer ones a range excludes, and why.

    newest.py FOLDER

FOLDER has new locks, and an environment from each: venv, venv-infra, venv-supply. The script prints the
report, and writes it to FOLDER/report.txt. It only reports: the tests show whether the newest versions work.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from locks import ROOT, locked
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ENVIRONMENTS = {"dev": "venv", "infra": "venv-infra", "supply": "venv-supply"}
SEEDS = {"pip", "setuptools"}
"""Packages that Python puts into each new environment; our code uses none of them."""
RANGE = r'"([\w-]+[=<>~!][^"]*)"\]?,?(?:  # (.+))?$'
"""A range in pyproject.toml with its comment, which a TOML parser would drop."""
ELSEWHERE = "another Python or system has no newer one, and one version serves all"


def differences(old: Path, new: Path) -> Iterator[str]:
    """Yield a line for each package whose versions differ between two locks."""
    before, after = _versions(old), _versions(new)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{name}: {before.get(name, 'not there')} -> {after.get(name, 'not there')}"


def _versions(lock: Path) -> dict[str, str]:
    versions: dict[str, str] = {}
    for each in locked(lock):
        marked = f"{each.version} ({each.marker})" if each.marker else each.version
        versions[each.name] = ", ".join(filter(None, [versions.get(each.name), marked]))
    return versions


def held_back(environment: Path) -> Iterator[str]:
    """Yield a line for each package of an environment with a newer version, and the range that excludes it.

    Raises:
        CalledProcessError: pip could not reach its registry.
    """
    command = [str(environment / "bin" / "python"), "-m", "pip", "list", "--outdated", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own environment
    ranges = list(asked(environment))
    for package in json.loads(done.stdout):
        name, version, newest = package["name"], package["version"], package["latest_version"]
        if name in SEEDS:
            continue
        reasons = [
            why
            for requirement, why in ranges
            if canonicalize_name(requirement.name) == canonicalize_name(name)
            and not requirement.specifier.contains(newest)
        ]
        yield f"{name} {version}, not {newest}: {'; '.join(reasons) or ELSEWHERE}"


def asked(environment: Path) -> Iterator[tuple[Requirement, str]]:
    """Yield every range that applies here, ours first, each with its reason."""
    for range_, reason in re.findall(RANGE, (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE):
        yield Requirement(range_), f"pyproject.toml asks for {range_}" + (f" ({reason})" if reason else "")
    [packages] = environment.glob("lib/python*/site-packages")
    for distribution in importlib.metadata.distributions(path=[str(packages)]):
        for text in distribution.requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                yield requirement, f"{distribution.name} {distribution.version} asks for {requirement}"


def main(folder: Path) -> None:
    """Print the report, and write it."""
    lines = [f"Newest versions on Python {platform.python_version()}"]
    for group, environment in ENVIRONMENTS.items():
        lock = f"requirements-{group}.txt"
        lines += ["", f"{lock}, against the lock:"]
        lines += [f"  {each}" for each in differences(ROOT / lock, folder / lock)] or ["  nothing differs"]
        lines += [f"{lock}, held back:"]
        lines += [f"  {each}" for each in sorted(held_back(folder / environment))] or ["  nothing"]
    report = "\n".join(lines) + "\n"
    (folder / "report.txt").write_text(report, "utf-8")
    print(report)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
