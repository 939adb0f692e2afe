"""All that README, docs/ and SECURITY.md name exists: files, links, commands, settings, parameters, codes.

The reader judges the meaning of a name; this file checks that it exists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge import World
from canaries import API_KEY, CLIENT_SECRET
from infra.snapshots import WAYS, loaded
from infra.watch import watched
from settings_pages import SECRETS
from unruly import away

from coupa_core.settings import EASY_AUTH, NAMES
from infra import rules

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *(ROOT / f"{name}.md" for name in ("README", "SECURITY", "CONTRIBUTING")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
MADE = ("build/", ".azure/", "local.settings.json", "swagger.json", ".venv/", "build/package/")
"""What commands make: it is named and not there."""

OTHERS = {
    "DEMO_EXIT",
    "MASTER_KEY",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "REWRITE_SNAPSHOTS",
    "AZURE_TENANT_ID",
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_CLIENT_ID",
    "AZURE_RESOURCE_GROUP",
}
"""Variables of commands, and of azure/login."""


def code(page: Path) -> Iterator[str]:
    """Yield what a page shows as code: spans, and the lines of blocks."""
    source = page.read_text("utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```$", source, re.MULTILINE | re.DOTALL)
    for block in blocks:
        yield from block.splitlines()
    yield from re.findall(
        r"`([^`\n]+)`", re.sub(r"^```\w*\n.*?^```$", "", source, flags=re.MULTILINE | re.DOTALL)
    )


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page, as they are made from its headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def by_page(found: Callable[[Path], Iterator[str]]) -> list[Any]:
    """Return a parameter for each page, named by it."""
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if any(found(page))]


def links(page: Path) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))


def paths(page: Path) -> Iterator[str]:
    """Yield what looks like a file or folder of this repository."""
    folders = {each.name for each in ROOT.iterdir() if each.is_dir()}
    for span in code(page):
        for word in re.split(r"[\s\"'=(),;]+", span):
            is_inside = "/" in word and word.partition("/")[0] in folders
            is_file = re.fullmatch(r"[\w./-]+\.(md|py|json|bicep|bicepparam|kql|ya?ml|lock|txt|toml)", word)
            if (is_inside or is_file) and not re.search(r"[{}*$<>:]|\.\.\.", word):
                yield word


def variables(page: Path) -> Iterator[str]:
    for span in code(page):
        yield from re.findall(r"(?<![\w@-])[A-Z][A-Z0-9]*_[A-Z0-9_]+(?![\w])", span)


@pytest.mark.parametrize("page", by_page(links))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        if target.startswith("http"):
            assert target.startswith("https://"), link
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", by_page(paths))
def test_every_path_is_there(page: Path) -> None:
    missing = [
        path
        for path in paths(page)
        if not path.startswith(MADE)
        and not any((base / path.rstrip("/")).exists() for base in (ROOT, page.parent, ROOT / "infra"))
    ]

    assert missing == []


def test_each_word_of_the_design_has_one_meaning() -> None:
    part = (ROOT / "docs" / "design.md").read_text("utf-8").partition("\n## Words\n")[2].partition("\n## ")[0]
    words = re.findall(r"^\| ([a-z ]+) \|", part, re.MULTILINE)

    assert len(words) > 30
    assert [word for word in words if words.count(word) > 1] == []


def test_what_the_bridge_is_deployed_with_stands_in_the_first_step_of_the_builder() -> None:
    page = (ROOT / "docs" / "creator_studio" / "events.md").read_text("utf-8")

    assert "API key" in page.partition("\n## 1. ")[2].partition("\n## 2. ")[0]
    assert page.index("*HTTP Connectors > Credentials*") < page.index("over to whoever deploys the bridge")


def test_every_make_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    spans = [span for page in PAGES for span in code(page)]
    named = {name for span in spans for name in re.findall(r"\bmake ([a-z-]+)", span)}

    assert named - targets == set()
    assert {"demo", "test", "infra", "lock", "package"} <= named


def known_variables() -> set[str]:
    """Return every variable that a setting, a parameter, an output or a workflow has."""
    known = {*NAMES, EASY_AUTH, *rules.HOST_SETTINGS, *rules.LOCAL_HOST, *OTHERS}
    for file in (ROOT / "infra").glob("*.bicepparam"):
        known |= set(re.findall(r"readEnvironmentVariable\('(\w+)'", file.read_text("utf-8")))
    known |= set(loaded()["events"]["outputs"])
    return known


def constants() -> set[str]:
    """Return every constant of a module of the package."""
    sources = (file.read_text("utf-8") for file in (ROOT / "coupa_core").rglob("*.py"))
    found = (re.findall(r"^([A-Z][A-Z0-9_]+)\b.* = ", source, re.MULTILINE) for source in sources)
    return {name for names in found for name in names}


@pytest.mark.parametrize("page", by_page(variables))
def test_every_variable_is_known(page: Path) -> None:
    # The page for whoever changes the code names constants, too; a page for others must not.
    of_code = constants() if page.name == "design.md" else set()

    assert set(variables(page)) - known_variables() - of_code == set()


def operations() -> str:
    return (ROOT / "docs" / "operations.md").read_text("utf-8")


def section(name: str) -> str:
    return operations().partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_every_option_is_a_parameter_with_its_variable() -> None:
    source = (ROOT / "infra" / "main.bicepparam").read_text("utf-8")
    options = dict(
        re.findall(r"^param (\w+) = .*?readEnvironmentVariable\('(\w+)', ''\)", source, re.MULTILINE)
    )
    options |= {"entraClientId": "ENTRA_APP_CLIENT_ID", "secretNames": "SECRET_NAMES"}

    assert dict(re.findall(r"`(\w+)` \(`([A-Z_]+)`", section("Options"))) == options


def test_the_roles_of_the_template_are_explained_and_no_others() -> None:
    shown = re.findall(r"^\| ([A-Z][A-Za-z ]+) \| (?:the|Application)", section("What is made"), re.MULTILINE)

    assert set(shown) == set(rules.ROLES)


def test_every_tile_that_is_named_is_in_the_workbook() -> None:
    items = json.loads((ROOT / "infra" / "workbook.json").read_text("utf-8"))["items"]
    tiles = {item["name"] for item in items if item["type"] == 3}
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    named = set(re.findall(r"(?<![*\w])\*([a-z-]+)\*(?![*\w])", section("What is logged") + runbook))

    assert {"pending-by-age", "waits", "calls"} <= named <= tiles


def test_the_lines_of_a_run_have_the_figures_that_are_explained() -> None:
    explained = set(
        re.findall(r"`((?:pending|coupa|moveworks)_\w+|\w+_s|\w+_id)`", section("What is logged"))
    )
    world = World()
    with watched(world) as watch:
        for waited_s in (8 * 86_400, 2 * 86_400, 7_200, 60):
            world.requisition("robin@example.com")
            world.sweep()
            world.clock.advance(waited_s)
        for front in (world.coupa.front, world.moveworks.front):
            front.fail("answer", status=500)
        world.requisition("robin@example.com")
        watch.sweeps(2)
        world.click(world.moveworks.delivered[-1], "robin@example.com")
    lines = [each["message"] for each in watch.tables["traces"]]
    figures = {name for line in lines for name in re.findall(r" (\w+)=", line)}

    assert explained - figures == set()
    assert {"queue_s", "click_s", "write_s", "pending_older", "moveworks_errors", "sweep_id"} <= explained


def test_every_secret_has_steps_to_rotate_it() -> None:
    secret = SECRETS | {name for name in WAYS["keys"] if name.endswith("_KEY")}

    assert {name for name in secret if f"`{name}`" not in section("Rotate")} == set()


Fault = Callable[[World], object]


def fails(path: str, status: int, **headers: str) -> Fault:
    return lambda world: world.coupa.front.fail(
        "answer", path=path, status=status, headers=headers, times=None
    )


FAULTS: dict[str, Fault] = {
    "another region's host": lambda world: setattr(world.moveworks, "api_key", "of another region"),
    "another instance": fails("", 302, Location="https://elsewhere.test"),
    "a scope is missing": fails("/api/requisitions", 403),
    "an expired secret": fails("oauth2", 401),
    "another event": lambda world: setattr(world.moveworks, "event_id", "another"),
    "no rights on the table": lambda world: away(world.store, "status", "ledger_403"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_code_that_is_logged_for_a_fault_stands_in_the_table_of_symptoms(fault: str) -> None:
    world = World()
    world.requisition("robin@example.com")
    with watched(world) as watch:
        FAULTS[fault](world)
        watch.sweeps(2)
        lines = " ".join(row["message"] for row in watch.tables["traces"])

    logged = set(re.findall(r"code=(\w+)", lines))
    shown = set(re.findall(r"`((?:coupa|moveworks|ledger)_\w+)`", section("Symptoms")))
    assert logged
    assert logged <= shown


def test_a_key_with_a_trailing_newline_works() -> None:
    world = World(
        settings={"MOVEWORKS_API_KEY": f"{API_KEY}\n", "COUPA_CLIENT_SECRET": f" {CLIENT_SECRET}\r\n"}
    )
    world.requisition("robin@example.com")

    assert [each.recipient for each in world.announced()] == ["robin@example.com"]
