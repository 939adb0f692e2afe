"""The status route in words: one sentence on the state, and the counts.

It judges nothing by itself: the bridge and the switches of the page say what is well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.page.formats import clock

_PLACES = {
    "announced": "told, and a decision is waited for",
    "claimed": "being told just now",
    "retry": "to be told again, because it failed",
    "waiting": "not told yet",
    "parked": "given up for today",
    "decided": "decided in chat",
    "gone": "over",
    "not_seen_yet": "left for the next sweep",
    "unaccounted": "not accounted for",
    "row_unreadable": "with a record that cannot be read",
}
_CAUSES = {
    "not_your_turn": "an earlier step has its turn",
    "quiet": "these are quiet hours",
    "digest": "the next digest has it",
}
_COUNTS = {
    "seen": "looked at",
    "sent": "told",
    "unchanged": "as before",
    "not_your_turn": "not yet their turn",
    "quiet": "with nothing to say now",
    "closed": "over",
}


@dataclass(frozen=True)
class Health:
    """The state of the bridge.

    Attributes:
        is_well: there is nothing to do.
        said: one sentence.
        lines: the counts, a sentence each.
    """

    is_well: bool
    said: str
    lines: list[str] = field(default_factory=list)


def in_words(status: Mapping[str, Any], *, now: datetime, broken: Iterable[str]) -> Health:
    """Return the state.

    Args:
        status: the answer of the status route; `unreachable` gives the reason when there is none.
        now: the time in the sandbox.
        broken: the present faults, as sentences without a full stop.
    """
    why = "; ".join(broken)
    if "unreachable" in status:
        said = str(status["unreachable"])
        return Health(is_well=False, said=f"{why}. {said}" if why else said)
    lines, ended = _lines(status), _ended(status.get("last_sweep_at"), now)
    trouble = f"Broken here on purpose: {why}" if why else _trouble(status)
    if trouble:
        return Health(is_well=False, said=f"{trouble}. {ended}", lines=lines)
    total = status["pending"]["total"]
    waiting = f"{_many(total, 'approval')} pending in Coupa" if total else "nothing is pending in Coupa"
    return Health(is_well=True, said=f"All is well: {waiting}. {ended}", lines=lines)


def _trouble(status: Mapping[str, Any]) -> str:
    """Return the bridge's own complaint; empty when all is well, or before the first sweep."""
    if status.get("failure"):
        return f"The last sweep met a failure ({words(status['failure'])})"
    if status.get("is_moveworks_suspect"):
        return "Moveworks does not answer as it should"
    is_well = status["is_healthy"] and status["is_proved"]
    return "Something has been left behind" if status.get("last_sweep_at") and not is_well else ""


def words(code: object) -> str:
    """Return a code as words."""
    return str(code).replace("_", " ")


def length(seconds: float) -> str:
    """Write a length of time in its largest unit: `1.5 d`, `45 min`, `8 s`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.0f} s"


def _ended(at: str | None, now: datetime) -> str:
    if not at:
        return "No sweep has ended yet."
    ago = max(0.0, (now - datetime.fromisoformat(at)).total_seconds())
    return "The last sweep ended just now." if ago < 1 else f"The last sweep ended {length(ago)} ago."


def _lines(status: Mapping[str, Any]) -> list[str]:
    lines = []
    for each in status.get("groups", []):
        cause = each.get("cause", "")
        why = f" ({_CAUSES.get(cause, words(cause))})" if cause else ""
        lines.append(
            f"{_many(each['count'], 'approval')} {_PLACES.get(each['place'], words(each['place']))}{why}."
        )
    counts = {name: number for name, number in status.get("counts", {}).items() if number}
    counts = {name: number for name, number in counts.items() if not name.startswith("pending_")}
    if counts:
        said = ", ".join(f"{number} {_COUNTS.get(name, words(name))}" for name, number in counts.items())
        lines.append(f"The last sweep: {said}.")
    owed = status.get("owed", {}).get("count", 0)
    if owed:
        lines.append(f"{_many(owed, 'message')} owed for {length(status['owed']['oldest_s'])} at most.")
    if status.get("paused_until"):
        lines.append(f"Moveworks asked for a pause until {clock(status['paused_until'])} UTC.")
    return lines


def _many(number: int, name: str) -> str:
    return f"1 {name} is" if number == 1 else f"{number} {name}s are"
