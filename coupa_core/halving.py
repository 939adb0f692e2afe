"""Read many records in one request, so that one bad record does not affect the others.

A request that fails is repeated for each half of its records, until the record at fault is alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Generic, TypeVar

from coupa_core.errors import ServiceError

MAX_ALONE = 3
"""The number of single failures without a success from which the records are not the cause."""

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
    """Read all records in one request, and after a failure in smaller ones.

    A failure of time, rate or connection does not concern a record: then the rest is not asked for either.

    Args:
        wanted: the records to read.
        ask: the question about some of them.

    Raises:
        ServiceError: no question succeeded.
    """
    halving: _Halving[K, R] = _Halving(wanted)
    while halving.groups:
        some = halving.groups.popleft()
        try:
            halving.found.rows += ask(some)
            halving.has_come = True
        except ServiceError as failure:
            halving.take_failure(some, failure)
    return halving.found


class _Halving(Generic[K, R]):
    """The groups that are still to be read, and the result so far."""

    def __init__(self, wanted: Sequence[K]) -> None:
        self.found: PartialResult[K, R] = PartialResult()
        self.groups = deque([wanted] if wanted else [])
        self.has_come = False

    def take_failure(self, some: Sequence[K], failure: ServiceError) -> None:
        """Go on after a failed question; raises the failure where no question is worth asking."""
        if not failure.may_be_of_one:
            self._give_up(some, failure)
        elif len(some) > 1:
            half = (len(some) + 1) // 2
            self.groups.extendleft([some[half:], some[:half]])
        else:
            self._leave_out(some[0], failure)

    def _give_up(self, some: Sequence[K], failure: ServiceError) -> None:
        if not self.has_come:
            raise failure
        self.found.failed |= dict.fromkeys(chain(some, *self.groups), failure)
        self.groups.clear()

    def _leave_out(self, one: K, failure: ServiceError) -> None:
        self.found.failed[one] = failure
        if self.has_come:
            return
        if len(self.found.failed) == MAX_ALONE:
            raise failure
        self.groups.rotate(1)  # the next one comes from the other end
