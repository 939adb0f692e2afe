"""Calls the health route from outside, as an availability test does, only more often."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from bench.callers import call

EVERY_S = 1.0
PATIENCE_S = 30.0
"""As in infra/modules/availability.bicep."""


@dataclass(frozen=True)
class Health:
    """One question and its answer.

    Attributes:
        at_s: the time of the question, in seconds on the monotonic clock.
        status: of HTTP; 0 for no answer in time.
        seconds: its duration.
    """

    at_s: float
    status: int
    seconds: float


def ask(url: str) -> Health:
    """Call the route once."""
    began_s = time.monotonic()
    status, _, _ = call(url, "/api/health", timeout_s=PATIENCE_S)
    return Health(began_s, status, time.monotonic() - began_s)


@contextlib.contextmanager
def watched(url: str) -> Iterator[list[Health]]:
    """Call the route once a second while the block runs, even while an earlier call has no answer.

    Yields:
        A list that holds the answers, in the order of the questions, when the block has ended.
    """
    ended = threading.Event()
    asked: list[Future[Health]] = []
    said: list[Health] = []

    def keep_asking(pool: ThreadPoolExecutor) -> None:
        while True:
            asked.append(pool.submit(ask, url))
            if ended.wait(EVERY_S):
                return

    with ThreadPoolExecutor(1 + int(PATIENCE_S / EVERY_S) + 1) as pool:
        asking = pool.submit(keep_asking, pool)
        try:
            yield said
        finally:
            ended.set()
            asking.result()
            said += [each.result() for each in asked]
