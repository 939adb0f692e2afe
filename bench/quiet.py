"""`python -m bench.quiet`: a sweep without messages, with 5,000 announced approvals that are still pending.

With `--beside FOLDER` the build in another checkout is measured in a world of its own in the same run, with
the ratio. Each build announces the approvals itself. No complete read of the list may be due in a measured
sweep: the calls of the build show it, and the output names each sweep that read the list.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.figures import Figures
from bench.ours import settings_for
from bench.services import Services, services
from bench.sweeper import ROOT, Sweeper, sweeper
from sandbox.azurite import INSTALL_HINT, azurite, is_installed

PENDING = 5_000
LATENCY_S = 0.1
"""The latency each way, in seconds."""

NEXT = 3
"""The measured sweeps of one process after its first one."""

SETTLING = 3
"""The most sweeps before the measurement, in which a build may finish the work of the announcement."""

PAUSE_S = 1.0
"""The pause between sweeps, so that none waits for the permits of the one before: a minute, as in use."""


@dataclass(frozen=True)
class Seen:
    """One sweep.

    Attributes:
        seconds: its duration.
        calls: to Coupa's API.
        listed: the calls among them that read the whole list.
        list_age_s: the age of the last complete list at its end, by the status row; None for none.
        peak_mb: the largest memory of the process by its end, in millions of bytes.
    """

    seconds: float
    calls: int
    listed: int
    list_age_s: float | None
    peak_mb: float


def main() -> int:
    """Measure; returns the exit status."""
    parser = argparse.ArgumentParser(prog="bench.quiet", description=__doc__)
    parser.add_argument("--beside", type=Path, help="another checkout, measured in the same run")
    parser.add_argument("--pending", type=int, default=PENDING, help="how many wait")
    options = parser.parse_args()
    if not is_installed():
        print(INSTALL_HINT)
        return 1
    figures = Figures()
    print(f"Coupa takes {2 * LATENCY_S:g} s; Azurite; the default rate; Python {sys.version.split()[0]}\n")
    with azurite() as tables:
        storage = tables.connection_string
        before = measure(storage, options.beside, options.pending) if options.beside else []
        now = measure(storage, ROOT, options.pending)
    if before:
        figures.section(f"a quiet sweep, {options.pending:,} pending: {options.beside}")
        _show(figures, before)
    figures.section(f"a quiet sweep, {options.pending:,} pending: this build")
    _show(figures, now)
    _, *later = now
    figures.bound("most calls to Coupa of any sweep", max(each.calls for each in now), at_most=5)
    figures.bound("peak memory, in MB", max(each.peak_mb for each in now), at_most=100)
    if before:
        figures.section("so many times faster")
        figures.show("in a new process", f"{before[0].seconds / now[0].seconds:.1f}")
        ratio = _median(before[1:]) / _median(later)
        figures.bound("in the same process", ratio, at_least=8)
    print(f"\n{figures.missed} bounds missed" if figures.missed else "\nevery bound is kept")
    return 1 if figures.missed else 0


def _show(figures: Figures, sweeps: list[Seen]) -> None:
    first, *later = sweeps
    age = "never" if first.list_age_s is None else f"{first.list_age_s:.0f} s ago"
    figures.show("the last complete list at the end of the first sweep", age)
    figures.show(
        "calls that read the list of everything, in each sweep", " ".join(str(s.listed) for s in sweeps)
    )
    figures.show("the first sweep of a new process: seconds", f"{first.seconds:.2f}")
    figures.show("the next ones, median: seconds", f"{_median(later):.2f}")
    figures.show("calls to Coupa, in each sweep", " ".join(str(each.calls) for each in sweeps))
    figures.show("peak memory, in MB", f"{max(each.peak_mb for each in sweeps):.0f}")


def _median(sweeps: list[Seen]) -> float:
    return statistics.median(each.seconds for each in sweeps)


def measure(storage: str, checkout: Path, pending: int) -> list[Seen]:
    """Return a new process's first sweep and the next ones, on approvals that this build has announced."""
    with services() as around:
        around.enter(pending)
        settings = settings_for(around, storage, f"quiet{uuid.uuid4().hex}")
        with sweeper(settings, checkout) as process:
            process.announce(pending)
        around.be_slow(LATENCY_S)
        with sweeper(settings, checkout) as process:
            _settle(process, around)
        with sweeper(settings, checkout) as process:
            return [_seen(process, around) for _ in range(1 + NEXT)]


def _settle(process: Sweeper, around: Services) -> None:
    """Sweep until a sweep does not read the list; give up where each sweep reads all of it."""
    before = 0
    for _ in range(SETTLING):
        listed = _seen(process, around).listed
        if listed in (0, before):
            return
        before = listed


def _seen(process: Sweeper, around: Services) -> Seen:
    time.sleep(PAUSE_S)
    around.count_anew()
    said = process.sweep()
    calls, _, sends = around.calls()
    if sends or said["failure"] or said["counts"].get("sent"):
        sys.exit(f"the measurement is not what it says: not a quiet sweep: {sends} messages, {said}")
    return Seen(said["seconds"], calls, around.listed(), _age_s(said["status"]), said["peak_mb"])


def _age_s(status: dict[str, Any]) -> float | None:
    at = status.get("last_complete_at")
    return (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds() if at else None


if __name__ == "__main__":
    sys.exit(main())
