"""Describe the row of one approval in sentences for operators. Pure.

A row has only the keys of people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.ledger import (
    BASELINE,
    DIGEST,
    DRY_RUN,
    MAX_REFUSALS,
    MUTED,
    PILOT,
    QUIET,
    Entry,
    Lease,
    PersonState,
    Repeat,
    State,
    Status,
    undone,
)
from coupa_core.report.words import why

_BESIDE = "PILOT is on, too: whoever it does not name is told once it names them or is empty."


@dataclass(frozen=True)
class StoryLine:
    """One sentence of a story.

    Attributes:
        at: when it happened; None for the present.
        text: the sentence.
    """

    at: datetime | None
    text: str


def describe_row(
    row: Entry,
    *,
    status: Status,
    now: datetime,
    lease: Lease,
    pilot: Audience = EVERYBODY,
    repeats: Sequence[Repeat] = (),
) -> list[StoryLine]:
    """Describe the state of an approval by its row, and the next step.

    Args:
        row: the ledger's row.
        status: the status of the last sweep.
        now: aware UTC.
        lease: the length of claims.
        pilot: the only people who receive messages.
        repeats: the operators' repeats, the oldest first.
    """
    is_open = row.state not in (State.DECIDED, State.CLOSED)
    again = _repeat_lines(repeats, row, pilot) if is_open else []
    lines = _state_lines(row, now, lease, again) + again
    if row.state is State.RETRY or row.cause in (QUIET, DIGEST, DRY_RUN):
        lines += [] if pilot.is_everybody else [StoryLine(None, _BESIDE)]
    paused = status.paused_until
    if row.state in (State.RETRY, State.CLAIMED) and paused and paused > now:
        lines.append(
            StoryLine(None, f"Nothing is sent to anybody before {_at(paused)}: Moveworks wants a pause.")
        )
    return lines


def _state_lines(row: Entry, now: datetime, lease: Lease, again: Sequence[StoryLine]) -> list[StoryLine]:
    at, next_at = None, _at(row.next_at)
    match row.state:
        case State.SENT:
            return _told_lines(row, again)
        case State.CLAIMED:
            at, text = row.attempted_at, _claim_text(row, now, lease)
        case State.RETRY:
            tries = max([row.failures, *(each.refusals for each in row.told.values())])
            count = f", after {tries} of {MAX_REFUSALS} refusals" if tries else ""
            reason = f": {why(row.cause)}" if row.cause else ""
            text = f"The people who were not told yet are told from {next_at} on{count}{reason}."
        case State.WAITING if row.cause == DRY_RUN:
            text = f"Nobody is told for now: {why(row.cause)}."
        case State.WAITING if row.cause == PILOT:
            told = _people(row.told, _was_sent)
            # One of them may be owed a newer version.
            text = (
                f"Told so far were {told}. Somebody is still to be told" if told else "Nobody is told for now"
            )
            text += f": {why(row.cause)}. They are told once it names them or is empty."
        case State.WAITING if row.cause == MUTED:
            text = f"An operator muted it: nothing is sent for it before {next_at}."
        case State.WAITING:
            text = f"Nobody is told for now: {why(row.cause)}. It is looked at again by {next_at}."
        case State.PARKED:
            text = f"It is parked, with an alarm: {why(row.cause)}. It is tried again at {next_at}, or at "
            text += "once when an operator un-parks it."
        case State.DECIDED:
            at, text = row.decided_at, f"The ledger has the decision through the bridge: {row.decision}."
        case _:
            at, text = row.closed_at, _end_text(row)
    return [StoryLine(at, text)]


def _repeat_lines(repeats: Sequence[Repeat], row: Entry, pilot: Audience) -> list[StoryLine]:
    """Describe the open repeats for this row; it has no addresses to match those that a repeat names."""
    pairs = [pair for each in undone(repeats, [row], pilot) for pair in each]
    of_all = [(each, key) for each, key in pairs if each.people.is_everybody]
    keys = {key for _, key in of_all}
    named = [(each, key) for each, key in pairs if key not in keys]
    both = ((of_all, "may still decide"), (named, "was named then and may still decide"))
    return [_repeat_line(found, may) for found, may in both if found]


def _repeat_line(found: Sequence[tuple[Repeat, str]], may: str) -> StoryLine:
    """Name the people who are told again, and the time of the newest request."""
    people, at = ", ".join(sorted({key for _, key in found})), max(each.at for each, _ in found)
    return StoryLine(None, f"Each of {people} who {may} is told again, as asked at {_at(at)}.")


def _told_lines(row: Entry, again: Sequence[StoryLine]) -> list[StoryLine]:
    told, counted = _people(row.told, _was_sent), _people(row.told, _only_counts)
    others = _people(row.told, lambda each: not each.version)
    if counted and not told and again:
        return [StoryLine(None, f"Nobody was told: {why(BASELINE)}.")]
    if counted and not told:
        return [StoryLine(None, f"Nobody was told: {why(BASELINE)}. A change to it is told.")]
    if not told:
        return [StoryLine(row.told_at, "There is nobody left who is to be told.")]
    text = f"Told were {told}."
    if not again:
        text = f"Everybody who is to be told has this version: {told}. Nothing more is sent until it changes."
    lines = [StoryLine(row.told_at, text)]
    if counted:
        lines.append(StoryLine(None, f"{counted} may decide and got no message: {why(BASELINE)}."))
    if others:
        lines.append(
            StoryLine(
                None,
                f"{others} may decide and got no message: whoever asked for the purchase, or shares an "
                "address, is not told.",
            )
        )
    return lines


def _people(told: Mapping[str, PersonState], are: Callable[[PersonState], bool]) -> str:
    return ", ".join(sorted(key for key, each in told.items() if are(each)))


def _was_sent(each: PersonState) -> bool:
    return each.was_sent


def _only_counts(each: PersonState) -> bool:
    return bool(each.version) and not each.was_sent


def _claim_text(row: Entry, now: datetime, lease: Lease) -> str:
    if not (row.is_held(now, lease) and row.lease_until):
        return "A sweep left it without an outcome; the next one tells whoever may not have been told."
    over = _at(row.lease_until + timedelta(seconds=lease.skew_s))
    return (
        "A sweep is at work on it, or did not learn what became of its last message; nothing is sent again "
        f"before {over}."
    )


def _end_text(row: Entry) -> str:
    how = "Coupa does not know it any more" if row.cause == "gone" else f"in Coupa it is {row.cause}"
    by = "decided through the bridge" if row.decision else "not decided through the bridge"
    told = "" if row.told_at else "; nobody had been told"
    return f"It does not wait any more: {how}, {by}{told}."


def by_time(lines: Iterable[StoryLine]) -> list[StoryLine]:
    """Sort by time; lines about the present come last, in their order."""
    known = list(lines)
    past = sorted((line for line in known if line.at), key=lambda line: str(line.at))
    return past + [line for line in known if line.at is None]


def _at(time: datetime | None) -> str:
    """Write a time for a person: UTC to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if time else "now"
