"""The README says what is true: its settings are those of the code, its routes those of the functions."""

from __future__ import annotations

import re
from pathlib import Path

from azure.functions.decorators.function_app import Function

from coupa_core.settings import Settings

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
    return f"`{text}`" if plain not in ("", {}, ()) else "-"


def test_the_settings_table_is_that_of_the_code() -> None:
    shown = README.read_text("utf-8").partition(MARK)[2].strip().partition("\n\n")[0]

    assert shown == settings_table()


def test_every_route_is_in_the_readme(functions: list[Function]) -> None:
    named, base = set(), ""
    for row in re.findall(r"^\| `(?:GET|POST) .*", README.read_text("utf-8"), re.MULTILINE):
        for method, route in re.findall(r"`(GET |POST |)([a-z/{}_]+)[^`]*`", row.split(" | ")[0]):
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
