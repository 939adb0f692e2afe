"""`python -m coupa_core.audit`."""

import sys

from coupa_core.audit.command import main

sys.exit(main(sys.argv[1:]))
