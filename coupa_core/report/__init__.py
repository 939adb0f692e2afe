"""What the bridge did and how it is, for operators; it changes nothing anywhere.

`status` proves that nothing is lost, `trace` tells the story of one approval, `cycle` how long they waited.
"""

from coupa_core.report.cycle import CycleTimes, as_csv
from coupa_core.report.status import MAX_FULL, MAX_ROWS, STALE_AFTER, Report
from coupa_core.report.trace import Trace

__all__ = ["MAX_FULL", "MAX_ROWS", "STALE_AFTER", "CycleTimes", "Report", "Trace", "as_csv"]
