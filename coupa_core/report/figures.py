"""Median, 95th percentile and maximum of durations. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable


def spread(values: Iterable[float]) -> dict[str, float]:
    """Return `median_s`, `p95_s` and `longest_s` of some durations in seconds; zeros for none.

    Each is one of the values, by the nearest rank: a value that did not occur would mislead.

    >>> spread([3.0, 1.0, 2.0])
    {'median_s': 2.0, 'p95_s': 3.0, 'longest_s': 3.0}
    """
    ordered = sorted(values) or [0.0]
    ranks = {"median_s": 0.5, "p95_s": 0.95, "longest_s": 1.0}
    return {name: round(ordered[math.ceil(rank * len(ordered)) - 1], 1) for name, rank in ranks.items()}
