"""A kill before and after, and each fault, at every I/O step that a dry run finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from coupa_core.ledger import LedgerStore, MemoryStore
from proof.audit import Tally, audit
from proof.orders import sweep_in_order
from proof.rig import LISTENER as OVER_LISTENER
from proof.rig import Poller, Rig
from proof.seam import KILLS, ODD_MODES, Choice, Seam, at, modes_of

Sweep = Callable[[Poller], bool]
NewStore = Callable[[], LedgerStore]
REST = 8
"""Sweeps, a minute apart, until everything has come to rest: lease, skew, and the first back-offs."""


@dataclass(frozen=True)
class Scene:
    """What is announced, and how.

    Attributes:
        settings: that differ from the harness's.
        is_for_one: all approvals are one person's, and so come as a digest.
    """

    settings: dict[str, str] = field(default_factory=dict)
    is_for_one: bool = False

    def rig(self, approvals: int, store: LedgerStore | None = None) -> Rig:
        """Return a world in which so many approvals wait."""
        rig = Rig(store=store, settings={"COUPA_MAX_PER_SECOND": "25", **self.settings})
        for number in range(approvals):
            rig.request(0 if self.is_for_one else number % len(rig.people))
        return rig


PLAIN = Scene()
LISTENER = Scene(OVER_LISTENER)
DIGEST = Scene({"DIGEST_OVER": "1"}, is_for_one=True)


def ours(poller: Poller) -> bool:
    """Sweep as the product does."""
    return poller.sweep()


def send_first(poller: Poller) -> bool:
    return sweep_in_order(poller, record_first=False)


def record_first(poller: Poller) -> bool:
    return sweep_in_order(poller, record_first=True)


def run(
    approvals: int,
    choices: Choice,
    *,
    sweep: Sweep = ours,
    new_store: NewStore = MemoryStore,
    scene: Scene = PLAIN,
) -> tuple[Tally, list[str]]:
    """Announce some approvals with these faults and count; also return the steps that were passed."""
    rig = scene.rig(approvals, new_store())
    poller = rig.poller(Seam(decide=at(choices)))
    for _ in range(REST):
        sweep(poller)
        rig.clock.advance(60)
    return audit(rig, steps=len(poller.seam.steps), faults=poller.seam.faults), poller.seam.steps


def first_sweep(approvals: int, *, sweep: Sweep = ours, scene: Scene = PLAIN) -> list[str]:
    """Return the steps of a sweep that has everything to do, found by a dry run."""
    poller = scene.rig(approvals).poller()
    sweep(poller)
    return poller.seam.steps


def points(
    approvals: int, *, sweep: Sweep = ours, kills_only: bool = False, scene: Scene = PLAIN
) -> Iterator[dict[int, str]]:
    """Return every single fault of a first sweep."""
    for number, name in enumerate(first_sweep(approvals, sweep=sweep, scene=scene)):
        for mode in KILLS if kills_only else modes_of(name):
            yield {number: mode}


def odd_points(approvals: int) -> Iterator[dict[int, str]]:
    """Return every further answer of a service at every call of a first sweep."""
    for number, name in enumerate(first_sweep(approvals)):
        if not name.startswith("store"):
            yield from ({number: mode} for mode in ODD_MODES)


def pairs_of_kills(approvals: int) -> Iterator[dict[int, str]]:
    """Return every ordered pair of kills: one in the first sweep, one anywhere later."""
    for number in range(len(first_sweep(approvals))):
        for mode in KILLS:
            _, steps = run(approvals, {number: mode})
            for second in range(number + 1, min(len(steps), number + 60)):
                for other in KILLS:
                    yield {number: mode, second: other}


def enumerate_faults(
    approvals: int,
    choices: Iterable[Choice],
    *,
    sweep: Sweep = ours,
    new_store: NewStore = MemoryStore,
    scene: Scene = PLAIN,
) -> Tally:
    """Run once for each choice of faults, and add the figures up."""
    total = Tally()
    for choice in choices:
        tally, _ = run(approvals, choice, sweep=sweep, new_store=new_store, scene=scene)
        most = len(choice) * (approvals if scene.is_for_one else 1)
        if sweep is ours and (tally.lost or tally.unexplained or tally.repeated > most):
            tally.missed.append(f"{approvals} approvals, {choice}")
        total.add(tally)
    return total
