"""Work in parallel, in threads that have a copy of the caller's context.

The context has the id of the request, its permits for Coupa and its deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_parallel(work: Callable[[T], R], items: Sequence[T], *, workers: int) -> list[R]:
    """Do the same with each item, and return the results in order; one worker needs no threads."""
    if workers == 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(workers, len(items))) as pool:
        futures = [pool.submit(copy_context().run, work, item) for item in items]
    return [future.result() for future in futures]


def start_in_background(work: Callable[[], R]) -> Future[R]:
    """Begin work in a thread of its own, and return its future at once.

    Nobody has to wait for the result, so the work must end by itself, by a deadline.
    """
    pool = ThreadPoolExecutor(1)
    future = pool.submit(copy_context().run, work)
    pool.shutdown(wait=False)  # the work goes on, and its thread ends with it
    return future
