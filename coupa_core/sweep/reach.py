"""The people whom messages reach now: the pilot, and those whom an operator wants told again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.ledger import PersonState, Repeat, reach_id


@dataclass(frozen=True)
class Reach:
    """The people whom messages reach.

    Attributes:
        pilot: only these people receive messages; new messages for others wait.
        repeats: the operators' requests to tell people again, the oldest first; none from the future.
    """

    pilot: Audience = EVERYBODY
    repeats: Sequence[Repeat] = ()

    @property
    def id(self) -> str:
        """Return the id that a row keeps of this reach; a row with another one is judged again."""
        return reach_id(self.pilot, self.repeats)

    def has(self, address: str) -> bool:
        """Tell whether messages reach a person."""
        return self.pilot.has(address)

    def tells_again(self, was: PersonState, address: str) -> bool:
        """Tell whether a person is told again what they were told before."""
        return any(each.is_about(was, address) for each in self.repeats)


ALL = Reach()
