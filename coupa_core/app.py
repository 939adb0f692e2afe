"""The composition root: settings to clients to use cases, built once, on first use.

The only place that joins ports and clients. Everything heavy is imported inside `build`: indexing the
functions must be quick, and a fault in a dependency must show in a call, not make all functions vanish.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coupa_core.clock import Clock, SystemClock
from coupa_core.errors import SettingsError

if TYPE_CHECKING:
    import requests

    from coupa_core.endpoints import Endpoints, Reply
    from coupa_core.ledger import LedgerStore
    from coupa_core.settings import Settings
    from coupa_core.sweep import Sweep

logger = logging.getLogger(__name__)

_NOISY = (
    "azure.core.pipeline.policies.http_logging_policy",
    "azure.identity",
    "azure.monitor.opentelemetry.exporter",
    "urllib3",
)
_lock = threading.Lock()
_built: list[Bridge] = []


@dataclass(frozen=True)
class Bridge:
    """The use cases, ready: the timer calls `sweep`, the routes call `endpoints`."""

    sweep: Sweep
    endpoints: Endpoints


@dataclass(frozen=True)
class Parts:
    """What a test or a tool may bring instead of the real thing.

    Attributes:
        clock: the time.
        chance: for jitter.
        store: the ledger's rows, for the sweep and for clicks; None for what the settings say.
        coupa_session: how requests reach Coupa; None for the network.
        moveworks_session: the same for Moveworks.
        new_nonce: 128 random bits as text.
        workers: how many claims and sends run at the same time.
    """

    clock: Clock
    chance: random.Random
    store: LedgerStore | None = None
    coupa_session: requests.Session | None = None
    moveworks_session: requests.Session | None = None
    new_nonce: Any = None
    workers: int = 16


def sweep() -> None:
    """Run one sweep, as the timer does; a wrong setting is logged by name, and nothing else happens."""
    try:
        bridge = _bridge()
    except SettingsError as error:
        logger.error("sweep not possible: %s", error)  # noqa: TRY400 - the cause is in the message
        return
    bridge.sweep.run()


def handle(
    name: str,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    route: Mapping[str, str],
    body: bytes,
) -> Reply:
    """Answer one HTTP request.

    Args:
        name: of the function that the host matched.
        headers: as received.
        query: decoded query parameters.
        route: parameters of the route.
        body: as received.
    """
    from coupa_core.endpoints import Reply, Request, refusal

    try:
        bridge = _bridge()
    except SettingsError as error:
        if name == "health":
            return Reply(503, {"status": "failing"})
        return refusal(name, error)
    return bridge.endpoints.handle(name, Request(headers, query, route, body))


def _bridge() -> Bridge:
    """Return the bridge, built on first use.

    Raises:
        SettingsError: names what is missing or wrong.
    """
    with _lock:
        if not _built:
            from coupa_core.settings import read_settings

            for name in _NOISY:
                logging.getLogger(name).setLevel(logging.WARNING)
            _built.append(build(read_settings(os.environ), Parts(SystemClock(), random.Random())))  # noqa: S311 - jitter
        return _built[0]


def build(settings: Settings, parts: Parts) -> Bridge:
    """Join everything.

    Args:
        settings: checked.
        parts: the clock, and whatever replaces the real thing.
    """
    # ruff: noqa: PLC0415 - see the module's docstring
    from urllib.parse import urlsplit

    from coupa_core.authority import TokenKeys, keys_of
    from coupa_core.coupa import Access, Coupa
    from coupa_core.decide import Decide
    from coupa_core.endpoints import Endpoints
    from coupa_core.inbox import Inbox
    from coupa_core.ledger import Lease, Ledger
    from coupa_core.moveworks import EventsChannel
    from coupa_core.notice import Style
    from coupa_core.report import Report
    from coupa_core.settings import is_loopback
    from coupa_core.sweep import Kit, Sweep
    from coupa_core.wire import Pace, Wire

    clock = parts.clock
    new_nonce = parts.new_nonce or (lambda: secrets.token_hex(16))

    def wire(name: str, base_url: str, session: requests.Session | None, pace: Pace | None) -> Wire:
        use_proxy = not is_loopback(urlsplit(base_url).hostname or "")
        return Wire(
            name=name, base_url=base_url, clock=clock, session=session, pace=pace, use_proxy=use_proxy
        )

    access = Access(
        wire(
            "coupa",
            settings.coupa_base_url,
            parts.coupa_session,
            Pace(clock, limit=settings.coupa_max_per_second, period_s=1.0),
        ),
        client_id=settings.coupa_client_id,
        client_secret=settings.coupa_client_secret.get_secret_value(),
        scopes=settings.coupa_scopes,
        clock=clock,
        chance=parts.chance,
    )
    coupa = Coupa(access, types=settings.document_types)
    channel = EventsChannel(
        wire("moveworks", settings.moveworks_base_url, parts.moveworks_session, None),
        event_id=settings.moveworks_event_id,
        api_key=settings.moveworks_api_key.get_secret_value(),
        pace=Pace(clock, limit=settings.moveworks_max_per_minute, period_s=60.0),
        clock=clock,
    )
    keys = None
    if settings.action_token != "off":  # noqa: S105 - a mode, no secret
        encoded = {kid: key.get_secret_value() for kid, key in settings.action_token_keys.items()}
        keys = TokenKeys(keys_of(encoded))
    for_sweeps, for_clicks = _stores(settings, parts)
    ledger = Ledger(for_clicks, new_nonce=new_nonce)
    style = Style(
        base_url=settings.coupa_base_url,
        language=settings.language,
        zone=settings.time_zone,
        fields=settings.notice_fields,
        links=settings.link_template,
        actions=settings.actions,
    )
    return Bridge(
        sweep=Sweep(
            Kit(
                coupa=coupa,
                channel=channel,
                ledger=Ledger(for_sweeps, new_nonce=new_nonce),
                clock=clock,
                lease=Lease(settings.claim_lease_s),
                keys=keys,
                style=style,
                workers=parts.workers,
            )
        ),
        endpoints=Endpoints(
            decide=Decide(
                coupa=coupa,
                ledger=ledger,
                clock=clock,
                keys=keys,
                token_required=settings.action_token == "required",  # noqa: S105 - a mode, no secret
                style=style,
            ),
            inbox=Inbox(coupa=coupa, ledger=ledger, clock=clock, keys=keys, style=style),
            report=Report(store=for_clicks, clock=clock),
        ),
    )


def _stores(settings: Settings, parts: Parts) -> tuple[LedgerStore, LedgerStore]:
    """Return the store for sweeps and the one for clicks: the same rows, but a click cannot wait long."""
    from coupa_core.ledger import MemoryStore

    if parts.store is not None:
        return parts.store, parts.store
    if settings.storage == "memory" and not settings.ledger_account_url:
        store = MemoryStore()
        return store, store
    from coupa_core.table_ledger import CLICK_OPTIONS, SWEEP_OPTIONS, TableStore, table_client

    patient, quick = (
        TableStore(
            table_client(
                connection=settings.storage,
                account_url=settings.ledger_account_url,
                table=settings.ledger_table,
                options=options,
            )
        )
        for options in (SWEEP_OPTIONS, CLICK_OPTIONS)
    )
    return patient, quick
