"""Read from Coupa's record how an approval ended: by this person's own click, or otherwise. Pure."""

from __future__ import annotations

import re

from coupa_core import notice
from coupa_core.addresses import same_address
from coupa_core.authority import Capacity, Decider
from coupa_core.decide.answers import DONE, Answer, AnswerWriter, Click, Question
from coupa_core.endings import end_of
from coupa_core.marks import mark_of, read_mark
from coupa_core.model import DONE_STATUS, Approval, Chain, Verb, stamp
from coupa_core.visible import words_of

MAX_REASON = 255
"""Characters of a reason with the person's name; a longer one is refused. Coupa publishes no limit."""

MAX_COMMENT = 1_000
"""Characters of the person's own words in a comment; a longer one is refused, and never cut."""

MAX_ADDRESS = 100
"""Characters of the person's address that are sent."""

_USUAL, _TIGHT = (80, 60), (20, 18)
"""Characters of the person's name, and of the name that they act for; fewer where the words need the room."""

_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}(?:Z|[+-][0-9:]{5,9})")
"""A date and time with its offset. Source: https://www.rfc-editor.org/rfc/rfc3339#section-5.6"""

MAX_NEXT = 3
"""People who are named as next; the others of a parallel step are counted."""

_APPROVED = frozenset({"approved", "ordered"})
"""The status of a requisition after its last step; Coupa may turn it into orders at once.

Source: Coupa Core API, Requisitions, "status".
"""


def done(click: Click, after: Approval, writer: AnswerWriter, chain: Chain | None = None) -> Answer:
    """Answer that the decision took effect, and, if the document was read, how far it has come.

    The answer says that Coupa has the reason only if exactly these words were read back.
    """
    outcome, style = DONE[click.verb], writer.style
    sentences = [writer.answer(outcome).message]
    details = {"document_status": notice.clean(chain.status, notice.SHORT)} if chain else {}
    if click.verb is Verb.REJECT and has_arrived(click, after):
        sentences.append(style.say("answer.reason"))
    if chain and click.verb is Verb.APPROVE and chain.status in _APPROVED:
        sentences.append(style.say("answer.full"))
    elif chain and click.verb is Verb.APPROVE and chain.next_names:
        names = [notice.clean(name, notice.SHORT) for name in chain.next_names]
        more = style.more(len(names) - MAX_NEXT) if len(names) > MAX_NEXT else None
        details["next_approver"] = style.join(*names[:MAX_NEXT], more)
        sentences.append(style.say("answer.next", who=details["next_approver"]))
    return Answer(
        outcome, style.sentences(*sentences), {name: text for name, text in details.items() if text}
    )


def ended(
    click: Click | Question, approval: Approval, writer: AnswerWriter, *, is_own: bool = False
) -> Answer:
    """Answer how an approval ended: by this person's own earlier click, or otherwise.

    Args:
        click: a click or a question.
        approval: as Coupa has it now, no longer pending.
        writer: writes the answer.
        is_own: the ledger has this decision by this person.

    A click with other words than Coupa has is no repetition: its words did not arrive.
    """
    if isinstance(click, Click) and approval.status == DONE_STATUS[click.verb]:
        is_own = is_own or is_ours(click, approval)
        if is_own and has_arrived(click, approval) is not False:
            return done(click, approval, writer)
    known = {"status": approval.status, "decided_by": approval.decided_by}
    details = {name: notice.clean(text, notice.SHORT) for name, text in known.items()}
    details["decided_at"] = _stamp_of(approval)
    return writer.over(end_of(approval, None), **details)


def _stamp_of(approval: Approval) -> str:
    """Return the time of the decision as Coupa wrote it; empty if it is not a time with an offset."""
    text = approval.approval_date or ""
    return text if _STAMP.fullmatch(text) and stamp(text) else ""


def reason_for(click: Click, decider: Decider, *, asked: str) -> str:
    """Return the reason that Coupa keeps; it names the person, because Coupa knows our client only.

    The words stay whole where `room_of` says that they fit; the person's name is shortened instead.

    Args:
        click: with the person's own words, possibly none.
        decider: the person who acts.
        asked: the name of the group or person for whom a member or delegate acts.

    Source: https://github.com/moveworks/developer-docs, plugins/coupa-expense-report-approval, on the reason
    that Coupa shows as a comment of the OAuth user.
    """
    return _signed(click, words_of(click.reason), decider, asked, MAX_REASON)


def comment_for(question: Question, decider: Decider, *, asked: str, requester: int) -> str:
    """Return the comment that Coupa keeps; it mentions the requester, and names the person who asks.

    Args:
        question: with the person's own words.
        decider: the person who asks.
        asked: the name of the group or person for whom a member or delegate acts.
        requester: Coupa's id of the user who is mentioned; the words can mention nobody else.

    Source: "Comments API", mentions,
    .../the-coupa-core-api/resources/shared-resources/comments-api
    """
    text = _signed(question, words_of(question.comment), decider, asked, MAX_COMMENT + MAX_REASON)
    return f"@[User:{requester}] {text.replace('@[', '@ [')}"


def room_of(click: Click | Question, decider: Decider, *, asked: str) -> tuple[int, int]:
    """Return how many characters fit beside the person's name, and how many the person wrote."""
    if isinstance(click, Question):
        return MAX_COMMENT, len(words_of(click.comment))
    return MAX_REASON - len(_mark(click, decider, asked, _TIGHT)) - len(": "), len(words_of(click.reason))


def _signed(click: Click | Question, words: str, decider: Decider, asked: str, limit: int) -> str:
    """Return the person's words as one line, after the mark."""
    tail = f": {words}" if words else ""
    marks = [_mark(click, decider, asked, sizes) for sizes in (_USUAL, _TIGHT)]
    return next((f"{mark}{tail}" for mark in marks if len(mark) + len(tail) <= limit), f"{marks[-1]}{tail}")


def _mark(click: Click | Question, decider: Decider, asked: str, longest: tuple[int, int]) -> str:
    """Return the mark of the person; `is_ours` looks for the address in it."""
    whom = "" if decider.capacity is Capacity.APPROVER else asked
    return mark_of(decider.name, _address(click), decider.capacity, whom, longest=longest)


def _address(click: Click | Question) -> str:
    return click.actor[:MAX_ADDRESS]


def is_ours(click: Click, approval: Approval) -> bool:
    """Tell whether Coupa says that our client decided it for this person."""
    return approval.signed is not None and same_address(approval.signed.address, _address(click))


def has_arrived(click: Click, approval: Approval) -> bool | None:
    """Tell whether Coupa has the words of a click; None without words, or if Coupa shows no note."""
    words = words_of(click.reason)
    if not words or approval.note is None:
        return None
    mark = read_mark(approval.note, approval.asked_name)
    return mark is not None and words_of(mark.words) == words
