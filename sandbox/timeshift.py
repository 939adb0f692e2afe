"""Moves the time of a whole process forward: for an app that reads the machine's clock and no other.

Files, sockets, waits and other processes keep the machine's time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


class ProcessTime:
    """The time of this process, under control from now on; one for each process."""

    def __init__(self) -> None:
        import time_machine  # noqa: PLC0415 - only where the time is moved

        self._wall = time_machine.travel(datetime.now(UTC), tick=True).start()
        # time-machine does not move the monotonic clock, because event loops use it; none runs here.
        self._monotonic = time.monotonic
        self._ahead_s = 0.0
        vars(time)["monotonic"] = self._moved

    def set_ahead(self, seconds: float) -> None:
        """Put it this many seconds ahead of the machine's; it never moves back."""
        further_s = max(0.0, seconds - self._ahead_s)
        self._ahead_s += further_s
        self._wall.shift(further_s)

    def _moved(self) -> float:
        return self._monotonic() + self._ahead_s
