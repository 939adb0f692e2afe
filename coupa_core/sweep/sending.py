"""The way out of one sweep: whether anything may be sent now, and what a failure means for the rest.

When Moveworks falters, the rest of the sweep sends nothing, and the next one asks for a sign of life before
it sends again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from coupa_core.clock import Deadline
from coupa_core.errors import Refused, ServiceError, Throttled, Unavailable, Unknown
from coupa_core.ledger import Entry
from coupa_core.notice import Notice
from coupa_core.sweep.ports import Kit
from coupa_core.sweep.progress import Progress

DEFAULT_PAUSE_S = 60.0


class Fate(StrEnum):
    """What became of a notice."""

    SENT = "sent"
    REFUSED = "refused"
    """This notice was at fault; nothing was sent."""
    UNKNOWN = "unknown"
    """It may have arrived."""
    UNSENT = "unsent"
    """Nothing was sent, and it is not the notice's fault."""


@dataclass(frozen=True)
class Attempt:
    """What became of a notice, and why it was not sent."""

    fate: Fate
    cause: str = ""


class Sending:
    """The way out.

    Attributes:
        deadline: of all sending in this sweep.
        suspect: the last send did not come back clean.
        paused_until: nothing is sent before; None when nothing is paused.
    """

    def __init__(
        self,
        kit: Kit,
        progress: Progress,
        *,
        deadline: Deadline,
        suspect: bool,
        paused_until: datetime | None,
    ) -> None:
        self._kit = kit
        self._progress = progress
        self._may: bool | None = None
        self.deadline = deadline
        self.suspect = suspect
        self.paused_until = paused_until

    def may_begin(self) -> bool:
        """Tell whether anything may be sent now: not while paused, and not before a sign of life."""
        if self._may is None:
            self._may = self._asked()
        return self._may

    def _asked(self) -> bool:
        if self.paused_until is not None and self._kit.clock.now() < self.paused_until:
            self._progress.count("paused")
            return False
        self.paused_until = None
        if not self.suspect:
            return True
        try:
            self._kit.channel.probe(self._progress.deadline.within(self._kit.lease.send_s))
        except ServiceError as failure:
            self._falter(failure)
            return False
        return True

    def room(self) -> int:
        """Return how many notices can still be sent in this sweep."""
        if self._progress.is_over or self.deadline.left_s() <= 0:
            return 0
        return self._kit.channel.free(self.deadline.left_s())

    def send(self, notice: Notice, under: Iterable[Entry]) -> Attempt:
        """Send a notice once, under own claims with enough of their lease left."""
        kit = self._kit
        if self._progress.is_over or not kit.channel.wait_turn(self.deadline):
            return Attempt(Fate.UNSENT, "no_turn")
        if not all(entry.may_send(kit.clock.now(), kit.lease) for entry in under):
            self._progress.count("late")
            return Attempt(Fate.UNSENT, "lease_too_short")
        try:
            kit.channel.send(notice, self._progress.deadline.within(kit.lease.send_s))
        except Refused as failure:
            self._progress.count("refused")
            self._progress.hamper(failure)
            return Attempt(Fate.REFUSED, failure.code)
        except Unavailable as failure:
            self._falter(failure)
            return Attempt(Fate.UNSENT, failure.code)
        except Unknown as failure:
            self._progress.count("unknown")
            self._falter(failure)
            return Attempt(Fate.UNKNOWN, failure.code)
        self.suspect = False
        self._progress.count("sent")
        return Attempt(Fate.SENT)

    def _falter(self, failure: ServiceError) -> None:
        """Send nothing more in this sweep; after a 429 nothing before the pause is over."""
        self._progress.stop(failure)
        if isinstance(failure, Throttled):
            pause_s = failure.retry_after_s or DEFAULT_PAUSE_S
            self.paused_until = self._kit.clock.now() + timedelta(seconds=pause_s)
        else:
            self.suspect = True
