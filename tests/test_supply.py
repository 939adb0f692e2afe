"""One set of versions: the ranges, the locks and the installed packages agree."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import newest
import pytest
from hypothesis import given
from hypothesis import strategies as st
from locks import CLOUD, DEPLOYED, Locked, locked
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = Path(os.environ.get("LOCKS", ROOT))
"""Where this environment's lock is: `make newest` has others than the repository."""

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
GROUPS: dict[str, list[str]] = PROJECT["dependency-groups"]
RANGES = {
    DEPLOYED: PROJECT["project"]["dependencies"],
    "requirements-dev.txt": PROJECT["project"]["dependencies"] + GROUPS["dev"],
    "requirements-infra.txt": GROUPS["infra"],
    "requirements-supply.txt": GROUPS["supply"],
}
"""The ranges that each lock is made from."""

PYTHONS = [
    f"3.{minor}"
    for minor in range(8, 20)
    if f"3.{minor}" in SpecifierSet(PROJECT["project"]["requires-python"])
]
each_lock = pytest.mark.parametrize("lock", sorted(RANGES))


def on(python: str) -> dict[str, str]:
    """Return the markers of a Python on Linux."""
    return CLOUD | {"python_version": python, "python_full_version": f"{python}.9"}


def pinned(lock: str, python: str) -> dict[str, Locked]:
    """Return what a lock installs on a Python; two versions of one package are a fault."""
    holding = [each for each in locked(LOCKS / lock) if each.holds(on(python))]
    names = [each.name for each in holding]
    assert len(set(names)) == len(names)
    return {each.name: each for each in holding}


def test_what_is_installed_is_what_is_locked() -> None:
    installed = {canonicalize_name(each.name): each.version for each in importlib.metadata.distributions()}
    wanted = {each.name: each.version for each in locked(LOCKS / "requirements-dev.txt") if each.holds()}

    assert {name: version for name, version in installed.items() if name not in newest.SEEDS} == wanted


def test_each_group_of_the_project_has_its_lock_and_there_are_no_others() -> None:
    assert {path.name for path in LOCKS.glob("*requirements*")} == set(RANGES)
    assert set(RANGES) == {DEPLOYED, *(f"requirements-{group}.txt" for group in GROUPS)}
    assert list(ROOT.glob("*.lock")) == []


@each_lock
@pytest.mark.parametrize("python", PYTHONS)
def test_a_lock_holds_what_the_project_asks_for_on_every_python(lock: str, python: str) -> None:
    pins = pinned(lock, python)

    asked = [Requirement(text) for text in RANGES[lock]]
    holding = [each for each in asked if each.marker is None or each.marker.evaluate(on(python))]
    missing = [
        str(each)
        for each in holding
        if canonicalize_name(each.name) not in pins
        or not each.specifier.contains(pins[canonicalize_name(each.name)].version)
    ]
    assert missing == [], "run make lock"
    assert len(pins) > len(holding) > 0


@pytest.mark.parametrize("python", PYTHONS)
def test_the_tests_run_on_the_versions_that_are_deployed(python: str) -> None:
    deployed, tested = pinned(DEPLOYED, python), pinned("requirements-dev.txt", python)

    assert {name: tested.get(name) for name in deployed} == deployed


@each_lock
def test_every_entry_has_hashes_and_only_built_wheels_are_taken(lock: str) -> None:
    hashes = {each.name: each.hashes for each in locked(LOCKS / lock)}

    assert len(hashes) > 5
    assert [name for name, digests in hashes.items() if not digests] == []
    each_one = [one for digests in hashes.values() for one in digests]
    assert [one for one in each_one if not re.fullmatch("sha256:[0-9a-f]{64}", one)] == []
    options = re.findall(r"^-.*$", (LOCKS / lock).read_text("utf-8"), re.MULTILINE)
    assert options == ["--only-binary :all:"]


@each_lock
def test_a_lock_names_no_place_to_fetch_from(lock: str) -> None:
    text = (LOCKS / lock).read_text("utf-8")

    assert re.search(r"://|@|index|find-links|trusted-host", text) is None


