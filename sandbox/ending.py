"""The requests of signals to the host."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable


class Ending:
    """SIGTERM asks for the end; SIGINT, or a second SIGTERM, ends the process at once.

    Args:
        before: called before an end at once.
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
