"""One rate limit for calls to Coupa, which all processes of a deployment share. It makes no call itself.

A permit is the right to begin one call. One row of the ledger's table says when the next permit is free; a
process that takes permits moves that time on: a virtual schedule. A person's request takes all its permits at
once, or is refused at once. Sweeps and operators take the permits that are left, a second's worth at a time.

Source: the generic cell rate algorithm without a burst, ITU-T I.371, annex A,
https://www.itu.int/rec/T-REC-I.371-200403-I
"""

from coupa_core.rate_limiter.limiter import (
    ALONE_S,
    FIRST_S,
    MAX_AHEAD_S,
    NAME,
    SLOW_S,
    TABLE_S,
    YIELD_S,
    RateLimiter,
)

__all__ = [
    "ALONE_S",
    "FIRST_S",
    "MAX_AHEAD_S",
    "NAME",
    "SLOW_S",
    "TABLE_S",
    "YIELD_S",
    "RateLimiter",
]
