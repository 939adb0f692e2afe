"""Hosts that share the timer's state: another host takes over, or makes up for an hour without any.

Time is not moved here, because a frozen host cannot be told; leases are short instead.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from proof.dying import die
from proof.processes import Host, wait_for
from proof.reckoning import Toll, reckon
from proof.stage import Stage, staged
from proof.steps import MOMENTS, Point
from proof.ways import Way
from sandbox.azurite import Azurite

AT_ONCE = 2
LEASE_S = 12
"""Of a claim: of a send's deadline, a sixth of it, enough is left on a machine that is busy."""

LOCK_S = 3
"""How long the lock of the timer outlives its host, here; at Microsoft a minute."""

QUIET_S = 0.4
"""No service is asked for so long between two sweeps."""

NAMES = ("127.0.0.1", "localhost")
"""What each of two hosts calls Coupa, so that it is seen who asks."""

TIMER = "poll_approvals"


class TimersHost(Way):
    """What comes to the host that runs the timer.

    Attributes:
        is_back: it goes on later.
    """

    is_back: ClassVar[bool] = False

    def __init__(self, host: Host) -> None:
        self._host = host


class TimersHostKilled(TimersHost):
    """Its worker is left behind, and ends its sweep."""

    name = "two hosts, the timer's is killed"
    ends = False

    def come(self, stage: Stage) -> None:
        self._host.kill()


class TimersMachineDies(TimersHost):
    """Host and worker end at once."""

    name = "two hosts, the timer's machine dies"

    def come(self, stage: Stage) -> None:
        self._host.fail()


class TimersHostFrozen(TimersHost):
    """It stands still, loses the lock, and goes on when another has swept."""

    name = "two hosts, the timer's is frozen"
    ends = False
    is_back = True

    def come(self, stage: Stage) -> None:
        self._host.freeze()


TAKEOVERS = (TimersHostKilled, TimersMachineDies, TimersHostFrozen)


class Pair:
    """Two hosts over one table and one state."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._hosts: dict[str, Host] = {}
        self.complete()

    def complete(self) -> None:
        """Start what is missing."""
        there = urlsplit(self._stage.settings["COUPA_BASE_URL"])
        for name in NAMES:
            if name not in self._hosts:
                self._hosts[name] = self._stage.start({"COUPA_BASE_URL": f"http://{name}:{there.port}"})

    def sweeper(self) -> str:
        """Return the name by which whoever sweeps asks Coupa, when a sweep has just ended."""
        wait_for(self._is_between_sweeps, "a sweep by the timer")
        return self._last_asker()

    def host(self, name: str) -> Host:
        return self._hosts[name]

    def lose(self, name: str) -> None:
        """Count one among those that have ended."""
        self._stage.leave(self._hosts.pop(name))

    def has_swept_beside(self, name: str, since: datetime) -> bool:
        """Tell whether another than this one has asked Coupa since."""
        calls = (call for call in reversed(self._stage.coupa.front.calls) if call.at > since)
        return any(not call.headers["Host"].startswith(name) for call in calls)

    def _last_asker(self) -> str:
        return self._stage.coupa.front.calls[-1].headers["Host"].partition(":")[0]

    def _is_between_sweeps(self) -> bool:
        calls = self._stage.coupa.front.calls
        asked = len(calls)
        time.sleep(QUIET_S)
        is_quiet = not self._stage.steps.under_way and len(calls) == asked
        age = self._stage.clock.now() - calls[-1].at if calls else timedelta.max
        return is_quiet and age < timedelta(seconds=2) and self._last_asker() in self._hosts


@contextmanager
def sharing(server: Azurite, schedule: str) -> Iterator[tuple[Stage, Path]]:
    """Yield a stage whose hosts keep their timers in one folder, and that folder."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--state", folder, "--lease", str(LOCK_S))
        settings = {"CLAIM_LEASE_S": str(LEASE_S), "POLL_SCHEDULE": schedule}
        with staged(server, settings=settings, options=options) as stage:
            yield stage, Path(folder)


