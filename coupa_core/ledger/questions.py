"""How the open questions of a row change: pure functions from one row to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from coupa_core.ledger.entry import Entry, OpenQuestion, State

MAX_QUESTIONS = 20
"""The most open questions that a row keeps; beyond that, it drops the oldest of the person who asked most."""


def asked(entry: Entry, number: int, question: OpenQuestion, *, now: datetime) -> Entry:
    """Add an open question; a row that no sweep has checked becomes due, so that the next sweep finds it.

    Args:
        entry: a row without a claim.
        number: the id of our comment.
        question: the question.
        now: aware UTC.
    """
    kept = {**entry.questions, number: question}
    while len(kept) > MAX_QUESTIONS:
        numbers = Counter(each.by for each in kept.values())
        del kept[min(each for each, its in kept.items() if numbers[its.by] == max(numbers.values()))]
    is_new = entry.state is State.RETRY and entry.next_at is None
    return replace(entry, questions=kept, next_at=now if is_new else entry.next_at)


def put(entry: Entry, number: int) -> Entry:
    """Record that the person who must answer a question was told, or cannot be told."""
    known = {key: replace(each, is_put=True) for key, each in entry.questions.items() if key == number}
    return replace(entry, questions={**entry.questions, **known})


def answered(entry: Entry, numbers: Collection[int], *, person: str = "") -> Entry:
    """Remove questions whose answers have arrived, or for which nobody waits.

    Args:
        entry: the claimed row.
        numbers: the ids of our comments.
        person: the key of the person who got the answers; earlier refusals for them no longer count.
    """
    left = {key: each for key, each in entry.questions.items() if key not in numbers}
    known = {
        key: replace(each, refusals=0, retry_at=None) if key == person else each
        for key, each in entry.told.items()
    }
    return replace(entry, questions=left, told=known)
