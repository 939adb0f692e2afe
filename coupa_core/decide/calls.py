"""How many calls to Coupa a request will make, so that it begins only when there are turns for all of them.

What is not foreseen (a page that is repeated, a type of document that asks for more) is called all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from coupa_core.decide.check import Case

CONFIRMS = 1
"""Calls that read decisions back."""

_READS = 2
"""The approvals, and their documents."""


def reads_of(cases: Iterable[Case]) -> int:
    """Return how many calls come before the decisions; each is for all clicks of a request.

    For a group its members are read, where they do not come with the approval, and for somebody else's
    approval who stands in for whom, until there are no more; a token vouches for the address of its person,
    and without one the address is asked about at least.
    """
    return _READS + max(map(_asks_more, cases), default=0)


def _asks_more(case: Case) -> int:
    offer = case.offer
    if offer is None:
        return 2
    if offer.person == offer.approver_key:
        return 0
    return 1 if offer.approver_key.startswith("group:") else 2
