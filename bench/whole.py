"""`python -m bench.whole`: 50,000 announced approvals are pending, and a call to Coupa takes a second.

One sweep begins in each minute, as in use; all processes jump over the rest of a minute, so that the times
are those of a wall clock. `--speed` makes a minute shorter, with latency and rates alike; the processor's
share then counts as a multiple. The benchmark sees the progress through the whole list by its effects alone:
the bridge announces approvals that no question for changes can show, and closes the rows of approvals that
vanished without a trace, all over the range of ids.

In the last run, the sweeping process is killed twice in the middle.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.figures import Figures
from bench.ours import settings_for
from bench.services import Services, services
from bench.sweeper import ROOT, Sweeper, sweeper
from bench.tempo import Tempo
from bench.told import keep, left, made
from coupa_core.ledger import Entry, Status
from sandbox.azurite import INSTALL_HINT, azurite, is_installed

PENDING = 50_000
LATENCY_S = 0.5
"""The latency each way, in seconds."""

TOLD_AGO = timedelta(minutes=30)
"""The time of all announcements: a pass through the list is due."""

SIGNS = 20
"""The approvals that only the pass can find, and as many that vanished."""

MINUTE_S = 60.0
KILL_AFTER_S = 20.0
"""The time into a sweep at which its process is killed, in seconds."""

KILLED = (1, 2)
"""The sweeps of the last run with a kill, counted from 0."""

BOUND_S = {25: 900}
"""The bound of a whole pass, by the calls a second of the setting; elsewhere the rate decides."""


@dataclass
class Run:
    """The observations from outside.

    Attributes:
        passed_s: from the begin of the first sweep to the end of the sweep that completed the pass; None if
            none did.
        delays: for each new approval, the sweep that announced it; 0 for never.
        calls: to Coupa in each sweep, and the calls among them that read the list.
        quiet_calls: the same for a sweep after the pass, with nothing new; None where each reads the list.
        seconds: of each sweep.
        cpu_s: the same, for the processor.
        peak_mb: the largest memory of a sweeping process.
        lost: pending approvals that were never announced.
        repeated: messages beyond the first about an approval.
        failures: codes, by the number of sweeps with them.
    """

    passed_s: float | None = None
    delays: dict[int, int] = field(default_factory=dict)
    calls: list[tuple[int, int]] = field(default_factory=list)
    quiet_calls: int | None = None
    seconds: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    lost: int = 0
    repeated: int = 0
    failures: Counter[str] = field(default_factory=Counter)


def main() -> int:
    """Measure; returns the exit status."""
    parser = argparse.ArgumentParser(prog="bench.whole", description=__doc__)
    parser.add_argument("--of", type=Path, default=ROOT, help="the checkout to measure")
    parser.add_argument("--pending", type=int, default=PENDING, help="how many wait")
    parser.add_argument("--minutes", type=int, default=20, help="sweeps after which a run is given up")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds that pass in one")
    options = parser.parse_args()
    if not is_installed():
        print(INSTALL_HINT)
        return 1
    figures = Figures()
    print(
        f"{options.pending:,} pending and told; Coupa takes {2 * LATENCY_S:g} s; Azurite; "
        f"one sweep a minute, time runs {options.speed:g} times as fast"
    )
    with azurite() as tables:
        around_runs(figures, tables.connection_string, options)
    print(f"\n{figures.missed} bounds missed" if figures.missed else "\nevery bound is kept")
    return 1 if figures.missed else 0


def around_runs(figures: Figures, storage: str, options: Any) -> None:
    """Make the rows once, and do each run in a world of its own."""
    tempo = Tempo(time.time(), options.speed)
    told_at = (tempo.now() - TOLD_AGO).replace(microsecond=0)
    entered_at = told_at - timedelta(days=1)
    with services() as around:
        settings = settings_for(around, storage, "none")
    rows, status = made(settings, options.pending, entered_at=entered_at, told_at=told_at)
    for rate, kills in ((25, False), (5, False), (25, True)):
        tempo = Tempo(time.time(), options.speed)
        with services(tempo) as around:
            ids = around.fill(options.pending, entered_at)
            settings = settings_for(around, storage, f"whole{uuid.uuid4().hex}")
            settings["COUPA_MAX_PER_SECOND"] = str(rate)
            stage = Stage(around, settings, tempo, options.of.resolve(), kills=KILLED if kills else ())
            done = stage.run(ids, rows, status, minutes=options.minutes)
        figures.section(f"{rate} calls a second{', killed twice' if kills else ''}")
        show(figures, done, at_most_s=BOUND_S.get(rate), is_killed=kills)


def show(figures: Figures, done: Run, *, at_most_s: float | None, is_killed: bool) -> None:
    """Print the observations of a run, with the bounds."""
    sweeps = " ".join(f"{calls - listed}+{listed}" for calls, listed in done.calls)
    print(f"  calls beside the list and calls for it, in each sweep: {sweeps}")
    print(f"  seconds of each sweep: {' '.join(f'{each:.0f}' for each in done.seconds)}")
    print(f"  of these the processor's, the most: {max(done.cpu_s, default=0):.1f}")
    print(f"  failures: {dict(done.failures) or 'none'}")
    never = sum(not each for each in done.delays.values())
    figures.bound("new approvals that were not told", never, at_most=0)
    slowest = math.inf if never else max(done.delays.values())
    if is_killed:  # the claims of a killed process wait for the end of the lease
        figures.show("sweeps until the slowest new one was told", str(slowest))
    else:
        figures.bound("sweeps until the slowest new one was told", slowest, at_most=2)
    if not is_killed:
        quiet = done.quiet_calls if done.quiet_calls is not None else sum(done.calls[-1])
        figures.bound("calls of a sweep that reads no list", quiet, at_most=6)
    if done.passed_s is None:
        figures.bound("passes that came to their end", 0, at_least=1)
    elif at_most_s:
        figures.bound("a whole pass: seconds", done.passed_s, at_most=at_most_s)
    else:
        figures.show("a whole pass: seconds", f"{done.passed_s:.0f}")
    figures.bound("peak memory, in MB", done.peak_mb, at_most=250)
    figures.bound("lost", done.lost, at_most=0)
    figures.show("told more than once", str(done.repeated))


class Stage:
    """One run."""

    def __init__(
        self, around: Services, settings: dict[str, str], tempo: Tempo, checkout: Path, *, kills: Any
    ) -> None:
        self._around = around
        self._settings = settings
        self._tempo = tempo
        self._checkout = checkout
        self._kills = kills
        self._done = Run()
        self._entered: dict[int, int] = {}

    def run(self, ids: list[int], rows: list[Entry], status: Status, *, minutes: int) -> Run:
        """Sweep once a minute until the pass is complete, and then until a sweep reads no list."""
        step = len(ids) // SIGNS
        # An approval that no stamp shows makes every sweep read the list for a day: then no sweep is quiet.
        unseen, vanished = set(ids[step // 2 :: step] if self._kills else ()), ids[step // 3 :: step]
        keep(self._settings, [row for row in rows if row.approval_id not in unseen], status)
        self._around.remove(vanished)
        self._around.be_slow(LATENCY_S)
        number = 0
        began_s = self._tempo.monotonic()
        while number < minutes:
            with sweeper(self._settings, self._checkout, self._tempo) as process:
                while number < minutes:
                    is_killed = number in self._kills
                    self._sweep(process, number, is_killed=is_killed)
                    number += 1
                    if self._done.passed_s is None and self._is_through(unseen, vanished):
                        self._done.passed_s = self._ended_s - began_s
                    is_quiet = not self._done.calls[-1][1] or bool(self._kills)
                    if self._done.passed_s is not None and not is_killed and is_quiet:
                        self._count_quiet(process)
                        return self._ended({*unseen, *self._entered})
                    self._wait()
                    if is_killed:
                        break
        return self._ended({*unseen, *self._entered})

    def _sweep(self, process: Sweeper, number: int, *, is_killed: bool) -> None:
        around, done = self._around, self._done
        self._entered[around.add()] = number
        around.count_anew()
        self._began_s = self._tempo.monotonic()
        process.begin()
        if is_killed:
            self._tempo.sleep(KILL_AFTER_S)
            process.kill()
        else:
            self._note(process.end())
        self._ended_s = self._tempo.monotonic()
        done.calls.append((around.calls()[0], around.listed()))
        told = set(around.told())
        for each, first in self._entered.items():
            if each in told:
                done.delays.setdefault(each, number - first + 1)

    def _note(self, said: dict[str, Any]) -> None:
        done = self._done
        done.seconds.append(said["seconds"])
        done.cpu_s.append(said["cpu_s"])
        done.peak_mb = max(done.peak_mb, said["peak_mb"])
        if said["failure"]:
            done.failures[said["failure"]] += 1

    def _count_quiet(self, process: Sweeper) -> None:
        """Sweep once more with nothing new."""
        self._wait()
        self._around.count_anew()
        self._note(process.sweep())
        if not self._around.listed():
            self._done.quiet_calls = self._around.calls()[0]

    def _wait(self) -> None:
        """Let the rest of the minute pass."""
        self._tempo.ahead_s += max(0.0, MINUTE_S - (self._tempo.monotonic() - self._began_s))
        self._around.jump(self._tempo.ahead_s)

    def _is_through(self, unseen: set[int], vanished: list[int]) -> bool:
        """Tell whether everything that only a whole pass can find was found."""
        return unseen <= set(self._around.told()) and not left(self._settings, vanished)

    def _ended(self, owed: set[int]) -> Run:
        told = Counter(self._around.told())
        for each in self._entered:
            self._done.delays.setdefault(each, 0)
        self._done.lost = len(owed - told.keys())
        self._done.repeated = sum(told.values()) - len(told)
        return self._done


if __name__ == "__main__":
    sys.exit(main())
