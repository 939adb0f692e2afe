"""The audit record: what was decided, refused, told and done, in a chain that shows what was done to it.

`events` is what can be said, `chain` how rows hang together, `check` finds where they do not, `store` appends
safely, `memory` is a store without a disk. It decides nothing and asks Coupa nothing.
"""

from coupa_core.journal.chain import GENESIS, ROOT, Head, Row, Seals, derived, digest, link, read_head
from coupa_core.journal.check import Broken, Check, Fault, Place, Report
from coupa_core.journal.events import MAX_TEXT, NAMES, Event, Kind, canonical, folded
from coupa_core.journal.memory import MemoryJournal
from coupa_core.journal.store import MAX_ROWS, Journal, JournalStore

__all__ = [
    "GENESIS",
    "MAX_ROWS",
    "MAX_TEXT",
    "NAMES",
    "ROOT",
    "Broken",
    "Check",
    "Event",
    "Fault",
    "Head",
    "Journal",
    "JournalStore",
    "Kind",
    "MemoryJournal",
    "Place",
    "Report",
    "Row",
    "Seals",
    "canonical",
    "derived",
    "digest",
    "folded",
    "link",
    "read_head",
]
