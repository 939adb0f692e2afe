"""Build each use case from the clients that the settings choose. Only `build` imports this module, lazily."""

from __future__ import annotations

import functools
import os

import coupa_core
from coupa_core.app.clients import (
    build_access,
    build_audit_logs,
    build_channel,
    build_stores,
    new_nonce,
    read_keys,
)
from coupa_core.app.parts import Bridge, Overrides
from coupa_core.audience import Audience
from coupa_core.authority import EmailMap, Limits, Rules, TokenKeys
from coupa_core.callers import Callers
from coupa_core.coupa import Coupa, FactReader, document_fields
from coupa_core.decide import Ask, Checks, Decide, DecisionPolicy
from coupa_core.directory import Directory, MemoizedPeople
from coupa_core.endpoints import Endpoints
from coupa_core.errors import SettingsError
from coupa_core.history import History
from coupa_core.hosting import APP, limits_of
from coupa_core.inbox import Inbox
from coupa_core.ledger import Lease, Ledger
from coupa_core.notice import Style
from coupa_core.operator_actions import OperatorActions
from coupa_core.pseudonym import Pseudonyms
from coupa_core.rate_limiter import RateLimiter
from coupa_core.relay import Relay
from coupa_core.repeat import Repeats
from coupa_core.report import CycleTimes, StatusReport, Trace, is_rare
from coupa_core.routes import Caller
from coupa_core.sensitive import Sensitive
from coupa_core.settings import Settings
from coupa_core.sweep import ClosingNoticePolicy, FirstRunPolicy, Sweep, SweepDependencies
from coupa_core.table_ledger import SCHEMA


