"""Read the state of the Functions host and its timer with the master key.

Source: https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from coupa_core.errors import one_line
from coupa_core.finding import Finding, Verdict
from coupa_core.gate.asking import Deployment, HttpAnswer
from coupa_core.hosting import TIMER
from coupa_core.schedule import EVERY_MINUTE, NeverComes, Schedule

_CLOSED = (401, 403, 404)
_DEAD = ("error", "offline", "stopped")
"""The states in which the host runs no function."""
_SHOWN = 200


def host_findings(deployment: Deployment, key: str) -> Iterator[Finding]:
    """Read the host's own state and that of the timer; without an answer nothing counts as well.

    Args:
        deployment: the deployment.
        key: the master key.
    """
    host = deployment.get("/admin/host/status", key=key)
    if host.status in _CLOSED:
        text = (
            "the host did not report its state: MASTER_KEY is refused, or /admin is closed, as the templates "
            "close it; the portal's page of the function has its state"
        )
        yield Finding(Verdict.NOTE, "admin_closed", text)
        return
    if host.status != HTTPStatus.OK:
        yield _unreadable("itself", host)
        return
    found = [*_host_state(host), *_timer_state(deployment, key)]
    yield from found
    if not found:
        yield Finding(Verdict.OK, "timer", f"the host runs {TIMER}")


def _host_state(host: HttpAnswer) -> Iterator[Finding]:
    values = _readable(host)
    if values is None or not isinstance(values.get("state"), str):
        yield _unreadable("itself", host)
    errors, state = list(_errors(values)), str((values or {}).get("state", "")).lower()
    for error in errors:
        yield Finding(Verdict.WRONG, "host_error", f"the host says: {error}")
    if state in _DEAD and not errors:
        text = f"the host says that its state is {state}, and no cause: it runs nothing; look in its log"
        yield Finding(Verdict.WRONG, "host_error", text)


def _timer_state(deployment: Deployment, key: str) -> Iterator[Finding]:
    timer = deployment.get(f"/admin/functions/{TIMER}/status", key=key)
    if timer.status == HTTPStatus.NOT_FOUND:
        text = f"the host knows no function {TIMER}: nobody is told anything"
        yield Finding(Verdict.WRONG, "no_timer", text)
        return
    values = _readable(timer)
    if values is None:
        yield _unreadable("whether its timer is in error", timer)
    for error in _errors(values):
        text = f"the host does not run {TIMER}, so nobody is told anything: {error}"
        yield Finding(Verdict.WRONG, "timer_in_error", text)
    yield from _schedule_state(deployment.get(f"/admin/functions/{TIMER}", key=key))


def _readable(answer: HttpAnswer) -> Mapping[str, Any] | None:
    """Return the host's answer; None unless it is a readable 200."""
    values = answer.json()
    if answer.status != HTTPStatus.OK or not isinstance(values, dict):
        return None
    return values if isinstance(values.get("errors"), list | None) else None


def _unreadable(subject: str, answer: HttpAnswer) -> Finding:
    cause = answer.failure or (
        "it cannot be read" if answer.status == HTTPStatus.OK else f"HTTP {answer.status}"
    )
    text = f"the host did not report on {subject}: {cause}; ask again, or see the portal"
    return Finding(Verdict.NOTE, "admin_silent", text)


def _schedule_state(function: HttpAnswer) -> Iterator[Finding]:
    """Report a timer that is disabled or never comes, by the host's own settings of it."""
    values = _readable(function) or {}
    if values.get("isDisabled") is True:
        yield Finding(Verdict.WRONG, "timer_off", f"{TIMER} is switched off: nobody is told anything")
        return
    config = values.get("config")
    bindings = config.get("bindings") if isinstance(config, dict) else None
    timers = [each for each in bindings if isinstance(each, dict)] if isinstance(bindings, list) else []
    if not timers:
        yield _unreadable("when its timer comes", function)
    for each in timers:
        try:
            Schedule.of(str(each.get("schedule") or EVERY_MINUTE))
        except NeverComes:
            text = f"{TIMER} has a schedule that never comes: nobody is told anything"
            yield Finding(Verdict.WRONG, "timer_never", text)
        except ValueError:
            continue  # such as %POLL_SCHEDULE%; the host itself has reported a schedule that it refuses


def _errors(values: Mapping[str, Any] | None) -> Iterator[str]:
    for each in (values or {}).get("errors") or ():
        yield one_line(str(each), _SHOWN)
