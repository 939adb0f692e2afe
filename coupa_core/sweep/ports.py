"""What a sweep needs of its neighbours; the clients fit these ports, and only `app` joins the two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from coupa_core.authority import Circle, Decider, Rules, TokenKeys
from coupa_core.cadence import Cadence
from coupa_core.clock import Clock, Deadline
from coupa_core.errors import ServiceError
from coupa_core.journal import Event
from coupa_core.ledger import Lease, Ledger
from coupa_core.model import Approval, Document, DocumentKey, Edits, Found, Listing
from coupa_core.notice import Notice, Style
from coupa_core.sweep.judge import Tells

MANAGER = "manager"
"""Stands for the approver's manager in Coupa, as the one who is told of a long wait."""


class Backlog(StrEnum):
    """What becomes of what waited before the bridge began."""

    ANNOUNCE = "announce"
    DIGEST = "digest"
    BASELINE = "baseline"


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


class Circles(Protocol):
    """Who may decide, as far as a sweep must know."""

    def circles(self, approvals: Iterable[Approval], deadline: Deadline) -> dict[int, Circle]:
        """Return who may decide each approval, by its id; what cannot be read makes a circle uncertain."""
        ...

    def sharing(self, addresses: Iterable[str], deadline: Deadline) -> Sharing:
        """Return which addresses belong to more than one user, or nobody knows; raises `ServiceError`."""
        ...

    def known(self, keys: Iterable[str], deadline: Deadline) -> Known:
        """Return the people whom the chat knows, of these keys; raises `ServiceError`."""
        ...

    def managers(self, keys: Iterable[str], deadline: Deadline) -> Known:
        """Return the managers of these people whom the chat knows, by the person's key."""
        ...


class Known(Protocol):
    """What is known of people."""

    @property
    def people(self) -> Mapping[str, Decider]:
        """Return whom the chat can reach."""
        ...

    @property
    def unknown(self) -> Mapping[str, ServiceError]:
        """Return why nobody knows whether it can reach others."""
        ...


class Sharing(Protocol):
    """What is known of addresses."""

    @property
    def shared(self) -> set[str]:
        """Return the addresses of several active users."""
        ...

    @property
    def unknown(self) -> Mapping[str, ServiceError]:
        """Return why nobody knows whose others are, by address."""
        ...


class Recorder(Protocol):
    """The audit record."""

    def record(self, events: Sequence[Event], *, required: bool) -> bool:
        """Append events, or leave them in the log and return False."""
        ...

    def purge(self, *, keep_days: int, deadline: Deadline | None = None) -> int:
        """Delete the days that are older and return how many rows; raises `ServiceError`."""
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
        directory: who may decide.
        rules: what may be decided in chat, and by whom.
        channel: how approvers are told.
        ledger: what was told.
        journal: the audit record.
        keep_audit_days: how long that is kept; 0 for ever.
        clock: the time.
        lease: of claims.
        keys: that sign action tokens; None when tokens are off.
        style: of the notices.
        cadence: when people are told.
        closing_notice: who is told that a card has died.
        tells_requester: whoever asked for a purchase is told how it ended.
        escalate_to: who is told of a long wait: `manager`, or an address.
        first_run: what becomes of what waited before the bridge began.
        is_dry: nothing is sent, and it is recorded what would be.
        workers: how many claims and sends run at the same time; 1 runs them in order, without threads.
    """

    coupa: Purchasing
    directory: Circles
    rules: Rules
    channel: Channel
    ledger: Ledger
    journal: Recorder
    keep_audit_days: int
    clock: Clock
    lease: Lease
    keys: TokenKeys | None
    style: Style
    cadence: Cadence
    closing_notice: Tells
    tells_requester: bool
    escalate_to: str
    first_run: Backlog
    is_dry: bool
    workers: int = 25