class UseCases:
    """One factory method for each use case; they share clients, stores and rules.

    Args:
        settings: validated.
        overrides: the clock, and replacements for real services.
    """

    def __init__(self, settings: Settings, overrides: Overrides) -> None:
        self._settings = settings
        self._overrides = overrides
        self._clock = overrides.clock
        self._new_nonce = overrides.new_nonce or new_nonce
        self._for_sweeps, self._for_clicks = build_stores(settings, overrides)
        self._patient_audit_log, self._quick_audit_log = build_audit_logs(settings, overrides)
        self._permits = RateLimiter(
            self._for_clicks, clock=overrides.clock, per_second=settings.coupa_max_per_second
        )
        self._access = build_access(settings, overrides, pace=self._permits)
        self._sensitive = Sensitive(settings.sensitive)
        coupa_client = functools.partial(
            Coupa,
            self._access,
            types=settings.document_types,
            client=settings.coupa_client_login,
            sensitive=self._sensitive,
        )
        self._coupa = coupa_client()
        self._coupa_for_cards = coupa_client(fields=document_fields(settings.facts))
        self._keys = None
        if settings.action_token != "off":  # noqa: S105 - a mode, no secret
            self._keys = TokenKeys(read_keys(settings.action_token_keys))
        self._ledger = Ledger(self._for_clicks, new_nonce=self._new_nonce)
        self._emails = EmailMap(settings.email_map)
        self._rules = Rules(
            actions=settings.actions,
            limits=Limits(settings.step_up_over),
            emails=self._emails,
            allow_self=settings.allow_self_approval == "on",
        )
        self._lease = Lease(settings.claim_lease_s)
        self._pilot = Audience(settings.pilot)
        self._style = Style(
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
        self._policy = DecisionPolicy(
            token_required=settings.action_token == "required",  # noqa: S105 - a mode, no secret
            reason_required=settings.reject_reason == "required",
            rules=self._rules,
            audit_required=settings.audit == "required",
            comments=settings.comments == "on",
            style=self._style,
        )
        self._workers = min(overrides.workers, 4)  # for each request, and several run at the same time

    def bridge(self) -> Bridge:
        """Return both entry points."""
        return Bridge(sweep=self.sweep(), endpoints=self.endpoints())

    def sweep(self) -> Sweep:
        """Return the timer's use case."""
        settings = self._settings
        return Sweep(
            SweepDependencies(
                coupa=self._coupa_for_cards,
                facts=FactReader(self._access, settings.facts, sensitive=self._sensitive),
                directory=Directory(self._coupa_for_cards, clock=self._clock, emails=self._emails),
                rules=self._rules,
                channel=build_channel(settings, self._overrides, settings.moveworks_max_per_minute),
                ledger=Ledger(self._for_sweeps, new_nonce=self._new_nonce),
                audit_log=self._patient_audit_log,
                keep_audit_days=settings.audit_keep_days,
                clock=self._clock,
                lease=self._lease,
                keys=self._keys,
                style=self._style,
                cadence=settings.cadence,
                closing_notice=ClosingNoticePolicy(settings.closing_notice),
                tells_requester=settings.tell_requester == "on",
                escalate_to=settings.escalate_to,
                first_run=FirstRunPolicy(settings.first_run),
                full_list_minutes=settings.full_list_minutes,
                is_dry=settings.dry_run == "on",
                pilot=self._pilot,
                workers=self._overrides.workers,
            )
        )

    def endpoints(self) -> Endpoints:
        """Return the HTTP endpoints with their use cases."""
        settings, checks = self._settings, self._checks()
        return Endpoints(
            decide=self._decide(checks),
            ask=self._ask(checks),
            inbox=self._inbox(),
            history=self._history(),
            report=self._report(),
            trace=self._trace(),
            cycle_times=CycleTimes(
                store=self._for_sweeps, record=self._patient_audit_log.store, clock=self._clock
            ),
            operator_actions=self._operator_actions(),
            repeats=self._repeats(),
            relay=self._relay(),
            callers=Callers({kind: settings.entra_clients.get(kind, ()) for kind in Caller}),
            clock=self._clock,
            people=Pseudonyms(
                next(iter(read_keys(settings.action_token_keys or settings.audit_keys).values()))
            ),
        )

    def _fresh_directory(self) -> Directory:
        """Return a directory for one request, which uses no earlier reads."""
        return Directory(MemoizedPeople(self._coupa), clock=self._clock, emails=self._emails, keep_s=0)

    def _checks(self) -> Checks:
        return Checks(
            coupa=self._coupa,
            directory=self._fresh_directory,
            clock=self._clock,
            keys=self._keys,
            policy=self._policy,
            workers=self._workers,
        )

    def _decide(self, checks: Checks) -> Decide:
        return Decide(
            checks=checks,
            coupa=self._coupa,
            permits=self._permits,
            ledger=self._ledger,
            audit_log=self._quick_audit_log,
            clock=self._clock,
            policy=self._policy,
            workers=self._workers,
        )

    def _ask(self, checks: Checks) -> Ask:
        return Ask(
            checks=checks,
            coupa=self._coupa,
            permits=self._permits,
            ledger=self._ledger,
            audit_log=self._quick_audit_log,
            clock=self._clock,
            policy=self._policy,
        )

    def _inbox(self) -> Inbox:
        return Inbox(
            coupa=self._coupa,
            permits=self._permits,
            directory=self._fresh_directory,
            ledger=self._ledger,
            clock=self._clock,
            keys=self._keys if self._settings.list_tokens_are_given else None,
            rules=self._rules,
            style=self._style,
        )

    def _history(self) -> History:
        return History(
            coupa=self._coupa,
            permits=self._permits,
            directory=self._fresh_directory,
            store=self._for_sweeps,
            clock=self._clock,
            style=self._style,
        )

    def _report(self) -> StatusReport:
        settings = self._settings
        return StatusReport(
            store=self._for_sweeps,
            coupa=self._coupa,
            directory=self._fresh_directory,
            clock=self._clock,
            lease=self._lease,
            max_per_minute=settings.moveworks_max_per_minute,
            full_list_minutes=settings.full_list_minutes,
            pilot=self._pilot,
            is_rare=is_rare(settings.poll_schedule),
            versions={"package": coupa_core.__version__, "schema": str(SCHEMA)},
            limits=_limits(),
        )

    def _trace(self) -> Trace:
        return Trace(
            store=self._for_clicks,
            record=self._quick_audit_log.store,
            coupa=self._coupa,
            directory=self._fresh_directory,
            rules=self._rules,
            pilot=self._pilot,
            clock=self._clock,
            lease=self._lease,
        )

    def _operator_actions(self) -> OperatorActions:
        return OperatorActions(
            ledger=self._ledger,
            audit_log=self._quick_audit_log,
            clock=self._clock,
            audit_required=self._settings.audit == "required",
        )

    def _repeats(self) -> Repeats:
        return Repeats(
            store=self._for_sweeps,
            directory=self._fresh_directory,
            pilot=self._pilot,
            audit_log=self._quick_audit_log,
            clock=self._clock,
            audit_required=self._settings.audit == "required",
        )

    def _relay(self) -> Relay:
        settings = self._settings
        return Relay(
            channel=build_channel(settings, self._overrides, settings.relay_max_per_minute),
            ledger=self._ledger,
            clock=self._clock,
            domains=settings.relay_domains,
            html=settings.relay_html == "on",
            audit_log=self._quick_audit_log,
            max_per_minute=settings.relay_max_per_minute,
            is_dry=settings.dry_run == "on",
        )


def _limits() -> dict[str, float | None]:
    """Return the host's limits on concurrency and duration; empty if they cannot be read."""
    try:
        return limits_of(APP, os.environ).values()
    except SettingsError:
        return {}
