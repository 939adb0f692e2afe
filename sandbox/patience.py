"""Limit the wait for another process."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def at_most(seconds: float, end: Callable[[], object]) -> Iterator[None]:
    """Limit the wait of the block; at its end call `end`, in another thread, so that the wait is over.

    Args:
        seconds: the longest wait.
        end: ends the process that the block waits for, such as `process.kill`.
    """
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def end_group(leader: int) -> None:
    """Kill a process that was started with a session of its own, and all that it has started.

    A worker outlives its host, and holds the pipes that somebody reads.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
