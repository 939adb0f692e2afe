"""The permits of one request, and which request's permits the calls of a context use."""

from __future__ import annotations

import threading
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from coupa_core.rate_limiter.limiter import RateLimiter

_LATE = 0.5
"""A sweep's permit expires when this part of the next step is left: a late call would add to others."""


class Permits:
    """The permits of one request, one each `step_s`; inside `with`, its calls use them.

    A call beyond them goes out after the same step, so that no admitted request waits behind later ones; the
    later ones keep the rate. Of a pair the second call begins with the first, and each of the others a step
    earlier: the last permit stays unused.
    """

    def __init__(self, limiter: RateLimiter, *, start_s: float, number: int, is_pair: bool = False) -> None:
        self._limiter = limiter
        self._next_s = start_s
        self._left = number
        self._is_pair = is_pair
        self._until_s = start_s + (number - _LATE) * limiter.step_s
        self._lock = threading.Lock()
        self._before: Token[Permits | None] | None = None

    def __len__(self) -> int:
        """Return the number of permits that are left."""
        return self._left

    def __enter__(self) -> Self:
        """Let the calls of this context use them."""
        self._before = current.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop using them."""
        assert self._before is not None  # noqa: S101 - `with` enters first
        current.reset(self._before)

    def split(self, number: int) -> tuple[Permits, Permits]:
        """Return the first permits and the others; the others stay reserved, whatever the first calls do."""
        first = min(number, self._left)
        is_pair = self._is_pair and first > 0
        then_s = self._next_s + (first - is_pair) * self._limiter.step_s
        left, is_pair_left = self._left - first, self._is_pair and not is_pair
        return (
            Permits(self._limiter, start_s=self._next_s, number=first, is_pair=is_pair),
            Permits(self._limiter, start_s=then_s, number=left, is_pair=is_pair_left),
        )

    @property
    def next_s(self) -> float:
        """Return the time of the next permit, on the monotonic clock."""
        return self._next_s

    def follow(self, before: Permits | None) -> None:
        """Begin a step after the permits before, where those were late."""
        if before is not None:
            self._next_s = max(self._next_s, before.next_s)

    def has_left(self, now_s: float) -> bool:
        """Tell whether a permit is left that has not expired."""
        return self._left > 0 and max(now_s, self._next_s) < self._until_s

    def take(self, now_s: float, *, within_s: float) -> float | None:
        """Take the next permit and return the seconds until it; None when it is not within that time."""
        with self._lock:
            at_s = max(now_s, self._next_s)
            if at_s - now_s > within_s:
                return None
            self._next_s = at_s + (0.0 if self._is_pair else self._limiter.step_s)
            self._is_pair = False
            if self._left:
                self._left -= 1
            else:
                self._limiter.owe(at_s - now_s)
        return at_s - now_s


current: ContextVar[Permits | None] = ContextVar("turns", default=None)
"""The permits that calls here use; None for calls that take what people leave."""
