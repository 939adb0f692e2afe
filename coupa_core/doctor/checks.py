"""The checks: settings, Coupa's token and scopes, Moveworks' key, the tables' rights, the clocks.

Each finding says what is so and what to change; it never shows a value of a setting.
"""

from __future__ import annotations

import functools
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from coupa_core.app import Overrides, build_access, build_channel
from coupa_core.clock import Clock, Deadline
from coupa_core.coupa import FACT_FIELDS, Access, document_fields, rows_in, unread_of
from coupa_core.coupa.fields import DOCUMENT_FIELDS
from coupa_core.doctor.limits import limits
from coupa_core.doctor.pilot import pilot
from coupa_core.documents import READABLE, SCOPES, enabled, parse_document
from coupa_core.environment import trimmed
from coupa_core.errors import Malformed, ServiceError, SettingsError
from coupa_core.facts import FACT_RESOURCES, Fact
from coupa_core.finding import Finding, Verdict
from coupa_core.hosting import APP
from coupa_core.http_client import HttpClient, ServiceResponse
from coupa_core.model import REQUISITION, DocumentKind
from coupa_core.moveworks import LOOK_IN_THE_LOG
from coupa_core.report import STALE_AFTER, is_rare
from coupa_core.schedule import Schedule
from coupa_core.settings import MAX_PER_MINUTE, NAMES, Settings, read_settings
from coupa_core.tables import CLICK_OPTIONS, Table, table_client

CHECK_S = 15.0
"""How long one question may take."""

SKEW_S = 30.0
"""Clocks may differ by so much: a quarter of the usual lease, as the ledger allows."""

_WRITE = SCOPES["PUT", "approvals"]
_GRANT = (
    "grant it to the OAuth client in Coupa (Setup, OAuth2/OpenID Connect Clients) and name it in COUPA_SCOPES"
)

_ODD = "ask Coupa why, and look for a default API response filter"


def examine(
    environment: Mapping[str, str], overrides: Overrides, *, is_walk: bool = False, app: Path = APP
) -> Iterator[Finding]:
    """Check everything, and yield each finding as it is made.

    Args:
        environment: names and values of the settings.
        overrides: the clock, and whatever replaces the real thing.
        is_walk: the settings are those of a `bridge.env`, as in the walk of docs/operations.md.
        app: folder of the function app.
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
    overrides = replace(overrides, new_http_client=functools.partial(_Noting, ahead=ahead))
    yield from _coupa(settings, overrides)
    yield _moveworks(settings, overrides)
    yield _unproved(settings)
    yield from _tables(settings)
    yield from pilot(settings, overrides)
    yield from _clocks(ahead)


def _spelling(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look for what a copied value brings along, and what is ignored."""
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
    """Look whether more messages are asked for than Moveworks takes without an agreement."""
    relayed = settings.relay_max_per_minute if settings.relay == "on" else 0
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


class _Noting(HttpClient):
    """A connection that notes how far its neighbour's clock is ahead of ours."""

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


def _coupa(settings: Settings, overrides: Overrides) -> Iterator[Finding]:
    """Read one record of each kind that is needed; without a token nothing else can be asked."""
    access = build_access(settings, overrides)
    failure = _read(access, "approvals", overrides.clock)
    if failure and not failure.code.startswith("coupa_40"):
        yield Finding(Verdict.WRONG, "Coupa", f"{failure}; check COUPA_BASE_URL, too")
        if failure.code == "coupa_token_400":
            yield from _ungranted(settings, overrides)
        return
    yield Finding(Verdict.OK, "Coupa", "takes our client and gave a token")
    yield _scope("approvals", failure)
    types = enabled(settings.document_types)
    yield from _types(access, types, overrides.clock)
    for resource in ("users", "user_groups"):
        yield _scope(resource, _read(access, resource, overrides.clock))
    yield from _facts(settings, overrides, access)
    beside = [READABLE[name].comments_as for name in types if READABLE[name].comments_as]
    if settings.comments == "on" and beside:
        failure = _read(access, "comments", overrides.clock, of={"commentable_type": beside[0]})
        yield _scope("comments", failure)
    for name in sorted({*settings.document_types} - {*types, "*"}):
        yield _unread_type(access, name, overrides.clock)
    if not settings.coupa_client_login:
        text = "is not set (the Login of the OAuth client): cards name our client as who decided in chat"
        yield Finding(Verdict.NOTE, "COUPA_CLIENT_LOGIN", text)
    if _WRITE in settings.coupa_scopes.split():
        yield Finding(Verdict.OK, _WRITE, "is asked for; only a decision would show that it is granted")
    else:
        yield Finding(Verdict.WRONG, _WRITE, f"is not asked for, so nothing can be decided: {_GRANT}")
    failure = _read(access, "delegations", overrides.clock)
    if failure:
        text = f"cannot be read ({failure.code}), so delegates are those that approvals name"
        yield Finding(Verdict.NOTE, "delegations", text)
    else:
        yield Finding(Verdict.OK, "delegations", "can be read")


