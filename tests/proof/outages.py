"""A service is away for a day, refusing or hanging, while new requests keep coming in."""

from __future__ import annotations

from coupa_core.ledger import State
from proof.audit import Tally, Traffic, audit
from proof.rig import Poller, Rig, told
from proof.seam import Seam

AWAY = tuple((who, how) for who in ("coupa", "moveworks", "store") for how in ("refuse", "hang"))
DAY_MIN = 24 * 60
MAX_UNCERTAIN_SENDS = 1
"""A breaker asks for a sign of life after the first send of unknown outcome."""


def outage(who: str, how: str, *, minutes: int = DAY_MIN, every_min: int = 6) -> Tally:
    """Take one service away, let a request come in every few minutes, bring it back, and count.

    Args:
        who: `coupa`, `moveworks` or `store`.
        how: `refuse` or `hang`.
        minutes: how long it is away; a sweep runs in each.
        every_min: minutes between two requests.
    """
    rig = Rig()
    is_away = False
    seam = Seam(decide=lambda _, name: how if is_away and name.startswith(who) else None)
    poller = rig.poller(seam)
    rig.request(0)
    _minute(rig, poller)
    is_away = True
    uncertain = _posts(seam)
    for minute in range(minutes):
        if minute % every_min == 0:
            rig.request(minute % len(rig.people))
        _minute(rig, poller)
    if who == "moveworks":
        assert _posts(seam) - uncertain <= MAX_UNCERTAIN_SENDS, "sends piled up while Moveworks was away"
        rows = rig.store.open_entries().entries
        assert not [row for row in rows if row.state is State.PARKED], "an outage parked an approval"
    is_away = False
    tried = {row.approval_id for row in rig.store.open_entries().entries if row.uncertain or row.lease_until}
    already = len(rig.moveworks.delivered)
    for _ in range(10 + minutes // every_min // 50):
        _minute(rig, poller)
    traffic = Traffic()
    traffic.gather(rig)
    traffic.check(rig)
    tally = audit(rig, steps=len(seam.steps), faults=seam.faults)
    numbers = [said.approval_id for said in map(told, rig.moveworks.delivered[already:])]
    in_order = [number for number in numbers if number not in tried]
    # The newest and the oldest come by turns, fifty together.
    assert not in_order or min(in_order) in in_order[:50], "who waited longest was not told among the first"
    return tally


def _minute(rig: Rig, poller: Poller) -> None:
    """Run a sweep, and let the rest of its minute pass."""
    began_s = rig.clock.monotonic()
    poller.sweep()
    rig.clock.advance(60 - (rig.clock.monotonic() - began_s))


def _posts(seam: Seam) -> int:
    return sum(name.startswith("moveworks POST") for name in seam.steps)
