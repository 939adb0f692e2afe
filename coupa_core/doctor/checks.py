"""The checks: settings, Coupa's token and scopes, Moveworks' key, the tables' rights, the clocks.

Each finding has the state and what to change; it never shows the value of a setting.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from coupa_core.app import Overrides, build_channel
from coupa_core.clock import Clock, Deadline
from coupa_core.doctor.coupa import CHECK_S, coupa
from coupa_core.doctor.limits import limits
from coupa_core.doctor.pilot import pilot
from coupa_core.environment import trimmed
from coupa_core.errors import ServiceError, SettingsError
from coupa_core.finding import Finding, Verdict
from coupa_core.hosting import APP
from coupa_core.http_client import HttpClient, ServiceResponse
from coupa_core.ledger import Lease
from coupa_core.moveworks import LOOK_IN_THE_LOG
from coupa_core.report import STALE_AFTER, is_rare
from coupa_core.schedule import Schedule
from coupa_core.settings import FORMER, MAX_PER_MINUTE, NAMES, Settings, read_settings
from coupa_core.tables import CLICK_OPTIONS, Table, table_client

SKEW_S = Lease().skew_s
"""The allowed difference between clocks."""


def examine(
    environment: Mapping[str, str], overrides: Overrides, *, is_walk: bool = False, app: Path = APP
) -> Iterator[Finding]:
    """Run all checks, and yield each finding at once.

    Args:
        environment: the names and values of the settings.
        overrides: the clock, and replacements for real services.
        is_walk: whether the settings are those of a `bridge.env`, as in the walk of docs/operations.md.
        app: the folder of the function app.
    """
    yield from _spelling(environment)
    yield from limits(environment, app, is_walk=is_walk)
    try:
        settings = read_settings(environment)
    except SettingsError as error:
        yield from (_complaint(text, is_walk=is_walk) for text in str(error).split("; "))
        yield Finding(Verdict.NOTE, "the rest", "cannot be checked before the settings are whole")
        return
    yield Finding(Verdict.OK, "settings", f"all {len(NAMES)} can be read")
    yield from _keys(settings)
    yield from rates(settings)
    yield _schedule(settings, overrides.clock)
    ahead: dict[str, float] = {}
    overrides = replace(overrides, new_http_client=functools.partial(_ClockComparingClient, ahead=ahead))
    yield from coupa(settings, overrides)
    yield _moveworks(settings, overrides)
    yield _unverifiable(settings)
    yield from _tables(settings)
    yield from pilot(settings, overrides)
    yield from _clocks(ahead)


def _spelling(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Report blank values, and whitespace around values; the reader ignores both."""
    for name in NAMES:
        value = environment.get(name, "")
        if not trimmed(value):
            if value:
                yield Finding(Verdict.NOTE, name, "is blank, which counts as not set")
        elif value != trimmed(value):
            text = "has a space or a line break at an end, which is ignored here: take it out where it is set"
            yield Finding(Verdict.NOTE, name, text)


def _complaint(text: str, *, is_walk: bool) -> Finding:
    name, _, complaint = text.partition(": ")
    where = "set it in the app's settings, or in local.settings.json on your machine"
    if "Key Vault" in complaint:
        where = "give the app's identity the role Key Vault Secrets User, or mend the reference's URI"
    elif name in FORMER:
        where = "take it away where it is set"
    elif is_walk and name.endswith(("_SECRET", "_KEY", "_KEYS")):
        where = "give it to this terminal by step 4 of docs/operations.md"
    elif is_walk:
        where = "set it in bridge.env, and ask again by step 5 of docs/operations.md"
    return Finding(Verdict.WRONG, name, f"{complaint}; {where}")


def _keys(settings: Settings) -> Iterator[Finding]:
    for name, keys in (
        ("ACTION_TOKEN_KEYS", settings.action_token_keys),
        ("AUDIT_KEYS", settings.audit_keys),
    ):
        if keys:
            first, *others = keys
            more = f", {', '.join(others)} still verify" if others else ""
            yield Finding(Verdict.OK, name, f"{first} signs{more}; how old the keys are is not known here")


def rates(settings: Settings) -> Iterator[Finding]:
    """Check the configured rates against the rate that Moveworks allows without an agreement."""
    relayed = settings.relay_max_per_minute if settings.relay_domains else 0
    if settings.moveworks_max_per_minute + relayed > MAX_PER_MINUTE:
        text = (
            f"is above the {MAX_PER_MINUTE} that Moveworks takes in a minute for the whole organisation, "
            "counting RELAY_MAX_PER_MINUTE: lower it to 100, unless Moveworks' support has agreed to more"
        )
        yield Finding(Verdict.NOTE, "MOVEWORKS_MAX_PER_MINUTE", text)


