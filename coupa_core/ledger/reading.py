"""How far Coupa has been asked what changed and what waits: what one sweep tells the next of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from coupa_core.model import ALL_IDS, IdRange, stamp


@dataclass
class Reading:
    """How far the list of all pending approvals has been read.

    Attributes:
        began_at: by our clock.
        asked_at: when it began, by Coupa's clock.
        types: the wanted types of documents.
        unread: the ids that are still to be read.
        failed: those of which Coupa gave no list when they were last asked for.
        calls: pages that came.
        left: how many approvals it found that have no row yet.
        oldest: the oldest stamp of these.
        was_clean: the one before left nothing without a row.
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
        """Read what a status holds; None when that is none."""
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
        """Return what a status holds: JSON values."""
        times = {"began_at": self.began_at.isoformat(), "asked_at": self.asked_at.isoformat()}
        return asdict(self) | times

    @property
    def is_complete(self) -> bool:
        """Tell whether everything was read."""
        return not self.unread and not self.failed


@dataclass
class Edits:
    """How far the question about edited documents of one type has come.

    Attributes:
        since: edits before have been looked at.
        asked_at: when its first page was asked for.
        unread: the ids that are still to be read; empty when it has come to its end.
        left: something that it showed was left for later: it begins anew.
    """

    since: str
    asked_at: str = ""
    left: bool = False
    unread: list[IdRange] = field(default_factory=list)

    @classmethod
    def of(cls, values: Any, since: datetime | None) -> Edits | None:
        """Read what a status holds; a new one when that is none; None when nothing was looked at before."""
        try:
            found = cls(**{**values, "unread": [(int(low), int(high)) for low, high in values["unread"]]})
            is_sound = all(map(stamp, (found.since, found.asked_at)))
        except (KeyError, TypeError, ValueError):
            is_sound = False
        return found if is_sound else cls(since.isoformat()) if since else None
