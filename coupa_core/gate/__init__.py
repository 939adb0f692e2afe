"""`python -m coupa_core.gate URL`: whether a deployment works, asked from outside; a code and a cause if not.

`checkout` knows which release is expected, `asking` makes the requests, `health` says what its answer means,
`host` what the Functions host says beside it, `status` what operators see, `sentences` what each code means.
Only the standard library is imported: it runs beside a deployment, where no package is.
"""

from coupa_core.gate.asking import Answer, Asking
from coupa_core.gate.health import Wanted, wait_for
from coupa_core.gate.host import host_findings
from coupa_core.gate.sentences import SAYS
from coupa_core.gate.status import status_findings

__all__ = ["SAYS", "Answer", "Asking", "Wanted", "host_findings", "status_findings", "wait_for"]
