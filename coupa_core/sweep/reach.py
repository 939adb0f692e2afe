"""Whom messages reach now: the pilot, if there is one, and whom an operator wants to be told again. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.ledger import Repeat, Told


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
        # All of them: of two clocks that differ, an older one may come of age after a newer one.
        keys = ",".join(each.key for each in self.repeats)
        return "-".join(filter(None, (self.pilot.mark, keys and sha256(keys.encode()).hexdigest()[:16])))

    def has(self, address: str) -> bool:
        """Tell whether somebody is told anything."""
        return self.pilot.has(address)

    def tells_again(self, was: Told, address: str) -> bool:
        """Tell whether somebody is told again what they were told before."""
        return any(each.is_about(was, address) for each in self.repeats)


ALL = Reach()
