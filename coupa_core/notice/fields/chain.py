"""The steps before and after an approval, and people's comments, as texts."""

from __future__ import annotations

from datetime import UTC, datetime

from coupa_core.model import Approval, Comment, Document, stamp
from coupa_core.notice.fields.parties import asked, decider
from coupa_core.notice.style import Style
from coupa_core.notice.text import LONG, MAX_LINES, NOTE, SHORT, clean
from coupa_core.visible import is_blank

_NEVER = datetime.min.replace(tzinfo=UTC)


def why(approval: Approval, style: Style) -> str | None:
    """Return the reason for the step; None for a type that the catalogue does not have.

    Source: Coupa Core API, Approvals, "type: How the approval occured", and its sample; the other two types
    are those of public programs that read approvals.
    """
    key = f"why.{approval.type}"
    return style.say(key) if style.has(key) else None


def steps(approved: list[Approval], style: Style) -> list[str]:
    """Return the last approved steps, each with approver, day and words, and the number of earlier ones."""
    sentences = []
    for step in approved[-MAX_LINES:]:
        who, day, words = (
            decider(step, style),
            style.day_of(step.approval_date),
            clean(step.decision_words, NOTE),
        )
        sentences.append(style.colon(f"{who} ({day})" if day else who, words))
    more = len(approved) - MAX_LINES
    return [style.more(more), *sentences] if more > 0 else sentences


def following(approval: Approval, document: Document, style: Style) -> list[str]:
    """Return the approvers of parallel steps and of the next one, or a note that this step is the last."""
    around = document.around(approval)
    if around is None:
        return []
    beside, following = (style.few(asked(each) or style.say("somebody") for each in step) for step in around)
    sentences = [style.say("beside", who=beside)] if beside else []
    if following:
        return [*sentences, following]
    return sentences or [style.say("last")]


def newest_comment(document: Document, style: Style) -> str | None:
    """Return the newest comment, without those that repeat name and words of an approved step."""
    above = {(decider(step, style), step.decision_words) for step in document.approved}
    kept = [
        (comment, who)
        for comment in document.comments
        if not is_blank(comment.words) and ((who := _author(comment, style)), comment.words) not in above
    ]
    if not kept:
        return None
    newest, who = max(kept, key=lambda each: (_created_at(each[0]), each[0].id or 0))
    return f"{clean(newest.words, LONG)} ({who})"


def _author(comment: Comment, style: Style) -> str:
    return clean(comment.author, SHORT) or style.say("somebody")


def _created_at(comment: Comment) -> datetime:
    return stamp(comment.created_at) or _NEVER
