"""Whom messages reach now: the pilot, if there is one, and whom an operator wants to be told again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.ledger import PersonState, Repeat, mark_of


@dataclass(frozen=True)
class Reach:
    """Whom messages reach.

    Attributes:
        pilot: only these are told anything; what is new waits for the others.
        repeats: of an operator, the oldest first; none of a time to come.
    """

    pilot: Audience = EVERYBODY
    repeats: Sequence[Repeat] = ()

    @property
    def mark(self) -> str:
        """Return by what a row remembers that it was judged so: with another one it is looked at again."""
        return mark_of(self.pilot, self.repeats)

    def has(self, address: str) -> bool:
        """Tell whether somebody is told anything."""
        return self.pilot.has(address)

    def tells_again(self, was: PersonState, address: str) -> bool:
        """Tell whether somebody is told again what they were told before."""
        return any(each.is_about(was, address) for each in self.repeats)


ALL = Reach()
