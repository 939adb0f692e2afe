"""The facts for the cards that are about to be sent: read after the claim, in a short time of their own.

The cards of a sweep wait for each other, as far as their claims allow, so that one question is about fifty
documents. Whatever goes wrong leaves the cards as they are: a fact keeps nobody untold. Who is told of what
has been decided before.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from coupa_core.clock import Deadline
from coupa_core.errors import Denied, ServiceError
from coupa_core.facts import NO_FACTS, Fact, FactAnswer, Facts, facts_of
from coupa_core.model import Document, DocumentKey, Unreadable
from coupa_core.parallel import map_parallel
from coupa_core.sweep.dependencies import Progress, SweepDependencies
from coupa_core.sweep.shapes import Judged

FACT_S = 3.0
"""So long a sweep waits for each fact, all its questions together; without the time, it is not asked for."""

TOGETHER = 50
"""Documents of one question."""

logger = logging.getLogger(__name__)


class FactFinder:
    """Finds the facts of one sweep.

    Args:
        deps: what a sweep works with.
        progress: of this sweep.
    """

    def __init__(self, deps: SweepDependencies, progress: Progress) -> None:
        self._deps = deps
        self._progress = progress
        self._left_s = dict.fromkeys(deps.facts.facts, FACT_S)
        self._plainly = deps.coupa.read_plainly
        self._named: set[Fact] = set()
        self._kept: list[tuple[float, Judged]] = []
        self._found: dict[DocumentKey, Facts] = {}

    @property
    def waiting(self) -> int:
        """Return how many approvals are kept."""
        return len(self._kept)

    def keep(self, judged: Iterable[Judged], *, alone: Collection[int], began_s: float) -> list[Judged]:
        """Keep those of which a card shows facts, and return the others.

        Args:
            judged: in any order.
            alone: the ids of the approvals of which somebody gets a card of their own.
            began_s: before they were claimed, by the clock that only goes forward.
        """
        others = []
        for one in judged:
            if self._left_s and one.approval.id in alone and _can_be_shown(one):
                self._kept.append((began_s, one))
            else:
                others.append(one)
        return others

    def due(self, deadline: Deadline, *, is_last: bool) -> list[Judged]:
        """Return what is to be said now with its facts: of fifty documents, or of all that waits.

        All is due where nothing follows, where the sweep comes to its end, and where the claim of the first
        was held for long enough: what is read beside it and behind it must leave the time for its card.

        Args:
            deadline: of all sending.
            is_last: nothing follows.
        """
        self._count_unled()
        patience_s = self._deps.lease.margin_s / 2
        now_s, is_late = self._deps.clock.monotonic(), deadline.left_s() <= patience_s
        must = is_last or is_late or any(now_s - at_s >= patience_s for at_s, _ in self._kept)
        keys = list(dict.fromkeys(_key(one) for _, one in self._kept))
        if len(keys) < TOGETHER and not must:
            return []
        some = set(keys[:TOGETHER])
        now = [one for _, one in self._kept if _key(one) in some]
        self._kept = [(at_s, one) for at_s, one in self._kept if _key(one) not in some]
        return self._beside(now, deadline.within(patience_s))

    def _beside(self, judged: Sequence[Judged], deadline: Deadline) -> list[Judged]:
        """Return them with their facts; of a document that was asked about before, with those."""
        documents = {_key(one): one.document for one in judged if one.document is not None}
        new = [document for key, document in documents.items() if key not in self._found]
        is_said = not (self._progress.is_over or self._progress.has_stopped_sending)
        answers = self._answers(new, deadline) if new and is_said else {}
        self._found |= {(each.type, each.id): self._facts(each, answers) for each in new}
        return [replace(one, facts=self._found.get(_key(one), NO_FACTS)) for one in judged]

    def _count_unled(self) -> None:
        """Count the documents that came without what leads to facts; the log has why."""
        before, self._plainly = self._plainly, self._deps.coupa.read_plainly
        self._progress.count("facts_unled", self._plainly - before)

    def _answers(self, documents: Sequence[Document], deadline: Deadline) -> dict[Fact, FactAnswer]:
        """Ask about everything at the same time; what cannot be read is left out."""
        facts = [fact for fact, left_s in self._left_s.items() if min(left_s, deadline.left_s()) > 0]
        answers = map_parallel(
            lambda fact: self._ask(fact, documents, deadline), facts, workers=self._deps.workers
        )
        return {fact: answer for fact, answer in zip(facts, answers, strict=True) if answer is not None}

    def _ask(self, fact: Fact, documents: Sequence[Document], deadline: Deadline) -> FactAnswer | None:
        began_s = self._deps.clock.monotonic()
        answer = None
        try:
            answer = self._deps.facts.ask(fact, documents, deadline.within(self._left_s[fact]))
            self._count_rows(fact, answer)
        except ServiceError as failure:
            logger.warning("fact not readable fact=%s code=%s cause=%s", fact, failure.code, failure)
            self._progress.count("facts_unread")
            if isinstance(failure, Denied):
                self._left_s[fact] = 0.0
        except Exception:
            # The card must go out, whatever is wrong with what was read beside it.
            logger.exception("fact spoiled fact=%s", fact)
            self._progress.count("facts_unread")
        self._left_s[fact] -= self._deps.clock.monotonic() - began_s
        return answer

    def _count_rows(self, fact: Fact, answer: FactAnswer) -> None:
        """Count the rows that cannot be read, and name the first ones of a sweep."""
        self._progress.count("fact_rows_unread", answer.unread)
        if answer.unread and fact not in self._named:
            self._named.add(fact)
            text = "rows of a fact not readable code=coupa_rows fact=%s rows=%d of %d"
            logger.error(text, fact, answer.unread, answer.came)

    def _facts(self, document: Document, answers: Mapping[Fact, FactAnswer]) -> Facts:
        try:
            return facts_of(document, answers)
        except Exception:
            logger.exception("facts spoiled document_id=%d", document.id)
            self._progress.count("facts_unread")
            return NO_FACTS


def _can_be_shown(judged: Judged) -> bool:
    """Tell whether anything of its document is shown."""
    document = judged.document
    is_read = document is not None and not (judged.unread or isinstance(document, Unreadable))
    return is_read and document is not None and not document.is_sensitive


def _key(judged: Judged) -> DocumentKey:
    document = judged.document
    return (document.type, document.id) if document is not None else ("", None)
