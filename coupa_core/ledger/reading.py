"""The progress of the reads of Coupa, which one sweep leaves for the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from coupa_core.model import ALL_IDS, Approval, IdRange, stamp


@dataclass
class Reading:
    """The progress through the list of pending approvals.

    Attributes:
        began_at: by our clock.
        asked_at: when it began, by Coupa's clock.
        types: the requested types of documents.
        unread: the ids that are still to be read.
        failed: the ids that Coupa did not list at the last call.
        calls: the number of pages that were read.
        left: how many listed approvals have no row yet.
        oldest: the oldest stamp of these approvals.
        was_clean: the previous reading left no approval without a row.
    """

    began_at: datetime
    asked_at: datetime
    types: list[str] = field(default_factory=list)
    unread: list[IdRange] = field(default_factory=lambda: [ALL_IDS])
    failed: list[IdRange] = field(default_factory=list)
    calls: int = 0
    left: int = 0
    oldest: str = ""
    was_clean: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Reading | None:
        """Read the values of a status; None when they are invalid."""
        try:
            began_at, asked_at = (datetime.fromisoformat(values[name]) for name in ("began_at", "asked_at"))
            unread, failed = (
                [(int(low), int(high)) for low, high in values[name]] for name in ("unread", "failed")
            )
            times = {"began_at": began_at, "asked_at": asked_at}
            return cls(**{**values, **times, "unread": unread, "failed": failed})
        except (KeyError, TypeError, ValueError):
            return None

    def values(self) -> dict[str, Any]:
        """Return the values for the status, as JSON values."""
        times = {"began_at": self.began_at.isoformat(), "asked_at": self.asked_at.isoformat()}
        return asdict(self) | times

    @property
    def is_complete(self) -> bool:
        """Tell whether everything was read."""
        return not self.unread and not self.failed

    def add_left(self, approvals: Sequence[Approval]) -> None:
        """Count listed approvals that have no row yet."""
        self.left += len(approvals)
        stamps = [self.oldest, *(approval.updated_at or "" for approval in approvals)]
        self.oldest = min(filter(None, stamps), default="")


@dataclass
class Edits:
    """The progress of the read of edited documents of one type.

    Attributes:
        since: earlier edits have been handled.
        asked_at: when the first page was requested.
        unread: the ids that are still to be read; empty at the end.
        left: a candidate was left for later, so the read begins anew.
    """

    since: str
    asked_at: str = ""
    left: bool = False
    unread: list[IdRange] = field(default_factory=list)

    @classmethod
    def of(cls, values: Any, since: datetime | None) -> Edits | None:
        """Read the values of a status; a new one when they are invalid; None when no edit was read before."""
        try:
            found = cls(**{**values, "unread": [(int(low), int(high)) for low, high in values["unread"]]})
            is_sound = all(map(stamp, (found.since, found.asked_at)))
        except (KeyError, TypeError, ValueError):
            is_sound = False
        return found if is_sound else cls(since.isoformat()) if since else None
