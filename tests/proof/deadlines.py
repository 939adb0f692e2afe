"""`PYTHONPATH=tests python -m proof.deadlines`: the duration of everything at the app's own deadlines.

It prints the seconds beside their bound, by service and kind of slowness, and returns 1 when a figure is
above its bound. It takes three minutes, nearly all of them spent waiting.
"""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

from slow import GRID, Cell, Ended, Stage, stage

from coupa_core.routes import CLICK_S
from coupa_core.sweep import SWEEP_S

MARGIN_S = 1.0
"""For what takes time after the deadline: giving up, the last lines of the log, a busy machine."""

AT_ONCE = 32
"""Cells that wait at the same time in one process."""

IDENTITIES = 8
"""Processes: each has one endpoint in its environment."""

BOUNDS_S = {"click": CLICK_S, "list": CLICK_S, "relay": CLICK_S, "sweep": SWEEP_S}


def main() -> int:
    """Run every cell and print the table; returns the exit status."""
    logging.disable(logging.CRITICAL)
    cells = [Cell(who, way, action) for (who, action), ways in GRID.items() for way in ways]
    ours = [cell for cell in cells if cell.service != "the identity"]
    others = [cell for cell in cells if cell.service == "the identity"]
    with (
        ProcessPoolExecutor(IDENTITIES, mp_context=get_context("spawn")) as processes,
        ThreadPoolExecutor(AT_ONCE) as threads,
        stage() as on,
    ):
        ended = dict(_run(processes, others)) | dict(_run(threads, ours, on))
    return _print(cells, ended)


def _run(pool: Executor, cells: list[Cell], on: Stage | None = None) -> Iterator[tuple[Cell, Ended]]:
    futures = [pool.submit(cell.run, on) if on else pool.submit(alone, cell) for cell in cells]
    yield from zip(cells, (future.result() for future in futures), strict=True)


def alone(cell: Cell) -> Ended:
    """Run a cell with healthy services of its own."""
    logging.disable(logging.CRITICAL)
    with stage() as on:
        return cell.run(on)


def _print(cells: list[Cell], ended: dict[Cell, Ended]) -> int:
    rows: dict[tuple[str, str], dict[str, Cell]] = defaultdict(dict)
    for cell in cells:
        rows[cell.service, cell.way][cell.action] = cell
    print(f"{'service':<18}{'way of being slow':<24}" + "".join(f"{each:>16}" for each in BOUNDS_S))
    late = 0
    for (service, way), row in rows.items():
        figures = []
        for action, bound_s in BOUNDS_S.items():
            each = ended[row[action]] if action in row else None
            is_late = each is not None and each.took_s > bound_s + MARGIN_S
            late += is_late
            mark = "" if each is None else "!" if is_late else "" if each.was_asked else "?"
            figures.append(f"{each.took_s:.1f}{mark} of {bound_s:.0f}" if each else "-")
        print(f"{service:<18}{way:<24}" + "".join(f"{figure:>16}" for figure in figures))
    unasked = sum(not each.was_asked for each in ended.values())
    print(
        f"\n{len(ended)} cells, margin {MARGIN_S:g} s: {late} over the bound (!), {unasked} not reached (?)"
    )
    return 1 if late or unasked else 0


if __name__ == "__main__":
    sys.exit(main())
