"""The built application, and the overrides that a test or a tool passes in."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coupa_core.clock import Clock

if TYPE_CHECKING:
    import requests

    from coupa_core.audit_log import AuditStore
    from coupa_core.endpoints import Endpoints
    from coupa_core.http_client import HttpClient
    from coupa_core.ledger import LedgerStore
    from coupa_core.sweep import Sweep


@dataclass(frozen=True)
class Bridge:
    """The entry points: the timer runs `sweep`, and each HTTP request goes to `endpoints`."""

    sweep: Sweep
    endpoints: Endpoints


@dataclass(frozen=True)
class Overrides:
    """Clocks, stores and sessions that a test or a tool uses instead of the real ones.

    Attributes:
        clock: the time.
        chance: the source of jitter.
        store: the ledger's store, for sweeps and clicks; None for the one that the settings choose.
        coupa_session: the HTTP session for Coupa; None for a new one.
        moveworks_session: the HTTP session for Moveworks; None for a new one.
        new_nonce: returns 128 random bits as text; None for the default.
        workers: the number of claims and sends that run at the same time.
        audit_store: the audit log's store, for sweeps and clicks; None for the one that the settings choose.
        new_http_client: replaces the constructor `HttpClient`; None for that one.
    """

    clock: Clock
    chance: random.Random
    store: LedgerStore | None = None
    coupa_session: requests.Session | None = None
    moveworks_session: requests.Session | None = None
    new_nonce: Any = None
    workers: int = 25
    audit_store: AuditStore | None = None
    new_http_client: Callable[..., HttpClient] | None = None
