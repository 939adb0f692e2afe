"""How many calls to Coupa a request will make, so that it begins only when there are turns and time for all.

What is not foreseen (a page that is repeated, a type of document that asks for more) is called all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from coupa_core.decide.check import RequestCase

CONFIRMS = 1
"""Calls that read decisions back."""

_READS = 2
"""The approvals, and their documents."""

_SAFETY = 3.0
"""A call that changes something, or says what was changed, may take so many times as long as calls took."""

_KEPT_S = (0.4, 1.3)
"""For each of those, at least and at most."""


def kept_s(call_s: float) -> float:
    """Return the time that is kept for the sending of decisions, and as much again for reading them back.

    Args:
        call_s: how long calls to Coupa take at present.
    """
    least, most = _KEPT_S
    return min(most, max(least, _SAFETY * call_s))


def last_turn_s(left_s: float, call_s: float, *, reads: int, calls: int = 2) -> float:
    """Return within which time the last turn of a request must come, so that the request ends in time.

    Args:
        left_s: its time for Coupa.
        call_s: how long calls to Coupa take at present.
        reads: calls before it changes something; each may wait for the one before.
        calls: those that come then.
    """
    return left_s - reads * call_s - calls * kept_s(call_s)


def reads_of(cases: Iterable[RequestCase]) -> int:
    """Return how many calls come before the decisions; each is for all clicks of a request.

    For a group its members are read, where they do not come with the approval, and for somebody else's
    approval who stands in for whom, until there are no more; a token vouches for the address of its person,
    and without one the address is asked about at least.
    """
    return _READS + max(map(_asks_more, cases), default=0)


def _asks_more(case: RequestCase) -> int:
    offer = case.offer
    if offer is None:
        return 2
    if offer.person == offer.approver_key:
        return 0
    return 1 if offer.approver_key.startswith("group:") else 2
