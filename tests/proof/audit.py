"""Compares the owed messages with the sent ones, and checks that every repeat has a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from coupa_core.ledger import State
from coupa_core.model import version
from proof.rig import Rig, is_card, told


@dataclass
class Tally:
    """The figures of one proof, added over its runs.

    Attributes:
        runs: how often the rig was run.
        steps: I/O steps that were passed.
        faults: of which were made to fail.
        sent: notices that took effect.
        lost: people who may decide and do not know the current version of an approval that is not parked.
        repeated: sends of a version beyond its first.
        unexplained: of these, the ones without an unknown outcome before them.
        frozen: of the unexplained, the ones by a holder that was frozen beyond its lease.
        worst: most sends of one version.
        false_answers: clicks that were told a decision that Coupa does not have, or decided twice.
        missed: which runs missed their target, by what replays them.
    """

    runs: int = 0
    steps: int = 0
    faults: int = 0
    sent: int = 0
    lost: int = 0
    repeated: int = 0
    unexplained: int = 0
    frozen: int = 0
    worst: int = 0
    false_answers: int = 0
    missed: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add the figures of another run or proof."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            setattr(self, each.name, max(mine, theirs) if each.name == "worst" else mine + theirs)


def audit(rig: Rig, *, steps: int, faults: int, frozen: bool = False) -> Tally:
    """Compare what Coupa says is owed with what arrived, when everything has come to rest."""
    last: dict[tuple[int, str], tuple[str, str, str]] = {}
    for each in filter(is_card, rig.moveworks.delivered):
        said = told(each)
        last[said.approval_id, said.person] = (said.approver_key, said.content, each.recipient)
    rows = {row.approval_id: row for row in rig.store.open_entries().entries}
    lost = 0
    books = rig.books
    for key, truth in rig.owed().items():
        row = rows.get(key[0])
        asked, content, _ = truth
        is_known = last.get(key) == truth
        if row and not is_known:
            current = version(approver_key=asked, content=content, generation=row.generation)
            is_known = books.knows(key, current, row)
        if not is_known and not (row and row.state is State.PARKED):
            lost += 1
    # Whoever is to hear that a card has died has heard it.
    lost += sum(1 for row in rows.values() if row.farewell)
    return Tally(
        runs=1,
        steps=steps,
        faults=faults,
        sent=len(rig.moveworks.delivered),
        lost=lost,
        repeated=books.repeated,
        unexplained=0 if frozen else books.unexplained,
        frozen=books.unexplained if frozen else 0,
        worst=books.worst,
    )


class Traffic:
    """When requests left, gathered from the simulators' records, which are begun anew."""

    def __init__(self) -> None:
        self._sends: list[datetime] = []
        self._reads: list[datetime] = []

    def gather(self, rig: Rig) -> None:
        """Take over what was recorded so far."""
        self._sends += [call.at for call in rig.moveworks.front.calls if call.method == "POST"]
        self._reads += [call.at for call in rig.coupa.front.calls]
        rig.moveworks.front.calls.clear()
        rig.coupa.front.calls.clear()

    def check(self, rig: Rig) -> None:
        """Check that no window of time saw more requests than are allowed."""
        busiest = _busiest(self._sends, timedelta(seconds=60))
        assert busiest <= rig.settings.moveworks_max_per_minute, f"{busiest} sends in a minute"
        busiest = _busiest(self._reads, timedelta(seconds=1))
        assert busiest <= rig.settings.coupa_max_per_second, f"{busiest} calls to Coupa in a second"


def _busiest(times: Iterable[datetime], window: timedelta) -> int:
    at = sorted(times)
    most = first = 0
    for last, time in enumerate(at):
        while time - at[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most
