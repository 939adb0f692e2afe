"""Look up who may decide an approval in Coupa's records: members of groups, and present delegates.

Sweeps keep the records for some minutes; a click always reads afresh. The directory decides no approval and
sends nothing.
"""

from coupa_core.directory.addresses import SharedAddresses
from coupa_core.directory.kept import KEEP_S, STALE_S
from coupa_core.directory.lookup import Directory
from coupa_core.directory.people import MemoizedPeople, PeopleSource, ReachablePeople

__all__ = [
    "KEEP_S",
    "STALE_S",
    "Directory",
    "MemoizedPeople",
    "PeopleSource",
    "ReachablePeople",
    "SharedAddresses",
]
