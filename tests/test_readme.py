"""The documents are true: their settings, routes, types and fields are those of the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import preflight
import pytest
from azure.functions.decorators.function_app import Function
from test_settings import LEAST

from coupa_core.documents import DOCUMENT_MODELS
from coupa_core.errors import SettingsError
from coupa_core.hosting import THREADS
from coupa_core.notice import fields
from coupa_core.settings import HOST_STORAGE, NAMES, read_settings
from infra import rules
from sandbox.clock import ShiftedClock
from sandbox.coupa import CoupaSimulator
from sandbox.moveworks import MoveworksSimulator
from sandbox.services import API_KEY, COUPA_PORT, EVENT_ID, MOVEWORKS_PORT, Services

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
NOTICES = ROOT / "docs" / "notices.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
ROUTES = ROOT / "docs" / "api.md"


def test_every_setting_has_its_row_once() -> None:
    shown = re.findall(r"^\| `([A-Z_]+)` \| ", SETTINGS_PAGE.read_text("utf-8"), re.MULTILINE)

    assert sorted(shown) == sorted(NAMES)


def part(heading: str) -> str:
    """Return a part of the page on settings."""
    return SETTINGS_PAGE.read_text("utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_nine_come_first_and_without_any_of_six_nothing_works() -> None:
    nine = re.findall(r"^\| `([A-Z_]+)`", part("The nine to give"), re.MULTILINE)
    six = {name: LEAST[name] for name in nine if name in LEAST}

    assert (len(nine), len(six)) == (9, 6)
    read_settings({**six, HOST_STORAGE: "memory"})
    for name in six:
        assert f"`{name}`" in README.read_text("utf-8")
        with pytest.raises(SettingsError, match=f"^{name}: is missing$"):
            read_settings({**six, HOST_STORAGE: "memory", name: ""})


def test_eight_decisions_name_settings_that_there_are() -> None:
    rows = re.findall(r"^\| ([1-9])\. .*?\| (.*?) \|", part("The eight decisions of a company"), re.MULTILINE)

    assert [number for number, _ in rows] == list("12345678")
    assert set(re.findall(r"`(\w+)`", " ".join(names for _, names in rows))) <= set(NAMES)


def profiles() -> list[dict[str, str]]:
    """Return the blocks that the page has ready."""
    blocks = re.findall(r"```profile\n(.*?)```", part("Three profiles"), re.DOTALL)
    return [preflight.read(block) for block in blocks]


def test_each_profile_is_taken_as_it_stands_and_does_what_its_title_says() -> None:
    office, at_once, careful = (read_settings(LEAST | block) for block in profiles())
    friday_evening = datetime(2026, 11, 27, 19, 0, tzinfo=UTC)
    monday_nine = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)

    assert office.cadence.announce_at("ann@example.com", friday_evening) == monday_nine
    assert office.cadence.reminder_at(last=friday_evening, reminders=0) == friday_evening + timedelta(days=1)
    assert at_once.cadence.announce_at("ann@example.com", friday_evening) == friday_evening
    assert set(at_once.document_types) == set(DOCUMENT_MODELS)
    assert at_once.cadence.escalation_at(first=friday_evening) == friday_evening + timedelta(days=3)
    assert (at_once.closing_notice, at_once.tell_requester) == ("always", "on")
    assert (len(careful.pilot), careful.first_run) == (2, "baseline")
    assert careful.step_up_over == {"*": Decimal(1000)}


def test_the_readme_has_at_most_130_lines() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 130


def test_every_page_is_in_the_index_once() -> None:
    index = ROOT / "docs" / "README.md"
    linked = re.findall(r"^\| \[[\w./-]+\]\(([^)]+)\)", index.read_text("utf-8"), re.MULTILINE)

    pages = {page.name for page in index.parent.glob("*.md")} - {index.name}
    folders = {f"{page.parent.name}/{page.name}" for page in index.parent.glob("*/README.md")}
    assert sorted(linked) == sorted(pages | folders)
    assert len(linked) > 10


def example() -> dict[str, str]:
    values: dict[str, str] = json.loads(README.with_name("local.settings.json.example").read_text("utf-8"))[
        "Values"
    ]
    return values


def test_the_example_settings_are_those_of_the_sandbox() -> None:
    sandbox = Services(
        coupa=CoupaSimulator(client_id="", client_secret=""),
        moveworks=MoveworksSimulator(api_key=API_KEY, event_id=EVENT_ID),
        coupa_url=f"http://127.0.0.1:{COUPA_PORT}",
        moveworks_url=f"http://127.0.0.1:{MOVEWORKS_PORT}",
        storage="UseDevelopmentStorage=true",
        people={},
        clock=ShiftedClock(),
        store=None,
    ).settings()

    shared = example().keys() & sandbox.keys()
    assert {name: example()[name] for name in shared} == {name: sandbox[name] for name in shared}
    own = {"COUPA_MAX_PER_SECOND", "LEDGER_CONNECTION", "LEDGER_TABLE"}
    assert sandbox.keys() - shared == own | {"MOVEWORKS_LISTENER_ID", "MOVEWORKS_LISTENER_SECRET"}


def test_the_example_settings_are_complete() -> None:
    assert read_settings(example()).moveworks_channel == "events"
    assert set(example()) - set(NAMES) == {*rules.LOCAL_HOST, THREADS}


@pytest.mark.parametrize("name", list(DOCUMENT_MODELS))
def test_the_page_on_notices_has_the_scope_and_the_fields_of_each_type(name: str) -> None:
    read = DOCUMENT_MODELS[name]
    shown = fields.DEFAULTS[read.kind]
    head = fields.HEAD[read.kind]
    more = sorted(fields.NAMES[read.kind] - set(shown) - set(head))
    scope, names = _rows(NOTICES.read_text("utf-8"), name)

    assert f"`{read.resource}`" in scope
    assert f"| `{read.scope}` |" in scope
    assert names == f"| `{name}` | {_names(head)} | {_names(shown)} | {_names(more)} |"


def _rows(page: str, name: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def test_every_test_that_a_promise_names_is_there() -> None:
    page = (ROOT / "docs" / "promises.md").read_text("utf-8").partition("\n## Proof\n")[0]
    promises = re.findall(r"^- .*", page, re.MULTILINE)

    assert len(promises) > 15
    for promise in promises:
        file = ""
        named = re.findall(r"`(\w*(?:\.py)?)::(test_\w+)`", promise)
        assert named, promise
        for where, name in named:
            file = where or file
            assert f"\ndef {name}(" in (README.parent / "tests" / file).read_text("utf-8"), name


def routes_on(page: Path) -> list[str]:
    """Return the routes that the tables of a page name, each with its method."""
    named, base = [], ""
    for row in re.findall(r"^\| `(?:GET|POST) .*", page.read_text("utf-8"), re.MULTILINE):
        for method, route in re.findall(r"`(GET |POST |)([a-z/{}_-]+)[^`]*`", row.split(" | ")[0]):
            base = route if method else base
            named.append(method + route if method else f"POST {base.rpartition('/')[0]}{route}")
    return named


def test_every_route_is_on_the_page_of_routes_once(functions: list[Function]) -> None:
    assert sorted(routes_on(ROUTES)) == sorted(_routes(functions))


def test_the_readme_names_routes_that_there_are(functions: list[Function]) -> None:
    named = routes_on(README)

    assert len(named) == 7
    assert set(named) <= set(_routes(functions))


def _routes(functions: list[Function]) -> list[str]:
    routes = []
    for function in functions:
        trigger = function.get_trigger()
        if trigger is not None and trigger.type == "httpTrigger":
            details = trigger.get_dict_repr()
            routes += [f"{method.value} {details['route']}" for method in details["methods"]]
    return routes
