"""Look up the people who may decide an approval: the members of groups, and active delegates.

Sweeps cache Coupa's records for some minutes; a click reads them afresh. The directory decides no approval
and sends nothing.
"""

from coupa_core.directory.cache import KEEP_S, STALE_S
from coupa_core.directory.lookup import Directory
from coupa_core.directory.people import MemoizedPeople, ReachablePeople

__all__ = [
    "KEEP_S",
    "STALE_S",
    "Directory",
    "MemoizedPeople",
    "ReachablePeople",
]