def _schedule(settings: Settings, clock: Clock) -> Finding:
    if not is_rare(settings.poll_schedule):
        due = Schedule.of(settings.poll_schedule).after(clock.now())
        return Finding(Verdict.OK, "POLL_SCHEDULE", f"the next sweep is due at {due:%Y-%m-%d %H:%M:%S} UTC")
    text = (
        f"leaves {STALE_AFTER.total_seconds() / 60:.0f} minutes or more between some sweeps: health then "
        "answers 503 and an alert is sent, although nothing is broken"
    )
    return Finding(Verdict.NOTE, "POLL_SCHEDULE", text)


class _ClockComparingClient(HttpClient):
    """A client that records how far the clock of its service is ahead of ours."""

    def __init__(self, *, ahead: dict[str, float], clock: Clock, **more: Any) -> None:
        super().__init__(clock=clock, **more)
        self._ahead = ahead
        self._now = clock.now

    def send(self, *arguments: Any, **options: Any) -> ServiceResponse:
        """Send one request once."""
        reply = super().send(*arguments, **options)
        ahead_s = reply.ahead_s(self._now())
        if ahead_s is not None:
            self._ahead[self.name] = ahead_s
        return reply


def _moveworks(settings: Settings, overrides: Overrides) -> Finding:
    channel = build_channel(settings, overrides, settings.moveworks_max_per_minute)
    try:
        channel.probe(Deadline(overrides.clock, CHECK_S))
    except ServiceError as failure:
        hint = "" if "MOVEWORKS_BASE_URL" in str(failure) else "; check MOVEWORKS_BASE_URL"
        return Finding(Verdict.WRONG, "Moveworks", f"{failure}{hint}")
    is_listener = settings.moveworks_channel == "listener"
    return Finding(Verdict.OK, "Moveworks", f"takes our {'signed message' if is_listener else 'key'}")


def _unverifiable(settings: Settings) -> Finding:
    """Report the setting that no probe of the channel verifies."""
    if settings.moveworks_channel == "listener":
        return Finding(Verdict.NOTE, "MOVEWORKS_LISTENER_SECRET", LOOK_IN_THE_LOG)
    text = "cannot be checked without sending a message; a wrong one is moveworks_404 in the first sweep"
    return Finding(Verdict.NOTE, "MOVEWORKS_EVENT_ID", text)


class _Probe(Table):
    """A table whose access rights are checked."""

    CODES = "table"

    def exercise(self) -> None:
        """Create the table if it is missing, then write, read and delete a test row.

        Raises:
            ServiceError: a step failed; the message names it.
        """
        row = {"PartitionKey": "doctor", "RowKey": secrets.token_hex(16)}
        with self._talking("make the table or write a row") as client:
            client.create_entity(row)
        with self._talking("read a row", makes=False) as client:
            client.get_entity(row["PartitionKey"], row["RowKey"])
        with self._talking("delete a row", makes=False) as client:
            client.delete_entity(row)


def _tables(settings: Settings) -> Iterator[Finding]:
    if settings.storage == "memory":
        text = "keeps the ledger in this process only: everybody is told again after a restart"
        yield Finding(Verdict.NOTE, "LEDGER_CONNECTION", text)
        return
    for name, table in (("LEDGER_TABLE", settings.ledger_table), ("AUDIT_TABLE", settings.audit_table)):
        try:
            client = table_client(
                connection=settings.storage,
                account_url=settings.ledger_account_url,
                table=table,
                options=CLICK_OPTIONS,
            )
        except (SettingsError, ValueError):
            yield Finding(Verdict.WRONG, "LEDGER_CONNECTION", "is no connection string of a storage account")
            return
        with client:
            yield _table(name, _Probe(client))


def _table(name: str, probe: _Probe) -> Finding:
    try:
        probe.exercise()
    except ServiceError as failure:
        where = "check LEDGER_CONNECTION, and the account's network rules"
        if failure.status in (401, 403):
            where = "give the app's identity (or you) the role Storage Table Data Contributor on the account"
        return Finding(Verdict.WRONG, name, f"{failure}: {where}")
    return Finding(Verdict.OK, name, "a row can be written, read and deleted")


def _clocks(ahead: Mapping[str, float]) -> Iterator[Finding]:
    for name, ahead_s in sorted(ahead.items()):
        if abs(ahead_s) <= SKEW_S:
            yield Finding(Verdict.OK, "clock", f"agrees with {name}'s within {SKEW_S:.0f} s")
        else:
            side = "behind" if ahead_s > 0 else "ahead of"
            text = f"is {abs(ahead_s):.0f} s {side} {name}'s: set this machine's clock by a time server"
            yield Finding(Verdict.WRONG, "clock", text)
