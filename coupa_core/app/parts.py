"""What is joined, ready to use, and what a test or a tool joins instead."""

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
    """The use cases, ready: the timer calls `sweep`, the routes call `endpoints`."""

    sweep: Sweep
    endpoints: Endpoints


@dataclass(frozen=True)
class Overrides:
    """What a test or a tool may bring instead of the real thing.

    Attributes:
        clock: the time.
        chance: for jitter.
        store: the ledger's rows, for the sweep and for clicks; None for what the settings say.
        coupa_session: how requests reach Coupa; None for the network.
        moveworks_session: the same for Moveworks.
        new_nonce: 128 random bits as text.
        workers: how many claims and sends run at the same time.
        audit_store: the rows of the audit record, for the sweep and for clicks; None for what the settings
            say.
        new_http_client: makes connections, called as `HttpClient` is; None for that.
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
