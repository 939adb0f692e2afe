"""The limits and the prefix that an app's host.json sets, and the settings that win over it.

A value of host.json is also a setting, `AzureFunctionsJobHost__extensions__http__routePrefix` for instance:
the sections are joined by two underscores, in any case, and the setting wins. The numbers and times that this
stand-in takes are those that Azure's host takes; where the host would fail at its start, so does the reader.

Sources, read 2026-11:
    https://learn.microsoft.com/azure/azure-functions/functions-host-json
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook#hostjson-settings
    https://github.com/Azure/azure-functions-host (HttpRequestQueue.cs: -1 is no limit, and the queue takes no
        other number below 1; ScriptHostOptionsSetup.cs: the shortest functionTimeout is a second)
    https://learn.microsoft.com/dotnet/api/system.timespan.parse
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PREFIX = "azurefunctionsjobhost:"
_UNBOUND = "-1"
_INFINITE = "-00:00:00.0010000"
"""The time that .NET writes for no limit."""
_MOST = 2**31 - 1
_SPAN = re.compile(
    r"(?:([0-9]{1,7})\.)?([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}(?:\.[0-9]{1,7})?))?", re.ASCII
)


@dataclass(frozen=True)
class HostJson:
    """The values of host.json; None means no limit. Without a functionTimeout a call has half an hour."""

    prefix: str = "api"
    at_once: int | None = None
    outstanding: int | None = None
    timeout_s: float | None = 1800.0


def read_host_json(app_dir: Path, environ: Mapping[str, str]) -> HostJson:
    """Read a folder's host.json and the settings that win over it; a value that neither has is the default.

    Args:
        app_dir: the folder of the app.
        environ: names and values of the settings; a blank one counts as none.

    Raises:
        ValueError: a value is wrong, or the file is; the text is one sentence that says what to write.
    """
    values = _Values(_said(app_dir / "host.json"), environ)
    prefix, _ = values.get("extensions.http.routePrefix")
    return HostJson(
        prefix="api" if prefix is None else prefix,
        at_once=_number(*values.get("extensions.http.maxConcurrentRequests")),
        outstanding=_number(*values.get("extensions.http.maxOutstandingRequests")),
        timeout_s=_seconds(*values.get("functionTimeout")),
    )


def _said(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not JSON in UTF-8 ({error}): write it anew") from None
    if not isinstance(said, dict):
        raise ValueError(f'{file} must be an object: write {{"version": "2.0"}} at least')  # noqa: TRY004
    return said


class _Values:
    """The values of host.json by their names, such as `extensions.http.routePrefix`."""

    def __init__(self, said: dict[str, Any], environ: Mapping[str, str]) -> None:
        self._said = said
        self._over = {
            name.lower().replace("__", ":").removeprefix(_PREFIX): (value, name)
            for name, value in environ.items()
            if name.lower().replace("__", ":").startswith(_PREFIX) and value.strip()
        }

    def get(self, name: str) -> tuple[str | None, str]:
        """Return a value as text, None where there is none, and the place that has it."""
        over = self._over.get(name.lower().replace(".", ":"))
        if over is not None:
            return over
        value: Any = self._said
        for part in name.lower().split("."):
            inside = value if isinstance(value, dict) else {}
            value = {key.lower(): each for key, each in inside.items()}.get(part)
        is_none = value is None or isinstance(value, (dict, list))
        return (None if is_none else str(value)), f"{name} in host.json"


def _number(text: str | None, place: str) -> int | None:
    """Return the number, None where there is no limit."""
    text = _UNBOUND if text is None else text.strip()
    if text == _UNBOUND:
        return None
    number = int(text) if re.fullmatch(r"\+?[0-9]{1,10}", text) else 0
    if not 1 <= number <= _MOST:
        raise ValueError(f"{place} is {_short(text)}: write a whole number above 0, or -1 for no limit")
    return number


def _seconds(text: str | None, place: str) -> float | None:
    """Return the seconds of a time, None where there is no limit.

    >>> _seconds("1.00:02:00.5", "x"), _seconds("00:02", "x"), _seconds("-1", "x"), _seconds(None, "x")
    (86520.5, 120.0, None, 1800.0)
    """
    if text is None:
        return HostJson.timeout_s
    text = text.strip()
    if text in {_UNBOUND, _INFINITE}:
        return None
    found = _SPAN.fullmatch(text)
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0,) * 4
    total_s = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if hours >= 24 or max(minutes, seconds) >= 60 or total_s < 1:
        raise ValueError(
            f"{place} is {_short(text)}: write hours, minutes and seconds such as 00:02:00, at least a "
            "second, or days before them such as 1.00:00:00, or -1 for no limit"
        )
    return total_s


def _short(text: str) -> str:
    return repr(text if len(text) < 50 else f"{text[:50]}...")