def taking_over(way: type[TimersHost], server: Azurite, numbers: Iterable[int]) -> Toll:
    """Let deaths come to the host that runs the timer, while the other waits for its lock, and reckon."""
    with sharing(server, "*/2 * * * * *") as (stage, _):
        pair, whole = Pair(stage), Toll()
        for number in numbers:
            toll = _losing(stage, pair, way, _point(number))
            whole.add(toll)
            if not toll.faults:
                break
        pair.sweeper()  # the last sweep has come to its end, where it records what it told
        whole.add(reckon(stage))
        whole.missed[:] = [f"{way.name}: {each}" for each in whole.missed]
        return whole


def _losing(stage: Stage, pair: Pair, way: type[TimersHost], point: Point) -> Toll:
    """Let a death come in a sweep of the timer that has something to tell, and wait for the other host's."""
    stage.clear()
    pair.complete()
    name = pair.sweeper()
    host = pair.host(name)
    toll, before = Toll(runs=1), len(stage.news)
    owed = [stage.enter() for _ in range(AT_ONCE)]
    stage.steps.expect(point, partial(die, stage, way(host)), ends=way.ends)
    wait_for(lambda: len(stage.news) > before or _is_done(stage, owed), "a step of a sweep, or its end")
    step = stage.steps.forget()
    stage.note_death()
    if not step:
        return toll
    toll.faults = toll.steps = 1
    toll.reached.append((point.number, step))
    news, died_at = stage.news[-1]
    wait_for(lambda: stage.told(news) and pair.has_swept_beside(name, died_at), "a sweep by the other host")
    if way.is_back:
        host.thaw()
    else:
        host.await_workers()
        pair.lose(name)
    wait_for(lambda: _is_done(stage, (*owed, news)), f"what was claimed, {point}")
    return toll


def _point(number: int) -> Point:
    """Return the one or the other moment of a step, by turns, also where only every so manieth is passed."""
    return Point(number, MOMENTS[(number // 2 + number) % 2])


def _is_done(stage: Stage, numbers: Iterable[int]) -> bool:
    return all(map(stage.told, numbers)) and not stage.claimed()


def past_due(server: Azurite, numbers: Iterable[int]) -> Toll:
    """Let a machine die at steps of a sweep, be away for an hour, and come back, and reckon."""
    far = datetime.now(UTC) + timedelta(minutes=30)
    with sharing(server, f"0 {far.minute} * * * *") as (stage, folder):
        stage.start()
        whole = Toll()
        for number in numbers:
            toll = _being_away(stage, folder, _point(number))
            whole.add(toll)
            if not toll.faults:
                break
        whole.add(reckon(stage))
        whole.missed[:] = [f"an hour down: {each}" for each in whole.missed]
        return whole


def _being_away(stage: Stage, folder: Path, point: Point) -> Toll:
    """Let a machine die in a sweep and come back after the timer's time; nobody fires a sweep then."""
    stage.clear()
    owed, toll, host = [stage.enter() for _ in range(AT_ONCE)], Toll(runs=1), stage.host
    stage.steps.expect(point, host.fail, ends=True)
    host.fire()
    step = stage.steps.forget()
    stage.note_death()
    if not step:
        return toll
    toll.faults = toll.steps = 1
    toll.reached.append((point.number, step))
    stage.leave(host)
    news = stage.come_up()
    # An hour has passed since, for all that a host knows: its next run was due, and nobody has its lock.
    hours = [(stage.clock.now() - timedelta(hours=each)).isoformat() for each in (2, 1)]
    (folder / f"{TIMER}.status.json").write_text(json.dumps(dict(zip(("last", "next"), hours, strict=True))))
    (folder / f"{TIMER}.lock.json").unlink(missing_ok=True)
    stage.start()
    wait_for(lambda: stage.told(news), "a sweep that is past due")
    wait_for(lambda: _sweeps_to_the_end(stage, (*owed, news)), f"what was claimed, {point}")
    return toll


def _sweeps_to_the_end(stage: Stage, numbers: Iterable[int]) -> bool:
    time.sleep(1)
    stage.host.fire()
    return _is_done(stage, numbers)
