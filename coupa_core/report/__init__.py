"""Report the bridge's work and state to operators; nothing is changed anywhere.

`health` names the cause of a failure by a code, `status` proves that nothing is lost, with the `states` of
all approvals, `trace` returns the history of one approval, in the sentences of `story` and `words`, and
`cycle` measures waiting times.
"""

from coupa_core.report.cycle import CycleTimes, as_csv
from coupa_core.report.health import STALE_AFTER, Cause, is_rare
from coupa_core.report.states import MAX_FULL, MAX_ROWS
from coupa_core.report.status import StatusReport
from coupa_core.report.trace import Trace

__all__ = [
    "MAX_FULL",
    "MAX_ROWS",
    "STALE_AFTER",
    "Cause",
    "CycleTimes",
    "StatusReport",
    "Trace",
    "as_csv",
    "is_rare",
]