@each_lock
def test_a_lock_has_nothing_but_options_comments_and_entries(lock: str) -> None:
    """A line that the reader of locks does not see would be installed and not be compared."""
    text = (LOCKS / lock).read_text("utf-8")

    lines = [line for line in text.splitlines() if not line.startswith((" ", "#", "-")) and line]
    assert len(lines) == len(locked(LOCKS / lock))


names = st.sampled_from(["six", "Jinja2", "azure_core", "zope.interface", "ruamel-yaml", "A--B"])
digests = st.integers(0, 2**256 - 1).map("sha256:{:064x}".format)
entry = st.tuples(
    names,
    st.sampled_from(["1.2", "3!1.0.post1", "2026.10"]),
    st.booleans(),
    st.lists(digests, min_size=1, max_size=3),
)


@pytest.mark.slow
@given(entries=st.lists(entry, max_size=8))
def test_whatever_is_locked_is_read_back(
    entries: list[tuple[str, str, bool, list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lock = tmp_path_factory.mktemp("lock") / "requirements.txt"
    marker = " ; python_full_version < '3.13'"
    lock.write_text(
        "# by hand\n--only-binary :all:\n\n"
        + "".join(
            f"{name}=={version}{marker * old}" + "".join(f" \\\n    --hash={one}" for one in hashes) + "\n"
            for name, version, old, hashes in entries
        ),
        "utf-8",
    )

    read = [(each.name, each.version, each.holds(on("3.13")), list(each.hashes)) for each in locked(lock)]

    assert read == [
        (canonicalize_name(name), version, not old, hashes) for name, version, old, hashes in entries
    ]


@pytest.mark.parametrize("range_", ["requests", "requests>=2", "requests==2,<3"])
def test_a_range_is_no_lock(tmp_path: Path, range_: str) -> None:
    (tmp_path / DEPLOYED).write_text(f"{range_}\n", "utf-8")

    with pytest.raises(ValueError, match="run make lock"):
        locked(tmp_path / DEPLOYED)


def test_the_cloud_is_the_one_that_the_templates_make() -> None:
    template = (ROOT / "infra" / "modules" / "function-app.bicep").read_text("utf-8")
    [version] = re.findall(r"name: 'python'\n\s+version: '([\d.]+)'", template)

    assert version == CLOUD["python_version"]
    assert version in PYTHONS


def test_scanners_are_given_what_the_cloud_installs() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "locks.py"], capture_output=True, text=True, check=True
    )

    entries = {each.name: each for each in locked(ROOT / DEPLOYED) if each.holds(CLOUD)}
    lines = [line.split() for line in done.stdout.splitlines()]
    assert {pin: tuple(hashes) for pin, *hashes in lines} == {
        f"{each.name}=={each.version}": tuple(f"--hash={digest}" for digest in each.hashes)
        for each in entries.values()
    }
    assert entries["azure-functions"].version.startswith("2.")


def test_editors_and_containers_take_a_python_that_is_promised_the_one_of_the_cloud_first() -> None:
    offered = (ROOT / ".python-version").read_text("utf-8").split()
    container = (ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8")

    assert sorted(offered) == PYTHONS
    assert offered[0] == CLOUD["python_version"]
    assert re.findall(r"devcontainers/python:\d+-([\d.]+)-", container) == [CLOUD["python_version"]]


def test_the_lowest_python_that_is_promised_is_the_one_that_is_locked_for() -> None:
    [lowest] = re.findall(r"--python-version (\S+)", (ROOT / "scripts" / "lock").read_text("utf-8"))

    assert lowest == PYTHONS[0]


def recipe(target: str, *options: str) -> str:
    """Return the commands that make would run for a target."""
    command = ["make", "--dry-run", "--no-print-directory", target, *options]
    only = {"PATH": os.environ["PATH"]}  # `make test` hands its own variables on
    return subprocess.run(command, cwd=ROOT, env=only, capture_output=True, text=True, check=True).stdout


def test_every_command_installs_from_a_lock_and_by_one_script() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    scripts = {path.name: path.read_text("utf-8") for path in (ROOT / "scripts").iterdir() if path.is_file()}

    assert [name for name, text in scripts.items() if "pip install" in text] == ["venv"]
    assert "pip install --quiet --disable-pip-version-check --require-hashes" in scripts["venv"]
    assert {"setup", "newest", "infra"} <= set(targets)
    for target in targets:
        commands = recipe(target)
        assert "pip install" not in commands
        assert set(re.findall(r"requirements\S*\.txt", commands)) <= set(RANGES) | {
            f"./{lock}" for lock in RANGES
        } | {f"build/newest/{lock}" for lock in RANGES}


@pytest.mark.parametrize("target", ["package", "release-notes", "clean", "help"])
def test_some_commands_install_nothing(target: str) -> None:
    assert re.search(r"scripts/(setup|venv)", recipe(target)) is None


def test_the_newest_versions_stay_beside_what_is_tracked() -> None:
    commands = recipe("newest")

    written = re.findall(r"scripts/lock \S+ (\S+)", commands)
    assert written == ["build/newest"]
    ignored = ["git", "check-ignore", "--quiet", "build/newest/requirements.txt"]
    assert subprocess.run(ignored, cwd=ROOT, check=False).returncode in (0, 128), "128: no repository here"
    assert "build/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


# What the code imports


def imports(files: Iterable[Path]) -> Iterator[str]:
    """Yield the modules that files import, but for relative ones."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module


@cache
def owners() -> dict[str, str]:
    """Return which package installed a module, by the module's path."""
    return {
        f"{distribution.locate_file('')}/{file}": canonicalize_name(distribution.name)
        for distribution in importlib.metadata.distributions()
        for file in distribution.files or []
        if file.suffix in (".py", ".so")
    }


def packages_of(modules: Iterable[str]) -> set[str]:
    """Return the packages that install modules; those of Python and of this repository have none."""
    specs = [importlib.util.find_spec(name) for name in sorted(set(modules))]
    return {owners()[spec.origin] for spec in specs if spec and spec.origin in owners()}


def sources(folder: str) -> Iterator[Path]:
    """Yield the modules below a folder, apart from those of npm's packages."""
    for here, folders, files in os.walk(ROOT / folder):
        folders[:] = [each for each in folders if each != "node_modules"]
        yield from (Path(here, each) for each in files if each.endswith(".py"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folders", "lock"),
    [(["coupa_core"], DEPLOYED), (["tests", "sandbox", "bench", "scripts"], "requirements-dev.txt")],
    ids=["deployed", "dev"],
)
def test_every_package_that_is_imported_is_asked_for_by_name(folders: list[str], lock: str) -> None:
    """One that only comes along with another goes when that other no longer needs it."""
    files = [*(file for folder in folders for file in sources(folder)), ROOT / "function_app.py"]

    imported = packages_of(name for name in imports(files) if name.partition(".")[0] not in folders)

    asked = {canonicalize_name(Requirement(text).name) for text in RANGES[lock]}
    assert imported - asked == set()
    assert len(imported) > 5


# What differs, and what is held back


def test_the_report_names_what_differs(tmp_path: Path) -> None:
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("a==1\nb==1 ; python_version < '3.13'\nb==2 ; python_version >= '3.13'\nc==1\n", "utf-8")
    new.write_text("a==1\nb==1 ; python_version < '3.13'\nb==3 ; python_version >= '3.13'\nd==1\n", "utf-8")

    before, since = 'python_version < "3.13"', 'python_version >= "3.13"'
    assert list(newest.differences(old, new)) == [
        f"b: 1 ({before}), 2 ({since}) -> 1 ({before}), 3 ({since})",
        "c: 1 -> not there",
        "d: not there -> 1",
    ]


def test_the_report_says_who_holds_a_package_back_and_why() -> None:
    asked = list(newest.asked(Path(sys.prefix)))

    of_playwright = [why for requirement, why in asked if requirement.name == "playwright"]
    [ours] = [why for why in of_playwright if why.startswith("pyproject.toml")]
    assert re.search(r"asks for playwright==\S+ \(drives Chromium", ours)
    assert any(why.startswith("azure-identity ") for requirement, why in asked if requirement.name == "msal")
    named = {canonicalize_name(Requirement(text).name) for group in RANGES.values() for text in group}
    ours_by_name = {canonicalize_name(each.name) for each, why in asked if why.startswith("pyproject.toml")}
    without_a_range = {
        canonicalize_name(Requirement(text).name)
        for group in RANGES.values()
        for text in group
        if not Requirement(text).specifier
    }
    assert ours_by_name == named - without_a_range
