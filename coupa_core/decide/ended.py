"""How an approval ended, as its record in Coupa tells: by this person's own click, or otherwise. Pure."""

from __future__ import annotations

import unicodedata

from coupa_core import notice
from coupa_core.authority import Capacity, Decider
from coupa_core.decide.answers import DONE, Answer, Click, Outcome, answer_of
from coupa_core.model import DONE_STATUS, Approval

MAX_REASON = 255
"""Characters of a reason that are sent; Coupa publishes no limit."""

_MARK = " via Moveworks"


def ended(click: Click, approval: Approval) -> Answer:
    """Say how an approval ended: by this person's own earlier click, or otherwise."""
    if approval.status == DONE_STATUS[click.verb] and is_ours(click, approval):
        return answer_of(DONE[click.verb])
    status = notice.clean(approval.status, notice.SHORT)
    by = notice.clean(_decided_by(approval), notice.SHORT)
    at = notice.clean(approval.approval_date, notice.SHORT)
    shown = status.replace("_", " ") or "closed"
    sentence = f"This request is no longer waiting: it is {shown}{f', by {by}' if by else ''}."
    details = {"status": status, "decided_by": by, "decided_at": at}
    return answer_of(Outcome.ALREADY_DECIDED, sentence, details)


def reason_for(click: Click, decider: Decider, *, asked: str) -> str:
    """Return the reason that Coupa keeps: first the person, because Coupa records our client as the decider.

    Args:
        click: with the person's own words, possibly none.
        decider: who acts.
        asked: the name of the group or person for whom a member or delegate acts.

    Source: https://github.com/moveworks/developer-docs, plugins/coupa-expense-report-approval, on the reason
    that Coupa shows as a comment of the OAuth user.
    """
    # The address must stand where `_is_ours` looks for it, whatever somebody is called.
    name = decider.name.replace("<", " ").replace(">", " ").replace(_MARK, " ")
    text = f"{name} <{click.actor}>{_MARK}"
    if decider.capacity is not Capacity.APPROVER and asked:
        text += f" as {decider.capacity} of {asked[:60]}"
    if click.reason.strip():
        text += f": {click.reason}"
    plain = "".join(char if _is_plain(char) else " " for char in text[: 4 * MAX_REASON])
    return " ".join(plain.split())[:MAX_REASON]


def is_ours(click: Click, approval: Approval) -> bool:
    """Tell whether Coupa's note is the one that this person's click left."""
    person, mark, _ = (approval.note or "").partition(_MARK)
    return bool(mark) and person.casefold().endswith(f"<{click.actor}>".casefold())


def _decided_by(approval: Approval) -> str:
    """Return who decided: the person named in our own note, else the user whom Coupa recorded."""
    person, mark, _ = (approval.note or "").partition(_MARK)
    if mark:
        return person
    return approval.approved_by.name if approval.approved_by else ""


def _is_plain(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
