"""The answer with a list: its cards, and a summary in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from coupa_core.notice import Style

MAX_CARDS = 20
"""Items that are shown at once; a chat answer with more is unreadable."""


@dataclass(frozen=True)
class InboxItem:
    """One approval, ready to show and to decide.

    Attributes:
        approval_id: as in the slot of a notice.
        document_type: Coupa's class name.
        document_id: in Coupa.
        text: Moveworks markup, as in a notice.
        link: where the document is in Coupa.
        action_token: offers the decision to the approver, or, where that is for Coupa only, nothing but a
            question and the reason why; None when tokens are off, or not given by a list.
        age_days: whole days since it began to wait for the person; None where Coupa does not say.
        need_by: the day on which the goods are needed, as `2026-12-01`; None where nobody said.
    """

    approval_id: int
    document_type: str
    document_id: int
    text: str
    link: str
    action_token: str | None
    age_days: int | None
    need_by: str | None


@dataclass(frozen=True)
class InboxPage:
    """The approvals that wait for a person: a page as cards, and what is true of all.

    Attributes:
        cards: what is wanted soon comes first, then what waits for longest, then what cannot be read. Of a
            list longer than `WHOLE` these are the first by their ids that are the person's turn.
        total: how many there are, as far as they were listed.
        oldest_days: how many whole days the oldest has waited, or, where this is not exact, the oldest of
            the cards; None for none, or where Coupa does not say it of each.
        is_complete: all were listed; if not, there are at least so many.
        unchecked: how many of them may not be the person's turn yet, because only a page was read.
        unreadable: how many of them cannot be read now; not all of these have a card.
        message: all this in a line, in the person's language.
    """

    cards: list[InboxItem]
    total: int
    oldest_days: int | None = None
    is_complete: bool = True
    unchecked: int = 0
    unreadable: int = 0
    message: str = ""

    @property
    def is_exact(self) -> bool:
        """Tell whether everything was listed and read."""
        return self.is_complete and not self.unchecked and not self.unreadable


def how_many(found: InboxPage, together: str, style: Style) -> str:
    """Describe the number, the sum and the longest wait of the approvals, as far as they are known.

    Args:
        found: the list, possibly not exact.
        together: the sums of those that were read; empty for none.
        style: the reader's style.
    """
    count, shown = found.total, len(found.cards)
    if not count:
        return style.say("list.none" if found.is_complete else "list.none_readable")
    sentences = [style.say("list.count" if found.is_complete else "list.at_least", count=count)]
    if together:
        sentences.append(style.say("list.sums" if found.is_exact else "list.sums_read", sums=together))
    if found.unchecked:
        sentences.append(style.say("list.unchecked"))
    if found.oldest_days:
        sentences.append(_oldest_of(found, style))
    if found.unchecked and not shown:
        sentences.append(style.say("list.none_shown"))
    elif shown < count and not found.is_exact:
        sentences.append(style.say("list.shown", count=shown))
    if found.unreadable:
        sentences.append(style.say("list.unreadable", count=style.number(found.unreadable)))
    return style.sentences(*sentences)


def _oldest_of(found: InboxPage, style: Style) -> str:
    """Describe the wait of the oldest approval: of all, or of those that are shown."""
    age = style.age(timedelta(days=found.oldest_days or 0))
    if found.is_exact:
        return style.say("list.oldest", age=age, count=found.total)
    return style.say("list.oldest_shown", age=age)
