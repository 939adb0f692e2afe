"""Read the settings from an environment, and report all mistakes at once.

A message names the setting and never shows its value. The exception is a map in the grammar of 0.2.0: the
message has it as JSON, without keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import get_args

from pydantic import ValidationError

from coupa_core.environment import setting, trimmed
from coupa_core.errors import SettingsError
from coupa_core.misspelt import meant
from coupa_core.settings.former import FORMER, in_json
from coupa_core.settings.model import NAMES, Settings
from coupa_core.settings.values import HOST_STORAGE, lowered

EASY_AUTH = "WEBSITE_AUTH_ENABLED"
"""App Service sets it while its authentication is on; nobody should set it by hand.

Without that authentication anybody could send the header that names the caller.
Source: https://github.com/AzureAD/microsoft-identity-web, AppServicesAuthenticationInformation
"""

GUARDED = ("PILOT", "DRY_RUN", "ACTIONS")
"""Settings with short names whose loss tells more people, or allows more, than the operator intended."""

_DEPLOYMENT_NAMES = ("RELAY_KEY", "DECISIONS_KEY", "OPERATORS_KEY", "SECRET_NAMES")
"""Variables that the templates, and not the app, read from an engineer's shell."""

_KNOWN_NAMES = {*NAMES, *FORMER, HOST_STORAGE, EASY_AUTH, *_DEPLOYMENT_NAMES}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{2,40}")
"""The pattern of a name that may be a misspelt setting."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read and validate all settings.

    Args:
        environment: names and values, such as `os.environ`; a blank value counts as missing.

    Raises:
        SettingsError: settings are missing or invalid; the message names each.
    """
    given: dict[str, str] = {}
    complaints: dict[str, str] = {}
    for name in (*NAMES, HOST_STORAGE):
        try:
            given[name] = setting(environment, name)
        except ValueError as mistake:
            complaints[name] = str(mistake)
    given = {name: text for name, text in given.items() if text}
    host_storage = given.pop(HOST_STORAGE, "")
    if given.get("LEDGER_CONNECTION", HOST_STORAGE) == HOST_STORAGE:
        given["LEDGER_CONNECTION"] = host_storage
    for name, complaint in (_former(environment) | _misspelt(environment) | _disagreements(given)).items():
        complaints.setdefault(name, complaint)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        for name, complaint in _complaints(error, given):
            complaints.setdefault(name, complaint)
    if given.get("ENTRA_CLIENTS") and not _has_easy_auth(environment):
        complaint = "needs App Service authentication in front of the app, and that is off"
        complaints.setdefault("ENTRA_CLIENTS", complaint)
    if complaints:
        raise SettingsError("; ".join(f"{name}: {complaint}" for name, complaint in complaints.items()))
    return settings


def _former(environment: Mapping[str, str]) -> dict[str, str]:
    """Report the settings of older versions, which have no effect any more."""
    return {name: message for name, message in FORMER.items() if trimmed(environment.get(name, ""))}


def _misspelt(environment: Mapping[str, str]) -> dict[str, str]:
    """Report variables that look like a misspelt setting, where the setting itself is missing."""
    unknown = [name for name in environment if name not in _KNOWN_NAMES and _NAME.fullmatch(name)]
    return {
        name: f"is no setting: did you mean {near}? Where it belongs to something else, set {near}, too"
        for name in unknown
        if trimmed(environment[name])
        and (near := meant(name, NAMES, guarded=GUARDED))
        and not trimmed(environment.get(near, ""))
    }


def _has_easy_auth(environment: Mapping[str, str]) -> bool:
    """Tell whether App Service authentication is on."""
    try:
        return setting(environment, EASY_AUTH).lower() == "true"
    except ValueError:
        return False


def _disagreements(given: Mapping[str, str]) -> dict[str, str]:
    """Report settings that others require and that are missing, and settings that exclude each other."""
    required = {"LEDGER_CONNECTION": "", **dict.fromkeys(_channel_names(given), "")}
    if lowered(given.get("ACTION_TOKEN")) != "off":
        required["ACTION_TOKEN_KEYS"] = ""
    elif not given.get("ACTION_TOKEN_KEYS"):
        required["AUDIT_KEYS"] = ", and there are no ACTION_TOKEN_KEYS to make it from"
    found = {name: f"is missing{why}" for name, why in required.items() if not given.get(name)}
    if given.get("MOVEWORKS_EVENT_ID") and given.get("MOVEWORKS_LISTENER_ID"):
        found["MOVEWORKS_LISTENER_ID"] = (
            "stands beside MOVEWORKS_EVENT_ID, and people are told through one of them: take away "
            "MOVEWORKS_EVENT_ID, or this one"
        )
    tables = [given.get(name, str(_default(name))) for name in ("AUDIT_TABLE", "LEDGER_TABLE")]
    if tables[0].lower() == tables[1].lower():  # the service ignores case
        found["AUDIT_TABLE"] = "must not be the ledger's table"
    return found


def _channel_names(given: Mapping[str, str]) -> tuple[str, str]:
    """Return the two settings that the channel requires: those of the listener, or of events."""
    events = ("MOVEWORKS_EVENT_ID", "MOVEWORKS_API_KEY")
    listener = ("MOVEWORKS_LISTENER_ID", "MOVEWORKS_LISTENER_SECRET")
    only_listener = any(map(given.get, listener)) and not any(map(given.get, events))
    return listener if only_listener or given.get("MOVEWORKS_LISTENER_ID") else events


def _default(name: str) -> object:
    return Settings.model_fields[name.lower()].default


def _complaints(error: ValidationError, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the message of each fault, without the value."""
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        name = str(fault["loc"][0])
        converted = _in_json(name, given)
        if converted:
            yield name, f"is written as JSON since 0.3.0: {converted}"
        else:
            yield name, _message(fault["type"], fault["msg"], name)


def _in_json(name: str, given: Mapping[str, str]) -> str:
    """Return a value of the former grammar as JSON without secrets; empty where it would be invalid, too."""
    value, shown = in_json(name, given.get(name, ""))
    try:
        Settings.model_validate({**given, name: value})
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        return "" if any(fault["loc"][0] == name for fault in faults) else shown
    return shown


def _message(kind: str, message: str, name: str) -> str:
    """Return the message of one fault, in our words where the check is pydantic's."""
    field = Settings.model_fields[name.lower()]
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        choices = [each for each in get_args(field.annotation) if each]
        return f"must be {', '.join(choices[:-1])} or {choices[-1]}"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    number = "a whole number" if field.annotation is int else "a number"
    least, most = (
        next(getattr(each, bound) for each in field.metadata if hasattr(each, bound))
        for bound in ("ge", "le")
    )
    return f"must be {number} from {least} to {most}, such as {(field.examples or [field.default])[0]}"
