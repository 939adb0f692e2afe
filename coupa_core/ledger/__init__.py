"""What was claimed, sent, decided and closed: one row per approval.

`rules` says how a row may change, `store` makes changes safe against races, `memory` is a store without a
disk. It sends nothing and asks Coupa nothing.
"""

from coupa_core.ledger.memory import MemoryStore
from coupa_core.ledger.rules import (
    KEEP_CLOSED,
    MAX_REFUSALS,
    MAX_UNCERTAIN,
    MINIMAL_AFTER,
    MUTED,
    PARKED_FOR,
    Entry,
    Lease,
    State,
    claimed,
    closed,
    decided,
    deciding,
    muted,
    next_round,
    parked,
    refused,
    released,
    resent,
    sent,
    settled,
    told,
    unparked,
    waiting,
)
from coupa_core.ledger.store import Corrupt, Ledger, LedgerStore, Note, Opened, Status

__all__ = [
    "KEEP_CLOSED",
    "MAX_REFUSALS",
    "MAX_UNCERTAIN",
    "MINIMAL_AFTER",
    "MUTED",
    "PARKED_FOR",
    "Corrupt",
    "Entry",
    "Lease",
    "Ledger",
    "LedgerStore",
    "MemoryStore",
    "Note",
    "Opened",
    "State",
    "Status",
    "claimed",
    "closed",
    "decided",
    "deciding",
    "muted",
    "next_round",
    "parked",
    "refused",
    "released",
    "resent",
    "sent",
    "settled",
    "told",
    "unparked",
    "waiting",
]
