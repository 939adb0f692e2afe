"""Describe rows, events and codes in sentences for operators. Pure.

The audit log names people by address; a row has only their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.authority import Right
from coupa_core.ledger import (
    BASELINE,
    DIGEST,
    DRY_RUN,
    MAX_REFUSALS,
    MUTED,
    PILOT,
    QUIET,
    STOPPED,
    Entry,
    Lease,
    PersonState,
    Repeat,
    State,
    Status,
    undone,
)
from coupa_core.model import Bar

_WHY = {
    "not_your_turn": "it is not this approver's turn yet, because an earlier step of the chain is open",
    "people_unread": "who may decide could not be read from Coupa",
    "turn_unread": "whose turn it is could not be read from Coupa",
    "document_missing": "Coupa does not return its document",
    "document_hides_turn": "its document does not say whose turn it is",
    "approval_unreadable": "Coupa's record of it could not be read",
    "no_recipient": "Coupa names nobody who can be told: no active person with an e-mail address",
    "group_too_large": "its group has more members than are told",
    "shared_address": "the only address belongs to more than one user of Coupa",
    "unknown_outcomes": "several messages in a row had an unknown outcome, and the person may have got each",
    "no_turn": "the allowed rate of messages was used up",
    "lease_too_short": "too little of its claim was left to send",
    "internal": "it could not be handled, and the log has the cause",
    "moveworks_429": "Moveworks asked for fewer messages",
    "moveworks_401": "Moveworks does not take our key, or the listener our signature",
    "moveworks_404": "Moveworks does not know our event, or our listener",
    QUIET: "people are not told at this hour",
    DIGEST: "it is told in the next digest",
    DRY_RUN: "DRY_RUN is on, so nothing is sent",
    PILOT: "PILOT is on and does not name everybody who may decide",
    BASELINE: "it waited before the bridge began, and FIRST_RUN=baseline tells nobody of that",
}
_WHOSE = {
    "moveworks_4": "Moveworks refused the message",
    "moveworks_": "Moveworks did not answer as it should",
    "coupa_": "Coupa did not answer as it should",
    "ledger_": "the ledger did not answer",
}
_ENDED = {
    "approved": "{actor} approved it, and Coupa confirmed that",
    "rejected": "{actor} rejected it, and Coupa confirmed that",
    "held": "{actor} put it on hold, and Coupa confirmed that",
    "already_decided": "{actor} tried to {verb} it, but it was decided already",
    "refused_by_coupa": "{actor} tried to {verb} it, and a rule of Coupa's refused that",
    "unconfirmed": "{actor} tried to {verb} it, and Coupa has not confirmed that",
    "failed": "{actor} tried to {verb} it, and that failed",
}
_REFUSED = {
    "not_your_approval": "it is not this person's to decide",
    "not_your_turn": "it was not this person's turn",
    "changed": "the request had changed since it was shown",
    "expired": "the button was too old",
    "reason_required": "a reason was missing",
    "reason_too_long": "not all of the reason would have arrived",
    "already_decided": "it was decided already",
    "step_up": "it can be decided in Coupa only",
    "not_askable": "Coupa takes no comments on it, or names nobody to ask",
    "token_refused": "the action token was missing or not valid",
    "not_holdable": "Coupa does not let it be held",
}
_TOLD = {
    "digest": "told in a digest",
    "reminder": "reminded",
    "escalation": "told that it has waited for long",
    "closing": "told that it is over for them",
    "outcome": "told, having asked for it, how it ended",
    "question": "told what an approver asks of them",
    "answer": "told the requester's answer, with the card",
}
_BARRED = {
    Bar.OWN: "asked for it",
    Bar.ENTERED: "entered it",
    Bar.UNNAMED: "Coupa does not say who asked for it",
    Bar.TOO_GREAT: "an amount is above STEP_UP_OVER",
    Bar.UNSTATED: "an amount cannot be compared with STEP_UP_OVER",
    Bar.SENSITIVE: "SENSITIVE keeps it from chat",
    Bar.SHARED: "another user has this address",
}
_BESIDE = "PILOT is on, too: whoever it does not name is told once it names them or is empty."
_UNSAID = (DRY_RUN, BASELINE)
_ASKED = {
    "resend": "asked to send it again",
    "unpark": "asked to try it again at once",
    "mute": "muted it",
}


@dataclass(frozen=True)
class StoryLine:
    """One sentence of a story.

    Attributes:
        at: when that was; None for what holds now.
        text: the sentence.
    """

    at: datetime | None
    text: str


def why(cause: str) -> str:
    """Return what a code means, with the code; one that is not known is shown as it is."""
    if cause in _WHY:
        return f"{_WHY[cause]} ({cause})"
    if cause.startswith(STOPPED):
        return f"its document does not wait for approval in Coupa ({cause})"
    whose = next((text for begin, text in _WHOSE.items() if cause.startswith(begin)), "")
    return f"{whose} ({cause})" if whose else f"the cause is {cause or 'not recorded'}"


def can_do(right: Right) -> str:
    """Return what somebody can do from chat, or why nothing."""
    if right.bar is not None:
        return f"not in chat: {_BARRED[right.bar]}"
    return f"can {', '.join(right.actions)}" if right.actions else "nothing is offered in chat (ACTIONS)"


def of_event(event: Mapping[str, Any]) -> str:
    """Return the sentence for an event of the audit log; every event has one."""
    actor, verb = str(event.get("actor") or "somebody"), str(event.get("verb") or "decide")
    outcome, cause = str(event.get("outcome") or ""), str(event.get("cause") or "")
    code = f" ({cause})" if cause else ""
    match event.get("kind"):
        case "notice":
            text = _of_notice(actor, event, outcome, cause)
        case "intent":
            text = f"{actor} clicked {verb}, and the decision was sent to Coupa"
        case "decision":
            sentence = _ENDED.get(outcome, "{actor}'s decision to {verb} it ended as {outcome}")
            text = sentence.format(actor=actor, verb=verb, outcome=outcome) + code
        case "refusal":
            reason = cause or outcome
            text = f"{actor} clicked {verb} and was refused: {_REFUSED.get(reason, reason)}"
        case "rights":
            text = f"Who may decide changed: {cause}"
        case "operator":
            failed = ", and that was not done" if outcome == "failed" else ""
            text = f"{actor}, an operator, {_ASKED.get(verb, verb)}{code}{failed}"
        case kind:
            text = f"{kind}: {outcome}{code}"
    return f"{text}."


def _of_notice(actor: str, event: Mapping[str, Any], outcome: str, cause: str) -> str:
    verb, capacity = str(event.get("verb") or ""), str(event.get("capacity") or "")
    role = f", as {capacity}" if capacity and verb in ("", "digest", "reminder") else ""
    was = _TOLD.get(verb, "told")
    if outcome == "sent":
        return f"{actor} was {was}{role}: Moveworks took the message"
    if outcome in _UNSAID:
        return f"{actor} was not {was}{role}: {why(outcome)}"
    if outcome == "refused":
        return f"{actor} was not {was}{role}: {why(cause)}"
    return f"Whether {actor} was {was}{role} is not known: {why(cause)}; the message may have arrived"


def of_row(
    row: Entry,
    *,
    status: Status,
    now: datetime,
    lease: Lease,
    pilot: Audience = EVERYBODY,
    repeats: Sequence[Repeat] = (),
) -> list[StoryLine]:
    """Return where an approval stands by its row, and what comes next.

    Args:
        row: of the ledger.
        status: of the last sweep.
        now: aware UTC.
        lease: of claims.
        pilot: the only people who are told anything.
        repeats: of operators, the oldest first.
    """
    is_open = row.state not in (State.DECIDED, State.CLOSED)
    again = _again(repeats, row, pilot) if is_open else []
    lines = _where(row, now, lease, again) + again
    if row.state is State.RETRY or row.cause in (QUIET, DIGEST, DRY_RUN):
        lines += [] if pilot.is_everybody else [StoryLine(None, _BESIDE)]
    paused = status.paused_until
    if row.state in (State.RETRY, State.CLAIMED) and paused and paused > now:
        lines.append(
            StoryLine(None, f"Nothing is sent to anybody before {_at(paused)}: Moveworks wants a pause.")
        )
    return lines


def _where(row: Entry, now: datetime, lease: Lease, again: Sequence[StoryLine]) -> list[StoryLine]:
    at, next_at = None, _at(row.next_at)
    match row.state:
        case State.SENT:
            return _of_told(row, again)
        case State.CLAIMED:
            at, text = row.attempted_at, _of_claim(row, now, lease)
        case State.RETRY:
            tries = max([row.failures, *(each.refusals for each in row.told.values())])
            count = f", after {tries} of {MAX_REFUSALS} refusals" if tries else ""
            reason = f": {why(row.cause)}" if row.cause else ""
            text = f"Whoever was not told yet is told from {next_at} on{count}{reason}."
        case State.WAITING if row.cause == DRY_RUN:
            text = f"Nobody is told for now: {why(row.cause)}."
        case State.WAITING if row.cause == PILOT:
            told = _people(row.told, _was_sent)
            # It may be one of them who waits, for what is new since then.
            text = (
                f"Told so far were {told}. Somebody is still to be told" if told else "Nobody is told for now"
            )
            text += f": {why(row.cause)}. They are told once it names them or is empty."
        case State.WAITING if row.cause == MUTED:
            text = f"An operator muted it: nothing is sent for it before {next_at}."
        case State.WAITING:
            text = f"Nobody is told for now: {why(row.cause)}. It is looked at again by {next_at}."
        case State.PARKED:
            text = f"It is set aside, with an alarm: {why(row.cause)}. It is tried again at {next_at}, or at "
            text += "once when an operator un-parks it."
        case State.DECIDED:
            at, text = row.decided_at, f"The ledger has the decision through the bridge: {row.decision}."
        case _:
            at, text = row.closed_at, _of_end(row)
    return [StoryLine(at, text)]


def _again(repeats: Sequence[Repeat], row: Entry, pilot: Audience) -> list[StoryLine]:
    """Say who is to be told again at an operator's word; of addresses that one named a row knows nothing."""
    pairs = [pair for each in undone(repeats, [row], pilot) for pair in each]
    of_all = [(each, key) for each, key in pairs if each.people.is_everybody]
    keys = {key for _, key in of_all}
    named = [(each, key) for each, key in pairs if key not in keys]
    both = ((of_all, "may still decide"), (named, "was named then, and may still decide,"))
    return [_told_again(found, may) for found, may in both if found]


