"""Read the facts for cards that are about to be sent: after the claim, within a short time of their own.

The cards of a sweep wait for each other, as far as their claims allow, so that one call is about fifty
documents. After an error the cards go out without facts: a fact never delays a card. The recipients are
decided before.
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
from coupa_core.sweep.dependencies import SweepDependencies
from coupa_core.sweep.progress import Progress
from coupa_core.sweep.shapes import Judged

FACT_S = 3.0
"""How long a sweep waits for each fact, all calls together."""

TOGETHER = 50
"""Documents in one call."""

logger = logging.getLogger(__name__)


class FactFinder:
    """The facts of one sweep.

    Args:
        deps: the services and settings of the sweep.
        progress: the tally of this sweep.
    """

    def __init__(self, deps: SweepDependencies, progress: Progress) -> None:
        self._deps = deps
        self._progress = progress
        self._left_s = dict.fromkeys(deps.facts.facts, FACT_S)
        self._read_without_facts = deps.coupa.read_without_facts
        self._named: set[Fact] = set()
        self._kept: list[tuple[float, Judged]] = []
        self._found: dict[DocumentKey, Facts] = {}

    @property
    def waiting(self) -> int:
        """Return how many approvals are kept."""
        return len(self._kept)

    def keep(self, judged: Iterable[Judged], *, alone: Collection[int], began_s: float) -> list[Judged]:
        """Keep the approvals whose cards show facts, and return the others.

        Args:
            judged: in any order.
            alone: the ids of the approvals that somebody gets as a card of their own.
            began_s: a time before their claims, on the monotonic clock.
        """
        others = []
        for one in judged:
            if self._left_s and one.approval.id in alone and _can_be_shown(one):
                self._kept.append((began_s, one))
            else:
                others.append(one)
        return others

    def due(self, deadline: Deadline, *, is_last: bool) -> list[Judged]:
        """Return the approvals to send now, with their facts: those of fifty documents, or all that wait.

        All are due if nothing follows, if the sweep ends soon, and if the oldest claim has used half of its
        margin: further reads must leave time for its card.

        Args:
            deadline: the deadline for all sends.
            is_last: nothing follows.
        """
        self._count_read_without_facts()
        patience_s = self._deps.lease.margin_s / 2
        now_s, is_late = self._deps.clock.monotonic(), deadline.left_s() <= patience_s
        must = is_last or is_late or any(now_s - at_s >= patience_s for at_s, _ in self._kept)
        keys = list(dict.fromkeys(_key(one) for _, one in self._kept))
        if len(keys) < TOGETHER and not must:
            return []
        some = set(keys[:TOGETHER])
        now = [one for _, one in self._kept if _key(one) in some]
        self._kept = [(at_s, one) for at_s, one in self._kept if _key(one) not in some]
        return self._with_facts(now, deadline.within(patience_s))

    def _with_facts(self, judged: Sequence[Judged], deadline: Deadline) -> list[Judged]:
        """Add their facts; facts of earlier reads are used again."""
        documents = {_key(one): one.document for one in judged if one.document is not None}
        new = [document for key, document in documents.items() if key not in self._found]
        can_send = not (self._progress.is_over or self._progress.has_stopped_sending)
        answers = self._read_all(new, deadline) if new and can_send else {}
        self._found |= {(each.type, each.id): self._facts_of(each, answers) for each in new}
        return [replace(one, facts=self._found.get(_key(one), NO_FACTS)) for one in judged]

    def _count_read_without_facts(self) -> None:
        """Count the documents that came without the fields that lead to facts; the log has the cause."""
        before, self._read_without_facts = self._read_without_facts, self._deps.coupa.read_without_facts
        self._progress.count("facts_unled", self._read_without_facts - before)

    def _read_all(self, documents: Sequence[Document], deadline: Deadline) -> dict[Fact, FactAnswer]:
        """Read all facts at the same time, and leave out those that fail."""
        facts = [fact for fact, left_s in self._left_s.items() if min(left_s, deadline.left_s()) > 0]
        answers = map_parallel(
            lambda fact: self._read(fact, documents, deadline), facts, workers=self._deps.workers
        )
        return {fact: answer for fact, answer in zip(facts, answers, strict=True) if answer is not None}

    def _read(self, fact: Fact, documents: Sequence[Document], deadline: Deadline) -> FactAnswer | None:
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
            # The card must go out, whatever is wrong with a fact.
            logger.exception("fact spoiled fact=%s", fact)
            self._progress.count("facts_unread")
        self._left_s[fact] -= self._deps.clock.monotonic() - began_s
        return answer

    def _count_rows(self, fact: Fact, answer: FactAnswer) -> None:
        """Count the unreadable rows, and log the first of each fact."""
        self._progress.count("fact_rows_unread", answer.unread)
        if answer.unread and fact not in self._named:
            self._named.add(fact)
            text = "rows of a fact not readable code=coupa_rows fact=%s rows=%d of %d"
            logger.error(text, fact, answer.unread, answer.came)

    def _facts_of(self, document: Document, answers: Mapping[Fact, FactAnswer]) -> Facts:
        try:
            return facts_of(document, answers)
        except Exception:
            logger.exception("facts spoiled document_id=%d", document.id)
            self._progress.count("facts_unread")
            return NO_FACTS


def _can_be_shown(judged: Judged) -> bool:
    """Tell whether the card shows the content of the document."""
    document = judged.document
    is_read = document is not None and not (judged.unread or isinstance(document, Unreadable))
    return is_read and document is not None and not document.is_sensitive


def _key(judged: Judged) -> DocumentKey:
    document = judged.document
    return (document.type, document.id) if document is not None else ("", None)
