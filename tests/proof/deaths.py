"""Nothing is lost by the deaths of the Functions host: each kind of death, each step of a sweep and a click.

`python -m proof.deaths [kind]` prints a table, and ends with 1 when a target is missed; `make proof` has the
same pieces among its jobs.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from statistics import median

from proof.dying import CLICK, SWEEP, Kind, dying
from proof.reckoning import Toll
from proof.takeovers import TAKEOVERS, past_due, taking_over
from proof.ways import Drained, HostKilled, MachineDies, NeighboursTimeout, OwnTimeout, WorkerKilled
from sandbox.azurite import INSTALL_HINT, Azurite, azurite, is_installed

PROCESSES = 5
"""More than cores: much is waited for."""

AWAY = "an hour down, past due"

KINDS = (
    Kind(SWEEP, WorkerKilled, has_both_moments=True),
    Kind(CLICK, WorkerKilled, has_both_moments=True, has_both_plays=True),
    Kind(CLICK, NeighboursTimeout, is_short_of_time=True, has_both_moments=True),
    Kind(SWEEP, OwnTimeout, is_short_of_time=True),
    Kind(SWEEP, Drained),
    Kind(CLICK, Drained, has_both_moments=True),
    Kind(SWEEP, HostKilled),
    Kind(CLICK, HostKilled, has_both_moments=True),
    Kind(SWEEP, MachineDies),
    Kind(CLICK, MachineDies, has_both_moments=True),
)

Work = Callable[[Azurite, Iterable[int]], Toll]

WORKS: dict[str, Work] = {
    **{kind.name: partial(dying, kind) for kind in KINDS},
    **{way.name: partial(taking_over, way) for way in TAKEOVERS},
    AWAY: past_due,
}
"""By the names of the kinds, what lets deaths come at some steps."""

STRIDES = {AWAY: 3, **{way.name: 2 for way in TAKEOVERS}}
"""Where time is not moved, only every so manieth step is passed, since each death takes long."""

PARTS = 3
"""Into so many pieces a kind is cut, each a world of its own."""


@dataclass(frozen=True)
class Piece:
    """A part of the deaths of one kind."""

    name: str
    part: int
    parts: int = PARTS

    @property
    def numbers(self) -> Iterable[int]:
        stride = STRIDES.get(self.name, 1)
        return itertools.count(self.part * stride, self.parts * stride)


def pieces(names: Iterable[str] = tuple(WORKS)) -> list[Piece]:
    return [Piece(name, part) for name in names for part in range(PARTS)]


def run(piece: Piece) -> Toll:
    """Do a piece, before a table service of its own; what fails is a miss, not the end of the others."""
    try:
        with azurite() as server:
            return WORKS[piece.name](server, piece.numbers)
    except Exception:  # noqa: BLE001 - named in the table
        return Toll(missed=[f"{piece.name}: {traceback.format_exc(limit=-3)}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the deaths of one kind, or of all, and print the table; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m proof.deaths", description=__doc__.partition("\n")[0])
    parser.add_argument("kind", nargs="?", help="a part of the name of some kinds; all by default")
    given = parser.parse_args(arguments)
    names = [name for name in WORKS if given.kind is None or given.kind in name]
    if not names:
        parser.error(f"no kind has this in its name; there are: {', '.join(WORKS)}")
    if not is_installed():
        print(INSTALL_HINT)
        return 1
    began_s = time.monotonic()
    tolls = {name: Toll() for name in names}
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(run, piece): piece for piece in pieces(names)}
        for done in as_completed(waiting):
            tolls[waiting[done].name].add(done.result())
            print(f"{_passed(began_s)} {waiting[done].name}", file=sys.stderr, flush=True)
    for line in table(tolls):
        print(line)
    missed = [name for name, toll in tolls.items() if toll.is_missed]
    print(f"\n{_passed(began_s)}; " + (f"MISSED: {', '.join(missed)}" if missed else "every target is met"))
    return 1 if missed else 0


HEADS = (
    "runs",
    "deaths",
    "steps",
    "lost",
    "again",
    "unexpl.",
    "false",
    "twice",
    "record",
    "median",
    "at most",
)


def table(tolls: dict[str, Toll]) -> list[str]:
    """Return the lines of the table, then what was missed, and at which steps a death came."""
    lines = [f"{'':<36}" + "".join(f"{head:>9}" for head in HEADS)]
    for name, toll in tolls.items():
        waits_s = toll.waits_s or [math.nan]
        figures = (
            *(
                toll.runs,
                toll.faults,
                len({number for number, _ in toll.reached}),
                toll.lost,
                toll.repeated,
                toll.unexplained,
            ),
            *(toll.false_answers, toll.twice, toll.unrecorded),
        )
        waits = f"{median(waits_s):>7.0f} s{max(waits_s):>7.0f} s"
        lines.append(f"{name:<36}" + "".join(f"{each:>9}" for each in figures) + waits)
    lines += ["", "again: each after an outcome that nobody could know; seconds: until the next announcement"]
    steps = Counter(step for toll in tolls.values() for _, step in toll.reached)
    lines += [
        "",
        "steps at which a death came:",
        *(f"{number:>6} {step}" for step, number in steps.most_common()),
    ]
    return lines + [f"missed: {each}" for toll in tolls.values() for each in toll.missed[:8]]


def _passed(began_s: float) -> str:
    minutes, seconds = divmod(int(time.monotonic() - began_s), 60)
    return f"{minutes} min {seconds:02} s"


if __name__ == "__main__":
    sys.exit(main())
