"""Build the clients of the services and the stores that the settings choose.

Each function imports its own dependencies, so that a store that is not used is not loaded.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from coupa_core.app.parts import Overrides
from coupa_core.clock import SystemClock

if TYPE_CHECKING:
    import requests
    from pydantic import SecretStr

    from coupa_core.audit_log import AuditLog, AuditStore
    from coupa_core.azure_sdk import Identity
    from coupa_core.coupa import Access
    from coupa_core.http_client import HttpClient, Rate
    from coupa_core.ledger import LedgerStore
    from coupa_core.moveworks import Channel
    from coupa_core.settings import Settings
    from coupa_core.tables import Table

T = TypeVar("T", bound="Table")

# ruff: noqa: PLC0415 - see the module's docstring


def build_access(
    settings: Settings, overrides: Overrides, *, pace: Rate | None = None, scopes: str = ""
) -> Access:
    """Return the access to Coupa.

    Args:
        settings: validated.
        overrides: the clock, and replacements for real services.
        pace: the shared rate limit; None for a separate limit of this process.
        scopes: the scopes of every token; empty for the scopes that the settings need.
    """
    from coupa_core.coupa import Access
    from coupa_core.pace import Pace

    own = Pace(overrides.clock, limit=settings.coupa_max_per_second, period_s=1.0)
    return Access(
        _http_client("coupa", settings.coupa_base_url, overrides, overrides.coupa_session, pace or own),
        client_id=settings.coupa_client_id,
        client_secret=settings.coupa_client_secret.get_secret_value(),
        scopes=scopes or settings.asked_scopes,
        spare_scopes="" if scopes else settings.fact_scopes,
        clock=overrides.clock,
        chance=overrides.chance,
    )


def build_channel(settings: Settings, overrides: Overrides, max_per_minute: int) -> Channel:
    """Return the channel to people's chat that the settings choose.

    Args:
        settings: validated.
        overrides: the clock, and replacements for real services.
        max_per_minute: the channel's share of Moveworks' rate.
    """
    from coupa_core.moveworks import RATE_WINDOW_S, EventsChannel, ListenerChannel
    from coupa_core.pace import Pace

    http_client = _http_client(
        "moveworks", settings.moveworks_base_url, overrides, overrides.moveworks_session, None
    )
    pace = Pace(overrides.clock, limit=max_per_minute, period_s=RATE_WINDOW_S)
    if settings.moveworks_channel == "listener":
        return ListenerChannel(
            http_client,
            listener_id=settings.moveworks_listener_id,
            secret=settings.moveworks_listener_secret.get_secret_value(),
            pace=pace,
            clock=overrides.clock,
        )
    return EventsChannel(
        http_client,
        event_id=settings.moveworks_event_id,
        api_key=settings.moveworks_api_key.get_secret_value(),
        pace=pace,
        clock=overrides.clock,
    )


def _http_client(
    name: str, base_url: str, overrides: Overrides, session: requests.Session | None, pace: Rate | None
) -> HttpClient:
    from urllib.parse import urlsplit

    from coupa_core.http_client import HttpClient
    from coupa_core.settings import is_loopback

    return (overrides.new_http_client or HttpClient)(
        name=name,
        base_url=base_url,
        clock=overrides.clock,
        session=session,
        pace=pace,
        use_proxy=not is_loopback(urlsplit(base_url).hostname or ""),
    )


def build_audit_logs(settings: Settings, overrides: Overrides) -> tuple[AuditLog, AuditLog]:
    """Return the audit logs for sweeps and for clicks: the same rows, with shorter timeouts for clicks.

    Args:
        settings: validated.
        overrides: the clock, and replacements for real services.
    """
    from coupa_core.audit_log import AuditLog, MemoryAuditStore, Seals, derived

    seals = Seals(read_keys(settings.audit_keys) or derived(read_keys(settings.action_token_keys)))

    def audit_log(store: AuditStore) -> AuditLog:
        return AuditLog(
            store,
            seals=seals,
            clock=overrides.clock,
            chance=overrides.chance,
            new_nonce=overrides.new_nonce or new_nonce,
        )

    if overrides.audit_store is not None or _is_in_memory(settings):
        store = overrides.audit_store or MemoryAuditStore()
        return audit_log(store), audit_log(store)
    from coupa_core.table_audit_log import TableAuditStore

    patient, quick = _tables(TableAuditStore, settings, settings.audit_table)
    return audit_log(patient), audit_log(quick)


def build_stores(settings: Settings, overrides: Overrides) -> tuple[LedgerStore, LedgerStore]:
    """Return the ledger's stores for sweeps and for clicks: the same rows, shorter timeouts for clicks."""
    from coupa_core.ledger import MemoryStore

    if overrides.store is not None or _is_in_memory(settings):
        store = overrides.store or MemoryStore()
        return store, store
    from coupa_core.table_ledger import TableStore

    return _tables(TableStore, settings, settings.ledger_table)


def _is_in_memory(settings: Settings) -> bool:
    return settings.storage == "memory" and not settings.ledger_account_url


def _tables(store: type[T], settings: Settings, name: str) -> tuple[T, T]:
    """Return one table twice: with the timeouts of sweeps, and with those of clicks."""
    from coupa_core.tables import CLICK_OPTIONS, SWEEP_OPTIONS, table_client

    identity = _identity() if settings.ledger_account_url else None
    patient, quick = (
        store(
            table_client(
                connection=settings.storage,
                account_url=settings.ledger_account_url,
                table=name,
                options=options,
                identity=identity,
            )
        )
        for options in (SWEEP_OPTIONS, CLICK_OPTIONS)
    )
    return patient, quick


@functools.cache
def _identity() -> Identity:
    """Return the app's managed identity, which all tables of the process share."""
    from coupa_core.azure_sdk import app_identity

    return app_identity(SystemClock())


def read_keys(encoded: Mapping[str, SecretStr]) -> dict[str, bytes]:
    """Return the decoded keys by key id."""
    from coupa_core.authority import keys_of

    return keys_of({kid: key.get_secret_value() for kid, key in encoded.items()})


def new_nonce() -> str:
    """Return 128 random bits in hexadecimal."""
    return secrets.token_hex(16)
