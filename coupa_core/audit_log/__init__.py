"""The audit log: decisions, refusals, notices and operators' actions, in a chain that shows any change.

`events` defines the events, `chain` links the rows, `check` finds the first broken link, `days` begins and
purges days, `store` appends safely, `port` is the port to the rows, and `memory` a store without a disk. The
audit log decides nothing and asks Coupa nothing.
"""

from coupa_core.audit_log.chain import GENESIS, ROOT, Head, Row, Seals, derived, link, read_head, row_hash
from coupa_core.audit_log.check import Check, CheckReport, Fault, Place
from coupa_core.audit_log.events import MAX_TEXT, NAMES, Event, EventKind, canonical, event_text
from coupa_core.audit_log.memory import MemoryAuditStore
from coupa_core.audit_log.port import AuditStore
from coupa_core.audit_log.store import MAX_ROWS, AuditLog

__all__ = [
    "GENESIS",
    "MAX_ROWS",
    "MAX_TEXT",
    "NAMES",
    "ROOT",
    "AuditLog",
    "AuditStore",
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
    "event_text",
    "link",
    "read_head",
    "row_hash",
]
