"""The composition root: settings to clients to use cases, built once, on first use.

The only place that joins ports and clients. Everything heavy is imported inside `build`: indexing the
functions must be quick, and a fault in a dependency must show in a call, not make all functions vanish.
"""

from __future__ import annotations

import functools
import logging
import os
import random
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from coupa_core.clock import Clock, SystemClock
from coupa_core.errors import SettingsError
from coupa_core.hosting import APP, limits_of
from coupa_core.schedule import schedule_fault, timer_schedule

if TYPE_CHECKING:
    import requests
    from pydantic import SecretStr

    from coupa_core.audit_log import AuditLog, AuditStore
    from coupa_core.azure_sdk import Identity
    from coupa_core.coupa import Access
    from coupa_core.endpoints import Endpoints, Reply
    from coupa_core.http_client import HttpClient, Rate
    from coupa_core.ledger import LedgerStore
    from coupa_core.settings import Settings
    from coupa_core.sweep import Channel, Sweep
    from coupa_core.tables import Table

T = TypeVar("T", bound="Table")

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


def schedule() -> str:
    """Return by which schedule the host runs the timer; every minute where the setting is wrong."""
    return timer_schedule(os.environ)


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

    The host hands the caller's key on, in the header or in the query; it ends here, where nothing needs it.

    Args:
        name: of the function that the host matched.
        headers: as received.
        query: decoded query parameters.
        route: parameters of the route.
        body: as received.
    """
    from coupa_core.endpoints import Reply, Request, refusal, request_id

    request = Request(without(headers, "x-functions-key"), without(query, "code"), route, body)
    try:
        bridge = _bridge()
    except SettingsError as error:
        named = request_id(request)
        if name == "health":
            cause = schedule_fault(os.environ) or "settings"
            return Reply(503, {"status": "failing", "cause": cause}, request_id=named)
        return refusal(name, error, request_id=named)
    return bridge.endpoints.handle(name, request)


def without(given: Mapping[str, str], name: str) -> dict[str, str]:
    """Return all but what has one name, in whichever case."""
    return {each: value for each, value in given.items() if each.lower() != name}


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
            _built.append(build(read_settings(os.environ), Overrides(SystemClock(), random.Random())))  # noqa: S311 - jitter
        return _built[0]


def build(settings: Settings, overrides: Overrides) -> Bridge:
    """Join everything.

    Args:
        settings: checked.
        overrides: the clock, and whatever replaces the real thing.
    """
    # ruff: noqa: PLC0415 - see the module's docstring
    import coupa_core
    from coupa_core.audience import Audience
    from coupa_core.authority import EmailMap, Limits, Rules, TokenKeys
    from coupa_core.callers import Caller, Callers
    from coupa_core.coupa import Coupa, FactReader, document_fields
    from coupa_core.decide import Ask, Checks, Decide, DecisionPolicy
    from coupa_core.directory import Directory, MemoizedPeople
    from coupa_core.endpoints import Endpoints
    from coupa_core.history import History
    from coupa_core.inbox import Inbox
    from coupa_core.ledger import Lease, Ledger
    from coupa_core.notice import Style
    from coupa_core.operator_actions import OperatorActions
    from coupa_core.pseudonym import Pseudonyms
    from coupa_core.rate_limiter import RateLimiter
    from coupa_core.relay import Relay
    from coupa_core.repeat import Repeats
    from coupa_core.report import CycleTimes, StatusReport, Trace, is_rare
    from coupa_core.sensitive import Sensitive
    from coupa_core.sweep import ClosingNoticePolicy, FirstRunPolicy, Sweep, SweepDependencies
    from coupa_core.table_ledger import SCHEMA

    clock = overrides.clock
    new_nonce = overrides.new_nonce or _new_nonce
    for_sweeps, for_clicks = _stores(settings, overrides)
    permits = RateLimiter(for_clicks, clock=clock, per_second=settings.coupa_max_per_second)
    access = build_access(settings, overrides, pace=permits)
    sensitive = Sensitive(settings.sensitive)
    coupa_client = functools.partial(
        Coupa,
        access,
        types=settings.document_types,
        client=settings.coupa_client_login,
        sensitive=sensitive,
    )
    coupa, for_cards = coupa_client(), coupa_client(fields=document_fields(settings.facts))
    keys = None
    if settings.action_token != "off":  # noqa: S105 - a mode, no secret
        keys = TokenKeys(_keys(settings.action_token_keys))
    ledger = Ledger(for_clicks, new_nonce=new_nonce)
    patient_audit_log, quick_audit_log = build_audit_logs(settings, overrides)
    emails = EmailMap(settings.email_map)
    rules = Rules(
        actions=settings.actions,
        limits=Limits(settings.step_up_over),
        emails=emails,
        allow_self=settings.allow_self_approval == "on",
    )
    lease = Lease(settings.claim_lease_s)
    pilot = Audience(settings.pilot)

    def fresh() -> Directory:
        """Return a directory for one request, which believes nothing that was read before."""
        return Directory(MemoizedPeople(coupa), clock=clock, emails=emails, keep_s=0)

    style = Style(
        base_url=settings.coupa_base_url,
        language=settings.notice_language,
        zone=settings.time_zone,
        zone_of=settings.cadence.zone_of,
        fields=settings.notice_fields,
        links=settings.link_template,
        actions=settings.actions,
        list_decides=settings.list_decides,
        asks=settings.comments == "on",
    )
    policy = DecisionPolicy(
        token_required=settings.action_token == "required",  # noqa: S105 - a mode, no secret
        reason_required=settings.reject_reason == "required",
        rules=rules,
        audit_required=settings.audit == "required",
        comments=settings.comments == "on",
        style=style,
    )
    workers = min(overrides.workers, 4)  # of one request; many come at the same time
    checks = Checks(coupa=coupa, directory=fresh, clock=clock, keys=keys, policy=policy, workers=workers)
    return Bridge(
        sweep=Sweep(
            SweepDependencies(
                coupa=for_cards,
                facts=FactReader(access, settings.facts, sensitive=sensitive),
                directory=Directory(for_cards, clock=clock, emails=emails),
                rules=rules,
                channel=build_channel(settings, overrides, settings.moveworks_max_per_minute),
                ledger=Ledger(for_sweeps, new_nonce=new_nonce),
                audit_log=patient_audit_log,
                keep_audit_days=settings.audit_keep_days,
                clock=clock,
                lease=lease,
                keys=keys,
                style=style,
                cadence=settings.cadence,
                closing_notice=ClosingNoticePolicy(settings.closing_notice),
                tells_requester=settings.tell_requester == "on",
                escalate_to=settings.escalate_to,
                first_run=FirstRunPolicy(settings.first_run),
                full_list_minutes=settings.full_list_minutes,
                is_dry=settings.dry_run == "on",
                pilot=pilot,
                workers=overrides.workers,
            )
        ),
        endpoints=Endpoints(
            decide=Decide(
                checks=checks,
                coupa=coupa,
                permits=permits,
                ledger=ledger,
                audit_log=quick_audit_log,
                clock=clock,
                policy=policy,
                workers=workers,
            ),
            ask=Ask(
                checks=checks,
                coupa=coupa,
                permits=permits,
                ledger=ledger,
                audit_log=quick_audit_log,
                clock=clock,
                policy=policy,
            ),
            inbox=Inbox(
                coupa=coupa,
                permits=permits,
                directory=fresh,
                ledger=ledger,
                clock=clock,
                keys=keys if settings.list_tokens_are_given else None,
                rules=rules,
                style=style,
            ),
            history=History(
                coupa=coupa,
                permits=permits,
                directory=fresh,
                store=for_sweeps,
                clock=clock,
                style=style,
            ),
            report=StatusReport(
                store=for_sweeps,
                coupa=coupa,
                directory=fresh,
                clock=clock,
                lease=lease,
                max_per_minute=settings.moveworks_max_per_minute,
                full_list_minutes=settings.full_list_minutes,
                pilot=pilot,
                is_rare=is_rare(settings.poll_schedule),
                versions={"package": coupa_core.__version__, "schema": str(SCHEMA)},
                limits=_limits(),
            ),
            trace=Trace(
                store=for_clicks,
                record=quick_audit_log.store,
                coupa=coupa,
                directory=fresh,
                rules=rules,
                pilot=pilot,
                clock=clock,
                lease=lease,
            ),
            cycle_times=CycleTimes(store=for_sweeps, record=patient_audit_log.store, clock=clock),
            operator_actions=OperatorActions(
                ledger=ledger,
                audit_log=quick_audit_log,
                clock=clock,
                audit_required=settings.audit == "required",
            ),
            repeats=Repeats(
                store=for_sweeps,
                directory=fresh,
                pilot=pilot,
                audit_log=quick_audit_log,
                clock=clock,
                audit_required=settings.audit == "required",
            ),
            relay=Relay(
                channel=build_channel(settings, overrides, settings.relay_max_per_minute),
                ledger=ledger,
                clock=clock,
                domains=settings.relay_domains if settings.relay == "on" else (),
                html=settings.relay_html == "on",
                audit_log=quick_audit_log,
                max_per_minute=settings.relay_max_per_minute,
                is_dry=settings.dry_run == "on",
            ),
            callers=Callers(
                {
                    Caller.DECISIONS: settings.entra_decision_clients,
                    Caller.RELAY: settings.entra_relay_clients,
                    Caller.OPERATORS: settings.entra_operator_clients,
                }
            ),
            clock=clock,
            people=Pseudonyms(next(iter(_keys(settings.action_token_keys or settings.audit_keys).values()))),
        ),
    )


def _limits() -> dict[str, float | None]:
    """Return what the host lets in at once and for how long; nothing where that cannot be read."""
    try:
        return limits_of(APP, os.environ).values()
    except SettingsError:
        return {}


def build_access(settings: Settings, overrides: Overrides, *, pace: Rate | None = None) -> Access:
    """Return the access to Coupa.

    Args:
        settings: checked.
        overrides: the clock, and whatever replaces the real thing.
        pace: the allowed rate; None for one of its own, which no other process knows of.
    """
    from coupa_core.coupa import Access
    from coupa_core.pace import Pace

    own = Pace(overrides.clock, limit=settings.coupa_max_per_second, period_s=1.0)
    return Access(
        _http_client("coupa", settings.coupa_base_url, overrides, overrides.coupa_session, pace or own),
        client_id=settings.coupa_client_id,
        client_secret=settings.coupa_client_secret.get_secret_value(),
        scopes=settings.asked_scopes,
        spare_scopes=settings.fact_scopes,
        clock=overrides.clock,
        chance=overrides.chance,
    )


def build_channel(settings: Settings, overrides: Overrides, max_per_minute: int) -> Channel:
    """Return a way to people's chat: the channel that the settings choose.

    Args:
        settings: checked.
        overrides: the clock, and whatever replaces the real thing.
        max_per_minute: its share of Moveworks' rate.
    """
    from coupa_core.moveworks import EventsChannel, ListenerChannel
    from coupa_core.pace import Pace

    http_client = _http_client(
        "moveworks", settings.moveworks_base_url, overrides, overrides.moveworks_session, None
    )
    pace = Pace(overrides.clock, limit=max_per_minute, period_s=60.0)
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
    """Return the audit record for sweeps and the one for clicks: the same rows, but a click cannot wait long.

    Args:
        settings: checked.
        overrides: the clock, and whatever replaces the real thing.
    """
    from coupa_core.audit_log import AuditLog, MemoryAuditStore, Seals, derived

    seals = Seals(_keys(settings.audit_keys) or derived(_keys(settings.action_token_keys)))

    def audit_log(store: AuditStore) -> AuditLog:
        return AuditLog(
            store,
            seals=seals,
            clock=overrides.clock,
            chance=overrides.chance,
            new_nonce=overrides.new_nonce or _new_nonce,
        )

    if overrides.audit_store is not None or _is_in_memory(settings):
        store = overrides.audit_store or MemoryAuditStore()
        return audit_log(store), audit_log(store)
    from coupa_core.table_audit_log import TableAuditStore

    patient, quick = _tables(TableAuditStore, settings, settings.audit_table)
    return audit_log(patient), audit_log(quick)


def _stores(settings: Settings, overrides: Overrides) -> tuple[LedgerStore, LedgerStore]:
    """Return the store for sweeps and the one for clicks: the same rows, but a click cannot wait long."""
    from coupa_core.ledger import MemoryStore

    if overrides.store is not None or _is_in_memory(settings):
        store = overrides.store or MemoryStore()
        return store, store
    from coupa_core.table_ledger import TableStore

    return _tables(TableStore, settings, settings.ledger_table)


def _is_in_memory(settings: Settings) -> bool:
    return settings.storage == "memory" and not settings.ledger_account_url


def _tables(room: type[T], settings: Settings, name: str) -> tuple[T, T]:
    """Return a table for sweeps, and the same one for clicks."""
    from coupa_core.tables import CLICK_OPTIONS, SWEEP_OPTIONS, table_client

    identity = _identity() if settings.ledger_account_url else None
    patient, quick = (
        room(
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
    """Return the app's identity, one for all tables of the process."""
    from coupa_core.azure_sdk import app_identity

    return app_identity(SystemClock())


def _keys(encoded: Mapping[str, SecretStr]) -> dict[str, bytes]:
    from coupa_core.authority import keys_of

    return keys_of({kid: key.get_secret_value() for kid, key in encoded.items()})


def _new_nonce() -> str:
    return secrets.token_hex(16)
