"""The documents say what is true: settings, routes, types and fields are those of the code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import function_app
from coupa_core.documents import READABLE
from coupa_core.notice.fields import DEFAULTS, NAMES
from coupa_core.settings import Settings

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
    return f"`{text}`" if plain not in ("", {}) else "-"


def test_the_settings_table_is_that_of_the_code() -> None:
    shown = README.read_text("utf-8").partition(MARK)[2].strip().partition("\n\n")[0]

    assert shown == settings_table()


@pytest.mark.parametrize("name", list(READABLE))
def test_the_page_on_notices_has_the_scope_and_the_fields_of_each_type(name: str) -> None:
    read = READABLE[name]
    shown = DEFAULTS[read.kind]
    more = sorted(NAMES[read.kind] - set(shown))
    scope, fields = _rows(NOTICES.read_text("utf-8"), name)

    assert f"`{read.resource}`" in scope
    assert f"| `{read.scope}` |" in scope
    assert fields == f"| `{name}` | {_names(shown)} | {_names(more)} |"


def _rows(page: str, name: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


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
