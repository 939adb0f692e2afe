"""Count the calls to Coupa of a request in advance, so that it begins only with a permit and time for each.

Unforeseen calls (a repeated page, a type of document that needs more) are made without a reservation.
"""

from __future__ import annotations

from collections.abc import Iterable

from coupa_core.decide.cases import RequestCase

CONFIRMS = 1
"""Calls that read decisions back."""

_READS = 2
"""Calls that read approvals and their documents."""

_SAFETY = 3.0
"""How many times longer than recent calls a decision, or its reading back, may take."""

_KEPT_S = (0.4, 1.3)
"""The least and the most that is kept for each of those calls, in seconds."""


def kept_s(call_s: float) -> float:
    """Return the seconds to keep for sending decisions; reading them back gets as many.

    Args:
        call_s: how long a call to Coupa takes at present, in seconds.
    """
    least, most = _KEPT_S
    return min(most, max(least, _SAFETY * call_s))


def last_permit_s(left_s: float, call_s: float, *, reads: int, calls: int = 2) -> float:
    """Return the seconds until the last permit of a request, so that the request ends in time.

    Args:
        left_s: the time of the request for Coupa, in seconds.
        call_s: how long a call to Coupa takes at present, in seconds.
        reads: calls before the request changes something; each may wait for the one before.
        calls: calls after those.
    """
    return left_s - reads * call_s - calls * kept_s(call_s)


def reads_of(cases: Iterable[RequestCase]) -> int:
    """Return how many calls come before the decisions; each is for all clicks of a request.

    For a group approval one call reads the members, unless they come with the approval; for somebody else's
    approval two calls read the delegations. A token proves the address of its person; without one a call
    checks the address.
    """
    return _READS + max(map(_needs_lookup, cases), default=0)


def _needs_lookup(case: RequestCase) -> int:
    offer = case.offer
    if offer is None:
        return 2
    if offer.person == offer.approver_key:
        return 0
    return 1 if offer.approver_key.startswith("group:") else 2
