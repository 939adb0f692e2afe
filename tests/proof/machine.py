"""All actions of people in Coupa, in any order, between sweeps, kills and outages.

The model is a few lines of its own: the approver of each price. It knows no hash, no version and no token; it
reads the last notice's text for what somebody was told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from proof.audit import Tally, audit
from proof.rig import Rig, click
from proof.seam import KILLS, Seam

PEOPLE = st.integers(0, 5)
PRICES = st.integers(1, 9999)


@dataclass
class Owed:
    """What must be known about one waiting approval: by whom, and which price."""

    person: int
    price: int


class Approvals(RuleBasedStateMachine):
    """One bridge, one Coupa, and a model of who must have been told what."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(settings={"COUPA_MAX_PER_SECOND": "25"})
        self.away: set[str] = set()
        self.kill_at: int | None = None
        self.poller = self.rig.poller(Seam(decide=self.fate))
        self.owed: dict[int, Owed] = {}
        self.is_disturbed = False

    def fate(self, number: int, name: str) -> str | None:
        """Kill where the rule says, and refuse for whoever is away."""
        if number == self.kill_at:
            return KILLS[number % 2]
        return "refuse" if name.split(maxsplit=1)[0] in self.away else None

    @rule(person=PEOPLE, price=PRICES)
    def enter(self, person: int, price: int) -> None:
        request = self.rig.request(person, price=f"{price}.00")
        [approval] = self.rig.coupa.world.approvals_of(request)
        self.owed[approval.id] = Owed(person, price)

    @precondition(lambda self: self.owed)
    @rule(data=st.data(), price=PRICES)
    def edit(self, data: st.DataObject, price: int) -> None:
        number = self.pick(data)
        document = self.rig.coupa.world.approvals.rows[number].document
        self.rig.coupa.world.edit_line(document.id, 0, unit_price=f"{price}.00")
        self.owed[number].price = price

    @precondition(lambda self: self.owed)
    @rule(data=st.data(), person=PEOPLE)
    def reassign(self, data: st.DataObject, person: int) -> None:
        number = self.pick(data)
        self.rig.coupa.world.reassign(number, to=self.rig.people[person])
        self.owed[number].person = person

    @precondition(lambda self: self.owed)
    @rule(data=st.data())
    def touch_and_comment(self, data: st.DataObject) -> None:
        number = self.pick(data)
        world = self.rig.coupa.world
        world.touch(number)
        world.add_comment(
            "requisition", world.approvals.rows[number].document.id, self.rig.requester, "Please?"
        )

    @precondition(lambda self: self.owed)
    @rule(data=st.data())
    def decide_in_coupa(self, data: st.DataObject) -> None:
        number = self.pick(data)
        self.rig.coupa.world.decide_in_coupa(number, by=self.rig.people[0], decision="approved")
        del self.owed[number]

    @precondition(lambda self: self.rig.moveworks.delivered)
    @rule(data=st.data(), verb=st.sampled_from(["approve", "reject"]))
    def press_a_button(self, data: st.DataObject, verb: str) -> None:
        card = data.draw(st.sampled_from(self.rig.moveworks.delivered))
        number = int(card.slots["approval_id"])
        owed = self.owed.get(number)
        outcome = click(self.poller, card, verb)
        is_open = self.rig.coupa.world.approvals.rows[number].is_open
        if not is_open:
            self.owed.pop(number, None)
        if owed and outcome in ("approved", "rejected"):
            assert not is_open
            assert card.recipient == f"person{owed.person}@example.com", "a former approver decided"
            assert price_in(card.message) == owed.price, "a price was approved that was not shown"

    @rule(seconds=st.sampled_from([1, 30, 60, 200]))
    def wait(self, seconds: int) -> None:
        self.rig.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        self.poller.sweep()

    @rule(step=st.integers(0, 40))
    def sweep_and_be_killed(self, step: int) -> None:
        self.kill_at = len(self.poller.seam.steps) + step
        self.poller.sweep()
        self.kill_at = None
        self.is_disturbed = True

    @rule(who=st.sampled_from(["coupa", "moveworks", "store"]))
    def go_away_or_come_back(self, who: str) -> None:
        self.away ^= {who}
        self.is_disturbed = True

    @rule()
    def come_to_rest(self) -> None:
        """Everybody is back, and time passes: now each one who is owed must know."""
        self.away.clear()
        for seconds in (60, 60, 60, 4000, 60, 60):
            self.rig.clock.advance(seconds)
            self.poller.sweep()
        last = {each.slots["approval_id"]: each for each in self.rig.moveworks.delivered}
        for number, owed in self.owed.items():
            told = last[str(number)]
            assert told.recipient == f"person{owed.person}@example.com"
            assert price_in(told.message) == owed.price

    @invariant()
    def nobody_is_told_the_same_twice_without_a_reason(self) -> None:
        assert self.rig.books.unexplained == 0
        assert self.is_disturbed or self.rig.books.repeated == 0

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.owed)))

    def teardown(self) -> None:
        self.come_to_rest()


def price_in(message: str) -> int:
    """Return the amount that a person reads."""
    found = re.search(r", USD ([\d,]+)\.00</b>", message)
    assert found, message
    return int(found[1].replace(",", ""))


def run_machine(examples: int) -> Tally:
    """Try so many stories; a failing one is shrunk and printed.

    Raises:
        AssertionError: somebody was not told, was told twice, or decided what was not shown.
    """
    tally = Tally()

    class Counted(Approvals):
        def teardown(self) -> None:
            super().teardown()
            seam = self.poller.seam
            tally.add(audit(self.rig, steps=len(seam.steps), faults=seam.faults))

    how = settings(
        max_examples=examples, stateful_step_count=25, deadline=None, derandomize=True, database=None
    )
    run_state_machine_as_test(Counted, settings=how)
    return tally
