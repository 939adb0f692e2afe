"""The client of Coupa: `access` has the protocol, `client` the resources, `facts` the reads of facts.

`rows` is the base of all reads; `approvals`, `documents`, `people` and `comments` read one resource each.
"""

from coupa_core.coupa.access import Access
from coupa_core.coupa.client import Coupa
from coupa_core.coupa.facts import FACT_FIELDS, FactReader, document_fields, unread_of
from coupa_core.coupa.rows import rows_in

__all__ = ["FACT_FIELDS", "Access", "Coupa", "FactReader", "document_fields", "rows_in", "unread_of"]
