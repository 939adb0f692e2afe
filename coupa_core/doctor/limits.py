"""The check of the host's limits against the app: `host.json`, the settings over it, the threads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from coupa_core.environment import trimmed
from coupa_core.errors import SettingsError
from coupa_core.finding import Finding, Verdict
from coupa_core.hosting import (
    CONCURRENT,
    HOST_JSON,
    OUTSTANDING,
    THREADS,
    TIMEOUT,
    TIMER,
    fits,
    limits_of,
    override_of,
    threads_of,
)

BY_TEMPLATE = "HTTP_CONCURRENCY"
"""The variable from which the templates set one limit for the host, its worker and the plan."""

_DEFAULT, _MOST = "100", 100
_OFF = f"AzureWebJobs.{TIMER}.Disabled"


def limits(environment: Mapping[str, str], folder: Path, *, is_walk: bool) -> Iterator[Finding]:
    """Check the limits, and whether the timer is disabled.

    Args:
        environment: the names and values of the settings.
        folder: the folder of the app.
        is_walk: whether the settings are those of a `bridge.env`, from which the templates set the app's.
    """
    if is_walk:
        asked = trimmed(environment.get(BY_TEMPLATE, "")) or _DEFAULT
        if not re.fullmatch("[0-9]{1,3}", asked) or not 1 <= int(asked) <= _MOST:
            yield Finding(Verdict.WRONG, BY_TEMPLATE, f"must be a whole number from 1 to {_MOST}")
            return
        names = (THREADS, override_of(CONCURRENT), override_of(OUTSTANDING))
        environment = {**environment, **dict.fromkeys(names, asked)}
    if trimmed(environment.get(THREADS, "")) and threads_of(environment[THREADS]) is None:
        text = "is no whole number above 0, so the worker takes its own: write 100"
        yield Finding(Verdict.NOTE, THREADS, text)
    try:
        yield from fits(limits_of(folder, environment))
    except SettingsError as error:
        name, _, complaint = str(error).partition(": ")
        remedy = (
            "take the one that came with the release" if name == HOST_JSON else "set 100, or take it away"
        )
        if name == override_of(TIMEOUT):
            remedy = "set it so, or take it away"
        yield Finding(Verdict.WRONG, name, f"{complaint}; {remedy}")
    # Source: https://learn.microsoft.com/azure/azure-functions/disable-function
    if trimmed(environment.get(_OFF, "")).lower() in ("1", "true"):
        yield Finding(Verdict.WRONG, _OFF, "switches the timer off, so nobody is told anything: take it away")
