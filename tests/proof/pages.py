"""Lists of every length, lists that change while they are read, and lists with a missing page."""

from __future__ import annotations

import random

from coupa_core.ledger import State
from proof.audit import Tally, audit
from proof.rig import Rig
from proof.seam import GARBAGE, REFUSALS, Seam

LENGTHS = (0, 1, 49, 50, 51, 100, 5000)
FAILURES = ("refuse", "lose", "slow", *REFUSALS, *GARBAGE)
_WIDE = {"COUPA_MAX_PER_SECOND": "25", "MOVEWORKS_MAX_PER_MINUTE": "100000"}


def _rig(approvals: int) -> Rig:
    rig = Rig(settings=_WIDE)
    rig.moveworks.max_per_minute = None
    for number in range(approvals):
        rig.request(number % len(rig.people))
    return rig


def of_length(approvals: int) -> Tally:
    """Announce so many at once; a second sweep and a new process must have nothing to say."""
    rig = _rig(approvals)
    poller = rig.poller()
    poller.sweep()
    rig.clock.advance(60)
    poller.sweep()
    poller.start()
    poller.sweep()
    assert len(rig.moveworks.delivered) == approvals, "not each was told once"
    return audit(rig, steps=len(poller.seam.steps), faults=0)


def moving(seed: int) -> Tally:
    """Let requests come and go between the pages of each list."""
    rig, chance = _rig(130), random.Random(seed)
    world = rig.coupa.world

    def move(name: str) -> None:
        if not name.startswith("coupa GET /api/approvals") or chance.random() < 0.5:
            return
        waiting = [each for each in world.approvals.rows.values() if each.is_open]
        for each in chance.sample(waiting, 3):
            world.decide_in_coupa(each.id, by=rig.people[0], decision="approved")
        for _ in range(3):
            rig.request(chance.randrange(6))

    seam = Seam(pause=move)
    poller = rig.poller(seam)
    for _ in range(6):
        poller.sweep()
        rig.clock.advance(60)
        _assert_none_closed_early(rig)
    seam.pause = lambda name: None
    poller.sweep()
    return audit(rig, steps=len(seam.steps), faults=0)


def failing(page: int, mode: str) -> Tally:
    """Let one page of three fail in one sweep: with new requests on all, and old ones that were told."""
    rig = _rig(120)
    is_bad = False
    pages = 0

    def fate(_: int, name: str) -> str | None:
        nonlocal pages
        if not is_bad or name != "coupa GET /api/approvals":
            return None
        pages += 1
        return mode if pages > page else None

    seam = Seam(decide=fate)
    poller = rig.poller(seam)
    for _ in range(2):  # the second looks again at what was changed within the first one's second
        poller.sweep()
        rig.clock.advance(60)
    rows = {row.approval_id for row in rig.store.open_entries().entries}
    rig.request(0)
    is_bad = True
    poller.sweep()
    after = {row.approval_id: row for row in rig.store.open_entries().entries}
    assert rows <= set(after), "a row was closed though a page was missing"
    odd = {
        (row.state, row.cause)
        for number, row in after.items()
        if number in rows and row.state is not State.SENT
    }
    assert not odd, f"a missing page left rows in {odd}"
    is_bad = False
    for _ in range(4):
        rig.clock.advance(60)
        poller.sweep()
    return audit(rig, steps=len(seam.steps), faults=seam.faults)


def _assert_none_closed_early(rig: Rig) -> None:
    for approval in rig.coupa.world.approvals.rows.values():
        if approval.is_open:
            assert rig.store.read_closed(approval.id) is None, "a waiting approval was closed"
