"""One process that sweeps when it is told to, by a line of JSON, and answers with a line of JSON.

It imports `coupa_core` from where `PYTHONPATH` says, so that another build can be measured the same way, and
of the benchmark only what lies beside this file.
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

from coupa_core.app import Bridge, Overrides, build
from coupa_core.ledger import MemoryStore
from coupa_core.settings import read_settings
from coupa_core.table_ledger import TableStore
from coupa_core.tables import table_client

MAX_SWEEPS = 10

Clock = Any
Answer = dict[str, Any]


def main() -> None:
    """Answer each line of standard input until it ends."""
    logging.disable(logging.CRITICAL)
    # By its file: the package `bench` may be that of the build that is measured.
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
    """Sweep once; say how long it took, what it counted, what the status row says, and the peak memory."""
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
    """Announce all that waits, with the rows in memory, and copy them: the table is not what is measured.

    Raises:
        RuntimeError: not everything could be announced.
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
    """Return the most memory that this process held.

    Linux hands `ru_maxrss` down from the process that started this one, so its own record is read there;
    elsewhere `ru_maxrss` is in bytes. Source: https://man7.org/linux/man-pages/man2/getrusage.2.html
    """
    record = Path("/proc/self/status")
    if record.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", record.read_text("ascii"))):
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
