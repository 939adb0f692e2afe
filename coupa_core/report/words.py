"""Describe codes, rights and events of the audit log in sentences for operators. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coupa_core.audit_log import EventKind
from coupa_core.authority import Right
from coupa_core.ledger import BASELINE, DIGEST, DRY_RUN, PILOT, QUIET, STOPPED
from coupa_core.model import Bar

_MEANINGS = {
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
_MEANINGS_BY_PREFIX = {
    "moveworks_4": "Moveworks refused the message",
    "moveworks_": "Moveworks did not answer as it should",
    "coupa_": "Coupa did not answer as it should",
    "ledger_": "the ledger did not answer",
}
_DECISIONS = {
    "approved": "{actor} approved it, and Coupa confirmed that",
    "rejected": "{actor} rejected it, and Coupa confirmed that",
    "held": "{actor} put it on hold, and Coupa confirmed that",
    "already_decided": "{actor} tried to {verb} it, but it was decided already",
    "refused_by_coupa": "{actor} tried to {verb} it, and a rule of Coupa's refused that",
    "unconfirmed": "{actor} tried to {verb} it, and Coupa has not confirmed that",
    "failed": "{actor} tried to {verb} it, and that failed",
}
_REFUSALS = {
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
_NOTICES = {
    "digest": "told in a digest",
    "reminder": "reminded",
    "escalation": "told that it has waited for long",
    "closing": "told that it is over for them",
    "outcome": "told, having asked for it, how it ended",
    "question": "told what an approver asks of them",
    "answer": "told the requester's answer, with the card",
}
_BARS = {
    Bar.OWN: "asked for it",
    Bar.ENTERED: "entered it",
    Bar.UNNAMED: "Coupa does not say who asked for it",
    Bar.TOO_GREAT: "an amount is above STEP_UP_OVER",
    Bar.UNSTATED: "an amount cannot be compared with STEP_UP_OVER",
    Bar.SENSITIVE: "SENSITIVE keeps it from chat",
    Bar.SHARED: "another user has this address",
}
_SILENT = (DRY_RUN, BASELINE)
_OPERATOR_ACTIONS = {
    "resend": "asked to send it again",
    "unpark": "asked to try it again at once",
    "mute": "muted it",
}


def why(cause: str) -> str:
    """Return the meaning of a code, with the code; an unknown code alone."""
    if cause in _MEANINGS:
        return f"{_MEANINGS[cause]} ({cause})"
    if cause.startswith(STOPPED):
        return f"its document does not wait for approval in Coupa ({cause})"
    whose = next((text for begin, text in _MEANINGS_BY_PREFIX.items() if cause.startswith(begin)), "")
    return f"{whose} ({cause})" if whose else f"the cause is {cause or 'not recorded'}"


def can_do(right: Right) -> str:
    """Describe a person's actions in chat, or the reason why there are none."""
    if right.bar is not None:
        return f"not in chat: {_BARS[right.bar]}"
    return f"can {', '.join(right.actions)}" if right.actions else "nothing is offered in chat (ACTIONS)"


def describe_event(event: Mapping[str, Any]) -> str:
    """Describe an event of the audit log in one sentence."""
    actor, verb = str(event.get("actor") or "somebody"), str(event.get("verb") or "decide")
    outcome, cause = str(event.get("outcome") or ""), str(event.get("cause") or "")
    code = f" ({cause})" if cause else ""
    match event.get("kind"):
        case EventKind.NOTICE:
            text = _notice_text(actor, event, outcome, cause)
        case EventKind.INTENT:
            text = f"{actor} clicked {verb}, and the decision was sent to Coupa"
        case EventKind.DECISION:
            sentence = _DECISIONS.get(outcome, "{actor}'s decision to {verb} it ended as {outcome}")
            text = sentence.format(actor=actor, verb=verb, outcome=outcome) + code
        case EventKind.REFUSAL:
            reason = cause or outcome
            text = f"{actor} clicked {verb} and was refused: {_REFUSALS.get(reason, reason)}"
        case EventKind.RIGHTS:
            text = f"Who may decide changed: {cause}"
        case EventKind.OPERATOR:
            failed = ", and that was not done" if outcome == "failed" else ""
            text = f"{actor}, an operator, {_OPERATOR_ACTIONS.get(verb, verb)}{code}{failed}"
        case kind:
            text = f"{kind}: {outcome}{code}"
    return f"{text}."


def _notice_text(actor: str, event: Mapping[str, Any], outcome: str, cause: str) -> str:
    verb, capacity = str(event.get("verb") or ""), str(event.get("capacity") or "")
    role = f", as {capacity}" if capacity and verb in ("", "digest", "reminder") else ""
    was = _NOTICES.get(verb, "told")
    if outcome == "sent":
        return f"{actor} was {was}{role}: Moveworks took the message"
    if outcome in _SILENT:
        return f"{actor} was not {was}{role}: {why(outcome)}"
    if outcome == "refused":
        return f"{actor} was not {was}{role}: {why(cause)}"
    return f"Whether {actor} was {was}{role} is not known: {why(cause)}; the message may have arrived"
