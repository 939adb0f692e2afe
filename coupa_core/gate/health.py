"""What health says of a deployment, and what a silence means: a code, a cause, and what to do next."""

from __future__ import annotations

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

_MENDED_BY_HAND = {"settings", "schedule_refused", "schedule_never", "rare_schedule", "bad_since"}


@dataclass(frozen=True)
class Wanted:
    """What health must be of.

    Attributes:
        version: the release whose sweep the last one must be; empty for any.
        since: when it must have begun at the earliest; empty for any time.
    """

    version: str = ""
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
            return Finding(Verdict.OK, "health", "a complete sweep ended, and all is told that is owed")
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
    """Ask once, and return the code of what is wrong, with its cause; no code where health is green."""
    answer = asking.get(HEALTH, {"version": wanted.version, "since": wanted.since})
    code = _code_of(answer)
    if code == "wrong_address" and _is_host(asking):
        code = "no_app"
    return code, answer.failure or f"HTTP {answer.status}"


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
        return cause if cause in SAYS else "other_version"
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return CROWD
    if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return "worker_ends"
    if answer.status in (502, 503, 504):
        return "not_started"
    return "refused" if answer.status in (401, 403) else "wrong_address"


def _is_host(asking: Asking) -> bool:
    """Tell whether a Functions host answers at all: it does so for anybody, whatever it has loaded."""
    if asking.get("/admin/host/ping").status == HTTPStatus.OK:
        return True
    return b"Functions" in asking.get("/").body
