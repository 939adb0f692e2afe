"""The rules between modules: who may import whom, and what must not be loaded or named."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "coupa_core"
TIERS: tuple[frozenset[str], ...] = (
    frozenset(
        {
            *("errors", "addresses", "clock", "correlation", "connections", "hiding", "environment"),
            *("model", "documents", "content", "endings", "halving", "parallel", "ranges", "release"),
            *("facts", "marks", "visible", "audience", "misspelt", "finding"),
        }
    ),
    frozenset(
        {
            *("wire", "notice", "cadence", "authority", "ledger", "journal", "azure_sdk", "tables"),
            *("callers", "schedule", "pace", "pseudonym", "sensitive", "hosting"),
        }
    ),
    frozenset(
        {
            *("settings", "coupa", "moveworks", "table_ledger", "table_journal", "directory"),
            "turns",
        }
    ),
    frozenset({"sweep", "decide", "inbox", "history", "relay", "report", "operate", "repeat"}),
    frozenset({"endpoints"}),
    frozenset({"app"}),
    frozenset({"audit", "doctor", "gate", "keys"}),
)
TIER = {room: number for number, rooms in enumerate(TIERS) for room in rooms}
WITHIN_A_TIER = {
    ("model", "errors"),
    ("model", "clock"),
    ("model", "marks"),
    ("model", "visible"),
    ("marks", "visible"),
    ("halving", "errors"),
    ("ranges", "clock"),
    ("ranges", "errors"),
    ("ranges", "halving"),
    ("ranges", "model"),
    ("ranges", "parallel"),
    ("facts", "model"),
    ("documents", "facts"),
    ("documents", "model"),
    ("content", "model"),
    ("content", "documents"),
    ("endings", "model"),
    ("environment", "errors"),
    ("audience", "addresses"),
    ("connections", "clock"),
    ("notice", "authority"),
    ("tables", "azure_sdk"),
}
SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """Return the module or the package right below coupa_core."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@functools.cache
def imports(path: Path, *, typing_too: bool = True) -> tuple[str, ...]:
    """Return every module that a file imports, wherever in it, as full names."""
    return tuple(_imports(path, typing_too=typing_too))


def _imports(path: Path, *, typing_too: bool) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    skipped: set[ast.AST] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing_too:
            skipped |= {each for statement in node.body for each in ast.walk(statement)}
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def rooms_imported(path: Path) -> set[str]:
    names = [name.split(".") for name in imports(path)]
    return {name[1] for name in names if name[0] == PACKAGE.name and len(name) > 1}


def users_of(module: str, *, typing_too: bool = True) -> set[str]:
    """Return the rooms that import a module or a part of it."""
    return {
        room_of(path)
        for path in SOURCES
        if any(f"{name}.".startswith(f"{module}.") for name in imports(path, typing_too=typing_too))
    }


def test_every_room_has_a_tier_and_every_tier_has_its_rooms() -> None:
    assert {room_of(path) for path in SOURCES} - {"__init__"} == set(TIER)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_rooms_of_lower_tiers(path: Path) -> None:
    room = room_of(path)
    forbidden = {
        other
        for other in rooms_imported(path) - {room}
        if TIER[other] >= TIER.get(room, -1) and (room, other) not in WITHIN_A_TIER
    }

    assert forbidden == set()


def test_the_rule_sees_the_imports_there_are() -> None:
    """Guard the guard: were the parsing wrong, the rules above would hold for nothing."""
    assert {"errors"} <= rooms_imported(PACKAGE / "model" / "document.py")
    assert {"wire", "coupa", "sweep"} <= rooms_imported(PACKAGE / "app.py")
    assert users_of("hmac") == {"authority", "journal", "moveworks", "pseudonym"}


def test_requests_is_used_by_wire_and_its_connections_alone() -> None:
    assert users_of("requests", typing_too=False) == {"connections", "wire"}
    assert users_of("requests") == {"connections", "wire", "app"}
    assert users_of("urllib3") == {"connections", "wire"}


def test_the_table_sdk_is_used_by_the_rooms_of_tables_alone() -> None:
    assert users_of("azure.data") == {"tables", "table_ledger", "table_journal"}
    assert users_of("azure.identity") == {"azure_sdk"}


def test_the_package_knows_neither_the_functions_host_nor_the_sandbox() -> None:
    assert users_of("azure.functions") == set()
    assert users_of("sandbox") == set()


def test_the_sandbox_does_not_know_the_product() -> None:
    """The simulators keep the vendors' rules, not ours; only the demo runs the product."""
    sources = [path for path in (ROOT / "sandbox").rglob("*.py") if "node_modules" not in path.parts]

    users = {
        path.name for path in sources if any(name.split(".")[0] == "coupa_core" for name in imports(path))
    }

    assert sources
    assert users == set()


def test_indexing_the_functions_loads_nothing_heavy() -> None:
    """A fault in a dependency must show in a call, not make all functions vanish."""
    heavy = ("pydantic", "requests", "azure.data.tables", "babel", "azure.identity")
    program = f"import sys, function_app; print(*(name for name in {heavy} if name in sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
