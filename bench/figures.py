"""Figures beside their bounds, as every benchmark prints them and `bench.beside` reads them."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Figures:
    """The measured figures; it prints them at once."""

    missed: int = 0

    def section(self, name: str) -> None:
        """Print the subject of the next figures."""
        print(name)

    def show(self, what: str, figure: str) -> None:
        """Print a figure."""
        print(f"  {what:<58}{figure:>12}")

    def bound(self, what: str, figure: float, *, at_most: float = math.inf, at_least: float = 0.0) -> None:
        """Print a figure and whether it keeps its bound."""
        is_kept = at_least <= figure <= at_most
        self.missed += not is_kept
        bound = f"at most {at_most:g}" if at_most < math.inf else f"at least {at_least:g}"
        print(f"  {what:<58}{figure:>12.4g}   {bound}: {'kept' if is_kept else 'MISSED'}")
