"""What health says of a deployment, and what a silence means: a code, a cause, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from coupa_core.clock import Clock
from coupa_core.finding import Finding, Verdict
from coupa_core.gate.asking import Answer, Asking
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
"""What the host shows at `/` while nothing else is there; earlier and later hosts word it differently."""

_OTHER = "other_version"

_MENDED_BY_HAND = {"settings", "schedule_refused", "schedule_never", "rare_schedule", "bad_since"}


@dataclass(frozen=True)
class Wanted:
    """What health must be of.

    Attributes:
        versions: the names of the release whose sweep the last one must be, the most exact one first; an
            empty one for any.
        since: when it must have begun at the earliest; empty for any time.
    """

    versions: tuple[str, ...] = ("",)
    since: str = ""


def wait_for(
    asking: Asking, wanted: Wanted, clock: Clock, *, within_s: float, tell: Callable[[Finding], None]
) -> Finding:
    """Ask until health is green, or until what stands in its way will not pass by itself.

    Args:
        asking: the deployment.
        wanted: what it must be of.
        clock: the time.
        within_s: seconds to wait; a crowd is given a minute in any case.
        tell: is told what is waited for, each time that it changes.
    """
    began_s = since_s = clock.monotonic()
    before = ""
    while True:
        code, cause = complaint(asking, wanted)
        now_s = clock.monotonic()
        if not code:
            if note := _uncompared(cause):
                tell(Finding(Verdict.NOTE, "version", note))
            return Finding(Verdict.OK, "health", _well(cause, wanted))
        if code != before:
            since_s = now_s
        patience_s = MINUTE_S - (now_s - since_s) if code == CROWD else within_s - (now_s - began_s)
        if code in _MENDED_BY_HAND:
            patience_s = min(patience_s, MINUTE_S - (now_s - since_s))
        said = Finding(Verdict.WRONG, code, SAYS[code].format(cause=cause))
        if patience_s <= 0:
            return said
        if code != before:
            tell(Finding(Verdict.NOTE, code, "asked again until it passes"))
        before = code
        clock.sleep(min(PAUSE_S, patience_s))


def complaint(asking: Asking, wanted: Wanted) -> tuple[str, str]:
    """Ask once, and return the code of what is wrong, with its cause.

    Returns:
        The code, and why no answer came, or its status, or the release that does not answer. Where health is
        green, no code, and the name of the release that answers.
    """
    code, version, answer = "", "", Answer(0)
    for version in wanted.versions:
        answer = asking.get(HEALTH, {"version": version, "since": wanted.since})
        code = _code_of(answer)
        if code != _OTHER:
            break
    if code == _OTHER:
        return code, " or ".join(filter(None, wanted.versions)) or "this one"
    if not code:
        # A release that knows neither `version` nor `since` is green whatever is asked.
        answer = asking.get(HEALTH, {"since": UNREADABLE})
        code = _code_of(answer) or "earlier_release"
        if code == "bad_since":
            return "", version
    if code == "wrong_address" and answer.status == HTTPStatus.NOT_FOUND:
        code = _without_health(asking)
    return code, answer.failure or f"HTTP {answer.status}"


def _well(version: str, wanted: Wanted) -> str:
    """Say what a green answer proves, and no more."""
    swept = f"a complete sweep that began at {wanted.since} or later has ended"
    return (
        f"{swept if wanted.since else 'a sweep ended in the last 15 minutes'}"
        f"{', by ' + version if version else ''}, and nothing is owed for 15 minutes or longer; what DRY_RUN "
        "or PILOT holds back does not count as owed"
    )


def _uncompared(version: str) -> str:
    """Say what of the release was not compared; nothing where all was."""
    if not version:
        return "which release answers was not compared"
    return "" if "+" in version else f"{version} answers without a commit: which one it is was not compared"


def _code_of(answer: Answer) -> str:  # noqa: PLR0911 - one return for each kind of answer
    said = answer.said()
    if answer.failure:
        return "unreachable"
    if answer.status == HTTPStatus.OK and said.get("status") == "ok":
        return ""
    if said.get("status") == "failing":
        cause = said.get("cause")
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


def _without_health(asking: Asking) -> str:
    """Return the code of an address that knows no health, by what a Functions host shows to anybody.

    Its ping is 200 without a body, whatever it has loaded. Where a sign-in stands before all but health,
    nobody sees ping and page, of a host or of whatever else it is.
    """
    ping, home = asking.get("/admin/host/ping"), asking.get("/")
    if (ping.status == HTTPStatus.OK and not ping.body.strip()) or _HOME.search(home.body):
        return "no_app"
    is_closed = any(answer.status in (401, 403) for answer in (ping, home))
    return "no_app_or_wrong_address" if is_closed else "wrong_address"
