"""Coupa, as far as this product uses it: `access` is the protocol, `client` the resources."""

from coupa_core.coupa.access import Access
from coupa_core.coupa.client import Coupa

__all__ = ["Access", "Coupa"]
