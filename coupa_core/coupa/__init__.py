"""The client of Coupa: `access` has the protocol, `client` the resources, `facts` the reads of facts."""

from coupa_core.coupa.access import Access
from coupa_core.coupa.client import Coupa, rows_in
from coupa_core.coupa.facts import FACT_FIELDS, FactReader, document_fields, unread_of

__all__ = ["FACT_FIELDS", "Access", "Coupa", "FactReader", "document_fields", "rows_in", "unread_of"]
