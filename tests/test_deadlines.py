"""A click, a list and a sweep end in time, however slow a service is: real libraries over real sockets.

The deadlines here are short and outside of the app's own, which `tests/proof/deadlines.py` measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from slow import GRID, Cell, Ended, Stage, stage

from coupa_core.clock import Deadline, SystemClock, until
from coupa_core.decide.calls import last_permit_s
from coupa_core.rate_limiter import SLOW_S
from coupa_core.sweep.run import CLOSING_S

pytestmark = pytest.mark.slow

CLOCK = SystemClock()
SHORT_S = 0.7
MARGIN_S = 2.0
"""For a busy machine; every service here would be slow for much longer."""

AT_ONCE = 6
"""Cells that run beside each other; with all of them a slow machine would reach nobody in time."""

SOME = (
    "silent",
    "drips a header",
    "drips a body",
    "500",
    "429, Retry-After 20",
    "503, Retry-After 75",
)
WHOLE = {("Coupa's API", "list"), ("Moveworks", "relay"), ("the table", "list")}
"""Where each way is tried: each library over HTTP is met once in all of them, and elsewhere in some."""


@pytest.fixture(scope="module")
def on() -> Iterator[Stage]:
    """Run the healthy services."""
    with stage() as made:
        yield made


@dataclass(frozen=True)
class Ran:
    """How a cell ended, and the seconds that it was given."""

    ended: Ended
    given_s: float


def run(cell: Cell, on: Stage) -> Ran:
    """Run a cell with a short deadline; a longer one where a busy machine spent it before that service."""
    for more_s in (0, 4, 12):
        given_s = short_s(cell) + more_s
        with until(Deadline(CLOCK, given_s)):
            ran = Ran(cell.run(on), given_s)
        if ran.ended.was_asked:
            break
    return ran


def short_s(cell: Cell) -> float:
    """Return a short deadline that is long enough for what it is about to begin.

    No click is admitted whose calls could not end in time, and none of the last seconds goes to sending.
    """
    match cell.service, cell.action:
        case "Coupa's token" | "Coupa's API" | "Coupa's decision", "click":
            return -last_permit_s(0, SLOW_S, reads=2) + 1
        case "Moveworks", "sweep":
            return CLOSING_S + 3
    return SHORT_S


@pytest.mark.parametrize(("service", "action"), [each for each in GRID if each[0] != "the identity"])
def test_whatever_a_service_does_it_ends_in_time(on: Stage, service: str, action: str) -> None:
    ways = GRID[service, action] if (service, action) in WHOLE else SOME
    cells = [Cell(service, way, action) for way in ways]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ran = dict(zip(cells, pool.map(lambda cell: run(cell, on), cells), strict=True))

    _check(on, ran)


@pytest.mark.parametrize("action", ["click", "list", "sweep"])
def test_whatever_the_identitys_endpoint_does_it_ends_in_time(on: Stage, action: str) -> None:
    """One after the other: the endpoint stands in the environment of the process."""
    cells = [Cell("the identity", way, action) for way in SOME]

    ran = {cell: run(cell, on) for cell in cells}

    _check(on, ran)


def _check(on: Stage, ran: dict[Cell, Ran]) -> None:
    """Each ended in time, met the slow service, and is not said to be done: nothing is."""
    late = {cell: each for cell, each in ran.items() if each.ended.took_s > each.given_s + MARGIN_S}
    assert ran
    assert late == {}
    ended = {cell: each.ended for cell, each in ran.items()}
    assert [cell for cell, each in ended.items() if not each.was_asked] == []
    for cell, each in ended.items():
        if each.reply is not None and cell.action == "click":
            is_honest = each.reply.status >= 500
            if cell.service == "Coupa's decision":
                is_honest = is_honest or each.reply.body["outcome"] == "unconfirmed"
            assert is_honest, (cell, each.reply)
    assert on.coupa.decisions == []
