"""The text that somebody gave for one setting, or nothing: the only reader of the environment.

It checks how a text is written, never what it means; that is the business of `settings`.
Only the standard library is imported: the timer's schedule is read while the host finds the functions.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from coupa_core.errors import SettingsError

LOCAL_SETTINGS = "local.settings.json"
"""Where Azure Functions Core Tools keep the settings of a local app.

Source: https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file
"""

_SHOW_NOTHING = {"Cc", "Cf", "Zl", "Zp", "Zs"}
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols by their category, which are drawn as nothing."""

_QUOTES = {'""', "''", "``", "\u201c\u201d", "\u2018\u2019", "\u201e\u201c"}
"""Pairs that a file, a shell or a word processor leaves around a value."""


def setting(environment: Mapping[str, str], name: str) -> str:
    r"""Return the text of a setting without the blanks around it; empty where it is unset or blank.

    >>> setting({"RELAY": " on\r\n"}, "RELAY"), setting({"RELAY": "\u00a0\ufeff"}, "RELAY")
    ('on', '')

    Raises:
        ValueError: it is in quotes, holds an invisible character, or is a reference to Key Vault that App
            Service could not resolve; the text says so, and shows no value.
    """
    text = trimmed(environment.get(name, ""))
    if text.startswith("@Microsoft.KeyVault("):
        # App Service leaves the reference itself when it cannot resolve it.
        # https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
        raise ValueError("the Key Vault reference is not resolved (check the app's identity)")
    if len(text) > 1 and text[0] + text[-1] in _QUOTES:
        raise ValueError("stands in quotes, which are taken as part of it: take them away where it is set")
    if not text.isprintable():
        raise ValueError("has a line break or another invisible character inside: enter it anew")
    return text


def trimmed(text: str) -> str:
    """Remove invisible characters at both ends: spaces of all kinds, line breaks, zero-width characters."""
    return text.strip("".join(filter(_is_blank, text)))


def _is_blank(char: str) -> bool:
    return unicodedata.category(char) in _SHOW_NOTHING or char in _FILLERS


def pairs_of(text: str) -> tuple[tuple[str, Any], ...] | None:
    """Return the pairs of a JSON object, also those with duplicate names; None if it is not an object.

    A number is a Decimal, with the digits that were written; an object inside is a tuple of pairs, too.

    >>> pairs_of('{"USD": 0.50, "*": 5000}'), pairs_of("USD:0.50")
    ((('USD', Decimal('0.50')), ('*', Decimal('5000'))), None)
    """
    try:
        found = json.loads(text, object_pairs_hook=tuple, parse_float=Decimal, parse_int=Decimal)
    except (ArithmeticError, ValueError, RecursionError):  # their texts show the value
        return None
    return found if isinstance(found, tuple) else None


def environment_of(folder: Path) -> dict[str, str]:
    """Return the environment of a function app in this folder, for commands at a terminal.

    The environment wins over `local.settings.json`, as with Core Tools; a blank variable is unset and hides
    nothing that the file says.
    Source: https://github.com/Azure/azure-functions-core-tools, StartHostAction

    Raises:
        SettingsError: that file is there and cannot be read.
    """
    present = {name: value for name, value in os.environ.items() if trimmed(value)}
    return {**given_by_file(folder), **present}


def given_by_file(folder: Path) -> dict[str, str]:
    """Return the settings of `local.settings.json` that the environment does not have.

    Raises:
        SettingsError: that file is there and cannot be read.
    """
    texts = _local_settings(folder / LOCAL_SETTINGS)
    return {name: text for name, text in texts.items() if not trimmed(os.environ.get(name, ""))}


def _local_settings(path: Path) -> dict[str, str]:
    """Return the values of that file as texts; a number or a switch as JSON writes it."""
    if not path.exists():
        return {}
    try:
        parsed = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise SettingsError(f"{LOCAL_SETTINGS}: cannot be read as JSON") from None
    values = parsed.get("Values", {}) if isinstance(parsed, dict) and not parsed.get("IsEncrypted") else None
    if not isinstance(values, dict) or any(isinstance(value, dict | list) for value in values.values()):
        raise SettingsError(
            f"{LOCAL_SETTINGS}: cannot be read, its Values must be plain texts (see func settings decrypt)"
        )
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return {name: text for name, text in texts.items() if values[name] is not None}
