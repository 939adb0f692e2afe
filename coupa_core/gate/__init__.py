"""`python -m coupa_core.gate URL`: whether a deployment works, asked from outside; a code and a cause if not.

`checkout` finds the expected release, `asking` makes the requests, `health` checks the health answer, `host`
the state of the Functions host, `status` the operators' status, and `sentences` explains each code.
Only the standard library is imported: it runs beside a deployment, where no package is.
"""

from coupa_core.gate.asking import Deployment
from coupa_core.gate.sentences import SAYS

__all__ = ["SAYS", "Deployment"]
