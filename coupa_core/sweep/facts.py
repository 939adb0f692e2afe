"""The facts for the cards that are about to be sent: read after the claim, in a short time of their own.

Whatever goes wrong leaves the cards as they are: a fact is no reason to wait, and none to keep anybody
untold. Who is told of what has been decided before.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from coupa_core.clock import Deadline
from coupa_core.errors import Denied, ServiceError
from coupa_core.facts import NO_FACTS, Answer, Fact, Facts, facts_of
from coupa_core.model import Document, DocumentKey, Unreadable
from coupa_core.parallel import each
from coupa_core.sweep.kit import Kit, Progress
from coupa_core.sweep.shapes import DECIDING, Judged

FACT_S = 3.0
"""So long a sweep waits for each fact, all its questions together; without the time, it is not asked for."""

TOGETHER = 50
"""Documents of one question."""

logger = logging.getLogger(__name__)


class Finder:
    """Finds the facts of one sweep.

    Args:
        kit: what a sweep works with.
        progress: of this sweep.
    """

    def __init__(self, kit: Kit, progress: Progress) -> None:
        self._kit = kit
        self._progress = progress
        self._left_s = dict.fromkeys(kit.facts.facts, FACT_S)

    def beside(self, judged: Sequence[Judged], deadline: Deadline) -> list[Judged]:
        """Return all of them, with the facts beside those of which a card is about to be sent.

        Args:
            judged: in any order.
            deadline: by which the cards must be on their way.
        """
        shown = {
            (one.document.type, one.document.id): one.document
            for one in judged
            if one.document is not None
            and not (one.unread or one.document.is_sensitive or isinstance(one.document, Unreadable))
            and any(message.kind in DECIDING for message in one.messages)
        }
        documents = list(shown.values()) if self._left_s else []
        found: dict[DocumentKey, Facts] = {}
        for start in range(0, len(documents), TOGETHER):
            some = documents[start : start + TOGETHER]
            answers = self._answers(some, deadline)
            found |= {(one.type, one.id): self._facts(one, answers) for one in some}
        return [replace(one, facts=found.get(_key(one), NO_FACTS)) for one in judged]

    def _answers(self, documents: Sequence[Document], deadline: Deadline) -> dict[Fact, Answer]:
        """Ask about everything at the same time; what cannot be read is left out."""
        facts = [fact for fact, left_s in self._left_s.items() if min(left_s, deadline.left_s()) > 0]
        answers = each(lambda fact: self._ask(fact, documents, deadline), facts, workers=self._kit.workers)
        return {fact: answer for fact, answer in zip(facts, answers, strict=True) if answer is not None}

    def _ask(self, fact: Fact, documents: Sequence[Document], deadline: Deadline) -> Answer | None:
        began_s = self._kit.clock.monotonic()
        answer = None
        try:
            answer = self._kit.facts.ask(fact, documents, deadline.within(self._left_s[fact]))
        except ServiceError as failure:
            logger.warning("fact not readable fact=%s code=%s cause=%s", fact, failure.code, failure)
            self._progress.count("facts_unread")
            if isinstance(failure, Denied):
                self._left_s[fact] = 0.0
        except Exception:
            # The card must go out, whatever is wrong with what was read beside it.
            logger.exception("fact spoiled fact=%s", fact)
            self._progress.count("facts_unread")
        self._left_s[fact] -= self._kit.clock.monotonic() - began_s
        return answer

    def _facts(self, document: Document, answers: Mapping[Fact, Answer]) -> Facts:
        try:
            return facts_of(document, answers)
        except Exception:
            logger.exception("facts spoiled document_id=%d", document.id)
            self._progress.count("facts_unread")
            return NO_FACTS


def _key(judged: Judged) -> DocumentKey:
    document = judged.document
    return (document.type, document.id) if document is not None else ("", None)
