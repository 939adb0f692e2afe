"""Runs the schedules of an app's timers, and keeps their state as a host does in its storage.

Hosts that share a folder as their storage are instances of one app. They have one lock for each timer, and
its holder runs the timer. The lock is a lease: it ends some time after its holder has died.

Sources, read 2026-11:
    https://github.com/Azure/azure-webjobs-sdk-extensions (TimerListener.cs: past due, and what follows an
        overrun; TimerSchedule.cs: schedules under a minute are not monitored)
    https://github.com/Azure/azure-webjobs-sdk (SingletonManager.cs: the lock of a listener)
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import CLOCK_MONOTONIC, clock_gettime
from typing import Protocol

from sandbox.clock import Clock
from sandbox.ncrontab import Schedule

STEP_S = 0.1
"""The longest sleep, before a check whether the time was moved or the timers are stopped, in seconds."""
MONITORED_FROM = timedelta(minutes=1)

logger = logging.getLogger("host")


class Memory(Protocol):
    """The memory of one timer."""

    def is_ours(self) -> bool:
        """Tell whether this host may run the timer now; takes or renews its lock."""
        ...

    def next_time(self) -> datetime | None:
        """Return the last planned time, aware UTC; None when it is unknown."""
        ...

    def keep(self, last: datetime | None, next_time: datetime | None) -> None:
        """Remember the last run and the next, aware UTC."""
        ...

    def release(self) -> None:
        """Release the lock."""
        ...


class NoMemory:
    """Without memory, and without other hosts."""

    def is_ours(self) -> bool:
        """Return True."""
        return True

    def next_time(self) -> datetime | None:
        """Return nothing."""
        return None

    def keep(self, last: datetime | None, next_time: datetime | None) -> None:
        """Remember nothing."""

    def release(self) -> None:
        """Do nothing."""


class FolderMemory:
    """One timer in a folder: `NAME.status.json` (`last`, `next`) and `NAME.lock.json`.

    A file that holds something else counts as absent, and is written anew. While the folder cannot be used,
    this host does not get the lock, and the log says so once.

    Args:
        folder: the storage; it is created where it is missing.
        name: of the timer.
        lease_s: how long the lock outlives its holder.
    """

    def __init__(self, folder: Path, name: str, *, lease_s: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._status = folder / f"{name}.status.json"
        self._lock = folder / f"{name}.lock.json"
        self._lease_s = lease_s
        self._owner = str(uuid.uuid4())
        self._is_released = threading.Event()
        self._complaint = ""
        threading.Thread(target=self._renew, name=f"lock {name}", daemon=True).start()

    def is_ours(self) -> bool:
        """Take the lock if it is free or ours; the lock of a dead host ends with its lease."""
        return self._change_lock(self._after_asking)

    def _after_asking(self, now: float, holder: str, until: float) -> tuple[str, float] | None:
        # A time beyond a lease from now is from before a restart of the machine.
        is_held = holder != self._owner and now < until <= now + self._lease_s
        return None if is_held else (self._owner, now + self._lease_s)

    def release(self) -> None:
        """Let another host take the lock at once."""
        self._is_released.set()
        self._change_lock(lambda _now, holder, _until: ("", 0.0) if holder == self._owner else None)

    def _change_lock(self, change: Callable[[float, str, float], tuple[str, float] | None]) -> bool:
        """Read the lock and write the result of `change`; False when it stays as it is."""
        try:
            is_changed = self._change_file(change)
        except OSError as error:
            self._complain(error)
            return False
        self._complaint = ""
        return is_changed

    def _change_file(self, change: Callable[[float, str, float], tuple[str, float] | None]) -> bool:
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        # Not the wall clock, which somebody may move; this clock is the same in all processes.
        with os.fdopen(
            os.open(self._lock, os.O_RDWR | os.O_CREAT), "r+", encoding="utf-8", errors="replace"
        ) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            changed = change(clock_gettime(CLOCK_MONOTONIC), *self._held(file.read()))
            if changed is None:
                return False
            # One length and one write: a host that is killed meanwhile leaves a complete text.
            text = f"{json.dumps({'holder': changed[0], 'until': changed[1]}):<120}".encode()
            os.pwrite(file.fileno(), text, 0)
            os.ftruncate(file.fileno(), len(text))  # of a spoiled file more may be left
        return True

    def _held(self, text: str) -> tuple[str, float]:
        """Return the holder of the lock, and until when; nobody if the text is not ours."""
        try:
            said = json.loads(text or "{}")
            return str(said.get("holder", "")), float(said.get("until", 0))
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            logger.warning("%s is not used: %r", self._lock.name, error)
            return "", 0.0

    def next_time(self) -> datetime | None:
        """Return the last planned time; None without a readable status."""
        try:
            planned = datetime.fromisoformat(json.loads(self._status.read_text("utf-8"))["next"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            logger.warning("%s is not used: %r", self._status.name, error)
            return None
        if planned.tzinfo is None:
            logger.warning("%s is not used: its next time has no zone", self._status.name)
            return None
        return planned

    def keep(self, last: datetime | None, next_time: datetime | None) -> None:
        """Write the status in one write; where that fails, the log says so and the timer goes on."""
        said = {"last": last and last.isoformat(), "next": next_time and next_time.isoformat()}
        new = self._status.with_suffix(f".{self._owner}")
        try:
            new.write_text(json.dumps(said), "utf-8")
            new.replace(self._status)
        except OSError as error:
            self._complain(error)

    def _complain(self, error: OSError) -> None:
        complaint = f"The state of the timers cannot be used: {error}"
        if complaint != self._complaint:
            logger.error("%s", complaint)
        self._complaint = complaint

    def _renew(self) -> None:
        """Renew the lock during a run of any length."""
        while not self._is_released.wait(self._lease_s / 4):
            self._change_lock(self._longer)

    def _longer(self, now: float, holder: str, _until: float) -> tuple[str, float] | None:
        return (holder, now + self._lease_s) if holder == self._owner else None


def keep(
    schedule: Schedule,
    run: Callable[[bool], object],
    clock: Clock,
    *,
    stopped: Callable[[], bool] = lambda: False,
    memory: Memory | None = None,
) -> None:
    """Call `run` at each time of the schedule until stopped, never twice at once.

    The next time counts from the start of a run. A run that lasted past it is followed by one run at once,
    and then by the schedule again. A time that passed without a host is followed by one run at once, which is
    told that it is past due.

    Args:
        schedule: the times.
        run: the function, called with whether it is past due; must not raise.
        clock: tells the time and sleeps.
        stopped: asked before each run.
        memory: the state from before, and the lock.
    """
    memory = memory or NoMemory()
    started: datetime | None = None
    while not stopped():
        if not memory.is_ours():
            started = None
            clock.sleep(STEP_S)
            continue
        is_past_due = started is None and _is_past_due(schedule, clock.now(), memory)
        if is_past_due:
            started = clock.now()
        else:
            started = started or clock.now()
            due = schedule.after(started)
            if due is None or not _sleep_until(due, clock, stopped):
                return
            if not memory.is_ours():
                continue
            started = max(due, clock.now())  # a sleep that ended early must not find the same time again
        run(is_past_due)
        memory.keep(started, schedule.after(started))


def _is_past_due(schedule: Schedule, now: datetime, memory: Memory) -> bool:
    """Tell whether the last planned time has passed; without one, remember the next."""
    following = schedule.after(now)
    second = following and schedule.after(following)
    if following is None or second is None or second - following < MONITORED_FROM:
        return False
    planned = memory.next_time()
    if planned is None:
        memory.keep(None, following)
    return planned is not None and planned < now


def _sleep_until(due: datetime, clock: Clock, stopped: Callable[[], bool]) -> bool:
    """Sleep; False when the timers are stopped."""
    while (left_s := (due - clock.now()).total_seconds()) > 0:
        if stopped():
            return False
        clock.sleep(min(left_s, STEP_S))
    return not stopped()
