"""Pseudonyms in the log: the same short name for the same address wherever the bridge runs, and no address.

A reader of the log can count people and cannot tell who they are; without the key nobody can try addresses.
"""

from __future__ import annotations

import hmac

from coupa_core.addresses import folded

_PURPOSE = b"coupa-approvals: people in the log, 1"
_LETTERS = 16


class Pseudonyms:
    """Names made with a key of their own, which is made from another.

    Args:
        key: the secret that all instances share; its change changes all names.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, _PURPOSE, "sha256")

    def of(self, address: str) -> str:
        """Return 16 hexadecimal digits for an e-mail address, without regard to capitals."""
        return hmac.digest(self._key, folded(address).encode(), "sha256").hex()[:_LETTERS]
