"""The documents say what is true: settings, routes, types and fields are those of the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from azure.functions.decorators.function_app import Function

from coupa_core.documents import READABLE
from coupa_core.notice import fields
from coupa_core.settings import NAMES, Settings, read_settings
from sandbox.clock import ShiftedClock
from sandbox.coupa import CoupaSimulator
from sandbox.moveworks import MoveworksSimulator
from sandbox.neighbours import API_KEY, COUPA_PORT, EVENT_ID, MOVEWORKS_PORT, Neighbours

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
NOTICES = ROOT / "docs" / "notices.md"
MARK = "<!-- settings -->"


def settings_table() -> str:
    """Return the table of settings as the README must show it."""
    lines = ["| name | default | meaning |", "|---|---|---|"]
    for field in Settings.model_fields.values():
        default = "required" if field.is_required() else _shown(field.default)
        lines.append(f"| `{field.alias}` | {default} | {field.description} |")
    return "\n".join(lines)


def _shown(default: object) -> str:
    plain = getattr(default, "get_secret_value", lambda: default)()
    text = ",".join(plain) if isinstance(plain, tuple) else str(plain)
    return f"`{text}`" if plain not in ("", {}, ()) else "-"


def test_the_settings_table_is_that_of_the_code() -> None:
    shown = README.read_text("utf-8").partition(MARK)[2].strip().partition("\n\n")[0]

    assert shown == settings_table()


def example() -> dict[str, str]:
    values: dict[str, str] = json.loads(README.with_name("local.settings.json.example").read_text("utf-8"))[
        "Values"
    ]
    return values


def test_the_example_settings_are_those_of_the_sandbox() -> None:
    sandbox = Neighbours(
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
    assert sandbox.keys() - shared == {"COUPA_MAX_PER_SECOND", "LEDGER_CONNECTION", "LEDGER_TABLE"}


@pytest.mark.parametrize("channel", ["events", "listener"])
def test_the_example_settings_are_complete_for_either_channel(channel: str) -> None:
    given = example() | {"MOVEWORKS_CHANNEL": channel}

    assert read_settings(given).moveworks_channel == channel
    assert set(given) - set(NAMES) == {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}


@pytest.mark.parametrize("name", list(READABLE))
def test_the_page_on_notices_has_the_scope_and_the_fields_of_each_type(name: str) -> None:
    read = READABLE[name]
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


def test_every_test_that_the_readme_names_is_there() -> None:
    promises = README.read_text("utf-8").partition("\n## What it promises\n")[2].partition("\n### ")[0]

    for promise in re.findall(r"^- .*", promises, re.MULTILINE):
        file = ""
        named = re.findall(r"`(\w*(?:\.py)?)::(test_\w+)`", promise)
        assert named, promise
        for where, name in named:
            file = where or file
            assert f"\ndef {name}(" in (README.parent / "tests" / file).read_text("utf-8"), name


def test_every_route_is_in_the_readme(functions: list[Function]) -> None:
    named, base = set(), ""
    for row in re.findall(r"^\| `(?:GET|POST) .*", README.read_text("utf-8"), re.MULTILINE):
        for method, route in re.findall(r"`(GET |POST |)([a-z/{}_-]+)[^`]*`", row.split(" | ")[0]):
            base = route if method else base
            named.add(method + route if method else f"POST {base.rpartition('/')[0]}{route}")

    assert named == set(_routes(functions))


def _routes(functions: list[Function]) -> list[str]:
    routes = []
    for function in functions:
        trigger = function.get_trigger()
        if trigger is not None and trigger.type == "httpTrigger":
            details = trigger.get_dict_repr()
            routes += [f"{method.value} {details['route']}" for method in details["methods"]]
    return routes
