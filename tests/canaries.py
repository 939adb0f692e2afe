"""The made-up secrets of the tests, and the guard that finds them where they must not be.

Every secret holds the same mark, so that one search finds each of them, also in another encoding.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator

from sandbox.azurite import KEY as STORAGE_KEY

MARK = "c4n4ry"
CLIENT_ID = f"{MARK}-coupa-id-5f1d8c02"
CLIENT_SECRET = f"{MARK}-coupa-secret-9b3e7a61"
API_KEY = f"{MARK}-moveworks-key-2c48d0ef"
TOKEN_KEY = base64.b64encode(f"{MARK}-of-thirty-two-bytes-at-least-".encode()).decode()
TOKEN_KEYS = json.dumps({"k1": TOKEN_KEY})
FUNCTION_KEY = f"{MARK}-function-key-71aa35be"

_BEARER = "s" * 40
"""Stands at the end of every bearer token that the simulated Coupa mints."""

_ACTION_TOKEN = "v1.k1.eyJ"
"""Begins every action token that those keys sign."""


def aligned(text: str) -> Iterator[str]:
    """Yield what of a text is sure to stand in the base64 of anything that holds it."""
    data = text.encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data).decode()
        yield encoded[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]


NEEDLES = (MARK, MARK.encode().hex(), *aligned(MARK), STORAGE_KEY, _BEARER, _ACTION_TOKEN)


class Guard(logging.Handler):
    """A handler that keeps no record, only which secrets it saw and where."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Look for every secret in the message, the exception and its causes."""
        text = record.getMessage()
        if record.exc_info or record.stack_info:
            text = logging.Formatter().format(record)
        self.seen += [f"{needle} in a record of {record.name}" for needle in NEEDLES if needle in text]
