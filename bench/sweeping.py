"""One process that sweeps on command: it reads a line of JSON, and answers with a line of JSON.

It imports `coupa_core` from the `PYTHONPATH`, so that another build can be measured in the same way, and of
the benchmark only the modules beside this file.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import random
import re
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from coupa_core import app
from coupa_core.app import Bridge, build
from coupa_core.ledger import MemoryStore
from coupa_core.settings import read_settings
from coupa_core.table_ledger import TableStore
from coupa_core.tables import table_client

MAX_SWEEPS = 10

Overrides = vars(app).get("Overrides") or vars(app)["Parts"]
"""Earlier builds call it `Parts`."""

Clock = Any
Answer = dict[str, Any]


def main() -> None:
    """Answer each line of standard input until it ends."""
    logging.disable(logging.CRITICAL)
    # By its file: the package `bench` may belong to the measured build.
    clock: Clock = importlib.import_module("tempo").Tempo.of_environment()
    bridge: Bridge | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        clock.ahead_s = asked.get("ahead_s", 0.0)
        if "announce" in asked:
            said = announce(asked["announce"], clock)
        else:
            bridge = bridge or build(read_settings(dict(os.environ)), Overrides(clock, random.Random()))
            said = sweep(bridge, clock)
        print(json.dumps(said, default=str), flush=True)


def sweep(bridge: Bridge, clock: Clock) -> Answer:
    """Sweep once; return the duration, the counts, the status row, and the largest memory."""
    began_s, began_cpu_s = clock.monotonic(), time.process_time()
    summary = bridge.sweep.run()
    return {
        "seconds": clock.monotonic() - began_s,
        "cpu_s": time.process_time() - began_cpu_s,
        "is_complete": summary.is_complete,
        "failure": summary.failure,
        "counts": summary.counts,
        "status": asdict(bridge.sweep.deps.ledger.store.status()),
        "peak_mb": peak_bytes() / 1e6,
    }


def announce(approvals: int, clock: Clock) -> Answer:
    """Announce all pending approvals, with the rows in memory, and copy them: this is not about the table.

    Raises:
        RuntimeError: it could not announce all of them.
    """
    store = MemoryStore()
    settings = {**os.environ, "COUPA_MAX_PER_SECOND": "25"}
    sweep = build(read_settings(settings), Overrides(clock, random.Random(), store=store)).sweep
    for _ in range(MAX_SWEEPS):
        sweep.run()
        rows = store.open_entries().entries
        if len(rows) == approvals and all(any(row.told.values()) for row in rows):
            break
    else:
        raise RuntimeError(f"{approvals} approvals could not be announced in {MAX_SWEEPS} sweeps")
    connection, table = os.environ["LEDGER_CONNECTION"], os.environ["LEDGER_TABLE"]
    with table_client(connection=connection, account_url="", table=table) as client:
        kept = TableStore(client)
        kept.save_status(store.status())
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda row: kept.insert(replace(row, etag="")), rows))
    return {"rows": len(rows)}


def peak_bytes() -> int:
    """Return the largest memory of this process.

    On Linux, a process inherits `ru_maxrss` from its parent, so this reads the process's own record; on other
    systems, `ru_maxrss` is in bytes. Source: https://man7.org/linux/man-pages/man2/getrusage.2.html
    """
    record = Path("/proc/self/status")
    if record.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", record.read_text("ascii"))):
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