def _facts(settings: Settings, overrides: Overrides, access: Access) -> Iterator[Finding]:
    """Read some records for each fact that is switched on, with all that is asked of them in a sweep."""
    for fact in settings.facts:
        resource = FACT_RESOURCES[fact]
        scope, what = SCOPES["GET", resource], f"for FACTS: {fact}"
        own = _with_scope(scope, settings, overrides) if scope in access.withheld.split() else access
        yield _records(own, resource, FACT_FIELDS[fact], what, overrides.clock, fact=fact)
    if settings.facts:
        lines, resource = (
            document_fields(settings.facts)[DocumentKind.REQUISITION],
            READABLE[REQUISITION].resource,
        )
        yield _records(access, resource, lines, "for FACTS: what leads to facts", overrides.clock)
    if access.withheld:
        text = (
            f"nothing that needs one of {access.withheld} is shown: Coupa gave a token only without them; "
            "grant what is missing above, then restart the app"
        )
        yield Finding(Verdict.NOTE, "FACTS", text)


def _records(
    access: Access, resource: str, fields: Sequence[Any], what: str, clock: Clock, *, fact: Fact | None = None
) -> Finding:
    """Read some records with these fields, and look whether they are any."""
    query = {"limit": "10", "fields": json.dumps(fields)}
    try:
        rows = rows_in(access.read(resource, f"/api/{resource}", query, Deadline(clock, CHECK_S)), resource)
    except Malformed as failure:
        return Finding(Verdict.WRONG, SCOPES["GET", resource], f"{failure}, {what}: {_ODD}")
    except ServiceError as failure:
        return _scope(resource, failure, f", {what}")
    unread = unread_of(rows)
    if unread:
        text = f"{unread} of {len(rows)} records of {resource} have no id, {what}: {_ODD}"
        return Finding(Verdict.WRONG, SCOPES["GET", resource], text)
    if rows and unread_of(rows, fact) == len(rows):
        text = f"none of {len(rows)} records of {resource} says what it is about, {what}: {_ODD}"
        return Finding(Verdict.WRONG, SCOPES["GET", resource], text)
    return _scope(resource, None, f", {what}")


def _read(
    access: Access,
    resource: str,
    clock: Clock,
    fields: Sequence[Any] = ("id",),
    *,
    of: Mapping[str, str] | None = None,
) -> ServiceError | None:
    """Read one record, of those that are meant; return what went wrong, or None."""
    query = {"limit": "1", "fields": json.dumps(fields), **(of or {})}
    try:
        access.read(resource, f"/api/{resource}", query, Deadline(clock, CHECK_S))
    except ServiceError as failure:
        return failure
    return None


def _types(access: Access, types: Sequence[str], clock: Clock) -> Iterator[Finding]:
    """Read one record of each type, and look for lines that do not come."""
    for name in types:
        failure = _read(access, READABLE[name].resource, clock)
        yield _scope(READABLE[name].resource, failure)
        if failure is None and "line-count" in DOCUMENT_FIELDS[READABLE[name].kind]:
            yield _lines(access, name, clock)


def _unread_type(access: Access, name: str, clock: Clock) -> Finding:
    """Look for one approval of a type whose documents are not read: a misspelt one has none."""
    query = {"limit": "1", "fields": '["id"]', "approvable_type[in]": name}
    try:
        rows = access.read("approvals", "/api/approvals", query, Deadline(clock, CHECK_S))
    except ServiceError as failure:
        return Finding(Verdict.WRONG, name, f"cannot be looked for among the approvals: {failure}")
    if not rows:
        text = (
            "is the type of no approval in Coupa, so nothing of it is announced: write it in DOCUMENT_TYPES "
            "as Coupa has it in approvable-type, or take it away"
        )
        return Finding(Verdict.WRONG, name, text)
    return Finding(Verdict.NOTE, name, "is announced by type, number and link; nothing else of it is read")


