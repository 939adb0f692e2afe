"""The bridge as it is deployed, with the settings of a measurement."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from bench.services import API_KEY, CLIENT_ID, CLIENT_SECRET, EVENT_ID, Services
from bench.sweeping import peak_bytes
from coupa_core.app import Bridge, Overrides, build
from coupa_core.clock import SystemClock
from coupa_core.ledger import MemoryStore
from coupa_core.report import StatusReport
from coupa_core.settings import read_settings
from coupa_core.table_ledger import TableStore
from coupa_core.tables import table_client


@dataclass(frozen=True)
class Quiet:
    """A sweep without messages, in a process of its own.

    Attributes:
        seconds: for the sweep.
        peak_mb: the largest memory of the process, in millions of bytes.
    """

    seconds: float
    peak_mb: float


def settings_for(around: Services, storage: str, table: str) -> dict[str, str]:
    """Return the settings; only Moveworks' limit is lifted."""
    return {
        "COUPA_BASE_URL": around.coupa_url,
        "COUPA_CLIENT_ID": CLIENT_ID,
        "COUPA_CLIENT_SECRET": CLIENT_SECRET,
        "COUPA_CLIENT_LOGIN": "api-client",
        "MOVEWORKS_BASE_URL": around.moveworks_url,
        "MOVEWORKS_EVENT_ID": EVENT_ID,
        "MOVEWORKS_API_KEY": API_KEY,
        "MOVEWORKS_MAX_PER_MINUTE": "100000",
        "DIGEST_OVER": "0",  # a notice for each, as in the manner of the guide
        "ACTION_TOKEN_KEYS": '{"k1": "bm90LWEtc2VjcmV0LW5vdC1hLXNlY3JldC1ub3QtYS1zZWNyZXQ="}',
        "LIST_TOKENS": "on",  # what is clicked comes from the list
        "LEDGER_CONNECTION": storage,
        "LEDGER_TABLE": table,
        "AUDIT_TABLE": f"{table}audit",
    }


def bridge(settings: dict[str, str]) -> Bridge:
    """Build it, as the first call does."""
    return build(read_settings(settings), Overrides(SystemClock(), random.Random()))


def announce_all(settings: dict[str, str], approvals: int) -> None:
    """Announce all pending approvals, and keep the rows in the table.

    The rows are made in memory and copied: this measurement is not about the table.

    Raises:
        RuntimeError: it could not announce all of them.
    """
    store = MemoryStore()
    overrides = Overrides(SystemClock(), random.Random(), store=store)
    sweep = build(read_settings({**settings, "COUPA_MAX_PER_SECOND": "25"}), overrides).sweep
    for _ in range(10):
        sweep.run()
        rows = store.open_entries().entries
        if len(rows) == approvals and all(any(row.told.values()) for row in rows):
            break
    else:
        raise RuntimeError(f"{approvals} approvals could not be announced in ten sweeps")
    client = table_client(
        connection=settings["LEDGER_CONNECTION"], account_url="", table=settings["LEDGER_TABLE"]
    )
    with client:
        table = TableStore(client)
        table.save_status(store.status())
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda row: table.insert(replace(row, etag="")), rows))


def quiet_sweep(settings: dict[str, str]) -> Quiet:
    """Run one sweep in a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.ours"],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    return Quiet(**json.loads(done.stdout))


@dataclass(frozen=True)
class Accounted:
    """A status, and its duration without the reads of Coupa and of the ledger."""

    total: int
    unaccounted: int
    beside_s: float


class _Timed:
    """A service whose answers are timed."""

    def __init__(self, inside: Any) -> None:
        self._inside = inside
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        def timed(*arguments: Any) -> Any:
            began_s = time.perf_counter()
            try:
                return getattr(self._inside, name)(*arguments)
            finally:
                self.seconds += time.perf_counter() - began_s

        return timed


def account(settings: dict[str, str]) -> Accounted:
    """Account for all pending approvals, as `GET status` does."""
    deps = bridge({**settings, "COUPA_MAX_PER_SECOND": "25"}).sweep.deps
    coupa, store = _Timed(deps.coupa), _Timed(deps.ledger.store)
    report = StatusReport(
        store=store,
        coupa=coupa,
        directory=lambda: deps.directory,
        clock=deps.clock,
        lease=deps.lease,
        max_per_minute=100,
        full_list_minutes=10,
        versions={},
    )
    began_s = time.perf_counter()
    said = report.status(full=True)
    json.dumps(said)
    seconds = time.perf_counter() - began_s
    pending = said["pending"]
    return Accounted(pending["total"], pending["unaccounted"], seconds - coupa.seconds - store.seconds)


def _report_quiet_sweep() -> None:
    sweep = bridge(dict(os.environ)).sweep
    began_s = time.perf_counter()
    summary = sweep.run()
    seconds = time.perf_counter() - began_s
    if not summary.is_complete or summary.failure or summary.counts.get("sent"):
        sys.exit(f"not a quiet sweep: {summary}")
    print(json.dumps({"seconds": seconds, "peak_mb": peak_bytes() / 1e6}))


if __name__ == "__main__":
    _report_quiet_sweep()
