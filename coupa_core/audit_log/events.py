"""The events of the audit log; their texts are folded and capped as they come in.

An event has ids, codes, times and one e-mail; no purchase data and nothing else about a person.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

MAX_TEXT = 256
"""Characters that are kept of a text: 99 of the longest events stay below the 4 MiB of a transaction.

Source: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's classes of characters that break a line, are invisible, reverse the text or cannot be encoded."""


class EventKind(StrEnum):
    """The kinds of events."""

    INTENT = "intent"
    """A decision is about to be sent to Coupa."""
    DECISION = "decision"
    """The outcome of a decision."""
    REFUSAL = "refusal"
    """A click that was not carried out."""
    NOTICE = "notice"
    """A notice to a person."""
    RIGHTS = "rights"
    """The deciders were looked up, or changed."""
    RELAY = "relay"
    """A message was relayed for another system."""
    OPERATOR = "operator"
    """An operator's action."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event.

    Attributes:
        kind: of the event.
        at: when it happened, aware; kept as UTC.
        approval_id: of Coupa, or None.
        document_type: class name of Coupa, such as `RequisitionHeader`.
        document_id: of Coupa, or None.
        actor: the e-mail of the person who acted or was told, or empty.
        known_by: how the actor was authenticated, such as `key+token` or `key+entra+token`.
        capacity: `approver`, `member`, `delegate`, or empty.
        verb: the requested action, such as `approve`.
        outcome: the outcome of the answer.
        cause: the code of the cause.
        version: the version that the approver was shown, as the ledger names it.
        digest: the hash of the content.
        generation: of the approval.
        token_key: kid of the key of the action token.
        request_id: of the call that led to it.
        state_before: Coupa's status of the approval before.
        state_after: Coupa's status of the approval afterwards.

    Raises:
        ValueError: the time has no zone.
    """

    kind: EventKind
    at: datetime
    approval_id: int | None = None
    document_type: str = ""
    document_id: int | None = None
    actor: str = ""
    known_by: str = ""
    capacity: str = ""
    verb: str = ""
    outcome: str = ""
    cause: str = ""
    version: str = ""
    digest: str = ""
    generation: int = 0
    token_key: str = ""
    request_id: str = ""
    state_before: str = ""
    state_after: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("an event needs a time with a zone")
        object.__setattr__(self, "at", self.at.astimezone(UTC))
        for name in _TEXTS:
            object.__setattr__(self, name, event_text(getattr(self, name)))

    def values(self) -> dict[str, Any]:
        """Return the values by name, as JSON values, without empty ones."""
        values = {name: getattr(self, name) for name in NAMES}
        values |= {"kind": self.kind.value, "at": self.at.isoformat()}
        return {name: value for name, value in values.items() if value not in ("", None)}


NAMES = tuple(field.name for field in fields(Event))
"""The names of the fields, in the order in which they are shown."""

_TEXTS = tuple(field.name for field in fields(Event) if field.default == "")


def event_text(text: str) -> str:
    """Return a text as one line of at most 256 visible characters."""
    seen = "".join(" " if unicodedata.category(letter) in _UNSEEN else letter for letter in text)
    line = " ".join(seen.split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def canonical(values: dict[str, Any]) -> str:
    """Return the one JSON text for these values: sorted names, no spaces, letters as they are."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
