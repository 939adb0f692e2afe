"""What the Functions host says of its timer, and the status of the bridge, where a key opens them.

Source: https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from coupa_core.errors import one_line
from coupa_core.finding import Finding, Verdict
from coupa_core.gate.asking import Answer, Asking
from coupa_core.hosting import TIMER, Limits, fits
from coupa_core.schedule import NeverComes, Schedule

STATUS_S = 120.0
"""The status lists all that waits in Coupa, which may take 110 s."""

_CLOSED = (401, 403, 404)
_SHOWN = 200


def host_findings(asking: Asking, key: str) -> Iterator[Finding]:
    """Ask the host for its own state and that of the timer.

    Args:
        asking: the deployment.
        key: the master key.
    """
    host = asking.get("/admin/host/status", key=key)
    if host.status != HTTPStatus.OK:
        yield _unasked(host)
        return
    for error in _errors(host):
        yield Finding(Verdict.WRONG, "host_error", f"the host says: {error}")
    timer = asking.get(f"/admin/functions/{TIMER}/status", key=key)
    if timer.status == HTTPStatus.NOT_FOUND:
        yield Finding(
            Verdict.WRONG, "no_timer", f"the host knows no function {TIMER}: nobody is told anything"
        )
        return
    errors = list(_errors(timer))
    for error in errors:
        text = f"the host does not run {TIMER}, so nobody is told anything: {error}"
        yield Finding(Verdict.WRONG, "timer_in_error", text)
    found = list(_planned(asking.get(f"/admin/functions/{TIMER}", key=key)))
    yield from found
    if not errors and not found:
        yield Finding(Verdict.OK, "timer", f"the host runs {TIMER}")


def _unasked(host: Answer) -> Finding:
    if host.status in _CLOSED:
        text = (
            "the host's own word was not heard: MASTER_KEY is refused, or /admin is closed, as the templates "
            "close it; the portal's page of the function has its state"
        )
        return Finding(Verdict.NOTE, "admin_closed", text)
    cause = host.failure or f"HTTP {host.status}"
    return Finding(Verdict.NOTE, "admin_silent", f"the host's own word was not heard: {cause}")


def _planned(function: Answer) -> Iterator[Finding]:
    """Say whether the timer can ever come, by how the host has it."""
    said = function.said()
    if said.get("isDisabled") is True:
        yield Finding(Verdict.WRONG, "timer_off", f"{TIMER} is switched off: nobody is told anything")
    config = said.get("config")
    bindings = config.get("bindings") if isinstance(config, dict) else None
    for each in bindings if isinstance(bindings, list) else ():
        schedule = each.get("schedule") if isinstance(each, dict) else None
        try:
            Schedule.of(str(schedule or "0 * * * * *"))
        except NeverComes:
            text = f"{TIMER} has a schedule that never comes: nobody is told anything"
            yield Finding(Verdict.WRONG, "timer_never", text)
        except ValueError:
            continue  # such as %POLL_SCHEDULE%; what the host refuses, it has said itself


def _errors(answer: Answer) -> Iterator[str]:
    errors: Any = answer.said().get("errors")
    for each in errors if isinstance(errors, list) else ():
        yield one_line(str(each), _SHOWN)


def status_findings(asking: Asking, key: str) -> Iterator[Finding]:
    """Ask the bridge itself, as operators do: what ended the last sweep, and whether its numbers fit.

    Args:
        asking: the deployment.
        key: of operators.
    """
    answer = asking.get("/api/status", key=key, within_s=STATUS_S)
    said = answer.said()
    if answer.status != HTTPStatus.OK:
        yield _unread(answer)
        return
    if failure := said.get("failure"):
        text = f"the last sweep ended with {one_line(str(failure), _SHOWN)}: docs/operations.md, Symptoms"
        yield Finding(Verdict.NOTE, "last_sweep", text)
    limits = _limits(said.get("limits"))
    if limits is None:
        text = "the deployment does not say what it lets in at once: it is of an earlier release"
        yield Finding(Verdict.NOTE, "limits", text)
        return
    yield from fits(limits)


def _unread(answer: Answer) -> Finding:
    said = answer.said()
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return Finding(Verdict.WRONG, "operators_key", "OPERATORS_KEY is refused: run infra/keys.bicepparam")
    cause = one_line(str(said.get("message") or answer.failure or f"HTTP {answer.status}"), _SHOWN)
    return Finding(Verdict.NOTE, "status", f"cannot be read: {cause}")


def _limits(said: Any) -> Limits | None:
    """Read the numbers; None where they are not all there."""
    names = ("max_concurrent", "max_outstanding", "function_timeout_s", "threads")
    if not isinstance(said, dict) or not said.keys() >= set(names):
        return None
    numbers = [said[name] for name in names]
    if not all(each is None or isinstance(each, int | float) for each in numbers) or numbers[-1] is None:
        return None
    return Limits(*numbers)
