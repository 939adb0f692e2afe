"""Hand a notice to Moveworks, once: within the rate, under claims that last, and after any pause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from coupa_core.clock import Deadline
from coupa_core.errors import Refused, ServiceError, Throttled, Unavailable, Unknown
from coupa_core.ledger import Entry
from coupa_core.moveworks import PAUSE_S
from coupa_core.notice import Notice
from coupa_core.sweep.dependencies import SweepDependencies
from coupa_core.sweep.progress import Progress


class SendStatus(StrEnum):
    """How a send ended."""

    SENT = "sent"
    REFUSED = "refused"
    """Moveworks refused this notice; nothing was sent."""
    UNKNOWN = "unknown"
    """The notice may have arrived."""
    UNSENT = "unsent"
    """Nothing was sent, and the notice is not the reason."""


@dataclass(frozen=True)
class SendResult:
    """How a send ended, and the cause where it failed."""

    status: SendStatus
    cause: str = ""


@dataclass
class Sender:
    """The sends of one sweep.

    Attributes:
        deadline: the deadline for all sends.
        suspect: the last send failed or has an unknown outcome.
        paused_until: nothing is sent before; None when there is no pause.
    """

    deps: SweepDependencies
    progress: Progress
    deadline: Deadline
    suspect: bool
    paused_until: datetime | None
    _may: bool | None = None

    def room(self) -> int:
        """Return how many notices can still be sent in this sweep."""
        if self.progress.is_over or self.progress.has_stopped_sending or self.deadline.left_s() <= 0:
            return 0
        return self.deps.channel.free(self.deadline.left_s())

    def may_begin(self) -> bool:
        """Tell whether sending may begin: not in a pause, and after a failure only if Moveworks answers."""
        if self._may is None:
            self._may = self._check_may_begin()
        return self._may

    def _check_may_begin(self) -> bool:
        if self.paused_until is not None and self.deps.clock.now() < self.paused_until:
            self.progress.count("paused")
            return False
        self.paused_until = None
        if not self.suspect:
            return True
        try:
            self.deps.channel.probe(self.progress.deadline.within(self.deps.lease.send_s))
        except ServiceError as failure:
            self._back_off(failure)
            return False
        return True

    def send(self, notice: Notice, under: Sequence[Entry]) -> SendResult:
        """Send a notice once, if all claims have enough of their lease left."""
        deps, has_stopped_sending = self.deps, self.progress.is_over or self.progress.has_stopped_sending
        if has_stopped_sending or not self.may_begin() or not deps.channel.acquire(self.deadline):
            return SendResult(SendStatus.UNSENT, "no_turn")
        if not all(entry.may_send(deps.clock.now(), deps.lease) for entry in under):
            self.progress.count("late")
            return SendResult(SendStatus.UNSENT, "lease_too_short")
        try:
            deps.channel.send(notice, self.progress.deadline.within(deps.lease.send_s))
        except Refused as failure:
            self.progress.count("refused")
            self.progress.record_failure(failure)
            return SendResult(SendStatus.REFUSED, failure.code)
        except Unavailable as failure:
            self._back_off(failure)
            return SendResult(SendStatus.UNSENT, failure.code)
        except Unknown as failure:
            self.progress.count("unknown")
            self._back_off(failure)
            return SendResult(SendStatus.UNKNOWN, failure.code)
        self.suspect = False
        self.progress.count("sent")
        return SendResult(SendStatus.SENT)

    def _back_off(self, failure: ServiceError) -> None:
        """Send nothing more in this sweep; after a 429, nothing before the pause ends."""
        self.progress.stop_sending(failure)
        if isinstance(failure, Throttled):
            pause_s = failure.retry_after_s or PAUSE_S
            self.paused_until = self.deps.clock.now() + timedelta(seconds=pause_s)
        else:
            self.suspect = True
