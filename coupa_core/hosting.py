"""The Functions host's limits of concurrency and duration: `host.json`, the settings over it, the threads.

This module reads these numbers and says which do not fit together; the host and its worker enforce them.
Only the standard library is imported: the gate runs where no package is.

Sources: https://learn.microsoft.com/azure/azure-functions/functions-host-json,
https://learn.microsoft.com/azure/azure-functions/functions-app-settings#pythonthreadpoolthreadcount
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coupa_core.environment import trimmed
from coupa_core.errors import SettingsError
from coupa_core.finding import Finding, Verdict

APP = Path(__file__).resolve().parents[1]
"""The folder of the function app, with `host.json`."""

HOST_JSON = "host.json"

TIMER = "poll_approvals"
"""The timer's function, as the host knows it."""

ENOUGH_S = 120.0
"""The seconds within which all work of the app ends: its longest answer takes 110, a sweep 50."""

THREADS = "PYTHON_THREADPOOL_THREAD_COUNT"
CONCURRENT = "extensions.http.maxConcurrentRequests"
OUTSTANDING = "extensions.http.maxOutstandingRequests"
TIMEOUT = "functionTimeout"

_EARLIER = (32, 100, 300.0)
_SPAN = re.compile(r"(?:([0-9]{1,4})\.)?([01]?[0-9]|2[0-3]):([0-5]?[0-9]):([0-5]?[0-9])(?:\.[0-9]{1,7})?")
_UNBOUND = "-1"


@dataclass(frozen=True)
class HostLimits:
    """The limits of one instance.

    Attributes:
        concurrent: requests that are handed to the app at once; None for any number.
        outstanding: requests that are let in, those that run among them; None for any number.
        timeout_s: after how many seconds a call ends the worker; None where `host.json` does not say.
        threads: of the worker; each serves one request, or the timer.
    """

    concurrent: int | None
    outstanding: int | None
    timeout_s: float | None
    threads: int

    def values(self) -> dict[str, float | None]:
        """Return them as operators see them."""
        return {
            "max_concurrent": self.concurrent,
            "max_outstanding": self.outstanding,
            "function_timeout_s": self.timeout_s,
            "threads": self.threads,
        }


def override_of(name: str) -> str:
    """Return the setting that wins over a value of `host.json`.

    >>> override_of("functionTimeout")
    'AzureFunctionsJobHost__functionTimeout'

    Source: https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values
    """
    return f"AzureFunctionsJobHost__{name.replace('.', '__')}"


def limits_of(folder: Path, environment: Mapping[str, str]) -> HostLimits:
    """Return the limits of the app of a folder.

    Args:
        folder: of the app.
        environment: names and values of the settings.

    Raises:
        SettingsError: `host.json` cannot be read, or it, or a setting over it, says of one of these what the
            host would not take; begins with the name of which.
    """
    try:
        host_json = json.loads((folder / HOST_JSON).read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise SettingsError(f"{HOST_JSON}: cannot be read as JSON") from None
    if not isinstance(host_json, dict):
        raise SettingsError(f"{HOST_JSON}: must be a JSON object")
    overriding = {name.lower(): trimmed(value) for name, value in environment.items()}

    def value(name: str) -> tuple[str, str]:
        """Return the value in force, with its place for an error text."""
        if over := overriding.get(override_of(name).lower()):
            return f"{override_of(name)}:", over
        found: Any = host_json
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return f"{HOST_JSON}: {name}", "" if found is None else str(found)

    return HostLimits(
        concurrent=_number(*value(CONCURRENT)),
        outstanding=_number(*value(OUTSTANDING)),
        timeout_s=_seconds(*value(TIMEOUT)),
        threads=threads_of(environment.get(THREADS, "")) or min(32, (os.cpu_count() or 1) + 4),
    )


def threads_of(text: str) -> int | None:
    """Read the number of threads; None if the worker chooses it by the machine's processors.

    Source: https://docs.python.org/3/library/concurrent.futures.html#threadpoolexecutor
    """
    text = trimmed(text)
    return (int(text) or None) if re.fullmatch("[0-9]{1,9}", text) else None


def _number(place: str, text: str) -> int | None:
    """Read a number of requests; -1 is any number.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook#hostjson-settings
    """
    if text in ("", _UNBOUND):
        return None
    if not re.fullmatch("[0-9]{1,9}", text) or not int(text):
        raise SettingsError(f"{place} must be a whole number above 0")
    return int(text)


def _seconds(place: str, text: str) -> float | None:
    if text in ("", _UNBOUND):
        return None
    found = _SPAN.fullmatch(text)
    if found is None:
        raise SettingsError(f"{place} must be a time such as 00:02:00")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def fits(limits: HostLimits) -> Iterator[Finding]:
    """Report the limits that do not fit together, or that all do."""
    findings = [*_earlier(limits), *(_impossible(limits) or _crowd(limits)), *_time(limits)]
    yield from findings
    if not findings:
        text = f"{limits.outstanding} requests are let in at once, and each has a thread"
        yield Finding(Verdict.OK, HOST_JSON, text)


def _earlier(limits: HostLimits) -> Iterator[Finding]:
    if (limits.concurrent, limits.outstanding, limits.timeout_s) == _EARLIER:
        text = "is that of 0.2.0 or earlier, under a later release: take the one that came with the release"
        yield Finding(Verdict.NOTE, HOST_JSON, text)


def _impossible(limits: HostLimits) -> list[Finding]:
    """Name the numbers with which nobody is served; a deployment that names its limits may have them."""
    named = (
        ("maxConcurrentRequests", limits.concurrent),
        ("maxOutstandingRequests", limits.outstanding),
        (THREADS, limits.threads),
    )
    return [
        Finding(Verdict.WRONG, HOST_JSON, f"{name} is {number}, with which nobody is served: set 100")
        for name, number in named
        if number is not None and number < 1
    ]


def _crowd(limits: HostLimits) -> Iterator[Finding]:
    """Report where admitted requests wait: such a click may be decided after its answer is too late."""
    let_in = limits.outstanding
    if let_in is None or let_in > limits.threads:
        text = (
            f"lets {'any number of' if let_in is None else let_in} requests in, and the worker has "
            f"{limits.threads} threads: in a crowd clicks wait for one, and may be answered too late; give "
            f"{THREADS}, maxConcurrentRequests and maxOutstandingRequests one number, as HTTP_CONCURRENCY "
            "of the templates does"
        )
        yield Finding(Verdict.WRONG, HOST_JSON, text)
    elif limits.concurrent is not None and limits.concurrent < let_in:
        text = (
            f"lets {let_in} requests in and runs {limits.concurrent} of them: in a crowd the others wait, "
            "and may be answered too late; give maxConcurrentRequests and maxOutstandingRequests one number"
        )
        yield Finding(Verdict.WRONG, HOST_JSON, text)


def _time(limits: HostLimits) -> Iterator[Finding]:
    time_s = limits.timeout_s
    if time_s is not None and time_s < ENOUGH_S:
        text = (
            f"{TIMEOUT} is {time_s:.0f} s, and the host then ends the worker with all that it runs, clicks, "
            "too: a sweep takes up to 50 s, an operator's answer up to 110; set 00:02:00"
        )
        yield Finding(Verdict.WRONG, HOST_JSON, text)
    elif time_s is None or time_s > ENOUGH_S:
        text = (
            f"{TIMEOUT} is {'not said' if time_s is None else f'{time_s:.0f} s'}: a click that runs beside a "
            "call that hangs may be answered only after so long; set 00:02:00"
        )
        yield Finding(Verdict.NOTE, HOST_JSON, text)