def _told_again(found: Sequence[tuple[Repeat, str]], may: str) -> StoryLine:
    """Say which people are told again, and as asked when at the latest."""
    people, at = ", ".join(sorted({key for _, key in found})), max(each.at for each, _ in found)
    return StoryLine(None, f"Whoever of {people} {may} is told again as asked at {_at(at)}.")


def _of_told(row: Entry, again: Sequence[StoryLine]) -> list[StoryLine]:
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


def _of_claim(row: Entry, now: datetime, lease: Lease) -> str:
    if not (row.is_held(now, lease) and row.lease_until):
        return "A sweep left it without an outcome; the next one tells whoever may not have been told."
    over = _at(row.lease_until + timedelta(seconds=lease.skew_s))
    return (
        "A sweep is at work on it, or did not learn what became of its last message; nothing is sent again "
        f"before {over}."
    )


def _of_end(row: Entry) -> str:
    how = "Coupa does not know it any more" if row.cause == "gone" else f"in Coupa it is {row.cause}"
    by = "decided through the bridge" if row.decision else "not decided through the bridge"
    told = "" if row.told_at else "; nobody had been told"
    return f"It does not wait any more: {how}, {by}{told}."


def in_order(lines: Iterable[StoryLine]) -> list[StoryLine]:
    """Sort by time; what holds now comes last, in its order."""
    known = list(lines)
    past = sorted((line for line in known if line.at), key=lambda line: str(line.at))
    return past + [line for line in known if line.at is None]


def _at(time: datetime | None) -> str:
    """Write a time for a person: UTC to the second."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC" if time else "now"
