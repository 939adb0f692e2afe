"""The composition root: builds clients and use cases from the settings, once, on first use.

Only this component connects ports with implementations: `clients` builds the clients, and `use_cases` the
use cases.
Heavy imports are inside functions, because the host must index the functions quickly, and because a broken
dependency must fail a call instead of removing all functions.
"""

from __future__ import annotations

import logging
import os
import random
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from coupa_core.app.clients import build_access, build_audit_logs, build_channel
from coupa_core.app.parts import Bridge, Overrides
from coupa_core.clock import SystemClock
from coupa_core.errors import SettingsError
from coupa_core.schedule import schedule_fault, timer_schedule

if TYPE_CHECKING:
    from coupa_core.endpoints import Reply
    from coupa_core.settings import Settings

__all__ = [
    "Bridge",
    "Overrides",
    "build",
    "build_access",
    "build_audit_logs",
    "build_channel",
    "handle",
    "schedule",
    "sweep",
    "without",
]

# ruff: noqa: PLC0415 - see the module's docstring

logger = logging.getLogger(__name__)

_NOISY = (
    "azure.core.pipeline.policies.http_logging_policy",
    "azure.identity",
    "azure.monitor.opentelemetry.exporter",
    "urllib3",
)
_lock = threading.Lock()
_built: list[Bridge] = []


def schedule() -> str:
    """Return the schedule of the timer; every minute where the setting is invalid."""
    return timer_schedule(os.environ)


def sweep() -> None:
    """Run one sweep; with invalid settings, log their names and do nothing else."""
    try:
        bridge = _bridge()
    except SettingsError as error:
        logger.error("sweep not possible: %s", error)  # noqa: TRY400 - the cause is in the message
        return
    bridge.sweep.run()


def handle(
    name: str,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    route: Mapping[str, str],
    body: bytes,
) -> Reply:
    """Answer one HTTP request.

    The host passes on the caller's key in the header or the query. Nothing behind this function needs the
    key, so it is removed here.

    Args:
        name: the name of the function that the host matched.
        headers: the headers as received.
        query: the decoded query parameters.
        route: the route parameters.
        body: the body as received.
    """
    from coupa_core.endpoints import Reply, Request, refusal, request_id

    request = Request(without(headers, "x-functions-key"), without(query, "code"), route, body)
    try:
        bridge = _bridge()
    except SettingsError as error:
        named = request_id(request)
        if name == "health":
            cause = schedule_fault(os.environ) or "settings"
            return Reply(503, {"status": "failing", "cause": cause}, request_id=named)
        return refusal(name, error, request_id=named)
    return bridge.endpoints.handle(name, request)


def without(given: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a copy without the entries of this name, compared without case."""
    return {each: value for each, value in given.items() if each.lower() != name}


def _bridge() -> Bridge:
    """Return the bridge, built on first use.

    Raises:
        SettingsError: settings are missing or invalid; the message names them.
    """
    with _lock:
        if not _built:
            from coupa_core.settings import read_settings

            for name in _NOISY:
                logging.getLogger(name).setLevel(logging.WARNING)
            _built.append(build(read_settings(os.environ), Overrides(SystemClock(), random.Random())))  # noqa: S311 - jitter
        return _built[0]


def build(settings: Settings, overrides: Overrides) -> Bridge:
    """Build all use cases.

    Args:
        settings: validated.
        overrides: the clock, and replacements for real services.
    """
    from coupa_core.app.use_cases import UseCases

    return UseCases(settings, overrides).bridge()
