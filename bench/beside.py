"""`make bench BESIDE=folder`: the same measurements in two checkouts, in turn in one run, with their ratios.

Each checkout measures itself with its own benchmark and, where it has one, its own virtual environment; this
module only reads their output. It judges nothing: the bounds are the benchmark's.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
ORDER = ("before", "now", "now", "before")
"""Each checkout is measured once early and once late, so that a machine that slows down favours neither."""

LONGEST_S = 1800
"""No benchmark takes this long; a checkout that hangs ends here."""

_FIGURE = re.compile(r"  (?P<what>\S.*?)\s+(?P<number>[0-9][0-9.,e+-]*)(   at (most|least) .*)?")


def read_figures(text: str) -> dict[str, float]:
    """Read the output of a benchmark.

    Args:
        text: sections, each a line that is not indented, and below it indented lines of a name and a number.

    Returns:
        `{"section: name": number}`, in the order of the text.
    """
    found: dict[str, float] = {}
    section = ""
    for line in text.splitlines():
        figure = _FIGURE.fullmatch(line)
        if figure:
            found[f"{section}: {figure['what']}"] = float(figure["number"].replace(",", ""))
        elif line and not line.startswith(" "):
            section = line
    return found


def compared(before: Iterable[Mapping[str, float]], now: Iterable[Mapping[str, float]]) -> list[str]:
    """Return a line for each figure that both builds have: the median of each, and the ratio now / before.

    Args:
        before: the figures of each run of the other checkout.
        now: the figures of each run of this one.
    """
    earlier, later = list(before), list(now)
    lines = []
    for name in later[0]:
        if not all(name in run for run in [*earlier, *later]):
            continue
        old = statistics.median(run[name] for run in earlier)
        new = statistics.median(run[name] for run in later)
        ratio = f"{new / old:>8.2f}" if old else f"{'-':>8}"
        lines.append(f"  {name:<92}{old:>10.4g}{new:>10.4g}{ratio}")
    return lines


def measured(checkout: Path) -> str:
    """Run the benchmark of a checkout and return its output.

    Raises:
        RuntimeError: it printed no figures.
        subprocess.TimeoutExpired: it did not end.
    """
    own = checkout / ".venv" / "bin" / "python"
    python = str(own) if own.exists() else sys.executable
    done = subprocess.run(
        [python, "-m", "bench"], cwd=checkout, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )
    if not read_figures(done.stdout):
        raise RuntimeError(f"{checkout} measured nothing: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def main(other: Path) -> int:
    """Measure both in turn; returns the exit status."""
    if not (other / "bench" / "__main__.py").exists():
        print(f"BESIDE={other} is no checkout of this project: it has no bench/__main__.py.")
        return 2
    folders = {"before": other.resolve(), "now": HERE}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in folders}
    for turn, name in enumerate(ORDER, 1):
        print(f"run {turn} of {len(ORDER)}: {name}, {folders[name]}", flush=True)
        runs[name].append(read_figures(measured(folders[name])))
    print(f"\n  {'medians of two runs each':<92}{'before':>10}{'now':>10}{'ratio':>8}")
    print("\n".join(compared(runs["before"], runs["now"])))
    return 0
