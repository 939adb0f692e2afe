"""How an approval ended, as its record in Coupa tells: by this person's own click, or otherwise. Pure."""

from __future__ import annotations

import unicodedata

from coupa_core import notice
from coupa_core.addresses import folded
from coupa_core.authority import Capacity, Decider
from coupa_core.decide.answers import DONE, SENTENCES, Answer, Click, Outcome, Question, answer_of
from coupa_core.model import DONE_STATUS, VIA_CHAT, Approval, Chain, Verb

MAX_REASON = 255
"""Characters of a reason that are sent; Coupa publishes no limit."""

MAX_COMMENT = 1_000
"""Characters of a comment; Coupa publishes no limit. What is longer is refused: half a question is none."""

MAX_NEXT = 3
"""People that are named as next; the others of a parallel step are counted."""

_APPROVED = frozenset({"approved", "ordered"})
"""What a requisition is after its last step; Coupa may turn it into orders at once.

Source: Coupa Core API, Requisitions, "status".
"""


def done(click: Click, chain: Chain | None = None) -> Answer:
    """Say that the decision took effect, and, where the document was read, how far it has come."""
    outcome = DONE[click.verb]
    if chain is None:
        return answer_of(outcome)
    details = {"document_status": notice.clean(chain.status, notice.SHORT)}
    sentence = SENTENCES[outcome]
    if click.verb is Verb.APPROVE and chain.status in _APPROVED:
        sentence += " It is fully approved."
    elif click.verb is Verb.APPROVE and chain.next_names:
        names = [notice.clean(name, notice.SHORT) for name in chain.next_names]
        more = [f"{len(names) - MAX_NEXT} more"] if len(names) > MAX_NEXT else []
        details["next_approver"] = ", ".join([*names[:MAX_NEXT], *more])
        sentence += f" Next: {details['next_approver']}."
    return answer_of(outcome, sentence, {name: text for name, text in details.items() if text})


def ended(click: Click | Question, approval: Approval) -> Answer:
    """Say how an approval ended: by this person's own earlier click, or otherwise."""
    if isinstance(click, Click) and approval.status == DONE_STATUS[click.verb] and is_ours(click, approval):
        return done(click)
    status = notice.clean(approval.status, notice.SHORT)
    by = notice.clean(approval.decided_by, notice.SHORT)
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
    return _signed(decider.name, click.actor, decider, asked, click.reason)[:MAX_REASON]


def comment_for(question: Question, decider: Decider, *, asked: str, requester: int) -> str:
    """Return the comment that Coupa keeps: it mentions the requester, and names the person who asks.

    Args:
        question: with the person's own words.
        decider: who asks.
        asked: the name of the group or person for whom a member or delegate acts.
        requester: Coupa's id of the user who is mentioned; nobody else is, whatever the words say.

    Source: "Comments API", mentions,
    .../the-coupa-core-api/resources/shared-resources/comments-api
    """
    text = _signed(decider.name[:80], question.actor, decider, asked, question.comment)
    return f"@[User:{requester}] {text.replace('@[', '@ [')}"


def _signed(name: str, actor: str, decider: Decider, asked: str, words: str) -> str:
    """Return somebody's words as one line, after who says them."""
    # The address must stand where `is_ours` looks for it, whatever somebody is called.
    name = name.replace("<", " ").replace(">", " ").replace(VIA_CHAT, " ")
    text = f"{name} <{actor}>{VIA_CHAT}"
    if decider.capacity is not Capacity.APPROVER and asked:
        text += f" as {decider.capacity} of {asked[:60]}"
    if words.strip():
        text += f": {words}"
    plain = "".join(char if _is_plain(char) else " " for char in text[: 4 * MAX_COMMENT])
    return " ".join(plain.split())


def is_ours(click: Click, approval: Approval) -> bool:
    """Tell whether Coupa's note is the one that this person's click left."""
    person, mark, _ = (approval.note or "").partition(VIA_CHAT)
    return bool(mark) and folded(person).endswith(folded(f"<{click.actor}>"))


def _is_plain(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
