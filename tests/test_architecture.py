"""The rules between modules that import-linter checks, tried, and the rules that it cannot express."""

from __future__ import annotations

import ast
import functools
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "coupa_core"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TIERS, WITHOUT_COMPONENTS, STRANGERS, SOCKETS = (
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with what import-linter reads."""
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    for package in ("coupa_core", "sandbox"):
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    return tmp_path


def linted(folder: Path) -> tuple[int, str]:
    """Return the status of import-linter in a folder, and its words with single spaces."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_the_imports_there_are_keep_the_contracts(copy: Path) -> None:
    status, said = linted(copy)

    assert status == 0, said
    assert "4 kept, 0 broken" in said


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("coupa_core/errors.py", "import coupa_core.app", TIERS),
        ("coupa_core/model/values.py", "from coupa_core.settings import NAMES", TIERS),
        ("coupa_core/model/values.py", "from .. import settings", TIERS),
        ("coupa_core/http_client/client.py", "def late():\n    from coupa_core import endpoints", TIERS),
        ("coupa_core/inbox/answer.py", "import coupa_core.history", TIERS),
        ("coupa_core/clock.py", "import coupa_core.errors", TIERS),
        ("coupa_core/model/values.py", "if TYPE_CHECKING:\n    import coupa_core.facts", TIERS),
        ("coupa_core/__init__.py", "from coupa_core import errors", WITHOUT_COMPONENTS),
        ("coupa_core/__init__.py", "from coupa_core.model.values import Money", WITHOUT_COMPONENTS),
        ("coupa_core/app/clients.py", "import sandbox.clock", STRANGERS),
        ("sandbox/coupa/world.py", "from coupa_core.model import Approval", STRANGERS),
        ("coupa_core/moveworks/listener.py", "from urllib3.util import Retry", SOCKETS),
    ],
)
def test_an_import_that_is_not_allowed_is_refused(copy: Path, file: str, line: str, contract: str) -> None:
    with (copy / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")

    status, said = linted(copy)

    assert status == 1
    assert f"{contract} BROKEN" in said


def test_a_component_without_a_tier_is_refused(copy: Path) -> None:
    (copy / "coupa_core" / "annex.py").touch()

    status, said = linted(copy)

    assert status == 1
    assert "coupa_core.annex" in said


def test_a_tier_of_a_component_that_is_gone_is_refused(copy: Path) -> None:
    (copy / "coupa_core" / "keys.py").unlink()

    status, said = linted(copy)

    assert status == 1
    assert "keys" in said


def test_leave_for_an_import_that_is_gone_is_refused(copy: Path) -> None:
    (copy / "coupa_core" / "environment.py").write_text("", "utf-8")

    status, said = linted(copy)

    assert status == 1
    assert "coupa_core.environment -> coupa_core.errors" in said


def test_the_design_has_each_component_in_its_tier() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    [layers] = [each["layers"] for each in project["tool"]["importlinter"]["contracts"] if "layers" in each]
    page = (ROOT / "docs" / "design.md").read_text("utf-8")
    [components] = re.findall(r"^coupa_core/\n(.*?)^\w", page, re.MULTILINE | re.DOTALL)

    shown: list[set[str]] = []
    for number, component in re.findall(r"^  ([ \d])  (\w+) ", components, re.MULTILINE):
        if number != " ":
            assert int(number) == len(shown)
            shown.append(set())
        shown[-1].add(component)
    assert shown == [set(re.split(r"\s*\|\s*", layer)) for layer in reversed(layers)]


# What import-linter cannot say: parts of the namespace azure, imports for types only, and what is loaded


def component_of(path: Path) -> str:
    """Return the module or the package right below coupa_core."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@functools.cache
def imports(path: Path, *, typing_too: bool = True) -> tuple[str, ...]:
    """Return every module that a file imports, wherever in it, as full names."""
    return tuple(_imports(path, typing_too=typing_too))


def _imports(path: Path, *, typing_too: bool) -> Iterator[str]:
    skipped: set[ast.AST] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing_too:
            skipped |= {each for statement in node.body for each in ast.walk(statement)}
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def users_of(module: str, *, typing_too: bool = True) -> set[str]:
    """Return the components that import a module that is not ours, or a part of it."""
    return {
        component_of(path)
        for path in SOURCES
        if any(f"{name}.".startswith(f"{module}.") for name in imports(path, typing_too=typing_too))
    }


def test_requests_is_used_by_the_http_client_and_its_connections_alone() -> None:
    assert users_of("requests", typing_too=False) == {"connections", "http_client"}
    assert users_of("requests") == {"connections", "http_client", "app"}


def test_the_table_sdk_is_used_by_the_components_of_tables_alone() -> None:
    assert users_of("azure.data") == {"tables", "table_ledger", "table_audit_log"}
    assert users_of("azure.identity") == {"azure_sdk"}


def test_the_package_does_not_know_the_functions_host() -> None:
    assert users_of("azure.functions") == set()


def test_indexing_the_functions_loads_nothing_heavy() -> None:
    """A fault in a dependency must show in a call, not make all functions vanish."""
    heavy = ("pydantic", "requests", "azure.data.tables", "babel", "azure.identity")
    program = f"import sys, function_app; print(*(name for name in {heavy} if name in sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_no_loop_makes_a_set_or_a_list_anew_to_ask_what_is_in_it() -> None:
    """The time of such a loop grows with the square of the number of approvals."""
    loops = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    made = (ast.BinOp, ast.ListComp, ast.SetComp, ast.GeneratorExp)
    found = [
        f"{path.name}: {ast.unparse(test)}"
        for path in SOURCES
        for loop in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(loop, loops)
        for test in ast.walk(loop)
        if isinstance(test, ast.Compare) and isinstance(test.comparators[0], made)
        if isinstance(test.ops[0], (ast.In, ast.NotIn))
    ]

    assert not found
