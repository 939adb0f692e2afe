"""`python -m bench.click`: one click after another, each warm and on an announced approval.

With `--beside FOLDER` the build in another checkout is measured in turn in the same world, with the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import uuid
from pathlib import Path

from bench.clicking import IN_TURN
from bench.ours import announce_all, bridge, settings_for
from bench.services import Services, services
from coupa_core.endpoints import Request
from sandbox.azurite import INSTALL_HINT, azurite, is_installed

ROOT = Path(__file__).resolve().parent.parent
APPROVER = "jamie@example.com"
LATENCY_S = 0.1
"""The latency each way, in seconds."""

CLICKS = 8
"""The clicks of each run; a first one, which warms the process up, is not counted."""

RATES = (5, 25)
"""The calls a second that the setting allows: the default, and the most."""


def main() -> int:
    """Measure at every rate; returns the exit status."""
    parser = argparse.ArgumentParser(prog="bench.click", description=__doc__)
    parser.add_argument("--beside", type=Path, help="another checkout, measured by turns with this one")
    other: Path | None = parser.parse_args().beside
    if not is_installed():
        print(INSTALL_HINT)
        return 1
    turns = [("now", ROOT)] * 2
    if other:
        turns = [("before", other), ("now", ROOT), ("now", ROOT), ("before", other)]
    print(f"Coupa takes {2 * LATENCY_S:g} s; Azurite; {CLICKS} clicks in a run; medians of {len(turns)} runs")
    with azurite() as tables:
        for rate in RATES:
            seconds: dict[str, list[float]] = {}
            for name, checkout in turns:
                seconds.setdefault(name, []).extend(measure(tables.connection_string, checkout, rate))
            medians = {name: statistics.median(each) for name, each in seconds.items()}
            said = ", ".join(f"{name} {median:.3f} s" for name, median in medians.items())
            ratio = f", ratio {medians['now'] / medians['before']:.2f}" if other else ""
            print(f"  one warm click at {rate} calls a second: {said}{ratio}", flush=True)
    return 0


def measure(storage: str, checkout: Path, rate: int, *, clicks: int = CLICKS) -> list[float]:
    """Let a build decide the announced approvals, one after the other; returns the duration of each click."""
    with services() as around:
        around.enter(clicks + 1)
        settings = settings_for(around, storage, f"click{uuid.uuid4().hex}")
        settings["COUPA_MAX_PER_SECOND"] = str(rate)
        announce_all(settings, clicks + 1)
        cards = _cards(settings)
        around.be_slow(LATENCY_S)
        done = subprocess.run(
            [sys.executable, str(ROOT / "bench" / "clicking.py"), IN_TURN],
            env={**os.environ, **settings, "PYTHONPATH": str(checkout)},
            input=json.dumps(cards),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=600,
        )
        _expect_all_decided(around, clicks + 1)
    return [answer["seconds"] for answer in json.loads(done.stdout)[1:]]


def _cards(settings: dict[str, str]) -> list[dict[str, str]]:
    """Return the approvals that the approver may decide."""
    listing = bridge(settings).endpoints.handle("list_approvals", Request(query={"user_email": APPROVER}))
    return [{**card, "actor": APPROVER} for card in listing.body["approvals"]]


def _expect_all_decided(around: Services, number: int) -> None:
    if around.decided() != number:
        sys.exit(f"the measurement is not what it says: {around.decided()} decisions instead of {number}")


if __name__ == "__main__":
    sys.exit(main())
