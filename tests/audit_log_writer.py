"""`python audit_log_writer.py NAME EVENTS`: appends mixed events over four days, as one process among others.

The settings come from the environment; the days pass on a clock of this process, one hour for each append.
Only the pauses between races take real time: without them, two writers in step never leave it.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from coupa_core.app import Overrides, build_audit_logs  # noqa: E402 - found by the line above
from coupa_core.audit_log import Event, EventKind  # noqa: E402
from coupa_core.settings import read_settings  # noqa: E402
from sandbox.clock import ManualClock  # noqa: E402


class Hours(ManualClock):
    """A clock whose hours are passed by hand, and whose pauses are real."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        time.sleep(seconds)


def main(name: str, events: int) -> None:
    """Append so many events, one to twelve at a time."""
    chance = random.Random(name)
    clock = Hours()
    clock.advance(chance.uniform(0, 60))
    audit_logs = build_audit_logs(read_settings(os.environ), Overrides(clock, random.Random(name)))
    left = list(range(events))
    while left:
        size = chance.randint(1, 12)
        now, left = left[:size], left[size:]
        said = [
            Event(
                kind=chance.choice(list(EventKind)),
                at=clock.now(),
                approval_id=number,
                actor=f"{name}@example.com",
                cause=chance.choice(("", "=1+1", "über ☃", "two\nlines")),
            )
            for number in now
        ]
        chance.choice(audit_logs).append(said)
        clock.advance(3600)


main(sys.argv[1], int(sys.argv[2]))
