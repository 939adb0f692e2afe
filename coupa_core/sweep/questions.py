"""Handle open questions: the requester is told of each, and the person who asked receives the answer.

Pure. A question is a comment of ours in Coupa; its answer is a newer comment by the person who was asked.
Deleted comments, and comments by anybody else, are ignored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from coupa_core import ledger
from coupa_core.authority import Decider
from coupa_core.ledger import MAX_UNCERTAIN, Entry, OpenQuestion, State
from coupa_core.marks import read_mark
from coupa_core.model import Comment
from coupa_core.sweep.shapes import LOOK_AGAIN, ApprovalCase, Due, Judged, Message, MessageKind
from coupa_core.visible import is_blank


@dataclass
class QuestionFindings:
    """The messages that the open questions of one row need.

    Attributes:
        put: questions that their addressee is told now, by comment id.
        hidden: ids of questions whose comment Coupa no longer shows; no message goes out.
        answers: answers to send now, oldest first, by the key of the person who asked.
        over: ids of questions that need nothing more, because the person who asked may no longer decide.
        waits: an answer is there, and the person who asked cannot be told now.
    """

    put: dict[int, Comment] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    answers: dict[str, list[Comment]] = field(default_factory=dict)
    over: set[int] = field(default_factory=set)
    waits: bool = False


def answers_to(number: int, asked: OpenQuestion, comments: Iterable[Comment]) -> list[Comment]:
    """Return the comments by the person who was asked that are newer than a question, oldest first.

    Empty if the question itself was deleted.
    """
    comments = list(comments)
    if not any(each.id == number and read_mark(each.comments) for each in comments):
        return []
    replies = [
        each
        for each in comments
        if each.id is not None
        and each.id > number
        and each.created_by is not None
        and each.created_by.key == asked.of
        and not is_blank(each.words)
    ]
    return sorted(replies, key=lambda each: each.id or 0)


def has_answer(entry: Entry, comments: Iterable[Comment]) -> bool:
    """Tell whether a question of a row has an answer."""
    replies = list(comments)
    return any(answers_to(number, asked, replies) for number, asked in entry.questions.items())


def comment_places(entry: Entry) -> set[tuple[str, int]]:
    """Return the records whose comments may answer a row's questions; see `Coupa.comments`."""
    return {(entry.document_type, asked.on) for asked in entry.questions.values()}


def check_questions(
    entry: Entry,
    comments: Sequence[Comment],
    *,
    told: Mapping[str, Decider],
    others: Collection[str],
    is_certain: bool,
) -> QuestionFindings:
    """Return the messages that the open questions of a row need.

    Args:
        entry: the row.
        comments: all comments on the document.
        told: the deciders who have the current card, by key.
        others: the keys of the deciders who get the card now or later.
        is_certain: a person in neither of them surely may not decide.
    """
    found = QuestionFindings()
    written = {each.id: each for each in comments}
    for number, asked in entry.questions.items():
        question, replies = written.get(number), answers_to(number, asked, comments)
        if is_certain and asked.by not in told and asked.by not in others:
            found.over.add(number)
        elif question is None or read_mark(question.comments) is None:
            found.hidden.add(number)
        elif replies and asked.by in told:
            known = found.answers.setdefault(asked.by, [])
            known += [each for each in replies if each not in known]
        elif replies:
            found.waits = True
        elif not asked.is_put:
            found.put[number] = question
    return found


def closed_by(entry: Entry, person: str, answers: Iterable[Comment]) -> list[int]:
    """Return the ids of a person's questions that these comments answer: all that are older."""
    newest = max((each.id or 0 for each in answers), default=0)
    return [number for number, asked in entry.questions.items() if asked.by == person and number < newest]


def add_questions(
    case: ApprovalCase, judged: Judged, told: Mapping[str, Decider], owed: Collection[str]
) -> Judged:
    """Add the messages about open questions and their answers.

    Args:
        case: the approval, with its comments.
        judged: the judgement so far.
        told: the people who were told this version, by key.
        owed: the keys of the people who are told it now or later.
    """
    entry, comments = judged.entry, case.read.comments
    is_sensitive = judged.document is not None and judged.document.is_sensitive
    if not entry.questions or judged.unread or is_sensitive:
        return judged
    if comments is None:
        return judged.with_due([(case.now + LOOK_AGAIN, None)], case.now)
    is_certain = case.read.deciders.is_certain and not case.is_unsure
    unreached = case.read.deciders.keys - {each.key for each in case.reached(case.read.deciders.people)}
    found = check_questions(entry, comments, told=told, others={*owed, *unreached}, is_certain=is_certain)
    put = {number: _put_due(case, entry.questions[number].of, each) for number, each in found.put.items()}
    dues: list[Due] = [(case.now + LOOK_AGAIN, None)] if found.waits else []
    if found.answers and entry.uncertain >= MAX_UNCERTAIN and case.before is not State.PARKED:
        # The person who asked may have got it each time: operators see it, and it is tried again daily.
        rest = partial(ledger.parked, cause="unknown_outcomes", now=case.now)
        return replace(judged, rest=rest, again=None)
    dues += [_answer_due(case, told[key], replies) for key, replies in found.answers.items()]
    dues += [due for due in put.values() if due]
    entry = ledger.answered(entry, found.over)
    # A hidden comment was deleted, or the list does not show it; it gets no answer.
    for number in (*found.hidden, *(number for number, due in put.items() if due is None)):
        entry = ledger.put(entry, number)
    return judged.with_due(dues, case.now, entry=entry)


def _answer_due(case: ApprovalCase, person: Decider, replies: Sequence[Comment]) -> Due:
    """Return the message with an answer, and its hour."""
    opening = case.policy.cadence.open_at(person.address, case.now)
    hour = max(opening, case.entry.to(person.key).retry_at or opening)
    return hour, Message(MessageKind.ANSWER, person, passes_on=tuple(replies))


def _put_due(case: ApprovalCase, key: str, question: Comment) -> Due | None:
    """Return the message with a question, and its hour; None where the chat cannot reach the person."""
    person = case.read.known.people.get(key)
    if case.read.known.is_known_later(key):
        return case.now + LOOK_AGAIN, None
    if person is None or not case.policy.reach.has(person.address):
        return None
    hour = case.policy.cadence.open_at(person.address, case.now)
    return hour, Message(MessageKind.QUESTION, person, passes_on=(question,))
