"""Check the health answer of a deployment, or its absence: a code, a cause, and the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from coupa_core.clock import Clock
from coupa_core.finding import Finding, Verdict
from coupa_core.gate.asking import Deployment, HttpAnswer
from coupa_core.gate.sentences import SAYS

HEALTH = "/api/health"

MINUTE_S = 60.0
"""A crowd passes within it, and what nobody but an operator can mend does not."""

PAUSE_S = 10.0
"""Between two questions."""

CROWD = "crowd"

UNREADABLE = "no-time"
"""As `since`: each release that knows `since` refuses it, and an earlier one is as green as before."""

_HOME = re.compile(rb"Your (Azure )?Functions?( [0-9.]+)? app is up and running", re.IGNORECASE)
"""The host's page at `/` while no app is there; earlier and later hosts word it differently."""

_OTHER = "other_version"

_NEEDS_OPERATOR = {"settings", "schedule_refused", "schedule_never", "rare_schedule", "bad_since"}


@dataclass(frozen=True)
class Wanted:
    """The sweep that health must show.

    Attributes:
        versions: the possible names of its release, the most exact one first; an empty one for any.
        since: the earliest time of its begin; empty for any time.
    """

    versions: tuple[str, ...] = ("",)
    since: str = ""


def wait_for(
    deployment: Deployment, wanted: Wanted, clock: Clock, *, within_s: float, tell: Callable[[Finding], None]
) -> Finding:
    """Repeat the check until health is green, or until the fault cannot pass by itself.

    Args:
        deployment: the deployment.
        wanted: the sweep that it must show.
        clock: the time.
        within_s: the time to wait, in seconds; a crowd gets a minute in any case.
        tell: receives the present fault each time that it changes.
    """
    began_s = since_s = clock.monotonic()
    before = ""
    while True:
        code, cause = first_fault(deployment, wanted)
        now_s = clock.monotonic()
        if not code:
            if note := _uncompared_text(cause):
                tell(Finding(Verdict.NOTE, "version", note))
            return Finding(Verdict.OK, "health", _green_text(cause, wanted))
        if code != before:
            since_s = now_s
        patience_s = MINUTE_S - (now_s - since_s) if code == CROWD else within_s - (now_s - began_s)
        if code in _NEEDS_OPERATOR:
            patience_s = min(patience_s, MINUTE_S - (now_s - since_s))
        found = Finding(Verdict.WRONG, code, SAYS[code].format(cause=cause))
        if patience_s <= 0:
            return found
        if code != before:
            tell(Finding(Verdict.NOTE, code, "asked again until it passes"))
        before = code
        clock.sleep(min(PAUSE_S, patience_s))


def first_fault(deployment: Deployment, wanted: Wanted) -> tuple[str, str]:
    """Check once, and return the code of the first fault, with its cause.

    Returns:
        The code, and the cause for no answer, or its status, or the release that does not answer. If health
        is green, an empty code, and the name of the release that answers.
    """
    code, version, answer = "", "", HttpAnswer(0)
    for version in wanted.versions:
        answer = deployment.get(HEALTH, {"version": version, "since": wanted.since})
        code = _fault_code(answer)
        if code != _OTHER:
            break
    if code == _OTHER:
        return code, " or ".join(filter(None, wanted.versions)) or "this one"
    if not code:
        # A release that knows neither `version` nor `since` is green whatever is asked.
        answer = deployment.get(HEALTH, {"since": UNREADABLE})
        code = _fault_code(answer) or "earlier_release"
        if code == "bad_since":
            return "", version
    if code == "wrong_address" and answer.status == HTTPStatus.NOT_FOUND:
        code = _code_without_health(deployment)
    return code, answer.failure or f"HTTP {answer.status}"


def _green_text(version: str, wanted: Wanted) -> str:
    """Describe what a green answer proves."""
    swept = f"a complete sweep that began at {wanted.since} or later has ended"
    return (
        f"{swept if wanted.since else 'a sweep ended in the last 15 minutes'}"
        f"{', by ' + version if version else ''}, and nothing is owed for 15 minutes or longer; what DRY_RUN "
        "or PILOT holds back does not count as owed"
    )


def _uncompared_text(version: str) -> str:
    """Describe the part of the release's name that was not compared; empty if all was."""
    if not version:
        return "which release answers was not compared"
    return "" if "+" in version else f"{version} answers without a commit: which one it is was not compared"


def _fault_code(answer: HttpAnswer) -> str:  # noqa: PLR0911 - one return for each kind of answer
    found = answer.json_object()
    if answer.failure:
        return "unreachable"
    if answer.status == HTTPStatus.OK and found.get("status") == "ok":
        return ""
    if found.get("status") == "failing":
        cause = found.get("cause")
        if cause is None:
            return "earlier_release"
        return cause if cause in SAYS else _OTHER
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return CROWD
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return "worker_ends"
    if answer.status in (502, 503, 504):
        return "not_started"
    return "refused" if answer.status in (401, 403) else "wrong_address"


def _code_without_health(deployment: Deployment) -> str:
    """Return the code of an address without the route of health, by the public pages of a Functions host.

    The ping of a host is 200 without a body, whatever it has loaded. A sign-in before all routes but health
    hides ping and page.
    """
    ping, home = deployment.get("/admin/host/ping"), deployment.get("/")
    if (ping.status == HTTPStatus.OK and not ping.body.strip()) or _HOME.search(home.body):
        return "no_app"
    is_closed = any(answer.status in (401, 403) for answer in (ping, home))
    return "no_app_or_wrong_address" if is_closed else "wrong_address"
