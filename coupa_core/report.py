"""What the bridge did and how it is: for the health check and for operators.

It reads the ledger only, and shows ids, states, times and codes; no purchase data and no people.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from coupa_core.clock import Clock
from coupa_core.errors import ServiceError
from coupa_core.ledger import Entry, LedgerStore, State

STALE_AFTER = timedelta(minutes=15)
"""Without a complete sweep for so long the bridge counts as failing."""

MAX_ROWS = 100
"""Rows of each list that are shown to operators."""

_SHOWN = (State.PARKED, State.RETRY)
_PRIVATE = ("nonce", "etag", "decided_by", "decision_key")


class Report:
    """The use case.

    Args:
        store: the ledger's rows.
        clock: the time.
    """

    def __init__(self, *, store: LedgerStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def is_healthy(self) -> bool:
        """Tell whether every pending approval was seen lately; no store, no health."""
        try:
            last = self._store.status().last_complete_at
        except ServiceError:
            return False
        return last is not None and self._clock.now() - last < STALE_AFTER

    def status(self) -> dict[str, Any]:
        """Return how the last sweep went, how many approvals stand where, and what needs a person.

        Returns:
            JSON values: `is_healthy`, `last_complete_at`, `last_sweep_at`, `paused_until`, `failure`,
            `is_moveworks_suspect`, `counts` of the last sweep, `states` (rows by state), `parked` and `retry`
            (at most 100 rows each), `no_recipient` (ids).

        Raises:
            ServiceError: the store does not answer.
        """
        status = self._store.status()
        rows = self._store.open_entries().entries
        return {
            "is_healthy": self.is_healthy(),
            "last_complete_at": _plain(status.last_complete_at),
            "last_sweep_at": _plain(status.last_sweep_at),
            "paused_until": _plain(status.paused_until),
            "is_moveworks_suspect": status.suspect,
            "failure": status.failure,
            "counts": status.counts,
            "states": {state.value: sum(row.state is state for row in rows) for state in State},
            "no_recipient": [str(row.approval_id) for row in rows if row.cause == "no_recipient"][:MAX_ROWS],
            **{state.value: [_row(row) for row in rows if row.state is state][:MAX_ROWS] for state in _SHOWN},
        }

    def trace(self, approval_id: int) -> dict[str, Any] | None:
        """Return the row of one approval, open or closed; None when there is none.

        Raises:
            ServiceError: the store does not answer.
        """
        row = self._store.read(approval_id) or self._store.read_closed(approval_id)
        return _row(row) if row else None


def _row(row: Entry) -> dict[str, Any]:
    """Show a row without what is only for the machine, and without the person."""
    values = {name: _plain(value) for name, value in asdict(row).items() if name not in _PRIVATE}
    return {name: value for name, value in values.items() if value not in (None, "", 0, {})}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value > 2**31 else value
