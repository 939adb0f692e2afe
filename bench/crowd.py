"""`python -m bench.crowd`: many clicks at once, in one process and in several, at default settings.

With `--of FOLDER` the build in another checkout is measured, in the same world.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.ours import bridge, settings_for
from bench.services import services
from coupa_core.clock import Deadline, SystemClock
from coupa_core.endpoints import Request
from sandbox.azurite import INSTALL_HINT, azurite, is_installed
from sandbox.patience import at_most

ROOT = Path(__file__).resolve().parent.parent
APPROVER = "jamie@example.com"
LATENCY_S = 0.05
"""The latency each way: a call takes a tenth of a second."""

ANSWER_S = 300.0
"""The longest wait for a process of the crowd; one that is silent for longer is killed."""

COUPA_ALLOWS = 25
CROWDS = ((1, 16), (1, 30), (1, 50), (4, 8), (8, 5))
"""The numbers of processes, and of clicks in each."""


@dataclass(frozen=True)
class Crowd:
    """The results of a crowd.

    Attributes:
        outcomes: the number of clicks with each outcome.
        refused_s: the time of the slowest answer to a click that was not carried out; None for none.
        last_s: the time of the last answer.
        decided: the number of decisions that Coupa applied.
        calls: to Coupa's API.
        most: the most calls in any one second.
        refused: the number of calls that Coupa refused for its own limit.
    """

    outcomes: Counter[str]
    refused_s: float | None
    last_s: float
    decided: int
    calls: int
    most: int
    refused: int


def main() -> int:
    """Measure every crowd; returns the exit status."""
    parser = argparse.ArgumentParser(prog="bench.crowd", description=__doc__)
    parser.add_argument("--of", type=Path, default=ROOT, help="the checkout to measure")
    checkout: Path = parser.parse_args().of
    if not is_installed():
        print(INSTALL_HINT)
        return 1
    print(f"Coupa takes {2 * LATENCY_S:g} s and allows {COUPA_ALLOWS} calls a second; Azurite")
    print("  processes x clicks  decided  calls  most/s  Coupa's 429  slowest refusal  last answer  outcomes")
    with azurite() as tables:
        for processes, clicks in CROWDS:
            crowd = measure(tables.connection_string, processes, clicks, checkout=checkout)
            said = ", ".join(f"{number} {what}" for what, number in crowd.outcomes.most_common())
            slowest = "-" if crowd.refused_s is None else f"{crowd.refused_s:.1f} s"
            print(
                f"  {processes:>9} x {clicks:<6}  {crowd.decided:>7}  {crowd.calls:>5}  {crowd.most:>6}"
                f"  {crowd.refused:>11}  {slowest:>15}  {crowd.last_s:>9.1f} s  {said}"
            )
    return 0


def measure(storage: str, processes: int, clicks: int, *, checkout: Path = ROOT) -> Crowd:
    """Let this many processes with this many clicks each approve different requests at the same time."""
    with services() as around:
        around.enter(processes * clicks)
        settings = settings_for(around, storage, f"crowd{uuid.uuid4().hex}")
        cards = _cards(settings, processes * clicks)
        around.be_slow(LATENCY_S)
        around.allow(COUPA_ALLOWS)
        crowd = [
            _start(settings, checkout, cards[start : start + clicks])
            for start in range(0, len(cards), clicks)
        ]
        for each in crowd:
            _line(each)
        time.sleep(2)  # the calls of the warm-up must not count against the crowd
        around.count_anew()
        for each in crowd:
            _tell(each, "go")
        ends = [end for each in crowd for end in json.loads(_line(each))]
        for each in crowd:
            with at_most(ANSWER_S, each.kill):
                each.communicate()
        answered = around.answered()
        refused = [end["seconds"] for end in ends if end["said"] != "approved"]
        return Crowd(
            outcomes=Counter(end["said"] for end in ends),
            refused_s=max(refused, default=None),
            last_s=max(end["seconds"] for end in ends),
            decided=around.decided(),
            calls=len(answered),
            most=most_in_a_second(at for at, _ in answered),
            refused=sum(status == 429 for _, status in answered),
        )


def most_in_a_second(times: Iterable[float]) -> int:
    """Return the largest number of these times within one second.

    >>> most_in_a_second([0.0, 0.5, 0.9, 1.2, 3.0])
    3
    """
    most, recent = 0, deque[float]()
    for at in sorted(times):
        recent.append(at)
        while at - recent[0] >= 1.0:
            recent.popleft()
        most = max(most, len(recent))
    return most


def _cards(settings: dict[str, str], number: int) -> list[dict[str, str]]:
    """Return the approver's card of each request."""
    quick = bridge({**settings, "COUPA_MAX_PER_SECOND": "25"})
    pending = quick.sweep.deps.coupa.pending(Deadline(SystemClock(), 60)).approvals
    cards = []
    for approval_id in (approval.id for approval in pending):
        reply = quick.endpoints.handle(
            "get_approval",
            Request(headers={"X-Actor-Email": APPROVER}, route={"approval_id": str(approval_id)}),
        )
        cards.append(
            {"actor": APPROVER, "approval_id": str(approval_id), "action_token": reply.body["action_token"]}
        )
    if len(cards) != number:
        sys.exit(f"the measurement is not what it says: {len(cards)} cards instead of {number}")
    return cards


def _start(settings: dict[str, str], checkout: Path, cards: list[dict[str, str]]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "bench" / "clicking.py")],
        env={**os.environ, **settings, "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _tell(process, json.dumps(cards))
    return process


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    with at_most(ANSWER_S, process.kill):
        line = process.stdout.readline()
    if not line:
        raise RuntimeError("a process of the crowd ended without an answer")
    return line


if __name__ == "__main__":
    sys.exit(main())
