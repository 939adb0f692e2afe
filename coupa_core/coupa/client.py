"""Coupa over HTTP: pending approvals, documents, people, the three decisions, and comments.

It knows Coupa's resources and nothing of notices or the ledger. Reads are repeated within the caller's
deadline; a decision is sent once, and the caller reads back.

Sources: "Coupa Core API" (approvals, requisitions, querying options, operators),
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
"""

from __future__ import annotations

from coupa_core.coupa.approvals import Approvals
from coupa_core.coupa.comments import Writes
from coupa_core.coupa.documents import Documents
from coupa_core.coupa.people import People


class Coupa(Approvals, Documents, People, Writes):
    """One Coupa instance: its approvals, documents and people, and what is written there."""
