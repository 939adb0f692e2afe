"""What the Functions host says of its timer, where the master key opens it.

Source: https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from coupa_core.errors import one_line
from coupa_core.finding import Finding, Verdict
from coupa_core.gate.asking import Answer, Asking
from coupa_core.hosting import TIMER
from coupa_core.schedule import NeverComes, Schedule

_CLOSED = (401, 403, 404)
_DEAD = ("error", "offline", "stopped")
"""States in which the host runs nothing."""
_SHOWN = 200


def host_findings(asking: Asking, key: str) -> Iterator[Finding]:
    """Ask the host for its own state and that of the timer; it counts as well only by what it says itself.

    Args:
        asking: the deployment.
        key: the master key.
    """
    host = asking.get("/admin/host/status", key=key)
    if host.status in _CLOSED:
        text = (
            "the host's own word was not heard: MASTER_KEY is refused, or /admin is closed, as the templates "
            "close it; the portal's page of the function has its state"
        )
        yield Finding(Verdict.NOTE, "admin_closed", text)
        return
    if host.status != HTTPStatus.OK:
        yield _silent("itself", host)
        return
    found = [*_of_host(host), *_of_timer(asking, key)]
    yield from found
    if not found:
        yield Finding(Verdict.OK, "timer", f"the host runs {TIMER}")


def _of_host(host: Answer) -> Iterator[Finding]:
    said = _heard(host)
    if said is None or not isinstance(said.get("state"), str):
        yield _silent("itself", host)
    errors, state = list(_errors(said)), str((said or {}).get("state", "")).lower()
    for error in errors:
        yield Finding(Verdict.WRONG, "host_error", f"the host says: {error}")
    if state in _DEAD and not errors:
        text = f"the host says that its state is {state}, and no cause: it runs nothing; look in its log"
        yield Finding(Verdict.WRONG, "host_error", text)


def _of_timer(asking: Asking, key: str) -> Iterator[Finding]:
    timer = asking.get(f"/admin/functions/{TIMER}/status", key=key)
    if timer.status == HTTPStatus.NOT_FOUND:
        text = f"the host knows no function {TIMER}: nobody is told anything"
        yield Finding(Verdict.WRONG, "no_timer", text)
        return
    said = _heard(timer)
    if said is None:
        yield _silent("whether its timer is in error", timer)
    for error in _errors(said):
        text = f"the host does not run {TIMER}, so nobody is told anything: {error}"
        yield Finding(Verdict.WRONG, "timer_in_error", text)
    yield from _planned(asking.get(f"/admin/functions/{TIMER}", key=key))


def _heard(answer: Answer) -> Mapping[str, Any] | None:
    """Return what the host says; None unless it is a readable 200."""
    said = answer.json()
    if answer.status != HTTPStatus.OK or not isinstance(said, dict):
        return None
    return said if isinstance(said.get("errors"), list | None) else None


def _silent(subject: str, answer: Answer) -> Finding:
    cause = answer.failure or (
        "it cannot be read" if answer.status == HTTPStatus.OK else f"HTTP {answer.status}"
    )
    text = f"the host's own word on {subject} was not heard: {cause}; ask again, or see the portal"
    return Finding(Verdict.NOTE, "admin_silent", text)


def _planned(function: Answer) -> Iterator[Finding]:
    """Say whether the timer can ever come, by how the host has it."""
    said = _heard(function) or {}
    if said.get("isDisabled") is True:
        yield Finding(Verdict.WRONG, "timer_off", f"{TIMER} is switched off: nobody is told anything")
        return
    config = said.get("config")
    bindings = config.get("bindings") if isinstance(config, dict) else None
    timers = [each for each in bindings if isinstance(each, dict)] if isinstance(bindings, list) else []
    if not timers:
        yield _silent("when its timer comes", function)
    for each in timers:
        try:
            Schedule.of(str(each.get("schedule") or "0 * * * * *"))
        except NeverComes:
            text = f"{TIMER} has a schedule that never comes: nobody is told anything"
            yield Finding(Verdict.WRONG, "timer_never", text)
        except ValueError:
            continue  # such as %POLL_SCHEDULE%; what the host refuses, it has said itself


def _errors(said: Mapping[str, Any] | None) -> Iterator[str]:
    for each in (said or {}).get("errors") or ():
        yield one_line(str(each), _SHOWN)
