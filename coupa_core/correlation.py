"""The id by which one request or one sweep is found again, here and at the services, and its calls there.

It travels in the context and not in arguments: whoever starts threads copies the context into them, and
nothing between a trigger and the wire has to know of it. It decides nothing.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_current: ContextVar[Correlation | None] = ContextVar("correlation", default=None)


class Correlation:
    """One request or one sweep, on its way; safe to use from several threads.

    Attributes:
        id: at most 64 letters, digits, points, hyphens and underscores.
    """

    def __init__(self, given: str = "") -> None:
        self.id = given if _SAFE.fullmatch(given) else uuid.uuid4().hex
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def called(self, service: str, *, is_error: bool) -> None:
        """Count a call, and whether it came to anything else than a whole answer of 2xx."""
        with self._lock:
            self._counts[f"{service}_calls"] += 1
            self._counts[f"{service}_errors"] += is_error

    def counts(self) -> dict[str, int]:
        """Return calls and errors so far by name, such as `coupa_calls`; only of those that were called."""
        with self._lock:
            return dict(self._counts)


@contextmanager
def correlated(correlation: Correlation) -> Iterator[Correlation]:
    """Let everything in the block go out under this id and be counted there."""
    before = _current.set(correlation)
    try:
        yield correlation
    finally:
        _current.reset(before)


def current() -> Correlation | None:
    """Return the request or sweep of this context; None for a tool whose calls need no id."""
    return _current.get()


def trace_id(traceparent: str) -> str:
    """Return the trace id of a `traceparent`, 32 hexadecimal digits; empty for an invalid value.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header (version 00 ends with the flags, `ff` is
    forbidden, and ids of zeros only are invalid)

    >>> trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    '4bf92f3577b34da6a3ce929d0e0e4736'
    >>> trace_id("00-00000000000000000000000000000000-00f067aa0ba902b7-01")
    ''
    """
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or (found[1] == "00" and found[4]):
        return ""
    return found[2] if found[2].strip("0") and found[3].strip("0") else ""
