"""Reading many at once, so that one bad record costs nobody else anything.

Where a question about many fails, it is asked about each half, down to the one that is at fault.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from coupa_core.errors import ServiceError

MAX_ALONE = 3
"""So many that failed alone, from both ends, while nothing came: then it is not the records."""

K = TypeVar("K")
R = TypeVar("R")


@dataclass
class PartialResult(Generic[K, R]):
    """The rows that came, and the failures of the others.

    Attributes:
        rows: of all answers, in no order.
        failed: the error of each that cannot be read.
    """

    rows: list[R] = field(default_factory=list)
    failed: dict[K, ServiceError] = field(default_factory=dict)


def by_halves(wanted: Sequence[K], ask: Callable[[Sequence[K]], Iterable[R]]) -> PartialResult[K, R]:
    """Ask about all at once, and where that fails about fewer.

    A failure of time, rate or connection does not concern a record: then the rest is not asked for either.

    Args:
        wanted: what to ask about.
        ask: the question about some of them.

    Raises:
        ServiceError: no question succeeded.
    """
    found: PartialResult[K, R] = PartialResult()
    groups = deque([wanted] if wanted else [])
    has_come = False
    while groups:
        some = groups.popleft()
        try:
            found.rows += ask(some)
            has_come = True
        except ServiceError as failure:
            if not failure.may_be_of_one:
                if not has_come:
                    raise
                found.failed |= dict.fromkeys([*some, *(each for group in groups for each in group)], failure)
                break
            if len(some) > 1:
                half = (len(some) + 1) // 2
                groups.extendleft([some[half:], some[:half]])
                continue
            found.failed[some[0]] = failure
            if not has_come and len(found.failed) == MAX_ALONE:
                raise
            if not has_come:
                groups.rotate(1)  # the next one comes from the other end
    return found