def _lines(access: Access, name: str, clock: Clock) -> Finding:
    """Compare how many lines the newest documents of a type have with those that came."""
    source, subject = READABLE[name], f"lines of {READABLE[name].resource}"
    fields = json.dumps(DOCUMENT_FIELDS[source.kind])
    query = {"limit": "10", "order_by": "id", "dir": "desc", "fields": fields}
    try:
        rows = access.read(source.resource, f"/api/{source.resource}", query, Deadline(clock, CHECK_S))
    except ServiceError as failure:
        return Finding(Verdict.WRONG, subject, f"cannot be read: {failure}")
    read = [parse_document(name, row) for row in rows] if isinstance(rows, list) else []
    counted = [each for each in read if each is not None and each.line_count is not None]
    cut = [each for each in counted if each.lines_left_out]
    if cut:
        text = (
            f"{len(cut)} of {len(counted)} documents came with fewer lines than Coupa counts in them "
            f"({cut[0].id}: {len(cut[0].lines)} of {cut[0].line_count}), so their cards are not whole: ask "
            "Coupa how collections are spelt in `fields`, and look for a default API response filter"
        )
        return Finding(Verdict.WRONG, subject, text)
    if not counted:
        text = "cannot be checked: Coupa counts the lines of none of the newest documents"
        return Finding(Verdict.NOTE, subject, text)
    return Finding(Verdict.OK, subject, f"all came, in {len(counted)} of the newest documents")


def _scope(resource: str, failure: ServiceError | None, what: str = "") -> Finding:
    if failure is None:
        return Finding(Verdict.OK, SCOPES["GET", resource], f"{resource} can be read{what}")
    return Finding(Verdict.WRONG, SCOPES["GET", resource], f"{failure}{what}: {_GRANT}")


def _ungranted(settings: Settings, overrides: Overrides) -> Iterator[Finding]:
    """Name the scopes that Coupa does not give, by asking for one at a time."""
    for scope in (*settings.asked_scopes.split(), *settings.fact_scopes.split()):
        failure = _read(_with_scope(scope, settings, overrides), "approvals", overrides.clock)
        if failure and failure.code == "coupa_token_400":
            yield Finding(Verdict.WRONG, scope, f"is not granted: {_GRANT}")


def _with_scope(scope: str, settings: Settings, overrides: Overrides) -> Access:
    """Return access to Coupa by a token that has one scope."""
    alone = {"coupa_scopes": scope, "comments": "off", "facts": ()}
    return build_access(settings.model_copy(update=alone), overrides)


def _moveworks(settings: Settings, overrides: Overrides) -> Finding:
    channel = build_channel(settings, overrides, settings.moveworks_max_per_minute)
    try:
        channel.probe(Deadline(overrides.clock, CHECK_S))
    except ServiceError as failure:
        hint = "" if "MOVEWORKS_BASE_URL" in str(failure) else "; check MOVEWORKS_BASE_URL"
        return Finding(Verdict.WRONG, "Moveworks", f"{failure}{hint}")
    is_listener = settings.moveworks_channel == "listener"
    return Finding(Verdict.OK, "Moveworks", f"takes our {'signed message' if is_listener else 'key'}")


def _unproved(settings: Settings) -> Finding:
    """Say what no answer of the channel shows."""
    if settings.moveworks_channel == "listener":
        return Finding(Verdict.NOTE, "MOVEWORKS_LISTENER_SECRET", LOOK_IN_THE_LOG)
    text = "cannot be checked without sending a message; a wrong one is moveworks_404 in the first sweep"
    return Finding(Verdict.NOTE, "MOVEWORKS_EVENT_ID", text)


class _Probe(Table):
    """A table as far as our rights on it matter."""

    CODES = "table"

    def exercise(self) -> None:
        """Make the table if need be, then write, read and delete a row of no meaning.

        Raises:
            ServiceError: says at which step.
        """
        row = {"PartitionKey": "doctor", "RowKey": secrets.token_hex(16)}
        with self._talking("make the table or write a row") as client:
            client.create_entity(row)
        with self._talking("read a row", makes=False) as client:
            client.get_entity(row["PartitionKey"], row["RowKey"])
        with self._talking("delete a row", makes=False) as client:
            client.delete_entity(row)


def _tables(settings: Settings) -> Iterator[Finding]:
    if settings.storage == "memory" and not settings.ledger_account_url:
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
        where = "check LEDGER_CONNECTION or LEDGER_ACCOUNT_URL, and the account's network rules"
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
