"""What signals ask of the host."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable


class Ending:
    """Asked for by SIGTERM; by SIGINT, or a second SIGTERM, the process ends at once.

    Args:
        before: done before it ends at once.
    """

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before
        self.is_asked_for = False
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        if number == signal.SIGINT or self.is_asked_for:
            self._before()
            os._exit(0)
        self.is_asked_for = True
