"""Generate the pages that repeat the list of settings: docs/settings.md, and variables of the templates."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from coupa_core.settings import FORMER, GROUPS, NAMES, Settings

FIRST = (
    *("COUPA_BASE_URL", "COUPA_CLIENT_ID", "COUPA_CLIENT_SECRET"),
    *("MOVEWORKS_EVENT_ID", "MOVEWORKS_API_KEY", "ACTION_TOKEN_KEYS"),
    *("COUPA_CLIENT_LOGIN", "AUDIT_KEYS", "LEDGER_CONNECTION"),
)
"""The nine settings of the first page: six are required, and three must be set from the first day."""

BY_TEMPLATE = frozenset({"LEDGER_CONNECTION"})
"""Settings that the templates compute."""

SECRETS = (
    frozenset(
        name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
    )
    - BY_TEMPLATE
)
PLAIN = frozenset(NAMES) - SECRETS - BY_TEMPLATE


def rows(names: Iterable[str]) -> str:
    """Return the table of some settings."""
    return "\n".join(["| name | default | meaning |", "|---|---|---|", *map(_row, names), ""])


def _row(name: str) -> str:
    field = Settings.model_fields[name.lower()]
    default = "required" if field.is_required() else _shown(field.default)
    return f"| `{name}` | {default} | {str(field.description).replace('](docs/', '](')} |"


def _shown(default: object) -> str:
    plain = getattr(default, "get_secret_value", lambda: default)()
    text = ",".join(plain) if isinstance(plain, tuple) else str(plain)
    return f"`{text}`" if plain not in ("", {}, ()) else "-"


def first() -> str:
    """Return the table of these nine."""
    return rows(FIRST)


def groups() -> str:
    """Return the tables of all other settings, each below the heading of its group."""
    tables = []
    for group in GROUPS:
        names = [name.upper() for name in group.model_fields]
        heading = str(group.__doc__).rstrip(".")
        tables.append(f"### {heading}\n\n{rows(name for name in names if name not in FIRST)}")
    return "\n".join(tables)


def types() -> str:
    """Return the Bicep types of the settings of a deployment."""
    plain = [
        f"  @minLength(1)\n  {name}: string" if _is_required(name) else f"  {name}: string?"
        for name in _in_order(PLAIN)
    ]
    secret = [f"  {name}: string?" for name in _in_order(SECRETS)]
    made = [
        "@export()",
        "@description('Settings that are no secrets; an empty one is not set, and has its default.')",
        *("@sealed()", "type plainSettings = {", *plain, "}", ""),
        "@export()",
        "@description('Settings that are secrets; an empty one leaves what the vault holds.')",
        *("@secure()", "@sealed()", "type secretSettings = {", *secret, "}", ""),
        "@export()",
        "@description('Names of the settings that are secrets.')",
        *("type secretName =", *(f"  | '{name}'" for name in _in_order(SECRETS))),
    ]
    return "\n".join(made) + "\n"


def _in_order(some: Collection[str]) -> list[str]:
    return [name for name in NAMES if name in some]


def _is_required(name: str) -> bool:
    return Settings.model_fields[name.lower()].is_required()


def parameters() -> str:
    """Return the Bicep variables of the settings, and of the former names."""
    plain = [f"  {name}: {_variable(name)}" for name in _in_order(PLAIN)]
    secret = [f"  {name}: {_variable(name)}" for name in _in_order(SECRETS)]
    former = [
        f"  {name}: empty(trim(readEnvironmentVariable('{name}', '')))\n    ? ''\n    : '{said}'"
        for name, said in FORMER.items()
    ]
    made = [
        *("param settings = {", *plain, "}"),
        *("var given = {", *secret, "}"),
        *("var former = {", *former, "}"),
    ]
    return "\n".join(made) + "\n"


def _variable(name: str) -> str:
    """Return the Bicep expression that reads a required or optional variable."""
    needs_value = _is_required(name) and name in PLAIN
    return f"readEnvironmentVariable('{name}')" if needs_value else f"readEnvironmentVariable('{name}', '')"
