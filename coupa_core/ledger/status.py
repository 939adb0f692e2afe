"""The status that a sweep leaves behind: one row for the next sweep, and for health."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Status:
    """The status that a sweep leaves for the next one and for the health check.

    Attributes:
        last_complete_at: when every pending approval had last been read, in one sweep or in several.
        last_sweep_at: when a sweep last ended, complete or not.
        is_complete: every read of that sweep succeeded.
        paused_until: nothing is sent before, because Moveworks wanted fewer requests.
        suspect: the last send failed or has an unknown outcome: check that Moveworks answers first.
        changes_known_until: earlier changes of approvals, by Coupa's clock, have been handled.
        edits_known_until: the same for edits of documents of all types.
        edits: the same by type of document, with the progress of the read; see `reading`.
        reading: how far the list of all pending approvals has been read; see `reading`.
        missed: how many approvals only the list has shown, although their stamps are older.
        distrusted_until: until then every sweep reads the list, because of `missed`.
        purged_at: when closed rows were last purged.
        owed: the number of approvals with an overdue message, by cause; see `owed`.
        owed_since: when each cause began to block all its messages, as ISO 8601.
        oldest_owed_s: for how long the oldest of them waits, in seconds.
        first_run: the first run, which treats the backlog, has not ended.
        first_run_at: when the first run began, by Coupa's clock.
        counts: the summary of the last sweep, by name.
        failure: the code of the first failure of the last sweep, or empty.
        version: the release of that sweep.
        last_began_at: when that sweep began.
    """

    last_complete_at: datetime | None = None
    last_sweep_at: datetime | None = None
    paused_until: datetime | None = None
    suspect: bool = False
    is_complete: bool = False
    changes_known_until: datetime | None = None
    edits_known_until: datetime | None = None
    edits: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    missed: int = 0
    distrusted_until: datetime | None = None
    purged_at: datetime | None = None
    owed: dict[str, int] = field(default_factory=dict)
    owed_since: dict[str, str] = field(default_factory=dict)
    oldest_owed_s: float = 0.0
    first_run: bool = False
    first_run_at: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)
    failure: str = ""
    version: str = ""
    last_began_at: datetime | None = None
