"""The host's throttle: it admits requests before it looks at a key or a route.

Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook (host.json: `http`),
read 2026-11; the answer to a crowd was observed on the host itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.calls import Answer

CROWDED = Answer(429, [("X-FUNCTION-SCALEOUT", "1")])


class Admission:
    """Counts the requests that run and those that wait.

    Args:
        at_once: how many requests run at once; the others wait. None sets no limit.
        outstanding: how many run and wait together; one more is refused. None sets no limit.
    """

    def __init__(self, *, at_once: int | None = None, outstanding: int | None = None) -> None:
        self._turns = threading.Semaphore(at_once) if at_once is not None else None
        self._most = outstanding
        self._inside = 0
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Wait for a place and hold it while the block runs; yields False at once when there are too many."""
        with self._lock:
            is_in = self._most is None or self._inside < self._most
            self._inside += is_in
        if not is_in:
            yield False
            return
        try:
            if self._turns is None:
                yield True
            else:
                with self._turns:
                    yield True
        finally:
            with self._lock:
                self._inside -= 1
