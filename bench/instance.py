"""`python -m bench.instance`: clicks that come at once over HTTP, at one instance under the local host.

Coupa, Moveworks, Azurite, the host and its worker are processes of their own. Each click approves another
approval, with the token of the instance's own message about it; each caller gives up after ten seconds. The
instance has the threads and limits of its checkout's deployment. With `--beside FOLDER` the build in another
checkout is measured in turn, under the host of this one.

With `--rounds K`, K crowds come one after another within a minute while the timer runs, and the health route
is asked as an availability test asks it.
"""

from __future__ import annotations

import argparse
import sys
import time
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.callers import PATIENCE_S, Answer, Card, Kind, call, click_at_once
from bench.deployed import ROOT, Build, Instance, build_in, instance
from bench.ours import settings_for
from bench.seen import HEAD, Seen, compared, health_line, line
from bench.services import Services, services
from bench.watch import Health, watched
from sandbox.azurite import INSTALL_HINT, azurite, is_installed

CROWDS = (30, 100, 150)

CASES = ((0.2, 25), (1.0, 25), (0.2, 5))
"""Pairs of the seconds of a call to Coupa and our calls a second; the last pair has the default rate."""

ALLOWED = 25
"""The calls a second that Coupa allows.

Source: https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/\
the-coupa-core-api/get-started-with-the-api/exception-handling-and-error-codes
"""

CALLS = 4
"""The calls of a click to Coupa."""

MINUTE_S = 60.0
SETTLING_S = 2.0
"""The pause after announcing, whose calls must not count against the crowd, in seconds."""

MAX_SWEEPS = 10


@dataclass(frozen=True)
class Case:
    """The services around an instance.

    Attributes:
        storage: the connection string.
        call_s: the duration of a call to Coupa, in seconds.
        rate: the app's setting of calls a second.
        rounds: crowds within a minute; 1 for one crowd by itself, without a timer.
        allowed: the calls a second that Coupa accepts; it refuses the others.
    """

    storage: str
    call_s: float
    rate: int
    rounds: int = 1
    allowed: int = ALLOWED


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every case; returns the exit status: 1 when this build answered somebody late or wrongly."""
    parser = argparse.ArgumentParser(prog="bench.instance", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--crowd", type=int, nargs="+", metavar="N", help="clicks at once")
    parser.add_argument("--call", type=float, metavar="S", help="seconds that a call to Coupa takes")
    parser.add_argument("--rate", type=int, metavar="R", help="calls a second that we make to Coupa")
    parser.add_argument("--allowed", type=int, default=ALLOWED, metavar="A", help="that Coupa allows")
    parser.add_argument("--rounds", type=int, default=1, metavar="K", help="crowds within a minute")
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="another checkout, measured by turns")
    options = parser.parse_args(arguments)
    if not is_installed():
        print(INSTALL_HINT)
        return 1
    try:
        now = build_in(ROOT, "now")
        before = build_in(options.beside, "before") if options.beside else None
    except ValueError as error:
        print(error)
        return 2
    for each in filter(None, (before, now)):
        print(
            f"{each.name}: {each.threads} threads, {each.running} requests run at once, "
            f"{each.outstanding} outstanding"
        )
    cases = CASES if options.call is None and options.rate is None else ((options.call, options.rate),)
    crowds = options.crowd or (CROWDS if options.rounds == 1 else (100,))
    missed = 0
    with azurite() as tables:
        for call_s, rate in cases:
            case = Case(
                tables.connection_string,
                call_s=call_s or CASES[0][0],
                rate=rate or CASES[0][1],
                rounds=options.rounds,
                allowed=options.allowed,
            )
            missed += measure_all(case, crowds, now=now, before=before)
    print(f"\n{missed} crowds with late or untrue answers" if missed else "\nno answer is late or untrue")
    return 1 if missed else 0


def measure_all(case: Case, crowds: Iterable[int], *, now: Build, before: Build | None) -> int:
    """Measure crowds at both builds in turn, print them, and return the number of this build's failures."""
    print(f"\na call to Coupa takes {case.call_s:g} s, {case.rate} of {case.allowed} calls a second", end="")
    print(f"; {case.rounds} crowds within a minute" if case.rounds > 1 else "")
    print(HEAD)
    turns = [now] if before is None else [before, now, now, before]
    missed = 0
    for clicks in crowds:
        seen: dict[str, list[Seen]] = {}
        for build in turns:
            one = measure(case, build, clicks)
            seen.setdefault(build.name, []).append(one)
            print(line(build.name, one), flush=True)
            if case.rounds > 1:
                print(f"          {health_line(one)}", flush=True)
            missed += build is now and bool(one.kinds[Kind.LATE] or one.untrue)
        if before is not None:
            carried = int(case.rounds * PATIENCE_S * case.rate / CALLS) * len(seen["now"])
            print(compared(seen["before"], seen["now"], carried=carried), flush=True)
    return missed


def measure(case: Case, build: Build, clicks: int) -> Seen:
    """Let this many people click at once on the announced approvals of one instance."""
    with services() as around:
        around.enter(clicks * case.rounds)
        table = f"instance{uuid.uuid4().hex}"
        settings = settings_for(around, case.storage, table) | {"COUPA_MAX_PER_SECOND": str(case.rate)}
        with instance(build, settings, has_timers=case.rounds > 1) as one:
            cards = announced(one, around, clicks * case.rounds)
            around.be_slow(case.call_s / 2)
            around.allow(case.allowed)
            time.sleep(SETTLING_S)
            around.count_anew()
            health: Sequence[Health] = ()
            if case.rounds == 1:
                answers = click_at_once(one.url, cards)
            else:
                answers, health = crowded_minute(one, cards, case.rounds)
            return Seen(answers, around.decided_ids(), around.answered(), one.peak_mb(), health)


def announced(one: Instance, around: Services, number: int) -> list[Card]:
    """Let an instance announce all pending approvals, and warm it up for clicks; return the cards.

    Raises:
        RuntimeError: it could not announce all of them.
    """
    for _ in range(MAX_SWEEPS):
        one.sweep()
        cards = around.cards()
        if len(cards) >= number:
            break
    if len({card.approval_id for card in cards}) != number or len(cards) != number:
        raise RuntimeError(f"{len(cards)} messages about {number} approvals")
    path = f"/api/approvals/{cards[0].approval_id}"
    status, _, _ = call(one.url, path, headers={"X-Actor-Email": cards[0].actor}, timeout_s=PATIENCE_S)
    if status != 200:
        raise RuntimeError(f"an approval was shown with {status}")
    return cards


def crowded_minute(
    one: Instance, cards: Sequence[Card], rounds: int
) -> tuple[list[Answer], Sequence[Health]]:
    """Let the crowds come at even intervals, whether the clicks before have answers or not."""
    size = len(cards) // rounds
    with watched(one.url) as health, ThreadPoolExecutor(rounds) as crowds:
        begun = []
        for start in range(0, len(cards), size):
            begun.append(crowds.submit(click_at_once, one.url, cards[start : start + size]))
            time.sleep(MINUTE_S / rounds)
        return [answer for each in begun for answer in each.result()], health


if __name__ == "__main__":
    sys.exit(main())
