"""Read the settings from an environment once, and name all mistakes at once.

A wrong setting is named, never shown, but for a map in the grammar of 0.2.0: that is shown as JSON, without
its keys.
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
from coupa_core.settings.values import HOST_STORAGE, loose

EASY_AUTH = "WEBSITE_AUTH_ENABLED"
"""Set by App Service while its authentication stands in front of the app, and not to be set by hand.

Without it anybody could write the header that names the caller.
Source: https://github.com/AzureAD/microsoft-identity-web, AppServicesAuthenticationInformation
"""

GUARDED = ("PILOT", "DRY_RUN", "ACTIONS")
"""Short names without which more people are told, or more can be done, than was meant."""

_OF_DEPLOYMENT = ("RELAY_KEY", "DECISIONS_KEY", "OPERATORS_KEY", "SECRET_NAMES")
"""Variables that the templates read from an engineer's shell: not for the app."""

_NOT_OURS = {*NAMES, *FORMER, HOST_STORAGE, EASY_AUTH, *_OF_DEPLOYMENT}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{2,40}")
"""How the name of a variable is written that may be meant for one of ours."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check every setting.

    Args:
        environment: names and values, such as `os.environ`; a blank value counts as missing.

    Raises:
        SettingsError: names every setting that is missing or wrong.
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
    if given.get("ENTRA_CLIENTS") and not _is_fronted(environment):
        complaint = "needs App Service authentication in front of the app, and that is off"
        complaints.setdefault("ENTRA_CLIENTS", complaint)
    if complaints:
        raise SettingsError("; ".join(f"{name}: {complaint}" for name, complaint in complaints.items()))
    return settings


def _former(environment: Mapping[str, str]) -> dict[str, str]:
    """Name the settings of older versions, which would open or restrict nothing now."""
    return {name: said for name, said in FORMER.items() if trimmed(environment.get(name, ""))}


def _misspelt(environment: Mapping[str, str]) -> dict[str, str]:
    """Name what is nearly one of our settings, where that one is not given; other variables are not ours."""
    strangers = [name for name in environment if name not in _NOT_OURS and _NAME.fullmatch(name)]
    return {
        name: f"is no setting: did you mean {near}? Where it belongs to something else, set {near}, too"
        for name in strangers
        if trimmed(environment[name])
        and (near := meant(name, NAMES, guarded=GUARDED))
        and not trimmed(environment.get(near, ""))
    }


def _is_fronted(environment: Mapping[str, str]) -> bool:
    """Tell whether App Service says that its authentication stands in front of the app."""
    try:
        return setting(environment, EASY_AUTH).lower() == "true"
    except ValueError:
        return False


def _disagreements(given: Mapping[str, str]) -> dict[str, str]:
    """Name what is not there and the others demand, and what does not go with them."""
    demanded = {"LEDGER_CONNECTION": "", **dict.fromkeys(_of_channel(given), "")}
    if loose(given.get("ACTION_TOKEN")) != "off":
        demanded["ACTION_TOKEN_KEYS"] = ""
    elif not given.get("ACTION_TOKEN_KEYS"):
        demanded["AUDIT_KEYS"] = ", and there are no ACTION_TOKEN_KEYS to make it from"
    found = {name: f"is missing{why}" for name, why in demanded.items() if not given.get(name)}
    if given.get("MOVEWORKS_EVENT_ID") and given.get("MOVEWORKS_LISTENER_ID"):
        found["MOVEWORKS_LISTENER_ID"] = (
            "stands beside MOVEWORKS_EVENT_ID, and people are told through one of them: take away "
            "MOVEWORKS_EVENT_ID, or this one"
        )
    tables = [given.get(name, str(_default(name))) for name in ("AUDIT_TABLE", "LEDGER_TABLE")]
    if tables[0].lower() == tables[1].lower():  # the service does not tell capitals apart
        found["AUDIT_TABLE"] = "must not be the ledger's table"
    return found


def _of_channel(given: Mapping[str, str]) -> tuple[str, str]:
    """Return what the channel needs: a listener's where its id is given, or nothing but its secret."""
    events = ("MOVEWORKS_EVENT_ID", "MOVEWORKS_API_KEY")
    listener = ("MOVEWORKS_LISTENER_ID", "MOVEWORKS_LISTENER_SECRET")
    is_alone = any(map(given.get, listener)) and not any(map(given.get, events))
    return listener if is_alone or given.get("MOVEWORKS_LISTENER_ID") else events


def _default(name: str) -> object:
    return Settings.model_fields[name.lower()].default


def _complaints(error: ValidationError, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Say each fault as name and what is wrong, without the value."""
    for fault in error.errors(include_input=False, include_context=False, include_url=False):
        name = str(fault["loc"][0])
        shown = _in_json(name, given)
        said = (
            f"is written as JSON since 0.3.0: {shown}" if shown else _said(fault["type"], fault["msg"], name)
        )
        yield name, said


def _in_json(name: str, given: Mapping[str, str]) -> str:
    """Return a value of the former grammar as it is written now; empty where that would be wrong, too."""
    value, shown = in_json(name, given.get(name, ""))
    try:
        Settings.model_validate({**given, name: value})
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        return "" if any(fault["loc"][0] == name for fault in faults) else shown
    return shown


def _said(kind: str, message: str, name: str) -> str:
    """Say one fault: in our words where the checks are pydantic's."""
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
        next(getattr(each, way) for each in field.metadata if hasattr(each, way)) for way in ("ge", "le")
    )
    return f"must be {number} from {least} to {most}, such as {(field.examples or [field.default])[0]}"
