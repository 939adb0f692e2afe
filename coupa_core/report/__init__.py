"""What the bridge did and how it is, for operators; it changes nothing anywhere.

`health` says in one code what is wrong, `status` proves that nothing is lost, `trace` tells the story of one
approval, `cycle` how long they waited.
"""

from coupa_core.report.cycle import CycleTimes, as_csv
from coupa_core.report.health import STALE_AFTER, Cause, is_rare
from coupa_core.report.status import MAX_FULL, MAX_ROWS, Report
from coupa_core.report.trace import Trace

__all__ = [
    "MAX_FULL",
    "MAX_ROWS",
    "STALE_AFTER",
    "Cause",
    "CycleTimes",
    "Report",
    "Trace",
    "as_csv",
    "is_rare",
]
