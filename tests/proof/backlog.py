"""The first run: many approvals for many people become one message for each."""

from __future__ import annotations

from collections import Counter

from coupa_core.ledger import State
from proof.audit import Tally, Traffic
from proof.rig import Rig

MINUTES = 8


def backlog_of(*, approvals: int, people: int, per_minute: int) -> tuple[list[str], Counter[State], int]:
    """Sweep a backlog with FIRST_RUN=digest for some minutes.

    Returns:
        Who was told, how many rows stand where, and how many messages Moveworks was asked to take.
    """
    rig = Rig(
        settings={
            "FIRST_RUN": "digest",
            "MOVEWORKS_MAX_PER_MINUTE": str(per_minute),
            "COUPA_MAX_PER_SECOND": "25",
        }
    )
    world = rig.coupa.world
    users = [world.add_user(email=f"one{number}@example.com", firstname="O") for number in range(people)]
    rig.people = users
    for number in range(approvals):
        rig.request(number * 7 % people)
    poller, traffic = rig.poller(), Traffic()
    tried = 0
    for _ in range(MINUTES):
        rig.clock.advance(60)
        poller.sweep()
        tried += rig.moveworks.front.count("POST")
        traffic.gather(rig)
    traffic.check(rig)
    rows = rig.store.open_entries().entries
    return [each.recipient for each in rig.moveworks.delivered], Counter(row.state for row in rows), tried


def first_run() -> Tally:
    """Do it with 5,000 approvals for 400 people."""
    told, states, tried = backlog_of(approvals=5000, people=400, per_minute=100)
    lost = 5000 - states[State.SENT]
    assert tried == len(told), f"{tried - len(told)} messages were turned away"
    return Tally(runs=1, sent=len(told), lost=lost, repeated=len(told) - len(set(told)), worst=1)
