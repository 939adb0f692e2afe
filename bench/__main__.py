"""`make bench`: the figures of docs/promises.md, each beside its bound; ends with 1 when one is missed.

With the folder of another checkout as its argument it measures both; see `bench.beside`.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import beside
from bench.figures import Figures
from bench.guide import poll_once
from bench.ours import account, announce_all, bridge, quiet_sweep, settings_for
from bench.services import Services, services
from coupa_core.endpoints import Request
from sandbox.azurite import INSTALL_HINT, azurite, is_installed

LATENCY_S = 0.1
"""The latency each way, in seconds."""

NEW = 50
IMPORTS = 15
APPROVER = "jamie@example.com"


def main() -> int:
    """Measure everything; returns the exit status."""
    if not is_installed():
        print(INSTALL_HINT)
        return 1
    figures = Figures()
    print(f"Simulators with {LATENCY_S * 1000:.0f} ms each way, Azurite, Python {sys.version.split()[0]}\n")
    with azurite() as tables:
        _new(figures, tables.connection_string)
        for pending in (500, 5000):
            _quiet(figures, tables.connection_string, pending)
        _click(figures, tables.connection_string)
    _import(figures)
    print(f"\n{figures.missed} bounds missed" if figures.missed else "\nevery bound is kept")
    return 1 if figures.missed else 0


def _new(figures: Figures, storage: str) -> None:
    """Announce new approvals with both methods."""
    figures.section(f"{NEW} new approvals, Moveworks' limit lifted")
    with services() as around:
        around.enter(NEW)
        around.be_slow(LATENCY_S)
        guide_s, (api, token, sends) = _measured(around, lambda: poll_once(around))
        figures.show("the guide's manner: seconds", f"{guide_s:.2f}")
        figures.show("the guide's manner: calls to Coupa, with the token", str(api + token))
        _expect(sends, NEW)
        sweep = bridge(settings_for(around, storage, "new")).sweep
        ours_s, (api, token, sends) = _measured(around, sweep.run)
        figures.show("ours: seconds", f"{ours_s:.2f}")
        figures.show("ours: calls for the token", str(token))
        figures.bound("ours: calls to Coupa", api, at_most=3 * math.ceil(NEW / 50) + 3)
        _expect(sends, NEW)
        figures.bound("ours is so many times faster", guide_s / ours_s, at_least=8)


def _quiet(figures: Figures, storage: str, pending: int) -> None:
    """Sweep when nothing is new."""
    figures.section(f"{pending:,} pending, nothing new")
    with services() as around:
        around.enter(pending)
        settings = settings_for(around, storage, f"quiet{pending}")
        announce_all(settings, pending)
        around.be_slow(LATENCY_S)
        around.count_anew()
        quiet = quiet_sweep(settings)
        api, _, sends = around.calls()
        _expect(sends, 0)
        figures.show("seconds", f"{quiet.seconds:.1f}")
        figures.bound("calls to Coupa", api, at_most=math.ceil(pending / 50) + 3)
        figures.bound("peak memory, in MB", quiet.peak_mb, at_most=150)
        around.be_slow(0)
        accounted = account(settings)
        _expect((accounted.total, accounted.unaccounted), (pending, 0))
        figures.bound("accounting for all, beside the reads: seconds", accounted.beside_s, at_most=2)


def _click(figures: Figures, storage: str) -> None:
    """Approve the announced requests: with a new process, and with one that has a token and connections."""
    figures.section("one click")
    with services() as around:
        around.enter(2)
        settings = settings_for(around, storage, "click")
        announce_all(settings, 2)
        cards = bridge(settings).endpoints.handle("list_approvals", Request(query={"user_email": APPROVER}))
        around.be_slow(LATENCY_S)
        endpoints = bridge(settings).endpoints
        for manner, card in zip(("cold", "warm"), cards.body["approvals"], strict=True):
            request = Request(
                headers={"X-Actor-Email": APPROVER, "X-Action-Token": card["action_token"]},
                route={"approval_id": card["approval_id"]},
            )
            outcomes: list[object] = []
            seconds, (api, _, _) = _measured(
                around,
                lambda request=request, outcomes=outcomes: outcomes.append(  # type: ignore[misc]
                    endpoints.handle("approve", request).body.get("outcome")
                ),
            )
            _expect(outcomes, ["approved"])
            figures.show(f"{manner}: seconds", f"{seconds:.2f}")
            figures.bound(f"{manner}: calls to Coupa beside the token", api, at_most=4)
            time.sleep(1)  # as in most seconds, there was no call to Coupa just before


def _import(figures: Figures) -> None:
    """Import the app and the library in new interpreters, in turn."""
    figures.section("import")
    app, library = [], []
    for _ in range(IMPORTS):
        app.append(_import_s("function_app"))
        library.append(_import_s("azure.functions"))
    figures.show("azure.functions: milliseconds", f"{statistics.median(library) * 1000:.0f}")
    figures.show("function_app: milliseconds", f"{statistics.median(app) * 1000:.0f}")
    figures.bound("ratio", statistics.median(app) / statistics.median(library), at_most=1.3)


def _import_s(module: str) -> float:
    program = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return float(done.stdout)


def _measured(around: Services, work: Callable[[], object]) -> tuple[float, tuple[int, int, int]]:
    around.count_anew()
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s, around.calls()


def _expect(got: object, wanted: object) -> None:
    if got != wanted:
        sys.exit(f"the measurement is not what it says: {got!r} instead of {wanted!r}")


if __name__ == "__main__":
    sys.exit(beside.main(Path(sys.argv[1])) if sys.argv[1:] else main())
