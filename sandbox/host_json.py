"""The limits and the prefix that an app's host.json sets.

Source, read 2026-11: https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HostJson:
    """The values of host.json; -1 or no value means no limit."""

    prefix: str = "api"
    at_once: int | None = None
    outstanding: int | None = None
    timeout_s: float | None = 300.0


def read_host_json(app_dir: Path) -> HostJson:
    """Read a folder's host.json; without one, all values are the defaults.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        said = json.loads((app_dir / "host.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return HostJson()
    http = said.get("extensions", {}).get("http", {})
    at_once, outstanding = (
        int(http.get(name, -1)) for name in ("maxConcurrentRequests", "maxOutstandingRequests")
    )
    return HostJson(
        prefix=str(http.get("routePrefix", "api")),
        at_once=at_once if at_once > 0 else None,
        outstanding=outstanding if outstanding > 0 else None,
        timeout_s=_seconds(str(said.get("functionTimeout", "00:05:00"))),
    )


def _seconds(span: str) -> float | None:
    """Return the seconds of `HH:MM:SS`, also with a fraction; None for -1, which sets no limit.

    >>> _seconds("00:02:00.5"), _seconds("-1")
    (120.5, None)
    """
    if span in {"-1", "-00:00:00.0010000"}:
        return None
    hours, minutes, seconds = span.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
