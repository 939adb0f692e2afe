"""What a sweep needs of its neighbours; the clients fit these ports, and only `app` joins the two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from coupa_core.authority import TokenKeys
from coupa_core.clock import Clock, Deadline
from coupa_core.ledger import Lease, Ledger
from coupa_core.model import Approval, Document, DocumentKey, Edits, Found, Listing
from coupa_core.notice import Notice, Style


class Purchasing(Protocol):
    """Coupa, as far as a sweep reads it. Every read but the two lists raises `ServiceError` on failure."""

    def now(self) -> datetime:
        """Return the time by Coupa's clock, with which its stamps are compared."""
        ...

    def pending(self, deadline: Deadline) -> Listing:
        """List every pending approval; a failing page is told in the listing, not raised."""
        ...

    def approvals(self, ids: Iterable[int], deadline: Deadline) -> Found:
        """Read approvals by id, whatever their status."""
        ...

    def documents(self, approvals: Iterable[Approval], deadline: Deadline) -> dict[DocumentKey, Document]:
        """Read the documents of approvals, by (type, id)."""
        ...

    def edited_since(self, stamp: str, types: Iterable[str], deadline: Deadline) -> Edits:
        """Ask which waiting documents of these types were touched; a failure is told, not raised."""
        ...


class Channel(Protocol):
    """A way to one person's chat. Every way there is fits this port."""

    def free(self, within_s: float) -> int:
        """Return how many notices the allowed rate still takes within that many seconds."""
        ...

    def wait_turn(self, deadline: Deadline) -> bool:
        """Wait for a place within the allowed rate and take it; False, at once, when none is free in time."""
        ...

    def remember(self, seconds_ago: float) -> None:
        """Count a notice that another process sent."""
        ...

    def send(self, notice: Notice, deadline: Deadline) -> None:
        """Hand over a notice, once; returning means that Moveworks took it on.

        Raises:
            Refused: this notice is at fault; nothing was sent.
            Unavailable: nothing was sent, and it is not the notice's fault.
            Unknown: it may have been sent.
        """
        ...

    def probe(self, deadline: Deadline) -> None:
        """Ask for a sign of life without sending anything; returns when there is one.

        Raises:
            ServiceError: there is none.
        """
        ...

    def close_idle(self) -> None:
        """Drop kept connections."""
        ...


@dataclass(frozen=True, kw_only=True)
class Kit:
    """Everything that a sweep works with.

    Attributes:
        coupa: where approvals are.
        channel: how approvers are told.
        ledger: what was told.
        clock: the time.
        lease: of claims.
        keys: that sign action tokens; None when tokens are off.
        style: of the notices.
        workers: how many claims and sends run at the same time; 1 runs them in order, without threads.
    """

    coupa: Purchasing
    channel: Channel
    ledger: Ledger
    clock: Clock
    lease: Lease
    keys: TokenKeys | None
    style: Style
    workers: int = 16
