"""The README and the example settings say what is true of the code, the functions and the sandbox."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import function_app
from coupa_core.settings import NAMES, Settings, read_settings
from sandbox.coupa import CoupaSimulator
from sandbox.moveworks import MoveworksSimulator
from sandbox.neighbours import API_KEY, COUPA_PORT, EVENT_ID, MOVEWORKS_PORT, Neighbours

README = Path(__file__).resolve().parent.parent / "README.md"
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
    return f"`{text}`" if plain not in ("", {}) else "-"


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
    ).settings()

    shared = example().keys() & sandbox.keys()
    assert {name: example()[name] for name in shared} == {name: sandbox[name] for name in shared}
    assert sandbox.keys() - shared == {"LEDGER_CONNECTION", "LEDGER_TABLE"}  # their defaults are right


@pytest.mark.parametrize("channel", ["events", "listener"])
def test_the_example_settings_are_complete_for_either_channel(channel: str) -> None:
    given = example() | {"MOVEWORKS_CHANNEL": channel}

    assert read_settings(given).moveworks_channel == channel
    assert set(given) - set(NAMES) == {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}


def test_every_route_is_in_the_readme() -> None:
    named, base = set(), ""
    for row in re.findall(r"^\| `(?:GET|POST) .*", README.read_text("utf-8"), re.MULTILINE):
        for method, route in re.findall(r"`(GET |POST |)([a-z/{}_]+)[^`]*`", row.split(" | ")[0]):
            base = route if method else base
            named.add(method + route if method else f"POST {base.rpartition('/')[0]}{route}")

    assert named == set(_routes())


def _routes() -> list[str]:
    routes = []
    for function in function_app.app.get_functions():
        trigger = function.get_trigger()
        if trigger is not None and trigger.type == "httpTrigger":
            details = trigger.get_dict_repr()
            routes += [f"{method.value} {details['route']}" for method in details["methods"]]
    return routes
