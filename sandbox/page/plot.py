"""Cycle times as a plot that needs no script: one bar for each week, kind and person, from 0 to p95.

The axis is logarithmic, so that seconds and weeks are both visible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log1p
from typing import Any

from sandbox.page.health import length
from sandbox.page.kinds import NAMES

LINES_S = (0, 10, 60, 600, 3_600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400)
"""The lines of the grid, in seconds, up to the first that is beyond every bar."""


@dataclass(frozen=True)
class Bar:
    """A row: the person, the kind, the number of decisions, and the lengths in percent of the width."""

    label: str
    count: int
    median: str
    p95: str
    median_width: float
    p95_width: float


@dataclass(frozen=True)
class Plot:
    """All rows, and the lines of the grid: their places in percent, and their labels."""

    bars: list[Bar] = field(default_factory=list)
    grid: list[tuple[float, str]] = field(default_factory=list)


def plotted(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Plot:
    """Return the plot of the answer of the route for cycle times.

    Args:
        rows: with `week`, `document_type`, `approver`, `count`, `median_s` and `p95_s`.
        names: of people, by their names in the route's answer.
    """
    longest = max((float(row["p95_s"]) for row in rows), default=0.0)
    end = next((each for each in LINES_S[1:] if each >= longest), longest)

    def place(seconds: float) -> float:
        return round(100 * log1p(seconds) / log1p(end), 1)

    bars = [
        Bar(
            label=f"{names.get(row['approver'], row['approver'])}: "
            f"{NAMES.get(row['document_type'], row['document_type']).lower()}, {row['week']}",
            count=row["count"],
            median=length(row["median_s"]),
            p95=length(row["p95_s"]),
            median_width=place(row["median_s"]),
            p95_width=place(row["p95_s"]),
        )
        for row in rows
    ]
    return Plot(bars, [(place(each), length(each)) for each in LINES_S if each <= end])
