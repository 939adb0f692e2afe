"""The messages of a sweep now: it runs over a copy of the ledger, with a channel that only collects.

It reads Coupa as any sweep does. It sends nothing, writes no row, and signs no token.
"""

from __future__ import annotations

import html
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from coupa_core.app import Overrides, build
from coupa_core.audit_log import MemoryAuditStore
from coupa_core.clock import Deadline
from coupa_core.errors import one_line
from coupa_core.ledger import Entry, Ledger, LedgerStore, MemoryStore
from coupa_core.notice import Notice
from coupa_core.settings import Settings
from coupa_core.sweep import Summary, Sweep

_ROOM = 100_000


@dataclass
class _CollectingChannel:
    """A channel that collects notices instead of sending them."""

    notices: list[Notice] = field(default_factory=list)

    def free(self, within_s: float) -> int:  # noqa: ARG002 - the port's
        """Return a number that limits nothing."""
        return _ROOM

    def acquire(self, deadline: Deadline) -> bool:  # noqa: ARG002 - the port's
        """Allow each send."""
        return True

    def remember(self, seconds_ago: float) -> None:
        """Ignore earlier sends."""

    def send(self, notice: Notice, deadline: Deadline) -> None:  # noqa: ARG002 - the port's
        """Collect the notice."""
        self.notices.append(notice)

    def probe(self, deadline: Deadline) -> None:
        """Pass without a call."""

    def close_idle(self) -> None:
        """Do nothing: there is no connection."""


class _LedgerCopy(MemoryStore):
    """A copy of the open rows and the status; closed rows are read from the ledger."""

    def __init__(self, real: LedgerStore) -> None:
        super().__init__()
        self._real = real
        for entry in real.open_entries().entries:
            self.insert(entry)
        self.save_status(real.status())

    def read_closed(self, approval_id: int) -> Entry | None:
        """Return the closed row of an approval."""
        return super().read_closed(approval_id) or self._real.read_closed(approval_id)


@dataclass(frozen=True)
class Preview:
    """The outcome of a sweep now.

    Attributes:
        notices: the messages that it would send.
        summary: the result of the sweep.
        others: the number of approvals without a message, by state and cause.
    """

    notices: list[Notice]
    summary: Summary
    others: Counter[str]

    def lines(self) -> Iterator[str]:
        """Yield the preview as lines that are safe for a terminal."""
        for notice in self.notices:
            approval_id = notice.slots.get("approval_id", "?")
            offered = (
                f"can {', '.join(notice.actions)}" if notice.actions and notice.slots else "nothing to click"
            )
            who, what = one_line(notice.recipient, 254), one_line(approval_id, 20)
            yield f"{who} would be told of approval {what}: {offered}"
            for line in re.split(r"<br>", notice.text):
                yield f"    {one_line(html.unescape(re.sub(r'<[^<>]*>', '', line)), 500)}"
        for place, count in sorted(self.others.items()):
            yield f"{count} without a message: {place}"
        yield str(self.summary)


def preview(settings: Settings, overrides: Overrides) -> Preview:
    """Run a sweep that sends and writes nothing.

    Args:
        settings: validated.
        overrides: the clock, and replacements for real services.

    Raises:
        ServiceError: the ledger does not answer.
    """
    # The events of this sweep stay in memory.
    deps = build(settings, replace(overrides, audit_store=MemoryAuditStore())).sweep.deps
    channel, store = _CollectingChannel(), _LedgerCopy(deps.ledger.store)
    ledger = Ledger(store, new_nonce=lambda: secrets.token_hex(16))
    deps = replace(deps, channel=channel, ledger=ledger, keys=None, workers=1)
    summary = Sweep(deps).run()
    told = {notice.slots.get("approval_id") for notice in channel.notices}
    others = Counter(
        f"{row.state} {row.cause}".strip()
        for row in store.open_entries().entries
        if str(row.approval_id) not in told
    )
    return Preview(channel.notices, summary, others)
