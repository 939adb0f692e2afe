"""`python -m coupa_core.doctor`: what is missing before the bridge can work, and where to change it.

`checks` looks, and `pilot` at who is told anything; `preview` says who would be told what now. Nothing is
sent, and no row of ours is touched.
"""

from coupa_core.doctor.checks import examine
from coupa_core.doctor.preview import Preview, preview
from coupa_core.finding import Finding, Verdict

__all__ = ["Finding", "Preview", "Verdict", "examine", "preview"]
