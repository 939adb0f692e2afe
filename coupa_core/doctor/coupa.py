"""The checks of Coupa: the token, each scope by reading one record, lines and facts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coupa_core.app import Overrides, build_access
from coupa_core.clock import Clock, Deadline
from coupa_core.coupa import FACT_FIELDS, Access, document_fields, rows_in, unread_of
from coupa_core.coupa.fields import DOCUMENT_FIELDS
from coupa_core.documents import DOCUMENT_MODELS, SCOPES, enabled, parse_document
from coupa_core.errors import Malformed, ServiceError
from coupa_core.facts import FACT_RESOURCES, Fact
from coupa_core.finding import Finding, Verdict
from coupa_core.model import REQUISITION, DocumentKind
from coupa_core.settings import Settings

CHECK_S = 15.0
"""The time limit of one request, in seconds."""

_WRITE = SCOPES["PUT", "approvals"]
_GRANT = "grant it to the OAuth client in Coupa (Setup, OAuth2/OpenID Connect Clients)"
_ODD = "ask Coupa why, and look for a default API response filter"


def coupa(settings: Settings, overrides: Overrides) -> Iterator[Finding]:
    """Read one record of each resource that the settings need; without a token, stop."""
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
    beside = [DOCUMENT_MODELS[name].comments_as for name in types if DOCUMENT_MODELS[name].comments_as]
    if settings.comments == "on" and beside:
        failure = _read(access, "comments", overrides.clock, of={"commentable_type": beside[0]})
        yield _scope("comments", failure)
    for name in sorted({*settings.document_types} - {*types, "*"}):
        yield _unreadable_type(access, name, overrides.clock)
    if not settings.coupa_client_login:
        text = "is not set (the Login of the OAuth client): cards name our client as who decided in chat"
        yield Finding(Verdict.NOTE, "COUPA_CLIENT_LOGIN", text)
    yield Finding(Verdict.OK, _WRITE, "is asked for; only a decision would show that it is granted")
    failure = _read(access, "delegations", overrides.clock)
    if failure:
        text = f"cannot be read ({failure.code}), so delegates are those that approvals name"
        yield Finding(Verdict.NOTE, "delegations", text)
    else:
        yield Finding(Verdict.OK, "delegations", "can be read")


def _facts(settings: Settings, overrides: Overrides, access: Access) -> Iterator[Finding]:
    """Read some records for each enabled fact, with the fields that a sweep requests."""
    for fact in settings.facts:
        resource = FACT_RESOURCES[fact]
        scope, what = SCOPES["GET", resource], f"for FACTS: {fact}"
        own = build_access(settings, overrides, scopes=scope) if scope in access.withheld.split() else access
        yield _records(own, resource, FACT_FIELDS[fact], what, overrides.clock, fact=fact)
    if settings.facts:
        lines, resource = (
            document_fields(settings.facts)[DocumentKind.REQUISITION],
            DOCUMENT_MODELS[REQUISITION].resource,
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
    """Read some records, and check that they have these fields."""
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
    """Read one record that matches the filters; return the error, or None."""
    query = {"limit": "1", "fields": json.dumps(fields), **(of or {})}
    try:
        access.read(resource, f"/api/{resource}", query, Deadline(clock, CHECK_S))
    except ServiceError as failure:
        return failure
    return None


def _types(access: Access, types: Sequence[str], clock: Clock) -> Iterator[Finding]:
    """Read one record of each type, and check that its lines are complete."""
    for name in types:
        failure = _read(access, DOCUMENT_MODELS[name].resource, clock)
        yield _scope(DOCUMENT_MODELS[name].resource, failure)
        if failure is None and "line-count" in DOCUMENT_FIELDS[DOCUMENT_MODELS[name].kind]:
            yield _lines(access, name, clock)


def _unreadable_type(access: Access, name: str, clock: Clock) -> Finding:
    """Look for an approval of a type whose documents the bridge does not read; a misspelt type has none."""
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
    """Compare the lines of the newest documents of a type with Coupa's count of them."""
    source, subject = DOCUMENT_MODELS[name], f"lines of {DOCUMENT_MODELS[name].resource}"
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
    """Report the scopes that Coupa does not grant, by requesting each alone."""
    for scope in (*settings.asked_scopes.split(), *settings.fact_scopes.split()):
        failure = _read(build_access(settings, overrides, scopes=scope), "approvals", overrides.clock)
        if failure and failure.code == "coupa_token_400":
            yield Finding(Verdict.WRONG, scope, f"is not granted: {_GRANT}")
