"""The audit record: what was decided, refused, told and done, in a chain that shows what was done to it.

`events` is what can be said, `chain` how rows hang together, `check` finds where they do not, `store` appends
safely, `memory` is a store without a disk. It decides nothing and asks Coupa nothing.
"""

from coupa_core.audit_log.chain import GENESIS, ROOT, Head, Row, Seals, derived, link, read_head, row_hash
from coupa_core.audit_log.check import Broken, Check, CheckReport, Fault, Place
from coupa_core.audit_log.events import MAX_TEXT, NAMES, Event, EventKind, canonical, folded
from coupa_core.audit_log.memory import MemoryAuditStore
from coupa_core.audit_log.store import MAX_ROWS, AuditLog, AuditStore

__all__ = [
    "GENESIS",
    "MAX_ROWS",
    "MAX_TEXT",
    "NAMES",
    "ROOT",
    "AuditLog",
    "AuditStore",
    "Broken",
    "Check",
    "CheckReport",
    "Event",
    "EventKind",
    "Fault",
    "Head",
    "MemoryAuditStore",
    "Place",
    "Row",
    "Seals",
    "canonical",
    "derived",
    "folded",
    "link",
    "read_head",
    "row_hash",
]
