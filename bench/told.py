"""Rows of thousands of announced approvals, made by the product in a world like the measured one.

The time is moved by hand, so that no rate and no wait costs time; the rows go into the table a hundred at
once. The measurement begins afterwards.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime
from multiprocessing import get_context

import requests

from bench.services import API_KEY, CLIENT_ID, CLIENT_SECRET, EVENT_ID, fill
from coupa_core.app import Overrides, build
from coupa_core.audit_log import MemoryAuditStore
from coupa_core.ledger import Entry, MemoryStore, Status
from coupa_core.settings import read_settings
from coupa_core.table_ledger import OPEN, TableStore
from coupa_core.table_ledger import write_row as _row
from coupa_core.tables import table_client
from sandbox.clock import ManualClock
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import ON_HOLD, PENDING
from sandbox.moveworks import MoveworksSimulator
from sandbox.serving import InProcess

PROCESSES = 2
AT_ONCE = 2_500
"""The approvals that are pending at a time while rows are made: a list of this size is short."""

_TRANSACTION = 100
_SWEEPS = 6


def made(
    settings: dict[str, str], approvals: int, *, entered_at: datetime, told_at: datetime
) -> tuple[list[Entry], Status]:
    """Return the rows of this many announced approvals, and the status of the last sweep."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        works = [
            pool.submit(_made, settings, approvals, entered_at, told_at, part) for part in range(PROCESSES)
        ]
        parts = [work.result() for work in works]
    return [row for rows, _ in parts for row in rows], parts[-1][1]


def _made(
    settings: dict[str, str], approvals: int, entered_at: datetime, told_at: datetime, part: int
) -> tuple[list[Entry], Status]:
    """Make every other batch of rows."""
    logging.disable(logging.CRITICAL)
    clock = ManualClock(entered_at)
    coupa = CoupaSimulator(clock=clock, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    moveworks = MoveworksSimulator(clock=clock, api_key=API_KEY, event_id=EVENT_ID)
    moveworks.max_per_minute = None
    world = coupa.world
    for name in ("jamie", "sam"):  # as in the measured world, so that all numbers are the same
        world.add_user(email=f"{name}@example.com", firstname=name.capitalize(), lastname="Fox")
    ids = fill(world, approvals)
    clock.advance((told_at - entered_at).total_seconds())
    for row in world.approvals.rows.values():
        row.status = ON_HOLD
    rows: list[Entry] = []
    status = Status()
    for start in range(part * AT_ONCE, approvals, PROCESSES * AT_ONCE):
        batch = ids[start : start + AT_ONCE]
        for number in batch:
            world.approvals.rows[number].status = PENDING
        told, status = _told(settings, clock, coupa, moveworks, len(batch))
        rows += told
        for number in batch:
            world.approvals.rows[number].status = ON_HOLD
    return rows, status


def _told(
    settings: dict[str, str],
    clock: ManualClock,
    coupa: CoupaSimulator,
    moveworks: MoveworksSimulator,
    number: int,
) -> tuple[list[Entry], Status]:
    """Announce all pending approvals, with a ledger of its own."""
    store = MemoryStore()
    sweep = build(
        read_settings({**settings, "COUPA_MAX_PER_SECOND": "25", "LEDGER_CONNECTION": "memory"}),
        Overrides(
            clock,
            random.Random(1),
            store=store,
            audit_store=MemoryAuditStore(),
            coupa_session=_session(settings["COUPA_BASE_URL"], InProcess(coupa.front)),
            moveworks_session=_session(settings["MOVEWORKS_BASE_URL"], InProcess(moveworks.front)),
            workers=1,
        ),
    ).sweep
    for _ in range(_SWEEPS):
        sweep.run()
        rows = store.open_entries().entries
        coupa.front.calls.clear()
        moveworks.front.calls.clear()
        moveworks.delivered.clear()
        if len(rows) == number and all(any(row.told.values()) for row in rows):
            return rows, store.status()
        clock.advance(60)
    raise RuntimeError(f"{number} approvals could not be announced in {_SWEEPS} sweeps")


def _session(base: str, inside: InProcess) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount(base, inside)
    return session


def keep(settings: dict[str, str], rows: Sequence[Entry], status: Status) -> None:
    """Put rows and the status into the table of these settings, in transactions where possible."""
    with table_client(
        connection=settings["LEDGER_CONNECTION"], account_url="", table=settings["LEDGER_TABLE"]
    ) as client:
        TableStore(client).save_status(status)
        for start in range(0, len(rows), _TRANSACTION):
            some = rows[start : start + _TRANSACTION]
            client.submit_transaction([("create", _row(OPEN, replace(row, etag=""))) for row in some])


def left(settings: dict[str, str], approvals: Sequence[int]) -> list[int]:
    """Return those of these approvals that have an open row in the table."""
    with table_client(
        connection=settings["LEDGER_CONNECTION"], account_url="", table=settings["LEDGER_TABLE"]
    ) as client:
        store = TableStore(client)
        return [number for number in approvals if store.read(number) is not None]
