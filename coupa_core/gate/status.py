"""Read the operators' status of the bridge with OPERATORS_KEY; it has more than health."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from coupa_core.errors import one_line
from coupa_core.finding import Finding, Verdict
from coupa_core.gate.asking import Deployment, HttpAnswer
from coupa_core.hosting import HostLimits, fits

STATUS_S = 120.0
"""The time limit in seconds; the status lists all pending approvals, which may take 110 s."""

_SHOWN = 200


def status_findings(deployment: Deployment, key: str) -> Iterator[Finding]:
    """Report the last sweep's failure, the approvals that are held back, and limits that do not fit.

    Args:
        deployment: the deployment.
        key: the operators' key.
    """
    answer = deployment.get("/api/status", key=key, within_s=STATUS_S)
    values = answer.json()
    if answer.status != HTTPStatus.OK or not isinstance(values, dict):
        yield _unreadable(answer)
        return
    if failure := values.get("failure"):
        text = f"the last sweep ended with {one_line(str(failure), _SHOWN)}: docs/operations.md, Symptoms"
        yield Finding(Verdict.NOTE, "last_sweep", text)
    yield from _held_back(values)
    if "limits" not in values:
        text = "the deployment does not say what it lets in at once: it is of an earlier release"
        yield Finding(Verdict.NOTE, "limits", text)
        return
    limits = _limits(values["limits"])
    if limits is None:
        text = (
            "the deployment cannot read its own numbers: host.json, or a setting over it "
            "(AzureFunctionsJobHost__...), says what the host would not take; take the host.json that came "
            "with the release, and deploy the templates again"
        )
        yield Finding(Verdict.WRONG, "limits", text)
        return
    yield from fits(limits)


def _held_back(values: Mapping[str, Any]) -> Iterator[Finding]:
    """Report the approvals that are held back on purpose; health counts them as told."""
    groups = values.get("groups")
    dry = sum(
        _count(each, "count")
        for each in (groups if isinstance(groups, list) else ())
        if isinstance(each, dict) and each.get("cause") == "dry_run"
    )
    if dry:
        text = f"DRY_RUN is on, and nobody is told while it is: {dry} wait for its end"
        yield Finding(Verdict.NOTE, "dry_run", text)
    pilot = values.get("pilot")
    if isinstance(pilot, dict) and pilot.get("is_on") is True:
        waiting = _count(pilot, "waiting")
        text = f"PILOT is on, and only those whom it names are told: {waiting} wait for others"
        yield Finding(Verdict.NOTE, "pilot", text)
    if owed := _count(values.get("owed"), "count"):
        who = "1 approval has" if owed == 1 else f"{owed} approvals have"
        text = f"{who} an owed message now; the next sweeps send it, or health turns red"
        yield Finding(Verdict.NOTE, "owed", text)


def _count(values: Any, name: str) -> int:
    value = values.get(name) if isinstance(values, dict) else None
    return value if isinstance(value, int) else 0


def _unreadable(answer: HttpAnswer) -> Finding:
    values = answer.json_object()
    if values.get("error") == "no_caller":
        text = (
            "cannot be read: the app asks operators for a token of Entra beside the key, and the gate has "
            "none; this does not mean that OPERATORS_KEY is wrong. Call GET /api/status with a token"
        )
        return Finding(Verdict.NOTE, "status", text)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        text = (
            "401 has three causes: OPERATORS_KEY is not the operators' key (run infra/keys.bicepparam); the "
            "key, or a role, is some minutes old and the host cannot read it yet (wait ten minutes); or a "
            "sign-in of Entra (entraClientId) stands before the app, for which the gate has no token"
        )
        return Finding(Verdict.WRONG, "operators_key", text)
    cause = values.get("message") or answer.failure or f"HTTP {answer.status}"
    if answer.status == HTTPStatus.OK:
        cause = "what answers is no JSON object"
    return Finding(Verdict.NOTE, "status", f"cannot be read: {one_line(str(cause), _SHOWN)}")


def _limits(values: Any) -> HostLimits | None:
    """Read the limits; None if they are incomplete."""
    if not isinstance(values, dict):
        return None
    whole = [values.get(name, "") for name in ("max_concurrent", "max_outstanding", "threads")]
    time_s = values.get("function_timeout_s", "")
    is_whole = all(each is None or type(each) is int for each in whole) and whole[-1] is not None
    if not is_whole or not (time_s is None or type(time_s) in (int, float)):
        return None
    return HostLimits(concurrent=whole[0], outstanding=whole[1], timeout_s=time_s, threads=whole[2])
