"""`python -m coupa_core.doctor`: check what the bridge needs to work, and say where to change it.

`checks` runs all checks; those of Coupa, of the host's limits and of the pilot have modules of their own.
`preview` shows the messages of a sweep now. The doctor sends nothing, and changes no row of the ledger.
"""

from coupa_core.doctor.checks import examine
from coupa_core.doctor.preview import preview
from coupa_core.finding import Finding, Verdict

__all__ = ["Finding", "Verdict", "examine", "preview"]
