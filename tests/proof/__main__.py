"""`make proof`: every proof at full size, three at a time; one table, and 1 when a target is missed.

A failed run is printed with the command that repeats it; `--seed` changes the random runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context

from proof.audit import Tally
from proof.full import QUIET, Job, jobs, run
from sandbox.azurite import INSTALL_HINT, is_installed

PROCESSES = 3
"""One more than cores: the killed app is waited for most of its time."""


@dataclass
class Row:
    """A row of the table: its figures so far, and how many pieces are to come.

    Attributes:
        is_quiet: nothing failed, so nothing may repeat.
        is_other: another order than ours, for comparison; it has no target.
    """

    left: int = 0
    tally: Tally = field(default_factory=Tally)
    is_quiet: bool = False
    is_other: bool = False

    @property
    def is_missed(self) -> bool:
        if self.is_other:
            return False
        figures = self.tally
        bad = figures.lost + figures.unexplained + figures.false_answers + len(figures.missed)
        return bool(bad or (self.is_quiet and figures.repeated))


def main() -> int:
    """Run every proof and print the table; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make proof", description="Every proof at full size.")
    parser.add_argument("--seed", type=int, default=1, help="of the random proofs")
    options = parser.parse_args()
    if not is_installed():
        print(INSTALL_HINT)
        return 1
    began_s = time.monotonic()
    todo = jobs(options.seed)
    rows: dict[str, Row] = {}
    for job in todo:
        row = rows.setdefault(job.row, Row(is_quiet=job.row in QUIET, is_other=job.row.startswith("(")))
        row.left += 1
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        waiting: dict[Future[Tally], Job] = {pool.submit(run, job): job for job in todo}
        for done in as_completed(waiting):
            row = rows[waiting[done].row]
            row.tally.add(done.result())
            row.left -= 1
            if not row.left:
                minutes, seconds = divmod(int(time.monotonic() - began_s), 60)
                print(f"{minutes:>2}:{seconds:02} {waiting[done].row}", file=sys.stderr, flush=True)
    _print(rows)
    minutes, seconds = divmod(int(time.monotonic() - began_s), 60)
    print(f"\nseed {options.seed}, {datetime.now(UTC):%Y-%m-%d}, {minutes} min {seconds} s")
    missed = [name for name, row in rows.items() if row.is_missed]
    print(f"MISSED: {', '.join(missed)}" if missed else "every target is met")
    return 1 if missed else 0


def _print(rows: dict[str, Row]) -> None:
    heads = ("runs", "steps", "faults", "sent", "lost", "repeated", "unexpl.", "frozen", "worst", "false")
    print(f"\n{'':<44}" + "".join(f"{head:>10}" for head in heads))
    for name, row in rows.items():
        tally = row.tally
        figures = (
            *(tally.runs, tally.steps, tally.faults, tally.sent, tally.lost, tally.repeated),
            *(tally.unexplained, tally.frozen, tally.worst, tally.false_answers),
        )
        mark = "  MISSED" if row.is_missed else ""
        print(f"{name:<44}" + "".join(f"{figure:>10,}" for figure in figures) + mark)
    for row in rows.values():
        for what in row.tally.missed[:5]:
            print(f"  missed: {what}")


if __name__ == "__main__":
    sys.exit(main())
