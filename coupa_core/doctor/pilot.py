"""The check of the pilot: the approvals that wait only for it, and entries that may be misspelt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches

from coupa_core.addresses import domain_of, folded
from coupa_core.app import Overrides, build
from coupa_core.audience import Audience, is_of
from coupa_core.audit_log import MemoryAuditStore
from coupa_core.clock import Deadline
from coupa_core.errors import ServiceError
from coupa_core.finding import Finding, Verdict
from coupa_core.ledger import PILOT
from coupa_core.settings import Settings
from coupa_core.sweep import SweepDependencies

LIST_S = 30.0
"""The time limit for listing the pending approvals and their deciders, in seconds."""

_SHOWN = 5
_ALIKE = 0.8


def pilot(settings: Settings, overrides: Overrides) -> Iterator[Finding]:
    """Check the pilot, if the settings have one.

    Args:
        settings: validated.
        overrides: the clock, and replacements for real services.
    """
    audience = Audience(settings.pilot)
    if audience.is_everybody:
        return
    deps = build(settings, replace(overrides, audit_store=MemoryAuditStore())).sweep.deps
    try:
        waiting = sum(
            row.cause == PILOT and not row.has_ended for row in deps.ledger.store.open_entries().entries
        )
        asked = _deciders(deps)
    except ServiceError as failure:
        text = f"is on, and others are told nothing; who waits cannot be read now ({failure.code})"
        yield Finding(Verdict.NOTE, "PILOT", text)
        return
    named = sum(map(audience.has, asked))
    text = (
        f"is on: of {len(asked)} people whom Coupa asks now it names {named}; {waiting} approvals wait for "
        "nothing but that it names the others or is empty"
    )
    yield Finding(Verdict.NOTE, "PILOT", text)
    for number, entry in enumerate(audience.entries, 1):
        if not any(is_of(entry, address) for address in asked):
            yield _unmatched(number, entry, asked)


def _deciders(deps: SweepDependencies) -> set[str]:
    """Return the addresses in chat of all deciders of listed pending approvals.

    Raises:
        ServiceError: no approval could be listed.
    """
    deadline = Deadline(deps.clock, LIST_S)
    listing = deps.coupa.pending(deadline)
    if listing.failure and not listing.approvals:
        raise listing.failure
    deciders_of = deps.directory.deciders_of(listing.approvals, deadline)
    return {folded(person.address) for deciders in deciders_of.values() for person in deciders.people}


def _unmatched(number: int, entry: str, asked: set[str]) -> Finding:
    """Report an entry that matches nobody, and a similar address; the entry itself is not shown."""
    domains = sorted({domain_of(address) for address in asked})
    near = get_close_matches(entry, sorted(asked) if "@" in entry else domains, n=1, cutoff=_ALIKE)
    text = f"entry {number} fits nobody whom Coupa asks now"
    if near:
        return Finding(Verdict.WRONG, "PILOT", f"{text}: did you mean {near[0]}?")
    shown = ", ".join(domains[:_SHOWN]) or "none"
    return Finding(Verdict.NOTE, "PILOT", f"{text}; the domains of those whom it asks: {shown}")
